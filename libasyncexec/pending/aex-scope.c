/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-scope-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-pending-private.h"

/**
 * AexScope:
 *
 * A time limit and a way to cancel, for a stretch of plain code.
 *
 * Between [func@Scope.enter] and [method@Scope.leave] every wait of the library
 * and [func@check_cancelled] end when the scope is cancelled
 * (%G_IO_ERROR_CANCELLED) or its time is over (%G_IO_ERROR_TIMED_OUT). The scope
 * is part of the current [struct@Context]: jobs, maps and callbacks that are
 * given away inside stand in it too. A job that is submitted inside is cancelled
 * with the scope, and its time is over when that of the scope is, or its own if
 * that is earlier.
 *
 * Scopes nest: the inner one observes the outer ones as well, and the job in
 * which it stands, unless it is made with %AEX_SCOPE_FLAGS_SHIELD. They are left
 * in the opposite order.
 *
 * Once a scope has been left it does not count any more: cancelling it does
 * nothing, and callbacks that run later are free of it. What was submitted
 * inside keeps the deadline.
 *
 * A piece of code that gives control back in between, as one that uses `yield`
 * in Vala, must not be inside an entered scope then, for everything that runs on
 * the thread meanwhile would be, too. It makes one with [ctor@Scope.new], and uses
 * [method@Scope.run], [method@Scope.add] and [method@Scope.wait_async].
 *
 * ```c
 * AexScope *scope = aex_scope_enter (5 * G_USEC_PER_SEC, AEX_SCOPE_FLAGS_NONE);
 * gboolean ok = fetch_and_store (&error);
 *
 * if (aex_scope_leave (scope) && !ok)
 *   g_print ("It took too long\n");
 * ```
 *
 * Since: 1.0
 */

G_DEFINE_BOXED_TYPE (AexScope, aex_scope, aex_scope_ref, aex_scope_unref)

/* ---- what counts */

/* self or the next one outside of it that was not left. */
static AexScope *
still_entered (AexScope *self)
{
  while (self != NULL && aex_scope_is_left (self))
    self = aex_scope_get_observed (self);
  return self;
}

AexScope *
aex_scope_of_context (AexContext *context)
{
  return context != NULL ? still_entered (context->scope) : NULL;
}

/* As far as the job that runs here: with the scopes it was submitted in, it is cancelled itself. */
AexObserved
aex_scope_observe_slow (AexThread *thread)
{
  AexContext *given = thread->frame != NULL ? thread->frame->context : NULL;
  AexScope *base = given != NULL ? given->scope : NULL;
  AexObserved observed = { NULL, FALSE };

  for (AexScope *scope = thread->context->scope; scope != NULL && scope != base; scope = scope->outer)
    {
      if (observed.scope == NULL && !aex_scope_is_left (scope))
        observed.scope = scope;
      if (scope->flags & AEX_SCOPE_FLAGS_SHIELD)
        {
          observed.shielded = TRUE;
          break;
        }
    }
  return observed;
}

AexScopeStatus
aex_scope_get_status (AexScope *self)
{
  for (AexScope *scope = self; scope != NULL; scope = aex_scope_get_observed (scope))
    if (atomic_load (&scope->state) & AEX_SCOPE_CANCELLED)
      return AEX_SCOPE_IS_CANCELLED;
  if (self->effective_us >= 0 && aex_clock_now () >= self->effective_us)
    return AEX_SCOPE_TIMED_OUT;
  return AEX_SCOPE_OPEN;
}

GError *
aex_scope_make_error (AexScopeStatus status)
{
  if (status == AEX_SCOPE_TIMED_OUT)
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("The time of the scope is over"));
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _("The scope was cancelled"));
}

static gboolean
own_time_is_over (AexScope *self)
{
  return self->deadline_us >= 0 && aex_clock_now () >= self->deadline_us;
}

/* ---- life */

/**
 * aex_scope_new:
 * @timeout_us: microseconds from now, -1 for no limit, 0 for a scope whose time
 *   is over
 * @flags: how it behaves
 *
 * Makes a scope inside the current one without entering it, for code that gives
 * control back before it is through: see [method@Scope.run] and
 * [method@Scope.wait_async]. It counts until [method@Scope.leave], which may be
 * called anywhere.
 *
 * Returns: (transfer full): a new scope
 *
 * Since: 1.0
 */
AexScope *
aex_scope_new (gint64 timeout_us, AexScopeFlags flags)
{
  AexScope *self = g_new0 (AexScope, 1);
  AexScope *outer = aex_scope_of_context (aex_thread_get ()->context);
  gint64 outer_us = outer == NULL || flags & AEX_SCOPE_FLAGS_SHIELD ? -1 : outer->effective_us;

  atomic_init (&self->refs, 1);
  g_mutex_init (&self->lock);
  self->flags = flags;
  self->deadline_us = aex_clock_deadline (timeout_us);
  self->effective_us = aex_clock_earlier (self->deadline_us, outer_us);
  self->outer = outer != NULL ? aex_scope_ref (outer) : NULL;
  aex_live_add (AEX_LIVE_SCOPE, 1);
  return self;
}

