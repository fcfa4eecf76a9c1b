/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-jobs.h"
#include "lib/aex-race.h"

#include "base/aex-home-private.h"
#include "pending/aex-pending-private.h"

/* Properties of pendings and how their changes are told: on the owner's
 * context, in rounds, the last before the done callbacks (W2 to W4). */

#define FRAME_US 16000

static AexRecord record;

/* "progress=0.50", "state=1" and so on. */
static void
note_change (GObject    *object,
             GParamSpec *spec,
             gpointer    prefix)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autofree char *text = NULL;

  g_assert_cmpint (g_main_depth (), >, 0);
  g_object_get_property (object, spec->name, &value);
  if (G_VALUE_HOLDS_DOUBLE (&value))
    text = g_strdup_printf ("%s%s=%.2f", (const char *) prefix, spec->name, g_value_get_double (&value));
  else if (G_VALUE_HOLDS_ENUM (&value))
    text = g_strdup_printf ("%s%s=%d", (const char *) prefix, spec->name, g_value_get_enum (&value));
  else
    text = g_strdup_printf ("%s%s=%s", (const char *) prefix, spec->name, g_value_get_string (&value));
  aex_record_add (&record, text);
}

static gboolean
record_has (gpointer n)
{
  return aex_record_get_length (&record) >= GPOINTER_TO_UINT (n);
}

/* The last round is long ago, also that of a test before, which began from the same real time. */
static void
begin_time (void)
{
  static gint64 ahead_us;

  aex_test_virtual_time ();
  ahead_us += G_USEC_PER_SEC;
  aex_clock_advance (ahead_us);
}

static AexPending *
begin_watched (const char *signal)
{
  AexPending *pending = aex_pending_new ();

  aex_record_init (&record);
  begin_time ();
  g_signal_connect (pending, signal, G_CALLBACK (note_change), (gpointer) "");
  return pending;
}

/* --- how often */

static void
test_collected (void)
{
  g_autoptr (AexPending) pending = begin_watched ("notify::progress");

  for (int i = 1; i <= 10; i++)
    aex_pending_set_progress (pending, i / 20.0, NULL);
  aex_assert_record (&record, "");
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.50");

  aex_pending_set_progress (pending, 0.6, NULL);
  aex_pending_set_progress (pending, 0.7, NULL);
  aex_test_drain ();
  aex_clock_advance (FRAME_US - 1);
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.50");
  aex_clock_advance (1);
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.50 progress=0.70");

  /* What does not change is not told. */
  aex_pending_set_progress (pending, 0.7, NULL);
  aex_clock_advance (FRAME_US);
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.50 progress=0.70");
  aex_record_clear (&record);
}

/* Within the frame, too, the last one comes before the done callback. */
static void
test_before_done (void)
{
  g_autoptr (AexPending) pending = begin_watched ("notify::progress");

  aex_pending_set_progress (pending, 0.1, NULL);
  aex_test_drain ();
  aex_pending_add_done_callback (pending, aex_note_callback, aex_note_new (&record, "done"), aex_note_free);
  aex_pending_set_progress (pending, 0.9, NULL);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.10 progress=0.90 done");
  aex_clock_advance (FRAME_US);
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.10 progress=0.90 done");
  aex_record_clear (&record);
}

/* The callback is attached while another thread completes the pending: between its being done and its saying so. */
typedef struct
{
  AexPending *pending;
  double      told;
  gboolean    called;
} LateCallback;

static void
note_told (GObject    *object,
           GParamSpec *spec,
           gpointer    race)
{
  g_object_get (object, "progress", &((LateCallback *) race)->told, NULL);
}

static void
check_told (AexPending *pending,
            gpointer    race)
{
  LateCallback *self = race;

  g_assert_cmpfloat (self->told, ==, 0.9);
  self->called = TRUE;
}

static void
late_setup (gpointer race)
{
  LateCallback *self = race;

  self->pending = aex_pending_new ();
  g_signal_connect (self->pending, "notify::progress", G_CALLBACK (note_told), self);
  aex_pending_set_progress (self->pending, 0.1, NULL);
  aex_test_drain ();
}

static void
late_resolve (gpointer race)
{
  LateCallback *self = race;

  aex_pending_set_progress (self->pending, 0.9, NULL);
  aex_race_pause ();
  g_assert_true (aex_pending_resolve (self->pending, NULL));
}

static void
late_attach (gpointer race)
{
  LateCallback *self = race;

  /* Not to wait, but to be there in the moment after: which of the two is first does not matter. */
  for (int i = 0; i < 10000 && !aex_pending_is_done (self->pending); i++)
    ;
  g_assert_cmpuint (aex_pending_add_done_callback (self->pending, check_told, self, NULL), !=, 0);
}

static void
late_check (gpointer race)
{
  LateCallback *self = race;

  g_assert_true (self->called);
  g_clear_object (&self->pending);
}

