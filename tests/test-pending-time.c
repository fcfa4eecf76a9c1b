/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* with_timeout, sleep and what a pending notes about its times: in virtual
 * time, which moves only when a test says so. */

#define SECOND G_USEC_PER_SEC

/* The service thread has done what was due: it works one by one. */
static void
let_service_catch_up (void)
{
  g_autoptr (AexPending) behind = aex_pending_sleep (1);

  aex_clock_advance (1);
  aex_test_run_until_done (behind);
}

/* --- with_timeout */

static void
test_times_out (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) limited = NULL;

  aex_test_virtual_time ();
  limited = aex_pending_with_timeout (source, SECOND);
  aex_clock_advance (SECOND - 2);
  let_service_catch_up ();
  g_assert_false (aex_pending_is_done (limited));
  g_assert_false (aex_pending_is_cancelled (source));
  aex_clock_advance (1);
  aex_test_run_until_done (limited);
  aex_assert_state (limited, REJECTED);
  aex_assert_failed_with (limited, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  /* An explicit verb: for everybody. */
  aex_test_run_until_done (source);
  aex_assert_cancelled (source);
}

static void
test_in_time (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) limited = NULL;

  aex_test_virtual_time ();
  limited = aex_pending_with_timeout (source, SECOND);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 1);
  g_assert_true (aex_pending_resolve_int64 (source, 1));
  aex_assert_resolved_int64 (limited, 1);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
  aex_clock_advance (2 * SECOND);
  aex_assert_resolved_int64 (limited, 1);
}

static void
test_timeout_zero (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) done = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) limited = aex_pending_with_timeout (source, 0);
  g_autoptr (AexPending) of_done = aex_pending_with_timeout (done, 0);

  aex_test_run_until_done (limited);
  aex_assert_failed_with (limited, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_assert_state (of_done, RESOLVED);
}

static void
test_timeout_never (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) limited = NULL;

  aex_test_virtual_time ();
  limited = aex_pending_with_timeout (source, -1);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
  aex_clock_advance (G_TIME_SPAN_DAY);
  g_assert_false (aex_pending_is_done (limited));
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_assert_state (limited, RESOLVED);
}

