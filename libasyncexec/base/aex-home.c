/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-home-private.h"

#include <errno.h>
#include "base/aex-i18n-private.h"
#include <sys/eventfd.h>
#include <unistd.h>

#include "aex-error.h"
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-fork-private.h"

/* Guards the table of homes (weak: an entry is removed when its context dies). */
static GMutex homes_lock;
static GHashTable *homes;
static _Atomic (AexHome *) default_home;

void
aex_home_waker_unref (AexHomeWaker *waker)
{
  if (waker == NULL || atomic_fetch_sub (&waker->refs, 1) != 1)
    return;
  if (waker->destroy != NULL)
    waker->destroy (waker->data);
  g_free (waker);
}

static void
home_ring (AexHome *self, AexHomeWaker *waker)
{
  guint64 one = 1;

  while (write (self->fd, &one, sizeof one) < 0 && errno == EINTR)
    ;
  if (waker != NULL)
    waker->func (self, waker->data);
}

/* Wakes whoever sleeps, after the lock is gone.  Called with it held; gives it back. */
static void
home_unlock_and_ring (AexHome *self, gboolean release)
{
  gboolean ring = self->asleep;
  AexHomeWaker *waker = NULL;
  AexParker *blocked = NULL;

  self->asleep = FALSE;
  if (ring && self->waker != NULL)
    {
      waker = self->waker;
      atomic_fetch_add (&waker->refs, 1);
    }
  if (release && self->blocked != NULL)
    blocked = aex_parker_ref (self->blocked);
  g_mutex_unlock (&self->lock);

  if (ring)
    home_ring (self, waker);
  aex_home_waker_unref (waker);
  if (blocked != NULL)
    {
      aex_parker_unpark (blocked);
      aex_parker_unref (blocked);
    }
}

/* Takes over what other threads have posted.  Own thread. */
static void
home_collect (AexHome *self)
{
  g_mutex_lock (&self->lock);
  self->asleep = FALSE;
  for (guint i = 0; i < AEX_N_LANES; i++)
    {
      self->n_local += self->inbox[i].length;
      aex_queue_splice (&self->local[i], &self->inbox[i]);
    }
  atomic_store_explicit (&self->n_inbox, 0, memory_order_relaxed);
  g_mutex_unlock (&self->lock);
}

static gboolean
home_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  AexHome *self = (AexHome *) target;

  /* From a function that this home runs: nobody else touches the local queue, no lock and no wake.  What others posted
   * before comes first, so that causes stay before effects. */
  if (aex_thread_get ()->dispatching == self)
    {
      if (atomic_load_explicit (&self->n_inbox, memory_order_acquire) != 0)
        home_collect (self);
      aex_queue_push (&self->local[lane], entry);
      self->n_local++;
      return TRUE;
    }

  g_mutex_lock (&self->lock);
  if (self->dead)
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  aex_queue_push (&self->inbox[lane], entry);
  atomic_fetch_add_explicit (&self->n_inbox, 1, memory_order_release);
  home_unlock_and_ring (self, lane == AEX_LANE_RELEASE);
  return TRUE;
}

/* Does no other thread run the default context just now? */
static gboolean
default_is_free (void)
{
  if (!g_main_context_acquire (g_main_context_default ()))
    return FALSE;
  g_main_context_release (g_main_context_default ());
  return TRUE;
}

/* The default context belongs to the thread that runs it, and to the main thread while nobody does: that may change at
 * once, so whoever touches what only its thread may acquires it. */
static gboolean
default_is_own (void)
{
  if (!aex_thread_is_main ())
    return g_main_context_is_owner (g_main_context_default ());
  /* The lock of the context may be lost with a thread. */
  return aex_is_forked () || default_is_free ();
}

static gboolean
home_is_current (AexTarget *target)
{
  AexHome *self = (AexHome *) target;
  GMainContext *context;

  if (aex_thread_get ()->dispatching == self)
    return TRUE;
  context = g_main_context_get_thread_default ();
  if (context != NULL)
    return context == atomic_load_explicit (&self->context, memory_order_relaxed);
  return self == atomic_load (&default_home) && default_is_own ();
}

static void
home_finalize (AexTarget *target)
{
  AexHome *self = (AexHome *) target;

  for (guint i = 0; i < AEX_N_LANES; i++)
    {
      aex_queue_clear (&self->inbox[i]);
      aex_queue_clear (&self->local[i]);
    }
  aex_queue_clear (&self->gathered);
  aex_home_waker_unref (self->waker);
  g_clear_pointer (&self->blocked, aex_parker_unref);
  if (self->fd >= 0)
    close (self->fd);
  g_mutex_clear (&self->lock);
  g_free (self);
  aex_live_add (AEX_LIVE_HOME, -1);
}

