/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-script-core-private.h"

#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-value-private.h"

typedef struct {
  AexCore core;
  gboolean dispatch_anywhere;
  GError *refusal;         /* const: why there is no place to dispatch from; NULL: there is one, or it needs none */
  GMutex lock;             /* guards the rest */
  GHashTable *queued;      /* AexPending, a reference: dispatched and not started yet */
  guint n_running;
} AexScriptCore;

static guint
script_count (AexCore *core, gboolean running)
{
  AexScriptCore *self = (AexScriptCore *) core;
  guint n;

  g_mutex_lock (&self->lock);
  n = running ? self->n_running : g_hash_table_size (self->queued);
  g_mutex_unlock (&self->lock);
  return n;
}

static void
check_stopped (AexScriptCore *self)
{
  gboolean stopped;
  guint n_excused = aex_core_n_excused (&self->core);

  g_mutex_lock (&self->lock);
  stopped = aex_core_is_closed (&self->core) && self->n_running <= n_excused && g_hash_table_size (self->queued) == 0;
  g_mutex_unlock (&self->lock);
  if (stopped)
    aex_core_stopped (&self->core);
}

/* Calls the method of the subclass; an error is the job's. */
static void
call_dispatch (AexScriptCore *self, AexPending *job)
{
  g_autoptr (AexExecutor) facade = aex_weak_get (&self->core.facade);
  AexExecutorClass *klass = facade != NULL ? AEX_EXECUTOR_GET_CLASS (facade) : NULL;
  GError *error = NULL;

  if (klass == NULL)
    {
      aex_pending_cancel_as (job, AEX_CANCEL_CLOSED, NULL);
      return;
    }
  if (klass->dispatch != NULL)
    klass->dispatch (facade, job, &error);
  else
    error = g_error_new (AEX_ERROR, AEX_ERROR_NOT_SUPPORTED, _("%s has no dispatch(): an executor must implement it"),
                         G_OBJECT_TYPE_NAME (facade));
  if (error != NULL && !aex_pending_reject (job, error))
    return;
}

static void
dispatch_run (AexEntry *entry, AexTarget *target)
{
  AexScriptCore *self = entry->a;
  g_autoptr (AexPending) job = entry->b;

  (void) target;
  if (AEX_PHASE (aex_pending_load (job)) == AEX_PHASE_QUEUED)
    call_dispatch (self, job);
  aex_target_unref (self);
}

static void
dispatch_drop (AexEntry *entry, AexTarget *target)
{
  g_autoptr (AexPending) job = entry->b;

  (void) target;
  aex_pending_cancel_as (job, AEX_CANCEL_CLOSED, NULL);
  aex_target_unref (entry->a);
}

static const AexEntryKind dispatch_kind = { .run = dispatch_run, .drop = dispatch_drop };

/* The job is in the table: has the subclass told of it. */
static void
arrange_dispatch (AexScriptCore *self, AexPending *job)
{
  AexEntry entry = { &dispatch_kind, self, job, NULL };

  aex_core_enter_state (&self->core, AEX_EXECUTOR_STATE_RUNNING);
  if (self->dispatch_anywhere)
    {
      call_dispatch (self, job);
      g_object_unref (job);
      return;
    }
  aex_target_ref (self);
  if (self->core.owner != NULL)
    aex_target_post_or_drop (self->core.owner, AEX_LANE_DEFAULT, &entry);
  else
    dispatch_drop (&entry, NULL);
}

static gboolean
script_ensure_thread (AexCore *core, GError **error)
{
  AexScriptCore *self = (AexScriptCore *) core;

  if (G_UNLIKELY (self->refusal != NULL) && error != NULL)
    *error = g_error_copy (self->refusal);
  return self->refusal == NULL;
}

static AexAcceptance
script_submit (AexCore *core, AexLane lane, const AexEntry *submitted, GError **error)
{
  AexScriptCore *self = (AexScriptCore *) core;
  guint max = atomic_load (&core->max_pending);
  gboolean is_job = submitted->kind == &aex_job_kind;
  AexPending *job = is_job ? submitted->a : aex_core_job_for_post (core, submitted);

  (void) lane;
  if (G_UNLIKELY (!aex_core_is_closed (core) && !script_ensure_thread (core, error)))
    {
      if (!is_job)
        aex_core_undo_post (job);
      return AEX_REFUSED_ERROR;
    }
  g_mutex_lock (&self->lock);
  if (aex_core_is_closed (core) || (max > 0 && g_hash_table_size (self->queued) >= max))
    {
      g_mutex_unlock (&self->lock);
      if (!is_job)
        aex_core_undo_post (job);
      return aex_core_is_closed (core) ? AEX_REFUSED_CLOSED : AEX_REFUSED_BUSY;
    }
  g_hash_table_add (self->queued, job);
  g_object_ref (job);
  g_mutex_unlock (&self->lock);
  arrange_dispatch (self, job);
  return AEX_ACCEPTED;
}

