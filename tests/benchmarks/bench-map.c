/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* B13: a function of about a microsecond over a million items, results in
 * order: by hand in chunks, and an item at a time. */
#include <asyncexec.h>

#include "bench.h"

/* A chain of dependent multiplications: nothing to vectorize, nothing to skip. */
#define ROUNDS 600

/* The same code for every peer. */
G_NO_INLINE guint64
bench_item (guint index)
{
  guint64 x = index + G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  for (guint i = 0; i < ROUNDS; i++)
    x = x * G_GUINT64_CONSTANT (6364136223846793005) + G_GUINT64_CONSTANT (1442695040888963407);
  return x;
}

/* A sample: all of them would take as long as the row. */
void
bench_check_items (BenchRun *run, const guint64 *results)
{
  guint n_wrong = 0;

  for (guint i = 0; i < run->n; i++)
    n_wrong += results[i] == 0;
  for (guint i = 0; i < run->n; i += 101)
    n_wrong += results[i] != bench_item (i);
  bench_expect (run, n_wrong, 0, "wrong results");
}

typedef struct
{
  BenchRun *run;
  guint64  *results;
} Map;

static gboolean
map_one (AexPendingStream *stream, guint index, GCancellable *cancellable, gpointer data, GError **error)
{
  Map *self = data;

  self->results[index] = bench_item (index);
  return TRUE;
}

static gboolean
map_chunk (AexPendingStream *stream, guint index, GCancellable *cancellable, gpointer data, GError **error)
{
  Map *self = data;
  guint end = MIN ((index + 1) * BENCH_CHUNK, self->run->n);

  for (guint i = index * BENCH_CHUNK; i < end; i++)
    self->results[i] = bench_item (i);
  return TRUE;
}

enum { CHUNKS, ITEMS };

static void
b13_ours (BenchRun *run)
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (BENCH_WORKERS);
  g_autofree guint64 *results = g_new0 (guint64, run->n);
  g_autoptr (AexPendingStream) stream = NULL;
  Map map = { run, results };
  guint n = run->variant == ITEMS ? run->n : (run->n + BENCH_CHUNK - 1) / BENCH_CHUNK;
  guint n_taken = 0;

  bench_start (run);
  stream = aex_executor_map (pool, n, 0, -1, AEX_MAP_FLAGS_NONE, run->variant == ITEMS ? map_one : map_chunk, &map, NULL);
  for (;;)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);

      if (result == NULL)
        break;
      n_taken++;
    }
  bench_stop (run);

  bench_expect (run, n_taken, n, "results");
  bench_check_items (run, results);
}

static void
push_item (gpointer data, gpointer map)
{
  Map *self = map;
  guint index = GPOINTER_TO_UINT (data) - 1;

  self->results[index] = bench_item (index);
}

static void
push_chunk (gpointer data, gpointer map)
{
  Map *self = map;
  guint index = GPOINTER_TO_UINT (data) - 1;
  guint end = MIN ((index + 1) * BENCH_CHUNK, self->run->n);

  for (guint i = index * BENCH_CHUNK; i < end; i++)
    self->results[i] = bench_item (i);
}

static void
b13_thread_pool (BenchRun *run)
{
  g_autofree guint64 *results = g_new0 (guint64, run->n);
  Map map = { run, results };
  guint n = run->variant == ITEMS ? run->n : (run->n + BENCH_CHUNK - 1) / BENCH_CHUNK;
  GThreadPool *pool;

  pool = g_thread_pool_new (run->variant == ITEMS ? push_item : push_chunk, &map, BENCH_WORKERS, FALSE, NULL);
  bench_start (run);
  for (guint i = 0; i < n; i++)
    g_thread_pool_push (pool, GUINT_TO_POINTER (i + 1), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  bench_stop (run);

  bench_check_items (run, results);
}

const BenchCase bench_map_cases[] = {
  { "B13", BENCH_OURS, 1000000, b13_ours, CHUNKS },
  { "B13", "GThreadPool", 1000000, b13_thread_pool, CHUNKS },
  { "B13-grain1", BENCH_OURS, 1000000, b13_ours, ITEMS },
  { "B13-grain1", "GThreadPool", 1000000, b13_thread_pool, ITEMS },
  { NULL }
};
