/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "executor/aex-core-private.h"

G_BEGIN_DECLS

/* The core of an executor that a subclass of AexExecutor implements with its dispatch(). */
AexCore *aex_script_core_new (AexExecutor *facade, gboolean dispatch_anywhere);

/* Closes at once, then calls shutdown() of the subclass where it wants to be called. */
AexPending *aex_script_core_shutdown (AexCore *core, AexShutdownFlags flags);

G_END_DECLS
