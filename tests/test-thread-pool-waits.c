/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Rule 6: jobs that wait for jobs. */

/* --- claims: a job that starts the next one and waits for it */
typedef struct
{
  AexExecutor *pool;
  guint        left;
} Chain;

static gboolean job_chain (AexPending   *job,
                           GCancellable *cancellable,
                           gpointer      user_data,
                           GError      **error);

static AexPending *
submit_chain (AexExecutor *pool,
              guint        left)
{
  Chain *chain = g_new (Chain, 1);

  *chain = (Chain) { pool, left };
  return aex_executor_submit (pool, job_chain, chain, g_free);
}

static gboolean
job_chain (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  Chain *self = user_data;
  g_autoptr (AexPending) next = NULL;
  gint64 n = 0;

  if (self->left > 1)
    {
      next = submit_chain (self->pool, self->left - 1);
      if (!aex_pending_wait (next, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
        {
          /* A refused wait leaves it alone: it would run, and fail, behind our back. */
          aex_pending_cancel (next, NULL);
          return FALSE;
        }
      n = aex_pending_get_int64 (next, NULL);
    }
  aex_pending_resolve_int64 (job, n + 1);
  return TRUE;
}

static void
test_thousand_deep (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = submit_chain (pool, 1000);

  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1000);
  aex_test_shutdown (pool);
}

/* Two workers that spread a tree: 2^10 leaves. */
static gboolean
job_tree (AexPending   *job,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  Chain *self = user_data;
  Chain below = { self->pool, self->left - 1 };
  gint64 n = 1;

  if (self->left > 0)
    {
      g_autoptr (AexPending) a = aex_executor_submit (self->pool, job_tree, &below, NULL);
      g_autoptr (AexPending) b = aex_executor_submit (self->pool, job_tree, &below, NULL);

      if (!aex_pending_wait (a, AEX_WAIT_FLAGS_NONE, -1, NULL, error) ||
          !aex_pending_wait (b, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
        return FALSE;
      n = aex_pending_get_int64 (a, NULL) + aex_pending_get_int64 (b, NULL);
    }
  aex_pending_resolve_int64 (job, n);
  return TRUE;
}

static void
test_tree (void)
{
  Chain root = { aex_test_pool (2), 10 };
  g_autoptr (AexPending) job = aex_executor_submit (root.pool, job_tree, &root, NULL);

  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1024);
  aex_test_shutdown (root.pool);
}

/* Also through the links of all(). */
static gboolean
job_wait_for_all (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      pool,
                  GError      **error)
{
  g_autoptr (AexPending) a = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) b = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (2), NULL);
  AexPending *members[2] = { a, b };
  g_autoptr (AexPending) all = aex_pending_allv (members, 2);

  return aex_pending_wait (all, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_through_all (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_wait_for_all, pool, NULL);

  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
}

/* Unrelated jobs never run on the stack of one that waits. */
typedef struct
{
  AexPending *promise;
  AexGate     started;
  int         n_inside;         /* atomic */
  int         n_seen_inside;    /* atomic */
} Stack;

static GPrivate inside;

static gboolean
job_wait_inside (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      user_data,
                 GError      **error)
{
  Stack *self = user_data;
  gboolean ok;

  g_private_set (&inside, self);
  aex_gate_open (&self->started);
  ok = aex_pending_wait (self->promise, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
  g_private_set (&inside, NULL);
  return ok;
}

static gboolean
job_look_inside (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      user_data,
                 GError      **error)
{
  Stack *self = user_data;

  if (g_private_get (&inside) != NULL)
    g_atomic_int_inc (&self->n_seen_inside);
  g_atomic_int_inc (&self->n_inside);
  return TRUE;
}

static void
test_unrelated_jobs_elsewhere (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Stack self = { .promise = aex_pending_new () };
  g_autoptr (AexPending) waits = NULL;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  aex_gate_init (&self.started);
  waits = aex_executor_submit (pool, job_wait_inside, &self, NULL);
  aex_gate_wait (&self.started);
  for (guint i = 0; i < 20; i++)
    g_ptr_array_add (jobs, aex_executor_submit (pool, job_look_inside, &self, NULL));
  /* A replacement runs them while the first waits. */
  aex_test_wait_all (jobs);
  g_assert_cmpint (self.n_inside, ==, 20);
  g_assert_cmpint (self.n_seen_inside, ==, 0);
  g_assert_false (aex_pending_is_done (waits));
  aex_pending_resolve_int64 (self.promise, 1);
  aex_test_wait (waits);
  aex_assert_state (waits, RESOLVED);
  g_object_unref (self.promise);
  aex_gate_clear (&self.started);
  aex_test_shutdown (pool);
}

/* --- waits that could never end */
static gboolean
job_wait_for_itself (AexPending   *job,
                     GCancellable *cancellable,
                     gpointer      timeout_us,
                     GError      **error)
{
  return aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, GPOINTER_TO_INT (timeout_us), NULL, error);
}

static void
assert_would_deadlock (AexPending *job)
{
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static void
test_itself (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPending) never = aex_executor_submit (pool, job_wait_for_itself, GINT_TO_POINTER (-1), NULL);
  g_autoptr (AexPending) finite = NULL;

  aex_test_wait (never);
  assert_would_deadlock (never);
  /* At once, although the wait would end. */
  aex_test_virtual_time ();
  finite = aex_executor_submit (pool, job_wait_for_itself, GINT_TO_POINTER (G_MAXINT), NULL);
  aex_test_wait (finite);
  assert_would_deadlock (finite);
  aex_test_shutdown (pool);
}

typedef struct
{
  AexExecutor *pool;
  AexPending  *jobs[3];         /* whom number i waits for: jobs[i] */
  AexGate      known;           /* opened when jobs is complete */
  AexGate      started;
} Ring;

typedef struct
{
  Ring *ring;
  guint index;
} RingMember;

static gboolean
job_wait_in_ring (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      user_data,
                  GError      **error)
{
  RingMember *self = user_data;

  aex_gate_open (&self->ring->started);
  aex_gate_wait (&self->ring->known);
  return aex_pending_wait (self->ring->jobs[self->index], AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

/* Everybody waits for the next; n of them on max_workers threads. */
static void
check_ring (guint n,
            guint max_workers)
{
  Ring ring = { .pool = aex_test_pool (max_workers) };
  RingMember members[3];
  AexPending *jobs[3];

  aex_gate_init (&ring.known);
  aex_gate_init (&ring.started);
  for (guint i = 0; i < n; i++)
    {
      members[i] = (RingMember) { &ring, i };
      jobs[i] = aex_executor_submit (ring.pool, job_wait_in_ring, &members[i], NULL);
    }
  for (guint i = 0; i < n; i++)
    ring.jobs[i] = jobs[(i + 1) % n];
  aex_gate_wait_n (&ring.started, MIN (n, max_workers));
  aex_gate_open (&ring.known);
  for (guint i = 0; i < n; i++)
    {
      aex_test_wait (jobs[i]);
      /* One of them found the ring, the others got its error. */
      assert_would_deadlock (jobs[i]);
    }
  for (guint i = 0; i < n; i++)
    g_object_unref (jobs[i]);
  aex_gate_clear (&ring.known);
  aex_gate_clear (&ring.started);
  aex_test_shutdown (ring.pool);
}

static void
test_rings (void)
{
  guint n = aex_test_scale (200);

  for (guint i = 0; i < n; i++)
    {
      check_ring (2, 2);
      check_ring (3, 3);
      /* One worker: the second is claimed by the first, an ancestor. */
      check_ring (2, 1);
      check_ring (3, 1);
    }
}

/* The job that waits for it, above on the same stack. */
static gboolean
job_wait_for_data (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      ancestor,
                   GError      **error)
{
  return aex_pending_wait (ancestor, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static gboolean
job_with_child (AexPending   *job,
                GCancellable *cancellable,
                gpointer      pool,
                GError      **error)
{
  g_autoptr (AexPending) child = aex_executor_submit (pool, job_wait_for_data, job, NULL);
  g_autoptr (GError) local_error = NULL;

  g_assert_false (aex_pending_wait (child, AEX_WAIT_FLAGS_NONE, -1, NULL, &local_error));
  g_assert_error (local_error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

static void
test_ancestor (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_with_child, pool, NULL);

  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1);
  aex_test_shutdown (pool);
}

/* Submission makes no link: the child may outlive who made it and wait for it. */
static gboolean
job_start_child (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      pool,
                 GError      **error)
{
  aex_pending_resolve_object (job, aex_executor_submit (pool, job_wait_for_data, job, NULL));
  return TRUE;
}

static void
test_not_an_ancestor (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_start_child, pool, NULL);
  AexPending *child;

  aex_test_wait (job);
  child = aex_pending_dup_object (job, NULL);
  aex_test_wait (child);
  aex_assert_state (child, RESOLVED);
  g_object_unref (child);
  /* resolve_object() took a reference of its own. */
  g_object_unref (child);
  aex_test_shutdown (pool);
}

/* The pool is out of replacements (512): an error, and no hang. */
static void
test_out_of_replacements (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = submit_chain (pool, 17 * 520);

  aex_test_set_watchdog (120);
  aex_test_wait (job);
  assert_would_deadlock (job);
  aex_test_shutdown (pool);
}

/* --- hints */
typedef struct
{
  AexGate blocked;
  AexGate release;
} Hint;

static gboolean
job_block_with_hint (AexPending   *job,
                     GCancellable *cancellable,
                     gpointer      user_data,
                     GError      **error)
{
  Hint *self = user_data;

  aex_blocking_begin ();
  aex_gate_open (&self->blocked);
  aex_gate_wait (&self->release);
  aex_blocking_end ();
  return TRUE;
}

static void
test_hint_starts_replacement (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Hint hint;
  g_autoptr (AexPending) blocked = NULL;
  g_autoptr (AexPending) behind = NULL;
  AexBlock block;
  AexPending *blocker;

  aex_gate_init (&hint.blocked);
  aex_gate_init (&hint.release);
  blocked = aex_executor_submit (pool, job_block_with_hint, &hint, NULL);
  aex_gate_wait (&hint.blocked);
  behind = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_test_wait (behind);
  aex_assert_state (blocked, RUNNING);
  aex_gate_open (&hint.release);
  aex_test_wait (blocked);
  /* It is over: one worker again, so a second job waits for the first. */
  blocker = aex_block_begin (&block, pool);
  g_clear_object (&behind);
  behind = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (2), NULL);
  aex_assert_state (behind, QUEUED);
  aex_block_end (&block, blocker);
  aex_test_wait (behind);
  aex_gate_clear (&hint.blocked);
  aex_gate_clear (&hint.release);
  aex_test_shutdown (pool);
}

/* The job behind was there before the hint. */
static void
test_hint_with_queue (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Hint hint;
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) blocked = NULL;
  g_autoptr (AexPending) behind = NULL;

  aex_gate_init (&hint.blocked);
  aex_gate_init (&hint.release);
  blocked = aex_executor_submit (pool, job_block_with_hint, &hint, NULL);
  behind = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_block_end (&block, blocker);
  aex_test_wait (behind);
  aex_assert_state (blocked, RUNNING);
  aex_gate_open (&hint.release);
  aex_test_wait (blocked);
  aex_gate_clear (&hint.blocked);
  aex_gate_clear (&hint.release);
  aex_test_shutdown (pool);
}

static void
test_hint_outside (void)
{
  aex_blocking_begin ();
  aex_blocking_begin ();
  aex_blocking_end ();
  aex_blocking_end ();
  g_assert_null (aex_pending_get_current ());
}

/* --- E6: the entry of a job that a wait has claimed is still in the queue, but the job runs */
typedef struct
{
  AexExecutor *pool;
  AexGate      started, release;
} Claimed;

static gboolean
job_claimed (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  Claimed *self = user_data;

  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  aex_pending_resolve_int64 (job, g_cancellable_is_cancelled (cancellable) ? 0 : 1);
  return TRUE;
}

static gboolean
job_claims (AexPending   *job,
            GCancellable *cancellable,
            gpointer      user_data,
            GError      **error)
{
  Claimed *self = user_data;
  g_autoptr (AexPending) claimed = aex_executor_submit (self->pool, job_claimed, self, NULL);

  if (!aex_pending_wait (claimed, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
    return FALSE;
  aex_pending_resolve_int64 (job, aex_pending_get_int64 (claimed, NULL));
  return TRUE;
}

static void
test_dropped_queue (void)
{
  Claimed claimed = { .pool = aex_test_pool (1) };
  g_autoptr (AexPending) job = NULL, done = NULL;

  aex_gate_init (&claimed.started);
  aex_gate_init (&claimed.release);
  job = aex_executor_submit (claimed.pool, job_claims, &claimed, NULL);
  aex_gate_wait (&claimed.started);
  done = aex_executor_shutdown (claimed.pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  aex_gate_open (&claimed.release);
  aex_test_wait (done);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1);
  aex_gate_clear (&claimed.started);
  aex_gate_clear (&claimed.release);
  g_object_unref (claimed.pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pool/claim/thousand-deep", test_thousand_deep);
  aex_test_add ("/pool/claim/tree", test_tree);
  aex_test_add ("/pool/claim/through-all", test_through_all);
  aex_test_add ("/pool/claim/E6-dropped-queue", test_dropped_queue);
  aex_test_add ("/pool/claim/unrelated-jobs-elsewhere", test_unrelated_jobs_elsewhere);
  aex_test_add ("/pool/I6/itself", test_itself);
  aex_test_add ("/pool/I6/ancestor", test_ancestor);
  aex_test_add ("/pool/I6/not-an-ancestor", test_not_an_ancestor);
  aex_test_add ("/pool/I6/rings", test_rings);
  aex_test_add ("/pool/I6/out-of-replacements", test_out_of_replacements);
  aex_test_add ("/pool/blocking/starts-replacement", test_hint_starts_replacement);
  aex_test_add ("/pool/blocking/with-queue", test_hint_with_queue);
  aex_test_add ("/pool/blocking/outside", test_hint_outside);
  return aex_test_run ();
}
