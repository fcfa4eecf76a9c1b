/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <string.h>

/* One function over many items: E4, S8, S9. */

#define RUN_MULTIPLE (AEX_MAP_FLAGS_UNORDERED | AEX_MAP_FLAGS_CONTINUE_ON_ERROR)
#define MAX_ITEMS    128
#define MS           1000

/* What the functions below share. */
typedef struct
{
  AexGate gates[MAX_ITEMS];     /* item i waits for gate i */
  AexGate started;
  guint64 fails;                /* bit i: item i fails */
  int     n_started;            /* atomic */
  int     n_finished;           /* atomic */
  int     n_taken;              /* atomic */
  int     max_window;           /* started and not taken, at most */
  int     n_too_many;           /* atomic */
  int     n_released;           /* atomic */
} Items;

static void
items_init (Items *self)
{
  memset (self, 0, sizeof *self);
  self->max_window = G_MAXINT;
  aex_gate_init (&self->started);
  for (guint i = 0; i < MAX_ITEMS; i++)
    aex_gate_init (&self->gates[i]);
}

static void
items_clear (Items *self)
{
  aex_gate_clear (&self->started);
  for (guint i = 0; i < MAX_ITEMS; i++)
    aex_gate_clear (&self->gates[i]);
}

static void
items_released (gpointer user_data)
{
  Items *self = user_data;

  g_atomic_int_inc (&self->n_released);
  g_main_context_wakeup (NULL);
}

static gboolean
items_are_released (gpointer user_data)
{
  return g_atomic_int_get (&((Items *) user_data)->n_released) > 0;
}

/* Closures are released once, and only when nothing runs any more. */
static void
items_end (Items       *self,
           AexExecutor *pool)
{
  aex_test_shutdown (pool);
  aex_test_iterate_until (items_are_released, self);
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&self->n_started), ==, g_atomic_int_get (&self->n_finished));
  items_clear (self);
}

/* --- functions */
static gboolean
finish_item (Items            *self,
             AexPendingStream *stream,
             guint             index,
             GError          **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean fails = index < 64 && ((self->fails >> index) & 1) != 0;

  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 0);
  g_atomic_int_inc (&self->n_finished);
  if (fails)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "item %u", index);
      return FALSE;
    }
  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, index * index);
  g_assert_true (aex_pending_stream_set_value (stream, index, &value));
  return TRUE;
}

static void
start_item (Items *self)
{
  int started = g_atomic_int_add (&self->n_started, 1) + 1;

  if (started - g_atomic_int_get (&self->n_taken) > self->max_window)
    g_atomic_int_inc (&self->n_too_many);
  aex_gate_open (&self->started);
}

static gboolean
map_square (AexPendingStream *stream,
            guint             index,
            GCancellable     *cancellable,
            gpointer          user_data,
            GError          **error)
{
  start_item (user_data);
  return finish_item (user_data, stream, index, error);
}

static gboolean
map_gated (AexPendingStream *stream,
           guint             index,
           GCancellable     *cancellable,
           gpointer          user_data,
           GError          **error)
{
  Items *self = user_data;

  start_item (self);
  aex_gate_wait (&self->gates[index]);
  return finish_item (self, stream, index, error);
}

static gboolean
map_until_cancelled (AexPendingStream *stream,
                     guint             index,
                     GCancellable     *cancellable,
                     gpointer          user_data,
                     GError          **error)
{
  Items *self = user_data;
  g_autoptr (AexPending) never = aex_pending_new ();
  gboolean ok;

  start_item (self);
  ok = aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, cancellable, error);
  g_atomic_int_inc (&self->n_finished);
  return ok;
}

static AexPendingStream *
map_items (AexExecutor *executor,
           Items       *items,
           guint        n_items,
           guint        max_concurrent,
           AexMapFlags  flags,
           AexMapFunc   func)
{
  return aex_executor_map (executor, n_items, max_concurrent, -1, flags, func, items, items_released);
}

