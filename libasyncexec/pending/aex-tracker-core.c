/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pendings that a tracker knows.  It knows them weakly, through a waiter that nobody depends on: that is called when
 * the pending is done, and only released when it is abandoned. */
#include "pending/aex-tracker-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"

AexTrackerCore *
aex_tracker_core_new (gpointer facade)
{
  static _Atomic guint64 last_id;
  AexTrackerCore *self = g_new0 (AexTrackerCore, 1);
  AexHome *home = aex_home_get_for_thread (aex_thread_get (), NULL);

  atomic_init (&self->refs, 1);
  self->id = atomic_fetch_add (&last_id, 1) + 1;
  g_weak_ref_init (&self->facade, facade);
  self->owner = home != NULL ? aex_target_ref (home) : NULL;
  g_mutex_init (&self->lock);
  aex_live_add (AEX_LIVE_TRACKER, 1);
  return self;
}

AexTrackerCore *
aex_tracker_core_ref (AexTrackerCore *self)
{
  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

void
aex_tracker_core_unref (gpointer data)
{
  AexTrackerCore *self = data;

  if (atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) != 1)
    return;
  g_clear_pointer (&self->group, aex_group_free);
  g_weak_ref_clear (&self->facade);
  g_clear_pointer (&self->owner, aex_target_unref);
  if (self->model != NULL)
    g_object_unref (self->model);
  g_mutex_clear (&self->lock);
  aex_live_add (AEX_LIVE_TRACKER, -1);
  g_free (self);
}

/* ---- members */

/* Who tells us has a reference to pending, or is dropping the last one: ours is no news for a binding.  Not needed when the
 * only one who goes through the members is at this one, on this thread. */
static void
keep_locked (AexTrackerCore *self, AexPending *pending)
{
  AexThread *thread = aex_thread_get ();

  if (self->n_collecting == 1 && thread->cancelling == pending && thread->cancelling_for == self)
    return;
  if (self->kept == NULL)
    self->kept = g_ptr_array_new_with_free_func (g_object_unref);
  g_ptr_array_add (self->kept, g_object_ref (pending));
}

gboolean
aex_member_unlist_locked (AexMember *self)
{
  AexTrackerCore *core = self->core;

  if (!self->listed)
    return FALSE;
  self->listed = FALSE;
  *(self->previous != NULL ? &self->previous->next : &core->first) = self->next;
  *(self->next != NULL ? &self->next->previous : &core->last) = self->previous;
  core->n_members--;
  if (core->n_collecting > 0)
    keep_locked (core, self->pending);
  return TRUE;
}

/* Without the lock, and with nobody to tell but the model. */
static void
member_leave (AexMember *self, AexPending *pending)
{
  AexTrackerCore *core = self->core;
  gboolean was_listed;

  if (core->group != NULL)
    {
      aex_group_member_left (self, pending);
    }
  else
    {
      g_mutex_lock (&core->lock);
      was_listed = aex_member_unlist_locked (self);
      g_mutex_unlock (&core->lock);
      if (!was_listed)
        return;
    }
  aex_tracker_core_tell_model (core);
}

/* On the completing thread. */
static void
member_done (AexPending *pending, gpointer data)
{
  AexMember *self = data;

  self->told = TRUE;
  member_leave (self, pending);
}

/* The last that is done with its waiter, which it is freed with. */
static void
member_released (gpointer data)
{
  AexMember *self = data;

  if (!self->told && !aex_is_forked ())
    member_leave (self, NULL);
  aex_tracker_core_unref (self->core);
}

static AexMember *
member_new (AexTrackerCore *core, AexPending *pending, gboolean shielded)
{
  AexMember *self = g_new0 (AexMember, 1);

  aex_waiter_init (&self->waiter, AEX_WAITER_INLINE, (gpointer) member_done, self, member_released);
  self->waiter.weak = TRUE;
  self->core = aex_tracker_core_ref (core);
  self->pending = pending;
  self->shielded = shielded;
  return self;
}

