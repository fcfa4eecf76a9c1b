/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"

/* What jobs publish, and who gets it.  Notifying properties:
 * test-pending-notify.c. */

static AexRecord record;

static void
note_message (AexPending *pending,
              GVariant   *message,
              gpointer    prefix)
{
  g_autofree char *text = g_strdup_printf ("%s%d", (const char *) prefix, g_variant_get_int32 (message));

  aex_record_add (&record, text);
}

static void
note_done (AexPending *pending,
           gpointer    text)
{
  aex_record_add (&record, text);
}

static gboolean
record_has (gpointer n)
{
  return aex_record_get_length (&record) >= GPOINTER_TO_UINT (n);
}

static void
publish_range (AexPending *pending,
               int         first,
               int         last)
{
  for (int i = first; i <= last; i++)
    g_assert_true (aex_pending_publish (pending, g_variant_new_int32 (i)));
}

/* --- order */

/* K18: who watches this job gets its output, each once, in order, and before it is done. */
static void
test_in_order (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) other = aex_pending_new ();

  aex_record_init (&record);
  g_assert_cmpuint (aex_pending_subscribe (pending, note_message, (gpointer) "a", NULL), !=, 0);
  g_assert_cmpuint (aex_pending_subscribe (other, note_message, (gpointer) "x", NULL), !=, 0);
  aex_pending_add_done_callback (pending, note_done, (gpointer) "done", NULL);
  publish_range (pending, 1, 3);
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_assert_false (aex_pending_publish (pending, g_variant_new_int32 (4)));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (4));
  aex_assert_record (&record, "a1 a2 a3 done");
  aex_pending_cancel (other, NULL);
  aex_test_drain ();
  aex_record_clear (&record);
}

/* Kept for the first subscription, also when that comes after the end. */
static void
test_kept (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  publish_range (pending, 1, 2);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_pending_subscribe (pending, note_message, (gpointer) "a", NULL);
  aex_pending_subscribe (pending, note_message, (gpointer) "b", NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (2));
  aex_test_drain ();
  aex_assert_record (&record, "a1 a2");
  aex_record_clear (&record);
}

static void
test_kept_limit (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  publish_range (pending, 1, 258);
  g_assert_cmpuint (aex_pending_get_n_lost_messages (pending), ==, 2);
  aex_pending_subscribe (pending, note_message, (gpointer) "", NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (256));
  aex_test_drain ();
  g_assert_cmpuint (aex_record_get_length (&record), ==, 256);
  g_assert_cmpstr (record.items->pdata[0] != NULL ? "first" : "", ==, "first");
  aex_record_clear (&record);
}

static void
test_full (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  aex_pending_subscribe (pending, note_message, (gpointer) "", NULL);
  publish_range (pending, 1, 1024);
  g_assert_false (aex_pending_publish (pending, g_variant_new_int32 (0)));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1024));
  g_assert_true (aex_pending_publish (pending, g_variant_new_int32 (0)));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1025));
  aex_record_clear (&record);
}

/* --- jobs */

static gboolean
publish_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      n,
             GError      **error)
{
  for (int i = 0; i < GPOINTER_TO_INT (n); i++)
    if (!aex_pending_publish_wait (job, g_variant_new_int32 (i), error))
      return FALSE;
  return TRUE;
}

/* The subscriber of the options is there before the job can start, and a producer that is too fast waits for it. */
static void
test_options (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) job = NULL;

  aex_record_init (&record);
  aex_submit_options_set_subscriber (options, note_message, (gpointer) "", NULL);
  job = aex_executor_submit_full (pool, options, publish_job, GINT_TO_POINTER (5000), NULL);
  aex_pending_add_done_callback (job, note_done, (gpointer) "done", NULL);
  aex_test_run_until_done (job);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (5001));
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending-messages/K18/in-order", test_in_order);
  aex_test_add ("/pending-messages/K18/kept", test_kept);
  aex_test_add ("/pending-messages/K18/kept-limit", test_kept_limit);
  aex_test_add ("/pending-messages/K18/full", test_full);
  aex_test_add ("/pending-messages/K18/options", test_options);
  return aex_test_run ();
}
