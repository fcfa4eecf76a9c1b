/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* B6: timers spread over one second, on a main loop.  The time is that of
 * creating one; processor time is that of its whole life. */
#include <asyncexec.h>

#include "bench.h"

#include <stdlib.h>

#define SPREAD_US G_USEC_PER_SEC

typedef struct _Timers Timers;

typedef struct
{
  Timers *timers;
  gint64  due_ns;       /* at its end: how late it was */
} Timer;

struct _Timers
{
  BenchRun  *run;
  GMainLoop *loop;
  AexCaller *caller;
  guint      left;
  gint64     start_ns;
  Timer     *timers;
};

/* The same for all peers, in an order that is not that of time. */
static guint
delay_us (guint i)
{
  return (guint) ((guint64) i * 7919 % SPREAD_US);
}

static int
compare_lateness (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const Timer *) a)->due_ns, y = ((const Timer *) b)->due_ns;

  return (x > y) - (x < y);
}

static void
timers_init (Timers *self, BenchRun *run)
{
  *self = (Timers) { run, g_main_loop_new (NULL, FALSE), NULL, run->n, 0, g_new0 (Timer, run->n) };
  /* Pages are not part of it. */
  for (guint i = 0; i < run->n; i++)
    self->timers[i].timers = self;
}

static void
timer_fired (Timer *timer)
{
  Timers *self = timer->timers;

  timer->due_ns = bench_now_ns () - timer->due_ns;
  if (--self->left > 0)
    return;
  bench_stop_cpu (self->run);
  self->run->extras[BENCH_FIRED_MS] = (bench_now_ns () - self->start_ns) / 1e6;
  g_main_loop_quit (self->loop);
}

static void
timers_finish (Timers *self)
{
  guint n = self->run->n, n_early = 0;

  for (guint i = 0; i < n; i++)
    n_early += self->timers[i].due_ns < 0;
  qsort (self->timers, n, sizeof (Timer), compare_lateness);
  self->run->extras[BENCH_LATE_P99_MS] = self->timers[(guint64) n * 99 / 100].due_ns / 1e6;
  bench_expect (self->run, self->left, 0, "timers left");
  bench_expect (self->run, n_early, 0, "timers that were early");
  g_main_loop_unref (self->loop);
  g_free (self->timers);
}

static gboolean
fire_job (AexPending *job, GCancellable *cancellable, gpointer timer, GError **error)
{
  timer_fired (timer);
  return TRUE;
}

static gboolean
create_ours (gpointer data, GError **error)
{
  Timers *self = data;

  self->start_ns = bench_now_ns ();
  bench_start (self->run);
  for (guint i = 0; i < self->run->n; i++)
    {
      /* Microseconds of the library's clock are whole ones. */
      self->timers[i].due_ns = (bench_now_ns () / 1000 + delay_us (i)) * 1000;
      g_object_unref (aex_caller_call_later (self->caller, delay_us (i), fire_job, &self->timers[i], NULL));
    }
  bench_stop (self->run);
  return TRUE;
}

static void
b6_ours (BenchRun *run)
{
  Timers self;
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  timers_init (&self, run);
  self.caller = caller;
  aex_caller_call_direct (caller, create_ours, &self, NULL);
  g_main_loop_run (self.loop);
  timers_finish (&self);
}

static gboolean
fire_timeout (gpointer timer)
{
  timer_fired (timer);
  return G_SOURCE_REMOVE;
}

static gboolean
create_timeouts (gpointer data)
{
  Timers *self = data;

  self->start_ns = bench_now_ns ();
  bench_start (self->run);
  for (guint i = 0; i < self->run->n; i++)
    {
      self->timers[i].due_ns = (bench_now_ns () / 1000 + delay_us (i) / 1000 * 1000) * 1000;
      g_timeout_add (delay_us (i) / 1000, fire_timeout, &self->timers[i]);
    }
  bench_stop (self->run);
  return G_SOURCE_REMOVE;
}

static void
b6_timeouts (BenchRun *run)
{
  Timers self;

  timers_init (&self, run);
  g_idle_add (create_timeouts, &self);
  g_main_loop_run (self.loop);
  timers_finish (&self);
}

const BenchCase bench_timer_cases[] = {
  { "B6-100k", BENCH_OURS, 100000, b6_ours },
  { "B6-100k", "g_timeout", 100000, b6_timeouts },
  { "B6-1M", BENCH_OURS, 1000000, b6_ours },
  { NULL }
};
