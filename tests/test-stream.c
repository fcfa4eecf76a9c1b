/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Streams: one produces, one consumes. */

static AexPending *
push_int (AexPendingStream *stream,
          int               n)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT);
  g_value_set_int (&value, n);
  return aex_pending_stream_push (stream, &value);
}

static void
push_ints (AexPendingStream *stream,
           int               first,
           int               last)
{
  for (int i = first; i <= last; i++)
    g_object_unref (push_int (stream, i));
}

static int
result_int (AexPendingResult *result)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = aex_pending_result_get_value (result, &error);

  g_assert_no_error (error);
  g_assert_nonnull (value);
  g_assert_true (aex_pending_result_get_success (result));
  return g_value_get_int (value);
}

static void
assert_next_int (AexPendingStream *stream,
                 int               expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (result);
  g_assert_cmpint (result_int (result), ==, expected);
}

static void
assert_at_end (AexPendingStream *stream)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_no_error (error);
}

/* What a pending of next() holds, once it is done. */
static void
assert_next_is (AexPending *next,
                int         expected)
{
  g_autoptr (AexPendingResult) result = NULL;
  g_autoptr (GError) error = NULL;

  aex_test_wait (next);
  result = aex_pending_dup_object (next, &error);
  g_assert_no_error (error);
  g_assert_true (AEX_IS_PENDING_RESULT (result));
  g_assert_cmpint (result_int (result), ==, expected);
}

static void
assert_next_is_end (AexPending *next)
{
  aex_test_wait (next);
  aex_assert_resolved_empty (next);
}

/* --- next */
static void
test_in_order (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);

  push_ints (stream, 1, 100);
  aex_pending_stream_end (stream, NULL);
  for (int i = 1; i <= 100; i++)
    assert_next_int (stream, i);
  assert_at_end (stream);
  /* The end stays. */
  assert_at_end (stream);
}

static void
test_next_before_push (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) first = aex_pending_stream_next (stream);
  g_autoptr (AexPending) second = aex_pending_stream_next (stream);
  g_autoptr (AexPending) third = aex_pending_stream_next (stream);

  g_assert_false (aex_pending_is_done (first));
  push_ints (stream, 1, 1);
  assert_next_is (first, 1);
  g_assert_false (aex_pending_is_done (second));
  push_ints (stream, 2, 2);
  aex_pending_stream_end (stream, NULL);
  assert_next_is (second, 2);
  assert_next_is_end (third);
}

static void
test_indices (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);

  push_ints (stream, 10, 12);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);

      g_assert_cmpuint (aex_pending_result_get_index (result), ==, i);
      g_assert_null (aex_pending_result_dup_error (result));
    }
}

/* A next that was cancelled eats nothing. */
static void
test_cancelled_next (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) first = aex_pending_stream_next (stream);
  g_autoptr (AexPending) second = aex_pending_stream_next (stream);
  g_autoptr (AexPending) third = NULL;

  g_assert_true (aex_pending_cancel (first, NULL));
  aex_assert_cancelled (first);
  push_ints (stream, 1, 3);
  assert_next_is (second, 1);
  third = aex_pending_stream_next (stream);
  aex_pending_cancel (third, NULL);
  assert_next_is (third, 2);
  assert_next_int (stream, 3);
}

/* A next that was dropped eats nothing either. */
static void
test_dropped_next (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);

  g_object_unref (aex_pending_stream_next (stream));
  push_ints (stream, 1, 1);
  assert_next_int (stream, 1);
}

