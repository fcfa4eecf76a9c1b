/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <string.h>

/* I8, rule 7: an error that nobody looked at is reported exactly once. */

typedef struct
{
  GThread    *thread;         /* where the handler must run */
  gboolean    handles;
  int         n_called;       /* atomic */
  int         n_with_pending; /* atomic */
  GError     *error;          /* of the last call */
} Reports;

static gboolean
on_unhandled_error (AexExecutor *executor,
                    AexPending  *pending,
                    GError      *error,
                    gpointer     user_data)
{
  Reports *self = user_data;

  g_assert_true (AEX_IS_EXECUTOR (executor));
  g_assert_true (g_thread_self () == self->thread);
  g_assert_nonnull (error);
  g_clear_error (&self->error);
  self->error = g_error_copy (error);
  if (pending != NULL)
    g_atomic_int_inc (&self->n_with_pending);
  g_atomic_int_inc (&self->n_called);
  return self->handles;
}

static AexExecutor *
pool_with_reports (Reports *reports)
{
  AexExecutor *pool = aex_test_pool (1);

  reports->thread = g_thread_self ();
  reports->handles = TRUE;
  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled_error), reports);
  return pool;
}

/* What was submitted before has run, and what that posted has been delivered. */
static void
settle (AexExecutor *executor)
{
  g_autoptr (AexPending) last = aex_executor_submit (executor, aex_job_int, NULL, NULL);

  aex_test_run_until_done (last);
  aex_test_drain ();
}

static void
finish (AexExecutor *pool,
        Reports     *reports)
{
  aex_test_shutdown (pool);
  aex_test_drain ();
  g_clear_error (&reports->error);
}

/* --- what is reported */
static void
test_dropped (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);

  g_object_unref (aex_executor_submit (pool, aex_job_fail, NULL, NULL));
  aex_test_iterate_until (aex_test_is_set, &reports.n_called);
  g_assert_error (reports.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpstr (reports.error->message, ==, "Test exception");
  settle (pool);
  g_assert_cmpint (reports.n_called, ==, 1);
  finish (pool, &reports);
  g_assert_cmpint (reports.n_called, ==, 1);
}

static void
test_kept_until_the_executor_ends (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  g_autoptr (AexPending) kept = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  settle (pool);
  g_assert_cmpint (reports.n_called, ==, 0);
  g_object_ref (pool);
  aex_test_shutdown (pool);
  g_object_unref (pool);
  aex_test_drain ();
  g_clear_object (&kept);
  aex_test_drain ();
  log = aex_test_log_end ();
  /* Once, and where nobody can handle it any more, in the log. */
  g_assert_cmpint (reports.n_called + (int) log->len, ==, 1);
  g_clear_error (&reports.error);
}

static gboolean
post_fail (gpointer user_data,
           GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "post failed");
  return FALSE;
}

static void
test_post (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);

  aex_executor_post (pool, post_fail, NULL, NULL);
  aex_test_iterate_until (aex_test_is_set, &reports.n_called);
  g_assert_cmpint (reports.n_with_pending, ==, 0);
  g_assert_error (reports.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpstr (reports.error->message, ==, "post failed");
  finish (pool, &reports);
}

static gboolean
job_resolve_then_fail (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      user_data,
                       GError      **error)
{
  g_assert_true (aex_pending_resolve_int64 (job, 3));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "too late");
  return FALSE;
}

/* Rule 1: the first outcome wins, the error behind it is not lost. */
static void
test_error_behind_outcome (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_resolve_then_fail, NULL, NULL);

  aex_test_iterate_until (aex_test_is_set, &reports.n_called);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 3);
  g_assert_cmpstr (reports.error->message, ==, "too late");
  g_assert_cmpint (reports.n_called, ==, 1);
  finish (pool, &reports);
}

