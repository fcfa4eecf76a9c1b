/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* Row K41: waiting for the first, the first failure or all of a set. */

#define N 3

typedef struct
{
  AexPending *pendings[N];
} Set;

static void
set_init (Set *self)
{
  for (guint i = 0; i < N; i++)
    self->pendings[i] = aex_pending_new ();
}

static void
set_clear (Set *self)
{
  for (guint i = 0; i < N; i++)
    {
      aex_pending_cancel (self->pendings[i], NULL);
      g_clear_object (&self->pendings[i]);
    }
}

static AexPending *
set_wait (Set          *self,
          AexReturnWhen return_when,
          gint64        timeout_us)
{
  return aex_pending_wait_set (self->pendings, N, return_when, timeout_us);
}

static void
fail (AexPending *pending)
{
  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception"));
}

/* The list of waited has exactly these members, as many as mask has bits. */
static void
assert_done (Set        *self,
             AexPending *waited,
             guint       mask)
{
  g_autoptr (GListModel) list = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0;

  aex_test_wait (waited);
  list = aex_pending_dup_object (waited, &error);
  g_assert_no_error (error);
  g_assert_true (G_IS_LIST_MODEL (list));
  for (guint i = 0; i < N; i++)
    if (mask & (1u << i))
      {
        g_autoptr (AexPending) member = g_list_model_get_item (list, n++);

        g_assert_true (member == self->pendings[i]);
      }
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, n);
}

/* Which of three modes, and how the members end: before the call or after it. */
typedef struct
{
  const char   *path;
  AexReturnWhen return_when;
  gboolean      before;
} Case;

static const Case cases[] = {
  { "/wait-set/K41/first-completed/done", AEX_RETURN_WHEN_FIRST_COMPLETED, TRUE },
  { "/wait-set/K41/first-completed/soon", AEX_RETURN_WHEN_FIRST_COMPLETED, FALSE },
  { "/wait-set/K41/first-error/done", AEX_RETURN_WHEN_FIRST_ERROR, TRUE },
  { "/wait-set/K41/first-error/soon", AEX_RETURN_WHEN_FIRST_ERROR, FALSE },
  { "/wait-set/K41/all-completed/done", AEX_RETURN_WHEN_ALL_COMPLETED, TRUE },
  { "/wait-set/K41/all-completed/soon", AEX_RETURN_WHEN_ALL_COMPLETED, FALSE },
};

static void
test_mode (gconstpointer data)
{
  const Case *self = data;
  g_autoptr (AexPending) waited = NULL;
  g_autoptr (GError) seen = NULL;
  Set set;

  set_init (&set);
  if (!self->before)
    waited = set_wait (&set, self->return_when, -1);
  aex_pending_resolve_int64 (set.pendings[2], 2);
  if (!self->before)
    g_assert_cmpint (aex_pending_is_done (waited), ==, self->return_when == AEX_RETURN_WHEN_FIRST_COMPLETED);
  fail (set.pendings[0]);
  if (!self->before)
    g_assert_cmpint (aex_pending_is_done (waited), ==, self->return_when != AEX_RETURN_WHEN_ALL_COMPLETED);
  if (self->return_when == AEX_RETURN_WHEN_ALL_COMPLETED)
    aex_pending_resolve_int64 (set.pendings[1], 1);
  if (self->before)
    waited = set_wait (&set, self->return_when, -1);
  if (self->return_when == AEX_RETURN_WHEN_FIRST_COMPLETED)
    assert_done (&set, waited, self->before ? 0b101 : 0b100);
  else
    assert_done (&set, waited, self->return_when == AEX_RETURN_WHEN_FIRST_ERROR ? 0b101 : 0b111);
  seen = aex_pending_dup_error (set.pendings[0]);
  set_clear (&set);
}

/* A cancellation counts as a failure. */
static void
test_cancellation_is_error (void)
{
  g_autoptr (AexPending) waited = NULL;
  Set set;

  set_init (&set);
  waited = set_wait (&set, AEX_RETURN_WHEN_FIRST_ERROR, -1);
  aex_pending_cancel (set.pendings[1], NULL);
  assert_done (&set, waited, 0b010);
  set_clear (&set);
}

static void
test_first_error_of_none (void)
{
  g_autoptr (AexPending) waited = NULL;
  Set set;

  set_init (&set);
  waited = set_wait (&set, AEX_RETURN_WHEN_FIRST_ERROR, -1);
  for (guint i = 0; i < N; i++)
    {
      g_assert_false (aex_pending_is_done (waited));
      aex_pending_resolve (set.pendings[i], NULL);
    }
  assert_done (&set, waited, 0b111);
  set_clear (&set);
}

