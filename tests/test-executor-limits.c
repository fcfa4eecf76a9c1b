/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* max-pending, counts, states, the default executor. */

static void
test_busy (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  g_autoptr (AexPending) refused = NULL;
  g_autoptr (AexPending) again = NULL;
  AexPoison poison;

  aex_executor_set_max_pending (pool, 2);
  g_assert_cmpuint (aex_executor_get_max_pending (pool), ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL));
      aex_assert_state (jobs->pdata[i], QUEUED);
    }
  aex_poison_init (&poison);
  poison.thread = NULL;
  refused = aex_executor_submit (pool, aex_poison_job, &poison, aex_poison_release);
  aex_assert_state (refused, REJECTED);
  aex_assert_failed_with (refused, AEX_ERROR, AEX_ERROR_BUSY);
  /* A cancelled job counts no more, although its entry is still there. */
  g_assert_true (aex_pending_cancel (jobs->pdata[0], NULL));
  again = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (2), NULL);
  aex_assert_state (again, QUEUED);
  aex_block_end (&block, blocker);
  aex_test_wait (again);
  aex_assert_resolved_int64 (again, 2);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  aex_test_shutdown (pool);
}

static gboolean
on_busy (AexExecutor *executor,
         AexPending  *pending,
         GError      *error,
         gpointer     n_called)
{
  g_assert_null (pending);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_BUSY);
  g_atomic_int_inc ((int *) n_called);
  return TRUE;
}

static void
test_busy_post (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  AexRecord record;
  int n_called = 0;

  aex_record_init (&record);
  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_busy), &n_called);
  aex_executor_set_max_pending (pool, 1);
  aex_executor_post (pool, aex_note_post, aex_note_new (&record, "first"), aex_note_free);
  aex_executor_post (pool, aex_note_post, aex_note_new (&record, "second"), aex_note_free);
  aex_test_iterate_until (aex_test_is_set, &n_called);
  aex_block_end (&block, blocker);
  aex_test_shutdown (pool);
  aex_assert_record (&record, "first");
  g_assert_cmpint (n_called, ==, 1);
  aex_record_clear (&record);
}

/* The limit was lowered below what is there: that stays. */
static void
test_lower_limit (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL));
  aex_executor_set_max_pending (pool, 3);
  g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, NULL, NULL));
  aex_assert_state (jobs->pdata[10], REJECTED);
  aex_assert_failed_with (jobs->pdata[10], AEX_ERROR, AEX_ERROR_BUSY);
  /* 0 is unlimited again. */
  aex_executor_set_max_pending (pool, 0);
  g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL));
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  for (guint i = 0; i < 12; i++)
    {
      if (i != 10)
        aex_assert_resolved_int64 (jobs->pdata[i], 1);
    }
  aex_test_shutdown (pool);
}

/* Rule 10: a continuation goes through although the queue is full. */
static AexPending *
then_int (AexPending *done,
          gpointer    value,
          GError    **error)
{
  g_auto (GValue) result = G_VALUE_INIT;

  g_value_init (&result, G_TYPE_INT64);
  g_value_set_int64 (&result, GPOINTER_TO_INT (value));
  return aex_pending_new_resolved (&result);
}

static gboolean
job_attach_then (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      promise,
                 GError      **error)
{
  g_autoptr (AexPending) derived = aex_pending_then (promise, then_int, GINT_TO_POINTER (4), NULL);

  aex_pending_resolve_object (job, derived);
  return TRUE;
}

static void
test_internal_work_goes_through (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) attach = aex_executor_submit (pool, job_attach_then, promise, NULL);
  g_autoptr (AexPending) derived = NULL;
  g_autoptr (AexPending) queued = NULL;
  g_autoptr (AexPending) refused = NULL;

  aex_test_wait (attach);
  derived = aex_pending_dup_object (attach, NULL);
  blocker = aex_block_begin (&block, pool);
  aex_executor_set_max_pending (pool, 1);
  queued = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  refused = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_assert_failed_with (refused, AEX_ERROR, AEX_ERROR_BUSY);
  aex_pending_resolve_int64 (promise, 1);
  aex_block_end (&block, blocker);
  aex_test_wait (derived);
  aex_assert_resolved_int64 (derived, 4);
  aex_test_shutdown (pool);
}

/* --- counts */
static void
test_counts (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  guint n_pending, n_running;

  g_assert_cmpuint (aex_executor_get_n_running (pool), ==, 1);
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 0);
  for (guint i = 0; i < 5; i++)
    {
      g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, NULL, NULL));
      g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, i + 1);
    }
  g_object_get (pool, "n-pending", &n_pending, "n-running", &n_running, NULL);
  g_assert_cmpuint (n_pending, ==, 5);
  g_assert_cmpuint (n_running, ==, 1);
  aex_pending_cancel (jobs->pdata[2], NULL);
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 4);
  g_assert_true (aex_pending_cancel_queued (jobs->pdata[3]));
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 3);
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 0);
  g_object_ref (pool);
  aex_test_shutdown (pool);
  g_assert_cmpuint (aex_executor_get_n_running (pool), ==, 0);
  g_object_unref (pool);
}

