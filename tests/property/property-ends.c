/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

/* How executors end: asked to, held, let go of, from anywhere and more than once. */

void
prop_mark_ended (PropRun *self)
{
  g_atomic_int_compare_and_exchange (&self->ended, 0, prop_now (self));
}

/* FALSE: nobody holds it any more. */
gboolean
prop_take_hold (PropExecutor *self)
{
  int n;

  do
    {
      n = g_atomic_int_get (&self->n_holds);
      if (n == 0)
        return FALSE;
    }
  while (!g_atomic_int_compare_and_exchange (&self->n_holds, n, n - 1));
  return TRUE;
}

void
prop_end_executor (PropRun *self,
                   int      executor,
                   int      how)
{
  g_autoptr (AexExecutor) object = prop_executor_ref (self, executor);
  g_autoptr (AexPending) pending = NULL;

  if (object == NULL)
    return;
  prop_mark_ended (self);
  if (how % 4 < 2 && AEX_IS_CALLER (object))
    pending = aex_caller_stop (AEX_CALLER (object), how % 4 == 0 ? AEX_STOP_FLAGS_FORCE : AEX_STOP_FLAGS_NONE);
  else if (how % 4 == 2)
    pending = aex_executor_shutdown (object, AEX_SHUTDOWN_FLAGS_NONE);
  else if (how % 4 == 3)
    pending = aex_executor_shutdown (object, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  else
    pending = aex_executor_shutdown (object, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
  /* What tells the state of the library refuses it. */
  if (AEX_IS_CALLER (object) && aex_pending_cancel (pending, "the end itself"))
    prop_violate (self, 7, "the end of e%d was cancelled", executor);
}

void
prop_step_hold (PropRun        *self,
                const PropStep *step)
{
  PropExecutor *executor = &self->executors[step->on];

  g_mutex_lock (&self->lock);
  if (executor->object != NULL && AEX_IS_CALLER (executor->object) && aex_caller_hold (AEX_CALLER (executor->object)))
    g_atomic_int_inc (&executor->n_holds);
  g_mutex_unlock (&self->lock);
}

void
prop_step_release (PropRun        *self,
                   const PropStep *step)
{
  g_autoptr (AexExecutor) object = prop_executor_ref (self, step->on);

  if (object == NULL || !AEX_IS_CALLER (object) || !prop_take_hold (&self->executors[step->on]))
    return;
  prop_mark_ended (self);
  g_object_unref (aex_caller_release_full (AEX_CALLER (object), step->n % 2 == 0 ? AEX_SHUTDOWN_FLAGS_NONE
                                                                                 : AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
}

/* One that is held is released first, or it would stay; the lock is held since nobody may hold it in between. */
void
prop_step_forget (PropRun        *self,
                  const PropStep *step)
{
  PropExecutor *executor = &self->executors[step->on];
  AexExecutor *object = NULL;

  g_mutex_lock (&self->lock);
  if (g_atomic_int_get (&executor->n_holds) == 0)
    {
      prop_mark_ended (self);
      object = g_steal_pointer (&executor->object);
    }
  g_mutex_unlock (&self->lock);
  g_clear_object (&object);
}
