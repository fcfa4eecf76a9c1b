/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A home: threads post entries and timers, its own thread runs them in a main loop and sleeps in between.  Each entry is
 * run or dropped, once; no timer is late; nobody sleeps on something to do; an idle loop sleeps.
 *
 * source: libasyncexec/base/aex-home.c: home_post, home_unlock_and_ring, home_ring, home_collect, home_next, home_pop,
 *         home_take_due, aex_home_add_timer, aex_home_has_work, aex_home_fall_asleep, aex_home_eat_wake,
 *         aex_home_run_slice, aex_home_dispatch, aex_home_get_ready_time
 * source: libasyncexec/base/aex-home-source.c: home_source_prepare, home_source_check, home_source_dispatch,
 *         low_source_prepare, low_source_dispatch
 * source: libasyncexec/base/aex-home-life.c: aex_home_set_waker, aex_home_begin_blocked, aex_home_end_blocked, aex_home_drain_releases,
 *         home_drop_queued, aex_home_die
 * source: libasyncexec/base/aex-queue.c: aex_queue_push, aex_queue_splice, aex_queue_pop
 * source: libasyncexec/pending/aex-pending-wait.c: wait_begin, wait_block, wait_end
 *
 * correct: X2 correct N_POSTERS=2 N_POSTS=3
 * correct: I1 correct-context-dies N_POSTERS=2 N_POSTS=2 N_TIMERS=1 DIES
 * correct: I9 correct-timers N_POSTERS=1 N_POSTS=1 N_TIMERS=3
 * correct: X2 correct-blocked N_POSTERS=2 N_POSTS=2 BLOCKS
 * correct: X2 correct-hosted N_POSTERS=2 N_POSTS=1 N_TIMERS=2 HOSTED
 * correct: X2 correct-idle-sleeps cycles N_POSTERS=2 N_POSTS=1
 * bug: X2 asleep-without-recheck assert N_POSTERS=1 N_POSTS=2 BUG_ASLEEP_UNCHECKED
 * bug: X2 flag-cleared-after-drain assert N_POSTERS=2 N_POSTS=1 BUG_FLAG_AFTER_DRAIN
 * bug: X2 wake-not-eaten cycle cycles N_POSTERS=1 N_POSTS=1 BUG_WAKE_NOT_EATEN
 * bug: I9 timeout-read-before-asleep assert N_POSTERS=1 N_POSTS=1 N_TIMERS=1 BUG_TIMEOUT_READ_EARLY
 * bug: I9 earlier-timer-not-rung assert N_POSTERS=1 N_POSTS=1 N_TIMERS=2 BUG_TIMER_NOT_RUNG
 * bug: X2 blocked-told-after-drain assert N_POSTERS=1 N_POSTS=1 BLOCKS BUG_BLOCKED_LATE
 * bug: X2 waker-not-told assert N_POSTERS=1 N_POSTS=1 HOSTED BUG_WAKER_NOT_TOLD
 * bug: I1 posted-to-a-dead-home assert N_POSTERS=1 N_POSTS=1 DIES BUG_DEAD_UNCHECKED
 *
 * One lane for what runs and one for releases; the lanes in between only change the order.  A parker is a token here: that
 * it is one, parker.pml shows.  Nested loops, what is hurried and the short spin only look more often.
 */
#include "common.pml"

#ifndef N_TIMERS
# define N_TIMERS 0
#endif
#define N_ALL (N_POSTERS * N_POSTS + N_TIMERS)

/* guarded by the lock; each section is one step */
byte inbox, inbox_release;
bool asleep = true, dead, waker, blocked;
bool wheel[4];                    /* [d]: a timer for time d */
byte next_timer;                  /* 0: none; also read without the lock */

byte n_inbox;                     /* written under the lock, read anywhere */
bool fd;                          /* the eventfd: readable */
bool called;                      /* HOSTED: the foreign loop was told to dispatch */
bool parked_token;
byte now;

/* own thread */
byte taken, taken_release;
bool low;

byte n_run, n_dropped, n_own;     /* ghost */
bool gone;                        /* ghost: the loop has ended */
bool sleeping;                    /* ghost: it polls */

#if defined (DIES) || defined (BLOCKS)
# define DIES_OR_BLOCKS true
#else
# define DIES_OR_BLOCKS false
#endif

