/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where no descriptor is left, GLib can not make a main context and ends the process.  We say so instead. */

static struct rlimit limit_before;

/* Every number below the lowest free one is in use. */
static void
take_descriptors (void)
{
  struct rlimit limit;
  int lowest = dup (STDERR_FILENO);

  close (lowest);
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit_before), ==, 0);
  limit = limit_before;
  limit.rlim_cur = (rlim_t) lowest;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static void
give_descriptors_back (void)
{
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit_before), ==, 0);
}

static void
assert_refused (AexPending *pending)
{
  g_autoptr (AexPending) owned = pending;

  aex_assert_state (owned, REJECTED);
  aex_assert_failed_with (owned, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

/* There is no error to say it with: the caller refuses, and the next one for the same context does not. */
static void
test_caller_refuses (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) refusing = NULL;
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (AexPendingStream) mapped = NULL;
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (AexCallQueue) queue = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) child_error = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = FALSE;
  take_descriptors ();
  refusing = aex_caller_ref_for_context (context);
  give_descriptors_back ();
  assert_refused (aex_executor_submit (AEX_EXECUTOR (refusing), aex_poison_job, &poison, aex_poison_release));
  assert_refused (aex_caller_call_later (refusing, 1000, aex_job_int, NULL, NULL));
  g_assert_null (aex_executor_run (AEX_EXECUTOR (refusing), aex_job_int, NULL, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  mapped = aex_executor_map (AEX_EXECUTOR (refusing), 2, 1, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, NULL, NULL);
  assert_refused (aex_pending_stream_next (mapped));
  assert_refused (aex_caller_to_thread (refusing, aex_job_int, NULL, NULL));
  g_assert_null (aex_caller_ref_child (refusing, "none", &child_error));
  g_assert_error (child_error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  queue = aex_caller_ensure_queue (refusing, NULL, NULL);
  g_assert_false (aex_call_queue_push (queue, aex_job_int, NULL, NULL));
  g_assert_null (aex_caller_get_context (refusing));
  g_assert_true (aex_pending_is_done (aex_caller_get_started (refusing)));
  stopped = aex_caller_stop (refusing, AEX_STOP_FLAGS_NONE);
  aex_test_run_until_done (stopped);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);

  caller = aex_caller_ref_for_context (context);
  g_assert_true (caller != refusing);
  g_assert_true (aex_caller_get_context (caller) == context);
}

static void
test_new_thread (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) pool_error = NULL;

  take_descriptors ();
  g_assert_null (aex_caller_new_thread ("none", &error));
  g_assert_null (aex_caller_pool_new (2, &pool_error));
  give_descriptors_back ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_error (pool_error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

/* --- in a process that has not made the default context yet.  Nothing of the library has been used in this one: it forks. */

static void
use_first (void)
{
  g_autoptr (AexPending) promise = NULL;
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (GError) run_error = NULL;
  g_autoptr (GError) current_error = NULL;

  take_descriptors ();
  promise = aex_pending_new ();
  g_assert_false (aex_pending_run_until_done (promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &run_error));
  g_assert_error (run_error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  g_assert_null (aex_caller_ref_current (&current_error));
  g_assert_error (current_error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  caller = aex_caller_ref_main ();
  assert_refused (aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL));
  assert_refused (aex_pending_then (promise, aex_poison_then, NULL, NULL));
  g_object_unref (caller);
  give_descriptors_back ();

  caller = aex_caller_ref_main ();
  g_object_unref (aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL));
  aex_pending_resolve (promise, NULL);
}

/* A script's executor dispatches from the main context of whoever made it. */
#define SCRIPTED_TYPE_EXECUTOR (scripted_executor_get_type ())
G_DECLARE_FINAL_TYPE (ScriptedExecutor, scripted_executor, SCRIPTED, EXECUTOR, AexExecutor)

struct _ScriptedExecutor
{
  AexExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (ScriptedExecutor, scripted_executor, AEX_TYPE_EXECUTOR)

static void
scripted_executor_dispatch (AexExecutor *executor,
                            AexPending  *job,
                            GError     **error)
{
  aex_pending_run (job);
}

static void
scripted_executor_class_init (ScriptedExecutorClass *klass)
{
  AEX_EXECUTOR_CLASS (klass)->dispatch = scripted_executor_dispatch;
}

static void
scripted_executor_init (ScriptedExecutor *self)
{
}

static AexExecutor *
scripted_without_context (void)
{
  AexExecutor *executor;

  take_descriptors ();
  executor = g_object_new (SCRIPTED_TYPE_EXECUTOR, NULL);
  give_descriptors_back ();
  return executor;
}

/* It is not closed: it says what is missing, and the next one is as usual. */
static void
use_scripted (void)
{
  g_autoptr (AexExecutor) refusing = scripted_without_context ();
  g_autoptr (AexExecutor) executor = NULL;
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) stopped = NULL;
  g_autoptr (AexPendingStream) mapped = aex_executor_map (refusing, 2, 1, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, NULL, NULL);

  assert_refused (aex_executor_submit (refusing, aex_job_int, NULL, NULL));
  assert_refused (aex_pending_stream_next (mapped));
  executor = g_object_new (SCRIPTED_TYPE_EXECUTOR, NULL);
  job = aex_executor_submit (executor, aex_job_int, GINT_TO_POINTER (7), NULL);
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, 7);
  stopped = aex_executor_shutdown (refusing, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_run_until_done (stopped);
}

/* What the wrapped executor refuses, for want of something, is not told as a shutdown. */
static void
use_map_through_limiter (void)
{
  g_autoptr (AexExecutor) refusing = scripted_without_context ();
  g_autoptr (AexExecutor) limiter = aex_limiter_new (refusing, 1);
  g_autoptr (AexPendingStream) mapped = aex_executor_map (limiter, 2, 1, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, NULL, NULL);
  g_autoptr (AexPending) next = aex_pending_stream_next (mapped);
  g_autoptr (AexPending) stopped = NULL;

  aex_test_run_until_done (next);
  aex_assert_failed_with (next, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  stopped = aex_executor_shutdown (limiter, AEX_SHUTDOWN_FLAGS_NONE);
  aex_test_run_until_done (stopped);
}

typedef struct
{
  const char *path;
  AexTestFunc func;
  int         status;   /* of the child */
} First;

static First firsts[] = {
  { "/descriptors/X9/from-the-start", use_first, 0 },
  { "/descriptors/X9-S4/scripted-from-the-start", use_scripted, 0 },
  { "/descriptors/X9-E4/map-through-limiter", use_map_through_limiter, 0 },
};

static void
fork_first (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++)
    {
      pid_t child = fork ();

      if (child == 0)
        {
          alarm (20);
          firsts[i].func ();
          _exit (0);
        }
      g_assert_cmpint (waitpid (child, &firsts[i].status, 0), ==, child);
    }
}

static void
test_first (gconstpointer data)
{
  const First *first = data;

  g_assert_true (WIFEXITED (first->status));
  g_assert_cmpint (WEXITSTATUS (first->status), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  fork_first ();
  aex_test_init (&argc, &argv);
  aex_test_add ("/descriptors/X9/caller-refuses", test_caller_refuses);
  aex_test_add ("/descriptors/X9-K4/new-thread", test_new_thread);
  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++)
    aex_test_add_data (firsts[i].path, &firsts[i], test_first);
  return aex_test_run ();
}
