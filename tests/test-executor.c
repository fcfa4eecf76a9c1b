/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* What every executor does: submit, run, post, limits, counts. */

static AexExecutor *
new_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("test", &error);

  g_assert_no_error (error);
  return AEX_EXECUTOR (caller);
}

/* --- K23 */
static gboolean
job_mark (AexPending   *job,
          GCancellable *cancellable,
          gpointer      n_runs,
          GError      **error)
{
  g_atomic_int_inc ((int *) n_runs);
  return TRUE;
}

static void
test_never_inline (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = NULL;
  int n_runs = 0;

  job = aex_executor_submit (AEX_EXECUTOR (caller), job_mark, &n_runs, NULL);
  g_assert_cmpint (n_runs, ==, 0);
  g_assert_false (aex_pending_is_done (job));
  aex_assert_state (job, QUEUED);
  aex_test_run_until_done (job);
  g_assert_cmpint (n_runs, ==, 1);
  aex_assert_state (job, RESOLVED);
}

static void
check_context_copied (AexExecutor *executor)
{
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;

  aex_test_var_set (var, 1);
  first = aex_executor_submit (executor, aex_job_read_and_change_var, var, NULL);
  aex_test_var_set (var, 2);
  second = aex_executor_submit (executor, aex_job_read_and_change_var, var, NULL);
  aex_test_run_until_done (first);
  aex_test_run_until_done (second);
  aex_assert_resolved_int64 (first, 1);
  aex_assert_resolved_int64 (second, 2);
  g_assert_cmpint (aex_test_var_get (var), ==, 2);
}

static void
test_context_copied_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  check_context_copied (AEX_EXECUTOR (caller));
}

static void
test_context_copied_pool (void)
{
  AexExecutor *pool = aex_test_pool (1);

  check_context_copied (pool);
  aex_test_shutdown (pool);
}

/* --- S5: run */
static gint64
run_int64 (AexExecutor *executor,
           AexJobFunc   func,
           gpointer     data,
           GError     **error)
{
  GValue *value = aex_executor_run (executor, func, data, NULL, NULL, error);
  gint64 n;

  if (value == NULL)
    return -1;
  n = g_value_get_int64 (value);
  g_boxed_free (G_TYPE_VALUE, value);
  return n;
}

static void
test_run_success (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexExecutor *caller = new_caller ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (run_int64 (pool, aex_job_int, GINT_TO_POINTER (12), &error), ==, 12);
  g_assert_no_error (error);
  g_assert_cmpint (run_int64 (caller, aex_job_int, GINT_TO_POINTER (13), &error), ==, 13);
  g_assert_no_error (error);
  aex_test_shutdown (caller);
  aex_test_shutdown (pool);
}

