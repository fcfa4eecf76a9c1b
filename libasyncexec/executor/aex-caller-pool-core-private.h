/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "executor/aex-caller-core-private.h"

G_BEGIN_DECLS

/* What a pool of callers is behind its GObject.  Each job is handed over to one caller, which counts, runs and cancels it
 * like one of its own. */
typedef struct {
  AexCore core;
  guint n_callers;
  AexCallerCore **callers;       /* references; set once */
  GPtrArray *watches;            /* AexPending: each resolves when a caller has stopped */
  atomic_int n_alive;

  GMutex lock;                   /* guards the rest */
  GPtrArray *objects;            /* AexCaller: who drops the last one of a caller ends its thread; until all have stopped */
  guint *loads;                  /* per caller: jobs that were given to it and are not done */
  GHashTable *places;            /* AexPending, to the number of its caller, counted from 1 */
  guint n_queued;
  guint n_running;
} AexCallerPoolCore;

/* With error set there are fewer callers, and they are being stopped. */
AexCallerPoolCore *aex_caller_pool_core_new  (AexExecutor *facade, guint n_callers, const char *name, GError **error);
int                aex_caller_pool_core_pick (AexCallerPoolCore *self);

G_END_DECLS
