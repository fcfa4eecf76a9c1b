/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

/* A thread with a loop that is not GLib's: it is told through a function that
 * there is work. */
typedef struct _PropHost {
  GThread      *thread;
  GMainContext *context;
  AexCaller    *caller;
  GMutex        lock;
  GCond         cond;
  gboolean      due;        /* lock */
  gboolean      quit;       /* lock */
  AexGate       ready;
} PropHost;

/* On the thread that posts. */
static void
wake (AexCaller *caller,
      gpointer   data)
{
  PropHost *self = data;

  g_mutex_lock (&self->lock);
  self->due = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

/* FALSE when it is over. */
static gboolean
sleep_until_due (PropHost *self)
{
  gint64 ready_us = aex_caller_get_ready_time (self->caller);
  gboolean quit;

  g_mutex_lock (&self->lock);
  while (!self->due && !self->quit)
    {
      if (ready_us < 0)
        g_cond_wait (&self->cond, &self->lock);
      else if (!g_cond_wait_until (&self->cond, &self->lock, ready_us))
        break;
    }
  self->due = FALSE;
  quit = self->quit;
  g_mutex_unlock (&self->lock);
  return !quit;
}

static gpointer
host_main (gpointer data)
{
  PropHost *self = data;

  g_main_context_push_thread_default (self->context);
  prop_set_loop (TRUE);
  self->caller = aex_caller_ref_current (NULL);
  g_assert_nonnull (self->caller);
  aex_caller_set_wake_func (self->caller, wake, self, NULL);
  aex_gate_open (&self->ready);
  do
    {
      while (aex_caller_dispatch (self->caller, 2000))
        ;
    }
  while (sleep_until_due (self));
  aex_caller_set_wake_func (self->caller, NULL, NULL, NULL);
  while (aex_caller_dispatch (self->caller, -1))
    ;
  g_clear_object (&self->caller);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  return NULL;
}

PropHost *
prop_host_start (AexExecutor **caller)
{
  PropHost *self = g_new0 (PropHost, 1);

  self->context = g_main_context_new ();
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  aex_gate_init (&self->ready);
  self->thread = g_thread_new ("host", host_main, self);
  aex_gate_wait (&self->ready);
  *caller = g_object_ref (AEX_EXECUTOR (self->caller));
  return self;
}

void
prop_host_stop (PropHost *self)
{
  g_mutex_lock (&self->lock);
  self->quit = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  aex_gate_clear (&self->ready);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}
