/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

/* K21, K33, P10, P17, E2: work on child threads. */

static guint
count_children (AexCaller *caller)
{
  g_autoptr (GPtrArray) children = aex_caller_list_children (caller);

  return children->len;
}

/* Blocks that run at the same time, each on a thread of its own. */
typedef struct
{
  AexBlock    blocks[16];
  AexPending *jobs[16];
  AexGate     free[16];
  guint       n;
} Busy;

/* Who is told at once is told when the worker is free. */
static void
open_gate (AexPending *job,
           gpointer    gate)
{
  aex_gate_open (gate);
}

static void
busy_begin (Busy      *self,
            AexCaller *caller,
            guint      n)
{
  self->n = n;
  for (guint i = 0; i < n; i++)
    {
      aex_block_init (&self->blocks[i]);
      aex_gate_init (&self->free[i]);
      self->jobs[i] = aex_caller_to_thread (caller, aex_block_job, &self->blocks[i], NULL);
      aex_pending_add_done_callback_inline (self->jobs[i], open_gate, &self->free[i], NULL);
    }
  for (guint i = 0; i < n; i++)
    aex_gate_wait (&self->blocks[i].started);
}

/* One after the other, so that the first becomes idle first. */
static void
busy_end (Busy *self)
{
  for (guint i = 0; i < self->n; i++)
    {
      aex_gate_open (&self->blocks[i].release);
      aex_gate_wait (&self->free[i]);
      aex_gate_clear (&self->free[i]);
      aex_block_end (&self->blocks[i], self->jobs[i]);
    }
}

static gpointer
thread_of (AexPending *job)
{
  gpointer thread;

  aex_test_wait (job);
  thread = aex_pending_get_pointer (job, NULL);
  g_assert_nonnull (thread);
  return thread;
}

/* --- K21 */
static void
test_defaults (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  guint idle, most;
  gint64 timeout_us;

  g_object_get (caller, "max-idle-workers", &idle, "max-workers", &most, "idle-worker-timeout-us", &timeout_us, NULL);
  g_assert_cmpuint (idle, ==, 10);
  g_assert_cmpuint (most, ==, 0);
  g_assert_cmpint (timeout_us, ==, 60 * G_USEC_PER_SEC);
  g_object_set (caller, "max-idle-workers", 2, "max-workers", 3, "idle-worker-timeout-us", (gint64) -1, NULL);
  g_assert_cmpuint (aex_caller_get_max_idle_workers (caller), ==, 2);
  g_assert_cmpuint (aex_caller_get_max_workers (caller), ==, 3);
  g_assert_cmpint (aex_caller_get_idle_worker_timeout (caller), ==, -1);
  aex_test_caller_end (caller);
}

/* --- K33 */
static void
test_worker_reused (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  gpointer first = NULL;

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (AexPending) job = aex_caller_to_thread (caller, aex_job_thread, NULL, NULL);
      gpointer thread = thread_of (job);

      g_assert_true (thread != g_thread_self ());
      g_assert_true (first == NULL || first == thread);
      first = thread;
    }
  g_assert_cmpuint (count_children (caller), ==, 1);
  aex_test_caller_end (caller);
}

static gboolean
job_id (AexPending   *job,
        GCancellable *cancellable,
        gpointer      block,
        GError      **error)
{
  g_autoptr (AexCaller) here = aex_caller_ref_current (NULL);

  if (block != NULL)
    aex_block_job (job, cancellable, block, error);
  return aex_pending_resolve_int64 (job, (gint64) aex_caller_get_id (here));
}

/* The one that was free first is taken first. */
static void
test_order_of_idle (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  AexBlock blocks[3];
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  static const guint order[] = { 2, 0, 1 };
  AexGate free[3];
  gint64 ids[3];

  for (guint i = 0; i < 3; i++)
    {
      aex_block_init (&blocks[i]);
      aex_gate_init (&free[i]);
      g_ptr_array_add (jobs, aex_caller_to_thread (caller, job_id, &blocks[i], NULL));
      aex_pending_add_done_callback_inline (jobs->pdata[i], open_gate, &free[i], NULL);
      aex_gate_wait (&blocks[i].started);
    }
  for (guint i = 0; i < 3; i++)
    {
      aex_gate_open (&blocks[order[i]].release);
      aex_gate_wait (&free[order[i]]);
      ids[i] = aex_pending_get_int64 (jobs->pdata[order[i]], NULL);
    }
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPending) job = aex_caller_to_thread (caller, job_id, NULL, NULL);

      aex_test_wait (job);
      aex_assert_resolved_int64 (job, ids[i]);
    }
  for (guint i = 0; i < 3; i++)
    {
      aex_gate_clear (&free[i]);
      aex_block_clear (&blocks[i]);
    }
  aex_test_caller_end (caller);
}

