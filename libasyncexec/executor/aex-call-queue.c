/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-call-queue-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-value-private.h"

/**
 * AexCallQueue:
 *
 * Functions that a [class@Caller] runs strictly one after the other: each
 * starts when what the one before has begun is over, also what it awaits. There
 * is one queue per caller and key, see [method@Caller.ensure_queue].
 *
 * What is pushed has no pending: an error is an
 * [signal@Executor::unhandled-error] of the caller, and neither that nor a
 * cancellation ends the queue. It ends when it is closed, when its pending is
 * cancelled, when the object that it belongs to is disposed, and when the
 * caller has stopped.
 *
 * Since: 1.0
 */

G_DEFINE_FINAL_TYPE (AexCallQueue, aex_call_queue, G_TYPE_OBJECT)

enum { PROP_PENDING = 1, PROP_KEY, N_PROPS };

static GParamSpec *properties[N_PROPS];

typedef struct {
  atomic_int refs;
  AexCallQueue *queue;        /* a reference */
  gpointer func;
  gpointer data;
  GDestroyNotify destroy;
  gboolean is_async;
  AexPending *job;            /* only compared */
  AexPending *turn;           /* WAITING: what job follows; a reference */
} Item;

static void
item_unref (gpointer data)
{
  Item *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_clear_object (&self->turn);
  g_object_unref (self->queue);
  g_free (self);
}

static Item *
item_ref (Item *self)
{
  atomic_fetch_add (&self->refs, 1);
  return self;
}

/* ---- running */

static AexPending *
item_call (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  Item *self = data;

  if (self->is_async)
    return ((AexAsyncFunc) self->func) (job, cancellable, self->data, error);
  if (!((AexJobFunc) self->func) (job, cancellable, self->data, error) && *error == NULL
      && !(aex_pending_load (job) & AEX_BIT_REC))
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_FAILED,
                         _("The function failed without setting an error: set one, or return TRUE"));
  return NULL;
}

/* The turn of an item in the queue of the caller: another one may still be awaited. */
static AexPending *
item_run (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  Item *self = data;
  AexCallQueue *queue = self->queue;
  AexPending *turn = aex_pending_new ();
  gboolean waits;

  g_mutex_lock (&queue->lock);
  /* When it is closed the job is being cancelled, and nothing begins before that. */
  waits = queue->current != NULL || queue->closed;
  if (waits)
    {
      self->turn = g_object_ref (turn);
      g_queue_push_tail (&queue->waiting, item_ref (self));
    }
  else
    {
      queue->current = job;
    }
  g_mutex_unlock (&queue->lock);
  if (waits)
    return turn;
  aex_pending_cancel (turn, NULL);
  g_object_unref (turn);
  return item_call (job, cancellable, self, error);
}

/* What waited longest begins now: as a job of its own, for that of the item has left its function. */
static void
begin_waiting (AexCallQueue *self, Item *item)
{
  AexCore *core = &self->core->core;
  AexPending *job = aex_pending_new_job (&core->target, self->context, (gpointer) item_call, item_ref (item), item_unref, AEX_FLAG_ASYNC);
  AexEntry entry = { &aex_job_kind, g_object_ref (job), NULL, NULL };

  aex_core_note_submission (core, job, NULL);
  aex_pending_set_name (job, self->key);
  aex_checkpoint ();
  /* One that was cancelled meanwhile has had its turn. */
  if (!aex_pending_follow (item->turn, job) || !AEX_CORE_OPS (core)->hand_over (core, AEX_LANE_DEFAULT, &entry, NULL))
    {
      g_object_unref (entry.a);
      aex_core_refuse (core, job, AEX_REFUSED_CLOSED, NULL);
    }
  g_object_unref (job);
}

/* The lock is held.  Takes an item out of those that wait: the next one, or, when it will never have its turn, that of
 * job. */
static Item *
take_waiting (AexCallQueue *self, AexPending *job)
{
  for (GList *link = self->waiting.head; link != NULL; link = link->next)
    {
      Item *item = link->data;

      if (job != NULL && item->job != job)
        continue;
      g_queue_delete_link (&self->waiting, link);
      return item;
    }
  return NULL;
}

/* Nobody waits for it, and who knows when a language lets go of it. */
static void
report_failure (AexCallQueue *self, AexPending *job)
{
  g_autoptr (GError) error = NULL;

  if (AEX_PHASE (aex_pending_load (job)) != AEX_PHASE_REJECTED)
    return;
  error = aex_pending_dup_error (job);
  aex_core_report (&self->core->core.target, job, error);
}

