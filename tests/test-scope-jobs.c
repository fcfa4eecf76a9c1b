/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* AexScope: what is given away inside, every kind of wait, and code that gives control back. */

#define SECOND G_USEC_PER_SEC

static AexExecutor *pool;

static AexPending *
submit_blocked (gpointer gate)
{
  AexPending *job = aex_executor_submit (pool, aex_job_until_cancelled, gate, NULL);

  if (gate != NULL)
    aex_gate_wait (gate);
  return job;
}

/* --- jobs */

static void
test_cancels (void)
{
  g_autoptr (AexPending) queued = NULL;
  g_autoptr (AexPending) outside = aex_pending_new ();
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexBlock block;
  AexPending *running = aex_block_begin (&block, pool);

  queued = submit_blocked (NULL);
  aex_scope_cancel (scope);
  aex_assert_cancelled (queued);
  g_assert_true (aex_pending_is_cancelled (running));
  g_assert_true (aex_scope_leave (scope));
  g_assert_false (aex_pending_is_done (outside));
  g_object_ref (running);
  aex_block_end (&block, running);
  aex_assert_cancelled (running);
  g_object_unref (running);
}

/* One that waits for ever is woken, and a job that runs in its place meanwhile as well. */
static void
test_wakes (void)
{
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexGate gate;

  aex_gate_init (&gate);
  first = submit_blocked (&gate);
  second = submit_blocked (NULL);
  aex_scope_cancel (scope);
  g_assert_true (aex_scope_leave (scope));
  aex_test_wait (first);
  aex_test_wait (second);
  aex_assert_cancelled (first);
  aex_assert_cancelled (second);
  aex_gate_clear (&gate);
}

static void
test_time_of_jobs (void)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) running = NULL;
  g_autoptr (AexPending) shorter = NULL;
  AexScope *outer, *inner;
  AexGate gate;

  aex_gate_init (&gate);
  aex_test_virtual_time ();
  outer = aex_scope_enter (2 * SECOND, AEX_SCOPE_FLAGS_NONE);
  inner = aex_scope_enter (3 * SECOND, AEX_SCOPE_FLAGS_NONE);
  running = submit_blocked (&gate);
  aex_submit_options_set_timeout (options, SECOND);
  shorter = aex_executor_submit_full (pool, options, aex_job_until_cancelled, NULL, NULL);
  g_assert_false (aex_scope_leave (inner));
  g_assert_false (aex_scope_leave (outer));
  /* The scopes are left: both keep their time. */
  aex_clock_advance (SECOND);
  aex_test_run_until_done (shorter);
  aex_assert_failed_with (shorter, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_done (running));
  aex_clock_advance (SECOND);
  aex_test_run_until_done (running);
  aex_assert_state (running, REJECTED);
  aex_assert_failed_with (running, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_gate_clear (&gate);
}

/* The time is over, and whoever tells the jobs so has not come to them: it was first all the same. */
static void
test_cancelled_too_late (void)
{
  aex_test_virtual_time ();
  for (guint i = 0; i < 100; i++)
    {
      AexScope *scope = aex_scope_enter (SECOND, AEX_SCOPE_FLAGS_NONE);
      g_autoptr (AexPending) running = NULL;
      g_autoptr (AexPending) queued = NULL;
      AexGate gate;

      aex_gate_init (&gate);
      running = submit_blocked (&gate);
      queued = submit_blocked (NULL);
      aex_clock_advance (SECOND);
      g_assert_false (aex_pending_cancel (running, NULL));
      g_assert_false (aex_pending_cancel (queued, NULL));
      g_assert_true (aex_scope_leave (scope));
      aex_test_run_until_done (running);
      aex_assert_failed_with (running, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      aex_assert_failed_with (queued, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      aex_gate_clear (&gate);
    }
}

static void
test_left (void)
{
  g_autoptr (AexPending) running = NULL;
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexGate gate;

  aex_gate_init (&gate);
  running = submit_blocked (&gate);
  aex_scope_ref (scope);
  g_assert_false (aex_scope_leave (scope));
  aex_scope_cancel (scope);
  g_assert_false (aex_pending_is_cancelled (running));
  aex_scope_unref (scope);
  aex_pending_cancel (running, NULL);
  aex_test_wait (running);
  aex_gate_clear (&gate);
}

static void
test_shielded (void)
{
  g_autoptr (AexPending) job = NULL;
  AexScope *outer = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexScope *shield = aex_scope_enter (-1, AEX_SCOPE_FLAGS_SHIELD);
  AexGate gate;

  aex_gate_init (&gate);
  job = submit_blocked (&gate);
  aex_scope_cancel (outer);
  g_assert_false (aex_pending_is_cancelled (job));
  aex_scope_cancel (shield);
  g_assert_true (aex_pending_is_cancelled (job));
  g_assert_true (aex_scope_leave (shield));
  g_assert_true (aex_scope_leave (outer));
  aex_test_wait (job);
  aex_gate_clear (&gate);
}

static void
test_never_starts (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) late = NULL;
  g_autoptr (AexPending) cancelled = NULL;
  g_autoptr (AexPending) delayed = NULL;
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  AexScope *over = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);
  AexScope *scope;
  int n_runs = 0;

  late = aex_executor_submit (pool, aex_poison_job, &n_runs, NULL);
  stream = aex_executor_map (pool, 2, 0, -1, AEX_MAP_FLAGS_NONE, (AexMapFunc) (GCallback) aex_poison_job, NULL, NULL);
  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_scope_leave (over);
  scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  aex_scope_cancel (scope);
  cancelled = aex_executor_submit (pool, aex_poison_job, &n_runs, NULL);
  delayed = aex_caller_call_later (caller, 1, aex_poison_job, &n_runs, NULL);
  aex_scope_leave (scope);
  aex_assert_state (late, REJECTED);
  aex_assert_failed_with (late, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_assert_cancelled (cancelled);
  aex_assert_cancelled (delayed);
}

static void
test_delayed (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexPending) delayed = aex_caller_call_later (caller, SECOND, aex_poison_job, NULL, NULL);

  aex_scope_cancel (scope);
  aex_assert_cancelled (delayed);
  aex_scope_leave (scope);
}

