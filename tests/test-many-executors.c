/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Row X14: executors of every kind are made, used and ended in every way, by the thousand.  Every one ends, every job has
 * an outcome, every closure is released.  How long a shutdown takes is printed and not judged. */

#define N_EXECUTORS 10000
#define N_THREADS 3
#define MAX_JOBS 8

typedef enum
{
  KIND_THREAD_POOL,
  KIND_CALLER,
  KIND_CALLER_POOL,
  KIND_LIMITER,
  N_KINDS
} Kind;

typedef enum
{
  END_BY_THREADS,           /* three at once, each in another way */
  END_IN_INLINE_CALLBACK,   /* on whatever thread completes a job */
  END_IN_CALLBACK,
  END_IN_JOB,               /* of its own */
  END_IN_JOB_AND_OUTSIDE,
  END_BY_UNREF,
  END_BY_UNREF_IN_JOB,
  N_ENDS
} End;

static const AexShutdownFlags how[N_THREADS] = {
  AEX_SHUTDOWN_FLAGS_NONE,
  AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED,
  AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED | AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING,
};

/* What the threads share. */
typedef struct
{
  AexExecutor *closers;
  guint        n_rounds;
  guint        n_submitted;     /* this and what follows: atomic */
  guint        n_run;
  guint        n_released;
  guint        n_ended[N_ENDS];
  int          next_seed;
  guint32      seeds[N_THREADS];
  GMutex       lock;
  GArray      *times;           /* lock; microseconds */
} Many;

/* One executor. */
typedef struct
{
  Many        *many;
  AexExecutor *executor;
  AexExecutor *wrapped;         /* of a limiter */
  GPtrArray   *jobs;
  GMutex       lock;
  GPtrArray   *stopped;         /* lock: what the shutdowns gave */
  guint        n_asked;         /* atomic */
} Life;

static gboolean
life_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      many,
          GError      **error)
{
  g_atomic_int_inc (&((Many *) many)->n_run);
  return TRUE;
}

static void
life_released (gpointer many)
{
  g_atomic_int_inc (&((Many *) many)->n_released);
  g_main_context_wakeup (NULL);
}

static gboolean
all_is_released (gpointer data)
{
  Many *self = data;

  return g_atomic_int_get (&self->n_released) == g_atomic_int_get (&self->n_submitted);
}

/* --- the ways to end */
static void
life_shut_down (Life *self)
{
  AexShutdownFlags flags = how[g_atomic_int_add (&self->n_asked, 1) % N_THREADS];
  AexPending *stopped = aex_executor_shutdown (self->executor, flags);

  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->stopped, stopped);
  g_mutex_unlock (&self->lock);
}

static gboolean
shut_down_job (AexPending   *job,
               GCancellable *cancellable,
               gpointer      life,
               GError      **error)
{
  life_shut_down (life);
  return TRUE;
}

static void
shut_down_callback (AexPending *job,
                    gpointer    life)
{
  life_shut_down (life);
}

static void
life_end_by_threads (Life *self)
{
  g_autoptr (GPtrArray) closing = aex_test_pendings_new ();

  for (guint i = 0; i < N_THREADS; i++)
    g_ptr_array_add (closing, aex_executor_submit (self->many->closers, shut_down_job, self, NULL));
  aex_test_wait_all (closing);
}

/* The job may be done before the callback is there: then it is told at once. */
static void
life_end_in_callback (Life    *self,
                      gboolean is_inline)
{
  g_autoptr (AexPending) job = aex_executor_submit (self->executor, aex_job_int, NULL, NULL);

  if (is_inline)
    aex_pending_add_done_callback_inline (job, shut_down_callback, self, NULL);
  else
    aex_pending_add_done_callback (job, shut_down_callback, self, NULL);
  while (g_atomic_int_get (&self->n_asked) == 0)
    aex_test_run_until_done (job);
}

static void
life_end_in_job (Life *self)
{
  g_autoptr (AexPending) job = aex_executor_submit (self->executor, shut_down_job, self, NULL);

  aex_test_wait (job);
}

static void
life_end (Life *self,
          End   end)
{
  switch (end)
    {
    case END_BY_THREADS:
      life_end_by_threads (self);
      break;
    case END_IN_INLINE_CALLBACK:
      life_end_in_callback (self, TRUE);
      break;
    case END_IN_CALLBACK:
      life_end_in_callback (self, FALSE);
      break;
    case END_IN_JOB_AND_OUTSIDE:
      life_end_in_job (self);
      life_shut_down (self);
      break;
    case END_IN_JOB:
      life_end_in_job (self);
      break;
    case END_BY_UNREF_IN_JOB:
      /* The job's reference may be the last. */
      g_ptr_array_add (self->jobs, aex_executor_submit (self->executor, aex_job_int, g_object_ref (self->executor),
                                                        g_object_unref));
      break;
    case END_BY_UNREF:
    case N_ENDS:
    default:
      break;
    }
}