/* The lock of pending is held. */
static AexMember *
find_member_locked (AexTrackerCore *self, AexPending *pending)
{
  for (AexWaiter *waiter = pending->waiters; waiter != NULL; waiter = waiter->next)
    if (waiter->func == (gpointer) member_done && ((AexMember *) waiter)->core == self)
      return (AexMember *) waiter;
  return NULL;
}

static gboolean
list_member (AexTrackerCore *self, AexMember *member, gboolean *cancel)
{
  g_mutex_lock (&self->lock);
  member->listed = !atomic_load (&self->closed);
  if (member->listed)
    {
      member->previous = self->last;
      *(self->last != NULL ? &self->last->next : &self->first) = member;
      self->last = member;
      self->n_members++;
    }
  *cancel = member->listed && !member->shielded && self->group != NULL && aex_group_is_cancelled_locked (self->group);
  g_mutex_unlock (&self->lock);
  return member->listed;
}

/* From here on it belongs to pending.  FALSE: that has one already. */
static gboolean
attach_member (AexMember *self, AexPending *pending)
{
  gboolean first;
  guint old = 0;

  aex_pending_lock (pending);
  first = find_member_locked (self->core, pending) == NULL;
  if (first)
    {
      self->waiter.next = pending->waiters;
      pending->waiters = &self->waiter;
      old = atomic_fetch_or (&pending->state, AEX_BIT_WAIT);
    }
  aex_pending_unlock (pending);
  if (AEX_IS_DONE (old))
    aex_pending_settled (pending);
  return first;
}

/* It was found to be none. */
static void
member_undo (AexMember *self)
{
  G_GNUC_UNUSED g_autoptr (AexPending) pending = g_object_ref (self->pending);

  self->told = TRUE;
  if (self->core->group != NULL)
    {
      aex_group_member_undone (self);
      return;
    }
  g_mutex_lock (&self->core->lock);
  aex_member_unlist_locked (self);
  g_mutex_unlock (&self->core->lock);
}

/* FALSE: it is done, is a member already, or self takes no more. */
gboolean
aex_tracker_core_add (AexTrackerCore *self, AexPending *pending, gboolean shielded)
{
  AexMember *member;
  gboolean cancel;

  if (AEX_IS_DONE (aex_pending_load (pending)) || atomic_load (&self->closed) || aex_is_forked ())
    return FALSE;
  member = member_new (self, pending, shielded);
  if (!list_member (self, member, &cancel) || !attach_member (member, pending))
    {
      member_undo (member);
      aex_waiter_release (&member->waiter);
      return FALSE;
    }
  if (cancel)
    aex_pending_cancel_as (pending, AEX_CANCEL_IMPLIED, NULL);
  aex_tracker_core_tell_model (self);
  return TRUE;
}

gboolean
aex_tracker_core_remove (AexTrackerCore *self, AexPending *pending)
{
  AexMember *member;

  if (aex_is_forked ())
    return FALSE;
  aex_pending_lock (pending);
  member = find_member_locked (self, pending);
  for (AexWaiter **link = &pending->waiters; member != NULL; link = &(*link)->next)
    if (*link == &member->waiter)
      {
        *link = member->waiter.next;
        break;
      }
  aex_pending_unlock (pending);
  /* Not there any more: it is just being told that the pending is done. */
  if (member == NULL)
    return FALSE;
  member_undo (member);
  aex_waiter_release (&member->waiter);
  aex_tracker_core_tell_model (self);
  return TRUE;
}

gboolean
aex_tracker_core_knows (AexTrackerCore *self, AexPending *pending)
{
  gboolean known;

  aex_pending_lock (pending);
  known = find_member_locked (self, pending) != NULL;
  aex_pending_unlock (pending);
  return known;
}

