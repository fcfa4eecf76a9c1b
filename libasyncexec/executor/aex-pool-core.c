/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The queue of a thread pool.  One queue under one short lock, from which workers take batches of up to 64: measured faster
 * than a queue per worker on two cores, and strictly FIFO.  A batch can be stolen from, so that nobody waits behind a long
 * job. */
#include "executor/aex-pool-core-private.h"

#include "base/aex-fork-private.h"

#define DEFAULT_IDLE_TIMEOUT_US (60 * (gint64) G_USEC_PER_SEC)

static guint
pool_length (AexPoolCore *self, AexLane lane)
{
  return (guint) self->queue[lane].length;
}

gboolean
aex_pool_has_work (AexPoolCore *self)
{
  return atomic_load_explicit (&self->n_queued, memory_order_relaxed) > 0;
}

static void
pool_push (AexPoolCore *self, AexLane lane, const AexEntry *entry)
{
  aex_queue_push (&self->queue[lane], entry);
  atomic_fetch_add_explicit (&self->n_queued, 1, memory_order_release);
  if (lane == AEX_LANE_HIGH)
    atomic_fetch_add_explicit (&self->n_high, 1, memory_order_relaxed);
}

/* Every 61st pick looks at background work first; n_picks counts entries, however they are taken. */
static AexLane
pool_choose (AexPoolCore *self, guint *max)
{
  guint background = pool_length (self, AEX_LANE_BACKGROUND);

  *max = AEX_BLOCK_SIZE;
  if (pool_length (self, AEX_LANE_RELEASE) > 0)
    return AEX_LANE_RELEASE;
  if (background > 0 && self->n_picks >= AEX_BACKGROUND_PICK - 1)
    {
      self->n_picks = 0;
      *max = 1;
      return AEX_LANE_BACKGROUND;
    }
  if (background > 0)
    *max = AEX_BACKGROUND_PICK - 1 - self->n_picks;
  if (pool_length (self, AEX_LANE_HIGH) > 0)
    return AEX_LANE_HIGH;
  return pool_length (self, AEX_LANE_DEFAULT) > 0 ? AEX_LANE_DEFAULT : AEX_LANE_BACKGROUND;
}

/* A fair share, so that a few long jobs spread at once. */
static guint
fair_share (AexPoolCore *self, guint length)
{
  guint active = MAX (self->n_threads - MIN (self->n_blocked, self->n_threads), 1);

  return MAX (length / active, 1);
}

static void
worker_fill (AexPoolWorker *worker, AexQueue *queue, guint n, AexLane lane)
{
  g_mutex_lock (&worker->lock);
  n = aex_queue_pop_n (queue, worker->entries, n);
  worker->lane = lane;
  atomic_store_explicit (&worker->range, AEX_RANGE (0, n), memory_order_release);
  g_mutex_unlock (&worker->lock);
}

gboolean
aex_pool_take (AexPoolCore *self, AexPoolWorker *worker)
{
  guint max, n;
  AexLane lane;

  if (!aex_pool_has_work (self))
    return FALSE;
  lane = pool_choose (self, &max);
  n = MIN (fair_share (self, pool_length (self, lane)), max);
  n = MIN (n, pool_length (self, lane));
  worker_fill (worker, &self->queue[lane], n, lane);
  atomic_fetch_sub_explicit (&self->n_queued, (int) n, memory_order_relaxed);
  if (lane == AEX_LANE_HIGH)
    atomic_fetch_sub_explicit (&self->n_high, (int) n, memory_order_relaxed);
  /* Where no background work waits, none is starved. */
  if (pool_length (self, AEX_LANE_BACKGROUND) == 0)
    self->n_picks = 0;
  else if (lane == AEX_LANE_HIGH || lane == AEX_LANE_DEFAULT)
    self->n_picks += n;
  return TRUE;
}

