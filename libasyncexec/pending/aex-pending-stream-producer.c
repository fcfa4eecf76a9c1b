/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The producer's side of a stream. */
#include "pending/aex-pending-private.h"
#include "pending/aex-pending-stream-private.h"
#include "pending/aex-value-private.h"

#include "base/aex-debug-private.h"

void
aex_pending_stream_fail (AexPendingStream *self, GError *error)
{
  g_mutex_lock (&self->lock);
  if (self->end_error == NULL && !self->closed)
    self->end_error = g_steal_pointer (&error);
  self->ended = TRUE;
  g_mutex_unlock (&self->lock);
  g_clear_error (&error);
  aex_pending_stream_pump (self);
}

void
aex_pending_stream_producer_done (AexPendingStream *self)
{
  AexPending *close_pending;

  g_mutex_lock (&self->lock);
  self->producer_done = TRUE;
  self->ended = TRUE;
  close_pending = self->closed && self->close_pending != NULL ? g_object_ref (self->close_pending) : NULL;
  g_mutex_unlock (&self->lock);
  if (close_pending != NULL)
    aex_pending_record (close_pending, AEX_TAG_NONE, (AexWord) { 0 });
  g_clear_object (&close_pending);
  aex_pending_stream_pump (self);
}

/**
 * aex_pending_stream_set_value:
 * @self: a stream
 * @index: which item
 * @value: (nullable): its value, copied
 *
 * Sets the value of an item of a map. Only inside the [callback@MapFunc] that
 * computes it.
 *
 * Returns: %FALSE if that item does not run here
 *
 * Since: 1.0
 */
gboolean
aex_pending_stream_set_value (AexPendingStream *self, guint index, const GValue *value)
{
  AexMapFrame *frame = (AexMapFrame *) aex_thread_get ()->frame;

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), FALSE);

  if (frame == NULL || frame->frame.job != NULL || frame->stream != self || frame->index != index)
    return FALSE;
  aex_value_release (&frame->value, self->owner);
  if (value != NULL && G_IS_VALUE (value))
    {
      g_value_init (&frame->value, G_VALUE_TYPE (value));
      g_value_copy (value, &frame->value);
    }
  return TRUE;
}

/**
 * aex_pending_stream_set_string: (skip)
 * @self: a stream
 * @index: which item
 * @value: (nullable): its value, copied
 *
 * Sets the value of an item of a map, see [method@PendingStream.set_value].
 *
 * Returns: %FALSE if that item does not run here
 *
 * Since: 1.0
 */
gboolean
aex_pending_stream_set_string (AexPendingStream *self, guint index, const char *value)
{
  g_auto (GValue) holder = G_VALUE_INIT;

  g_value_init (&holder, G_TYPE_STRING);
  g_value_set_static_string (&holder, value);
  return aex_pending_stream_set_value (self, index, &holder);
}

/* ---- pushes that wait for room */

static void
push_free (AexPendingStream *self, AexStreamPush *push)
{
  aex_stream_item_clear (self, &push->item);
  g_clear_object (&push->pending);
  g_free (push);
}

void
aex_stream_push_refuse (AexPendingStream *self, AexStreamPush *push)
{
  if (push->pending != NULL)
    aex_pending_cancel_as (push->pending, AEX_CANCEL_CLOSED, NULL);
  push_free (self, push);
}

/* The lock is held.  One that was not taken back meanwhile, and from now on can not be; those that were go to withdrawn. */
static AexStreamPush *
pop_push (AexPendingStream *self, GQueue *withdrawn)
{
  AexStreamPush *push;

  while ((push = g_queue_pop_head (&self->pushes)) != NULL
         && push->pending != NULL && !aex_pending_reserve (push->pending))
    g_queue_push_tail (withdrawn, push);
  return push;
}

/* The item of push is in the buffer: takes push. */
static void
push_accepted (AexPendingStream *self, AexStreamPush *push, AexPendingResult *shown)
{
  aex_stream_show (self, shown);
  if (push->pending != NULL)
    aex_pending_fulfil (push->pending);
  g_clear_object (&push->pending);
  g_free (push);
}

/* FALSE: none waits, or, unless the stream ends, there is no room: a push that came just now may have taken it. */
static gboolean
accept_push (AexPendingStream *self, gboolean at_end)
{
  AexPendingResult *shown = NULL;
  GQueue withdrawn = G_QUEUE_INIT;
  AexStreamPush *push, *gone;

  g_mutex_lock (&self->lock);
  push = at_end || aex_stream_ring_length (self) < self->max_buffered ? pop_push (self, &withdrawn) : NULL;
  if (push != NULL)
    shown = aex_stream_ring_put_pushed (self, &push->item);
  g_mutex_unlock (&self->lock);
  while ((gone = g_queue_pop_head (&withdrawn)) != NULL)
    push_free (self, gone);
  if (push != NULL)
    push_accepted (self, push, shown);
  return push != NULL;
}

void
aex_stream_next_push (AexPendingStream *self)
{
  accept_push (self, FALSE);
}

/* ---- pushing */

