/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs: claimed by a worker or by a waiter, cancelled in the queue and while they run, completed from outside. */
#include "aex-interleave.h"

#include "asyncexec.h"
#include "base/aex-queue-private.h"
#include "pending/aex-pending-private.h"

/* ---- an executor of one queue, whose worker is a function of the scenario */

typedef struct
{
  AexTarget target;
  GMutex    lock;
  AexQueue  queue;           /* lock */
  gboolean  claimable;       /* waiters may run what is queued */
  atomic_int n_events[AEX_JOB_LEFT + 1];
} Place;

static gboolean
place_post (AexTarget *target, AexLane lane, const AexEntry *entry)
{
  Place *self = (Place *) target;

  g_mutex_lock (&self->lock);
  aex_queue_push (&self->queue, entry);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static gboolean
place_is_current (AexTarget *target)
{
  return FALSE;
}

static void
place_finalize (AexTarget *target)
{
  Place *self = (Place *) target;

  aex_queue_clear (&self->queue);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
place_may_claim (AexTarget *target, AexPending *job, gboolean outside)
{
  return ((Place *) target)->claimable;
}

static void
place_job_event (AexTarget *target, AexPending *job, AexJobEvent event)
{
  atomic_fetch_add_explicit (&((Place *) target)->n_events[event], 1, memory_order_relaxed);
}

static gboolean
place_wait_begin (AexTarget *target)
{
  return TRUE;
}

static void
place_wait_end (AexTarget *target)
{
}

static void
place_report (AexTarget *target, AexPending *job, const GError *error)
{
  aex_interleave_fail ("nobody saw: %s", error->message);
}

static AexTarget *
place_cancel_target (AexTarget *target, AexPending *job)
{
  return NULL;
}

static const char *
place_get_name (AexTarget *target)
{
  return "place";
}

static const AexTargetOps place_ops = {
  .post = place_post, .is_current = place_is_current, .finalize = place_finalize, .may_claim = place_may_claim,
  .job_event = place_job_event, .wait_begin = place_wait_begin, .wait_end = place_wait_end, .report = place_report,
  .cancel_target = place_cancel_target, .get_name = place_get_name,
};

static Place *
place_new (gboolean claimable)
{
  Place *self = g_new0 (Place, 1);

  aex_target_init (&self->target, &place_ops);
  g_mutex_init (&self->lock);
  self->claimable = claimable;
  return self;
}

/* What a worker does with an entry. */
static void
place_run_one (Place *self)
{
  AexEntry entry;
  gboolean found;

  g_mutex_lock (&self->lock);
  found = aex_queue_pop (&self->queue, &entry);
  g_mutex_unlock (&self->lock);
  if (found)
    entry.kind->run (&entry, &self->target);
}

/* ---- one job */

typedef struct
{
  Place      *place;
  AexPending *job;
  gboolean    cancelled, resolved, waited;
  gboolean    saw_cancel;     /* the function, by its cancellable, after it was told that it is cancelled */
  GError     *error;          /* of the wait */
  gint64      value;          /* what the waiter read */
  guint       n_run;
  guint       n_released;
} State;

static void
released (gpointer data)
{
  ((State *) data)->n_released++;
}

static gboolean
function (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  State *state = data;

  state->n_run++;
  aex_interleave_assert (state->n_released == 0);
  /* Whoever is told so by the pending may rely on the cancellable a moment later, not at once. */
  state->saw_cancel = g_cancellable_is_cancelled (cancellable);
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

/* Leaves it to others to set the outcome. */
static gboolean
empty_function (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  ((State *) data)->n_run++;
  return TRUE;
}

static void
submit (State *state, AexJobFunc func, gboolean claimable)
{
  AexEntry entry = { &aex_job_kind, NULL, NULL, NULL };

  state->place = place_new (claimable);
  state->job = aex_pending_new_job (&state->place->target, NULL, func, state, released, 0);
  entry.a = g_object_ref (state->job);
  state->place->target.ops->post (&state->place->target, AEX_LANE_DEFAULT, &entry);
}

static void
setup (gpointer state)
{
  submit (state, function, TRUE);
}

static void
work (gpointer data)
{
  place_run_one (((State *) data)->place);
}

static void
cancel_queued (gpointer data)
{
  State *state = data;

  state->cancelled = aex_pending_cancel_queued (state->job);
}

static void
cancel (gpointer data)
{
  State *state = data;

  state->cancelled = aex_pending_cancel (state->job, NULL);
}

static void
wait_for_it (gpointer data)
{
  State *state = data;

  state->waited = aex_pending_wait (state->job, AEX_WAIT_FLAGS_NONE, -1, NULL, &state->error);
}

static void
wait_and_read (gpointer data)
{
  State *state = data;

  wait_for_it (state);
  if (state->waited)
    state->value = aex_pending_get_int64 (state->job, NULL);
}

static void
resolve (gpointer data)
{
  State *state = data;

  state->resolved = aex_pending_resolve_int64 (state->job, 2);
}

static int
n_events (State *state, AexJobEvent event)
{
  return atomic_load (&state->place->n_events[event]);
}

/* Its executor was told once how it ended, it ran at most once, and everything is released. */
static AexPendingState
check_end (State *state)
{
  AexPendingState end = aex_pending_get_state (state->job);

  aex_interleave_assert (end == AEX_PENDING_STATE_RESOLVED || end == AEX_PENDING_STATE_CANCELLED);
  aex_interleave_assert (state->n_run <= 1 && state->n_released == 1);
  aex_interleave_assert (n_events (state, AEX_JOB_STARTED) == (int) state->n_run);
  aex_interleave_assert (n_events (state, AEX_JOB_FINISHED) == (int) state->n_run);
  aex_interleave_assert (n_events (state, AEX_JOB_LEFT) == (int) state->n_run);
  aex_interleave_assert (n_events (state, AEX_JOB_DROPPED) == 1 - (int) state->n_run);
  return end;
}

static void
clear (State *state)
{
  g_clear_error (&state->error);
  g_object_unref (state->job);
  aex_thread_flush ();
  aex_target_unref (state->place);
}

/* ---- cancelled while queued: no effect; else its effect; nothing between */

static void
queued_check (gpointer data)
{
  State *state = data;
  AexPendingState end = check_end (state);

  aex_interleave_assert (state->n_run == (state->cancelled ? 0 : 1));
  aex_interleave_assert (end == (state->cancelled ? AEX_PENDING_STATE_CANCELLED : AEX_PENDING_STATE_RESOLVED));
  aex_interleave_assert (state->waited == !state->cancelled);
  aex_interleave_outcome ("%s", state->cancelled ? "cancelled" : "ran");
  clear (state);
}

static const AexInterleave queued = {
  .path = "/interleave/X3/start-cancel-claim", .size = sizeof (State), .setup = setup,
  .run = { work, cancel_queued, wait_for_it }, .check = queued_check, .n_outcomes = 2,
};

/* ---- cancelled at any moment while another thread waits: the cancellation is the outcome, or came too late */

static void
running_setup (gpointer state)
{
  submit (state, function, FALSE);
}

static void
running_check (gpointer data)
{
  State *state = data;
  AexPendingState end = check_end (state);

  aex_interleave_assert (state->cancelled == (end == AEX_PENDING_STATE_CANCELLED));
  aex_interleave_assert (state->waited == (end == AEX_PENDING_STATE_RESOLVED));
  aex_interleave_assert ((state->error == NULL) == state->waited);
  if (state->saw_cancel)
    aex_interleave_assert (state->cancelled);
  aex_interleave_outcome ("%s, run %u, seen %d", state->cancelled ? "cancelled" : "resolved", state->n_run, state->saw_cancel);
  clear (state);
}

static const AexInterleave running = {
  .path = "/interleave/K31-K44/run-cancel-wait", .size = sizeof (State), .setup = running_setup,
  .run = { work, cancel, wait_for_it }, .check = running_check, .heavy = 1, .n_outcomes = 4,
};

/* ---- somebody else sets the outcome of a job: of one that runs, with the function returning at any moment; of one that is
 * queued, which then never runs */

static void
foreign_setup (gpointer state)
{
  submit (state, empty_function, FALSE);
}

static void
foreign_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (check_end (state) == AEX_PENDING_STATE_RESOLVED);
  aex_interleave_assert (state->waited);
  if (state->resolved)
    aex_interleave_assert (state->value == 2);
  else
    aex_interleave_assert (state->n_run == 1);
  aex_interleave_outcome ("run %u, resolved %d", state->n_run, state->resolved);
  clear (state);
}

static const AexInterleave foreign = {
  .path = "/interleave/K47/foreign-resolve", .size = sizeof (State), .setup = foreign_setup,
  .run = { work, resolve, wait_and_read }, .check = foreign_check, .n_outcomes = 3,
};

/* ---- a job that blocks in a wait is woken by its own cancellation */

static gboolean
blocking_function (AexPending *job, GCancellable *cancellable, gpointer data, GError **error)
{
  g_autoptr (AexPending) never = aex_pending_new ();

  ((State *) data)->n_run++;
  return aex_pending_wait (never, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

static void
blocking_setup (gpointer state)
{
  submit (state, blocking_function, FALSE);
}

static void
blocking_check (gpointer data)
{
  State *state = data;

  aex_interleave_assert (state->cancelled && check_end (state) == AEX_PENDING_STATE_CANCELLED);
  aex_interleave_outcome ("run %u", state->n_run);
  clear (state);
}

static const AexInterleave blocking = {
  .path = "/interleave/K31-X2/cancel-wakes-job", .size = sizeof (State), .setup = blocking_setup,
  .run = { work, cancel }, .check = blocking_check, .n_outcomes = 2,
};

void
aex_interleave_add_jobs (void)
{
  aex_interleave_add (&queued);
  aex_interleave_add (&running);
  aex_interleave_add (&foreign);
  aex_interleave_add (&blocking);
}
