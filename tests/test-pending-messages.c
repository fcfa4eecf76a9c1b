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

static gboolean
record_has (gpointer n)
{
  return aex_record_get_length (&record) >= GPOINTER_TO_UINT (n);
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
  aex_pending_add_done_callback (pending, aex_note_callback, aex_note_new (&record, "done"), aex_note_free);
  aex_publish_range (pending, 1, 3);
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_assert_false (aex_pending_publish (pending, g_variant_new_int32 (4)));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (4));
  aex_assert_record (&record, "a1 a2 a3 done");
  aex_pending_cancel (other, NULL);
  aex_test_drain ();
  aex_record_clear (&record);
}

static AexPending *
pass_on (AexPending  *pending,
         gpointer     user_data,
         GError     **error)
{
  return NULL;
}

static AexPending *
derive (AexPending *pending,
        int         how)
{
  g_autoptr (AexPending) inner = NULL;

  switch (how)
    {
    case 0:
      return aex_pending_shield (pending);
    case 1:
      return aex_pending_with_timeout (pending, 60 * G_USEC_PER_SEC);
    case 2:
      return aex_pending_catch (pending, pass_on, NULL, NULL);
    case 3:
      return aex_pending_all (pending, NULL);
    case 4:
      return aex_pending_first (pending, NULL);
    default:
      inner = aex_pending_shield (pending);
      return aex_pending_all_settled (inner, NULL);
    }
}

/* What is derived from a job is done in the same moment, and is heard of as late: JavaScript awaits a shield. */
static void
test_before_derived (void)
{
  for (int how = 0; how < 6; how++)
    {
      g_autoptr (AexPending) pending = aex_pending_new ();
      g_autoptr (AexPending) derived = derive (pending, how);

      aex_record_init (&record);
      aex_pending_subscribe (pending, note_message, (gpointer) "a", NULL);
      aex_pending_add_done_callback (derived, aex_note_callback, aex_note_new (&record, "done"), aex_note_free);
      aex_publish_range (pending, 1, 3);
      g_assert_true (aex_pending_resolve (pending, NULL));
      aex_test_iterate_until (record_has, GUINT_TO_POINTER (4));
      aex_assert_record (&record, "a1 a2 a3 done");
      aex_test_drain ();
      aex_record_clear (&record);
    }
}

/* Kept for the first subscription, also when that comes after the end. */
static void
test_kept (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  aex_publish_range (pending, 1, 2);
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
  g_autofree char *text = NULL;

  aex_record_init (&record);
  aex_publish_range (pending, 1, 258);
  g_assert_cmpuint (aex_pending_get_n_lost_messages (pending), ==, 2);
  aex_pending_subscribe (pending, note_message, (gpointer) "", NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (256));
  aex_test_drain ();
  g_assert_cmpuint (aex_record_get_length (&record), ==, 256);
  text = aex_record_dup_text (&record);
  g_assert_true (g_str_has_prefix (text, "3 4 5 "));
  g_assert_true (g_str_has_suffix (text, " 257 258"));
  aex_record_clear (&record);
}

static void
ignore_message (AexPending *pending,
                GVariant   *message,
                gpointer    data)
{
}

/* Everybody gets a message or nobody does. */
static void
test_full (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  gulong id;

  aex_record_init (&record);
  id = aex_pending_subscribe (pending, ignore_message, NULL, NULL);
  aex_pending_publish (pending, g_variant_new_int32 (0));
  aex_pending_subscribe (pending, note_message, (gpointer) "", NULL);
  aex_publish_range (pending, 1, 1023);
  g_assert_false (aex_pending_publish (pending, g_variant_new_int32 (0)));
  g_assert_true (aex_pending_unsubscribe (pending, id));
  aex_publish_range (pending, 1024, 1024);
  g_assert_false (aex_pending_publish (pending, g_variant_new_int32 (0)));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1024));
  g_assert_true (aex_pending_publish (pending, g_variant_new_int32 (0)));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1025));
  aex_record_clear (&record);
}

/* --- subscribing */

static void
test_unsubscribe (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  gulong first, second;

  aex_record_init (&record);
  first = aex_pending_subscribe (pending, note_message, (gpointer) "a", NULL);
  second = aex_pending_subscribe (pending, note_message, (gpointer) "b", NULL);
  g_assert_cmpuint (first, !=, second);
  aex_publish_range (pending, 1, 1);
  g_assert_true (aex_pending_unsubscribe (pending, first));
  g_assert_false (aex_pending_unsubscribe (pending, first));
  g_assert_false (aex_pending_unsubscribe (pending, 0));
  aex_publish_range (pending, 2, 2);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (2));
  aex_test_drain ();
  aex_assert_record (&record, "b1 b2");
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_drain ();
  g_assert_false (aex_pending_unsubscribe (pending, second));
  aex_record_clear (&record);
}

