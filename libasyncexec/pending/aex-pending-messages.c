/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages: what a job says while it runs, to whoever subscribed to it or to what follows it. */
#include "pending/aex-subscriber-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"

/* So many are kept until somebody subscribes. */
#define MAX_KEPT 256

/* In the extension, guarded by the pending's lock. */
struct _AexMessages {
  GPtrArray *subscribers;    /* element AexSubscriber, in the order in which they came */
  GPtrArray *heard;          /* NULL, or those of what the owner ended with */
  GQueue kept;               /* element GVariant: published before there was a subscriber */
  gboolean had_subscriber;
  guint n_lost;              /* the oldest of too many */
};

static AexMessages *
ensure_messages (AexPendingExtra *extra)
{
  if (extra->messages == NULL)
    {
      extra->messages = g_new0 (AexMessages, 1);
      extra->messages->subscribers = g_ptr_array_new_with_free_func ((GDestroyNotify) aex_subscriber_unref);
      g_queue_init (&extra->messages->kept);
    }
  return extra->messages;
}

/* Nobody else can reach owner. */
void
aex_messages_close (AexMessages *self, AexPending *owner)
{
  for (guint i = 0; i < self->subscribers->len; i++)
    if (aex_subscriber_is_of (self->subscribers->pdata[i], owner))
      aex_subscriber_close (self->subscribers->pdata[i]);
}

void
aex_messages_free (AexMessages *self, AexPending *owner)
{
  /* In a forked child the locks of subscribers may be held for ever. */
  if (aex_is_forked ())
    return;
  aex_messages_close (self, owner);
  g_ptr_array_unref (self->subscribers);
  g_clear_pointer (&self->heard, g_ptr_array_unref);
  g_queue_clear_full (&self->kept, (GDestroyNotify) g_variant_unref);
  g_free (self);
}

/* subscribers may be NULL. */
static GPtrArray *
add_all (GPtrArray *array, GPtrArray *subscribers)
{
  for (guint i = 0; subscribers != NULL && i < subscribers->len; i++)
    {
      if (array == NULL)
        array = g_ptr_array_new_with_free_func ((GDestroyNotify) aex_subscriber_unref);
      g_ptr_array_add (array, aex_subscriber_ref (subscribers->pdata[i]));
    }
  return array;
}

/* NULL: there are none. */
static GPtrArray *
dup_subscribers (AexPending *self, gboolean heard)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  GPtrArray *copy = NULL;

  if (extra == NULL)
    return NULL;
  aex_pending_lock (self);
  if (extra->messages != NULL)
    {
      copy = add_all (NULL, extra->messages->subscribers);
      if (heard)
        copy = add_all (copy, extra->messages->heard);
    }
  aex_pending_unlock (self);
  return copy;
}

static void
schedule_all (GPtrArray *subscribers)
{
  for (guint i = 0; i < subscribers->len; i++)
    aex_subscriber_schedule (subscribers->pdata[i]);
}

/* ---- publishing */

/* Room with everybody, or with nobody: then full is who has none, a reference.  The lock is held; gone has to be let go of
 * after it. */
static gboolean
reserve_all (AexMessages *self, AexSubscriber **full, GPtrArray **gone)
{
  for (guint i = 0; i < self->subscribers->len;)
    {
      AexSubscriber *subscriber = self->subscribers->pdata[i];

      switch (aex_subscriber_reserve (subscriber))
        {
        case AEX_ROOM_RESERVED:
          i++;
          break;
        case AEX_ROOM_GONE:
          if (*gone == NULL)
            *gone = g_ptr_array_new_with_free_func ((GDestroyNotify) aex_subscriber_unref);
          g_ptr_array_add (*gone, g_ptr_array_steal_index (self->subscribers, i));
          break;
        case AEX_ROOM_FULL:
        default:
          *full = aex_subscriber_ref (subscriber);
          while (i-- > 0)
            aex_subscriber_free_room (self->subscribers->pdata[i]);
          return FALSE;
        }
    }
  return TRUE;
}

/* The lock is held.  lost: what has to be let go of after it. */
static void
keep (AexMessages *self, GVariant *message, GVariant **lost)
{
  g_queue_push_tail (&self->kept, g_variant_ref (message));
  if (self->kept.length <= MAX_KEPT)
    return;
  *lost = g_queue_pop_head (&self->kept);
  self->n_lost++;
}

