/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

/* Time, waits and streams. */

/* The service thread that keeps the time can not be started. */
static void
scenario_time (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) slept = aex_pending_sleep (MS);
  g_autoptr (AexPending) limited = aex_pending_with_timeout (promise, MS);
  g_autoptr (GError) error = NULL;

  fault_assert_clean (slept);
  fault_assert_fails (limited);
  g_assert_false (aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, MS, NULL, &error));
  g_assert_nonnull (error);
  aex_pending_resolve (promise, NULL);
}

static void
scenario_job_timeout (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;

  aex_submit_options_set_timeout (options, 5 * MS);
  job = aex_executor_submit_full (pool, options, aex_job_until_cancelled, NULL, NULL);
  fault_assert_fails (job);
  fault_shut_down (pool);
}

/* The job runs already when nothing can be had that would tell it its time: it is told so at once. */
static void
scenario_running_job_joins_scope (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexGate started;
  g_autoptr (AexPending) job = NULL;
  AexScope *scope = aex_scope_new (5 * MS, AEX_SCOPE_FLAGS_NONE);

  aex_gate_init (&started);
  job = aex_executor_submit (pool, aex_job_until_cancelled, &started, NULL);
  if (!aex_pending_is_done (job))
    {
      aex_gate_wait (&started);
      aex_scope_add (scope, job);
    }
  fault_assert_fails (job);
  aex_scope_unref (scope);
  aex_gate_clear (&started);
  fault_shut_down (pool);
}

/* In a scope: what can not be told its time fails with that, and blocking waits need nobody. */
static void
scenario_scope (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexScope *scope = aex_scope_enter (5 * MS, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_until_cancelled, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
  fault_assert_fails (job);
  aex_pending_resolve (promise, NULL);
  fault_shut_down (pool);
}

static void
scenario_map (void)
{
  AexExecutor *pool = aex_test_pool (3);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 50, 4, -1, AEX_MAP_FLAGS_CONTINUE_ON_ERROR, aex_map_nothing, NULL, NULL);
  guint n = 0;

  while (n <= 50)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

      if (result == NULL)
        break;
      n++;
    }
  g_assert_cmpuint (n, <=, 50);
  fault_shut_down (pool);
}

/* Several producers and one consumer, with room for two. */
static gboolean
job_push (AexPending   *job,
          GCancellable *cancellable,
          gpointer      stream,
          GError      **error)
{
  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (AexPending) pushed = aex_pending_stream_push (stream, NULL);

      if (!aex_pending_wait (pushed, AEX_WAIT_FLAGS_NONE, -1, NULL, error))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  AexPendingStream *stream;
  int               n_left;     /* atomic */
} Producers;

static void
on_producer_done (AexPending *job,
                  gpointer    producers)
{
  Producers *self = producers;

  if (g_atomic_int_dec_and_test (&self->n_left))
    aex_pending_stream_end (self->stream, NULL);
}

static void
scenario_stream (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (2);
  g_autoptr (AexPending) first = aex_executor_submit (pool, job_push, stream, NULL);
  g_autoptr (AexPending) second = aex_executor_submit (pool, job_push, stream, NULL);
  g_autoptr (GError) error = NULL;
  Producers producers = { stream, 2 };
  AexPendingResult *result;
  guint n = 0;

  aex_pending_add_done_callback_inline (first, on_producer_done, &producers, NULL);
  aex_pending_add_done_callback_inline (second, on_producer_done, &producers, NULL);
  while ((result = aex_pending_stream_next_sync (stream, -1, NULL, &error)) != NULL)
    {
      g_object_unref (result);
      n++;
    }
  g_assert_no_error (error);
  if (fault_assert_clean (first) && fault_assert_clean (second))
    g_assert_cmpuint (n, ==, 20);
  fault_assert_clean (second);
  fault_shut_down (pool);
}

/* --- through the main loop */

typedef struct
{
  guint n_ready;
} Ready;