/* The lock is held. */
static gboolean
has_room (AexPendingStream *self)
{
  return self->pushes.length == 0
         && (self->max_buffered == 0 || aex_stream_ring_length (self) < self->max_buffered || self->nexts.length > 0);
}

/* Puts the item into the buffer, or lets it wait with pending, which may be NULL, for room.  The item is in its place
 * before anybody can end the stream behind its back. */
static void
stream_push (AexPendingStream *self, AexStreamItem *item, AexPending *pending)
{
  AexPendingResult *shown = NULL;
  gboolean refused, room;
  AexStreamPush *push;

  aex_checkpoint ();
  g_mutex_lock (&self->lock);
  refused = self->ended || self->closed;
  room = !refused && has_room (self);
  if (!refused)
    item->index = self->n_pushed++;
  if (room)
    {
      shown = aex_stream_ring_put_pushed (self, item);
    }
  else if (!refused)
    {
      push = g_new0 (AexStreamPush, 1);
      push->item = *item;
      push->pending = pending != NULL ? g_object_ref (pending) : NULL;
      g_queue_push_tail (&self->pushes, push);
    }
  g_mutex_unlock (&self->lock);
  if (refused)
    {
      aex_stream_item_clear (self, item);
      if (pending != NULL)
        aex_pending_cancel_as (pending, AEX_CANCEL_CLOSED, NULL);
    }
  else if (room)
    {
      aex_stream_show (self, shown);
      if (pending != NULL)
        aex_pending_resolve (pending, NULL);
      aex_pending_stream_pump (self);
    }
}

static void
item_set_value (AexStreamItem *item, const GValue *value)
{
  if (value == NULL || !G_IS_VALUE (value))
    return;
  g_value_init (&item->value, G_VALUE_TYPE (value));
  g_value_copy (value, &item->value);
}

/**
 * aex_pending_stream_push:
 * @self: a stream
 * @value: (nullable): the value, copied
 *
 * Adds an item. Any number of threads may do so; the consumer gets the items in
 * the order in which they were pushed, each once.
 *
 * The returned pending is for back-pressure. What becomes of the item after it
 * is in the buffer tells [method@PendingStream.transfer].
 *
 * Returns: (transfer full): a pending that resolves when the item is in the
 *   buffer, at once while there is room; cancelled with %AEX_ERROR_CLOSED when
 *   the stream has ended or is closed. Cancelling it takes an item back that
 *   is not in the buffer yet. It may be dropped.
 *
 * Since: 1.0
 */
AexPending *
aex_pending_stream_push (AexPendingStream *self, const GValue *value)
{
  AexPending *pending;
  AexStreamItem item = { 0 };

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);
  g_return_val_if_fail (self->ops == NULL, NULL);

  pending = aex_pending_new_if_forked ();
  if (pending != NULL)
    return pending;
  item_set_value (&item, value);
  pending = aex_pending_new_promise (0);
  stream_push (self, &item, pending);
  return pending;
}

/**
 * aex_pending_stream_transfer:
 * @self: a stream
 * @value: (nullable): the value, copied
 *
 * Adds an item, as [method@PendingStream.push] does, for who has to know what
 * becomes of it: handed to the consumer, or left over when the stream was
 * closed, was dropped, or had ended before. It never blocks.
 *
 * Returns: (transfer full): a pending that resolves when the consumer has
 *   taken the item, and is cancelled with %AEX_ERROR_CLOSED when nobody ever
 *   will: one of the two, in every case. It only reports and can not be
 *   cancelled. It may be dropped.
 *
 * Since: 1.0
 */
AexPending *
aex_pending_stream_transfer (AexPendingStream *self, const GValue *value)
{
  AexPending *pending;
  AexStreamItem item = { 0 };

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);
  g_return_val_if_fail (self->ops == NULL, NULL);

  pending = aex_pending_new_if_forked ();
  if (pending != NULL)
    return pending;
  item_set_value (&item, value);
  pending = aex_pending_new_promise (AEX_FLAG_LIBRARY);
  item.transfer = g_object_ref (pending);
  stream_push (self, &item, NULL);
  return pending;
}

/**
 * aex_pending_stream_end:
 * @self: a stream
 * @error: (nullable): why it ends early, copied
 *
 * Says that nothing more will be pushed. The consumer still gets what is
 * there, and pushes that wait; then @error, once, or the end.
 *
 * Since: 1.0
 */
void
aex_pending_stream_end (AexPendingStream *self, const GError *error)
{
  g_return_if_fail (AEX_IS_PENDING_STREAM (self));
  g_return_if_fail (self->ops == NULL);

  g_mutex_lock (&self->lock);
  if (!self->ended)
    {
      self->ended = TRUE;
      self->end_error = error != NULL ? g_error_copy (error) : NULL;
    }
  g_mutex_unlock (&self->lock);
  while (accept_push (self, TRUE))
    ;
  aex_pending_stream_pump (self);
}

/**
 * aex_pending_stream_complete:
 * @self: a stream
 *
 * [method@PendingStream.end] without an error, for bindings that can not pass
 * none.
 *
 * Since: 1.0
 */
void
aex_pending_stream_complete (AexPendingStream *self)
{
  aex_pending_stream_end (self, NULL);
}
