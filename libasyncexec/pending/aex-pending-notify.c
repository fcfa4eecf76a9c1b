/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Telling who looks at a pending that it has changed: on its owner's context only, in rounds, and before done callbacks
 * there.  A pending that nobody looks at pays one look at a flag. */
#include "pending/aex-pending-private.h"

#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "pending/aex-context-private.h"

gsize aex_pending_handlers_mask;

/* GObject keeps to itself, in the padding behind its reference count, whether a handler was ever connected: to ask for it
 * costs a lock and a look-up.  Which bit it is, an object tells that gets one; where there is none, we ask. */
void
aex_pending_probe_handlers (void)
{
  GObject *object;
  const guint *flags;
  guint before, after;

  if (G_STRUCT_OFFSET (GObject, qdata) - G_STRUCT_OFFSET (GObject, ref_count) < 2 * sizeof (guint))
    return;
  object = g_object_new (G_TYPE_OBJECT, NULL);
  flags = (const guint *) (gconstpointer) &object->ref_count + 1;
  before = __atomic_load_n (flags, __ATOMIC_SEQ_CST);
  g_signal_connect (object, "notify", G_CALLBACK (g_object_get_type), NULL);
  after = __atomic_load_n (flags, __ATOMIC_SEQ_CST);
  g_object_unref (object);
  aex_pending_handlers_mask = after & ~before;
}

gboolean
aex_pending_ask_handlers (AexPending *self)
{
  return g_signal_handler_find (self, G_SIGNAL_MATCH_ID, g_signal_lookup ("notify", G_TYPE_OBJECT), 0, NULL, NULL, NULL) != 0;
}

/* Not done: whatever is noted under this lock will be told before the done callbacks, for who calls them looks for the bit
 * and takes the lock. */
gboolean
aex_pending_is_open (AexPending *self)
{
  guint state = aex_pending_load (self);

  if (!(state & AEX_BIT_WATCHED))
    state = atomic_fetch_or (&self->state, AEX_BIT_WATCHED);
  return !AEX_IS_DONE (state);
}

gboolean
aex_pending_note_change (AexPending *self, guint changes)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  guint old = extra->changed;

  if (changes == AEX_CHANGE_STATE && extra->told_phase == AEX_PHASE (aex_pending_load (self)))
    return FALSE;
  extra->changed |= changes;
  return old == 0 && changes != 0;
}

static void
change_run (AexEntry *entry, AexTarget *target)
{
  g_autoptr (AexPending) self = entry->a;

  (void) target;
  aex_pending_emit_changes (self);
}

static void
change_drop (AexEntry *entry, AexTarget *target)
{
  (void) target;
  g_object_unref (entry->a);
}

static const AexEntryKind change_kind = { .run = change_run, .drop = change_drop };

/* With no lock held. */
void
aex_pending_gather (AexPending *self)
{
  AexTarget *owner = self->environment != NULL ? self->environment->owner : NULL;
  AexEntry entry = { &change_kind, self, NULL, NULL };

  if (owner == NULL)
    return;
  g_object_ref (self);
  if (!aex_home_gather ((AexHome *) owner, &entry))
    g_object_unref (self);
}

void
aex_pending_changed (AexPending *self, guint changes)
{
  gboolean first;

  if (aex_is_forked ())
    return;
  aex_pending_ensure_extra (self);
  aex_pending_lock (self);
  aex_pending_is_open (self);
  first = aex_pending_note_change (self, changes);
  aex_pending_unlock (self);
  if (first)
    aex_pending_gather (self);
}

/* It is done: the last change does not wait for a round, for not everybody who waits does so through the owner's context. */
void
aex_pending_changed_last (AexPending *self)
{
  AexTarget *owner = self->environment != NULL ? self->environment->owner : NULL;
  AexEntry entry = { &change_kind, self, NULL, NULL };

  if (aex_is_forked () || owner == NULL)
    return;
  aex_pending_ensure_extra (self);
  aex_pending_lock (self);
  aex_pending_is_open (self);
  aex_pending_note_change (self, AEX_CHANGE_STATE);
  aex_pending_unlock (self);
  g_object_ref (self);
  aex_target_post_or_drop (owner, AEX_LANE_DEFAULT, &entry);
}

/* On the owner's context, in a dispatch. */
void
aex_pending_emit_changes (AexPending *self)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  AexThread *thread = aex_thread_get ();
  AexContext *saved;
  guint changes, phase;

  if (extra == NULL)
    return;
  aex_pending_lock (self);
  phase = AEX_PHASE (aex_pending_load (self));
  changes = extra->changed;
  extra->changed = 0;
  if (phase >= AEX_PHASE_RESOLVED && extra->told_phase != phase)
    changes |= AEX_CHANGE_STATE;
  if (changes & AEX_CHANGE_STATE)
    extra->told_phase = phase;
  aex_pending_unlock (self);
  if (changes == 0)
    return;
  saved = aex_context_enter (thread, NULL);
  aex_pending_emit_notify (self, changes);
  aex_context_leave (thread, saved);
}

void
aex_pending_flush (AexPending *self, AexTarget *target)
{
  if (aex_pending_load (self) & AEX_BIT_WATCHED)
    aex_pending_flush_messages (self, target);
  if (G_UNLIKELY (aex_pending_has_handlers (self)) && self->environment != NULL && self->environment->owner == target)
    {
      aex_pending_ensure_extra (self);
      aex_pending_emit_changes (self);
    }
}
