/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef AEX_TEST_COVERAGE
# include <gcov.h>
# define SAVE_COVERAGE() __gcov_dump ()
#else
# define SAVE_COVERAGE()
#endif

/* Rule 12: a forked child that did not exec gets errors, never a hang. */

#define CHILD_SECONDS 20

/* What the parent has when it forks. */
typedef struct
{
  AexExecutor *pool;
  AexBlock     block;
  AexPending  *running;
  AexPending  *queued;
  AexPending  *promise;
  AexPending  *watched;
  AexPending  *resolved;
  AexPending  *rejected;
  AexCaller   *caller;
  AexScope    *scope;
} World;

static void
no_message (AexPending *pending,
            GVariant   *message,
            gpointer    user_data)
{
}

static void
no_change (GObject    *object,
           GParamSpec *spec,
           gpointer    user_data)
{
}

static void
world_init (World *self)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, 7);
  self->pool = aex_test_pool (1);
  self->running = aex_block_begin (&self->block, self->pool);
  self->queued = aex_executor_submit (self->pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  self->promise = aex_pending_new ();
  self->resolved = aex_pending_new_resolved (&value);
  self->rejected = aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no"));
  self->caller = aex_caller_ref_main ();
  self->watched = aex_pending_new ();
  aex_pending_subscribe (self->watched, no_message, NULL, NULL);
  g_signal_connect (self->watched, "notify", G_CALLBACK (no_change), NULL);
  aex_pending_publish (self->watched, g_variant_new_boolean (TRUE));
  aex_pending_set_progress (self->watched, 0.5, "half");
  self->scope = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE);
  aex_scope_add (self->scope, self->watched);
}

/* The parent goes on as if nothing had happened. */
static void
world_end (World *self)
{
  aex_assert_failed_with (self->rejected, G_IO_ERROR, G_IO_ERROR_FAILED);
  aex_block_end (&self->block, self->running);
  aex_test_wait (self->queued);
  aex_assert_resolved_int64 (self->queued, 1);
  aex_pending_resolve_int64 (self->promise, 2);
  aex_assert_resolved_int64 (self->promise, 2);
  g_assert_false (aex_scope_leave (self->scope));
  g_assert_true (aex_pending_resolve (self->watched, NULL));
  g_object_unref (self->watched);
  aex_test_drain ();
  g_object_unref (self->queued);
  g_object_unref (self->promise);
  g_object_unref (self->resolved);
  g_object_unref (self->rejected);
  g_object_unref (self->caller);
  aex_test_shutdown (self->pool);
}

typedef void (*ChildFunc) (World *world);

static void
check_in_child (gconstpointer data)
{
  ChildFunc func = (ChildFunc) data;
  World world;
  int status = 0;
  pid_t child;

  world_init (&world);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      signal (SIGALRM, SIG_DFL);
      alarm (CHILD_SECONDS);
      func (&world);
      SAVE_COVERAGE ();
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    g_test_message ("the child died from signal %d", WTERMSIG (status));
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  world_end (&world);
}

#define assert_forked(error) \
  G_STMT_START { \
    g_assert_error (error, AEX_ERROR, AEX_ERROR_FORKED); \
    g_clear_error (&(error)); \
  } G_STMT_END

/* A pending that says FORKED; takes it over. */
static void
assert_is_forked (AexPending *pending)
{
  g_assert_true (AEX_IS_PENDING (pending));
  aex_assert_state (pending, REJECTED);
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_FORKED);
  g_object_unref (pending);
}

/* --- functions that return a pending */
static AexPending *
async_nothing (AexPending   *job,
               GCancellable *cancellable,
               gpointer      user_data,
               GError      **error)
{
  return NULL;
}

