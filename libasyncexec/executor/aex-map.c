/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One function over many items, without an object per item: a few runners, each an entry in the executor's queue, that
 * take the next index until there is none. */
#include "aex-submit-options.h"
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "executor/aex-core-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-pending-stream-private.h"
#include "pending/aex-scope-private.h"
#include "pending/aex-value-private.h"

typedef struct {
  atomic_int refs;             /* the stream's and one per runner */
  AexCore *core;
  GWeakRef stream;
  AexContext *context;
  AexScopeWatch *watch;        /* what tells the stream that its scope is over; set before anything runs */
  AexTarget *owner;
  AexMapFunc func;
  gpointer data;
  GDestroyNotify destroy;
  guint n_items;
  guint window;                /* 0: no limit */
  gint64 timeout_us;

  GMutex lock;                 /* guards the rest */
  guint n_started;
  guint n_taken;
  guint n_runners;             /* entries queued or running */
  guint max_runners;
  gboolean stopped;
  gboolean released;           /* the closure is gone */
  GPtrArray *running;          /* element AexMapFrame, on the stacks of runners */
} AexMap;

typedef struct {
  AexMap *map;
  AexMapFrame *frame;
  GMutex lock;                 /* guards frame: NULL when the item has ended */
  gboolean timed_out;
  atomic_int refs;
} AexItemTimer;

/* The closure of a map that no runner is left to release. */
static void
map_release_at_owner (AexMap *self)
{
  gboolean released;

  g_mutex_lock (&self->lock);
  released = self->released;
  self->released = TRUE;
  g_mutex_unlock (&self->lock);
  if (!released && self->destroy != NULL)
    aex_destroy_at (self->owner, self->destroy, self->data);
}

static void
map_unref (gpointer data)
{
  AexMap *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  map_release_at_owner (self);
  g_clear_pointer (&self->watch, aex_scope_watch_free);
  g_weak_ref_clear (&self->stream);
  g_clear_pointer (&self->context, aex_context_unref);
  g_clear_pointer (&self->owner, aex_target_unref);
  aex_target_unref (self->core);
  g_ptr_array_unref (self->running);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* ---- time limits of items */

static void
item_timer_unref (gpointer data)
{
  AexItemTimer *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

static void
item_timed_out (gpointer data)
{
  AexItemTimer *self = data;
  GCancellable *cancellable = NULL;

  g_mutex_lock (&self->lock);
  if (self->frame != NULL)
    {
      self->timed_out = TRUE;
      cancellable = g_object_ref (self->frame->frame.cancellable);
    }
  g_mutex_unlock (&self->lock);
  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
  g_clear_object (&cancellable);
}

/* ---- one item */

static void
map_list_frame (AexMap *self, AexMapFrame *frame, gboolean add)
{
  gboolean stopped;

  g_mutex_lock (&self->lock);
  if (add)
    g_ptr_array_add (self->running, frame);
  else
    g_ptr_array_remove_fast (self->running, frame);
  stopped = self->stopped;
  g_mutex_unlock (&self->lock);
  if (add && stopped)
    g_cancellable_cancel (frame->frame.cancellable);
}

static GError *
call_function (AexMap *self, AexMapFrame *frame, AexPendingStream *stream)
{
  GError *error = NULL;

  if (self->func (stream, frame->index, frame->frame.cancellable, self->data, &error))
    {
      g_clear_error (&error);
      return NULL;
    }
  if (error == NULL)
    error = g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED,
                                 _("The function failed without setting an error: set one, or return TRUE"));
  return error;
}

static GError *
call_with_timeout (AexMap *self, AexMapFrame *frame, AexPendingStream *stream)
{
  AexItemTimer *timer = g_new0 (AexItemTimer, 1);
  GError *error = NULL;
  AexAlarm *alarm;
  gboolean timed_out;

  atomic_init (&timer->refs, 2);
  g_mutex_init (&timer->lock);
  timer->frame = frame;
  alarm = aex_alarm_new (aex_clock_deadline (self->timeout_us), item_timed_out, timer, item_timer_unref, &error);
  if (alarm == NULL)
    {
      item_timer_unref (timer);
      item_timer_unref (timer);
      return error;
    }
  error = call_function (self, frame, stream);
  g_mutex_lock (&timer->lock);
  timer->frame = NULL;
  timed_out = timer->timed_out;
  g_mutex_unlock (&timer->lock);
  aex_alarm_cancel (alarm);
  item_timer_unref (timer);
  if (timed_out)
    {
      g_clear_error (&error);
      error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("The time allowed for the item is over"));
    }
  return error;
}

