/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* S14-S17: several callers, and who of them gets a job. */

static AexExecutor *
pool_new (guint n_callers)
{
  g_autoptr (GError) error = NULL;
  AexExecutor *pool = aex_caller_pool_new (n_callers, &error);

  g_assert_no_error (error);
  return pool;
}

static char *
dup_loads_text (AexExecutor *pool)
{
  gsize n;
  g_autofree guint *loads = aex_caller_pool_dup_loads (AEX_CALLER_POOL (pool), &n);
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    g_string_append_printf (text, i > 0 ? " %u" : "%u", loads[i]);
  return g_string_free (text, FALSE);
}

#define assert_loads(pool, expected) \
  G_STMT_START { \
    g_autofree char *loads_ = dup_loads_text (pool); \
    g_assert_cmpstr (loads_, ==, (expected)); \
  } G_STMT_END

/* n jobs that block, one after the other submitted. */
typedef struct
{
  AexBlock    blocks[8];
  AexPending *jobs[8];
  guint       n;
} Blocks;

static void
blocks_add (Blocks      *self,
            AexExecutor *pool)
{
  aex_block_init (&self->blocks[self->n]);
  self->jobs[self->n] = aex_executor_submit (pool, aex_block_job, &self->blocks[self->n], NULL);
  self->n++;
}

static void
blocks_end (Blocks *self)
{
  for (guint i = 0; i < self->n; i++)
    aex_gate_open (&self->blocks[i].release);
  for (guint i = 0; i < self->n; i++)
    {
      aex_test_wait (self->jobs[i]);
      g_object_unref (self->jobs[i]);
      aex_block_clear (&self->blocks[i]);
    }
}

/* --- S14 */
static void
test_starts (void)
{
  AexExecutor *pool = pool_new (3);
  g_autoptr (GPtrArray) callers = aex_caller_pool_list_callers (AEX_CALLER_POOL (pool));
  guint n;

  g_object_get (pool, "n-callers", &n, NULL);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (callers->len, ==, 3);
  /* Eagerly: nothing was submitted. */
  for (guint i = 0; i < 3; i++)
    aex_test_wait (aex_caller_get_started (callers->pdata[i]));
  g_clear_pointer (&callers, g_ptr_array_unref);
  aex_test_shutdown (pool);
}

