/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include "pending/aex-pending-private.h"

/* What is given to the library, and what it does with it. */

static __thread PropItem *running;      /* the innermost item that runs on this thread */
static __thread gboolean is_sharing;    /* what is submitted is somebody else's too: of a group, or of a scope */
static __thread gboolean is_loop;       /* a thread of the test with a context */

G_DEFINE_QUARK (prop-error-quark, prop_error)

void
prop_set_loop (gboolean loop)
{
  is_loop = loop;
}

void
prop_set_sharing (gboolean sharing)
{
  is_sharing = sharing;
}

GError *
prop_error_new (PropItem *item)
{
  return g_error_new (PROP_ERROR, (int) item->index, "[item %u]", item->index);
}

/* --- places */

/* Where what is attached now will be called. */
PropPlace
prop_place_here (PropRun *self)
{
  gpointer pool = aex_thread_get ()->pool;

  if (g_main_context_get_thread_default () != NULL)
    return (PropPlace) { g_thread_self (), NULL, is_loop };
  if (pool != NULL)
    return (PropPlace) { NULL, pool, FALSE };
  return (PropPlace) { self->main_thread, NULL, TRUE };
}

static gboolean
place_is_here (const PropPlace *place)
{
  return place->pool != NULL ? aex_thread_get ()->pool == place->pool : g_thread_self () == place->thread;
}

static gboolean
is_job (PropItem *item)
{
  return item->kind == PROP_ITEM_JOB || item->kind == PROP_ITEM_POST;
}

/* A job belongs to its executor, everything else to who attached it. */
static void
check_place (PropItem        *item,
             const PropPlace *place)
{
  PropRun *run = item->run;
  int base = prop_program_base (run->program, item->step.on);

  if (!is_job (item))
    {
      if (!place_is_here (place))
        prop_violate (run, 4, "%s %u was called on a foreign thread", prop_item_name (item), item->index);
    }
  else if (run->program->executors[base].kind != PROP_EXECUTOR_CALLERS)
    {
      g_autoptr (AexExecutor) executor = prop_executor_ref (run, base);

      /* Who waits in aex_executor_run() may run it. */
      if (item->step.op == PROP_STEP_RUN && g_thread_self () == item->submitter)
        return;
      if (executor != NULL && !aex_test_is_on (executor))
        prop_violate (run, 4, "job %u ran outside of its executor", item->index);
    }
}

/* --- items */

const char *
prop_item_name (const PropItem *self)
{
  static const char *const names[] = { "job", "post", "continuation", "callback", "promise", "derived pending" };

  return self->step.op == PROP_STEP_PUSH ? "queued function" : names[self->kind];
}

/* NULL: there are enough.  What the thread submits or attaches next sees the number of the item. */
PropItem *
prop_item_new (PropRun        *self,
               PropItemKind    kind,
               const PropStep *step)
{
  int index = g_atomic_int_add (&self->n_items, 1);
  PropItem *item;

  if (index >= PROP_MAX_ITEMS)
    {
      g_atomic_int_add (&self->n_items, -1);
      return NULL;
    }
  item = &self->items[index];
  item->run = self;
  item->kind = kind;
  item->index = (guint) index;
  item->step = *step;
  item->place = prop_place_here (self);
  item->var = index;
  item->submitter = g_thread_self ();
  item->is_shared = is_sharing || (running != NULL && running->is_shared);
  aex_test_var_set (self->var, index);
  return item;
}

/* It is about to be given to the library. */
void
prop_item_closure (PropItem *self)
{
  self->has_closure = TRUE;
  self->order = prop_now (self->run);
  prop_open (self->run, 1);
}

static void
tracked_done (AexPending *pending,
              gpointer    data)
{
  PropItem *item = data;

  g_atomic_int_set (&item->ended_unclaimed, (aex_pending_load (pending) & AEX_BIT_STARTED) == 0);
  if (g_atomic_int_add (&item->n_done, 1) != 0)
    prop_violate (item->run, 1, "%s %u is done twice", prop_item_name (item), item->index);
  if (!aex_pending_is_done (pending))
    prop_violate (item->run, 1, "%s %u is told to be done and is not", prop_item_name (item), item->index);
  g_atomic_int_set (&item->state, (int) aex_pending_get_state (pending));
}

static void
tracked_forgotten (gpointer data)
{
  PropItem *item = data;

  if (g_atomic_int_add (&item->n_forgotten, 1) != 0)
    prop_violate (item->run, 1, "what was attached to %s %u is released twice", prop_item_name (item), item->index);
  prop_open (item->run, -1);
}

void
prop_item_track (PropItem   *self,
                 AexPending *pending)
{
  self->has_pending = TRUE;
  prop_open (self->run, 1);
  aex_pending_add_done_callback_inline (pending, tracked_done, self, tracked_forgotten);
}

void
prop_mark_observed (PropItem *self)
{
  g_atomic_int_compare_and_exchange (&self->observed, 0, prop_now (self->run));
}

