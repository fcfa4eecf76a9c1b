/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"

G_BEGIN_DECLS

/* A copy of payload goes with error, which is of our domain and has none yet. */
void aex_error_attach_payload (GError *error, const GValue *payload);

G_END_DECLS
