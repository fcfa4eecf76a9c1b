/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a group ends.  What it has to cancel is cancelled, and who joins is told, with no lock held. */
#include "pending/aex-group-private.h"

#include "base/aex-clock-private.h"
#include "base/aex-error-private.h"
#include "base/aex-i18n-private.h"
#include "pending/aex-error-payload-private.h"

#define DEFAULT_CANCELLATION_TIMEOUT (10 * (gint64) G_USEC_PER_SEC)

AexGroup *
aex_group_new (void)
{
  AexGroup *self = g_new0 (AexGroup, 1);

  self->timeout_us = -1;
  self->cancellation_timeout_us = DEFAULT_CANCELLATION_TIMEOUT;
  self->failures = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

void
aex_group_free (AexGroup *self)
{
  g_clear_pointer (&self->parent, aex_tracker_core_unref);
  g_clear_pointer (&self->scope, aex_scope_unref);
  g_free (self->message);
  g_ptr_array_unref (self->failures);
  g_free (self);
}

gboolean
aex_group_is_cancelled_locked (AexGroup *self)
{
  return self->end != AEX_GROUP_OPEN;
}

/* ---- the end */

/* Is it over now?  Then nothing more joins, and the caller has to say so. */
static gboolean
end_if_empty_locked (AexTrackerCore *core, gboolean anyway, AexGroupRest *rest)
{
  AexGroup *self = core->group;

  if (atomic_load (&core->closed) || (!anyway && (!self->joining || self->inside || core->n_members > 0)))
    return FALSE;
  atomic_store (&core->closed, TRUE);
  rest->scope = g_steal_pointer (&self->scope);
  rest->watch = g_steal_pointer (&self->watch);
  rest->job = g_steal_pointer (&self->job);
  rest->job_handler = self->job_handler;
  rest->alarm = g_steal_pointer (&self->alarm);
  rest->grace = g_steal_pointer (&self->grace);
  rest->join = g_steal_pointer (&self->join);
  return TRUE;
}

/* All that has gone wrong, and nothing of it is lost: it is told here, or at the members themselves. */
static GError *
make_group_error (GPtrArray *failures)
{
  GPtrArray *errors = g_ptr_array_new_full (failures->len, (GDestroyNotify) g_error_free);
  g_autoptr (GListStore) list = g_list_store_new (AEX_TYPE_PENDING);
  g_auto (GValue) members = G_VALUE_INIT;
  GError *error;

  for (guint i = 0; i < failures->len; i++)
    {
      g_ptr_array_add (errors, aex_pending_make_error (failures->pdata[i]));
      aex_pending_note_observed (failures->pdata[i]);
    }
  g_list_store_splice (list, 0, 0, failures->pdata, failures->len);
  error = aex_error_new_group (errors);
  g_value_init (&members, G_TYPE_LIST_STORE);
  g_value_set_object (&members, list);
  aex_error_attach_payload (error, &members);
  return error;
}

/* NULL: it ends well, or quietly. */
static GError *
make_error (AexGroup *self)
{
  gboolean raises = self->mode == AEX_GROUP_MODE_RAISE || self->mode == AEX_GROUP_MODE_RAISE_AT_END;

  if (self->failures->len > 0)
    return make_group_error (self->failures);
  if (!raises || (self->end == AEX_GROUP_OPEN && !self->member_cancelled))
    return NULL;
  if (self->end == AEX_GROUP_TIMED_OUT)
    return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("The time of the group is over"));
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                              self->message != NULL ? self->message
                              : self->end == AEX_GROUP_OPEN ? _("A member of the group was cancelled")
                              : _("The group was cancelled"));
}

