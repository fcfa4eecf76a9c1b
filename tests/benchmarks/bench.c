/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the library costs, beside what GLib costs, in the same process and the
 * same minute.  Absolute figures move with the machine; compare the peers of a
 * row with each other.  Ours and theirs take turns within each repetition. */

#include "bench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REPS 5
#define MAX_REPS 101

static char **opt_rows;
static char **opt_peers;
static int opt_reps = DEFAULT_REPS;
static gboolean opt_quick;
static gboolean opt_json;
static gboolean opt_list;
static gboolean opt_bars;
static char *opt_child;

static const GOptionEntry entries[] = {
  { "rows", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &opt_rows, "Only these rows (B1h,B2 …; may be repeated)", "ROWS" },
  { "peer", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &opt_peers, "Only these peers (asyncexec,GTask …)", "PEERS" },
  { "reps", 'n', 0, G_OPTION_ARG_INT, &opt_reps, "Repetitions (default 5)", "N" },
  { "quick", 'q', 0, G_OPTION_ARG_NONE, &opt_quick, "A tenth of the work", NULL },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &opt_json, "One JSON object a line", NULL },
  { "list", 'l', 0, G_OPTION_ARG_NONE, &opt_list, "List rows and peers", NULL },
  { "bars", 'b', 0, G_OPTION_ARG_NONE, &opt_bars, "Compare with the bars at the end; exit with 1 if one is missed", NULL },
  { "child", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &opt_child, NULL, NULL },
  G_OPTION_ENTRY_NULL
};

typedef struct
{
  const BenchCase *which;
  guint  n;
  guint  reps;
  gint64 wall[MAX_REPS];        /* each repetition, in ns for one operation times 1000 */
  gint64 cpu[MAX_REPS];
  double bytes[MAX_REPS];
  gint64 rss_kb;                /* the highest of all repetitions */
} Measured;

/* ---- one repetition ---- */

/* What an earlier row left behind is not ours. */
static void
reset_peak_rss (void)
{
  FILE *file;

  malloc_trim (0);
  file = fopen ("/proc/self/clear_refs", "w");
  if (file == NULL)
    return;
  fputs ("5", file);
  fclose (file);
}

static gint64
read_peak_rss_kb (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  line = strstr (text, "VmHWM:");
  return line != NULL ? g_ascii_strtoll (line + strlen ("VmHWM:"), NULL, 10) : 0;
}

typedef struct
{
  gint64 wall_ns;
  gint64 cpu_ns;
  gint64 rss_kb;
  double bytes;
} Sample;

static gboolean
run_here (const BenchCase *which, guint n, Sample *sample)
{
  BenchRun run = { .n = n, .variant = which->variant };

  reset_peak_rss ();
  which->func (&run);
  *sample = (Sample) { run.wall_ns, run.cpu_ns, read_peak_rss_kb (), run.bytes };
  return !run.failed;
}

/* The child prints four numbers. */
static gboolean
run_fresh (const BenchCase *which, Sample *sample)
{
  g_autofree char *name = g_strdup_printf ("%s %s", which->row, which->peer);
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  const char *argv[] = { "/proc/self/exe", "--child", name, opt_quick ? "--quick" : NULL, NULL };
  g_auto (GStrv) setting = g_strsplit (which->fresh, "=", 2);
  g_auto (GStrv) environment = g_get_environ ();
  g_auto (GStrv) words = NULL;
  int status;

  if (g_strv_length (setting) == 2)
    environment = g_environ_setenv (environment, setting[0], setting[1], TRUE);
  if (!g_spawn_sync (NULL, (char **) argv, environment, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, &output, NULL, &status, &error) ||
      !g_spawn_check_wait_status (status, &error))
    {
      g_printerr ("%s: %s\n", name, error->message);
      return FALSE;
    }
  words = g_strsplit (g_strchomp (output), " ", -1);
  if (g_strv_length (words) != 4)
    return FALSE;
  sample->wall_ns = g_ascii_strtoll (words[0], NULL, 10);
  sample->cpu_ns = g_ascii_strtoll (words[1], NULL, 10);
  sample->rss_kb = g_ascii_strtoll (words[2], NULL, 10);
  sample->bytes = g_ascii_strtod (words[3], NULL);
  return TRUE;
}

/* ---- choosing ---- */

static gboolean
is_listed (char **lists, const char *name)
{
  if (lists == NULL)
    return TRUE;
  for (guint i = 0; lists[i] != NULL; i++)
    {
      g_auto (GStrv) names = g_strsplit (lists[i], ",", -1);

      if (g_strv_contains ((const char * const *) names, name))
        return TRUE;
    }
  return FALSE;
}

