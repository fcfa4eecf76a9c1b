/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Continuations: a function of the user between a pending and one derived from it. */
#include "pending/aex-pending-private.h"

#include "base/aex-debug-private.h"
#include "base/aex-home-private.h"
#include "pending/aex-context-private.h"

static void
then_met (AexLink *link)
{
  if (link->waiter.expected && (AexTarget *) aex_thread_get ()->dispatching == link->waiter.target)
    ((AexHome *) link->waiter.target)->n_expected--;
  link->waiter.expected = FALSE;
}

/* What the function said: an error, a pending to follow, or nothing: the outcome goes on. */
static void
then_complete (AexLink *link, AexPending *source, AexPending *next, GError *error)
{
  AexPending *derived = link->derived;

  if (error != NULL)
    {
      g_autoptr (GError) own = error;

      /* It was cancelled meanwhile, and nobody can get the error from it: dropped unobserved, it is reported. */
      if (!aex_pending_reject (derived, g_error_copy (own)))
        g_object_unref (aex_pending_new_failed (g_steal_pointer (&own)));
    }
  else if (next != NULL)
    {
      aex_pending_drop_sources (derived, FALSE);
      aex_pending_set_follow (derived, next);
    }
  else
    {
      aex_pending_settle_linked (derived, source);
    }
  g_clear_object (&next);
}

static void
then_run (AexEntry *entry, AexTarget *target)
{
  AexLink *link = entry->a;
  g_autoptr (AexPending) source = entry->b;
  AexThread *thread = aex_thread_get ();
  g_autoptr (GObject) object = NULL;
  AexPending *next = NULL;
  GError *error = NULL;
  AexContext *saved;
  gboolean wanted;

  then_met (link);
  aex_pending_flush (source, target);
  saved = aex_context_enter (thread, link->waiter.context);
  wanted = !AEX_IS_DONE (aex_pending_load (link->derived)) || link->then_flags & AEX_THEN_FLAGS_ALWAYS;
  if (link->waiter.drop != NULL)
    {
      object = aex_drop_ref_object (link->waiter.drop);
      wanted = wanted && object != NULL;
    }
  aex_checkpoint ();
  if (wanted)
    next = ((AexThenFunc) link->waiter.func) (source, link->waiter.data, &error);
  aex_checkpoint ();
  if (link->waiter.destroy != NULL)
    link->waiter.destroy (link->waiter.data);
  link->waiter.func = NULL;
  aex_context_leave (thread, saved);

  if (wanted)
    then_complete (link, source, next, error);
  else
    aex_pending_cancel_as (link->derived, AEX_CANCEL_IMPLIED, NULL);
  aex_link_unref (link);
}

/* The place where the function had to run is gone. */
static void
then_drop (AexEntry *entry, AexTarget *target)
{
  AexLink *link = entry->a;

  (void) target;
  then_met (link);
  if (link->waiter.destroy != NULL)
    link->waiter.destroy (link->waiter.data);
  link->waiter.func = NULL;
  aex_pending_cancel_as (link->derived, AEX_CANCEL_CLOSED, NULL);
  aex_link_unref (link);
  g_object_unref (entry->b);
}

static const AexEntryKind then_kind = { .run = then_run, .drop = then_drop };

/* On the completing thread. */
static void
then_source_done (AexLink *link, AexPending *source)
{
  AexThenFlags flags = link->then_flags;
  gboolean success = AEX_PHASE (aex_pending_load (source)) == AEX_PHASE_RESOLVED;
  AexEntry entry = { &then_kind, link, source, NULL };

  aex_link_detach (link);
  if (link->waiter.func == NULL)
    return;
  if (flags & AEX_THEN_FLAGS_ALWAYS || flags & (success ? AEX_THEN_FLAGS_ON_SUCCESS : AEX_THEN_FLAGS_ON_ERROR))
    {
      aex_pending_note_observed (source);
      atomic_fetch_add (&link->refs, 1);
      g_object_ref (source);
      aex_target_post_or_drop (link->waiter.target, AEX_LANE_DEFAULT, &entry);
    }
  else
    {
      aex_link_release_closure (link);
      aex_pending_settle_linked (link->derived, source);
    }
}

