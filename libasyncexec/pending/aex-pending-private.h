/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"
#include "aex-pending.h"
#include "base/aex-target-private.h"
#include "base/aex-thread-private.h"
#include "base/aex-timer-service-private.h"
#include "pending/aex-environment-private.h"

G_BEGIN_DECLS

typedef struct _AexWaiter         AexWaiter;
typedef struct _AexLink           AexLink;
typedef struct _AexPendingExtra   AexPendingExtra;
typedef struct _AexMessages       AexMessages;

/* The state, one atomic word.  The phase only grows; the bits say who may still change what:
 *
 * QUEUED  -- claim --> RUNNING|STARTED          -- cancel --> CANCELLED (the queue entry stays as a tombstone)
 * RUNNING -- record -> REC (slot owned), then RECD (slot written); a promise settles at once, a job when its function has
 *                      returned; if that happens between the two, the function's thread sets RET and the recorder settles
 * RUNNING -- cancel -> CANCEL for a job and a promise with a canceller; CANCELLED at once for another promise
 * settle  ----------> CANCEL ? CANCELLED : TIMED_OUT ? REJECTED : what was recorded
 */
enum {
  AEX_PHASE_QUEUED,
  AEX_PHASE_RUNNING,
  AEX_PHASE_RESOLVED,
  AEX_PHASE_REJECTED,
  AEX_PHASE_CANCELLED,
  AEX_PHASE_MASK    = 0x7,
  AEX_BIT_JOB       = 1 << 3,
  AEX_BIT_CANCEL    = 1 << 4,
  AEX_BIT_REC       = 1 << 5,
  AEX_BIT_RECD      = 1 << 6,
  AEX_BIT_RET       = 1 << 7,
  AEX_BIT_WAIT      = 1 << 8,    /* the list of waiters was used */
  AEX_BIT_STARTED   = 1 << 9,    /* the function was called */
  AEX_BIT_TIMED_OUT = 1 << 10,   /* its own timeout passed */
  AEX_BIT_CLOSED    = 1 << 11,   /* the cancellation is a refusal: the error is CLOSED */
  AEX_BIT_LINKED    = 1 << 12,   /* sources hold what its outcome depends on */
  AEX_BIT_CANCELLER = 1 << 13,
  AEX_BIT_UNCOUNTED = 1 << 15,   /* its executor has not accepted it, or not yet, and does not count it */
  AEX_BIT_DELIVER   = 1 << 14,   /* some thread tells the waiters; changed under the lock */
  AEX_BIT_SCOPED    = 1 << 17,   /* its time was over because that of its scope was */
  AEX_BIT_GOING     = 1 << 18,   /* its last reference goes, and nobody will end it any more */
  AEX_BIT_WATCHED   = 1 << 16,   /* there are messages, subscribers or changes to tell before its done callbacks */
  AEX_BIT_ASKED     = 1 << 19,   /* a cancellation was asked for and refused */
  AEX_GENERATION_SHIFT = 24,     /* which entry in a queue is the valid one */
};

#define AEX_PHASE(state)      ((state) & AEX_PHASE_MASK)
#define AEX_IS_DONE(state)    (AEX_PHASE (state) >= AEX_PHASE_RESOLVED)
#define AEX_GENERATION(state) ((state) >> AEX_GENERATION_SHIFT)

/* What the value word holds. */
typedef enum {
  AEX_TAG_NONE,
  AEX_TAG_BOOLEAN,
  AEX_TAG_INT64,
  AEX_TAG_DOUBLE,
  AEX_TAG_STRING,
  AEX_TAG_OBJECT,
  AEX_TAG_VARIANT,
  AEX_TAG_VALUE,      /* a GValue on the heap: every other type */
  AEX_TAG_POINTER,    /* an AexPointer */
  AEX_TAG_ERROR,
  AEX_TAG_FAILURE,    /* an AexFailure: an error with a payload */
  AEX_TAG_FOLLOW,     /* a job whose function still runs: the pending to follow after it */
  AEX_TAG_FORWARD,    /* another pending that is done, whose outcome this one shares; never itself a FORWARD */
} AexTag;

