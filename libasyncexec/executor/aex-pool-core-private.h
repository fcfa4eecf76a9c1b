/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-thread-pool.h"
#include "base/aex-queue-private.h"
#include "executor/aex-core-private.h"

G_BEGIN_DECLS

typedef struct _AexPoolCore   AexPoolCore;
typedef struct _AexPoolWorker AexPoolWorker;

/* How many threads may block in waits at once and be replaced. */
#define AEX_MAX_BLOCKED 512

/* What a worker took from the queue at once.  range packs the next entry (low half) and the end (high half): the owner
 * moves the one, thieves the other, both by CAS.  The entries are written only by the owner, under his lock, when the
 * range is empty. */
struct _AexPoolWorker {
  AexPoolCore *pool;             /* a reference */
  AexParker *parker;
  GMutex lock;                   /* guards entries against thieves while they copy */
  _Atomic guint64 range;
  AexEntry entries[AEX_BLOCK_SIZE];
  AexLane lane;                  /* of the entries; own thread */
  AexRunSlots slots;
  guint blocked;                 /* nested waits; own thread */
  guint unreplaced;              /* aex_blocking_begin() without a replacement; own thread */
  gboolean busy;                 /* runs what it took; guarded by the pool's lock */
  gboolean parked;               /* in the list of sleepers; guarded by the pool's lock */
  _Atomic guint n_started, n_finished;   /* jobs; written by the own thread, summed by others */
} __attribute__ ((aligned (64)));

#define AEX_RANGE(next, end)    ((guint64) (end) << 32 | (next))
#define AEX_RANGE_NEXT(range)   ((guint) (range))
#define AEX_RANGE_END(range)    ((guint) ((range) >> 32))

/* How much of what it took the worker has not begun. */
static inline guint
aex_pool_worker_length (AexPoolWorker *self)
{
  guint64 range = atomic_load (&self->range);

  return AEX_RANGE_END (range) - AEX_RANGE_NEXT (range);
}

/* One writer: no locked instruction. */
static inline void
aex_pool_count_up (_Atomic guint *counter)
{
  atomic_store_explicit (counter, atomic_load_explicit (counter, memory_order_relaxed) + 1, memory_order_release);
}

typedef struct {
  atomic_int refs;
  AexThreadMainFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexThreadMain;

struct _AexPoolCore {
  AexCore core;

  GMutex lock;                   /* guards what follows up to the next line */
  AexQueue queue[AEX_N_LANES];
  GPtrArray *workers;
  GPtrArray *sleepers;           /* parked, the last to sleep is the first to wake */
  guint n_picks;                 /* since background work was looked at first */
  guint n_threads;
  guint n_blocked;               /* threads that block and may be replaced */
  gboolean searching;            /* one worker is awake and looks for work: no other needs waking */
  guint max_workers;
  gint64 idle_timeout_us;
  AexThreadMain *thread_main;
  guint n_submitted;             /* jobs and posts */
  guint n_gone_started, n_gone_finished;   /* of workers that have left */
  guint n_dropping;              /* threads that drop what is queued, and put back what must still be released */
  gboolean stopped;

  atomic_int n_queued;           /* entries in the queue, for a look without the lock */
  atomic_int n_high;             /* of those, with high priority */
  _Atomic guint n_other_started, n_other_finished;   /* jobs run by waiters from outside */
  _Atomic guint n_dropped;       /* cancelled while queued */
  atomic_int help_waiting;
};

AexPoolCore *aex_pool_core_new     (AexExecutor *facade, guint max_workers);

/* The queue: the lock is held. */
gboolean aex_pool_take             (AexPoolCore *self, AexPoolWorker *worker);
gboolean aex_pool_steal            (AexPoolCore *self, AexPoolWorker *worker);
gboolean aex_pool_has_work         (AexPoolCore *self);

/* Wakes or starts a worker if there is work that nobody is going to look at.  FALSE: none could be started, and none is
 * there.  The lock is held. */
gboolean aex_pool_want_worker      (AexPoolCore *self, GError **error);
void     aex_pool_wake_all         (AexPoolCore *self);
guint    aex_pool_n_running        (AexPoolCore *self);
gboolean aex_pool_check_stopped    (AexPoolCore *self);
void     aex_pool_check_stopped_unlocked (AexPoolCore *self);   /* the lock is not held */
void     aex_pool_shutdown         (AexCore *core, AexShutdownFlags flags);
void     aex_pool_ended            (AexPoolCore *self);    /* the lock is not held */

/* aex-pool-worker.c */
gboolean aex_pool_worker_pop       (AexPoolWorker *self, AexEntry *entry);
void     aex_pool_run_worker       (AexPoolCore *pool);
gpointer aex_pool_thread_main      (gpointer pool);
AexPoolWorker *aex_pool_current_worker (AexPoolCore *self);
gboolean aex_pool_wait_begin       (AexTarget *target);
void     aex_pool_wait_end         (AexTarget *target);
void     aex_thread_main_unref     (AexThreadMain *self);

/* A second AexThreadPool for the same core, for a thread-main function: it does not keep the pool open. */
AexThreadPool *aex_thread_pool_new_proxy (AexPoolCore *core);

G_END_DECLS
