/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The function of a GTask as a job. */
#include <stdatomic.h>

#include "aex-executor.h"
#include "aex-pending.h"
#include "base/aex-fork-private.h"
#include "executor/aex-submit-options-private.h"
#include "pending/aex-task-private.h"

typedef struct {
  atomic_int refs;      /* of the job's closure and of its done callback */
  GTask *task;
  GTaskThreadFunc func;
  atomic_int started;   /* func was called: it makes the task return */
} AexTaskRun;

static void
task_run_unref (gpointer data)
{
  AexTaskRun *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_object_unref (self->task);
  g_free (self);
}

static gboolean
task_run (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  AexTaskRun *self = data;
  GCancellable *own = g_task_get_cancellable (self->task);

  (void) job;
  (void) error;
  atomic_store (&self->started, TRUE);
  self->func (self->task, g_task_get_source_object (self->task), g_task_get_task_data (self->task),
              own != NULL ? own : cancellable);
  return TRUE;
}

/* On whatever thread the job ended. */
static void
task_run_over (AexPending *job, gpointer data)
{
  AexTaskRun *self = data;
  GError *error = aex_pending_dup_error (job);

  if (!atomic_load (&self->started) && error != NULL)
    aex_task_fail (self->task, g_steal_pointer (&error));
  g_clear_error (&error);
}

static AexPriority
priority_of (GTask *task)
{
  int priority = g_task_get_priority (task);

  return priority < G_PRIORITY_DEFAULT ? AEX_PRIORITY_HIGH
         : priority > G_PRIORITY_DEFAULT ? AEX_PRIORITY_BACKGROUND : AEX_PRIORITY_DEFAULT;
}

/**
 * aex_executor_run_task: (skip)
 * @self: an executor
 * @task: a task that has not returned; its data and options are set
 * @func: what to run: it makes @task return
 *
 * Runs the function of a #GTask as a job of @self, like
 * g_task_run_in_thread(): @func gets @task, its source object and data, and its
 * cancellable (or, if it has none, one that is cancelled with the job). The name
 * and the priority of @task (above the default, default, or below) are those of
 * the job. @task is kept alive, and let go in a dispatch of the main context
 * that is current for this thread now.
 *
 * What differs from g_task_run_in_thread():
 *
 * - A @task whose cancellable is cancelled before @func was called returns
 *   %G_IO_ERROR_CANCELLED, and @func is never called; unless
 *   g_task_set_check_cancellable() was switched off.
 * - So g_task_set_return_on_cancel() makes no difference before @func runs;
 *   and once it runs, @task returns when @func says so.
 * - The callback of @task may come while @func, which has made it return, is
 *   about to end.
 * - When @self is closed, full, or stopped before the job could run, @task
 *   returns that error: %AEX_ERROR_CLOSED or %AEX_ERROR_BUSY.
 * - @func sees the current context variables, may wait for other jobs of @self,
 *   and is found by aex_check_cancelled().
 *
 * Since: 1.0
 */
void
aex_executor_run_task (AexExecutor *self, GTask *task, GTaskThreadFunc func)
{
  AexSubmitOptions options = { .timeout_us = -1, .release_on_owner = TRUE };
  g_autoptr (AexPending) job = NULL;
  GError *error = NULL;
  AexTaskRun *run;

  g_return_if_fail (AEX_IS_EXECUTOR (self));
  g_return_if_fail (G_IS_TASK (task));
  g_return_if_fail (func != NULL);

  if (aex_fork_check (&error))
    {
      aex_task_fail (task, error);
      return;
    }
  options.name = (char *) g_task_get_name (task);
  options.priority = priority_of (task);
  options.cancellable = g_task_get_check_cancellable (task) ? g_task_get_cancellable (task) : NULL;
  run = g_new0 (AexTaskRun, 1);
  run->refs = 2;
  run->task = g_object_ref (task);
  run->func = func;
  job = aex_executor_submit_full (self, &options, task_run, run, task_run_unref);
  aex_pending_add_done_callback_inline (job, task_run_over, run, task_run_unref);
}
