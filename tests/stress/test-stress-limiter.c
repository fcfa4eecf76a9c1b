/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Limiters under fire: never more than allowed, every closure once, and no slot is lost.  And the default executor is
 * replaced while eight threads use it. */

#define N_THREADS 8

typedef struct
{
  AexExecutor *limiter;
  guint        n_rounds;
  guint32      seeds[N_THREADS];
  int          next;          /* the rest is atomic */
  int          allowed;       /* the most that may run just now */
  int          n_running;
  int          n_submitted;
  int          n_run;
  int          n_released;
  int          n_too_many;
} Storm;

static void
storm_enter (Storm *self)
{
  if (g_atomic_int_add (&self->n_running, 1) >= g_atomic_int_get (&self->allowed))
    g_atomic_int_inc (&self->n_too_many);
}

static void
storm_leave (Storm *self)
{
  g_atomic_int_add (&self->n_running, -1);
}

static gboolean
storm_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      storm,
           GError      **error)
{
  storm_enter (storm);
  g_atomic_int_inc (&((Storm *) storm)->n_run);
  g_thread_yield ();
  storm_leave (storm);
  return TRUE;
}

static gboolean
storm_post (gpointer storm,
            GError **error)
{
  return storm_job (NULL, NULL, storm, error);
}

static AexPending *
storm_coroutine (AexPending   *job,
                 GCancellable *cancellable,
                 gpointer      storm,
                 GError      **error)
{
  storm_job (NULL, NULL, storm, NULL);
  return aex_pending_sleep (0);
}

static void
storm_released (gpointer storm)
{
  g_atomic_int_inc (&((Storm *) storm)->n_released);
  g_main_context_wakeup (NULL);
}

/* What never ran is released on the wrapped executor, which may do so after the limiter has stopped. */
static gboolean
storm_is_over (gpointer data)
{
  Storm *self = data;

  return g_atomic_int_get (&self->n_released) >= g_atomic_int_get (&self->n_submitted);
}

static AexPending *
storm_submit (Storm *self,
              GRand *rand)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();

  g_atomic_int_inc (&self->n_submitted);
  switch (g_rand_int_range (rand, 0, 4))
    {
    case 0:
      return aex_executor_submit_async (self->limiter, storm_coroutine, self, storm_released);
    case 1:
      aex_submit_options_set_priority (options, g_rand_int_range (rand, -1, 2));
      if (g_rand_boolean (rand))
        aex_submit_options_set_timeout (options, g_rand_int_range (rand, 0, 500));
      return aex_executor_submit_full (self->limiter, options, storm_job, self, storm_released);
    default:
      return aex_executor_submit (self->limiter, storm_job, self, storm_released);
    }
}

static void
storm_permit (Storm *self,
              GRand *rand)
{
  g_autoptr (AexPending) acquired = aex_limiter_acquire (AEX_LIMITER (self->limiter));
  GValue *value;

  if (g_rand_int_range (rand, 0, 3) == 0)
    aex_pending_cancel (acquired, NULL);
  if (g_rand_int_range (rand, 0, 3) == 0)
    return;
  aex_pending_wait (acquired, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
  value = aex_pending_dup_value (acquired, NULL);
  if (value == NULL)
    return;
  storm_enter (self);
  storm_leave (self);
  if (g_rand_boolean (rand))
    aex_permit_release (g_value_get_boxed (value));
  g_boxed_free (G_TYPE_VALUE, value);
}

static void
storm_round (Storm *self,
             GRand *rand)
{
  g_autoptr (AexPending) job = NULL;

  switch (g_rand_int_range (rand, 0, 8))
    {
    case 0:
      storm_permit (self, rand);
      return;
    case 1:
      g_atomic_int_inc (&self->n_submitted);
      aex_executor_post (self->limiter, storm_post, self, storm_released);
      return;
    default:
      job = storm_submit (self, rand);
    }
  switch (g_rand_int_range (rand, 0, 6))
    {
    case 0:
      aex_pending_cancel (job, "storm");
      break;
    case 1:
      aex_pending_set_priority (job, g_rand_int_range (rand, -1, 2));
      aex_test_wait (job);
      break;
    case 2:
      aex_test_wait (job);
      break;
    case 3:
      aex_pending_wait (job, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, g_rand_int_range (rand, 0, 200), NULL, NULL);
      break;
    default:
      /* Dropped. */
      break;
    }
}

static gpointer
storm_thread (gpointer user_data)
{
  Storm *self = user_data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->seeds[g_atomic_int_add (&self->next, 1) % N_THREADS]);

  for (guint i = 0; i < self->n_rounds; i++)
    storm_round (self, rand);
  return NULL;
}

static gboolean
nobody_cares (AexExecutor *executor,
              AexPending  *pending,
              GError      *error,
              gpointer     user_data)
{
  return TRUE;
}

/* A job may be let go of after its limiter: then there is no signal. */
static void
nobody_is_left (AexExecutor  *executor,
                AexPending   *pending,
                const GError *error,
                gpointer      user_data)
{
}

