/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-pending-stream-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-pending-result-private.h"
#include "pending/aex-stream-model-private.h"

/**
 * AexPendingStream:
 *
 * Results one after the other, as they come: of [method@Executor.map], of
 * [func@Pending.as_completed], or pushed by a producer
 * ([ctor@PendingStream.new]).
 *
 * There is one consumer. It asks for the next item with
 * [method@PendingStream.next] or, blocking, with
 * [method@PendingStream.next_sync]; requests are served in order, every item
 * is delivered once. Dropping a stream cancels nothing; closing it does.
 *
 * All functions may be called on any thread.
 *
 * Since: 1.0
 */
G_DEFINE_FINAL_TYPE (AexPendingStream, aex_pending_stream, G_TYPE_OBJECT)

/* ---- life */

static void
aex_pending_stream_finalize (GObject *object)
{
  AexPendingStream *self = AEX_PENDING_STREAM (object);

  for (guint i = self->head; i != self->tail; i++)
    if (aex_stream_ring_slot (self, i)->ready)
      aex_stream_item_clear (self, aex_stream_ring_slot (self, i));
  g_free (self->ring);
  g_clear_error (&self->end_error);
  g_clear_object (&self->close_pending);
  if (self->ops != NULL)
    self->ops->release (self->producer);
  if (atomic_load (&self->model) != NULL)
    aex_stream_model_free (atomic_load (&self->model));
  g_clear_pointer (&self->owner, aex_target_unref);
  g_mutex_clear (&self->lock);
  aex_live_add (AEX_LIVE_STREAM, -1);
  G_OBJECT_CLASS (aex_pending_stream_parent_class)->finalize (object);
}

/* Requests that nobody will serve end with the stream. */
static void
aex_pending_stream_dispose (GObject *object)
{
  AexPendingStream *self = AEX_PENDING_STREAM (object);
  AexPending *next;
  AexStreamPush *push;

  if (g_atomic_int_get ((int *) &object->ref_count) == 1)
    {
      while ((next = g_queue_pop_head (&self->nexts)) != NULL)
        {
          aex_pending_resolve (next, NULL);
          g_object_unref (next);
        }
      while ((push = g_queue_pop_head (&self->pushes)) != NULL)
        aex_stream_push_refuse (self, push);
    }
  G_OBJECT_CLASS (aex_pending_stream_parent_class)->dispose (object);
}

static void
aex_pending_stream_class_init (AexPendingStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = aex_pending_stream_dispose;
  G_OBJECT_CLASS (klass)->finalize = aex_pending_stream_finalize;
}

static void
aex_pending_stream_init (AexPendingStream *self)
{
  AexTarget *owner = aex_delivery_target (aex_thread_get (), NULL);

  g_mutex_init (&self->lock);
  self->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  aex_live_add (AEX_LIVE_STREAM, 1);
}

AexPendingStream *
aex_pending_stream_new_produced (const AexStreamProducerOps *ops, gpointer producer, guint n_total, gboolean ordered, gboolean stop_on_error)
{
  AexPendingStream *self = g_object_new (AEX_TYPE_PENDING_STREAM, NULL);

  self->ops = ops;
  self->producer = producer;
  self->n_total = n_total;
  self->ordered = ordered;
  self->stop_on_error = stop_on_error;
  return self;
}

/**
 * aex_pending_stream_new:
 * @max_buffered: how many items may wait for the consumer before
 *   [method@PendingStream.push] waits, 0 for no limit
 *
 * Makes a stream to push into.
 *
 * Returns: (transfer full): a new stream
 *
 * Since: 1.0
 */
AexPendingStream *
aex_pending_stream_new (guint max_buffered)
{
  AexPendingStream *self = g_object_new (AEX_TYPE_PENDING_STREAM, NULL);

  self->max_buffered = max_buffered;
  self->n_total = G_MAXUINT;
  return self;
}

/* ---- handing out */

/* The lock is held.  What the next request gets: an item, the error that ends the stream, or its end. */
typedef enum { AEX_STREAM_WAIT, AEX_STREAM_ITEM, AEX_STREAM_ERROR, AEX_STREAM_END } AexStreamState;

