/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Rule 6: waits that can never end are refused, those that look like it end. */

#define LONG_US (10 * G_TIME_SPAN_MINUTE)

static gboolean
return_1 (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

static AexPending *
pass_on (AexPending *done,
         gpointer    data,
         GError    **error)
{
  return NULL;
}

/* Refused, and the pending is as it was. */
static void
assert_refused (AexPending *pending)
{
  static const gint64 timeouts[] = { -1, LONG_US };

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (aex_pending_wait (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, timeouts[i], NULL, &error));
      g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
      g_assert_false (aex_pending_is_cancelled (pending));
      g_assert_false (aex_pending_is_done (pending));
    }
}

/* --- what waits for this thread's own loop */

static void
test_from_own_thread (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), return_1, NULL, NULL);

  assert_refused (job);
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 1);
}

static void
test_delivered_to_own_thread (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = aex_pending_then (source, pass_on, NULL, NULL);
  g_autoptr (AexPending) done = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) of_done = aex_pending_then (done, pass_on, NULL, NULL);

  assert_refused (derived);
  assert_refused (of_done);
  g_assert_true (aex_pending_resolve (source, NULL));
  assert_refused (derived);
  aex_test_run_until_done (derived);
  aex_test_run_until_done (of_done);
}

/* The same through pendings that run no code themselves. */
static void
test_through_links (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), return_1, NULL, NULL);
  g_autoptr (AexPending) shield = aex_pending_shield (job);
  g_autoptr (AexPending) all = aex_pending_all (shield, NULL);
  g_autoptr (AexPending) follower = aex_pending_new ();

  g_assert_true (aex_pending_follow (follower, all));
  assert_refused (shield);
  assert_refused (all);
  assert_refused (follower);
  aex_test_run_until_done (follower);
  aex_assert_state (follower, RESOLVED);
}

static gpointer
resolve_in_thread (gpointer pending)
{
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  return NULL;
}

/* A plain promise is nobody's: another thread may well resolve it. */
static void
test_promise_is_waited_for (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (source);
  GThread *thread = g_thread_new ("resolves", resolve_in_thread, source);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_wait (shield, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_no_error (error);
  g_thread_join (thread);
}

/* --- inside jobs.  A job notes what its wait said. */

typedef struct _Knot Knot;

struct _Knot
{
  AexExecutor *pool;
  AexPending  *awaited;
  Knot        *inner;
  gint64       timeout_us;
  AexGate      started;
  AexGate      go;
  gboolean     result;
  int          code;
};

static void
knot_init (Knot        *self,
           AexExecutor *pool,
           gint64       timeout_us)
{
  *self = (Knot) { .pool = pool, .timeout_us = timeout_us, .code = -1 };
  aex_gate_init (&self->started);
  aex_gate_init (&self->go);
}

static void
knot_clear (Knot *self)
{
  aex_gate_clear (&self->started);
  aex_gate_clear (&self->go);
}

static void
knot_wait (Knot       *self,
           AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  self->result = aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, self->timeout_us, NULL, &error);
  if (error != NULL)
    self->code = error->domain == AEX_ERROR ? error->code : -2;
}

static gboolean
wait_for_self (AexPending   *job,
               GCancellable *cancellable,
               gpointer      data,
               GError      **error)
{
  knot_wait (data, job);
  return TRUE;
}

static void
run_wait_for_self (AexExecutor *executor)
{
  static const gint64 timeouts[] = { -1, LONG_US };

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (AexPending) job = NULL;
      Knot self;

      knot_init (&self, executor, timeouts[i]);
      job = aex_executor_submit (executor, wait_for_self, &self, NULL);
      aex_test_run_until_done (job);
      aex_assert_state (job, RESOLVED);
      g_assert_false (self.result);
      g_assert_cmpint (self.code, ==, AEX_ERROR_WOULD_DEADLOCK);
      knot_clear (&self);
    }
}

static void
test_for_itself (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  run_wait_for_self (pool);
  run_wait_for_self (AEX_EXECUTOR (caller));
  aex_test_shutdown (pool);
}

static gboolean
wait_for_awaited (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      data,
                  GError      **error)
{
  Knot *self = data;

  aex_gate_open (&self->started);
  aex_gate_wait (&self->go);
  knot_wait (self, self->awaited);
  return TRUE;
}

/* The outer job waits for the inner one, which it claims, and which waits
 * for the outer one. */
