/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-race.h"

/* Jobs and main contexts, from four threads at once. */

#define ROUNDS 50000

static AexExecutor *pool;       /* of the test that runs */

static void
begin_pool (void)
{
  pool = aex_test_pool (2);
}

static void
end_pool (void)
{
  aex_test_shutdown (g_steal_pointer (&pool));
}

typedef struct
{
  AexPending   *job;
  AexPending   *promise;
  GMainContext *context;
  AexCaller    *caller;
  AexPending   *on_caller;
  int           n_runs;
  int           n_releases;
  int           n_calls;
  int           n_callback_releases;
  int           n_recorded;
  gboolean      flag[4];
} State;

static gboolean
count_run (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  State *self = data;

  g_assert_cmpint (g_atomic_int_get (&self->n_releases), ==, 0);
  g_atomic_int_inc (&self->n_runs);
  aex_race_pause ();
  if (aex_pending_resolve_int64 (job, 1))
    g_atomic_int_inc (&self->n_recorded);
  return TRUE;
}

static void
count_release (gpointer data)
{
  g_atomic_int_inc (&((State *) data)->n_releases);
  g_main_context_wakeup (NULL);
}

static void
count_call (AexPending *pending,
            gpointer    data)
{
  g_assert_true (aex_pending_is_done (pending));
  g_atomic_int_inc (&((State *) data)->n_calls);
}

static void
count_callback_release (gpointer data)
{
  g_atomic_int_inc (&((State *) data)->n_callback_releases);
  g_main_context_wakeup (NULL);
}

static void
setup_job (gpointer data)
{
  State *self = data;

  self->job = aex_executor_submit (pool, count_run, self, count_release);
}

static gboolean
keep_busy (gpointer data,
           GError **error)
{
  aex_race_pause ();
  return TRUE;
}

/* Behind work that keeps the workers busy for a moment, so that the rounds
 * meet the job queued as often as running. */
static void
setup_queued (gpointer data)
{
  State *self = data;

  for (guint i = 0; i < 4; i++)
    aex_executor_post (pool, keep_busy, NULL, NULL);
  setup_job (self);
}

static void
do_cancel (gpointer data)
{
  State *self = data;

  self->flag[0] = aex_pending_cancel (self->job, "race");
}

static void
do_cancel_queued (gpointer data)
{
  State *self = data;

  self->flag[1] = aex_pending_cancel_queued (self->job);
}

static void
do_set_priority (gpointer data)
{
  State *self = data;

  aex_pending_set_priority (self->job, AEX_PRIORITY_HIGH);
  aex_pending_set_priority (self->job, AEX_PRIORITY_BACKGROUND);
}

static void
do_record (gpointer data)
{
  State *self = data;

  if (aex_pending_resolve_int64 (self->job, 2))
    g_atomic_int_inc (&self->n_recorded);
}

static void
do_wait (gpointer data)
{
  State *self = data;

  g_assert_true (aex_pending_wait (self->job, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL));
  g_assert_true (aex_pending_is_done (self->job));
}

static void
do_attach (gpointer data)
{
  State *self = data;

  aex_pending_add_done_callback (self->job, count_call, self, count_callback_release);
}

static gboolean
job_is_settled (gpointer data)
{
  State *self = data;

  return g_atomic_int_get (&self->n_releases) > 0
         && (self->flag[3] || g_atomic_int_get (&self->n_callback_releases) > 0);
}

static void
check_job (gpointer data)
{
  State *self = data;
  AexPendingState state;

  aex_test_run_until_done (self->job);
  aex_test_iterate_until (job_is_settled, self);
  state = aex_pending_get_state (self->job);
  g_assert_cmpint (self->n_releases, ==, 1);
  g_assert_cmpint (self->n_runs, <=, 1);
  g_assert_cmpint (self->n_recorded, <=, 1);
  if (self->flag[1])
    g_assert_cmpint (self->n_runs, ==, 0);
  /* What was resolved from outside before it started never runs. */
  if (self->flag[0] || self->flag[1])
    g_assert_cmpint (state, ==, AEX_PENDING_STATE_CANCELLED);
  else
    g_assert_cmpint (self->n_runs + self->n_recorded, >=, 1);
  if (state == AEX_PENDING_STATE_RESOLVED)
    g_assert_cmpint (self->n_recorded, ==, 1);
  if (!self->flag[3])
    g_assert_cmpint (self->n_calls, ==, 1);
  g_object_unref (self->job);
}

