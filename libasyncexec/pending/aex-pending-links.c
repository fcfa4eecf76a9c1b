/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pendings that depend on pendings.  The source's list of waiters holds the edge and, through it, the derived pending;
 * the derived one knows its sources only weakly. */
#include "pending/aex-pending-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "pending/aex-tracker-private.h"

AexSources *
aex_sources_new (guint n)
{
  AexSources *self = g_new0 (AexSources, 1);

  self->n_links = n;
  self->links = n == 1 ? &self->inline_link : g_new0 (AexLink *, n);
  return self;
}

static void
sources_free (AexSources *self)
{
  for (guint i = 0; i < self->n_links; i++)
    g_clear_pointer (&self->links[i], aex_link_unref);
  if (self->links != &self->inline_link)
    g_free (self->links);
  g_clear_pointer (&self->alarm, aex_alarm_cancel);
  g_free (self);
}

void
aex_link_unref (AexLink *self)
{
  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  g_clear_object (&self->derived);
  g_weak_ref_clear (&self->source);
  if (self->owner_unref != NULL)
    self->owner_unref (self->owner);
  aex_waiter_free (&self->waiter);
}

/* Before anybody else knows self, or with its function on this thread. */
void
aex_pending_set_sources (AexPending *self, AexSources *sources)
{
  aex_pending_lock (self);
  self->data = sources;
  atomic_fetch_or (&self->state, AEX_BIT_LINKED);
  aex_pending_unlock (self);
}

static AexLink *
link_new (AexPending *derived, AexPending *source, void (*done) (AexLink *, AexPending *), guint index)
{
  AexLink *self = g_new0 (AexLink, 1);

  self->waiter.kind = AEX_WAITER_LINK;
  atomic_init (&self->refs, 2);
  self->derived = g_object_ref (derived);
  g_weak_ref_init (&self->source, source);
  self->done = done;
  self->index = index;
  aex_live_add (AEX_LIVE_WAITER, 1);
  return self;
}

/* The caller attaches the link to source when all is in place. */
AexLink *
aex_sources_add (AexSources *sources, AexPending *derived, AexPending *source, void (*done) (AexLink *, AexPending *), guint index)
{
  return sources->links[index] = link_new (derived, source, done, index);
}

/* The source is done or gone: the link carries nothing any more. */
void
aex_link_detach (AexLink *link)
{
  g_weak_ref_set (&link->source, NULL);
}

/* The usual edge: the derived pending takes over the outcome of its source. */
void
aex_link_forward (AexLink *link, AexPending *source)
{
  aex_link_detach (link);
  aex_pending_pass_messages (link->derived, source);
  aex_pending_settle_linked (link->derived, source);
}

GPtrArray *
aex_pending_dup_sources (AexPending *self)
{
  GPtrArray *result = NULL;
  AexSources *sources;
  int entered;

  if (G_UNLIKELY (self->flags & AEX_FLAG_JOIN))
    return AEX_IS_DONE (aex_pending_load (self)) ? NULL : aex_tracker_core_dup (self->data, NULL);
  if (!(aex_pending_load (self) & AEX_BIT_LINKED))
    return NULL;
  entered = aex_interpreter_enter ();
  aex_pending_lock (self);
  sources = aex_pending_load (self) & AEX_BIT_LINKED ? self->data : NULL;
  if (sources != NULL)
    {
      result = g_ptr_array_new_with_free_func (g_object_unref);
      for (guint i = 0; i < sources->n_links; i++)
        {
          AexPending *source = sources->links[i] != NULL ? g_weak_ref_get (&sources->links[i]->source) : NULL;

          if (source != NULL)
            g_ptr_array_add (result, source);
        }
    }
  aex_pending_unlock (self);
  aex_interpreter_leave (entered);
  return result;
}

/* NULL also when self is done: its sources are gone. */
AexPending *
aex_pending_ref_followed (AexPending *self)
{
  AexPending *followed = NULL;
  AexSources *sources;
  int entered;

  if (!(aex_pending_load (self) & AEX_BIT_LINKED))
    return NULL;
  entered = aex_interpreter_enter ();
  aex_pending_lock (self);
  sources = self->data;
  if (sources != NULL && sources->inline_link != NULL && sources->inline_link->done == aex_link_forward)
    followed = g_weak_ref_get (&sources->inline_link->source);
  aex_pending_unlock (self);
  aex_interpreter_leave (entered);
  return followed;
}

