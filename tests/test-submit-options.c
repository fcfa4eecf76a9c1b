/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* K25: what a submission can say. */

#define TIMEOUT_US (100 * 1000)

static AexPending *
submit_int (AexExecutor      *executor,
            AexSubmitOptions *options,
            int               n)
{
  return aex_executor_submit_full (executor, options, aex_job_int, GINT_TO_POINTER (n), NULL);
}

static void
test_none (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) empty = aex_submit_options_new ();
  g_autoptr (AexPending) without = submit_int (pool, NULL, 1);
  g_autoptr (AexPending) with_empty = submit_int (pool, empty, 2);

  aex_test_wait (without);
  aex_test_wait (with_empty);
  aex_assert_resolved_int64 (without, 1);
  aex_assert_resolved_int64 (with_empty, 2);
  aex_test_shutdown (pool);
}

static void
test_name_and_metadata (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GVariant) path = NULL;
  g_autoptr (GVariant) size = NULL;
  g_autofree char *name = NULL;

  aex_submit_options_set_name (options, "thumbnail");
  aex_submit_options_set_metadata (options, "path", g_variant_new_string ("/a"));
  aex_submit_options_set_metadata (options, "size", g_variant_new_int32 (64));
  aex_submit_options_set_metadata (options, "path", g_variant_new_string ("/b"));
  job = submit_int (pool, options, 1);
  name = aex_pending_dup_name (job);
  g_assert_cmpstr (name, ==, "thumbnail");
  path = aex_pending_dup_metadata (job, "path");
  g_assert_cmpstr (g_variant_get_string (path, NULL), ==, "/b");
  size = aex_pending_dup_metadata (job, "size");
  g_assert_cmpint (g_variant_get_int32 (size), ==, 64);
  g_assert_null (aex_pending_dup_metadata (job, "color"));
  aex_test_wait (job);
  aex_test_shutdown (pool);
}

/* The options are read at the submission and can be used again. */
static void
test_reused_and_copied (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexSubmitOptions) copy = NULL;
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  g_autoptr (AexPending) third = NULL;
  g_autofree char *first_name = NULL;
  g_autofree char *second_name = NULL;
  g_autofree char *third_name = NULL;

  aex_submit_options_set_name (options, "one");
  first = submit_int (pool, options, 1);
  copy = aex_submit_options_copy (options);
  aex_submit_options_set_name (options, "two");
  second = submit_int (pool, options, 2);
  third = submit_int (pool, copy, 3);
  first_name = aex_pending_dup_name (first);
  second_name = aex_pending_dup_name (second);
  third_name = aex_pending_dup_name (third);
  g_assert_cmpstr (first_name, ==, "one");
  g_assert_cmpstr (second_name, ==, "two");
  g_assert_cmpstr (third_name, ==, "one");
  aex_test_wait (third);
  aex_test_shutdown (pool);
}

