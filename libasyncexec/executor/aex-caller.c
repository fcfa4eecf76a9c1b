/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-clock-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
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

enum { PROP_ID = 1, N_PROPS };

static GParamSpec *properties[N_PROPS];

/* Whose core the caller that this thread constructs now has. */
static __thread AexCallerCore *core_for;
static GMutex facades_lock;      /* guards which object a core has */

static void
aex_caller_constructed (GObject *object)
{
  AexCaller *self = AEX_CALLER (object);
  AexCallerCore *core = core_for;

  if (core == NULL)
    {
      AexHome *home = aex_home_ref_for_context (NULL, NULL);

      g_warning ("Callers are not made with g_object_new(): this one is that of the default main context");
      core = aex_caller_core_ref_for_home (home);
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
  if (id == PROP_ID)
    g_value_set_uint64 (value, AEX_CALLER (object)->core->id);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
aex_caller_class_init (AexCallerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = aex_caller_constructed;
  object_class->get_property = aex_caller_get_property;

  /**
   * AexCaller:id: (getter get_id)
   *
   * A number that no other caller of the process has, or had.
   *
   * Since: 1.0
   */
  properties[PROP_ID] = g_param_spec_uint64 ("id", NULL, NULL, 0, G_MAXUINT64, 0, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
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

  /* The locks may be held for ever there. */
  if (aex_is_forked ())
    return facade_new (core, name);
  g_mutex_lock (&facades_lock);
  self = g_weak_ref_get (&core->core.facade);
  if (self == NULL)
    {
      self = facade_new (core, name);
      g_weak_ref_set (&core->core.facade, self);
    }
  g_mutex_unlock (&facades_lock);
  return self;
}

static AexCaller *
ref_for_home (AexHome *home)
{
  AexCallerCore *core = aex_caller_core_ref_for_home (home);
  AexCaller *self = aex_caller_ref_for_core (core, core->core.name);

  aex_target_unref (core);
  return self;
}

/* A job of a pool gets a context of its own, which ends with the job. */
static gboolean
push_own_context (AexThread *thread, GError **error)
{
  GMainContext *context;

  if (thread->pool == NULL || g_main_context_get_thread_default () != NULL)
    return TRUE;
  context = aex_main_context_try_new (error);
  if (context == NULL)
    return FALSE;
  g_main_context_push_thread_default (context);
  thread->own_context = context;
  return TRUE;
}

/**
 * aex_caller_ref_current:
 * @error: return location for an error
 *
 * Gets the caller of the calling thread: that of its thread-default main
 * context, or, on the thread of main() or whoever runs it, of the default one.
 * A job of a thread pool gets a context of its own, which ends with the job.
 *
 * Returns: (transfer full): the caller, %NULL if @error is set:
 *   %AEX_ERROR_NO_CONTEXT on a plain thread
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_current (GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexHome *home;

  if (aex_fork_check (error) || !push_own_context (thread, error))
    return NULL;
  if (aex_thread_lacks_context ())
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NO_CONTEXT,
                           _("This thread has no main context: push one with g_main_context_push_thread_default()"));
      return NULL;
    }
  home = aex_home_get_for_thread (thread, error);
  return home != NULL ? ref_for_home (home) : NULL;
}

/**
 * aex_caller_ref_main:
 *
 * Gets the caller of the default main context, on any thread. See
 * [func@Caller.ref_for_context] for what it is where there can be none.
 *
 * Returns: (transfer full): the caller
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_main (void)
{
  return aex_caller_ref_for_context (NULL);
}

/**
 * aex_caller_ref_for_context:
 * @context: (nullable): a main context, %NULL for the default one
 *
 * Gets the caller of a context, on any thread. The caller does not keep
 * @context alive; when that is destroyed, the caller is stopped. In a forked
 * child it is one that refuses everything with %AEX_ERROR_FORKED, and in a
 * process without a file descriptor to spare one that refuses everything with
 * %G_IO_ERROR_TOO_MANY_OPEN_FILES: ask again when some were closed.
 *
 * Returns: (transfer full): the caller
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_for_context (GMainContext *context)
{
  GError *error = NULL;
  AexHome *home = aex_is_forked () ? aex_home_new_dead () : aex_home_ref_for_context (context, &error);
  AexCallerCore *core;
  AexCaller *self;

  if (home != NULL)
    {
      self = ref_for_home (home);
      aex_target_unref (home);
      return self;
    }
  core = aex_caller_core_new_refusing (error);
  self = aex_caller_ref_for_core (core, NULL);
  aex_target_unref (core);
  return self;
}

/**
 * aex_caller_new_thread:
 * @name: (nullable): a name
 * @error: return location for an error
 *
 * Starts a thread with a main context of its own and gives its caller. The
 * thread ends when the caller is shut down or stopped, or its last reference
 * is dropped; jobs that were accepted still run then.
 *
 * Returns: (transfer full): a new caller, %NULL if @error is set
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_new_thread (const char *name, GError **error)
{
  AexCallerCore *core;
  AexCaller *self;

  if (aex_fork_check (error))
    return NULL;
  core = aex_caller_core_new_thread (name, error);
  if (core == NULL)
    return NULL;
  self = aex_caller_ref_for_core (core, name);
  aex_target_unref (core);
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
 * cancelled, and no new job is taken. A loop that somebody else runs goes on
 * without it. Any thread, also a job of @self; idempotent.
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

  (void) flags;
  forked = aex_pending_new_if_forked ();
  if (forked != NULL)
    return forked;
  stopped = g_object_ref (self->core->stopped);
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
  job = aex_pending_new_job (&self->core->core.target, aex_thread_get ()->context, (gpointer) func, user_data, destroy, 0);
  if (!aex_pending_check_scope (job, &error))
    {
      aex_core_refuse_ended (&self->core->core, job, error);
      return job;
    }
  aex_pending_join_trackers (job);
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

/* ---- hosting by a foreign loop */

typedef struct {
  AexCaller *caller;
  AexWakeFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexCallerWaker;

static void
caller_waker_call (AexHome *home, gpointer data)
{
  AexCallerWaker *waker = data;

  (void) home;
  waker->func (waker->caller, waker->data);
}

static void
caller_waker_free (gpointer data)
{
  AexCallerWaker *waker = data;

  if (waker->destroy != NULL)
    waker->destroy (waker->data);
  g_object_unref (waker->caller);
  g_free (waker);
}

/**
 * aex_caller_set_wake_func:
 * @self: a caller
 * @func: (scope notified) (closure user_data) (destroy destroy) (nullable): called when there is work, %NULL for none
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Lets a foreign loop host @self: @func is called, on the thread that posts
 * work and with no lock held, when @self gets work and nobody has been told
 * since [method@Caller.dispatch] last ran out of it. Keeps @self alive until
 * it is replaced. @destroy is called on whatever thread lets go of it last.
 *
 * Since: 1.0
 */
void
aex_caller_set_wake_func (AexCaller *self, AexWakeFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexCallerWaker *waker;

  g_return_if_fail (AEX_IS_CALLER (self));

  if (func == NULL)
    {
      aex_home_set_waker (self->core->home, NULL, NULL, NULL);
      return;
    }
  waker = g_new0 (AexCallerWaker, 1);
  waker->caller = g_object_ref (self);
  waker->func = func;
  waker->data = user_data;
  waker->destroy = destroy;
  aex_home_set_waker (self->core->home, caller_waker_call, waker, caller_waker_free);
}

/**
 * aex_caller_dispatch:
 * @self: a caller
 * @budget_us: for how many microseconds at most, -1 for as long as there is work
 *
 * Runs what is ready in @self, for a foreign loop that hosts it: on the thread
 * that owns the context. Other sources of the context are not looked at.
 *
 * Returns: %TRUE when more is ready: call again soon
 *
 * Since: 1.0
 */
gboolean
aex_caller_dispatch (AexCaller *self, gint64 budget_us)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), FALSE);

  return !aex_is_forked () && aex_home_dispatch (self->core->home, budget_us);
}

/**
 * aex_caller_get_ready_time:
 * @self: a caller
 *
 * Gets when [method@Caller.dispatch] has something to do next, unless the wake
 * function says otherwise before.
 *
 * Returns: monotonic microseconds, in the past when work is ready; -1 for never
 *
 * Since: 1.0
 */
gint64
aex_caller_get_ready_time (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), -1);

  return aex_home_get_ready_time (self->core->home);
}
