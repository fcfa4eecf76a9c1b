/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Virtual time as users of the library have it. */

static void
test_next_and_advance (void)
{
  g_autoptr (AexPending) hour = NULL;
  g_autoptr (AexPending) day = NULL;

  aex_testing_set_virtual_time (TRUE);
  g_assert_cmpint (aex_testing_get_next (), ==, -1);
  day = aex_pending_sleep (24 * 3600 * G_TIME_SPAN_SECOND);
  hour = aex_pending_sleep (3600 * G_TIME_SPAN_SECOND);
  g_assert_cmpint (aex_testing_get_next (), ==, 3600 * G_TIME_SPAN_SECOND);
  aex_testing_advance (aex_testing_get_next () - 1);
  g_assert_cmpint (aex_testing_get_next (), ==, 1);
  aex_assert_state (hour, RUNNING);
  aex_testing_advance (1);
  aex_test_run_until_done (hour);
  g_assert_cmpint (aex_testing_get_next (), ==, 23 * 3600 * G_TIME_SPAN_SECOND);
  aex_assert_state (day, RUNNING);
  aex_pending_cancel (day, NULL);
  aex_testing_set_virtual_time (FALSE);
}

static gboolean
nothing (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  return aex_pending_resolve (job, NULL);
}

/* A caller that had a timer before time was stopped takes part too. */
static void
test_timers_of_callers (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) before = aex_caller_call_later (caller, 0, nothing, NULL, NULL);
  g_autoptr (AexPending) later = NULL;

  aex_test_run_until_done (before);
  aex_testing_set_virtual_time (TRUE);
  later = aex_caller_call_later (caller, 60 * G_TIME_SPAN_SECOND, nothing, NULL, NULL);
  g_assert_cmpint (aex_testing_get_next (), ==, 60 * G_TIME_SPAN_SECOND);
  aex_test_drain ();
  aex_assert_state (later, QUEUED);
  aex_testing_advance (60 * G_TIME_SPAN_SECOND);
  aex_test_run_until_done (later);
  g_assert_cmpint (aex_testing_get_next (), ==, -1);
  aex_testing_set_virtual_time (FALSE);
}

/* The thread that keeps time went to sleep in virtual time, and has to wake in real time.  Nothing tells when it sleeps:
 * in most of the rounds it does. */
static void
test_waiters_see_real_time_again (void)
{
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (AexPending) first = NULL;
      g_autoptr (AexPending) second = NULL;

      aex_testing_set_virtual_time (TRUE);
      first = aex_pending_sleep (500);
      second = aex_pending_sleep (1000);
      aex_testing_advance (500);
      aex_test_run_until_done (first);
      aex_testing_set_virtual_time (FALSE);
      aex_test_run_until_done (second);
    }
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/testing/next-and-advance", test_next_and_advance);
  aex_test_add ("/testing/timers-of-callers", test_timers_of_callers);
  aex_test_add ("/testing/waiters-see-real-time-again", test_waiters_see_real_time_again);
  return aex_test_run ();
}