/* A time-out is an answer, and cancels nothing. */
static void
test_timeout_keeps_pending (void)
{
  g_autoptr (AexPending) waited = NULL, looked = NULL, none = NULL;
  AexTicker *ticker;
  Set set;

  aex_test_virtual_time ();
  set_init (&set);
  aex_pending_resolve (set.pendings[1], NULL);
  looked = set_wait (&set, AEX_RETURN_WHEN_ALL_COMPLETED, 0);
  g_assert_true (aex_pending_is_done (looked));
  assert_done (&set, looked, 0b010);
  waited = set_wait (&set, AEX_RETURN_WHEN_ALL_COMPLETED, 1000);
  none = aex_pending_wait_set (set.pendings, 1, AEX_RETURN_WHEN_FIRST_COMPLETED, 1000);
  g_assert_false (aex_pending_is_done (waited));
  ticker = aex_ticker_start (500);
  assert_done (&set, waited, 0b010);
  assert_done (&set, none, 0);
  aex_ticker_stop (ticker);
  g_assert_false (aex_pending_is_cancelled (set.pendings[0]));
  g_assert_false (aex_pending_is_cancelled (set.pendings[2]));
  set_clear (&set);
}

/* In time: the limit is forgotten. */
static void
test_done_in_time (void)
{
  g_autoptr (AexPending) waited = NULL;
  Set set;

  set_init (&set);
  waited = set_wait (&set, AEX_RETURN_WHEN_ALL_COMPLETED, G_TIME_SPAN_HOUR);
  for (guint i = 0; i < N; i++)
    aex_pending_resolve (set.pendings[i], NULL);
  assert_done (&set, waited, 0b111);
  g_assert_cmpuint (aex_timer_service_get_n_armed (), ==, 0);
  set_clear (&set);
}

static void
test_cancelled_wait_cancels_nothing (void)
{
  g_autoptr (AexPending) waited = NULL;
  Set set;

  set_init (&set);
  waited = set_wait (&set, AEX_RETURN_WHEN_FIRST_COMPLETED, -1);
  g_assert_true (aex_pending_cancel (waited, NULL));
  aex_assert_cancelled (waited);
  for (guint i = 0; i < N; i++)
    g_assert_false (aex_pending_is_cancelled (set.pendings[i]));
  set_clear (&set);
}

static void
test_empty (void)
{
  Set set;

  set_init (&set);
  for (AexReturnWhen when = AEX_RETURN_WHEN_FIRST_COMPLETED; when <= AEX_RETURN_WHEN_ALL_COMPLETED; when++)
    {
      g_autoptr (AexPending) waited = aex_pending_wait_set (NULL, 0, when, -1);

      g_assert_true (aex_pending_is_done (waited));
      assert_done (&set, waited, 0);
    }
  set_clear (&set);
}

static void
test_abandoned (void)
{
  g_autoptr (AexPending) waited = NULL, member = NULL;
  g_autoptr (GListModel) list = NULL;
  AexPending *promise = aex_pending_new ();

  waited = aex_pending_wait_set (&promise, 1, AEX_RETURN_WHEN_ALL_COMPLETED, -1);
  aex_assert_last_unref (promise);
  aex_test_wait (waited);
  list = aex_pending_dup_object (waited, NULL);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 1);
  member = g_list_model_get_item (list, 0);
  aex_assert_failed_with (member, AEX_ERROR, AEX_ERROR_ABANDONED);
}

/* Waiting for a set reads no outcome: an error that nobody reads afterwards is reported. */
static void
test_observes_nothing (void)
{
  g_autoptr (GPtrArray) log = NULL;
  AexPending *promise = aex_pending_new ();

  aex_test_log_begin ();
  {
    g_autoptr (AexPending) waited = aex_pending_wait_set (&promise, 1, AEX_RETURN_WHEN_ALL_COMPLETED, -1);

    fail (promise);
    aex_test_wait (waited);
  }
  g_object_unref (promise);
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
}

/* Inside a job: its cancellation ends the wait, unless that is a shielded one; the members go on in both cases. */
typedef struct
{
  AexPending  *member;
  AexWaitFlags flags;
  AexGate      waits;
} Waiting;

static gboolean
waiting_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  Waiting *self = data;
  g_autoptr (AexPending) waited = aex_pending_wait_set (&self->member, 1, AEX_RETURN_WHEN_ALL_COMPLETED, -1);
  GError *wait_error = NULL;
  gboolean ok;

  aex_gate_open (&self->waits);
  ok = aex_pending_wait (waited, self->flags, -1, NULL, &wait_error);
  g_assert_cmpint (ok, ==, (self->flags & AEX_WAIT_FLAGS_SHIELD) != 0);
  g_clear_error (&wait_error);
  return TRUE;
}