GPtrArray *
aex_pending_dup_followers_locked (AexPending *self)
{
  GPtrArray *followers = NULL;

  for (AexWaiter *waiter = self->waiters; waiter != NULL; waiter = waiter->next)
    if (waiter->kind == AEX_WAITER_LINK && ((AexLink *) waiter)->done == aex_link_forward)
      {
        if (followers == NULL)
          followers = g_ptr_array_new_with_free_func (g_object_unref);
        g_ptr_array_add (followers, g_object_ref (((AexLink *) waiter)->derived));
      }
  return followers;
}

GPtrArray *
aex_pending_dup_followers (AexPending *self)
{
  GPtrArray *followers;

  aex_pending_lock (self);
  followers = aex_pending_dup_followers_locked (self);
  aex_pending_unlock (self);
  return followers;
}

/* A user's function that will not be called after all. */
void
aex_link_release_closure (AexLink *link)
{
  AexWaiter *closure;

  if (link->waiter.func == NULL)
    return;
  closure = aex_waiter_new (AEX_WAITER_CALLBACK, NULL, link->waiter.data, link->waiter.destroy);
  /* A wait for the derived pending may be asking where the function would run. */
  aex_pending_lock (link->derived);
  closure->target = g_steal_pointer (&link->waiter.target);
  aex_pending_unlock (link->derived);
  closure->context = g_steal_pointer (&link->waiter.context);
  closure->drop = g_steal_pointer (&link->waiter.drop);
  closure->expected = link->waiter.expected;
  link->waiter.func = NULL;
  aex_waiter_release (closure);
}

/* Lets go of one source, unless it is just being told. */
static void
detach_from (AexLink *link, AexPending *source, gboolean cancel)
{
  guint n_left = 0;
  gboolean always = (link->then_flags & AEX_THEN_FLAGS_ALWAYS) != 0;

  if (always)
    {
      /* A finally still runs when its source is done, but nobody depends on the source for it. */
      aex_pending_lock (source);
      link->waiter.weak = TRUE;
      aex_pending_unlock (source);
      aex_pending_detach (source, NULL, &n_left);
    }
  else if (aex_pending_detach (source, &link->waiter, &n_left))
    {
      aex_link_release_closure (link);
      aex_link_detach (link);
      aex_link_unref (link);
    }
  else
    {
      return;
    }
  if (cancel && n_left == 0)
    aex_pending_defer_cancel (source);
}

/* Lists the link with its source.  Who was completed meanwhile did not find it there. */
void
aex_link_attach (AexLink *link, AexPending *source)
{
  g_autoptr (AexPending) derived = g_object_ref (link->derived);
  guint state;

  atomic_fetch_add (&link->refs, 1);
  aex_pending_attach (source, &link->waiter);
  state = aex_pending_load (derived);
  if (AEX_IS_DONE (state) && link->then_flags == 0)
    detach_from (link, source, AEX_PHASE (state) == AEX_PHASE_CANCELLED);
  aex_link_unref (link);
}

/* The derived pending is done: it needs its sources no more.  With cancel they are cancelled where nobody else depends
 * on them. */
void
aex_pending_drop_sources (AexPending *self, gboolean cancel)
{
  AexSources *sources;

  aex_pending_lock (self);
  sources = aex_pending_load (self) & AEX_BIT_LINKED ? g_steal_pointer (&self->data) : NULL;
  aex_pending_unlock (self);
  if (sources == NULL)
    return;

  for (guint i = 0; i < sources->n_links; i++)
    {
      AexLink *link = sources->links[i];
      g_autoptr (AexPending) source = NULL;

      if (link == NULL)
        continue;
      source = aex_weak_get (&link->source);
      if (source != NULL)
        detach_from (link, source, cancel && !sources->shield);
    }
  sources_free (sources);
}

