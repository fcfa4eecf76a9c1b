/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Row K70: a pushed stream as a queue with one consumer.  Items come from every thread, each is handed out once; who
 * pushed one that nobody will take is told. */

#define N_PUSHERS 8

static AexPending *
transfer_int (AexPendingStream *stream,
              gint64            n)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, n);
  return aex_pending_stream_transfer (stream, &value);
}

static gint64
take_int (AexPendingStream *stream)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

  g_assert_no_error (error);
  return result == NULL ? -1 : g_value_get_int64 (aex_pending_result_get_value (result, NULL));
}

#define aex_assert_refused(pending) \
  G_STMT_START { \
    aex_assert_state (pending, CANCELLED); \
    aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_CLOSED); \
  } G_STMT_END

static void
ask (AexPending *taken, gpointer data)
{
  AexPendingStream *stream = data;

  (void) taken;
  g_object_set_data_full (G_OBJECT (stream), "next", aex_pending_stream_next (stream), g_object_unref);
}

/* Somebody asks after the last item was taken from the buffer, and before the push that waits has got its place. */
static void
test_asked_while_taken (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  g_autoptr (AexPending) first = transfer_int (stream, 1);
  g_autoptr (AexPending) second = transfer_int (stream, 2);

  aex_pending_add_done_callback_inline (first, ask, stream, NULL);
  g_assert_cmpint (take_int (stream), ==, 1);
  aex_assert_state (second, RESOLVED);
  aex_assert_state (AEX_PENDING (g_object_get_data (G_OBJECT (stream), "next")), RESOLVED);
}

static void
test_told (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) taken = transfer_int (stream, 1);
  g_autoptr (AexPending) left = transfer_int (stream, 2);
  g_autoptr (AexPending) late = NULL, closed = NULL;

  g_assert_false (aex_pending_is_done (taken));
  g_assert_cmpint (take_int (stream), ==, 1);
  aex_assert_state (taken, RESOLVED);
  /* It reports, and is not to be cancelled. */
  g_assert_false (aex_pending_cancel (left, NULL));
  g_assert_false (aex_pending_is_done (left));
  closed = aex_pending_stream_close (stream);
  aex_assert_refused (left);
  late = transfer_int (stream, 3);
  aex_assert_refused (late);
}

/* To whoever waits for it already. */
static void
test_to_request (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) gone = aex_pending_stream_next (stream);
  g_autoptr (AexPending) next = aex_pending_stream_next (stream);
  g_autoptr (AexPending) transfer = NULL;

  aex_pending_cancel (gone, NULL);
  transfer = transfer_int (stream, 1);
  aex_assert_state (transfer, RESOLVED);
  aex_assert_state (next, RESOLVED);
}

/* end() lets the consumer have what is there; a stream that is dropped tells of the rest. */
static void
test_ended_and_dropped (void)
{
  AexPendingStream *stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) first = transfer_int (stream, 1);
  g_autoptr (AexPending) second = transfer_int (stream, 2);
  g_autoptr (AexPending) late = NULL;

  aex_pending_stream_end (stream, NULL);
  late = transfer_int (stream, 3);
  aex_assert_refused (late);
  g_assert_cmpint (take_int (stream), ==, 1);
  aex_assert_state (first, RESOLVED);
  g_assert_false (aex_pending_is_done (second));
  aex_assert_last_unref (stream);
  aex_assert_refused (second);
}

/* Among pushes that wait for room it keeps its place. */
static void
test_keeps_order (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  G_GNUC_UNUSED g_autoptr (AexPending) first = transfer_int (stream, 1);
  g_autoptr (AexPending) pushed = aex_pending_stream_push (stream, NULL);
  g_autoptr (AexPending) third = transfer_int (stream, 3);
  g_autoptr (AexPendingResult) empty = NULL;

  g_assert_false (aex_pending_is_done (pushed));
  g_assert_cmpint (take_int (stream), ==, 1);
  aex_assert_state (pushed, RESOLVED);
  empty = aex_pending_stream_next_sync (stream, -1, NULL, NULL);
  g_assert_cmpuint (aex_pending_result_get_index (empty), ==, 1);
  g_assert_false (aex_pending_is_done (third));
  g_assert_cmpint (take_int (stream), ==, 3);
  aex_assert_state (third, RESOLVED);
}

