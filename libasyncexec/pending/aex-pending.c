/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-pending-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-error-private.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-value-private.h"

/**
 * AexPending:
 *
 * A result that will be there later: future, promise and job in one object.
 *
 * A pending that an executor made (see [method@Executor.submit]) is a *job*: it
 * is done when its function has returned. One made with [ctor@Pending.new] is a
 * *promise*: it is done when somebody calls one of the `resolve` functions or
 * [method@Pending.reject]. Either completes exactly once, whatever races:
 * with a value, an error, or a cancellation.
 *
 * To get at the outcome, attach a callback ([method@Pending.add_done_callback],
 * [method@Pending.then]), await it ([method@Pending.wait_async]), run the main
 * context until it is there ([method@Pending.run_until_done]) or block a thread
 * ([method@Pending.wait]). Callbacks never run inside the call that attaches or
 * completes: they run in a dispatch of the main context of the thread that
 * attached them, and are released there.
 *
 * All functions may be called on any thread. The last reference may be dropped
 * on any thread. A pending that is dropped before it is done is abandoned: its
 * callbacks are released uncalled, what was derived from it ends with
 * %AEX_ERROR_ABANDONED.
 *
 * Since: 1.0
 */
G_DEFINE_FINAL_TYPE (AexPending, aex_pending, G_TYPE_OBJECT)

static __thread gboolean making_blank;

/* The lock of a pending is one of these: none of its own, for there may be a million.  No thread holds two, and nothing
 * of a user runs under one. */
#define N_LOCKS 64

static struct {
  GMutex mutex;
  char padding[64 - sizeof (GMutex)];
} locks[N_LOCKS] __attribute__ ((aligned (64)));

GMutex *
aex_pending_get_lock (AexPending *self)
{
  gsize address = GPOINTER_TO_SIZE (self);

  return &locks[((address >> 4) ^ (address >> 11)) % N_LOCKS].mutex;
}

static void
extra_free (AexPending *self, AexPendingExtra *extra)
{
  if (!extra->name_is_static)
    g_free (extra->name);
  g_clear_pointer (&extra->metadata, g_hash_table_unref);
  g_clear_object (&extra->cancellable);
  g_free (extra->cancel_message);
  g_free (extra->progress_message);
  if (extra->cached_value != NULL)
    {
      aex_value_release (extra->cached_value, self->environment != NULL ? self->environment->delivery : NULL);
      g_free (extra->cached_value);
    }
  g_clear_pointer (&extra->canceller, aex_waiter_release);
  g_clear_pointer (&extra->timeout, aex_alarm_cancel);
  g_clear_error (&extra->untimed);
  if (extra->messages != NULL)
    aex_messages_free (extra->messages, self);
  aex_live_add (AEX_LIVE_EXTENSION, -1);
  g_free (extra);
}

AexPendingExtra *
aex_pending_ensure_extra (AexPending *self)
{
  AexPendingExtra *extra = atomic_load (&self->extra);
  AexPendingExtra *made;

  if (extra != NULL)
    return extra;
  made = g_new0 (AexPendingExtra, 1);
  made->submitted_us = made->started_us = made->done_us = -1;
  made->progress = -1;
  made->told_phase = AEX_PHASE_UNTOLD;
  if (atomic_compare_exchange_strong (&self->extra, &extra, made))
    {
      aex_live_add (AEX_LIVE_EXTENSION, 1);
      return made;
    }
  g_free (made);
  return extra;
}

/* One that is nothing yet: its maker says what it is. */
static AexPending *
blank_new (void)
{
  AexPending *self;

  making_blank = TRUE;
  self = g_object_new (AEX_TYPE_PENDING, NULL);
  making_blank = FALSE;
  return self;
}

/* From dispose: a pending like self, with its outcome and all that is known of it.  self itself must not be handed to
 * another thread: GObject still touches it after dispose, when that thread may have freed it. */
