/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Provokes errors as a program of a user does, and prints what they say: one a
 * line, after the name by which translated.py knows it.  AEX_TEST_LOCALEDIR is
 * where the catalogues of the build are; the library itself looks where they are
 * installed. */

#include <asyncexec.h>
#include <libintl.h>
#include <locale.h>
#include <sys/resource.h>
#include <unistd.h>

static void
say (const char *name, const char *message)
{
  g_print ("%s\t%s\n", name, message);
}

/* Takes the error. */
static void
say_error (const char *name, GError *error)
{
  g_assert_nonnull (error);
  say (name, error->message);
  g_error_free (error);
}

/* Takes the pending, which is waited for. */
static void
say_outcome (const char *name, AexPending *pending)
{
  aex_pending_run_until_done (pending, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  say_error (name, aex_pending_dup_error (pending));
  g_object_unref (pending);
}

/* Takes the pending. */
static void
say_status (const char *name, AexPending *pending)
{
  g_autofree char *text = aex_pending_dup_status_text (pending);
  g_autoptr (GError) error = NULL;

  say (name, text);
  /* Whoever looked is not told again. */
  error = aex_pending_dup_error (pending);
  g_object_unref (pending);
}

static gboolean
job (AexPending *self, GCancellable *cancellable, gpointer succeed, GError **error)
{
  return succeed != NULL;
}

static AexPending *
rejected (const char *message)
{
  return aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, message));
}

static void
say_reads (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) cancelled = aex_pending_new ();
  g_autoptr (AexPending) text = aex_pending_new ();
  g_autoptr (AexPending) nothing = aex_pending_new_resolved (NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GError *error = NULL;

  aex_pending_dup_string (promise, &error);
  say_error ("not-done", g_steal_pointer (&error));
  aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, 1, NULL, &error);
  say_error ("not-in-time", g_steal_pointer (&error));
  g_cancellable_cancel (cancellable);
  aex_pending_wait (promise, AEX_WAIT_FLAGS_NONE, -1, cancellable, &error);
  say_error ("wait-cancelled", g_steal_pointer (&error));
  say_outcome ("over", aex_pending_with_timeout (promise, 1));
  aex_pending_cancel (cancelled, NULL);
  say_error ("cancelled", aex_pending_dup_error (cancelled));
  aex_pending_resolve_string (text, "x");
  aex_pending_get_int64 (text, &error);
  say_error ("mismatch", g_steal_pointer (&error));
  aex_pending_get_int64 (nothing, &error);
  say_error ("no-value", g_steal_pointer (&error));
}

static void
say_statuses (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  AexPending *queued = aex_executor_submit (AEX_EXECUTOR (main_caller), job, NULL, NULL);
  AexPending *cancelled = aex_pending_new ();

  aex_pending_cancel (cancelled, NULL);
  aex_pending_cancel (queued, NULL);
  say_status ("status-waiting", aex_executor_submit (AEX_EXECUTOR (main_caller), job, job, NULL));
  say_status ("status-running", aex_pending_new ());
  say_status ("status-done", aex_pending_new_resolved (NULL));
  say_status ("status-failed", aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "")));
  say_status ("status-cancelled", cancelled);
  g_object_unref (queued);
}

static void
say_combinations (void)
{
  g_autoptr (AexPending) a = rejected ("a");
  g_autoptr (AexPending) b = rejected ("b");
  g_autoptr (AexPending) first = aex_pending_new ();
  AexPending *abandoned = aex_pending_new ();
  AexPending *derived = aex_pending_shield (abandoned);

  say_outcome ("group-1", aex_pending_any (a, NULL));
  say_outcome ("group-2", aex_pending_any (a, b, NULL));
  say_outcome ("any-of-none", aex_pending_anyv (NULL, 0));
  say_outcome ("first-of-none", aex_pending_firstv (NULL, 0));
  aex_pending_follow (first, first);
  say_error ("ring", aex_pending_dup_error (first));
  g_object_unref (abandoned);
  say_outcome ("abandoned", derived);
}

static void
say_executors (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  AexExecutor *executor = AEX_EXECUTOR (main_caller);
  g_autoptr (AexExecutor) pool = aex_thread_pool_new (1);
  g_autoptr (AexPending) first = aex_executor_submit (executor, job, job, NULL);
  g_autoptr (AexPending) second = NULL;
  g_autoptr (AexPending) third = NULL;
  g_autoptr (AexPending) stopped = NULL;
  GError *error = NULL;

  aex_executor_set_max_pending (executor, 1);
  say_outcome ("busy-1", aex_executor_submit (executor, job, job, NULL));
  aex_executor_set_max_pending (executor, 2);
  first = (g_object_unref (first), aex_executor_submit (executor, job, job, NULL));
  second = aex_executor_submit (executor, job, job, NULL);
  say_outcome ("busy-2", aex_executor_submit (executor, job, job, NULL));
  aex_executor_set_max_pending (executor, 0);
  third = aex_executor_submit (executor, job, job, NULL);
  aex_pending_wait (third, AEX_WAIT_FLAGS_NONE, -1, NULL, &error);
  say_error ("deadlock", g_steal_pointer (&error));
  say_outcome ("no-error", aex_executor_submit (pool, job, NULL, NULL));
  say_outcome ("no-operation", aex_executor_call (pool, "fly", NULL));
  say_outcome ("no-algorithm", aex_executor_call (pool, "file-checksum",
                                                  g_variant_new_parsed ("{'path': <b'/etc/passwd'>, 'algorithm': <'rot13'>}")));
  stopped = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);
  say_outcome ("closed", aex_executor_submit (pool, job, job, NULL));
  aex_pending_run_until_done (stopped, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
}

static void
say_scopes (void)
{
  g_autoptr (AexScope) over = aex_scope_new (0, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (AexScope) cancelled = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE);
  GError *error = NULL;

  aex_scope_cancel (cancelled);
  aex_scope_check (over, &error);
  say_error ("scope-over", g_steal_pointer (&error));
  aex_scope_check (cancelled, &error);
  say_error ("scope-cancelled", g_steal_pointer (&error));
}

static gpointer
acquire (gpointer context)
{
  return GINT_TO_POINTER (g_main_context_acquire (context));
}

/* At last: the main context is the other thread's from then on. */
static void
say_other_thread (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  GError *error = NULL;

  g_assert_true (GPOINTER_TO_INT (g_thread_join (g_thread_new ("owner", acquire, g_main_context_default ()))));
  aex_pending_run_until_done (promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &error);
  say_error ("other-thread", error);
}

/* Says nothing, for the reason is in the language of the system, if that is installed.  Late: without a descriptor the
 * catalogue could not be opened. */
static void
lack_descriptors (void)
{
  struct rlimit before, none;
  g_autoptr (GError) error = NULL;
  int lowest = dup (STDERR_FILENO);

  close (lowest);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  none = before;
  none.rlim_cur = (rlim_t) lowest;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_null (aex_caller_new_thread ("none", &error));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
}

int
main (void)
{
  g_autoptr (AexPending) first = aex_pending_new ();

  setlocale (LC_ALL, "");
  /* With its first message the library says where catalogues are. */
  g_free (aex_pending_dup_status_text (first));
  bindtextdomain ("asyncexec-1", g_getenv ("AEX_TEST_LOCALEDIR"));
  aex_pending_cancel (first, NULL);
  say_reads ();
  say_statuses ();
  say_combinations ();
  say_executors ();
  say_scopes ();
  lack_descriptors ();
  say_other_thread ();
  return 0;
}
