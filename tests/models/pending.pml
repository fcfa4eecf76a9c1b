/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One pending that is a job: a worker comes to its entry, or a waiter claims it; others record an outcome, cancel it, let
 * its time run out, attach callbacks, and block; a shutdown drops its entry, and may cancel what runs.  It ends once, as
 * those were told who asked; its function runs once or never, and is told when it is cancelled; what runs is cancelled only
 * where that was asked for; each waiter is told once, in order; the executor counts it right; its closure is released once,
 * before the end.
 *
 * source: libasyncexec/pending/aex-pending-state.c: tell_executor, note_done, aex_pending_claim, final_phase, settle,
 *         settle_from, write_outcome, function_ended, record_queued, aex_pending_record, aex_pending_function_done,
 *         cancel_queued, after_cancel, cancel_once, aex_pending_cancel_as
 * source: libasyncexec/pending/aex-pending-job.c: aex_pending_release_closure, aex_pending_interrupt, record_return,
 *         forget_frame, aex_pending_run_claimed, release_if_dead, job_run, job_drop, aex_job_entry_close, aex_frame_push,
 *         aex_frame_pop
 * source: libasyncexec/pending/aex-pending-waiters.c: take_waiters, tell_waiters, aex_pending_attach, aex_pending_detach
 * source: libasyncexec/pending/aex-pending-wait.c: wait_begin, wait_block, wait_end
 * source: libasyncexec/executor/aex-pool-shutdown.c: pool_drop_queued, aex_pool_shutdown
 * source: libasyncexec/executor/aex-pool-core.c: pool_job_started
 * source: libasyncexec/executor/aex-core.c: aex_run_slots_collect, aex_core_cancel_late, aex_core_cancel_all
 *
 * correct: P1 correct RECORDER CANCELLERS=1
 * correct: P18 correct-cancelled-twice CANCELLERS=2
 * correct: K56 correct-waiters CANCELLERS=1 WAITERS BLOCKER
 * correct: K44 correct-all-at-once RECORDER CANCELLERS=1 BLOCKER
 * correct: E6 correct-shut-down RECORDER CANCELLERS=1 SHUTDOWN
 * correct: E6 correct-shut-down-while-it-runs CANCELLERS=0 SHUTDOWN UNTIL_CANCELLED
 * correct: X3 correct-told-of-cancellation CANCELLERS=1 UNTIL_CANCELLED
 * bug: P18 start-without-claim assert CANCELLERS=1 BUG_START_UNCLAIMED
 * bug: K47 recorded-in-two-steps assert RECORDER CANCELLERS=0 BUG_RECORD_UNCOMPARED
 * bug: I1 return-does-not-wait-for-the-writer assert RECORDER CANCELLERS=0 BUG_RETURN_IGNORED
 * bug: K44 attached-without-recheck assert CANCELLERS=0 WAITERS BUG_ATTACH_UNCHECKED
 * bug: K56 two-deliver assert CANCELLERS=0 WAITERS BUG_TWO_DELIVER
 * bug: E6 dropped-though-it-runs assert CANCELLERS=0 SHUTDOWN BUG_DROP_ANYWAY
 * bug: E6 dropped-in-silence assert RECORDER CANCELLERS=0 SHUTDOWN BUG_DROP_SILENT
 * bug: E6 closed-uncompared assert RECORDER CANCELLERS=0 SHUTDOWN BUG_DROP_UNCOMPARED
 * bug: E6 closed-though-it-runs assert CANCELLERS=0 SHUTDOWN BUG_CLOSE_WHAT_RUNS
 * bug: E6 late-start-goes-on assert CANCELLERS=0 SHUTDOWN UNTIL_CANCELLED BUG_LATE_UNTOLD
 * bug: E6 among-what-runs-last assert CANCELLERS=0 SHUTDOWN UNTIL_CANCELLED BUG_SLOT_LAST
 * bug: X3 frame-published-last assert CANCELLERS=1 BUG_FRAME_LAST
 * bug: X3 frame-forgotten-without-lock assert CANCELLERS=1 BUG_FRAME_UNLOCKED
 * bug: X3 cancelled-before-frame assert CANCELLERS=1 UNTIL_CANCELLED BUG_FRAME_UNCHECKED
 *
 * Left out: coroutines and whatever follows another pending, scopes, notifications, that a refused cancellation is noted,
 * what is let go of in note_done(), and that a tracker alone is told without AEX_BIT_DELIVER, as no order is promised to it.  The generation is in claim.pml, cancellers of promises are in promise.pml.
 */
