/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Executors under fire: everything happens exactly once, and ends. */

#define N_THREADS 6

/* What became of many jobs.  All atomic. */
typedef struct
{
  int n_submitted;
  int n_run;
  int n_released;
  int n_told;           /* done callbacks */

  GThread *thread;      /* where callbacks come; not atomic */
} Tally;

static gboolean
job_tally (AexPending   *job,
           GCancellable *cancellable,
           gpointer      tally,
           GError      **error)
{
  g_atomic_int_inc (&((Tally *) tally)->n_run);
  return TRUE;
}

static gboolean
job_tally_check (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      tally,
                 GError      **error)
{
  g_atomic_int_inc (&((Tally *) tally)->n_run);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
post_tally (gpointer tally,
            GError **error)
{
  g_atomic_int_inc (&((Tally *) tally)->n_run);
  return TRUE;
}

static void
tally_released (gpointer tally)
{
  g_atomic_int_inc (&((Tally *) tally)->n_released);
}

static void
tally_told (AexPending *pending,
            gpointer    tally)
{
  g_assert_true (aex_pending_is_done (pending));
  /* On the context that attached it, and never inside another call. */
  g_assert_true (g_thread_self () == ((Tally *) tally)->thread);
  g_assert_cmpint (g_main_depth (), ==, 1);
  g_atomic_int_inc (&((Tally *) tally)->n_told);
}

static void
assert_released (Tally *tally)
{
  g_assert_cmpint (tally->n_released, ==, tally->n_submitted);
  g_assert_cmpint (tally->n_run, <=, tally->n_submitted);
}

/* --- threads that share something */
typedef struct _Crowd Crowd;

struct _Crowd
{
  AexExecutor *executor;
  AexExecutor *others[N_THREADS];
  Tally        tally;
  guint        n_rounds;
  guint32      seeds[N_THREADS];
  int          next;            /* atomic: number of the next thread */
  int          n_accepted;      /* atomic */
  GThreadFunc  func;
};

static void
crowd_run (Crowd      *self,
           GThreadFunc func)
{
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    self->seeds[i] = (guint32) g_test_rand_int ();
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("crowd", func, self);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

static GRand *
crowd_rand (Crowd *self)
{
  return g_rand_new_with_seed (self->seeds[g_atomic_int_add (&self->next, 1) % N_THREADS]);
}

/* --- storm: submit, cancel, wait, time out, re-order, drop */
static void
check_end (AexPending *job)
{
  g_autoptr (GError) error = aex_pending_dup_error (job);

  switch (aex_pending_get_state (job))
    {
    case AEX_PENDING_STATE_RESOLVED:
      g_assert_no_error (error);
      break;
    case AEX_PENDING_STATE_REJECTED:
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      break;
    case AEX_PENDING_STATE_CANCELLED:
      g_assert_nonnull (error);
      break;
    case AEX_PENDING_STATE_QUEUED:
    case AEX_PENDING_STATE_RUNNING:
    default:
      g_assert_not_reached ();
    }
}

static AexPending *
storm_submit (Crowd *self,
              GRand *rand)
{
  g_autoptr (AexSubmitOptions) options = NULL;

  g_atomic_int_inc (&self->tally.n_submitted);
  if (g_rand_int_range (rand, 0, 3) > 0)
    return aex_executor_submit (self->executor, job_tally, &self->tally, tally_released);
  options = aex_submit_options_new ();
  aex_submit_options_set_priority (options, g_rand_int_range (rand, -1, 2));
  if (g_rand_boolean (rand))
    aex_submit_options_set_timeout (options, g_rand_int_range (rand, 0, 2000));
  return aex_executor_submit_full (self->executor, options, job_tally_check, &self->tally, tally_released);
}

static void
storm_round (Crowd *self,
             GRand *rand)
{
  g_autoptr (AexPending) job = storm_submit (self, rand);

  switch (g_rand_int_range (rand, 0, 6))
    {
    case 0:
      aex_pending_cancel (job, "storm");
      aex_test_wait (job);
      check_end (job);
      break;
    case 1:
      aex_test_wait (job);
      check_end (job);
      break;
    case 2:
      aex_pending_wait (job, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, g_rand_int_range (rand, 0, 200), NULL, NULL);
      aex_test_wait (job);
      check_end (job);
      break;
    case 3:
      aex_pending_set_priority (job, g_rand_int_range (rand, -1, 2));
      aex_test_wait (job);
      check_end (job);
      break;
    case 4:
      if (!aex_pending_cancel_queued (job))
        aex_test_wait (job);
      break;
    default:
      /* Dropped: cancellations and timeouts of these are nobody's concern. */
      aex_pending_cancel (job, NULL);
      break;
    }
}

static gpointer
storm_thread (gpointer user_data)
{
  Crowd *self = user_data;
  g_autoptr (GRand) rand = crowd_rand (self);

  for (guint i = 0; i < self->n_rounds; i++)
    storm_round (self, rand);
  return NULL;
}

static gboolean
on_unhandled (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     user_data)
{
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  return TRUE;
}

static void
check_storm (AexExecutor *executor,
             guint        n_rounds)
{
  Crowd crowd = { .executor = executor, .n_rounds = n_rounds };

  g_signal_connect (executor, "unhandled-error", G_CALLBACK (on_unhandled), NULL);
  crowd_run (&crowd, storm_thread);
  g_object_ref (executor);
  aex_test_shutdown (executor);
  assert_released (&crowd.tally);
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 0);
  g_assert_cmpuint (aex_executor_get_n_running (executor), ==, 0);
  g_object_unref (executor);
}

static void
test_storm_pool (void)
{
  aex_test_set_watchdog (300);
  check_storm (aex_test_pool (2), aex_test_scale (100 * 1000));
  check_storm (aex_test_pool (1), aex_test_scale (20 * 1000));
}

static void
test_storm_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("storm", &error);

  g_assert_no_error (error);
  aex_test_set_watchdog (300);
  check_storm (AEX_EXECUTOR (caller), aex_test_scale (50 * 1000));
}

