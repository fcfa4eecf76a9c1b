/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-enum-types.h"
#include "aex-operations.h"
#include "aex-submit-options.h"
#include "aex-thread-pool.h"
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-core-private.h"
#include "executor/aex-script-core-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-value-private.h"

/**
 * AexExecutor:
 *
 * A place where jobs run: a pool of threads ([class@ThreadPool]), a main
 * context ([class@Caller]), or whatever a subclass makes of
 * [vfunc@Executor.dispatch].
 *
 * A job is submitted on any thread, never runs inside the call that submits
 * it, and sees the [struct@Context] of its submission. Its closure is released
 * where it ran, before its pending is done; a job that never starts is
 * released where it would have run, or at its submitter if that place is gone.
 *
 * Shutting down is gentle: what was accepted still runs, unless the flags say
 * otherwise. Dropping the last reference does the same, and never blocks.
 *
 * Since: 1.0
 */

typedef struct {
  AexCore *core;
  char *name;               /* of the construction */
  AexOperations *operations; /* NULL: the default ones */
  gboolean record_times;
  gboolean dispatch_anywhere;
  gboolean shares_core;
  guint max_pending;
} AexExecutorPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AexExecutor, aex_executor, G_TYPE_OBJECT)

enum { PROP_NAME = 1, PROP_DISPATCH_ANYWHERE, PROP_RECORD_TIMES, PROP_OPERATIONS, PROP_STATE, PROP_N_PENDING, PROP_N_RUNNING, PROP_MAX_PENDING, N_PROPS };

static GParamSpec *properties[N_PROPS];
static guint unhandled_error_signal;

AexCore *
aex_executor_get_core (AexExecutor *self)
{
  return ((AexExecutorPrivate *) aex_executor_get_instance_private (self))->core;
}

void
aex_executor_set_core (AexExecutor *self, AexCore *core)
{
  AexExecutorPrivate *priv = aex_executor_get_instance_private (self);

  g_assert (priv->core == NULL);
  priv->core = core;
}

void
aex_executor_set_shared_core (AexExecutor *self, AexCore *core)
{
  aex_executor_set_core (self, core);
  ((AexExecutorPrivate *) aex_executor_get_instance_private (self))->shares_core = TRUE;
}

static AexPending *
aex_executor_real_shutdown (AexExecutor *self, AexShutdownFlags flags)
{
  return aex_core_shutdown (aex_executor_get_core (self), flags);
}

static void
aex_executor_constructed (GObject *object)
{
  AexExecutor *self = AEX_EXECUTOR (object);
  AexExecutorPrivate *priv = aex_executor_get_instance_private (self);

  G_OBJECT_CLASS (aex_executor_parent_class)->constructed (object);
  if (priv->core == NULL)
    priv->core = aex_script_core_new (self, priv->dispatch_anywhere);
  /* What outlives its objects has its settings, and other threads read them now. */
  if (priv->shares_core || priv->core->outlives_facade)
    return;
  priv->core->name = g_strdup (priv->name);
  priv->core->record_times |= priv->record_times;
  atomic_store (&priv->core->max_pending, priv->max_pending);
}

/* The last outside reference: what was accepted still runs.  Never waits. */
static void
aex_executor_dispose (GObject *object)
{
  AexExecutorPrivate *priv = aex_executor_get_instance_private (AEX_EXECUTOR (object));
  AexCore *core = priv->shares_core ? NULL : priv->core;

  if (core != NULL && !aex_is_forked () && g_atomic_int_get ((int *) &object->ref_count) == 1
      && AEX_CORE_OPS (core)->close_on_dispose && !aex_core_is_closed (core))
    g_object_unref (aex_core_shutdown (core, AEX_SHUTDOWN_FLAGS_NONE));
  if (core != NULL && !aex_is_forked () && g_atomic_int_get ((int *) &object->ref_count) == 1
      && AEX_CORE_OPS (core)->facade_gone != NULL)
    AEX_CORE_OPS (core)->facade_gone (core);
  G_OBJECT_CLASS (aex_executor_parent_class)->dispose (object);
}

