/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-pending-tracker.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING_MANAGER (aex_pending_manager_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (AexPendingManager, aex_pending_manager, AEX, PENDING_MANAGER, AexPendingTracker)

struct _AexPendingManagerClass {
  AexPendingTrackerClass parent_class;

  /*< private >*/
  gpointer _reserved[8];
};

AEX_AVAILABLE_IN_1_0 AexPendingManager *aex_pending_manager_new    (void);
AEX_AVAILABLE_IN_1_0 AexContextToken   *aex_pending_manager_push   (AexPendingManager *self);
AEX_AVAILABLE_IN_1_0 gboolean           aex_pending_manager_pop    (AexPendingManager *self, AexContextToken *token, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean           aex_pending_manager_remove (AexPendingManager *self, AexPending *pending, GError **error);

G_END_DECLS
