/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One operation: what it takes, checked before it is called. */
#include "executor/aex-operation-private.h"

#include "aex-error.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-environment-private.h"
#include "pending/aex-value-private.h"

static const GVariantType *
intern_type (const GVariantType *type)
{
  g_autofree char *text = g_variant_type_dup_string (type);

  return G_VARIANT_TYPE (g_intern_string (text));
}

AexOperation *
aex_operation_new (const char *name, const GVariantType *parameter_type, const GVariantType *result_type, GVariant *keys, AexOperationFunc func, gpointer data, GDestroyNotify destroy)
{
  AexOperation *self = g_new0 (AexOperation, 1);
  AexTarget *owner = destroy != NULL ? aex_delivery_target (aex_thread_get (), NULL) : NULL;

  atomic_init (&self->refs, 1);
  self->name = g_intern_string (name);
  self->parameter_type = intern_type (parameter_type);
  self->result_type = intern_type (result_type);
  self->keys = keys != NULL ? g_variant_ref (keys) : NULL;
  self->func = func;
  self->data = data;
  self->destroy = destroy;
  self->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  return self;
}

AexOperation *
aex_operation_ref (AexOperation *self)
{
  atomic_fetch_add (&self->refs, 1);
  return self;
}

/* No lock held: it may run what a user gave. */
void
aex_operation_unref (gpointer operation)
{
  AexOperation *self = operation;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  aex_destroy_at (self->owner, self->destroy, self->data);
  g_clear_pointer (&self->owner, aex_target_unref);
  g_clear_pointer (&self->keys, g_variant_unref);
  g_free (self);
}

/* ---- keys */

static char *
dup_key_list (AexOperation *self)
{
  GString *list = g_string_new (NULL);
  const char *key, *type;
  gboolean required;
  GVariantIter iter;

  g_variant_iter_init (&iter, self->keys);
  while (g_variant_iter_next (&iter, "{&s(&gb)}", &key, &type, &required))
    g_string_append_printf (list, "%s%s (%s)", list->len > 0 ? ", " : "", key, type);
  return g_string_free (list, FALSE);
}

static gboolean
unknown_key (AexOperation *self, const char *key, GError **error)
{
  g_autofree char *list = dup_key_list (self);

  g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
               _("The operation “%s” has no parameter “%s”; those it has: %s"), self->name, key, list);
  return FALSE;
}

static gboolean
check_given (AexOperation *self, const char *key, GVariant *value, GError **error)
{
  const char *type;
  gboolean required;

  if (!g_variant_lookup (self->keys, key, "(&gb)", &type, &required))
    return unknown_key (self, key, error);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE (type)))
    return TRUE;
  g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
               _("The parameter “%s” of the operation “%s” must be of type %s, not %s"),
               key, self->name, type, g_variant_get_type_string (value));
  return FALSE;
}

static gboolean
check_keys (AexOperation *self, GVariant *parameters, GError **error)
{
  const char *key, *type;
  gboolean required, ok = TRUE;
  GVariantIter iter;
  GVariant *value;

  g_variant_iter_init (&iter, parameters);
  while (ok && g_variant_iter_next (&iter, "{&sv}", &key, &value))
    {
      ok = check_given (self, key, value, error);
      g_variant_unref (value);
    }
  g_variant_iter_init (&iter, self->keys);
  while (ok && g_variant_iter_next (&iter, "{&s(&gb)}", &key, &type, &required))
    {
      g_autoptr (GVariant) given = required ? g_variant_lookup_value (parameters, key, NULL) : NULL;

      if (!required || given != NULL)
        continue;
      g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                   _("The operation “%s” needs the parameter “%s” of type %s"), self->name, key, type);
      ok = FALSE;
    }
  return ok;
}

/* ---- parameters */

static GVariant *
dup_no_parameters (AexOperation *self)
{
  if (g_variant_type_equal (self->parameter_type, G_VARIANT_TYPE_VARDICT))
    return g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  return g_variant_ref_sink (g_variant_new_tuple (NULL, 0));
}

GVariant *
aex_operation_ref_parameters (AexOperation *self, GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) taken = parameters != NULL ? g_variant_ref (parameters) : dup_no_parameters (self);

  if (!g_variant_is_of_type (taken, self->parameter_type))
    {
      g_autofree char *expected = g_variant_type_dup_string (self->parameter_type);

      g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                   _("The operation “%s” takes parameters of type %s, not %s"),
                   self->name, expected, g_variant_get_type_string (taken));
      return NULL;
    }
  if (self->keys != NULL && !check_keys (self, taken, error))
    return NULL;
  return g_steal_pointer (&taken);
}
