/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-context-var.h"
#include "aex-context.h"
#include "base/aex-thread-private.h"

G_BEGIN_DECLS

/* The empty context is NULL inside the library. */

/* What this thread sees now, as a new reference or NULL. */
AexContext   *aex_context_capture  (AexThread *thread);

/* Enters context for a dispatch; returns what to give to leave, which restores what was there, whatever happened inside. */
AexContext   *aex_context_enter    (AexThread *thread, AexContext *context);
void          aex_context_leave    (AexThread *thread, AexContext *saved);

const GValue *aex_context_lookup   (AexContext *self, AexContextVar *var);

/* A copy of self in which var is value; NULL value: var is not set. */
AexContext   *aex_context_with     (AexContext *self, AexContextVar *var, const GValue *value);

G_END_DECLS