static void
test_pool_limit (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;

  aex_caller_set_max_idle_workers (caller, 2);
  busy_begin (&busy, caller, 5);
  g_assert_cmpuint (count_children (caller), ==, 5);
  busy_end (&busy);
  g_assert_cmpuint (count_children (caller), ==, 2);
  aex_caller_set_max_idle_workers (caller, 0);
  g_assert_cmpuint (count_children (caller), ==, 0);
  busy_begin (&busy, caller, 1);
  busy_end (&busy);
  g_assert_cmpuint (count_children (caller), ==, 0);
  aex_test_caller_end (caller);
}

static void
test_max_workers (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);
  Busy busy;
  AexRecord record;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  g_autoptr (AexPending) dropped = NULL;

  aex_record_init (&record);
  aex_caller_set_max_workers (caller, 1);
  busy_begin (&busy, caller, 1);
  g_ptr_array_add (jobs, aex_submit_note (workers, &record, "1"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (workers, AEX_PRIORITY_BACKGROUND, &record, "last"));
  dropped = aex_submit_note (workers, &record, "never");
  g_ptr_array_add (jobs, aex_submit_note (workers, &record, "2"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (workers, AEX_PRIORITY_HIGH, &record, "first"));
  g_assert_cmpuint (aex_executor_get_n_pending (workers), ==, 5);
  g_assert_true (aex_pending_cancel (dropped, NULL));
  g_assert_true (aex_pending_set_priority (jobs->pdata[2], AEX_PRIORITY_HIGH));
  g_assert_cmpuint (aex_executor_get_n_pending (workers), ==, 4);
  g_assert_cmpuint (count_children (caller), ==, 1);
  busy_end (&busy);
  aex_test_wait_all (jobs);
  aex_assert_record (&record, "first 2 1 last");
  g_assert_cmpuint (count_children (caller), ==, 1);
  g_assert_cmpuint (aex_executor_get_n_pending (workers), ==, 0);
  g_assert_cmpuint (aex_executor_get_n_running (workers), ==, 0);
  aex_record_clear (&record);
  aex_test_caller_end (caller);
}

/* What waits starts when there may be more. */
static void
test_max_workers_raised (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;
  g_autoptr (AexPending) job = NULL;

  aex_caller_set_max_workers (caller, 1);
  busy_begin (&busy, caller, 1);
  job = aex_caller_to_thread (caller, aex_job_int, GINT_TO_POINTER (3), NULL);
  g_assert_false (aex_pending_is_done (job));
  aex_caller_set_max_workers (caller, 2);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 3);
  busy_end (&busy);
  aex_test_caller_end (caller);
}

static gboolean
no_children (gpointer caller)
{
  return count_children (caller) == 0;
}

static void
test_idle_shutdown (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;
  AexTicker *ticker;

  aex_test_virtual_time ();
  aex_caller_set_idle_worker_timeout (caller, G_USEC_PER_SEC);
  busy_begin (&busy, caller, 3);
  busy_end (&busy);
  g_assert_cmpuint (count_children (caller), ==, 3);
  ticker = aex_ticker_start (G_USEC_PER_SEC / 10);
  while (!no_children (caller))
    g_thread_yield ();
  aex_ticker_stop (ticker);
  aex_test_caller_end (caller);
}

/* P17: for ever is no time at all: nothing waits for it. */
static void
test_idle_for_ever (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;
  guint armed;

  aex_caller_set_idle_worker_timeout (caller, -1);
  armed = aex_timer_service_get_n_armed ();
  busy_begin (&busy, caller, 2);
  busy_end (&busy);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, armed);
  g_assert_cmpuint (count_children (caller), ==, 2);
  aex_caller_set_idle_worker_timeout (caller, G_MAXINT64);
  g_assert_cmpuint (count_children (caller), ==, 2);
  aex_caller_set_idle_worker_timeout (caller, 0);
  g_assert_cmpuint (count_children (caller), ==, 0);
  aex_test_caller_end (caller);
}

/* P10 */
static void
test_stopping_worker_skipped (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;
  g_autoptr (GPtrArray) children = NULL;
  guint n = aex_test_scale (200);

  busy_begin (&busy, caller, 4);
  busy_end (&busy);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexPending) job = NULL;

      g_clear_pointer (&children, g_ptr_array_unref);
      children = aex_caller_list_children (caller);
      if (children->len > 0)
        g_object_unref (aex_caller_stop (children->pdata[0], AEX_STOP_FLAGS_NONE));
      job = aex_caller_to_thread (caller, aex_job_int, GINT_TO_POINTER (5), NULL);
      aex_test_wait (job);
      aex_assert_resolved_int64 (job, 5);
    }
  aex_test_caller_end (caller);
}

