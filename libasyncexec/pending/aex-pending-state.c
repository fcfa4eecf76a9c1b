/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The state machine of a pending; the table is in aex-pending-private.h. */
#include "pending/aex-pending-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-value-private.h"

static void
tell_executor (AexPending *self, AexJobEvent event)
{
  AexTarget *executor = self->environment->executor;

  executor->ops->job_event (executor, self, event);
}

/* state: when it was taken from the queue.  Of what is not counted yet whoever submits it will tell, if it is accepted. */
static void
tell_dropped (AexPending *self, guint state)
{
  if (G_LIKELY (!(state & AEX_BIT_UNCOUNTED)))
    tell_executor (self, AEX_JOB_DROPPED);
}

void
aex_pending_accepted (AexPending *self)
{
  guint state = atomic_fetch_and (&self->state, ~(guint) AEX_BIT_UNCOUNTED);

  if (G_UNLIKELY (AEX_PHASE (state) != AEX_PHASE_QUEUED && !(state & AEX_BIT_STARTED)))
    tell_executor (self, AEX_JOB_DROPPED);
}

/* Done: whatever else could have ended it is let go of, and who looks on is told before those who wait. */
static void
note_done (AexPending *self, guint old)
{
  AexPendingExtra *extra = atomic_load_explicit (&self->extra, memory_order_acquire);
  AexWaiter *canceller;
  gboolean has_bindings;
  AexAlarm *timeout;

  if (G_UNLIKELY (old & AEX_BIT_WATCHED))
    aex_pending_end_messages (self);
  if (G_UNLIKELY (aex_pending_has_handlers (self)))
    aex_pending_changed_last (self);
  if (G_LIKELY (extra == NULL))
    return;
  aex_pending_lock (self);
  if (extra->record_times)
    extra->done_us = aex_clock_now ();
  timeout = g_steal_pointer (&extra->timeout);
  canceller = g_steal_pointer (&extra->canceller);
  has_bindings = extra->bindings != NULL;
  aex_pending_unlock (self);
  g_clear_pointer (&timeout, aex_alarm_cancel);
  g_clear_pointer (&canceller, aex_waiter_release);
  if (has_bindings)
    aex_pending_drop_bindings (self);
}

/* The entry that carries generation is the valid one. */
gboolean
aex_pending_claim (AexPending *self, guint generation)
{
  guint state;

  /* Who cancels a scope comes to its jobs one by one: those that are queued do not start meanwhile. */
  if (G_UNLIKELY (self->environment->context != NULL))
    aex_pending_look_at_scope (self);
  state = aex_pending_load (self);
  do
    {
      if (AEX_PHASE (state) != AEX_PHASE_QUEUED || AEX_GENERATION (state) != generation)
        return FALSE;
    }
  while (!atomic_compare_exchange_weak_explicit (&self->state, &state, (state & ~AEX_PHASE_MASK) | AEX_PHASE_RUNNING | AEX_BIT_STARTED,
                                                 memory_order_acq_rel, memory_order_acquire));
  tell_executor (self, AEX_JOB_STARTED);
  if (G_UNLIKELY (aex_pending_has_handlers (self)))
    aex_pending_changed (self, AEX_CHANGE_STATE);
  return TRUE;
}

/* By a waiter or a scripted executor, whatever the entry. */
gboolean
aex_pending_claim_any (AexPending *self)
{
  guint state = aex_pending_load (self);

  return AEX_PHASE (state) == AEX_PHASE_QUEUED && !(self->flags & AEX_FLAG_UNRUN)
         && aex_pending_claim (self, AEX_GENERATION (state));
}

static guint
final_phase (AexPending *self, guint state)
{
  if (state & AEX_BIT_CANCEL)
    return AEX_PHASE_CANCELLED;
  if (state & AEX_BIT_TIMED_OUT)
    return AEX_PHASE_REJECTED;
  if (self->tag == AEX_TAG_FORWARD)
    return AEX_PHASE (aex_pending_load (self->value.v_pending));
  return self->tag == AEX_TAG_ERROR || self->tag == AEX_TAG_FAILURE ? AEX_PHASE_REJECTED : AEX_PHASE_RESOLVED;
}

/* The one that gets here is alone: the owner of the record, or the returning function.  Only cancel, timeout and attach
 * still change bits. */
