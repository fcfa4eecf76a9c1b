/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-caller-core-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-fork-private.h"

static GMutex cores_lock;      /* guards the table */
static GHashTable *cores;      /* AexHome to AexCallerCore, a reference, until the core has stopped */

static void
forget_core (AexCallerCore *self)
{
  gboolean found;

  g_mutex_lock (&cores_lock);
  found = cores != NULL && g_hash_table_lookup (cores, self->home) == self;
  if (found)
    g_hash_table_remove (cores, self->home);
  g_mutex_unlock (&cores_lock);
  if (found)
    aex_target_unref (self);
}

/* ---- stopping */

void
aex_caller_core_ended (AexCallerCore *self)
{
  aex_target_ref (self);
  aex_caller_core_end_queues (self);
  aex_caller_core_abandon_guests (self);
  if (aex_home_clear_on_dead (self->home, self))
    {
      aex_home_set_executor (self->home, NULL);
      aex_target_unref (self);
    }
  forget_core (self);
  aex_pending_cancel_as (self->started, AEX_CANCEL_CLOSED, NULL);
  aex_pending_record (self->stopping, AEX_TAG_NONE, (AexWord) { 0 });
  aex_core_stopped (&self->core);
  aex_pending_record (self->stopped, AEX_TAG_NONE, (AexWord) { 0 });
  aex_caller_core_end_workers (self);
  aex_caller_core_leave_family (self);
  aex_target_unref (self);
}

static void
check_run (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_caller_core_check_stopped (entry->a);
  aex_target_unref (entry->a);
}

static void
check_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_target_unref (entry->a);
}

static const AexEntryKind check_kind = { .run = check_run, .drop = check_drop };

/* A caller that has its own thread ends with it, and only that thread says so: its context may be gone for others. */
void
aex_caller_core_check_stopped (AexCallerCore *self)
{
  AexEntry entry = { &check_kind, self, NULL, NULL };
  gboolean here = aex_thread_get ()->dispatching == self->home;
  guint n_excused;

  if (!aex_core_is_closed (&self->core) || atomic_load (&self->n_queued) > 0 || atomic_load (&self->n_children) > 0)
    return;
  /* One that stops its own caller is not waited for. */
  if (atomic_load (&self->n_posts) > (here ? (int) self->post_depth : 0))
    return;
  n_excused = aex_core_n_excused (&self->core);
  if (atomic_load (&self->n_running) > (int) n_excused)
    return;
  if (!aex_caller_core_end_guests (self))
    return;
  if (!self->owns_thread)
    {
      aex_caller_core_ended (self);
    }
  else if (here)
    {
      self->quit = TRUE;
    }
  else
    {
      aex_target_ref (self);
      aex_target_post_or_drop (&self->home->target, AEX_LANE_HIGH, &entry);
    }
}

static gboolean
is_my_job (const AexEntry *entry, gpointer data)
{
  AexCallerCore *self = data;

  if (entry->kind == &aex_caller_post_kind)
    return TRUE;
  return (entry->kind == &aex_job_kind || entry->kind == &aex_guest_job_kind)
         && aex_core_has_job (&self->core, ((AexPending *) entry->a)->environment->executor, entry->a);
}

static void
purge_run (AexEntry *entry, AexTarget *target)
{
  AexCallerCore *self = entry->a;

  (void) target;
  atomic_store (&self->purge_posted, FALSE);
  aex_home_drop_matching (self->home, is_my_job, self, TRUE);
  aex_caller_core_check_stopped (self);
  aex_target_unref (self);
}

static const AexEntryKind purge_kind = { .run = purge_run, .drop = check_drop };

/* Drops what is queued: at once what other threads can reach, the rest on the own thread. */
static void
purge (AexCallerCore *self)
{
  AexEntry entry = { &purge_kind, self, NULL, NULL };
  gboolean here = aex_thread_get ()->dispatching == self->home;

  aex_home_drop_matching (self->home, is_my_job, self, here);
  if (here || atomic_exchange (&self->purge_posted, TRUE))
    return;
  aex_target_ref (self);
  aex_target_post_or_drop (&self->home->target, AEX_LANE_HIGH, &entry);
  aex_home_hurry (self->home);
}

