/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-pending-group.h"

#include "aex-enum-types.h"
#include "aex-error.h"
#include "aex-scope.h"
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-group-private.h"

/**
 * AexPendingGroup:
 *
 * A block of code and all the work that is started in it: it ends when all of
 * that has ended, and with all the errors.
 *
 * Between [method@PendingGroup.enter] and [method@PendingGroup.end] everything
 * that is submitted, to whatever executor, becomes a *member*, and so does what
 * members submit. Promises and other pendings are added by hand with
 * [method@PendingGroup.add], and [method@PendingGroup.for_each] calls a function
 * for many items, without a pending for each. Derived pendings and streams are no
 * members. The pending that [method@PendingGroup.end] returns is done when all members are.
 *
 * A member that fails cancels the group: the other members, and waits of the code
 * inside. The group then ends with %AEX_ERROR_GROUP, whose members (see
 * [func@Error.get_members]) are the errors of all members that failed. The group
 * is also cancelled by [method@PendingGroup.cancel], when its time is over, and
 * with the job or [struct@Scope] in which it stands, unless it is shielded. What
 * a cancellation means for its end is chosen by its [enum@GroupMode].
 *
 * Groups nest: a member of an inner group is one of the outer group as well, and
 * its error reaches both. A protected pending is waited for, but not cancelled.
 *
 * Until they are done, members are known weakly: one that is dropped before
 * anybody completed it fails with %AEX_ERROR_ABANDONED. A group that is dropped
 * before [method@PendingGroup.end] cancels its members.
 *
 * A group that is over does not count any more: what runs later with the context
 * of its code belongs to the groups around it.
 *
 * ```c
 * g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
 * g_autoptr (AexPending) end = NULL;
 *
 * if (!aex_pending_group_enter (group, error))
 *   return FALSE;
 * for (guint i = 0; i < n_files; i++)
 *   g_object_unref (aex_executor_submit (pool, load, files[i], NULL));
 * end = aex_pending_group_end (group);
 * return aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
 * ```
 *
 * All functions may be called on any thread, except those that enter and leave.
 *
 * Since: 1.0
 */
struct _AexPendingGroup {
  AexPendingTracker parent_instance;
  AexScope *scope;       /* guarded by the lock of the core; set once */
  AexPending *join;      /* likewise */
};

G_DEFINE_FINAL_TYPE (AexPendingGroup, aex_pending_group, AEX_TYPE_PENDING_TRACKER)

enum { PROP_MODE = 1, PROP_SHIELD, PROP_TIMEOUT_US, PROP_CANCELLATION_TIMEOUT_US, N_PROPS };

static GParamSpec *properties[N_PROPS];

static AexTrackerCore *
get_core (AexPendingGroup *self)
{
  return aex_pending_tracker_get_core (AEX_PENDING_TRACKER (self));
}

static AexGroup *
get_group (AexPendingGroup *self)
{
  return get_core (self)->group;
}

/* Makes the scope, and keeps it for those who ask. */
static gboolean
use (AexPendingGroup *self, GError **error)
{
  AexTrackerCore *core = get_core (self);
  gboolean ok = aex_group_use (core, error);

  g_mutex_lock (&core->lock);
  if (self->scope == NULL && core->group->scope != NULL)
    self->scope = aex_scope_ref (core->group->scope);
  g_mutex_unlock (&core->lock);
  return ok;
}

/* Another thread may just be the first to use it. */
static AexScope *
get_kept_scope (AexPendingGroup *self)
{
  AexTrackerCore *core = get_core (self);
  AexScope *scope;

  g_mutex_lock (&core->lock);
  scope = self->scope;
  g_mutex_unlock (&core->lock);
  return scope;
}

static void
aex_pending_group_dispose (GObject *object)
{
  if (!aex_is_forked ())
    aex_group_drop (get_core (AEX_PENDING_GROUP (object)));
  G_OBJECT_CLASS (aex_pending_group_parent_class)->dispose (object);
}

