/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-call-queue.h"
#include "aex-caller.h"
#include "base/aex-home-private.h"
#include "executor/aex-caller-options-private.h"
#include "executor/aex-core-private.h"

G_BEGIN_DECLS

typedef struct _AexCallerCore    AexCallerCore;
typedef struct _AexCallerWorkers AexCallerWorkers;

/* What a caller is behind its GObject: jobs for one main context.  Found through the home of the context. */
struct _AexCallerCore {
  AexCore core;
  AexHome *home;                /* owned */
  GMainContext *context;        /* owned by a thread of our own; else only as long as the home lives */
  guint64 id;
  gboolean owns_thread;
  GError *refusal;              /* const: why it refuses everything; NULL: it does not */
  AexPending *started;
  AexPending *stopping;
  AexPending *stopped;
  AexRunSlots slots;            /* own thread */
  atomic_int n_queued;
  atomic_int n_running;
  atomic_int n_posts;           /* functions without a pending, until they are over; below 0 when the home has died */
  guint post_depth;             /* own thread: of those, on its stack */
  atomic_int purge_posted;
  gboolean quit;                /* own thread: leave the loop */

  /* set while it is made, then only read */
  AexCallerOptions *options;    /* of its thread; NULL: it has none of its own */
  AexCallerCore *parent;        /* owned */
  AexCallerWorkers *employer;   /* a child that works for to_thread(): for whom; a reference */
  const char *backend;          /* interned; NULL is glib */

  /* see aex-caller-guests.c */
  GPtrArray *guests;            /* element AexGuest, a reference; own thread */
  atomic_int n_guests;          /* those that are ending count */
  atomic_int guests_end_posted;
  atomic_int n_held;            /* of held */

  atomic_int n_children;        /* those that are being made count */
  atomic_uint max_idle_workers;
  atomic_uint max_workers;
  _Atomic gint64 idle_worker_timeout_us;

  GMutex family_lock;           /* guards the rest */
  GPtrArray *children;          /* element AexCallerCore, a reference, until it has ended */
  AexCallerWorkers *workers;    /* of to_thread(), made at its first use; a reference */
  GHashTable *queues;           /* AexCallQueue, a reference, until it is closed */
  GHashTable *held;             /* AexPending, a reference: a guest has it, and it has not started */
  guint n_holds;
  gboolean is_protected;
  gboolean is_released;         /* the last hold is gone: nobody gets another one */
};

/* One per home, found or made; a reference.  options: name and backend of one that is made; made: whether it was; all may
 * be NULL. */
AexCallerCore *aex_caller_core_ref_for_home  (AexHome *home, const AexCallerOptions *options, gboolean *made);
/* NULL: there is none. */
AexCallerCore *aex_caller_core_peek_for_home (AexHome *home);
AexCallerCore *aex_caller_core_new_thread    (const AexCallerOptions *options, AexCallerCore *parent, AexCallerWorkers *employer, GError **error);
/* Of no context, because of an error, which it takes over. */
AexCallerCore *aex_caller_core_new_refusing  (GError *error);
/* For aex-caller-thread.c: one that is not in the table yet; into it; and its end, on the thread that has run it. */
AexCallerCore *aex_caller_core_new           (AexHome *home, const char *name, GMainContext *context, gboolean owns_thread,
                                              AexCallerCore *parent);
void           aex_caller_core_enlist        (AexCallerCore *self);
void           aex_caller_core_ended         (AexCallerCore *self);

/* Found or made for the core. */
AexCaller     *aex_caller_ref_for_core       (AexCallerCore *core, const char *name);
AexCallerCore *aex_caller_get_caller_core    (AexCaller *self);

AexPending    *aex_caller_core_call_later    (AexCallerCore *self, AexPending *job, gint64 delay_us);
/* Has it ended, now that something of it has? */
void           aex_caller_core_check_stopped (AexCallerCore *self);

/* ---- aex-caller-registry.c: every caller that there is, weakly */
void           aex_caller_registry_add       (AexCallerCore *core);
void           aex_caller_registry_remove    (AexCallerCore *core);
AexCallerCore *aex_caller_registry_ref       (guint64 id);
GPtrArray     *aex_caller_registry_ref_all   (void);              /* in the order of their ids */

/* ---- aex-caller-submit.c: members of AexCoreOps */
extern const AexEntryKind aex_caller_post_kind;    /* a function without a pending, counted */
gboolean       aex_caller_core_ensure_thread (AexCore *core, GError **error);
gboolean       aex_caller_core_hand_over     (AexCore *core, AexLane lane, const AexEntry *entry, GError **error);
AexAcceptance  aex_caller_core_submit        (AexCore *core, AexLane lane, const AexEntry *entry, GError **error);

/* ---- aex-caller-family.c */
/* A child found by its name or made; NULL options: an unnamed one with those of its parent. */
AexCallerCore *aex_caller_core_ref_child     (AexCallerCore *self, const AexCallerOptions *options, AexCallerWorkers *employer, GError **error);
/* self has ended: its parent is told. */
void           aex_caller_core_leave_family  (AexCallerCore *self);
void           aex_caller_core_end_children  (AexCallerCore *self, AexShutdownFlags flags);
/* Nothing of self is left: lets go of what knows it. */
void           aex_caller_core_end_workers   (AexCallerCore *self);
gboolean       aex_caller_core_is_protected  (AexCallerCore *self);

/* ---- aex-caller-workers.c */
/* Made if need be; NULL with error set: self takes no work. */
AexCallerWorkers *aex_caller_core_ref_workers (AexCallerCore *self, GError **error);
void           aex_caller_workers_shutdown   (AexCallerWorkers *self, AexShutdownFlags flags);
void           aex_caller_workers_changed    (AexCallerWorkers *self);    /* the limits */
void           aex_caller_workers_lost       (AexCallerWorkers *self, AexCallerCore *worker);    /* it has ended */

/* ---- aex-caller-guests.c */
extern const AexEntryKind aex_guest_job_kind;    /* a: the pending, a reference; b: generation */
/* A job that another loop is to run gets an entry that says so. */
void           aex_caller_core_divert        (AexCallerCore *self, AexEntry *entry);
const char    *aex_caller_core_get_backend_for (AexCallerCore *self, AexPending *job);    /* NULL: glib */
/* A guest has it no more: it has started, or was dropped. */
void           aex_caller_core_forget_held   (AexCallerCore *self, AexPending *job, gboolean dropped);
void           aex_caller_core_drop_held     (AexCallerCore *self);
/* FALSE: there are some, and when they have ended self is asked again whether it has. */
gboolean       aex_caller_core_end_guests    (AexCallerCore *self);
/* On its thread: the context dies, nobody can wait for them. */
void           aex_caller_core_abandon_guests (AexCallerCore *self);

/* ---- aex-call-queue.c */
void           aex_caller_core_end_queues    (AexCallerCore *self);

G_END_DECLS
