/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "limits-test.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Rule 12: each public function, once for each of its subjects, at each limit.  Each call is made in a process of its own,
 * which forks before it has used the library. */

#define CHILD_SECONDS   20
#define FORKED_SECONDS  5

typedef struct
{
  const char *path;
  Limit       limit;
  gboolean    first_use;        /* the limit comes before anything of the library */
} Situation;

static const Situation situations[] = {
  { "/limits/X9/descriptors", LIMIT_DESCRIPTORS, FALSE },
  { "/limits/X9/descriptors-from-the-start", LIMIT_DESCRIPTORS, TRUE },
  { "/limits/X9/threads", LIMIT_THREADS, FALSE },
  { "/limits/X12/forked", LIMIT_FORKED, FALSE },
  { "/limits/S13/shutdown", LIMIT_SHUTDOWN, FALSE },
};

static const char *const limit_names[N_LIMITS] = { "descriptors", "threads", "forked", "shutdown" };

/* What a child tells; in memory that it shares with its parent. */
typedef struct
{
  guint n_calls;
  guint n_reported;
  guint n_passed_on;
  char  mistake[256];
} Report;

static Report *report;
static guint   n_calls;
static guint   n_forked_calls;

/* Of a function at a limit, bits: its subjects. */
typedef struct
{
  guint called[N_LIMITS];
  guint reported[N_LIMITS];
  guint passed_on[N_LIMITS];    /* what the subject had to say already */
} Seen;

static Seen   *seen;
static guint   tried;           /* bits: limits */

/* --- limits */

static void
call_shim (const char *name)
{
  void (*func) (void) = dlsym (RTLD_DEFAULT, name);

  g_assert_nonnull (func);
  func ();
}

/* Every number below the lowest free one is in use. */
static void
limit_descriptors (gboolean on)
{
  static struct rlimit before;
  struct rlimit limit;

  if (on)
    {
      int lowest = dup (STDERR_FILENO);

      close (lowest);
      g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
      limit = before;
      limit.rlim_cur = (rlim_t) lowest;
    }
  else
    {
      limit = before;
    }
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static void
impose (LimitsWorld *w,
        Limit        limit)
{
  if (limit == LIMIT_DESCRIPTORS)
    limit_descriptors (TRUE);
  else if (limit == LIMIT_THREADS)
    call_shim ("ae_fail_arm");
  else if (limit == LIMIT_SHUTDOWN)
    limits_world_shutdown (w);
  if (w != NULL)
    w->is_checked = TRUE;
}

static void
lift (LimitsWorld *w)
{
  if (w->limit == LIMIT_DESCRIPTORS)
    limit_descriptors (FALSE);
  else if (w->limit == LIMIT_THREADS)
    call_shim ("ae_fail_disarm");
}

/* --- in the child */

/* Rejections that nobody looks at are no news here. */
static GLogWriterOutput
write_what_is_bad (GLogLevelFlags   level,
                   const GLogField *fields,
                   gsize            n_fields,
                   gpointer         user_data)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return g_log_writer_default (level, fields, n_fields, user_data);
  return G_LOG_WRITER_HANDLED;
}

static void
tell (LimitsWorld *w)
{
  report->n_calls += w->n_calls;
  report->n_reported += w->n_reported;
  report->n_passed_on += w->n_passed_on;
  if (w->mistake != NULL)
    g_strlcpy (report->mistake, w->mistake, sizeof report->mistake);
}

/* In the child of the child, and seen from outside: it ends by itself. */
static void
call_forked (LimitsWorld          *w,
             const LimitsFunction *function)
{
  int status = 0;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      alarm (FORKED_SECONDS);
      w->is_checked = TRUE;
      function->call (w);
      /* A task is answered by the main loop, which has been no part of the fork's danger: nobody else runs it. */
      while (g_main_context_iteration (NULL, FALSE))
        ;
      if (w->n_ready < w->n_started)
        limits_mistake (w, "is never answered");
      g_ptr_array_unref (w->returned);
      tell (w);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    limits_mistake (w, WTERMSIG (status) == SIGALRM ? "hangs" : "dies from signal %d", WTERMSIG (status));
  else if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    limits_mistake (w, "exit status %d", WEXITSTATUS (status));
  /* Those of the child are not ours. */
  w->n_given = g_atomic_int_get (&w->n_destroyed);
}