/* The second half of what somebody took and has not run.  His lock keeps the entries in place while they are copied. */
static gboolean
steal_from (AexPoolWorker *worker, AexPoolWorker *victim)
{
  guint64 range;
  guint n = 0, from = 0;

  g_mutex_lock (&victim->lock);
  range = atomic_load (&victim->range);
  while (AEX_RANGE_NEXT (range) < AEX_RANGE_END (range))
    {
      n = (AEX_RANGE_END (range) - AEX_RANGE_NEXT (range) + 1) / 2;
      from = AEX_RANGE_END (range) - n;
      if (atomic_compare_exchange_weak (&victim->range, &range, AEX_RANGE (AEX_RANGE_NEXT (range), from)))
        break;
      n = 0;
    }
  /* Our own range is empty, and nobody steals from us without our lock; he who could is kept out by the pool's. */
  for (guint i = 0; i < n; i++)
    worker->entries[i] = victim->entries[from + i];
  worker->lane = victim->lane;
  g_mutex_unlock (&victim->lock);
  if (n == 0)
    return FALSE;
  atomic_store_explicit (&worker->range, AEX_RANGE (0, n), memory_order_release);
  return TRUE;
}

/* Thieves hold the pool's lock: one steals at a time. */
gboolean
aex_pool_steal (AexPoolCore *self, AexPoolWorker *worker)
{
  for (guint i = 0; i < self->workers->len; i++)
    if (self->workers->pdata[i] != worker && steal_from (worker, self->workers->pdata[i]))
      return TRUE;
  return FALSE;
}

gboolean
aex_pool_worker_pop (AexPoolWorker *self, AexEntry *entry)
{
  guint64 range = atomic_load_explicit (&self->range, memory_order_relaxed);

  for (;;)
    {
      guint next = AEX_RANGE_NEXT (range);

      if (next >= AEX_RANGE_END (range))
        return FALSE;
      /* Thieves only ever take from the end: entry number next is ours as soon as the CAS says so, and stays put. */
      *entry = self->entries[next];
      aex_entry_prefetch (&self->entries[MIN (next + 2, AEX_RANGE_END (range) - 1)]);
      if (atomic_compare_exchange_weak_explicit (&self->range, &range, AEX_RANGE (next + 1, AEX_RANGE_END (range)),
                                                 memory_order_acq_rel, memory_order_relaxed))
        return TRUE;
    }
}

/* ---- workers */

static gboolean
pool_start_thread (AexPoolCore *self, GError **error)
{
  g_autofree char *name = g_strdup_printf ("aex-%.10s", self->core.name != NULL ? self->core.name : "pool");
  GThread *thread;

  if (aex_fork_check (error))
    return FALSE;
  /* Our own threads and not GThreadPool's: that one says nothing useful when a thread can not be started (the work stays
   * queued), has no hook around a thread's life, and a hand-over to one of its idle threads costs as much as a start. */
  aex_target_ref (self);
  thread = g_thread_try_new (name, aex_pool_thread_main, self, error);
  if (thread == NULL)
    {
      aex_target_unref (self);
      return FALSE;
    }
  g_thread_unref (thread);
  self->n_threads++;
  return TRUE;
}

gboolean
aex_pool_want_worker (AexPoolCore *self, GError **error)
{
  AexPoolWorker *worker;

  if (self->searching)
    return TRUE;
  /* A sleeper may run only if that does not make more threads than allowed. */
  if (self->n_threads - self->sleepers->len - MIN (self->n_blocked, self->n_threads) >= self->max_workers)
    return TRUE;
  if (self->sleepers->len > 0)
    {
      worker = g_ptr_array_steal_index (self->sleepers, self->sleepers->len - 1);
      worker->parked = FALSE;
      self->searching = TRUE;
      aex_parker_unpark (worker->parker);
      return TRUE;
    }
  if (self->n_threads >= self->max_workers + AEX_MAX_BLOCKED)
    return self->n_threads > self->n_blocked;
  if (!pool_start_thread (self, error))
    {
      /* Those that are there go on. */
      if (self->n_threads <= self->n_blocked)
        return FALSE;
      g_clear_error (error);
      return TRUE;
    }
  self->searching = TRUE;
  return TRUE;
}

