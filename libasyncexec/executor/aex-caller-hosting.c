/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A caller in a loop that is not GLib's. */
#include "base/aex-fork-private.h"
#include "executor/aex-caller-core-private.h"

typedef struct {
  AexCaller *caller;
  AexWakeFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexCallerWaker;

static void
caller_waker_call (AexHome *home, gpointer data)
{
  AexCallerWaker *waker = data;

  (void) home;
  waker->func (waker->caller, waker->data);
}

static void
caller_waker_free (gpointer data)
{
  AexCallerWaker *waker = data;

  if (waker->destroy != NULL)
    waker->destroy (waker->data);
  g_object_unref (waker->caller);
  g_free (waker);
}

/**
 * aex_caller_set_wake_func:
 * @self: a caller
 * @func: (scope notified) (closure user_data) (destroy destroy) (nullable): called when there is work, %NULL for none
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Lets a foreign loop host @self: @func is called, on the thread that posts
 * work and with no lock held, when @self gets work and nobody has been told
 * since [method@Caller.dispatch] last ran out of it. Keeps @self alive until
 * it is replaced. @destroy is called on whatever thread lets go of it last.
 *
 * Since: 1.0
 */
void
aex_caller_set_wake_func (AexCaller *self, AexWakeFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexCallerWaker *waker;

  g_return_if_fail (AEX_IS_CALLER (self));

  if (func == NULL)
    {
      aex_home_set_waker (aex_caller_get_caller_core (self)->home, NULL, NULL, NULL);
      return;
    }
  waker = g_new0 (AexCallerWaker, 1);
  waker->caller = g_object_ref (self);
  waker->func = func;
  waker->data = user_data;
  waker->destroy = destroy;
  aex_home_set_waker (aex_caller_get_caller_core (self)->home, caller_waker_call, waker, caller_waker_free);
}

/**
 * aex_caller_dispatch:
 * @self: a caller
 * @budget_us: for how many microseconds at most, -1 for as long as there is work
 *
 * Runs what is ready in @self, for a foreign loop that hosts it: on the thread
 * that owns the context. Other sources of the context are not looked at.
 *
 * Returns: %TRUE when more is ready: call again soon
 *
 * Since: 1.0
 */
gboolean
aex_caller_dispatch (AexCaller *self, gint64 budget_us)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), FALSE);

  return !aex_is_forked () && aex_home_dispatch (aex_caller_get_caller_core (self)->home, budget_us);
}

/**
 * aex_caller_get_ready_time:
 * @self: a caller
 *
 * Gets when [method@Caller.dispatch] has something to do next, unless the wake
 * function says otherwise before. Call it on the thread that owns the context,
 * as that one.
 *
 * Returns: monotonic microseconds, in the past when work is ready; -1 for never
 *
 * Since: 1.0
 */
gint64
aex_caller_get_ready_time (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), -1);

  return aex_home_get_ready_time (aex_caller_get_caller_core (self)->home);
}
