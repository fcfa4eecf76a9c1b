/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-limits.h"

/* What can be given to a limiter besides jobs, and jobs that use the limiter they run on. */

/* --- E4: map, and operations, and posts */
static gboolean
map_square (AexPendingStream *stream,
            guint             index,
            GCancellable     *cancellable,
            gpointer          data,
            GError          **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  int *running = data;

  g_assert_cmpint (g_atomic_int_add (running, 1), <, 2);
  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, (gint64) index * index);
  aex_pending_stream_set_value (stream, index, &value);
  g_atomic_int_add (running, -1);
  return TRUE;
}

static void
test_map (void)
{
  enum { N = 200 };
  static const guint windows[] = { 0, 3 };

  for (guint w = 0; w < G_N_ELEMENTS (windows); w++)
    {
      AexExecutor *limiter = aex_test_limited_pool (4, 2);
      int running = 0;
      g_autoptr (AexPendingStream) stream = aex_executor_map (limiter, N, windows[w], -1, AEX_MAP_FLAGS_NONE, map_square, &running, NULL);

      for (guint i = 0; i < N; i++)
        {
          g_autoptr (GError) error = NULL;
          g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);
          GValue *value;

          g_assert_no_error (error);
          value = aex_pending_result_dup_value (result, &error);
          g_assert_cmpint (g_value_get_int64 (value), ==, i * i);
          g_boxed_free (G_TYPE_VALUE, value);
        }
      g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, NULL));
      aex_test_shutdown (limiter);
    }
}

/* It gives its slot to others between items. */
static void
test_map_shares (void)
{
  AexExecutor *limiter = aex_test_limited_pool (2, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  int running = 0;
  g_autoptr (AexPendingStream) stream = aex_executor_map (limiter, 3, 0, -1, AEX_MAP_FLAGS_NONE, map_square, &running, NULL);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (9), NULL);
  g_autoptr (AexPending) stopped = NULL;

  aex_block_end (&block, blocker);
  aex_test_wait (job);
  stopped = aex_executor_shutdown (limiter, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (stopped);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);

      g_assert_true (aex_pending_result_get_success (result));
    }
  g_object_unref (limiter);
}

static void
test_post (void)
{
  AexExecutor *limiter = aex_test_limited_pool (2, 1);
  AexRecord record;
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);

  aex_record_init (&record);
  aex_executor_post (limiter, aex_note_post, aex_note_new (&record, "a"), aex_note_free);
  aex_executor_post (limiter, aex_note_post, aex_note_new (&record, "b"), aex_note_free);
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 2);
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  aex_block_end (&block, blocker);
  aex_test_shutdown (limiter);
  aex_assert_record (&record, "a b");
  aex_record_clear (&record);
}

/* Dropped, and released where it was posted. */
static void
test_post_refused (void)
{
  g_autoptr (AexExecutor) limiter = aex_test_limited_pool (1, 1);
  AexRecord record;

  aex_record_init (&record);
  aex_test_shut_down (limiter);
  aex_executor_post (limiter, aex_note_post, aex_note_new (&record, "never"), aex_note_free);
  aex_test_drain ();
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 0);
  aex_record_clear (&record);
}

static void
test_call (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  g_autoptr (AexPending) call = aex_executor_call (limiter, "no-such-operation", NULL);

  aex_assert_failed_with (call, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  aex_test_shutdown (limiter);
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     seen)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_atomic_int_inc ((int *) seen);
  return TRUE;
}

static void
test_unhandled (void)
{
  AexExecutor *limiter = aex_test_limited_pool (1, 1);
  int seen = 0;

  g_signal_connect (limiter, "unhandled-error", G_CALLBACK (on_unhandled), &seen);
  g_object_unref (aex_executor_submit (limiter, aex_job_fail, NULL, NULL));
  aex_test_iterate_until (aex_test_is_set, &seen);
  aex_test_shutdown (limiter);
}

/* --- nested work */
static gboolean
job_submits (AexPending   *job,
             GCancellable *cancellable,
             gpointer      limiter,
             GError      **error)
{
  g_autoptr (AexPending) inner = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (5), NULL);

  aex_pending_follow (job, inner);
  return TRUE;
}

