/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-each-test.h"

/* aex_pending_group_for_each(): functions as members, without a pending for each.  Where they run: test-group-each-places.c. */

/* ---- all of them, once */

static void
test_once (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  each_items_start (group, pool, N_ITEMS, each_item_run, &items);
  end = each_items_join (group);
  aex_assert_resolved_empty (end);
  for (guint i = 0; i < N_ITEMS; i++)
    g_assert_cmpint (items.runs[i], ==, 1);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

static gboolean
wait_item (guint         index,
           GCancellable *cancellable,
           gpointer      items,
           GError      **error)
{
  EachItems *self = items;

  each_items_note (self, index);
  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  return TRUE;
}

/* The members are as many as run at the same time, not as many as there are items.  They are counted at their first item:
 * one whose turn is over submits the next, and is two for a moment. */
static void
test_few_members (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  each_items_start (group, pool, N_ITEMS, wait_item, &items);
  aex_gate_wait_n (&items.started, 3);
  g_assert_cmpuint (aex_group_n_members (group), ==, 3);
  for (guint i = 0; i < N_ITEMS; i++)
    aex_gate_open (&items.release);
  end = each_items_join (group);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

static void
test_end_waits (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  each_items_start (group, pool, 2, wait_item, &items);
  end = aex_pending_group_end (group);
  aex_gate_wait (&items.started);
  g_assert_false (aex_pending_is_done (end));
  aex_gate_open (&items.release);
  aex_gate_open (&items.release);
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, 2);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

/* What an item submits is a member as well, and an item can not wait for the end. */
static gboolean
spawn_item (guint         index,
            GCancellable *cancellable,
            gpointer      items,
            GError      **error)
{
  EachItems *self = items;
  g_autoptr (AexPendingGroup) current = aex_pending_group_ref_current ();
  g_autoptr (AexPending) end = aex_pending_group_join (self->group);

  each_items_note (self, index);
  g_assert_true (current == self->group);
  aex_assert_failed_with (end, AEX_ERROR, AEX_ERROR_REENTERED);
  g_object_unref (aex_executor_submit (self->executor, aex_job_fail, NULL, NULL));
  return TRUE;
}

static void
test_members (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  items.group = group;
  items.executor = pool;
  each_items_start (group, pool, 1, spawn_item, &items);
  end = each_items_join (group);
  aex_assert_group_error (end, (const char *[]) { "Test exception", NULL });
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

/* ---- failing */

static void
test_error (gconstpointer mode)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) outer = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (GPOINTER_TO_INT (mode));
  g_autoptr (AexPending) other = aex_pending_new (), end = NULL, outer_end = NULL;
  EachItems items;

  each_items_init (&items);
  items.fails = 7;
  aex_pending_group_add (group, other);
  each_items_start (group, pool, N_ITEMS, each_item_run, &items);
  end = each_items_join (group);
  aex_assert_group_error (end, (const char *[]) { "item 7", NULL });
  aex_assert_cancelled (other);
  g_assert_cmpint (items.n_runs, ==, 8);
  each_items_clear (&items);
  outer_end = aex_pending_group_end (outer);
  aex_assert_group_error (outer_end, (const char *[]) { "item 7", NULL });
  aex_test_shutdown (pool);
}

static gboolean
say_nothing (guint         index,
             GCancellable *cancellable,
             gpointer      items,
             GError      **error)
{
  each_items_note (items, index);
  if (index == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not meant");
      return TRUE;
    }
  return FALSE;
}

static void
test_no_error (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  each_items_start (group, pool, 3, say_nothing, &items);
  end = each_items_join (group);
  aex_assert_group_error (end, (const char *[]) { "The function failed without setting an error: set one, or return TRUE", NULL });
  g_assert_cmpint (items.n_runs, ==, 2);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

/* ---- cancelled */

typedef struct
{
  AexGroupMode mode, around;
  gboolean     shield;
  gboolean     goes_on;     /* after an item that was cancelled */
  gboolean     raises;
} Mode;

static const Mode modes[] = {
  { AEX_GROUP_MODE_IGNORE, AEX_GROUP_MODE_IGNORE, FALSE, TRUE, FALSE },
  { AEX_GROUP_MODE_RAISE, AEX_GROUP_MODE_IGNORE, FALSE, FALSE, TRUE },
  { AEX_GROUP_MODE_QUIET, AEX_GROUP_MODE_IGNORE, FALSE, FALSE, FALSE },
  { AEX_GROUP_MODE_RAISE_AT_END, AEX_GROUP_MODE_IGNORE, FALSE, TRUE, TRUE },
  { AEX_GROUP_MODE_IGNORE, AEX_GROUP_MODE_QUIET, FALSE, FALSE, FALSE },
  { AEX_GROUP_MODE_IGNORE, AEX_GROUP_MODE_QUIET, TRUE, TRUE, FALSE },
};

/* Every fifth one. */
static gboolean
cancelled_item (guint         index,
                GCancellable *cancellable,
                gpointer      items,
                GError      **error)
{
  each_items_note (items, index);
  if (index % 5 != 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "as it were");
  return FALSE;
}

static void
test_item_cancelled (gconstpointer data)
{
  const Mode *mode = data;
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) outer = aex_group_entered (mode->around);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (mode->mode);
  g_autoptr (AexPending) end = NULL, outer_end = NULL;
  EachItems items;

  each_items_init (&items);
  aex_pending_group_set_shield (group, mode->shield);
  each_items_start (group, pool, N_ITEMS, cancelled_item, &items);
  end = each_items_join (group);
  if (mode->raises)
    aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  else
    aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, mode->goes_on ? N_ITEMS : 1);
  each_items_clear (&items);
  outer_end = aex_pending_group_end (outer);
  aex_assert_resolved_empty (outer_end);
  aex_test_shutdown (pool);
}

