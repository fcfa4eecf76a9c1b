/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* B4: one thread posts to the loop of another.  B5: a loop posts to itself. */

#include <asyncexec.h>

#include "bench.h"

/* ---- B4 ---- */

typedef struct
{
  GMainContext *context;
  GMainLoop    *loop;
  GThread      *thread;
} LoopThread;

static gpointer
loop_thread_main (gpointer data)
{
  LoopThread *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
loop_thread_init (LoopThread *self)
{
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("bench-loop", loop_thread_main, self);
  while (!g_main_loop_is_running (self->loop))
    g_thread_yield ();
}

static void
loop_thread_clear (LoopThread *self)
{
  g_main_loop_quit (self->loop);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
}

static gboolean
count_source (gpointer data)
{
  bench_tally_add ();
  return G_SOURCE_REMOVE;
}

static gboolean
open_gate_source (gpointer gate)
{
  bench_gate_open (gate);
  return G_SOURCE_REMOVE;
}

static void
attach_idle (GMainContext *context, GSourceFunc func, gpointer data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, context);
}

static void
b4_invoke (BenchRun *run)
{
  LoopThread thread;
  BenchGate gate;

  loop_thread_init (&thread);
  bench_gate_init (&gate);
  bench_tally_reset ();

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    g_main_context_invoke_full (thread.context, G_PRIORITY_DEFAULT, count_source, NULL, NULL);
  g_main_context_invoke_full (thread.context, G_PRIORITY_DEFAULT, open_gate_source, &gate, NULL);
  bench_gate_wait (&gate);
  bench_stop (run);

  loop_thread_clear (&thread);
  bench_gate_clear (&gate);
  bench_expect (run, bench_tally_sum (), run->n, "callbacks");
}

static void
b4_idle (BenchRun *run)
{
  LoopThread thread;
  BenchGate gate;

  loop_thread_init (&thread);
  bench_gate_init (&gate);
  bench_tally_reset ();

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    attach_idle (thread.context, count_source, NULL);
  attach_idle (thread.context, open_gate_source, &gate);
  bench_gate_wait (&gate);
  bench_stop (run);

  loop_thread_clear (&thread);
  bench_gate_clear (&gate);
  bench_expect (run, bench_tally_sum (), run->n, "callbacks");
}

static gboolean
count_post (gpointer data, GError **error)
{
  bench_tally_add ();
  return TRUE;
}

static gboolean
count_job (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  bench_tally_add ();
  return TRUE;
}

static gboolean
open_gate_post (gpointer gate, GError **error)
{
  bench_gate_open (gate);
  return TRUE;
}

static AexCaller *
start_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("bench-loop", &error);

  if (caller == NULL)
    g_error ("no caller: %s", error->message);
  aex_pending_wait (aex_caller_get_started (caller), AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  return caller;
}

static void
stop_caller (AexCaller *caller)
{
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);

  aex_pending_wait (stopped, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  g_object_unref (caller);
}

static void
b4_call_direct (BenchRun *run)
{
  AexCaller *caller = start_caller ();
  BenchGate gate;

  bench_gate_init (&gate);
  bench_tally_reset ();

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    aex_caller_call_direct (caller, count_post, NULL, NULL);
  aex_caller_call_direct (caller, open_gate_post, &gate, NULL);
  bench_gate_wait (&gate);
  bench_stop (run);

  stop_caller (caller);
  bench_gate_clear (&gate);
  bench_expect (run, bench_tally_sum (), run->n, "callbacks");
}

