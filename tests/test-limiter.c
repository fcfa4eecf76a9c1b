/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-limits.h"

/* E1-E12 where an executor that bounds another one differs: slots. */

/* --- E1, E8, E9 */
static void
test_over_anything (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexExecutor *inner = aex_test_limiter (pool, 2);
  AexExecutor *limiter = aex_test_limiter (inner, 1);
  g_autoptr (AexPending) job = NULL;

  g_assert_cmpuint (aex_thread_pool_get_n_workers (AEX_THREAD_POOL (pool)), ==, 0);
  g_assert_cmpint (aex_executor_get_state (limiter), ==, AEX_EXECUTOR_STATE_INITIAL);
  job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (7), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 7);
  aex_test_shutdown (limiter);
  aex_test_shutdown (inner);
  aex_test_shutdown (pool);
}

static void
test_not_an_executor (void)
{
  AexExecutor *pool = aex_test_pool (1);

  if (g_test_subprocess ())
    {
      aex_limiter_new (pool, 0);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*max_concurrent > 0*");
  aex_test_shutdown (pool);
}

static void
test_wrapped (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 3);
  g_autoptr (AexExecutor) found = NULL;
  guint max;

  g_assert_true (aex_limiter_get_wrapped (AEX_LIMITER (limiter)) == pool);
  g_object_get (limiter, "wrapped", &found, "max-concurrent", &max, NULL);
  g_assert_true (found == pool);
  g_assert_cmpuint (max, ==, 3);
  aex_test_shut_down (limiter);
  /* Also afterwards, and open. */
  g_assert_true (aex_limiter_get_wrapped (AEX_LIMITER (limiter)) == pool);
  g_assert_cmpint (aex_executor_get_state (pool), !=, AEX_EXECUTOR_STATE_STOPPED);
  g_object_unref (limiter);
  g_clear_object (&found);
  aex_test_shutdown (pool);
}

static void
test_wraps_default (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexLimiter *limiter;

  aex_executor_set_default (pool);
  limiter = g_object_new (AEX_TYPE_LIMITER, NULL);
  g_assert_true (aex_limiter_get_wrapped (limiter) == pool);
  g_assert_cmpuint (aex_limiter_get_max_concurrent (limiter), ==, 1);
  aex_executor_set_default (NULL);
  g_object_unref (limiter);
  aex_test_shutdown (pool);
}

static gboolean
job_is_on (AexPending   *job,
           GCancellable *cancellable,
           gpointer      executor,
           GError      **error)
{
  aex_pending_resolve_boolean (job, aex_executor_runs_here (executor));
  return TRUE;
}

static void
test_runs_here (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  AexExecutor *limiter = aex_test_limiter (AEX_EXECUTOR (main_caller), 1);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, job_is_on, limiter, NULL);
  AexExecutor *pooled = aex_test_limited_pool (1, 1);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_executor_runs_here (limiter));
  g_assert_false (aex_executor_runs_here (pooled));
  g_assert_false (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_get_boolean (job, NULL));
  g_object_unref (limiter);
  aex_test_shutdown (pooled);
}

/* --- E11: from outside into a loop, and from the loop itself */
typedef struct
{
  AexExecutor *limiter;
  GThread     *ran_on;
  int          over;       /* atomic */
} Outside;

