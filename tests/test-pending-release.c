/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Rules 2 and 3: closures are released by their owners, called or not. */

static gpointer
unref_in_thread (gpointer object)
{
  g_object_unref (object);
  return NULL;
}

static gpointer
resolve_in_thread (gpointer pending)
{
  aex_pending_resolve (pending, NULL);
  return NULL;
}

static gpointer
remove_in_thread (gpointer data)
{
  gpointer *two = data;

  g_assert_true (aex_pending_remove_done_callback (two[0], (gulong) GPOINTER_TO_SIZE (two[1])));
  return NULL;
}

/* --- never called */

static void
test_removed (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;
  gpointer two[2];

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  two[0] = pending;
  two[1] = GSIZE_TO_POINTER (aex_pending_add_done_callback (pending, aex_poison_callback, &poison,
                                                            aex_poison_release));
  aex_test_in_thread (remove_in_thread, two);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

static void
test_abandoned (void)
{
  AexPending *pending = aex_pending_new ();
  AexPoison poison[2];
  g_autoptr (AexPending) derived = NULL;

  aex_poison_init (&poison[0]);
  aex_poison_init (&poison[1]);
  poison[0].in_dispatch = poison[1].in_dispatch = TRUE;
  aex_pending_add_done_callback (pending, aex_poison_callback, &poison[0], aex_poison_release);
  derived = aex_pending_then (pending, aex_poison_then, &poison[1], aex_poison_release);
  aex_test_in_thread (unref_in_thread, pending);
  for (guint i = 0; i < 2; i++)
    {
      aex_test_iterate_until (aex_poison_is_released, &poison[i]);
      g_assert_cmpint (aex_poison_get_called (&poison[i]), ==, 0);
    }
  aex_assert_state (derived, REJECTED);
  aex_assert_failed_with (derived, AEX_ERROR, AEX_ERROR_ABANDONED);
}

static void
test_abandoned_before_callbacks (void)
{
  AexPending *pending = aex_pending_new ();
  g_autoptr (AexPending) follower = aex_pending_new ();
  g_autoptr (AexPending) all = NULL;
  g_autoptr (AexPending) shield = aex_pending_shield (pending);

  g_assert_true (aex_pending_follow (follower, pending));
  all = aex_pending_all (pending, NULL);
  g_object_unref (pending);
  aex_test_run_until_done (follower);
  aex_assert_failed_with (follower, AEX_ERROR, AEX_ERROR_ABANDONED);
  aex_assert_failed_with (shield, AEX_ERROR, AEX_ERROR_ABANDONED);
  aex_assert_failed_with (all, AEX_ERROR, AEX_ERROR_ABANDONED);
}

/* A then that the outcome passes by. */
static void
test_passed_by (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) then = NULL;
  g_autoptr (AexPending) catch = NULL;
  AexPoison skipped;
  AexPoison taken;

  aex_poison_init (&skipped);
  aex_poison_init (&taken);
  skipped.in_dispatch = taken.in_dispatch = TRUE;
  then = aex_pending_then (pending, aex_poison_then, &taken, aex_poison_release);
  catch = aex_pending_catch (pending, aex_poison_then, &skipped, aex_poison_release);
  aex_test_in_thread (resolve_in_thread, pending);
  aex_test_iterate_until (aex_poison_is_released, &skipped);
  aex_test_iterate_until (aex_poison_is_released, &taken);
  g_assert_cmpint (aex_poison_get_called (&skipped), ==, 0);
  g_assert_cmpint (aex_poison_get_called (&taken), ==, 1);
}

/* --- _object variants */

static void
test_object_disposed (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  GObject *target = aex_test_object_new (NULL);
  AexPoison callback;
  AexPoison then;

  aex_poison_init (&callback);
  aex_poison_init (&then);
  aex_pending_add_done_callback_object (pending, target, aex_poison_callback, &callback, aex_poison_release);
  derived = aex_pending_then_object (pending, target, aex_poison_then, &then, aex_poison_release);
  g_assert_cmpuint (target->ref_count, ==, 1);
  g_object_unref (target);
  aex_test_iterate_until (aex_poison_is_released, &callback);
  aex_test_iterate_until (aex_poison_is_released, &then);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_called (&callback), ==, 0);
  g_assert_cmpint (aex_poison_get_called (&then), ==, 0);
  aex_test_run_until_done (derived);
}

