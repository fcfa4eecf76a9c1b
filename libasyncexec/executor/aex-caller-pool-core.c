/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who of several callers gets a job, and what becomes of it there. */
#include "executor/aex-caller-pool-core-private.h"

#include "pending/aex-value-private.h"

/* ---- choosing */

/* The lock is held.  The least loaded, of several the first; -1: none takes work. */
static int
pick (AexCallerPoolCore *self, AexExecutorState at_most)
{
  int found = -1;

  for (guint i = 0; i < self->n_callers; i++)
    if (atomic_load (&self->callers[i]->core.state) <= (int) at_most
        && (found < 0 || self->loads[i] < self->loads[found]))
      found = (int) i;
  return found;
}

int
aex_caller_pool_core_pick (AexCallerPoolCore *self)
{
  int found;

  g_mutex_lock (&self->lock);
  found = aex_core_is_closed (&self->core) ? -1 : pick (self, AEX_EXECUTOR_STATE_RUNNING);
  g_mutex_unlock (&self->lock);
  return found;
}

/* No place is needed: the job has ended before it had one.  We are told of that, now or later, and find none. */
#define NOBODYS (-2)

/* The lock is held. */
static int
reserve (AexCallerPoolCore *self, AexPending *job, AexExecutorState at_most)
{
  int found = pick (self, at_most);

  if (found >= 0 && AEX_PHASE (aex_pending_load (job)) != AEX_PHASE_QUEUED)
    return NOBODYS;
  if (found < 0)
    return found;
  self->loads[found]++;
  self->n_queued++;
  g_hash_table_insert (self->places, job, GINT_TO_POINTER (found + 1));
  return found;
}

static AexCallerCore *
lookup (AexCallerPoolCore *self, AexPending *job)
{
  guint place;

  g_mutex_lock (&self->lock);
  place = GPOINTER_TO_UINT (g_hash_table_lookup (self->places, job));
  g_mutex_unlock (&self->lock);
  return place > 0 ? self->callers[place - 1] : NULL;
}

/* ---- taking work */

/* FALSE: the caller has ended, and the reservation with it. */
static gboolean
give (AexCallerPoolCore *self, int place, AexLane lane, const AexEntry *entry)
{
  AexCore *caller = &self->callers[place]->core;

  aex_core_enter_state (&self->core, AEX_EXECUTOR_STATE_RUNNING);
  if (AEX_CORE_OPS (caller)->hand_over (caller, lane, entry, NULL))
    return TRUE;
  g_mutex_lock (&self->lock);
  self->loads[place]--;
  self->n_queued--;
  g_hash_table_remove (self->places, entry->a);
  g_mutex_unlock (&self->lock);
  return FALSE;
}

/* The lock is held. */
static AexAcceptance
accept (AexCallerPoolCore *self, AexPending *job, int *place)
{
  guint max = atomic_load (&self->core.max_pending);

  if (aex_core_is_closed (&self->core))
    return AEX_REFUSED_CLOSED;
  if (max > 0 && self->n_queued >= max)
    return AEX_REFUSED_BUSY;
  *place = reserve (self, job, AEX_EXECUTOR_STATE_RUNNING);
  return *place >= 0 || *place == NOBODYS ? AEX_ACCEPTED : AEX_REFUSED_CLOSED;
}

static AexAcceptance
pool_submit (AexCore *core, AexLane lane, const AexEntry *submitted, GError **error)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) core;
  gboolean is_job = submitted->kind == &aex_job_kind;
  AexEntry entry = *submitted;
  AexAcceptance acceptance;
  int place;

  (void) error;
  if (!is_job)
    entry = (AexEntry) { &aex_job_kind, aex_core_job_for_post (core, submitted), NULL, NULL };
  g_mutex_lock (&self->lock);
  acceptance = accept (self, entry.a, &place);
  g_mutex_unlock (&self->lock);
  if (acceptance != AEX_ACCEPTED)
    {
      if (!is_job)
        aex_core_undo_post (entry.a);
      return acceptance;
    }
  if (place == NOBODYS || !give (self, place, lane, &entry))
    /* Or it ended just now: as if it had been dropped there. */
    entry.kind->drop (&entry, &core->target);
  return AEX_ACCEPTED;
}

static gboolean
pool_hand_over (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) core;
  int place;

  (void) error;
  g_mutex_lock (&self->lock);
  place = reserve (self, entry->a, pick (self, AEX_EXECUTOR_STATE_RUNNING) >= 0 ? AEX_EXECUTOR_STATE_RUNNING
                                                                                : AEX_EXECUTOR_STATE_STOPPING);
  g_mutex_unlock (&self->lock);
  if (place == NOBODYS)
    {
      AexEntry dropped = *entry;

      dropped.kind->drop (&dropped, &core->target);
    }
  return place == NOBODYS || (place >= 0 && give (self, place, lane, entry));
}

