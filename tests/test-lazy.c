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
  AexGate  asking;
  gint64   value;
} Asker;

static gpointer
ask (gpointer asker)
{
  Asker *self = asker;
  g_autoptr (AexPending) value = NULL;

  if (self->start != NULL)
    aex_gate_wait (self->start);
  aex_gate_open (&self->asking);
  value = aex_lazy_get (self->lazy);
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
      aex_gate_init (&askers[i].asking);
      threads[i] = g_thread_new ("asker", ask, &askers[i]);
      if (i == 0)
        aex_gate_wait (&making.begun);
      else
        aex_gate_wait (&askers[i].asking);
    }
  aex_gate_open (&making.release);
  for (guint i = 0; i < 2; i++)
    {
      g_thread_join (threads[i]);
      aex_gate_clear (&askers[i].asking);
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
      aex_gate_init (&askers[i].asking);
      threads[i] = g_thread_new ("asker", ask, &askers[i]);
    }
  aex_gate_open (&start);
  for (guint i = 0; i < N_ASKERS; i++)
    {
      g_thread_join (threads[i]);
      aex_gate_clear (&askers[i].asking);
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

typedef struct
{
  AexContextVar *var;
  int            seen;
} Seeing;

static gboolean
see_context (AexPending   *job,
             GCancellable *cancellable,
             gpointer      seeing,
             GError      **error)
{
  Seeing *self = seeing;

  self->seen = aex_test_var_get (self->var);
  return TRUE;
}

static void
test_context (void)
{
  Seeing seeing = { .var = aex_test_var_new (1) };
  AexLazy *lazy = aex_lazy_new (NULL, see_context, &seeing, NULL);
  g_autoptr (AexPending) value = NULL;

  aex_test_var_set (seeing.var, 2);
  value = aex_lazy_get (lazy);
  aex_assert_resolved_empty (value);
  g_assert_cmpint (seeing.seen, ==, 2);
  g_object_unref (lazy);
  g_object_unref (seeing.var);
}

/* --- it needs itself */
typedef struct
{
  AexLazy     *lazy;
  AexExecutor *helper;      /* on which its function asks; NULL: where it runs */
} Needing;

static gboolean
ask_again (AexPending   *job,
           GCancellable *cancellable,
           gpointer      needing,
           GError      **error)
{
  g_autoptr (AexPending) own = aex_lazy_get (((Needing *) needing)->lazy);

  return aex_pending_wait (own, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static gboolean
need_itself (AexPending   *job,
             GCancellable *cancellable,
             gpointer      needing,
             GError      **error)
{
  Needing *self = needing;
  g_autoptr (AexPending) work = NULL;

  if (self->helper == NULL)
    return ask_again (job, cancellable, self, error);
  work = aex_executor_submit (self->helper, ask_again, self, NULL);
  return aex_pending_wait (work, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_self_reference (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *helper = aex_test_pool (1);

  for (guint i = 0; i < 4; i++)
    {
      Needing needing = { NULL, i & 1 ? helper : NULL };
      g_autoptr (AexPending) value = NULL;

      needing.lazy = aex_lazy_new (i & 2 ? pool : NULL, need_itself, &needing, NULL);
      value = aex_lazy_get (needing.lazy);
      aex_test_wait (value);
      aex_assert_failed_with (value, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
      g_object_unref (needing.lazy);
    }
  aex_test_shutdown (pool);
  aex_test_shutdown (helper);
  aex_test_drain ();
}

/* Two that need each other, made by two threads: one of the waits is refused. */
typedef struct
{
  AexLazy **other;
  AexGate  *mine;
  AexGate  *theirs;
} Crossing;

static gboolean
ask_other (AexPending   *job,
           GCancellable *cancellable,
           gpointer      crossing,
           GError      **error)
{
  Crossing *self = crossing;
  g_autoptr (AexPending) other = NULL;

  aex_gate_open (self->mine);
  aex_gate_wait (self->theirs);
  other = aex_lazy_get (*self->other);
  if (aex_pending_wait (other, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
    return TRUE;
  aex_pending_cancel (other, NULL);
  return FALSE;
}

static gpointer
ask_crossing (gpointer lazy)
{
  g_autoptr (AexPending) value = aex_lazy_get (lazy);

  aex_test_wait (value);
  aex_assert_failed_with (value, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  return NULL;
}

static void
test_crossing (void)
{
  AexGate gates[2];
  AexLazy *lazies[2] = { NULL };
  Crossing crossings[2];
  GThread *threads[2];

  for (guint i = 0; i < 2; i++)
    {
      aex_gate_init (&gates[i]);
      crossings[i] = (Crossing) { &lazies[1 - i], &gates[i], &gates[1 - i] };
      lazies[i] = aex_lazy_new (NULL, ask_other, &crossings[i], NULL);
    }
  for (guint i = 0; i < 2; i++)
    threads[i] = g_thread_new ("asker", ask_crossing, lazies[i]);
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  for (guint i = 0; i < 2; i++)
    {
      g_object_unref (lazies[i]);
      aex_gate_clear (&gates[i]);
    }
}

/* Made inside a job of a pool with one thread, out of work for that same pool. */
static gboolean
make_with_pool (AexPending   *job,
                GCancellable *cancellable,
                gpointer      pool,
                GError      **error)
{
  g_autoptr (AexPending) part = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (5), NULL);

  if (!aex_pending_wait (part, AEX_WAIT_FLAGS_NONE, G_USEC_PER_SEC * 60, NULL, error))
    return FALSE;
  aex_pending_resolve_int64 (job, 2 * aex_pending_get_int64 (part, NULL));
  return TRUE;
}

static gboolean
ask_in_a_job (AexPending   *job,
              GCancellable *cancellable,
              gpointer      lazy,
              GError      **error)
{
  g_autoptr (AexPending) value = aex_lazy_get (lazy);

  aex_assert_resolved_int64 (value, 10);
  return TRUE;
}

static void
test_inside_a_pool (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexLazy *lazy = aex_lazy_new (NULL, make_with_pool, pool, NULL);
  g_autoptr (AexPending) job = aex_executor_submit (pool, ask_in_a_job, lazy, NULL);

  aex_test_wait (job);
  aex_assert_resolved_empty (job);
  g_object_unref (lazy);
  aex_test_shutdown (pool);
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
  aex_test_add_in_context ("/lazy/K71/context", test_context);
  aex_test_add ("/lazy/K71/self-reference", test_self_reference);
  aex_test_add ("/lazy/K71/crossing", test_crossing);
  aex_test_add ("/lazy/K71/inside-a-pool", test_inside_a_pool);
  aex_test_add ("/lazy/K71/dropped", test_dropped);
  return aex_test_run ();
}