static void
test_run_error (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (run_int64 (pool, aex_job_fail, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpstr (error->message, ==, "Test exception");
  aex_test_shutdown (pool);
}

#define N_PARALLEL 5

typedef struct
{
  AexExecutor *executor;
  AexGate      arrived;
} Meeting;

static gboolean
job_meet (AexPending   *job,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  Meeting *self = user_data;

  aex_gate_open (&self->arrived);
  aex_gate_wait_n (&self->arrived, N_PARALLEL);
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

static gpointer
meet_in_thread (gpointer user_data)
{
  Meeting *self = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (run_int64 (self->executor, job_meet, self, &error), ==, 1);
  g_assert_no_error (error);
  return NULL;
}

/* Nobody comes out unless all five run at the same time. */
static void
test_run_parallel (void)
{
  Meeting meeting = { .executor = aex_test_pool (N_PARALLEL) };
  GThread *threads[N_PARALLEL];

  aex_gate_init (&meeting.arrived);
  for (guint i = 0; i < N_PARALLEL; i++)
    threads[i] = g_thread_new ("run", meet_in_thread, &meeting);
  for (guint i = 0; i < N_PARALLEL; i++)
    g_thread_join (threads[i]);
  aex_gate_clear (&meeting.arrived);
  aex_test_shutdown (meeting.executor);
}

/* Resolves with what run() gives on the executor in user_data, from inside. */
static gboolean
job_run_there (AexPending   *job,
               GCancellable *cancellable,
               gpointer      executor,
               GError      **error)
{
  g_autoptr (GError) local_error = NULL;
  gint64 n = run_int64 (executor, aex_job_int, GINT_TO_POINTER (7), &local_error);

  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  aex_pending_resolve_int64 (job, n);
  return TRUE;
}

static void
test_run_nested_own_loop (void)
{
  AexExecutor *caller = new_caller ();
  g_autoptr (AexPending) job = aex_executor_submit (caller, job_run_there, caller, NULL);

  aex_test_wait (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_shutdown (caller);
}

static void
test_run_on_main_loop_of_this_thread (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (run_int64 (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (7), &error), ==, -1);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_drain ();
}

static void
test_run_from_event_loop (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *here = new_caller ();
  AexExecutor *there = new_caller ();
  g_autoptr (AexPending) on_pool = aex_executor_submit (here, job_run_there, pool, NULL);
  g_autoptr (AexPending) on_caller = aex_executor_submit (here, job_run_there, there, NULL);

  aex_test_wait (on_pool);
  aex_test_wait (on_caller);
  aex_assert_resolved_int64 (on_pool, 7);
  aex_assert_resolved_int64 (on_caller, 7);
  aex_test_shutdown (there);
  aex_test_shutdown (here);
  aex_test_shutdown (pool);
}

static gboolean
job_run_here_thread (AexPending   *job,
                     GCancellable *cancellable,
                     gpointer      executor,
                     GError      **error)
{
  GValue *value = aex_executor_run (executor, aex_job_thread, NULL, NULL, NULL, error);

  if (value == NULL)
    return FALSE;
  aex_pending_resolve_boolean (job, g_value_get_pointer (value) == g_thread_self ());
  g_boxed_free (G_TYPE_VALUE, value);
  return TRUE;
}

/* Rule 6: the waiting job claims the job it waits for. */
static void
test_run_claims (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_run_here_thread, pool, NULL);
  g_autoptr (GError) error = NULL;

  aex_test_wait (job);
  g_assert_true (aex_pending_get_boolean (job, &error));
  g_assert_no_error (error);
  aex_test_shutdown (pool);
}

static gboolean
job_cancel_user (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      user_cancellable,
                 GError      **error)
{
  g_cancellable_cancel (user_cancellable);
  return aex_job_until_cancelled (job, cancellable, NULL, error);
}

static void
test_run_cancelled (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_executor_run (pool, job_cancel_user, cancellable, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_test_shutdown (pool);
}

/* --- S6: the wait is asynchronous, the work is not here */
static void
on_waited (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_wait_finish (AEX_PENDING (source), result, &error));
  g_assert_no_error (error);
  g_atomic_pointer_set ((GThread **) user_data, g_thread_self ());
}

static gboolean
pointer_is_set (gpointer pointer)
{
  return g_atomic_pointer_get ((gpointer *) pointer) != NULL;
}

static void
test_async_run (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_thread, NULL, NULL);
  g_autoptr (GError) error = NULL;
  GThread *told = NULL;
  gpointer ran;

  aex_pending_wait_async (job, AEX_WAIT_FLAGS_NONE, -1, NULL, on_waited, &told);
  g_assert_null (told);
  aex_test_iterate_until (pointer_is_set, &told);
  g_assert_true (told == g_thread_self ());
  ran = aex_pending_get_pointer (job, &error);
  g_assert_no_error (error);
  g_assert_nonnull (ran);
  g_assert_true (ran != g_thread_self ());
  aex_test_shutdown (pool);
}

/* --- E3, E12 */
static void
test_submit_and_wait (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) good = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (42), NULL);
  g_autoptr (AexPending) bad = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_wait (good, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_no_error (error);
  aex_assert_resolved_int64 (good, 42);
  g_assert_false (aex_pending_wait (bad, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpstr (error->message, ==, "Test exception");
  aex_assert_state (bad, REJECTED);
  aex_test_shutdown (pool);
}

static void
test_after_shutdown (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GError) error = NULL;
  AexPoison poison;

  aex_test_wait (done);
  aex_poison_init (&poison);
  job = aex_executor_submit (pool, aex_poison_job, &poison, aex_poison_release);
  g_assert_true (aex_pending_is_done (job));
  g_assert_true (aex_pending_is_cancelled (job));
  aex_assert_state (job, CANCELLED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_null (aex_executor_run (pool, aex_job_int, GINT_TO_POINTER (1), NULL, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_object_unref (pool);
}

static gboolean
job_cancel_then_wait_for_gate (AexPending   *job,
                               GCancellable *cancellable,
                               gpointer      user_data,
                               GError      **error)
{
  gpointer *pair = user_data;

  g_cancellable_cancel (pair[0]);
  aex_gate_wait (pair[1]);
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  aex_pending_resolve_int64 (job, 5);
  return TRUE;
}

/* The waiter leaves, the job goes on. */
static void
test_abandon (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GError) error = NULL;
  AexGate gate;
  gpointer pair[2] = { cancellable, &gate };

  aex_gate_init (&gate);
  job = aex_executor_submit (pool, job_cancel_then_wait_for_gate, pair, NULL);
  g_assert_false (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (aex_pending_is_cancelled (job));
  aex_gate_open (&gate);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 5);
  aex_gate_clear (&gate);
  aex_test_shutdown (pool);
}

/* --- what the function returns */
static gboolean
job_false_without_error (AexPending   *job,
                         GCancellable *cancellable,
                         gpointer      user_data,
                         GError      **error)
{
  return FALSE;
}

static gboolean
job_nothing (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  return TRUE;
}

static void
test_return_values (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) nothing = aex_executor_submit (pool, job_nothing, NULL, NULL);
  g_autoptr (AexPending) failure = aex_executor_submit (pool, job_false_without_error, NULL, NULL);

  aex_test_wait (nothing);
  aex_assert_resolved_empty (nothing);
  aex_test_wait (failure);
  aex_assert_state (failure, REJECTED);
  aex_assert_failed_with (failure, AEX_ERROR, AEX_ERROR_FAILED);
  aex_test_shutdown (pool);
}

/* --- submit_async */
static AexPending *
async_follow (AexPending   *job,
              GCancellable *cancellable,
              gpointer      other,
              GError      **error)
{
  return other != NULL ? g_object_ref (other) : NULL;
}

static AexPending *
async_fail (AexPending   *job,
            GCancellable *cancellable,
            gpointer      other,
            GError      **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception");
  return NULL;
}

static void
test_submit_async (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) follows = aex_executor_submit_async (pool, async_follow, promise, NULL);
  g_autoptr (AexPending) empty = aex_executor_submit_async (pool, async_follow, NULL, NULL);
  g_autoptr (AexPending) fails = aex_executor_submit_async (pool, async_fail, NULL, NULL);

  /* The pool has one worker: what comes behind runs, so the first holds none. */
  aex_test_wait (empty);
  aex_assert_state (empty, RESOLVED);
  aex_test_wait (fails);
  aex_assert_failed_with (fails, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_false (aex_pending_is_done (follows));
  aex_pending_resolve_int64 (promise, 8);
  aex_test_wait (follows);
  aex_assert_resolved_int64 (follows, 8);
  aex_test_shutdown (pool);
}

static void
test_submit_async_cancel (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) follows = aex_executor_submit_async (pool, async_follow, promise, NULL);
  g_autoptr (AexPending) behind = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);

  aex_test_wait (behind);
  g_assert_true (aex_pending_cancel (follows, "enough"));
  aex_test_wait (follows);
  aex_assert_cancelled (follows);
  /* Nobody else depends on what was followed. */
  aex_test_wait (promise);
  aex_assert_cancelled (promise);
  aex_test_shutdown (pool);
}

/* --- post */
static void
test_post (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexRecord record;
  g_autoptr (AexPending) last = NULL;

  aex_record_init (&record);
  aex_executor_post (pool, aex_note_post, aex_note_new (&record, "a"), aex_note_free);
  aex_executor_post (pool, aex_note_post, aex_note_new (&record, "b"), aex_note_free);
  last = aex_submit_note (pool, &record, "c");
  aex_test_wait (last);
  aex_assert_record (&record, "a b c");
  g_assert_true (aex_record_get_thread (&record, 0) != g_thread_self ());
  aex_record_clear (&record);
  aex_test_shutdown (pool);
}

/* E9: the work itself can ask where it runs. */
static gboolean
job_runs_here (AexPending   *job,
               GCancellable *cancellable,
               gpointer      executor,
               GError      **error)
{
  g_autoptr (AexCaller) current = aex_caller_ref_current (error);

  if (current == NULL)
    return FALSE;
  g_assert_true ((gpointer) current == executor);
  aex_pending_resolve_boolean (job, aex_executor_runs_here (executor));
  return TRUE;
}

static void
test_runs_here (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  AexExecutor *caller = new_caller ();
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (caller, job_runs_here, caller, NULL);

  g_assert_true (aex_executor_runs_here (AEX_EXECUTOR (main_caller)));
  g_assert_false (aex_executor_runs_here (caller));
  g_assert_false (aex_executor_runs_here (pool));
  aex_test_wait (job);
  g_assert_true (aex_pending_get_boolean (job, NULL));
  aex_test_shutdown (pool);
  aex_test_shutdown (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/executor/K23/never-inline", test_never_inline);
  aex_test_add_in_context ("/executor/K23/context-copied", test_context_copied_caller);
  aex_test_add_in_context ("/executor/E2/context-copied", test_context_copied_pool);
  aex_test_add ("/executor/S5/success", test_run_success);
  aex_test_add ("/executor/S5/error", test_run_error);
  aex_test_add ("/executor/S5/parallel", test_run_parallel);
  aex_test_add ("/executor/S5/nested-own-loop", test_run_nested_own_loop);
  aex_test_add ("/executor/S5/loop-of-this-thread", test_run_on_main_loop_of_this_thread);
  aex_test_add ("/executor/S5/from-event-loop", test_run_from_event_loop);
  aex_test_add ("/executor/S5/claims", test_run_claims);
  aex_test_add ("/executor/S5/cancelled", test_run_cancelled);
  aex_test_add ("/executor/S6/async-run", test_async_run);
  aex_test_add ("/executor/E3/submit-and-wait", test_submit_and_wait);
  aex_test_add ("/executor/E3/after-shutdown", test_after_shutdown);
  aex_test_add ("/executor/E12/abandon", test_abandon);
  aex_test_add ("/executor/R2/return-values", test_return_values);
  aex_test_add ("/executor/submit-async/follows", test_submit_async);
  aex_test_add ("/executor/submit-async/cancel", test_submit_async_cancel);
  aex_test_add ("/executor/post/in-order", test_post);
  aex_test_add ("/executor/E9/runs-here", test_runs_here);
  return aex_test_run ();
}
