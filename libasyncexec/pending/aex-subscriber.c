/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One who gets messages: a queue of them, and a closure that is called for each at its place. */
#include "pending/aex-subscriber-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-context-private.h"

/* Who waits for room is woken after so many calls: not for every single one. */
#define CALLS_UNTIL_ROOM (AEX_MAX_UNDELIVERED / 2)

struct _AexSubscriber {
  atomic_int refs;
  gulong id;
  AexTarget *target;
  AexPending *owner;         /* that he subscribed to; only compared */
  GWeakRef pending;          /* the same */

  GMutex lock;               /* guards the rest */
  AexWaiter *closure;        /* NULL: released */
  GQueue queue;              /* element GVariant */
  guint n_reserved;          /* in the queue or about to be */
  gboolean scheduled;        /* an entry is on its way, and takes on what comes */
  gboolean closed;           /* wants no more, or his place is gone */
  gboolean ending;           /* owner is done */
  guint n_calls;             /* of his function, on a stack now */
  GSList *rooms;             /* promises of those who wait for room */
  guint n_until_room;        /* calls until these are kept */
};

AexSubscriber *
aex_subscriber_new (AexPending *owner, AexWaiter *closure)
{
  AexSubscriber *self = g_new0 (AexSubscriber, 1);

  atomic_init (&self->refs, 1);
  self->id = closure->id;
  self->target = aex_target_ref (closure->target);
  self->owner = owner;
  g_weak_ref_init (&self->pending, owner);
  g_mutex_init (&self->lock);
  self->closure = closure;
  g_queue_init (&self->queue);
  return self;
}

AexSubscriber *
aex_subscriber_ref (AexSubscriber *self)
{
  atomic_fetch_add (&self->refs, 1);
  return self;
}

void
aex_subscriber_unref (AexSubscriber *self)
{
  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_assert (self->closure == NULL && self->rooms == NULL);
  aex_target_unref (self->target);
  if (!aex_is_forked ())
    g_weak_ref_clear (&self->pending);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gulong
aex_subscriber_get_id (AexSubscriber *self)
{
  return self->id;
}

gboolean
aex_subscriber_is_of (AexSubscriber *self, AexPending *owner)
{
  return self->owner == owner;
}

/* ---- messages come in */

AexRoom
aex_subscriber_reserve (AexSubscriber *self)
{
  AexRoom room;

  g_mutex_lock (&self->lock);
  if (self->closed || self->ending)
    room = AEX_ROOM_GONE;
  else if (self->n_reserved >= AEX_MAX_UNDELIVERED)
    room = AEX_ROOM_FULL;
  else
    room = AEX_ROOM_RESERVED;
  self->n_reserved += room == AEX_ROOM_RESERVED;
  g_mutex_unlock (&self->lock);
  return room;
}

void
aex_subscriber_free_room (AexSubscriber *self)
{
  g_mutex_lock (&self->lock);
  self->n_reserved--;
  g_mutex_unlock (&self->lock);
}

/* His pending may have been cancelled since there was room: then his function, or his done callback, is gone already. */
static gboolean
push (AexSubscriber *self, GVariant *message, gboolean reserved)
{
  gboolean wanted, schedule = FALSE;

  g_mutex_lock (&self->lock);
  wanted = self->closure != NULL && !self->closed && !(reserved && self->ending);
  if (wanted)
    {
      g_queue_push_tail (&self->queue, g_variant_ref (message));
      schedule = !self->scheduled;
      self->scheduled = TRUE;
    }
  self->n_reserved += wanted - reserved;
  g_mutex_unlock (&self->lock);
  return schedule;
}

gboolean
aex_subscriber_push (AexSubscriber *self, GVariant *message)
{
  return push (self, message, TRUE);
}

gboolean
aex_subscriber_push_more (AexSubscriber *self, GVariant *message)
{
  return push (self, message, FALSE);
}

/* ---- and go out */

static void
keep_rooms (GSList *rooms)
{
  for (GSList *l = rooms; l != NULL; l = l->next)
    aex_pending_resolve (l->data, NULL);
  g_slist_free_full (rooms, g_object_unref);
}

/* The next message, NULL: none, or another thread is at it and will look again.  more: there are others. */
static GVariant *
take_message (AexSubscriber *self, gboolean scheduled, gboolean *more)
{
  GVariant *message = NULL;
  GSList *rooms = NULL;

  g_mutex_lock (&self->lock);
  /* In a pool two threads could overtake each other; in a main context it can only be a nested loop. */
  if (self->n_calls == 0 || aex_home_is_target (self->target))
    message = g_queue_pop_head (&self->queue);
  if (message != NULL)
    {
      self->n_reserved--;
      self->n_calls++;
      if (self->rooms != NULL && --self->n_until_room == 0)
        rooms = g_steal_pointer (&self->rooms);
    }
  *more = !g_queue_is_empty (&self->queue);
  if (scheduled && (message == NULL || !*more))
    self->scheduled = FALSE;
  g_mutex_unlock (&self->lock);
  keep_rooms (rooms);
  return message;
}

/* His function was called, and who else could release the closure left it to us. */
static void
call_over (AexSubscriber *self)
{
  AexWaiter *closure = NULL;

  g_mutex_lock (&self->lock);
  self->n_calls--;
  if (self->n_calls == 0 && (self->closed || (self->ending && g_queue_is_empty (&self->queue))))
    closure = g_steal_pointer (&self->closure);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&closure, aex_waiter_release);
}

