/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* What g_object_get() and g_object_set() give and change is what the getters say. */

static void
count_notify (GObject    *object,
              GParamSpec *spec,
              gpointer    n)
{
  (*(int *) n)++;
}

static guint
get_uint (gpointer    object,
          const char *name)
{
  guint value = 0;

  g_object_get (object, name, &value, NULL);
  return value;
}

static void
test_executor (void)
{
  g_autoptr (AexOperations) operations = aex_operations_new ();
  AexExecutor *pool = g_object_new (AEX_TYPE_THREAD_POOL, "name", "of properties", "record-times", TRUE,
                                    "operations", operations, "max-pending", 7u, "max-workers", 1u, NULL);
  g_autoptr (AexOperations) its_operations = NULL;
  g_autofree char *name = NULL;
  AexExecutorState state;
  gboolean record_times = FALSE, anywhere = TRUE;
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) queued = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  g_autoptr (AexPending) refused = NULL;

  g_object_get (pool, "name", &name, "record-times", &record_times, "dispatch-anywhere", &anywhere,
                "operations", &its_operations, "state", &state, NULL);
  g_assert_cmpstr (name, ==, "of properties");
  g_assert_true (record_times);
  g_assert_false (anywhere);
  g_assert_true (its_operations == operations);
  g_assert_cmpint (state, ==, AEX_EXECUTOR_STATE_RUNNING);
  g_assert_cmpuint (get_uint (pool, "max-pending"), ==, 7);
  g_assert_cmpuint (get_uint (pool, "n-pending"), ==, 1);
  g_assert_cmpuint (get_uint (pool, "n-running"), ==, 1);
  g_object_set (pool, "max-pending", 1u, NULL);
  g_assert_cmpuint (aex_executor_get_max_pending (pool), ==, 1);
  refused = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_assert_failed_with (refused, AEX_ERROR, AEX_ERROR_BUSY);
  aex_block_end (&block, blocker);
  aex_test_wait (queued);
  aex_test_shutdown (pool);
}

static void
test_thread_pool (void)
{
  AexExecutor *pool = g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 3u, "idle-timeout-us", G_GINT64_CONSTANT (5),
                                    "help-waiting", TRUE, NULL);
  AexThreadPool *self = AEX_THREAD_POOL (pool);
  gint64 idle_timeout = 0;
  gboolean help = FALSE;
  int n = 0;

  g_assert_cmpuint (get_uint (pool, "max-workers"), ==, 3);
  g_object_get (pool, "idle-timeout-us", &idle_timeout, "help-waiting", &help, NULL);
  g_assert_cmpint (idle_timeout, ==, 5);
  g_assert_true (help);
  g_assert_true (aex_thread_pool_get_help_waiting (self));
  g_signal_connect (pool, "notify::max-workers", G_CALLBACK (count_notify), &n);
  g_object_set (pool, "max-workers", 2u, "idle-timeout-us", G_GINT64_CONSTANT (-1), "help-waiting", FALSE, NULL);
  g_assert_cmpint (n, ==, 1);
  g_assert_cmpuint (aex_thread_pool_get_max_workers (self), ==, 2);
  g_assert_cmpint (aex_thread_pool_get_idle_timeout (self), ==, -1);
  g_assert_false (aex_thread_pool_get_help_waiting (self));
  aex_thread_pool_set_help_waiting (self, TRUE);
  g_assert_true (aex_thread_pool_get_help_waiting (self));
  /* 0 is what the machine has. */
  aex_thread_pool_set_max_workers (self, 0);
  g_assert_cmpuint (get_uint (pool, "max-workers"), >=, 1);
  aex_test_shutdown (pool);
}

