/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Child threads of a caller that take work one by one: who gets it, and what becomes of it there. */
#include "base/aex-clock-private.h"
#include "executor/aex-caller-workers-private.h"

/* ---- workers */

/* The lock is held. */
static AexWorker *
add_worker (AexCallerWorkers *self, AexCallerCore *caller)
{
  AexWorker *worker = g_new0 (AexWorker, 1);

  worker->caller = aex_target_ref (caller);
  g_ptr_array_add (self->all, worker);
  return worker;
}

/* The lock is held.  Whose job has finished and is just being made done: whoever sees that it is done finds the worker
 * free.  What waits comes first. */
static AexWorker *
take_finished (AexCallerWorkers *self)
{
  for (guint i = 0; self->n_finished > 0 && self->n_waiting == 0 && i < self->all->len; i++)
    {
      AexWorker *worker = self->all->pdata[i];

      if (!worker->has_finished || aex_core_is_closed (&worker->caller->core))
        continue;
      g_hash_table_remove (self->places, worker->job);
      return worker;
    }
  return NULL;
}

/* The lock is held.  The one that has been idle longest; never one that is stopping. */
static AexWorker *
take_idle (AexCallerWorkers *self)
{
  AexWorker *worker;

  while ((worker = g_queue_pop_head (&self->idle)) != NULL)
    if (!aex_core_is_closed (&worker->caller->core))
      return worker;
  return take_finished (self);
}

/* The lock is held. */
static void
set_finished (AexCallerWorkers *self, AexWorker *worker, gboolean has_finished)
{
  self->n_finished += (guint) has_finished - (guint) worker->has_finished;
  worker->has_finished = has_finished;
}

/* The lock is held. */
static gboolean
may_have_more (AexCallerWorkers *self)
{
  guint max = atomic_load (&self->parent->max_workers);

  return max == 0 || self->all->len + self->n_being_made < max;
}

/* ---- giving work */

/* One that was cancelled, or put into another lane, has nothing to do there. */
static gboolean
is_stale (const AexEntry *entry)
{
  guint state = aex_pending_load (entry->a);

  return AEX_PHASE (state) != AEX_PHASE_QUEUED || AEX_GENERATION (state) != GPOINTER_TO_UINT (entry->b);
}

/* The lock is held.  FALSE: nothing waits.  What is stale goes to dead. */
static gboolean
pop_waiting (AexCallerWorkers *self, AexLane *lane, AexEntry *entry, AexQueue *dead)
{
  while (self->n_waiting > 0)
    {
      AexLane order[] = { AEX_LANE_HIGH, AEX_LANE_DEFAULT, AEX_LANE_BACKGROUND };

      if (++self->n_picks % AEX_BACKGROUND_PICK == 0)
        {
          order[0] = AEX_LANE_BACKGROUND;
          order[2] = AEX_LANE_HIGH;
        }
      for (guint i = 0; i < G_N_ELEMENTS (order); i++)
        if (aex_queue_pop (&self->waiting[*lane = order[i]], entry))
          break;
      self->n_waiting--;
      if (!is_stale (entry))
        return TRUE;
      aex_queue_push (dead, entry);
    }
  return FALSE;
}

/* The lock is held. */
static void
reserve (AexCallerWorkers *self, AexWorker *worker, AexPending *job)
{
  set_finished (self, worker, FALSE);
  worker->job = job;
  g_hash_table_insert (self->places, job, worker);
}

/* The lock is held. */
static void
wait_for_worker (AexCallerWorkers *self, AexLane lane, const AexEntry *entry)
{
  aex_queue_push (&self->waiting[lane], entry);
  self->n_waiting++;
}

/* What can run nowhere any more. */
static void
drop_entry (AexCallerWorkers *self, const AexEntry *entry)
{
  AexEntry dropped = *entry;

  dropped.kind->drop (&dropped, &self->core.target);
}

/* FALSE: the worker has ended, and the reservation with it. */
static gboolean
give (AexCallerWorkers *self, AexCallerCore *caller, AexLane lane, const AexEntry *entry)
{
  aex_core_enter_state (&self->core, AEX_EXECUTOR_STATE_RUNNING);
  if (AEX_CORE_OPS (&caller->core)->hand_over (&caller->core, lane, entry, NULL))
    return TRUE;
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->places, entry->a);
  g_mutex_unlock (&self->lock);
  /* It may have ended before it was even listed here. */
  aex_caller_workers_lost (self, caller);
  return FALSE;
}

