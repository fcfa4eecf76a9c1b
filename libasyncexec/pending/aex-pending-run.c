/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting without blocking: by running the main context, or by a GAsyncReadyCallback. */
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-pending-wait-private.h"
#include "pending/aex-scope-private.h"

/* Shared by everything that may end such a wait. */
typedef struct {
  atomic_int refs;
  GMainContext *context;
  atomic_int timed_out;
} AexWakeUp;

static AexWakeUp *
wake_up_ref (AexWakeUp *self)
{
  atomic_fetch_add (&self->refs, 1);
  return self;
}

static void
wake_up_unref (gpointer data)
{
  AexWakeUp *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_main_context_unref (self->context);
  g_free (self);
}

static void
wake_up_closure_free (gpointer data, GClosure *closure)
{
  (void) closure;
  wake_up_unref (data);
}

static void
wake_up_done (AexPending *pending, gpointer data)
{
  (void) pending;
  g_main_context_wakeup (((AexWakeUp *) data)->context);
}

static void
wake_up_cancelled (GCancellable *cancellable, gpointer data)
{
  (void) cancellable;
  g_main_context_wakeup (((AexWakeUp *) data)->context);
}

static void
wake_up_timed_out (gpointer data)
{
  AexWakeUp *self = data;

  atomic_store (&self->timed_out, TRUE);
  g_main_context_wakeup (self->context);
}

static void
wake_up_scope (AexScope *scope, gpointer data)
{
  (void) scope;
  g_main_context_wakeup (((AexWakeUp *) data)->context);
}

/* What ends such a wait from outside: NULL is nothing. */
typedef struct {
  GCancellable *cancellable;
  GCancellable *own;         /* of the job that iterates */
  AexScope *scope;
  AexScopeWatch *watch;
  gulong cancel_id;
  gulong own_id;
} AexOutside;

static AexScopeStatus
outside_status (AexOutside *self)
{
  if ((self->cancellable != NULL && g_cancellable_is_cancelled (self->cancellable))
      || (self->own != NULL && g_cancellable_is_cancelled (self->own)))
    return AEX_SCOPE_IS_CANCELLED;
  return self->scope != NULL ? aex_scope_get_status (self->scope) : AEX_SCOPE_OPEN;
}

static gboolean
iterate_until_done (AexPending *self, AexWakeUp *wake, AexWaitFlags flags, gint64 timeout_us, AexOutside *outside, GError **error)
{
  gboolean ignore = FALSE;

  while (!AEX_IS_DONE (aex_pending_load (self)))
    {
      AexScopeStatus status = ignore ? AEX_SCOPE_OPEN : outside_status (outside);

      if (atomic_load (&wake->timed_out))
        return aex_wait_timed_out (self, flags, timeout_us, error);
      if (status != AEX_SCOPE_OPEN)
        {
          ignore = flags & AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY && !aex_pending_cancel_queued (self);
          if (!ignore)
            return status == AEX_SCOPE_TIMED_OUT ? aex_wait_timed_out (self, flags, timeout_us, error)
                                                 : aex_wait_cancelled (self, flags, error);
        }
      g_main_context_iteration (wake->context, TRUE);
    }
  return aex_pending_wait (self, flags, 0, NULL, error);
}

/* FALSE, with error set: nothing would tell the time of the scope. */
static gboolean
outside_begin (AexOutside *self, AexWaitFlags flags, GCancellable *cancellable, AexWakeUp *wake, GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexObserved observed;

  if (flags & AEX_WAIT_FLAGS_SHIELD)
    return TRUE;
  observed = aex_scope_observe (thread);
  if (observed.scope != NULL)
    {
      self->watch = aex_scope_watch (observed.scope, TRUE, wake_up_scope, wake_up_ref (wake), wake_up_unref, error);
      if (self->watch == NULL)
        return FALSE;
      self->scope = observed.scope;
    }
  self->cancellable = cancellable;
  if (thread->frame != NULL && !observed.shielded)
    self->own = thread->frame->cancellable;
  if (self->cancellable != NULL)
    self->cancel_id = g_signal_connect_data (self->cancellable, "cancelled", G_CALLBACK (wake_up_cancelled),
                                             wake_up_ref (wake), wake_up_closure_free, 0);
  if (self->own != NULL)
    self->own_id = g_signal_connect_data (self->own, "cancelled", G_CALLBACK (wake_up_cancelled),
                                          wake_up_ref (wake), wake_up_closure_free, 0);
  return TRUE;
}

