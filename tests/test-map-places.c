/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Maps on every kind of executor and inside jobs; streams over pendings (K40, P4). */

static gboolean
map_index (AexPendingStream *stream,
           guint             index,
           GCancellable     *cancellable,
           gpointer          user_data,
           GError          **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, index);
  return aex_pending_stream_set_value (stream, index, &value);
}

static guint64
sum_of_results (AexPendingStream *stream,
                guint             n_items,
                GError          **error)
{
  guint64 sum = 0;

  for (guint i = 0; i <= n_items; i++)
    {
      g_autoptr (GError) local_error = NULL;
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &local_error);

      if (local_error != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return 0;
        }
      g_assert_true ((result == NULL) == (i == n_items));
      if (result != NULL)
        sum += g_value_get_uint (aex_pending_result_get_value (result, NULL));
    }
  return sum;
}

static void
test_no_items (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;
  g_autoptr (GError) error = NULL;

  stream = aex_executor_map (pool, 0, 1, -1, AEX_MAP_FLAGS_CONTINUE_ON_ERROR, map_index, NULL, NULL);
  g_assert_cmpuint (aex_pending_stream_get_n_total (stream), ==, 0);
  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_no_error (error);
  closed = aex_pending_stream_close (stream);
  aex_test_wait (closed);
  aex_test_shutdown (pool);
}

static void
test_many_items (void)
{
  AexExecutor *pool = aex_test_pool (2);
  guint n = aex_test_scale (1000 * 1000);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, n, 0, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (sum_of_results (stream, n, &error), ==, (guint64) n * (n - 1) / 2);
  g_assert_no_error (error);
  aex_test_shutdown (pool);
}

static void
test_many_windowed (void)
{
  AexExecutor *pool = aex_test_pool (2);
  guint n = aex_test_scale (100 * 1000);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, n, 16, -1, AEX_MAP_FLAGS_UNORDERED, map_index, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (sum_of_results (stream, n, &error), ==, (guint64) n * (n - 1) / 2);
  g_assert_no_error (error);
  aex_test_shutdown (pool);
}

/* The only worker waits for the items of its own pool. */
static gboolean
job_map_inside (AexPending   *job,
                GCancellable *cancellable,
                gpointer      pool,
                GError      **error)
{
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 100, 4, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);
  g_autoptr (GError) local_error = NULL;

  aex_pending_resolve_int64 (job, (gint64) sum_of_results (stream, 100, &local_error));
  g_assert_no_error (local_error);
  return TRUE;
}

static void
test_inside_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_map_inside, pool, NULL);

  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 99 * 100 / 2);
  aex_test_shutdown (pool);
}

/* On this thread's own loop: no thread but this one. */
static void
test_on_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPendingStream) stream = aex_executor_map (AEX_EXECUTOR (caller), 10, 2, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);

  for (guint i = 0; i <= 10; i++)
    {
      g_autoptr (AexPending) next = aex_pending_stream_next (stream);
      g_autoptr (AexPendingResult) result = NULL;

      aex_test_run_until_done (next);
      result = aex_pending_dup_object (next, NULL);
      if (i < 10)
        g_assert_cmpuint (g_value_get_uint (aex_pending_result_get_value (result, NULL)), ==, i);
      else
        g_assert_null (result);
    }
}

static void
test_on_caller_would_deadlock (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPendingStream) stream = aex_executor_map (AEX_EXECUTOR (caller), 10, 2, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPending) closed = NULL;

  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  closed = aex_pending_stream_close (stream);
  aex_test_run_until_done (closed);
}

static void
test_on_closed_executor (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (GError) error = NULL;

  aex_test_wait (done);
  stream = aex_executor_map (pool, 3, 0, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);
  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  g_object_unref (pool);
}

/* Rule 10: while the executor drains, a window that is half open is filled as it is emptied. */
static void
test_refills_while_draining (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 50, 2, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (sum_of_results (stream, 50, &error), ==, 49 * 50 / 2);
  g_assert_no_error (error);
  aex_block_end (&block, blocker);
  aex_test_wait (done);
  g_object_unref (pool);
}