#include "common.pml"

mtype = { QUEUED, RUNNING, RESOLVED, REJECTED, CANCELLED };
mtype = { CLOSURE, FRAME, NOTHING };
mtype = { EXPLICIT, TIMEOUT, ONLY_QUEUED, DROP, CLOSED };

#define BLOCK 3                     /* the waiter of a thread */

/* the word of the state */
mtype phase = QUEUED;
bool cancel, timed_out, rec, recd, ret, wait, started, deliver, closed;

bool mutex;                         /* guards the list, and the frame while it is looked at */
chan list = [4] of { byte };        /* the oldest first */

mtype data = CLOSURE;
bool func_gone;
bool entry_taken;                   /* out of the queue: by the worker, or by a shutdown */
bool frame_alive, frame_cancelled;
bool everything;                    /* what runs is cancelled too: the flags of the shutdown */
bool in_slot;                       /* among what runs */
byte outcome;                       /* 1: the worker's, 2: the recorder's */
bool token;                         /* of the parker of the thread that blocks */

/* ghosts */
bool writing, function_runs, blocker_gone, recorded;
byte n_done, n_calls, n_released, n_started, n_finished, n_dropped;
byte n_told[3];
bool cancel_said, timeout_said;     /* what who asked was told */
bool stop_said;                     /* somebody wanted what runs to be cancelled */
bool late;                          /* it started when everything was to be cancelled */

#define IS_DONE (phase == RESOLVED || phase == REJECTED || phase == CANCELLED)

inline tell_waiters ()
{
  LOCK (mutex);
  if
#ifndef BUG_TWO_DELIVER
  :: deliver
#endif
  :: else ->
       deliver = true;
       do
       :: atomic {
            nempty (list) ->
            do
            :: list ? waiter ->
                 if
                 :: waiter == BLOCK -> assert (!blocker_gone); token = true
                 :: else -> mine ! waiter
                 fi
            :: empty (list) -> break
            od;
            waiter = 0
          }
          UNLOCK (mutex);
          do
          :: atomic {
               mine ? waiter ->
               assert (IS_DONE);
               n_told[waiter]++;
               assert (n_told[waiter] == 1 && !(waiter == 1 && n_told[2] > 0));
               waiter = 0
             }
          :: empty (mine) -> break
          od;
          LOCK (mutex)
       :: empty (list) -> break
       od;
       deliver = false
  fi;
  UNLOCK (mutex)
}

inline now_done (to)
{
  phase = to;
  n_done++;
  assert (n_done == 1 && !function_runs && !writing)
}

inline settle ()
{
  if :: is_job -> n_finished++ :: else fi;
  atomic {
    assert (!IS_DONE && outcome != 0 && (!is_job || n_released == 1));
    if
    :: cancel -> now_done (CANCELLED)
    :: !cancel && timed_out -> now_done (REJECTED)
    :: else -> now_done (RESOLVED)
    fi;
    tells = wait
  }
  if :: tells -> tell_waiters () :: else fi
}

inline write_outcome (who)
{
  writing = true;
  outcome = who;
  writing = false
}

/* By the function itself, on its own thread. */
inline record_mine ()
{
  atomic {
    if
    :: IS_DONE || rec || cancel || timed_out
    :: else -> rec = true; recd = true; won = true
    fi
  }
  if :: won -> write_outcome (1) :: else fi;
  won = false
}

proctype recorder ()
{
  bool won, is_job, tells, dropped;
  byte waiter;
  chan mine = [3] of { byte };

#ifdef BUG_RECORD_UNCOMPARED
  if :: IS_DONE || rec -> goto lost :: else fi;
#endif
  atomic {
    if
#ifndef BUG_RECORD_UNCOMPARED
    :: IS_DONE || rec
#endif
    :: (cancel || timed_out) && started
    :: else ->
         won = true;
         rec = true;
         is_job = started;
         if :: phase == QUEUED -> phase = RUNNING; dropped = true :: else fi
    fi
  }
  if :: dropped -> n_dropped++ :: else fi;
  if
  :: won ->
       recorded = true;
       assert (!writing);
       write_outcome (2);
       if
       :: is_job -> atomic { recd = true; won = ret }
       :: else
       fi;
       if :: won -> settle () :: else fi
  :: else
  fi;
lost:
  skip
}