static void
storm_run (AexExecutor *limiter,
           guint        max,
           gboolean     changes)
{
  Storm storm = { .limiter = limiter, .n_rounds = aex_test_scale (20000), .allowed = (int) max };
  GThread *threads[N_THREADS];

  g_signal_connect (limiter, "unhandled-error", G_CALLBACK (nobody_cares), NULL);
  for (guint i = 0; i < N_THREADS; i++)
    storm.seeds[i] = (guint32) g_test_rand_int ();
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("storm", storm_thread, &storm);
  /* Up to max and never above, so that what was allowed stays an upper bound. */
  for (guint i = 0; changes && i < storm.n_rounds; i++)
    {
      aex_limiter_set_max_concurrent (AEX_LIMITER (limiter), 1 + i % max);
      g_thread_yield ();
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  aex_test_shutdown (limiter);
  aex_test_iterate_until (storm_is_over, &storm);
  aex_test_drain ();
  g_assert_cmpint (storm.n_too_many, ==, 0);
  g_assert_cmpint (storm.n_released, ==, storm.n_submitted);
  g_assert_cmpint (storm.n_run, <=, storm.n_submitted);
  g_assert_cmpint (storm.n_run, >, 0);
}

static void
test_pool (void)
{
  AexExecutor *pool = aex_test_pool (6);

  storm_run (aex_limiter_new (pool, 3), 3, FALSE);
  storm_run (aex_limiter_new (pool, 4), 4, TRUE);
  storm_run (aex_limiter_new (pool, 1), 1, FALSE);
  aex_test_shutdown (pool);
}

static void
test_nested (void)
{
  AexExecutor *pool = aex_test_pool (4);
  AexExecutor *inner = aex_limiter_new (pool, 3);

  storm_run (aex_limiter_new (inner, 2), 2, FALSE);
  aex_test_shutdown (inner);
  aex_test_shutdown (pool);
}

static void
test_callers (void)
{
  g_autoptr (GError) error = NULL;
  AexExecutor *callers = aex_caller_pool_new (4, &error);
  gsize n;
  g_autofree guint *loads = NULL;

  g_assert_no_error (error);
  storm_run (aex_limiter_new (callers, 2), 2, FALSE);
  /* No count has drifted. */
  loads = aex_caller_pool_dup_loads (AEX_CALLER_POOL (callers), &n);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpuint (loads[i], ==, 0);
  g_assert_cmpuint (aex_executor_get_n_pending (callers), ==, 0);
  g_assert_cmpuint (aex_executor_get_n_running (callers), ==, 0);
  aex_test_shutdown (callers);
}

/* --- S18 */
typedef struct
{
  guint n_rounds;
  int   n_left;        /* atomic: threads that still submit */
  int   n_run;         /* atomic */
  AexGate released;
} Swap;

static gboolean
swap_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      swap,
          GError      **error)
{
  g_atomic_int_inc (&((Swap *) swap)->n_run);
  return TRUE;
}

static void
swap_released (gpointer swap)
{
  aex_gate_open (&((Swap *) swap)->released);
}

static gpointer
swap_thread (gpointer user_data)
{
  Swap *self = user_data;

  for (guint i = 0; i < self->n_rounds; i++)
    {
      g_autoptr (AexExecutor) executor = aex_executor_ref_default ();
      g_autoptr (AexPending) job = aex_executor_submit (executor, swap_job, self, swap_released);

      /* Whoever replaced the executor just now does not shut it down: whoever has it may use it. */
      if (i % 4 == 0)
        aex_test_wait (job);
    }
  g_atomic_int_add (&self->n_left, -1);
  return NULL;
}

static void
test_swap (void)
{
  Swap swap = { .n_rounds = aex_test_scale (20000), .n_left = N_THREADS };
  GThread *threads[N_THREADS];
  guint i;

  aex_gate_init (&swap.released);
  for (i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("swap", swap_thread, &swap);
  for (i = 0; g_atomic_int_get (&swap.n_left) > 0; i++)
    {
      g_autoptr (AexExecutor) pool = aex_test_pool (2);
      g_autoptr (AexExecutor) limiter = aex_limiter_new (pool, 1 + i % 3);

      aex_executor_set_default (i % 2 == 0 ? pool : limiter);
      g_thread_yield ();
    }
  for (i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  aex_executor_set_default (NULL);
  /* What was replaced drains by itself. */
  aex_gate_wait_n (&swap.released, N_THREADS * swap.n_rounds);
  g_assert_cmpint (swap.n_run, ==, (int) (N_THREADS * swap.n_rounds));
  g_assert_cmpuint (swap.released.n_opened, ==, N_THREADS * swap.n_rounds);
  aex_gate_clear (&swap.released);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (600);
  aex_executor_set_unhandled_func (nobody_is_left, NULL, NULL);
  aex_test_add ("/stress/limiter/pool", test_pool);
  aex_test_add ("/stress/limiter/nested", test_nested);
  aex_test_add ("/stress/limiter/callers", test_callers);
  aex_test_add ("/stress/S18/swap", test_swap);
  return aex_test_run ();
}
