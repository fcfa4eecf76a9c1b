/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"
#include "lib/aex-jobs.h"
#include "lib/aex-operation-test.h"

/* Named operations: sets, and what is checked before and after a call. */

#define KEYS "{'text': (signature 's', true), 'times': (signature 'u', false)}"

static gboolean
op_repeat (AexPending   *job,
           GVariant     *parameters,
           GCancellable *cancellable,
           gpointer      user_data,
           GError      **error)
{
  g_autoptr (GString) result = g_string_new (NULL);
  const char *text = NULL;
  guint32 times = 1;

  g_variant_lookup (parameters, "text", "&s", &text);
  g_variant_lookup (parameters, "times", "u", &times);
  for (guint32 i = 0; i < times; i++)
    g_string_append (result, text);
  aex_pending_resolve_variant (job, g_variant_new_string (result->str));
  return TRUE;
}

static gboolean
op_plain_number (AexPending   *job,
                 GVariant     *parameters,
                 GCancellable *cancellable,
                 gpointer      user_data,
                 GError      **error)
{
  aex_pending_resolve_int64 (job, 1);
  return TRUE;
}

/* Follows the pending that it was added with. */
static gboolean
op_follow (AexPending   *job,
           GVariant     *parameters,
           GCancellable *cancellable,
           gpointer      pending,
           GError      **error)
{
  aex_pending_follow (job, pending);
  return TRUE;
}

static gboolean
op_fail (AexPending   *job,
         GVariant     *parameters,
         GCancellable *cancellable,
         gpointer      user_data,
         GError      **error)
{
  return aex_job_fail (job, cancellable, user_data, error);
}

static gboolean
op_block (AexPending   *job,
          GVariant     *parameters,
          GCancellable *cancellable,
          gpointer      block,
          GError      **error)
{
  AexBlock *self = block;

  aex_gate_open (&self->started);
  aex_gate_wait (&self->release);
  return TRUE;
}

static gboolean
op_until_cancelled (AexPending   *job,
                    GVariant     *parameters,
                    GCancellable *cancellable,
                    gpointer      gate,
                    GError      **error)
{
  return aex_job_until_cancelled (job, cancellable, gate, error);
}

/* --- helpers */

static void
add_repeat (AexOperations *set)
{
  g_autoptr (GError) error = NULL;
  gboolean added = aex_operations_add_with_keys (set, "repeat", g_variant_new_parsed (KEYS), G_VARIANT_TYPE_STRING, op_repeat, NULL, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (added);
}

static void
assert_fails (AexPending *call,
              GQuark      domain,
              int         code,
              const char *first,
              const char *second)
{
  g_autoptr (AexPending) taken = call;
  g_autoptr (GError) error = NULL;

  aex_test_wait (taken);
  error = aex_pending_dup_error (taken);
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, first));
  if (second != NULL)
    g_assert_nonnull (strstr (error->message, second));
}

/* --- sets */

static void
test_add_and_lookup (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  g_autoptr (GVariantType) parameter_type = NULL;
  g_autoptr (GVariantType) result_type = NULL;
  GVariantType *no_type = (GVariantType *) G_VARIANT_TYPE_ANY;
  g_auto (GStrv) names = NULL;
  g_autofree char *joined = NULL;

  aex_add_operation (set, "double", "i", "i", aex_op_double, NULL);
  aex_add_operation (set, "b", "()", "()", aex_op_nothing, NULL);
  aex_add_operation (set, "a", "()", "()", aex_op_nothing, NULL);
  g_assert_true (aex_operations_lookup (set, "double", &parameter_type, &result_type));
  g_assert_true (g_variant_type_equal (parameter_type, G_VARIANT_TYPE_INT32));
  g_assert_true (g_variant_type_equal (result_type, G_VARIANT_TYPE_INT32));
  g_assert_true (aex_operations_lookup (set, "double", NULL, NULL));
  g_assert_false (aex_operations_lookup (set, "other", &no_type, NULL));
  g_assert_null (no_type);
  g_assert_null (aex_operations_dup_keys (set, "double"));
  names = aex_operations_list (set);
  joined = g_strjoinv (" ", names);
  g_assert_cmpstr (joined, ==, "a b double");
  g_assert_true (aex_operations_remove (set, "b"));
  g_assert_false (aex_operations_remove (set, "b"));
  g_assert_false (aex_operations_lookup (set, "b", NULL, NULL));
}