/* Inside its own function a subscription can be taken back; its data goes when the function has returned. */
typedef struct
{
  AexPoison poison;
  gulong    id;
} Leaver;

static void
leave_in_callback (AexPending *pending,
                   GVariant   *message,
                   gpointer    data)
{
  Leaver *leaver = data;

  aex_poison_touch (&leaver->poison);
  g_assert_true (aex_pending_unsubscribe (pending, leaver->id));
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_released (&leaver->poison), ==, 0);
}

static void
test_unsubscribe_inside (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Leaver leaver;

  aex_poison_init (&leaver.poison);
  leaver.poison.in_dispatch = TRUE;
  leaver.id = aex_pending_subscribe (pending, leave_in_callback, &leaver, aex_poison_release);
  aex_publish_range (pending, 1, 3);
  aex_test_iterate_until (aex_poison_is_released, &leaver.poison);
  g_assert_cmpint (aex_poison_get_called (&leaver.poison), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&leaver.poison), ==, 1);
}

/* The next message comes in a nested loop. */
static void
nest (AexPending *pending,
      GVariant   *message,
      gpointer    data)
{
  int n = g_variant_get_int32 (message);

  note_message (pending, message, (gpointer) "(");
  if (n < 3)
    aex_test_iterate_until (record_has, GINT_TO_POINTER (n + 1));
  note_message (pending, message, (gpointer) ")");
}

static void
test_nested_loop (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  aex_pending_subscribe (pending, nest, NULL, NULL);
  aex_publish_range (pending, 1, 3);
  aex_test_drain ();
  aex_assert_record (&record, "(1 (2 (3 )3 )2 )1");
  aex_record_clear (&record);
}

static void
check_var (AexPending *pending,
           GVariant   *message,
           gpointer    var)
{
  g_autofree char *text = g_strdup_printf ("%d", aex_test_var_get (var));

  aex_record_add (&record, text);
  aex_test_var_set (var, 9);
}

/* Rule 8: what the subscriber saw when he subscribed. */
static void
test_context (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexContextVar) var = aex_test_var_new (1);

  aex_record_init (&record);
  aex_test_var_set (var, 2);
  aex_pending_subscribe (pending, check_var, var, NULL);
  aex_test_var_set (var, 3);
  aex_publish_range (pending, 1, 2);
  aex_test_drain ();
  aex_assert_record (&record, "2 2");
  aex_record_clear (&record);
}

static void
poison_message (AexPending *pending,
                GVariant   *message,
                gpointer    poison)
{
  aex_poison_touch (poison);
}

static gpointer
unref_in_thread (gpointer pending)
{
  g_object_unref (pending);
  return NULL;
}

/* What is abandoned has said what it has said. */
static void
test_abandoned (void)
{
  AexPending *pending = aex_pending_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  aex_pending_subscribe (pending, poison_message, &poison, aex_poison_release);
  aex_publish_range (pending, 1, 2);
  aex_test_in_thread (unref_in_thread, pending);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 2);
}

/* The subscriber's context is gone: his data is released, and he is in nobody's way. */
static void
test_context_gone (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GMainContext *context = g_main_context_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  g_main_context_push_thread_default (context);
  aex_pending_subscribe (pending, poison_message, &poison, aex_poison_release);
  g_main_context_pop_thread_default (context);
  aex_publish_range (pending, 1, 1024);
  g_main_context_unref (context);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  aex_publish_range (pending, 1025, 1025);
}

/* --- following */

static void
test_follow (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) follower = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (follower);

  aex_record_init (&record);
  aex_publish_range (source, 1, 2);
  aex_pending_subscribe (shield, note_message, (gpointer) "s", NULL);
  g_assert_true (aex_pending_follow (follower, source));
  aex_publish_range (source, 3, 3);
  aex_publish_range (follower, 4, 4);
  aex_pending_add_done_callback (shield, aex_note_callback, aex_note_new (&record, "done"), aex_note_free);
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (5));
  aex_assert_record (&record, "s1 s2 s3 s4 done");
  aex_record_clear (&record);
}

/* Nobody has subscribed while it went on: what was kept goes to the end of the chain with the outcome. */
static void
test_follow_kept (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) first = aex_pending_shield (source);
  g_autoptr (AexPending) second = aex_pending_shield (first);

  aex_record_init (&record);
  aex_publish_range (source, 1, 2);
  aex_publish_range (first, 3, 3);
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_pending_subscribe (second, note_message, (gpointer) "", NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (3));
  aex_assert_record (&record, "3 1 2");
  aex_record_clear (&record);
}

/* Who gave up gets no more. */
static void
test_follow_cancelled (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (source);

  aex_record_init (&record);
  aex_pending_subscribe (shield, note_message, (gpointer) "", NULL);
  aex_publish_range (source, 1, 1);
  g_assert_true (aex_pending_cancel (shield, NULL));
  aex_publish_range (source, 2, 2);
  aex_test_drain ();
  aex_assert_record (&record, "1");
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_record_clear (&record);
}