void
aex_pending_cancel_sources (AexPending *self)
{
  g_autoptr (GPtrArray) sources = aex_pending_dup_sources (self);

  for (guint i = 0; sources != NULL && i < sources->len; i++)
    {
      AexPending *source = sources->pdata[i];
      guint n_left = 0;

      /* self still ends with its source, but does not depend on it any more: two that are cancelled do not keep it. */
      aex_pending_lock (source);
      for (AexWaiter *waiter = source->waiters; waiter != NULL; waiter = waiter->next)
        {
          if (waiter->kind == AEX_WAITER_LINK && ((AexLink *) waiter)->derived == self)
            waiter->weak = TRUE;
          n_left += !waiter->weak;
        }
      aex_pending_unlock (source);
      if (n_left == 0)
        aex_pending_defer_cancel (source);
    }
}

/* ---- rings */

/* Does the outcome of from depend on self? */
static gboolean
depends_on (AexPending *from, AexPending *self)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new_with_free_func (g_object_unref);
  /* Keeps what it has seen: the address of one that is gone could come again. */
  g_autoptr (GHashTable) seen = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);

  g_ptr_array_add (open, g_object_ref (from));
  while (open->len > 0)
    {
      AexPending *pending = g_ptr_array_steal_index_fast (open, open->len - 1);
      g_autoptr (GPtrArray) sources = NULL;

      if (!g_hash_table_add (seen, pending))
        continue;
      if (pending == self)
        return TRUE;
      sources = aex_pending_dup_sources (pending);
      for (guint i = 0; sources != NULL && i < sources->len; i++)
        g_ptr_array_add (open, g_object_ref (sources->pdata[i]));
    }
  return FALSE;
}

/* self takes over what becomes of other.  FALSE: that closes a ring, and self, which may have its link already, must be
 * rejected. */
gboolean
aex_pending_start_follow (AexPending *self, AexPending *other)
{
  AexSources *sources;
  AexLink *link;

  if (self == other)
    return FALSE;
  sources = aex_sources_new (1);
  link = aex_sources_add (sources, self, other, aex_link_forward, 0);
  aex_pending_set_sources (self, sources);
  aex_link_attach (link, other);
  aex_pending_pass_progress (other);
  aex_pending_pass_messages (self, other);
  /* Looked for afterwards: of those who close a ring at the same time, the last to attach sees all of it.  Where nobody
   * waits for self there is none: no walk up a long chain for every link of it. */
  atomic_thread_fence (memory_order_seq_cst);
  if (AEX_IS_DONE (aex_pending_load (self)))
    aex_pending_drop_sources (self, FALSE);
  else if (aex_pending_load (self) & AEX_BIT_WAIT)
    return !depends_on (other, self);
  return TRUE;
}

static GError *
ring_error (void)
{
  return g_error_new_literal (AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK,
                              _("The pendings would wait for each other in a ring: let none follow what depends on it"));
}

void
aex_pending_set_follow (AexPending *self, AexPending *other)
{
  if (!aex_pending_start_follow (self, other))
    aex_pending_reject (self, ring_error ());
}

/**
 * aex_pending_follow:
 * @self: a pending
 * @other: the pending to follow
 *
 * Makes @self end as @other does: with its value, error or cancellation, as
 * soon as @other is done. Until then @self can still be completed otherwise.
 * When @self is cancelled, so is @other, unless somebody else depends on it.
 *
 * A pending that would have to follow itself, through whatever chain, is
 * rejected with %AEX_ERROR_WOULD_DEADLOCK.
 *
 * Returns: %TRUE if @self follows @other, %FALSE if it is done, follows
 *   something already or would follow itself
 *
 * Since: 1.0
 */
gboolean
aex_pending_follow (AexPending *self, AexPending *other)
{
  guint state;

  g_return_val_if_fail (AEX_IS_PENDING (self), FALSE);
  g_return_val_if_fail (AEX_IS_PENDING (other), FALSE);

  state = aex_pending_load (self);
  do
    {
      if (AEX_IS_DONE (state) || state & (AEX_BIT_REC | AEX_BIT_LINKED | AEX_BIT_CANCEL | AEX_BIT_CANCELLER))
        return FALSE;
      if (state & AEX_BIT_JOB)
        return aex_pending_record_follow (self, other);
    }
  while (!atomic_compare_exchange_weak (&self->state, &state, state | AEX_BIT_LINKED));
  if (aex_pending_start_follow (self, other))
    return TRUE;
  aex_pending_reject (self, ring_error ());
  return FALSE;
}