static const AexTargetOps home_ops = {
  .post = home_post,
  .is_current = home_is_current,
  .finalize = home_finalize,
  .report = aex_home_report,
};

/* Test clocks do not wake poll(). */
static void
home_clock_advanced (gpointer data)
{
  home_ring (data, NULL);
}

static gint64
home_get_next_timer (gpointer data)
{
  return atomic_load (&((AexHome *) data)->next_timer_us);
}

static const AexClockOps home_clock_ops = { home_clock_advanced, home_get_next_timer };

static AexHome *
home_new (GMainContext *context, GError **error)
{
  AexHome *self;
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (fd < 0)
    {
      int code = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                   _("No file descriptor for a main context: %s; close some or raise the limit"), g_strerror (code));
      return NULL;
    }
  self = g_new0 (AexHome, 1);
  aex_target_init (&self->target, &home_ops);
  self->fd = fd;
  self->asleep = TRUE;
  atomic_init (&self->next_timer_us, -1);
  g_mutex_init (&self->lock);
  aex_live_add (AEX_LIVE_HOME, 1);
  aex_home_attach (self, context);
  return self;
}

/* Of no context: what a forked child gets, where nothing is ever run. */
AexHome *
aex_home_new_dead (void)
{
  AexHome *self = g_new0 (AexHome, 1);

  aex_target_init (&self->target, &home_ops);
  self->fd = -1;
  self->dead = TRUE;
  atomic_init (&self->next_timer_us, -1);
  g_mutex_init (&self->lock);
  aex_live_add (AEX_LIVE_HOME, 1);
  return self;
}

AexHome *
aex_home_ref_for_context (GMainContext *context, GError **error)
{
  GMainContext *default_context;
  AexHome *self;

  if (aex_fork_check (error))
    return NULL;
  default_context = aex_main_context_try_default (error);
  if (default_context == NULL)
    return NULL;
  if (context == NULL)
    context = default_context;
  g_mutex_lock (&homes_lock);
  if (homes == NULL)
    homes = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (homes, context);
  if (self != NULL)
    {
      aex_target_ref (self);
    }
  else
    {
      self = home_new (context, error);
      if (self != NULL)
        {
          g_hash_table_insert (homes, context, self);
          if (context == default_context)
            atomic_store (&default_home, self);
        }
    }
  g_mutex_unlock (&homes_lock);
  return self;
}

void
aex_home_forget (GMainContext *context)
{
  g_mutex_lock (&homes_lock);
  g_hash_table_remove (homes, context);
  g_mutex_unlock (&homes_lock);
}

AexHome *
aex_home_get_for_thread (AexThread *thread, GError **error)
{
  GMainContext *context = g_main_context_get_thread_default ();
  AexHome *home;

  if (context == NULL)
    {
      home = atomic_load_explicit (&default_home, memory_order_acquire);
      if (G_LIKELY (home != NULL))
        return home;
      context = aex_main_context_try_default (error);
      if (context == NULL)
        return NULL;
    }
  if (thread->home != NULL && thread->home_context == context && !aex_home_is_dead (thread->home))
    return thread->home;
  home = aex_home_ref_for_context (context, error);
  if (home == NULL)
    return NULL;
  aex_thread_register (thread);
  g_clear_pointer (&thread->home, aex_target_unref);
  thread->home = home;
  thread->home_context = context;
  return home;
}

AexHome *
aex_home_get_default (void)
{
  AexHome *home = atomic_load_explicit (&default_home, memory_order_acquire);

  if (G_LIKELY (home != NULL))
    return home;
  home = aex_home_ref_for_context (NULL, NULL);
  /* Its sources hold it. */
  g_clear_pointer (&home, aex_target_unref);
  return atomic_load (&default_home);
}

AexHome *
aex_home_peek_own (AexThread *thread)
{
  GMainContext *context = g_main_context_get_thread_default ();
  AexHome *home = thread->dispatching;

  if (home != NULL)
    return home;
  if (context != NULL)
    return thread->home_context == context ? thread->home : NULL;
  home = atomic_load (&default_home);
  return home != NULL && home_is_current (&home->target) ? home : NULL;
}

gboolean
aex_home_is_dead (AexHome *self)
{
  gboolean dead;

  g_mutex_lock (&self->lock);
  dead = self->dead;
  g_mutex_unlock (&self->lock);
  return dead;
}

