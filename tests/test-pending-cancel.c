/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

#include <string.h>

/* Rule 5: cancelling promises and jobs. Derived pendings: test-pending-chain.c. */

static char *
dup_message (AexPending *pending)
{
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return g_strdup (error->message);
}

/* --- K51 */

static void
test_no_canceller_done_now (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_true (aex_pending_cancel (pending, "now"));
  g_assert_true (aex_pending_is_done (pending));
  g_assert_true (aex_pending_is_cancelled (pending));
  aex_assert_cancelled (pending);
}

static void
count_call (AexPending *pending,
            gpointer    n_calls)
{
  g_assert_true (aex_pending_is_cancelled (pending));
  g_assert_false (aex_pending_is_done (pending));
  g_atomic_int_inc ((int *) n_calls);
}

static void
test_two_messages (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autofree char *message = NULL;
  int n_calls = 0;

  aex_pending_set_canceller (pending, count_call, &n_calls, NULL);
  g_assert_true (aex_pending_cancel (pending, "first"));
  g_assert_true (aex_pending_cancel (pending, NULL));
  g_assert_true (aex_pending_cancel (pending, "second"));
  message = dup_message (pending);
  g_assert_nonnull (strstr (message, "first\nsecond"));
  aex_test_iterate_until (aex_test_is_set, &n_calls);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_drain ();
  g_assert_cmpint (n_calls, ==, 1);
}

static void
test_cancel_is_idempotent (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_true (aex_pending_cancel (pending, "once"));
  g_assert_true (aex_pending_cancel (pending, "again"));
  aex_assert_cancelled (pending);
}

/* --- K52: cancellers */

static void
test_canceller_once_replaced (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison first;
  AexPoison second;

  aex_poison_init (&first);
  aex_poison_init (&second);
  g_assert_true (aex_pending_set_canceller (pending, aex_poison_callback, &first, aex_poison_release));
  g_assert_true (aex_pending_set_canceller (pending, aex_poison_callback, &second, aex_poison_release));
  g_assert_true (aex_pending_cancel (pending, NULL));
  g_assert_cmpint (aex_poison_get_called (&second), ==, 0);
  while (aex_poison_get_called (&second) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_FAILED, "not seen"));
  aex_test_iterate_until (aex_poison_is_released, &first);
  aex_test_iterate_until (aex_poison_is_released, &second);
  g_assert_cmpint (aex_poison_get_called (&first), ==, 0);
  g_assert_cmpint (aex_poison_get_called (&second), ==, 1);
  aex_assert_cancelled (pending);
}

static void
test_canceller_released_uncalled (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  g_assert_true (aex_pending_set_canceller (pending, aex_poison_callback, &poison, aex_poison_release));
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_false (aex_pending_cancel (pending, NULL));
}

static void
cancel_it (gpointer pending)
{
  g_assert_true (aex_pending_cancel (pending, NULL));
}

/* Cancelled by what is released with the one that is replaced: here and now, for its context is gone. */
static void
test_cancelled_while_replaced (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GMainContext *context = g_main_context_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  g_main_context_push_thread_default (context);
  g_assert_true (aex_pending_set_canceller (pending, aex_poison_callback, pending, cancel_it));
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_true (aex_pending_set_canceller (pending, aex_poison_callback, &poison, aex_poison_release));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_assert_cancelled (pending);
}

/* D1: too late for a canceller. */
static void
test_late_canceller (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  g_assert_true (aex_pending_cancel (pending, NULL));
  g_assert_true (aex_pending_is_done (pending));
  g_assert_false (aex_pending_set_canceller (pending, aex_poison_callback, &poison, aex_poison_release));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

static void
producer_rejects (AexPending *pending,
                  gpointer    data)
{
  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_CLOSED, "torn down"));
  *(int *) data = 1;
}

