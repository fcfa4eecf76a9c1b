/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A GTask as a pending, and a pending as what a GTask returns. */
#include "aex-gio.h"

#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-task-private.h"
#include "pending/aex-value-private.h"

/* ---- from a task to a pending */

/* Belongs to a handler of the task, and ends with the task at the latest. */
typedef struct {
  AexPending *pending;   /* a reference; NULL: done */
  GType type;            /* INVALID: the value is the task */
} AexTaskWatch;

static gboolean
is_integer (GType type)
{
  return type == G_TYPE_INT64 || type == G_TYPE_INT || type == G_TYPE_LONG;
}

static gboolean
is_pointer (GType type)
{
  return type == G_TYPE_STRING || type == G_TYPE_VARIANT || type == G_TYPE_POINTER || G_TYPE_IS_BOXED (type)
         || G_TYPE_IS_OBJECT (type) || G_TYPE_IS_INTERFACE (type);
}

/* What the task returned, as type says.  FALSE: it had an error. */
static gboolean
take_result (AexPending *pending, GType type, GTask *task, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) own = NULL;
  gboolean truth = FALSE;
  gssize number = 0;
  gpointer pointer = NULL;

  if (type == G_TYPE_BOOLEAN || type == G_TYPE_NONE)
    truth = g_task_propagate_boolean (task, &own);
  else if (is_integer (type))
    number = g_task_propagate_int (task, &own);
  else if (type == G_TYPE_VALUE)
    g_task_propagate_value (task, &value, &own);
  else
    pointer = g_task_propagate_pointer (task, &own);
  if (own != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&own));
      return FALSE;
    }
  if (type == G_TYPE_BOOLEAN)
    aex_pending_resolve_boolean (pending, truth);
  else if (is_integer (type))
    aex_pending_resolve_int64 (pending, number);
  else if (type == G_TYPE_VALUE || type == G_TYPE_NONE)
    aex_pending_resolve (pending, &value);
  else if (type == G_TYPE_POINTER)
    aex_pending_resolve_pointer (pending, pointer, NULL);
  else
    {
      aex_value_take (&value, type, pointer);
      aex_pending_resolve (pending, &value);
    }
  return TRUE;
}

static void
watch_complete (AexTaskWatch *self, GTask *task)
{
  g_autoptr (AexPending) pending = g_steal_pointer (&self->pending);
  g_autoptr (GError) error = NULL;

  if (pending == NULL)
    return;
  if (self->type != G_TYPE_INVALID)
    take_result (pending, self->type, task, &error);
  else if (g_task_had_error (task))
    g_task_propagate_boolean (task, &error);
  else
    aex_pending_resolve_object (pending, task);
  if (error != NULL)
    aex_pending_complete_error (pending, g_steal_pointer (&error));
}

static void
task_completed (GTask *task, GParamSpec *spec, gpointer watch)
{
  (void) spec;
  watch_complete (watch, task);
}

/* The task has ended, or is ending now without ever having returned. */
static void
watch_free (gpointer data, GClosure *closure)
{
  AexTaskWatch *self = data;

  (void) closure;
  if (self->pending != NULL)
    aex_pending_reject_new (self->pending, AEX_ERROR, AEX_ERROR_ABANDONED, "%s",
                            _("The task was dropped before it returned: call one of the g_task_return functions, once, on every path"));
  g_clear_object (&self->pending);
  g_free (self);
}

static void
cancel_task (AexPending *pending, gpointer cancellable)
{
  (void) pending;
  g_cancellable_cancel (cancellable);
}

static AexPending *
watch_task (GTask *task, GType type)
{
  AexPending *pending = aex_pending_new_if_forked ();
  GCancellable *cancellable = g_task_get_cancellable (task);
  AexTaskWatch *self;

  if (pending != NULL)
    return pending;
  pending = aex_pending_new_promise (0);
  /* It ends on the thread of this home, if that is ours: who blocks that would wait for ever. */
  if (g_task_get_context (task) == g_main_context_get_thread_default ()
      || (g_main_context_get_thread_default () == NULL && g_task_get_context (task) == g_main_context_default ()))
    pending->func = aex_home_get_for_thread (aex_thread_get (), NULL);
  if (cancellable != NULL)
    aex_pending_set_canceller (pending, cancel_task, g_object_ref (cancellable), g_object_unref);
  self = g_new (AexTaskWatch, 1);
  self->pending = g_object_ref (pending);
  self->type = type;
  if (g_task_get_completed (task))
    {
      watch_complete (self, task);
      watch_free (self, NULL);
    }
  else
    {
      g_signal_connect_data (task, "notify::completed", G_CALLBACK (task_completed), self, watch_free, 0);
    }
  return pending;
}

