/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-lazy.h"

#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-core-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-tracker-private.h"
#include "pending/aex-value-private.h"

/**
 * AexLazy:
 *
 * A value that is made when somebody asks for it, and once, however many threads
 * ask at the same time.
 *
 * It is made by a job on an executor, or, without one, by the first thread that
 * asks, before [method@Lazy.get] returns there. Everybody gets a pending of his own
 * for the value: cancelling that takes it from nobody else. What is made once stays
 * and is not made again.
 *
 * A failure, also a cancellation by the executor, is told to those who asked
 * meanwhile, and the next one who asks tries again.
 *
 * The function belongs to nobody who asks: it runs in their context, but outside
 * of their groups and scopes. If it asks for its own value, itself or in work that
 * it has started, that is refused with %AEX_ERROR_WOULD_DEADLOCK.
 *
 * All functions may be called on any thread.
 *
 * Since: 1.0
 */

typedef struct {
  gpointer func;
  gpointer data;
  GDestroyNotify destroy;
  gboolean is_async;
  AexTarget *owner;           /* where data is freed: a reference; NULL: anywhere */
} AexLazyFunc;

struct _AexLazy {
  GObject parent_instance;
  AexExecutor *executor;      /* NULL: the thread that asks */
  AexContextVar *making;      /* set in the context of the function */

  GMutex lock;                /* guards the rest */
  AexLazyFunc *func;          /* counted; NULL: it is not needed any more */
  AexPending *value;          /* what everybody waits for; NULL: nobody has asked */
};

G_DEFINE_FINAL_TYPE (AexLazy, aex_lazy, G_TYPE_OBJECT)

/* ---- the function */

static void
func_clear (gpointer data)
{
  AexLazyFunc *self = data;

  aex_destroy_at (self->owner, self->destroy, self->data);
  g_clear_pointer (&self->owner, aex_target_unref);
}

static void
func_unref (gpointer func)
{
  g_atomic_rc_box_release_full (func, func_clear);
}

static AexPending *
call_async (AexPending *job, GCancellable *cancellable, gpointer func, GError **error)
{
  AexLazyFunc *self = func;

  return ((AexAsyncFunc) self->func) (job, cancellable, self->data, error);
}

static gboolean
call_plain (AexPending *job, GCancellable *cancellable, gpointer func, GError **error)
{
  AexLazyFunc *self = func;

  return ((AexJobFunc) self->func) (job, cancellable, self->data, error);
}

/* ---- the thread that asks, as an executor of what it runs at once */

static AexTarget asker;

/* That which the function runs on, if it is one: who blocks in the function blocks there. */
static AexTarget *
executor_below (void)
{
  AexFrame *frame = aex_thread_get ()->frame;

  while (frame != NULL && frame->executor == &asker)
    frame = frame->previous;
  return frame != NULL ? frame->executor : NULL;
}

static gboolean
asker_wait_begin (AexTarget *target)
{
  AexTarget *below = executor_below ();

  (void) target;
  return below == NULL || below->ops->wait_begin (below);
}

static void
asker_wait_end (AexTarget *target)
{
  AexTarget *below = executor_below ();

  (void) target;
  if (below != NULL)
    below->ops->wait_end (below);
}

static gboolean
asker_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  (void) target;
  (void) lane;
  (void) entry;
  return FALSE;
}

static gboolean
asker_is_current (AexTarget *target)
{
  (void) target;
  return FALSE;
}

static gboolean
asker_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  (void) target;
  (void) job;
  (void) outside;
  return FALSE;
}

static void
asker_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  (void) target;
  (void) job;
  (void) event;
}

static void
asker_report (AexTarget *target, AexPending *job, const GError *error)
{
  (void) target;
  (void) job;
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING,
                    "AEX_ERROR_DOMAIN", g_quark_to_string (error->domain),
                    "MESSAGE", "Unhandled error in the function of a lazy value: %s", error->message);
}

static AexTarget *
asker_cancel_target (AexTarget *target, AexPending *job)
{
  (void) target;
  (void) job;
  return NULL;
}

static const char *
asker_get_name (AexTarget *target)
{
  (void) target;
  return NULL;
}