static AexPending *
ghost_new (AexPending *self)
{
  AexPendingExtra *extra = atomic_exchange (&self->extra, NULL);
  AexPending *ghost = blank_new ();
  guint state = aex_pending_load (self);

  atomic_store (&ghost->state, AEX_PHASE (state) | (state & AEX_BIT_TIMED_OUT));
  atomic_store (&ghost->observed, TRUE);
  ghost->tag = self->tag;
  ghost->value = self->value;
  self->tag = AEX_TAG_NONE;
  if (self->environment != NULL)
    ghost->environment = aex_environment_ref (self->environment);
  /* Who subscribed did so to self, and nobody else would let go of what he was given. */
  if (extra != NULL && extra->messages != NULL)
    aex_messages_close (extra->messages, self);
  atomic_store (&ghost->extra, extra);
  return ghost;
}

/* A rejection that nobody has seen: said once. */
static void
report_unobserved (AexPending *self)
{
  AexTarget *executor = self->environment != NULL ? self->environment->executor : NULL;
  g_autoptr (AexPending) ghost = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  if (atomic_exchange (&self->observed, TRUE))
    return;
  error = aex_pending_make_error (self);
  if (aex_error_is_cancellation (error))
    return;
  if (executor != NULL)
    {
      ghost = ghost_new (self);
      executor->ops->report (executor, ghost, error);
      return;
    }
  name = aex_pending_dup_name (self);
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING,
                    "AEX_PENDING", name != NULL ? name : "",
                    "AEX_ERROR_DOMAIN", g_quark_to_string (error->domain),
                    "MESSAGE", "Unhandled error in %s: %s", name != NULL ? name : "a promise", error->message);
}

static gboolean
is_listed (AexPending *self)
{
  gboolean found = FALSE;

  aex_pending_lock (self);
  for (AexWaiter *waiter = self->waiters; waiter != NULL && !found; waiter = waiter->next)
    found = waiter->kind == AEX_WAITER_INLINE && waiter->weak;
  aex_pending_unlock (self);
  return found;
}

/* Nobody will end it any more.  A tracker may refer to what it lists just now, and let go of that before the
 * g_object_unref() that we are in looks again: what is listed leaves the list here whatever its count is.  Who refers to it
 * looks afterwards whether it was going. */
static gboolean
is_abandoned (AexPending *self)
{
  return !AEX_IS_DONE (aex_pending_load (self))
         && (g_atomic_int_get ((int *) &self->parent_instance.ref_count) == 1 || is_listed (self));
}

static void
aex_pending_dispose (GObject *object)
{
  AexPending *self = (AexPending *) object;

  /* g_object_run_dispose() of somebody else's object is no reason to end. */
  if (!aex_is_forked () && is_abandoned (self))
    {
      atomic_fetch_or (&self->state, AEX_BIT_GOING);
      aex_pending_abandon (self);
    }
  if (g_atomic_int_get ((int *) &object->ref_count) == 1 && !aex_is_forked ())
    {
      if (AEX_PHASE (aex_pending_load (self)) == AEX_PHASE_REJECTED
          && !atomic_load_explicit (&self->observed, memory_order_relaxed))
        report_unobserved (self);
      /* We are in the last g_object_unref(), which disconnects handlers and tells weak references itself, right after us:
       * to do it twice was a tenth of the life of a job. */
      if (g_atomic_int_get ((int *) &object->ref_count) == 1)
        return;
    }
  G_OBJECT_CLASS (aex_pending_parent_class)->dispose (object);
}

static void
pending_clear (AexPending *self)
{
  AexPendingExtra *extra = atomic_load_explicit (&self->extra, memory_order_acquire);

  if (self->destroy != NULL)
    aex_pending_release_closure (self);
  aex_outcome_clear (self);
  if (extra != NULL && !aex_is_forked ())
    aex_pending_drop_bindings (self);
  if (extra != NULL)
    extra_free (self, extra);
  if (self->environment != NULL)
    aex_environment_give (self->environment);
  aex_live_add (AEX_LIVE_PENDING, -1);
}

static void
aex_pending_finalize (GObject *object)
{
  pending_clear ((AexPending *) object);
  G_OBJECT_CLASS (aex_pending_parent_class)->finalize (object);
}

/* GObject's list of what is alive (GOBJECT_DEBUG) would miss what goes past its finalizer. */
static gboolean may_free_directly;

/* The caller's reference is the only one, and there is no data, weak reference, toggle reference, watching closure or signal
 * handler: nobody else can reach self, and nobody waits to be told of its end.  To be asked of one that no tracker lists:
 * one that is new, or done. */