/* The peers of a row stay together. */
static GPtrArray *
choose_cases (void)
{
  const BenchCase *tables[] = { bench_pool_cases, bench_loop_cases, bench_size_cases };
  GPtrArray *cases = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const BenchCase *which = tables[i]; which->row != NULL; which++)
      if (is_listed (opt_rows, which->row) && is_listed (opt_peers, which->peer))
        g_ptr_array_add (cases, (gpointer) which);
  return cases;
}

static guint
case_size (const BenchCase *which)
{
  return opt_quick ? MAX (which->n / 10, 1) : which->n;
}

/* ---- printing ---- */

static int
compare_int64 (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static int
compare_double (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static void
finish (Measured *self)
{
  qsort (self->wall, self->reps, sizeof (gint64), compare_int64);
  qsort (self->cpu, self->reps, sizeof (gint64), compare_int64);
  qsort (self->bytes, self->reps, sizeof (double), compare_double);
}

static double
per_op (gint64 milli_ns)
{
  return milli_ns / 1000.0;
}

static double
median_ns (const Measured *self)
{
  return per_op (self->wall[self->reps / 2]);
}

static void
print_measured (const Measured *self)
{
  double bytes = self->bytes[self->reps / 2];

  if (opt_json)
    g_print ("{\"row\":\"%s\",\"peer\":\"%s\",\"n\":%u,\"reps\":%u,\"median_ns\":%.1f,\"min_ns\":%.1f,"
             "\"max_ns\":%.1f,\"cpu_ns\":%.1f,\"rss_kb\":%" G_GINT64_FORMAT,
             self->which->row, self->which->peer, self->n, self->reps, median_ns (self), per_op (self->wall[0]),
             per_op (self->wall[self->reps - 1]), per_op (self->cpu[self->reps / 2]), self->rss_kb);
  else
    g_print ("%s %s n=%u reps=%u median_ns=%.1f min_ns=%.1f max_ns=%.1f cpu_ns=%.1f rss_kb=%" G_GINT64_FORMAT,
             self->which->row, self->which->peer, self->n, self->reps, median_ns (self), per_op (self->wall[0]),
             per_op (self->wall[self->reps - 1]), per_op (self->cpu[self->reps / 2]), self->rss_kb);
  if (bytes > 0)
    g_print (opt_json ? ",\"bytes\":%.1f" : " bytes=%.1f", bytes);
  g_print (opt_json ? "}\n" : "\n");
}

/* ---- the bars ---- */

/* Ours must take at most `at_most` ns (bytes, for B8), or at most `ratio` times
 * what the peer takes; with `cpu`, of processor time. */
typedef struct
{
  const char *row;
  const char *peer;
  double      limit;
  gboolean    cpu;
} Bar;

static const Bar bars[] = {
  { "B1h", NULL, 280 },
  { "B1h", "GTask", 1 / 6.0 },
  { "B1h", "GThreadPool", 1 / 1.5 },
  { "B1n", NULL, 45 },
  { "B1n", "GThreadPool", 1 / 4.0 },
  { "B2", NULL, 400 },
  { "B2", "GTask", 1, TRUE },
  { "B2-noclaim", "GTask", 1 / 2.0 },
  { "B2-noclaim", "GTask", 1, TRUE },
  { "B2-nospin", "GTask", 1.2 },
  { "B3", "GTask", 1 / 10.0 },
  { "B3-nospin", "GTask", 1.2 },
  { "B4", NULL, 70 },
  { "B4", "g_main_context_invoke_full", 1 / 12.0 },
  { "B4p", NULL, 330 },
  { "B5", NULL, 35 },
  { "B5c", NULL, 60 },
  { "B8", NULL, 104 },
};

static const Measured *
find_measured (GPtrArray *all, const char *row, const char *peer)
{
  for (guint i = 0; i < all->len; i++)
    {
      const Measured *self = all->pdata[i];

      if (g_str_equal (self->which->row, row) && g_str_equal (self->which->peer, peer))
        return self;
    }
  return NULL;
}

static double
figure (const Measured *self, gboolean cpu)
{
  if (cpu)
    return per_op (self->cpu[self->reps / 2]);
  return self->bytes[self->reps / 2] > 0 ? self->bytes[self->reps / 2] : median_ns (self);
}

static gboolean
check_bars (GPtrArray *all)
{
  gboolean met = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (bars); i++)
    {
      const Bar *bar = &bars[i];
      const Measured *ours = find_measured (all, bar->row, BENCH_OURS);
      const Measured *theirs = bar->peer != NULL ? find_measured (all, bar->row, bar->peer) : NULL;
      double limit;

      if (ours == NULL || (bar->peer != NULL && theirs == NULL))
        continue;
      limit = theirs != NULL ? bar->limit * figure (theirs, bar->cpu) : bar->limit;
      g_printerr ("%-10s %8.1f %s %8.1f  %s%s%s\n", bar->row, figure (ours, bar->cpu),
                  figure (ours, bar->cpu) <= limit ? "<=" : "> ", limit,
                  figure (ours, bar->cpu) <= limit ? "met" : "MISSED",
                  theirs != NULL ? ", against " : "", theirs != NULL ? bar->peer : "");
      met &= figure (ours, bar->cpu) <= limit;
    }
  return met;
}

/* ---- running ---- */

static gboolean
measure_once (Measured *self, guint rep)
{
  Sample sample = { 0 };

  if (!(self->which->fresh != NULL ? run_fresh (self->which, &sample) : run_here (self->which, self->n, &sample)))
    return FALSE;
  self->wall[rep] = sample.wall_ns * 1000 / self->n;
  self->cpu[rep] = sample.cpu_ns * 1000 / self->n;
  self->bytes[rep] = sample.bytes;
  self->rss_kb = MAX (self->rss_kb, sample.rss_kb);
  return TRUE;
}

/* All peers of one row.  Who begins changes with each repetition. */
static gboolean
run_row (GPtrArray *cases, guint first, guint end, GPtrArray *results)
{
  guint n = end - first;
  g_autoptr (GPtrArray) row = g_ptr_array_new ();

  for (guint i = first; i < end; i++)
    {
      Measured *self = g_new0 (Measured, 1);
      Sample warm_up;

      self->which = cases->pdata[i];
      self->n = case_size (self->which);
      self->reps = opt_reps;
      g_ptr_array_add (row, self);
      g_ptr_array_add (results, self);
      if (self->which->fresh == NULL && !run_here (self->which, MAX (self->n / 20, 1), &warm_up))
        return FALSE;
    }
  for (guint rep = 0; rep < (guint) opt_reps; rep++)
    for (guint i = 0; i < n; i++)
      if (!measure_once (row->pdata[(i + rep) % n], rep))
        return FALSE;
  for (guint i = 0; i < n; i++)
    {
      finish (row->pdata[i]);
      print_measured (row->pdata[i]);
    }
  return TRUE;
}

static int
run_child (GPtrArray *cases)
{
  for (guint i = 0; i < cases->len; i++)
    {
      const BenchCase *which = cases->pdata[i];
      g_autofree char *name = g_strdup_printf ("%s %s", which->row, which->peer);
      Sample sample;

      if (!g_str_equal (name, opt_child))
        continue;
      if (!run_here (which, case_size (which), &sample))
        return 1;
      g_print ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %.3f\n", sample.wall_ns, sample.cpu_ns,
               sample.rss_kb, sample.bytes);
      return 0;
    }
  return 2;
}

