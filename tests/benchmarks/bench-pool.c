/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* B1h, B1n: a million jobs.  B2: one job, blocking.  B3: one job after the
 * other from a main loop. */

#include <asyncexec.h>

#include "bench.h"

/* ---- B1h: a handle for each job, wait for all ---- */

static gboolean
empty_job (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  return TRUE;
}

static void
b1h_ours (BenchRun *run)
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (BENCH_WORKERS);
  g_autofree AexPending **jobs = g_new0 (AexPending *, run->n);
  guint resolved = 0;

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    jobs[i] = aex_executor_submit (pool, empty_job, NULL, NULL);
  for (guint i = 0; i < run->n; i++)
    {
      resolved += aex_pending_wait (jobs[i], AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
      g_object_unref (jobs[i]);
    }
  bench_stop (run);

  bench_expect (run, resolved, run->n, "jobs");
}

static void
empty_task (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

typedef struct
{
  GMainLoop *loop;
  guint      left;
} Countdown;

static void
task_counted (GObject *source, GAsyncResult *result, gpointer data)
{
  Countdown *countdown = data;

  g_task_propagate_boolean (G_TASK (result), NULL);
  if (--countdown->left == 0)
    g_main_loop_quit (countdown->loop);
}

static void
b1h_task (BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree GTask **tasks = g_new0 (GTask *, run->n);
  Countdown countdown = { loop, run->n };

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      tasks[i] = g_task_new (NULL, NULL, task_counted, &countdown);
      g_task_run_in_thread (tasks[i], empty_task);
    }
  g_main_loop_run (loop);
  for (guint i = 0; i < run->n; i++)
    g_object_unref (tasks[i]);
  bench_stop (run);

  bench_expect (run, countdown.left, 0, "tasks left");
}

/* What one writes around GThreadPool to get an answer. */
typedef struct
{
  int    done;          /* atomic */
  gint64 value;         /* written before done */
} Cell;

typedef struct
{
  BenchGate gate;
  int       left;       /* atomic */
} CellCount;

static void
fill_cell (gpointer data, gpointer user_data)
{
  Cell *cell = data;
  CellCount *count = user_data;

  cell->value = 1;
  g_atomic_int_set (&cell->done, 1);
  if (g_atomic_int_dec_and_test (&count->left))
    bench_gate_open (&count->gate);
}

static void
b1h_thread_pool (BenchRun *run)
{
  CellCount count = { .left = run->n };
  GThreadPool *pool = g_thread_pool_new (fill_cell, &count, BENCH_WORKERS, FALSE, NULL);
  g_autofree Cell **cells = g_new0 (Cell *, run->n);
  guint64 sum = 0;

  bench_gate_init (&count.gate);
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      cells[i] = g_new0 (Cell, 1);
      g_thread_pool_push (pool, cells[i], NULL);
    }
  bench_gate_wait (&count.gate);
  for (guint i = 0; i < run->n; i++)
    {
      sum += cells[i]->value;
      g_free (cells[i]);
    }
  bench_stop (run);

  g_thread_pool_free (pool, FALSE, TRUE);
  bench_gate_clear (&count.gate);
  bench_expect (run, sum, run->n, "cells");
}

/* ---- B1n: fire and forget, until the pool has drained ---- */

static gboolean
count_post (gpointer data, GError **error)
{
  bench_tally_add ();
  return TRUE;
}

static void
b1n_ours (BenchRun *run)
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (BENCH_WORKERS);
  g_autoptr (AexPending) over = NULL;

  bench_tally_reset ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    aex_executor_post (pool, count_post, NULL, NULL);
  over = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_pending_wait (over, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  bench_stop (run);

  bench_expect (run, bench_tally_sum (), run->n, "posts");
}

static void
count_push (gpointer data, gpointer user_data)
{
  bench_tally_add ();
}

static void
b1n_thread_pool (BenchRun *run)
{
  GThreadPool *pool = g_thread_pool_new (count_push, NULL, BENCH_WORKERS, FALSE, NULL);

  bench_tally_reset ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    g_thread_pool_push (pool, run, NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  bench_stop (run);

  bench_expect (run, bench_tally_sum (), run->n, "pushes");
}

/* ---- B2: submit one, block for its result ---- */

/* A thread outside of the pool runs the job that it waits for only on the default pool. */
enum { DEFAULT_POOL, OWN_POOL };

#define NO_SPIN "AEX_SPIN=0"

static gboolean
answer_job (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  return aex_pending_resolve_int64 (job, 1);
}

static void
b2_ours (BenchRun *run)
{
  g_autoptr (AexExecutor) pool = run->variant == DEFAULT_POOL ? aex_executor_ref_default ()
                                                              : aex_thread_pool_new (BENCH_WORKERS);
  guint64 sum = 0;

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (pool, answer_job, NULL, NULL);

      if (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL))
        sum += aex_pending_get_int64 (job, NULL);
    }
  bench_stop (run);

  bench_expect (run, sum, run->n, "answers");
}