typedef union {
  gboolean v_boolean;
  gint64 v_int64;
  double v_double;
  char *v_string;
  gpointer v_pointer;
  GValue *v_value;
  GError *v_error;
  AexPending *v_pending;
} AexWord;

typedef struct {
  gpointer pointer;
  GDestroyNotify destroy;
} AexPointer;

typedef struct {
  GError *error;
  GValue payload;
} AexFailure;

/* Set before anybody else knows the pending, then only read. */
enum {
  AEX_FLAG_PROTECTED        = 1 << 0,
  AEX_FLAG_LIBRARY          = 1 << 1,   /* reports the state of something: even explicit cancels are refused */
  AEX_FLAG_ASYNC            = 1 << 2,   /* func is an AexAsyncFunc */
  AEX_FLAG_RELEASE_ON_OWNER = 1 << 3,
  AEX_FLAG_TIMED            = 1 << 4,   /* its queue entry is a timer */
  AEX_FLAG_TYPED            = 1 << 5,   /* its value must be of result_type */
  AEX_FLAG_UNRUN            = 1 << 6,   /* a job that is completed while it is queued, and never run */
  AEX_FLAG_JOIN             = 1 << 7,   /* the end of a group: data is an AexTrackerCore */
};

/* 88 bytes: see core-notes in doc/decisions.md.  The outcome never shares storage with func, data or destroy: a foreign
 * resolve may write it while the worker still reads them. */
struct _AexPending {
  GObject parent_instance;
  _Atomic guint state;
  guint8 tag;                  /* AexTag; written by who owns REC, read after RECD or when done */
  guint8 flags;
  guint8 lane;                 /* AexLane; guarded by the lock */
  _Atomic guint8 observed;
  gpointer func;               /* a job: its function, until claimed; a promise: the home on whose thread it ends, or NULL */
  gpointer data;               /* a job: its data, until claimed; then the AexFrame; LINKED: the AexSources */
  GDestroyNotify destroy;
  AexWord value;
  AexEnvironment *environment;
  AexWaiter *waiters;          /* newest first; guarded by the lock */
  _Atomic (AexPendingExtra *) extra;   /* made on demand, never changed after */
};

/* What few pendings need; all guarded by the pending's lock. */
struct _AexPendingExtra {
  char *name;
  gboolean name_is_static;
  GHashTable *metadata;
  GCancellable *cancellable;   /* made by aex_pending_get_cancellable() */
  char *cancel_message;
  GValue *cached_value;        /* what aex_pending_get_value() returned */
  AexWaiter *canceller;
  AexAlarm *timeout;
  GError *untimed;             /* TIMED_OUT at once, because nobody could have told when the time is over */
  GSList *bindings;            /* AexCancelBinding: cancel_on, cancel_with */
  gint64 submitted_us, started_us, done_us;
  guint64 thread_id;
  gboolean record_times;
  const char *operation;       /* TYPED: who declared the type; both live for ever */
  const GVariantType *result_type;
  const char *backend;         /* in which loop of its caller it runs; interned; set before anybody else knows the pending */
  double progress;             /* -1: unknown */
  char *progress_message;
  guint changed;               /* AexChange: what the owner was not told of yet */
  guint told_phase;            /* the phase it was told of; AEX_PHASE_UNTOLD: none */
  AexMessages *messages;       /* see aex-pending-messages.c */
};

#define AEX_PHASE_UNTOLD G_MAXUINT

typedef enum {
  AEX_WAITER_CALLBACK,   /* posted to its target */
  AEX_WAITER_INLINE,     /* called by the completing thread */
  AEX_WAITER_BLOCK,      /* a thread that sleeps; on its stack */
  AEX_WAITER_LINK,       /* part of an AexLink */
} AexWaiterKind;

struct _AexWaiter {
  AexWaiter *next;
  AexWaiterKind kind;
  gboolean expected;           /* counted in the n_expected of its home */
  gboolean weak;               /* nobody depends on it: a finally whose derived pending is done, a cancelled coroutine */
  gulong id;
  AexTarget *target;           /* CALLBACK: where it goes; NULL: here */
  AexContext *context;
  gpointer func;
  gpointer data;
  GDestroyNotify destroy;
  AexPending *pending;         /* CALLBACK: set when posted, a reference */
  AexParker *parker;           /* BLOCK */
  struct _AexDrop *drop;       /* the object that it ends with */
};

