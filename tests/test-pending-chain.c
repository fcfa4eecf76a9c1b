/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

#include <string.h>

/* then, catch, finally and follow.  Cancelling along chains:
 * test-pending-direction.c. */

typedef struct
{
  int         n_calls;
  int         n_released;
  AexPending *answer;   /* (transfer full) */
  GError     *error;    /* (transfer full) */
} Step;

static AexPending *
step_run (AexPending *done,
          gpointer    data,
          GError    **error)
{
  Step *self = data;

  g_assert_true (aex_pending_is_done (done));
  self->n_calls++;
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return g_steal_pointer (&self->answer);
}

static void
step_release (gpointer data)
{
  Step *self = data;

  self->n_released++;
  g_clear_object (&self->answer);
  g_clear_error (&self->error);
}

static GError *
new_error (const char *text)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, text);
}

static AexPending *
new_resolved (gint64 value)
{
  AexPending *pending = aex_pending_new ();

  g_assert_true (aex_pending_resolve_int64 (pending, value));
  return pending;
}

/* --- which function is called for which outcome */

typedef struct
{
  const char      *name;
  AexThenFlags     flags;
  AexPendingState  source;
  gboolean         called;
} Match;

static const Match matches[] = {
  { "then-resolved", AEX_THEN_FLAGS_ON_SUCCESS, AEX_PENDING_STATE_RESOLVED, TRUE },
  { "then-rejected", AEX_THEN_FLAGS_ON_SUCCESS, AEX_PENDING_STATE_REJECTED, FALSE },
  { "then-cancelled", AEX_THEN_FLAGS_ON_SUCCESS, AEX_PENDING_STATE_CANCELLED, FALSE },
  { "catch-resolved", AEX_THEN_FLAGS_ON_ERROR, AEX_PENDING_STATE_RESOLVED, FALSE },
  { "catch-rejected", AEX_THEN_FLAGS_ON_ERROR, AEX_PENDING_STATE_REJECTED, TRUE },
  { "catch-cancelled", AEX_THEN_FLAGS_ON_ERROR, AEX_PENDING_STATE_CANCELLED, TRUE },
  { "both-resolved", AEX_THEN_FLAGS_ON_SUCCESS | AEX_THEN_FLAGS_ON_ERROR, AEX_PENDING_STATE_RESOLVED, TRUE },
  { "both-rejected", AEX_THEN_FLAGS_ON_SUCCESS | AEX_THEN_FLAGS_ON_ERROR, AEX_PENDING_STATE_REJECTED, TRUE },
  { "always-resolved", AEX_THEN_FLAGS_ALWAYS, AEX_PENDING_STATE_RESOLVED, TRUE },
  { "always-rejected", AEX_THEN_FLAGS_ALWAYS, AEX_PENDING_STATE_REJECTED, TRUE },
  { "always-cancelled", AEX_THEN_FLAGS_ALWAYS, AEX_PENDING_STATE_CANCELLED, TRUE },
};

static void
complete_as (AexPending     *pending,
             AexPendingState state)
{
  if (state == AEX_PENDING_STATE_RESOLVED)
    g_assert_true (aex_pending_resolve_int64 (pending, 42));
  else if (state == AEX_PENDING_STATE_REJECTED)
    g_assert_true (aex_pending_reject (pending, new_error ("source")));
  else
    g_assert_true (aex_pending_cancel (pending, "source"));
}

static void
test_match (gconstpointer data)
{
  const Match *match = data;

  for (guint early = 0; early < 2; early++)
    {
      g_autoptr (AexPending) source = aex_pending_new ();
      g_autoptr (AexPending) derived = NULL;
      Step step = { 0 };

      if (early)
        complete_as (source, match->source);
      derived = aex_pending_add_continuation (source, match->flags, step_run, &step, step_release);
      g_assert_cmpint (step.n_calls, ==, 0);
      if (!early)
        complete_as (source, match->source);
      g_assert_cmpint (step.n_calls, ==, 0);
      aex_test_run_until_done (derived);
      aex_test_iterate_until (aex_test_is_set, &step.n_released);
      g_assert_cmpint (step.n_calls, ==, match->called);
      g_assert_cmpint (step.n_released, ==, 1);
      /* NULL passes the outcome on, and so does not being called. */
      g_assert_cmpint (aex_pending_get_state (derived), ==, match->source);
      if (match->source == AEX_PENDING_STATE_RESOLVED)
        aex_assert_resolved_int64 (derived, 42);
      else if (match->source == AEX_PENDING_STATE_REJECTED)
        aex_assert_failed_with (derived, G_IO_ERROR, G_IO_ERROR_FAILED);
      else
        aex_assert_cancelled (derived);
    }
}

