/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Blocking waits: K44, K53 to K55, E10.  Waits that can never end:
 * test-pending-deadlock.c. */

#define SECOND G_USEC_PER_SEC

/* --- K55 */

static gpointer
resolve_in_thread (gpointer pending)
{
  g_assert_true (aex_pending_resolve_int64 (pending, 12));
  return NULL;
}

static void
test_wait (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("resolves", resolve_in_thread, pending);

  g_assert_true (aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_no_error (error);
  aex_assert_resolved_int64 (pending, 12);
  g_thread_join (thread);
}

static void
test_wait_done (void)
{
  g_autoptr (AexPending) resolved = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) rejected
    = aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no"));
  g_autoptr (AexPending) cancelled = aex_pending_new ();
  g_autoptr (GError) error = NULL;

  aex_pending_cancel (cancelled, NULL);
  g_assert_true (aex_pending_wait (resolved, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (aex_pending_wait (rejected, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_false (aex_pending_wait (cancelled, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_true (aex_pending_wait (rejected, AEX_WAIT_FLAGS_NO_RESULT, 0, NULL, &error));
  g_assert_true (aex_pending_wait (cancelled, AEX_WAIT_FLAGS_NO_RESULT, 0, NULL, &error));
  g_assert_no_error (error);
}

static void
test_poll (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  /* Nor does a timeout of 0 ever cancel. */
  g_assert_false (aex_pending_is_cancelled (pending));
  g_assert_true (aex_pending_resolve (pending, NULL));
}

/* --- a wait that is given up: by time, by a cancellable */

typedef enum
{
  BY_TIME,
  BY_CANCELLABLE,
} GiveUp;

static gboolean
wait_given_up (AexPending  *pending,
               AexWaitFlags flags,
               GiveUp       how)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gboolean result;

  if (how == BY_TIME)
    {
      AexTicker *ticker;

      aex_test_virtual_time ();
      ticker = aex_ticker_start (SECOND);
      result = aex_pending_wait (pending, flags, 10 * SECOND, NULL, &error);
      aex_ticker_stop (ticker);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  else
    {
      g_cancellable_cancel (cancellable);
      result = aex_pending_wait (pending, flags, -1, cancellable, &error);
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  return result;
}

static void
test_leaves_alone (gconstpointer how)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_false (wait_given_up (pending, AEX_WAIT_FLAGS_NONE, GPOINTER_TO_UINT (how)));
  g_assert_false (aex_pending_is_cancelled (pending));
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
}

static void
test_cancels_on_abandon (gconstpointer how)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_false (wait_given_up (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, GPOINTER_TO_UINT (how)));
  aex_assert_cancelled (pending);
}

static void
test_protected (gconstpointer how)
{
  g_autoptr (AexPending) pending = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (wait_given_up (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, GPOINTER_TO_UINT (how)));
      g_assert_false (aex_pending_is_cancelled (pending));
    }
  g_assert_true (aex_pending_resolve_int64 (pending, 123));
  aex_assert_resolved_int64 (pending, 123);
}

typedef struct
{
  AexPending   *pending;
  GCancellable *cancellable;
  AexWaitFlags  flags;
  gboolean      result;
  GError       *error;
} Waiter;

static gpointer
waiter_main (gpointer data)
{
  Waiter *self = data;

  self->result = aex_pending_wait (self->pending, self->flags, -1, self->cancellable, &self->error);
  return NULL;
}

/* A cancellable that is cancelled while the wait blocks, or just before. */
static void
test_cancelled_meanwhile (void)
{
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (AexPending) pending = aex_pending_new ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Waiter self = { pending, cancellable, AEX_WAIT_FLAGS_NONE, FALSE, NULL };
      GThread *thread = g_thread_new ("waits", waiter_main, &self);

      g_cancellable_cancel (cancellable);
      g_thread_join (thread);
      g_assert_false (self.result);
      g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&self.error);
      g_assert_false (aex_pending_is_cancelled (pending));
      aex_pending_cancel (pending, NULL);
    }
}

static void
test_shield_ignores_cancellable (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Waiter self = { pending, cancellable, AEX_WAIT_FLAGS_SHIELD | AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, FALSE, NULL };
  GThread *thread;

  g_cancellable_cancel (cancellable);
  thread = g_thread_new ("waits", waiter_main, &self);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  g_thread_join (thread);
  g_assert_true (self.result);
  g_assert_no_error (self.error);
}

/* One waiter's end is nothing to another that did not ask for it. */
static void
test_other_waiter_stays (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Waiter patient = { pending, NULL, AEX_WAIT_FLAGS_NONE, FALSE, NULL };
  GThread *thread = g_thread_new ("waits", waiter_main, &patient);

  g_assert_false (wait_given_up (pending, AEX_WAIT_FLAGS_NONE, BY_CANCELLABLE));
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  g_thread_join (thread);
  g_assert_true (patient.result);
}

/* --- K54 for jobs */

static gboolean
wait_for_own_cancel (AexPending   *job,
                     GCancellable *cancellable,
                     gpointer      gate,
                     GError      **error)
{
  g_autoptr (AexPending) never = aex_pending_new ();

  aex_gate_open (gate);
  return aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

/* The waiter of a job gives up: the job is told, and ends as cancelled. */
static void
test_cancelled_waiter (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  AexGate gate;

  aex_gate_init (&gate);
  job = aex_executor_submit (pool, wait_for_own_cancel, &gate, NULL);
  aex_gate_wait (&gate);
  g_assert_false (wait_given_up (job, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, BY_TIME));
  g_assert_true (aex_pending_is_cancelled (job));
  aex_clock_set_virtual (FALSE);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_gate_clear (&gate);
}

/* K53: cancel, then wait for the end without the result. */
static void
test_cancel_wait_done (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GError) error = NULL;
  AexGate gate;

  aex_gate_init (&gate);
  job = aex_executor_submit (pool, wait_for_own_cancel, &gate, NULL);
  aex_gate_wait (&gate);
  g_assert_true (aex_pending_cancel (job, "bye"));
  g_assert_true (aex_pending_wait (job, AEX_WAIT_FLAGS_NO_RESULT | AEX_WAIT_FLAGS_SHIELD, -1, NULL, &error));
  g_assert_no_error (error);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_gate_clear (&gate);
}

/* --- waits inside a job observe that job */

typedef struct
{
  AexPending  *awaited;
  AexWaitFlags flags;
  AexGate      started;
  gboolean     result;
  int          code;
} Inner;

static gboolean
wait_inside (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  Inner *self = data;
  g_autoptr (GError) own = NULL;

  aex_gate_open (&self->started);
  self->result = aex_pending_wait (self->awaited, self->flags, -1, NULL, &own);
  self->code = own != NULL ? own->code : -1;
  return TRUE;
}

static void
run_inside (AexWaitFlags flags,
            gboolean     shielded)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) awaited = aex_pending_new ();
  g_autoptr (AexPending) job = NULL;
  Inner self = { .awaited = awaited, .flags = flags };

  aex_gate_init (&self.started);
  job = aex_executor_submit (pool, wait_inside, &self, NULL);
  aex_gate_wait (&self.started);
  g_assert_true (aex_pending_cancel (job, NULL));
  if (shielded)
    g_assert_true (aex_pending_resolve (awaited, NULL));
  aex_test_run_until_done (job);
  g_assert_cmpint (self.result, ==, shielded);
  g_assert_cmpint (self.code, ==, shielded ? -1 : G_IO_ERROR_CANCELLED);
  g_assert_cmpint (aex_pending_is_cancelled (awaited), ==,
                   !shielded && (flags & AEX_WAIT_FLAGS_CANCEL_ON_ABANDON) != 0);
  aex_pending_cancel (awaited, NULL);
  aex_test_shutdown (pool);
  aex_gate_clear (&self.started);
}

