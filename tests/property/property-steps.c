/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

/* What a thread of a program does: one function for each kind of step. */

/* A limit for what might never end. */
#define SOME_US 300

typedef void (*StepFunc) (PropRun *self, const PropStep *step);

static void
step_submit (PropRun        *self,
             const PropStep *step)
{
  PropItem *item = NULL;
  AexPending *pending = prop_submit (self, step, &item);

  if (pending != NULL)
    prop_slot_take (self, step->p, pending, item);
}

static void
step_run (PropRun        *self,
          const PropStep *step)
{
  g_autoptr (AexExecutor) executor = prop_executor_ref (self, step->on);
  g_autoptr (GError) error = NULL;
  PropItem *item;
  GValue *value;

  item = executor != NULL ? prop_item_new (self, PROP_ITEM_JOB, step) : NULL;
  if (item == NULL)
    return;
  /* It is read before anybody else has it. */
  item->looked = 1;
  item->step.n = MIN (step->n, 4);
  if (step->job == PROP_JOB_FOLLOW)
    item->step.job = PROP_JOB_PLAIN;
  prop_item_closure (item);
  /* A waiting thread may run it itself. */
  item->order = 0;
  value = aex_executor_run (executor, prop_job, item, prop_released, NULL, &error);
  prop_mark_observed (item);
  if (value != NULL)
    g_boxed_free (G_TYPE_VALUE, value);
}

static gboolean
post (gpointer data,
      GError **error)
{
  PropItem *item = data;

  prop_begin (item);
  prop_end (item);
  if (item->step.n % 2 == 0)
    return TRUE;
  g_propagate_error (error, prop_error_new (item));
  return FALSE;
}

static void
step_post (PropRun        *self,
           const PropStep *step)
{
  g_autoptr (AexExecutor) executor = prop_executor_ref (self, step->on);
  PropItem *item = executor != NULL ? prop_item_new (self, PROP_ITEM_POST, step) : NULL;

  if (item == NULL)
    return;
  /* These do not take the context along. */
  item->var = -1;
  prop_item_closure (item);
  if (step->n >= 4 && AEX_IS_CALLER (executor))
    aex_caller_call_direct (AEX_CALLER (executor), post, item, prop_released);
  else
    aex_executor_post (executor, post, item, prop_released);
}

/* --- promises and what is derived */

static void
derived (PropRun        *self,
         const PropStep *step,
         PropItemKind    kind,
         AexPending     *pending)
{
  PropItem *item = prop_item_new (self, kind, step);

  if (item == NULL)
    {
      g_object_unref (pending);
      return;
    }
  prop_item_track (item, pending);
  prop_slot_take (self, step->p, pending, item);
}

static void
step_promise (PropRun        *self,
              const PropStep *step)
{
  derived (self, step, PROP_ITEM_PROMISE, aex_pending_new ());
}

static void
step_resolve (PropRun        *self,
              const PropStep *step)
{
  PropItem *item;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &item);

  if (pending == NULL || item->kind != PROP_ITEM_PROMISE)
    return;
  if (step->op == PROP_STEP_REJECT)
    aex_pending_reject (pending, prop_error_new (item));
  else
    aex_pending_resolve_int64 (pending, item->index);
}

static void
step_then (PropRun        *self,
           const PropStep *step)
{
  PropItem *of, *item;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &of);
  AexPending *next = pending != NULL ? prop_attach_then (self, pending, of, step, &item) : NULL;

  if (next != NULL)
    prop_slot_take (self, step->p, next, item);
}

static void
step_callback (PropRun        *self,
               const PropStep *step)
{
  PropItem *of;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &of);

  if (pending != NULL)
    prop_attach_callback (self, pending, of, step->n);
}

