/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limits-test.h"

#include "lib/aex-jobs.h"

/* What can not be called with arguments that are found by their type: because it belongs to another call, takes any
 * number of arguments, or is for certain places only.  limits.py reads these lines: the function, and how many subjects
 * it has. */
#define CUSTOM(name, n_subjects) \
  void custom_##name (LimitsWorld *w); \
  void custom_##name (LimitsWorld *w)

/* --- blocking marks, time, scopes: two that belong together */

CUSTOM (aex_blocking_begin, 1)
{
  aex_blocking_begin ();
  aex_blocking_end ();
  limits_called (w, NULL);
}

CUSTOM (aex_blocking_end, 1)
{
  custom_aex_blocking_begin (w);
}

CUSTOM (aex_testing_set_virtual_time, 1)
{
  aex_testing_set_virtual_time (TRUE);
  aex_testing_advance (1000);
  aex_testing_set_virtual_time (FALSE);
  limits_called (w, NULL);
}

CUSTOM (aex_testing_advance, 1)
{
  custom_aex_testing_set_virtual_time (w);
}

CUSTOM (aex_scope_enter, 1)
{
  AexScope *scope = aex_scope_enter (1000, AEX_SCOPE_FLAGS_NONE);

  limits_pointer_returned (w, scope, FALSE, NULL);
  aex_scope_leave (scope);
}

CUSTOM (aex_scope_leave, 1)
{
  aex_scope_leave (aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE));
  limits_called (w, NULL);
}

CUSTOM (aex_context_var_set, 1)
{
  g_autoptr (AexContextToken) token = aex_context_var_set (w->var, &w->value);
  g_autoptr (GError) error = NULL;

  limits_pointer_returned (w, token, FALSE, NULL);
  g_assert_true (aex_context_var_reset (w->var, token, &error));
  g_assert_no_error (error);
}

CUSTOM (aex_context_var_reset, 1)
{
  g_autoptr (AexContextToken) token = aex_context_var_set (w->var, &w->value);
  GError *error = NULL;
  gboolean result = aex_context_var_reset (w->var, token, &error);

  limits_boolean_returned (w, result, error);
}

CUSTOM (aex_context_token_ref, 1)
{
  g_autoptr (AexContextToken) token = aex_context_var_set (w->var, &w->value);

  aex_context_token_unref (aex_context_token_ref (token));
  limits_boolean_returned (w, aex_context_var_reset (w->var, token, NULL), NULL);
}

CUSTOM (aex_context_token_unref, 1)
{
  custom_aex_context_token_ref (w);
}

/* --- callers: those for the thread that runs them */

CUSTOM (aex_caller_dispatch, 1)
{
  aex_caller_dispatch (w->caller, 1000);
  limits_called (w, NULL);
}

CUSTOM (aex_caller_get_ready_time, 1)
{
  aex_caller_get_ready_time (w->caller);
  limits_called (w, NULL);
}

static void
on_wake (AexCaller *caller,
         gpointer   user_data)
{
}

CUSTOM (aex_caller_set_wake_func, 1)
{
  aex_caller_set_wake_func (w->caller, on_wake, w, limits_give_destroy (w));
  aex_caller_set_wake_func (w->caller, NULL, NULL, NULL);
  limits_called (w, NULL);
}

/* --- callers: those that are held, and children, which end when they are told to */

CUSTOM (aex_caller_hold, LIMITS_N_CALLERS)
{
  AexCaller *caller = limits_caller (w);

  if (caller == NULL)
    return;
  if (aex_caller_hold (caller))
    limits_await (w, aex_caller_release (caller));
  limits_called (w, NULL);
}

/* One that could not be held is not to be released; in a child that forked there is nothing to say that it is held. */
static void
release (LimitsWorld *w,
         gboolean     full)
{
  AexCaller *caller = limits_caller (w);

  if (caller == NULL)
    return;
  if (!aex_caller_hold (caller) && w->limit != LIMIT_FORKED)
    limits_called (w, NULL);
  else
    limits_pending_returned (w, full ? aex_caller_release_full (caller, AEX_SHUTDOWN_FLAGS_NONE) : aex_caller_release (caller));
}

