/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a thread pool brings work and workers together: one queue, batches that can be stolen from, at most one worker that
 * looks for work, sleepers, threads that block and are replaced, threads that leave.  Each job runs once, a job that can
 * run while a worker is free does, and a pool that is shut down ends when all are done.
 *
 * source: libasyncexec/executor/aex-pool-core.c: pool_push, fair_share, worker_fill, aex_pool_take, steal_from,
 *         aex_pool_steal, aex_pool_has_work, pool_start_thread, aex_pool_want_worker, aex_pool_wake_all,
 *         aex_pool_check_stopped, aex_pool_check_stopped_unlocked, pool_accept, pool_submit, pool_job_event
 * source: libasyncexec/executor/aex-pool-worker.c: worker_run_batch, worker_is_surplus, worker_must_leave, worker_spin,
 *         worker_sleep, others_have_more, worker_find, worker_leave, aex_pool_run_worker, aex_pool_wait_begin,
 *         aex_pool_wait_end
 * source: libasyncexec/executor/aex-pool-shutdown.c: pool_untake, pool_pick_users, pool_drop_queued,
 *         aex_pool_shutdown
 * source: libasyncexec/pending/aex-pending-job.c: aex_job_entry_close, job_run
 *
 * correct: E6 correct N_SUBMITTERS=1 N_JOBS=4 MAX_WORKERS=2 N_SLOTS=2 SHUTDOWN
 * correct: X2 correct-none-waits-in-vain N_SUBMITTERS=1 N_JOBS=6 MAX_WORKERS=3 N_SLOTS=3 WARM HELD(j)=(j==0||j==5) KEY=1
 * correct: K55 correct-blocked-is-replaced N_SUBMITTERS=1 N_JOBS=3 MAX_WORKERS=1 N_SLOTS=3 BLOCKS(j)=(j==0) KEY=2 SHUTDOWN
 *      CLOSED_LAST
 * correct: E6 correct-idle-leave N_SUBMITTERS=2 N_JOBS=2 MAX_WORKERS=2 N_SLOTS=2 IDLE_ENDS SHUTDOWN
 * correct: E6 correct-queued-dropped N_SUBMITTERS=1 N_JOBS=3 MAX_WORKERS=2 N_SLOTS=2 SHUTDOWN DROPS
 * bug: X2 asleep-without-recheck assert N_SUBMITTERS=2 N_JOBS=2 MAX_WORKERS=1 N_SLOTS=1 BUG_SLEEP_UNCHECKED
 * bug: X2 search-never-over assert N_SUBMITTERS=2 N_JOBS=4 MAX_WORKERS=2 N_SLOTS=2 BUG_SEARCH_KEPT
 * bug: X2 word-not-passed-on assert N_SUBMITTERS=1 N_JOBS=3 MAX_WORKERS=2 N_SLOTS=2 HELD(j)=(j==0) KEY=1
 *      BUG_WORD_KEPT
 * bug: X2 stealable-overlooked assert N_SUBMITTERS=1 N_JOBS=6 MAX_WORKERS=3 N_SLOTS=3 WARM HELD(j)=(j==0||j==5)
 *      KEY=1 BUG_ONLY_QUEUE
 * bug: K55 batch-of-the-blocked-forgotten assert N_SUBMITTERS=1 N_JOBS=3 MAX_WORKERS=1 N_SLOTS=3 BLOCKS(j)=(j==0) KEY=2
 *      BUG_BATCH_FORGOTTEN
 * bug: E6 closed-unnoticed-by-sleepers assert N_SUBMITTERS=1 N_JOBS=1 MAX_WORKERS=2 N_SLOTS=2 SHUTDOWN BUG_NOBODY_WOKEN
 * bug: E6 leaves-before-it-counts assert N_SUBMITTERS=1 N_JOBS=2 MAX_WORKERS=1 N_SLOTS=1 IDLE_ENDS BUG_LEAVES_LATE
 *
 * All is done under the lock of the pool but popping, which is one compare-and-swap: batch.pml looks into that.  There is
 * one lane: that a job which moves to another counts while it is in none, claim.pml shows.  A worker's parker is a token,
 * see parker.pml.  What spins looks at the queue and learns nothing it would not see under the lock as well.
 */
