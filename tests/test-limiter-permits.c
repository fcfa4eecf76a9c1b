/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Slots that are held by hand, and executors of a user below a limiter. */

static AexExecutor *
limited_pool (guint max_concurrent)
{
  g_autoptr (AexExecutor) pool = aex_test_pool (1);

  return aex_limiter_new (pool, max_concurrent);
}

static AexPending *
acquire (AexExecutor *limiter)
{
  return aex_limiter_acquire (AEX_LIMITER (limiter));
}

static AexPermit *
dup_permit (AexPending *acquired)
{
  g_autoptr (GError) error = NULL;
  GValue *value = aex_pending_dup_value (acquired, &error);
  AexPermit *permit;

  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS (value, AEX_TYPE_PERMIT));
  permit = g_value_dup_boxed (value);
  g_boxed_free (G_TYPE_VALUE, value);
  return permit;
}

static void
test_in_turn (void)
{
  AexExecutor *limiter = limited_pool (1);
  g_autoptr (AexPending) first = acquire (limiter);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) second = acquire (limiter);
  g_autoptr (AexPending) third = NULL;
  AexPermit *permit, *other;

  /* A slot that is free is given at once. */
  aex_assert_state (first, RESOLVED);
  aex_assert_state (job, QUEUED);
  aex_assert_state (second, QUEUED);
  g_assert_cmpuint (aex_executor_get_n_pending (limiter), ==, 2);
  permit = dup_permit (first);
  aex_permit_release (permit);
  aex_test_wait (second);
  aex_assert_resolved_int64 (job, 1);
  /* Once: this gives back nothing that is not its own. */
  aex_permit_release (permit);
  third = acquire (limiter);
  aex_assert_state (third, QUEUED);
  g_assert_true (aex_pending_cancel (third, NULL));
  other = dup_permit (second);
  g_assert_true (other != permit);
  aex_permit_unref (permit);
  aex_permit_unref (other);
  g_clear_object (&second);
  aex_test_shutdown (limiter);
}

static void
assert_is_free (AexExecutor *limiter)
{
  g_autoptr (AexPending) next = acquire (limiter);

  aex_assert_state (next, RESOLVED);
}

static void
test_comes_back (void)
{
  AexExecutor *limiter = limited_pool (1);
  AexPending *pending;
  AexPermit *permit;

  /* Never read. */
  g_object_unref (acquire (limiter));
  assert_is_free (limiter);

  /* Cancelled, before and after. */
  pending = acquire (limiter);
  {
    g_autoptr (AexPending) waiting = acquire (limiter);
    g_autoptr (AexPending) behind = acquire (limiter);

    g_assert_true (aex_pending_cancel (waiting, NULL));
    aex_assert_cancelled (waiting);
    g_assert_false (aex_pending_cancel (pending, NULL));
    aex_assert_state (behind, QUEUED);
    g_clear_object (&pending);
    aex_assert_state (behind, RESOLVED);
  }
  assert_is_free (limiter);

  /* The last reference. */
  pending = acquire (limiter);
  permit = dup_permit (pending);
  g_object_unref (pending);
  pending = acquire (limiter);
  aex_assert_state (pending, QUEUED);
  aex_permit_unref (permit);
  aex_assert_state (pending, RESOLVED);
  g_object_unref (pending);
  aex_test_shutdown (limiter);
}

/* A wait for a permit inside a job that has the only slot. */
static gboolean
job_acquires (AexPending   *job,
              GCancellable *cancellable,
              gpointer      limiter,
              GError      **error)
{
  g_autoptr (AexPending) permit = acquire (limiter);
  gboolean ok = aex_pending_wait (permit, AEX_WAIT_FLAGS_NONE, -1, NULL, error);

  if (!ok)
    aex_pending_cancel (permit, NULL);
  return ok;
}

static void
test_would_deadlock (void)
{
  AexExecutor *limiter = limited_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, job_acquires, limiter, NULL);

  aex_test_wait (job);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_shutdown (limiter);
}

/* The permit outlives its limiter. */
static void
test_outlives (void)
{
  AexExecutor *limiter = limited_pool (1);
  g_autoptr (AexPending) pending = acquire (limiter);
  g_autoptr (AexPermit) permit = dup_permit (pending);
  g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (3), NULL);

  g_object_unref (limiter);
  g_clear_object (&pending);
  aex_permit_release (permit);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 3);
}

/* --- executors of a user */

#define TEST_TYPE_ODD (test_odd_get_type ())
G_DECLARE_FINAL_TYPE (TestOdd, test_odd, TEST, ODD, AexExecutor)

