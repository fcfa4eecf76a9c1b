/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-permit-private.h"

/**
 * AexPermit:
 *
 * A slot of an [class@Limiter] in the hands of somebody who does the work
 * himself, see [method@Limiter.acquire].
 *
 * The slot goes back with [method@Permit.release], or with the last reference.
 * Every function may be called on any thread.
 *
 * Since: 1.0
 */
struct _AexPermit {
  atomic_int refs;
  atomic_int released;
  AexLimiterCore *core;     /* a reference */
};

G_DEFINE_BOXED_TYPE (AexPermit, aex_permit, aex_permit_ref, aex_permit_unref)

AexPermit *
aex_permit_new (AexLimiterCore *core)
{
  AexPermit *self = g_new0 (AexPermit, 1);

  atomic_init (&self->refs, 1);
  self->core = aex_target_ref (core);
  return self;
}

/**
 * aex_permit_ref:
 * @self: a permit
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
AexPermit *
aex_permit_ref (AexPermit *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

/**
 * aex_permit_unref:
 * @self: (transfer full): a permit
 *
 * Lets go of a reference; the last one gives the slot back.
 *
 * Since: 1.0
 */
void
aex_permit_unref (AexPermit *self)
{
  g_return_if_fail (self != NULL);

  if (atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) != 1)
    return;
  aex_permit_release (self);
  aex_target_unref (self->core);
  g_free (self);
}

/**
 * aex_permit_release:
 * @self: a permit
 *
 * Gives the slot back, so that whoever is next in the limiter starts. Once:
 * further calls do nothing. Never blocks.
 *
 * Since: 1.0
 */
void
aex_permit_release (AexPermit *self)
{
  g_return_if_fail (self != NULL);

  if (!atomic_exchange (&self->released, TRUE))
    aex_limiter_return_slot (self->core);
}