static void
test_at_least_one (void)
{
  if (g_test_subprocess ())
    {
      aex_caller_pool_new (0, NULL);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*n_callers > 0*");
}

/* --- S15 */
static void
test_pick (void)
{
  AexExecutor *pool = pool_new (3);
  Blocks blocks = { .n = 0 };

  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (aex_caller_pool_pick (AEX_CALLER_POOL (pool)), ==, 0);
  assert_loads (pool, "0 0 0");
  /* Round, when all are equal. */
  for (guint i = 0; i < 4; i++)
    {
      g_assert_cmpint (aex_caller_pool_pick (AEX_CALLER_POOL (pool)), ==, i % 3);
      blocks_add (&blocks, pool);
    }
  assert_loads (pool, "2 1 1");
  g_assert_cmpint (aex_caller_pool_pick (AEX_CALLER_POOL (pool)), ==, 1);
  blocks_end (&blocks);
  assert_loads (pool, "0 0 0");
  aex_test_shutdown (pool);
}

/* --- S16 */
static void
test_loads (void)
{
  AexExecutor *pool = pool_new (2);
  Blocks blocks = { .n = 0 };
  AexGate started;
  g_autoptr (AexPending) failing = NULL, cancelled = NULL, queued = NULL;

  aex_gate_init (&started);
  for (guint i = 0; i < 2; i++)
    blocks_add (&blocks, pool);
  failing = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  queued = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  assert_loads (pool, "2 2");
  g_assert_cmpuint (aex_executor_get_n_pending (pool) + aex_executor_get_n_running (pool), ==, 4);
  g_assert_true (aex_pending_cancel (queued, NULL));
  assert_loads (pool, "2 1");
  blocks_end (&blocks);
  aex_test_wait (failing);
  aex_assert_failed_with (failing, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  assert_loads (pool, "0 0");

  cancelled = aex_executor_submit (pool, aex_job_until_cancelled, &started, NULL);
  aex_gate_wait (&started);
  assert_loads (pool, "1 0");
  g_assert_true (aex_pending_cancel (cancelled, NULL));
  aex_test_wait (cancelled);
  aex_assert_cancelled (cancelled);
  assert_loads (pool, "0 0");
  g_assert_cmpuint (aex_executor_get_n_pending (pool) + aex_executor_get_n_running (pool), ==, 0);
  aex_gate_clear (&started);
  aex_test_shutdown (pool);
}

typedef struct
{
  AexRecord   record;
  AexPending *promise;
} Steps;

static AexPending *
second_step (AexPending *done,
             gpointer    steps,
             GError    **error)
{
  aex_record_add (&((Steps *) steps)->record, "second");
  return NULL;
}

static AexPending *
first_step (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  Steps *steps = data;

  aex_record_add (&steps->record, "first");
  return aex_pending_then (steps->promise, second_step, steps, NULL);
}

/* A coroutine counts until it is done, and stays where it began. */
static void
test_coroutine (void)
{
  AexExecutor *pool = pool_new (2);
  Steps steps = { .promise = aex_pending_new () };
  Blocks blocks = { .n = 0 };
  g_autoptr (AexPending) job = NULL;

  aex_record_init (&steps.record);
  blocks_add (&blocks, pool);
  job = aex_executor_submit_async (pool, first_step, &steps, NULL);
  assert_loads (pool, "1 1");
  blocks_end (&blocks);
  assert_loads (pool, "0 1");
  aex_pending_resolve_int64 (steps.promise, 4);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 4);
  assert_loads (pool, "0 0");
  aex_assert_record (&steps.record, "first second");
  g_assert_true (aex_record_get_thread (&steps.record, 0) == aex_record_get_thread (&steps.record, 1));
  g_object_unref (steps.promise);
  aex_record_clear (&steps.record);
  aex_test_shutdown (pool);
}

static void
test_others (void)
{
  AexExecutor *pool = pool_new (2);
  Blocks blocks = { .n = 0 };
  AexRecord record;
  g_autoptr (AexPending) busy = NULL;

  aex_record_init (&record);
  blocks_add (&blocks, pool);
  blocks_add (&blocks, pool);
  aex_gate_wait (&blocks.blocks[0].started);
  aex_gate_wait (&blocks.blocks[1].started);
  aex_executor_post (pool, aex_note_post, aex_note_new (&record, "a"), aex_note_free);
  assert_loads (pool, "2 1");
  aex_executor_set_max_pending (pool, 1);
  busy = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_assert_failed_with (busy, AEX_ERROR, AEX_ERROR_BUSY);
  blocks_end (&blocks);
  aex_test_shutdown (pool);
  aex_assert_record (&record, "a");
  aex_record_clear (&record);
}

static gboolean
map_index (AexPendingStream *stream,
           guint             index,
           GCancellable     *cancellable,
           gpointer          data,
           GError          **error)
{
  return aex_pending_stream_set_string (stream, index, "done");
}

static void
test_map (void)
{
  AexExecutor *pool = pool_new (3);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 100, 0, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);

      g_assert_true (aex_pending_result_get_success (result));
    }
  g_clear_object (&stream);
  aex_test_shutdown (pool);
}

/* Cancelled on its caller, where its handlers live; and refused to whoever would block that caller for it. */
static void
on_cancelled (GCancellable *cancellable,
              gpointer      record)
{
  aex_record_add (record, "cancelled");
}

static AexPending *
never_ends (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  gpointer *arguments = data;

  aex_record_add (arguments[0], "started");
  g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled), arguments[0]);
  aex_gate_open (arguments[1]);
  return g_object_ref (arguments[2]);
}