static gboolean
publish (AexPending *self, GVariant *message, AexSubscriber **full)
{
  g_autoptr (GPtrArray) scheduled = g_ptr_array_new_with_free_func ((GDestroyNotify) aex_subscriber_unref);
  g_autoptr (GPtrArray) gone = NULL;
  g_autoptr (GVariant) lost = NULL;
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  AexMessages *messages;
  gboolean ok;

  *full = NULL;
  aex_pending_lock (self);
  messages = ensure_messages (extra);
  ok = aex_pending_is_open (self) && reserve_all (messages, full, &gone);
  if (ok && !messages->had_subscriber)
    keep (messages, message, &lost);
  for (guint i = 0; ok && i < messages->subscribers->len; i++)
    if (aex_subscriber_push (messages->subscribers->pdata[i], message))
      g_ptr_array_add (scheduled, aex_subscriber_ref (messages->subscribers->pdata[i]));
  aex_pending_unlock (self);
  schedule_all (scheduled);
  return ok;
}

/**
 * aex_pending_publish:
 * @self: a pending
 * @message: what to say; a floating reference is taken over
 *
 * Gives a message to everybody who subscribed to @self or to a pending that
 * follows it (see [method@Pending.subscribe]). For the producer of @self. Any
 * thread; never waits.
 *
 * Messages that are published before the first subscription are kept for it:
 * the last 256, older ones are lost and counted, see
 * [method@Pending.get_n_lost_messages].
 *
 * Returns: %TRUE if everybody gets @message; %FALSE if nobody does, because a
 *   subscriber has 1024 messages to work off, or @self is done
 *
 * Since: 1.0
 */
gboolean
aex_pending_publish (AexPending *self, GVariant *message)
{
  g_autoptr (AexSubscriber) full = NULL;
  g_autoptr (GVariant) held = NULL;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (message != NULL, FALSE);

  aex_checkpoint ();
  held = g_variant_ref_sink (message);
  if (aex_is_forked ())
    return FALSE;
  return publish (self, held, &full);
}

/**
 * aex_pending_publish_wait:
 * @self: a pending
 * @message: what to say; a floating reference is taken over
 * @error: return location for an error
 *
 * Like [method@Pending.publish], but where a subscriber has too many messages
 * to work off it blocks until there is room. For jobs of a thread pool, whose
 * pool may start another thread meanwhile.
 *
 * It fails when the running job is cancelled (%G_IO_ERROR_CANCELLED) or its
 * time is over (%G_IO_ERROR_TIMED_OUT), when @self is done
 * (%AEX_ERROR_CLOSED), and with %AEX_ERROR_WOULD_DEADLOCK where the wait could
 * never end: the subscriber is called on this very thread, or on one that
 * blocks until this job is done.
 *
 * Returns: %TRUE if everybody gets @message, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_publish_wait (AexPending *self, GVariant *message, GError **error)
{
  g_autoptr (GVariant) held = NULL;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (message != NULL, FALSE);

  held = g_variant_ref_sink (message);
  if (aex_fork_check (error))
    return FALSE;
  for (;;)
    {
      g_autoptr (AexSubscriber) full = NULL;
      g_autoptr (AexPending) room = NULL;

      if (!aex_check_cancelled (error))
        return FALSE;
      if (publish (self, held, &full))
        return TRUE;
      if (full == NULL)
        {
          g_set_error_literal (error, AEX_ERROR, AEX_ERROR_CLOSED,
                               _("The pending is done: publish while its work goes on"));
          return FALSE;
        }
      room = aex_subscriber_wait_for_room (full);
      if (room != NULL && !aex_pending_wait (room, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, error))
        return FALSE;
    }
}

/* ---- subscribing */

static gboolean
is_listed (AexMessages *self, AexSubscriber *subscriber)
{
  return g_ptr_array_find (self->subscribers, subscriber, NULL);
}

