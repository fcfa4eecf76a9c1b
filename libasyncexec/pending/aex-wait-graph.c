/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who waits for whom: finds waits that can never end, and jobs that the waiter can run itself. */
#include "pending/aex-pending-wait-private.h"

#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-tracker-private.h"

/* So deep may jobs that were claimed by waits nest on one stack. */
#define MAX_DEPTH 16

static GMutex graph_lock;               /* guards the list; no reference is dropped under it */
static AexWaitGraphNode *graph_nodes;

/* Where a walk over sources has been; its references are dropped after the lock. */
typedef struct {
  GPtrArray *open;      /* stack, each with a reference */
  GPtrArray *kept;
  GHashTable *seen;
} AexWalk;

static void
walk_init (AexWalk *walk, AexPending *from)
{
  walk->open = g_ptr_array_new ();
  walk->kept = g_ptr_array_new_with_free_func (g_object_unref);
  walk->seen = g_hash_table_new (NULL, NULL);
  g_ptr_array_add (walk->open, g_object_ref (from));
}

static void
walk_clear (AexWalk *walk)
{
  for (guint i = 0; i < walk->open->len; i++)
    g_object_unref (walk->open->pdata[i]);
  g_ptr_array_unref (walk->open);
  g_ptr_array_unref (walk->kept);
  g_hash_table_unref (walk->seen);
}

/* The next pending that is not done, borrowed; NULL at the end. */
static AexPending *
walk_next (AexWalk *walk)
{
  while (walk->open->len > 0)
    {
      AexPending *pending = g_ptr_array_steal_index_fast (walk->open, walk->open->len - 1);

      g_ptr_array_add (walk->kept, pending);
      if (g_hash_table_add (walk->seen, pending) && !AEX_IS_DONE (aex_pending_load (pending)))
        return pending;
    }
  return NULL;
}

/* What pending needs to end.  Of "any" and "first" no single member is needed. */
static void
walk_sources (AexWalk *walk, AexPending *pending)
{
  AexSources *sources;
  int entered;

  if (G_UNLIKELY (pending->flags & AEX_FLAG_JOIN))
    {
      if (!AEX_IS_DONE (aex_pending_load (pending)))
        g_ptr_array_extend_and_steal (walk->open, aex_tracker_core_dup (pending->data, walk->kept));
      return;
    }
  if (!(aex_pending_load (pending) & AEX_BIT_LINKED))
    return;
  /* The lock of the graph may be held: whoever has the interpreter's does not wait, and never wants that. */
  entered = aex_interpreter_enter ();
  aex_pending_lock (pending);
  sources = aex_pending_load (pending) & AEX_BIT_LINKED ? pending->data : NULL;
  if (sources != NULL && (!sources->any || sources->n_links == 1))
    for (guint i = 0; i < sources->n_links; i++)
      {
        AexPending *source = sources->links[i] != NULL ? g_weak_ref_get (&sources->links[i]->source) : NULL;

        if (source != NULL)
          g_ptr_array_add (walk->open, source);
      }
  aex_pending_unlock (pending);
  aex_interpreter_leave (entered);
}

/* Is there a function of a user between a source and pending that can only run on this thread's own context? */
static gboolean
then_runs_on_own_context (AexPending *pending)
{
  AexSources *sources;
  AexTarget *target = NULL;
  gboolean own;

  aex_pending_lock (pending);
  sources = aex_pending_load (pending) & AEX_BIT_LINKED ? pending->data : NULL;
  if (sources != NULL && sources->n_links == 1 && sources->inline_link != NULL
      && sources->inline_link->then_flags != 0 && sources->inline_link->waiter.target != NULL)
    target = aex_target_ref (sources->inline_link->waiter.target);
  aex_pending_unlock (pending);
  if (target == NULL)
    return FALSE;
  own = target->ops->cancel_target == NULL && target->ops->is_current (target);
  aex_target_unref (target);
  return own;
}

