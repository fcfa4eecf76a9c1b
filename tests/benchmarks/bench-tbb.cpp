/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What Intel's Threading Building Blocks make of B1h, B1n, B2, B7 and B13. */

#include "bench.h"

#include <atomic>
#include <memory>

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

struct Cell
{
  std::atomic<bool> done;
  gint64 value;
};

static void
b1h (BenchRun *run)
{
  tbb::task_arena arena (BENCH_WORKERS);
  std::unique_ptr<Cell *[]> cells (new Cell *[run->n]);
  guint64 sum = 0;

  arena.initialize ();
  bench_start (run);
  arena.execute ([&] {
    tbb::task_group group;

    for (guint i = 0; i < run->n; i++)
      {
        Cell *cell = cells[i] = new Cell ();

        group.run ([cell] {
          cell->value = 1;
          cell->done.store (true, std::memory_order_release);
        });
      }
    group.wait ();
  });
  for (guint i = 0; i < run->n; i++)
    {
      sum += (guint64) cells[i]->value;
      delete cells[i];
    }
  bench_stop (run);
  bench_expect (run, sum, run->n, "cells");
}

static void
b1n (BenchRun *run)
{
  tbb::task_arena arena (BENCH_WORKERS);

  arena.initialize ();
  bench_tally_reset ();
  bench_start (run);
  arena.execute ([&] {
    tbb::task_group group;

    for (guint i = 0; i < run->n; i++)
      group.run ([] { bench_tally_add (); });
    group.wait ();
  });
  bench_stop (run);
  bench_expect (run, bench_tally_sum (), run->n, "tasks");
}

/* The waiter runs it. */
static void
b2 (BenchRun *run)
{
  tbb::task_group group;
  guint64 sum = 0;

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    group.run_and_wait ([&sum] { sum++; });
  bench_stop (run);
  bench_expect (run, sum, run->n, "answers");
}

/* A function for each, one by one. */
static void
b7_each (BenchRun *run)
{
  tbb::task_arena arena (BENCH_WORKERS);

  arena.initialize ();
  bench_tally_reset ();
  bench_start (run);
  arena.execute ([&] {
    tbb::parallel_for (tbb::blocked_range<guint> (0, run->n, 1), [] (const tbb::blocked_range<guint> &items) {
      for (guint i = items.begin (); i < items.end (); i++)
        bench_tally_add ();
    }, tbb::simple_partitioner ());
  });
  bench_stop (run);
  bench_expect (run, bench_tally_sum (), run->n, "items");
}

enum { CHUNKS, ITEMS };

static void
b13 (BenchRun *run)
{
  tbb::task_arena arena (BENCH_WORKERS);
  std::unique_ptr<guint64[]> results (new guint64[run->n]());
  guint64 *to = results.get ();
  tbb::blocked_range<guint> range (0, run->n, run->variant == ITEMS ? 1 : BENCH_CHUNK);

  arena.initialize ();
  bench_start (run);
  arena.execute ([&] {
    auto part = [to] (const tbb::blocked_range<guint> &items) {
      for (guint i = items.begin (); i < items.end (); i++)
        to[i] = bench_item (i);
    };

    if (run->variant == ITEMS)
      tbb::parallel_for (range, part, tbb::simple_partitioner ());
    else
      tbb::parallel_for (range, part);
  });
  bench_stop (run);
  bench_check_items (run, to);
}

const BenchCase bench_tbb_cases[] = {
  { "B1h", "TBB", 1000000, b1h, 0, NULL },
  { "B1n", "TBB", 1000000, b1n, 0, NULL },
  { "B2", "TBB", 200000, b2, 0, NULL },
  { "B7", "TBB", 100000, b1n, 0, NULL },
  { "B7-each", "TBB", 100000, b7_each, 0, NULL },
  { "B13", "TBB", 1000000, b13, CHUNKS, NULL },
  { "B13-grain1", "TBB", 1000000, b13, ITEMS, NULL },
  { NULL, NULL, 0, NULL, 0, NULL }
};
