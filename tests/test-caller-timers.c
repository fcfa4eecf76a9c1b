/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <string.h>

/* K24, K31, P5: calls that come later, and calls that are cancelled. */

#define MS 1000

static AexPending *
later_note (AexCaller  *caller,
            gint64      delay_us,
            AexRecord  *record,
            const char *text)
{
  return aex_caller_call_later (caller, delay_us, aex_note_job, aex_note_new (record, text), aex_note_free);
}

/* The one test with real time: no earlier than asked, by the user's clock. */
static void
test_min_delay (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  gint64 start = g_get_monotonic_time ();
  g_autoptr (AexPending) job = aex_caller_call_later (caller, 30 * MS, aex_job_int, GINT_TO_POINTER (1), NULL);

  aex_assert_state (job, QUEUED);
  aex_test_run_until_done (job);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 30 * MS);
  aex_assert_resolved_int64 (job, 1);
}

static void
test_to_the_microsecond (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = NULL;

  aex_test_virtual_time ();
  job = aex_caller_call_later (caller, 100 * MS, aex_job_int, NULL, NULL);
  aex_test_drain ();
  aex_clock_advance (100 * MS - 1);
  aex_test_drain ();
  aex_assert_state (job, QUEUED);
  aex_clock_advance (1);
  aex_test_drain ();
  aex_assert_state (job, RESOLVED);
}

static void
test_order (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  aex_test_virtual_time ();
  g_ptr_array_add (jobs, later_note (caller, 30 * MS, &record, "30a"));
  g_ptr_array_add (jobs, later_note (caller, 10 * MS, &record, "10"));
  g_ptr_array_add (jobs, later_note (caller, 30 * MS, &record, "30b"));
  g_ptr_array_add (jobs, later_note (caller, 20 * MS, &record, "20"));
  g_ptr_array_add (jobs, later_note (caller, 30 * MS, &record, "30c"));
  aex_clock_advance (20 * MS);
  aex_test_drain ();
  aex_assert_record (&record, "10 20");
  aex_clock_advance (1000 * MS);
  aex_test_drain ();
  aex_assert_record (&record, "10 20 30a 30b 30c");
  aex_record_clear (&record);
}

/* P5: a delay of 0 is soon, and what was spent in the queue counts. */
static void
test_zero_and_negative (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  aex_test_virtual_time ();
  g_ptr_array_add (jobs, later_note (caller, 0, &record, "zero"));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), &record, "submitted"));
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  aex_test_drain ();
  g_assert_cmpuint (aex_record_get_length (&record), ==, 2);
  aex_record_clear (&record);
}

static gpointer
call_later_in_thread (gpointer caller)
{
  return aex_caller_call_later (caller, 10 * MS, aex_job_int, GINT_TO_POINTER (1), NULL);
}

static void
test_queue_time_counts (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = NULL;

  aex_test_virtual_time ();
  job = g_thread_join (g_thread_new ("later", call_later_in_thread, caller));
  /* The loop was busy for longer than the delay. */
  aex_clock_advance (10 * MS);
  aex_test_drain ();
  aex_assert_resolved_int64 (job, 1);
}

static void
test_cancel_before (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_test_virtual_time ();
  aex_poison_init (&poison);
  job = aex_caller_call_later (caller, 10 * MS, aex_poison_job, &poison, aex_poison_release);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_assert_cancelled (job);
  aex_clock_advance (20 * MS);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

static void
test_closed_before (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) after = NULL;
  g_autoptr (AexPending) stopped = NULL;

  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  job = aex_caller_call_later (caller, 1000 * G_USEC_PER_SEC, aex_job_int, NULL, NULL);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_run_until_done (stopped);
  aex_assert_state (job, CANCELLED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  after = aex_caller_call_later (caller, 0, aex_job_int, NULL, NULL);
  aex_assert_state (after, CANCELLED);
  aex_assert_failed_with (after, AEX_ERROR, AEX_ERROR_CLOSED);
  g_main_context_pop_thread_default (context);
}

static void
test_many_timers (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  guint n = aex_test_scale (20000);

  aex_test_virtual_time ();
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (jobs, aex_caller_call_later (caller, g_test_rand_int_range (0, 1000 * MS), aex_job_int, NULL, NULL));
  for (guint i = 0; i < n; i += 3)
    aex_pending_cancel (jobs->pdata[i], NULL);
  aex_clock_advance (1000 * MS);
  aex_test_drain ();
  for (guint i = 0; i < n; i++)
    {
      if (i % 3 == 0)
        aex_assert_state (jobs->pdata[i], CANCELLED);
      else
        aex_assert_state (jobs->pdata[i], RESOLVED);
    }
}

/* --- K31 */
static gboolean
job_never (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  g_assert_not_reached ();
}

static void
test_cancelled_early (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_never, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_cancel (job, "changed my mind"));
  aex_assert_state (job, CANCELLED);
  aex_test_drain ();
  error = aex_pending_dup_error (job);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_nonnull (strstr (error->message, "changed my mind"));
}

