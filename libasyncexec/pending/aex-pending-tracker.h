/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"
#include "aex-types.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING_TRACKER (aex_pending_tracker_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (AexPendingTracker, aex_pending_tracker, AEX, PENDING_TRACKER, GObject)

struct _AexPendingTrackerClass {
  GObjectClass parent_class;

  /*< private >*/
  gpointer _reserved[8];
};

AEX_AVAILABLE_IN_1_0 AexPendingTracker *aex_pending_tracker_ref_current   (GType type);
AEX_AVAILABLE_IN_1_0 guint64            aex_pending_tracker_get_id        (AexPendingTracker *self);
AEX_AVAILABLE_IN_1_0 guint64            aex_pending_tracker_get_active_id (GType type);
AEX_AVAILABLE_IN_1_0 gboolean           aex_pending_tracker_add           (AexPendingTracker *self, AexPending *pending);
AEX_AVAILABLE_IN_1_0 guint              aex_pending_tracker_get_n_pendings (AexPendingTracker *self);
AEX_AVAILABLE_IN_1_0 GPtrArray         *aex_pending_tracker_dup_pendings  (AexPendingTracker *self);
AEX_AVAILABLE_IN_1_0 GListModel        *aex_pending_tracker_get_model     (AexPendingTracker *self);

G_END_DECLS
