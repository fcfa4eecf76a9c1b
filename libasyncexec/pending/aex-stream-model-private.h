/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-pending-result.h"
#include "base/aex-target-private.h"

G_BEGIN_DECLS

/* The list of results that a stream shows on its owner's context. */
typedef struct _AexStreamModel AexStreamModel;

AexStreamModel *aex_stream_model_new      (AexTarget *owner);
void            aex_stream_model_free     (AexStreamModel *self);
GListModel     *aex_stream_model_get_list (AexStreamModel *self);

/* Any thread. */
void            aex_stream_model_add      (AexStreamModel *self, AexPendingResult *result);

G_END_DECLS