static void
test_job_cancel_ends_wait (void)
{
  run_inside (AEX_WAIT_FLAGS_NONE, FALSE);
  run_inside (AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, FALSE);
}

static void
test_shield_inside_job (void)
{
  run_inside (AEX_WAIT_FLAGS_SHIELD, TRUE);
}

static void
test_job_deadline_ends_wait (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) awaited = aex_pending_new ();
  g_autoptr (AexPending) job = NULL;
  Inner self = { .awaited = awaited };

  aex_gate_init (&self.started);
  aex_test_virtual_time ();
  aex_submit_options_set_timeout (options, SECOND);
  job = aex_executor_submit_full (pool, options, wait_inside, &self, NULL);
  aex_gate_wait (&self.started);
  aex_clock_advance (SECOND);
  aex_test_run_until_done (job);
  g_assert_false (self.result);
  g_assert_cmpint (self.code, ==, G_IO_ERROR_TIMED_OUT);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_cancelled (awaited));
  aex_pending_cancel (awaited, NULL);
  aex_test_shutdown (pool);
  aex_gate_clear (&self.started);
}

/* --- E10: CANCEL_QUEUED_ONLY */

static gboolean
return_42 (AexPending   *job,
           GCancellable *cancellable,
           gpointer      block,
           GError      **error)
{
  aex_block_job (job, cancellable, block, NULL);
  aex_pending_resolve_int64 (job, 42);
  return TRUE;
}

