/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"

#include "aex-scope.h"

/* AexPendingGroup: who is a member, and how it ends. */

#define SECOND G_USEC_PER_SEC

static AexPendingGroup *
entered (AexGroupMode mode)
{
  AexPendingGroup *group = aex_pending_group_new (mode);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_group_enter (group, &error));
  g_assert_no_error (error);
  return group;
}

static guint
n_members (AexPendingGroup *group)
{
  return aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (group));
}

/* Ends with one error for each of messages. */
static void
assert_group_error (AexPending         *end,
                    const char * const *messages)
{
  g_autoptr (GError) error = aex_pending_dup_error (end);
  g_autoptr (GPtrArray) members = NULL;
  guint n = g_strv_length ((char **) messages);

  g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  members = aex_error_get_members (error);
  g_assert_cmpuint (members->len, ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpstr (((GError *) members->pdata[i])->message, ==, messages[i]);
}

static void
reject (AexPending *pending,
        const char *message)
{
  aex_pending_reject (pending, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, message));
}

/* ---- members */

static void
test_basic (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) current = aex_pending_group_ref_current ();
  g_autoptr (AexPending) inside = NULL, after = NULL, end = NULL;
  AexBlock block;

  g_assert_true (current == group);
  inside = aex_block_begin (&block, pool);
  g_assert_cmpuint (n_members (group), ==, 1);
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
  g_assert_cmpuint (n_members (group), ==, 0);
  aex_test_shutdown (pool);
}

static void
test_empty (void)
{
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_RAISE);
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
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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

/* ---- errors */

static void
test_error (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_QUIET);
  g_autoptr (AexPending) slow = NULL, failing = NULL, never = aex_pending_new (), end = NULL;
  g_autoptr (GError) error = NULL;
  AexGate gate;

  aex_gate_init (&gate);
  slow = aex_executor_submit (pool, aex_job_until_cancelled, &gate, NULL);
  aex_gate_wait (&gate);
  failing = aex_executor_submit (pool, aex_job_fail, NULL, NULL);
  /* The code inside wakes up as well. */
  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (aex_pending_group_is_cancelled (group));
  g_assert_true (g_cancellable_is_cancelled (aex_pending_group_get_cancellable (group)));
  end = aex_pending_group_end (group);
  aex_test_wait (end);
  aex_assert_cancelled (slow);
  assert_group_error (end, (const char *[]) { "Test exception", NULL });
  aex_gate_clear (&gate);
  aex_test_shutdown (pool);
}

/* In every mode, also when the group was cancelled before. */
static void
test_all_errors (gconstpointer mode)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (GPOINTER_TO_INT (mode));
  g_autoptr (AexPending) first = aex_pending_new (), third = aex_pending_new (), end = NULL;
  g_autoptr (AexPending) second = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);

  aex_pending_group_add (group, first);
  aex_pending_group_add (group, second);
  aex_pending_group_add (group, third);
  end = aex_pending_group_join (group);
  reject (first, "one");
  aex_assert_cancelled (third);
  g_assert_false (aex_pending_is_done (end));
  reject (second, "two");
  assert_group_error (end, (const char *[]) { "one", "two", NULL });
}

static void
test_abandoned (void)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  AexPending *promise = aex_pending_new ();
  g_autoptr (AexPending) end = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) members = NULL;

  aex_pending_group_add (group, promise);
  end = aex_pending_group_join (group);
  aex_assert_last_unref (promise);
  error = aex_pending_dup_error (end);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  members = aex_error_get_members (error);
  g_assert_error ((GError *) members->pdata[0], AEX_ERROR, AEX_ERROR_ABANDONED);
}

/* Nobody asks how it ended: said once. */
static void
test_unseen (void)
{
  g_autoptr (GPtrArray) log = NULL;
  AexPendingGroup *group;
  AexPending *promise;

  aex_test_log_begin ();
  group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  promise = aex_pending_new ();
  aex_pending_group_add (group, promise);
  g_object_unref (aex_pending_group_join (group));
  reject (promise, "unseen");
  g_object_unref (promise);
  g_object_unref (group);
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "unseen"));
}

/* ---- cancellation */

typedef struct {
  AexGroupMode mode;
  gboolean member_cancels;    /* a cancelled member cancels the group */
  gboolean member_raises;     /* and its end says so */
  gboolean raises;            /* the end of a cancelled group says so */
} Mode;

static const Mode modes[] = {
  { AEX_GROUP_MODE_IGNORE, FALSE, FALSE, FALSE },
  { AEX_GROUP_MODE_RAISE, TRUE, TRUE, TRUE },
  { AEX_GROUP_MODE_QUIET, TRUE, FALSE, FALSE },
  { AEX_GROUP_MODE_RAISE_AT_END, FALSE, TRUE, TRUE },
};

static void
assert_end (AexPending *end,
            gboolean    raises)
{
  if (raises)
    aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  else
    aex_assert_resolved_empty (end);
}