#define DUE        (next_timer != 0 && next_timer <= now)
#define TIMERS     (wheel[1] || wheel[2] || wheel[3])
#define NEXT       (wheel[1] -> 1 : (wheel[2] -> 2 : (wheel[3] -> 3 : 0)))

/* ---- other threads */

inline ring ()
{
  if
  :: rings -> fd = true; if :: waker_seen -> called = true :: else fi
  :: else
  fi
}

proctype poster (bool releases)
{
  byte i;
  bool rings, waker_seen, blocked_seen;

  for (i : 1 .. N_POSTS) {
    atomic {
      if
#ifndef BUG_DEAD_UNCHECKED
      :: dead -> n_dropped++; rings = false; waker_seen = false; blocked_seen = false
#endif
      :: else ->
           if :: releases -> inbox_release++ :: else -> inbox++ fi
           n_inbox++;
           rings = asleep;
           waker_seen = waker;
           blocked_seen = releases && blocked;
           asleep = false
      fi
    }
    ring ();
    if :: blocked_seen -> parked_token = true :: else fi
  }
}

/* aex_home_add_timer() */
proctype timer (byte deadline)
{
  bool rings, waker_seen;
  byte next;

  atomic {
    if
    :: dead -> n_dropped++
    :: else ->
         next = next_timer;
         wheel[deadline] = true;
         if :: next == 0 || deadline < next -> next_timer = NEXT :: else fi
         if
#ifdef BUG_TIMER_NOT_RUNG
         :: next != 0 -> rings = false
#else
         :: next != 0 && deadline >= next -> rings = false
#endif
         :: else -> rings = asleep; waker_seen = waker; asleep = false
         fi
    fi
  }
  ring ()
}

/* ---- its own thread */

inline has_work ()
{
  work = taken + taken_release > 0;
  if :: !work -> work = n_inbox > 0 :: else fi
  if :: !work -> work = DUE :: else fi
}

inline collect ()
{
#ifdef BUG_FLAG_AFTER_DRAIN
  /* n_inbox is the flag that others look at */
  atomic { taken = taken + inbox; taken_release = taken_release + inbox_release; inbox = 0; inbox_release = 0 }
  atomic { asleep = false; n_inbox = 0 }
#else
  atomic {
    asleep = false;
    taken = taken + inbox;
    taken_release = taken_release + inbox_release;
    inbox = 0;
    inbox_release = 0;
    n_inbox = 0
  }
#endif
}

inline take_due ()
{
  if
  :: !DUE
  :: else -> atomic {
       for (t : 1 .. 3) {
         if :: t <= now && wheel[t] -> wheel[t] = false; taken++ :: else fi
       }
       t = 0;
       next_timer = NEXT
     }
  fi
}

/* An entry may post another one to its own home, which takes no lock and rings nobody. */
inline post_own ()
{
  if
  :: n_own == 0 && !DIES_OR_BLOCKS ->
       n_own++;
       if :: n_inbox > 0 -> collect () :: else fi
       taken++
  :: true
  fi
}

/* The budget may be used up after any entry; the clock is not read after each. */
inline spent_or_on ()
{
  if
  :: spent = true; break
  :: take_due ()
  :: true
  :: now < N_TIMERS -> now++          /* it took long */
  fi
}

inline run_slice ()
{
  low = false;
  spent = false;
  if :: n_inbox > 0 -> collect () :: else fi
  take_due ();
  do
  :: taken_release > 0 -> taken_release--; n_run++; spent_or_on ()
  :: taken_release == 0 && taken > 0 -> taken--;
progress_run:
       n_run++;
       post_own ();
       spent_or_on ()
  :: taken_release == 0 && taken == 0 ->
       if
       :: n_inbox == 0 -> break
       :: else -> collect ()
       fi
  od
  has_work ();
  low = work && spent
}

inline fall_asleep ()
{
#ifdef BUG_ASLEEP_UNCHECKED
  asleep = true;
  work = false
#else
  atomic { work = n_inbox > 0; asleep = !work }
#endif
}

inline eat_wake ()
{
#ifdef BUG_WAKE_NOT_EATEN
  skip
#else
  fd = false
#endif
}

