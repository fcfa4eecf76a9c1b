/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

/* K71: a value that is made when somebody asks, and once. */

/* How a value is made, and how often that was tried. */
typedef struct
{
  AexGate     begun;
  AexGate     release;
  AexPending *promise;      /* what the coroutine returns */
  GThread    *thread;       /* where it was made */
  gboolean    blocks;
  gboolean    fails;
  int         n_calls;      /* atomic */
  int         n_freed;      /* atomic */
} Making;

static void
making_init (Making *self)
{
  *self = (Making) { .promise = aex_pending_new () };
  aex_gate_init (&self->begun);
  aex_gate_init (&self->release);
}

static void
making_clear (Making *self)
{
  aex_gate_clear (&self->begun);
  aex_gate_clear (&self->release);
  g_object_unref (self->promise);
}

static void
making_freed (gpointer making)
{
  g_atomic_int_inc (&((Making *) making)->n_freed);
}

static gboolean
make_number (AexPending   *job,
             GCancellable *cancellable,
             gpointer      making,
             GError      **error)
{
  Making *self = making;
  int n = g_atomic_int_add (&self->n_calls, 1) + 1;

  self->thread = g_thread_self ();
  aex_gate_open (&self->begun);
  if (self->blocks)
    aex_gate_wait (&self->release);
  if (self->fails)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "try %d", n);
      return FALSE;
    }
  aex_pending_resolve_int64 (job, n);
  return TRUE;
}

static AexPending *
follow_promise (AexPending   *job,
                GCancellable *cancellable,
                gpointer      making,
                GError      **error)
{
  Making *self = making;

  g_atomic_int_inc (&self->n_calls);
  aex_gate_open (&self->begun);
  return g_object_ref (self->promise);
}

static void
assert_value (AexLazy *lazy,
              gint64   expected)
{
  g_autoptr (AexPending) value = aex_lazy_get (lazy);

  aex_test_wait (value);
  aex_assert_resolved_int64 (value, expected);
}

