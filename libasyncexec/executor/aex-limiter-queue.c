/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who gets the next slot of a limiter. */
#include "base/aex-fork-private.h"
#include "executor/aex-permit-private.h"
#include "pending/aex-value-private.h"

/* ---- waiting for a permit: a job that is never run, but resolved while it is queued */

gboolean
aex_limiter_is_acquire (AexPending *job)
{
  return (job->flags & AEX_FLAG_UNRUN) != 0;
}

AexPending *
aex_limiter_core_acquire (AexLimiterCore *self)
{
  AexPending *job = aex_pending_new_job (&self->core.target, aex_thread_get ()->context, NULL, NULL, NULL, AEX_FLAG_UNRUN);

  aex_pending_set_static_name (job, "acquire");
  return aex_core_submit_job (&self->core, job, AEX_LANE_DEFAULT);
}

/* What was begun under the lock has come to its end. */
static void
ended (AexLimiterCore *self)
{
  g_mutex_lock (&self->lock);
  self->n_ending--;
  g_mutex_unlock (&self->lock);
  aex_limiter_check_stopped (self);
}

/* The slot is taken.  A pending that was cancelled meanwhile lets go of the permit at once. */
static void
give_permit (AexLimiterCore *self, AexPending *acquire)
{
  GValue *value = g_new0 (GValue, 1);

  g_value_init (value, AEX_TYPE_PERMIT);
  g_value_take_boxed (value, aex_permit_new (self));
  aex_pending_record (acquire, AEX_TAG_VALUE, (AexWord) { .v_value = value });
  g_object_unref (acquire);
  ended (self);
}

/* ---- taking from the queue */

typedef enum { AEX_TAKEN_NOTHING, AEX_TAKEN_JOB, AEX_TAKEN_ACQUIRE, AEX_TAKEN_DEAD } AexTaken;

/* The lock is held.  Every 61st pick looks at background work first. */
static AexLane
choose_lane (AexLimiterCore *self)
{
  gboolean background = self->queue[AEX_LANE_BACKGROUND].length > 0;

  if (!background)
    self->n_picks = 0;
  else if (++self->n_picks >= AEX_BACKGROUND_PICK)
    {
      self->n_picks = 0;
      return AEX_LANE_BACKGROUND;
    }
  if (self->queue[AEX_LANE_HIGH].length > 0)
    return AEX_LANE_HIGH;
  return self->queue[AEX_LANE_DEFAULT].length > 0 ? AEX_LANE_DEFAULT : AEX_LANE_BACKGROUND;
}

static gboolean
entry_is_valid (const AexEntry *entry)
{
  guint state = aex_pending_load (entry->a);

  return AEX_PHASE (state) == AEX_PHASE_QUEUED && AEX_GENERATION (state) == GPOINTER_TO_UINT (entry->b);
}

/* When nothing in the queue is valid any more it is emptied, with or without a slot. */
static AexTaken
take (AexLimiterCore *self, AexEntry *entry, AexLane *lane)
{
  AexTaken taken = AEX_TAKEN_NOTHING;

  g_mutex_lock (&self->lock);
  if (self->n_slots < self->max_concurrent || self->n_waiting <= 0)
    {
      *lane = choose_lane (self);
      if (aex_queue_pop (&self->queue[*lane], entry))
        taken = entry_is_valid (entry) ? AEX_TAKEN_JOB : AEX_TAKEN_DEAD;
    }
  if (taken == AEX_TAKEN_JOB)
    {
      self->n_slots++;
      if (aex_limiter_is_acquire (entry->a))
        {
          taken = AEX_TAKEN_ACQUIRE;
          self->n_ending++;
        }
      else
        {
          g_hash_table_insert (self->slots, entry->a, GUINT_TO_POINTER (AEX_HAND_OVER_BEGUN));
          self->n_waiting--;
          self->n_handed++;
        }
    }
  g_mutex_unlock (&self->lock);
  return taken;
}

/* What never ran is released where it would have run, or at its owner. */
static void
bury (AexLimiterCore *self, AexEntry *entry)
{
  AexPending *job = entry->a;
  guint state = aex_pending_load (job);

  if (!aex_limiter_is_acquire (job) && self->wrapped->target.ops->post (&self->wrapped->target, AEX_LANE_RELEASE, entry))
    return;
  if (AEX_GENERATION (state) == GPOINTER_TO_UINT (entry->b) && !(state & AEX_BIT_STARTED))
    aex_core_release_unrun (job);
  g_object_unref (job);
}

/* ---- handing over */

/* The lock is held.  The job ended before the wrapped executor could be told: its slot comes back now. */
static gboolean
settle_late (AexLimiterCore *self, AexPending *job, guint slot)
{
  if (aex_slot_get_state (slot) != AEX_HAND_OVER_LATE)
    return FALSE;
  g_hash_table_remove (self->slots, job);
  self->n_slots--;
  return TRUE;
}

static void
handed_over (AexLimiterCore *self, AexPending *job)
{
  AexTarget *wrapped = &self->wrapped->target;
  guint slot, generation;
  gboolean late;
  AexLane lane;

  g_mutex_lock (&self->lock);
  slot = GPOINTER_TO_UINT (g_hash_table_lookup (self->slots, job));
  late = settle_late (self, job, slot);
  if (aex_slot_get_state (slot) == AEX_HAND_OVER_BEGUN)
    g_hash_table_insert (self->slots, job, GUINT_TO_POINTER (AEX_HAND_OVER_DONE));
  g_mutex_unlock (&self->lock);
  if (aex_slot_get_move (slot, &lane, &generation) && wrapped->ops->requeue != NULL)
    wrapped->ops->requeue (wrapped, job, lane, generation);
  if (!late)
    return;
  wrapped->ops->job_event (wrapped, job, AEX_JOB_DROPPED);
  aex_limiter_check_stopped (self);
}

