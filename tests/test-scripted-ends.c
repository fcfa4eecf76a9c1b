/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-keeper-test.h"
#include "executor/aex-core-private.h"

/* An executor of a user whose context is gone, or that breaks its own promises. */

/* --- nobody will ever run its context */
static gpointer
make_in_lost_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  AexExecutor *self;

  g_main_context_push_thread_default (context);
  self = keeper_new (FALSE);
  g_main_context_pop_thread_default (context);
  return self;
}

static void
test_context_is_gone (void)
{
  AexExecutor *keeper = g_thread_join (g_thread_new ("maker", make_in_lost_context, NULL));
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) done = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  job = aex_executor_submit (keeper, aex_poison_job, &poison, aex_poison_release);
  aex_test_run_until_done (job);
  aex_assert_state (job, CANCELLED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpuint (TEST_KEEPER (keeper)->kept->len, ==, 0);
  done = aex_executor_shutdown (keeper, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_run_until_done (done);
  aex_assert_state (done, RESOLVED);
  g_object_unref (keeper);
}

/* --- it runs a job after everything was cancelled, see check_late_start() of test-executor-shutdown */
static void
test_late_start (void)
{
  AexExecutor *keeper = keeper_new (TRUE);
  g_autoptr (AexPending) late = aex_executor_submit (keeper, aex_job_until_cancelled, NULL, NULL);

  atomic_fetch_or (&aex_executor_get_core (keeper)->shutdown_flags,
                   AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  run_kept (keeper);
  aex_assert_cancelled (late);
  aex_test_shutdown (keeper);
}

/* --- limits */
static gboolean
on_busy (AexExecutor *executor,
         AexPending  *pending,
         GError      *error,
         gpointer     n_called)
{
  g_assert_error (error, AEX_ERROR, AEX_ERROR_BUSY);
  (*(int *) n_called)++;
  return TRUE;
}

static void
test_busy (void)
{
  AexExecutor *keeper = keeper_new (TRUE);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  AexRecord record;
  int n_called = 0;

  aex_record_init (&record);
  g_signal_connect (keeper, "unhandled-error", G_CALLBACK (on_busy), &n_called);
  aex_executor_set_max_pending (keeper, 1);
  first = aex_submit_note (keeper, &record, "first");
  second = aex_submit_note (keeper, &record, "second");
  aex_assert_failed_with (second, AEX_ERROR, AEX_ERROR_BUSY);
  aex_executor_post (keeper, aex_note_post, aex_note_new (&record, "third"), aex_note_free);
  aex_test_iterate_until (aex_test_is_set, &n_called);
  run_kept (keeper);
  aex_assert_record (&record, "first");
  aex_test_shutdown (keeper);
  aex_record_clear (&record);
}

/* A closed one drops what is posted without a word. */
static void
test_post_when_closed (void)
{
  AexExecutor *keeper = keeper_new (TRUE);
  g_autoptr (AexPending) done = aex_executor_shutdown (keeper, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPending) refused = NULL;
  AexRecord record;

  aex_record_init (&record);
  aex_test_run_until_done (done);
  aex_executor_post (keeper, aex_note_post, aex_note_new (&record, "late"), aex_note_free);
  refused = aex_submit_note (keeper, &record, "late");
  aex_assert_failed_with (refused, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_drain ();
  aex_assert_record (&record, "");
  g_object_unref (keeper);
  aex_record_clear (&record);
}

/* --- a shutdown() that gives nothing */
static void
check_bad_shutdown (gboolean anywhere)
{
  AexExecutor *keeper = keeper_new (anywhere);
  g_autoptr (AexPending) done = NULL;

  TEST_KEEPER (keeper)->shuts_down_badly = TRUE;
  done = aex_executor_shutdown (keeper, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_run_until_done (done);
  aex_assert_state (done, REJECTED);
  aex_assert_failed_with (done, AEX_ERROR, AEX_ERROR_FAILED);
  TEST_KEEPER (keeper)->shuts_down_badly = FALSE;
  aex_test_shutdown (keeper);
}

static void
test_bad_shutdown (void)
{
  check_bad_shutdown (FALSE);
  check_bad_shutdown (TRUE);
}

/* --- a job that waits for something else, where the user runs it */
static gpointer
resolve_promise (gpointer promise)
{
  aex_pending_resolve_int64 (promise, 4);
  g_object_unref (promise);
  return NULL;
}

static gboolean
job_wait (AexPending   *job,
          GCancellable *cancellable,
          gpointer      promise,
          GError      **error)
{
  g_autoptr (GThread) helper = g_thread_new ("helper", resolve_promise, g_object_ref (promise));
  gboolean ok = aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, -1, NULL, error);

  g_thread_join (g_steal_pointer (&helper));
  if (ok)
    aex_pending_resolve_int64 (job, aex_pending_get_int64 (promise, NULL) + 1);
  return ok;
}

static void
test_waits_inside (void)
{
  AexExecutor *keeper = keeper_new (TRUE);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit (keeper, job_wait, promise, NULL);

  run_kept (keeper);
  aex_assert_resolved_int64 (job, 5);
  aex_test_shutdown (keeper);
}

/* --- what is built on it */
static void
test_limiter_on_it (void)
{
  AexExecutor *keeper = keeper_new (TRUE);
  AexExecutor *limiter = aex_limiter_new (keeper, 2);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  G_GNUC_UNUSED g_autoptr (AexPendingStream) stream = NULL;
  AexRecord record;

  aex_record_init (&record);
  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "x"));
  /* The third has no slot. */
  g_assert_cmpuint (TEST_KEEPER (keeper)->kept->len, ==, 2);
  g_assert_true (aex_pending_set_priority (jobs->pdata[2], AEX_PRIORITY_HIGH));
  /* A user's executor has no priorities: the jobs that it was given stay where they are. */
  g_assert_true (aex_pending_set_priority (jobs->pdata[1], AEX_PRIORITY_HIGH));
  run_kept (keeper);
  for (guint i = 0; i < 3; i++)
    aex_assert_state (jobs->pdata[i], RESOLVED);
  aex_assert_record (&record, "x x x");
  aex_test_shutdown (limiter);
  aex_test_shutdown (keeper);
  aex_record_clear (&record);
}

/* The wrapped one has stopped in the meantime: what waits ends, and says why. */
static void
test_limiter_on_a_stopped_one (void)
{
  AexExecutor *keeper = keeper_new (TRUE);
  AexExecutor *limiter = aex_limiter_new (keeper, 1);
  g_autoptr (AexPending) first = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) second = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);
  g_autoptr (AexPending) done = aex_executor_shutdown (keeper, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);

  aex_test_run_until_done (first);
  aex_test_run_until_done (second);
  aex_assert_failed_with (first, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_assert_failed_with (second, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_run_until_done (done);
  aex_test_shutdown (limiter);
  g_object_unref (keeper);
}

/* --- run for what is no job */

/* It has no function; what it has in that place says where it ends, and stays. */
static void
test_run_promise (void)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (task, G_TYPE_INT64);
  g_autoptr (GError) error = NULL;

  aex_pending_run (pending);
  aex_assert_state (pending, RUNNING);
  g_assert_false (aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, 1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  g_task_return_int (task, 7);
  aex_test_run_until_done (pending);
  aex_assert_resolved_int64 (pending, 7);
}

/* What it holds of its group goes with it. */
static void
test_run_join (void)
{
  AexPendingGroup *group = aex_pending_group_new (AEX_GROUP_MODE_QUIET);
  int n_before = aex_live_get (AEX_LIVE_TRACKER);
  AexPending *member = aex_pending_new ();
  AexPending *end;

  aex_pending_group_add (group, member);
  end = aex_pending_group_join (group);
  aex_pending_run (end);
  aex_assert_state (end, RUNNING);
  g_object_unref (group);
  aex_pending_resolve (member, NULL);
  g_object_unref (member);
  aex_test_run_until_done (end);
  aex_assert_state (end, RESOLVED);
  g_assert_cmpint (aex_live_get (AEX_LIVE_TRACKER), ==, n_before);
  g_object_unref (end);
  g_assert_cmpint (aex_live_get (AEX_LIVE_TRACKER), ==, n_before - 1);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/scripted/I1/context-is-gone", test_context_is_gone);
  aex_test_add ("/scripted/E6/late-start", test_late_start);
  aex_test_add ("/scripted/max-pending/busy", test_busy);
  aex_test_add ("/scripted/K38/closed", test_post_when_closed);
  aex_test_add ("/scripted/S11/shutdown-without-pending", test_bad_shutdown);
  aex_test_add ("/scripted/run/waits-inside", test_waits_inside);
  aex_test_add ("/scripted/E8/limiter-on-it", test_limiter_on_it);
  aex_test_add ("/scripted/E8/limiter-on-a-stopped-one", test_limiter_on_a_stopped_one);
  aex_test_add ("/scripted/R10/run-promise", test_run_promise);
  aex_test_add ("/scripted/R10/run-join", test_run_join);
  return aex_test_run ();
}