/* Lists subscribers with self; what was kept goes to them.  FALSE: all were listed already. */
static gboolean
adopt (AexPending *self, GPtrArray *subscribers)
{
  g_autoptr (GPtrArray) scheduled = g_ptr_array_new_with_free_func ((GDestroyNotify) aex_subscriber_unref);
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  GQueue kept = G_QUEUE_INIT;
  AexMessages *messages;
  gboolean open, any = FALSE;

  aex_pending_lock (self);
  messages = ensure_messages (extra);
  open = aex_pending_is_open (self);
  for (guint i = 0; i < subscribers->len; i++)
    {
      AexSubscriber *subscriber = subscribers->pdata[i];
      gboolean schedule = FALSE;

      if (is_listed (messages, subscriber))
        continue;
      for (GList *l = messages->kept.head; l != NULL; l = l->next)
        schedule |= aex_subscriber_push_more (subscriber, l->data);
      g_ptr_array_add (messages->subscribers, aex_subscriber_ref (subscriber));
      messages->had_subscriber = any = TRUE;
      if (schedule)
        g_ptr_array_add (scheduled, aex_subscriber_ref (subscriber));
    }
  if (messages->had_subscriber)
    {
      kept = messages->kept;
      g_queue_init (&messages->kept);
    }
  aex_pending_unlock (self);

  schedule_all (scheduled);
  g_queue_clear_full (&kept, (GDestroyNotify) g_variant_unref);
  for (guint i = 0; !open && i < subscribers->len; i++)
    if (aex_subscriber_is_of (subscribers->pdata[i], self))
      aex_subscriber_end (subscribers->pdata[i]);
  return any;
}

/* And with what self follows, and what that follows; not twice around a ring, before that is refused. */
static void
adopt_along (AexPending *self, GPtrArray *subscribers)
{
  g_autoptr (AexPending) pending = g_object_ref (self);

  while (pending != NULL)
    {
      AexPending *next = adopt (pending, subscribers) ? aex_pending_ref_followed (pending) : NULL;

      g_object_unref (pending);
      pending = next;
    }
}

gulong
aex_pending_add_subscriber (AexPending *self, AexWaiter *closure)
{
  g_autoptr (GPtrArray) subscribers = g_ptr_array_new_with_free_func ((GDestroyNotify) aex_subscriber_unref);
  gulong id = closure->id;

  g_ptr_array_add (subscribers, aex_subscriber_new (self, closure));
  adopt_along (self, subscribers);
  return id;
}

/* What source has kept is kept by self: nobody has subscribed to it.  FALSE: somebody has. */
static gboolean
keep_for (AexPending *self, AexPending *source)
{
  AexPendingExtra *extra = atomic_load (&source->extra);
  g_autoptr (GPtrArray) kept = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  g_autoptr (GPtrArray) all_lost = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  AexMessages *messages;
  gboolean ok;

  aex_pending_lock (source);
  for (GList *l = extra != NULL && extra->messages != NULL ? extra->messages->kept.head : NULL; l != NULL; l = l->next)
    g_ptr_array_add (kept, g_variant_ref (l->data));
  aex_pending_unlock (source);
  if (kept->len == 0)
    return TRUE;

  extra = aex_pending_ensure_extra (self);
  aex_pending_lock (self);
  messages = ensure_messages (extra);
  ok = !messages->had_subscriber;
  for (guint i = 0; ok && i < kept->len; i++)
    {
      GVariant *lost = NULL;

      keep (messages, kept->pdata[i], &lost);
      if (lost != NULL)
        g_ptr_array_add (all_lost, lost);
    }
  aex_pending_unlock (self);
  return ok;
}

/* When self begins to follow source, and again when source is done, for then the path to it is lost. */
void
aex_pending_pass_messages (AexPending *self, AexPending *source)
{
  g_autoptr (GPtrArray) subscribers = NULL;

  if (G_LIKELY (!((aex_pending_load (self) | aex_pending_load (source)) & AEX_BIT_WATCHED)) || aex_is_forked ())
    return;
  if (AEX_IS_DONE (aex_pending_load (source)) && keep_for (self, source))
    return;
  subscribers = dup_subscribers (self, FALSE);
  if (subscribers != NULL)
    adopt_along (source, subscribers);
}

