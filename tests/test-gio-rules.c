/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Rows Y2 to Y5: what holds for every operation of GIO that is a pending.  The
 * operation is one that ends when the test says so. */

typedef struct
{
  GTask        *task;          /* while it is under way */
  GCancellable *cancellable;
  GThread      *cancelled_on;
  GThread      *finished_on;
  int           n_starts;
  int           n_finishes;
  int           n_destroys;    /* atomic */
  gboolean      fails_silently;
} Operation;

static void
note_cancelled (GCancellable *cancellable,
                gpointer      operation)
{
  g_assert_cmpint (g_main_depth (), >, 0);
  ((Operation *) operation)->cancelled_on = g_thread_self ();
}

static void
operation_start (gpointer            source,
                 GCancellable       *cancellable,
                 GAsyncReadyCallback callback,
                 gpointer            callback_data,
                 gpointer            operation)
{
  Operation *self = operation;

  self->n_starts++;
  g_assert_true (G_IS_CANCELLABLE (cancellable));
  self->task = g_task_new (source, cancellable, callback, callback_data);
  g_task_set_check_cancellable (self->task, FALSE);
  self->cancellable = g_object_ref (cancellable);
  g_signal_connect (cancellable, "cancelled", G_CALLBACK (note_cancelled), self);
}

static gboolean
operation_finish (gpointer      source,
                  GAsyncResult *result,
                  GValue       *value,
                  gpointer      operation,
                  GError      **error)
{
  Operation *self = operation;
  GError *own = NULL;
  gssize number = g_task_propagate_int (G_TASK (result), &own);

  self->n_finishes++;
  self->finished_on = g_thread_self ();
  g_assert_cmpint (g_atomic_int_get (&self->n_destroys), ==, 0);
  g_assert_true (source == g_task_get_source_object (G_TASK (result)));
  if (own != NULL)
    {
      g_propagate_error (error, own);
      return FALSE;
    }
  if (self->fails_silently)
    return FALSE;
  g_value_init (value, G_TYPE_INT64);
  g_value_set_int64 (value, number);
  return TRUE;
}

static void
operation_destroy (gpointer operation)
{
  g_assert_cmpint (g_main_depth (), >, 0);
  g_atomic_int_inc (&((Operation *) operation)->n_destroys);
}

static AexPending *
operation_begin (Operation *self,
                 gpointer   source)
{
  return aex_pending_new_for_gio (source, operation_start, operation_finish, self, operation_destroy);
}

static void
operation_return (Operation *self,
                  int        number)
{
  g_task_return_int (self->task, number);
  g_clear_object (&self->task);
}

static void
operation_fail (Operation *self,
                GQuark     domain,
                int        code)
{
  g_task_return_new_error (self->task, domain, code, "Test failure");
  g_clear_object (&self->task);
}

static void
operation_end (Operation *self)
{
  g_assert_cmpint (self->n_starts, ==, 1);
  g_assert_cmpint (self->n_finishes, ==, 1);
  g_assert_cmpint (self->n_destroys, ==, 1);
  g_assert_null (self->task);
  g_signal_handlers_disconnect_by_data (self->cancellable, self);
  aex_assert_last_unref (g_steal_pointer (&self->cancellable));
}

/* --- Y2: in the context that was current at the start */

static void
test_value (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = operation_begin (&self, NULL);

  g_assert_cmpint (self.n_starts, ==, 1);
  aex_test_drain ();
  aex_assert_state (pending, RUNNING);
  operation_return (&self, 7);
  aex_assert_state (pending, RUNNING);
  aex_gio_expect_number (g_steal_pointer (&pending), 7);
  g_assert_true (self.finished_on == g_thread_self ());
  aex_test_drain ();
  operation_end (&self);
}

typedef struct
{
  Operation   operation;
  AexPending *pending;
  AexGate     done;
} Remote;

static void
remote_done (AexPending *pending,
             gpointer    remote)
{
  aex_gate_open (&((Remote *) remote)->done);
}

static void
remote_begin (gpointer remote,
              gpointer thread)
{
  Remote *self = remote;

  self->pending = operation_begin (&self->operation, NULL);
  aex_pending_add_done_callback (self->pending, remote_done, self, NULL);
}

static void
remote_return (gpointer remote,
               gpointer thread)
{
  operation_return (&((Remote *) remote)->operation, 7);
}

