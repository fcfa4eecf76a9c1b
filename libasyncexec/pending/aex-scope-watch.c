/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is told of the end of a scope.  A scope that nobody waits in and nothing was submitted in has none of this: no
 * cancellable and no alarm. */
#include "pending/aex-scope-private.h"

#include "base/aex-fork-private.h"

struct _AexScopeWatch {
  AexScope *scope;             /* a reference */
  GCancellable *cancellable;
  gulong handler;
};

typedef struct {
  AexScope *scope;             /* a circle, which ends when the watch does */
  AexScopeFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexScopeCall;

static void
object_unref_closure (gpointer data, GClosure *closure)
{
  (void) closure;
  g_object_unref (data);
}

/* What the scope observes is over: so is it. */
static void
observed_over (GCancellable *cancellable, gpointer inner)
{
  (void) cancellable;
  g_cancellable_cancel (inner);
}

/* On the service thread. */
static void
deadline_passed (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

static void
add_watch (AexScope *self)
{
  g_mutex_lock (&self->lock);
  self->n_watches++;
  g_mutex_unlock (&self->lock);
}

void
aex_scope_rest (AexScope *self)
{
  AexAlarm *alarm = NULL;

  if (!aex_scope_is_left (self) || aex_is_forked ())
    return;
  g_mutex_lock (&self->lock);
  if (self->n_watches == 0)
    alarm = g_steal_pointer (&self->alarm);
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&alarm, aex_alarm_cancel);
}

static void
remove_watch (AexScope *self)
{
  if (aex_is_forked ())
    return;
  g_mutex_lock (&self->lock);
  self->n_watches--;
  g_mutex_unlock (&self->lock);
  aex_scope_rest (self);
}

/* With its own lock held: one that says what self and observed say, the cancellable of what it observes. */
static GCancellable *
make_cancellable (AexScope *self, GCancellable *observed)
{
  GCancellable *cancellable = g_cancellable_new ();

  if (observed != NULL)
    self->handler = g_signal_connect_data (observed, "cancelled", G_CALLBACK (observed_over),
                                           g_object_ref (cancellable), object_unref_closure, 0);
  atomic_store (&self->cancellable, cancellable);
  return cancellable;
}

/* Borrowed; NULL with error set.  Locks are taken one at a time. */
static GCancellable *
ensure_cancellable (AexScope *self, gboolean in_time, GError **error)
{
  AexScope *outer = aex_scope_get_observed (self);
  GCancellable *observed = NULL, *cancellable;
  gboolean ok = TRUE, made;

  if (outer != NULL)
    {
      add_watch (outer);
      observed = ensure_cancellable (outer, in_time, error);
      if (observed == NULL)
        {
          remove_watch (outer);
          return NULL;
        }
    }
  g_mutex_lock (&self->lock);
  cancellable = atomic_load (&self->cancellable);
  made = cancellable == NULL;
  if (made)
    cancellable = make_cancellable (self, observed);
  if (in_time && self->deadline_us >= 0 && self->alarm == NULL)
    {
      self->alarm = aex_alarm_new (self->deadline_us, deadline_passed, g_object_ref (cancellable), g_object_unref, error);
      ok = self->alarm != NULL;
      if (!ok)
        g_object_unref (cancellable);
    }
  g_mutex_unlock (&self->lock);
  /* Its handler there is one watch, from the first call on. */
  if (outer != NULL && !made)
    remove_watch (outer);
  if (ok && aex_scope_get_status (self) != AEX_SCOPE_OPEN)
    g_cancellable_cancel (cancellable);
  return ok ? cancellable : NULL;
}

static void
call_free (gpointer data, GClosure *closure)
{
  AexScopeCall *call = data;

  (void) closure;
  if (call->destroy != NULL)
    call->destroy (call->data);
  aex_scope_unref (call->scope);
  g_free (call);
}

static void
call_run (GCancellable *cancellable, gpointer data)
{
  AexScopeCall *call = data;

  (void) cancellable;
  call->func (call->scope, call->data);
}

AexScopeWatch *
aex_scope_watch (AexScope *self, gboolean in_time, AexScopeFunc func, gpointer data, GDestroyNotify destroy, GError **error)
{
  GCancellable *cancellable;
  AexScopeWatch *watch;
  AexScopeCall *call;

  /* First: what was left keeps its alarm for it. */
  add_watch (self);
  cancellable = ensure_cancellable (self, in_time, error);
  if (cancellable == NULL)
    {
      remove_watch (self);
      if (destroy != NULL)
        destroy (data);
      return NULL;
    }
  call = g_new (AexScopeCall, 1);
  *call = (AexScopeCall) { aex_scope_ref (self), func, data, destroy };
  watch = g_new (AexScopeWatch, 1);
  watch->scope = aex_scope_ref (self);
  watch->cancellable = g_object_ref (cancellable);
  watch->handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (call_run), call, call_free, 0);
  return watch;
}

/* func may be running on another thread just now. */
void
aex_scope_watch_free (AexScopeWatch *watch)
{
  g_signal_handler_disconnect (watch->cancellable, watch->handler);
  g_object_unref (watch->cancellable);
  remove_watch (watch->scope);
  aex_scope_unref (watch->scope);
  g_free (watch);
}

/* Who makes the cancellable looks at the state after that; we look for it after having changed the state. */
void
aex_scope_fire (AexScope *self)
{
  GCancellable *cancellable = atomic_load (&self->cancellable);

  if (cancellable != NULL)
    g_cancellable_cancel (cancellable);
}

void
aex_scope_clear_watched (AexScope *self)
{
  GCancellable *cancellable = atomic_load (&self->cancellable);

  if (cancellable == NULL)
    return;
  if (self->handler != 0 && !aex_is_forked ())
    {
      g_signal_handler_disconnect (atomic_load (&self->outer->cancellable), self->handler);
      remove_watch (self->outer);
    }
  g_clear_pointer (&self->alarm, aex_alarm_cancel);
  g_object_unref (cancellable);
}

/**
 * aex_scope_get_cancellable:
 * @self: a scope
 *
 * Gets a cancellable that is cancelled when @self, or a scope that it observes,
 * is cancelled or its time is over: for functions of GIO that are called inside.
 * It is cancelled by the thread that cancels, or by one of the library when the
 * time is over. Made at the first call. Any thread.
 *
 * Returns: (transfer none): the cancellable; it lives as long as @self
 *
 * Since: 1.0
 */
GCancellable *
aex_scope_get_cancellable (AexScope *self)
{
  g_autoptr (GError) error = NULL;
  GCancellable *cancellable;

  g_return_val_if_fail (self != NULL, NULL);

  if (aex_is_forked ())
    {
      cancellable = atomic_load (&self->cancellable);
      return cancellable != NULL ? cancellable : make_cancellable (self, NULL);
    }
  cancellable = ensure_cancellable (self, TRUE, &error);
  if (cancellable == NULL)
    {
      /* No thread to tell the time: waits of ours still look at it themselves. */
      /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it says why there is none */
      g_warning ("A scope can not tell its cancellable when its time is over: %s", error->message);
      cancellable = ensure_cancellable (self, FALSE, NULL);
    }
  return cancellable;
}
