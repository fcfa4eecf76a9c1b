/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Callers among each other: parents and children; and who keeps one from being stopped. */
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "base/aex-weak-private.h"
#include "executor/aex-caller-core-private.h"

/* ---- children */

/* The lock is held.  One that is stopping is none any more. */
static AexCallerCore *
find_child (AexCallerCore *self, const char *name)
{
  for (guint i = 0; i < self->children->len; i++)
    {
      AexCallerCore *child = self->children->pdata[i];

      if (!aex_core_is_closed (&child->core) && g_strcmp0 (child->core.name, name) == 0)
        return child;
    }
  return NULL;
}

static AexCallerCore *
make_child (AexCallerCore *self, const AexCallerOptions *options, AexCallerWorkers *employer, GError **error)
{
  AexCallerCore *child;

  if (!AEX_CORE_OPS (&self->core)->ensure_thread (&self->core, error))
    return NULL;
  /* Counted before it is asked whether self is closed: whoever closes it sees the one or we the other. */
  atomic_fetch_add (&self->n_children, 1);
  if (aex_core_is_closed (&self->core))
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_CLOSED, _("The caller is stopping: it gets no more children"));
      child = NULL;
    }
  else
    {
      child = aex_caller_core_new_thread (options, self, employer, error);
    }
  if (child == NULL)
    atomic_fetch_sub (&self->n_children, 1);
  else
    g_ptr_array_add (self->children, aex_target_ref (child));
  return child;
}

static AexCallerCore *
take_child (AexCallerCore *child, const AexCallerOptions *options, GError **error)
{
  if (aex_caller_options_match (child->options, options))
    return aex_target_ref (child);
  g_set_error (error, AEX_ERROR, AEX_ERROR_MISMATCH,
               _("The child “%s” was made with other options: ask for it without, or make one of another name"), child->core.name);
  return NULL;
}

/* The lock is held while the thread is started, so that two who ask for one name get the same: nothing of a user runs. */
AexCallerCore *
aex_caller_core_ref_child (AexCallerCore *self, const AexCallerOptions *options, AexCallerWorkers *employer, GError **error)
{
  const char *name = options != NULL ? options->name : NULL;
  AexCallerCore *found, *child;
  gboolean closed;

  /* Else what this thread keeps for its next submission could go under the lock, with a pending that somebody wraps. */
  aex_thread_flush ();
  g_mutex_lock (&self->family_lock);
  found = name != NULL && !aex_core_is_closed (&self->core) ? find_child (self, name) : NULL;
  child = found != NULL ? take_child (found, options, error) : make_child (self, options, employer, error);
  g_mutex_unlock (&self->family_lock);
  closed = child == NULL && aex_core_is_closed (&self->core);
  if (closed)
    aex_caller_core_check_stopped (self);
  return child;
}

void
aex_caller_core_leave_family (AexCallerCore *self)
{
  AexCallerCore *parent = self->parent;
  gboolean found;

  if (parent == NULL || aex_is_forked ())
    return;
  if (self->employer != NULL)
    aex_caller_workers_lost (self->employer, self);
  aex_target_ref (self);
  g_mutex_lock (&parent->family_lock);
  found = g_ptr_array_find (parent->children, self, NULL);
  if (found)
    g_ptr_array_remove (parent->children, self);
  g_mutex_unlock (&parent->family_lock);
  if (found && atomic_fetch_sub (&parent->n_children, 1) == 1)
    aex_caller_core_check_stopped (parent);
  aex_target_unref (self);
}

/* Copies, so that what happens to one may change the list. */
static GPtrArray *
dup_children (AexCallerCore *self, gboolean all)
{
  GPtrArray *children = g_ptr_array_new_with_free_func (aex_target_unref);

  g_mutex_lock (&self->family_lock);
  for (guint i = 0; i < self->children->len; i++)
    {
      AexCallerCore *child = self->children->pdata[i];

      if (all || !aex_core_is_closed (&child->core))
        g_ptr_array_add (children, aex_target_ref (child));
    }
  g_mutex_unlock (&self->family_lock);
  return children;
}

