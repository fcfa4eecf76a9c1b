/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-parker-private.h"

#include "base/aex-clock-private.h"

enum { AEX_PARKER_EMPTY, AEX_PARKER_ASLEEP, AEX_PARKER_SIGNALLED };

#define SPIN_COUNT 500

AexParker *
aex_parker_new (void)
{
  AexParker *self = g_new0 (AexParker, 1);

  atomic_init (&self->refs, 1);
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  return self;
}

AexParker *
aex_parker_ref (AexParker *self)
{
  atomic_fetch_add_explicit (&self->refs, 1, memory_order_relaxed);
  return self;
}

void
aex_parker_unref (AexParker *self)
{
  if (atomic_fetch_sub_explicit (&self->refs, 1, memory_order_acq_rel) != 1)
    return;
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_free (self);
}

void
aex_parker_unpark (AexParker *self)
{
  if (atomic_exchange (&self->state, AEX_PARKER_SIGNALLED) != AEX_PARKER_ASLEEP)
    return;
  g_mutex_lock (&self->lock);
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->lock);
}

guint
aex_spin_count (void)
{
  static gsize once;

  /* The value is kept plus one: 0 means "not asked yet". */
  if (g_once_init_enter (&once))
    {
      const char *text = g_getenv ("AEX_SPIN");
      guint spins = g_get_num_processors () > 1 ? SPIN_COUNT : 0;

      if (text != NULL)
        spins = (guint) CLAMP (g_ascii_strtoll (text, NULL, 10), 0, 1000000);
      g_once_init_leave (&once, (gsize) spins + 1);
    }
  return (guint) (once - 1);
}

gboolean
aex_parker_park (AexParker *self, guint n_spins, gint64 deadline_us)
{
  int empty = AEX_PARKER_EMPTY;
  gboolean in_time = TRUE;

  for (guint i = 0; i < n_spins; i++)
    {
      if (atomic_load_explicit (&self->state, memory_order_relaxed) == AEX_PARKER_SIGNALLED)
        break;
      aex_cpu_pause ();
    }

  g_mutex_lock (&self->lock);
  if (atomic_compare_exchange_strong (&self->state, &empty, AEX_PARKER_ASLEEP))
    {
      while (in_time && atomic_load (&self->state) == AEX_PARKER_ASLEEP)
        in_time = aex_clock_cond_wait (&self->cond, &self->lock, deadline_us);
    }
  g_mutex_unlock (&self->lock);

  return atomic_exchange (&self->state, AEX_PARKER_EMPTY) == AEX_PARKER_SIGNALLED;
}
