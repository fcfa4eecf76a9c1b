/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <string.h>

/* K1-K32: a main context as an executor. */

/* --- K1-K4: which caller */
static void
test_same_thread_same_object (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (AexCaller) first = aex_caller_ref_current (&error);
  g_autoptr (AexCaller) second = aex_caller_ref_current (&error);
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  g_autoptr (AexCaller) by_context = aex_caller_ref_for_context (NULL);

  g_assert_no_error (error);
  g_assert_true (first == second);
  g_assert_true (first == main_caller);
  g_assert_true (first == by_context);
  g_assert_true (aex_caller_get_context (first) == g_main_context_default ());
}

static void
test_pushed_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  g_autoptr (AexCaller) before = NULL;
  g_autoptr (AexCaller) pushed = NULL;
  g_autoptr (AexPending) job = NULL;

  before = aex_caller_ref_for_context (context);
  g_main_context_push_thread_default (context);
  pushed = aex_caller_ref_current (NULL);
  g_assert_true (pushed == before);
  g_assert_true (pushed != main_caller);
  job = aex_executor_submit (AEX_EXECUTOR (pushed), aex_job_thread, NULL, NULL);
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_get_pointer (job, NULL) == g_thread_self ());
  g_main_context_pop_thread_default (context);
}

static void
test_after_stop_new (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) first = NULL;
  g_autoptr (AexCaller) second = NULL;
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (AexPending) job = NULL;

  g_main_context_push_thread_default (context);
  first = aex_caller_ref_current (NULL);
  stopped = aex_caller_stop (first, AEX_STOP_FLAGS_NONE);
  aex_test_run_until_done (stopped);
  second = aex_caller_ref_current (NULL);
  g_assert_nonnull (second);
  g_assert_true (first != second);
  g_assert_cmpuint (aex_caller_get_id (first), !=, aex_caller_get_id (second));
  job = aex_executor_submit (AEX_EXECUTOR (second), aex_job_int, GINT_TO_POINTER (3), NULL);
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 3);
  g_main_context_pop_thread_default (context);
}

static gpointer
ref_current_in_plain_thread (gpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_caller_ref_current (&error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_NO_CONTEXT);
  return NULL;
}

static void
test_no_loop (void)
{
  aex_test_in_thread (ref_current_in_plain_thread, NULL);
}

static void
test_call_early (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = aex_caller_ref_for_context (context);
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (3 + 3), NULL);

  g_assert_false (aex_pending_is_done (job));
  while (!aex_pending_is_done (job))
    g_main_context_iteration (context, TRUE);
  aex_assert_resolved_int64 (job, 6);
}

static gpointer
ref_main_in_thread (gpointer unused)
{
  return aex_caller_ref_main ();
}

static void
test_main_from_worker (void)
{
  g_autoptr (AexCaller) here = aex_caller_ref_main ();
  g_autoptr (AexCaller) there = g_thread_join (g_thread_new ("worker", ref_main_in_thread, NULL));

  g_assert_true (here == there);
}

static gpointer
new_thread_in_plain_thread (gpointer unused)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread (NULL, &error);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) stopped = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (aex_caller_get_id (caller), >, 0);
  job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (2 + 2), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 4);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_wait (stopped);
  g_object_unref (caller);
  return NULL;
}

static void
test_new_thread_without_loop (void)
{
  aex_test_in_thread (new_thread_in_plain_thread, NULL);
}

static void
test_id (void)
{
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  g_autoptr (AexCaller) again = aex_caller_ref_main ();
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) other = aex_caller_ref_for_context (context);
  guint64 id;

  g_assert_cmpuint (aex_caller_get_id (main_caller), ==, aex_caller_get_id (again));
  g_assert_cmpuint (aex_caller_get_id (main_caller), !=, aex_caller_get_id (other));
  g_object_get (other, "id", &id, NULL);
  g_assert_cmpuint (id, ==, aex_caller_get_id (other));
}

/* --- K22: one queue for all kinds */
static AexPending *
async_note (AexPending   *job,
            GCancellable *cancellable,
            gpointer      note,
            GError      **error)
{
  AexNote *self = note;

  aex_record_add (self->record, self->text);
  return NULL;
}

static void
submit_three_kinds (AexCaller *caller,
                    AexRecord *record,
                    GString   *expected,
                    GPtrArray *jobs,
                    guint      i)
{
  g_autofree char *direct = g_strdup_printf ("d%u", i);
  g_autofree char *sync = g_strdup_printf ("s%u", i);
  g_autofree char *async = g_strdup_printf ("a%u", i);

  aex_caller_call_direct (caller, aex_note_post, aex_note_new (record, direct), aex_note_free);
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), record, sync));
  g_ptr_array_add (jobs, aex_executor_submit_async (AEX_EXECUTOR (caller), async_note, aex_note_new (record, async), aex_note_free));
  g_string_append_printf (expected, "%s%s %s %s", i > 0 ? " " : "", direct, sync, async);
}

