/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-group-test.h"

/* AexPendingGroup: who is a member, entering, nesting and opting out.  How it ends: test-group-ends.c. */

/* ---- members */

static void
test_basic (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) current = aex_pending_group_ref_current ();
  g_autoptr (AexPending) inside = NULL, after = NULL, end = NULL;
  AexBlock block;

  g_assert_true (current == group);
  inside = aex_block_begin (&block, pool);
  g_assert_cmpuint (aex_group_n_members (group), ==, 1);
  end = aex_pending_group_end (group);
  g_assert_null (aex_pending_group_ref_current ());
  after = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_test_wait (after);
  g_assert_false (aex_pending_is_done (end));
  g_assert_false (aex_pending_group_is_over (group));
  aex_block_end (&block, g_object_ref (inside));
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  g_assert_true (aex_pending_group_is_over (group));
  g_assert_cmpuint (aex_group_n_members (group), ==, 0);
  aex_test_shutdown (pool);
}

static void
test_empty (void)
{
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) end = aex_pending_group_end (group);
  g_autoptr (AexPending) again = aex_pending_group_join (group);
  g_autoptr (AexPending) promise = aex_pending_new ();

  aex_assert_resolved_empty (end);
  g_assert_true (again == end);
  g_assert_false (aex_pending_group_add (group, promise));
  g_assert_false (aex_pending_group_cancel (group, NULL));
  aex_assert_state (promise, RUNNING);
}

typedef struct {
  AexBlock block;
  AexPending *late;
} Spawn;

static gboolean
spawn (AexPending   *job,
       GCancellable *cancellable,
       gpointer      data,
       GError      **error)
{
  Spawn *self = data;
  g_autoptr (AexExecutor) executor = aex_executor_ref_default ();

  self->late = aex_executor_submit (executor, aex_block_job, &self->block, NULL);
  return TRUE;
}

static void
test_late_members (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) first = NULL, end = NULL;
  Spawn data = { .late = NULL };
  AexBlock block;

  aex_executor_set_default (pool);
  aex_block_init (&data.block);
  first = aex_block_begin (&block, pool);
  g_object_unref (aex_executor_submit (pool, spawn, &data, NULL));
  end = aex_pending_group_end (group);
  aex_block_end (&block, g_object_ref (first));
  aex_gate_wait (&data.block.started);
  g_assert_false (aex_pending_is_done (end));
  aex_gate_open (&data.block.release);
  aex_test_wait (end);
  g_assert_true (aex_pending_is_done (data.late));
  aex_assert_resolved_empty (end);
  g_object_unref (data.late);
  aex_block_clear (&data.block);
  aex_executor_set_default (NULL);
  aex_test_shutdown (pool);
}

static void
test_explicit (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) promise = aex_pending_new (), job = NULL, end = NULL, late = NULL, derived = NULL;

  g_assert_true (aex_pending_group_add (group, promise));
  g_assert_false (aex_pending_group_add (group, promise));
  derived = aex_pending_shield (promise);
  job = aex_pending_group_submit (group, pool, aex_job_int, GINT_TO_POINTER (7), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 7);
  end = aex_pending_group_join (group);
  g_assert_false (aex_pending_is_done (end));
  g_assert_false (aex_pending_cancel (end, NULL));
  aex_pending_resolve (promise, NULL);
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  late = aex_pending_group_submit (group, pool, aex_job_int, NULL, NULL);
  aex_assert_state (late, CANCELLED);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_shutdown (pool);
}

/* A callback that was attached inside runs when the group is over. */
static void
submit_more (AexPending *pending,
             gpointer    data)
{
  AexPending **result = data;
  g_autoptr (AexExecutor) executor = aex_executor_ref_default ();

  *result = aex_executor_submit (executor, aex_job_int, GINT_TO_POINTER (3), NULL);
}

static gboolean
is_there (gpointer data)
{
  return *(gpointer *) data != NULL;
}

static void
test_after_the_end (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) promise = aex_pending_new (), more = NULL, end = NULL;

  aex_executor_set_default (pool);
  aex_pending_group_add (group, promise);
  aex_pending_add_done_callback (promise, submit_more, &more, NULL);
  end = aex_pending_group_end (group);
  aex_pending_resolve (promise, NULL);
  aex_assert_resolved_empty (end);
  aex_test_iterate_until (is_there, &more);
  aex_test_wait (more);
  aex_assert_resolved_int64 (more, 3);
  aex_executor_set_default (NULL);
  aex_test_shutdown (pool);
}

static void
test_submit_releases (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_poison_init_executor (&poison, pool);
  job = aex_pending_group_submit (group, pool, aex_poison_job, &poison, aex_poison_release);
  aex_test_wait (job);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  aex_test_shutdown (pool);
}

/* ---- entering */