struct _TestOdd
{
  AexExecutor parent_instance;
  GPtrArray  *kept;            /* NULL: run at once; not for several threads */
  gboolean    fails;
};

G_DEFINE_FINAL_TYPE (TestOdd, test_odd, AEX_TYPE_EXECUTOR)

static void
test_odd_dispatch (AexExecutor *executor,
                   AexPending  *job,
                   GError     **error)
{
  TestOdd *self = TEST_ODD (executor);

  if (self->fails)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "no room");
  else if (self->kept != NULL)
    g_ptr_array_add (self->kept, g_object_ref (job));
  else
    aex_pending_run (job);
}

static void
test_odd_finalize (GObject *object)
{
  g_clear_pointer (&TEST_ODD (object)->kept, g_ptr_array_unref);
  G_OBJECT_CLASS (test_odd_parent_class)->finalize (object);
}

static void
test_odd_class_init (TestOddClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_odd_finalize;
  AEX_EXECUTOR_CLASS (klass)->dispatch = test_odd_dispatch;
}

static void
test_odd_init (TestOdd *self)
{
}

static TestOdd *
odd_new (gboolean keeps)
{
  TestOdd *self = g_object_new (TEST_TYPE_ODD, "dispatch-anywhere", TRUE, NULL);

  if (keeps)
    self->kept = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

static void
test_scripted (void)
{
  TestOdd *odd = odd_new (TRUE);
  AexExecutor *limiter = aex_limiter_new (AEX_EXECUTOR (odd), 2);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  for (guint i = 0; i < 4; i++)
    g_ptr_array_add (jobs, aex_executor_submit (limiter, aex_job_int, GUINT_TO_POINTER (i), NULL));
  g_assert_cmpuint (odd->kept->len, ==, 2);
  /* It gets the job itself, whose name and cancellation it may look at. */
  g_assert_true (odd->kept->pdata[0] == jobs->pdata[0]);
  g_assert_cmpuint (aex_executor_get_n_pending (AEX_EXECUTOR (odd)), ==, 2);
  g_assert_true (aex_pending_cancel (jobs->pdata[1], NULL));
  g_assert_cmpuint (odd->kept->len, ==, 3);
  for (guint i = 0; i < odd->kept->len; i++)
    aex_pending_run (odd->kept->pdata[i]);
  g_assert_cmpuint (odd->kept->len, ==, 4);
  aex_assert_resolved_int64 (jobs->pdata[0], 0);
  aex_assert_cancelled (jobs->pdata[1]);
  aex_assert_resolved_int64 (jobs->pdata[2], 2);
  aex_assert_resolved_int64 (jobs->pdata[3], 3);
  g_ptr_array_set_size (odd->kept, 0);
  aex_test_shutdown (limiter);
  aex_test_shutdown (AEX_EXECUTOR (odd));
}

/* Jobs that end inside dispatch(), one way or the other: as many as there are, on a small stack. */
static gpointer
run_long_chain (gpointer fails)
{
  enum { N = 50000 };
  TestOdd *odd = odd_new (FALSE);
  AexExecutor *limiter = aex_limiter_new (AEX_EXECUTOR (odd), 1);
  g_autoptr (AexPending) permit = acquire (limiter);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  odd->fails = GPOINTER_TO_INT (fails);
  for (guint i = 0; i < N; i++)
    g_ptr_array_add (jobs, aex_executor_submit (limiter, aex_job_int, GUINT_TO_POINTER (i), NULL));
  g_clear_object (&permit);
  for (guint i = 0; i < N; i++)
    if (odd->fails)
      aex_assert_failed_with (jobs->pdata[i], G_IO_ERROR, G_IO_ERROR_NO_SPACE);
    else
      aex_assert_resolved_int64 (jobs->pdata[i], i);
  aex_test_shutdown (limiter);
  aex_test_shutdown (AEX_EXECUTOR (odd));
  return NULL;
}

static void
test_long_chain (void)
{
  aex_test_in_small_stack (run_long_chain, GINT_TO_POINTER (FALSE));
}

static void
test_long_failure (void)
{
  aex_test_in_small_stack (run_long_chain, GINT_TO_POINTER (TRUE));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/limiter/permit/in-turn", test_in_turn);
  aex_test_add ("/limiter/permit/comes-back", test_comes_back);
  aex_test_add ("/limiter/permit/would-deadlock", test_would_deadlock);
  aex_test_add ("/limiter/permit/outlives", test_outlives);
  aex_test_add ("/limiter/E8/scripted", test_scripted);
  aex_test_add ("/limiter/E8/long-chain", test_long_chain);
  aex_test_add ("/limiter/E8/long-failure", test_long_failure);
  return aex_test_run ();
}
