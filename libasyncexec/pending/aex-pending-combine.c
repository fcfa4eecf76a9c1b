/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Several pendings into one.  Nothing of a user runs here: a combination completes on the thread that completes its last
 * member, and needs no context. */
#include "pending/aex-pending-private.h"

#include "base/aex-error-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-error-payload-private.h"

typedef enum { AEX_COMBINE_ALL, AEX_COMBINE_SETTLED, AEX_COMBINE_ANY, AEX_COMBINE_FIRST } AexCombineKind;

typedef struct {
  atomic_int refs;
  AexCombineKind kind;
  atomic_uint n_left;
  guint n;
  AexPending *members[];    /* each set once, when it is done, by the thread that tells so */
} AexCombine;

static void
combine_unref (gpointer data)
{
  AexCombine *self = data;

  if (atomic_fetch_sub (&self->refs, 1) != 1)
    return;
  for (guint i = 0; i < self->n; i++)
    g_clear_object (&self->members[i]);
  g_free (self);
}

static GListStore *
member_list (AexCombine *self)
{
  GListStore *list = g_list_store_new (AEX_TYPE_PENDING);

  g_list_store_splice (list, 0, 0, (gpointer *) self->members, self->n);
  return list;
}

static void
resolve_list (AexPending *derived, AexCombine *self)
{
  g_autoptr (GListStore) list = member_list (self);

  aex_pending_resolve_object (derived, list);
}

static void
reject_group (AexPending *derived, AexCombine *self)
{
  GPtrArray *errors = g_ptr_array_new_full (self->n, (GDestroyNotify) g_error_free);
  g_auto (GValue) members = G_VALUE_INIT;
  GError *error;

  for (guint i = 0; i < self->n; i++)
    {
      g_ptr_array_add (errors, aex_pending_make_error (self->members[i]));
      aex_pending_note_observed (self->members[i]);
    }
  error = aex_error_new_group (errors);
  /* Bindings copy an error without its members: they find these beside it. */
  g_value_init (&members, G_TYPE_LIST_STORE);
  g_value_take_object (&members, member_list (self));
  aex_error_attach_payload (error, &members);
  aex_pending_reject (derived, error);
}

static void
member_done (AexLink *link, AexPending *source)
{
  AexCombine *self = link->owner;
  gboolean success = AEX_PHASE (aex_pending_load (source)) == AEX_PHASE_RESOLVED;
  gboolean last;

  aex_link_detach (link);
  aex_pending_hear (link->derived, source);
  if (self->kind == AEX_COMBINE_FIRST
      || (self->kind == AEX_COMBINE_ALL && !success)
      || (self->kind == AEX_COMBINE_ANY && success))
    {
      aex_pending_settle_linked (link->derived, source);
      return;
    }
  aex_pending_note_observed (source);
  self->members[link->index] = g_object_ref (source);
  last = atomic_fetch_sub (&self->n_left, 1) == 1;
  if (!last)
    return;
  if (self->kind == AEX_COMBINE_ANY)
    reject_group (link->derived, self);
  else
    resolve_list (link->derived, self);
}

static AexPending *
combine_empty (AexCombineKind kind)
{
  AexPending *derived = aex_pending_new_promise (0);
  g_autoptr (GListStore) list = NULL;

  switch (kind)
    {
    case AEX_COMBINE_ANY:
      aex_pending_reject (derived, aex_error_new_group (g_ptr_array_new ()));
      break;
    case AEX_COMBINE_FIRST:
      aex_pending_reject (derived, g_error_new_literal (AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                                                        _("The first of no pendings will never come: give at least one")));
      break;
    case AEX_COMBINE_ALL:
    case AEX_COMBINE_SETTLED:
    default:
      list = g_list_store_new (AEX_TYPE_PENDING);
      aex_pending_resolve_object (derived, list);
      break;
    }
  return derived;
}

static AexPending *
combine (AexCombineKind kind, AexPending * const *pendings, gsize n)
{
  g_autoptr (AexPending) derived = NULL;
  AexCombine *self;
  AexSources *sources;
  AexLink **links;

  g_return_val_if_fail (n < G_MAXINT, NULL);
  derived = aex_pending_new_if_forked ();
  if (derived != NULL)
    return g_steal_pointer (&derived);
  if (n == 0)
    return combine_empty (kind);
  derived = aex_pending_new_promise (0);
  self = g_malloc0 (sizeof (AexCombine) + n * sizeof (AexPending *));
  atomic_init (&self->refs, (int) n);
  atomic_init (&self->n_left, (guint) n);
  self->kind = kind;
  self->n = (guint) n;
  sources = aex_sources_new ((guint) n);
  sources->any = kind == AEX_COMBINE_ANY || kind == AEX_COMBINE_FIRST;
  /* The first to be attached may complete derived, which frees sources: keep the links. */
  links = g_new (AexLink *, n);
  for (gsize i = 0; i < n; i++)
    {
      links[i] = aex_sources_add (sources, derived, pendings[i], member_done, (guint) i);
      links[i]->owner = self;
      links[i]->owner_unref = combine_unref;
      atomic_fetch_add (&links[i]->refs, 1);
    }
  aex_pending_set_sources (derived, sources);
  for (gsize i = 0; i < n; i++)
    {
      aex_link_attach (links[i], pendings[i]);
      aex_link_unref (links[i]);
    }
  g_free (links);
  return g_steal_pointer (&derived);
}

