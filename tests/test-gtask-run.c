/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Row Y8: the function of a GTask as a job of an executor. */

typedef struct
{
  AexExecutor *executor;
  AexGate      started;
  AexGate      release;
  AexRecord    record;
  GThread     *main_thread;
  int          n_runs;       /* atomic */
  int          n_calls;      /* atomic */
  gssize       number;
  GError      *error;
} Run;

static void
run_begin (Run *self)
{
  memset (self, 0, sizeof *self);
  self->executor = aex_test_pool (1);
  self->main_thread = g_thread_self ();
  aex_gate_init (&self->started);
  aex_gate_init (&self->release);
  aex_record_init (&self->record);
}

static void
run_end (Run *self)
{
  aex_test_shutdown (self->executor);
  aex_gate_clear (&self->started);
  aex_gate_clear (&self->release);
  aex_record_clear (&self->record);
  g_clear_error (&self->error);
}

static void
run_called (GObject      *source,
            GAsyncResult *result,
            gpointer      run)
{
  Run *self = run;

  g_assert_true (g_thread_self () == self->main_thread);
  g_assert_cmpint (g_main_depth (), >, 0);
  g_clear_error (&self->error);
  self->number = g_task_propagate_int (G_TASK (result), &self->error);
  aex_record_add (&self->record, g_task_get_name (G_TASK (result)) != NULL ? g_task_get_name (G_TASK (result)) : "done");
  g_atomic_int_inc (&self->n_calls);
}

static void
run_wait (Run *self)
{
  aex_test_iterate_until (aex_test_is_set, &self->n_calls);
  g_assert_cmpint (self->n_calls, ==, 1);
}

static GTask *
run_task (Run          *self,
          GCancellable *cancellable)
{
  GTask *task = g_task_new (NULL, cancellable, run_called, self);

  g_task_set_task_data (task, self, NULL);
  return task;
}

static void
return_seven (GTask        *task,
              gpointer      source,
              gpointer      run,
              GCancellable *cancellable)
{
  Run *self = run;

  g_assert_true (aex_test_is_on (self->executor));
  g_assert_true (G_IS_CANCELLABLE (cancellable));
  g_atomic_int_inc (&self->n_runs);
  g_task_return_int (task, 7);
}

static void
wait_and_return (GTask        *task,
                 gpointer      source,
                 gpointer      run,
                 GCancellable *cancellable)
{
  Run *self = run;

  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  return_seven (task, source, run, cancellable);
}

static void
test_value (void)
{
  Run self;
  g_autoptr (GTask) task = NULL;

  run_begin (&self);
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, return_seven);
  g_assert_cmpint (self.n_calls, ==, 0);
  run_wait (&self);
  g_assert_no_error (self.error);
  g_assert_cmpint (self.number, ==, 7);
  run_end (&self);
}