/* The producer's answer completes it; the outcome is the cancellation. */
static void
test_canceller_completes (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  int called = 0;

  aex_pending_set_canceller (pending, producer_rejects, &called, NULL);
  g_assert_true (aex_pending_cancel (pending, "tear down"));
  g_assert_false (aex_pending_is_done (pending));
  aex_test_run_until_done (pending);
  g_assert_cmpint (called, ==, 1);
  aex_assert_cancelled (pending);
  g_assert_false (aex_pending_resolve (pending, NULL));
}

static gpointer
cancel_in_thread (gpointer pending)
{
  g_assert_true (aex_pending_cancel (pending, "from a thread"));
  return NULL;
}

/* It is delivered like a callback: to the thread that set it. */
static void
test_canceller_on_its_owner (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  g_assert_true (aex_pending_set_canceller (pending, aex_poison_callback, &poison, aex_poison_release));
  aex_test_in_thread (cancel_in_thread, pending);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_true (aex_pending_is_cancelled (pending));
  while (aex_poison_get_called (&poison) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (aex_poison_is_released, &poison);
}

/* --- K31: jobs */

static gboolean
mark_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      n_runs,
          GError      **error)
{
  g_atomic_int_inc ((int *) n_runs);
  return TRUE;
}

static void
test_queued_never_starts (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPoison closure;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;

  aex_block_init (&block);
  aex_poison_init_executor (&closure, pool);
  first = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  second = aex_executor_submit (pool, aex_poison_job, &closure, aex_poison_release);
  aex_assert_state (second, QUEUED);
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 1);
  g_assert_true (aex_pending_cancel (second, "changed my mind"));
  g_assert_true (aex_pending_is_done (second));
  aex_assert_cancelled (second);
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 0);
  aex_gate_open (&block.release);
  aex_test_run_until_done (first);
  aex_test_iterate_until (aex_poison_is_released, &closure);
  g_assert_cmpint (aex_poison_get_called (&closure), ==, 0);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static gboolean
resolve_after_release (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      data,
                       GError      **error)
{
  AexBlock *block = data;

  g_assert_true (aex_pending_get_current () == job);
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  g_assert_false (g_cancellable_is_cancelled (aex_pending_get_cancellable (job)));
  aex_gate_open (&block->started);
  aex_gate_wait (&block->release);
  /* A pool job's cancellable is cancelled by the cancelling thread at once. */
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_true (g_cancellable_is_cancelled (aex_pending_get_cancellable (job)));
  g_assert_false (aex_check_cancelled (error));
  g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (error);
  g_assert_false (aex_pending_resolve_int64 (job, 1));
  g_assert_false (aex_pending_is_done (job));
  return TRUE;
}

