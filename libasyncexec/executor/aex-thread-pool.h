/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-executor.h"

G_BEGIN_DECLS

#define AEX_TYPE_THREAD_POOL (aex_thread_pool_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexThreadPool, aex_thread_pool, AEX, THREAD_POOL, AexExecutor)

/**
 * AexThreadMainFunc:
 * @pool: the pool, for [method@ThreadPool.run_worker]
 * @user_data: (closure): the data given to [method@ThreadPool.set_thread_main]
 *
 * Wraps the life of a thread of a pool: called once on each, it must call
 * [method@ThreadPool.run_worker] exactly once. @pool does not keep the pool
 * open.
 *
 * Since: 1.0
 */
typedef void (*AexThreadMainFunc) (AexThreadPool *pool, gpointer user_data);

AEX_AVAILABLE_IN_1_0 AexExecutor *aex_thread_pool_new              (guint max_workers);
AEX_AVAILABLE_IN_1_0 guint        aex_thread_pool_get_max_workers  (AexThreadPool *self);
AEX_AVAILABLE_IN_1_0 void         aex_thread_pool_set_max_workers  (AexThreadPool *self, guint max_workers);
AEX_AVAILABLE_IN_1_0 guint        aex_thread_pool_get_n_workers    (AexThreadPool *self);
AEX_AVAILABLE_IN_1_0 gint64       aex_thread_pool_get_idle_timeout (AexThreadPool *self);
AEX_AVAILABLE_IN_1_0 void         aex_thread_pool_set_idle_timeout (AexThreadPool *self, gint64 timeout_us);
AEX_AVAILABLE_IN_1_0 gboolean     aex_thread_pool_get_help_waiting (AexThreadPool *self);
AEX_AVAILABLE_IN_1_0 void         aex_thread_pool_set_help_waiting (AexThreadPool *self, gboolean help_waiting);
AEX_AVAILABLE_IN_1_0 void         aex_thread_pool_set_thread_main  (AexThreadPool *self, AexThreadMainFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void         aex_thread_pool_run_worker       (AexThreadPool *self);
AEX_AVAILABLE_IN_1_0 void         aex_blocking_begin               (void);
AEX_AVAILABLE_IN_1_0 void         aex_blocking_end                 (void);

G_END_DECLS
