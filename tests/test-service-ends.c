/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-service-test.h"

/* K43, X4: how services end, and what is left of them. */

/* --- its end */
typedef enum { END_NULL, END_ERROR, END_REJECTED, END_ABANDONED, END_OWN, END_CANCELLED } End;

static AexPending *
end_somehow (AexService *service,
             gpointer    how,
             GError    **error)
{
  g_autoptr (AexPending) never = aex_pending_new ();

  switch ((End) GPOINTER_TO_INT (how))
    {
    case END_NULL:
      aex_service_ready (service);
      return NULL;
    case END_ERROR:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "This failed");
      return NULL;
    case END_REJECTED:
      aex_service_ready (service);
      return aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "This failed"));
    case END_ABANDONED:
      return aex_pending_shield (never);
    case END_OWN:
      return g_object_ref (aex_service_get_stopped (service));
    case END_CANCELLED:
      aex_pending_cancel (aex_pending_get_current (), "enough");
      return aex_pending_sleep (60 * G_USEC_PER_SEC);
    default:
      g_assert_not_reached ();
    }
}

static AexService *
run_to_its_end (AexCaller *caller,
                End        how)
{
  AexService *service = aex_service_new (caller, "ends", end_somehow, GINT_TO_POINTER (how), NULL);

  g_object_unref (aex_service_start (service));
  aex_test_wait (aex_service_get_stopped (service));
  aex_assert_state (aex_service_get_stopping (service), RESOLVED);
  return service;
}

static void
test_stop_early (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexService *service = run_to_its_end (caller, END_NULL);

  aex_assert_failed_with (aex_service_get_stopped (service), AEX_ERROR, AEX_ERROR_STOPPED_EARLY);
  aex_assert_state (aex_service_get_started (service), RESOLVED);
  g_object_unref (service);
  aex_test_caller_end (caller);
}

