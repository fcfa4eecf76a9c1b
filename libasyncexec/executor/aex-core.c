/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-core-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-tracker-private.h"
#include "pending/aex-value-private.h"

void
aex_core_init (AexCore *self, const AexCoreOps *ops, AexExecutor *facade)
{
  AexHome *home = aex_home_get_for_thread (aex_thread_get (), NULL);

  aex_target_init (&self->target, &ops->target);
  g_weak_ref_init (&self->facade, facade);
  self->outlives_facade = facade == NULL;
  self->record_times = aex_debug_wants (AEX_DEBUG_TIMES);
  self->name_jobs = aex_debug_wants (AEX_DEBUG_NAMES);
  self->owner = home != NULL ? aex_target_ref (home) : NULL;
  g_mutex_init (&self->state_lock);
  self->detached = g_hash_table_new (NULL, NULL);
  self->excused = g_hash_table_new (NULL, NULL);
  self->shutdowns = g_ptr_array_new_with_free_func (g_object_unref);
  aex_live_add (AEX_LIVE_CORE, 1);
}

void
aex_core_clear (AexCore *self)
{
  g_weak_ref_clear (&self->facade);
  g_free (self->name);
  g_free (self->label);
  g_clear_pointer (&self->owner, aex_target_unref);
  g_hash_table_unref (self->detached);
  g_hash_table_unref (self->excused);
  g_ptr_array_unref (self->shutdowns);
  g_mutex_clear (&self->state_lock);
  aex_live_add (AEX_LIVE_CORE, -1);
}

const char *
aex_core_get_name (AexTarget *target)
{
  return ((AexCore *) target)->name;
}

/* ---- state */

static void
notify_run (AexEntry *entry, AexTarget *target)
{
  AexCore *self = entry->a;
  g_autoptr (GObject) facade = aex_weak_get (&self->facade);

  (void) target;
  if (facade != NULL)
    g_object_notify (facade, "state");
  /* What it leads to may be much: whoever made it keeps no reference to it for the next submission. */
  if (atomic_load (&self->state) == AEX_EXECUTOR_STATE_STOPPED)
    aex_thread_flush ();
  aex_target_unref (self);
}

static void
notify_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_target_unref (entry->a);
}

static const AexEntryKind notify_kind = { .run = notify_run, .drop = notify_drop };

void
aex_core_enter_state (AexCore *self, AexExecutorState state)
{
  int old = atomic_load (&self->state);
  AexEntry entry = { &notify_kind, self, NULL, NULL };

  do
    {
      if (old >= (int) state)
        return;
    }
  while (!atomic_compare_exchange_weak (&self->state, &old, (int) state));
  if (self->owner == NULL)
    return;
  aex_target_ref (self);
  aex_target_post_or_drop (self->owner, AEX_LANE_DEFAULT, &entry);
}

gboolean
aex_core_is_closed (AexCore *self)
{
  return atomic_load (&self->state) >= AEX_EXECUTOR_STATE_STOPPING;
}

/* Nothing is left: who waits for that is told. */
void
aex_core_stopped (AexCore *self)
{
  g_autoptr (GPtrArray) shutdowns = NULL;

  aex_core_enter_state (self, AEX_EXECUTOR_STATE_STOPPED);
  g_mutex_lock (&self->state_lock);
  shutdowns = self->shutdowns;
  self->shutdowns = g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_unlock (&self->state_lock);
  for (guint i = 0; i < shutdowns->len; i++)
    aex_pending_record (shutdowns->pdata[i], AEX_TAG_NONE, (AexWord) { 0 });
}

void
aex_core_watch_stop (AexCore *self, AexPending *watch)
{
  g_mutex_lock (&self->state_lock);
  g_ptr_array_add (self->shutdowns, g_object_ref (watch));
  g_mutex_unlock (&self->state_lock);
  if (atomic_load (&self->state) == AEX_EXECUTOR_STATE_STOPPED)
    aex_core_stopped (self);
}

void
aex_core_unwatch_stop (AexCore *self, AexPending *watch)
{
  guint index;
  gboolean found;

  g_mutex_lock (&self->state_lock);
  found = g_ptr_array_find (self->shutdowns, watch, &index);
  if (found)
    g_ptr_array_steal_index (self->shutdowns, index);
  g_mutex_unlock (&self->state_lock);
  if (found)
    g_object_unref (watch);
}

