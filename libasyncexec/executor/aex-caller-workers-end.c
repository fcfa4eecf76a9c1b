/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* When child threads that take work end: they have been idle for too long, are too many, or everything ends. */
#include "base/aex-clock-private.h"
#include "executor/aex-caller-workers-private.h"

static void
end_workers (GPtrArray *callers, AexShutdownFlags flags)
{
  for (guint i = 0; i < callers->len; i++)
    g_object_unref (aex_core_shutdown (&((AexCallerCore *) callers->pdata[i])->core, flags));
}

static GPtrArray *
callers_new (void)
{
  return g_ptr_array_new_with_free_func (aex_target_unref);
}

/* ---- idle ones end */

static void idle_time_is_over (gpointer data);

/* The lock is held.  For ever is no alarm at all; without a thread for it nobody is too much but space. */
void
aex_caller_workers_arm (AexCallerWorkers *self)
{
  AexWorker *first = g_queue_peek_head (&self->idle);
  gint64 timeout_us = atomic_load (&self->parent->idle_worker_timeout_us);

  if (self->alarm == NULL && first != NULL && timeout_us >= 0)
    self->alarm = aex_alarm_new (first->idle_since_us > G_MAXINT64 - timeout_us ? G_MAXINT64 : first->idle_since_us + timeout_us,
                                 idle_time_is_over, aex_target_ref (self), aex_target_unref, NULL);
}

static void
take_expired (AexCallerWorkers *self, GPtrArray *callers)
{
  gint64 timeout_us = atomic_load (&self->parent->idle_worker_timeout_us);
  gint64 now = aex_clock_now ();
  AexWorker *worker;

  while (timeout_us >= 0 && (worker = g_queue_peek_head (&self->idle)) != NULL && now - worker->idle_since_us >= timeout_us)
    g_ptr_array_add (callers, aex_target_ref (((AexWorker *) g_queue_pop_head (&self->idle))->caller));
}

static void
idle_time_is_over (gpointer data)
{
  AexCallerWorkers *self = data;
  g_autoptr (GPtrArray) callers = callers_new ();
  AexAlarm *alarm;

  g_mutex_lock (&self->lock);
  alarm = g_steal_pointer (&self->alarm);
  take_expired (self, callers);
  aex_caller_workers_arm (self);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&alarm, aex_alarm_cancel);
  end_workers (callers, AEX_SHUTDOWN_FLAGS_NONE);
}

/* ---- ending */

static void
check_ended (AexCallerWorkers *self)
{
  AexAlarm *alarm = NULL;
  gboolean ended;

  g_mutex_lock (&self->lock);
  ended = aex_core_is_closed (&self->core) && self->all->len + self->n_being_made == 0;
  if (ended)
    alarm = g_steal_pointer (&self->alarm);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&alarm, aex_alarm_cancel);
  if (ended)
    aex_core_stopped (&self->core);
}

void
aex_caller_workers_lost (AexCallerWorkers *self, AexCallerCore *caller)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->all->len; i++)
    {
      AexWorker *worker = self->all->pdata[i];

      if (worker->caller != caller)
        continue;
      g_queue_remove (&self->idle, worker);
      if (worker->job != NULL)
        g_hash_table_remove (self->places, worker->job);
      self->n_finished -= (guint) worker->has_finished;
      g_ptr_array_remove_index (self->all, i);
      break;
    }
  g_mutex_unlock (&self->lock);
  aex_caller_workers_serve (self);
  check_ended (self);
}

void
aex_caller_workers_begin_end (AexCore *core, AexShutdownFlags flags)
{
  AexCallerWorkers *self = (AexCallerWorkers *) core;
  g_autoptr (GPtrArray) idle = callers_new ();
  g_autoptr (GPtrArray) busy = callers_new ();
  AexQueue dropped = { 0 };

  aex_target_ref (self);
  g_mutex_lock (&self->lock);
  for (guint i = 0; flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED && i < AEX_N_LANES; i++)
    aex_queue_splice (&dropped, &self->waiting[i]);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    self->n_waiting = 0;
  for (guint i = 0; i < self->all->len; i++)
    {
      AexWorker *worker = self->all->pdata[i];

      g_ptr_array_add (worker->job != NULL ? busy : idle, aex_target_ref (worker->caller));
    }
  g_queue_clear (&self->idle);
  g_mutex_unlock (&self->lock);
  aex_queue_drop_all (&dropped, &core->target);
  aex_queue_clear (&dropped);
  end_workers (idle, flags);
  /* Without flags they take what waits first. */
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    end_workers (busy, flags);
  else if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING)
    for (guint i = 0; i < busy->len; i++)
      {
        g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

        aex_run_slots_collect (&((AexCallerCore *) busy->pdata[i])->slots, jobs);
        aex_core_cancel_all (jobs);
      }
  check_ended (self);
  aex_target_unref (self);
}

void
aex_caller_workers_shutdown (AexCallerWorkers *self, AexShutdownFlags flags)
{
  g_object_unref (aex_core_shutdown (&self->core, flags));
}

void
aex_caller_workers_changed (AexCallerWorkers *self)
{
  g_autoptr (GPtrArray) callers = callers_new ();
  AexAlarm *alarm;

  g_mutex_lock (&self->lock);
  while (self->idle.length > atomic_load (&self->parent->max_idle_workers))
    g_ptr_array_add (callers, aex_target_ref (((AexWorker *) g_queue_pop_head (&self->idle))->caller));
  take_expired (self, callers);
  alarm = g_steal_pointer (&self->alarm);
  aex_caller_workers_arm (self);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&alarm, aex_alarm_cancel);
  end_workers (callers, AEX_SHUTDOWN_FLAGS_NONE);
  aex_caller_workers_serve (self);
}