static AexStreamState
stream_take (AexPendingStream *self, AexStreamItem *item, GError **error)
{
  if (self->closed || self->failed)
    return AEX_STREAM_END;
  if (self->error_first)
    {
      self->failed = TRUE;
      *error = g_steal_pointer (&self->end_error);
      return AEX_STREAM_ERROR;
    }
  if (aex_stream_ring_has_next (self))
    {
      *item = *aex_stream_ring_slot (self, self->head);
      aex_stream_ring_slot (self, self->head)->ready = FALSE;
      self->head++;
      if (item->error == NULL || !self->stop_on_error)
        return AEX_STREAM_ITEM;
      self->failed = self->ended = TRUE;
      *error = g_steal_pointer (&item->error);
      return AEX_STREAM_ERROR;
    }
  if (!self->ended || self->pushes.length > 0)
    return AEX_STREAM_WAIT;
  if (self->end_error == NULL)
    return AEX_STREAM_END;
  self->failed = TRUE;
  *error = g_steal_pointer (&self->end_error);
  return AEX_STREAM_ERROR;
}

/* The request was cancelled at the last moment: it eats nothing. */
static void
stream_put_back (AexPendingStream *self, AexStreamState state, AexStreamItem *item, GError *error)
{
  gboolean closed;

  g_mutex_lock (&self->lock);
  closed = self->closed;
  if (!closed && state == AEX_STREAM_ITEM)
    {
      aex_stream_ring_put_back (self, item);
    }
  else if (!closed && state == AEX_STREAM_ERROR)
    {
      self->failed = FALSE;
      self->error_first = TRUE;
      g_clear_error (&self->end_error);
      self->end_error = g_steal_pointer (&error);
    }
  g_mutex_unlock (&self->lock);
  if (closed && state == AEX_STREAM_ITEM)
    aex_stream_item_clear (self, item);
  g_clear_error (&error);
}

/* What taking an item sets free: room for a push, or for the map to start another. */
static void
stream_after_take (AexPendingStream *self, AexStreamState state)
{
  if (self->ops == NULL)
    aex_stream_next_push (self);
  else if (state == AEX_STREAM_ERROR)
    self->ops->stop (self->producer);
  else
    self->ops->taken (self->producer);
}

static gboolean
request_is_gone (AexPending *next)
{
  return AEX_IS_DONE (aex_pending_load (next))
         || (g_atomic_int_get ((int *) &G_OBJECT (next)->ref_count) == 1 && !(aex_pending_load (next) & AEX_BIT_WAIT));
}

/* FALSE: the request did not take it. */
static gboolean
request_answer (AexPendingStream *self, AexPending *next, AexStreamState state, AexStreamItem *item, GError **error)
{
  gboolean taken;

  if (request_is_gone (next))
    return FALSE;
  if (state == AEX_STREAM_END)
    return aex_pending_resolve (next, NULL);
  if (state == AEX_STREAM_ERROR)
    {
      taken = aex_pending_reject (next, g_error_copy (*error));
      if (taken)
        g_clear_error (error);
      return taken;
    }
  item->result = aex_stream_item_to_result (self, item);
  taken = aex_pending_resolve_object (next, item->result);
  if (taken)
    g_clear_object (&item->result);
  return taken;
}

/* Serves requests, in order, one thread at a time. */
void
aex_pending_stream_pump (AexPendingStream *self)
{
  g_object_ref (self);
  g_mutex_lock (&self->lock);
  if (self->pumping)
    {
      g_mutex_unlock (&self->lock);
      g_object_unref (self);
      return;
    }
  self->pumping = TRUE;
  while (self->nexts.length > 0)
    {
      AexStreamItem item = { 0 };
      GError *error = NULL;
      AexStreamState state = stream_take (self, &item, &error);
      AexPending *next;
      gboolean taken;

      if (state == AEX_STREAM_WAIT)
        break;
      next = g_queue_pop_head (&self->nexts);
      atomic_fetch_sub (&self->n_waiting, 1);
      g_mutex_unlock (&self->lock);
      aex_checkpoint ();
      taken = request_answer (self, next, state, &item, &error);
      if (!taken)
        {
          stream_put_back (self, state, &item, error);
        }
      else if (state != AEX_STREAM_END)
        {
          aex_stream_item_taken (&item);
          stream_after_take (self, state);
        }
      g_object_unref (next);
      g_mutex_lock (&self->lock);
    }
  self->pumping = FALSE;
  g_mutex_unlock (&self->lock);
  g_object_unref (self);
}