/* An edge from a source to a pending derived from it.  The source's list and the derived one's sources hold one
 * reference each. */
struct _AexLink {
  AexWaiter waiter;
  atomic_int refs;
  AexPending *derived;         /* strong while the source lists the link, and while a continuation is on its way */
  GWeakRef source;             /* empty when detached; of GObject's own kind, for only that can not revive what is
                                * just being disposed of in another thread */
  void (*done) (AexLink *link, AexPending *source);   /* on the completing thread, no lock held */
  guint index;                 /* among the members of a combination */
  AexThenFlags then_flags;
  gpointer owner;              /* what the link is part of, a reference */
  GDestroyNotify owner_unref;
};

/* Where a derived pending comes from. */
typedef struct {
  AexLink **links;             /* NULL where detached */
  guint n_links;
  AexLink *inline_link;        /* links points here when there is one: most have one */
  gboolean shield;             /* cancellation stops here */
  gboolean any;                /* one source is enough: the others may never end */
  AexAlarm *alarm;             /* with_timeout */
} AexSources;

/* ---- aex-pending.c */
AexPending      *aex_pending_new_job        (AexTarget *executor, AexContext *context, gpointer func, gpointer data, GDestroyNotify destroy, guint flags);
AexPending      *aex_pending_new_promise    (guint flags);
AexPending      *aex_pending_new_report     (gpointer home);                  /* home: may be NULL */
AexPending      *aex_pending_new_failed     (GError *error);                  /* takes error */
AexPending      *aex_pending_new_closed     (void);                           /* refused */
AexPending      *aex_pending_new_if_forked  (void);                           /* a rejected one, else NULL */
AexPending      *aex_pending_ref_new        (AexPending *self);
void             aex_pending_unref          (AexPending *self);
AexPendingExtra *aex_pending_ensure_extra   (AexPending *self);
GMutex          *aex_pending_get_lock       (AexPending *self);

static inline void aex_pending_lock   (AexPending *self) { g_mutex_lock (aex_pending_get_lock (self)); }
static inline void aex_pending_unlock (AexPending *self) { g_mutex_unlock (aex_pending_get_lock (self)); }

static inline guint
aex_pending_load (AexPending *self)
{
  return atomic_load_explicit (&self->state, memory_order_acquire);
}

/* ---- aex-pending-state.c */
gboolean aex_pending_claim          (AexPending *self, guint generation);
gboolean aex_pending_claim_any      (AexPending *self);
void     aex_pending_accepted       (AexPending *self);                       /* was known, and uncounted, before */
gboolean aex_pending_record         (AexPending *self, AexTag tag, AexWord value);   /* consumes value */
gboolean aex_pending_reserve        (AexPending *self);                              /* a promise; FALSE: too late */
void     aex_pending_fulfil         (AexPending *self);                              /* one that is reserved, with no value */
void     aex_pending_function_done  (AexPending *self);
gboolean aex_pending_settle_linked  (AexPending *self, AexPending *source);          /* take over its outcome */
void     aex_pending_note_observed  (AexPending *self);

typedef enum {
  AEX_CANCEL_EXPLICIT,
  AEX_CANCEL_QUEUED,     /* only if it has not started */
  AEX_CANCEL_IMPLIED,
  AEX_CANCEL_TIMEOUT,
  AEX_CANCEL_CLOSED,
  AEX_CANCEL_DROP,       /* CLOSED, but only if it has not started */
  AEX_CANCEL_OWN,        /* by whom it reports on */
} AexCancelKind;
gboolean aex_pending_cancel_as      (AexPending *self, AexCancelKind kind, const char *message);
void     aex_pending_drop_queued     (AexPending *self);      /* from dispose: it never ran */

