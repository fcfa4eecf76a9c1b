/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verbs of cancellation, and what cancels a pending from outside. */
#include "pending/aex-pending-private.h"

#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-scope-private.h"
#include "pending/aex-value-private.h"

/**
 * aex_pending_cancel:
 * @self: a pending
 * @message: (nullable): why; messages of repeated calls are joined by newlines
 *
 * Cancels @self for everybody.
 *
 * A job that has not started never will, and is done at once. For one that
 * runs, its cancellable is cancelled, the outcome will be the cancellation
 * whatever the function returns, and it is done when the function has
 * returned: synchronous code is never interrupted. A promise is done at once,
 * unless it has a canceller (see [method@Pending.set_canceller]). A derived
 * pending is done at once, and cancels its sources where nobody else depends
 * on them.
 *
 * Returns: %TRUE if @self is cancelled, now or before; %FALSE if it ended, or
 *   is going to end, otherwise
 *
 * Since: 1.0
 */
gboolean
aex_pending_cancel (AexPending *self, const char *message)
{
  gboolean cancelled;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  g_object_ref (self);
  cancelled = aex_pending_cancel_as (self, AEX_CANCEL_EXPLICIT, message);
  g_object_unref (self);
  return cancelled;
}

/**
 * aex_pending_cancel_queued:
 * @self: a pending
 *
 * Cancels a job only if it has not started.
 *
 * Returns: %TRUE if it never will
 *
 * Since: 1.0
 */
gboolean
aex_pending_cancel_queued (AexPending *self)
{
  gboolean cancelled;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  g_object_ref (self);
  cancelled = aex_pending_cancel_as (self, AEX_CANCEL_QUEUED, NULL);
  g_object_unref (self);
  return cancelled;
}

/**
 * aex_pending_set_canceller:
 * @self: a promise
 * @func: (scope notified) (closure user_data) (destroy destroy): what stops the work behind @self
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Says how the work behind a promise is stopped. When @self is cancelled,
 * @func is called like a callback (see [method@Pending.add_done_callback]) and
 * must lead to @self being resolved or rejected: whatever that is, the outcome
 * is the cancellation. A second call replaces the first.
 *
 * Returns: %TRUE if @func may be called; %FALSE if @self is a job, is done or
 *   was cancelled before: then @user_data is freed
 *
 * Since: 1.0
 */
gboolean
aex_pending_set_canceller (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexWaiter *waiter, *old = NULL;
  AexPendingExtra *extra;
  guint state;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (func != NULL, FALSE);

  waiter = aex_waiter_new (AEX_WAITER_CALLBACK, func, user_data, destroy);
  extra = aex_pending_ensure_extra (self);
  state = aex_pending_load (self);
  if (!aex_waiter_set_target (waiter, NULL) || state & (AEX_BIT_JOB | AEX_BIT_LINKED))
    {
      aex_waiter_release (waiter);
      return FALSE;
    }

  /* In place before the bit that lets others look for it. */
  aex_pending_lock (self);
  old = extra->canceller;
  extra->canceller = waiter;
  aex_pending_unlock (self);
  g_clear_pointer (&old, aex_waiter_release);

  while (!AEX_IS_DONE (state) && !(state & AEX_BIT_CANCEL))
    if (atomic_compare_exchange_weak (&self->state, &state, state | AEX_BIT_CANCELLER))
      return TRUE;

  aex_pending_lock (self);
  waiter = g_steal_pointer (&extra->canceller);
  aex_pending_unlock (self);
  /* Whoever cancelled meanwhile has taken it: it is going to be called. */
  if (waiter == NULL && state & AEX_BIT_CANCEL)
    return TRUE;
  g_clear_pointer (&waiter, aex_waiter_release);
  return FALSE;
}

/* ---- cancel_on, cancel_with */

typedef struct {
  GCancellable *cancellable;
  gulong handler;
  AexDrop *drop;
  AexScopeWatch *watch;
} AexCancelBinding;

/* What a handler knows. */
typedef struct {
  GWeakRef pending;
  AexCancelKind kind;
} AexCancelHandler;

static void
handler_free (gpointer data, GClosure *closure)
{
  AexCancelHandler *handler = data;

  (void) closure;
  g_weak_ref_clear (&handler->pending);
  g_free (handler);
}

