/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/aex-queue-private.h"
#include "executor/aex-core-private.h"

G_BEGIN_DECLS

/* What a limiter is behind its GObject.  A job waits in the queue until there is a slot, is then handed over to the wrapped
 * executor, which counts, runs and cancels it like one of its own, and gives the slot back when its pending is done. */
typedef struct {
  AexCore core;
  AexCore *wrapped;              /* a reference; set once */
  AexPending *watch;             /* resolves when wrapped has stopped */

  GMutex lock;                   /* guards the rest */
  AexExecutor *wrapped_object;   /* a reference, so that it stays open, until we have stopped */
  AexQueue queue[AEX_N_LANES];
  guint n_picks;                 /* since background work was looked at first */
  guint max_concurrent;
  guint n_slots;                 /* taken: by the jobs in slots, and by permits */
  GHashTable *slots;             /* AexPending, to an AexHandOver */
  int n_waiting;                 /* jobs in the queue, without those that were dropped there */
  int n_handed;                  /* handed over and not started */
  int n_running;
  int n_ending;                  /* pendings that we are completing just now: the stop comes after them */
  gboolean stopped;
} AexLimiterCore;

AexLimiterCore *aex_limiter_core_new (AexExecutor *facade, AexExecutor *wrapped, guint max_concurrent);
guint           aex_limiter_core_get_max_concurrent (AexLimiterCore *self);
void            aex_limiter_core_set_max_concurrent (AexLimiterCore *self, guint max_concurrent);
AexPending     *aex_limiter_core_acquire (AexLimiterCore *self);

/* aex-limiter-queue.c */

/* Where a job with a slot is. */
typedef enum {
  AEX_HAND_OVER_BEGUN = 1,   /* the wrapped executor may not know it yet */
  AEX_HAND_OVER_DONE,
  AEX_HAND_OVER_LATE,        /* it was dropped in between: the wrapped one is to be told afterwards */
  AEX_HAND_OVER_FAILED,      /* the wrapped one does not want it */
} AexHandOver;

/* What is noted of a job with a slot: how far its hand-over is, and the entry that it got meanwhile when its priority was
 * set: the wrapped executor is told of that when it knows the job. */
static inline AexHandOver
aex_slot_get_state (guint slot)
{
  return (AexHandOver) (slot & 0xff);
}

static inline guint
aex_slot_move (guint slot, AexLane lane, guint generation)
{
  return (slot & 0xff) | ((guint) lane + 1) << 8 | generation << 16;
}

/* FALSE: it was not moved. */
static inline gboolean
aex_slot_get_move (guint slot, AexLane *lane, guint *generation)
{
  if (slot >> 8 == 0)
    return FALSE;
  *lane = (AexLane) ((slot >> 8 & 0xff) - 1);
  *generation = slot >> 16;
  return TRUE;
}

/* Gives slots to whoever is first in the queue; with no lock held. */
void     aex_limiter_pump          (AexLimiterCore *self);
void     aex_limiter_drop_queued   (AexLimiterCore *self, gboolean acquires);   /* acquires: also who waits for a permit */
void     aex_limiter_return_slot   (AexLimiterCore *self);
void     aex_limiter_check_stopped (AexLimiterCore *self);
gboolean aex_limiter_is_acquire    (AexPending *job);

G_END_DECLS
