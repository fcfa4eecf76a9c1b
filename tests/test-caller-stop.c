/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <poll.h>

/* K14-K16, K37-K39, P9, P16, S12, S13: the life of a caller and its end. */

static AexCaller *
new_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("stop", &error);

  g_assert_no_error (error);
  return caller;
}

static void
stop_and_unref (AexCaller *caller)
{
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);

  aex_test_wait (stopped);
  aex_assert_state (stopped, RESOLVED);
  g_object_unref (caller);
}

/* --- K14-K16 */
static void
test_states (void)
{
  AexCaller *caller = new_caller ();
  AexExecutor *executor = AEX_EXECUTOR (caller);
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) stopped = NULL;

  g_assert_cmpint (aex_executor_get_state (executor), <=, AEX_EXECUTOR_STATE_RUNNING);
  aex_test_wait (aex_caller_get_started (caller));
  aex_assert_state (aex_caller_get_started (caller), RESOLVED);
  blocker = aex_block_begin (&block, executor);
  g_assert_cmpint (aex_executor_get_state (executor), ==, AEX_EXECUTOR_STATE_RUNNING);
  g_assert_false (aex_pending_is_done (aex_caller_get_stopping (caller)));
  g_assert_false (aex_pending_is_done (aex_caller_get_stopped (caller)));
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_assert_true (stopped == aex_caller_get_stopped (caller));
  g_assert_cmpint (aex_executor_get_state (executor), ==, AEX_EXECUTOR_STATE_STOPPING);
  aex_test_wait (aex_caller_get_stopping (caller));
  g_assert_false (aex_pending_is_done (stopped));
  aex_block_end (&block, blocker);
  aex_test_wait (stopped);
  g_assert_cmpint (aex_executor_get_state (executor), ==, AEX_EXECUTOR_STATE_STOPPED);
  g_object_unref (caller);
}

/* K14: from any thread; what a stop does, forced or not, as long as nothing can hold a caller. */
static gpointer
read_state (gpointer executor)
{
  return GINT_TO_POINTER (aex_executor_get_state (executor));
}

static void
check_stop (AexStopFlags flags)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) stopped = NULL;

  aex_test_wait (aex_caller_get_started (caller));
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (g_thread_new ("reader", read_state, caller))), ==, AEX_EXECUTOR_STATE_RUNNING);
  stopped = aex_caller_stop (caller, flags);
  aex_test_wait (stopped);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (g_thread_new ("reader", read_state, caller))), ==, AEX_EXECUTOR_STATE_STOPPED);
  g_object_unref (caller);
}

static void
test_running (void)
{
  check_stop (AEX_STOP_FLAGS_NONE);
  check_stop (AEX_STOP_FLAGS_FORCE);
}

/* P3: a waiter that gives up does not end what others wait for. */
static void
test_await_stopped (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  AexPending *stopped = aex_caller_get_stopped (caller);

  g_cancellable_cancel (cancellable);
  g_assert_false (aex_pending_wait (stopped, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_false (aex_pending_wait (stopped, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_cancelled (stopped));
  /* Not even who says so explicitly. */
  g_assert_false (aex_pending_cancel (stopped, NULL));
  g_assert_false (aex_pending_cancel (aex_caller_get_stopping (caller), NULL));
  g_assert_false (aex_pending_is_cancelled (stopped));
  stop_and_unref (caller);
}

/* --- S12, S13 */
static gpointer
submit_in_thread (gpointer executor)
{
  return aex_executor_submit (executor, aex_job_thread, NULL, NULL);
}

static void
test_background_executor (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) first = g_thread_join (g_thread_new ("a", submit_in_thread, caller));
  g_autoptr (AexPending) second = g_thread_join (g_thread_new ("b", submit_in_thread, caller));
  g_autoptr (AexPending) cancelled = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_until_cancelled, NULL, NULL);

  aex_test_wait (first);
  aex_test_wait (second);
  g_assert_true (aex_pending_get_pointer (first, NULL) != g_thread_self ());
  g_assert_true (aex_pending_get_pointer (first, NULL) == aex_pending_get_pointer (second, NULL));
  g_assert_true (aex_pending_cancel (cancelled, NULL));
  aex_test_wait (cancelled);
  aex_assert_cancelled (cancelled);
  stop_and_unref (caller);
}

/* What runs ends as cancelled, what is queued ends as closed, nobody hangs. */
static void
test_running_completes_as_cancelled (void)
{
  AexCaller *caller = new_caller ();
  AexBlock block;
  AexPending *running = aex_block_begin (&block, AEX_EXECUTOR (caller));
  g_autoptr (AexPending) queued = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);

  g_assert_true (aex_pending_is_cancelled (running));
  g_object_ref (running);
  aex_block_end (&block, running);
  aex_assert_state (running, CANCELLED);
  g_object_unref (running);
  aex_test_wait (stopped);
  g_assert_true (aex_pending_is_done (queued));
  aex_assert_state (queued, CANCELLED);
  aex_assert_failed_with (queued, AEX_ERROR, AEX_ERROR_CLOSED);
  g_object_unref (caller);
}