static void
run_item (AexMap *self, AexPendingStream *stream, guint index)
{
  AexThread *thread = aex_thread_get ();
  AexMapFrame frame = { .stream = stream, .index = index };
  AexStreamItem item = { .index = index };
  AexContext *saved;

  aex_frame_push (&frame.frame, NULL, &self->core->target);
  frame.frame.context = self->context;
  map_list_frame (self, &frame, TRUE);
  saved = aex_context_enter (thread, self->context);
  aex_checkpoint ();
  item.error = self->timeout_us >= 0 ? call_with_timeout (self, &frame, stream) : call_function (self, &frame, stream);
  aex_context_leave (thread, saved);
  map_list_frame (self, &frame, FALSE);
  aex_frame_pop (&frame.frame, g_cancellable_is_cancelled (frame.frame.cancellable));

  if (item.error == NULL)
    item.value = frame.value;
  else
    aex_value_release (&frame.value, self->owner);
  aex_pending_stream_add_items (stream, &item, 1);
}

/* ---- runners */

/* The lock is held. */
static gboolean
map_may_start (AexMap *self)
{
  return !self->stopped && self->n_started < self->n_items
         && (self->window == 0 || self->n_started - self->n_taken < self->window);
}

/* The lock is held.  One runner less: TRUE when it was the last one after the end. */
static gboolean
map_runner_leaves (AexMap *self)
{
  self->n_runners--;
  return self->n_runners == 0 && (self->stopped || self->n_started == self->n_items);
}

/* The next item, or FALSE: who asked is no runner any more.  Both under one lock, so that a consumer who makes room just
 * then knows whether somebody is still there to use it. */
static gboolean
map_next (AexMap *self, guint *index, gboolean *over)
{
  gboolean found;

  g_mutex_lock (&self->lock);
  found = map_may_start (self);
  *index = self->n_started;
  if (found)
    self->n_started++;
  *over = !found && map_runner_leaves (self);
  g_mutex_unlock (&self->lock);
  return found;
}

/* The last runner takes the closure along, where it ran. */
static void
map_over (AexMap *self, AexPendingStream *stream)
{
  GDestroyNotify destroy;

  g_mutex_lock (&self->lock);
  destroy = self->released ? NULL : self->destroy;
  self->released = TRUE;
  g_mutex_unlock (&self->lock);
  if (destroy != NULL)
    destroy (self->data);
  aex_pending_stream_producer_done (stream);
}

static GError *
map_closed_error (void)
{
  return g_error_new_literal (AEX_ERROR, AEX_ERROR_CLOSED, _("The executor was shut down before all items were done"));
}

/* A runner that will not run any more.  Takes what it holds, and error. */
static void
runner_failed (AexMap *self, AexPendingStream *stream, GError *error)
{
  gboolean over;

  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  over = map_runner_leaves (self);
  g_mutex_unlock (&self->lock);
  aex_pending_stream_fail (stream, error);
  if (over)
    map_over (self, stream);
  g_object_unref (stream);
  map_unref (self);
}

static void post_runner (AexMap *self, AexPendingStream *stream);

/* One turn: on a caller one item, so that others get theirs; on a pool a few milliseconds' worth would do, but FIFO with
 * other work matters more: an item per turn while anybody else waits there, else on and on. */
static void
runner_run (AexEntry *entry, AexTarget *target)
{
  AexMap *self = entry->a;
  AexPendingStream *stream = entry->b;
  AexEntry again = *entry;
  gboolean over;
  guint index;

  (void) target;
  do
    {
      if (!map_next (self, &index, &over))
        {
          if (over)
            map_over (self, stream);
          g_object_unref (stream);
          map_unref (self);
          return;
        }
      run_item (self, stream, index);
    }
  while (AEX_CORE_OPS (self->core)->count (self->core, FALSE) == 0 && AEX_CORE_OPS (self->core)->get_width (self->core) > 1);

  if (AEX_CORE_OPS (self->core)->jobs_only)
    post_runner (self, stream);
  else if (!self->core->target.ops->post (&self->core->target, AEX_LANE_DEFAULT, &again))
    runner_failed (self, stream, map_closed_error ());
}

static void
runner_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  runner_failed (entry->a, entry->b, map_closed_error ());
}

static const AexEntryKind runner_kind = { .run = runner_run, .drop = runner_drop };