/* All that take one or two slots and give a pending. */
static void
step_derive (PropRun        *self,
             const PropStep *step)
{
  PropItem *of, *other_item = NULL;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &of);
  g_autoptr (AexPending) other = prop_slot_ref (self, (step->q + 1) % PROP_N_SLOTS, &other_item);
  AexPending *members[2] = { pending, other };
  gsize n = other != NULL ? 2 : 1;
  AexPending *next;

  if (pending == NULL)
    return;
  g_atomic_int_inc (&of->n_passed_on);
  if (step->op == PROP_STEP_SHIELD)
    next = aex_pending_shield (pending);
  else if (step->op == PROP_STEP_TIMEOUT)
    next = aex_pending_with_timeout (pending, step->limit > 0 ? step->limit : -1);
  else
    {
      if (other_item != NULL)
        g_atomic_int_inc (&other_item->n_passed_on);
      next = step->n % 4 == 0   ? aex_pending_allv (members, n)
             : step->n % 4 == 1 ? aex_pending_anyv (members, n)
             : step->n % 4 == 2 ? aex_pending_firstv (members, n)
                                : aex_pending_wait_set (members, n, AEX_RETURN_WHEN_FIRST_COMPLETED, SOME_US);
    }
  derived (self, step, PROP_ITEM_DERIVED, next);
}

/* --- waiting, reading, cancelling */

static void
step_wait (PropRun        *self,
           const PropStep *step)
{
  static const AexWaitFlags flags[] = {
    AEX_WAIT_FLAGS_NONE, AEX_WAIT_FLAGS_NO_RESULT, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON,
    AEX_WAIT_FLAGS_SHIELD, AEX_WAIT_FLAGS_NONE, AEX_WAIT_FLAGS_NO_RESULT,
  };
  PropItem *item;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &item);
  gint64 limit = step->limit > 0 ? step->limit : step->n == 5 ? 0 : -1;

  if (pending == NULL)
    return;
  if (limit < 0 && !prop_is_waitable (item, -1))
    limit = SOME_US;
  prop_wait (self, pending, item, flags[CLAMP (step->n, 0, 5)], limit, NULL);
}

static void
step_read (PropRun        *self,
           const PropStep *step)
{
  PropItem *item;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &item);
  g_autoptr (GError) error = NULL;

  if (pending == NULL)
    return;
  g_atomic_int_set (&item->looked, 1);
  error = aex_pending_dup_error (pending);
  if (error != NULL && error->domain == PROP_ERROR)
    prop_mark_observed (item);
}

static void
step_cancel (PropRun        *self,
             const PropStep *step)
{
  PropItem *item;
  g_autoptr (AexPending) pending = prop_slot_ref (self, step->q, &item);

  if (pending == NULL)
    return;
  if (step->op == PROP_STEP_CANCEL)
    aex_pending_cancel (pending, "a step");
  else if (step->op == PROP_STEP_PRIORITY)
    {
      g_atomic_int_set (&item->moved, 1);
      aex_pending_set_priority (pending, (AexPriority) CLAMP (step->prio, -1, 1));
    }
  else if (aex_pending_cancel_queued (pending))
    g_atomic_int_inc (&item->n_cancelled_queued);
}

static void
step_drop (PropRun        *self,
           const PropStep *step)
{
  prop_slot_take (self, step->q, NULL, NULL);
}

/* --- around submissions */

static void
step_group (PropRun        *self,
            const PropStep *step)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new ((AexGroupMode) (step->n % 4));
  PropStep inner = *step;

  aex_pending_group_set_shield (group, step->n == 4);
  if (step->limit > 0 && step->n % 2 == 0)
    aex_pending_group_set_timeout (group, step->limit);
  else if (step->limit > 0)
    aex_pending_group_set_cancellation_timeout (group, step->limit);
  if (!aex_pending_group_enter (group, NULL))
    return;
  prop_set_sharing (TRUE);
  inner.op = PROP_STEP_SUBMIT;
  inner.limit = 0;
  step_submit (self, &inner);
  inner.p = (step->p + 1) % PROP_N_SLOTS;
  inner.on = step->to;
  step_submit (self, &inner);
  if (step->n == 5)
    aex_pending_group_cancel (group, "a step");
  prop_set_sharing (FALSE);
  inner.p = (step->p + 2) % PROP_N_SLOTS;
  derived (self, &inner, PROP_ITEM_DERIVED, aex_pending_group_end (group));
}

