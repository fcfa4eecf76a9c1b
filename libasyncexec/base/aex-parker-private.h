/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* Where one thread sleeps until another wakes it; a wake that comes first is kept (one).  Reference counted, because the
 * waker may still be inside aex_parker_unpark() when the sleeper has gone on. */
typedef struct {
  atomic_int refs;
  atomic_int state;    /* AEX_PARKER_* */
  GMutex lock;         /* guards the step from EMPTY to ASLEEP against a waker */
  GCond cond;
} AexParker;

AexParker *aex_parker_new    (void);
AexParker *aex_parker_ref    (AexParker *self);
void       aex_parker_unref  (AexParker *self);
void       aex_parker_unpark (AexParker *self);

/* TRUE: woken (and the wake is eaten), FALSE: the deadline (-1: none) passed.  Spins n_spins pauses before it sleeps. */
gboolean   aex_parker_park   (AexParker *self, guint n_spins, gint64 deadline_us);

/* How often to pause before parking: 500 where another CPU may be running the producer (measured: 200 is worse than
 * none for blocking waits), 0 on one CPU. */
guint      aex_spin_count    (void);

static inline void
aex_cpu_pause (void)
{
#if defined (__x86_64__) || defined (__i386__)
  __builtin_ia32_pause ();
#elif defined (__aarch64__)
  __asm__ volatile ("isb" ::: "memory");
#endif
}

G_END_DECLS
