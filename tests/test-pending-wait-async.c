/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Waiting without blocking (S3, S7), and by running the loop. */

#define SECOND G_USEC_PER_SEC

typedef struct
{
  int      n_calls;
  gboolean result;
  GError  *error;
  GThread *thread;
} Finish;

static void
finish (GObject      *source,
        GAsyncResult *result,
        gpointer      data)
{
  Finish *self = data;

  g_assert_true (G_IS_ASYNC_RESULT (result));
  g_assert_cmpint (self->n_calls, ==, 0);
  g_assert_cmpint (g_main_depth (), >, 0);
  self->result = aex_pending_wait_finish (AEX_PENDING (source), result, &self->error);
  self->thread = g_thread_self ();
  g_atomic_int_inc (&self->n_calls);
}

static void
finish_wait (Finish *self)
{
  aex_test_iterate_until (aex_test_is_set, &self->n_calls);
  g_assert_cmpint (self->n_calls, ==, 1);
  g_assert_true (self->thread == g_thread_self ());
}

static void
finish_clear (Finish *self)
{
  g_clear_error (&self->error);
}

/* --- outcomes */

static void
test_resolved (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Finish before = { 0 };
  Finish after = { 0 };

  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, &before);
  aex_test_drain ();
  g_assert_cmpint (before.n_calls, ==, 0);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, &after);
  g_assert_cmpint (before.n_calls + after.n_calls, ==, 0);
  finish_wait (&before);
  finish_wait (&after);
  g_assert_true (before.result && after.result);
  g_assert_no_error (before.error);
  g_assert_no_error (after.error);
}

static void
test_failed (void)
{
  g_autoptr (AexPending) rejected
    = aex_pending_new_rejected (g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no"));
  g_autoptr (AexPending) cancelled = aex_pending_new ();
  Finish finishes[3] = { 0 };

  aex_pending_cancel (cancelled, NULL);
  aex_pending_wait_async (rejected, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, &finishes[0]);
  aex_pending_wait_async (cancelled, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, &finishes[1]);
  aex_pending_wait_async (rejected, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, finish, &finishes[2]);
  for (guint i = 0; i < 3; i++)
    finish_wait (&finishes[i]);
  g_assert_false (finishes[0].result);
  g_assert_error (finishes[0].error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (finishes[1].result);
  g_assert_error (finishes[1].error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (finishes[2].result);
  g_assert_no_error (finishes[2].error);
  for (guint i = 0; i < 3; i++)
    finish_clear (&finishes[i]);
}

/* The wait keeps the pending's object, not its producer, alive. */
static void
test_no_callback (void)
{
  AexPending *pending = aex_pending_new ();

  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL, NULL);
  g_assert_true (aex_pending_resolve (pending, NULL));
  g_object_unref (pending);
  aex_test_drain ();
}

/* --- given up */

static void
test_times_out (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Finish plain = { 0 };
  Finish cancels = { 0 };

  aex_test_virtual_time ();
  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, SECOND, NULL, finish, &plain);
  aex_clock_advance (SECOND);
  finish_wait (&plain);
  g_assert_error (plain.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_cancelled (pending));
  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, SECOND, NULL, finish, &cancels);
  aex_clock_advance (SECOND - 1);
  aex_test_drain ();
  g_assert_cmpint (cancels.n_calls, ==, 0);
  aex_clock_advance (1);
  finish_wait (&cancels);
  g_assert_error (cancels.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  aex_test_run_until_done (pending);
  aex_assert_cancelled (pending);
  finish_clear (&plain);
  finish_clear (&cancels);
}

static void
test_poll (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Finish self = { 0 };

  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, 0, NULL, finish, &self);
  g_assert_cmpint (self.n_calls, ==, 0);
  finish_wait (&self);
  g_assert_error (self.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_false (aex_pending_is_cancelled (pending));
  aex_pending_cancel (pending, NULL);
  finish_clear (&self);
}

typedef struct
{
  const char  *name;
  AexWaitFlags flags;
  gboolean     early;           /* cancelled before the wait starts */
  gboolean     ends_wait;
  gboolean     cancels_pending;
} CancelCase;

static const CancelCase cancel_cases[] = {
  { "plain", AEX_WAIT_FLAGS_NONE, FALSE, TRUE, FALSE },
  { "plain-early", AEX_WAIT_FLAGS_NONE, TRUE, TRUE, FALSE },
  { "on-abandon", AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, FALSE, TRUE, TRUE },
  { "on-abandon-early", AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, TRUE, TRUE, TRUE },
  { "shield", AEX_WAIT_FLAGS_SHIELD, FALSE, FALSE, FALSE },
  { "shield-early", AEX_WAIT_FLAGS_SHIELD, TRUE, FALSE, FALSE },
  { "queued-only", AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, FALSE, FALSE, FALSE },
  { "queued-only-early", AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY, TRUE, FALSE, FALSE },
};

static void
test_cancellable (gconstpointer data)
{
  const CancelCase *self = data;
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Finish wait = { 0 };

  if (self->early)
    g_cancellable_cancel (cancellable);
  aex_pending_wait_async (pending, self->flags, -1, cancellable, finish, &wait);
  if (!self->early)
    g_cancellable_cancel (cancellable);
  g_assert_cmpint (wait.n_calls, ==, 0);
  if (!self->ends_wait)
    {
      aex_test_drain ();
      g_assert_cmpint (wait.n_calls, ==, 0);
      g_assert_true (aex_pending_resolve_int64 (pending, 1));
    }
  finish_wait (&wait);
  g_assert_cmpint (wait.result, ==, !self->ends_wait);
  if (self->ends_wait)
    g_assert_error (wait.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (aex_pending_is_cancelled (pending), ==, self->cancels_pending);
  aex_pending_cancel (pending, NULL);
  finish_clear (&wait);
}

/* Many waits on one cancellable leave nothing connected. */
static void
test_cancellable_is_clean (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (AexPending) pending = aex_pending_new ();
      Finish self = { 0 };

      aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, cancellable, finish, &self);
      g_assert_true (aex_pending_resolve (pending, NULL));
      finish_wait (&self);
    }
  aex_test_drain ();
  g_assert_cmpuint (G_OBJECT (cancellable)->ref_count, ==, 1);
  g_assert_false (g_signal_has_handler_pending (cancellable, g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE),
                                                0, TRUE));
}

