/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

#define AEX_TYPE_OPERATIONS (aex_operations_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexOperations, aex_operations, AEX, OPERATIONS, GObject)

/**
 * AexOperationFunc:
 * @job: the pending of the call
 * @parameters: what the call was given, of the declared type
 * @cancellable: cancelled when @job is cancelled or its timeout passes; valid
 *   while the function runs
 * @user_data: (closure): the data given to [method@Operations.add]
 * @error: return location for an error
 *
 * An operation: work that is known by its name. It runs like an
 * [callback@JobFunc], on a thread of the executor that was called, from
 * several threads at the same time, and sets its result with
 * [method@Pending.resolve_variant]. A result of another type than the declared
 * one rejects @job with %AEX_ERROR_MISMATCH; setting nothing gives the empty
 * tuple where that is the declared type.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexOperationFunc) (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error);

/**
 * AexOperationsRegisterFunc:
 * @operations: where to add them, empty at the call
 * @error: return location for an error
 *
 * What a module exports under the name %AEX_OPERATIONS_REGISTER_SYMBOL. It
 * adds the module's operations to @operations, on the thread that loads the
 * module; all of them, or none when it fails, become operations of the set that
 * was asked to load the module. It may be called several times, also by several
 * threads at the same time.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexOperationsRegisterFunc) (AexOperations *operations, GError **error);

/**
 * AEX_OPERATIONS_REGISTER_SYMBOL:
 *
 * The name of the function that a module of operations exports, an
 * [callback@OperationsRegisterFunc].
 *
 * Since: 1.0
 */
#define AEX_OPERATIONS_REGISTER_SYMBOL "aex_operations_register"

AEX_AVAILABLE_IN_1_0 AexOperations *aex_operations_new           (void);
AEX_AVAILABLE_IN_1_0 AexOperations *aex_operations_get_default   (void);
AEX_AVAILABLE_IN_1_0 gboolean       aex_operations_add           (AexOperations *self, const char *name, const GVariantType *parameter_type, const GVariantType *result_type, AexOperationFunc func, gpointer user_data, GDestroyNotify destroy, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean       aex_operations_add_with_keys (AexOperations *self, const char *name, GVariant *keys, const GVariantType *result_type, AexOperationFunc func, gpointer user_data, GDestroyNotify destroy, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean       aex_operations_remove        (AexOperations *self, const char *name);
AEX_AVAILABLE_IN_1_0 gboolean       aex_operations_lookup        (AexOperations *self, const char *name, GVariantType **parameter_type, GVariantType **result_type);
AEX_AVAILABLE_IN_1_0 GVariant      *aex_operations_dup_keys      (AexOperations *self, const char *name);
AEX_AVAILABLE_IN_1_0 char         **aex_operations_list          (AexOperations *self);
AEX_AVAILABLE_IN_1_0 gboolean       aex_operations_load_module   (AexOperations *self, const char *path, GError **error);

G_END_DECLS
