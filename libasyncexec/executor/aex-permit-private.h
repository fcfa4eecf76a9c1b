/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-permit.h"
#include "executor/aex-limiter-core-private.h"

G_BEGIN_DECLS

/* Takes over a slot. */
AexPermit *aex_permit_new (AexLimiterCore *core);

G_END_DECLS
