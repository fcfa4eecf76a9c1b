/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

/* K34, K36, P6: call queues from many threads. */

/* --- P6: from eight threads, with items that are cancelled and queues that are closed */
typedef struct
{
  AexCaller *caller;
  int        n_inside;    /* atomic */
  int        n_run;       /* atomic */
  int        n_taken;     /* atomic */
  int        n_released;  /* atomic */
} Storm;

static AexPending *
async_storm (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  Storm *self = data;

  g_assert_cmpint (g_atomic_int_add (&self->n_inside, 1), ==, 0);
  g_atomic_int_inc (&self->n_run);
  g_assert_true (g_atomic_int_dec_and_test (&self->n_inside));
  return g_atomic_int_get (&self->n_run) % 3 == 0 ? aex_pending_sleep (0) : NULL;
}

static void
storm_release (gpointer data)
{
  g_atomic_int_inc (&((Storm *) data)->n_released);
}

static gpointer
push_in_thread (gpointer data)
{
  Storm *self = data;
  guint n = aex_test_scale (4000);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (self->caller, NULL, "storm");

      g_assert_cmpuint (aex_pending_get_state (aex_call_queue_get_pending (queue)), >=, AEX_PENDING_STATE_RUNNING);
      if (aex_call_queue_push_async (queue, async_storm, self, storm_release))
        g_atomic_int_inc (&self->n_taken);
    }
  return NULL;
}

static void
test_from_thread (void)
{
  Storm self = { .caller = aex_test_caller_new ("queues") };
  GThread *threads[8];
  g_autoptr (AexCallQueue) queue = NULL;

  for (guint i = 0; i < 8; i++)
    threads[i] = g_thread_new ("pusher", push_in_thread, &self);
  for (guint i = 0; i < 8; i++)
    g_thread_join (threads[i]);
  queue = aex_caller_ensure_queue (self.caller, NULL, "storm");
  aex_test_wait_for_queue (queue);
  g_assert_cmpint (self.n_run, ==, self.n_taken);
  aex_test_caller_end (self.caller);
  g_assert_cmpint (self.n_released, ==, self.n_taken);
}

static gpointer
push_and_close (gpointer data)
{
  Storm *self = data;
  guint n = aex_test_scale (2000);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexCallQueue) queue = aex_caller_ensure_queue (self->caller, NULL, "storm");

      /* Released exactly once either way. */
      aex_call_queue_push_async (queue, async_storm, self, storm_release);
      g_atomic_int_inc (&self->n_taken);
      if (i % 7 == 0)
        aex_call_queue_close (queue);
      if (i % 11 == 0)
        aex_caller_close_queue (self->caller, NULL, "storm");
    }
  return NULL;
}

static gboolean
storm_is_over (gpointer data)
{
  Storm *self = data;

  return g_atomic_int_get (&self->n_released) == g_atomic_int_get (&self->n_taken);
}

static void
test_close_from_threads (void)
{
  Storm self = { .caller = aex_test_caller_new ("queues") };
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("pusher", push_and_close, &self);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  aex_test_caller_end (self.caller);
  /* Refused ones are released here. */
  while (!storm_is_over (&self))
    g_main_context_iteration (NULL, TRUE);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/caller/K34-P6/from-thread", test_from_thread);
  aex_test_add ("/caller/K36-P6/close-from-threads", test_close_from_threads);
  return aex_test_run ();
}