static GPtrArray *
submit_mixed (AexExecutor *executor,
              AexRecord   *record)
{
  GPtrArray *jobs = aex_test_pendings_new ();

  g_ptr_array_add (jobs, aex_submit_note_with_priority (executor, AEX_PRIORITY_BACKGROUND, record, "b1"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (executor, AEX_PRIORITY_DEFAULT, record, "d1"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (executor, AEX_PRIORITY_HIGH, record, "h1"));
  g_ptr_array_add (jobs, aex_submit_note (executor, record, "d2"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (executor, AEX_PRIORITY_HIGH, record, "h2"));
  return jobs;
}

static void
test_priority_on_pool (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = NULL;
  AexRecord record;

  aex_record_init (&record);
  jobs = submit_mixed (pool, &record);
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  aex_assert_record (&record, "h1 h2 d1 d2 b1");
  aex_record_clear (&record);
  aex_test_shutdown (pool);
}

static void
test_priority_on_caller (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = NULL;
  AexRecord record;

  aex_record_init (&record);
  jobs = submit_mixed (AEX_EXECUTOR (caller), &record);
  for (guint i = 0; i < jobs->len; i++)
    aex_test_run_until_done (jobs->pdata[i]);
  aex_assert_record (&record, "h1 h2 d1 d2 b1");
  aex_record_clear (&record);
}

/* --- timeout: counts from the submission */

/* To be called and released on the only worker of the pool. */
static void
poison_of_worker (AexPoison   *self,
                  AexExecutor *pool)
{
  g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_thread, NULL, NULL);

  aex_test_wait (job);
  aex_poison_init (self);
  self->thread = aex_pending_get_pointer (job, NULL);
}

static AexSubmitOptions *
options_with_timeout (gint64 timeout_us)
{
  AexSubmitOptions *options = aex_submit_options_new ();

  aex_submit_options_set_timeout (options, timeout_us);
  return options;
}

static void
test_timeout_queued (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = options_with_timeout (TIMEOUT_US);
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_test_virtual_time ();
  poison_of_worker (&poison, pool);
  blocker = aex_block_begin (&block, pool);
  job = aex_executor_submit_full (pool, options, aex_poison_job, &poison, aex_poison_release);
  aex_clock_advance (TIMEOUT_US - 1);
  aex_assert_state (job, QUEUED);
  aex_clock_advance (1);
  aex_test_wait (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_cancelled (job));
  aex_block_end (&block, blocker);
  aex_test_shutdown (pool);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
}

typedef struct
{
  AexGate     started;
  AexGate     cancelled;
  AexGate     release;
  AexPending *job;
} Running;

static void
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  aex_gate_open (&((Running *) user_data)->cancelled);
}

/* Says when its cancellable is cancelled, and returns later with a value. */
static gboolean
job_report_cancel (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      user_data,
                   GError      **error)
{
  Running *self = user_data;
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);

  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  g_cancellable_disconnect (cancellable, handler);
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

static void
running_begin (Running          *self,
               AexExecutor      *executor,
               AexSubmitOptions *options)
{
  aex_gate_init (&self->started);
  aex_gate_init (&self->cancelled);
  aex_gate_init (&self->release);
  self->job = aex_executor_submit_full (executor, options, job_report_cancel, self, NULL);
  aex_gate_wait (&self->started);
}

static void
running_end (Running *self)
{
  aex_gate_open (&self->release);
  aex_test_wait (self->job);
  g_object_unref (self->job);
  aex_gate_clear (&self->started);
  aex_gate_clear (&self->cancelled);
  aex_gate_clear (&self->release);
}

/* Edges: not cancelled, but its cancellable is; the error is there already. */
static void
test_timeout_running (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = options_with_timeout (TIMEOUT_US);
  Running running;

  aex_test_virtual_time ();
  running_begin (&running, pool, options);
  aex_clock_advance (TIMEOUT_US);
  aex_gate_wait (&running.cancelled);
  g_assert_false (aex_pending_is_cancelled (running.job));
  g_assert_false (aex_pending_is_done (running.job));
  aex_assert_failed_with (running.job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_object_ref (running.job);
  running_end (&running);
  aex_assert_state (running.job, REJECTED);
  aex_assert_failed_with (running.job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_object_unref (running.job);
  aex_test_shutdown (pool);
}

static AexPending *
follow_a_promise (AexPending   *job,
                  GCancellable *cancellable,
                  gpointer      promise,
                  GError      **error)
{
  return g_object_ref (promise);
}

/* The followed promise is cancelled then: what was derived from the job must not take that for the outcome. */
static void
test_timeout_while_following (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexSubmitOptions) options = options_with_timeout (TIMEOUT_US);
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit_async_full (AEX_EXECUTOR (caller), options, follow_a_promise, promise, NULL);
  g_autoptr (AexPending) derived = aex_pending_shield (job);

  aex_test_run_until_done (derived);
  aex_assert_state (derived, REJECTED);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_assert_failed_with (derived, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_assert_cancelled (promise);
}

static void
test_timeout_at_once (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = options_with_timeout (0);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = submit_int (pool, options, 1);

  aex_test_wait (job);
  aex_assert_state (job, REJECTED);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_block_end (&block, blocker);
  aex_test_shutdown (pool);
}

/* What is done leaves no alarm behind. */
static void
test_timeout_not_needed (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = options_with_timeout (TIMEOUT_US);
  g_autoptr (AexPending) job = NULL;
  guint before = aex_timer_service_get_n_armed ();

  aex_test_virtual_time ();
  job = submit_int (pool, options, 1);
  aex_test_wait (job);
  aex_clock_advance (2 * TIMEOUT_US);
  aex_assert_resolved_int64 (job, 1);
  aex_test_shutdown (pool);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, before);
}

/* --- cancellable */
static AexSubmitOptions *
options_with_cancellable (GCancellable *cancellable)
{
  AexSubmitOptions *options = aex_submit_options_new ();

  aex_submit_options_set_cancellable (options, cancellable);
  return options;
}

static void
test_cancellable_before (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexSubmitOptions) options = options_with_cancellable (cancellable);
  g_autoptr (AexPending) job = NULL;
  int n_runs = 0;
  AexBlock block;

  aex_block_init (&block);
  g_cancellable_cancel (cancellable);
  job = aex_executor_submit_full (pool, options, aex_block_job, &block, NULL);
  aex_test_wait (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  n_runs = g_atomic_int_get (&block.n_runs);
  g_assert_cmpint (n_runs, ==, 0);
  aex_block_clear (&block);
}

static void
test_cancellable_queued (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexSubmitOptions) options = options_with_cancellable (cancellable);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = submit_int (pool, options, 1);

  g_cancellable_cancel (cancellable);
  g_assert_true (aex_pending_is_done (job));
  aex_assert_cancelled (job);
  g_assert_false (aex_pending_is_cancelled (blocker));
  aex_block_end (&block, blocker);
  aex_test_shutdown (pool);
}

static void
test_cancellable_running (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexSubmitOptions) options = options_with_cancellable (cancellable);
  Running running;

  running_begin (&running, pool, options);
  g_cancellable_cancel (cancellable);
  g_assert_true (aex_pending_is_cancelled (running.job));
  aex_gate_wait (&running.cancelled);
  g_assert_false (aex_pending_is_done (running.job));
  g_object_ref (running.job);
  running_end (&running);
  aex_assert_cancelled (running.job);
  g_object_unref (running.job);
  aex_test_shutdown (pool);
}

