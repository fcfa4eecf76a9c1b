/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-sweep.h"
#include "lib/aex-jobs.h"

/* Whatever is cancelled, wherever it stands: it ends, once, and leaves nothing. */

static void
close_stream (gpointer stream)
{
  g_object_unref (aex_pending_stream_close (stream));
}

/* What a run that was not cancelled must come to. */
static void
assert_unless_fired (AexSweep       *self,
                     AexPending     *pending,
                     AexPendingState state)
{
  g_assert_true (aex_pending_is_done (pending));
  if (!aex_sweep_has_fired (self))
    g_assert_cmpint (aex_pending_get_state (pending), ==, state);
}

static gboolean
step_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      closure,
          GError      **error)
{
  return aex_check_cancelled (error);
}

static AexPending *
submit_step (AexSweep    *self,
             AexExecutor *pool)
{
  return aex_executor_submit (pool, step_job, aex_sweep_closure (self, pool), aex_sweep_release);
}

/* The same through a limiter, which runs it on what it wraps. */
static AexPending *
submit_limited (AexSweep    *self,
                AexExecutor *limiter,
                AexExecutor *pool)
{
  return aex_executor_submit (limiter, step_job, aex_sweep_closure (self, pool), aex_sweep_release);
}

/* --- a pushed stream, half of which is consumed */
static gboolean
producer_job (AexPending   *job,
              GCancellable *cancellable,
              gpointer      stream,
              GError      **error)
{
  for (int i = 0; i < 8; i++)
    {
      g_autoptr (AexPending) pushed = aex_pending_stream_push (stream, NULL);

      if (!aex_pending_wait (pushed, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, NULL, error))
        return FALSE;
    }
  return TRUE;
}

static AexPending *
end_stream (AexPending *done,
            gpointer    stream,
            GError    **error)
{
  aex_pending_stream_end (stream, NULL);
  return NULL;
}

static void
scenario_stream (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (2);
  g_autoptr (AexPending) job = NULL, ended = NULL, closed = NULL;

  job = aex_sweep_aim (self, aex_executor_submit (pool, producer_job, stream, NULL));
  ended = aex_sweep_watch (self, aex_pending_finally (job, end_stream, stream, NULL));
  for (int i = 0; i < 4; i++)
    {
      g_autoptr (AexPending) next = aex_sweep_aim (self, aex_pending_stream_next (stream));

      aex_pending_run_until_done (next, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
    }
  closed = aex_sweep_watch (self, aex_pending_stream_close (stream));
  aex_sweep_settle (self);
  aex_test_shutdown (pool);
}

/* --- a queue, some of which is taken */
static void
scenario_queue (AexSweep *self)
{
  g_autoptr (AexPendingStream) stream = aex_pending_stream_new (0);

  aex_sweep_aim_func (self, close_stream, stream);
  for (int i = 0; i < 6; i++)
    {
      G_GNUC_UNUSED g_autoptr (AexPending) transfer = aex_sweep_watch (self, aex_pending_stream_transfer (stream, NULL));
      G_GNUC_UNUSED g_autoptr (AexPending) next = aex_sweep_watch (self, aex_pending_stream_next (stream));
    }
  g_object_unref (aex_sweep_watch (self, aex_pending_stream_transfer (stream, NULL)));
  close_stream (stream);
}

/* --- a map with a window */
static gboolean
map_step (AexPendingStream *stream,
          guint             index,
          GCancellable     *cancellable,
          gpointer          closure,
          GError          **error)
{
  return aex_check_cancelled (error);
}

static void
scenario_map (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (2);
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;
  g_autoptr (AexPendingResult) result = NULL;

  stream = aex_executor_map (pool, 12, 3, G_TIME_SPAN_HOUR, AEX_MAP_FLAGS_UNORDERED | AEX_MAP_FLAGS_CONTINUE_ON_ERROR,
                             map_step, aex_sweep_closure (self, pool), aex_sweep_release);
  aex_sweep_aim_func (self, close_stream, stream);
  for (int i = 0; i < 6; i++)
    {
      g_clear_object (&result);
      result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);
      g_assert_true (result != NULL || aex_sweep_has_fired (self));
    }
  closed = aex_sweep_watch (self, aex_pending_stream_close (stream));
  aex_sweep_settle (self);
  aex_test_shutdown (pool);
}

