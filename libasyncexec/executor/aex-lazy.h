/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"

G_BEGIN_DECLS

#define AEX_TYPE_LAZY (aex_lazy_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexLazy, aex_lazy, AEX, LAZY, GObject)

AEX_AVAILABLE_IN_1_0 AexLazy     *aex_lazy_new          (AexExecutor *executor, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexLazy     *aex_lazy_new_async    (AexExecutor *executor, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_lazy_get          (AexLazy *self);
AEX_AVAILABLE_IN_1_0 gboolean     aex_lazy_is_made      (AexLazy *self);
AEX_AVAILABLE_IN_1_0 GValue      *aex_lazy_dup_value    (AexLazy *self, GError **error);
AEX_AVAILABLE_IN_1_0 AexExecutor *aex_lazy_get_executor (AexLazy *self);

G_END_DECLS
