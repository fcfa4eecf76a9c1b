/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Promises: who completes, cancels, attaches, waits and lets go at the same time. */
#include "aex-interleave.h"

#include "asyncexec.h"
#include "pending/aex-pending-private.h"

typedef struct
{
  AexPending *pending;
  AexPending *derived;
  gboolean    resolved, cancelled, waited, removed;
  GError     *error;         /* of the wait */
  gulong      id;
  guint       n_called;
  guint       n_released;
  char        calls[8];      /* in their order */
} State;

static void
setup (gpointer data)
{
  ((State *) data)->pending = aex_pending_new ();
}

static void
resolve (gpointer data)
{
  State *state = data;

  state->resolved = aex_pending_resolve_int64 (state->pending, 7);
}

static void
cancel (gpointer data)
{
  State *state = data;

  state->cancelled = aex_pending_cancel (state->pending, NULL);
}

static void
called (AexPending *pending, gpointer data)
{
  State *state = data;

  aex_interleave_assert (aex_pending_is_done (pending));
  state->calls[state->n_called++] = '1';
}

static void
called_second (AexPending *pending, gpointer data)
{
  State *state = data;

  aex_interleave_assert (aex_pending_is_done (pending));
  state->calls[state->n_called++] = '2';
}

static void
released (gpointer data)
{
  ((State *) data)->n_released++;
}

/* Callbacks go to the default context, which is run when the round is over. */
static void
attach_two (gpointer data)
{
  State *state = data;

  aex_pending_add_done_callback (state->pending, called, state, released);
  aex_pending_add_done_callback (state->pending, called_second, state, released);
}

/* One of the two became the outcome, and the pending says which. */
static const char *
check_outcome (State *state)
{
  AexPendingState end = aex_pending_get_state (state->pending);

  aex_interleave_assert (end == AEX_PENDING_STATE_RESOLVED || end == AEX_PENDING_STATE_CANCELLED);
  aex_interleave_assert (state->resolved == (end == AEX_PENDING_STATE_RESOLVED));
  aex_interleave_assert (state->cancelled == (end == AEX_PENDING_STATE_CANCELLED));
  if (end == AEX_PENDING_STATE_RESOLVED)
    aex_interleave_assert (aex_pending_get_int64 (state->pending, NULL) == 7);
  return end == AEX_PENDING_STATE_RESOLVED ? "resolved" : "cancelled";
}

/* ---- resolve, cancel, attach */

static void
callbacks_check (gpointer data)
{
  State *state = data;

  aex_interleave_outcome ("%s", check_outcome (state));
  aex_interleave_assert (g_str_equal (state->calls, "12"));
  aex_interleave_assert (state->n_released == 2);
  g_object_unref (state->pending);
}

static const AexInterleave callbacks = {
  .path = "/interleave/K47-K56/resolve-cancel-attach", .size = sizeof (State), .setup = setup,
  .run = { resolve, cancel, attach_two }, .check = callbacks_check, .n_outcomes = 2,
};

/* ---- a single late callback, so that no other one brings it along */

static void
attach_one (gpointer data)
{
  State *state = data;

  aex_pending_add_done_callback (state->pending, called, state, released);
}

static void
late_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->resolved && state->n_called == 1 && state->n_released == 1);
  g_object_unref (state->pending);
}

static const AexInterleave late = {
  .path = "/interleave/K44/late-callback", .size = sizeof (State), .setup = setup,
  .run = { resolve, attach_one }, .check = late_check,
};

/* ---- a callback is attached early, another late, and the early one removed: in order, or not at all */

static void
removal_setup (gpointer data)
{
  State *state = data;

  setup (data);
  state->id = aex_pending_add_done_callback (state->pending, called, state, released);
}

static void
attach_second (gpointer data)
{
  State *state = data;

  aex_pending_add_done_callback (state->pending, called_second, state, released);
}

static void
remove_first (gpointer data)
{
  State *state = data;

  state->removed = aex_pending_remove_done_callback (state->pending, state->id);
}

