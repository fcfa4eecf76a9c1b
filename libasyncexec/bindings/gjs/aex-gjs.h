/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

AEX_AVAILABLE_IN_1_0 gboolean aex_gjs_protect_callbacks (void);
AEX_AVAILABLE_IN_1_0 guint    aex_gjs_get_n_finished    (void);

G_END_DECLS
