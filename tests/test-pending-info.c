/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

#include <string.h>

/* What a pending tells about itself: K30, K46, S1, S2. */

/* --- names and metadata */

static void
test_name (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  char text[] = "given";
  g_autofree char *none = aex_pending_dup_name (pending);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  g_assert_null (none);
  aex_pending_set_name (pending, text);
  text[0] = 'd';
  first = aex_pending_dup_name (pending);
  g_assert_cmpstr (first, ==, "given");
  aex_pending_set_static_name (pending, "static");
  second = aex_pending_dup_name (pending);
  g_assert_cmpstr (second, ==, "static");
  aex_pending_set_name (pending, NULL);
  g_assert_null (aex_pending_dup_name (pending));
  aex_pending_cancel (pending, NULL);
}

static gboolean
return_1 (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

static void
test_name_option (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GVariant) value = NULL;

  aex_submit_options_set_name (options, "hash a file");
  aex_submit_options_set_metadata (options, "path", g_variant_new_string ("/etc/passwd"));
  job = aex_executor_submit_full (pool, options, return_1, NULL, NULL);
  name = aex_pending_dup_name (job);
  g_assert_cmpstr (name, ==, "hash a file");
  value = aex_pending_dup_metadata (job, "path");
  g_assert_nonnull (value);
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, "/etc/passwd");
  aex_test_run_until_done (job);
  aex_test_shutdown (pool);
}

static void
test_metadata (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GVariant) number = NULL;
  g_autoptr (GVariant) text = NULL;

  g_assert_null (aex_pending_dup_metadata (pending, "n"));
  aex_pending_set_metadata (pending, "n", g_variant_new_int32 (1));
  aex_pending_set_metadata (pending, "t", g_variant_new_string ("one"));
  aex_pending_set_metadata (pending, "n", g_variant_new_int32 (2));
  number = aex_pending_dup_metadata (pending, "n");
  text = aex_pending_dup_metadata (pending, "t");
  g_assert_cmpint (g_variant_get_int32 (number), ==, 2);
  g_assert_cmpstr (g_variant_get_string (text, NULL), ==, "one");
  aex_pending_set_metadata (pending, "n", NULL);
  g_assert_null (aex_pending_dup_metadata (pending, "n"));
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_clear_pointer (&text, g_variant_unref);
  text = aex_pending_dup_metadata (pending, "t");
  g_assert_nonnull (text);
}

/* --- K30: the pending that runs here */

static gboolean
check_current (AexPending   *job,
               GCancellable *cancellable,
               gpointer      data,
               GError      **error)
{
  g_assert_true (aex_pending_get_current () == job);
  *(int *) data = 1;
  return TRUE;
}

static void
test_current (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) there = NULL;
  g_autoptr (AexPending) here = NULL;
  int ran[2] = { 0 };

  g_assert_null (aex_pending_get_current ());
  there = aex_executor_submit (pool, check_current, &ran[0], NULL);
  here = aex_executor_submit (AEX_EXECUTOR (caller), check_current, &ran[1], NULL);
  aex_test_run_until_done (there);
  aex_test_run_until_done (here);
  g_assert_null (aex_pending_get_current ());
  g_assert_cmpint (ran[0] + ran[1], ==, 2);
  aex_test_shutdown (pool);
}

static void
test_check_cancelled_outside (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_check_cancelled (&error));
  g_assert_no_error (error);
}

/* --- S1: info */

static void
test_info_of_promise (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPendingInfo) info = NULL;
  g_autoptr (AexPendingInfo) copy = NULL;

  aex_pending_set_name (pending, "a promise");
  info = aex_pending_dup_info (pending);
  g_assert_cmpstr (aex_pending_info_get_name (info), ==, "a promise");
  g_assert_cmpint (aex_pending_info_get_state (info), ==, AEX_PENDING_STATE_RUNNING);
  g_assert_null (aex_pending_info_get_executor_name (info));
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_pending_set_name (pending, "renamed");
  /* A picture of the moment it was taken. */
  g_assert_cmpint (aex_pending_info_get_state (info), ==, AEX_PENDING_STATE_RUNNING);
  copy = aex_pending_info_copy (info);
  g_clear_pointer (&info, aex_pending_info_free);
  g_assert_cmpstr (aex_pending_info_get_name (copy), ==, "a promise");
  info = aex_pending_dup_info (pending);
  g_assert_cmpint (aex_pending_info_get_state (info), ==, AEX_PENDING_STATE_RESOLVED);
  g_assert_cmpstr (aex_pending_info_get_name (info), ==, "renamed");
}

