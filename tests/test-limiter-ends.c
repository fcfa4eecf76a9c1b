/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-limits.h"
#include "executor/aex-core-private.h"

/* E5-E8: how limiters end, and what becomes of them when what they wrap does. */

/* --- E5, E6, E7: ending */
static void
test_drains (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) acquire = aex_limiter_acquire (AEX_LIMITER (limiter));
  g_autoptr (AexPending) stopped = aex_executor_shutdown (limiter, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPending) late = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) late_acquire = aex_limiter_acquire (AEX_LIMITER (limiter));
  g_autoptr (AexPending) other = NULL;

  aex_test_assert_closed (late);
  aex_test_assert_closed (late_acquire);
  g_assert_false (aex_pending_is_done (stopped));
  aex_block_end (&block, blocker);
  aex_test_wait (stopped);
  aex_assert_resolved_int64 (job, 1);
  /* Who waited for a permit got it; it is not waited for. */
  aex_assert_state (acquire, RESOLVED);
  g_assert_cmpint (aex_executor_get_state (limiter), ==, AEX_EXECUTOR_STATE_STOPPED);
  aex_test_shut_down (limiter);
  /* The wrapped executor goes on. */
  other = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (2), NULL);
  aex_test_wait (other);
  aex_assert_resolved_int64 (other, 2);
  g_object_unref (limiter);
  aex_test_shutdown (pool);
}

static void
test_drops (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 2);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) handed = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) queued = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) acquire = aex_limiter_acquire (AEX_LIMITER (limiter));
  g_autoptr (AexPending) stopped = aex_executor_shutdown (limiter, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);

  aex_test_assert_closed (handed);
  aex_test_assert_closed (queued);
  aex_test_assert_closed (acquire);
  aex_assert_state (blocker, RUNNING);
  aex_block_end (&block, blocker);
  aex_test_wait (stopped);
  g_object_unref (limiter);
  aex_test_shutdown (pool);
}

static void
test_cancels_running (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexGate started;
  g_autoptr (AexPending) job = NULL, stopped = NULL;

  aex_gate_init (&started);
  job = aex_executor_submit (limiter, aex_job_until_cancelled, &started, NULL);
  aex_gate_wait (&started);
  stopped = aex_executor_shutdown (limiter, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  aex_test_wait (stopped);
  aex_assert_cancelled (job);
  aex_gate_clear (&started);
  g_object_unref (limiter);
  aex_test_shutdown (pool);
}

static gboolean
job_shuts_down (AexPending   *job,
                GCancellable *cancellable,
                gpointer      executor,
                GError      **error)
{
  g_autoptr (AexPending) stopped = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);

  return aex_pending_wait (stopped, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

/* From a job of its own, and from one of its own that shuts down what is below. */
static void
test_from_own_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexExecutor *other = aex_test_limiter (pool, 1);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, job_shuts_down, limiter, NULL);
  g_autoptr (AexPending) below = NULL;

  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  below = aex_executor_submit (other, job_shuts_down, pool, NULL);
  aex_test_wait (below);
  aex_assert_state (below, RESOLVED);
  g_object_unref (limiter);
  g_object_unref (other);
  aex_test_shutdown (pool);
}

static void
test_last_unref (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (4), NULL);

  g_object_unref (limiter);
  /* What it had accepted keeps the wrapped executor open. */
  g_object_unref (pool);
  aex_block_end (&block, blocker);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 4);
}

/* --- the wrapped executor ends first */
static void
test_wrapped_drains (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPending) late = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);

  aex_test_assert_closed (late);
  aex_block_end (&block, blocker);
  aex_test_wait (stopped);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1);
  g_object_unref (limiter);
  g_object_unref (pool);
}

static void
test_wrapped_stops (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  g_autoptr (AexPending) acquire = aex_limiter_acquire (AEX_LIMITER (limiter));
  g_autoptr (AexPending) next = aex_limiter_acquire (AEX_LIMITER (limiter));
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  AexPoison poison;

  /* More than a stack could take. */
  aex_poison_init (&poison);
  for (guint i = 0; i < 100000; i++)
    g_ptr_array_add (jobs, aex_executor_submit (limiter, aex_job_int, NULL, NULL));
  g_ptr_array_add (jobs, aex_executor_submit (limiter, aex_poison_job, &poison, aex_poison_release));
  aex_test_shut_down (pool);
  for (guint i = 0; i < jobs->len; i++)
    aex_test_assert_closed (jobs->pdata[i]);
  /* Who waits for a slot to do his own work still gets it. */
  aex_assert_state (next, QUEUED);
  g_clear_object (&acquire);
  aex_assert_state (next, RESOLVED);
  g_clear_object (&next);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_object_unref (limiter);
  g_object_unref (pool);
}

