/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-race.h"

/* Promises and what hangs on them, from four threads at once.  Jobs and
 * contexts: test-stress-races-jobs.c. */

#define ROUNDS 100000

/* Called and released at most once; nobody asks where. */
typedef struct
{
  int n_calls;
  int n_releases;
} Tally;

static void
tally_call (AexPending *pending,
            gpointer    data)
{
  Tally *self = data;

  g_assert_true (aex_pending_is_done (pending));
  g_assert_cmpint (g_atomic_int_get (&self->n_releases), ==, 0);
  g_atomic_int_inc (&self->n_calls);
}

static AexPending *
tally_then (AexPending *done,
            gpointer    data,
            GError    **error)
{
  tally_call (done, data);
  return NULL;
}

static void
tally_release (gpointer data)
{
  g_atomic_int_inc (&((Tally *) data)->n_releases);
  g_main_context_wakeup (NULL);
}

static gboolean
tally_is_released (gpointer data)
{
  return g_atomic_int_get (&((Tally *) data)->n_releases) > 0;
}

/* What is on its way to the main loop may still be in another thread's hands. */
static void
tally_settle (Tally *self)
{
  aex_test_iterate_until (tally_is_released, self);
  g_assert_cmpint (self->n_releases, ==, 1);
}

static void
observe (AexPending *pending)
{
  g_autoptr (GError) error = aex_pending_dup_error (pending);

  g_assert_true (error == NULL || error->message != NULL);
}

typedef struct
{
  AexPending   *source;
  AexPending   *other;
  AexPending   *third;
  GCancellable *cancellable;
  GObject      *object;
  GWeakRef      weak;
  gulong        id;
  Tally         tally;
  Tally         second;
  int           n_wins;
  gboolean      flag[4];
} State;

static void
state_clear (State *self)
{
  if (self->source != NULL)
    observe (self->source);
  if (self->other != NULL)
    observe (self->other);
  if (self->third != NULL)
    observe (self->third);
  g_clear_object (&self->source);
  g_clear_object (&self->other);
  g_clear_object (&self->third);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->object);
}

static void
setup_promise (gpointer data)
{
  State *self = data;

  self->source = aex_pending_new ();
  self->cancellable = g_cancellable_new ();
}

/* --- everybody completes */

static void
do_resolve (gpointer data)
{
  State *self = data;

  if (aex_pending_resolve_int64 (self->source, 1))
    g_atomic_int_inc (&self->n_wins);
}

static void
do_reject (gpointer data)
{
  State *self = data;

  if (aex_pending_reject_new (self->source, G_IO_ERROR, G_IO_ERROR_FAILED, "race"))
    g_atomic_int_inc (&self->n_wins);
}

static void
do_cancel (gpointer data)
{
  State *self = data;

  if (aex_pending_cancel (self->source, "race"))
    g_atomic_int_inc (&self->n_wins);
}

static void
do_attach (gpointer data)
{
  State *self = data;

  aex_pending_add_done_callback (self->source, tally_call, &self->tally, tally_release);
}

static void
check_one_winner (gpointer data)
{
  State *self = data;

  g_assert_true (aex_pending_is_done (self->source));
  g_assert_cmpint (self->n_wins, ==, 1);
  tally_settle (&self->tally);
  g_assert_cmpint (self->tally.n_calls, ==, 1);
  state_clear (self);
}

/* --- two wait, one of them may be told to stop, one completes */