/* Disposed on another thread: dropped on their own context. */
static void
test_object_disposed_elsewhere (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GObject *target = aex_test_object_new (NULL);
  AexPoison poison;

  aex_poison_init (&poison);
  poison.in_dispatch = TRUE;
  aex_pending_add_done_callback_object (pending, target, aex_poison_callback, &poison, aex_poison_release);
  aex_test_in_thread (unref_in_thread, target);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

/* Between completion and delivery. */
static void
test_object_disposed_before_delivery (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  GObject *target = aex_test_object_new (NULL);
  AexPoison poison;

  aex_poison_init (&poison);
  aex_pending_add_done_callback_object (pending, target, aex_poison_callback, &poison, aex_poison_release);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  g_object_unref (target);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 0);
}

static void
test_object_alive (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GObject) target = aex_test_object_new (NULL);
  AexPoison poison;
  AexPoison removed;
  gulong id;

  aex_poison_init (&poison);
  aex_poison_init (&removed);
  aex_pending_add_done_callback_object (pending, target, aex_poison_callback, &poison, aex_poison_release);
  id = aex_pending_add_done_callback_object (pending, target, aex_poison_callback, &removed, aex_poison_release);
  g_assert_true (aex_pending_remove_done_callback (pending, id));
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  aex_test_iterate_until (aex_poison_is_released, &removed);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&removed), ==, 0);
  g_assert_cmpuint (target->ref_count, ==, 1);
}

/* --- a thread that blocks in one of our waits drains its releases */

typedef struct
{
  AexPending *abandoned;
  AexPending *awaited;
  AexPoison  *poison;
} Drain;

static gpointer
abandon_then_resolve (gpointer data)
{
  Drain *self = data;

  g_object_unref (self->abandoned);
  /* Its release is on its way to the blocked thread before the outcome is. */
  aex_pending_resolve (self->awaited, NULL);
  return NULL;
}

