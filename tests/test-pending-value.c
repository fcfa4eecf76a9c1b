/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-test.h"

#include <string.h>

/* What a promise can hold, who gets it and who wins: rows K47 to K50. */

/* --- K47: the first outcome wins */

static void
test_set_already (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  g_assert_false (aex_pending_resolve_int64 (pending, 2));
  g_assert_false (aex_pending_resolve_string (pending, "late"));
  g_assert_false (aex_pending_resolve (pending, NULL));
  g_assert_false (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_FAILED, "late"));
  g_assert_false (aex_pending_reject (pending, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "consumed")));
  g_assert_false (aex_pending_cancel (pending, "late"));
  g_assert_false (aex_pending_is_cancelled (pending));
  aex_assert_state (pending, RESOLVED);
  aex_assert_resolved_int64 (pending, 1);
}

/* Bindings construct objects of a type, not with its function. */
static void
test_made_by_its_type (void)
{
  g_autoptr (AexPending) pending = g_object_new (AEX_TYPE_PENDING, NULL);

  g_object_unref (g_object_new (AEX_TYPE_PENDING, NULL));
  aex_assert_state (pending, RUNNING);
  g_assert_true (aex_pending_resolve_int64 (pending, 1));
  aex_assert_resolved_int64 (pending, 1);
}

static void
test_reject_already (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_EXISTS, "first %d", 1));
  g_assert_false (aex_pending_resolve_int64 (pending, 2));
  g_assert_false (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_FAILED, "late"));
  g_assert_false (aex_pending_cancel (pending, NULL));
  aex_assert_state (pending, REJECTED);
  aex_assert_failed_with (pending, G_IO_ERROR, G_IO_ERROR_EXISTS);
}

static void
test_cancel_already (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) other = aex_pending_new_resolved (NULL);

  g_assert_true (aex_pending_cancel (pending, NULL));
  g_assert_false (aex_pending_resolve_int64 (pending, 2));
  g_assert_false (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_FAILED, "late"));
  g_assert_false (aex_pending_follow (pending, other));
  aex_assert_cancelled (pending);
}

/* What a losing call was given is released all the same. */
static void
test_loser_keeps_nothing (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GObject) object = aex_test_object_new (NULL);

  g_assert_true (aex_pending_resolve_boolean (pending, TRUE));
  g_assert_false (aex_pending_resolve_object (pending, object));
  g_assert_false (aex_pending_resolve_variant (pending, g_variant_new_int32 (1)));
  g_assert_cmpuint (object->ref_count, ==, 1);
  g_assert_true (aex_pending_get_boolean (pending, NULL));
}

/* --- K48, K49: reading */

static void
assert_code_of_all_getters (AexPending *pending,
                            GQuark      domain,
                            int         code)
{
  GError *e[9] = { NULL };

  g_assert_null (aex_pending_dup_value (pending, &e[0]));
  g_assert_null (aex_pending_get_value (pending, &e[1]));
  g_assert_false (aex_pending_get_boolean (pending, &e[2]));
  g_assert_cmpint (aex_pending_get_int64 (pending, &e[3]), ==, 0);
  g_assert_cmpfloat (aex_pending_get_double (pending, &e[4]), ==, 0.0);
  g_assert_null (aex_pending_dup_string (pending, &e[5]));
  g_assert_null (aex_pending_dup_object (pending, &e[6]));
  g_assert_null (aex_pending_dup_variant (pending, &e[7]));
  g_assert_null (aex_pending_get_pointer (pending, &e[8]));
  for (guint i = 0; i < G_N_ELEMENTS (e); i++)
    {
      g_assert_error (e[i], domain, code);
      g_clear_error (&e[i]);
    }
}

static void
test_not_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  assert_code_of_all_getters (pending, AEX_ERROR, AEX_ERROR_NOT_DONE);
  g_assert_null (aex_pending_dup_error (pending));
  g_assert_null (aex_pending_dup_payload (pending));
  g_assert_null (aex_pending_dup_result (pending));
  aex_pending_cancel (pending, NULL);
}

