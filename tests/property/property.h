/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include "base/aex-thread-private.h"

G_BEGIN_DECLS

/* Random programs against the invariants I1 to I10 of doc/behaviour.md.
 *
 * A program is text: executors, and threads with steps that submit, cancel,
 * stop and drop.  property-program.c prints and reads it, property-random.c makes
 * one from a seed, property-steps.c and property-jobs.c run it and write down what
 * happened, property-check.c judges that, and property-shrink.c looks for a
 * smaller program that fails too. */

#define PROP_N_INVARIANTS 10
#define PROP_N_EXECUTORS 7
#define PROP_MAX_THREADS 5
#define PROP_MAX_STEPS 40
#define PROP_N_SLOTS 12
#define PROP_MAX_ITEMS 4096

/* --- programs */
typedef enum {
  PROP_EXECUTOR_NONE,
  PROP_EXECUTOR_POOL,
  PROP_EXECUTOR_CALLER,     /* with a thread of its own */
  PROP_EXECUTOR_HOSTED,     /* by a loop that is not GLib's */
  PROP_EXECUTOR_ADOPTED,    /* of a context that the test runs */
  PROP_EXECUTOR_CALLERS,    /* a caller pool */
  PROP_EXECUTOR_LIMITER,    /* over another one */
  PROP_EXECUTOR_CHILD,      /* of another one, a caller */
  PROP_N_EXECUTOR_KINDS
} PropExecutorKind;

/* How an executor ends when the threads are through. */
typedef enum {
  PROP_END_STOP,
  PROP_END_DRAIN,
  PROP_END_DROP,
  PROP_N_ENDS
} PropEnd;

typedef struct {
  PropExecutorKind kind;
  int n;                    /* threads, permits, callers */
  int on;                   /* limiter: over which; child: of which */
  PropEnd end;
} PropExecutorSpec;

/* What a job does. */
typedef enum {
  PROP_JOB_PLAIN,
  PROP_JOB_FAIL,
  PROP_JOB_BEHIND,          /* gives a value, and then fails */
  PROP_JOB_NEST,            /* submits another one, with a done callback */
  PROP_JOB_WAIT,            /* for a slot */
  PROP_JOB_OWN,             /* for a job that it has just given to its own executor */
  PROP_JOB_SELF,            /* for itself */
  PROP_JOB_NAP,             /* a wait that nobody ends, with a limit */
  PROP_JOB_LOOK,            /* at its cancellation, some times */
  PROP_JOB_CANCEL,          /* cancels a slot */
  PROP_JOB_STOP,            /* stops its own executor */
  PROP_JOB_THEN,            /* attaches to a slot */
  PROP_JOB_FOLLOW,          /* an asynchronous one, which follows another job */
  PROP_N_JOBS
} PropJob;

typedef enum {
  PROP_STEP_SUBMIT,
  PROP_STEP_LATER,
  PROP_STEP_POST,
  PROP_STEP_RUN,
  PROP_STEP_PROMISE,
  PROP_STEP_RESOLVE,
  PROP_STEP_REJECT,
  PROP_STEP_THEN,
  PROP_STEP_CALLBACK,
  PROP_STEP_SHIELD,
  PROP_STEP_TIMEOUT,
  PROP_STEP_ALL,
  PROP_STEP_WAIT,
  PROP_STEP_READ,
  PROP_STEP_CANCEL,
  PROP_STEP_CANCEL_QUEUED,
  PROP_STEP_PRIORITY,
  PROP_STEP_DROP,
  PROP_STEP_HOLD,
  PROP_STEP_RELEASE,
  PROP_STEP_STOP,
  PROP_STEP_SHUTDOWN,
  PROP_STEP_FORGET,         /* drops the reference to an executor */
  PROP_STEP_GROUP,
  PROP_STEP_SCOPE,
  PROP_STEP_TRACK,
  PROP_STEP_MAP,
  PROP_STEP_PUSH,
  PROP_STEP_CLOSE,
  PROP_STEP_PERMIT,
  PROP_STEP_ITERATE,
  PROP_STEP_FLOOD,
  PROP_N_STEPS
} PropOp;