static gboolean
is_only_ours (AexPending *self)
{
  GObject *object = &self->parent_instance;

  return g_atomic_int_get ((int *) &object->ref_count) == 1
         && __atomic_load_n (&object->qdata, __ATOMIC_ACQUIRE) == NULL
         && aex_pending_handlers_mask != 0 && !aex_pending_has_handlers (self);
}

/* Like g_object_ref(). */
AexPending *
aex_pending_ref_new (AexPending *self)
{
  if (G_LIKELY (is_only_ours (self)))
    g_atomic_int_set ((int *) &self->parent_instance.ref_count, 2);
  else
    g_object_ref (self);
  return self;
}

/* Like g_object_unref(), which looks under many locks for those that could be told of the end: not when there can be none,
 * nor anything left to be done but to free. */
void
aex_pending_unref (AexPending *self)
{
  guint phase = AEX_PHASE (aex_pending_load (self));

  if (may_free_directly && phase >= AEX_PHASE_RESOLVED && phase != AEX_PHASE_REJECTED && is_only_ours (self))
    {
      pending_clear (self);
      g_type_free_instance ((GTypeInstance *) self);
    }
  else
    {
      g_object_unref (self);
    }
}

static void
aex_pending_class_init (AexPendingClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  G_STATIC_ASSERT (sizeof (AexPending) <= 88);
  object_class->dispose = aex_pending_dispose;
  object_class->finalize = aex_pending_finalize;
  aex_pending_install_properties (object_class);
  aex_pending_probe_handlers ();
  may_free_directly = g_getenv ("GOBJECT_DEBUG") == NULL;
  aex_fork_watch ();
  aex_thread_set_flush_func (aex_environment_flush_thread);
}

static void
become_promise (AexPending *self)
{
  atomic_store_explicit (&self->state, AEX_PHASE_RUNNING, memory_order_relaxed);
  if (!aex_is_forked ())
    self->environment = aex_environment_take (NULL, aex_thread_get ()->context);
}

/* Whoever makes one with g_object_new(), as bindings do, gets a promise. */
static void
aex_pending_init (AexPending *self)
{
  aex_live_add (AEX_LIVE_PENDING, 1);
  if (!making_blank)
    become_promise (self);
}

AexPending *
aex_pending_new_job (AexTarget *executor, AexContext *context, gpointer func, gpointer data, GDestroyNotify destroy, guint flags)
{
  AexPending *self = blank_new ();

  atomic_store_explicit (&self->state, AEX_PHASE_QUEUED | AEX_BIT_JOB, memory_order_relaxed);
  self->flags = (guint8) flags;
  self->lane = AEX_LANE_DEFAULT;
  self->func = func;
  self->data = data;
  self->destroy = destroy;
  self->environment = aex_environment_take (executor, context);
  return self;
}

AexPending *
aex_pending_new_promise (guint flags)
{
  AexPending *self = blank_new ();

  self->flags = (guint8) flags;
  become_promise (self);
  return self;
}

/* What becomes of a caller: nobody cancels it, and nobody waits for it on the thread of home, which is only compared. */
AexPending *
aex_pending_new_report (gpointer home)
{
  AexPending *self = aex_pending_new_promise (AEX_FLAG_LIBRARY);

  self->func = home;
  return self;
}

AexPending *
aex_pending_new_failed (GError *error)
{
  AexPending *self = aex_pending_new_promise (0);

  aex_pending_reject (self, error);
  return self;
}

AexPending *
aex_pending_new_if_forked (void)
{
  GError *error = NULL;

  return G_UNLIKELY (aex_fork_check (&error)) ? aex_pending_new_failed (error) : NULL;
}

AexPending *
aex_pending_new_closed (void)
{
  AexPending *self = aex_pending_new_promise (0);

  aex_pending_cancel_as (self, AEX_CANCEL_CLOSED, NULL);
  return self;
}

