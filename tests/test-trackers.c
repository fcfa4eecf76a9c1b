/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"

#include "pending/aex-tracker-private.h"

/* Trackers and managers: who knows which pendings.  Groups: test-groups.c. */

typedef struct {
  AexPendingManager parent_instance;
} TestManager;

typedef struct {
  AexPendingManagerClass parent_class;
} TestManagerClass;

static GType test_manager_get_type (void);

G_DEFINE_TYPE (TestManager, test_manager, AEX_TYPE_PENDING_MANAGER)

static void
test_manager_class_init (TestManagerClass *klass)
{
}

static void
test_manager_init (TestManager *self)
{
}

static void
pop (AexPendingManager *manager,
     AexContextToken   *token)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_manager_pop (manager, token, &error));
  g_assert_no_error (error);
}

static void
test_current (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexPendingManager) other = aex_pending_manager_new ();
  g_autoptr (AexPendingTracker) outside = aex_pending_tracker_ref_current (AEX_TYPE_PENDING_MANAGER);
  g_autoptr (AexPendingTracker) inside = NULL;
  g_autoptr (AexContextToken) token = NULL, second = NULL;

  g_assert_null (outside);
  g_assert_cmpuint (aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER), ==, 0);
  token = aex_pending_manager_push (manager);
  inside = aex_pending_tracker_ref_current (AEX_TYPE_PENDING_MANAGER);
  g_assert_true (inside == AEX_PENDING_TRACKER (manager));
  second = aex_pending_manager_push (other);
  g_assert_cmpuint (aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER), ==,
                    aex_pending_tracker_get_id (AEX_PENDING_TRACKER (other)));
  pop (other, second);
  g_assert_cmpuint (aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER), ==,
                    aex_pending_tracker_get_id (AEX_PENDING_TRACKER (manager)));
  pop (manager, token);
  g_assert_cmpuint (aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER), ==, 0);
}

static void
test_dead_is_not_found (void)
{
  AexPendingManager *manager = aex_pending_manager_new ();
  G_GNUC_UNUSED g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  g_autoptr (AexPending) late = NULL;
  const GType type = AEX_TYPE_PENDING_TRACKER;

  aex_assert_last_unref (manager);
  g_assert_cmpuint (aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER), ==, 0);
  late = aex_pending_new_tracked (&type, 1);
  aex_pending_resolve (late, NULL);
}

static void
test_tokens (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexPendingManager) other = g_object_new (test_manager_get_type (), NULL);
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  g_autoptr (AexContextToken) other_token = aex_pending_manager_push (other);
  g_autoptr (GError) error = NULL;

  /* Each class has its own. */
  g_assert_cmpuint (aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER), ==,
                    aex_pending_tracker_get_id (AEX_PENDING_TRACKER (manager)));
  g_assert_false (aex_pending_manager_pop (manager, other_token, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  pop (other, other_token);
  pop (manager, token);
}

/* Starts another one, which is known as well. */
static gboolean
start_another (AexPending   *job,
               GCancellable *cancellable,
               gpointer      block,
               GError      **error)
{
  AexPendingTracker *manager = aex_pending_tracker_ref_current (AEX_TYPE_PENDING_MANAGER);
  AexExecutor *executor = aex_executor_ref_default ();
  AexPending *another = aex_executor_submit (executor, aex_block_job, block, NULL);

  g_assert_nonnull (manager);
  aex_pending_resolve_object (job, another);
  g_object_unref (another);
  g_object_unref (executor);
  g_object_unref (manager);
  return TRUE;
}

static void
test_knows (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  AexPendingTracker *tracker = AEX_PENDING_TRACKER (manager);
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPending) job = NULL, another = NULL, failed = NULL;
  g_autoptr (GPtrArray) known = NULL;
  g_autoptr (GError) error = NULL;
  AexBlock block;

  aex_executor_set_default (pool);
  aex_block_init (&block);
  job = aex_executor_submit (pool, start_another, &block, NULL);
  aex_test_wait (job);
  another = aex_pending_dup_object (job, NULL);
  aex_gate_wait (&block.started);
  known = aex_pending_tracker_dup_pendings (tracker);
  g_assert_cmpuint (known->len, ==, 1);
  g_assert_true (known->pdata[0] == another);
  g_assert_false (aex_pending_tracker_add (tracker, another));
  g_assert_false (aex_pending_tracker_add (tracker, job));
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (tracker), ==, 1);

  g_assert_true (aex_pending_manager_remove (manager, another, NULL));
  g_assert_false (aex_pending_manager_remove (manager, another, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  aex_gate_open (&block.release);
  aex_test_wait (another);

  /* Errors are none of its business. */
  failed = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  aex_test_wait (failed);
  aex_assert_failed_with (failed, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (tracker), ==, 0);
  pop (manager, token);
  aex_block_clear (&block);
  aex_executor_set_default (NULL);
  aex_test_shutdown (pool);
}

static void
test_abandoned (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  AexPending *promise = aex_pending_new ();

  g_assert_true (aex_pending_tracker_add (AEX_PENDING_TRACKER (manager), promise));
  aex_assert_last_unref (promise);
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (manager)), ==, 0);
}

static gboolean
has_no_items (gpointer model)
{
  return g_list_model_get_n_items (model) == 0;
}

static gboolean
has_three_items (gpointer model)
{
  return g_list_model_get_n_items (model) == 3;
}

static void
count_changes (GListModel *model,
               guint       position,
               guint       removed,
               guint       added,
               gpointer    n)
{
  (*(guint *) n)++;
}