#include "common.pml"

#ifndef HELD
# define HELD(j) false             /* jobs that wait for another, KEY, unknown to the pool */
#endif
#ifndef BLOCKS
# define BLOCKS(j) false           /* jobs that do so between wait_begin and wait_end */
#endif
#ifndef KEY
# define KEY 0
#endif
#define N_EACH (N_JOBS / N_SUBMITTERS)

mtype = { UNBORN, QUEUED, RUNNING, DONE, DROPPED };

mtype job[N_JOBS] = UNBORN;
byte n_submitted, n_refused;

/* guarded by the lock of the pool */
chan queue = [N_JOBS] of { byte };
bool parked[N_SLOTS], busy[N_SLOTS], alive[N_SLOTS];
byte n_threads, n_sleepers, n_blocked;
bool searching, stopped, dropping;
bool held;                          /* the lock, from one step of worker_find() to the next */

bool closed;                        /* atomic */
bool started[N_SLOTS];              /* ghost: the thread runs */
bool token[N_SLOTS];
byte batch[N_SLOTS * N_JOBS];       /* entries and range of a worker */
byte first[N_SLOTS], end[N_SLOTS];

#define TAKE_LOCK    !held -> held = true
#define WITH_LOCK    !held
#define ENDED(j)     (job[j] == DONE || job[j] == DROPPED)
#define HAS_WORK     (len (queue) > 0)
#define BEHIND(w)    (end[w] - first[w])
#define N_ACTIVE     (n_threads - n_sleepers - MIN (n_blocked, n_threads))
#define SURPLUS      (N_ACTIVE > MAX_WORKERS)
#define MUST_LEAVE   (stopped || (closed && !HAS_WORK) || SURPLUS)

/* ---- under the lock: each expands inside a step */

inline want_worker ()
{
  if
  :: searching || N_ACTIVE >= MAX_WORKERS
  :: else ->
       searching = true;
       if
       :: n_sleepers > 0 ->
            w = 0;
            do
            :: parked[w] -> break
            :: else -> w++
            od;
            parked[w] = false;
            n_sleepers--;
            token[w] = true
       :: else ->
            w = 0;
            do
            :: w < N_SLOTS && started[w] -> w++
            :: else -> break
            od;
            if
            :: w < N_SLOTS -> started[w] = true; n_threads++
            :: else -> searching = false
            fi
       fi;
       w = 0
  fi
}

inline others_have_more (result)
{
  result = false;
  if
  :: N_ACTIVE >= MAX_WORKERS
  :: else -> stealable (result)
  fi
}

/* Is there something behind what another worker runs? */
inline stealable (result)
{
  w = 0;
  do
  :: w < N_SLOTS ->
       if :: w != me && alive[w] && BEHIND (w) > 0 -> result = true :: else fi;
       w++
  :: else -> break
  od;
  w = 0
}

/* A fair share of the queue. */
inline take ()
{
  n = MAX (len (queue) / MAX (n_threads - MIN (n_blocked, n_threads), 1), 1);
  first[me] = 0;
  end[me] = 0;
  do
  :: end[me] < n -> queue ? batch[me * N_JOBS + end[me]]; end[me]++
  :: else -> break
  od;
  n = 0
}

/* The second half of somebody's batch. */
inline steal ()
{
  w = 0;
  do
  :: w < N_SLOTS && (w == me || !alive[w] || BEHIND (w) == 0) -> w++
  :: else -> break
  od;
  if
  :: w < N_SLOTS ->
       n = (BEHIND (w) + 1) / 2;
       end[w] = end[w] - n;
       first[me] = 0;
       end[me] = 0;
       do
       :: end[me] < n -> batch[me * N_JOBS + end[me]] = batch[w * N_JOBS + end[w] + end[me]]; end[me]++
       :: else -> break
       od
  :: else
  fi;
  n = 0;
  w = 0
}

