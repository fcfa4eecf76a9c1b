/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The producer's side: setting the outcome. */
#include "pending/aex-pending-private.h"

#include "base/aex-error-private.h"
#include "pending/aex-error-payload-private.h"
#include "pending/aex-value-private.h"

/**
 * aex_pending_resolve:
 * @self: a pending
 * @value: (nullable): the value, copied; %NULL for none
 *
 * Sets the outcome: success with @value.
 *
 * A promise is done at once. For a job whose function still runs the outcome
 * is recorded, and the pending is done when the function has returned. The
 * first outcome wins; losing is no error.
 *
 * Returns: %TRUE if this became the outcome, %FALSE if there was one before
 *   or a running job was cancelled
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve (AexPending *self, const GValue *value)
{
  GType type;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  if (value == NULL || !G_IS_VALUE (value))
    return aex_pending_record (self, AEX_TAG_NONE, (AexWord) { 0 });
  type = G_VALUE_TYPE (value);
  if (type == G_TYPE_INT64)
    return aex_pending_resolve_int64 (self, g_value_get_int64 (value));
  if (type == G_TYPE_BOOLEAN)
    return aex_pending_resolve_boolean (self, g_value_get_boolean (value));
  if (type == G_TYPE_DOUBLE)
    return aex_pending_resolve_double (self, g_value_get_double (value));
  if (type == G_TYPE_STRING)
    return aex_pending_resolve_string (self, g_value_get_string (value));
  if (type == G_TYPE_VARIANT)
    return aex_pending_resolve_variant (self, g_value_get_variant (value));
  return aex_pending_record (self, AEX_TAG_VALUE, (AexWord) { .v_value = aex_value_dup (value) });
}

/**
 * aex_pending_resolve_boolean:
 * @self: a pending
 * @value: the value
 *
 * Sets the outcome, see [method@Pending.resolve].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_boolean (AexPending *self, gboolean value)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  return aex_pending_record (self, AEX_TAG_BOOLEAN, (AexWord) { .v_boolean = value });
}

/**
 * aex_pending_resolve_int64:
 * @self: a pending
 * @value: the value
 *
 * Sets the outcome, see [method@Pending.resolve].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_int64 (AexPending *self, gint64 value)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  return aex_pending_record (self, AEX_TAG_INT64, (AexWord) { .v_int64 = value });
}

/**
 * aex_pending_resolve_double:
 * @self: a pending
 * @value: the value
 *
 * Sets the outcome, see [method@Pending.resolve].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_double (AexPending *self, double value)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  return aex_pending_record (self, AEX_TAG_DOUBLE, (AexWord) { .v_double = value });
}

/**
 * aex_pending_resolve_string:
 * @self: a pending
 * @value: (nullable): the value, copied
 *
 * Sets the outcome, see [method@Pending.resolve].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_string (AexPending *self, const char *value)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  return aex_pending_record (self, AEX_TAG_STRING, (AexWord) { .v_string = g_strdup (value) });
}

/**
 * aex_pending_resolve_object:
 * @self: a pending
 * @object: (nullable) (type GObject.Object): the value; a reference is taken
 *
 * Sets the outcome, see [method@Pending.resolve]. A result that is itself a
 * pending is not followed: for that there is [method@Pending.follow].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_object (AexPending *self, gpointer object)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (object == NULL || G_IS_OBJECT (object), FALSE);

  return aex_pending_record (self, AEX_TAG_OBJECT, (AexWord) { .v_pointer = object != NULL ? g_object_ref (object) : NULL });
}

/**
 * aex_pending_resolve_boxed: (skip)
 * @self: a pending
 * @type: a boxed type
 * @boxed: (nullable): the value, copied
 *
 * Sets the outcome, see [method@Pending.resolve].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_boxed (AexPending *self, GType type, gconstpointer boxed)
{
  GValue value = G_VALUE_INIT;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (G_TYPE_IS_BOXED (type), FALSE);

  g_value_init (&value, type);
  g_value_set_static_boxed (&value, boxed);
  return aex_pending_record (self, AEX_TAG_VALUE, (AexWord) { .v_value = aex_value_dup (&value) });
}

/**
 * aex_pending_resolve_variant:
 * @self: a pending
 * @value: (nullable): the value; a floating reference is taken over
 *
 * Sets the outcome, see [method@Pending.resolve].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_variant (AexPending *self, GVariant *value)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  if (value == NULL)
    return aex_pending_record (self, AEX_TAG_NONE, (AexWord) { 0 });
  return aex_pending_record (self, AEX_TAG_VARIANT, (AexWord) { .v_pointer = g_variant_ref_sink (value) });
}

/**
 * aex_pending_resolve_pointer: (skip)
 * @self: a pending
 * @value: (nullable): the value
 * @destroy: (nullable): how to free @value, called on whatever thread lets go
 *   of the outcome; also called when %FALSE is returned
 *
 * Sets the outcome, see [method@Pending.resolve]. @value lives as long as
 * @self and everything derived from it.
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_resolve_pointer (AexPending *self, gpointer value, GDestroyNotify destroy)
{
  AexPointer *pointer;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  pointer = g_new (AexPointer, 1);
  pointer->pointer = value;
  pointer->destroy = destroy;
  return aex_pending_record (self, AEX_TAG_POINTER, (AexWord) { .v_pointer = pointer });
}

/**
 * aex_pending_reject:
 * @self: a pending
 * @error: (transfer full): the error, also consumed when %FALSE is returned
 *
 * Sets the outcome: failure with @error. See [method@Pending.resolve] for when
 * the pending is done. An error that nobody reads is reported when the pending
 * is finalised, see [signal@Executor::unhandled-error].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_reject (AexPending *self, GError *error)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (error != NULL, FALSE);

  return aex_pending_record (self, AEX_TAG_ERROR, (AexWord) { .v_error = error });
}

/**
 * aex_pending_reject_new: (skip)
 * @self: a pending
 * @domain: an error domain
 * @code: an error code
 * @format: printf() format of the message
 * @...: what @format asks for
 *
 * Sets the outcome: failure with a new error. See [method@Pending.reject].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_reject_new (AexPending *self, GQuark domain, int code, const char *format, ...)
{
  GError *error;
  va_list args;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  va_start (args, format);
  error = g_error_new_valist (domain, code, format, args);
  va_end (args);
  return aex_pending_reject (self, error);
}

/**
 * aex_pending_reject_with_payload:
 * @self: a pending
 * @error: the error, copied
 * @payload: (nullable): what belongs to the error, copied: the exception
 *   object of a language binding
 *
 * Sets the outcome: failure with @error and something beside it, which
 * travels with the error through everything derived from @self; with an
 * @error of this library it travels with every copy, see
 * [func@Error.new_exception].
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_pending_reject_with_payload (AexPending *self, const GError *error, const GValue *payload)
{
  AexFailure *failure;
  GError *copy;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (error != NULL, FALSE);

  if (payload == NULL || !G_IS_VALUE (payload))
    return aex_pending_reject (self, g_error_copy (error));
  if (error->domain == AEX_ERROR && aex_error_peek_payload (error) == NULL)
    {
      copy = g_error_copy (error);
      aex_error_attach_payload (copy, payload);
      return aex_pending_reject (self, copy);
    }
  failure = g_new0 (AexFailure, 1);
  failure->error = g_error_copy (error);
  g_value_init (&failure->payload, G_VALUE_TYPE (payload));
  g_value_copy (payload, &failure->payload);
  return aex_pending_record (self, AEX_TAG_FAILURE, (AexWord) { .v_pointer = failure });
}