static gboolean
in_frames (AexFrame *frames, AexPending *pending)
{
  for (AexFrame *frame = frames; frame != NULL; frame = frame->previous)
    if (frame->job == pending)
      return TRUE;
  return FALSE;
}

/* A promise that says what becomes of a caller, of the messages for one, or of an operation of GIO, ends on the thread of
 * this home. */
static AexHome *
reported_home (AexPending *pending)
{
  return aex_pending_load (pending) & AEX_BIT_JOB ? NULL : pending->func;
}

/* Who asks, and what is taken to be stuck while that is being proved of something it depends on. */
typedef struct {
  AexThread *thread;
  AexHome *own;
  GPtrArray *assumed;     /* element AexPending, borrowed from walks */
  GPtrArray *kept;        /* what the walks held; references to be dropped after the lock */
  GPtrArray *homes;       /* likewise; NULL: none */
} AexQuestion;

/* A job whose function can only run on this thread's own context.  It may be over at any time, and its caller gone. */
static gboolean
job_runs_on_own_context (AexQuestion *question, AexPending *pending)
{
  guint state = aex_pending_load (pending);
  AexTarget *executor, *home;

  if (!(state & AEX_BIT_JOB) || state & AEX_BIT_LINKED)
    return FALSE;
  executor = pending->environment->executor;
  home = executor->ops->cancel_target (executor, pending);
  if (home == NULL)
    return FALSE;
  if (question->homes == NULL)
    question->homes = g_ptr_array_new_with_free_func (aex_target_unref);
  g_ptr_array_add (question->homes, home);
  return home->ops->is_current (home);
}

static gboolean never_ends (AexQuestion *question, AexWalk *walk);

static gboolean
one_never_ends (AexQuestion *question, AexPending *pending)
{
  AexWalk walk;
  gboolean stuck;

  walk_init (&walk, pending);
  stuck = never_ends (question, &walk);
  /* No reference is dropped here. */
  while (walk.open->len > 0)
    g_ptr_array_add (question->kept, g_ptr_array_steal_index_fast (walk.open, walk.open->len - 1));
  while (walk.kept->len > 0)
    g_ptr_array_add (question->kept, g_ptr_array_steal_index_fast (walk.kept, walk.kept->len - 1));
  walk_clear (&walk);
  return stuck;
}

/* A queued job that needs one of others to end, of which each may itself need this job: stuck if all of them are, given
 * that it is. */
static gboolean
others_never_end (AexQuestion *question, AexPending *pending)
{
  AexTarget *executor = aex_pending_load (pending) & AEX_BIT_JOB ? pending->environment->executor : NULL;
  g_autoptr (GPtrArray) others = NULL;
  guint n_assumed = question->assumed->len;
  gboolean stuck;

  if (executor == NULL || executor->ops->waits_for_others == NULL
      || AEX_PHASE (aex_pending_load (pending)) != AEX_PHASE_QUEUED)
    return FALSE;
  others = g_ptr_array_new ();
  stuck = executor->ops->waits_for_others (executor, pending, others);
  g_ptr_array_add (question->assumed, pending);
  for (guint i = 0; stuck && i < others->len; i++)
    stuck = one_never_ends (question, others->pdata[i]);
  /* A place that came free meanwhile may have gone to it: then what was found of the others says nothing. */
  if (stuck)
    stuck = executor->ops->waits_for_others (executor, pending, others);
  if (!stuck)
    g_ptr_array_set_size (question->assumed, (int) n_assumed);
  while (others->len > 0)
    g_ptr_array_add (question->kept, g_ptr_array_steal_index_fast (others, others->len - 1));
  return stuck;
}

