/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Main contexts that die, and pendings as GObjects. */

static gpointer
resolve_in_thread (gpointer pending)
{
  aex_pending_resolve (pending, NULL);
  return NULL;
}

/* --- rule 2: when a context dies.  Attaching makes the thread a user of its
 * context; the context dies before, between and after the completion. */

typedef enum
{
  DIES_BEFORE,          /* before the pending is done */
  DIES_QUEUED,          /* done, the callback waits on the context */
  DIES_AFTER,           /* called already */
} DiesWhen;

static void
run_context_dies (DiesWhen when)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexPoison poison;

  g_main_context_push_thread_default (context);
  aex_poison_init (&poison);
  poison.context = NULL;
  aex_pending_add_done_callback (pending, aex_poison_callback, &poison, aex_poison_release);
  g_main_context_pop_thread_default (context);
  if (when != DIES_BEFORE)
    aex_test_in_thread (resolve_in_thread, pending);
  if (when == DIES_AFTER)
    {
      while (aex_poison_get_released (&poison) == 0)
        g_main_context_iteration (context, TRUE);
    }
  g_main_context_unref (context);
  if (when == DIES_BEFORE)
    g_assert_true (aex_pending_resolve (pending, NULL));
  /* Released by the thread that destroyed the context: this one. */
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, when == DIES_AFTER ? 1 : 0);
  aex_assert_state (pending, RESOLVED);
}

static void
test_context_dies (gconstpointer when)
{
  run_context_dies (GPOINTER_TO_UINT (when));
}

static gboolean
never_runs (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  g_assert_not_reached ();
  return TRUE;
}

static void
test_jobs_of_dead_context (void)
{
  GMainContext *context = g_main_context_new ();
  AexCaller *caller = aex_caller_ref_for_context (context);
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) late = NULL;
  AexPoison poison[2];

  aex_poison_init (&poison[0]);
  aex_poison_init (&poison[1]);
  job = aex_executor_submit (AEX_EXECUTOR (caller), never_runs, &poison[0], aex_poison_release);
  aex_assert_state (job, QUEUED);
  g_main_context_unref (context);
  g_assert_true (aex_pending_is_done (job));
  aex_assert_state (job, CANCELLED);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  g_assert_cmpint (aex_poison_get_released (&poison[0]), ==, 1);
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (caller)), ==, AEX_EXECUTOR_STATE_STOPPED);
  late = aex_executor_submit (AEX_EXECUTOR (caller), never_runs, &poison[1], aex_poison_release);
  aex_assert_state (late, CANCELLED);
  aex_assert_failed_with (late, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_iterate_until (aex_poison_is_released, &poison[1]);
  g_object_unref (caller);
}

static AexPending *
then_never (AexPending *done,
            gpointer    data,
            GError    **error)
{
  g_assert_not_reached ();
  return NULL;
}

/* A continuation whose context is gone cannot run: its pending still ends. */
static void
test_then_of_dead_context (void)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  g_main_context_push_thread_default (context);
  derived = aex_pending_then (pending, then_never, &poison, aex_poison_release);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  g_assert_true (aex_pending_resolve (pending, NULL));
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_true (aex_pending_is_done (derived));
  aex_assert_failed_with (derived, AEX_ERROR, AEX_ERROR_CLOSED);
}

/* --- K44: pendings are GObjects */

static void
test_weakref (void)
{
  AexPending *pending = aex_pending_new ();
  GWeakRef weak;
  AexPending *again;

  g_weak_ref_init (&weak, pending);
  again = g_weak_ref_get (&weak);
  g_assert_true (again == pending);
  g_object_unref (again);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  again = g_weak_ref_get (&weak);
  g_assert_true (again == pending);
  g_object_unref (again);
  g_object_unref (pending);
  g_assert_null (g_weak_ref_get (&weak));
  g_weak_ref_clear (&weak);
}

/* Every object that dies tells its weak references, however it was made and
 * let go: freed objects may be used again by the library. */
static void
test_weak_notify_each_time (void)
{
  enum { N = 100 };
  int disposed = 0;

  for (guint i = 0; i < N; i++)
    {
      AexPending *pending = i % 2 == 0 ? aex_pending_new () : aex_pending_new_resolved (NULL);
      gpointer weak = pending;

      g_object_add_weak_pointer (G_OBJECT (pending), &weak);
      g_object_set_data (G_OBJECT (pending), "mark", GUINT_TO_POINTER (i + 1));
      g_assert_true (g_object_get_data (G_OBJECT (pending), "mark") == GUINT_TO_POINTER (i + 1));
      if (i % 3 == 0)
        aex_pending_resolve_int64 (pending, i);
      g_object_unref (pending);
      g_assert_null (weak);
      disposed++;
      pending = aex_pending_new ();
      g_assert_null (g_object_get_data (G_OBJECT (pending), "mark"));
      g_object_unref (pending);
    }
  g_assert_cmpint (disposed, ==, N);
}

