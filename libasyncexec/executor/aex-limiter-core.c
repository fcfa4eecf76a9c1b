/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The limiter as an executor: what is submitted to it, and what becomes of its jobs on the wrapped one. */
#include "executor/aex-limiter-core-private.h"

/* ---- taking work */

static void
push (AexLimiterCore *self, AexLane lane, const AexEntry *entry)
{
  aex_queue_push (&self->queue[lane], entry);
  self->n_waiting++;
}

/* The lock is held.  Who wants a permit does his work himself. */
static AexAcceptance
accepts (AexLimiterCore *self, gboolean is_acquire)
{
  guint max = atomic_load (&self->core.max_pending);

  if (aex_core_is_closed (&self->core) || (!is_acquire && aex_core_is_closed (self->wrapped)))
    return AEX_REFUSED_CLOSED;
  return max > 0 && self->n_waiting + self->n_handed >= (int) max ? AEX_REFUSED_BUSY : AEX_ACCEPTED;
}

static AexAcceptance
limiter_submit (AexCore *core, AexLane lane, const AexEntry *submitted, GError **error)
{
  AexLimiterCore *self = (AexLimiterCore *) core;
  gboolean is_job = submitted->kind == &aex_job_kind;
  AexEntry entry = *submitted;
  AexAcceptance acceptance;

  (void) error;
  if (!is_job)
    entry = (AexEntry) { &aex_job_kind, aex_core_job_for_post (core, submitted), NULL, NULL };
  g_mutex_lock (&self->lock);
  acceptance = accepts (self, aex_limiter_is_acquire (entry.a));
  if (acceptance == AEX_ACCEPTED)
    push (self, lane, &entry);
  g_mutex_unlock (&self->lock);
  if (acceptance != AEX_ACCEPTED)
    {
      if (!is_job)
        aex_core_undo_post (entry.a);
      return acceptance;
    }
  aex_core_enter_state (core, AEX_EXECUTOR_STATE_RUNNING);
  aex_limiter_pump (self);
  return AEX_ACCEPTED;
}

static gboolean
limiter_hand_over (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexLimiterCore *self = (AexLimiterCore *) core;
  gboolean ok;

  (void) error;
  g_mutex_lock (&self->lock);
  ok = !self->stopped;
  if (ok)
    push (self, lane, entry);
  g_mutex_unlock (&self->lock);
  if (!ok)
    return FALSE;
  aex_core_enter_state (core, AEX_EXECUTOR_STATE_RUNNING);
  aex_limiter_pump (self);
  return TRUE;
}

/* What is no job needs no slot. */
static gboolean
limiter_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexLimiterCore *self = (AexLimiterCore *) target;

  return self->wrapped->target.ops->post (&self->wrapped->target, lane, entry);
}

/* ---- what becomes of a job */

static AexHandOver
lookup (AexLimiterCore *self, AexPending *job)
{
  return aex_slot_get_state (GPOINTER_TO_UINT (g_hash_table_lookup (self->slots, job)));
}

/* The lock is held.  What was noted beside it stays. */
static void
become_late (AexLimiterCore *self, AexPending *job)
{
  guint slot = GPOINTER_TO_UINT (g_hash_table_lookup (self->slots, job));

  g_hash_table_insert (self->slots, job, GUINT_TO_POINTER ((slot & ~0xffu) | AEX_HAND_OVER_LATE));
}

static void
job_dropped (AexLimiterCore *self, AexPending *job)
{
  gboolean tell = FALSE;

  g_mutex_lock (&self->lock);
  switch (lookup (self, job))
    {
    case AEX_HAND_OVER_BEGUN:
      become_late (self, job);
      self->n_handed--;
      break;
    case AEX_HAND_OVER_DONE:
      tell = TRUE;
      G_GNUC_FALLTHROUGH;
    case AEX_HAND_OVER_FAILED:
      g_hash_table_remove (self->slots, job);
      self->n_handed--;
      self->n_slots--;
      break;
    case AEX_HAND_OVER_LATE:
    default:
      self->n_waiting--;
      break;
    }
  g_mutex_unlock (&self->lock);
  if (tell)
    self->wrapped->target.ops->job_event (&self->wrapped->target, job, AEX_JOB_DROPPED);
  aex_limiter_pump (self);
}

static void
count (AexLimiterCore *self, AexJobEvent event)
{
  g_mutex_lock (&self->lock);
  if (event == AEX_JOB_STARTED)
    self->n_handed--;
  self->n_running += event == AEX_JOB_STARTED ? 1 : -1;
  g_mutex_unlock (&self->lock);
}

