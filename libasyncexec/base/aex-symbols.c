/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/aex-symbols-private.h"

#include <gmodule.h>

gboolean
aex_symbols_look_up (const AexSymbol *symbols, guint n_symbols)
{
  /* Never closed: the functions are used until the process ends. */
  GModule *process = g_module_open (NULL, 0);

  for (guint i = 0; i < n_symbols; i++)
    if (process == NULL || !g_module_symbol (process, symbols[i].name, symbols[i].function))
      return FALSE;
  return TRUE;
}
