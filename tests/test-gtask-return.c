/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-gio-test.h"

/* Row Y7: what a pending gives, as what a GTask returns. */

/* --- what is returned */

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

static void
count_release (gpointer n)
{
  ++*(int *) n;
}

/* Of a counted type both tasks have the same address; each lets go of it once, if nobody has taken it there. */
static void
test_return_boxed_twice (gconstpointer n_taken)
{
  int n_released = 0;
  GBytes *bytes = g_bytes_new_with_free_func ("text", 4, count_release, &n_released);
  g_autoptr (AexPending) pending = aex_pending_new ();
  GTask *tasks[2];

  for (guint i = 0; i < 2; i++)
    {
      tasks[i] = g_task_new (NULL, NULL, NULL, NULL);
      aex_pending_to_task (pending, g_object_ref (tasks[i]));
    }
  aex_pending_resolve_boxed (pending, G_TYPE_BYTES, bytes);
  aex_test_drain ();
  for (int i = 0; i < GPOINTER_TO_INT (n_taken); i++)
    {
      g_autoptr (GBytes) got = g_task_propagate_pointer (tasks[i], NULL);

      g_assert_true (got == bytes);
    }
  g_bytes_unref (bytes);
  for (guint i = 0; i < 2; i++)
    {
      aex_assert_last_unref (tasks[i]);
      g_assert_cmpint (n_released, ==, 0);
    }
  g_clear_object (&pending);
  aex_test_drain ();
  g_assert_cmpint (n_released, ==, 1);
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

/* --- when and where */

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

typedef struct
{
  AexPending *pending;
  Taken      *taken;
  int         was_called;   /* before resolve returned */
} Dispatch;

static gboolean
resolve_in_dispatch (gpointer dispatch)
{
  Dispatch *self = dispatch;

  aex_pending_resolve_int64 (self->pending, 7);
  self->was_called = self->taken->n_calls;
  return G_SOURCE_REMOVE;
}

/* Where GTask itself would call back at once. */
static void
test_never_inline (void)
{
  g_autoptr (AexPending) pending = aex_pending_new ();
  g_autoptr (Taken) taken = to_task (pending, 'i', NULL);
  Dispatch dispatch = { pending, taken, -1 };

  g_idle_add (resolve_in_dispatch, &dispatch);
  taken_wait (taken);
  g_assert_cmpint (dispatch.was_called, ==, 0);
  g_assert_cmpint (taken->number, ==, 7);
}

/* There and back: a task as a pending as a task. */
static void
test_round_trip (void)
{
  g_autoptr (GTask) first = g_task_new (NULL, NULL, NULL, NULL);
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
  aex_test_add ("/gtask/Y7/scalars", test_return_scalars);
  aex_test_add ("/gtask/Y7/pointers", test_return_pointers);
  aex_test_add ("/gtask/Y7/boxed", test_return_boxed);
  aex_test_add ("/gtask/Y7/boxed-storm", test_return_boxed_storm);
  aex_test_add_data ("/gtask/R10/boxed-twice/taken-0", GINT_TO_POINTER (0), test_return_boxed_twice);
  aex_test_add_data ("/gtask/R10/boxed-twice/taken-1", GINT_TO_POINTER (1), test_return_boxed_twice);
  aex_test_add_data ("/gtask/R10/boxed-twice/taken-2", GINT_TO_POINTER (2), test_return_boxed_twice);
  aex_test_add ("/gtask/Y7/plain-pointer", test_return_plain_pointer);
  aex_test_add ("/gtask/Y7/errors", test_return_errors);
  aex_test_add ("/gtask/Y7/done-before", test_done_before);
  aex_test_add ("/gtask/Y7/resolved-elsewhere", test_resolved_elsewhere);
  aex_test_add ("/gtask/Y7/priorities", test_priorities);
  aex_test_add ("/gtask/Y7/task-cancels-pending", test_task_cancels_pending);
  aex_test_add ("/gtask/Y7/check-is-off", test_check_is_off);
  aex_test_add ("/gtask/Y7/never-inline", test_never_inline);
  aex_test_add ("/gtask/Y6-Y7/round-trip", test_round_trip);
  return aex_test_run ();
}