static gboolean
never_ends (AexQuestion *question, AexWalk *walk)
{
  AexPending *pending;

  while ((pending = walk_next (walk)) != NULL)
    {
      AexHome *home = reported_home (pending);

      if (in_frames (question->thread->frame, pending) || (home != NULL && home == question->own)
          || job_runs_on_own_context (question, pending) || then_runs_on_own_context (pending)
          || g_ptr_array_find (question->assumed, pending, NULL) || others_never_end (question, pending))
        return TRUE;
      walk_sources (walk, pending);
      for (AexWaitGraphNode *node = graph_nodes; node != NULL; node = node->next)
        if (in_frames (node->frames, pending) || (home != NULL && node->home == home))
          g_ptr_array_add (walk->open, g_object_ref (node->waits_for));
    }
  return FALSE;
}

gboolean
aex_wait_graph_enter (AexWaitGraphNode *node, AexThread *thread, AexPending *pending, GError **error)
{
  AexQuestion question = { .thread = thread };
  gboolean deadlock;

  node->frames = thread->frame;
  node->home = aex_home_peek_own (thread);
  node->waits_for = pending;
  node->listed = FALSE;
  question.own = node->home;
  question.assumed = g_ptr_array_new ();
  question.kept = g_ptr_array_new_with_free_func (g_object_unref);
  g_mutex_lock (&graph_lock);
  deadlock = one_never_ends (&question, pending);
  if (!deadlock && (thread->frame != NULL || node->home != NULL))
    {
      node->next = graph_nodes;
      graph_nodes = node;
      node->listed = TRUE;
    }
  g_mutex_unlock (&graph_lock);
  g_ptr_array_unref (question.assumed);
  g_ptr_array_unref (question.kept);
  g_clear_pointer (&question.homes, g_ptr_array_unref);
  if (deadlock)
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                         _("This wait could never end, for what it waits for needs this thread or waits for this job: "
                           "use a callback, or aex_pending_run_until_done() on the thread of a main loop"));
  return !deadlock;
}

void
aex_wait_graph_leave (AexWaitGraphNode *node)
{
  if (!node->listed)
    return;
  g_mutex_lock (&graph_lock);
  for (AexWaitGraphNode **link = &graph_nodes; *link != NULL; link = &(*link)->next)
    if (*link == node)
      {
        *link = node->next;
        break;
      }
  g_mutex_unlock (&graph_lock);
}

static gboolean
claim_awaited (AexPending *pending, gboolean outside_allowed)
{
  AexTarget *executor = pending->environment != NULL ? pending->environment->executor : NULL;
  guint state = aex_pending_load (pending);

  /* What its executor has not accepted yet may be refused. */
  return executor != NULL && AEX_PHASE (state) == AEX_PHASE_QUEUED && !(state & AEX_BIT_UNCOUNTED)
         && executor->ops->may_claim (executor, pending, outside_allowed)
         && aex_pending_claim_any (pending);
}

/* Claims one that self is derived from, through whatever chain. */
static AexPending *
claim_source (AexPending *self, gboolean outside_allowed)
{
  AexPending *found = NULL;
  AexPending *pending;
  AexWalk walk;

  walk_init (&walk, self);
  while (found == NULL && (pending = walk_next (&walk)) != NULL)
    {
      if (claim_awaited (pending, outside_allowed))
        found = g_object_ref (pending);
      else
        walk_sources (&walk, pending);
    }
  walk_clear (&walk);
  return found;
}

/* Runs a queued job that self depends on, on this stack.  TRUE: one was run, there may be more. */
gboolean
aex_pending_claim_for_wait (AexPending *self, gboolean outside_allowed)
{
  AexFrame *frame = aex_thread_get ()->frame;
  AexPending *found;

  if (AEX_IS_DONE (aex_pending_load (self)) || (frame != NULL && frame->depth + 1 >= MAX_DEPTH))
    return FALSE;
  if (claim_awaited (self, outside_allowed))
    found = g_object_ref (self);
  else
    found = claim_source (self, outside_allowed);
  if (found == NULL)
    return FALSE;
  aex_pending_run_claimed (found);
  found->environment->executor->ops->job_event (found->environment->executor, found, AEX_JOB_LEFT);
  aex_pending_unref (found);
  return TRUE;
}
