/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-pending-result.h"
#include "base/aex-target-private.h"

G_BEGIN_DECLS

/* Takes value (its struct is moved) and error; pending may be NULL and then has no part in it, else the outcome is his. */
AexPendingResult *aex_pending_result_new (guint index, GValue *value, GError *error, AexPending *pending, AexTarget *owner);

G_END_DECLS