static const AexRace late_callback = {
  .path = "/pending-notify/W2/before-late-done",
  .n_rounds = 200000,
  .size = sizeof (LateCallback),
  .setup = late_setup,
  .run = { late_resolve, late_attach },
  .check = late_check,
};

static AexPending *
note_then (AexPending *done,
           gpointer    text,
           GError    **error)
{
  aex_record_add (&record, text);
  return NULL;
}

static void
test_before_continuation (void)
{
  g_autoptr (AexPending) pending = begin_watched ("notify");
  AexPending *derived = aex_pending_then (pending, note_then, (gpointer) "then", NULL);

  aex_pending_set_progress (pending, 0.1, "a");
  aex_test_drain ();
  aex_pending_set_progress (pending, 0.1, "b");
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.10 progress-message=a status-text=a "
                              "progress-message=b state=2 status-text=b then");
  g_object_unref (derived);
  aex_record_clear (&record);
}

/* The last one comes although nobody holds the pending any more. */
static void
test_dropped (void)
{
  AexPending *pending = begin_watched ("notify::progress");

  aex_pending_set_progress (pending, 0.1, NULL);
  aex_test_drain ();
  aex_pending_set_progress (pending, 0.2, NULL);
  g_object_unref (pending);
  aex_clock_advance (FRAME_US);
  aex_test_drain ();
  aex_assert_record (&record, "progress=0.10 progress=0.20");
  aex_record_clear (&record);
}

/* Of many that change, each is told once a round; one that iterates the loop holds nobody up. */
static void
iterate_for_other (GObject    *object,
                   GParamSpec *spec,
                   gpointer    data)
{
  aex_record_add (&record, "(");
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (2));
  aex_record_add (&record, ")");
}

static void
test_nested_loop (void)
{
  g_autoptr (AexPending) first = aex_pending_new ();
  g_autoptr (AexPending) second = begin_watched ("notify::progress");

  g_signal_connect (first, "notify::progress", G_CALLBACK (iterate_for_other), NULL);
  aex_pending_set_progress (first, 0.1, NULL);
  aex_pending_set_progress (second, 0.2, NULL);
  aex_test_drain ();
  aex_assert_record (&record, "( progress=0.20 )");
  aex_record_clear (&record);
}

/* --- where */

static gpointer
change_in_thread (gpointer pending)
{
  aex_pending_set_progress (pending, 0.5, "half");
  return NULL;
}

static void
on_thread (GObject    *object,
           GParamSpec *spec,
           gpointer    thread)
{
  g_assert_true (g_thread_self () == thread);
  aex_record_add (&record, spec->name);
}

static void
test_owner_only (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_record_init (&record);
  g_signal_connect (pending, "notify::progress", G_CALLBACK (on_thread), g_thread_self ());
  aex_test_in_thread (change_in_thread, pending);
  g_assert_cmpuint (aex_record_get_length (&record), ==, 0);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1));
  aex_record_clear (&record);
}

/* What a job makes is told where the job is: not in the pool. */
static gboolean
job_makes_watched (AexPending   *job,
                   GCancellable *cancellable,
                   gpointer      main_thread,
                   GError      **error)
{
  g_autoptr (AexPending) made = aex_pending_new ();

  g_signal_connect (made, "notify::progress", G_CALLBACK (on_thread), main_thread);
  aex_pending_set_progress (made, 0.5, NULL);
  return aex_pending_resolve_object (job, made);
}

static void
test_made_in_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;

  aex_record_init (&record);
  job = aex_executor_submit (pool, job_makes_watched, g_thread_self (), NULL);
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (1));
  aex_test_wait (job);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

/* Nobody will ever run the owner's context again: nothing is told, nothing leaks. */
static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  AexPending *pending;

  aex_record_init (&record);
  g_main_context_push_thread_default (context);
  pending = aex_pending_new ();
  g_main_context_pop_thread_default (context);
  g_signal_connect (pending, "notify::progress", G_CALLBACK (note_change), (gpointer) "");
  aex_pending_set_progress (pending, 0.5, NULL);
  g_main_context_unref (context);
  aex_pending_set_progress (pending, 0.7, NULL);
  g_assert_cmpfloat (aex_pending_get_progress (pending), ==, 0.7);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_object_unref (pending);
  aex_assert_record (&record, "");
  aex_record_clear (&record);
}

/* --- what */

static void
test_state (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block, own;
  g_autoptr (AexPending) job = NULL;
  AexPending *first = aex_block_begin (&block, pool);

  aex_record_init (&record);
  begin_time ();
  aex_block_init (&own);
  job = aex_executor_submit (pool, aex_block_job, &own, NULL);
  g_signal_connect (job, "notify::state", G_CALLBACK (note_change), (gpointer) "");
  aex_test_drain ();
  aex_assert_record (&record, "");
  aex_block_end (&block, first);
  aex_gate_wait (&own.started);
  aex_test_drain ();
  aex_assert_record (&record, "state=1");
  aex_gate_open (&own.release);
  /* The end does not wait for the frame, nor for anybody who waits for the job. */
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (2));
  aex_assert_record (&record, "state=1 state=2");
  aex_block_clear (&own);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