/* Whatever holds them: they end before their parent.  Those that work for to_thread() end when their work has. */
void
aex_caller_core_end_children (AexCallerCore *self, AexShutdownFlags flags)
{
  g_autoptr (GPtrArray) children = dup_children (self, TRUE);
  AexCallerWorkers *workers;

  g_mutex_lock (&self->family_lock);
  workers = self->workers != NULL ? aex_target_ref (self->workers) : NULL;
  g_mutex_unlock (&self->family_lock);
  if (workers != NULL)
    {
      aex_caller_workers_shutdown (workers, flags);
      aex_target_unref (workers);
    }
  for (guint i = 0; i < children->len; i++)
    {
      AexCallerCore *child = children->pdata[i];

      if (child->employer == NULL)
        g_object_unref (aex_core_shutdown (&child->core, flags));
    }
}

void
aex_caller_core_end_workers (AexCallerCore *self)
{
  AexCallerWorkers *workers;

  g_mutex_lock (&self->family_lock);
  workers = g_steal_pointer (&self->workers);
  g_mutex_unlock (&self->family_lock);
  g_clear_pointer (&workers, aex_target_unref);
}

static AexCaller *
facade_of (AexCallerCore *core)
{
  return aex_caller_ref_for_core (core, core->core.name);
}

/**
 * aex_caller_ref_child:
 * @self: a caller
 * @name: (nullable): a name, %NULL for a new child without one
 * @error: return location for an error
 *
 * Gets the child of that name, or makes one: a caller with a thread of its own
 * that belongs to @self, with the options that @self was made with. It ends
 * when it is stopped, or before @self does; dropping references to it does not
 * end it. One that is stopping is a child no more.
 *
 * Returns: (transfer full): the child, %NULL if @error is set:
 *   %AEX_ERROR_CLOSED when @self is stopping
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_child (AexCaller *self, const char *name, GError **error)
{
  AexCallerOptions options = { .name = (char *) name };

  return aex_caller_ref_child_full (self, &options, error);
}

/**
 * aex_caller_ref_child_full:
 * @self: a caller
 * @options: (nullable): options; those that it does not set are as in @self
 * @error: return location for an error
 *
 * The same with options of the child.
 *
 * Returns: (transfer full): the child, %NULL if @error is set:
 *   %AEX_ERROR_CLOSED when @self is stopping, %AEX_ERROR_MISMATCH when the
 *   child is there with other options, %AEX_ERROR_INVALID_ARGUMENT when they
 *   make no sense, %AEX_ERROR_NOT_FOUND when there is no such backend
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_child_full (AexCaller *self, AexCallerOptions *options, GError **error)
{
  AexCallerCore *core;
  AexCaller *child;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  if (aex_fork_check (error) || !aex_caller_options_check (options, error))
    return NULL;
  core = aex_caller_core_ref_child (aex_caller_get_caller_core (self), options, NULL, error);
  if (core == NULL)
    return NULL;
  child = facade_of (core);
  aex_target_unref (core);
  return child;
}

/**
 * aex_caller_ref_parent: (get-property parent)
 * @self: a caller
 *
 * Gets the caller that @self is a child of.
 *
 * Returns: (transfer full) (nullable): the parent, %NULL for one that is no child
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_parent (AexCaller *self)
{
  AexCallerCore *parent;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  parent = aex_caller_get_caller_core (self)->parent;
  return parent != NULL ? facade_of (parent) : NULL;
}

/**
 * aex_caller_list_children:
 * @self: a caller
 *
 * Lists the children of @self that are not stopping, those that work for
 * [method@Caller.to_thread] among them: a copy, which does not change.
 *
 * Returns: (transfer container) (element-type AexCaller): the children, oldest first
 *
 * Since: 1.0
 */
GPtrArray *
aex_caller_list_children (AexCaller *self)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) children = NULL;

  g_return_val_if_fail (AEX_IS_CALLER (self), list);

  if (aex_is_forked ())
    return list;
  children = dup_children (aex_caller_get_caller_core (self), FALSE);
  for (guint i = 0; i < children->len; i++)
    g_ptr_array_add (list, facade_of (children->pdata[i]));
  return list;
}

/**
 * aex_caller_dup_options:
 * @self: a caller
 *
 * Gets the options of the thread of @self, with what it got from its parent.
 *
 * Returns: (transfer full): a copy; it says nothing when @self adopted a context
 *
 * Since: 1.0
 */
