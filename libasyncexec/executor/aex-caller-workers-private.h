/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/aex-queue-private.h"
#include "executor/aex-caller-core-private.h"

G_BEGIN_DECLS

/* A child that works for us. */
typedef struct {
  AexCallerCore *caller;      /* a reference */
  AexPending *job;            /* what it was given, until that is done; only compared; NULL: it is idle */
  gboolean has_finished;      /* job, which is not done yet */
  gint64 idle_since_us;
} AexWorker;

struct _AexCallerWorkers {
  AexCore core;
  AexCallerCore *parent;      /* a reference */

  GMutex lock;                /* guards the rest */
  GPtrArray *all;             /* element AexWorker, owned */
  GQueue idle;                /* of all, longest first */
  GHashTable *places;         /* AexPending to AexWorker */
  AexQueue waiting[AEX_N_LANES];   /* for a worker, because there may be no more */
  guint n_waiting;
  guint n_being_made;
  guint n_finished;           /* workers whose job has */
  guint n_queued;
  guint n_running;
  guint n_picks;
  AexAlarm *alarm;            /* when the one that is idle longest has been so for too long */
};

extern const AexCoreOps aex_caller_workers_ops;

/* ---- aex-caller-workers-core.c */
void aex_caller_workers_serve     (AexCallerWorkers *self);      /* what waits, as far as it may */

/* ---- aex-caller-workers-end.c */
void aex_caller_workers_arm       (AexCallerWorkers *self);      /* the lock is held */
void aex_caller_workers_begin_end (AexCore *self, AexShutdownFlags flags);

G_END_DECLS
