/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-group-test.h"

#include "aex-scope.h"

/* AexPendingGroup: how it ends, with errors and cancellations. */

#define SECOND G_USEC_PER_SEC

/* ---- errors */

static void
test_error (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_QUIET);
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
  aex_assert_group_error (end, (const char *[]) { "Test exception", NULL });
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
  aex_test_reject (first, "one");
  aex_assert_cancelled (third);
  g_assert_false (aex_pending_is_done (end));
  aex_test_reject (second, "two");
  aex_assert_group_error (end, (const char *[]) { "one", "two", NULL });
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
  aex_test_reject (promise, "unseen");
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

/* A group stands where it is given its first member, also as the tracker that it is. */
static void
test_added_as_tracker (void)
{
  g_autoptr (AexPendingGroup) outer = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) member = aex_pending_new (), end = NULL, outer_end = NULL;

  aex_test_virtual_time ();
  aex_pending_group_set_timeout (group, SECOND);
  g_assert_true (aex_pending_tracker_add (AEX_PENDING_TRACKER (group), member));
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (outer)), ==, 1);
  end = aex_pending_group_join (group);
  outer_end = aex_pending_group_end (outer);
  aex_clock_advance (SECOND);
  aex_test_run_until_done (end);
  aex_assert_cancelled (member);
  aex_test_run_until_done (outer_end);
}

static void
test_scope_outside (void)
{
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_RAISE);
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
  g_assert_cmpuint (aex_group_n_members (group), ==, 1);
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
  g_autoptr (AexPendingGroup) group = aex_group_entered (AEX_GROUP_MODE_RAISE);
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
  group = aex_group_entered (AEX_GROUP_MODE_IGNORE);
  scope = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);
  job = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  g_assert_cmpuint (aex_group_n_members (group), ==, 1);
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
  for (int mode = 0; mode < 4; mode++)
    {
      g_autofree char *name = g_strdup_printf ("/group-ends/K62-P8/all-errors/mode-%d", mode);

      aex_test_add_data (name, GINT_TO_POINTER (mode), test_all_errors);
    }
  aex_test_add_in_context ("/group-ends/K62/error", test_error);
  aex_test_add_in_context ("/group-ends/K62/abandoned", test_abandoned);
  aex_test_add_in_context ("/group-ends/P8-I8/unseen", test_unseen);
  add_modes ("/group-ends/K63-D3/member-cancelled", test_member_cancelled);
  add_modes ("/group-ends/K64-D2/cancelled", test_cancelled);
  add_modes ("/group-ends/K64-P8/timeout", test_timeout);
  aex_test_add_in_context ("/group-ends/K60-K64/R10/added-as-tracker", test_added_as_tracker);
  aex_test_add_in_context ("/group-ends/K64-K65-P8/scope-outside", test_scope_outside);
  aex_test_add_in_context ("/group-ends/K64-P8/job-outside", test_job_outside);
  aex_test_add_in_context ("/group-ends/K63/scope-inside", test_scope_inside);
  aex_test_add_in_context ("/group-ends/K65/shield", test_shield);
  aex_test_add_in_context ("/group-ends/K66/stuck", test_stuck);
  return aex_test_run ();
}