static void
do_wait (gpointer data)
{
  State *self = data;

  self->flag[0] = aex_pending_wait (self->source, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  g_assert_true (aex_pending_is_done (self->source));
}

static void
do_wait_cancellable (gpointer data)
{
  State *self = data;
  g_autoptr (GError) error = NULL;

  self->flag[1] = aex_pending_wait (self->source, AEX_WAIT_FLAGS_NONE, -1, self->cancellable, &error);
  if (!self->flag[1])
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
do_cancel_cancellable (gpointer data)
{
  g_cancellable_cancel (((State *) data)->cancellable);
}

static void
check_waits (gpointer data)
{
  State *self = data;

  g_assert_true (self->flag[0]);
  aex_assert_resolved_int64 (self->source, 1);
  state_clear (self);
}

/* --- a callback is taken away while it may be called */

static void
setup_callback (gpointer data)
{
  State *self = data;

  setup_promise (data);
  self->id = aex_pending_add_done_callback (self->source, tally_call, &self->tally, tally_release);
}

static void
do_remove (gpointer data)
{
  State *self = data;

  self->flag[0] = aex_pending_remove_done_callback (self->source, self->id);
}

static void
do_remove_too (gpointer data)
{
  State *self = data;

  self->flag[1] = aex_pending_remove_done_callback (self->source, self->id);
}

static void
do_attach_second (gpointer data)
{
  State *self = data;

  aex_pending_add_done_callback (self->source, tally_call, &self->second, tally_release);
}

static void
check_removed (gpointer data)
{
  State *self = data;

  tally_settle (&self->tally);
  tally_settle (&self->second);
  g_assert_false (self->flag[0] && self->flag[1]);
  g_assert_cmpint (self->tally.n_calls, ==, self->flag[0] || self->flag[1] ? 0 : 1);
  g_assert_cmpint (self->second.n_calls, ==, 1);
  state_clear (self);
}

/* --- cancel_on: the cancellable, the completion, the last reference */

static void
do_cancel_on (gpointer data)
{
  State *self = data;

  aex_pending_cancel_on (self->source, self->cancellable);
}

static void
check_cancel_on (gpointer data)
{
  State *self = data;

  g_assert_true (aex_pending_is_done (self->source));
  state_clear (self);
}

static void
setup_cancel_on (gpointer data)
{
  State *self = data;

  setup_promise (data);
  self->other = aex_pending_new ();
  aex_pending_cancel_on (self->other, self->cancellable);
}

static void
do_drop_other (gpointer data)
{
  g_clear_object (&((State *) data)->other);
}

/* --- weak references */

static void
setup_weak (gpointer data)
{
  State *self = data;

  self->source = aex_pending_new ();
  g_weak_ref_init (&self->weak, self->source);
  aex_pending_add_done_callback (self->source, tally_call, &self->tally, tally_release);
}

static void
do_weak_get (gpointer data)
{
  State *self = data;
  g_autoptr (AexPending) pending = g_weak_ref_get (&self->weak);

  if (pending != NULL)
    aex_pending_resolve_int64 (pending, 3);
}

static void
do_drop_source (gpointer data)
{
  State *self = data;

  g_object_unref (self->source);
}

static void
check_weak (gpointer data)
{
  State *self = data;

  tally_settle (&self->tally);
  g_assert_null (g_weak_ref_get (&self->weak));
  g_weak_ref_clear (&self->weak);
}

/* --- two pendings that would follow each other */

static void
setup_pair (gpointer data)
{
  State *self = data;

  self->source = aex_pending_new ();
  self->other = aex_pending_new ();
  self->third = aex_pending_new ();
}

static void
do_follow_there (gpointer data)
{
  State *self = data;

  self->flag[0] = aex_pending_follow (self->source, self->other);
}

static void
do_follow_on (gpointer data)
{
  State *self = data;

  self->flag[1] = aex_pending_follow (self->other, self->third);
}

static void
do_follow_back (gpointer data)
{
  State *self = data;

  self->flag[2] = aex_pending_follow (self->third, self->source);
}

/* Whoever would have closed the ring was refused: all are done. */
static void
check_pair (gpointer data)
{
  State *self = data;

  g_assert_cmpint (self->flag[0] + self->flag[1] + self->flag[2], <, 3);
  g_assert_true (aex_pending_is_done (self->source));
  g_assert_true (aex_pending_is_done (self->other));
  g_assert_true (aex_pending_is_done (self->third));
  aex_assert_failed_with (self->source, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  state_clear (self);
}

/* --- one pending, two to follow */

static void
do_follow_other (gpointer data)
{
  State *self = data;

  self->flag[0] = aex_pending_follow (self->source, self->other);
}

static void
do_follow_third (gpointer data)
{
  State *self = data;

  self->flag[1] = aex_pending_follow (self->source, self->third);
}

static void
check_followed (gpointer data)
{
  State *self = data;

  g_assert_cmpint (self->flag[0] + self->flag[1], ==, 1);
  g_assert_false (aex_pending_is_done (self->source));
  aex_pending_resolve_int64 (self->other, 1);
  aex_pending_resolve_int64 (self->third, 2);
  aex_assert_resolved_int64 (self->source, self->flag[0] ? 1 : 2);
  state_clear (self);
}

/* --- derived pendings: one is cancelled, one attached, the source completed */

static void
setup_derived (gpointer data)
{
  State *self = data;

  self->source = aex_pending_new ();
  self->other = aex_pending_then (self->source, tally_then, &self->tally, tally_release);
}

static void
do_cancel_derived (gpointer data)
{
  aex_pending_cancel (((State *) data)->other, NULL);
}

static void
do_derive (gpointer data)
{
  State *self = data;

  self->third = aex_pending_finally (self->source, tally_then, &self->second, tally_release);
}

static void
check_derived (gpointer data)
{
  State *self = data;

  tally_settle (&self->tally);
  tally_settle (&self->second);
  g_assert_cmpint (self->second.n_calls, ==, 1);
  g_assert_cmpint (self->tally.n_calls, <=, 1);
  aex_test_run_until_done (self->other);
  aex_test_run_until_done (self->third);
  state_clear (self);
}

/* --- the last reference goes while derived pendings are cancelled and made */

static void
setup_abandon (gpointer data)
{
  State *self = data;

  setup_derived (data);
  self->third = aex_pending_shield (self->source);
}

static void
check_abandon (gpointer data)
{
  State *self = data;

  self->source = NULL;
  tally_settle (&self->tally);
  g_assert_cmpint (self->tally.n_calls, ==, 0);
  g_assert_true (aex_pending_is_done (self->third));
  aex_assert_failed_with (self->third, AEX_ERROR, AEX_ERROR_ABANDONED);
  g_assert_true (self->other == NULL || aex_pending_is_done (self->other));
  state_clear (self);
}

/* What was derived and dropped ends as abandoned, and nobody observes it. */
static void
begin_log (void)
{
  aex_test_log_begin ();
}

static void
end_log (void)
{
  g_ptr_array_unref (aex_test_log_end ());
}

/* --- target objects */

static void
setup_target (gpointer data)
{
  State *self = data;

  self->source = aex_pending_new ();
  self->object = aex_test_object_new (NULL);
  aex_pending_cancel_with (self->source, self->object);
  self->id = aex_pending_add_done_callback_object (self->source, self->object, tally_call, &self->tally,
                                                   tally_release);
}

static void
do_drop_object (gpointer data)
{
  g_clear_object (&((State *) data)->object);
}

static void
check_target (gpointer data)
{
  State *self = data;

  tally_settle (&self->tally);
  g_assert_cmpint (self->tally.n_calls, <=, 1);
  if (self->flag[0])
    g_assert_cmpint (self->tally.n_calls, ==, 0);
  g_assert_true (aex_pending_is_done (self->source));
  state_clear (self);
}

/* --- a wait looks where a continuation would run, which is given up */

static void
setup_continuation (gpointer data)
{
  State *self = data;

  self->source = aex_pending_new ();
  self->third = aex_pending_add_continuation (self->source, AEX_THEN_FLAGS_ON_SUCCESS, tally_then, &self->tally, tally_release);
}

static void
do_wait_derived (gpointer data)
{
  State *self = data;

  aex_pending_wait (self->third, AEX_WAIT_FLAGS_NONE, -1, NULL, NULL);
  g_assert_true (aex_pending_is_done (self->third));
  self->flag[0] = TRUE;
}

/* --- combinators */

static void
setup_all (gpointer data)
{
  State *self = data;
  AexPending *members[2];

  self->source = members[0] = aex_pending_new ();
  self->other = members[1] = aex_pending_new ();
  self->third = aex_pending_all_settledv (members, 2);
}

static void
do_resolve_other (gpointer data)
{
  aex_pending_resolve_int64 (((State *) data)->other, 2);
}

static void
do_cancel_whole (gpointer data)
{
  aex_pending_cancel (((State *) data)->third, NULL);
}

static void
check_all (gpointer data)
{
  State *self = data;

  g_assert_true (aex_pending_is_done (self->source));
  g_assert_true (aex_pending_is_done (self->other));
  g_assert_true (aex_pending_is_done (self->third));
  state_clear (self);
}

static const AexRace races[] = {
  { "/stress/races/complete", ROUNDS, sizeof (State), setup_promise,
    { do_resolve, do_reject, do_cancel, do_attach }, check_one_winner },
  { "/stress/races/wait", ROUNDS, sizeof (State), setup_promise,
    { do_wait, do_wait_cancellable, do_cancel_cancellable, do_resolve }, check_waits },
  { "/stress/races/remove-callback", ROUNDS, sizeof (State), setup_callback,
    { do_remove, do_remove_too, do_attach_second, do_resolve }, check_removed },
  { "/stress/races/cancel-on", ROUNDS, sizeof (State), setup_cancel_on,
    { do_cancel_on, do_cancel_cancellable, do_resolve, do_drop_other }, check_cancel_on },
  { "/stress/races/weak-ref", ROUNDS, sizeof (State), setup_weak,
    { do_weak_get, do_weak_get, do_drop_source }, check_weak },
  { "/stress/races/follow-ring", ROUNDS, sizeof (State), setup_pair,
    { do_follow_there, do_follow_on, do_follow_back }, check_pair },
  { "/stress/races/follow-two", ROUNDS, sizeof (State), setup_pair,
    { do_follow_other, do_follow_third }, check_followed },
  { "/stress/races/derived", ROUNDS, sizeof (State), setup_derived,
    { do_cancel_derived, do_derive, do_resolve }, check_derived },
  { "/stress/races/abandon", ROUNDS, sizeof (State), setup_abandon,
    { do_drop_source, do_drop_other }, check_abandon, begin_log, end_log },
  { "/stress/races/target", ROUNDS, sizeof (State), setup_target,
    { do_drop_object, do_resolve, do_remove }, check_target },
  { "/stress/races/R10/wait-for-continuation", ROUNDS, sizeof (State), setup_continuation,
    { do_wait_derived, do_reject }, check_target },
  { "/stress/races/all", ROUNDS, sizeof (State), setup_all,
    { do_resolve, do_resolve_other, do_cancel_whole }, check_all },
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_set_watchdog (300);
  for (guint i = 0; i < G_N_ELEMENTS (races); i++)
    aex_race_add (&races[i]);
  return aex_test_run ();
}
