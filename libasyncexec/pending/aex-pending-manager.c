/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-pending-manager.h"

#include "aex-error.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-tracker-private.h"

/**
 * AexPendingManager:
 *
 * A tracker that only looks on: whatever happens to the pendings that it knows,
 * it cancels none and reports nothing.
 *
 * It is active from [method@PendingManager.push] to
 * [method@PendingManager.pop], and in the work that was given away there, which
 * goes on. The newest one hides those of its own class; derive a class to be
 * independent of others.
 *
 * Since: 1.0
 */
G_DEFINE_TYPE (AexPendingManager, aex_pending_manager, AEX_TYPE_PENDING_TRACKER)

static void
aex_pending_manager_class_init (AexPendingManagerClass *klass)
{
  (void) klass;
}

static void
aex_pending_manager_init (AexPendingManager *self)
{
  (void) self;
}

/**
 * aex_pending_manager_new:
 *
 * Makes a manager, which is not active yet.
 *
 * Returns: (transfer full): a new manager
 *
 * Since: 1.0
 */
AexPendingManager *
aex_pending_manager_new (void)
{
  return g_object_new (AEX_TYPE_PENDING_MANAGER, NULL);
}

/**
 * aex_pending_manager_push:
 * @self: a manager
 *
 * Makes it the active one of its class, here and in what is given away here,
 * until the running job or callback ends or [method@PendingManager.pop] is
 * called.
 *
 * Returns: (transfer full): what [method@PendingManager.pop] needs
 *
 * Since: 1.0
 */
AexContextToken *
aex_pending_manager_push (AexPendingManager *self)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_return_val_if_fail (AEX_IS_PENDING_MANAGER (self), NULL);

  aex_tracker_value (&value, aex_pending_tracker_get_core (AEX_PENDING_TRACKER (self)));
  return aex_context_var_set (aex_tracker_var (G_OBJECT_TYPE (self)), &value);
}

/**
 * aex_pending_manager_pop:
 * @self: a manager
 * @token: what [method@PendingManager.push] returned
 * @error: return location for an error
 *
 * Makes that one active again which was before. A token works once, and only
 * with managers of the class that it came from: else the error is
 * %AEX_ERROR_MISMATCH.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_manager_pop (AexPendingManager *self, AexContextToken *token, GError **error)
{
  g_return_val_if_fail (AEX_IS_PENDING_MANAGER (self), FALSE);
  g_return_val_if_fail (token != NULL, FALSE);

  return aex_context_var_reset (aex_tracker_var (G_OBJECT_TYPE (self)), token, error);
}

/**
 * aex_pending_manager_remove:
 * @self: a manager
 * @pending: a pending
 * @error: return location for an error
 *
 * Forgets a pending. The error is %AEX_ERROR_NOT_FOUND when it does not know it,
 * or not any more.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_manager_remove (AexPendingManager *self, AexPending *pending, GError **error)
{
  g_return_val_if_fail (AEX_IS_PENDING_MANAGER (self), FALSE);
  g_return_val_if_fail (AEX_IS_PENDING (pending), FALSE);

  if (aex_tracker_core_remove (aex_pending_tracker_get_core (AEX_PENDING_TRACKER (self)), pending))
    return TRUE;
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NOT_FOUND,
                       _("The manager does not know this pending: it was never added, or is done"));
  return FALSE;
}