void
aex_pool_wake_all (AexPoolCore *self)
{
  while (self->sleepers->len > 0)
    {
      AexPoolWorker *worker = g_ptr_array_steal_index (self->sleepers, self->sleepers->len - 1);

      worker->parked = FALSE;
      aex_parker_unpark (worker->parker);
    }
}

/* ---- counting */

static void
pool_sum (AexPoolCore *self, guint *started, guint *finished)
{
  /* Finished first: a job that ends between the two is counted as running, never as less than none. */
  *finished = self->n_gone_finished + atomic_load (&self->n_other_finished);
  for (guint i = 0; i < self->workers->len; i++)
    *finished += atomic_load (&((AexPoolWorker *) self->workers->pdata[i])->n_finished);
  *started = self->n_gone_started + atomic_load (&self->n_other_started);
  for (guint i = 0; i < self->workers->len; i++)
    *started += atomic_load (&((AexPoolWorker *) self->workers->pdata[i])->n_started);
}

guint
aex_pool_n_running (AexPoolCore *self)
{
  guint started, finished;

  pool_sum (self, &started, &finished);
  return started - finished;
}

static guint
pool_count (AexCore *core, gboolean running)
{
  AexPoolCore *self = (AexPoolCore *) core;
  guint started, finished, queued;

  g_mutex_lock (&self->lock);
  pool_sum (self, &started, &finished);
  queued = self->n_submitted - started - atomic_load (&self->n_dropped);
  g_mutex_unlock (&self->lock);
  return running ? started - finished : (int) queued > 0 ? queued : 0;
}

/* The lock is held.  Nothing is queued, and nothing runs but jobs that wait for this very moment. */
gboolean
aex_pool_check_stopped (AexPoolCore *self)
{
  guint n_excused, n_busy = 0, n_started, n_finished;

  if (self->stopped || self->n_dropping > 0 || !aex_core_is_closed (&self->core) || aex_pool_has_work (self))
    return FALSE;
  for (guint i = 0; i < self->workers->len; i++)
    {
      AexPoolWorker *worker = self->workers->pdata[i];

      if (aex_pool_worker_length (worker) > 0)
        return FALSE;
      n_busy += worker->busy;
    }
  /* A job that moves to another lane is in no queue for a moment. */
  pool_sum (self, &n_started, &n_finished);
  if ((int) (self->n_submitted - n_started - atomic_load (&self->n_dropped)) > 0)
    return FALSE;
  n_excused = aex_core_n_excused (&self->core);
  if (n_busy > n_excused || n_started - n_finished > n_excused)
    return FALSE;
  self->stopped = TRUE;
  return TRUE;
}

/* What was found stopped: no thread will be started any more. */
void
aex_pool_ended (AexPoolCore *self)
{
  AexThreadMain *thread_main;

  g_mutex_lock (&self->lock);
  thread_main = g_steal_pointer (&self->thread_main);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&thread_main, aex_thread_main_unref);
  aex_core_stopped (&self->core);
}

void
aex_pool_check_stopped_unlocked (AexPoolCore *self)
{
  gboolean stopped;

  g_mutex_lock (&self->lock);
  stopped = aex_pool_check_stopped (self);
  if (stopped)
    aex_pool_wake_all (self);
  g_mutex_unlock (&self->lock);
  if (stopped)
    aex_pool_ended (self);
}

/* ---- target */

/* Where no thread is and none can be started, nobody would ever come for the entry. */
static gboolean
pool_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexPoolCore *self = (AexPoolCore *) target;
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = !self->stopped && (self->n_threads > 0 || aex_pool_want_worker (self, NULL));
  if (ok)
    {
      pool_push (self, lane, entry);
      aex_pool_want_worker (self, NULL);
    }
  g_mutex_unlock (&self->lock);
  return ok;
}

/* The lock is held. */
static gboolean
pool_accept (AexPoolCore *self, AexLane lane, const AexEntry *entry, GError **error)
{
  if (G_UNLIKELY (self->n_threads == 0 && !aex_pool_want_worker (self, error)))
    return FALSE;
  pool_push (self, lane, entry);
  self->n_submitted++;
  if (!self->searching)
    aex_pool_want_worker (self, NULL);
  return TRUE;
}

