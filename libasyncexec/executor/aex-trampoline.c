/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-trampoline.h"

#include "aex-context.h"
#include "aex-scope.h"
#include "base/aex-debug-private.h"
#include "pending/aex-environment-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-value-private.h"

/**
 * AexTrampoline:
 *
 * One function for any number of jobs and callbacks, which are told apart by a
 * number. For language bindings: making a closure that C can call costs them
 * more than all the rest of a job. Each number is given back exactly once: with
 * the call, or, when there will be none, to be released.
 *
 * Since: 1.0
 */

/* Outlives the object while there are calls of it. */
typedef struct {
  atomic_int refs;
  AexTrampolineFunc func;
  gpointer data;
  GDestroyNotify destroy;
  AexTarget *owner;      /* where data is destroyed */
} AexTrampolineCore;

struct _AexTrampoline {
  GObject parent_instance;
  AexTrampolineCore *core;
};

G_DEFINE_FINAL_TYPE (AexTrampoline, aex_trampoline, G_TYPE_OBJECT)

/* What a job or callback has for data. */
typedef struct {
  AexTrampolineCore *core;
  AexTarget *owner;      /* of a job: where a call that never was is released; a callback is there then */
  guint64 token;
  gboolean called;       /* only whoever calls or releases it looks */
} AexTrampolineCall;

static AexTrampolineCore *
core_ref (AexTrampolineCore *self)
{
  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

static void
core_unref (AexTrampolineCore *self)
{
  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  aex_destroy_at (self->owner, self->destroy, self->data);
  g_clear_pointer (&self->owner, aex_target_unref);
  g_free (self);
}

static void
aex_trampoline_finalize (GObject *object)
{
  g_clear_pointer (&AEX_TRAMPOLINE (object)->core, core_unref);
  G_OBJECT_CLASS (aex_trampoline_parent_class)->finalize (object);
}

static void
aex_trampoline_class_init (AexTrampolineClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = aex_trampoline_finalize;
}

static void
aex_trampoline_init (AexTrampoline *self)
{
  (void) self;
}

static void
call_free (gpointer data)
{
  AexTrampolineCall *self = data;

  g_clear_pointer (&self->owner, aex_target_unref);
  core_unref (self->core);
  g_free (self);
}

static void
call_give_up (gpointer data)
{
  AexTrampolineCall *self = data;
  g_autoptr (GError) error = NULL;

  self->core->func (NULL, self->token, self->core->data, &error);
  call_free (self);
}

static void
call_release (gpointer data)
{
  AexTrampolineCall *self = data;

  if (G_LIKELY (self->called))
    call_free (self);
  else if (self->owner != NULL)
    aex_destroy_at (self->owner, call_give_up, self);
  else
    call_give_up (self);
}

static gboolean
call_run (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  AexTrampolineCall *self = data;

  (void) cancellable;
  self->called = TRUE;
  return self->core->func (job, self->token, self->core->data, error);
}

static void
call_done (AexPending *pending, gpointer data)
{
  g_autoptr (GError) error = NULL;

  call_run (pending, NULL, data, &error);
}

/* The outcome of a pending is let go of.  Like every object of a binding it belongs to the owner of the pending. */
static void
outcome_release (gpointer data)
{
  AexTrampolineCall *self = data;

  if (self->owner != NULL && aex_owner_is_elsewhere (self->owner))
    aex_destroy_at (self->owner, call_give_up, self);
  else
    call_give_up (self);
}

static AexTrampolineCall *
call_new (AexTrampoline *self, guint64 token)
{
  AexTrampolineCall *call = g_new0 (AexTrampolineCall, 1);

  call->core = core_ref (self->core);
  call->token = token;
  return call;
}

/**
 * aex_trampoline_new:
 * @func: (scope notified) (closure user_data) (destroy destroy): what all jobs and callbacks call
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data, called on the delivery target
 *   of this thread when neither the trampoline nor a job or callback of it is
 *   left
 *
 * Makes a trampoline.
 *
 * Returns: (transfer full): a new trampoline
 *
 * Since: 1.0
 */
AexTrampoline *
aex_trampoline_new (AexTrampolineFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexTrampoline *self;
  AexTarget *owner;

  g_return_val_if_fail (func != NULL, NULL);

  self = g_object_new (AEX_TYPE_TRAMPOLINE, NULL);
  owner = aex_delivery_target (aex_thread_get (), NULL);
  self->core = g_new0 (AexTrampolineCore, 1);
  atomic_init (&self->core->refs, 1);
  self->core->func = func;
  self->core->data = user_data;
  self->core->destroy = destroy;
  self->core->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  return self;
}

/* A job's, whose number goes back to whoever calls now. */
static AexTrampolineCall *
call_new_here (AexTrampoline *self, guint64 token)
{
  AexTrampolineCall *call = call_new (self, token);
  AexTarget *owner = aex_delivery_target (aex_thread_get (), NULL);

  call->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  return call;
}

/**
 * aex_trampoline_submit:
 * @self: a trampoline
 * @executor: an executor
 * @options: (nullable): options
 * @token: a number, at least %AEX_TRAMPOLINE_OUTCOME_TOKEN
 *
 * Submits a job that calls the function of @self with @token, see
 * [method@Executor.submit_full]. When the job never starts, the function is
 * told to release @token, on the delivery target of this thread.
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_trampoline_submit (AexTrampoline *self, AexExecutor *executor, AexSubmitOptions *options, guint64 token)
{
  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), NULL);
  g_return_val_if_fail (self->core != NULL, NULL);
  g_return_val_if_fail (AEX_IS_EXECUTOR (executor), NULL);

  return aex_executor_submit_full (executor, options, call_run, call_new_here (self, token), call_release);
}

/**
 * aex_trampoline_call_later:
 * @self: a trampoline
 * @caller: a caller
 * @delay_us: microseconds from now
 * @token: a number
 *
 * The same for a job that does not start before the delay is over, see
 * [method@Caller.call_later].
 *
 * Returns: (transfer full): the pending of the job
 *
 * Since: 1.0
 */
AexPending *
aex_trampoline_call_later (AexTrampoline *self, AexCaller *caller, gint64 delay_us, guint64 token)
{
  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), NULL);
  g_return_val_if_fail (self->core != NULL, NULL);
  g_return_val_if_fail (AEX_IS_CALLER (caller), NULL);

  return aex_caller_call_later (caller, delay_us, call_run, call_new_here (self, token), call_release);
}