inline check_stopped ()
{
  if
  :: stopped || !closed || dropping || HAS_WORK
  :: else ->
       stopped = true;
       w = 0;
       do
       :: w < N_SLOTS -> stopped = stopped && !(alive[w] && (BEHIND (w) > 0 || busy[w])); w++
       :: else -> break
       od;
       w = 0;
       do
       :: w < N_JOBS ->
            stopped = stopped && job[w] != RUNNING;
            w++
       :: else -> break
       od;
       w = 0;
       if :: stopped -> nothing_left () :: else fi
  fi
}

inline nothing_left ()
{
  do
  :: w < N_JOBS -> assert (job[w] != QUEUED && job[w] != RUNNING); w++
  :: else -> break
  od;
  w = 0
}

inline wake_all ()
{
  w = 0;
  do
  :: w < N_SLOTS ->
       if :: parked[w] -> parked[w] = false; n_sleepers--; token[w] = true :: else fi;
       w++
  :: else -> break
  od;
  w = 0
}

/* ---- others */

proctype submitter (byte from)
{
  byte j, w;

#ifdef WARM
  /* all at once, to threads that are there */
  atomic {
    WITH_LOCK && n_sleepers > 0;
    for (j : 0 .. N_JOBS - 1) { job[j] = QUEUED; queue ! j }
    n_submitted = N_JOBS;
    want_worker ();
    goto submitted
  }
#endif
  for (j : from .. from + N_EACH - 1) {
    atomic {
      WITH_LOCK;
      if
      :: closed -> n_refused++
      :: else ->
           if :: n_threads == 0 -> want_worker () :: else fi;
           job[j] = QUEUED;
           n_submitted++;
           queue ! j;
           want_worker ()
      fi
    }
  }
submitted:
  skip
}

/* What a worker has taken and not begun counts as queued; jobs end here, their entries still go through a worker. */
inline untake_and_drop ()
{
  atomic {
    WITH_LOCK;
    w = 0;
    do
    :: w < N_SLOTS && alive[w] && BEHIND (w) > 0 -> end[w]--; out ! batch[w * N_JOBS + end[w]]
    :: w < N_SLOTS && !(alive[w] && BEHIND (w) > 0) -> w++
    :: else -> break
    od;
    w = 0;
    do
    :: HAS_WORK -> queue ? j; out ! j
    :: else -> break
    od;
    j = 0;
    dropping = true
  }
  do
  :: atomic { out ? j -> if :: job[j] == QUEUED -> job[j] = DROPPED :: else fi }
     atomic { WITH_LOCK; check_stopped () }
     atomic {
       WITH_LOCK;
       if
       :: !stopped -> queue ! j; want_worker ()
       :: else                                     /* dropped by whoever posts it */
       fi
     }
  :: empty (out) -> break
  od;
  dropping = false
}

proctype closer ()
{
  byte w, j;
  chan out = [N_JOBS] of { byte };

#ifdef CLOSED_LAST
  n_submitted == N_JOBS;
#endif
  closed = true;
#ifdef DROPS
  untake_and_drop ();
#endif
#ifndef BUG_NOBODY_WOKEN
  atomic { WITH_LOCK; wake_all () }
  atomic { WITH_LOCK; check_stopped (); if :: stopped -> wake_all () :: else fi }
#endif
}

/* ---- a worker */

