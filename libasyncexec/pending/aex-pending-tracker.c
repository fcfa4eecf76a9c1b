/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-pending-tracker.h"

#include "base/aex-weak-private.h"
#include "pending/aex-tracker-private.h"

/**
 * AexPendingTracker:
 *
 * Knows the pendings that are made while it is active.
 *
 * A tracker is active where it was made so, see [method@PendingManager.push]
 * and [method@PendingGroup.enter], and in all the work that is given away
 * there: this is part of the current [struct@Context]. What an executor is
 * given inside becomes known to it, unless the submission says otherwise
 * ([method@SubmitOptions.set_trackers]), and is forgotten when it is done. A
 * promise is only tracked when that is asked for
 * ([ctor@Pending.new_tracked]), a derived pending never is.
 *
 * Of every class at most one tracker is active at a time. Nothing keeps a
 * tracker alive by being known to it; when the last reference is dropped it is
 * active nowhere.
 *
 * All functions may be called on any thread, except
 * [method@PendingTracker.get_model].
 *
 * Since: 1.0
 */
typedef struct {
  AexTrackerCore *core;
} AexPendingTrackerPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (AexPendingTracker, aex_pending_tracker, G_TYPE_OBJECT)

AexTrackerCore *
aex_pending_tracker_get_core (AexPendingTracker *self)
{
  return ((AexPendingTrackerPrivate *) aex_pending_tracker_get_instance_private (self))->core;
}

static void
aex_pending_tracker_dispose (GObject *object)
{
  AexTrackerCore *core = aex_pending_tracker_get_core (AEX_PENDING_TRACKER (object));

  /* Nothing more is added to what nobody can see, but to a group whose end somebody waits for. */
  if (core->group == NULL)
    atomic_store (&core->closed, TRUE);
  G_OBJECT_CLASS (aex_pending_tracker_parent_class)->dispose (object);
}

static void
aex_pending_tracker_finalize (GObject *object)
{
  aex_tracker_core_unref (aex_pending_tracker_get_core (AEX_PENDING_TRACKER (object)));
  G_OBJECT_CLASS (aex_pending_tracker_parent_class)->finalize (object);
}

static void
aex_pending_tracker_class_init (AexPendingTrackerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = aex_pending_tracker_dispose;
  object_class->finalize = aex_pending_tracker_finalize;
}

static void
aex_pending_tracker_init (AexPendingTracker *self)
{
  AexPendingTrackerPrivate *priv = aex_pending_tracker_get_instance_private (self);

  priv->core = aex_tracker_core_new (self);
}

/**
 * aex_pending_tracker_ref_current:
 * @type: a class of trackers
 *
 * Gets the tracker of exactly this class that is active here: of groups the
 * innermost one.
 *
 * Returns: (transfer full) (nullable): the tracker, or %NULL
 *
 * Since: 1.0
 */
AexPendingTracker *
aex_pending_tracker_ref_current (GType type)
{
  AexContext *context = aex_thread_get ()->context;
  AexTrackerCore *core;

  g_return_val_if_fail (g_type_is_a (type, AEX_TYPE_PENDING_TRACKER), NULL);

  core = type == AEX_TYPE_PENDING_GROUP ? aex_group_of_context (context) : aex_tracker_of_context (context, type);
  return core != NULL ? aex_weak_get (&core->facade) : NULL;
}

/**
 * aex_pending_tracker_get_active_id:
 * @type: a class of trackers
 *
 * Gets the number of the tracker that is active here, see
 * [func@PendingTracker.ref_current].
 *
 * Returns: its number, 0 when there is none
 *
 * Since: 1.0
 */
guint64
aex_pending_tracker_get_active_id (GType type)
{
  g_autoptr (AexPendingTracker) current = aex_pending_tracker_ref_current (type);

  return current != NULL ? aex_pending_tracker_get_id (current) : 0;
}

/**
 * aex_pending_tracker_get_id:
 * @self: a tracker
 *
 * Gets its number, which no other tracker of the process has or will have.
 *
 * Returns: the number, never 0
 *
 * Since: 1.0
 */
guint64
aex_pending_tracker_get_id (AexPendingTracker *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_TRACKER (self), 0);

  return aex_pending_tracker_get_core (self)->id;
}

/**
 * aex_pending_tracker_add:
 * @self: a tracker
 * @pending: a pending
 *
 * Makes @pending known to @self until it is done. With a group this is
 * [method@PendingGroup.add].
 *
 * Returns: %TRUE if it was added; %FALSE if it is done or known already, or if
 *   @self is a group that is over
 *
 * Since: 1.0
 */
gboolean
aex_pending_tracker_add (AexPendingTracker *self, AexPending *pending)
{
  AexTrackerCore *core;

  g_return_val_if_fail (AEX_IS_PENDING_TRACKER (self), FALSE);
  g_return_val_if_fail (AEX_IS_PENDING (pending), FALSE);

  core = aex_pending_tracker_get_core (self);
  if (core->group != NULL)
    return aex_pending_group_add (AEX_PENDING_GROUP (self), pending);
  return aex_tracker_core_add (core, pending, FALSE);
}

/**
 * aex_pending_tracker_get_n_pendings:
 * @self: a tracker
 *
 * Gets how many pendings it knows that are not done.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
aex_pending_tracker_get_n_pendings (AexPendingTracker *self)
{
  g_autoptr (GPtrArray) pendings = NULL;

  g_return_val_if_fail (AEX_IS_PENDING_TRACKER (self), 0);

  pendings = aex_pending_tracker_dup_pendings (self);
  return pendings->len;
}

/**
 * aex_pending_tracker_dup_pendings:
 * @self: a tracker
 *
 * Gets the pendings that it knows and that are not done, in the order in which
 * they came: a copy.
 *
 * Returns: (transfer container) (element-type AexPending): the pendings
 *
 * Since: 1.0
 */
GPtrArray *
aex_pending_tracker_dup_pendings (AexPendingTracker *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_TRACKER (self), NULL);

  return aex_tracker_core_dup (aex_pending_tracker_get_core (self), NULL);
}

/**
 * aex_pending_tracker_get_model:
 * @self: a tracker
 *
 * Gets a list of the pendings that it knows, for showing. It changes at most
 * once per iteration of the main context in which @self was made, where it may
 * only be touched. The list keeps what is in it alive until it is done.
 *
 * Returns: (transfer none): a list of [class@Pending], the same at every call
 *
 * Since: 1.0
 */
GListModel *
aex_pending_tracker_get_model (AexPendingTracker *self)
{
  AexTrackerCore *core;
  g_autoptr (GListStore) made = NULL;
  g_autoptr (GPtrArray) pendings = NULL;
  gboolean first;

  g_return_val_if_fail (AEX_IS_PENDING_TRACKER (self), NULL);

  core = aex_pending_tracker_get_core (self);
  made = g_list_store_new (AEX_TYPE_PENDING);
  g_mutex_lock (&core->lock);
  first = core->model == NULL;
  if (first)
    atomic_store (&core->model, g_object_ref (made));
  g_mutex_unlock (&core->lock);
  if (first)
    {
      pendings = aex_tracker_core_dup (core, NULL);
      g_list_store_splice (core->model, 0, 0, pendings->pdata, pendings->len);
    }
  return G_LIST_MODEL (core->model);
}
