/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdatomic.h>

#include "aex-context-var.h"
#include "aex-context.h"
#include "base/aex-thread-private.h"

G_BEGIN_DECLS

typedef struct {
  AexContextVar *var;
  GValue value;
} AexContextItem;

/* Immutable.  Few variables are set at a time: a short array, copied when one changes.  The empty context is NULL inside
 * the library. */
struct _AexContext {
  atomic_int refs;
  guint n_items;
  AexScope *scope;             /* the innermost one that it stands in, which may have been left; NULL: none */
  AexContextItem items[];
};

/* What this thread sees now, as a new reference or NULL. */
AexContext   *aex_context_capture  (AexThread *thread);

/* Enters context for a dispatch; returns what to give to leave, which restores what was there, whatever happened inside. */
AexContext   *aex_context_enter    (AexThread *thread, AexContext *context);
void          aex_context_leave    (AexThread *thread, AexContext *saved);

const GValue *aex_context_lookup   (AexContext *self, AexContextVar *var);

/* The class of trackers whose active one the variable tells; before anybody else knows it.  G_TYPE_INVALID: none. */
GType         aex_context_var_get_tracker_type (AexContextVar *self);
void          aex_context_var_set_tracker_type (AexContextVar *self, GType type);

/* A copy of self in which var is value; NULL value: var is not set. */
AexContext   *aex_context_with     (AexContext *self, AexContextVar *var, const GValue *value);

/* A copy of self that stands in scope, or in none. */
AexContext   *aex_context_with_scope (AexContext *self, AexScope *scope);

/* What the running code sees from now on; takes context. */
void          aex_context_replace  (AexThread *thread, AexContext *context);

G_END_DECLS
