/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What else than GLib's loop may run in the thread of a caller: backends, by their names. */
#include "base/aex-fork-private.h"
#include "base/aex-i18n-private.h"
#include "executor/aex-guest-private.h"

#define GLIB "glib"

typedef struct {
  const char *name;   /* interned */
  GType type;
} AexBackend;

static GMutex backends_lock;     /* guards the list */
static GArray *backends;         /* element AexBackend, in the order in which they came; never less */

/* The lock is held.  0: there is none. */
static GType
find_type (const char *name)
{
  for (guint i = 0; backends != NULL && i < backends->len; i++)
    if (g_str_equal (g_array_index (backends, AexBackend, i).name, name))
      return g_array_index (backends, AexBackend, i).type;
  return 0;
}

gboolean
aex_backend_is_glib (const char *backend)
{
  return g_str_equal (backend, GLIB);
}

GType
aex_backend_get_type (const char *backend)
{
  GType type;

  g_mutex_lock (&backends_lock);
  type = find_type (backend);
  g_mutex_unlock (&backends_lock);
  return type;
}

static char *
describe_known (void)
{
  GString *text = g_string_new (GLIB);

  g_mutex_lock (&backends_lock);
  for (guint i = 0; backends != NULL && i < backends->len; i++)
    g_string_append_printf (text, ", %s", g_array_index (backends, AexBackend, i).name);
  g_mutex_unlock (&backends_lock);
  return g_string_free (text, FALSE);
}

const char *
aex_backend_find (const char *name, GError **error)
{
  g_autofree char *known = NULL;

  if (aex_backend_is_glib (name) || aex_backend_get_type (name) != 0)
    return g_intern_string (name);
  known = describe_known ();
  g_set_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND, _("There is no backend “%s” in this program: there are %s"), name, known);
  return NULL;
}

/**
 * aex_caller_register_backend:
 * @name: how it is called
 * @guest_type: a subclass of [class@Guest] that can be made without properties
 * @error: return location for an error
 *
 * Makes a loop other than GLib's known under a name, so that callers can run
 * it as a guest of their threads: see [method@Caller.call_using_backend] and
 * [method@CallerOptions.set_backend]. “glib” is always there, and is no guest.
 * A backend stays as long as the process. Any thread.
 *
 * Returns: %TRUE if @name stands for @guest_type now; %FALSE if @error is set:
 *   %AEX_ERROR_EXISTS when it stands for something else,
 *   %AEX_ERROR_INVALID_ARGUMENT when @guest_type is none
 *
 * Since: 1.0
 */
gboolean
aex_caller_register_backend (const char *name, GType guest_type, GError **error)
{
  AexBackend backend;
  GType there;

  g_return_val_if_fail (name != NULL, FALSE);

  if (aex_fork_check (error))
    return FALSE;
  if (!g_type_is_a (guest_type, AEX_TYPE_GUEST) || G_TYPE_IS_ABSTRACT (guest_type))
    {
      g_set_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT,
                   _("%s can not be a backend: it must be a subclass of AexGuest that is not abstract"), g_type_name (guest_type));
      return FALSE;
    }
  backend = (AexBackend) { g_intern_string (name), guest_type };
  g_mutex_lock (&backends_lock);
  there = aex_backend_is_glib (name) ? AEX_TYPE_GUEST : find_type (name);
  if (backends == NULL)
    backends = g_array_new (FALSE, FALSE, sizeof (AexBackend));
  if (there == 0)
    g_array_append_val (backends, backend);
  g_mutex_unlock (&backends_lock);
  if (there == 0 || there == guest_type)
    return TRUE;
  g_set_error (error, AEX_ERROR, AEX_ERROR_EXISTS, _("There is a backend “%s” already: choose another name"), name);
  return FALSE;
}