/* It lives for ever: nobody drops the first reference. */
static const AexTargetOps asker_ops = {
  .post = asker_post,
  .is_current = asker_is_current,
  .may_claim = asker_may_claim,
  .job_event = asker_job_event,
  .wait_begin = asker_wait_begin,
  .wait_end = asker_wait_end,
  .report = asker_report,
  .cancel_target = asker_cancel_target,
  .get_name = asker_get_name,
};

static AexTarget asker = { .ops = &asker_ops, .refs = 1 };

/* ---- making the value */

/* What the function sees: what who asks does, but for what would end it with that one. */
static AexContext *
context_for_function (AexLazy *self)
{
  g_autoptr (AexContext) open = aex_context_choose_trackers (aex_thread_get ()->context, NULL, 0);
  g_autoptr (AexContext) free = open != NULL ? aex_context_with_scope (open, NULL) : NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_BOOLEAN);
  g_value_set_boolean (&value, TRUE);
  return aex_context_with (free, self->making, &value);
}

/* On the thread that completes it. */
static void
value_done (AexPending *value, gpointer lazy)
{
  AexLazy *self = lazy;
  AexLazyFunc *func = NULL;

  if (AEX_PHASE (aex_pending_load (value)) != AEX_PHASE_RESOLVED)
    return;
  g_mutex_lock (&self->lock);
  func = g_steal_pointer (&self->func);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&func, func_unref);
}

/* Nobody else has begun. */
static void
make_value (AexLazy *self, AexPending *value, AexLazyFunc *func)
{
  AexCore *core = self->executor != NULL ? aex_executor_get_core (self->executor) : NULL;
  g_autoptr (AexContext) context = context_for_function (self);
  g_autoptr (AexPending) job = aex_pending_new_job (core != NULL ? &core->target : &asker, context,
                                                    func->is_async ? (gpointer) call_async : (gpointer) call_plain, func,
                                                    func_unref, func->is_async ? AEX_FLAG_ASYNC : 0);

  aex_pending_add_done_callback_inline (value, value_done, g_object_ref (self), g_object_unref);
  if (core != NULL)
    {
      /* Not before: who waits for value may run the job, which has to be in its queue then. */
      aex_core_submit_job (core, job, AEX_LANE_DEFAULT);
      aex_pending_follow (value, job);
    }
  else
    {
      /* Before: who waits for value sees what it waits for. */
      aex_pending_follow (value, job);
      aex_pending_run (job);
    }
}

static AexPending *
refuse_own_function (void)
{
  return aex_pending_new_failed (g_error_new_literal (AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                                                      _("The function of a lazy value can not ask for that value")));
}

/**
 * aex_lazy_get:
 * @self: a lazy value
 *
 * Asks for the value. It is made now if nobody has asked before, or if that failed.
 *
 * Returns: (transfer full): a pending for the value; cancelling it takes the value
 *   from nobody else
 *
 * Since: 1.0
 */
AexPending *
aex_lazy_get (AexLazy *self)
{
  g_autoptr (AexPending) value = NULL;
  g_autoptr (AexPending) failed = NULL;
  AexLazyFunc *func = NULL;
  AexPending *forked;
  gboolean is_inside;

  g_return_val_if_fail (AEX_IS_LAZY (self), NULL);

  forked = aex_pending_new_if_forked ();
  if (forked != NULL)
    return forked;
  is_inside = aex_context_lookup (aex_thread_get ()->context, self->making) != NULL;
  g_mutex_lock (&self->lock);
  if (self->value != NULL && AEX_PHASE (aex_pending_load (self->value)) > AEX_PHASE_RESOLVED)
    failed = g_steal_pointer (&self->value);
  if (self->value == NULL && !is_inside)
    {
      self->value = aex_pending_new ();
      func = g_atomic_rc_box_acquire (self->func);
    }
  value = self->value != NULL ? g_object_ref (self->value) : NULL;
  g_mutex_unlock (&self->lock);
  if (func != NULL)
    make_value (self, value, func);
  if (value != NULL && AEX_PHASE (aex_pending_load (value)) == AEX_PHASE_RESOLVED)
    return g_steal_pointer (&value);
  return is_inside ? refuse_own_function () : aex_pending_shield (value);
}

static AexPending *
ref_value (AexLazy *self)
{
  AexPending *value = NULL;

  if (aex_is_forked ())
    return NULL;
  g_mutex_lock (&self->lock);
  if (self->value != NULL && AEX_PHASE (aex_pending_load (self->value)) == AEX_PHASE_RESOLVED)
    value = g_object_ref (self->value);
  g_mutex_unlock (&self->lock);
  return value;
}

