/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program: runs scenarios, tells what it found. */
#include "aex-interleave-private.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aex-pending.h"
#include "base/aex-clock-private.h"
#include "base/aex-debug-private.h"
#include "base/aex-home-private.h"

#define EXIT_FOUND 3

/* Each round begins at the same time: where timers are kept depends on it. */
#define START_US (G_GINT64_CONSTANT (1) << 40)
#define WATCHDOG_SECONDS 300

static char *option_path, *option_replay, *option_find;
static int option_bound = -1, option_random, option_seed = 1;
static gboolean option_all, option_tap, option_verbose, option_list;

static const GOptionEntry options[] = {
  { "path", 'p', 0, G_OPTION_ARG_STRING, &option_path, "Only scenarios whose path begins with this", "PATH" },
  { "bound", 0, 0, G_OPTION_ARG_INT, &option_bound, "So many preemptions (2; in the full tier 3)", "N" },
  { "replay", 0, 0, G_OPTION_ARG_STRING, &option_replay, "Only this order of steps", "ORDER" },
  { "random", 0, 0, G_OPTION_ARG_INT, &option_random, "So many orders by chance, without a bound", "N" },
  { "seed", 0, 0, G_OPTION_ARG_INT, &option_seed, "For --random; 0: any", "N" },
  { "all", 0, 0, G_OPTION_ARG_NONE, &option_all, "Also orders that must end alike", NULL },
  { "find", 0, 0, G_OPTION_ARG_STRING, &option_find, "The library is broken: say so under this name", "NAME" },
  { "list", 'l', 0, G_OPTION_ARG_NONE, &option_list, "Only the paths", NULL },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &option_verbose, "How many orders ended how", NULL },
  { "tap", 0, 0, G_OPTION_ARG_NONE, &option_tap, "Always so", NULL },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

static GPtrArray *scenarios;
static const AexInterleave *running;
static GHashTable *outcomes;       /* text -> how often */
static guint n_orders;

void
aex_interleave_add (const AexInterleave *scenario)
{
  if (scenarios == NULL)
    scenarios = g_ptr_array_new ();
  g_ptr_array_add (scenarios, (gpointer) scenario);
}

void
aex_interleave_outcome (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (g_hash_table_contains (outcomes, text))
    (*(guint *) g_hash_table_lookup (outcomes, text))++;
  else
    g_hash_table_insert (outcomes, g_strdup (text), g_memdup2 (&(guint) { 1 }, sizeof (guint)));
}

/* ---- something is wrong */

/* The broken library was caught; a process of its own must come to the same with that order. */
static void
confirm (const char *order, const char *why)
{
  const char *const argv[] = { "/proc/self/exe", "-p", running->path, "--replay", order, NULL };
  g_autofree char *output = NULL;
  int status = 0;

  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, NULL)
      || !WIFEXITED (status) || WEXITSTATUS (status) != EXIT_FOUND || strstr (output, why) == NULL)
    printf ("# the order does not lead there again:\n# %s\nnot ok 1 %s\n", output, option_find);
  else
    printf ("ok 1 %s\n", option_find);
}

void
aex_interleave_fail (const char *format, ...)
{
  static gboolean failing;
  g_autofree char *why = NULL, *order = NULL;
  va_list args;

  if (failing)
    _exit (EXIT_FOUND);
  failing = TRUE;
  va_start (args, format);
  why = g_strdup_vprintf (format, args);
  va_end (args);
  order = aex_search_dup_order ();
  printf ("# %s, order %u: %s\n", running->path, n_orders + 1, why);
  aex_search_print ();
  printf ("# again: -p %s --replay=%s\n", running->path, order);
  fflush (stdout);
  if (option_find != NULL)
    confirm (order, why);
  else if (option_replay == NULL)
    printf ("not ok 1 %s\n", running->path);
  fflush (stdout);
  _exit (option_find != NULL ? 0 : EXIT_FOUND);
}

static void
crashed (int signal_number)
{
  signal (signal_number, SIG_DFL);
  aex_interleave_fail ("signal %d: %s", signal_number, g_strsignal (signal_number));
}

/* ---- all orders of a scenario */

