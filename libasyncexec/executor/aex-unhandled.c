/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "executor/aex-core-private.h"

#include "base/aex-fork-private.h"

/* What a language binding does, instead of the log, with errors that nobody has seen. */

typedef struct {
  AexUnhandledFunc func;
  gpointer data;
  GDestroyNotify destroy;
} AexUnhandled;

static GMutex unhandled_lock;
static AexUnhandled *unhandled;   /* guarded by unhandled_lock, counted */

static void
unhandled_clear (gpointer data)
{
  AexUnhandled *self = data;

  if (self->destroy != NULL)
    self->destroy (self->data);
}

/**
 * aex_executor_set_unhandled_func:
 * @func: (scope notified) (closure user_data) (destroy destroy) (nullable): what to do, %NULL for the log
 * @user_data: data for @func
 * @destroy: (nullable): how to free @user_data
 *
 * Says what happens to an error that no handler of
 * [signal@Executor::unhandled-error] took care of, instead of a warning in the
 * log. For language bindings, which have more to show than a message. There is
 * one such function in a process; @destroy is called on whatever thread lets go
 * of it last. What cannot be told in the owner context of an executor, because
 * that is gone, is logged all the same.
 *
 * Since: 1.0
 */
void
aex_executor_set_unhandled_func (AexUnhandledFunc func, gpointer user_data, GDestroyNotify destroy)
{
  AexUnhandled *old, *self = NULL;

  /* The lock may be held for ever there, and nothing is told any more. */
  if (aex_is_forked ())
    {
      if (destroy != NULL)
        destroy (user_data);
      return;
    }
  if (func != NULL)
    {
      self = g_atomic_rc_box_new0 (AexUnhandled);
      self->func = func;
      self->data = user_data;
      self->destroy = destroy;
    }
  g_mutex_lock (&unhandled_lock);
  old = unhandled;
  unhandled = self;
  g_mutex_unlock (&unhandled_lock);
  if (old != NULL)
    g_atomic_rc_box_release_full (old, unhandled_clear);
}

/* FALSE: nobody was told. */
gboolean
aex_executor_tell_unhandled (AexExecutor *executor, AexPending *job, const GError *error)
{
  AexUnhandled *self = NULL;

  if (aex_is_forked ())
    return FALSE;
  g_mutex_lock (&unhandled_lock);
  if (unhandled != NULL)
    self = g_atomic_rc_box_acquire (unhandled);
  g_mutex_unlock (&unhandled_lock);
  if (self == NULL)
    return FALSE;
  self->func (executor, job, error, self->data);
  g_atomic_rc_box_release_full (self, unhandled_clear);
  return TRUE;
}
