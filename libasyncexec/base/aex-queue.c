/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-queue-private.h"

#include <string.h>

/* Two kilobytes each: enough that a ping-pong never allocates, small enough to forget. */
#define MAX_SPARE 4

struct _AexQueueBlock {
  AexQueueBlock *next;
  guint start;
  guint end;
  AexEntry entries[AEX_BLOCK_SIZE];
};

static AexQueueBlock *
queue_take_block (AexQueue *self)
{
  AexQueueBlock *block = self->spare;

  if (block != NULL)
    {
      self->spare = block->next;
      self->n_spare--;
    }
  else
    {
      block = g_malloc (sizeof (AexQueueBlock));
    }
  block->next = NULL;
  block->start = block->end = 0;
  return block;
}

static void
queue_drop_head (AexQueue *self)
{
  AexQueueBlock *block = self->head;

  self->head = block->next;
  if (self->head == NULL)
    self->tail = NULL;
  if (self->n_spare < MAX_SPARE)
    {
      block->next = self->spare;
      self->spare = block;
      self->n_spare++;
    }
  else
    {
      g_free (block);
    }
}

void
aex_queue_push (AexQueue *self, const AexEntry *entry)
{
  AexQueueBlock *block = self->tail;

  if (block == NULL || block->end == AEX_BLOCK_SIZE)
    {
      block = queue_take_block (self);
      if (self->tail != NULL)
        self->tail->next = block;
      else
        self->head = block;
      self->tail = block;
    }
  block->entries[block->end++] = *entry;
  self->length++;
}

gboolean
aex_queue_pop (AexQueue *self, AexEntry *entry)
{
  return aex_queue_pop_n (self, entry, 1) == 1;
}

guint
aex_queue_pop_n (AexQueue *self, AexEntry *entries, guint max)
{
  guint n = 0;

  while (n < max && self->head != NULL)
    {
      AexQueueBlock *block = self->head;
      guint here = MIN (max - n, block->end - block->start);

      memcpy (entries + n, block->entries + block->start, here * sizeof (AexEntry));
      n += here;
      block->start += here;
      if (block->start + 1 < block->end)
        aex_entry_prefetch (&block->entries[block->start + 1]);
      if (block->start == block->end)
        queue_drop_head (self);
    }
  self->length -= n;
  return n;
}

void
aex_queue_splice (AexQueue *self, AexQueue *from)
{
  if (from->head == NULL)
    return;
  if (self->tail != NULL)
    self->tail->next = from->head;
  else
    self->head = from->head;
  self->tail = from->tail;
  self->length += from->length;
  from->head = from->tail = NULL;
  from->length = 0;
  /* The emptied blocks collect where the consumer is: hand one back, so that the producer need not allocate. */
  if (from->spare == NULL && self->spare != NULL)
    {
      from->spare = self->spare;
      from->n_spare = self->n_spare;
      self->spare = NULL;
      self->n_spare = 0;
    }
}

void
aex_queue_clear (AexQueue *self)
{
  g_assert (self->length == 0);
  while (self->spare != NULL)
    {
      AexQueueBlock *block = self->spare;

      self->spare = block->next;
      g_free (block);
    }
  self->n_spare = 0;
}

void
aex_queue_drop_all (AexQueue *self, AexTarget *target)
{
  AexEntry entry;

  while (aex_queue_pop (self, &entry))
    entry.kind->drop (&entry, target);
}