/* --- results */
static AexPendingResult *
take (AexPendingStream *stream,
      Items            *items)
{
  g_autoptr (GError) error = NULL;
  AexPendingResult *result;

  g_atomic_int_inc (&items->n_taken);
  result = aex_pending_stream_next_sync (stream, -1, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result);
  return result;
}

static void
assert_result (AexPendingResult *result,
               guint             index)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = aex_pending_result_get_value (result, &error);

  g_assert_no_error (error);
  g_assert_true (aex_pending_result_get_success (result));
  g_assert_cmpuint (aex_pending_result_get_index (result), ==, index);
  g_assert_cmpuint (g_value_get_uint (value), ==, index * index);
}

static void
assert_failed_result (AexPendingResult *result,
                      guint             index,
                      GQuark            domain,
                      int               code)
{
  g_autoptr (GError) error = aex_pending_result_dup_error (result);

  g_assert_false (aex_pending_result_get_success (result));
  g_assert_cmpuint (aex_pending_result_get_index (result), ==, index);
  g_assert_error (error, domain, code);
}

static void
assert_take (AexPendingStream *stream,
             Items            *items,
             guint             index)
{
  g_autoptr (AexPendingResult) result = take (stream, items);

  assert_result (result, index);
}

static void
assert_at_end (AexPendingStream *stream)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_no_error (error);
}

/* --- E4 */
static void
test_in_input_order (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingStream) stream = NULL;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 3, 0, AEX_MAP_FLAGS_NONE, map_gated);
  g_assert_cmpuint (aex_pending_stream_get_n_total (stream), ==, 3);
  /* They end in the opposite order: the worker that ends one runs what comes next, while the others are held. */
  aex_gate_wait_n (&items.started, 3);
  for (int i = 2; i >= 0; i--)
    {
      g_autoptr (AexPending) next = NULL;

      aex_gate_open (&items.gates[i]);
      next = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL);
      aex_test_wait (next);
    }
  for (guint i = 0; i < 3; i++)
    assert_take (stream, &items, i);
  assert_at_end (stream);
  g_assert_cmpuint (aex_pending_stream_get_n_done (stream), ==, 3);
  items_end (&items, pool);
}

static void
test_early_schedule (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) done = NULL;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 50, 0, AEX_MAP_FLAGS_NONE, map_square);
  done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (done);
  g_assert_cmpint (g_atomic_int_get (&items.n_finished), ==, 50);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, 0, NULL, NULL);

      assert_result (result, i);
    }
  assert_at_end (stream);
  items_end (&items, pool);
}

/* Kept and never iterated: the items run all the same. */
static void
test_never_iterating (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 20, 0, AEX_MAP_FLAGS_NONE, map_square);
  aex_gate_wait_n (&items.started, 20);
  items_end (&items, pool);
  g_assert_cmpint (items.n_finished, ==, 20);
}

/* The first error, in order, ends it; the rest never starts. */
static void
test_error_ends (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  Items items;

  items_init (&items);
  items.fails = 1 << 3;
  stream = map_items (pool, &items, 100, 1, AEX_MAP_FLAGS_NONE, map_square);
  for (guint i = 0; i < 3; i++)
    assert_take (stream, &items, i);
  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpstr (error->message, ==, "item 3");
  items_end (&items, pool);
  g_assert_cmpint (items.n_started, ==, 4);
}

static void
test_first_error_in_order (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) next = NULL;
  Items items;

  items_init (&items);
  items.fails = 1 << 1 | 1 << 2;
  stream = map_items (pool, &items, 3, 0, AEX_MAP_FLAGS_NONE, map_gated);
  aex_gate_wait_n (&items.started, 3);
  /* 2 fails first, then 1, and 0 has not ended: the error to see is that of 1. */
  for (guint i = 3; i-- > 0;)
    {
      g_autoptr (AexPending) after = aex_executor_submit (pool, aex_job_int, NULL, NULL);

      aex_gate_open (&items.gates[i]);
      aex_test_wait (after);
    }
  assert_take (stream, &items, 0);
  next = aex_pending_stream_next (stream);
  aex_test_wait (next);
  aex_assert_state (next, REJECTED);
  {
    g_autoptr (GError) error = aex_pending_dup_error (next);

    g_assert_cmpstr (error->message, ==, "item 1");
  }
  items_end (&items, pool);
}