static gboolean
job_submits_and_stops (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      data,
                       GError      **error)
{
  gpointer *arguments = data;

  arguments[1] = aex_executor_submit (arguments[0], aex_job_int, NULL, NULL);
  aex_gate_open (arguments[2]);
  return aex_job_until_cancelled (job, cancellable, NULL, error);
}

/* Also what its thread had taken over already. */
static void
test_taken_over (void)
{
  AexCaller *caller = new_caller ();
  AexGate ready;
  gpointer arguments[] = { caller, NULL, &ready };
  g_autoptr (AexPending) running = NULL, queued = NULL, stopped = NULL;

  aex_gate_init (&ready);
  running = aex_executor_submit (AEX_EXECUTOR (caller), job_submits_and_stops, arguments, NULL);
  aex_gate_wait (&ready);
  queued = arguments[1];
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_wait (stopped);
  aex_assert_cancelled (running);
  aex_assert_failed_with (queued, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_gate_clear (&ready);
  g_object_unref (caller);
}

static void
test_double_stop (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) first = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_autoptr (AexPending) second = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);
  g_autoptr (AexPending) third = NULL;

  g_assert_true (first == second);
  aex_test_wait (first);
  third = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_assert_true (aex_pending_is_done (third));
  g_object_unref (caller);
}

/* Nobody waits for the end: the thread goes away by itself. */
static void
test_wait_false (void)
{
  AexCaller *caller = new_caller ();

  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  g_object_unref (caller);
  aex_test_wait_threads ();
}

/* K39: the last unref of a running one drains and stops it. */
static void
test_unref_running (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (4), NULL);

  g_object_unref (caller);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 4);
  aex_test_wait_threads ();
}

/* K38 */
static void
test_after_stop_table (void)
{
  AexCaller *caller = new_caller ();
  AexExecutor *executor = AEX_EXECUTOR (caller);
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) later = NULL;
  g_autoptr (AexPending) down = NULL;
  AexPoison poison;

  aex_test_wait (stopped);
  job = aex_executor_submit (executor, aex_job_int, NULL, NULL);
  aex_assert_state (job, CANCELLED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  later = aex_caller_call_later (caller, 1000, aex_job_int, NULL, NULL);
  aex_assert_state (later, CANCELLED);
  aex_assert_failed_with (later, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_poison_init (&poison);
  poison.thread = NULL;
  aex_caller_call_direct (caller, aex_note_post, &poison, aex_poison_release);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  down = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (down);
  aex_assert_state (down, RESOLVED);
  g_object_unref (caller);
}

/* --- P9: from wherever */
static gboolean
job_stop (AexPending   *job,
          GCancellable *cancellable,
          gpointer      caller,
          GError      **error)
{
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  return TRUE;
}

static void
test_stop_in_own_job (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_stop, caller, NULL);

  aex_test_wait (job);
  aex_test_wait (aex_caller_get_stopped (caller));
  g_object_unref (caller);
}

static gboolean
job_wait_for_own_stop (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      caller,
                       GError      **error)
{
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_autoptr (GError) local_error = NULL;

  /* Its end needs this very thread. */
  g_assert_false (aex_pending_wait (stopped, AEX_WAIT_FLAGS_SHIELD, -1, NULL, &local_error));
  g_assert_error (local_error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  return TRUE;
}

static void
test_wait_for_own_stop (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_wait_for_own_stop, caller, NULL);

  aex_test_wait (job);
  aex_test_wait (aex_caller_get_stopped (caller));
  g_object_unref (caller);
}

static void
on_done_stop (AexPending *pending,
              gpointer    caller)
{
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
}

static gboolean
job_attach_stop (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      caller,
                 GError      **error)
{
  aex_pending_add_done_callback (job, on_done_stop, caller, NULL);
  return TRUE;
}

static void
test_stop_in_done_callback (void)
{
  AexCaller *caller = new_caller ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_attach_stop, caller, NULL);

  aex_test_wait (aex_caller_get_stopped (caller));
  aex_assert_state (job, RESOLVED);
  g_object_unref (caller);
}

