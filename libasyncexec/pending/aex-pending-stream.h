/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING_STREAM (aex_pending_stream_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexPendingStream, aex_pending_stream, AEX, PENDING_STREAM, GObject)
/* producer; also how overrides pull lazy iterables */
AEX_AVAILABLE_IN_1_0 AexPendingStream *aex_pending_stream_new         (guint max_buffered);
AEX_AVAILABLE_IN_1_0 gboolean          aex_pending_stream_set_value   (AexPendingStream *self, guint index, const GValue *value);
AEX_AVAILABLE_IN_1_0 gboolean          aex_pending_stream_set_string  (AexPendingStream *self, guint index, const char *value);
AEX_AVAILABLE_IN_1_0 AexPending       *aex_pending_stream_push        (AexPendingStream *self, const GValue *value);
AEX_AVAILABLE_IN_1_0 AexPending       *aex_pending_stream_transfer    (AexPendingStream *self, const GValue *value);
AEX_AVAILABLE_IN_1_0 void              aex_pending_stream_end         (AexPendingStream *self, const GError *error);
AEX_AVAILABLE_IN_1_0 void              aex_pending_stream_complete    (AexPendingStream *self);
/* consumer: at most one */
AEX_AVAILABLE_IN_1_0 AexPending       *aex_pending_stream_next        (AexPendingStream *self);
AEX_AVAILABLE_IN_1_0 AexPendingResult *aex_pending_stream_next_sync   (AexPendingStream *self, gint64 timeout_us, GCancellable *cancellable, GError **error);
AEX_AVAILABLE_IN_1_0 AexPending       *aex_pending_stream_close       (AexPendingStream *self);
AEX_AVAILABLE_IN_1_0 guint             aex_pending_stream_get_n_done  (AexPendingStream *self);
AEX_AVAILABLE_IN_1_0 guint             aex_pending_stream_get_n_total (AexPendingStream *self);
AEX_AVAILABLE_IN_1_0 GListModel       *aex_pending_stream_get_model   (AexPendingStream *self);

G_END_DECLS