/* A request that was withdrawn gives its item back while others are pushed: into its place, and over none of them. */
static AexPendingStream *meddled;
static guint n_checkpoints;

/* The first is that of the push, the second stands between taking the item and giving it to the request. */
static void
push_many (void)
{
  AexPendingStream *stream = meddled;

  if (++n_checkpoints != 2)
    return;
  for (gint64 i = 1; i <= 16; i++)
    g_object_unref (transfer_int (stream, i));
}

static void
test_put_back (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);
  g_autoptr (AexPending) gone = aex_pending_stream_next (stream);
  g_autoptr (AexPending) first = NULL;

  aex_pending_cancel (gone, NULL);
  meddled = stream;
  n_checkpoints = 0;
  aex_checkpoint_set_func (push_many);
  first = transfer_int (stream, 0);
  aex_checkpoint_set_func (NULL);
  g_assert_cmpuint (n_checkpoints, >, 2);
  aex_pending_stream_end (stream, NULL);
  for (gint64 i = 0; i <= 16; i++)
    g_assert_cmpint (take_int (stream), ==, i);
  g_assert_cmpint (take_int (stream), ==, -1);
}

/* Who pushes while an item is being handed out takes its place; the next one waits. */
static AexPending *meddled_pushes[2];

static void
push_two (void)
{
  if (++n_checkpoints != 2)
    return;
  for (guint i = 0; i < 2; i++)
    meddled_pushes[i] = aex_pending_stream_push (meddled, NULL);
}

static void
test_full_while_taken (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  g_autoptr (AexPending) next = aex_pending_stream_next (stream);

  meddled = stream;
  n_checkpoints = 0;
  aex_checkpoint_set_func (push_two);
  g_object_unref (aex_pending_stream_push (stream, NULL));
  aex_checkpoint_set_func (NULL);
  aex_assert_state (next, RESOLVED);
  aex_assert_state (meddled_pushes[0], RESOLVED);
  g_assert_false (aex_pending_is_done (meddled_pushes[1]));
  g_object_unref (aex_pending_stream_next_sync (stream, -1, NULL, NULL));
  aex_assert_state (meddled_pushes[1], RESOLVED);
  for (guint i = 0; i < 2; i++)
    g_clear_object (&meddled_pushes[i]);
}

/* What waited for room is in the model as well, once it is in the buffer. */
static void
test_model (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  GListModel *model = aex_pending_stream_get_model (stream);

  for (int i = 0; i < 3; i++)
    g_object_unref (aex_pending_stream_push (stream, NULL));
  aex_test_drain ();
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 1);
  g_object_unref (aex_pending_stream_next_sync (stream, -1, NULL, NULL));
  aex_pending_stream_end (stream, NULL);
  aex_test_drain ();
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 3);
}

/* --- eight threads push */
typedef struct
{
  AexPendingStream *stream;
  AexGate           started;
  gint64            n;            /* each pushes as many; -1: until it is refused */
  int               n_taken;      /* atomic */
  int               n_refused;    /* atomic */
  int               n_pushed;     /* atomic */
} Pushers;

typedef struct
{
  Pushers *all;
  gint64   number;
} Pusher;

static void
count_transfer (AexPending *pending,
                gpointer    data)
{
  Pushers *self = data;
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  if (error == NULL)
    g_atomic_int_inc (&self->n_taken);
  else if (g_error_matches (error, AEX_ERROR, AEX_ERROR_CLOSED))
    g_atomic_int_inc (&self->n_refused);
}

static gpointer
push_thread (gpointer data)
{
  Pusher *self = data;
  Pushers *all = self->all;

  aex_gate_wait (&all->started);
  for (gint64 i = 0; all->n < 0 || i < all->n; i++)
    {
      g_autoptr (AexPending) transfer = transfer_int (all->stream, self->number << 32 | i);

      g_atomic_int_inc (&all->n_pushed);
      aex_pending_add_done_callback_inline (transfer, count_transfer, all, NULL);
      if (all->n < 0 && aex_pending_is_cancelled (transfer))
        return NULL;
    }
  return NULL;
}