/* --- once */
static void
test_once (void)
{
  Making making;
  AexLazy *lazy;
  GValue *value;
  g_autoptr (GError) error = NULL;

  making_init (&making);
  lazy = aex_lazy_new (NULL, make_number, &making, making_freed);
  g_assert_null (aex_lazy_get_executor (lazy));
  g_assert_false (aex_lazy_is_made (lazy));
  g_assert_null (aex_lazy_dup_value (lazy, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_NOT_DONE);
  g_clear_error (&error);
  g_assert_cmpint (making.n_calls, ==, 0);
  assert_value (lazy, 1);
  g_assert_true (making.thread == g_thread_self ());
  assert_value (lazy, 1);
  g_assert_true (aex_lazy_is_made (lazy));
  value = aex_lazy_dup_value (lazy, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_int64 (value), ==, 1);
  g_boxed_free (G_TYPE_VALUE, value);
  g_assert_cmpint (making.n_calls, ==, 1);
  aex_test_drain ();
  g_assert_cmpint (making.n_freed, ==, 1);
  g_object_unref (lazy);
  making_clear (&making);
}

static void
test_on_an_executor (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Making making;
  AexLazy *lazy;

  making_init (&making);
  lazy = aex_lazy_new (pool, make_number, &making, making_freed);
  g_assert_true (aex_lazy_get_executor (lazy) == pool);
  assert_value (lazy, 1);
  g_assert_true (making.thread != g_thread_self ());
  assert_value (lazy, 1);
  g_object_unref (lazy);
  aex_test_shutdown (pool);
  aex_test_drain ();
  g_assert_cmpint (making.n_freed, ==, 1);
  making_clear (&making);
}

/* Nobody asked: nothing happens, and what it was given is let go of. */
static void
test_never_asked (void)
{
  Making making;

  making_init (&making);
  aex_assert_last_unref (aex_lazy_new (NULL, make_number, &making, making_freed));
  aex_test_drain ();
  g_assert_cmpint (making.n_calls, ==, 0);
  g_assert_cmpint (making.n_freed, ==, 1);
  making_clear (&making);
}

static void
test_coroutine (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  for (guint i = 0; i < 2; i++)
    {
      Making making;
      AexLazy *lazy;
      g_autoptr (AexPending) first = NULL;
      g_autoptr (AexPending) second = NULL;

      making_init (&making);
      lazy = aex_lazy_new_async (i == 0 ? NULL : AEX_EXECUTOR (caller), follow_promise, &making, making_freed);
      first = aex_lazy_get (lazy);
      second = aex_lazy_get (lazy);
      g_assert_true (first != second);
      aex_test_drain ();
      g_assert_cmpint (making.n_calls, ==, 1);
      g_assert_false (aex_pending_is_done (first));
      aex_pending_resolve_int64 (making.promise, 7);
      aex_test_run_until_done (second);
      aex_assert_resolved_int64 (first, 7);
      aex_assert_resolved_int64 (second, 7);
      g_object_unref (lazy);
      aex_test_drain ();
      g_assert_cmpint (making.n_freed, ==, 1);
      making_clear (&making);
    }
}

/* --- by many threads */
typedef struct
{
  AexLazy *lazy;
  AexGate *start;
  AexGate  asked;
  gint64   value;
} Asker;

static gpointer
ask (gpointer asker)
{
  Asker *self = asker;
  g_autoptr (AexPending) value = NULL;

  if (self->start != NULL)
    aex_gate_wait (self->start);
  value = aex_lazy_get (self->lazy);
  aex_gate_open (&self->asked);
  aex_test_wait (value);
  self->value = aex_pending_get_int64 (value, NULL);
  return NULL;
}

/* One makes it and is held up; the other asks meanwhile, and gets what the first one made. */
static void
test_double_access (void)
{
  Making making;
  AexLazy *lazy;
  Asker askers[2] = { { NULL } };
  GThread *threads[2];

  making_init (&making);
  making.blocks = TRUE;
  lazy = aex_lazy_new (NULL, make_number, &making, making_freed);
  for (guint i = 0; i < 2; i++)
    {
      askers[i].lazy = lazy;
      aex_gate_init (&askers[i].asked);
      threads[i] = g_thread_new ("asker", ask, &askers[i]);
      if (i == 0)
        aex_gate_wait (&making.begun);
      else
        aex_gate_wait (&askers[i].asked);
    }
  aex_gate_open (&making.release);
  for (guint i = 0; i < 2; i++)
    {
      g_thread_join (threads[i]);
      aex_gate_clear (&askers[i].asked);
      g_assert_cmpint (askers[i].value, ==, 1);
    }
  g_assert_cmpint (making.n_calls, ==, 1);
  g_object_unref (lazy);
  aex_test_drain ();
  making_clear (&making);
}

#define N_ASKERS 8

static void
race_once (AexExecutor *executor)
{
  Making making;
  AexLazy *lazy;
  AexGate start;
  Asker askers[N_ASKERS] = { { NULL } };
  GThread *threads[N_ASKERS];

  making_init (&making);
  aex_gate_init (&start);
  lazy = aex_lazy_new (executor, make_number, &making, making_freed);
  for (guint i = 0; i < N_ASKERS; i++)
    {
      askers[i] = (Asker) { .lazy = lazy, .start = &start };
      aex_gate_init (&askers[i].asked);
      threads[i] = g_thread_new ("asker", ask, &askers[i]);
    }
  aex_gate_open (&start);
  for (guint i = 0; i < N_ASKERS; i++)
    {
      g_thread_join (threads[i]);
      aex_gate_clear (&askers[i].asked);
      g_assert_cmpint (askers[i].value, ==, 1);
    }
  g_object_unref (lazy);
  aex_test_drain ();
  g_assert_cmpint (making.n_calls, ==, 1);
  aex_gate_clear (&start);
  making_clear (&making);
}

static void
test_race (void)
{
  AexExecutor *pool = aex_test_pool (2);

  for (guint i = 0; i < aex_test_scale (200); i++)
    race_once (i % 2 == 0 ? NULL : pool);
  aex_test_shutdown (pool);
  aex_test_drain ();
}

/* --- failures */
static void
test_failure (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Making making;
  AexLazy *lazy;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;

  making_init (&making);
  making.fails = making.blocks = TRUE;
  lazy = aex_lazy_new (pool, make_number, &making, making_freed);
  first = aex_lazy_get (lazy);
  aex_gate_wait (&making.begun);
  second = aex_lazy_get (lazy);
  aex_gate_open (&making.release);
  aex_test_wait (first);
  aex_test_wait (second);
  aex_assert_failed_with (first, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  aex_assert_failed_with (second, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_cmpint (making.n_calls, ==, 1);
  g_assert_false (aex_lazy_is_made (lazy));
  making.fails = making.blocks = FALSE;
  assert_value (lazy, 2);
  assert_value (lazy, 2);
  g_object_unref (lazy);
  aex_test_shutdown (pool);
  aex_test_drain ();
  g_assert_cmpint (making.n_freed, ==, 1);
  making_clear (&making);
}

/* An executor that takes nothing: told to who asks. */
static void
test_closed (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) over = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  g_autoptr (AexPending) value = NULL;
  Making making;
  AexLazy *lazy;

  aex_test_wait (over);
  making_init (&making);
  lazy = aex_lazy_new (pool, make_number, &making, making_freed);
  value = aex_lazy_get (lazy);
  aex_test_wait (value);
  aex_assert_failed_with (value, AEX_ERROR, AEX_ERROR_CLOSED);
  g_object_unref (lazy);
  g_object_unref (pool);
  aex_test_drain ();
  g_assert_cmpint (making.n_calls, ==, 0);
  g_assert_cmpint (making.n_freed, ==, 1);
  making_clear (&making);
}

/* --- who asks, and what is made */
static void
test_cancelled_asker (void)
{
  AexExecutor *pool = aex_test_pool (1);
  Making making;
  AexLazy *lazy;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;

  making_init (&making);
  making.blocks = TRUE;
  lazy = aex_lazy_new (pool, make_number, &making, making_freed);
  first = aex_lazy_get (lazy);
  second = aex_lazy_get (lazy);
  aex_gate_wait (&making.begun);
  g_assert_true (aex_pending_cancel (first, "not me"));
  aex_assert_cancelled (first);
  aex_gate_open (&making.release);
  aex_test_wait (second);
  aex_assert_resolved_int64 (second, 1);
  assert_value (lazy, 1);
  g_object_unref (lazy);
  aex_test_shutdown (pool);
  aex_test_drain ();
  making_clear (&making);
}

/* The time of who asks first is not that of the value, nor is his group. */
static void
test_outside_of_scopes (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) over = NULL;
  Making making;
  AexLazy *lazy;

  making_init (&making);
  making.blocks = TRUE;
  lazy = aex_lazy_new (pool, make_number, &making, making_freed);
  g_assert_true (aex_pending_group_enter (group, NULL));
  first = aex_lazy_get (lazy);
  aex_gate_wait (&making.begun);
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (group)), ==, 0);
  aex_pending_group_cancel (group, NULL);
  over = aex_pending_group_end (group);
  aex_test_run_until_done (over);
  g_assert_false (aex_pending_is_cancelled (first));
  aex_gate_open (&making.release);
  aex_test_wait (first);
  aex_assert_resolved_int64 (first, 1);
  g_object_unref (lazy);
  aex_test_shutdown (pool);
  aex_test_drain ();
  making_clear (&making);
}