static void
child_submits (World *world)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  assert_is_forked (aex_executor_submit (world->pool, aex_job_int, NULL, NULL));
  assert_is_forked (aex_executor_submit (AEX_EXECUTOR (world->caller), aex_job_int, NULL, NULL));
  assert_is_forked (aex_executor_submit_async (world->pool, async_nothing, NULL, NULL));
  assert_is_forked (aex_executor_submit_full (world->pool, options, aex_job_int, NULL, NULL));
  assert_is_forked (aex_executor_submit_async_full (world->pool, options, async_nothing, NULL, NULL));
  assert_is_forked (aex_caller_call_later (world->caller, 1000, aex_job_int, NULL, NULL));
  assert_is_forked (aex_executor_shutdown (world->pool, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
}

/* A pool that the child makes itself is of no more use. */
static void
child_uses_new_pool (World *world)
{
  AexExecutor *pool = aex_thread_pool_new (1);

  assert_is_forked (aex_executor_submit (pool, aex_job_int, NULL, NULL));
  g_object_unref (pool);
}

static void
child_combines (World *world)
{
  AexPending *members[2] = { world->promise, world->queued };

  assert_is_forked (aex_pending_then (world->promise, aex_then_nothing, NULL, NULL));
  assert_is_forked (aex_pending_sleep (1000));
  assert_is_forked (aex_pending_with_timeout (world->promise, 1000));
  assert_is_forked (aex_pending_allv (members, 2));
  assert_is_forked (aex_pending_all_settledv (members, 2));
  assert_is_forked (aex_pending_anyv (members, 2));
  assert_is_forked (aex_pending_firstv (members, 2));
  assert_is_forked (aex_pending_shield (world->promise));
}

/* --- functions with a GError */
static gboolean
op_never (AexPending   *job,
          GVariant     *parameters,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  g_assert_not_reached ();
}

/* The parent has never asked for the default set: it is made here. */
static void
child_calls (World *world)
{
  AexOperations *set = aex_operations_get_default ();
  AexPending *call = aex_executor_call (world->pool, "file-load", NULL);
  g_autoptr (GError) add_error = NULL;
  g_autoptr (GError) load_error = NULL;

  aex_assert_failed_with (call, AEX_ERROR, AEX_ERROR_FORKED);
  g_assert_true (aex_executor_get_operations (world->pool) == set);
  g_assert_false (aex_operations_lookup (set, "file-load", NULL, NULL));
  g_assert_false (aex_operations_remove (set, "file-load"));
  g_assert_false (aex_operations_add (set, "x", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT, op_never, NULL, NULL, &add_error));
  g_assert_error (add_error, AEX_ERROR, AEX_ERROR_FORKED);
  g_assert_false (aex_operations_load_module (set, "/dev/null", &load_error));
  g_assert_error (load_error, AEX_ERROR, AEX_ERROR_FORKED);
  g_object_unref (call);
}

static void
child_waits (World *world)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_pending_wait (world->promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  assert_forked (error);
  g_assert_false (aex_pending_wait (world->queued, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  assert_forked (error);
  g_assert_false (aex_pending_wait (world->running, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, 1000, NULL, &error));
  assert_forked (error);
  g_assert_false (aex_pending_run_until_done (world->promise, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  assert_forked (error);
}

static void
on_waited (GObject      *source,
           GAsyncResult *result,
           gpointer      error)
{
  aex_pending_wait_finish (AEX_PENDING (source), result, error);
}

/* Without a time limit there is no alarm that could say so. */
static void
child_waits_async (World *world)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) scope_error = NULL;
  g_autoptr (GError) done_error = NULL;

  aex_pending_wait_async (world->promise, AEX_WAIT_FLAGS_NONE, -1, NULL, on_waited, &error);
  aex_scope_wait_async (world->scope, world->promise, AEX_WAIT_FLAGS_NONE, NULL, on_waited, &scope_error);
  aex_pending_wait_async (world->resolved, AEX_WAIT_FLAGS_NONE, 1000, NULL, on_waited, &done_error);
  aex_test_drain ();
  assert_forked (error);
  assert_forked (scope_error);
  g_assert_no_error (done_error);
}

/* What the parent stops may not stop here. */
static void
child_stops_caller (World *world)
{
  assert_is_forked (aex_caller_stop (world->caller, AEX_STOP_FLAGS_NONE));
  assert_is_forked (aex_caller_release (world->caller));
}

static void
child_runs (World *world)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (aex_executor_run (world->pool, aex_job_int, NULL, NULL, NULL, &error));
  assert_forked (error);
  g_assert_null (aex_caller_ref_current (&error));
  assert_forked (error);
  g_assert_null (aex_caller_new_thread ("child", &error));
  assert_forked (error);
}

static gboolean
post_nothing (gpointer user_data,
              GError **error)
{
  return TRUE;
}

/* There is no error to say it with: it is a caller like those from before, and another one than theirs. */
static void
child_asks_for_callers (World *world)
{
  AexCaller *main_caller = aex_caller_ref_main ();
  AexCaller *caller = aex_caller_ref_for_context (g_main_context_default ());

  assert_is_forked (aex_executor_submit (AEX_EXECUTOR (main_caller), aex_job_int, NULL, NULL));
  assert_is_forked (aex_caller_call_later (caller, 0, aex_job_int, NULL, NULL));
  aex_caller_call_direct (main_caller, post_nothing, NULL, NULL);
  g_assert_false (aex_caller_dispatch (main_caller, -1));
  g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_NONE));
  g_object_unref (caller);
  g_object_unref (main_caller);
}