static void
settle (AexPending *self, gboolean is_job)
{
  guint state = aex_pending_load (self);

  if (is_job)
    tell_executor (self, AEX_JOB_FINISHED);
  while (!atomic_compare_exchange_weak_explicit (&self->state, &state, (state & ~AEX_PHASE_MASK) | final_phase (self, state),
                                                 memory_order_acq_rel, memory_order_acquire))
    ;
  if (is_job && self->environment->executor->ops->job_settled != NULL)
    self->environment->executor->ops->job_settled (self->environment->executor, self);
  note_done (self, state);
  if (state & AEX_BIT_LINKED)
    aex_pending_drop_sources (self, FALSE);
  if (state & AEX_BIT_WAIT)
    aex_pending_settled (self);
}

/* For a phase that needs no record: takes the pending from the phase in state to a final one. */
static gboolean
settle_from (AexPending *self, guint *state, guint phase, guint bits)
{
  if (!atomic_compare_exchange_weak_explicit (&self->state, state, (*state & ~AEX_PHASE_MASK) | phase | bits,
                                              memory_order_acq_rel, memory_order_acquire))
    return FALSE;
  note_done (self, *state);
  return TRUE;
}

/* Is this the thread that runs the function of self? */
static gboolean
runs_here (AexPending *self)
{
  AexFrame *frame = aex_thread_get ()->frame;

  return frame != NULL && frame->job == self;
}

static void
write_outcome (AexPending *self, AexTag tag, AexWord value)
{
  if (G_UNLIKELY (self->flags & AEX_FLAG_TYPED))
    aex_outcome_check (self, &tag, &value);
  self->tag = (guint8) tag;
  self->value = value;
}

/* Everything is there: the function has returned and the outcome is written. */
static void
function_ended (AexPending *self)
{
  AexPending *other;

  if (self->tag != AEX_TAG_FOLLOW || aex_pending_load (self) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT))
    {
      settle (self, TRUE);
      return;
    }
  other = self->value.v_pending;
  self->tag = AEX_TAG_NONE;
  atomic_fetch_and (&self->state, ~(guint) (AEX_BIT_REC | AEX_BIT_RECD | AEX_BIT_RET));
  aex_pending_function_follows (self, other);
  g_object_unref (other);
}

/* A queued job that somebody completes from outside never runs. */
static gboolean
record_queued (AexPending *self, guint state)
{
  gboolean won;

  /* Its entry may be found, and go with its reference, before the executor has been told. */
  g_object_ref (self);
  won = atomic_compare_exchange_strong (&self->state, &state, (state & ~AEX_PHASE_MASK) | AEX_PHASE_RUNNING | AEX_BIT_REC);
  if (won)
    tell_dropped (self, state);
  aex_pending_unref (self);
  return won;
}

static gboolean
record_lost (AexPending *self, AexTag tag, AexWord value)
{
  aex_word_clear (tag, value, self->environment != NULL ? self->environment->delivery : NULL);
  return FALSE;
}

gboolean
aex_pending_record (AexPending *self, AexTag tag, AexWord value)
{
  guint state = aex_pending_load (self);
  gboolean mine = (state & AEX_BIT_JOB) && runs_here (self);
  guint bits = mine ? AEX_BIT_REC | AEX_BIT_RECD : AEX_BIT_REC;
  guint old;

  for (;;)
    {
      if (AEX_IS_DONE (state) || (state & AEX_BIT_REC))
        return record_lost (self, tag, value);
      if (state & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT) && state & AEX_BIT_STARTED)
        return record_lost (self, tag, value);
      if (AEX_PHASE (state) == AEX_PHASE_QUEUED)
        {
          if (record_queued (self, state))
            break;
          state = aex_pending_load (self);
          continue;
        }
      if (atomic_compare_exchange_weak_explicit (&self->state, &state, state | bits, memory_order_acq_rel, memory_order_acquire))
        break;
    }

  write_outcome (self, tag, value);
  if (mine)
    return TRUE;
  if (!(state & AEX_BIT_STARTED))
    {
      settle (self, FALSE);
      return TRUE;
    }
  old = atomic_fetch_or_explicit (&self->state, AEX_BIT_RECD, memory_order_acq_rel);
  if (old & AEX_BIT_RET)
    function_ended (self);
  return TRUE;
}

/* Takes the slot of a promise's outcome, so that nobody else ends it: for who has to be sure of that under a lock of his,
 * and resolves it by aex_pending_fulfil() afterwards. */
