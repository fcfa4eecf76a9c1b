/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"
#include "lib/aex-limits.h"

#include "base/aex-debug-private.h"
#include "executor/aex-call-queue-private.h"

/* K34, K36, P6: call queues from many threads. */

/* --- P6: from eight threads, with items that are cancelled and queues that are closed */
typedef struct
{
  AexCaller *caller;
  int        n_inside;    /* atomic */
  int        n_run;       /* atomic */
  int        n_taken;     /* atomic */
  int        n_released;  /* atomic */
} Storm;

static AexPending *
async_storm (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  Storm *self = data;

  g_assert_cmpint (g_atomic_int_add (&self->n_inside, 1), ==, 0);
  g_atomic_int_inc (&self->n_run);
  g_assert_true (g_atomic_int_dec_and_test (&self->n_inside));
  return g_atomic_int_get (&self->n_run) % 3 == 0 ? aex_pending_sleep (0) : NULL;
}

static void
storm_release (gpointer data)
{
  g_atomic_int_inc (&((Storm *) data)->n_released);
}

static gpointer
push_in_thread (gpointer data)
{
  Storm *self = data;
  guint n = aex_test_scale (4000);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (self->caller, NULL, "storm");

      g_assert_cmpuint (aex_pending_get_state (aex_call_queue_get_pending (queue)), >=, AEX_PENDING_STATE_RUNNING);
      if (aex_call_queue_push_async (queue, async_storm, self, storm_release))
        g_atomic_int_inc (&self->n_taken);
    }
  return NULL;
}

static void
test_from_thread (void)
{
  Storm self = { .caller = aex_test_caller_new ("queues") };
  GThread *threads[8];
  g_autoptr (AexCallQueue) queue = NULL;

  for (guint i = 0; i < 8; i++)
    threads[i] = g_thread_new ("pusher", push_in_thread, &self);
  for (guint i = 0; i < 8; i++)
    g_thread_join (threads[i]);
  queue = aex_caller_ensure_queue (self.caller, NULL, "storm");
  aex_test_wait_for_queue (queue);
  g_assert_cmpint (self.n_run, ==, self.n_taken);
  aex_test_caller_end (self.caller);
  g_assert_cmpint (self.n_released, ==, self.n_taken);
}

static gpointer
push_and_close (gpointer data)
{
  Storm *self = data;
  guint n = aex_test_scale (2000);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (self->caller, NULL, "storm");

      /* Released exactly once either way. */
      aex_call_queue_push_async (queue, async_storm, self, storm_release);
      g_atomic_int_inc (&self->n_taken);
      if (i % 7 == 0)
        aex_call_queue_close (queue);
      if (i % 11 == 0)
        aex_caller_close_queue (self->caller, NULL, "storm");
    }
  return NULL;
}

static gboolean
storm_is_over (gpointer data)
{
  Storm *self = data;

  return g_atomic_int_get (&self->n_released) == g_atomic_int_get (&self->n_taken);
}

static void
test_close_from_threads (void)
{
  Storm self = { .caller = aex_test_caller_new ("queues") };
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("pusher", push_and_close, &self);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  aex_test_caller_end (self.caller);
  /* Refused ones are released here. */
  while (!storm_is_over (&self))
    g_main_context_iteration (NULL, TRUE);
}

/* --- one takes the place of another whose end is not through yet */

static gpointer
cancel_pending (gpointer pending)
{
  aex_pending_cancel (pending, NULL);
  return NULL;
}

static void
test_replaced (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  AexCallQueue *old = aex_caller_ensure_queue (caller, NULL, "test");
  AexPending *pending = aex_call_queue_get_pending (old);
  g_autoptr (AexCallQueue) other = NULL;
  GThread *thread;

  /* Its end needs the lock: the pending is done, and the queue still listed. */
  g_mutex_lock (&old->lock);
  thread = g_thread_new ("cancel", cancel_pending, pending);
  aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  other = aex_caller_ensure_queue (caller, NULL, "test");
  g_assert_true (other != old);
  g_mutex_unlock (&old->lock);
  g_thread_join (thread);
  aex_assert_last_unref (old);
  aex_test_caller_end (caller);
}

/* --- an item that ends between being the next one and beginning */

static gboolean
count_run (AexPending   *job,
           GCancellable *cancellable,
           gpointer      n_runs,
           GError      **error)
{
  g_atomic_int_inc ((int *) n_runs);
  return TRUE;
}

static AexCallQueue *closing;   /* of the thread that ends the one before */
static int           n_checkpoints;

static gpointer
close_in_thread (gpointer queue)
{
  aex_call_queue_close (queue);
  return NULL;
}

/* By another thread: what this one does within a completion is put off until that is over. */
static void
close_at_checkpoint (void)
{
  if (--n_checkpoints == 0)
    g_thread_join (g_thread_new ("close", close_in_thread, closing));
}

static void
close_before_next (int checkpoint)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "test");
  g_autoptr (AexPending) first = aex_pending_new ();
  g_autoptr (AexPending) behind = NULL;
  AexPending *running;
  AexBlock block;
  int n_runs = 0;

  g_assert_true (aex_call_queue_push_async (queue, aex_test_follow, first, NULL));
  g_assert_true (aex_call_queue_push (queue, count_run, &n_runs, NULL));
  /* Both have been there: the second waits for the first. */
  running = aex_block_begin (&block, AEX_EXECUTOR (caller));
  closing = queue;
  n_checkpoints = checkpoint;
  aex_checkpoint_set_func (close_at_checkpoint);
  aex_pending_resolve (first, NULL);
  aex_checkpoint_set_func (NULL);
  aex_call_queue_close (queue);
  aex_block_end (&block, running);
  behind = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  aex_test_wait (behind);
  g_assert_cmpint (n_runs, ==, 0);
  aex_test_caller_end (caller);
}

static void
test_close_before_next (void)
{
  int n_checked = 0;

  for (int checkpoint = 1; n_checkpoints <= 0; checkpoint++)
    {
      close_before_next (checkpoint);
      n_checked++;
    }
  g_assert_cmpint (n_checked, >, 1);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K34-P6/from-thread", test_from_thread);
  aex_test_add ("/caller/K36-P6/close-from-threads", test_close_from_threads);
  aex_test_add ("/caller/K34-R10/replaced", test_replaced);
  aex_test_add ("/caller/K36-R10/close-before-next", test_close_before_next);
  return aex_test_run ();
}
