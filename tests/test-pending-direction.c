/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Rule 5, direction: whom a cancellation reaches along derived pendings,
 * followers and waiters. */

static AexPending *
pass_on (AexPending *done,
         gpointer    data,
         GError    **error)
{
  return NULL;
}

/* A derived pending of every kind, and what its cancel does to the source. */
static AexPending *
derive_then (AexPending *source)
{
  return aex_pending_then (source, pass_on, NULL, NULL);
}

static AexPending *
derive_catch (AexPending *source)
{
  return aex_pending_catch (source, pass_on, NULL, NULL);
}

static AexPending *
derive_finally (AexPending *source)
{
  return aex_pending_finally (source, pass_on, NULL, NULL);
}

static AexPending *
derive_shield (AexPending *source)
{
  return aex_pending_shield (source);
}

static AexPending *
derive_timeout (AexPending *source)
{
  return aex_pending_with_timeout (source, -1);
}

static AexPending *
derive_all (AexPending *source)
{
  return aex_pending_all (source, NULL);
}

static AexPending *
derive_settled (AexPending *source)
{
  return aex_pending_all_settledv (&source, 1);
}

static AexPending *
derive_any (AexPending *source)
{
  return aex_pending_anyv (&source, 1);
}

static AexPending *
derive_first (AexPending *source)
{
  return aex_pending_firstv (&source, 1);
}

static AexPending *
derive_follower (AexPending *source)
{
  AexPending *follower = aex_pending_new ();

  g_assert_true (aex_pending_follow (follower, source));
  return follower;
}

typedef struct
{
  const char *name;
  AexPending *(*derive) (AexPending *source);
  gboolean    reaches;
} Kind;

static const Kind kinds[] = {
  { "then", derive_then, TRUE },
  { "catch", derive_catch, TRUE },
  { "finally", derive_finally, TRUE },
  { "shield", derive_shield, FALSE },
  { "with-timeout", derive_timeout, TRUE },
  { "all", derive_all, TRUE },
  { "all-settled", derive_settled, TRUE },
  { "any", derive_any, TRUE },
  { "first", derive_first, TRUE },
  { "follower", derive_follower, TRUE },
};

/* The only one who depends on the source takes it along. */
static void
test_only_one (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = kind->derive (source);

  g_assert_true (aex_pending_cancel (derived, "enough"));
  aex_assert_cancelled (derived);
  g_assert_cmpint (aex_pending_is_cancelled (source), ==, kind->reaches);
  g_assert_cmpint (aex_pending_is_done (source), ==, kind->reaches);
  aex_pending_cancel (source, NULL);
}

/* With another one alive the source goes on, until that one goes too. */
static void
test_with_other (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) first = kind->derive (source);
  g_autoptr (AexPending) second = kind->derive (source);

  g_assert_true (aex_pending_cancel (first, NULL));
  aex_assert_cancelled (first);
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_false (aex_pending_is_done (second));
  g_assert_true (aex_pending_cancel (second, NULL));
  g_assert_cmpint (aex_pending_is_cancelled (source), ==, kind->reaches);
  aex_pending_cancel (source, NULL);
}

static void
test_protected (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (AexPending) source = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (AexPending) derived = kind->derive (source);

  g_assert_true (aex_pending_cancel (derived, NULL));
  aex_assert_cancelled (derived);
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_true (aex_pending_resolve_int64 (source, 123));
  aex_assert_resolved_int64 (source, 123);
}

