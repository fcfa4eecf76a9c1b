/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Describing a pending: name, metadata, what is known of it. */
#include "pending/aex-pending-private.h"

#include "aex-pending-info.h"

/**
 * AexPendingInfo:
 *
 * What was known of a pending at one moment; immutable.
 *
 * Since: 1.0
 */
struct _AexPendingInfo {
  char *name;
  AexPendingState state;
  char *executor_name;
  guint64 thread_id;
  gint64 submitted_us, started_us, done_us;
};

G_DEFINE_BOXED_TYPE (AexPendingInfo, aex_pending_info, aex_pending_info_copy, aex_pending_info_free)

/**
 * aex_pending_info_copy:
 * @self: an info
 *
 * Copies it.
 *
 * Returns: (transfer full): a copy
 *
 * Since: 1.0
 */
AexPendingInfo *
aex_pending_info_copy (const AexPendingInfo *self)
{
  AexPendingInfo *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->name = g_strdup (self->name);
  copy->executor_name = g_strdup (self->executor_name);
  return copy;
}

/**
 * aex_pending_info_free:
 * @self: (transfer full): an info
 *
 * Frees it.
 *
 * Since: 1.0
 */
void
aex_pending_info_free (AexPendingInfo *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->name);
  g_free (self->executor_name);
  g_free (self);
}

/**
 * aex_pending_info_get_name:
 * @self: an info
 *
 * Gets the name of the pending.
 *
 * Returns: (nullable): the name
 *
 * Since: 1.0
 */
const char *
aex_pending_info_get_name (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

/**
 * aex_pending_info_get_state:
 * @self: an info
 *
 * Gets the state that the pending was in.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
AexPendingState
aex_pending_info_get_state (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, AEX_PENDING_STATE_REJECTED);

  return self->state;
}

/**
 * aex_pending_info_get_executor_name:
 * @self: an info
 *
 * Gets the name of the executor that the job was submitted to.
 *
 * Returns: (nullable): the name, %NULL for a promise or an executor without one
 *
 * Since: 1.0
 */
const char *
aex_pending_info_get_executor_name (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->executor_name;
}

/**
 * aex_pending_info_get_thread_id:
 * @self: an info
 *
 * Gets a number for the thread on which the job started, if its executor
 * records times: equal numbers mean equal threads as long as those live.
 *
 * Returns: the number, 0 when unknown
 *
 * Since: 1.0
 */
guint64
aex_pending_info_get_thread_id (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->thread_id;
}

/**
 * aex_pending_info_get_submitted_us:
 * @self: an info
 *
 * Gets when the job was submitted, if its executor has
 * [property@Executor:record-times].
 *
 * Returns: monotonic microseconds, -1 when unknown
 *
 * Since: 1.0
 */
gint64
aex_pending_info_get_submitted_us (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->submitted_us;
}

/**
 * aex_pending_info_get_started_us:
 * @self: an info
 *
 * Gets when the job started, if its executor has
 * [property@Executor:record-times].
 *
 * Returns: monotonic microseconds, -1 when unknown
 *
 * Since: 1.0
 */
gint64
aex_pending_info_get_started_us (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->started_us;
}

/**
 * aex_pending_info_get_done_us:
 * @self: an info
 *
 * Gets when the pending was done, if its executor has
 * [property@Executor:record-times].
 *
 * Returns: monotonic microseconds, -1 when unknown
 *
 * Since: 1.0
 */
gint64
aex_pending_info_get_done_us (const AexPendingInfo *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->done_us;
}

/**
 * aex_pending_dup_info:
 * @self: a pending
 *
 * Gets what is known of @self now.
 *
 * Returns: (transfer full): an info
 *
 * Since: 1.0
 */
AexPendingInfo *
aex_pending_dup_info (AexPending *self)
{
  AexPendingInfo *info;
  AexPendingExtra *extra;
  AexTarget *executor;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  info = g_new0 (AexPendingInfo, 1);
  info->submitted_us = info->started_us = info->done_us = -1;
  info->state = aex_pending_get_state (self);
  executor = self->environment != NULL ? self->environment->executor : NULL;
  if (executor != NULL)
    info->executor_name = g_strdup (executor->ops->get_name (executor));
  extra = atomic_load (&self->extra);
  if (extra == NULL)
    return info;
  aex_pending_lock (self);
  info->name = g_strdup (extra->name);
  info->thread_id = extra->thread_id;
  info->submitted_us = extra->submitted_us;
  info->started_us = extra->started_us;
  info->done_us = extra->done_us;
  aex_pending_unlock (self);
  return info;
}

static void
take_name (AexPending *self, char *name, gboolean is_static)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  char *old;

  aex_pending_lock (self);
  old = extra->name_is_static ? NULL : extra->name;
  extra->name = name;
  extra->name_is_static = is_static;
  aex_pending_unlock (self);
  if (aex_pending_has_handlers (self))
    aex_pending_changed (self, AEX_CHANGE_NAME);
  g_free (old);
}

