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
  if (item->transfer != NULL)
    aex_pending_cancel_as (item->transfer, AEX_CANCEL_CLOSED, NULL);
  g_clear_object (&item->transfer);
}

void
aex_stream_item_taken (AexStreamItem *item)
{
  if (item->transfer != NULL)
    aex_pending_record (item->transfer, AEX_TAG_NONE, (AexWord) { 0 });
  g_clear_object (&item->transfer);
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

/* Others may have filled the place that it left. */
void
aex_stream_ring_put_back (AexPendingStream *self, AexStreamItem *item)
{
  ring_reserve (self, self->tail + 1);
  self->head--;
  *aex_stream_ring_slot (self, self->head) = *item;
  aex_stream_ring_slot (self, self->head)->ready = TRUE;
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

AexPendingResult *
aex_stream_ring_put_pushed (AexPendingStream *self, AexStreamItem *item)
{
  self->n_done++;
  if (atomic_load (&self->model) != NULL)
    item->result = aex_stream_item_to_result (self, item);
  aex_stream_ring_put (self, item);
  return item->result != NULL ? g_object_ref (item->result) : NULL;
}

void
aex_stream_show (AexPendingStream *self, AexPendingResult *shown)
{
  if (shown == NULL)
    return;
  aex_stream_model_add (atomic_load (&self->model), shown);
  g_object_unref (shown);
}
