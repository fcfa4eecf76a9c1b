/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Row Y6: a GTask as a pending. */

/* --- Y6: what a task returns */

static GTask *
task_new (void)
{
  return g_task_new (NULL, NULL, NULL, NULL);
}

static void
test_boolean_and_integer (void)
{
  g_autoptr (GTask) truth = task_new ();
  g_autoptr (GTask) lie = task_new ();
  g_autoptr (GTask) number = task_new ();
  g_autoptr (AexPending) lying = aex_pending_new_for_task_typed (lie, G_TYPE_BOOLEAN);
  g_autoptr (AexPending) counting = aex_pending_new_for_task_typed (number, G_TYPE_INT64);

  g_task_return_boolean (truth, TRUE);
  g_task_return_boolean (lie, FALSE);
  g_task_return_int (number, -7);
  g_assert_false (aex_pending_is_done (lying));
  aex_gio_expect_true (aex_pending_new_for_task_typed (truth, G_TYPE_BOOLEAN));
  aex_gio_succeed (lying);
  g_assert_false (aex_pending_get_boolean (lying, NULL));
  aex_gio_expect_number (g_steal_pointer (&counting), -7);
}

static AexPending *
pending_for_pointer (GType          type,
                     gpointer       pointer,
                     GDestroyNotify destroy)
{
  g_autoptr (GTask) task = task_new ();

  g_task_return_pointer (task, pointer, destroy);
  return aex_pending_new_for_task_typed (task, type);
}

static void
test_pointers (void)
{
  int disposed = 0;
  GObject *object = aex_test_object_new (&disposed);
  g_autofree char *text = aex_gio_take_string (pending_for_pointer (G_TYPE_STRING, g_strdup ("text"), g_free));
  g_autoptr (GBytes) bytes
    = aex_gio_take_boxed (pending_for_pointer (G_TYPE_BYTES, g_bytes_new_static ("text", 4), (GDestroyNotify) g_bytes_unref), G_TYPE_BYTES);
  g_autoptr (AexPending) variant
    = aex_gio_succeed (pending_for_pointer (G_TYPE_VARIANT, g_variant_ref_sink (g_variant_new_int32 (7)), (GDestroyNotify) g_variant_unref));
  g_autoptr (GVariant) seven = aex_pending_dup_variant (variant, NULL);
  g_autoptr (AexPending) pointer = aex_gio_succeed (pending_for_pointer (G_TYPE_POINTER, &disposed, NULL));
  g_autoptr (AexPending) nothing = aex_gio_succeed (pending_for_pointer (G_TYPE_OBJECT, NULL, NULL));
  gpointer got = aex_gio_take_object (pending_for_pointer (G_TYPE_OBJECT, object, g_object_unref));

  g_assert_cmpstr (text, ==, "text");
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 4);
  g_assert_cmpint (g_variant_get_int32 (seven), ==, 7);
  g_assert_true (aex_pending_get_pointer (pointer, NULL) == &disposed);
  aex_assert_resolved_empty (nothing);
  g_assert_true (got == object);
  g_object_unref (object);
  g_assert_cmpint (disposed, ==, 1);
}

static void
test_value (void)
{
  g_autoptr (GTask) task = task_new ();
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (task, G_TYPE_VALUE);
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, 0.5);
  g_task_return_value (task, &value);
  aex_gio_succeed (pending);
  g_assert_cmpfloat (aex_pending_get_double (pending, NULL), ==, 0.5);
}

/* A result of no interest is freed by the task. */
static void
test_no_value (void)
{
  int disposed = 0;
  g_autoptr (AexPending) pending
    = aex_gio_succeed (pending_for_pointer (G_TYPE_NONE, aex_test_object_new (&disposed), g_object_unref));

  aex_assert_resolved_empty (pending);
  aex_test_drain ();
  g_assert_cmpint (disposed, ==, 1);
}