static void
note_unhandled (AexExecutor  *executor,
                AexPending   *pending,
                const GError *error,
                gpointer      user_data)
{
}

static void
note_destroyed (gpointer destroyed)
{
  *(gboolean *) destroyed = TRUE;
}

static void
child_sets_unhandled_func (World *world)
{
  gboolean destroyed = FALSE;

  aex_executor_set_unhandled_func (note_unhandled, &destroyed, note_destroyed);
  g_assert_true (destroyed);
  aex_executor_set_unhandled_func (NULL, NULL, NULL);
}

static void
child_streams (World *world)
{
  g_autoptr (AexPendingStream) stream = aex_executor_map (world->pool, 3, 0, -1, AEX_MAP_FLAGS_NONE, aex_map_nothing, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (AEX_IS_PENDING_STREAM (stream));
  g_assert_null (aex_pending_stream_next_sync (stream, -1, NULL, &error));
  assert_forked (error);
  assert_is_forked (aex_pending_stream_next (stream));
  assert_is_forked (aex_pending_stream_close (stream));
  g_clear_object (&stream);
  stream = aex_pending_stream_new (1);
  assert_is_forked (aex_pending_stream_push (stream, NULL));
  g_clear_object (&stream);
  stream = aex_pending_as_completed (&world->promise, 1);
  assert_is_forked (aex_pending_stream_next (stream));
}

/* --- getters, verbs without an error, and letting go */
static void
child_looks (World *world)
{
  g_autoptr (GError) error = NULL;

  aex_assert_state (world->resolved, RESOLVED);
  aex_assert_state (world->rejected, REJECTED);
  aex_assert_state (world->queued, QUEUED);
  aex_assert_state (world->running, RUNNING);
  aex_assert_state (world->promise, RUNNING);
  g_assert_true (aex_pending_is_done (world->resolved));
  g_assert_false (aex_pending_is_cancelled (world->queued));
  g_assert_cmpint (aex_pending_get_int64 (world->resolved, &error), ==, 7);
  g_assert_no_error (error);
  g_assert_cmpuint (aex_executor_get_n_pending (world->pool), ==, 1);
  g_assert_cmpuint (aex_executor_get_n_running (world->pool), ==, 1);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (AEX_THREAD_POOL (world->pool)), ==, 1);
  g_assert_null (aex_pending_get_current ());
  g_assert_cmpuint (aex_caller_get_id (world->caller), >, 0);
}

