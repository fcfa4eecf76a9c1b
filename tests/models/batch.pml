/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The batch of a worker: its owner takes entries from the front, and fills it again when it is empty; others take them from
 * the end.  Whoever does what, each entry is run once.
 *
 * source: libasyncexec/executor/aex-pool-core-private.h: aex_pool_worker_length
 * source: libasyncexec/executor/aex-pool-core.c: worker_fill, steal_from, aex_pool_worker_pop, aex_pool_steal
 * source: libasyncexec/executor/aex-pool-shutdown.c: pool_untake
 *
 * correct: I1 correct SIZE=3
 * bug: I1 moved-without-comparing assert SIZE=3 BUG_MOVED_UNCOMPARED
 * bug: I1 copied-without-lock assert SIZE=3 BUG_COPIED_UNLOCKED
 * bug: I1 taken-from-the-front assert SIZE=3 BUG_TAKEN_FROM_FRONT
 *
 * A compare-and-swap that fails because of another thread tries again here with what it found, as there.
 */
#include "common.pml"

#define N_FILLS 2
#define N_ALL   (N_FILLS * SIZE)

bool pool_lock, batch_lock;
byte entry[SIZE];
byte next, end;                     /* the range, one word */
byte n_runs[N_ALL + 1];             /* ghost */
byte n_returned;                    /* ghost: in the queue again */

inline run_it (id)
{
  atomic {
    n_runs[id]++;
    assert (n_runs[id] == 1)
  }
}

active proctype owner ()
{
  byte fills, seen_next, seen_end, id, i;

  do
  :: fills < N_FILLS ->
       LOCK (pool_lock);
       LOCK (batch_lock);
       i = 0;
       do
       :: i < SIZE -> entry[i] = fills * SIZE + i + 1; i++
       :: else -> break
       od;
       i = 0;
       atomic { next = 0; end = SIZE }
       UNLOCK (batch_lock);
       UNLOCK (pool_lock);
       fills++;
       do
       :: atomic { seen_next = next; seen_end = end }
          if
          :: seen_next >= seen_end -> break
          :: else
          fi;
          id = entry[seen_next];
          atomic {
            if
#ifdef BUG_MOVED_UNCOMPARED
            :: true -> next = seen_next + 1
#else
            :: next == seen_next && end == seen_end -> next = seen_next + 1
            :: else -> id = 0
#endif
            fi;
            seen_next = 0;
            seen_end = 0
          }
          if :: id != 0 -> run_it (id) :: else fi;
          id = 0
       od
  :: else -> break
  od
}

/* A worker that has nothing takes the second half. */
active proctype thief ()
{
  byte from, n, i, tries;
  byte stolen[SIZE];

  for (tries : 1 .. 2) {
    LOCK (pool_lock);
    LOCK (batch_lock);
    atomic {
      n = (next < end -> (end - next + 1) / 2 : 0);
#ifdef BUG_TAKEN_FROM_FRONT
      from = next;
      end = end - n;
#else
      from = end - n;
      end = from
#endif
    }
#ifdef BUG_COPIED_UNLOCKED
    UNLOCK (batch_lock);
    UNLOCK (pool_lock);
#endif
    i = 0;
    do
    :: i < n -> stolen[i] = entry[from + i]; i++
    :: else -> break
    od;
#ifndef BUG_COPIED_UNLOCKED
    UNLOCK (batch_lock);
    UNLOCK (pool_lock);
#endif
    i = 0;
    do
    :: i < n -> run_it (stolen[i]); stolen[i] = 0; i++
    :: else -> break
    od;
    from = 0;
    i = 0;
    n = 0
  }
}

/* The pool is shut down: what was not begun is taken back, all at once. */
active proctype untaker ()
{
  byte seen_next, seen_end, id;

  LOCK (pool_lock);
  LOCK (batch_lock);
  do
  :: atomic { seen_next = next; seen_end = end }
     if
     :: seen_next >= seen_end -> break
     :: else
     fi;
     atomic {
       if
       :: next == seen_next && end == seen_end -> end = seen_next
       :: else -> seen_end = 0
       fi
     }
     do
     :: seen_next < seen_end ->
          id = entry[seen_next];
          run_it (id);
          seen_next++;
          n_returned++
     :: else -> break
     od
  od;
  UNLOCK (batch_lock);
  UNLOCK (pool_lock)
}

active proctype quiet ()
{
  byte i;

  timeout;
  for (i : 1 .. N_ALL) { assert (n_runs[i] == 1) }
}
