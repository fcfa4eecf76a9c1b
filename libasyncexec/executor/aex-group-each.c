/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One function over many items as members of a group, without an object per item: a few jobs, the runners, that take the
 * next indices until there are none.  Whatever is true of members is true of the runners. */
#include "aex-submit-options.h"
#include "base/aex-clock-private.h"
#include "base/aex-error-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-core-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-group-private.h"
#include "pending/aex-value-private.h"

/* So long a runner goes on when others wait for its thread. */
#define TURN_US 1000

/* A runner takes so many at once while they are short: a line that two processors write costs more than such an item.
 * What it has taken, nobody takes from it, so it never takes many that are long. */
#define MAX_TAKEN 32
#define SHORT_US  (TURN_US / 20)

typedef struct {
  atomic_int refs;             /* one for each runner that was not released yet */
  AexEachFunc func;
  gpointer data;
  GDestroyNotify destroy;
  guint n_items;
  guint n_runners;
  gboolean goes_on;            /* after an item that was cancelled */
  atomic_uint next;            /* the first index that nobody has taken */
} AexEach;

static void
each_unref (gpointer data)
{
  AexEach *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self);
}

/* How many of those wanted are there, from *first on; never so many that others would have nothing to do. */
static guint
each_take (AexEach *self, guint wanted, guint *first)
{
  guint next = atomic_load_explicit (&self->next, memory_order_relaxed), n;

  do
    {
      if (next >= self->n_items)
        return 0;
      n = CLAMP ((self->n_items - next) / (4 * self->n_runners), 1, wanted);
    }
  while (!atomic_compare_exchange_weak_explicit (&self->next, &next, next + n, memory_order_relaxed, memory_order_relaxed));
  *first = next;
  return n;
}

static gboolean
call_function (AexEach *self, guint index, GCancellable *cancellable, GError **error)
{
  AexThread *thread = aex_thread_get ();
  gboolean ok = self->func (index, cancellable, self->data, error);

  if (G_UNLIKELY (thread->context != thread->frame->context))
    aex_frame_reset_context (thread->frame);
  if (G_LIKELY (ok && *error == NULL))
    return TRUE;
  if (ok)
    g_clear_error (error);
  else if (*error == NULL)
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_FAILED,
                         _("The function failed without setting an error: set one, or return TRUE"));
  return ok;
}

/* FALSE: the runner ends, with the error that is set, or because it was cancelled. */
static gboolean
call_items (AexEach *self, AexPending *job, guint first, guint n, GCancellable *cancellable, GError **cancelled, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      GError *own = NULL;

      /* What has not started when the group is cancelled never does. */
      if (G_UNLIKELY (aex_pending_load (job) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT)))
        return FALSE;
      if (G_LIKELY (call_function (self, first + i, cancellable, &own)))
        continue;
      if (!self->goes_on || !aex_error_is_cancellation (own))
        {
          g_propagate_error (error, own);
          return FALSE;
        }
      if (*cancelled == NULL)
        *cancelled = own;
      else
        g_error_free (own);
    }
  return TRUE;
}

static gboolean
others_wait (AexCore *core)
{
  return AEX_CORE_OPS (core)->get_width (core) == 1 || AEX_CORE_OPS (core)->count (core, FALSE) > 0;
}

/* FALSE: the turn of this runner is over, and there may be more. */
static gboolean
run_turn (AexEach *self, AexPending *job, GCancellable *cancellable, GError **cancelled, GError **error)
{
  gint64 start_us = aex_clock_now (), now_us = start_us;
  guint wanted = 1, first, n;

  while ((n = each_take (self, wanted, &first)) > 0)
    {
      gint64 taken_us = now_us;

      if (!call_items (self, job, first, n, cancellable, cancelled, error))
        return TRUE;
      now_us = aex_clock_now ();
      wanted = now_us - taken_us <= SHORT_US ? MIN (2 * wanted, MAX_TAKEN) : 1;
      if (now_us - start_us >= TURN_US && others_wait ((AexCore *) job->environment->executor))
        return FALSE;
    }
  return TRUE;
}

