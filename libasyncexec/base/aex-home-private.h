/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/aex-parker-private.h"
#include "base/aex-queue-private.h"
#include "base/aex-target-private.h"
#include "base/aex-thread-private.h"
#include "base/aex-timers-private.h"

G_BEGIN_DECLS

/* How long one slice of our work may last at default priority, so that GTK's redraws get through; after how long without
 * a slice it is our turn again; and the priority of the source that waits below GTK's redraw (G_PRIORITY_HIGH_IDLE + 20). */
#define AEX_SLICE_US       2000
#define AEX_STARVED_US     50000
#define AEX_LOW_PRIORITY   (G_PRIORITY_HIGH_IDLE + 25)

/* The shortest time between two rounds of aex_home_gather(): one frame. */
#define AEX_GATHER_US      16000

typedef void (*AexHomeFunc) (AexHome *home, gpointer data);

/* How a foreign loop that hosts a home is woken; refcounted, for it is called with no lock held. */
typedef struct {
  atomic_int refs;
  AexHomeFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexHomeWaker;

/* What we keep per main context: an inbox for entries from any thread, timers, and the two sources that run them.  The
 * sources own it; the context may die at any time, then everything in it is dropped on the thread that destroys it. */
struct _AexHome {
  AexTarget target;
  int fd;                         /* eventfd; never changes; outlives the context, so that a late poster is safe */

  GMutex lock;                    /* guards what follows up to the next line */
  AexQueue inbox[AEX_N_LANES];
  gboolean asleep;                /* nobody looks at the inbox: whoever posts rings; set in prepare, cleared by the poster */
  gboolean dead;
  _Atomic (GMainContext *) context;   /* not owned; NULL when dead; written under the lock */
  GSource *source;                /* not owned; likewise */
  GSource *low_source;
  AexTimers *timers;              /* made at the first call_later; its drops run outside the lock */
  AexHomeWaker *waker;
  AexParker *blocked;             /* its thread blocks in one of our waits: woken for releases */
  AexTarget *executor;            /* the caller of this context; a reference; stays while that has something queued here */
  AexHomeFunc on_dead;
  gpointer on_dead_data;
  AexQueue gathered;              /* entries of the next round */
  guint n_due;                    /* so many at its head are of this one */
  gboolean gathering;             /* the next round is arranged for */
  gint64 gathered_us;             /* when the last one began */

  _Atomic gsize n_inbox;          /* entries in the inbox; written under the lock, read anywhere */
  _Atomic gint64 next_timer_us;   /* -1: none; likewise */
  atomic_int hurry;               /* look at the inbox before the next entry; set by anybody */

  /* only the thread that runs the context touches these */
  AexQueue local[AEX_N_LANES];
  guint n_local;
  guint n_picks;
  gboolean low;                   /* the slice is spent: wait for the low source */
  gint64 last_slice_us;
  guint n_expected;               /* callbacks we wait for: worth spinning a moment */
  guint spin_skip;                /* dispatches until the next try to spin, after vain ones */
  guint spin_penalty;
};

/* One per context, found or made; NULL with error when the process is out of file descriptors.  A NULL context is the
 * default one. */
AexHome   *aex_home_new_dead           (void);
AexHome   *aex_home_ref_for_context    (GMainContext *context, GError **error);

/* The home of the calling thread's thread-default context, else of the default one; borrowed; NULL with error set. */
AexHome   *aex_home_get_for_thread     (AexThread *thread, GError **error);

/* That of the default context, which stays; borrowed; NULL when the process is out of file descriptors or forked. */
AexHome   *aex_home_get_default        (void);

/* The one whose context is this thread's own (rule 6), if it has been made; borrowed. */
AexHome   *aex_home_peek_own           (AexThread *thread);

gboolean   aex_home_is_dead            (AexHome *self);
/* A main context, or else an executor? */
gboolean   aex_home_is_target          (AexTarget *target);
/* A main context that nobody runs just now or that is gone, or no context at all. */
gboolean   aex_home_is_idle_target     (AexTarget *target);

/* FALSE: dead, the entry is still the caller's. */
gboolean   aex_home_add_timer          (AexHome *self, gint64 deadline_us, const AexEntry *entry);

void       aex_home_note_dead_timer    (AexHome *self);

void       aex_home_set_waker          (AexHome *self, AexHomeFunc func, gpointer data, GDestroyNotify destroy);
gboolean   aex_home_dispatch           (AexHome *self, gint64 budget_us);
gint64     aex_home_get_ready_time     (AexHome *self);

/* func is called once when the context dies, before entries are dropped. */
void       aex_home_set_on_dead        (AexHome *self, AexHomeFunc func, gpointer data);
gboolean   aex_home_clear_on_dead      (AexHome *self, gpointer data);    /* FALSE: it was not that, or is being called */

/* Around a blocking wait of the home's own thread: releases that arrive wake parker and are run by drain. */
AexParker *aex_home_begin_blocked      (AexHome *self, AexParker *parker);   /* returns what end puts back */
void       aex_home_end_blocked        (AexHome *self, AexParker *parker, AexParker *outer);
void       aex_home_drain_releases     (AexHome *self);

/* Drops what matches: from what other threads can reach, and, on the own thread in a dispatch, from the rest. */
typedef gboolean (*AexHomeMatch) (const AexEntry *entry, gpointer data);
void       aex_home_drop_matching      (AexHome *self, AexHomeMatch match, gpointer data, gboolean own_thread);
void       aex_home_hurry              (AexHome *self);
void       aex_home_drop_timers        (AexHome *self, AexHomeMatch match, gpointer data);

/* An entry that can wait for others of its kind: all that came meanwhile run in one round, and rounds begin at least
 * AEX_GATHER_US apart.  FALSE: dead, the entry is still the caller's. */
gboolean   aex_home_gather             (AexHome *self, const AexEntry *entry);

void       aex_home_set_executor       (AexHome *self, AexTarget *executor);
AexTarget *aex_home_ref_executor       (AexHome *self);     /* NULL: it has none any more */

/* g_main_context_new() aborts when the process is out of file descriptors: this gives an error. */
GMainContext *aex_main_context_try_new (GMainContextFlags flags, GError **error);

/* The default one, which is made by whoever asks first. */
GMainContext *aex_main_context_try_default (GError **error);

/* It has pushed none, and the default one is not its own: nobody would run anything for it. */
gboolean aex_thread_lacks_context (void);

/* For aex-home*.c only. */
void       aex_home_report             (AexTarget *target, AexPending *job, const GError *error);
void       aex_home_forget             (GMainContext *context);
void       aex_home_waker_unref        (AexHomeWaker *waker);
gboolean   aex_home_has_work           (AexHome *self, gint64 now);
gboolean   aex_home_run_slice          (AexHome *self, gint64 budget_us);
gboolean   aex_home_fall_asleep        (AexHome *self);
void       aex_home_eat_wake           (AexHome *self);
gboolean   aex_home_attach             (AexHome *self, GMainContext *context);
void       aex_home_die                (AexHome *self);

G_END_DECLS
