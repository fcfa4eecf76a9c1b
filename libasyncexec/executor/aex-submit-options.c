/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-submit-options-private.h"

#include "aex-context.h"
#include "base/aex-fork-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-tracker-private.h"
#include "pending/aex-value-private.h"

/**
 * AexSubmitOptions:
 *
 * What can be said of a submission: see [method@Executor.submit_full]. Reusable
 * for several; one thread at a time.
 *
 * Since: 1.0
 */

G_DEFINE_BOXED_TYPE (AexSubmitOptions, aex_submit_options, aex_submit_options_copy, aex_submit_options_free)

/**
 * aex_submit_options_new:
 *
 * Makes options that change nothing.
 *
 * Returns: (transfer full): new options
 *
 * Since: 1.0
 */
AexSubmitOptions *
aex_submit_options_new (void)
{
  AexSubmitOptions *self = g_new0 (AexSubmitOptions, 1);

  self->timeout_us = -1;
  return self;
}

static void
shared_subscriber_unref (gpointer data)
{
  AexSharedSubscriber *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  aex_destroy_at (self->target, self->destroy, self->data);
  g_clear_pointer (&self->target, aex_target_unref);
  g_free (self);
}

static AexSharedSubscriber *
shared_subscriber_ref (AexSharedSubscriber *self)
{
  atomic_fetch_add (&self->refs, 1);
  return self;
}

static void
call_shared_subscriber (AexPending *pending, GVariant *message, gpointer data)
{
  AexSharedSubscriber *self = data;

  self->func (pending, message, self->data);
}

static GHashTable *
metadata_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
}

/**
 * aex_submit_options_copy:
 * @self: options
 *
 * Copies them.
 *
 * Returns: (transfer full): a copy
 *
 * Since: 1.0
 */
AexSubmitOptions *
aex_submit_options_copy (const AexSubmitOptions *self)
{
  AexSubmitOptions *copy;
  GHashTableIter iter;
  gpointer key, value;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->name = g_strdup (self->name);
  if (copy->cancellable != NULL)
    g_object_ref (copy->cancellable);
  if (copy->context != NULL)
    aex_context_ref (copy->context);
  if (self->metadata != NULL)
    {
      copy->metadata = metadata_new ();
      g_hash_table_iter_init (&iter, self->metadata);
      while (g_hash_table_iter_next (&iter, &key, &value))
        g_hash_table_insert (copy->metadata, g_strdup (key), g_variant_ref (value));
    }
  if (self->subscriber != NULL)
    shared_subscriber_ref (self->subscriber);
  copy->tracker_types = g_memdup2 (self->tracker_types, self->n_tracker_types * sizeof (GType));
  if (self->group != NULL)
    g_object_ref (self->group);
  return copy;
}

/**
 * aex_submit_options_free:
 * @self: (transfer full): options
 *
 * Frees them.
 *
 * Since: 1.0
 */
void
aex_submit_options_free (AexSubmitOptions *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->name);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->context, aex_context_unref);
  g_clear_pointer (&self->metadata, g_hash_table_unref);
  g_clear_pointer (&self->subscriber, shared_subscriber_unref);
  g_free (self->tracker_types);
  g_clear_object (&self->group);
  g_free (self);
}

/**
 * aex_submit_options_set_name:
 * @self: options
 * @name: (nullable): a name
 *
 * Names the job, for people.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_name (AexSubmitOptions *self, const char *name)
{
  g_return_if_fail (self != NULL);

  g_free (self->name);
  self->name = g_strdup (name);
}

/**
 * aex_submit_options_set_priority:
 * @self: options
 * @priority: the priority
 *
 * Sets which jobs of the executor this one comes before.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_priority (AexSubmitOptions *self, AexPriority priority)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (priority >= AEX_PRIORITY_BACKGROUND && priority <= AEX_PRIORITY_HIGH);

  self->priority = priority;
}

/**
 * aex_submit_options_set_timeout:
 * @self: options
 * @timeout_us: microseconds from the submission, -1 for no limit
 *
 * Limits the time of the job. When it is over, the job is stopped as by a
 * cancellation, and rejected with %G_IO_ERROR_TIMED_OUT.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_timeout (AexSubmitOptions *self, gint64 timeout_us)
{
  g_return_if_fail (self != NULL);

  self->timeout_us = timeout_us;
}

/**
 * aex_submit_options_set_cancellable:
 * @self: options
 * @cancellable: (nullable): what cancels the job
 *
 * Ties the job to a cancellable, as [method@Pending.cancel_on] does.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_cancellable (AexSubmitOptions *self, GCancellable *cancellable)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  g_set_object (&self->cancellable, cancellable);
}

/**
 * aex_submit_options_set_context:
 * @self: options
 * @context: (nullable): a context, %NULL for the one current at the submission
 *
 * Sets what the job sees. An empty context keeps that of the submitter from it.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_context (AexSubmitOptions *self, AexContext *context)
{
  g_return_if_fail (self != NULL);

  if (context != NULL)
    aex_context_ref (context);
  g_clear_pointer (&self->context, aex_context_unref);
  self->context = context;
}

/**
 * aex_submit_options_set_release_on_owner:
 * @self: options
 * @release_on_owner: whether
 *
 * Sets whether the closure of the job is released in a dispatch of the
 * submitter's main context rather than where the job ran.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_release_on_owner (AexSubmitOptions *self, gboolean release_on_owner)
{
  g_return_if_fail (self != NULL);

  self->release_on_owner = release_on_owner;
}

/**
 * aex_submit_options_set_metadata:
 * @self: options
 * @key: a key
 * @value: (nullable): a value, a floating reference is taken over; %NULL removes the key
 *
 * Hangs something on the job, see [method@Pending.dup_metadata].
 *
 * Since: 1.0
 */