static void
test_refused (void)
{
  static const struct { const char *name, *parameters, *result; int code; } bad[] = {
    { "", "()", "()", AEX_ERROR_INVALID_ARGUMENT },
    { "\xff", "()", "()", AEX_ERROR_INVALID_ARGUMENT },
    { "x", "a*", "()", AEX_ERROR_INVALID_ARGUMENT },
    { "x", "()", "?", AEX_ERROR_INVALID_ARGUMENT },
    { "taken", "()", "()", AEX_ERROR_EXISTS },
  };
  g_autoptr (AexOperations) set = aex_operations_new ();

  aex_add_operation (set, "taken", "()", "()", aex_op_nothing, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      AexPoison poison;

      aex_poison_init (&poison);
      g_assert_false (aex_operations_add (set, bad[i].name, G_VARIANT_TYPE (bad[i].parameters), G_VARIANT_TYPE (bad[i].result),
                                          aex_op_nothing, &poison, aex_poison_release, &error));
      g_assert_error (error, AEX_ERROR, bad[i].code);
      aex_test_iterate_until (aex_poison_is_released, &poison);
    }
}

static void
test_refused_keys (void)
{
  static const char *const bad[] = { "{'a': 's'}", "{'a': (signature 'a*', true)}", "{'a': (signature 'ss', true)}", "{'a': (signature '', true)}" };
  g_autoptr (AexOperations) set = aex_operations_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) keys = g_variant_parse (NULL, bad[i], NULL, NULL, NULL);

      if (keys == NULL)
        continue;
      g_assert_false (aex_operations_add_with_keys (set, "x", keys, G_VARIANT_TYPE_STRING, op_repeat, NULL, NULL, &error));
      g_assert_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
    }
  g_assert_false (aex_operations_lookup (set, "x", NULL, NULL));
}

static void
test_keys_are_told (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  g_autoptr (GVariantType) parameter_type = NULL;
  g_autoptr (GVariant) keys = NULL;
  const char *type;
  gboolean required;

  add_repeat (set);
  g_assert_true (aex_operations_lookup (set, "repeat", &parameter_type, NULL));
  g_assert_true (g_variant_type_equal (parameter_type, G_VARIANT_TYPE_VARDICT));
  keys = aex_operations_dup_keys (set, "repeat");
  g_assert_true (g_variant_lookup (keys, "text", "(&gb)", &type, &required));
  g_assert_cmpstr (type, ==, "s");
  g_assert_true (required);
  g_assert_true (g_variant_lookup (keys, "times", "(&gb)", &type, &required));
  g_assert_cmpstr (type, ==, "u");
  g_assert_false (required);
}

static void
test_default_set (void)
{
  static const char *const shipped[] = { "file-checksum", "file-load", "file-save", "file-walk" };
  AexOperations *set = aex_operations_get_default ();
  g_autoptr (AexExecutor) executor = aex_executor_ref_default ();
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  g_assert_true (set == aex_operations_get_default ());
  g_assert_true (aex_executor_get_operations (executor) == set);
  g_assert_true (aex_executor_get_operations (AEX_EXECUTOR (caller)) == set);
  for (gsize i = 0; i < G_N_ELEMENTS (shipped); i++)
    g_assert_true (aex_operations_lookup (set, shipped[i], NULL, NULL));
  aex_executor_set_default (NULL);
}

/* --- calls */

static void
test_call (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);

  aex_add_operation (set, "double", "i", "i", aex_op_double, NULL);
  aex_add_operation (set, "nothing", "()", "()", aex_op_nothing, NULL);
  add_repeat (set);
  aex_assert_gives (aex_executor_call (pool, "double", g_variant_new_int32 (21)), "42");
  aex_assert_gives (aex_executor_call (pool, "nothing", NULL), "()");
  aex_assert_gives (aex_executor_call (pool, "nothing", g_variant_new_tuple (NULL, 0)), "()");
  aex_assert_gives (aex_executor_call (pool, "repeat", g_variant_new_parsed ("{'text': <'ab'>}")), "'ab'");
  aex_assert_gives (aex_executor_call (pool, "repeat", g_variant_new_parsed ("{'text': <'ab'>, 'times': <uint32 3>}")), "'ababab'");
  aex_test_shutdown (pool);
}