static void
test_blocked_wait_drains (void)
{
  g_autoptr (AexPending) awaited = aex_pending_new ();
  g_autoptr (AexPending) ready = aex_pending_new ();
  Drain self = { aex_pending_new (), awaited, NULL };
  AexPoison released;
  AexPoison callback;
  GThread *thread;

  aex_poison_init (&released);
  aex_poison_init (&callback);
  aex_pending_add_done_callback (self.abandoned, aex_poison_callback, &released, aex_poison_release);
  aex_pending_add_done_callback (ready, aex_poison_callback, &callback, aex_poison_release);
  g_assert_true (aex_pending_resolve (ready, NULL));
  thread = g_thread_new ("abandons", abandon_then_resolve, &self);
  g_assert_true (aex_pending_wait (awaited, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  /* Releases were drained, or will be now; callbacks were not called. */
  g_assert_cmpint (aex_poison_get_called (&callback), ==, 0);
  g_thread_join (thread);
  aex_test_iterate_until (aex_poison_is_released, &released);
  aex_test_iterate_until (aex_poison_is_released, &callback);
  g_assert_cmpint (aex_poison_get_called (&released), ==, 0);
  g_assert_cmpint (aex_poison_get_called (&callback), ==, 1);
}

/* The one who completes needs the release first: without draining, a hang. */
typedef struct
{
  AexGate gate;
  Drain   drain;
} DrainGate;

static void
open_and_release (gpointer data)
{
  DrainGate *self = data;

  aex_poison_release (self->drain.poison);
  aex_gate_open (&self->gate);
}

static gpointer
abandon_wait_resolve (gpointer data)
{
  DrainGate *self = data;

  g_object_unref (self->drain.abandoned);
  aex_gate_wait (&self->gate);
  aex_pending_resolve (self->drain.awaited, NULL);
  return NULL;
}

static void
never_called (AexPending *pending,
              gpointer    data)
{
  g_assert_not_reached ();
}

static void
test_blocked_wait_releases_first (void)
{
  g_autoptr (AexPending) awaited = aex_pending_new ();
  AexPoison poison;
  DrainGate self = { .drain = { aex_pending_new (), awaited, &poison } };
  GThread *thread;

  aex_poison_init (&poison);
  aex_gate_init (&self.gate);
  aex_pending_add_done_callback (self.drain.abandoned, never_called, &self, open_and_release);
  thread = g_thread_new ("abandons", abandon_wait_resolve, &self);
  g_assert_true (aex_pending_wait (awaited, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_thread_join (thread);
  aex_gate_clear (&self.gate);
}

/* --- P13: jobs let go of their closures */

static void
assert_not_done_yet (gpointer data)
{
  gpointer *two = data;

  g_assert_false (aex_pending_is_done (*(AexPending **) two[0]));
  aex_poison_release (two[1]);
}

static gboolean
wait_for_gate (AexPending   *job,
               GCancellable *cancellable,
               gpointer      data,
               GError      **error)
{
  gpointer *two = data;

  aex_gate_wait (two[2]);
  return TRUE;
}

/* Released where it ran, before the pending is done. */
static void
test_job_closure_before_done (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexPending *job;
  AexPoison poison;
  AexGate gate;
  gpointer three[] = { &job, &poison, &gate };

  aex_gate_init (&gate);
  aex_poison_init_executor (&poison, pool);
  job = aex_executor_submit (pool, wait_for_gate, three, assert_not_done_yet);
  aex_gate_open (&gate);
  aex_test_run_until_done (job);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_object_unref (job);
  aex_test_shutdown (pool);
  aex_gate_clear (&gate);
}

typedef struct
{
  AexPoison poison;     /* where it is released */
  int       n_runs;     /* atomic */
} Counted;

static gboolean
count_run (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  Counted *self = data;

  g_assert_cmpint (aex_poison_get_released (&self->poison), ==, 0);
  g_atomic_int_inc (&self->n_runs);
  return TRUE;
}

/* A closure of the submitter: released at home, run or not. */
static void
test_release_on_owner (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) blocker = NULL;
  AexPending *jobs[2];
  Counted counted[2] = { 0 };
  AexBlock block;

  aex_block_init (&block);
  aex_submit_options_set_release_on_owner (options, TRUE);
  blocker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  for (guint i = 0; i < 2; i++)
    {
      aex_poison_init (&counted[i].poison);
      counted[i].poison.in_dispatch = TRUE;
      jobs[i] = aex_executor_submit_full (pool, options, count_run, &counted[i], aex_poison_release);
    }
  g_assert_true (aex_pending_cancel (jobs[1], NULL));
  aex_gate_open (&block.release);
  for (guint i = 0; i < 2; i++)
    {
      aex_test_iterate_until (aex_poison_is_released, &counted[i].poison);
      aex_test_run_until_done (jobs[i]);
      g_assert_cmpint (counted[i].n_runs, ==, i == 0 ? 1 : 0);
      g_object_unref (jobs[i]);
    }
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

static gboolean
use_object (AexPending   *job,
            GCancellable *cancellable,
            gpointer      object,
            GError      **error)
{
  g_assert_true (G_IS_OBJECT (object));
  return TRUE;
}

static AexPending *
use_object_then (AexPending *done,
                 gpointer    object,
                 GError    **error)
{
  g_assert_true (G_IS_OBJECT (object));
  return NULL;
}

/* What a finished call was given is free although the pendings live on. */
static void
test_gc (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) derived = NULL;
  int disposed[2];

  job = aex_executor_submit (pool, use_object, aex_test_object_new (&disposed[0]), g_object_unref);
  derived = aex_pending_then (job, use_object_then, aex_test_object_new (&disposed[1]), g_object_unref);
  aex_test_run_until_done (job);
  g_assert_true (aex_test_is_set (&disposed[0]));
  aex_test_run_until_done (derived);
  aex_test_iterate_until (aex_test_is_set, &disposed[1]);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/R6/removed", test_removed);
  aex_test_add ("/pending/R6-R17/abandoned", test_abandoned);
  aex_test_add ("/pending/rule1/abandoned-derived", test_abandoned_before_callbacks);
  aex_test_add ("/pending/rule2/passed-by", test_passed_by);
  aex_test_add ("/pending/rule2/object-disposed", test_object_disposed);
  aex_test_add ("/pending/rule2/object-disposed-elsewhere", test_object_disposed_elsewhere);
  aex_test_add ("/pending/rule2/object-disposed-before-delivery", test_object_disposed_before_delivery);
  aex_test_add ("/pending/rule2/object-alive", test_object_alive);
  aex_test_add ("/pending/rule2/blocked-wait-drains", test_blocked_wait_drains);
  aex_test_add ("/pending/rule2/blocked-wait-releases-first", test_blocked_wait_releases_first);
  aex_test_add ("/pending/P13-R6/job-closure-before-done", test_job_closure_before_done);
  aex_test_add ("/pending/rule3/release-on-owner", test_release_on_owner);
  aex_test_add ("/pending/K46/gc", test_gc);
  return aex_test_run ();
}
