/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A stream that is pushed into, with room for one item: threads push and may take back what waits for room, the consumer asks
 * and may give up what he asked for, and reads without asking; the stream is ended or closed meanwhile.  Each item is handed
 * out once, in order, or taken back, or left over; who pushes and who asks gets an answer; nobody waits beside what he waits
 * for.
 *
 * source: libasyncexec/pending/aex-pending-stream.c: stream_take, stream_put_back, stream_after_take, request_answer,
 *         aex_pending_stream_pump, aex_pending_stream_next, aex_pending_stream_next_sync, aex_pending_stream_close
 * source: libasyncexec/pending/aex-pending-stream-producer.c: pop_push, push_accepted, accept_push, has_room, stream_push,
 *         aex_stream_push_refuse, aex_pending_stream_end
 * source: libasyncexec/pending/aex-stream-buffer.c: aex_stream_ring_put, aex_stream_ring_put_back, aex_stream_ring_has_next
 * source: libasyncexec/pending/aex-pending-state.c: aex_pending_reserve, aex_pending_fulfil
 *
 * correct: K70 correct N_REQUESTS=2 GIVES_UP
 * correct: K70 correct-read N_REQUESTS=1 READS
 * correct: K70 correct-ended N_REQUESTS=3 ENDS
 * correct: K70 correct-ended-and-read N_REQUESTS=1 READS ENDS
 * correct: P24 correct-closed N_REQUESTS=2 CLOSES GIVES_UP
 * correct: K70 correct-taken-back N_REQUESTS=2 TAKES_BACK
 * bug: K70 asked-while-taken assert N_REQUESTS=1 READS BUG_READ_DOES_NOT_PUMP
 * bug: K70 taken-back-and-handed-out assert N_REQUESTS=2 TAKES_BACK BUG_NOT_RESERVED
 * bug: K70 pump-left-without-recheck assert N_REQUESTS=2 BUG_PUMP_UNCHECKED
 * bug: K70 item-of-who-gave-up-lost assert N_REQUESTS=2 GIVES_UP BUG_NOT_PUT_BACK
 * bug: P24 pushed-after-close assert N_REQUESTS=0 CLOSES BUG_CLOSED_UNCHECKED
 * bug: K70 end-before-pushes-that-wait assert N_REQUESTS=1 READS ENDS BUG_END_OVERTAKES
 *
 * All under the lock is one step, and callbacks come when it is gone.  Errors and maps, which start items when there is
 * room, are left out.
 */
#include "common.pml"

#define N_PUSHES 2

mtype = { WAITING, RESERVED, ANSWERED, GONE };      /* of a pending: GONE is cancelled */

/* guarded by the lock */
chan ring = [4] of { byte };
chan pushes = [N_PUSHES] of { byte };
chan nexts = [4] of { byte };
bool pumping, ended, closed;

mtype push[N_PUSHES + 1] = WAITING;
mtype request[N_REQUESTS + 1] = WAITING;

byte n_handed[N_PUSHES + 1], n_left[N_PUSHES + 1];  /* ghosts */
byte last_handed, n_asked, n_pushed;
bool end_said;

#ifdef BUG_PUMP_UNCHECKED
# define LEAVE_PUMP skip
#else
# define LEAVE_PUMP pumping = false
#endif
#ifdef BUG_END_OVERTAKES
# define ENDED ended
#else
# define ENDED (ended && len (pushes) == 0)
#endif
#define MAY_PUSH   (len (pushes) == 0 && (len (ring) < 1 || len (nexts) > 0))

inline handed (id)
{
  n_handed[id]++;
  assert (n_handed[id] == 1 && id > last_handed && push[id] != GONE);
  last_handed = id
}

/* A push that waits gets its place if there is one, or because the stream ends, but not one that was taken back. */
inline accept_push (at_end)
{
  atomic {
    id = 0;
    do
    :: len (pushes) > 0 && (at_end || len (ring) < 1) ->
         pushes ? id;
         if
         :: push[id] == GONE -> n_left[id]++; id = 0
         :: else ->
#ifndef BUG_NOT_RESERVED
              push[id] = RESERVED;
#endif
              ring ! id;
              break
         fi
    :: else -> break
    od
  }
  if
  :: id != 0 -> atomic { if :: push[id] != GONE -> push[id] = ANSWERED :: else fi }
  :: else
  fi
}

