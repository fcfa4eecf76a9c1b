/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

#include <string.h>

/* K17, K34-K36, D6, P19, X4: functions that a caller runs one after the other. */

static void
push_note (AexCallQueue *queue,
           AexRecord    *record,
           const char   *text)
{
  g_assert_true (aex_call_queue_push (queue, aex_note_job, aex_note_new (record, text), aex_note_free));
}

/* --- K34 */
typedef struct
{
  AexRecord  *record;
  AexPending *promise;
  AexGate     begun;
} Awaiting;

static AexPending *
async_wait_for_promise (AexPending   *job,
                        GCancellable *cancellable,
                        gpointer      data,
                        GError      **error)
{
  Awaiting *self = data;

  aex_record_add (self->record, "begin");
  aex_gate_open (&self->begun);
  return g_object_ref (self->promise);
}

static gboolean
job_count (AexPending   *job,
           GCancellable *cancellable,
           gpointer      n,
           GError      **error)
{
  (*(int *) n)++;
  return TRUE;
}

/* Ten items, of which the second waits: only the first runs, and the rest when that is over. */
static void
test_execution_queue (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "q");
  g_autoptr (AexPending) between = NULL;
  AexRecord record;
  Awaiting awaiting = { .record = &record, .promise = aex_pending_new () };

  aex_record_init (&record);
  aex_gate_init (&awaiting.begun);
  push_note (queue, &record, "0");
  g_assert_true (aex_call_queue_push_async (queue, async_wait_for_promise, &awaiting, NULL));
  for (guint i = 2; i < 10; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);

      push_note (queue, &record, text);
    }
  aex_gate_wait (&awaiting.begun);
  /* The caller itself is free. */
  between = aex_submit_note (AEX_EXECUTOR (caller), &record, "else");
  aex_test_wait (between);
  aex_assert_record (&record, "0 begin else");
  g_assert_cmpuint (aex_call_queue_get_n_items (queue), ==, 9);
  aex_pending_resolve (awaiting.promise, NULL);
  aex_test_wait_for_queue (queue);
  aex_assert_record (&record, "0 begin else 2 3 4 5 6 7 8 9");
  g_object_unref (awaiting.promise);
  aex_gate_clear (&awaiting.begun);
  aex_test_caller_end (caller);
  aex_record_clear (&record);
}

/* K22: sync items have their place among everything else that a caller does. */
static void
test_balanced (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "balanced");
  g_autoptr (GString) expected = g_string_new (NULL);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *direct = g_strdup_printf ("d%u", i);
      g_autofree char *queued = g_strdup_printf ("q%u", i);
      g_autofree char *soon = g_strdup_printf ("s%u", i);

      aex_caller_call_direct (caller, aex_note_post, aex_note_new (&record, direct), aex_note_free);
      push_note (queue, &record, queued);
      g_ptr_array_add (jobs, aex_submit_note (AEX_EXECUTOR (caller), &record, soon));
      g_string_append_printf (expected, "%s%s %s %s", i > 0 ? " " : "", direct, queued, soon);
    }
  for (guint i = 0; i < jobs->len; i++)
    aex_test_run_until_done (jobs->pdata[i]);
  aex_assert_record (&record, expected->str);
  aex_call_queue_close (queue);
  aex_test_drain ();
  aex_record_clear (&record);
}

/* One that runs a loop of its own is not overtaken. */
typedef struct
{
  AexCallQueue *queue;
  AexRecord    *record;
  int           n;
} Nested;

static gboolean
job_nested (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  Nested *self = data;
  g_autoptr (AexPending) sleep = aex_pending_sleep (1000);

  aex_record_add (self->record, "in");
  push_note (self->queue, self->record, "before");
  push_note (self->queue, self->record, "after");
  aex_pending_run_until_done (sleep, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  aex_record_add (self->record, "out");
  return TRUE;
}

static void
test_nested_loop (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, NULL);
  AexRecord record;
  Nested nested = { queue, &record, 0 };

  aex_record_init (&record);
  g_assert_true (aex_call_queue_push (queue, job_nested, &nested, NULL));
  while (aex_record_get_length (&record) < 4)
    aex_test_wait_for_queue (queue);
  aex_assert_record (&record, "in out before after");
  aex_test_caller_end (caller);
  aex_record_clear (&record);
}

