/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-i18n-private.h"

#include <sched.h>
#include <stdio.h>

#include "executor/aex-pool-core-private.h"

/**
 * AexThreadPool:
 *
 * An executor of threads, for work that computes or blocks.
 *
 * Threads start when there is work, up to [property@ThreadPool:max-workers],
 * and leave when they have been idle for [property@ThreadPool:idle-timeout-us].
 * Jobs start in FIFO order per priority; background work is looked at first
 * every 61st time. A job that blocks in a wait of this library first runs what
 * it waits for, if that is still queued, and else is replaced by another
 * thread meanwhile; see also [func@blocking_begin].
 *
 * Since: 1.0
 */
struct _AexThreadPool {
  AexExecutor parent_instance;
  AexPoolCore *core;
  guint max_workers;
  gint64 idle_timeout_us;
  gboolean help_waiting;
};

G_DEFINE_FINAL_TYPE (AexThreadPool, aex_thread_pool, AEX_TYPE_EXECUTOR)

enum { PROP_MAX_WORKERS = 1, PROP_IDLE_TIMEOUT_US, PROP_HELP_WAITING, N_PROPS };

static GParamSpec *properties[N_PROPS];

/* Whose core the pool that this thread constructs now shares. */
static __thread AexPoolCore *proxy_for;

/* cgroup v2: "max 100000" or "50000 100000".  0: no limit. */
static guint
cgroup_cpus (void)
{
  g_autofree char *text = NULL;
  guint64 quota, period;

  if (!g_file_get_contents ("/sys/fs/cgroup/cpu.max", &text, NULL, NULL)
      || sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &quota, &period) != 2 || period == 0)
    return 0;
  return (guint) MAX ((quota + period - 1) / period, 1);
}

/* The CPUs that this process may use. */
static guint
usable_cpus (void)
{
  cpu_set_t set;
  guint n = g_get_num_processors ();
  guint limit = cgroup_cpus ();

  if (sched_getaffinity (0, sizeof set, &set) == 0)
    n = (guint) MAX (CPU_COUNT (&set), 1);
  return limit > 0 ? MIN (n, limit) : n;
}

static void
aex_thread_pool_constructed (GObject *object)
{
  AexThreadPool *self = AEX_THREAD_POOL (object);

  if (self->max_workers == 0)
    self->max_workers = usable_cpus ();
  if (proxy_for != NULL)
    {
      self->core = aex_target_ref (proxy_for);
      aex_executor_set_shared_core (AEX_EXECUTOR (self), &self->core->core);
    }
  else
    {
      self->core = aex_pool_core_new (AEX_EXECUTOR (self), self->max_workers);
      self->core->idle_timeout_us = self->idle_timeout_us;
      atomic_store (&self->core->help_waiting, self->help_waiting);
      aex_executor_set_core (AEX_EXECUTOR (self), &self->core->core);
    }
  G_OBJECT_CLASS (aex_thread_pool_parent_class)->constructed (object);
}