/* It is over, and nothing of it changes any more. */
static void
finish (AexTrackerCore *core, AexGroupRest *rest)
{
  g_autoptr (AexPending) join = g_steal_pointer (&rest->join);
  GError *error = join != NULL ? make_error (core->group) : NULL;

  aex_group_rest_clear (rest);
  if (error != NULL)
    aex_pending_reject (join, error);
  else if (join != NULL)
    aex_pending_record (join, AEX_TAG_NONE, (AexWord) { 0 });
  /* Whoever is told has them; nobody is, and they tell it themselves when they go. */
  g_ptr_array_set_size (core->group->failures, 0);
}

/* ---- members that do not listen */

static void
grace_is_over (gpointer data)
{
  AexTrackerCore *core = data;
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (GPtrArray) stuck = NULL;
  GPtrArray *members;
  AexGroupRest rest = { NULL, };
  gboolean over;

  g_mutex_lock (&core->lock);
  members = aex_tracker_core_collect_locked (core, TRUE);
  over = end_if_empty_locked (core, TRUE, &rest);
  g_mutex_unlock (&core->lock);
  stuck = aex_pendings_ref_alive (members, NULL);
  aex_tracker_core_collected (core, members, NULL);
  if (!over)
    return;
  for (guint i = 0; i < stuck->len; i++)
    {
      g_autofree char *name = aex_pending_dup_name (stuck->pdata[i]);

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", name != NULL ? name : "(unnamed)");
    }
  g_log_structured (G_LOG_DOMAIN, G_LOG_LEVEL_WARNING, "AEX_PENDING", names->str,
                    "MESSAGE", "A cancelled group goes on without members that have not ended in time, %u: %s",
                    stuck->len, names->str);
  finish (core, &rest);
}

/* It was cancelled and somebody waits for it: from now on the time counts. */
static void
arm_grace (AexTrackerCore *core)
{
  AexGroup *self = core->group;
  AexAlarm *alarm, *old;
  gboolean arm;

  g_mutex_lock (&core->lock);
  arm = !atomic_load (&core->closed) && self->joining && self->end != AEX_GROUP_OPEN && self->grace == NULL
        && self->cancellation_timeout_us >= 0;
  g_mutex_unlock (&core->lock);
  if (!arm)
    return;
  alarm = aex_alarm_new (aex_clock_deadline (self->cancellation_timeout_us), grace_is_over,
                         aex_tracker_core_ref (core), aex_tracker_core_unref, NULL);
  /* Without a thread that tells the time it is waited for without limit. */
  if (alarm == NULL)
    {
      aex_tracker_core_unref (core);
      return;
    }
  g_mutex_lock (&core->lock);
  old = atomic_load (&core->closed) || self->grace != NULL ? alarm : NULL;
  if (old == NULL)
    self->grace = alarm;
  g_mutex_unlock (&core->lock);
  g_clear_pointer (&old, aex_alarm_cancel);
}

/* ---- cancelling */

/* Its first reason to end, with the lock held; TRUE: cancel_members() comes next. */
static gboolean
cancel_locked (AexGroup *self, AexGroupEnd why)
{
  if (self->end != AEX_GROUP_OPEN)
    return FALSE;
  self->end = why;
  return TRUE;
}

/* Takes pendings. */
static void
cancel_members (AexTrackerCore *core, AexScope *scope, GPtrArray *pendings, const char *message)
{
  AexThread *thread = aex_thread_get ();
  AexPending *outer = thread->cancelling;
  gpointer outer_for = thread->cancelling_for;

  if (scope != NULL)
    aex_scope_cancel (scope);
  for (guint i = 0; i < pendings->len; i++)
    {
      AexPending *pending = pendings->pdata[i];

      /* What has an extension may call a user before it is told. */
      thread->cancelling = atomic_load (&pending->extra) == NULL ? pending : NULL;
      thread->cancelling_for = core;
      /* Who ends it has a reference: else it could go when it is done and not told yet. */
      g_object_ref (pending);
      aex_pending_cancel_as (pending, AEX_CANCEL_IMPLIED, message);
      aex_pending_unref (pending);
    }
  thread->cancelling = outer;
  thread->cancelling_for = outer_for;
  aex_tracker_core_collected (core, pendings, NULL);
  arm_grace (core);
  g_clear_pointer (&scope, aex_scope_unref);
}

