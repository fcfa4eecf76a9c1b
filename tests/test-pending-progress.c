/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "lib/aex-jobs.h"

/* How far a pending is, and who shows the same.  How it is told:
 * test-pending-notify.c. */

#define assert_progress(pending, fraction, message) \
  G_STMT_START { \
    g_autofree char *text_ = aex_pending_dup_progress_message (pending); \
    g_assert_cmpfloat (aex_pending_get_progress (pending), ==, (fraction)); \
    g_assert_cmpstr (text_, ==, (message)); \
  } G_STMT_END

static void
test_set_get (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  assert_progress (pending, -1.0, NULL);
  aex_pending_set_progress (pending, 0.5, "half");
  assert_progress (pending, 0.5, "half");
  aex_pending_set_progress (pending, 7.0, NULL);
  assert_progress (pending, 1.0, NULL);
  aex_pending_set_progress (pending, -3.0, "who knows");
  assert_progress (pending, -1.0, "who knows");
  aex_pending_set_progress (pending, (double) NAN, NULL);
  assert_progress (pending, -1.0, NULL);
}

/* What it was at the end stays. */
static void
test_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_pending_set_progress (pending, 0.25, "a quarter");
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_pending_set_progress (pending, 0.75, "too late");
  assert_progress (pending, 0.25, "a quarter");
}

/* --- who follows shows the same */

static void
test_follow (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) follower = aex_pending_new ();
  g_autoptr (AexPending) shield = NULL;
  g_autoptr (AexPending) timed = NULL;
  g_autoptr (AexPending) late = NULL;

  g_assert_true (aex_pending_follow (follower, source));
  shield = aex_pending_shield (follower);
  timed = aex_pending_with_timeout (shield, -1);
  aex_pending_set_progress (source, 0.5, "half");
  assert_progress (follower, 0.5, "half");
  assert_progress (shield, 0.5, "half");
  assert_progress (timed, 0.5, "half");
  late = aex_pending_shield (timed);
  assert_progress (late, 0.5, "half");

  g_assert_true (aex_pending_cancel (late, NULL));
  aex_pending_set_progress (source, 0.75, NULL);
  assert_progress (late, 0.5, "half");
  assert_progress (timed, 0.75, NULL);
  g_assert_true (aex_pending_resolve (source, NULL));
  assert_progress (timed, 0.75, NULL);
}

/* What somebody else does with the outcome is other work. */
static AexPending *
pass_on (AexPending *done,
         gpointer    data,
         GError    **error)
{
  return NULL;
}

static void
test_not_then (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = aex_pending_then (source, pass_on, NULL, NULL);
  g_autoptr (AexPending) all = aex_pending_all (source, NULL);

  aex_pending_set_progress (source, 0.5, "half");
  assert_progress (derived, -1.0, NULL);
  assert_progress (all, -1.0, NULL);
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_test_run_until_done (derived);
  assert_progress (derived, -1.0, NULL);
}

static AexPending *
follow_given (AexPending   *job,
              GCancellable *cancellable,
              gpointer      pending,
              GError      **error)
{
  aex_pending_set_progress (job, 0.25, "own");
  return g_object_ref (pending);
}

static void
test_coroutine (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) inner = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit_async (pool, follow_given, inner, NULL);
  g_autoptr (AexPending) after = NULL;

  /* The second job of a pool of one starts when the function of the first has returned. */
  after = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_test_wait (after);
  assert_progress (job, 0.25, "own");
  aex_pending_set_progress (inner, 0.5, "inner");
  assert_progress (job, 0.5, "inner");
  g_assert_true (aex_pending_resolve (inner, NULL));
  aex_test_wait (job);
  assert_progress (job, 0.5, "inner");
  aex_test_shutdown (pool);
}

static gpointer
along_a_long_chain (gpointer n)
{
  g_autoptr (GPtrArray) chain = aex_test_pendings_new ();

  g_ptr_array_add (chain, aex_pending_new ());
  for (guint i = 1; i < GPOINTER_TO_UINT (n); i++)
    g_ptr_array_add (chain, aex_pending_shield (chain->pdata[i - 1]));
  aex_pending_set_progress (chain->pdata[0], 0.5, "half");
  assert_progress (AEX_PENDING (chain->pdata[chain->len - 1]), 0.5, "half");
  g_assert_true (aex_pending_resolve (chain->pdata[0], NULL));
  return NULL;
}

static void
test_long_chain (void)
{
  aex_test_in_small_stack (along_a_long_chain, GUINT_TO_POINTER (10000));
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending-progress/W1/set-get", test_set_get);
  aex_test_add ("/pending-progress/W1/done", test_done);
  aex_test_add ("/pending-progress/W8/passes", test_follow);
  aex_test_add ("/pending-progress/W8/not-then", test_not_then);
  aex_test_add ("/pending-progress/W8/coroutine", test_coroutine);
  aex_test_add ("/pending-progress/W8/long-chain", test_long_chain);
  return aex_test_run ();
}