void
aex_submit_options_set_metadata (AexSubmitOptions *self, const char *key, GVariant *value)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (key != NULL);

  if (value == NULL)
    {
      if (self->metadata != NULL)
        g_hash_table_remove (self->metadata, key);
      return;
    }
  if (self->metadata == NULL)
    self->metadata = metadata_new ();
  g_hash_table_replace (self->metadata, g_strdup (key), g_variant_ref_sink (value));
}

/**
 * aex_submit_options_set_subscriber:
 * @self: options
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call with every message
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Subscribes to what the job publishes, before it can start, as
 * [method@Pending.subscribe] does on the thread that submits. @user_data is
 * freed in a dispatch of the main context that is current for this thread now,
 * when @self, its copies and the subscriptions made from them are gone.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_subscriber (AexSubmitOptions *self, AexMessageFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexTarget *target;

  g_return_if_fail (self != NULL);
  g_return_if_fail (func != NULL);

  target = aex_is_forked () ? NULL : aex_delivery_target (aex_thread_get (), NULL);
  g_clear_pointer (&self->subscriber, shared_subscriber_unref);
  self->subscriber = g_new0 (AexSharedSubscriber, 1);
  atomic_init (&self->subscriber->refs, 1);
  self->subscriber->target = target != NULL ? aex_target_ref (target) : NULL;
  self->subscriber->func = func;
  self->subscriber->data = user_data;
  self->subscriber->destroy = destroy;
}

/**
 * aex_submit_options_set_trackers:
 * @self: options
 * @tracker_types: (array length=n_types) (nullable): classes of trackers
 * @n_types: how many
 *
 * Chooses which of the active trackers get to know the job: those of these
 * classes, and of classes derived from them. Without any it is untracked: outside
 * of every [class@PendingGroup], and so is all it starts; it then stands in the
 * scopes around the outermost group. See [class@PendingTracker].
 *
 * Since: 1.0
 */
void
aex_submit_options_set_trackers (AexSubmitOptions *self, const GType *tracker_types, gsize n_types)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (n_types == 0 || tracker_types != NULL);

  g_free (self->tracker_types);
  self->chooses_trackers = TRUE;
  self->tracker_types = g_memdup2 (tracker_types, n_types * sizeof (GType));
  self->n_tracker_types = n_types;
}

/**
 * aex_submit_options_set_group:
 * @self: options
 * @group: (nullable): a group, %NULL for the one in which it is submitted
 *
 * Submits to this group, wherever that is done: the job becomes a member and
 * stands in its scope. When the group is over, the job is refused with
 * %AEX_ERROR_CLOSED.
 *
 * Since: 1.0
 */
void
aex_submit_options_set_group (AexSubmitOptions *self, AexPendingGroup *group)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (group == NULL || AEX_IS_PENDING_GROUP (group));

  g_set_object (&self->group, group);
}

gboolean
aex_submit_options_ref_context (const AexSubmitOptions *self, AexContext **context)
{
  AexContext *given = self->context != NULL ? self->context : aex_thread_get ()->context;
  g_autoptr (AexContext) chosen = NULL;

  if (self->chooses_trackers)
    chosen = aex_context_choose_trackers (given, self->tracker_types, self->n_tracker_types);
  else
    chosen = given != NULL ? aex_context_ref (given) : NULL;
  if (self->group == NULL)
    {
      *context = g_steal_pointer (&chosen);
      return TRUE;
    }
  aex_pending_group_get_scope (self->group);
  *context = aex_context_with_group (chosen, aex_pending_tracker_get_core (AEX_PENDING_TRACKER (self->group)));
  return *context != NULL;
}

gboolean
aex_submit_options_subscribe (const AexSubmitOptions *self, AexPending *job, GError **error)
{
  AexWaiter *closure;

  if (self->subscriber == NULL)
    return TRUE;
  closure = aex_waiter_new (AEX_WAITER_CALLBACK, (gpointer) call_shared_subscriber,
                            shared_subscriber_ref (self->subscriber), shared_subscriber_unref);
  if (!aex_waiter_bind (closure, error))
    {
      aex_waiter_release (closure);
      return FALSE;
    }
  aex_pending_add_subscriber (job, closure);
  return TRUE;
}
