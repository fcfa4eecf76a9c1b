/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Rule 8: AexContext, AexContextVar and their tokens; how they travel. */

static AexContextVar *
new_var (const char *name,
         gint64      default_value)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_set_int64 (g_value_init (&value, G_TYPE_INT64), default_value);
  return aex_context_var_new (name, &value);
}

static gint64
get_var (AexContextVar *var)
{
  GValue *value = aex_context_var_dup_value (var);
  gint64 result = value != NULL ? g_value_get_int64 (value) : G_MININT64;

  if (value != NULL)
    g_boxed_free (G_TYPE_VALUE, value);
  return result;
}

static AexContextToken *
set_var (AexContextVar *var,
         gint64         number)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_set_int64 (g_value_init (&value, G_TYPE_INT64), number);
  return aex_context_var_set (var, &value);
}

static void
assert_reset (AexContextVar   *var,
              AexContextToken *token)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_context_var_reset (var, token, &error));
  g_assert_no_error (error);
}

static void
set_and_forget (AexContextVar *var,
                gint64         number)
{
  aex_context_token_unref (set_var (var, number));
}

/* --- variables */

static void
test_default (void)
{
  g_autoptr (AexContextVar) var = new_var ("answer", 42);
  g_autoptr (AexContextVar) bare = aex_context_var_new ("bare", NULL);
  GValue *none = aex_context_var_dup_value (bare);

  g_assert_cmpstr (aex_context_var_get_name (var), ==, "answer");
  g_assert_cmpint (get_var (var), ==, 42);
  g_assert_true (G_VALUE_HOLDS_POINTER (none));
  g_assert_null (g_value_get_pointer (none));
  g_boxed_free (G_TYPE_VALUE, none);
}

static void
test_set_and_reset (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexContextToken) first = set_var (var, 1);
  g_autoptr (AexContextToken) second = NULL;

  g_assert_cmpint (get_var (var), ==, 1);
  second = set_var (var, 2);
  g_assert_cmpint (get_var (var), ==, 2);
  assert_reset (var, second);
  g_assert_cmpint (get_var (var), ==, 1);
  assert_reset (var, first);
  g_assert_cmpint (get_var (var), ==, 0);
}

static void
test_foreign_token (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexContextVar) other = new_var ("x", 0);
  g_autoptr (AexContextToken) token = set_var (var, 1);
  g_autoptr (AexContextToken) theirs = set_var (other, 2);
  g_autoptr (GError) error = NULL;

  g_assert_false (aex_context_var_reset (var, theirs, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  g_clear_error (&error);
  g_assert_cmpint (get_var (var), ==, 1);
  g_assert_cmpint (get_var (other), ==, 2);
  assert_reset (var, token);
  /* A token is good for one reset. */
  g_assert_false (aex_context_var_reset (var, token, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  assert_reset (other, theirs);
}

static gpointer
look_in_thread (gpointer var)
{
  g_assert_cmpint (get_var (var), ==, 0);
  set_and_forget (var, 2);
  g_assert_cmpint (get_var (var), ==, 2);
  return NULL;
}

/* Every thread has a context of its own. */
static void
test_threads_are_apart (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexContextToken) token = set_var (var, 1);

  aex_test_in_thread (look_in_thread, var);
  g_assert_cmpint (get_var (var), ==, 1);
  assert_reset (var, token);
}

static void
test_many_variables (void)
{
  AexContextVar *vars[50];
  AexContextToken *tokens[50];

  for (guint i = 0; i < G_N_ELEMENTS (vars); i++)
    {
      vars[i] = new_var ("n", -1);
      tokens[i] = set_var (vars[i], i);
    }
  for (guint i = 0; i < G_N_ELEMENTS (vars); i++)
    g_assert_cmpint (get_var (vars[i]), ==, i);
  for (guint i = G_N_ELEMENTS (vars); i > 0; i--)
    {
      assert_reset (vars[i - 1], tokens[i - 1]);
      g_assert_cmpint (get_var (vars[i - 1]), ==, -1);
      aex_context_token_unref (tokens[i - 1]);
      g_object_unref (vars[i - 1]);
    }
}

static void
test_object_values (void)
{
  g_autoptr (AexContextVar) var = aex_context_var_new ("object", NULL);
  g_autoptr (AexContextToken) token = NULL;
  g_auto (GValue) value = G_VALUE_INIT;
  int disposed;

  g_value_take_object (g_value_init (&value, G_TYPE_OBJECT), aex_test_object_new (&disposed));
  token = aex_context_var_set (var, &value);
  g_value_unset (&value);
  g_assert_cmpint (disposed, ==, 0);
  assert_reset (var, token);
  g_clear_pointer (&token, aex_context_token_unref);
  aex_test_iterate_until (aex_test_is_set, &disposed);
}

/* --- contexts */

typedef struct
{
  AexContextVar *var;
  gint64         seen;
  gint64         set_to;
  int            n_calls;
} Look;

static void
look (gpointer data)
{
  Look *self = data;

  self->n_calls++;
  self->seen = get_var (self->var);
  set_and_forget (self->var, self->set_to);
  g_assert_cmpint (get_var (self->var), ==, self->set_to);
}

static void
test_run (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexContextToken) token = set_var (var, 1);
  g_autoptr (AexContext) captured = aex_context_ref_current ();
  g_autoptr (AexContext) empty = aex_context_new ();
  Look self = { var, -1, 99, 0 };

  assert_reset (var, token);
  g_assert_cmpint (get_var (var), ==, 0);
  aex_context_run (captured, look, &self);
  g_assert_cmpint (self.n_calls, ==, 1);
  g_assert_cmpint (self.seen, ==, 1);
  g_assert_cmpint (get_var (var), ==, 0);
  /* What was set inside is lost: contexts are immutable. */
  aex_context_run (captured, look, &self);
  g_assert_cmpint (self.seen, ==, 1);
  set_and_forget (var, 5);
  aex_context_run (empty, look, &self);
  g_assert_cmpint (self.seen, ==, 0);
  g_assert_cmpint (get_var (var), ==, 5);
  set_and_forget (var, 0);
}

typedef struct
{
  AexContext *context;
  Look        look;
} Nested;

static void
run_nested (gpointer data)
{
  Nested *self = data;

  set_and_forget (self->look.var, 7);
  aex_context_run (self->context, look, &self->look);
  g_assert_cmpint (get_var (self->look.var), ==, 7);
}

static void
test_run_nested (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexContext) empty = aex_context_new ();
  Nested self = { empty, { var, -1, 99, 0 } };

  aex_context_run (empty, run_nested, &self);
  g_assert_cmpint (self.look.seen, ==, 0);
  g_assert_cmpint (get_var (var), ==, 0);
}

