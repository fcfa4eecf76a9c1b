/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens to a home besides running: it is watched, blocked, emptied, and it dies with its context. */
#include "base/aex-home-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/aex-clock-private.h"
#include "base/aex-i18n-private.h"

void
aex_home_set_waker (AexHome *self, AexHomeFunc func, gpointer data, GDestroyNotify destroy)
{
  AexHomeWaker *waker = NULL, *old;
  gboolean told;

  if (func != NULL)
    {
      waker = g_new0 (AexHomeWaker, 1);
      atomic_init (&waker->refs, 1);
      waker->func = func;
      waker->data = data;
      waker->destroy = destroy;
    }
  g_mutex_lock (&self->lock);
  old = self->waker;
  self->waker = waker;
  /* Who was told before was told by the fd, which a foreign loop does not look at. */
  told = waker != NULL && !self->asleep;
  if (told)
    atomic_fetch_add (&waker->refs, 1);
  g_mutex_unlock (&self->lock);
  aex_home_waker_unref (old);
  if (told)
    {
      waker->func (self, waker->data);
      aex_home_waker_unref (waker);
    }
}

void
aex_home_set_on_dead (AexHome *self, AexHomeFunc func, gpointer data)
{
  g_mutex_lock (&self->lock);
  self->on_dead = func;
  self->on_dead_data = data;
  g_mutex_unlock (&self->lock);
}

gboolean
aex_home_clear_on_dead (AexHome *self, gpointer data)
{
  gboolean found;

  g_mutex_lock (&self->lock);
  found = self->on_dead_data == data;
  if (found)
    {
      self->on_dead = NULL;
      self->on_dead_data = NULL;
    }
  g_mutex_unlock (&self->lock);
  return found;
}

/* What is run by the drain of one wait may wait itself. */
AexParker *
aex_home_begin_blocked (AexHome *self, AexParker *parker)
{
  AexParker *outer;

  g_mutex_lock (&self->lock);
  outer = self->blocked;
  self->blocked = aex_parker_ref (parker);
  g_mutex_unlock (&self->lock);
  return outer;
}

/* Takes outer.  Another thread may run the home, and block, by now. */
void
aex_home_end_blocked (AexHome *self, AexParker *parker, AexParker *outer)
{
  AexParker *gone = outer;

  g_mutex_lock (&self->lock);
  if (self->blocked == parker)
    {
      gone = self->blocked;
      self->blocked = outer;
    }
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&gone, aex_parker_unref);
}

void
aex_home_drain_releases (AexHome *self)
{
  AexThread *thread = aex_thread_get ();
  AexHome *outer = thread->dispatching;
  AexQueue *local = &self->local[AEX_LANE_RELEASE];
  GMainContext *context = atomic_load (&self->context);
  AexEntry entry;

  /* Another thread may have begun to run it since it was found to be ours: then that one does this. */
  if (context != NULL && !g_main_context_acquire (context))
    return;
  g_mutex_lock (&self->lock);
  atomic_fetch_sub_explicit (&self->n_inbox, self->inbox[AEX_LANE_RELEASE].length, memory_order_relaxed);
  self->n_local += self->inbox[AEX_LANE_RELEASE].length;
  aex_queue_splice (local, &self->inbox[AEX_LANE_RELEASE]);
  g_mutex_unlock (&self->lock);

  thread->dispatching = self;
  while (aex_queue_pop (local, &entry))
    {
      self->n_local--;
      entry.kind->run (&entry, &self->target);
    }
  thread->dispatching = outer;
  if (context != NULL)
    g_main_context_release (context);
}

static void
drop_timer (const AexTimerEntry *timer, gpointer user_data)
{
  AexEntry entry = { timer->func, timer->data, timer->extra, NULL };

  entry.kind->drop (&entry, user_data);
}

static void
home_drop_queued (AexHome *self)
{
  AexTimers *timers;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < AEX_N_LANES; i++)
    aex_queue_splice (&self->local[i], &self->inbox[i]);
  atomic_store (&self->n_inbox, 0);
  timers = g_steal_pointer (&self->timers);
  atomic_store (&self->next_timer_us, -1);
  g_mutex_unlock (&self->lock);

  if (timers != NULL)
    {
      aex_clock_unlisten (self);
      aex_timers_free (timers, drop_timer, self);
    }
  self->n_local = 0;
  for (guint i = 0; i < AEX_N_LANES; i++)
    aex_queue_drop_all (&self->local[i], &self->target);
}

/* Moves what matches from one queue to another. */
static void
queue_sift (AexQueue *queue, AexQueue *out, AexHomeMatch match, gpointer data)
{
  AexQueue rest = { 0 };
  AexEntry entry;

  while (aex_queue_pop (queue, &entry))
    aex_queue_push (match (&entry, data) ? out : &rest, &entry);
  aex_queue_splice (queue, &rest);
  aex_queue_clear (&rest);
}