static void
test_counts_on_a_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  AexExecutor *executor = AEX_EXECUTOR (caller);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  guint before = aex_executor_get_n_pending (executor);

  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (jobs, aex_executor_submit (executor, aex_job_int, NULL, NULL));
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, before + 3);
  aex_pending_cancel (jobs->pdata[0], NULL);
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, before + 2);
  aex_test_run_until_done (jobs->pdata[2]);
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, before);
  g_assert_cmpuint (aex_executor_get_n_running (executor), ==, 0);
}

/* --- state and name */
static void
on_state (AexExecutor *pool,
          GParamSpec  *pspec,
          gpointer     record)
{
  g_autofree char *text = g_strdup_printf ("%d", aex_executor_get_state (pool));

  g_assert_true (g_main_depth () > 0);
  aex_record_add (record, text);
}

static void
test_state (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexRecord record;
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) done = NULL;
  guint length;

  aex_record_init (&record);
  g_signal_connect (pool, "notify::state", G_CALLBACK (on_state), &record);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_INITIAL);
  blocker = aex_block_begin (&block, pool);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_RUNNING);
  done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_STOPPING);
  /* On the owner context, in a dispatch, not here. */
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  aex_block_end (&block, blocker);
  aex_test_run_until_done (done);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_STOPPED);
  aex_test_drain ();
  length = aex_record_get_length (&record);
  g_assert_cmpuint (length, >, 0);
  {
    g_autofree char *text = aex_record_dup_text (&record);

    g_assert_true (g_str_has_suffix (text, "3"));
  }
  g_object_unref (pool);
  aex_record_clear (&record);
}

static void
test_name (void)
{
  g_autoptr (AexExecutor) named = g_object_new (AEX_TYPE_THREAD_POOL, "name", "resizer", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (AexCaller) caller = aex_caller_new_thread ("loop of the tests", &error);
  g_autoptr (AexPending) stopped = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (aex_executor_get_name (named), ==, "resizer");
  g_assert_cmpstr (aex_executor_get_name (AEX_EXECUTOR (caller)), ==, "loop of the tests");
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_run_until_done (stopped);
}

/* E1: construction starts nothing. */
static void
test_starts_nothing (void)
{
  g_autoptr (AexCensus) before = aex_census_take ();
  AexExecutor *pool = aex_test_pool (4);

  g_assert_cmpuint (aex_thread_pool_get_n_workers (AEX_THREAD_POOL (pool)), ==, 0);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_INITIAL);
  aex_assert_last_unref (pool);
  g_assert_true (aex_census_settle (before, FALSE, "a pool that was never used"));
}

static void
test_invalid_executor (void)
{
  GObject *object = aex_test_object_new (NULL);
  AexPending *job = NULL;

  g_test_expect_message ("AsyncExec", G_LOG_LEVEL_CRITICAL, "*AEX_IS_EXECUTOR*");
  job = aex_executor_submit ((AexExecutor *) object, aex_job_int, NULL, NULL);
  g_test_assert_expected_messages ();
  g_assert_null (job);
  g_object_unref (object);
}

/* --- the default executor */
static void
test_default (void)
{
  AexExecutor *first = aex_executor_ref_default ();
  AexExecutor *second = aex_executor_ref_default ();
  g_autoptr (AexPending) job = NULL;

  g_assert_true (first == second);
  g_object_unref (second);
  g_assert_true (AEX_IS_THREAD_POOL (first));
  job = aex_executor_submit (first, aex_job_int, GINT_TO_POINTER (42), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 42);
  g_assert_cmpuint (aex_thread_pool_get_max_workers (AEX_THREAD_POOL (first)), >=, 1);
  g_assert_cmpuint (aex_thread_pool_get_max_workers (AEX_THREAD_POOL (first)), <=, g_get_num_processors ());
  aex_executor_set_default (NULL);
  aex_test_shutdown (first);
}

static void
test_set_default (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *found;

  aex_executor_set_default (pool);
  found = aex_executor_ref_default ();
  g_assert_true (found == pool);
  g_object_unref (found);
  aex_executor_set_default (NULL);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/executor/max-pending/busy", test_busy);
  aex_test_add ("/executor/max-pending/post", test_busy_post);
  aex_test_add ("/executor/max-pending/lowered", test_lower_limit);
  aex_test_add ("/executor/max-pending/internal-work-goes-through", test_internal_work_goes_through);
  aex_test_add ("/executor/counts/pool", test_counts);
  aex_test_add ("/executor/counts/caller", test_counts_on_a_caller);
  aex_test_add ("/executor/K15-R5/state", test_state);
  aex_test_add ("/executor/name", test_name);
  aex_test_add ("/executor/E1/starts-nothing", test_starts_nothing);
  aex_test_add ("/executor/E1/invalid-executor", test_invalid_executor);
  aex_test_add ("/executor/S18/default", test_default);
  aex_test_add ("/executor/S18/swap", test_set_default);
  return aex_test_run ();
}
