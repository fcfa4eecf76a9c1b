/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Giving work to an executor. */
#include "aex-submit-options.h"
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-core-private.h"
#include "executor/aex-operation-private.h"
#include "executor/aex-submit-options-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-scope-private.h"
#include "pending/aex-tracker-private.h"
#include "pending/aex-value-private.h"

static AexPending *
submit_forked (gpointer data, GDestroyNotify destroy)
{
  GError *error = NULL;

  aex_fork_check (&error);
  if (destroy != NULL)
    destroy (data);
  return aex_pending_new_failed (error);
}

void
aex_core_note_submission (AexCore *self, AexPending *job, gpointer func)
{
  AexPendingExtra *extra;

  if (G_LIKELY (!self->record_times && !self->name_jobs))
    return;
  extra = aex_pending_ensure_extra (job);
  if (self->record_times)
    {
      extra->record_times = TRUE;
      extra->submitted_us = aex_clock_now ();
    }
  if (self->name_jobs)
    extra->name = aex_debug_name_func (func);
}

static AexPending *
submit (AexExecutor *self, gpointer func, gpointer user_data, GDestroyNotify destroy, guint flags)
{
  AexCore *core = aex_executor_get_core (self);
  AexPending *job;

  if (aex_is_forked ())
    return submit_forked (user_data, destroy);
  job = aex_pending_new_job (&core->target, aex_thread_get ()->context, func, user_data, destroy, flags);
  aex_core_note_submission (core, job, func);
  return aex_core_submit_job (core, job, AEX_LANE_DEFAULT);
}

/**
 * aex_executor_submit:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): the job
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job. @func runs once, later, where @self runs jobs, with the
 * current context; @destroy is called there too, before the pending is done.
 * When @self is closed the pending is cancelled with %AEX_ERROR_CLOSED, when
 * too many jobs are queued it is rejected with %AEX_ERROR_BUSY.
 *
 * Returns: (transfer full): the pending of the job; dropping it does not
 *   cancel the job
 *
 * Since: 1.0
 */
AexPending *
aex_executor_submit (AexExecutor *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return submit (self, func, user_data, destroy, 0);
}

/**
 * aex_executor_submit_async:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): the job, in coroutine form
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job that returns what to follow, see
 * [method@Executor.submit]. It counts as running until the followed pending is
 * done; cancelling it cancels that.
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_executor_submit_async (AexExecutor *self, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return submit (self, func, user_data, destroy, AEX_FLAG_ASYNC);
}

static void
job_timed_out (gpointer data)
{
  aex_pending_cancel_as (data, AEX_CANCEL_TIMEOUT, NULL);
}

static void
apply_options (AexPending *job, const AexSubmitOptions *options)
{
  GHashTableIter iter;
  gpointer key, value;

  if (options->result_type != NULL)
    aex_pending_expect_type (job, options->operation, options->result_type);
  if (options->name != NULL)
    aex_pending_set_name (job, options->name);
  else if (options->operation != NULL)
    aex_pending_set_static_name (job, options->operation);
  if (options->metadata != NULL)
    {
      g_hash_table_iter_init (&iter, options->metadata);
      while (g_hash_table_iter_next (&iter, &key, &value))
        aex_pending_set_metadata (job, key, value);
    }
}

static AexPending *
submit_full (AexExecutor *self, const AexSubmitOptions *options, gpointer func, gpointer user_data, GDestroyNotify destroy, guint flags)
{
  AexCore *core = aex_executor_get_core (self);
  g_autoptr (AexContext) context = NULL;
  AexPending *job;
  GError *error = NULL;
  gboolean group_is_over;

  if (aex_is_forked ())
    return submit_forked (user_data, destroy);
  if (options->release_on_owner)
    flags |= AEX_FLAG_RELEASE_ON_OWNER;
  group_is_over = !aex_submit_options_ref_context (options, &context);
  job = aex_pending_new_job (&core->target, context, func, user_data, destroy, flags);
  aex_core_note_submission (core, job, func);
  apply_options (job, options);
  if (group_is_over)
    {
      aex_core_refuse (core, job, AEX_REFUSED_CLOSED, NULL);
      return job;
    }
  if (!aex_submit_options_subscribe (options, job, &error))
    {
      aex_core_refuse (core, job, AEX_REFUSED_ERROR, error);
      return job;
    }
  /* What is cancelled already never starts: it is not even queued, where a thread might be faster than we. */
  if (options->cancellable != NULL && g_cancellable_is_cancelled (options->cancellable))
    {
      aex_core_refuse (core, job, AEX_REFUSED_CANCELLED, NULL);
      return job;
    }
  aex_core_submit_job (core, job, (AexLane) (AEX_LANE_DEFAULT - options->priority));
  if (options->timeout_us >= 0)
    aex_pending_arm (job, options->timeout_us, job_timed_out);
  if (options->cancellable != NULL)
    aex_pending_cancel_on (job, options->cancellable);
  return job;
}

