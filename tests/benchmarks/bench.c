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
static int opt_spin = -1;
static gboolean opt_quick;
static gboolean opt_json;
static gboolean opt_list;
static gboolean opt_bars;
static gboolean opt_all_peers;
static char *opt_child;

static const GOptionEntry entries[] = {
  { "row", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &opt_rows, "Only these rows (B1h,B2 …; may be repeated)", "ROWS" },
  { "peer", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &opt_peers, "Only these peers (asyncexec,GTask …)", "PEERS" },
  { "reps", 'n', 0, G_OPTION_ARG_INT, &opt_reps, "Repetitions (default 5)", "N" },
  { "spin", 's', 0, G_OPTION_ARG_INT, &opt_spin, "How often threads look before they sleep (AEX_SPIN)", "N" },
  { "quick", 'q', 0, G_OPTION_ARG_NONE, &opt_quick, "A tenth of the work", NULL },
  { "json", 'j', 0, G_OPTION_ARG_NONE, &opt_json, "One JSON object a line; what is for people goes to stderr", NULL },
  { "list", 'l', 0, G_OPTION_ARG_NONE, &opt_list, "List rows and peers", NULL },
  { "bars", 'b', 0, G_OPTION_ARG_NONE, &opt_bars, "Exit with 1 if a bar is missed", NULL },
  { "all-peers", 'a', 0, G_OPTION_ARG_NONE, &opt_all_peers, "It is an error if a peer was not found when this was built", NULL },
  { "child", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &opt_child, NULL, NULL },
  G_OPTION_ENTRY_NULL
};

typedef struct
{
  gint64 wall_ns;
  gint64 cpu_ns;
  gint64 rss_kb;
  double extras[BENCH_N_EXTRAS];
} Sample;

typedef struct
{
  const BenchCase *which;
  guint  n;
  guint  reps;
  Sample samples[MAX_REPS];
} Measured;

static GPtrArray *results;      /* element BenchResult */

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

static gboolean
run_here (const BenchCase *which, guint n, Sample *sample)
{
  BenchRun run = { .n = n, .variant = which->variant };

  reset_peak_rss ();
  which->func (&run);
  *sample = (Sample) { run.wall_ns, run.cpu_ns, read_peak_rss_kb () };
  memcpy (sample->extras, run.extras, sizeof run.extras);
  return !run.failed;
}

/* The child prints the numbers of a sample. */
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
  if (g_strv_length (words) != 3 + BENCH_N_EXTRAS)
    return FALSE;
  sample->wall_ns = g_ascii_strtoll (words[0], NULL, 10);
  sample->cpu_ns = g_ascii_strtoll (words[1], NULL, 10);
  sample->rss_kb = g_ascii_strtoll (words[2], NULL, 10);
  for (guint i = 0; i < BENCH_N_EXTRAS; i++)
    sample->extras[i] = g_ascii_strtod (words[3 + i], NULL);
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

static gboolean
is_wanted (const char *row, const char *peer)
{
  return is_listed (opt_rows, row) && is_listed (opt_peers, peer);
}

static const BenchCase * const tables[] = {
  bench_pool_cases,
  bench_loop_cases,
  bench_timer_cases,
  bench_group_cases,
  bench_map_cases,
  bench_frame_cases,
  bench_size_cases,
#ifdef BENCH_OPENMP
  bench_openmp_cases,
#endif
#ifdef BENCH_TBB
  bench_tbb_cases,
#endif
#ifdef BENCH_UV
  bench_uv_cases,
#endif
};

/* In the order of the tables, but with all peers of a row together. */
static GPtrArray *
choose_cases (void)
{
  GPtrArray *cases = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const BenchCase *which = tables[i]; which->row != NULL; which++)
      {
        guint at = cases->len;

        if (!is_wanted (which->row, which->peer))
          continue;
        for (guint j = 0; j < cases->len; j++)
          if (g_str_equal (((const BenchCase *) cases->pdata[j])->row, which->row))
            at = j + 1;
        g_ptr_array_insert (cases, (int) at, (gpointer) which);
      }
  return cases;
}

/* FALSE: a peer is missing that must be there. */
static gboolean
check_peers (void)
{
  static const struct { const char *name; gboolean built; const char *package; } peers[] = {
#ifdef BENCH_OPENMP
    { "OpenMP", TRUE, NULL },
#else
    { "OpenMP", FALSE, "gcc" },
#endif
#ifdef BENCH_TBB
    { "TBB", TRUE, NULL },
#else
    { "TBB", FALSE, "libtbb-dev, g++" },
#endif
#ifdef BENCH_UV
    { "libuv", TRUE, NULL },
#else
    { "libuv", FALSE, "libuv1-dev" },
#endif
#ifdef BENCH_SCRIPT
    { "ThreadPoolExecutor", TRUE, NULL },
    { "asyncio", TRUE, NULL },
#else
    { "ThreadPoolExecutor", FALSE, "python3-gi" },
    { "asyncio", FALSE, "python3-gi" },
#endif
  };
  gboolean good = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    if (!peers[i].built && is_listed (opt_peers, peers[i].name))
      {
        g_printerr ("%s: not built in (Debian: %s)\n", peers[i].name, peers[i].package);
        good = FALSE;
      }
  return good || !opt_all_peers;
}