/* On the thread that completes it. */
static void
item_done (AexPending *job, gpointer queue)
{
  AexCallQueue *self = queue;
  Item *gone = NULL, *next = NULL;

  report_failure (self, job);
  g_mutex_lock (&self->lock);
  /* The one whose turn it is waits no more: nobody looks for it among the others, who may be many. */
  if (self->current == job)
    {
      next = self->closed ? NULL : take_waiting (self, NULL);
      self->current = next != NULL ? next->job : NULL;
    }
  else
    {
      gone = take_waiting (self, job);
    }
  g_hash_table_steal (self->jobs, job);
  g_mutex_unlock (&self->lock);
  if (next != NULL)
    begin_waiting (self, next);
  /* What it was given is let go of on the thread of the caller, as if it had run. */
  if (gone != NULL)
    aex_destroy_at (&self->core->home->target, item_unref, gone);
  g_clear_pointer (&next, item_unref);
  g_object_unref (job);
}

static gboolean
refuse_item (gpointer user_data, GDestroyNotify destroy)
{
  if (destroy != NULL)
    aex_destroy_at (aex_delivery_target (aex_thread_get (), NULL), destroy, user_data);
  return FALSE;
}

/* The lock is not held. */
static gboolean
note_context (AexCallQueue *self)
{
  AexContext *context = aex_thread_get ()->context;
  gboolean open;

  g_mutex_lock (&self->lock);
  open = !self->closed && !aex_core_is_closed (&self->core->core);
  if (open && !self->has_context)
    {
      self->has_context = TRUE;
      self->context = context != NULL ? aex_context_ref (context) : NULL;
    }
  g_mutex_unlock (&self->lock);
  return open;
}

/* Drops it, or cancels what it has begun. */
static void
cancel_item (AexPending *job)
{
  if (!aex_pending_cancel_as (job, AEX_CANCEL_DROP, NULL))
    aex_pending_cancel (job, NULL);
}

static gboolean
push (AexCallQueue *self, gpointer func, gpointer user_data, GDestroyNotify destroy, gboolean is_async)
{
  Item *item;
  AexPending *job;
  gboolean closed;

  if (aex_is_forked () || !note_context (self))
    return refuse_item (user_data, destroy);
  item = g_new0 (Item, 1);
  atomic_init (&item->refs, 1);
  item->queue = g_object_ref (self);
  item->func = func;
  item->data = user_data;
  item->destroy = destroy;
  item->is_async = is_async;
  job = aex_pending_new_job (&self->core->core.target, self->context, (gpointer) item_run, item, item_unref, AEX_FLAG_ASYNC);
  item->job = job;
  aex_core_note_submission (&self->core->core, job, NULL);
  aex_pending_set_name (job, self->key);
  g_mutex_lock (&self->lock);
  g_hash_table_add (self->jobs, g_object_ref (job));
  g_mutex_unlock (&self->lock);
  aex_pending_add_done_callback_inline (job, item_done, g_object_ref (self), g_object_unref);
  aex_core_submit_job (&self->core->core, job, AEX_LANE_DEFAULT);
  g_mutex_lock (&self->lock);
  closed = self->closed;
  g_mutex_unlock (&self->lock);
  /* Whoever closes it at the same time may not have seen this one. */
  if (closed)
    cancel_item (job);
  g_object_unref (job);
  return TRUE;
}

/**
 * aex_call_queue_push:
 * @self: a queue
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Has @func called once on the caller, when everything that was pushed before
 * is over, in the context that was current at the first push. Its job is
 * nobody's but its own: an error of it is reported. When @self is closed before
 * that, @func is released uncalled. Any thread.
 *
 * Returns: %TRUE if it was taken; %FALSE when @self is closed
 *
 * Since: 1.0
 */
gboolean
aex_call_queue_push (AexCallQueue *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_CALL_QUEUE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  return push (self, (gpointer) func, user_data, destroy, FALSE);
}

/**
 * aex_call_queue_push_async:
 * @self: a queue
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run, in coroutine form
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * The same for a function that returns what to follow: the next one begins when
 * that is done.
 *
 * Returns: %TRUE if it was taken; %FALSE when @self is closed
 *
 * Since: 1.0
 */