static void
look_and_fail (GTask        *task,
               gpointer      source,
               gpointer      data,
               GCancellable *cancellable)
{
  g_assert_true (source == g_task_get_source_object (task));
  g_assert_true (data == g_task_get_task_data (task));
  g_assert_true (cancellable == g_task_get_cancellable (task));
  g_task_return_new_error (task, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
}

/* The source lives as long as the task, and is let go of on this thread. */
static void
test_arguments_and_error (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  int disposed = 0;
  GObject *source;
  GTask *task;
  Run self;

  run_begin (&self);
  source = aex_test_object_new (&disposed);
  task = g_task_new (source, cancellable, run_called, &self);
  g_task_set_task_data (task, &self, NULL);
  g_object_unref (source);
  aex_executor_run_task (self.executor, task, look_and_fail);
  g_object_unref (task);
  run_wait (&self);
  g_assert_error (self.error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  aex_test_iterate_until (aex_test_is_set, &disposed);
  run_end (&self);
}

/* --- cancelled */

static void
test_cancel_queued (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  AexPending *blocker;
  AexBlock block;
  Run self;

  run_begin (&self);
  blocker = aex_block_begin (&block, self.executor);
  task = run_task (&self, cancellable);
  aex_executor_run_task (self.executor, task, return_seven);
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (self.n_calls, ==, 0);
  /* At once: the executor is still busy. */
  run_wait (&self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_block_end (&block, blocker);
  run_end (&self);
  g_assert_cmpint (self.n_runs, ==, 0);
}

static void
test_cancelled_before (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  g_cancellable_cancel (cancellable);
  task = run_task (&self, cancellable);
  aex_executor_run_task (self.executor, task, return_seven);
  run_wait (&self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  run_end (&self);
  g_assert_cmpint (self.n_runs, ==, 0);
}

/* Also with return-on-cancel: a task returns once, when its function says so. */
static void
test_cancel_running (gconstpointer return_on_cancel)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  task = run_task (&self, cancellable);
  g_task_set_return_on_cancel (task, return_on_cancel != NULL);
  aex_executor_run_task (self.executor, task, wait_and_return);
  aex_gate_wait (&self.started);
  g_cancellable_cancel (cancellable);
  aex_test_drain ();
  g_assert_cmpint (self.n_calls, ==, 0);
  aex_gate_open (&self.release);
  run_wait (&self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (self.n_runs, ==, 1);
  run_end (&self);
}

static void
test_check_is_off (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  g_cancellable_cancel (cancellable);
  task = run_task (&self, cancellable);
  g_task_set_check_cancellable (task, FALSE);
  aex_executor_run_task (self.executor, task, return_seven);
  run_wait (&self);
  g_assert_no_error (self.error);
  g_assert_cmpint (self.number, ==, 7);
  run_end (&self);
}

static void
until_cancelled (GTask        *task,
                 gpointer      source,
                 gpointer      run,
                 GCancellable *cancellable)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  GError *error = NULL;

  aex_gate_open (&((Run *) run)->started);
  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_false (aex_check_cancelled (NULL));
  g_task_return_error (task, error);
}

/* A task without a cancellable gets that of its job. */
static void
test_executor_cancels (void)
{
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, until_cancelled);
  aex_gate_wait (&self.started);
  stopped = aex_executor_shutdown (self.executor, AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  run_wait (&self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_test_wait (stopped);
  run_end (&self);
}

/* --- refused */

static void
test_closed (void)
{
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  stopped = aex_executor_shutdown (self.executor, AEX_SHUTDOWN_FLAGS_NONE);
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, return_seven);
  g_assert_cmpint (self.n_calls, ==, 0);
  run_wait (&self);
  g_assert_error (self.error, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_wait (stopped);
  run_end (&self);
}

static void
test_busy (void)
{
  g_autoptr (GTask) first = NULL;
  g_autoptr (GTask) second = NULL;
  AexPending *blocker;
  AexBlock block;
  Run self, other;

  run_begin (&self);
  run_begin (&other);
  blocker = aex_block_begin (&block, self.executor);
  aex_executor_set_max_pending (self.executor, 1);
  first = run_task (&self, NULL);
  second = run_task (&other, NULL);
  aex_executor_run_task (self.executor, first, return_seven);
  aex_executor_run_task (self.executor, second, return_seven);
  run_wait (&other);
  g_assert_error (other.error, AEX_ERROR, AEX_ERROR_BUSY);
  aex_block_end (&block, blocker);
  run_wait (&self);
  g_assert_cmpint (self.number, ==, 7);
  run_end (&self);
  run_end (&other);
}

/* --- order, nesting, many */

static void
note_run (GTask        *task,
          gpointer      source,
          gpointer      record,
          GCancellable *cancellable)
{
  aex_record_add (record, g_task_get_name (task));
  g_task_return_boolean (task, TRUE);
}

static void
submit_named (Run        *self,
              AexRecord  *ran,
              int         priority,
              const char *name)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_set_task_data (task, ran, NULL);
  g_task_set_priority (task, priority);
  g_task_set_name (task, name);
  aex_executor_run_task (self->executor, task, note_run);
}

static void
test_order (void)
{
  AexRecord ran;
  AexPending *blocker;
  AexBlock block;
  Run self;

  run_begin (&self);
  aex_record_init (&ran);
  blocker = aex_block_begin (&block, self.executor);
  submit_named (&self, &ran, G_PRIORITY_LOW, "low");
  submit_named (&self, &ran, G_PRIORITY_DEFAULT, "first");
  submit_named (&self, &ran, G_PRIORITY_HIGH, "high");
  submit_named (&self, &ran, G_PRIORITY_DEFAULT, "second");
  aex_block_end (&block, blocker);
  run_end (&self);
  aex_assert_record (&ran, "high first second low");
  aex_record_clear (&ran);
}

static void
wait_for_another (GTask        *task,
                  gpointer      source,
                  gpointer      run,
                  GCancellable *cancellable)
{
  Run *self = run;
  g_autoptr (AexPending) job = aex_executor_submit (self->executor, aex_job_int, GINT_TO_POINTER (7), NULL);

  aex_test_wait (job);
  g_task_return_int (task, (gssize) aex_pending_get_int64 (job, NULL));
}

/* On a pool of one: GTask would start another thread for that. */
static void
test_nested (void)
{
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, wait_for_another);
  run_wait (&self);
  g_assert_cmpint (self.number, ==, 7);
  run_end (&self);
}

static void
count_call (GObject      *source,
            GAsyncResult *result,
            gpointer      count)
{
  g_assert_true (g_task_propagate_int (G_TASK (result), NULL) == 7);
  ++*(guint *) count;
}

static gboolean
all_called (gpointer count)
{
  return *(guint *) count == 1000;
}

static void
test_many (void)
{
  guint count = 0;
  Run self;

  run_begin (&self);
  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, count_call, &count);

      g_task_set_task_data (task, &self, NULL);
      aex_executor_run_task (self.executor, task, return_seven);
    }
  aex_test_iterate_until (all_called, &count);
  g_assert_cmpint (self.n_runs, ==, 1000);
  run_end (&self);
}

