/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A thread whose loop is not GLib's: it is woken through a function, asks when to come, and dispatches. */

typedef struct
{
  GThread      *thread;
  GMainContext *context;
  AexCaller    *caller;
  int           fd;
  int           quit;           /* atomic */
  int           n_wakes;        /* atomic */
  int           n_released;     /* atomic: of the wake function's data */
  AexGate       ready;
} Host;

/* On the thread that posts. */
static void
host_wake (AexCaller *caller,
           gpointer   user_data)
{
  Host *self = user_data;
  guint64 one = 1;

  g_atomic_int_inc (&self->n_wakes);
  g_assert_cmpint (write (self->fd, &one, sizeof one), ==, sizeof one);
}

static void
host_released (gpointer user_data)
{
  g_atomic_int_inc (&((Host *) user_data)->n_released);
}

/* What asyncio or libuv would do. */
static void
host_poll (Host *self)
{
  struct pollfd entry = { .fd = self->fd, .events = POLLIN };
  gint64 ready_us = aex_caller_get_ready_time (self->caller);
  int timeout_ms = -1;
  guint64 count;

  if (ready_us >= 0)
    timeout_ms = (int) CLAMP ((ready_us - g_get_monotonic_time () + 999) / 1000, 0, G_MAXINT);
  g_assert_true (poll (&entry, 1, timeout_ms) >= 0 || errno == EINTR);
  if ((entry.revents & POLLIN) != 0)
    g_assert_cmpint (read (self->fd, &count, sizeof count), ==, sizeof count);
}

static gpointer
host_main (gpointer user_data)
{
  Host *self = user_data;

  g_main_context_push_thread_default (self->context);
  self->caller = aex_caller_ref_current (NULL);
  g_assert_nonnull (self->caller);
  aex_caller_set_wake_func (self->caller, host_wake, self, host_released);
  aex_gate_open (&self->ready);
  while (!g_atomic_int_get (&self->quit))
    {
      host_poll (self);
      while (aex_caller_dispatch (self->caller, 2000))
        ;
    }
  aex_caller_set_wake_func (self->caller, NULL, NULL, NULL);
  while (aex_caller_dispatch (self->caller, -1))
    ;
  g_clear_object (&self->caller);
  g_main_context_pop_thread_default (self->context);
  g_main_context_unref (self->context);
  return NULL;
}

static void
host_start (Host *self)
{
  *self = (Host) { .context = g_main_context_new (), .fd = eventfd (0, EFD_CLOEXEC) };
  aex_gate_init (&self->ready);
  self->thread = g_thread_new ("host", host_main, self);
  aex_gate_wait (&self->ready);
}

static gboolean
job_quit (AexPending   *job,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  g_atomic_int_set (&((Host *) user_data)->quit, 1);
  return TRUE;
}

static void
host_stop (Host *self)
{
  g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (self->caller), job_quit, self, NULL);

  g_thread_join (self->thread);
  /* Whoever posted last may have been the one to let go: by now that is done. */
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 1);
  aex_assert_state (job, RESOLVED);
  /* Not before whoever is just waking is through with it: that was this thread. */
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, 1);
  aex_gate_clear (&self->ready);
  close (self->fd);
}

/* --- */
static void
test_jobs (void)
{
  Host host;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  host_start (&host);
  for (guint i = 0; i < 1000; i++)
    g_ptr_array_add (jobs, aex_executor_submit (AEX_EXECUTOR (host.caller), aex_job_thread, NULL, NULL));
  aex_test_wait_all (jobs);
  for (guint i = 0; i < jobs->len; i++)
    g_assert_true (aex_pending_get_pointer (jobs->pdata[i], NULL) == host.thread);
  g_assert_cmpint (g_atomic_int_get (&host.n_wakes), >, 0);
  host_stop (&host);
}

/* Told once, until it has looked. */
static void
test_one_wake_per_batch (void)
{
  Host host;
  AexBlock block;
  AexPending *blocker;
  int before;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  host_start (&host);
  blocker = aex_block_begin (&block, AEX_EXECUTOR (host.caller));
  before = g_atomic_int_get (&host.n_wakes);
  for (guint i = 0; i < 100; i++)
    g_ptr_array_add (jobs, aex_executor_submit (AEX_EXECUTOR (host.caller), aex_job_int, NULL, NULL));
  g_assert_cmpint (g_atomic_int_get (&host.n_wakes), <=, before + 1);
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  host_stop (&host);
}