static void
answer_task (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_int (task, 1);
}

static void
b2_task (BenchRun *run)
{
  guint64 sum = 0;

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

      g_task_run_in_thread_sync (task, answer_task);
      sum += g_task_propagate_int (task, NULL);
    }
  bench_stop (run);

  bench_expect (run, sum, run->n, "answers");
}

static void
open_gate (gpointer gate, gpointer user_data)
{
  bench_gate_open (gate);
}

static void
b2_thread_pool (BenchRun *run)
{
  GThreadPool *pool = g_thread_pool_new (open_gate, NULL, BENCH_WORKERS, FALSE, NULL);

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      BenchGate gate;

      bench_gate_init (&gate);
      g_thread_pool_push (pool, &gate, NULL);
      bench_gate_wait (&gate);
      bench_gate_clear (&gate);
    }
  bench_stop (run);

  g_thread_pool_free (pool, FALSE, TRUE);
}

/* ---- B3: the loop submits, is called back, submits the next ---- */

typedef struct
{
  GMainLoop   *loop;
  AexExecutor *pool;
  guint        left;
} Chain;

static void chain_done (AexPending *job, gpointer data);

static void
chain_next (Chain *chain)
{
  g_autoptr (AexPending) job = aex_executor_submit (chain->pool, empty_job, NULL, NULL);

  aex_pending_add_done_callback (job, chain_done, chain, NULL);
}

static void
chain_done (AexPending *job, gpointer data)
{
  Chain *chain = data;

  if (--chain->left > 0)
    chain_next (chain);
  else
    g_main_loop_quit (chain->loop);
}

static gboolean
chain_start (gpointer data)
{
  chain_next (data);
  return G_SOURCE_REMOVE;
}

static void
b3_ours (BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (BENCH_WORKERS);
  Chain chain = { loop, pool, run->n };

  g_idle_add (chain_start, &chain);
  bench_start (run);
  g_main_loop_run (loop);
  bench_stop (run);

  bench_expect (run, chain.left, 0, "callbacks left");
}

static void
task_chain_done (GObject *source, GAsyncResult *result, gpointer data)
{
  Countdown *countdown = data;
  g_autoptr (GTask) next = NULL;

  g_task_propagate_boolean (G_TASK (result), NULL);
  if (--countdown->left == 0)
    {
      g_main_loop_quit (countdown->loop);
      return;
    }
  next = g_task_new (NULL, NULL, task_chain_done, countdown);
  g_task_run_in_thread (next, empty_task);
}

static void
b3_task (BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Countdown countdown = { loop, run->n };
  g_autoptr (GTask) first = g_task_new (NULL, NULL, task_chain_done, &countdown);

  bench_start (run);
  g_task_run_in_thread (first, empty_task);
  g_main_loop_run (loop);
  bench_stop (run);

  bench_expect (run, countdown.left, 0, "callbacks left");
}

const BenchCase bench_pool_cases[] = {
  { "B1h", BENCH_OURS, 1000000, b1h_ours },
  { "B1h", "GTask", 1000000, b1h_task },
  { "B1h", "GThreadPool", 1000000, b1h_thread_pool },
  { "B1n", BENCH_OURS, 1000000, b1n_ours },
  { "B1n", "GThreadPool", 1000000, b1n_thread_pool },
  { "B2", BENCH_OURS, 200000, b2_ours, DEFAULT_POOL },
  { "B2", "GTask", 20000, b2_task },
  { "B2", "GThreadPool", 20000, b2_thread_pool },
  { "B2-noclaim", BENCH_OURS, 20000, b2_ours, OWN_POOL },
  { "B2-noclaim", "GTask", 20000, b2_task },
  { "B2-nospin", BENCH_OURS, 20000, b2_ours, OWN_POOL, NO_SPIN },
  { "B2-nospin", "GTask", 20000, b2_task, 0, NO_SPIN },
  { "B3", BENCH_OURS, 100000, b3_ours },
  { "B3", "GTask", 20000, b3_task },
  { "B3-nospin", BENCH_OURS, 20000, b3_ours, 0, NO_SPIN },
  { "B3-nospin", "GTask", 20000, b3_task, 0, NO_SPIN },
  { NULL }
};
