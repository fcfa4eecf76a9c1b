/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A job that others know before its executor does: two of them end it, a worker starts it, while the thread that submits
 * it is being told that it is accepted, or refused.  It ends once; the executor counts what it accepted until it starts or
 * is dropped, once, and never what it refused.
 *
 * source: libasyncexec/executor/aex-core.c: aex_core_make_known, enqueue_job, aex_core_refuse
 * source: libasyncexec/pending/aex-pending-state.c: aex_pending_accepted, tell_dropped, cancel_queued, record_queued,
 *         aex_pending_claim
 *
 * correct: R10 correct
 * bug: R10 told-by-whoever-ends-it assert BUG_TOLD_BY_ANYBODY
 * bug: R10 looked-at-once-more assert BUG_LOOKS_AGAIN
 * bug: R10 accepted-without-a-look assert BUG_NO_LOOK
 * bug: R10 known-before-it-is-marked assert BUG_MARKED_LATE
 */
#include "common.pml"

mtype = { QUEUED, RUNNING, DONE };

mtype phase = QUEUED;
bool uncounted, known, in_queue;

/* ghosts */
int count;                          /* of the executor */
byte n_ended;
bool over;

#define TELL_DROPPED count--

/* aex_pending_cancel() or aex_pending_resolve(), by who found it among what a group or a manager knows */
proctype ender ()
{
  bool won, told;

  known;
  atomic {
    if
    :: phase == QUEUED -> phase = DONE; n_ended++; won = true; told = !uncounted
    :: else
    fi
  }
#ifdef BUG_TOLD_BY_ANYBODY
  told = true;
#endif
#ifdef BUG_LOOKS_AGAIN
  told = !uncounted;
#endif
  if :: won && told -> TELL_DROPPED :: else fi
}

active proctype worker ()
{
  bool won;

end_nothing_there:
  in_queue;
  atomic { if :: phase == QUEUED -> phase = RUNNING; n_ended++; won = true :: else fi }
  if :: won -> count-- :: else fi
}

active proctype submitter ()
{
  bool dropped;

#ifndef BUG_MARKED_LATE
  uncounted = true;
#endif
  known = true;
#ifdef BUG_MARKED_LATE
  uncounted = true;
#endif
  if
  :: true ->
       /* Accepted: counted, and to be found by a worker. */
       count++;
       in_queue = true;
       atomic { uncounted = false; dropped = phase == DONE };
#ifdef BUG_NO_LOOK
       dropped = false;
#endif
       if :: dropped -> TELL_DROPPED :: else fi
  :: true ->
       /* Refused: it stays uncounted, and ends here if it has not yet. */
       atomic { if :: phase == QUEUED -> phase = DONE; n_ended++ :: else fi }
  fi;
  over = true
}

init
{
  atomic { run ender (); run ender () }
}

active proctype quiet ()
{
  timeout;
  assert (over && n_ended == 1);
  assert (count == 0)
}
