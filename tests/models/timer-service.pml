/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The thread that keeps time limits: it starts with the first alarm and ends a while after the last.  Each alarm fires or
 * is cancelled, once, and is not late; no alarm is left without a thread; one who asks the thread to end does not wait in
 * vain.
 *
 * source: libasyncexec/base/aex-timer-service.c: alarm_fire, service_run_due, service_main, service_start, aex_alarm_new,
 *         aex_alarm_cancel, aex_timer_service_quiesce, alarm_unref
 * source: libasyncexec/base/aex-clock.c: aex_clock_cond_wait
 *
 * correct: I9 correct ALARMS=3
 * correct: I1 correct-cancelled ALARMS=2 CANCELS
 * correct: I5 correct-quiesced ALARMS=2 CANCELS QUIESCES
 * bug: I9 ends-without-recheck assert ALARMS=3 BUG_END_UNCHECKED
 * bug: I9 earlier-alarm-not-said assert ALARMS=2 BUG_EARLIER_NOT_SAID
 * bug: I9 gone-but-running assert ALARMS=3 BUG_RUNNING_KEPT
 * bug: I1 fires-what-was-cancelled assert ALARMS=1 CANCELS BUG_FIRED_UNCOMPARED
 * bug: I5 hurry-not-said assert ALARMS=1 QUIESCES BUG_HURRY_NOT_SAID
 *
 * Time moves when nobody can do anything else, or when an alarm is made.  The wheel is a set; it is tested by itself.
 */
#include "common.pml"

#define LINGER  1
#define LAST    4
#define FOREVER 99

mtype = { UNBORN, ARMED, FIRED, CANCELLED };

/* guarded by the lock, which every section but a wait holds from its begin to its end */
bool in_wheel[ALARMS];
byte n_armed;
byte n_threads;                     /* ghost: not ended */
bool asking;                        /* ghost: somebody waits for the thread's end */
bool running, hurry;
byte wakes_at = FOREVER;
bool thread_known;                  /* service_thread, to be joined */

bool held;                          /* the lock, from one step of the thread to the next */
bool waiting, woken;                /* the thread at the condition */
bool asker_woken;                   /* who asks it to end, at the same one */

mtype alarm[ALARMS] = UNBORN;
byte deadline[ALARMS];
byte n_ended[ALARMS];               /* ghost */
byte now;

#define MIN_NEXT  next = FOREVER; i = 0; do :: i < ALARMS -> if :: in_wheel[i] && deadline[i] < next -> next = deadline[i] :: else fi; i++ :: else -> break od; i = 0

inline broadcast ()
{
  if :: waiting -> woken = true :: else fi;
  asker_woken = true
}

proctype service ()
{
  bool idle, in_time, any;
  byte i, next;
  bool due[ALARMS];

  atomic { !held -> held = true }
again:
  atomic {
    i = 0;
    any = false;
    do
    :: i < ALARMS ->
         due[i] = in_wheel[i] && deadline[i] <= now;
         any = any || due[i];
         if :: due[i] -> in_wheel[i] = false :: else fi;
         i++
    :: else -> break
    od;
    i = 0;
    if :: any -> held = false; goto fire :: else fi;
    idle = n_armed == 0;
    if :: idle && hurry -> goto over :: else fi;
    if
    :: idle -> wakes_at = now + LINGER
    :: else -> MIN_NEXT; wakes_at = next; next = 0
    fi;
    waiting = true;
    woken = false;
    in_time = true;
    held = false
  }
end_waits:
  if
  :: atomic { woken -> waiting = false }
  :: atomic { !woken && wakes_at <= now -> waiting = false; in_time = false }
  fi;
  atomic { !held -> held = true }
  atomic {
#ifdef BUG_END_UNCHECKED
    if :: idle && !in_time -> goto over :: else -> goto again fi
#else
    if :: idle && !in_time && n_armed == 0 -> goto over :: else -> goto again fi
#endif
  }

fire:
  do
  :: i < ALARMS ->
       if
       :: due[i] ->
#ifdef BUG_FIRED_UNCOMPARED
            in_time = alarm[i] == ARMED;
            if :: in_time -> alarm[i] = FIRED :: else fi;
#else
            atomic { in_time = alarm[i] == ARMED; if :: in_time -> alarm[i] = FIRED :: else fi }
#endif
            if
            :: in_time -> atomic { !held -> n_armed-- } n_ended[i]++; assert (n_ended[i] == 1 && deadline[i] <= now)
            :: else
            fi;
            due[i] = false
       :: else
       fi;
       i++
  :: else -> break
  od;
  atomic { !held -> held = true; i = 0; goto again }

over:
#ifdef BUG_RUNNING_KEPT
  held = false;
#endif
  atomic {
    /* only cancelled ones are left */
    do
    :: i < ALARMS -> assert (!in_wheel[i] || alarm[i] == CANCELLED); in_wheel[i] = false; i++
    :: else -> break
    od;
    running = false;
    n_threads--;
    broadcast ();
    held = false
  }
}

