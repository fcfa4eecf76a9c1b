/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asyncexec.h>

gboolean aex_operations_register (AexOperations *operations, GError **error);

static gboolean
op_never (AexPending   *job,
          GVariant     *parameters,
          GCancellable *cancellable,
          gpointer      user_data,
          GError      **error)
{
  return TRUE;
}

/* Adds one operation, then finds that something is missing. */
gboolean
aex_operations_register (AexOperations *operations,
                         GError       **error)
{
  if (!aex_operations_add (operations, "half", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT, op_never, NULL, NULL, error))
    return FALSE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_MOUNTED, "the device is not there");
  return FALSE;
}