/* The context of the first call is that of all. */
static gboolean
job_note_var (AexPending   *job,
              GCancellable *cancellable,
              gpointer      data,
              GError      **error)
{
  gpointer *arguments = data;

  *(int *) arguments[1] = *(int *) arguments[1] * 10 + aex_test_var_get (arguments[0]);
  aex_test_var_set (arguments[0], 9);
  return TRUE;
}

static void
test_first_context (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "context");
  g_autoptr (AexContextVar) var = aex_test_var_new (0);
  int seen = 0;
  gpointer arguments[] = { var, &seen };

  for (int i = 1; i <= 3; i++)
    {
      aex_test_var_set (var, i);
      g_assert_true (aex_call_queue_push (queue, job_note_var, arguments, NULL));
    }
  aex_test_wait_for_queue (queue);
  g_assert_cmpint (seen, ==, 111);
  aex_test_caller_end (caller);
}

/* Neither an error nor a cancellation of an item ends it. */
static gboolean
job_cancel_itself (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      user_data,
                   GError      **error)
{
  aex_pending_cancel (job, "by itself");
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "by itself");
  return FALSE;
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     n_told)
{
  g_autofree char *name = aex_pending_dup_name (pending);

  g_assert_cmpstr (name, ==, "failing");
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  (*(int *) n_told)++;
  return TRUE;
}

static void
test_user_cancel (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "failing");
  int n = 0, n_told = 0;

  g_signal_connect (caller, "unhandled-error", G_CALLBACK (on_unhandled), &n_told);
  g_assert_true (aex_call_queue_push (queue, job_cancel_itself, NULL, NULL));
  g_assert_true (aex_call_queue_push (queue, job_count, &n, NULL));
  g_assert_true (aex_call_queue_push (queue, aex_job_fail, NULL, NULL));
  g_assert_true (aex_call_queue_push (queue, job_count, &n, NULL));
  aex_test_wait_for_queue (queue);
  aex_test_wait_for_queue (queue);
  g_assert_cmpint (n, ==, 2);
  g_assert_false (aex_pending_is_done (aex_call_queue_get_pending (queue)));
  aex_test_caller_end (caller);
  g_assert_cmpint (n_told, ==, 1);
}

/* K17: with both fields, in the log. */
static void
test_failure_logged (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = aex_caller_new_for_context (context, "database", NULL);
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "writes");
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  g_assert_true (aex_call_queue_push (queue, aex_job_fail, NULL, NULL));
  while (g_main_context_iteration (context, FALSE))
    ;
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_cmpstr (aex_log_entry_get (log, 0, "AEX_EXECUTOR"), ==, "database");
  g_assert_cmpstr (aex_log_entry_get (log, 0, "AEX_PENDING"), ==, "writes");
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "Test exception"));
}

/* It dies with its key. */
static void
test_queue_gc (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  AexBlock block;
  AexPending *busy = aex_block_begin (&block, AEX_EXECUTOR (caller));
  GObject *owner = aex_test_object_new (NULL);
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, owner, "method");
  g_autoptr (AexCallQueue) other = aex_caller_ensure_queue (caller, owner, "other");
  g_autoptr (AexCallQueue) same = aex_caller_ensure_queue (caller, owner, "method");
  g_autoptr (AexPending) after = NULL;
  AexPoison poison;

  g_assert_true (queue == same);
  g_assert_true (queue != other);
  aex_poison_init_executor (&poison, AEX_EXECUTOR (caller));
  g_assert_true (aex_call_queue_push (queue, aex_poison_job, &poison, aex_poison_release));
  g_object_unref (owner);
  g_assert_true (aex_pending_is_done (aex_call_queue_get_pending (queue)));
  g_assert_true (aex_pending_is_done (aex_call_queue_get_pending (other)));
  g_assert_false (aex_call_queue_push (queue, aex_job_int, NULL, NULL));
  aex_block_end (&block, busy);
  /* Its turn would have come by then, and it is let go of there. */
  after = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  aex_test_wait (after);
  aex_test_caller_end (caller);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
}

