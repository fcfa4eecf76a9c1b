/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a job runs. */
#include "pending/aex-pending-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-home-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-scope-private.h"
#include "pending/aex-value-private.h"

/* ---- frames */

void
aex_frame_push (AexFrame *frame, AexPending *job, AexTarget *executor)
{
  AexThread *thread = aex_thread_get ();

  frame->previous = thread->frame;
  frame->job = job;
  frame->executor = executor;
  frame->context = NULL;
  /* Kept from one job to the next: nobody pays for a cancellable that is never cancelled. */
  frame->cancellable = thread->cancellable != NULL ? g_steal_pointer (&thread->cancellable) : g_cancellable_new ();
  frame->waiting = NULL;
  frame->depth = frame->previous != NULL ? frame->previous->depth + 1 : 0;
  thread->frame = frame;
}

/* touched: somebody may have cancelled it. */
void
aex_frame_pop (AexFrame *frame, gboolean touched)
{
  AexThread *thread = aex_thread_get ();

  thread->frame = frame->previous;
  if (!touched && thread->cancellable == NULL
      && g_atomic_int_get ((int *) &G_OBJECT (frame->cancellable)->ref_count) == 1)
    {
      aex_thread_register (thread);
      thread->cancellable = frame->cancellable;
    }
  else
    {
      g_object_unref (frame->cancellable);
    }
}

/* ---- the closure */

void
aex_pending_release_closure (AexPending *self)
{
  GDestroyNotify destroy = __atomic_exchange_n (&self->destroy, NULL, __ATOMIC_ACQ_REL);
  gpointer data = self->data;

  self->func = NULL;
  if (destroy == NULL)
    return;
  if (self->flags & AEX_FLAG_RELEASE_ON_OWNER)
    aex_destroy_at (self->environment->delivery, destroy, data);
  else
    destroy (data);
}

/* ---- cancelling what runs */

static void
cancel_run (AexEntry *entry, AexTarget *target)
{
  g_autoptr (GCancellable) cancellable = entry->a;

  (void) target;
  g_cancellable_cancel (cancellable);
}

static const AexEntryKind cancel_kind = { .run = cancel_run, .drop = cancel_run };

/* A reference to where handlers of the cancellable live: a caller's job, on its caller; a script's, where its dispatch() is called. */
static AexTarget *
home_of_handlers (AexPending *self)
{
  AexTarget *executor = self->environment != NULL ? self->environment->executor : NULL;

  if (executor == NULL)
    return NULL;
  return executor->ops->job_home != NULL ? executor->ops->job_home (executor, self) : executor->ops->cancel_target (executor, self);
}

/* In the cancelling thread, as in GIO, unless its handlers live elsewhere. */
static void
cancel_cancellable (AexPending *self, GCancellable *cancellable)
{
  AexTarget *target = home_of_handlers (self);
  AexEntry entry = { &cancel_kind, cancellable, NULL, NULL };

  if (target == NULL || target->ops->is_current (target))
    cancel_run (&entry, target);
  else
    aex_target_post_or_drop (target, AEX_LANE_HIGH, &entry);
  g_clear_pointer (&target, aex_target_unref);
}

/* self has just become cancelled or timed out: tells the function that runs, and wakes it where it blocks in a wait. */
void
aex_pending_interrupt (AexPending *self)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  GCancellable *own = NULL, *given = NULL;
  AexParker *waiting = NULL;
  guint state;

  aex_pending_lock (self);
  state = atomic_load (&self->state);
  if (extra != NULL && extra->cancellable != NULL)
    given = g_object_ref (extra->cancellable);
  if (state & AEX_BIT_STARTED && !(state & AEX_BIT_LINKED))
    {
      /* Only when func is gone is data the frame; aex_pending_run_claimed() writes them in this order. */
      gboolean has_frame = __atomic_load_n (&self->func, __ATOMIC_SEQ_CST) == NULL;
      AexFrame *frame = has_frame ? __atomic_load_n (&self->data, __ATOMIC_SEQ_CST) : NULL;

      if (frame != NULL)
        {
          own = g_object_ref (frame->cancellable);
          waiting = frame->waiting != NULL ? aex_parker_ref (frame->waiting) : NULL;
        }
    }
  aex_pending_unlock (self);

  if (given != NULL)
    cancel_cancellable (self, given);
  if (own != NULL)
    cancel_cancellable (self, own);
  /* Last: whoever comes back from the wait finds his cancellable cancelled. */
  if (waiting != NULL)
    {
      aex_parker_unpark (waiting);
      aex_parker_unref (waiting);
    }
}

