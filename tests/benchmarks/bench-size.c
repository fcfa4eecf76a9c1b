/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* B8: what one live, unresolved object of each kind takes, from the growth of
 * the resident memory.  Only true in a fresh process: freed pages of an earlier
 * row would be taken first. */

#include <asyncexec.h>

#include "bench.h"

static void
measure (BenchRun *run, gpointer (*make) (void))
{
  g_autofree gpointer *objects = g_new (gpointer, run->n);
  gint64 before;

  /* Types, caches and the pages of the array are not part of it. */
  for (guint i = 0; i < run->n; i++)
    objects[i] = &objects[i];
  for (guint i = 0; i < 64; i++)
    g_object_unref (make ());

  before = bench_rss_kb ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    objects[i] = make ();
  bench_stop (run);
  run->extras[BENCH_BYTES] = (bench_rss_kb () - before) * 1024.0 / run->n;

  for (guint i = 0; i < run->n; i++)
    g_object_unref (objects[i]);
}

static gpointer
make_pending (void)
{
  return aex_pending_new ();
}

static gpointer
make_task (void)
{
  return g_task_new (NULL, NULL, NULL, NULL);
}

static gpointer
make_object (void)
{
  return g_object_new (G_TYPE_OBJECT, NULL);
}

static void
size_pending (BenchRun *run)
{
  measure (run, make_pending);
}

static void
size_task (BenchRun *run)
{
  measure (run, make_task);
}

static void
size_object (BenchRun *run)
{
  measure (run, make_object);
}

const BenchCase bench_size_cases[] = {
  { "B8", BENCH_OURS, 1000000, size_pending, 0, "" },
  { "B8", "GTask", 1000000, size_task, 0, "" },
  { "B8", "GObject", 1000000, size_object, 0, "" },
  { NULL }
};
