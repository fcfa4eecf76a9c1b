/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"
#include "lib/aex-keeper-test.h"
#include "lib/aex-limits.h"

#include "base/aex-debug-private.h"

/* A job is known to its group, or a manager, before the executor has taken it: who cancels it then takes nothing from the
 * executor's counts, whether it is accepted in the end or refused. */

#define LONG_US (10 * G_TIME_SPAN_MINUTE)

/* --- one of each kind that runs one job at a time */

static AexExecutor *
new_pool (void)
{
  return aex_test_pool (1);
}

static AexExecutor *
new_caller (void)
{
  return AEX_EXECUTOR (aex_test_caller_new ("test"));
}

static AexExecutor *
new_caller_pool (void)
{
  g_autoptr (GError) error = NULL;
  AexExecutor *pool = aex_caller_pool_new (1, &error);

  g_assert_no_error (error);
  return pool;
}

static AexExecutor *
new_limiter (void)
{
  return aex_test_limited_pool (2, 1);
}

static AexExecutor *
new_keeper (void)
{
  return keeper_new (TRUE);
}

typedef struct
{
  const char   *name;
  AexExecutor *(*make) (void);
} Kind;

static const Kind kinds[] = {
  { "pool", new_pool }, { "caller", new_caller }, { "caller-pool", new_caller_pool },
  { "limiter", new_limiter }, { "scripted", new_keeper },
};

typedef struct
{
  AexExecutor *executor;
  AexBlock     block;
  AexPending  *running;   /* NULL: none can */
  AexPending  *queued;
  int          n_released;
} Scene;

static gboolean
do_nothing (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  return TRUE;
}

/* One job runs, if it does, and one is queued. */
static void
scene_begin (Scene       *self,
             AexExecutor *executor)
{
  *self = (Scene) { .executor = executor };
  if (!TEST_IS_KEEPER (self->executor))
    self->running = aex_block_begin (&self->block, self->executor);
  self->queued = aex_executor_submit (self->executor, do_nothing, NULL, NULL);
  g_assert_cmpuint (aex_executor_get_n_pending (self->executor), ==, 1);
}

/* Lets what is there run. */
static void
scene_end (Scene *self)
{
  if (self->running != NULL)
    aex_block_end (&self->block, self->running);
  else
    run_kept (self->executor);
  aex_test_run_until_done (self->queued);
  aex_assert_state (self->queued, RESOLVED);
  g_assert_cmpuint (aex_executor_get_n_pending (self->executor), ==, 0);
  g_object_unref (self->queued);
}

static gboolean
is_positive (gpointer n)
{
  return g_atomic_int_get ((int *) n) > 0;
}

/* Where it would have run, which may be later than the end of the job. */
static void
assert_released_once (int *n_released)
{
  aex_test_iterate_until (is_positive, n_released);
  g_assert_cmpint (*n_released, ==, 1);
}

static void
test_accepted (gconstpointer kind)
{
  g_autoptr (AexExecutor) executor = ((const Kind *) kind)->make ();
  int n_released = 0;
  G_GNUC_UNUSED g_autoptr (AexPending) job = aex_submit_cancelled (executor, 0, &n_released);

  aex_test_shutdown (g_object_ref (executor));
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 0);
  assert_released_once (&n_released);
}

static void
busy (AexExecutor *executor)
{
  G_GNUC_UNUSED g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) later = NULL;
  Scene self;

  scene_begin (&self, executor);
  aex_executor_set_max_pending (executor, 1);
  job = aex_submit_cancelled (executor, 0, &self.n_released);
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 1);
  later = aex_executor_submit (executor, do_nothing, NULL, NULL);
  aex_assert_failed_with (later, AEX_ERROR, AEX_ERROR_BUSY);
  scene_end (&self);
  assert_released_once (&self.n_released);
}

static void
test_busy (gconstpointer kind)
{
  g_autoptr (AexExecutor) executor = ((const Kind *) kind)->make ();

  busy (executor);
  aex_test_shutdown (g_object_ref (executor));
}

static void
test_busy_workers (void)
{
  AexCaller *caller = aex_test_caller_new ("boss");
  g_autoptr (AexExecutor) workers = aex_caller_ref_workers (caller, NULL);

  aex_caller_set_max_workers (caller, 1);
  busy (workers);
  aex_test_caller_end (caller);
}