/* --- the kinds */
static AexExecutor *
new_executor (Kind   kind,
              GRand *rand,
              AexExecutor **wrapped)
{
  g_autoptr (GError) error = NULL;
  AexExecutor *executor = NULL;

  switch (kind)
    {
    case KIND_THREAD_POOL:
      executor = aex_test_pool (g_rand_int_range (rand, 1, 4));
      break;
    case KIND_CALLER:
      executor = AEX_EXECUTOR (aex_caller_new_thread ("life", &error));
      break;
    case KIND_CALLER_POOL:
      executor = aex_caller_pool_new (2, &error);
      break;
    case KIND_LIMITER:
      *wrapped = aex_test_pool (g_rand_int_range (rand, 1, 3));
      executor = aex_limiter_new (*wrapped, g_rand_int_range (rand, 1, 3));
      break;
    case N_KINDS:
    default:
      g_assert_not_reached ();
    }
  g_assert_no_error (error);
  return executor;
}

/* --- one round */
static void
life_use (Life  *self,
          GRand *rand)
{
  guint n = g_rand_int_range (rand, 0, MAX_JOBS);

  for (guint i = 0; i < n; i++)
    {
      g_atomic_int_inc (&self->many->n_submitted);
      g_ptr_array_add (self->jobs, aex_executor_submit (self->executor, life_job, self->many, life_released));
    }
}

/* It ran, or it was dropped, or it was cancelled while it ran. */
static void
check_outcome (AexPending *job)
{
  g_autoptr (GError) error = aex_pending_dup_error (job);

  if (error == NULL)
    aex_assert_state (job, RESOLVED);
  else
    aex_assert_state (job, CANCELLED);
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_assert_error (error, AEX_ERROR, AEX_ERROR_CLOSED);
}

static void
life_wait (Life *self)
{
  for (guint i = 0; i < self->stopped->len; i++)
    {
      aex_test_wait (self->stopped->pdata[i]);
      aex_assert_state (AEX_PENDING (self->stopped->pdata[i]), RESOLVED);
    }
  g_clear_object (&self->executor);
  aex_test_wait_all (self->jobs);
  for (guint i = 0; i < self->jobs->len; i++)
    check_outcome (self->jobs->pdata[i]);
}

static void
live (Many  *many,
      GRand *rand)
{
  Life self = { .many = many };
  Kind kind = (Kind) g_rand_int_range (rand, 0, N_KINDS);
  End end = (End) g_rand_int_range (rand, 0, N_ENDS);
  gint64 begin, took;

  g_mutex_init (&self.lock);
  self.jobs = aex_test_pendings_new ();
  self.stopped = aex_test_pendings_new ();
  self.executor = new_executor (kind, rand, &self.wrapped);
  life_use (&self, rand);
  begin = g_get_monotonic_time ();
  life_end (&self, end);
  life_wait (&self);
  took = g_get_monotonic_time () - begin;
  if (self.wrapped != NULL)
    aex_test_shutdown (self.wrapped);
  g_mutex_lock (&many->lock);
  g_array_append_val (many->times, took);
  g_mutex_unlock (&many->lock);
  g_atomic_int_inc (&many->n_ended[end]);
  g_ptr_array_unref (self.jobs);
  g_ptr_array_unref (self.stopped);
  g_mutex_clear (&self.lock);
}

static gpointer
live_thread (gpointer data)
{
  Many *self = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->seeds[g_atomic_int_add (&self->next_seed, 1)]);
  g_autoptr (GMainContext) context = g_main_context_new ();

  /* Callbacks come here. */
  g_main_context_push_thread_default (context);
  for (guint i = 0; i < self->n_rounds; i++)
    live (self, rand);
  aex_test_drain ();
  g_main_context_pop_thread_default (context);
  return NULL;
}

static int
compare_times (gconstpointer first,
               gconstpointer second)
{
  const gint64 *a = first, *b = second;

  return (*a > *b) - (*a < *b);
}

static gint64
percentile (GArray *times,
            double  part)
{
  return g_array_index (times, gint64, (guint) ((times->len - 1) * part));
}

static void
test_many (void)
{
  Many self = { .closers = aex_test_pool (N_THREADS), .n_rounds = aex_test_scale (N_EXECUTORS) / N_THREADS + 1 };
  GThread *threads[N_THREADS];

  aex_test_set_watchdog (300);
  g_mutex_init (&self.lock);
  self.times = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < N_THREADS; i++)
    self.seeds[i] = (guint32) g_test_rand_int ();
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("lives", live_thread, &self);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  aex_test_shutdown (self.closers);
  aex_test_iterate_until (all_is_released, &self);
  aex_test_wait_threads ();
  g_assert_cmpuint (self.n_run, <=, self.n_submitted);
  g_assert_cmpuint (self.times->len, ==, N_THREADS * self.n_rounds);
  for (guint i = 0; i < N_ENDS; i++)
    g_assert_cmpuint (self.n_ended[i], >, 0);
  g_array_sort (self.times, compare_times);
  g_test_message ("figure: many-executors executors=%u jobs=%u shutdown_us_median=%" G_GINT64_FORMAT
                  " shutdown_us_p99=%" G_GINT64_FORMAT " shutdown_us_max=%" G_GINT64_FORMAT,
                  self.times->len, self.n_submitted, percentile (self.times, 0.5), percentile (self.times, 0.99),
                  percentile (self.times, 1));
  g_array_unref (self.times);
  g_mutex_clear (&self.lock);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/executor/X14/many", test_many);
  return aex_test_run ();
}
