/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <string.h>

/* Functions that are posted, and jobs that get another priority, on each kind of executor. */

typedef AexExecutor *(*MakeFunc) (AexExecutor *pool);

static AexExecutor *
make_pool (AexExecutor *pool)
{
  return aex_test_pool (1);
}

static AexExecutor *
make_limiter (AexExecutor *pool)
{
  return aex_limiter_new (pool, 1);
}

static AexExecutor *
make_caller_pool (AexExecutor *pool)
{
  g_autoptr (GError) error = NULL;
  AexExecutor *self = aex_caller_pool_new (1, &error);

  g_assert_no_error (error);
  return self;
}

static AexExecutor *
make_limiter_of_callers (AexExecutor *pool)
{
  AexExecutor *callers = make_caller_pool (pool);
  AexExecutor *self = aex_limiter_new (callers, 1);

  g_object_unref (callers);
  return self;
}

static AexExecutor *
make_caller (AexExecutor *pool)
{
  g_autoptr (GError) error = NULL;
  AexCaller *self = aex_caller_new_thread ("test", &error);

  g_assert_no_error (error);
  return AEX_EXECUTOR (self);
}

/* --- errors */
typedef struct
{
  int     n_called;
  GError *error;
} Reports;

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     reports)
{
  Reports *self = reports;

  g_assert_null (pending);
  if (self->error == NULL)
    self->error = g_error_copy (error);
  g_atomic_int_inc (&self->n_called);
  /* A caller's owner is its own thread. */
  g_main_context_wakeup (NULL);
  return TRUE;
}

static gboolean
post_silent_failure (gpointer user_data,
                     GError **error)
{
  return FALSE;
}

static void
test_fails_without_error (gconstpointer make)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *executor = ((MakeFunc) make) (pool);
  Reports reports = { 0 };

  g_signal_connect (executor, "unhandled-error", G_CALLBACK (on_unhandled), &reports);
  aex_executor_post (executor, post_silent_failure, NULL, NULL);
  aex_test_iterate_until (aex_test_is_set, &reports.n_called);
  g_assert_error (reports.error, AEX_ERROR, AEX_ERROR_FAILED);
  g_clear_error (&reports.error);
  aex_test_shutdown (executor);
  aex_test_shutdown (pool);
  g_assert_cmpint (reports.n_called, ==, 1);
}

/* --- the end */

/* Dropped with the queue: never called, released once. */
static void
test_dropped_at_the_end (gconstpointer make)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *executor = ((MakeFunc) make) (pool);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, executor);
  g_autoptr (AexPending) done = NULL;
  AexRecord record;
  AexNote *note;

  aex_record_init (&record);
  note = aex_note_new (&record, "posted");
  aex_executor_post (executor, aex_note_post, note, aex_note_free);
  done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
  aex_block_end (&block, blocker);
  aex_test_run_until_done (done);
  aex_assert_record (&record, "");
  aex_executor_post (executor, aex_note_post, aex_note_new (&record, "late"), aex_note_free);
  aex_test_drain ();
  aex_assert_record (&record, "");
  g_object_unref (executor);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

/* --- priorities */

/* The last of three becomes the first, and the first the last. */
static void
test_priority (gconstpointer make)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *executor = ((MakeFunc) make) (pool);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, executor);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  g_ptr_array_add (jobs, aex_submit_note (executor, &record, "1"));
  g_ptr_array_add (jobs, aex_submit_note (executor, &record, "2"));
  g_ptr_array_add (jobs, aex_submit_note (executor, &record, "3"));
  g_assert_true (aex_pending_set_priority (jobs->pdata[2], AEX_PRIORITY_HIGH));
  g_assert_true (aex_pending_set_priority (jobs->pdata[0], AEX_PRIORITY_BACKGROUND));
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 3);
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  aex_assert_record (&record, "3 2 1");
  g_assert_false (aex_pending_set_priority (jobs->pdata[0], AEX_PRIORITY_HIGH));
  aex_test_shutdown (executor);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

/* A job that the limiter has handed over and the pool has not started is moved in the pool. */
static void
test_priority_behind_a_limiter (gconstpointer make)
{
  AexExecutor *inner = ((MakeFunc) make) (NULL);
  AexExecutor *limiter = aex_limiter_new (inner, 3);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, inner);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "1"));
  g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "2"));
  g_assert_true (aex_pending_set_priority (jobs->pdata[1], AEX_PRIORITY_HIGH));
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  aex_assert_record (&record, "2 1");
  aex_test_shutdown (limiter);
  aex_test_shutdown (inner);
  aex_record_clear (&record);
}

/* Background work is not starved by a queue that never becomes empty. */
static void
test_background_in_a_limiter (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexExecutor *limiter = aex_limiter_new (pool, 1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, limiter);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  g_autofree char *text = NULL;
  AexRecord record;
  guint place;

  aex_record_init (&record);
  g_ptr_array_add (jobs, aex_submit_note_with_priority (limiter, AEX_PRIORITY_BACKGROUND, &record, "background"));
  for (guint i = 0; i < 200; i++)
    g_ptr_array_add (jobs, aex_submit_note (limiter, &record, "x"));
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  text = aex_record_dup_text (&record);
  place = (guint) (strstr (text, "background") - text) / 2;
  g_assert_cmpuint (place, >, 30);
  g_assert_cmpuint (place, <, 100);
  aex_test_shutdown (limiter);
  aex_test_shutdown (pool);
  aex_record_clear (&record);
}

static void
add_each (const char   *format,
          GTestDataFunc func)
{
  static const struct
  {
    const char *name;
    MakeFunc    make;
  } kinds[] = {
    { "pool", make_pool },
    { "limiter", make_limiter },
    { "caller-pool", make_caller_pool },
    { "limiter-of-callers", make_limiter_of_callers },
    { "caller", make_caller },
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strconcat (format, kinds[i].name, NULL);

      aex_test_add_data (path, (gconstpointer) kinds[i].make, func);
    }
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  add_each ("/posts/I8/fails-without-error/", test_fails_without_error);
  add_each ("/posts/E6/dropped-at-the-end/", test_dropped_at_the_end);
  add_each ("/posts/priority/", test_priority);
  aex_test_add_data ("/posts/priority/behind-a-limiter/pool", (gconstpointer) make_pool, test_priority_behind_a_limiter);
  aex_test_add_data ("/posts/priority/behind-a-limiter/caller-pool", (gconstpointer) make_caller_pool,
                     test_priority_behind_a_limiter);
  aex_test_add ("/posts/priority/background-in-a-limiter", test_background_in_a_limiter);
  return aex_test_run ();
}
