/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"
#include "aex-pending-stream.h"
#include "base/aex-thread-private.h"

G_BEGIN_DECLS

/* A result on its way to the consumer; owned by whoever holds the struct. */
typedef struct {
  guint index;
  gboolean ready;          /* in the ring: it is there */
  GValue value;            /* unset: none */
  GError *error;
  AexPending *pending;     /* as_completed: the outcome is his */
  gpointer result;         /* AexPendingResult, made early for the model */
} AexStreamItem;

/* Who fills a stream that is not pushed into: a map.  Called with no lock held. */
typedef struct {
  void (*taken)   (gpointer producer);                    /* the consumer has taken an item: there may be room */
  void (*stop)    (gpointer producer);                    /* start nothing more, cancel what runs */
  void (*release) (gpointer producer);                    /* the stream is finalised */
  AexTarget *(*get_executor) (gpointer producer);
} AexStreamProducerOps;

AexPendingStream *aex_pending_stream_new_produced (const AexStreamProducerOps *ops, gpointer producer, guint n_total, gboolean ordered, gboolean stop_on_error);

/* Takes what the items hold. */
void              aex_pending_stream_add_items    (AexPendingStream *self, AexStreamItem *items, guint n);

/* Nothing runs any more and nothing will. */
void              aex_pending_stream_producer_done (AexPendingStream *self);

/* The executor is gone: after what is there, the consumer gets an error. */
void              aex_pending_stream_fail         (AexPendingStream *self, AexError code);

/* Does somebody wait for the next item just now? */
gboolean          aex_pending_stream_is_awaited   (AexPendingStream *self);

/* An item of a map that runs on this thread; frame.job is NULL. */
typedef struct {
  AexFrame frame;
  AexPendingStream *stream;
  guint index;
  GValue value;
} AexMapFrame;

G_END_DECLS