/**
 * aex_pending_subscribe:
 * @self: a pending
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Calls @func for every message that @self, or what it follows, publishes from
 * now on, and, if this is the first subscription, for those that were kept
 * (see [method@Pending.publish]); each once, in order.
 *
 * @func is called in dispatches of the main context that is current for this
 * thread now, inside a job of a pool in jobs of the same pool; there, before
 * the done callbacks of @self. When @self is done and everything was
 * delivered, or the subscription is taken back, @user_data is freed there.
 *
 * Returns: an identifier for [method@Pending.unsubscribe], 0 if the process is
 *   out of file descriptors or was forked
 *
 * Since: 1.0
 */
gulong
aex_pending_subscribe (AexPending *self, AexMessageFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexWaiter *closure;

  g_return_val_if_fail (AEX_IS_PENDING (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  closure = aex_waiter_new (AEX_WAITER_CALLBACK, (gpointer) func, user_data, destroy);
  if (!aex_waiter_bind (closure, NULL))
    {
      aex_waiter_release (closure);
      return 0;
    }
  return aex_pending_add_subscriber (self, closure);
}

/**
 * aex_pending_unsubscribe:
 * @self: a pending
 * @id: what [method@Pending.subscribe] returned
 *
 * Takes a subscription back, with what was not delivered yet. On the thread
 * where its function is called, it is not called any more; on another it may be
 * running just now. May be called inside that function.
 *
 * Returns: %FALSE if there is no such subscription, or it has ended
 *
 * Since: 1.0
 */
gboolean
aex_pending_unsubscribe (AexPending *self, gulong id)
{
  g_autoptr (GPtrArray) subscribers = NULL;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  if (aex_is_forked ())
    return FALSE;
  subscribers = dup_subscribers (self, FALSE);
  for (guint i = 0; subscribers != NULL && i < subscribers->len; i++)
    if (aex_subscriber_get_id (subscribers->pdata[i]) == id && aex_subscriber_is_of (subscribers->pdata[i], self))
      return aex_subscriber_close (subscribers->pdata[i]);
  return FALSE;
}

/**
 * aex_pending_get_n_lost_messages:
 * @self: a pending
 *
 * Gets how many messages were lost because they came before the first
 * subscription and were followed by too many others.
 *
 * Returns: how many
 *
 * Since: 1.0
 */
guint
aex_pending_get_n_lost_messages (AexPending *self)
{
  AexPendingExtra *extra;
  guint n = 0;

  g_return_val_if_fail (AEX_IS_PENDING (self), 0);

  extra = atomic_load (&self->extra);
  if (extra == NULL || aex_is_forked ())
    return 0;
  aex_pending_lock (self);
  if (extra->messages != NULL)
    n = extra->messages->n_lost;
  aex_pending_unlock (self);
  return n;
}

/* ---- the end */

void
aex_pending_end_messages (AexPending *self)
{
  g_autoptr (GPtrArray) subscribers = aex_is_forked () ? NULL : dup_subscribers (self, FALSE);

  for (guint i = 0; subscribers != NULL && i < subscribers->len; i++)
    if (aex_subscriber_is_of (subscribers->pdata[i], self))
      aex_subscriber_end (subscribers->pdata[i]);
}

/* self ends with source, or because of it: its done callbacks come after what was published there. */
void
aex_pending_hear (AexPending *self, AexPending *source)
{
  g_autoptr (GPtrArray) subscribers = NULL;
  AexPendingExtra *extra;
  AexMessages *messages;

  if (G_LIKELY (!(aex_pending_load (source) & AEX_BIT_WATCHED)) || aex_is_forked ())
    return;
  subscribers = dup_subscribers (source, TRUE);
  if (subscribers == NULL)
    return;
  extra = aex_pending_ensure_extra (self);
  aex_pending_lock (self);
  aex_pending_is_open (self);
  messages = ensure_messages (extra);
  messages->heard = add_all (messages->heard, subscribers);
  aex_pending_unlock (self);
}

void
aex_pending_flush_messages (AexPending *self, AexTarget *target)
{
  g_autoptr (GPtrArray) subscribers = dup_subscribers (self, TRUE);

  for (guint i = 0; subscribers != NULL && i < subscribers->len; i++)
    aex_subscriber_drain (subscribers->pdata[i], target);
}