CUSTOM (aex_caller_release, LIMITS_N_CALLERS)
{
  release (w, FALSE);
}

CUSTOM (aex_caller_release_full, LIMITS_N_CALLERS)
{
  release (w, TRUE);
}

static void
ref_child (LimitsWorld *w,
           gboolean     full)
{
  AexCaller *parent = limits_caller (w);
  g_autoptr (AexCaller) child = NULL;
  GError *error = NULL;

  if (parent == NULL)
    return;
  child = full ? aex_caller_ref_child_full (parent, w->caller_options, &error) : aex_caller_ref_child (parent, "child", &error);
  limits_pointer_returned (w, child, FALSE, error);
  if (child != NULL)
    limits_await (w, aex_caller_stop (child, AEX_STOP_FLAGS_FORCE));
}

CUSTOM (aex_caller_ref_child, LIMITS_N_CALLERS)
{
  ref_child (w, FALSE);
}

CUSTOM (aex_caller_ref_child_full, LIMITS_N_CALLERS)
{
  ref_child (w, TRUE);
}

/* A worker ends when it has nothing to do. */
CUSTOM (aex_caller_to_thread, LIMITS_N_CALLERS)
{
  AexCaller *caller = limits_caller (w);

  if (caller == NULL)
    return;
  aex_caller_set_max_idle_workers (caller, 0);
  limits_pending_returned (w, aex_caller_to_thread (caller, limits_job, w, limits_give_destroy (w)));
}

/* --- any number of arguments */

#define CALL_VARIADIC(w, function) \
  limits_pending_returned (w, function (limits_pending (w), w->other, NULL))

CUSTOM (aex_pending_all, LIMITS_N_PENDINGS)
{
  CALL_VARIADIC (w, aex_pending_all);
}

CUSTOM (aex_pending_all_settled, LIMITS_N_PENDINGS)
{
  CALL_VARIADIC (w, aex_pending_all_settled);
}

CUSTOM (aex_pending_any, LIMITS_N_PENDINGS)
{
  CALL_VARIADIC (w, aex_pending_any);
}

CUSTOM (aex_pending_first, LIMITS_N_PENDINGS)
{
  CALL_VARIADIC (w, aex_pending_first);
}

CUSTOM (aex_pending_reject_new, LIMITS_N_PENDINGS)
{
  aex_pending_reject_new (limits_pending (w), G_IO_ERROR, G_IO_ERROR_FAILED, "%d", 1);
  limits_called (w, NULL);
}

/* --- what was attached is taken off */

CUSTOM (aex_pending_remove_done_callback, LIMITS_N_PENDINGS)
{
  AexPending *pending = limits_pending (w);

  aex_pending_remove_done_callback (pending, aex_pending_add_done_callback (pending, limits_done, w, limits_give_destroy (w)));
  limits_called (w, NULL);
}

CUSTOM (aex_pending_unsubscribe, LIMITS_N_PENDINGS)
{
  AexPending *pending = limits_pending (w);

  aex_pending_unsubscribe (pending, aex_pending_subscribe (pending, limits_message, w, limits_give_destroy (w)));
  limits_called (w, NULL);
}

/* --- jobs of certain places */

CUSTOM (aex_pending_run, 1)
{
  aex_pending_run (w->scripted_job);
  limits_called (w, NULL);
}

static void
hooked_main (AexThreadPool *pool,
             gpointer       user_data)
{
  aex_thread_pool_run_worker (pool);
}

CUSTOM (aex_thread_pool_run_worker, 1)
{
  AexExecutor *pool = w->executors[LIMITS_FRESH_POOL];

  aex_thread_pool_set_thread_main (AEX_THREAD_POOL (pool), hooked_main, w, limits_give_destroy (w));
  limits_await (w, aex_executor_submit (pool, limits_job, w, limits_give_destroy (w)));
  limits_called (w, NULL);
}

static gboolean
map_sets (AexPendingStream *stream,
          guint             index,
          GCancellable     *cancellable,
          gpointer          world,
          GError          **error)
{
  LimitsWorld *w = world;

  aex_pending_stream_set_value (stream, index, &w->value);
  aex_pending_stream_set_string (stream, index, "text");
  return TRUE;
}

