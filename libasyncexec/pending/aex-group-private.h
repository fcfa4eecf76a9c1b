/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pending/aex-tracker-private.h"

G_BEGIN_DECLS

typedef enum { AEX_GROUP_OPEN, AEX_GROUP_CANCELLED, AEX_GROUP_FAILED, AEX_GROUP_TIMED_OUT } AexGroupEnd;

/* What a group knows beside its members.  All guarded by the lock of the core; what is taken out under it is used when it
 * is not held. */
struct _AexGroup {
  AexGroupMode mode;
  gboolean shield;
  gint64 timeout_us, cancellation_timeout_us;

  AexTrackerCore *parent;      /* the one that it was made in, a reference */
  AexScope *scope;             /* until the end; NULL: not used yet, or over */
  AexScopeWatch *watch;        /* the scopes around it */
  GCancellable *job;           /* that of the job in which it stands */
  gulong job_handler;
  AexAlarm *alarm, *grace;

  gboolean used;               /* its scope was made */
  gboolean begun;              /* entered: once */
  gboolean inside;             /* and not left */
  gboolean joining;
  AexGroupEnd end;             /* the first reason to cancel it */
  gboolean member_cancelled;
  char *message;
  GPtrArray *failures;         /* element AexPending */
  AexPending *join;            /* made by the first who joins */
};

/* What makes it listen, and who waits for it; to be let go of without the lock. */
typedef struct {
  AexScope *scope;
  AexScopeWatch *watch;
  GCancellable *job;
  gulong job_handler;
  AexAlarm *alarm, *grace;
  AexPending *join;
} AexGroupRest;

void        aex_group_rest_clear (AexGroupRest *rest);

/* Before it is entered, or given the first member: makes the scope, and listens to what is around it.  FALSE: it is as if it
 * had not been tried. */
gboolean    aex_group_use    (AexTrackerCore *core, GError **error);
gboolean    aex_group_cancel (AexTrackerCore *core, AexGroupEnd why, const char *message);
AexPending *aex_group_join   (AexTrackerCore *core, AexPending **kept);   /* kept: set once; the first who joins makes it */
void        aex_group_drop   (AexTrackerCore *core);    /* nobody has it any more */
gboolean    aex_group_goes_on (AexTrackerCore *core);   /* after a member that was cancelled; when it was used */

G_END_DECLS