static void
test_limiter (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexExecutor *limiter = g_object_new (AEX_TYPE_LIMITER, "wrapped", pool, "max-concurrent", 2u, NULL);
  g_autoptr (AexExecutor) wrapped = NULL;
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) second = NULL;

  g_object_get (limiter, "wrapped", &wrapped, NULL);
  g_assert_true (wrapped == pool);
  g_assert_cmpuint (get_uint (limiter, "max-concurrent"), ==, 2);
  g_object_set (limiter, "max-concurrent", 1u, NULL);
  g_assert_cmpuint (aex_limiter_get_max_concurrent (AEX_LIMITER (limiter)), ==, 1);
  blocker = aex_block_begin (&block, limiter);
  second = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (2), NULL);
  g_assert_cmpuint (get_uint (limiter, "n-pending"), ==, 1);
  aex_block_end (&block, blocker);
  aex_test_wait (second);
  aex_test_shutdown (limiter);
  g_clear_object (&wrapped);
  aex_test_shutdown (pool);
}

static void
test_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  guint64 id = 0;

  g_object_get (caller, "id", &id, NULL);
  g_assert_cmpuint (id, ==, aex_caller_get_id (caller));
  g_assert_cmpuint (id, >, 0);
}

/* Nobody has to make callers that way; who does gets one that works, and is told. */
static void
test_caller_by_hand (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (AexPending) job = NULL;

  g_test_expect_message ("AsyncExec", G_LOG_LEVEL_WARNING, "*g_object_new()*");
  caller = g_object_new (AEX_TYPE_CALLER, NULL);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (aex_caller_get_id (caller), ==, aex_caller_get_id (main_caller));
  job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_thread, NULL, NULL);
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_get_pointer (job, NULL) == g_thread_self ());
}

/* The object of a caller that others keep alive comes and goes; what it was set to stays. */
static void
test_settings_outlive_the_object (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);
  guint64 id = aex_caller_get_id (caller);

  aex_executor_set_max_pending (AEX_EXECUTOR (caller), 3);
  aex_caller_set_max_workers (caller, 2);
  g_assert_finalize_object (caller);
  caller = aex_caller_ref_for_context (context);
  g_assert_cmpuint (aex_caller_get_id (caller), ==, id);
  g_assert_cmpuint (aex_executor_get_max_pending (AEX_EXECUTOR (caller)), ==, 3);
  g_assert_cmpuint (aex_caller_get_max_workers (caller), ==, 2);
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  while (g_main_context_iteration (context, FALSE))
    ;
  g_object_unref (caller);
}

static void
test_caller_pool (void)
{
  AexExecutor *pool = g_object_new (AEX_TYPE_CALLER_POOL, "n-callers", 2u, NULL);
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (5), NULL);

  g_assert_cmpuint (get_uint (pool, "n-callers"), ==, 2);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 5);
  aex_test_shutdown (pool);
}

static void
test_pending (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autofree char *name = NULL;
  AexPendingState state;

  aex_pending_set_name (pending, "of properties");
  g_object_get (pending, "name", &name, "state", &state, NULL);
  g_assert_cmpstr (name, ==, "of properties");
  g_assert_cmpint (state, ==, AEX_PENDING_STATE_RUNNING);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_object_get (pending, "state", &state, NULL);
  g_assert_cmpint (state, ==, AEX_PENDING_STATE_RESOLVED);
}

static void
test_context_var (void)
{
  g_autoptr (AexContextVar) var = aex_test_var_new (3);
  g_autofree char *name = NULL;

  g_object_get (var, "name", &name, NULL);
  g_assert_cmpstr (name, ==, "test");
  g_assert_cmpint (aex_test_var_get (var), ==, 3);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/properties/R13/executor", test_executor);
  aex_test_add ("/properties/R13/thread-pool", test_thread_pool);
  aex_test_add ("/properties/R13/limiter", test_limiter);
  aex_test_add ("/properties/R13/caller", test_caller);
  aex_test_add ("/properties/R13/caller-by-hand", test_caller_by_hand);
  aex_test_add ("/properties/R13/settings-outlive-the-object", test_settings_outlive_the_object);
  aex_test_add ("/properties/R13/caller-pool", test_caller_pool);
  aex_test_add ("/properties/R13/pending", test_pending);
  aex_test_add ("/properties/R13/context-var", test_context_var);
  return aex_test_run ();
}