static void
test_boxed (void)
{
  g_autoptr (AexContext) context = aex_context_new ();
  AexContext *copy = g_boxed_copy (AEX_TYPE_CONTEXT, context);

  g_assert_true (G_TYPE_IS_BOXED (AEX_TYPE_CONTEXT));
  g_assert_true (G_TYPE_IS_BOXED (AEX_TYPE_CONTEXT_TOKEN));
  g_boxed_free (AEX_TYPE_CONTEXT, copy);
}

/* --- I10: travelling */

static gboolean
look_in_job (AexPending   *job,
             GCancellable *cancellable,
             gpointer      data,
             GError      **error)
{
  look (data);
  return TRUE;
}

static void
run_submission (AexExecutor *executor)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexPending) first = NULL;
  g_autoptr (AexPending) second = NULL;
  Look looks[2] = { { var, -1, 10, 0 }, { var, -1, 20, 0 } };

  set_and_forget (var, 1);
  first = aex_executor_submit (executor, look_in_job, &looks[0], NULL);
  set_and_forget (var, 2);
  second = aex_executor_submit (executor, look_in_job, &looks[1], NULL);
  set_and_forget (var, 0);
  aex_test_run_until_done (first);
  aex_test_run_until_done (second);
  g_assert_cmpint (looks[0].seen, ==, 1);
  g_assert_cmpint (looks[1].seen, ==, 2);
  g_assert_cmpint (get_var (var), ==, 0);
}

/* The job sees the submission, changes nothing outside, and leaves nothing
 * behind for the next job of that thread. */
static void
test_job_sees_submission (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  run_submission (pool);
  run_submission (AEX_EXECUTOR (caller));
  run_submission (pool);
  aex_test_shutdown (pool);
}

static void
test_context_option (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (AexContext) chosen = NULL;
  g_autoptr (AexPending) job = NULL;
  Look self = { var, -1, 10, 0 };

  set_and_forget (var, 3);
  chosen = aex_context_ref_current ();
  set_and_forget (var, 4);
  aex_submit_options_set_context (options, chosen);
  job = aex_executor_submit_full (pool, options, look_in_job, &self, NULL);
  aex_test_run_until_done (job);
  g_assert_cmpint (self.seen, ==, 3);
  set_and_forget (var, 0);
  aex_test_shutdown (pool);
}

static void
look_in_callback (AexPending *pending,
                  gpointer    data)
{
  look (data);
}

static AexPending *
look_in_then (AexPending *done,
              gpointer    data,
              GError    **error)
{
  look (data);
  return NULL;
}

static gpointer
resolve_elsewhere (gpointer data)
{
  gpointer *two = data;

  set_and_forget (two[1], 1000);
  g_assert_true (aex_pending_resolve (two[0], NULL));
  return NULL;
}

/* Callbacks see what was current when they were attached, not what the
 * completer or the job had. */