/**
 * aex_trampoline_add_done_callback:
 * @self: a trampoline
 * @pending: a pending
 * @at_once: whether to call on the thread that completes @pending, as
 *   [method@Pending.add_done_callback_inline] does
 * @token: a number, at least %AEX_TRAMPOLINE_OUTCOME_TOKEN
 *
 * Calls the function of @self with @token when @pending is done, see
 * [method@Pending.add_done_callback].
 *
 * Returns: an identifier for [method@Pending.remove_done_callback], 0 if the
 *   process is out of file descriptors or was forked; neither matters if @at_once
 *
 * Since: 1.0
 */
gulong
aex_trampoline_add_done_callback (AexTrampoline *self, AexPending *pending, gboolean at_once, guint64 token)
{
  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), 0);
  g_return_val_if_fail (self->core != NULL, 0);
  g_return_val_if_fail (AEX_IS_PENDING (pending), 0);

  if (at_once)
    return aex_pending_add_done_callback_inline (pending, call_done, call_new (self, token), call_release);
  return aex_pending_add_done_callback (pending, call_done, call_new (self, token), call_release);
}

/**
 * aex_trampoline_watch:
 * @self: a trampoline
 * @pending: a pending
 * @token: a number, at least %AEX_TRAMPOLINE_OUTCOME_TOKEN
 *
 * Calls the function of @self with @token when @pending is done, as
 * [method@Trampoline.add_done_callback] does, but without counting as somebody
 * who depends on it: when what was derived from @pending is cancelled, so is
 * @pending. For a binding that keeps something as long as @pending is not done.
 *
 * Returns: an identifier for [method@Pending.remove_done_callback], 0 if the
 *   process is out of file descriptors or was forked
 *
 * Since: 1.0
 */
gulong
aex_trampoline_watch (AexTrampoline *self, AexPending *pending, guint64 token)
{
  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), 0);
  g_return_val_if_fail (self->core != NULL, 0);
  g_return_val_if_fail (AEX_IS_PENDING (pending), 0);

  return aex_pending_watch (pending, call_done, call_new (self, token), call_release);
}

static void
call_here (gpointer data)
{
  AexTrampolineCall *self = data;
  g_autoptr (GError) error = NULL;

  self->core->func (NULL, self->token, self->core->data, &error);
}

/**
 * aex_trampoline_run_in_context:
 * @self: a trampoline
 * @context: a context
 * @token: a number
 *
 * Calls the function of @self with @token and no pending, inside @context, at
 * once and on the calling thread: [method@Context.run] for a binding that can
 * not make a closure for a function while that function runs.
 *
 * Since: 1.0
 */
void
aex_trampoline_run_in_context (AexTrampoline *self, AexContext *context, guint64 token)
{
  AexTrampolineCall call;

  g_return_if_fail (AEX_IS_TRAMPOLINE (self));
  g_return_if_fail (self->core != NULL);
  g_return_if_fail (context != NULL);

  call = (AexTrampolineCall) { core_ref (self->core), NULL, token, TRUE };
  aex_context_run (context, call_here, &call);
  core_unref (call.core);
}

/**
 * aex_trampoline_run_in_scope:
 * @self: a trampoline
 * @scope: a scope
 * @token: a number
 *
 * As [method@Trampoline.run_in_context], inside @scope: what [method@Scope.run]
 * does.
 *
 * Since: 1.0
 */
