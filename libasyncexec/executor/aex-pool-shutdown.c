/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a thread pool ends. */
#include "executor/aex-pool-core-private.h"

static void
pool_drop_queued (AexPoolCore *self)
{
  AexQueue queue[AEX_N_LANES] = { { 0 } };

  g_mutex_lock (&self->lock);
  for (guint i = AEX_LANE_HIGH; i < AEX_N_LANES; i++)
    {
      atomic_fetch_sub (&self->n_queued, (int) self->queue[i].length);
      aex_queue_splice (&queue[i], &self->queue[i]);
    }
  atomic_store (&self->n_high, 0);
  self->n_dropping++;
  g_mutex_unlock (&self->lock);
  for (guint i = AEX_LANE_HIGH; i < AEX_N_LANES; i++)
    {
      AexEntry entry;

      /* Jobs end here, and their closures are released where they would have run; what we do for others (callbacks,
       * continuations) still runs. */
      while (aex_queue_pop (&queue[i], &entry))
        {
          if (entry.kind == &aex_post_kind)
            {
              atomic_fetch_add (&self->n_dropped, 1);
              entry.kind->drop (&entry, &self->core.target);
              continue;
            }
          if (entry.kind == &aex_job_kind)
            aex_job_entry_close (&entry);
          aex_target_post_or_drop (&self->core.target, (AexLane) i, &entry);
        }
      aex_queue_clear (&queue[i]);
    }
  g_mutex_lock (&self->lock);
  self->n_dropping--;
  g_mutex_unlock (&self->lock);
}

/* What a worker has taken and not started counts as queued. */
static void
pool_untake (AexPoolCore *self)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->workers->len; i++)
    {
      AexPoolWorker *worker = self->workers->pdata[i];
      guint64 range;

      g_mutex_lock (&worker->lock);
      range = atomic_load (&worker->range);
      /* Taken away from its end, entry by entry, as a thief does. */
      while (AEX_RANGE_NEXT (range) < AEX_RANGE_END (range))
        if (atomic_compare_exchange_weak (&worker->range, &range, AEX_RANGE (AEX_RANGE_NEXT (range), AEX_RANGE_END (range) - 1)))
          {
            aex_queue_push (&self->queue[worker->lane], &worker->entries[AEX_RANGE_END (range) - 1]);
            atomic_fetch_add (&self->n_queued, 1);
            if (worker->lane == AEX_LANE_HIGH)
              atomic_fetch_add (&self->n_high, 1);
            range = atomic_load (&worker->range);
          }
      g_mutex_unlock (&worker->lock);
    }
  g_mutex_unlock (&self->lock);
}

void
aex_pool_shutdown (AexCore *core, AexShutdownFlags flags)
{
  AexPoolCore *self = (AexPoolCore *) core;

  aex_target_ref (self);
  if (flags & AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED)
    {
      pool_untake (self);
      pool_drop_queued (self);
    }
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
