/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call queues of a caller: one per owner and key. */
#include "base/aex-fork-private.h"
#include "executor/aex-call-queue-private.h"

static guint
queue_hash (gconstpointer queue)
{
  const AexCallQueue *self = queue;

  return g_direct_hash (self->owner) ^ g_str_hash (self->key);
}

static gboolean
queue_equal (gconstpointer a, gconstpointer b)
{
  const AexCallQueue *first = a, *second = b;

  return first->owner == second->owner && strcmp (first->key, second->key) == 0;
}

/* The family lock of core is held.  Borrowed. */
static AexCallQueue *
find (AexCallerCore *core, gpointer owner, const char *key)
{
  AexCallQueue wanted = { .owner = owner, .key = (char *) (key != NULL ? key : "") };
  AexCallQueue *found = core->queues != NULL ? g_hash_table_lookup (core->queues, &wanted) : NULL;

  return found != NULL && !AEX_IS_DONE (aex_pending_load (found->pending)) ? found : NULL;
}

static AexCallQueue *
ref_queue (AexCallerCore *core, gpointer owner, const char *key)
{
  AexCallQueue *found;

  g_mutex_lock (&core->family_lock);
  found = find (core, owner, key);
  if (found != NULL)
    g_object_ref (found);
  g_mutex_unlock (&core->family_lock);
  return found;
}

/* FALSE: somebody else's was there first. */
static gboolean
enlist (AexCallQueue *self)
{
  AexCallerCore *core = self->core;
  AexCallQueue *ended = NULL;    /* whose end has not come here yet */
  gboolean enlisted;

  g_mutex_lock (&core->family_lock);
  enlisted = find (core, self->owner, self->key) == NULL;
  if (enlisted && core->queues == NULL)
    core->queues = g_hash_table_new (queue_hash, queue_equal);
  if (enlisted)
    {
      ended = g_hash_table_lookup (core->queues, self);
      g_hash_table_replace (core->queues, g_object_ref (self), self);
    }
  g_mutex_unlock (&core->family_lock);
  g_clear_object (&ended);
  return enlisted;
}

/* Somebody cancelled it, or what it belongs to is gone. */
static void
pending_done (AexPending *pending, gpointer queue)
{
  (void) pending;
  aex_call_queue_end (queue, AEX_CANCEL_EXPLICIT);
}

void
aex_caller_core_end_queues (AexCallerCore *self)
{
  g_autoptr (GPtrArray) queues = g_ptr_array_new_with_free_func (g_object_unref);
  GHashTableIter iter;
  gpointer queue;

  g_mutex_lock (&self->family_lock);
  if (self->queues != NULL)
    {
      g_hash_table_iter_init (&iter, self->queues);
      while (g_hash_table_iter_next (&iter, NULL, &queue))
        g_ptr_array_add (queues, g_object_ref (queue));
    }
  g_mutex_unlock (&self->family_lock);
  for (guint i = 0; i < queues->len; i++)
    aex_call_queue_end (queues->pdata[i], AEX_CANCEL_CLOSED);
}

/**
 * aex_caller_ensure_queue:
 * @self: a caller
 * @owner: (nullable): an object that the queue ends with; not kept alive
 * @key: (nullable): a name for it among those of @owner, or of nobody
 *
 * Gets the queue of @self for @owner and @key, or makes one.
 *
 * Returns: (transfer full): the queue; one that is closed when @self is
 *   stopping or takes nothing, or @owner is being disposed
 *
 * Since: 1.0
 */
AexCallQueue *
aex_caller_ensure_queue (AexCaller *self, GObject *owner, const char *key)
{
  AexCallerCore *core;
  AexCallQueue *queue;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);
  g_return_val_if_fail (owner == NULL || G_IS_OBJECT (owner), NULL);

  core = aex_caller_get_caller_core (self);
  queue = aex_is_forked () ? NULL : ref_queue (core, owner, key);
  while (queue == NULL)
    {
      queue = g_object_new (AEX_TYPE_CALL_QUEUE, NULL);
      queue->core = aex_target_ref (core);
      queue->owner = owner;
      queue->key = g_strdup (key != NULL ? key : "");
      if (aex_is_forked ())
        return queue;
      if (enlist (queue))
        {
          aex_pending_add_done_callback_inline (queue->pending, pending_done, g_object_ref (queue), g_object_unref);
          if (owner != NULL)
            aex_pending_cancel_with (queue->pending, owner);
          if (aex_core_is_closed (&core->core) || core->refusal != NULL)
            aex_call_queue_end (queue, AEX_CANCEL_CLOSED);
          return queue;
        }
      g_object_unref (queue);
      queue = ref_queue (core, owner, key);
    }
  return queue;
}

/**
 * aex_caller_lookup_queue:
 * @self: a caller
 * @owner: (nullable): what the queue belongs to
 * @key: (nullable): its name
 *
 * Finds the queue of @self for @owner and @key.
 *
 * Returns: (transfer full) (nullable): the queue, %NULL when there is none
 *
 * Since: 1.0
 */
AexCallQueue *
aex_caller_lookup_queue (AexCaller *self, GObject *owner, const char *key)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);
  g_return_val_if_fail (owner == NULL || G_IS_OBJECT (owner), NULL);

  return aex_is_forked () ? NULL : ref_queue (aex_caller_get_caller_core (self), owner, key);
}

/**
 * aex_caller_close_queue:
 * @self: a caller
 * @owner: (nullable): what the queue belongs to
 * @key: (nullable): its name
 *
 * Closes the queue of @self for @owner and @key, see [method@CallQueue.close];
 * does nothing when there is none.
 *
 * Since: 1.0
 */
void
aex_caller_close_queue (AexCaller *self, GObject *owner, const char *key)
{
  g_autoptr (AexCallQueue) queue = aex_caller_lookup_queue (self, owner, key);

  if (queue != NULL)
    aex_call_queue_close (queue);
}
