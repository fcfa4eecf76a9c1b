/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Row R8: no lock is held while user code runs, a reference of a user's object
 * changes, a value is copied, or a signal is emitted.  Each piece of user code
 * here waits for another thread that uses the same pending and the same
 * executor: with a lock held that would never end. */

typedef struct
{
  AexExecutor *executor;
  AexPending  *pending;         /* or NULL: its end is what happens */
  int          n_reached;       /* atomic */
  int          is_connected;    /* atomic */
} Reentry;

static void
nothing (AexPending *pending,
         gpointer    user_data)
{
}

static gpointer
use_in_thread (gpointer data)
{
  Reentry *self = data;
  g_autoptr (AexPending) job = aex_executor_submit (self->executor, aex_job_int, NULL, NULL);
  g_autoptr (AexPending) promise = aex_pending_new ();

  aex_pending_cancel_queued (job);
  aex_executor_get_n_pending (self->executor);
  aex_executor_set_max_pending (self->executor, 1000);
  aex_pending_resolve (promise, NULL);
  if (self->pending != NULL)
    {
      gulong id = aex_pending_add_done_callback_inline (self->pending, nothing, NULL, NULL);
      G_GNUC_UNUSED g_autoptr (GError) error = aex_pending_dup_error (self->pending);

      aex_pending_remove_done_callback (self->pending, id);
      aex_pending_set_priority (self->pending, AEX_PRIORITY_HIGH);
    }
  return NULL;
}

static void
reenter (gpointer data)
{
  Reentry *self = data;

  aex_test_in_thread (use_in_thread, self);
  g_atomic_int_inc (&self->n_reached);
}

static gboolean
has_been_there (gpointer data)
{
  return g_atomic_int_get (&((Reentry *) data)->n_reached) > 0;
}

static void
end (Reentry *self)
{
  aex_test_iterate_until (has_been_there, self);
  g_clear_object (&self->pending);
  aex_test_shutdown (self->executor);
}

static gboolean
job_reenters (AexPending   *job,
              GCancellable *cancellable,
              gpointer      data,
              GError      **error)
{
  Reentry self = *(Reentry *) data;

  self.pending = job;
  reenter (&self);
  return TRUE;
}

static void
test_job (void)
{
  Reentry self = { .executor = aex_test_pool (2) };
  g_autoptr (AexPending) job = aex_executor_submit (self.executor, job_reenters, &self, reenter);

  aex_test_run_until_done (job);
  end (&self);
}

static void
callback_reenters (AexPending *pending,
                   gpointer    data)
{
  reenter (data);
}

static AexPending *
then_reenters (AexPending *done,
               gpointer    data,
               GError    **error)
{
  reenter (data);
  return NULL;
}

static void
test_callbacks (void)
{
  Reentry self = { .executor = aex_test_pool (1), .pending = aex_pending_new () };
  g_autoptr (AexPending) derived = NULL;

  aex_pending_add_done_callback (self.pending, callback_reenters, &self, reenter);
  aex_pending_add_done_callback_inline (self.pending, callback_reenters, &self, reenter);
  derived = aex_pending_then (self.pending, then_reenters, &self, reenter);
  g_assert_true (aex_pending_resolve (self.pending, NULL));
  aex_test_run_until_done (derived);
  aex_test_drain ();
  g_assert_cmpint (self.n_reached, ==, 6);
  end (&self);
}

static void
test_canceller (void)
{
  Reentry self = { .executor = aex_test_pool (1), .pending = aex_pending_new () };

  g_assert_true (aex_pending_set_canceller (self.pending, callback_reenters, &self, reenter));
  g_assert_true (aex_pending_cancel (self.pending, NULL));
  end (&self);
}

static void
cancellable_reenters (GCancellable *cancellable,
                      gpointer      data)
{
  reenter (data);
}

static gboolean
job_connects (AexPending   *job,
              GCancellable *cancellable,
              gpointer      data,
              GError      **error)
{
  Reentry *self = data;
  gulong id = g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancellable_reenters), self);

  g_atomic_int_set (&self->is_connected, TRUE);
  while (!has_been_there (self))
    g_thread_yield ();
  g_signal_handler_disconnect (cancellable, id);
  return TRUE;
}

static void
test_cancelled_signal (void)
{
  Reentry self = { .executor = aex_test_pool (2) };

  self.pending = aex_executor_submit (self.executor, job_connects, &self, NULL);
  while (!g_atomic_int_get (&self.is_connected))
    g_thread_yield ();
  g_assert_true (aex_pending_cancel (self.pending, NULL));
  end (&self);
}

static gboolean
unhandled_reenters (AexExecutor *executor,
                    AexPending  *pending,
                    GError      *error,
                    gpointer     data)
{
  reenter (data);
  return TRUE;
}

static void
state_reenters (AexExecutor *executor,
                GParamSpec  *pspec,
                gpointer     data)
{
  reenter (data);
}

static void
test_unhandled_error (void)
{
  Reentry self = { .executor = aex_test_pool (1) };

  g_signal_connect (self.executor, "unhandled-error", G_CALLBACK (unhandled_reenters), &self);
  g_object_unref (aex_executor_submit (self.executor, aex_job_fail, NULL, NULL));
  end (&self);
}