/* --- what a function can answer */

static void
test_answer_pending (void)
{
  g_autoptr (AexPending) source = new_resolved (1);
  g_autoptr (AexPending) inner = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  Step step = { .answer = g_object_ref (inner) };

  derived = aex_pending_then (source, step_run, &step, step_release);
  aex_test_iterate_until (aex_test_is_set, &step.n_calls);
  aex_test_drain ();
  g_assert_false (aex_pending_is_done (derived));
  g_assert_true (aex_pending_resolve_int64 (inner, 2));
  g_assert_true (aex_pending_is_done (derived));
  aex_assert_resolved_int64 (derived, 2);
}

static void
test_answer_done_pending (void)
{
  g_autoptr (AexPending) source = aex_pending_new_rejected (new_error ("handled"));
  g_autoptr (AexPending) derived = NULL;
  Step step = { .answer = new_resolved (3) };

  derived = aex_pending_catch (source, step_run, &step, step_release);
  aex_test_run_until_done (derived);
  aex_assert_resolved_int64 (derived, 3);
}

static void
test_answer_error (void)
{
  g_autoptr (AexPending) source = new_resolved (1);
  g_autoptr (AexPending) then = NULL;
  g_autoptr (AexPending) finally = NULL;
  Step first = { .error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "from then") };
  Step second = { .error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "from finally") };

  then = aex_pending_then (source, step_run, &first, step_release);
  finally = aex_pending_finally (then, step_run, &second, step_release);
  aex_test_run_until_done (finally);
  aex_assert_state (then, REJECTED);
  aex_assert_failed_with (then, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  aex_assert_state (finally, REJECTED);
  aex_assert_failed_with (finally, G_IO_ERROR, G_IO_ERROR_BUSY);
}

/* A value is a value: pendings in values are not followed (K7). */
static void
test_not_flattened (void)
{
  g_autoptr (AexPending) inner = aex_pending_new ();
  g_autoptr (AexPending) outer = aex_pending_new ();
  g_autoptr (GObject) value = NULL;

  g_assert_true (aex_pending_resolve_object (outer, inner));
  g_assert_true (aex_pending_is_done (outer));
  value = aex_pending_dup_object (outer, NULL);
  g_assert_true (value == G_OBJECT (inner));
}

static AexPending *
add_one (AexPending *done,
         gpointer    data,
         GError    **error)
{
  return new_resolved (aex_pending_get_int64 (done, NULL) + 1);
}

static void
test_chain (void)
{
  g_autoptr (AexPending) last = aex_pending_new ();

  {
    AexPending *first = g_object_ref (last);

    for (guint i = 0; i < 100; i++)
      {
        AexPending *next = aex_pending_then (last, add_one, NULL, NULL);

        g_object_unref (last);
        last = next;
      }
    g_assert_true (aex_pending_resolve_int64 (first, 0));
    g_object_unref (first);
  }
  aex_test_run_until_done (last);
  aex_assert_resolved_int64 (last, 100);
}

/* A source whose derived pending nobody holds: the function is called. */
static void
test_derived_dropped (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  Step step = { 0 };

  g_object_unref (aex_pending_then (source, step_run, &step, step_release));
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_test_iterate_until (aex_test_is_set, &step.n_released);
  g_assert_cmpint (step.n_calls, ==, 1);
}

/* --- finally */

static void
test_finally_once_though_cancelled (void)
{
  g_autoptr (AexPending) source = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (AexPending) derived = NULL;
  Step step = { 0 };

  derived = aex_pending_finally (source, step_run, &step, step_release);
  g_assert_true (aex_pending_cancel (derived, NULL));
  aex_assert_cancelled (derived);
  aex_test_drain ();
  g_assert_cmpint (step.n_calls, ==, 0);
  g_assert_false (aex_pending_is_done (source));
  g_assert_true (aex_pending_resolve_int64 (source, 1));
  aex_test_iterate_until (aex_test_is_set, &step.n_released);
  g_assert_cmpint (step.n_calls, ==, 1);
  g_assert_cmpint (step.n_released, ==, 1);
  aex_assert_cancelled (derived);
}

