/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The consumer's side: reading the outcome. */
#include "pending/aex-pending-private.h"

#include "base/aex-i18n-private.h"
#include "pending/aex-value-private.h"

static void
value_from_word (GValue *value, AexPending *root)
{
  switch ((AexTag) root->tag)
    {
    case AEX_TAG_BOOLEAN:
      g_value_init (value, G_TYPE_BOOLEAN);
      g_value_set_boolean (value, root->value.v_boolean);
      break;
    case AEX_TAG_INT64:
      g_value_init (value, G_TYPE_INT64);
      g_value_set_int64 (value, root->value.v_int64);
      break;
    case AEX_TAG_DOUBLE:
      g_value_init (value, G_TYPE_DOUBLE);
      g_value_set_double (value, root->value.v_double);
      break;
    case AEX_TAG_STRING:
      g_value_init (value, G_TYPE_STRING);
      g_value_set_string (value, root->value.v_string);
      break;
    case AEX_TAG_OBJECT:
      g_value_init (value, root->value.v_pointer != NULL ? G_OBJECT_TYPE (root->value.v_pointer) : G_TYPE_OBJECT);
      g_value_set_object (value, root->value.v_pointer);
      break;
    case AEX_TAG_VARIANT:
      g_value_init (value, G_TYPE_VARIANT);
      g_value_set_variant (value, root->value.v_pointer);
      break;
    case AEX_TAG_VALUE:
      g_value_init (value, G_VALUE_TYPE (root->value.v_value));
      g_value_copy (root->value.v_value, value);
      break;
    case AEX_TAG_POINTER:
      g_value_init (value, G_TYPE_POINTER);
      g_value_set_pointer (value, ((AexPointer *) root->value.v_pointer)->pointer);
      break;
    case AEX_TAG_NONE:
    case AEX_TAG_ERROR:
    case AEX_TAG_FAILURE:
    case AEX_TAG_FOLLOW:
    case AEX_TAG_FORWARD:
    default:
      g_value_init (value, G_TYPE_POINTER);
      break;
    }
}

/**
 * aex_pending_dup_value:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets a copy of the value. "No value" is a #GValue of type %G_TYPE_POINTER
 * that holds %NULL. Never waits: when @self is not done, the error is
 * %AEX_ERROR_NOT_DONE; that of a cancelled pending is there even before it is
 * done.
 *
 * Returns: (transfer full): the value, %NULL if @error is set
 *
 * Since: 1.0
 */
GValue *
aex_pending_dup_value (AexPending *self, GError **error)
{
  AexPending *root;
  GValue *value;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error))
    return NULL;
  value = g_new0 (GValue, 1);
  value_from_word (value, root);
  return value;
}

/**
 * aex_pending_get_value: (skip)
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, which lives as long as @self. See
 * [method@Pending.dup_value].
 *
 * Returns: (transfer none) (nullable): the value; %NULL without error when
 *   there is no value, %NULL if @error is set
 *
 * Since: 1.0
 */
const GValue *
aex_pending_get_value (AexPending *self, GError **error)
{
  AexPending *root;
  AexPendingExtra *extra;
  GValue *made, *value;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error) || root->tag == AEX_TAG_NONE)
    return NULL;
  if (root->tag == AEX_TAG_VALUE)
    return root->value.v_value;
  extra = aex_pending_ensure_extra (self);
  made = g_new0 (GValue, 1);
  value_from_word (made, root);
  aex_pending_lock (self);
  if (extra->cached_value == NULL)
    extra->cached_value = g_steal_pointer (&made);
  value = extra->cached_value;
  aex_pending_unlock (self);
  if (made != NULL)
    aex_value_free (made);
  return value;
}

static gboolean
mismatch (AexPending *root, GType wanted, GError **error)
{
  g_autofree GValue *value = g_new0 (GValue, 1);

  value_from_word (value, root);
  g_set_error (error, AEX_ERROR, AEX_ERROR_MISMATCH,
               _("The value is of type %s, not %s: read it with the function for its type, or with aex_pending_dup_value()"),
               root->tag == AEX_TAG_NONE ? _("none") : G_VALUE_TYPE_NAME (value), g_type_name (wanted));
  g_value_unset (value);
  return FALSE;
}

/* A value whose type has no tag of its own may still be turned into the one asked for: a gint into an int64. */
static gboolean
transform (AexPending *root, GValue *value, GError **error)
{
  if (root->tag == AEX_TAG_VALUE && g_value_transform (root->value.v_value, value))
    return TRUE;
  return mismatch (root, G_VALUE_TYPE (value), error);
}

/**
 * aex_pending_get_boolean:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, see [method@Pending.dup_value]. A value of another type is
 * the error %AEX_ERROR_MISMATCH.
 *
 * Returns: the value; %FALSE also if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_get_boolean (AexPending *self, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  if (!aex_pending_peek_resolved (self, &root, error))
    return FALSE;
  if (root->tag == AEX_TAG_BOOLEAN)
    return root->value.v_boolean;
  g_value_init (&value, G_TYPE_BOOLEAN);
  return transform (root, &value, error) && g_value_get_boolean (&value);
}

/**
 * aex_pending_get_int64:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, see [method@Pending.dup_value]. A value of another type is
 * the error %AEX_ERROR_MISMATCH; other integers are turned into this one.
 *
 * Returns: the value; 0 also if @error is set
 *
 * Since: 1.0
 */
gint64
aex_pending_get_int64 (AexPending *self, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), 0);

  if (!aex_pending_peek_resolved (self, &root, error))
    return 0;
  if (root->tag == AEX_TAG_INT64)
    return root->value.v_int64;
  g_value_init (&value, G_TYPE_INT64);
  return transform (root, &value, error) ? g_value_get_int64 (&value) : 0;
}