gboolean
aex_core_has_job (AexCore *self, AexTarget *executor, AexPending *job)
{
  AexTarget *place = executor != NULL ? aex_target_ref (executor) : NULL;
  gboolean found;

  while (place != NULL && place != &self->target)
    {
      AexTarget *next = place->ops->get_place != NULL ? place->ops->get_place (place, job) : NULL;

      aex_target_unref (place);
      place = next;
    }
  found = place != NULL;
  g_clear_pointer (&place, aex_target_unref);
  return found;
}

/* Under the state lock: the jobs of self that run on the calling thread. */
static void
excuse_own_jobs (AexCore *self)
{
  for (AexFrame *frame = aex_thread_get ()->frame; frame != NULL; frame = frame->previous)
    if (frame->job != NULL && aex_core_has_job (self, frame->executor, frame->job))
      g_hash_table_add (self->excused, frame->job);
}

AexPending *
aex_core_shutdown (AexCore *self, AexShutdownFlags flags)
{
  const AexCoreOps *ops = AEX_CORE_OPS (self);
  AexTarget *home = ops->get_stop_home != NULL ? ops->get_stop_home (self) : ops->target.cancel_target (&self->target, NULL);
  AexPending *pending = aex_pending_new_report (home);

  g_clear_pointer (&home, aex_target_unref);
  aex_core_enter_state (self, AEX_EXECUTOR_STATE_STOPPING);
  g_mutex_lock (&self->state_lock);
  g_ptr_array_add (self->shutdowns, g_object_ref (pending));
  excuse_own_jobs (self);
  g_mutex_unlock (&self->state_lock);
  atomic_fetch_or (&self->shutdown_flags, (int) flags);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING)
    aex_core_cancel_detached (self);
  ops->shutdown (self, flags);
  if (atomic_load (&self->state) == AEX_EXECUTOR_STATE_STOPPED)
    aex_core_stopped (self);
  return pending;
}

/* ---- errors that nobody observed */

typedef struct {
  AexCore *core;
  AexPending *job;
  GError *error;
} AexReport;

static void
report_free (AexReport *self)
{
  aex_target_unref (self->core);
  g_clear_object (&self->job);
  g_error_free (self->error);
  g_free (self);
}

static void
report_log (AexReport *self)
{
  g_autofree char *job_name = self->job != NULL ? aex_pending_dup_name (self->job) : NULL;
  const char *executor = self->core->name != NULL ? self->core->name : self->core->label;

  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING,
                    "AEX_EXECUTOR", executor != NULL ? executor : "",
                    "AEX_PENDING", job_name != NULL ? job_name : "",
                    "AEX_ERROR_DOMAIN", g_quark_to_string (self->error->domain),
                    "MESSAGE", "Unhandled error in %s%s%s: %s",
                    self->core->name != NULL ? self->core->name : "an executor",
                    job_name != NULL ? ", " : "", job_name != NULL ? job_name : "", self->error->message);
}

static void
report_run (AexEntry *entry, AexTarget *target)
{
  AexReport *self = entry->a;
  g_autoptr (GObject) facade = aex_weak_get (&self->core->facade);
  gboolean handled = FALSE;

  (void) target;
  if (facade != NULL)
    g_signal_emit_by_name (facade, "unhandled-error", self->job, self->error, &handled);
  if (!handled && !(facade != NULL && aex_executor_tell_unhandled ((AexExecutor *) facade, self->job, self->error)))
    report_log (self);
  report_free (self);
}

static void
report_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  report_log (entry->a);
  report_free (entry->a);
}

static const AexEntryKind report_kind = { .run = report_run, .drop = report_drop };

void
aex_core_report (AexTarget *target, AexPending *job, const GError *error)
{
  AexCore *self = (AexCore *) target;
  AexReport *report = g_new0 (AexReport, 1);
  AexEntry entry = { &report_kind, report, NULL, NULL };
  g_autoptr (GObject) facade = aex_weak_get (&self->facade);

  report->core = aex_target_ref (self);
  report->job = job != NULL ? g_object_ref (job) : NULL;
  report->error = g_error_copy (error);
  /* Nobody can handle it: say it now, for the owner's context may never run again. */
  if (self->owner == NULL || facade == NULL)
    report_drop (&entry, NULL);
  else
    aex_target_post_or_drop (self->owner, AEX_LANE_DEFAULT, &entry);
}

/* ---- submission */

static GError *
busy_error (guint limit)
{
  return g_error_new (AEX_ERROR, AEX_ERROR_BUSY,
                      aex_ngettext ("%u job is queued, which is the limit: try again when it has run",
                                    "%u jobs are queued, which is the limit: try again when some have run", limit),
                      limit);
}

