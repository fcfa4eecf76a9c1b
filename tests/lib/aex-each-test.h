/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-group-test.h"

G_BEGIN_DECLS

/* What the programs about aex_pending_group_for_each() use. */

#define N_ITEMS 1000

/* What the functions below share. */
typedef struct
{
  GMainContext    *context;         /* woken when they are released */
  AexGate          started;
  AexGate          release;
  AexPendingGroup *group;
  AexExecutor     *executor;
  AexContextVar   *var;
  int              runs[N_ITEMS];   /* atomic */
  int              n_runs;          /* atomic */
  int              n_running;       /* atomic */
  int              most_running;    /* of one thread at a time */
  int              n_released;      /* atomic */
  guint            fails;           /* the item that does */
} EachItems;

static inline void
each_items_init (EachItems *self)
{
  *self = (EachItems) { .fails = G_MAXUINT, .context = g_main_context_get_thread_default () };
  aex_gate_init (&self->started);
  aex_gate_init (&self->release);
}

static inline void
each_items_clear (EachItems *self)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&self->n_running), ==, 0);
  aex_gate_clear (&self->started);
  aex_gate_clear (&self->release);
}

static inline void
each_items_released (gpointer items)
{
  EachItems *self = items;

  g_assert_cmpint (g_atomic_int_get (&self->n_running), ==, 0);
  g_atomic_int_inc (&self->n_released);
  g_main_context_wakeup (self->context);
}

static inline gboolean
each_items_are_released (gpointer items)
{
  return g_atomic_int_get (&((EachItems *) items)->n_released) > 0;
}

static inline void
each_items_note (EachItems *self,
                 guint      index)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 0);
  g_atomic_int_inc (&self->runs[index]);
  g_atomic_int_inc (&self->n_runs);
}

static inline gboolean
each_item_run (guint         index,
               GCancellable *cancellable,
               gpointer      items,
               GError      **error)
{
  EachItems *self = items;

  each_items_note (self, index);
  if (index != self->fails)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "item %u", index);
  return FALSE;
}

static inline void
each_items_start (AexPendingGroup *group,
                  AexExecutor     *executor,
                  guint            n_items,
                  AexEachFunc      func,
                  EachItems       *items)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_group_for_each (group, executor, n_items, func, items, each_items_released, &error));
  g_assert_no_error (error);
}

/* Also inside of a group that is cancelled with it. */
static inline AexPending *
each_items_join (AexPendingGroup *group)
{
  AexPending *end = aex_pending_group_join (group);

  g_assert_true (aex_pending_wait (end, AEX_WAIT_FLAGS_SHIELD | AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL));
  return end;
}

G_END_DECLS
