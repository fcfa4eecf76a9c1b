/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lib/aex-test.h"

G_BEGIN_DECLS

/* Operations, and what is asked of them, for several programs. */

static inline gboolean
aex_op_double (AexPending   *job,
               GVariant     *parameters,
               GCancellable *cancellable,
               gpointer      user_data,
               GError      **error)
{
  aex_pending_resolve_variant (job, g_variant_new_int32 (2 * g_variant_get_int32 (parameters)));
  return TRUE;
}

static inline gboolean
aex_op_nothing (AexPending   *job,
                GVariant     *parameters,
                GCancellable *cancellable,
                gpointer      user_data,
                GError      **error)
{
  return TRUE;
}

static inline void
aex_add_operation (AexOperations   *set,
                   const char      *name,
                   const char      *parameter_type,
                   const char      *result_type,
                   AexOperationFunc func,
                   gpointer         data)
{
  g_autoptr (GError) error = NULL;
  gboolean added = aex_operations_add (set, name, G_VARIANT_TYPE (parameter_type), G_VARIANT_TYPE (result_type), func, data, NULL, &error);

  g_assert_no_error (error);
  g_assert_true (added);
}

static inline AexExecutor *
aex_pool_with_operations (AexOperations *set)
{
  return g_object_new (AEX_TYPE_THREAD_POOL, "max-workers", 1, "operations", set, NULL);
}

static inline void
aex_assert_gives (AexPending *call,
                  const char *expected)
{
  g_autoptr (AexPending) taken = call;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = NULL;
  g_autofree char *text = NULL;

  aex_test_wait (taken);
  value = aex_pending_dup_variant (taken, &error);
  g_assert_no_error (error);
  text = g_variant_print (value, TRUE);
  g_assert_cmpstr (text, ==, expected);
}

G_END_DECLS
