/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a thread pool ends. */
#include "executor/aex-pool-core-private.h"

/* What a worker has taken and not started counts as queued, and comes before what is.  The lock is held, so nobody steals;
 * the worker itself either gets its next entry or finds none left. */
static void
pool_untake (AexPoolWorker *worker, AexQueue *queue)
{
  guint64 range;

  g_mutex_lock (&worker->lock);
  range = worker->lane >= AEX_LANE_HIGH ? atomic_load (&worker->range) : AEX_RANGE (0, 0);
  while (AEX_RANGE_NEXT (range) < AEX_RANGE_END (range)
         && !atomic_compare_exchange_weak (&worker->range, &range, AEX_RANGE (AEX_RANGE_NEXT (range), AEX_RANGE_NEXT (range))))
    ;
  for (guint i = AEX_RANGE_NEXT (range); i < AEX_RANGE_END (range); i++)
    aex_queue_push (&queue[worker->lane], &worker->entries[i]);
  g_mutex_unlock (&worker->lock);
}

/* Moves what users gave to @dropped.  What we do for others (callbacks, continuations) still runs, in the order it had. */
static void
pool_pick_users (AexPoolCore *self, AexQueue *dropped)
{
  AexQueue all[AEX_N_LANES] = { { 0 } };

  for (guint i = 0; i < self->workers->len; i++)
    pool_untake (self->workers->pdata[i], all);
  for (guint i = AEX_LANE_HIGH; i < AEX_N_LANES; i++)
    {
      AexEntry entry;

      atomic_fetch_sub (&self->n_queued, (int) self->queue[i].length);
      aex_queue_splice (&all[i], &self->queue[i]);
      while (aex_queue_pop (&all[i], &entry))
        aex_queue_push (entry.kind == &aex_post_kind || entry.kind == &aex_job_kind ? &dropped[i] : &self->queue[i], &entry);
      aex_queue_clear (&all[i]);
      atomic_fetch_add (&self->n_queued, (int) self->queue[i].length);
    }
  atomic_store (&self->n_high, (int) self->queue[AEX_LANE_HIGH].length);
}

static void
pool_drop_queued (AexPoolCore *self)
{
  AexQueue dropped[AEX_N_LANES] = { { 0 } };

  g_mutex_lock (&self->lock);
  pool_pick_users (self, dropped);
  self->n_dropping++;
  g_mutex_unlock (&self->lock);
  for (guint i = AEX_LANE_HIGH; i < AEX_N_LANES; i++)
    {
      AexEntry entry;

      while (aex_queue_pop (&dropped[i], &entry))
        {
          if (entry.kind == &aex_post_kind)
            {
              atomic_fetch_add (&self->n_dropped, 1);
              entry.kind->drop (&entry, &self->core.target);
              continue;
            }
          /* Jobs end here, and their closures are released where they would have run. */
          aex_job_entry_close (&entry);
          aex_target_post_or_drop (&self->core.target, (AexLane) i, &entry);
        }
      aex_queue_clear (&dropped[i]);
    }
  g_mutex_lock (&self->lock);
  self->n_dropping--;
  g_mutex_unlock (&self->lock);
}

void
aex_pool_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexPoolCore *self = (AexPoolCore *) core;

  aex_target_ref (self);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    pool_drop_queued (self);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING)
    {
      g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);

      g_mutex_lock (&self->lock);
      for (guint i = 0; i < self->workers->len; i++)
        aex_run_slots_collect (&((AexPoolWorker *) self->workers->pdata[i])->slots, jobs);
      g_mutex_unlock (&self->lock);
      aex_core_cancel_all (jobs);
    }
  g_mutex_lock (&self->lock);
  aex_pool_wake_all (self);
  g_mutex_unlock (&self->lock);
  aex_pool_check_stopped_unlocked (self);
  aex_target_unref (self);
}
