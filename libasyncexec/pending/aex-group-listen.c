/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where a group stands: what it listens to from its first use on until it is over. */
#include "pending/aex-group-private.h"

#include "base/aex-clock-private.h"

void
aex_group_rest_clear (AexGroupRest *rest)
{
  if (rest->scope != NULL)
    aex_scope_end (rest->scope);
  g_clear_pointer (&rest->watch, aex_scope_watch_free);
  if (rest->job != NULL)
    g_signal_handler_disconnect (rest->job, rest->job_handler);
  g_clear_object (&rest->job);
  g_clear_pointer (&rest->alarm, aex_alarm_cancel);
  g_clear_pointer (&rest->grace, aex_alarm_cancel);
  g_clear_pointer (&rest->scope, aex_scope_unref);
  g_clear_object (&rest->join);
}

/* Unless it was not used there after all, or is over. */
static void
cancel_from_outside (AexScope *scope, AexGroupEnd why)
{
  AexTrackerCore *core = scope->group;
  gboolean in_force;

  g_mutex_lock (&core->lock);
  in_force = core->group->scope == scope;
  g_mutex_unlock (&core->lock);
  if (in_force)
    aex_group_cancel (core, why, NULL);
}

static void
scope_is_over (AexScope *scope, gpointer data)
{
  (void) data;
  cancel_from_outside (scope, AEX_GROUP_CANCELLED);
}

static void
job_is_cancelled (GCancellable *cancellable, gpointer scope)
{
  (void) cancellable;
  cancel_from_outside (scope, AEX_GROUP_CANCELLED);
}

static void
scope_closure_unref (gpointer scope, GClosure *closure)
{
  (void) closure;
  aex_scope_unref (scope);
}

static void
time_is_over (gpointer scope)
{
  cancel_from_outside (scope, AEX_GROUP_TIMED_OUT);
}

/* The cancellable of the job, or of the item of a map, that runs here; a reference. */
static GCancellable *
ref_running (AexThread *thread)
{
  if (thread->frame == NULL)
    return NULL;
  return g_object_ref (thread->frame->job != NULL ? aex_pending_get_cancellable (thread->frame->job) : thread->frame->cancellable);
}

/* What is told before the group takes it over is not heard: look after that. */
static gboolean
listen (AexScope *scope, GCancellable *running, gint64 deadline_us, AexGroupRest *made, GError **error)
{
  /* Also to the scope itself, which others may have. */
  made->watch = aex_scope_watch (scope, TRUE, scope_is_over, NULL, NULL, error);
  if (made->watch == NULL)
    return FALSE;
  if (deadline_us >= 0)
    {
      made->alarm = aex_alarm_new (deadline_us, time_is_over, aex_scope_ref (scope), (GDestroyNotify) aex_scope_unref, error);
      if (made->alarm == NULL)
        {
          aex_scope_unref (scope);
          return FALSE;
        }
    }
  if (running != NULL)
    {
      made->job = g_object_ref (running);
      made->job_handler = g_signal_connect_data (running, "cancelled", G_CALLBACK (job_is_cancelled),
                                                 aex_scope_ref (scope), scope_closure_unref, 0);
    }
  return TRUE;
}

/* FALSE: somebody else was first. */
static gboolean
take_over (AexTrackerCore *core, AexScope *scope, AexTrackerCore *parent, AexGroupRest *made)
{
  AexGroup *self = core->group;
  gboolean first;

  g_mutex_lock (&core->lock);
  first = !self->used && !atomic_load (&core->closed);
  if (first)
    {
      self->used = TRUE;
      self->scope = aex_scope_ref (scope);
      self->parent = parent != NULL && parent != core ? aex_tracker_core_ref (parent) : NULL;
      self->watch = g_steal_pointer (&made->watch);
      self->job = g_steal_pointer (&made->job);
      self->job_handler = made->job_handler;
      self->alarm = g_steal_pointer (&made->alarm);
    }
  g_mutex_unlock (&core->lock);
  return first;
}

/* It is in force: what is around it may be over, and it may have been cancelled before. */
static void
look_around (AexTrackerCore *core, AexScope *scope, GCancellable *running, gint64 deadline_us)
{
  gboolean cancelled;

  if (aex_scope_get_status (scope) != AEX_SCOPE_OPEN || (running != NULL && g_cancellable_is_cancelled (running)))
    aex_group_cancel (core, AEX_GROUP_CANCELLED, NULL);
  else if (deadline_us >= 0 && aex_clock_now () >= deadline_us)
    aex_group_cancel (core, AEX_GROUP_TIMED_OUT, NULL);
  g_mutex_lock (&core->lock);
  cancelled = aex_group_is_cancelled_locked (core->group);
  g_mutex_unlock (&core->lock);
  if (cancelled)
    aex_scope_cancel (scope);
}

gboolean
aex_group_use (AexTrackerCore *core, GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexGroup *self = core->group;
  g_autoptr (GCancellable) running = NULL;
  AexGroupRest made = { NULL, };
  gint64 deadline_us;
  AexScope *scope;
  gboolean ok;

  g_mutex_lock (&core->lock);
  ok = self->used || atomic_load (&core->closed);
  g_mutex_unlock (&core->lock);
  if (ok)
    return TRUE;
  if (!self->shield)
    running = ref_running (thread);
  deadline_us = self->timeout_us >= 0 ? aex_clock_deadline (self->timeout_us) : -1;
  scope = aex_scope_new (-1, self->shield ? AEX_SCOPE_FLAGS_SHIELD : AEX_SCOPE_FLAGS_NONE);
  scope->group = aex_tracker_core_ref (core);
  scope->group_unref = aex_tracker_core_unref;
  ok = listen (scope, running, deadline_us, &made, error);
  if (ok && take_over (core, scope, aex_group_of_context (thread->context), &made))
    look_around (core, scope, running, deadline_us);
  aex_group_rest_clear (&made);
  aex_scope_unref (scope);
  return ok;
}

AexContext *
aex_context_with_group (AexContext *context, AexTrackerCore *core)
{
  AexScope *scope;
  AexContext *result;

  g_mutex_lock (&core->lock);
  scope = core->group->scope != NULL ? aex_scope_ref (core->group->scope) : NULL;
  g_mutex_unlock (&core->lock);
  if (scope == NULL)
    return NULL;
  result = aex_context_with_scope (context, scope);
  aex_scope_unref (scope);
  return result;
}