static void
test_cancelled_there (void)
{
  AexExecutor *pool = pool_new (2);
  AexRecord record;
  AexGate started;
  g_autoptr (AexPending) promise = aex_pending_new ();
  gpointer arguments[] = { &record, &started, promise };
  g_autoptr (AexPending) job = NULL;

  aex_record_init (&record);
  aex_gate_init (&started);
  job = aex_executor_submit_async (pool, never_ends, arguments, NULL);
  aex_gate_wait (&started);
  aex_pending_cancel (job, NULL);
  aex_test_wait (job);
  aex_test_shutdown (pool);
  g_assert_true (aex_record_get_thread (&record, 0) != g_thread_self ());
  aex_assert_record (&record, "started cancelled");
  g_assert_true (aex_record_get_thread (&record, 0) == aex_record_get_thread (&record, 1));
  aex_record_clear (&record);
  aex_gate_clear (&started);
}

static gboolean
job_waits (AexPending   *job,
           GCancellable *cancellable,
           gpointer      pool,
           GError      **error)
{
  g_autoptr (AexPending) inner = aex_executor_submit (pool, aex_job_int, NULL, NULL);

  return aex_pending_wait (inner, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_waits (void)
{
  AexExecutor *alone = pool_new (1);
  AexExecutor *pair = pool_new (2);
  g_autoptr (AexPending) refused = aex_executor_submit (alone, job_waits, alone, NULL);
  g_autoptr (AexPending) served = aex_executor_submit (pair, job_waits, pair, NULL);

  aex_test_wait (refused);
  aex_assert_failed_with (refused, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_wait (served);
  aex_assert_state (served, RESOLVED);
  g_assert_false (aex_executor_runs_here (pair));
  aex_test_shutdown (alone);
  aex_test_shutdown (pair);
}

/* A caller that was stopped by hand. */
static void
test_one_stops (void)
{
  AexExecutor *pool = pool_new (2);
  g_autoptr (GPtrArray) callers = aex_caller_pool_list_callers (AEX_CALLER_POOL (pool));
  g_autoptr (AexPending) first = aex_caller_stop (callers->pdata[0], AEX_STOP_FLAGS_NONE);
  g_autoptr (AexPending) job = NULL, second = NULL, late = NULL, stopped = NULL;

  aex_test_wait (first);
  g_assert_cmpint (aex_caller_pool_pick (AEX_CALLER_POOL (pool)), ==, 1);
  job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1);
  second = aex_caller_stop (callers->pdata[1], AEX_STOP_FLAGS_NONE);
  aex_test_wait (second);
  late = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_cmpint (aex_caller_pool_pick (AEX_CALLER_POOL (pool)), ==, -1);
  g_clear_pointer (&callers, g_ptr_array_unref);
  stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (stopped);
  g_object_unref (pool);
}

/* --- S17 */
static void
test_drains (void)
{
  AexExecutor *pool = pool_new (2);
  Blocks blocks = { .n = 0 };
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  g_autoptr (AexPending) stopped = NULL, again = NULL, late = NULL;

  for (guint i = 0; i < 2; i++)
    blocks_add (&blocks, pool);
  for (guint i = 0; i < 20; i++)
    g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GUINT_TO_POINTER (i), NULL));
  stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  again = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  late = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_false (aex_pending_is_done (stopped));
  blocks_end (&blocks);
  aex_test_wait (stopped);
  aex_test_wait (again);
  for (guint i = 0; i < 20; i++)
    aex_assert_resolved_int64 (jobs->pdata[i], i);
  g_assert_cmpint (aex_executor_get_state (pool), ==, AEX_EXECUTOR_STATE_STOPPED);
  assert_loads (pool, "0 0");
  g_object_unref (pool);
}