inline pump ()
{
  atomic { if :: pumping -> pumps = false :: else -> pumping = true; pumps = true fi }
  do
  :: pumps ->
       atomic {
         item = 0;
         asked = 0;
         if
         :: len (nexts) > 0 && closed -> nexts ? asked
         :: len (nexts) > 0 && !closed && len (ring) > 0 -> nexts ? asked; ring ? item
         :: len (nexts) > 0 && !closed && len (ring) == 0 && ENDED -> nexts ? asked
         :: else -> LEAVE_PUMP
         fi
       }
#ifdef BUG_PUMP_UNCHECKED
       if :: asked == 0 -> pumping = false :: else fi;
#endif
       if :: asked == 0 -> break :: else fi;
       atomic {
         taken = request[asked] == WAITING;
         if
         :: taken && item != 0 -> request[asked] = ANSWERED; handed (item)
         :: taken && item == 0 -> request[asked] = ANSWERED; end_said = true
         :: else
         fi
       }
       if
       :: !taken && item != 0 ->
            /* it goes back to its place */
            atomic {
#ifndef BUG_NOT_PUT_BACK
              if
              :: closed -> n_left[item]++
              :: else ->
                   n = len (ring);
                   ring ! item;
                   do
                   :: n > 0 -> ring ? id; ring ! id; n--
                   :: else -> break
                   od
              fi
#else
              skip
#endif
            }
       :: taken && item != 0 -> accept_push (false)
       :: else
       fi
  :: else -> break
  od
}

active proctype pusher ()
{
  byte me, id, item, asked, n;
  bool pumps, taken, placed;

  for (me : 1 .. N_PUSHES) {
    atomic {
      placed = false;
      if
#ifdef BUG_CLOSED_UNCHECKED
      :: ended && !closed -> push[me] = GONE; n_left[me]++
      :: (!ended || closed) && MAY_PUSH -> ring ! me; placed = true
      :: (!ended || closed) && !MAY_PUSH -> pushes ! me
#else
      :: ended || closed -> push[me] = GONE; n_left[me]++
      :: !ended && !closed && MAY_PUSH -> ring ! me; placed = true
      :: !ended && !closed && !MAY_PUSH -> pushes ! me
#endif
      fi
    }
    if
    :: placed -> push[me] = ANSWERED; pump ()
    :: else
    fi;
    n_pushed++
  }
}

#ifdef TAKES_BACK
active proctype taker_back ()
{
  /* cancels the pending of a push that it has been given */
  n_pushed == N_PUSHES;
  atomic { if :: push[N_PUSHES] == WAITING -> push[N_PUSHES] = GONE :: else fi }
}
#endif

active proctype asker ()
{
  byte me, id, item, asked, n;
  bool pumps, taken;

  me = 1;
  do
  :: me <= N_REQUESTS ->
       atomic { nexts ! me; n_asked++ }
       pump ();
       me++
  :: else -> break
  od
}

#ifdef GIVES_UP
active proctype giver_up ()
{
  atomic { n_asked > 0; if :: request[1] == WAITING -> request[1] = GONE :: else fi }
}
#endif

#ifdef READS
/* aex_pending_stream_next_sync(), when nobody has asked: the consumer has two threads here. */
active proctype reader ()
{
  byte id, item, asked, n;
  bool pumps, taken;

  atomic {
    if
    :: len (nexts) == 0 && !pumping && !closed && len (ring) > 0 -> ring ? item; handed (item)
    :: else
    fi
  }
  if
  :: item != 0 ->
       accept_push (false);
#ifndef BUG_READ_DOES_NOT_PUMP
       pump ()
#endif
  :: else
  fi
}
#endif

#ifdef ENDS
active proctype ender ()
{
  byte id, item, asked, n;
  bool pumps, taken;

  ended = true;
  do
  :: accept_push (true); if :: id == 0 -> break :: else fi
  od;
  pump ()
}
#endif

#ifdef CLOSES
active proctype closer ()
{
  byte id, item, asked, n;
  bool pumps, taken;

  atomic {
    closed = true;
    ended = true;
    do
    :: len (ring) > 0 -> ring ? id; n_left[id]++
    :: len (pushes) > 0 -> pushes ? id; n_left[id]++; push[id] = GONE
    :: else -> break
    od;
    id = 0
  }
  pump ()
}
#endif

active proctype quiet ()
{
  byte i;

  timeout;
  assert (!pumping);
  assert (!end_said || len (ring) + len (pushes) == 0);
  /* nobody waits beside what he waits for */
  assert (len (nexts) == 0 || len (ring) + len (pushes) == 0);
  assert (len (nexts) == 0 || !(ended || closed));
  assert (!closed || len (ring) + len (pushes) == 0);
  assert (len (ring) > 0 || len (pushes) == 0);
  for (i : 1 .. N_PUSHES) {
    assert (n_handed[i] + n_left[i] <= 1);
    assert (n_handed[i] + n_left[i] == 1 || ring ?? [eval (i)] || pushes ?? [eval (i)]);
    assert (push[i] != GONE || n_handed[i] == 0);
    assert (push[i] != RESERVED)
  }
  for (i : 0 .. N_REQUESTS) { assert (i == 0 || request[i] != WAITING || nexts ?? [eval (i)]) }
}