/* Down: the cancelled source ends everything that was derived from it. */
static void
test_down (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = kind->derive (source);

  g_assert_true (aex_pending_cancel (source, "from above"));
  aex_test_run_until_done (derived);
  if (kind->derive == derive_settled)
    {
      aex_assert_state (derived, RESOLVED);
    }
  else if (kind->derive == derive_any)
    {
      aex_assert_state (derived, REJECTED);
      aex_assert_failed_with (derived, AEX_ERROR, AEX_ERROR_GROUP);
    }
  else
    {
      aex_assert_failed_with (derived, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
}

/* --- chains */

static void
test_up_a_chain (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) middle = aex_pending_catch (source, pass_on, NULL, NULL);
  g_autoptr (AexPending) last = aex_pending_catch (middle, pass_on, NULL, NULL);

  g_assert_true (aex_pending_cancel (last, NULL));
  aex_assert_cancelled (last);
  aex_assert_cancelled (middle);
  aex_assert_cancelled (source);
}

static void
test_up_to_a_branch (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) middle = aex_pending_catch (source, pass_on, NULL, NULL);
  g_autoptr (AexPending) left = aex_pending_catch (middle, pass_on, NULL, NULL);
  g_autoptr (AexPending) right = aex_pending_catch (middle, pass_on, NULL, NULL);

  g_assert_true (aex_pending_cancel (left, NULL));
  aex_assert_cancelled (left);
  g_assert_false (aex_pending_is_cancelled (middle));
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_true (aex_pending_resolve_int64 (source, 5));
  aex_test_run_until_done (right);
  aex_assert_resolved_int64 (right, 5);
}

/* One that is done depends on nothing any more. */
static void
test_done_is_no_dependent (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) stays = aex_pending_shield (source);
  g_autoptr (AexPending) derived = aex_pending_catch (source, pass_on, NULL, NULL);
  g_autoptr (AexPending) done = aex_pending_catch (source, pass_on, NULL, NULL);

  g_assert_true (aex_pending_cancel (done, NULL));
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_true (aex_pending_cancel (stays, NULL));
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_true (aex_pending_cancel (derived, NULL));
  aex_assert_cancelled (source);
}

/* The members of a combinator are cancelled one by one, each by the rule. */
static void
test_members_with_others (void)
{
  g_autoptr (AexPending) alone = aex_pending_new ();
  g_autoptr (AexPending) shared = aex_pending_new ();
  g_autoptr (AexPending) all = aex_pending_all (alone, shared, NULL);
  g_autoptr (AexPending) other = aex_pending_catch (shared, pass_on, NULL, NULL);

  g_assert_true (aex_pending_cancel (all, NULL));
  aex_assert_cancelled (all);
  aex_assert_cancelled (alone);
  g_assert_false (aex_pending_is_cancelled (shared));
  g_assert_true (aex_pending_resolve (shared, NULL));
  aex_test_run_until_done (other);
}

/* Explicit cancel of the source is for everybody. */
static void
test_explicit_is_for_everybody (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) first = aex_pending_shield (source);
  g_autoptr (AexPending) second = aex_pending_shield (source);

  g_assert_true (aex_pending_cancel (source, NULL));
  aex_assert_cancelled (first);
  aex_assert_cancelled (second);
}

/* --- waiters are dependents */

static void
finish (GObject      *source,
        GAsyncResult *result,
        gpointer      data)
{
  g_autoptr (GError) error = NULL;

  aex_pending_wait_finish (AEX_PENDING (source), result, &error);
  g_assert_no_error (error);
  *(int *) data = 1;
}

static void
test_waiter_keeps_source (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = aex_pending_catch (source, pass_on, NULL, NULL);
  int finished = 0;

  aex_pending_wait_async (source, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, &finished);
  g_assert_true (aex_pending_cancel (derived, NULL));
  aex_assert_cancelled (derived);
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_true (aex_pending_resolve_int64 (source, 1));
  aex_test_iterate_until (aex_test_is_set, &finished);
}

/* --- jobs */

static gboolean
submit_inner (AexPending   *job,
              GCancellable *cancellable,
              gpointer      data,
              GError      **error)
{
  gpointer *three = data;
  AexBlock *block = three[2];

  three[1] = aex_executor_submit (three[0], aex_block_job, block, NULL);
  aex_gate_wait (&block->started);
  return TRUE;
}

/* Submission makes no parent link. */
static void
test_no_parent_link (void)
{
  AexExecutor *outer_pool = aex_test_pool (1);
  AexExecutor *inner_pool = aex_test_pool (1);
  AexBlock block;
  gpointer three[] = { inner_pool, NULL, &block };
  g_autoptr (AexPending) outer = NULL;
  g_autoptr (AexPending) inner = NULL;

  aex_block_init (&block);
  outer = aex_executor_submit (outer_pool, submit_inner, three, NULL);
  aex_gate_wait (&block.started);
  aex_pending_cancel (outer, NULL);
  aex_test_run_until_done (outer);
  inner = three[1];
  g_assert_false (aex_pending_is_cancelled (inner));
  aex_gate_open (&block.release);
  aex_test_run_until_done (inner);
  aex_assert_state (inner, RESOLVED);
  aex_test_shutdown (outer_pool);
  aex_test_shutdown (inner_pool);
  aex_block_clear (&block);
}