GPtrArray *
aex_tracker_core_collect_locked (AexTrackerCore *self, gboolean shielded)
{
  GPtrArray *pendings = g_ptr_array_sized_new (self->n_members);

  for (AexMember *member = self->first; member != NULL; member = member->next)
    if (shielded || !member->shielded)
      pendings->pdata[pendings->len++] = member->pending;
  self->n_collecting++;
  return pendings;
}

void
aex_tracker_core_collected (AexTrackerCore *self, GPtrArray *pendings, GPtrArray *dropped)
{
  g_autoptr (GPtrArray) kept = NULL;

  g_mutex_lock (&self->lock);
  if (--self->n_collecting == 0)
    kept = g_steal_pointer (&self->kept);
  g_mutex_unlock (&self->lock);
  g_ptr_array_unref (pendings);
  if (dropped != NULL && kept != NULL)
    g_ptr_array_extend_and_steal (dropped, g_steal_pointer (&kept));
}

/* Who waits may know that one is done before we are told.  And one may be going, which says so before it looks whether
 * somebody refers to it. */
GPtrArray *
aex_pendings_ref_alive (GPtrArray *pendings, GPtrArray *dropped)
{
  GPtrArray *alive = g_ptr_array_new_full (pendings->len, g_object_unref);

  for (guint i = 0; i < pendings->len; i++)
    {
      AexPending *pending = g_object_ref (pendings->pdata[i]);
      guint state = aex_pending_load (pending);

      if (!AEX_IS_DONE (state) && !(state & AEX_BIT_GOING))
        g_ptr_array_add (alive, pending);
      else if (dropped != NULL)
        g_ptr_array_add (dropped, pending);
      else
        g_object_unref (pending);
    }
  return alive;
}

GPtrArray *
aex_tracker_core_dup (AexTrackerCore *self, GPtrArray *dropped)
{
  GPtrArray *members, *alive;

  if (aex_is_forked ())
    return g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_lock (&self->lock);
  members = aex_tracker_core_collect_locked (self, TRUE);
  g_mutex_unlock (&self->lock);
  alive = aex_pendings_ref_alive (members, dropped);
  aex_tracker_core_collected (self, members, dropped);
  return alive;
}

/* ---- the list that is shown */

static void
model_run (AexEntry *entry, AexTarget *target)
{
  AexTrackerCore *self = entry->a;
  GListStore *model = atomic_load (&self->model);
  g_autoptr (GPtrArray) pendings = NULL;
  guint n_old, n_same = 0;

  (void) target;
  g_mutex_lock (&self->lock);
  self->model_told = FALSE;
  g_mutex_unlock (&self->lock);
  pendings = aex_tracker_core_dup (self, NULL);
  n_old = g_list_model_get_n_items (G_LIST_MODEL (model));
  while (n_same < n_old && n_same < pendings->len)
    {
      g_autoptr (AexPending) old = g_list_model_get_item (G_LIST_MODEL (model), n_same);

      if (old != pendings->pdata[n_same])
        break;
      n_same++;
    }
  aex_thread_guard (aex_thread_get ());
  if (n_old > n_same || pendings->len > n_same)
    g_list_store_splice (model, n_same, n_old - n_same, pendings->pdata + n_same, pendings->len - n_same);
  aex_tracker_core_unref (self);
}

static void
model_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_tracker_core_unref (entry->a);
}

static const AexEntryKind model_kind = { .run = model_run, .drop = model_drop };

void
aex_tracker_core_tell_model (AexTrackerCore *self)
{
  AexEntry entry = { &model_kind, self, NULL, NULL };
  gboolean tell;

  /* Who asks for it lists all that are there by then. */
  if (G_LIKELY (atomic_load_explicit (&self->model, memory_order_relaxed) == NULL) || aex_is_forked ())
    return;
  g_mutex_lock (&self->lock);
  tell = !self->model_told && self->owner != NULL;
  self->model_told = self->model_told || tell;
  g_mutex_unlock (&self->lock);
  if (!tell)
    return;
  aex_tracker_core_ref (self);
  aex_target_post_or_drop (self->owner, AEX_LANE_DEFAULT, &entry);
}