static AexPending *
add_continuation (AexPending *self, GObject *object, AexThenFlags flags, AexThenFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexPending *derived = aex_pending_new_promise (0);
  AexSources *sources = aex_sources_new (1);
  AexLink *link = aex_sources_add (sources, derived, self, then_source_done, 0);
  GError *error = NULL;

  link->then_flags = flags;
  link->waiter.func = func;
  link->waiter.data = user_data;
  link->waiter.destroy = destroy;
  link->waiter.weak = FALSE;
  aex_pending_set_sources (derived, sources);
  if (!aex_waiter_set_target (&link->waiter, &error))
    {
      aex_link_release_closure (link);
      aex_pending_reject (derived, error);
      aex_link_unref (link);
      return derived;
    }
  if (object != NULL)
    {
      link->waiter.id = aex_waiter_next_id ();
      link->waiter.drop = aex_drop_new (object, self, link->waiter.id);
      if (link->waiter.drop == NULL)
        {
          aex_link_release_closure (link);
          aex_pending_cancel_as (derived, AEX_CANCEL_IMPLIED, NULL);
          aex_link_unref (link);
          return derived;
        }
    }
  aex_link_attach (link, self);
  return derived;
}

/**
 * aex_pending_add_continuation:
 * @self: a pending
 * @flags: when to call @func
 * @func: (scope notified) (closure user_data) (destroy destroy): the continuation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Calls @func when @self is done, and makes a pending that ends as the one
 * that @func returns, or, if it returns %NULL without error or is not called,
 * as @self.
 *
 * @func is called, and @user_data freed, in a dispatch of the main context
 * that is current for this thread now; inside a job of a pool, in a job of the
 * same pool. Never inside this call. With %AEX_THEN_FLAGS_ALWAYS it is called
 * even if the derived pending was cancelled. The derived pending, when
 * cancelled, ends at once, and cancels @self if nothing else depends on it.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_add_continuation (AexPending *self, AexThenFlags flags, AexThenFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (flags != 0, NULL);

  return add_continuation (self, NULL, flags, func, user_data, destroy);
}

/**
 * aex_pending_then: (skip)
 * @self: a pending
 * @func: the continuation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Calls @func when @self is resolved. See
 * [method@Pending.add_continuation].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_then (AexPending *self, AexThenFunc func, gpointer user_data, GDestroyNotify destroy)
{
  return aex_pending_add_continuation (self, AEX_THEN_FLAGS_ON_SUCCESS, func, user_data, destroy);
}

/**
 * aex_pending_catch: (skip)
 * @self: a pending
 * @func: the continuation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Calls @func when @self is rejected or cancelled. See
 * [method@Pending.add_continuation].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_catch (AexPending *self, AexThenFunc func, gpointer user_data, GDestroyNotify destroy)
{
  return aex_pending_add_continuation (self, AEX_THEN_FLAGS_ON_ERROR, func, user_data, destroy);
}

/**
 * aex_pending_finally: (skip)
 * @self: a pending
 * @func: the continuation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Calls @func exactly once when @self is done, whatever its outcome. See
 * [method@Pending.add_continuation].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_finally (AexPending *self, AexThenFunc func, gpointer user_data, GDestroyNotify destroy)
{
  return aex_pending_add_continuation (self, AEX_THEN_FLAGS_ALWAYS, func, user_data, destroy);
}

/**
 * aex_pending_then_object: (skip)
 * @self: a pending
 * @target: an object that @func works on; not kept alive by the wait
 * @func: the continuation
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Like [method@Pending.then], but when @target is disposed first, @func is
 * dropped, uncalled, and the derived pending is cancelled. @target is kept
 * alive while @func runs.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_then_object (AexPending *self, GObject *target, AexThenFunc func, gpointer user_data, GDestroyNotify destroy)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);
  g_return_val_if_fail (G_IS_OBJECT (target), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  return add_continuation (self, target, AEX_THEN_FLAGS_ON_SUCCESS, func, user_data, destroy);
}
