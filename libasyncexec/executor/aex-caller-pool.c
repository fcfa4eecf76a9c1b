/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-caller-pool.h"

#include <string.h>

#include "base/aex-fork-private.h"
#include "executor/aex-caller-pool-core-private.h"

/**
 * AexCallerPool:
 *
 * An executor of several callers, each a thread with a main context of its own:
 * for coroutines and for objects that want a running main context.
 *
 * All threads start with the pool. A job goes to the caller that has the least
 * to do, of several the first, and stays there: a coroutine goes on where it
 * began. Jobs of one caller run one after the other, as on any [class@Caller].
 *
 * When the pool is shut down, or its last reference dropped, the threads end
 * when they have run what was accepted, or, as the flags say, without that. A
 * caller that is stopped by hand gets nothing any more.
 *
 * Since: 1.0
 */
struct _AexCallerPool {
  AexExecutor parent_instance;
  AexCallerPoolCore *core;   /* the executor's */
  GPtrArray *callers;        /* AexCaller */
  guint n_callers;           /* of the construction */
  GError *error;             /* why there are fewer */
};

G_DEFINE_FINAL_TYPE (AexCallerPool, aex_caller_pool, AEX_TYPE_EXECUTOR)

enum { PROP_N_CALLERS = 1, N_PROPS };

static GParamSpec *properties[N_PROPS];

/* The thread that constructs now will look at the error. */
static __thread gboolean asks_for_error;

static void
aex_caller_pool_constructed (GObject *object)
{
  AexCallerPool *self = AEX_CALLER_POOL (object);
  guint n = aex_fork_check (&self->error) ? 0 : self->n_callers;

  self->core = aex_caller_pool_core_new (AEX_EXECUTOR (self), n, aex_executor_get_name (AEX_EXECUTOR (self)), &self->error);
  self->callers = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < self->core->n_callers; i++)
    g_ptr_array_add (self->callers, aex_caller_ref_for_core (self->core->callers[i], self->core->callers[i]->core.name));
  aex_executor_set_core (AEX_EXECUTOR (self), &self->core->core);
  if (self->error != NULL && !asks_for_error)
    g_warning ("This pool of callers takes no work: %s", self->error->message);
  G_OBJECT_CLASS (aex_caller_pool_parent_class)->constructed (object);
}

static void
aex_caller_pool_finalize (GObject *object)
{
  AexCallerPool *self = AEX_CALLER_POOL (object);

  g_ptr_array_unref (self->callers);
  g_clear_error (&self->error);
  G_OBJECT_CLASS (aex_caller_pool_parent_class)->finalize (object);
}

static void
aex_caller_pool_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_N_CALLERS)
    g_value_set_uint (value, aex_caller_pool_get_n_callers (AEX_CALLER_POOL (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
aex_caller_pool_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_N_CALLERS)
    AEX_CALLER_POOL (object)->n_callers = g_value_get_uint (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
aex_caller_pool_class_init (AexCallerPoolClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = aex_caller_pool_constructed;
  object_class->finalize = aex_caller_pool_finalize;
  object_class->get_property = aex_caller_pool_get_property;
  object_class->set_property = aex_caller_pool_set_property;

  /**
   * AexCallerPool:n-callers: (getter get_n_callers)
   *
   * How many callers, and so threads, there are.
   *
   * Since: 1.0
   */
  properties[PROP_N_CALLERS] = g_param_spec_uint ("n-callers", NULL, NULL, 1, 65536, 1,
                                                  G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_caller_pool_init (AexCallerPool *self)
{
  (void) self;
}

/**
 * aex_caller_pool_new:
 * @n_callers: how many callers, at least 1
 * @error: return location for an error
 *
 * Starts a pool of callers. Made with g_object_new() instead, a pool whose
 * threads cannot be started warns and is closed.
 *
 * Returns: (transfer full) (type AexCallerPool): a new pool, %NULL if @error is
 *   set
 *
 * Since: 1.0
 */
AexExecutor *
aex_caller_pool_new (guint n_callers, GError **error)
{
  AexCallerPool *self;

  g_return_val_if_fail (n_callers > 0, NULL);

  asks_for_error = TRUE;
  self = g_object_new (AEX_TYPE_CALLER_POOL, "n-callers", n_callers, NULL);
  asks_for_error = FALSE;
  if (self->error == NULL)
    return AEX_EXECUTOR (self);
  g_propagate_error (error, g_steal_pointer (&self->error));
  g_object_unref (self);
  return NULL;
}

/**
 * aex_caller_pool_get_n_callers: (get-property n-callers)
 * @self: a pool of callers
 *
 * Gets how many callers there are.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_caller_pool_get_n_callers (AexCallerPool *self)
{
  g_return_val_if_fail (AEX_IS_CALLER_POOL (self), 0);

  return self->n_callers;
}

/**
 * aex_caller_pool_list_callers:
 * @self: a pool of callers
 *
 * Lists the callers. The list is a copy, in the order in which
 * [method@CallerPool.pick] and [method@CallerPool.dup_loads] count them.
 *
 * Returns: (transfer container) (element-type AexCaller): the callers
 *
 * Since: 1.0
 */
GPtrArray *
aex_caller_pool_list_callers (AexCallerPool *self)
{
  g_return_val_if_fail (AEX_IS_CALLER_POOL (self), NULL);

  return g_ptr_array_copy (self->callers, (GCopyFunc) (void *) g_object_ref, NULL);
}

/**
 * aex_caller_pool_dup_loads:
 * @self: a pool of callers
 * @n_loads: (out): how many numbers
 *
 * Gets how many jobs each caller was given by @self and has not done yet.
 *
 * Returns: (transfer full) (array length=n_loads): a number for each caller
 *
 * Since: 1.0
 */
guint *
aex_caller_pool_dup_loads (AexCallerPool *self, gsize *n_loads)
{
  guint *loads;

  g_return_val_if_fail (AEX_IS_CALLER_POOL (self), NULL);
  g_return_val_if_fail (n_loads != NULL, NULL);

  *n_loads = self->n_callers;
  loads = g_new0 (guint, self->n_callers);
  if (aex_is_forked ())
    return loads;
  g_mutex_lock (&self->core->lock);
  memcpy (loads, self->core->loads, self->core->n_callers * sizeof (guint));
  g_mutex_unlock (&self->core->lock);
  return loads;
}

/**
 * aex_caller_pool_pick:
 * @self: a pool of callers
 *
 * Asks which caller would get a job that is submitted now: the one with the
 * least to do, of several the first. Asking changes nothing.
 *
 * Returns: its number in [method@CallerPool.list_callers], -1 when none takes
 *   work any more
 *
 * Since: 1.0
 */
int
aex_caller_pool_pick (AexCallerPool *self)
{
  g_return_val_if_fail (AEX_IS_CALLER_POOL (self), -1);

  return aex_is_forked () ? -1 : aex_caller_pool_core_pick (self->core);
}
