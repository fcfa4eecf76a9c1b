/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
#include "aex-enums.h"
G_BEGIN_DECLS
#define AEX_TYPE_EXECUTOR (aex_executor_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (AexExecutor, aex_executor, AEX, EXECUTOR, GObject)

/**
 * AexExecutorClass::dispatch:
 * @self: the executor
 * @job: a job that was submitted
 * @error: return location for an error
 *
 * Arranges that [method@Pending.run] is called for @job, once, later, on any
 * thread. Every subclass must implement it. An error rejects @job, and a job
 * that is dropped without being run is rejected too.
 *
 * Called in a dispatch of the owner context, or, with
 * [property@Executor:dispatch-anywhere], on the thread that submits.
 *
 * Since: 1.0
 */
struct _AexExecutorClass
{
  GObjectClass parent_class;
  /*< public >*/
  void        (*dispatch) (AexExecutor *self, AexPending *job, GError **error);   /* mandatory; an error rejects the job */
  AexPending *(*shutdown) (AexExecutor *self, AexShutdownFlags flags);      /* full; default resolves when n-pending is 0 */
  /*< private >*/
  gpointer _reserved[14];
};

AEX_AVAILABLE_IN_1_0 AexExecutor *aex_executor_ref_default       (void);
AEX_AVAILABLE_IN_1_0 void         aex_executor_set_default       (AexExecutor *executor);
AEX_AVAILABLE_IN_1_0 void         aex_executor_set_unhandled_func (AexUnhandledFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_submit            (AexExecutor *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_submit_async      (AexExecutor *self, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_submit_full       (AexExecutor *self, AexSubmitOptions *options, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_submit_async_full (AexExecutor *self, AexSubmitOptions *options, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_call              (AexExecutor *self, const char *operation, GVariant *parameters);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_call_full         (AexExecutor *self, AexSubmitOptions *options, const char *operation, GVariant *parameters);
AEX_AVAILABLE_IN_1_0 void         aex_executor_post              (AexExecutor *self, AexPostFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 GValue      *aex_executor_run               (AexExecutor *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy, GCancellable *cancellable, GError **error);
AEX_AVAILABLE_IN_1_0 AexPendingStream *aex_executor_map          (AexExecutor *self, guint n_items, guint max_concurrent, gint64 item_timeout_us, AexMapFlags flags, AexMapFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void         aex_executor_run_task          (AexExecutor *self, GTask *task, GTaskThreadFunc func);
AEX_AVAILABLE_IN_1_0 AexPending  *aex_executor_shutdown          (AexExecutor *self, AexShutdownFlags flags);

AEX_AVAILABLE_IN_1_0 gboolean     aex_executor_runs_here         (AexExecutor *self);
/* signal unhandled-error: gboolean handler (AexExecutor *self, AexPending *pending (nullable: post, call_direct), GError *error); TRUE = handled */
/* properties: name, operations, dispatch-anywhere, record-times (construct); state, n-pending (queued), n-running, max-pending (queued; 0 = unlimited) */
AEX_AVAILABLE_IN_1_0 const char  *aex_executor_get_name          (AexExecutor *self);
AEX_AVAILABLE_IN_1_0 AexOperations *aex_executor_get_operations (AexExecutor *self);
AEX_AVAILABLE_IN_1_0 AexExecutorState aex_executor_get_state     (AexExecutor *self);
AEX_AVAILABLE_IN_1_0 guint        aex_executor_get_n_pending     (AexExecutor *self);
AEX_AVAILABLE_IN_1_0 guint        aex_executor_get_n_running     (AexExecutor *self);
AEX_AVAILABLE_IN_1_0 guint        aex_executor_get_max_pending   (AexExecutor *self);
AEX_AVAILABLE_IN_1_0 void         aex_executor_set_max_pending   (AexExecutor *self, guint max_pending);

G_END_DECLS
