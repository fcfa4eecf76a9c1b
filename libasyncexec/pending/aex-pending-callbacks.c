/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Done callbacks. */
#include "pending/aex-pending-private.h"

/* A failed attempt releases the closure where it would have gone, or here. */
static gulong
attach (AexPending *self, AexWaiter *waiter)
{
  gulong id = waiter->id;

  aex_pending_attach (self, waiter);
  return id;
}

static gulong
add_callback (AexPending *self, gboolean weak, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexWaiter *waiter = aex_waiter_new (AEX_WAITER_CALLBACK, func, user_data, destroy);

  waiter->weak = weak;
  if (!aex_waiter_set_target (waiter, NULL))
    {
      aex_waiter_release (waiter);
      return 0;
    }
  return attach (self, waiter);
}

/* Like aex_pending_add_done_callback(), but nobody depends on self for it: a cancellation that is only implied reaches it. */
gulong
aex_pending_watch (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy)
{
  return add_callback (self, TRUE, func, user_data, destroy);
}

/**
 * aex_pending_add_done_callback:
 * @self: a pending
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Calls @func once when @self is done, or soon if it is done already; in the
 * order in which callbacks were added.
 *
 * @func is called, and @user_data freed, in a dispatch of the main context
 * that is current for this thread now; inside a job of a pool, in a job of
 * the same pool. Never inside this call, nor inside the one that completes
 * @self. When @func will never be called, because it was removed or @self was
 * dropped, @user_data is still freed there.
 *
 * Returns: an identifier for [method@Pending.remove_done_callback], 0 if the
 *   process is out of file descriptors or was forked
 *
 * Since: 1.0
 */
gulong
aex_pending_add_done_callback (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  return add_callback (self, FALSE, func, user_data, destroy);
}

/**
 * aex_pending_add_done_callback_inline:
 * @self: a pending
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on whatever thread lets
 *   go of it
 *
 * Calls @func when @self is done, on the thread that completes it, or at once
 * if it is done already. @func must be short, must not block, and must be
 * ready for any thread, which a function in JavaScript is not. For bridges to
 * other event loops.
 *
 * Returns: an identifier for [method@Pending.remove_done_callback]
 *
 * Since: 1.0
 */
gulong
aex_pending_add_done_callback_inline (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  return attach (self, aex_waiter_new (AEX_WAITER_INLINE, func, user_data, destroy));
}

/**
 * aex_pending_add_done_callback_object:
 * @self: a pending
 * @target: an object that @func works on; not kept alive by the wait
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Like [method@Pending.add_done_callback], but when @target is disposed first,
 * the callback is dropped, uncalled. @target is kept alive while @func runs.
 *
 * Returns: an identifier for [method@Pending.remove_done_callback], 0 if
 *   @target is disposed already
 *
 * Since: 1.0
 */
gulong
aex_pending_add_done_callback_object (AexPending *self, GObject *target, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexWaiter *waiter;

  g_return_val_if_fail (AEX_IS_PENDING (self), 0);
  g_return_val_if_fail (G_IS_OBJECT (target), 0);
  g_return_val_if_fail (func != NULL, 0);

  waiter = aex_waiter_new (AEX_WAITER_CALLBACK, func, user_data, destroy);
  if (aex_waiter_set_target (waiter, NULL))
    waiter->drop = aex_drop_new (target, self, waiter->id);
  if (waiter->drop == NULL)
    {
      aex_waiter_release (waiter);
      return 0;
    }
  return attach (self, waiter);
}

/**
 * aex_pending_remove_done_callback:
 * @self: a pending
 * @id: what adding the callback returned
 *
 * Removes a callback. Its data is freed in a dispatch of its context.
 *
 * Returns: %TRUE if it will not be called, %FALSE if there is no such callback
 *   or @self is done and it was, or is going to be, called
 *
 * Since: 1.0
 */
gboolean
aex_pending_remove_done_callback (AexPending *self, gulong id)
{
  AexWaiter *waiter;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  if (id == 0)
    return FALSE;
  waiter = aex_pending_detach_id (self, id);
  if (waiter == NULL)
    return FALSE;
  aex_waiter_release (waiter);
  return TRUE;
}
