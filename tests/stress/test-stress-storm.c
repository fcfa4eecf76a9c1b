/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Reliability rows 1, 3 and 4: eight threads submit, a third of the jobs is
 * cancelled at random moments, callbacks go to the main loop and to loops of
 * the threads themselves.  Everything happens exactly once and in its place. */

#define N_THREADS 8
#define FULL_JOBS_PER_THREAD 125000
/* How far back the one that is cancelled may lie. */
#define CANCEL_WINDOW 64

typedef struct _Storm Storm;

typedef struct
{
  Storm   *storm;
  GThread *owner;             /* of the callback; NULL: the main thread */
  guint    index;
  guint8   cancelled;         /* submitter: cancel said TRUE */
  guint8   must_not_run;      /* submitter: cancelled before it started */
  int      n_runs;            /* atomic, like the rest */
  int      n_job_releases;
  int      n_calls;
  int      n_callback_releases;
} Item;

struct _Storm
{
  AexExecutor *pool;
  GThread     *main_thread;
  guint        per_thread;
  int          n_main_released;         /* atomic */
  guint        n_main_expected;
  int          n_ran;                   /* atomic */
};

typedef struct
{
  Storm   *storm;
  gboolean own_loop;
  guint32  seed;
  guint    n_released;                  /* own loop: only its thread */
  Item    *items;
} Submitter;

static gboolean
storm_job (AexPending   *job,
           GCancellable *cancellable,
           gpointer      data,
           GError      **error)
{
  Item *item = data;

  g_assert_true (aex_test_is_on (item->storm->pool));
  g_assert_cmpint (g_atomic_int_add (&item->n_runs, 1), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&item->n_job_releases), ==, 0);
  g_atomic_int_inc (&item->storm->n_ran);
  if (item->index % 16 == 5)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "every sixteenth");
      return FALSE;
    }
  aex_pending_resolve_int64 (job, item->index);
  return TRUE;
}

static void
release_job (gpointer data)
{
  Item *item = data;

  g_assert_true (aex_test_is_on (item->storm->pool));
  g_assert_cmpint (g_atomic_int_add (&item->n_job_releases, 1), ==, 0);
}

static void
check_here (Item *item)
{
  g_assert_true (g_thread_self () == (item->owner != NULL ? item->owner : item->storm->main_thread));
  g_assert_cmpint (g_main_depth (), >, 0);
}

static void
storm_callback (AexPending *job,
                gpointer    data)
{
  Item *item = data;
  g_autoptr (GError) error = aex_pending_dup_error (job);

  check_here (item);
  g_assert_true (aex_pending_is_done (job));
  g_assert_cmpint (g_atomic_int_add (&item->n_calls, 1), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&item->n_callback_releases), ==, 0);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_assert_cmpint (g_atomic_int_get (&item->n_runs), ==, 1);
  if (item->index % 16 == 5)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  else
    aex_assert_resolved_int64 (job, item->index);
}

static void
release_for_main (gpointer data)
{
  Item *item = data;

  check_here (item);
  g_assert_cmpint (g_atomic_int_add (&item->n_callback_releases, 1), ==, 0);
  g_atomic_int_inc (&item->storm->n_main_released);
}

static void
release_for_own_loop (gpointer data)
{
  Item *item = data;

  check_here (item);
  g_assert_cmpint (g_atomic_int_add (&item->n_callback_releases, 1), ==, 0);
}

static void
cancel_one (Submitter   *self,
            AexPending **jobs,
            guint        i)
{
  Item *item = &self->items[i];

  if (jobs[i] != NULL && aex_pending_cancel (jobs[i], "storm"))
    {
      item->cancelled = TRUE;
      /* Done at once: it was still queued, so it never runs. */
      if (aex_pending_is_done (jobs[i]) && g_atomic_int_get (&item->n_runs) == 0)
        item->must_not_run = TRUE;
    }
  g_clear_object (&jobs[i]);
}

/* Sooner or later every third. */
static void
cancel_some (Submitter   *self,
             AexPending **jobs,
             GRand       *rand,
             guint        i)
{
  guint back = (guint) g_rand_int_range (rand, 0, CANCEL_WINDOW);

  if (back <= i)
    cancel_one (self, jobs, i - back);
  if (i >= CANCEL_WINDOW)
    cancel_one (self, jobs, i - CANCEL_WINDOW);
}