typedef struct {
  PropOp op;
  PropJob job;
  int p;        /* slot that gets a pending */
  int q;        /* slot that is used */
  int on;       /* executor */
  int to;       /* executor for what a job submits */
  int n;        /* how many, how long, which way */
  int prio;
  int limit;    /* us; 0: none */
} PropStep;

typedef struct {
  gboolean loop;            /* it has a main context of its own */
  guint    n_steps;
  PropStep steps[PROP_MAX_STEPS];
} PropThreadSpec;

typedef struct {
  guint32          seed;
  PropExecutorSpec executors[PROP_N_EXECUTORS];
  guint            n_threads;
  PropThreadSpec   threads[PROP_MAX_THREADS];
} PropProgram;

void         prop_program_random    (PropProgram *self, guint32 seed, guint flavour);
char        *prop_program_to_text   (const PropProgram *self);
gboolean     prop_program_from_text (PropProgram *self, const char *text, GError **error);
guint        prop_program_count     (const PropProgram *self);
/* The executor whose threads run what it is given. */
int          prop_program_base      (const PropProgram *self, int executor);
gboolean     prop_kind_is_caller    (PropExecutorKind kind);

/* --- what happened */
typedef struct _PropRun PropRun;

/* Where a callback belongs. */
typedef struct {
  GThread  *thread;
  gpointer  pool;           /* a job of this pool; only compared */
  gboolean  stays;          /* it outlives all that is delivered to it */
} PropPlace;

typedef enum {
  PROP_ITEM_JOB,
  PROP_ITEM_POST,
  PROP_ITEM_THEN,
  PROP_ITEM_CALLBACK,
  PROP_ITEM_PROMISE,
  PROP_ITEM_DERIVED,
} PropItemKind;

/* One function given to the library, or one pending it made, or both. */
typedef struct _PropItem PropItem;
struct _PropItem {
  PropRun     *run;
  PropItem    *of;              /* what it was attached to */
  PropItemKind kind;
  guint        index;
  PropStep     step;
  PropPlace    place;
  int          var;             /* what it has to see; -1: not known */
  gboolean     has_closure;
  gboolean     has_pending;
  gboolean     is_autonomous;   /* its end needs no thread of the program */
  gboolean     is_shared;       /* with a group or a scope, which may end it, and gets its error */
  PropItem    *outer;           /* while it runs: on whose stack */
  gboolean     always;          /* a continuation that runs whatever became of its pending */
  GThread     *submitter;
  int          order;           /* of submission; 0: not to be compared */

  /* From here on atomic. */
  int          n_runs, n_ended, n_releases;
  int          n_done, n_forgotten;
  int          ended_unclaimed;   /* done before its function was to be called */
  int          state;           /* when it was done */
  int          started;         /* when */
  int          nested;          /* on the stack of another job */
  int          moved;           /* to another priority */
  int          looked;          /* somebody may have read it */
  int          observed;        /* when somebody had read it */
  int          n_passed_on;     /* to others */
  int          n_reports;
  int          n_cancelled_queued;
  GThread     *ran_on;
};

typedef struct {
  AexPending *pending;
  PropItem   *item;
} PropSlot;

typedef struct {
  PropRun       *run;
  int            index;
  AexExecutor   *object;        /* lock of the run; NULL: let go */
  AexLoopThread *loop;
  struct _PropHost *host;
  guint64        id;            /* of a caller */
  int            blocked;       /* atomic: a job of it has waited */
  int            n_holds;       /* atomic */
} PropExecutor;

typedef struct {
  PropRun       *run;
  guint          index;
  GThread       *thread;
  GMainContext  *context;
} PropThread;

struct _PropRun {
  const PropProgram *program;
  const char    *plant;
  AexContextVar *var;
  GThread       *main_thread;
  PropExecutor   executors[PROP_N_EXECUTORS];
  PropThread     threads[PROP_MAX_THREADS];
  GMutex         lock;          /* guards the next four */
  PropSlot       slots[PROP_N_SLOTS];
  char          *violations[PROP_N_INVARIANTS];
  PropItem      *items;         /* PROP_MAX_ITEMS */
  int            n_items;       /* atomic, like the rest */
  int            n_late;        /* calls of continuations after the end of their pending */
  int            clock;         /* counts events */
  int            n_open;        /* closures to be released, pendings to be done */
  int            n_finished;    /* threads */
  int            over;
  int            ended;         /* when the first executor was asked to end */
};

