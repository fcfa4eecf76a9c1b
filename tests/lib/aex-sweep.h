/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"

G_BEGIN_DECLS

/* Cancel at every checkpoint.
 *
 * A scenario is a function that sets something up, lets it go on and drops all
 * it has.  It is run again and again; in the k-th run what it aimed at is
 * cancelled at the k-th checkpoint (see aex-debug-private.h), until it is
 * through without having been cancelled: once by the thread that stands at the
 * checkpoint, once by another one meanwhile.  After each run everything that
 * was watched is done, once; every closure was released once, where it belongs;
 * and nothing is left.
 *
 * A scenario never waits for what a cancelled job would have done: it uses
 * aex_sweep_settle(), which iterates the main context until all that is watched
 * is done.  One that takes more than 64 checkpoints is cancelled at each of the
 * first 64 and then in growing steps. */
typedef struct _AexSweep AexSweep;
typedef void (*AexScenario) (AexSweep *self);
typedef void (*AexSweepFunc) (gpointer object);

/* Adds the tests "<path>/here" and "<path>/elsewhere". */
void        aex_sweep_add       (const char *path, AexScenario scenario);

/* Has to end; returns pending. */
AexPending *aex_sweep_watch     (AexSweep *self, AexPending *pending);
/* The same, and is what is cancelled, as everything else that was aimed at. */
AexPending *aex_sweep_aim       (AexSweep *self, AexPending *pending);
/* Something else to do with an object then: to close it or to shut it down.  It is referenced until the end of the run. */
void        aex_sweep_aim_func  (AexSweep *self, AexSweepFunc func, gpointer object);
/* Data for a function, to be freed with aex_sweep_release(): on executor, or by the thread of the scenario. */
gpointer    aex_sweep_closure   (AexSweep *self, AexExecutor *executor);
void        aex_sweep_release   (gpointer closure);
void        aex_sweep_settle    (AexSweep *self);
/* Checkpoints between do not count. */
void        aex_sweep_pause     (AexSweep *self, gboolean pause);
/* What was aimed at has been, or is being, cancelled. */
gboolean    aex_sweep_has_fired (AexSweep *self);

G_END_DECLS