static gpointer
stop_in_thread (gpointer caller)
{
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);

  aex_test_wait (stopped);
  return NULL;
}

static void
test_stop_from_three_threads (void)
{
  guint n = aex_test_scale (200);

  for (guint i = 0; i < n; i++)
    {
      AexCaller *caller = new_caller ();
      GThread *threads[3];

      g_object_unref (aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL));
      for (guint k = 0; k < 3; k++)
        threads[k] = g_thread_new ("stopper", stop_in_thread, caller);
      for (guint k = 0; k < 3; k++)
        g_thread_join (threads[k]);
      g_object_unref (caller);
    }
}

/* K37: one that never ran anything. */
static void
test_stop_early (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);

  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  while (!aex_pending_is_done (stopped))
    g_main_context_iteration (context, TRUE);
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (caller)), ==, AEX_EXECUTOR_STATE_STOPPED);
  g_object_unref (caller);
}

/* --- functions without a pending are work too */
static gboolean
count_and_fail (gpointer n_called,
                GError **error)
{
  ++*(int *) n_called;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "a post");
  return FALSE;
}

static gboolean
count_unhandled (AexExecutor *executor,
                 AexPending  *pending,
                 GError      *error,
                 gpointer     n_reports)
{
  ++*(int *) n_reports;
  return TRUE;
}

/* I5: what was accepted still runs, and not after the end; what fails there is told to the caller. */
static void
test_posted_before_the_end (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);
  g_autoptr (AexPending) ended = NULL;
  int n_called = 0, n_reports = 0;

  g_signal_connect (caller, "unhandled-error", G_CALLBACK (count_unhandled), &n_reports);
  aex_executor_post (AEX_EXECUTOR (caller), count_and_fail, &n_called, NULL);
  ended = aex_executor_shutdown (AEX_EXECUTOR (caller), AEX_SHUTDOWN_FLAGS_NONE);
  g_assert_false (aex_pending_is_done (ended));
  while (!aex_pending_is_done (ended) || n_reports == 0)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpint (n_called, ==, 1);
  g_object_unref (caller);
}

static gboolean
shut_down_and_look (gpointer caller,
                    GError **error)
{
  g_autoptr (AexPending) ended = aex_executor_shutdown (caller, AEX_SHUTDOWN_FLAGS_NONE);

  g_assert_true (aex_pending_is_done (ended));
  return TRUE;
}

/* P9: the one that asks for the end is not waited for. */
static void
test_end_in_own_post (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);

  aex_executor_post (AEX_EXECUTOR (caller), shut_down_and_look, caller, NULL);
  while (!aex_pending_is_done (aex_caller_get_stopped (caller)))
    g_main_context_iteration (context, TRUE);
  g_object_unref (caller);
}

/* --- the context goes away */
typedef struct
{
  GMainContext *context;
  AexPoison    *poisons;
} Destroyer;

static gpointer
destroy_context_in_thread (gpointer user_data)
{
  Destroyer *self = user_data;

  for (guint i = 0; i < 3; i++)
    self->poisons[i].thread = g_thread_self ();
  g_main_context_unref (self->context);
  /* Released here, and by now. */
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (aex_poison_get_released (&self->poisons[i]), ==, 1);
  return NULL;
}

static void
test_context_destroyed (void)
{
  GMainContext *context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);
  AexExecutor *executor = AEX_EXECUTOR (caller);
  AexPoison poisons[3];
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  Destroyer destroyer = { context, poisons };

  for (guint i = 0; i < 3; i++)
    aex_poison_init (&poisons[i]);
  g_ptr_array_add (jobs, aex_executor_submit (executor, aex_poison_job, &poisons[0], aex_poison_release));
  g_ptr_array_add (jobs, aex_caller_call_later (caller, G_USEC_PER_SEC, aex_poison_job, &poisons[1], aex_poison_release));
  g_ptr_array_add (jobs, aex_executor_submit (executor, aex_poison_job, &poisons[2], aex_poison_release));
  aex_test_in_thread (destroy_context_in_thread, &destroyer);
  for (guint i = 0; i < jobs->len; i++)
    {
      aex_assert_state (jobs->pdata[i], CANCELLED);
      aex_assert_failed_with (jobs->pdata[i], AEX_ERROR, AEX_ERROR_CLOSED);
      g_assert_cmpint (aex_poison_get_called (&poisons[i]), ==, 0);
    }
  g_assert_cmpint (aex_executor_get_state (executor), ==, AEX_EXECUTOR_STATE_STOPPED);
  g_assert_true (aex_pending_is_done (aex_caller_get_stopped (caller)));
  g_ptr_array_add (jobs, aex_executor_submit (executor, aex_job_int, NULL, NULL));
  aex_assert_failed_with (jobs->pdata[3], AEX_ERROR, AEX_ERROR_CLOSED);
  g_object_unref (caller);
}