/* The lock is held. */
static void
sift_timers (AexHome *self, AexQueue *out, AexHomeMatch match, gpointer data)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (AexTimerEntry));
  gint64 now = aex_clock_now ();

  if (self->timers == NULL)
    return;
  aex_timers_take_due (self->timers, G_MAXINT64, all);
  aex_timers_free (self->timers, NULL, NULL);
  self->timers = aex_timers_new (now);
  for (guint i = 0; i < all->len; i++)
    {
      AexTimerEntry *timer = &g_array_index (all, AexTimerEntry, i);
      AexEntry entry = { timer->func, timer->data, timer->extra, NULL };

      if (match (&entry, data))
        aex_queue_push (out, &entry);
      else
        aex_timers_add (self->timers, timer, now);
    }
  atomic_store (&self->next_timer_us, aex_timers_get_next (self->timers));
}

void
aex_home_drop_timers (AexHome *self, AexHomeMatch match, gpointer data)
{
  AexQueue out = { 0 };

  g_mutex_lock (&self->lock);
  sift_timers (self, &out, match, data);
  g_mutex_unlock (&self->lock);
  aex_queue_drop_all (&out, &self->target);
  aex_queue_clear (&out);
}

void
aex_home_drop_matching (AexHome *self, AexHomeMatch match, gpointer data, gboolean own_thread)
{
  AexQueue out = { 0 };
  gsize before;

  g_mutex_lock (&self->lock);
  for (guint i = AEX_LANE_HIGH; i < AEX_N_LANES; i++)
    {
      before = self->inbox[i].length;
      queue_sift (&self->inbox[i], &out, match, data);
      atomic_fetch_sub (&self->n_inbox, before - self->inbox[i].length);
    }
  sift_timers (self, &out, match, data);
  g_mutex_unlock (&self->lock);
  for (guint i = AEX_LANE_HIGH; own_thread && i < AEX_N_LANES; i++)
    {
      before = self->local[i].length;
      queue_sift (&self->local[i], &out, match, data);
      self->n_local -= (guint) (before - self->local[i].length);
    }
  aex_queue_drop_all (&out, &self->target);
  aex_queue_clear (&out);
}

void
aex_home_set_executor (AexHome *self, AexTarget *executor)
{
  AexTarget *old;

  g_mutex_lock (&self->lock);
  old = self->executor;
  self->executor = executor != NULL ? aex_target_ref (executor) : NULL;
  g_mutex_unlock (&self->lock);
  g_clear_pointer (&old, aex_target_unref);
}

AexTarget *
aex_home_ref_executor (AexHome *self)
{
  AexTarget *executor;

  g_mutex_lock (&self->lock);
  executor = self->executor != NULL ? aex_target_ref (self->executor) : NULL;
  g_mutex_unlock (&self->lock);
  return executor;
}

/* Of a function that the caller of this context was given to run. */
void
aex_home_report (AexTarget *target, AexPending *job, const GError *error)
{
  AexTarget *executor = aex_home_ref_executor ((AexHome *) target);

  if (executor != NULL)
    executor->ops->report (executor, job, error);
  else
    g_warning ("Unhandled error in a stopped caller: %s", error->message);
  g_clear_pointer (&executor, aex_target_unref);
}

/* GLib aborts when it finds none for a context. */
static gboolean
probe_descriptor (GError **error)
{
  int fd = eventfd (0, EFD_CLOEXEC);

  if (fd < 0)
    {
      int code = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                   _("No file descriptor for a main context: %s; close some or raise the limit"), g_strerror (code));
      return FALSE;
    }
  close (fd);
  return TRUE;
}

GMainContext *
aex_main_context_try_new (GMainContextFlags flags, GError **error)
{
  return probe_descriptor (error) ? g_main_context_new_with_flags (flags) : NULL;
}

GMainContext *
aex_main_context_try_default (GError **error)
{
  static _Atomic (GMainContext *) made;
  GMainContext *context = atomic_load_explicit (&made, memory_order_acquire);

  if (G_UNLIKELY (context == NULL) && probe_descriptor (error))
    {
      context = g_main_context_default ();
      atomic_store (&made, context);
    }
  return context;
}

gboolean
aex_thread_lacks_context (void)
{
  GMainContext *context;

  if (g_main_context_get_thread_default () != NULL || aex_thread_is_main ())
    return FALSE;
  context = aex_main_context_try_default (NULL);
  return context == NULL || !g_main_context_is_owner (context);
}

/* On the thread that destroys the context. */
void
aex_home_die (AexHome *self)
{
  AexHomeFunc on_dead;
  gpointer on_dead_data;
  GMainContext *context;

  g_mutex_lock (&self->lock);
  self->dead = TRUE;
  context = atomic_exchange (&self->context, NULL);
  self->source = self->low_source = NULL;
  on_dead = g_steal_pointer (&self->on_dead);
  on_dead_data = g_steal_pointer (&self->on_dead_data);
  g_mutex_unlock (&self->lock);

  aex_home_forget (context);
  if (on_dead != NULL)
    on_dead (self, on_dead_data);
  home_drop_queued (self);
}
