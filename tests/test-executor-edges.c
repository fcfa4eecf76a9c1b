/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* What is rarely done with executors, and allowed. */

/* --- options */

/* A copy has all of it and shares nothing that the other may change. */
static void
test_copied_options (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexSubmitOptions *options = aex_submit_options_new ();
  g_autoptr (AexSubmitOptions) copy = NULL;
  g_autoptr (AexContextVar) var = aex_test_var_new (1);
  g_autoptr (AexContext) context = aex_context_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) cancelled = NULL;
  g_autoptr (GVariant) kept = NULL;
  g_autoptr (GVariant) removed = NULL;
  g_autofree char *name = NULL;

  aex_test_var_set (var, 5);
  aex_submit_options_set_name (options, "copied");
  aex_submit_options_set_metadata (options, "kept", g_variant_new_int32 (3));
  aex_submit_options_set_metadata (options, "removed", g_variant_new_int32 (4));
  aex_submit_options_set_metadata (options, "removed", NULL);
  aex_submit_options_set_context (options, context);
  aex_submit_options_set_cancellable (options, cancellable);
  copy = g_boxed_copy (AEX_TYPE_SUBMIT_OPTIONS, options);
  aex_submit_options_set_metadata (options, "kept", NULL);
  aex_submit_options_set_context (options, NULL);
  aex_submit_options_set_name (options, "changed");
  aex_submit_options_free (options);
  job = aex_executor_submit_full (pool, copy, aex_job_read_and_change_var, var, NULL);
  aex_test_wait (job);
  name = aex_pending_dup_name (job);
  g_assert_cmpstr (name, ==, "copied");
  /* The context that was given is empty, whatever is set here. */
  aex_assert_resolved_int64 (job, 1);
  kept = aex_pending_dup_metadata (job, "kept");
  removed = aex_pending_dup_metadata (job, "removed");
  g_assert_cmpint (g_variant_get_int32 (kept), ==, 3);
  g_assert_null (removed);
  g_cancellable_cancel (cancellable);
  cancelled = aex_executor_submit_full (pool, copy, aex_job_int, NULL, NULL);
  aex_test_wait (cancelled);
  aex_assert_cancelled (cancelled);
  aex_test_shutdown (pool);
}

static void
test_remove_what_is_not_there (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GVariant) value = NULL;

  aex_submit_options_set_metadata (options, "key", NULL);
  job = aex_executor_submit_full (pool, options, aex_job_int, GINT_TO_POINTER (2), NULL);
  aex_test_wait (job);
  value = aex_pending_dup_metadata (job, "key");
  g_assert_null (value);
  aex_test_shutdown (pool);
}

static AexPending *
async_seven (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  aex_pending_resolve_int64 (job, 7);
  return NULL;
}

static void
test_without_options (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) plain = aex_executor_submit_full (pool, NULL, aex_job_int, GINT_TO_POINTER (6), NULL);
  g_autoptr (AexPending) coroutine = aex_executor_submit_async_full (pool, NULL, async_seven, NULL, NULL);

  aex_test_wait (plain);
  aex_test_wait (coroutine);
  aex_assert_resolved_int64 (plain, 6);
  aex_assert_resolved_int64 (coroutine, 7);
  aex_test_shutdown (pool);
}

/* --- maps */
static gboolean
map_silent_failure (AexPendingStream *stream,
                    guint             index,
                    GCancellable     *cancellable,
                    gpointer          user_data,
                    GError          **error)
{
  return FALSE;
}

static void
test_map_fails_without_error (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 2, 0, -1, AEX_MAP_FLAGS_NONE, map_silent_failure, NULL, NULL);
  g_autoptr (AexPending) next = aex_pending_stream_next (stream);

  aex_test_wait (next);
  aex_assert_state (next, REJECTED);
  aex_assert_failed_with (next, AEX_ERROR, AEX_ERROR_FAILED);
  g_clear_object (&next);
  g_clear_object (&stream);
  aex_test_shutdown (pool);
}

/* What is below has stopped: the map ends, and says so. */
static void
test_map_on_a_stopped_one (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_limiter_new (pool, 1);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) next = NULL;
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_run_until_done (done);
  stream = aex_executor_map (limiter, 2, 0, -1, AEX_MAP_FLAGS_NONE, map_silent_failure, NULL, NULL);
  next = aex_pending_stream_next (stream);
  aex_test_run_until_done (next);
  aex_assert_failed_with (next, AEX_ERROR, AEX_ERROR_CLOSED);
  g_clear_object (&next);
  g_clear_object (&stream);
  aex_test_shutdown (limiter);
  g_object_unref (pool);
}

/* --- threads that block */

/* Outside of a pool there is nobody to replace; inside, the outermost of nested ones counts. */
static gboolean
job_open (AexPending   *job,
          GCancellable *cancellable,
          gpointer      gate,
          GError      **error)
{
  aex_gate_open (gate);
  return TRUE;
}

static gboolean
job_block_twice (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      pool,
                 GError      **error)
{
  g_autoptr (AexPending) other = NULL;
  AexGate gate;

  aex_gate_init (&gate);
  aex_blocking_begin ();
  aex_blocking_begin ();
  other = aex_executor_submit (pool, job_open, &gate, NULL);
  aex_blocking_end ();
  /* The only worker is here, blocked where the library does not see it, and was replaced. */
  aex_gate_wait (&gate);
  aex_blocking_end ();
  aex_test_wait (other);
  aex_gate_clear (&gate);
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

static void
test_blocking (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;

  aex_blocking_begin ();
  aex_blocking_end ();
  job = aex_executor_submit (pool, job_block_twice, pool, NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add_in_context ("/edges/K46/copied-options", test_copied_options);
  aex_test_add ("/edges/K46/remove-what-is-not-there", test_remove_what_is_not_there);
  aex_test_add ("/edges/submit/without-options", test_without_options);
  aex_test_add ("/edges/R2/map-fails-without-error", test_map_fails_without_error);
  aex_test_add ("/edges/E8/map-on-a-stopped-one", test_map_on_a_stopped_one);
  aex_test_add ("/edges/blocking", test_blocking);
  return aex_test_run ();
}
