/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Deadlines of pendings, and the checkpoint for loops. */
#include "pending/aex-pending-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-scope-private.h"

/* Nothing would tell self when its time is over: it ends as if it were, with error, and so does the function that runs. */
void
aex_pending_fail_untimed (AexPending *self, GError *error)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);

  /* There is no cancelling after a fork. */
  if (aex_is_forked ())
    {
      aex_pending_reject (self, error);
      return;
    }
  aex_pending_lock (self);
  if (extra->untimed == NULL)
    extra->untimed = g_steal_pointer (&error);
  aex_pending_unlock (self);
  g_clear_error (&error);
  aex_pending_cancel_as (self, AEX_CANCEL_TIMEOUT, NULL);
}

/* Calls func (self) on the service thread unless self is done before. */
void
aex_pending_arm (AexPending *self, gint64 timeout_us, AexAlarmFunc func)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  GError *error = NULL;
  AexAlarm *alarm;

  alarm = aex_alarm_new (aex_clock_deadline (timeout_us), func, g_object_ref (self), g_object_unref, &error);
  if (alarm == NULL)
    {
      g_object_unref (self);
      aex_pending_fail_untimed (self, error);
      return;
    }
  aex_pending_lock (self);
  if (!AEX_IS_DONE (aex_pending_load (self)))
    extra->timeout = g_steal_pointer (&alarm);
  aex_pending_unlock (self);
  g_clear_pointer (&alarm, aex_alarm_cancel);
}

static void
sleep_over (gpointer data)
{
  aex_pending_record (data, AEX_TAG_NONE, (AexWord) { 0 });
}

/**
 * aex_pending_sleep:
 * @timeout_us: microseconds
 *
 * Makes a pending that resolves, with no value, after the given time. It needs
 * no main loop. Cancelling it ends it at once.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_sleep (gint64 timeout_us)
{
  AexPending *self = aex_pending_new_promise (0);

  if (timeout_us == 0)
    aex_pending_resolve (self, NULL);
  else if (timeout_us > 0)
    aex_pending_arm (self, timeout_us, sleep_over);
  return self;
}

/**
 * aex_sleep_async: (skip)
 * @timeout_us: microseconds
 * @cancellable: (nullable): ends the sleep early
 * @callback: called when the sleep is over
 * @user_data: data for @callback
 *
 * The form of [func@Pending.sleep] that Vala can `yield`. The callback comes in
 * the thread-default context of the caller, as with every function of GIO; its
 * source object is not of interest. Cancelling ends the sleep at once.
 *
 * Since: 1.0
 */
void
aex_sleep_async (gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (AexPending) sleep = aex_pending_sleep (timeout_us);

  aex_pending_wait_async (sleep, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, cancellable, callback, user_data);
}

/**
 * aex_sleep_finish: (skip)
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends what aex_sleep_async() began.
 *
 * Returns: %TRUE, or %FALSE with %G_IO_ERROR_CANCELLED
 *
 * Since: 1.0
 */
gboolean
aex_sleep_finish (GAsyncResult *result, GError **error)
{
  g_autoptr (GObject) sleep = NULL;

  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), FALSE);

  sleep = g_async_result_get_source_object (result);
  return aex_pending_wait_finish (AEX_PENDING (sleep), result, error);
}

/**
 * aex_check_cancelled:
 * @error: return location for an error
 *
 * The checkpoint for long work: asks whether the running job, or the
 * [struct@Scope] in which this is called, was cancelled or its time is over. It
 * costs one atomic read when not, and where no scope was entered.
 *
 * Returns: %TRUE to go on, %FALSE if @error is set, to be returned by the job
 *
 * Since: 1.0
 */
gboolean
aex_check_cancelled (GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexFrame *frame = thread->frame;
  AexObserved observed = aex_scope_observe (thread);

  aex_checkpoint ();
  if (observed.scope != NULL && !aex_scope_check (observed.scope, error))
    return FALSE;
  if (frame == NULL || observed.shielded)
    return TRUE;
  if (frame->job == NULL)
    return !g_cancellable_set_error_if_cancelled (frame->cancellable, error);
  if (G_LIKELY (!(aex_pending_load (frame->job) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT))))
    return TRUE;
  if (error != NULL)
    *error = aex_pending_make_error (frame->job);
  return FALSE;
}
