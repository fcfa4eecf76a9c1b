/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-caller-test.h"
#include "lib/aex-jobs.h"
#include "lib/aex-limits.h"
#include "executor/aex-core-private.h"

/* E5-E7, P9: draining, dropping, cancelling; from wherever it is called. */

static GPtrArray *
submit_ints (AexExecutor *executor,
             guint        n)
{
  GPtrArray *jobs = aex_test_pendings_new ();

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (jobs, aex_executor_submit (executor, aex_job_int, GINT_TO_POINTER (i), NULL));
  return jobs;
}

static void
assert_all_resolved (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++)
    aex_assert_resolved_int64 (jobs->pdata[i], i);
}

static void
assert_all_dropped (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++)
    {
      aex_assert_state (jobs->pdata[i], CANCELLED);
      aex_assert_failed_with (jobs->pdata[i], AEX_ERROR, AEX_ERROR_CLOSED);
    }
}

static void
test_nowait (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 10);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPending) late = aex_executor_submit (pool, aex_job_int, NULL, NULL);

  g_assert_false (aex_pending_is_done (done));
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_assert_state (late, CANCELLED);
  aex_block_end (&block, blocker);
  aex_test_wait (done);
  aex_assert_state (done, RESOLVED);
  /* Done means done: nothing has to be waited for. */
  assert_all_resolved (jobs);
  g_object_unref (pool);
}

static void
test_idempotent (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 100);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

      aex_test_wait (done);
      aex_assert_state (done, RESOLVED);
    }
  assert_all_resolved (jobs);
  g_object_unref (pool);
}

static void
test_unused (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_run_until_done (done);
  aex_assert_state (done, RESOLVED);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_STOPPED);
  g_object_unref (pool);
}

static void
test_cancel_queued (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 10);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);

  assert_all_dropped (jobs);
  g_assert_false (aex_pending_is_done (done));
  g_assert_false (aex_pending_is_cancelled (blocker));
  g_object_ref (blocker);
  aex_block_end (&block, blocker);
  aex_assert_state (blocker, RESOLVED);
  g_object_unref (blocker);
  aex_test_wait (done);
  g_object_unref (pool);
}

/* First gently, then less so. */
static void
test_change_of_mind (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 10);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  g_autoptr (AexPending) third = NULL;

  first = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_assert_state (jobs->pdata[0], QUEUED);
  second = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  assert_all_dropped (jobs);
  g_assert_false (aex_pending_is_cancelled (blocker));
  third = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  g_assert_true (aex_pending_is_cancelled (blocker));
  aex_block_end (&block, blocker);
  aex_test_wait (first);
  aex_test_wait (second);
  aex_test_wait (third);
  g_object_unref (pool);
}

/* Cancelled jobs that run are waited for. */
static void
test_cancel_running (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 3);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);

  g_assert_true (aex_pending_is_cancelled (blocker));
  g_assert_false (aex_pending_is_done (blocker));
  g_assert_false (aex_pending_is_done (done));
  g_object_ref (blocker);
  aex_block_end (&block, blocker);
  aex_assert_state (blocker, CANCELLED);
  g_object_unref (blocker);
  aex_test_wait (done);
  /* Only what ran was cancelled. */
  assert_all_resolved (jobs);
  g_object_unref (pool);
}

/* Looks inside, for nobody can hold a job between the queue and what runs: it starts when everything has been cancelled, in
 * one go or in two. */
static void
check_late_start (AexExecutor     *executor,
                  AexShutdownFlags first,
                  AexShutdownFlags second)
{
  AexCore *core = aex_executor_get_core (executor);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, executor);
  g_autoptr (AexPending) late = aex_executor_submit (executor, aex_job_until_cancelled, NULL, NULL);

  atomic_fetch_or (&core->shutdown_flags, (int) first);
  atomic_fetch_or (&core->shutdown_flags, (int) second);
  aex_block_end (&block, blocker);
  aex_test_wait (late);
  aex_assert_cancelled (late);
  g_assert_true (aex_pending_is_cancelled (late));
  aex_test_shutdown (executor);
}