static void
test_member_cancelled (gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (mode->mode);
  g_autoptr (AexPending) first = aex_pending_new (), second = aex_pending_new (), end = NULL;

  aex_pending_group_add (group, first);
  aex_pending_group_add (group, second);
  end = aex_pending_group_join (group);
  aex_pending_cancel (first, NULL);
  g_assert_cmpint (aex_pending_group_is_cancelled (group), ==, mode->member_cancels);
  g_assert_cmpint (aex_pending_is_done (end), ==, mode->member_cancels);
  g_assert_cmpint (aex_pending_is_cancelled (second), ==, mode->member_cancels);
  aex_pending_resolve (second, NULL);
  assert_end (end, mode->member_raises);
}

static void
test_cancelled (gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (mode->mode);
  g_autoptr (AexPending) member = aex_pending_new (), late = aex_pending_new (), slow = NULL, end = NULL;
  g_autoptr (GError) error = NULL;

  slow = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  aex_pending_group_add (group, member);
  aex_pending_group_add (group, slow);
  g_assert_true (aex_pending_group_cancel (group, "first"));
  g_assert_true (aex_pending_group_cancel (group, "second"));
  aex_assert_cancelled (member);
  end = aex_pending_group_join (group);
  g_assert_true (aex_pending_group_add (group, late));
  aex_assert_cancelled (late);
  aex_assert_state (slow, RUNNING);
  aex_pending_resolve (slow, NULL);
  assert_end (end, mode->raises);
  error = aex_pending_dup_error (end);
  if (mode->raises)
    g_assert_cmpstr (error->message, ==, "first\nsecond");
}

static void
test_timeout (gconstpointer data)
{
  const Mode *mode = data;
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (mode->mode);
  g_autoptr (AexPending) member = aex_pending_new (), end = NULL;

  aex_test_virtual_time ();
  aex_pending_group_set_timeout (group, SECOND);
  aex_pending_group_add (group, member);
  end = aex_pending_group_join (group);
  aex_clock_advance (SECOND - 1);
  aex_assert_state (member, RUNNING);
  aex_clock_advance (1);
  aex_test_run_until_done (end);
  aex_assert_cancelled (member);
  if (mode->raises)
    aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  else
    aex_assert_resolved_empty (end);
}

static void
test_scope_outside (void)
{
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPendingGroup) shielded = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) member = aex_pending_new (), safe = aex_pending_new (), end = NULL, other_end = NULL;

  aex_pending_group_set_shield (shielded, TRUE);
  aex_pending_group_add (group, member);
  aex_pending_group_add (shielded, safe);
  aex_scope_cancel (scope);
  g_assert_true (aex_pending_group_is_cancelled (group));
  aex_assert_cancelled (member);
  /* A member of the outer one as well, whose cancellation does not go through the shield. */
  g_assert_false (aex_pending_group_is_cancelled (shielded));
  aex_assert_state (safe, RUNNING);
  g_assert_cmpuint (n_members (group), ==, 1);
  aex_pending_cancel (safe, NULL);
  end = aex_pending_group_end (group);
  other_end = aex_pending_group_join (shielded);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_failed_with (other_end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (aex_scope_leave (scope));
}

static void
test_shield (void)
{
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL, end = NULL;

  aex_scope_cancel (scope);
  aex_pending_group_set_shield (group, TRUE);
  g_assert_true (aex_pending_group_enter (group, NULL));
  g_assert_true (aex_check_cancelled (NULL));
  job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (5), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 5);
  end = aex_pending_group_end (group);
  aex_scope_leave (scope);
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  aex_test_shutdown (pool);
}

typedef struct {
  AexGate started;
  AexExecutor *pool;
} Host;

/* A job that runs a group to its end. */
static gboolean
host_group (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  Host *self = data;
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) member = NULL, end = NULL;
  g_autoptr (GError) own = NULL;

  member = aex_executor_submit (self->pool, aex_job_until_cancelled, &self->started, NULL);
  end = aex_pending_group_end (group);
  g_assert_true (aex_pending_wait (end, AEX_WAIT_FLAGS_SHIELD | AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, &own));
  g_assert_no_error (own);
  aex_assert_cancelled (member);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return TRUE;
}

static void
test_job_outside (void)
{
  Host host = { .pool = aex_test_pool (2) };
  g_autoptr (AexPending) job = NULL;

  aex_gate_init (&host.started);
  job = aex_executor_submit (host.pool, host_group, &host, NULL);
  aex_gate_wait (&host.started);
  aex_pending_cancel (job, NULL);
  aex_test_wait (job);
  aex_assert_cancelled (job);
  aex_gate_clear (&host.started);
  aex_test_shutdown (host.pool);
}

