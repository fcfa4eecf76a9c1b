/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"
#include "aex-types.h"

G_BEGIN_DECLS

#define AEX_TYPE_SCOPE (aex_scope_get_type ())

AEX_AVAILABLE_IN_1_0 GType         aex_scope_get_type        (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexScope     *aex_scope_enter           (gint64 timeout_us, AexScopeFlags flags);
AEX_AVAILABLE_IN_1_0 AexScope     *aex_scope_new             (gint64 timeout_us, AexScopeFlags flags);
AEX_AVAILABLE_IN_1_0 AexScope     *aex_scope_ref             (AexScope *self);
AEX_AVAILABLE_IN_1_0 void          aex_scope_unref           (AexScope *self);
AEX_AVAILABLE_IN_1_0 gboolean      aex_scope_leave           (AexScope *self);
AEX_AVAILABLE_IN_1_0 void          aex_scope_cancel          (AexScope *self);
AEX_AVAILABLE_IN_1_0 void          aex_scope_add             (AexScope *self, AexPending *pending);
AEX_AVAILABLE_IN_1_0 void          aex_scope_run             (AexScope *self, AexContextFunc func, gpointer user_data);
AEX_AVAILABLE_IN_1_0 void          aex_scope_wait_async      (AexScope *self, AexPending *pending, AexWaitFlags flags, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
AEX_AVAILABLE_IN_1_0 gboolean      aex_scope_wait_finish     (AexScope *self, GAsyncResult *result, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_scope_check           (AexScope *self, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_scope_is_cancelled    (AexScope *self);
AEX_AVAILABLE_IN_1_0 gint64        aex_scope_get_deadline_us (AexScope *self);
AEX_AVAILABLE_IN_1_0 GCancellable *aex_scope_get_cancellable (AexScope *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexScope, aex_scope_leave)

G_END_DECLS