static gboolean
item_until_cancelled (guint         index,
                      GCancellable *cancellable,
                      gpointer      items,
                      GError      **error)
{
  EachItems *self = items;
  g_autoptr (AexPending) never = aex_pending_new ();

  each_items_note (self, index);
  aex_gate_open (&self->started);
  aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  return TRUE;
}

static void
test_cancelled (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  each_items_start (group, pool, N_ITEMS, item_until_cancelled, &items);
  aex_gate_wait_n (&items.started, 2);
  aex_pending_group_cancel (group, "enough");
  end = each_items_join (group);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (items.n_runs, ==, 2);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

/* What joins a group that is cancelled never starts. */
static void
test_cancelled_before (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  aex_pending_group_cancel (group, NULL);
  each_items_start (group, pool, N_ITEMS, each_item_run, &items);
  end = each_items_join (group);
  aex_assert_resolved_empty (end);
  aex_test_iterate_until (each_items_are_released, &items);
  g_assert_cmpint (items.n_runs, ==, 0);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

/* ---- what takes none */

static void
test_over (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  G_GNUC_UNUSED g_autoptr (AexPending) end = each_items_join (group);
  g_autoptr (GError) error = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  g_assert_false (aex_pending_group_for_each (group, pool, 5, each_item_run, &poison, aex_poison_release, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  aex_test_shutdown (pool);
}

static gboolean
touch_item (guint         index,
            GCancellable *cancellable,
            gpointer      poison,
            GError      **error)
{
  aex_poison_touch (poison);
  return TRUE;
}

static void
test_releases (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  AexPoison poison;

  aex_poison_init_executor (&poison, pool);
  g_assert_true (aex_pending_group_for_each (group, pool, 3, touch_item, &poison, aex_poison_release, NULL));
  end = each_items_join (group);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 3);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  aex_test_shutdown (pool);
}

static void
test_none (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  g_assert_true (aex_pending_group_for_each (group, pool, 0, each_item_run, &poison, aex_poison_release, NULL));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  end = aex_pending_group_join (group);
  aex_assert_resolved_empty (end);
  aex_test_shutdown (pool);
}

static void
test_closed_executor (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) shutdown = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE), end = NULL;
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  EachItems items;

  each_items_init (&items);
  aex_test_wait (shutdown);
  each_items_start (group, pool, N_ITEMS, each_item_run, &items);
  end = each_items_join (group);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_test_iterate_until (each_items_are_released, &items);
  g_assert_cmpint (items.n_runs, ==, 0);
  each_items_clear (&items);
  g_object_unref (pool);
}

/* ---- what they share, and what not */

static gboolean
change_context (guint         index,
                GCancellable *cancellable,
                gpointer      items,
                GError      **error)
{
  EachItems *self = items;

  each_items_note (self, index);
  g_assert_cmpint (aex_test_var_get (self->var), ==, 5);
  aex_test_var_set (self->var, 6);
  return TRUE;
}

static void
test_context (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = NULL;
  g_autoptr (AexPending) end = NULL;
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  EachItems items;

  each_items_init (&items);
  items.var = var;
  aex_test_var_set (var, 5);
  group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  each_items_start (group, pool, N_ITEMS, change_context, &items);
  end = each_items_join (group);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/group-each/K60-I3/once", test_once);
  aex_test_add_in_context ("/group-each/K60-I3/few-members", test_few_members);
  aex_test_add_in_context ("/group-each/K60-K67/members", test_members);
  aex_test_add_in_context ("/group-each/K61/end-waits", test_end_waits);
  aex_test_add_in_context ("/group-each/X4/aex_pending_group_for_each", test_releases);
  aex_test_add_in_context ("/group-each/K61/over", test_over);
  aex_test_add_in_context ("/group-each/K61/none", test_none);
  for (int mode = 0; mode < 4; mode++)
    {
      g_autofree char *name = g_strdup_printf ("/group-each/K62-K68/error/mode-%d", mode);

      aex_test_add_data (name, GINT_TO_POINTER (mode), test_error);
    }
  aex_test_add_in_context ("/group-each/K62/no-error", test_no_error);
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autofree char *name = g_strdup_printf ("/group-each/K63/item-cancelled/mode-%u", i);

      aex_test_add_data (name, &modes[i], test_item_cancelled);
    }
  aex_test_add_in_context ("/group-each/K64/cancelled", test_cancelled);
  aex_test_add_in_context ("/group-each/K64/cancelled-before", test_cancelled_before);
  aex_test_add_in_context ("/group-each/K64/closed-executor", test_closed_executor);
  aex_test_add_in_context ("/group-each/K60/context", test_context);
  return aex_test_run ();
}