static void
aex_executor_finalize (GObject *object)
{
  AexExecutorPrivate *priv = aex_executor_get_instance_private (AEX_EXECUTOR (object));

  g_free (priv->name);
  g_clear_object (&priv->operations);
  g_clear_pointer (&priv->core, aex_target_unref);
  aex_live_add (AEX_LIVE_EXECUTOR, -1);
  G_OBJECT_CLASS (aex_executor_parent_class)->finalize (object);
}

static void
aex_executor_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexExecutor *self = AEX_EXECUTOR (object);
  AexExecutorPrivate *priv = aex_executor_get_instance_private (self);

  switch (id)
    {
    case PROP_NAME:
      g_value_set_string (value, priv->name);
      break;
    case PROP_DISPATCH_ANYWHERE:
      g_value_set_boolean (value, priv->dispatch_anywhere);
      break;
    case PROP_RECORD_TIMES:
      g_value_set_boolean (value, priv->core->record_times);
      break;
    case PROP_OPERATIONS:
      g_value_set_object (value, aex_executor_get_operations (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, aex_executor_get_state (self));
      break;
    case PROP_N_PENDING:
      g_value_set_uint (value, aex_executor_get_n_pending (self));
      break;
    case PROP_N_RUNNING:
      g_value_set_uint (value, aex_executor_get_n_running (self));
      break;
    case PROP_MAX_PENDING:
      g_value_set_uint (value, aex_executor_get_max_pending (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_executor_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  AexExecutorPrivate *priv = aex_executor_get_instance_private (AEX_EXECUTOR (object));

  switch (id)
    {
    case PROP_NAME:
      priv->name = g_value_dup_string (value);
      break;
    case PROP_DISPATCH_ANYWHERE:
      priv->dispatch_anywhere = g_value_get_boolean (value);
      break;
    case PROP_RECORD_TIMES:
      priv->record_times = g_value_get_boolean (value);
      break;
    case PROP_OPERATIONS:
      priv->operations = g_value_dup_object (value);
      break;
    case PROP_MAX_PENDING:
      priv->max_pending = g_value_get_uint (value);
      if (priv->core != NULL)
        atomic_store (&priv->core->max_pending, priv->max_pending);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
make_construct_properties (void)
{
  const GParamFlags construct = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * AexExecutor:name:
   *
   * The name, for people: log messages, thread names.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, construct);
  /**
   * AexExecutor:dispatch-anywhere:
   *
   * Whether [vfunc@Executor.dispatch] of a subclass may be called on any
   * thread; else it is called in a dispatch of the executor's owner context.
   *
   * Since: 1.0
   */
  properties[PROP_DISPATCH_ANYWHERE] = g_param_spec_boolean ("dispatch-anywhere", NULL, NULL, FALSE, construct);
  /**
   * AexExecutor:record-times:
   *
   * Whether jobs remember when they were submitted, started and done, and
   * where, see [method@Pending.dup_info].
   *
   * Since: 1.0
   */
  properties[PROP_RECORD_TIMES] = g_param_spec_boolean ("record-times", NULL, NULL, FALSE, construct);
  /**
   * AexExecutor:operations: (getter get_operations)
   *
   * The operations that [method@Executor.call] finds; unless given, those of
   * [func@Operations.get_default].
   *
   * Since: 1.0
   */
  properties[PROP_OPERATIONS] = g_param_spec_object ("operations", NULL, NULL, AEX_TYPE_OPERATIONS, construct);
}

static void
make_state_properties (void)
{
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * AexExecutor:state: (getter get_state)
   *
   * Where the executor is in its life. Notified on its owner context.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, AEX_TYPE_EXECUTOR_STATE, AEX_EXECUTOR_STATE_INITIAL, readable);
  /**
   * AexExecutor:n-pending: (getter get_n_pending)
   *
   * How many jobs are queued. Not notified.
   *
   * Since: 1.0
   */
  properties[PROP_N_PENDING] = g_param_spec_uint ("n-pending", NULL, NULL, 0, G_MAXUINT, 0, readable);
  /**
   * AexExecutor:n-running: (getter get_n_running)
   *
   * How many jobs run; a coroutine runs until its pending is done. Not
   * notified.
   *
   * Since: 1.0
   */
  properties[PROP_N_RUNNING] = g_param_spec_uint ("n-running", NULL, NULL, 0, G_MAXUINT, 0, readable);
  /**
   * AexExecutor:max-pending: (getter get_max_pending) (setter set_max_pending)
   *
   * How many jobs may be queued, 0 for no limit. More are rejected with
   * %AEX_ERROR_BUSY.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_PENDING] = g_param_spec_uint ("max-pending", NULL, NULL, 0, G_MAXUINT, 0,
                                                    G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
}

static void
aex_executor_class_init (AexExecutorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = aex_executor_constructed;
  object_class->dispose = aex_executor_dispose;
  object_class->finalize = aex_executor_finalize;
  object_class->get_property = aex_executor_get_property;
  object_class->set_property = aex_executor_set_property;
  klass->shutdown = aex_executor_real_shutdown;
  make_construct_properties ();
  make_state_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * AexExecutor::unhandled-error:
   * @self: the executor
   * @pending: (nullable): the job, %NULL for a function without a pending
   * @error: what nobody has seen
   *
   * A job failed and its pending was finalised before anybody read the error,
   * or a function that was posted failed. Cancellations are never reported.
   *
   * Emitted in the owner context of the executor. When no handler returns
   * %TRUE, a warning is logged.
   *
   * Returns: %TRUE when the error was taken care of
   *
   * Since: 1.0
   */
  unhandled_error_signal = g_signal_new ("unhandled-error", AEX_TYPE_EXECUTOR, G_SIGNAL_RUN_LAST, 0,
                                         g_signal_accumulator_true_handled, NULL, NULL,
                                         G_TYPE_BOOLEAN, 2, AEX_TYPE_PENDING, G_TYPE_ERROR);
  (void) unhandled_error_signal;
  aex_fork_watch ();
}

static void
aex_executor_init (AexExecutor *self)
{
  (void) self;
  aex_live_add (AEX_LIVE_EXECUTOR, 1);
}

/* ---- the default one */

static GMutex default_lock;
static AexExecutor *default_executor;

/**
 * aex_executor_ref_default:
 *
 * Gets the executor for work that wants no special one: a pool of as many
 * threads as there are CPUs, made at the first call.
 *
 * Returns: (transfer full): the default executor
 *
 * Since: 1.0
 */
AexExecutor *
aex_executor_ref_default (void)
{
  AexExecutor *made = NULL, *result;

  g_mutex_lock (&default_lock);
  result = default_executor != NULL ? g_object_ref (default_executor) : NULL;
  g_mutex_unlock (&default_lock);
  if (result != NULL)
    return result;
  made = g_object_new (AEX_TYPE_THREAD_POOL, "name", "default", "help-waiting", TRUE, NULL);
  g_mutex_lock (&default_lock);
  if (default_executor == NULL)
    default_executor = g_object_ref (made);
  result = g_object_ref (default_executor);
  g_mutex_unlock (&default_lock);
  g_object_unref (made);
  return result;
}

/**
 * aex_executor_set_default:
 * @executor: (nullable): an executor, %NULL for a new pool at the next use
 *
 * Replaces the default executor. The old one is not shut down; what it was
 * given still runs.
 *
 * Since: 1.0
 */
void
aex_executor_set_default (AexExecutor *executor)
{
  AexExecutor *old;

  g_return_if_fail (executor == NULL || AEX_IS_EXECUTOR (executor));

  if (executor != NULL)
    g_object_ref (executor);
  g_mutex_lock (&default_lock);
  old = default_executor;
  default_executor = executor;
  g_mutex_unlock (&default_lock);
  g_clear_object (&old);
}

/* ---- getters */

/**
 * aex_executor_get_name: (get-property name)
 * @self: an executor
 *
 * Gets the name.
 *
 * Returns: (nullable): the name
 *
 * Since: 1.0
 */
const char *
aex_executor_get_name (AexExecutor *self)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);

  return ((AexExecutorPrivate *) aex_executor_get_instance_private (self))->name;
}

/**
 * aex_executor_get_operations: (get-property operations)
 * @self: an executor
 *
 * Gets the operations that [method@Executor.call] finds.
 *
 * Returns: (transfer none): the set, which lives as long as @self
 *
 * Since: 1.0
 */
AexOperations *
aex_executor_get_operations (AexExecutor *self)
{
  AexExecutorPrivate *priv;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);

  priv = aex_executor_get_instance_private (self);
  return priv->operations != NULL ? priv->operations : aex_operations_get_default ();
}