static void
step_scope (PropRun        *self,
            const PropStep *step)
{
  AexScope *scope = aex_scope_enter (step->limit > 0 ? step->limit : -1, step->n == 5 ? AEX_SCOPE_FLAGS_SHIELD : AEX_SCOPE_FLAGS_NONE);
  PropItem *item = NULL;
  AexPending *pending;
  PropStep inner = *step;

  inner.op = PROP_STEP_SUBMIT;
  inner.limit = 0;
  prop_set_sharing (TRUE);
  pending = prop_submit (self, &inner, &item);
  prop_set_sharing (FALSE);
  if (step->n % 3 == 0)
    aex_scope_cancel (scope);
  if (pending != NULL)
    {
      prop_wait (self, pending, item, AEX_WAIT_FLAGS_NONE, prop_is_waitable (item, -1) ? -1 : SOME_US, NULL);
      prop_slot_take (self, step->p, pending, item);
    }
  aex_scope_leave (scope);
}

static void
step_track (PropRun        *self,
            const PropStep *step)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  g_autoptr (GPtrArray) pendings = NULL;
  PropStep inner = *step;

  inner.op = PROP_STEP_SUBMIT;
  inner.limit = 0;
  step_submit (self, &inner);
  pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (manager));
  for (guint i = 0; i < pendings->len; i++)
    aex_pending_manager_remove (manager, pendings->pdata[i], NULL);
  if (!aex_pending_manager_pop (manager, token, NULL))
    prop_violate (self, 10, "the token of a manager does not work");
}

/* --- maps */

static gboolean
map_func (AexPendingStream *stream,
          guint             index,
          GCancellable     *cancellable,
          gpointer          data,
          GError          **error)
{
  PropItem *item = data;
  int bit = 1 << index;

  if (g_atomic_int_or ((guint *) &item->started, (guint) bit) & (guint) bit)
    prop_violate (item->run, 3, "item %u of a map was called twice", index);
  if (g_atomic_int_get (&item->n_releases) != 0)
    prop_violate (item->run, 3, "item %u of a map was called after the data was released", index);
  if (aex_test_var_get (item->run->var) != item->var)
    prop_violate (item->run, 10, "item %u of a map sees %d and not %d", index, aex_test_var_get (item->run->var), item->var);
  if (index == 3)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "a map");
      return FALSE;
    }
  return aex_pending_stream_set_string (stream, index, "x");
}

static void
map_released (gpointer data)
{
  PropItem *item = data;

  if (g_atomic_int_add (&item->n_releases, 1) != 0)
    prop_violate (item->run, 1, "the data of map %u is released twice", item->index);
  prop_open (item->run, -1);
}

static void
step_map (PropRun        *self,
          const PropStep *step)
{
  g_autoptr (AexExecutor) executor = prop_executor_ref (self, step->on);
  PropItem *item = executor != NULL ? prop_item_new (self, PROP_ITEM_CALLBACK, step) : NULL;
  g_autoptr (AexPendingStream) stream = NULL;
  AexMapFlags flags = step->n % 2 == 0 ? AEX_MAP_FLAGS_CONTINUE_ON_ERROR | AEX_MAP_FLAGS_UNORDERED : AEX_MAP_FLAGS_NONE;

  if (item == NULL)
    return;
  prop_item_closure (item);
  stream = aex_executor_map (executor, (guint) step->n + 1, (guint) step->n % 3, step->limit > 0 ? step->limit : -1, flags,
                             map_func, item, map_released);
  for (int i = 0; i < step->n; i++)
    {
      AexPendingResult *result = aex_pending_stream_next_sync (stream, SOME_US, NULL, NULL);

      if (result == NULL)
        break;
      g_object_unref (result);
    }
  if (step->n % 3 != 0)
    derived (self, step, PROP_ITEM_DERIVED, aex_pending_stream_close (stream));
}

/* --- queues and permits */

static gboolean
queued (AexPending   *job,
        GCancellable *cancellable,
        gpointer      data,
        GError      **error)
{
  return post (data, error);
}