gboolean
aex_pending_stream_is_awaited (AexPendingStream *self)
{
  return atomic_load_explicit (&self->n_waiting, memory_order_relaxed) > 0;
}

void
aex_pending_stream_add_items (AexPendingStream *self, AexStreamItem *items, guint n)
{
  AexStreamModel *model = atomic_load (&self->model);
  gboolean pump;

  for (guint i = 0; model != NULL && i < n; i++)
    {
      /* The error also decides whether the stream ends here. */
      GError *error = items[i].error != NULL ? g_error_copy (items[i].error) : NULL;

      items[i].result = aex_stream_item_to_result (self, &items[i]);
      items[i].error = error;
      aex_stream_model_add (model, items[i].result);
    }
  g_mutex_lock (&self->lock);
  self->n_done += n;
  if (self->closed || self->failed)
    {
      g_mutex_unlock (&self->lock);
      for (guint i = 0; i < n; i++)
        aex_stream_item_clear (self, &items[i]);
      return;
    }
  for (guint i = 0; i < n; i++)
    aex_stream_ring_put (self, &items[i]);
  if (self->n_done == self->n_total)
    self->ended = TRUE;
  pump = self->nexts.length > 0 && (aex_stream_ring_has_next (self) || self->ended);
  g_mutex_unlock (&self->lock);
  if (pump)
    aex_pending_stream_pump (self);
}

/**
 * aex_pending_stream_next:
 * @self: a stream
 *
 * Asks for the next item. Several requests are served in order; one that is
 * cancelled, or dropped, eats nothing.
 *
 * Returns: (transfer full): a pending that resolves with a
 *   [class@PendingResult], or with no value at the end
 *
 * Since: 1.0
 */
AexPending *
aex_pending_stream_next (AexPendingStream *self)
{
  AexPending *next;

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);

  aex_checkpoint ();
  next = aex_pending_new_if_forked ();
  if (next != NULL)
    return next;
  next = aex_pending_new_promise (0);
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->nexts, g_object_ref (next));
  atomic_fetch_add (&self->n_waiting, 1);
  g_mutex_unlock (&self->lock);
  aex_pending_stream_pump (self);
  return next;
}

/**
 * aex_pending_stream_next_sync:
 * @self: a stream
 * @timeout_us: microseconds, -1 for no limit
 * @cancellable: (nullable): what ends the wait
 * @error: return location for an error
 *
 * Blocks until the next item is there, as [method@Pending.wait] does.
 *
 * Returns: (transfer full) (nullable): the item; %NULL without error at the
 *   end, %NULL if @error is set
 *
 * Since: 1.0
 */
AexPendingResult *
aex_pending_stream_next_sync (AexPendingStream *self, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
  g_autoptr (AexPending) next = NULL;
  AexStreamItem item = { 0 };
  GError *taken_error = NULL;
  AexStreamState state = AEX_STREAM_WAIT;
  AexTarget *executor, *home;
  GError *wait_error = NULL;
  gboolean own;

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);

  aex_checkpoint ();
  if (aex_fork_check (error))
    return NULL;
  g_mutex_lock (&self->lock);
  if (self->nexts.length == 0 && !self->pumping)
    state = stream_take (self, &item, &taken_error);
  g_mutex_unlock (&self->lock);
  if (state == AEX_STREAM_END)
    return NULL;
  if (state != AEX_STREAM_WAIT)
    {
      aex_stream_item_taken (&item);
      stream_after_take (self, state);
      /* Who asked meanwhile saw nothing in the buffer, where the next push is now. */
      if (self->ops == NULL)
        aex_pending_stream_pump (self);
    }
  if (state == AEX_STREAM_ERROR)
    {
      g_propagate_error (error, taken_error);
      return NULL;
    }
  if (state == AEX_STREAM_ITEM)
    return aex_stream_item_to_result (self, &item);

  executor = self->ops != NULL ? self->ops->get_executor (self->producer) : NULL;
  home = executor != NULL ? executor->ops->cancel_target (executor, NULL) : NULL;
  own = home != NULL && home->ops->is_current (home);
  g_clear_pointer (&home, aex_target_unref);
  if (own)
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                           _("The items are computed on this thread: ask for the next one without blocking"));
      return NULL;
    }
  next = aex_pending_stream_next (self);
  if (!aex_pending_wait (next, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, timeout_us, cancellable, &wait_error))
    {
      aex_pending_cancel (next, NULL);
      /* An item that came at the last moment is not lost. */
      if (AEX_PHASE (aex_pending_load (next)) != AEX_PHASE_RESOLVED)
        {
          g_propagate_error (error, wait_error);
          return NULL;
        }
      g_clear_error (&wait_error);
    }
  return aex_pending_dup_object (next, error);
}