/* The entry's reference is ours. */
static void
not_handed_over (AexLimiterCore *self, AexPending *job, GError *error)
{
  gboolean late;

  g_mutex_lock (&self->lock);
  late = settle_late (self, job, GPOINTER_TO_UINT (g_hash_table_lookup (self->slots, job)));
  if (!late)
    g_hash_table_insert (self->slots, job, GUINT_TO_POINTER (AEX_HAND_OVER_FAILED));
  self->n_ending++;
  g_mutex_unlock (&self->lock);
  if (error != NULL && !late)
    aex_pending_reject (job, error);
  else
    g_clear_error (&error);
  /* Does nothing to what was just rejected. */
  aex_pending_cancel_as (job, AEX_CANCEL_DROP, NULL);
  aex_core_release_unrun (job);
  g_object_unref (job);
  ended (self);
}

static void
hand_over (AexLimiterCore *self, AexLane lane, AexEntry *entry)
{
  g_autoptr (AexPending) job = g_object_ref (entry->a);
  GError *error = NULL;

  if (AEX_CORE_OPS (self->wrapped)->hand_over (self->wrapped, lane, entry, &error))
    handed_over (self, job);
  else
    not_handed_over (self, job, error);
}

/* ---- the pump */

typedef struct _AexPump AexPump;
struct _AexPump {
  AexPump *outer;
  AexLimiterCore *core;
};

/* What runs on this thread: a slot that comes back while a slot is given away is given away by the loop below, or a chain
 * of jobs that end at once would go as deep as it is long. */
static __thread AexPump *pumps;

void
aex_limiter_pump (AexLimiterCore *self)
{
  AexPump pump = { pumps, self };
  AexTaken taken;
  AexEntry entry;
  AexLane lane;

  if (aex_is_forked ())
    return;
  for (AexPump *outer = pumps; outer != NULL; outer = outer->outer)
    if (outer->core == self)
      return;
  aex_target_ref (self);
  pumps = &pump;
  while ((taken = take (self, &entry, &lane)) != AEX_TAKEN_NOTHING)
    if (taken == AEX_TAKEN_JOB)
      hand_over (self, lane, &entry);
    else if (taken == AEX_TAKEN_ACQUIRE)
      give_permit (self, entry.a);
    else
      bury (self, &entry);
  pumps = pump.outer;
  aex_target_unref (self);
}

void
aex_limiter_return_slot (AexLimiterCore *self)
{
  if (aex_is_forked ())
    return;
  g_mutex_lock (&self->lock);
  self->n_slots--;
  g_mutex_unlock (&self->lock);
  aex_limiter_pump (self);
}

/* ---- ending */

static void
drop_slot_holders (AexLimiterCore *self)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer job;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->slots);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    if (AEX_PHASE (aex_pending_load (job)) == AEX_PHASE_QUEUED)
      g_ptr_array_add (jobs, g_object_ref (job));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < jobs->len; i++)
    aex_pending_cancel_as (jobs->pdata[i], AEX_CANCEL_DROP, NULL);
}

/* Takes from the queue what is to be dropped; who waits for a permit may stay. */
static void
unqueue (AexLimiterCore *self, AexQueue *dropped, AexLane lane, gboolean acquires)
{
  AexQueue all = { 0 };
  AexEntry entry;

  g_mutex_lock (&self->lock);
  aex_queue_splice (&all, &self->queue[lane]);
  while (aex_queue_pop (&all, &entry))
    aex_queue_push (acquires || !aex_limiter_is_acquire (entry.a) ? dropped : &self->queue[lane], &entry);
  g_mutex_unlock (&self->lock);
  aex_queue_clear (&all);
}

void
aex_limiter_drop_queued (AexLimiterCore *self, gboolean acquires)
{
  AexQueue dropped = { 0 };
  AexEntry entry;

  for (guint i = 0; i < AEX_N_LANES; i++)
    unqueue (self, &dropped, (AexLane) i, acquires);
  while (aex_queue_pop (&dropped, &entry))
    {
      if (entry_is_valid (&entry))
        aex_pending_cancel_as (entry.a, AEX_CANCEL_DROP, NULL);
      bury (self, &entry);
    }
  aex_queue_clear (&dropped);
  drop_slot_holders (self);
}

/* Nothing waits, and nothing has a slot but jobs that asked for this very moment.  Permits are not waited for. */
void
aex_limiter_check_stopped (AexLimiterCore *self)
{
  AexExecutor *wrapped = NULL;
  guint n_excused;

  if (!aex_core_is_closed (&self->core))
    return;
  n_excused = aex_core_n_excused (&self->core);
  g_mutex_lock (&self->lock);
  if (!self->stopped && self->n_waiting <= 0 && self->n_ending == 0 && g_hash_table_size (self->slots) <= n_excused)
    {
      self->stopped = TRUE;
      wrapped = g_steal_pointer (&self->wrapped_object);
    }
  g_mutex_unlock (&self->lock);
  if (wrapped == NULL)
    return;
  aex_target_ref (self);
  aex_core_unwatch_stop (self->wrapped, self->watch);
  /* Its callback holds us. */
  g_clear_object (&self->watch);
  aex_object_release (G_OBJECT (wrapped), self->core.owner);
  aex_core_stopped (&self->core);
  aex_target_unref (self);
}
