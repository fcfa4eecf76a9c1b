/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

#include <string.h>

/* Rule 7: errors are never lost; and what travels with them. */

static guint
n_reports (GPtrArray  *log,
           const char *text)
{
  guint n = 0;

  for (guint i = 0; i < log->len; i++)
    n += strstr (aex_log_entry_get (log, i, "MESSAGE"), text) != NULL;
  return n;
}

static void
assert_reports (const char *text,
                guint       expected)
{
  g_autoptr (GPtrArray) log = NULL;

  /* A report may be made where the last reference was dropped: here. */
  aex_test_drain ();
  log = aex_test_log_end ();
  g_assert_cmpuint (n_reports (log, text), ==, expected);
  g_assert_cmpuint (log->len, ==, expected);
}

static AexPending *
new_rejected (const char *text)
{
  AexPending *pending = aex_pending_new ();

  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_FAILED, "%s", text));
  return pending;
}

/* --- reported once */

static void
test_unobserved (void)
{
  aex_test_log_begin ();
  aex_assert_last_unref (new_rejected ("nobody looked"));
  assert_reports ("nobody looked", 1);
}

static void
test_report_has_fields (void)
{
  g_autoptr (GPtrArray) log = NULL;
  AexPending *pending = new_rejected ("with fields");

  aex_pending_set_name (pending, "the-name");
  aex_test_log_begin ();
  g_object_unref (pending);
  aex_test_drain ();
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_cmpstr (aex_log_entry_get (log, 0, "GLIB_DOMAIN"), ==, "AsyncExec");
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "the-name"));
}

static void
look_at_nothing (AexPending *pending,
                 gpointer    data)
{
  *(int *) data = 1;
}

/* To be told that something is done is not to have looked at it. */
static void
test_callback_does_not_observe (void)
{
  AexPending *pending = new_rejected ("only told");
  int called = 0;

  aex_test_log_begin ();
  aex_pending_add_done_callback (pending, look_at_nothing, &called, NULL);
  aex_test_iterate_until (aex_test_is_set, &called);
  g_assert_true (aex_pending_is_done (pending));
  aex_assert_state (pending, REJECTED);
  g_object_unref (pending);
  assert_reports ("only told", 1);
}

static void
test_no_result_does_not_observe (void)
{
  AexPending *pending = new_rejected ("waited blindly");
  g_autoptr (GError) error = NULL;

  aex_test_log_begin ();
  g_assert_true (aex_pending_wait (pending, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, &error));
  g_assert_no_error (error);
  g_object_unref (pending);
  assert_reports ("waited blindly", 1);
}

/* --- observed in every way */