/* aex_home_die(): on the thread that destroys the context, when no other runs it. */
inline die ()
{
  atomic { dead = true }
  atomic {
    taken = taken + inbox;
    taken_release = taken_release + inbox_release;
    inbox = 0;
    inbox_release = 0;
    n_inbox = 0;
    n_dropped = n_dropped + taken + taken_release + wheel[1] + wheel[2] + wheel[3];
    taken = 0;
    taken_release = 0;
    wheel[1] = false;
    wheel[2] = false;
    wheel[3] = false;
    next_timer = 0
  }
}

/* The thread blocks for something that ends when the releases that were posted have run. */
inline wait_block ()
{
#ifndef BUG_BLOCKED_LATE
  blocked = true;
#endif
  do
  :: true ->
       atomic {
         n_inbox = n_inbox - inbox_release;
         taken_release = taken_release + inbox_release;
         inbox_release = 0
       }
#ifdef BUG_BLOCKED_LATE
       blocked = true;
#endif
       do
       :: taken_release > 0 -> taken_release--; n_run++
       :: else -> break
       od
       if
       :: n_run >= N_POSTS -> break
       :: else
       fi
       atomic { parked_token -> parked_token = false }
  od
  blocked = false
}

#ifdef HOSTED

/* A foreign loop, which looks at no descriptor, sets its waker and then dispatches whenever it is told to. */
active proctype loop ()
{
  bool spent, work, told;
  byte t, until;

  atomic { waker = true; told = !asleep }
#ifndef BUG_WAKER_NOT_TOLD
  if :: told -> called = true :: else fi
#endif
  do
  :: sleeping = true;
     until = next_timer;              /* aex_home_get_ready_time() */
end_poll:
     if
     :: atomic { called -> called = false }
     :: until != 0 && until <= now
     fi;
     sleeping = false;
dispatch:
     eat_wake ();
     run_slice ();
     low = false;
     if :: !work -> fall_asleep () :: else fi
     if :: work -> goto dispatch :: else fi
  od
}

#else

active proctype loop ()
{
  bool spent, work, ready, rung;
  byte t, until;

#ifdef BLOCKS
  wait_block ();
#endif
  do
#ifdef DIES
  :: die (); break
#endif
  :: true ->
       ready = false;
       until = 0;
       /* home_source_prepare(); while it is low, the other source is ready at once */
       if
       :: low -> ready = true
       :: else ->
#ifdef BUG_TIMEOUT_READ_EARLY
            until = next_timer;
#endif
            has_work ();
            if :: !work -> fall_asleep () :: else fi
            ready = work;
#ifndef BUG_TIMEOUT_READ_EARLY
            if :: !ready -> until = next_timer :: else fi
#endif
       fi
       /* poll() */
       sleeping = !ready;
end_poll:
       if
       :: ready -> rung = fd
       :: !ready && fd -> rung = true
       :: !ready && until != 0 && until <= now -> rung = false
       fi
       sleeping = false;
       /* home_source_check(), which is not asked what said in prepare that it was ready */
       if
       :: low || !ready ->
            if :: rung -> eat_wake () :: else fi
       :: else
       fi
       if
       :: low -> low = false; work = false      /* low_source_dispatch() */
       :: low -> work = true                    /* or it has starved for so long that it is its turn */
       :: !low && ready -> work = true
       :: !low && !ready -> has_work (); work = work || rung
       fi
       if :: work -> run_slice () :: else fi
  od;
  gone = true
}

#endif

init
{
  byte i;

  atomic {
    for (i : 1 .. N_POSTERS) { run poster (i == 1) }
    i = 1;
    do
    :: i <= N_TIMERS -> run timer (i); i++
    :: else -> break
    od
  }
}

/* Time passes when there is nothing to do; then nothing may be left to do. */
active proctype clock ()
{
  byte i;

  do
  :: timeout ->
       assert (gone || sleeping);
       assert (inbox + inbox_release + n_inbox + taken + taken_release == 0);
       assert (!DUE && !(wheel[1] && now >= 1) && !(wheel[2] && now >= 2) && !(wheel[3] && now >= 3));
       if
       :: now < 3 -> now++
       :: else -> break
       fi
  od;
  assert (n_run + n_dropped == N_ALL + n_own);
  assert (!TIMERS)
end_all_said:
  false
}
