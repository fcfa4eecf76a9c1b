/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"

G_BEGIN_DECLS

/* Every public function is called in a world that has one of everything, once for each subject of its kind. */

typedef enum
{
  LIMIT_DESCRIPTORS,    /* RLIMIT_NOFILE is what is in use */
  LIMIT_THREADS,        /* pthread_create() fails */
  LIMIT_FORKED,         /* in a child that did not exec */
  LIMIT_SHUTDOWN,       /* every executor has been shut down */
  N_LIMITS
} Limit;

enum
{
  LIMITS_BUSY_POOL, LIMITS_FRESH_POOL, LIMITS_MAIN_CALLER, LIMITS_THREAD_CALLER, LIMITS_CALLER_POOL, LIMITS_LIMITER,
  LIMITS_SCRIPTED, LIMITS_N_EXECUTORS
};
enum
{
  LIMITS_PROMISE, LIMITS_RUNNING, LIMITS_QUEUED, LIMITS_RESOLVED, LIMITS_REJECTED, LIMITS_CANCELLED, LIMITS_DERIVED,
  LIMITS_N_PENDINGS
};
enum { LIMITS_PRODUCER, LIMITS_MAP, LIMITS_AS_COMPLETED, LIMITS_N_STREAMS };

#define LIMITS_N_CALLERS        2
#define LIMITS_N_THREAD_POOLS   2

typedef struct
{
  guint             variant;            /* which subject */
  gboolean          of_pendings;        /* the subjects are pendings */
  Limit             limit;
  gboolean          is_checked;         /* the limit holds, and what fails now counts */

  /* Some are NULL where the limit holds from the start. */
  AexExecutor      *executors[LIMITS_N_EXECUTORS];
  AexExecutor      *pool;               /* the busy one */
  AexExecutor      *limiter;
  AexCaller        *caller;             /* that of the default context */
  AexCallQueue     *queue;              /* of that */
  AexService       *service;            /* likewise */
  AexService       *idle_service;       /* without a function */
  AexLazy          *lazy;
  AexCallerOptions *caller_options;
  AexGuest         *guest;
  AexBlock          block;
  AexPending       *pendings[LIMITS_N_PENDINGS];
  AexPending       *other;              /* another promise */
  AexPending       *members[2];
  AexPending       *scripted_job;       /* waits for aex_pending_run() */
  AexPendingStream *streams[LIMITS_N_STREAMS];
  AexPendingGroup  *group;              /* neither entered nor begun */
  AexPendingManager *manager;
  AexPendingInfo   *info;
  AexPendingResult *result;
  AexContext       *context;
  AexContextVar    *var;
  AexContextToken  *token;
  AexOperations    *operations;
  AexPermit        *permit;
  AexScope         *scope;
  AexSubmitOptions *options;
  AexTrampoline    *trampoline;
  GMainContext     *main_context;
  GCancellable     *cancellable;
  GCancellable     *cancelled;
  GObject          *object;
  GError           *error;
  GValue            value;
  const char       *strings[2];
  guint             n_names;

  GPtrArray        *returned;           /* pendings that must be done in the end */
  GPtrArray        *awaited;            /* others */
  guint             n_started;          /* operations of GIO's kind */
  guint             n_ready;
  int               n_given;            /* destroy notifies */
  int               n_destroyed;        /* atomic */
  char             *mistake;            /* the first one */
  guint             n_calls;
  guint             n_reported;         /* errors that are those of the limit */
  guint             n_passed_on;        /* those that the subject had already */
} LimitsWorld;

typedef struct
{
  const char *name;
  void      (*call) (LimitsWorld *w);
  guint       n_variants;
  gboolean    of_pendings;              /* the subjects are pendings */
  guint       fails;                    /* bits: limits that it reports */
  guint       silent[N_LIMITS];         /* bits: subjects for which it does not */
  gboolean    makes_tasks;              /* or is given one */
  const char *problem;                  /* why there is no call, or NULL */
} LimitsFunction;

