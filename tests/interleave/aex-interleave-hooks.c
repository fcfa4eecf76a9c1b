/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the scenarios and the library call instead of GLib and the system: the linker's --wrap puts __wrap_NAME() in the
 * place of NAME() and calls the original __real_NAME().  On threads that belong to no scenario, nothing changes. */
#include "aex-interleave-private.h"

#include <unistd.h>

#include "pending/aex-pending-private.h"

void aex_hook_read    (const volatile void *address);
void aex_hook_write   (const volatile void *address);
void aex_hook_add     (const volatile void *address);
void aex_hook_written (const volatile void *address);

#define STEP(kind_, address_) ((AexStep) { AEX_STEP_##kind_, (address_), __builtin_return_address (0) })

#define WRAP(type, name, arguments) \
  type __real_##name arguments; \
  type __wrap_##name arguments; \
  type __wrap_##name arguments

static void
step (AexStep the_step)
{
  if (aex_schedule_is_on ())
    aex_schedule_step (the_step, NULL, NULL);
}

void
aex_hook_read (const volatile void *address)
{
  step (STEP (READ, address));
}

void
aex_hook_write (const volatile void *address)
{
  step (STEP (WRITE, address));
}

void
aex_hook_add (const volatile void *address)
{
  step (STEP (ADD, address));
}

void
aex_hook_written (const volatile void *address)
{
  step (STEP (WRITE, address));
}

/* ---- locks */

void     __real_g_mutex_lock    (GMutex *mutex);
void     __real_g_mutex_unlock  (GMutex *mutex);
gboolean __real_g_mutex_trylock (GMutex *mutex);
void     __wrap_g_mutex_lock    (GMutex *mutex);
void     __wrap_g_mutex_unlock  (GMutex *mutex);
gboolean __wrap_g_mutex_trylock (GMutex *mutex);

static gboolean
mutex_is_free (gpointer mutex)
{
  gboolean is_free = __real_g_mutex_trylock (mutex);

  if (is_free)
    __real_g_mutex_unlock (mutex);
  return is_free;
}

static void
lock (GMutex *mutex, const void *site)
{
  if (aex_schedule_is_on ())
    aex_schedule_step ((AexStep) { AEX_STEP_LOCK, mutex, site }, mutex_is_free, mutex);
  __real_g_mutex_lock (mutex);
}

static void
unlock (GMutex *mutex, const void *site)
{
  if (aex_schedule_is_on ())
    aex_schedule_note ((AexStep) { AEX_STEP_UNLOCK, mutex, site });
  __real_g_mutex_unlock (mutex);
}

void
__wrap_g_mutex_lock (GMutex *mutex)
{
  lock (mutex, __builtin_return_address (0));
}

void
__wrap_g_mutex_unlock (GMutex *mutex)
{
  unlock (mutex, __builtin_return_address (0));
}

gboolean
__wrap_g_mutex_trylock (GMutex *mutex)
{
  step (STEP (LOCK, mutex));
  return __real_g_mutex_trylock (mutex);
}

/* A lock of its own for each pending, by the order in which they come: by their addresses two might share one in one round
 * and not in the next. */
#define N_LOCKS 64

static GMutex pending_locks[N_LOCKS];
static AexPending *lock_owners[N_LOCKS];

GMutex *__wrap_aex_pending_get_lock (AexPending *pending);

GMutex *
__wrap_aex_pending_get_lock (AexPending *pending)
{
  for (guint i = 0; i < N_LOCKS; i++)
    {
      if (lock_owners[i] == NULL)
        lock_owners[i] = pending;
      if (lock_owners[i] == pending)
        return &pending_locks[i];
    }
  aex_interleave_fail ("more than %d pendings in one round", N_LOCKS);
}

/* ---- conditions */

typedef struct
{
  GCond   *cond;
  gboolean signalled;
} Sleeper;

static GPtrArray *sleepers;    /* element Sleeper on its thread's stack; in the order in which they came */

void
aex_hooks_new_round (void)
{
  if (sleepers == NULL)
    sleepers = g_ptr_array_new ();
  g_ptr_array_set_size (sleepers, 0);
  memset (lock_owners, 0, sizeof lock_owners);
}

static gboolean
is_signalled (gpointer sleeper)
{
  return ((Sleeper *) sleeper)->signalled;
}

WRAP (void, g_cond_wait, (GCond *cond, GMutex *mutex))
{
  const void *site = __builtin_return_address (0);
  Sleeper sleeper = { cond, FALSE };

  if (!aex_schedule_is_on ())
    {
      __real_g_cond_wait (cond, mutex);
      return;
    }
  step ((AexStep) { AEX_STEP_WRITE, cond, site });
  g_ptr_array_add (sleepers, &sleeper);
  unlock (mutex, site);
  aex_schedule_step ((AexStep) { AEX_STEP_WRITE, cond, site }, is_signalled, &sleeper);
  lock (mutex, site);
}