static void
test_exception (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_true (aex_pending_reject_new (pending, G_IO_ERROR, G_IO_ERROR_NOT_EMPTY, "full of %s", "eels"));
  assert_code_of_all_getters (pending, G_IO_ERROR, G_IO_ERROR_NOT_EMPTY);
  {
    g_autoptr (GError) error = aex_pending_dup_error (pending);

    g_assert_cmpstr (error->message, ==, "full of eels");
  }
}

static void
test_cancelled (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();

  g_assert_true (aex_pending_cancel (pending, "enough"));
  assert_code_of_all_getters (pending, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  {
    g_autoptr (GError) error = aex_pending_dup_error (pending);

    g_assert_nonnull (strstr (error->message, "enough"));
  }
}

static void
leave_it (AexPending *pending,
          gpointer    n_calls)
{
  g_atomic_int_inc ((int *) n_calls);
}

/* A cancellation is told before the pending is done. */
static void
test_cancelled_before_done (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  int n_calls = 0;

  g_assert_true (aex_pending_set_canceller (pending, leave_it, &n_calls, NULL));
  g_assert_true (aex_pending_cancel (pending, NULL));
  g_assert_true (aex_pending_is_cancelled (pending));
  g_assert_false (aex_pending_is_done (pending));
  aex_assert_state (pending, RUNNING);
  assert_code_of_all_getters (pending, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  aex_assert_failed_with (pending, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (aex_pending_resolve_int64 (pending, 3));
  g_assert_true (aex_pending_is_done (pending));
  aex_assert_cancelled (pending);
  aex_test_drain ();
  g_assert_cmpint (n_calls, ==, 1);
}

/* --- K50: states */

static void
test_states (void)
{
  g_autoptr (AexPending) promise = aex_pending_new ();
  g_autoptr (AexPending) resolved = aex_pending_new_resolved (NULL);
  g_autoptr (AexPending) rejected
    = aex_pending_new_rejected (g_error_new_literal (AEX_ERROR, AEX_ERROR_BUSY, "busy"));

  aex_assert_state (promise, RUNNING);
  g_assert_false (aex_pending_is_done (promise));
  g_assert_false (aex_pending_is_cancelled (promise));
  aex_assert_state (resolved, RESOLVED);
  g_assert_true (aex_pending_is_done (resolved));
  aex_assert_state (rejected, REJECTED);
  g_assert_true (aex_pending_is_done (rejected));
  g_assert_false (aex_pending_is_cancelled (rejected));
  aex_assert_failed_with (rejected, AEX_ERROR, AEX_ERROR_BUSY);
  g_assert_true (aex_pending_cancel (promise, NULL));
  aex_assert_state (promise, CANCELLED);
  g_assert_true (aex_pending_is_done (promise));
}

/* --- the typed pairs */

typedef enum
{
  KIND_BOOLEAN,
  KIND_INT64,
  KIND_DOUBLE,
  KIND_STRING,
  KIND_OBJECT,
  KIND_BOXED,
  KIND_VARIANT,
  KIND_POINTER,
  N_KINDS
} Kind;

static const char *const words[] = { "one", "two", NULL };
static int a_place;

static gboolean
resolve_kind (AexPending *pending,
              Kind        kind,
              GObject    *object)
{
  switch (kind)
    {
    case KIND_BOOLEAN:
      return aex_pending_resolve_boolean (pending, TRUE);
    case KIND_INT64:
      return aex_pending_resolve_int64 (pending, G_MININT64);
    case KIND_DOUBLE:
      return aex_pending_resolve_double (pending, 0.125);
    case KIND_STRING:
      return aex_pending_resolve_string (pending, "text");
    case KIND_OBJECT:
      return aex_pending_resolve_object (pending, object);
    case KIND_BOXED:
      return aex_pending_resolve_boxed (pending, G_TYPE_STRV, words);
    case KIND_VARIANT:
      return aex_pending_resolve_variant (pending, g_variant_new ("(is)", 7, "seven"));
    case KIND_POINTER:
      return aex_pending_resolve_pointer (pending, &a_place, NULL);
    case N_KINDS:
    default:
      g_assert_not_reached ();
    }
}

/* TRUE: the getter gave what resolve_kind() put in. */
static gboolean
get_simple_kind (AexPending *pending,
                 Kind        kind,
                 GError    **error)
{
  g_autofree char *text = NULL;

  switch (kind)
    {
    case KIND_BOOLEAN:
      return aex_pending_get_boolean (pending, error);
    case KIND_INT64:
      return aex_pending_get_int64 (pending, error) == G_MININT64;
    case KIND_DOUBLE:
      return aex_pending_get_double (pending, error) == 0.125;
    case KIND_STRING:
      text = aex_pending_dup_string (pending, error);
      return g_strcmp0 (text, "text") == 0;
    case KIND_POINTER:
      return aex_pending_get_pointer (pending, error) == &a_place;
    case KIND_OBJECT:
    case KIND_BOXED:
    case KIND_VARIANT:
    case N_KINDS:
    default:
      g_assert_not_reached ();
    }
}

static gboolean
get_kind (AexPending *pending,
          Kind        kind,
          GObject    *expected,
          GError    **error)
{
  g_autoptr (GObject) object = NULL;
  g_auto (GStrv) strv = NULL;
  g_autoptr (GVariant) variant = NULL;

  if (kind == KIND_OBJECT)
    {
      object = aex_pending_dup_object (pending, error);
      return object != NULL && object == expected;
    }
  if (kind == KIND_BOXED)
    {
      strv = aex_pending_dup_boxed (pending, G_TYPE_STRV, error);
      return strv != NULL && strv != (char **) words && g_strv_equal ((const char *const *) strv, words);
    }
  if (kind == KIND_VARIANT)
    {
      variant = aex_pending_dup_variant (pending, error);
      return variant != NULL && g_variant_is_of_type (variant, G_VARIANT_TYPE ("(is)"))
             && !g_variant_is_floating (variant);
    }
  return get_simple_kind (pending, kind, error);
}

static void
test_pairs (void)
{
  g_autoptr (GObject) object = aex_test_object_new (NULL);

  for (Kind put = 0; put < N_KINDS; put++)
    {
      g_autoptr (AexPending) pending = aex_pending_new ();

      g_assert_true (resolve_kind (pending, put, object));
      for (Kind get = 0; get < N_KINDS; get++)
        {
          g_autoptr (GError) error = NULL;
          gboolean right = get_kind (pending, get, object, &error);

          g_test_message ("resolved with %d, read as %d: %s", put, get, error != NULL ? error->message : "ok");
          if (get == put)
            g_assert_no_error (error);
          else
            g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
          g_assert_cmpint (right, ==, get == put);
          /* A wrong question changes nothing, and needs no error location. */
          get_kind (pending, get, object, NULL);
        }
      aex_assert_state (pending, RESOLVED);
      g_assert_null (aex_pending_dup_error (pending));
    }
  g_assert_cmpuint (object->ref_count, ==, 1);
}

static void
test_boxed_of_other_type (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_resolve_boxed (pending, G_TYPE_STRV, words));
  g_assert_null (aex_pending_dup_boxed (pending, G_TYPE_BYTES, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
}

static void
test_no_value (void)
{
  g_autoptr (AexPending) none = aex_pending_new ();
  g_autoptr (AexPending) null_string = aex_pending_new ();
  g_autoptr (AexPending) null_object = aex_pending_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_pending_resolve (none, NULL));
  g_assert_null (aex_pending_dup_string (none, &error));
  g_assert_no_error (error);
  g_assert_true (aex_pending_resolve_string (null_string, NULL));
  g_assert_null (aex_pending_dup_string (null_string, &error));
  g_assert_no_error (error);
  g_assert_true (aex_pending_resolve_object (null_object, NULL));
  g_assert_null (aex_pending_dup_object (null_object, &error));
  g_assert_no_error (error);
  g_assert_cmpint (aex_pending_get_int64 (none, &error), ==, 0);
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
}

/* --- GValue round trips */

static void
assert_round_trip (const GValue *value)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) ready = aex_pending_new_resolved (value);
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strdup_value_contents (value);
  const GValue *kept;
  GValue *copy;

  g_assert_true (aex_pending_resolve (pending, value));
  copy = aex_pending_dup_value (pending, &error);
  g_assert_no_error (error);
  g_assert_nonnull (copy);
  g_assert_true (G_VALUE_TYPE (copy) == G_VALUE_TYPE (value));
  {
    g_autofree char *text = g_strdup_value_contents (copy);

    g_assert_cmpstr (text, ==, expected);
  }
  g_boxed_free (G_TYPE_VALUE, copy);
  kept = aex_pending_get_value (ready, &error);
  g_assert_no_error (error);
  g_assert_true (kept != value);
  g_assert_true (G_VALUE_TYPE (kept) == G_VALUE_TYPE (value));
  {
    g_autofree char *text = g_strdup_value_contents (kept);

    g_assert_cmpstr (text, ==, expected);
  }
}

static void
test_round_trip_numbers (void)
{
  static const GType types[] = { G_TYPE_CHAR, G_TYPE_UCHAR, G_TYPE_INT, G_TYPE_UINT, G_TYPE_LONG,
                                 G_TYPE_ULONG, G_TYPE_INT64, G_TYPE_UINT64, G_TYPE_FLOAT, G_TYPE_DOUBLE };
  g_auto (GValue) seven = G_VALUE_INIT;
  g_auto (GValue) truth = G_VALUE_INIT;
  g_auto (GValue) huge = G_VALUE_INIT;

  g_value_init (&seven, G_TYPE_CHAR);
  g_value_set_schar (&seven, 7);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, types[i]);
      g_assert_true (g_value_transform (&seven, &value));
      assert_round_trip (&value);
    }
  g_value_init (&truth, G_TYPE_BOOLEAN);
  g_value_set_boolean (&truth, TRUE);
  assert_round_trip (&truth);
  g_value_init (&huge, G_TYPE_UINT64);
  g_value_set_uint64 (&huge, G_MAXUINT64);
  assert_round_trip (&huge);
}