/**
 * aex_pending_new_for_task: (skip)
 * @task: a task that nobody else takes the result of
 *
 * Makes a pending that completes as @task does: with the error of @task, or
 * with @task itself as its value, for a finish function to take the result
 * from ([method@Pending.dup_object]). See aex_pending_new_for_task_typed(),
 * which gives the result, and must be called on the same thread: that of the
 * context of @task.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_for_task (GTask *task)
{
  g_return_val_if_fail (G_IS_TASK (task), NULL);

  return watch_task (task, G_TYPE_INVALID);
}

/**
 * aex_pending_new_for_task_typed: (skip)
 * @task: a task that nobody else takes the result of
 * @type: what @task returns: %G_TYPE_BOOLEAN, %G_TYPE_INT64 for
 *   g_task_return_int(), for g_task_return_pointer() the type of what is
 *   behind the pointer (%G_TYPE_POINTER: it is never freed), %G_TYPE_VALUE for
 *   g_task_return_value(), %G_TYPE_NONE for nothing of interest
 *
 * Makes a pending that completes as @task does, with what @task returns. Call
 * it on the thread of the context of @task, before or after @task has
 * returned; it has no callback, or one that leaves the result alone. The
 * pending is done in a dispatch of that context, after the callback.
 *
 * On another thread @task may complete meanwhile, unnoticed, and the pending
 * would not be done before @task is gone, with %AEX_ERROR_ABANDONED. Nothing
 * here could help that: a #GTask says whether it has completed, and gives its
 * result, without any lock. From elsewhere, call this in a function given to
 * [method@Executor.submit_async] of the [class@Caller] of that context.
 *
 * Cancelling the pending cancels the cancellable of @task, in a dispatch of the
 * context that is current for this thread now, and the pending is done when
 * @task has returned; if @task has no cancellable, the pending is done at once.
 * When @task is dropped and never returns, the error is %AEX_ERROR_ABANDONED.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_for_task_typed (GTask *task, GType type)
{
  g_return_val_if_fail (G_IS_TASK (task), NULL);
  g_return_val_if_fail (type == G_TYPE_BOOLEAN || type == G_TYPE_NONE || is_integer (type) || is_pointer (type), NULL);

  return watch_task (task, type);
}

/* ---- from a pending to a task */

/* On its way from the thread that completes the pending to the context of the task. */
typedef struct {
  GTask *task;
  AexPending *pending;   /* done; NULL: there is an error instead */
  GError *error;
} AexTaskReturn;

static void
return_free (gpointer data)
{
  AexTaskReturn *self = data;

  g_object_unref (self->task);
  g_clear_object (&self->pending);
  g_clear_error (&self->error);
  g_free (self);
}

static gboolean
return_now (gpointer data)
{
  AexTaskReturn *self = data;

  aex_thread_guard (aex_thread_get ());
  if (self->pending != NULL)
    aex_task_return_outcome (self->task, self->pending);
  else
    g_task_return_error (self->task, g_steal_pointer (&self->error));
  return G_SOURCE_REMOVE;
}

/* A GTask may call back inside its return functions, here inside somebody's call that completes the pending: only from a
 * dispatch of its own. */
static void
return_soon (GTask *task, AexPending *pending, GError *error)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  AexTaskReturn *self = g_new (AexTaskReturn, 1);

  self->task = g_object_ref (task);
  self->pending = pending != NULL ? g_object_ref (pending) : NULL;
  self->error = error;
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_callback (source, return_now, self, return_free);
  g_source_attach (source, g_task_get_context (task));
}

void
aex_task_fail (GTask *task, GError *error)
{
  return_soon (task, NULL, error);
}

/* Waits for the pending, which it does not keep alive. */
typedef struct {
  GTask *task;
  gboolean over;
} AexTaskEnd;

static void
end_reached (AexPending *pending, gpointer data)
{
  AexTaskEnd *self = data;

  self->over = TRUE;
  return_soon (self->task, pending, NULL);
}

static void
end_free (gpointer data)
{
  AexTaskEnd *self = data;

  if (!self->over)
    aex_task_fail (self->task, g_error_new_literal (AEX_ERROR, AEX_ERROR_ABANDONED,
                                                    _("The pending was dropped before it was done: keep it until it is resolved")));
  g_object_unref (self->task);
  g_free (self);
}

/**
 * aex_pending_to_task: (skip)
 * @self: a pending
 * @task: (transfer full): a task that has not returned
 *
 * Makes @task return what becomes of @self, for a library whose functions are
 * pairs of foo_async() and foo_finish(). @task returns, and calls back, in a
 * dispatch of its own context, with its own priority, never inside this call
 * nor inside the one that completes @self.
 *
 * A boolean and an integer are returned as such; a string, #GVariant, object
 * and boxed value as a pointer, to be freed by who takes it; a pointer belongs
 * to @self, which lives as long as @task; other values are for
 * g_task_propagate_value(). No value is returned as %TRUE. The error is that of
 * @self, %AEX_ERROR_ABANDONED when @self is dropped before it is done.
 *
 * The cancellable of @task cancels @self, like a waiter that gives up (a
 * protected pending is left alone), unless g_task_set_check_cancellable() was
 * switched off; @task returns when @self is done. With it, as always, @task
 * ends as cancelled whatever @self gave.
 *
 * Since: 1.0
 */
void
aex_pending_to_task (AexPending *self, GTask *task)
{
  GCancellable *cancellable;
  GError *error = NULL;
  AexTaskEnd *end;

  g_return_if_fail (AEX_IS_PENDING (self));
  g_return_if_fail (G_IS_TASK (task));

  if (aex_fork_check (&error))
    {
      aex_task_fail (task, error);
      g_object_unref (task);
      return;
    }
  cancellable = g_task_get_cancellable (task);
  g_object_ref (self);
  if (cancellable != NULL && g_task_get_check_cancellable (task))
    aex_pending_cancel_on_as (self, cancellable, AEX_CANCEL_IMPLIED);
  end = g_new (AexTaskEnd, 1);
  end->task = task;
  end->over = FALSE;
  aex_pending_add_done_callback_inline (self, end_reached, end, end_free);
  g_object_unref (self);
}
