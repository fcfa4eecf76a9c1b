/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include <stdlib.h>

/* Judges what was written down.  What can be seen at once is violated where it
 * happens, in property-jobs.c. */

static guint
count_items (PropRun *self)
{
  return (guint) MIN (g_atomic_int_get (&self->n_items), PROP_MAX_ITEMS);
}

/* --- I1 */

static void
check_exactly_once (PropRun        *self,
                    const PropItem *item)
{
  int least = item->kind == PROP_ITEM_PROMISE ? 0 : 1;

  if (item->has_closure && item->n_releases != 1)
    prop_violate (self, 1, "the data of %s %u is released %d times", prop_item_name (item), item->index, item->n_releases);
  if (!item->has_pending)
    return;
  if (item->n_done > 1 || item->n_done < least)
    prop_violate (self, 1, "%s %u is done %d times", prop_item_name (item), item->index, item->n_done);
  if (item->n_forgotten != 1)
    prop_violate (self, 1, "what was attached to %s %u is released %d times", prop_item_name (item), item->index, item->n_forgotten);
}

/* --- I2 */

/* One after the other, and nothing but the queue decides which. */
static gboolean
keeps_order (PropRun *self,
             int      executor)
{
  const PropExecutorSpec *spec = &self->program->executors[executor];
  int base = prop_program_base (self->program, executor);

  if (prop_kind_is_caller (spec->kind))
    return TRUE;
  if (spec->n != 1 || g_atomic_int_get (&self->executors[base].blocked))
    return FALSE;
  return spec->kind == PROP_EXECUTOR_POOL || spec->kind == PROP_EXECUTOR_LIMITER;
}

static gboolean
is_in_order (PropRun        *self,
             const PropItem *item)
{
  if (item->order == 0 || item->started == 0 || item->nested || item->moved || item->step.op == PROP_STEP_LATER)
    return FALSE;
  if (item->kind == PROP_ITEM_POST)
    return prop_kind_is_caller (self->program->executors[item->step.on].kind);
  return item->kind == PROP_ITEM_JOB;
}

static int
compare_orders (gconstpointer a,
                gconstpointer b)
{
  const PropItem *one = *(const PropItem *const *) a;
  const PropItem *other = *(const PropItem *const *) b;

  if (one->step.on != other->step.on)
    return one->step.on - other->step.on;
  if (one->submitter != other->submitter)
    return one->submitter < other->submitter ? -1 : 1;
  if (one->step.prio != other->step.prio)
    return one->step.prio - other->step.prio;
  return one->order - other->order;
}

static void
check_order (PropRun *self)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();

  for (guint i = 0; i < count_items (self); i++)
    {
      PropItem *item = &self->items[i];

      if (is_in_order (self, item) && keeps_order (self, item->step.on))
        g_ptr_array_add (items, item);
    }
  g_ptr_array_sort (items, compare_orders);
  for (guint i = 1; i < items->len; i++)
    {
      const PropItem *one = items->pdata[i - 1], *other = items->pdata[i];

      if (one->step.on == other->step.on && one->submitter == other->submitter && one->step.prio == other->step.prio
          && one->started > other->started)
        prop_violate (self, 2, "e%d ran item %u before item %u, which was submitted first", one->step.on, other->index, one->index);
    }
}

/* --- I3 */

static void
check_runs (PropRun        *self,
            const PropItem *item)
{
  if (item->n_runs > 1)
    prop_violate (self, 3, "%s %u was called %d times", prop_item_name (item), item->index, item->n_runs);
  /* A value that nobody computed. */
  if (item->kind == PROP_ITEM_JOB && item->has_pending && item->n_done == 1 && item->n_runs == 0
      && item->state == AEX_PENDING_STATE_RESOLVED)
    prop_violate (self, 3, "job %u has succeeded and never ran", item->index);
  if (item->kind == PROP_ITEM_JOB && item->n_cancelled_queued > 0 && item->n_runs > 0)
    prop_violate (self, 3, "job %u was cancelled in its queue and ran", item->index);
}

/* --- I5 */

static void
check_stopped (PropRun *self,
               int      index)
{
  PropExecutor *executor = &self->executors[index];
  g_autoptr (AexCaller) found = executor->id != 0 ? aex_caller_lookup (executor->id) : NULL;

  if (executor->object != NULL && aex_executor_get_state (executor->object) != AEX_EXECUTOR_STATE_STOPPED)
    prop_violate (self, 5, "e%d has ended, and its state is %d", index, aex_executor_get_state (executor->object));
  if (executor->object != NULL && found != NULL)
    prop_violate (self, 5, "e%d has stopped and is found by its number", index);
  if (executor->object != NULL && aex_executor_get_n_pending (executor->object) + aex_executor_get_n_running (executor->object) > 0)
    prop_violate (self, 5, "e%d has stopped and has jobs", index);
}

static void
check_registry (PropRun *self)
{
  g_autoptr (GPtrArray) callers = aex_caller_list (FALSE);

  for (guint i = 0; i < callers->len; i++)
    {
      for (int j = 0; j < PROP_N_EXECUTORS; j++)
        {
          if (self->executors[j].id != 0 && self->executors[j].id == aex_caller_get_id (callers->pdata[i]))
            prop_violate (self, 5, "e%d is still in the list of callers", j);
        }
    }
}