static void
test_wrapped_drops (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) handed = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) queued = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);
  g_autoptr (AexPending) stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);

  aex_test_assert_closed (handed);
  aex_block_end (&block, blocker);
  aex_test_wait (stopped);
  aex_test_wait (queued);
  g_object_unref (limiter);
  g_object_unref (pool);
}

/* --- over a caller, and one that is scripted */
static gpointer
run_on_caller (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = aex_caller_ref_for_context (context);
  AexExecutor *limiter = aex_test_limiter (AEX_EXECUTOR (caller), 1);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) first = NULL, second = NULL;

  g_main_context_push_thread_default (context);
  first = aex_executor_submit_async (limiter, aex_test_follow, promise, NULL);
  second = aex_executor_submit (limiter, aex_job_thread, NULL, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_cmpuint (aex_executor_get_n_running (limiter), ==, 1);
  aex_assert_state (second, QUEUED);
  aex_pending_resolve (promise, NULL);
  aex_test_run_until_done (second);
  g_assert_true (aex_pending_get_pointer (second, NULL) == g_thread_self ());
  g_object_unref (limiter);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_over_caller (void)
{
  aex_test_in_thread (run_on_caller, NULL);
}

/* The context goes while jobs wait. */
static void
test_context_dies (void)
{
  GMainContext *context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);
  AexExecutor *limiter = aex_test_limiter (AEX_EXECUTOR (caller), 1);
  g_autoptr (AexPending) handed = aex_executor_submit (limiter, aex_job_int, NULL, NULL);
  g_autoptr (AexPending) queued = aex_executor_submit (limiter, aex_job_int, NULL, NULL);

  g_object_unref (caller);
  g_main_context_unref (context);
  aex_test_assert_closed (handed);
  aex_test_assert_closed (queued);
  g_object_unref (limiter);
}

/* --- R10: who looks at a queued job has a reference that is not its wrapper's */

static const AexCoreOps *limiter_ops;
static guint n_looks;

/* The limiter takes its lock: a wrapper that was alone with the job would be told under it.  Its entry may go meanwhile. */
static void
assert_held (AexPending *job)
{
  const guint wrapper = 1, entry = 1;

  g_assert_cmpuint (g_atomic_int_get (&G_OBJECT (job)->ref_count), >, wrapper + entry);
  n_looks++;
}

static void
requeue_held (AexTarget *target, AexPending *job, AexLane lane, guint generation)
{
  assert_held (job);
  limiter_ops->target.requeue (target, job, lane, generation);
}

static void
job_event_held (AexTarget *target, AexPending *job, AexJobEvent event)
{
  if (event == AEX_JOB_DROPPED)
    assert_held (job);
  limiter_ops->target.job_event (target, job, event);
}

static void
test_looked_at (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  AexTarget *target = (AexTarget *) aex_executor_get_core (limiter);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (AexPending) moved = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) completed = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);
  AexCoreOps watched;

  limiter_ops = (const AexCoreOps *) target->ops;
  watched = *limiter_ops;
  watched.target.requeue = requeue_held;
  watched.target.job_event = job_event_held;
  n_looks = 0;
  target->ops = &watched.target;
  g_assert_true (aex_pending_set_priority (moved, AEX_PRIORITY_HIGH));
  g_assert_cmpuint (n_looks, ==, 1);
  g_assert_true (aex_pending_resolve_int64 (completed, 3));
  g_assert_cmpuint (n_looks, ==, 2);
  target->ops = &limiter_ops->target;
  aex_assert_resolved_int64 (completed, 3);
  aex_block_end (&block, blocker);
  aex_test_wait (moved);
  aex_assert_resolved_int64 (moved, 1);
  aex_test_shutdown (limiter);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/limiter/E5/drains", test_drains);
  aex_test_add ("/limiter/E6/drops", test_drops);
  aex_test_add ("/limiter/E6/cancels-running", test_cancels_running);
  aex_test_add ("/limiter/E6/from-own-job", test_from_own_job);
  aex_test_add ("/limiter/E7/last-unref", test_last_unref);
  aex_test_add ("/limiter/E8/wrapped-drains", test_wrapped_drains);
  aex_test_add ("/limiter/E8/wrapped-stops", test_wrapped_stops);
  aex_test_add ("/limiter/E8/wrapped-drops", test_wrapped_drops);
  aex_test_add ("/limiter/E8/over-caller", test_over_caller);
  aex_test_add ("/limiter/E8/context-dies", test_context_dies);
  aex_test_add ("/limiter/R10/looked-at", test_looked_at);
  return aex_test_run ();
}