/* --- completion order, left early */
static void
scenario_as_completed (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPending *jobs[6];
  g_autoptr (AexPendingStream) stream = NULL;
  g_autoptr (AexPending) closed = NULL;

  for (guint i = 0; i < 6; i++)
    {
      jobs[i] = submit_step (self, pool);
      if (i % 2)
        aex_sweep_aim (self, jobs[i]);
      else
        aex_sweep_watch (self, jobs[i]);
    }
  stream = aex_pending_as_completed (jobs, 6);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (AexPendingResult) result = aex_pending_stream_next_sync (stream, -1, NULL, NULL);

      g_assert_nonnull (result);
    }
  closed = aex_sweep_watch (self, aex_pending_stream_close (stream));
  for (guint i = 0; i < 6; i++)
    g_object_unref (jobs[i]);
  aex_sweep_settle (self);
  aex_test_shutdown (pool);
}

/* --- a set of jobs, of which the first is waited for */
static void
scenario_wait_set (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPending *jobs[4];
  g_autoptr (AexPending) waited = NULL;

  for (guint i = 0; i < 4; i++)
    jobs[i] = aex_sweep_aim (self, submit_step (self, pool));
  waited = aex_sweep_aim (self, aex_pending_wait_set (jobs, 4, AEX_RETURN_WHEN_FIRST_ERROR, G_TIME_SPAN_HOUR));
  aex_pending_run_until_done (waited, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  for (guint i = 0; i < 4; i++)
    g_object_unref (jobs[i]);
  aex_sweep_settle (self);
  aex_test_shutdown (pool);
}

/* --- ten continuations */
static AexPending *
next_step (AexPending *done,
           gpointer    closure,
           GError    **error)
{
  return aex_pending_new_resolved (NULL);
}

static void
scenario_continuations (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) last = aex_sweep_watch (self, submit_step (self, pool));

  for (guint i = 0; i < 10; i++)
    {
      AexPending *next = aex_pending_then (last, next_step, aex_sweep_closure (self, NULL), aex_sweep_release);

      g_object_unref (last);
      last = aex_sweep_watch (self, next);
    }
  aex_sweep_aim (self, last);
  aex_sweep_settle (self);
  assert_unless_fired (self, last, AEX_PENDING_STATE_RESOLVED);
  aex_test_shutdown (pool);
}

/* --- each follows the next */
static void
scenario_follow (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) last = aex_sweep_watch (self, submit_step (self, pool));

  for (guint i = 0; i < 10; i++)
    {
      AexPending *next = aex_sweep_watch (self, aex_pending_new ());

      aex_pending_follow (next, last);
      g_object_unref (last);
      last = next;
    }
  aex_sweep_aim (self, last);
  aex_sweep_settle (self);
  assert_unless_fired (self, last, AEX_PENDING_STATE_RESOLVED);
  aex_test_shutdown (pool);
}

/* --- a job that waits for another one of a pool with one thread, and so runs it */
typedef struct
{
  AexSweep    *sweep;
  AexExecutor *pool;
} Outer;

static gboolean
outer_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  Outer *self = data;
  g_autoptr (AexPending) inner = aex_sweep_watch (self->sweep, submit_step (self->sweep, self->pool));

  return aex_pending_wait (inner, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, -1, NULL, error);
}

static void
scenario_claimed (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  Outer outer = { self, pool };
  g_autoptr (AexPending) job = aex_sweep_aim (self, aex_executor_submit (pool, outer_job, &outer, NULL));

  aex_sweep_settle (self);
  assert_unless_fired (self, job, AEX_PENDING_STATE_RESOLVED);
  aex_test_shutdown (pool);
}

