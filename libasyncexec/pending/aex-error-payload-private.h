/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"

G_BEGIN_DECLS

/* A copy of payload goes with error, which is of our domain and has none yet. */
void aex_error_attach_payload (GError *error, const GValue *payload);

/* What goes with error, as long as one of its copies lives; NULL: nothing. */
const GValue *aex_error_get_payload (const GError *error);

G_END_DECLS