/* With a pending each: variant 0 keeps them all to the end, 1 drops each at once. */
static void
b4_submit (BenchRun *run)
{
  AexCaller *caller = start_caller ();
  AexExecutor *executor = AEX_EXECUTOR (caller);
  g_autofree AexPending **jobs = g_new0 (AexPending *, run->n);
  gboolean keep = run->variant == 0;
  BenchGate gate;

  bench_gate_init (&gate);
  bench_tally_reset ();

  bench_start (run);
  for (guint i = 0; i < run->n; i++)
    {
      jobs[i] = aex_executor_submit (executor, count_job, NULL, NULL);
      if (!keep)
        g_object_unref (jobs[i]);
    }
  aex_caller_call_direct (caller, open_gate_post, &gate, NULL);
  bench_gate_wait (&gate);
  for (guint i = 0; keep && i < run->n; i++)
    g_object_unref (jobs[i]);
  bench_stop (run);

  stop_caller (caller);
  bench_gate_clear (&gate);
  bench_expect (run, bench_tally_sum (), run->n, "jobs");
}

/* ---- B5 ---- */

typedef struct
{
  BenchRun  *run;
  GMainLoop *loop;
  AexCaller *caller;
  guint      left;
} Self;

static gboolean
self_ran (Self *self)
{
  if (--self->left > 0)
    return FALSE;
  bench_stop (self->run);
  g_main_loop_quit (self->loop);
  return TRUE;
}

static gboolean
idle_self_cb (gpointer data)
{
  self_ran (data);
  return G_SOURCE_REMOVE;
}

static gboolean
idle_chain_cb (gpointer data)
{
  if (!self_ran (data))
    g_idle_add (idle_chain_cb, data);
  return G_SOURCE_REMOVE;
}

static gboolean
idle_start (gpointer data)
{
  Self *self = data;

  bench_start (self->run);
  for (guint i = 0; i < self->run->n; i++)
    g_idle_add (idle_self_cb, self);
  return G_SOURCE_REMOVE;
}

static gboolean
idle_chain_start (gpointer data)
{
  Self *self = data;

  bench_start (self->run);
  g_idle_add (idle_chain_cb, self);
  return G_SOURCE_REMOVE;
}

static void
b5_idle (BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Self self = { run, loop, NULL, run->n };

  g_idle_add (run->variant == 0 ? idle_start : idle_chain_start, &self);
  g_main_loop_run (loop);
  bench_expect (run, self.left, 0, "callbacks left");
}

static gboolean
direct_self_cb (gpointer data, GError **error)
{
  self_ran (data);
  return TRUE;
}

static gboolean
direct_chain_cb (gpointer data, GError **error)
{
  Self *self = data;

  if (!self_ran (self))
    aex_caller_call_direct (self->caller, direct_chain_cb, self, NULL);
  return TRUE;
}

static gboolean
direct_start (gpointer data, GError **error)
{
  Self *self = data;

  bench_start (self->run);
  for (guint i = 0; i < self->run->n; i++)
    aex_caller_call_direct (self->caller, direct_self_cb, self, NULL);
  return TRUE;
}

static gboolean
direct_chain_start (gpointer data, GError **error)
{
  Self *self = data;

  bench_start (self->run);
  aex_caller_call_direct (self->caller, direct_chain_cb, self, NULL);
  return TRUE;
}

static void
b5_call_direct (BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  Self self = { run, loop, caller, run->n };

  aex_caller_call_direct (caller, run->variant == 0 ? direct_start : direct_chain_start, &self, NULL);
  g_main_loop_run (loop);
  bench_expect (run, self.left, 0, "callbacks left");
}

const BenchCase bench_loop_cases[] = {
  { "B4", BENCH_OURS, 1000000, b4_call_direct },
  { "B4", "g_main_context_invoke_full", 1000000, b4_invoke },
  { "B4", "g_idle_source", 1000000, b4_idle },
  { "B4p", BENCH_OURS, 1000000, b4_submit, 0 },
  { "B4p-dropped", BENCH_OURS, 1000000, b4_submit, 1 },
  { "B5", BENCH_OURS, 1000000, b5_call_direct, 0 },
  { "B5", "g_idle_add", 1000000, b5_idle, 0 },
  { "B5c", BENCH_OURS, 1000000, b5_call_direct, 1 },
  { "B5c", "g_idle_add", 1000000, b5_idle, 1 },
  { NULL }
};
