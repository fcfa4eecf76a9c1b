/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-limiter.h"

#include "base/aex-fork-private.h"
#include "executor/aex-limiter-core-private.h"

/**
 * AexLimiter:
 *
 * An executor that runs at most so many jobs at once on another executor. With
 * one it is a serial executor, whatever it is built on.
 *
 * Jobs wait in a queue of the limiter, first in, first out per priority, until
 * there is a slot; a slot is held until the job is done: that of a coroutine,
 * until its pending is. The wrapped executor then runs the job as one of its
 * own. Several limiters may share an executor, and a limiter may wrap another.
 *
 * [method@Limiter.acquire] gives a slot to work that is no job.
 *
 * What is submitted when the limiter or the wrapped executor is closed is
 * cancelled with %AEX_ERROR_CLOSED. Shutting down a limiter leaves the wrapped
 * executor alone. When the wrapped executor is shut down, jobs that wait still
 * run as long as it does; when it has stopped they are cancelled with
 * %AEX_ERROR_CLOSED.
 *
 * A job that submits to its own limiter needs a second slot for that. If it
 * blocks for it and no slot can ever come back, the wait is refused with
 * %AEX_ERROR_WOULD_DEADLOCK. A coroutine that returns such a job to follow is
 * not noticed, and neither are slots held by permits: both wait for ever.
 *
 * Since: 1.0
 */
struct _AexLimiter {
  AexExecutor parent_instance;
  AexLimiterCore *core;      /* the executor's */
  AexExecutor *wrapped;
  guint max_concurrent;      /* of the construction */
};

G_DEFINE_FINAL_TYPE (AexLimiter, aex_limiter, AEX_TYPE_EXECUTOR)

enum { PROP_WRAPPED = 1, PROP_MAX_CONCURRENT, N_PROPS };

static GParamSpec *properties[N_PROPS];

static void
aex_limiter_constructed (GObject *object)
{
  AexLimiter *self = AEX_LIMITER (object);

  if (self->wrapped == NULL)
    self->wrapped = aex_executor_ref_default ();
  self->core = aex_limiter_core_new (AEX_EXECUTOR (self), self->wrapped, self->max_concurrent);
  aex_executor_set_core (AEX_EXECUTOR (self), &self->core->core);
  G_OBJECT_CLASS (aex_limiter_parent_class)->constructed (object);
}

static void
aex_limiter_finalize (GObject *object)
{
  g_object_unref (AEX_LIMITER (object)->wrapped);
  G_OBJECT_CLASS (aex_limiter_parent_class)->finalize (object);
}

static void
aex_limiter_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexLimiter *self = AEX_LIMITER (object);

  switch (id)
    {
    case PROP_WRAPPED:
      g_value_set_object (value, self->wrapped);
      break;
    case PROP_MAX_CONCURRENT:
      g_value_set_uint (value, aex_limiter_get_max_concurrent (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_limiter_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  AexLimiter *self = AEX_LIMITER (object);

  switch (id)
    {
    case PROP_WRAPPED:
      self->wrapped = g_value_dup_object (value);
      break;
    case PROP_MAX_CONCURRENT:
      if (self->core != NULL)
        aex_limiter_set_max_concurrent (self, g_value_get_uint (value));
      else
        self->max_concurrent = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_limiter_class_init (AexLimiterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = aex_limiter_constructed;
  object_class->finalize = aex_limiter_finalize;
  object_class->get_property = aex_limiter_get_property;
  object_class->set_property = aex_limiter_set_property;

  /**
   * AexLimiter:wrapped: (getter get_wrapped)
   *
   * The executor that runs the jobs; the default one unless given.
   *
   * Since: 1.0
   */
  properties[PROP_WRAPPED] = g_param_spec_object ("wrapped", NULL, NULL, AEX_TYPE_EXECUTOR,
                                                  G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * AexLimiter:max-concurrent: (getter get_max_concurrent) (setter set_max_concurrent)
   *
   * How many slots there are: jobs that run, and permits.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_CONCURRENT] = g_param_spec_uint ("max-concurrent", NULL, NULL, 1, G_MAXUINT, 1,
                                                       G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_limiter_init (AexLimiter *self)
{
  (void) self;
}

/**
 * aex_limiter_new:
 * @wrapped: the executor that runs the jobs
 * @max_concurrent: how many at once, at least 1
 *
 * Makes a limiter. It keeps @wrapped open until it has stopped itself.
 *
 * Returns: (transfer full) (type AexLimiter): a new limiter
 *
 * Since: 1.0
 */
AexExecutor *
aex_limiter_new (AexExecutor *wrapped, guint max_concurrent)
{
  g_return_val_if_fail (AEX_IS_EXECUTOR (wrapped), NULL);
  g_return_val_if_fail (max_concurrent > 0, NULL);

  return g_object_new (AEX_TYPE_LIMITER, "wrapped", wrapped, "max-concurrent", max_concurrent, NULL);
}

/**
 * aex_limiter_get_wrapped: (get-property wrapped)
 * @self: a limiter
 *
 * Gets the executor that runs the jobs.
 *
 * Returns: (transfer none): the executor, which lives as long as @self
 *
 * Since: 1.0
 */
AexExecutor *
aex_limiter_get_wrapped (AexLimiter *self)
{
  g_return_val_if_fail (AEX_IS_LIMITER (self), NULL);

  return self->wrapped;
}

/**
 * aex_limiter_get_max_concurrent: (get-property max-concurrent)
 * @self: a limiter
 *
 * Gets how many slots there are.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_limiter_get_max_concurrent (AexLimiter *self)
{
  g_return_val_if_fail (AEX_IS_LIMITER (self), 0);

  return aex_limiter_core_get_max_concurrent (self->core);
}

/**
 * aex_limiter_set_max_concurrent: (set-property max-concurrent)
 * @self: a limiter
 * @max_concurrent: how many, at least 1
 *
 * Sets how many slots there are. More are given to those who wait at once;
 * of too many none is taken away: they go as they come back.
 *
 * Since: 1.0
 */
void
aex_limiter_set_max_concurrent (AexLimiter *self, guint max_concurrent)
{
  g_return_if_fail (AEX_IS_LIMITER (self));
  g_return_if_fail (max_concurrent > 0);

  if (!aex_is_forked ())
    aex_limiter_core_set_max_concurrent (self->core, max_concurrent);
}

/**
 * aex_limiter_acquire:
 * @self: a limiter
 *
 * Asks for a slot. Whoever asks waits in the same queue as jobs, and counts as
 * one of them in [property@Executor:n-pending] and
 * [property@Executor:max-pending].
 *
 * The value of the pending is an [struct@Permit]. The slot comes back when that
 * is released or let go of, and so also when the pending is cancelled or
 * dropped, or its value never read. When @self is closed the pending is
 * cancelled with %AEX_ERROR_CLOSED; a shutdown waits for those who wait for a
 * slot, and not for permits that were given.
 *
 * Returns: (transfer full): the pending of the permit
 *
 * Since: 1.0
 */
AexPending *
aex_limiter_acquire (AexLimiter *self)
{
  AexPending *forked;

  g_return_val_if_fail (AEX_IS_LIMITER (self), NULL);

  forked = aex_pending_new_if_forked ();
  return forked != NULL ? forked : aex_limiter_core_acquire (self->core);
}
