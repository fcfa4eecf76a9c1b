/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

#include "base/aex-thread-private.h"

/* Another thread runs the default context: then it is not the main thread's own. */

typedef struct
{
  GMainLoop  *loop;
  GThread    *thread;
  AexGate     running;
  AexGate     held;
  AexGate     release;
  AexPending *dropped;
  AexPending *awaited;
  GThread    *released_on;   /* atomic */
  int         n_runs;        /* atomic */
} Elsewhere;

static gboolean
elsewhere_runs (gpointer data)
{
  aex_gate_open (&((Elsewhere *) data)->running);
  return G_SOURCE_REMOVE;
}

/* A source of somebody else: our queue is not looked at meanwhile. */
static gboolean
elsewhere_holds (gpointer data)
{
  Elsewhere *self = data;

  aex_gate_open (&self->held);
  aex_gate_wait (&self->release);
  return G_SOURCE_REMOVE;
}

static gboolean
elsewhere_quits (gpointer data)
{
  g_main_loop_quit (((Elsewhere *) data)->loop);
  return G_SOURCE_REMOVE;
}

static gpointer
elsewhere_main (gpointer data)
{
  g_main_loop_run (((Elsewhere *) data)->loop);
  return NULL;
}

static void
elsewhere_init (Elsewhere *self)
{
  *self = (Elsewhere) { .loop = g_main_loop_new (NULL, FALSE) };
  aex_gate_init (&self->running);
  aex_gate_init (&self->held);
  aex_gate_init (&self->release);
}

static void
elsewhere_begin (gpointer data)
{
  Elsewhere *self = data;

  self->thread = g_thread_new ("loop", elsewhere_main, self);
}

static void
elsewhere_start (Elsewhere *self)
{
  elsewhere_init (self);
  g_idle_add (elsewhere_runs, self);
  elsewhere_begin (self);
  aex_gate_wait (&self->running);
}

static void
elsewhere_stop (Elsewhere *self)
{
  g_idle_add (elsewhere_quits, self);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  aex_gate_clear (&self->running);
  aex_gate_clear (&self->held);
  aex_gate_clear (&self->release);
}

static gboolean
elsewhere_job (AexPending   *job,
               GCancellable *cancellable,
               gpointer      data,
               GError      **error)
{
  g_assert_false (aex_thread_is_main ());
  g_atomic_int_inc (&((Elsewhere *) data)->n_runs);
  return TRUE;
}

static void
elsewhere_released (gpointer data)
{
  Elsewhere *self = data;

  g_atomic_pointer_set (&self->released_on, g_thread_self ());
}

static void
never_called (AexPending *pending,
              gpointer    data)
{
  g_assert_not_reached ();
}

static void
test_loop_elsewhere (void)
{
  enum { N_JOBS = 100 };
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  AexPending *jobs[N_JOBS];
  Elsewhere self;

  elsewhere_start (&self);
  for (guint i = 0; i < N_JOBS; i++)
    jobs[i] = aex_executor_submit (AEX_EXECUTOR (caller), elsewhere_job, &self, NULL);
  for (guint i = N_JOBS; i > 0; i--)
    {
      g_autoptr (GError) error = NULL;

      aex_pending_wait (jobs[i - 1], AEX_WAIT_FLAGS_NONE, -1, NULL, &error);
      g_assert_no_error (error);
      g_object_unref (jobs[i - 1]);
    }
  elsewhere_stop (&self);
  g_assert_cmpint (g_atomic_int_get (&self.n_runs), ==, N_JOBS);
}

/* What waits to be released there is left to the thread that runs it. */
static void
test_releases_elsewhere (void)
{
  g_autoptr (AexPending) never = aex_pending_new ();
  AexPending *dropped = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  Elsewhere self;

  elsewhere_start (&self);
  g_idle_add_full (G_PRIORITY_HIGH, elsewhere_holds, &self, NULL);
  aex_gate_wait (&self.held);
  aex_pending_add_done_callback (dropped, never_called, &self, elsewhere_released);
  aex_assert_last_unref (dropped);
  g_assert_false (aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_null (g_atomic_pointer_get (&self.released_on));
  aex_gate_open (&self.release);
  elsewhere_stop (&self);
  aex_test_drain ();
  g_assert_true (g_atomic_pointer_get (&self.released_on) != NULL);
}

static gboolean
elsewhere_drops (gpointer data)
{
  Elsewhere *self = data;

  aex_assert_last_unref (self->dropped);
  aex_pending_resolve (self->awaited, NULL);
  aex_gate_wait (&self->release);
  return G_SOURCE_REMOVE;
}

/* It begins to run it while the main thread waits, which has found before that nobody does. */
static void
test_begins_meanwhile (void)
{
  AexPending *first = aex_pending_new ();
  g_autoptr (AexPending) awaited = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  Elsewhere self;

  elsewhere_init (&self);
  self.awaited = awaited;
  self.dropped = aex_pending_new ();
  aex_pending_add_done_callback (self.dropped, never_called, &self, elsewhere_released);
  aex_pending_add_done_callback (first, never_called, &self, elsewhere_begin);
  g_idle_add_full (G_PRIORITY_HIGH, elsewhere_drops, &self, NULL);
  aex_assert_last_unref (first);
  g_assert_true (aex_pending_wait (awaited, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_no_error (error);
  g_assert_null (g_atomic_pointer_get (&self.released_on));
  aex_gate_open (&self.release);
  elsewhere_stop (&self);
  aex_test_drain ();
  g_assert_true (g_atomic_pointer_get (&self.released_on) != NULL);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/I6/R10/loop-elsewhere", test_loop_elsewhere);
  aex_test_add ("/pending/I6/R10/releases-elsewhere", test_releases_elsewhere);
  aex_test_add ("/pending/I6/R10/begins-meanwhile", test_begins_meanwhile);
  return aex_test_run ();
}