static void
test_parameters_checked (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);
  const GQuark domain = AEX_ERROR;
  const int code = AEX_ERROR_INVALID_ARGUMENT;

  aex_add_operation (set, "double", "i", "i", aex_op_double, NULL);
  add_repeat (set);
  assert_fails (aex_executor_call (pool, "double", g_variant_new_string ("21")), domain, code, "double", "type i, not s");
  assert_fails (aex_executor_call (pool, "double", NULL), domain, code, "double", "type i, not ()");
  assert_fails (aex_executor_call (pool, "repeat", NULL), domain, code, "“text”", "type s");
  assert_fails (aex_executor_call (pool, "repeat", g_variant_new_parsed ("{'text': <5>}")), domain, code, "“text”", "type s, not i");
  assert_fails (aex_executor_call (pool, "repeat", g_variant_new_parsed ("{'text': <'a'>, 'time': <uint32 3>}")), domain, code, "“time”", "times (u)");
  assert_fails (aex_executor_call (pool, "repeat", g_variant_new_parsed ("{'text': <'a'>, 'times': <3>}")), domain, code, "“times”", "type u, not i");
  aex_test_shutdown (pool);
}

static void
test_not_found (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);

  assert_fails (aex_executor_call (pool, "file-load", g_variant_new_parsed ("{'path': <b'/'>}")), AEX_ERROR, AEX_ERROR_NOT_FOUND,
                "“file-load”", "load the module that has it");
  aex_test_shutdown (pool);
}

static void
test_result_checked (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);

  aex_add_operation (set, "other-type", "i", "s", aex_op_double, NULL);
  aex_add_operation (set, "no-variant", "()", "x", op_plain_number, NULL);
  aex_add_operation (set, "none", "()", "s", aex_op_nothing, NULL);
  aex_add_operation (set, "not-empty", "()", "()", op_plain_number, NULL);
  assert_fails (aex_executor_call (pool, "other-type", g_variant_new_int32 (1)), AEX_ERROR, AEX_ERROR_MISMATCH, "“other-type”", "type s, and gave one of type i");
  assert_fails (aex_executor_call (pool, "no-variant", NULL), AEX_ERROR, AEX_ERROR_MISMATCH, "“no-variant”", "type x");
  assert_fails (aex_executor_call (pool, "none", NULL), AEX_ERROR, AEX_ERROR_MISMATCH, "“none”", "type s");
  assert_fails (aex_executor_call (pool, "not-empty", NULL), AEX_ERROR, AEX_ERROR_MISMATCH, "“not-empty”", NULL);
  aex_test_shutdown (pool);
}

/* What comes by another pending is checked as well. */
static void
test_followed_result_checked (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);
  g_autoptr (AexPending) good = aex_pending_new ();
  g_autoptr (AexPending) bad = aex_pending_new ();
  g_autoptr (AexPending) empty = aex_pending_new ();
  g_autoptr (AexPending) failed = aex_pending_new ();
  AexPending *calls[4];

  aex_add_operation (set, "good", "()", "s", op_follow, good);
  aex_add_operation (set, "bad", "()", "s", op_follow, bad);
  aex_add_operation (set, "empty", "()", "()", op_follow, empty);
  aex_add_operation (set, "failed", "()", "s", op_follow, failed);
  calls[0] = aex_executor_call (pool, "good", NULL);
  calls[1] = aex_executor_call (pool, "bad", NULL);
  calls[2] = aex_executor_call (pool, "empty", NULL);
  calls[3] = aex_executor_call (pool, "failed", NULL);
  aex_pending_resolve_variant (good, g_variant_new_string ("yes"));
  aex_pending_resolve_variant (bad, g_variant_new_int32 (1));
  aex_pending_resolve (empty, NULL);
  aex_pending_reject (failed, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception"));
  aex_assert_gives (calls[0], "'yes'");
  assert_fails (calls[1], AEX_ERROR, AEX_ERROR_MISMATCH, "“bad”", NULL);
  aex_assert_gives (calls[2], "()");
  assert_fails (calls[3], G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception", NULL);
  aex_test_shutdown (pool);
}

static void
test_failure (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);

  aex_add_operation (set, "fail", "()", "s", op_fail, NULL);
  assert_fails (aex_executor_call (pool, "fail", NULL), G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "Test exception", NULL);
  aex_test_shutdown (pool);
}

