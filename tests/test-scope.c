/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* AexScope: what it ends where it was entered, how scopes nest, and how they are left.  What is submitted inside:
 * test-scope-jobs.c. */

#define SECOND G_USEC_PER_SEC

static void
assert_wait_fails (GIOErrorEnum code)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, (int) code);
  g_assert_false (aex_pending_is_done (never));
}

static void
assert_check (int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (aex_check_cancelled (&error), ==, code < 0);
  if (code < 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, G_IO_ERROR, code);
}

/* --- time */

static gpointer
wait_for_ever (gpointer data)
{
  AexScope *scope = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);

  assert_wait_fails (G_IO_ERROR_TIMED_OUT);
  assert_check (G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_is_cancelled (scope));
  g_assert_true (aex_scope_leave (scope));
  assert_check (-1);
  return NULL;
}

static void
test_deadline (void)
{
  AexTicker *ticker;

  aex_test_virtual_time ();
  ticker = aex_ticker_start (SECOND / 10);
  aex_test_in_thread (wait_for_ever, NULL);
  aex_ticker_stop (ticker);
}

static void
test_deadline_is_told (void)
{
  AexScope *scope, *forever;

  aex_test_virtual_time ();
  scope = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);
  /* Nothing is armed before anybody wants to know. */
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
  g_assert_cmpint (aex_scope_get_deadline_us (scope), ==, aex_clock_now () + SECOND);
  aex_clock_advance (SECOND - 1);
  assert_check (-1);
  g_assert_false (aex_scope_is_cancelled (scope));
  aex_clock_advance (1);
  assert_check (G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));

  forever = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_assert_cmpint (aex_scope_get_deadline_us (forever), ==, -1);
  aex_clock_advance (G_TIME_SPAN_DAY);
  assert_check (-1);
  g_assert_false (aex_scope_leave (forever));
}

static void
test_at_once (void)
{
  g_autoptr (AexPending) done = aex_pending_new_resolved (NULL);
  AexScope *scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);

  assert_check (G_IO_ERROR_TIMED_OUT);
  assert_wait_fails (G_IO_ERROR_TIMED_OUT);
  /* What is done needs no wait. */
  aex_test_wait (done);
  g_assert_true (aex_scope_leave (scope));
}

static void
test_own_limit (void)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  AexScope *scope = aex_scope_enter (G_TIME_SPAN_DAY, AEX_SCOPE_FLAGS_NONE);

  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  assert_check (-1);
  g_assert_false (aex_scope_leave (scope));
}

/* --- cancelling */

typedef struct
{
  AexGate   entered;
  AexScope *scope;
} Sleeper;

static gpointer
sleep_in_scope (gpointer data)
{
  Sleeper *self = data;
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  self->scope = aex_scope_ref (scope);
  aex_gate_open (&self->entered);
  assert_wait_fails (G_IO_ERROR_CANCELLED);
  assert_check (G_IO_ERROR_CANCELLED);
  g_assert_true (aex_scope_leave (scope));
  assert_check (-1);
  return NULL;
}

static void
test_cancel_from_outside (void)
{
  Sleeper sleeper = { 0 };
  GThread *thread;

  aex_gate_init (&sleeper.entered);
  thread = g_thread_new ("sleeper", sleep_in_scope, &sleeper);
  aex_gate_wait (&sleeper.entered);
  aex_scope_cancel (sleeper.scope);
  aex_scope_cancel (sleeper.scope);
  g_thread_join (thread);
  aex_scope_unref (sleeper.scope);
  aex_gate_clear (&sleeper.entered);
}

static void
test_first_decides (void)
{
  AexScope *scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);

  aex_scope_cancel (scope);
  assert_check (G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
}

static void
test_cancellable (void)
{
  g_autoptr (GCancellable) cancellable = NULL;
  AexScope *outer = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexScope *inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexScope *late;

  cancellable = g_object_ref (aex_scope_get_cancellable (inner));
  g_assert_true (aex_scope_get_cancellable (inner) == cancellable);
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  aex_scope_cancel (outer);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  late = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_assert_true (g_cancellable_is_cancelled (aex_scope_get_cancellable (late)));
  g_assert_false (aex_scope_leave (late));
  g_assert_false (aex_scope_leave (inner));
  g_assert_true (aex_scope_leave (outer));
}

