/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Rows Y6 and Y7: a GTask as a pending, and a pending as what a GTask returns. */

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

/* --- Y7: what a pending gives, from a task */

typedef struct
{
  int      n_calls;      /* atomic */
  gboolean truth;
  gssize   number;
  gpointer pointer;
  GValue   value;
  GError  *error;
  char     kind;         /* which function takes the result */
  GThread *thread;
} Taken;

static void
take (GObject      *source,
      GAsyncResult *result,
      gpointer      data)
{
  Taken *self = data;
  GTask *task = G_TASK (result);

  g_assert_cmpint (g_main_depth (), ==, 1);
  self->thread = g_thread_self ();
  if (self->kind == 'b')
    self->truth = g_task_propagate_boolean (task, &self->error);
  else if (self->kind == 'i')
    self->number = g_task_propagate_int (task, &self->error);
  else if (self->kind == 'p')
    self->pointer = g_task_propagate_pointer (task, &self->error);
  else if (self->kind == 'v')
    g_task_propagate_value (task, &self->value, &self->error);
  g_atomic_int_inc (&self->n_calls);
}

/* The pending is resolved after that. */
static Taken *
to_task (AexPending   *pending,
         char          kind,
         GCancellable *cancellable)
{
  Taken *self = g_new0 (Taken, 1);

  self->kind = kind;
  aex_pending_to_task (pending, g_task_new (NULL, cancellable, take, self));
  g_assert_cmpint (self->n_calls, ==, 0);
  return self;
}

static void
taken_wait (Taken *self)
{
  g_assert_cmpint (self->n_calls, ==, 0);
  aex_test_iterate_until (aex_test_is_set, &self->n_calls);
  g_assert_true (self->thread == g_thread_self ());
}

static void
taken_free (Taken *self)
{
  g_assert_cmpint (self->n_calls, ==, 1);
  g_clear_error (&self->error);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Taken, taken_free)

static void
test_return_scalars (void)
{
  AexPending *pendings[4] = { aex_pending_new (), aex_pending_new (), aex_pending_new (), aex_pending_new () };
  g_autoptr (Taken) truth = to_task (pendings[0], 'b', NULL);
  g_autoptr (Taken) number = to_task (pendings[1], 'i', NULL);
  g_autoptr (Taken) real = to_task (pendings[2], 'v', NULL);
  g_autoptr (Taken) nothing = to_task (pendings[3], 'b', NULL);

  aex_pending_resolve_boolean (pendings[0], TRUE);
  aex_pending_resolve_int64 (pendings[1], -7);
  aex_pending_resolve_double (pendings[2], 0.5);
  aex_pending_resolve (pendings[3], NULL);
  taken_wait (truth);
  aex_test_drain ();
  g_assert_true (truth->truth);
  g_assert_cmpint (number->number, ==, -7);
  g_assert_cmpfloat (g_value_get_double (&real->value), ==, 0.5);
  g_assert_true (nothing->truth);
  for (guint i = 0; i < 4; i++)
    g_object_unref (pendings[i]);
}

static gpointer
take_pointer (AexPending *pending)
{
  g_autoptr (Taken) taken = to_task (pending, 'p', NULL);

  taken_wait (taken);
  g_assert_no_error (taken->error);
  return taken->pointer;
}

static void
test_return_pointers (void)
{
  int disposed = 0;
  g_autoptr (GObject) object = aex_test_object_new (&disposed);
  g_autoptr (AexPending) strings = aex_pending_new ();
  g_autoptr (AexPending) objects = aex_pending_new ();
  g_autoptr (AexPending) variants = aex_pending_new ();
  g_autofree char *text = NULL;
  g_autoptr (GObject) got = NULL;
  g_autoptr (GVariant) seven = NULL;

  aex_pending_resolve_string (strings, "text");
  aex_pending_resolve_object (objects, object);
  aex_pending_resolve_variant (variants, g_variant_new_int32 (7));
  text = take_pointer (strings);
  got = take_pointer (objects);
  seven = take_pointer (variants);
  g_assert_cmpstr (text, ==, "text");
  g_assert_true (got == object);
  g_assert_cmpint (g_variant_get_int32 (seven), ==, 7);
}

