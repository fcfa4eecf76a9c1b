/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The outcome of a pending as what a GTask returns. */
#include "pending/aex-task-private.h"

#include "pending/aex-pending-private.h"

/* ---- boxed values
 *
 * What nobody takes from a GTask is freed by a function that gets the pointer alone, and a boxed type has no such function.
 * So the type is kept beside the pointer, as long as a task lives that was given it: the same pointer goes to several tasks
 * where the copy of a boxed value is but a reference. */

typedef struct {
  GType type;      /* of the newest: one that has another type was taken, and its address is used again */
  guint n_tasks;
} AexBoxed;

static GMutex boxed_lock;
static GHashTable *boxed_values;   /* boxed to AexBoxed; guarded by boxed_lock; NULL when empty */

/* By a task that ends with its value, and forgets it only after that. */
static void
boxed_free_untaken (gpointer boxed)
{
  GType type;

  g_mutex_lock (&boxed_lock);
  type = ((AexBoxed *) g_hash_table_lookup (boxed_values, boxed))->type;
  g_mutex_unlock (&boxed_lock);
  g_boxed_free (type, boxed);
}

/* With the task.  A value that was taken may be gone: its address is only compared. */
static void
boxed_forget (gpointer boxed)
{
  AexBoxed *self;

  g_mutex_lock (&boxed_lock);
  self = g_hash_table_lookup (boxed_values, boxed);
  if (--self->n_tasks == 0)
    g_hash_table_remove (boxed_values, boxed);
  if (g_hash_table_size (boxed_values) == 0)
    g_clear_pointer (&boxed_values, g_hash_table_unref);
  g_mutex_unlock (&boxed_lock);
}

static void
return_boxed (GTask *task, GType type, gpointer boxed)
{
  AexBoxed *self;

  g_mutex_lock (&boxed_lock);
  if (boxed_values == NULL)
    boxed_values = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self = g_hash_table_lookup (boxed_values, boxed);
  if (self == NULL)
    {
      self = g_new0 (AexBoxed, 1);
      g_hash_table_insert (boxed_values, boxed, self);
    }
  self->type = type;
  self->n_tasks++;
  g_mutex_unlock (&boxed_lock);
  g_object_set_data_full (G_OBJECT (task), "aex-boxed", boxed, boxed_forget);
  g_task_return_pointer (task, boxed, boxed_free_untaken);
}

/* ---- values */

static void
return_value (GTask *task, GValue *value)
{
  g_auto (GValue) number = G_VALUE_INIT;
  GType type = G_VALUE_TYPE (value);

  g_value_init (&number, G_TYPE_INT64);
  if (G_TYPE_IS_OBJECT (type) || G_TYPE_IS_INTERFACE (type))
    {
      gpointer object = g_value_dup_object (value);

      g_task_return_pointer (task, object, object != NULL ? g_object_unref : NULL);
    }
  else if (G_TYPE_IS_BOXED (type) && g_value_get_boxed (value) != NULL)
    return_boxed (task, type, g_value_dup_boxed (value));
  else if (G_TYPE_IS_BOXED (type))
    g_task_return_pointer (task, NULL, NULL);
  else if (type != G_TYPE_FLOAT && g_value_transform (value, &number))
    g_task_return_int (task, (gssize) g_value_get_int64 (&number));
  else
    g_task_return_value (task, value);
}

static void
return_double (GTask *task, double number)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_DOUBLE);
  g_value_set_double (&value, number);
  g_task_return_value (task, &value);
}

/* It belongs to the pending, which lives as long as the task. */
static void
return_pointer (GTask *task, AexPending *pending, const AexPointer *pointer)
{
  g_object_set_data_full (G_OBJECT (task), "aex-pending", g_object_ref (pending), g_object_unref);
  g_task_return_pointer (task, pointer->pointer, NULL);
}

void
aex_task_return_outcome (GTask *task, AexPending *pending)
{
  AexPending *root;
  GError *error = NULL;

  if (!aex_pending_peek_resolved (pending, &root, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  switch ((AexTag) root->tag)
    {
    case AEX_TAG_BOOLEAN:
      g_task_return_boolean (task, root->value.v_boolean);
      break;
    case AEX_TAG_INT64:
      g_task_return_int (task, (gssize) root->value.v_int64);
      break;
    case AEX_TAG_DOUBLE:
      return_double (task, root->value.v_double);
      break;
    case AEX_TAG_STRING:
      g_task_return_pointer (task, g_strdup (root->value.v_string), g_free);
      break;
    case AEX_TAG_OBJECT:
      g_task_return_pointer (task, root->value.v_pointer != NULL ? g_object_ref (root->value.v_pointer) : NULL,
                             root->value.v_pointer != NULL ? g_object_unref : NULL);
      break;
    case AEX_TAG_VARIANT:
      g_task_return_pointer (task, g_variant_ref (root->value.v_pointer), (GDestroyNotify) g_variant_unref);
      break;
    case AEX_TAG_VALUE:
      return_value (task, root->value.v_value);
      break;
    case AEX_TAG_POINTER:
      return_pointer (task, root, root->value.v_pointer);
      break;
    case AEX_TAG_NONE:
    case AEX_TAG_ERROR:
    case AEX_TAG_FAILURE:
    case AEX_TAG_FOLLOW:
    case AEX_TAG_FORWARD:
    default:
      g_task_return_boolean (task, TRUE);
      break;
    }
}
