/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The thread of a caller that has one of its own. */
#include "base/aex-clock-private.h"
#include "executor/aex-caller-core-private.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* More than the process is; that is always allowed.  For Linux a thread is a process of its own. */
static void
be_nice (int niceness)
{
  id_t thread = (id_t) gettid ();

  if (setpriority (PRIO_PROCESS, thread, getpriority (PRIO_PROCESS, thread) + niceness) != 0)
    g_warning ("A thread could not be made nicer by %d: %s", niceness, g_strerror (errno));
}

static gpointer
caller_thread_main (gpointer data)
{
  AexCallerCore *self = data;
  GMainContext *context = self->context;

  if (self->options->niceness > 0)
    be_nice (self->options->niceness);
  g_main_context_push_thread_default (context);
  while (!self->quit)
    g_main_context_iteration (context, TRUE);
  /* What we owe to others, callbacks and releases, before the context goes. */
  while (aex_home_has_work (self->home, aex_clock_now ()))
    g_main_context_iteration (context, FALSE);
  g_main_context_pop_thread_default (context);
  aex_thread_flush ();
  g_main_context_unref (context);
  aex_caller_core_ended (self);
  aex_target_unref (self);
  return NULL;
}

/* The context, made as the options say. */
static GMainContext *
make_context (const AexCallerOptions *options, GError **error)
{
  GMainContext *context = aex_main_context_try_new (options->context_flags, error);

  if (context != NULL && options->poll_func != NULL)
    g_main_context_set_poll_func (context, options->poll_func);
  return context;
}

static gboolean
start_thread (AexCallerCore *self, GError **error)
{
  g_autofree char *name = g_strdup_printf ("aex-%.10s", self->core.name != NULL ? self->core.name : "caller");
  GThread *thread = g_thread_try_new (name, caller_thread_main, aex_target_ref (self), error);

  if (thread == NULL)
    {
      g_main_context_unref (self->context);
      aex_target_unref (self);
      return FALSE;
    }
  g_thread_unref (thread);
  return TRUE;
}

AexCallerCore *
aex_caller_core_new_thread (const AexCallerOptions *given, AexCallerCore *parent, AexCallerWorkers *employer, GError **error)
{
  g_autoptr (AexCallerOptions) options = aex_caller_options_inherit (given, parent != NULL ? parent->options : NULL);
  g_autoptr (GMainContext) context = aex_caller_options_check (options, error) ? make_context (options, error) : NULL;
  AexHome *home = context != NULL ? aex_home_ref_for_context (context, error) : NULL;
  AexCallerCore *self;

  if (home == NULL)
    return NULL;
  /* The parent may have adopted its context, and have no options. */
  if (options->backend == NULL && parent != NULL)
    options->backend = parent->backend;
  self = aex_caller_core_new (home, options->name, g_main_context_ref (context), TRUE, parent);
  aex_target_unref (home);
  self->backend = options->backend;
  self->options = g_steal_pointer (&options);
  self->employer = employer != NULL ? aex_target_ref (employer) : NULL;
  if (!start_thread (self, error))
    {
      aex_target_unref (self);
      return NULL;
    }
  aex_caller_core_enlist (self);
  return self;
}