/* A row of a few operations is short as it is. */
static guint
case_size (const BenchCase *which)
{
  return opt_quick ? MAX (which->n / 10, MIN (which->n, 100)) : which->n;
}

/* ---- results ---- */

static int
compare_double (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
median (double *values, guint n)
{
  qsort (values, n, sizeof (double), compare_double);
  return values[n / 2];
}

static BenchResult *
summarize (const Measured *self)
{
  BenchResult *result = g_new0 (BenchResult, 1);
  double values[MAX_REPS];

  result->row = g_strdup (self->which->row);
  result->peer = g_strdup (self->which->peer);
  result->n = self->n;
  result->reps = self->reps;
  for (guint i = 0; i < self->reps; i++)
    values[i] = (double) self->samples[i].cpu_ns / self->n;
  result->cpu_ns = median (values, self->reps);
  for (guint extra = 0; extra < BENCH_N_EXTRAS; extra++)
    {
      for (guint i = 0; i < self->reps; i++)
        values[i] = self->samples[i].extras[extra];
      result->extras[extra] = median (values, self->reps);
    }
  for (guint i = 0; i < self->reps; i++)
    {
      values[i] = (double) self->samples[i].wall_ns / self->n;
      result->rss_kb = MAX (result->rss_kb, self->samples[i].rss_kb);
    }
  result->median_ns = median (values, self->reps);
  result->min_ns = values[0];
  result->max_ns = values[self->reps - 1];
  return result;
}

static void
add_result (BenchResult *self)
{
  g_ptr_array_add (results, self);
  g_print (opt_json ? "{\"row\":\"%s\",\"peer\":\"%s\",\"n\":%u,\"reps\":%u,\"median_ns\":%.1f,\"min_ns\":%.1f,"
                      "\"max_ns\":%.1f,\"cpu_ns\":%.1f,\"rss_kb\":%" G_GINT64_FORMAT
                    : "%s %s n=%u reps=%u median_ns=%.1f min_ns=%.1f max_ns=%.1f cpu_ns=%.1f rss_kb=%" G_GINT64_FORMAT,
           self->row, self->peer, self->n, self->reps, self->median_ns, self->min_ns, self->max_ns, self->cpu_ns,
           self->rss_kb);
  for (guint i = 0; i < BENCH_N_EXTRAS; i++)
    if (self->extras[i] > 0)
      g_print (opt_json ? ",\"%s\":%.1f" : " %s=%.1f", bench_extra_names[i], self->extras[i]);
  g_print (opt_json ? "}\n" : "\n");
}

/* ---- running ---- */

static gboolean
measure_once (Measured *self, guint rep)
{
  if (self->which->fresh != NULL)
    return run_fresh (self->which, &self->samples[rep]);
  return run_here (self->which, self->n, &self->samples[rep]);
}

/* All peers of one row, in turns.  Who begins changes with each repetition. */
static gboolean
run_row (GPtrArray *cases, guint first, guint end)
{
  guint n = end - first;
  g_autoptr (GPtrArray) row = g_ptr_array_new_with_free_func (g_free);

  for (guint i = first; i < end; i++)
    {
      Measured *self = g_new0 (Measured, 1);
      Sample warm_up;

      self->which = cases->pdata[i];
      self->n = case_size (self->which);
      self->reps = (guint) opt_reps;
      g_ptr_array_add (row, self);
      if (self->which->fresh == NULL && !run_here (self->which, MAX (self->n / 20, 1), &warm_up))
        return FALSE;
    }
  for (guint rep = 0; rep < (guint) opt_reps; rep++)
    for (guint i = 0; i < n; i++)
      if (!measure_once (row->pdata[(i + rep) % n], rep))
        return FALSE;
  for (guint i = 0; i < n; i++)
    add_result (summarize (row->pdata[i]));
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
      g_print ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, sample.wall_ns, sample.cpu_ns, sample.rss_kb);
      for (guint j = 0; j < BENCH_N_EXTRAS; j++)
        g_print (" %.3f", sample.extras[j]);
      g_print ("\n");
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
run_all (GPtrArray *cases)
{
  gboolean good = TRUE;

  for (guint i = 0, end; i < cases->len; i = end)
    {
      const char *row = ((const BenchCase *) cases->pdata[i])->row;

      for (end = i + 1; end < cases->len; end++)
        if (!g_str_equal (((const BenchCase *) cases->pdata[end])->row, row))
          break;
      if (!run_row (cases, i, end))
        {
          g_printerr ("%s: FAILED\n", row);
          good = FALSE;
        }
    }
#ifdef BENCH_SCRIPT
  good &= bench_script_run (is_wanted, (guint) opt_reps, opt_quick, add_result);
#endif
  return good;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) cases = NULL;
  gboolean good, met;

  if (!parse_options (&argc, &argv))
    return 2;
  if (opt_spin >= 0)
    {
      g_autofree char *spin = g_strdup_printf ("%d", opt_spin);

      g_setenv ("AEX_SPIN", spin, TRUE);
    }
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
  results = g_ptr_array_new_with_free_func ((GDestroyNotify) bench_result_free);
  good = check_peers ();
  good &= run_all (cases);
  met = bench_bars_print (results, opt_json);
  g_ptr_array_unref (results);
  return good && (met || !opt_bars) ? 0 : 1;
}
