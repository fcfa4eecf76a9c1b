/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/aex-target-private.h"

G_BEGIN_DECLS

#define AEX_BLOCK_SIZE 64

typedef struct _AexQueueBlock AexQueueBlock;

/* A FIFO of entries by value, in blocks.  Not thread-safe: its owner locks.  Zeroed memory is an empty queue. */
typedef struct {
  AexQueueBlock *head;
  AexQueueBlock *tail;
  AexQueueBlock *spare;    /* emptied blocks kept for the next pushes */
  guint n_spare;
  gsize length;
} AexQueue;

void     aex_queue_push   (AexQueue *self, const AexEntry *entry);
gboolean aex_queue_pop    (AexQueue *self, AexEntry *entry);
guint    aex_queue_pop_n  (AexQueue *self, AexEntry *entries, guint max);

/* Moves everything in from behind what is in self; constant time. */
void     aex_queue_splice (AexQueue *self, AexQueue *from);

/* Frees the memory of an empty queue. */
void     aex_queue_clear  (AexQueue *self);

/* Hands every entry to its kind's drop. */
void     aex_queue_drop_all (AexQueue *self, AexTarget *target);

G_END_DECLS
