/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* P1, P2, B9: what a program in Python measures of itself. */

#include "bench.h"

#include <gio/gio.h>
#include <string.h>

/* "row=P1 peer=… n=… …", as bench_python.py prints. */
static BenchResult *
parse_line (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  BenchResult *self = g_new0 (BenchResult, 1);
  guint n = 0, n_extras = 0;

  for (char **word = words; *word != NULL; word++)
    {
      char *value = strchr (*word, '=');

      if (value == NULL)
        continue;
      *value++ = '\0';
      n++;
      if (g_str_equal (*word, "row"))
        self->row = g_strdup (value);
      else if (g_str_equal (*word, "peer"))
        self->peer = g_strdup (value);
      else if (g_str_equal (*word, "n"))
        self->n = (guint) g_ascii_strtoull (value, NULL, 10);
      else if (g_str_equal (*word, "reps"))
        self->reps = (guint) g_ascii_strtoull (value, NULL, 10);
      else if (g_str_equal (*word, "median_ns"))
        self->median_ns = g_ascii_strtod (value, NULL);
      else if (g_str_equal (*word, "min_ns"))
        self->min_ns = g_ascii_strtod (value, NULL);
      else if (g_str_equal (*word, "max_ns"))
        self->max_ns = g_ascii_strtod (value, NULL);
      else if (g_str_equal (*word, "cpu_ns"))
        self->cpu_ns = g_ascii_strtod (value, NULL);
      else if (g_str_equal (*word, "rss_kb"))
        self->rss_kb = g_ascii_strtoll (value, NULL, 10);
      for (guint i = 0; i < BENCH_N_EXTRAS; i++)
        if (g_str_equal (*word, bench_extra_names[i]))
          {
            self->extras[i] = g_ascii_strtod (value, NULL);
            n_extras++;
          }
    }
  if (n != 9 + n_extras || self->row == NULL || self->peer == NULL)
    g_clear_pointer (&self, bench_result_free);
  return self;
}

#define THREADS "ThreadPoolExecutor"

/* Who is measured beside us, or, of a row that is measured here otherwise, instead. */
static const struct { const char *row, *theirs; gboolean ours; } rows[] = {
  { "P1", THREADS, TRUE },
  { "P1-none", THREADS, TRUE },
  { "P1-list", THREADS, TRUE },
  { "P1-post", THREADS, TRUE },
  { "P2", THREADS, TRUE },
  { "P2-await", THREADS, TRUE },
  { "P2-gather", THREADS, TRUE },
  { "B9", "asyncio", FALSE },
};

static GSubprocess *
start_script (BenchFilter wanted, guint reps, gboolean quick, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (arguments, g_strdup (BENCH_PYTHON));
  g_ptr_array_add (arguments, g_strdup (BENCH_SCRIPT));
  g_ptr_array_add (arguments, g_strdup_printf ("--reps=%u", reps));
  if (quick)
    g_ptr_array_add (arguments, g_strdup ("--quick"));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if ((rows[i].ours && wanted (rows[i].row, BENCH_OURS)) || wanted (rows[i].row, rows[i].theirs))
      g_ptr_array_add (arguments, g_strdup (rows[i].row));
  if (arguments->len == (quick ? 4 : 3))
    return NULL;
  g_ptr_array_add (arguments, NULL);
  g_subprocess_launcher_setenv (launcher, "GI_TYPELIB_PATH", BENCH_LIBRARY, TRUE);
  g_subprocess_launcher_setenv (launcher, "LD_LIBRARY_PATH", BENCH_LIBRARY, TRUE);
  g_subprocess_launcher_setenv (launcher, "PYTHONPATH", BENCH_OVERRIDES, TRUE);
  g_subprocess_launcher_setenv (launcher, "PYTHONDONTWRITEBYTECODE", "1", TRUE);
  return g_subprocess_launcher_spawnv (launcher, (const char * const *) arguments->pdata, error);
}

gboolean
bench_script_run (BenchFilter wanted, guint reps, gboolean quick, BenchAdd add)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) process = start_script (wanted, reps, quick, &error);
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;

  if (process == NULL && error == NULL)
    return TRUE;
  if (process == NULL || !g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, &error)
      || !g_subprocess_wait_check (process, NULL, &error))
    {
      g_printerr ("%s: %s\n", BENCH_SCRIPT, error->message);
      return FALSE;
    }
  lines = g_strsplit (output, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      BenchResult *result = **line != '\0' ? parse_line (*line) : NULL;

      if (result != NULL)
        add (result);
      else if (**line != '\0')
        g_printerr ("%s: %s\n", BENCH_SCRIPT, *line);
    }
  return TRUE;
}