static void
removal_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (g_str_equal (state->calls, state->removed ? "2" : "12"));
  aex_interleave_assert (state->n_released == 2);
  aex_interleave_outcome ("%s", state->removed ? "removed" : "called");
  g_object_unref (state->pending);
}

static const AexInterleave removal = {
  .path = "/interleave/K56/attach-remove", .size = sizeof (State), .setup = removal_setup,
  .run = { resolve, attach_second, remove_first }, .check = removal_check, .n_outcomes = 2,
};

/* ---- a thread that blocks */

static void
wait_for_it (gpointer data)
{
  State *state = data;

  state->waited = aex_pending_wait (state->pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &state->error);
}

static void
wait_check (gpointer data)
{
  State *state = data;

  aex_interleave_outcome ("%s", check_outcome (state));
  aex_interleave_assert (state->waited == state->resolved);
  aex_interleave_assert ((state->error != NULL) == state->cancelled);
  g_clear_error (&state->error);
  g_object_unref (state->pending);
}

static const AexInterleave waiting = {
  .path = "/interleave/K44-X2/resolve-cancel-wait", .size = sizeof (State), .setup = setup,
  .run = { wait_for_it, resolve, cancel }, .check = wait_check, .n_outcomes = 2,
};

/* ---- the last reference: completing, cancelling and letting go in any order frees once */

static void
references_setup (gpointer data)
{
  State *state = data;

  setup (state);
  g_object_ref (state->pending);
  aex_pending_add_done_callback (state->pending, called, state, released);
}

static void
resolve_and_unref (gpointer data)
{
  AexPending *pending = ((State *) data)->pending;

  resolve (data);
  g_object_unref (pending);
}

static void
cancel_and_unref (gpointer data)
{
  AexPending *pending = ((State *) data)->pending;

  cancel (data);
  g_object_unref (pending);
}

static void
references_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->resolved != state->cancelled);
  aex_interleave_assert (state->n_called == 1 && state->n_released == 1);
  aex_interleave_outcome ("%s", state->resolved ? "resolved" : "cancelled");
}

static const AexInterleave references = {
  .path = "/interleave/I1-X7/last-unref-resolve", .size = sizeof (State), .setup = references_setup,
  .run = { resolve_and_unref, cancel_and_unref }, .check = references_check, .n_outcomes = 2,
};

/* ---- a source is dropped while what was derived from it is cancelled, and read */

static AexPending *
then_nothing (AexPending *done, gpointer data, GError **error)
{
  return NULL;
}

static void
derived_setup (gpointer data)
{
  State *state = data;

  setup (state);
  state->derived = aex_pending_then (state->pending, then_nothing, state, released);
}

static void
drop_source (gpointer data)
{
  g_object_unref (((State *) data)->pending);
}

static void
cancel_derived (gpointer data)
{
  State *state = data;

  state->cancelled = aex_pending_cancel (state->derived, NULL);
}

static void
derived_check (gpointer data)
{
  State *state = data;
  g_autoptr (GError) error = aex_pending_dup_error (state->derived);
  gboolean is_cancelled = g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  aex_interleave_assert (aex_pending_is_done (state->derived));
  aex_interleave_assert (is_cancelled || g_error_matches (error, AEX_ERROR, AEX_ERROR_ABANDONED));
  aex_interleave_assert (state->cancelled == is_cancelled);
  aex_interleave_assert (state->n_released == 1);
  aex_interleave_outcome ("%s", is_cancelled ? "cancelled" : "abandoned");
  g_object_unref (state->derived);
}

static const AexInterleave derived = {
  .path = "/interleave/I1-R17/source-dropped", .size = sizeof (State), .setup = derived_setup,
  .run = { drop_source, cancel_derived }, .check = derived_check, .n_outcomes = 2,
};

/* ---- of two sources each completes on a thread of its own while the combination is cancelled */

