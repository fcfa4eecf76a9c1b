/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Blocking until a pending is done. */
#include "pending/aex-pending-wait-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-scope-private.h"

/* One blocking wait. */
typedef struct {
  AexPending *pending;
  AexWaitFlags flags;
  gint64 deadline_us;        /* its own */
  GCancellable *cancellable; /* the next three: what ends it from outside; NULL: nothing */
  AexScope *scope;
  AexFrame *frame;
  AexThread *thread;
  AexParker *parker;
  AexParker *outer;        /* of the wait that we are in, which home woke until now */
  AexHome *home;
  AexWaiter waiter;
  gulong handler;
  AexScopeWatch *watch;
} AexWait;

static gboolean
wait_result (AexPending *self, AexWaitFlags flags, GError **error)
{
  AexPending *root;

  if (flags & AEX_WAIT_FLAGS_NO_RESULT)
    return TRUE;
  if (!aex_pending_peek_resolved (self, &root, error))
    return FALSE;
  return TRUE;
}

gboolean
aex_wait_timed_out (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GError **error)
{
  if (flags & AEX_WAIT_FLAGS_CANCEL_ON_ABANDON && timeout_us != 0)
    aex_pending_cancel_as (self, AEX_CANCEL_IMPLIED, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("The pending was not done in time"));
  return FALSE;
}

gboolean
aex_wait_cancelled (AexPending *self, AexWaitFlags flags, GError **error)
{
  if (flags & AEX_WAIT_FLAGS_CANCEL_ON_ABANDON)
    aex_pending_cancel_as (self, AEX_CANCEL_IMPLIED, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, _("The wait was cancelled"));
  return FALSE;
}

static void
unpark_on_cancel (GCancellable *cancellable, gpointer data)
{
  (void) cancellable;
  aex_parker_unpark (data);
}

static void
parker_closure_free (gpointer data, GClosure *closure)
{
  (void) closure;
  aex_parker_unref (data);
}

static void
unpark_on_scope (AexScope *scope, gpointer parker)
{
  (void) scope;
  aex_parker_unpark (parker);
}

static void
parker_free (gpointer parker)
{
  aex_parker_unref (parker);
}

typedef enum { AEX_WAITED_NOT, AEX_WAITED_DONE, AEX_WAITED_TIMED_OUT, AEX_WAITED_CANCELLED } AexWaited;

static AexWaited
frame_ended (AexFrame *frame)
{
  guint state;

  if (frame->job == NULL)
    return g_cancellable_is_cancelled (frame->cancellable) ? AEX_WAITED_CANCELLED : AEX_WAITED_NOT;
  state = aex_pending_load (frame->job);
  if (state & AEX_BIT_CANCEL)
    return AEX_WAITED_CANCELLED;
  return state & AEX_BIT_TIMED_OUT ? AEX_WAITED_TIMED_OUT : AEX_WAITED_NOT;
}

/* Did the wait end from outside: with its cancellable, its scope, or the job that it stands in? */
static AexWaited
wait_ended (AexWait *self)
{
  AexScopeStatus status = self->scope != NULL ? aex_scope_get_status (self->scope) : AEX_SCOPE_OPEN;

  if (self->cancellable != NULL && g_cancellable_is_cancelled (self->cancellable))
    return AEX_WAITED_CANCELLED;
  if (status != AEX_SCOPE_OPEN)
    return status == AEX_SCOPE_TIMED_OUT ? AEX_WAITED_TIMED_OUT : AEX_WAITED_CANCELLED;
  return self->frame != NULL ? frame_ended (self->frame) : AEX_WAITED_NOT;
}

static void
set_frame_waiting (AexFrame *frame, AexParker *parker)
{
  if (frame == NULL || frame->job == NULL)
    return;
  aex_pending_lock (frame->job);
  frame->waiting = parker;
  aex_pending_unlock (frame->job);
}

static void
wait_begin (AexWait *self)
{
  GCancellable *cancellable = self->cancellable;

  if (cancellable == NULL && self->frame != NULL && self->frame->job == NULL)
    cancellable = self->cancellable = self->frame->cancellable;
  self->waiter.kind = AEX_WAITER_BLOCK;
  self->waiter.parker = self->parker;
  aex_pending_attach (self->pending, &self->waiter);
  set_frame_waiting (self->frame, self->parker);
  if (cancellable != NULL)
    self->handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (unpark_on_cancel),
                                           aex_parker_ref (self->parker), parker_closure_free, 0);
  /* Its time is looked at while parking. */
  if (self->scope != NULL)
    self->watch = aex_scope_watch (self->scope, FALSE, unpark_on_scope, aex_parker_ref (self->parker), parker_free, NULL);
  if (self->home != NULL)
    self->outer = aex_home_begin_blocked (self->home, self->parker);
}

static void
wait_end (AexWait *self)
{
  if (self->home != NULL)
    aex_home_end_blocked (self->home, self->parker, g_steal_pointer (&self->outer));
  g_clear_pointer (&self->watch, aex_scope_watch_free);
  if (self->handler != 0)
    g_signal_handler_disconnect (self->cancellable, self->handler);
  set_frame_waiting (self->frame, NULL);
  aex_pending_detach (self->pending, &self->waiter, NULL);
}