static void
test_cancellable_in_time (void)
{
  g_autoptr (GCancellable) cancellable = NULL;
  AexScope *outer, *inner;
  g_autoptr (AexPending) added = aex_pending_new ();

  aex_test_virtual_time ();
  outer = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);
  inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  cancellable = g_object_ref (aex_scope_get_cancellable (inner));
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 1);
  aex_scope_add (inner, added);
  aex_clock_advance (SECOND);
  aex_test_run_until_done (added);
  aex_assert_state (added, REJECTED);
  aex_assert_failed_with (added, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_false (aex_scope_leave (inner));
  g_assert_true (aex_scope_leave (outer));
}

/* --- nesting */

static void
test_nested (void)
{
  AexScope *outer, *inner;

  aex_test_virtual_time ();
  outer = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);
  inner = aex_scope_enter (2 * SECOND, AEX_SCOPE_FLAGS_NONE);
  g_assert_cmpint (aex_scope_get_deadline_us (inner), ==, aex_scope_get_deadline_us (outer));
  aex_clock_advance (SECOND);
  assert_check (G_IO_ERROR_TIMED_OUT);
  assert_wait_fails (G_IO_ERROR_TIMED_OUT);
  /* Whose time it was is told by the one that is left. */
  g_assert_false (aex_scope_leave (inner));
  assert_check (G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (outer));
}

static void
test_inner_only (void)
{
  AexScope *outer = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexScope *inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_cancel (inner);
  assert_check (G_IO_ERROR_CANCELLED);
  g_assert_true (aex_scope_leave (inner));
  assert_check (-1);
  g_assert_false (aex_scope_leave (outer));
}

static void
test_shield (void)
{
  g_autoptr (AexPending) done = NULL;
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  AexScope *outer = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);
  AexScope *shield = aex_scope_enter (G_TIME_SPAN_DAY, AEX_SCOPE_FLAGS_SHIELD);
  AexScope *inner;

  assert_check (-1);
  done = aex_pending_sleep (1);
  aex_test_wait (done);
  inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_assert_cmpint (aex_scope_get_deadline_us (inner), ==, aex_scope_get_deadline_us (shield));
  assert_check (-1);
  aex_scope_cancel (shield);
  assert_check (G_IO_ERROR_CANCELLED);
  g_assert_false (aex_scope_leave (inner));
  g_assert_true (aex_scope_leave (shield));
  assert_check (G_IO_ERROR_TIMED_OUT);
  /* A wait may be shielded by itself. */
  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_SHIELD, 1000, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (outer));
}

static gboolean
shielded_job (AexPending   *job,
              GCancellable *cancellable,
              gpointer      gate,
              GError      **error)
{
  g_autoptr (AexPending) done = NULL;
  AexScope *shield;

  aex_gate_wait (gate);
  g_assert_true (aex_pending_is_cancelled (job));
  assert_check (G_IO_ERROR_CANCELLED);
  shield = aex_scope_enter (-1, AEX_SCOPE_FLAGS_SHIELD);
  assert_check (-1);
  done = aex_pending_sleep (1);
  aex_test_wait (done);
  g_assert_false (aex_scope_leave (shield));
  assert_check (G_IO_ERROR_CANCELLED);
  assert_wait_fails (G_IO_ERROR_CANCELLED);
  return TRUE;
}

static void
test_shield_from_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  AexGate gate;

  aex_gate_init (&gate);
  job = aex_executor_submit (pool, shielded_job, &gate, NULL);
  while (aex_pending_get_state (job) == AEX_PENDING_STATE_QUEUED)
    g_thread_yield ();
  aex_pending_cancel (job, NULL);
  aex_gate_open (&gate);
  aex_test_wait (job);
  aex_test_shutdown (pool);
  aex_gate_clear (&gate);
}

/* --- leaving */

static void
expect_critical (const char *pattern)
{
  g_test_expect_message ("AsyncExec", G_LOG_LEVEL_CRITICAL, pattern);
}

static void
test_wrong_order (void)
{
  AexScope *outer = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexScope *inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_cancel (outer);
  expect_critical ("*innermost scope*");
  g_assert_true (aex_scope_leave (outer));
  g_test_assert_expected_messages ();
  /* It is over all the same, and what is inside still knows. */
  assert_check (G_IO_ERROR_CANCELLED);
  g_assert_false (aex_scope_leave (inner));
  assert_check (-1);
}