/**
 * aex_pending_set_static_name: (skip)
 * @self: a pending
 * @name: a string literal
 *
 * Names @self, for people, without a copy.
 *
 * Since: 1.0
 */
void
aex_pending_set_static_name (AexPending *self, const char *name)
{
  g_return_if_fail (AEX_IS_PENDING (self));

  take_name (self, (char *) name, TRUE);
}

/**
 * aex_pending_set_name:
 * @self: a pending
 * @name: (nullable): a name
 *
 * Names @self, for people.
 *
 * Since: 1.0
 */
void
aex_pending_set_name (AexPending *self, const char *name)
{
  g_return_if_fail (AEX_IS_PENDING (self));

  take_name (self, g_strdup (name), FALSE);
}

/**
 * aex_pending_dup_name:
 * @self: a pending
 *
 * Gets the name.
 *
 * Returns: (transfer full) (nullable): the name
 *
 * Since: 1.0
 */
char *
aex_pending_dup_name (AexPending *self)
{
  AexPendingExtra *extra;
  char *name;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  extra = atomic_load (&self->extra);
  if (extra == NULL)
    return NULL;
  aex_pending_lock (self);
  name = g_strdup (extra->name);
  aex_pending_unlock (self);
  return name;
}

/**
 * aex_pending_set_metadata:
 * @self: a pending
 * @key: a key
 * @value: (nullable): a value, a floating reference is taken over; %NULL removes the key
 *
 * Hangs something on @self.
 *
 * Since: 1.0
 */
void
aex_pending_set_metadata (AexPending *self, const char *key, GVariant *value)
{
  AexPendingExtra *extra;
  g_autoptr (GVariant) old = NULL;

  g_return_if_fail (AEX_IS_PENDING (self));
  g_return_if_fail (key != NULL);

  extra = aex_pending_ensure_extra (self);
  if (value != NULL)
    g_variant_ref_sink (value);
  aex_pending_lock (self);
  if (extra->metadata == NULL)
    extra->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
  old = g_hash_table_lookup (extra->metadata, key);
  if (old != NULL)
    g_variant_ref (old);
  if (value != NULL)
    g_hash_table_replace (extra->metadata, g_strdup (key), value);
  else
    g_hash_table_remove (extra->metadata, key);
  aex_pending_unlock (self);
}

/**
 * aex_pending_dup_metadata:
 * @self: a pending
 * @key: a key
 *
 * Gets what [method@Pending.set_metadata], or the options of the submission,
 * put there.
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
GVariant *
aex_pending_dup_metadata (AexPending *self, const char *key)
{
  AexPendingExtra *extra;
  GVariant *value = NULL;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);
  g_return_val_if_fail (key != NULL, NULL);

  extra = atomic_load (&self->extra);
  if (extra == NULL)
    return NULL;
  aex_pending_lock (self);
  if (extra->metadata != NULL)
    value = g_hash_table_lookup (extra->metadata, key);
  if (value != NULL)
    g_variant_ref (value);
  aex_pending_unlock (self);
  return value;
}
