/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property-tool.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often a candidate is run: what depends on a race fails only sometimes. */
#define REPEAT_TO_CONFIRM 100
#define REPEAT 30

#define SHRINK_SECONDS 60

static char *self_path;

void
prop_child_init (const char *program)
{
  self_path = g_file_read_link ("/proc/self/exe", NULL);
  if (self_path == NULL)
    self_path = g_strdup (program);
}

static GPtrArray *
arguments_new (const PropTool *tool)
{
  GPtrArray *arguments = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (arguments, g_strdup (self_path));
  g_ptr_array_add (arguments, g_strdup_printf ("--flavour=%d", tool->flavour));
  g_ptr_array_add (arguments, g_strdup_printf ("--repeat=%d", tool->repeat));
  if (tool->file != NULL)
    g_ptr_array_add (arguments, g_strdup_printf ("--program=%s", tool->file));
  else
    {
      g_ptr_array_add (arguments, g_strdup_printf ("--seed=%" G_GINT64_FORMAT, tool->seed));
      g_ptr_array_add (arguments, g_strdup_printf ("--programs=%d", tool->programs));
      g_ptr_array_add (arguments, g_strdup_printf ("--seconds=%d", tool->seconds));
    }
  if (tool->plant != NULL)
    g_ptr_array_add (arguments, g_strdup_printf ("--plant=%s", tool->plant));
  g_ptr_array_add (arguments, NULL);
  return arguments;
}

/* The first line that begins with an "I" and a number says what was violated. */
static char *
read_violation (const char *output)
{
  g_auto (GStrv) lines = g_strsplit (output, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (lines[i][0] == 'I' && g_ascii_isdigit (lines[i][1]) && strchr (lines[i], ':') != NULL)
        return g_strndup (lines[i], (gsize) (strchr (lines[i], ':') - lines[i]));
    }
  return g_strdup ("violation");
}

static void
read_figures (const char  *output,
              PropFigures *figures)
{
  const char *at = strstr (output, "ran ");
  PropFigures found;

  if (at == NULL || sscanf (at, "ran %u programs, %u steps, %u jobs", &found.n_programs, &found.n_steps, &found.n_jobs) != 3)
    return;
  figures->n_programs += found.n_programs;
  figures->n_steps += found.n_steps;
  figures->n_jobs += found.n_jobs;
}

char *
prop_child_run (const PropTool *tool,
                gboolean        in_a_hurry,
                PropFigures    *figures,
                char          **output)
{
  g_autoptr (GPtrArray) arguments = arguments_new (tool);
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *factor = g_strdup_printf ("%f", aex_test_time_factor () / 5);
  g_autofree char *text = NULL;
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (in_a_hurry)
    environment = g_environ_setenv (environment, "AEX_TEST_TIME_FACTOR", factor, TRUE);
  g_spawn_sync (NULL, (char **) arguments->pdata, environment, G_SPAWN_DEFAULT, NULL, NULL, &text, &errors, &status, &error);
  g_assert_no_error (error);
  if (!in_a_hurry && *errors != '\0')
    g_printerr ("%s", errors);
  if (figures != NULL)
    read_figures (text, figures);
  if (output != NULL)
    *output = g_strdup (text);
  if (WIFEXITED (status) && WEXITSTATUS (status) == 0)
    return NULL;
  if (WIFEXITED (status) && WEXITSTATUS (status) == PROP_EXIT_VIOLATED)
    return read_violation (text);
  return g_strdup (WIFEXITED (status) && WEXITSTATUS (status) == PROP_EXIT_HANG ? "hang" : "crash");
}

/* --- shrinking */

typedef struct {
  const PropTool *tool;
  const char     *how;
  int             repeat;
} Candidate;

static char *
write_program (const PropProgram *program)
{
  g_autofree char *text = prop_program_to_text (program);
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("aex-property-XXXXXX", &path, &error);

  g_assert_no_error (error);
  close (fd);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

/* In the same way. */
static gboolean
candidate_fails (const PropProgram *program,
                 gpointer           data)
{
  Candidate *self = data;
  g_autofree char *path = write_program (program);
  PropTool tool = { .seed = -1, .flavour = self->tool->flavour, .repeat = self->repeat, .file = path, .plant = self->tool->plant };
  g_autofree char *how = prop_child_run (&tool, TRUE, NULL, NULL);

  g_unlink (path);
  return g_strcmp0 (how, self->how) == 0;
}

/* The seed that the child was at when it failed. */
static guint32
read_seed (const char *output)
{
  const char *at = g_strrstr (output, "at ");

  return at != NULL ? (guint32) g_ascii_strtoull (at + 3, NULL, 10) : 0;
}

static gboolean
read_program (const char  *path,
              PropProgram *program)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && prop_program_from_text (program, text, NULL);
}

/* FALSE: it does not fail again; smallest is the whole program. */
gboolean
prop_find_smallest (const PropTool *tool,
                    const char     *output,
                    const char     *how,
                    PropProgram    *smallest)
{
  /* What was planted is no race. */
  Candidate candidate = { tool, how, tool->plant != NULL ? 1 : REPEAT_TO_CONFIRM };
  gint64 until_us = g_get_monotonic_time () + (gint64) (SHRINK_SECONDS * G_USEC_PER_SEC * aex_test_time_factor () / 2);

  if (tool->file == NULL)
    prop_program_random (smallest, read_seed (output), (guint) tool->flavour);
  else if (!read_program (tool->file, smallest))
    return FALSE;
  if (!candidate_fails (smallest, &candidate))
    return FALSE;
  candidate.repeat = MIN (candidate.repeat, REPEAT);
  prop_shrink (smallest, candidate_fails, &candidate, until_us);
  return TRUE;
}
