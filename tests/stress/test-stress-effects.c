/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* What a job did, seen from outside, while others do their worst. */

#define N_THREADS 4

/* --- X3: cancelled while queued means no effect, resolved means effect */
typedef enum
{
  EXPECT_NOTHING_YET,
  EXPECT_EFFECT,
  EXPECT_NO_EFFECT,
} Expectation;

typedef struct
{
  AexExecutor *executor;
  guint        n;
  int         *effects;         /* of every job: how often it ran; atomic */
  Expectation *expected;
  guint32      seed;
} Effects;

static gboolean
job_effect (AexPending   *job,
            GCancellable *cancellable,
            gpointer      effect,
            GError      **error)
{
  g_atomic_int_inc ((int *) effect);
  return TRUE;
}

static Expectation
treat (AexPending *job,
       GRand      *rand)
{
  switch (g_rand_int_range (rand, 0, 4))
    {
    case 0:
      if (aex_pending_cancel_queued (job))
        return EXPECT_NO_EFFECT;
      break;
    case 1:
      aex_pending_cancel (job, NULL);
      break;
    case 2:
      if (aex_pending_wait (job, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, g_rand_int_range (rand, 1, 100), NULL, NULL))
        return EXPECT_EFFECT;
      break;
    default:
      break;
    }
  aex_test_wait (job);
  return aex_pending_get_state (job) == AEX_PENDING_STATE_RESOLVED ? EXPECT_EFFECT : EXPECT_NOTHING_YET;
}

static gpointer
effects_thread (gpointer user_data)
{
  Effects *self = user_data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->seed);

  for (guint i = 0; i < self->n; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (self->executor, job_effect, &self->effects[i], NULL);

      self->expected[i] = treat (job, rand);
      if (self->expected[i] == EXPECT_EFFECT)
        g_assert_cmpint (g_atomic_int_get (&self->effects[i]), ==, 1);
    }
  return NULL;
}

static void
check_effects (Effects *self)
{
  for (guint i = 0; i < self->n; i++)
    {
      g_assert_cmpint (self->effects[i], <=, 1);
      if (self->expected[i] == EXPECT_NO_EFFECT)
        g_assert_cmpint (self->effects[i], ==, 0);
    }
  g_free (self->effects);
  g_free (self->expected);
}

static void
run_effects (AexExecutor *executor)
{
  Effects effects[N_THREADS];
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    {
      Effects *self = &effects[i];

      self->executor = executor;
      self->n = aex_test_scale (50 * 1000);
      self->effects = g_new0 (int, self->n);
      self->expected = g_new0 (Expectation, self->n);
      self->seed = (guint32) g_test_rand_int ();
      threads[i] = g_thread_new ("effects", effects_thread, self);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  /* Now nothing can come late any more. */
  aex_test_shutdown (executor);
  for (guint i = 0; i < N_THREADS; i++)
    check_effects (&effects[i]);
  g_test_message ("figure: effects jobs=%u", N_THREADS * aex_test_scale (50 * 1000));
}

static void
test_effects_on_pool (void)
{
  aex_test_set_watchdog (300);
  run_effects (aex_test_pool (2));
}

static void
test_effects_on_caller (void)
{
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("effects", &error);

  g_assert_no_error (error);
  aex_test_set_watchdog (300);
  run_effects (AEX_EXECUTOR (caller));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/stress/X3/effects-on-pool", test_effects_on_pool);
  aex_test_add ("/stress/X3/effects-on-caller", test_effects_on_caller);
  return aex_test_run ();
}