/* aex_alarm_new(): asked for at some time, for some time. */
proctype owner (byte me; byte at; byte until)
{
  bool first;

  now >= at;
  atomic {
    !held;
    if
    :: !running ->
         /* joins the old one: it has said that it is gone, and needs no lock any more */
         thread_known = true;
         assert (n_threads == 0);
         n_threads++;
         running = true;
         hurry = false;
         wakes_at = FOREVER;
         run service ()
    :: else
    fi;
    alarm[me] = ARMED;
    deadline[me] = until;
    in_wheel[me] = true;
    n_armed++;
    if
#ifdef BUG_EARLIER_NOT_SAID
    :: n_armed == 1 -> broadcast ()
#else
    :: wakes_at == FOREVER || until < wakes_at || n_armed == 1 -> broadcast ()
#endif
    :: else
    fi
  }
#ifdef CANCELS
  if
  :: true -> goto kept
  :: true
  :: true -> now >= until         /* just when it fires */
  fi;
  atomic { first = alarm[me] == ARMED; if :: first -> alarm[me] = CANCELLED :: else fi }
  if
  :: first ->
       atomic { !held -> n_armed--; if :: n_armed == 0 -> broadcast () :: else fi }
       n_ended[me]++;
       assert (n_ended[me] == 1)
  :: else
  fi;
kept:
#endif
  skip
}

/* aex_timer_service_quiesce() */
proctype asker ()
{
  bool joins, said;

  if
  :: true
  :: true -> now >= 3             /* when the thread lingers */
  fi;
again:
  atomic {
    !held;
    if
    :: running && n_armed == 0 && !said ->
         hurry = true;
         said = true;
         asking = true;
         asker_woken = false;
#ifndef BUG_HURRY_NOT_SAID
         if :: waiting -> woken = true :: else fi
#endif
    :: running && n_armed == 0 && said -> asker_woken = false
    :: else ->
         joins = !running && thread_known;
         if :: joins -> thread_known = false :: else fi;
         asking = false;
         goto asked
    fi
  }
  asker_woken;
  goto again;

asked:
  /* it joins what has ended */
  assert (!joins || n_threads == 0 || running)
}

init
{
  atomic {
    run owner (0, 0, 3);
#if ALARMS >= 2
    run owner (1, 1, 2);
#endif
#if ALARMS >= 3
    /* just when the thread has nothing to do any more */
    run owner (2, 4, 4);
#endif
#ifdef QUIESCES
    run asker ()
#endif
  }
}

active proctype clock ()
{
  byte i;

  do
  :: timeout ->
       assert (!asking);
       i = 0;
       do
       :: i < ALARMS ->
            /* nobody is late, and nobody is kept without a thread */
            assert (alarm[i] != ARMED || (deadline[i] > now && running && in_wheel[i]));
            i++
       :: else -> break
       od;
       if
       :: now <= LAST -> now++
       :: else -> break
       fi
  od;
  assert (n_armed == 0 && !running && n_threads == 0)
}