/* Where no map can run it is called beside one, which does nothing. */
CUSTOM (aex_pending_stream_set_value, 1)
{
  g_autoptr (AexPendingStream) stream =
    aex_executor_map (w->executors[LIMITS_FRESH_POOL], 1, 1, -1, AEX_MAP_FLAGS_NONE, map_sets, w, limits_give_destroy (w));

  limits_await (w, aex_pending_stream_next (stream));
  g_assert_false (aex_pending_stream_set_value (stream, 0, &w->value));
  limits_called (w, NULL);
}

CUSTOM (aex_pending_stream_set_string, 1)
{
  custom_aex_pending_stream_set_value (w);
}

/* --- groups and trackers: a new one for each call */

CUSTOM (aex_pending_group_enter, 1)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  GError *error = NULL;
  gboolean entered = aex_pending_group_enter (group, &error);

  limits_boolean_returned (w, entered, error);
  if (!entered)
    return;
  aex_pending_group_leave (group);
  limits_await (w, aex_pending_group_end (group));
}

CUSTOM (aex_pending_group_leave, 1)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);

  if (!aex_pending_group_enter (group, NULL))
    {
      limits_called (w, NULL);
      return;
    }
  aex_pending_group_leave (group);
  limits_called (w, NULL);
  limits_await (w, aex_pending_group_end (group));
}

CUSTOM (aex_pending_group_end, 1)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);

  aex_pending_group_enter (group, NULL);
  limits_pending_returned (w, aex_pending_group_end (group));
}

CUSTOM (aex_pending_group_begin, 1)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  GError *error = NULL;
  gboolean begun = aex_pending_group_begin (group, &error);

  limits_boolean_returned (w, begun, error);
  if (begun)
    limits_await (w, aex_pending_group_end (group));
}

CUSTOM (aex_pending_group_for_each, LIMITS_N_EXECUTORS)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  GError *error = NULL;
  gboolean ok;

  if (limits_executor (w) == NULL)
    return;
  aex_pending_group_begin (group, NULL);
  ok = aex_pending_group_for_each (group, limits_executor (w), 3, limits_each, w, limits_give_destroy (w), &error);
  limits_boolean_returned (w, ok, error);
  /* What the executor refuses is told here. */
  limits_await (w, aex_pending_group_end (group));
}

CUSTOM (aex_pending_group_join, 1)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);

  limits_pending_returned (w, aex_pending_group_join (group));
}

CUSTOM (aex_pending_group_submit, LIMITS_N_EXECUTORS)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_RAISE);

  if (limits_executor (w) == NULL)
    return;
  aex_pending_group_begin (group, NULL);
  limits_pending_returned (w, aex_pending_group_submit (group, limits_executor (w), limits_job, w, limits_give_destroy (w)));
  limits_await (w, aex_pending_group_end (group));
}

CUSTOM (aex_pending_manager_pop, 1)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  GError *error = NULL;
  gboolean popped = aex_pending_manager_pop (manager, token, &error);

  limits_boolean_returned (w, popped, error);
}

CUSTOM (aex_pending_manager_push, 1)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);

  limits_pointer_returned (w, token, FALSE, NULL);
  g_assert_true (aex_pending_manager_pop (manager, token, NULL));
}

CUSTOM (aex_pending_manager_remove, 1)
{
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  GError *error = NULL;
  gboolean removed;

  aex_pending_tracker_add (AEX_PENDING_TRACKER (manager), w->other);
  removed = aex_pending_manager_remove (manager, w->other, &error);
  limits_boolean_returned (w, removed, error);
}

/* --- operations of GIO's kind: what begins and what ends */

static void
on_waited (GObject      *source,
           GAsyncResult *result,
           gpointer      world)
{
  GError *error = NULL;

  aex_pending_wait_finish (AEX_PENDING (source), result, &error);
  limits_ended (world, error);
}

CUSTOM (aex_pending_wait_async, LIMITS_N_PENDINGS)
{
  limits_started (w);
  aex_pending_wait_async (limits_pending (w), AEX_WAIT_FLAGS_NONE, 1000, w->cancellable, on_waited, w);
}