gboolean
aex_pending_reserve (AexPending *self)
{
  guint state = aex_pending_load (self);

  do
    {
      if (AEX_IS_DONE (state) || (state & AEX_BIT_REC))
        return FALSE;
    }
  while (!atomic_compare_exchange_weak_explicit (&self->state, &state, state | AEX_BIT_REC, memory_order_acq_rel, memory_order_acquire));
  return TRUE;
}

void
aex_pending_fulfil (AexPending *self)
{
  write_outcome (self, AEX_TAG_NONE, (AexWord) { 0 });
  settle (self, FALSE);
}

/* The function has returned and something was recorded, or is being recorded by another thread. */
void
aex_pending_function_done (AexPending *self)
{
  guint state = aex_pending_load (self);

  while ((state & (AEX_BIT_REC | AEX_BIT_RECD)) == AEX_BIT_REC)
    if (atomic_compare_exchange_weak_explicit (&self->state, &state, state | AEX_BIT_RET, memory_order_acq_rel, memory_order_acquire))
      return;
  function_ended (self);
}

/* A coroutine, a follower or a derived pending takes over the outcome of a source that is done: by sharing it. */
gboolean
aex_pending_settle_linked (AexPending *self, AexPending *source)
{
  guint state = aex_pending_load (self);
  AexPending *root = aex_pending_get_root (source);

  for (;;)
    {
      if (AEX_IS_DONE (state) || (state & AEX_BIT_REC))
        return FALSE;
      if (atomic_compare_exchange_weak (&self->state, &state, state | AEX_BIT_REC | AEX_BIT_RECD))
        break;
    }
  /* What several reports say of one thing is seen when one of them is read: it stays responsible itself. */
  if (self->flags & AEX_FLAG_LIBRARY && root == source)
    atomic_store_explicit (&self->observed, TRUE, memory_order_relaxed);
  else
    aex_pending_note_observed (source);
  aex_pending_hear (self, source);
  write_outcome (self, AEX_TAG_FORWARD, (AexWord) { .v_pending = g_object_ref (root) });
  settle (self, (state & AEX_BIT_STARTED) != 0);
  return TRUE;
}

void
aex_pending_note_observed (AexPending *self)
{
  atomic_store_explicit (&self->observed, TRUE, memory_order_relaxed);
  if (G_UNLIKELY (self->flags & AEX_FLAG_LIBRARY) && AEX_IS_DONE (aex_pending_load (self)))
    atomic_store_explicit (&aex_pending_get_root (self)->observed, TRUE, memory_order_relaxed);
}

/* Messages of repeated cancels are joined. */
static void
add_cancel_message (AexPending *self, const char *message)
{
  AexPendingExtra *extra;
  char *old;

  if (message == NULL)
    return;
  extra = aex_pending_ensure_extra (self);
  aex_pending_lock (self);
  old = extra->cancel_message;
  extra->cancel_message = old != NULL ? g_strconcat (old, "\n", message, NULL) : g_strdup (message);
  aex_pending_unlock (self);
  g_free (old);
}

static gboolean
cancel_queued (AexPending *self, guint *state, AexCancelKind kind)
{
  gboolean timeout = kind == AEX_CANCEL_TIMEOUT;
  gboolean closed = kind == AEX_CANCEL_CLOSED || kind == AEX_CANCEL_DROP;

  if (!settle_from (self, state, timeout ? AEX_PHASE_REJECTED : AEX_PHASE_CANCELLED,
                    timeout ? AEX_BIT_TIMED_OUT : closed ? AEX_BIT_CLOSED : 0))
    return FALSE;
  tell_dropped (self, *state);
  return TRUE;
}

static void
call_canceller (AexPending *self)
{
  AexPendingExtra *extra = aex_pending_ensure_extra (self);
  AexWaiter *canceller;

  aex_pending_lock (self);
  canceller = g_steal_pointer (&extra->canceller);
  aex_pending_unlock (self);
  if (canceller != NULL)
    aex_waiter_deliver (canceller, self);
}