static void
test_round_trip_boxes (void)
{
  GValue values[8] = { G_VALUE_INIT };

  g_value_set_static_string (g_value_init (&values[0], G_TYPE_STRING), "static");
  g_value_take_string (g_value_init (&values[1], G_TYPE_STRING), g_strdup ("own"));
  g_value_set_enum (g_value_init (&values[2], AEX_TYPE_PENDING_STATE), AEX_PENDING_STATE_RESOLVED);
  g_value_set_flags (g_value_init (&values[3], AEX_TYPE_WAIT_FLAGS), AEX_WAIT_FLAGS_SHIELD);
  g_value_set_gtype (g_value_init (&values[4], G_TYPE_GTYPE), G_TYPE_STRV);
  g_value_set_boxed (g_value_init (&values[5], G_TYPE_STRV), words);
  g_value_set_variant (g_value_init (&values[6], G_TYPE_VARIANT), g_variant_new_string ("v"));
  g_value_take_object (g_value_init (&values[7], G_TYPE_OBJECT), g_object_new (G_TYPE_OBJECT, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    {
      assert_round_trip (&values[i]);
      g_value_unset (&values[i]);
    }
}

/* A GValue and the typed getters speak of the same thing. */
static void
test_value_and_pairs (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (AexPending) pending = NULL;
  g_autoptr (AexPending) number = aex_pending_new ();
  g_autofree char *text = NULL;
  const GValue *kept;

  g_value_take_string (g_value_init (&value, G_TYPE_STRING), g_strdup ("same"));
  pending = aex_pending_new_resolved (&value);
  g_value_set_static_string (&value, "changed later");
  text = aex_pending_dup_string (pending, NULL);
  g_assert_cmpstr (text, ==, "same");

  g_assert_true (aex_pending_resolve_int64 (number, -5));
  kept = aex_pending_get_value (number, NULL);
  g_assert_nonnull (kept);
  g_assert_true (G_VALUE_HOLDS_INT64 (kept));
  g_assert_cmpint (g_value_get_int64 (kept), ==, -5);
  g_assert_true (aex_pending_get_value (number, NULL) == kept);
}

/* --- who owns the value */

static void
test_object_lives_as_long (void)
{
  AexPending *pending = aex_pending_new ();
  int disposed;
  GObject *object = aex_test_object_new (&disposed);
  GObject *again;

  g_assert_true (aex_pending_resolve_object (pending, object));
  g_object_unref (object);
  g_assert_cmpint (disposed, ==, 0);
  again = aex_pending_dup_object (pending, NULL);
  g_assert_true (again == object);
  g_object_unref (again);
  g_assert_cmpint (disposed, ==, 0);
  aex_assert_last_unref (pending);
  aex_test_iterate_until (aex_test_is_set, &disposed);
}

static void
test_pointer_destroyed_once (void)
{
  AexPending *pending = aex_pending_new ();
  AexPoison poison;

  aex_poison_init (&poison);
  g_assert_true (aex_pending_resolve_pointer (pending, &poison, aex_poison_release));
  g_assert_true (aex_pending_get_pointer (pending, NULL) == &poison);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  aex_assert_last_unref (pending);
  aex_test_iterate_until (aex_poison_is_released, &poison);
}

static void
test_pointer_of_a_loser (void)
{
  g_autoptr (AexPending) pending = aex_pending_new_resolved (NULL);
  AexPoison poison;

  aex_poison_init (&poison);
  g_assert_false (aex_pending_resolve_pointer (pending, &poison, aex_poison_release));
  aex_test_iterate_until (aex_poison_is_released, &poison);
}

static void
test_boxed_is_copied (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_auto (GStrv) strv = g_strsplit ("a b", " ", -1);
  g_auto (GStrv) again = NULL;

  g_assert_true (aex_pending_resolve_boxed (pending, G_TYPE_STRV, strv));
  strv[0][0] = 'x';
  again = aex_pending_dup_boxed (pending, G_TYPE_STRV, NULL);
  g_assert_cmpstr (again[0], ==, "a");
  g_assert_null (aex_pending_dup_error (pending));
}

static void
add_reading (void)
{
  aex_test_add ("/pending/K47/set-already", test_set_already);
  aex_test_add ("/pending/K47/made-by-its-type", test_made_by_its_type);
  aex_test_add ("/pending/K47/reject-already", test_reject_already);
  aex_test_add ("/pending/K47/cancel-already", test_cancel_already);
  aex_test_add ("/pending/K47/loser-keeps-nothing", test_loser_keeps_nothing);
  aex_test_add ("/pending/K48/not-done", test_not_done);
  aex_test_add ("/pending/K48/exception", test_exception);
  aex_test_add ("/pending/K48/cancelled", test_cancelled);
  aex_test_add ("/pending/K49/cancelled-before-done", test_cancelled_before_done);
  aex_test_add ("/pending/K50/states", test_states);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  add_reading ();
  aex_test_add ("/pending/value/pairs", test_pairs);
  aex_test_add ("/pending/value/boxed-of-other-type", test_boxed_of_other_type);
  aex_test_add ("/pending/value/no-value", test_no_value);
  aex_test_add ("/pending/value/round-trip-numbers", test_round_trip_numbers);
  aex_test_add ("/pending/value/round-trip-boxes", test_round_trip_boxes);
  aex_test_add ("/pending/value/value-and-pairs", test_value_and_pairs);
  aex_test_add ("/pending/value/object-lives-as-long", test_object_lives_as_long);
  aex_test_add ("/pending/value/pointer-destroyed-once", test_pointer_destroyed_once);
  aex_test_add ("/pending/value/pointer-of-a-loser", test_pointer_of_a_loser);
  aex_test_add ("/pending/value/boxed-is-copied", test_boxed_is_copied);
  return aex_test_run ();
}
