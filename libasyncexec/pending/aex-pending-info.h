/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING_INFO (aex_pending_info_get_type ())

AEX_AVAILABLE_IN_1_0 GType           aex_pending_info_get_type          (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexPendingInfo *aex_pending_info_copy              (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 void            aex_pending_info_free              (AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 const char     *aex_pending_info_get_name          (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 AexPendingState aex_pending_info_get_state         (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 const char     *aex_pending_info_get_executor_name (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 guint64         aex_pending_info_get_thread_id     (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 gint64          aex_pending_info_get_submitted_us  (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 gint64          aex_pending_info_get_started_us    (const AexPendingInfo *self);
AEX_AVAILABLE_IN_1_0 gint64          aex_pending_info_get_done_us       (const AexPendingInfo *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexPendingInfo, aex_pending_info_free)

G_END_DECLS