static gboolean
job_waits (AexPending   *job,
           GCancellable *cancellable,
           gpointer      limiter,
           GError      **error)
{
  g_autoptr (AexPending) inner = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (5), NULL);

  if (!aex_pending_wait (inner, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, NULL, error))
    {
      aex_pending_cancel (inner, NULL);
      return FALSE;
    }
  aex_pending_resolve_int64 (job, aex_pending_get_int64 (inner, NULL));
  return TRUE;
}

static void
test_from_job (void)
{
  AexExecutor *limiter = aex_test_limited_pool (2, 2);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, job_submits, limiter, NULL);
  g_autoptr (AexPending) waiting = NULL;

  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 5);
  waiting = aex_executor_submit (limiter, job_waits, limiter, NULL);
  aex_test_wait (waiting);
  aex_assert_resolved_int64 (waiting, 5);
  aex_test_shutdown (limiter);
}

static void
test_would_deadlock (void)
{
  AexExecutor *limiter = aex_test_limited_pool (2, 1);
  AexExecutor *outer = aex_test_limiter (limiter, 1);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, job_waits, limiter, NULL);
  g_autoptr (AexPending) nested = NULL;

  aex_test_wait (job);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  /* The slot that is missing may be that of a limiter below. */
  nested = aex_executor_submit (outer, job_waits, limiter, NULL);
  aex_test_wait (nested);
  aex_assert_failed_with (nested, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_shutdown (outer);
  aex_test_shutdown (limiter);
}

typedef struct
{
  AexExecutor *limiter;
  AexGate      both;
} Pair;

static gboolean
job_waits_in_pair (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      data,
                   GError      **error)
{
  Pair *pair = data;

  aex_gate_open (&pair->both);
  aex_gate_wait_n (&pair->both, 2);
  return job_waits (job, cancellable, pair->limiter, error);
}

/* Two slots, and who has them waits for a third: one of the two is refused, and then the other gets what it needs. */
static void
test_would_deadlock_all (void)
{
  Pair pair = { .limiter = aex_test_limited_pool (2, 2) };
  g_autoptr (AexPending) first = NULL, second = NULL;
  g_autoptr (GError) first_error = NULL, second_error = NULL;

  aex_gate_init (&pair.both);
  first = aex_executor_submit (pair.limiter, job_waits_in_pair, &pair, NULL);
  second = aex_executor_submit (pair.limiter, job_waits_in_pair, &pair, NULL);
  aex_test_wait (first);
  aex_test_wait (second);
  first_error = aex_pending_dup_error (first);
  second_error = aex_pending_dup_error (second);
  g_assert_true ((first_error == NULL) != (second_error == NULL));
  if (first_error == NULL)
    first_error = g_steal_pointer (&second_error);
  g_assert_error (first_error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_gate_clear (&pair.both);
  aex_test_shutdown (pair.limiter);
}

/* A waiter runs what has a slot, and never what has none. */
static gboolean
job_waits_for (AexPending   *job,
               GCancellable *cancellable,
               gpointer      awaited,
               GError      **error)
{
  return aex_pending_wait (awaited, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_claim (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_test_limiter (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) waiting = NULL, handed = NULL, queued = NULL;
  AexPending *has_slot = aex_executor_submit (limiter, aex_job_thread, NULL, NULL);

  handed = has_slot;
  queued = aex_executor_submit (limiter, aex_job_thread, NULL, NULL);
  waiting = aex_executor_submit (pool, job_waits_for, queued, NULL);
  aex_block_end (&block, blocker);
  aex_test_wait (waiting);
  aex_test_wait (handed);
  aex_assert_state (waiting, RESOLVED);
  aex_assert_state (queued, RESOLVED);
  aex_test_shutdown (limiter);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/limiter/E4/map", test_map);
  aex_test_add ("/limiter/E4/map-shares", test_map_shares);
  aex_test_add ("/limiter/post", test_post);
  aex_test_add ("/limiter/post-refused", test_post_refused);
  aex_test_add ("/limiter/call", test_call);
  aex_test_add ("/limiter/unhandled", test_unhandled);
  aex_test_add ("/limiter/from-job", test_from_job);
  aex_test_add ("/limiter/would-deadlock", test_would_deadlock);
  aex_test_add ("/limiter/would-deadlock-all", test_would_deadlock_all);
  aex_test_add ("/limiter/claim", test_claim);
  return aex_test_run ();
}