/* The closure goes where the job would have run, or, as that place takes nothing any more, to its owner. */
void
aex_core_refuse (AexCore *self, AexPending *job, AexAcceptance why, GError *error)
{
  GDestroyNotify destroy = g_steal_pointer (&job->destroy);

  if (destroy != NULL)
    aex_destroy_at (job->environment->delivery, destroy, job->data);
  atomic_fetch_or (&job->state, AEX_BIT_UNCOUNTED);
  if (why == AEX_REFUSED_CLOSED)
    aex_pending_cancel_as (job, AEX_CANCEL_CLOSED, NULL);
  else if (why == AEX_REFUSED_CANCELLED)
    aex_pending_cancel_as (job, AEX_CANCEL_EXPLICIT, NULL);
  else if (why == AEX_REFUSED_BUSY)
    aex_pending_reject (job, busy_error (atomic_load (&self->max_pending)));
  else
    aex_pending_reject (job, error);
}

void
aex_core_release_unrun (AexPending *job)
{
  GDestroyNotify destroy = __atomic_exchange_n (&job->destroy, NULL, __ATOMIC_ACQ_REL);

  aex_destroy_at (job->environment->delivery, destroy, job->data);
}

/* By its scope, whose error this is; takes it. */
void
aex_core_refuse_ended (AexCore *self, AexPending *job, GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    {
      aex_core_refuse (self, job, AEX_REFUSED_ERROR, error);
      return;
    }
  aex_core_refuse (self, job, AEX_REFUSED_CANCELLED, NULL);
  g_error_free (error);
}

static AexAcceptance
offer (AexCore *self, AexLane lane, const AexEntry *entry, gboolean goes_on, GError **error)
{
  if (G_LIKELY (!goes_on))
    return AEX_CORE_OPS (self)->submit (self, lane, entry, error);
  if (AEX_CORE_OPS (self)->hand_over (self, lane, entry, error))
    return AEX_ACCEPTED;
  return *error != NULL ? AEX_REFUSED_ERROR : AEX_REFUSED_CLOSED;
}

/* To those around it, before somebody may complete it.  Who ends it before it is accepted leaves its executor alone. */
void
aex_core_make_known (AexPending *job)
{
  atomic_fetch_or (&job->state, AEX_BIT_UNCOUNTED);
  aex_pending_join_trackers (job);
}

static AexPending *
enqueue_job (AexCore *self, AexPending *job, AexLane lane, gboolean goes_on)
{
  AexEntry entry = { &aex_job_kind, job, NULL, NULL };
  gboolean is_known = job->environment->context != NULL;
  AexAcceptance acceptance;
  GError *error = NULL;

  job->lane = (guint8) lane;
  /* What has ended already never starts: it is not even queued. */
  if (G_UNLIKELY (is_known) && !aex_pending_check_scope (job, &error))
    {
      aex_core_refuse_ended (self, job, error);
      return job;
    }
  aex_pending_ref_new (job);
  if (G_UNLIKELY (is_known))
    aex_core_make_known (job);
  aex_checkpoint ();
  acceptance = offer (self, lane, &entry, goes_on, &error);
  if (G_UNLIKELY (acceptance != AEX_ACCEPTED))
    {
      g_object_unref (job);
      aex_core_refuse (self, job, acceptance, error);
      return job;
    }
  if (G_UNLIKELY (is_known))
    aex_pending_accepted (job);
  aex_checkpoint ();
  if (G_UNLIKELY (is_known))
    aex_pending_join_own_scope (job);
  return job;
}

AexPending *
aex_core_submit_job (AexCore *self, AexPending *job, AexLane lane)
{
  return enqueue_job (self, job, lane, FALSE);
}

AexPending *
aex_core_continue_job (AexCore *self, AexPending *job, AexLane lane)
{
  return enqueue_job (self, job, lane, TRUE);
}

/* ---- fire and forget */

static void
post_run (AexEntry *entry, AexTarget *target)
{
  AexThread *thread = aex_thread_get ();
  AexContext *saved = aex_context_enter (thread, NULL);
  GError *error = NULL;

  if (!((AexPostFunc) entry->a) (entry->b, &error))
    {
      if (error == NULL)
        error = g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED,
                                     _("The function failed without setting an error: set one, or return TRUE"));
      target->ops->report (target, NULL, error);
    }
  g_clear_error (&error);
  if (entry->c != NULL)
    ((GDestroyNotify) entry->c) (entry->b);
  aex_context_leave (thread, saved);
}

static void
post_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  if (entry->c != NULL)
    ((GDestroyNotify) entry->c) (entry->b);
}

const AexEntryKind aex_post_kind = { .run = post_run, .drop = post_drop };