/* ---- running */

static void
note_start_time (AexPending *self)
{
  AexPendingExtra *extra = atomic_load_explicit (&self->extra, memory_order_acquire);

  if (G_LIKELY (extra == NULL))
    return;
  aex_pending_lock (self);
  if (extra->record_times)
    extra->started_us = aex_clock_now ();
  extra->thread_id = (guint64) (gsize) g_thread_self ();
  aex_pending_unlock (self);
}

/* What the function returned becomes the outcome, unless it has set one. */
static void
record_return (AexPending *self, gboolean ok, GError *error)
{
  AexTarget *executor = self->environment->executor;
  guint state = aex_pending_load (self);

  if (!ok && state & AEX_BIT_REC)
    {
      if (error != NULL)
        executor->ops->report (executor, self, error);
      g_clear_error (&error);
    }
  else if (!ok)
    {
      if (error == NULL)
        error = g_error_new_literal (AEX_ERROR, AEX_ERROR_FAILED,
                                     _("The job failed without setting an error: set one, or return TRUE"));
      aex_pending_record (self, AEX_TAG_ERROR, (AexWord) { .v_error = error });
    }
  else
    {
      if (!(state & AEX_BIT_REC))
        aex_pending_record (self, AEX_TAG_NONE, (AexWord) { 0 });
      g_clear_error (&error);
    }
}

/* The frame is about to go.  Who cancels sets a bit and then looks for the frame, we take the frame away and then look for
 * the bit: one of us sees the other.  If it was set, he may hold the frame under the lock. */
static gboolean
forget_frame (AexPending *self)
{
  __atomic_store_n (&self->data, NULL, __ATOMIC_SEQ_CST);
  if (G_LIKELY (!(atomic_load (&self->state) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT))))
    return FALSE;
  aex_pending_lock (self);
  aex_pending_unlock (self);
  return TRUE;
}

void
aex_frame_reset_context (AexFrame *frame)
{
  AexThread *thread = aex_thread_get ();

  if (aex_scope_leave_all (thread->context, frame->context != NULL ? frame->context->scope : NULL, thread) > 0)
    g_critical ("A job returned without leaving a scope that it had entered: call aex_scope_leave()");
  aex_context_replace (thread, frame->context != NULL ? aex_context_ref (frame->context) : NULL);
}

/* The function has returned. */
static void
leave_context (AexThread *thread, AexFrame *frame, AexContext *saved)
{
  if (G_UNLIKELY (thread->context != frame->context))
    aex_frame_reset_context (frame);
  aex_context_leave (thread, saved);
}

/* The caller has claimed self and holds a reference. */
void
aex_pending_run_claimed (AexPending *self)
{
  AexThread *thread = aex_thread_get ();
  gpointer func = self->func, data = self->data;
  GDestroyNotify destroy = g_steal_pointer (&self->destroy);
  AexPending *next = NULL;
  AexContext *saved;
  GError *error = NULL;
  AexFrame frame;
  gboolean ok, touched;

  aex_frame_push (&frame, self, self->environment->executor);
  frame.context = self->environment->context;
  /* A coroutine goes on after its function has returned, and so does what it hung on its cancellable: it gets its own. */
  if (self->flags & AEX_FLAG_ASYNC)
    g_set_object (&frame.cancellable, aex_pending_get_cancellable (self));
  __atomic_store_n (&self->data, &frame, __ATOMIC_SEQ_CST);
  __atomic_store_n (&self->func, NULL, __ATOMIC_SEQ_CST);
  if (G_UNLIKELY (atomic_load (&self->state) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT)))
    g_cancellable_cancel (frame.cancellable);
  note_start_time (self);

  saved = aex_context_enter (thread, self->environment->context);
  aex_checkpoint ();
  if (self->flags & AEX_FLAG_ASYNC)
    {
      next = ((AexAsyncFunc) func) (self, frame.cancellable, data, &error);
      ok = error == NULL;
    }
  else
    {
      ok = ((AexJobFunc) func) (self, frame.cancellable, data, &error);
    }
  aex_checkpoint ();
  if (destroy != NULL && self->flags & AEX_FLAG_RELEASE_ON_OWNER)
    aex_destroy_at (self->environment->delivery, destroy, data);
  else if (destroy != NULL)
    destroy (data);
  leave_context (thread, &frame, saved);

  touched = forget_frame (self);
  if (next == NULL || !ok)
    record_return (self, ok, error);
  aex_frame_pop (&frame, touched);
  if (next != NULL && ok)
    aex_pending_function_follows (self, next);
  else
    aex_pending_function_done (self);
  g_clear_object (&next);
}