static void
test_running_is_cancelled (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  g_autoptr (AexPending) job = NULL;

  aex_block_init (&block);
  job = aex_executor_submit (pool, resolve_after_release, &block, NULL);
  aex_gate_wait (&block.started);
  aex_assert_state (job, RUNNING);
  g_assert_true (aex_pending_cancel (job, "stop"));
  g_assert_true (aex_pending_is_cancelled (job));
  g_assert_false (aex_pending_is_done (job));
  aex_assert_state (job, RUNNING);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static gboolean
record_then_wait (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      data,
                  GError      **error)
{
  AexBlock *block = data;

  g_assert_true (aex_pending_resolve_string (job, "recorded"));
  g_assert_false (aex_pending_reject_new (job, G_IO_ERROR, G_IO_ERROR_FAILED, "second"));
  g_assert_false (aex_pending_is_done (job));
  aex_gate_open (&block->started);
  aex_gate_wait (&block->release);
  return TRUE;
}

static AexPending *
start_recorded (AexExecutor *pool,
                AexBlock    *block)
{
  AexPending *job = aex_executor_submit (pool, record_then_wait, block, NULL);

  aex_gate_wait (&block->started);
  aex_assert_state (job, RUNNING);
  return job;
}

/* Rule 1: an outcome recorded by a job is final only when the job returns. */
static void
test_recorded_then_done (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  g_autofree char *text = NULL;
  AexBlock block;

  aex_block_init (&block);
  job = start_recorded (pool, &block);
  g_assert_false (aex_pending_resolve_int64 (job, 2));
  g_assert_null (aex_pending_dup_string (job, NULL));
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  text = aex_pending_dup_string (job, NULL);
  g_assert_cmpstr (text, ==, "recorded");
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static void
test_cancel_beats_recorded (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  job = start_recorded (pool, &block);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

/* Another thread records for a running job. */
static void
test_foreign_record (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  job = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  g_assert_true (aex_pending_resolve_int64 (job, 11));
  g_assert_false (aex_pending_resolve_int64 (job, 12));
  g_assert_false (aex_pending_is_done (job));
  aex_assert_state (job, RUNNING);
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 11);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

/* --- cancel_queued, set_priority */

static void
test_cancel_queued (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) running = NULL;
  g_autoptr (AexPending) queued = NULL;
  AexBlock block;
  int n_runs = 0;

  aex_block_init (&block);
  running = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  queued = aex_executor_submit (pool, mark_job, &n_runs, NULL);
  g_assert_false (aex_pending_cancel_queued (running));
  g_assert_false (aex_pending_is_cancelled (running));
  g_assert_true (aex_pending_cancel_queued (queued));
  aex_assert_cancelled (queued);
  aex_gate_open (&block.release);
  aex_test_run_until_done (running);
  aex_assert_state (running, RESOLVED);
  g_assert_false (aex_pending_cancel_queued (running));
  aex_test_shutdown (pool);
  g_assert_cmpint (n_runs, ==, 0);
  aex_block_clear (&block);
}

static AexRecord order;

static gboolean
note_name (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  aex_record_add (&order, data);
  return TRUE;
}

static void
test_set_priority (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) blocker = NULL;
  g_autoptr (AexPending) a = NULL;
  g_autoptr (AexPending) b = NULL;
  g_autoptr (AexPending) c = NULL;
  AexBlock block;

  aex_block_init (&block);
  aex_record_init (&order);
  blocker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  a = aex_executor_submit (pool, note_name, (gpointer) "a", NULL);
  b = aex_executor_submit (pool, note_name, (gpointer) "b", NULL);
  c = aex_executor_submit (pool, note_name, (gpointer) "c", NULL);
  g_assert_true (aex_pending_set_priority (c, AEX_PRIORITY_HIGH));
  g_assert_true (aex_pending_set_priority (b, AEX_PRIORITY_HIGH));
  g_assert_false (aex_pending_set_priority (blocker, AEX_PRIORITY_HIGH));
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 3);
  aex_gate_open (&block.release);
  aex_test_shutdown (pool);
  aex_assert_record (&order, "c b a");
  g_assert_false (aex_pending_set_priority (a, AEX_PRIORITY_HIGH));
  aex_record_clear (&order);
  aex_block_clear (&block);
}

static gpointer
cancels_rising (gpointer data)
{
  AexPending **jobs = data;

  for (guint i = 0; i < 100; i++)
    aex_pending_cancel (jobs[i], NULL);
  return NULL;
}

/* P18, I3: only the one atomic step decides: either it never runs or the
 * cancel came late enough to have let it start. */
static void
test_decided_by_one_step (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexPending *jobs[100];
  int n_runs[100] = { 0 };
  GThread *thread;

  for (guint i = 0; i < 100; i++)
    jobs[i] = aex_executor_submit (pool, mark_job, &n_runs[i], NULL);
  thread = g_thread_new ("canceller", cancels_rising, jobs);
  for (guint i = 100; i > 0; i--)
    {
      gboolean won = aex_pending_cancel_queued (jobs[i - 1]);

      if (won)
        g_assert_cmpint (g_atomic_int_get (&n_runs[i - 1]), ==, 0);
    }
  g_thread_join (thread);
  aex_test_shutdown (pool);
  for (guint i = 0; i < 100; i++)
    {
      g_assert_true (aex_pending_is_done (jobs[i]));
      g_assert_cmpint (n_runs[i], <=, 1);
      if (aex_pending_get_state (jobs[i]) == AEX_PENDING_STATE_RESOLVED)
        g_assert_cmpint (n_runs[i], ==, 1);
      g_object_unref (jobs[i]);
    }
}

