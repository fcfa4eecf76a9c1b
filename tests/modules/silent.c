/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asyncexec.h>

gboolean aex_operations_register (AexOperations *operations, GError **error);

/* Fails and does not say why. */
gboolean
aex_operations_register (AexOperations *operations,
                         GError       **error)
{
  return FALSE;
}
