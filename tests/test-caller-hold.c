/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

#include "base/aex-thread-private.h"

/* K8, K14, K17, K20, K25, D5, P9, P19: who keeps a caller, and what it says of itself. */

/* --- K8 */
static void
test_multi_entry (void)
{
  AexCaller *caller = aex_test_caller_new ("held");
  g_autoptr (AexPending) plain = NULL;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  gboolean is_protected;

  g_assert_false (aex_caller_get_protected (caller));
  g_assert_true (aex_caller_hold (caller));
  g_assert_true (aex_caller_hold (caller));
  g_object_get (caller, "protected", &is_protected, NULL);
  g_assert_true (is_protected);
  plain = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (caller)), <, AEX_EXECUTOR_STATE_STOPPING);
  /* First in: waits for the other. */
  first = aex_caller_release (caller);
  g_assert_false (aex_pending_is_done (first));
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (caller)), <, AEX_EXECUTOR_STATE_STOPPING);
  second = aex_caller_release (caller);
  g_assert_true (first == second && first == plain);
  g_assert_false (aex_caller_hold (caller));
  aex_test_wait (first);
  g_assert_false (aex_caller_hold (caller));
  g_assert_false (aex_caller_get_protected (caller));
  g_object_unref (caller);
}

/* What runs is cancelled when the last one lets go, or runs on if he says so. */
static void
test_release_flags (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  g_autoptr (AexPending) running = NULL;
  g_autoptr (AexPending) stopped = NULL;

  g_assert_true (aex_caller_hold (caller));
  running = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_until_cancelled, NULL, NULL);
  stopped = aex_caller_release (caller);
  aex_test_wait (stopped);
  aex_assert_state (running, CANCELLED);
  g_object_unref (caller);
  g_clear_object (&running);
  g_clear_object (&stopped);

  caller = aex_test_caller_new (NULL);
  g_assert_true (aex_caller_hold (caller));
  running = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (8), NULL);
  stopped = aex_caller_release_full (caller, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (stopped);
  aex_assert_resolved_int64 (running, 8);
  g_object_unref (caller);
}

/* A hold is a reference, and a forced stop does not ask. */
static void
test_hold_keeps (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  guint64 id = aex_caller_get_id (caller);
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (AexCaller) found = NULL;

  g_assert_true (aex_caller_hold (caller));
  g_object_unref (caller);
  found = aex_caller_lookup (id);
  g_assert_true (found == caller);
  stopped = aex_caller_stop (found, AEX_STOP_FLAGS_FORCE);
  aex_test_wait (stopped);
  g_object_unref (aex_caller_release (found));
}

static void
test_protected (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  g_autoptr (AexPending) stopped = NULL;

  aex_caller_set_protected (caller, TRUE);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  g_assert_false (aex_pending_is_done (aex_caller_get_stopping (caller)));
  g_assert_true (aex_caller_hold (caller));
  g_object_unref (aex_caller_release (caller));
  aex_test_wait (stopped);
  g_object_unref (caller);
}

static gpointer
hold_and_release (gpointer caller)
{
  guint n = aex_test_scale (2000);

  for (guint i = 0; i < n; i++)
    {
      if (!aex_caller_hold (caller))
        break;
      /* The test holds it, so this is never the last. */
      g_object_unref (aex_caller_release (caller));
    }
  return NULL;
}

static void
test_from_threads (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  GThread *threads[4];
  g_autoptr (AexPending) stopped = NULL;

  g_assert_true (aex_caller_hold (caller));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("holder", hold_and_release, caller);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (caller)), <, AEX_EXECUTOR_STATE_STOPPING);
  stopped = aex_caller_release (caller);
  aex_test_wait (stopped);
  g_object_unref (caller);
}

/* --- P9, P19: release and stop from wherever, without blocking there */
static gboolean
job_release (AexPending   *job,
             GCancellable *cancellable,
             gpointer      caller,
             GError      **error)
{
  g_object_unref (aex_caller_release (caller));
  g_assert_false (aex_caller_hold (caller));
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  return TRUE;
}

static void
test_release_in_own_job (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  g_autoptr (AexPending) job = NULL;

  g_assert_true (aex_caller_hold (caller));
  job = aex_executor_submit (AEX_EXECUTOR (caller), job_release, caller, NULL);
  aex_test_wait (aex_caller_get_stopped (caller));
  g_assert_true (aex_pending_is_done (job));
  g_object_unref (caller);
}

