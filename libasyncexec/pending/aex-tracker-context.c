/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which trackers are active is part of the context: a group through its scope, every other class through a variable of
 * its own. */
#include "pending/aex-tracker-private.h"

#include "base/aex-fork-private.h"

static GType aex_tracker_handle_get_type (void);

G_DEFINE_BOXED_TYPE (AexTrackerHandle, aex_tracker_handle, aex_tracker_core_ref, aex_tracker_core_unref)

static GQuark tracker_var_quark (void);

G_DEFINE_QUARK (aex-tracker-var, tracker_var)

/* Never freed, like the type that it belongs to. */
AexContextVar *
aex_tracker_var (GType type)
{
  static GMutex lock;
  AexContextVar *var;

  g_mutex_lock (&lock);
  var = g_type_get_qdata (type, tracker_var_quark ());
  if (var == NULL)
    {
      var = aex_context_var_new (g_type_name (type), NULL);
      aex_context_var_set_tracker_type (var, type);
      g_type_set_qdata (type, tracker_var_quark (), var);
    }
  g_mutex_unlock (&lock);
  return var;
}

void
aex_tracker_value (GValue *value, AexTrackerCore *core)
{
  g_value_init (value, aex_tracker_handle_get_type ());
  g_value_set_boxed (value, core);
}

static AexTrackerCore *
item_tracker (const AexContextItem *item)
{
  return aex_context_var_get_tracker_type (item->var) != G_TYPE_INVALID ? g_value_get_boxed (&item->value) : NULL;
}

AexTrackerCore *
aex_tracker_of_context (AexContext *context, GType type)
{
  for (guint i = 0; context != NULL && i < context->n_items; i++)
    if (aex_context_var_get_tracker_type (context->items[i].var) == type)
      return g_value_get_boxed (&context->items[i].value);
  return NULL;
}

AexTrackerCore *
aex_group_of_context (AexContext *context)
{
  for (AexScope *scope = context != NULL ? context->scope : NULL; scope != NULL; scope = scope->outer)
    if (scope->group != NULL && !atomic_load (&((AexTrackerCore *) scope->group)->closed))
      return scope->group;
  return NULL;
}

gboolean
aex_context_has_trackers (AexContext *context)
{
  for (guint i = 0; context != NULL && i < context->n_items; i++)
    if (item_tracker (&context->items[i]) != NULL)
      return TRUE;
  return aex_group_of_context (context) != NULL;
}

static gboolean
is_chosen (GType type, const GType *types, gsize n_types)
{
  for (gsize i = 0; i < n_types; i++)
    if (g_type_is_a (type, types[i]))
      return TRUE;
  return FALSE;
}

/* What stands in no group stands where the outermost one does. */
static AexScope *
scope_around_groups (AexScope *innermost)
{
  AexScope *result = innermost;

  for (AexScope *scope = innermost; scope != NULL; scope = scope->outer)
    if (scope->group != NULL)
      result = scope->outer;
  return result;
}

AexContext *
aex_context_choose_trackers (AexContext *context, const GType *types, gsize n_types)
{
  g_autoptr (AexContext) chosen = context != NULL ? aex_context_ref (context) : NULL;
  AexScope *scope;

  for (guint i = 0; context != NULL && i < context->n_items; i++)
    {
      AexContextVar *var = context->items[i].var;
      GType type = aex_context_var_get_tracker_type (var);
      AexContext *rest;

      if (type == G_TYPE_INVALID || is_chosen (type, types, n_types))
        continue;
      rest = aex_context_with (chosen, var, NULL);
      g_clear_pointer (&chosen, aex_context_unref);
      chosen = rest;
    }
  if (chosen == NULL || is_chosen (AEX_TYPE_PENDING_GROUP, types, n_types))
    return g_steal_pointer (&chosen);
  scope = scope_around_groups (chosen->scope);
  return scope == chosen->scope ? g_steal_pointer (&chosen) : aex_context_with_scope (chosen, scope);
}

void
aex_pending_join_trackers (AexPending *self)
{
  AexContext *context = self->environment->context;
  AexTrackerCore *tracker;

  if (G_LIKELY (context == NULL) || aex_is_forked ())
    return;
  for (guint i = 0; i < context->n_items; i++)
    {
      tracker = item_tracker (&context->items[i]);
      if (tracker != NULL)
        aex_tracker_core_add (tracker, self, FALSE);
    }
  tracker = aex_group_of_context (context);
  if (tracker != NULL)
    aex_group_add (tracker, self);
}

/**
 * aex_pending_new_tracked: (constructor)
 * @tracker_types: (array length=n_types) (nullable): classes of trackers
 * @n_types: how many
 *
 * Makes a promise that becomes known to the active trackers of these classes,
 * and of classes derived from them. Of the others it carries nothing, so that
 * what is done for it does not meet them. See [class@PendingTracker].
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_tracked (const GType *tracker_types, gsize n_types)
{
  AexThread *thread = aex_thread_get ();
  AexContext *chosen, *saved;
  AexPending *self;

  g_return_val_if_fail (n_types == 0 || tracker_types != NULL, NULL);

  chosen = aex_context_choose_trackers (thread->context, tracker_types, n_types);
  saved = aex_context_enter (thread, chosen);
  self = aex_pending_new_promise (0);
  aex_context_leave (thread, saved);
  g_clear_pointer (&chosen, aex_context_unref);
  if (self->environment != NULL)
    aex_pending_join_trackers (self);
  return self;
}