static void
test_parent_exit (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;
  g_autoptr (AexPending) queued = NULL;
  g_autoptr (AexPending) late = NULL;
  g_autoptr (AexPending) stopped = NULL;

  aex_caller_set_max_workers (caller, 2);
  busy_begin (&busy, caller, 2);
  queued = aex_caller_to_thread (caller, aex_job_int, NULL, NULL);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_wait (queued);
  aex_assert_failed_with (queued, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_true (aex_pending_is_cancelled (busy.jobs[0]));
  g_assert_false (aex_pending_is_done (stopped));
  late = aex_caller_to_thread (caller, aex_job_int, NULL, NULL);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  busy_end (&busy);
  aex_test_wait (stopped);
  g_object_unref (caller);
  aex_test_wait_threads ();
}

/* What was accepted runs when the last reference goes. */
static void
test_parent_drains (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  Busy busy;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  aex_caller_set_max_workers (caller, 1);
  busy_begin (&busy, caller, 1);
  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (jobs, aex_caller_to_thread (caller, aex_job_int, GINT_TO_POINTER ((int) i), NULL));
  g_object_unref (caller);
  busy_end (&busy);
  aex_test_wait_all (jobs);
  for (guint i = 0; i < 10; i++)
    aex_assert_resolved_int64 (jobs->pdata[i], (int) i);
  aex_test_wait_threads ();
}

/* A running one is cancelled, on its thread; an error comes back; the worker goes on. */
static void
test_cancel_and_fail (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  AexGate ready;
  g_autoptr (AexPending) running = NULL;
  g_autoptr (AexPending) failing = NULL;
  g_autoptr (AexPending) job = NULL;

  aex_gate_init (&ready);
  running = aex_caller_to_thread (caller, aex_job_until_cancelled, &ready, NULL);
  aex_gate_wait (&ready);
  g_assert_true (aex_pending_cancel (running, NULL));
  aex_test_wait (running);
  aex_assert_cancelled (running);
  failing = aex_caller_to_thread (caller, aex_job_fail, NULL, NULL);
  aex_test_wait (failing);
  aex_assert_failed_with (failing, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  job = aex_caller_to_thread (caller, aex_job_int, GINT_TO_POINTER (2), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 2);
  g_assert_cmpuint (count_children (caller), ==, 1);
  aex_gate_clear (&ready);
  aex_test_caller_end (caller);
}

static gboolean
job_sleep_inside (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      user_data,
                  GError      **error)
{
  g_autoptr (AexPending) sleep = aex_pending_sleep (1000);

  /* Its main context is its own. */
  return aex_pending_run_until_done (sleep, AEX_WAIT_FLAGS_NONE, -1, NULL, error)
         && aex_pending_resolve_boolean (job, g_main_context_get_thread_default () != NULL);
}

static AexPending *
async_sleep (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  return aex_pending_sleep (1000);
}

/* E2: context variables; a context of its own; coroutines. */
static void
test_context (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  g_autoptr (AexPending) seen = NULL;
  g_autoptr (AexPending) inside = NULL;
  g_autoptr (AexPending) async = NULL;

  aex_test_var_set (var, 6);
  seen = aex_caller_to_thread (caller, aex_job_read_and_change_var, var, NULL);
  aex_test_wait (seen);
  aex_assert_resolved_int64 (seen, 6);
  g_assert_cmpint (aex_test_var_get (var), ==, 6);
  inside = aex_caller_to_thread (caller, job_sleep_inside, NULL, NULL);
  aex_test_wait (inside);
  g_assert_true (aex_pending_get_boolean (inside, NULL));
  async = aex_executor_submit_async (workers, async_sleep, NULL, NULL);
  aex_test_wait (async);
  aex_assert_state (async, RESOLVED);
  aex_test_caller_end (caller);
}

static gboolean
item_square (AexPendingStream *stream,
             guint             index,
             GCancellable     *cancellable,
             gpointer          user_data,
             GError          **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, index * index);
  aex_pending_stream_set_value (stream, index, &value);
  return TRUE;
}

static void
test_map (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);
  g_autoptr (AexPendingStream) stream = aex_executor_map (workers, 30, 3, -1, AEX_MAP_FLAGS_NONE, item_square, NULL, NULL);

  for (guint i = 0; i < 30; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);

      g_assert_nonnull (result);
      g_assert_cmpint (g_value_get_int64 (aex_pending_result_get_value (result, NULL)), ==, i * i);
    }
  g_clear_object (&stream);
  aex_test_caller_end (caller);
}

