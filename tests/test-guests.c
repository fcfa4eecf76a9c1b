/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* K27: other loops as guests in the thread of a caller.  The loop of these tests is a queue of jobs and an
 * eventfd. */

#define TEST_TYPE_GUEST (test_guest_get_type ())
G_DECLARE_DERIVABLE_TYPE (TestGuest, test_guest, TEST, GUEST, AexGuest)

struct _TestGuestClass
{
  AexGuestClass parent_class;
};

typedef struct
{
  int         fd;
  GQueue      jobs;        /* AexPending, references */
  gboolean    in_turn;
  AexPending *ended;
} TestGuestPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (TestGuest, test_guest, AEX_TYPE_GUEST)

/* Of the guests of a test, which has one at a time. */
static int n_guests;       /* atomic: made so far */
static int n_alive;        /* atomic */
static int n_ended;        /* atomic: told to end */
static int is_paused;      /* atomic: their loops do not run jobs */
static int wants_more;     /* atomic: they are always ready */
static int bell;           /* atomic: the eventfd of the last */
static AexGate dispatched;
static __thread gboolean in_loop;

/* Has the loop take a turn; any thread. */
static void
ring (int fd)
{
  guint64 one = 1;

  g_assert_cmpint (write (fd, &one, sizeof one), ==, sizeof one);
}

static void
test_guest_dispatch (AexGuest   *guest,
                     AexPending *job,
                     GError    **error)
{
  TestGuestPrivate *priv = test_guest_get_instance_private (TEST_GUEST (guest));
  g_autofree char *name = aex_pending_dup_name (job);
  g_autoptr (AexCaller) caller = aex_guest_ref_caller (guest);

  g_assert_true (aex_executor_runs_here (AEX_EXECUTOR (caller)));
  if (g_strcmp0 (name, "refused") == 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "Test refusal");
      return;
    }
  if (priv->fd < 0)
    {
      priv->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
      g_atomic_int_set (&bell, priv->fd);
      aex_guest_set_fd (guest, priv->fd);
    }
  g_queue_push_tail (&priv->jobs, g_object_ref (job));
  ring (priv->fd);
  aex_gate_open (&dispatched);
}

static void
run_jobs (TestGuestPrivate *priv)
{
  AexPending *job;

  while (!g_atomic_int_get (&is_paused) && (job = g_queue_pop_head (&priv->jobs)) != NULL)
    {
      in_loop = TRUE;
      aex_pending_run (job);
      in_loop = FALSE;
      g_object_unref (job);
    }
}

static void
test_guest_iterate (AexGuest *guest)
{
  TestGuestPrivate *priv = test_guest_get_instance_private (TEST_GUEST (guest));
  guint64 count;

  g_assert_false (priv->in_turn);
  priv->in_turn = TRUE;
  if (priv->fd >= 0 && read (priv->fd, &count, sizeof count) < 0)
    g_assert_cmpint (errno, ==, EAGAIN);
  run_jobs (priv);
  if (g_atomic_int_get (&wants_more))
    aex_guest_set_ready_time (guest, 0);
  priv->in_turn = FALSE;
  if (priv->ended != NULL)
    {
      aex_guest_set_fd (guest, -1);
      if (priv->fd >= 0)
        close (priv->fd);
      priv->fd = -1;
      aex_pending_resolve (priv->ended, NULL);
    }
}

/* It takes a turn. */
static AexPending *
test_guest_end (AexGuest *guest)
{
  TestGuestPrivate *priv = test_guest_get_instance_private (TEST_GUEST (guest));

  g_assert_null (priv->ended);
  g_atomic_int_inc (&n_ended);
  priv->ended = aex_pending_new ();
  aex_guest_set_ready_time (guest, g_get_monotonic_time () + 1000);
  return g_object_ref (priv->ended);
}

static void
test_guest_finalize (GObject *object)
{
  TestGuestPrivate *priv = test_guest_get_instance_private (TEST_GUEST (object));

  g_queue_clear_full (&priv->jobs, g_object_unref);
  g_clear_object (&priv->ended);
  if (priv->fd >= 0)
    close (priv->fd);
  g_atomic_int_add (&n_alive, -1);
  G_OBJECT_CLASS (test_guest_parent_class)->finalize (object);
}

static void
test_guest_class_init (TestGuestClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_guest_finalize;
  AEX_GUEST_CLASS (klass)->dispatch = test_guest_dispatch;
  AEX_GUEST_CLASS (klass)->iterate = test_guest_iterate;
  AEX_GUEST_CLASS (klass)->end = test_guest_end;
}

