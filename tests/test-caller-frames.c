/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* A caller on a GTK main context: work that never ends leaves room for frames.  All in virtual time: each job and each
 * redraw takes as long as the clock is moved by it. */

#define SLICE_US         2000
#define STARVED_US       50000
#define JOB_US           100
#define FRAME_US         16667
#define REDRAW_PRIORITY  120      /* GDK_PRIORITY_REDRAW */

typedef struct
{
  AexExecutor *executor;
  gint64       start_us;
  gint64       stop_us;           /* jobs resubmit themselves until then */
  gint64       due_us;            /* when the next frame is due; 0: always */
  gint64       redraw_us;         /* what a redraw takes */
  guint        n_redraws;
  guint        n_jobs;
  gint64       work_since_redraw_us;
  gint64       work_while_due_us; /* since the frame was due */
  gint64       max_work_while_due_us;
  guint        n_redraws_in_a_row;
  guint        max_redraws_in_a_row;
  guint        n_slices;          /* runs of jobs between redraws */
} Frames;

/* --- the work */
static gboolean
job_work (AexPending   *job,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  Frames *self = user_data;

  if (self->work_since_redraw_us == 0)
    self->n_slices++;
  self->n_redraws_in_a_row = 0;
  self->n_jobs++;
  if (self->due_us <= aex_clock_now ())
    self->work_while_due_us += JOB_US;
  self->work_since_redraw_us += JOB_US;
  self->max_work_while_due_us = MAX (self->max_work_while_due_us, self->work_while_due_us);
  aex_clock_advance (JOB_US);
  if (aex_clock_now () < self->stop_us)
    g_object_unref (aex_executor_submit (self->executor, job_work, self, NULL));
  return TRUE;
}

/* --- GTK's part: a source that is ready when a frame is due */
typedef struct
{
  GSource source;
  Frames *frames;
} RedrawSource;

static gboolean
redraw_prepare (GSource *source,
                int     *timeout)
{
  Frames *self = ((RedrawSource *) source)->frames;

  *timeout = -1;
  return aex_clock_now () < self->stop_us && self->due_us <= aex_clock_now ();
}

static gboolean
redraw_check (GSource *source)
{
  int timeout;

  return redraw_prepare (source, &timeout);
}

static gboolean
redraw_dispatch (GSource    *source,
                 GSourceFunc callback,
                 gpointer    user_data)
{
  Frames *self = ((RedrawSource *) source)->frames;

  self->n_redraws++;
  self->n_redraws_in_a_row++;
  self->max_redraws_in_a_row = MAX (self->max_redraws_in_a_row, self->n_redraws_in_a_row);
  self->work_since_redraw_us = 0;
  self->work_while_due_us = 0;
  if (self->due_us > 0)
    self->due_us = self->start_us + ((aex_clock_now () - self->start_us) / FRAME_US + 1) * FRAME_US;
  aex_clock_advance (self->redraw_us);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs redraw_funcs = {
  .prepare = redraw_prepare,
  .check = redraw_check,
  .dispatch = redraw_dispatch,
};

static gboolean
time_is_over (gpointer user_data)
{
  Frames *self = user_data;

  return aex_clock_now () >= self->stop_us;
}

static void
frames_run (Frames      *self,
            AexExecutor *executor,
            gint64       duration_us,
            guint        n_jobs)
{
  GSource *source;

  self->executor = executor;
  self->start_us = aex_clock_now ();
  self->stop_us = self->start_us + duration_us;
  if (self->due_us > 0)
    self->due_us = self->start_us + FRAME_US;
  source = g_source_new (&redraw_funcs, sizeof (RedrawSource));
  ((RedrawSource *) source)->frames = self;
  g_source_set_priority (source, REDRAW_PRIORITY);
  g_source_attach (source, aex_caller_get_context (AEX_CALLER (executor)));
  for (guint i = 0; i < n_jobs; i++)
    g_object_unref (aex_executor_submit (executor, job_work, self, NULL));
  while (!time_is_over (self))
    g_main_context_iteration (aex_caller_get_context (AEX_CALLER (executor)), FALSE);
  g_source_destroy (source);
  g_source_unref (source);
  aex_test_drain ();
}

static void
frames_setup (AexExecutor **executor)
{
  aex_test_virtual_time ();
  *executor = AEX_EXECUTOR (aex_caller_ref_main ());
  aex_test_drain ();
}

/* F1: 500 ms of work that feeds itself, one redraw due every 16.7 ms. */
static void
test_sixty_frames (void)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .due_us = 1, .redraw_us = 1000 };

  frames_setup (&executor);
  frames_run (&frames, executor, 500 * 1000, 3);
  g_test_message ("%u redraws of 30, %u jobs, worst delay of a frame %" G_GINT64_FORMAT " us",
                  frames.n_redraws, frames.n_jobs, frames.max_work_while_due_us);
  g_assert_cmpuint (frames.n_redraws, >=, 28);
  g_assert_cmpint (frames.max_work_while_due_us, <=, SLICE_US + JOB_US);
  /* And the work goes on: all the time that redraws leave. */
  g_assert_cmpuint (frames.n_jobs, >=, (500 - 31) * 1000 / JOB_US * 9 / 10);
}

