/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Waiting for several: which are done is the answer, and that nobody was in time is one too. */
#include "pending/aex-pending-private.h"

#include "base/aex-clock-private.h"

typedef struct {
  atomic_int refs;                    /* the maker's and one per link */
  AexReturnWhen return_when;
  atomic_uint n_left;
  guint n;
  _Atomic (AexPending *) members[];   /* each set once, when it is done, by the thread that tells so */
} AexWaitSet;

static void
wait_set_unref (gpointer data)
{
  AexWaitSet *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  for (guint i = 0; i < self->n; i++)
    if (atomic_load (&self->members[i]) != NULL)
      g_object_unref (atomic_load (&self->members[i]));
  g_free (self);
}

static void
wait_set_answer (AexWaitSet *self, AexPending *derived)
{
  g_autoptr (GListStore) list = NULL;
  g_autoptr (GPtrArray) done = NULL;

  if (AEX_IS_DONE (aex_pending_load (derived)))
    return;
  list = g_list_store_new (AEX_TYPE_PENDING);
  done = g_ptr_array_new ();
  for (guint i = 0; i < self->n; i++)
    if (atomic_load (&self->members[i]) != NULL)
      g_ptr_array_add (done, atomic_load (&self->members[i]));
  g_list_store_splice (list, 0, 0, done->pdata, done->len);
  aex_pending_resolve_object (derived, list);
}

/* One more is done: is that enough? */
static gboolean
wait_set_note (AexWaitSet *self, guint index, AexPending *member)
{
  gboolean failed = AEX_PHASE (aex_pending_load (member)) != AEX_PHASE_RESOLVED;

  atomic_store (&self->members[index], g_object_ref (member));
  return atomic_fetch_sub (&self->n_left, 1) == 1
         || self->return_when == AEX_RETURN_WHEN_FIRST_COMPLETED
         || (self->return_when == AEX_RETURN_WHEN_FIRST_ERROR && failed);
}

static void
member_done (AexLink *link, AexPending *source)
{
  AexWaitSet *self = link->owner;

  aex_link_detach (link);
  aex_pending_hear (link->derived, source);
  if (wait_set_note (self, link->index, source))
    wait_set_answer (self, link->derived);
}

static void
time_is_over (gpointer data)
{
  AexPending *derived = data;
  AexWaitSet *self = NULL;
  AexSources *sources;

  aex_pending_lock (derived);
  sources = aex_pending_load (derived) & AEX_BIT_LINKED ? derived->data : NULL;
  if (sources != NULL)
    {
      self = sources->links[0]->owner;
      atomic_fetch_add (&self->refs, 1);
    }
  aex_pending_unlock (derived);
  if (self == NULL)
    return;
  wait_set_answer (self, derived);
  wait_set_unref (self);
}

static void
set_alarm (AexPending *derived, gint64 timeout_us)
{
  GError *error = NULL;
  AexSources *sources;
  AexAlarm *alarm;

  alarm = aex_alarm_new (aex_clock_deadline (timeout_us), time_is_over, g_object_ref (derived), g_object_unref, &error);
  if (alarm == NULL)
    {
      g_object_unref (derived);
      aex_pending_reject (derived, error);
      return;
    }
  aex_pending_lock (derived);
  sources = aex_pending_load (derived) & AEX_BIT_LINKED ? derived->data : NULL;
  if (sources != NULL)
    sources->alarm = g_steal_pointer (&alarm);
  aex_pending_unlock (derived);
  g_clear_pointer (&alarm, aex_alarm_cancel);
}

/* Watches the members that are not done, through a shield: nothing that happens to derived reaches them. */
static void
wait_set_watch (AexWaitSet *self, AexPending *derived, AexPending * const *pendings, gint64 timeout_us)
{
  AexSources *sources = aex_sources_new (atomic_load (&self->n_left));
  g_autofree AexLink **links = g_new (AexLink *, sources->n_links);
  guint n_links = sources->n_links, n = 0;

  sources->shield = TRUE;
  sources->any = timeout_us >= 0 || self->return_when != AEX_RETURN_WHEN_ALL_COMPLETED;
  for (guint i = 0; i < self->n; i++)
    {
      if (atomic_load (&self->members[i]) != NULL)
        continue;
      links[n] = aex_sources_add (sources, derived, pendings[i], member_done, n);
      links[n]->index = i;
      links[n]->owner = self;
      links[n]->owner_unref = wait_set_unref;
      atomic_fetch_add (&self->refs, 1);
      atomic_fetch_add (&links[n]->refs, 1);
      n++;
    }
  aex_pending_set_sources (derived, sources);
  if (timeout_us >= 0)
    set_alarm (derived, timeout_us);
  /* The first to be attached may complete derived, which frees sources. */
  for (guint i = 0; i < n_links; i++)
    {
      /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): each was made above */
      aex_link_attach (links[i], pendings[links[i]->index]);
      aex_link_unref (links[i]);
    }
}

/**
 * aex_pending_wait_set:
 * @pendings: (array length=n_pendings): the members
 * @n_pendings: how many
 * @return_when: what is waited for
 * @timeout_us: microseconds, -1 for no limit, 0 to look only
 *
 * Makes a pending that resolves with a #GListModel of the members that are
 * done, in their order, as soon as there are as many as @return_when says, or
 * when the time is over: then with those that are done by then, maybe none.
 * Members that are done already count at once; no members give an empty list.
 *
 * It is only for waiting: neither the time nor cancelling the returned pending
 * cancels a member, and the errors of members are not observed by it. A member
 * that was dropped before anybody completed it is in the list as another
 * pending, that failed with %AEX_ERROR_ABANDONED.
 *
 * To block for it, give the returned pending to [method@Pending.wait], with
 * %AEX_WAIT_FLAGS_SHIELD where the cancellation of the running job should not
 * end the wait. The time does not depend on any main loop.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_wait_set (AexPending * const *pendings, gsize n_pendings, AexReturnWhen return_when, gint64 timeout_us)
{
  AexPending *derived;
  gboolean enough;
  AexWaitSet *self;

  g_return_val_if_fail (n_pendings == 0 || pendings != NULL, NULL);
  g_return_val_if_fail (n_pendings < G_MAXINT, NULL);

  derived = aex_pending_new_if_forked ();
  if (derived != NULL)
    return derived;
  derived = aex_pending_new_promise (0);
  self = g_malloc0 (sizeof (AexWaitSet) + n_pendings * sizeof (AexPending *));
  atomic_init (&self->refs, 1);
  atomic_init (&self->n_left, (guint) n_pendings);
  self->return_when = return_when;
  self->n = (guint) n_pendings;

  enough = n_pendings == 0 || timeout_us == 0;
  for (guint i = 0; i < self->n; i++)
    if (AEX_IS_DONE (aex_pending_load (pendings[i])) && wait_set_note (self, i, pendings[i]))
      enough = TRUE;
  if (enough)
    wait_set_answer (self, derived);
  else
    wait_set_watch (self, derived, pendings, timeout_us);
  wait_set_unref (self);
  return derived;
}