static void
step_push (PropRun        *self,
           const PropStep *step)
{
  g_autoptr (AexExecutor) caller = prop_executor_ref (self, step->on);
  g_autoptr (AexCallQueue) queue = NULL;
  const char *key = step->n < 3 ? "one" : "other";
  PropItem *item;

  if (caller == NULL || !AEX_IS_CALLER (caller))
    return;
  if (step->op == PROP_STEP_CLOSE)
    {
      aex_caller_close_queue (AEX_CALLER (caller), NULL, key);
      return;
    }
  queue = aex_caller_ensure_queue (AEX_CALLER (caller), NULL, key);
  item = prop_item_new (self, PROP_ITEM_POST, step);
  if (item == NULL)
    return;
  /* It sees the context of whoever pushed first. */
  item->var = -2;
  prop_item_closure (item);
  item->order = 0;
  aex_call_queue_push (queue, queued, item, prop_released);
}

static void
step_permit (PropRun        *self,
             const PropStep *step)
{
  g_autoptr (AexExecutor) limiter = prop_executor_ref (self, step->on);
  g_autoptr (AexPending) pending = NULL;
  PropItem *item;

  if (limiter == NULL || !AEX_IS_LIMITER (limiter))
    return;
  item = prop_item_new (self, PROP_ITEM_DERIVED, step);
  if (item == NULL)
    return;
  pending = aex_limiter_acquire (AEX_LIMITER (limiter));
  prop_item_track (item, pending);
  if (aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, SOME_US, NULL, NULL))
    {
      g_autoptr (AexPermit) permit = aex_pending_dup_boxed (pending, AEX_TYPE_PERMIT, NULL);

      aex_permit_release (permit);
      aex_permit_release (permit);
    }
  else
    aex_pending_cancel (pending, NULL);
}

/* --- */

static void
step_stop (PropRun        *self,
           const PropStep *step)
{
  prop_end_executor (self, step->on, step->op == PROP_STEP_STOP ? step->n % 2 : 2 + step->n % 2);
}

static void
step_iterate (PropRun        *self,
              const PropStep *step)
{
  if (g_main_context_get_thread_default () != NULL)
    aex_test_drain ();
}

static void
step_flood (PropRun        *self,
            const PropStep *step)
{
  prop_flood (self, step->on, step->n);
}

static const StepFunc funcs[PROP_N_STEPS] = {
  [PROP_STEP_SUBMIT] = step_submit,
  [PROP_STEP_LATER] = step_submit,
  [PROP_STEP_POST] = step_post,
  [PROP_STEP_RUN] = step_run,
  [PROP_STEP_PROMISE] = step_promise,
  [PROP_STEP_RESOLVE] = step_resolve,
  [PROP_STEP_REJECT] = step_resolve,
  [PROP_STEP_THEN] = step_then,
  [PROP_STEP_CALLBACK] = step_callback,
  [PROP_STEP_SHIELD] = step_derive,
  [PROP_STEP_TIMEOUT] = step_derive,
  [PROP_STEP_ALL] = step_derive,
  [PROP_STEP_WAIT] = step_wait,
  [PROP_STEP_READ] = step_read,
  [PROP_STEP_CANCEL] = step_cancel,
  [PROP_STEP_CANCEL_QUEUED] = step_cancel,
  [PROP_STEP_PRIORITY] = step_cancel,
  [PROP_STEP_DROP] = step_drop,
  [PROP_STEP_HOLD] = prop_step_hold,
  [PROP_STEP_RELEASE] = prop_step_release,
  [PROP_STEP_STOP] = step_stop,
  [PROP_STEP_SHUTDOWN] = step_stop,
  [PROP_STEP_FORGET] = prop_step_forget,
  [PROP_STEP_GROUP] = step_group,
  [PROP_STEP_SCOPE] = step_scope,
  [PROP_STEP_TRACK] = step_track,
  [PROP_STEP_MAP] = step_map,
  [PROP_STEP_PUSH] = step_push,
  [PROP_STEP_CLOSE] = step_push,
  [PROP_STEP_PERMIT] = step_permit,
  [PROP_STEP_ITERATE] = step_iterate,
  [PROP_STEP_FLOOD] = step_flood,
};

void
prop_step (PropRun        *self,
           const PropStep *step)
{
  funcs[step->op] (self, step);
}
