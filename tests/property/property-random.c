/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include <string.h>

/* A program from a seed.  A flavour, the number of an invariant, makes what could
 * violate that one more frequent; everything else still happens. */

typedef struct {
  PropProgram *program;
  GRand       *rand;
  guint        flavour;
} Maker;

static int
pick (Maker *self,
      int    n)
{
  return g_rand_int_range (self->rand, 0, n);
}

static gboolean
chance (Maker *self,
        int    percent)
{
  return pick (self, 100) < percent;
}

/* --- executors */

static int
pick_executor (Maker *self)
{
  int executor;

  do
    executor = pick (self, PROP_N_EXECUTORS);
  while (self->program->executors[executor].kind == PROP_EXECUTOR_NONE);
  return executor;
}

static int
pick_caller (Maker *self)
{
  for (int i = 0; i < 20; i++)
    {
      int executor = pick_executor (self);

      if (prop_kind_is_caller (self->program->executors[executor].kind))
        return executor;
    }
  return 1;
}

static void
make_executors (Maker *self)
{
  PropExecutorSpec *specs = self->program->executors;
  static const PropExecutorKind others[] = {
    PROP_EXECUTOR_POOL, PROP_EXECUTOR_CALLER, PROP_EXECUTOR_HOSTED, PROP_EXECUTOR_ADOPTED,
    PROP_EXECUTOR_CALLERS, PROP_EXECUTOR_LIMITER, PROP_EXECUTOR_LIMITER, PROP_EXECUTOR_CHILD,
  };
  guint n = 2 + (guint) pick (self, PROP_N_EXECUTORS - 2);

  specs[0] = (PropExecutorSpec) { PROP_EXECUTOR_POOL, 1 + pick (self, 3), 0, PROP_END_STOP };
  specs[1] = (PropExecutorSpec) { PROP_EXECUTOR_CALLER, 1, 0, PROP_END_STOP };
  for (guint i = 2; i < n; i++)
    {
      specs[i].kind = others[pick (self, G_N_ELEMENTS (others))];
      specs[i].n = 1 + pick (self, 2);
      if (specs[i].kind == PROP_EXECUTOR_LIMITER)
        specs[i].on = pick (self, (int) i);
      if (specs[i].kind == PROP_EXECUTOR_CHILD)
        specs[i].on = specs[i - 1].kind == PROP_EXECUTOR_CHILD ? (int) i - 1 : 1;
    }
  for (guint i = 0; i < n; i++)
    specs[i].end = (PropEnd) pick (self, PROP_N_ENDS);
}

/* --- steps */

/* How often, of a sum that does not matter. */
static const guint8 weights[PROP_N_STEPS] = {
  [PROP_STEP_SUBMIT] = 40,
  [PROP_STEP_LATER] = 4,
  [PROP_STEP_POST] = 4,
  [PROP_STEP_RUN] = 2,
  [PROP_STEP_PROMISE] = 4,
  [PROP_STEP_RESOLVE] = 3,
  [PROP_STEP_REJECT] = 2,
  [PROP_STEP_THEN] = 8,
  [PROP_STEP_CALLBACK] = 8,
  [PROP_STEP_SHIELD] = 3,
  [PROP_STEP_TIMEOUT] = 3,
  [PROP_STEP_ALL] = 3,
  [PROP_STEP_WAIT] = 5,
  [PROP_STEP_READ] = 3,
  [PROP_STEP_CANCEL] = 8,
  [PROP_STEP_CANCEL_QUEUED] = 4,
  [PROP_STEP_PRIORITY] = 2,
  [PROP_STEP_DROP] = 6,
  [PROP_STEP_HOLD] = 2,
  [PROP_STEP_RELEASE] = 2,
  [PROP_STEP_STOP] = 2,
  [PROP_STEP_SHUTDOWN] = 1,
  [PROP_STEP_FORGET] = 1,
  [PROP_STEP_GROUP] = 4,
  [PROP_STEP_SCOPE] = 3,
  [PROP_STEP_TRACK] = 2,
  [PROP_STEP_MAP] = 2,
  [PROP_STEP_PUSH] = 4,
  [PROP_STEP_CLOSE] = 1,
  [PROP_STEP_PERMIT] = 2,
  [PROP_STEP_ITERATE] = 2,
};

