/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* A strong reference from a weak one, for g_weak_ref_get() is not enough where an interpreter wraps our objects.

   The second reference of an object with a toggle reference has its wrapper told, and that may want the one lock of the
   interpreter: Python's.  GLib before 2.80 tells it under the lock of all weak references, and some of our functions look
   at weak references under a lock of their own.  A thread that has the interpreter's lock may wait for any of these, for
   it may let go of the last reference of any object.  So the interpreter's lock comes first. */

typedef struct {
  int (*enter) (void);          /* AEX_NOT_ENTERED: there is nothing to leave; nests */
  void (*leave) (int state);
} AexInterpreter;

#define AEX_NOT_ENTERED (-1)

/* For the rest of the process; NULL: none, for tests. */
void aex_interpreter_set (const AexInterpreter *interpreter);

/* Around a lock of ours under which weak references are made strong. */
int aex_interpreter_enter (void);
void aex_interpreter_leave (int state);

/* For g_weak_ref_get(). */
gpointer aex_weak_get (GWeakRef *weak);

G_END_DECLS
