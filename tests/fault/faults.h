/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

G_BEGIN_DECLS

#define MS 1000

/* What a program might do; run in the child, where something fails. */
typedef struct
{
  const char        *name;
  AexTestFunc        func;
  const char *const *faults;    /* besides those that everybody gets */
  gboolean           arms;      /* by itself */
} FaultScenario;

extern const FaultScenario fault_work_scenarios[];      /* up to one without a name */
extern const FaultScenario fault_wait_scenarios[];
extern const FaultScenario fault_file_scenarios[];
extern const FaultScenario fault_shim_scenarios[];      /* of the shim itself; they arm it */

/* What is interrupted or comes in pieces is tried again, by us, and nobody notices. */
extern gboolean            fault_is_harmless;

/* Done, and either well or with an error that says something. */
gboolean fault_assert_clean (AexPending *pending);
/* Done with an error, whatever else may have failed. */
void     fault_assert_fails (AexPending *pending);
void     fault_assert_error (const GError *error);
void     fault_shut_down    (AexExecutor *executor);

/* Somebody makes this call fail, or it is known that nobody makes it. */
gboolean fault_has_rule     (const char *call);

extern const char *const   fault_thread_faults[];

G_END_DECLS
