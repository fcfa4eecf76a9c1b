/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

/* K71: what the function of a lazy value sees, and what it waits for. */

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

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/lazy/K71/context", test_context);
  aex_test_add ("/lazy/K71/self-reference", test_self_reference);
  aex_test_add ("/lazy/K71/crossing", test_crossing);
  aex_test_add ("/lazy/K71/inside-a-pool", test_inside_a_pool);
  return aex_test_run ();
}