static void
test_balanced (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  g_autoptr (GString) expected = g_string_new (NULL);
  AexRecord record;

  aex_record_init (&record);
  for (guint i = 0; i < 1000; i++)
    submit_three_kinds (caller, &record, expected, jobs, i);
  for (guint i = 0; i < jobs->len; i++)
    aex_test_run_until_done (jobs->pdata[i]);
  aex_assert_record (&record, expected->str);
  aex_record_clear (&record);
}

typedef struct
{
  AexExecutor *executor;
  gboolean     over;
  guint        n_runs;
  int          n_timers;
} Endless;

static gboolean
job_again (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  Endless *self = user_data;

  self->n_runs++;
  if (!self->over)
    g_object_unref (aex_executor_submit (self->executor, job_again, self, NULL));
  return TRUE;
}

static gboolean
on_timer (gpointer user_data)
{
  ((Endless *) user_data)->n_timers++;
  return G_SOURCE_REMOVE;
}

static gboolean
job_timer (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  on_timer (user_data);
  return TRUE;
}

static gboolean
both_timers (gpointer user_data)
{
  return ((Endless *) user_data)->n_timers == 2;
}

/* I9: the loop's own timer and ours fire although there is always a next job. */
static void
test_no_starvation (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  Endless self = { .executor = AEX_EXECUTOR (caller) };
  G_GNUC_UNUSED g_autoptr (AexPending) first = aex_executor_submit (self.executor, job_again, &self, NULL);
  G_GNUC_UNUSED g_autoptr (AexPending) later = aex_caller_call_later (caller, 2000, job_timer, &self, NULL);

  g_timeout_add (2, on_timer, &self);
  aex_test_iterate_until (both_timers, &self);
  g_assert_cmpuint (self.n_runs, >, 1);
  self.over = TRUE;
  aex_test_drain ();
}

/* A nested loop inside a job goes on with the batch, in order. */
typedef struct
{
  AexRecord record;
  guint     wanted;
} Nested;

static gboolean
record_is_long_enough (gpointer user_data)
{
  Nested *self = user_data;

  return aex_record_get_length (&self->record) >= self->wanted;
}

static gboolean
job_nested_loop (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      user_data,
                 GError      **error)
{
  Nested *self = user_data;

  aex_record_add (&self->record, "in");
  aex_test_iterate_until (record_is_long_enough, self);
  g_assert_true (aex_pending_get_current () == job);
  aex_record_add (&self->record, "out");
  return TRUE;
}

static void
test_nested_loop (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  Nested self = { .wanted = 4 };

  aex_record_init (&self.record);
  g_ptr_array_add (jobs, aex_executor_submit (AEX_EXECUTOR (caller), job_nested_loop, &self, NULL));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), &self.record, "1"));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), &self.record, "2"));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), &self.record, "3"));
  g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), &self.record, "4"));
  for (guint i = jobs->len; i > 0; i--)
    aex_test_run_until_done (jobs->pdata[i - 1]);
  {
    g_autofree char *text = aex_record_dup_text (&self.record);

    g_assert_true (g_str_has_prefix (text, "in 1 2 3 "));
    g_assert_true (g_str_has_suffix (text, "out 4") || g_str_has_suffix (text, "4 out"));
  }
  aex_record_clear (&self.record);
}

/* --- K26: call_direct */
static gboolean
post_check_bare (gpointer var,
                 GError **error)
{
  g_assert_null (aex_pending_get_current ());
  /* No capture: the default, not what the submitter had. */
  g_assert_cmpint (aex_test_var_get (var), ==, 0);
  return TRUE;
}

static gboolean
post_fail (gpointer user_data,
           GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "direct failure");
  return FALSE;
}

static gboolean
on_unhandled_error (AexExecutor *executor,
                    AexPending  *pending,
                    GError      *error,
                    gpointer     n_called)
{
  g_assert_null (pending);
  g_assert_cmpstr (error->message, ==, "direct failure");
  g_atomic_int_inc ((int *) n_called);
  return TRUE;
}

