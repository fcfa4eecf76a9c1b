/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

#define AEX_TYPE_PENDING (aex_pending_get_type ())
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexPending, aex_pending, AEX, PENDING, GObject)

/* --- producer side */
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new                  (void);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_full             (AexPendingFlags flags, AexContext *context);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_tracked          (const GType *tracker_types, gsize n_types);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_resolved         (const GValue *value);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_rejected         (GError *error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve              (AexPending *self, const GValue *value);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_boolean      (AexPending *self, gboolean value);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_int64        (AexPending *self, gint64 value);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_double       (AexPending *self, double value);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_string       (AexPending *self, const char *value);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_object       (AexPending *self, gpointer object);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_boxed        (AexPending *self, GType type, gconstpointer boxed);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_variant      (AexPending *self, GVariant *value);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_resolve_pointer      (AexPending *self, gpointer value, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_reject               (AexPending *self, GError *error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_reject_new           (AexPending *self, GQuark domain, int code, const char *format, ...) G_GNUC_PRINTF (4, 5);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_reject_with_payload  (AexPending *self, const GError *error, const GValue *payload);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_follow               (AexPending *self, AexPending *other);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_set_canceller        (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 void          aex_pending_set_progress         (AexPending *self, double fraction, const char *message);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_publish              (AexPending *self, GVariant *message);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_publish_wait         (AexPending *self, GVariant *message, GError **error);
AEX_AVAILABLE_IN_1_0 GCancellable *aex_pending_get_cancellable      (AexPending *self);
AEX_AVAILABLE_IN_1_0 void          aex_pending_run                  (AexPending *self);

/* --- consumer side */
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_cancel               (AexPending *self, const char *message);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_cancel_queued        (AexPending *self);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_set_priority         (AexPending *self, AexPriority priority);
AEX_AVAILABLE_IN_1_0 void          aex_pending_cancel_with          (AexPending *self, GObject *owner);
AEX_AVAILABLE_IN_1_0 void          aex_pending_cancel_on            (AexPending *self, GCancellable *cancellable);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_is_done              (AexPending *self);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_is_cancelled         (AexPending *self);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_was_cancel_requested (AexPending *self);
AEX_AVAILABLE_IN_1_0 AexPendingState aex_pending_get_state          (AexPending *self);
AEX_AVAILABLE_IN_1_0 GValue       *aex_pending_dup_value            (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 const GValue *aex_pending_get_value            (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_get_boolean          (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 gint64        aex_pending_get_int64            (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 double        aex_pending_get_double           (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 char         *aex_pending_dup_string           (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 gpointer      aex_pending_dup_object           (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 gpointer      aex_pending_dup_boxed            (AexPending *self, GType type, GError **error);
AEX_AVAILABLE_IN_1_0 GVariant     *aex_pending_dup_variant          (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 gpointer      aex_pending_get_pointer          (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 GError       *aex_pending_dup_error            (AexPending *self);
AEX_AVAILABLE_IN_1_0 GValue       *aex_pending_dup_payload          (AexPending *self);
AEX_AVAILABLE_IN_1_0 const GValue *aex_pending_peek_value           (AexPending *self, GError **error);
AEX_AVAILABLE_IN_1_0 const GValue *aex_pending_peek_payload         (AexPending *self);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_wait                 (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable, GError **error);
AEX_AVAILABLE_IN_1_0 void          aex_pending_wait_async           (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_wait_finish          (AexPending *self, GAsyncResult *result, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_run_until_done       (AexPending *self, AexWaitFlags flags, gint64 timeout_us, GCancellable *cancellable, GError **error);
AEX_AVAILABLE_IN_1_0 gulong        aex_pending_add_done_callback    (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gulong        aex_pending_add_done_callback_inline (AexPending *self, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gulong        aex_pending_add_done_callback_object (AexPending *self, GObject *target, AexPendingFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_remove_done_callback (AexPending *self, gulong id);
AEX_AVAILABLE_IN_1_0 gulong        aex_pending_subscribe            (AexPending *self, AexMessageFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 gboolean      aex_pending_unsubscribe          (AexPending *self, gulong id);

/* --- combinators; every returned AexPending* is transfer full */
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_then                 (AexPending *self, AexThenFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_catch                (AexPending *self, AexThenFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_finally              (AexPending *self, AexThenFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_then_object          (AexPending *self, GObject *target, AexThenFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_add_continuation     (AexPending *self, AexThenFlags flags, AexThenFunc func, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_shield               (AexPending *self);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_sleep                (gint64 timeout_us);
AEX_AVAILABLE_IN_1_0 void          aex_sleep_async                  (gint64 timeout_us, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
AEX_AVAILABLE_IN_1_0 gboolean      aex_sleep_finish                 (GAsyncResult *result, GError **error);
AEX_AVAILABLE_IN_1_0 gboolean      aex_check_cancelled              (GError **error);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_all                  (AexPending *first, ...) G_GNUC_NULL_TERMINATED;
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_allv                 (AexPending * const *pendings, gsize n_pendings);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_all_settled          (AexPending *first, ...) G_GNUC_NULL_TERMINATED;
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_any                  (AexPending *first, ...) G_GNUC_NULL_TERMINATED;
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_first                (AexPending *first, ...) G_GNUC_NULL_TERMINATED;
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_all_settledv         (AexPending * const *pendings, gsize n_pendings);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_anyv                 (AexPending * const *pendings, gsize n_pendings);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_firstv               (AexPending * const *pendings, gsize n_pendings);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_with_timeout         (AexPending *self, gint64 timeout_us);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_wait_set             (AexPending * const *pendings, gsize n_pendings, AexReturnWhen return_when, gint64 timeout_us);
AEX_AVAILABLE_IN_1_0 AexPendingStream *aex_pending_as_completed     (AexPending * const *pendings, gsize n_pendings);

/* --- description */
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_get_current          (void);
AEX_AVAILABLE_IN_1_0 void          aex_pending_set_static_name      (AexPending *self, const char *name);
AEX_AVAILABLE_IN_1_0 void          aex_pending_set_name             (AexPending *self, const char *name);
AEX_AVAILABLE_IN_1_0 char         *aex_pending_dup_name             (AexPending *self);
AEX_AVAILABLE_IN_1_0 double        aex_pending_get_progress         (AexPending *self);
AEX_AVAILABLE_IN_1_0 char         *aex_pending_dup_progress_message (AexPending *self);
AEX_AVAILABLE_IN_1_0 char         *aex_pending_dup_status_text      (AexPending *self);
AEX_AVAILABLE_IN_1_0 guint         aex_pending_get_n_lost_messages  (AexPending *self);
AEX_AVAILABLE_IN_1_0 void          aex_pending_set_metadata         (AexPending *self, const char *key, GVariant *value);
AEX_AVAILABLE_IN_1_0 GVariant     *aex_pending_dup_metadata         (AexPending *self, const char *key);
AEX_AVAILABLE_IN_1_0 AexContext   *aex_pending_dup_context          (AexPending *self);
AEX_AVAILABLE_IN_1_0 AexPendingInfo *aex_pending_dup_info           (AexPending *self);
AEX_AVAILABLE_IN_1_0 AexPendingResult *aex_pending_dup_result       (AexPending *self);

G_END_DECLS