static void
outside_end (AexOutside *self)
{
  g_clear_pointer (&self->watch, aex_scope_watch_free);
  if (self->cancel_id != 0)
    g_signal_handler_disconnect (self->cancellable, self->cancel_id);
  if (self->own_id != 0)
    g_signal_handler_disconnect (self->own, self->own_id);
}

static gboolean
run_with_wakes (AexPending *self, GMainContext *context, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
  AexWakeUp *wake = g_new0 (AexWakeUp, 1);
  AexOutside outside = { NULL };
  AexAlarm *alarm = NULL;
  gboolean ok = TRUE;
  gulong done_id;

  atomic_init (&wake->refs, 1);
  wake->context = g_main_context_ref (context);
  if (timeout_us >= 0)
    {
      alarm = aex_alarm_new (aex_clock_deadline (timeout_us), wake_up_timed_out, wake_up_ref (wake), wake_up_unref, error);
      if (alarm == NULL)
        wake_up_unref (wake);
      ok = alarm != NULL;
    }
  if (ok && outside_begin (&outside, flags, cancellable, wake, error))
    {
      done_id = aex_pending_add_done_callback_inline (self, wake_up_done, wake_up_ref (wake), wake_up_unref);
      ok = iterate_until_done (self, wake, flags, timeout_us, &outside, error);
      aex_pending_remove_done_callback (self, done_id);
      outside_end (&outside);
    }
  else
    {
      ok = FALSE;
    }
  g_clear_pointer (&alarm, aex_alarm_cancel);
  wake_up_unref (wake);
  return ok;
}

/**
 * aex_pending_run_until_done:
 * @self: a pending
 * @flags: how to wait
 * @timeout_us: microseconds, -1 for no limit
 * @cancellable: (nullable): what ends the wait
 * @error: return location for an error
 *
 * Iterates the thread-default main context of the calling thread until @self
 * is done: the way to wait on the thread of a main loop. Everything in that
 * context runs meanwhile, as in a nested main loop. The wait also ends with the
 * running job, and with the [struct@Scope] in which this is called.
 *
 * Returns: as [method@Pending.wait]; the error is %AEX_ERROR_NO_CONTEXT when
 *   another thread runs the context
 *
 * Since: 1.0
 */
gboolean
aex_pending_run_until_done (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
  GMainContext *context = g_main_context_get_thread_default ();
  gboolean ok;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  aex_checkpoint ();
  if (AEX_IS_DONE (aex_pending_load (self)))
    return aex_pending_wait (self, flags, 0, NULL, error);
  if (aex_fork_check (error))
    return FALSE;
  if (context == NULL)
    context = aex_main_context_try_default (error);
  if (context == NULL)
    return FALSE;
  if (!g_main_context_acquire (context))
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NO_CONTEXT,
                           _("Another thread runs the main context: wait with aex_pending_wait() here"));
      return FALSE;
    }
  g_main_context_ref (context);
  g_object_ref (self);
  ok = run_with_wakes (self, context, flags, timeout_us, cancellable, error);
  g_main_context_release (context);
  g_main_context_unref (context);
  g_object_unref (self);
  return ok;
}

/* ---- wait_async */

typedef struct {
  AexWaitFlags flags;
  gint64 timeout_us;
  atomic_int over;           /* the first of done, time-out and cancellation */
  gulong done_id;
  gulong cancel_id;
  GCancellable *cancellable;
  AexScopeWatch *watch;
  AexAlarm *alarm;
  GError *error;             /* why the wait ended early */
  GMutex lock;               /* guards done_id, cancel_id, watch and alarm between setting up and the end */
} AexAsyncWait;

static void
async_wait_free (gpointer data)
{
  AexAsyncWait *self = data;

  g_clear_pointer (&self->alarm, aex_alarm_cancel);
  g_clear_object (&self->cancellable);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Only the first to come ends the wait; it takes away the others. */
static gboolean
async_wait_win (GTask *task)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  AexPending *pending = g_task_get_source_object (task);
  gulong done_id, cancel_id;
  AexScopeWatch *watch;
  AexAlarm *alarm;

  if (atomic_exchange (&self->over, TRUE))
    return FALSE;
  g_mutex_lock (&self->lock);
  done_id = self->done_id;
  cancel_id = self->cancel_id;
  alarm = g_steal_pointer (&self->alarm);
  watch = g_steal_pointer (&self->watch);
  self->done_id = self->cancel_id = 0;
  g_mutex_unlock (&self->lock);
  if (done_id != 0)
    aex_pending_remove_done_callback (pending, done_id);
  if (cancel_id != 0)
    g_signal_handler_disconnect (self->cancellable, cancel_id);
  g_clear_pointer (&watch, aex_scope_watch_free);
  g_clear_pointer (&alarm, aex_alarm_cancel);
  return TRUE;
}