/* There is always something to redraw: between two of them at most one slice. */
static void
test_one_slice_between_redraws (void)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .redraw_us = 1000 };

  frames_setup (&executor);
  frames_run (&frames, executor, 1000 * 1000, 1);
  g_assert_cmpint (frames.max_work_while_due_us, <=, SLICE_US + JOB_US);
  g_assert_cmpuint (frames.n_slices, >, 1);
}

/* And the caller is not starved: after 50 ms without a dispatch it gets one slice. */
static void
check_not_starved (gint64 redraw_us)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .redraw_us = redraw_us };
  gint64 period_us = STARVED_US + redraw_us + SLICE_US + JOB_US;

  frames_setup (&executor);
  frames_run (&frames, executor, 1000 * 1000, 1);
  g_assert_cmpuint (frames.n_slices, >=, (guint) (1000 * 1000 / period_us));
  g_assert_cmpuint (frames.max_redraws_in_a_row, <=, (guint) (STARVED_US / redraw_us + 1));
  g_assert_cmpuint (frames.max_redraws_in_a_row, >=, (guint) (STARVED_US / redraw_us - 1));
  /* One slice each time, no more. */
  g_assert_cmpuint (frames.n_jobs, <=, (frames.n_slices + 1) * (SLICE_US / JOB_US + 1));
  g_assert_cmpuint (frames.n_jobs, >=, (frames.n_slices - 1) * (SLICE_US / JOB_US));
}

static void
test_not_starved (void)
{
  check_not_starved (1000);
  check_not_starved (10000);
}

/* A short burst is no reason to step back: what follows comes at default priority. */
static void
test_short_work_stays (void)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .redraw_us = 1000 };

  frames_setup (&executor);
  frames.executor = executor;
  for (guint round = 0; round < 20; round++)
    {
      GSource *source = g_source_new (&redraw_funcs, sizeof (RedrawSource));
      g_autoptr (AexPending) job = NULL;

      ((RedrawSource *) source)->frames = &frames;
      g_source_set_priority (source, REDRAW_PRIORITY);
      frames.n_redraws = 0;
      frames.stop_us = G_MAXINT64;
      g_source_attach (source, NULL);
      job = aex_executor_submit (executor, aex_job_int, GINT_TO_POINTER (1), NULL);
      while (!aex_pending_is_done (job))
        g_main_context_iteration (NULL, FALSE);
      g_assert_cmpuint (frames.n_redraws, ==, 0);
      g_source_destroy (source);
      g_source_unref (source);
      aex_test_drain ();
    }
}