static void
toggled (gpointer data,
         GObject *object,
         gboolean is_last)
{
  *(int *) data += is_last ? 1 : 100;
}

static void
test_toggle_ref (void)
{
  AexPending *pending = aex_pending_new ();
  int n_toggles = 0;

  g_object_add_toggle_ref (G_OBJECT (pending), toggled, &n_toggles);
  g_object_unref (pending);
  g_assert_cmpint (n_toggles, ==, 1);
  g_object_ref (pending);
  g_assert_cmpint (n_toggles, ==, 101);
  g_assert_true (aex_pending_resolve_int64 (pending, 2));
  g_object_unref (pending);
  g_assert_cmpint (n_toggles, ==, 102);
  aex_assert_resolved_int64 (pending, 2);
  g_object_remove_toggle_ref (G_OBJECT (pending), toggled, &n_toggles);
}

static void
set_flag (gpointer flag)
{
  *(int *) flag += 1;
}

static void
test_qdata (void)
{
  AexPending *pending = aex_pending_new ();
  int n_freed = 0;

  g_object_set_data_full (G_OBJECT (pending), "x", &n_freed, set_flag);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_assert_cmpint (n_freed, ==, 0);
  g_object_unref (pending);
  g_assert_cmpint (n_freed, ==, 1);
}

/* Disposing a live pending changes nothing. */
static void
test_run_dispose (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  aex_pending_add_done_callback (pending, aex_poison_callback, &poison, aex_poison_release);
  derived = aex_pending_shield (pending);
  g_object_run_dispose (G_OBJECT (pending));
  aex_assert_state (pending, RUNNING);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  g_assert_true (aex_pending_resolve_int64 (pending, 6));
  g_object_run_dispose (G_OBJECT (pending));
  aex_assert_resolved_int64 (pending, 6);
  aex_assert_resolved_int64 (derived, 6);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
}

static void
test_run_dispose_job (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) job = NULL;
  AexBlock block;

  aex_block_init (&block);
  job = aex_executor_submit (pool, aex_block_job, &block, NULL);
  g_object_run_dispose (G_OBJECT (job));
  aex_gate_wait (&block.started);
  g_object_run_dispose (G_OBJECT (job));
  aex_assert_state (job, RUNNING);
  aex_gate_open (&block.release);
  aex_test_run_until_done (job);
  aex_assert_state (job, RESOLVED);
  g_assert_cmpint (block.n_runs, ==, 1);
  aex_test_shutdown (pool);
  aex_block_clear (&block);
}

/* Nobody holds the job: it runs all the same. */
static void
test_dropped_job_runs (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;

  aex_block_init (&block);
  g_object_unref (aex_executor_submit (pool, aex_block_job, &block, NULL));
  aex_gate_wait (&block.started);
  aex_gate_open (&block.release);
  aex_test_shutdown (pool);
  g_assert_cmpint (block.n_runs, ==, 1);
  aex_block_clear (&block);
}

/* P14: what blocks is made when somebody blocks; an idle pending is small. */
static void
test_footprint (void)
{
  GTypeQuery query;

  g_type_query (AEX_TYPE_PENDING, &query);
  g_test_message ("an AexPending has %u bytes", query.instance_size);
  g_assert_cmpuint (query.instance_size, <=, 88);
}

static void
add_contexts (void)
{
  aex_test_add_data ("/pending/rule2/context-dies-before", GUINT_TO_POINTER (DIES_BEFORE), test_context_dies);
  aex_test_add_data ("/pending/rule2/context-dies-queued", GUINT_TO_POINTER (DIES_QUEUED), test_context_dies);
  aex_test_add_data ("/pending/rule2/context-dies-after", GUINT_TO_POINTER (DIES_AFTER), test_context_dies);
  aex_test_add ("/pending/rule2/jobs-of-dead-context", test_jobs_of_dead_context);
  aex_test_add ("/pending/rule2/then-of-dead-context", test_then_of_dead_context);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  add_contexts ();
  aex_test_add ("/pending/K44/weakref", test_weakref);
  aex_test_add ("/pending/K44/weak-notify-each-time", test_weak_notify_each_time);
  aex_test_add ("/pending/K44/toggle-ref", test_toggle_ref);
  aex_test_add ("/pending/K44/qdata", test_qdata);
  aex_test_add ("/pending/K44/run-dispose", test_run_dispose);
  aex_test_add ("/pending/K44/run-dispose-job", test_run_dispose_job);
  aex_test_add ("/pending/I1/dropped-job-runs", test_dropped_job_runs);
  aex_test_add ("/pending/P14/footprint", test_footprint);
  return aex_test_run ();
}