static void
test_callback_sees_attachment (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) derived = NULL;
  Look looks[3] = { { var, -1, 10, 0 }, { var, -1, 20, 0 }, { var, -1, 30, 0 } };
  gpointer two[] = { pending, var };

  set_and_forget (var, 1);
  aex_pending_add_done_callback (pending, look_in_callback, &looks[0], NULL);
  set_and_forget (var, 2);
  aex_pending_add_done_callback (pending, look_in_callback, &looks[1], NULL);
  set_and_forget (var, 3);
  derived = aex_pending_then (pending, look_in_then, &looks[2], NULL);
  set_and_forget (var, 4);
  aex_test_in_thread (resolve_elsewhere, two);
  aex_test_run_until_done (derived);
  aex_test_iterate_until (aex_test_is_set, &looks[1].n_calls);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (looks[i].seen, ==, i + 1);
  g_assert_cmpint (get_var (var), ==, 4);
  set_and_forget (var, 0);
}

static void
test_pending_keeps_context (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexContext) given = NULL;
  g_autoptr (AexPending) promise = NULL;
  g_autoptr (AexContext) kept = NULL;
  Look self = { var, -1, 99, 0 };

  set_and_forget (var, 8);
  given = aex_context_ref_current ();
  set_and_forget (var, 0);
  promise = aex_pending_new_full (AEX_PENDING_FLAGS_NONE, given);
  kept = aex_pending_dup_context (promise);
  g_assert_nonnull (kept);
  aex_context_run (kept, look, &self);
  g_assert_cmpint (self.seen, ==, 8);
  aex_pending_cancel (promise, NULL);
  aex_test_shutdown (pool);
}

typedef struct
{
  AexExecutor *pool;
  Look         look;
} Inner;

static gboolean
submit_in_job (AexPending   *job,
               GCancellable *cancellable,
               gpointer      data,
               GError      **error)
{
  Inner *self = data;
  g_autoptr (AexPending) inner = NULL;

  set_and_forget (self->look.var, get_var (self->look.var) + 1);
  inner = aex_executor_submit (self->pool, look_in_job, &self->look, NULL);
  return aex_pending_wait (inner, AEX_WAIT_FLAGS_NONE, -1, NULL, error);
}

/* A job's submissions inherit what it has made of its context; also when it
 * runs the inner job itself, inside its wait. */
static void
test_inherited (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  g_autoptr (AexPending) job = NULL;
  Inner self = { pool, { var, -1, 99, 0 } };

  set_and_forget (var, 5);
  job = aex_executor_submit (pool, submit_in_job, &self, NULL);
  set_and_forget (var, 0);
  aex_test_run_until_done (job);
  aex_assert_state (job, RESOLVED);
  g_assert_cmpint (self.look.seen, ==, 6);
  aex_test_shutdown (pool);
}

static gboolean
look_in_post (gpointer data,
              GError **error)
{
  look (data);
  g_main_context_wakeup (NULL);
  return TRUE;
}

/* post and call_direct do not capture. */
static void
test_post_does_not_capture (void)
{
  g_autoptr (AexContextVar) var = new_var ("x", 0);
  AexExecutor *pool = aex_test_pool (1);
  Look self = { var, -1, 10, 0 };

  set_and_forget (var, 1);
  aex_executor_post (pool, look_in_post, &self, NULL);
  aex_test_shutdown (pool);
  g_assert_cmpint (self.n_calls, ==, 1);
  g_assert_cmpint (self.seen, ==, 0);
  set_and_forget (var, 0);
}

/* Each test in a context that is gone afterwards. */
static void
run_test (gpointer func)
{
  (*(AexTestFunc *) func) ();
}

static void
run_apart (gconstpointer func)
{
  g_autoptr (AexContext) context = aex_context_new ();

  aex_context_run (context, run_test, (gpointer) func);
}

typedef struct
{
  const char *path;
  AexTestFunc func;
} Test;

static const Test tests[] = {
  { "/context/var/default", test_default },
  { "/context/var/set-and-reset", test_set_and_reset },
  { "/context/var/foreign-token", test_foreign_token },
  { "/context/var/threads-are-apart", test_threads_are_apart },
  { "/context/var/many-variables", test_many_variables },
  { "/context/var/object-values", test_object_values },
  { "/context/run/run", test_run },
  { "/context/run/nested", test_run_nested },
  { "/context/run/boxed", test_boxed },
  { "/context/I10/job-sees-submission", test_job_sees_submission },
  { "/context/rule8/context-option", test_context_option },
  { "/context/rule8/callback-sees-attachment", test_callback_sees_attachment },
  { "/context/K46/pending-keeps-context", test_pending_keeps_context },
  { "/context/rule8/inherited", test_inherited },
  { "/context/rule8/post-does-not-capture", test_post_does_not_capture },
};

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    aex_test_add_data (tests[i].path, &tests[i].func, run_apart);
  return aex_test_run ();
}