static void
test_cancelled_in_queue (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  g_autoptr (AexPending) job = NULL;
  AexPending *first = aex_block_begin (&block, pool);

  aex_record_init (&record);
  job = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  g_signal_connect (job, "notify::state", G_CALLBACK (note_change), (gpointer) "");
  aex_pending_add_done_callback (job, aex_note_callback, aex_note_new (&record, "done"), aex_note_free);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_test_iterate_until (record_has, GUINT_TO_POINTER (2));
  aex_assert_record (&record, "state=4 done");
  aex_block_end (&block, first);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

static void
test_name (void)
{
  g_autoptr (AexPending) pending = begin_watched ("notify::name");

  aex_pending_set_name (pending, "load");
  aex_test_drain ();
  aex_assert_record (&record, "name=load");
  aex_record_clear (&record);
}

#define assert_status(pending, expected) \
  G_STMT_START { \
    g_autofree char *text_ = NULL; \
    g_object_get (pending, "status-text", &text_, NULL); \
    g_assert_cmpstr (text_, ==, (expected)); \
  } G_STMT_END

static void
test_status_text (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) failed = aex_pending_new ();
  g_autoptr (AexPending) cancelled = aex_pending_new ();
  g_autoptr (AexPending) silent = aex_pending_new_resolved (NULL);
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *first = aex_block_begin (&block, pool);
  g_autoptr (AexPending) queued = aex_executor_submit (pool, aex_job_int, NULL, NULL);

  assert_status (queued, "Waiting");
  assert_status (pending, "Running");
  assert_status (silent, "Done");
  aex_pending_set_progress (pending, 0.5, "12 files");
  assert_status (pending, "12 files");
  g_assert_true (aex_pending_resolve (pending, NULL));
  assert_status (pending, "12 files");

  aex_pending_set_progress (failed, 0.5, "12 files");
  aex_pending_reject (failed, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no"));
  aex_assert_failed_with (failed, G_IO_ERROR, G_IO_ERROR_FAILED);
  assert_status (failed, "Failed");
  aex_pending_set_progress (cancelled, 0.5, "12 files");
  aex_pending_cancel (cancelled, NULL);
  assert_status (cancelled, "Cancelled");
  aex_block_end (&block, first);
  aex_test_wait (queued);
  aex_test_shutdown (pool);
}

/* --- what it costs */

/* A pending that nobody looks at has no extension, and its owner's loop is told nothing. */
static void
test_free_unwatched (void)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  g_autoptr (AexPending) promise = aex_pending_new ();
  int before = aex_live_get (AEX_LIVE_EXTENSION);

  for (int i = 0; i < 1000; i++)
    g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL));
  aex_test_wait_all (jobs);
  g_assert_true (aex_pending_resolve (promise, NULL));
  g_assert_cmpint (aex_live_get (AEX_LIVE_EXTENSION), ==, before);
  g_assert_cmpuint (aex_home_get_default ()->gathered.length, ==, 0);
  g_ptr_array_set_size (jobs, 0);
  aex_test_shutdown (pool);
}

/* Progress that nobody looks at wakes nobody. */
static void
test_progress_unwatched (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  aex_test_drain ();
  for (int i = 0; i < 100; i++)
    aex_pending_set_progress (pending, i / 100.0, "again");
  g_assert_false (g_main_context_pending (NULL));
}

/* Where GObject's flag can not be found, it is asked. */
static void
test_without_flag (void)
{
  gsize mask = aex_pending_handlers_mask;

  g_assert_cmpuint (mask, !=, 0);
  aex_pending_handlers_mask = 0;
  test_before_done ();
  test_progress_unwatched ();
  aex_pending_handlers_mask = mask;
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending-notify/W2/collected", test_collected);
  aex_test_add ("/pending-notify/W2/before-done", test_before_done);
  aex_race_add (&late_callback);
  aex_test_add ("/pending-notify/W2/before-continuation", test_before_continuation);
  aex_test_add ("/pending-notify/W2/dropped", test_dropped);
  aex_test_add ("/pending-notify/W2/nested-loop", test_nested_loop);
  aex_test_add ("/pending-notify/W2-R5/owner-only", test_owner_only);
  aex_test_add ("/pending-notify/W2-R5/made-in-job", test_made_in_job);
  aex_test_add ("/pending-notify/W2-R5/context-gone", test_context_gone);
  aex_test_add ("/pending-notify/W3/state", test_state);
  aex_test_add ("/pending-notify/W3/cancelled-in-queue", test_cancelled_in_queue);
  aex_test_add ("/pending-notify/W3/name", test_name);
  aex_test_add ("/pending-notify/W3/status-text", test_status_text);
  aex_test_add ("/pending-notify/W4/free-unwatched", test_free_unwatched);
  aex_test_add ("/pending-notify/W4/progress-unwatched", test_progress_unwatched);
  aex_test_add ("/pending-notify/W4/without-flag", test_without_flag);
  return aex_test_run ();
}
