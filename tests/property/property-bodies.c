/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

/* What jobs do. */

/* How long a wait lasts that might never end: the program would be at fault and not the library. */
#define SOME_US 300

/* May it be waited for without a limit?  base: of the job that waits, -1: none.  A job waits only for jobs of executors
 * made before its own, or of its own pool: a ring across queues would be the program's fault. */
gboolean
prop_is_waitable (PropItem *item,
                  int       base)
{
  const PropProgram *program = item->run->program;
  int other;

  if (item->kind != PROP_ITEM_JOB || !item->is_autonomous)
    return FALSE;
  if (base < 0)
    return TRUE;
  other = prop_program_base (program, item->step.on);
  if (item->step.job == PROP_JOB_FOLLOW)
    return FALSE;
  return other < base || (other == base && item->step.on == base && program->executors[base].kind == PROP_EXECUTOR_POOL);
}

gboolean
prop_wait (PropRun     *self,
           AexPending  *pending,
           PropItem    *item,
           AexWaitFlags flags,
           gint64       limit,
           GError     **error)
{
  g_autoptr (GError) local = NULL;
  gboolean ok;

  if (!(flags & AEX_WAIT_FLAGS_NO_RESULT))
    g_atomic_int_set (&item->looked, 1);
  ok = aex_pending_wait (pending, flags, limit, NULL, &local);
  if (!(flags & AEX_WAIT_FLAGS_NO_RESULT) && (ok || local->domain == PROP_ERROR))
    prop_mark_observed (item);
  if (prop_is_planted (self, "I6") && g_error_matches (local, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK))
    {
      g_clear_error (&local);
      ok = TRUE;
    }
  if (ok == (local != NULL))
    prop_violate (self, 6, "a wait gave %d and %s error", ok, local != NULL ? "an" : "no");
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return ok;
}

/* Nothing is known of the order in a pool whose threads were replaced. */
static void
mark_blocked (PropItem *item)
{
  g_atomic_int_set (&item->run->executors[prop_program_base (item->run->program, item->step.on)].blocked, 1);
}

/* The wait can fail because of the job that waits, and not only because it would never end. */
static gboolean
is_excused (AexPending   *job,
            const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
         || g_error_matches (error, AEX_ERROR, AEX_ERROR_CLOSED);
}

static void
body_wait (PropItem   *item,
           AexPending *job)
{
  PropItem *other = NULL;
  g_autoptr (AexPending) pending = prop_slot_ref (item->run, item->step.q, &other);
  int base = prop_program_base (item->run->program, item->step.on);
  AexWaitFlags flags = item->step.n % 2 == 0 ? AEX_WAIT_FLAGS_NONE : AEX_WAIT_FLAGS_NO_RESULT;

  if (pending == NULL)
    return;
  mark_blocked (item);
  prop_wait (item->run, pending, other, flags, prop_is_waitable (other, base) ? -1 : SOME_US, NULL);
}

/* I6: a job that this very thread would have to run. */
static void
body_own (PropItem   *item,
          AexPending *job)
{
  PropStep step = { .op = PROP_STEP_SUBMIT, .on = item->step.on };
  gboolean is_caller = prop_kind_is_caller (item->run->program->executors[step.on].kind);
  PropItem *inner = NULL;
  g_autoptr (AexPending) pending = NULL;
  g_autoptr (GError) error = NULL;

  if (!is_caller && item->run->program->executors[step.on].kind != PROP_EXECUTOR_POOL)
    return;
  mark_blocked (item);
  pending = prop_submit (item->run, &step, &inner);
  if (pending == NULL)
    return;
  if (prop_wait (item->run, pending, inner, AEX_WAIT_FLAGS_NONE, -1, &error))
    {
      if (is_caller)
        prop_violate (item->run, 6, "job %u waited for one that only its own thread can run", item->index);
    }
  else if (!g_error_matches (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK) && !is_excused (job, error))
    prop_violate (item->run, 6, "job %u waited for one of its own executor: %s", item->index, error->message);
}

static void
body_self (PropItem   *item,
           AexPending *job)
{
  g_autoptr (GError) error = NULL;

  mark_blocked (item);
  g_atomic_int_set (&item->looked, 1);
  if (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, -1, NULL, &error))
    prop_violate (item->run, 6, "job %u waited for itself", item->index);
  else if (!g_error_matches (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK) && !is_excused (job, error))
    prop_violate (item->run, 6, "job %u waited for itself: %s", item->index, error->message);
}

static void
body_nap (PropItem *item)
{
  g_autoptr (AexPending) never = aex_pending_new ();

  mark_blocked (item);
  aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, 20 + 40 * item->step.n, NULL, NULL);
}

static gboolean
body_look (PropItem *item,
           GError  **error)
{
  for (int i = 0; i < 50 * (1 + item->step.n); i++)
    {
      if (!aex_check_cancelled (error))
        return FALSE;
    }
  return TRUE;
}

static void
body_nest (PropItem *item)
{
  PropStep step = { .op = PROP_STEP_SUBMIT, .on = item->step.to, .job = item->step.n == 4 ? PROP_JOB_FAIL : PROP_JOB_PLAIN };
  PropItem *inner = NULL;
  g_autoptr (AexPending) pending = prop_submit (item->run, &step, &inner);

  if (pending == NULL)
    return;
  prop_attach_callback (item->run, pending, inner, item->step.n);
  prop_slot_take (item->run, item->step.q, g_steal_pointer (&pending), inner);
}

static void
body_then (PropItem *item)
{
  PropItem *of = NULL, *inner = NULL;
  g_autoptr (AexPending) pending = prop_slot_ref (item->run, item->step.q, &of);
  PropStep step = { .op = PROP_STEP_THEN, .n = item->step.n, .on = item->step.to };

  if (pending != NULL)
    {
      g_autoptr (AexPending) derived = prop_attach_then (item->run, pending, of, &step, &inner);

      if (derived != NULL)
        prop_attach_callback (item->run, derived, inner, 1);
    }
}

static void
body_cancel (PropItem *item)
{
  PropItem *other;
  g_autoptr (AexPending) pending = prop_slot_ref (item->run, item->step.q, &other);

  if (pending != NULL)
    aex_pending_cancel (pending, "a job");
}

gboolean
prop_job_body (PropItem   *item,
               AexPending *job,
               GError    **error)
{
  switch ((int) item->step.job)
    {
    case PROP_JOB_FAIL:
      g_propagate_error (error, prop_error_new (item));
      return FALSE;
    case PROP_JOB_BEHIND:
      aex_pending_resolve_int64 (job, item->index);
      g_propagate_error (error, prop_error_new (item));
      return FALSE;
    case PROP_JOB_NEST:
      body_nest (item);
      break;
    case PROP_JOB_WAIT:
      body_wait (item, job);
      break;
    case PROP_JOB_OWN:
      body_own (item, job);
      break;
    case PROP_JOB_SELF:
      body_self (item, job);
      break;
    case PROP_JOB_NAP:
      body_nap (item);
      break;
    case PROP_JOB_LOOK:
      if (!body_look (item, error))
        return FALSE;
      break;
    case PROP_JOB_CANCEL:
      body_cancel (item);
      break;
    case PROP_JOB_STOP:
      prop_end_executor (item->run, item->step.on, item->step.n);
      break;
    case PROP_JOB_THEN:
      body_then (item);
      break;
    default:
      break;
    }
  aex_pending_resolve_int64 (job, item->index);
  return TRUE;
}
