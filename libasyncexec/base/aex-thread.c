/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-thread-private.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "base/aex-home-private.h"

__thread AexThread aex_thread_self;

static _Atomic (AexThreadFlushFunc) flush_func;

static void thread_exit (gpointer data);

static GPrivate thread_exit_key = G_PRIVATE_INIT (thread_exit);

static void
flush (AexThread *self, gboolean exiting)
{
  AexThreadFlushFunc func = atomic_load (&flush_func);

  if (func != NULL)
    func (self, exiting);
  self->home_context = NULL;
  g_clear_pointer (&self->home, aex_target_unref);
  if (self->frame == NULL)
    g_clear_object (&self->cancellable);
}

void
aex_thread_set_flush_func (AexThreadFlushFunc func)
{
  atomic_store (&flush_func, func);
}

void
aex_thread_flush (void)
{
  flush (aex_thread_get (), FALSE);
}

static void
thread_exit (gpointer data)
{
  AexThread *self = aex_thread_get ();

  (void) data;
  /* First: what goes may need something of the thread once more, and then this is called again. */
  self->registered = FALSE;
  flush (self, TRUE);
  g_clear_pointer (&self->parker, aex_parker_unref);
}

void
aex_thread_register (AexThread *self)
{
  if (G_LIKELY (self->registered))
    return;
  self->registered = TRUE;
  g_private_set (&thread_exit_key, self);
}

AexParker *
aex_thread_get_parker (AexThread *self)
{
  if (self->parker == NULL)
    {
      aex_thread_register (self);
      self->parker = aex_parker_new ();
    }
  return self->parker;
}

gboolean
aex_thread_is_main (void)
{
  return (pid_t) syscall (SYS_gettid) == getpid ();
}
