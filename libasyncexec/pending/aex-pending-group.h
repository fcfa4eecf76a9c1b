/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-pending-tracker.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING_GROUP (aex_pending_group_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexPendingGroup, aex_pending_group, AEX, PENDING_GROUP, AexPendingTracker)

AEX_AVAILABLE_IN_1_0 AexPendingGroup *aex_pending_group_new              (AexGroupMode mode);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_enter            (AexPendingGroup *self, GError **error);
AEX_AVAILABLE_IN_1_0 void             aex_pending_group_leave            (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 AexPending      *aex_pending_group_end              (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_begin            (AexPendingGroup *self, GError **error);
AEX_AVAILABLE_IN_1_0 AexPending      *aex_pending_group_join             (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_add              (AexPendingGroup *self, AexPending *pending);
AEX_AVAILABLE_IN_1_0 AexPending      *aex_pending_group_submit           (AexPendingGroup *self, AexExecutor *executor, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_for_each         (AexPendingGroup *self, AexExecutor *executor, guint n_items, AexEachFunc func, gpointer user_data, GDestroyNotify destroy, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_cancel           (AexPendingGroup *self, const char *message);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_is_cancelled     (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_is_over          (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 AexScope        *aex_pending_group_get_scope        (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 GCancellable    *aex_pending_group_get_cancellable  (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 AexPendingGroup *aex_pending_group_ref_current      (void);
AEX_AVAILABLE_IN_1_0 AexGroupMode     aex_pending_group_get_mode         (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 gboolean         aex_pending_group_get_shield       (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 void             aex_pending_group_set_shield       (AexPendingGroup *self, gboolean shield);
AEX_AVAILABLE_IN_1_0 gint64           aex_pending_group_get_timeout      (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 void             aex_pending_group_set_timeout      (AexPendingGroup *self, gint64 timeout_us);
AEX_AVAILABLE_IN_1_0 gint64           aex_pending_group_get_cancellation_timeout (AexPendingGroup *self);
AEX_AVAILABLE_IN_1_0 void             aex_pending_group_set_cancellation_timeout (AexPendingGroup *self, gint64 timeout_us);

G_END_DECLS