/* ---- cancel */

inline interrupt ()
{
  LOCK (mutex);
  frame = NOTHING;
  if :: func_gone -> frame = data :: else fi;
  if
  :: frame != NOTHING ->
       assert (frame == FRAME && frame_alive);
       frame_cancelled = true
  :: else
  fi;
  UNLOCK (mutex)
}

inline cancel_as ()
{
  atomic {
    tells = false;
    done = false;
    acted = false;
    result = false;
    queued = false;
    if
    :: (kind == ONLY_QUEUED || kind == DROP) && phase != QUEUED
    :: IS_DONE -> result = phase == CANCELLED
    :: !IS_DONE && (cancel || timed_out) -> result = cancel
    :: else ->
         if
         :: phase == QUEUED || (!started && !rec) ->
              queued = phase == QUEUED;
              if
              :: kind == TIMEOUT -> timed_out = true; now_done (REJECTED)
              :: else -> closed = kind == DROP || kind == CLOSED; now_done (CANCELLED)
              fi;
              tells = wait;
              acted = true;
              done = true
         :: phase == RUNNING && started ->
              if :: kind == TIMEOUT -> timed_out = true :: else -> cancel = true fi;
              stop_said = stop_said || kind == EXPLICIT;
              acted = true
         :: phase == RUNNING && !started && rec
         fi;
         result = acted
    fi;
    if
    :: result && (kind != TIMEOUT || !acted) -> cancel_said = true
    :: result && kind == TIMEOUT && acted -> timeout_said = true
    :: else
    fi
  }
  if :: queued -> n_dropped++ :: else fi;
  if :: acted && !done -> interrupt () :: else fi;
  if :: done && tells -> tell_waiters () :: else fi
}

proctype canceller ()
{
  mtype kind, frame;
  bool tells, done, acted, result, queued;
  byte waiter;
  chan mine = [3] of { byte };

#ifdef UNTIL_CANCELLED
  kind = EXPLICIT;
#else
  if
  :: kind = EXPLICIT
  :: kind = TIMEOUT
  :: kind = ONLY_QUEUED
  fi;
#endif
  cancel_as ()
}

/* What is queued ends with its entry, which goes through a worker still: he releases the closure.  Who starts afterwards
 * looks for himself whether everything is to be cancelled. */
proctype shutdown ()
{
  mtype kind, frame;
  bool tells, done, acted, result, queued, taken;
  byte waiter;
  chan mine = [3] of { byte };

#ifdef UNTIL_CANCELLED
  everything = true;
#else
  if
  :: everything = true
  :: true
  fi;
#endif
  atomic { if :: !entry_taken -> entry_taken = true; taken = true :: else fi }
#ifdef BUG_CLOSE_WHAT_RUNS
  kind = CLOSED;
#else
  kind = DROP;
#endif
  if
#ifdef BUG_DROP_UNCOMPARED
  :: taken && phase == QUEUED ->
       n_dropped++;
       phase = CANCELLED;
       cancel_said = true;
       n_done++;
       if :: wait -> tell_waiters () :: else fi
#elif !defined BUG_DROP_SILENT
  :: taken -> cancel_as ()
#endif
  :: else
  fi;
#ifdef BUG_DROP_ANYWAY
  if :: taken -> n_released++ :: else fi;
#else
  if :: taken && !started -> n_released++ :: else fi;
#endif
  kind = EXPLICIT;
  if :: everything && in_slot -> cancel_as () :: else fi
}

/* ---- the worker */

inline call_function ()
{
  function_runs = true;
  n_calls++;
  assert (n_calls == 1 && !IS_DONE);
#ifdef UNTIL_CANCELLED
  frame_cancelled;
#endif
  if
  :: record_mine ()
  :: true
  fi;
  function_runs = false
}