/* The lock is held.  What a worker does that has nothing more to do: TRUE if it ends. */
static gboolean
retire (AexCallerWorkers *self, AexWorker *worker)
{
  set_finished (self, worker, FALSE);
  worker->job = NULL;
  if (aex_core_is_closed (&worker->caller->core))
    return FALSE;
  if (aex_core_is_closed (&self->core) || self->idle.length >= atomic_load (&self->parent->max_idle_workers))
    return TRUE;
  worker->idle_since_us = aex_clock_now ();
  g_queue_push_tail (&self->idle, worker);
  aex_caller_workers_arm (self);
  return FALSE;
}

/* Nobody's job made a worker: it is there for others, or ends. */
static void
dismiss (AexCallerWorkers *self, AexCallerCore *caller, const AexEntry *entry, gboolean ends)
{
  if (ends)
    g_object_unref (aex_core_shutdown (&caller->core, AEX_SHUTDOWN_FLAGS_NONE));
  drop_entry (self, entry);
  aex_caller_workers_serve (self);
}

/* A new one for entry.  FALSE: there is none, and entry is taken unless error says why not. */
static gboolean
make_worker (AexCallerWorkers *self, AexLane lane, const AexEntry *entry, AexCallerCore **made, GError **error)
{
  g_autoptr (GError) own_error = NULL;
  AexCallerCore *caller = aex_caller_core_ref_child (self->parent, NULL, self, &own_error);
  AexWorker *worker;
  gboolean waits = FALSE, employed = FALSE, ends = FALSE;

  g_mutex_lock (&self->lock);
  self->n_being_made--;
  if (caller != NULL)
    {
      worker = add_worker (self, caller);
      employed = !is_stale (entry);
      if (employed)
        reserve (self, worker, entry->a);
      else
        ends = retire (self, worker);
    }
  else if ((waits = self->all->len > 0))
    {
      wait_for_worker (self, lane, entry);
    }
  g_mutex_unlock (&self->lock);
  if (employed)
    {
      *made = caller;
      return TRUE;
    }
  if (caller != NULL)
    dismiss (self, caller, entry, ends);
  else if (!waits)
    g_propagate_error (error, g_steal_pointer (&own_error));
  g_clear_pointer (&caller, aex_target_unref);
  return FALSE;
}

/* Where a job goes. */
typedef enum { TO_WORKER, TO_NEW_WORKER, TO_WAIT, TO_NOBODY } Way;

/* The lock is held.  A job that has ended before it has a place is nobody's: we are told of that, now or later. */
static Way
choose_way (AexCallerWorkers *self, AexLane lane, const AexEntry *entry, AexCallerCore **caller)
{
  AexWorker *worker;

  if (is_stale (entry))
    return TO_NOBODY;
  worker = take_idle (self);
  if (worker != NULL)
    {
      *caller = aex_target_ref (worker->caller);
      reserve (self, worker, entry->a);
      return TO_WORKER;
    }
  if (may_have_more (self))
    {
      self->n_being_made++;
      return TO_NEW_WORKER;
    }
  wait_for_worker (self, lane, entry);
  return TO_WAIT;
}

/* Takes entry, unless error is set. */
static void
place (AexCallerWorkers *self, AexLane lane, const AexEntry *entry, GError **error)
{
  AexCallerCore *caller = NULL;
  gboolean given = FALSE;

  while (!given)
    {
      Way way;

      g_mutex_lock (&self->lock);
      way = choose_way (self, lane, entry, &caller);
      g_mutex_unlock (&self->lock);
      if (way == TO_NOBODY)
        drop_entry (self, entry);
      if (way == TO_NOBODY || way == TO_WAIT
          || (way == TO_NEW_WORKER && !make_worker (self, lane, entry, &caller, error)))
        return;
      given = give (self, caller, lane, entry);
      g_clear_pointer (&caller, aex_target_unref);
    }
}

static AexAcceptance
workers_submit (AexCore *core, AexLane lane, const AexEntry *submitted, GError **error)
{
  AexCallerWorkers *self = (AexCallerWorkers *) core;
  gboolean is_job = submitted->kind == &aex_job_kind;
  guint max = atomic_load (&core->max_pending);
  AexEntry entry = *submitted;
  AexAcceptance acceptance = AEX_ACCEPTED;
  g_autoptr (GError) own_error = NULL;

  if (!is_job)
    entry = (AexEntry) { &aex_job_kind, aex_core_job_for_post (core, submitted), NULL, NULL };
  g_mutex_lock (&self->lock);
  if (aex_core_is_closed (core))
    acceptance = AEX_REFUSED_CLOSED;
  else if (max > 0 && self->n_queued >= max)
    acceptance = AEX_REFUSED_BUSY;
  else
    self->n_queued++;
  g_mutex_unlock (&self->lock);
  if (acceptance == AEX_ACCEPTED)
    place (self, lane, &entry, &own_error);
  if (own_error != NULL)
    {
      g_mutex_lock (&self->lock);
      self->n_queued--;
      g_mutex_unlock (&self->lock);
      acceptance = g_error_matches (own_error, AEX_ERROR, AEX_ERROR_CLOSED) ? AEX_REFUSED_CLOSED : AEX_REFUSED_ERROR;
      if (acceptance == AEX_REFUSED_ERROR)
        g_propagate_error (error, g_steal_pointer (&own_error));
    }
  if (acceptance != AEX_ACCEPTED && !is_job)
    aex_core_undo_post (entry.a);
  return acceptance;
}

