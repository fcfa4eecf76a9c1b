/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gtk/gtk.h>

#include "asyncexec.h"

/* F1 with the real thing: a GTK 4 window stays alive while jobs feed themselves on its main context.  What is asserted
 * are events; the number of frames in the time, printed, depends on the machine. */

#define DURATION_MS  500
#define N_EXPECTED   28
#define N_CHAINS     3

typedef struct
{
  AexExecutor *executor;
  GtkWidget   *area;
  gboolean     running;
  guint        n_draws;
  guint        n_ticks;
  guint        n_jobs;
  guint        iteration;           /* of the main context */
  guint        last_job_iteration;
  gboolean     probing;             /* a source at redraw priority is waiting */
  guint        n_slices_of_probe;   /* iterations with jobs since */
  guint        max_slices_of_probe;
  guint        n_probes;
} Frames;

static gboolean
on_probe (gpointer user_data)
{
  Frames *self = user_data;

  self->max_slices_of_probe = MAX (self->max_slices_of_probe, self->n_slices_of_probe);
  self->n_probes++;
  self->probing = FALSE;
  return G_SOURCE_REMOVE;
}

static void
note_slice (Frames *self)
{
  if (self->last_job_iteration == self->iteration)
    return;
  self->last_job_iteration = self->iteration;
  if (self->probing)
    {
      self->n_slices_of_probe++;
      return;
    }
  self->probing = TRUE;
  self->n_slices_of_probe = 1;
  g_idle_add_full (GDK_PRIORITY_REDRAW, on_probe, self, NULL);
}

static gboolean
job_again (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  Frames *self = user_data;

  self->n_jobs++;
  note_slice (self);
  if (self->running)
    g_object_unref (aex_executor_submit (self->executor, job_again, self, NULL));
  return TRUE;
}

/* --- how often the main context went round */
typedef struct
{
  GSource source;
  Frames *frames;
} CountSource;

static gboolean
count_prepare (GSource *source,
               int     *timeout)
{
  ((CountSource *) source)->frames->iteration++;
  *timeout = -1;
  return FALSE;
}

static GSourceFuncs count_funcs = {
  .prepare = count_prepare,
};

static GSource *
count_source_attach (Frames *frames)
{
  GSource *source = g_source_new (&count_funcs, sizeof (CountSource));

  ((CountSource *) source)->frames = frames;
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_attach (source, NULL);
  return source;
}

/* --- the window */
static void
on_draw (GtkDrawingArea *area,
         cairo_t        *cr,
         int             width,
         int             height,
         gpointer        user_data)
{
  Frames *self = user_data;

  self->n_draws++;
  cairo_set_source_rgb (cr, (self->n_draws % 10) / 10.0, 0.5, 0.5);
  cairo_paint (cr);
}

static gboolean
on_tick (GtkWidget     *area,
         GdkFrameClock *clock,
         gpointer       user_data)
{
  Frames *self = user_data;

  self->n_ticks++;
  gtk_widget_queue_draw (area);
  return G_SOURCE_CONTINUE;
}

static GtkWidget *
open_window (Frames *self)
{
  GtkWidget *window = gtk_window_new ();

  self->area = gtk_drawing_area_new ();
  gtk_drawing_area_set_draw_func (GTK_DRAWING_AREA (self->area), on_draw, self, NULL);
  gtk_widget_add_tick_callback (self->area, on_tick, self, NULL);
  gtk_window_set_default_size (GTK_WINDOW (window), 200, 200);
  gtk_window_set_child (GTK_WINDOW (window), self->area);
  gtk_window_present (GTK_WINDOW (window));
  while (self->n_draws < 2)
    g_main_context_iteration (NULL, TRUE);
  return window;
}

static gboolean
on_time_over (gpointer user_data)
{
  ((Frames *) user_data)->running = FALSE;
  return G_SOURCE_REMOVE;
}

static void
run_for (Frames *self,
         guint   n_chains)
{
  self->running = TRUE;
  self->n_draws = self->n_ticks = self->n_jobs = 0;
  for (guint i = 0; i < n_chains; i++)
    g_object_unref (aex_executor_submit (self->executor, job_again, self, NULL));
  g_timeout_add (DURATION_MS, on_time_over, self);
  while (self->running)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_window_stays_alive (void)
{
  Frames self = { 0 };
  g_autoptr (AexExecutor) executor = NULL;
  g_autoptr (GSource) counter = NULL;
  GtkWidget *window;
  guint idle_draws;

  if (!gtk_init_check ())
    {
      g_test_skip ("NOT RUN: no display");
      return;
    }
  executor = AEX_EXECUTOR (aex_caller_ref_main ());
  self.executor = executor;
  counter = count_source_attach (&self);
  window = open_window (&self);
  run_for (&self, 0);
  idle_draws = self.n_draws;
  run_for (&self, N_CHAINS);
  g_test_message ("F1: %u frames in %d ms with %u jobs, %u without any (%d of 30 expected)",
                  self.n_draws, DURATION_MS, self.n_jobs, idle_draws, N_EXPECTED);
  g_print ("# F1 frames=%u idle=%u jobs=%u expected=%d\n", self.n_draws, idle_draws, self.n_jobs, N_EXPECTED);
  g_assert_cmpuint (self.n_jobs, >, 0);
  g_assert_cmpuint (self.n_draws, >, 0);
  g_assert_cmpuint (self.n_probes, >, 0);
  /* The one in which the frame became due, and one more if a frame took 50 ms. */
  g_assert_cmpuint (self.max_slices_of_probe, <=, 2);
  g_source_destroy (counter);
  gtk_window_destroy (GTK_WINDOW (window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* What a desktop would have and a machine of a build farm has not makes GTK warn. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/gtk/F1/window-stays-alive", test_window_stays_alive);
  return g_test_run ();
}