static void
test_guest_init (TestGuest *self)
{
  TestGuestPrivate *priv = test_guest_get_instance_private (self);

  priv->fd = -1;
  g_queue_init (&priv->jobs);
  g_atomic_int_inc (&n_guests);
  g_atomic_int_inc (&n_alive);
}

/* A guest that has no method. */
GType poor_guest_get_type (void);

typedef AexGuest PoorGuest;
typedef AexGuestClass PoorGuestClass;
G_DEFINE_TYPE (PoorGuest, poor_guest, AEX_TYPE_GUEST)

static void
poor_guest_class_init (PoorGuestClass *klass)
{
}

static void
poor_guest_init (PoorGuest *self)
{
}

/* --- jobs in coroutine form */

/* Says whether it is in the loop. */
static AexPending *
see_loop (AexPending   *job,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  g_autoptr (AexPending) current = aex_pending_get_current () != NULL ? g_object_ref (aex_pending_get_current ()) : NULL;
  AexPending *result = aex_pending_new ();

  g_assert_true (current == job);
  aex_pending_resolve_boolean (result, in_loop);
  return result;
}

static gboolean
job_see_loop (AexPending   *job,
              GCancellable *cancellable,
              gpointer      user_data,
              GError      **error)
{
  aex_pending_resolve_boolean (job, in_loop);
  return TRUE;
}

static AexPending *
fail (AexPending   *job,
      GCancellable *cancellable,
      gpointer      user_data,
      GError      **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception");
  return NULL;
}

static AexPending *
never (AexPending   *job,
       GCancellable *cancellable,
       gpointer      gate,
       GError      **error)
{
  if (gate != NULL)
    aex_gate_open (gate);
  return aex_pending_sleep (3600 * (gint64) G_USEC_PER_SEC);
}

static void
count_release (gpointer n)
{
  g_atomic_int_inc ((int *) n);
}

static void
assert_in_loop (AexPending *job,
                gboolean    expected)
{
  g_autoptr (AexPending) taken = job;
  g_autoptr (GError) error = NULL;
  GValue *value;

  aex_test_wait (taken);
  value = aex_pending_dup_value (taken, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_boolean (value), ==, expected);
  g_boxed_free (G_TYPE_VALUE, value);
}

static void
begin_test (void)
{
  g_atomic_int_set (&n_guests, 0);
  g_atomic_int_set (&n_ended, 0);
  g_atomic_int_set (&is_paused, FALSE);
  g_atomic_int_set (&wants_more, FALSE);
  aex_gate_init (&dispatched);
}

/* So many guests were made, and all were ended. */
static void
end_test (int expected)
{
  g_assert_cmpint (g_atomic_int_get (&n_guests), ==, expected);
  g_assert_cmpint (g_atomic_int_get (&n_ended), ==, expected);
  g_assert_cmpint (g_atomic_int_get (&n_alive), ==, 0);
  aex_gate_clear (&dispatched);
}

/* --- K27 */
static void
test_opposite (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = NULL;
  AexBlock block;
  AexPending *blocking = aex_block_begin (&block, AEX_EXECUTOR (caller));
  AexPending *job;
  g_autoptr (AexPending) failed = NULL;

  begin_test ();
  token = aex_pending_manager_push (manager);
  job = aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL);
  g_assert_cmpuint (aex_pending_tracker_get_n_pendings (AEX_PENDING_TRACKER (manager)), ==, 1);
  aex_block_end (&block, blocking);
  assert_in_loop (job, TRUE);
  failed = aex_caller_call_using_backend (caller, "test", fail, NULL, NULL);
  g_assert_true (aex_pending_manager_pop (manager, token, NULL));
  aex_test_wait (failed);
  aex_assert_failed_with (failed, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  assert_in_loop (aex_caller_call_using_backend (caller, "glib", see_loop, NULL, NULL), FALSE);
  aex_test_caller_end (caller);
  end_test (1);
}

/* Made for the first job, not before; one for each caller. */
static void
test_lazy (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  AexCaller *other = aex_test_caller_new ("other");

  begin_test ();
  assert_in_loop (aex_executor_submit (AEX_EXECUTOR (caller), job_see_loop, NULL, NULL), FALSE);
  g_assert_cmpint (g_atomic_int_get (&n_guests), ==, 0);
  for (guint i = 0; i < 3; i++)
    assert_in_loop (aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL), TRUE);
  g_assert_cmpint (g_atomic_int_get (&n_guests), ==, 1);
  assert_in_loop (aex_caller_call_using_backend (other, "test", see_loop, NULL, NULL), TRUE);
  aex_test_caller_end (caller);
  aex_test_caller_end (other);
  end_test (2);
}