/* W1: the last value; nobody is told any more. */
static void
child_watches (World *world)
{
  g_autofree char *message = aex_pending_dup_progress_message (world->watched);
  g_autoptr (GError) error = NULL;

  g_assert_cmpfloat (aex_pending_get_progress (world->watched), ==, 0.5);
  g_assert_cmpstr (message, ==, "half");
  aex_pending_set_progress (world->watched, 0.7, NULL);
  g_assert_cmpfloat (aex_pending_get_progress (world->watched), ==, 0.5);
  g_assert_false (aex_pending_publish (world->watched, g_variant_new_boolean (TRUE)));
  g_assert_false (aex_pending_publish_wait (world->watched, g_variant_new_boolean (TRUE), &error));
  assert_forked (error);
  g_assert_cmpuint (aex_pending_subscribe (world->watched, no_message, NULL, NULL), ==, 0);
  g_assert_true (aex_pending_resolve (world->watched, NULL));
  g_object_unref (world->watched);
}

static void
nothing (AexPending *pending,
         gpointer    user_data)
{
}

/* What these do is not promised; that they come back is. */
static void
child_acts (World *world)
{
  aex_pending_cancel (world->queued, "in the child");
  aex_pending_cancel (world->running, "in the child");
  aex_pending_add_done_callback (world->promise, nothing, NULL, NULL);
  aex_pending_resolve_int64 (world->promise, 3);
  aex_pending_set_priority (world->queued, AEX_PRIORITY_HIGH);
  aex_executor_post (world->pool, post_nothing, NULL, NULL);
  aex_caller_call_direct (world->caller, post_nothing, NULL, NULL);
  g_object_unref (aex_caller_stop (world->caller, AEX_STOP_FLAGS_NONE));
  aex_executor_set_max_pending (world->pool, 3);
  aex_thread_pool_set_max_workers (AEX_THREAD_POOL (world->pool), 2);
  aex_blocking_begin ();
  aex_blocking_end ();
}

/* --- GIO: nothing is started, and a task says why when somebody runs its context */
static void
never_start (gpointer            source,
             GCancellable       *cancellable,
             GAsyncReadyCallback callback,
             gpointer            callback_data,
             gpointer            user_data)
{
  g_assert_not_reached ();
}

static gboolean
never_finish (gpointer      source,
              GAsyncResult *result,
              GValue       *value,
              gpointer      user_data,
              GError      **error)
{
  g_assert_not_reached ();
}

static void
never_run (GTask        *task,
           gpointer      source,
           gpointer      data,
           GCancellable *cancellable)
{
  g_assert_not_reached ();
}

static void
child_bridges_to_gio (World *world)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  assert_is_forked (aex_pending_new_for_gio (NULL, never_start, never_finish, NULL, NULL));
  assert_is_forked (aex_pending_new_for_task (task));
  assert_is_forked (aex_pending_new_for_task_typed (task, G_TYPE_BOOLEAN));
  aex_pending_to_task (world->resolved, g_task_new (NULL, NULL, NULL, NULL));
  aex_executor_run_task (world->pool, task, never_run);
}

static void
child_lets_go (World *world)
{
  g_object_unref (world->queued);
  g_object_unref (world->running);
  g_object_unref (world->promise);
  g_object_unref (world->resolved);
  g_object_unref (world->rejected);
  g_object_unref (world->caller);
  g_object_unref (world->pool);
}

/* Sums up the tokens that it is told to release. */
static gboolean
bounce (AexPending *pending,
        guint64     token,
        gpointer    user_data,
        GError    **error)
{
  guint64 *sum = user_data;

  g_assert_null (pending);
  *sum += token;
  return TRUE;
}

