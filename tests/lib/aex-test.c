/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "aex-test.h"
#include "aex-test-private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
# define AEX_TEST_SANITIZED 1
#elif defined (__has_feature)
# if __has_feature (address_sanitizer) || __has_feature (thread_sanitizer)
#  define AEX_TEST_SANITIZED 1
# endif
#endif
#ifndef AEX_TEST_SANITIZED
# define AEX_TEST_SANITIZED 0
#endif

#if defined (__SANITIZE_THREAD__)
# define AEX_TEST_THREAD_SANITIZED 1
#elif defined (__has_feature)
# if __has_feature (thread_sanitizer)
#  define AEX_TEST_THREAD_SANITIZED 1
# endif
#endif
#ifndef AEX_TEST_THREAD_SANITIZED
# define AEX_TEST_THREAD_SANITIZED 0
#endif

#if AEX_TEST_THREAD_SANITIZED && defined (__clang__)
# include <sanitizer/common_interface_defs.h>
#endif

#define DEFAULT_WATCHDOG_SECONDS 60

typedef struct
{
  char         *path;
  AexTestFunc   func;
  GTestDataFunc data_func;
  gconstpointer data;
} TestCase;

static AexCensus           *census_at_start;
static guint                watchdog_seconds = DEFAULT_WATCHDOG_SECONDS;
static const char *volatile current_path = "(no test)";

static void
watchdog_barks (int signal_number)
{
  /* Only what a signal handler may call. */
  static const char text[] = "\nwatchdog: no progress in ";
  const char *path = current_path;
  ssize_t written;

  written = write (STDERR_FILENO, text, sizeof text - 1);
  written = write (STDERR_FILENO, path, strlen (path));
  written = write (STDERR_FILENO, "\n", 1);
  (void) written;
  abort ();
}

double
aex_test_time_factor (void)
{
  const char *text = g_getenv ("AEX_TEST_TIME_FACTOR");

  if (text != NULL && g_ascii_strtod (text, NULL) > 0)
    return g_ascii_strtod (text, NULL);
  return AEX_TEST_SANITIZED ? 10.0 : 2.0;
}

static double
scale_factor (void)
{
  const char *text = g_getenv ("AEX_TEST_SCALE");
  const char *tier = g_getenv ("AEX_TEST_TIER");
  double factor = 0.1;

  if (text != NULL && g_ascii_strtod (text, NULL) > 0)
    return g_ascii_strtod (text, NULL);
  if (g_strcmp0 (tier, "full") == 0 || g_strcmp0 (tier, "nightly") == 0)
    factor = 1.0;
  return AEX_TEST_SANITIZED ? factor / 10 : factor;
}

gboolean
aex_test_is_sanitized (void)
{
  return AEX_TEST_SANITIZED;
}

guint
aex_test_scale (guint n)
{
  return MAX (1, (guint) (n * scale_factor ()));
}

guint
aex_test_scale_whole (guint n)
{
  return aex_test_scale (AEX_TEST_SANITIZED ? 10 * n : n);
}

guint
aex_test_scale_size (guint n)
{
  return aex_test_scale (AEX_TEST_SANITIZED ? n / 10 : n);
}

void
aex_test_set_watchdog (guint seconds)
{
  watchdog_seconds = seconds;
  alarm ((guint) (seconds * aex_test_time_factor ()));
}

/* What stays for the life of the process is there before the first census:
 * the caller of the default context, GLib's spawner of pool threads, the
 * worker thread that GTask wants. */
static gpointer
nothing (gpointer data)
{
  return NULL;
}

static void
push_nothing (gpointer data,
              gpointer user_data)
{
}

static void
warm_up (void)
{
  G_GNUC_UNUSED g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) pending = aex_pending_new_resolved (NULL);
  GThreadPool *pool = g_thread_pool_new (push_nothing, NULL, 1, FALSE, NULL);