static void
submit_one (Submitter   *self,
            AexPending **jobs,
            guint        i)
{
  Item *item = &self->items[i];

  item->storm = self->storm;
  item->owner = self->own_loop ? g_thread_self () : NULL;
  item->index = i;
  jobs[i] = aex_executor_submit (self->storm->pool, storm_job, item, release_job);
  aex_pending_add_done_callback (jobs[i], storm_callback, item,
                                 self->own_loop ? release_for_own_loop : release_for_main);
  if (i % 3 != 0)
    g_clear_object (&jobs[i]);
}

static gboolean
all_released (gpointer data)
{
  Submitter *self = data;

  while (self->n_released < self->storm->per_thread
         && g_atomic_int_get (&self->items[self->n_released].n_callback_releases) == 1)
    self->n_released++;
  return self->n_released == self->storm->per_thread;
}

static gpointer
submitter_main (gpointer data)
{
  Submitter *self = data;
  guint n = self->storm->per_thread;
  AexPending **jobs = g_new0 (AexPending *, n);
  GRand *rand = g_rand_new_with_seed (self->seed);
  GMainContext *context = NULL;

  if (self->own_loop)
    {
      context = g_main_context_new ();
      g_main_context_push_thread_default (context);
    }
  for (guint i = 0; i < n; i++)
    {
      submit_one (self, jobs, i);
      cancel_some (self, jobs, rand, i);
      if (self->own_loop && i % 256 == 255)
        aex_test_drain ();
    }
  for (guint i = 0; i < n; i++)
    cancel_one (self, jobs, i);
  if (self->own_loop)
    {
      aex_test_iterate_until (all_released, self);
      g_main_context_pop_thread_default (context);
      g_main_context_unref (context);
    }
  g_rand_free (rand);
  g_free (jobs);
  return NULL;
}

static void
check_items (Submitter *self,
             guint     *n_cancelled,
             guint     *n_never)
{
  for (guint i = 0; i < self->storm->per_thread; i++)
    {
      const Item *item = &self->items[i];

      g_assert_cmpint (item->n_calls, ==, 1);
      g_assert_cmpint (item->n_callback_releases, ==, 1);
      g_assert_cmpint (item->n_job_releases, ==, 1);
      g_assert_cmpint (item->n_runs, <=, item->must_not_run ? 0 : 1);
      if (!item->cancelled)
        g_assert_cmpint (item->n_runs, ==, 1);
      *n_cancelled += item->cancelled;
      *n_never += item->must_not_run;
    }
}

static gboolean
main_has_all (gpointer data)
{
  Storm *self = data;

  return (guint) g_atomic_int_get (&self->n_main_released) == self->n_main_expected;
}

static void
run_storm (guint max_workers)
{
  Storm storm = { .pool = aex_test_pool (max_workers), .main_thread = g_thread_self () };
  Submitter submitters[N_THREADS];
  GThread *threads[N_THREADS];
  guint n_cancelled = 0;
  guint n_never = 0;

  storm.per_thread = aex_test_scale (FULL_JOBS_PER_THREAD);
  storm.n_main_expected = storm.per_thread * (N_THREADS / 2);
  for (guint i = 0; i < N_THREADS; i++)
    {
      submitters[i] = (Submitter) { .storm = &storm, .own_loop = i % 2 == 1 };
      submitters[i].seed = (guint32) g_test_rand_int ();
      submitters[i].items = g_new0 (Item, storm.per_thread);
      threads[i] = g_thread_new ("submitter", submitter_main, &submitters[i]);
    }
  aex_test_iterate_until (main_has_all, &storm);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  aex_test_shutdown (storm.pool);
  for (guint i = 0; i < N_THREADS; i++)
    {
      check_items (&submitters[i], &n_cancelled, &n_never);
      g_free (submitters[i].items);
    }
  g_test_message ("figure: storm jobs=%u ran=%d cancelled=%u cancelled_in_the_queue=%u", storm.per_thread * N_THREADS,
                  storm.n_ran, n_cancelled, n_never);
  g_assert_cmpuint (n_cancelled, >, 0);
}

static void
test_storm (gconstpointer max_workers)
{
  run_storm (GPOINTER_TO_UINT (max_workers));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  aex_test_add_data ("/stress/storm/X1-X3-X4-R5-R6/one-worker", GUINT_TO_POINTER (1), test_storm);
  aex_test_add_data ("/stress/storm/X1-X3-X4-R5-R6/two-workers", GUINT_TO_POINTER (2), test_storm);
  aex_test_add_data ("/stress/storm/X1-X3-X4-R5-R6/eight-workers", GUINT_TO_POINTER (8), test_storm);
  return aex_test_run ();
}