static AexAcceptance
pool_submit (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexPoolCore *self = (AexPoolCore *) core;
  AexAcceptance acceptance = AEX_ACCEPTED;
  guint max = atomic_load_explicit (&core->max_pending, memory_order_relaxed);

  if (G_UNLIKELY (aex_core_is_closed (core)))
    return AEX_REFUSED_CLOSED;
  if (G_UNLIKELY (max > 0 && pool_count (core, FALSE) >= max))
    return AEX_REFUSED_BUSY;
  g_mutex_lock (&self->lock);
  if (G_UNLIKELY (aex_core_is_closed (core)))
    acceptance = AEX_REFUSED_CLOSED;
  else if (G_UNLIKELY (!pool_accept (self, lane, entry, error)))
    acceptance = AEX_REFUSED_ERROR;
  g_mutex_unlock (&self->lock);
  if (G_UNLIKELY (atomic_load_explicit (&core->state, memory_order_relaxed) == AEX_EXECUTOR_STATE_INITIAL))
    aex_core_enter_state (core, AEX_EXECUTOR_STATE_RUNNING);
  return acceptance;
}

static gboolean
pool_hand_over (AexCore *core, AexLane lane, const AexEntry *entry, GError **error)
{
  AexPoolCore *self = (AexPoolCore *) core;
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = !self->stopped && pool_accept (self, lane, entry, error);
  g_mutex_unlock (&self->lock);
  aex_core_enter_state (core, AEX_EXECUTOR_STATE_RUNNING);
  return ok;
}

static gboolean
pool_admit (AexCore *core)
{
  AexPoolCore *self = (AexPoolCore *) core;
  AexFrame *frame = aex_thread_get ()->frame;
  gboolean may;

  if (frame != NULL && frame->depth + 1 >= AEX_RUN_SLOTS - 1)
    return FALSE;
  g_mutex_lock (&self->lock);
  may = !aex_core_is_closed (core)
        && (aex_thread_get ()->pool == &core->target
            || (self->thread_main == NULL && aex_pool_n_running (self) < self->max_workers));
  self->n_submitted += may;
  g_mutex_unlock (&self->lock);
  return may;
}

static gboolean
pool_ensure_thread (AexCore *core, GError **error)
{
  AexPoolCore *self = (AexPoolCore *) core;
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = self->n_threads > 0 || aex_pool_want_worker (self, error);
  g_mutex_unlock (&self->lock);
  return ok;
}

static gboolean
pool_is_current (AexTarget *target)
{
  return aex_thread_get ()->pool == target;
}

static void
pool_finalize (AexTarget *target)
{
  AexPoolCore *self = (AexPoolCore *) target;

  for (guint i = 0; i < AEX_N_LANES; i++)
    {
      aex_queue_drop_all (&self->queue[i], target);
      aex_queue_clear (&self->queue[i]);
    }
  g_ptr_array_unref (self->workers);
  g_ptr_array_unref (self->sleepers);
  g_clear_pointer (&self->thread_main, aex_thread_main_unref);
  g_mutex_clear (&self->lock);
  aex_core_clear (&self->core);
  g_free (self);
}

/* On the stack of a waiter: a job of this pool always, somebody else where that was asked for and a thread is free. */
static gboolean
pool_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  AexPoolCore *self = (AexPoolCore *) target;
  gboolean may;

  (void) job;
  if (aex_thread_get ()->pool == target)
    return TRUE;
  if (!outside && !atomic_load (&self->help_waiting))
    return FALSE;
  g_mutex_lock (&self->lock);
  may = self->thread_main == NULL && aex_pool_n_running (self) < self->max_workers;
  g_mutex_unlock (&self->lock);
  return may;
}

