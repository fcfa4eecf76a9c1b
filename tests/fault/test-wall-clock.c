/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <glib/gstdio.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

/* Row X13: somebody sets the clock on the wall an hour forward or back while delays and time limits run.  The program
 * runs itself again with libfaketime, which reads the shift from a file; as in a kernel, the monotonic clock goes on.
 * Nothing here measures time: a limit of half an hour must not pass in an hour that was not, and one of milliseconds must
 * pass though the clock says it is yet to come. */

#define MS 1000
#define FAR (30 * G_TIME_SPAN_MINUTE)
#define NEAR (30 * MS)

static const char *LIBRARIES = "/usr/lib/*/faketime/libfaketimeMT.so.1";
static const int shifts[] = { 1, -1, 0 };

static const char *shift_file;
static gint64 wall_at_start;
static guint n_shifts;

/* Wall clock less monotonic clock. */
static gint64
wall (void)
{
  return g_get_real_time () - g_get_monotonic_time ();
}

static int
hours_off (void)
{
  return (int) ((wall () - wall_at_start + (wall () < wall_at_start ? -1 : 1) * G_TIME_SPAN_MINUTE) / G_TIME_SPAN_HOUR);
}

static void
shift (int hours)
{
  g_autofree char *text = g_strdup_printf ("%+dh", hours);

  g_assert_true (g_file_set_contents (shift_file, text, -1, NULL));
  g_assert_cmpint (hours_off (), ==, hours);
  n_shifts++;
}

/* --- delays of a caller */
typedef struct
{
  AexRecord *record;
  int        number;
} Step;

static gboolean
step_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  Step *self = data;
  g_autofree char *text = g_strdup_printf ("%d", self->number);

  aex_record_add (self->record, text);
  shift (shifts[self->number % G_N_ELEMENTS (shifts)]);
  return TRUE;
}

/* A delayed call that is cancelled stays in its place for a while: with a caller that stops, it goes. */
static AexCaller *
caller_begin (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  return aex_caller_ref_current (NULL);
}

static void
caller_end (AexCaller *caller)
{
  GMainContext *context = g_main_context_get_thread_default ();
  g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);

  aex_test_run_until_done (stopped);
  g_object_unref (caller);
  g_main_context_pop_thread_default (context);
}

static void
test_delays (void)
{
  AexCaller *caller = caller_begin ();
  g_autoptr (AexPending) far = aex_caller_call_later (caller, FAR, aex_job_int, NULL, NULL);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;
  Step steps[6];

  aex_record_init (&record);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      steps[i] = (Step) { &record, (int) i };
      g_ptr_array_add (jobs, aex_caller_call_later (caller, (i + 1) * 20 * MS, step_job, &steps[i], NULL));
    }
  for (guint i = 0; i < jobs->len; i++)
    aex_test_run_until_done (jobs->pdata[i]);
  aex_assert_record (&record, "0 1 2 3 4 5");
  aex_assert_state (far, QUEUED);
  caller_end (caller);
  aex_assert_state (far, CANCELLED);
  aex_record_clear (&record);
}

/* A foreign loop is told when to come back by the clock that it shares with the caller. */
static void
test_ready_time (void)
{
  AexCaller *caller = caller_begin ();
  g_autoptr (AexPending) far = aex_caller_call_later (caller, FAR, aex_job_int, NULL, NULL);
  gint64 ready;

  aex_test_drain ();
  ready = aex_caller_get_ready_time (caller);
  g_assert_cmpint (ready, >, 0);
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      shift (shifts[i]);
      g_assert_cmpint (aex_caller_get_ready_time (caller), ==, ready);
    }
  caller_end (caller);
  aex_assert_state (far, CANCELLED);
}

