/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Child threads of a caller that take work one by one, as an executor. */
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "executor/aex-caller-workers-private.h"

#define AEX_TYPE_WORKERS_EXECUTOR (aex_workers_executor_get_type ())
G_DECLARE_FINAL_TYPE (AexWorkersExecutor, aex_workers_executor, AEX, WORKERS_EXECUTOR, AexExecutor)

struct _AexWorkersExecutor {
  AexExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (AexWorkersExecutor, aex_workers_executor, AEX_TYPE_EXECUTOR)

static __thread AexCallerWorkers *workers_for;    /* whose object this thread constructs now */
static GMutex facades_lock;                       /* guards which object workers have */

static void
aex_workers_executor_constructed (GObject *object)
{
  aex_executor_set_core (AEX_EXECUTOR (object), aex_target_ref (workers_for));
  G_OBJECT_CLASS (aex_workers_executor_parent_class)->constructed (object);
}

static void
aex_workers_executor_class_init (AexWorkersExecutorClass *klass)
{
  G_OBJECT_CLASS (klass)->constructed = aex_workers_executor_constructed;
}

static void
aex_workers_executor_init (AexWorkersExecutor *self)
{
  (void) self;
}

/* The class is final and its constructor ours: nothing of a user runs under the lock. */
static AexExecutor *
ref_facade (AexCallerWorkers *self)
{
  AexExecutor *executor;
  int entered = aex_interpreter_enter ();

  g_mutex_lock (&facades_lock);
  executor = g_weak_ref_get (&self->core.facade);
  if (executor == NULL)
    {
      workers_for = self;
      executor = g_object_new (AEX_TYPE_WORKERS_EXECUTOR, "name", self->parent->core.name, NULL);
      workers_for = NULL;
      g_weak_ref_set (&self->core.facade, executor);
    }
  g_mutex_unlock (&facades_lock);
  aex_interpreter_leave (entered);
  return executor;
}

/* ---- making */

static void
worker_free (gpointer data)
{
  AexWorker *self = data;

  aex_target_unref (self->caller);
  g_free (self);
}

static AexCallerWorkers *
workers_new (AexCallerCore *parent)
{
  AexCallerWorkers *self = g_new0 (AexCallerWorkers, 1);

  aex_core_init (&self->core, &aex_caller_workers_ops, NULL);
  g_clear_pointer (&self->core.owner, aex_target_unref);
  self->core.owner = aex_target_ref (parent->home);
  self->core.name = g_strdup (parent->core.name);
  self->parent = aex_target_ref (parent);
  self->all = g_ptr_array_new_with_free_func (worker_free);
  self->places = g_hash_table_new (NULL, NULL);
  g_mutex_init (&self->lock);
  return self;
}

AexCallerWorkers *
aex_caller_core_ref_workers (AexCallerCore *self, GError **error)
{
  AexCallerWorkers *workers = NULL;

  if (!AEX_CORE_OPS (&self->core)->ensure_thread (&self->core, error))
    return NULL;
  g_mutex_lock (&self->family_lock);
  if (self->workers == NULL && !aex_core_is_closed (&self->core))
    self->workers = workers_new (self);
  if (self->workers != NULL)
    workers = aex_target_ref (self->workers);
  g_mutex_unlock (&self->family_lock);
  if (workers == NULL)
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_CLOSED, _("The caller is stopping: it gets no threads for work"));
  return workers;
}

/**
 * aex_caller_ref_workers:
 * @self: a caller
 * @error: return location for an error
 *
 * Gets the executor behind [method@Caller.to_thread], for submissions with
 * options, coroutines and maps. Shutting it down is for good; it shuts down
 * with @self.
 *
 * Returns: (transfer full): the executor, %NULL if @error is set:
 *   %AEX_ERROR_CLOSED when @self is stopping
 *
 * Since: 1.0
 */
AexExecutor *
aex_caller_ref_workers (AexCaller *self, GError **error)
{
  AexCallerWorkers *workers;
  AexExecutor *executor;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  if (aex_fork_check (error))
    return NULL;
  workers = aex_caller_core_ref_workers (aex_caller_get_caller_core (self), error);
  if (workers == NULL)
    return NULL;
  executor = ref_facade (workers);
  aex_target_unref (workers);
  return executor;
}