/* --- K35, D6 */
static void
test_queue_get (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = NULL;
  g_autoptr (AexCallQueue) found = NULL;
  g_autoptr (AexCallQueue) anew = NULL;
  g_autoptr (AexCaller) runs = NULL;
  g_autoptr (AexPending) pending = NULL;

  g_assert_null (aex_caller_lookup_queue (caller, NULL, "q"));
  queue = aex_caller_ensure_queue (caller, NULL, "q");
  found = aex_caller_lookup_queue (caller, NULL, "q");
  g_assert_true (found == queue);
  g_assert_null (aex_caller_lookup_queue (caller, NULL, "other"));
  g_assert_cmpstr (aex_call_queue_get_key (queue), ==, "q");
  runs = aex_call_queue_ref_caller (queue);
  g_assert_true (runs == caller);
  g_object_get (queue, "pending", &pending, NULL);
  g_assert_true (pending == aex_call_queue_get_pending (queue));
  aex_assert_state (pending, RUNNING);
  /* Who cancels it closes the queue. */
  g_assert_true (aex_pending_cancel (pending, NULL));
  aex_assert_cancelled (pending);
  g_assert_null (aex_caller_lookup_queue (caller, NULL, "q"));
  g_assert_false (aex_call_queue_push (queue, aex_job_int, NULL, NULL));
  anew = aex_caller_ensure_queue (caller, NULL, "q");
  g_assert_true (anew != queue);
  aex_test_wait_for_queue (anew);
  aex_test_caller_end (caller);
  aex_assert_state (aex_call_queue_get_pending (anew), CANCELLED);
  aex_assert_failed_with (aex_call_queue_get_pending (anew), AEX_ERROR, AEX_ERROR_CLOSED);
}

/* --- K36 */
static void
test_close (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexPending) after = NULL;
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "q");
  AexRecord record;
  Awaiting awaiting = { .record = &record, .promise = aex_pending_new () };
  int n = 0;

  aex_record_init (&record);
  aex_gate_init (&awaiting.begun);
  aex_caller_close_queue (caller, NULL, "unknown");
  g_assert_true (aex_call_queue_push_async (queue, async_wait_for_promise, &awaiting, NULL));
  g_assert_true (aex_call_queue_push (queue, job_count, &n, NULL));
  aex_gate_wait (&awaiting.begun);
  g_assert_true (aex_call_queue_push (queue, job_count, &n, NULL));
  /* By then it has returned what it waits for. */
  after = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  aex_test_wait (after);
  aex_caller_close_queue (caller, NULL, "q");
  aex_call_queue_close (queue);
  /* What ran was cancelled, and with it what it waited for. */
  aex_assert_state (awaiting.promise, CANCELLED);
  g_assert_null (aex_caller_lookup_queue (caller, NULL, "q"));
  g_assert_cmpuint (aex_call_queue_get_n_items (queue), ==, 0);
  aex_test_caller_end (caller);
  g_assert_cmpint (n, ==, 0);
  g_object_unref (awaiting.promise);
  aex_gate_clear (&awaiting.begun);
  aex_record_clear (&record);
}

static gboolean
job_close_queue (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      queue,
                 GError      **error)
{
  aex_call_queue_close (queue);
  g_assert_true (aex_pending_is_cancelled (job));
  return TRUE;
}

/* P19: from one of its own items, and from a done callback of its pending. */
static void
on_done_close (AexPending *pending,
               gpointer    queue)
{
  aex_call_queue_close (queue);
}

static void
test_close_inside (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "q");
  int n = 0;

  aex_pending_add_done_callback_inline (aex_call_queue_get_pending (queue), on_done_close, queue, NULL);
  g_assert_true (aex_call_queue_push (queue, job_close_queue, queue, NULL));
  aex_call_queue_push (queue, job_count, &n, NULL);
  aex_test_wait (aex_call_queue_get_pending (queue));
  aex_test_caller_end (caller);
  g_assert_cmpint (n, ==, 0);
}