/* What is no job is no load: to the first that is there. */
static gboolean
pool_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) target;

  for (guint i = 0; i < self->n_callers; i++)
    if (self->callers[i]->core.target.ops->post (&self->callers[i]->core.target, lane, entry))
      return TRUE;
  return FALSE;
}

/* ---- what becomes of a job */

static AexCallerCore *
own_caller (AexCallerPoolCore *self)
{
  AexHome *home = aex_thread_get ()->dispatching;

  for (guint i = 0; i < self->n_callers; i++)
    if (self->callers[i]->home == home)
      return self->callers[i];
  return NULL;
}

/* Gives the load back before the pending is done; the place is kept until then, for whoever cancels it. */
static AexCallerCore *
count (AexCallerPoolCore *self, AexPending *job, AexJobEvent event)
{
  guint place;

  g_mutex_lock (&self->lock);
  place = GPOINTER_TO_UINT (g_hash_table_lookup (self->places, job));
  if (place > 0 && event != AEX_JOB_FINISHED)
    self->n_queued--;
  if (place > 0 && event == AEX_JOB_STARTED)
    self->n_running++;
  if (place > 0 && event == AEX_JOB_FINISHED)
    self->n_running--;
  if (place > 0 && event != AEX_JOB_STARTED)
    self->loads[place - 1]--;
  if (event == AEX_JOB_DROPPED)
    g_hash_table_remove (self->places, job);
  g_mutex_unlock (&self->lock);
  return place > 0 ? self->callers[place - 1] : NULL;
}

static void
pool_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) target;
  AexCallerCore *caller = event == AEX_JOB_LEFT ? own_caller (self) : count (self, job, event);

  if (event == AEX_JOB_FINISHED && aex_core_is_closed (&self->core))
    aex_core_forget_excused (&self->core, job);
  if (caller != NULL)
    caller->core.target.ops->job_event (&caller->core.target, job, event);
}

static void
pool_job_settled (AexTarget *target, AexPending *job)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) target;

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->places, job);
  g_mutex_unlock (&self->lock);
}

static void
pool_requeue (AexTarget *target, AexPending *job, AexLane lane, guint generation)
{
  AexCallerCore *caller = lookup ((AexCallerPoolCore *) target, job);
  AexEntry entry = { &aex_job_kind, g_object_ref (job), GUINT_TO_POINTER (generation), NULL };
  AexTarget *place = caller != NULL ? &caller->core.target : target;

  /* One that was dropped meanwhile still has a closure to be released, on a caller. */
  aex_target_post_or_drop (place, lane, &entry);
}

static gboolean
pool_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  (void) target;
  (void) job;
  (void) outside;
  return FALSE;
}

static gboolean
pool_wait_begin (AexTarget *target)
{
  (void) target;
  return TRUE;
}

static void
pool_wait_end (AexTarget *target)
{
  (void) target;
}

/* ---- where it runs */

static gboolean
pool_is_current (AexTarget *target)
{
  return own_caller ((AexCallerPoolCore *) target) != NULL;
}

static AexTarget *
pool_cancel_target (AexTarget *target, AexPending *job)
{
  AexCallerCore *caller = job != NULL ? lookup ((AexCallerPoolCore *) target, job) : NULL;

  return caller != NULL ? aex_target_ref (caller->home) : NULL;
}

static AexTarget *
pool_get_place (AexTarget *target, AexPending *job)
{
  AexCallerCore *caller = lookup ((AexCallerPoolCore *) target, job);

  return caller != NULL ? aex_target_ref (caller) : NULL;
}

static AexTarget *
pool_get_stop_home (AexCore *core)
{
  AexCallerCore *caller = own_caller ((AexCallerPoolCore *) core);

  return caller != NULL ? aex_target_ref (caller->home) : NULL;
}

/* ---- ending */

static void
pool_ended (AexCallerPoolCore *self)
{
  GPtrArray *objects;

  g_mutex_lock (&self->lock);
  objects = g_steal_pointer (&self->objects);
  g_mutex_unlock (&self->lock);
  while (objects != NULL && objects->len > 0)
    aex_object_release (g_ptr_array_steal_index_fast (objects, objects->len - 1), self->core.owner);
  g_clear_pointer (&objects, g_ptr_array_unref);
  aex_core_stopped (&self->core);
}

