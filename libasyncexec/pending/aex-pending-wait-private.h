/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pending/aex-pending-private.h"

G_BEGIN_DECLS

/* A thread that blocks inside a job, or that a main context needs, in the graph of who waits for whom. */
typedef struct _AexWaitGraphNode AexWaitGraphNode;
struct _AexWaitGraphNode {
  AexWaitGraphNode *next;
  AexFrame *frames;
  AexHome *home;             /* of the main context that nobody runs meanwhile; only compared */
  AexPending *waits_for;
  gboolean listed;
};

/* FALSE, with WOULD_DEADLOCK: the wait could never end. */
gboolean aex_wait_graph_enter (AexWaitGraphNode *node, AexThread *thread, AexPending *pending, GError **error);
void     aex_wait_graph_leave (AexWaitGraphNode *node);

/* What an abandoned wait does to the pending, and its error; FALSE. */
gboolean aex_wait_timed_out   (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GError **error);
gboolean aex_wait_cancelled   (AexPending *self, AexWaitFlags flags, GError **error);

G_END_DECLS
