/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a group behaves: what is set before it is used. */
#include "aex-pending-group.h"

#include "pending/aex-group-private.h"

static AexGroup *
get_group (AexPendingGroup *self)
{
  return aex_pending_tracker_get_core (AEX_PENDING_TRACKER (self))->group;
}

/**
 * aex_pending_group_get_mode: (get-property mode)
 * @self: a group
 *
 * Gets what a cancellation means.
 *
 * Returns: the mode
 *
 * Since: 1.0
 */
AexGroupMode
aex_pending_group_get_mode (AexPendingGroup *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), AEX_GROUP_MODE_IGNORE);

  return get_group (self)->mode;
}

/**
 * aex_pending_group_get_shield: (get-property shield)
 * @self: a group
 *
 * Asks whether cancellation from outside does not reach it.
 *
 * Returns: whether
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_get_shield (AexPendingGroup *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);

  return get_group (self)->shield;
}

/**
 * aex_pending_group_set_shield: (set-property shield)
 * @self: a group that was not used yet
 * @shield: whether
 *
 * Sets whether neither the scopes around the group nor the job in which it stands
 * cancel it. [method@PendingGroup.cancel], its time and its members do.
 *
 * Since: 1.0
 */
void
aex_pending_group_set_shield (AexPendingGroup *self, gboolean shield)
{
  g_return_if_fail (AEX_IS_PENDING_GROUP (self));

  get_group (self)->shield = shield;
}

/**
 * aex_pending_group_get_timeout: (get-property timeout-us)
 * @self: a group
 *
 * Gets its time limit.
 *
 * Returns: microseconds, -1 for none
 *
 * Since: 1.0
 */
gint64
aex_pending_group_get_timeout (AexPendingGroup *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), -1);

  return get_group (self)->timeout_us;
}

/**
 * aex_pending_group_set_timeout: (set-property timeout-us)
 * @self: a group that was not used yet
 * @timeout_us: microseconds, -1 for no limit
 *
 * Sets after what time the group is cancelled, counted from its first use.
 *
 * Since: 1.0
 */
void
aex_pending_group_set_timeout (AexPendingGroup *self, gint64 timeout_us)
{
  g_return_if_fail (AEX_IS_PENDING_GROUP (self));

  get_group (self)->timeout_us = timeout_us;
}

/**
 * aex_pending_group_get_cancellation_timeout: (get-property cancellation-timeout-us)
 * @self: a group
 *
 * Gets how long it waits for its members when it was cancelled.
 *
 * Returns: microseconds, -1 for no limit
 *
 * Since: 1.0
 */
gint64
aex_pending_group_get_cancellation_timeout (AexPendingGroup *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), -1);

  return get_group (self)->cancellation_timeout_us;
}

/**
 * aex_pending_group_set_cancellation_timeout: (set-property cancellation-timeout-us)
 * @self: a group that was not used yet
 * @timeout_us: microseconds, -1 for no limit
 *
 * Sets how long the end of a cancelled group waits for members that do not
 * listen. Then it warns with their names and goes on without them. By default 10
 * seconds.
 *
 * Since: 1.0
 */
void
aex_pending_group_set_cancellation_timeout (AexPendingGroup *self, gint64 timeout_us)
{
  g_return_if_fail (AEX_IS_PENDING_GROUP (self));

  get_group (self)->cancellation_timeout_us = timeout_us;
}