static gboolean
job_cancel_itself (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      user_data,
                   GError      **error)
{
  g_assert_true (aex_check_cancelled (error));
  aex_pending_cancel (job, NULL);
  g_assert_true (aex_pending_is_cancelled (job));
  g_assert_false (aex_pending_is_done (job));
  g_assert_false (aex_pending_resolve_int64 (job, 5));
  return TRUE;
}

/* It ends normally anyway; the cancellation stands. */
static void
test_result_is_dropped (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_cancel_itself, NULL, NULL);

  aex_test_run_until_done (job);
  aex_assert_cancelled (job);
}

static gboolean
job_wait_elsewhere (AexPending   *job,
                    GCancellable *cancellable,
                    gpointer      gate,
                    GError      **error)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (GError) local_error = NULL;

  aex_gate_open (gate);
  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &local_error));
  g_assert_error (local_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  /* A checkpoint says the same. */
  g_assert_false (aex_check_cancelled (error));
  return FALSE;
}

/* A wait inside the job observes it, and the loop's thread is free again. */
static void
test_cancel_from_thread (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("K31", &error);
  AexGate gate;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) behind = NULL;

  g_assert_no_error (error);
  aex_gate_init (&gate);
  job = aex_executor_submit (AEX_EXECUTOR (caller), job_wait_elsewhere, &gate, NULL);
  behind = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_gate_wait (&gate);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_test_wait (job);
  aex_assert_cancelled (job);
  aex_test_wait (behind);
  aex_assert_resolved_int64 (behind, 1);
  aex_gate_clear (&gate);
  aex_test_shutdown (AEX_EXECUTOR (caller));
}

/* --- rule 5: the cancellable of a caller's job is cancelled on the caller's thread */
typedef struct
{
  AexPending *promise;
  GThread    *started_in;       /* atomic */
  GThread    *cancelled_in;     /* atomic */
  AexGate     cancelled;
} WhereCancelled;

static void
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  WhereCancelled *self = user_data;

  g_atomic_pointer_set (&self->cancelled_in, g_thread_self ());
  aex_gate_open (&self->cancelled);
}

static AexPending *
async_connect (AexPending   *job,
               GCancellable *cancellable,
               gpointer      user_data,
               GError      **error)
{
  WhereCancelled *self = user_data;

  g_atomic_pointer_set (&self->started_in, g_thread_self ());
  g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  return g_object_ref (self->promise);
}

static void
test_cancellable_on_its_thread (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("rule 5", &error);
  WhereCancelled self = { .promise = aex_pending_new () };
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) behind = NULL;

  g_assert_no_error (error);
  aex_gate_init (&self.cancelled);
  job = aex_executor_submit_async (AEX_EXECUTOR (caller), async_connect, &self, NULL);
  behind = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  aex_test_wait (behind);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_gate_wait (&self.cancelled);
  g_assert_nonnull (self.started_in);
  g_assert_true (self.cancelled_in == self.started_in);
  g_assert_true (self.cancelled_in != g_thread_self ());
  aex_test_wait (job);
  aex_assert_cancelled (job);
  aex_test_shutdown (AEX_EXECUTOR (caller));
  g_object_unref (self.promise);
  aex_gate_clear (&self.cancelled);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K24/min-delay", test_min_delay);
  aex_test_add ("/caller/K24/to-the-microsecond", test_to_the_microsecond);
  aex_test_add ("/caller/K24/order", test_order);
  aex_test_add ("/caller/P5/zero", test_zero_and_negative);
  aex_test_add ("/caller/P5/queue-time-counts", test_queue_time_counts);
  aex_test_add ("/caller/K24/cancel-before", test_cancel_before);
  aex_test_add ("/caller/K24/closed", test_closed_before);
  aex_test_add ("/caller/K24/many", test_many_timers);
  aex_test_add ("/caller/K31/cancelled-early", test_cancelled_early);
  aex_test_add ("/caller/K31/result-is-dropped", test_result_is_dropped);
  aex_test_add ("/caller/K31/from-thread", test_cancel_from_thread);
  aex_test_add ("/caller/K31/cancellable-on-its-thread", test_cancellable_on_its_thread);
  return aex_test_run ();
}