typedef int Counted;

static int n_counted;   /* copies that are there; atomic */

static Counted *
counted_copy (Counted *self)
{
  g_atomic_int_inc (&n_counted);
  return g_memdup2 (self, sizeof *self);
}

static void
counted_free (Counted *self)
{
  g_atomic_int_add (&n_counted, -1);
  g_free (self);
}

static GType counted_get_type (void);
G_DEFINE_BOXED_TYPE (Counted, counted, counted_copy, counted_free)

/* Taken, by somebody or by nobody. */
static void
test_return_boxed (void)
{
  Counted seven = 7;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (AexPending) pending = aex_pending_new ();
      g_autoptr (Taken) taken = to_task (pending, i == 0 ? 'p' : '-', NULL);

      aex_pending_resolve_boxed (pending, counted_get_type (), &seven);
      taken_wait (taken);
      aex_test_drain ();
      if (i == 0)
        {
          g_assert_cmpint (*(Counted *) taken->pointer, ==, 7);
          counted_free (taken->pointer);
        }
      /* That of the pending. */
      g_assert_cmpint (g_atomic_int_get (&n_counted), ==, 1);
    }
  aex_test_drain ();
  g_assert_cmpint (g_atomic_int_get (&n_counted), ==, 0);
}

/* Each copy is let go of once, taken or not, also when an address is used again. */
static void
test_return_boxed_storm (void)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (AexPending) pending = aex_pending_new ();
      g_autofree char *text = g_strdup_printf ("%u", i);
      const char *strings[] = { text, "b", NULL };
      GTask *task = g_task_new (NULL, NULL, NULL, NULL);

      aex_pending_resolve_boxed (pending, G_TYPE_STRV, strings);
      g_ptr_array_add (tasks, g_object_ref (task));
      aex_pending_to_task (pending, task);
      aex_test_drain ();
      if (i % 3 == 0)
        {
          char **got = g_task_propagate_pointer (task, NULL);

          g_assert_cmpstr (got[0], ==, text);
          g_strfreev (got);
        }
    }
}

/* It belongs to the pending, which the task keeps. */
static void
test_return_plain_pointer (void)
{
  AexPoison poison;
  AexPending *pending = aex_pending_new ();
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  aex_poison_init (&poison);
  g_object_ref (task);
  aex_pending_to_task (pending, task);
  aex_pending_resolve_pointer (pending, &poison, aex_poison_release);
  g_object_unref (pending);
  aex_test_drain ();
  g_assert_true (g_task_propagate_pointer (task, NULL) == &poison);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 0);
  g_object_unref (task);
  aex_test_drain ();
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
}