#if AEX_TEST_THREAD_SANITIZED && defined (__clang__)
  /* Names are asked of another program, also for what is suppressed; its pipes stay. */
  char text[64];

  __sanitizer_symbolize_pc (__builtin_return_address (0), "%f", text, sizeof text);
#endif
  g_type_ensure (G_TYPE_TASK);
  g_thread_pool_push (pool, GINT_TO_POINTER (1), NULL);
  g_thread_pool_free (pool, FALSE, TRUE);
  g_thread_pool_set_max_unused_threads (0);
  g_thread_join (g_thread_new ("warm-up", nothing, NULL));
  aex_test_run_until_done (pending);
}

void
aex_test_init (int    *argc,
               char ***argv)
{
  struct sigaction action = { .sa_handler = watchdog_barks };

  g_test_init (argc, argv, NULL);
  sigaction (SIGALRM, &action, NULL);
  aex_test_log_install ();
  aex_test_set_watchdog (DEFAULT_WATCHDOG_SECONDS);
  warm_up ();
  census_at_start = aex_census_take ();
}

guint
aex_test_get_n_threads_at_start (void)
{
  return aex_census_get_n_threads (census_at_start);
}

static void
test_case_free (gpointer data)
{
  TestCase *self = data;

  g_free (self->path);
  g_free (self);
}

static void
test_case_run (gconstpointer data)
{
  const TestCase *self = data;
  g_autoptr (AexCensus) before = aex_census_take ();

  current_path = self->path;
  aex_test_set_watchdog (watchdog_seconds);
  if (self->func != NULL)
    self->func ();
  else
    self->data_func (self->data);
  aex_clock_set_virtual (FALSE);
  if (!aex_census_settle (before, FALSE, self->path))
    g_test_fail ();
}

static void
add_case (const char   *path,
          AexTestFunc   func,
          gconstpointer data,
          GTestDataFunc data_func)
{
  TestCase *self = g_new0 (TestCase, 1);

  self->path = g_strdup (path);
  self->func = func;
  self->data = data;
  self->data_func = data_func;
  g_test_add_data_func_full (path, self, test_case_run, test_case_free);
}

void
aex_test_add (const char *path,
              AexTestFunc func)
{
  add_case (path, func, NULL, NULL);
}

void
aex_test_add_data (const char   *path,
                   gconstpointer data,
                   GTestDataFunc func)
{
  add_case (path, NULL, data, func);
}

static void
test_census (void)
{
  current_path = "/census/X7/program";
  aex_test_set_watchdog (watchdog_seconds);
  aex_timer_service_quiesce ();
  g_thread_pool_stop_unused_threads ();
  if (!aex_census_settle (census_at_start, TRUE, "the program"))
    g_test_fail ();
}

#if AEX_TEST_THREAD_SANITIZED
static int n_reports;   /* atomic */

/* Called by the run-time library after each report that is not suppressed. */
void __tsan_on_report (void *report);

void
__tsan_on_report (void *report)
{
  __atomic_add_fetch (&n_reports, 1, __ATOMIC_RELAXED);
}

static void
test_no_report (void)
{
  current_path = "/census/no-report";
  aex_test_set_watchdog (watchdog_seconds);
  g_assert_cmpint (__atomic_load_n (&n_reports, __ATOMIC_RELAXED), ==, 0);
}
#endif

int
aex_test_run (void)
{
  int result;

  /* Suites run in the order of their first case: this one is the last. */
  g_test_add_func ("/census/X7/program", test_census);
#if AEX_TEST_THREAD_SANITIZED
  /* tests/run says when GLib's locks are such that their order is seen. */
  if (g_strcmp0 (g_getenv ("AEX_TEST_PASS"), "lock-order") == 0)
    g_test_add_func ("/census/X6/no-report", test_no_report);
  else
    g_test_add_func ("/census/X5/no-report", test_no_report);
#endif
  result = g_test_run ();
  g_clear_pointer (&census_at_start, aex_census_free);
  alarm (0);
  return result;
}
