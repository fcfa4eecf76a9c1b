/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-submit-options.h"
#include "base/aex-target-private.h"

G_BEGIN_DECLS

/* Shared by options, their copies and the subscriptions made from them; let go of in a dispatch of where it was set. */
typedef struct {
  atomic_int refs;
  AexTarget *target;
  AexMessageFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexSharedSubscriber;

struct _AexSubmitOptions {
  char *name;
  AexPriority priority;
  gint64 timeout_us;
  GCancellable *cancellable;
  AexContext *context;
  gboolean release_on_owner;
  GHashTable *metadata;      /* string to GVariant */
  const char *operation;     /* of aex_executor_call(): its name and type of result, which live for ever */
  const GVariantType *result_type;
  AexSharedSubscriber *subscriber;
  gboolean chooses_trackers;
  GType *tracker_types;
  gsize n_tracker_types;
  AexPendingGroup *group;
  const char *backend;       /* interned, of aex_caller_call_using_backend(); NULL: that of the caller */
};

/* What the job sees, a reference or NULL.  FALSE: its group is over. */
gboolean aex_submit_options_ref_context (const AexSubmitOptions *self, AexContext **context);

/* FALSE: the process is out of file descriptors. */
gboolean aex_submit_options_subscribe (const AexSubmitOptions *self, AexPending *job, GError **error);

G_END_DECLS