/* --- I1: callbacks exactly once, on their own threads */
static gpointer
callbacks_thread (gpointer user_data)
{
  Crowd *self = user_data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  Tally mine = { .thread = g_thread_self () };

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < self->n_rounds; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (self->executor, job_tally, &mine, tally_released);

      mine.n_submitted++;
      aex_pending_add_done_callback (job, tally_told, &mine, NULL);
      if (i % 64 == 0)
        g_main_context_iteration (context, FALSE);
    }
  while (g_atomic_int_get (&mine.n_told) < (int) self->n_rounds)
    g_main_context_iteration (context, TRUE);
  g_assert_cmpint (mine.n_run, ==, (int) self->n_rounds);
  while (g_main_context_iteration (context, FALSE))
    ;
  g_assert_cmpint (mine.n_told, ==, (int) self->n_rounds);
  g_assert_cmpint (mine.n_released, ==, (int) self->n_rounds);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_callbacks (void)
{
  Crowd crowd = { .executor = aex_test_pool (2), .n_rounds = aex_test_scale (125 * 1000) };

  aex_test_set_watchdog (300);
  crowd_run (&crowd, callbacks_thread);
  aex_test_shutdown (crowd.executor);
}

/* --- lives: make, use, end in some way */
static void
shutdown_in_callback (AexPending *pending,
                      gpointer    executor)
{
  g_object_unref (aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
}

static void
end_in_callback (AexExecutor *executor)
{
  g_autoptr (AexPending) job = aex_executor_submit (executor, aex_job_int, NULL, NULL);

  aex_pending_add_done_callback_inline (job, shutdown_in_callback, g_object_ref (executor), g_object_unref);
}

static void
end_somehow (AexExecutor *executor,
             GRand       *rand)
{
  g_autoptr (AexPending) done = NULL;

  switch (g_rand_int_range (rand, 0, 6))
    {
    case 0:
      done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);
      break;
    case 1:
      done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED);
      break;
    case 2:
      done = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING);
      break;
    case 3:
      /* The last reference may go on the executor's own thread. */
      g_object_unref (aex_executor_submit (executor, aex_job_int, g_object_ref (executor), g_object_unref));
      break;
    case 4:
      end_in_callback (executor);
      break;
    default:
      break;
    }
  g_object_unref (executor);
  if (done != NULL)
    {
      aex_test_wait (done);
      aex_assert_state (done, RESOLVED);
    }
}

