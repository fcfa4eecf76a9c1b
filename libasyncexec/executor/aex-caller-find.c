/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which caller: the one of a context, found or made, or one with a new thread. */
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-caller-core-private.h"

static AexCaller *
ref_for_home (AexHome *home)
{
  AexCallerCore *core = aex_caller_core_ref_for_home (home, NULL, NULL);
  AexCaller *self = aex_caller_ref_for_core (core, core->core.name);

  aex_target_unref (core);
  return self;
}

/* A job of a pool gets a context of its own, which ends with the job. */
static gboolean
push_own_context (AexThread *thread, GError **error)
{
  GMainContext *context;

  if (thread->pool == NULL || g_main_context_get_thread_default () != NULL)
    return TRUE;
  context = aex_main_context_try_new (G_MAIN_CONTEXT_FLAGS_NONE, error);
  if (context == NULL)
    return FALSE;
  g_main_context_push_thread_default (context);
  thread->own_context = context;
  return TRUE;
}

/**
 * aex_caller_ref_current:
 * @error: return location for an error
 *
 * Gets the caller of the calling thread: that of its thread-default main
 * context, or, on the thread of main() or whoever runs it, of the default one.
 * A job of a thread pool gets a context of its own, which ends with the job.
 *
 * Returns: (transfer full): the caller, %NULL if @error is set:
 *   %AEX_ERROR_NO_CONTEXT on a plain thread
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_current (GError **error)
{
  AexThread *thread = aex_thread_get ();
  AexHome *home;

  if (aex_fork_check (error) || !push_own_context (thread, error))
    return NULL;
  if (aex_thread_lacks_context ())
    {
      g_set_error_literal (error, AEX_ERROR, AEX_ERROR_NO_CONTEXT,
                           _("This thread has no main context: push one with g_main_context_push_thread_default()"));
      return NULL;
    }
  home = aex_home_get_for_thread (thread, error);
  return home != NULL ? ref_for_home (home) : NULL;
}

/**
 * aex_caller_ref_main:
 *
 * Gets the caller of the default main context, on any thread. See
 * [func@Caller.ref_for_context] for what it is where there can be none.
 *
 * Returns: (transfer full): the caller
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_main (void)
{
  return aex_caller_ref_for_context (NULL);
}

/**
 * aex_caller_ref_for_context:
 * @context: (nullable): a main context, %NULL for the default one
 *
 * Gets the caller of a context, on any thread. The caller does not keep
 * @context alive; when that is destroyed, the caller is stopped. In a forked
 * child it is one that refuses everything with %AEX_ERROR_FORKED, and in a
 * process without a file descriptor to spare one that refuses everything with
 * %G_IO_ERROR_TOO_MANY_OPEN_FILES: ask again when some were closed.
 *
 * Returns: (transfer full): the caller
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_for_context (GMainContext *context)
{
  GError *error = NULL;
  AexHome *home = aex_is_forked () ? aex_home_new_dead () : aex_home_ref_for_context (context, &error);
  AexCallerCore *core;
  AexCaller *self;

  if (home != NULL)
    {
      self = ref_for_home (home);
      aex_target_unref (home);
      return self;
    }
  core = aex_caller_core_new_refusing (error);
  self = aex_caller_ref_for_core (core, NULL);
  aex_target_unref (core);
  return self;
}

/* What options do not say is not compared, unless the name always is. */
static gboolean
is_as_wanted (AexCallerCore *core, const AexCallerOptions *options, gboolean compares_name, GError **error)
{
  const char *backend = core->backend != NULL ? core->backend : "glib";

  if (compares_name && g_strcmp0 (core->core.name, options->name) != 0)
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_MISMATCH,
                   _("The caller of this context is called “%s”: ask for it by that name, or by none"),
                   core->core.name != NULL ? core->core.name : "");
      return FALSE;
    }
  if (options->backend != NULL && !g_str_equal (options->backend, backend))
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_MISMATCH,
                   _("The backend of the caller of this context is “%s”: ask for it with that, or with none"), backend);
      return FALSE;
    }
  return TRUE;
}

static AexCaller *
ref_adopted (GMainContext *context, const AexCallerOptions *options, gboolean compares_name, GError **error)
{
  AexCallerCore *core;
  AexCaller *self = NULL;
  AexHome *home;

  if (aex_fork_check (error) || !aex_caller_options_check (options, error) || !aex_caller_options_check_adopted (options, error))
    return NULL;
  home = aex_home_ref_for_context (context, error);
  if (home == NULL)
    return NULL;
  core = aex_caller_core_ref_for_home (home, options, NULL);
  aex_target_unref (home);
  if (is_as_wanted (core, options, compares_name, error))
    self = aex_caller_ref_for_core (core, core->core.name);
  aex_target_unref (core);
  return self;
}

