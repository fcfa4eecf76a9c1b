/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-pending-group.h"
#include "aex-pending-tracker.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-scope-private.h"

G_BEGIN_DECLS

typedef struct _AexTrackerCore AexTrackerCore;
typedef struct _AexTrackerCore AexTrackerHandle;   /* as a boxed type */
typedef struct _AexGroup       AexGroup;
typedef struct _AexMember      AexMember;

/* What a tracker is behind its GObject: contexts, and the pendings it knows, hold this, so that a tracker that nobody has
 * any more is just not found. */
struct _AexTrackerCore {
  atomic_int refs;
  guint64 id;
  GWeakRef facade;
  AexTarget *owner;            /* where the model is touched; may be NULL */
  AexGroup *group;             /* NULL: no group */
  atomic_int closed;           /* it takes no more members */

  GMutex lock;                 /* guards the rest, and the group */
  AexMember *first, *last;     /* oldest first; each is here while its waiter is attached */
  guint n_members;
  guint n_collecting;          /* who goes through members without the lock */
  GPtrArray *kept;             /* what left meanwhile, element AexPending; NULL: nothing */
  _Atomic (GListStore *) model;   /* NULL until asked for; what is in it is touched on the owner only */
  gboolean model_told;
};

/* That one pending is known to one tracker: what hangs on the pending, and goes with it.  A pending is told of its end, or
 * abandoned, before it goes, and leaves the list then: what is listed is there. */
struct _AexMember {
  AexWaiter waiter;
  AexTrackerCore *core;        /* a reference */
  AexPending *pending;         /* borrowed; to be used while it is listed */
  AexMember *previous, *next;  /* these guarded by the lock of core */
  gboolean listed;
  gboolean shielded;           /* a group inside does not let our cancellation through */
  gboolean told;               /* the pending is done */
};

AexTrackerCore *aex_tracker_core_new    (gpointer facade);
AexTrackerCore *aex_tracker_core_ref    (AexTrackerCore *self);
void            aex_tracker_core_unref  (gpointer self);
gboolean        aex_tracker_core_add    (AexTrackerCore *self, AexPending *pending, gboolean shielded);
gboolean        aex_tracker_core_remove (AexTrackerCore *self, AexPending *pending);
gboolean        aex_tracker_core_knows  (AexTrackerCore *self, AexPending *pending);
/* Element AexPending.  Where a lock is held, under which no reference may be dropped: into dropped, and later. */
GPtrArray      *aex_tracker_core_dup    (AexTrackerCore *self, GPtrArray *dropped);

/* With the lock held: the members that are told of cancellation, or all.  No references, which could call a binding; but
 * until that is said to be over, when the lock is not held, none of them goes. */
GPtrArray      *aex_tracker_core_collect_locked (AexTrackerCore *self, gboolean shielded);
void            aex_tracker_core_collected (AexTrackerCore *self, GPtrArray *pendings, GPtrArray *dropped);   /* takes pendings */
GPtrArray      *aex_pendings_ref_alive  (GPtrArray *pendings, GPtrArray *dropped);   /* those that are not done */
gboolean        aex_member_unlist_locked (AexMember *self);                   /* FALSE: it was not listed */
void            aex_tracker_core_tell_model (AexTrackerCore *self);           /* without the lock */

AexTrackerCore *aex_pending_tracker_get_core (AexPendingTracker *self);

/* ---- aex-tracker-context.c: which trackers are active is part of the context */
AexContextVar  *aex_tracker_var         (GType type);
void            aex_tracker_value       (GValue *value, AexTrackerCore *core);
AexTrackerCore *aex_tracker_of_context  (AexContext *context, GType type);    /* borrowed; not for groups */
AexTrackerCore *aex_group_of_context    (AexContext *context);                /* the innermost that is open; borrowed */

gboolean        aex_context_has_trackers (AexContext *context);

/* A copy of context in which of the trackers only those of types are active; NULL: the empty one. */
AexContext     *aex_context_choose_trackers (AexContext *context, const GType *types, gsize n_types);

/* Makes self known to those that are active in its own context; before it is queued. */
void            aex_pending_join_trackers (AexPending *self);

/* ---- aex-group-core.c */
AexGroup       *aex_group_new           (void);
void            aex_group_free          (AexGroup *self);
gboolean        aex_group_add           (AexTrackerCore *core, AexPending *pending);   /* and to those around it */
void            aex_group_member_left   (AexMember *member, AexPending *pending);      /* NULL: abandoned */
void            aex_group_member_undone (AexMember *member);                           /* it never was one */
gboolean        aex_group_is_cancelled_locked (AexGroup *self);
AexContext     *aex_context_with_group  (AexContext *context, AexTrackerCore *core);

G_END_DECLS