static void
add_message_locked (AexGroup *self, const char *message)
{
  char *old = self->message;

  if (message == NULL)
    return;
  self->message = old != NULL ? g_strconcat (old, "\n", message, NULL) : g_strdup (message);
  g_free (old);
}

/* FALSE: it is over. */
gboolean
aex_group_cancel (AexTrackerCore *core, AexGroupEnd why, const char *message)
{
  AexGroup *self = core->group;
  GPtrArray *pendings = NULL;
  AexScope *scope = NULL;
  gboolean over, cancel;

  g_mutex_lock (&core->lock);
  over = atomic_load (&core->closed);
  if (!over)
    add_message_locked (self, message);
  cancel = !over && cancel_locked (self, why);
  if (cancel)
    {
      pendings = aex_tracker_core_collect_locked (core, FALSE);
      scope = self->scope != NULL ? aex_scope_ref (self->scope) : NULL;
    }
  over = over && self->end == AEX_GROUP_OPEN;
  g_mutex_unlock (&core->lock);
  if (cancel)
    cancel_members (core, scope, pendings, message);
  return !over;
}

/* ---- members */

static gboolean
is_cancellation (AexPending *pending)
{
  guint state = aex_pending_load (pending);
  g_autoptr (GError) error = NULL;

  if (AEX_PHASE (state) == AEX_PHASE_CANCELLED)
    return TRUE;
  /* Whoever leaves the scope whose time was over knows. */
  if ((state & AEX_BIT_TIMED_OUT) && (state & AEX_BIT_SCOPED))
    return TRUE;
  error = aex_pending_make_error (pending);
  return aex_error_is_cancellation (error);
}

/* And those around it, whose cancellation would reach its members. */
gboolean
aex_group_goes_on (AexTrackerCore *core)
{
  for (AexGroup *self = core->group; self != NULL; self = self->parent != NULL ? self->parent->group : NULL)
    {
      if (self->mode == AEX_GROUP_MODE_RAISE || self->mode == AEX_GROUP_MODE_QUIET)
        return FALSE;
      if (self->shield)
        break;
    }
  return TRUE;
}

static AexPending *
abandoned_new (void)
{
  AexPending *ghost = aex_pending_new_promise (0);

  aex_pending_reject (ghost, g_error_new_literal (AEX_ERROR, AEX_ERROR_ABANDONED,
                                                  _("The pending was dropped before anybody completed it")));
  /* Without a group that tells it nobody would have heard of it either. */
  aex_pending_note_observed (ghost);
  return ghost;
}

/* What its end means for the group, with the lock held; TRUE: cancel_members() comes next. */
static gboolean
note_end_locked (AexGroup *self, AexPending *done, gboolean cancelled)
{
  self->member_cancelled = self->member_cancelled || cancelled;
  if (!cancelled)
    {
      g_ptr_array_add (self->failures, g_object_ref (done));
      return cancel_locked (self, AEX_GROUP_FAILED);
    }
  if (self->mode == AEX_GROUP_MODE_RAISE || self->mode == AEX_GROUP_MODE_QUIET)
    return cancel_locked (self, AEX_GROUP_CANCELLED);
  return FALSE;
}

