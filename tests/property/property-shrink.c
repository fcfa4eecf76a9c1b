/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include <string.h>

/* Makes a program that fails smaller, as long as it fails: threads go, then
 * runs of steps, each half as long as the one before, then executors; what is
 * left is made simpler.  Again from the start until nothing helps. */

typedef struct {
  PropProgram *program;
  PropFails    fails;
  gpointer     data;
  gint64       until_us;
} Shrink;

static gboolean
may_go_on (Shrink *self)
{
  return g_get_monotonic_time () < self->until_us;
}

/* TRUE: it still fails, and is the program now. */
static gboolean
attempt (Shrink            *self,
         const PropProgram *candidate)
{
  if (!may_go_on (self) || !self->fails (candidate, self->data))
    return FALSE;
  *self->program = *candidate;
  return TRUE;
}

static gboolean
drop_threads (Shrink *self)
{
  gboolean better = FALSE;

  for (guint i = 0; i < self->program->n_threads;)
    {
      PropProgram candidate = *self->program;

      candidate.n_threads--;
      for (guint j = i; j < candidate.n_threads; j++)
        candidate.threads[j] = candidate.threads[j + 1];
      if (attempt (self, &candidate))
        better = TRUE;
      else
        i++;
    }
  return better;
}

static void
remove_steps (PropThreadSpec *thread,
              guint           first,
              guint           n)
{
  memmove (&thread->steps[first], &thread->steps[first + n], (thread->n_steps - first - n) * sizeof (PropStep));
  thread->n_steps -= n;
}

static gboolean
drop_steps (Shrink *self,
            guint   thread)
{
  gboolean better = FALSE;

  for (guint length = self->program->threads[thread].n_steps; length > 0; length /= 2)
    {
      for (guint first = 0; first < self->program->threads[thread].n_steps;)
        {
          PropProgram candidate = *self->program;
          guint n = MIN (length, candidate.threads[thread].n_steps - first);

          remove_steps (&candidate.threads[thread], first, n);
          if (attempt (self, &candidate))
            better = TRUE;
          else
            first += n;
        }
    }
  return better;
}

/* A step of an executor that is not there does nothing. */
static gboolean
drop_executors (Shrink *self)
{
  gboolean better = FALSE;

  for (guint i = 0; i < PROP_N_EXECUTORS; i++)
    {
      PropProgram candidate = *self->program;

      if (candidate.executors[i].kind == PROP_EXECUTOR_NONE)
        continue;
      candidate.executors[i] = (PropExecutorSpec) { .kind = PROP_EXECUTOR_NONE };
      better |= attempt (self, &candidate);
    }
  return better;
}

/* One of the numbers that say what a step or an executor is. */
static gboolean
simplify (Shrink *self,
          gsize   offset,
          int     simple)
{
  PropProgram candidate = *self->program;
  int *number = &G_STRUCT_MEMBER (int, &candidate, offset);

  if (*number == simple)
    return FALSE;
  *number = simple;
  return attempt (self, &candidate);
}

static gboolean
simplify_step (Shrink *self,
               gsize   step)
{
  gboolean better = FALSE;

  better |= simplify (self, step + G_STRUCT_OFFSET (PropStep, job), PROP_JOB_PLAIN);
  better |= simplify (self, step + G_STRUCT_OFFSET (PropStep, prio), 0);
  better |= simplify (self, step + G_STRUCT_OFFSET (PropStep, limit), 0);
  better |= simplify (self, step + G_STRUCT_OFFSET (PropStep, n), 0);
  better |= simplify (self, step + G_STRUCT_OFFSET (PropStep, to), 0);
  return better;
}

static gboolean
simplify_all (Shrink *self)
{
  gboolean better = FALSE;

  for (guint i = 0; i < PROP_N_EXECUTORS; i++)
    {
      gsize spec = G_STRUCT_OFFSET (PropProgram, executors) + i * sizeof (PropExecutorSpec);

      if (self->program->executors[i].kind == PROP_EXECUTOR_NONE)
        continue;
      better |= simplify (self, spec + G_STRUCT_OFFSET (PropExecutorSpec, n), 1);
      better |= simplify (self, spec + G_STRUCT_OFFSET (PropExecutorSpec, end), PROP_END_STOP);
    }
  for (guint i = 0; i < self->program->n_threads; i++)
    {
      gsize thread = G_STRUCT_OFFSET (PropProgram, threads) + i * sizeof (PropThreadSpec);

      better |= simplify (self, thread + G_STRUCT_OFFSET (PropThreadSpec, loop), FALSE);
      for (guint j = 0; j < self->program->threads[i].n_steps; j++)
        better |= simplify_step (self, thread + G_STRUCT_OFFSET (PropThreadSpec, steps) + j * sizeof (PropStep));
    }
  return better;
}

/* When until_us has come the program is as small as it has got by then. */
void
prop_shrink (PropProgram *program,
             PropFails    fails,
             gpointer     data,
             gint64       until_us)
{
  Shrink self = { program, fails, data, until_us };
  gboolean better = TRUE;

  while (better && may_go_on (&self))
    {
      better = drop_threads (&self);
      for (guint i = 0; i < program->n_threads; i++)
        better |= drop_steps (&self, i);
      better |= drop_executors (&self);
      better |= simplify_all (&self);
    }
}
