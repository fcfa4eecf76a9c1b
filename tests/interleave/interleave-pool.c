/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The thread pool: jobs that come while its worker starts, parks or leaves, and its end. */
#include "aex-interleave.h"

#include <stdatomic.h>

#include "asyncexec.h"
#include "base/aex-clock-private.h"
#include "executor/aex-core-private.h"

typedef struct
{
  AexExecutor *pool;
  AexPending  *jobs[2];
  AexPending  *stopped;
  gboolean     submitted[2];
  atomic_int   n_run;
  atomic_int   n_released;
} State;

/* Threads cache environments by the address of their executor, NULL for promises: it must not depend on malloc() whether
 * two of them meet. */
static gboolean
has_own_place (AexExecutor *pool)
{
  return (GPOINTER_TO_SIZE (aex_executor_get_core (pool)) >> 6) % AEX_ENVIRONMENT_CACHE == 1;
}

static void
setup (gpointer data)
{
  State *state = data;
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func (g_object_unref);

  while (!has_own_place (state->pool = aex_thread_pool_new (1)))
    g_ptr_array_add (others, state->pool);
}

static gboolean
function (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  atomic_fetch_add_explicit (&((State *) data)->n_run, 1, memory_order_relaxed);
  return TRUE;
}

static void
released (gpointer data)
{
  atomic_fetch_add_explicit (&((State *) data)->n_released, 1, memory_order_relaxed);
}

static void
submit (State *state, guint i)
{
  state->jobs[i] = aex_executor_submit (state->pool, function, state, released);
  state->submitted[i] = TRUE;
}

static void submit_first (gpointer state) { submit (state, 0); }
static void submit_second (gpointer state) { submit (state, 1); }

static gboolean
both_are_done (gpointer data)
{
  State *state = data;

  for (guint i = 0; i < 2; i++)
    if (!state->submitted[i] || !aex_pending_is_done (state->jobs[i]))
      return FALSE;
  return TRUE;
}

static void
shut_down (gpointer data)
{
  State *state = data;

  state->stopped = aex_executor_shutdown (state->pool, AEX_SHUTDOWN_FLAGS_NONE);
  aex_pending_wait (state->stopped, AEX_WAIT_FLAGS_NO_RESULT, -1, NULL, NULL);
}

static void
shut_down_at_last (gpointer data)
{
  /* Nobody waits for the jobs themselves, who could run them: the worker must. */
  aex_interleave_wait_until (both_are_done, data);
  shut_down (data);
}

static void
clear (State *state)
{
  aex_interleave_assert (aex_pending_is_done (state->stopped));
  aex_interleave_assert (atomic_load (&state->n_released) == 2);
  g_object_unref (state->jobs[0]);
  g_object_unref (state->jobs[1]);
  g_object_unref (state->stopped);
  g_object_unref (state->pool);
}

static void
work_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (atomic_load (&state->n_run) == 2);
  clear (state);
}

static const AexInterleave work = {
  .path = "/interleave/X2/pool-work", .size = sizeof (State), .setup = setup,
  .run = { submit_first, submit_second, shut_down_at_last }, .check = work_check, .heavy = 1,
};

/* With three preemptions this one and the next take minutes each. */

/* ---- the worker has been idle for its time, and leaves, while a job comes */

static gboolean
first_is_done (gpointer data)
{
  State *state = data;

  return state->submitted[0] && aex_pending_is_done (state->jobs[0]);
}

static void
submit_one_by_one (gpointer state)
{
  submit (state, 0);
  aex_interleave_wait_until (first_is_done, state);
  submit (state, 1);
}

static void
let_time_pass (gpointer data)
{
  aex_interleave_wait_until (first_is_done, data);
  aex_clock_advance (aex_thread_pool_get_idle_timeout (AEX_THREAD_POOL (((State *) data)->pool)));
}

static const AexInterleave idle = {
  .path = "/interleave/X2/pool-idle", .size = sizeof (State), .setup = setup,
  .run = { submit_one_by_one, let_time_pass, shut_down_at_last }, .check = work_check, .heavy = 1, .most_preemptions = 2,
};

/* ---- the pool is shut down at any moment: what it accepted runs, what it refused is cancelled */

static void
end_check (gpointer data)
{
  State *state = data;
  int n_resolved = 0;

  for (guint i = 0; i < 2; i++)
    {
      AexPendingState end = aex_pending_get_state (state->jobs[i]);

      aex_interleave_assert (end == AEX_PENDING_STATE_RESOLVED || end == AEX_PENDING_STATE_CANCELLED);
      n_resolved += end == AEX_PENDING_STATE_RESOLVED;
    }
  aex_interleave_assert (atomic_load (&state->n_run) == n_resolved);
  aex_interleave_outcome ("%d run", n_resolved);
  clear (state);
}

static const AexInterleave end = {
  .path = "/interleave/E5-E6/pool-shutdown", .size = sizeof (State), .setup = setup,
  .run = { submit_first, submit_second, shut_down }, .check = end_check, .heavy = 1, .most_preemptions = 2,
  .n_outcomes = 3,
};

void
aex_interleave_add_pool (void)
{
  aex_interleave_add (&work);
  aex_interleave_add (&idle);
  aex_interleave_add (&end);
}