static gboolean
script_hand_over (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexScriptCore *self = (AexScriptCore *) core;
  gboolean ok;

  (void) lane;
  if (G_UNLIKELY (!script_ensure_thread (core, error)))
    return FALSE;
  g_mutex_lock (&self->lock);
  ok = atomic_load (&core->state) != AEX_EXECUTOR_STATE_STOPPED;
  if (ok)
    g_hash_table_add (self->queued, g_object_ref (entry->a));
  g_mutex_unlock (&self->lock);
  if (ok)
    arrange_dispatch (self, entry->a);
  return ok;
}

/* The job leaves the queue. */
static void
forget_queued (AexScriptCore *self, AexPending *job, gboolean starts)
{
  gboolean found;

  g_mutex_lock (&self->lock);
  found = g_hash_table_steal (self->queued, job);
  if (starts)
    self->n_running++;
  g_mutex_unlock (&self->lock);
  if (found)
    g_object_unref (job);
}

static void
script_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  AexScriptCore *self = (AexScriptCore *) target;

  switch (event)
    {
    case AEX_JOB_STARTED:
      aex_core_add_detached (&self->core, job);
      forget_queued (self, job, TRUE);
      aex_core_cancel_late (&self->core, job);
      break;
    case AEX_JOB_FINISHED:
      aex_core_remove_detached (&self->core, job);
      aex_core_forget_excused (&self->core, job);
      g_mutex_lock (&self->lock);
      self->n_running--;
      g_mutex_unlock (&self->lock);
      break;
    case AEX_JOB_DROPPED:
      g_object_ref (job);
      forget_queued (self, job, FALSE);
      /* It needs no aex_pending_run() any more; if there is one all the same, only one of the two gets the closure. */
      aex_core_release_unrun (job);
      g_object_unref (job);
      break;
    case AEX_JOB_LEFT:
    default:
      break;
    }
  if (aex_core_is_closed (&self->core))
    check_stopped (self);
}

static void
script_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexScriptCore *self = (AexScriptCore *) core;
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer job;

  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    {
      g_mutex_lock (&self->lock);
      g_hash_table_iter_init (&iter, self->queued);
      while (g_hash_table_iter_next (&iter, &job, NULL))
        g_ptr_array_add (jobs, g_object_ref (job));
      g_mutex_unlock (&self->lock);
      for (guint i = 0; i < jobs->len; i++)
        aex_pending_cancel_as (jobs->pdata[i], AEX_CANCEL_DROP, NULL);
    }
  check_stopped (self);
}

/* ---- shutdown() of the subclass */

/* What it waited for is over: nothing may be left. */
static void
subclass_has_shut_down (AexPending *result, gpointer core)
{
  (void) result;
  script_shutdown (core, AEX_SHUTDOWN_FLAGS_NONE);
}

static AexPending *
call_shutdown (AexScriptCore *self, AexShutdownFlags flags)
{
  g_autoptr (AexExecutor) facade = aex_weak_get (&self->core.facade);
  AexPending *result;

  if (facade == NULL)
    return aex_core_shutdown (&self->core, flags);
  result = AEX_EXECUTOR_GET_CLASS (facade)->shutdown (facade, flags);
  if (result == NULL)
    result = aex_pending_new_failed (g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED,
                                                          _("The executor's shutdown() gave no pending: it must return one")));
  aex_pending_add_done_callback_inline (result, subclass_has_shut_down, aex_target_ref (self), aex_target_unref);
  return result;
}

static void
shutdown_run (AexEntry *entry, AexTarget *target)
{
  AexScriptCore *self = entry->a;
  g_autoptr (AexPending) pending = entry->b;
  g_autoptr (AexPending) result = call_shutdown (self, GPOINTER_TO_UINT (entry->c));

  (void) target;
  aex_pending_follow (pending, result);
  aex_target_unref (self);
}