/**
 * aex_executor_submit_full:
 * @self: an executor
 * @options: (nullable): options
 * @func: (scope notified) (closure user_data) (destroy destroy): the job
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job with options, see [method@Executor.submit].
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_executor_submit_full (AexExecutor *self, AexSubmitOptions *options, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  if (options == NULL)
    return submit (self, func, user_data, destroy, 0);
  return submit_full (self, options, func, user_data, destroy, 0);
}

/**
 * aex_executor_submit_async_full:
 * @self: an executor
 * @options: (nullable): options
 * @func: (scope notified) (closure user_data) (destroy destroy): the job, in coroutine form
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job in coroutine form with options, see
 * [method@Executor.submit_async].
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_executor_submit_async_full (AexExecutor *self, AexSubmitOptions *options, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  if (options == NULL)
    return submit (self, func, user_data, destroy, AEX_FLAG_ASYNC);
  return submit_full (self, options, func, user_data, destroy, AEX_FLAG_ASYNC);
}

/**
 * aex_pending_group_submit:
 * @self: a group
 * @executor: where to run it
 * @func: (scope notified) (closure user_data) (destroy destroy): the job
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job that is a member of @self, wherever this is called, see
 * [method@SubmitOptions.set_group] and [method@Executor.submit].
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_pending_group_submit (AexPendingGroup *self, AexExecutor *executor, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexSubmitOptions options = { .timeout_us = -1, .group = self };

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), NULL);
  g_return_val_if_fail (AEX_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return submit_full (executor, &options, (gpointer) func, user_data, destroy, 0);
}

/* ---- operations */

typedef struct {
  AexOperation *operation;
  GVariant *parameters;
} AexCall;

static gboolean
call_run (AexPending *job, GCancellable *cancellable, gpointer call, GError **error)
{
  AexCall *self = call;

  return self->operation->func (job, self->parameters, cancellable, self->operation->data, error);
}

static void
call_free (gpointer call)
{
  AexCall *self = call;

  g_variant_unref (self->parameters);
  aex_operation_unref (self->operation);
  g_free (self);
}

static AexPending *
call_full (AexExecutor *self, const AexSubmitOptions *options, const char *name, GVariant *given)
{
  AexSubmitOptions own = { .timeout_us = -1 };
  g_autoptr (GVariant) parameters = NULL;
  GError *error = NULL;
  AexOperation *operation;
  AexCall *call;

  if (aex_fork_check (&error))
    return aex_pending_new_failed (error);
  operation = aex_operations_ref_operation (aex_executor_get_operations (self), name, &error);
  if (operation == NULL)
    return aex_pending_new_failed (error);
  parameters = aex_operation_ref_parameters (operation, given, &error);
  if (parameters == NULL)
    {
      aex_operation_unref (operation);
      return aex_pending_new_failed (error);
    }
  if (options != NULL)
    own = *options;
  own.operation = operation->name;
  own.result_type = operation->result_type;
  call = g_new (AexCall, 1);
  call->operation = operation;
  call->parameters = g_steal_pointer (&parameters);
  return submit_full (self, &own, call_run, call, call_free, 0);
}

/**
 * aex_executor_call:
 * @self: an executor
 * @operation: the name of an operation of [property@Executor:operations]
 * @parameters: (nullable): its parameters, of the declared type; a floating
 *   reference is taken over; %NULL for none
 *
 * Runs an operation as a job. The value of the pending is a #GVariant of the
 * type that the operation declares, see [method@Pending.dup_variant].
 *
 * The pending is rejected at once when there is no such operation
 * (%AEX_ERROR_NOT_FOUND) or it does not take such parameters
 * (%AEX_ERROR_INVALID_ARGUMENT), and with %AEX_ERROR_MISMATCH when the
 * operation gives a result of another type.
 *
 * Returns: (transfer full): the pending of the call
 *
 * Since: 1.0
 */