static void
check_job_without_callback (gpointer data)
{
  ((State *) data)->flag[3] = TRUE;
  check_job (data);
}

/* --- contexts die while others post to them.  The main thread's part is the
 * setup: the callback and the job are on the context already. */

static void
setup_context (gpointer data)
{
  State *self = data;

  self->context = g_main_context_new ();
  self->promise = aex_pending_new ();
  self->caller = aex_caller_ref_for_context (self->context);
  g_main_context_push_thread_default (self->context);
  aex_pending_add_done_callback (self->promise, count_call, self, count_callback_release);
  g_main_context_pop_thread_default (self->context);
}

static void
do_destroy_context (gpointer data)
{
  g_main_context_unref (((State *) data)->context);
}

static void
do_iterate_then_destroy (gpointer data)
{
  State *self = data;

  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_unref (self->context);
}

static void
do_resolve (gpointer data)
{
  aex_pending_resolve_int64 (((State *) data)->promise, 1);
}

static void
do_submit (gpointer data)
{
  State *self = data;

  self->on_caller = aex_executor_submit (AEX_EXECUTOR (self->caller), count_run, self, count_release);
}

static gboolean
context_is_settled (gpointer data)
{
  State *self = data;

  return g_atomic_int_get (&self->n_callback_releases) > 0 && g_atomic_int_get (&self->n_releases) > 0;
}

static void
check_context (gpointer data)
{
  State *self = data;

  aex_test_iterate_until (context_is_settled, self);
  aex_test_run_until_done (self->on_caller);
  g_assert_cmpint (self->n_callback_releases, ==, 1);
  g_assert_cmpint (self->n_releases, ==, 1);
  g_assert_cmpint (self->n_calls, <=, 1);
  g_assert_true (aex_pending_is_done (self->promise));
  if (self->n_runs == 0)
    aex_assert_failed_with (self->on_caller, AEX_ERROR, AEX_ERROR_CLOSED);
  else
    aex_assert_resolved_int64 (self->on_caller, 1);
  g_object_unref (self->on_caller);
  g_object_unref (self->promise);
  g_object_unref (self->caller);
}

/* --- pools that end while others submit */

typedef struct
{
  AexExecutor *pool;
  AexPending  *jobs[2];
  AexPending  *down;
  int          n_runs;
} Ending;

static gboolean
count_ending (AexPending   *job,
              GCancellable *cancellable,
              gpointer      data,
              GError      **error)
{
  g_atomic_int_inc (&((Ending *) data)->n_runs);
  return TRUE;
}

static void
setup_pool (gpointer data)
{
  ((Ending *) data)->pool = aex_test_pool (1);
}

static void
do_submit_first (gpointer data)
{
  Ending *self = data;

  self->jobs[0] = aex_executor_submit (self->pool, count_ending, self, NULL);
}

static void
do_submit_second (gpointer data)
{
  Ending *self = data;

  self->jobs[1] = aex_executor_submit (self->pool, count_ending, self, NULL);
}

static void
do_shutdown (gpointer data)
{
  Ending *self = data;

  self->down = aex_executor_shutdown (self->pool, AEX_SHUTDOWN_FLAGS_NONE);
}

static void
check_pool (gpointer data)
{
  Ending *self = data;
  int n_resolved = 0;

  aex_test_run_until_done (self->down);
  for (guint i = 0; i < 2; i++)
    {
      aex_test_run_until_done (self->jobs[i]);
      n_resolved += aex_pending_get_state (self->jobs[i]) == AEX_PENDING_STATE_RESOLVED;
      if (aex_pending_get_state (self->jobs[i]) != AEX_PENDING_STATE_RESOLVED)
        aex_assert_failed_with (self->jobs[i], AEX_ERROR, AEX_ERROR_CLOSED);
      g_object_unref (self->jobs[i]);
    }
  g_assert_cmpint (self->n_runs, ==, n_resolved);
  g_object_unref (self->down);
  g_object_unref (self->pool);
}

/* --- a manager cancels what the executor has not taken yet, or refuses */

typedef struct
{
  AexPendingManager *manager;
  AexExecutor       *limiter;
  AexPending        *jobs[2];
} Known;