static void
call (AexSubscriber *self, AexPending *pending, GVariant *message)
{
  AexThread *thread = aex_thread_get ();
  AexContext *saved = aex_context_enter (thread, self->closure->context);

  aex_checkpoint ();
  ((AexMessageFunc) self->closure->func) (pending, message, self->closure->data);
  aex_context_leave (thread, saved);
  g_variant_unref (message);
  call_over (self);
}

static void messages_run  (AexEntry *entry, AexTarget *target);
static void messages_drop (AexEntry *entry, AexTarget *target);

static const AexEntryKind messages_kind = { .run = messages_run, .drop = messages_drop };

/* One message for each entry in a main context, so that many take no more of a frame than a slice; the entry for the
 * next is posted before the call, so that a nested loop gets it. */
static void
messages_run (AexEntry *entry, AexTarget *target)
{
  AexSubscriber *self = entry->a;
  AexPending *pending = entry->b;
  AexEntry next = *entry;
  GVariant *message;
  gboolean more;

  if (!aex_home_is_target (target))
    {
      while ((message = take_message (self, TRUE, &more)) != NULL)
        call (self, pending, message);
    }
  else
    {
      message = take_message (self, TRUE, &more);
      if (more)
        {
          aex_subscriber_ref (self);
          g_object_ref (pending);
          aex_target_post_or_drop (target, AEX_LANE_DEFAULT, &next);
        }
      if (message != NULL)
        call (self, pending, message);
    }
  g_object_unref (pending);
  aex_subscriber_unref (self);
}

/* His place is gone. */
static void
messages_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_subscriber_close (entry->a);
  g_object_unref (entry->b);
  aex_subscriber_unref (entry->a);
}

void
aex_subscriber_schedule (AexSubscriber *self)
{
  AexPending *pending = aex_weak_get (&self->pending);
  AexEntry entry = { &messages_kind, self, pending, NULL };

  if (pending == NULL)
    return;
  aex_subscriber_ref (self);
  aex_target_post_or_drop (self->target, AEX_LANE_DEFAULT, &entry);
}

/* Everything that is there, now; for the target's own thread. */
void
aex_subscriber_drain (AexSubscriber *self, AexTarget *target)
{
  g_autoptr (AexPending) pending = NULL;
  GVariant *message;
  gboolean more;

  if (self->target != target)
    return;
  pending = aex_weak_get (&self->pending);
  while (pending != NULL && (message = take_message (self, FALSE, &more)) != NULL)
    call (self, pending, message);
}

/* ---- the end */

gboolean
aex_subscriber_close (AexSubscriber *self)
{
  GQueue dropped = G_QUEUE_INIT;
  AexWaiter *closure = NULL;
  GSList *rooms;
  gboolean first;

  g_mutex_lock (&self->lock);
  first = !self->closed && self->closure != NULL;
  self->closed = TRUE;
  dropped = self->queue;
  g_queue_init (&self->queue);
  rooms = g_steal_pointer (&self->rooms);
  if (self->n_calls == 0)
    closure = g_steal_pointer (&self->closure);
  g_mutex_unlock (&self->lock);
  keep_rooms (rooms);
  g_queue_clear_full (&dropped, (GDestroyNotify) g_variant_unref);
  g_clear_pointer (&closure, aex_waiter_release);
  return first;
}

void
aex_subscriber_end (AexSubscriber *self)
{
  AexWaiter *closure = NULL;
  GSList *rooms;

  g_mutex_lock (&self->lock);
  self->ending = TRUE;
  rooms = g_steal_pointer (&self->rooms);
  if (self->n_calls == 0 && g_queue_is_empty (&self->queue))
    closure = g_steal_pointer (&self->closure);
  g_mutex_unlock (&self->lock);
  keep_rooms (rooms);
  g_clear_pointer (&closure, aex_waiter_release);
}

AexPending *
aex_subscriber_wait_for_room (AexSubscriber *self)
{
  AexPending *room = aex_pending_new_report (aex_home_is_target (self->target) ? self->target : NULL);

  g_mutex_lock (&self->lock);
  if (self->closed || self->ending || self->n_reserved < AEX_MAX_UNDELIVERED)
    {
      g_mutex_unlock (&self->lock);
      g_object_unref (room);
      return NULL;
    }
  if (self->rooms == NULL)
    self->n_until_room = CALLS_UNTIL_ROOM;
  self->rooms = g_slist_prepend (self->rooms, g_object_ref (room));
  g_mutex_unlock (&self->lock);
  return room;
}
