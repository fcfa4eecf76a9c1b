/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-submit-options-private.h"

#include "aex-context.h"

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
