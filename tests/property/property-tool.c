/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property-tool.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The part that runs programs, in a process of its own: what crashes or hangs
 * there is seen from outside. */

#define WATCHDOG_SECONDS 10

static char  hang_text[64 * 1024];
static gsize hang_length;

static void
watchdog_barks (int signal_number)
{
  ssize_t written = write (STDERR_FILENO, hang_text, hang_length);

  (void) written;
  _exit (PROP_EXIT_HANG);
}

static void
watch (const PropTool    *self,
       const PropProgram *program)
{
  g_autofree char *text = prop_program_to_text (program);

  /* Not while it is being changed. */
  alarm (0);
  hang_length = (gsize) g_snprintf (hang_text, sizeof hang_text, "\nwatchdog: no end of this program, flavour %d:\n%s", self->flavour, text);
  hang_length = MIN (hang_length, sizeof hang_text - 1);
  alarm ((guint) MAX (1, WATCHDOG_SECONDS * aex_test_time_factor ()));
}

static gboolean
run_one (const PropTool    *self,
         const PropProgram *program,
         PropFigures       *figures)
{
  g_autofree char *violations = NULL;
  int n_jobs = 0;

  watch (self, program);
  violations = prop_run_program (program, self->plant, &n_jobs);
  figures->n_programs++;
  figures->n_steps += prop_program_count (program);
  figures->n_jobs += (guint) n_jobs;
  if (violations == NULL)
    return TRUE;
  printf ("%s", violations);
  return FALSE;
}

static gboolean
run_file (const PropTool *self,
          PropFigures    *figures)
{
  g_autofree PropProgram *program = g_new0 (PropProgram, 1);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_file_get_contents (self->file, &text, NULL, &error) || !prop_program_from_text (program, text, &error))
    {
      g_printerr ("%s\n", error->message);
      return FALSE;
    }
  for (int i = 0; i < MAX (self->repeat, 1); i++)
    {
      if (!run_one (self, program, figures))
        return FALSE;
    }
  return TRUE;
}

static gboolean
run_seeds (const PropTool *self,
           PropFigures    *figures)
{
  g_autofree PropProgram *program = g_new0 (PropProgram, 1);
  gint64 until_us = g_get_monotonic_time () + (gint64) self->seconds * G_USEC_PER_SEC;

  for (guint i = 0; self->seconds > 0 ? g_get_monotonic_time () < until_us : i < (guint) MAX (self->programs, 1); i++)
    {
      guint32 seed = (guint32) self->seed + i;

      /* Read by whoever has to know at which it crashed. */
      printf ("at %u\n", seed);
      fflush (stdout);
      prop_program_random (program, seed, (guint) self->flavour);
      for (int j = 0; j < MAX (self->repeat, 1); j++)
        {
          if (!run_one (self, program, figures))
            return FALSE;
        }
    }
  return TRUE;
}

static void
show (const PropTool *self)
{
  g_autofree PropProgram *program = g_new0 (PropProgram, 1);
  g_autofree char *text = NULL;

  prop_program_random (program, (guint32) self->seed, (guint) self->flavour);
  text = prop_program_to_text (program);
  printf ("%s", text);
}

int
prop_tool_run (const PropTool *self)
{
  struct sigaction action = { .sa_handler = watchdog_barks };
  PropFigures figures = { 0 };
  gboolean ok;

  if (self->print)
    {
      show (self);
      return 0;
    }
  sigaction (SIGALRM, &action, NULL);
  ok = self->file != NULL ? run_file (self, &figures) : run_seeds (self, &figures);
  alarm (0);
  printf ("ran %u programs, %u steps, %u jobs\n", figures.n_programs, figures.n_steps, figures.n_jobs);
  return ok ? 0 : PROP_EXIT_VIOLATED;
}
