/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/wait.h>

/* Rule 12: for every n, the n-th call of something fails; then every one, every second and every third; and calls are
 * interrupted, by the shim or by a rain of signals.  Each run is a process of its own, with the shim preloaded: it must
 * neither abort nor hang, leave nothing behind, and say what went wrong in a GError.
 *
 * A fault that hits nothing proves nothing: each one hits in some scenario, or is in a list of those that can not; and
 * what a loop leaves out is said, or fails where there is time for all. */

#define EXIT_NO_FAULT   77      /* nothing was hit: n is beyond the last call */
#define MAX_N           200
#define MAX_N_QUICK     6
#define RAIN_US         "2000"
#define RAIN            "rain"

/* What nobody may notice, in every scenario. */
static const char *const harmless_faults[] = { "read:EINTR", "write:EINTR", "poll:EINTR", NULL };

/* Calls that are made in no scenario, neither by the library nor by GLib below it. */
static const struct { const char *fault, *reason; } uncalled[] = {
  { "fork:EAGAIN", "the library starts no process" },
  { "pipe2:EMFILE", "GLib makes a pipe where it got no eventfd, and aborts when it does not get that either" },
  { "socketpair:EMFILE", "no operation talks to another process" },
  { "memfd_create:EMFILE", "nothing is shared with another process" },
  { "epoll_create1:EMFILE", "loops are GLib's, which polls" },
  { "epoll_ctl:ENOSPC", "loops are GLib's, which polls" },
  { "rename:EIO", "what is saved is renamed in its folder, by renameat()" },
};

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
  for (const FaultScenario *scenario = fault_shim_scenarios; scenario->name != NULL; scenario++)
    {
      if (g_str_equal (scenario->name, name))
        return scenario;
    }
  g_assert_not_reached ();
}

/* --- every fault that is tried */
static void
add_faults (GHashTable        *faults,
            const char *const *some)
{
  for (guint i = 0; some != NULL && some[i] != NULL; i++)
    g_hash_table_add (faults, (char *) some[i]);
}

static GHashTable *
list_faults (void)
{
  GHashTable *faults = g_hash_table_new (g_str_hash, g_str_equal);

  add_faults (faults, harmless_faults);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      for (const FaultScenario *scenario = tables[i]; scenario->name != NULL; scenario++)
        add_faults (faults, scenario->faults);
    }
  for (guint i = 0; i < G_N_ELEMENTS (uncalled); i++)
    g_hash_table_add (faults, (char *) uncalled[i].fault);
  return faults;
}

gboolean
fault_has_rule (const char *call)
{
  g_autoptr (GHashTable) faults = list_faults ();
  g_autofree char *start = g_strconcat (call, ":", NULL);
  GHashTableIter iter;
  gpointer fault;

  g_hash_table_iter_init (&iter, faults);
  while (g_hash_table_iter_next (&iter, &fault, NULL))
    {
      if (g_str_has_prefix (fault, start))
        return TRUE;
    }
  return FALSE;
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
  const FaultScenario *scenario = find_scenario (name);
  int (*get_hits) (void) = dlsym (RTLD_DEFAULT, "ae_fail_get_hits");
  const char *rule = g_getenv ("AE_FAIL_LATER");
  int result;

  child_scenario = scenario->func;
  fault_is_harmless = rule == NULL || strstr (rule, ":EINTR:") != NULL || strstr (rule, ":SHORT:") != NULL;
  g_assert_nonnull (get_hits);
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (20);
  aex_test_log_begin ();
  aex_test_add ("/scenario", scenario->arms ? child_scenario : run_armed);
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
static guint       n_cut;       /* loops that ended before there was no call left */
static guint       last_n;      /* the highest that hit */
static guint       n_scenarios, n_done;
static GHashTable *sites;       /* scenario and call, of those that were hit */
static GHashTable *hit;         /* fault: where it was hit first */

static void
note_hit (const char *scenario,
          const char *fault)
{
  n_hits++;
  g_hash_table_add (sites, g_strdup_printf ("%s %.*s", scenario, (int) strcspn (fault, ":"), fault));
  if (!g_hash_table_contains (hit, fault))
    g_hash_table_insert (hit, g_strdup (fault), g_strdup (scenario));
}

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
  return TRUE;
}

static gboolean
is_quick (void)
{
  const char *tier = g_getenv ("AEX_TEST_TIER");

  return g_strcmp0 (tier, "full") != 0 && g_strcmp0 (tier, "nightly") != 0;
}

