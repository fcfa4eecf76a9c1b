/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callbacks and pendings that end with an object.  One weak notify per object, installed once and never removed, so that
 * no removal can race with a dispose in another thread; it knows everything that ends with the object. */
#include "pending/aex-pending-private.h"

#include "base/aex-fork-private.h"
#include "base/aex-weak-private.h"

typedef struct {
  atomic_int refs;
  GMutex lock;           /* guards the rest */
  gboolean disposed;
  GPtrArray *drops;      /* element AexDrop, not owned */
} AexDropList;

struct _AexDrop {
  AexDropList *list;
  GWeakRef object;
  GWeakRef pending;
  gulong waiter_id;      /* 0: the pending itself is cancelled */
};

static GMutex lists_lock;   /* guards the making of lists */

static GQuark drop_list_quark (void);

G_DEFINE_QUARK (aex-drop-list, drop_list)

static void
drop_list_unref (gpointer data)
{
  AexDropList *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_ptr_array_unref (self->drops);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* What ends with the object, in the thread that disposes of it.  Closures are only posted from here. */
static void
end_with_object (AexPending *pending, gulong waiter_id)
{
  AexWaiter *waiter;

  if (waiter_id == 0)
    {
      aex_pending_cancel (pending, NULL);
      return;
    }
  waiter = aex_pending_detach_id (pending, waiter_id);
  if (waiter == NULL)
    return;
  if (waiter->kind == AEX_WAITER_LINK)
    {
      AexLink *link = (AexLink *) waiter;

      aex_link_release_closure (link);
      aex_link_detach (link);
      aex_pending_cancel_as (link->derived, AEX_CANCEL_IMPLIED, NULL);
      aex_link_unref (link);
    }
  else
    {
      aex_waiter_release (waiter);
    }
}

static void
object_disposed (gpointer data, GObject *where_the_object_was)
{
  AexDropList *self = data;
  g_autoptr (GPtrArray) pendings = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gulong));
  int entered;

  (void) where_the_object_was;
  if (aex_is_forked ())
    return;
  entered = aex_interpreter_enter ();
  g_mutex_lock (&self->lock);
  self->disposed = TRUE;
  for (guint i = 0; i < self->drops->len; i++)
    {
      AexDrop *drop = self->drops->pdata[i];
      AexPending *pending = g_weak_ref_get (&drop->pending);

      if (pending == NULL)
        continue;
      g_ptr_array_add (pendings, pending);
      g_array_append_val (ids, drop->waiter_id);
    }
  g_mutex_unlock (&self->lock);
  aex_interpreter_leave (entered);

  for (guint i = 0; i < pendings->len; i++)
    end_with_object (pendings->pdata[i], g_array_index (ids, gulong, i));
  drop_list_unref (self);
}

static AexDropList *
ref_list (GObject *object)
{
  AexDropList *self;

  g_mutex_lock (&lists_lock);
  self = g_object_get_qdata (object, drop_list_quark ());
  if (self == NULL)
    {
      self = g_new0 (AexDropList, 1);
      atomic_init (&self->refs, 3);    /* the object's data, its weak notify, the caller */
      g_mutex_init (&self->lock);
      self->drops = g_ptr_array_new ();
      g_object_set_qdata_full (object, drop_list_quark (), self, drop_list_unref);
      g_object_weak_ref (object, object_disposed, self);
    }
  else
    {
      atomic_fetch_add (&self->refs, 1);
    }
  g_mutex_unlock (&lists_lock);
  return self;
}

AexDrop *
aex_drop_new (GObject *object, AexPending *pending, gulong waiter_id)
{
  AexDropList *list = ref_list (object);
  AexDrop *self = g_new0 (AexDrop, 1);
  gboolean disposed;

  g_weak_ref_init (&self->object, object);
  g_weak_ref_init (&self->pending, pending);
  self->waiter_id = waiter_id;
  self->list = list;
  g_mutex_lock (&list->lock);
  disposed = list->disposed;
  if (!disposed)
    g_ptr_array_add (list->drops, self);
  g_mutex_unlock (&list->lock);
  if (disposed)
    g_clear_pointer (&self, aex_drop_free);
  return self;
}

GObject *
aex_drop_ref_object (AexDrop *self)
{
  gboolean disposed;

  g_mutex_lock (&self->list->lock);
  disposed = self->list->disposed;
  g_mutex_unlock (&self->list->lock);
  return disposed ? NULL : aex_weak_get (&self->object);
}

void
aex_drop_free (AexDrop *self)
{
  if (!aex_is_forked ())
    {
      g_mutex_lock (&self->list->lock);
      g_ptr_array_remove_fast (self->list->drops, self);
      g_mutex_unlock (&self->list->lock);
    }
  drop_list_unref (self->list);
  g_weak_ref_clear (&self->object);
  g_weak_ref_clear (&self->pending);
  g_free (self);
}