static void
test_for_ancestor (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) outer = NULL;
  g_autoptr (AexPending) inner = NULL;
  Knot knots[2];

  knot_init (&knots[0], pool, -1);
  knot_init (&knots[1], pool, -1);
  outer = aex_executor_submit (pool, wait_for_awaited, &knots[0], NULL);
  inner = aex_executor_submit (pool, wait_for_awaited, &knots[1], NULL);
  knots[0].awaited = inner;
  knots[1].awaited = outer;
  aex_gate_open (&knots[1].go);
  aex_gate_open (&knots[0].go);
  aex_test_run_until_done (inner);
  aex_test_run_until_done (outer);
  g_assert_false (knots[1].result);
  g_assert_cmpint (knots[1].code, ==, AEX_ERROR_WOULD_DEADLOCK);
  g_assert_true (knots[0].result);
  knot_clear (&knots[0]);
  knot_clear (&knots[1]);
  aex_test_shutdown (pool);
}

/* Jobs that run at the same time and wait for each other in a ring: at least
 * one is told, the others get their results. */
static void
run_ring (guint  n,
          gint64 timeout_us)
{
  AexExecutor *pool = aex_test_pool (n);
  g_autofree Knot *knots = g_new0 (Knot, n);
  g_autofree AexPending **jobs = g_new0 (AexPending *, n);
  guint n_refused = 0;

  for (guint i = 0; i < n; i++)
    {
      knot_init (&knots[i], pool, timeout_us);
      jobs[i] = aex_executor_submit (pool, wait_for_awaited, &knots[i], NULL);
    }
  for (guint i = 0; i < n; i++)
    {
      aex_gate_wait (&knots[i].started);
      knots[i].awaited = jobs[(i + 1) % n];
    }
  for (guint i = 0; i < n; i++)
    aex_gate_open (&knots[i].go);
  for (guint i = 0; i < n; i++)
    {
      aex_test_run_until_done (jobs[i]);
      aex_assert_state (jobs[i], RESOLVED);
      if (!knots[i].result)
        g_assert_cmpint (knots[i].code, ==, AEX_ERROR_WOULD_DEADLOCK);
      n_refused += !knots[i].result;
    }
  g_assert_cmpuint (n_refused, ==, 1);
  for (guint i = 0; i < n; i++)
    {
      knot_clear (&knots[i]);
      g_object_unref (jobs[i]);
    }
  aex_test_shutdown (pool);
}

static void
test_ring_of_waits (void)
{
  for (guint n = 2; n <= 4; n++)
    {
      run_ring (n, -1);
      run_ring (n, LONG_US);
    }
}

/* The ring goes through pendings derived from the jobs. */
static void
test_ring_through_links (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPending *jobs[2];
  AexPending *links[2];
  Knot knots[2];
  guint n_refused = 0;

  for (guint i = 0; i < 2; i++)
    {
      knot_init (&knots[i], pool, -1);
      jobs[i] = aex_executor_submit (pool, wait_for_awaited, &knots[i], NULL);
      aex_gate_wait (&knots[i].started);
    }
  links[0] = aex_pending_shield (jobs[1]);
  links[1] = aex_pending_all (jobs[0], NULL);
  for (guint i = 0; i < 2; i++)
    {
      knots[i].awaited = links[i];
      aex_gate_open (&knots[i].go);
    }
  for (guint i = 0; i < 2; i++)
    {
      aex_test_run_until_done (jobs[i]);
      n_refused += knots[i].code == AEX_ERROR_WOULD_DEADLOCK;
      knot_clear (&knots[i]);
    }
  g_assert_cmpuint (n_refused, ==, 1);
  for (guint i = 0; i < 2; i++)
    {
      g_object_unref (jobs[i]);
      g_object_unref (links[i]);
    }
  aex_test_shutdown (pool);
}

/* --- waits that look like it: a pool of one, and every job waits */

typedef struct
{
  AexExecutor *pool;
  guint        n;
  gboolean     together;        /* waits for both at once */
} Fibonacci;