gboolean
aex_home_is_target (AexTarget *target)
{
  return target->ops == &home_ops;
}

gboolean
aex_home_is_idle_target (AexTarget *target)
{
  AexHome *self = (AexHome *) target;

  if (target->ops != &home_ops || aex_home_is_dead (self))
    return TRUE;
  /* Only the default context is sure to be there after the lock is gone: others count as run by somebody. */
  return self == atomic_load (&default_home) && default_is_free ();
}

gboolean
aex_home_add_timer (AexHome *self, gint64 deadline_us, const AexEntry *entry)
{
  AexTimerEntry timer = { deadline_us, (gpointer) entry->kind, entry->a, entry->b };
  gint64 next;

  g_assert (entry->c == NULL);
  g_mutex_lock (&self->lock);
  if (self->dead)
    {
      g_mutex_unlock (&self->lock);
      return FALSE;
    }
  if (self->timers == NULL)
    {
      self->timers = aex_timers_new (aex_clock_now ());
      aex_clock_listen (&home_clock_ops, self);
    }
  next = atomic_load (&self->next_timer_us);
  aex_timers_add (self->timers, &timer, aex_clock_now ());
  if (next < 0 || deadline_us < next)
    atomic_store (&self->next_timer_us, aex_timers_get_next (self->timers));
  if (next >= 0 && deadline_us >= next)
    g_mutex_unlock (&self->lock);
  else
    home_unlock_and_ring (self, FALSE);
  return TRUE;
}

static gboolean
timer_is_dead (const AexTimerEntry *timer, gpointer user_data)
{
  const AexEntryKind *kind = timer->func;
  AexEntry entry = { kind, timer->data, timer->extra, NULL };

  (void) user_data;
  return kind->is_dead != NULL && kind->is_dead (&entry);
}

/* A cancelled timer stays as a tombstone until there are many of them. */
void
aex_home_note_dead_timer (AexHome *self)
{
  g_autoptr (GArray) dead = g_array_new (FALSE, FALSE, sizeof (AexTimerEntry));

  g_mutex_lock (&self->lock);
  if (self->timers != NULL)
    {
      aex_timers_note_dead (self->timers);
      aex_timers_compact_if_needed (self->timers, timer_is_dead, NULL, dead);
    }
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < dead->len; i++)
    {
      AexTimerEntry *timer = &g_array_index (dead, AexTimerEntry, i);
      AexEntry entry = { timer->func, timer->data, timer->extra, NULL };

      aex_target_post_or_drop (&self->target, AEX_LANE_RELEASE, &entry);
    }
}

static void
home_take_due (AexHome *self, gint64 now)
{
  g_autoptr (GArray) due = NULL;

  if (G_LIKELY (atomic_load_explicit (&self->next_timer_us, memory_order_relaxed) < 0)
      || atomic_load_explicit (&self->next_timer_us, memory_order_relaxed) > now)
    return;
  due = g_array_new (FALSE, FALSE, sizeof (AexTimerEntry));
  g_mutex_lock (&self->lock);
  aex_timers_take_due (self->timers, now, due);
  atomic_store (&self->next_timer_us, aex_timers_get_next (self->timers));
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < due->len; i++)
    {
      AexTimerEntry *timer = &g_array_index (due, AexTimerEntry, i);
      AexEntry entry = { timer->func, timer->data, timer->extra, NULL };

      aex_queue_push (&self->local[AEX_LANE_DEFAULT], &entry);
      self->n_local++;
    }
}

gboolean
aex_home_has_work (AexHome *self, gint64 now)
{
  gint64 next = atomic_load_explicit (&self->next_timer_us, memory_order_relaxed);

  return self->n_local > 0 || atomic_load_explicit (&self->n_inbox, memory_order_acquire) > 0
         || (next >= 0 && next <= now);
}

/* FALSE: something was posted meanwhile. */
gboolean
aex_home_fall_asleep (AexHome *self)
{
  gboolean asleep;

  g_mutex_lock (&self->lock);
  asleep = atomic_load_explicit (&self->n_inbox, memory_order_relaxed) == 0;
  self->asleep = asleep;
  g_mutex_unlock (&self->lock);
  return asleep;
}

void
aex_home_eat_wake (AexHome *self)
{
  guint64 count;

  while (read (self->fd, &count, sizeof count) < 0 && errno == EINTR)
    ;
}