/* K57: a waiter's timeout never cancels what is protected. */
static void
test_timeout_of_protected (void)
{
  g_autoptr (AexPending) source = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (AexPending) limited = NULL;

  aex_test_virtual_time ();
  limited = aex_pending_with_timeout (source, SECOND);
  aex_clock_advance (SECOND);
  aex_test_run_until_done (limited);
  aex_assert_failed_with (limited, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  let_service_catch_up ();
  g_assert_false (aex_pending_is_cancelled (source));
  g_assert_true (aex_pending_resolve_int64 (source, 123));
}

static void
test_timeout_behind_shield (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (source);
  g_autoptr (AexPending) limited = NULL;

  aex_test_virtual_time ();
  limited = aex_pending_with_timeout (shield, SECOND);
  aex_clock_advance (SECOND);
  aex_test_run_until_done (limited);
  aex_assert_failed_with (limited, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_test_run_until_done (shield);
  aex_assert_cancelled (shield);
  let_service_catch_up ();
  aex_assert_state (source, RUNNING);
}

/* It ends at once; the job is done when its function has returned. */
static void
test_timeout_of_running_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) limited = NULL;
  AexBlock block;

  aex_block_init (&block);
  aex_test_virtual_time ();
  job = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  limited = aex_pending_with_timeout (job, SECOND);
  aex_clock_advance (SECOND);
  aex_test_run_until_done (limited);
  aex_assert_failed_with (limited, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_done (job));
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static void
test_timeout_dropped (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();

  aex_test_virtual_time ();
  g_object_unref (aex_pending_with_timeout (source, SECOND));
  g_assert_true (aex_pending_resolve (source, NULL));
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
}

/* --- sleep (P5, P17) */

static void
test_sleep (void)
{
  g_autoptr (AexPending) sleep = NULL;

  aex_test_virtual_time ();
  sleep = aex_pending_sleep (SECOND);
  aex_clock_advance (SECOND - 2);
  let_service_catch_up ();
  g_assert_false (aex_pending_is_done (sleep));
  aex_clock_advance (1);
  aex_test_run_until_done (sleep);
  aex_assert_state (sleep, RESOLVED);
}

static void
take_result (GObject *source, GAsyncResult *result, gpointer slot)
{
  *(GAsyncResult **) slot = g_object_ref (result);
}

static gboolean
has_result (gpointer slot)
{
  return *(GAsyncResult **) slot != NULL;
}

static void
test_sleep_async (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) slept = NULL;
  g_autoptr (GAsyncResult) woken = NULL;
  g_autoptr (GError) error = NULL;

  aex_test_virtual_time ();
  aex_sleep_async (SECOND, NULL, take_result, &slept);
  aex_sleep_async (2 * SECOND, cancellable, take_result, &woken);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 2);
  aex_clock_advance (SECOND);
  aex_test_iterate_until (has_result, &slept);
  g_assert_true (aex_sleep_finish (slept, &error));
  g_assert_no_error (error);

  g_assert_null (woken);
  g_cancellable_cancel (cancellable);
  aex_test_iterate_until (has_result, &woken);
  g_assert_false (aex_sleep_finish (woken, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
}

static void
test_sleep_in_order (void)
{
  AexPending *sleeps[4];
  static const gint64 delays[] = { 3 * SECOND, SECOND, 4 * SECOND, 2 * SECOND };
  static const guint order[] = { 1, 3, 0, 2 };

  aex_test_virtual_time ();
  for (guint i = 0; i < 4; i++)
    sleeps[i] = aex_pending_sleep (delays[i]);
  for (guint i = 0; i < 4; i++)
    {
      aex_clock_advance (SECOND);
      aex_test_run_until_done (sleeps[order[i]]);
      for (guint j = i + 1; j < 4; j++)
        g_assert_false (aex_pending_is_done (sleeps[order[j]]));
    }
  for (guint i = 0; i < 4; i++)
    g_object_unref (sleeps[i]);
}

static void
test_sleep_zero_and_cancel (void)
{
  g_autoptr (AexPending) zero = aex_pending_sleep (0);
  g_autoptr (AexPending) long_one = aex_pending_sleep (G_TIME_SPAN_HOUR);
  g_autoptr (AexPending) never = aex_pending_sleep (-1);

  aex_test_run_until_done (zero);
  aex_assert_state (zero, RESOLVED);
  g_assert_true (aex_pending_cancel (long_one, NULL));
  aex_assert_cancelled (long_one);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
  g_assert_false (aex_pending_is_done (never));
  g_assert_true (aex_pending_cancel (never, NULL));
  aex_assert_cancelled (never);
}

/* A sleep that nobody holds takes its alarm with it. */
static void
test_sleep_dropped (void)
{
  aex_test_virtual_time ();
  g_object_unref (aex_pending_sleep (SECOND));
  aex_clock_advance (SECOND);
}

/* --- S1: times */

static gboolean
advance_in_job (AexPending   *job,
                GCancellable *cancellable,
                gpointer      data,
                GError      **error)
{
  aex_clock_advance (100);
  return TRUE;
}

static void
test_record_times (void)
{
  AexExecutor *pool = g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 1u, "name", "clockwork",
                                    "record-times", TRUE, NULL);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPendingInfo) info = NULL;
  gint64 before;

  aex_test_virtual_time ();
  before = aex_clock_now ();
  job = aex_executor_submit (pool, advance_in_job, NULL, NULL);
  aex_test_run_until_done (job);
  info = aex_pending_dup_info (job);
  g_assert_cmpint (aex_pending_info_get_submitted_us (info), ==, before);
  g_assert_cmpint (aex_pending_info_get_started_us (info), ==, before);
  g_assert_cmpint (aex_pending_info_get_done_us (info), ==, before + 100);
  g_assert_cmpstr (aex_pending_info_get_executor_name (info), ==, "clockwork");
  g_assert_cmpuint (aex_pending_info_get_thread_id (info), !=, 0);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/with-timeout/times-out", test_times_out);
  aex_test_add ("/pending/with-timeout/in-time", test_in_time);
  aex_test_add ("/pending/with-timeout/zero", test_timeout_zero);
  aex_test_add ("/pending/with-timeout/never", test_timeout_never);
  aex_test_add ("/pending/K57/timeout-of-protected", test_timeout_of_protected);
  aex_test_add ("/pending/with-timeout/behind-shield", test_timeout_behind_shield);
  aex_test_add ("/pending/with-timeout/running-job", test_timeout_of_running_job);
  aex_test_add ("/pending/with-timeout/dropped", test_timeout_dropped);
  aex_test_add ("/pending/P5/sleep", test_sleep);
  aex_test_add ("/pending/R15/sleep-async", test_sleep_async);
  aex_test_add ("/pending/P5/sleep-in-order", test_sleep_in_order);
  aex_test_add ("/pending/P5/sleep-zero-and-cancel", test_sleep_zero_and_cancel);
  aex_test_add ("/pending/P5/sleep-dropped", test_sleep_dropped);
  aex_test_add ("/pending/S1/record-times", test_record_times);
  return aex_test_run ();
}