static AexPending *
cancel_own_and_fail (AexPending *done,
                     gpointer    derived,
                     GError    **error)
{
  g_assert_true (aex_pending_cancel (*(AexPending **) derived, "itself"));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "said too late");
  return NULL;
}

/* Its pending was done meanwhile, and nobody can get the error from that. */
static void
test_fails_when_cancelled (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  g_autoptr (GPtrArray) log = NULL;

  aex_test_log_begin ();
  derived = aex_pending_add_continuation (source, AEX_THEN_FLAGS_ON_SUCCESS, cancel_own_and_fail, &derived, NULL);
  aex_pending_resolve_int64 (source, 1);
  aex_test_drain ();
  aex_assert_state (derived, CANCELLED);
  log = aex_test_log_end ();
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_nonnull (strstr (aex_log_entry_get (log, 0, "MESSAGE"), "said too late"));
}

static void
test_then_not_called_when_cancelled (void)
{
  g_autoptr (AexPending) source = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (AexPending) derived = NULL;
  Step step = { 0 };

  derived = aex_pending_then (source, step_run, &step, step_release);
  g_assert_true (aex_pending_cancel (derived, NULL));
  g_assert_true (aex_pending_resolve_int64 (source, 1));
  aex_test_iterate_until (aex_test_is_set, &step.n_released);
  g_assert_cmpint (step.n_calls, ==, 0);
}

/* --- follow */

static void
test_follow_outcomes (void)
{
  for (AexPendingState state = AEX_PENDING_STATE_RESOLVED; state <= AEX_PENDING_STATE_CANCELLED; state++)
    {
      g_autoptr (AexPending) source = aex_pending_new ();
      g_autoptr (AexPending) follower = aex_pending_new ();
      g_autoptr (AexPending) late = aex_pending_new ();

      g_assert_true (aex_pending_follow (follower, source));
      g_assert_false (aex_pending_follow (follower, late));
      g_assert_false (aex_pending_is_done (follower));
      complete_as (source, state);
      g_assert_true (aex_pending_follow (late, source));
      g_assert_cmpint (aex_pending_get_state (follower), ==, state);
      g_assert_cmpint (aex_pending_get_state (late), ==, state);
      if (state == AEX_PENDING_STATE_RESOLVED)
        aex_assert_resolved_int64 (follower, 42);
      if (state == AEX_PENDING_STATE_REJECTED)
        {
          aex_assert_failed_with (follower, G_IO_ERROR, G_IO_ERROR_FAILED);
          aex_assert_failed_with (late, G_IO_ERROR, G_IO_ERROR_FAILED);
        }
    }
}

/* A promise that follows can still be completed otherwise. */
static void
test_follow_and_resolve (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) follower = aex_pending_new ();

  g_assert_true (aex_pending_follow (follower, source));
  g_assert_true (aex_pending_resolve_int64 (follower, 1));
  g_assert_true (aex_pending_resolve_int64 (source, 2));
  aex_assert_resolved_int64 (follower, 1);
}

static void
test_follow_too_late (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) done = new_resolved (1);

  g_assert_false (aex_pending_follow (done, source));
  aex_assert_resolved_int64 (done, 1);
  g_assert_cmpuint (G_OBJECT (source)->ref_count, ==, 1);
}