static void
aex_pending_group_finalize (GObject *object)
{
  AexPendingGroup *self = AEX_PENDING_GROUP (object);

  g_clear_pointer (&self->scope, aex_scope_unref);
  g_clear_object (&self->join);
  G_OBJECT_CLASS (aex_pending_group_parent_class)->finalize (object);
}

static void
aex_pending_group_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  AexGroup *group = get_group (AEX_PENDING_GROUP (object));

  switch (id)
    {
    case PROP_MODE:
      g_value_set_enum (value, (int) group->mode);
      break;
    case PROP_SHIELD:
      g_value_set_boolean (value, group->shield);
      break;
    case PROP_TIMEOUT_US:
      g_value_set_int64 (value, group->timeout_us);
      break;
    case PROP_CANCELLATION_TIMEOUT_US:
      g_value_set_int64 (value, group->cancellation_timeout_us);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_pending_group_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  AexPendingGroup *self = AEX_PENDING_GROUP (object);

  switch (id)
    {
    case PROP_MODE:
      get_group (self)->mode = (AexGroupMode) g_value_get_enum (value);
      break;
    case PROP_SHIELD:
      aex_pending_group_set_shield (self, g_value_get_boolean (value));
      break;
    case PROP_TIMEOUT_US:
      aex_pending_group_set_timeout (self, g_value_get_int64 (value));
      break;
    case PROP_CANCELLATION_TIMEOUT_US:
      aex_pending_group_set_cancellation_timeout (self, g_value_get_int64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
aex_pending_group_class_init (AexPendingGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = aex_pending_group_dispose;
  object_class->finalize = aex_pending_group_finalize;
  object_class->get_property = aex_pending_group_get_property;
  object_class->set_property = aex_pending_group_set_property;

  /**
   * AexPendingGroup:mode:
   *
   * What a cancellation means.
   *
   * Since: 1.0
   */
  properties[PROP_MODE] = g_param_spec_enum ("mode", NULL, NULL, AEX_TYPE_GROUP_MODE, AEX_GROUP_MODE_IGNORE,
                                             G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  /**
   * AexPendingGroup:shield: (getter get_shield) (setter set_shield)
   *
   * Whether neither the scopes nor the job around it cancel it.
   *
   * Since: 1.0
   */
  properties[PROP_SHIELD] = g_param_spec_boolean ("shield", NULL, NULL, FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * AexPendingGroup:timeout-us: (getter get_timeout) (setter set_timeout)
   *
   * After how many microseconds it is cancelled; -1 for never.
   *
   * Since: 1.0
   */
  properties[PROP_TIMEOUT_US] = g_param_spec_int64 ("timeout-us", NULL, NULL, -1, G_MAXINT64, -1,
                                                    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  /**
   * AexPendingGroup:cancellation-timeout-us: (getter get_cancellation_timeout) (setter set_cancellation_timeout)
   *
   * How many microseconds a cancelled group waits for its members at most; -1
   * for no limit.
   *
   * Since: 1.0
   */
  properties[PROP_CANCELLATION_TIMEOUT_US] = g_param_spec_int64 ("cancellation-timeout-us", NULL, NULL, -1, G_MAXINT64,
                                                                 10 * (gint64) G_USEC_PER_SEC, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
aex_pending_group_init (AexPendingGroup *self)
{
  get_core (self)->group = aex_group_new ();
}

/**
 * aex_pending_group_new:
 * @mode: what a cancellation means
 *
 * Makes a group. It stands where it is first used: entered, or given a member.
 *
 * Returns: (transfer full): a new group
 *
 * Since: 1.0
 */
AexPendingGroup *
aex_pending_group_new (AexGroupMode mode)
{
  return g_object_new (AEX_TYPE_PENDING_GROUP, "mode", mode, NULL);
}

/* ---- the block of code */

/**
 * aex_pending_group_begin:
 * @self: a group
 * @error: return location for an error
 *
 * Begins a group without entering it, for code that gives control back before it
 * is through: what belongs to the group runs in [method@PendingGroup.get_scope].
 * The group does not end before [method@PendingGroup.end].
 *
 * The error is %AEX_ERROR_REENTERED when it was begun before or has ended.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_begin (AexPendingGroup *self, GError **error)
{
  AexTrackerCore *core;
  gboolean first;

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);

  if (aex_fork_check (error))
    return FALSE;
  core = get_core (self);
  g_mutex_lock (&core->lock);
  first = !core->group->begun && !core->group->joining && !atomic_load (&core->closed);
  if (first)
    core->group->begun = core->group->inside = TRUE;
  g_mutex_unlock (&core->lock);
  if (!first)
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_REENTERED,
                           _("A group is entered once: make another one"));
      return FALSE;
    }
  if (use (self, error))
    return TRUE;
  /* As if nothing had been tried. */
  g_mutex_lock (&core->lock);
  core->group->begun = core->group->inside = FALSE;
  g_mutex_unlock (&core->lock);
  return FALSE;
}

/**
 * aex_pending_group_enter:
 * @self: a group
 * @error: return location for an error
 *
 * Enters a group: until [method@PendingGroup.leave] or
 * [method@PendingGroup.end], on the same thread and in the same dispatch, what is
 * submitted becomes a member, and waits end when the group is cancelled, as in an
 * [struct@Scope].
 *
 * The error is %AEX_ERROR_REENTERED when it was entered before or has ended.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_enter (AexPendingGroup *self, GError **error)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);

  if (!aex_pending_group_begin (self, error))
    return FALSE;
  aex_scope_step_in (get_kept_scope (self));
  return TRUE;
}

/**
 * aex_pending_group_leave:
 * @self: a group that was entered here
 *
 * Leaves a group without waiting for its members, so that it can be ended
 * elsewhere with [method@PendingGroup.end].
 *
 * Since: 1.0
 */
void
aex_pending_group_leave (AexPendingGroup *self)
{
  AexScope *scope;

  g_return_if_fail (AEX_IS_PENDING_GROUP (self));
  scope = get_kept_scope (self);
  g_return_if_fail (scope != NULL && scope->entered);

  aex_scope_step_out (scope, "aex_pending_group_leave");
}

/**
 * aex_pending_group_end:
 * @self: a group
 *
 * Leaves a group, if it is entered, and ends it: [method@PendingGroup.join].
 *
 * Returns: (transfer full): a pending that is done when all members are
 *
 * Since: 1.0
 */
AexPending *
aex_pending_group_end (AexPendingGroup *self)
{
  AexTrackerCore *core;
  AexScope *scope;

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), NULL);

  if (aex_is_forked ())
    return aex_pending_new_if_forked ();
  core = get_core (self);
  scope = get_kept_scope (self);
  if (scope != NULL && scope->entered)
    aex_scope_step_out (scope, "aex_pending_group_end");
  g_mutex_lock (&core->lock);
  core->group->inside = FALSE;
  g_mutex_unlock (&core->lock);
  return aex_pending_group_join (self);
}

/**
 * aex_pending_group_join:
 * @self: a group
 *
 * Waits for the end of a group that was not entered, or that is ended by others:
 * when it has no members left. Until then, members may join.
 *
 * The pending is resolved with no value; rejected with %AEX_ERROR_GROUP when
 * members failed; and, if its mode says so, rejected with %G_IO_ERROR_CANCELLED
 * when the group or a member was cancelled, or %G_IO_ERROR_TIMED_OUT when its
 * time was over. It cannot be cancelled: cancel the group. In a member of the
 * group it is rejected with %AEX_ERROR_REENTERED.
 *
 * Returns: (transfer full): a pending, the same at every call
 *
 * Since: 1.0
 */
AexPending *
aex_pending_group_join (AexPendingGroup *self)
{
  GError *error = NULL;

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), NULL);

  if (aex_fork_check (&error) || !use (self, &error))
    return aex_pending_new_failed (error);
  return aex_group_join (get_core (self), &self->join);
}

/* ---- members */

/**
 * aex_pending_group_add:
 * @self: a group
 * @pending: a pending
 *
 * Makes @pending a member, of the groups around @self as well. If the group is
 * cancelled, so is @pending.
 *
 * Returns: %TRUE if it was added; %FALSE, with @pending left alone, if it is done
 *   or a member already, or the group is over
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_add (AexPendingGroup *self, AexPending *pending)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);
  g_return_val_if_fail (AEX_IS_PENDING (pending), FALSE);

  return !aex_is_forked () && use (self, NULL) && aex_group_add (get_core (self), pending);
}

/**
 * aex_pending_group_cancel:
 * @self: a group
 * @message: (nullable): why; messages of repeated calls are joined by newlines
 *
 * Cancels a group: its members, those that join later, and waits of the code
 * inside. Any thread.
 *
 * Returns: %TRUE if it is cancelled, now or before; %FALSE if it had ended
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_cancel (AexPendingGroup *self, const char *message)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);

  return !aex_is_forked () && aex_group_cancel (get_core (self), AEX_GROUP_CANCELLED, message);
}

/**
 * aex_pending_group_is_cancelled:
 * @self: a group
 *
 * Asks whether it was cancelled, by whatever: a call, a member, its time, what is
 * around it.
 *
 * Returns: whether
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_is_cancelled (AexPendingGroup *self)
{
  AexTrackerCore *core;
  gboolean cancelled;

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);

  core = get_core (self);
  if (aex_is_forked ())
    return aex_group_is_cancelled_locked (core->group);
  g_mutex_lock (&core->lock);
  cancelled = aex_group_is_cancelled_locked (core->group);
  g_mutex_unlock (&core->lock);
  return cancelled;
}

/**
 * aex_pending_group_is_over:
 * @self: a group
 *
 * Asks whether it has ended, so that nothing can join it any more.
 *
 * Returns: whether
 *
 * Since: 1.0
 */
gboolean
aex_pending_group_is_over (AexPendingGroup *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), FALSE);

  return atomic_load (&get_core (self)->closed);
}

/**
 * aex_pending_group_get_scope:
 * @self: a group
 *
 * Gets the scope of the group: what is submitted in it, with [method@Scope.run],
 * is a member, and waits in it end when the group is cancelled. Do not leave it.
 *
 * Returns: (transfer none) (nullable): the scope, which lives as long as @self;
 *   %NULL when the group ended before it was used
 *
 * Since: 1.0
 */
AexScope *
aex_pending_group_get_scope (AexPendingGroup *self)
{
  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), NULL);

  if (aex_is_forked ())
    return self->scope;
  use (self, NULL);
  return get_kept_scope (self);
}

/**
 * aex_pending_group_get_cancellable:
 * @self: a group
 *
 * Gets a cancellable that is cancelled with the group, by the thread that does
 * so: for functions of GIO that are called inside.
 *
 * Returns: (transfer none) (nullable): the cancellable; it lives as long as @self
 *
 * Since: 1.0
 */
GCancellable *
aex_pending_group_get_cancellable (AexPendingGroup *self)
{
  AexScope *scope;

  g_return_val_if_fail (AEX_IS_PENDING_GROUP (self), NULL);

  scope = aex_pending_group_get_scope (self);
  return scope != NULL ? aex_scope_get_cancellable (scope) : NULL;
}

/**
 * aex_pending_group_ref_current:
 *
 * Gets the innermost group that the calling code stands in and that is not over.
 *
 * Returns: (transfer full) (nullable): the group, or %NULL
 *
 * Since: 1.0
 */
AexPendingGroup *
aex_pending_group_ref_current (void)
{
  return (AexPendingGroup *) aex_pending_tracker_ref_current (AEX_TYPE_PENDING_GROUP);
}