typedef struct {
  AexPostFunc func;
  gpointer data;
  GDestroyNotify destroy;
  AexCore *core;
} AexPostJob;

static gboolean
post_job_run (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  AexPostJob *self = data;
  g_autoptr (GError) own_error = NULL;

  (void) job;
  (void) cancellable;
  (void) error;
  if (self->func (self->data, &own_error))
    return TRUE;
  if (own_error == NULL)
    own_error = g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED,
                                     _("The function failed without setting an error: set one, or return TRUE"));
  aex_core_report (&self->core->target, NULL, own_error);
  return TRUE;
}

static void
post_job_free (gpointer data)
{
  AexPostJob *self = data;

  if (self->destroy != NULL)
    self->destroy (self->data);
  aex_target_unref (self->core);
  g_free (self);
}

AexPending *
aex_core_job_for_post (AexCore *self, const AexEntry *post)
{
  AexPostJob *job = g_new0 (AexPostJob, 1);

  job->func = (AexPostFunc) post->a;
  job->data = post->b;
  job->destroy = (GDestroyNotify) post->c;
  job->core = aex_target_ref (self);
  return aex_pending_new_job (&self->target, NULL, (gpointer) post_job_run, job, post_job_free, 0);
}

void
aex_core_undo_post (AexPending *job)
{
  ((AexPostJob *) job->data)->destroy = NULL;
  atomic_fetch_or (&job->state, AEX_BIT_UNCOUNTED);
  aex_pending_cancel_as (job, AEX_CANCEL_CLOSED, NULL);
  g_object_unref (job);
}

/* ---- what runs */

void
aex_core_add_detached (AexCore *self, AexPending *job)
{
  g_mutex_lock (&self->state_lock);
  g_hash_table_add (self->detached, job);
  g_mutex_unlock (&self->state_lock);
}

void
aex_core_remove_detached (AexCore *self, AexPending *job)
{
  g_mutex_lock (&self->state_lock);
  g_hash_table_remove (self->detached, job);
  g_mutex_unlock (&self->state_lock);
}

void
aex_core_cancel_detached (AexCore *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer job;

  /* A job in the table is not done, so something still refers to it. */
  g_mutex_lock (&self->state_lock);
  g_hash_table_iter_init (&iter, self->detached);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    g_ptr_array_add (jobs, g_object_ref (job));
  g_mutex_unlock (&self->state_lock);
  aex_core_cancel_all (jobs);
}

guint
aex_core_n_excused (AexCore *self)
{
  guint n;

  g_mutex_lock (&self->state_lock);
  n = g_hash_table_size (self->excused);
  g_mutex_unlock (&self->state_lock);
  return n;
}

void
aex_core_forget_excused (AexCore *self, AexPending *job)
{
  g_mutex_lock (&self->state_lock);
  g_hash_table_remove (self->excused, job);
  g_mutex_unlock (&self->state_lock);
}

#define TAKING 1

void
aex_run_slots_push (AexRunSlots *self, AexPending *job)
{
  if (self->depth < AEX_RUN_SLOTS)
    atomic_store (&self->job[self->depth], GPOINTER_TO_SIZE (job));
  self->depth++;
}

void
aex_run_slots_pop (AexRunSlots *self, AexPending *job)
{
  gsize mine = GPOINTER_TO_SIZE (job);

  self->depth--;
  if (self->depth >= AEX_RUN_SLOTS)
    return;
  /* Who cancels holds the mark only while he takes a reference. */
  while (!atomic_compare_exchange_weak (&self->job[self->depth], &mine, 0))
    {
      mine = GPOINTER_TO_SIZE (job);
      g_thread_yield ();
    }
}

void
aex_run_slots_collect (AexRunSlots *self, GPtrArray *jobs)
{
  for (guint i = 0; i < AEX_RUN_SLOTS; i++)
    {
      gsize job = atomic_load (&self->job[i]);

      if (job == 0 || job & TAKING
          || !atomic_compare_exchange_strong (&self->job[i], &job, job | TAKING))
        continue;
      g_ptr_array_add (jobs, g_object_ref (GSIZE_TO_POINTER (job)));
      atomic_store (&self->job[i], job);
    }
}

/* When everything was cancelled it was on its way, out of the queue and not yet among what runs, and was not found. */
void
aex_core_cancel_late (AexCore *self, AexPending *job)
{
  const int everything = AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING;

  if (G_UNLIKELY ((atomic_load (&self->shutdown_flags) & everything) == everything))
    aex_pending_cancel (job, NULL);
}

void
aex_core_cancel_all (GPtrArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++)
    aex_pending_cancel (jobs->pdata[i], NULL);
}
