/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-weak-private.h"
#include "executor/aex-caller-core-private.h"
#include "pending/aex-tracker-private.h"
#include "pending/aex-value-private.h"

/**
 * AexCaller:
 *
 * An executor that is one main context: jobs run in its dispatches, one after
 * the other, on the thread that runs it.
 *
 * There is one caller per context. [func@Caller.ref_current] gives that of the
 * calling thread, [func@Caller.ref_main] that of the default context, which
 * GTK runs: a caller adopts a loop that somebody else runs, and never owns or
 * stops it. [ctor@Caller.new_thread] makes a thread with a context of its own.
 *
 * Work of a caller runs at default priority, in slices of at most 2 ms; when
 * a slice is spent and more is ready, sources down to GTK's redraw priority
 * come first, but for 50 ms at most.
 *
 * Since: 1.0
 */
struct _AexCaller {
  AexExecutor parent_instance;
  AexCallerCore *core;
};

G_DEFINE_FINAL_TYPE (AexCaller, aex_caller, AEX_TYPE_EXECUTOR)

enum {
  PROP_ID = 1, PROP_PARENT, PROP_PROTECTED, PROP_BACKEND, PROP_MAX_IDLE_WORKERS, PROP_MAX_WORKERS, PROP_IDLE_WORKER_TIMEOUT_US, N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* Whose core the caller that this thread constructs now has. */
static __thread AexCallerCore *core_for;
static GMutex facades_lock;      /* guards which object a core has */

AexCallerCore *
aex_caller_get_caller_core (AexCaller *self)
{
  return self->core;
}

static void
aex_caller_constructed (GObject *object)
{
  AexCaller *self = AEX_CALLER (object);
  AexCallerCore *core = core_for;

  if (core == NULL)
    {
      AexHome *home = aex_home_ref_for_context (NULL, NULL);

      g_warning ("Callers are not made with g_object_new(): this one is that of the default main context");
      core = aex_caller_core_ref_for_home (home, NULL, NULL);
      aex_target_unref (home);
    }
  else
    {
      aex_target_ref (core);
    }
  self->core = core;
  aex_executor_set_core (AEX_EXECUTOR (self), &core->core);
  G_OBJECT_CLASS (aex_caller_parent_class)->constructed (object);
}

static void
aex_caller_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexCaller *self = AEX_CALLER (object);