/**
 * aex_lazy_is_made:
 * @self: a lazy value
 *
 * Asks whether the value is there.
 *
 * Returns: whether it is
 *
 * Since: 1.0
 */
gboolean
aex_lazy_is_made (AexLazy *self)
{
  g_autoptr (AexPending) value = NULL;

  g_return_val_if_fail (AEX_IS_LAZY (self), FALSE);

  value = ref_value (self);
  return value != NULL;
}

/**
 * aex_lazy_dup_value:
 * @self: a lazy value
 * @error: return location for an error
 *
 * Gets the value if it is there, and makes nothing: else the error is
 * %AEX_ERROR_NOT_DONE.
 *
 * Returns: (transfer full): the value, %NULL if @error is set
 *
 * Since: 1.0
 */
GValue *
aex_lazy_dup_value (AexLazy *self, GError **error)
{
  g_autoptr (AexPending) value = NULL;

  g_return_val_if_fail (AEX_IS_LAZY (self), NULL);

  if (aex_fork_check (error))
    return NULL;
  value = ref_value (self);
  if (value != NULL)
    return aex_pending_dup_value (value, error);
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NOT_DONE, _("The value was not made yet: ask for it"));
  return NULL;
}

/**
 * aex_lazy_get_executor:
 * @self: a lazy value
 *
 * Gets where the value is made.
 *
 * Returns: (transfer none) (nullable): the executor, %NULL for the thread that
 *   asks first
 *
 * Since: 1.0
 */
AexExecutor *
aex_lazy_get_executor (AexLazy *self)
{
  g_return_val_if_fail (AEX_IS_LAZY (self), NULL);

  return self->executor;
}

/* ---- the class */

static void
aex_lazy_finalize (GObject *object)
{
  AexLazy *self = AEX_LAZY (object);

  g_clear_pointer (&self->func, func_unref);
  g_clear_object (&self->value);
  g_clear_object (&self->executor);
  g_object_unref (self->making);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (aex_lazy_parent_class)->finalize (object);
}

static void
aex_lazy_class_init (AexLazyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = aex_lazy_finalize;
}

static void
aex_lazy_init (AexLazy *self)
{
  g_mutex_init (&self->lock);
  self->making = aex_context_var_new ("lazy", NULL);
}

static AexLazy *
lazy_new (AexExecutor *executor, gpointer function, gpointer user_data, GDestroyNotify destroy, gboolean is_async)
{
  AexTarget *owner = destroy != NULL ? aex_delivery_target (aex_thread_get (), NULL) : NULL;
  AexLazy *self = g_object_new (AEX_TYPE_LAZY, NULL);
  AexLazyFunc *func = g_atomic_rc_box_new0 (AexLazyFunc);

  func->func = function;
  func->data = user_data;
  func->destroy = destroy;
  func->is_async = is_async;
  func->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  self->func = func;
  self->executor = executor != NULL ? g_object_ref (executor) : NULL;
  return self;
}

/**
 * aex_lazy_new:
 * @executor: (nullable): where the value is made; %NULL for the thread that asks first
 * @func: (scope notified) (closure user_data) (destroy destroy): the job that makes it
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on the delivery target of the
 *   calling thread when the value is made or not wanted any more
 *
 * Makes a lazy value.
 *
 * Returns: (transfer full): a new lazy value
 *
 * Since: 1.0
 */
AexLazy *
aex_lazy_new (AexExecutor *executor, AexJobFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (executor == NULL || AEX_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return lazy_new (executor, (gpointer) func, user_data, destroy, FALSE);
}

/**
 * aex_lazy_new_async:
 * @executor: (nullable): where the value is made; %NULL for the thread that asks first
 * @func: (scope notified) (closure user_data) (destroy destroy): the job that makes it, in coroutine form
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, see [ctor@Lazy.new]
 *
 * Makes a lazy value whose function returns what to follow.
 *
 * Returns: (transfer full): a new lazy value
 *
 * Since: 1.0
 */
AexLazy *
aex_lazy_new_async (AexExecutor *executor, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (executor == NULL || AEX_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return lazy_new (executor, (gpointer) func, user_data, destroy, TRUE);
}
