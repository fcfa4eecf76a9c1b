/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"

G_BEGIN_DECLS

#define AEX_TYPE_CALL_QUEUE (aex_call_queue_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexCallQueue, aex_call_queue, AEX, CALL_QUEUE, GObject)

AEX_AVAILABLE_IN_1_0 gboolean    aex_call_queue_push          (AexCallQueue *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean    aex_call_queue_push_async    (AexCallQueue *self, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void        aex_call_queue_close         (AexCallQueue *self);
AEX_AVAILABLE_IN_1_0 AexPending *aex_call_queue_get_pending   (AexCallQueue *self);
AEX_AVAILABLE_IN_1_0 AexCaller  *aex_call_queue_ref_caller    (AexCallQueue *self);
AEX_AVAILABLE_IN_1_0 const char *aex_call_queue_get_key       (AexCallQueue *self);
AEX_AVAILABLE_IN_1_0 guint       aex_call_queue_get_n_items   (AexCallQueue *self);

G_END_DECLS
