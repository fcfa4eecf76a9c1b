/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The harness itself: it must come to every end there is. */
#include "aex-interleave.h"

#include <stdatomic.h>

typedef struct
{
  atomic_int x, y, n;
  int        seen[3];
  GMutex     lock;
  GCond      cond;
  char       text[8];
  guint      length;
} State;

static void
no_setup (gpointer data)
{
}

/* ---- x = 1, is y 1? and the other way round: not both see 0 */

static void
store_x (gpointer data)
{
  State *state = data;

  atomic_store (&state->x, 1);
  state->seen[0] = atomic_load (&state->y);
}

static void
store_y (gpointer data)
{
  State *state = data;

  atomic_store (&state->y, 1);
  state->seen[1] = atomic_load (&state->x);
}

static void
check_stores (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->seen[0] || state->seen[1]);
  aex_interleave_outcome ("%d %d", state->seen[0], state->seen[1]);
}

static const AexInterleave stores = {
  .path = "/interleave/harness/stores", .size = sizeof (State), .setup = no_setup,
  .run = { store_x, store_y }, .check = check_stores, .n_outcomes = 3,
};

/* ---- three threads read a number and write it back, one more: 1, 2 or 3 */

static void
count_badly (gpointer data)
{
  State *state = data;

  atomic_store (&state->n, atomic_load (&state->n) + 1);
}

static void
check_count (gpointer data)
{
  aex_interleave_outcome ("%d", atomic_load (&((State *) data)->n));
}

static const AexInterleave lost_count = {
  .path = "/interleave/harness/lost-count", .size = sizeof (State), .setup = no_setup,
  .run = { count_badly, count_badly, count_badly }, .check = check_count, .n_outcomes = 3,
};

/* ---- three threads take a lock: six orders, none of which takes a preemption */

static void
write_letter (State *state, char letter)
{
  g_mutex_lock (&state->lock);
  state->text[state->length++] = letter;
  g_mutex_unlock (&state->lock);
}

static void write_a (gpointer data) { write_letter (data, 'a'); }
static void write_b (gpointer data) { write_letter (data, 'b'); }
static void write_c (gpointer data) { write_letter (data, 'c'); }

static void
check_text (gpointer data)
{
  aex_interleave_outcome ("%s", ((State *) data)->text);
}

static const AexInterleave lock_orders = {
  .path = "/interleave/harness/lock-orders", .size = sizeof (State), .setup = no_setup,
  .run = { write_a, write_b, write_c }, .check = check_text, .n_outcomes = 6,
};

/* ---- aaa and bbb: of the 20 ways to mix them, 14 take two preemptions at most, and none more than four */

static void
write_three (State *state, char letter)
{
  for (guint i = 0; i < 3; i++)
    {
      atomic_fetch_or (&state->x, 0);
      state->text[state->length++] = letter;
    }
}

static void write_aaa (gpointer data) { write_three (data, 'a'); }
static void write_bbb (gpointer data) { write_three (data, 'b'); }

static const AexInterleave mixed = {
  .path = "/interleave/harness/mixed", .size = sizeof (State), .setup = no_setup,
  .run = { write_aaa, write_bbb }, .check = check_text, .most_preemptions = 2, .n_outcomes = 14,
};

/* ---- a thread sleeps until another has counted and signalled under the lock */

static void
sleep_until_two (gpointer data)
{
  State *state = data;

  g_mutex_lock (&state->lock);
  while (state->length < 2)
    g_cond_wait (&state->cond, &state->lock);
  g_mutex_unlock (&state->lock);
}

static void
count_and_signal (gpointer data)
{
  State *state = data;

  g_mutex_lock (&state->lock);
  state->length++;
  g_cond_signal (&state->cond);
  g_mutex_unlock (&state->lock);
}

static void
check_two (gpointer data)
{
  aex_interleave_assert (((State *) data)->length == 2);
}

static const AexInterleave condition = {
  .path = "/interleave/harness/condition", .size = sizeof (State), .setup = no_setup,
  .run = { sleep_until_two, count_and_signal, count_and_signal }, .check = check_two,
};

void
aex_interleave_add_harness (void)
{
  aex_interleave_add (&stores);
  aex_interleave_add (&lost_count);
  aex_interleave_add (&lock_orders);
  aex_interleave_add (&mixed);
  aex_interleave_add (&condition);
}