/* Scripted executors and those that are built on others know only jobs. */
typedef struct {
  AexMap *map;
  AexPendingStream *stream;    /* NULL: taken */
  AexPending *job;             /* a reference, until the job lets go of this */
} AexRunnerJob;

static gboolean
runner_job (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  AexRunnerJob *self = data;

  (void) job;
  (void) cancellable;
  (void) error;
  runner_run (&(AexEntry) { &runner_kind, self->map, g_steal_pointer (&self->stream), NULL }, NULL);
  return TRUE;
}

static void
runner_job_discard (gpointer data)
{
  AexRunnerJob *self = data;

  g_object_unref (self->job);
  g_free (self);
}

/* It says why, if it was not for a shutdown. */
static void
runner_job_refused (AexPending *job, gpointer data)
{
  AexRunnerJob *self = data;
  gboolean failed = AEX_PHASE (aex_pending_load (job)) == AEX_PHASE_REJECTED;

  runner_failed (self->map, g_steal_pointer (&self->stream), failed ? aex_pending_dup_error (job) : map_closed_error ());
}

static void
runner_job_free (gpointer data)
{
  AexRunnerJob *self = data;

  if (self->stream != NULL)
    aex_pending_add_done_callback_inline (self->job, runner_job_refused, self, runner_job_discard);
  else
    runner_job_discard (self);
}

static void
post_runner (AexMap *self, AexPendingStream *stream)
{
  AexEntry entry = { &runner_kind, self, stream, NULL };
  const AexCoreOps *ops = AEX_CORE_OPS (self->core);
  GError *error = NULL;
  AexRunnerJob *runner;
  g_autoptr (AexPending) job = NULL;

  if (ops->ensure_thread != NULL && !ops->ensure_thread (self->core, &error))
    {
      runner_failed (self, stream, error);
      return;
    }
  if (!ops->jobs_only)
    {
      aex_target_post_or_drop (&self->core->target, AEX_LANE_DEFAULT, &entry);
      return;
    }
  runner = g_new (AexRunnerJob, 1);
  job = aex_pending_new_job (&self->core->target, NULL, (gpointer) runner_job, runner, runner_job_free, 0);
  *runner = (AexRunnerJob) { self, stream, g_object_ref (job) };
  entry = (AexEntry) { &aex_job_kind, g_object_ref (job), NULL, NULL };
  if (ops->hand_over (self->core, AEX_LANE_DEFAULT, &entry, &error))
    return;
  g_object_unref (job);
  runner->stream = NULL;
  aex_core_refuse (self->core, job, AEX_REFUSED_CLOSED, NULL);
  runner_failed (self, stream, error != NULL ? error : map_closed_error ());
}

/* As many as there is room for and the executor can use. */
static void
map_start_runners (AexMap *self)
{
  g_autoptr (AexPendingStream) stream = aex_weak_get (&self->stream);
  guint n = 0;

  if (stream == NULL)
    return;
  g_mutex_lock (&self->lock);
  if (map_may_start (self))
    {
      n = MIN (self->n_items - self->n_started, self->max_runners);
      if (self->window > 0)
        n = MIN (n, self->window - (self->n_started - self->n_taken));
      n = n > self->n_runners ? n - self->n_runners : 0;
    }
  self->n_runners += n;
  g_mutex_unlock (&self->lock);
  while (n-- > 0)
    {
      atomic_fetch_add (&self->refs, 1);
      post_runner (self, g_object_ref (stream));
    }
}

/* ---- what the stream says */

static void
map_taken (gpointer data)
{
  AexMap *self = data;

  g_mutex_lock (&self->lock);
  self->n_taken++;
  g_mutex_unlock (&self->lock);
  if (self->window > 0)
    map_start_runners (self);
}

static void
map_stop (gpointer data)
{
  AexMap *self = data;
  g_autoptr (GPtrArray) cancellables = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (AexPendingStream) stream = NULL;
  gboolean idle;

  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  idle = self->n_runners == 0;
  for (guint i = 0; i < self->running->len; i++)
    g_ptr_array_add (cancellables, g_object_ref (((AexMapFrame *) self->running->pdata[i])->frame.cancellable));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < cancellables->len; i++)
    g_cancellable_cancel (cancellables->pdata[i]);
  stream = aex_weak_get (&self->stream);
  if (idle)
    map_release_at_owner (self);
  if (idle && stream != NULL)
    aex_pending_stream_producer_done (stream);
}

/* ---- the scope that the map was started in */

/* The lock is held.  Will there be items? */
static gboolean
map_goes_on (AexMap *self)
{
  return !self->stopped && (self->n_runners > 0 || self->n_started < self->n_items);
}