/* On its own thread, the last thing it does; or on that of whoever makes the pool, if it ended so soon. */
static void
caller_has_stopped (AexPending *watch, gpointer data)
{
  AexCallerPoolCore *self = data;

  (void) watch;
  if (atomic_fetch_sub (&self->n_alive, 1) == 1)
    pool_ended (self);
}

static void
pool_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) core;

  aex_target_ref (self);
  for (guint i = 0; i < self->n_callers; i++)
    g_object_unref (aex_core_shutdown (&self->callers[i]->core, flags));
  if (self->n_callers == 0)
    pool_ended (self);
  aex_target_unref (self);
}

/* ---- the rest */

static guint
pool_count (AexCore *core, gboolean running)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) core;
  guint n;

  g_mutex_lock (&self->lock);
  n = running ? self->n_running : self->n_queued;
  g_mutex_unlock (&self->lock);
  return n;
}

static guint
pool_get_width (AexCore *core)
{
  return MAX (((AexCallerPoolCore *) core)->n_callers, 1);
}

static void
pool_finalize (AexTarget *target)
{
  AexCallerPoolCore *self = (AexCallerPoolCore *) target;

  for (guint i = 0; i < self->n_callers; i++)
    aex_target_unref (self->callers[i]);
  g_free (self->callers);
  g_free (self->loads);
  g_ptr_array_unref (self->watches);
  g_clear_pointer (&self->objects, g_ptr_array_unref);
  g_hash_table_unref (self->places);
  g_mutex_clear (&self->lock);
  aex_core_clear (&self->core);
  g_free (self);
}

static const AexCoreOps pool_ops = {
  .target = {
    .post = pool_post,
    .is_current = pool_is_current,
    .finalize = pool_finalize,
    .may_claim = pool_may_claim,
    .job_event = pool_job_event,
    .job_settled = pool_job_settled,
    .requeue = pool_requeue,
    .wait_begin = pool_wait_begin,
    .wait_end = pool_wait_end,
    .report = aex_core_report,
    .cancel_target = pool_cancel_target,
    .get_place = pool_get_place,
    .get_name = aex_core_get_name,
  },
  .submit = pool_submit,
  .hand_over = pool_hand_over,
  .shutdown = pool_shutdown,
  .count = pool_count,
  .get_stop_home = pool_get_stop_home,
  .close_on_dispose = TRUE,
  .get_width = pool_get_width,
  .jobs_only = TRUE,
};

static gboolean
start_caller (AexCallerPoolCore *self, guint index, const char *name, GError **error)
{
  g_autofree char *own_name = g_strdup_printf ("%s-%u", name != NULL ? name : "caller", index);
  AexCallerOptions options = { .name = own_name };
  AexCallerCore *caller = aex_caller_core_new_thread (&options, NULL, NULL, error);

  if (caller == NULL)
    return FALSE;
  self->callers[index] = caller;
  self->n_callers++;
  g_ptr_array_add (self->objects, aex_caller_ref_for_core (caller, own_name));
  return TRUE;
}

static void
watch_callers (AexCallerPoolCore *self)
{
  atomic_store (&self->n_alive, (int) self->n_callers);
  for (guint i = 0; i < self->n_callers; i++)
    {
      AexPending *watch = aex_pending_new_report (NULL);

      g_ptr_array_add (self->watches, watch);
      aex_pending_add_done_callback_inline (watch, caller_has_stopped, aex_target_ref (self), aex_target_unref);
      aex_core_watch_stop (&self->callers[i]->core, watch);
    }
}

AexCallerPoolCore *
aex_caller_pool_core_new (AexExecutor *facade, guint n_callers, const char *name, GError **error)
{
  AexCallerPoolCore *self = g_new0 (AexCallerPoolCore, 1);
  gboolean ok = TRUE;

  aex_core_init (&self->core, &pool_ops, facade);
  g_mutex_init (&self->lock);
  self->callers = g_new0 (AexCallerCore *, n_callers);
  self->loads = g_new0 (guint, n_callers);
  self->watches = g_ptr_array_new_with_free_func (g_object_unref);
  self->objects = g_ptr_array_new_with_free_func (g_object_unref);
  self->places = g_hash_table_new (NULL, NULL);
  for (guint i = 0; ok && i < n_callers; i++)
    ok = start_caller (self, i, name, error);
  watch_callers (self);
  if (!ok)
    g_object_unref (aex_core_shutdown (&self->core, AEX_SHUTDOWN_FLAGS_NONE));
  return self;
}
