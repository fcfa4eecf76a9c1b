/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who waits for a pending, and how he is told. */
#include "pending/aex-pending-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-value-private.h"

/* ---- the waiter itself */

gulong
aex_waiter_next_id (void)
{
  static _Atomic gulong last_id;

  return atomic_fetch_add_explicit (&last_id, 1, memory_order_relaxed) + 1;
}

/* What is zero, and may be the head of something larger that goes with it. */
void
aex_waiter_init (AexWaiter *self, AexWaiterKind kind, gpointer func, gpointer data, GDestroyNotify destroy)
{
  self->kind = kind;
  self->func = func;
  self->data = data;
  self->destroy = destroy;
  aex_live_add (AEX_LIVE_WAITER, 1);
}

AexWaiter *
aex_waiter_new (AexWaiterKind kind, gpointer func, gpointer data, GDestroyNotify destroy)
{
  AexWaiter *self = g_new0 (AexWaiter, 1);

  aex_waiter_init (self, kind, func, data, destroy);
  self->id = aex_waiter_next_id ();
  return self;
}

/* Where the calling thread gets its callbacks, and what it sees. */
gboolean
aex_waiter_bind (AexWaiter *self, GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexTarget *target;

  if (aex_fork_check (error))
    return FALSE;
  target = aex_delivery_target (thread, error);
  if (target == NULL)
    return FALSE;
  self->target = aex_target_ref (target);
  self->context = aex_context_capture (thread);
  return TRUE;
}

/* The same, for something that comes once and soon. */
gboolean
aex_waiter_set_target (AexWaiter *self, GError **error)
{
  AexThread *thread = aex_thread_get ();

  if (!aex_waiter_bind (self, error))
    return FALSE;
  if ((AexTarget *) thread->dispatching == self->target)
    {
      self->expected = TRUE;
      thread->dispatching->n_expected++;
    }
  return TRUE;
}

static void
waiter_met (AexWaiter *self)
{
  if (self->expected && (AexTarget *) aex_thread_get ()->dispatching == self->target)
    ((AexHome *) self->target)->n_expected--;   /* NOLINT(clang-analyzer-core.NullDereference): a home expects it */
  self->expected = FALSE;
}

/* The closure is gone or not his. */
void
aex_waiter_free (AexWaiter *self)
{
  g_clear_pointer (&self->context, aex_context_unref);
  g_clear_pointer (&self->target, aex_target_unref);
  g_clear_pointer (&self->drop, aex_drop_free);
  aex_live_add (AEX_LIVE_WAITER, -1);
  g_free (self);
}

static void
waiter_destroy (gpointer data)
{
  AexWaiter *self = data;

  waiter_met (self);
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_clear_object (&self->pending);
  aex_waiter_free (self);
}

/* Uncalled: the closure still goes in a dispatch of its target. */
void
aex_waiter_release (AexWaiter *self)
{
  AexTarget *target = self->target;

  if (target != NULL && !aex_is_forked ())
    aex_destroy_at (target, waiter_destroy, self);
  else
    waiter_destroy (self);
}

/* ---- a callback runs at its target */

static void
callback_run (AexEntry *entry, AexTarget *target)
{
  AexWaiter *waiter = entry->a;
  AexThread *thread = aex_thread_get ();
  AexContext *saved;
  gboolean disposed = FALSE;
  GObject *object = NULL;

  waiter_met (waiter);
  aex_pending_flush (waiter->pending, target);
  if (waiter->drop != NULL)
    {
      object = aex_drop_ref_object (waiter->drop);
      disposed = object == NULL;
    }
  saved = aex_context_enter (thread, waiter->context);
  if (!disposed)
    {
      aex_checkpoint ();
      ((AexPendingFunc) waiter->func) (waiter->pending, waiter->data);
    }
  if (waiter->destroy != NULL)
    waiter->destroy (waiter->data);
  aex_context_leave (thread, saved);
  g_clear_object (&object);
  g_clear_pointer (&waiter->pending, aex_pending_unref);
  aex_waiter_free (waiter);
}

static void
callback_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  waiter_destroy (entry->a);
}

static const AexEntryKind callback_kind = { .run = callback_run, .drop = callback_drop };

void
aex_waiter_deliver (AexWaiter *self, AexPending *pending)
{
  AexEntry entry = { &callback_kind, self, NULL, NULL };

  self->pending = g_object_ref (pending);
  aex_target_post_or_drop (self->target, AEX_LANE_DEFAULT, &entry);
}

/* ---- the list */

static AexWaiter *
reversed (AexWaiter *list)
{
  AexWaiter *first = NULL;

  while (list != NULL)
    {
      AexWaiter *next = list->next;

      list->next = first;
      first = list;
      list = next;
    }
  return first;
}

static void
waiter_tell (AexWaiter *waiter, AexPending *pending)
{
  switch (waiter->kind)
    {
    case AEX_WAITER_CALLBACK:
      aex_waiter_deliver (waiter, pending);
      break;
    case AEX_WAITER_INLINE:
      ((AexPendingFunc) waiter->func) (pending, waiter->data);
      waiter_destroy (waiter);
      break;
    case AEX_WAITER_LINK:
      ((AexLink *) waiter)->done ((AexLink *) waiter, pending);
      aex_link_unref ((AexLink *) waiter);
      break;
    case AEX_WAITER_BLOCK:
    default:
      g_assert_not_reached ();
    }
}

