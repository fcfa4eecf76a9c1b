/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-caller-options.h"
#include "aex-executor.h"

G_BEGIN_DECLS

#define AEX_TYPE_CALLER (aex_caller_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexCaller, aex_caller, AEX, CALLER, AexExecutor)
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_current     (GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_main        (void);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_for_context (GMainContext *context);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_for_context_named (GMainContext *context, const char *name, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_for_context_full (GMainContext *context, AexCallerOptions *options, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_new_for_context (GMainContext *context, const char *name, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_new_thread      (const char *name, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_new_thread_full (AexCallerOptions *options, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_child       (AexCaller *self, const char *name, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_child_full  (AexCaller *self, AexCallerOptions *options, GError **error);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_lookup          (guint64 id);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_lookup_current  (void);
AEX_AVAILABLE_IN_1_0 GPtrArray    *aex_caller_list            (gboolean running_only);
AEX_AVAILABLE_IN_1_0 guint64       aex_caller_get_id          (AexCaller *self);
AEX_AVAILABLE_IN_1_0 GMainContext *aex_caller_get_context     (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexCallerOptions *aex_caller_dup_options (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexCaller    *aex_caller_ref_parent      (AexCaller *self);
AEX_AVAILABLE_IN_1_0 GPtrArray    *aex_caller_list_children   (AexCaller *self);
AEX_AVAILABLE_IN_1_0 char         *aex_caller_describe        (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_get_started     (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_get_stopping    (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_get_stopped     (AexCaller *self);
AEX_AVAILABLE_IN_1_0 gboolean      aex_caller_get_protected   (AexCaller *self);
AEX_AVAILABLE_IN_1_0 void          aex_caller_set_protected   (AexCaller *self, gboolean is_protected);
AEX_AVAILABLE_IN_1_0 gboolean      aex_caller_hold            (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_release         (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_release_full    (AexCaller *self, AexShutdownFlags flags);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_stop            (AexCaller *self, AexStopFlags flags);
/* call_soon is aex_executor_submit(), schedule_call aex_executor_submit_full(); C aliases are not shipped */
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_call_later      (AexCaller *self, gint64 delay_us, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void          aex_caller_call_direct     (AexCaller *self, AexPostFunc func, gpointer user_data, GDestroyNotify destroy);
/* child threads */
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_to_thread       (AexCaller *self, AexJobFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexExecutor  *aex_caller_ref_workers     (AexCaller *self, GError **error);
AEX_AVAILABLE_IN_1_0 guint         aex_caller_get_max_idle_workers    (AexCaller *self);
AEX_AVAILABLE_IN_1_0 void          aex_caller_set_max_idle_workers    (AexCaller *self, guint max_idle_workers);
AEX_AVAILABLE_IN_1_0 guint         aex_caller_get_max_workers         (AexCaller *self);
AEX_AVAILABLE_IN_1_0 void          aex_caller_set_max_workers         (AexCaller *self, guint max_workers);
AEX_AVAILABLE_IN_1_0 gint64        aex_caller_get_idle_worker_timeout (AexCaller *self);
AEX_AVAILABLE_IN_1_0 void          aex_caller_set_idle_worker_timeout (AexCaller *self, gint64 timeout_us);
/* other loops in its thread */
AEX_AVAILABLE_IN_1_0 gboolean      aex_caller_register_backend (const char *name, GType guest_type, GError **error);
AEX_AVAILABLE_IN_1_0 const char   *aex_caller_get_backend      (AexCaller *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_call_using_backend (AexCaller *self, const char *backend, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_caller_call_using_backend_full (AexCaller *self, const char *backend, AexSubmitOptions *options, AexAsyncFunc func, gpointer user_data, GDestroyNotify destroy);
/* one after the other */
AEX_AVAILABLE_IN_1_0 AexCallQueue *aex_caller_ensure_queue    (AexCaller *self, GObject *owner, const char *key);
AEX_AVAILABLE_IN_1_0 AexCallQueue *aex_caller_lookup_queue    (AexCaller *self, GObject *owner, const char *key);
AEX_AVAILABLE_IN_1_0 void          aex_caller_close_queue     (AexCaller *self, GObject *owner, const char *key);
/* hosting by a foreign loop */
AEX_AVAILABLE_IN_1_0 void          aex_caller_set_wake_func   (AexCaller *self, AexWakeFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean      aex_caller_dispatch        (AexCaller *self, gint64 budget_us);
AEX_AVAILABLE_IN_1_0 gint64        aex_caller_get_ready_time  (AexCaller *self);

G_END_DECLS