/* What stays for the life of the process is there before the first round, and GLib holds no lock while it calls us. */
static void
warm_up (void)
{
  AexPending *pending = aex_pending_new_resolved (NULL);

  g_type_ensure (G_TYPE_CANCELLABLE);
  aex_clock_set_virtual (TRUE);
  g_object_unref (pending);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
count_live (int *live)
{
  for (guint i = 0; i < AEX_LIVE_N_KINDS; i++)
    live[i] = aex_live_get (i);
}

static void
run_round (const AexInterleave *scenario)
{
  int before[AEX_LIVE_N_KINDS], after[AEX_LIVE_N_KINDS];
  gpointer state = g_malloc0 (scenario->size);

  count_live (before);
  aex_clock_advance (START_US - aex_clock_now ());
  scenario->setup (state);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  aex_search_rewind ();
  aex_schedule_run (scenario, state);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  scenario->check (state);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_free (state);
  count_live (after);
  for (guint i = 0; i < AEX_LIVE_N_KINDS; i++)
    if (after[i] != before[i])
      aex_interleave_fail ("%d %s, before %d", after[i], aex_live_get_name (i), before[i]);
}

static void
print_outcomes (void)
{
  GHashTableIter iter;
  gpointer text, count;

  g_hash_table_iter_init (&iter, outcomes);
  while (option_verbose && g_hash_table_iter_next (&iter, &text, &count))
    printf ("#   %8u  %s\n", *(guint *) count, (char *) text);
}

static guint
bound_of (const AexInterleave *scenario)
{
  const char *tier = g_getenv ("AEX_TEST_TIER");
  gboolean nightly = g_strcmp0 (tier, "nightly") == 0;
  guint bound = nightly || g_strcmp0 (tier, "full") == 0 ? 3 : 2;
  guint heavy = scenario->heavy - (nightly && scenario->heavy > 0);

  if (option_bound >= 0)
    return (guint) option_bound;
  bound = MAX (1, bound - MIN (bound, heavy));
  return scenario->most_preemptions > 0 ? MIN (bound, scenario->most_preemptions) : bound;
}

/* All orders there are within the bound, or as many by chance as were asked for. */
static void
explore (const AexInterleave *scenario, guint number)
{
  guint bound = bound_of (scenario);
  AexSearchMode mode = option_replay != NULL ? AEX_SEARCH_REPLAY
                     : option_random > 0 ? AEX_SEARCH_RANDOM : option_all ? AEX_SEARCH_ALL : AEX_SEARCH_REDUCED;
  gint64 start = g_get_monotonic_time ();
  g_autofree char *how = NULL, *preemptions = NULL;

  running = scenario;
  n_orders = 0;
  g_hash_table_remove_all (outcomes);
  alarm (WATCHDOG_SECONDS);
  aex_search_begin (mode, bound, (guint32) option_seed, option_replay);
  do
    {
      run_round (scenario);
      n_orders++;
    }
  while (aex_search_next () && (mode != AEX_SEARCH_RANDOM || n_orders < (guint) option_random));
  if (mode == AEX_SEARCH_REPLAY)
    return;
  if (mode == AEX_SEARCH_RANDOM)
    how = g_strdup_printf ("seed-%d", option_seed);
  else
    how = g_strdup_printf ("bound-%u", bound);
  /* Of several scenarios the page shows the least and the most. */
  if (mode != AEX_SEARCH_RANDOM)
    preemptions = g_strdup_printf (" min_preemptions=%u max_preemptions=%u", bound, bound);
  printf ("# figure: interleave%s %s schedules=%u%s outcomes=%u ms=%d\n", preemptions != NULL ? "" : "-random",
          strrchr (scenario->path, '/') + 1, n_orders, preemptions != NULL ? preemptions : "", g_hash_table_size (outcomes),
          (int) ((g_get_monotonic_time () - start) / 1000));
  print_outcomes ();
  if (option_find != NULL)
    printf ("not ok %u %s\n", number, option_find);
  else if (scenario->n_outcomes > 0 && option_bound < 0 && mode == AEX_SEARCH_REDUCED && g_hash_table_size (outcomes) != scenario->n_outcomes)
    printf ("# wanted %u outcomes\nnot ok %u %s\n", scenario->n_outcomes, number, scenario->path);
  else
    printf ("ok %u %s/%s\n", number, scenario->path, how);
  fflush (stdout);
}

static GPtrArray *
chosen (void)
{
  GPtrArray *result = g_ptr_array_new ();

  for (guint i = 0; i < scenarios->len; i++)
    {
      const AexInterleave *scenario = g_ptr_array_index (scenarios, i);

      if (g_strcmp0 (option_path, scenario->path) == 0)
        {
          g_ptr_array_set_size (result, 0);
          g_ptr_array_add (result, (gpointer) scenario);
          return result;
        }
      if (option_path == NULL || g_str_has_prefix (scenario->path, option_path))
        g_ptr_array_add (result, (gpointer) scenario);
    }
  return result;
}

int
aex_interleave_main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("- all orders of the steps of threads");
  g_autoptr (GPtrArray) todo = NULL;
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }
  if (option_seed == 0)
    option_seed = g_random_int_range (1, G_MAXINT32);
  /* Looking again while nobody else goes on finds nothing new. */
  g_setenv ("AEX_SPIN", "0", TRUE);
  for (guint i = 0; i < 4; i++)
    signal (((const int[]) { SIGSEGV, SIGBUS, SIGABRT, SIGTRAP })[i], crashed);
  todo = chosen ();
  if (option_list || (option_replay != NULL && todo->len != 1))
    {
      for (guint i = 0; i < todo->len; i++)
        printf ("%s\n", ((const AexInterleave *) g_ptr_array_index (todo, i))->path);
      return option_list ? 0 : 2;
    }
  outcomes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  warm_up ();
  if (option_replay == NULL)
    printf ("1..%u\n", todo->len);
  /* First: what hangs says nothing afterwards. */
  if (option_random > 0)
    printf ("# again: --random=%d --seed=%d\n", option_random, option_seed);
  fflush (stdout);
  for (guint i = 0; i < todo->len; i++)
    explore (g_ptr_array_index (todo, i), i + 1);
  return 0;
}
