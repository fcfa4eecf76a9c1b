/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller.h"

G_BEGIN_DECLS

#define AEX_TYPE_TRAMPOLINE (aex_trampoline_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexTrampoline, aex_trampoline, AEX, TRAMPOLINE, GObject)

/**
 * AexTrampolineFunc:
 * @pending: (nullable): the job to run or the pending that is done, %NULL when
 *   what @token stands for will never be called and is to be released, and from
 *   [method@Trampoline.run_in_context] and [method@Trampoline.run_in_scope]
 * @token: the number given with the job or callback
 * @user_data: (closure): the data given to [ctor@Trampoline.new]
 * @error: return location for an error, for a job
 *
 * What every job and callback of a trampoline calls: once with a pending, or
 * once with %NULL. A job runs it like an [callback@JobFunc], a callback like an
 * [callback@PendingFunc]; with %NULL it is called on the delivery target of the
 * thread that gave @token.
 *
 * Returns: as an [callback@JobFunc]; ignored for a callback
 *
 * Since: 1.0
 */
typedef gboolean (*AexTrampolineFunc) (AexPending *pending, guint64 token, gpointer user_data, GError **error);

AEX_AVAILABLE_IN_1_0 AexTrampoline *aex_trampoline_new               (AexTrampolineFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending    *aex_trampoline_submit            (AexTrampoline *self, AexExecutor *executor, AexSubmitOptions *options, guint64 token);
AEX_AVAILABLE_IN_1_0 AexPending    *aex_trampoline_call_later        (AexTrampoline *self, AexCaller *caller, gint64 delay_us, guint64 token);
AEX_AVAILABLE_IN_1_0 gulong         aex_trampoline_add_done_callback (AexTrampoline *self, AexPending *pending, gboolean at_once, guint64 token);
AEX_AVAILABLE_IN_1_0 gulong         aex_trampoline_watch             (AexTrampoline *self, AexPending *pending, guint64 token);
AEX_AVAILABLE_IN_1_0 void           aex_trampoline_run_in_context    (AexTrampoline *self, AexContext *context, guint64 token);
AEX_AVAILABLE_IN_1_0 void           aex_trampoline_run_in_scope      (AexTrampoline *self, AexScope *scope, guint64 token);
AEX_AVAILABLE_IN_1_0 gboolean       aex_trampoline_resolve           (AexTrampoline *self, AexPending *pending, guint64 token);
AEX_AVAILABLE_IN_1_0 guint64        aex_trampoline_peek              (AexTrampoline *self, AexPending *pending);
AEX_AVAILABLE_IN_1_0 gboolean       aex_trampoline_wants_names       (void);
AEX_AVAILABLE_IN_1_0 guint64        aex_trampoline_wait              (AexTrampoline *self, AexPending *pending, gint64 timeout_us);

G_END_DECLS