/* Each token comes back, though nothing was called. */
static void
child_bounces (World *world)
{
  guint64 sum = 0;
  g_autoptr (AexTrampoline) trampoline = aex_trampoline_new (bounce, &sum, NULL);

  assert_is_forked (aex_trampoline_submit (trampoline, world->pool, NULL, 100));
  assert_is_forked (aex_trampoline_call_later (trampoline, world->caller, 0, 200));
  g_assert_cmpuint (sum, ==, 300);
  g_assert_cmpuint (aex_trampoline_add_done_callback (trampoline, world->promise, FALSE, 400), ==, 0);
  g_assert_cmpuint (aex_trampoline_watch (trampoline, world->promise, 800), ==, 0);
  g_assert_cmpuint (sum, ==, 1500);
  /* What is called at once needs no loop of the parent. */
  g_assert_cmpuint (aex_trampoline_add_done_callback (trampoline, world->promise, TRUE, 1600), !=, 0);
  g_assert_cmpuint (sum, ==, 1500);
  g_assert_cmpuint (aex_trampoline_peek (trampoline, world->promise), ==, AEX_TRAMPOLINE_OUTCOME_NONE);
  g_assert_cmpuint (aex_trampoline_wait (trampoline, world->promise, -1), ==, AEX_TRAMPOLINE_OUTCOME_NONE);
}

/* A group takes nothing, and knows nobody. */
static void
child_groups (World *world)
{
  AexPendingGroup *group = aex_pending_group_new (AEX_GROUP_MODE_IGNORE);
  g_autoptr (AexPending) end = aex_pending_group_join (group);
  g_autoptr (GPtrArray) pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (group));
  g_autoptr (GError) error = NULL;

  aex_assert_failed_with (end, AEX_ERROR, AEX_ERROR_FORKED);
  g_assert_false (aex_pending_group_enter (group, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_FORKED);
  g_assert_false (aex_pending_group_add (group, world->promise));
  g_assert_false (aex_pending_group_cancel (group, NULL));
  g_assert_false (aex_pending_group_is_cancelled (group));
  g_assert_cmpuint (pendings->len, ==, 0);
  g_object_unref (group);
}

/* The scope was entered by the parent. */
static void
child_scopes (World *world)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) over = NULL;
  AexScope *own = aex_scope_enter (0, AEX_SCOPE_FLAGS_NONE);

  g_assert_nonnull (aex_scope_get_cancellable (own));
  aex_scope_add (own, never);
  aex_scope_cancel (own);
  aex_scope_cancel (world->scope);
  g_assert_false (aex_check_cancelled (&over));
  g_assert_error (over, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_FORKED);
  assert_is_forked (aex_executor_submit (world->pool, aex_job_int, NULL, NULL));
  g_assert_true (aex_scope_leave (own));
  g_assert_false (aex_scope_leave (world->scope));
}

static void
child_execs (World *world)
{
  execl ("/bin/true", "true", NULL);
  _exit (1);
}

static void
add (const char *path,
     ChildFunc   func)
{
  aex_test_add_data (path, (gconstpointer) func, check_in_child);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  add ("/fork/X12/submits", child_submits);
  add ("/fork/X12/uses-new-pool", child_uses_new_pool);
  add ("/fork/X12/calls", child_calls);
  add ("/fork/X12/combines", child_combines);
  add ("/fork/X12/waits", child_waits);
  add ("/fork/X12/waits-async", child_waits_async);
  add ("/fork/X12/stops-caller", child_stops_caller);
  add ("/fork/X12/runs", child_runs);
  add ("/fork/X12/asks-for-callers", child_asks_for_callers);
  add ("/fork/X12/sets-unhandled-func", child_sets_unhandled_func);
  add ("/fork/X12/streams", child_streams);
  add ("/fork/X12/looks", child_looks);
  add ("/fork/X12/watches", child_watches);
  add ("/fork/X12/acts", child_acts);
  add ("/fork/X12/bridges-to-gio", child_bridges_to_gio);
  add ("/fork/X12/lets-go", child_lets_go);
  add ("/fork/X12/bounces", child_bounces);
  add ("/fork/N9-X12/scopes", child_scopes);
  add ("/fork/K60-X12/groups", child_groups);
  add ("/fork/X12/execs", child_execs);
  return aex_test_run ();
}
