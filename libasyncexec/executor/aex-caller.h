/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"

G_BEGIN_DECLS

#define AEX_TYPE_CALLER (aex_caller_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexCaller, aex_caller, AEX, CALLER, AexExecutor)
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_current     (GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_main        (void);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_for_context (GMainContext *context);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_new_thread      (const char *name, GError **error);
AEX_AVAILABLE_IN_1_0 guint64       aex_caller_get_id          (AexCaller *self);
AEX_AVAILABLE_IN_1_0 GMainContext *aex_caller_get_context     (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_get_started     (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_get_stopping    (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_get_stopped     (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_stop            (AexCaller *self, AexStopFlags flags);
/* call_soon is aex_executor_submit(); a C alias is not shipped */
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_call_later      (AexCaller *self, gint64 delay_us, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void          aex_caller_call_direct     (AexCaller *self, AexPostFunc func, gpointer user_data, GDestroyNotify destroy);
/* hosting by a foreign loop */
AEX_AVAILABLE_IN_1_0 void          aex_caller_set_wake_func   (AexCaller *self, AexWakeFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean      aex_caller_dispatch        (AexCaller *self, gint64 budget_us);
AEX_AVAILABLE_IN_1_0 gint64        aex_caller_get_ready_time  (AexCaller *self);

G_END_DECLS