static gboolean
is_my_timer (const AexEntry *entry, gpointer data)
{
  return is_my_job (entry, data) && entry->kind != &aex_post_kind
         && ((AexPending *) entry->a)->flags & AEX_FLAG_TIMED;
}

static void
caller_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexCallerCore *self = (AexCallerCore *) core;

  aex_target_ref (self);
  aex_pending_record (self->stopping, AEX_TAG_NONE, (AexWord) { 0 });
  aex_caller_core_end_children (self, flags);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    {
      purge (self);
      aex_caller_core_drop_held (self);
    }
  else
    aex_home_drop_timers (self->home, is_my_timer, self);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING)
    {
      g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

      aex_run_slots_collect (&self->slots, jobs);
      aex_core_cancel_all (jobs);
    }
  aex_caller_core_check_stopped (self);
  aex_target_unref (self);
}

/* The context is being destroyed, on this thread. */
static void
home_died (AexHome *home, gpointer data)
{
  AexCallerCore *self = data;

  aex_home_set_executor (home, NULL);
  atomic_store (&self->n_posts, 0);
  aex_core_enter_state (&self->core, AEX_EXECUTOR_STATE_STOPPING);
  aex_caller_core_end_children (self, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  /* Its children end first; the last of them looks here again. */
  if (!self->owns_thread && atomic_load (&self->n_children) == 0)
    aex_caller_core_ended (self);
  aex_target_unref (self);
}

/* ---- target */

static gboolean
caller_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexHome *home = ((AexCallerCore *) target)->home;

  return home->target.ops->post (&home->target, lane, entry);
}

static gboolean
caller_is_current (AexTarget *target)
{
  AexHome *home = ((AexCallerCore *) target)->home;

  return home->target.ops->is_current (&home->target);
}

static void
caller_finalize (AexTarget *target)
{
  AexCallerCore *self = (AexCallerCore *) target;

  aex_caller_registry_remove (self);
  g_clear_pointer (&self->options, aex_caller_options_free);
  g_clear_pointer (&self->parent, aex_target_unref);
  g_clear_pointer (&self->employer, aex_target_unref);
  g_clear_pointer (&self->workers, aex_target_unref);
  g_ptr_array_unref (self->children);
  g_clear_pointer (&self->queues, g_hash_table_unref);
  g_clear_pointer (&self->held, g_hash_table_unref);
  g_mutex_clear (&self->family_lock);
  g_object_unref (self->started);
  g_object_unref (self->stopping);
  g_object_unref (self->stopped);
  g_clear_error (&self->refusal);
  aex_target_unref (self->home);
  aex_core_clear (&self->core);
  g_free (self);
}

static gboolean
caller_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  (void) target;
  (void) job;
  (void) outside;
  return FALSE;
}

static void
caller_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  AexCallerCore *self = (AexCallerCore *) target;

  switch (event)
    {
    case AEX_JOB_STARTED:
      atomic_fetch_sub_explicit (&self->n_queued, 1, memory_order_relaxed);
      atomic_fetch_add_explicit (&self->n_running, 1, memory_order_relaxed);
      aex_run_slots_push (&self->slots, job);
      if (G_UNLIKELY (atomic_load_explicit (&self->n_held, memory_order_relaxed) > 0))
        aex_caller_core_forget_held (self, job, FALSE);
      if (job->flags & AEX_FLAG_ASYNC)
        aex_core_add_detached (&self->core, job);
      aex_core_cancel_late (&self->core, job);
      break;
    case AEX_JOB_FINISHED:
      atomic_fetch_sub (&self->n_running, 1);
      if (job->flags & AEX_FLAG_ASYNC)
        aex_core_remove_detached (&self->core, job);
      if (G_UNLIKELY (aex_core_is_closed (&self->core)))
        aex_core_forget_excused (&self->core, job);
      break;
    case AEX_JOB_DROPPED:
      atomic_fetch_sub (&self->n_queued, 1);
      if (job->flags & AEX_FLAG_TIMED)
        aex_home_note_dead_timer (self->home);
      if (G_UNLIKELY (atomic_load (&self->n_held) > 0))
        aex_caller_core_forget_held (self, job, TRUE);
      break;
    case AEX_JOB_LEFT:
    default:
      aex_run_slots_pop (&self->slots, job);
      break;
    }
  /* Not when it finishes: its pending is done only after that. */
  if (G_UNLIKELY (event == AEX_JOB_DROPPED || event == AEX_JOB_LEFT || (event == AEX_JOB_FINISHED && job->flags & AEX_FLAG_ASYNC))
      && aex_core_is_closed (&self->core))
    aex_caller_core_check_stopped (self);
}

