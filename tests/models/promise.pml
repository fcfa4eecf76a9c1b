/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A promise with a canceller: it is resolved, cancelled, and given cancellers, all at once.  It ends once.  Each canceller
 * is called or released, once; where it was refused it is never called; and when the promise was cancelled before its end,
 * somebody was told.
 *
 * source: libasyncexec/pending/aex-pending-cancel.c: aex_pending_set_canceller
 * source: libasyncexec/pending/aex-pending-state.c: call_canceller, after_cancel, cancel_once, aex_pending_record, settle,
 *         settle_from, note_done, final_phase
 *
 * correct: K52 correct SETTERS=2
 * correct: K47 correct-without-canceller SETTERS=0
 * bug: K52 bit-before-canceller assert SETTERS=1 BUG_BIT_FIRST
 * bug: K52 refused-and-called assert SETTERS=2 BUG_REFUSED_AND_CALLED
 * bug: K52 not-taken-back assert SETTERS=1 BUG_NOT_TAKEN_BACK
 * bug: K47 cancel-overtakes-the-writer assert SETTERS=0 BUG_CANCEL_IGNORES_WRITER
 */
#include "common.pml"

mtype = { RUNNING, RESOLVED, CANCELLED };

mtype phase = RUNNING;
bool cancel, has_canceller, rec;
byte canceller;                     /* guarded by the lock; 0: none */

/* ghosts */
byte n_done, n_called[3], n_released[3];
bool accepted[3], refused, acted, written, recorded, cancel_true;

#ifdef BUG_CANCEL_IGNORES_WRITER
# define NOBODY_WRITES true
#else
# define NOBODY_WRITES (!rec)
#endif
#define IS_DONE (phase != RUNNING)

inline take_canceller (what)
{
  atomic { what = canceller; canceller = 0 }
}

inline release (what)
{
  if :: what != 0 -> n_released[what]++; what = 0 :: else fi
}

inline note_done ()
{
  take_canceller (found);
  release (found)
}

/* aex_pending_record() of a promise */
inline record ()
{
  atomic { if :: !IS_DONE && !rec -> rec = true; won = true :: else fi }
  if
  :: won ->
       written = true;
       atomic {
         phase = (cancel -> CANCELLED : RESOLVED);
         n_done++;
         assert (n_done == 1)
       }
       note_done ()
  :: else
  fi
}

active proctype resolver ()
{
  bool won;
  byte found;

  record ();
  recorded = won
}

/* What is called, or refused, ends the promise. */
active proctype behind ()
{
  bool won;
  byte found;

end_nobody_asked:
  n_called[1] + n_called[2] > 0 || refused;
  record ()
}

active proctype who_cancels ()
{
  bool done;
  byte found;

  atomic {
    if
    :: IS_DONE -> cancel_true = phase == CANCELLED
    :: !IS_DONE && has_canceller && !rec -> cancel = true; cancel_true = true; acted = true
    :: !IS_DONE && !has_canceller && NOBODY_WRITES -> phase = CANCELLED; n_done++; assert (n_done == 1); done = true; cancel_true = true
    :: else
    fi
  }
  if :: done -> note_done () :: else fi;
  if
  :: acted ->
       take_canceller (found);
       if :: found != 0 -> n_called[found]++; n_released[found]++ :: else fi
  :: else
  fi
}

proctype setter (byte id)
{
  byte found;
  bool in_place, was_cancelled;

#ifdef BUG_BIT_FIRST
  atomic { if :: !IS_DONE && !cancel -> has_canceller = true; in_place = true :: else -> was_cancelled = cancel fi }
#endif
  atomic { found = canceller; canceller = id }
  release (found);
#ifndef BUG_BIT_FIRST
  atomic { if :: !IS_DONE && !cancel -> has_canceller = true; in_place = true :: else -> was_cancelled = cancel fi }
#endif
  if
  :: in_place -> accepted[id] = true
  :: else ->
#ifndef BUG_NOT_TAKEN_BACK
       take_canceller (found);
#endif
#ifndef BUG_REFUSED_AND_CALLED
       /* Who cancelled has it already: it is called. */
       if
       :: found == 0 && was_cancelled -> accepted[id] = true
       :: else -> refused = true
       fi;
#else
       refused = true;
#endif
       release (found)
  fi
}

init
{
  atomic {
#if SETTERS >= 1
    run setter (1);
#endif
#if SETTERS >= 2
    run setter (2);
#endif
    skip
  }
}

active proctype quiet ()
{
  byte i;

  timeout;
  assert (n_done == 1);
  i = 1;
  do
  :: i <= SETTERS ->
       assert (n_released[i] == 1 && n_called[i] <= 1);
       assert (accepted[i] || n_called[i] == 0);
       i++
  :: else -> break
  od;
  assert (!acted || n_called[1] + n_called[2] > 0 || refused || recorded);
  assert (!cancel_true || phase == CANCELLED);
  assert (phase != CANCELLED || cancel_true)
}