CUSTOM (aex_pending_wait_finish, LIMITS_N_PENDINGS)
{
  custom_aex_pending_wait_async (w);
}

static void
on_scope_waited (GObject      *source,
                 GAsyncResult *result,
                 gpointer      world)
{
  LimitsWorld *w = world;
  GError *error = NULL;

  aex_scope_wait_finish (w->scope, result, &error);
  limits_ended (w, error);
}

CUSTOM (aex_scope_wait_async, LIMITS_N_PENDINGS)
{
  limits_started (w);
  aex_scope_wait_async (w->scope, limits_pending (w), AEX_WAIT_FLAGS_NONE, w->cancellable, on_scope_waited, w);
}

CUSTOM (aex_scope_wait_finish, LIMITS_N_PENDINGS)
{
  custom_aex_scope_wait_async (w);
}

static void
on_slept (GObject      *source,
          GAsyncResult *result,
          gpointer      world)
{
  GError *error = NULL;

  aex_sleep_finish (result, &error);
  limits_ended (world, error);
}

CUSTOM (aex_sleep_async, 1)
{
  limits_started (w);
  aex_sleep_async (1000, w->cancellable, on_slept, w);
}

CUSTOM (aex_sleep_finish, 1)
{
  custom_aex_sleep_async (w);
}

static void
on_task (GObject      *source,
         GAsyncResult *result,
         gpointer      world)
{
  GError *error = NULL;

  g_task_propagate_boolean (G_TASK (result), &error);
  limits_ended (world, error);
}

static void
task_func (GTask        *task,
           gpointer      source,
           gpointer      data,
           GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

CUSTOM (aex_executor_run_task, LIMITS_N_EXECUTORS)
{
  g_autoptr (GTask) task = NULL;

  if (limits_executor (w) == NULL)
    return;
  limits_started (w);
  task = g_task_new (NULL, w->cancellable, on_task, w);
  aex_executor_run_task (limits_executor (w), task, task_func);
}

CUSTOM (aex_pending_to_task, LIMITS_N_PENDINGS)
{
  limits_started (w);
  aex_pending_to_task (limits_pending (w), g_task_new (NULL, NULL, on_task, w));
}

/* --- pendings of what GIO does: an operation that answers at its next turn, without a thread */

static void
answer_async (gpointer            source,
              GCancellable       *cancellable,
              GAsyncReadyCallback callback,
              gpointer            user_data)
{
  g_autoptr (GTask) task = g_task_new (source, cancellable, callback, user_data);

  g_task_return_boolean (task, TRUE);
}

static gboolean
answer_finish (gpointer      source,
               GAsyncResult *result,
               GError      **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
start_answer (gpointer            source,
              GCancellable       *cancellable,
              GAsyncReadyCallback callback,
              gpointer            callback_data,
              gpointer            user_data)
{
  answer_async (source, cancellable, callback, callback_data);
}

static gboolean
finish_answer (gpointer      source,
               GAsyncResult *result,
               GValue       *value,
               gpointer      user_data,
               GError      **error)
{
  return answer_finish (source, result, error);
}

CUSTOM (aex_pending_new_for_gio, 1)
{
  limits_pending_returned (w, aex_pending_new_for_gio (w->object, start_answer, finish_answer, w, limits_give_destroy (w)));
}

CUSTOM (aex_pending_begin_gio, 1)
{
  limits_pending_returned (w, AEX_PENDING_FOR_GIO_PAIR (answer_async, answer_finish, w->object));
}

CUSTOM (aex_gio_ready, 1)
{
  custom_aex_pending_begin_gio (w);
}

CUSTOM (aex_pending_new_for_task, 1)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  limits_pending_returned (w, aex_pending_new_for_task (task));
  g_task_return_boolean (task, TRUE);
}

CUSTOM (aex_pending_new_for_task_typed, 1)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  limits_pending_returned (w, aex_pending_new_for_task_typed (task, G_TYPE_BOOLEAN));
  g_task_return_boolean (task, TRUE);
}
