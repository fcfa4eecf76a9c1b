/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-i18n-private.h"

#include "aex-error.h"
#include "pending/aex-context-private.h"
#include "pending/aex-value-private.h"

/**
 * AexContextVar:
 *
 * A variable whose value belongs to the current [struct@Context]: it follows
 * the work, not the thread.
 *
 * Make one per purpose, at start, and keep it. Values that outlive their
 * thread must be of types that any thread may release.
 *
 * Since: 1.0
 */
struct _AexContextVar {
  GObject parent_instance;
  char *name;
  GValue default_value;    /* unset: none */
  GType tracker_type;      /* see aex-tracker-context.c */
};

/**
 * AexContextToken:
 *
 * What [method@ContextVar.set] replaced, so that [method@ContextVar.reset] can
 * put it back.
 *
 * Since: 1.0
 */
struct _AexContextToken {
  atomic_int refs;
  AexContextVar *var;
  GValue value;            /* what was there before; unset: nothing */
  atomic_int used;
};

G_DEFINE_FINAL_TYPE (AexContextVar, aex_context_var, G_TYPE_OBJECT)
G_DEFINE_BOXED_TYPE (AexContextToken, aex_context_token, aex_context_token_ref, aex_context_token_unref)

enum { PROP_NAME = 1, N_PROPS };

static GParamSpec *properties[N_PROPS];

static void
aex_context_var_finalize (GObject *object)
{
  AexContextVar *self = AEX_CONTEXT_VAR (object);

  g_free (self->name);
  aex_value_release (&self->default_value, NULL);
  G_OBJECT_CLASS (aex_context_var_parent_class)->finalize (object);
}

static void
aex_context_var_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_NAME)
    g_value_set_string (value, AEX_CONTEXT_VAR (object)->name);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
aex_context_var_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_NAME)
    AEX_CONTEXT_VAR (object)->name = g_value_dup_string (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
aex_context_var_class_init (AexContextVarClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = aex_context_var_finalize;
  object_class->get_property = aex_context_var_get_property;
  object_class->set_property = aex_context_var_set_property;

  /**
   * AexContextVar:name:
   *
   * The name, for people.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL,
                                               G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_context_var_init (AexContextVar *self)
{
  (void) self;
}

/**
 * aex_context_var_new:
 * @name: a name, for people
 * @default_value: (nullable): the value where nothing else is set
 *
 * Makes a variable.
 *
 * Returns: (transfer full): a new variable
 *
 * Since: 1.0
 */
AexContextVar *
aex_context_var_new (const char *name, const GValue *default_value)
{
  AexContextVar *self = g_object_new (AEX_TYPE_CONTEXT_VAR, "name", name, NULL);

  if (default_value != NULL)
    {
      g_value_init (&self->default_value, G_VALUE_TYPE (default_value));
      g_value_copy (default_value, &self->default_value);
    }
  return self;
}

/**
 * aex_context_var_get_name: (get-property name)
 * @self: a variable
 *
 * Gets its name.
 *
 * Returns: (nullable): the name
 *
 * Since: 1.0
 */
const char *
aex_context_var_get_name (AexContextVar *self)
{
  g_return_val_if_fail (AEX_IS_CONTEXT_VAR (self), NULL);

  return self->name;
}

GType
aex_context_var_get_tracker_type (AexContextVar *self)
{
  return self->tracker_type;
}

void
aex_context_var_set_tracker_type (AexContextVar *self, GType type)
{
  self->tracker_type = type;
}

/**
 * aex_context_var_dup_value:
 * @self: a variable
 *
 * Gets the value in the current context, else the default; without either a
 * #GValue of type %G_TYPE_POINTER that holds %NULL.
 *
 * Returns: (transfer full): the value
 *
 * Since: 1.0
 */
GValue *
aex_context_var_dup_value (AexContextVar *self)
{
  const GValue *value;

  g_return_val_if_fail (AEX_IS_CONTEXT_VAR (self), NULL);

  value = aex_context_lookup (aex_thread_get ()->context, self);
  if (value == NULL && G_IS_VALUE (&self->default_value))
    value = &self->default_value;
  return aex_value_dup (value);
}

/**
 * aex_context_var_set:
 * @self: a variable
 * @value: (nullable): the value; %NULL: none, so that the default shows
 *
 * Sets the value in the current context, until the running job or callback
 * ends or [method@ContextVar.reset] is called.
 *
 * Returns: (transfer full): what [method@ContextVar.reset] needs
 *
 * Since: 1.0
 */
AexContextToken *
aex_context_var_set (AexContextVar *self, const GValue *value)
{
  AexContextToken *token;
  AexContext *context = aex_thread_get ()->context;
  const GValue *old;

  g_return_val_if_fail (AEX_IS_CONTEXT_VAR (self), NULL);

  old = aex_context_lookup (context, self);
  token = g_new0 (AexContextToken, 1);
  atomic_init (&token->refs, 1);
  token->var = g_object_ref (self);
  if (old != NULL)
    {
      g_value_init (&token->value, G_VALUE_TYPE (old));
      g_value_copy (old, &token->value);
    }
  aex_context_replace (aex_thread_get (), aex_context_with (context, self, value));
  return token;
}

/**
 * aex_context_var_reset:
 * @self: a variable
 * @token: what [method@ContextVar.set] returned
 * @error: return location for an error
 *
 * Puts the value back that was there before. A token works once and with its
 * own variable only: else the error is %AEX_ERROR_MISMATCH.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_context_var_reset (AexContextVar *self, AexContextToken *token, GError **error)
{
  AexContext *context = aex_thread_get ()->context;

  g_return_val_if_fail (AEX_IS_CONTEXT_VAR (self), FALSE);
  g_return_val_if_fail (token != NULL, FALSE);

  if (token->var != self || atomic_exchange (&token->used, TRUE))
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_MISMATCH,
                   _("This token does not belong to the variable “%s” or was used before: "
                     "give each token once, to the variable that made it"),
                   self->name != NULL ? self->name : "");
      return FALSE;
    }
  aex_context_replace (aex_thread_get (), aex_context_with (context, self, G_IS_VALUE (&token->value) ? &token->value : NULL));
  return TRUE;
}

/**
 * aex_context_token_ref:
 * @self: a token
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
AexContextToken *
aex_context_token_ref (AexContextToken *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  atomic_fetch_add (&self->refs, 1);
  return self;
}

/**
 * aex_context_token_unref:
 * @self: (transfer full): a token
 *
 * Drops a reference. The variable keeps its value.
 *
 * Since: 1.0
 */
void
aex_context_token_unref (AexContextToken *self)
{
  g_return_if_fail (self != NULL);

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  aex_value_release (&self->value, NULL);
  g_object_unref (self->var);
  g_free (self);
}