/**
 * aex_scope_enter:
 * @timeout_us: microseconds from now, -1 for no limit, 0 for a scope whose time
 *   is over
 * @flags: how it behaves
 *
 * Enters a scope: the calling code is inside until [method@Scope.leave]. In C,
 * `g_autoptr(AexScope)` leaves it. It is cheap: nothing is armed before somebody
 * waits or something is submitted.
 *
 * A job that returns, and a thread that ends, leaves what it has entered.
 *
 * Returns: (transfer full): the scope, to be given to [method@Scope.leave]
 *
 * Since: 1.0
 */
AexScope *
aex_scope_enter (gint64 timeout_us, AexScopeFlags flags)
{
  AexScope *self = aex_scope_new (timeout_us, flags);

  aex_scope_step_in (self);
  return self;
}

void
aex_scope_step_in (AexScope *self)
{
  AexThread *thread = aex_thread_get ();

  self->entered = TRUE;
  self->thread = thread;
  aex_context_replace (thread, aex_context_with_scope (thread->context, self));
}

gboolean
aex_scope_step_out (AexScope *self, const char *caller)
{
  AexThread *thread = aex_thread_get ();

  if (thread->context == NULL || thread->context->scope != self)
    {
      g_critical ("%s: this is not the innermost scope here: leave scopes in the opposite order in which "
                  "they were entered, on the same thread", caller);
      return FALSE;
    }
  self->entered = FALSE;
  aex_context_replace (thread, aex_context_with_scope (thread->context, still_entered (self->outer)));
  return TRUE;
}

void
aex_scope_end (AexScope *self)
{
  atomic_fetch_or (&self->state, AEX_SCOPE_LEFT);
  aex_scope_rest (self);
}

/**
 * aex_scope_ref:
 * @self: a scope
 *
 * Takes a reference, for a thread that may cancel @self. Any thread.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
AexScope *
aex_scope_ref (AexScope *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

/**
 * aex_scope_unref:
 * @self: (transfer full): a scope
 *
 * Drops a reference and leaves nothing. Any thread.
 *
 * Since: 1.0
 */
void
aex_scope_unref (AexScope *self)
{
  g_return_if_fail (self != NULL);

  if (atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) != 1)
    return;
  aex_scope_clear_watched (self);
  g_clear_pointer (&self->outer, aex_scope_unref);
  if (self->group != NULL)
    self->group_unref (self->group);
  g_mutex_clear (&self->lock);
  aex_live_add (AEX_LIVE_SCOPE, -1);
  g_free (self);
}

/**
 * aex_scope_leave:
 * @self: (transfer full): a scope
 *
 * Leaves a scope. One that was entered is left where it is the innermost: on
 * its thread, or in the callback in which the code that entered it goes on.
 *
 * Whatever was given away inside goes on, and keeps the deadline.
 *
 * Returns: %TRUE if @self itself was cancelled or its own time is over: the
 *   errors of waits inside may be due to it; %FALSE if it was not, even if a
 *   scope outside was
 *
 * Since: 1.0
 */
gboolean
aex_scope_leave (AexScope *self)
{
  gboolean over;
  guint old;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (self->group == NULL, FALSE);

  over = own_time_is_over (self);
  old = atomic_fetch_or (&self->state, AEX_SCOPE_LEFT);
  if (old & AEX_SCOPE_LEFT)
    g_critical ("aex_scope_leave: this scope was left before");
  else if (self->entered)
    aex_scope_step_out (self, "aex_scope_leave");
  aex_scope_rest (self);
  aex_scope_unref (self);
  return over || (old & AEX_SCOPE_CANCELLED) != 0;
}

guint
aex_scope_leave_all (AexContext *context, AexScope *base, AexThread *thread)
{
  guint n = 0;

  for (AexScope *scope = context != NULL ? context->scope : NULL; scope != NULL && scope != base; scope = scope->outer)
    if (scope->entered && scope->thread == thread && !(atomic_fetch_or (&scope->state, AEX_SCOPE_LEFT) & AEX_SCOPE_LEFT))
      n++;
  return n;
}

/* ---- cancelling and looking */

/**
 * aex_scope_cancel:
 * @self: a scope
 *
 * Cancels a scope: what waits inside wakes up with %G_IO_ERROR_CANCELLED, and
 * jobs that were submitted inside are cancelled, except protected ones and what
 * a shield inside covers. Does nothing for a scope that was left or whose time is
 * over. Any thread.
 *
 * Since: 1.0
 */
