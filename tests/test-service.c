/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-service-test.h"

/* K43: what runs for a while, says when it has started, and is told when to stop. */

/* --- its life */
static void
test_sync (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) started = NULL;
  g_autoptr (AexPending) again = NULL;
  g_autoptr (AexPending) stopped = NULL;

  g_assert_false (aex_pending_is_done (aex_service_get_started (service)));
  started = aex_service_start (service);
  again = aex_service_start (service);
  g_assert_true (started == again && started == aex_service_get_started (service));
  aex_test_wait (started);
  aex_assert_resolved_empty (started);
  g_assert_false (aex_service_ready (service));
  g_assert_false (aex_pending_is_done (aex_service_get_stopping (service)));

  /* Told through its caller, which waits for it and does not cancel it. */
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  aex_test_wait (aex_service_get_stopping (service));
  stopped = aex_service_stop (service);
  g_assert_true (stopped == aex_service_get_stopped (service));
  aex_test_settle_stopping (caller);
  g_assert_false (aex_pending_is_done (stopped));
  g_assert_false (aex_pending_is_done (aex_caller_get_stopped (caller)));
  aex_pending_resolve_int64 (serving.resume, 42);
  aex_test_wait (stopped);
  aex_assert_resolved_int64 (stopped, 42);
  aex_test_wait (aex_caller_get_stopped (caller));
  g_assert_cmpint (serving.n_calls, ==, 1);
  g_object_unref (service);
  g_object_unref (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  aex_serving_clear (&serving);
}

static void
test_reports_are_protected (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  AexPending *reports[] = { aex_service_get_started (service), aex_service_get_stopping (service), aex_service_get_stopped (service) };
  g_autoptr (AexPending) stopped = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (reports); i++)
    {
      g_assert_false (aex_pending_cancel (reports[i], "no"));
      g_assert_false (aex_pending_is_cancelled (reports[i]));
    }
  g_object_unref (aex_service_start (service));
  aex_test_wait (reports[0]);
  g_assert_cmpstr (aex_service_get_name (service), ==, "test");
  g_assert_true (aex_service_get_caller (service) == caller);
  aex_pending_resolve (serving.resume, NULL);
  stopped = aex_service_stop (service);
  aex_test_wait (stopped);
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* --- stopped before it has started */
static void
test_stop_before_start (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) stopped = aex_service_stop (service);
  g_autoptr (AexPending) started = aex_service_start (service);

  aex_assert_stopped_early (stopped);
  aex_assert_stopped_early (started);
  aex_assert_state (aex_service_get_stopping (service), RESOLVED);
  aex_test_settle_caller (caller);
  g_assert_cmpint (serving.n_calls, ==, 0);
  g_assert_cmpint (serving.n_freed, ==, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* Its job is queued: it never runs. */
static void
test_stop_while_queued (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, AEX_EXECUTOR (caller));
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) started = aex_service_start (service);
  g_autoptr (AexPending) stopped = aex_service_stop (service);

  aex_assert_stopped_early (stopped);
  aex_assert_stopped_early (started);
  aex_block_end (&block, blocker);
  aex_test_settle_caller (caller);
  g_assert_cmpint (serving.n_calls, ==, 0);
  g_assert_cmpint (serving.n_freed, ==, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* It runs and has not said so: started is over, and the rest goes on. */
static void
test_stop_before_ready (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) stopped = NULL;

  serving.says_ready = FALSE;
  g_object_unref (aex_service_start (service));
  aex_gate_wait (&serving.called);
  stopped = aex_service_stop (service);
  aex_assert_stopped_early (aex_service_get_started (service));
  g_assert_false (aex_service_ready (service));
  g_assert_false (aex_pending_is_done (stopped));
  aex_pending_resolve_int64 (serving.resume, 1);
  aex_test_wait (stopped);
  aex_assert_resolved_int64 (stopped, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* A caller that has stopped takes no service, and says so; one that stops tells those that were not started. */
static void
test_caller_has_stopped (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *first = aex_serving_new (caller, &serving);
  AexService *second;
  g_autoptr (AexPending) started = NULL;

  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  aex_test_wait (aex_caller_get_stopped (caller));
  aex_assert_stopped_early (aex_service_get_stopped (first));
  second = aex_service_new (caller, NULL, aex_serving_run, NULL, NULL);
  started = aex_service_start (second);
  aex_assert_stopped_early (started);
  g_object_unref (first);
  g_object_unref (second);
  g_object_unref (caller);
  aex_serving_clear (&serving);
}

/* Dropped from the queue of its caller, which is stopped. */
static void
test_dropped_by_its_caller (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, AEX_EXECUTOR (caller));
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);

  g_object_unref (aex_service_start (service));
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  aex_test_wait (aex_service_get_stopped (service));
  aex_assert_state (aex_service_get_stopped (service), CANCELLED);
  aex_assert_state (aex_service_get_started (service), CANCELLED);
  aex_block_end (&block, blocker);
  aex_test_wait (aex_caller_get_stopped (caller));
  g_object_unref (service);
  g_object_unref (caller);
  g_assert_cmpint (serving.n_calls, ==, 0);
  g_assert_cmpint (serving.n_freed, ==, 1);
  aex_serving_clear (&serving);
}

