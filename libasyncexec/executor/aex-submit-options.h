/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"

G_BEGIN_DECLS

#define AEX_TYPE_SUBMIT_OPTIONS (aex_submit_options_get_type ())
AEX_AVAILABLE_IN_1_0 GType             aex_submit_options_get_type        (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexSubmitOptions *aex_submit_options_new             (void);
AEX_AVAILABLE_IN_1_0 AexSubmitOptions *aex_submit_options_copy            (const AexSubmitOptions *self);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_free            (AexSubmitOptions *self);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_name        (AexSubmitOptions *self, const char *name);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_priority    (AexSubmitOptions *self, AexPriority priority);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_timeout     (AexSubmitOptions *self, gint64 timeout_us);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_cancellable (AexSubmitOptions *self, GCancellable *cancellable);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_context     (AexSubmitOptions *self, AexContext *context);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_release_on_owner (AexSubmitOptions *self, gboolean release_on_owner);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_metadata    (AexSubmitOptions *self, const char *key, GVariant *value);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_subscriber  (AexSubmitOptions *self, AexMessageFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_trackers    (AexSubmitOptions *self, const GType *tracker_types, gsize n_types);
AEX_AVAILABLE_IN_1_0 void              aex_submit_options_set_group       (AexSubmitOptions *self, AexPendingGroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexSubmitOptions, aex_submit_options_free)

G_END_DECLS