inline run_claimed ()
{
  frame_alive = true;
#ifdef BUG_FRAME_LAST
  func_gone = true;
  data = FRAME;
#else
  data = FRAME;
  func_gone = true;
#endif
#ifndef BUG_FRAME_UNCHECKED
  if :: cancel || timed_out -> frame_cancelled = true :: else fi;
#endif
  call_function ();
  n_released++;
  /* forget_frame() */
  data = NOTHING;
#ifndef BUG_FRAME_UNLOCKED
  if :: cancel || timed_out -> LOCK (mutex); UNLOCK (mutex) :: else fi;
#endif
  if :: !rec -> record_mine () :: else fi;
  frame_alive = false;
  /* aex_pending_function_done() */
  atomic {
    if
#ifndef BUG_RETURN_IGNORED
    :: rec && !recd -> ret = true
#endif
    :: else ->
         if :: outcome == 0 -> assert (cancel || timed_out || rec); outcome = 1 :: else fi;
         is_job = true
    fi
  }
  if :: is_job -> settle () :: else fi
}

/* pool_job_started() */
inline note_started ()
{
  n_started++;
#ifdef SHUTDOWN
# ifndef BUG_SLOT_LAST
  in_slot = true;
# endif
# ifndef BUG_LATE_UNTOLD
  if :: everything -> cancel_as () :: else fi;
# endif
  in_slot = true
#endif
}

proctype worker ()
{
  mtype kind = EXPLICIT, frame;
  bool won, is_job, tells, claimed, done, acted, result, queued, mine_is_the_entry = true;
  byte waiter;
  chan mine = [3] of { byte };

#ifdef SHUTDOWN
  /* Without the entry it is a waiter, who claims what is queued wherever that is. */
  atomic {
    if
    :: !entry_taken -> entry_taken = true
    :: mine_is_the_entry = false
    fi
  }
#endif
#ifdef BUG_START_UNCLAIMED
  if
  :: phase == QUEUED -> claimed = true; phase = RUNNING; started = true
  :: else
  fi;
#else
  atomic {
    if
    :: phase == QUEUED -> claimed = true; phase = RUNNING; started = true; late = everything
    :: else
    fi
  }
#endif
  if
  :: claimed -> note_started (); run_claimed (); in_slot = false
  :: else -> if :: mine_is_the_entry && !started -> n_released++ :: else fi
  fi
}

/* ---- waiters */

inline attach (id)
{
#ifdef BUG_ATTACH_UNCHECKED
  already = IS_DONE;
#endif
  LOCK (mutex);
  list ! id;
#ifdef BUG_ATTACH_UNCHECKED
  wait = true;
#else
  atomic { already = IS_DONE; wait = true }
#endif
  UNLOCK (mutex);
  if :: already -> tell_waiters () :: else fi
}

proctype attacher ()
{
  bool already;
  byte waiter, id;
  chan mine = [3] of { byte };

  for (id : 1 .. 2) { attach (id) }
}

proctype blocker ()
{
  bool already;
  byte waiter, n;
  chan mine = [3] of { byte };

  attach (BLOCK);
  do
  :: IS_DONE -> break
  :: else -> atomic { token -> token = false }
  od;
  LOCK (mutex);
  atomic {
    n = len (list);
    do
    :: n > 0 -> list ? waiter; n--; if :: waiter != BLOCK -> list ! waiter :: else fi
    :: else -> break
    od;
    waiter = 0;
    blocker_gone = true
  }
  UNLOCK (mutex)
}

init
{
  atomic {
    run worker ();
#ifdef RECORDER
    run recorder ();
#endif
#if CANCELLERS >= 1
    run canceller ();
#endif
#if CANCELLERS >= 2
    run canceller ();
#endif
#ifdef WAITERS
    run attacher ();
#endif
#ifdef BLOCKER
    run blocker ();
#endif
#ifdef SHUTDOWN
    run shutdown ();
#endif
    skip
  }
}

active proctype quiet ()
{
  timeout;
  assert (n_done == 1 && n_released == 1);
  assert (n_started + n_dropped == 1 && n_finished == n_started && n_calls == n_started);
  assert (!(cancel && timed_out));
  assert (!cancel_said || phase == CANCELLED);
  assert (!timeout_said || phase == REJECTED);
  assert (phase != CANCELLED || cancel_said);
  assert (!cancel || stop_said);
  assert (!closed || (phase == CANCELLED && n_calls == 0));
  assert (!late || phase != RESOLVED);
  assert (!(recorded && phase == RESOLVED) || outcome == 2);
#ifdef WAITERS
  assert (n_told[1] == 1 && n_told[2] == 1);
#endif
#ifdef BLOCKER
  assert (blocker_gone)
#endif
}
