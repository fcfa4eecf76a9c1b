/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

/* K43: what runs for a while, says when it has started, and is told when to stop. */

/* One that serves until it is told to stop, and then until it is let go. */
typedef struct
{
  AexGate     called;
  AexPending *resume;       /* what it awaits at its end */
  gboolean    says_ready;
  int         n_calls;      /* atomic */
  int         n_freed;      /* atomic */
  AexExecutor *caller;      /* on which it is called and freed; no reference */
} Serving;

static void
serving_init (Serving   *self,
              AexCaller *caller)
{
  *self = (Serving) { .resume = aex_pending_new (), .says_ready = TRUE, .caller = AEX_EXECUTOR (caller) };
  aex_gate_init (&self->called);
}

static void
serving_clear (Serving *self)
{
  aex_gate_clear (&self->called);
  g_object_unref (self->resume);
}

static void
serving_freed (gpointer serving)
{
  Serving *self = serving;

  g_assert_true (aex_executor_runs_here (self->caller));
  g_atomic_int_inc (&self->n_freed);
}

/* stopping is done: the end is that of resume. */
static AexPending *
follow_resume (AexPending *stopping,
               gpointer    resume,
               GError    **error)
{
  return g_object_ref (resume);
}

static AexPending *
serve (AexService *service,
       gpointer    serving,
       GError    **error)
{
  Serving *self = serving;

  g_assert_true (aex_executor_runs_here (self->caller));
  g_atomic_int_inc (&self->n_calls);
  if (self->says_ready)
    g_assert_true (aex_service_ready (service));
  aex_gate_open (&self->called);
  return aex_pending_then (aex_service_get_stopping (service), follow_resume, g_object_ref (self->resume), g_object_unref);
}

static AexService *
service_new (AexCaller *caller,
             Serving   *serving)
{
  serving_init (serving, caller);
  return aex_service_new (caller, "test", serve, serving, serving_freed);
}

/* Everything that belongs to the thread of the caller has happened there. */
static void
settle (AexCaller *caller)
{
  g_autoptr (AexPending) last = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);

  aex_test_wait (last);
}

static gboolean
open_gate (gpointer gate)
{
  aex_gate_open (gate);
  return G_SOURCE_REMOVE;
}

/* The same of one that takes no jobs any more. */
static void
settle_stopping (AexCaller *caller)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  AexGate gate;

  aex_gate_init (&gate);
  g_source_set_callback (source, open_gate, &gate, NULL);
  g_source_attach (source, aex_caller_get_context (caller));
  aex_gate_wait (&gate);
  aex_gate_clear (&gate);
}

/* --- its life */
static void
test_sync (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Serving serving;
  AexService *service = service_new (caller, &serving);
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
  settle_stopping (caller);
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
  serving_clear (&serving);
}

static void
test_reports_are_protected (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Serving serving;
  AexService *service = service_new (caller, &serving);
  AexPending *reports[] = { aex_service_get_started (service), aex_service_get_stopping (service), aex_service_get_stopped (service) };
  g_autoptr (AexPending) stopped = NULL;
  g_autofree char *name = NULL;

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
  serving_clear (&serving);
}

/* --- stopped before it has started */
static void
assert_stopped_early (AexPending *pending)
{
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  aex_assert_cancelled (pending);
  g_assert_cmpstr (error->message, ==, "The service was stopped before it had started");
}