static void
test_info_of_job (void)
{
  AexExecutor *pool = g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 1u, "name", "my pool", NULL);
  g_autoptr (AexPending) blocker = NULL;
  g_autoptr (AexPending) queued = NULL;
  AexPendingInfo *infos[3];
  AexBlock block;

  aex_block_init (&block);
  blocker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  queued = aex_executor_submit (pool, return_1, NULL, NULL);
  infos[0] = aex_pending_dup_info (blocker);
  infos[1] = aex_pending_dup_info (queued);
  g_assert_cmpint (aex_pending_info_get_state (infos[0]), ==, AEX_PENDING_STATE_RUNNING);
  g_assert_cmpint (aex_pending_info_get_state (infos[1]), ==, AEX_PENDING_STATE_QUEUED);
  g_assert_cmpint (aex_pending_info_get_done_us (infos[1]), <=, 0);
  aex_gate_open (&block.release);
  aex_test_run_until_done (queued);
  infos[2] = aex_pending_dup_info (queued);
  g_assert_cmpint (aex_pending_info_get_state (infos[2]), ==, AEX_PENDING_STATE_RESOLVED);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpstr (aex_pending_info_get_executor_name (infos[i]), ==, "my pool");
      aex_pending_info_free (infos[i]);
    }
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

/* --- S2: result */

static void
test_result (void)
{
  g_autoptr (AexPending) good = aex_pending_new ();
  g_autoptr (AexPendingResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GValue *value;

  g_assert_null (aex_pending_dup_result (good));
  g_assert_true (aex_pending_resolve_string (good, "out"));
  result = aex_pending_dup_result (good);
  g_assert_true (aex_pending_result_get_success (result));
  g_assert_true (aex_pending_result_get_pending (result) == good);
  g_assert_null (aex_pending_result_dup_error (result));
  g_assert_cmpstr (g_value_get_string (aex_pending_result_get_value (result, &error)), ==, "out");
  g_assert_no_error (error);
  value = aex_pending_result_dup_value (result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_value_get_string (value), ==, "out");
  g_boxed_free (G_TYPE_VALUE, value);
}

static void
check_failed_result (AexPending *pending,
                     int         code)
{
  g_autoptr (AexPendingResult) result = aex_pending_dup_result (pending);
  g_autoptr (GError) own = aex_pending_result_dup_error (result);
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_result_get_success (result));
  g_assert_error (own, G_IO_ERROR, code);
  g_assert_null (aex_pending_result_dup_value (result, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_clear_error (&error);
  g_assert_null (aex_pending_result_get_value (result, &error));
  g_assert_error (error, G_IO_ERROR, code);
}

static void
test_failed_result (void)
{
  g_autoptr (AexPending) rejected = aex_pending_new ();
  g_autoptr (AexPending) cancelled = aex_pending_new ();

  g_assert_true (aex_pending_reject_new (rejected, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "where?"));
  g_assert_true (aex_pending_cancel (cancelled, NULL));
  check_failed_result (rejected, G_IO_ERROR_NOT_FOUND);
  check_failed_result (cancelled, G_IO_ERROR_CANCELLED);
}

/* --- types that bindings see */

static void
test_types (void)
{
  g_assert_true (g_type_is_a (AEX_TYPE_PENDING, G_TYPE_OBJECT));
  g_assert_true (g_type_is_a (AEX_TYPE_PENDING_RESULT, G_TYPE_OBJECT));
  g_assert_true (G_TYPE_IS_BOXED (AEX_TYPE_PENDING_INFO));
  g_assert_true (G_TYPE_IS_FINAL (AEX_TYPE_PENDING));
  g_assert_cmpstr (g_quark_to_string (AEX_ERROR), !=, NULL);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/info/name", test_name);
  aex_test_add ("/pending/info/name-option", test_name_option);
  aex_test_add ("/pending/K46/metadata", test_metadata);
  aex_test_add ("/pending/K30/current", test_current);
  aex_test_add ("/pending/info/check-cancelled-outside", test_check_cancelled_outside);
  aex_test_add ("/pending/S1/info-of-promise", test_info_of_promise);
  aex_test_add ("/pending/S1/info-of-job", test_info_of_job);
  aex_test_add ("/pending/S2/result", test_result);
  aex_test_add ("/pending/S2/failed-result", test_failed_result);
  aex_test_add ("/pending/info/types", test_types);
  return aex_test_run ();
}