static gpointer
run_from_outside (gpointer data)
{
  Outside *outside = data;
  g_autoptr (GError) error = NULL;
  GValue *value = aex_executor_run (outside->limiter, aex_job_thread, NULL, NULL, NULL, &error);

  g_assert_no_error (error);
  outside->ran_on = g_value_get_pointer (value);
  g_boxed_free (G_TYPE_VALUE, value);
  g_atomic_int_set (&outside->over, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static void
test_outside (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  Outside outside = { .limiter = aex_test_limiter (AEX_EXECUTOR (main_caller), 1) };
  GThread *thread = g_thread_new ("outside", run_from_outside, &outside);
  g_autoptr (GError) error = NULL;

  aex_test_iterate_until (aex_test_is_set, &outside.over);
  g_thread_join (thread);
  g_assert_true (outside.ran_on == g_thread_self ());
  g_assert_null (aex_executor_run (outside.limiter, aex_job_thread, NULL, NULL, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_drain ();
  g_object_unref (outside.limiter);
}

/* --- E2: the context of the submission, not of whoever gives the slot back */
static gboolean
job_reads_var (AexPending   *job,
               GCancellable *cancellable,
               gpointer      var,
               GError      **error)
{
  g_autofree GValue *value = aex_context_var_dup_value (var);

  aex_pending_resolve_string (job, g_value_get_string (value));
  g_value_unset (value);
  return TRUE;
}

static void
set_var (AexContextVar *var,
         const char    *text)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  aex_context_token_unref (aex_context_var_set (var, &value));
  g_value_unset (&value);
}

static void
in_context (gpointer data)
{
  gpointer *arguments = data;

  set_var (arguments[0], arguments[1]);
  arguments[2] = aex_executor_submit (arguments[3], job_reads_var, arguments[0], NULL);
}

static void
test_context (void)
{
  g_autoptr (AexContextVar) var = aex_context_var_new ("who", NULL);
  AexExecutor *limiter = aex_test_limited_pool (2, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexContext) context = aex_context_new ();
  gpointer first[4] = { var, (gpointer) "first", NULL, limiter };
  gpointer second[4] = { var, (gpointer) "second", NULL, limiter };

  aex_context_run (context, in_context, first);
  aex_context_run (context, in_context, second);
  aex_block_end (&block, blocker);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (AexPending) job = i == 0 ? first[2] : second[2];
      g_autofree char *seen = NULL;

      aex_test_wait (job);
      seen = aex_pending_dup_string (job, NULL);
      g_assert_cmpstr (seen, ==, i == 0 ? "first" : "second");
    }
  aex_test_shutdown (limiter);
}

/* --- E3 */
static void
test_run (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  g_autoptr (GError) error = NULL;
  GValue *value = aex_executor_run (limiter, aex_job_int, GINT_TO_POINTER (42), NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_int64 (value), ==, 42);
  g_boxed_free (G_TYPE_VALUE, value);
  g_assert_null (aex_executor_run (limiter, aex_job_fail, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);
  aex_test_shut_down (limiter);
  g_assert_null (aex_executor_run (limiter, aex_job_int, NULL, NULL, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  g_object_unref (limiter);
}

/* --- slots */
static void
test_at_most (void)
{
  AexExecutor *limiter = aex_test_limited_pool (4, 2);
  AexBlock blocks[3];
  AexPending *jobs[3];

  for (guint i = 0; i < 3; i++)
    {
      aex_block_init (&blocks[i]);
      jobs[i] = aex_executor_submit (limiter, aex_block_job, &blocks[i], NULL);
    }
  aex_gate_wait (&blocks[0].started);
  aex_gate_wait (&blocks[1].started);
  g_assert_cmpuint (aex_executor_get_n_running (limiter), ==, 2);
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 1);
  aex_assert_state (jobs[2], QUEUED);
  aex_gate_open (&blocks[1].release);
  aex_gate_wait (&blocks[2].started);
  aex_assert_state (jobs[1], RESOLVED);
  aex_gate_open (&blocks[0].release);
  aex_gate_open (&blocks[2].release);
  for (guint i = 0; i < 3; i++)
    {
      aex_test_wait (jobs[i]);
      g_object_unref (jobs[i]);
      aex_block_clear (&blocks[i]);
    }
  g_assert_cmpuint (aex_executor_get_n_running (limiter), ==, 0);
  aex_test_shutdown (limiter);
}

/* With one slot: in order, one after the other, each done before the next one starts. */
typedef struct
{
  AexPending *before;
  AexRecord  *record;
} Link;

static gboolean
job_after (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  Link *link = data;

  aex_record_add (link->record, link->before == NULL || aex_pending_is_done (link->before) ? "." : "early");
  return TRUE;
}

static void
test_serial (void)
{
  enum { N = 500 };
  AexExecutor *limiter = aex_test_limited_pool (4, 1);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  AexRecord record;
  Link links[N];
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autofree char *text = NULL;

  aex_record_init (&record);
  for (guint i = 0; i < N; i++)
    {
      links[i] = (Link) { i > 0 ? jobs->pdata[i - 1] : NULL, &record };
      g_ptr_array_add (jobs, aex_executor_submit (limiter, job_after, &links[i], NULL));
    }
  aex_block_end (&block, blocker);
  aex_test_wait (jobs->pdata[N - 1]);
  text = aex_record_dup_text (&record);
  g_assert_null (strstr (text, "early"));
  g_assert_cmpuint (aex_record_get_length (&record), ==, N);
  aex_record_clear (&record);
  aex_test_shutdown (limiter);
}

static void
test_priorities (void)
{
  AexExecutor *limiter = aex_test_limited_pool (2, 1);
  AexRecord record;
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

  aex_record_init (&record);
  g_ptr_array_add (jobs, aex_submit_note_with_priority (limiter, AEX_PRIORITY_BACKGROUND, &record, "d"));
  g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "b"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (limiter, AEX_PRIORITY_HIGH, &record, "a"));
  g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "e"));
  g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "c"));
  g_assert_true (aex_pending_set_priority (jobs->pdata[3], AEX_PRIORITY_BACKGROUND));
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 5);
  aex_block_end (&block, blocker);
  for (guint i = 0; i < jobs->len; i++)
    aex_test_wait (jobs->pdata[i]);
  aex_assert_record (&record, "a b c d e");
  aex_record_clear (&record);
  aex_test_shutdown (limiter);
}