static gboolean
workers_hand_over (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexCallerWorkers *self = (AexCallerWorkers *) core;
  GError *own_error = NULL;

  g_mutex_lock (&self->lock);
  self->n_queued++;
  g_mutex_unlock (&self->lock);
  place (self, lane, entry, &own_error);
  if (own_error == NULL)
    return TRUE;
  g_mutex_lock (&self->lock);
  self->n_queued--;
  g_mutex_unlock (&self->lock);
  g_propagate_error (error, own_error);
  return FALSE;
}

/* What is no job: to whoever is there. */
static gboolean
workers_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexCallerWorkers *self = (AexCallerWorkers *) target;

  return self->parent->core.target.ops->post (&self->parent->core.target, lane, entry);
}

/* While something waits and may be run. */
void
aex_caller_workers_serve (AexCallerWorkers *self)
{
  AexQueue dead = { 0 };
  AexEntry entry;
  AexLane lane;
  gboolean found;

  do
    {
      g_autoptr (GError) error = NULL;

      g_mutex_lock (&self->lock);
      found = (!g_queue_is_empty (&self->idle) || may_have_more (self)) && pop_waiting (self, &lane, &entry, &dead);
      g_mutex_unlock (&self->lock);
      if (found)
        place (self, lane, &entry, &error);
      if (error != NULL)
        drop_entry (self, &entry);
    }
  while (found);
  aex_queue_drop_all (&dead, &self->core.target);
  aex_queue_clear (&dead);
}

/* ---- what becomes of a job */

/* job is done, or will never be: its worker takes the next one. */
static void
worker_is_free (AexCallerWorkers *self, AexPending *job)
{
  AexCallerCore *caller = NULL;
  AexQueue dead = { 0 };
  AexEntry entry;
  AexLane lane = AEX_LANE_DEFAULT;
  gboolean more = FALSE, ends = FALSE;
  AexWorker *worker;

  g_mutex_lock (&self->lock);
  worker = g_hash_table_lookup (self->places, job);
  g_hash_table_remove (self->places, job);
  if (worker != NULL)
    {
      caller = aex_target_ref (worker->caller);
      more = !aex_core_is_closed (&caller->core) && pop_waiting (self, &lane, &entry, &dead);
      if (more)
        reserve (self, worker, entry.a);
      else
        ends = retire (self, worker);
    }
  g_mutex_unlock (&self->lock);
  if (more && !give (self, caller, lane, &entry))
    drop_entry (self, &entry);
  if (ends)
    g_object_unref (aex_core_shutdown (&caller->core, AEX_SHUTDOWN_FLAGS_NONE));
  g_clear_pointer (&caller, aex_target_unref);
  aex_queue_drop_all (&dead, &self->core.target);
  aex_queue_clear (&dead);
}

/* A reference; NULL: none. */
static AexCallerCore *
ref_place (AexCallerWorkers *self, AexPending *job)
{
  AexCallerCore *caller = NULL;
  AexWorker *worker;

  g_mutex_lock (&self->lock);
  worker = g_hash_table_lookup (self->places, job);
  if (worker != NULL)
    caller = aex_target_ref (worker->caller);
  g_mutex_unlock (&self->lock);
  return caller;
}

/* The one whose thread this is; a reference. */
static AexCallerCore *
ref_own (AexCallerWorkers *self)
{
  AexHome *home = aex_thread_get ()->dispatching;
  AexCallerCore *caller = NULL;

  g_mutex_lock (&self->lock);
  for (guint i = 0; caller == NULL && i < self->all->len; i++)
    if (((AexWorker *) self->all->pdata[i])->caller->home == home)
      caller = aex_target_ref (((AexWorker *) self->all->pdata[i])->caller);
  g_mutex_unlock (&self->lock);
  return caller;
}

static void
count_event (AexCallerWorkers *self, AexPending *job, AexJobEvent event)
{
  AexWorker *worker;

  g_mutex_lock (&self->lock);
  if (event == AEX_JOB_STARTED || event == AEX_JOB_DROPPED)
    self->n_queued--;
  if (event == AEX_JOB_STARTED)
    self->n_running++;
  if (event == AEX_JOB_FINISHED)
    {
      self->n_running--;
      worker = g_hash_table_lookup (self->places, job);
      if (worker != NULL)
        set_finished (self, worker, TRUE);
    }
  g_mutex_unlock (&self->lock);
}

