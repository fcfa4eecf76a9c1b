/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdatomic.h>

#include "aex-types.h"

G_BEGIN_DECLS

typedef struct _AexTarget AexTarget;
typedef struct _AexEntry  AexEntry;

/* What to do with an entry.  Exactly one of the two is called, exactly once, with no lock held. */
typedef struct {
  void (*run)  (AexEntry *entry, AexTarget *target);   /* where and when the target says */
  void (*drop) (AexEntry *entry, AexTarget *target);   /* the target has ended: release what the entry holds */
  gboolean (*is_dead) (const AexEntry *entry);         /* optional: running it would do nothing; called under a lock */
} AexEntryKind;

/* A piece of work in a queue, by value: no link, no allocation. */
struct _AexEntry {
  const AexEntryKind *kind;
  gpointer a, b, c;
};

/* What an entry stands for was last written by another thread, or long ago: asked for while the one before runs, it costs a
 * job of a million timers 0.35 us less of 1.5. */
static inline void
aex_entry_prefetch (const AexEntry *entry)
{
  __builtin_prefetch (entry->a, 1);
  __builtin_prefetch (GSIZE_TO_POINTER (GPOINTER_TO_SIZE (entry->a) + 64), 1);
}

/* Queues of a target, in the order in which they are looked at. */
typedef enum {
  AEX_LANE_RELEASE,      /* destroy notifies: also run by a thread that blocks in one of our waits */
  AEX_LANE_HIGH,
  AEX_LANE_DEFAULT,
  AEX_LANE_BACKGROUND,   /* looked at first every AEX_BACKGROUND_PICK-th time */
  AEX_N_LANES
} AexLane;

#define AEX_BACKGROUND_PICK 61

/* What happens to a job, told to the executor that it was submitted to. */
typedef enum {
  AEX_JOB_STARTED,     /* it left the queue and runs */
  AEX_JOB_FINISHED,    /* its function has returned and its pending is done */
  AEX_JOB_DROPPED,     /* it was cancelled or rejected while queued */
  AEX_JOB_LEFT,        /* after all that, by a waiter that ran it on its own stack */
} AexJobEvent;

/* A place where entries run: a main context (AexHome) or an executor (AexCore).  This is the private vtable through which
 * pending/ reaches what executor/ knows; from may_claim on, only executors have them. */
typedef struct {
  /* FALSE: it has ended, the entry is still the caller's. */
  gboolean    (*post)       (AexTarget *self, AexLane lane, const AexEntry *entry);
  /* Would an entry run on the calling thread, when that thread gets to it? */
  gboolean    (*is_current) (AexTarget *self);
  void        (*finalize)   (AexTarget *self);

  /* May this thread, which waits, run a queued job of this executor on its stack?  outside: it does no job of it. */
  gboolean    (*may_claim)  (AexTarget *self, AexPending *job, gboolean outside);
  void        (*job_event)  (AexTarget *self, AexPending *job, AexJobEvent event);
  /* Put a queued job into another lane; generation tells its entries apart. */
  void        (*requeue)    (AexTarget *self, AexPending *job, AexLane lane, guint generation);
  /* A job of this executor is about to block; FALSE: the executor can not replace the thread and nothing else runs. */
  gboolean    (*wait_begin) (AexTarget *self);
  void        (*wait_end)   (AexTarget *self);
  /* An error that nobody observed; job may be NULL. */
  void        (*report)     (AexTarget *self, AexPending *job, const GError *error);
  /* Where a running job's cancellable is cancelled: a reference to a home, for the job may be over and its caller gone
   * at any time, or NULL for the cancelling thread.  job NULL: any job. */
  AexTarget  *(*cancel_target) (AexTarget *self, AexPending *job);
  /* Optional: the one main context in which jobs are run although others may wait for them there, a reference:
   * cancel_target() is NULL then. */
  AexTarget  *(*job_home) (AexTarget *self, AexPending *job);
  /* Optional: its pending is done, and its waiters are not told yet. */
  void        (*job_settled) (AexTarget *self, AexPending *job);
  /* Optional: to which executor job was handed over, a reference; NULL: to none yet. */
  AexTarget  *(*get_place) (AexTarget *self, AexPending *job);
  /* Optional: TRUE when job is queued until one of others (AexPending, references) is done, and for nothing else. */
  gboolean    (*waits_for_others) (AexTarget *self, AexPending *job, GPtrArray *others);
  const char *(*get_name)   (AexTarget *self);
} AexTargetOps;

struct _AexTarget {
  const AexTargetOps *ops;
  atomic_int refs;
};

static inline void
aex_target_init (AexTarget *self, const AexTargetOps *ops)
{
  self->ops = ops;
  atomic_init (&self->refs, 1);
}

static inline gpointer
aex_target_ref (gpointer target)
{
  atomic_fetch_add_explicit (&((AexTarget *) target)->refs, 1, memory_order_relaxed);
  return target;
}

static inline void
aex_target_unref (gpointer target)
{
  AexTarget *self = target;

  if (atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) == 1)
    self->ops->finalize (self);
}

/* Posts, and drops the entry here when the target has ended. */
static inline void
aex_target_post_or_drop (AexTarget *self, AexLane lane, AexEntry *entry)
{
  if (!self->ops->post (self, lane, entry))
    entry->kind->drop (entry, self);
}

G_END_DECLS