/* At its first error it ends, which ends the group and with it the others. */
static gboolean
runner (AexPending *job, GCancellable *cancellable, gpointer each, GError **error)
{
  AexCore *core = (AexCore *) job->environment->executor;
  GError *cancelled = NULL;
  AexEach *self = each;
  AexPending *next;

  if (!run_turn (self, job, cancellable, &cancelled, error))
    {
      atomic_fetch_add (&self->refs, 1);
      next = aex_pending_new_job (&core->target, job->environment->context, (gpointer) runner, self, each_unref, 0);
      g_object_unref (aex_core_continue_job (core, next, (AexLane) job->lane));
    }
  if (cancelled != NULL && *error == NULL)
    g_propagate_error (error, cancelled);
  else
    g_clear_error (&cancelled);
  return *error == NULL;
}

/* How many are of use. */
static guint
get_n_runners (AexExecutor *executor, guint n_items)
{
  AexCore *core = aex_executor_get_core (executor);
  guint width = AEX_CORE_OPS (core)->get_width (core);

  /* Who does not know how many it runs. */
  if (width == G_MAXUINT)
    width = g_get_num_processors ();
  return MIN (n_items, width);
}

static void
start_runners (AexPendingGroup *group, AexExecutor *executor, AexEach what)
{
  AexEach *each = g_new (AexEach, 1);
  guint n = get_n_runners (executor, what.n_items);

  *each = what;
  each->n_runners = n;
  each->goes_on = aex_group_goes_on (aex_pending_tracker_get_core (AEX_PENDING_TRACKER (group)));
  atomic_init (&each->refs, (int) n);
  atomic_init (&each->next, 0);
  while (n-- > 0)
    g_object_unref (aex_pending_group_submit (group, executor, runner, each, each_unref));
}

/* A group that is over tells nobody what is refused: a member that keeps it open meanwhile.  NULL: it is over. */
static AexPending *
hold_open (AexPendingGroup *group, GError **error)
{
  AexTrackerCore *core = aex_pending_tracker_get_core (AEX_PENDING_TRACKER (group));
  g_autoptr (AexPending) guard = NULL;

  if (aex_fork_check (error) || !aex_group_use (core, error))
    return NULL;
  guard = aex_pending_new_promise (AEX_FLAG_PROTECTED);
  if (aex_group_add (core, guard))
    return g_steal_pointer (&guard);
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_CLOSED, _("The group is over: nothing can join it any more"));
  return NULL;
}

/**
 * aex_pending_group_for_each:
 * @self: a group
 * @executor: where to run it
 * @n_items: how many items
 * @func: (scope notified) (closure user_data) (destroy destroy): called for each index
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called after the last item, where that ran
 * @error: return location for an error
 *
 * Calls @func for the indices from 0 up to @n_items, on @executor, as members:
 * the group ends after the last of them, an item that fails cancels the others
 * and its error is one of the group's, and what is submitted by an item is a
 * member as well. With the group, what runs is cancelled, and what has not
 * started never does. An item that says that it was cancelled is, for the mode of
 * the group, a member that was.
 *
 * There is no pending for an item: it costs a fraction of
 * [method@PendingGroup.submit], and gives nothing back. For results see
 * [method@Executor.map]. Few jobs run all items, as many as @executor runs at the
 * same time; they let others in every millisecond. What the executor refuses is
 * told by the group, like a job that is refused.
 *
 * The error is %AEX_ERROR_CLOSED when the group is over; @user_data is freed then,
 * or when @n_items is 0, on the delivery target of the calling thread.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_for_each (AexPendingGroup *self, AexExecutor *executor, guint n_items, AexEachFunc func, gpointer user_data,
                            GDestroyNotify destroy, GError **error)
{
  g_autoptr (AexPending) guard = NULL;

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);
  g_return_val_if_fail (AEX_IS_EXECUTOR (executor), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  guard = hold_open (self, error);
  if (guard == NULL || n_items == 0)
    {
      if (destroy != NULL && aex_is_forked ())
        destroy (user_data);
      else if (destroy != NULL)
        aex_destroy_at (aex_delivery_target (aex_thread_get (), NULL), destroy, user_data);
    }
  else
    {
      start_runners (self, executor, (AexEach) { .func = func, .data = user_data, .destroy = destroy, .n_items = n_items });
    }
  if (guard != NULL)
    aex_pending_resolve (guard, NULL);
  return guard != NULL;
}
