/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

AEX_AVAILABLE_IN_1_0 gboolean aex_python_protect_references (void);

G_END_DECLS