/* A job inside a job inside a scope: the inner one is in it as well. */
static gboolean
parent_job (AexPending   *job,
            GCancellable *cancellable,
            gpointer      child,
            GError      **error)
{
  *(AexPending **) child = submit_blocked (NULL);
  return TRUE;
}

static void
test_inherited (void)
{
  g_autoptr (AexPending) child = NULL;
  g_autoptr (AexPending) parent = NULL;
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  parent = aex_executor_submit (pool, parent_job, &child, NULL);
  aex_test_wait (parent);
  g_assert_false (aex_pending_is_done (child));
  aex_scope_cancel (scope);
  g_assert_true (aex_pending_is_cancelled (child));
  aex_scope_leave (scope);
  aex_test_wait (child);
}

static void
test_protected (void)
{
  g_autoptr (AexPending) protected = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (AexPending) plain = aex_pending_new ();
  AexScope *scope = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE);

  aex_scope_add (scope, protected);
  aex_scope_add (scope, plain);
  aex_scope_cancel (scope);
  aex_assert_cancelled (plain);
  g_assert_false (aex_pending_is_cancelled (protected));
  g_assert_true (aex_scope_leave (scope));
}

static void
in_callback (AexPending *pending,
             gpointer    called)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_check_cancelled (&error));
  g_assert_no_error (error);
  *(gboolean *) called = TRUE;
}

/* A callback that runs when the scope was left is free of it. */
static void
test_callbacks (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  gboolean called = FALSE;

  aex_pending_add_done_callback (promise, in_callback, &called, NULL);
  aex_scope_cancel (scope);
  aex_scope_leave (scope);
  aex_pending_resolve (promise, NULL);
  aex_test_run_until_done (promise);
  aex_test_drain ();
  g_assert_true (called);
}

/* --- every wait */

static gboolean
map_until_cancelled (AexPendingStream *stream,
                     guint             index,
                     GCancellable     *cancellable,
                     gpointer          gate,
                     GError          **error)
{
  return aex_job_until_cancelled (NULL, cancellable, gate, error);
}

static void
test_map (void)
{
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;
  g_autoptr (GError) error = NULL;
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  AexGate gate;

  aex_gate_init (&gate);
  stream = aex_executor_map (pool, 5, 0, -1, AEX_MAP_FLAGS_CONTINUE_ON_ERROR, map_until_cancelled, &gate, NULL);
  aex_gate_wait (&gate);
  aex_scope_cancel (scope);
  aex_scope_leave (scope);
  for (guint i = 0; error == NULL; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, &error);

      g_assert_cmpuint (i, <=, 5);
      g_assert_true (result != NULL || error != NULL);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  closed = aex_pending_stream_close (stream);
  aex_test_wait (closed);
  aex_gate_clear (&gate);
}

static void
test_next_sync (void)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
  g_autoptr (GError) error = NULL;
  AexScope *scope = aex_scope_enter (1000, AEX_SCOPE_FLAGS_NONE);

  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
}