static void
test_ring_of_one (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_false (aex_pending_follow (pending, pending));
  aex_assert_state (pending, REJECTED);
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static void
test_ring_refused (void)
{
  g_autoptr (AexPending) a = aex_pending_new ();
  g_autoptr (AexPending) b = aex_pending_new ();
  g_autoptr (AexPending) c = aex_pending_new ();

  g_assert_true (aex_pending_follow (b, a));
  g_assert_true (aex_pending_follow (c, b));
  g_assert_false (aex_pending_follow (a, c));
  aex_assert_state (a, REJECTED);
  aex_assert_failed_with (a, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  /* The others were not wrong, they share the outcome. */
  aex_assert_failed_with (b, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (c, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static void
test_ring_through_derived (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) shield = aex_pending_shield (pending);
  g_autoptr (AexPending) all = aex_pending_all (shield, NULL);

  g_assert_false (aex_pending_follow (pending, all));
  aex_assert_failed_with (pending, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (shield, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (all, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static AexPending *
answer_itself (AexPending *done,
               gpointer    slot,
               GError    **error)
{
  return g_object_ref (*(AexPending **) slot);
}

static void
test_ring_through_then (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  g_autoptr (AexPending) further = NULL;

  derived = aex_pending_then (source, answer_itself, &derived, NULL);
  further = aex_pending_then (source, answer_itself, &derived, NULL);
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_test_run_until_done (derived);
  aex_test_run_until_done (further);
  aex_assert_failed_with (derived, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (further, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static void
test_ring_through_then_further (void)
{
  g_autoptr (AexPending) source = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  g_autoptr (AexPending) further = NULL;

  derived = aex_pending_then (source, answer_itself, &further, NULL);
  further = aex_pending_shield (derived);
  g_assert_true (aex_pending_resolve (source, NULL));
  aex_test_run_until_done (further);
  aex_assert_failed_with (derived, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  aex_assert_failed_with (further, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
}

static gboolean
do_nothing (AexPending   *job,
            GCancellable *cancellable,
            gpointer      data,
            GError      **error)
{
  return TRUE;
}

static gboolean
job_follows (AexPending   *job,
             GCancellable *cancellable,
             gpointer      inner,
             GError      **error)
{
  g_assert_true (aex_pending_follow (job, inner));
  g_assert_false (aex_pending_resolve_int64 (job, 1));
  return TRUE;
}

/* A job that follows ends with what it follows, after it has returned. */
static void
test_job_follows (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) inner = aex_pending_new ();
  g_autoptr (AexPending) job = aex_executor_submit (pool, job_follows, inner, NULL);
  g_autoptr (AexPending) behind = aex_executor_submit (pool, job_follows, inner, NULL);
  g_autoptr (AexPending) late = NULL;

  /* A job that follows keeps no worker. */
  late = aex_executor_submit (pool, do_nothing, NULL, NULL);
  aex_test_run_until_done (late);
  g_assert_false (aex_pending_is_done (job));
  g_assert_false (aex_pending_is_done (behind));
  g_assert_true (aex_pending_resolve_int64 (inner, 8));
  aex_test_run_until_done (job);
  aex_test_run_until_done (behind);
  aex_assert_resolved_int64 (job, 8);
  aex_assert_resolved_int64 (behind, 8);
  aex_test_shutdown (pool);
}

static void
add_follow (void)
{
  aex_test_add ("/pending/follow/outcomes", test_follow_outcomes);
  aex_test_add ("/pending/follow/and-resolve", test_follow_and_resolve);
  aex_test_add ("/pending/follow/too-late", test_follow_too_late);
  aex_test_add ("/pending/follow/job-follows", test_job_follows);
  aex_test_add ("/pending/edge/ring-of-one", test_ring_of_one);
  aex_test_add ("/pending/edge/ring-refused", test_ring_refused);
  aex_test_add ("/pending/edge/ring-through-derived", test_ring_through_derived);
  aex_test_add ("/pending/edge/ring-through-then", test_ring_through_then);
  aex_test_add ("/pending/edge/ring-through-then-further", test_ring_through_then_further);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (matches); i++)
    {
      g_autofree char *path = g_strconcat ("/pending/continuation/", matches[i].name, NULL);

      aex_test_add_data (path, &matches[i], test_match);
    }
  aex_test_add ("/pending/continuation/answer-pending", test_answer_pending);
  aex_test_add ("/pending/continuation/answer-done-pending", test_answer_done_pending);
  aex_test_add ("/pending/continuation/answer-error", test_answer_error);
  aex_test_add ("/pending/continuation/chain", test_chain);
  aex_test_add ("/pending/continuation/derived-dropped", test_derived_dropped);
  aex_test_add ("/pending/continuation/finally-once-though-cancelled", test_finally_once_though_cancelled);
  aex_test_add ("/pending/continuation/I8-fails-when-cancelled", test_fails_when_cancelled);
  aex_test_add ("/pending/continuation/then-not-called-when-cancelled", test_then_not_called_when_cancelled);
  aex_test_add ("/pending/K7/not-flattened", test_not_flattened);
  add_follow ();
  return aex_test_run ();
}
