/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-pending-result-private.h"

#include "base/aex-debug-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-value-private.h"

/**
 * AexPendingResult:
 *
 * One result of several: which one it is, and its value or error. Immutable,
 * for any thread.
 *
 * Since: 1.0
 */
struct _AexPendingResult {
  GObject parent_instance;
  guint index;
  GValue value;          /* unset: none */
  GError *error;
  AexPending *pending;
  AexTarget *owner;
};

G_DEFINE_FINAL_TYPE (AexPendingResult, aex_pending_result, G_TYPE_OBJECT)

static void
aex_pending_result_finalize (GObject *object)
{
  AexPendingResult *self = AEX_PENDING_RESULT (object);

  aex_value_release (&self->value, self->owner);
  g_clear_error (&self->error);
  g_clear_object (&self->pending);
  g_clear_pointer (&self->owner, aex_target_unref);
  aex_live_add (AEX_LIVE_RESULT, -1);
  G_OBJECT_CLASS (aex_pending_result_parent_class)->finalize (object);
}

static void
aex_pending_result_class_init (AexPendingResultClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = aex_pending_result_finalize;
}

static void
aex_pending_result_init (AexPendingResult *self)
{
  (void) self;
  aex_live_add (AEX_LIVE_RESULT, 1);
}

AexPendingResult *
aex_pending_result_new (guint index, GValue *value, GError *error, AexPending *pending, AexTarget *owner)
{
  AexPendingResult *self = g_object_new (AEX_TYPE_PENDING_RESULT, NULL);

  self->index = index;
  if (value != NULL)
    self->value = *value;
  self->error = error;
  self->pending = pending != NULL ? g_object_ref (pending) : NULL;
  self->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  return self;
}

/**
 * aex_pending_result_get_index:
 * @self: a result
 *
 * Gets which item this is the result of, counted from 0.
 *
 * Returns: the index
 *
 * Since: 1.0
 */
guint
aex_pending_result_get_index (AexPendingResult *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_RESULT (self), 0);

  return self->index;
}

/**
 * aex_pending_result_get_success:
 * @self: a result
 *
 * Asks whether there is a value rather than an error.
 *
 * Returns: whether it succeeded
 *
 * Since: 1.0
 */
gboolean
aex_pending_result_get_success (AexPendingResult *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_RESULT (self), FALSE);

  return self->error == NULL;
}

/**
 * aex_pending_result_get_value: (skip)
 * @self: a result
 * @error: return location for an error
 *
 * Gets the value, which lives as long as @self.
 *
 * Returns: (transfer none) (nullable): the value; %NULL without error when
 *   there is no value, %NULL if @error is set
 *
 * Since: 1.0
 */
const GValue *
aex_pending_result_get_value (AexPendingResult *self, GError **error)
{
  g_return_val_if_fail (AEX_IS_PENDING_RESULT (self), NULL);

  if (self->error != NULL)
    g_propagate_error (error, g_error_copy (self->error));
  return self->error == NULL && G_IS_VALUE (&self->value) ? &self->value : NULL;
}

/**
 * aex_pending_result_dup_value:
 * @self: a result
 * @error: return location for an error
 *
 * Gets a copy of the value; "no value" is a #GValue of type %G_TYPE_POINTER
 * that holds %NULL.
 *
 * Returns: (transfer full): the value, %NULL if @error is set
 *
 * Since: 1.0
 */
GValue *
aex_pending_result_dup_value (AexPendingResult *self, GError **error)
{
  const GValue *value = aex_pending_result_get_value (self, error);

  return self->error == NULL ? aex_value_dup (value) : NULL;
}

/**
 * aex_pending_result_dup_error:
 * @self: a result
 *
 * Gets the error.
 *
 * Returns: (transfer full) (nullable): the error
 *
 * Since: 1.0
 */
GError *
aex_pending_result_dup_error (AexPendingResult *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_RESULT (self), NULL);

  return self->error != NULL ? g_error_copy (self->error) : NULL;
}

/**
 * aex_pending_result_get_pending:
 * @self: a result
 *
 * Gets the pending that this is the result of, where there is one.
 *
 * Returns: (transfer none) (nullable): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_result_get_pending (AexPendingResult *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_RESULT (self), NULL);

  return self->pending;
}

/**
 * aex_pending_dup_result:
 * @self: a pending
 *
 * Gets the outcome of @self as a result with index 0.
 *
 * Returns: (transfer full) (nullable): the result, %NULL when @self is not done
 *
 * Since: 1.0
 */
AexPendingResult *
aex_pending_dup_result (AexPending *self)
{
  GValue *value;
  GError *error = NULL;
  AexPendingResult *result;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (!AEX_IS_DONE (aex_pending_load (self)))
    return NULL;
  value = aex_pending_dup_value (self, &error);
  result = aex_pending_result_new (0, value, error, self, self->environment != NULL ? self->environment->delivery : NULL);
  g_free (value);
  return result;
}