static void
test_next_sync_timeout (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_pending_stream_next_sync (stream, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_cancellable_cancel (cancellable);
  g_assert_null (aex_pending_stream_next_sync (stream, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  push_ints (stream, 5, 5);
  assert_next_int (stream, 5);
}

static gpointer
push_in_thread (gpointer stream)
{
  push_ints (stream, 1, 1000);
  aex_pending_stream_end (stream, NULL);
  return NULL;
}

static void
test_across_threads (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  GThread *thread = g_thread_new ("producer", push_in_thread, stream);

  for (int i = 1; i <= 1000; i++)
    assert_next_int (stream, i);
  assert_at_end (stream);
  g_thread_join (thread);
}

/* --- push */
static void
test_room (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (2);
  g_autoptr (AexPending) first = push_int (stream, 1);
  g_autoptr (AexPending) second = push_int (stream, 2);
  g_autoptr (AexPending) third = push_int (stream, 3);
  g_autoptr (AexPending) fourth = push_int (stream, 4);

  aex_assert_state (first, RESOLVED);
  aex_assert_state (second, RESOLVED);
  g_assert_false (aex_pending_is_done (third));
  assert_next_int (stream, 1);
  aex_assert_state (third, RESOLVED);
  g_assert_false (aex_pending_is_done (fourth));
  assert_next_int (stream, 2);
  aex_assert_state (fourth, RESOLVED);
  aex_pending_stream_end (stream, NULL);
  assert_next_int (stream, 3);
  assert_next_int (stream, 4);
  assert_at_end (stream);
}

/* Whoever gave up before there was room has pushed nothing. */
static void
test_cancelled_push (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  g_autoptr (AexPending) first = push_int (stream, 1);
  g_autoptr (AexPending) second = push_int (stream, 2);
  g_autoptr (AexPending) third = push_int (stream, 3);

  g_assert_true (aex_pending_cancel (second, NULL));
  assert_next_int (stream, 1);
  aex_assert_state (third, RESOLVED);
  assert_next_int (stream, 3);
  aex_assert_state (first, RESOLVED);
}

static gpointer
produce_with_back_pressure (gpointer stream)
{
  for (int i = 1; i <= 200; i++)
    {
      g_autoptr (AexPending) pushed = push_int (stream, i);

      aex_test_wait (pushed);
    }
  aex_pending_stream_end (stream, NULL);
  return NULL;
}

static void
test_back_pressure (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  GThread *thread = g_thread_new ("producer", produce_with_back_pressure, stream);

  for (int i = 1; i <= 200; i++)
    assert_next_int (stream, i);
  assert_at_end (stream);
  g_thread_join (thread);
}

static void
test_push_after_end (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) late = NULL;

  push_ints (stream, 1, 1);
  aex_pending_stream_end (stream, NULL);
  late = push_int (stream, 2);
  aex_assert_state (late, CANCELLED);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  assert_next_int (stream, 1);
  assert_at_end (stream);
}

static void
test_end_with_error (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (GError) reason = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "gone");
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPending) next = NULL;

  push_ints (stream, 1, 1);
  aex_pending_stream_end (stream, reason);
  assert_next_int (stream, 1);
  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE);
  g_assert_cmpstr (error->message, ==, "gone");
  next = aex_pending_stream_next (stream);
  aex_test_wait (next);
  g_assert_cmpint (aex_pending_get_state (next), !=, AEX_PENDING_STATE_RUNNING);
}

/* --- close */
static void
test_close (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  g_autoptr (AexPending) waiting = push_int (stream, 1);
  g_autoptr (AexPending) blocked = push_int (stream, 2);
  g_autoptr (AexPending) closed = aex_pending_stream_close (stream);
  g_autoptr (AexPending) again = aex_pending_stream_close (stream);
  g_autoptr (AexPending) late = push_int (stream, 3);

  aex_test_wait (closed);
  aex_test_wait (again);
  aex_assert_state (closed, RESOLVED);
  aex_assert_state (again, RESOLVED);
  aex_assert_state (waiting, RESOLVED);
  aex_assert_state (blocked, CANCELLED);
  aex_assert_failed_with (blocked, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
}

static void
test_close_ends_next (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) next = aex_pending_stream_next (stream);
  g_autoptr (AexPending) closed = aex_pending_stream_close (stream);

  aex_test_wait (closed);
  aex_test_wait (next);
  g_assert_true (aex_pending_is_done (next));
}

