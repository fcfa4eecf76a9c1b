/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is demanded of the library, and whether it is so. */

#include "bench.h"

typedef enum { WALL, CPU, BYTES, LATE, FIRED, FRAMES, CANCEL } Figure;

/* Ours must be at most `limit` (FRAMES: at least), or, with a peer, at most that many times what the peer has. */
typedef struct
{
  const char *row;
  const char *peer;
  double      limit;
  Figure      figure;
} Bar;

static const Bar bars[] = {
  { "B1h", NULL, 280 },
  { "B1h", "GTask", 1 / 6.0 },
  { "B1h", "GThreadPool", 1 / 1.5 },
  { "B1n", NULL, 45 },
  { "B1n", "GThreadPool", 1 / 4.0 },
  { "B2", NULL, 400 },
  { "B2", "GTask", 1, CPU },
  { "B2-noclaim", "GTask", 1 / 2.0 },
  { "B2-noclaim", "GTask", 1, CPU },
  { "B2-nospin", "GTask", 1.2 },
  { "B3", "GTask", 1 / 10.0 },
  { "B3-nospin", "GTask", 1.2 },
  { "B4", NULL, 70 },
  { "B4", "g_main_context_invoke_full", 1 / 12.0 },
  { "B4p", NULL, 330 },
  { "B4p-dropped", NULL, 330 },
  { "B5", NULL, 35 },
  { "B5c", NULL, 60 },
  { "B6-100k", NULL, 330 },
  { "B6-100k", "g_timeout", 1 },
  { "B6-100k", "g_timeout", 1, LATE },
  { "B6-1M", NULL, 330 },
  { "B6-1M", NULL, 800, CPU },
  { "B6-1M", NULL, 40, LATE },
  { "B6-1M", NULL, 1500, FIRED },
  { "B7", NULL, 300 },
  { "B7", "GTask", 1 / 6.0 },
  { "B7-each", NULL, 80 },
  { "B7-each", "TBB", 1 },
  { "B8", NULL, 104, BYTES },
  { "B9", NULL, 300 },
  { "B9", NULL, 60, CANCEL },
  { "B9", "GCancellable", 1 / 7.0 },
  { "B13", "OpenMP", 1.02 },
  { "B13-grain1", "OpenMP", 1.06 },
  { "F1", NULL, 28, FRAMES },
  { "P1", "ThreadPoolExecutor", 1 / 2.0 },
  { "P2", "ThreadPoolExecutor", 1 / 2.0 },
  { "P2-await", "ThreadPoolExecutor", 1 / 2.0 },
};

const char * const bench_extra_names[BENCH_N_EXTRAS] = {
  [BENCH_BYTES] = "bytes",
  [BENCH_LATE_P99_MS] = "late_p99_ms",
  [BENCH_FIRED_MS] = "fired_ms",
  [BENCH_FRAMES] = "frames",
  [BENCH_CANCEL_NS] = "cancel_ns",
};

static const char * const figure_names[] = { "ns", "cpu ns", "bytes", "ms late", "ms", "frames", "cancel ns" };

void
bench_result_free (BenchResult *self)
{
  g_free (self->row);
  g_free (self->peer);
  g_free (self);
}

static double
get_figure (const BenchResult *self, Figure figure)
{
  switch (figure)
    {
    case CPU:    return self->cpu_ns;
    case BYTES:  return self->extras[BENCH_BYTES];
    case LATE:   return self->extras[BENCH_LATE_P99_MS];
    case FIRED:  return self->extras[BENCH_FIRED_MS];
    case FRAMES: return self->extras[BENCH_FRAMES];
    case CANCEL: return self->extras[BENCH_CANCEL_NS];
    case WALL:
    default:     return self->median_ns;
    }
}

static const BenchResult *
find_result (GPtrArray *all, const char *row, const char *peer)
{
  for (guint i = 0; i < all->len; i++)
    {
      const BenchResult *self = all->pdata[i];

      if (g_str_equal (self->row, row) && g_str_equal (self->peer, peer))
        return self;
    }
  return NULL;
}

typedef void (*Print) (const char *format, ...) G_GNUC_PRINTF (1, 2);

static gboolean
print_bar (const Bar *bar, const BenchResult *ours, const BenchResult *theirs, Print print)
{
  double mine = get_figure (ours, bar->figure);
  double its = theirs != NULL ? get_figure (theirs, bar->figure) : 1;
  double ratio = its > 0 ? mine / its : 0;
  gboolean met = bar->figure == FRAMES ? ratio >= bar->limit : ratio <= bar->limit;

  print ("%-11s %10.1f %-9s ", bar->row, mine, figure_names[bar->figure]);
  if (theirs != NULL)
    print ("%-27s %10.1f %7.3f  bar %s %7.3f  %s\n", bar->peer, its, ratio, bar->figure == FRAMES ? ">=" : "<=", bar->limit,
           met ? "met" : "MISSED");
  else
    print ("%-27s %10s %7s  bar %s %7.0f  %s\n", "-", "-", "-", bar->figure == FRAMES ? ">=" : "<=", bar->limit,
           met ? "met" : "MISSED");
  return met;
}

static void
print_bar_json (const Bar *bar, const BenchResult *ours, const BenchResult *theirs, gboolean met)
{
  g_print ("{\"bar\":\"%s\",\"peer\":\"%s\",\"figure\":\"%s\",\"ours\":%.1f,\"theirs\":%.1f,\"limit\":%.3f,\"met\":%s}\n",
           bar->row, bar->peer != NULL ? bar->peer : "", figure_names[bar->figure], get_figure (ours, bar->figure),
           theirs != NULL ? get_figure (theirs, bar->figure) : 0.0, bar->limit, met ? "true" : "false");
}

/* What was not measured in this run is left out. */
gboolean
bench_bars_print (GPtrArray *results, gboolean json)
{
  Print print = json ? g_printerr : g_print;
  guint n_met = 0, n_missed = 0;
  gboolean met;

  for (guint i = 0; i < G_N_ELEMENTS (bars); i++)
    {
      const Bar *bar = &bars[i];
      const BenchResult *ours = find_result (results, bar->row, BENCH_OURS);
      const BenchResult *theirs = bar->peer != NULL ? find_result (results, bar->row, bar->peer) : NULL;

      if (ours == NULL || (bar->peer != NULL && theirs == NULL))
        continue;
      if (n_met + n_missed == 0)
        print ("\n%-11s %10s %-9s %-27s %10s %7s\n", "row", "ours", "", "peer", "theirs", "ratio");
      met = print_bar (bar, ours, theirs, print);
      if (json)
        print_bar_json (bar, ours, theirs, met);
      if (met)
        n_met++;
      else
        n_missed++;
    }
  if (n_met + n_missed > 0)
    print ("%u met, %u missed\n", n_met, n_missed);
  return n_missed == 0;
}
