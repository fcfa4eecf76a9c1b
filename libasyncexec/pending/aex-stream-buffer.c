/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a stream keeps for its consumer: a ring of items.  That of an ordered stream has gaps where items are not done. */
#include "pending/aex-pending-private.h"
#include "pending/aex-pending-result-private.h"
#include "pending/aex-pending-stream-private.h"
#include "pending/aex-value-private.h"

void
aex_stream_item_clear (AexPendingStream *self, AexStreamItem *item)
{
  aex_value_release (&item->value, self->owner);
  g_clear_error (&item->error);
  g_clear_object (&item->pending);
  g_clear_object (&item->result);
}

AexPendingResult *
aex_stream_item_to_result (AexPendingStream *self, AexStreamItem *item)
{
  AexPendingResult *result = g_steal_pointer (&item->result);
  GValue unset = G_VALUE_INIT;

  if (result != NULL)
    {
      g_clear_error (&item->error);
      return result;
    }
  if (item->pending != NULL)
    {
      GValue *value = aex_pending_dup_value (item->pending, &item->error);

      if (value != NULL)
        item->value = *value;
      g_free (value);
    }
  result = aex_pending_result_new (item->index, &item->value, g_steal_pointer (&item->error), item->pending, self->owner);
  item->value = unset;
  g_clear_object (&item->pending);
  return result;
}

/* ---- the ring; the lock of the stream is held */

AexStreamItem *
aex_stream_ring_slot (AexPendingStream *self, guint sequence)
{
  return &self->ring[sequence & (self->capacity - 1)];
}

static void
ring_reserve (AexPendingStream *self, guint up_to)
{
  guint needed = up_to - self->head;
  guint capacity = MAX (self->capacity, 16);
  AexStreamItem *ring;

  while (capacity < needed)
    capacity *= 2;
  if (capacity == self->capacity)
    return;
  ring = g_new0 (AexStreamItem, capacity);
  for (guint i = self->head; i != self->tail; i++)
    ring[i & (capacity - 1)] = *aex_stream_ring_slot (self, i);
  g_free (self->ring);
  self->ring = ring;
  self->capacity = capacity;
}

void
aex_stream_ring_put (AexPendingStream *self, AexStreamItem *item)
{
  guint sequence = self->ordered ? item->index : self->tail;

  ring_reserve (self, sequence + 1);
  if (sequence >= self->tail)
    {
      for (guint i = self->tail; i < sequence; i++)
        aex_stream_ring_slot (self, i)->ready = FALSE;
      self->tail = sequence + 1;
    }
  *aex_stream_ring_slot (self, sequence) = *item;
  aex_stream_ring_slot (self, sequence)->ready = TRUE;
}

gboolean
aex_stream_ring_has_next (AexPendingStream *self)
{
  return self->head != self->tail && aex_stream_ring_slot (self, self->head)->ready;
}

guint
aex_stream_ring_length (AexPendingStream *self)
{
  return self->tail - self->head;
}

void
aex_stream_push_free (AexPendingStream *self, AexStreamPush *push)
{
  aex_stream_item_clear (self, &push->item);
  g_object_unref (push->pending);
  g_free (push);
}