static void
aex_thread_pool_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexThreadPool *self = AEX_THREAD_POOL (object);

  switch (id)
    {
    case PROP_MAX_WORKERS:
      g_value_set_uint (value, aex_thread_pool_get_max_workers (self));
      break;
    case PROP_IDLE_TIMEOUT_US:
      g_value_set_int64 (value, aex_thread_pool_get_idle_timeout (self));
      break;
    case PROP_HELP_WAITING:
      g_value_set_boolean (value, aex_thread_pool_get_help_waiting (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_thread_pool_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  AexThreadPool *self = AEX_THREAD_POOL (object);

  switch (id)
    {
    case PROP_MAX_WORKERS:
      if (self->core != NULL)
        aex_thread_pool_set_max_workers (self, g_value_get_uint (value));
      else
        self->max_workers = g_value_get_uint (value);
      break;
    case PROP_IDLE_TIMEOUT_US:
      self->idle_timeout_us = g_value_get_int64 (value);
      if (self->core != NULL)
        aex_thread_pool_set_idle_timeout (self, self->idle_timeout_us);
      break;
    case PROP_HELP_WAITING:
      self->help_waiting = g_value_get_boolean (value);
      if (self->core != NULL)
        atomic_store (&self->core->help_waiting, self->help_waiting);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_thread_pool_class_init (AexThreadPoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;

  object_class->constructed = aex_thread_pool_constructed;
  object_class->get_property = aex_thread_pool_get_property;
  object_class->set_property = aex_thread_pool_set_property;

  /**
   * AexThreadPool:max-workers: (getter get_max_workers) (setter set_max_workers)
   *
   * How many threads may run jobs at the same time; 0 at construction means
   * as many as there are CPUs that the process may use.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_WORKERS] = g_param_spec_uint ("max-workers", NULL, NULL, 0, 65536, 0, flags);
  /**
   * AexThreadPool:idle-timeout-us: (getter get_idle_timeout) (setter set_idle_timeout)
   *
   * After how many microseconds an idle thread leaves, -1 for never.
   *
   * Since: 1.0
   */
  properties[PROP_IDLE_TIMEOUT_US] = g_param_spec_int64 ("idle-timeout-us", NULL, NULL, -1, G_MAXINT64,
                                                         60 * (gint64) G_USEC_PER_SEC, flags);
  /**
   * AexThreadPool:help-waiting: (getter get_help_waiting) (setter set_help_waiting)
   *
   * Whether a thread of the program that waits for a queued job, without a
   * limit of its own, may run that job itself while the pool has a worker to
   * spare. On for the default executor; [method@Executor.run] always may.
   *
   * Since: 1.0
   */
  properties[PROP_HELP_WAITING] = g_param_spec_boolean ("help-waiting", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_thread_pool_init (AexThreadPool *self)
{
  (void) self;
}

/**
 * aex_thread_pool_new:
 * @max_workers: how many threads may run jobs at the same time, 0 for as many
 *   as there are CPUs that the process may use
 *
 * Makes a pool. No thread is started before there is work.
 *
 * Returns: (transfer full) (type AexThreadPool): a new pool
 *
 * Since: 1.0
 */
AexExecutor *
aex_thread_pool_new (guint max_workers)
{
  return g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", max_workers, NULL);
}

AexThreadPool *
aex_thread_pool_new_proxy (AexPoolCore *core)
{
  AexThreadPool *self;
  guint max_workers;

  g_mutex_lock (&core->lock);
  max_workers = core->max_workers;
  g_mutex_unlock (&core->lock);
  proxy_for = core;
  self = g_object_new (AEX_TYPE_THREAD_POOL, "name", core->core.name, "max-workers", max_workers, NULL);
  proxy_for = NULL;
  return self;
}

/**
 * aex_thread_pool_get_max_workers: (get-property max-workers)
 * @self: a pool
 *
 * Gets how many threads may run jobs at the same time.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_thread_pool_get_max_workers (AexThreadPool *self)
{
  guint n;

  g_return_val_if_fail (AEX_IS_THREAD_POOL (self), 0);

  g_mutex_lock (&self->core->lock);
  n = self->core->max_workers;
  g_mutex_unlock (&self->core->lock);
  return n;
}

/**
 * aex_thread_pool_set_max_workers: (set-property max-workers)
 * @self: a pool
 * @max_workers: the number, 0 for as many as there are usable CPUs
 *
 * Sets how many threads may run jobs at the same time. Surplus threads leave
 * when their job has ended.
 *
 * Since: 1.0
 */
void
aex_thread_pool_set_max_workers (AexThreadPool *self, guint max_workers)
{
  g_return_if_fail (AEX_IS_THREAD_POOL (self));

  if (max_workers == 0)
    max_workers = usable_cpus ();
  g_mutex_lock (&self->core->lock);
  self->core->max_workers = max_workers;
  if (aex_pool_has_work (self->core))
    aex_pool_want_worker (self->core, NULL);
  g_mutex_unlock (&self->core->lock);
}

/**
 * aex_thread_pool_get_n_workers:
 * @self: a pool
 *
 * Gets how many threads there are now, working, idle or blocked.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_thread_pool_get_n_workers (AexThreadPool *self)
{
  guint n;

  g_return_val_if_fail (AEX_IS_THREAD_POOL (self), 0);

  g_mutex_lock (&self->core->lock);
  n = self->core->n_threads;
  g_mutex_unlock (&self->core->lock);
  return n;
}

/**
 * aex_thread_pool_get_idle_timeout: (get-property idle-timeout-us)
 * @self: a pool
 *
 * Gets after how long an idle thread leaves.
 *
 * Returns: microseconds, -1 for never
 *
 * Since: 1.0
 */
gint64
aex_thread_pool_get_idle_timeout (AexThreadPool *self)
{
  gint64 timeout_us;

  g_return_val_if_fail (AEX_IS_THREAD_POOL (self), -1);

  g_mutex_lock (&self->core->lock);
  timeout_us = self->core->idle_timeout_us;
  g_mutex_unlock (&self->core->lock);
  return timeout_us;
}

/**
 * aex_thread_pool_set_idle_timeout: (set-property idle-timeout-us)
 * @self: a pool
 * @timeout_us: microseconds, -1 for never
 *
 * Sets after how long an idle thread leaves. Threads that are idle now start
 * anew.
 *
 * Since: 1.0
 */
void
aex_thread_pool_set_idle_timeout (AexThreadPool *self, gint64 timeout_us)
{
  g_return_if_fail (AEX_IS_THREAD_POOL (self));

  g_mutex_lock (&self->core->lock);
  self->core->idle_timeout_us = timeout_us;
  aex_pool_wake_all (self->core);
  g_mutex_unlock (&self->core->lock);
}

/**
 * aex_thread_pool_get_help_waiting: (get-property help-waiting)
 * @self: a pool
 *
 * Gets whether waiting threads may run jobs.
 *
 * Returns: whether they may
 *
 * Since: 1.0
 */
gboolean
aex_thread_pool_get_help_waiting (AexThreadPool *self)
{
  g_return_val_if_fail (AEX_IS_THREAD_POOL (self), FALSE);

  return atomic_load (&self->core->help_waiting);
}

/**
 * aex_thread_pool_set_help_waiting: (set-property help-waiting)
 * @self: a pool
 * @help_waiting: whether they may
 *
 * Sets whether waiting threads may run jobs.
 *
 * Since: 1.0
 */
void
aex_thread_pool_set_help_waiting (AexThreadPool *self, gboolean help_waiting)
{
  g_return_if_fail (AEX_IS_THREAD_POOL (self));

  atomic_store (&self->core->help_waiting, help_waiting);
}

/**
 * aex_thread_pool_set_thread_main:
 * @self: a pool
 * @func: (scope notified) (closure user_data) (destroy destroy) (nullable): what wraps a thread's life
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on the thread that
 *   lets go of it last
 *
 * Wraps the life of every thread that is started from now on, so that a
 * language binding enters its interpreter once per thread: @func is called on
 * the new thread and must call [method@ThreadPool.run_worker] exactly once.
 * With such a function, waiting threads never run jobs of the pool.
 *
 * @destroy is called when the pool has ended and every thread has returned from
 * @func, so that a binding can wait for it before its interpreter ends.
 *
 * Since: 1.0
 */
void
aex_thread_pool_set_thread_main (AexThreadPool *self, AexThreadMainFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexThreadMain *made = NULL, *old;

  g_return_if_fail (AEX_IS_THREAD_POOL (self));

  if (func != NULL)
    {
      made = g_new0 (AexThreadMain, 1);
      atomic_init (&made->refs, 1);
      made->func = func;
      made->data = user_data;
      made->destroy = destroy;
    }
  g_mutex_lock (&self->core->lock);
  /* One that has ended starts no thread. */
  old = self->core->stopped ? made : self->core->thread_main;
  if (!self->core->stopped)
    self->core->thread_main = made;
  g_mutex_unlock (&self->core->lock);
  g_clear_pointer (&old, aex_thread_main_unref);
}

/**
 * aex_thread_pool_run_worker:
 * @self: the pool that the [callback@ThreadMainFunc] was given
 *
 * Runs jobs until the thread has to leave. Only inside an
 * [callback@ThreadMainFunc], once.
 *
 * Since: 1.0
 */
void
aex_thread_pool_run_worker (AexThreadPool *self)
{
  AexThread *thread = aex_thread_get ();
  AexPoolCore *core = thread->hooked_pool;

  g_return_if_fail (AEX_IS_THREAD_POOL (self));
  g_return_if_fail (core != NULL);

  thread->hooked_pool = NULL;
  aex_pool_run_worker (core);
}