static void
test_cancel (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);
  g_autoptr (AexPending) call = NULL;
  AexGate started;

  aex_gate_init (&started);
  aex_add_operation (set, "wait", "()", "()", op_until_cancelled, &started);
  call = aex_executor_call (pool, "wait", NULL);
  aex_gate_wait (&started);
  g_assert_true (aex_pending_cancel (call, NULL));
  aex_test_wait (call);
  aex_assert_cancelled (call);
  aex_gate_clear (&started);
  aex_test_shutdown (pool);
}

static void
test_options (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);
  g_autoptr (AexSubmitOptions) options = aex_submit_options_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) unnamed = NULL;
  g_autoptr (AexPending) named = NULL;
  g_autofree char *operation_name = NULL;
  g_autofree char *own_name = NULL;

  aex_add_operation (set, "nothing", "()", "()", aex_op_nothing, NULL);
  unnamed = aex_executor_call (pool, "nothing", NULL);
  operation_name = aex_pending_dup_name (unnamed);
  g_assert_cmpstr (operation_name, ==, "nothing");
  aex_test_wait (unnamed);
  g_cancellable_cancel (cancellable);
  aex_submit_options_set_name (options, "mine");
  aex_submit_options_set_cancellable (options, cancellable);
  named = aex_executor_call_full (pool, options, "nothing", NULL);
  own_name = aex_pending_dup_name (named);
  g_assert_cmpstr (own_name, ==, "mine");
  aex_test_wait (named);
  aex_assert_cancelled (named);
  aex_test_shutdown (pool);
}

/* A call keeps its operation; the data goes when the last call of a removed one is over. */
static void
test_removed_while_running (void)
{
  g_autoptr (AexOperations) set = aex_operations_new ();
  AexExecutor *pool = aex_pool_with_operations (set);
  g_autoptr (GError) error = NULL;
  AexPending *running, *queued;
  AexBlock block;
  AexPoison poison;

  aex_block_init (&block);
  aex_poison_init (&poison);
  aex_add_operation (set, "block", "()", "()", op_block, &block);
  g_assert_true (aex_operations_add (set, "queued", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT, aex_op_nothing, &poison, aex_poison_release, &error));
  running = aex_executor_call (pool, "block", NULL);
  queued = aex_executor_call (pool, "queued", NULL);
  aex_gate_wait (&block.started);
  g_assert_true (aex_operations_remove (set, "queued"));
  assert_fails (aex_executor_call (pool, "queued", NULL), AEX_ERROR, AEX_ERROR_NOT_FOUND, "“queued”", NULL);
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  aex_gate_open (&block.release);
  aex_assert_gives (running, "()");
  aex_assert_gives (queued, "()");
  aex_test_iterate_until (aex_poison_is_released, &poison);
  aex_block_clear (&block);
  aex_test_shutdown (pool);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/operations/O1/add-and-lookup", test_add_and_lookup);
  aex_test_add ("/operations/O1/refused", test_refused);
  aex_test_add ("/operations/O2/refused-keys", test_refused_keys);
  aex_test_add ("/operations/O2/keys-are-told", test_keys_are_told);
  aex_test_add ("/operations/O3/default-set", test_default_set);
  aex_test_add ("/operations/O4/call", test_call);
  aex_test_add ("/operations/O5/parameters-checked", test_parameters_checked);
  aex_test_add ("/operations/O5/not-found", test_not_found);
  aex_test_add ("/operations/O6/result-checked", test_result_checked);
  aex_test_add ("/operations/O6/followed-result-checked", test_followed_result_checked);
  aex_test_add ("/operations/O4/failure", test_failure);
  aex_test_add ("/operations/O4/cancel", test_cancel);
  aex_test_add ("/operations/O4/options", test_options);
  aex_test_add ("/operations/O1/removed-while-running", test_removed_while_running);
  return aex_test_run ();
}