/* --- time limits, which the service thread keeps */
static void
assert_times_out (AexPending *pending)
{
  aex_test_run_until_done (pending);
  aex_assert_state (pending, REJECTED);
  aex_assert_failed_with (pending, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static void
test_time_limits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      g_autoptr (AexPending) never = aex_pending_new ();
      g_autoptr (AexPending) far = aex_pending_with_timeout (never, FAR);
      g_autoptr (AexPending) other = aex_pending_new ();
      g_autoptr (AexPending) near = aex_pending_with_timeout (other, NEAR);
      g_autoptr (AexPending) later = NULL, nap = NULL;

      shift (shifts[i]);
      assert_times_out (near);
      later = aex_pending_with_timeout (other, NEAR);
      aex_test_run_until_done (later);
      nap = aex_pending_sleep (NEAR);
      aex_test_run_until_done (nap);
      aex_assert_state (nap, RESOLVED);
      /* The service has gone round since the shift, more than once. */
      g_assert_false (aex_pending_is_done (far));
      g_assert_true (aex_pending_resolve_int64 (never, 7));
      aex_test_run_until_done (far);
      aex_assert_resolved_int64 (far, 7);
    }
}

static AexPending *
submit_with_limit (AexExecutor *executor,
                   gint64       timeout_us)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  aex_submit_options_set_timeout (options, timeout_us);
  return aex_executor_submit_full (executor, options, aex_job_int, GINT_TO_POINTER (7), NULL);
}

static void
test_limits_of_jobs (void)
{
  AexExecutor *pool = aex_test_pool (1);

  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      AexBlock block;
      AexPending *blocking = aex_block_begin (&block, pool);
      g_autoptr (AexPending) far = submit_with_limit (pool, FAR);
      g_autoptr (AexPending) near = submit_with_limit (pool, NEAR);

      shift (shifts[i]);
      assert_times_out (near);
      aex_assert_state (far, QUEUED);
      aex_block_end (&block, blocking);
      aex_test_wait (far);
      aex_assert_resolved_int64 (far, 7);
    }
  aex_test_shutdown (pool);
}

static void
test_scopes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      AexScope *far = aex_scope_enter (FAR, AEX_SCOPE_FLAGS_NONE);
      AexScope *near = aex_scope_enter (NEAR, AEX_SCOPE_FLAGS_NONE);
      g_autoptr (AexPending) never = aex_pending_new ();
      g_autoptr (GError) error = NULL;
      gint64 deadline = aex_scope_get_deadline_us (far);

      shift (shifts[i]);
      g_assert_cmpint (aex_scope_get_deadline_us (far), ==, deadline);
      g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_true (aex_scope_leave (near));
      g_assert_false (aex_scope_is_cancelled (far));
      g_assert_false (aex_scope_leave (far));
    }
}

/* --- threads that sleep in a wait */
typedef struct
{
  AexPending *pending;
  gint64      timeout_us;
  gboolean    done;
  GError     *error;
} Wait;

static gpointer
wait_thread (gpointer data)
{
  Wait *self = data;

  self->done = aex_pending_wait (self->pending, AEX_WAIT_FLAGS_NONE, self->timeout_us, NULL, &self->error);
  return NULL;
}

static void
test_waits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      g_autoptr (AexPending) never = aex_pending_new (), promise = aex_pending_new (), nap = NULL;
      Wait near = { never, NEAR, FALSE, NULL }, far = { promise, FAR, FALSE, NULL };
      GThread *near_thread = g_thread_new ("near", wait_thread, &near);
      GThread *far_thread = g_thread_new ("far", wait_thread, &far);

      shift (shifts[i]);
      g_thread_join (near_thread);
      g_assert_false (near.done);
      g_assert_error (near.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_clear_error (&near.error);
      nap = aex_pending_sleep (NEAR);
      aex_test_run_until_done (nap);
      aex_pending_resolve_int64 (promise, 7);
      g_thread_join (far_thread);
      g_assert_no_error (far.error);
      g_assert_true (far.done);
    }
}