static void
test_refused (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, AEX_EXECUTOR (caller));
  g_autoptr (AexPending) queued = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) started = NULL;

  aex_executor_set_max_pending (AEX_EXECUTOR (caller), 1);
  started = aex_service_start (service);
  aex_assert_failed_with (started, AEX_ERROR, AEX_ERROR_BUSY);
  aex_assert_failed_with (aex_service_get_stopped (service), AEX_ERROR, AEX_ERROR_BUSY);
  aex_block_end (&block, blocker);
  aex_test_wait (queued);
  aex_test_settle_caller (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* --- the function */
static void
test_function_once (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexService *service = aex_service_new (caller, NULL, NULL, NULL, NULL);
  g_autoptr (AexPending) nothing = aex_service_start (service);
  g_autoptr (GError) error = NULL;
  AexServing serving;

  aex_assert_failed_with (nothing, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  g_assert_false (aex_pending_is_done (aex_service_get_started (service)));
  aex_serving_init (&serving, caller);
  g_assert_true (aex_service_set_func (service, aex_serving_run, &serving, aex_serving_freed, &error));
  g_assert_no_error (error);
  g_assert_false (aex_service_set_func (service, aex_serving_run, g_object_new (G_TYPE_OBJECT, NULL), g_object_unref, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_EXISTS);
  aex_pending_resolve (serving.resume, NULL);
  g_object_unref (aex_service_start (service));
  aex_test_wait (aex_service_get_started (service));
  g_object_unref (aex_service_stop (service));
  aex_test_wait (aex_service_get_stopped (service));
  aex_assert_resolved_empty (aex_service_get_stopped (service));
  g_object_unref (service);
  aex_test_caller_end (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  aex_serving_clear (&serving);
}

static AexPending *
end_at_once (AexService *service,
             gpointer    user_data,
             GError    **error)
{
  aex_service_ready (service);
  return NULL;
}

/* --- context: a stretch of code for which it runs */
static void
test_context (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  AexService *service = aex_service_new (NULL, NULL, end_at_once, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_service_get_caller (service) == caller);
  g_assert_false (aex_service_enter (service, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_FAILED);
  g_clear_error (&error);
  g_object_unref (aex_service_start (service));
  g_assert_true (aex_service_enter (service, &error));
  g_assert_no_error (error);
  g_assert_false (aex_service_enter (service, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_REENTERED);
  aex_test_run_until_done (aex_service_get_stopped (service));
  aex_assert_failed_with (aex_service_get_stopped (service), AEX_ERROR, AEX_ERROR_STOPPED_EARLY);
  g_object_unref (service);
}

static void
test_context_elsewhere (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (GError) error = NULL;

  aex_pending_resolve (serving.resume, NULL);
  g_object_unref (aex_service_start (service));
  g_assert_false (aex_service_enter (service, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  /* Not before it says that it is ready. */
  aex_gate_wait (&serving.called);
  g_object_unref (aex_service_stop (service));
  aex_test_wait (aex_service_get_stopped (service));
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/service/K43/sync", test_sync);
  aex_test_add ("/service/K43/protected", test_reports_are_protected);
  aex_test_add ("/service/K43/stop-before-start", test_stop_before_start);
  aex_test_add ("/service/K43/stop-while-queued", test_stop_while_queued);
  aex_test_add ("/service/K43/stop-before-ready", test_stop_before_ready);
  aex_test_add ("/service/K43/caller-has-stopped", test_caller_has_stopped);
  aex_test_add ("/service/K43/dropped-by-its-caller", test_dropped_by_its_caller);
  aex_test_add ("/service/K43/refused", test_refused);
  aex_test_add ("/service/K43/function-once", test_function_once);
  aex_test_add ("/service/K43/context", test_context);
  aex_test_add ("/service/K43/context-elsewhere", test_context_elsewhere);
  return aex_test_run ();
}