static GWeakRef *
weak_new (AexPending *self)
{
  GWeakRef *weak = g_new (GWeakRef, 1);

  g_weak_ref_init (weak, self);
  return weak;
}

static void
weak_free (gpointer data)
{
  g_weak_ref_clear (data);
  g_free (data);
}

/* In the cancelling thread; only cancels. */
static void
cancellable_cancelled (GCancellable *cancellable, gpointer data)
{
  AexCancelHandler *handler = data;
  g_autoptr (AexPending) pending = aex_weak_get (&handler->pending);

  (void) cancellable;
  if (pending != NULL)
    aex_pending_cancel_as (pending, handler->kind, NULL);
}

static void
binding_free (AexCancelBinding *binding)
{
  /* Not g_cancellable_disconnect(): that waits for a handler that runs, which may be the one that called us. */
  if (binding->cancellable != NULL && binding->handler != 0)
    g_signal_handler_disconnect (binding->cancellable, binding->handler);
  g_clear_object (&binding->cancellable);
  g_clear_pointer (&binding->drop, aex_drop_free);
  g_clear_pointer (&binding->watch, aex_scope_watch_free);
  g_free (binding);
}

static void
add_binding (AexPending *self, AexCancelBinding *binding)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  gboolean done;

  aex_pending_lock (self);
  extra->bindings = g_slist_prepend (extra->bindings, binding);
  done = AEX_IS_DONE (aex_pending_load (self));
  aex_pending_unlock (self);
  if (done)
    aex_pending_drop_bindings (self);
}

void
aex_pending_drop_bindings (AexPending *self)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  GSList *bindings;

  aex_pending_lock (self);
  bindings = g_steal_pointer (&extra->bindings);
  aex_pending_unlock (self);
  g_slist_free_full (bindings, (GDestroyNotify) binding_free);
}

void
aex_pending_cancel_on_as (AexPending *self, GCancellable *cancellable, AexCancelKind kind)
{
  AexCancelBinding *binding;
  AexCancelHandler *handler;

  if (AEX_IS_DONE (aex_pending_load (self)))
    return;
  handler = g_new (AexCancelHandler, 1);
  g_weak_ref_init (&handler->pending, self);
  handler->kind = kind;
  binding = g_new0 (AexCancelBinding, 1);
  binding->cancellable = g_object_ref (cancellable);
  binding->handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (cancellable_cancelled), handler, handler_free, 0);
  add_binding (self, binding);
  if (!g_cancellable_is_cancelled (cancellable))
    return;
  g_object_ref (self);
  aex_pending_cancel_as (self, kind, NULL);
  g_object_unref (self);
}

/**
 * aex_pending_cancel_on:
 * @self: a pending
 * @cancellable: what cancels it
 *
 * Cancels @self when @cancellable is cancelled, at once if it is already. Safe
 * inside handlers of @cancellable.
 *
 * Since: 1.0
 */
void
aex_pending_cancel_on (AexPending *self, GCancellable *cancellable)
{
  g_return_if_fail (AEX_IS_PENDING (self));
  g_return_if_fail (G_IS_CANCELLABLE (cancellable));

  aex_pending_cancel_on_as (self, cancellable, AEX_CANCEL_EXPLICIT);
}

/**
 * aex_pending_cancel_with:
 * @self: a pending
 * @owner: an object, for example a window; not kept alive
 *
 * Cancels @self when @owner is disposed, in the thread that does so.
 *
 * Since: 1.0
 */
void
aex_pending_cancel_with (AexPending *self, GObject *owner)
{
  AexCancelBinding *binding;

  g_return_if_fail (AEX_IS_PENDING (self));
  g_return_if_fail (G_IS_OBJECT (owner));

  if (AEX_IS_DONE (aex_pending_load (self)))
    return;
  binding = g_new0 (AexCancelBinding, 1);
  binding->drop = aex_drop_new (owner, self, 0);
  if (binding->drop == NULL)
    {
      g_free (binding);
      aex_pending_cancel (self, NULL);
      return;
    }
  add_binding (self, binding);
}

/* ---- scopes */

