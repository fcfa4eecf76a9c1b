/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A function of this process that the library is not linked with: of the interpreter that has loaded it. */
typedef struct {
  const char *name;
  gpointer *function;         /* where it is kept, for as long as the process lives */
} AexSymbol;

/* FALSE: one of them is not there. */
gboolean aex_symbols_look_up (const AexSymbol *symbols, guint n_symbols);

G_END_DECLS