static void
test_twice (void)
{
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_ref (scope);
  g_assert_false (aex_scope_leave (scope));
  expect_critical ("*left before*");
  g_assert_false (aex_scope_leave (scope));
  g_test_assert_expected_messages ();
}

static gpointer
leave_elsewhere (gpointer scope)
{
  expect_critical ("*innermost scope*");
  aex_scope_leave (scope);
  g_test_assert_expected_messages ();
  return NULL;
}

static void
test_other_thread (void)
{
  AexScope *scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);

  aex_test_in_thread (leave_elsewhere, scope);
  assert_check (-1);
}

static void
test_autoptr (void)
{
  {
    g_autoptr (AexScope) scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);

    g_assert_nonnull (scope);
    assert_check (G_IO_ERROR_TIMED_OUT);
  }
  assert_check (-1);
}

/* Variables that were set inside stay. */
static void
test_variables (void)
{
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  AexScope *scope;

  aex_test_var_set (var, 1);
  scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);
  g_assert_cmpint (aex_test_var_get (var), ==, 1);
  aex_test_var_set (var, 2);
  assert_check (G_IO_ERROR_TIMED_OUT);
  aex_scope_leave (scope);
  g_assert_cmpint (aex_test_var_get (var), ==, 2);
  assert_check (-1);
}

static void
test_left_is_over (void)
{
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_ref (scope);
  g_assert_false (aex_scope_leave (scope));
  aex_scope_cancel (scope);
  g_assert_false (aex_scope_is_cancelled (scope));
  aex_scope_unref (scope);
}

static gpointer
end_inside (gpointer data)
{
  AexScope *outer = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_unref (aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE));
  *(AexScope **) data = outer;
  return NULL;
}

static void
test_thread_ends (void)
{
  AexScope *scope = NULL;

  aex_test_in_thread (end_inside, &scope);
  aex_scope_cancel (scope);
  g_assert_false (aex_scope_is_cancelled (scope));
  aex_scope_unref (scope);
}

static gboolean
forgetful_job (AexPending   *job,
               GCancellable *cancellable,
               gpointer      scope,
               GError      **error)
{
  expect_critical ("*returned without leaving*");
  *(AexScope **) scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);
  return TRUE;
}

static void
test_job_returns (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexScope *scope = NULL;
  g_autoptr (AexPending) job = aex_executor_submit (pool, forgetful_job, &scope, NULL);

  aex_test_wait (job);
  g_test_assert_expected_messages ();
  aex_assert_state (job, RESOLVED);
  aex_scope_unref (scope);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/scope/N1/deadline", test_deadline);
  aex_test_add_in_context ("/scope/N1/told", test_deadline_is_told);
  aex_test_add_in_context ("/scope/N1/at-once", test_at_once);
  aex_test_add_in_context ("/scope/N1/own-limit", test_own_limit);
  aex_test_add_in_context ("/scope/N2/from-outside", test_cancel_from_outside);
  aex_test_add_in_context ("/scope/N2/first-decides", test_first_decides);
  aex_test_add_in_context ("/scope/N10/cancellable", test_cancellable);
  aex_test_add_in_context ("/scope/N10/cancellable-in-time", test_cancellable_in_time);
  aex_test_add_in_context ("/scope/N3/nested", test_nested);
  aex_test_add_in_context ("/scope/N3/inner-only", test_inner_only);
  aex_test_add_in_context ("/scope/N4/shield", test_shield);
  aex_test_add_in_context ("/scope/N4/from-job", test_shield_from_job);
  aex_test_add_in_context ("/scope/N5/wrong-order", test_wrong_order);
  aex_test_add_in_context ("/scope/N5/twice", test_twice);
  aex_test_add_in_context ("/scope/N5/other-thread", test_other_thread);
  aex_test_add_in_context ("/scope/N5/autoptr", test_autoptr);
  aex_test_add_in_context ("/scope/N5/variables", test_variables);
  aex_test_add_in_context ("/scope/N7/left-is-over", test_left_is_over);
  aex_test_add_in_context ("/scope/N9/thread-ends", test_thread_ends);
  aex_test_add_in_context ("/scope/N9/job-returns", test_job_returns);
  return aex_test_run ();
}