/* ---- aex-pending-notify.c */
typedef enum {
  AEX_CHANGE_NAME     = 1 << 0,
  AEX_CHANGE_STATE    = 1 << 1,
  AEX_CHANGE_PROGRESS = 1 << 2,
  AEX_CHANGE_MESSAGE  = 1 << 3,
} AexChange;

extern gsize aex_pending_handlers_mask;    /* 0: unknown */
void     aex_pending_probe_handlers (void);
gboolean aex_pending_ask_handlers   (AexPending *self);
gboolean aex_pending_is_open        (AexPending *self);                   /* the lock is held */
gboolean aex_pending_note_change    (AexPending *self, guint changes);    /* likewise; TRUE: gather when it is gone */
void     aex_pending_gather         (AexPending *self);
void     aex_pending_changed        (AexPending *self, guint changes);
void     aex_pending_changed_last   (AexPending *self);
void     aex_pending_emit_changes   (AexPending *self);
void     aex_pending_flush          (AexPending *self, AexTarget *target);    /* before a done callback */

/* Was ever a handler connected to it?  Costs one look at what is in the cache already. */
static inline gboolean
aex_pending_has_handlers (AexPending *self)
{
  const guint *flags = (const guint *) (gconstpointer) &self->parent_instance.ref_count + 1;

  if (G_LIKELY (aex_pending_handlers_mask != 0))
    return (__atomic_load_n (flags, __ATOMIC_SEQ_CST) & aex_pending_handlers_mask) != 0;
  return aex_pending_ask_handlers (self);
}

/* ---- aex-pending-properties.c */
void     aex_pending_install_properties (GObjectClass *object_class);
void     aex_pending_emit_notify        (AexPending *self, guint changes);

/* ---- aex-pending-progress.c */
void     aex_pending_pass_progress  (AexPending *self);    /* on to what follows self */

/* ---- aex-pending-messages.c */
void     aex_pending_pass_messages  (AexPending *self, AexPending *source);    /* self begins to follow source */
void     aex_pending_hear           (AexPending *self, AexPending *source);    /* self is about to end because of source */
void     aex_pending_end_messages   (AexPending *self);                        /* it is done */
void     aex_pending_flush_messages (AexPending *self, AexTarget *target);
gulong   aex_pending_add_subscriber (AexPending *self, AexWaiter *closure);    /* takes closure */
void     aex_messages_close         (AexMessages *self, AexPending *owner);   /* its own subscribers want no more */
void     aex_messages_free          (AexMessages *self, AexPending *owner);

/* ---- aex-pending-outcome.c */
void        aex_outcome_clear       (AexPending *self);
void        aex_pending_expect_type (AexPending *self, const char *operation, const GVariantType *type);   /* before anybody else knows self */
void        aex_outcome_check       (AexPending *self, AexTag *tag, AexWord *value);   /* TYPED: turns another type into an error */
void        aex_word_clear          (AexTag tag, AexWord value, AexTarget *owner);
AexPending *aex_pending_get_root    (AexPending *self);
gulong      aex_pending_watch       (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy);
gboolean    aex_pending_peek_resolved (AexPending *self, AexPending **root, GError **error);
GError     *aex_pending_make_error  (AexPending *self);                             /* of a done or cancelled one, else NULL */

/* ---- aex-pending-job.c */
extern const AexEntryKind aex_job_kind;    /* a: the pending, a reference; b: generation */
void     aex_job_entry_close        (const AexEntry *entry);       /* cancelled as closed */
void     aex_pending_run_claimed    (AexPending *self);
void     aex_pending_release_closure (AexPending *self);
void     aex_pending_interrupt      (AexPending *self);
void     aex_frame_push             (AexFrame *frame, AexPending *job, AexTarget *executor);
void     aex_frame_pop              (AexFrame *frame, gboolean touched);
void     aex_frame_reset_context    (AexFrame *frame);             /* what its function left in the context is gone, scopes included */

