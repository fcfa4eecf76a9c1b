/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One queued job and those who want it: the worker that comes to its entry, a waiter that runs it on its own stack, who
 * moves it to another lane (the old entry loses its validity), who cancels it, and who shuts the pool down.  Its function
 * runs once or never, never from an entry that is not the valid one; its closure is released once; a pool that says that it
 * has stopped has no job left.
 *
 * source: libasyncexec/pending/aex-pending-state.c: aex_pending_claim, aex_pending_claim_any, cancel_queued, tell_executor
 * source: libasyncexec/pending/aex-pending-job.c: job_run, release_if_dead, aex_pending_release_closure
 * source: libasyncexec/pending/aex-pending-cancel.c: aex_pending_set_priority
 * source: libasyncexec/pending/aex-wait-graph.c: claim_awaited, aex_pending_claim_for_wait
 * source: libasyncexec/executor/aex-pool-core.c: pool_requeue, pool_may_claim, pool_job_event, aex_pool_check_stopped
 *
 * correct: P18 correct WAITER CANCELLER MOVERS=1
 * correct: P18 correct-generation-comes-round WAITER MOVERS=3
 * correct: E6 correct-shutdown WAITER CANCELLER SHUTDOWN
 * correct: E6 correct-shutdown-while-one-moves WAITER CANCELLER MOVERS=1 SHUTDOWN
 * bug: P18 start-without-claim assert WAITER MOVERS=0 BUG_UNCLAIMED
 * bug: P18 any-entry-starts-it assert MOVERS=1 BUG_NO_GENERATION
 * bug: P18 closure-released-by-each-entry assert CANCELLER MOVERS=2 BUG_RELEASED_TWICE
 * bug: E6 stopped-while-one-runs assert SHUTDOWN BUG_ONLY_ENTRIES
 * bug: E6 stopped-while-one-moves assert MOVERS=1 SHUTDOWN BUG_ONLY_WHAT_IS_SEEN
 *
 * While a job moves to another lane there is a moment when it is no entry and does not run: so a pool also counts what it
 * has accepted and has neither started nor dropped.
 *
 * Here a thread comes for each entry that was moved.  Where none can be had, the entry is dropped: pending.pml shows that.
 *
 * The generation has one bit here and eight there, so that it comes round.
 */
#include "common.pml"

#ifndef MOVERS
# define MOVERS 0
#endif

#ifdef BUG_NO_GENERATION
# define IS_VALID(entry) true
#else
# define IS_VALID(entry) (generation == entry)
#endif
#ifdef BUG_ONLY_ENTRIES
# define NOTHING_RUNS    true
#else
# define NOTHING_RUNS    (n_busy == 0 && phase != RUNNING)
#endif
#if defined BUG_ONLY_ENTRIES || defined BUG_ONLY_WHAT_IS_SEEN
# define NOTHING_WAITS   true
#else
# define NOTHING_WAITS   (phase != QUEUED)
#endif

mtype = { QUEUED, RUNNING, DONE, CANCELLED };

mtype phase = QUEUED;
bool generation;
bool started;
bool has_closure = true;
bool closed, stopped;
bool submitted;                     /* ghost */
chan queue = [4] of { bool };       /* guarded by the lock of the pool: the generations of entries */

byte n_moves, n_calls, n_released, n_busy;   /* ghost */

/* Nothing is queued, and nothing runs. */
inline check_stopped ()
{
  if
  :: closed && !stopped && len (queue) == 0 && NOTHING_RUNS && NOTHING_WAITS ->
       stopped = true;
       assert (phase == DONE || phase == CANCELLED)
  :: else
  fi
}

inline release_closure ()
{
#ifdef BUG_RELEASED_TWICE
  n_released++
#else
  atomic { if :: has_closure -> has_closure = false; n_released++ :: else fi }
#endif
}

inline run_claimed ()
{
  n_calls++;
  assert (n_calls == 1);
  release_closure ();
  atomic { phase = DONE; check_stopped () }
}

/* Takes entries as they come. */
active proctype worker ()
{
  bool entry, claimed, dead;

end_nothing_queued:
  do
  :: atomic { queue ? entry; n_busy++ }
     claimed = false;
#ifdef BUG_UNCLAIMED
     if
     :: phase == QUEUED -> claimed = true
     :: else
     fi;
     if
     :: claimed -> started = true; phase = RUNNING
     :: else
     fi;
#else
     atomic {
       if
       :: phase == QUEUED && IS_VALID (entry) -> claimed = true; started = true; phase = RUNNING; assert (generation == entry)
       :: else
       fi
     }
#endif
     if
     :: claimed -> run_claimed ()
     :: else ->
          atomic { dead = !started && generation == entry && phase != QUEUED }
          if :: dead -> release_closure () :: else fi
     fi;
     atomic { n_busy--; check_stopped () }
  od
}

#ifdef WAITER
/* Whoever waits for it claims it, whatever the entry: with the generation that it has seen. */
active proctype waiter ()
{
  bool seen, queued, claimed;

  atomic { queued = phase == QUEUED; seen = generation }
  if
  :: queued ->
#ifdef BUG_UNCLAIMED
       claimed = true;
       started = true;
       phase = RUNNING;
#else
       atomic {
         if
         :: phase == QUEUED && generation == seen -> claimed = true; started = true; phase = RUNNING
         :: else
         fi
       }
#endif
       if :: claimed -> run_claimed () :: else fi
  :: else
  fi
}
#endif

#ifdef CANCELLER
active proctype canceller ()
{
  bool dropped;

  atomic { if :: phase == QUEUED -> phase = CANCELLED; dropped = true :: else fi }
  if :: dropped -> atomic { check_stopped () } :: else fi
}
#endif

#if MOVERS > 0
active proctype mover ()
{
  bool mine, moved;

  do
  :: n_moves < MOVERS ->
       n_moves++;
       atomic {
         moved = phase == QUEUED;
         if :: moved -> generation = !generation; mine = generation :: else fi
       }
       if :: moved -> queue ! mine :: else fi
  :: else -> break
  od
}
#endif

#ifdef SHUTDOWN
active proctype closer ()
{
  submitted;
  closed = true;
  atomic { check_stopped () }
}
#endif

init { atomic { queue ! false; submitted = true } }

active proctype quiet ()
{
  timeout;
  assert (phase == DONE || phase == CANCELLED);
  assert (n_released == 1 && n_calls <= 1);
  assert ((n_calls == 1) == (phase == DONE));
  assert (!closed || stopped)
}
