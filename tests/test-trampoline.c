/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"

/* R10: how a binding runs jobs without a closure for each.  Every token comes back once, called or released. */

#define TOKEN 40

typedef struct
{
  GThread *thread;       /* of the calls that release */
  int      n_called;     /* atomic */
  int      n_released;   /* atomic */
  guint64  token;
} Bounce;

static gboolean
bounce (AexPending *pending,
        guint64     token,
        gpointer    user_data,
        GError    **error)
{
  Bounce *self = user_data;

  self->token = token;
  if (pending == NULL)
    {
      g_assert_true (self->thread == g_thread_self ());
      g_atomic_int_inc (&self->n_released);
      return TRUE;
    }
  g_atomic_int_inc (&self->n_called);
  if (!aex_pending_is_done (pending))
    aex_pending_resolve_int64 (pending, (gint64) token);
  return TRUE;
}

static void
bounce_init (Bounce *self)
{
  *self = (Bounce) { .thread = g_thread_self () };
}

static void
assert_counts (Bounce *self,
               int     n_called,
               int     n_released)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_called), ==, n_called);
  g_assert_cmpint (g_atomic_int_get (&self->n_released), ==, n_released);
  g_assert_cmpuint (self->token, ==, TOKEN);
}

static void
test_submit (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexTrampoline) trampoline = NULL;
  g_autoptr (AexPending) job = NULL;
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  job = aex_trampoline_submit (trampoline, pool, NULL, TOKEN);
  aex_test_wait (job);
  aex_assert_resolved_int64 (job, TOKEN);
  aex_test_shutdown (pool);
  aex_test_drain ();
  assert_counts (&self, 1, 0);
}

/* On the thread that submitted it, in a dispatch, though a worker finds it dead. */
static void
test_never_started (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexTrampoline) trampoline = NULL;
  g_autoptr (AexPending) blocker = NULL;
  g_autoptr (AexPending) job = NULL;
  AexBlock block;
  Bounce self;

  bounce_init (&self);
  aex_block_init (&block);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  blocker = aex_executor_submit (pool, aex_block_job, &block, NULL);
  aex_gate_wait (&block.started);
  job = aex_trampoline_submit (trampoline, pool, NULL, TOKEN);
  g_assert_true (aex_pending_cancel (job, NULL));
  aex_gate_open (&block.release);
  aex_test_shutdown (pool);
  aex_test_iterate_until (aex_test_is_set, &self.n_released);
  assert_counts (&self, 0, 1);
  aex_block_clear (&block);
}

static void
test_call_later (void)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  g_autoptr (AexTrampoline) trampoline = NULL;
  g_autoptr (AexPending) job = NULL;
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  job = aex_trampoline_call_later (trampoline, caller, 1000, TOKEN);
  aex_test_run_until_done (job);
  aex_assert_resolved_int64 (job, TOKEN);
  assert_counts (&self, 1, 0);
}

static void
test_done_callback (gconstpointer at_once)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexTrampoline) trampoline = NULL;
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  g_assert_cmpuint (aex_trampoline_add_done_callback (trampoline, pending, at_once != NULL, TOKEN), !=, 0);
  aex_pending_resolve_int64 (pending, 1);
  g_assert_cmpint (self.n_called, ==, at_once != NULL);
  aex_test_iterate_until (aex_test_is_set, &self.n_called);
  assert_counts (&self, 1, 0);
}

static void
test_done_callback_removed (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexTrampoline) trampoline = NULL;
  gulong id;
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  id = aex_trampoline_add_done_callback (trampoline, pending, FALSE, TOKEN);
  g_assert_true (aex_pending_remove_done_callback (pending, id));
  aex_test_iterate_until (aex_test_is_set, &self.n_released);
  assert_counts (&self, 0, 1);
}

