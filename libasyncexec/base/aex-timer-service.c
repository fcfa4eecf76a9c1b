/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-timer-service-private.h"

#include <stdatomic.h>

#include "base/aex-clock-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-thread-private.h"
#include "base/aex-timers-private.h"

/* How long the thread stays without anything to do: longer than the gaps in a program that sets a time-out per request,
 * and then one last wake-up, so that an idle process stays idle. */
#define LINGER_US G_USEC_PER_SEC

enum { AEX_ALARM_ARMED, AEX_ALARM_FIRED, AEX_ALARM_CANCELLED };

struct _AexAlarm {
  atomic_int refs;     /* the owner's and the wheel's */
  atomic_int state;
  AexAlarmFunc func;
  gpointer data;
  GDestroyNotify destroy;
};

static GMutex service_lock;          /* guards the rest */
static GCond service_changed;        /* an earlier deadline, or the thread has ended */
static AexTimers *service_timers;
static guint service_n_armed;        /* neither fired nor cancelled */
static gboolean service_running;
static gint64 service_wakes_at;      /* what the thread sleeps for; -1: for ever */
static gboolean service_hurry;       /* do not linger */
static GThread *service_thread;

static void
alarm_unref (AexAlarm *alarm)
{
  if (atomic_fetch_sub (&alarm->refs, 1) == 1)
    g_free (alarm);
}

static void
alarm_fire (AexAlarm *alarm)
{
  int armed = AEX_ALARM_ARMED;

  if (atomic_compare_exchange_strong (&alarm->state, &armed, AEX_ALARM_FIRED))
    {
      g_mutex_lock (&service_lock);
      service_n_armed--;
      g_mutex_unlock (&service_lock);
      alarm->func (alarm->data);
      if (alarm->destroy != NULL)
        alarm->destroy (alarm->data);
    }
  alarm_unref (alarm);
}

static gboolean
alarm_is_dead (const AexTimerEntry *entry, gpointer user_data)
{
  (void) user_data;
  return atomic_load (&((AexAlarm *) entry->data)->state) == AEX_ALARM_CANCELLED;
}

/* The lock is held; what is due is run without it.  TRUE: something was. */
static gboolean
service_run_due (GArray *due)
{
  g_array_set_size (due, 0);
  if (aex_timers_take_due (service_timers, aex_clock_now (), due) == 0)
    return FALSE;
  g_mutex_unlock (&service_lock);
  for (guint i = 0; i < due->len; i++)
    alarm_fire (g_array_index (due, AexTimerEntry, i).data);
  /* Whoever joins this thread must not wait for what goes with the last thing that it kept. */
  aex_thread_flush ();
  g_mutex_lock (&service_lock);
  return TRUE;
}

static gpointer
service_main (gpointer data)
{
  g_autoptr (GArray) due = g_array_new (FALSE, FALSE, sizeof (AexTimerEntry));

  (void) data;
  g_mutex_lock (&service_lock);
  for (;;)
    {
      gboolean idle, in_time;

      if (service_run_due (due))
        continue;
      idle = service_n_armed == 0;
      if (idle && service_hurry)
        break;
      service_wakes_at = idle ? aex_clock_deadline (LINGER_US) : aex_timers_get_next (service_timers);
      in_time = aex_clock_cond_wait (&service_changed, &service_lock, service_wakes_at);
      if (idle && !in_time && service_n_armed == 0)
        break;
    }
  /* Only cancelled ones are left. */
  g_array_set_size (due, 0);
  aex_timers_take_due (service_timers, G_MAXINT64, due);
  for (guint i = 0; i < due->len; i++)
    alarm_unref (g_array_index (due, AexTimerEntry, i).data);
  aex_timers_free (g_steal_pointer (&service_timers), NULL, NULL);
  service_running = FALSE;
  g_cond_broadcast (&service_changed);
  g_mutex_unlock (&service_lock);
  return NULL;
}

static gboolean
service_start (GError **error)
{
  GThread *old = g_steal_pointer (&service_thread);

  /* It has said that it is gone and needs no lock any more. */
  if (old != NULL)
    g_thread_join (old);
  service_thread = g_thread_try_new ("aex-timers", service_main, NULL, error);
  if (service_thread == NULL)
    return FALSE;
  service_timers = aex_timers_new (aex_clock_now ());
  service_running = TRUE;
  service_hurry = FALSE;
  service_wakes_at = -1;
  return TRUE;
}

AexAlarm *
aex_alarm_new (gint64 deadline_us, AexAlarmFunc func, gpointer data, GDestroyNotify destroy, GError **error)
{
  AexAlarm *alarm;
  AexTimerEntry entry = { deadline_us, NULL, NULL, NULL };

  if (aex_fork_check (error))
    return NULL;
  g_mutex_lock (&service_lock);
  if (!service_running && !service_start (error))
    {
      g_mutex_unlock (&service_lock);
      return NULL;
    }
  alarm = g_new0 (AexAlarm, 1);
  atomic_init (&alarm->refs, 2);
  atomic_init (&alarm->state, AEX_ALARM_ARMED);
  alarm->func = func;
  alarm->data = data;
  alarm->destroy = destroy;
  entry.data = alarm;
  aex_timers_add (service_timers, &entry, aex_clock_now ());
  service_n_armed++;
  if (service_wakes_at < 0 || deadline_us < service_wakes_at || service_n_armed == 1)
    g_cond_broadcast (&service_changed);
  g_mutex_unlock (&service_lock);
  return alarm;
}

/* The lock is held.  Takes the dead out of the wheel when they are many. */
static void
service_compact (void)
{
  g_autoptr (GArray) dead = g_array_new (FALSE, FALSE, sizeof (AexTimerEntry));

  aex_timers_note_dead (service_timers);
  aex_timers_compact_if_needed (service_timers, alarm_is_dead, NULL, dead);
  for (guint i = 0; i < dead->len; i++)
    alarm_unref (g_array_index (dead, AexTimerEntry, i).data);
}

gboolean
aex_alarm_cancel (AexAlarm *alarm)
{
  int armed = AEX_ALARM_ARMED;
  gboolean won = atomic_compare_exchange_strong (&alarm->state, &armed, AEX_ALARM_CANCELLED);

  if (won)
    {
      if (!aex_is_forked ())
        {
          g_mutex_lock (&service_lock);
          service_n_armed--;
          if (service_timers != NULL)
            service_compact ();
          if (service_n_armed == 0)
            g_cond_broadcast (&service_changed);
          g_mutex_unlock (&service_lock);
        }
      if (alarm->destroy != NULL)
        alarm->destroy (alarm->data);
    }
  alarm_unref (alarm);
  return won;
}

void
aex_timer_service_quiesce (void)
{
  GThread *thread = NULL;

  g_mutex_lock (&service_lock);
  if (service_n_armed == 0)
    {
      service_hurry = TRUE;
      g_cond_broadcast (&service_changed);
      while (service_running && service_n_armed == 0)
        g_cond_wait (&service_changed, &service_lock);
      if (!service_running)
        thread = g_steal_pointer (&service_thread);
    }
  g_mutex_unlock (&service_lock);
  if (thread != NULL)
    g_thread_join (thread);
}

gint64
aex_timer_service_get_next (void)
{
  gint64 next;

  g_mutex_lock (&service_lock);
  next = service_n_armed > 0 ? aex_timers_get_next (service_timers) : -1;
  g_mutex_unlock (&service_lock);
  return next;
}

guint
aex_timer_service_get_n_armed (void)
{
  guint n;

  g_mutex_lock (&service_lock);
  n = service_n_armed;
  g_mutex_unlock (&service_lock);
  return n;
}
