/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/aex-target-private.h"

G_BEGIN_DECLS

/* A copy in fresh memory; NULL gives "no value", a pointer that is NULL. */
GValue  *aex_value_dup      (const GValue *value);

/* Puts what is behind pointer into value, which is unset: a string, variant, boxed value or object of that type, which it
 * takes.  NULL: value stays unset, for no value. */
void     aex_value_take     (GValue *value, GType type, gpointer pointer);

/* Unsets value (which may be unset) where its type demands (rule 3, R7): JavaScript's objects in a dispatch of the default
 * main context, other objects that a binding may hold at owner, everything else here.  value's struct is free to reuse. */
void     aex_value_release  (GValue *value, AexTarget *owner);

/* The same for a plain reference to an object. */
void     aex_object_release (GObject *object, AexTarget *owner);

/* The calling thread is not the owner, and somebody runs the owner: what belongs there is handed over. */
gboolean aex_owner_is_elsewhere (AexTarget *owner);

/* Runs destroy (data) at owner, or here when owner is NULL or gone. */
void     aex_destroy_at     (AexTarget *owner, GDestroyNotify destroy, gpointer data);

/* Puts a copy with g_boxed semantics behind a pointer; for entries. */
void     aex_value_free     (GValue *value);

G_END_DECLS