static void
remote_wait (Remote *self)
{
  aex_gate_wait (&self->done);
  aex_test_wait (self->pending);
  g_clear_object (&self->pending);
}

static void
remote_end (gpointer remote,
            gpointer thread)
{
  aex_test_drain ();
  operation_end (&((Remote *) remote)->operation);
}

/* The operation belongs to a thread, who waits is another. */
static void
test_other_thread (void)
{
  AexLoopThread *thread = aex_loop_thread_new ();
  Remote self = { 0 };

  aex_gate_init (&self.done);
  aex_loop_thread_call (thread, remote_begin, &self, NULL);
  aex_loop_thread_call (thread, remote_return, &self, NULL);
  aex_test_wait (self.pending);
  aex_assert_resolved_int64 (self.pending, 7);
  g_assert_true (self.operation.finished_on == aex_loop_thread_get_thread (thread));
  remote_wait (&self);
  aex_loop_thread_call (thread, remote_end, &self, NULL);
  aex_loop_thread_free (thread);
  aex_gate_clear (&self.done);
}

static AexContextVar *seen_var;
static int seen;

static gboolean
finish_and_look (gpointer      source,
                 GAsyncResult *result,
                 GValue       *value,
                 gpointer      operation,
                 GError      **error)
{
  seen = aex_test_var_get (seen_var);
  aex_test_var_set (seen_var, 99);
  return operation_finish (source, result, value, operation, error);
}

static void
test_context_variables (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = NULL;

  seen_var = aex_test_var_new (1);
  aex_test_var_set (seen_var, 2);
  pending = aex_pending_new_for_gio (NULL, operation_start, finish_and_look, &self, operation_destroy);
  aex_test_var_set (seen_var, 3);
  operation_return (&self, 7);
  aex_gio_expect_number (g_steal_pointer (&pending), 7);
  g_assert_cmpint (seen, ==, 2);
  g_assert_cmpint (aex_test_var_get (seen_var), ==, 3);
  aex_test_drain ();
  operation_end (&self);
  g_clear_object (&seen_var);
}