/* The derived ends at once; the job it reaches ends when it returns. */
static void
test_derived_of_running_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) derived = NULL;

  aex_block_init (&block);
  job = aex_executor_submit (pool, aex_block_job, &block, NULL);
  derived = aex_pending_catch (job, pass_on, NULL, NULL);
  aex_gate_wait (&block.started);
  g_assert_true (aex_pending_cancel (derived, NULL));
  aex_assert_cancelled (derived);
  g_assert_true (aex_pending_is_cancelled (job));
  g_assert_false (aex_pending_is_done (job));
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static AexPending *
follow_given (AexPending   *job,
              GCancellable *cancellable,
              gpointer      pending,
              GError      **error)
{
  return g_object_ref (pending);
}

static gboolean
follows_already (gpointer pending)
{
  g_autoptr (AexPendingInfo) info = aex_pending_dup_info (pending);

  return aex_pending_info_get_state (info) == AEX_PENDING_STATE_RUNNING;
}

/* A coroutine is done when what it follows is; its cancel goes there by the
 * same rule. */
static void
run_coroutine (gboolean with_other)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) other = with_other ? aex_pending_catch (source, pass_on, NULL, NULL) : NULL;
  g_autoptr (AexPending) job = aex_executor_submit_async (pool, follow_given, source, NULL);
  g_autoptr (AexPending) behind = aex_executor_submit_async (pool, follow_given, other != NULL ? other : source, NULL);
  g_autoptr (AexPending) marker = NULL;
  AexBlock block;

  /* One worker, in order: when the third runs, the first two have returned. */
  aex_block_init (&block);
  aex_gate_open (&block.release);
  marker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_test_run_until_done (marker);
  g_assert_true (follows_already (job));
  if (!with_other)
    {
      g_assert_true (aex_pending_cancel (behind, NULL));
      g_assert_false (aex_pending_is_cancelled (source));
    }
  g_assert_true (aex_pending_cancel (job, NULL));
  g_assert_true (aex_pending_is_cancelled (job));
  g_assert_cmpint (aex_pending_is_cancelled (source), ==, !with_other);
  g_assert_cmpint (aex_pending_is_done (job), ==, !with_other);
  aex_pending_resolve (source, NULL);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_run_until_done (behind);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static void
test_coroutine (void)
{
  run_coroutine (FALSE);
}

static void
test_coroutine_with_other (void)
{
  run_coroutine (TRUE);
}

static void
add_kinds (void)
{
  static const struct
  {
    const char   *prefix;
    GTestDataFunc func;
  } families[] = {
    { "/pending/direction/only-one/", test_only_one },
    { "/pending/direction/with-other/", test_with_other },
    { "/pending/K57/protected/", test_protected },
    { "/pending/direction/down/", test_down },
  };

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (kinds); j++)
        {
          g_autofree char *path = g_strconcat (families[i].prefix, kinds[j].name, NULL);

          aex_test_add_data (path, &kinds[j], families[i].func);
        }
    }
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  add_kinds ();
  aex_test_add ("/pending/direction/up-a-chain", test_up_a_chain);
  aex_test_add ("/pending/direction/up-to-a-branch", test_up_to_a_branch);
  aex_test_add ("/pending/direction/done-is-no-dependent", test_done_is_no_dependent);
  aex_test_add ("/pending/direction/members-with-others", test_members_with_others);
  aex_test_add ("/pending/direction/explicit-is-for-everybody", test_explicit_is_for_everybody);
  aex_test_add ("/pending/direction/waiter-keeps-source", test_waiter_keeps_source);
  aex_test_add ("/pending/direction/no-parent-link", test_no_parent_link);
  aex_test_add ("/pending/direction/coroutine", test_coroutine);
  aex_test_add ("/pending/direction/coroutine-with-other", test_coroutine_with_other);
  aex_test_add ("/pending/direction/derived-of-running-job", test_derived_of_running_job);
  return aex_test_run ();
}