/* The producer learns that nobody listens any more. */
static void
test_dropped_by_consumer (void)
{
  AexPendingStream *stream = aex_pending_stream_new (1);
  g_autoptr (AexPending) first = push_int (stream, 1);
  g_autoptr (AexPending) second = push_int (stream, 2);

  g_object_unref (stream);
  aex_test_wait (second);
  g_assert_cmpint (aex_pending_get_state (second), >=, AEX_PENDING_STATE_REJECTED);
  aex_assert_state (first, RESOLVED);
}

/* --- counts and model */
static void
test_counts (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);

  g_assert_cmpuint (aex_pending_stream_get_n_total (stream), ==, G_MAXUINT);
  g_assert_cmpuint (aex_pending_stream_get_n_done (stream), ==, 0);
  push_ints (stream, 1, 3);
  g_assert_cmpuint (aex_pending_stream_get_n_done (stream), ==, 3);
}

typedef struct
{
  GThread *thread;
  guint    n_changes;
  guint    n_added;
} ModelChanges;

static void
on_items_changed (GListModel *model,
                  guint       position,
                  guint       removed,
                  guint       added,
                  gpointer    user_data)
{
  ModelChanges *self = user_data;

  g_assert_true (g_thread_self () == self->thread);
  g_assert_cmpuint (removed, ==, 0);
  self->n_changes++;
  self->n_added += added;
}

static gpointer
push_three_in_thread (gpointer stream)
{
  push_ints (stream, 1, 3);
  return NULL;
}

static void
assert_model_holds (GListModel *model,
                    guint       n)
{
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexPendingResult) result = g_list_model_get_item (model, i);

      g_assert_true (AEX_IS_PENDING_RESULT (result));
      g_assert_cmpint (result_int (result), ==, (int) i + 1);
    }
}

/* Rule 4: changed on the owner context, at most once per iteration. */
static void
test_model (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  GListModel *model = aex_pending_stream_get_model (stream);
  ModelChanges changes = { .thread = g_thread_self () };

  g_assert_true (g_list_model_get_item_type (model) == AEX_TYPE_PENDING_RESULT);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 0);
  g_signal_connect (model, "items-changed", G_CALLBACK (on_items_changed), &changes);
  aex_test_in_thread (push_three_in_thread, stream);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 0);
  aex_test_drain ();
  assert_model_holds (model, 3);
  g_assert_cmpuint (changes.n_changes, ==, 1);
  push_ints (stream, 4, 5);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 3);
  aex_test_drain ();
  assert_model_holds (model, 5);
  g_assert_cmpuint (changes.n_changes, ==, 2);
  g_assert_cmpuint (changes.n_added, ==, 5);
  g_assert_true (aex_pending_stream_get_model (stream) == model);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/stream/next/in-order", test_in_order);
  aex_test_add ("/stream/next/before-push", test_next_before_push);
  aex_test_add ("/stream/next/indices", test_indices);
  aex_test_add ("/stream/next/cancelled-eats-nothing", test_cancelled_next);
  aex_test_add ("/stream/next/dropped-eats-nothing", test_dropped_next);
  aex_test_add ("/stream/next/sync-timeout", test_next_sync_timeout);
  aex_test_add ("/stream/next/across-threads", test_across_threads);
  aex_test_add ("/stream/push/room", test_room);
  aex_test_add ("/stream/push/cancelled", test_cancelled_push);
  aex_test_add ("/stream/push/back-pressure", test_back_pressure);
  aex_test_add ("/stream/push/after-end", test_push_after_end);
  aex_test_add ("/stream/end/error", test_end_with_error);
  aex_test_add ("/stream/close/idempotent", test_close);
  aex_test_add ("/stream/close/ends-next", test_close_ends_next);
  aex_test_add ("/stream/close/dropped", test_dropped_by_consumer);
  aex_test_add ("/stream/counts", test_counts);
  aex_test_add ("/stream/model", test_model);
  return aex_test_run ();
}