static void
observe_dup_error (AexPending *pending)
{
  aex_assert_failed_with (pending, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
observe_dup_value (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_pending_dup_value (pending, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
observe_getter (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_pending_dup_string (pending, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
observe_wait (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
observe_run_until_done (AexPending *pending)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_run_until_done (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
observe_result (AexPending *pending)
{
  g_autoptr (AexPendingResult) result = aex_pending_dup_result (pending);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (result);
  g_assert_false (aex_pending_result_get_success (result));
  error = aex_pending_result_dup_error (result);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
finish_waiting (GObject      *source,
                GAsyncResult *result,
                gpointer      called)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait_finish (AEX_PENDING (source), result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  *(int *) called = 1;
}

static void
observe_wait_async (AexPending *pending)
{
  int called = 0;

  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, finish_waiting, &called);
  g_assert_cmpint (called, ==, 0);
  aex_test_iterate_until (aex_test_is_set, &called);
}

static void
observe_derived (AexPending *pending)
{
  g_autoptr (AexPending) derived = aex_pending_shield (pending);

  aex_assert_state (derived, REJECTED);
  aex_assert_failed_with (derived, G_IO_ERROR, G_IO_ERROR_FAILED);
}

static void
observe_follower (AexPending *pending)
{
  g_autoptr (AexPending) follower = aex_pending_new ();

  g_assert_true (aex_pending_follow (follower, pending));
  aex_assert_failed_with (follower, G_IO_ERROR, G_IO_ERROR_FAILED);
}

typedef struct
{
  const char *name;
  void (*observe) (AexPending *pending);
} Observation;

static const Observation observations[] = {
  { "dup-error", observe_dup_error },
  { "dup-value", observe_dup_value },
  { "getter", observe_getter },
  { "wait", observe_wait },
  { "run-until-done", observe_run_until_done },
  { "result", observe_result },
  { "wait-async", observe_wait_async },
  { "derived", observe_derived },
  { "follower", observe_follower },
};

static void
test_observed (gconstpointer data)
{
  const Observation *observation = data;
  AexPending *pending = new_rejected ("somebody looked");

  aex_test_log_begin ();
  observation->observe (pending);
  g_object_unref (pending);
  assert_reports ("somebody looked", 0);
}

/* The one who got the error passes the duty on with it. */
static void
test_derived_unobserved (void)
{
  AexPending *pending = new_rejected ("passed on");

  aex_test_log_begin ();
  g_object_unref (aex_pending_shield (pending));
  g_object_unref (pending);
  assert_reports ("passed on", 1);
}

static void
test_cancellation_is_silent (void)
{
  AexPending *pending = aex_pending_new ();
  AexPending *full = aex_pending_new ();

  aex_test_log_begin ();
  g_assert_true (aex_pending_cancel (pending, "said"));
  g_object_unref (pending);
  g_object_unref (aex_pending_shield (full));
  g_assert_true (aex_pending_cancel (full, NULL));
  g_object_unref (full);
  assert_reports ("", 0);
}

/* Who waits for what was cancelled fails with its error, and that is no news. */
static void
test_passed_cancellation_is_silent (void)
{
  aex_test_log_begin ();
  g_object_unref (aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "said")));
  g_object_unref (aex_pending_new_rejected (g_error_new_literal (AEX_ERROR, AEX_ERROR_CLOSED, "said")));
  assert_reports ("", 0);
}

/* --- the executor's signal */

typedef struct
{
  int      n_calls;
  gboolean answer;
  GThread *thread;
  gboolean had_pending;
} SignalSeen;

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     data)
{
  SignalSeen *seen = data;

  g_assert_true (AEX_IS_EXECUTOR (executor));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  seen->had_pending = pending != NULL;
  seen->thread = g_thread_self ();
  g_atomic_int_inc (&seen->n_calls);
  g_main_context_wakeup (NULL);
  return seen->answer;
}

static gboolean
failing_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "job failed");
  return FALSE;
}

static gboolean
signal_was_seen (gpointer data)
{
  return g_atomic_int_get (&((SignalSeen *) data)->n_calls) > 0;
}

static void
run_unhandled (gboolean answer,
               guint    expected_reports)
{
  AexExecutor *pool = aex_test_pool (1);
  SignalSeen seen = { .answer = answer };
  AexPending *job;

  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled), &seen);
  aex_test_log_begin ();
  job = aex_executor_submit (pool, failing_job, NULL, NULL);
  aex_test_run_until_done (job);
  g_object_unref (job);
  aex_test_iterate_until (signal_was_seen, &seen);
  aex_test_shutdown (pool);
  assert_reports ("job failed", expected_reports);
  g_assert_cmpint (seen.n_calls, ==, 1);
  g_assert_true (seen.thread == g_thread_self ());
}

static void
test_signal_handled (void)
{
  run_unhandled (TRUE, 0);
}

static void
test_signal_not_handled (void)
{
  run_unhandled (FALSE, 1);
}

static void
test_signal_not_for_observed (void)
{
  AexExecutor *pool = aex_test_pool (1);
  SignalSeen seen = { .answer = TRUE };
  AexPending *job;

  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled), &seen);
  job = aex_executor_submit (pool, failing_job, NULL, NULL);
  aex_test_run_until_done (job);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_object_unref (job);
  aex_test_shutdown (pool);
  aex_test_drain ();
  g_assert_cmpint (seen.n_calls, ==, 0);
}

static gboolean
records_then_fails (AexPending   *job,
                    GCancellable *cancellable,
                    gpointer      data,
                    GError      **error)
{
  g_assert_true (aex_pending_resolve_int64 (job, 1));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "after the outcome");
  return FALSE;
}