static void
test_late_start_pool (void)
{
  check_late_start (aex_test_pool (1), AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING,
                    AEX_SHUTDOWN_FLAGS_NONE);
  check_late_start (aex_test_pool (1), AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
}

static void
test_late_start_caller (void)
{
  check_late_start (AEX_EXECUTOR (aex_test_caller_new ("late")), AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED,
                    AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
}

static void
test_late_start_limiter (void)
{
  AexExecutor *pool = aex_test_pool (1);

  check_late_start (aex_test_limiter (pool, 1), AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  aex_test_shutdown (pool);
}

/* What a shutdown asks for is known to who starts late. */
static void
test_late_start_is_told (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexCore *core = aex_executor_get_core (pool);

  g_object_unref (aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
  g_assert_cmpint (atomic_load (&core->shutdown_flags), ==, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  g_object_unref (aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING));
  g_assert_cmpint (atomic_load (&core->shutdown_flags), ==,
                   AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  aex_test_shutdown (pool);
}

/* --- E7: the last unref drains and joins nothing */
static void
test_last_unref_drains (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 100);

  aex_assert_last_unref (pool);
  for (guint i = 0; i < jobs->len; i++)
    aex_assert_state (jobs->pdata[i], QUEUED);
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  assert_all_resolved (jobs);
}

static gboolean
job_last_unref (AexPending   *job,
                GCancellable *cancellable,
                gpointer      user_data,
                GError      **error)
{
  AexGate *gate = user_data;

  aex_gate_wait (gate);
  return TRUE;
}

/* The submitter went first, the worker holds what is left. */
static void
test_last_unref_on_own_worker (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexGate gate;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) behind = NULL;

  aex_gate_init (&gate);
  job = aex_executor_submit (pool, job_last_unref, &gate, NULL);
  /* The closure owns the last reference and is released on the worker. */
  behind = aex_executor_submit (pool, aex_job_int, pool, g_object_unref);
  aex_gate_open (&gate);
  aex_test_wait (behind);
  aex_assert_state (behind, RESOLVED);
  aex_test_wait (job);
  aex_gate_clear (&gate);
}

/* What was dropped is released where it would have run, not by whoever shuts down. */
static void
test_dropped_released_on_pool (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = NULL, done = NULL;
  AexPoison poison;

  aex_poison_init_executor (&poison, pool);
  job = aex_executor_submit (pool, aex_poison_job, &poison, aex_poison_release);
  done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  aex_assert_state (job, CANCELLED);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  aex_block_end (&block, blocker);
  aex_test_wait (done);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  aex_test_shutdown (pool);
}

/* --- from inside */
static gboolean
job_shut_down_and_wait (AexPending   *job,
                        GCancellable *cancellable,
                        gpointer      pool,
                        GError      **error)
{
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  return aex_pending_wait (done, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

/* It does not wait for the job that called it, but for the others. */
static void
test_from_own_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_shut_down_and_wait, pool, NULL);
  g_autoptr (GPtrArray) jobs = submit_ints (pool, 5);

  aex_block_end (&block, blocker);
  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  assert_all_resolved (jobs);
  g_object_unref (pool);
}

typedef struct
{
  AexExecutor *pool;
  AexGate      closed;
} DoneShutdown;

static void
on_done_shut_down (AexPending *pending,
                   gpointer    user_data)
{
  DoneShutdown *self = user_data;

  g_object_unref (aex_executor_shutdown (self->pool, AEX_SHUTDOWN_FLAGS_NONE));
  aex_gate_open (&self->closed);
}

static gboolean
job_attach_shutdown (AexPending   *job,
                     GCancellable *cancellable,
                     gpointer      user_data,
                     GError      **error)
{
  AexPending *current = aex_pending_get_current ();

  g_assert_true (current == job);
  aex_pending_add_done_callback (job, on_done_shut_down, user_data, NULL);
  return TRUE;
}

/* The callback is delivered to the pool itself. */
static void
test_from_done_callback (void)
{
  DoneShutdown self = { .pool = aex_test_pool (1) };
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) again = NULL;

  aex_gate_init (&self.closed);
  job = aex_executor_submit (self.pool, job_attach_shutdown, &self, NULL);
  aex_gate_wait (&self.closed);
  again = aex_executor_shutdown (self.pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (again);
  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  aex_gate_clear (&self.closed);
  g_object_unref (self.pool);
}

#define N_CLOSERS 3

static gpointer
shut_down_in_thread (gpointer pool)
{
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_wait (done);
  aex_assert_state (done, RESOLVED);
  return NULL;
}

static void
test_from_three_threads (void)
{
  guint n = aex_test_scale (500);

  for (guint i = 0; i < n; i++)
    {
      AexExecutor *pool = aex_test_pool (2);
      g_autoptr (GPtrArray) jobs = submit_ints (pool, 10);
      GThread *threads[N_CLOSERS];

      for (guint k = 0; k < N_CLOSERS; k++)
        threads[k] = g_thread_new ("closer", shut_down_in_thread, pool);
      for (guint k = 0; k < N_CLOSERS; k++)
        g_thread_join (threads[k]);
      assert_all_resolved (jobs);
      g_object_unref (pool);
    }
}

/* Rule 5: what reports the state of the library refuses to be cancelled. */
static void
test_pending_refuses_cancel (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  g_assert_false (aex_pending_cancel (done, "not this one"));
  g_assert_false (aex_pending_is_cancelled (done));
  aex_block_end (&block, blocker);
  aex_test_wait (done);
  aex_assert_state (done, RESOLVED);
  g_object_unref (pool);
}

/* --- rule 10: what belongs to accepted work goes through while it drains */
typedef struct
{
  AexPending *promise;
  AexRecord   record;
} Drain;

static gboolean
job_attach_note (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      user_data,
                 GError      **error)
{
  Drain *self = user_data;

  aex_pending_add_done_callback (self->promise, aex_note_callback, aex_note_new (&self->record, "told"), aex_note_free);
  return TRUE;
}

static void
test_deliveries_go_through (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Drain self = { .promise = aex_pending_new () };
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) attach = NULL;
  g_autoptr (AexPending) done = NULL;

  aex_record_init (&self.record);
  attach = aex_executor_submit (pool, job_attach_note, &self, NULL);
  aex_test_wait (attach);
  blocker = aex_block_begin (&block, pool);
  done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  aex_pending_resolve_int64 (self.promise, 1);
  aex_block_end (&block, blocker);
  aex_test_wait (done);
  aex_assert_record (&self.record, "told");
  aex_record_clear (&self.record);
  g_object_unref (self.promise);
  g_object_unref (pool);
}

#define N_TOLD 4

typedef struct
{
  AexPending *promises[N_TOLD];
  AexRecord   record;
  AexGate     begun, go;
} Order;

static gboolean
job_attach_notes (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      user_data,
                  GError      **error)
{
  static const char *const names[N_TOLD] = { "first", "second", "third", "fourth" };
  Order *self = user_data;

  for (guint i = 0; i < N_TOLD; i++)
    aex_pending_add_done_callback (self->promises[i], aex_note_callback, aex_note_new (&self->record, names[i]), aex_note_free);
  return TRUE;
}

static gboolean
job_begin_and_go (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      user_data,
                  GError      **error)
{
  Order *self = user_data;

  aex_gate_open (&self->begun);
  aex_gate_wait (&self->go);
  return TRUE;
}

/* What the worker has taken with the job that it runs, and what is queued behind: nothing overtakes. */
static void
test_deliveries_keep_their_order (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Order self = { 0 };
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) attach = NULL, second = NULL, done = NULL;

  aex_record_init (&self.record);
  aex_gate_init (&self.begun);
  aex_gate_init (&self.go);
  for (guint i = 0; i < N_TOLD; i++)
    self.promises[i] = aex_pending_new ();
  attach = aex_executor_submit (pool, job_attach_notes, &self, NULL);
  aex_test_wait (attach);
  blocker = aex_block_begin (&block, pool);
  second = aex_executor_submit (pool, job_begin_and_go, &self, NULL);
  for (guint i = 0; i < N_TOLD; i++)
    {
      aex_pending_resolve_int64 (self.promises[i], i);
      if (i == N_TOLD / 2 - 1)
        {
          aex_block_end (&block, blocker);
          aex_gate_wait (&self.begun);
        }
    }
  done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  aex_gate_open (&self.go);
  aex_test_wait (done);
  aex_assert_record (&self.record, "first second third fourth");
  for (guint i = 0; i < N_TOLD; i++)
    g_object_unref (self.promises[i]);
  aex_gate_clear (&self.go);
  aex_gate_clear (&self.begun);
  aex_record_clear (&self.record);
  g_object_unref (pool);
}

/* A job in coroutine form counts as running until its pending is done. */
static AexPending *
async_follow (AexPending   *job,
              GCancellable *cancellable,
              gpointer      other,
              GError      **error)
{
  return g_object_ref (other);
}

static void
test_waits_for_coroutines (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit_async (pool, async_follow, promise, NULL);
  g_autoptr (AexPending) behind = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  g_autoptr (AexPending) done = NULL;
  g_autoptr (GError) error = NULL;

  aex_test_wait (behind);
  done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_assert_false (aex_pending_wait (done, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_pending_resolve_int64 (promise, 6);
  aex_test_wait (done);
  aex_assert_resolved_int64 (job, 6);
  g_object_unref (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/executor/E5/nowait", test_nowait);
  aex_test_add ("/executor/E6/idempotent", test_idempotent);
  aex_test_add ("/executor/E6/unused", test_unused);
  aex_test_add ("/executor/E6/cancel-queued", test_cancel_queued);
  aex_test_add ("/executor/R6/dropped-released-on-pool", test_dropped_released_on_pool);
  aex_test_add ("/executor/E6/change-of-mind", test_change_of_mind);
  aex_test_add ("/executor/E6/cancel-running", test_cancel_running);
  aex_test_add ("/executor/E6/late-start/pool", test_late_start_pool);
  aex_test_add ("/executor/E6/late-start/caller", test_late_start_caller);
  aex_test_add ("/executor/E6/late-start/limiter", test_late_start_limiter);
  aex_test_add ("/executor/E6/late-start/is-told", test_late_start_is_told);
  aex_test_add ("/executor/E7/last-unref-drains", test_last_unref_drains);
  aex_test_add ("/executor/E7/last-unref-on-own-worker", test_last_unref_on_own_worker);
  aex_test_add ("/executor/P9/from-own-job", test_from_own_job);
  aex_test_add ("/executor/P9-X14/from-done-callback", test_from_done_callback);
  aex_test_add ("/executor/P9-X14/from-three-threads", test_from_three_threads);
  aex_test_add ("/executor/P3/pending-refuses-cancel", test_pending_refuses_cancel);
  aex_test_add ("/executor/shutdown/deliveries-go-through", test_deliveries_go_through);
  aex_test_add ("/executor/I2-shutdown/deliveries-keep-their-order", test_deliveries_keep_their_order);
  aex_test_add ("/executor/shutdown/waits-for-coroutines", test_waits_for_coroutines);
  return aex_test_run ();
}