static gboolean
job_check_cancellable (AexPending   *job,
                       GCancellable *cancellable,
                       gpointer      users,
                       GError      **error)
{
  g_assert_true (G_IS_CANCELLABLE (cancellable));
  g_assert_true (cancellable != users);
  return TRUE;
}

/* The job has one of its own, and leaves no handler at the user's. */
static void
test_cancellable_after (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexSubmitOptions) options = options_with_cancellable (cancellable);
  g_autoptr (AexPending) job = NULL;
  guint signal_id = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);

  job = aex_executor_submit_full (pool, options, job_check_cancellable, cancellable, NULL);
  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  g_object_ref (pool);
  aex_test_shutdown (pool);
  g_object_unref (pool);
  g_assert_false (g_signal_has_handler_pending (cancellable, signal_id, 0, TRUE));
  g_cancellable_cancel (cancellable);
  aex_assert_state (job, RESOLVED);
}

/* --- context */
static void
store_current (gpointer user_data)
{
  *(AexContext **) user_data = aex_context_ref_current ();
}

typedef struct
{
  AexContextVar *var;
  AexContext    *context;
} Captured;

static void
capture_with_five (gpointer user_data)
{
  Captured *self = user_data;

  aex_test_var_set (self->var, 5);
  store_current (&self->context);
}

