/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-submit-options.h"

G_BEGIN_DECLS

struct _AexSubmitOptions {
  char *name;
  AexPriority priority;
  gint64 timeout_us;
  GCancellable *cancellable;
  AexContext *context;
  gboolean release_on_owner;
  GHashTable *metadata;      /* string to GVariant */
  const char *operation;     /* of aex_executor_call(): its name and type of result, which live for ever */
  const GVariantType *result_type;
};

G_END_DECLS