static void
test_closed (gconstpointer kind)
{
  g_autoptr (AexExecutor) executor = ((const Kind *) kind)->make ();
  G_GNUC_UNUSED g_autoptr (AexPending) job = NULL;
  g_autoptr (AexPending) stopped = NULL;
  Scene self;

  scene_begin (&self, executor);
  stopped = aex_executor_shutdown (executor, AEX_SHUTDOWN_FLAGS_NONE);
  job = aex_submit_cancelled (executor, 0, &self.n_released);
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 1);
  g_assert_false (aex_pending_is_done (stopped));
  scene_end (&self);
  aex_test_run_until_done (stopped);
  assert_released_once (&self.n_released);
}

static void
test_delayed (void)
{
  AexCaller *caller = aex_test_caller_new ("test");
  AexExecutor *executor = AEX_EXECUTOR (caller);
  int n_released[2] = { 0, 0 };
  G_GNUC_UNUSED g_autoptr (AexPending) accepted = aex_submit_cancelled (executor, LONG_US, &n_released[0]);
  G_GNUC_UNUSED g_autoptr (AexPending) refused = NULL;
  g_autoptr (AexPending) queued = NULL, next = NULL;

  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 0);
  queued = aex_caller_call_later (caller, LONG_US, do_nothing, NULL, NULL);
  aex_executor_set_max_pending (executor, 1);
  refused = aex_submit_cancelled (executor, LONG_US, &n_released[1]);
  g_assert_cmpuint (aex_executor_get_n_pending (executor), ==, 1);
  next = aex_caller_call_later (caller, LONG_US, do_nothing, NULL, NULL);
  aex_assert_failed_with (next, AEX_ERROR, AEX_ERROR_BUSY);
  aex_test_caller_end (caller);
  aex_test_assert_closed (queued);
  assert_released_once (&n_released[0]);
  assert_released_once (&n_released[1]);
}

/* --- who moves it meanwhile */

static AexPendingManager *moving;    /* of the thread that submits, at the first checkpoint */

static void
move_all (void)
{
  g_autoptr (AexPendingManager) manager = g_steal_pointer (&moving);
  g_autoptr (GPtrArray) pendings = NULL;

  if (manager == NULL)
    return;
  pendings = aex_pending_tracker_dup_pendings (AEX_PENDING_TRACKER (manager));

  for (guint i = 0; i < pendings->len; i++)
    g_assert_false (aex_pending_set_priority (pendings->pdata[i], AEX_PRIORITY_HIGH));
}

/* What the executor has not taken cannot be moved in it: one that is refused would run, one with a delay would run now. */
static void
test_moved (void)
{
  AexCaller *caller = aex_test_caller_new ("test");
  g_autoptr (AexPendingManager) manager = aex_pending_manager_new ();
  g_autoptr (AexContextToken) token = aex_pending_manager_push (manager);
  g_autoptr (AexPending) later = NULL, now = NULL;
  AexBlock block;
  AexPending *running = aex_block_begin (&block, AEX_EXECUTOR (caller));

  moving = g_object_ref (manager);
  aex_checkpoint_set_func (move_all);
  later = aex_caller_call_later (caller, LONG_US, do_nothing, NULL, NULL);
  g_assert_null (moving);
  moving = g_object_ref (manager);
  now = aex_executor_submit (AEX_EXECUTOR (caller), do_nothing, NULL, NULL);
  aex_checkpoint_set_func (NULL);
  g_assert_null (moving);
  g_assert_true (aex_pending_manager_pop (manager, token, NULL));
  aex_block_end (&block, running);
  aex_test_wait (now);
  aex_assert_state (later, QUEUED);
  aex_test_caller_end (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *accepted = g_strdup_printf ("/submit-cancelled/R10/accepted/%s", kinds[i].name);
      g_autofree char *busy = g_strdup_printf ("/submit-cancelled/R10/busy/%s", kinds[i].name);
      g_autofree char *closed = g_strdup_printf ("/submit-cancelled/R10/closed/%s", kinds[i].name);

      aex_test_add_data (accepted, &kinds[i], test_accepted);
      aex_test_add_data (busy, &kinds[i], test_busy);
      aex_test_add_data (closed, &kinds[i], test_closed);
    }
  aex_test_add ("/submit-cancelled/R10/busy/workers", test_busy_workers);
  aex_test_add ("/submit-cancelled/R10/delayed", test_delayed);
  aex_test_add ("/submit-cancelled/R10/moved", test_moved);
  return aex_test_run ();
}