static void
pool_job_started (AexPoolCore *self, AexPoolWorker *worker, AexPending *job)
{
  if (worker != NULL)
    {
      aex_pool_count_up (&worker->n_started);
      aex_run_slots_push (&worker->slots, job);
    }
  else
    {
      atomic_fetch_add (&self->n_other_started, 1);
    }
  if (worker == NULL || job->flags & AEX_FLAG_ASYNC)
    aex_core_add_detached (&self->core, job);
  aex_core_cancel_late (&self->core, job);
}

static void
pool_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  AexPoolCore *self = (AexPoolCore *) target;
  AexPoolWorker *worker = aex_pool_current_worker (self);

  switch (event)
    {
    case AEX_JOB_STARTED:
      pool_job_started (self, worker, job);
      break;
    case AEX_JOB_FINISHED:
      if (worker != NULL)
        aex_pool_count_up (&worker->n_finished);
      else
        atomic_fetch_add (&self->n_other_finished, 1);
      if (worker == NULL || job->flags & AEX_FLAG_ASYNC)
        aex_core_remove_detached (&self->core, job);
      if (G_UNLIKELY (aex_core_is_closed (&self->core)))
        aex_core_forget_excused (&self->core, job);
      break;
    case AEX_JOB_DROPPED:
      atomic_fetch_add (&self->n_dropped, 1);
      break;
    case AEX_JOB_LEFT:
    default:
      if (worker != NULL)
        aex_run_slots_pop (&worker->slots, job);
      break;
    }
  if (G_UNLIKELY (event != AEX_JOB_STARTED && aex_core_is_closed (&self->core)))
    aex_pool_check_stopped_unlocked (self);
}

static void
pool_requeue (AexTarget *target, AexPending *job, AexLane lane, guint generation)
{
  AexPoolCore *self = (AexPoolCore *) target;
  AexEntry entry = { &aex_job_kind, g_object_ref (job), GUINT_TO_POINTER (generation), NULL };
  gboolean ok;

  g_mutex_lock (&self->lock);
  ok = self->n_threads > 0 || (!self->stopped && aex_pool_want_worker (self, NULL));
  if (ok)
    {
      pool_push (self, lane, &entry);
      aex_pool_want_worker (self, NULL);
    }
  g_mutex_unlock (&self->lock);
  /* The pool has ended, with the job cancelled meanwhile, or no thread can be had for it any more. */
  if (!ok)
    entry.kind->drop (&entry, target);
}

static AexTarget *
pool_cancel_target (AexTarget *target, AexPending *job)
{
  (void) target;
  (void) job;
  return NULL;
}

static guint
pool_get_width (AexCore *core)
{
  AexPoolCore *self = (AexPoolCore *) core;
  guint width;

  g_mutex_lock (&self->lock);
  width = self->max_workers;
  g_mutex_unlock (&self->lock);
  return width;
}

static const AexCoreOps pool_ops = {
  .target = {
    .post = pool_post,
    .is_current = pool_is_current,
    .finalize = pool_finalize,
    .may_claim = pool_may_claim,
    .job_event = pool_job_event,
    .requeue = pool_requeue,
    .wait_begin = aex_pool_wait_begin,
    .wait_end = aex_pool_wait_end,
    .report = aex_core_report,
    .cancel_target = pool_cancel_target,
    .get_name = aex_core_get_name,
  },
  .submit = pool_submit,
  .hand_over = pool_hand_over,
  .admit = pool_admit,
  .ensure_thread = pool_ensure_thread,
  .shutdown = aex_pool_shutdown,
  .count = pool_count,
  .close_on_dispose = TRUE,
  .get_width = pool_get_width,
};

AexPoolCore *
aex_pool_core_new (AexExecutor *facade, guint max_workers)
{
  AexPoolCore *self = g_new0 (AexPoolCore, 1);

  aex_core_init (&self->core, &pool_ops, facade);
  g_mutex_init (&self->lock);
  self->workers = g_ptr_array_new ();
  self->sleepers = g_ptr_array_new ();
  self->max_workers = max_workers;
  self->idle_timeout_us = DEFAULT_IDLE_TIMEOUT_US;
  return self;
}