/* --- calls */

void
prop_begin (PropItem *item)
{
  PropRun *run = item->run;
  int seen = aex_test_var_get (run->var);
  PropPlace place = item->place;

  prop_plant_call (item, &place, &seen);
  if (g_atomic_int_add (&item->n_runs, 1) != 0)
    prop_violate (run, 3, "%s %u was called twice", prop_item_name (item), item->index);
  if (g_atomic_int_get (&item->n_releases) != 0)
    prop_violate (run, 3, "%s %u was called after its data was released", prop_item_name (item), item->index);
  if (is_job (item) || item->kind == PROP_ITEM_THEN)
    {
      /* One may be cancelled after it was claimed and before it gets here.  A job says whether it was; of a continuation
       * nobody can tell, and two in one program are no chance. */
      if (!item->always && g_atomic_int_get (&item->n_done) != 0
          && (is_job (item) ? g_atomic_int_get (&item->ended_unclaimed) : g_atomic_int_add (&run->n_late, 1) > 0))
        prop_violate (run, 3, "%s %u was called after its pending was done", prop_item_name (item), item->index);
    }
  check_place (item, &place);
  if (item->var >= -1 && seen != item->var)
    prop_violate (run, 10, "%s %u sees %d and not %d", prop_item_name (item), item->index, seen, item->var);
  /* Nobody else may notice. */
  aex_test_var_set (run->var, PROP_MAX_ITEMS + (int) item->index);
  g_atomic_pointer_set (&item->ran_on, g_thread_self ());
  g_atomic_int_set (&item->nested, running != NULL);
  g_atomic_int_set (&item->started, prop_now (run));
  item->outer = running;
  running = item;
}

void
prop_end (PropItem *item)
{
  running = item->outer;
  g_atomic_int_set (&item->n_ended, 1);
}

static void
check_release (PropItem *item)
{
  PropRun *run = item->run;
  gboolean on_owner = item->kind == PROP_ITEM_JOB && item->step.n == 5;

  if (g_atomic_int_get (&item->n_runs) == 0)
    {
      /* What a job would have used may go to its owner. */
      if (!is_job (item) && item->place.stays && !place_is_here (&item->place))
        prop_violate (run, 4, "what %s %u never used is released on a foreign thread", prop_item_name (item), item->index);
      return;
    }
  if (g_atomic_int_get (&item->n_ended) == 0)
    prop_violate (run, 3, "the data of %s %u is released while it runs", prop_item_name (item), item->index);
  if (on_owner || !is_job (item))
    {
      if ((item->place.stays || !is_job (item)) && !place_is_here (&item->place))
        prop_violate (run, 4, "the data of %s %u is released on a foreign thread", prop_item_name (item), item->index);
      return;
    }
  if (g_atomic_pointer_get (&item->ran_on) != g_thread_self ())
    prop_violate (run, 4, "the data of job %u is not released where it ran", item->index);
  if (g_atomic_int_get (&item->n_done) != 0)
    prop_violate (run, 3, "the data of job %u is released after it was done", item->index);
}

void
prop_released (gpointer data)
{
  PropItem *item = data;

  if (g_atomic_int_add (&item->n_releases, 1) != 0)
    prop_violate (item->run, 1, "the data of %s %u is released twice", prop_item_name (item), item->index);
  check_release (item);
  prop_open (item->run, -1);
}

gboolean
prop_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  PropItem *item = data;
  gboolean ok;

  if (aex_pending_is_done (job) || aex_pending_get_current () != job)
    prop_violate (item->run, 3, "job %u was called after it was done", item->index);
  prop_begin (item);
  ok = prop_job_body (item, job, error);
  if (aex_pending_is_done (job))
    prop_violate (item->run, 3, "job %u was done before it returned", item->index);
  prop_end (item);
  return ok;
}

/* Follows a job that it submits. */
static AexPending *
job_follow (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  PropItem *item = data;
  PropStep step = { .op = PROP_STEP_SUBMIT, .on = item->step.to, .job = item->step.n > 3 ? PROP_JOB_FAIL : PROP_JOB_PLAIN };
  AexPending *followed;
  PropItem *inner = NULL;

  /* A job of a limiter keeps its slot meanwhile: what it follows must not need one, nor stand behind who waits for one. */
  if (item->run->program->executors[item->step.on].kind == PROP_EXECUTOR_LIMITER)
    step.on = 0;
  else
    step.on = prop_program_base (item->run->program, step.on);
  prop_begin (item);
  followed = prop_submit (item->run, &step, &inner);
  if (inner != NULL)
    g_atomic_int_inc (&inner->n_passed_on);
  prop_end (item);
  return followed;
}

/* --- submitting */

static AexSubmitOptions *
options_new (const PropStep *step)
{
  AexSubmitOptions *options = aex_submit_options_new ();

  aex_submit_options_set_priority (options, (AexPriority) step->prio);
  if (step->limit > 0)
    aex_submit_options_set_timeout (options, step->limit);
  aex_submit_options_set_release_on_owner (options, step->n == 5);
  return options;
}