static void
test_release_in_child (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  AexCaller *child = aex_test_caller_ref_child (caller, NULL);
  g_autoptr (AexPending) job = NULL;

  g_assert_true (aex_caller_hold (caller));
  job = aex_executor_submit (AEX_EXECUTOR (child), job_release, caller, NULL);
  aex_test_wait (aex_caller_get_stopped (caller));
  g_assert_true (aex_pending_is_done (aex_caller_get_stopped (child)));
  g_object_unref (child);
  g_object_unref (caller);
}

static void
on_done_release (AexPending *pending,
                 gpointer    caller)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AexPending) stopped = aex_caller_release (caller);

  /* Its end needs this very thread: nothing blocks here. */
  g_assert_false (aex_pending_wait (stopped, AEX_WAIT_FLAGS_SHIELD, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static gboolean
job_attach (AexPending   *job,
            GCancellable *cancellable,
            gpointer      caller,
            GError      **error)
{
  aex_pending_add_done_callback (job, on_done_release, caller, NULL);
  return TRUE;
}

static void
test_release_in_done_callback (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);

  g_assert_true (aex_caller_hold (caller));
  g_object_unref (aex_executor_submit (AEX_EXECUTOR (caller), job_attach, caller, NULL));
  aex_test_wait (aex_caller_get_stopped (caller));
  g_object_unref (caller);
}

static void
on_cancelled_stop (GCancellable *cancellable,
                   gpointer      caller)
{
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
}

static gboolean
job_stops_when_cancelled (AexPending   *job,
                          GCancellable *cancellable,
                          gpointer      data,
                          GError      **error)
{
  gpointer *arguments = data;

  g_signal_connect (cancellable, "cancelled", G_CALLBACK (on_cancelled_stop), arguments[0]);
  return aex_job_until_cancelled (job, cancellable, arguments[1], error);
}

static void
test_stop_in_cancel_handler (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  AexGate ready;
  gpointer arguments[] = { caller, &ready };
  g_autoptr (AexPending) job = NULL;

  aex_gate_init (&ready);
  job = aex_executor_submit (AEX_EXECUTOR (caller), job_stops_when_cancelled, arguments, NULL);
  aex_gate_wait (&ready);
  aex_pending_cancel (job, NULL);
  aex_test_wait (job);
  aex_test_drain ();
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  aex_test_wait (aex_caller_get_stopped (caller));
  aex_gate_clear (&ready);
  g_object_unref (caller);
}

/* --- K17, K20 */
static gboolean
post_fail (gpointer user_data,
           GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "direct failure");
  return FALSE;
}

static void
log_direct_failure (const char *name,
                    const char *expected)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = aex_caller_new_for_context (context, name, NULL);
  g_autofree char *label = expected == NULL ? g_strdup_printf ("caller-%" G_GUINT64_FORMAT, aex_caller_get_id (caller)) : NULL;
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  aex_caller_call_direct (caller, post_fail, NULL, NULL);
  while (g_main_context_iteration (context, FALSE))
    ;
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_cmpstr (aex_log_entry_get (log, 0, "AEX_EXECUTOR"), ==, expected != NULL ? expected : label);
  g_assert_cmpstr (aex_log_entry_get (log, 0, "AEX_PENDING"), ==, "");
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "direct failure"));
}

static void
test_direct_failure_logged (void)
{
  log_direct_failure ("database", "database");
  log_direct_failure (NULL, NULL);
}

static void
check_description (AexCaller  *caller,
                   const char *state,
                   const char *more)
{
  g_autofree char *text = aex_caller_describe (caller);
  g_autofree char *start = g_strdup_printf ("caller %" G_GUINT64_FORMAT " \"told\": %s", aex_caller_get_id (caller), state);

  g_assert_true (g_str_has_prefix (text, start));
  g_assert_nonnull (strstr (text, more));
  g_assert_null (strchr (text, '\n'));
}

