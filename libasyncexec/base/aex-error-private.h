/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-error.h"

G_BEGIN_DECLS

/* What travels with an error and its copies: the head of something in a g_atomic_rc_box_alloc(). */
typedef struct {
  GDestroyNotify clear;    /* what is in it, when the last copy goes */
} AexPayload;

void        aex_error_take_payload (GError *error, AexPayload *payload);
AexPayload *aex_error_peek_payload (const GError *error);

/* A cancellation, or a refusal; also one that a function met in what it waited for, and passed on. */
gboolean aex_error_is_cancellation (const GError *error);

/* Takes members, an array of GError that frees its elements. */
GError *aex_error_new_group (GPtrArray *members);

G_END_DECLS
