/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The threads of a pool. */
#include "executor/aex-pool-core-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/aex-clock-private.h"
#include "base/aex-home-private.h"

AexPoolWorker *
aex_pool_current_worker (AexPoolCore *self)
{
  AexPoolWorker *worker = aex_thread_get ()->worker;

  return worker != NULL && worker->pool == self ? worker : NULL;
}

void
aex_thread_main_unref (AexThreadMain *self)
{
  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self);
}

/* ---- running */

/* A job that asked for a caller of its own got a context pushed; it ends with the job. */
static void
worker_drop_context (AexThread *thread)
{
  GMainContext *context = g_main_context_get_thread_default ();

  if (G_LIKELY (context == NULL))
    return;
  g_main_context_pop_thread_default (context);
  thread->home_context = NULL;
  g_clear_pointer (&thread->home, aex_target_unref);
  if (thread->own_context == context)
    g_clear_pointer (&thread->own_context, g_main_context_unref);
}

static void
worker_run_entry (AexPoolWorker *self, AexThread *thread, AexEntry *entry)
{
  AexTarget *target = &self->pool->core.target;

  if (entry->kind == &aex_post_kind)
    {
      aex_pool_count_up (&self->n_started);
      entry->kind->run (entry, target);
      aex_pool_count_up (&self->n_finished);
    }
  else
    {
      entry->kind->run (entry, target);
    }
  worker_drop_context (thread);
}

static void
worker_run_batch (AexPoolWorker *self, AexThread *thread)
{
  AexPoolCore *pool = self->pool;
  AexEntry entry;

  while (aex_pool_worker_pop (self, &entry))
    {
      /* What is urgent does not wait behind a batch of what is not. */
      if (G_UNLIKELY (self->lane > AEX_LANE_HIGH && atomic_load_explicit (&pool->n_high, memory_order_relaxed) > 0))
        {
          AexEntry high;
          gboolean found;

          g_mutex_lock (&pool->lock);
          found = aex_queue_pop (&pool->queue[AEX_LANE_HIGH], &high);
          if (found)
            {
              atomic_fetch_sub (&pool->n_high, 1);
              atomic_fetch_sub (&pool->n_queued, 1);
            }
          g_mutex_unlock (&pool->lock);
          if (found)
            worker_run_entry (self, thread, &high);
        }
      worker_run_entry (self, thread, &entry);
    }
}

/* ---- waiting for work; the pool's lock is held except where said */

/* More threads run than may, because one that had blocked has come back. */
static gboolean
worker_is_surplus (AexPoolCore *pool)
{
  return pool->n_threads - pool->sleepers->len - MIN (pool->n_blocked, pool->n_threads) > pool->max_workers;
}

static gboolean
worker_must_leave (AexPoolCore *pool)
{
  return pool->stopped || (aex_core_is_closed (&pool->core) && !aex_pool_has_work (pool)) || worker_is_surplus (pool);
}

/* Looks a moment longer without the lock: a wake-up costs 20 us, this at most 10.  Only one worker does so at a time. */
static void
worker_spin (AexPoolCore *pool)
{
  if (pool->searching)
    return;
  pool->searching = TRUE;
  g_mutex_unlock (&pool->lock);
  for (guint i = aex_spin_count (); i > 0 && !aex_pool_has_work (pool); i--)
    aex_cpu_pause ();
  g_mutex_lock (&pool->lock);
  pool->searching = FALSE;
}

/* FALSE: idle for too long. */
static gboolean
worker_sleep (AexPoolWorker *self)
{
  AexPoolCore *pool = self->pool;
  gint64 deadline_us = aex_clock_deadline (pool->idle_timeout_us);
  gboolean woken;

  self->parked = TRUE;
  g_ptr_array_add (pool->sleepers, self);
  g_mutex_unlock (&pool->lock);
  aex_thread_flush ();
  woken = aex_parker_park (self->parker, 0, deadline_us);
  g_mutex_lock (&pool->lock);
  if (self->parked)
    {
      g_ptr_array_remove (pool->sleepers, self);
      self->parked = FALSE;
      return woken;
    }
  /* Whoever took us off the list let us search. */
  pool->searching = FALSE;
  return TRUE;
}

/* Is there work behind the job of another worker?  The lock is held. */
static gboolean
can_steal (AexPoolCore *pool, AexPoolWorker *self)
{
  for (guint i = 0; i < pool->workers->len; i++)
    if (pool->workers->pdata[i] != self && aex_pool_worker_length (pool->workers->pdata[i]) > 0)
      return TRUE;
  return FALSE;
}

/* And room for one more to take it? */
static gboolean
others_have_more (AexPoolCore *pool, AexPoolWorker *self)
{
  return pool->n_threads - pool->sleepers->len - MIN (pool->n_blocked, pool->n_threads) < pool->max_workers
         && can_steal (pool, self);
}

/* TRUE: something to run was taken. */
static gboolean
worker_find (AexPoolWorker *self)
{
  AexPoolCore *pool = self->pool;
  gboolean awake = TRUE;

  self->busy = FALSE;
  for (;;)
    {
      /* Also when the pool is closed: what lies behind a job that blocks has to be run. */
      if (!worker_is_surplus (pool) && (aex_pool_take (pool, self) || aex_pool_steal (pool, self)))
        {
          /* More than one worker can do: pass the word on. */
          if (aex_pool_has_work (pool) || aex_pool_worker_length (self) > 1 || others_have_more (pool, self))
            aex_pool_want_worker (pool, NULL);
          self->busy = TRUE;
          return TRUE;
        }
      if (worker_must_leave (pool) || !awake)
        return FALSE;
      worker_spin (pool);
      /* While we looked at the queue, others may have emptied it into their batches, and relied on us. */
      if (!aex_pool_has_work (pool) && !can_steal (pool, self) && !worker_must_leave (pool))
        awake = worker_sleep (self);
    }
}

