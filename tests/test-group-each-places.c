/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-each-test.h"

/* Where aex_pending_group_for_each() runs its functions: turns, limits, and who waits for them. */

#define TURN 1000    /* microseconds */

/* ---- turns */

static gboolean
note_n_runs (AexPending   *job,
             GCancellable *cancellable,
             gpointer      items,
             GError      **error)
{
  aex_pending_resolve_int64 (job, g_atomic_int_get (&((EachItems *) items)->n_runs));
  return TRUE;
}

/* Whoever waits for the same thread runs between two of them; max-pending and a shutdown do not stop the rest. */
static gboolean
turn_item (guint         index,
           GCancellable *cancellable,
           gpointer      items,
           GError      **error)
{
  EachItems *self = items;

  each_items_note (self, index);
  if (index == 0)
    {
      aex_gate_open (&self->started);
      aex_gate_wait (&self->release);
    }
  aex_clock_advance (TURN);
  return TRUE;
}

static void
check_turns (AexExecutor *executor)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) between = NULL, shutdown = NULL, end = NULL;
  EachItems items;

  aex_test_virtual_time ();
  each_items_init (&items);
  each_items_start (group, executor, 100, turn_item, &items);
  aex_gate_wait (&items.started);
  aex_executor_set_max_pending (executor, 1);
  between = aex_executor_submit (executor, note_n_runs, &items, NULL);
  shutdown = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);
  aex_gate_open (&items.release);
  end = each_items_join (group);
  aex_assert_resolved_empty (end);
  aex_assert_resolved_int64 (between, 1);
  g_assert_cmpint (items.n_runs, ==, 100);
  aex_test_wait (shutdown);
  each_items_clear (&items);
  g_object_unref (executor);
}

static void
test_turns_pool (void)
{
  check_turns (aex_test_pool (1));
}

static void
test_turns_limiter (void)
{
  AexExecutor *pool = aex_test_pool (2);

  check_turns (aex_limiter_new (pool, 1));
  aex_test_shutdown (pool);
}

static void
test_turns_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("each", &error);

  g_assert_no_error (error);
  check_turns (AEX_EXECUTOR (caller));
}

/* ---- how many at once, and by whom */

static gboolean
count_running (guint         index,
               GCancellable *cancellable,
               gpointer      items,
               GError      **error)
{
  EachItems *self = items;
  int n_running = g_atomic_int_add (&self->n_running, 1) + 1;

  each_items_note (self, index);
  g_assert_cmpint (n_running, <=, self->most_running);
  g_atomic_int_add (&self->n_running, -1);
  return TRUE;
}

static void
test_limiter (void)
{
  AexExecutor *pool = aex_test_pool (4);
  AexExecutor *limiter = aex_limiter_new (pool, 2);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  EachItems items;

  each_items_init (&items);
  items.most_running = 2;
  each_items_start (group, limiter, N_ITEMS, count_running, &items);
  end = each_items_join (group);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  each_items_clear (&items);
  aex_test_shutdown (limiter);
  aex_test_shutdown (pool);
}

/* A job that waits for the end runs them itself. */
static gboolean
each_inside (AexPending   *job,
             GCancellable *cancellable,
             gpointer      items,
             GError      **error)
{
  EachItems *self = items;
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;

  each_items_start (group, self->executor, N_ITEMS, each_item_run, self);
  end = aex_pending_group_join (group);
  return aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_claimed (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  EachItems items;

  each_items_init (&items);
  items.executor = pool;
  job = aex_executor_submit (pool, each_inside, &items, NULL);
  aex_test_wait (job);
  aex_assert_resolved_empty (job);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  each_items_clear (&items);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/group-each-places/K60/turns/pool", test_turns_pool);
  aex_test_add_in_context ("/group-each-places/K60/turns/limiter", test_turns_limiter);
  aex_test_add_in_context ("/group-each-places/K60/turns/caller", test_turns_caller);
  aex_test_add_in_context ("/group-each-places/K60-E1/limiter", test_limiter);
  aex_test_add_in_context ("/group-each-places/K60/claimed", test_claimed);
  return aex_test_run ();
}