static void
end_with_scope (AexPending *self, AexScope *scope)
{
  gboolean timed_out = aex_scope_get_status (scope) == AEX_SCOPE_TIMED_OUT;

  if (self->flags & AEX_FLAG_PROTECTED)
    return;
  /* Whoever leaves the scope is told. */
  if (timed_out && !aex_scope_is_left (scope))
    aex_pending_note_observed (self);
  if (timed_out)
    atomic_fetch_or (&self->state, AEX_BIT_SCOPED);
  aex_pending_cancel_as (self, timed_out ? AEX_CANCEL_TIMEOUT : AEX_CANCEL_IMPLIED, NULL);
}

static void
scope_over (AexScope *scope, gpointer weak)
{
  g_autoptr (AexPending) pending = aex_weak_get (weak);

  if (pending != NULL)
    end_with_scope (pending, scope);
}

void
aex_pending_join_scope (AexPending *self, AexScope *scope)
{
  AexCancelBinding *binding;
  GError *error = NULL;

  if (AEX_IS_DONE (aex_pending_load (self)) || self->flags & AEX_FLAG_PROTECTED)
    return;
  binding = g_new0 (AexCancelBinding, 1);
  binding->watch = aex_scope_watch (scope, TRUE, scope_over, weak_new (self), weak_free, &error);
  if (binding->watch == NULL)
    {
      g_free (binding);
      aex_pending_fail_untimed (self, error);
      return;
    }
  add_binding (self, binding);
  if (aex_scope_get_status (scope) != AEX_SCOPE_OPEN)
    end_with_scope (self, scope);
}

static AexScope *
own_scope (AexPending *self)
{
  AexContext *context = self->environment->context;

  return G_LIKELY (context == NULL) ? NULL : aex_scope_of_context (context);
}

gboolean
aex_pending_check_scope (AexPending *self, GError **error)
{
  AexScope *scope = own_scope (self);

  if (G_LIKELY (scope == NULL) || aex_scope_check (scope, error))
    return TRUE;
  aex_pending_note_observed (self);
  return FALSE;
}

void
aex_pending_look_at_scope (AexPending *self)
{
  AexScope *scope = own_scope (self);

  if (scope != NULL && aex_scope_get_status (scope) != AEX_SCOPE_OPEN)
    end_with_scope (self, scope);
}

/* Whoever tells the jobs of a scope that its time is over may not have come to this one; who was told before, and cancels
 * it, comes too late. */
void
aex_pending_look_at_time (AexPending *self)
{
  AexScope *scope = own_scope (self);

  if (G_UNLIKELY (scope != NULL) && scope->group == NULL && aex_scope_get_status (scope) == AEX_SCOPE_TIMED_OUT)
    end_with_scope (self, scope);
}

void
aex_pending_join_own_scope (AexPending *self)
{
  AexScope *scope = own_scope (self);

  /* A group ends its members itself. */
  if (G_UNLIKELY (scope != NULL) && scope->group == NULL)
    aex_pending_join_scope (self, scope);
}

/**
 * aex_pending_set_priority:
 * @self: a job
 * @priority: the new priority
 *
 * Moves a job that has not started to the end of another class.
 *
 * Returns: %FALSE if it has started, is done, is just being submitted, or its
 *   executor has no priorities
 *
 * Since: 1.0
 */
gboolean
aex_pending_set_priority (AexPending *self, AexPriority priority)
{
  guint state;
  AexTarget *executor;
  gboolean moved = FALSE;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (priority >= AEX_PRIORITY_BACKGROUND && priority <= AEX_PRIORITY_HIGH, FALSE);

  state = aex_pending_load (self);
  executor = self->environment != NULL ? self->environment->executor : NULL;
  if (executor == NULL || executor->ops->requeue == NULL || self->flags & AEX_FLAG_TIMED || state & AEX_BIT_UNCOUNTED)
    return FALSE;
  /* The old entry loses its validity, and its reference when it is found; a new one gets both. */
  g_object_ref (self);
  while (AEX_PHASE (state) == AEX_PHASE_QUEUED && !moved)
    {
      guint generation = (AEX_GENERATION (state) + 1) & 0xff;
      guint next = (state & ((1u << AEX_GENERATION_SHIFT) - 1)) | generation << AEX_GENERATION_SHIFT;

      moved = atomic_compare_exchange_weak (&self->state, &state, next);
      if (moved)
        executor->ops->requeue (executor, self, (AexLane) (AEX_LANE_DEFAULT - priority), generation);
    }
  g_object_unref (self);
  return moved;
}
