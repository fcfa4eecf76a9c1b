/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A store of timers by value, a hierarchical timing wheel.  It reads no clock, runs no owner code
 * but the callbacks named below, and has no lock: the owner holds its own around every call.
 *
 * Times are absolute monotonic microseconds.  Inside they are sorted by tick, but nothing shows
 * rounded: an entry is due once now_us >= deadline_us and get_next() is exact. */

/* An owner that wakes once per tick instead of once per deadline is at most this late; see
 * aex_timers_get_next(). */
#define AEX_TIMERS_TICK_US 256

/* func, data and extra are words of the owner, never looked at here. */
typedef struct
{
  gint64   deadline_us;
  gpointer func;
  gpointer data;
  gpointer extra;
} AexTimerEntry;

typedef struct _AexTimers AexTimers;

typedef gboolean (*AexTimersIsDeadFunc) (const AexTimerEntry *entry, gpointer user_data);
typedef void     (*AexTimersDropFunc)   (const AexTimerEntry *entry, gpointer user_data);

AexTimers *aex_timers_new               (gint64               now_us);

/* Hands every remaining entry to drop (may be NULL), in no particular order.  drop must not use the
 * store.  An owner that must let go outside its lock first empties the store with
 * aex_timers_take_due (self, G_MAXINT64, out). */
void       aex_timers_free              (AexTimers           *self,
                                         AexTimersDropFunc    drop,
                                         gpointer             user_data);

/* Any deadline will do: past, now, the end of time.  now_us is the reading from which the owner
 * computed the deadline; it decides nothing, it only keeps the wheel near the present while nobody
 * takes (an old reading, or 0, costs speed alone). */
void       aex_timers_add               (AexTimers           *self,
                                         const AexTimerEntry *entry,
                                         gint64               now_us);

/* Counts dead entries until they are taken or compacted away. */
gsize      aex_timers_get_length        (AexTimers           *self);

/* The earliest deadline, exactly (0 for one before 0); -1 when empty.  O(1).  A dead entry counts
 * like any other.  The owner sleeps until then and takes.  Many timers close together are cheaper
 * when the owner rounds its sleep up, to a tick or to the millisecond of poll(): the store does not
 * do it, as only the owner knows what lateness it owes. */
gint64     aex_timers_get_next          (AexTimers           *self);

/* Removes what is due and appends it to out, a GArray of AexTimerEntry, ordered by deadline, equal
 * deadlines in the order they were added.  Returns how many.  now_us may lie before that of an
 * earlier call: still nothing comes early. */
gsize      aex_timers_take_due          (AexTimers           *self,
                                         gint64               now_us,
                                         GArray              *out);

/* One more entry is dead (cancelled).  Its owner need not say when it takes a dead entry. */
void       aex_timers_note_dead         (AexTimers           *self);

/* With 64 entries or more, of which more than half were noted as dead, moves those for which
 * is_dead() is TRUE to dead (a GArray of AexTimerEntry, no particular order), so that the owner
 * lets go of them outside its lock.  TRUE if it went through the store; at other times it costs
 * nothing, and spread over the calls of note_dead() its cost per call is constant.  is_dead() runs
 * under the owner's lock: a look at a flag, no user code, and it must not use the store. */
gboolean   aex_timers_compact_if_needed (AexTimers           *self,
                                         AexTimersIsDeadFunc  is_dead,
                                         gpointer             user_data,
                                         GArray              *dead);

G_END_DECLS