/* What follows when the state says so; outside of all locks. */
static void
after_cancel (AexPending *self, guint old, gboolean done)
{
  if (old & AEX_BIT_CANCELLER && !done)
    call_canceller (self);
  else if (!done || atomic_load (&self->extra) != NULL)
    aex_pending_interrupt (self);
  /* A coroutine stays until what it follows has ended; a derived pending ends at once. */
  if (old & AEX_BIT_LINKED && !done)
    aex_pending_cancel_sources (self);
  else if (old & AEX_BIT_LINKED)
    aex_pending_drop_sources (self, TRUE);
  if (done && (old & AEX_BIT_WAIT))
    aex_pending_settled (self);
}

/* One try.  -1: the state changed, look again; else whether self is cancelled. */
static int
cancel_once (AexPending *self, guint *state, AexCancelKind kind, gboolean *done)
{
  guint bit = kind == AEX_CANCEL_TIMEOUT ? AEX_BIT_TIMED_OUT : AEX_BIT_CANCEL;
  gboolean is_promise = !(*state & AEX_BIT_STARTED);

  *done = FALSE;
  if (AEX_PHASE (*state) == AEX_PHASE_QUEUED)
    {
      *done = TRUE;
      return cancel_queued (self, state, kind) ? TRUE : -1;
    }
  if (!is_promise || (*state & AEX_BIT_CANCELLER))
    {
      if (is_promise && (*state & AEX_BIT_REC))
        return FALSE;
      return atomic_compare_exchange_weak (&self->state, state, *state | bit) ? TRUE : -1;
    }
  if (*state & AEX_BIT_REC)
    return FALSE;
  *done = TRUE;
  return settle_from (self, state, kind == AEX_CANCEL_TIMEOUT ? AEX_PHASE_REJECTED : AEX_PHASE_CANCELLED,
                      kind == AEX_CANCEL_TIMEOUT ? AEX_BIT_TIMED_OUT : kind == AEX_CANCEL_CLOSED ? AEX_BIT_CLOSED : 0)
         ? TRUE : -1;
}

/* Whoever asks later is told that somebody wanted it. */
static gboolean
refuse_cancel (AexPending *self, AexCancelKind kind)
{
  if (kind <= AEX_CANCEL_IMPLIED)
    atomic_fetch_or (&self->state, AEX_BIT_ASKED);
  return FALSE;
}

gboolean
aex_pending_cancel_as (AexPending *self, AexCancelKind kind, const char *message)
{
  guint state = aex_pending_load (self);
  gboolean done = FALSE;
  int result = -1;

  if (aex_is_forked ())
    return FALSE;
  if (AEX_IS_DONE (state) && AEX_PHASE (state) != AEX_PHASE_CANCELLED)
    return FALSE;
  if (self->flags & AEX_FLAG_LIBRARY && kind != AEX_CANCEL_CLOSED && kind != AEX_CANCEL_OWN)
    return refuse_cancel (self, kind);
  if (self->flags & AEX_FLAG_PROTECTED && kind == AEX_CANCEL_IMPLIED)
    return refuse_cancel (self, kind);

  if ((kind == AEX_CANCEL_EXPLICIT || kind == AEX_CANCEL_IMPLIED) && state & AEX_BIT_JOB && !(state & AEX_BIT_CANCEL))
    {
      aex_pending_look_at_time (self);
      state = aex_pending_load (self);
    }
  add_cancel_message (self, message);
  while (result < 0)
    {
      if ((kind == AEX_CANCEL_QUEUED || kind == AEX_CANCEL_DROP) && AEX_PHASE (state) != AEX_PHASE_QUEUED)
        return AEX_IS_DONE (state) ? FALSE : refuse_cancel (self, kind);
      if (AEX_IS_DONE (state))
        return AEX_PHASE (state) == AEX_PHASE_CANCELLED;
      /* The first of the two decides. */
      if (state & AEX_BIT_CANCEL)
        return TRUE;
      result = state & AEX_BIT_TIMED_OUT ? FALSE : cancel_once (self, &state, kind, &done);
    }
  if (!result)
    return refuse_cancel (self, kind);
  after_cancel (self, state, done);
  return TRUE;
}

/* From dispose: a queued job that nobody is going to run leaves the count of its executor. */
void
aex_pending_drop_queued (AexPending *self)
{
  guint state = aex_pending_load (self);

  while (AEX_PHASE (state) == AEX_PHASE_QUEUED)
    if (atomic_compare_exchange_weak (&self->state, &state, (state & ~AEX_PHASE_MASK) | AEX_PHASE_CANCELLED))
      tell_dropped (self, state);
}
