/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pending/aex-value-private.h"

#include "base/aex-fork-private.h"
#include "base/aex-home-private.h"
#include "pending/aex-context-private.h"

GValue *
aex_value_dup (const GValue *value)
{
  GValue *copy = g_new0 (GValue, 1);

  if (value == NULL || !G_IS_VALUE (value))
    {
      g_value_init (copy, G_TYPE_POINTER);
      return copy;
    }
  g_value_init (copy, G_VALUE_TYPE (value));
  g_value_copy (value, copy);
  return copy;
}

void
aex_value_free (GValue *value)
{
  g_value_unset (value);
  g_free (value);
}

void
aex_value_take (GValue *value, GType type, gpointer pointer)
{
  if (pointer == NULL)
    return;
  g_value_init (value, type);
  if (type == G_TYPE_STRING)
    g_value_take_string (value, pointer);
  else if (type == G_TYPE_VARIANT)
    g_value_take_variant (value, pointer);
  else if (G_TYPE_IS_BOXED (type))
    g_value_take_boxed (value, pointer);
  else
    g_value_take_object (value, pointer);
}

static void
destroy_run (AexEntry *entry, AexTarget *target)
{
  AexThread *thread = aex_thread_get ();
  AexContext *saved = aex_context_enter (thread, NULL);

  (void) target;
  ((GDestroyNotify) entry->b) (entry->a);
  aex_context_leave (thread, saved);
}

static const AexEntryKind destroy_kind = { .run = destroy_run, .drop = destroy_run };

/* JavaScript's engine aborts when one of its objects is let go in a foreign thread: where nobody will ever dispatch, it
 * is leaked on purpose. */
static void
leak (AexEntry *entry, AexTarget *target)
{
  (void) entry;
  (void) target;
}

static const AexEntryKind script_kind = { .run = destroy_run, .drop = leak };

void
aex_destroy_at (AexTarget *owner, GDestroyNotify destroy, gpointer data)
{
  AexEntry entry = { &destroy_kind, data, (gpointer) destroy, NULL };

  if (destroy == NULL)
    return;
  if (owner == NULL || aex_is_forked ())
    destroy (data);
  else
    aex_target_post_or_drop (owner, AEX_LANE_RELEASE, &entry);
}

static gboolean
value_is_script (const GValue *value)
{
  static _Atomic GType script_type;
  GType type = G_VALUE_TYPE (value);

  if (!G_TYPE_IS_BOXED (type))
    return FALSE;
  /* GJS registers it at its own start, maybe after ours. */
  if (script_type == 0)
    script_type = g_type_from_name ("JSObject");
  return script_type != 0 && type == script_type;
}

static gboolean
value_has_owner (const GValue *value)
{
  static _Atomic GType python_type;
  GType type = G_VALUE_TYPE (value);

  if (G_VALUE_HOLDS_OBJECT (value))
    return g_value_get_object (value) != NULL;
  if (!G_TYPE_IS_BOXED (type))
    return FALSE;
  if (python_type == 0)
    python_type = g_type_from_name ("PyObject");
  return python_type != 0 && type == python_type;
}

gboolean
aex_owner_is_elsewhere (AexTarget *owner)
{
  return owner != NULL && !aex_is_forked () && !owner->ops->is_current (owner)
         && !aex_home_is_idle_target (owner);
}

static GValue *
value_move (GValue *value)
{
  GValue *moved = g_new (GValue, 1);
  GValue unset = G_VALUE_INIT;

  *moved = *value;
  *value = unset;
  return moved;
}

void
aex_value_release (GValue *value, AexTarget *owner)
{
  if (!G_IS_VALUE (value))
    return;
  if (G_UNLIKELY (value_is_script (value)))
    {
      AexHome *home = aex_is_forked () ? NULL : aex_home_ref_for_context (NULL, NULL);
      AexEntry entry = { &script_kind, value_move (value), (gpointer) aex_value_free, NULL };

      if (home != NULL)
        {
          aex_target_post_or_drop ((AexTarget *) home, AEX_LANE_RELEASE, &entry);
          aex_target_unref (home);
        }
    }
  else if (value_has_owner (value) && aex_owner_is_elsewhere (owner))
    {
      aex_destroy_at (owner, (GDestroyNotify) aex_value_free, value_move (value));
    }
  else
    {
      g_value_unset (value);
    }
}

void
aex_object_release (GObject *object, AexTarget *owner)
{
  if (aex_owner_is_elsewhere (owner))
    aex_destroy_at (owner, g_object_unref, object);
  else
    g_object_unref (object);
}