static void
test_running_prevails (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) job = NULL;
  Waiter self = { .cancellable = cancellable, .flags = AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY };
  AexBlock block;
  GThread *thread;

  aex_block_init (&block);
  job = self.pending = aex_executor_submit (pool, return_42, &block, NULL);
  aex_gate_wait (&block.started);
  thread = g_thread_new ("waits", waiter_main, &self);
  for (guint i = 0; i < 3; i++)
    g_cancellable_cancel (cancellable);
  g_assert_false (aex_pending_is_cancelled (job));
  aex_gate_open (&block.release);
  g_thread_join (thread);
  g_assert_no_error (self.error);
  g_assert_true (self.result);
  aex_assert_resolved_int64 (job, 42);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static void
test_queued_is_cancelled (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) blocker = NULL;
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  blocker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  job = aex_executor_submit (pool, return_42, &block, NULL);
  g_assert_false (wait_given_up (job, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, BY_CANCELLABLE));
  aex_assert_cancelled (job);
  aex_gate_open (&block.release);
  aex_test_shutdown (pool);
  g_assert_cmpint (block.n_runs, ==, 1);
  aex_block_clear (&block);
}

static void
test_cancelled_by_others (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Waiter self = { pending, NULL, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, FALSE, NULL };
  GThread *thread = g_thread_new ("waits", waiter_main, &self);

  g_assert_true (aex_pending_cancel (pending, "others"));
  g_thread_join (thread);
  g_assert_false (self.result);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&self.error);
}

static void
add_given_up (void)
{
  static const struct
  {
    const char   *path;
    GTestDataFunc func;
    GiveUp        how;
  } cases[] = {
    { "/pending/K54/timeout-leaves-alone", test_leaves_alone, BY_TIME },
    { "/pending/K54/cancellable-leaves-alone", test_leaves_alone, BY_CANCELLABLE },
    { "/pending/K54/timeout-cancels", test_cancels_on_abandon, BY_TIME },
    { "/pending/K54/cancellable-cancels", test_cancels_on_abandon, BY_CANCELLABLE },
    { "/pending/K57/timeout-of-two-waiters", test_protected, BY_TIME },
    { "/pending/K57/cancel-of-two-waiters", test_protected, BY_CANCELLABLE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    aex_test_add_data (cases[i].path, GUINT_TO_POINTER (cases[i].how), cases[i].func);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/K55/wait", test_wait);
  aex_test_add ("/pending/K55/wait-done", test_wait_done);
  aex_test_add ("/pending/K55/poll", test_poll);
  add_given_up ();
  aex_test_add ("/pending/K54/cancelled-meanwhile", test_cancelled_meanwhile);
  aex_test_add ("/pending/K54/shield-ignores-cancellable", test_shield_ignores_cancellable);
  aex_test_add ("/pending/K54/other-waiter-stays", test_other_waiter_stays);
  aex_test_add ("/pending/K54/cancelled-waiter", test_cancelled_waiter);
  aex_test_add ("/pending/K53/cancel-wait-done", test_cancel_wait_done);
  aex_test_add ("/pending/rule5/job-cancel-ends-wait", test_job_cancel_ends_wait);
  aex_test_add ("/pending/rule5/shield-inside-job", test_shield_inside_job);
  aex_test_add ("/pending/rule5/job-deadline-ends-wait", test_job_deadline_ends_wait);
  aex_test_add ("/pending/E10/running-prevails", test_running_prevails);
  aex_test_add ("/pending/E10/queued-is-cancelled", test_queued_is_cancelled);
  aex_test_add ("/pending/E10/cancelled-by-others", test_cancelled_by_others);
  return aex_test_run ();
}