/* The function of a coroutine returns, its slot stays. */
static void
test_coroutine (void)
{
  AexExecutor *limiter = aex_test_limited_pool (2, 1);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) first = aex_executor_submit_async (limiter, aex_test_follow, promise, NULL);
  g_autoptr (AexPending) second = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);
  AexExecutor *pool = aex_limiter_get_wrapped (AEX_LIMITER (limiter));
  AexBlock block;

  /* Its function has returned when the only worker of the pool is free again, and what that may have caused has run when
   * it is free once more. */
  aex_thread_pool_set_max_workers (AEX_THREAD_POOL (pool), 1);
  for (guint i = 0; i < 2; i++)
    aex_block_end (&block, aex_block_begin (&block, pool));
  g_assert_cmpuint (aex_executor_get_n_running (limiter), ==, 1);
  aex_assert_state (second, QUEUED);
  aex_pending_resolve_int64 (promise, 1);
  aex_test_wait (second);
  aex_assert_resolved_int64 (first, 1);
  aex_test_shutdown (limiter);
}

static void
test_set_max (void)
{
  AexExecutor *limiter = aex_test_limited_pool (4, 1);
  AexBlock blocks[4];
  AexPending *jobs[4];

  for (guint i = 0; i < 4; i++)
    {
      aex_block_init (&blocks[i]);
      jobs[i] = aex_executor_submit (limiter, aex_block_job, &blocks[i], NULL);
    }
  aex_gate_wait (&blocks[0].started);
  aex_limiter_set_max_concurrent (AEX_LIMITER (limiter), 3);
  aex_gate_wait (&blocks[1].started);
  aex_gate_wait (&blocks[2].started);
  g_assert_cmpuint (aex_limiter_get_max_concurrent (AEX_LIMITER (limiter)), ==, 3);

  /* Fewer: as they come back. */
  aex_limiter_set_max_concurrent (AEX_LIMITER (limiter), 1);
  aex_gate_open (&blocks[0].release);
  aex_gate_open (&blocks[1].release);
  aex_test_wait (jobs[0]);
  aex_test_wait (jobs[1]);
  aex_assert_state (jobs[3], QUEUED);
  aex_gate_open (&blocks[2].release);
  aex_gate_wait (&blocks[3].started);
  aex_gate_open (&blocks[3].release);
  for (guint i = 0; i < 4; i++)
    {
      aex_test_wait (jobs[i]);
      g_object_unref (jobs[i]);
      aex_block_clear (&blocks[i]);
    }
  aex_test_shutdown (limiter);
}