/* And once it has ended, the consumer is told. */
static void
test_refused_after_draining (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 50, 2, -1, AEX_MAP_FLAGS_NONE, map_index, NULL, NULL);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  aex_test_wait (done);
  while (error == NULL)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

      g_assert_true ((result == NULL) == (error != NULL));
      n += result != NULL;
    }
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_cmpuint (n, >=, 2);
  g_assert_cmpuint (n, <, 50);
  g_object_unref (pool);
}

/* I10 */
static gboolean
map_read_var (AexPendingStream *stream,
              guint             index,
              GCancellable     *cancellable,
              gpointer          var,
              GError          **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, (guint) aex_test_var_get (var));
  aex_test_var_set (var, 99);
  return aex_pending_stream_set_value (stream, index, &value);
}

static void
test_context (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (GError) error = NULL;

  aex_test_var_set (var, 3);
  stream = aex_executor_map (pool, 20, 0, -1, AEX_MAP_FLAGS_NONE, map_read_var, var, NULL);
  aex_test_var_set (var, 0);
  g_assert_cmpuint (sum_of_results (stream, 20, &error), ==, 20 * 3);
  g_assert_no_error (error);
  aex_test_shutdown (pool);
}

/* --- K40: as_completed */
static AexPendingResult *
take (AexPendingStream *stream)
{
  g_autoptr (GError) error = NULL;
  AexPendingResult *result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (result);
  return result;
}

static void
assert_at_end (AexPendingStream *stream)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_no_error (error);
}

static void
promises_new (AexPending **promises,
              guint        n)
{
  for (guint i = 0; i < n; i++)
    promises[i] = aex_pending_new ();
}

static void
promises_unref (AexPending **promises,
                guint        n)
{
  for (guint i = 0; i < n; i++)
    g_object_unref (promises[i]);
}

static void
assert_take_pending (AexPendingStream *stream,
                     AexPending       *expected,
                     guint             index,
                     gboolean          success)
{
  g_autoptr (AexPendingResult) result = take (stream);

  g_assert_true (aex_pending_result_get_pending (result) == expected);
  g_assert_cmpuint (aex_pending_result_get_index (result), ==, index);
  g_assert_cmpint (aex_pending_result_get_success (result), ==, success);
}

