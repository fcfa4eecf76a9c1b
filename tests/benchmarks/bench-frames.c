/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* F1: how many frames of a window are drawn while work feeds itself on its
 * main context.  A source stands for the frame clock: at GTK's priority of
 * redraws, due 60 times a second; a frame that comes late is not made up for. */
#include <asyncexec.h>

#include "bench.h"

#define PRIORITY_REDRAW (G_PRIORITY_HIGH_IDLE + 20)     /* GDK_PRIORITY_REDRAW */
#define FRAME_US        (G_USEC_PER_SEC / 60)
#define N_CHAINS        3

typedef struct
{
  BenchRun    *run;
  GMainLoop   *loop;
  AexExecutor *executor;
  int          priority;        /* of idle functions */
  gint64       end_us;
  gboolean     running;
  guint        n_left;          /* chains */
  guint64      n_done;
} Frames;

typedef struct
{
  GSource source;
  Frames *frames;
  gint64  next_us;
} FrameSource;

static gboolean
frame_dispatch (GSource *source, GSourceFunc func, gpointer data)
{
  FrameSource *self = (FrameSource *) source;
  gint64 now = g_get_monotonic_time ();

  self->frames->run->extras[BENCH_FRAMES]++;
  while (self->next_us <= now)
    self->next_us += FRAME_US;
  g_source_set_ready_time (source, self->next_us);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs frame_funcs = { .dispatch = frame_dispatch };

static GSource *
frame_source_attach (Frames *frames)
{
  GSource *source = g_source_new (&frame_funcs, sizeof (FrameSource));
  FrameSource *self = (FrameSource *) source;

  self->frames = frames;
  self->next_us = g_get_monotonic_time () + FRAME_US;
  g_source_set_priority (source, PRIORITY_REDRAW);
  g_source_set_ready_time (source, self->next_us);
  g_source_attach (source, NULL);
  return source;
}

/* TRUE: go on. */
static gboolean
step (Frames *self)
{
  self->n_done++;
  if (self->running && g_get_monotonic_time () >= self->end_us)
    {
      self->running = FALSE;
      bench_stop (self->run);
    }
  if (self->running)
    return TRUE;
  if (--self->n_left == 0)
    g_main_loop_quit (self->loop);
  return FALSE;
}

static gboolean
job_again (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  Frames *self = data;

  if (step (self))
    g_object_unref (aex_executor_submit (self->executor, job_again, self, NULL));
  return TRUE;
}

static gboolean
idle_again (gpointer data)
{
  return step (data) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
frames_run (Frames *self, BenchRun *run)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GSource *source = frame_source_attach (self);

  self->run = run;
  self->loop = loop;
  self->n_left = N_CHAINS;
  self->running = TRUE;
  self->end_us = g_get_monotonic_time () + run->n * FRAME_US;
  for (guint i = 0; i < N_CHAINS; i++)
    {
      if (self->executor != NULL)
        g_object_unref (aex_executor_submit (self->executor, job_again, self, NULL));
      else
        g_idle_add_full (self->priority, idle_again, self, NULL);
    }
  bench_start (run);
  g_main_loop_run (loop);
  g_source_destroy (source);
  g_source_unref (source);
  bench_expect (run, self->n_left, 0, "chains left");
  bench_expect (run, self->n_done > N_CHAINS, TRUE, "work beside the frames");
}

static void
f1_ours (BenchRun *run)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  Frames self = { .executor = AEX_EXECUTOR (caller) };

  frames_run (&self, run);
}

static void
f1_idle (BenchRun *run)
{
  Frames self = { .priority = (int) run->variant };

  frames_run (&self, run);
}

const BenchCase bench_frame_cases[] = {
  { "F1", BENCH_OURS, 30, f1_ours },
  { "F1", "g_idle_add", 30, f1_idle, G_PRIORITY_DEFAULT_IDLE },
  { "F1", "g_idle_add-default", 30, f1_idle, G_PRIORITY_DEFAULT },
  { NULL }
};