static void
check_inside_job (AexWaitFlags flags)
{
  AexExecutor *pool = aex_test_pool (1);
  Waiting self = { .member = aex_pending_new (), .flags = flags };
  g_autoptr (AexPending) job = NULL;

  aex_gate_init (&self.waits);
  job = aex_executor_submit (pool, waiting_job, &self, NULL);
  aex_gate_wait (&self.waits);
  aex_pending_cancel (job, NULL);
  if (flags & AEX_WAIT_FLAGS_SHIELD)
    {
      g_assert_false (aex_pending_is_done (job));
      aex_pending_resolve (self.member, NULL);
    }
  aex_test_wait (job);
  aex_assert_cancelled (job);
  if (!(flags & AEX_WAIT_FLAGS_SHIELD))
    g_assert_false (aex_pending_is_cancelled (self.member));
  aex_pending_cancel (self.member, NULL);
  aex_gate_clear (&self.waits);
  g_object_unref (self.member);
  aex_test_shutdown (pool);
}

static void
test_inside_job (void)
{
  check_inside_job (AEX_WAIT_FLAGS_NONE);
}

static void
test_shield (void)
{
  check_inside_job (AEX_WAIT_FLAGS_SHIELD);
}

/* Many complete at the same time, and the time is over then too: one answer, and all that it names are done. */
typedef struct
{
  AexPending **members;
  guint        first;
  AexGate     *start;
} Completer;

static gpointer
complete_thread (gpointer data)
{
  Completer *self = data;

  aex_gate_wait (self->start);
  for (guint i = 0; i < 16; i++)
    aex_pending_resolve_int64 (self->members[self->first + i], i);
  return NULL;
}

static void
test_race (void)
{
  guint n_rounds = aex_test_scale (500);

  for (guint round = 0; round < n_rounds; round++)
    {
      AexReturnWhen when = round % 3;
      Completer completers[4];
      AexPending *members[64];
      GThread *threads[4];
      AexGate start;
      g_autoptr (AexPending) waited = NULL;
      g_autoptr (GListModel) list = NULL;
      guint n;

      aex_gate_init (&start);
      for (guint i = 0; i < 64; i++)
        members[i] = aex_pending_new ();
      for (guint i = 0; i < 4; i++)
        {
          completers[i] = (Completer) { members, i * 16, &start };
          threads[i] = g_thread_new ("completer", complete_thread, &completers[i]);
        }
      aex_gate_open (&start);
      waited = aex_pending_wait_set (members, 64, when, round % 2 ? 20 : -1);
      aex_test_wait (waited);
      list = aex_pending_dup_object (waited, NULL);
      n = g_list_model_get_n_items (list);
      if (when != AEX_RETURN_WHEN_FIRST_COMPLETED && round % 2 == 0)
        g_assert_cmpuint (n, ==, 64);
      for (guint i = 0; i < n; i++)
        {
          g_autoptr (AexPending) member = g_list_model_get_item (list, i);

          g_assert_true (aex_pending_is_done (member));
        }
      for (guint i = 0; i < 4; i++)
        g_thread_join (threads[i]);
      for (guint i = 0; i < 64; i++)
        g_object_unref (members[i]);
      aex_gate_clear (&start);
    }
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    aex_test_add_data (cases[i].path, &cases[i], test_mode);
  aex_test_add ("/wait-set/K41/cancellation-is-error", test_cancellation_is_error);
  aex_test_add ("/wait-set/K41/first-error-of-none", test_first_error_of_none);
  aex_test_add ("/wait-set/K41/timeout-keeps-pending", test_timeout_keeps_pending);
  aex_test_add ("/wait-set/K41/done-in-time", test_done_in_time);
  aex_test_add ("/wait-set/K41/cancelled-wait-cancels-nothing", test_cancelled_wait_cancels_nothing);
  aex_test_add ("/wait-set/K41/empty", test_empty);
  aex_test_add ("/wait-set/K41/abandoned", test_abandoned);
  aex_test_add ("/wait-set/K41/observes-nothing", test_observes_nothing);
  aex_test_add ("/wait-set/K41/inside-job", test_inside_job);
  aex_test_add ("/wait-set/K41/shield", test_shield);
  aex_test_add ("/wait-set/K41/race", test_race);
  return aex_test_run ();
}