static void
map_scope_over (AexScope *scope, gpointer weak)
{
  g_autoptr (AexPendingStream) stream = aex_weak_get (weak);
  AexMap *self = stream != NULL ? stream->producer : NULL;
  gboolean goes_on;

  if (stream == NULL)
    return;
  g_mutex_lock (&self->lock);
  goes_on = map_goes_on (self);
  g_mutex_unlock (&self->lock);
  if (!goes_on)
    return;
  aex_pending_stream_fail (stream, aex_scope_make_error (aex_scope_get_status (scope)));
  map_stop (self);
}

static void
weak_free (gpointer weak)
{
  g_weak_ref_clear (weak);
  g_free (weak);
}

/* FALSE, with error set: it is over, or nobody would tell its time. */
static gboolean
map_join_scope (AexMap *self, AexPendingStream *stream, GError **error)
{
  AexScope *scope = aex_scope_of_context (self->context);
  GWeakRef *weak;

  if (G_LIKELY (scope == NULL))
    return TRUE;
  if (!aex_scope_check (scope, error))
    return FALSE;
  weak = g_new (GWeakRef, 1);
  g_weak_ref_init (weak, stream);
  self->watch = aex_scope_watch (scope, TRUE, map_scope_over, weak, weak_free, error);
  return self->watch != NULL;
}

static AexTarget *
map_get_executor (gpointer data)
{
  return &((AexMap *) data)->core->target;
}

static const AexStreamProducerOps map_ops = { map_taken, map_stop, map_unref, map_get_executor };

/**
 * aex_executor_map:
 * @self: an executor
 * @n_items: how many items
 * @max_concurrent: how many items may be started and not taken yet, 0 for all
 *   at once
 * @item_timeout_us: microseconds for each item from its start, -1 for no limit
 * @flags: how results come
 * @func: (scope notified) (closure user_data) (destroy destroy): called for each index
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called after the last item, where that ran
 *
 * Calls @func for the indices from 0 up to @n_items, on @self, and gives the
 * results as a stream: in order, or with %AEX_MAP_FLAGS_UNORDERED as they
 * come. An error ends the stream at its place and cancels the rest, or, with
 * %AEX_MAP_FLAGS_CONTINUE_ON_ERROR, is a result like others. An item whose time
 * is over is cancelled and fails with %G_IO_ERROR_TIMED_OUT.
 *
 * In a [struct@Scope], the stream ends with its error, and what runs is
 * cancelled, when that is over.
 *
 * With @max_concurrent 0 everything is started even if nobody takes results.
 * With a window, dropping the stream starts nothing new. Closing it cancels.
 *
 * Returns: (transfer full): a stream
 *
 * Since: 1.0
 */
AexPendingStream *
aex_executor_map (AexExecutor *self, guint n_items, guint max_concurrent, gint64 item_timeout_us, AexMapFlags flags,
                  AexMapFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexCore *core;
  AexMap *map;
  AexPendingStream *stream;
  AexTarget *owner;
  gboolean refused;
  GError *error = NULL;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  core = aex_executor_get_core (self);
  owner = aex_delivery_target (aex_thread_get (), NULL);
  map = g_new0 (AexMap, 1);
  atomic_init (&map->refs, 1);
  map->core = aex_target_ref (core);
  map->context = aex_context_capture (aex_thread_get ());
  map->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  map->func = func;
  map->data = user_data;
  map->destroy = destroy;
  map->n_items = n_items;
  map->window = max_concurrent;
  map->timeout_us = item_timeout_us;
  map->max_runners = AEX_CORE_OPS (core)->get_width (core);
  map->running = g_ptr_array_new ();
  g_mutex_init (&map->lock);
  stream = aex_pending_stream_new_produced (&map_ops, map, n_items, !(flags & AEX_MAP_FLAGS_UNORDERED),
                                            !(flags & AEX_MAP_FLAGS_CONTINUE_ON_ERROR));
  g_weak_ref_init (&map->stream, stream);
  refused = aex_fork_check (&error) || aex_core_is_closed (core) || !map_join_scope (map, stream, &error);
  if (refused)
    {
      map->stopped = TRUE;
      aex_pending_stream_fail (stream, error != NULL ? error : map_closed_error ());
    }
  /* If the scope ends it from now on, that thread does the rest. */
  if (n_items == 0 || refused)
    {
      map_release_at_owner (map);
      aex_pending_stream_producer_done (stream);
    }
  else
    {
      map_start_runners (map);
    }
  return stream;
}