void
aex_scope_cancel (AexScope *self)
{
  guint state;

  g_return_if_fail (self != NULL);

  if (aex_is_forked () || own_time_is_over (self))
    return;
  state = atomic_load (&self->state);
  do
    {
      if (state != 0)
        return;
    }
  while (!atomic_compare_exchange_weak (&self->state, &state, AEX_SCOPE_CANCELLED));
  aex_scope_ref (self);
  aex_scope_fire (self);
  aex_scope_unref (self);
}

/**
 * aex_scope_check:
 * @self: a scope
 * @error: return location for an error
 *
 * Asks whether @self, or a scope outside that it observes, was cancelled or its
 * time is over. The running job and the current context do not matter, see
 * [func@check_cancelled]. Any thread.
 *
 * Returns: %TRUE if not; %FALSE if @error is set: %G_IO_ERROR_CANCELLED or
 *   %G_IO_ERROR_TIMED_OUT
 *
 * Since: 1.0
 */
gboolean
aex_scope_check (AexScope *self, GError **error)
{
  AexScopeStatus status;

  g_return_val_if_fail (self != NULL, FALSE);

  status = aex_scope_get_status (self);
  if (G_LIKELY (status == AEX_SCOPE_OPEN))
    return TRUE;
  g_propagate_error (error, aex_scope_make_error (status));
  return FALSE;
}

/**
 * aex_scope_is_cancelled:
 * @self: a scope
 *
 * Asks whether @self itself was cancelled or its own time is over. Any thread.
 *
 * Returns: what [method@Scope.leave] would return
 *
 * Since: 1.0
 */
gboolean
aex_scope_is_cancelled (AexScope *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return (atomic_load (&self->state) & AEX_SCOPE_CANCELLED) != 0 || own_time_is_over (self);
}

/**
 * aex_scope_get_deadline_us:
 * @self: a scope
 *
 * Gets the time at which @self is over: its own, or that of a scope outside if
 * that is earlier.
 *
 * Returns: monotonic microseconds, see g_get_monotonic_time(), or -1 for never
 *
 * Since: 1.0
 */
gint64
aex_scope_get_deadline_us (AexScope *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->effective_us;
}

/* ---- without entering */

/**
 * aex_scope_run:
 * @self: a scope
 * @func: (scope call) (closure user_data): what to run
 * @user_data: data for @func
 *
 * Runs @func inside @self, at once and on the calling thread. What @func does
 * not wait for itself, but submits or attaches, stands in @self as well.
 *
 * @self, and what it observes, is all that counts inside: not a scope that was
 * entered later.
 *
 * Since: 1.0
 */
void
aex_scope_run (AexScope *self, AexContextFunc func, gpointer user_data)
{
  g_autoptr (AexContext) context = NULL;

  g_return_if_fail (self != NULL);
  g_return_if_fail (func != NULL);

  context = aex_context_with_scope (aex_thread_get ()->context, self);
  aex_context_run (context, func, user_data);
}

/**
 * aex_scope_wait_async:
 * @self: a scope
 * @pending: a pending
 * @flags: how to wait
 * @cancellable: (nullable): what ends the wait
 * @callback: (scope async) (closure user_data): called when the wait is over
 * @user_data: data for @callback
 *
 * Waits for @pending inside @self: [method@Pending.wait_async] as if it were
 * called there, with no other limit. The callback runs with the context of this
 * call, not inside @self.
 *
 * Since: 1.0
 */
void
aex_scope_wait_async (AexScope *self, AexPending *pending, AexWaitFlags flags, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (AEX_IS_PENDING (pending));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  aex_pending_wait_async_in (pending, aex_scope_is_left (self) ? NULL : self, flags, -1, cancellable, callback, user_data);
}

/**
 * aex_scope_wait_finish:
 * @self: a scope
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends [method@Scope.wait_async].
 *
 * Returns: as [method@Pending.wait]
 *
 * Since: 1.0
 */
gboolean
aex_scope_wait_finish (AexScope *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GObject) pending = NULL;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (G_IS_ASYNC_RESULT (result), FALSE);

  pending = g_async_result_get_source_object (result);
  return aex_pending_wait_finish (AEX_PENDING (pending), result, error);
}

/**
 * aex_scope_add:
 * @self: a scope
 * @pending: a pending
 *
 * Has @pending cancelled when @self, or a scope that it observes, is cancelled,
 * and ended with %G_IO_ERROR_TIMED_OUT when its time is over; at once if that has
 * happened already. A protected pending is left alone. Jobs that are submitted
 * inside are added by themselves. Any thread.
 *
 * Since: 1.0
 */
void
aex_scope_add (AexScope *self, AexPending *pending)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (AEX_IS_PENDING (pending));

  if (!aex_scope_is_left (self) && !aex_is_forked ())
    aex_pending_join_scope (pending, self);
}
