/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* What else cancels or ends a pending: an owner object, a GCancellable, its
 * own timeout, the end of its executor. */

/* --- cancel_with */

static void
test_with_object (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GObject *owner = aex_test_object_new (NULL);

  aex_pending_cancel_with (pending, owner);
  g_assert_cmpuint (owner->ref_count, ==, 1);
  g_assert_false (aex_pending_is_cancelled (pending));
  g_object_unref (owner);
  aex_assert_cancelled (pending);
}

static void
test_with_disposed_owner (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GObject) owner = aex_test_object_new (NULL);

  aex_pending_cancel_with (pending, owner);
  g_object_run_dispose (owner);
  aex_assert_cancelled (pending);
}

static void
test_with_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GObject *owner = aex_test_object_new (NULL);

  aex_pending_cancel_with (pending, owner);
  g_assert_true (aex_pending_resolve_int64 (pending, 4));
  g_object_unref (owner);
  aex_assert_resolved_int64 (pending, 4);
}

/* The owner outlives the pending. */
static void
test_with_long_owner (void)
{
  AexPending *pending = aex_pending_new ();
  g_autoptr (GObject) owner = aex_test_object_new (NULL);

  aex_pending_cancel_with (pending, owner);
  aex_assert_last_unref (pending);
  aex_test_drain ();
  g_assert_cmpuint (owner->ref_count, ==, 1);
}

static void
test_with_two_owners (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GObject) first = aex_test_object_new (NULL);
  GObject *second = aex_test_object_new (NULL);

  aex_pending_cancel_with (pending, first);
  aex_pending_cancel_with (pending, second);
  g_object_unref (second);
  aex_assert_cancelled (pending);
}

/* --- cancel_on */

static void
test_on_cancellable (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  aex_pending_cancel_on (pending, cancellable);
  g_assert_false (aex_pending_is_cancelled (pending));
  g_cancellable_cancel (cancellable);
  aex_assert_cancelled (pending);
}

static void
test_on_already_cancelled (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  g_cancellable_cancel (cancellable);
  aex_pending_cancel_on (pending, cancellable);
  aex_assert_cancelled (pending);
}

static void
test_on_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  aex_pending_cancel_on (pending, cancellable);
  g_assert_true (aex_pending_resolve_int64 (pending, 4));
  g_cancellable_cancel (cancellable);
  aex_assert_resolved_int64 (pending, 4);
}

/* Nothing stays connected to a cancellable that lives on. */
static void
test_on_long_cancellable (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  for (guint i = 0; i < 10; i++)
    {
      AexPending *pending = aex_pending_new ();

      aex_pending_cancel_on (pending, cancellable);
      if (i % 2 == 0)
        g_assert_true (aex_pending_resolve (pending, NULL));
      aex_assert_last_unref (pending);
    }
  aex_test_drain ();
  g_assert_cmpuint (G_OBJECT (cancellable)->ref_count, ==, 1);
  g_assert_false (g_signal_has_handler_pending (cancellable, g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE),
                                                0, TRUE));
}

typedef struct
{
  AexPending   *pending;
  GCancellable *cancellable;
  int           n_calls;
} InHandler;

static void
on_cancelled_attach (GCancellable *cancellable,
                     gpointer      data)
{
  InHandler *self = data;

  self->n_calls++;
  aex_pending_cancel_on (self->pending, cancellable);
  g_assert_true (aex_pending_is_cancelled (self->pending));
}

/* Inside a "cancelled" handler g_cancellable_disconnect() hangs for ever. */
static void
test_on_inside_handler (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  InHandler self = { pending, cancellable, 0 };

  g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled_attach), &self);
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (self.n_calls, ==, 1);
  aex_assert_cancelled (pending);
}

static void
on_cancelled_drop (GCancellable *cancellable,
                   gpointer      data)
{
  InHandler *self = data;

  self->n_calls++;
  g_clear_object (&self->pending);
}

static void
on_cancelled_resolve (GCancellable *cancellable,
                      gpointer      data)
{
  InHandler *self = data;

  self->n_calls++;
  aex_pending_resolve_int64 (self->pending, 9);
}

