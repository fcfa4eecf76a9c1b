/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-stream-model-private.h"

struct _AexStreamModel {
  atomic_int refs;       /* the stream's, and that of the entry on its way */
  AexTarget *owner;
  GListStore *list;      /* touched on the owner context only */
  GMutex lock;           /* guards the rest */
  GPtrArray *waiting;    /* not in the list yet */
  gboolean posted;
};

AexStreamModel *
aex_stream_model_new (AexTarget *owner)
{
  AexStreamModel *self = g_new0 (AexStreamModel, 1);

  atomic_init (&self->refs, 1);
  self->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  self->list = g_list_store_new (AEX_TYPE_PENDING_RESULT);
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_init (&self->lock);
  return self;
}

void
aex_stream_model_free (AexStreamModel *self)
{
  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_clear_pointer (&self->owner, aex_target_unref);
  g_object_unref (self->list);
  g_ptr_array_unref (self->waiting);
  g_mutex_clear (&self->lock);
  g_free (self);
}

GListModel *
aex_stream_model_get_list (AexStreamModel *self)
{
  return G_LIST_MODEL (self->list);
}

static void
update_run (AexEntry *entry, AexTarget *target)
{
  AexStreamModel *self = entry->a;
  g_autoptr (GPtrArray) results = NULL;

  (void) target;
  g_mutex_lock (&self->lock);
  results = self->waiting;
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  self->posted = FALSE;
  g_mutex_unlock (&self->lock);
  g_list_store_splice (self->list, g_list_model_get_n_items (G_LIST_MODEL (self->list)), 0, results->pdata, results->len);
  aex_stream_model_free (self);
}

static void
update_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  aex_stream_model_free (entry->a);
}

static const AexEntryKind update_kind = { .run = update_run, .drop = update_drop };

void
aex_stream_model_add (AexStreamModel *self, AexPendingResult *result)
{
  AexEntry entry = { &update_kind, self, NULL, NULL };
  gboolean post;

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->waiting, g_object_ref (result));
  post = !self->posted && self->owner != NULL;
  self->posted = self->posted || post;
  g_mutex_unlock (&self->lock);
  if (!post)
    return;
  atomic_fetch_add (&self->refs, 1);
  aex_target_post_or_drop (self->owner, AEX_LANE_DEFAULT, &entry);
}