static AexWaited
wait_block (AexWait *self)
{
  gint64 deadline_us = aex_clock_earlier (self->deadline_us, self->scope != NULL ? self->scope->effective_us : -1);
  guint spins = aex_spin_count ();
  gboolean ignore_end = FALSE;

  for (;;)
    {
      AexWaited ended = AEX_WAITED_NOT;

      /* What runs here may wait itself and eat our wake: look at everything after it. */
      if (self->home != NULL)
        aex_home_drain_releases (self->home);
      if (AEX_IS_DONE (aex_pending_load (self->pending)))
        return AEX_WAITED_DONE;
      if (!ignore_end)
        ended = wait_ended (self);
      if (ended != AEX_WAITED_NOT)
        {
          if (!(self->flags & AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY))
            return ended;
          if (aex_pending_cancel_as (self->pending, AEX_CANCEL_QUEUED, NULL))
            return ended;
          ignore_end = TRUE;
          deadline_us = self->deadline_us;
        }
      if (!aex_parker_park (self->parker, spins, deadline_us)
          && self->deadline_us >= 0 && aex_clock_now () >= self->deadline_us)
        return AEX_IS_DONE (aex_pending_load (self->pending)) ? AEX_WAITED_DONE : AEX_WAITED_TIMED_OUT;
      spins = 0;
    }
}

/* Blocks, with the executor of the running job told, unless it would be for ever. */
static gboolean
wait_guarded (AexWait *self, gint64 timeout_us, GError **error)
{
  AexFrame *frame = self->thread->frame;
  AexTarget *executor = frame != NULL ? frame->executor : NULL;
  AexWaitGraphNode node;
  AexWaited waited;

  if (!aex_wait_graph_enter (&node, self->thread, self->pending, error))
    return FALSE;
  if (executor != NULL && !executor->ops->wait_begin (executor))
    {
      aex_wait_graph_leave (&node);
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                           _("Too many jobs of this pool block already and none is left to run what they wait for: "
                             "use callbacks or a larger pool"));
      return FALSE;
    }
  wait_begin (self);
  waited = wait_block (self);
  wait_end (self);
  if (executor != NULL)
    executor->ops->wait_end (executor);
  aex_wait_graph_leave (&node);

  if (waited == AEX_WAITED_TIMED_OUT)
    return aex_wait_timed_out (self->pending, self->flags, timeout_us, error);
  if (waited == AEX_WAITED_CANCELLED)
    return aex_wait_cancelled (self->pending, self->flags, error);
  return wait_result (self->pending, self->flags, error);
}

/**
 * aex_pending_wait:
 * @self: a pending
 * @flags: how to wait
 * @timeout_us: microseconds, -1 for no limit, 0 to look only
 * @cancellable: (nullable): what ends the wait
 * @error: return location for an error
 *
 * Blocks the calling thread until @self is done.
 *
 * Inside a job, the wait also ends when that job is cancelled or its time is
 * over, and inside a [struct@Scope] when that is. Without any limit of its own,
 * or a scope, a job first runs the awaited one itself, if that is still queued on
 * the same pool, and else lets the pool start another thread meanwhile. While it
 * blocks, the thread frees the data of callbacks that belong to its own main
 * context; it never calls callbacks.
 *
 * A wait that can never end is refused with %AEX_ERROR_WOULD_DEADLOCK: for a
 * pending that runs on, or is delivered to, this thread's own main context
 * (use [method@Pending.run_until_done] there), for the running job itself, and
 * for one that waits, through whatever chain, for this job.
 *
 * By default a wait that is cancelled or times out leaves @self alone, see
 * [flags@WaitFlags].
 *
 * Returns: %TRUE if @self was resolved (with %AEX_WAIT_FLAGS_NO_RESULT: is
 *   done), %FALSE if @error is set: the error or cancellation of @self, or why
 *   the wait ended
 *
 * Since: 1.0
 */
gboolean
aex_pending_wait (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable, GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexWait wait = { .pending = self, .flags = flags, .thread = thread };
  AexObserved observed = { NULL, TRUE };
  gboolean ok;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);

  aex_checkpoint ();
  if (AEX_IS_DONE (aex_pending_load (self)))
    return wait_result (self, flags, error);
  if (aex_fork_check (error))
    return FALSE;
  if (timeout_us == 0)
    return aex_wait_timed_out (self, flags, 0, error);

  g_object_ref (self);
  if (!(flags & AEX_WAIT_FLAGS_SHIELD))
    observed = aex_scope_observe (thread);
  if (timeout_us < 0 && cancellable == NULL && observed.scope == NULL)
    while (aex_pending_claim_for_wait (self, FALSE))
      ;
  if (AEX_IS_DONE (aex_pending_load (self)))
    {
      ok = wait_result (self, flags, error);
    }
  else
    {
      wait.cancellable = flags & AEX_WAIT_FLAGS_SHIELD ? NULL : cancellable;
      wait.scope = observed.scope;
      wait.frame = observed.shielded ? NULL : thread->frame;
      wait.deadline_us = aex_clock_deadline (timeout_us);
      wait.parker = aex_thread_get_parker (thread);
      wait.home = aex_home_peek_own (thread);
      ok = wait_guarded (&wait, timeout_us, error);
    }
  g_object_unref (self);
  return ok;
}