/**
 * aex_caller_ref_for_context_named:
 * @context: (nullable): a main context, %NULL for the default one
 * @name: (nullable): the name that the caller has or gets
 * @error: return location for an error
 *
 * Gets the caller of a context like [func@Caller.ref_for_context], or makes one
 * of that name.
 *
 * Returns: (transfer full): the caller, %NULL if @error is set:
 *   %AEX_ERROR_MISMATCH when it is there and has another name
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_for_context_named (GMainContext *context, const char *name, GError **error)
{
  AexCallerOptions options = { .name = (char *) name };

  return ref_adopted (context, &options, TRUE, error);
}

/**
 * aex_caller_ref_for_context_full:
 * @context: (nullable): a main context, %NULL for the default one
 * @options: (nullable): name and backend that the caller has or gets
 * @error: return location for an error
 *
 * Gets the caller of a context, or makes one with these options. The caller
 * adopts a loop that somebody else runs, so only its name and its backend can
 * be chosen; what is not said is not compared.
 *
 * Returns: (transfer full): the caller, %NULL if @error is set:
 *   %AEX_ERROR_MISMATCH when it is there with others,
 *   %AEX_ERROR_NOT_FOUND when there is no such backend,
 *   %AEX_ERROR_INVALID_ARGUMENT when @options say how to make a context or a thread
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_ref_for_context_full (GMainContext *context, AexCallerOptions *options, GError **error)
{
  AexCallerOptions none = { 0 };

  return ref_adopted (context, options != NULL ? options : &none, options != NULL && options->name != NULL, error);
}

/**
 * aex_caller_new_for_context:
 * @context: (nullable): a main context, %NULL for the default one
 * @name: (nullable): a name
 * @error: return location for an error
 *
 * Makes the caller of a context that has none. It is not started: it takes
 * work at once, and runs it when whoever owns @context does.
 *
 * Returns: (transfer full): a new caller, %NULL if @error is set:
 *   %AEX_ERROR_EXISTS when the context has one that has not stopped yet
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_new_for_context (GMainContext *context, const char *name, GError **error)
{
  AexCallerOptions options = { .name = (char *) name };
  AexCallerCore *core;
  AexCaller *self = NULL;
  AexHome *home;
  gboolean made = FALSE;

  if (aex_fork_check (error))
    return NULL;
  home = aex_home_ref_for_context (context, error);
  if (home == NULL)
    return NULL;
  core = aex_caller_core_ref_for_home (home, &options, &made);
  aex_target_unref (home);
  if (made)
    self = aex_caller_ref_for_core (core, name);
  else
    g_set_error_literal (error, AEX_ERROR, AEX_ERROR_EXISTS,
                         _("This context has a caller already: get it with aex_caller_ref_for_context()"));
  aex_target_unref (core);
  return self;
}

/**
 * aex_caller_lookup_current:
 *
 * Finds the caller of the calling thread, as [func@Caller.ref_current] does;
 * never makes one.
 *
 * Returns: (transfer full) (nullable): the caller, %NULL when there is none, or
 *   when it has stopped
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_lookup_current (void)
{
  AexHome *home = aex_is_forked () || aex_thread_lacks_context () ? NULL : aex_home_get_for_thread (aex_thread_get (), NULL);
  AexCallerCore *core = home != NULL ? aex_caller_core_peek_for_home (home) : NULL;
  AexCaller *self;

  if (core == NULL)
    return NULL;
  self = aex_caller_ref_for_core (core, core->core.name);
  aex_target_unref (core);
  return self;
}

/**
 * aex_caller_new_thread:
 * @name: (nullable): a name
 * @error: return location for an error
 *
 * Starts a thread with a main context of its own and gives its caller. The
 * thread ends when the caller is shut down or stopped, or its last reference
 * is dropped; jobs that were accepted still run then.
 *
 * Returns: (transfer full): a new caller, %NULL if @error is set
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_new_thread (const char *name, GError **error)
{
  AexCallerOptions options = { .name = (char *) name };

  return aex_caller_new_thread_full (&options, error);
}

/**
 * aex_caller_new_thread_full:
 * @options: (nullable): options
 * @error: return location for an error
 *
 * The same with options of the context and the thread.
 *
 * Returns: (transfer full): a new caller, %NULL if @error is set:
 *   %AEX_ERROR_INVALID_ARGUMENT when @options make no sense,
 *   %AEX_ERROR_NOT_FOUND when there is no such backend
 *
 * Since: 1.0
 */
AexCaller *
aex_caller_new_thread_full (AexCallerOptions *options, GError **error)
{
  AexCallerCore *core;
  AexCaller *self;

  if (aex_fork_check (error))
    return NULL;
  core = aex_caller_core_new_thread (options, NULL, NULL, error);
  if (core == NULL)
    return NULL;
  self = aex_caller_ref_for_core (core, core->core.name);
  aex_target_unref (core);
  return self;
}