  switch (id)
    {
    case PROP_ID:
      g_value_set_uint64 (value, self->core->id);
      break;
    case PROP_PARENT:
      g_value_take_object (value, aex_caller_ref_parent (self));
      break;
    case PROP_PROTECTED:
      g_value_set_boolean (value, aex_caller_get_protected (self));
      break;
    case PROP_BACKEND:
      g_value_set_string (value, aex_caller_get_backend (self));
      break;
    case PROP_MAX_IDLE_WORKERS:
      g_value_set_uint (value, aex_caller_get_max_idle_workers (self));
      break;
    case PROP_MAX_WORKERS:
      g_value_set_uint (value, aex_caller_get_max_workers (self));
      break;
    case PROP_IDLE_WORKER_TIMEOUT_US:
      g_value_set_int64 (value, aex_caller_get_idle_worker_timeout (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
aex_caller_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  AexCaller *self = AEX_CALLER (object);

  switch (id)
    {
    case PROP_PROTECTED:
      aex_caller_set_protected (self, g_value_get_boolean (value));
      break;
    case PROP_MAX_IDLE_WORKERS:
      aex_caller_set_max_idle_workers (self, g_value_get_uint (value));
      break;
    case PROP_MAX_WORKERS:
      aex_caller_set_max_workers (self, g_value_get_uint (value));
      break;
    case PROP_IDLE_WORKER_TIMEOUT_US:
      aex_caller_set_idle_worker_timeout (self, g_value_get_int64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

/* Set on any thread, and so not notified. */
#define SETTABLE (G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

static void
make_worker_properties (void)
{
  /**
   * AexCaller:max-idle-workers: (getter get_max_idle_workers) (setter set_max_idle_workers)
   *
   * How many threads of [method@Caller.to_thread] are kept when they have
   * nothing to do. Not notified.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_IDLE_WORKERS] = g_param_spec_uint ("max-idle-workers", NULL, NULL, 0, G_MAXUINT, 10, SETTABLE);
  /**
   * AexCaller:max-workers: (getter get_max_workers) (setter set_max_workers)
   *
   * How many threads of [method@Caller.to_thread] there are at most, 0 for any
   * number. More work waits for one of them. Not notified.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_WORKERS] = g_param_spec_uint ("max-workers", NULL, NULL, 0, G_MAXUINT, 0, SETTABLE);
  /**
   * AexCaller:idle-worker-timeout-us: (getter get_idle_worker_timeout) (setter set_idle_worker_timeout)
   *
   * After how many microseconds with nothing to do a thread of
   * [method@Caller.to_thread] ends, -1 for never. Not notified.
   *
   * Since: 1.0
   */
  properties[PROP_IDLE_WORKER_TIMEOUT_US] = g_param_spec_int64 ("idle-worker-timeout-us", NULL, NULL, -1, G_MAXINT64,
                                                                60 * (gint64) G_USEC_PER_SEC, SETTABLE);
}

static void
aex_caller_class_init (AexCallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = aex_caller_constructed;
  object_class->get_property = aex_caller_get_property;
  object_class->set_property = aex_caller_set_property;

  /**
   * AexCaller:id: (getter get_id)
   *
   * A number that no other caller of the process has, or had.
   *
   * Since: 1.0
   */
  properties[PROP_ID] = g_param_spec_uint64 ("id", NULL, NULL, 0, G_MAXUINT64, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * AexCaller:parent: (getter ref_parent)
   *
   * The caller that this one is a child of.
   *
   * Since: 1.0
   */
  properties[PROP_PARENT] = g_param_spec_object ("parent", NULL, NULL, AEX_TYPE_CALLER, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * AexCaller:protected: (getter get_protected) (setter set_protected)
   *
   * Whether a plain [method@Caller.stop] leaves it alone. Not notified.
   *
   * Since: 1.0
   */
  properties[PROP_PROTECTED] = g_param_spec_boolean ("protected", NULL, NULL, FALSE, SETTABLE);
  /**
   * AexCaller:backend: (getter get_backend)
   *
   * The name of the loop in which its jobs run when nothing else is said, on
   * the same thread: see [method@Caller.call_using_backend].
   *
   * Since: 1.0
   */
  properties[PROP_BACKEND] = g_param_spec_string ("backend", NULL, NULL, "glib", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  make_worker_properties ();
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_caller_init (AexCaller *self)
{
  (void) self;
}

static AexCaller *
facade_new (AexCallerCore *core, const char *name)
{
  AexCaller *self;

  core_for = core;
  self = g_object_new (AEX_TYPE_CALLER, "name", name, NULL);
  core_for = NULL;
  return self;
}

/* The object of a core; made anew when the last one was dropped.  Nothing of a user runs under the lock: the class is
 * final and its constructor ours. */
AexCaller *
aex_caller_ref_for_core (AexCallerCore *core, const char *name)
{
  AexCaller *self;
  int entered;

  /* The locks may be held for ever there. */
  if (aex_is_forked ())
    return facade_new (core, name);
  entered = aex_interpreter_enter ();
  g_mutex_lock (&facades_lock);
  self = g_weak_ref_get (&core->core.facade);
  if (self == NULL)
    {
      self = facade_new (core, name);
      g_weak_ref_set (&core->core.facade, self);
    }
  g_mutex_unlock (&facades_lock);
  aex_interpreter_leave (entered);
  return self;
}

/**
 * aex_caller_get_id: (get-property id)
 * @self: a caller
 *
 * Gets the number of @self.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint64
aex_caller_get_id (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), 0);

  return self->core->id;
}

/**
 * aex_caller_get_context:
 * @self: a caller
 *
 * Gets the main context.
 *
 * Returns: (transfer none) (nullable): the context, %NULL when it was
 *   destroyed
 *
 * Since: 1.0
 */
GMainContext *
aex_caller_get_context (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  return atomic_load (&self->core->home->context);
}

/**
 * aex_caller_get_started:
 * @self: a caller
 *
 * Gets a pending that resolves when the context has been run for the first
 * time; cancelled when @self was stopped before. It can not be cancelled by
 * anybody else.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_caller_get_started (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  return self->core->started;
}

/**
 * aex_caller_get_stopping:
 * @self: a caller
 *
 * Gets a pending that resolves when @self begins to stop or shut down. It can
 * not be cancelled.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_caller_get_stopping (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  return self->core->stopping;
}

/**
 * aex_caller_get_stopped:
 * @self: a caller
 *
 * Gets a pending that resolves when @self has stopped and nothing of it runs
 * any more. It can not be cancelled.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_caller_get_stopped (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  return self->core->stopped;
}

/**
 * aex_caller_stop:
 * @self: a caller
 * @flags: how
 *
 * Stops @self: what is queued is dropped with %AEX_ERROR_CLOSED, what runs is
 * cancelled, and no new job is taken. Its children are stopped too, and end
 * first. A loop that somebody else runs goes on without it. Any thread, also a
 * job of @self; idempotent.
 *
 * Code that does not look at its cancellable is not interrupted: @self has
 * stopped when that returns. Without %AEX_STOP_FLAGS_FORCE nothing happens
 * while @self is protected, see [property@Caller:protected].
 *
 * Returns: (transfer full): the pending of [method@Caller.get_stopped]
 *
 * Since: 1.0
 */
AexPending *
aex_caller_stop (AexCaller *self, AexStopFlags flags)
{
  AexPending *forked, *stopped, *shutdown;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  forked = aex_pending_new_if_forked ();
  if (forked != NULL)
    return forked;
  stopped = g_object_ref (self->core->stopped);
  if (!(flags & AEX_STOP_FLAGS_FORCE) && aex_caller_core_is_protected (self->core))
    return stopped;
  shutdown = aex_core_shutdown (&self->core->core, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  g_object_unref (shutdown);
  return stopped;
}

/**
 * aex_caller_call_later:
 * @self: a caller
 * @delay_us: microseconds from now
 * @func: (scope notified) (closure user_data) (destroy destroy): the job
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Submits a job that does not start before the delay is over; with 0 or less
 * like [method@Executor.submit]. When @self is shut down or stopped before,
 * the job is cancelled with %AEX_ERROR_CLOSED.
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_caller_call_later (AexCaller *self, gint64 delay_us, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexPending *job;
  GError *error = NULL;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  if (delay_us <= 0 || aex_is_forked ())
    return aex_executor_submit (AEX_EXECUTOR (self), func, user_data, destroy);
  job = aex_pending_new_job (&self->core->core.target, aex_thread_get ()->context, (gpointer) func, user_data, destroy,
                             AEX_FLAG_TIMED);
  aex_core_note_submission (&self->core->core, job, (gpointer) func);
  if (!aex_pending_check_scope (job, &error))
    {
      aex_core_refuse_ended (&self->core->core, job, error);
      return job;
    }
  aex_core_make_known (job);
  aex_checkpoint ();
  aex_caller_core_call_later (self->core, job, delay_us);
  aex_pending_join_own_scope (job);
  return job;
}

/**
 * aex_caller_call_direct:
 * @self: a caller
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Runs @func once in a dispatch of @self: the cheapest way, for short
 * functions. The same as [method@Executor.post].
 *
 * Since: 1.0
 */
void
aex_caller_call_direct (AexCaller *self, AexPostFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_if_fail (AEX_IS_CALLER (self));

  aex_executor_post (AEX_EXECUTOR (self), func, user_data, destroy);
}
