/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/wait.h>

/* Rule 12: for every n, the n-th call of something fails; then every one, every second and every third; and calls are
 * interrupted, by the shim or by a rain of signals.  Each run is a process of its own, with the shim preloaded: it must
 * neither abort nor hang, leave nothing behind, and say what went wrong in a GError. */

#define EXIT_NO_FAULT   77      /* nothing was hit: n is beyond the last call */
#define MAX_N           200
#define MAX_N_QUICK     6
#define RAIN_US         "2000"

/* What nobody may notice, in every scenario. */
static const char *const harmless_faults[] = { "read:EINTR", "write:EINTR", "poll:EINTR", NULL };

static const FaultScenario *const tables[] = { fault_work_scenarios, fault_wait_scenarios, fault_file_scenarios };

static const FaultScenario *
find_scenario (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      for (const FaultScenario *scenario = tables[i]; scenario->name != NULL; scenario++)
        {
          if (g_str_equal (scenario->name, name))
            return scenario;
        }
    }
  g_assert_not_reached ();
}

/* --- in the child */
static AexTestFunc child_scenario;

static void
call_shim (const char *name)
{
  void (*func) (void) = dlsym (RTLD_DEFAULT, name);

  g_assert_nonnull (func);
  func ();
}

static void
run_armed (void)
{
  call_shim ("ae_fail_arm");
  child_scenario ();
  call_shim ("ae_fail_disarm");
}

static int
child_main (int         argc,
            char      **argv,
            const char *name)
{
  int (*get_hits) (void) = dlsym (RTLD_DEFAULT, "ae_fail_get_hits");
  const char *rule = g_getenv ("AE_FAIL_LATER");
  int result;

  child_scenario = find_scenario (name)->func;
  fault_is_harmless = rule == NULL || strstr (rule, ":EINTR:") != NULL || strstr (rule, ":SHORT:") != NULL;
  g_assert_nonnull (get_hits);
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (20);
  aex_test_log_begin ();
  aex_test_add ("/scenario", run_armed);
  result = aex_test_run ();
  g_ptr_array_unref (aex_test_log_end ());
  if (result == 0 && get_hits () == 0)
    return EXIT_NO_FAULT;
  return result;
}

/* --- in the parent */
static char       *self_path;
static guint       n_runs;
static guint       n_hits;
static GHashTable *sites;       /* scenario and call, of those that were hit */

/* TRUE: something was hit, and survived. */
static gboolean
run_child (const char *scenario,
           const char *variable,
           const char *rule)
{
  g_auto (GStrv) envp = g_get_environ ();
  const char *argv[] = { self_path, NULL };
  g_autofree char *output = NULL;
  g_autofree char *messages = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;

  n_runs++;
  envp = g_environ_setenv (envp, "LD_PRELOAD", g_getenv ("AEX_SHIM"), TRUE);
  envp = g_environ_setenv (envp, variable, rule, TRUE);
  envp = g_environ_setenv (envp, "AEX_FAULT_SCENARIO", scenario, TRUE);
  g_spawn_sync (NULL, (char **) argv, envp, G_SPAWN_DEFAULT, NULL, NULL, &output, &messages, &status, &error);
  g_assert_no_error (error);
  if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_NO_FAULT)
    return FALSE;
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    {
      g_printerr ("%s with %s=%s: status %d\n%s%s", scenario, variable, rule, status, output, messages);
      g_test_fail ();
    }
  n_hits++;
  g_hash_table_add (sites, g_strdup_printf ("%s %.*s", scenario, (int) strcspn (rule, ":"), rule));
  return TRUE;
}

static gboolean
is_quick (void)
{
  const char *tier = g_getenv ("AEX_TEST_TIER");

  return g_strcmp0 (tier, "full") != 0 && g_strcmp0 (tier, "nightly") != 0;
}

static void
run_fault (const char *scenario,
           const char *fault,
           guint       max_n)
{
  /* Who is interrupted tries again: not for ever. */
  gboolean is_repeated = g_str_has_suffix (fault, "EINTR");
  guint n;

  for (n = 1; n <= max_n; n++)
    {
      g_autofree char *rule = g_strdup_printf ("%s:%u", fault, n);

      if (!run_child (scenario, "AE_FAIL_LATER", rule))
        break;
    }
  if (n == 1)
    return;
  for (guint every = is_repeated ? 2 : 1; every <= (is_quick () ? 2 : 3); every++)
    {
      g_autofree char *rule = g_strdup_printf ("%s:*%u", fault, every);

      run_child (scenario, "AE_FAIL_LATER", rule);
    }
}

static void
test_scenario (gconstpointer data)
{
  const FaultScenario *scenario = data;

  for (guint i = 0; scenario->faults != NULL && scenario->faults[i] != NULL; i++)
    run_fault (scenario->name, scenario->faults[i], is_quick () ? MAX_N_QUICK : MAX_N);
  for (guint i = 0; harmless_faults[i] != NULL; i++)
    run_fault (scenario->name, harmless_faults[i], is_quick () ? 1 : MAX_N);
  run_child (scenario->name, "AE_RAIN", RAIN_US);
}

static void
test_figure (void)
{
  g_print ("# figure: faults sites=%u runs=%u hit=%u\n", g_hash_table_size (sites), n_runs, n_hits);
  g_assert_cmpuint (n_hits, >, 0);
}

/* Beside the program, unless told. */
static void
find_shim (void)
{
  g_autofree char *folder = g_path_get_dirname (self_path);
  g_autofree char *path = g_build_filename (folder, "aex-fault-shim.so", NULL);

  g_setenv ("AEX_SHIM", path, FALSE);
  g_assert_true (g_file_test (g_getenv ("AEX_SHIM"), G_FILE_TEST_EXISTS));
}

int
main (int    argc,
      char **argv)
{
  const char *scenario = g_getenv ("AEX_FAULT_SCENARIO");

  if (scenario != NULL)
    return child_main (argc, argv, scenario);
  self_path = argv[0];
  aex_test_init (&argc, &argv);
  find_shim ();
  aex_test_set_watchdog (is_quick () ? 120 : 600);
  sites = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      for (const FaultScenario *s = tables[i]; s->name != NULL; s++)
        {
          g_autofree char *path = g_strdup_printf ("/fault/X9/%s", s->name);

          aex_test_add_data (path, s, test_scenario);
        }
    }
  aex_test_add ("/figure/X9/faults", test_figure);
  return aex_test_run ();
}
