/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller.h"
#include "base/aex-home-private.h"
#include "executor/aex-core-private.h"

G_BEGIN_DECLS

/* What a caller is behind its GObject: jobs for one main context.  Found through the home of the context. */
typedef struct {
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
  atomic_int purge_posted;
  gboolean quit;                /* own thread: leave the loop */
} AexCallerCore;

/* One per home, found or made; a reference. */
AexCallerCore *aex_caller_core_ref_for_home (AexHome *home);
AexCallerCore *aex_caller_core_new_thread   (const char *name, GError **error);
/* Of no context, because of an error, which it takes over. */
AexCallerCore *aex_caller_core_new_refusing (GError *error);

/* Found or made for the core. */
AexCaller     *aex_caller_ref_for_core      (AexCallerCore *core, const char *name);

AexPending    *aex_caller_core_call_later   (AexCallerCore *self, AexPending *job, gint64 delay_us);

G_END_DECLS