/* A thread that ends lets go of its function last, when its pool has told already that it has stopped. */
static void
assert_all_destroyed (LimitsWorld *w)
{
  gint64 deadline = g_get_monotonic_time () + CHILD_SECONDS / 2 * G_USEC_PER_SEC;

  while (w->n_given > g_atomic_int_get (&w->n_destroyed) && w->limit != LIMIT_FORKED && g_get_monotonic_time () < deadline)
    g_thread_yield ();
  if (w->limit != LIMIT_FORKED && w->n_given != g_atomic_int_get (&w->n_destroyed))
    limits_mistake (w, "%d destroy notifies given, %d called", w->n_given, g_atomic_int_get (&w->n_destroyed));
}

/* What the caller of the default context keeps as long as that is there. */
static void
warm_up (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  G_GNUC_UNUSED g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);
  g_autoptr (AexPending) done = aex_pending_new_resolved (NULL);

  /* GLib's own context of tasks. */
  g_type_ensure (G_TYPE_TASK);
  aex_test_run_until_done (done);
}

/* It waits for threads to be gone and reads /proc, which takes its time. */
static gboolean
takes_census (guint variant)
{
  const char *tier = g_getenv ("AEX_TEST_TIER");

  return variant == 0 || g_strcmp0 (tier, "full") == 0 || g_strcmp0 (tier, "nightly") == 0;
}

static void
call_in_child (const Situation      *situation,
               const LimitsFunction *function,
               guint                 variant)
{
  g_autoptr (AexCensus) before = NULL;
  LimitsWorld *w;

  g_log_set_writer_func (write_what_is_bad, NULL, NULL);
  alarm (CHILD_SECONDS);
  if (situation->first_use)
    {
      /* The first task makes main contexts of GLib's, and GLib aborts when it can not. */
      if (function->makes_tasks)
        {
          g_main_context_default ();
          g_type_ensure (G_TYPE_TASK);
        }
      impose (NULL, situation->limit);
    }
  else
    {
      warm_up ();
      before = takes_census (variant) ? aex_census_take () : NULL;
    }
  w = limits_world_new (situation->limit, function, variant, situation->first_use);
  if (!situation->first_use)
    impose (w, situation->limit);
  if (situation->limit == LIMIT_FORKED)
    call_forked (w, function);
  else
    function->call (w);
  /* Without a descriptor there is no main loop that could end anything. */
  if (situation->first_use)
    lift (w);
  limits_world_settle (w);
  if (!situation->first_use)
    lift (w);
  limits_world_free (w);
  aex_timer_service_quiesce ();
  if (before != NULL && !aex_census_settle (before, TRUE, function->name))
    limits_mistake (w, "leaves something behind");
  assert_all_destroyed (w);
  tell (w);
}

/* --- in the parent: it never uses the library itself */

static gboolean
call (const Situation      *situation,
      const LimitsFunction *function,
      guint                 variant)
{
  int status = 0;
  pid_t child;

  memset (report, 0, sizeof *report);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      call_in_child (situation, function, variant);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    g_snprintf (report->mistake, sizeof report->mistake, WTERMSIG (status) == SIGALRM ? "hangs" : "dies from signal %d",
                WTERMSIG (status));
  else if (WEXITSTATUS (status) != 0)
    g_snprintf (report->mistake, sizeof report->mistake, "exit status %d", WEXITSTATUS (status));
  n_calls += report->n_calls;
  if (situation->limit == LIMIT_FORKED)
    n_forked_calls += report->n_calls;
  if (report->mistake[0] == '\0')
    return TRUE;
  g_printerr ("%s: %s, subject %u: %s\n", situation->path, function->name, variant, report->mistake);
  return FALSE;
}

/* What the call of a subject showed; FALSE: it was not even called.  From the start some can not even be made. */
static gboolean
note (const Situation      *situation,
      const LimitsFunction *function,
      guint                 variant)
{
  Seen *self = &seen[function - limits_functions];
  guint bit = 1u << variant;

  if (report->n_calls > 0)
    self->called[situation->limit] |= bit;
  if (report->n_reported > 0)
    self->reported[situation->limit] |= bit;
  if (report->n_passed_on > 0)
    self->passed_on[situation->limit] |= bit;
  if (report->n_calls > 0 || (situation->first_use && function->problem == NULL))
    return TRUE;
  g_printerr ("%s: %s, subject %u: was not called\n", situation->path, function->name, variant);
  return FALSE;
}

static gboolean
is_left_out (const LimitsFunction *function)
{
  const char *only = g_getenv ("AEX_LIMITS_ONLY");

  return only != NULL && !g_str_equal (only, function->name);
}