static AexExecutor *
new_some_executor (GRand *rand)
{
  if (g_rand_int_range (rand, 0, 4) > 0)
    return aex_test_pool (g_rand_int_range (rand, 1, 4));
  return AEX_EXECUTOR (aex_caller_new_thread ("life", NULL));
}

static gpointer
lives_thread (gpointer user_data)
{
  Crowd *self = user_data;
  g_autoptr (GRand) rand = crowd_rand (self);

  for (guint i = 0; i < self->n_rounds; i++)
    {
      AexExecutor *executor = new_some_executor (rand);
      g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
      guint n = g_rand_int_range (rand, 0, 8);

      g_assert_nonnull (executor);
      for (guint k = 0; k < n; k++)
        {
          g_atomic_int_inc (&self->tally.n_submitted);
          g_ptr_array_add (jobs, aex_executor_submit (executor, job_tally, &self->tally, tally_released));
        }
      if (g_rand_boolean (rand))
        {
          g_atomic_int_inc (&self->tally.n_submitted);
          aex_executor_post (executor, post_tally, &self->tally, tally_released);
        }
      end_somehow (executor, rand);
      aex_test_wait_all (jobs);
    }
  return NULL;
}

static gboolean
all_released (gpointer user_data)
{
  Tally *tally = user_data;

  return g_atomic_int_get (&tally->n_released) == g_atomic_int_get (&tally->n_submitted);
}

static void
test_lives (void)
{
  Crowd crowd = { .n_rounds = aex_test_scale (10 * 1000) / N_THREADS + 1 };

  aex_test_set_watchdog (600);
  crowd_run (&crowd, lives_thread);
  aex_test_wait_threads ();
  aex_test_drain ();
  g_assert_true (all_released (&crowd.tally));
  assert_released (&crowd.tally);
  g_test_message ("figure: lives executors=%u", crowd.n_rounds * N_THREADS);
}

/* --- a shutdown into the middle of submissions */
static gpointer
until_closed_thread (gpointer user_data)
{
  Crowd *self = user_data;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  gboolean closed = FALSE;

  while (!closed)
    {
      AexPending *job;

      g_atomic_int_inc (&self->tally.n_submitted);
      job = aex_executor_submit (self->executor, job_tally, &self->tally, tally_released);
      g_ptr_array_add (jobs, job);
      if (aex_pending_get_state (job) == AEX_PENDING_STATE_CANCELLED)
        {
          aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
          closed = TRUE;
        }
      if (jobs->len == self->n_rounds)
        g_object_unref (aex_executor_shutdown (self->executor, AEX_SHUTDOWN_FLAGS_NONE));
    }
  aex_test_wait_all (jobs);
  for (guint i = 0; i + 1 < jobs->len; i++)
    aex_assert_state (jobs->pdata[i], RESOLVED);
  g_atomic_int_add (&self->n_accepted, (int) jobs->len - 1);
  return NULL;
}

/* Rule 1: what was accepted runs, what was refused does not, nothing is in between. */
static void
test_shutdown_race (void)
{
  guint n = aex_test_scale (500);

  aex_test_set_watchdog (300);
  for (guint i = 0; i < n; i++)
    {
      Crowd crowd = { .executor = aex_test_pool (2), .n_rounds = 20 + i % 50 };

      crowd_run (&crowd, until_closed_thread);
      aex_test_shutdown (crowd.executor);
      aex_test_drain ();
      g_assert_cmpint (crowd.tally.n_run, ==, crowd.n_accepted);
      g_assert_cmpint (crowd.tally.n_released, ==, crowd.tally.n_submitted);
    }
}