static AexPending *
combine_va (AexCombineKind kind, AexPending *first, va_list args)
{
  g_autoptr (GPtrArray) pendings = g_ptr_array_new ();

  for (AexPending *pending = first; pending != NULL; pending = va_arg (args, AexPending *))
    g_ptr_array_add (pendings, pending);
  return combine (kind, (AexPending **) pendings->pdata, pendings->len);
}

/**
 * aex_pending_all: (skip)
 * @first: (nullable): a pending
 * @...: more of them, then %NULL
 *
 * See [func@Pending.allv].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_all (AexPending *first, ...)
{
  AexPending *derived;
  va_list args;

  va_start (args, first);
  derived = combine_va (AEX_COMBINE_ALL, first, args);
  va_end (args);
  return derived;
}

/**
 * aex_pending_all_settled: (skip)
 * @first: (nullable): a pending
 * @...: more of them, then %NULL
 *
 * See [func@Pending.all_settledv].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_all_settled (AexPending *first, ...)
{
  AexPending *derived;
  va_list args;

  va_start (args, first);
  derived = combine_va (AEX_COMBINE_SETTLED, first, args);
  va_end (args);
  return derived;
}

/**
 * aex_pending_any: (skip)
 * @first: (nullable): a pending
 * @...: more of them, then %NULL
 *
 * See [func@Pending.anyv].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_any (AexPending *first, ...)
{
  AexPending *derived;
  va_list args;

  va_start (args, first);
  derived = combine_va (AEX_COMBINE_ANY, first, args);
  va_end (args);
  return derived;
}

/**
 * aex_pending_first: (skip)
 * @first: (nullable): a pending
 * @...: more of them, then %NULL
 *
 * See [func@Pending.firstv].
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_first (AexPending *first, ...)
{
  AexPending *derived;
  va_list args;

  va_start (args, first);
  derived = combine_va (AEX_COMBINE_FIRST, first, args);
  va_end (args);
  return derived;
}

/**
 * aex_pending_allv: (rename-to aex_pending_all)
 * @pendings: (array length=n_pendings): the members
 * @n_pendings: how many
 *
 * Makes a pending that resolves, when all members are resolved, with a
 * #GListModel of them in their order; and ends as the first one that fails or
 * is cancelled, at once. The other members go on.
 *
 * When it is cancelled, so are the members that nobody else depends on. No
 * members give an empty list.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_allv (AexPending * const *pendings, gsize n_pendings)
{
  return combine (AEX_COMBINE_ALL, pendings, n_pendings);
}

/**
 * aex_pending_all_settledv: (rename-to aex_pending_all_settled)
 * @pendings: (array length=n_pendings): the members
 * @n_pendings: how many
 *
 * Makes a pending that resolves, when all members are done, however they
 * ended, with a #GListModel of them in their order.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_all_settledv (AexPending * const *pendings, gsize n_pendings)
{
  return combine (AEX_COMBINE_SETTLED, pendings, n_pendings);
}

/**
 * aex_pending_anyv: (rename-to aex_pending_any)
 * @pendings: (array length=n_pendings): the members
 * @n_pendings: how many
 *
 * Makes a pending that resolves with the value of the first member that is
 * resolved. When all have failed it is rejected with %AEX_ERROR_GROUP, whose
 * members are their errors (see [func@Error.get_members]); the payload of the
 * outcome (see [method@Pending.dup_payload]) is a #GListModel of the members.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_anyv (AexPending * const *pendings, gsize n_pendings)
{
  return combine (AEX_COMBINE_ANY, pendings, n_pendings);
}

/**
 * aex_pending_firstv: (rename-to aex_pending_first)
 * @pendings: (array length=n_pendings): the members
 * @n_pendings: how many
 *
 * Makes a pending that ends as the first member that is done, however that
 * ended. No members are %AEX_ERROR_INVALID_ARGUMENT.
 *
 * Returns: (transfer full): a derived pending
 *
 * Since: 1.0
 */
AexPending *
aex_pending_firstv (AexPending * const *pendings, gsize n_pendings)
{
  return combine (AEX_COMBINE_FIRST, pendings, n_pendings);
}