/**
 * aex_pending_stream_close:
 * @self: a stream
 *
 * Ends the stream from the consumer's side: nothing new is started, what runs
 * is cancelled, what waits is dropped. Requests get the end. Idempotent.
 *
 * Returns: (transfer full): a pending that resolves when nothing runs any
 *   more; it may be dropped
 *
 * Since: 1.0
 */
AexPending *
aex_pending_stream_close (AexPendingStream *self)
{
  AexPending *pending;
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (AexStreamItem));
  GQueue pushes = G_QUEUE_INIT;
  gboolean first, idle;
  AexStreamPush *push;

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);

  pending = aex_pending_new_if_forked ();
  if (pending != NULL)
    return pending;
  pending = aex_pending_new_promise (AEX_FLAG_LIBRARY);
  g_mutex_lock (&self->lock);
  first = !self->closed;
  self->closed = self->ended = TRUE;
  if (self->close_pending == NULL)
    self->close_pending = g_steal_pointer (&pending);
  g_clear_object (&pending);
  pending = g_object_ref (self->close_pending);
  for (; self->head != self->tail; self->head++)
    if (aex_stream_ring_slot (self, self->head)->ready)
      g_array_append_vals (items, aex_stream_ring_slot (self, self->head), 1);
  pushes = self->pushes;
  g_queue_init (&self->pushes);
  idle = self->ops == NULL || self->producer_done;
  g_mutex_unlock (&self->lock);

  for (guint i = 0; i < items->len; i++)
    aex_stream_item_clear (self, &g_array_index (items, AexStreamItem, i));
  while ((push = g_queue_pop_head (&pushes)) != NULL)
    aex_stream_push_refuse (self, push);
  if (first && self->ops != NULL)
    self->ops->stop (self->producer);
  if (idle)
    aex_pending_record (pending, AEX_TAG_NONE, (AexWord) { 0 });
  aex_pending_stream_pump (self);
  return pending;
}

/**
 * aex_pending_stream_get_n_done:
 * @self: a stream
 *
 * Gets how many items are done, or were pushed, taken or not.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_pending_stream_get_n_done (AexPendingStream *self)
{
  guint n;

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), 0);

  g_mutex_lock (&self->lock);
  n = self->n_done;
  g_mutex_unlock (&self->lock);
  return n;
}

/**
 * aex_pending_stream_get_n_total:
 * @self: a stream
 *
 * Gets how many items there will be.
 *
 * Returns: the number, %G_MAXUINT when unknown
 *
 * Since: 1.0
 */
guint
aex_pending_stream_get_n_total (AexPendingStream *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), 0);

  return self->n_total;
}

/**
 * aex_pending_stream_get_model:
 * @self: a stream
 *
 * Gets a list of [class@PendingResult] that grows as items are done, from the
 * first call on. It belongs to the owner context of @self, that of the thread
 * that made it: it changes there, at most once per iteration.
 *
 * Returns: (transfer none): the list
 *
 * Since: 1.0
 */
GListModel *
aex_pending_stream_get_model (AexPendingStream *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);

  g_mutex_lock (&self->lock);
  if (atomic_load (&self->model) == NULL)
    atomic_store (&self->model, aex_stream_model_new (self->owner));
  g_mutex_unlock (&self->lock);
  return aex_stream_model_get_list (atomic_load (&self->model));
}