inline run_job ()
{
  atomic {
    if
    :: job[j] == QUEUED -> job[j] = RUNNING; claimed = true
    :: else -> assert (job[j] == DROPPED)           /* the entry of a job that will never run */
    fi
  }
  if
  :: claimed && HELD (j) -> ENDED (KEY)
  :: claimed && BLOCKS (j) ->
       atomic {
         WITH_LOCK;
         n_blocked++;
#ifdef BUG_BATCH_FORGOTTEN
         if :: HAS_WORK -> want_worker () :: else fi
#else
         others_have_more (more);
         if :: HAS_WORK || BEHIND (me) > 0 || more -> want_worker () :: else fi;
         more = false
#endif
       }
       ENDED (KEY);
       atomic { WITH_LOCK; n_blocked-- }
  :: else
  fi;
  if
  :: claimed ->
       job[j] = DONE;
       atomic { WITH_LOCK; if :: closed -> check_stopped (); if :: stopped -> wake_all () :: else fi :: else fi }
  :: else
  fi;
  claimed = false;
  j = 0
}

proctype worker (byte me)
{
  byte w, n, j;
  bool awake, more, claimed;

end_unborn:
  started[me];

  atomic { TAKE_LOCK; alive[me] = true; searching = false }

  /* worker_find(): the lock is held */
find:
  atomic { busy[me] = false; awake = true }
again:
  atomic {
    if
    :: !SURPLUS && HAS_WORK -> take ()
    :: !SURPLUS && !HAS_WORK -> steal ()
    :: else
    fi;
    if
    :: BEHIND (me) > 0 ->
#ifndef BUG_WORD_KEPT
         others_have_more (more);
         if :: HAS_WORK || BEHIND (me) > 1 || more -> want_worker () :: else fi;
         more = false;
#endif
         busy[me] = true;
         held = false;
         goto work
    :: else
    fi;
    if
    :: MUST_LEAVE || !awake -> goto leave
    :: else
    fi;
    if
    :: searching -> goto looked
    :: else -> searching = true; held = false
    fi
  }
  /* worker_spin(): without the lock, for however long it takes */
  atomic { TAKE_LOCK; searching = false }
looked:
  atomic {
#ifndef BUG_ONLY_QUEUE
    stealable (more);
#endif
    if
#ifndef BUG_SLEEP_UNCHECKED
    :: HAS_WORK || MUST_LEAVE || more -> more = false; goto again
#endif
    :: else -> more = false; parked[me] = true; n_sleepers++; held = false
    fi
  }
end_asleep:
  if
  :: atomic { token[me] -> token[me] = false; awake = true }
#ifdef IDLE_ENDS
  :: atomic { !token[me] -> awake = false }
#endif
  fi
  atomic {
    TAKE_LOCK;
    if
    :: parked[me] -> parked[me] = false; n_sleepers--
    :: else ->
#ifndef BUG_SEARCH_KEPT
         searching = false;
#endif
         awake = true
    fi
  }
  goto again;

work:
  do
  :: atomic { BEHIND (me) > 0 -> j = batch[me * N_JOBS + first[me]]; first[me]++ }
     run_job ()
  :: atomic { BEHIND (me) == 0 && !held -> held = true; goto find }
  od;

  /* worker_leave(): the lock is still held */
leave:
#ifdef BUG_LEAVES_LATE
  held = false;
  atomic { TAKE_LOCK }
#endif
  atomic {
    alive[me] = false;
    started[me] = false;
    token[me] = false;
    n_threads--;
#ifndef BUG_LEAVES_LATE
    if :: HAS_WORK -> want_worker () :: else fi;
#endif
    check_stopped ();
    held = false
  }
  goto end_unborn
}

init
{
  byte i;

  atomic {
#ifdef WARM
    for (i : 0 .. N_SLOTS - 1) { started[i] = true }
    n_threads = N_SLOTS;
#endif
    for (i : 0 .. N_SLOTS - 1) { run worker (i) }
    for (i : 0 .. N_SUBMITTERS - 1) { run submitter (i * N_EACH) }
#ifdef SHUTDOWN
    run closer ()
#endif
  }
}

active proctype quiet ()
{
  byte j;

  timeout;
  assert (n_submitted + n_refused == N_EACH * N_SUBMITTERS);
  for (j : 0 .. N_JOBS - 1) { assert (job[j] != QUEUED && job[j] != RUNNING) }
#ifdef SHUTDOWN
  assert (stopped && n_threads == 0)
#endif
}