static void
test_errors (void)
{
  Operation failing = { 0 };
  Operation silent = { .fails_silently = TRUE };
  g_autoptr (AexPending) failed = operation_begin (&failing, NULL);
  g_autoptr (AexPending) failed_silently = operation_begin (&silent, NULL);

  operation_fail (&failing, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  operation_return (&silent, 7);
  aex_gio_expect_error (g_steal_pointer (&failed), G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  aex_gio_expect_error (g_steal_pointer (&failed_silently), AEX_ERROR, AEX_ERROR_FAILED);
  aex_test_drain ();
  operation_end (&failing);
  operation_end (&silent);
}

/* --- Y3: cancellation */

static void
test_cancel (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = operation_begin (&self, NULL);

  g_assert_true (aex_pending_cancel (pending, "enough"));
  g_assert_true (aex_pending_is_cancelled (pending));
  g_assert_false (aex_pending_is_done (pending));
  g_assert_null (self.cancelled_on);
  aex_test_drain ();
  g_assert_true (self.cancelled_on == g_thread_self ());
  g_assert_false (aex_pending_is_done (pending));
  /* Whatever the operation gives after that. */
  operation_return (&self, 7);
  aex_test_run_until_done (pending);
  aex_assert_cancelled (pending);
  aex_test_drain ();
  operation_end (&self);
}

static void
test_cancel_from_other_thread (void)
{
  AexLoopThread *thread = aex_loop_thread_new ();
  Remote self = { 0 };

  aex_gate_init (&self.done);
  aex_loop_thread_call (thread, remote_begin, &self, NULL);
  g_assert_true (aex_pending_cancel (self.pending, NULL));
  aex_loop_thread_call (thread, remote_return, &self, NULL);
  g_assert_true (self.operation.cancelled_on == aex_loop_thread_get_thread (thread));
  aex_test_wait (self.pending);
  aex_assert_cancelled (self.pending);
  remote_wait (&self);
  aex_loop_thread_call (thread, remote_end, &self, NULL);
  aex_loop_thread_free (thread);
  aex_gate_clear (&self.done);
}

/* By closing its stream, say. */
static void
test_cancelled_by_others (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = operation_begin (&self, NULL);
  g_autoptr (GError) error = NULL;

  operation_fail (&self, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_test_run_until_done (pending);
  aex_assert_cancelled (pending);
  error = aex_pending_dup_error (pending);
  g_assert_cmpstr (error->message, ==, "Test failure");
  g_assert_true (aex_pending_cancel (pending, NULL));
  aex_test_drain ();
  operation_end (&self);
}

static void
test_cancel_too_late (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = operation_begin (&self, NULL);

  operation_return (&self, 7);
  aex_gio_expect_number (g_object_ref (pending), 7);
  g_assert_false (aex_pending_cancel (pending, NULL));
  aex_assert_state (pending, RESOLVED);
  aex_test_drain ();
  g_assert_false (g_cancellable_is_cancelled (self.cancellable));
  operation_end (&self);
}

/* --- Y4: what is kept, and how long */

static GTask *lonely_task;

/* An operation that keeps nothing itself. */
static void
lonely_start (gpointer            source,
              GCancellable       *cancellable,
              GAsyncReadyCallback callback,
              gpointer            callback_data,
              gpointer            user_data)
{
  lonely_task = g_task_new (NULL, cancellable, callback, callback_data);
}

static gboolean
lonely_finish (gpointer      source,
               GAsyncResult *result,
               GValue       *value,
               gpointer      disposed,
               GError      **error)
{
  g_assert_true (G_IS_OBJECT (source));
  g_assert_cmpint (*(int *) disposed, ==, 0);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
check_disposed (AexPending *pending,
                gpointer    disposed)
{
  g_assert_cmpint (*(int *) disposed, ==, 1);
}

static void
test_source_is_kept (void)
{
  int disposed = 0;
  GObject *source = aex_test_object_new (&disposed);
  g_autoptr (AexPending) pending = aex_pending_new_for_gio (source, lonely_start, lonely_finish, &disposed, NULL);

  aex_pending_add_done_callback_inline (pending, check_disposed, &disposed, NULL);
  g_object_unref (source);
  aex_test_drain ();
  g_assert_cmpint (disposed, ==, 0);
  g_task_return_boolean (lonely_task, TRUE);
  g_clear_object (&lonely_task);
  aex_test_run_until_done (pending);
  aex_assert_resolved_empty (pending);
}

/* Who drops the pending does not end the operation, and an error that nobody sees is told. */
static void
test_dropped (void)
{
  Operation self = { 0 };
  Operation failing = { 0 };
  g_autoptr (GPtrArray) log = NULL;

  g_object_unref (operation_begin (&self, NULL));
  g_object_unref (operation_begin (&failing, NULL));
  g_assert_cmpint (self.n_destroys, ==, 0);
  operation_return (&self, 7);
  operation_fail (&failing, G_IO_ERROR, G_IO_ERROR_FAILED);
  aex_test_log_begin ();
  aex_test_drain ();
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "Test failure"));
  operation_end (&self);
  operation_end (&failing);
}

static void
check_destroyed (AexPending *pending,
                 gpointer    operation)
{
  g_assert_cmpint (g_atomic_int_get (&((Operation *) operation)->n_destroys), ==, 1);
  operation_end (operation);
}

/* Nothing of the operation is left when the pending is done. */
static void
test_released_before_done (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = operation_begin (&self, NULL);

  aex_pending_add_done_callback_inline (pending, check_destroyed, &self, NULL);
  g_signal_handlers_disconnect_by_data (self.cancellable, &self);
  g_clear_object (&self.cancellable);
  self.cancellable = g_cancellable_new ();
  operation_return (&self, 7);
  aex_gio_expect_number (g_steal_pointer (&pending), 7);
}

/* --- Y5: where it cannot be */

static gpointer
begin_without_context (gpointer data)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = aex_pending_new_for_gio (NULL, operation_start, operation_finish, &self, NULL);
  g_autoptr (GFile) file = g_file_new_for_path ("/");
  g_autoptr (AexPending) plain = AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT);

  g_assert_cmpint (self.n_starts, ==, 0);
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_NO_CONTEXT);
  aex_assert_failed_with (plain, AEX_ERROR, AEX_ERROR_NO_CONTEXT);
  return NULL;
}

static gboolean
begin_in_job (AexPending   *job,
              GCancellable *cancellable,
              gpointer      user_data,
              GError      **error)
{
  begin_without_context (NULL);
  return TRUE;
}