static void
test_completion_order (void)
{
  AexPending *promises[4];
  g_autoptr (AexPendingStream) stream = NULL;

  promises_new (promises, 4);
  /* What is done already comes first. */
  aex_pending_resolve_int64 (promises[2], 2);
  stream = aex_pending_as_completed (promises, 4);
  g_assert_cmpuint (aex_pending_stream_get_n_total (stream), ==, 4);
  assert_take_pending (stream, promises[2], 2, TRUE);
  aex_pending_resolve_int64 (promises[3], 3);
  /* Errors are given, never raised. */
  aex_pending_reject_new (promises[0], G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  assert_take_pending (stream, promises[3], 3, TRUE);
  assert_take_pending (stream, promises[0], 0, FALSE);
  aex_pending_cancel (promises[1], NULL);
  assert_take_pending (stream, promises[1], 1, FALSE);
  assert_at_end (stream);
  promises_unref (promises, 4);
}

static void
test_empty (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_as_completed (NULL, 0);

  g_assert_cmpuint (aex_pending_stream_get_n_total (stream), ==, 0);
  assert_at_end (stream);
}

static void
test_all_done (void)
{
  AexPending *promises[3];
  g_autoptr (AexPendingStream) stream = NULL;

  promises_new (promises, 3);
  for (guint i = 0; i < 3; i++)
    aex_pending_resolve_int64 (promises[i], i);
  stream = aex_pending_as_completed (promises, 3);
  for (guint i = 0; i < 3; i++)
    assert_take_pending (stream, promises[i], i, TRUE);
  assert_at_end (stream);
  promises_unref (promises, 3);
}

/* The last one is done while somebody waits already. */
static void
test_last_is_not_lost (void)
{
  AexPending *promises[2];
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  g_autoptr (AexPending) third = NULL;

  promises_new (promises, 2);
  stream = aex_pending_as_completed (promises, 2);
  first = aex_pending_stream_next (stream);
  second = aex_pending_stream_next (stream);
  third = aex_pending_stream_next (stream);
  aex_pending_resolve_int64 (promises[1], 1);
  aex_pending_resolve_int64 (promises[0], 0);
  aex_test_wait (first);
  aex_test_wait (second);
  aex_test_wait (third);
  {
    g_autoptr (AexPendingResult) one = aex_pending_dup_object (first, NULL);
    g_autoptr (AexPendingResult) two = aex_pending_dup_object (second, NULL);

    g_assert_true (aex_pending_result_get_pending (one) == promises[1]);
    g_assert_true (aex_pending_result_get_pending (two) == promises[0]);
    aex_assert_resolved_empty (third);
  }
  promises_unref (promises, 2);
}

/* Edges: members are held weakly until they are done. */
static void
test_abandoned_member (void)
{
  AexPending *promises[2];
  g_autoptr (AexPendingStream) stream = NULL;

  promises_new (promises, 2);
  stream = aex_pending_as_completed (promises, 2);
  g_object_unref (promises[0]);
  {
    g_autoptr (AexPendingResult) result = take (stream);
    g_autoptr (GError) error = aex_pending_result_dup_error (result);

    g_assert_cmpuint (aex_pending_result_get_index (result), ==, 0);
    g_assert_error (error, AEX_ERROR, AEX_ERROR_ABANDONED);
  }
  aex_pending_resolve_int64 (promises[1], 1);
  assert_take_pending (stream, promises[1], 1, TRUE);
  assert_at_end (stream);
  g_object_unref (promises[1]);
}

static gboolean
job_with_itself (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      user_data,
                 GError      **error)
{
  g_autoptr (AexPendingStream) stream = aex_pending_as_completed (&job, 1);

  return aex_pending_stream_next_sync (stream, -1, NULL, error) != NULL;
}

static void
test_deadlock (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_with_itself, NULL, NULL);

  aex_test_wait (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_shutdown (pool);
}

/* Only close() cancels. */
static void
test_leaving_early (void)
{
  AexPending *promises[2];
  AexPendingStream *stream;
  g_autoptr (AexPending) closed = NULL;

  promises_new (promises, 2);
  stream = aex_pending_as_completed (promises, 2);
  g_object_unref (stream);
  g_assert_false (aex_pending_is_cancelled (promises[0]));
  stream = aex_pending_as_completed (promises, 2);
  closed = aex_pending_stream_close (stream);
  aex_test_wait (closed);
  aex_assert_cancelled (promises[0]);
  aex_assert_cancelled (promises[1]);
  g_object_unref (stream);
  promises_unref (promises, 2);
}

/* The consumer made room just as the only runner left for want of it: nobody started another. */
static void
test_room_while_runner_leaves (void)
{
  AexExecutor *pool = aex_test_pool (2);
  guint n = aex_test_scale (100000), n_taken = 0;
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, n, 1, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, NULL, NULL);
  AexPendingResult *result;

  while ((result = aex_pending_stream_next_sync (stream, -1, NULL, NULL)) != NULL)
    {
      g_assert_cmpuint (aex_pending_result_get_index (result), ==, n_taken++);
      g_object_unref (result);
    }
  g_assert_cmpuint (n_taken, ==, n);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/stream/P4/empty", test_no_items);
  aex_test_add ("/map/many/eager", test_many_items);
  aex_test_add ("/map/many/windowed", test_many_windowed);
  aex_test_add ("/map/window/room-while-runner-leaves", test_room_while_runner_leaves);
  aex_test_add ("/map/inside-job", test_inside_job);
  aex_test_add ("/map/on-caller", test_on_caller);
  aex_test_add ("/map/I6/on-caller", test_on_caller_would_deadlock);
  aex_test_add ("/map/E3/on-closed-executor", test_on_closed_executor);
  aex_test_add ("/map/draining/refills", test_refills_while_draining);
  aex_test_add ("/map/draining/refused-after", test_refused_after_draining);
  aex_test_add_in_context ("/map/I10/context", test_context);
  aex_test_add ("/as-completed/K40/order", test_completion_order);
  aex_test_add ("/as-completed/P4/empty", test_empty);
  aex_test_add ("/as-completed/P4/all-done", test_all_done);
  aex_test_add ("/as-completed/P4/last-is-not-lost", test_last_is_not_lost);
  aex_test_add ("/as-completed/abandoned-member", test_abandoned_member);
  aex_test_add ("/as-completed/K40/deadlock", test_deadlock);
  aex_test_add ("/as-completed/D4/leaving-early", test_leaving_early);
  return aex_test_run ();
}
