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
  g_queue_init (&self->members);
  self->by_pending = g_hash_table_new (NULL, NULL);
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
  g_hash_table_unref (self->by_pending);
  g_clear_object (&self->model);
  g_mutex_clear (&self->lock);
  aex_live_add (AEX_LIVE_TRACKER, -1);
  g_free (self);
}

/* ---- members */

static void
member_unref (gpointer data)
{
  AexMember *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_weak_ref_clear (&self->pending);
  aex_tracker_core_unref (self->core);
  g_free (self);
}

gboolean
aex_member_unlist_locked (AexMember *self)
{
  if (!self->listed)
    return FALSE;
  self->listed = FALSE;
  g_queue_unlink (&self->core->members, &self->link);
  g_hash_table_remove (self->core->by_pending, self->address);
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

static void
member_released (gpointer data)
{
  AexMember *self = data;

  if (!self->told && !aex_is_forked ())
    member_leave (self, NULL);
  member_unref (self);
}

static AexMember *
member_new (AexTrackerCore *core, AexPending *pending)
{
  AexMember *self = g_new0 (AexMember, 1);

  atomic_init (&self->refs, 1);
  self->core = aex_tracker_core_ref (core);
  g_weak_ref_init (&self->pending, pending);
  self->address = pending;
  self->link.data = self;
  return self;
}

static gboolean
list_member (AexTrackerCore *self, AexMember *member, gboolean *cancel)
{
  gboolean listed;

  g_mutex_lock (&self->lock);
  listed = !atomic_load (&self->closed) && !g_hash_table_contains (self->by_pending, member->address);
  if (listed)
    {
      member->listed = TRUE;
      g_queue_push_tail_link (&self->members, &member->link);
      g_hash_table_insert (self->by_pending, (gpointer) member->address, member);
    }
  *cancel = listed && !member->shielded && self->group != NULL && aex_group_is_cancelled_locked (self->group);
  g_mutex_unlock (&self->lock);
  return listed;
}

/* FALSE: it is done, is a member already, or self takes no more. */
gboolean
aex_tracker_core_add (AexTrackerCore *self, AexPending *pending, gboolean shielded)
{
  AexMember *member;
  AexWaiter *waiter;
  gboolean cancel;

  if (AEX_IS_DONE (aex_pending_load (pending)) || atomic_load (&self->closed) || aex_is_forked ())
    return FALSE;
  member = member_new (self, pending);
  waiter = aex_waiter_new (AEX_WAITER_INLINE, (gpointer) member_done, member, member_released);
  waiter->weak = TRUE;
  member->waiter_id = waiter->id;
  member->shielded = shielded;
  if (!list_member (self, member, &cancel))
    {
      member->told = TRUE;
      aex_waiter_release (waiter);
      return FALSE;
    }
  aex_pending_attach (pending, waiter);
  if (cancel)
    aex_pending_cancel_as (pending, AEX_CANCEL_IMPLIED, NULL);
  aex_tracker_core_tell_model (self);
  return TRUE;
}

gboolean
aex_tracker_core_remove (AexTrackerCore *self, AexPending *pending)
{
  AexWaiter *waiter = NULL;
  AexMember *member;
  gulong id = 0;

  if (aex_is_forked ())
    return FALSE;
  g_mutex_lock (&self->lock);
  member = g_hash_table_lookup (self->by_pending, pending);
  if (member != NULL)
    {
      id = member->waiter_id;
      aex_member_unlist_locked (member);
    }
  g_mutex_unlock (&self->lock);
  if (id == 0)
    return FALSE;
  /* Gone already: it is just being told that the pending is done. */
  waiter = aex_pending_detach_id (pending, id);
  g_clear_pointer (&waiter, aex_waiter_release);
  aex_tracker_core_tell_model (self);
  return TRUE;
}

gboolean
aex_tracker_core_knows (AexTrackerCore *self, AexPending *pending)
{
  gboolean known;

  g_mutex_lock (&self->lock);
  known = g_hash_table_contains (self->by_pending, pending);
  g_mutex_unlock (&self->lock);
  return known;
}

GPtrArray *
aex_tracker_core_collect_locked (AexTrackerCore *self)
{
  GPtrArray *members = g_ptr_array_new_full (self->members.length, member_unref);

  for (GList *link = self->members.head; link != NULL; link = link->next)
    {
      atomic_fetch_add (&((AexMember *) link->data)->refs, 1);
      g_ptr_array_add (members, link->data);
    }
  return members;
}

GPtrArray *
aex_members_to_pendings (GPtrArray *members)
{
  GPtrArray *pendings = g_ptr_array_new_full (members->len, g_object_unref);

  for (guint i = 0; i < members->len; i++)
    {
      AexPending *pending = g_weak_ref_get (&((AexMember *) members->pdata[i])->pending);

      /* Who waits may know that it is done before we are told. */
      if (pending != NULL && AEX_IS_DONE (aex_pending_load (pending)))
        g_clear_object (&pending);
      if (pending != NULL)
        g_ptr_array_add (pendings, pending);
    }
  g_ptr_array_unref (members);
  return pendings;
}

GPtrArray *
aex_tracker_core_dup (AexTrackerCore *self)
{
  GPtrArray *members;

  if (aex_is_forked ())
    return g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_lock (&self->lock);
  members = aex_tracker_core_collect_locked (self);
  g_mutex_unlock (&self->lock);
  return aex_members_to_pendings (members);
}

/* ---- the list that is shown */

static void
model_run (AexEntry *entry, AexTarget *target)
{
  AexTrackerCore *self = entry->a;
  g_autoptr (GPtrArray) pendings = NULL;
  guint n_old, n_same = 0;

  (void) target;
  g_mutex_lock (&self->lock);
  self->model_told = FALSE;
  g_mutex_unlock (&self->lock);
  pendings = aex_tracker_core_dup (self);
  n_old = g_list_model_get_n_items (G_LIST_MODEL (self->model));
  while (n_same < n_old && n_same < pendings->len)
    {
      g_autoptr (AexPending) old = g_list_model_get_item (G_LIST_MODEL (self->model), n_same);

      if (old != pendings->pdata[n_same])
        break;
      n_same++;
    }
  aex_thread_guard (aex_thread_get ());
  if (n_old > n_same || pendings->len > n_same)
    g_list_store_splice (self->model, n_same, n_old - n_same, pendings->pdata + n_same, pendings->len - n_same);
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

  if (aex_is_forked ())
    return;
  g_mutex_lock (&self->lock);
  tell = self->model != NULL && !self->model_told && self->owner != NULL;
  self->model_told = self->model_told || tell;
  g_mutex_unlock (&self->lock);
  if (!tell)
    return;
  aex_tracker_core_ref (self);
  aex_target_post_or_drop (self->owner, AEX_LANE_DEFAULT, &entry);
}