static void
test_reenter (void)
{
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;
  g_autoptr (AexPending) member = aex_pending_new ();
  g_autoptr (GError) error = NULL, again = NULL;

  g_assert_false (aex_pending_group_enter (group, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_REENTERED);
  aex_pending_group_leave (group);
  aex_pending_group_add (group, member);
  end = aex_pending_group_end (group);
  g_assert_false (aex_pending_group_enter (group, &again));
  g_assert_error (again, AEX_ERROR, AEX_ERROR_REENTERED);
  aex_pending_resolve (member, NULL);
  aex_assert_resolved_empty (end);
}

static gboolean
end_own_group (AexPending   *job,
               GCancellable *cancellable,
               gpointer      group,
               GError      **error)
{
  g_autoptr (AexPending) end = aex_pending_group_join (group);

  aex_assert_failed_with (end, AEX_ERROR, AEX_ERROR_REENTERED);
  return TRUE;
}

/* A job that waits for what a member waits for. */
static gboolean
wait_for_end (AexPending   *job,
              GCancellable *cancellable,
              gpointer      end,
              GError      **error)
{
  g_autoptr (GError) own = NULL;

  g_assert_false (aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, &own));
  g_assert_error (own, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  return TRUE;
}

static void
test_member_ends_it (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL, job = NULL, waiting = NULL;
  AexPending *blocker;
  AexBlock block;

  job = aex_executor_submit (pool, end_own_group, group, NULL);
  aex_test_wait (job);
  blocker = aex_block_begin (&block, pool);
  end = aex_pending_group_end (group);
  waiting = aex_pending_group_submit (group, pool, wait_for_end, end, NULL);
  aex_block_end (&block, blocker);
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  aex_assert_resolved_empty (waiting);
  aex_test_shutdown (pool);
}

/* A wait for the end runs what is queued, as a wait for the members would. */
static gboolean
nest (AexPending   *job,
      GCancellable *cancellable,
      gpointer      pool,
      GError      **error)
{
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;

  for (int i = 0; i < 10; i++)
    g_object_unref (aex_executor_submit (pool, aex_job_int, NULL, NULL));
  end = aex_pending_group_end (group);
  return aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_claims (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, nest, pool, NULL);

  aex_test_wait (job);
  aex_assert_resolved_empty (job);
  aex_test_shutdown (pool);
}

static void
test_dropped (void)
{
  AexPendingGroup *group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) member = aex_pending_new ();
  AexScope *scope = NULL;

  aex_pending_group_add (group, member);
  scope = aex_scope_ref (aex_pending_group_get_scope (group));
  aex_assert_last_unref (group);
  aex_assert_cancelled (member);
  g_assert_true (aex_scope_is_cancelled (scope));
  aex_scope_unref (scope);
}

/* A member goes while others are cancelled: it is there until its turn was. */
typedef struct
{
  AexPending *second;
  int         gone;
} Leaving;

static void
note_gone (gpointer leaving)
{
  ((Leaving *) leaving)->gone++;
}

static void
drop_second (AexPending *first,
             gpointer    data)
{
  Leaving *self = data;

  g_clear_object (&self->second);
  g_assert_cmpint (self->gone, ==, 0);
}

static void
test_gone_while_cancelled (void)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) first = aex_pending_new (), end = NULL;
  Leaving leaving = { aex_pending_new (), 0 };

  g_object_set_data_full (G_OBJECT (leaving.second), "leaving", &leaving, note_gone);
  aex_pending_group_add (group, first);
  aex_pending_group_add (group, leaving.second);
  aex_pending_add_done_callback_inline (first, drop_second, &leaving, NULL);
  aex_pending_group_cancel (group, NULL);
  g_assert_cmpint (leaving.gone, ==, 1);
  end = aex_pending_group_join (group);
  aex_assert_group_error (end, (const char *[]) { "The pending was dropped before anybody completed it", NULL });
}

/* ---- nesting and opting out */

static void
test_nested (void)
{
  g_autoptr (AexPendingGroup) outer = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) inner = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) first = aex_pending_new (), second = aex_pending_new (), other = aex_pending_new ();
  g_autoptr (AexPending) inner_end = NULL, outer_end = NULL;

  aex_pending_group_add (outer, other);
  aex_pending_group_add (inner, first);
  aex_pending_group_add (inner, second);
  g_assert_cmpuint (aex_group_n_members (inner), ==, 2);
  g_assert_cmpuint (aex_group_n_members (outer), ==, 3);
  aex_test_reject (first, "inner");
  aex_assert_cancelled (second);
  aex_assert_cancelled (other);
  inner_end = aex_pending_group_end (inner);
  outer_end = aex_pending_group_end (outer);
  aex_assert_group_error (inner_end, (const char *[]) { "inner", NULL });
  aex_assert_group_error (outer_end, (const char *[]) { "inner", NULL });
}

static gboolean
spawn_untracked (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      block,
                 GError      **error)
{
  g_autoptr (AexExecutor) executor = aex_executor_ref_default ();
  AexPending *grandchild;

  g_assert_null (aex_pending_group_ref_current ());
  grandchild = aex_executor_submit (executor, aex_block_job, block, NULL);
  aex_pending_resolve_object (job, grandchild);
  g_object_unref (grandchild);
  return TRUE;
}

