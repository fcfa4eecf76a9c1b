/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"
#include "aex-pending-stream.h"
#include "base/aex-thread-private.h"
#include "pending/aex-stream-model-private.h"

G_BEGIN_DECLS

/* A result on its way to the consumer; owned by whoever holds the struct. */
typedef struct {
  guint index;
  gboolean ready;          /* in the ring: it is there */
  GValue value;            /* unset: none */
  GError *error;
  AexPending *pending;     /* as_completed: the outcome is his */
  gpointer result;         /* AexPendingResult, made early for the model */
  AexPending *transfer;    /* pushed: told what becomes of it */
} AexStreamItem;

/* Who fills a stream that is not pushed into: a map.  Called with no lock held. */
typedef struct {
  void (*taken)   (gpointer producer);                    /* the consumer has taken an item: there may be room */
  void (*stop)    (gpointer producer);                    /* start nothing more, cancel what runs */
  void (*release) (gpointer producer);                    /* the stream is finalised */
  AexTarget *(*get_executor) (gpointer producer);
} AexStreamProducerOps;

/* For the files of the stream only. */
struct _AexPendingStream {
  GObject parent_instance;

  GMutex lock;                    /* guards the rest */
  AexStreamItem *ring;            /* ready items; of an ordered stream also gaps */
  guint capacity;                 /* of the ring, a power of two */
  guint head;                     /* sequence number of the next item to deliver */
  guint tail;                     /* one behind the last */
  GQueue nexts;                   /* element AexPending: requests that wait */
  GQueue pushes;                  /* element AexStreamPush: producers that wait for room */
  guint max_buffered;
  guint n_done;
  guint n_total;
  gboolean ordered;
  gboolean stop_on_error;
  gboolean pumping;               /* some thread hands out items */
  gboolean ended;                 /* nothing will be added */
  gboolean failed;                /* the consumer was given the error that ends the stream */
  gboolean error_first;           /* end_error comes before what is in the ring */
  gboolean closed;
  guint n_pushed;
  gboolean producer_done;         /* nothing runs any more */
  GError *end_error;
  AexPending *close_pending;
  const AexStreamProducerOps *ops;
  gpointer producer;
  _Atomic (AexStreamModel *) model;   /* made once, under the lock */
  AexTarget *owner;
  _Atomic guint n_waiting;
};

typedef struct {
  AexStreamItem item;
  AexPending *pending;     /* told when the item is in the buffer; NULL: only item.transfer is told */
} AexStreamPush;

void              aex_stream_item_clear       (AexPendingStream *self, AexStreamItem *item);
AexPendingResult *aex_stream_item_to_result   (AexPendingStream *self, AexStreamItem *item);
void              aex_stream_item_taken       (AexStreamItem *item);                           /* tells its pusher */
void              aex_stream_push_refuse      (AexPendingStream *self, AexStreamPush *push);   /* takes push; the stream is closed */
void              aex_stream_next_push        (AexPendingStream *self);                        /* there may be room for one that waits */
AexStreamItem    *aex_stream_ring_slot        (AexPendingStream *self, guint sequence);
void              aex_stream_ring_put         (AexPendingStream *self, AexStreamItem *item);
gboolean          aex_stream_ring_has_next    (AexPendingStream *self);
void              aex_stream_ring_put_back    (AexPendingStream *self, AexStreamItem *item);   /* as the next one */
AexPendingResult *aex_stream_ring_put_pushed  (AexPendingStream *self, AexStreamItem *item);   /* what the model is to show, or NULL */
void              aex_stream_show             (AexPendingStream *self, AexPendingResult *shown);   /* takes shown; no lock held */
guint             aex_stream_ring_length      (AexPendingStream *self);
void              aex_pending_stream_pump     (AexPendingStream *self);

AexPendingStream *aex_pending_stream_new_produced (const AexStreamProducerOps *ops, gpointer producer, guint n_total, gboolean ordered, gboolean stop_on_error);

/* Takes what the items hold. */
void              aex_pending_stream_add_items    (AexPendingStream *self, AexStreamItem *items, guint n);

/* Nothing runs any more and nothing will. */
void              aex_pending_stream_producer_done (AexPendingStream *self);

/* The executor is gone: after what is there, the consumer gets an error. */
void              aex_pending_stream_fail         (AexPendingStream *self, GError *error);   /* takes error */

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
