/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include <stdlib.h>
#include <string.h>

/* Planted failures, in what was written down and not in the library: each checker
 * has to see its own, and no other does.  "cancel" is one that a program must have
 * two steps for, in this order: it is there to be shrunk. */

static PropItem *
find_item (PropRun     *self,
           PropItemKind kind,
           guint        nth)
{
  for (int i = 0; i < self->n_items; i++)
    {
      PropItem *item = &self->items[i];

      if (item->kind == kind && item->n_runs > 0 && nth-- == 0)
        return item;
    }
  return NULL;
}

/* A step that submits a job which fails, and behind it one of the same thread that cancels the same slot. */
static gboolean
is_cancelled_failure (const PropThreadSpec *thread)
{
  for (guint i = 0; i < thread->n_steps; i++)
    {
      const PropStep *submit = &thread->steps[i];

      if (submit->op != PROP_STEP_SUBMIT || submit->job != PROP_JOB_FAIL)
        continue;
      for (guint j = i + 1; j < thread->n_steps; j++)
        {
          if (thread->steps[j].op == PROP_STEP_CANCEL && thread->steps[j].q == submit->p)
            return TRUE;
        }
    }
  return FALSE;
}

static void
plant_cancel (PropRun *self)
{
  for (guint i = 0; i < self->program->n_threads; i++)
    {
      if (is_cancelled_failure (&self->program->threads[i]))
        prop_violate (self, 7, "planted");
    }
}

/* Items of two jobs of the same thread and the same executor. */
static void
plant_disorder (PropRun *self)
{
  PropItem *one = find_item (self, PROP_ITEM_JOB, 0), *other = find_item (self, PROP_ITEM_JOB, 1);

  if (one == NULL || other == NULL)
    return;
  one->started ^= other->started;
  other->started ^= one->started;
  one->started ^= other->started;
}

gboolean
prop_is_planted (PropRun    *self,
                 const char *plant)
{
  return self->plant != NULL && strcmp (self->plant, plant) == 0;
}

/* Before anything is judged. */
void
prop_plant (PropRun *self)
{
  PropItem *item = find_item (self, PROP_ITEM_JOB, 0);

  if (prop_is_planted (self, "cancel"))
    plant_cancel (self);
  if (item == NULL)
    return;
  if (prop_is_planted (self, "I1"))
    item->n_done++;
  else if (prop_is_planted (self, "I2"))
    plant_disorder (self);
  else if (prop_is_planted (self, "I3"))
    item->n_runs++;
  else if (prop_is_planted (self, "I8"))
    item->n_reports++;
  else if (prop_is_planted (self, "hang"))
    aex_gate_wait (&(AexGate) { 0 });
  else if (prop_is_planted (self, "crash"))
    abort ();
}

/* Where a function runs: what it finds there. */
void
prop_plant_call (PropItem  *item,
                 PropPlace *place,
                 int       *seen)
{
  if (prop_is_planted (item->run, "I4"))
    *place = (PropPlace) { .pool = item };
  if (prop_is_planted (item->run, "I10"))
    ++*seen;
}