extern const LimitsFunction limits_functions[];
extern const guint          limits_n_functions;

/* --- the world (limits-world.c) */
/* On first use the limit holds already, and nothing of the library has been used before. */
LimitsWorld *limits_world_new      (Limit limit, const LimitsFunction *function, guint variant, gboolean first_use);
/* Whatever is under way ends, still under the limit; then it is seen what came of it. */
void         limits_world_settle   (LimitsWorld *w);
void         limits_world_shutdown (LimitsWorld *w);
/* Lets go of all but the structure itself. */
void         limits_world_free     (LimitsWorld *w);

GType        limits_guest_get_type (void);

/* --- arguments (limits-arguments.c) */
AexExecutor      *limits_executor                 (LimitsWorld *w);
AexCaller        *limits_caller                   (LimitsWorld *w);
AexCallerPool    *limits_caller_pool              (LimitsWorld *w);
AexThreadPool    *limits_thread_pool              (LimitsWorld *w);
AexPending       *limits_pending                  (LimitsWorld *w);
AexPending       *limits_other_pending            (LimitsWorld *w);
AexPendingStream *limits_stream                   (LimitsWorld *w);
AexPendingStream *limits_producer                 (LimitsWorld *w);
/* Cancelled where the call would wait for the busy pool. */
GCancellable     *limits_cancellable_for_executor (LimitsWorld *w);
GDestroyNotify    limits_give_destroy             (LimitsWorld *w);
const char       *limits_name                     (LimitsWorld *w);
GVariant         *limits_walk_parameters          (void);
GVariant         *limits_keys                     (void);

gboolean    limits_job         (AexPending *job, GCancellable *cancellable, gpointer user_data, GError **error);
AexPending *limits_async       (AexPending *job, GCancellable *cancellable, gpointer user_data, GError **error);
AexPending *limits_service     (AexService *service, gpointer user_data, GError **error);
gboolean    limits_map         (AexPendingStream *stream, guint index, GCancellable *cancellable, gpointer user_data, GError **error);
gboolean    limits_each        (guint index, GCancellable *cancellable, gpointer user_data, GError **error);
gboolean    limits_post        (gpointer user_data, GError **error);
gboolean    limits_operation   (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error);
gboolean    limits_bounce      (AexPending *pending, guint64 token, gpointer user_data, GError **error);
AexPending *limits_then        (AexPending *done, gpointer user_data, GError **error);
void        limits_done        (AexPending *pending, gpointer user_data);
void        limits_message     (AexPending *pending, GVariant *message, gpointer user_data);
void        limits_run         (gpointer user_data);
void        limits_thread_main (AexThreadPool *pool, gpointer user_data);
void        limits_unhandled   (AexExecutor *executor, AexPending *pending, const GError *error, gpointer user_data);

/* --- what came of a call (limits-outcome.c); errors are taken over */
void        limits_called           (LimitsWorld *w, GError *error);
void        limits_boolean_returned (LimitsWorld *w, gboolean result, GError *error);
void        limits_pointer_returned (LimitsWorld *w, gconstpointer result, gboolean may_be_null, GError *error);
void        limits_pending_returned (LimitsWorld *w, AexPending *pending);
void        limits_stream_returned  (LimitsWorld *w, AexPendingStream *stream);
/* One operation of GIO's kind has begun; limits_ended() is called when it has ended. */
void        limits_started          (LimitsWorld *w);
void        limits_ended            (LimitsWorld *w, GError *error);
void        limits_await            (LimitsWorld *w, AexPending *pending);
void        limits_mistake          (LimitsWorld *w, const char *format, ...) G_GNUC_PRINTF (2, 3);
void        limits_see              (LimitsWorld *w, const GError *error);
void        limits_value_free       (GValue *value);

G_END_DECLS