/**
 * aex_executor_get_state: (get-property state)
 * @self: an executor
 *
 * Gets where @self is in its life.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
AexExecutorState
aex_executor_get_state (AexExecutor *self)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), AEX_EXECUTOR_STATE_STOPPED);

  return (AexExecutorState) atomic_load (&aex_executor_get_core (self)->state);
}

/**
 * aex_executor_get_n_pending: (get-property n-pending)
 * @self: an executor
 *
 * Gets how many jobs are queued.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_executor_get_n_pending (AexExecutor *self)
{
  AexCore *core;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), 0);

  core = aex_executor_get_core (self);
  return AEX_CORE_OPS (core)->count (core, FALSE);
}

/**
 * aex_executor_get_n_running: (get-property n-running)
 * @self: an executor
 *
 * Gets how many jobs run.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_executor_get_n_running (AexExecutor *self)
{
  AexCore *core;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), 0);

  core = aex_executor_get_core (self);
  return AEX_CORE_OPS (core)->count (core, TRUE);
}

/**
 * aex_executor_get_max_pending: (get-property max-pending)
 * @self: an executor
 *
 * Gets how many jobs may be queued.
 *
 * Returns: the number, 0 for no limit
 *
 * Since: 1.0
 */
guint
aex_executor_get_max_pending (AexExecutor *self)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (self), 0);

  return atomic_load (&aex_executor_get_core (self)->max_pending);
}

