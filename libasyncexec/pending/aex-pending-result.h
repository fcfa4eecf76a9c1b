/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING_RESULT (aex_pending_result_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexPendingResult, aex_pending_result, AEX, PENDING_RESULT, GObject)
AEX_AVAILABLE_IN_1_0 guint        aex_pending_result_get_index   (AexPendingResult *self);
AEX_AVAILABLE_IN_1_0 gboolean     aex_pending_result_get_success (AexPendingResult *self);
AEX_AVAILABLE_IN_1_0 GValue      *aex_pending_result_dup_value   (AexPendingResult *self, GError **error);
AEX_AVAILABLE_IN_1_0 const GValue*aex_pending_result_get_value   (AexPendingResult *self, GError **error);
AEX_AVAILABLE_IN_1_0 const GValue*aex_pending_result_peek_value  (AexPendingResult *self, GError **error);
AEX_AVAILABLE_IN_1_0 GError      *aex_pending_result_dup_error   (AexPendingResult *self);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_pending_result_get_pending (AexPendingResult *self);

G_END_DECLS
