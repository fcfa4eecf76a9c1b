/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* In which order jobs start, and when threads come and go. */

#define BACKGROUND_PICK 61

/* --- order: written by the one worker, read when all is done */
typedef struct
{
  GArray *started;      /* of Start */
} Order;

typedef struct
{
  Order      *order;
  AexPriority priority;
  guint       number;
} Start;

static gboolean
job_start (AexPending   *job,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  Start *start = user_data;

  g_array_append_val (start->order->started, *start);
  return TRUE;
}

static AexPending *
submit_start (AexExecutor *pool,
              Order       *order,
              AexPriority  priority,
              guint        number)
{
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  Start *start = g_new (Start, 1);

  *start = (Start) { order, priority, number };
  aex_submit_options_set_priority (options, priority);
  return aex_executor_submit_full (pool, options, job_start, start, g_free);
}

static void
order_init (Order *self)
{
  self->started = g_array_new (FALSE, FALSE, sizeof (Start));
}

static Start *
order_get (Order *self,
           guint  index)
{
  return &g_array_index (self->started, Start, index);
}

static void
test_fifo_per_priority (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  Order order;
  guint next[3] = { 0 };

  order_init (&order);
  for (guint i = 0; i < 300; i++)
    {
      for (int p = AEX_PRIORITY_BACKGROUND; p <= AEX_PRIORITY_HIGH; p++)
        g_ptr_array_add (jobs, submit_start (pool, &order, p, i));
    }
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  g_assert_cmpuint (order.started->len, ==, 900);
  for (guint i = 0; i < 900; i++)
    {
      Start *start = order_get (&order, i);

      g_assert_cmpuint (start->number, ==, next[start->priority + 1]++);
      /* What is high comes before all that is default. */
      if (start->priority == AEX_PRIORITY_DEFAULT)
        g_assert_cmpuint (next[AEX_PRIORITY_HIGH + 1], ==, 300);
    }
  g_array_unref (order.started);
  aex_test_shutdown (pool);
}

/* Rule 9: background work is looked at first every 61st pick. */
static void
test_background_is_not_starved (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  Order order;
  guint gap = 0;
  guint n_background = 0;

  order_init (&order);
  for (guint i = 0; i < 20; i++)
    g_ptr_array_add (jobs, submit_start (pool, &order, AEX_PRIORITY_BACKGROUND, i));
  for (guint i = 0; i < 500; i++)
    g_ptr_array_add (jobs, submit_start (pool, &order, AEX_PRIORITY_DEFAULT, i));
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  for (guint i = 0; order_get (&order, i)->number < 499 || order_get (&order, i)->priority != AEX_PRIORITY_DEFAULT; i++)
    {
      if (order_get (&order, i)->priority == AEX_PRIORITY_BACKGROUND)
        {
          n_background++;
          gap = 0;
        }
      else
        {
          g_assert_cmpuint (++gap, <=, BACKGROUND_PICK);
        }
    }
  g_assert_cmpuint (n_background, >=, 500 / BACKGROUND_PICK - 1);
  g_assert_cmpuint (n_background, <=, 500 / BACKGROUND_PICK + 1);
  g_array_unref (order.started);
  aex_test_shutdown (pool);
}

static void
test_set_priority (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexBlock block;
  AexPending *blocker = aex_block_begin (&block, pool);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();
  AexRecord record;

  aex_record_init (&record);
  g_ptr_array_add (jobs, aex_submit_note (pool, &record, "a"));
  g_ptr_array_add (jobs, aex_submit_note (pool, &record, "b"));
  g_ptr_array_add (jobs, aex_submit_note (pool, &record, "c"));
  g_ptr_array_add (jobs, aex_submit_note (pool, &record, "d"));
  g_ptr_array_add (jobs, aex_submit_note_with_priority (pool, AEX_PRIORITY_HIGH, &record, "h"));
  g_assert_true (aex_pending_set_priority (jobs->pdata[2], AEX_PRIORITY_HIGH));
  g_assert_true (aex_pending_set_priority (jobs->pdata[0], AEX_PRIORITY_BACKGROUND));
  g_assert_true (aex_pending_set_priority (jobs->pdata[1], AEX_PRIORITY_HIGH));
  g_assert_cmpuint (aex_executor_get_n_pending (pool), ==, 5);
  g_assert_false (aex_pending_set_priority (blocker, AEX_PRIORITY_HIGH));
  aex_block_end (&block, blocker);
  aex_test_wait_all (jobs);
  aex_assert_record (&record, "h c b d a");
  g_assert_false (aex_pending_set_priority (jobs->pdata[0], AEX_PRIORITY_HIGH));
  aex_record_clear (&record);
  aex_test_shutdown (pool);
}

