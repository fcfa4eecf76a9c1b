/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Posting to a main context, and parking: no wake-up is lost, and what one thread posts stays in order. */
#include "aex-interleave.h"

#include "base/aex-home-private.h"
#include "base/aex-parker-private.h"

/* ---- entries for a context that another thread runs */

#define N_NUMBERS 3

typedef struct
{
  GMainContext *context;
  AexHome      *home;
  guint         numbers[N_NUMBERS];    /* as they ran */
  guint         n_run;
  guint         n_dropped;
} Wake;

static void
number_run (AexEntry *entry, AexTarget *target)
{
  Wake *state = entry->a;

  aex_interleave_assert (target == &state->home->target);
  aex_interleave_assert (state->n_run < N_NUMBERS);
  state->numbers[state->n_run++] = GPOINTER_TO_UINT (entry->b);
}

static void
number_drop (AexEntry *entry, AexTarget *target)
{
  ((Wake *) entry->a)->n_dropped++;
}

static const AexEntryKind number_kind = { .run = number_run, .drop = number_drop };

static void
post_number (Wake *state, guint number)
{
  AexEntry entry = { &number_kind, state, GUINT_TO_POINTER (number), NULL };

  aex_target_post_or_drop (&state->home->target, AEX_LANE_DEFAULT, &entry);
}

static void
wake_setup (gpointer data)
{
  Wake *state = data;

  state->context = aex_interleave_context_new ();
  state->home = aex_home_ref_for_context (state->context, NULL);
}

static void
wake_post_two (gpointer state)
{
  post_number (state, 1);
  post_number (state, 2);
}

static void
wake_post_one (gpointer state)
{
  post_number (state, 3);
}

static void
wake_loop (gpointer data)
{
  Wake *state = data;

  while (state->n_run < N_NUMBERS)
    g_main_context_iteration (state->context, TRUE);
}

static void
wake_check (gpointer data)
{
  Wake *state = data;
  guint where[N_NUMBERS + 1] = { 0 };

  for (guint i = 0; i < N_NUMBERS; i++)
    where[state->numbers[i]] = i + 1;
  aex_interleave_assert (where[1] && where[2] && where[3]);
  aex_interleave_assert (where[1] < where[2]);
  aex_interleave_outcome ("%u %u %u", state->numbers[0], state->numbers[1], state->numbers[2]);
  aex_target_unref (state->home);
  g_main_context_unref (state->context);
  aex_interleave_assert (state->n_dropped == 0);
}

static const AexInterleave wake = {
  .path = "/interleave/X2/wake", .size = sizeof (Wake), .setup = wake_setup,
  .run = { wake_loop, wake_post_two, wake_post_one }, .check = wake_check, .n_outcomes = 3,
};

/* ---- the context dies while others post: each entry is run or dropped, once */

static void
dying_loop (gpointer data)
{
  Wake *state = data;

  g_main_context_iteration (state->context, FALSE);
  g_main_context_unref (g_steal_pointer (&state->context));
}

static void
dying_check (gpointer data)
{
  Wake *state = data;

  aex_interleave_assert (state->n_run + state->n_dropped == N_NUMBERS);
  aex_interleave_assert (aex_home_is_dead (state->home));
  aex_interleave_outcome ("%u run", state->n_run);
  aex_target_unref (state->home);
}

static const AexInterleave dying = {
  .path = "/interleave/X4/context-dies", .size = sizeof (Wake), .setup = wake_setup,
  .run = { dying_loop, wake_post_two, wake_post_one }, .check = dying_check,
};

/* ---- a foreign loop that hosts the home is told of every entry that comes while it sleeps */

typedef struct
{
  Wake     wake;
  gboolean told;
} Hosted;

static void
hosted_told (AexHome *home, gpointer data)
{
  ((Hosted *) data)->told = TRUE;
}

static gboolean
hosted_is_told (gpointer data)
{
  return ((Hosted *) data)->told;
}

static void
hosted_setup (gpointer data)
{
  Hosted *state = data;

  wake_setup (&state->wake);
  aex_home_set_waker (state->wake.home, hosted_told, state, NULL);
}

static void
hosted_loop (gpointer data)
{
  Hosted *state = data;

  while (state->wake.n_run < N_NUMBERS)
    {
      aex_interleave_wait_until (hosted_is_told, state);
      state->told = FALSE;
      while (aex_home_dispatch (state->wake.home, -1))
        ;
    }
}

static const AexInterleave hosted = {
  .path = "/interleave/X2/hosted", .size = sizeof (Hosted), .setup = hosted_setup,
  .run = { hosted_loop, wake_post_two, wake_post_one }, .check = wake_check, .n_outcomes = 3,
};

/* ---- parking */

typedef struct
{
  AexParker *parker;
  gboolean   ready[2];
} Park;

static void
park_setup (gpointer data)
{
  ((Park *) data)->parker = aex_parker_new ();
}

static void
park_until_ready (gpointer data)
{
  Park *state = data;

  while (!state->ready[0] || !state->ready[1])
    aex_interleave_assert (aex_parker_park (state->parker, 0, -1));
  aex_parker_unref (state->parker);
}

static void
unpark (Park *state, guint i)
{
  AexParker *parker = aex_parker_ref (state->parker);

  state->ready[i] = TRUE;
  aex_parker_unpark (parker);
  aex_parker_unref (parker);
}

static void unpark_first (gpointer state) { unpark (state, 0); }
static void unpark_second (gpointer state) { unpark (state, 1); }

static void
park_check (gpointer data)
{
}

static const AexInterleave park = {
  .path = "/interleave/X2/park", .size = sizeof (Park), .setup = park_setup,
  .run = { park_until_ready, unpark_first, unpark_second }, .check = park_check,
};

void
aex_interleave_add_home (void)
{
  aex_interleave_add (&wake);
  aex_interleave_add (&dying);
  aex_interleave_add (&hosted);
  aex_interleave_add (&park);
}