static void
test_context (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexContext) empty = aex_context_new ();
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  Captured captured = { .var = aex_test_var_new (0) };
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;

  aex_context_run (empty, capture_with_five, &captured);
  g_assert_cmpint (aex_test_var_get (captured.var), ==, 0);
  aex_test_var_set (captured.var, 7);
  aex_submit_options_set_context (options, captured.context);
  first = aex_executor_submit_full (pool, options, aex_job_read_and_change_var, captured.var, NULL);
  second = aex_executor_submit_full (pool, options, aex_job_read_and_change_var, captured.var, NULL);
  aex_test_wait (first);
  aex_test_wait (second);
  aex_assert_resolved_int64 (first, 5);
  /* It was copied: what the first job changed stays with the first. */
  aex_assert_resolved_int64 (second, 5);
  g_clear_pointer (&captured.context, aex_context_unref);
  g_clear_object (&captured.var);
  aex_test_shutdown (pool);
}

/* --- release-on-owner */
static AexSubmitOptions *
options_with_owner (void)
{
  AexSubmitOptions *options = aex_submit_options_new ();

  aex_submit_options_set_release_on_owner (options, TRUE);
  return options;
}

static void
test_release_on_owner (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = options_with_owner ();
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  job = aex_executor_submit_full (pool, options, aex_job_int, &poison, aex_poison_release);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  aex_test_wait (job);
  aex_test_shutdown (pool);
}

static void
test_release_on_owner_never_started (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = options_with_owner ();
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  job = aex_executor_submit_full (pool, options, aex_poison_job, &poison, aex_poison_release);
  g_assert_true (aex_pending_cancel (job, NULL));
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  aex_gate_open (&block.release);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  aex_block_end (&block, blocker);
  aex_test_shutdown (pool);
}

static void
on_done_is_released (AexPending *job,
                     gpointer    poison)
{
  g_assert_cmpint (aex_poison_get_released (poison), ==, 1);
}

/* Rule 3, without the option: where it ran, before the pending is done. */
static void
test_release_where_it_ran (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker;
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  poison_of_worker (&poison, pool);
  blocker = aex_block_begin (&block, pool);
  job = aex_executor_submit (pool, aex_poison_job, &poison, aex_poison_release);
  aex_pending_add_done_callback_inline (job, on_done_is_released, &poison, NULL);
  aex_block_end (&block, blocker);
  aex_test_wait (job);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/options/K25/none", test_none);
  aex_test_add ("/options/K25/name-and-metadata", test_name_and_metadata);
  aex_test_add ("/options/K25/reused-and-copied", test_reused_and_copied);
  aex_test_add ("/options/priority/pool", test_priority_on_pool);
  aex_test_add ("/options/priority/caller", test_priority_on_caller);
  aex_test_add ("/options/timeout/queued", test_timeout_queued);
  aex_test_add ("/options/timeout/running", test_timeout_running);
  aex_test_add ("/options/timeout/while-following", test_timeout_while_following);
  aex_test_add ("/options/timeout/at-once", test_timeout_at_once);
  aex_test_add ("/options/timeout/not-needed", test_timeout_not_needed);
  aex_test_add ("/options/cancellable/before", test_cancellable_before);
  aex_test_add ("/options/cancellable/queued", test_cancellable_queued);
  aex_test_add ("/options/cancellable/running", test_cancellable_running);
  aex_test_add ("/options/cancellable/after", test_cancellable_after);
  aex_test_add_in_context ("/options/K23/context", test_context);
  aex_test_add ("/options/release-on-owner/ran", test_release_on_owner);
  aex_test_add ("/options/release-on-owner/never-started", test_release_on_owner_never_started);
  aex_test_add ("/options/release-on-owner/off", test_release_where_it_ran);
  return aex_test_run ();
}