static gboolean
fibonacci (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  const Fibonacci *self = data;
  AexPending *parts[2];
  gint64 sum = 0;
  gboolean ok = TRUE;

  if (self->n < 2)
    return aex_pending_resolve_int64 (job, self->n);
  for (guint i = 0; i < 2; i++)
    {
      Fibonacci part = { self->pool, self->n - 1 - i, self->together };

      parts[i] = aex_executor_submit (self->pool, fibonacci, g_memdup2 (&part, sizeof part), g_free);
    }
  if (self->together)
    {
      g_autoptr (AexPending) both = aex_pending_allv (parts, 2);

      ok = aex_pending_wait (both, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
    }
  for (guint i = 0; i < 2; i++)
    {
      if (ok && !self->together)
        ok = aex_pending_wait (parts[i], AEX_WAIT_FLAGS_NONE, -1, NULL, error);
      if (ok)
        sum += aex_pending_get_int64 (parts[i], NULL);
      g_object_unref (parts[i]);
    }
  return ok && aex_pending_resolve_int64 (job, sum);
}

static void
run_fibonacci (guint    max_workers,
               gboolean together)
{
  AexExecutor *pool = aex_test_pool (max_workers);
  Fibonacci self = { pool, 10, together };
  g_autoptr (AexPending) job = aex_executor_submit (pool, fibonacci, &self, NULL);

  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 55);
  aex_test_shutdown (pool);
}

static void
test_nested_waits (void)
{
  run_fibonacci (1, FALSE);
  run_fibonacci (2, FALSE);
}

static void
test_nested_waits_through_all (void)
{
  run_fibonacci (1, TRUE);
  run_fibonacci (2, TRUE);
}

/* Nested deeper than claiming goes: replacements take over. */
typedef struct
{
  AexExecutor *pool;
  guint        depth;
} Depth;

static gboolean
go_deeper (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  const Depth *self = data;
  Depth below = { self->pool, self->depth - 1 };
  g_autoptr (AexPending) inner = NULL;

  if (self->depth == 0)
    return aex_pending_resolve_int64 (job, 0);
  inner = aex_executor_submit (self->pool, go_deeper, &below, NULL);
  if (!aex_pending_wait (inner, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
    return FALSE;
  return aex_pending_resolve_int64 (job, aex_pending_get_int64 (inner, NULL) + 1);
}

static void
test_deep_waits (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Depth self = { pool, 100 };
  g_autoptr (AexPending) job = aex_executor_submit (pool, go_deeper, &self, NULL);

  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 100);
  aex_test_shutdown (pool);
}

/* Unrelated jobs never run on a waiting job's stack. */
static gboolean
wait_and_compare (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      data,
                  GError      **error)
{
  Knot *self = data;

  aex_gate_open (&self->started);
  knot_wait (self, self->awaited);
  g_assert_true (aex_pending_get_current () == job);
  return TRUE;
}

static gboolean
note_thread (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  *(GThread **) data = g_thread_self ();
  return TRUE;
}

static void
test_unrelated_stay_away (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) waiting = NULL;
  g_autoptr (AexPending) unrelated = NULL;
  GThread *thread = NULL;
  Knot self;

  knot_init (&self, pool, -1);
  self.awaited = promise;
  waiting = aex_executor_submit (pool, wait_and_compare, &self, NULL);
  aex_gate_wait (&self.started);
  /* The wait counts as blocking: a replacement runs this one. */
  unrelated = aex_executor_submit (pool, note_thread, &thread, NULL);
  aex_test_run_until_done (unrelated);
  g_assert_nonnull (thread);
  g_assert_false (aex_pending_is_done (waiting));
  g_assert_true (aex_pending_resolve (promise, NULL));
  aex_test_run_until_done (waiting);
  g_assert_true (self.result);
  knot_clear (&self);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/K55/from-own-thread", test_from_own_thread);
  aex_test_add ("/pending/I6/delivered-to-own-thread", test_delivered_to_own_thread);
  aex_test_add ("/pending/I6/through-links", test_through_links);
  aex_test_add ("/pending/I6/promise-is-waited-for", test_promise_is_waited_for);
  aex_test_add ("/pending/I6/for-itself", test_for_itself);
  aex_test_add ("/pending/I6/for-ancestor", test_for_ancestor);
  aex_test_add ("/pending/edge/ring-of-waits", test_ring_of_waits);
  aex_test_add ("/pending/edge/ring-of-waits-through-links", test_ring_through_links);
  aex_test_add ("/pending/rule6/nested-waits", test_nested_waits);
  aex_test_add ("/pending/rule6/nested-waits-through-all", test_nested_waits_through_all);
  aex_test_add ("/pending/rule6/deep-waits", test_deep_waits);
  aex_test_add ("/pending/rule6/unrelated-stay-away", test_unrelated_stay_away);
  return aex_test_run ();
}
