/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

#define AEX_TYPE_CONTEXT (aex_context_get_type ())

AEX_AVAILABLE_IN_1_0 GType       aex_context_get_type    (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexContext *aex_context_new         (void);
AEX_AVAILABLE_IN_1_0 AexContext *aex_context_ref_current (void);
AEX_AVAILABLE_IN_1_0 AexContext *aex_context_ref         (AexContext *self);
AEX_AVAILABLE_IN_1_0 void        aex_context_unref       (AexContext *self);
AEX_AVAILABLE_IN_1_0 void        aex_context_run         (AexContext *self, AexContextFunc func, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexContext, aex_context_unref)

G_END_DECLS