static AexPending *
submit_item (AexExecutor *executor,
             PropItem    *item)
{
  g_autoptr (AexSubmitOptions) options = options_new (&item->step);
  gboolean full = item->step.prio != 0 || item->step.limit > 0 || item->step.n == 5;

  if (item->step.op == PROP_STEP_LATER && AEX_IS_CALLER (executor))
    return aex_caller_call_later (AEX_CALLER (executor), item->step.n * 40, prop_job, item, prop_released);
  if (item->step.job == PROP_JOB_FOLLOW)
    return aex_executor_submit_async_full (executor, options, job_follow, item, prop_released);
  if (full)
    return aex_executor_submit_full (executor, options, prop_job, item, prop_released);
  return aex_executor_submit (executor, prop_job, item, prop_released);
}

/* NULL: there is no such executor any more. */
AexPending *
prop_submit (PropRun        *self,
             const PropStep *step,
             PropItem      **item)
{
  g_autoptr (AexExecutor) executor = prop_executor_ref (self, step->on);
  AexPending *pending;

  *item = executor != NULL ? prop_item_new (self, PROP_ITEM_JOB, step) : NULL;
  if (*item == NULL)
    return NULL;
  if (step->op == PROP_STEP_LATER)
    {
      (*item)->step.job = step->job == PROP_JOB_FOLLOW ? PROP_JOB_PLAIN : step->job;
      /* A call with a delay cannot ask for that. */
      (*item)->step.n = MIN (step->n, 4);
    }
  (*item)->is_autonomous = TRUE;
  prop_item_closure (*item);
  pending = submit_item (executor, *item);
  prop_item_track (*item, pending);
  return pending;
}

/* --- attaching */

static void
callback (AexPending *pending,
          gpointer    data)
{
  PropItem *item = data;

  prop_begin (item);
  if (!aex_pending_is_done (pending))
    prop_violate (item->run, 1, "callback %u was called before its pending was done", item->index);
  if (item->step.n % 3 == 0)
    {
      g_autoptr (GError) error = NULL;

      g_atomic_int_set (&item->of->looked, 1);
      error = aex_pending_dup_error (pending);
      prop_mark_observed (item->of);
    }
  prop_end (item);
}

void
prop_attach_callback (PropRun    *self,
                      AexPending *pending,
                      PropItem   *of,
                      int         n)
{
  PropStep step = { .op = PROP_STEP_CALLBACK, .n = n };
  PropItem *item = prop_item_new (self, PROP_ITEM_CALLBACK, &step);
  gulong id;

  if (item == NULL)
    return;
  item->of = of;
  prop_item_closure (item);
  id = aex_pending_add_done_callback (pending, callback, item, prop_released);
  if (n == 5 && id != 0)
    aex_pending_remove_done_callback (pending, id);
}

enum { THEN_PASS, THEN_NEW, CATCH_PASS, FINALLY, THEN_FAIL, CATCH_NEW };

static AexPending *
then (AexPending *done,
      gpointer    data,
      GError    **error)
{
  PropItem *item = data;
  AexPending *next = NULL;

  prop_begin (item);
  if (!aex_pending_is_done (done))
    prop_violate (item->run, 1, "continuation %u was called before its pending was done", item->index);
  if (item->step.n == THEN_FAIL)
    g_propagate_error (error, prop_error_new (item));
  else if (item->step.n == THEN_NEW || item->step.n == CATCH_NEW)
    {
      PropStep step = { .op = PROP_STEP_SUBMIT, .on = item->step.on };
      PropItem *inner;

      next = prop_submit (item->run, &step, &inner);
    }
  prop_end (item);
  return next;
}

AexPending *
prop_attach_then (PropRun        *self,
                  AexPending     *pending,
                  PropItem       *of,
                  const PropStep *step,
                  PropItem      **item)
{
  static const AexThenFlags flags[] = {
    AEX_THEN_FLAGS_ON_SUCCESS, AEX_THEN_FLAGS_ON_SUCCESS, AEX_THEN_FLAGS_ON_ERROR,
    AEX_THEN_FLAGS_ALWAYS, AEX_THEN_FLAGS_ON_SUCCESS, AEX_THEN_FLAGS_ON_ERROR,
  };
  AexPending *derived;

  *item = prop_item_new (self, PROP_ITEM_THEN, step);
  if (*item == NULL)
    return NULL;
  (*item)->of = of;
  (*item)->step.n = CLAMP (step->n, THEN_PASS, CATCH_NEW);
  (*item)->always = (*item)->step.n == FINALLY;
  g_atomic_int_inc (&of->n_passed_on);
  prop_item_closure (*item);
  derived = aex_pending_add_continuation (pending, flags[(*item)->step.n], then, *item, prop_released);
  prop_item_track (*item, derived);
  return derived;
}
