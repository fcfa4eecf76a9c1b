/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-caller-options-private.h"

#include "aex-error.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-guest-private.h"

/**
 * AexCallerOptions:
 *
 * What can be said of a caller that is made with its thread: see
 * [ctor@Caller.new_thread_full] and [method@Caller.ref_child_full]. Reusable
 * for several; one thread at a time.
 *
 * Since: 1.0
 */

G_DEFINE_BOXED_TYPE (AexCallerOptions, aex_caller_options, aex_caller_options_copy, aex_caller_options_free)

#define MAX_NICENESS 19

/**
 * aex_caller_options_new:
 *
 * Makes options that say nothing.
 *
 * Returns: (transfer full): new options
 *
 * Since: 1.0
 */
AexCallerOptions *
aex_caller_options_new (void)
{
  return g_new0 (AexCallerOptions, 1);
}

/**
 * aex_caller_options_copy:
 * @self: options
 *
 * Copies them.
 *
 * Returns: (transfer full): a copy
 *
 * Since: 1.0
 */
AexCallerOptions *
aex_caller_options_copy (const AexCallerOptions *self)
{
  AexCallerOptions *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  copy->name = g_strdup (self->name);
  return copy;
}

/**
 * aex_caller_options_free:
 * @self: (transfer full): options
 *
 * Frees them.
 *
 * Since: 1.0
 */
void
aex_caller_options_free (AexCallerOptions *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->name);
  g_free (self);
}

/**
 * aex_caller_options_set_name:
 * @self: options
 * @name: (nullable): a name, %NULL for none
 *
 * Names the caller. Among the children of one caller a name is there once.
 *
 * Since: 1.0
 */
void
aex_caller_options_set_name (AexCallerOptions *self, const char *name)
{
  g_return_if_fail (self != NULL);

  if (self->name == name)
    return;
  g_free (self->name);
  self->name = g_strdup (name);
}

/**
 * aex_caller_options_set_context_flags:
 * @self: options
 * @flags: flags for g_main_context_new_with_flags()
 *
 * Sets how the main context of the caller is made.
 *
 * Since: 1.0
 */
void
aex_caller_options_set_context_flags (AexCallerOptions *self, GMainContextFlags flags)
{
  g_return_if_fail (self != NULL);

  self->has_context_flags = TRUE;
  self->context_flags = flags;
}

/**
 * aex_caller_options_set_niceness:
 * @self: options
 * @niceness: by how much the thread is nicer to others than the process is, 0
 *   to 19
 *
 * Sets how willingly the thread of the caller leaves the processors to others,
 * as nice() does for a process.
 *
 * Since: 1.0
 */
void
aex_caller_options_set_niceness (AexCallerOptions *self, int niceness)
{
  g_return_if_fail (self != NULL);

  self->has_niceness = TRUE;
  self->niceness = niceness;
}

/**
 * aex_caller_options_set_poll_func: (skip)
 * @self: options
 * @poll_func: (nullable): how the context waits, see
 *   g_main_context_set_poll_func(); %NULL for poll()
 *
 * Sets how the main context of the caller waits. @poll_func is called on the
 * thread of the caller, once per iteration, with the context unlocked.
 *
 * Since: 1.0
 */
void
aex_caller_options_set_poll_func (AexCallerOptions *self, GPollFunc poll_func)
{
  g_return_if_fail (self != NULL);

  self->poll_func = poll_func;
}

/**
 * aex_caller_options_set_backend:
 * @self: options
 * @backend: (nullable): the name of a backend, %NULL to leave it open
 *
 * Sets in which loop the jobs of the caller run, on its thread: “glib”, or one
 * of [func@Caller.register_backend]. Left open it is that of the parent, or
 * “glib”.
 *
 * Since: 1.0
 */
void
aex_caller_options_set_backend (AexCallerOptions *self, const char *backend)
{
  g_return_if_fail (self != NULL);

  self->backend = g_intern_string (backend);
}

/**
 * aex_caller_options_get_name:
 * @self: options
 *
 * Gets the name.
 *
 * Returns: (nullable): the name, as long as @self is there and has it
 *
 * Since: 1.0
 */
const char *
aex_caller_options_get_name (const AexCallerOptions *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

/**
 * aex_caller_options_get_context_flags:
 * @self: options
 *
 * Gets how the main context is made.
 *
 * Returns: the flags
 *
 * Since: 1.0
 */
GMainContextFlags
aex_caller_options_get_context_flags (const AexCallerOptions *self)
{
  g_return_val_if_fail (self != NULL, G_MAIN_CONTEXT_FLAGS_NONE);

  return self->context_flags;
}

/**
 * aex_caller_options_get_niceness:
 * @self: options
 *
 * Gets by how much the thread is nicer than the process.
 *
 * Returns: the niceness
 *
 * Since: 1.0
 */
int
aex_caller_options_get_niceness (const AexCallerOptions *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->niceness;
}

/**
 * aex_caller_options_get_backend:
 * @self: options
 *
 * Gets the name of the backend.
 *
 * Returns: (nullable): the name, %NULL when it is left open
 *
 * Since: 1.0
 */
const char *
aex_caller_options_get_backend (const AexCallerOptions *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->backend;
}

/* ---- for callers */

gboolean
aex_caller_options_check (const AexCallerOptions *self, GError **error)
{
  if (self != NULL && self->backend != NULL && aex_backend_find (self->backend, error) == NULL)
    return FALSE;
  if (self == NULL || !self->has_niceness || (self->niceness >= 0 && self->niceness <= MAX_NICENESS))
    return TRUE;
  g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
               _("The niceness of a thread is from 0 to %d, which %d is not"), MAX_NICENESS, self->niceness);
  return FALSE;
}

gboolean
aex_caller_options_check_adopted (const AexCallerOptions *self, GError **error)
{
  if (!self->has_context_flags && !self->has_niceness && self->poll_func == NULL)
    return TRUE;
  g_set_error_literal (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                       _("This context is there already: options of a context or a thread are for callers that make one"));
  return FALSE;
}

AexCallerOptions *
aex_caller_options_inherit (const AexCallerOptions *self, const AexCallerOptions *parent)
{
  AexCallerOptions *result = self != NULL ? aex_caller_options_copy (self) : aex_caller_options_new ();

  if (parent == NULL)
    return result;
  if (!result->has_context_flags)
    result->context_flags = parent->context_flags;
  if (!result->has_niceness)
    result->niceness = parent->niceness;
  if (result->poll_func == NULL)
    result->poll_func = parent->poll_func;
  result->has_context_flags |= parent->has_context_flags;
  result->has_niceness |= parent->has_niceness;
  return result;
}

gboolean
aex_caller_options_match (const AexCallerOptions *self, const AexCallerOptions *wanted)
{
  return wanted == NULL
         || ((!wanted->has_context_flags || wanted->context_flags == self->context_flags)
             && (!wanted->has_niceness || wanted->niceness == self->niceness)
             && (wanted->poll_func == NULL || wanted->poll_func == self->poll_func)
             && (wanted->backend == NULL || g_str_equal (wanted->backend, self->backend != NULL ? self->backend : "glib")));
}