/* Who only watches keeps no pending from being cancelled with what was derived from it. */
static void
test_watch (void)
{
  g_autoptr (AexTrampoline) trampoline = NULL;
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) other = aex_pending_new ();
  AexPending *members[] = { pending, other };
  g_autoptr (AexPending) all = aex_pending_allv (members, 2);
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  g_assert_cmpuint (aex_trampoline_watch (trampoline, pending, TOKEN), !=, 0);
  g_assert_cmpuint (aex_trampoline_add_done_callback (trampoline, other, FALSE, TOKEN), !=, 0);
  g_assert_true (aex_pending_cancel (all, NULL));
  aex_assert_cancelled (pending);
  g_assert_false (aex_pending_is_cancelled (other));
  aex_test_drain ();
  assert_counts (&self, 1, 0);
  aex_pending_resolve (other, NULL);
  aex_test_drain ();
  assert_counts (&self, 2, 0);
}

static void
test_resolve (void)
{
  g_autoptr (AexTrampoline) trampoline = NULL;
  g_autoptr (AexTrampoline) other = NULL;
  AexPending *pending = aex_pending_new ();
  AexPending *shield = aex_pending_shield (pending);
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  other = aex_trampoline_new (bounce, &self, NULL);
  g_assert_cmpuint (aex_trampoline_peek (trampoline, pending), ==, AEX_TRAMPOLINE_OUTCOME_NONE);
  g_assert_true (aex_trampoline_resolve (trampoline, pending, TOKEN));
  g_assert_cmpuint (aex_trampoline_peek (trampoline, pending), ==, TOKEN);
  g_assert_cmpuint (aex_trampoline_peek (trampoline, shield), ==, TOKEN);
  g_assert_cmpuint (aex_trampoline_peek (other, pending), ==, AEX_TRAMPOLINE_OUTCOME_VALUE);
  g_object_unref (pending);
  g_assert_cmpint (self.n_released, ==, 0);
  g_object_unref (shield);
  aex_test_drain ();
  assert_counts (&self, 0, 1);
}

/* Waits and looks in one call; says nothing of why there is no outcome. */
static void
test_wait (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPending) never = aex_pending_new ();
  g_autoptr (AexPending) job = NULL, cancelled = aex_pending_new ();
  g_autoptr (AexTrampoline) trampoline = NULL;
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  job = aex_executor_submit (pool, aex_job_int, GINT_TO_POINTER (5), NULL);
  g_assert_cmpuint (aex_trampoline_wait (trampoline, job, -1), ==, AEX_TRAMPOLINE_OUTCOME_VALUE);
  g_assert_cmpuint (aex_trampoline_wait (trampoline, never, 0), ==, AEX_TRAMPOLINE_OUTCOME_NONE);
  aex_pending_cancel (cancelled, NULL);
  g_assert_cmpuint (aex_trampoline_wait (trampoline, cancelled, -1), ==, AEX_TRAMPOLINE_OUTCOME_FAILED);
  aex_test_shutdown (pool);
  g_assert_cmpint (self.n_called + self.n_released, ==, 0);
}

static void
test_resolve_lost (void)
{
  g_autoptr (AexPending) pending = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) failed = aex_pending_new ();
  g_autoptr (AexTrampoline) trampoline = NULL;
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  g_assert_false (aex_trampoline_resolve (trampoline, pending, TOKEN));
  g_assert_cmpuint (aex_trampoline_peek (trampoline, pending), ==, AEX_TRAMPOLINE_OUTCOME_VALUE);
  aex_pending_cancel (failed, NULL);
  g_assert_cmpuint (aex_trampoline_peek (trampoline, failed), ==, AEX_TRAMPOLINE_OUTCOME_FAILED);
  aex_test_drain ();
  assert_counts (&self, 0, 1);
}

/* What a worker lets go of goes home, where somebody runs. */
static gboolean
drop_job (AexPending   *job,
          GCancellable *cancellable,
          gpointer      pending,
          GError      **error)
{
  g_object_unref (pending);
  return TRUE;
}