static void
test_opt_out (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPendingGroup) outer = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL, grandchild = NULL, end = NULL, outer_end = NULL;
  AexBlock block;

  aex_executor_set_default (pool);
  aex_block_init (&block);
  aex_submit_options_set_trackers (options, NULL, 0);
  job = aex_executor_submit_full (pool, options, spawn_untracked, &block, NULL);
  aex_test_wait (job);
  grandchild = aex_pending_dup_object (job, NULL);
  aex_gate_wait (&block.started);
  aex_pending_group_cancel (outer, NULL);
  end = aex_pending_group_end (group);
  outer_end = aex_pending_group_end (outer);
  aex_assert_resolved_empty (end);
  aex_assert_resolved_empty (outer_end);
  g_assert_false (aex_pending_is_cancelled (grandchild));
  /* It stands in the scope around the groups. */
  aex_scope_cancel (scope);
  g_assert_true (aex_pending_is_cancelled (grandchild));
  aex_scope_leave (scope);
  aex_gate_open (&block.release);
  aex_test_wait (grandchild);
  aex_block_clear (&block);
  aex_executor_set_default (NULL);
  aex_test_shutdown (pool);
}

/* ---- with its end nothing runs any more */

static gboolean
count_run (AexPending   *job,
           GCancellable *cancellable,
           gpointer      n_runs,
           GError      **error)
{
  g_assert_false (aex_pending_is_done (job));
  g_atomic_int_inc ((int *) n_runs);
  return g_test_rand_int_range (0, 20) != 0
         || (g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "now and then"), FALSE);
}

static void
test_runs_once (void)
{
  AexExecutor *pool = aex_test_pool (3);
  int n_runs = 0, n_at_end;

  for (int round = 0; round < 50; round++)
    {
      g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
      g_autoptr (AexPending) end = NULL;

      n_runs = 0;
      for (int i = 0; i < 50; i++)
        g_object_unref (aex_executor_submit (pool, count_run, &n_runs, NULL));
      end = aex_pending_group_end (group);
      aex_test_wait (end);
      n_at_end = g_atomic_int_get (&n_runs);
      g_assert_cmpint (n_at_end, <=, 50);
      g_assert_true (n_at_end == 50 || aex_pending_group_is_cancelled (group));
      g_clear_error (&(GError *) { aex_pending_dup_error (end) });
      aex_test_drain ();
      g_assert_cmpint (g_atomic_int_get (&n_runs), ==, n_at_end);
    }
  aex_test_shutdown (pool);
}

static void
test_properties (void)
{
  g_autoptr (AexPendingGroup) group = g_object_new (AEX_TYPE_PENDING_GROUP, "mode", AEX_GROUP_MODE_QUIET, "shield", TRUE,
                                                    "timeout-us", (gint64) 5, "cancellation-timeout-us", (gint64) 6, NULL);
  g_autoptr (AexPending) end = NULL;
  AexGroupMode mode;
  gint64 timeout_us, cancellation_timeout_us;
  gboolean shield;

  g_object_get (group, "mode", &mode, "shield", &shield, "timeout-us", &timeout_us,
                "cancellation-timeout-us", &cancellation_timeout_us, NULL);
  g_assert_cmpint (mode, ==, aex_pending_group_get_mode (group));
  g_assert_cmpint (mode, ==, AEX_GROUP_MODE_QUIET);
  g_assert_true (shield && aex_pending_group_get_shield (group));
  g_assert_cmpint (timeout_us, ==, aex_pending_group_get_timeout (group));
  g_assert_cmpint (timeout_us, ==, 5);
  g_assert_cmpint (cancellation_timeout_us, ==, 6);
  end = aex_pending_group_join (group);
  aex_assert_resolved_empty (end);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/groups/K60/basic", test_basic);
  aex_test_add_in_context ("/groups/K60-I7/empty", test_empty);
  aex_test_add_in_context ("/groups/K42-K60/explicit", test_explicit);
  aex_test_add_in_context ("/groups/X4/aex_pending_group_submit", test_submit_releases);
  aex_test_add_in_context ("/groups/K42/properties", test_properties);
  aex_test_add_in_context ("/groups/K61/late-members", test_late_members);
  aex_test_add_in_context ("/groups/K61/after-the-end", test_after_the_end);
  aex_test_add_in_context ("/groups/K67/reenter", test_reenter);
  aex_test_add_in_context ("/groups/K67-I6/member-ends-it", test_member_ends_it);
  aex_test_add_in_context ("/groups/rule6/claims", test_claims);
  aex_test_add_in_context ("/groups/K64/dropped", test_dropped);
  aex_test_add_in_context ("/groups/K64/gone-while-cancelled", test_gone_while_cancelled);
  aex_test_add_in_context ("/groups/K68/nested", test_nested);
  aex_test_add_in_context ("/groups/K69-P7/opt-out", test_opt_out);
  aex_test_add_in_context ("/groups/I3/runs-once", test_runs_once);
  return aex_test_run ();
}
