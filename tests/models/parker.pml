/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread parks until it sees what others have set before they unparked it.
 *
 * source: libasyncexec/base/aex-parker.c: aex_parker_park, aex_parker_unpark
 * source: libasyncexec/base/aex-clock.c: aex_clock_cond_wait
 *
 * correct: X2 correct
 * correct: X2 correct-with-deadline TIMED
 * bug: X2 asleep-stored-unchecked stuck BUG_ASLEEP_STORED
 * bug: X2 signal-without-lock stuck BUG_SIGNAL_UNLOCKED
 * bug: X2 woken-without-recheck assert TIMED BUG_NO_RECHECK
 *
 * The short spin before sleeping only reads, and is left out.
 */
#include "common.pml"

#define N_UNPARKERS 3

mtype = { EMPTY, ASLEEP, SIGNALLED };

mtype state = EMPTY;
bool mutex;
bool in_wait;               /* the condition: somebody waits */
bool woken;                 /* and was signalled */
byte n_set;                 /* what the thread parks for */
bool token;                 /* ghost: unparked since it last came back */

proctype unparker ()
{
  mtype old;

  n_set++;
  atomic { old = state; state = SIGNALLED; token = true }
  if
  :: old == ASLEEP ->
#ifndef BUG_SIGNAL_UNLOCKED
       LOCK (mutex);
#endif
       atomic { if :: in_wait -> woken = true :: else fi }
#ifndef BUG_SIGNAL_UNLOCKED
       UNLOCK (mutex)
#endif
  :: else
  fi
}

/* aex_clock_cond_wait(): with a deadline, it may pass at any moment; and any wait may end without a reason. */
inline cond_wait ()
{
  atomic { in_wait = true; woken = false; UNLOCK (mutex) }
  if
  :: atomic { woken -> in_wait = false }
#ifdef TIMED
  :: atomic { in_wait = false }
  :: atomic { in_wait = false; in_time = false }
#endif
  fi
  LOCK (mutex)
}

inline park ()
{
  in_time = true;
  LOCK (mutex);
#ifdef BUG_ASLEEP_STORED
  state = ASLEEP;
#else
  atomic { if :: state == EMPTY -> state = ASLEEP :: else fi }
#endif
#ifdef BUG_NO_RECHECK
  if
  :: state == ASLEEP -> cond_wait ()
  :: else
  fi
#else
  do
  :: in_time && state == ASLEEP -> cond_wait ()
  :: else -> break
  od
#endif
  UNLOCK (mutex);
  atomic {
    result = state == SIGNALLED;
    state = EMPTY;
    assert (result == token);
    token = false
  }
  assert (result || !in_time)
}

active proctype owner ()
{
  bool in_time, result;
  byte i;

  for (i : 1 .. N_UNPARKERS) { run unparker () }
  do
  :: n_set < N_UNPARKERS -> park ()
  :: else -> break
  od
}
