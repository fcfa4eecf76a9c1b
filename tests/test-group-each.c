/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-group-test.h"

#include "aex-scope.h"

/* aex_pending_group_for_each(): functions as members, without a pending for each. */

#define N_ITEMS 1000
#define TURN    1000    /* microseconds */

/* What the functions below share. */
typedef struct
{
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
} Items;

static void
items_init (Items *self)
{
  *self = (Items) { .fails = G_MAXUINT };
  aex_gate_init (&self->started);
  aex_gate_init (&self->release);
}

static void
items_clear (Items *self)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&self->n_running), ==, 0);
  aex_gate_clear (&self->started);
  aex_gate_clear (&self->release);
}

static void
items_released (gpointer items)
{
  Items *self = items;

  g_assert_cmpint (g_atomic_int_get (&self->n_running), ==, 0);
  g_atomic_int_inc (&self->n_released);
}

static gboolean
is_released (gpointer items)
{
  return g_atomic_int_get (&((Items *) items)->n_released) > 0;
}

static void
note_run (Items *self,
          guint  index)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 0);
  g_atomic_int_inc (&self->runs[index]);
  g_atomic_int_inc (&self->n_runs);
}

static gboolean
run_item (guint         index,
          GCancellable *cancellable,
          gpointer      items,
          GError      **error)
{
  Items *self = items;

  note_run (self, index);
  if (index != self->fails)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "item %u", index);
  return FALSE;
}

static void
for_each (AexPendingGroup *group,
          AexExecutor     *executor,
          guint            n_items,
          AexEachFunc      func,
          Items           *items)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_group_for_each (group, executor, n_items, func, items, items_released, &error));
  g_assert_no_error (error);
}

static AexPending *
join (AexPendingGroup *group)
{
  AexPending *end = aex_pending_group_join (group);

  aex_test_wait (end);
  return end;
}

/* ---- all of them, once */

static void
test_once (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) end = NULL;
  Items items;

  items_init (&items);
  for_each (group, pool, N_ITEMS, run_item, &items);
  g_assert_cmpuint (aex_group_n_members (group), <=, 3);
  end = join (group);
  aex_assert_resolved_empty (end);
  for (guint i = 0; i < N_ITEMS; i++)
    g_assert_cmpint (items.runs[i], ==, 1);
  items_clear (&items);
  aex_test_shutdown (pool);
}

static gboolean
wait_item (guint         index,
           GCancellable *cancellable,
           gpointer      items,
           GError      **error)
{
  Items *self = items;

  note_run (self, index);
  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  return TRUE;
}

static void
test_end_waits (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  Items items;

  items_init (&items);
  for_each (group, pool, 2, wait_item, &items);
  end = aex_pending_group_end (group);
  aex_gate_wait (&items.started);
  g_assert_false (aex_pending_is_done (end));
  aex_gate_open (&items.release);
  aex_gate_open (&items.release);
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, 2);
  items_clear (&items);
  aex_test_shutdown (pool);
}

/* What an item submits is a member as well, and an item can not wait for the end. */
static gboolean
spawn_item (guint         index,
            GCancellable *cancellable,
            gpointer      items,
            GError      **error)
{
  Items *self = items;
  g_autoptr (AexPendingGroup) current = aex_pending_group_ref_current ();
  g_autoptr (AexPending) end = aex_pending_group_join (self->group);

  note_run (self, index);
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
  Items items;

  items_init (&items);
  items.group = group;
  items.executor = pool;
  for_each (group, pool, 1, spawn_item, &items);
  end = join (group);
  aex_assert_group_error (end, (const char *[]) { "Test exception", NULL });
  items_clear (&items);
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
  Items items;

  items_init (&items);
  items.fails = 7;
  aex_pending_group_add (group, other);
  for_each (group, pool, N_ITEMS, run_item, &items);
  end = join (group);
  aex_assert_group_error (end, (const char *[]) { "item 7", NULL });
  aex_assert_cancelled (other);
  g_assert_cmpint (items.n_runs, ==, 8);
  items_clear (&items);
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
  note_run (items, index);
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
  Items items;

  items_init (&items);
  for_each (group, pool, 3, say_nothing, &items);
  end = join (group);
  aex_assert_group_error (end, (const char *[]) { "The function failed without setting an error: set one, or return TRUE", NULL });
  g_assert_cmpint (items.n_runs, ==, 2);
  items_clear (&items);
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
  note_run (items, index);
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
  Items items;

  items_init (&items);
  aex_pending_group_set_shield (group, mode->shield);
  for_each (group, pool, N_ITEMS, cancelled_item, &items);
  end = join (group);
  if (mode->raises)
    aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  else
    aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, mode->goes_on ? N_ITEMS : 1);
  items_clear (&items);
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
  Items *self = items;
  g_autoptr (AexPending) never = aex_pending_new ();

  note_run (self, index);
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
  Items items;

  items_init (&items);
  for_each (group, pool, N_ITEMS, item_until_cancelled, &items);
  aex_gate_wait_n (&items.started, 2);
  aex_pending_group_cancel (group, "enough");
  end = join (group);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (items.n_runs, ==, 2);
  items_clear (&items);
  aex_test_shutdown (pool);
}