static void
caller_requeue (AexTarget *target, AexPending *job, AexLane lane, guint generation)
{
  AexCallerCore *self = (AexCallerCore *) target;
  AexEntry entry = { &aex_job_kind, g_object_ref (job), GUINT_TO_POINTER (generation), NULL };

  aex_caller_core_divert (self, &entry);
  aex_target_post_or_drop (&self->home->target, lane, &entry);
}

static gboolean
caller_wait_begin (AexTarget *target)
{
  (void) target;
  return TRUE;
}

static void
caller_wait_end (AexTarget *target)
{
  (void) target;
}

static AexTarget *
caller_cancel_target (AexTarget *target, AexPending *job)
{
  (void) job;
  return aex_target_ref (((AexCallerCore *) target)->home);
}

static guint
caller_count (AexCore *core, gboolean running)
{
  AexCallerCore *self = (AexCallerCore *) core;

  return (guint) MAX (atomic_load (running ? &self->n_running : &self->n_queued), 0);
}

static guint
caller_get_width (AexCore *core)
{
  (void) core;
  return 1;
}

#define CALLER_OPS(closes) { \
  .target = { \
    .post = caller_post, \
    .is_current = caller_is_current, \
    .finalize = caller_finalize, \
    .may_claim = caller_may_claim, \
    .job_event = caller_job_event, \
    .requeue = caller_requeue, \
    .wait_begin = caller_wait_begin, \
    .wait_end = caller_wait_end, \
    .report = aex_core_report, \
    .cancel_target = caller_cancel_target, \
    .get_name = aex_core_get_name, \
  }, \
  .submit = aex_caller_core_submit, \
  .hand_over = aex_caller_core_hand_over, \
  .ensure_thread = aex_caller_core_ensure_thread, \
  .shutdown = caller_shutdown, \
  .count = caller_count, \
  .close_on_dispose = (closes), \
  .get_width = caller_get_width, \
}

/* A caller that adopted a loop of somebody else is only a view of it, and a child is its parent's; one with a thread of
 * its own and no parent ends it. */
static const AexCoreOps kept_ops = CALLER_OPS (FALSE);
static const AexCoreOps thread_ops = CALLER_OPS (TRUE);

#define MAX_IDLE_WORKERS       10
#define IDLE_WORKER_TIMEOUT_US (60 * (gint64) G_USEC_PER_SEC)

/* ---- making */

static void
started_run (AexEntry *entry, AexTarget *target)
{
  AexCallerCore *self = entry->a;

  (void) target;
  aex_core_enter_state (&self->core, AEX_EXECUTOR_STATE_RUNNING);
  aex_pending_record (self->started, AEX_TAG_NONE, (AexWord) { 0 });
  aex_target_unref (self);
}

static const AexEntryKind started_kind = { .run = started_run, .drop = check_drop };