static void
async_wait_return (GTask *task)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  GError *error = NULL;

  if (aex_pending_wait (g_task_get_source_object (task), self->flags, 0, NULL, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
async_wait_done (AexPending *pending, gpointer data)
{
  (void) pending;
  if (async_wait_win (data))
    async_wait_return (data);
}

static gboolean
async_wait_return_error (gpointer data)
{
  AexAsyncWait *self = g_task_get_task_data (data);

  aex_thread_guard (aex_thread_get ());
  g_task_return_error (data, g_steal_pointer (&self->error));
  return G_SOURCE_REMOVE;
}

/* A GTask may call back inside g_task_return_error(), here inside somebody's cancel: only from a dispatch of its own. */
static void
async_wait_return_soon (GTask *task)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, async_wait_return_error, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

static void
async_wait_timed_out (gpointer data)
{
  GTask *task = data;
  AexAsyncWait *self = g_task_get_task_data (task);

  if (!async_wait_win (task))
    return;
  aex_wait_timed_out (g_task_get_source_object (task), self->flags, self->timeout_us, &self->error);
  async_wait_return_soon (task);
}

/* The wait ended from outside. */
static void
async_wait_abandoned (GTask *task, AexScopeStatus why)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  AexPending *pending = g_task_get_source_object (task);

  if (self->flags & AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY && !aex_pending_cancel_queued (pending))
    return;
  if (!async_wait_win (task))
    return;
  if (why == AEX_SCOPE_TIMED_OUT)
    aex_wait_timed_out (pending, self->flags, self->timeout_us, &self->error);
  else
    aex_wait_cancelled (pending, self->flags, &self->error);
  async_wait_return_soon (task);
}

static void
async_wait_cancelled (GCancellable *cancellable, gpointer data)
{
  g_autoptr (GTask) task = g_object_ref (data);

  (void) cancellable;
  async_wait_abandoned (task, AEX_SCOPE_IS_CANCELLED);
}

static void
async_wait_scope_over (AexScope *scope, gpointer data)
{
  g_autoptr (GTask) task = g_object_ref (data);

  async_wait_abandoned (task, aex_scope_get_status (scope));
}

static void
unref_with_closure (gpointer data, GClosure *closure)
{
  (void) closure;
  g_object_unref (data);
}

/* The next three: one thing that may end the wait each; FALSE: it has ended with error. */
static gboolean
async_wait_arm (GTask *task, gint64 timeout_us)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  GError *error = NULL;
  AexAlarm *alarm = aex_alarm_new (aex_clock_deadline (timeout_us), async_wait_timed_out,
                                   g_object_ref (task), g_object_unref, &error);

  if (alarm == NULL)
    {
      g_object_unref (task);
      if (async_wait_win (task))
        g_task_return_error (task, error);
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  if (!atomic_load (&self->over))
    self->alarm = g_steal_pointer (&alarm);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&alarm, aex_alarm_cancel);
  return TRUE;
}

static gboolean
async_wait_observe (GTask *task, AexScope *scope)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  GError *error = NULL;
  AexScopeWatch *watch = aex_scope_watch (scope, TRUE, async_wait_scope_over, g_object_ref (task), g_object_unref, &error);

  if (watch == NULL)
    {
      if (async_wait_win (task))
        g_task_return_error (task, error);
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  if (!atomic_load (&self->over))
    self->watch = g_steal_pointer (&watch);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&watch, aex_scope_watch_free);
  if (aex_scope_get_status (scope) != AEX_SCOPE_OPEN)
    async_wait_scope_over (scope, task);
  return TRUE;
}

static void
async_wait_connect (GTask *task, GCancellable *cancellable)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  gulong id = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (async_wait_cancelled),
                                     g_object_ref (task), unref_with_closure, 0);

  g_mutex_lock (&self->lock);
  if (!atomic_load (&self->over))
    {
      self->cancel_id = id;
      id = 0;
    }
  g_mutex_unlock (&self->lock);
  if (id != 0)
    g_signal_handler_disconnect (cancellable, id);
  if (g_cancellable_is_cancelled (cancellable))
    async_wait_cancelled (cancellable, task);
}