static void
on_ready (GObject      *source,
          GAsyncResult *result,
          gpointer      ready)
{
  g_autoptr (GError) error = NULL;

  if (!aex_pending_wait_finish (AEX_PENDING (source), result, &error)
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    fault_assert_error (error);
  ((Ready *) ready)->n_ready++;
}

static gboolean
are_all_ready (gpointer ready)
{
  return ((Ready *) ready)->n_ready == 3;
}

static void
scenario_wait_async (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  Ready ready = { 0 };

  aex_pending_wait_async (job, AEX_WAIT_FLAGS_NONE, -1, NULL, on_ready, &ready);
  aex_pending_wait_async (job, AEX_WAIT_FLAGS_NONE, 1000 * MS, NULL, on_ready, &ready);
  aex_pending_wait_async (never, AEX_WAIT_FLAGS_NONE, MS, NULL, on_ready, &ready);
  aex_test_iterate_until (are_all_ready, &ready);
  aex_pending_resolve (never, NULL);
  fault_shut_down (pool);
}

static void
scenario_combine (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPending *members[3];
  g_autoptr (AexPending) all = NULL;
  g_autoptr (AexPending) set = NULL;
  g_autoptr (AexPendingStream) completed = NULL;

  for (guint i = 0; i < 3; i++)
    members[i] = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL);
  all = aex_pending_allv (members, 3);
  set = aex_pending_wait_set (members, 3, AEX_RETURN_WHEN_ALL_COMPLETED, 1000 * MS);
  completed = aex_pending_as_completed (members, 3);
  fault_assert_clean (all);
  fault_assert_clean (set);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (AexPending) next = aex_pending_stream_next (completed);

      fault_assert_clean (next);
      g_object_unref (members[i]);
    }
  g_object_unref (aex_pending_stream_close (completed));
  fault_shut_down (pool);
}

/* --- a caller whose loop is not GLib's: it is told, and dispatches */

static void
on_wake (AexCaller *caller,
         gpointer   gate)
{
  aex_gate_open (gate);
}

static void
scenario_hosted (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) later = NULL;
  g_autoptr (AexPending) job = NULL;
  AexGate gate;

  aex_gate_init (&gate);
  aex_caller_set_wake_func (caller, on_wake, &gate, NULL);
  job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (1), NULL);
  later = aex_caller_call_later (caller, 0, aex_job_int, GINT_TO_POINTER (1), NULL);
  while (!aex_pending_is_done (job) || !aex_pending_is_done (later))
    {
      aex_gate_wait (&gate);
      while (aex_caller_dispatch (caller, -1))
        ;
    }
  aex_caller_set_wake_func (caller, NULL, NULL, NULL);
  fault_assert_clean (job);
  fault_assert_clean (later);
  fault_shut_down (pool);
  aex_gate_clear (&gate);
}

static void
scenario_timers (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  for (guint i = 0; i < 20; i++)
    g_ptr_array_add (jobs, aex_caller_call_later (caller, (i % 5) * MS, aex_job_int, GINT_TO_POINTER (i), NULL));
  for (guint i = 0; i < 20; i++)
    {
      aex_test_run_until_done (jobs->pdata[i]);
      g_assert_true (fault_assert_clean (jobs->pdata[i]));
    }
}

/* A group that can not be begun, because nothing would tell when its time is over, is as it was before. */
static void
scenario_group (void)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPending) member = aex_pending_new (), end = NULL;
  gboolean begun = FALSE;

  aex_pending_group_set_timeout (group, 10 * MS);
  for (guint i = 0; i < 3 && !begun; i++)
    {
      g_autoptr (GError) error = NULL;

      begun = aex_pending_group_begin (group, &error);
      g_assert_false (g_error_matches (error, AEX_ERROR, AEX_ERROR_REENTERED));
      g_assert_false (!begun && aex_pending_group_is_over (group));
      if (!begun)
        fault_assert_error (error);
    }
  if (!begun)
    return;
  g_assert_true (aex_pending_group_add (group, member));
  end = aex_pending_group_end (group);
  fault_assert_fails (end);
  aex_assert_cancelled (member);
}

const FaultScenario fault_wait_scenarios[] = {
  { "time", scenario_time, fault_thread_faults },
  { "job-timeout", scenario_job_timeout, fault_thread_faults },
  { "N9-scope", scenario_scope, fault_thread_faults },
  { "N9-running-job-joins-scope", scenario_running_job_joins_scope, fault_thread_faults },
  { "K67-group", scenario_group, fault_thread_faults },
  { "map", scenario_map, fault_thread_faults },
  { "K70-stream", scenario_stream, fault_thread_faults },
  { "wait-async", scenario_wait_async, fault_thread_faults },
  { "combine", scenario_combine, fault_thread_faults },
  { "hosted", scenario_hosted, NULL },
  { "timers", scenario_timers, NULL },
  { NULL },
};