/**
 * aex_executor_set_max_pending: (set-property max-pending)
 * @self: an executor
 * @max_pending: the number, 0 for no limit
 *
 * Sets how many jobs may be queued. What is queued already stays. Notifies in
 * the calling thread, which should be that of the owner context.
 *
 * Since: 1.0
 */
void
aex_executor_set_max_pending (AexExecutor *self, guint max_pending)
{
  g_return_if_fail (AEX_IS_EXECUTOR (self));

  atomic_store (&aex_executor_get_core (self)->max_pending, max_pending);
}

/**
 * aex_executor_runs_here:
 * @self: an executor
 *
 * Asks whether a submitted job would run on the calling thread, in its own
 * main context. Of a subclass it is taken for granted that jobs run where its
 * [vfunc@Executor.dispatch] is called.
 *
 * Returns: whether it would
 *
 * Since: 1.0
 */
gboolean
aex_executor_runs_here (AexExecutor *self)
{
  AexTarget *core, *home;
  gboolean here;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), FALSE);

  core = (AexTarget *) aex_executor_get_core (self);
  home = core->ops->job_home != NULL ? core->ops->job_home (core, NULL) : core->ops->cancel_target (core, NULL);
  here = home != NULL && home->ops->is_current (home);
  g_clear_pointer (&home, aex_target_unref);
  return here;
}

/**
 * aex_executor_shutdown: (virtual shutdown)
 * @self: an executor
 * @flags: what becomes of the work that is there
 *
 * Takes no new work from now on: what is submitted is cancelled with
 * %AEX_ERROR_CLOSED. What was accepted still runs, or is dropped or cancelled
 * as @flags say. May be called again, also with stronger flags, on any thread,
 * and from a job of @self, for which it does not wait. Of a subclass,
 * [vfunc@Executor.shutdown] is called like [vfunc@Executor.dispatch].
 *
 * Returns: (transfer full): a pending that resolves when nothing is queued or
 *   runs any more; it may be dropped, and can not be cancelled
 *
 * Since: 1.0
 */
AexPending *
aex_executor_shutdown (AexExecutor *self, AexShutdownFlags flags)
{
  AexCore *core;
  GError *error = NULL;

  g_return_val_if_fail (AEX_IS_EXECUTOR (self), NULL);

  if (aex_fork_check (&error))
    return aex_pending_new_failed (error);
  core = aex_executor_get_core (self);
  if (AEX_CORE_OPS (core)->scripted)
    return aex_script_core_shutdown (core, flags);
  return AEX_EXECUTOR_GET_CLASS (self)->shutdown (self, flags);
}