static void
test_return_errors (void)
{
  g_autoptr (AexPending) rejected = aex_pending_new ();
  g_autoptr (AexPending) cancelled = aex_pending_new ();
  AexPending *dropped = aex_pending_new ();
  g_autoptr (Taken) failed = to_task (rejected, 'b', NULL);
  g_autoptr (Taken) stopped = to_task (cancelled, 'b', NULL);
  g_autoptr (Taken) lost = to_task (dropped, 'b', NULL);

  aex_pending_reject_new (rejected, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
  aex_pending_cancel (cancelled, NULL);
  g_object_unref (dropped);
  g_assert_cmpint (failed->n_calls + stopped->n_calls + lost->n_calls, ==, 0);
  aex_test_iterate_until (aex_test_is_set, &lost->n_calls);
  aex_test_drain ();
  g_assert_error (failed->error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  g_assert_error (stopped->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (lost->error, AEX_ERROR, AEX_ERROR_ABANDONED);
}

/* --- Y7: when and where */

static void
test_done_before (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (Taken) taken = NULL;

  aex_pending_resolve_int64 (pending, 7);
  taken = to_task (pending, 'i', NULL);
  taken_wait (taken);
  g_assert_cmpint (taken->number, ==, 7);
}

static gpointer
resolve_in_thread (gpointer pending)
{
  aex_pending_resolve_int64 (pending, 7);
  return NULL;
}

static void
test_resolved_elsewhere (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (Taken) taken = to_task (pending, 'i', NULL);

  aex_test_in_thread (resolve_in_thread, pending);
  taken_wait (taken);
  g_assert_cmpint (taken->number, ==, 7);
}

static void
note_return (GObject      *source,
             GAsyncResult *result,
             gpointer      record)
{
  g_autofree char *name = g_strdup (g_task_get_name (G_TASK (result)));

  aex_record_add (record, name);
}

static void
add_with_priority (AexPending *pending,
                   AexRecord  *record,
                   int         priority,
                   const char *name)
{
  GTask *task = g_task_new (NULL, NULL, note_return, record);

  g_task_set_priority (task, priority);
  g_task_set_name (task, name);
  aex_pending_to_task (pending, task);
}

static void
test_priorities (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  AexRecord record;

  aex_record_init (&record);
  add_with_priority (pending, &record, G_PRIORITY_LOW, "low");
  add_with_priority (pending, &record, G_PRIORITY_DEFAULT, "first");
  add_with_priority (pending, &record, G_PRIORITY_HIGH, "high");
  add_with_priority (pending, &record, G_PRIORITY_DEFAULT, "second");
  aex_pending_resolve (pending, NULL);
  aex_test_drain ();
  aex_assert_record (&record, "high first second low");
  aex_record_clear (&record);
}

static void
test_task_cancels_pending (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (AexPending) protected = aex_pending_new_full (AEX_PENDING_FLAGS_PROTECTED, NULL);
  g_autoptr (Taken) taken = to_task (pending, 'i', cancellable);
  g_autoptr (Taken) spared = to_task (protected, 'i', cancellable);

  g_cancellable_cancel (cancellable);
  aex_assert_cancelled (pending);
  g_assert_false (aex_pending_is_cancelled (protected));
  taken_wait (taken);
  aex_test_drain ();
  g_assert_cmpint (spared->n_calls, ==, 0);
  aex_pending_resolve_int64 (protected, 7);
  taken_wait (spared);
  g_assert_error (taken->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  /* As always with GTask: the cancellation overrides the value. */
  g_assert_error (spared->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_check_is_off (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (Taken) taken = g_new0 (Taken, 1);
  GTask *task = g_task_new (NULL, cancellable, take, taken);

  taken->kind = 'i';
  g_task_set_check_cancellable (task, FALSE);
  aex_pending_to_task (pending, task);
  g_cancellable_cancel (cancellable);
  g_assert_false (aex_pending_is_cancelled (pending));
  aex_pending_resolve_int64 (pending, 7);
  taken_wait (taken);
  g_assert_no_error (taken->error);
  g_assert_cmpint (taken->number, ==, 7);
}

/* There and back: a task as a pending as a task. */
static void
test_round_trip (void)
{
  g_autoptr (GTask) first = task_new ();
  g_autoptr (AexPending) pending = aex_pending_new_for_task_typed (first, G_TYPE_STRING);
  g_autofree char *text = NULL;

  g_task_return_pointer (first, g_strdup ("text"), g_free);
  text = take_pointer (pending);
  g_assert_cmpstr (text, ==, "text");
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
  aex_test_add ("/gtask/Y7/scalars", test_return_scalars);
  aex_test_add ("/gtask/Y7/pointers", test_return_pointers);
  aex_test_add ("/gtask/Y7/boxed", test_return_boxed);
  aex_test_add ("/gtask/Y7/boxed-storm", test_return_boxed_storm);
  aex_test_add ("/gtask/Y7/plain-pointer", test_return_plain_pointer);
  aex_test_add ("/gtask/Y7/errors", test_return_errors);
  aex_test_add ("/gtask/Y7/done-before", test_done_before);
  aex_test_add ("/gtask/Y7/resolved-elsewhere", test_resolved_elsewhere);
  aex_test_add ("/gtask/Y7/priorities", test_priorities);
  aex_test_add ("/gtask/Y7/task-cancels-pending", test_task_cancels_pending);
  aex_test_add ("/gtask/Y7/check-is-off", test_check_is_off);
  aex_test_add ("/gtask/Y6-Y7/round-trip", test_round_trip);
  return aex_test_run ();
}
