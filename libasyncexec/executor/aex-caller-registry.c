/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every caller of the process by its number, which is ours: that of a thread is given out again. */
#include "executor/aex-caller-core-private.h"

#include "base/aex-fork-private.h"

static GMutex registry_lock;     /* guards the table */
static GHashTable *registry;     /* id to AexCallerCore, no reference: who is being finalized waits for the lock */

void
aex_caller_registry_add (AexCallerCore *core)
{
  g_mutex_lock (&registry_lock);
  if (registry == NULL)
    registry = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_hash_table_insert (registry, &core->id, core);
  g_mutex_unlock (&registry_lock);
}

void
aex_caller_registry_remove (AexCallerCore *core)
{
  /* The lock may be held for ever there, and nobody looks any more. */
  if (aex_is_forked ())
    return;
  g_mutex_lock (&registry_lock);
  if (registry != NULL && g_hash_table_lookup (registry, &core->id) == core)
    g_hash_table_remove (registry, &core->id);
  g_mutex_unlock (&registry_lock);
}

/* The lock is held.  FALSE: it is being finalized. */
static gboolean
try_ref (AexCallerCore *core)
{
  int refs = atomic_load (&core->core.target.refs);

  while (refs > 0)
    if (atomic_compare_exchange_weak (&core->core.target.refs, &refs, refs + 1))
      return TRUE;
  return FALSE;
}

AexCallerCore *
aex_caller_registry_ref (guint64 id)
{
  AexCallerCore *core;

  g_mutex_lock (&registry_lock);
  core = registry != NULL ? g_hash_table_lookup (registry, &id) : NULL;
  if (core != NULL && !try_ref (core))
    core = NULL;
  g_mutex_unlock (&registry_lock);
  return core;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  guint64 first = (*(AexCallerCore *const *) a)->id, second = (*(AexCallerCore *const *) b)->id;

  return first < second ? -1 : first > second;
}

GPtrArray *
aex_caller_registry_ref_all (void)
{
  GPtrArray *all = g_ptr_array_new_with_free_func (aex_target_unref);
  GHashTableIter iter;
  gpointer core;

  g_mutex_lock (&registry_lock);
  if (registry != NULL)
    {
      g_hash_table_iter_init (&iter, registry);
      while (g_hash_table_iter_next (&iter, NULL, &core))
        if (try_ref (core))
          g_ptr_array_add (all, core);
    }
  g_mutex_unlock (&registry_lock);
  g_ptr_array_sort (all, compare_ids);
  return all;
}
