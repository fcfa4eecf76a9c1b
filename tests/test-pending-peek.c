/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

/* Values without a copy, for bindings that would not free one. */

static void
test_value (void)
{
  g_autoptr (AexPending) number = aex_pending_new ();
  g_autoptr (AexPending) nothing = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) waiting = aex_pending_new ();
  g_autoptr (GError) error = NULL;
  const GValue *value;

  aex_pending_resolve_int64 (number, 7);
  value = aex_pending_peek_value (number, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_int64 (value), ==, 7);
  g_assert_true (aex_pending_peek_value (number, NULL) == value);

  value = aex_pending_peek_value (nothing, &error);
  g_assert_no_error (error);
  g_assert_null (g_value_get_pointer (value));

  g_assert_null (aex_pending_peek_value (waiting, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_NOT_DONE);
}

static void
test_payload (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) plain = aex_pending_new ();
  g_autoptr (AexPending) derived = aex_pending_shield (pending);
  g_autoptr (GError) error = g_error_new_literal (AEX_ERROR, AEX_ERROR_EXCEPTION, "thrown");
  g_auto (GValue) payload = G_VALUE_INIT;

  g_value_init (&payload, G_TYPE_INT);
  g_value_set_int (&payload, 7);
  g_assert_null (g_value_get_pointer (aex_pending_peek_payload (pending)));
  aex_pending_reject_with_payload (pending, error, &payload);
  g_assert_cmpint (g_value_get_int (aex_pending_peek_payload (pending)), ==, 7);
  g_assert_cmpint (g_value_get_int (aex_pending_peek_payload (derived)), ==, 7);
  aex_pending_reject_new (plain, G_IO_ERROR, G_IO_ERROR_FAILED, "no payload");
  g_assert_null (g_value_get_pointer (aex_pending_peek_payload (plain)));
}

static gboolean
number_or_error (AexPendingStream *stream, guint index, GCancellable *cancellable, gpointer data, GError **error)
{
  g_auto (GValue) value = G_VALUE_INIT;

  if (index == 1)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "second");
      return FALSE;
    }
  g_value_init (&value, G_TYPE_INT);
  g_value_set_int (&value, 7);
  aex_pending_stream_set_value (stream, index, &value);
  return TRUE;
}

static void
test_result (void)
{
  AexExecutor *pool = aex_test_pool (1);
  g_autoptr (AexPendingStream) stream = aex_executor_map (pool, 2, 0, -1, AEX_MAP_FLAGS_CONTINUE_ON_ERROR,
                                                          number_or_error, NULL, NULL);
  g_autoptr (AexPendingResult) first = aex_pending_stream_next_sync (stream, -1, NULL, NULL);
  g_autoptr (AexPendingResult) second = aex_pending_stream_next_sync (stream, -1, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_value_get_int (aex_pending_result_peek_value (first, &error)), ==, 7);
  g_assert_no_error (error);
  g_assert_null (aex_pending_result_peek_value (second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  aex_test_shutdown (pool);
}

int
main (int argc, char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/pending/peek/value", test_value);
  aex_test_add ("/pending/peek/payload", test_payload);
  aex_test_add ("/pending/peek/result", test_result);
  return aex_test_run ();
}