/* On the thread that posts, when there was nothing, and then no more until it was looked at. */
typedef struct
{
  int      n_wakes;
  GThread *woken_by;
} Wakes;

static void
note_wake (AexCaller *caller,
           gpointer   user_data)
{
  Wakes *self = user_data;

  self->n_wakes++;
  self->woken_by = g_thread_self ();
}

static gpointer
submit_two (gpointer caller)
{
  g_object_unref (aex_executor_submit (caller, aex_job_int, NULL, NULL));
  g_object_unref (aex_executor_submit (caller, aex_job_int, NULL, NULL));
  return g_thread_self ();
}

static void
test_wake_on_the_edge (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  Wakes wakes = { 0 };

  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  aex_caller_set_wake_func (caller, note_wake, &wakes, NULL);
  for (int i = 1; i <= 3; i++)
    {
      while (aex_caller_dispatch (caller, -1))
        ;
      wakes.n_wakes = 0;
      g_assert_true (g_thread_join (g_thread_new ("poster", submit_two, caller)) == wakes.woken_by);
      g_assert_cmpint (wakes.n_wakes, ==, 1);
    }
  while (aex_caller_dispatch (caller, -1))
    ;
  aex_caller_set_wake_func (caller, NULL, NULL, NULL);
  g_main_context_pop_thread_default (context);
}

static void
wake_and_look (AexCaller *caller,
               gpointer   context)
{
  g_object_unref (aex_caller_ref_for_context (context));
}

static gpointer
ref_for_context (gpointer context)
{
  return aex_caller_ref_for_context (context);
}

/* The loop that hosted the last caller of a context is woken for the next as well: with no lock held. */
static void
test_woken_for_the_next (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL, next = NULL;
  g_autoptr (AexPending) stopped = NULL;

  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  aex_caller_set_wake_func (caller, wake_and_look, context, NULL);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);
  while (aex_caller_dispatch (caller, -1))
    ;
  aex_assert_state (stopped, RESOLVED);
  next = g_thread_join (g_thread_new ("next", ref_for_context, context));
  g_assert_true (next != caller);
  while (aex_caller_dispatch (next, -1))
    ;
  g_assert_cmpint (aex_executor_get_state (AEX_EXECUTOR (next)), ==, AEX_EXECUTOR_STATE_RUNNING);
  aex_caller_set_wake_func (next, NULL, NULL, NULL);
  g_main_context_pop_thread_default (context);
}

/* No lost wake-up: one at a time, there and back. */
static void
test_ping_pong (void)
{
  Host host;
  guint n = aex_test_scale (20000);

  host_start (&host);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (AexPending) job = aex_executor_submit (AEX_EXECUTOR (host.caller), aex_job_int, GINT_TO_POINTER (i), NULL);

      aex_test_wait (job);
      aex_assert_resolved_int64 (job, i);
    }
  host_stop (&host);
}

static void
test_call_later (void)
{
  Host host;
  gint64 start = g_get_monotonic_time ();
  g_autoptr (AexPending) job = NULL;

  host_start (&host);
  job = aex_caller_call_later (host.caller, 20 * 1000, aex_job_thread, NULL, NULL);
  aex_test_wait (job);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20 * 1000);
  g_assert_true (aex_pending_get_pointer (job, NULL) == host.thread);
  host_stop (&host);
}

/* A callback attached in the hosted thread is delivered by its dispatch. */
typedef struct
{
  Host       *host;
  AexPending *promise;
  AexGate     told;
} HostedCallback;

static void
on_done_hosted (AexPending *pending,
                gpointer    user_data)
{
  HostedCallback *self = user_data;

  g_assert_true (g_thread_self () == self->host->thread);
  aex_gate_open (&self->told);
}

static gboolean
job_attach (AexPending   *job,
            GCancellable *cancellable,
            gpointer      user_data,
            GError      **error)
{
  HostedCallback *self = user_data;

  aex_pending_add_done_callback (self->promise, on_done_hosted, self, NULL);
  return TRUE;
}

