/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "executor/aex-caller-core-private.h"

G_BEGIN_DECLS

struct _AexCallQueue {
  GObject parent_instance;
  AexCallerCore *core;        /* a reference */
  gpointer owner;             /* only compared */
  char *key;
  AexPending *pending;        /* a promise that nobody resolves */

  GMutex lock;                /* guards the rest */
  gboolean closed;
  gboolean has_context;
  AexContext *context;        /* of the first push */
  GHashTable *jobs;           /* AexPending, references: one per item, until it is done */
  AexPending *current;        /* of jobs: the item that has begun; NULL: none */
  GQueue waiting;             /* Item, references: their turn came while another had begun */
};

/* Once: what waits is dropped, what runs is cancelled, and its pending as kind says. */
void aex_call_queue_end (AexCallQueue *self, AexCancelKind kind);

G_END_DECLS