AexCallerOptions *
aex_caller_dup_options (AexCaller *self)
{
  AexCallerCore *core;
  AexCallerOptions *options;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  core = aex_caller_get_caller_core (self);
  options = core->options != NULL ? aex_caller_options_copy (core->options) : aex_caller_options_new ();
  aex_caller_options_set_name (options, core->core.name);
  aex_caller_options_set_backend (options, core->backend);
  return options;
}

/* ---- all of them */

/**
 * aex_caller_lookup:
 * @id: the number of a caller
 *
 * Finds a caller by [property@Caller:id]; never makes one.
 *
 * Returns: (transfer full) (nullable): the caller, %NULL when there is none, or
 *   when it has stopped
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_lookup (guint64 id)
{
  AexCallerCore *core = aex_is_forked () ? NULL : aex_caller_registry_ref (id);
  AexCaller *self = NULL;

  if (core == NULL)
    return NULL;
  if (atomic_load (&core->core.state) < AEX_EXECUTOR_STATE_STOPPED)
    self = facade_of (core);
  aex_target_unref (core);
  return self;
}

/* The object of a caller for a list: one that has stopped is not made anew. */
static AexCaller *
ref_listed (AexCallerCore *core, gboolean running_only)
{
  int state = atomic_load (&core->core.state);

  if (running_only && state != AEX_EXECUTOR_STATE_RUNNING)
    return NULL;
  return state == AEX_EXECUTOR_STATE_STOPPED ? aex_weak_get (&core->core.facade) : facade_of (core);
}

/**
 * aex_caller_list:
 * @running_only: whether to leave out those that have not begun to run, and
 *   those that are stopping or have stopped
 *
 * Lists the callers of the process: a copy, which does not change. Of those
 * that have stopped it has what somebody still holds a reference to.
 *
 * Returns: (transfer container) (element-type AexCaller): the callers, oldest first
 *
 * Since: 1.0
 */
GPtrArray *
aex_caller_list (gboolean running_only)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) cores = NULL;

  if (aex_is_forked ())
    return list;
  cores = aex_caller_registry_ref_all ();
  for (guint i = 0; i < cores->len; i++)
    {
      AexCaller *self = ref_listed (cores->pdata[i], running_only);

      if (self != NULL)
        g_ptr_array_add (list, self);
    }
  return list;
}

/* ---- holding */

gboolean
aex_caller_core_is_protected (AexCallerCore *self)
{
  gboolean is_protected;

  g_mutex_lock (&self->family_lock);
  is_protected = self->is_protected || self->n_holds > 0;
  g_mutex_unlock (&self->family_lock);
  return is_protected;
}

/**
 * aex_caller_get_protected: (get-property protected)
 * @self: a caller
 *
 * Asks whether a plain [method@Caller.stop] leaves @self alone: because
 * somebody holds it, or because [method@Caller.set_protected] said so.
 *
 * Returns: whether it does
 *
 * Since: 1.0
 */
gboolean
aex_caller_get_protected (AexCaller *self)
{
  g_return_val_if_fail (AEX_IS_CALLER (self), FALSE);

  return !aex_is_forked () && aex_caller_core_is_protected (aex_caller_get_caller_core (self));
}

/**
 * aex_caller_set_protected: (set-property protected)
 * @self: a caller
 * @is_protected: whether it is to be
 *
 * Sets whether a plain [method@Caller.stop] leaves @self alone also while
 * nobody holds it.
 *
 * Since: 1.0
 */
void
aex_caller_set_protected (AexCaller *self, gboolean is_protected)
{
  AexCallerCore *core;

  g_return_if_fail (AEX_IS_CALLER (self));

  if (aex_is_forked ())
    return;
  core = aex_caller_get_caller_core (self);
  g_mutex_lock (&core->family_lock);
  core->is_protected = is_protected;
  g_mutex_unlock (&core->family_lock);
}

/**
 * aex_caller_hold:
 * @self: a caller
 *
 * Keeps @self: until everybody who did has called [method@Caller.release], a
 * plain [method@Caller.stop] does nothing, and @self has a reference. Any
 * thread, any number of times.
 *
 * Returns: %TRUE if it is held now; %FALSE when it is stopping, or the last of
 *   those who held it has let go: then there is nothing to release
 *
 * Since: 1.0
 */