/* Completing and dropping what is connected, inside the handler. */
static void
test_on_done_inside_handler (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) resolved = aex_pending_new ();
  InHandler drop = { aex_pending_new (), cancellable, 0 };
  InHandler resolve = { resolved, cancellable, 0 };

  g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled_resolve), &resolve);
  g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled_drop), &drop);
  aex_pending_cancel_on (resolved, cancellable);
  aex_pending_cancel_on (drop.pending, cancellable);
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (drop.n_calls, ==, 1);
  g_assert_cmpint (resolve.n_calls, ==, 1);
  g_assert_true (aex_pending_is_done (resolved));
  aex_assert_resolved_int64 (resolved, 9);
}

static gboolean
wait_for_cancel (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      data,
                 GError      **error)
{
  AexBlock *block = data;
  g_autoptr (AexPending) never = aex_pending_new ();

  aex_gate_open (&block->started);
  return aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_on_running_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  job = aex_executor_submit (pool, wait_for_cancel, &block, NULL);
  aex_pending_cancel_on (job, cancellable);
  aex_gate_wait (&block.started);
  g_cancellable_cancel (cancellable);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

/* --- a job's own timeout */

static void
open_gate (GCancellable *cancellable,
           gpointer      gate)
{
  aex_gate_open (gate);
}

static gboolean
see_timeout (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  AexBlock *block = data;
  g_autoptr (GError) own = NULL;

  g_signal_connect (cancellable, "cancelled", G_CALLBACK (open_gate), &block->release);
  aex_gate_open (&block->started);
  aex_gate_wait (&block->release);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_false (aex_pending_is_cancelled (job));
  own = aex_pending_dup_error (job);
  g_assert_error (own, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_check_cancelled (error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return FALSE;
}

static void
test_own_timeout (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  aex_test_virtual_time ();
  aex_submit_options_set_timeout (options, 1000);
  job = aex_executor_submit_full (pool, options, see_timeout, &block, NULL);
  aex_gate_wait (&block.started);
  g_assert_false (aex_pending_is_done (job));
  aex_clock_advance (1000);
  aex_test_run_until_done (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_cancelled (job));
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

/* It counts from submission, also for a job that never starts. */
static void
test_own_timeout_queued (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) blocker = NULL;
  g_autoptr (AexPending) job = NULL;
  AexPoison closure;
  AexBlock block;

  aex_block_init (&block);
  aex_poison_init_executor (&closure, pool);
  aex_test_virtual_time ();
  blocker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  aex_submit_options_set_timeout (options, 1000);
  job = aex_executor_submit_full (pool, options, aex_poison_job, &closure, aex_poison_release);
  aex_clock_advance (1000);
  aex_test_run_until_done (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_gate_open (&block.release);
  aex_test_iterate_until (aex_poison_is_released, &closure);
  g_assert_cmpint (aex_poison_get_called (&closure), ==, 0);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static gboolean
count_run (AexPending   *job,
           GCancellable *cancellable,
           gpointer      n_runs,
           GError      **error)
{
  g_atomic_int_inc ((int *) n_runs);
  return TRUE;
}

/* A job that is done takes its alarm with it. */
static void
test_own_timeout_in_time (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  int n_runs = 0;

  aex_test_virtual_time ();
  aex_submit_options_set_timeout (options, 1000);
  job = aex_executor_submit_full (pool, options, count_run, &n_runs, NULL);
  aex_test_run_until_done (job);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
  aex_clock_advance (1000);
  aex_assert_state (job, RESOLVED);
  g_assert_null (aex_pending_dup_error (job));
  aex_test_shutdown (pool);
  g_assert_cmpint (n_runs, ==, 1);
}

/* --- I1: the end of the executor */

static void
test_executor_dropped (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPending *jobs[20];
  int n_runs = 0;

  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    jobs[i] = aex_executor_submit (pool, count_run, &n_runs, NULL);
  g_object_unref (pool);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    {
      aex_test_run_until_done (jobs[i]);
      aex_assert_state (jobs[i], RESOLVED);
      g_object_unref (jobs[i]);
    }
  g_assert_cmpint (n_runs, ==, G_N_ELEMENTS (jobs));
}

static void
test_executor_cancels_queued (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) running = NULL;
  g_autoptr (AexPending) queued = NULL;
  g_autoptr (AexPending) refused = NULL;
  g_autoptr (AexPending) down = NULL;
  AexBlock block;
  int n_runs = 0;

  aex_block_init (&block);
  running = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  queued = aex_executor_submit (pool, count_run, &n_runs, NULL);
  down = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  aex_test_run_until_done (queued);
  aex_assert_state (queued, CANCELLED);
  aex_assert_failed_with (queued, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_true (aex_pending_is_cancelled (queued));
  refused = aex_executor_submit (pool, count_run, &n_runs, NULL);
  g_assert_true (aex_pending_is_done (refused));
  aex_assert_state (refused, CANCELLED);
  aex_assert_failed_with (refused, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_false (aex_pending_is_done (running));
  aex_gate_open (&block.release);
  aex_test_run_until_done (down);
  aex_assert_state (running, RESOLVED);
  g_assert_cmpint (n_runs, ==, 0);
  g_object_unref (pool);
  aex_block_clear (&block);
}

/* --- K57, P3: PROTECTED */

static void
test_protected_explicit (void)
{
  g_autoptr (AexPending) pending = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);

  g_assert_true (aex_pending_cancel (pending, NULL));
  aex_assert_cancelled (pending);
}

static void
test_library_state_refuses (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("refuses", &error);
  g_autoptr (AexPending) stopped = NULL;

  g_assert_no_error (error);
  stopped = g_object_ref (aex_caller_get_stopped (caller));
  g_assert_false (aex_pending_cancel (stopped, "not yours"));
  g_assert_false (aex_pending_is_cancelled (stopped));
  g_assert_false (aex_pending_is_done (stopped));
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  aex_test_run_until_done (stopped);
  aex_assert_state (stopped, RESOLVED);
  g_object_unref (caller);
}

/* --- D18: a cancellation that was refused */

/* The job goes on, and its value still comes. */
static void
test_requested_of_running (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *job = aex_block_begin (&block, pool);
  g_autoptr (AexPending) queued = aex_executor_submit (pool, aex_block_job, &block, NULL);

  g_assert_false (aex_pending_was_cancel_requested (job));
  g_assert_false (aex_pending_cancel_queued (job));
  g_assert_true (aex_pending_was_cancel_requested (job));
  g_assert_false (aex_pending_is_cancelled (job));
  g_assert_true (aex_pending_cancel_queued (queued));
  g_assert_true (aex_pending_was_cancel_requested (queued));
  g_object_ref (job);
  aex_block_end (&block, job);
  aex_assert_state (job, RESOLVED);
  g_assert_true (aex_pending_was_cancel_requested (job));
  g_object_unref (job);
  aex_test_shutdown (pool);
}

typedef struct
{
  AexPending *job;
  AexBlock    block;
} Asked;

static gboolean
end_when_asked (gpointer asked)
{
  Asked *self = asked;

  g_assert_true (aex_pending_was_cancel_requested (self->job));
  aex_gate_open (&self->block.release);
  return G_SOURCE_REMOVE;
}

/* By a wait, while the function runs; those that only give up do not ask. */
static void
test_requested_by_wait (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Asked asked;

  aex_block_init (&asked.block);
  asked.job = aex_executor_submit (pool, aex_block_job, &asked.block, NULL);
  aex_gate_wait (&asked.block.started);
  g_cancellable_cancel (cancellable);
  g_assert_false (aex_pending_run_until_done (asked.job, AEX_WAIT_FLAGS_NONE, -1, cancellable, NULL));
  g_assert_false (aex_pending_wait (asked.job, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, 0, NULL, NULL));
  g_assert_false (aex_pending_was_cancel_requested (asked.job));
  g_idle_add (end_when_asked, &asked);
  g_assert_true (aex_pending_run_until_done (asked.job, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, -1, cancellable, NULL));
  aex_assert_state (asked.job, RESOLVED);
  g_object_unref (asked.job);
  aex_test_shutdown (pool);
  aex_block_clear (&asked.block);
}

static void
test_requested_of_promises (void)
{
  g_autoptr (AexPending) protected_one = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (AexPending) derived = aex_pending_with_timeout (protected_one, -1);
  g_autoptr (AexPending) late = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) cancelled = aex_pending_new ();
  g_autoptr (AexPending) timed_out = NULL;
  g_autoptr (AexPending) source = aex_pending_new ();

  g_assert_true (aex_pending_cancel (derived, NULL));
  g_assert_false (aex_pending_is_cancelled (protected_one));
  g_assert_true (aex_pending_was_cancel_requested (protected_one));
  aex_pending_resolve_int64 (protected_one, 3);
  aex_assert_resolved_int64 (protected_one, 3);
  g_assert_true (aex_pending_was_cancel_requested (protected_one));
  g_assert_false (aex_pending_cancel (late, NULL));
  g_assert_false (aex_pending_was_cancel_requested (late));
  g_assert_true (aex_pending_cancel (cancelled, NULL));
  g_assert_true (aex_pending_was_cancel_requested (cancelled));
  timed_out = aex_pending_with_timeout (source, 0);
  aex_test_run_until_done (timed_out);
  aex_assert_failed_with (timed_out, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_was_cancel_requested (timed_out));
}

/* What tells the state of something. */
static void
test_requested_of_reports (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *job = aex_block_begin (&block, pool);
  g_autoptr (AexPending) over = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  g_assert_false (aex_pending_cancel (over, "no"));
  g_assert_true (aex_pending_was_cancel_requested (over));
  aex_block_end (&block, job);
  aex_test_run_until_done (over);
  aex_assert_state (over, RESOLVED);
  g_object_unref (pool);
}

static void
add_requested (void)
{
  aex_test_add ("/pending/D18/of-running", test_requested_of_running);
  aex_test_add ("/pending/D18/by-a-wait", test_requested_by_wait);
  aex_test_add ("/pending/D18/of-promises", test_requested_of_promises);
  aex_test_add ("/pending/D18/of-reports", test_requested_of_reports);
}

static void
add_cancel_on (void)
{
  aex_test_add ("/pending/cancel-on/cancellable", test_on_cancellable);
  aex_test_add ("/pending/cancel-on/already-cancelled", test_on_already_cancelled);
  aex_test_add ("/pending/cancel-on/done", test_on_done);
  aex_test_add ("/pending/cancel-on/long-cancellable", test_on_long_cancellable);
  aex_test_add ("/pending/cancel-on/inside-handler", test_on_inside_handler);
  aex_test_add ("/pending/cancel-on/done-inside-handler", test_on_done_inside_handler);
  aex_test_add ("/pending/cancel-on/running-job", test_on_running_job);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/cancel-with/object", test_with_object);
  aex_test_add ("/pending/cancel-with/disposed-owner", test_with_disposed_owner);
  aex_test_add ("/pending/cancel-with/done", test_with_done);
  aex_test_add ("/pending/cancel-with/long-owner", test_with_long_owner);
  aex_test_add ("/pending/cancel-with/two-owners", test_with_two_owners);
  add_cancel_on ();
  aex_test_add ("/pending/edge/own-timeout", test_own_timeout);
  aex_test_add ("/pending/edge/own-timeout-queued", test_own_timeout_queued);
  aex_test_add ("/pending/edge/own-timeout-in-time", test_own_timeout_in_time);
  aex_test_add ("/pending/I1/executor-dropped", test_executor_dropped);
  aex_test_add ("/pending/I1/executor-cancels-queued", test_executor_cancels_queued);
  aex_test_add ("/pending/K57/protected-explicit", test_protected_explicit);
  aex_test_add ("/pending/P3/library-state-refuses", test_library_state_refuses);
  add_requested ();
  return aex_test_run ();
}