/* A callback that was to be delivered there is released, not called. */
static void
test_context_destroyed_with_callbacks (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (AexPending) promise = aex_pending_new ();
  AexPoison attached, delivered;
  g_autoptr (AexPending) done = aex_pending_new_resolved (NULL);

  g_main_context_push_thread_default (context);
  aex_poison_init (&attached);
  aex_poison_init (&delivered);
  attached.context = delivered.context = NULL;    /* it will not be there any more */
  /* One waits for its pending, one is on its way already. */
  aex_pending_add_done_callback (promise, aex_poison_callback, &attached, aex_poison_release);
  aex_pending_add_done_callback (done, aex_poison_callback, &delivered, aex_poison_release);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_cmpint (aex_poison_get_released (&delivered), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&delivered), ==, 0);
  aex_pending_resolve (promise, NULL);
  g_assert_cmpint (aex_poison_get_called (&attached), ==, 0);
  aex_test_iterate_until (aex_poison_is_released, &attached);
}

/* --- P16: no fd is polled after it was closed */
static gboolean
any_stale (const GPollFD *fds,
           guint          n_fds)
{
  for (guint i = 0; i < n_fds; i++)
    {
      if ((fds[i].revents & POLLNVAL) != 0)
        return TRUE;
    }
  return FALSE;
}

static int n_stale_fds;

static gint
poll_and_check (GPollFD *fds,
                guint    n_fds,
                gint     timeout)
{
  gint result = g_poll (fds, n_fds, timeout);

  if (any_stale (fds, n_fds))
    n_stale_fds++;
  return result;
}

static void
test_no_stale_fd (void)
{
  g_autoptr (AexCensus) before = aex_census_take ();

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (GMainContext) context = g_main_context_new ();
      AexCaller *caller;

      g_main_context_set_poll_func (context, poll_and_check);
      g_main_context_push_thread_default (context);
      caller = aex_caller_ref_current (NULL);
      for (guint k = 0; k < 2; k++)
        {
          g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
          g_autoptr (AexPending) stopped = NULL;

          aex_test_run_until_done (job);
          g_object_unref (g_thread_join (g_thread_new ("submit", submit_in_thread, caller)));
          stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
          aex_test_run_until_done (stopped);
          g_object_unref (caller);
          caller = aex_caller_ref_current (NULL);
        }
      g_object_unref (caller);
      g_main_context_pop_thread_default (context);
    }
  g_assert_cmpint (n_stale_fds, ==, 0);
  g_assert_true (aex_census_settle (before, TRUE, "contexts that came and went"));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K14/running", test_running);
  aex_test_add ("/caller/K15/states", test_states);
  aex_test_add ("/caller/K16/await-stopped", test_await_stopped);
  aex_test_add ("/caller/S12/background-executor", test_background_executor);
  aex_test_add ("/caller/S13/running-completes-as-cancelled", test_running_completes_as_cancelled);
  aex_test_add ("/caller/S13/taken-over", test_taken_over);
  aex_test_add ("/caller/S13/double", test_double_stop);
  aex_test_add ("/caller/S13/wait-false", test_wait_false);
  aex_test_add ("/caller/K39/unref-running", test_unref_running);
  aex_test_add ("/caller/K38/after-stop-table", test_after_stop_table);
  aex_test_add ("/caller/K37/stop-early", test_stop_early);
  aex_test_add ("/caller/K37-I5/posted-before-the-end", test_posted_before_the_end);
  aex_test_add ("/caller/P9/in-own-post", test_end_in_own_post);
  aex_test_add ("/caller/P9/in-own-job", test_stop_in_own_job);
  aex_test_add ("/caller/P9/wait-in-own-job", test_wait_for_own_stop);
  aex_test_add ("/caller/P9/in-done-callback", test_stop_in_done_callback);
  aex_test_add ("/caller/P9/from-three-threads", test_stop_from_three_threads);
  aex_test_add ("/caller/context-destroyed/queued", test_context_destroyed);
  aex_test_add ("/caller/context-destroyed/callbacks", test_context_destroyed_with_callbacks);
  aex_test_add ("/caller/P16/no-stale-fd", test_no_stale_fd);
  return aex_test_run ();
}