/* Runs it to its end and judges; the text of what was violated, or NULL. */
char       *prop_run_program       (const PropProgram *program, const char *plant, int *n_jobs);

/* --- property-run.c */
int         prop_now               (PropRun *self);
void        prop_violate           (PropRun *self, guint invariant, const char *format, ...) G_GNUC_PRINTF (3, 4);
void        prop_open              (PropRun *self, int by);
AexPending *prop_slot_ref          (PropRun *self, int slot, PropItem **item);
void        prop_slot_take         (PropRun *self, int slot, AexPending *pending, PropItem *item);
AexExecutor *prop_executor_ref     (PropRun *self, int executor);
void        prop_mark_ended        (PropRun *self);
gboolean    prop_take_hold         (PropExecutor *self);

/* --- property-jobs.c */
PropItem   *prop_item_new          (PropRun *self, PropItemKind kind, const PropStep *step);
const char *prop_item_name         (const PropItem *self);
void        prop_item_track        (PropItem *self, AexPending *pending);
void        prop_item_closure      (PropItem *self);
void        prop_mark_observed     (PropItem *self);
gboolean    prop_is_waitable       (PropItem *item, int base);
gboolean    prop_wait              (PropRun *self, AexPending *pending, PropItem *item, AexWaitFlags flags, gint64 limit, GError **error);
AexPending *prop_submit            (PropRun *self, const PropStep *step, PropItem **item);
gboolean    prop_job               (AexPending *job, GCancellable *cancellable, gpointer item, GError **error);
void        prop_released          (gpointer item);
void        prop_attach_callback   (PropRun *self, AexPending *pending, PropItem *of, int n);
AexPending *prop_attach_then       (PropRun *self, AexPending *pending, PropItem *of, const PropStep *step, PropItem **item);
PropPlace   prop_place_here        (PropRun *self);
void        prop_set_loop          (gboolean loop);
void        prop_set_sharing       (gboolean sharing);

/* The domain of errors that jobs make; the code is the number of the item. */
#define PROP_ERROR (prop_error_quark ())
GQuark      prop_error_quark       (void);
GError     *prop_error_new         (PropItem *item);
/* Around every function of the library's: the item is called, once, in its place, and sees what it has to see. */
void        prop_begin             (PropItem *item);
void        prop_end               (PropItem *item);

/* --- property-bodies.c */
gboolean    prop_job_body          (PropItem *item, AexPending *job, GError **error);

/* --- property-steps.c */
void        prop_step              (PropRun *self, const PropStep *step);

/* --- property-ends.c */
void        prop_end_executor      (PropRun *self, int executor, int how);
void        prop_step_hold         (PropRun *self, const PropStep *step);
void        prop_step_release      (PropRun *self, const PropStep *step);
void        prop_step_forget       (PropRun *self, const PropStep *step);

/* --- property-flood.c */
void        prop_flood             (PropRun *self, int executor, int n);

/* --- property-hosts.c */
struct _PropHost *prop_host_start  (AexExecutor **caller);
void        prop_host_stop         (struct _PropHost *self);

/* --- property-check.c */
void        prop_check_alive       (PropRun *self);     /* while pendings and executors are still there */
void        prop_check_settled     (PropRun *self);     /* when nothing is */

/* --- property-plants.c */
void        prop_plant             (PropRun *self);
void        prop_plant_call        (PropItem *item, PropPlace *place, int *seen);
gboolean    prop_is_planted        (PropRun *self, const char *plant);

/* --- property-shrink.c */
typedef gboolean (*PropFails) (const PropProgram *program, gpointer data);

void        prop_shrink            (PropProgram *program, PropFails fails, gpointer data, gint64 until_us);

G_END_DECLS
