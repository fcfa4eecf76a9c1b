/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-clock-private.h"

#include <stdatomic.h>
#include <time.h>

/* A thread that waits in virtual time, and how to wake it. */
typedef struct {
  GCond *cond;
  GMutex *mutex;
  gint64 deadline_us;
} AexClockWaiter;

static atomic_int clock_virtual;
static _Atomic gint64 clock_virtual_now;

/* Guards clock_waiters and clock_listeners; taken with a waiter's mutex held, so aex_clock_advance() only tries that one. */
static GMutex clock_lock;
static GSList *clock_waiters;
static GSList *clock_listeners;

typedef struct {
  const AexClockOps *ops;
  gpointer data;
} AexClockListener;

gint64
aex_clock_now (void)
{
  if (G_UNLIKELY (atomic_load_explicit (&clock_virtual, memory_order_relaxed)))
    return atomic_load (&clock_virtual_now);
  return g_get_monotonic_time ();
}

gint64
aex_clock_coarse (void)
{
  struct timespec now;

  if (G_UNLIKELY (atomic_load_explicit (&clock_virtual, memory_order_relaxed)))
    return atomic_load (&clock_virtual_now);
  clock_gettime (CLOCK_MONOTONIC_COARSE, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* One round over the waiters whose time has come by then.  TRUE: one of them was just about to wait, look again. */
static gboolean
clock_wake (gint64 by_us)
{
  gboolean again = FALSE;

  g_mutex_lock (&clock_lock);
  for (GSList *l = clock_waiters; l != NULL; l = l->next)
    {
      AexClockWaiter *waiter = l->data;

      if (waiter->deadline_us < 0 || waiter->deadline_us > by_us)
        continue;
      if (g_mutex_trylock (waiter->mutex))
        {
          g_cond_broadcast (waiter->cond);
          g_mutex_unlock (waiter->mutex);
        }
      else
        {
          again = TRUE;
        }
    }
  g_mutex_unlock (&clock_lock);
  return again;
}

gboolean
aex_clock_is_virtual (void)
{
  return atomic_load (&clock_virtual);
}

void
aex_clock_set_virtual (gboolean virtual_time)
{
  if (virtual_time && !atomic_load (&clock_virtual))
    atomic_store (&clock_virtual_now, g_get_monotonic_time ());
  atomic_store (&clock_virtual, virtual_time);
  /* Who waits for the other clock looks at this one. */
  while (clock_wake (G_MAXINT64))
    g_thread_yield ();
}

gint64
aex_clock_deadline (gint64 timeout_us)
{
  gint64 now;

  if (timeout_us < 0)
    return -1;
  now = aex_clock_now ();
  return timeout_us > G_MAXINT64 - now ? G_MAXINT64 : now + timeout_us;
}

void
aex_clock_advance (gint64 by_us)
{
  gint64 now = atomic_fetch_add (&clock_virtual_now, by_us) + by_us;
  g_autoptr (GArray) listeners = g_array_new (FALSE, FALSE, sizeof (AexClockListener));

  g_return_if_fail (aex_clock_is_virtual ());

  while (clock_wake (now))
    g_thread_yield ();

  g_mutex_lock (&clock_lock);
  for (GSList *l = clock_listeners; l != NULL; l = l->next)
    g_array_append_vals (listeners, l->data, 1);
  for (guint i = 0; i < listeners->len; i++)
    g_array_index (listeners, AexClockListener, i).ops->advanced (g_array_index (listeners, AexClockListener, i).data);
  g_mutex_unlock (&clock_lock);
}

void
aex_clock_listen (const AexClockOps *ops, gpointer data)
{
  AexClockListener *listener = g_new (AexClockListener, 1);

  listener->ops = ops;
  listener->data = data;
  g_mutex_lock (&clock_lock);
  clock_listeners = g_slist_prepend (clock_listeners, listener);
  g_mutex_unlock (&clock_lock);
}

void
aex_clock_unlisten (gpointer data)
{
  g_mutex_lock (&clock_lock);
  for (GSList *l = clock_listeners; l != NULL; l = l->next)
    if (((AexClockListener *) l->data)->data == data)
      {
        g_free (l->data);
        clock_listeners = g_slist_delete_link (clock_listeners, l);
        break;
      }
  g_mutex_unlock (&clock_lock);
}

gint64
aex_clock_get_next (void)
{
  gint64 earliest = -1;

  g_mutex_lock (&clock_lock);
  for (GSList *l = clock_listeners; l != NULL; l = l->next)
    {
      AexClockListener *listener = l->data;
      gint64 next = listener->ops->get_next (listener->data);

      if (next >= 0 && (earliest < 0 || next < earliest))
        earliest = next;
    }
  g_mutex_unlock (&clock_lock);
  return earliest;
}

gboolean
aex_clock_cond_wait (GCond *cond, GMutex *mutex, gint64 deadline_us)
{
  AexClockWaiter waiter = { cond, mutex, deadline_us };

  if (deadline_us < 0)
    {
      g_cond_wait (cond, mutex);
      return TRUE;
    }
  if (!aex_clock_is_virtual ())
    return g_cond_wait_until (cond, mutex, deadline_us);

  g_mutex_lock (&clock_lock);
  /* If time goes again since we looked, whoever said so has not seen this thread: it must not wait, but look once more. */
  if (!aex_clock_is_virtual () || aex_clock_now () >= deadline_us)
    {
      g_mutex_unlock (&clock_lock);
      return aex_clock_now () < deadline_us;
    }
  clock_waiters = g_slist_prepend (clock_waiters, &waiter);
  g_mutex_unlock (&clock_lock);

  g_cond_wait (cond, mutex);

  /* aex_clock_advance() may hold clock_lock and try our mutex: it gives up at once, so this order can not deadlock. */
  g_mutex_lock (&clock_lock);
  clock_waiters = g_slist_remove (clock_waiters, &waiter);
  g_mutex_unlock (&clock_lock);
  return aex_clock_now () < deadline_us;
}