/* --- a job that publishes more than is worked off */
static gboolean
publish_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      sweep,
             GError      **error)
{
  aex_sweep_pause (sweep, TRUE);
  while (aex_pending_publish (job, g_variant_new_boolean (FALSE)) && !aex_pending_is_cancelled (job))
    ;
  aex_sweep_pause (sweep, FALSE);
  for (guint i = 0; i < 4; i++)
    if (!aex_pending_publish_wait (job, g_variant_new_boolean (TRUE), error))
      return FALSE;
  return TRUE;
}

static void
ignore_message (AexPending *pending,
                GVariant   *message,
                gpointer    closure)
{
}

static void
scenario_publish_wait (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocking = aex_block_begin (&block, pool);
  g_autoptr (AexPending) job = aex_sweep_aim (self, aex_executor_submit (pool, publish_job, self, NULL));

  aex_pending_subscribe (job, ignore_message, aex_sweep_closure (self, NULL), aex_sweep_release);
  aex_block_end (&block, blocking);
  aex_sweep_settle (self);
  assert_unless_fired (self, job, AEX_PENDING_STATE_RESOLVED);
  aex_test_shutdown (pool);
}

/* --- all() of any(), with limits of time */
static void
scenario_combined (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (2);
  AexPending *jobs[4];
  g_autoptr (AexPending) never = aex_sweep_watch (self, aex_pending_new ());
  g_autoptr (AexPending) any = NULL, any_limited = NULL, all = NULL, all_limited = NULL, top = NULL, limited = NULL;

  for (guint i = 0; i < 4; i++)
    jobs[i] = aex_sweep_watch (self, submit_step (self, pool));
  any = aex_sweep_watch (self, aex_pending_any (never, jobs[0], jobs[1], NULL));
  any_limited = aex_sweep_watch (self, aex_pending_with_timeout (any, G_TIME_SPAN_HOUR));
  all = aex_sweep_watch (self, aex_pending_all (jobs[2], jobs[3], NULL));
  all_limited = aex_sweep_watch (self, aex_pending_with_timeout (all, G_TIME_SPAN_HOUR));
  top = aex_sweep_watch (self, aex_pending_all (any_limited, all_limited, NULL));
  limited = aex_sweep_aim (self, aex_pending_with_timeout (top, G_TIME_SPAN_DAY));
  aex_pending_run_until_done (limited, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  assert_unless_fired (self, limited, AEX_PENDING_STATE_RESOLVED);
  aex_pending_cancel (never, NULL);
  for (guint i = 0; i < 4; i++)
    g_object_unref (jobs[i]);
  aex_sweep_settle (self);
  aex_test_shutdown (pool);
}

/* --- a coroutine of three steps */
static AexPending *
last_step (AexPending *done,
           gpointer    self,
           GError    **error)
{
  if (!aex_check_cancelled (error))
    return NULL;
  return aex_pending_new_resolved (NULL);
}

static AexPending *
second_step (AexPending *done,
             gpointer    self,
             GError    **error)
{
  g_autoptr (AexPending) slept = aex_pending_sleep (1);

  return aex_pending_then (slept, last_step, self, NULL);
}

static AexPending *
first_step (AexPending   *job,
            GCancellable *cancellable,
            gpointer      self,
            GError      **error)
{
  g_autoptr (AexPending) slept = aex_pending_sleep (1);

  return aex_pending_then (slept, second_step, self, NULL);
}

static void
scenario_coroutine (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;

  job = aex_executor_submit_async (pool, first_step, aex_sweep_closure (self, pool), aex_sweep_release);
  aex_sweep_aim (self, job);
  aex_sweep_settle (self);
  assert_unless_fired (self, job, AEX_PENDING_STATE_RESOLVED);
  aex_test_shutdown (pool);
}

/* --- an executor that is shut down, and cancels what runs */
static gboolean
long_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      closure,
          GError      **error)
{
  for (guint i = 0; i < 4; i++)
    if (!aex_check_cancelled (error))
      return FALSE;
  return TRUE;
}