void
aex_trampoline_run_in_scope (AexTrampoline *self, AexScope *scope, guint64 token)
{
  AexTrampolineCall call;

  g_return_if_fail (AEX_IS_TRAMPOLINE (self));
  g_return_if_fail (self->core != NULL);
  g_return_if_fail (scope != NULL);

  call = (AexTrampolineCall) { core_ref (self->core), NULL, token, TRUE };
  aex_scope_run (scope, call_here, &call);
  core_unref (call.core);
}

/**
 * aex_trampoline_resolve:
 * @self: a trampoline
 * @pending: a pending
 * @token: a number, at least %AEX_TRAMPOLINE_OUTCOME_TOKEN
 *
 * Sets the outcome, see [method@Pending.resolve]: success with something that
 * only the binding knows, and that @token stands for. The function of @self is
 * told to release @token when nobody has the outcome any more, or when this did
 * not become the outcome: at the owner of @pending, or in the thread that lets
 * go of it when nobody runs the owner's context.
 *
 * Returns: %TRUE if this became the outcome
 *
 * Since: 1.0
 */
gboolean
aex_trampoline_resolve (AexTrampoline *self, AexPending *pending, guint64 token)
{
  AexTrampolineCall *call;

  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), FALSE);
  g_return_val_if_fail (self->core != NULL, FALSE);
  g_return_val_if_fail (AEX_IS_PENDING (pending), FALSE);

  call = call_new (self, token);
  if (pending->environment != NULL && pending->environment->delivery != NULL)
    call->owner = aex_target_ref (pending->environment->delivery);
  return aex_pending_resolve_pointer (pending, call, outcome_release);
}

/**
 * aex_trampoline_peek:
 * @self: a trampoline
 * @pending: a pending
 *
 * Looks at the outcome, in one call: @pending may have been given to
 * [method@Trampoline.resolve], or be derived from or follow one that was.
 *
 * Returns: the token, or, when there is none, an [enum@TrampolineOutcome]
 *
 * Since: 1.0
 */
guint64
aex_trampoline_peek (AexTrampoline *self, AexPending *pending)
{
  AexPending *root;
  AexPointer *outcome;
  guint state;

  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), AEX_TRAMPOLINE_OUTCOME_NONE);
  g_return_val_if_fail (AEX_IS_PENDING (pending), AEX_TRAMPOLINE_OUTCOME_NONE);

  state = aex_pending_load (pending);
  if (!AEX_IS_DONE (state))
    return AEX_TRAMPOLINE_OUTCOME_NONE;
  if (AEX_PHASE (state) != AEX_PHASE_RESOLVED)
    return AEX_TRAMPOLINE_OUTCOME_FAILED;
  root = aex_pending_get_root (pending);
  if (root->tag != AEX_TAG_POINTER)
    return AEX_TRAMPOLINE_OUTCOME_VALUE;
  outcome = root->value.v_pointer;
  if (outcome->destroy != outcome_release || ((AexTrampolineCall *) outcome->pointer)->core != self->core)
    return AEX_TRAMPOLINE_OUTCOME_VALUE;
  return ((AexTrampolineCall *) outcome->pointer)->token;
}

/**
 * aex_trampoline_wait:
 * @self: a trampoline
 * @pending: a pending
 * @timeout_us: microseconds, -1 for no limit
 *
 * Blocks until @pending is done, as [method@Pending.wait] does, and looks at the
 * outcome like [method@Trampoline.peek]. There is no error: one that a binding
 * makes of it can be lost when the user interrupts it at that moment.
 *
 * Returns: as [method@Trampoline.peek]; %AEX_TRAMPOLINE_OUTCOME_NONE also when
 *   the wait is refused or its scope is over, for which
 *   [method@Pending.wait] has the error
 *
 * Since: 1.0
 */
guint64
aex_trampoline_wait (AexTrampoline *self, AexPending *pending, gint64 timeout_us)
{
  g_return_val_if_fail (AEX_IS_TRAMPOLINE (self), AEX_TRAMPOLINE_OUTCOME_NONE);
  g_return_val_if_fail (AEX_IS_PENDING (pending), AEX_TRAMPOLINE_OUTCOME_NONE);

  aex_pending_wait (pending, AEX_WAIT_FLAGS_NO_RESULT, timeout_us, NULL, NULL);
  return aex_trampoline_peek (self, pending);
}

/**
 * aex_trampoline_wants_names:
 *
 * Whether jobs that nobody named are to be called after their functions and
 * where they were submitted: `AEX_DEBUG=names` is in the environment. The
 * library does so for functions of C; a binding knows those of its language.
 *
 * Returns: whether names are wanted
 *
 * Since: 1.0
 */
gboolean
aex_trampoline_wants_names (void)
{
  return aex_debug_wants (AEX_DEBUG_NAMES);
}