static void
test_callbacks (void)
{
  Host host;
  HostedCallback self = { .host = &host, .promise = aex_pending_new () };
  g_autoptr (AexPending) job = NULL;

  host_start (&host);
  aex_gate_init (&self.told);
  job = aex_executor_submit (AEX_EXECUTOR (host.caller), job_attach, &self, NULL);
  aex_test_wait (job);
  g_assert_false (aex_gate_is_open (&self.told));
  aex_pending_resolve (self.promise, NULL);
  aex_gate_wait (&self.told);
  host_stop (&host);
  g_object_unref (self.promise);
  aex_gate_clear (&self.told);
}

/* --- without a thread: budget and ready time, in virtual time */
static gboolean
job_take_a_millisecond (AexPending   *job,
                        GCancellable *cancellable,
                        gpointer      user_data,
                        GError      **error)
{
  aex_clock_advance (1000);
  return TRUE;
}

static guint
count_done (GPtrArray *jobs)
{
  guint n = 0;

  for (guint i = 0; i < jobs->len; i++)
    {
      if (aex_pending_is_done (jobs->pdata[i]))
        n++;
    }
  return n;
}

static void
test_budget (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  aex_test_virtual_time ();
  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  g_assert_false (aex_caller_dispatch (caller, 2000));
  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (jobs, aex_executor_submit (AEX_EXECUTOR (caller), job_take_a_millisecond, NULL, NULL));
  g_assert_true (aex_caller_dispatch (caller, 2000));
  g_assert_cmpuint (count_done (jobs), >=, 2);
  g_assert_cmpuint (count_done (jobs), <=, 3);
  while (aex_caller_dispatch (caller, 2000))
    ;
  g_assert_cmpuint (count_done (jobs), ==, 10);
  g_main_context_pop_thread_default (context);
}

static void
test_ready_time (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) caller = NULL;
  g_autoptr (AexPending) late = NULL;
  g_autoptr (AexPending) early = NULL;
  g_autoptr (AexPending) now = NULL;
  gint64 start;

  aex_test_virtual_time ();
  start = aex_clock_now ();
  g_main_context_push_thread_default (context);
  caller = aex_caller_ref_current (NULL);
  while (aex_caller_dispatch (caller, -1))
    ;
  g_assert_cmpint (aex_caller_get_ready_time (caller), ==, -1);
  late = aex_caller_call_later (caller, 5000, aex_job_int, NULL, NULL);
  while (aex_caller_dispatch (caller, -1))
    ;
  g_assert_cmpint (aex_caller_get_ready_time (caller), ==, start + 5000);
  early = aex_caller_call_later (caller, 3000, aex_job_int, NULL, NULL);
  while (aex_caller_dispatch (caller, -1))
    ;
  g_assert_cmpint (aex_caller_get_ready_time (caller), ==, start + 3000);
  now = aex_executor_submit (AEX_EXECUTOR (caller), aex_job_int, NULL, NULL);
  g_assert_cmpint (aex_caller_get_ready_time (caller), <=, start);
  g_assert_cmpint (aex_caller_get_ready_time (caller), >=, 0);
  while (aex_caller_dispatch (caller, -1))
    ;
  aex_assert_state (now, RESOLVED);
  aex_clock_advance (5000);
  while (aex_caller_dispatch (caller, -1))
    ;
  aex_assert_state (early, RESOLVED);
  aex_assert_state (late, RESOLVED);
  g_assert_cmpint (aex_caller_get_ready_time (caller), ==, -1);
  g_main_context_pop_thread_default (context);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/hosted/jobs", test_jobs);
  aex_test_add ("/hosted/one-wake-per-batch", test_one_wake_per_batch);
  aex_test_add ("/hosted/wake-on-the-edge", test_wake_on_the_edge);
  aex_test_add ("/hosted/woken-for-the-next", test_woken_for_the_next);
  aex_test_add ("/hosted/ping-pong", test_ping_pong);
  aex_test_add ("/hosted/K24/call-later", test_call_later);
  aex_test_add ("/hosted/callbacks", test_callbacks);
  aex_test_add ("/hosted/budget", test_budget);
  aex_test_add ("/hosted/ready-time", test_ready_time);
  return aex_test_run ();
}