/* Rule 1: FALSE with an error after a recorded outcome. */
static void
test_error_after_outcome (void)
{
  AexExecutor *pool = aex_test_pool (1);
  SignalSeen seen = { .answer = TRUE };
  g_autoptr (AexPending) job = NULL;

  g_signal_connect (pool, "unhandled-error", G_CALLBACK (on_unhandled), &seen);
  job = aex_executor_submit (pool, records_then_fails, NULL, NULL);
  aex_test_iterate_until (signal_was_seen, &seen);
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 1);
  g_assert_true (seen.had_pending);
  aex_test_shutdown (pool);
}

static gboolean
fails_without_saying (AexPending   *job,
                      GCancellable *cancellable,
                      gpointer      data,
                      GError      **error)
{
  return FALSE;
}

static void
test_job_without_error (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, fails_without_saying, NULL, NULL);

  aex_test_run_until_done (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_FAILED);
  aex_test_shutdown (pool);
}

/* --- payload */

static void
test_payload (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  g_autoptr (GError) error = g_error_new_literal (AEX_ERROR, AEX_ERROR_EXCEPTION, "ValueError");
  g_auto (GValue) payload = G_VALUE_INIT;
  AexPending *both[2];

  g_value_take_object (g_value_init (&payload, G_TYPE_OBJECT), g_object_new (G_TYPE_OBJECT, NULL));
  g_assert_true (aex_pending_reject_with_payload (pending, error, &payload));
  derived = aex_pending_shield (pending);
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_EXCEPTION);
  aex_assert_failed_with (derived, AEX_ERROR, AEX_ERROR_EXCEPTION);
  both[0] = pending;
  both[1] = derived;
  for (guint i = 0; i < G_N_ELEMENTS (both); i++)
    {
      GValue *kept = aex_pending_dup_payload (both[i]);

      g_assert_nonnull (kept);
      g_assert_true (g_value_get_object (kept) == g_value_get_object (&payload));
      g_boxed_free (G_TYPE_VALUE, kept);
    }
}

static void
test_payload_of_a_loser (void)
{
  g_autoptr (AexPending) pending = aex_pending_new_resolved (NULL);
  g_autoptr (GError) error = g_error_new_literal (AEX_ERROR, AEX_ERROR_EXCEPTION, "ValueError");
  g_auto (GValue) payload = G_VALUE_INIT;
  GObject *object = aex_test_object_new (NULL);

  g_value_take_object (g_value_init (&payload, G_TYPE_OBJECT), object);
  g_assert_false (aex_pending_reject_with_payload (pending, error, &payload));
  g_assert_cmpuint (object->ref_count, ==, 1);
  g_assert_null (aex_pending_dup_payload (pending));
}

static void
test_no_payload (void)
{
  g_autoptr (AexPending) pending = new_rejected ("plain");

  g_assert_null (aex_pending_dup_payload (pending));
  aex_assert_failed_with (pending, G_IO_ERROR, G_IO_ERROR_FAILED);
}

/* The exception of a binding goes where the error goes: into a group, and out of a map. */
static void
test_payload_travels_with_copies (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) any = NULL;
  g_autoptr (GError) group = NULL;
  g_autoptr (GPtrArray) members = NULL;
  g_auto (GValue) payload = G_VALUE_INIT;
  GValue *kept;

  g_value_set_static_string (g_value_init (&payload, G_TYPE_STRING), "what was thrown");
  g_assert_true (aex_pending_reject (pending, aex_error_new_exception ("thrown", &payload)));
  any = aex_pending_any (pending, NULL);
  group = aex_pending_dup_error (any);
  members = aex_error_get_members (group);
  g_assert_error ((GError *) members->pdata[0], AEX_ERROR, AEX_ERROR_EXCEPTION);
  kept = aex_error_dup_payload (members->pdata[0]);
  g_assert_nonnull (kept);
  g_assert_cmpstr (g_value_get_string (kept), ==, "what was thrown");
  g_boxed_free (G_TYPE_VALUE, kept);
  kept = aex_error_dup_payload (group);
  g_assert_true (G_VALUE_HOLDS (kept, G_TYPE_LIST_MODEL));
  g_boxed_free (G_TYPE_VALUE, kept);
  kept = aex_pending_dup_payload (pending);
  g_assert_cmpstr (g_value_get_string (kept), ==, "what was thrown");
  g_boxed_free (G_TYPE_VALUE, kept);
}