static void
test_stops (void)
{
  AexExecutor *pool = pool_new (1);
  AexGate started;
  g_autoptr (AexPending) running = NULL, queued = NULL, stopped = NULL;

  aex_gate_init (&started);
  running = aex_executor_submit (pool, aex_job_until_cancelled, &started, NULL);
  queued = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_gate_wait (&started);
  stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  aex_test_wait (stopped);
  aex_assert_cancelled (running);
  aex_assert_state (queued, CANCELLED);
  aex_assert_failed_with (queued, AEX_ERROR, AEX_ERROR_CLOSED);
  assert_loads (pool, "0");
  aex_gate_clear (&started);
  g_object_unref (pool);
}

static gboolean
job_shuts_down (AexPending   *job,
                GCancellable *cancellable,
                gpointer      pool,
                GError      **error)
{
  g_autoptr (AexPending) stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (GError) own_error = NULL;

  /* Its thread ends only after it. */
  g_assert_false (aex_pending_wait (stopped, AEX_WAIT_FLAGS_NONE, -1, NULL, &own_error));
  g_assert_error (own_error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  return TRUE;
}

static void
test_own_thread (void)
{
  AexExecutor *pool = pool_new (2);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_shuts_down, pool, NULL);
  g_autoptr (AexPending) stopped = NULL;

  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (stopped);
  g_object_unref (pool);
}

static void
test_last_unref (void)
{
  AexExecutor *pool = pool_new (2);
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (6), NULL);

  g_object_unref (pool);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 6);
}

static void
test_limited (void)
{
  AexExecutor *pool = pool_new (2);
  AexExecutor *limiter = aex_limiter_new (pool, 1);
  Blocks blocks = { .n = 0 };
  g_autoptr (AexPending) dropped = NULL;

  blocks_add (&blocks, limiter);
  blocks_add (&blocks, limiter);
  aex_gate_wait (&blocks.blocks[0].started);
  assert_loads (pool, "1 0");
  dropped = aex_executor_submit (limiter, aex_job_int, NULL, NULL);
  aex_pending_cancel (dropped, NULL);
  blocks_end (&blocks);
  assert_loads (pool, "0 0");
  aex_test_shutdown (limiter);
  aex_test_shutdown (pool);
}

/* Who cancels it has been with the pool before it has a place: no load is left. */
static void
test_cancelled_before_its_place (void)
{
  AexExecutor *pool = pool_new (2);
  int n_released = 0;
  G_GNUC_UNUSED g_autoptr (AexPending) job = aex_submit_cancelled (pool, 0, &n_released);
  g_autofree guint *loads = NULL;
  gsize n;

  loads = aex_caller_pool_dup_loads (AEX_CALLER_POOL (pool), &n);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (loads[0] + loads[1], ==, 0);
  aex_test_shutdown (pool);
  g_assert_cmpint (n_released, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller-pool/S14/starts", test_starts);
  aex_test_add ("/caller-pool/S14/at-least-one", test_at_least_one);
  aex_test_add ("/caller-pool/S15/pick", test_pick);
  aex_test_add ("/caller-pool/S16/loads", test_loads);
  aex_test_add ("/caller-pool/S16/coroutine", test_coroutine);
  aex_test_add ("/caller-pool/S16/others", test_others);
  aex_test_add ("/caller-pool/S16/map", test_map);
  aex_test_add ("/caller-pool/S16/one-stops", test_one_stops);
  aex_test_add ("/caller-pool/S16/limited", test_limited);
  aex_test_add ("/caller-pool/cancelled-there", test_cancelled_there);
  aex_test_add ("/caller-pool/S16/cancelled-before-its-place", test_cancelled_before_its_place);
  aex_test_add ("/caller-pool/waits", test_waits);
  aex_test_add ("/caller-pool/S17/drains", test_drains);
  aex_test_add ("/caller-pool/S17/stops", test_stops);
  aex_test_add ("/caller-pool/S17/own-thread", test_own_thread);
  aex_test_add ("/caller-pool/S17/last-unref", test_last_unref);
  return aex_test_run ();
}
