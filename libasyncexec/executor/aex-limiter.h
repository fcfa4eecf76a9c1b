/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"
#include "aex-permit.h"

G_BEGIN_DECLS

#define AEX_TYPE_LIMITER (aex_limiter_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexLimiter, aex_limiter, AEX, LIMITER, AexExecutor)

AEX_AVAILABLE_IN_1_0 AexExecutor *aex_limiter_new                (AexExecutor *wrapped, guint max_concurrent);
AEX_AVAILABLE_IN_1_0 AexExecutor *aex_limiter_get_wrapped        (AexLimiter *self);
AEX_AVAILABLE_IN_1_0 guint        aex_limiter_get_max_concurrent (AexLimiter *self);
AEX_AVAILABLE_IN_1_0 void         aex_limiter_set_max_concurrent (AexLimiter *self, guint max_concurrent);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_limiter_acquire            (AexLimiter *self);

G_END_DECLS
