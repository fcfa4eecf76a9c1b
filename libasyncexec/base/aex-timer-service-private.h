/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _AexAlarm AexAlarm;
typedef void (*AexAlarmFunc) (gpointer data);

/* One private thread for everything that must happen in time and must not depend on a loop of the user (rule 11):
 * timeouts, deadlines, kill-grace.  Started at first need, ended when it has had nothing to do for a second.
 *
 * func runs on the service thread, at most once, with no lock held, and must not block: it completes or cancels.
 * destroy runs exactly once: after func on the service thread, or in aex_alarm_cancel(), or in the service thread.
 * NULL with error set when the thread can not be started. */
AexAlarm *aex_alarm_new     (gint64 deadline_us, AexAlarmFunc func, gpointer data, GDestroyNotify destroy, GError **error);

/* Takes the reference.  TRUE: func will not run. */
gboolean  aex_alarm_cancel  (AexAlarm *alarm);

/* Waits until the service thread has ended (only with nothing armed); for tests. */
void      aex_timer_service_quiesce (void);

/* The earliest deadline, -1: nothing is armed. */
gint64    aex_timer_service_get_next (void);

/* How many alarms are armed; for tests. */
guint     aex_timer_service_get_n_armed (void);

G_END_DECLS
