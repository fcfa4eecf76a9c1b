/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static gint64
read_clock (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

void
bench_start (BenchRun *run)
{
  run->cpu_start = read_clock (CLOCK_PROCESS_CPUTIME_ID);
  run->wall_start = read_clock (CLOCK_MONOTONIC);
}

void
bench_stop (BenchRun *run)
{
  run->wall_ns = read_clock (CLOCK_MONOTONIC) - run->wall_start;
  run->cpu_ns = read_clock (CLOCK_PROCESS_CPUTIME_ID) - run->cpu_start;
}

void
bench_stop_cpu (BenchRun *run)
{
  run->cpu_ns = read_clock (CLOCK_PROCESS_CPUTIME_ID) - run->cpu_start;
}

gint64
bench_now_ns (void)
{
  return read_clock (CLOCK_MONOTONIC);
}

/* A benchmark that loses work would be fast. */
void
bench_expect (BenchRun *run, guint64 got, guint64 expected, const char *what)
{
  if (got == expected)
    return;
  g_printerr ("%" G_GUINT64_FORMAT " %s, expected %" G_GUINT64_FORMAT "\n", got, what, expected);
  run->failed = TRUE;
}

gint64
bench_rss_kb (void)
{
  g_autofree char *text = NULL;
  long pages = 0;

  if (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    sscanf (text, "%*d %ld", &pages);
  return pages * (sysconf (_SC_PAGESIZE) / 1024);
}

void
bench_gate_init (BenchGate *gate)
{
  g_mutex_init (&gate->lock);
  g_cond_init (&gate->cond);
  gate->open = FALSE;
}

void
bench_gate_clear (BenchGate *gate)
{
  g_cond_clear (&gate->cond);
  g_mutex_clear (&gate->lock);
}

void
bench_gate_open (BenchGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->open = TRUE;
  g_cond_signal (&gate->cond);
  g_mutex_unlock (&gate->lock);
}

void
bench_gate_wait (BenchGate *gate)
{
  g_mutex_lock (&gate->lock);
  while (!gate->open)
    g_cond_wait (&gate->cond, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

/* One slot a thread, never freed before the process ends: a thread may count
 * after another row was reset only when that row lost work, which the sum shows. */
typedef struct _Slot Slot;
struct _Slot
{
  guint64 count;        /* its thread; others read when that thread is quiet */
  Slot   *next;         /* slots_lock */
  char    padding[48];
};

static GMutex slots_lock;
static Slot *slots;
static __thread Slot *own_slot;

static Slot *
add_slot (void)
{
  Slot *slot = g_new0 (Slot, 1);

  g_mutex_lock (&slots_lock);
  slot->next = slots;
  slots = slot;
  g_mutex_unlock (&slots_lock);
  return slot;
}

void
bench_tally_add (void)
{
  if (own_slot == NULL)
    own_slot = add_slot ();
  own_slot->count++;
}

void
bench_tally_reset (void)
{
  g_mutex_lock (&slots_lock);
  for (Slot *slot = slots; slot != NULL; slot = slot->next)
    slot->count = 0;
  g_mutex_unlock (&slots_lock);
}

guint64
bench_tally_sum (void)
{
  guint64 sum = 0;

  g_mutex_lock (&slots_lock);
  for (Slot *slot = slots; slot != NULL; slot = slot->next)
    sum += slot->count;
  g_mutex_unlock (&slots_lock);
  return sum;
}