/* --- P1 */

static gpointer
complete_many (gpointer data)
{
  AexPending **pendings = ((gpointer *) data)[0];
  int *n_wins = ((gpointer *) data)[1];
  guint how = GPOINTER_TO_UINT (((gpointer *) data)[2]);
  AexGate *start = ((gpointer *) data)[3];

  aex_gate_wait (start);
  for (guint i = 0; pendings[i] != NULL; i++)
    {
      gboolean won;

      if (how == 0)
        won = aex_pending_resolve_int64 (pendings[i], 1);
      else if (how == 1)
        won = aex_pending_reject_new (pendings[i], G_IO_ERROR, G_IO_ERROR_FAILED, "two");
      else
        won = aex_pending_cancel (pendings[i], "three");
      if (won)
        g_atomic_int_inc (&n_wins[i]);
    }
  return NULL;
}

static void
test_one_winner (void)
{
  enum { N = 1000 };
  g_autofree AexPending **pendings = g_new0 (AexPending *, N + 1);
  g_autofree int *n_wins = g_new0 (int, N);
  AexGate start;
  gpointer data[3][4];
  GThread *threads[3];

  aex_gate_init (&start);
  for (guint i = 0; i < N; i++)
    pendings[i] = aex_pending_new ();
  for (guint i = 0; i < 3; i++)
    {
      gpointer mine[4] = { pendings, n_wins, GUINT_TO_POINTER (i), &start };

      memcpy (data[i], mine, sizeof mine);
      threads[i] = g_thread_new ("completer", complete_many, data[i]);
    }
  aex_gate_open (&start);
  for (guint i = 0; i < 3; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < N; i++)
    {
      g_autoptr (GError) error = aex_pending_dup_error (pendings[i]);

      g_assert_true (aex_pending_is_done (pendings[i]));
      g_assert_cmpint (n_wins[i], ==, 1);
      g_assert_cmpint (error == NULL, ==, aex_pending_get_state (pendings[i]) == AEX_PENDING_STATE_RESOLVED);
      g_object_unref (pendings[i]);
    }
  aex_gate_clear (&start);
}

static void
add_jobs (void)
{
  aex_test_add ("/pending/K31/queued-never-starts", test_queued_never_starts);
  aex_test_add ("/pending/K31/running-is-cancelled", test_running_is_cancelled);
  aex_test_add ("/pending/rule1/recorded-then-done", test_recorded_then_done);
  aex_test_add ("/pending/rule1/cancel-beats-recorded", test_cancel_beats_recorded);
  aex_test_add ("/pending/rule1/foreign-record", test_foreign_record);
  aex_test_add ("/pending/rule5/cancel-queued", test_cancel_queued);
  aex_test_add ("/pending/edge/set-priority", test_set_priority);
  aex_test_add ("/pending/P18/decided-by-one-step", test_decided_by_one_step);
  aex_test_add ("/pending/P1/one-winner", test_one_winner);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/K51/no-canceller-done-now", test_no_canceller_done_now);
  aex_test_add ("/pending/K51/two-messages", test_two_messages);
  aex_test_add ("/pending/I7/cancel-is-idempotent", test_cancel_is_idempotent);
  aex_test_add ("/pending/K52/canceller-once-replaced", test_canceller_once_replaced);
  aex_test_add ("/pending/K52/canceller-released-uncalled", test_canceller_released_uncalled);
  aex_test_add ("/pending/K52/cancelled-while-replaced", test_cancelled_while_replaced);
  aex_test_add ("/pending/D1/late-canceller", test_late_canceller);
  aex_test_add ("/pending/P2/canceller-completes", test_canceller_completes);
  aex_test_add ("/pending/K52/canceller-on-its-owner", test_canceller_on_its_owner);
  add_jobs ();
  return aex_test_run ();
}