/* One long job is not interrupted, but counts as the slice. */
static gboolean
job_long (AexPending   *job,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  Frames *self = user_data;

  self->n_jobs++;
  self->n_redraws_in_a_row = 0;
  aex_clock_advance (3 * SLICE_US);
  if (aex_clock_now () < self->stop_us)
    g_object_unref (aex_executor_submit (self->executor, job_long, self, NULL));
  return TRUE;
}

static void
test_long_job_is_a_slice (void)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .redraw_us = 1000 };

  frames_setup (&executor);
  frames.executor = executor;
  frames.stop_us = aex_clock_now () + 500 * 1000;
  g_object_unref (aex_executor_submit (executor, job_long, &frames, NULL));
  {
    GSource *source = g_source_new (&redraw_funcs, sizeof (RedrawSource));

    ((RedrawSource *) source)->frames = &frames;
    g_source_set_priority (source, REDRAW_PRIORITY);
    g_source_attach (source, NULL);
    while (!time_is_over (&frames))
      g_main_context_iteration (NULL, FALSE);
    g_source_destroy (source);
    g_source_unref (source);
  }
  aex_test_drain ();
  g_assert_cmpuint (frames.n_jobs, >=, 500 / 60);
  /* 50 ms of redraws after each of them. */
  g_assert_cmpuint (frames.n_redraws, >=, (frames.n_jobs - 1) * 40);
}

/* Long jobs behind many short ones: the slice is still measured. */
static gboolean
job_one_millisecond (AexPending   *job,
                     GCancellable *cancellable,
                     gpointer      user_data,
                     GError      **error)
{
  Frames *self = user_data;

  self->n_jobs++;
  self->work_while_due_us += 1000;
  self->max_work_while_due_us = MAX (self->max_work_while_due_us, self->work_while_due_us);
  aex_clock_advance (1000);
  return TRUE;
}

static void
test_long_behind_short (void)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .redraw_us = 1000 };
  GSource *source;

  frames_setup (&executor);
  frames.stop_us = aex_clock_now () + 10 * G_USEC_PER_SEC;
  for (guint i = 0; i < 1000; i++)
    g_object_unref (aex_executor_submit (executor, aex_job_int, NULL, NULL));
  for (guint i = 0; i < 200; i++)
    g_object_unref (aex_executor_submit (executor, job_one_millisecond, &frames, NULL));
  source = g_source_new (&redraw_funcs, sizeof (RedrawSource));
  ((RedrawSource *) source)->frames = &frames;
  g_source_set_priority (source, REDRAW_PRIORITY);
  g_source_attach (source, NULL);
  while (frames.n_jobs < 200 && !time_is_over (&frames))
    g_main_context_iteration (NULL, FALSE);
  g_source_destroy (source);
  g_source_unref (source);
  aex_test_drain ();
  g_assert_cmpuint (frames.n_jobs, ==, 200);
  /* Looked at after every fourth entry. */
  g_assert_cmpint (frames.max_work_while_due_us, <=, SLICE_US + 4 * 1000);
}

/* Without anything below it, stepping back costs no work. */
static void
test_alone (void)
{
  g_autoptr (AexExecutor) executor = NULL;
  Frames frames = { .due_us = G_MAXINT64 / 2 };

  frames_setup (&executor);
  frames.executor = executor;
  frames.stop_us = aex_clock_now () + 100 * 1000;
  g_object_unref (aex_executor_submit (executor, job_work, &frames, NULL));
  while (!time_is_over (&frames))
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (frames.n_jobs, ==, 100 * 1000 / JOB_US);
  aex_test_drain ();
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/frames/F1/sixty", test_sixty_frames);
  aex_test_add ("/frames/slice/one-between-redraws", test_one_slice_between_redraws);
  aex_test_add ("/frames/slice/not-starved", test_not_starved);
  aex_test_add ("/frames/slice/short-work-stays", test_short_work_stays);
  aex_test_add ("/frames/slice/long-job", test_long_job_is_a_slice);
  aex_test_add ("/frames/slice/long-behind-short", test_long_behind_short);
  aex_test_add ("/frames/slice/alone", test_alone);
  return aex_test_run ();
}