static void
test_task_error (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexService *service = run_to_its_end (caller, END_ERROR);
  g_autoptr (GError) error = aex_pending_dup_error (aex_service_get_stopped (service));

  g_assert_cmpstr (error->message, ==, "This failed");
  aex_assert_failed_with (aex_service_get_started (service), G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_object_unref (service);
  service = run_to_its_end (caller, END_REJECTED);
  aex_assert_failed_with (aex_service_get_stopped (service), G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  aex_assert_state (aex_service_get_started (service), RESOLVED);
  g_object_unref (service);
  service = run_to_its_end (caller, END_ABANDONED);
  aex_assert_failed_with (aex_service_get_stopped (service), AEX_ERROR, AEX_ERROR_ABANDONED);
  g_object_unref (service);
  service = run_to_its_end (caller, END_OWN);
  aex_assert_failed_with (aex_service_get_stopped (service), AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  g_object_unref (service);
  aex_test_caller_end (caller);
}

/* Its job is cancelled: so is what it has returned. */
static void
test_task_cancelled (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexService *service = run_to_its_end (caller, END_CANCELLED);

  aex_assert_cancelled (aex_service_get_stopped (service));
  aex_assert_cancelled (aex_service_get_started (service));
  g_object_unref (service);
  aex_test_caller_end (caller);
}

/* Started in a group that is cancelled. */
static void
test_in_a_group (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) over = NULL;
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);

  g_assert_true (aex_pending_group_enter (group, NULL));
  g_object_unref (aex_service_start (service));
  aex_test_wait (aex_service_get_started (service));
  aex_pending_group_cancel (group, "the group");
  over = aex_pending_group_end (group);
  aex_test_run_until_done (over);
  aex_assert_state (aex_service_get_stopping (service), RESOLVED);
  aex_assert_cancelled (aex_service_get_stopped (service));
  g_object_unref (service);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* --- errors that nobody looks at */
static gboolean
count_unhandled (AexExecutor *executor,
                 AexPending  *pending,
                 GError      *error,
                 gpointer     n)
{
  g_autofree char *name = aex_pending_dup_name (pending);

  g_assert_error (error, AEX_ERROR, AEX_ERROR_STOPPED_EARLY);
  g_assert_cmpstr (name, ==, "ends");
  g_atomic_int_inc ((int *) n);
  return TRUE;
}

static void
test_unobserved (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  int n_reports = 0;

  g_signal_connect (caller, "unhandled-error", G_CALLBACK (count_unhandled), &n_reports);
  g_object_unref (run_to_its_end (caller, END_NULL));
  /* It is gone with what its end has left to do, and then that is told. */
  aex_test_settle_caller (caller);
  aex_test_settle_caller (caller);
  g_assert_cmpint (n_reports, ==, 1);
  for (guint i = 0; i < 2; i++)
    {
      AexService *service = run_to_its_end (caller, END_NULL);
      g_autoptr (AexPending) seen = g_object_ref (i == 0 ? aex_service_get_started (service) : aex_service_get_stopped (service));
      g_autoptr (GError) error = NULL;

      g_object_unref (service);
      /* One that had started says nothing of the end. */
      error = aex_pending_dup_error (seen);
      g_assert_true ((error == NULL) == (i == 0));
    }
  aex_test_settle_caller (caller);
  aex_test_settle_caller (caller);
  aex_test_caller_end (caller);
  g_assert_cmpint (n_reports, ==, 2);
}

/* Seen in the pending of the start, which may outlive the service. */
static void
test_seen_in_started (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexService *service = run_to_its_end (caller, END_ERROR);
  g_autoptr (AexPending) started = g_object_ref (aex_service_get_started (service));

  aex_test_log_begin ();
  g_object_unref (service);
  aex_test_settle_caller (caller);
  aex_test_drain ();
  aex_assert_failed_with (started, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_object (&started);
  aex_test_caller_end (caller);
  aex_test_drain ();
  {
    g_autoptr (GPtrArray) log = aex_test_log_end ();

    g_assert_cmpuint (log->len, ==, 0);
  }
}

/* --- gc */
/* Nobody keeps it: it goes on, ends when its caller does, and is gone then. */
static void
test_dropped_while_it_runs (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  GWeakRef weak;
  g_autoptr (AexPending) stopped = g_object_ref (aex_service_get_stopped (service));
  AexService *found;

  g_weak_ref_init (&weak, service);
  g_object_unref (aex_service_start (service));
  aex_test_wait (aex_service_get_started (service));
  g_object_unref (service);
  found = g_weak_ref_get (&weak);
  g_assert_nonnull (found);
  g_assert_false (aex_pending_is_done (stopped));
  g_clear_object (&found);
  aex_pending_resolve (serving.resume, NULL);
  aex_test_caller_end (g_object_ref (caller));
  aex_test_wait (stopped);
  g_assert_null (g_weak_ref_get (&weak));
  g_weak_ref_clear (&weak);
  g_object_unref (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  aex_serving_clear (&serving);
}

/* One that was never started: whoever waits for it is told. */
static void
test_dropped_before_it_starts (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;
  AexService *service = aex_serving_new (caller, &serving);
  g_autoptr (AexPending) stopped = g_object_ref (aex_service_get_stopped (service));

  aex_assert_last_unref (service);
  aex_assert_stopped_early (stopped);
  aex_test_settle_caller (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  aex_test_caller_end (caller);
  aex_serving_clear (&serving);
}

/* --- what they were given */
static void
test_given (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexServing serving;

  /* Never started; run; refused, because there is one. */
  for (guint i = 0; i < 3; i++)
    {
      AexService *service = aex_serving_new (caller, &serving);
      GObject *given = aex_test_object_new (NULL);

      aex_pending_resolve (serving.resume, NULL);
      if (i == 1)
        {
          g_object_unref (aex_service_start (service));
          aex_test_wait (aex_service_get_started (service));
          g_object_unref (aex_service_stop (service));
          aex_test_wait (aex_service_get_stopped (service));
        }
      if (i == 2)
        {
          g_object_add_weak_pointer (given, (gpointer *) &given);
          g_assert_false (aex_service_set_func (service, aex_serving_run, given, g_object_unref, NULL));
          aex_test_drain ();
          g_assert_null (given);
        }
      g_clear_object (&given);
      g_object_unref (service);
      aex_test_settle_caller (caller);
      g_assert_cmpint (serving.n_freed, ==, 1);
      aex_serving_clear (&serving);
    }
  aex_test_caller_end (caller);
}

/* Its caller stops while its function has not returned yet: the job is done with that, the service is not. */
typedef struct
{
  AexServing serving;
  AexGate    go_on;
} Slow;

static AexPending *
serve_slowly (AexService *service,
              gpointer    slow,
              GError    **error)
{
  AexPending *end = aex_serving_run (service, &((Slow *) slow)->serving, error);

  aex_gate_wait (&((Slow *) slow)->go_on);
  return end;
}

static void
test_stopped_in_its_function (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Slow slow;
  g_autoptr (AexService) service = aex_service_new (caller, "slow", serve_slowly, &slow, NULL);
  g_autoptr (AexPending) stopped = NULL;

  aex_serving_init (&slow.serving, caller);
  aex_gate_init (&slow.go_on);
  g_object_unref (aex_service_start (service));
  aex_gate_wait (&slow.serving.called);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);
  aex_gate_open (&slow.go_on);
  aex_test_settle_stopping (caller);
  g_assert_true (aex_pending_is_done (aex_service_get_stopping (service)));
  g_assert_false (aex_pending_is_done (aex_service_get_stopped (service)));
  g_assert_false (aex_pending_is_done (stopped));
  aex_pending_resolve_int64 (slow.serving.resume, 42);
  aex_test_wait (stopped);
  aex_assert_resolved_int64 (aex_service_get_stopped (service), 42);
  aex_gate_clear (&slow.go_on);
  aex_serving_clear (&slow.serving);
  g_object_unref (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/service/K43/stop_early", test_stop_early);
  aex_test_add ("/service/K43/task_error", test_task_error);
  aex_test_add ("/service/K43/task_cancelled", test_task_cancelled);
  aex_test_add ("/service/K43/stopped-in-its-function", test_stopped_in_its_function);
  aex_test_add ("/service/K43/in-a-group", test_in_a_group);
  aex_test_add ("/service/K43/unobserved", test_unobserved);
  aex_test_add ("/service/K43/seen-in-started", test_seen_in_started);
  aex_test_add ("/service/K43/gc", test_dropped_while_it_runs);
  aex_test_add ("/service/K43/gc-before-start", test_dropped_before_it_starts);
  aex_test_add ("/destroy/X4/aex_service_new", test_given);
  aex_test_add ("/destroy/X4/aex_service_set_func", test_given);
  return aex_test_run ();
}