AexPending *
aex_executor_call (AexExecutor *self, const char *operation, GVariant *parameters)
{
  return aex_executor_call_full (self, NULL, operation, parameters);
}

/**
 * aex_executor_call_full:
 * @self: an executor
 * @options: (nullable): options
 * @operation: the name of an operation
 * @parameters: (nullable): its parameters; a floating reference is taken over
 *
 * Runs an operation with options, see [method@Executor.call]. Without a name
 * in @options, the job is named after the operation.
 *
 * Returns: (transfer full): the pending of the call
 *
 * Since: 1.0
 */
AexPending *
aex_executor_call_full (AexExecutor *self, AexSubmitOptions *options, const char *operation, GVariant *parameters)
{
  g_autoptr (GVariant) taken = NULL;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (operation != NULL, NULL);

  taken = parameters != NULL ? g_variant_ref_sink (parameters) : NULL;
  return call_full (self, options, operation, taken);
}

/**
 * aex_executor_post:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Runs @func once, later, where @self runs jobs: fire and forget, without a
 * pending and without the current context. An error goes to
 * [signal@Executor::unhandled-error]. When @self is closed, @func is dropped
 * silently; when too many jobs are queued, that is an unhandled error.
 *
 * Since: 1.0
 */
void
aex_executor_post (AexExecutor *self, AexPostFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexCore *core;
  AexEntry entry = { &aex_post_kind, (gpointer) func, user_data, (gpointer) destroy };
  AexAcceptance acceptance;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (AEX_IS_EXECUTOR (self));
  g_return_if_fail (func != NULL);

  core = aex_executor_get_core (self);
  acceptance = aex_is_forked () ? AEX_REFUSED_CLOSED : AEX_CORE_OPS (core)->submit (core, AEX_LANE_DEFAULT, &entry, &error);
  if (G_LIKELY (acceptance == AEX_ACCEPTED))
    return;
  if (acceptance == AEX_REFUSED_BUSY)
    g_set_error_literal (&error, AEX_ERROR, AEX_ERROR_BUSY, _("Too many jobs are queued: try again when some have run"));
  if (error != NULL)
    aex_core_report (&core->target, NULL, error);
  if (destroy != NULL)
    aex_destroy_at (aex_delivery_target (aex_thread_get (), NULL), destroy, user_data);
}

/* Without a thread in between; not what a scope may have to end before it returns, nor what others are to know of. */
static gboolean
may_run_here (AexCore *core)
{
  AexContext *context = aex_thread_get ()->context;

  return !aex_is_forked () && aex_scope_of_context (context) == NULL && !aex_context_has_trackers (context)
         && AEX_CORE_OPS (core)->admit != NULL && AEX_CORE_OPS (core)->admit (core);
}

static GValue *
run_result (AexPending *job, gboolean waited, GError **error)
{
  if (waited)
    return aex_pending_dup_value (job, error);
  /* Abandoned or refused: it must not run behind the caller's back. */
  aex_pending_cancel (job, NULL);
  return NULL;
}

/**
 * aex_executor_run:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): the job
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 * @cancellable: (nullable): what cancels the job
 * @error: return location for an error
 *
 * Submits a job and blocks until it is done, see [method@Pending.wait]. On an
 * idle thread pool the calling thread may run the job itself. On the thread
 * of @self the error is %AEX_ERROR_WOULD_DEADLOCK.
 *
 * Returns: (transfer full): the value, %NULL if @error is set
 *
 * Since: 1.0
 */
GValue *
aex_executor_run (AexExecutor *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy, GCancellable *cancellable, GError **error)
{
  g_autoptr (AexPending) job = NULL;
  AexCore *core;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  core = aex_executor_get_core (self);
  if (cancellable == NULL && may_run_here (core))
    {
      /* It runs on this stack: no queue, no thread to wake. */
      job = aex_pending_new_job (&core->target, aex_thread_get ()->context, (gpointer) func, user_data, destroy, 0);
      aex_core_note_submission (core, job, (gpointer) func);
      aex_pending_run (job);
    }
  else
    {
      job = aex_executor_submit (self, func, user_data, destroy);
    }
  return run_result (job, aex_pending_wait (job, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, cancellable, error), error);
}