/* What joins a group that is cancelled never starts. */
static void
test_cancelled_before (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  Items items;

  items_init (&items);
  aex_pending_group_cancel (group, NULL);
  for_each (group, pool, N_ITEMS, run_item, &items);
  end = join (group);
  aex_assert_resolved_empty (end);
  aex_test_iterate_until (is_released, &items);
  g_assert_cmpint (items.n_runs, ==, 0);
  items_clear (&items);
  aex_test_shutdown (pool);
}

/* ---- what takes none */

static void
test_over (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = join (group);
  g_autoptr (GError) error = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  g_assert_false (aex_pending_group_for_each (group, pool, 5, run_item, &poison, aex_poison_release, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_iterate_until (aex_poison_is_released, &poison);
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
  g_assert_true (aex_pending_group_for_each (group, pool, 0, run_item, &poison, aex_poison_release, NULL));
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
  Items items;

  items_init (&items);
  aex_test_wait (shutdown);
  for_each (group, pool, N_ITEMS, run_item, &items);
  end = join (group);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_test_iterate_until (is_released, &items);
  g_assert_cmpint (items.n_runs, ==, 0);
  items_clear (&items);
  g_object_unref (pool);
}

/* ---- turns */

static gboolean
note_n_runs (AexPending   *job,
             GCancellable *cancellable,
             gpointer      items,
             GError      **error)
{
  aex_pending_resolve_int64 (job, g_atomic_int_get (&((Items *) items)->n_runs));
  return TRUE;
}

/* Whoever waits for the same thread runs between two of them; max-pending and a shutdown do not stop the rest. */
static gboolean
turn_item (guint         index,
           GCancellable *cancellable,
           gpointer      items,
           GError      **error)
{
  Items *self = items;

  note_run (self, index);
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
  Items items;

  aex_test_virtual_time ();
  items_init (&items);
  for_each (group, executor, 100, turn_item, &items);
  aex_gate_wait (&items.started);
  aex_executor_set_max_pending (executor, 1);
  between = aex_executor_submit (executor, note_n_runs, &items, NULL);
  shutdown = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);
  aex_gate_open (&items.release);
  end = join (group);
  aex_assert_resolved_empty (end);
  aex_assert_resolved_int64 (between, 1);
  g_assert_cmpint (items.n_runs, ==, 100);
  aex_test_wait (shutdown);
  items_clear (&items);
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

/* ---- what they share, and what not */

static gboolean
change_context (guint         index,
                GCancellable *cancellable,
                gpointer      items,
                GError      **error)
{
  Items *self = items;

  note_run (self, index);
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
  Items items;

  items_init (&items);
  items.var = var;
  aex_test_var_set (var, 5);
  group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  for_each (group, pool, N_ITEMS, change_context, &items);
  end = join (group);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  items_clear (&items);
  aex_test_shutdown (pool);
}

static gboolean
count_running (guint         index,
               GCancellable *cancellable,
               gpointer      items,
               GError      **error)
{
  Items *self = items;
  int n_running = g_atomic_int_add (&self->n_running, 1) + 1;

  note_run (self, index);
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
  Items items;

  items_init (&items);
  items.most_running = 2;
  for_each (group, limiter, N_ITEMS, count_running, &items);
  end = join (group);
  aex_assert_resolved_empty (end);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  items_clear (&items);
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
  Items *self = items;
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;

  for_each (group, self->executor, N_ITEMS, run_item, self);
  end = aex_pending_group_join (group);
  return aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_claimed (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  Items items;

  items_init (&items);
  items.executor = pool;
  job = aex_executor_submit (pool, each_inside, &items, NULL);
  aex_test_wait (job);
  aex_assert_resolved_empty (job);
  g_assert_cmpint (items.n_runs, ==, N_ITEMS);
  items_clear (&items);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/group-each/K60-I3/once", test_once);
  aex_test_add_in_context ("/group-each/K60-K67/members", test_members);
  aex_test_add_in_context ("/group-each/K61/end-waits", test_end_waits);
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
  aex_test_add_in_context ("/group-each/K60/turns/pool", test_turns_pool);
  aex_test_add_in_context ("/group-each/K60/turns/limiter", test_turns_limiter);
  aex_test_add_in_context ("/group-each/K60/turns/caller", test_turns_caller);
  aex_test_add_in_context ("/group-each/K60/context", test_context);
  aex_test_add_in_context ("/group-each/K60-E1/limiter", test_limiter);
  aex_test_add_in_context ("/group-each/K60-rule6/claimed", test_claimed);
  return aex_test_run ();
}