static AexCaller *
new_with_backend (const char *backend)
{
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  g_autoptr (GError) error = NULL;
  AexCaller *caller;

  aex_caller_options_set_backend (options, backend);
  caller = aex_caller_new_thread_full (options, &error);
  g_assert_no_error (error);
  return caller;
}

/* The backend of a caller is where all its jobs run, however they come. */
static void
test_own_backend (void)
{
  AexCaller *caller = new_with_backend ("test");
  g_autoptr (AexExecutor) limiter = aex_limiter_new (AEX_EXECUTOR (caller), 1);
  g_autofree char *backend = NULL;

  begin_test ();
  g_object_get (caller, "backend", &backend, NULL);
  g_assert_cmpstr (backend, ==, "test");
  assert_in_loop (aex_executor_submit (AEX_EXECUTOR (caller), job_see_loop, NULL, NULL), TRUE);
  assert_in_loop (aex_executor_submit_async (AEX_EXECUTOR (caller), see_loop, NULL, NULL), TRUE);
  assert_in_loop (aex_caller_call_later (caller, 1000, job_see_loop, NULL, NULL), TRUE);
  assert_in_loop (aex_executor_submit (limiter, job_see_loop, NULL, NULL), TRUE);
  assert_in_loop (aex_caller_to_thread (caller, job_see_loop, NULL, NULL), TRUE);
  assert_in_loop (aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL), TRUE);
  assert_in_loop (aex_caller_call_using_backend (caller, "glib", see_loop, NULL, NULL), FALSE);
  g_clear_object (&limiter);
  aex_test_caller_end (caller);
  end_test (2);
}

static void
test_stop_drops_what_is_queued (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) later = NULL;
  int n_released = 0;

  begin_test ();
  g_atomic_int_set (&is_paused, TRUE);
  job = aex_caller_call_using_backend (caller, "test", never, NULL, NULL);
  aex_gate_wait (&dispatched);
  later = aex_caller_call_using_backend (caller, "test", see_loop, &n_released, count_release);
  aex_gate_wait_n (&dispatched, 2);
  g_assert_cmpint (aex_executor_get_n_pending (AEX_EXECUTOR (caller)), ==, 2);
  aex_test_caller_end (caller);
  aex_assert_failed_with (job, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_assert_failed_with (later, AEX_ERROR, AEX_ERROR_CLOSED);
  aex_test_drain ();
  g_assert_cmpint (g_atomic_int_get (&n_released), ==, 1);
  end_test (1);
}

static void
test_stop_cancels_what_runs (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  g_autoptr (AexPending) job = NULL;
  AexGate started;

  begin_test ();
  aex_gate_init (&started);
  job = aex_caller_call_using_backend (caller, "test", never, &started, NULL);
  aex_gate_wait (&started);
  aex_test_caller_end (caller);
  aex_assert_failed_with (job, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_gate_clear (&started);
  end_test (1);
}

/* What was accepted runs first, also what the guest has and has not begun. */
static void
test_shutdown_drains (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  AexPending *job;
  g_autoptr (AexPending) stopped = NULL;

  begin_test ();
  g_atomic_int_set (&is_paused, TRUE);
  job = aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL);
  aex_gate_wait (&dispatched);
  stopped = aex_executor_shutdown (AEX_EXECUTOR (caller), AEX_SHUTDOWN_FLAGS_NONE);
  g_assert_false (aex_pending_is_done (stopped));
  g_atomic_int_set (&is_paused, FALSE);
  ring (g_atomic_int_get (&bell));
  assert_in_loop (job, TRUE);
  aex_test_wait (stopped);
  g_object_unref (caller);
  end_test (1);
}

static void
test_cancel_queued (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  g_autoptr (AexPending) job = NULL;
  int n_released = 0;

  begin_test ();
  g_atomic_int_set (&is_paused, TRUE);
  job = aex_caller_call_using_backend (caller, "test", see_loop, &n_released, count_release);
  aex_gate_wait (&dispatched);
  g_assert_true (aex_pending_cancel (job, NULL));
  g_assert_true (aex_pending_is_done (job));
  g_atomic_int_set (&is_paused, FALSE);
  /* The loop comes to both. */
  assert_in_loop (aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL), TRUE);
  aex_test_caller_end (caller);
  aex_test_drain ();
  g_assert_cmpint (g_atomic_int_get (&n_released), ==, 1);
  end_test (1);
}

