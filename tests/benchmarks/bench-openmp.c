/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What gcc's OpenMP makes of B7 and B13. */

#include "bench.h"

static void
b13_static (BenchRun *run)
{
  g_autofree guint64 *results = g_new0 (guint64, run->n);

  bench_start (run);
#pragma omp parallel for num_threads (BENCH_WORKERS) schedule (static)
  for (guint i = 0; i < run->n; i++)
    results[i] = bench_item (i);
  bench_stop (run);

  bench_check_items (run, results);
}

static void
b13_dynamic (BenchRun *run)
{
  g_autofree guint64 *results = g_new0 (guint64, run->n);

  bench_start (run);
#pragma omp parallel for num_threads (BENCH_WORKERS) schedule (dynamic, 1)
  for (guint i = 0; i < run->n; i++)
    results[i] = bench_item (i);
  bench_stop (run);

  bench_check_items (run, results);
}

static void
b7_each (BenchRun *run)
{
  bench_tally_reset ();
  bench_start (run);
#pragma omp parallel for num_threads (BENCH_WORKERS) schedule (dynamic, 1)
  for (guint i = 0; i < run->n; i++)
    bench_tally_add ();
  bench_stop (run);

  bench_expect (run, bench_tally_sum (), run->n, "items");
}

const BenchCase bench_openmp_cases[] = {
  { "B7-each", "OpenMP", 100000, b7_each },
  { "B13", "OpenMP", 1000000, b13_static },
  { "B13-grain1", "OpenMP", 1000000, b13_dynamic },
  { NULL }
};