static void
test_max_pending (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) first = NULL, second = NULL, permit = NULL;

  aex_executor_set_max_pending (limiter, 1);
  first = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  second = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);
  permit = aex_limiter_acquire (AEX_LIMITER (limiter));
  aex_assert_failed_with (second, AEX_ERROR, AEX_ERROR_BUSY);
  aex_assert_failed_with (permit, AEX_ERROR, AEX_ERROR_BUSY);
  aex_block_end (&block, blocker);
  aex_test_wait (first);
  aex_assert_resolved_int64 (first, 1);
  aex_test_shutdown (limiter);
}

/* --- cancelling what is queued */
static void
test_cancel_queued (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  AexExecutor *pool = aex_limiter_get_wrapped (AEX_LIMITER (limiter));
  AexPoison poison;
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) job = NULL, next = NULL;

  aex_poison_init_executor (&poison, pool);
  job = aex_executor_submit (limiter, aex_poison_job, &poison, aex_poison_release);
  next = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (3), NULL);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_assert_cancelled (job);
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 1);
  /* It frees nothing that it did not have. */
  aex_assert_state (next, QUEUED);
  aex_block_end (&block, blocker);
  aex_test_wait (next);
  aex_test_shutdown (limiter);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
}

/* A job that has a slot and waits for a worker gives it back. */
static void
test_cancel_handed (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) next = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);

  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 1);
  g_assert_true (aex_pending_cancel (job, NULL));
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 1);
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 1);
  aex_block_end (&block, blocker);
  aex_test_wait (next);
  aex_assert_resolved_int64 (next, 2);
  aex_test_shutdown (limiter);
  aex_test_shutdown (pool);
}

/* --- E10, E12, P20 */
static void
test_waits (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) queued = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);

  g_cancellable_cancel (cancellable);
  g_assert_false (aex_pending_wait (queued, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_cancelled (queued);
  g_clear_error (&error);
  /* The default gives up on what runs, and leaves it running. */
  g_assert_false (aex_pending_wait (blocker, AEX_WAIT_FLAGS_NONE, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_state (blocker, RUNNING);
  g_assert_false (aex_pending_is_cancelled (blocker));
  aex_block_end (&block, blocker);
  aex_test_shutdown (limiter);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/limiter/E1/over-anything", test_over_anything);
  aex_test_add ("/limiter/E1/not-an-executor", test_not_an_executor);
  aex_test_add ("/limiter/E1/wraps-default", test_wraps_default);
  aex_test_add ("/limiter/E2/context", test_context);
  aex_test_add ("/limiter/E3/run", test_run);
  aex_test_add ("/limiter/E8/wrapped", test_wrapped);
  aex_test_add ("/limiter/E9/runs-here", test_runs_here);
  aex_test_add ("/limiter/E10/E12/P20/waits", test_waits);
  aex_test_add ("/limiter/E11/outside", test_outside);
  aex_test_add ("/limiter/at-most", test_at_most);
  aex_test_add ("/limiter/serial", test_serial);
  aex_test_add ("/limiter/priorities", test_priorities);
  aex_test_add ("/limiter/coroutine", test_coroutine);
  aex_test_add ("/limiter/set-max-concurrent", test_set_max);
  aex_test_add ("/limiter/max-pending", test_max_pending);
  aex_test_add ("/limiter/cancel-queued", test_cancel_queued);
  aex_test_add ("/limiter/cancel-handed-over", test_cancel_handed);
  return aex_test_run ();
}
