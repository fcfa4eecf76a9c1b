/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* PyGObject takes Python's lock when an object whose wrapper has attributes gets its second reference; see
 * aex-weak-private.h.  The library is not linked with Python: its functions are looked up in the process. */
#include "bindings/python/aex-python.h"

#include "base/aex-symbols-private.h"
#include "base/aex-weak-private.h"

static struct {
  int  (*is_initialized) (void);
  int  (*ensure) (void);       /* its enumeration is an int, 0 or 1 */
  void (*release) (int state);
} python;

static const AexSymbol symbols[] = {
  { "Py_IsInitialized", (gpointer *) &python.is_initialized },
  { "PyGILState_Ensure", (gpointer *) &python.ensure },
  { "PyGILState_Release", (gpointer *) &python.release },
};

/* Not once the interpreter has begun to end: it does not let anybody in any more. */
static int
python_enter (void)
{
  return python.is_initialized () ? python.ensure () : AEX_NOT_ENTERED;
}

static void
python_leave (int state)
{
  python.release (state);
}

static const AexInterpreter interpreter = { python_enter, python_leave };

/**
 * aex_python_protect_references:
 *
 * Has this library take Python's lock before it makes a strong reference of a
 * weak one. PyGObject may take it in between, in GLib before 2.80 under a lock
 * for which a thread waits that has Python's. For the Python override, once,
 * when it is imported.
 *
 * Returns: %FALSE if this process has no such lock
 *
 * Since: 1.0
 */
gboolean
aex_python_protect_references (void)
{
  static gsize found;

  if (g_once_init_enter (&found))
    {
      gboolean all = aex_symbols_look_up (symbols, G_N_ELEMENTS (symbols));

      if (all)
        aex_interpreter_set (&interpreter);
      g_once_init_leave (&found, all ? 1 : 2);
    }
  return found == 1;
}