/* A ring is refused, with subscribers too. */
static void
test_follow_ring (void)
{
  g_autoptr (AexPending) first = aex_pending_new ();
  g_autoptr (AexPending) second = aex_pending_new ();

  aex_pending_subscribe (first, ignore_message, NULL, NULL);
  aex_pending_subscribe (second, ignore_message, NULL, NULL);
  g_assert_true (aex_pending_follow (first, second));
  g_assert_false (aex_pending_follow (second, first));
  aex_assert_failed_with (second, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (first, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_test_drain ();
}

/* --- jobs */

typedef struct
{
  AexPending *source;
  AexPending *follower;
  int         n_reported;
} Unseen;

static AexPending *
return_source (AexPending   *job,
               GCancellable *cancellable,
               gpointer      unseen,
               GError      **error)
{
  return g_object_ref (((Unseen *) unseen)->source);
}

static gboolean
count_report (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     unseen)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  ((Unseen *) unseen)->n_reported++;
  return TRUE;
}

static void
fail_and_drop (gpointer data)
{
  Unseen *unseen = data;

  g_assert_true (aex_pending_reject_new (unseen->source, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "unseen"));
  aex_assert_state (unseen->follower, REJECTED);
  aex_assert_last_unref (g_steal_pointer (&unseen->follower));
}

/* A message is in the queue of who follows, and nobody has been told of it yet; then that fails and goes unseen, and what is
 * reported in its place is not what he has subscribed to. */
static void
test_ends_unseen (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  Unseen unseen = { source, NULL, 0 };
  gulong handler = g_signal_connect (caller, "unhandled-error", G_CALLBACK (count_report), &unseen);
  GMainContext *context = g_main_context_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  unseen.follower = aex_executor_submit_async (AEX_EXECUTOR (caller), return_source, &unseen, NULL);
  aex_test_drain ();
  /* Who is told first has lost his context: what he was given is let go of inside the call that publishes. */
  g_main_context_push_thread_default (context);
  aex_pending_subscribe (source, ignore_message, &unseen, fail_and_drop);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  aex_pending_subscribe (unseen.follower, poison_message, &poison, aex_poison_release);
  aex_publish_range (source, 1, 1);
  g_assert_null (unseen.follower);
  aex_test_iterate_until (aex_test_is_set, &unseen.n_reported);
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_assert_cmpint (unseen.n_reported, ==, 1);
  g_signal_handler_disconnect (caller, handler);
}

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
  aex_pending_add_done_callback (job, aex_note_callback, aex_note_new (&record, "done"), aex_note_free);
  aex_test_run_until_done (job);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (5001));
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

/* Options serve several jobs; the data is released once, when all is over. */
static void
test_options_shared (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexSubmitOptions *options = aex_submit_options_new ();
  AexSubmitOptions *copy;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  aex_submit_options_set_subscriber (options, poison_message, &poison, aex_poison_release);
  copy = aex_submit_options_copy (options);
  for (int i = 0; i < 3; i++)
    g_ptr_array_add (jobs, aex_executor_submit_full (pool, i == 0 ? options : copy, publish_job, GINT_TO_POINTER (2), NULL));
  aex_submit_options_free (options);
  aex_submit_options_free (copy);
  aex_test_wait_all (jobs);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 6);
  aex_test_shutdown (pool);
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending-messages/K18-W5/in-order", test_in_order);
  aex_test_add ("/pending-messages/K18-W5/before-derived", test_before_derived);
  aex_test_add ("/pending-messages/W5/kept", test_kept);
  aex_test_add ("/pending-messages/W5/kept-limit", test_kept_limit);
  aex_test_add ("/pending-messages/W6/full", test_full);
  aex_test_add ("/pending-messages/W5-W7/options", test_options);
  aex_test_add ("/pending-messages/W9/options-shared", test_options_shared);
  aex_test_add ("/pending-messages/W9/unsubscribe", test_unsubscribe);
  aex_test_add ("/pending-messages/W9-R6/unsubscribe-inside", test_unsubscribe_inside);
  aex_test_add ("/pending-messages/W5/nested-loop", test_nested_loop);
  aex_test_add_in_context ("/pending-messages/W5/context", test_context);
  aex_test_add ("/pending-messages/W9-R6/abandoned", test_abandoned);
  aex_test_add ("/pending-messages/W9-R6/context-gone", test_context_gone);
  aex_test_add ("/pending-messages/W8/passes", test_follow);
  aex_test_add ("/pending-messages/W8/kept", test_follow_kept);
  aex_test_add ("/pending-messages/W8/cancelled", test_follow_cancelled);
  aex_test_add ("/pending-messages/W8/ring", test_follow_ring);
  aex_test_add ("/pending-messages/R10/ends-unseen", test_ends_unseen);
  return aex_test_run ();
}
