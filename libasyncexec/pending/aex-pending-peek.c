/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The values of dup functions without a copy.  PyGObject never frees a GValue that it is given: with a copy, every result
 * that Python reads would live for ever. */
#include "pending/aex-error-payload-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-pending-result.h"

static const GValue *
value_or_nothing (const GValue *value)
{
  static GValue nothing = G_VALUE_INIT;
  static gsize made = 0;

  if (value != NULL && G_IS_VALUE (value))
    return value;
  if (g_once_init_enter (&made))
    {
      g_value_init (&nothing, G_TYPE_POINTER);
      g_once_init_leave (&made, 1);
    }
  return &nothing;
}

/**
 * aex_pending_peek_value:
 * @self: a pending
 * @error: return location for an error
 *
 * Gets the value, which lives as long as @self; otherwise like
 * [method@Pending.dup_value]. For bindings. Any thread.
 *
 * Returns: (transfer none): the value, %NULL if @error is set
 *
 * Since: 1.0
 */
const GValue *
aex_pending_peek_value (AexPending *self, GError **error)
{
  g_autoptr (GError) failure = NULL;
  const GValue *value;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  value = aex_pending_get_value (self, &failure);
  if (failure == NULL)
    return value_or_nothing (value);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

/**
 * aex_pending_peek_payload:
 * @self: a pending
 *
 * Gets what [method@Pending.dup_payload] copies; it lives as long as @self.
 * For bindings. Any thread.
 *
 * Returns: (transfer none): the payload; a #GValue of type %G_TYPE_POINTER that
 *   holds %NULL when there is none
 *
 * Since: 1.0
 */
const GValue *
aex_pending_peek_payload (AexPending *self)
{
  AexPending *root;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (AEX_PHASE (aex_pending_load (self)) != AEX_PHASE_REJECTED)
    return value_or_nothing (NULL);
  aex_pending_note_observed (self);
  root = aex_pending_get_root (self);
  if (root->tag == AEX_TAG_ERROR)
    return value_or_nothing (aex_error_get_payload (root->value.v_error));
  if (root->tag != AEX_TAG_FAILURE)
    return value_or_nothing (NULL);
  return value_or_nothing (&((AexFailure *) root->value.v_pointer)->payload);
}

/**
 * aex_pending_result_peek_value:
 * @self: a result
 * @error: return location for an error
 *
 * Gets the value, which lives as long as @self; otherwise like
 * [method@PendingResult.dup_value]. For bindings. Any thread.
 *
 * Returns: (transfer none): the value, %NULL if @error is set
 *
 * Since: 1.0
 */
const GValue *
aex_pending_result_peek_value (AexPendingResult *self, GError **error)
{
  g_return_val_if_fail (AEX_IS_PENDING_RESULT (self), NULL);

  if (!aex_pending_result_get_success (self))
    {
      (void) aex_pending_result_get_value (self, error);
      return NULL;
    }
  return value_or_nothing (aex_pending_result_get_value (self, NULL));
}
