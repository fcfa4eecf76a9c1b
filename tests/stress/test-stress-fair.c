/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Row X15: one submitter floods an executor, seven others have one job at a
 * time.  On one thread no job may start before one that was submitted earlier,
 * whoever did so: the others wait for what was there before them, no longer. */

#define N_OTHERS 7
/* How much of the flood is in the queue. */
#define N_FLOOD 1000

typedef struct
{
  AexExecutor *executor;
  guint        n_rounds;
  gboolean     in_order;
  int          n_submitted;     /* atomic, of the flood */
  int          n_started;       /* atomic, of the flood */
  int          n_others;        /* atomic: how many are not through */
} Flood;

typedef struct
{
  Flood *flood;
  int    n_started;             /* of the flood when this one started */
} Drop;

static gboolean
flood_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  g_atomic_int_inc (&((Flood *) data)->n_started);
  return TRUE;
}

static gboolean
drop_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  Drop *self = data;

  self->n_started = g_atomic_int_get (&self->flood->n_started);
  return TRUE;
}

static gpointer
flood_thread (gpointer data)
{
  Flood *self = data;

  while (g_atomic_int_get (&self->n_others) > 0)
    {
      if (g_atomic_int_get (&self->n_submitted) - g_atomic_int_get (&self->n_started) >= N_FLOOD)
        {
          g_thread_yield ();
          continue;
        }
      g_atomic_int_inc (&self->n_submitted);
      g_object_unref (aex_executor_submit (self->executor, flood_job, self, NULL));
    }
  return NULL;
}

static gpointer
other_thread (gpointer data)
{
  Flood *self = data;

  for (guint i = 0; i < self->n_rounds; i++)
    {
      Drop drop = { .flood = self };
      g_autoptr (AexPending) job = aex_executor_submit (self->executor, drop_job, &drop, NULL);
      int n_before = g_atomic_int_get (&self->n_submitted);

      g_assert_true (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
      if (self->in_order)
        g_assert_cmpint (drop.n_started, <=, n_before);
    }
  g_atomic_int_add (&self->n_others, -1);
  return NULL;
}

static void
check_flood (AexExecutor *executor,
             gboolean     in_order)
{
  Flood flood = { .executor = executor, .in_order = in_order, .n_others = N_OTHERS };
  GThread *threads[1 + N_OTHERS];

  flood.n_rounds = aex_test_scale (5000);
  threads[0] = g_thread_new ("flood", flood_thread, &flood);
  for (guint i = 1; i <= N_OTHERS; i++)
    threads[i] = g_thread_new ("other", other_thread, &flood);
  for (guint i = 0; i <= N_OTHERS; i++)
    g_thread_join (threads[i]);
  aex_test_shutdown (executor);
  g_assert_cmpint (flood.n_started, ==, flood.n_submitted);
  g_test_message ("figure: flood jobs=%d jobs_of_others=%u", flood.n_submitted, N_OTHERS * flood.n_rounds);
}

static void
test_one_worker (void)
{
  check_flood (aex_test_pool (1), TRUE);
}

static void
test_caller (void)
{
  check_flood (AEX_EXECUTOR (aex_caller_new_thread ("flooded", NULL)), TRUE);
}

/* With several nobody can say what started first: but all get through. */
static void
test_four_workers (void)
{
  check_flood (aex_test_pool (4), FALSE);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  aex_test_add ("/stress/X15/one-worker", test_one_worker);
  aex_test_add ("/stress/X15/caller", test_caller);
  aex_test_add ("/stress/X15/four-workers", test_four_workers);
  return aex_test_run ();
}