/* --- no lost wake-up: one at a time, there and back, without claiming */
static gboolean
job_answer (AexPending   *job,
            GCancellable *cancellable,
            gpointer      value,
            GError      **error)
{
  aex_pending_resolve_int64 (job, GPOINTER_TO_INT (value) + 1);
  return TRUE;
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

/* How long the slowest of them took is only said: other programs run as well. */
static void
check_ping_pong (AexExecutor *executor,
                 guint        n)
{
  g_autoptr (GArray) times = g_array_sized_new (FALSE, FALSE, sizeof (gint64), n);

  for (guint i = 0; i < n; i++)
    {
      gint64 begin = g_get_monotonic_time (), took;
      g_autoptr (AexPending) job = aex_executor_submit (executor, job_answer, GINT_TO_POINTER (i), NULL);

      aex_test_wait (job);
      aex_assert_resolved_int64 (job, i + 1);
      took = g_get_monotonic_time () - begin;
      g_array_append_val (times, took);
    }
  aex_test_shutdown (executor);
  g_array_sort (times, compare_times);
  g_test_message ("figure: ping-pong hand_overs=%u max_us_p99.9=%" G_GINT64_FORMAT " max_us=%" G_GINT64_FORMAT, n,
                  g_array_index (times, gint64, (guint) (n * 0.999)), g_array_index (times, gint64, n - 1));
}

static void
test_ping_pong (void)
{
  aex_test_set_watchdog (600);
  check_ping_pong (aex_test_pool (1), aex_test_scale (500 * 1000));
  check_ping_pong (AEX_EXECUTOR (aex_caller_new_thread ("pong", NULL)), aex_test_scale (500 * 1000));
}

/* --- callers that call each other: hops through everybody's loop */
typedef struct
{
  Crowd *crowd;
  guint  left;
} Hop;

static gboolean
job_hop (AexPending   *job,
         GCancellable *cancellable,
         gpointer      user_data,
         GError      **error)
{
  Hop *self = user_data;
  Crowd *crowd = self->crowd;
  Hop *next;

  g_atomic_int_inc (&crowd->tally.n_run);
  if (self->left == 0)
    {
      g_atomic_int_inc (&crowd->tally.n_told);
      g_main_context_wakeup (NULL);
      return TRUE;
    }
  next = g_new (Hop, 1);
  *next = (Hop) { crowd, self->left - 1 };
  g_object_unref (aex_executor_submit (crowd->others[self->left % N_THREADS], job_hop, next, g_free));
  return TRUE;
}

static gboolean
all_arrived (gpointer user_data)
{
  Crowd *crowd = user_data;

  return g_atomic_int_get (&crowd->tally.n_told) == 4 * N_THREADS;
}

static void
test_hops (void)
{
  Crowd crowd = { .n_rounds = aex_test_scale (20 * 1000) };

  aex_test_set_watchdog (300);
  for (guint i = 0; i < N_THREADS; i++)
    crowd.others[i] = i % 2 == 0 ? AEX_EXECUTOR (aex_caller_new_thread ("hop", NULL)) : aex_test_pool (1);
  for (guint i = 0; i < 4 * N_THREADS; i++)
    {
      Hop *hop = g_new (Hop, 1);

      *hop = (Hop) { &crowd, crowd.n_rounds };
      g_object_unref (aex_executor_submit (crowd.others[i % N_THREADS], job_hop, hop, g_free));
    }
  aex_test_iterate_until (all_arrived, &crowd);
  g_assert_cmpint (crowd.tally.n_run, ==, (int) (crowd.n_rounds + 1) * 4 * N_THREADS);
  for (guint i = 0; i < N_THREADS; i++)
    aex_test_shutdown (crowd.others[i]);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/stress/executor/storm-pool", test_storm_pool);
  aex_test_add ("/stress/executor/storm-caller", test_storm_caller);
  aex_test_add ("/stress/I1-X1/callbacks", test_callbacks);
  aex_test_add ("/stress/I5-X14/lives", test_lives);
  aex_test_add ("/stress/E5/shutdown-race", test_shutdown_race);
  aex_test_add ("/stress/X2/ping-pong", test_ping_pong);
  aex_test_add ("/stress/executor/hops", test_hops);
  return aex_test_run ();
}
