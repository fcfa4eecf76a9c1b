/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pushed streams: producers, the consumer and whoever closes. */
#include "aex-interleave.h"

#include "asyncexec.h"
#include "pending/aex-pending-private.h"

#define N_ITEMS 2

typedef struct
{
  AexPendingStream *stream;
  AexPending       *transfers[N_ITEMS];
  AexPending       *closed;
  int               taken[N_ITEMS + 1];    /* in the order in which they came */
  guint             n_taken;
} State;

static void
setup (gpointer data)
{
  ((State *) data)->stream = aex_pending_stream_new (1);
}

static AexPending *
transfer (State *state, int number)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT);
  g_value_set_int (&value, number);
  return aex_pending_stream_transfer (state->stream, &value);
}

static void
push_both (gpointer data)
{
  State *state = data;

  state->transfers[0] = transfer (state, 1);
  state->transfers[1] = transfer (state, 2);
}

static void
push_first (gpointer data)
{
  State *state = data;

  state->transfers[0] = transfer (state, 1);
}

static void
push_second_and_end (gpointer data)
{
  State *state = data;

  state->transfers[1] = transfer (state, 2);
  aex_pending_stream_end (state->stream, NULL);
}

static gboolean
take (State *state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (state->stream, -1, NULL, &error);

  aex_interleave_assert (error == NULL);
  if (result == NULL)
    return FALSE;
  aex_interleave_assert (state->n_taken < N_ITEMS);
  state->taken[state->n_taken++] = g_value_get_int (aex_pending_result_get_value (result, NULL));
  return TRUE;
}

static void
take_all (gpointer data)
{
  while (take (data))
    ;
}

static void
close_it (gpointer data)
{
  State *state = data;

  state->closed = aex_pending_stream_close (state->stream);
}

/* Each item was taken, once and its pusher told so, or its pusher was told that nobody ever will. */
static void
check_transfers (State *state)
{
  guint n_resolved = 0;

  for (guint i = 0; i < N_ITEMS; i++)
    {
      AexPendingState end = aex_pending_get_state (state->transfers[i]);

      aex_interleave_assert (end == AEX_PENDING_STATE_RESOLVED || end == AEX_PENDING_STATE_CANCELLED);
      n_resolved += end == AEX_PENDING_STATE_RESOLVED;
    }
  aex_interleave_assert (n_resolved == state->n_taken);
  for (guint i = 0; i < state->n_taken; i++)
    aex_interleave_assert (aex_pending_get_state (state->transfers[state->taken[i] - 1]) == AEX_PENDING_STATE_RESOLVED);
}

static void
clear (State *state)
{
  for (guint i = 0; i < N_ITEMS; i++)
    g_object_unref (state->transfers[i]);
  g_clear_object (&state->closed);
  g_object_unref (state->stream);
}

static void
close_check (gpointer data)
{
  State *state = data;

  check_transfers (state);
  aex_interleave_assert (aex_pending_is_done (state->closed));
  for (guint i = 0; i < state->n_taken; i++)
    aex_interleave_assert (state->taken[i] == (int) i + 1);
  aex_interleave_outcome ("%u taken", state->n_taken);
  clear (state);
}

static const AexInterleave closing = {
  .path = "/interleave/K70/push-next-close", .size = sizeof (State), .setup = setup,
  .run = { push_both, take_all, close_it }, .check = close_check, .heavy = 1, .n_outcomes = 3,
};

/* ---- two producers, of whom one ends the stream: the other's item comes, or is refused */

static void
end_check (gpointer data)
{
  State *state = data;

  check_transfers (state);
  aex_interleave_assert (aex_pending_get_state (state->transfers[1]) == AEX_PENDING_STATE_RESOLVED);
  aex_interleave_outcome ("%d %d", state->taken[0], state->taken[1]);
  clear (state);
}

static const AexInterleave ending = {
  .path = "/interleave/K70/two-producers", .size = sizeof (State), .setup = setup,
  .run = { push_first, push_second_and_end, take_all }, .check = end_check, .heavy = 1, .n_outcomes = 3,
};

void
aex_interleave_add_stream (void)
{
  aex_interleave_add (&closing);
  aex_interleave_add (&ending);
}