/* Dropped while it is made: who has asked gets it. */
static void
test_dropped (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) value = NULL;
  Making making;
  AexLazy *lazy;

  making_init (&making);
  making.blocks = TRUE;
  lazy = aex_lazy_new (pool, make_number, &making, making_freed);
  value = aex_lazy_get (lazy);
  g_object_unref (lazy);
  aex_gate_wait (&making.begun);
  aex_gate_open (&making.release);
  aex_test_wait (value);
  aex_assert_resolved_int64 (value, 1);
  aex_test_shutdown (pool);
  aex_test_drain ();
  g_assert_cmpint (making.n_freed, ==, 1);
  making_clear (&making);
}

/* --- X4: what it was given is freed once, whatever becomes of it. */
static void
test_given (gconstpointer is_async)
{
  for (guint i = 0; i < 3; i++)
    {
      Making making;
      AexLazy *lazy;
      g_autoptr (AexPending) value = NULL;

      making_init (&making);
      making.fails = i == 2;
      if (making.fails && is_async != NULL)
        aex_pending_reject_new (making.promise, G_IO_ERROR, G_IO_ERROR_FAILED, "no");
      else
        aex_pending_resolve (making.promise, NULL);
      lazy = is_async != NULL ? aex_lazy_new_async (NULL, follow_promise, &making, making_freed)
                              : aex_lazy_new (NULL, make_number, &making, making_freed);
      if (i > 0)
        {
          g_autoptr (GError) error = NULL;

          value = aex_lazy_get (lazy);
          error = aex_pending_dup_error (value);
          g_assert_true ((error != NULL) == (i == 2));
        }
      aex_test_drain ();
      g_assert_cmpint (making.n_freed, ==, i == 1);
      g_object_unref (lazy);
      aex_test_drain ();
      g_assert_cmpint (making.n_freed, ==, 1);
      making_clear (&making);
    }
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/lazy/K71/once", test_once);
  aex_test_add ("/lazy/K71/on-an-executor", test_on_an_executor);
  aex_test_add ("/lazy/K71/never-asked", test_never_asked);
  aex_test_add ("/lazy/K71/coroutine", test_coroutine);
  aex_test_add ("/lazy/K71/double_access", test_double_access);
  aex_test_add ("/lazy/K71/race", test_race);
  aex_test_add ("/lazy/K71/failure", test_failure);
  aex_test_add ("/lazy/K71/closed", test_closed);
  aex_test_add ("/lazy/K71/cancelled-asker", test_cancelled_asker);
  aex_test_add ("/lazy/K71/outside-of-scopes", test_outside_of_scopes);
  aex_test_add ("/lazy/K71/dropped", test_dropped);
  aex_test_add_data ("/destroy/X4/aex_lazy_new", NULL, test_given);
  aex_test_add_data ("/destroy/X4/aex_lazy_new_async", GINT_TO_POINTER (TRUE), test_given);
  return aex_test_run ();
}
