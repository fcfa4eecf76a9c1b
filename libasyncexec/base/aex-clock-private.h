/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Monotonic microseconds; the only clock of the library.  Tests switch it to virtual time, which moves only by
 * aex_clock_advance(): that wakes every thread that waits for a deadline which has passed. */
gint64   aex_clock_now          (void);

/* The same, but it may stand still for some milliseconds: several times cheaper, to see that time has passed. */
gint64   aex_clock_coarse       (void);

gboolean aex_clock_is_virtual   (void);
void     aex_clock_set_virtual  (gboolean virtual_time);
void     aex_clock_advance      (gint64 by_us);

/* A deadline from a duration: -1 stays -1 (never). */
gint64   aex_clock_deadline     (gint64 timeout_us);

/* Of two deadlines; -1 is never. */
static inline gint64
aex_clock_earlier (gint64 one_us, gint64 other_us)
{
  return one_us < 0 || (other_us >= 0 && other_us < one_us) ? other_us : one_us;
}

/* Like g_cond_wait_until(), on this clock; -1 waits without end.  FALSE: the deadline passed. */
gboolean aex_clock_cond_wait    (GCond *cond, GMutex *mutex, gint64 deadline_us);

/* Both are called with a lock of the clock held: advanced, told of every aex_clock_advance(), may only wake somebody;
 * get_next says without a lock of its own for when data waits, -1: for nothing. */
typedef struct {
  void   (*advanced) (gpointer data);
  gint64 (*get_next) (gpointer data);
} AexClockOps;
void     aex_clock_listen       (const AexClockOps *ops, gpointer data);
void     aex_clock_unlisten     (gpointer data);

/* The earliest time for which one of those waits, -1: none. */
gint64   aex_clock_get_next     (void);

G_END_DECLS