static void
test_situation (gconstpointer data)
{
  const Situation *situation = data;
  guint n_bad = 0;

  tried |= 1u << situation->limit;
  for (guint i = 0; i < limits_n_functions; i++)
    {
      const LimitsFunction *function = &limits_functions[i];

      if (is_left_out (function))
        continue;
      if (function->problem != NULL)
        {
          g_printerr ("%s is not called: %s\n", function->name, function->problem);
          n_bad++;
        }
      for (guint variant = 0; variant < function->n_variants; variant++)
        {
          n_bad += !call (situation, function, variant);
          n_bad += !note (situation, function, variant);
        }
    }
  if (n_bad > 0)
    g_test_fail ();
}

/* The table says which limits a function reports; so does what it did. */
static void
test_table (void)
{
  guint n_bad = 0;

  for (guint i = 0; i < limits_n_functions; i++)
    {
      const LimitsFunction *function = &limits_functions[i];

      for (Limit limit = 0; limit < N_LIMITS; limit++)
        {
          guint bit = 1u << limit;
          gboolean reports = seen[i].reported[limit] != 0;

          if ((tried & bit) == 0 || is_left_out (function) || reports == ((function->fails & bit) != 0))
            continue;
          g_printerr ("%s %s \"%s\", limits.toml says that it %s\n", function->name,
                      reports ? "reports" : "does not report", limit_names[limit], reports ? "does not" : "does");
          n_bad++;
        }
    }
  if (n_bad > 0)
    g_test_fail ();
}

/* Not only for one of its subjects: for each, unless the table says why not. */
static guint
check_subjects (guint  i,
                Limit  limit,
                guint *n_reporting)
{
  const LimitsFunction *function = &limits_functions[i];
  guint n_bad = 0;

  for (guint variant = 0; variant < function->n_variants; variant++)
    {
      guint bit = 1u << variant;
      gboolean silent = (function->silent[limit] & bit) != 0;
      gboolean reported = (seen[i].reported[limit] & bit) != 0;

      *n_reporting += reported;
      if ((seen[i].called[limit] & bit) == 0 || reported != silent)
        continue;
      if (!reported && seen[i].passed_on[limit] & bit)
        continue;
      g_printerr ("%s, subject %u, %s \"%s\", limits.toml says that it %s\n", function->name, variant,
                  reported ? "reports" : "does not report", limit_names[limit], reported ? "does not" : "does");
      n_bad++;
    }
  return n_bad;
}

static void
test_subjects (void)
{
  guint n_bad = 0;

  for (Limit limit = 0; limit < N_LIMITS; limit++)
    {
      guint n_called = 0, n_reporting = 0;

      if ((tried & 1u << limit) == 0)
        continue;
      for (guint i = 0; i < limits_n_functions; i++)
        {
          if ((limits_functions[i].fails & 1u << limit) == 0 || is_left_out (&limits_functions[i]))
            continue;
          n_called += (guint) __builtin_popcount (seen[i].called[limit]);
          n_bad += check_subjects (i, limit, &n_reporting);
        }
      g_print ("# figure: limits limit=%s subjects=%u reporting=%u\n", limit_names[limit], n_called, n_reporting);
    }
  g_print ("# figure: limits functions=%u calls=%u forked=%u\n", limits_n_functions, n_calls, n_forked_calls);
  if (n_bad > 0)
    g_test_fail ();
}

int
main (int    argc,
      char **argv)
{
  if (g_getenv ("AEX_SHIM") == NULL)
    g_error ("AEX_SHIM must name the shim");
  if (g_getenv ("LD_PRELOAD") == NULL)
    {
      g_setenv ("LD_PRELOAD", g_getenv ("AEX_SHIM"), TRUE);
      g_setenv ("AE_FAIL_LATER", "pthread_create:EAGAIN:*1", TRUE);
      execv (argv[0], argv);
      g_error ("%s can not be executed again", argv[0]);
    }
  g_test_init (&argc, &argv, NULL);
  seen = g_new0 (Seen, limits_n_functions);
  report = mmap (NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (report != MAP_FAILED);
  for (guint i = 0; i < G_N_ELEMENTS (situations); i++)
    g_test_add_data_func (situations[i].path, &situations[i], test_situation);
  g_test_add_func ("/limits-table/X9-X12/as-written", test_table);
  g_test_add_func ("/limits-table/X9-X12/each-subject", test_subjects);
  return g_test_run ();
}