/* In one go with the decision: whoever submits next sees one thread less.  Gives the lock back. */
static void
worker_leave (AexPoolWorker *self)
{
  AexPoolCore *pool = self->pool;
  gboolean stopped;

  g_ptr_array_remove_fast (pool->workers, self);
  pool->n_gone_started += atomic_load (&self->n_started);
  pool->n_gone_finished += atomic_load (&self->n_finished);
  pool->n_threads--;
  /* One too many, with work left for others. */
  if (aex_pool_has_work (pool))
    aex_pool_want_worker (pool, NULL);
  stopped = aex_pool_check_stopped (pool);
  g_mutex_unlock (&pool->lock);
  if (stopped)
    aex_pool_ended (pool);
  aex_parker_unref (self->parker);
  g_mutex_clear (&self->lock);
  free (self);
}

void
aex_pool_run_worker (AexPoolCore *pool)
{
  AexThread *thread = aex_thread_get ();
  AexPoolWorker *self = aligned_alloc (64, sizeof (AexPoolWorker));

  memset (self, 0, sizeof *self);
  self->pool = pool;
  self->parker = aex_parker_new ();
  g_mutex_init (&self->lock);
  aex_thread_register (thread);
  thread->worker = self;
  thread->pool = &pool->core.target;

  g_mutex_lock (&pool->lock);
  g_ptr_array_add (pool->workers, self);
  pool->searching = FALSE;
  while (worker_find (self))
    {
      g_mutex_unlock (&pool->lock);
      worker_run_batch (self, thread);
      g_mutex_lock (&pool->lock);
    }
  thread->worker = NULL;
  thread->pool = NULL;
  worker_leave (self);
}

static void
run_with_hook (AexPoolCore *pool, AexThreadMain *thread_main)
{
  g_autoptr (AexThreadPool) proxy = aex_thread_pool_new_proxy (pool);
  AexThread *thread = aex_thread_get ();

  thread->hooked_pool = pool;
  thread_main->func (proxy, thread_main->data);
  if (thread->hooked_pool == NULL)
    return;
  g_critical ("A thread-main function returned without aex_thread_pool_run_worker()");
  thread->hooked_pool = NULL;
  aex_pool_run_worker (pool);
}

gpointer
aex_pool_thread_main (gpointer data)
{
  AexPoolCore *pool = data;
  AexThreadMain *thread_main;

  g_mutex_lock (&pool->lock);
  thread_main = pool->thread_main;
  if (thread_main != NULL)
    atomic_fetch_add (&thread_main->refs, 1);
  g_mutex_unlock (&pool->lock);
  if (thread_main != NULL)
    run_with_hook (pool, thread_main);
  else
    aex_pool_run_worker (pool);
  g_clear_pointer (&thread_main, aex_thread_main_unref);
  aex_target_unref (pool);
  return NULL;
}

/* ---- a job that blocks */

gboolean
aex_pool_wait_begin (AexTarget *target)
{
  AexPoolCore *pool = (AexPoolCore *) target;
  AexPoolWorker *self = aex_pool_current_worker (pool);
  gboolean ok = TRUE;

  /* A waiter from outside that claimed the job is no thread of the pool. */
  if (self == NULL || self->blocked++ > 0)
    return TRUE;
  g_mutex_lock (&pool->lock);
  pool->n_blocked++;
  if (pool->n_threads - pool->n_blocked < pool->max_workers && pool->n_blocked > AEX_MAX_BLOCKED)
    ok = pool->n_threads > pool->n_blocked;
  else if (aex_pool_has_work (pool) || aex_pool_worker_length (self) > 0 || others_have_more (pool, self))
    ok = aex_pool_want_worker (pool, NULL);
  if (!ok)
    {
      pool->n_blocked--;
      self->blocked--;
    }
  g_mutex_unlock (&pool->lock);
  return ok;
}

void
aex_pool_wait_end (AexTarget *target)
{
  AexPoolCore *pool = (AexPoolCore *) target;
  AexPoolWorker *self = aex_pool_current_worker (pool);

  if (self == NULL || --self->blocked > 0)
    return;
  g_mutex_lock (&pool->lock);
  pool->n_blocked--;
  g_mutex_unlock (&pool->lock);
}

/**
 * aex_blocking_begin:
 *
 * Says that the running job is about to block in a call that the library does
 * not see, for example a read from a slow device: the pool may start another
 * thread meanwhile. Nests; does nothing off a pool's thread.
 *
 * Since: 1.0
 */
void
aex_blocking_begin (void)
{
  AexTarget *target = aex_thread_get ()->pool;
  AexPoolWorker *self = aex_thread_get ()->worker;

  /* With no replacement to be had there is no reason to refuse: the call may end by itself. */
  if (target != NULL && self != NULL && !aex_pool_wait_begin (target))
    self->unreplaced++;
}

/**
 * aex_blocking_end:
 *
 * Ends what [func@blocking_begin] began.
 *
 * Since: 1.0
 */
void
aex_blocking_end (void)
{
  AexTarget *target = aex_thread_get ()->pool;
  AexPoolWorker *self = aex_thread_get ()->worker;

  if (target == NULL || self == NULL)
    return;
  if (self->unreplaced > 0)
    self->unreplaced--;
  else
    aex_pool_wait_end (target);
}