void
aex_group_member_left (AexMember *member, AexPending *pending)
{
  AexTrackerCore *core = member->core;
  AexGroup *self = core->group;
  g_autoptr (AexPending) ghost = pending == NULL ? abandoned_new () : NULL;
  AexPending *done = pending != NULL ? pending : ghost;
  gboolean failed = AEX_PHASE (aex_pending_load (done)) != AEX_PHASE_RESOLVED;
  gboolean cancelled = failed && is_cancellation (done);
  gboolean cancel = FALSE, over = FALSE;
  AexGroupRest rest = { NULL, };
  GPtrArray *pendings = NULL;
  AexScope *scope = NULL;

  g_mutex_lock (&core->lock);
  if (aex_member_unlist_locked (member) && !atomic_load (&core->closed))
    {
      cancel = failed && note_end_locked (self, done, cancelled);
      if (cancel)
        {
          pendings = aex_tracker_core_collect_locked (core, FALSE);
          scope = self->scope != NULL ? aex_scope_ref (self->scope) : NULL;
        }
      over = end_if_empty_locked (core, FALSE, &rest);
    }
  g_mutex_unlock (&core->lock);
  if (cancel)
    cancel_members (core, scope, pendings, NULL);
  if (over)
    finish (core, &rest);
}

void
aex_group_member_undone (AexMember *member)
{
  AexTrackerCore *core = member->core;
  AexGroupRest rest = { NULL, };
  gboolean over;

  g_mutex_lock (&core->lock);
  over = aex_member_unlist_locked (member) && end_if_empty_locked (core, FALSE, &rest);
  g_mutex_unlock (&core->lock);
  if (over)
    finish (core, &rest);
}

gboolean
aex_group_add (AexTrackerCore *core, AexPending *pending)
{
  gboolean added = aex_tracker_core_add (core, pending, FALSE);
  gboolean shielded = core->group->shield;

  /* One of those around it that is over does not take it. */
  for (AexTrackerCore *outer = core->group->parent; added && outer != NULL; outer = outer->group->parent)
    {
      aex_tracker_core_add (outer, pending, shielded);
      shielded = shielded || outer->group->shield;
    }
  return added;
}

/* ---- joining */

/* A job that is a member, here or further up on the stack, would wait for itself. */
static gboolean
runs_in_member (AexTrackerCore *core)
{
  for (AexFrame *frame = aex_thread_get ()->frame; frame != NULL; frame = frame->previous)
    if (frame->job != NULL && aex_tracker_core_knows (core, frame->job))
      return TRUE;
  return FALSE;
}

static AexPending *
join_new (AexTrackerCore *core)
{
  AexPending *join = aex_pending_new_promise (AEX_FLAG_LIBRARY | AEX_FLAG_JOIN);

  join->data = aex_tracker_core_ref (core);
  join->destroy = aex_tracker_core_unref;
  return join;
}

AexPending *
aex_group_join (AexTrackerCore *core, AexPending **kept)
{
  AexGroup *self = core->group;
  g_autoptr (AexPending) made = join_new (core);
  AexGroupRest rest = { NULL, };
  gboolean over, first;

  if (runs_in_member (core))
    return aex_pending_new_failed (g_error_new_literal (AEX_ERROR, AEX_ERROR_REENTERED,
                                                        _("A member of a group can not wait for its end: end it where it was begun")));
  g_mutex_lock (&core->lock);
  first = *kept == NULL;
  if (first)
    {
      self->joining = TRUE;
      self->join = g_object_ref (made);
      *kept = g_object_ref (made);
    }
  over = first && end_if_empty_locked (core, FALSE, &rest);
  g_mutex_unlock (&core->lock);
  if (over)
    finish (core, &rest);
  else if (first)
    arm_grace (core);
  return g_object_ref (*kept);
}

void
aex_group_drop (AexTrackerCore *core)
{
  AexGroupRest rest = { NULL, };
  gboolean over;

  g_mutex_lock (&core->lock);
  over = !core->group->joining;
  g_mutex_unlock (&core->lock);
  if (!over)
    return;
  aex_group_cancel (core, AEX_GROUP_CANCELLED, _("The group was dropped before it ended"));
  g_mutex_lock (&core->lock);
  over = end_if_empty_locked (core, TRUE, &rest);
  g_mutex_unlock (&core->lock);
  if (over)
    finish (core, &rest);
}