/* ---- aex-pending-waiters.c */
void       aex_waiter_init          (AexWaiter *self, AexWaiterKind kind, gpointer func, gpointer data, GDestroyNotify destroy);
AexWaiter *aex_waiter_new           (AexWaiterKind kind, gpointer func, gpointer data, GDestroyNotify destroy);
gulong     aex_waiter_next_id       (void);
gboolean   aex_waiter_bind          (AexWaiter *self, GError **error);
gboolean   aex_waiter_set_target    (AexWaiter *self, GError **error);    /* and expect it */
void       aex_waiter_deliver       (AexWaiter *self, AexPending *pending);   /* posts a CALLBACK */
void       aex_waiter_release       (AexWaiter *self);            /* uncalled; its closure at its target */
void       aex_waiter_free          (AexWaiter *self);
void       aex_pending_attach       (AexPending *self, AexWaiter *waiter);
gboolean   aex_pending_detach       (AexPending *self, AexWaiter *waiter, guint *n_left);
AexWaiter *aex_pending_detach_id    (AexPending *self, gulong id);   /* the caller owns it */
void       aex_pending_settled      (AexPending *self);           /* tell the waiters; iterative */
void       aex_pending_abandon      (AexPending *self);
void       aex_pending_defer_cancel (AexPending *self);           /* an implied one, through the same work list */

/* ---- aex-pending-links.c */
AexLink    *aex_sources_add          (AexSources *sources, AexPending *derived, AexPending *source, void (*done) (AexLink *, AexPending *), guint index);
AexSources *aex_sources_new          (guint n);
void        aex_pending_set_sources  (AexPending *self, AexSources *sources);
void        aex_pending_drop_sources (AexPending *self, gboolean cancel);
void        aex_pending_cancel_sources (AexPending *self);        /* and keep following */
GPtrArray  *aex_pending_dup_sources  (AexPending *self);          /* element AexPending; NULL: none */
AexPending *aex_pending_ref_followed (AexPending *self);          /* whose outcome it takes over; NULL: none */
GPtrArray  *aex_pending_dup_followers (AexPending *self);         /* element AexPending; NULL: none */
GPtrArray  *aex_pending_dup_followers_locked (AexPending *self);
gboolean    aex_pending_start_follow (AexPending *self, AexPending *other);
void        aex_pending_set_follow   (AexPending *self, AexPending *other);    /* or rejects it */
gboolean    aex_pending_record_follow (AexPending *self, AexPending *other);   /* a job whose function still runs */
void        aex_pending_function_follows (AexPending *self, AexPending *other);
void        aex_link_detach          (AexLink *link);
void        aex_link_attach          (AexLink *link, AexPending *source);
void        aex_link_release_closure (AexLink *link);
void        aex_link_unref           (AexLink *self);
void        aex_link_forward         (AexLink *link, AexPending *source);

/* ---- aex-pending-cancel.c */
void        aex_pending_drop_bindings (AexPending *self);
void        aex_pending_cancel_on_as  (AexPending *self, GCancellable *cancellable, AexCancelKind kind);
void        aex_pending_join_scope    (AexPending *self, AexScope *scope);
gboolean    aex_pending_check_scope   (AexPending *self, GError **error);     /* before it is queued; FALSE: not any more */
void        aex_pending_join_own_scope (AexPending *self);                    /* when it has been queued */
void        aex_pending_look_at_scope (AexPending *self);                     /* before it starts */
void        aex_pending_look_at_time  (AexPending *self);                     /* before it is cancelled */

/* ---- aex-pending-gio.c */
void        aex_pending_complete_error (AexPending *self, GError *error);

/* ---- aex-drop.c: things that end with an object */
typedef struct _AexDrop AexDrop;
AexDrop    *aex_drop_new             (GObject *object, AexPending *pending, gulong waiter_id);   /* NULL: disposed already */
GObject    *aex_drop_ref_object      (AexDrop *self);                                            /* NULL: disposed */
void        aex_drop_free            (AexDrop *self);

/* ---- aex-pending-wait.c */
gboolean    aex_pending_claim_for_wait (AexPending *self, gboolean outside_allowed);
void        aex_pending_wait_async_in (AexPending *self, AexScope *scope, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);   /* scope may be NULL */
void        aex_pending_fail_untimed (AexPending *self, GError *error);
void        aex_pending_arm          (AexPending *self, gint64 timeout_us, AexAlarmFunc func);

G_END_DECLS