static void
test_direct (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  AexRecord record;
  gulong handler;
  int n_called = 0;

  aex_record_init (&record);
  handler = g_signal_connect (caller, "unhandled-error", G_CALLBACK (on_unhandled_error), &n_called);
  aex_test_var_set (var, 1);
  aex_caller_call_direct (caller, post_check_bare, var, NULL);
  aex_test_var_set (var, 0);
  aex_caller_call_direct (caller, post_fail, NULL, NULL);
  aex_caller_call_direct (caller, aex_note_post, aex_note_new (&record, "event"), aex_note_free);
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  aex_test_iterate_until (aex_test_is_set, &n_called);
  aex_test_drain ();
  aex_assert_record (&record, "event");
  g_assert_cmpint (n_called, ==, 1);
  g_signal_handler_disconnect (caller, handler);
  aex_record_clear (&record);
}

/* K17 */
static void
test_direct_failure_logged (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  aex_caller_call_direct (caller, post_fail, NULL, NULL);
  aex_test_drain ();
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "direct failure"));
}

/* --- K30-K32 */
static gboolean
job_current (AexPending   *job,
             GCancellable *cancellable,
             gpointer      user_data,
             GError      **error)
{
  aex_pending_resolve_boolean (job, aex_pending_get_current () == job);
  return TRUE;
}

static void
test_current_pending (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_current, NULL, NULL);

  g_assert_null (aex_pending_get_current ());
  aex_test_run_until_done (job);
  g_assert_true (aex_pending_get_boolean (job, NULL));
  g_assert_null (aex_pending_get_current ());
}

static void
test_raises_same_error (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_fail, NULL, NULL);

  aex_test_run_until_done (job);
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_assert_cmpstr (error->message, ==, "Test exception");
    }
}

static gboolean
job_reject_with_payload (AexPending   *job,
                         GCancellable *cancellable,
                         gpointer      object,
                         GError      **error)
{
  g_autoptr (GError) own = g_error_new_literal (AEX_ERROR, AEX_ERROR_EXCEPTION, "KeyError");
  g_auto (GValue) payload = G_VALUE_INIT;

  g_value_init (&payload, G_TYPE_OBJECT);
  g_value_set_object (&payload, object);
  return aex_pending_reject_with_payload (job, own, &payload);
}

static void
test_raises_same_object (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (GObject) object = aex_test_object_new (NULL);
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), job_reject_with_payload, object, NULL);

  aex_test_run_until_done (job);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_EXCEPTION);
  for (guint i = 0; i < 2; i++)
    {
      GValue *payload = aex_pending_dup_payload (job);

      g_assert_true (g_value_get_object (payload) == object);
      g_boxed_free (G_TYPE_VALUE, payload);
    }
}

/* --- K28: the loop is the user's */
static gboolean
quit_loop (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
on_done_quit_later (AexPending *pending,
                    gpointer    loop)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (NULL);

  g_assert_true (g_main_loop_is_running (loop));
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  g_assert_true (g_main_loop_is_running (loop));
  {
    g_autoptr (GSource) source = g_timeout_source_new (1);

    g_source_set_callback (source, quit_loop, loop, NULL);
    g_source_attach (source, g_main_loop_get_context (loop));
  }
}

static void
test_adopted (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) after = NULL;

  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  job = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, GINT_TO_POINTER (5), NULL);
  aex_pending_add_done_callback (job, on_done_quit_later, loop, NULL);
  g_main_loop_run (loop);
  aex_assert_resolved_int64 (job, 5);
  after = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  aex_assert_failed_with (after, AEX_ERROR, AEX_ERROR_CLOSED);
  g_main_context_pop_thread_default (context);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K1/same-thread-same-object", test_same_thread_same_object);
  aex_test_add ("/caller/K1/pushed-context", test_pushed_context);
  aex_test_add ("/caller/K1/after-stop-new", test_after_stop_new);
  aex_test_add ("/caller/K2/no-loop", test_no_loop);
  aex_test_add ("/caller/K2/call-early", test_call_early);
  aex_test_add ("/caller/K3/main-from-worker", test_main_from_worker);
  aex_test_add ("/caller/K4/no-event-loop", test_new_thread_without_loop);
  aex_test_add ("/caller/K9/id-stable", test_id);
  aex_test_add ("/caller/K22/balanced", test_balanced);
  aex_test_add ("/caller/K22/no-starvation", test_no_starvation);
  aex_test_add ("/caller/K22/nested-loop", test_nested_loop);
  aex_test_add_in_context ("/caller/K26/direct", test_direct);
  aex_test_add ("/caller/K17/direct-failure-logged", test_direct_failure_logged);
  aex_test_add ("/caller/K28/adopted", test_adopted);
  aex_test_add ("/caller/K30/identity", test_current_pending);
  aex_test_add ("/caller/K32/raises-same-error", test_raises_same_error);
  aex_test_add ("/caller/K32/raises-same-object", test_raises_same_object);
  return aex_test_run ();
}
