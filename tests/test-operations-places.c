/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"
#include "lib/aex-operation-test.h"

/* Named operations: on which executors they run, and many threads at one set. */

/* Everybody adds, calls and removes the same name: whoever added it is told once that it is gone. */

#define N_ROUNDS 300

typedef struct
{
  AexOperations *set;
  AexExecutor   *pool;
  guint          n_rounds;
  int            n_added;      /* atomic */
  int            n_released;   /* atomic */
} Crowd;

static void
crowd_release (gpointer crowd)
{
  g_atomic_int_inc (&((Crowd *) crowd)->n_released);
}

static gpointer
crowd_thread (gpointer crowd)
{
  Crowd *self = crowd;

  for (guint i = 0; i < self->n_rounds; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AexPending) call = NULL;

      g_atomic_int_inc (&self->n_added);
      if (!aex_operations_add (self->set, "x", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT, aex_op_nothing, self, crowd_release, &error))
        g_assert_error (error, AEX_ERROR, AEX_ERROR_EXISTS);
      call = aex_executor_call (self->pool, "x", NULL);
      aex_operations_remove (self->set, "x");
      aex_test_wait (call);
      if (aex_pending_get_state (call) == AEX_PENDING_STATE_REJECTED)
        aex_assert_failed_with (call, AEX_ERROR, AEX_ERROR_NOT_FOUND);
    }
  return NULL;
}

static gboolean
crowd_is_released (gpointer crowd)
{
  Crowd *self = crowd;

  return g_atomic_int_get (&self->n_released) == g_atomic_int_get (&self->n_added);
}

static void
test_crowd (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  Crowd crowd = { set, aex_pool_with_operations (set), aex_test_scale (N_ROUNDS) };
  GThread *threads[4];

  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("crowd", crowd_thread, &crowd);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  aex_operations_remove (set, "x");
  aex_test_shutdown (crowd.pool);
  aex_test_iterate_until (crowd_is_released, &crowd);
}

/* --- where */

static gboolean
op_thread (AexPending   *job,
           GVariant     *parameters,
           GCancellable *cancellable,
           gpointer      executor,
           GError      **error)
{
  g_assert_true (aex_pending_get_current () == job);
  aex_pending_resolve_variant (job, g_variant_new_uint64 ((guint64) (gsize) g_thread_self ()));
  return TRUE;
}

static void
test_on_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autofree char *here = g_strdup_printf ("uint64 %" G_GUINT64_FORMAT, (guint64) (gsize) g_thread_self ());
  AexPending *call;

  aex_add_operation (aex_operations_get_default (), "test-thread", "()", "t", op_thread, NULL);
  call = aex_executor_call (AEX_EXECUTOR (caller), "test-thread", NULL);
  g_assert_false (aex_pending_is_done (call));
  aex_test_run_until_done (call);
  aex_assert_gives (call, here);
  g_assert_true (aex_operations_remove (aex_operations_get_default (), "test-thread"));
}

/* --- a scripted executor gets calls like any job */

typedef AexExecutor Inline;
typedef AexExecutorClass InlineClass;
static GType inline_get_type (void);
G_DEFINE_TYPE (Inline, inline, AEX_TYPE_EXECUTOR)

static int n_dispatched;

static void
inline_dispatch (AexExecutor *self,
                 AexPending  *job,
                 GError     **error)
{
  n_dispatched++;
  aex_pending_run (job);
}

static void
inline_class_init (InlineClass *klass)
{
  klass->dispatch = inline_dispatch;
}

static void
inline_init (Inline *self)
{
}

static void
test_on_scripted (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *executor = g_object_new (inline_get_type (), "operations", set, NULL);
  g_autoptr (AexPending) shutdown = NULL;
  AexPending *call;

  aex_add_operation (set, "double", "i", "i", aex_op_double, NULL);
  n_dispatched = 0;
  call = aex_executor_call (executor, "double", g_variant_new_int32 (4));
  aex_test_run_until_done (call);
  aex_assert_gives (call, "8");
  g_assert_cmpint (n_dispatched, ==, 1);
  shutdown = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_run_until_done (shutdown);
  g_object_unref (executor);
}

static void
test_closed (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);
  g_autoptr (AexPending) shutdown = NULL;
  g_autoptr (AexPending) call = NULL;

  aex_add_operation (set, "nothing", "()", "()", aex_op_nothing, NULL);
  shutdown = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  call = aex_executor_call (pool, "nothing", NULL);
  aex_assert_state (call, CANCELLED);
  aex_assert_failed_with (call, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_wait (shutdown);
  g_object_unref (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/operations/O1/crowd", test_crowd);
  aex_test_add ("/operations/O4/on-caller", test_on_caller);
  aex_test_add ("/operations/O4/on-scripted", test_on_scripted);
  aex_test_add ("/operations/O4/closed", test_closed);
  return aex_test_run ();
}