/* ---- the entry of a job in a queue */

/* A tombstone: whoever finds the valid entry of a job that never ran releases its closure. */
static void
release_if_dead (AexPending *self, guint generation)
{
  guint state = aex_pending_load (self);

  /* Neither queued nor started: done, or about to be by whoever records its outcome from outside. */
  if (!(state & AEX_BIT_STARTED) && AEX_GENERATION (state) == generation && AEX_PHASE (state) != AEX_PHASE_QUEUED)
    aex_pending_release_closure (self);
}

static void
run_and_leave (AexPending *self)
{
  AexTarget *executor = self->environment->executor;

  aex_pending_run_claimed (self);
  executor->ops->job_event (executor, self, AEX_JOB_LEFT);
}

static void
job_run (AexEntry *entry, AexTarget *target)
{
  AexPending *self = entry->a;
  guint generation = GPOINTER_TO_UINT (entry->b);

  (void) target;
  if (aex_pending_claim (self, generation))
    run_and_leave (self);
  else
    release_if_dead (self, generation);
  aex_pending_unref (self);
}

/* The job of an entry that stays in its queue, so that the closure is released there.  One that a wait has claimed runs on,
 * whatever becomes of its entry. */
void
aex_job_entry_close (const AexEntry *entry)
{
  if (AEX_GENERATION (aex_pending_load (entry->a)) == GPOINTER_TO_UINT (entry->b))
    aex_pending_cancel_as (entry->a, AEX_CANCEL_DROP, NULL);
}

static void
job_drop (AexEntry *entry, AexTarget *target)
{
  AexPending *self = entry->a;
  guint generation = GPOINTER_TO_UINT (entry->b);

  (void) target;
  aex_job_entry_close (entry);
  release_if_dead (self, generation);
  aex_pending_unref (self);
}

static gboolean
job_is_dead (const AexEntry *entry)
{
  return AEX_PHASE (aex_pending_load (entry->a)) != AEX_PHASE_QUEUED;
}

const AexEntryKind aex_job_kind = { .run = job_run, .drop = job_drop, .is_dead = job_is_dead };

/**
 * aex_pending_run:
 * @self: a job
 *
 * Runs a job here and now. Only for implementations of
 * [vfunc@Executor.dispatch], which must arrange that this is called once for
 * every job, on any thread. Calls for a job that has started or is done, or for
 * a pending that is no job, do nothing.
 *
 * Since: 1.0
 */
void
aex_pending_run (AexPending *self)
{
  g_return_if_fail (AEX_IS_PENDING (self));

  g_object_ref (self);
  if (aex_pending_claim_any (self))
    run_and_leave (self);
  /* What a promise has in place of a closure says where it ends, or is what it waits for. */
  else if (aex_pending_load (self) & AEX_BIT_JOB)
    release_if_dead (self, AEX_GENERATION (aex_pending_load (self)));
  g_object_unref (self);
}

/**
 * aex_pending_get_cancellable:
 * @self: a pending
 *
 * Gets a cancellable that is cancelled when @self is cancelled or its timeout
 * passes, for work that is done for @self. Made at the first call.
 *
 * Returns: (transfer none): the cancellable; it lives as long as @self
 *
 * Since: 1.0
 */
GCancellable *
aex_pending_get_cancellable (AexPending *self)
{
  AexPendingExtra *extra;
  GCancellable *cancellable;
  guint state;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  extra = aex_pending_ensure_extra (self);
  cancellable = g_cancellable_new ();
  aex_pending_lock (self);
  if (extra->cancellable == NULL)
    extra->cancellable = g_object_ref (cancellable);
  g_object_unref (cancellable);
  cancellable = extra->cancellable;
  state = aex_pending_load (self);
  aex_pending_unlock (self);
  if (state & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT) || AEX_PHASE (state) == AEX_PHASE_CANCELLED)
    g_cancellable_cancel (cancellable);
  return cancellable;
}