static void
test_errors_at_their_place (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  Items items;

  items_init (&items);
  items.fails = 1 << 1 | 1 << 4;
  stream = map_items (pool, &items, 6, 0, AEX_MAP_FLAGS_CONTINUE_ON_ERROR, map_square);
  for (guint i = 0; i < 6; i++)
    {
      g_autoptr (AexPendingResult) result = take (stream, &items);

      if (i == 1 || i == 4)
        assert_failed_result (result, i, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      else
        assert_result (result, i);
    }
  assert_at_end (stream);
  items_end (&items, pool);
}

static void
test_unordered (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingStream) stream = NULL;
  static const guint order[] = { 2, 0, 1 };
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 3, 0, AEX_MAP_FLAGS_UNORDERED, map_gated);
  for (guint i = 0; i < 3; i++)
    {
      aex_gate_open (&items.gates[order[i]]);
      assert_take (stream, &items, order[i]);
    }
  assert_at_end (stream);
  items_end (&items, pool);
}

/* --- window: started and not yet taken */
static void
check_window (AexMapFlags flags)
{
  AexExecutor *pool = aex_test_pool (4);
  g_autoptr (AexPendingStream) stream = NULL;
  guint64 sum = 0;
  Items items;

  items_init (&items);
  items.max_window = 3;
  stream = map_items (pool, &items, 60, 3, flags, map_square);
  aex_gate_wait_n (&items.started, 3);
  for (guint i = 0; i < 60; i++)
    {
      g_autoptr (AexPendingResult) result = take (stream, &items);

      assert_result (result, aex_pending_result_get_index (result));
      sum += aex_pending_result_get_index (result);
    }
  assert_at_end (stream);
  g_assert_cmpuint (sum, ==, 59 * 60 / 2);
  items_end (&items, pool);
  g_assert_cmpint (items.n_too_many, ==, 0);
}

static void
test_window (void)
{
  check_window (AEX_MAP_FLAGS_NONE);
  check_window (AEX_MAP_FLAGS_UNORDERED);
}

static void
test_dropped_pulls_nothing (void)
{
  AexExecutor *pool = aex_test_pool (4);
  AexPendingStream *stream;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 100, 2, AEX_MAP_FLAGS_NONE, map_gated);
  aex_gate_wait_n (&items.started, 2);
  g_object_unref (stream);
  aex_gate_open (&items.gates[0]);
  aex_gate_open (&items.gates[1]);
  items_end (&items, pool);
  g_assert_cmpint (items.n_started, ==, 2);
}

/* --- S8, S9: run_multiple */
static void
test_mixed (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  guint n_ok = 0;
  Items items;

  items_init (&items);
  items.fails = 1 << 2;
  stream = map_items (pool, &items, 5, 2, RUN_MULTIPLE, map_square);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (AexPendingResult) result = take (stream, &items);

      if (aex_pending_result_get_success (result))
        n_ok++;
      else
        assert_failed_result (result, 2, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    }
  assert_at_end (stream);
  g_assert_cmpuint (n_ok, ==, 4);
  items_end (&items, pool);
}

/* Each result is there while the others still run. */
static void
test_progressive (void)
{
  AexExecutor *pool = aex_test_pool (4);
  g_autoptr (AexPendingStream) stream = NULL;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 4, 0, RUN_MULTIPLE, map_gated);
  for (guint i = 0; i < 4; i++)
    {
      aex_gate_open (&items.gates[3 - i]);
      assert_take (stream, &items, 3 - i);
      g_assert_cmpuint (aex_pending_stream_get_n_done (stream), ==, i + 1);
    }
  items_end (&items, pool);
}