/* Without closing: the caller ends, or drains. */
static void
test_caller_ends (void)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "q");
  g_autoptr (AexCallQueue) late = NULL;
  g_autoptr (AexPending) stopped = g_object_ref (aex_caller_get_stopped (caller));
  AexRecord record;
  Awaiting awaiting = { .record = &record, .promise = aex_pending_new () };
  int n = 0;

  aex_record_init (&record);
  aex_gate_init (&awaiting.begun);
  g_assert_true (aex_call_queue_push_async (queue, async_wait_for_promise, &awaiting, NULL));
  for (guint i = 0; i < 5; i++)
    g_assert_true (aex_call_queue_push (queue, job_count, &n, NULL));
  aex_gate_wait (&awaiting.begun);
  g_object_unref (aex_executor_shutdown (AEX_EXECUTOR (caller), AEX_SHUTDOWN_FLAGS_NONE));
  g_assert_false (aex_call_queue_push (queue, job_count, &n, NULL));
  late = aex_caller_ensure_queue (caller, NULL, "late");
  aex_assert_state (aex_call_queue_get_pending (late), CANCELLED);
  g_assert_false (aex_call_queue_push (late, job_count, &n, NULL));
  g_assert_false (aex_pending_is_done (stopped));
  aex_pending_resolve (awaiting.promise, NULL);
  aex_test_wait (stopped);
  g_assert_cmpint (n, ==, 5);
  g_object_unref (caller);
  g_object_unref (awaiting.promise);
  aex_gate_clear (&awaiting.begun);
  aex_record_clear (&record);
}

/* Released once: after it ran, or, refused, at who pushed it. */
static AexPending *
async_poison (AexPending   *job,
              GCancellable *cancellable,
              gpointer      poison,
              GError      **error)
{
  aex_poison_job (job, cancellable, poison, error);
  return NULL;
}

static gboolean
push_poison (AexCallQueue *queue,
             AexPoison    *poison,
             gboolean      is_async)
{
  return is_async ? aex_call_queue_push_async (queue, async_poison, poison, aex_poison_release)
                  : aex_call_queue_push (queue, aex_poison_job, poison, aex_poison_release);
}

static void
test_destroy (gconstpointer is_async)
{
  AexCaller *caller = aex_test_caller_new ("queues");
  g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (caller, NULL, "q");
  AexPoison ran, late;

  aex_poison_init_executor (&ran, AEX_EXECUTOR (caller));
  g_assert_true (push_poison (queue, &ran, is_async != NULL));
  aex_test_wait_for_queue (queue);
  g_assert_cmpint (aex_poison_get_called (&ran), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&ran), ==, 1);
  aex_call_queue_close (queue);
  aex_poison_init (&late);
  g_assert_false (push_poison (queue, &late, is_async != NULL));
  aex_test_iterate_until (aex_poison_is_released, &late);
  g_assert_cmpint (aex_poison_get_called (&late), ==, 0);
  aex_test_caller_end (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K34/execution-queue", test_execution_queue);
  aex_test_add ("/caller/K22-K34/balanced", test_balanced);
  aex_test_add ("/caller/K34/nested-loop", test_nested_loop);
  aex_test_add_in_context ("/caller/K34/first-context", test_first_context);
  aex_test_add ("/caller/K34/user-cancel", test_user_cancel);
  aex_test_add ("/caller/K17-K34/failure-logged", test_failure_logged);
  aex_test_add ("/caller/K34/queue-gc", test_queue_gc);
  aex_test_add ("/caller/K35-D6/queue-get", test_queue_get);
  aex_test_add ("/caller/K36/close", test_close);
  aex_test_add ("/caller/K36-P19/close-inside", test_close_inside);
  aex_test_add ("/caller/K34/caller-ends", test_caller_ends);
  aex_test_add_data ("/destroy/X4/aex_call_queue_push", NULL, test_destroy);
  aex_test_add_data ("/destroy/X4/aex_call_queue_push_async", GINT_TO_POINTER (1), test_destroy);
  return aex_test_run ();
}