static void
list_cases (GPtrArray *cases)
{
  for (guint i = 0; i < cases->len; i++)
    {
      const BenchCase *which = cases->pdata[i];

      g_print ("%s %s n=%u\n", which->row, which->peer, case_size (which));
    }
}

static gboolean
parse_options (int *argc, char ***argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("- what the library costs");
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return FALSE;
    }
  opt_reps = CLAMP (opt_reps, 1, MAX_REPS);
  return TRUE;
}

static gboolean
run_all (GPtrArray *cases, GPtrArray *results)
{
  gboolean good = TRUE;

  for (guint i = 0, end; i < cases->len; i = end)
    {
      const char *row = ((const BenchCase *) cases->pdata[i])->row;

      for (end = i + 1; end < cases->len; end++)
        if (!g_str_equal (((const BenchCase *) cases->pdata[end])->row, row))
          break;
      good &= run_row (cases, i, end, results);
    }
  return good;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) cases = NULL;
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (g_free);
  gboolean good;

  if (!parse_options (&argc, &argv))
    return 2;
  cases = choose_cases ();
  if (opt_child != NULL)
    return run_child (cases);
  if (opt_list)
    {
      list_cases (cases);
      return 0;
    }
#ifndef __OPTIMIZE__
  g_printerr ("warning: built without optimisation\n");
#endif
  good = run_all (cases, results);
  if (good && opt_bars)
    good = check_bars (results);
  return good ? 0 : 1;
}