static void
setup_known (gpointer data)
{
  Known *self = data;

  self->manager = aex_pending_manager_new ();
  self->limiter = aex_limiter_new (pool, 1);
  aex_executor_set_max_pending (self->limiter, 1);
}

static gboolean
do_little (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  return keep_busy (data, error);
}

static AexPending *
submit_known (Known *self)
{
  g_autoptr (AexContextToken) token = aex_pending_manager_push (self->manager);
  AexPending *job = aex_executor_submit (self->limiter, do_little, NULL, NULL);

  g_assert_true (aex_pending_manager_pop (self->manager, token, NULL));
  return job;
}

static void
do_submit_known (gpointer data)
{
  ((Known *) data)->jobs[0] = submit_known (data);
}

static void
do_submit_known_too (gpointer data)
{
  ((Known *) data)->jobs[1] = submit_known (data);
}

static void
do_cancel_known (gpointer data)
{
  g_autoptr (GPtrArray) pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (((Known *) data)->manager));

  for (guint i = 0; i < pendings->len; i++)
    aex_pending_cancel (pendings->pdata[i], "race");
}

/* It stops only when it counts right. */
static void
check_known (gpointer data)
{
  Known *self = data;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      aex_test_run_until_done (self->jobs[i]);
      error = aex_pending_dup_error (self->jobs[i]);
      g_assert_true (error == NULL || aex_pending_is_cancelled (self->jobs[i]) || g_error_matches (error, AEX_ERROR, AEX_ERROR_BUSY));
      g_object_unref (self->jobs[i]);
    }
  g_assert_cmpuint (aex_executor_get_n_pending (self->limiter), ==, 0);
  aex_test_shutdown (self->limiter);
  g_object_unref (self->manager);
}

/* --- a thread with a function of its own comes while somebody says how many there may be */

static void
work (AexThreadPool *of,
      gpointer       data)
{
  aex_thread_pool_run_worker (of);
}

static void
setup_hooked_pool (gpointer data)
{
  setup_pool (data);
  aex_thread_pool_set_thread_main (AEX_THREAD_POOL (((Ending *) data)->pool), work, NULL, NULL);
}

static void
do_set_max_workers (gpointer data)
{
  aex_race_pause ();
  aex_thread_pool_set_max_workers (AEX_THREAD_POOL (((Ending *) data)->pool), 1);
}

static void
check_hooked_pool (gpointer data)
{
  do_shutdown (data);
  check_pool (data);
}

static const AexRace races[] = {
  { "/stress/races/job-record-cancel-wait-attach", ROUNDS, sizeof (State), setup_job,
    { do_record, do_cancel, do_wait, do_attach }, check_job, begin_pool, end_pool },
  { "/stress/races/job-record-wait-attach", ROUNDS, sizeof (State), setup_job,
    { do_record, do_record, do_wait, do_attach }, check_job, begin_pool, end_pool },
  { "/stress/races/X3/job-start-cancel-queued", ROUNDS, sizeof (State), setup_queued,
    { do_cancel_queued, do_cancel, do_set_priority, do_attach }, check_job, begin_pool, end_pool },
  { "/stress/races/job-start-set-priority", ROUNDS, sizeof (State), setup_queued,
    { do_set_priority, do_set_priority, do_wait }, check_job_without_callback, begin_pool, end_pool },
  { "/stress/races/context-dies", ROUNDS, sizeof (State), setup_context,
    { do_destroy_context, do_resolve, do_submit }, check_context },
  { "/stress/races/context-runs-and-dies", ROUNDS, sizeof (State), setup_context,
    { do_iterate_then_destroy, do_resolve, do_submit }, check_context },
  { "/stress/races/R10/cancelled-before-it-is-accepted", ROUNDS, sizeof (Known), setup_known,
    { do_submit_known, do_cancel_known, do_submit_known_too, do_cancel_known }, check_known, begin_pool, end_pool },
  { "/stress/races/pool-ends", ROUNDS / 10, sizeof (Ending), setup_pool,
    { do_submit_first, do_shutdown, do_submit_second }, check_pool },
  { "/stress/races/R10/max-workers-of-hooked", ROUNDS / 10, sizeof (Ending), setup_hooked_pool,
    { do_submit_first, do_submit_second, do_set_max_workers }, check_hooked_pool },
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  for (guint i = 0; i < G_N_ELEMENTS (races); i++)
    aex_race_add (&races[i]);
  return aex_test_run ();
}
