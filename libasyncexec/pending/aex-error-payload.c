/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a language binding threw, on its way through C. */
#include "aex-error.h"

#include "base/aex-error-private.h"
#include "pending/aex-environment-private.h"
#include "pending/aex-error-payload-private.h"
#include "pending/aex-value-private.h"

typedef struct {
  AexPayload head;
  GValue value;
  AexTarget *owner;
} AexErrorPayload;

static void
error_payload_clear (gpointer data)
{
  AexErrorPayload *self = data;

  aex_value_release (&self->value, self->owner);
  g_clear_pointer (&self->owner, aex_target_unref);
}

void
aex_error_attach_payload (GError *error, const GValue *payload)
{
  AexErrorPayload *self = g_atomic_rc_box_new0 (AexErrorPayload);
  AexTarget *owner = aex_delivery_target (aex_thread_get (), NULL);

  self->head.clear = error_payload_clear;
  self->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  g_value_init (&self->value, G_VALUE_TYPE (payload));
  g_value_copy (payload, &self->value);
  aex_error_take_payload (error, &self->head);
}

const GValue *
aex_error_get_payload (const GError *error)
{
  AexErrorPayload *self = (AexErrorPayload *) aex_error_peek_payload (error);

  return self != NULL ? &self->value : NULL;
}

/**
 * aex_error_new_exception:
 * @message: what went wrong, for people
 * @payload: (nullable): what was thrown, copied
 *
 * Makes an error of the exception of a language binding: an
 * %AEX_ERROR_EXCEPTION with the exception itself beside it, which travels with
 * every copy of the error, also into an %AEX_ERROR_GROUP. @payload is released
 * on the delivery target of this thread, wherever the last copy is freed.
 *
 * Returns: (transfer full): a new error
 *
 * Since: 1.0
 */
GError *
aex_error_new_exception (const char *message, const GValue *payload)
{
  GError *error;

  g_return_val_if_fail (message != NULL, NULL);

  error = g_error_new_literal (AEX_ERROR, AEX_ERROR_EXCEPTION, message);
  if (payload != NULL && G_IS_VALUE (payload))
    aex_error_attach_payload (error, payload);
  return error;
}

/**
 * aex_error_dup_payload:
 * @error: any error
 *
 * Gets what was given to [func@Error.new_exception] or to
 * [method@Pending.reject_with_payload] with an error of this library. Any
 * thread.
 *
 * Returns: (transfer full) (nullable): the payload, %NULL when there is none
 *
 * Since: 1.0
 */
GValue *
aex_error_dup_payload (const GError *error)
{
  const GValue *payload;

  g_return_val_if_fail (error != NULL, NULL);

  payload = aex_error_get_payload (error);
  return payload != NULL ? aex_value_dup (payload) : NULL;
}