/* --- the waiter's own thread gets the answer */

static void
wait_there (gpointer pending,
            gpointer self)
{
  aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, self);
}

static void
iterate_there (gpointer n_calls,
               gpointer unused)
{
  aex_test_iterate_until (aex_test_is_set, n_calls);
}

static void
test_on_own_context (void)
{
  AexLoopThread *loop = aex_loop_thread_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  Finish self = { 0 };

  aex_loop_thread_call (loop, wait_there, pending, &self);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_loop_thread_call (loop, iterate_there, &self.n_calls, NULL);
  g_assert_true (self.thread == aex_loop_thread_get_thread (loop));
  g_assert_true (self.result);
  aex_loop_thread_free (loop);
}

/* --- K44: many waiters of every kind */

#define N_BLOCKED 20
#define N_ASYNC 80

typedef struct
{
  AexPending *pending;
  AexGate     begun;
} Blocked;

static gpointer
block_on (gpointer data)
{
  Blocked *self = data;

  aex_gate_open (&self->begun);
  return GINT_TO_POINTER (aex_pending_wait (self->pending, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
}

static void
test_many_waiters (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  Blocked blocked = { .pending = pending };
  GThread *threads[N_BLOCKED];
  Finish finishes[N_ASYNC] = { 0 };

  aex_gate_init (&blocked.begun);
  for (guint i = 0; i < N_BLOCKED; i++)
    threads[i] = g_thread_new ("waits", block_on, &blocked);
  /* All have begun: the last may not be among the waiters yet, the others are. */
  aex_gate_wait_n (&blocked.begun, N_BLOCKED);
  for (guint i = 0; i < N_ASYNC; i++)
    aex_pending_wait_async (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, finish, &finishes[i]);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  for (guint i = 0; i < N_ASYNC; i++)
    finish_wait (&finishes[i]);
  for (guint i = 0; i < N_BLOCKED; i++)
    g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (threads[i])), ==, TRUE);
  aex_gate_clear (&blocked.begun);
}

/* --- run_until_done: the way to wait on the loop's own thread */

static gboolean
return_5 (AexPending   *job,
          GCancellable *cancellable,
          gpointer      data,
          GError      **error)
{
  aex_pending_resolve_int64 (job, 5);
  return TRUE;
}