static void
test_timeout (void)
{
  AexExecutor *pool = aex_test_pool (5);
  g_autoptr (AexPendingStream) stream = NULL;
  Items items;

  items_init (&items);
  aex_test_virtual_time ();
  stream = aex_executor_map (pool, 5, 5, 100 * MS, RUN_MULTIPLE, map_until_cancelled, &items, items_released);
  aex_gate_wait_n (&items.started, 5);
  aex_clock_advance (100 * MS);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (AexPendingResult) result = take (stream, &items);

      assert_failed_result (result, aex_pending_result_get_index (result), G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  assert_at_end (stream);
  items_end (&items, pool);
}

static gboolean
map_take_300_ms (AexPendingStream *stream,
                 guint             index,
                 GCancellable     *cancellable,
                 gpointer          user_data,
                 GError          **error)
{
  start_item (user_data);
  aex_clock_advance (300 * MS);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  return finish_item (user_data, stream, index, error);
}

/* 4 times 300 ms, one slot, 500 ms each: time in the queue does not count. */
static void
test_slot_timing (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = NULL;
  Items items;

  items_init (&items);
  aex_test_virtual_time ();
  stream = aex_executor_map (pool, 4, 1, 500 * MS, AEX_MAP_FLAGS_CONTINUE_ON_ERROR, map_take_300_ms, &items, items_released);
  for (guint i = 0; i < 4; i++)
    assert_take (stream, &items, i);
  assert_at_end (stream);
  items_end (&items, pool);
}

/* --- closing */
static void
test_close_cancels (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 10, 2, RUN_MULTIPLE, map_until_cancelled);
  aex_gate_wait_n (&items.started, 2);
  closed = aex_pending_stream_close (stream);
  aex_test_wait (closed);
  aex_assert_state (closed, RESOLVED);
  g_assert_cmpint (g_atomic_int_get (&items.n_finished), ==, 2);
  g_assert_cmpint (g_atomic_int_get (&items.n_started), ==, 2);
  items_end (&items, pool);
}

/* Done means that nothing runs any more. */
static void
test_close_waits (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;
  g_autoptr (GError) error = NULL;
  Items items;

  items_init (&items);
  stream = map_items (pool, &items, 10, 0, AEX_MAP_FLAGS_NONE, map_gated);
  aex_gate_wait_n (&items.started, 1);
  closed = aex_pending_stream_close (stream);
  g_assert_false (aex_pending_wait (closed, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_gate_open (&items.gates[0]);
  aex_test_wait (closed);
  g_assert_cmpint (g_atomic_int_get (&items.n_finished), ==, 1);
  items_end (&items, pool);
  g_assert_cmpint (items.n_started, ==, 1);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/map/E4/in-input-order", test_in_input_order);
  aex_test_add ("/map/E4/early-schedule", test_early_schedule);
  aex_test_add ("/map/E4/never-iterating", test_never_iterating);
  aex_test_add ("/map/E4/error-ends", test_error_ends);
  aex_test_add ("/map/E4/first-error-in-order", test_first_error_in_order);
  aex_test_add ("/map/errors/at-their-place", test_errors_at_their_place);
  aex_test_add ("/map/order/unordered", test_unordered);
  aex_test_add ("/map/window/held", test_window);
  aex_test_add ("/map/window/dropped-pulls-nothing", test_dropped_pulls_nothing);
  aex_test_add ("/stream/S8/mixed", test_mixed);
  aex_test_add ("/stream/S9/progressive", test_progressive);
  aex_test_add ("/stream/S8/timeout", test_timeout);
  aex_test_add ("/stream/S8/slot-timing", test_slot_timing);
  aex_test_add ("/stream/S8/close-cancels", test_close_cancels);
  aex_test_add ("/stream/close/waits", test_close_waits);
  return aex_test_run ();
}
