/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-weak-private.h"

#include <stdatomic.h>

#include "base/aex-fork-private.h"

static _Atomic (const AexInterpreter *) the_interpreter;

/* GLib tells wrappers under its lock. */
static gboolean glib_wants_it_first;

void
aex_interpreter_set (const AexInterpreter *interpreter)
{
  glib_wants_it_first = glib_check_version (2, 80, 0) != NULL;
  atomic_store (&the_interpreter, interpreter);
}

int
aex_interpreter_enter (void)
{
  const AexInterpreter *interpreter = atomic_load (&the_interpreter);

  if (G_LIKELY (interpreter == NULL) || aex_is_forked ())
    return AEX_NOT_ENTERED;
  return interpreter->enter ();
}

void
aex_interpreter_leave (int state)
{
  if (G_UNLIKELY (state != AEX_NOT_ENTERED))
    atomic_load (&the_interpreter)->leave (state);
}

/* In GLib before 2.80 it is the pointer itself, which is read here without GLib's lock: a look, for what may be gone in the
 * next moment anyhow. */
__attribute__ ((no_sanitize ("thread"))) static gboolean
is_empty (GWeakRef *weak)
{
  return *(gpointer volatile *) &weak->priv.p == NULL;
}

gpointer
aex_weak_get (GWeakRef *weak)
{
  gpointer object;
  int state;

  if (G_LIKELY (atomic_load (&the_interpreter) == NULL) || !glib_wants_it_first)
    return g_weak_ref_get (weak);
  /* Most of what is told late is gone: nobody has to queue up for the interpreter for that. */
  if (is_empty (weak))
    return NULL;
  state = aex_interpreter_enter ();
  object = g_weak_ref_get (weak);
  aex_interpreter_leave (state);
  return object;
}
