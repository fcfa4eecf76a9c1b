/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"

G_BEGIN_DECLS

/* Takes members, an array of GError that frees its elements. */
GError *aex_error_new_group (GPtrArray *members);

G_END_DECLS