static void
test_run_until_done (void)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (GError) late = NULL;
  g_autoptr (GError) error = NULL;
  AexScope *scope = aex_scope_enter (1000, AEX_SCOPE_FLAGS_NONE);

  g_assert_false (aex_pending_run_until_done (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &late));
  g_assert_error (late, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
  scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  g_idle_add_once ((GSourceOnceFunc) (GCallback) aex_scope_cancel, scope);
  g_assert_false (aex_pending_run_until_done (never, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_cancelled (never);
  g_assert_true (aex_scope_leave (scope));
}

static void
test_run (void)
{
  g_autoptr (GError) error = NULL;
  AexScope *scope = aex_scope_enter (1000, AEX_SCOPE_FLAGS_NONE);

  g_assert_null (aex_executor_run (pool, aex_job_until_cancelled, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
}

/* A running job is waited for, as if nothing had happened. */
static void
test_queued_only (void)
{
  AexBlock block;
  g_autoptr (AexPending) queued = NULL;
  g_autoptr (GError) error = NULL;
  AexPending *blocked = aex_block_begin (&block, pool);
  AexScope *scope;

  queued = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  scope = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);
  g_assert_false (aex_pending_wait (queued, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_assert_cancelled (queued);
  aex_gate_open (&block.release);
  g_assert_true (aex_pending_wait (blocked, AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, -1, NULL, NULL));
  aex_scope_leave (scope);
  aex_block_end (&block, blocked);
}

/* --- without entering */

typedef struct
{
  AexPending *job;
  GError     *error;
  gboolean    called;
} Coroutine;

static void
start_job (gpointer coroutine)
{
  ((Coroutine *) coroutine)->job = submit_blocked (NULL);
}

static void
scope_waited (GObject      *source,
              GAsyncResult *result,
              gpointer      coroutine)
{
  Coroutine *self = coroutine;

  g_assert_false (aex_pending_wait_finish (AEX_PENDING (source), result, &self->error));
  g_assert_true (aex_check_cancelled (NULL));
  self->called = TRUE;
}

static void
test_without_entering (void)
{
  Coroutine self = { 0 };
  g_autoptr (AexPending) promise = aex_pending_new ();
  AexScope *scope = aex_scope_new (1000, AEX_SCOPE_FLAGS_NONE);

  aex_scope_run (scope, start_job, &self);
  g_assert_true (aex_check_cancelled (NULL));
  aex_scope_wait_async (scope, promise, AEX_WAIT_FLAGS_NONE, NULL, scope_waited, &self);
  while (!self.called)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_done (promise));
  g_assert_false (aex_scope_check (scope, NULL));
  aex_test_wait (self.job);
  aex_assert_failed_with (self.job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_scope_leave (scope));
  g_object_unref (self.job);
  g_error_free (self.error);
}

static void
entered_waited (GObject      *source,
                GAsyncResult *result,
                gpointer      coroutine)
{
  Coroutine *self = coroutine;

  g_assert_false (aex_pending_wait_finish (AEX_PENDING (source), result, &self->error));
  /* The callback is inside, as the code that waits was. */
  g_assert_false (aex_check_cancelled (NULL));
  self->called = TRUE;
}

static void
test_wait_async (void)
{
  Coroutine self = { 0 };
  g_autoptr (AexPending) promise = aex_pending_new ();
  AexScope *scope = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);

  aex_pending_wait_async (promise, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, NULL, entered_waited, &self);
  aex_scope_cancel (scope);
  while (!self.called)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_cancelled (promise);
  g_assert_true (aex_scope_leave (scope));
  g_error_free (self.error);
}

static void
run_with_pool (gconstpointer func)
{
  pool = aex_test_pool (1);
  aex_test_run_in_context (func);
  aex_test_shutdown (pool);
}

static void
add (const char *path,
     AexTestFunc func)
{
  aex_test_add_data (path, (gconstpointer) func, run_with_pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  add ("/scope/N6/cancels", test_cancels);
  add ("/scope/N6/wakes", test_wakes);
  add ("/scope/N6-N7/time-of-jobs", test_time_of_jobs);
  add ("/scope/N2-N6/cancelled-too-late", test_cancelled_too_late);
  add ("/scope/N7/left", test_left);
  add ("/scope/N4-N6/shielded", test_shielded);
  add ("/scope/N6/never-starts", test_never_starts);
  add ("/scope/N6/delayed", test_delayed);
  add ("/scope/N6/inherited", test_inherited);
  add ("/scope/N6/protected", test_protected);
  add ("/scope/N7/callbacks", test_callbacks);
  add ("/scope/N6/map", test_map);
  add ("/scope/N2/next-sync", test_next_sync);
  add ("/scope/N2/run-until-done", test_run_until_done);
  add ("/scope/N2/run", test_run);
  add ("/scope/N2/queued-only", test_queued_only);
  add ("/scope/N8/without-entering", test_without_entering);
  add ("/scope/N2/wait-async", test_wait_async);
  return aex_test_run ();
}
