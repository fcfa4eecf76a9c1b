/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-environment-private.h"

#include "base/aex-home-private.h"
#include "pending/aex-context-private.h"
#include "pending/aex-pending-private.h"
#include "pending/aex-scope-private.h"

/* References taken at once, and given back at once by a thread that lets go of many. */
#define CREDIT 1024
#define MAX_CREDIT (4 * CREDIT)
#define MAX_RELEASED 256

static void
environment_unref_n (AexEnvironment *self, guint n)
{
  if (n == 0 || atomic_fetch_sub_explicit (&self->refs, n, memory_order_acq_rel) != n)
    return;
  g_clear_pointer (&self->executor, aex_target_unref);
  g_clear_pointer (&self->delivery, aex_target_unref);
  g_clear_pointer (&self->owner, aex_target_unref);
  g_clear_pointer (&self->context, aex_context_unref);
  g_free (self);
}

void
aex_environment_flush_thread (AexThread *thread, gboolean exiting)
{
  for (guint i = 0; i < AEX_ENVIRONMENT_CACHE; i++)
    {
      AexEnvironment *environment = g_steal_pointer (&thread->environments[i]);
      guint n = thread->credits[i];

      thread->credits[i] = 0;
      if (environment != NULL)
        environment_unref_n (environment, n + 1);
    }
  if (thread->released != NULL)
    {
      AexEnvironment *released = g_steal_pointer (&thread->released);
      guint n = thread->n_released;

      thread->n_released = 0;
      environment_unref_n (released, n);
    }
  if (exiting)
    {
      aex_scope_leave_all (thread->context, NULL, thread);
      g_clear_pointer (&thread->context, aex_context_unref);
    }
}

AexTarget *
aex_delivery_target (AexThread *thread, GError **error)
{
  if (thread->pool != NULL && g_main_context_get_thread_default () == NULL)
    return thread->pool;
  return (AexTarget *) aex_home_get_for_thread (thread, error);
}

/* Inside a job the owner is that of the job. */
static AexTarget *
owner_target (AexThread *thread, AexTarget *delivery)
{
  if (G_LIKELY (delivery == NULL || delivery != thread->pool))
    return delivery;
  for (AexFrame *frame = thread->frame; frame != NULL; frame = frame->previous)
    if (frame->job != NULL)
      return frame->job->environment->owner;
  return (AexTarget *) aex_home_get_default ();
}

static AexEnvironment *
environment_new (AexTarget *executor, AexTarget *delivery, AexTarget *owner, AexContext *context)
{
  AexEnvironment *self = g_new0 (AexEnvironment, 1);

  atomic_init (&self->refs, 1);
  self->executor = executor != NULL ? aex_target_ref (executor) : NULL;
  self->delivery = delivery != NULL ? aex_target_ref (delivery) : NULL;
  self->owner = owner != NULL ? aex_target_ref (owner) : NULL;
  self->context = context != NULL ? aex_context_ref (context) : NULL;
  return self;
}

AexEnvironment *
aex_environment_take (AexTarget *executor, AexContext *context)
{
  AexThread *thread = aex_thread_get ();
  AexTarget *delivery = aex_delivery_target (thread, NULL);
  AexTarget *owner = owner_target (thread, delivery);
  guint slot = (guint) ((GPOINTER_TO_SIZE (executor) >> 6) % AEX_ENVIRONMENT_CACHE);
  AexEnvironment *self = thread->environments[slot], *old = NULL;
  guint n_old = 0;

  /* With a context, what the user has in it, and the group that he stands in, would live as long as the cache: not
   * interned. */
  if (context != NULL)
    return environment_new (executor, delivery, owner, context);

  if (self == NULL || self->executor != executor || self->delivery != delivery || self->owner != owner)
    {
      old = self;
      n_old = thread->credits[slot] + 1;
      thread->credits[slot] = 0;
      aex_thread_register (thread);
      self = environment_new (executor, delivery, owner, NULL);
      thread->environments[slot] = self;
    }
  if (thread->credits[slot] == 0)
    {
      atomic_fetch_add_explicit (&self->refs, CREDIT, memory_order_relaxed);
      thread->credits[slot] = CREDIT;
    }
  thread->credits[slot]--;
  /* Last: what goes with it may need an environment as well. */
  if (old != NULL)
    environment_unref_n (old, n_old);
  return self;
}

AexEnvironment *
aex_environment_ref (AexEnvironment *self)
{
  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

void
aex_environment_give (AexEnvironment *self)
{
  AexThread *thread = aex_thread_get ();
  guint slot = (guint) ((GPOINTER_TO_SIZE (self->executor) >> 6) % AEX_ENVIRONMENT_CACHE);

  if (thread->environments[slot] == self)
    {
      if (++thread->credits[slot] > MAX_CREDIT)
        {
          thread->credits[slot] -= CREDIT;
          environment_unref_n (self, CREDIT);
        }
      return;
    }
  /* A thread that works for us lets go of many: it gives back in blocks.  What holds values of a user goes at once. */
  if (self->context != NULL || (thread->pool == NULL && thread->dispatching == NULL))
    {
      environment_unref_n (self, 1);
      return;
    }
  if (thread->released != self || thread->n_released >= MAX_RELEASED)
    {
      AexEnvironment *old = thread->released;
      guint n = thread->n_released;

      /* One that only dispatches what others made may have nothing else to give back when it ends. */
      aex_thread_register (thread);
      thread->released = self;
      thread->n_released = 1;
      /* Last: what goes with it gives back environments as well. */
      if (old != NULL)
        environment_unref_n (old, n);
      return;
    }
  thread->n_released++;
}
