/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* What AEX_DEBUG adds; main() sets it. */

static gboolean
quiet_job (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  return TRUE;
}

/* What addr2line takes: the file and the offset in it. */
static void
assert_name_of_function (AexPending *job)
{
  g_autofree char *name = aex_pending_dup_name (job);
  g_autofree char *wanted = aex_debug_name_func ((gpointer) quiet_job);

  g_assert_cmpstr (name, ==, wanted);
  g_assert_true (g_regex_match_simple ("^[a-z-]*test-debug\\+0x[0-9a-f]+$", name, G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT));
}

static void
assert_name (AexPending *job, const char *wanted)
{
  g_autofree char *name = aex_pending_dup_name (job);

  g_assert_cmpstr (name, ==, wanted);
}

static void
test_names (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) plain = aex_executor_submit (pool, quiet_job, NULL, NULL);
  g_autoptr (AexPending) with_options = aex_executor_submit_full (pool, options, quiet_job, NULL, NULL);
  g_autoptr (AexPending) named = NULL;

  aex_submit_options_set_name (options, "given");
  named = aex_executor_submit_full (pool, options, quiet_job, NULL, NULL);
  assert_name_of_function (plain);
  assert_name_of_function (with_options);
  assert_name (named, "given");
  aex_test_shutdown (pool);
}

static void
test_names_later (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (NULL);
  g_autoptr (AexPending) job = aex_caller_call_later (caller, 1, quiet_job, NULL, NULL);

  assert_name_of_function (job);
  aex_test_run_until_done (job);
}

/* What is exported has a name that everybody can read. */
static void
test_symbol (void)
{
  g_autofree char *name = aex_debug_name_func ((gpointer) g_strdup_printf);

  g_assert_cmpstr (name, ==, "g_strdup_printf");
}

/* A promise of nobody's function has no name, and neither has a closure that no file contains. */
static void
test_no_name (void)
{
  g_autoptr (AexPending) promise = aex_pending_new_resolved (NULL);
  gpointer nowhere = g_malloc (1);

  assert_name (promise, NULL);
  g_assert_null (aex_debug_name_func (nowhere));
  g_free (nowhere);
}

static void
assert_has_times (AexPending *job)
{
  g_autoptr (AexPendingInfo) info = aex_pending_dup_info (job);

  g_assert_cmpint (aex_pending_info_get_submitted_us (info), >=, 0);
  g_assert_cmpint (aex_pending_info_get_started_us (info), >=, aex_pending_info_get_submitted_us (info));
  g_assert_cmpint (aex_pending_info_get_done_us (info), >=, aex_pending_info_get_started_us (info));
  g_assert_cmpuint (aex_pending_info_get_thread_id (info), !=, 0);
}

static void
test_times (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = aex_executor_submit (pool, quiet_job, NULL, NULL);
  gboolean records;

  aex_test_run_until_done (job);
  assert_has_times (job);
  g_object_get (pool, "record-times", &records, NULL);
  g_assert_true (records);
  aex_test_shutdown (pool);
}

/* What is delayed or queued is submitted as well. */
static void
test_times_later (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (NULL);
  g_autoptr (AexPending) job = aex_caller_call_later (caller, 1, quiet_job, NULL, NULL);

  aex_test_run_until_done (job);
  assert_has_times (job);
}

int
main (int argc, char **argv)
{
  g_setenv ("AEX_DEBUG", "names,times", TRUE);
  aex_test_init (&argc, &argv);
  aex_test_add ("/debug/names/functions", test_names);
  aex_test_add ("/debug/names/symbol", test_symbol);
  aex_test_add ("/debug/names/later", test_names_later);
  aex_test_add ("/debug/names/none", test_no_name);
  aex_test_add ("/debug/times/recorded", test_times);
  aex_test_add ("/debug/times/later", test_times_later);
  return aex_test_run ();
}
