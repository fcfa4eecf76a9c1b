/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdatomic.h>

#include "aex-scope.h"
#include "base/aex-thread-private.h"
#include "base/aex-timer-service-private.h"
#include "pending/aex-context-private.h"

G_BEGIN_DECLS

enum {
  AEX_SCOPE_CANCELLED = 1 << 0,
  AEX_SCOPE_LEFT      = 1 << 1,   /* it does not count any more, but what was submitted in it keeps its deadline */
};

struct _AexScope {
  atomic_int refs;
  atomic_uint state;
  AexScopeFlags flags;
  gboolean entered;            /* by aex_scope_enter(): to be left where it is the innermost */
  AexThread *thread;           /* the one that entered it; only compared */
  gint64 deadline_us;          /* its own, -1: none */
  gint64 effective_us;         /* the earliest of those that it observes */
  AexScope *outer;             /* the one that counted when it was made, a reference */
  gpointer group;              /* whose it is, an AexTrackerCore, a reference; NULL: nobody's.  Set when it is made. */
  GDestroyNotify group_unref;

  GMutex lock;                 /* guards the rest */
  guint n_watches;             /* who is to be told, scopes inside that have a cancellable included */
  _Atomic (GCancellable *) cancellable;   /* made once, at the first need; then read without the lock */
  gulong handler;              /* at the cancellable of what it observes; 0: it observes none */
  AexAlarm *alarm;             /* armed when somebody asks to be told of the deadline */
};

typedef enum { AEX_SCOPE_OPEN, AEX_SCOPE_IS_CANCELLED, AEX_SCOPE_TIMED_OUT } AexScopeStatus;

/* What of scopes the running code observes. */
typedef struct {
  AexScope *scope;             /* the innermost one; borrowed from the current context; NULL: none */
  gboolean shielded;           /* not the job that it stands in */
} AexObserved;

AexObserved    aex_scope_observe_slow (AexThread *thread);

static inline AexObserved
aex_scope_observe (AexThread *thread)
{
  if (G_LIKELY (thread->context == NULL || thread->context->scope == NULL))
    return (AexObserved) { NULL, FALSE };
  return aex_scope_observe_slow (thread);
}

/* The one that what is submitted with context joins; borrowed, may be NULL. */
AexScope      *aex_scope_of_context   (AexContext *context);

/* Of it and of all that it observes. */
AexScopeStatus aex_scope_get_status   (AexScope *self);
GError        *aex_scope_make_error   (AexScopeStatus status);

static inline AexScope *
aex_scope_get_observed (AexScope *self)
{
  return self->flags & AEX_SCOPE_FLAGS_SHIELD ? NULL : self->outer;
}

static inline gboolean
aex_scope_is_left (AexScope *self)
{
  return (atomic_load (&self->state) & AEX_SCOPE_LEFT) != 0;
}

/* For a group, which enters and leaves what stays in force until it is over. */
void           aex_scope_step_in      (AexScope *self);
gboolean       aex_scope_step_out     (AexScope *self, const char *caller);   /* FALSE: said why not */
void           aex_scope_end          (AexScope *self);

/* The function of the running job has returned, or its thread ends: what was entered since base is left.  How many. */
guint          aex_scope_leave_all    (AexContext *context, AexScope *base, AexThread *thread);

/* ---- aex-scope-watch.c */
typedef struct _AexScopeWatch AexScopeWatch;
typedef void (*AexScopeFunc) (AexScope *scope, gpointer data);

/* Calls func once when self, or what it observes, is cancelled or, in_time, its time is over; on whatever thread that
 * happens, and not for what has happened before: look after this.  NULL with error set: nothing tells the time. */
AexScopeWatch *aex_scope_watch        (AexScope *self, gboolean in_time, AexScopeFunc func, gpointer data, GDestroyNotify destroy, GError **error);
void           aex_scope_watch_free   (AexScopeWatch *watch);
void           aex_scope_fire         (AexScope *self);      /* it has just been cancelled */
void           aex_scope_rest         (AexScope *self);      /* it was left: no alarm that nobody waits for */
void           aex_scope_clear_watched (AexScope *self);     /* from its end */

G_END_DECLS
