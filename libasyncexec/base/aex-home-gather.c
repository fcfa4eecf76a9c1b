/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What can wait a frame, in rounds.  The entries of a round run one by one, each behind what else the home has to do, so
 * that a round of thousands takes no more of a frame than a slice, and goes on in a nested loop. */
#include "base/aex-home-private.h"

#include "base/aex-clock-private.h"

static void round_run  (AexEntry *entry, AexTarget *target);
static void round_drop (AexEntry *entry, AexTarget *target);

static const AexEntryKind round_kind = { .run = round_run, .drop = round_drop };

/* entry->a: the round has begun. */
static void
round_run (AexEntry *entry, AexTarget *target)
{
  AexHome *self = (AexHome *) target;
  AexEntry next = { &round_kind, self, NULL, NULL };
  AexEntry first;
  gboolean found = FALSE, more;

  g_mutex_lock (&self->lock);
  if (entry->a == NULL)
    {
      self->gathering = FALSE;
      self->gathered_us = aex_clock_now ();
      self->n_due = (guint) self->gathered.length;
    }
  if (self->n_due > 0)
    {
      self->n_due--;
      found = aex_queue_pop (&self->gathered, &first);
    }
  more = self->n_due > 0;
  g_mutex_unlock (&self->lock);

  if (more)
    aex_target_post_or_drop (target, AEX_LANE_DEFAULT, &next);
  if (found)
    first.kind->run (&first, target);
}

/* The context is gone. */
static void
round_drop (AexEntry *entry, AexTarget *target)
{
  AexHome *self = (AexHome *) target;
  AexQueue all = { 0 };

  (void) entry;
  g_mutex_lock (&self->lock);
  aex_queue_splice (&all, &self->gathered);
  self->n_due = 0;
  g_mutex_unlock (&self->lock);
  aex_queue_drop_all (&all, target);
  aex_queue_clear (&all);
}

gboolean
aex_home_gather (AexHome *self, const AexEntry *entry)
{
  AexEntry round = { &round_kind, NULL, NULL, NULL };
  gint64 now = aex_clock_now ();
  gboolean arranged;
  gint64 last;

  g_mutex_lock (&self->lock);
  if (self->dead)
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  aex_queue_push (&self->gathered, entry);
  arranged = self->gathering;
  self->gathering = TRUE;
  last = self->gathered_us;
  g_mutex_unlock (&self->lock);
  if (arranged)
    return TRUE;

  /* A last round in the future was one of virtual time. */
  if (now - last >= AEX_GATHER_US || last > now)
    aex_target_post_or_drop (&self->target, AEX_LANE_DEFAULT, &round);
  else if (!aex_home_add_timer (self, last + AEX_GATHER_US, &round))
    round_drop (&round, &self->target);
  return TRUE;
}