/* Without a type the value is the task: for a finish function. */
static void
test_untyped (void)
{
  g_autoptr (GTask) task = task_new ();
  g_autoptr (GTask) failing = task_new ();
  g_autoptr (AexPending) pending = aex_pending_new_for_task (task);
  g_autoptr (AexPending) failed = aex_pending_new_for_task (failing);
  g_autoptr (GTask) got = NULL;

  g_task_return_int (task, 7);
  g_task_return_new_error (failing, G_IO_ERROR, G_IO_ERROR_FAILED, "no");
  aex_gio_expect_error (g_steal_pointer (&failed), G_IO_ERROR, G_IO_ERROR_FAILED);
  got = aex_gio_take_object (g_steal_pointer (&pending));
  g_assert_true (got == task);
  g_assert_cmpint (g_task_propagate_int (got, NULL), ==, 7);
}

static void
test_task_error (void)
{
  GType types[] = { G_TYPE_BOOLEAN, G_TYPE_INT64, G_TYPE_STRING, G_TYPE_OBJECT, G_TYPE_VALUE, G_TYPE_NONE };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (GTask) task = task_new ();

      g_task_return_new_error (task, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
      aex_gio_expect_error (aex_pending_new_for_task_typed (task, types[i]), G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    }
}

static void
test_completed_before (void)
{
  g_autoptr (GTask) task = task_new ();
  g_autoptr (AexPending) pending = NULL;

  g_task_return_int (task, 7);
  aex_test_drain ();
  g_assert_true (g_task_get_completed (task));
  pending = aex_pending_new_for_task_typed (task, G_TYPE_INT64);
  g_assert_true (aex_pending_is_done (pending));
  aex_assert_resolved_int64 (pending, 7);
}

static void
test_never_returned (void)
{
  GTask *task = task_new ();
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (task, G_TYPE_INT64);

  aex_assert_last_unref (task);
  aex_gio_expect_error (g_steal_pointer (&pending), AEX_ERROR, AEX_ERROR_ABANDONED);
}

static void
test_task_cancelled (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, NULL, NULL);
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (task, G_TYPE_INT64);

  g_assert_true (aex_pending_cancel (pending, NULL));
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  aex_test_drain ();
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_false (aex_pending_is_done (pending));
  g_task_return_int (task, 7);
  aex_test_run_until_done (pending);
  aex_assert_cancelled (pending);
}

static void
test_cancelled_itself (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, NULL, NULL);
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (task, G_TYPE_INT64);

  g_cancellable_cancel (cancellable);
  g_task_return_int (task, 7);
  aex_test_run_until_done (pending);
  aex_assert_cancelled (pending);
}

static void
count_thread_func (GTask        *task,
                   gpointer      source,
                   gpointer      data,
                   GCancellable *cancellable)
{
  g_task_return_int (task, 7);
}

static void
test_of_thread (void)
{
  g_autoptr (GTask) task = task_new ();
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (task, G_TYPE_INT64);
  g_autoptr (GError) error = NULL;

  g_task_run_in_thread (task, count_thread_func);
  g_assert_false (aex_pending_wait (pending, AEX_WAIT_FLAGS_NONE, -1, NULL, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_WOULD_DEADLOCK);
  g_clear_object (&task);
  aex_gio_expect_number (g_steal_pointer (&pending), 7);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/gtask/Y6/boolean-and-integer", test_boolean_and_integer);
  aex_test_add ("/gtask/Y6/pointers", test_pointers);
  aex_test_add ("/gtask/Y6/value", test_value);
  aex_test_add ("/gtask/Y6/no-value", test_no_value);
  aex_test_add ("/gtask/Y6/untyped", test_untyped);
  aex_test_add ("/gtask/Y6/error", test_task_error);
  aex_test_add ("/gtask/Y6/completed-before", test_completed_before);
  aex_test_add ("/gtask/Y6/never-returned", test_never_returned);
  aex_test_add ("/gtask/Y6/cancelled", test_task_cancelled);
  aex_test_add ("/gtask/Y6/cancelled-itself", test_cancelled_itself);
  aex_test_add ("/gtask/Y6/of-thread", test_of_thread);
  return aex_test_run ();
}