static void
test_run_until_done (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (GError) error = NULL;
  AexPoison poison;

  aex_poison_init (&poison);
  job = aex_executor_submit (AEX_EXECUTOR (caller), return_5, NULL, NULL);
  aex_pending_add_done_callback (job, aex_poison_callback, &poison, aex_poison_release);
  g_assert_true (aex_pending_run_until_done (job, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_no_error (error);
  aex_assert_resolved_int64 (job, 5);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
}

static void
test_run_until_timeout (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  AexTicker *ticker;

  g_assert_false (aex_pending_run_until_done (pending, AEX_WAIT_FLAGS_NONE, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  aex_test_virtual_time ();
  ticker = aex_ticker_start (SECOND);
  g_assert_false (aex_pending_run_until_done (pending, AEX_WAIT_FLAGS_CANCEL_ON_ABANDON, 10 * SECOND, NULL, &error));
  aex_ticker_stop (ticker);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (aex_pending_is_cancelled (pending));
}

static gpointer
cancel_cancellable (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_run_until_cancelled (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("cancels", cancel_cancellable, cancellable);

  g_assert_false (aex_pending_run_until_done (pending, AEX_WAIT_FLAGS_NONE, -1, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (aex_pending_is_cancelled (pending));
  g_thread_join (thread);
  aex_pending_cancel (pending, NULL);
}

static gboolean
run_nested (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  AexExecutor *caller = data;
  g_autoptr (AexPending) inner = aex_executor_submit (caller, return_5, NULL, NULL);

  g_assert_true (aex_pending_run_until_done (inner, AEX_WAIT_FLAGS_NONE, -1, NULL, error));
  g_assert_true (aex_pending_get_current () == job);
  aex_pending_resolve_int64 (job, aex_pending_get_int64 (inner, NULL) + 1);
  return TRUE;
}

static void
test_run_nested (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), run_nested, caller, NULL);

  g_assert_true (aex_pending_run_until_done (job, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  aex_assert_resolved_int64 (job, 6);
}

typedef struct
{
  AexPending  *awaited;
  AexWaitFlags flags;
  gboolean     result;
  int          code;
} Inside;

static gboolean
run_inside (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  Inside *self = data;
  g_autoptr (GError) own = NULL;

  self->result = aex_pending_run_until_done (self->awaited, self->flags, -1, NULL, &own);
  self->code = own != NULL ? own->code : -1;
  return TRUE;
}

static gboolean
cancel_soon (gpointer job)
{
  g_assert_true (aex_pending_cancel (job, NULL));
  return G_SOURCE_REMOVE;
}

static gboolean
resolve_soon (gpointer pending)
{
  g_assert_true (aex_pending_resolve (pending, NULL));
  return G_SOURCE_REMOVE;
}

/* Inside a job it ends with that job, too, unless shielded. */
static void
test_run_observes_job (void)
{
  static const AexWaitFlags flags[] = { AEX_WAIT_FLAGS_NONE, AEX_WAIT_FLAGS_SHIELD };
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    {
      g_autoptr (AexPending) awaited = aex_pending_new ();
      Inside self = { awaited, flags[i], FALSE, 0 };
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (caller), run_inside, &self, NULL);

      g_idle_add (cancel_soon, job);
      if (flags[i] == AEX_WAIT_FLAGS_SHIELD)
        g_timeout_add_full (G_PRIORITY_LOW, 0, resolve_soon, awaited, NULL);
      aex_test_run_until_done (job);
      g_assert_cmpint (self.result, ==, flags[i] == AEX_WAIT_FLAGS_SHIELD);
      g_assert_cmpint (self.code, ==, self.result ? -1 : G_IO_ERROR_CANCELLED);
      aex_assert_cancelled (job);
      aex_pending_cancel (awaited, NULL);
    }
}

static gpointer
run_on_pushed (gpointer unused)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexPending) source = NULL;
  g_autoptr (AexPending) derived = NULL;
  AexPoison poison;

  g_main_context_push_thread_default (context);
  aex_poison_init (&poison);
  source = aex_pending_new_resolved (NULL);
  derived = aex_pending_then (source, aex_poison_then, &poison, aex_poison_release);
  g_assert_true (aex_pending_run_until_done (derived, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static void
test_run_on_pushed_context (void)
{
  aex_test_in_thread (run_on_pushed, NULL);
}

static void
add_run (void)
{
  aex_test_add ("/pending/K55/run-until-done", test_run_until_done);
  aex_test_add ("/pending/K55/run-until-timeout", test_run_until_timeout);
  aex_test_add ("/pending/K55/run-until-cancelled", test_run_until_cancelled);
  aex_test_add ("/pending/K55/run-nested", test_run_nested);
  aex_test_add ("/pending/rule5/run-observes-job", test_run_observes_job);
  aex_test_add ("/pending/K55/run-on-pushed-context", test_run_on_pushed_context);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/S7/resolved", test_resolved);
  aex_test_add ("/pending/S7/failed", test_failed);
  aex_test_add ("/pending/S7/no-callback", test_no_callback);
  aex_test_add ("/pending/S7/times-out", test_times_out);
  aex_test_add ("/pending/S7/poll", test_poll);
  for (guint i = 0; i < G_N_ELEMENTS (cancel_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/pending/K54/async/", cancel_cases[i].name, NULL);

      aex_test_add_data (path, &cancel_cases[i], test_cancellable);
    }
  aex_test_add ("/pending/S7/cancellable-is-clean", test_cancellable_is_clean);
  aex_test_add ("/pending/S3/on-own-context", test_on_own_context);
  aex_test_add ("/pending/K44/many-waiters", test_many_waiters);
  add_run ();
  return aex_test_run ();
}