/* P6 of K33: eight threads at once, with a cap. */
static gpointer
many_to_thread (gpointer caller)
{
  guint n = aex_test_scale (500);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexPending) job = aex_caller_to_thread (caller, aex_job_int, GINT_TO_POINTER ((int) i), NULL);

      if (i % 3 == 0 && aex_pending_cancel (job, NULL))
        continue;
      aex_test_wait (job);
      aex_assert_resolved_int64 (job, (int) i);
    }
  return NULL;
}

static void
test_from_threads (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  GThread *threads[8];

  aex_caller_set_max_workers (caller, 3);
  aex_caller_set_max_idle_workers (caller, 1);
  for (guint i = 0; i < 8; i++)
    threads[i] = g_thread_new ("many", many_to_thread, caller);
  for (guint i = 0; i < 8; i++)
    g_thread_join (threads[i]);
  aex_test_caller_end (caller);
}

/* Who cancels it has been with the workers before it has one: nothing is left reserved for it. */
static void
test_cancelled_before_its_place (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);
  g_autoptr (AexPending) first = aex_executor_submit (workers, aex_job_int, NULL, NULL);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) next = NULL;
  int n_released = 0;

  /* One worker is idle, and would be reserved. */
  aex_test_wait (first);
  job = aex_submit_cancelled (workers, 0, &n_released);
  next = aex_caller_to_thread (caller, aex_job_int, GINT_TO_POINTER (3), NULL);
  aex_test_wait (next);
  aex_assert_resolved_int64 (next, 3);
  aex_test_caller_end (caller);
  g_assert_cmpint (n_released, ==, 1);
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     n_told)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_atomic_int_inc ((int *) n_told);
  return TRUE;
}

/* An error that nobody reads is told by the caller. */
static void
test_unhandled (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  int n_told = 0;

  g_signal_connect (caller, "unhandled-error", G_CALLBACK (on_unhandled), &n_told);
  g_object_unref (aex_caller_to_thread (caller, aex_job_fail, NULL, NULL));
  while (!g_atomic_int_get (&n_told))
    {
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);

      aex_test_wait (job);
    }
  aex_test_caller_end (caller);
}

/* Released once, where it ran; refused, at who gave it. */
static void
test_destroy (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) refused = NULL;
  g_autoptr (AexPending) stopped = g_object_ref (aex_caller_get_stopped (caller));
  AexPoison ran, late;

  aex_poison_init (&ran);
  ran.thread = NULL;
  ran.in_dispatch = FALSE;
  job = aex_caller_to_thread (caller, aex_poison_job, &ran, aex_poison_release);
  aex_test_wait (job);
  g_assert_cmpint (aex_poison_get_called (&ran), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&ran), ==, 1);
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  aex_test_wait (stopped);
  aex_poison_init (&late);
  refused = aex_caller_to_thread (caller, aex_poison_job, &late, aex_poison_release);
  aex_test_iterate_until (aex_poison_is_released, &late);
  g_assert_cmpint (aex_poison_get_called (&late), ==, 0);
  g_object_unref (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K21/defaults", test_defaults);
  aex_test_add ("/caller/K33/worker-reused", test_worker_reused);
  aex_test_add ("/caller/K33/longest-idle-first", test_order_of_idle);
  aex_test_add ("/caller/K21-K33/pool-limit", test_pool_limit);
  aex_test_add ("/caller/K33/max-workers", test_max_workers);
  aex_test_add ("/caller/K33/max-workers-raised", test_max_workers_raised);
  aex_test_add ("/caller/K33/idle-shutdown", test_idle_shutdown);
  aex_test_add ("/caller/K21-P17/idle-for-ever", test_idle_for_ever);
  aex_test_add ("/caller/K33-P10/stopping-worker-skipped", test_stopping_worker_skipped);
  aex_test_add ("/caller/K33/parent-exit-stops-worker", test_parent_exit);
  aex_test_add ("/caller/K33/parent-drains", test_parent_drains);
  aex_test_add ("/caller/K33/cancel-and-fail", test_cancel_and_fail);
  aex_test_add_in_context ("/caller/K33-E2/context", test_context);
  aex_test_add ("/caller/K33/map", test_map);
  aex_test_add ("/caller/K33/from-threads", test_from_threads);
  aex_test_add ("/caller/K33/cancelled-before-its-place", test_cancelled_before_its_place);
  aex_test_add ("/caller/K33-I8/unhandled", test_unhandled);
  aex_test_add ("/destroy/X4/aex_caller_to_thread", test_destroy);
  return aex_test_run ();
}