/**
 * aex_pending_get_double:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, see [method@Pending.dup_value]. A value of another type is
 * the error %AEX_ERROR_MISMATCH.
 *
 * Returns: the value; 0 also if @error is set
 *
 * Since: 1.0
 */
double
aex_pending_get_double (AexPending *self, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), 0);

  if (!aex_pending_peek_resolved (self, &root, error))
    return 0;
  if (root->tag == AEX_TAG_DOUBLE)
    return root->value.v_double;
  g_value_init (&value, G_TYPE_DOUBLE);
  return transform (root, &value, error) ? g_value_get_double (&value) : 0;
}

/**
 * aex_pending_dup_string:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets a copy of the value, see [method@Pending.dup_value]. A value of another
 * type is the error %AEX_ERROR_MISMATCH.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without error when
 *   there is no value
 *
 * Since: 1.0
 */
char *
aex_pending_dup_string (AexPending *self, GError **error)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error) || root->tag == AEX_TAG_NONE)
    return NULL;
  if (root->tag == AEX_TAG_STRING)
    return g_strdup (root->value.v_string);
  mismatch (root, G_TYPE_STRING, error);
  return NULL;
}

/**
 * aex_pending_dup_object:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, see [method@Pending.dup_value]. A value of another type is
 * the error %AEX_ERROR_MISMATCH.
 *
 * Returns: (transfer full) (nullable) (type GObject.Object): the object; %NULL
 *   without error when there is no value
 *
 * Since: 1.0
 */
gpointer
aex_pending_dup_object (AexPending *self, GError **error)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error) || root->tag == AEX_TAG_NONE)
    return NULL;
  if (root->tag == AEX_TAG_OBJECT)
    return root->value.v_pointer != NULL ? g_object_ref (root->value.v_pointer) : NULL;
  if (root->tag == AEX_TAG_VALUE && G_VALUE_HOLDS_OBJECT (root->value.v_value))
    return g_value_dup_object (root->value.v_value);
  mismatch (root, G_TYPE_OBJECT, error);
  return NULL;
}

/**
 * aex_pending_dup_boxed: (skip)
 * @self: a pending
 * @type: the boxed type
 * @error: return location for an error
 *
 * Gets a copy of the value, see [method@Pending.dup_value]. A value of another
 * type is the error %AEX_ERROR_MISMATCH.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without error when
 *   there is no value
 *
 * Since: 1.0
 */
gpointer
aex_pending_dup_boxed (AexPending *self, GType type, GError **error)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error) || root->tag == AEX_TAG_NONE)
    return NULL;
  if (root->tag == AEX_TAG_VALUE && G_VALUE_HOLDS (root->value.v_value, type))
    return g_value_dup_boxed (root->value.v_value);
  mismatch (root, type, error);
  return NULL;
}

/**
 * aex_pending_dup_variant:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, see [method@Pending.dup_value]. A value of another type is
 * the error %AEX_ERROR_MISMATCH.
 *
 * Returns: (transfer full) (nullable): the value; %NULL without error when
 *   there is no value
 *
 * Since: 1.0
 */
GVariant *
aex_pending_dup_variant (AexPending *self, GError **error)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error) || root->tag == AEX_TAG_NONE)
    return NULL;
  if (root->tag == AEX_TAG_VARIANT)
    return g_variant_ref (root->value.v_pointer);
  mismatch (root, G_TYPE_VARIANT, error);
  return NULL;
}

/**
 * aex_pending_get_pointer: (skip)
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value set by [method@Pending.resolve_pointer], which lives as long
 * as @self. A value of another type is the error %AEX_ERROR_MISMATCH.
 *
 * Returns: (transfer none) (nullable): the value; %NULL without error when
 *   there is no value
 *
 * Since: 1.0
 */
gpointer
aex_pending_get_pointer (AexPending *self, GError **error)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!aex_pending_peek_resolved (self, &root, error) || root->tag == AEX_TAG_NONE)
    return NULL;
  if (root->tag == AEX_TAG_POINTER)
    return ((AexPointer *) root->value.v_pointer)->pointer;
  if (root->tag == AEX_TAG_VALUE && G_VALUE_HOLDS_POINTER (root->value.v_value))
    return g_value_get_pointer (root->value.v_value);
  mismatch (root, G_TYPE_POINTER, error);
  return NULL;
}

/**
 * aex_pending_dup_error:
 * @self: a pending
 *
 * Gets the error of a rejected pending, or the cancellation of a cancelled one,
 * which may still run. Reading it makes the error observed.
 *
 * Returns: (transfer full) (nullable): the error, %NULL when there is none
 *   (yet)
 *
 * Since: 1.0
 */
GError *
aex_pending_dup_error (AexPending *self)
{
  GError *error;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  error = aex_pending_make_error (self);
  if (error != NULL)
    aex_pending_note_observed (self);
  return error;
}

/**
 * aex_pending_dup_payload:
 * @self: a pending
 *
 * Gets what was given to [method@Pending.reject_with_payload], here or in a
 * pending that @self was derived from, or what the error carries
 * ([func@Error.dup_payload]).
 *
 * Returns: (transfer full) (nullable): the payload
 *
 * Since: 1.0
 */
GValue *
aex_pending_dup_payload (AexPending *self)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (AEX_PHASE (aex_pending_load (self)) != AEX_PHASE_REJECTED)
    return NULL;
  aex_pending_note_observed (self);
  root = aex_pending_get_root (self);
  if (root->tag == AEX_TAG_ERROR)
    return aex_error_dup_payload (root->value.v_error);
  if (root->tag != AEX_TAG_FAILURE)
    return NULL;
  return aex_value_dup (&((AexFailure *) root->value.v_pointer)->payload);
}