/* --- I7 */

static void
check_repeated (PropRun *self,
                int      slot)
{
  PropItem *item;
  g_autoptr (AexPending) pending = prop_slot_ref (self, slot, &item);
  gboolean cancelled;

  if (pending == NULL || !aex_pending_is_done (pending))
    return;
  cancelled = item->state == AEX_PENDING_STATE_CANCELLED;
  /* The answer is the same, however often it is asked. */
  for (guint i = 0; i < 2; i++)
    {
      if (aex_pending_cancel (pending, "too late") != cancelled || prop_is_planted (self, "I7"))
        prop_violate (self, 7, "%s %u was done in state %d, and cancel says otherwise", prop_item_name (item), item->index, item->state);
      if (aex_pending_cancel_queued (pending) && !cancelled)
        prop_violate (self, 7, "%s %u was done in state %d, and was cancelled in its queue", prop_item_name (item), item->index, item->state);
    }
  if (aex_pending_resolve_int64 (pending, 0))
    prop_violate (self, 1, "%s %u was done and was resolved", prop_item_name (item), item->index);
  if ((int) aex_pending_get_state (pending) != item->state)
    prop_violate (self, 1, "%s %u was done in state %d and is in state %d", prop_item_name (item), item->index, item->state,
                  (int) aex_pending_get_state (pending));
}

static gpointer
end_again (gpointer data)
{
  PropExecutor *self = data;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (AexPending) ended = aex_executor_shutdown (self->object, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
      g_autoptr (AexPending) stopped = AEX_IS_CALLER (self->object) ? aex_caller_stop (AEX_CALLER (self->object), AEX_STOP_FLAGS_FORCE) : NULL;

      /* A hang if it does not end twice. */
      aex_test_wait (ended);
      if (stopped != NULL)
        aex_test_wait (stopped);
      if (AEX_IS_CALLER (self->object) && aex_caller_hold (AEX_CALLER (self->object)))
        prop_violate (self->run, 7, "e%d has stopped and can be held", self->index);
    }
  return NULL;
}

void
prop_check_alive (PropRun *self)
{
  for (int i = 0; i < PROP_N_EXECUTORS; i++)
    {
      check_stopped (self, i);
      if (self->executors[i].object != NULL)
        aex_test_in_thread (end_again, &self->executors[i]);
    }
  for (int i = 0; i < PROP_N_SLOTS; i++)
    check_repeated (self, i);
}

/* --- I8 */

/* How often the error of an item may be reported: what the program did with it decides. */
static void
expected_reports (PropRun        *self,
                  const PropItem *item,
                  int            *least,
                  int            *most)
{
  gboolean fails = item->kind == PROP_ITEM_PROMISE
                   || (item->kind == PROP_ITEM_JOB && item->step.job == PROP_JOB_FAIL && item->n_runs == 1)
                   || (item->kind == PROP_ITEM_THEN && item->step.n == 4 && item->n_runs == 1);

  *least = *most = 0;
  if (item->kind == PROP_ITEM_POST)
    {
      *most = item->n_runs == 1 && item->step.n % 2 != 0;
      /* The end of its queue may have cancelled it meanwhile. */
      *least = item->step.op == PROP_STEP_PUSH ? 0 : *most;
    }
  else if (item->kind == PROP_ITEM_JOB && item->step.job == PROP_JOB_BEHIND)
    {
      *most = item->n_runs;
      *least = item->state == AEX_PENDING_STATE_RESOLVED ? item->n_runs : 0;
    }
  else if (item->kind == PROP_ITEM_THEN && fails && item->state == AEX_PENDING_STATE_CANCELLED)
    {
      /* It was cancelled while its function ran: nobody else can get the error. */
      *least = *most = 1;
    }
  else if (fails && item->n_done == 1 && item->state == AEX_PENDING_STATE_REJECTED)
    {
      gboolean sure = item->step.limit == 0 && !item->is_shared && item->has_pending;
      gboolean read_in_time = item->observed != 0 && item->observed < self->ended;

      *most = read_in_time ? 0 : 1;
      *least = sure && !item->looked ? 1 : 0;
    }
  /* Whatever it was passed on to may report it, and what that was passed on to. */
  if (item->n_passed_on > 0 || item->is_shared)
    {
      *least = 0;
      *most = (int) count_items (self);
    }
}

static void
check_reports (PropRun        *self,
               const PropItem *item)
{
  int least, most;

  expected_reports (self, item, &least, &most);
  if (item->n_reports < least || item->n_reports > most)
    prop_violate (self, 8, "the error of %s %u was reported %d times, and not %d to %d", prop_item_name (item), item->index, item->n_reports, least, most);
}

void
prop_check_settled (PropRun *self)
{
  for (guint i = 0; i < count_items (self); i++)
    {
      const PropItem *item = &self->items[i];

      check_exactly_once (self, item);
      check_runs (self, item);
      check_reports (self, item);
    }
  check_order (self);
  check_registry (self);
}