/* Nobody will run its context again: without the subclass, then. */
static void
shutdown_drop (AexEntry *entry, AexTarget *target)
{
  AexScriptCore *self = entry->a;
  g_autoptr (AexPending) pending = entry->b;
  g_autoptr (AexPending) result = aex_core_shutdown (&self->core, GPOINTER_TO_UINT (entry->c));

  (void) target;
  aex_pending_follow (pending, result);
  aex_target_unref (self);
}

static const AexEntryKind shutdown_kind = { .run = shutdown_run, .drop = shutdown_drop };

AexPending *
aex_script_core_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexScriptCore *self = (AexScriptCore *) core;
  AexEntry entry = { &shutdown_kind, self, NULL, GUINT_TO_POINTER (flags) };
  AexPending *pending;

  aex_core_enter_state (core, AEX_EXECUTOR_STATE_STOPPING);
  if (self->dispatch_anywhere || core->owner == NULL)
    return call_shutdown (self, flags);
  pending = aex_pending_new_promise (AEX_FLAG_LIBRARY);
  aex_target_ref (self);
  entry.b = g_object_ref (pending);
  aex_target_post_or_drop (core->owner, AEX_LANE_DEFAULT, &entry);
  return pending;
}

/* The subclass is gone: what it was given and never ran will never run. */
static void
script_facade_gone (AexCore *core)
{
  script_shutdown (core, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
}

static gboolean
script_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexScriptCore *self = (AexScriptCore *) target;

  return self->core.owner != NULL && self->core.owner->ops->post (self->core.owner, lane, entry);
}

static gboolean
script_is_current (AexTarget *target)
{
  (void) target;
  return FALSE;
}

static void
script_finalize (AexTarget *target)
{
  AexScriptCore *self = (AexScriptCore *) target;

  g_clear_error (&self->refusal);
  g_hash_table_unref (self->queued);
  g_mutex_clear (&self->lock);
  aex_core_clear (&self->core);
  g_free (self);
}

static gboolean
script_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  (void) target;
  (void) job;
  (void) outside;
  return FALSE;
}

static gboolean
script_wait_begin (AexTarget *target)
{
  (void) target;
  return TRUE;
}

static void
script_wait_end (AexTarget *target)
{
  (void) target;
}

static AexTarget *
script_cancel_target (AexTarget *target, AexPending *job)
{
  (void) target;
  (void) job;
  return NULL;
}

/* A script runs its jobs where its dispatch() is called. */
static AexTarget *
script_job_home (AexTarget *target, AexPending *job)
{
  AexScriptCore *self = (AexScriptCore *) target;

  (void) job;
  return self->dispatch_anywhere || self->core.owner == NULL ? NULL : aex_target_ref (self->core.owner);
}

static guint
script_get_width (AexCore *core)
{
  (void) core;
  return G_MAXUINT;
}

static const AexCoreOps script_ops = {
  .target = {
    .post = script_post,
    .is_current = script_is_current,
    .finalize = script_finalize,
    .may_claim = script_may_claim,
    .job_event = script_job_event,
    .wait_begin = script_wait_begin,
    .wait_end = script_wait_end,
    .report = aex_core_report,
    .cancel_target = script_cancel_target,
    .job_home = script_job_home,
    .get_name = aex_core_get_name,
  },
  .submit = script_submit,
  .hand_over = script_hand_over,
  .shutdown = script_shutdown,
  .facade_gone = script_facade_gone,
  .count = script_count,
  .close_on_dispose = TRUE,
  .get_width = script_get_width,
  .ensure_thread = script_ensure_thread,
  .jobs_only = TRUE,
  .scripted = TRUE,
};

AexCore *
aex_script_core_new (AexExecutor *facade, gboolean dispatch_anywhere)
{
  AexScriptCore *self = g_new0 (AexScriptCore, 1);

  aex_core_init (&self->core, &script_ops, facade);
  g_mutex_init (&self->lock);
  self->queued = g_hash_table_new (NULL, NULL);
  self->dispatch_anywhere = dispatch_anywhere;
  if (G_UNLIKELY (self->core.owner == NULL && !dispatch_anywhere))
    {
      AexHome *home = aex_home_get_for_thread (aex_thread_get (), &self->refusal);

      self->core.owner = home != NULL ? aex_target_ref (home) : NULL;
    }
  return &self->core;
}
