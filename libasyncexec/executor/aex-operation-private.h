/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-operations.h"
#include "base/aex-target-private.h"

G_BEGIN_DECLS

/* One operation of a set; never changed once it is made, so that calls use it without a lock, also after its removal. */
typedef struct {
  atomic_int refs;
  const char *name;                    /* interned, as are the types */
  const GVariantType *parameter_type;
  const GVariantType *result_type;
  GVariant *keys;                      /* a{s(gb)}: what a dictionary of parameters may hold; NULL: not said */
  AexOperationFunc func;
  gpointer data;
  GDestroyNotify destroy;
  AexTarget *owner;                    /* where destroy is called */
} AexOperation;

AexOperation *aex_operation_new   (const char *name, const GVariantType *parameter_type, const GVariantType *result_type, GVariant *keys, AexOperationFunc func, gpointer data, GDestroyNotify destroy);
AexOperation *aex_operation_ref   (AexOperation *self);
void          aex_operation_unref (gpointer self);

/* A reference to what a call passes on: parameters, or what NULL stands for.  NULL: error is set. */
GVariant     *aex_operation_ref_parameters (AexOperation *self, GVariant *parameters, GError **error);

/* A reference; NULL: error says that there is none of that name. */
AexOperation *aex_operations_ref_operation (AexOperations *self, const char *name, GError **error);

/* ---- the operations that come with the library: aex-file-*.c */
gboolean aex_file_checksum (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error);
gboolean aex_file_load     (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error);
gboolean aex_file_save     (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error);
gboolean aex_file_walk     (AexPending *job, GVariant *parameters, GCancellable *cancellable, gpointer user_data, GError **error);

G_END_DECLS
