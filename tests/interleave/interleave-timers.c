/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Time: delayed entries of a context, and the alarms of the service thread, which the library starts and ends. */
#include "aex-interleave.h"

#include "base/aex-clock-private.h"
#include "base/aex-home-private.h"
#include "base/aex-timer-service-private.h"

typedef struct
{
  GMutex        mutex;
  GCond         cond;
  GMainContext *context;
  AexHome      *home;
  guint         n_fired[2];
  guint         n_destroyed[2];
  gboolean      cancelled;
  gboolean      armed[2];
  gboolean      ended[2];
  gint64        start_us;
} State;

/* ---- a delayed entry, armed while its thread goes to sleep and the clock moves on */

static void
timer_run (AexEntry *entry, AexTarget *target)
{
  State *state = entry->a;
  guint i = GPOINTER_TO_UINT (entry->b);

  aex_interleave_assert (aex_clock_now () >= state->start_us + (i == 0 ? 1000 : 3000));
  state->n_fired[i]++;
}

static void
timer_drop (AexEntry *entry, AexTarget *target)
{
  aex_interleave_fail ("a timer was dropped");
}

static const AexEntryKind timer_kind = { .run = timer_run, .drop = timer_drop };

static void
timers_setup (gpointer data)
{
  State *state = data;

  state->context = aex_interleave_context_new ();
  state->home = aex_home_ref_for_context (state->context, NULL);
  state->start_us = aex_clock_now ();
}

static void
add_timers (gpointer data)
{
  State *state = data;
  AexEntry late = { &timer_kind, state, GUINT_TO_POINTER (1), NULL };
  AexEntry early = { &timer_kind, state, GUINT_TO_POINTER (0), NULL };

  aex_interleave_assert (aex_home_add_timer (state->home, state->start_us + 3000, &late));
  aex_interleave_assert (aex_home_add_timer (state->home, state->start_us + 1000, &early));
}

static void
advance (gpointer data)
{
  aex_clock_advance (5000);
}

static void
timers_loop (gpointer data)
{
  State *state = data;

  while (state->n_fired[0] == 0 || state->n_fired[1] == 0)
    g_main_context_iteration (state->context, TRUE);
}

static void
timers_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->n_fired[0] == 1 && state->n_fired[1] == 1);
  aex_target_unref (state->home);
  g_main_context_unref (state->context);
}

static const AexInterleave timers = {
  .path = "/interleave/K24-X2/delayed", .size = sizeof (State), .setup = timers_setup,
  .run = { timers_loop, add_timers, advance }, .check = timers_check,
};

/* ---- alarms: one fires, one is cancelled at any moment; both let go of their data once */

static void
first_fires (gpointer data)
{
  ((State *) data)->n_fired[0]++;
}

static void
second_fires (gpointer data)
{
  ((State *) data)->n_fired[1]++;
}

static void
first_destroyed (gpointer data)
{
  ((State *) data)->n_destroyed[0]++;
}

static void
second_destroyed (gpointer data)
{
  ((State *) data)->n_destroyed[1]++;
}

static void
alarms_setup (gpointer data)
{
  ((State *) data)->start_us = aex_clock_now ();
}

static gboolean
is_true (gpointer flag)
{
  return *(gboolean *) flag;
}

/* An alarm that the clock will have passed, after a later one that nobody waits for. */
static void
arm_and_wait (gpointer data)
{
  State *state = data;
  AexAlarm *first, *second;

  second = aex_alarm_new (state->start_us + G_USEC_PER_SEC, second_fires, state, second_destroyed, NULL);
  first = aex_alarm_new (state->start_us + 1000, first_fires, state, first_destroyed, NULL);
  state->armed[0] = TRUE;
  aex_interleave_wait_until (is_true, &state->n_destroyed[0]);
  aex_interleave_assert (!aex_alarm_cancel (first));
  aex_interleave_assert (aex_alarm_cancel (second));
  aex_timer_service_quiesce ();
}

static void
advance_when_armed (gpointer data)
{
  State *state = data;

  aex_interleave_wait_until (is_true, &state->armed[0]);
  aex_clock_advance (2000);
}

static void
alarms_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->n_fired[0] == 1 && state->n_fired[1] == 0);
  aex_interleave_assert (state->n_destroyed[0] == 1 && state->n_destroyed[1] == 1);
  aex_interleave_assert (aex_timer_service_get_n_armed () == 0);
}

static const AexInterleave alarms = {
  .path = "/interleave/I9-X2/alarm", .size = sizeof (State), .setup = alarms_setup,
  .run = { arm_and_wait, advance_when_armed }, .check = alarms_check,
};

/* ---- firing against cancelling: one of them wins */

static void
arm_and_cancel (gpointer data)
{
  State *state = data;
  AexAlarm *alarm = aex_alarm_new (state->start_us + 1000, first_fires, state, first_destroyed, NULL);

  state->cancelled = aex_alarm_cancel (alarm);
  /* If it was too late, the service thread is about to call it. */
  aex_interleave_wait_until (is_true, &state->n_destroyed[0]);
  aex_timer_service_quiesce ();
}

static void
race_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->n_fired[0] == (state->cancelled ? 0 : 1));
  aex_interleave_assert (state->n_destroyed[0] == 1);
  aex_interleave_outcome ("%s", state->cancelled ? "cancelled" : "fired");
}

static const AexInterleave alarm_race = {
  .path = "/interleave/X4/alarm-cancel", .size = sizeof (State), .setup = alarms_setup,
  .run = { arm_and_cancel, advance }, .check = race_check, .n_outcomes = 2,
};

/* ---- a thread that is about to wait when time goes on again: nobody advances it any more */

static void
real_setup (gpointer data)
{
  State *state = data;

  g_mutex_init (&state->mutex);
  g_cond_init (&state->cond);
  aex_interleave_set_real_time (TRUE);
}

static void
wait_once (gpointer data)
{
  State *state = data;

  g_mutex_lock (&state->mutex);
  aex_clock_cond_wait (&state->cond, &state->mutex, G_MAXINT64);
  g_mutex_unlock (&state->mutex);
}

static void
let_time_go (gpointer data)
{
  aex_clock_set_virtual (FALSE);
}

static void
real_check (gpointer data)
{
  State *state = data;

  aex_interleave_set_real_time (FALSE);
  aex_clock_set_virtual (TRUE);
  g_cond_clear (&state->cond);
  g_mutex_clear (&state->mutex);
}

static const AexInterleave real_again = {
  .path = "/interleave/X4/real-time-again", .size = sizeof (State), .setup = real_setup,
  .run = { wait_once, let_time_go }, .check = real_check,
};

void
aex_interleave_add_timers (void)
{
  aex_interleave_add (&timers);
  aex_interleave_add (&alarms);
  aex_interleave_add (&alarm_race);
  aex_interleave_add (&real_again);
}
