/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The producer's side of a stream. */
#include "pending/aex-pending-private.h"
#include "pending/aex-pending-stream-private.h"
#include "pending/aex-value-private.h"

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

/**
 * aex_pending_stream_push:
 * @self: a stream
 * @value: (nullable): the value, copied
 *
 * Adds an item.
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
  AexStreamPush *push;
  AexPending *pending;
  AexStreamItem item = { 0 };
  gboolean refused, room;

  g_return_val_if_fail (AEX_IS_PENDING_STREAM (self), NULL);
  g_return_val_if_fail (self->ops == NULL, NULL);

  pending = aex_pending_new_if_forked ();
  if (pending != NULL)
    return pending;
  if (value != NULL && G_IS_VALUE (value))
    {
      g_value_init (&item.value, G_VALUE_TYPE (value));
      g_value_copy (value, &item.value);
    }
  pending = aex_pending_new_promise (0);
  g_mutex_lock (&self->lock);
  refused = self->ended || self->closed;
  room = !refused && self->pushes.length == 0
         && (self->max_buffered == 0 || aex_stream_ring_length (self) < self->max_buffered || self->nexts.length > 0);
  if (!refused)
    item.index = self->n_pushed++;
  if (!refused && !room)
    {
      push = g_new0 (AexStreamPush, 1);
      push->item = item;
      push->pending = g_object_ref (pending);
      g_queue_push_tail (&self->pushes, push);
    }
  g_mutex_unlock (&self->lock);
  if (refused)
    {
      aex_stream_item_clear (self, &item);
      aex_pending_cancel_as (pending, AEX_CANCEL_CLOSED, NULL);
    }
  else if (room)
    {
      aex_pending_stream_add_items (self, &item, 1);
      aex_pending_resolve (pending, NULL);
    }
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
  AexStreamPush *push;

  g_return_if_fail (AEX_IS_PENDING_STREAM (self));
  g_return_if_fail (self->ops == NULL);

  g_mutex_lock (&self->lock);
  if (!self->ended)
    {
      self->ended = TRUE;
      self->end_error = error != NULL ? g_error_copy (error) : NULL;
    }
  while ((push = g_queue_pop_head (&self->pushes)) != NULL)
    {
      self->n_done++;
      aex_stream_ring_put (self, &push->item);
      g_mutex_unlock (&self->lock);
      aex_pending_resolve (push->pending, NULL);
      g_object_unref (push->pending);
      g_free (push);
      g_mutex_lock (&self->lock);
    }
  g_mutex_unlock (&self->lock);
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