static void
test_stop_before_start (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Serving serving;
  AexService *service = service_new (caller, &serving);
  g_autoptr (AexPending) stopped = aex_service_stop (service);
  g_autoptr (AexPending) started = aex_service_start (service);

  assert_stopped_early (stopped);
  assert_stopped_early (started);
  aex_assert_state (aex_service_get_stopping (service), RESOLVED);
  settle (caller);
  g_assert_cmpint (serving.n_calls, ==, 0);
  g_assert_cmpint (serving.n_freed, ==, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  serving_clear (&serving);
}

/* Its job is queued: it never runs. */
static void
test_stop_while_queued (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, AEX_EXECUTOR (caller));
  Serving serving;
  AexService *service = service_new (caller, &serving);
  g_autoptr (AexPending) started = aex_service_start (service);
  g_autoptr (AexPending) stopped = aex_service_stop (service);

  assert_stopped_early (stopped);
  assert_stopped_early (started);
  aex_block_end (&block, blocker);
  settle (caller);
  g_assert_cmpint (serving.n_calls, ==, 0);
  g_assert_cmpint (serving.n_freed, ==, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  serving_clear (&serving);
}

/* It runs and has not said so: started is over, and the rest goes on. */
static void
test_stop_before_ready (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Serving serving;
  AexService *service = service_new (caller, &serving);
  g_autoptr (AexPending) stopped = NULL;

  serving.says_ready = FALSE;
  g_object_unref (aex_service_start (service));
  aex_gate_wait (&serving.called);
  stopped = aex_service_stop (service);
  assert_stopped_early (aex_service_get_started (service));
  g_assert_false (aex_service_ready (service));
  g_assert_false (aex_pending_is_done (stopped));
  aex_pending_resolve_int64 (serving.resume, 1);
  aex_test_wait (stopped);
  aex_assert_resolved_int64 (stopped, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  serving_clear (&serving);
}

/* A caller that has stopped takes no service, and says so; one that stops tells those that were not started. */
static void
test_caller_has_stopped (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Serving serving;
  AexService *first = service_new (caller, &serving);
  AexService *second;
  g_autoptr (AexPending) started = NULL;

  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
  aex_test_wait (aex_caller_get_stopped (caller));
  assert_stopped_early (aex_service_get_stopped (first));
  second = aex_service_new (caller, NULL, serve, NULL, NULL);
  started = aex_service_start (second);
  assert_stopped_early (started);
  g_object_unref (first);
  g_object_unref (second);
  g_object_unref (caller);
  serving_clear (&serving);
}

/* Dropped from the queue of its caller, which is stopped. */
static void
test_dropped_by_its_caller (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, AEX_EXECUTOR (caller));
  Serving serving;
  AexService *service = service_new (caller, &serving);

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
  serving_clear (&serving);
}

static void
test_refused (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, AEX_EXECUTOR (caller));
  g_autoptr (AexPending) queued = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  Serving serving;
  AexService *service = service_new (caller, &serving);
  g_autoptr (AexPending) started = NULL;

  aex_executor_set_max_pending (AEX_EXECUTOR (caller), 1);
  started = aex_service_start (service);
  aex_assert_failed_with (started, AEX_ERROR, AEX_ERROR_BUSY);
  aex_assert_failed_with (aex_service_get_stopped (service), AEX_ERROR, AEX_ERROR_BUSY);
  aex_block_end (&block, blocker);
  aex_test_wait (queued);
  settle (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  g_object_unref (service);
  aex_test_caller_end (caller);
  serving_clear (&serving);
}

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
  Serving serving;
  AexService *service = service_new (caller, &serving);

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
  serving_clear (&serving);
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
  settle (caller);
  settle (caller);
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
  settle (caller);
  settle (caller);
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
  settle (caller);
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
  Serving serving;
  AexService *service = service_new (caller, &serving);
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
  serving_clear (&serving);
}

/* One that was never started: whoever waits for it is told. */
static void
test_dropped_before_it_starts (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  Serving serving;
  AexService *service = service_new (caller, &serving);
  g_autoptr (AexPending) stopped = g_object_ref (aex_service_get_stopped (service));

  aex_assert_last_unref (service);
  assert_stopped_early (stopped);
  settle (caller);
  g_assert_cmpint (serving.n_freed, ==, 1);
  aex_test_caller_end (caller);
  serving_clear (&serving);
}

/* --- the function */
static void
test_function_once (void)
{
  AexCaller *caller = aex_test_caller_new ("services");
  AexService *service = aex_service_new (caller, NULL, NULL, NULL, NULL);
  g_autoptr (AexPending) nothing = aex_service_start (service);
  g_autoptr (GError) error = NULL;
  Serving serving;

  aex_assert_failed_with (nothing, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  g_assert_false (aex_pending_is_done (aex_service_get_started (service)));
  serving_init (&serving, caller);
  g_assert_true (aex_service_set_func (service, serve, &serving, serving_freed, &error));
  g_assert_no_error (error);
  g_assert_false (aex_service_set_func (service, serve, g_object_new (G_TYPE_OBJECT, NULL), g_object_unref, &error));
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
  serving_clear (&serving);
}

/* --- context: a stretch of code for which it runs */
static void
test_context (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  AexService *service = aex_service_new (NULL, NULL, end_somehow, GINT_TO_POINTER (END_NULL), NULL);
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
  Serving serving;
  AexService *service = service_new (caller, &serving);
  g_autoptr (GError) error = NULL;

  aex_pending_resolve (serving.resume, NULL);
  g_object_unref (aex_service_start (service));
  g_assert_false (aex_service_enter (service, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  g_object_unref (aex_service_stop (service));
  aex_test_wait (aex_service_get_stopped (service));
  g_object_unref (service);
  aex_test_caller_end (caller);
  serving_clear (&serving);
}

static void
add_ends (void)
{
  aex_test_add ("/service/K43/stop_early", test_stop_early);
  aex_test_add ("/service/K43/task_error", test_task_error);
  aex_test_add ("/service/K43/task_cancelled", test_task_cancelled);
  aex_test_add ("/service/K43/in-a-group", test_in_a_group);
  aex_test_add ("/service/K43/unobserved", test_unobserved);
  aex_test_add ("/service/K43/seen-in-started", test_seen_in_started);
  aex_test_add ("/service/K43/gc", test_dropped_while_it_runs);
  aex_test_add ("/service/K43/gc-before-start", test_dropped_before_it_starts);
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
  add_ends ();
  return aex_test_run ();
}
