/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

#define AEX_TYPE_PERMIT (aex_permit_get_type ())
AEX_AVAILABLE_IN_1_0 GType      aex_permit_get_type (void) G_GNUC_CONST;
AEX_AVAILABLE_IN_1_0 AexPermit *aex_permit_ref      (AexPermit *self);
AEX_AVAILABLE_IN_1_0 void       aex_permit_unref    (AexPermit *self);
AEX_AVAILABLE_IN_1_0 void       aex_permit_release  (AexPermit *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexPermit, aex_permit_unref)

G_END_DECLS