/**
 * aex_caller_to_thread:
 * @self: a caller
 * @func: (scope notified) (closure user_data) (destroy destroy): the job
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job that runs on a thread of its own: on a child of @self that has
 * nothing to do, of several on the one that has been idle longest, else on a
 * new one; at [property@Caller:max-workers] it waits for one. The thread has a
 * main context, in which the job may start asynchronous work, as long as it is
 * over when the job is.
 *
 * Returns: (transfer full): the pending of the job, cancelled with
 *   %AEX_ERROR_CLOSED when @self is stopping
 *
 * Since: 1.0
 */
AexPending *
aex_caller_to_thread (AexCaller *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_autoptr (AexExecutor) workers = NULL;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  workers = aex_caller_ref_workers (self, NULL);
  /* One that is stopping, or takes nothing at all, refuses by itself. */
  return aex_executor_submit (workers != NULL ? workers : AEX_EXECUTOR (self), func, user_data, destroy);
}

/* ---- limits */

static void
limits_changed (AexCallerCore *self)
{
  AexCallerWorkers *workers;

  g_mutex_lock (&self->family_lock);
  workers = self->workers != NULL ? aex_target_ref (self->workers) : NULL;
  g_mutex_unlock (&self->family_lock);
  if (workers == NULL)
    return;
  aex_caller_workers_changed (workers);
  aex_target_unref (workers);
}

/**
 * aex_caller_get_max_idle_workers: (get-property max-idle-workers)
 * @self: a caller
 *
 * Gets how many threads with nothing to do are kept.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_caller_get_max_idle_workers (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), 0);

  return atomic_load (&aex_caller_get_caller_core (self)->max_idle_workers);
}

/**
 * aex_caller_set_max_idle_workers: (set-property max-idle-workers)
 * @self: a caller
 * @max_idle_workers: the number
 *
 * Sets how many threads with nothing to do are kept. More of them end now.
 *
 * Since: 1.0
 */
void
aex_caller_set_max_idle_workers (AexCaller *self, guint max_idle_workers)
{
  g_return_if_fail (AEX_IS_CALLER (self));

  atomic_store (&aex_caller_get_caller_core (self)->max_idle_workers, max_idle_workers);
  if (!aex_is_forked ())
    limits_changed (aex_caller_get_caller_core (self));
}

/**
 * aex_caller_get_max_workers: (get-property max-workers)
 * @self: a caller
 *
 * Gets how many threads for work there are at most.
 *
 * Returns: the number, 0 for any
 *
 * Since: 1.0
 */
guint
aex_caller_get_max_workers (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), 0);

  return atomic_load (&aex_caller_get_caller_core (self)->max_workers);
}

/**
 * aex_caller_set_max_workers: (set-property max-workers)
 * @self: a caller
 * @max_workers: the number, 0 for any
 *
 * Sets how many threads for work there are at most. What waits for one starts
 * now if it may; if there are more, none is ended for that.
 *
 * Since: 1.0
 */
void
aex_caller_set_max_workers (AexCaller *self, guint max_workers)
{
  g_return_if_fail (AEX_IS_CALLER (self));

  atomic_store (&aex_caller_get_caller_core (self)->max_workers, max_workers);
  if (!aex_is_forked ())
    limits_changed (aex_caller_get_caller_core (self));
}

/**
 * aex_caller_get_idle_worker_timeout: (get-property idle-worker-timeout-us)
 * @self: a caller
 *
 * Gets after how long a thread with nothing to do ends.
 *
 * Returns: microseconds, -1 for never
 *
 * Since: 1.0
 */
gint64
aex_caller_get_idle_worker_timeout (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), -1);

  return atomic_load (&aex_caller_get_caller_core (self)->idle_worker_timeout_us);
}

/**
 * aex_caller_set_idle_worker_timeout: (set-property idle-worker-timeout-us)
 * @self: a caller
 * @timeout_us: microseconds, -1 for never
 *
 * Sets after how long a thread with nothing to do ends. Those that have been
 * idle so long end now.
 *
 * Since: 1.0
 */
void
aex_caller_set_idle_worker_timeout (AexCaller *self, gint64 timeout_us)
{
  g_return_if_fail (AEX_IS_CALLER (self));
  g_return_if_fail (timeout_us >= -1);

  atomic_store (&aex_caller_get_caller_core (self)->idle_worker_timeout_us, timeout_us);
  if (!aex_is_forked ())
    limits_changed (aex_caller_get_caller_core (self));
}