static void
limiter_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  AexLimiterCore *self = (AexLimiterCore *) target;
  AexTarget *wrapped = &self->wrapped->target;

  switch (event)
    {
    case AEX_JOB_STARTED:
      count (self, event);
      aex_core_add_detached (&self->core, job);
      wrapped->ops->job_event (wrapped, job, event);
      aex_core_cancel_late (&self->core, job);
      break;
    case AEX_JOB_FINISHED:
      aex_core_remove_detached (&self->core, job);
      count (self, event);
      if (aex_core_is_closed (&self->core))
        aex_core_forget_excused (&self->core, job);
      wrapped->ops->job_event (wrapped, job, event);
      break;
    case AEX_JOB_DROPPED:
      job_dropped (self, job);
      aex_limiter_check_stopped (self);
      break;
    case AEX_JOB_LEFT:
    default:
      wrapped->ops->job_event (wrapped, job, event);
      break;
    }
}

static void
limiter_job_settled (AexTarget *target, AexPending *job)
{
  AexLimiterCore *self = (AexLimiterCore *) target;
  AexTarget *wrapped = &self->wrapped->target;

  if (wrapped->ops->job_settled != NULL)
    wrapped->ops->job_settled (wrapped, job);
  g_mutex_lock (&self->lock);
  if (g_hash_table_remove (self->slots, job))
    self->n_slots--;
  g_mutex_unlock (&self->lock);
  aex_limiter_pump (self);
  aex_limiter_check_stopped (self);
}

/* Its entry has lost its validity, wherever it is.  Between the limiter and the wrapped executor it is only noted. */
static void
limiter_requeue (AexTarget *target, AexPending *job, AexLane lane, guint generation)
{
  AexLimiterCore *self = (AexLimiterCore *) target;
  AexTarget *wrapped = &self->wrapped->target;
  AexEntry entry = { &aex_job_kind, NULL, GUINT_TO_POINTER (generation), NULL };
  AexHandOver state;

  g_mutex_lock (&self->lock);
  state = lookup (self, job);
  if (state == 0)
    {
      entry.a = g_object_ref (job);
      aex_queue_push (&self->queue[lane], &entry);
    }
  else if (state == AEX_HAND_OVER_BEGUN || state == AEX_HAND_OVER_LATE)
    {
      g_hash_table_insert (self->slots, job, GUINT_TO_POINTER (aex_slot_move (state, lane, generation)));
    }
  g_mutex_unlock (&self->lock);
  if (state == 0)
    aex_limiter_pump (self);
  else if (state == AEX_HAND_OVER_DONE && wrapped->ops->requeue != NULL)
    wrapped->ops->requeue (wrapped, job, lane, generation);
}

/* ---- who waits */

/* A job that has a slot may run anywhere, within the limit; one that has none may run nowhere. */
static gboolean
limiter_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  AexLimiterCore *self = (AexLimiterCore *) target;
  AexTarget *wrapped = &self->wrapped->target;
  gboolean handed;

  g_mutex_lock (&self->lock);
  handed = lookup (self, job) == AEX_HAND_OVER_DONE;
  g_mutex_unlock (&self->lock);
  return handed && wrapped->ops->may_claim (wrapped, job, outside);
}

/* A permit may come back from anywhere: only when jobs have all the slots can nobody else help. */
static gboolean
limiter_waits_for_others (AexTarget *target, AexPending *job, GPtrArray *others)
{
  AexLimiterCore *self = (AexLimiterCore *) target;
  AexTarget *wrapped = &self->wrapped->target;
  gboolean waits, has_slot;
  GHashTableIter iter;
  gpointer other;

  g_mutex_lock (&self->lock);
  has_slot = lookup (self, job) != 0;
  waits = !has_slot && g_hash_table_size (self->slots) >= self->max_concurrent;
  g_hash_table_iter_init (&iter, self->slots);
  while (waits && g_hash_table_iter_next (&iter, &other, NULL))
    g_ptr_array_add (others, g_object_ref (other));
  g_mutex_unlock (&self->lock);
  if (has_slot && wrapped->ops->waits_for_others != NULL)
    return wrapped->ops->waits_for_others (wrapped, job, others);
  return waits;
}

static gboolean
limiter_wait_begin (AexTarget *target)
{
  AexTarget *wrapped = &((AexLimiterCore *) target)->wrapped->target;

  return wrapped->ops->wait_begin (wrapped);
}

static void
limiter_wait_end (AexTarget *target)
{
  AexTarget *wrapped = &((AexLimiterCore *) target)->wrapped->target;

  wrapped->ops->wait_end (wrapped);
}

/* ---- where it runs */

static gboolean
limiter_is_current (AexTarget *target)
{
  AexTarget *wrapped = &((AexLimiterCore *) target)->wrapped->target;

  return wrapped->ops->is_current (wrapped);
}

static AexTarget *
limiter_cancel_target (AexTarget *target, AexPending *job)
{
  AexTarget *wrapped = &((AexLimiterCore *) target)->wrapped->target;

  return wrapped->ops->cancel_target (wrapped, job);
}