gboolean
aex_call_queue_push_async (AexCallQueue *self, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_CALL_QUEUE (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  return push (self, (gpointer) func, user_data, destroy, TRUE);
}

/* ---- the end */

void
aex_call_queue_end (AexCallQueue *self, AexCancelKind kind)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  gboolean listed;
  GHashTableIter iter;
  gpointer job;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_hash_table_iter_init (&iter, self->jobs);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    g_ptr_array_add (jobs, g_object_ref (job));
  g_mutex_unlock (&self->lock);
  g_mutex_lock (&self->core->family_lock);
  listed = self->core->queues != NULL && g_hash_table_lookup (self->core->queues, self) == self
           && g_hash_table_remove (self->core->queues, self);
  g_mutex_unlock (&self->core->family_lock);
  aex_pending_cancel_as (self->pending, kind, NULL);
  for (guint i = 0; i < jobs->len; i++)
    cancel_item (jobs->pdata[i]);
  if (listed)
    g_object_unref (self);
}

/**
 * aex_call_queue_close:
 * @self: a queue
 *
 * Ends @self: what waits is dropped, released on the caller and not called;
 * what runs is cancelled. Any thread, any number of times; never blocks.
 *
 * Since: 1.0
 */
void
aex_call_queue_close (AexCallQueue *self)
{
  g_return_if_fail (AEX_IS_CALL_QUEUE (self));

  if (!aex_is_forked ())
    aex_call_queue_end (self, AEX_CANCEL_EXPLICIT);
}

/**
 * aex_call_queue_get_pending: (get-property pending)
 * @self: a queue
 *
 * Gets the pending in which @self runs: cancelled when it has ended, and who
 * cancels it closes the queue.
 *
 * Returns: (transfer none): the pending
 *
 * Since: 1.0
 */
AexPending *
aex_call_queue_get_pending (AexCallQueue *self)
{
  g_return_val_if_fail (AEX_IS_CALL_QUEUE (self), NULL);

  return self->pending;
}

/**
 * aex_call_queue_ref_caller:
 * @self: a queue
 *
 * Gets the caller that runs @self.
 *
 * Returns: (transfer full): the caller
 *
 * Since: 1.0
 */
AexCaller *
aex_call_queue_ref_caller (AexCallQueue *self)
{
  g_return_val_if_fail (AEX_IS_CALL_QUEUE (self), NULL);

  return aex_caller_ref_for_core (self->core, self->core->core.name);
}

/**
 * aex_call_queue_get_key: (get-property key)
 * @self: a queue
 *
 * Gets the name of @self.
 *
 * Returns: the name, empty if it was given none
 *
 * Since: 1.0
 */
const char *
aex_call_queue_get_key (AexCallQueue *self)
{
  g_return_val_if_fail (AEX_IS_CALL_QUEUE (self), NULL);

  return self->key;
}

/**
 * aex_call_queue_get_n_items:
 * @self: a queue
 *
 * Gets how many functions are not over yet, with the one that runs.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_call_queue_get_n_items (AexCallQueue *self)
{
  guint n;

  g_return_val_if_fail (AEX_IS_CALL_QUEUE (self), 0);

  if (aex_is_forked ())
    return 0;
  g_mutex_lock (&self->lock);
  n = g_hash_table_size (self->jobs);
  g_mutex_unlock (&self->lock);
  return n;
}

/* ---- the class */

static void
aex_call_queue_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexCallQueue *self = AEX_CALL_QUEUE (object);

  if (id == PROP_PENDING)
    g_value_set_object (value, self->pending);
  else if (id == PROP_KEY)
    g_value_set_string (value, self->key);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
aex_call_queue_finalize (GObject *object)
{
  AexCallQueue *self = AEX_CALL_QUEUE (object);

  g_object_unref (self->pending);
  g_clear_pointer (&self->context, aex_context_unref);
  g_hash_table_unref (self->jobs);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->core, aex_target_unref);
  g_free (self->key);
  G_OBJECT_CLASS (aex_call_queue_parent_class)->finalize (object);
}

static void
aex_call_queue_class_init (AexCallQueueClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = aex_call_queue_get_property;
  object_class->finalize = aex_call_queue_finalize;
  /**
   * AexCallQueue:pending: (getter get_pending)
   *
   * The pending in which the queue runs.
   *
   * Since: 1.0
   */
  properties[PROP_PENDING] = g_param_spec_object ("pending", NULL, NULL, AEX_TYPE_PENDING, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * AexCallQueue:key: (getter get_key)
   *
   * Its name.
   *
   * Since: 1.0
   */
  properties[PROP_KEY] = g_param_spec_string ("key", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_call_queue_init (AexCallQueue *self)
{
  self->pending = aex_pending_new ();
  self->jobs = g_hash_table_new (NULL, NULL);
  g_mutex_init (&self->lock);
}