/* --- sharing */
static void
blocks_begin (AexBlock    *blocks,
              AexPending **jobs,
              guint        n,
              AexExecutor *pool)
{
  for (guint i = 0; i < n; i++)
    jobs[i] = aex_block_begin (&blocks[i], pool);
}

static void
blocks_end (AexBlock    *blocks,
            AexPending **jobs,
            guint        n)
{
  for (guint i = 0; i < n; i++)
    aex_block_end (&blocks[i], jobs[i]);
}

/* 64 jobs behind a long one, in the same batch, do not wait for it. */
static void
test_batch_is_stolen (void)
{
  AexExecutor *pool = aex_test_pool (2);
  AexBlock blocks[2];
  AexPending *blockers[2];
  AexBlock long_one;
  g_autoptr (AexPending) long_job = NULL;
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  blocks_begin (blocks, blockers, 2, pool);
  aex_block_init (&long_one);
  long_job = aex_executor_submit (pool, aex_block_job, &long_one, NULL);
  for (guint i = 0; i < 64; i++)
    g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL));
  blocks_end (blocks, blockers, 2);
  aex_test_wait_all (jobs);
  aex_gate_wait (&long_one.started);
  aex_assert_state (long_job, RUNNING);
  aex_gate_open (&long_one.release);
  aex_test_wait (long_job);
  aex_block_clear (&long_one);
  aex_test_shutdown (pool);
}

/* A stolen batch can be stolen from: 3 long ones, one after another, hold nobody. */
static void
test_stolen_batch_is_stolen (void)
{
  AexExecutor *pool = aex_test_pool (4);
  AexBlock blocks[4];
  AexPending *blockers[4];
  AexBlock long_ones[3];
  g_autoptr (GPtrArray) long_jobs = aex_test_pendings_new ();
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  blocks_begin (blocks, blockers, 4, pool);
  for (guint i = 0; i < 3; i++)
    {
      aex_block_init (&long_ones[i]);
      g_ptr_array_add (long_jobs, aex_executor_submit (pool, aex_block_job, &long_ones[i], NULL));
      for (guint k = 0; k < 20; k++)
        g_ptr_array_add (jobs, aex_executor_submit (pool, aex_job_int, NULL, NULL));
    }
  blocks_end (blocks, blockers, 4);
  aex_test_wait_all (jobs);
  for (guint i = 0; i < 3; i++)
    {
      aex_gate_open (&long_ones[i].release);
      aex_test_wait (long_jobs->pdata[i]);
      aex_block_clear (&long_ones[i]);
    }
  aex_test_shutdown (pool);
}

/* --- threads on demand */
static void
test_on_demand (void)
{
  AexExecutor *executor = aex_test_pool (3);
  AexThreadPool *pool = AEX_THREAD_POOL (executor);
  AexBlock blocks[3];
  AexPending *blockers[3];
  g_autoptr (AexPending) queued = NULL;

  g_assert_cmpuint (aex_thread_pool_get_max_workers (pool), ==, 3);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (pool), ==, 0);
  for (guint i = 0; i < 3; i++)
    {
      blockers[i] = aex_block_begin (&blocks[i], executor);
      g_assert_cmpuint (aex_thread_pool_get_n_workers (pool), ==, i + 1);
    }
  queued = aex_executor_submit (executor, aex_job_int, NULL, NULL);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (pool), ==, 3);
  g_assert_cmpuint (aex_executor_get_n_running (executor), ==, 3);
  aex_assert_state (queued, QUEUED);
  blocks_end (blocks, blockers, 3);
  aex_test_wait (queued);
  aex_test_shutdown (executor);
}

static void
test_more_workers (void)
{
  AexExecutor *executor = aex_test_pool (1);
  AexThreadPool *pool = AEX_THREAD_POOL (executor);
  AexBlock blocks[3];
  AexPending *jobs[3];

  jobs[0] = aex_block_begin (&blocks[0], executor);
  for (guint i = 1; i < 3; i++)
    {
      aex_block_init (&blocks[i]);
      jobs[i] = aex_executor_submit (executor, aex_block_job, &blocks[i], NULL);
    }
  g_assert_cmpuint (aex_thread_pool_get_n_workers (pool), ==, 1);
  aex_thread_pool_set_max_workers (pool, 3);
  /* What was queued before starts. */
  aex_gate_wait (&blocks[1].started);
  aex_gate_wait (&blocks[2].started);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (pool), ==, 3);
  blocks_end (blocks, jobs, 3);
  aex_test_shutdown (executor);
}

