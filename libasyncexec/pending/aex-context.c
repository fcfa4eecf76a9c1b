/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-context-private.h"

#include "base/aex-debug-private.h"
#include "pending/aex-scope-private.h"
#include "pending/aex-value-private.h"

/**
 * AexContext:
 *
 * An immutable map from [class@ContextVar] to values, and the [struct@Scope]
 * in force: what a piece of work sees.
 *
 * A job sees the context of its submission, a callback the one that was
 * current when it was attached; what they set does not leak out. To change
 * the current context, set a variable.
 *
 * Since: 1.0
 */

G_DEFINE_BOXED_TYPE (AexContext, aex_context, aex_context_ref, aex_context_unref)

static AexContext *
context_alloc (guint n_items)
{
  AexContext *self = g_malloc0 (sizeof (AexContext) + n_items * sizeof (AexContextItem));

  atomic_init (&self->refs, 1);
  aex_live_add (AEX_LIVE_CONTEXT, 1);
  return self;
}

/**
 * aex_context_new:
 *
 * Makes an empty context, in which every variable has its default value.
 *
 * Returns: (transfer full): a new context
 *
 * Since: 1.0
 */
AexContext *
aex_context_new (void)
{
  return context_alloc (0);
}

/**
 * aex_context_ref_current:
 *
 * Gets what the calling code sees now.
 *
 * Returns: (transfer full): the current context
 *
 * Since: 1.0
 */
AexContext *
aex_context_ref_current (void)
{
  AexContext *context = aex_context_capture (aex_thread_get ());

  return context != NULL ? context : aex_context_new ();
}

/**
 * aex_context_ref:
 * @self: a context
 *
 * Takes a reference. Any thread.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
AexContext *
aex_context_ref (AexContext *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

/**
 * aex_context_unref:
 * @self: (transfer full): a context
 *
 * Drops a reference. Any thread. The values go with the last one; a value
 * that holds a JavaScript object is released in a dispatch of the default
 * main context.
 *
 * Since: 1.0
 */
void
aex_context_unref (AexContext *self)
{
  g_return_if_fail (self != NULL);

  if (atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (guint i = 0; i < self->n_items; i++)
    {
      aex_value_release (&self->items[i].value, NULL);
      g_object_unref (self->items[i].var);
    }
  g_clear_pointer (&self->scope, aex_scope_unref);
  g_free (self);
  aex_live_add (AEX_LIVE_CONTEXT, -1);
}

/**
 * aex_context_run:
 * @self: a context
 * @func: (scope call) (closure user_data): what to run
 * @user_data: data for @func
 *
 * Runs @func inside @self, at once and on the calling thread. Variables that
 * @func sets do not leak out.
 *
 * Since: 1.0
 */
void
aex_context_run (AexContext *self, AexContextFunc func, gpointer user_data)
{
  AexThread *thread = aex_thread_get ();
  AexContext *saved;

  g_return_if_fail (self != NULL);
  g_return_if_fail (func != NULL);

  saved = aex_context_enter (thread, self);
  func (user_data);
  aex_context_leave (thread, saved);
}

AexContext *
aex_context_capture (AexThread *thread)
{
  return G_LIKELY (thread->context == NULL) ? NULL : aex_context_ref (thread->context);
}

AexContext *
aex_context_enter (AexThread *thread, AexContext *context)
{
  AexContext *saved = thread->context;

  aex_thread_guard (thread);
  thread->context = context != NULL ? aex_context_ref (context) : NULL;
  return saved;
}

void
aex_context_leave (AexThread *thread, AexContext *saved)
{
  AexContext *inner = thread->context;

  thread->context = saved;
  if (inner != NULL)
    aex_context_unref (inner);
}

const GValue *
aex_context_lookup (AexContext *self, AexContextVar *var)
{
  for (guint i = 0; self != NULL && i < self->n_items; i++)
    if (self->items[i].var == var)
      return &self->items[i].value;
  return NULL;
}

static void
item_copy (AexContextItem *item, AexContextVar *var, const GValue *value)
{
  item->var = g_object_ref (var);
  g_value_init (&item->value, G_VALUE_TYPE (value));
  g_value_copy (value, &item->value);
}

/* All items of self but that of var, and room for one more. */
static AexContext *
context_copy (AexContext *self, AexContextVar *var)
{
  guint n_old = self != NULL ? self->n_items : 0;
  AexContext *copy = context_alloc (n_old + 1);

  for (guint i = 0; i < n_old; i++)
    if (self->items[i].var != var)
      item_copy (&copy->items[copy->n_items++], self->items[i].var, &self->items[i].value);
  return copy;
}

static AexContext *
context_or_null (AexContext *self)
{
  if (self->n_items == 0 && self->scope == NULL)
    g_clear_pointer (&self, aex_context_unref);
  return self;
}

AexContext *
aex_context_with (AexContext *self, AexContextVar *var, const GValue *value)
{
  AexContext *copy = context_copy (self, var);

  if (value != NULL)
    item_copy (&copy->items[copy->n_items++], var, value);
  if (self != NULL && self->scope != NULL)
    copy->scope = aex_scope_ref (self->scope);
  return context_or_null (copy);
}

AexContext *
aex_context_with_scope (AexContext *self, AexScope *scope)
{
  AexContext *copy = context_copy (self, NULL);

  copy->scope = scope != NULL ? aex_scope_ref (scope) : NULL;
  return context_or_null (copy);
}

void
aex_context_replace (AexThread *thread, AexContext *context)
{
  AexContext *old = thread->context;

  aex_thread_register (thread);
  thread->context = context;
  if (old != NULL)
    aex_context_unref (old);
}