static void
test_released_at_owner (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexTrampoline) trampoline = NULL;
  g_autoptr (AexPending) job = NULL;
  AexPending *pending = aex_pending_new ();
  Bounce self;

  bounce_init (&self);
  trampoline = aex_trampoline_new (bounce, &self, NULL);
  g_assert_true (aex_trampoline_resolve (trampoline, pending, TOKEN));
  /* This thread runs its context: a job that another thread ends may not do it there. */
  g_assert_true (g_main_context_acquire (NULL));
  job = aex_executor_submit (pool, drop_job, pending, NULL);
  aex_test_shutdown (pool);
  aex_test_iterate_until (aex_test_is_set, &self.n_released);
  g_main_context_release (NULL);
  assert_counts (&self, 0, 1);
}

/* The thread of a pool calls this, though the data is the owner's; and it outlives the trampoline. */
static gboolean
bounce_poison (AexPending *pending,
               guint64     token,
               gpointer    poison,
               GError    **error)
{
  return TRUE;
}

static void
test_destroy (void)
{
  AexExecutor *pool = aex_test_pool (1);
  AexTrampoline *trampoline;
  AexPoison poison;

  aex_poison_init (&poison);
  trampoline = aex_trampoline_new (bounce_poison, &poison, aex_poison_release);
  g_object_unref (aex_trampoline_submit (trampoline, pool, NULL, TOKEN));
  g_object_unref (trampoline);
  aex_test_shutdown (pool);
  aex_test_iterate_until (aex_poison_is_released, &poison);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
}

/* --- run at once, and again from inside: each time where it was said, and nowhere else after it */
typedef struct
{
  AexTrampoline *trampoline;
  AexContextVar *var;
  AexScope      *scope;
  int            seen;          /* of the variable, outside of the scope */
  gboolean       limited;       /* inside of it */
} Inside;

static gboolean
run_inside (AexPending *pending,
            guint64     token,
            gpointer    user_data,
            GError    **error)
{
  Inside *self = user_data;

  g_assert_null (pending);
  if (token == TOKEN)
    {
      self->seen = aex_test_var_get (self->var);
      aex_test_var_set (self->var, 99);
      aex_trampoline_run_in_scope (self->trampoline, self->scope, TOKEN + 1);
      g_assert_true (aex_check_cancelled (NULL));
      return TRUE;
    }
  g_assert_cmpint (aex_test_var_get (self->var), ==, 99);
  self->limited = !aex_check_cancelled (NULL);
  return TRUE;
}

static void
test_run (void)
{
  g_autoptr (AexContext) context = aex_context_new ();
  Inside self = { .var = aex_test_var_new (7), .scope = aex_scope_new (-1, AEX_SCOPE_FLAGS_NONE) };

  aex_scope_cancel (self.scope);
  self.trampoline = aex_trampoline_new (run_inside, &self, NULL);
  aex_trampoline_run_in_context (self.trampoline, context, TOKEN);
  g_assert_cmpint (self.seen, ==, 7);
  g_assert_true (self.limited);
  g_assert_cmpint (aex_test_var_get (self.var), ==, 7);
  aex_scope_leave (self.scope);
  g_object_unref (self.trampoline);
  g_object_unref (self.var);
  aex_test_drain ();
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/trampoline/R10/submit", test_submit);
  aex_test_add ("/trampoline/R6/never-started", test_never_started);
  aex_test_add ("/trampoline/K24/call-later", test_call_later);
  aex_test_add_data ("/trampoline/K56/done-callback", NULL, test_done_callback);
  aex_test_add_data ("/trampoline/K56/done-callback-at-once", "at once", test_done_callback);
  aex_test_add ("/trampoline/R6/done-callback-removed", test_done_callback_removed);
  aex_test_add ("/trampoline/K51/watch", test_watch);
  aex_test_add ("/trampoline/N6-I10/run", test_run);
  aex_test_add ("/trampoline/R4/resolve", test_resolve);
  aex_test_add ("/trampoline/K47/resolve-lost", test_resolve_lost);
  aex_test_add ("/trampoline/K47/wait", test_wait);
  aex_test_add ("/trampoline/R7/released-at-owner", test_released_at_owner);
  aex_test_add ("/trampoline/X4/aex_trampoline_new", test_destroy);
  return aex_test_run ();
}
