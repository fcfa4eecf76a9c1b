/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"
#include "lib/aex-race.h"

/* X14 for callers: thousands are made, used and stopped, in random order, from four threads. */

#define N_THREADS 4
#define N_ALIVE 6

typedef struct
{
  guint   n;
  guint32 seed;
  int    *n_made;     /* atomic */
  int    *n_run;      /* atomic */
  int    *n_freed;    /* atomic */
  int    *n_given;    /* atomic */
} Maker;

static gboolean
job_note (AexPending   *job,
          GCancellable *cancellable,
          gpointer      maker,
          GError      **error)
{
  g_atomic_int_inc (((Maker *) maker)->n_run);
  return TRUE;
}

static void
note_freed (gpointer maker)
{
  g_atomic_int_inc (((Maker *) maker)->n_freed);
}

/* One of the things one does with a caller. */
static void
use (Maker     *self,
     GRand     *rand,
     AexCaller *caller)
{
  g_autoptr (AexCallQueue) queue = NULL;
  g_autoptr (AexCaller) other = NULL;
  g_autoptr (GPtrArray) list = NULL;
  g_autofree char *text = NULL;

  switch (g_rand_int_range (rand, 0, 7))
    {
    case 0:
      g_atomic_int_inc (self->n_given);
      g_object_unref (aex_executor_submit (AEX_EXECUTOR (caller), job_note, self, note_freed));
      break;
    case 1:
      g_atomic_int_inc (self->n_given);
      g_object_unref (aex_caller_to_thread (caller, job_note, self, note_freed));
      break;
    case 2:
      g_atomic_int_inc (self->n_given);
      queue = aex_caller_ensure_queue (caller, NULL, g_rand_boolean (rand) ? "a" : "b");
      aex_call_queue_push (queue, job_note, self, note_freed);
      if (g_rand_int_range (rand, 0, 4) == 0)
        aex_call_queue_close (queue);
      break;
    case 3:
      other = aex_caller_ref_child (caller, g_rand_boolean (rand) ? "child" : NULL, NULL);
      if (other != NULL)
        g_atomic_int_inc (self->n_made);
      break;
    case 4:
      if (aex_caller_hold (caller))
        g_object_unref (aex_caller_release_full (caller, (AexShutdownFlags) g_rand_int_range (rand, 0, 4)));
      break;
    case 5:
      other = aex_caller_lookup (aex_caller_get_id (caller));
      text = aex_caller_describe (caller);
      break;
    default:
      list = aex_caller_list (g_rand_boolean (rand));
      if (list->len > 0)
        text = aex_caller_describe (list->pdata[g_rand_int_range (rand, 0, (gint32) list->len)]);
      break;
    }
}

/* Stops it, or only lets go; others may still have found it. */
static void
leave (GRand     *rand,
       AexCaller *caller,
       GPtrArray *ends)
{
  g_ptr_array_add (ends, g_object_ref (aex_caller_get_stopped (caller)));
  switch (g_rand_int_range (rand, 0, 3))
    {
    case 0:
      g_object_unref (aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE));
      break;
    case 1:
      g_object_unref (aex_executor_shutdown (AEX_EXECUTOR (caller), AEX_SHUTDOWN_FLAGS_NONE));
      break;
    default:
      break;
    }
  g_object_unref (caller);
}

static gpointer
make_use_and_stop (gpointer data)
{
  Maker *self = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (self->seed);
  AexCaller *alive[N_ALIVE] = { NULL };

  while (self->n > 0)
    {
      g_autoptr (GPtrArray) ends = aex_test_pendings_new ();

      for (guint i = 0; i < N_ALIVE && self->n > 0; i++, self->n--)
        {
          alive[i] = aex_caller_new_thread (NULL, NULL);
          g_assert_nonnull (alive[i]);
          g_atomic_int_inc (self->n_made);
        }
      for (guint k = 0; k < 3 * N_ALIVE; k++)
        {
          AexCaller *caller = alive[g_rand_int_range (rand, 0, N_ALIVE)];

          if (caller != NULL)
            use (self, rand, caller);
        }
      for (guint i = 0; i < N_ALIVE; i++)
        {
          guint k = (guint) g_rand_int_range (rand, 0, N_ALIVE);

          if (alive[k] != NULL)
            leave (rand, g_steal_pointer (&alive[k]), ends);
        }
      for (guint i = 0; i < N_ALIVE; i++)
        if (alive[i] != NULL)
          leave (rand, g_steal_pointer (&alive[i]), ends);
      /* One that was found by another thread just now ends when that lets go. */
      aex_test_wait_all (ends);
    }
  return NULL;
}

static gboolean
all_freed (gpointer data)
{
  Maker *self = data;

  return g_atomic_int_get (self->n_freed) == g_atomic_int_get (self->n_given);
}

static void
test_storm (void)
{
  int n_made = 0, n_run = 0, n_freed = 0, n_given = 0;
  Maker makers[N_THREADS];
  GThread *threads[N_THREADS];
  guint n = aex_test_scale_whole (10000);

  for (guint i = 0; i < N_THREADS; i++)
    {
      makers[i] = (Maker) { MAX (n / N_THREADS, N_ALIVE), (guint32) g_test_rand_int (), &n_made, &n_run, &n_freed, &n_given };
      threads[i] = g_thread_new ("maker", make_use_and_stop, &makers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  aex_test_wait_threads ();
  /* What was refused is released in a dispatch. */
  aex_test_iterate_until (all_freed, &makers[0]);
  g_assert_cmpint (n_made, >=, (int) n);
  g_assert_cmpint (n_run, <=, n_given);
  g_test_message ("figure: callers callers=%d functions=%d of=%d", n_made, n_run, n_given);
}

/* ---- the context is let go of while another thread drops what was posted there */

typedef struct
{
  GMainContext *context;
  AexCaller    *caller;
  int           n_freed;      /* atomic */
} Posted;

static gboolean
never_run (gpointer data,
           GError **error)
{
  g_assert_not_reached ();
}

static void
posted_freed (gpointer data)
{
  g_atomic_int_inc (&((Posted *) data)->n_freed);
}

static void
setup_posted (gpointer data)
{
  Posted *self = data;

  self->context = g_main_context_new ();
  self->caller = aex_caller_ref_for_context (self->context);
  for (guint i = 0; i < 4; i++)
    aex_executor_post (AEX_EXECUTOR (self->caller), never_run, self, posted_freed);
}

static void
do_end_context (gpointer data)
{
  g_main_context_unref (((Posted *) data)->context);
}

static void
do_purge (gpointer data)
{
  g_object_unref (aex_executor_shutdown (AEX_EXECUTOR (((Posted *) data)->caller), AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED));
}

static void
check_posted (gpointer data)
{
  Posted *self = data;

  g_assert_cmpint (g_atomic_int_get (&self->n_freed), ==, 4);
  g_object_unref (self->caller);
}

static const AexRace context_ends = {
  "/stress/callers/P9/R10/context-ends", 20000, sizeof (Posted), setup_posted, { do_end_context, do_purge }, check_posted,
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (600);
  aex_test_add ("/stress/X14-P9-P10/callers", test_storm);
  aex_race_add (&context_ends);
  return aex_test_run ();
}
