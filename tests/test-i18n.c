/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <libintl.h>

/* What messages are without a translation; with one, see tests/po. */

/* First: nobody has asked for a message yet. */
static void
test_bound_at_first_message (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autofree char *text = NULL;

  g_assert_null (bind_textdomain_codeset ("asyncexec-1", NULL));
  text = aex_pending_dup_status_text (promise);
  g_assert_cmpstr (text, ==, "Running");
  g_assert_cmpstr (bind_textdomain_codeset ("asyncexec-1", NULL), ==, "UTF-8");
}

static AexPending *
rejected (const char *message)
{
  return aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, message));
}

static void
assert_message (AexPending *pending, const char *expected)
{
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  g_assert_nonnull (error);
  g_assert_cmpstr (error->message, ==, expected);
  g_object_unref (pending);
}

static void
test_failures (void)
{
  g_autoptr (AexPending) a = rejected ("a");
  g_autoptr (AexPending) b = rejected ("b");

  assert_message (aex_pending_any (a, NULL), "1 operation failed: a");
  assert_message (aex_pending_any (a, b, NULL), "2 operations failed: a; b");
}

static void
test_queue (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) running = NULL;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  AexBlock block;

  aex_block_init (&block);
  running = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  first = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_executor_set_max_pending (pool, 1);
  assert_message (aex_executor_submit (pool, aex_job_int, NULL, NULL),
                  "1 job is queued, which is the limit: try again when it has run");
  aex_executor_set_max_pending (pool, 2);
  second = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  assert_message (aex_executor_submit (pool, aex_job_int, NULL, NULL),
                  "2 jobs are queued, which is the limit: try again when some have run");
  aex_gate_open (&block.release);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/i18n/bound-at-first-message", test_bound_at_first_message);
  aex_test_add ("/i18n/plural/failures", test_failures);
  aex_test_add ("/i18n/plural/queue", test_queue);
  return aex_test_run ();
}