static void
shut_down (gpointer executor)
{
  g_object_unref (aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING));
}

static void
scenario_shutdown (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (2);

  aex_sweep_aim_func (self, shut_down, pool);
  for (guint i = 0; i < 6; i++)
    {
      gpointer closure = aex_sweep_closure (self, pool);

      g_object_unref (aex_sweep_watch (self, aex_executor_submit (pool, long_job, closure, aex_sweep_release)));
    }
  aex_sweep_settle (self);
  aex_test_shutdown (pool);
}

/* --- a limiter: jobs in its queue, one with the slot, one that asks for a permit */
static void
scenario_limiter (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (2);
  AexExecutor *limiter = aex_limiter_new (pool, 1);
  g_autoptr (AexPending) permit = NULL;

  for (int i = 0; i < 3; i++)
    {
      G_GNUC_UNUSED g_autoptr (AexPending) job = aex_sweep_aim (self, submit_limited (self, limiter, pool));
    }
  permit = aex_sweep_aim (self, aex_limiter_acquire (AEX_LIMITER (limiter)));
  for (int i = 0; i < 3; i++)
    {
      G_GNUC_UNUSED g_autoptr (AexPending) job = aex_sweep_watch (self, submit_limited (self, limiter, pool));
    }
  aex_pending_run_until_done (permit, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  assert_unless_fired (self, permit, AEX_PENDING_STATE_RESOLVED);
  if (aex_pending_get_state (permit) == AEX_PENDING_STATE_RESOLVED)
    aex_permit_release (g_value_get_boxed (aex_pending_get_value (permit, NULL)));
  aex_sweep_settle (self);
  aex_test_shutdown (limiter);
  aex_test_shutdown (pool);
}

/* --- a scope in a scope: what was submitted in both, and a wait there */
static void
cancel_scope (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

static void
scope_cancelled (GCancellable *cancellable,
                 gpointer      scope)
{
  aex_scope_cancel (scope);
}

static void
scenario_scopes (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  AexScope *outer = aex_scope_enter (G_TIME_SPAN_HOUR, AEX_SCOPE_FLAGS_NONE);
  g_autoptr (GCancellable) trigger = g_cancellable_new ();
  gulong handler = g_signal_connect_data (trigger, "cancelled", G_CALLBACK (scope_cancelled), aex_scope_ref (outer),
                                          (GClosureNotify) (void (*) (void)) aex_scope_unref, 0);
  AexScope *inner;
  g_autoptr (AexPending) first = NULL, second = NULL, shielded = NULL;
  gboolean over;

  aex_sweep_aim_func (self, cancel_scope, trigger);
  first = aex_sweep_watch (self, submit_step (self, pool));
  inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_NONE);
  second = aex_sweep_watch (self, submit_step (self, pool));
  if (!aex_pending_wait (second, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL))
    g_assert_true (aex_sweep_has_fired (self));
  g_assert_false (aex_scope_leave (inner));
  inner = aex_scope_enter (-1, AEX_SCOPE_FLAGS_SHIELD);
  shielded = aex_sweep_watch (self, submit_step (self, pool));
  g_assert_true (aex_pending_wait (shielded, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  g_assert_false (aex_scope_leave (inner));
  over = aex_scope_leave (outer);
  g_assert_true (!over || aex_sweep_has_fired (self));
  aex_sweep_settle (self);
  assert_unless_fired (self, first, AEX_PENDING_STATE_RESOLVED);
  assert_unless_fired (self, second, AEX_PENDING_STATE_RESOLVED);
  g_signal_handler_disconnect (trigger, handler);
  aex_test_shutdown (pool);
}

/* --- operations of GIO under way, and what is derived from them */
static AexPending *
continue_step (AexPending *done,
               gpointer    closure,
               GError    **error)
{
  aex_check_cancelled (error);
  return NULL;
}

static void
scenario_gio (AexSweep *self)
{
  g_autoptr (GFile) file = g_file_new_for_path ("/proc/self/status");
  g_autoptr (AexPending) first = NULL, second = NULL, derived = NULL;

  first = aex_sweep_aim (self, AEX_PENDING_FOR_GIO (g_file_read, file, G_PRIORITY_DEFAULT));
  second = aex_sweep_aim (self, AEX_PENDING_FOR_GIO (g_file_query_info, file, "standard::*", G_FILE_QUERY_INFO_NONE,
                                                     G_PRIORITY_DEFAULT));
  derived = aex_sweep_aim (self, aex_pending_finally (first, continue_step, aex_sweep_closure (self, NULL),
                                                      aex_sweep_release));
  aex_pending_run_until_done (derived, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  aex_sweep_settle (self);
  assert_unless_fired (self, first, AEX_PENDING_STATE_RESOLVED);
  assert_unless_fired (self, second, AEX_PENDING_STATE_RESOLVED);
}

/* --- a group, with one inside */
static void
end_group (gpointer group)
{
  aex_pending_group_cancel (group, NULL);
}

static void
scenario_group (AexSweep *self)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingGroup) outer = aex_pending_group_new (AEX_GROUP_MODE_RAISE);
  g_autoptr (AexPendingGroup) inner = aex_pending_group_new (AEX_GROUP_MODE_RAISE_AT_END);
  g_autoptr (AexPending) inner_end = NULL, outer_end = NULL;

  aex_sweep_aim_func (self, end_group, outer);
  g_assert_true (aex_pending_group_enter (outer, NULL));
  g_object_unref (aex_sweep_watch (self, submit_step (self, pool)));
  g_assert_true (aex_pending_group_enter (inner, NULL));
  for (int i = 0; i < 3; i++)
    g_object_unref (aex_sweep_watch (self, submit_step (self, pool)));
  inner_end = aex_sweep_watch (self, aex_pending_group_end (inner));
  g_object_unref (aex_sweep_watch (self, submit_step (self, pool)));
  outer_end = aex_sweep_watch (self, aex_pending_group_end (outer));
  aex_pending_run_until_done (outer_end, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  aex_sweep_settle (self);
  assert_unless_fired (self, inner_end, AEX_PENDING_STATE_RESOLVED);
  assert_unless_fired (self, outer_end, AEX_PENDING_STATE_RESOLVED);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_sweep_add ("/checkpoints/stream", scenario_stream);
  aex_sweep_add ("/checkpoints/K70/queue", scenario_queue);
  aex_sweep_add ("/checkpoints/P24/map", scenario_map);
  aex_sweep_add ("/checkpoints/D4/as-completed", scenario_as_completed);
  aex_sweep_add ("/checkpoints/K41/wait-set", scenario_wait_set);
  aex_sweep_add ("/checkpoints/continuations", scenario_continuations);
  aex_sweep_add ("/checkpoints/follow", scenario_follow);
  aex_sweep_add ("/checkpoints/claimed", scenario_claimed);
  aex_sweep_add ("/checkpoints/publish-wait", scenario_publish_wait);
  aex_sweep_add ("/checkpoints/combined", scenario_combined);
  aex_sweep_add ("/checkpoints/coroutine", scenario_coroutine);
  aex_sweep_add ("/checkpoints/shutdown", scenario_shutdown);
  aex_sweep_add ("/checkpoints/limiter", scenario_limiter);
  aex_sweep_add ("/checkpoints/N2/scopes", scenario_scopes);
  aex_sweep_add ("/checkpoints/K60-K64/group", scenario_group);
  aex_sweep_add ("/checkpoints/Y3/gio", scenario_gio);
  return aex_test_run ();
}
