/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-pending-stream-private.h"

/* The pendings, each watched through a shield: that ends even when a member is abandoned, and cancels nothing by itself. */
typedef struct {
  atomic_int refs;             /* the stream's, and that of every member that is not done */
  GWeakRef stream;
  guint n;
  AexPending *shields[];
} AexCompleted;

static void
completed_unref (gpointer data)
{
  AexCompleted *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_weak_ref_clear (&self->stream);
  g_free (self);
}

static void
completed_taken (gpointer data)
{
  (void) data;
}

/* Close: the members that nobody else depends on are cancelled. */
static void
completed_stop (gpointer data)
{
  AexCompleted *self = data;
  g_autoptr (AexPendingStream) stream = aex_weak_get (&self->stream);

  for (guint i = 0; i < self->n; i++)
    {
      g_autoptr (GPtrArray) members = aex_pending_dup_sources (self->shields[i]);

      aex_pending_cancel (self->shields[i], NULL);
      for (guint k = 0; members != NULL && k < members->len; k++)
        aex_pending_cancel_as (members->pdata[k], AEX_CANCEL_IMPLIED, NULL);
    }
  if (stream != NULL)
    aex_pending_stream_producer_done (stream);
}

static void
completed_release (gpointer data)
{
  AexCompleted *self = data;

  /* Nobody watches any more: a member must not seem to be needed. */
  for (guint i = 0; i < self->n; i++)
    {
      aex_pending_cancel (self->shields[i], NULL);
      g_clear_object (&self->shields[i]);
    }
  completed_unref (self);
}

static AexTarget *
completed_get_executor (gpointer data)
{
  (void) data;
  return NULL;
}

static const AexStreamProducerOps completed_ops = {
  completed_taken, completed_stop, completed_release, completed_get_executor,
};

static void
member_done (AexLink *link, AexPending *source)
{
  AexCompleted *self = link->owner;
  g_autoptr (AexPendingStream) stream = aex_weak_get (&self->stream);
  AexStreamItem item = { .index = link->index };

  aex_link_detach (link);
  if (stream != NULL)
    {
      item.pending = g_object_ref (source);
      aex_pending_stream_add_items (stream, &item, 1);
    }
  aex_pending_settle_linked (link->derived, source);
  aex_pending_note_observed (link->derived);
}

/* A job among those that wait for it, here or further up on the stack. */
static gboolean
waits_for_itself (AexPending * const *pendings, gsize n_pendings)
{
  for (AexFrame *frame = aex_thread_get ()->frame; frame != NULL; frame = frame->previous)
    for (gsize i = 0; i < n_pendings; i++)
      if (frame->job == pendings[i])
        return TRUE;
  return FALSE;
}

/**
 * aex_pending_as_completed:
 * @pendings: (array length=n_pendings): the members
 * @n_pendings: how many
 *
 * Makes a stream of the members in the order in which they are done; each
 * [class@PendingResult] has the index and the pending. Their errors are
 * results. Closing the stream cancels the members that are not done. The job
 * that calls this must not be among them: the stream then ends with
 * %AEX_ERROR_WOULD_DEADLOCK.
 *
 * Returns: (transfer full): a stream
 *
 * Since: 1.0
 */
AexPendingStream *
aex_pending_as_completed (AexPending * const *pendings, gsize n_pendings)
{
  AexCompleted *self = g_malloc0 (sizeof (AexCompleted) + n_pendings * sizeof (AexPending *));
  AexPendingStream *stream;

  atomic_init (&self->refs, 1);
  g_weak_ref_init (&self->stream, NULL);
  self->n = (guint) n_pendings;
  stream = aex_pending_stream_new_produced (&completed_ops, self, (guint) n_pendings, FALSE, FALSE);
  g_weak_ref_set (&self->stream, stream);
  if (waits_for_itself (pendings, n_pendings))
    {
      self->n = 0;
      aex_pending_stream_fail (stream, g_error_new_literal (AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                                                            _("The running job is among the pendings: it can not wait for itself")));
      aex_pending_stream_producer_done (stream);
      return stream;
    }
  for (guint i = 0; i < n_pendings; i++)
    {
      AexSources *sources = aex_sources_new (1);
      AexLink *link;

      self->shields[i] = aex_pending_new_promise (0);
      link = aex_sources_add (sources, self->shields[i], pendings[i], member_done, 0);
      link->index = i;
      atomic_fetch_add (&self->refs, 1);
      link->owner = self;
      link->owner_unref = completed_unref;
      sources->shield = TRUE;
      aex_pending_set_sources (self->shields[i], sources);
      aex_link_attach (link, pendings[i]);
    }
  if (n_pendings == 0)
    aex_pending_stream_producer_done (stream);
  return stream;
}