/* --- thread-main hook: told when workers come and go */
typedef struct
{
  AexThreadPool *pool;
  AexGate        came;
  AexGate        left;
  AexGate        destroyed;
} Hook;

static GPrivate hook_mark;

static void
hook_main (AexThreadPool *pool,
           gpointer       user_data)
{
  Hook *self = user_data;

  g_assert_true (AEX_IS_THREAD_POOL (pool));
  g_private_set (&hook_mark, self);
  aex_gate_open (&self->came);
  aex_thread_pool_run_worker (pool);
  g_private_set (&hook_mark, NULL);
  aex_gate_open (&self->left);
}

static void
hook_destroyed (gpointer user_data)
{
  aex_gate_open (&((Hook *) user_data)->destroyed);
}

static AexExecutor *
pool_with_hook (Hook *self,
                guint max_workers)
{
  AexExecutor *executor = aex_test_pool (max_workers);

  self->pool = AEX_THREAD_POOL (executor);
  aex_gate_init (&self->came);
  aex_gate_init (&self->left);
  aex_gate_init (&self->destroyed);
  aex_thread_pool_set_thread_main (self->pool, hook_main, self, hook_destroyed);
  return executor;
}

static void
hook_end (Hook        *self,
          AexExecutor *executor,
          guint        n_left)
{
  aex_test_shutdown (executor);
  aex_gate_wait_n (&self->left, n_left);
  /* The worker that was last may be the one that lets go. */
  aex_gate_wait (&self->destroyed);
  g_assert_cmpuint (self->destroyed.n_opened, ==, 1);
  aex_gate_clear (&self->came);
  aex_gate_clear (&self->left);
  aex_gate_clear (&self->destroyed);
}

static gboolean
job_sees_mark (AexPending   *job,
               GCancellable *cancellable,
               gpointer      user_data,
               GError      **error)
{
  aex_pending_resolve_boolean (job, g_private_get (&hook_mark) == user_data);
  return TRUE;
}

static void
test_thread_main (void)
{
  Hook hook;
  AexExecutor *pool = pool_with_hook (&hook, 1);
  g_autoptr (GPtrArray) jobs = aex_test_pendings_new ();

  g_assert_false (aex_gate_is_open (&hook.came));
  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (jobs, aex_executor_submit (pool, job_sees_mark, &hook, NULL));
  aex_test_wait_all (jobs);
  for (guint i = 0; i < 10; i++)
    g_assert_true (aex_pending_get_boolean (jobs->pdata[i], NULL));
  /* Once per thread, not per job. */
  g_assert_cmpuint (hook.came.n_opened, ==, 1);
  hook_end (&hook, pool, 1);
}

/* No thread comes any more: nothing keeps it. */
static void
test_thread_main_of_ended (void)
{
  Hook hook = { 0 };
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) done = aex_executor_shutdown (pool, AEX_SHUTDOWN_FLAGS_NONE);

  aex_test_wait (done);
  aex_gate_init (&hook.destroyed);
  aex_thread_pool_set_thread_main (AEX_THREAD_POOL (pool), hook_main, &hook, hook_destroyed);
  g_assert_true (aex_gate_is_open (&hook.destroyed));
  g_object_unref (pool);
  g_assert_cmpuint (hook.destroyed.n_opened, ==, 1);
  aex_gate_clear (&hook.destroyed);
}

static void
test_idle_threads_leave (void)
{
  Hook hook;
  AexExecutor *pool = pool_with_hook (&hook, 2);
  AexTicker *ticker;
  AexBlock blocks[2];
  AexPending *blockers[2];
  g_autoptr (AexPending) again = NULL;

  aex_test_virtual_time ();
  aex_thread_pool_set_idle_timeout (hook.pool, 5 * G_USEC_PER_SEC);
  g_assert_cmpint (aex_thread_pool_get_idle_timeout (hook.pool), ==, 5 * G_USEC_PER_SEC);
  blocks_begin (blocks, blockers, 2, pool);
  /* Busy threads do not leave, however long. */
  aex_clock_advance (100 * G_USEC_PER_SEC);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (hook.pool), ==, 2);
  blocks_end (blocks, blockers, 2);
  ticker = aex_ticker_start (G_USEC_PER_SEC);
  aex_gate_wait_n (&hook.left, 2);
  aex_ticker_stop (ticker);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (hook.pool), ==, 0);
  /* And come again. */
  again = aex_executor_submit (pool, job_sees_mark, &hook, NULL);
  aex_test_wait (again);
  g_assert_true (aex_pending_get_boolean (again, NULL));
  g_assert_cmpuint (hook.came.n_opened, ==, 3);
  hook_end (&hook, pool, 3);
}