static AexTarget *
limiter_job_home (AexTarget *target, AexPending *job)
{
  AexTarget *wrapped = &((AexLimiterCore *) target)->wrapped->target;

  return wrapped->ops->job_home != NULL ? wrapped->ops->job_home (wrapped, job) : wrapped->ops->cancel_target (wrapped, job);
}

static AexTarget *
limiter_get_place (AexTarget *target, AexPending *job)
{
  AexLimiterCore *self = (AexLimiterCore *) target;
  gboolean handed;

  g_mutex_lock (&self->lock);
  handed = lookup (self, job) != 0;
  g_mutex_unlock (&self->lock);
  return handed ? aex_target_ref (self->wrapped) : NULL;
}

static AexTarget *
limiter_get_stop_home (AexCore *core)
{
  return limiter_job_home (&core->target, NULL);
}

/* ---- the rest */

static void
limiter_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexLimiterCore *self = (AexLimiterCore *) core;

  aex_target_ref (self);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    aex_limiter_drop_queued (self, TRUE);
  aex_limiter_check_stopped (self);
  aex_target_unref (self);
}

/* On whatever thread. */
static void
wrapped_stopped (AexPending *watch, gpointer data)
{
  (void) watch;
  aex_limiter_drop_queued (data, FALSE);
}

static guint
limiter_count (AexCore *core, gboolean running)
{
  AexLimiterCore *self = (AexLimiterCore *) core;
  int n;

  g_mutex_lock (&self->lock);
  n = running ? self->n_running : self->n_waiting + self->n_handed;
  g_mutex_unlock (&self->lock);
  return (guint) MAX (n, 0);
}

static guint
limiter_get_width (AexCore *core)
{
  AexLimiterCore *self = (AexLimiterCore *) core;

  return MIN (aex_limiter_core_get_max_concurrent (self), AEX_CORE_OPS (self->wrapped)->get_width (self->wrapped));
}

static void
limiter_finalize (AexTarget *target)
{
  AexLimiterCore *self = (AexLimiterCore *) target;

  for (guint i = 0; i < AEX_N_LANES; i++)
    {
      aex_queue_drop_all (&self->queue[i], target);
      aex_queue_clear (&self->queue[i]);
    }
  g_hash_table_unref (self->slots);
  g_clear_object (&self->watch);
  g_clear_object (&self->wrapped_object);
  aex_target_unref (self->wrapped);
  g_mutex_clear (&self->lock);
  aex_core_clear (&self->core);
  g_free (self);
}

static const AexCoreOps limiter_ops = {
  .target = {
    .post = limiter_post,
    .is_current = limiter_is_current,
    .finalize = limiter_finalize,
    .may_claim = limiter_may_claim,
    .job_event = limiter_job_event,
    .job_settled = limiter_job_settled,
    .requeue = limiter_requeue,
    .wait_begin = limiter_wait_begin,
    .wait_end = limiter_wait_end,
    .report = aex_core_report,
    .cancel_target = limiter_cancel_target,
    .job_home = limiter_job_home,
    .get_place = limiter_get_place,
    .waits_for_others = limiter_waits_for_others,
    .get_name = aex_core_get_name,
  },
  .submit = limiter_submit,
  .hand_over = limiter_hand_over,
  .shutdown = limiter_shutdown,
  .count = limiter_count,
  .get_stop_home = limiter_get_stop_home,
  .close_on_dispose = TRUE,
  .get_width = limiter_get_width,
  .jobs_only = TRUE,
};

AexLimiterCore *
aex_limiter_core_new (AexExecutor *facade, AexExecutor *wrapped, guint max_concurrent)
{
  AexLimiterCore *self = g_new0 (AexLimiterCore, 1);

  aex_core_init (&self->core, &limiter_ops, facade);
  g_mutex_init (&self->lock);
  self->wrapped_object = g_object_ref (wrapped);
  self->wrapped = aex_target_ref (aex_executor_get_core (wrapped));
  self->max_concurrent = max_concurrent;
  self->slots = g_hash_table_new (NULL, NULL);
  self->watch = aex_pending_new_report (NULL);
  aex_pending_add_done_callback_inline (self->watch, wrapped_stopped, aex_target_ref (self), aex_target_unref);
  aex_core_watch_stop (self->wrapped, self->watch);
  return self;
}

guint
aex_limiter_core_get_max_concurrent (AexLimiterCore *self)
{
  guint max;

  g_mutex_lock (&self->lock);
  max = self->max_concurrent;
  g_mutex_unlock (&self->lock);
  return max;
}

void
aex_limiter_core_set_max_concurrent (AexLimiterCore *self, guint max_concurrent)
{
  g_mutex_lock (&self->lock);
  self->max_concurrent = max_concurrent;
  g_mutex_unlock (&self->lock);
  aex_limiter_pump (self);
}