static void
test_streams (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      g_autoptr (AexPendingStream) stream = aex_pending_stream_new (1);
      g_autoptr (GError) error = NULL;

      shift (shifts[i]);
      g_assert_null (aex_pending_stream_next_sync (stream, NEAR, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      aex_pending_stream_end (stream, NULL);
    }
}

/* --- what is written down of a job keeps its order */
static void
test_times (void)
{
  AexExecutor *pool = g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 1, "record-times", TRUE, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      g_autoptr (AexPending) job = NULL;
      g_autoptr (AexPendingInfo) info = NULL;
      gint64 before = g_get_monotonic_time ();
      AexRecord record;
      Step step = { &record, (int) i };

      aex_record_init (&record);
      job = aex_executor_submit (pool, step_job, &step, NULL);
      aex_test_wait (job);
      info = aex_pending_dup_info (job);
      g_assert_cmpint (aex_pending_info_get_submitted_us (info), >=, before);
      g_assert_cmpint (aex_pending_info_get_started_us (info), >=, aex_pending_info_get_submitted_us (info));
      g_assert_cmpint (aex_pending_info_get_done_us (info), >=, aex_pending_info_get_started_us (info));
      g_assert_cmpint (g_get_monotonic_time (), >=, aex_pending_info_get_done_us (info));
      aex_record_clear (&record);
    }
  aex_test_shutdown (pool);
}

/* --- an idle worker stays as long as it was told to */
static void
test_idle (void)
{
  AexExecutor *pool = aex_test_pool (1);

  aex_thread_pool_set_idle_timeout (AEX_THREAD_POOL (pool), FAR);
  for (guint i = 0; i < G_N_ELEMENTS (shifts); i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_int, NULL, NULL);
      g_autoptr (AexPending) nap = NULL;

      aex_test_wait (job);
      shift (shifts[i]);
      nap = aex_pending_sleep (NEAR);
      aex_test_run_until_done (nap);
      g_assert_cmpuint (aex_thread_pool_get_n_workers (AEX_THREAD_POOL (pool)), ==, 1);
    }
  aex_test_shutdown (pool);
}

/* --- once more, with the library preloaded */
static void
run_shifted (char **argv)
{
  g_autofree char *folder = NULL, *file = NULL;
  glob_t found;

  if (glob (LIBRARIES, 0, NULL, &found) != 0)
    {
      g_print ("1..0 # SKIP libfaketime is not installed\n");
      exit (77);
    }
  folder = g_dir_make_tmp ("aex-wall-clock-XXXXXX", NULL);
  file = g_build_filename (folder, "shift", NULL);
  g_assert_true (g_file_set_contents (file, "+0h", -1, NULL));
  g_setenv ("FAKETIME_TIMESTAMP_FILE", file, TRUE);
  g_setenv ("FAKETIME_NO_CACHE", "1", TRUE);
  g_setenv ("DONT_FAKE_MONOTONIC", "1", TRUE);
  g_setenv ("LD_PRELOAD", found.gl_pathv[0], TRUE);
  execv ("/proc/self/exe", argv);
  g_error ("%s does not start: %s", argv[0], g_strerror (errno));
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *folder = NULL;
  int result;

  shift_file = g_getenv ("FAKETIME_TIMESTAMP_FILE");
  if (shift_file == NULL)
    run_shifted (argv);
  wall_at_start = wall ();
  folder = g_path_get_dirname (shift_file);
  aex_test_init (&argc, &argv);
  aex_test_add ("/clock/X13/delays", test_delays);
  aex_test_add ("/clock/X13/ready-time", test_ready_time);
  aex_test_add ("/clock/X13/time-limits", test_time_limits);
  aex_test_add ("/clock/X13/limits-of-jobs", test_limits_of_jobs);
  aex_test_add ("/clock/X13/scopes", test_scopes);
  aex_test_add ("/clock/X13/waits", test_waits);
  aex_test_add ("/clock/X13/streams", test_streams);
  aex_test_add ("/clock/X13/times", test_times);
  aex_test_add ("/clock/X13/idle", test_idle);
  result = aex_test_run ();
  g_print ("# figure: clock shifts=%u\n", n_shifts);
  g_unlink (shift_file);
  g_rmdir (folder);
  return result;
}