static void
test_notify (void)
{
  Reentry self = { .executor = aex_test_pool (1) };

  g_signal_connect (self.executor, "notify::state", G_CALLBACK (state_reenters), &self);
  g_object_unref (aex_executor_submit (self.executor, aex_job_int, NULL, NULL));
  end (&self);
}

static void
disposed_reenters (gpointer data,
                   GObject *where_the_object_was)
{
  reenter (data);
}

/* The last reference of a value goes with its pending. */
static void
test_value_let_go (void)
{
  Reentry self = { .executor = aex_test_pool (1) };
  AexPending *promise = aex_pending_new ();
  g_autoptr (GObject) object = aex_test_object_new (NULL);

  g_object_weak_ref (object, disposed_reenters, &self);
  g_assert_true (aex_pending_resolve_object (promise, object));
  g_clear_object (&object);
  g_object_unref (promise);
  end (&self);
}

/* --- a boxed type whose copies and releases look around */
static Reentry *boxed_reentry;

static gpointer
boxed_copy (gpointer boxed)
{
  reenter (boxed_reentry);
  return boxed;
}

static void
boxed_free (gpointer boxed)
{
  reenter (boxed_reentry);
}

static void
test_value_copied (void)
{
  Reentry self = { .executor = aex_test_pool (1), .pending = aex_pending_new () };
  GType type = g_boxed_type_register_static ("AexTestReentry", boxed_copy, boxed_free);
  g_autoptr (AexPending) derived = aex_pending_shield (self.pending);
  g_autoptr (AexPending) loser = aex_pending_new_resolved (NULL);
  int before;

  boxed_reentry = &self;
  g_assert_true (aex_pending_resolve_boxed (self.pending, type, &self));
  g_assert_false (aex_pending_resolve_boxed (loser, type, &self));
  aex_test_run_until_done (derived);
  before = self.n_reached;
  g_assert_cmpint (before, >, 0);
  g_assert_true (aex_pending_dup_boxed (derived, type, NULL) == &self);
  g_assert_cmpint (self.n_reached, >, before);
  g_clear_object (&derived);
  /* It is no more of use to look at what is going away. */
  g_object_unref (g_steal_pointer (&self.pending));
  aex_test_drain ();
  end (&self);
}

/* --- a wait in what another wait runs: the outer one still runs what comes after it */

typedef struct
{
  AexExecutor *executor;
  AexPending  *first, *second;
  AexPending  *awaited;
  AexGate      waited;
} Nested;

static void
wait_within (gpointer data)
{
  Nested *self = data;
  g_autoptr (AexPending) job = aex_executor_submit (self->executor, aex_job_int, NULL, NULL);

  g_assert_true (aex_pending_wait (job, AEX_WAIT_FLAGS_NONE, 10 * G_TIME_SPAN_MINUTE, NULL, NULL));
  aex_gate_open (&self->waited);
}

static void
resolve_awaited (gpointer data)
{
  aex_pending_resolve (((Nested *) data)->awaited, NULL);
}

static gpointer
drop_both (gpointer data)
{
  Nested *self = data;

  g_object_unref (self->first);
  aex_gate_wait (&self->waited);
  /* The outer wait is mostly asleep again when the second one comes. */
  for (guint i = 0; i < 4; i++)
    g_thread_join (g_thread_new ("some time", (GThreadFunc) g_thread_self, NULL));
  g_object_unref (self->second);
  return NULL;
}

static void
test_nested_wait (void)
{
  g_autoptr (AexExecutor) pool = aex_test_pool (1);

  for (guint i = 0; i < 100; i++)
    {
      Nested self = { .executor = pool, .first = aex_pending_new (), .second = aex_pending_new (), .awaited = aex_pending_new () };
      GThread *thread;

      aex_gate_init (&self.waited);
      aex_pending_add_done_callback (self.first, nothing, &self, wait_within);
      aex_pending_add_done_callback (self.second, nothing, &self, resolve_awaited);
      thread = g_thread_new ("drops", drop_both, &self);
      g_assert_true (aex_pending_wait (self.awaited, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL));
      g_thread_join (thread);
      g_object_unref (self.awaited);
      aex_gate_clear (&self.waited);
    }
  aex_test_shutdown (g_object_ref (pool));
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (20);
  aex_test_add ("/reentry/R8/job", test_job);
  aex_test_add ("/reentry/R8/callbacks", test_callbacks);
  aex_test_add ("/reentry/R8/canceller", test_canceller);
  aex_test_add ("/reentry/R8/cancelled-signal", test_cancelled_signal);
  aex_test_add ("/reentry/R8/unhandled-error", test_unhandled_error);
  aex_test_add ("/reentry/R8/notify", test_notify);
  aex_test_add ("/reentry/R8/value-let-go", test_value_let_go);
  aex_test_add ("/reentry/R8/value-copied", test_value_copied);
  aex_test_add ("/reentry/R8-R10/nested-wait", test_nested_wait);
  return aex_test_run ();
}