static void
async_wait_start (GTask *task, AexPending *pending, AexScope *scope, gint64 timeout_us, GCancellable *cancellable)
{
  AexAsyncWait *self = g_task_get_task_data (task);
  GError *error = NULL;
  gulong id;

  if (!AEX_IS_DONE (aex_pending_load (pending)) && aex_fork_check (&error))
    {
      if (async_wait_win (task))
        g_task_return_error (task, error);
      return;
    }
  if (timeout_us >= 0 && !aex_is_forked () && !async_wait_arm (task, timeout_us))
    return;
  if (scope != NULL && !AEX_IS_DONE (aex_pending_load (pending)) && !async_wait_observe (task, scope))
    return;
  if (cancellable != NULL)
    async_wait_connect (task, cancellable);
  id = aex_pending_add_done_callback (pending, async_wait_done, g_object_ref (task), g_object_unref);
  if (id == 0)
    id = aex_pending_add_done_callback_inline (pending, async_wait_done, g_object_ref (task), g_object_unref);
  g_mutex_lock (&self->lock);
  if (!atomic_load (&self->over))
    {
      self->done_id = id;
      id = 0;
    }
  g_mutex_unlock (&self->lock);
  if (id != 0)
    aex_pending_remove_done_callback (pending, id);
}

/* GTask calls back with whatever context there is: a callback sees the one in which it was given. */
typedef struct {
  AexContext *context;
  GAsyncReadyCallback callback;
  gpointer user_data;
} AexReadyCall;

static void
ready_in_context (GObject *source, GAsyncResult *result, gpointer data)
{
  AexReadyCall *self = data;
  AexThread *thread = aex_thread_get ();
  AexContext *saved = aex_context_enter (thread, self->context);

  self->callback (source, result, self->user_data);
  aex_context_leave (thread, saved);
  aex_context_unref (self->context);
  g_free (self);
}

static GTask *
async_task_new (AexPending *self, GAsyncReadyCallback callback, gpointer user_data)
{
  AexContext *context = aex_context_capture (aex_thread_get ());
  AexReadyCall *call;

  /* The task itself must not look at the cancellable: the flags decide what that means. */
  if (context == NULL || callback == NULL)
    {
      g_clear_pointer (&context, aex_context_unref);
      return g_task_new (self, NULL, callback, user_data);
    }
  call = g_new (AexReadyCall, 1);
  *call = (AexReadyCall) { context, callback, user_data };
  return g_task_new (self, NULL, ready_in_context, call);
}

void
aex_pending_wait_async_in (AexPending *self, AexScope *scope, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = async_task_new (self, callback, user_data);
  AexAsyncWait *data;

  if (flags & AEX_WAIT_FLAGS_SHIELD)
    {
      cancellable = NULL;
      scope = NULL;
    }
  g_task_set_source_tag (task, aex_pending_wait_async);
  data = g_new0 (AexAsyncWait, 1);
  data->flags = flags;
  data->timeout_us = timeout_us;
  data->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  g_mutex_init (&data->lock);
  g_task_set_task_data (task, data, async_wait_free);
  async_wait_start (task, self, scope, timeout_us, cancellable);
}

/**
 * aex_pending_wait_async:
 * @self: a pending
 * @flags: how to wait
 * @timeout_us: microseconds, -1 for no limit
 * @cancellable: (nullable): what ends the wait
 * @callback: (scope async) (closure user_data): called when the wait is over
 * @user_data: data for @callback
 *
 * Waits for @self without blocking. @callback is called in a dispatch of the
 * main context that is current for this thread now, never inside this call, with
 * the [struct@Context] that is current now.
 *
 * Inside a [struct@Scope], the wait ends with it: when it is cancelled before it
 * is left, and when its time is over.
 *
 * Since: 1.0
 */
void
aex_pending_wait_async (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (AEX_IS_PENDING (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  aex_checkpoint ();
  aex_pending_wait_async_in (self, aex_is_forked () ? NULL : aex_scope_of_context (aex_thread_get ()->context),
                             flags, timeout_us, cancellable, callback, user_data);
}

/**
 * aex_pending_wait_finish:
 * @self: a pending
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends [method@Pending.wait_async].
 *
 * Returns: as [method@Pending.wait]
 *
 * Since: 1.0
 */
gboolean
aex_pending_wait_finish (AexPending *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