static void
test_no_context (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, begin_in_job, NULL, NULL);

  aex_test_in_thread (begin_without_context, NULL);
  aex_test_wait (job);
  aex_assert_resolved_empty (job);
  aex_test_shutdown (pool);
}

static gpointer
begin_and_drop (gpointer poison)
{
  g_object_unref (aex_pending_new_for_gio (NULL, operation_start, operation_finish, poison, aex_poison_release));
  return NULL;
}

/* Also where it was refused: in a dispatch of the main context, as with every other callback of such a thread. */
static void
test_destroy (void)
{
  g_autoptr (GPtrArray) log = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  aex_test_log_begin ();
  aex_test_in_thread (begin_and_drop, &poison);
  log = aex_test_log_end ();
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

/* A job of a pool that asks for a context has one, until it ends. */
static gboolean
load_in_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      file,
             GError      **error)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (error);
  g_autoptr (AexPending) read = AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT);

  g_assert_nonnull (caller);
  g_assert_false (aex_pending_is_done (read));
  return aex_pending_run_until_done (read, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
test_context_of_job (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");
  g_autoptr (AexPending) job = aex_executor_submit (self.pool, load_in_job, file, NULL);

  aex_test_wait (job);
  aex_assert_resolved_empty (job);
}

static void
test_blocking_is_refused (void)
{
  Operation self = { 0 };
  g_autoptr (AexPending) pending = operation_begin (&self, NULL);
  g_autoptr (AexPending) derived = aex_pending_shield (pending);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) derived_error = NULL;

  g_assert_false (aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  g_assert_false (aex_pending_wait (derived, AEX_WAIT_FLAGS_NONE, -1, NULL, &derived_error));
  g_assert_error (derived_error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  operation_return (&self, 7);
  g_assert_true (aex_pending_run_until_done (derived, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  aex_test_drain ();
  operation_end (&self);
}

static AexPending *
begin_in_caller (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      file,
                 GError      **error)
{
  return AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT);
}

/* The easy way from a plain thread: as a job of a caller. */
static gpointer
load_on_caller (gpointer file)
{
  g_autoptr (AexCaller) caller = aex_caller_new_thread ("io", NULL);
  g_autoptr (AexPending) job = aex_executor_submit_async (AEX_EXECUTOR (caller), begin_in_caller, file, NULL);
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (GObject) stream = NULL;

  aex_test_wait (job);
  stream = aex_pending_dup_object (job, NULL);
  g_assert_true (G_IS_FILE_INPUT_STREAM (stream));
  stopped = aex_executor_shutdown (AEX_EXECUTOR (caller), AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_wait (stopped);
  return NULL;
}

static void
test_job_of_caller (void)
{
  g_auto (AexFileTest) self = aex_file_test_begin ();
  g_autoptr (GFile) file = aex_gio_file (&self, "a", "text");

  aex_test_in_thread (load_on_caller, file);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/gio/Y1-Y2/value", test_value);
  aex_test_add ("/gio/Y2/other-thread", test_other_thread);
  aex_test_add_in_context ("/gio/Y2/context-variables", test_context_variables);
  aex_test_add ("/gio/Y1/errors", test_errors);
  aex_test_add ("/gio/Y3/cancel", test_cancel);
  aex_test_add ("/gio/Y3/cancel-from-other-thread", test_cancel_from_other_thread);
  aex_test_add ("/gio/Y3/cancelled-by-others", test_cancelled_by_others);
  aex_test_add ("/gio/Y3/cancel-too-late", test_cancel_too_late);
  aex_test_add ("/gio/Y4/source-is-kept", test_source_is_kept);
  aex_test_add ("/gio/Y4/dropped", test_dropped);
  aex_test_add ("/gio/Y4/released-before-done", test_released_before_done);
  aex_test_add ("/gio/Y5/no-context", test_no_context);
  aex_test_add ("/gio/X4/aex_pending_new_for_gio", test_destroy);
  aex_test_add ("/gio/Y5/context-of-job", test_context_of_job);
  aex_test_add ("/gio/Y5/blocking-is-refused", test_blocking_is_refused);
  aex_test_add ("/gio/Y2/job-of-caller", test_job_of_caller);
  return aex_test_run ();
}