/* --- elsewhere than on a pool */

static void
test_on_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_new_thread (NULL, NULL);
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  aex_test_shutdown (self.executor);
  self.executor = AEX_EXECUTOR (g_steal_pointer (&caller));
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, return_seven);
  run_wait (&self);
  g_assert_cmpint (self.number, ==, 7);
  run_end (&self);
}

/* The function runs in the context of the task itself. */
static void
test_on_own_context (void)
{
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  aex_test_shutdown (self.executor);
  self.executor = AEX_EXECUTOR (aex_caller_ref_main ());
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, return_seven);
  g_assert_cmpint (self.n_runs, ==, 0);
  run_wait (&self);
  g_assert_cmpint (self.number, ==, 7);
  g_clear_object (&self.executor);
  self.executor = aex_test_pool (1);
  run_end (&self);
}

static AexContextVar *seen_var;

static void
return_seen (GTask        *task,
             gpointer      source,
             gpointer      run,
             GCancellable *cancellable)
{
  g_task_return_int (task, aex_test_var_get (seen_var));
  aex_test_var_set (seen_var, 99);
}

static void
test_context_variables (void)
{
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  seen_var = aex_test_var_new (1);
  aex_test_var_set (seen_var, 2);
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, return_seen);
  aex_test_var_set (seen_var, 3);
  run_wait (&self);
  g_assert_cmpint (self.number, ==, 2);
  g_assert_cmpint (aex_test_var_get (seen_var), ==, 3);
  /* Not before: the callback may come while the function is about to end. */
  run_end (&self);
  g_clear_object (&seen_var);
}

/* A function may hand the task on, as with every asynchronous operation. */
static gboolean
return_later (gpointer task)
{
  g_task_return_int (task, 7);
  return G_SOURCE_REMOVE;
}

static void
hand_on (GTask        *task,
         gpointer      source,
         gpointer      run,
         GCancellable *cancellable)
{
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT, return_later, g_object_ref (task), g_object_unref);
}

static void
test_handed_on (void)
{
  g_autoptr (GTask) task = NULL;
  Run self;

  run_begin (&self);
  task = run_task (&self, NULL);
  aex_executor_run_task (self.executor, task, hand_on);
  run_wait (&self);
  g_assert_cmpint (self.number, ==, 7);
  run_end (&self);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/gtask/Y8/value", test_value);
  aex_test_add ("/gtask/Y8/arguments-and-error", test_arguments_and_error);
  aex_test_add ("/gtask/Y8/cancel-queued", test_cancel_queued);
  aex_test_add ("/gtask/Y8/cancelled-before", test_cancelled_before);
  aex_test_add_data ("/gtask/Y8/cancel-running", NULL, test_cancel_running);
  aex_test_add_data ("/gtask/Y8/return-on-cancel", "", test_cancel_running);
  aex_test_add ("/gtask/Y8/check-is-off", test_check_is_off);
  aex_test_add ("/gtask/Y8/executor-cancels", test_executor_cancels);
  aex_test_add ("/gtask/Y8/closed", test_closed);
  aex_test_add ("/gtask/Y8/busy", test_busy);
  aex_test_add ("/gtask/Y8/order", test_order);
  aex_test_add ("/gtask/Y8/nested", test_nested);
  aex_test_add ("/gtask/Y8/many", test_many);
  aex_test_add ("/gtask/Y8/on-caller", test_on_caller);
  aex_test_add ("/gtask/Y8/on-own-context", test_on_own_context);
  aex_test_add_in_context ("/gtask/Y8/context-variables", test_context_variables);
  aex_test_add ("/gtask/Y8/handed-on", test_handed_on);
  return aex_test_run ();
}