static gboolean
run_rule (const char *scenario,
          const char *fault,
          const char *when)
{
  g_autofree char *rule = g_strconcat (fault, ":", when, NULL);

  if (!run_child (scenario, "AE_FAIL_LATER", rule))
    return FALSE;
  note_hit (scenario, fault);
  return TRUE;
}

/* The last call that failed was not the last one that is made. */
static void
note_cut (const char *scenario,
          const char *fault,
          guint       n)
{
  n_cut++;
  g_print ("# cut: %s with %s is not tried beyond call %u\n", scenario, fault, n);
  if (!is_quick ())
    g_test_fail ();
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
      g_autofree char *when = g_strdup_printf ("%u", n);

      if (!run_rule (scenario, fault, when))
        break;
    }
  last_n = MAX (last_n, n - 1);
  if (n > max_n)
    note_cut (scenario, fault, max_n);
  if (n == 1)
    return;
  for (guint every = is_repeated ? 2 : 1; every <= (is_quick () ? 2 : 3); every++)
    {
      g_autofree char *when = g_strdup_printf ("*%u", every);

      run_rule (scenario, fault, when);
    }
}

/* All at once; which one it was is asked only if there was one. */
static void
run_uncalled (const char *scenario)
{
  g_autoptr (GString) rules = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (uncalled); i++)
    g_string_append_printf (rules, "%s%s:1", i == 0 ? "" : ",", uncalled[i].fault);
  if (!run_child (scenario, "AE_FAIL_LATER", rules->str))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (uncalled); i++)
    run_rule (scenario, uncalled[i].fault, "1");
}

static void
test_scenario (gconstpointer data)
{
  const FaultScenario *scenario = data;

  n_done++;
  for (guint i = 0; scenario->faults != NULL && scenario->faults[i] != NULL; i++)
    run_fault (scenario->name, scenario->faults[i], is_quick () ? MAX_N_QUICK : MAX_N);
  for (guint i = 0; harmless_faults[i] != NULL; i++)
    run_fault (scenario->name, harmless_faults[i], is_quick () ? 1 : MAX_N);
  run_uncalled (scenario->name);
  if (run_child (scenario->name, "AE_RAIN", RAIN_US))
    note_hit (scenario->name, RAIN);
}

/* The shim is asked directly: these are no figures. */
static void
test_shim (gconstpointer data)
{
  const FaultScenario *scenario = data;

  g_assert_true (run_child (scenario->name, "AE_FAIL_LATER", ""));
  n_runs--;
}

static const char *
get_reason (const char *fault)
{
  for (guint i = 0; i < G_N_ELEMENTS (uncalled); i++)
    {
      if (g_str_equal (uncalled[i].fault, fault))
        return uncalled[i].reason;
    }
  return NULL;
}

/* When all scenarios have run: each fault hit something in one of them, or nothing in any, as the list says. */
static void
test_each_hits (void)
{
  g_autoptr (GHashTable) faults = list_faults ();
  GHashTableIter iter;
  gpointer fault;

  g_assert_cmpuint (n_done, ==, n_scenarios);
  g_hash_table_add (faults, (char *) RAIN);
  g_hash_table_iter_init (&iter, faults);
  while (g_hash_table_iter_next (&iter, &fault, NULL))
    {
      const char *where = g_hash_table_lookup (hit, fault);
      const char *reason = get_reason (fault);

      if ((where != NULL) == (reason == NULL))
        continue;
      if (where == NULL)
        g_printerr ("%s hits nothing in any scenario\n", (char *) fault);
      else
        g_printerr ("%s hits in %s, and is in the list of what is not called: %s\n", (char *) fault, where, reason);
      g_test_fail ();
    }
}

static void
test_figure (void)
{
  g_print ("# figure: faults sites=%u runs=%u hit=%u kinds=%u cut=%u max_n=%u\n", g_hash_table_size (sites), n_runs, n_hits,
           g_hash_table_size (hit), n_cut, last_n);
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

static guint
add_scenarios (const char          *folder,
               const FaultScenario *scenarios,
               GTestDataFunc        func)
{
  guint n;

  for (n = 0; scenarios[n].name != NULL; n++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s", folder, scenarios[n].name);

      aex_test_add_data (path, &scenarios[n], func);
    }
  return n;
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
  hit = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  add_scenarios ("/fault-shim/X9", fault_shim_scenarios, test_shim);
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    n_scenarios += add_scenarios ("/fault/X9", tables[i], test_scenario);
  aex_test_add ("/fault-hits/X9/each-fault", test_each_hits);
  aex_test_add ("/figure/X9/faults", test_figure);
  return aex_test_run ();
}
