/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"
#include "base/aex-target-private.h"
#include "pending/aex-pending-private.h"

G_BEGIN_DECLS

typedef struct _AexCore AexCore;

typedef enum { AEX_ACCEPTED, AEX_REFUSED_CLOSED, AEX_REFUSED_BUSY, AEX_REFUSED_CANCELLED, AEX_REFUSED_ERROR } AexAcceptance;

/* What executors do differently.  The first member makes a core a target. */
typedef struct {
  AexTargetOps target;
  /* A new job, or fire-and-forget work, from a user: takes the entry when accepted.  ERROR sets error. */
  AexAcceptance (*submit)   (AexCore *self, AexLane lane, const AexEntry *entry, GError **error);
  /* A job from an executor that is built on this one: taken until this one has terminated, whatever max-pending says.
   * FALSE: it is not, and error may be set. */
  gboolean      (*hand_over) (AexCore *self, AexLane lane, const AexEntry *entry, GError **error);
  /* Optional: counts a job that the calling thread is going to run at once; FALSE: it may not. */
  gboolean      (*admit)    (AexCore *self);
  /* Optional: is there a thread, or can one be started, for what is about to be posted? */
  gboolean      (*ensure_thread) (AexCore *self, GError **error);
  /* Begins to shut down; called at most with growing flags; tells aex_core_stopped() when nothing is left. */
  void          (*shutdown) (AexCore *self, AexShutdownFlags flags);
  guint         (*count)    (AexCore *self, gboolean running);
  void          (*facade_gone) (AexCore *self);   /* optional: its last outside reference was dropped */
  /* Optional: the home without whose thread the shutdown does not end; unless given, where jobs are cancelled. */
  AexTarget    *(*get_stop_home) (AexCore *self);    /* a reference */
  gboolean      jobs_only;             /* entries that are no jobs can not run there */
  gboolean      scripted;              /* a subclass does its work */
  gboolean      close_on_dispose;      /* the last outside reference shuts it down */
  /* map: how many may run at once */
  guint         (*get_width) (AexCore *self);
} AexCoreOps;

#define AEX_RUN_SLOTS 17

/* The jobs that run on one thread, innermost last; written by that thread, looked at by who cancels what runs. */
typedef struct {
  _Atomic gsize job[AEX_RUN_SLOTS];   /* AexPending, lowest bit: somebody takes a reference just now */
  guint depth;
} AexRunSlots;

/* What an executor is behind its GObject.  Jobs hold the core; the object only opens and closes it. */
struct _AexCore {
  AexTarget target;
  GWeakRef facade;
  gboolean outlives_facade;       /* it may have several, one after the other */
  char *name;
  char *label;                    /* how the log calls it when it has no name; may be NULL */
  gboolean record_times;
  gboolean name_jobs;             /* after their functions, those that have no name */
  AexTarget *owner;               /* home of the executor's owner context; may be NULL */
  atomic_uint max_pending;
  atomic_int state;               /* AexExecutorState */
  atomic_int shutdown_flags;      /* of every shutdown so far, AexShutdownFlags */

  GMutex state_lock;              /* guards the rest */
  GHashTable *detached;           /* jobs that run on no thread of ours: coroutines, jobs run by outsiders */
  GPtrArray *shutdowns;           /* element AexPending, to be resolved when stopped */
  GHashTable *excused;            /* jobs that asked for the shutdown themselves: it does not wait for them */
};

#define AEX_CORE_OPS(core) ((const AexCoreOps *) ((AexTarget *) (core))->ops)

/* facade: NULL when objects come and go, and the core knows by itself what it is set to. */
void     aex_core_init      (AexCore *self, const AexCoreOps *ops, AexExecutor *facade);
void     aex_core_clear     (AexCore *self);
AexCore *aex_executor_get_core (AexExecutor *self);
/* By a subclass, before AexExecutor's constructed runs; takes the core. */
void     aex_executor_set_core (AexExecutor *self, AexCore *core);

/* The same for an object that is not the one that opens and closes the core. */
void     aex_executor_set_shared_core (AexExecutor *self, AexCore *core);

/* Moves on to a later state and says so on the owner context. */
void     aex_core_enter_state (AexCore *self, AexExecutorState state);
gboolean aex_core_is_closed (AexCore *self);
void     aex_core_stopped   (AexCore *self);

/* func is called once, on whatever thread, when self has stopped; at once if it has already.  For executors that are
 * built on others: until then, or until it is taken back, self holds watch. */
void     aex_core_watch_stop   (AexCore *self, AexPending *watch);
void     aex_core_unwatch_stop (AexCore *self, AexPending *watch);
AexPending *aex_core_shutdown (AexCore *self, AexShutdownFlags flags);

/* The parts of AexTargetOps that are the same for all. */
gboolean    aex_executor_tell_unhandled (AexExecutor *executor, AexPending *job, const GError *error);
void        aex_core_report   (AexTarget *target, AexPending *job, const GError *error);
const char *aex_core_get_name (AexTarget *target);

/* Submission. */
void        aex_core_note_submission (AexCore *self, AexPending *job, gpointer func);   /* before others know job */
AexPending *aex_core_submit_job (AexCore *self, AexPending *job, AexLane lane);   /* returns job */
/* The same for the rest of what was submitted before: taken until self has terminated, whatever max-pending says. */
AexPending *aex_core_continue_job (AexCore *self, AexPending *job, AexLane lane);
void        aex_core_refuse     (AexCore *self, AexPending *job, AexAcceptance why, GError *error);
void        aex_core_refuse_ended (AexCore *self, AexPending *job, GError *error);
void        aex_core_make_known (AexPending *job);     /* to its trackers; then aex_pending_accepted() or aex_core_refuse() */
/* The closure of a job that nobody will run any more, to its owner; once, whoever else tries. */
void        aex_core_release_unrun (AexPending *job);
/* Fire-and-forget work, for executors that know only jobs: takes what the entry holds. */
AexPending *aex_core_job_for_post (AexCore *self, const AexEntry *post);
/* It is not accepted: gives all that back, uncalled and unreleased. */
void        aex_core_undo_post    (AexPending *job);
extern const AexEntryKind aex_post_kind;    /* a: func, b: data, c: destroy */

/* Running jobs. */
gboolean aex_core_has_job         (AexCore *self, AexTarget *executor, AexPending *job);   /* itself, or through others */
void     aex_core_add_detached    (AexCore *self, AexPending *job);
void     aex_core_remove_detached (AexCore *self, AexPending *job);
void     aex_core_cancel_detached (AexCore *self);
guint    aex_core_n_excused       (AexCore *self);
void     aex_core_forget_excused  (AexCore *self, AexPending *job);
/* For a job that has just started, and can be found by who cancels.  No lock is held. */
void     aex_core_cancel_late     (AexCore *self, AexPending *job);
void     aex_run_slots_push       (AexRunSlots *self, AexPending *job);
void     aex_run_slots_pop        (AexRunSlots *self, AexPending *job);
/* References to what runs there, to be cancelled when no lock is held. */
void     aex_run_slots_collect    (AexRunSlots *self, GPtrArray *jobs);
void     aex_core_cancel_all      (GPtrArray *jobs);

G_END_DECLS