/* The end of the time of a scope inside is told to who leaves it. */
static void
test_scope_inside (void)
{
  g_autoptr (AexPendingGroup) group = NULL;
  g_autoptr (AexPending) end = NULL;
  AexExecutor *pool = aex_test_pool (1);
  AexPending *blocker, *job;
  AexScope *scope;
  AexBlock block;

  aex_test_virtual_time ();
  blocker = aex_block_begin (&block, pool);
  group = entered (AEX_GROUP_MODE_IGNORE);
  scope = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);
  job = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  g_assert_cmpuint (n_members (group), ==, 1);
  aex_clock_advance (SECOND);
  g_assert_true (aex_scope_leave (scope));
  aex_test_wait (job);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  end = aex_pending_group_end (group);
  aex_test_wait (end);
  aex_assert_resolved_empty (end);
  g_object_unref (job);
  aex_block_end (&block, blocker);
  aex_test_shutdown (pool);
}

/* ---- what does not listen */

static void
test_stuck (void)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) stuck = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL), end = NULL;
  g_autoptr (GPtrArray) log = NULL;

  aex_test_virtual_time ();
  aex_test_log_begin ();
  aex_pending_set_name (stuck, "the deaf one");
  g_assert_cmpint (aex_pending_group_get_cancellation_timeout (group), ==, 10 * SECOND);
  aex_pending_group_add (group, stuck);
  aex_pending_group_cancel (group, NULL);
  aex_clock_advance (60 * SECOND);
  end = aex_pending_group_join (group);
  aex_clock_advance (10 * SECOND - 1);
  g_assert_false (aex_pending_is_done (end));
  aex_clock_advance (1);
  aex_test_run_until_done (end);
  aex_assert_failed_with (end, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_state (stuck, RUNNING);
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "the deaf one"));
  aex_pending_resolve (stuck, NULL);
}

/* ---- entering */

static void
test_reenter (void)
{
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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

/* ---- nesting and opting out */

static void
test_nested (void)
{
  g_autoptr (AexPendingGroup) outer = entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) inner = entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) first = aex_pending_new (), second = aex_pending_new (), other = aex_pending_new ();
  g_autoptr (AexPending) inner_end = NULL, outer_end = NULL;

  aex_pending_group_add (outer, other);
  aex_pending_group_add (inner, first);
  aex_pending_group_add (inner, second);
  g_assert_cmpuint (n_members (inner), ==, 2);
  g_assert_cmpuint (n_members (outer), ==, 3);
  reject (first, "inner");
  aex_assert_cancelled (second);
  aex_assert_cancelled (other);
  inner_end = aex_pending_group_end (inner);
  outer_end = aex_pending_group_end (outer);
  assert_group_error (inner_end, (const char *[]) { "inner", NULL });
  assert_group_error (outer_end, (const char *[]) { "inner", NULL });
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
  g_autoptr (AexPendingGroup) outer = entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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
      g_autoptr (AexPendingGroup) group = entered (AEX_GROUP_MODE_IGNORE);
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

static void
add_modes (const char   *path,
           GTestDataFunc func)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/mode-%u", path, i);

      aex_test_add_data (name, &modes[i], func);
    }
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/groups/K60/basic", test_basic);
  aex_test_add_in_context ("/groups/K60-I7/empty", test_empty);
  aex_test_add_in_context ("/groups/K42-K60/explicit", test_explicit);
  aex_test_add_in_context ("/groups/K42/properties", test_properties);
  aex_test_add_in_context ("/groups/K61/late-members", test_late_members);
  aex_test_add_in_context ("/groups/K61/after-the-end", test_after_the_end);
  aex_test_add_in_context ("/groups/K62/error", test_error);
  for (int mode = 0; mode < 4; mode++)
    {
      g_autofree char *name = g_strdup_printf ("/groups/K62-P8/all-errors/mode-%d", mode);

      aex_test_add_data (name, GINT_TO_POINTER (mode), test_all_errors);
    }
  aex_test_add_in_context ("/groups/K62/abandoned", test_abandoned);
  aex_test_add_in_context ("/groups/P8-I8/unseen", test_unseen);
  add_modes ("/groups/K63-D3/member-cancelled", test_member_cancelled);
  add_modes ("/groups/K64-D2/cancelled", test_cancelled);
  add_modes ("/groups/K64-P8/timeout", test_timeout);
  aex_test_add_in_context ("/groups/K64-K65-P8/scope-outside", test_scope_outside);
  aex_test_add_in_context ("/groups/K64-P8/job-outside", test_job_outside);
  aex_test_add_in_context ("/groups/K63/scope-inside", test_scope_inside);
  aex_test_add_in_context ("/groups/K65/shield", test_shield);
  aex_test_add_in_context ("/groups/K66/stuck", test_stuck);
  aex_test_add_in_context ("/groups/K67/reenter", test_reenter);
  aex_test_add_in_context ("/groups/K67-I6/member-ends-it", test_member_ends_it);
  aex_test_add_in_context ("/groups/rule6/claims", test_claims);
  aex_test_add_in_context ("/groups/K64/dropped", test_dropped);
  aex_test_add_in_context ("/groups/K68/nested", test_nested);
  aex_test_add_in_context ("/groups/K69-P7/opt-out", test_opt_out);
  aex_test_add_in_context ("/groups/I3/runs-once", test_runs_once);
  return aex_test_run ();
}