/* GJS makes errors of a domain whose name it read, without a call of ours. */
static GError *early_error;

static void
test_error_made_before_the_first_call (void)
{
  g_autoptr (GPtrArray) members = aex_error_get_members (early_error);

  g_assert_nonnull (members);
  g_assert_cmpuint (members->len, ==, 0);
  g_assert_null (aex_error_dup_payload (early_error));
  g_clear_error (&early_error);
}

/* --- GROUP */

static void
test_members_of_other_errors (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "single");

  g_assert_null (aex_error_get_members (error));
}

static void
test_group_names_members (void)
{
  AexPending *members[] = { new_rejected ("first reason"), new_rejected ("second reason") };
  g_autoptr (AexPending) any = aex_pending_anyv (members, 2);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) copy = NULL;
  g_autoptr (GPtrArray) errors = NULL;
  g_autoptr (GPtrArray) errors_of_copy = NULL;

  error = aex_pending_dup_error (any);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_GROUP);
  g_assert_nonnull (strstr (error->message, "first reason"));
  g_assert_nonnull (strstr (error->message, "second reason"));
  errors = aex_error_get_members (error);
  g_assert_nonnull (errors);
  g_assert_cmpuint (errors->len, ==, 2);
  g_assert_error ((GError *) errors->pdata[0], G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (((GError *) errors->pdata[0])->message, ==, "first reason");
  g_assert_cmpstr (((GError *) errors->pdata[1])->message, ==, "second reason");
  copy = g_error_copy (error);
  errors_of_copy = aex_error_get_members (copy);
  g_assert_nonnull (errors_of_copy);
  g_assert_cmpuint (errors_of_copy->len, ==, 2);
  g_object_unref (members[0]);
  g_object_unref (members[1]);
}

static void
add_reports (void)
{
  aex_test_add ("/pending/rule7/unobserved", test_unobserved);
  aex_test_add ("/pending/rule7/report-has-fields", test_report_has_fields);
  aex_test_add ("/pending/rule7/callback-does-not-observe", test_callback_does_not_observe);
  aex_test_add ("/pending/rule7/no-result-does-not-observe", test_no_result_does_not_observe);
  for (guint i = 0; i < G_N_ELEMENTS (observations); i++)
    {
      g_autofree char *path = g_strconcat ("/pending/rule7/observed/", observations[i].name, NULL);

      aex_test_add_data (path, &observations[i], test_observed);
    }
  aex_test_add ("/pending/rule7/derived-unobserved", test_derived_unobserved);
  aex_test_add ("/pending/rule7/cancellation-is-silent", test_cancellation_is_silent);
  aex_test_add ("/pending/rule7/passed-cancellation-is-silent", test_passed_cancellation_is_silent);
}

int
main (int    argc,
      char **argv)
{
  early_error = g_error_new_literal (g_quark_from_static_string ("AexError"), AEX_ERROR_GROUP, "early");
  aex_test_init (&argc, &argv);
  add_reports ();
  aex_test_add ("/pending/I8/signal-handled", test_signal_handled);
  aex_test_add ("/pending/I8/signal-not-handled", test_signal_not_handled);
  aex_test_add ("/pending/I8/signal-not-for-observed", test_signal_not_for_observed);
  aex_test_add ("/pending/rule1/error-after-outcome", test_error_after_outcome);
  aex_test_add ("/pending/K32-R2/job-without-error", test_job_without_error);
  aex_test_add ("/pending/K32/payload", test_payload);
  aex_test_add ("/pending/K32/payload-of-a-loser", test_payload_of_a_loser);
  aex_test_add ("/pending/K32/no-payload", test_no_payload);
  aex_test_add ("/pending/K32/error-made-before-the-first-call", test_error_made_before_the_first_call);
  aex_test_add ("/pending/K32/payload-travels-with-copies", test_payload_travels_with_copies);
  aex_test_add ("/pending/K62/members-of-other-errors", test_members_of_other_errors);
  aex_test_add ("/pending/K62/group-names-members", test_group_names_members);
  return aex_test_run ();
}