static void
test_model (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  GListModel *model = aex_pending_tracker_get_model (AEX_PENDING_TRACKER (manager));
  g_autoptr (AexPending) first = aex_pending_new ();
  g_autoptr (AexPending) second = aex_pending_new ();
  g_autoptr (AexPending) third = aex_pending_new ();
  guint n_changes = 0;

  g_assert_true (model == aex_pending_tracker_get_model (AEX_PENDING_TRACKER (manager)));
  g_signal_connect (model, "items-changed", G_CALLBACK (count_changes), &n_changes);
  aex_pending_tracker_add (AEX_PENDING_TRACKER (manager), first);
  aex_pending_tracker_add (AEX_PENDING_TRACKER (manager), second);
  aex_pending_tracker_add (AEX_PENDING_TRACKER (manager), third);
  g_assert_cmpuint (g_list_model_get_n_items (model), ==, 0);
  aex_test_iterate_until (has_three_items, model);
  g_assert_cmpuint (n_changes, ==, 1);
  aex_pending_resolve (second, NULL);
  aex_pending_resolve (first, NULL);
  aex_pending_resolve (third, NULL);
  aex_test_iterate_until (has_no_items, model);
  g_assert_cmpuint (n_changes, ==, 2);
}

/* ---- chosen where it is made */

static void
assert_tracked (const GType       *types,
                gsize              n_types,
                AexPendingManager *manager,
                gboolean           by_manager,
                AexPendingGroup   *group,
                gboolean           by_group)
{
  g_autoptr (AexPending) promise = aex_pending_new_tracked (types, n_types);

  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (manager)), ==, by_manager);
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (group)), ==, by_group);
  aex_pending_resolve (promise, NULL);
}

static void
test_chosen (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL, plain = aex_pending_new ();
  const GType all = AEX_TYPE_PENDING_TRACKER, managers = AEX_TYPE_PENDING_MANAGER, groups = AEX_TYPE_PENDING_GROUP;

  g_assert_true (aex_pending_group_enter (group, NULL));
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (group)), ==, 0);
  assert_tracked (&all, 1, manager, TRUE, group, TRUE);
  assert_tracked (&managers, 1, manager, TRUE, group, FALSE);
  assert_tracked (&groups, 1, manager, FALSE, group, TRUE);
  assert_tracked (NULL, 0, manager, FALSE, group, FALSE);
  end = aex_pending_group_end (group);
  aex_assert_resolved_empty (end);
  pop (manager, token);
  aex_pending_resolve (plain, NULL);
}

/* Who goes through the members with a lock held lets go of none under it: nobody knows what goes with the last reference. */
static void
test_dropped_later (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  AexTrackerCore *core = aex_pending_tracker_get_core (AEX_PENDING_TRACKER (manager));
  g_autoptr (GPtrArray) dropped = g_ptr_array_new_with_free_func (g_object_unref);
  AexPending *pending = aex_pending_new ();
  GPtrArray *members, *alive;

  g_assert_true (aex_pending_tracker_add (AEX_PENDING_TRACKER (manager), pending));
  g_mutex_lock (&core->lock);
  members = aex_tracker_core_collect_locked (core, TRUE);
  g_mutex_unlock (&core->lock);
  g_object_add_weak_pointer (G_OBJECT (pending), (gpointer *) &pending);
  aex_pending_resolve (pending, NULL);
  g_object_unref (pending);
  alive = aex_pendings_ref_alive (members, dropped);
  g_assert_cmpuint (alive->len, ==, 0);
  g_assert_cmpuint (dropped->len, ==, 1);
  aex_tracker_core_collected (core, members, dropped);
  g_assert_cmpuint (dropped->len, ==, 2);
  g_assert_nonnull (pending);
  g_ptr_array_set_size (dropped, 0);
  g_assert_null (pending);
  g_ptr_array_unref (alive);
}

static gboolean
look_for_trackers (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      user_data,
                   GError      **error)
{
  gboolean found = aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_MANAGER) != 0
                   || aex_pending_tracker_get_active_id (AEX_TYPE_PENDING_GROUP) != 0;

  aex_pending_resolve_boolean (job, found);
  return TRUE;
}

static void
test_options (void)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new (), copy = NULL;
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) seen = NULL, unseen = NULL, end = NULL;

  g_assert_true (aex_pending_group_enter (group, NULL));
  aex_submit_options_set_trackers (options, NULL, 0);
  copy = aex_submit_options_copy (options);
  seen = aex_executor_submit (pool, look_for_trackers, NULL, NULL);
  unseen = aex_executor_submit_full (pool, copy, look_for_trackers, NULL, NULL);
  end = aex_pending_group_end (group);
  aex_test_wait (end);
  aex_test_wait (seen);
  aex_test_wait (unseen);
  g_assert_true (aex_pending_get_boolean (seen, NULL));
  g_assert_false (aex_pending_get_boolean (unseen, NULL));
  pop (manager, token);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/trackers/K58/current", test_current);
  aex_test_add_in_context ("/trackers/K58/dead-is-not-found", test_dead_is_not_found);
  aex_test_add_in_context ("/trackers/K58-K59/knows", test_knows);
  aex_test_add_in_context ("/trackers/K58/abandoned", test_abandoned);
  aex_test_add_in_context ("/trackers/K58/dropped-later", test_dropped_later);
  aex_test_add_in_context ("/trackers/K58-I4/model", test_model);
  aex_test_add_in_context ("/trackers/K59/tokens", test_tokens);
  aex_test_add_in_context ("/trackers/K45/chosen", test_chosen);
  aex_test_add_in_context ("/trackers/K25-P7/untracked", test_options);
  return aex_test_run ();
}