gboolean
aex_caller_hold (AexCaller *self)
{
  AexCallerCore *core;
  gboolean held;

  g_return_val_if_fail (AEX_IS_CALLER (self), FALSE);

  if (aex_is_forked ())
    return FALSE;
  core = aex_caller_get_caller_core (self);
  g_mutex_lock (&core->family_lock);
  held = !core->is_released && !aex_core_is_closed (&core->core);
  if (held)
    core->n_holds++;
  g_mutex_unlock (&core->family_lock);
  if (held)
    g_object_ref (self);
  return held;
}

/**
 * aex_caller_release:
 * @self: a caller that is held
 *
 * Lets go of what [method@Caller.hold] has taken. The last one to do so stops
 * @self, as a forced [method@Caller.stop] does. Any thread, also a job of
 * @self; never blocks. Who held it first waits for the returned pending, and
 * so for all the others.
 *
 * Returns: (transfer full): the pending of [method@Caller.get_stopped]
 *
 * Since: 1.0
 */
AexPending *
aex_caller_release (AexCaller *self)
{
  return aex_caller_release_full (self, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
}

/**
 * aex_caller_release_full:
 * @self: a caller that is held
 * @flags: what becomes of its work if this was the last hold
 *
 * The same, but the last one shuts @self down with @flags: without any, what
 * was accepted still runs.
 *
 * Returns: (transfer full): the pending of [method@Caller.get_stopped]
 *
 * Since: 1.0
 */
AexPending *
aex_caller_release_full (AexCaller *self, AexShutdownFlags flags)
{
  AexCallerCore *core;
  AexPending *forked, *stopped;
  gboolean held, last;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  forked = aex_pending_new_if_forked ();
  if (forked != NULL)
    return forked;
  core = aex_caller_get_caller_core (self);
  stopped = g_object_ref (core->stopped);
  g_mutex_lock (&core->family_lock);
  held = core->n_holds > 0;
  last = held && --core->n_holds == 0;
  core->is_released |= last;
  g_mutex_unlock (&core->family_lock);
  if (last)
    g_object_unref (aex_core_shutdown (&core->core, flags));
  if (held)
    g_object_unref (self);
  else
    g_critical ("A caller was released more often than it was held");
  return stopped;
}

/* ---- words */

static const char *
state_name (AexExecutorState state)
{
  static const char *const names[] = { "initial", "running", "stopping", "stopped" };

  return names[CLAMP (state, AEX_EXECUTOR_STATE_INITIAL, AEX_EXECUTOR_STATE_STOPPED)];
}

/**
 * aex_caller_describe:
 * @self: a caller
 *
 * Describes @self in one line, for people who look for a fault: its number,
 * name, state and thread, and how much it has to do. Not translated. Works also
 * when it has stopped.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
aex_caller_describe (AexCaller *self)
{
  AexCallerCore *core;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GPtrArray) children = NULL;
  guint n_holds = 0;

  g_return_val_if_fail (AEX_IS_CALLER (self), NULL);

  core = aex_caller_get_caller_core (self);
  if (!aex_is_forked ())
    {
      children = dup_children (core, FALSE);
      g_mutex_lock (&core->family_lock);
      n_holds = core->n_holds;
      g_mutex_unlock (&core->family_lock);
    }
  g_string_printf (text, "caller %" G_GUINT64_FORMAT, core->id);
  if (core->core.name != NULL)
    g_string_append_printf (text, " \"%s\"", core->core.name);
  g_string_append_printf (text, ": %s, %s", state_name ((AexExecutorState) atomic_load (&core->core.state)),
                          core->owns_thread ? "thread of its own" : "context of others");
  if (core->parent != NULL)
    g_string_append_printf (text, ", child of %" G_GUINT64_FORMAT, core->parent->id);
  g_string_append_printf (text, ", queued %d, running %d, children %u, holds %u", MAX (atomic_load (&core->n_queued), 0),
                          MAX (atomic_load (&core->n_running), 0), children != NULL ? children->len : 0, n_holds);
  return g_string_free (g_steal_pointer (&text), FALSE);
}