/* What an invariant wants more of. */
static const struct {
  PropOp ops[4];
  PropJob jobs[3];
} wishes[PROP_N_INVARIANTS + 1] = {
  [1] = { { PROP_STEP_STOP, PROP_STEP_FORGET, PROP_STEP_CANCEL, PROP_STEP_ALL }, { PROP_JOB_STOP, PROP_JOB_NAP, PROP_JOB_FOLLOW } },
  [2] = { { PROP_STEP_SUBMIT, PROP_STEP_POST, PROP_STEP_SUBMIT, PROP_STEP_CANCEL_QUEUED }, { PROP_JOB_PLAIN, PROP_JOB_NEST, PROP_JOB_PLAIN } },
  [3] = { { PROP_STEP_CANCEL, PROP_STEP_THEN, PROP_STEP_CANCEL_QUEUED, PROP_STEP_WAIT }, { PROP_JOB_WAIT, PROP_JOB_CANCEL, PROP_JOB_LOOK } },
  [4] = { { PROP_STEP_CALLBACK, PROP_STEP_THEN, PROP_STEP_ITERATE, PROP_STEP_CALLBACK }, { PROP_JOB_NEST, PROP_JOB_THEN, PROP_JOB_THEN } },
  [5] = { { PROP_STEP_STOP, PROP_STEP_SHUTDOWN, PROP_STEP_HOLD, PROP_STEP_RELEASE }, { PROP_JOB_STOP, PROP_JOB_PLAIN, PROP_JOB_NAP } },
  [6] = { { PROP_STEP_SUBMIT, PROP_STEP_WAIT, PROP_STEP_RUN, PROP_STEP_WAIT }, { PROP_JOB_OWN, PROP_JOB_SELF, PROP_JOB_WAIT } },
  [7] = { { PROP_STEP_CANCEL, PROP_STEP_STOP, PROP_STEP_CLOSE, PROP_STEP_SHUTDOWN }, { PROP_JOB_CANCEL, PROP_JOB_STOP, PROP_JOB_CANCEL } },
  [8] = { { PROP_STEP_DROP, PROP_STEP_READ, PROP_STEP_DROP, PROP_STEP_WAIT }, { PROP_JOB_FAIL, PROP_JOB_FAIL, PROP_JOB_BEHIND } },
  [9] = { { PROP_STEP_LATER, PROP_STEP_FLOOD, PROP_STEP_FLOOD, PROP_STEP_POST }, { PROP_JOB_NEST, PROP_JOB_PLAIN, PROP_JOB_PLAIN } },
  [10] = { { PROP_STEP_SUBMIT, PROP_STEP_CALLBACK, PROP_STEP_THEN, PROP_STEP_MAP }, { PROP_JOB_NEST, PROP_JOB_NEST, PROP_JOB_THEN } },
};

static PropOp
pick_op (Maker *self)
{
  int sum = 0, at;

  if (self->flavour > 0 && chance (self, 35))
    return wishes[self->flavour].ops[pick (self, 4)];
  for (guint i = 0; i < PROP_N_STEPS; i++)
    sum += weights[i];
  at = pick (self, sum);
  for (guint i = 0; i < PROP_N_STEPS; i++)
    {
      at -= weights[i];
      if (at < 0)
        return (PropOp) i;
    }
  return PROP_STEP_SUBMIT;
}

static PropJob
pick_job (Maker *self)
{
  if (self->flavour > 0 && chance (self, 40))
    return wishes[self->flavour].jobs[pick (self, 3)];
  return chance (self, 35) ? PROP_JOB_PLAIN : (PropJob) pick (self, PROP_N_JOBS);
}

/* To stop or let go of everything early would leave little to try. */
static gboolean
is_final (const PropStep *step)
{
  return step->op == PROP_STEP_STOP || step->op == PROP_STEP_SHUTDOWN || step->op == PROP_STEP_FORGET
         || step->job == PROP_JOB_STOP;
}

static const gboolean only_callers[PROP_N_STEPS] = {
  [PROP_STEP_HOLD] = TRUE, [PROP_STEP_RELEASE] = TRUE, [PROP_STEP_PUSH] = TRUE,
  [PROP_STEP_CLOSE] = TRUE, [PROP_STEP_LATER] = TRUE, [PROP_STEP_FLOOD] = TRUE,
};

static PropStep
make_step (Maker *self)
{
  PropStep step = { .op = pick_op (self) };

  step.job = pick_job (self);
  step.p = pick (self, PROP_N_SLOTS);
  step.q = pick (self, PROP_N_SLOTS);
  step.on = pick_executor (self);
  step.to = chance (self, 50) ? step.on : pick_executor (self);
  step.n = pick (self, 6);
  step.prio = chance (self, 25) ? pick (self, 3) - 1 : 0;
  step.limit = chance (self, 20) ? pick (self, 400) : 0;
  if (only_callers[step.op])
    step.on = pick_caller (self);
  return step;
}

static void
make_thread (Maker          *self,
             PropThreadSpec *thread)
{
  guint n = 1 + (guint) pick (self, 24);

  thread->loop = chance (self, 35);
  for (guint i = 0; i < n; i++)
    {
      PropStep step = make_step (self);

      if (is_final (&step) && chance (self, i < n * 3 / 4 ? 92 : 40))
        continue;
      thread->steps[thread->n_steps++] = step;
    }
}

void
prop_program_random (PropProgram *self,
                     guint32      seed,
                     guint        flavour)
{
  Maker maker = { self, g_rand_new_with_seed (seed), flavour };
  g_autofree char *text = NULL;

  memset (self, 0, sizeof *self);
  self->seed = seed;
  make_executors (&maker);
  self->n_threads = 1 + (guint) pick (&maker, PROP_MAX_THREADS);
  for (guint i = 0; i < self->n_threads; i++)
    make_thread (&maker, &self->threads[i]);
  g_rand_free (maker.rand);
  /* What is not in the text is not in the program. */
  text = prop_program_to_text (self);
  if (!prop_program_from_text (self, text, NULL))
    g_assert_not_reached ();
}
