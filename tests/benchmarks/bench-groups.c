/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* B7: a hundred thousand jobs that belong together, until all have ended.  B9: as many operations that are cancelled
 * together. */
#include <asyncexec.h>

#include "bench.h"

/* ---- B7: a member each */

static gboolean
count_job (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  bench_tally_add ();
  return TRUE;
}

static void
b7_ours (BenchRun *run)
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (BENCH_WORKERS);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;

  bench_tally_reset ();
  bench_start (run);
  aex_pending_group_enter (group, NULL);
  for (guint i = 0; i < run->n; i++)
    g_object_unref (aex_executor_submit (pool, count_job, NULL, NULL));
  end = aex_pending_group_end (group);
  run->failed |= !aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  bench_stop (run);

  bench_expect (run, bench_tally_sum (), run->n, "jobs");
}

typedef struct
{
  GMainLoop *loop;
  guint      left;
} Countdown;

static void
count_task (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  bench_tally_add ();
  g_task_return_boolean (task, TRUE);
}

static void
task_counted (GObject *source, GAsyncResult *result, gpointer data)
{
  Countdown *countdown = data;

  g_task_propagate_boolean (G_TASK (result), NULL);
  if (--countdown->left == 0)
    g_main_loop_quit (countdown->loop);
}

static void
b7_task (BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Countdown countdown = { loop, run->n };

  bench_tally_reset ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, task_counted, &countdown);

      g_task_run_in_thread (task, count_task);
    }
  g_main_loop_run (loop);
  bench_stop (run);

  bench_expect (run, bench_tally_sum (), run->n, "tasks");
}

typedef struct
{
  BenchGate gate;
  int       left;       /* atomic */
} Count;

static void
count_push (gpointer data, gpointer user_data)
{
  Count *count = data;

  bench_tally_add ();
  if (g_atomic_int_dec_and_test (&count->left))
    bench_gate_open (&count->gate);
}

static void
b7_thread_pool (BenchRun *run)
{
  GThreadPool *pool = g_thread_pool_new (count_push, NULL, BENCH_WORKERS, FALSE, NULL);
  Count count = { .left = (int) run->n };

  bench_gate_init (&count.gate);
  bench_tally_reset ();
  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    g_thread_pool_push (pool, &count, NULL);
  bench_gate_wait (&count.gate);
  bench_stop (run);

  g_thread_pool_free (pool, FALSE, TRUE);
  bench_gate_clear (&count.gate);
  bench_expect (run, bench_tally_sum (), run->n, "pushes");
}

/* ---- B7-each: a function for each, and nothing that stands for one */

static gboolean
count_item (guint index, GCancellable *cancellable, gpointer data, GError **error)
{
  bench_tally_add ();
  return TRUE;
}

static void
b7_each_ours (BenchRun *run)
{
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (BENCH_WORKERS);
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = NULL;

  bench_tally_reset ();
  bench_start (run);
  run->failed |= !aex_pending_group_for_each (group, pool, run->n, count_item, NULL, NULL, NULL);
  end = aex_pending_group_join (group);
  run->failed |= !aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  bench_stop (run);

  bench_expect (run, bench_tally_sum (), run->n, "items");
}

/* ---- B9: begun, cancelled together, let go of */

static void
b9_ours (BenchRun *run)
{
  g_autoptr (AexPendingGroup) group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autofree AexPending **operations = g_new (AexPending *, run->n);
  g_autoptr (AexPending) end = NULL;
  guint n_cancelled = 0;
  gint64 start_ns;

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      operations[i] = aex_pending_new ();
      aex_pending_group_add (group, operations[i]);
    }
  start_ns = bench_now_ns ();
  aex_pending_group_cancel (group, NULL);
  run->extras[BENCH_CANCEL_NS] = (double) (bench_now_ns () - start_ns) / run->n;
  for (guint i = 0; i < run->n; i++)
    {
      n_cancelled += aex_pending_is_cancelled (operations[i]);
      g_object_unref (operations[i]);
    }
  end = aex_pending_group_join (group);
  run->failed |= !aex_pending_wait (end, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  bench_stop (run);

  bench_expect (run, n_cancelled, run->n, "cancelled operations");
}

static void
cancel_child (GCancellable *parent, gpointer child)
{
  g_cancellable_cancel (child);
}

static void
b9_cancellable (BenchRun *run)
{
  g_autoptr (GCancellable) parent = g_cancellable_new ();
  g_autofree GCancellable **operations = g_new (GCancellable *, run->n);
  g_autofree gulong *handlers = g_new (gulong, run->n);
  guint n_cancelled = 0;
  gint64 start_ns;

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      operations[i] = g_cancellable_new ();
      handlers[i] = g_cancellable_connect (parent, G_CALLBACK (cancel_child), operations[i], NULL);
    }
  start_ns = bench_now_ns ();
  g_cancellable_cancel (parent);
  run->extras[BENCH_CANCEL_NS] = (double) (bench_now_ns () - start_ns) / run->n;
  for (guint i = 0; i < run->n; i++)
    {
      n_cancelled += (guint) g_cancellable_is_cancelled (operations[i]);
      g_cancellable_disconnect (parent, handlers[i]);
      g_object_unref (operations[i]);
    }
  bench_stop (run);

  bench_expect (run, n_cancelled, run->n, "cancelled operations");
}

const BenchCase bench_group_cases[] = {
  { "B7", BENCH_OURS, 100000, b7_ours },
  { "B7", "GTask", 100000, b7_task },
  { "B7", "GThreadPool", 100000, b7_thread_pool },
  { "B7-each", BENCH_OURS, 100000, b7_each_ours },
  { "B7-each", "GThreadPool", 100000, b7_thread_pool },
  { "B9", BENCH_OURS, 100000, b9_ours },
  { "B9", "GCancellable", 100000, b9_cancellable },
  { NULL }
};
