/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

/* Jobs, and where they run. */

gboolean fault_is_harmless;

const char *const fault_thread_faults[] = { "pthread_create:EAGAIN", "eventfd:EMFILE", NULL };

void
fault_assert_error (const GError *error)
{
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
  g_assert_false (fault_is_harmless);
}

gboolean
fault_assert_clean (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  aex_test_wait (pending);
  if (aex_pending_get_state (pending) == AEX_PENDING_STATE_RESOLVED)
    return TRUE;
  error = aex_pending_dup_error (pending);
  fault_assert_error (error);
  return FALSE;
}

void
fault_assert_fails (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  aex_test_wait (pending);
  error = aex_pending_dup_error (pending);
  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, !=, "");
}

void
fault_shut_down (AexExecutor *executor)
{
  g_autoptr (AexPending) done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_wait (done);
  g_object_unref (executor);
}

/* At least one worker: all is done.  None: all is refused, and the next try may work. */
static void
scenario_pool (void)
{
  AexExecutor *pool = aex_test_pool (4);
  guint n_ok = 0;

  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

      for (guint i = 0; i < 20; i++)
        g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL));
      for (guint i = 0; i < 20; i++)
        n_ok += fault_assert_clean (jobs->pdata[i]);
    }
  g_assert_cmpuint (n_ok, <=, 60);
  fault_shut_down (pool);
}

static gboolean
post_count (gpointer n,
            GError **error)
{
  g_atomic_int_inc ((int *) n);
  return TRUE;
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     user_data)
{
  return TRUE;
}

static void
scenario_post (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPoison poisons[10];
  int n = 0;

  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled), NULL);
  aex_executor_post (pool, post_count, &n, NULL);
  for (guint i = 0; i < 10; i++)
    {
      aex_poison_init (&poisons[i]);
      poisons[i].thread = NULL;
      g_object_unref (aex_executor_submit (pool, aex_poison_job, &poisons[i], aex_poison_release));
    }
  fault_shut_down (pool);
  for (guint i = 0; i < 10; i++)
    aex_test_iterate_until (aex_poison_is_released, &poisons[i]);
}

/* A chain that needs replacements for threads that block. */
typedef struct
{
  AexExecutor *pool;
  guint        left;
} Chain;

static gboolean
job_chain (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  Chain *self = user_data;
  Chain below = { self->pool, self->left - 1 };
  g_autoptr (AexPending) next = NULL;

  if (self->left == 0)
    return TRUE;
  next = aex_executor_submit (self->pool, job_chain, &below, NULL);
  if (aex_pending_wait (next, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
    return TRUE;
  /* below lives on this stack */
  aex_pending_cancel (next, NULL);
  aex_pending_wait (next, AEX_WAIT_FLAGS_NO_RESULT | AEX_WAIT_FLAGS_SHIELD, -1, NULL, NULL);
  return FALSE;
}

static void
scenario_replacements (void)
{
  Chain chain = { aex_test_pool (1), 60 };
  g_autoptr (AexPending) job = aex_executor_submit (chain.pool, job_chain, &chain, NULL);

  fault_assert_clean (job);
  fault_shut_down (chain.pool);
}

static gboolean
job_in_vain (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  return TRUE;
}

static void
scenario_caller_thread (void)
{
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;
      AexCaller *caller = aex_caller_new_thread ("faulty", &error);
      g_autoptr (AexPending) job = NULL;
      g_autoptr (AexPending) later = NULL;

      if (caller == NULL)
        {
          fault_assert_error (error);
          continue;
        }
      g_assert_no_error (error);
      job = aex_executor_submit (AEX_EXECUTOR (caller), job_in_vain, NULL, NULL);
      fault_assert_clean (job);
      later = aex_caller_call_later (caller, MS, job_in_vain, NULL, NULL);
      fault_assert_clean (later);
      fault_shut_down (AEX_EXECUTOR (caller));
    }
}

/* A context of the program's own; GLib falls back to a pipe for its part. */
static void
scenario_pushed_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (&error);
  if (caller == NULL)
    {
      g_assert_nonnull (error);
      g_clear_error (&error);
      caller = aex_caller_ref_current (&error);
    }
  if (caller != NULL)
    {
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_in_vain, NULL, NULL);

      while (!aex_pending_is_done (job))
        g_main_context_iteration (context, TRUE);
      fault_assert_clean (job);
    }
  g_main_context_pop_thread_default (context);
}

/* A callback attached where no home can be made is dropped, not lost from memory. */
static void
scenario_callbacks (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  AexPoison callback, then;

  g_main_context_push_thread_default (context);
  aex_poison_init (&callback);
  aex_poison_init (&then);
  callback.thread = then.thread = NULL;
  aex_pending_add_done_callback (promise, aex_poison_callback, &callback, aex_poison_release);
  derived = aex_pending_then (promise, aex_poison_then, &then, aex_poison_release);
  aex_pending_resolve (promise, NULL);
  while (!aex_poison_is_released (&callback) || !aex_poison_is_released (&then) || !aex_pending_is_done (derived))
    g_main_context_iteration (context, FALSE);
  g_main_context_pop_thread_default (context);
}

/* A worker asks for a context of its own. */
static gboolean
job_ref_caller (AexPending   *job,
                GCancellable *cancellable,
                gpointer      user_data,
                GError      **error)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (error);

  return caller != NULL;
}

static void
scenario_context_in_worker (void)
{
  AexExecutor *pool = aex_test_pool (2);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (pool, job_ref_caller, NULL, NULL);

      fault_assert_clean (job);
    }
  fault_shut_down (pool);
}


/* A limiter hands what was cancelled over to be released where it would have run: where no thread is and none can be
 * started, that must not keep the pool for ever. */
static void
scenario_limiter (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_limiter_new (pool, 1);
  g_autoptr (AexPending) acquired = aex_limiter_acquire (AEX_LIMITER (limiter));
  g_autoptr (AexPending) dropped = NULL;
  AexPermit *permit;
  AexPoison poison;

  aex_test_wait (acquired);
  permit = aex_pending_dup_boxed (acquired, AEX_TYPE_PERMIT, NULL);
  aex_poison_init (&poison);
  poison.thread = NULL;
  dropped = aex_executor_submit (limiter, aex_poison_job, &poison, aex_poison_release);
  aex_pending_cancel (dropped, NULL);
  aex_permit_release (permit);
  aex_permit_unref (permit);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (limiter, aex_job_int, GINT_TO_POINTER (i), NULL);

      fault_assert_clean (job);
    }
  fault_shut_down (limiter);
  fault_shut_down (pool);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

static void
scenario_caller_pool (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      AexExecutor *pool = aex_caller_pool_new (3, &error);

      if (pool == NULL)
        {
          fault_assert_error (error);
          continue;
        }
      for (guint k = 0; k < 9; k++)
        {
          g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (k), NULL);

          fault_assert_clean (job);
        }
      fault_shut_down (pool);
    }
}

const FaultScenario fault_work_scenarios[] = {
  { "pool", scenario_pool, fault_thread_faults },
  { "post", scenario_post, fault_thread_faults },
  { "replacements", scenario_replacements, fault_thread_faults },
  { "K4-caller-thread", scenario_caller_thread, fault_thread_faults },
  { "pushed-context", scenario_pushed_context, fault_thread_faults },
  { "callbacks", scenario_callbacks, fault_thread_faults },
  { "context-in-worker", scenario_context_in_worker, fault_thread_faults },
  { "E8-limiter", scenario_limiter, fault_thread_faults },
  { "S14-caller-pool", scenario_caller_pool, fault_thread_faults },
  { NULL },
};