static void
test_idle_threads_stay (void)
{
  Hook hook;
  AexExecutor *pool = pool_with_hook (&hook, 1);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;

  aex_test_virtual_time ();
  aex_thread_pool_set_idle_timeout (hook.pool, -1);
  first = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_test_wait (first);
  for (guint i = 0; i < 100; i++)
    aex_clock_advance (G_USEC_PER_SEC * 1000);
  second = aex_executor_submit (pool, aex_job_int, NULL, NULL);
  aex_test_wait (second);
  g_assert_cmpuint (hook.came.n_opened, ==, 1);
  g_assert_false (aex_gate_is_open (&hook.left));
  hook_end (&hook, pool, 1);
}

static void
test_fewer_workers (void)
{
  Hook hook;
  AexExecutor *pool = pool_with_hook (&hook, 3);
  AexBlock blocks[3];
  AexPending *blockers[3];
  g_autoptr (AexPending) job = NULL;

  aex_thread_pool_set_idle_timeout (hook.pool, -1);
  blocks_begin (blocks, blockers, 3, pool);
  aex_thread_pool_set_max_workers (hook.pool, 1);
  g_assert_cmpuint (aex_thread_pool_get_max_workers (hook.pool), ==, 1);
  blocks_end (blocks, blockers, 3);
  aex_gate_wait_n (&hook.left, 2);
  job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (1), NULL);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, 1);
  g_assert_cmpuint (aex_thread_pool_get_n_workers (hook.pool), ==, 1);
  hook_end (&hook, pool, 3);
}

/* --- E2: a worker has a context of its own, and only when it asks */
static gboolean
job_ref_caller (AexPending   *job,
                GCancellable *cancellable,
                gpointer      main_caller,
                GError      **error)
{
  g_autoptr (AexCaller) caller = NULL;

  g_assert_null (g_main_context_get_thread_default ());
  caller = aex_caller_ref_current (error);
  if (caller == NULL)
    return FALSE;
  g_assert_true ((gpointer) caller != main_caller);
  g_assert_true (aex_caller_get_context (caller) != g_main_context_default ());
  return TRUE;
}

static void
test_context_of_worker (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexCaller) main_caller = aex_caller_ref_main ();
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_ref_caller, main_caller, NULL);

  aex_test_wait (job);
  aex_assert_state (job, RESOLVED);
  aex_test_shutdown (pool);
}

static void
test_many_pools (void)
{
  guint n = aex_test_scale (2000);

  for (guint i = 0; i < n; i++)
    {
      AexExecutor *pool = aex_test_pool (2);
      g_autoptr (AexPending) job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (i), NULL);

      g_object_unref (pool);
      aex_test_wait (job);
      aex_assert_resolved_int64 (job, i);
    }
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pool/I2/fifo-per-priority", test_fifo_per_priority);
  aex_test_add ("/pool/I9/background-is-not-starved", test_background_is_not_starved);
  aex_test_add ("/pool/priority/set-while-queued", test_set_priority);
  aex_test_add ("/pool/batch/stolen", test_batch_is_stolen);
  aex_test_add ("/pool/batch/stolen-from-a-thief", test_stolen_batch_is_stolen);
  aex_test_add ("/pool/threads/on-demand", test_on_demand);
  aex_test_add ("/pool/threads/more", test_more_workers);
  aex_test_add ("/pool/threads/fewer", test_fewer_workers);
  aex_test_add ("/pool/threads/main-hook", test_thread_main);
  aex_test_add ("/pool/R10-threads/main-hook-of-ended", test_thread_main_of_ended);
  aex_test_add ("/pool/threads/idle-leave", test_idle_threads_leave);
  aex_test_add ("/pool/threads/idle-stay", test_idle_threads_stay);
  aex_test_add ("/pool/E2/context-of-worker", test_context_of_worker);
  aex_test_add ("/pool/I5/many-pools", test_many_pools);
  return aex_test_run ();
}