static void
pushers_start (Pushers  *self,
               Pusher   *pushers,
               GThread **threads)
{
  self->stream = aex_pending_stream_new (0);
  aex_gate_init (&self->started);
  for (gint64 i = 0; i < N_PUSHERS; i++)
    {
      pushers[i] = (Pusher) { self, i };
      threads[i] = g_thread_new ("pusher", push_thread, &pushers[i]);
    }
  aex_gate_open (&self->started);
}

static void
pushers_end (Pushers  *self,
             GThread **threads)
{
  for (guint i = 0; i < N_PUSHERS; i++)
    g_thread_join (threads[i]);
  g_object_unref (self->stream);
  aex_gate_clear (&self->started);
  g_assert_cmpint (self->n_taken + self->n_refused, ==, self->n_pushed);
}

/* Some requests are withdrawn while items come: they eat nothing, and change no order. */
static gint64
take_or_withdraw (AexPendingStream *stream,
                  guint             round)
{
  if (round % 3 == 0)
    {
      g_autoptr (AexPending) next = aex_pending_stream_next (stream);
      g_autoptr (AexPendingResult) result = NULL;

      if (aex_pending_cancel (next, NULL))
        return take_int (stream);
      /* Too late: it is being answered, which may not be over yet. */
      g_assert_true (aex_pending_wait (next, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
      result = aex_pending_dup_object (next, NULL);
      return result == NULL ? -1 : g_value_get_int64 (aex_pending_result_get_value (result, NULL));
    }
  return take_int (stream);
}

static void
test_eight_pushers (void)
{
  Pushers self = { .n = aex_test_scale (20000) };
  gint64 expected[N_PUSHERS] = { 0 };
  Pusher pushers[N_PUSHERS];
  GThread *threads[N_PUSHERS];

  pushers_start (&self, pushers, threads);
  for (gint64 i = 0; i < self.n * N_PUSHERS; i++)
    {
      gint64 item = take_or_withdraw (self.stream, (guint) i);

      g_assert_cmpint (item & G_MAXUINT32, ==, expected[item >> 32]++);
    }
  pushers_end (&self, threads);
  g_assert_cmpint (self.n_taken, ==, self.n * N_PUSHERS);
}

/* Stopped while they push: what was handed out and what was refused is all there was. */
static void
check_stop (gboolean by_end)
{
  Pushers self = { .n = -1 };
  Pusher pushers[N_PUSHERS];
  GThread *threads[N_PUSHERS];
  int n_taken = 0;

  pushers_start (&self, pushers, threads);
  for (guint i = 0; i < 100; i++)
    {
      g_assert_cmpint (take_int (self.stream), >=, 0);
      n_taken++;
    }
  if (by_end)
    aex_pending_stream_end (self.stream, NULL);
  else
    g_object_unref (aex_pending_stream_close (self.stream));
  while (take_int (self.stream) >= 0)
    n_taken++;
  /* The end stays the end, whatever is pushed. */
  g_assert_cmpint (take_int (self.stream), ==, -1);
  pushers_end (&self, threads);
  g_assert_cmpint (self.n_taken, ==, n_taken);
}

static void
test_closed_while_pushing (void)
{
  guint n = aex_test_scale (100);

  for (guint i = 0; i < n; i++)
    check_stop (FALSE);
}

static void
test_ended_while_pushing (void)
{
  guint n = aex_test_scale (100);

  for (guint i = 0; i < n; i++)
    check_stop (TRUE);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/stream-queue/K70/told", test_told);
  aex_test_add ("/stream-queue/K70/asked-while-taken", test_asked_while_taken);
  aex_test_add ("/stream-queue/K70/full-while-taken", test_full_while_taken);
  aex_test_add ("/stream-queue/K70/to-request", test_to_request);
  aex_test_add ("/stream-queue/K70/ended-and-dropped", test_ended_and_dropped);
  aex_test_add ("/stream-queue/K70/keeps-order", test_keeps_order);
  aex_test_add ("/stream-queue/put-back-into-full-buffer", test_put_back);
  aex_test_add ("/stream-queue/model", test_model);
  aex_test_add ("/stream-queue/K70/eight-pushers", test_eight_pushers);
  aex_test_add ("/stream-queue/K70/closed-while-pushing", test_closed_while_pushing);
  aex_test_add ("/stream-queue/K70/ended-while-pushing", test_ended_while_pushing);
  return aex_test_run ();
}
