/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller.h"

G_BEGIN_DECLS

#define AEX_TYPE_CALLER_POOL (aex_caller_pool_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexCallerPool, aex_caller_pool, AEX, CALLER_POOL, AexExecutor)

AEX_AVAILABLE_IN_1_0 AexExecutor *aex_caller_pool_new           (guint n_callers, GError **error);
AEX_AVAILABLE_IN_1_0 guint        aex_caller_pool_get_n_callers (AexCallerPool *self);
AEX_AVAILABLE_IN_1_0 GPtrArray   *aex_caller_pool_list_callers  (AexCallerPool *self);
AEX_AVAILABLE_IN_1_0 guint       *aex_caller_pool_dup_loads     (AexCallerPool *self, gsize *n_loads);
AEX_AVAILABLE_IN_1_0 int          aex_caller_pool_pick          (AexCallerPool *self);

G_END_DECLS