/* A job's function calls follow: recorded, it begins when the function has returned. */
gboolean
aex_pending_record_follow (AexPending *self, AexPending *other)
{
  if (!(aex_pending_load (self) & AEX_BIT_STARTED))
    return FALSE;
  if (depends_on (other, self))
    {
      aex_pending_reject (self, ring_error ());
      return FALSE;
    }
  return aex_pending_record (self, AEX_TAG_FOLLOW, (AexWord) { .v_pending = g_object_ref (other) });
}

/* A coroutine returned what to follow. */
void
aex_pending_function_follows (AexPending *self, AexPending *other)
{
  guint state = aex_pending_load (self);

  /* The function has returned: from now on whoever records also settles. */
  while (!(state & AEX_BIT_REC))
    if (atomic_compare_exchange_weak (&self->state, &state, state | AEX_BIT_RET))
      {
        if (aex_pending_start_follow (self, other))
          {
            if (aex_pending_load (self) & (AEX_BIT_CANCEL | AEX_BIT_TIMED_OUT))
              aex_pending_cancel_sources (self);
          }
        else
          {
            aex_pending_reject (self, ring_error ());
          }
        return;
      }
  aex_pending_function_done (self);
}

static AexPending *
derive (AexPending *self, guint flags, gboolean shield)
{
  AexPending *derived = aex_pending_new_if_forked ();
  AexSources *sources;
  AexLink *link;

  if (derived != NULL)
    return derived;
  derived = aex_pending_new_promise (flags);
  sources = aex_sources_new (1);
  link = aex_sources_add (sources, derived, self, aex_link_forward, 0);
  sources->shield = shield;
  aex_pending_set_sources (derived, sources);
  aex_link_attach (link, self);
  aex_pending_pass_progress (self);
  return derived;
}

/**
 * aex_pending_shield:
 * @self: a pending
 *
 * Makes a pending that ends as @self does, and whose cancellation stops here:
 * @self goes on.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_shield (AexPending *self)
{
  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  return derive (self, 0, TRUE);
}

static void
time_is_over (gpointer data)
{
  AexPending *derived = data;
  g_autoptr (GPtrArray) sources = aex_pending_dup_sources (derived);

  if (!aex_pending_cancel_as (derived, AEX_CANCEL_TIMEOUT, NULL))
    return;
  for (guint i = 0; sources != NULL && i < sources->len; i++)
    aex_pending_cancel_as (sources->pdata[i], AEX_CANCEL_IMPLIED, NULL);
}

/**
 * aex_pending_with_timeout:
 * @self: a pending
 * @timeout_us: microseconds, -1 for no limit
 *
 * Makes a pending that ends as @self does, or, when the time is over first, is
 * rejected with %G_IO_ERROR_TIMED_OUT at once; then @self is cancelled for
 * everybody, also if others wait for it, unless it is protected.
 *
 * The time does not depend on any main loop.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_with_timeout (AexPending *self, gint64 timeout_us)
{
  AexPending *derived;
  GError *error = NULL;
  AexAlarm *alarm;
  AexSources *sources;

  g_return_val_if_fail (AEX_IS_PENDING (self), NULL);

  derived = derive (self, 0, FALSE);
  if (timeout_us < 0)
    return derived;
  alarm = aex_alarm_new (aex_clock_deadline (timeout_us), time_is_over, g_object_ref (derived), g_object_unref, &error);
  if (alarm == NULL)
    {
      g_object_unref (derived);
      aex_pending_reject (derived, error);
      return derived;
    }
  aex_pending_lock (derived);
  sources = aex_pending_load (derived) & AEX_BIT_LINKED ? derived->data : NULL;
  if (sources != NULL)
    sources->alarm = g_steal_pointer (&alarm);
  aex_pending_unlock (derived);
  g_clear_pointer (&alarm, aex_alarm_cancel);
  return derived;
}
