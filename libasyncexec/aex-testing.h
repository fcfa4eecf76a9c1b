/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

AEX_AVAILABLE_IN_1_0 void   aex_testing_set_virtual_time (gboolean virtual_time);
AEX_AVAILABLE_IN_1_0 void   aex_testing_advance          (gint64 by_us);
AEX_AVAILABLE_IN_1_0 gint64 aex_testing_get_next         (void);

G_END_DECLS