/* Takes the list; the lock is held.  Sleeping threads are woken here, for their waiter is gone as soon as they are free. */
static AexWaiter *
take_waiters (AexPending *self)
{
  AexWaiter *list = g_steal_pointer (&self->waiters);
  AexWaiter **link = &list;

  while (*link != NULL)
    {
      if ((*link)->kind == AEX_WAITER_BLOCK)
        {
          AexWaiter *waiter = *link;

          *link = waiter->next;
          waiter->next = NULL;
          aex_parker_unpark (waiter->parker);
        }
      else
        {
          link = &(*link)->next;
        }
    }
  return reversed (list);
}

/* One thread at a time tells the waiters of a pending, so that a late callback does not overtake an earlier one. */
static void
tell_waiters (AexPending *self)
{
  AexWaiter *list;

  aex_pending_lock (self);
  list = self->waiters;
  if (aex_pending_load (self) & AEX_BIT_DELIVER)
    {
      aex_pending_unlock (self);
      return;
    }
  /* One tracker, as most have: no callback can overtake what is none. */
  if (list != NULL && list->next == NULL && list->kind == AEX_WAITER_INLINE && list->weak)
    {
      self->waiters = NULL;
      aex_pending_unlock (self);
      waiter_tell (list, self);
      return;
    }
  atomic_fetch_or (&self->state, AEX_BIT_DELIVER);
  while ((list = take_waiters (self)) != NULL)
    {
      aex_pending_unlock (self);
      while (list != NULL)
        {
          AexWaiter *waiter = list;

          list = waiter->next;
          waiter->next = NULL;
          waiter_tell (waiter, self);
        }
      aex_pending_lock (self);
    }
  atomic_fetch_and (&self->state, ~(guint) AEX_BIT_DELIVER);
  aex_pending_unlock (self);
}

/* ---- the work list: completion and cancellation go down and up chains of any length without recursion */

#define CANCEL_MARK 1

static void
work_on (gpointer item)
{
  gsize bits = GPOINTER_TO_SIZE (item);
  AexPending *pending = GSIZE_TO_POINTER (bits & ~(gsize) CANCEL_MARK);

  if (bits & CANCEL_MARK)
    aex_pending_cancel_as (pending, AEX_CANCEL_IMPLIED, NULL);
  else
    tell_waiters (pending);
  aex_pending_unref (pending);
}

static void
work_add (AexPending *pending, gsize mark)
{
  AexThread *thread = aex_thread_get ();
  GQueue queue = G_QUEUE_INIT;

  g_object_ref (pending);
  if (thread->settling != NULL)
    {
      g_queue_push_tail (thread->settling, GSIZE_TO_POINTER (GPOINTER_TO_SIZE (pending) | mark));
      return;
    }
  thread->settling = &queue;
  work_on (GSIZE_TO_POINTER (GPOINTER_TO_SIZE (pending) | mark));
  while (queue.length > 0)
    work_on (g_queue_pop_head (&queue));
  thread->settling = NULL;
}

void
aex_pending_settled (AexPending *self)
{
  work_add (self, 0);
}

void
aex_pending_defer_cancel (AexPending *self)
{
  work_add (self, CANCEL_MARK);
}

void
aex_pending_attach (AexPending *self, AexWaiter *waiter)
{
  guint old;

  aex_pending_lock (self);
  waiter->next = self->waiters;
  self->waiters = waiter;
  old = atomic_fetch_or (&self->state, AEX_BIT_WAIT);
  aex_pending_unlock (self);
  if (AEX_IS_DONE (old))
    aex_pending_settled (self);
}

/* FALSE: somebody has taken it already.  n_left: how many still depend on self. */
gboolean
aex_pending_detach (AexPending *self, AexWaiter *waiter, guint *n_left)
{
  gboolean found = FALSE;
  guint n = 0;

  aex_pending_lock (self);
  for (AexWaiter **link = &self->waiters; *link != NULL;)
    {
      if (*link == waiter)
        {
          *link = waiter->next;
          waiter->next = NULL;
          found = TRUE;
          continue;
        }
      n += !(*link)->weak;
      link = &(*link)->next;
    }
  aex_pending_unlock (self);
  if (n_left != NULL)
    *n_left = n;
  return found;
}

AexWaiter *
aex_pending_detach_id (AexPending *self, gulong id)
{
  AexWaiter *found = NULL;

  aex_pending_lock (self);
  for (AexWaiter **link = &self->waiters; *link != NULL; link = &(*link)->next)
    if ((*link)->id == id)
      {
        found = *link;
        *link = found->next;
        found->next = NULL;
        break;
      }
  aex_pending_unlock (self);
  return found;
}

/* ---- abandoned */

/* From dispose: nobody will ever complete self.  What was derived from it ends with the error, callbacks are released. */
void
aex_pending_abandon (AexPending *self)
{
  AexWaiter *list, *links = NULL;
  AexPending *ghost;

  aex_pending_lock (self);
  list = take_waiters (self);
  aex_pending_unlock (self);

  while (list != NULL)
    {
      AexWaiter *waiter = list;

      list = waiter->next;
      waiter->next = NULL;
      if (waiter->kind == AEX_WAITER_LINK)
        {
          waiter->next = links;
          links = waiter;
        }
      else
        {
          aex_waiter_release (waiter);
        }
    }
  aex_pending_drop_queued (self);
  if (links == NULL)
    return;

  /* They are told in the name of another pending: self must not be referenced from here, for GObject still touches it
   * after dispose, when somebody else may have dropped that reference and freed it. */
  ghost = aex_pending_new_promise (0);
  aex_pending_note_observed (ghost);
  ghost->waiters = links;    /* newest first again */
  atomic_fetch_or (&ghost->state, AEX_BIT_WAIT);
  aex_pending_reject (ghost, g_error_new_literal (AEX_ERROR, AEX_ERROR_ABANDONED,
                                                  _("The pending was dropped before anybody completed it")));
  g_object_unref (ghost);
}