static gboolean real_time;

void
aex_interleave_set_real_time (gboolean is_real)
{
  real_time = is_real;
}

WRAP (gboolean, g_cond_wait_until, (GCond *cond, GMutex *mutex, gint64 end_time))
{
  if (aex_schedule_is_on () && real_time)
    return FALSE;
  if (aex_schedule_is_on ())
    aex_interleave_fail ("a wait in real time: scenarios run in virtual time");
  return __real_g_cond_wait_until (cond, mutex, end_time);
}

static void
wake (GCond *cond, gboolean all)
{
  for (guint i = 0; i < sleepers->len;)
    {
      Sleeper *sleeper = g_ptr_array_index (sleepers, i);

      if (sleeper->cond != cond)
        {
          i++;
          continue;
        }
      sleeper->signalled = TRUE;
      g_ptr_array_remove_index (sleepers, i);
      if (!all)
        return;
    }
}

WRAP (void, g_cond_signal, (GCond *cond))
{
  if (!aex_schedule_is_on ())
    {
      __real_g_cond_signal (cond);
      return;
    }
  step (STEP (WRITE, cond));
  wake (cond, FALSE);
}

WRAP (void, g_cond_broadcast, (GCond *cond))
{
  if (!aex_schedule_is_on ())
    {
      __real_g_cond_broadcast (cond);
      return;
    }
  step (STEP (WRITE, cond));
  wake (cond, TRUE);
}

/* ---- threads */

WRAP (GThread *, g_thread_try_new, (const char *name, GThreadFunc func, gpointer data, GError **error))
{
  return aex_schedule_is_on () ? aex_schedule_spawn (func, data, __builtin_return_address (0), error)
                               : __real_g_thread_try_new (name, func, data, error);
}

WRAP (gpointer, g_thread_join, (GThread *thread))
{
  return aex_schedule_is_on () ? aex_schedule_join (thread, __builtin_return_address (0)) : __real_g_thread_join (thread);
}

WRAP (void, g_thread_yield, (void))
{
  if (aex_schedule_is_on ())
    aex_schedule_yield (__builtin_return_address (0));
}

/* ---- references; what GLib itself does with them is not seen */

WRAP (gpointer, g_object_ref, (gpointer object))
{
  step (STEP (ADD, &((GObject *) object)->ref_count));
  return __real_g_object_ref (object);
}

WRAP (void, g_object_unref, (gpointer object))
{
  step (STEP (WRITE, &((GObject *) object)->ref_count));
  __real_g_object_unref (object);
}

WRAP (gpointer, g_weak_ref_get, (GWeakRef *weak_ref))
{
  GObject *object = weak_ref->priv.p;

  if (object != NULL)
    step (STEP (ADD, &object->ref_count));
  return __real_g_weak_ref_get (weak_ref);
}

WRAP (void, g_cancellable_cancel, (GCancellable *cancellable))
{
  if (cancellable != NULL)
    step (STEP (WRITE, cancellable));
  __real_g_cancellable_cancel (cancellable);
}

WRAP (gboolean, g_cancellable_is_cancelled, (GCancellable *cancellable))
{
  if (cancellable != NULL)
    step (STEP (READ, cancellable));
  return __real_g_cancellable_is_cancelled (cancellable);
}

/* ---- descriptors.  All are one address: few are in use at a time. */

static const char descriptors;

WRAP (ssize_t, write, (int fd, const void *buffer, size_t size))
{
  step (STEP (WRITE, &descriptors));
  return __real_write (fd, buffer, size);
}

WRAP (ssize_t, read, (int fd, void *buffer, size_t size))
{
  step (STEP (WRITE, &descriptors));
  return __real_read (fd, buffer, size);
}

typedef struct
{
  GPollFD *fds;
  guint    n_fds;
} Poll;

static gboolean
is_readable (gpointer data)
{
  Poll *the_poll = data;

  return g_poll (the_poll->fds, the_poll->n_fds, 0) != 0;
}

/* The thread that iterates a context sleeps until a step of another one has made something readable. */
static int
poll_func (GPollFD *fds, guint n_fds, int timeout)
{
  Poll the_poll = { fds, n_fds };

  if (!aex_schedule_is_on ())
    return g_poll (fds, n_fds, timeout);
  if (timeout > 0)
    aex_interleave_fail ("a wait in real time: scenarios run in virtual time");
  aex_schedule_step ((AexStep) { AEX_STEP_READ, &descriptors, AEX_SITE_OF (poll_func) }, timeout == 0 ? NULL : is_readable, &the_poll);
  return g_poll (fds, n_fds, 0);
}

GMainContext *
aex_interleave_context_new (void)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_set_poll_func (context, poll_func);
  return context;
}