AexCallerCore *
aex_caller_core_new (AexHome *home, const char *name, GMainContext *context, gboolean owns_thread, AexCallerCore *parent)
{
  static _Atomic guint64 last_id;
  AexCallerCore *self = g_new0 (AexCallerCore, 1);

  aex_core_init (&self->core, owns_thread && parent == NULL ? &thread_ops : &kept_ops, NULL);
  self->core.name = g_strdup (name);
  /* The owner of a caller is its own context. */
  g_clear_pointer (&self->core.owner, aex_target_unref);
  self->core.owner = aex_target_ref (home);
  self->home = aex_target_ref (home);
  self->context = context;
  self->owns_thread = owns_thread;
  self->id = atomic_fetch_add (&last_id, 1) + 1;
  self->core.label = g_strdup_printf ("caller-%" G_GUINT64_FORMAT, self->id);
  self->parent = parent != NULL ? aex_target_ref (parent) : NULL;
  self->children = g_ptr_array_new_with_free_func (aex_target_unref);
  g_mutex_init (&self->family_lock);
  atomic_init (&self->max_idle_workers, MAX_IDLE_WORKERS);
  atomic_init (&self->idle_worker_timeout_us, IDLE_WORKER_TIMEOUT_US);
  self->started = aex_pending_new_report (home);
  self->stopping = aex_pending_new_report (home);
  self->stopped = aex_pending_new_report (home);
  return self;
}

/* The lock is held.  The core is in the table until it has stopped, and the home tells it when the context dies. */
static void
enlist (AexCallerCore *self)
{
  if (cores == NULL)
    cores = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (cores, self->home, aex_target_ref (self));
  aex_caller_registry_add (self);
  aex_home_set_executor (self->home, &self->core.target);
  aex_home_set_on_dead (self->home, home_died, aex_target_ref (self));
}

/* Without the lock: a loop that hosts the home is woken by a function of its own. */
static void
post_started (AexCallerCore *self)
{
  AexEntry entry = { &started_kind, aex_target_ref (self), NULL, NULL };

  aex_target_post_or_drop (&self->home->target, AEX_LANE_HIGH, &entry);
}

void
aex_caller_core_enlist (AexCallerCore *self)
{
  g_mutex_lock (&cores_lock);
  enlist (self);
  g_mutex_unlock (&cores_lock);
  post_started (self);
}

AexCallerCore *
aex_caller_core_peek_for_home (AexHome *home)
{
  AexCallerCore *self;

  g_mutex_lock (&cores_lock);
  self = cores != NULL ? g_hash_table_lookup (cores, home) : NULL;
  if (self != NULL)
    aex_target_ref (self);
  g_mutex_unlock (&cores_lock);
  return self;
}

AexCallerCore *
aex_caller_core_ref_for_home (AexHome *home, const AexCallerOptions *options, gboolean *was_made)
{
  AexCallerCore *self, *made;
  gboolean first;

  /* The lock may be held for ever there. */
  if (aex_is_forked ())
    return aex_caller_core_new (home, NULL, NULL, FALSE, NULL);
  self = aex_caller_core_peek_for_home (home);
  if (self != NULL)
    return self;

  made = aex_caller_core_new (home, options != NULL ? options->name : NULL, atomic_load (&home->context), FALSE, NULL);
  made->backend = options != NULL ? options->backend : NULL;
  g_mutex_lock (&cores_lock);
  self = cores != NULL ? g_hash_table_lookup (cores, home) : NULL;
  first = self == NULL;
  if (first)
    enlist (made);
  else
    aex_target_ref (self);
  g_mutex_unlock (&cores_lock);
  if (was_made != NULL)
    *was_made = first;
  if (first)
    {
      post_started (made);
      return made;
    }
  aex_target_unref (made);
  return self;
}

AexCallerCore *
aex_caller_core_new_refusing (GError *error)
{
  AexHome *home = aex_home_new_dead ();
  AexCallerCore *self = aex_caller_core_new (home, NULL, NULL, FALSE, NULL);

  aex_target_unref (home);
  self->refusal = error;
  aex_pending_cancel_as (self->started, AEX_CANCEL_CLOSED, NULL);
  return self;
}
