/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

/* Makes task return error, in a dispatch of its own context; takes error.  Any thread. */
void aex_task_fail (GTask *task, GError *error);

/* Makes task return what pending, which is done, has; on the thread of its context. */
void aex_task_return_outcome (GTask *task, AexPending *pending);

G_END_DECLS