static void
workers_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  AexCallerWorkers *self = (AexCallerWorkers *) target;
  AexCallerCore *caller = event == AEX_JOB_LEFT ? ref_own (self) : ref_place (self, job);

  count_event (self, job, event);
  if (event == AEX_JOB_FINISHED && aex_core_is_closed (&self->core))
    aex_core_forget_excused (&self->core, job);
  if (caller != NULL)
    {
      caller->core.target.ops->job_event (&caller->core.target, job, event);
      aex_target_unref (caller);
    }
  if (event == AEX_JOB_DROPPED)
    worker_is_free (self, job);
}

static void
workers_job_settled (AexTarget *target, AexPending *job)
{
  worker_is_free ((AexCallerWorkers *) target, job);
}

static void
workers_requeue (AexTarget *target, AexPending *job, AexLane lane, guint generation)
{
  AexCallerWorkers *self = (AexCallerWorkers *) target;
  AexEntry entry = { &aex_job_kind, g_object_ref (job), GUINT_TO_POINTER (generation), NULL };
  AexCallerCore *caller = NULL;
  AexWorker *worker;

  g_mutex_lock (&self->lock);
  worker = g_hash_table_lookup (self->places, job);
  if (worker != NULL)
    caller = aex_target_ref (worker->caller);
  else
    wait_for_worker (self, lane, &entry);
  g_mutex_unlock (&self->lock);
  if (caller == NULL)
    {
      aex_caller_workers_serve (self);
      return;
    }
  aex_target_post_or_drop (&caller->core.target, lane, &entry);
  aex_target_unref (caller);
}

/* ---- where it runs */

static gboolean
workers_is_current (AexTarget *target)
{
  AexCallerCore *own = ref_own ((AexCallerWorkers *) target);

  if (own == NULL)
    return FALSE;
  aex_target_unref (own);
  return TRUE;
}

static AexTarget *
workers_get_place (AexTarget *target, AexPending *job)
{
  return (AexTarget *) ref_place ((AexCallerWorkers *) target, job);
}

static AexTarget *
workers_cancel_target (AexTarget *target, AexPending *job)
{
  AexCallerCore *caller = job != NULL ? ref_place ((AexCallerWorkers *) target, job) : NULL;
  AexTarget *home;

  if (caller == NULL)
    return NULL;
  home = aex_target_ref (caller->home);
  aex_target_unref (caller);
  return home;
}

static gboolean
workers_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  (void) target;
  (void) job;
  (void) outside;
  return FALSE;
}

static gboolean
workers_wait_begin (AexTarget *target)
{
  (void) target;
  return TRUE;
}

static void
workers_wait_end (AexTarget *target)
{
  (void) target;
}

static void
workers_report (AexTarget *target, AexPending *job, const GError *error)
{
  aex_core_report (&((AexCallerWorkers *) target)->parent->core.target, job, error);
}

static guint
workers_count (AexCore *core, gboolean running)
{
  AexCallerWorkers *self = (AexCallerWorkers *) core;
  guint n;

  g_mutex_lock (&self->lock);
  n = running ? self->n_running : self->n_queued;
  g_mutex_unlock (&self->lock);
  return n;
}

static guint
workers_get_width (AexCore *core)
{
  guint max = atomic_load (&((AexCallerWorkers *) core)->parent->max_workers);

  return max > 0 ? max : MAX (atomic_load (&((AexCallerWorkers *) core)->parent->max_idle_workers), 1);
}

/* ---- the rest */

static void
workers_finalize (AexTarget *target)
{
  AexCallerWorkers *self = (AexCallerWorkers *) target;

  g_ptr_array_unref (self->all);
  g_queue_clear (&self->idle);
  g_hash_table_unref (self->places);
  for (guint i = 0; i < AEX_N_LANES; i++)
    aex_queue_clear (&self->waiting[i]);
  g_mutex_clear (&self->lock);
  aex_target_unref (self->parent);
  aex_core_clear (&self->core);
  g_free (self);
}

const AexCoreOps aex_caller_workers_ops = {
  .target = {
    .post = workers_post,
    .is_current = workers_is_current,
    .finalize = workers_finalize,
    .may_claim = workers_may_claim,
    .job_event = workers_job_event,
    .job_settled = workers_job_settled,
    .requeue = workers_requeue,
    .wait_begin = workers_wait_begin,
    .wait_end = workers_wait_end,
    .report = workers_report,
    .cancel_target = workers_cancel_target,
    .get_place = workers_get_place,
    .get_name = aex_core_get_name,
  },
  .submit = workers_submit,
  .hand_over = workers_hand_over,
  .shutdown = aex_caller_workers_begin_end,
  .count = workers_count,
  .get_width = workers_get_width,
  .jobs_only = TRUE,
};