typedef struct
{
  AexPending *sources[2];
  AexPending *all;
  gboolean    resolved[2];
  gboolean    cancelled;
} All;

static void
all_setup (gpointer data)
{
  All *state = data;

  state->sources[0] = aex_pending_new ();
  state->sources[1] = aex_pending_new ();
  state->all = aex_pending_allv (state->sources, 2);
}

static void
all_resolve_first (gpointer data)
{
  All *state = data;

  state->resolved[0] = aex_pending_resolve_int64 (state->sources[0], 1);
}

static void
all_resolve_second (gpointer data)
{
  All *state = data;

  state->resolved[1] = aex_pending_resolve_int64 (state->sources[1], 2);
}

static void
all_cancel (gpointer data)
{
  All *state = data;

  state->cancelled = aex_pending_cancel (state->all, NULL);
}

static void
all_check (gpointer data)
{
  All *state = data;
  AexPendingState end = aex_pending_get_state (state->all);

  aex_interleave_assert (end == (state->cancelled ? AEX_PENDING_STATE_CANCELLED : AEX_PENDING_STATE_RESOLVED));
  if (!state->cancelled)
    aex_interleave_assert (state->resolved[0] && state->resolved[1]);
  for (guint i = 0; i < 2; i++)
    aex_interleave_assert (aex_pending_get_state (state->sources[i])
                           == (state->resolved[i] ? AEX_PENDING_STATE_RESOLVED : AEX_PENDING_STATE_CANCELLED));
  aex_interleave_outcome ("%s %d %d", state->cancelled ? "cancelled" : "resolved", state->resolved[0], state->resolved[1]);
  g_object_unref (state->all);
  g_object_unref (state->sources[0]);
  g_object_unref (state->sources[1]);
}

static const AexInterleave all = {
  .path = "/interleave/I1/all-of-two", .size = sizeof (All), .setup = all_setup,
  .run = { all_resolve_first, all_resolve_second, all_cancel }, .check = all_check,
};

static const AexInterleave both = {
  .path = "/interleave/K41/both-of-two", .size = sizeof (All), .setup = all_setup,
  .run = { all_resolve_first, all_resolve_second }, .check = all_check, .n_outcomes = 1,
};

/* ---- two that begin to follow each other at the same time: one of them sees the ring, and nobody waits for ever */

typedef struct
{
  AexPending *pendings[2];
  gboolean    follows[2];
} Ring;

static void
ring_setup (gpointer data)
{
  Ring *state = data;

  state->pendings[0] = aex_pending_new ();
  state->pendings[1] = aex_pending_new ();
}

static void
first_follows (gpointer data)
{
  Ring *state = data;

  state->follows[0] = aex_pending_follow (state->pendings[0], state->pendings[1]);
}

static void
second_follows (gpointer data)
{
  Ring *state = data;

  state->follows[1] = aex_pending_follow (state->pendings[1], state->pendings[0]);
}

static void
ring_check (gpointer data)
{
  Ring *state = data;

  aex_interleave_assert (!state->follows[0] || !state->follows[1]);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = aex_pending_dup_error (state->pendings[i]);

      aex_interleave_assert (g_error_matches (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK));
    }
  aex_interleave_outcome ("%d %d", state->follows[0], state->follows[1]);
  g_object_unref (state->pendings[0]);
  g_object_unref (state->pendings[1]);
}

static const AexInterleave ring = {
  .path = "/interleave/I6/ring", .size = sizeof (Ring), .setup = ring_setup,
  .run = { first_follows, second_follows }, .check = ring_check,
};

void
aex_interleave_add_pending (void)
{
  aex_interleave_add (&callbacks);
  aex_interleave_add (&late);
  aex_interleave_add (&removal);
  aex_interleave_add (&waiting);
  aex_interleave_add (&references);
  aex_interleave_add (&derived);
  aex_interleave_add (&all);
  aex_interleave_add (&both);
  aex_interleave_add (&ring);
}