static gboolean
home_pop (AexHome *self, AexEntry *entry)
{
  if (self->n_local == 0)
    return FALSE;
  self->n_local--;
  if (aex_queue_pop (&self->local[AEX_LANE_RELEASE], entry))
    return TRUE;
  if (++self->n_picks % AEX_BACKGROUND_PICK == 0 && aex_queue_pop (&self->local[AEX_LANE_BACKGROUND], entry))
    return TRUE;
  for (guint i = AEX_LANE_HIGH; i < AEX_N_LANES; i++)
    if (aex_queue_pop (&self->local[i], entry))
      return TRUE;
  g_assert_not_reached ();
}

/* A turn of GMainContext costs 370 ns and a wake-up of a sleeping thread 20 us: while an answer is on its way, look a
 * moment longer.  Vain tries double the pause until the next. */
static gboolean
home_spin (AexHome *self)
{
  if (self->n_expected == 0 || aex_clock_is_virtual ())
    return FALSE;
  if (self->spin_skip > 0)
    {
      self->spin_skip--;
      return FALSE;
    }
  for (guint i = aex_spin_count (); i > 0; i--)
    {
      if (atomic_load_explicit (&self->n_inbox, memory_order_acquire) > 0)
        {
          self->spin_penalty = 0;
          return TRUE;
        }
      aex_cpu_pause ();
    }
  self->spin_penalty = MIN (self->spin_penalty * 2 + 1, 63);
  self->spin_skip = self->spin_penalty;
  return FALSE;
}

/* What was posted comes before what is taken over already, according to its lane. */
void
aex_home_hurry (AexHome *self)
{
  atomic_store (&self->hurry, TRUE);
}

static gboolean
home_next (AexHome *self, AexEntry *entry)
{
  if (G_UNLIKELY (atomic_load_explicit (&self->hurry, memory_order_relaxed)) && atomic_exchange (&self->hurry, FALSE))
    home_collect (self);
  if (home_pop (self, entry))
    return TRUE;
  if (atomic_load_explicit (&self->n_inbox, memory_order_acquire) == 0 && !home_spin (self))
    return FALSE;
  home_collect (self);
  return home_pop (self, entry);
}

/* Runs entries until there are none or the budget (-1: none) is spent.  TRUE: more is ready.  The clock is read after
 * every entry while they are long, after up to 64 while they are short: a reading costs as much as a short entry.  The
 * coarse clock, after every fourth, tells when long ones follow short ones. */
gboolean
aex_home_run_slice (AexHome *self, gint64 budget_us)
{
  AexThread *thread = aex_thread_get ();
  AexHome *outer = thread->dispatching;
  gint64 start = aex_clock_now (), now = start, coarse = aex_clock_coarse ();
  guint step = 1, left = 1;
  gboolean spent = FALSE;
  AexEntry entry;

  thread->dispatching = self;
  self->low = FALSE;
  if (atomic_load_explicit (&self->n_inbox, memory_order_acquire) > 0)
    home_collect (self);
  home_take_due (self, now);

  while (home_next (self, &entry))
    {
      aex_thread_guard (thread);
      entry.kind->run (&entry, &self->target);
      if (--left > 0 && ((left & 3) != 0 || aex_clock_coarse () == coarse))
        continue;
      gint64 then = now;
      now = aex_clock_now ();
      coarse = aex_clock_coarse ();
      spent = budget_us >= 0 && now - start >= budget_us;
      if (spent)
        break;
      home_take_due (self, now);
      step = now - then > step ? 1 : MIN (step * 2, 64);
      left = step;
    }

  self->last_slice_us = aex_clock_now ();
  thread->dispatching = outer;
  if (!aex_home_has_work (self, self->last_slice_us))
    return FALSE;
  self->low = spent;
  return TRUE;
}

gboolean
aex_home_dispatch (AexHome *self, gint64 budget_us)
{
  GMainContext *context = atomic_load (&self->context);
  gboolean more;

  if (context == NULL || !g_main_context_acquire (context))
    return FALSE;
  aex_home_eat_wake (self);
  more = aex_home_run_slice (self, budget_us);
  self->low = FALSE;
  if (!more)
    more = !aex_home_fall_asleep (self);
  g_main_context_release (context);
  return more;
}

gint64
aex_home_get_ready_time (AexHome *self)
{
  gint64 now = aex_clock_now ();

  if (atomic_load (&self->n_inbox) > 0 || (aex_thread_get ()->dispatching != self && self->n_local > 0))
    return now;
  return atomic_load (&self->next_timer_us);
}