/* A derived pending takes the error over; dropped in its turn, it reports. */
static void
test_passed_on_then_dropped (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  AexPending *job = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  AexPending *shield = aex_pending_shield (job);
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  aex_test_run_until_done (shield);
  g_object_unref (job);
  settle (pool);
  g_assert_cmpint (reports.n_called, ==, 0);
  g_object_unref (shield);
  finish (pool, &reports);
  log = aex_test_log_end ();
  g_assert_cmpint (reports.n_called + (int) log->len, ==, 1);
}

/* --- what is not */
static void
test_observed (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  AexPending *read = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  AexPending *waited = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (waited, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  aex_test_wait (read);
  aex_assert_failed_with (read, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_object_unref (waited);
  g_object_unref (read);
  settle (pool);
  g_assert_cmpint (reports.n_called, ==, 0);
  finish (pool, &reports);
  g_assert_cmpint (reports.n_called, ==, 0);
}

/* Waiting without looking at the result is no observation. */
static void
test_no_result_is_unobserved (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  AexPending *job = aex_executor_submit (pool, aex_job_fail, NULL, NULL);

  aex_test_wait (job);
  g_object_unref (job);
  aex_test_iterate_until (aex_test_is_set, &reports.n_called);
  g_assert_cmpint (reports.n_called, ==, 1);
  finish (pool, &reports);
}

static void
test_cancelled (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  AexPending *queued = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  AexPending *running;

  g_assert_true (aex_pending_cancel (queued, NULL));
  g_object_unref (queued);
  aex_block_end (&block, blocker);
  running = aex_executor_submit (pool, aex_job_until_cancelled, NULL, NULL);
  g_assert_true (aex_pending_cancel (running, NULL));
  aex_test_wait (running);
  g_object_unref (running);
  settle (pool);
  finish (pool, &reports);
  g_assert_cmpint (reports.n_called, ==, 0);
}

/* --- where */
static void
fail_on_pool (gpointer pool,
              gpointer unused)
{
  aex_executor_post (pool, post_fail, NULL, NULL);
}

static void
make_pool (gpointer pool,
           gpointer reports)
{
  *(AexExecutor **) pool = pool_with_reports (reports);
}

static gboolean
reported_in_thread (gpointer reports)
{
  return g_atomic_int_get (&((Reports *) reports)->n_called) > 0;
}

static void
wait_for_report (gpointer reports,
                 gpointer unused)
{
  aex_test_iterate_until (reported_in_thread, reports);
}

static void
shut_pool (gpointer pool,
           gpointer unused)
{
  aex_test_shutdown (pool);
}

/* Rule 4: the owner context is that of the construction. */
static void
test_on_owner_context (void)
{
  AexLoopThread *thread = aex_loop_thread_new ();
  AexExecutor *pool = NULL;
  Reports reports = { 0 };

  aex_loop_thread_call (thread, make_pool, &pool, &reports);
  g_assert_true (reports.thread == aex_loop_thread_get_thread (thread));
  fail_on_pool (pool, NULL);
  aex_loop_thread_call (thread, wait_for_report, &reports, NULL);
  g_assert_cmpint (reports.n_called, ==, 1);
  aex_loop_thread_call (thread, shut_pool, pool, NULL);
  aex_loop_thread_free (thread);
  g_clear_error (&reports.error);
}

/* --- the log */
static gboolean
log_mentions (GPtrArray  *log,
              const char *text)
{
  for (guint i = 0; i < log->len; i++)
    {
      const char *message = aex_log_entry_get (log, i, "MESSAGE");

      if (message != NULL && strstr (message, text) != NULL)
        return TRUE;
    }
  return FALSE;
}

static guint
drop_one_failure (gboolean handled,
                  gboolean connected)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  g_autoptr (GPtrArray) log = NULL;
  guint n;

  reports.handles = handled;
  if (!connected)
    g_signal_handlers_disconnect_by_data (pool, &reports);
  aex_test_log_begin ();
  g_object_unref (aex_executor_submit (pool, aex_job_fail, NULL, NULL));
  settle (pool);
  finish (pool, &reports);
  log = aex_test_log_end ();
  n = log->len;
  if (n > 0)
    g_assert_true (log_mentions (log, "Test exception"));
  return n;
}

static void
test_log_unless_handled (void)
{
  g_assert_cmpuint (drop_one_failure (TRUE, TRUE), ==, 0);
  g_assert_cmpuint (drop_one_failure (FALSE, TRUE), ==, 1);
  g_assert_cmpuint (drop_one_failure (FALSE, FALSE), ==, 1);
}

static void
note_unhandled (AexExecutor  *executor,
                AexPending   *pending,
                const GError *error,
                gpointer      user_data)
{
  g_assert_true (AEX_IS_EXECUTOR (executor));
  g_assert_nonnull (pending);
  g_assert_true (g_main_context_is_owner (g_main_context_default ()));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  ++*(int *) user_data;
}

static void
note_destroyed (gpointer user_data)
{
  *(int *) user_data += 100;
}

/* A binding's way to show it: for what no handler took care of, and instead of the log. */
static void
test_unhandled_func (void)
{
  int n_told = 0;

  aex_executor_set_unhandled_func (note_unhandled, &n_told, note_destroyed);
  g_assert_cmpuint (drop_one_failure (TRUE, TRUE), ==, 0);
  g_assert_cmpint (n_told, ==, 0);
  g_assert_cmpuint (drop_one_failure (FALSE, TRUE), ==, 0);
  g_assert_cmpint (n_told, ==, 1);
  aex_executor_set_unhandled_func (NULL, NULL, NULL);
  g_assert_cmpint (n_told, ==, 101);
  g_assert_cmpuint (drop_one_failure (FALSE, TRUE), ==, 1);
}

/* Nobody runs the owner context any more: the log has it all the same. */
static void
test_log_without_executor (void)
{
  g_autoptr (GPtrArray) log = NULL;
  AexPending *promise = aex_pending_new ();

  aex_test_log_begin ();
  aex_pending_reject_new (promise, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception");
  g_object_unref (promise);
  aex_test_drain ();
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_true (log_mentions (log, "Test exception"));
}

static void
test_hundred_percent (void)
{
  Reports reports = { 0 };
  AexExecutor *pool = pool_with_reports (&reports);
  int n = (int) aex_test_scale (10000);

  for (int i = 0; i < n; i++)
    g_object_unref (aex_executor_submit (pool, aex_job_fail, NULL, NULL));
  settle (pool);
  finish (pool, &reports);
  g_assert_cmpint (reports.n_called, ==, n);
  g_test_message ("figure: unobserved errors=%d reports=%d", n, reports.n_called);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/executor/I8/dropped", test_dropped);
  aex_test_add ("/executor/I8/kept-until-the-executor-ends", test_kept_until_the_executor_ends);
  aex_test_add ("/executor/I8/post", test_post);
  aex_test_add ("/executor/I8/error-behind-outcome", test_error_behind_outcome);
  aex_test_add ("/executor/I8/passed-on-then-dropped", test_passed_on_then_dropped);
  aex_test_add ("/executor/I8/observed", test_observed);
  aex_test_add ("/executor/I8/no-result-is-unobserved", test_no_result_is_unobserved);
  aex_test_add ("/executor/I8/cancelled", test_cancelled);
  aex_test_add ("/executor/I8-R5/on-owner-context", test_on_owner_context);
  aex_test_add ("/executor/I8/log-unless-handled", test_log_unless_handled);
  aex_test_add ("/executor/X4/aex_executor_set_unhandled_func", test_unhandled_func);
  aex_test_add ("/executor/I8/log-without-executor", test_log_without_executor);
  aex_test_add ("/executor/I8-X17/hundred-percent", test_hundred_percent);
  return aex_test_run ();
}