static void
test_describe (void)
{
  AexCaller *caller = aex_test_caller_new ("told");
  AexCaller *child = aex_test_caller_ref_child (caller, "told");
  AexBlock block;
  AexPending *running;
  g_autoptr (AexPending) queued = NULL;

  aex_test_wait (aex_caller_get_started (caller));
  running = aex_block_begin (&block, AEX_EXECUTOR (caller));
  queued = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  g_assert_true (aex_caller_hold (caller));
  check_description (caller, "running, thread of its own", ", queued 1, running 1, children 1, holds 1");
  check_description (child, "", ", child of ");
  aex_block_end (&block, running);
  g_object_unref (aex_caller_release (caller));
  aex_test_wait (aex_caller_get_stopped (caller));
  check_description (caller, "stopped", "queued 0, running 0, children 0, holds 0");
  g_object_unref (child);
  g_object_unref (caller);
}

/* --- D5: code that does not return is not ended */
static void
test_stop_interrupts_nothing (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  AexBlock block;
  AexPending *running = aex_block_begin (&block, AEX_EXECUTOR (caller));
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);

  g_assert_true (aex_pending_is_cancelled (running));
  g_assert_false (aex_pending_is_done (running));
  g_assert_false (aex_pending_is_done (stopped));
  aex_block_end (&block, running);
  aex_test_wait (stopped);
  g_object_unref (caller);
}

/* --- K25: context and metadata of one submission */
static gboolean
job_see_context_and_metadata (AexPending   *job,
                              GCancellable *cancellable,
                              gpointer      var,
                              GError      **error)
{
  g_autoptr (GVariant) metadata = aex_pending_dup_metadata (job, "view");

  g_assert_cmpstr (g_variant_get_string (metadata, NULL), ==, "list");
  return aex_job_read_and_change_var (job, cancellable, var, error);
}

static void
test_schedule (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexContext) context = NULL;

  aex_test_var_set (var, 7);
  context = aex_context_ref_current ();
  aex_test_var_set (var, 8);
  aex_submit_options_set_context (options, context);
  aex_submit_options_set_metadata (options, "view", g_variant_new_string ("list"));
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit_full (AEX_EXECUTOR (caller), options, job_see_context_and_metadata, var, NULL);

      aex_test_wait (job);
      /* Not what was current, nor what the job before made of it. */
      aex_assert_resolved_int64 (job, 7);
    }
  g_assert_cmpint (aex_test_var_get (var), ==, 8);
  aex_test_caller_end (caller);
}

/* --- the last of a caller goes on a worker, with what the worker gives back of it */
static AexPending *
done_job_of_ended_caller (void)
{
  AexCaller *caller = aex_test_caller_new (NULL);
  AexPending *job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);

  aex_test_wait (job);
  aex_test_caller_end (caller);
  return job;
}

static gboolean
drop_both (AexPending   *job,
           GCancellable *cancellable,
           gpointer      jobs,
           GError      **error)
{
  g_object_unref (((AexPending **) jobs)[0]);
  g_object_unref (((AexPending **) jobs)[1]);
  return TRUE;
}

static void
test_last_of_two_callers (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexPending *jobs[] = { done_job_of_ended_caller (), done_job_of_ended_caller () };
  g_autoptr (AexPending) dropped = NULL;

  aex_thread_flush ();
  dropped = aex_executor_submit (pool, drop_both, jobs, NULL);
  aex_test_wait (dropped);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K8/multi-entry", test_multi_entry);
  aex_test_add ("/caller/K8/release-flags", test_release_flags);
  aex_test_add ("/caller/K8/hold-keeps", test_hold_keeps);
  aex_test_add ("/caller/K8-K14/protected", test_protected);
  aex_test_add ("/caller/K8/from-threads", test_from_threads);
  aex_test_add ("/caller/K8-P9/release-in-own-job", test_release_in_own_job);
  aex_test_add ("/caller/K8-P9/release-in-child", test_release_in_child);
  aex_test_add ("/caller/K8-P9-P19/release-in-done-callback", test_release_in_done_callback);
  aex_test_add ("/caller/P9-P19/stop-in-cancel-handler", test_stop_in_cancel_handler);
  aex_test_add ("/caller/K17/direct-failure-logged", test_direct_failure_logged);
  aex_test_add ("/caller/K20/describe", test_describe);
  aex_test_add ("/caller/D5/interrupts-nothing", test_stop_interrupts_nothing);
  aex_test_add_in_context ("/caller/K25/schedule", test_schedule);
  aex_test_add ("/caller/P13-X7/last-of-two", test_last_of_two_callers);
  return aex_test_run ();
}