/**
 * aex_pending_new:
 *
 * Makes a promise: a pending that is running until somebody resolves, rejects
 * or cancels it.
 *
 * Its owner context is that of the calling thread.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new (void)
{
  return aex_pending_new_promise (0);
}

/**
 * aex_pending_new_full:
 * @flags: how it behaves
 * @context: (nullable): the context it carries, %NULL for the current one
 *
 * Makes a promise, see [ctor@Pending.new].
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_full (AexPendingFlags flags, AexContext *context)
{
  AexThread *thread = aex_thread_get ();
  AexContext *saved;
  AexPending *self;

  if (context == NULL)
    return aex_pending_new_promise (flags & AEX_PENDING_FLAGS_PROTECTED ? AEX_FLAG_PROTECTED : 0);
  saved = aex_context_enter (thread, context);
  self = aex_pending_new_promise (flags & AEX_PENDING_FLAGS_PROTECTED ? AEX_FLAG_PROTECTED : 0);
  aex_context_leave (thread, saved);
  return self;
}

/**
 * aex_pending_new_resolved:
 * @value: (nullable): the value, %NULL for none
 *
 * Makes a pending that is done.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_resolved (const GValue *value)
{
  AexPending *self = aex_pending_new_promise (0);

  aex_pending_resolve (self, value);
  return self;
}

/**
 * aex_pending_new_rejected:
 * @error: (transfer full): the error
 *
 * Makes a pending that is done and failed.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_new_rejected (GError *error)
{
  g_return_val_if_fail (error != NULL, NULL);

  return aex_pending_new_failed (error);
}

/**
 * aex_pending_is_done:
 * @self: a pending
 *
 * Asks whether the outcome is final.
 *
 * Returns: whether @self is done
 *
 * Since: 1.0
 */
gboolean
aex_pending_is_done (AexPending *self)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  return AEX_IS_DONE (aex_pending_load (self));
}

/**
 * aex_pending_is_cancelled:
 * @self: a pending
 *
 * Asks whether the outcome is, or is going to be, the cancellation. It may be
 * %TRUE before @self is done, while a function still runs.
 *
 * Returns: whether @self is cancelled
 *
 * Since: 1.0
 */
gboolean
aex_pending_is_cancelled (AexPending *self)
{
  guint state;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  state = aex_pending_load (self);
  return AEX_PHASE (state) == AEX_PHASE_CANCELLED || (!AEX_IS_DONE (state) && (state & AEX_BIT_CANCEL) != 0);
}

/**
 * aex_pending_was_cancel_requested:
 * @self: a pending
 *
 * Asks whether somebody wanted to cancel @self before it was done, whatever
 * came of it. %TRUE when it is cancelled, and also when that was refused: by
 * [method@Pending.cancel_queued] or a wait with
 * %AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY because its function ran already, because it
 * is protected or tells the state of something, because its time was over or its
 * outcome on the way. So whoever gets a value may still learn that nobody needs it
 * any more. A time limit is no cancellation, and what is asked of a pending that
 * is done changes nothing.
 *
 * Returns: whether a cancellation was asked for
 *
 * Since: 1.0
 */
gboolean
aex_pending_was_cancel_requested (AexPending *self)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);

  return (aex_pending_load (self) & AEX_BIT_ASKED) != 0 || aex_pending_is_cancelled (self);
}

/**
 * aex_pending_get_state:
 * @self: a pending
 *
 * Gets where @self is in its life.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
AexPendingState
aex_pending_get_state (AexPending *self)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), AEX_PENDING_STATE_REJECTED);

  return (AexPendingState) AEX_PHASE (aex_pending_load (self));
}

/**
 * aex_pending_get_current:
 *
 * Gets the pending whose function runs on this thread now.
 *
 * Returns: (transfer none) (nullable): the pending, %NULL outside of a job
 *
 * Since: 1.0
 */
AexPending *
aex_pending_get_current (void)
{
  AexFrame *frame = aex_thread_get ()->frame;

  return frame != NULL ? frame->job : NULL;
}

/**
 * aex_pending_dup_context:
 * @self: a pending
 *
 * Gets the context that @self carries: that of its submission, or of its
 * construction.
 *
 * Returns: (transfer full): the context
 *
 * Since: 1.0
 */
AexContext *
aex_pending_dup_context (AexPending *self)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  if (self->environment == NULL || self->environment->context == NULL)
    return aex_context_new ();
  return aex_context_ref (self->environment->context);
}