static void
test_refusals (void)
{
  AexCaller *caller = aex_test_caller_new ("host");
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexPending) unknown = NULL;
  g_autoptr (AexPending) refused = NULL;
  g_autoptr (AexPending) poor = NULL;
  g_autoptr (GError) error = NULL;
  int n_released = 0;

  begin_test ();
  unknown = aex_caller_call_using_backend (caller, "trio", see_loop, &n_released, count_release);
  g_assert_true (aex_pending_is_done (unknown));
  aex_assert_failed_with (unknown, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  error = aex_pending_dup_error (unknown);
  g_assert_nonnull (strstr (error->message, "trio"));
  g_assert_nonnull (strstr (error->message, "glib, test"));
  g_assert_cmpint (n_released, ==, 1);

  aex_submit_options_set_name (options, "refused");
  refused = aex_caller_call_using_backend_full (caller, "test", options, see_loop, &n_released, count_release);
  aex_test_wait (refused);
  aex_assert_failed_with (refused, G_IO_ERROR, G_IO_ERROR_BUSY);
  poor = aex_caller_call_using_backend (caller, "poor", see_loop, NULL, NULL);
  aex_test_wait (poor);
  aex_assert_failed_with (poor, AEX_ERROR, AEX_ERROR_NOT_SUPPORTED);
  aex_test_caller_end (caller);
  aex_test_drain ();
  g_assert_cmpint (g_atomic_int_get (&n_released), ==, 2);
  end_test (1);
}

/* --- in a loop that others use as well */
static gboolean
redraw (gpointer n)
{
  return ++*(int *) n < 100;
}

/* A guest that is always ready, and a redraw that GTK would do. */
static void
test_redraws (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) stopped = NULL;
  int n_redraws = 0;

  begin_test ();
  g_atomic_int_set (&wants_more, TRUE);
  {
    g_autoptr (AexPending) job = aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL);

    aex_test_run_until_done (job);
  }
  g_idle_add_full (G_PRIORITY_HIGH_IDLE + 20, redraw, &n_redraws, NULL);
  while (n_redraws < 100)
    g_main_context_iteration (NULL, TRUE);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);
  aex_test_run_until_done (stopped);
  end_test (1);
}

static gboolean
tick (gpointer n)
{
  return ++*(int *) n < 5;
}

static AexPending *
iterate_inside (AexPending   *job,
                GCancellable *cancellable,
                gpointer      caller,
                GError      **error)
{
  AexPending *inner = aex_caller_call_using_backend (caller, "test", see_loop, NULL, NULL);
  int fired = 0;

  /* The inner one is given to the guest, and not run before its turn is over: TestGuest asserts that. */
  g_timeout_add (1, tick, &fired);
  while (fired < 5)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (aex_pending_is_done (inner));
  return inner;
}

static void
test_nested (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) stopped = NULL;

  begin_test ();
  job = aex_caller_call_using_backend (caller, "test", iterate_inside, caller, NULL);
  aex_test_run_until_done (job);
  assert_in_loop (g_object_ref (job), TRUE);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);
  aex_test_run_until_done (stopped);
  end_test (1);
}

/* Nobody is left who could wait for the guest. */
static void
test_context_dies (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (AexPending) job = NULL;

  begin_test ();
  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  job = aex_caller_call_using_backend (caller, "test", never, NULL, NULL);
  while (aex_executor_get_n_running (AEX_EXECUTOR (caller)) == 0)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
  g_clear_pointer (&context, g_main_context_unref);
  g_assert_true (aex_pending_is_done (aex_caller_get_stopped (caller)));
  aex_pending_cancel (job, NULL);
  g_assert_cmpint (g_atomic_int_get (&n_ended), ==, 0);
  g_atomic_int_set (&n_ended, 1);
  end_test (1);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  g_assert_true (aex_caller_register_backend ("test", TEST_TYPE_GUEST, NULL));
  g_assert_true (aex_caller_register_backend ("poor", poor_guest_get_type (), NULL));
  aex_test_add ("/guests/K27/opposite", test_opposite);
  aex_test_add ("/guests/K27/lazy", test_lazy);
  aex_test_add ("/guests/K27/own-backend", test_own_backend);
  aex_test_add_in_context ("/guests/K27/stop-drops-what-is-queued", test_stop_drops_what_is_queued);
  aex_test_add ("/guests/K27/stop-cancels-what-runs", test_stop_cancels_what_runs);
  aex_test_add ("/guests/K27/shutdown-drains", test_shutdown_drains);
  aex_test_add_in_context ("/guests/K27/cancel-queued", test_cancel_queued);
  aex_test_add_in_context ("/guests/K27-P15/refusals", test_refusals);
  aex_test_add ("/guests/K27/redraws", test_redraws);
  aex_test_add ("/guests/K27/nested", test_nested);
  aex_test_add ("/guests/K27/context-dies", test_context_dies);
  return aex_test_run ();
}
