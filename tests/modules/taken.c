/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <asyncexec.h>

gboolean aex_operations_register (AexOperations *operations, GError **error);

static gboolean
op_nothing (AexPending   *job,
            GVariant     *parameters,
            GCancellable *cancellable,
            gpointer      user_data,
            GError      **error)
{
  return TRUE;
}

/* One name that is free and one that the module word-count has too. */
gboolean
aex_operations_register (AexOperations *operations,
                         GError       **error)
{
  return aex_operations_add (operations, "free", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT, op_nothing, NULL, NULL, error)
         && aex_operations_add (operations, "word-count", G_VARIANT_TYPE_UNIT, G_VARIANT_TYPE_UNIT, op_nothing, NULL, NULL, error);
}
