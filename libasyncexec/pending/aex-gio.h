/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-enums.h"

G_BEGIN_DECLS

/* Between pendings and what GIO has: pairs of functions foo_async() and foo_finish(), and GTask. */

/**
 * AexGioStart: (skip)
 * @source: (nullable): the object that the operation belongs to
 * @cancellable: what cancels the operation
 * @callback: what the operation calls when it has ended
 * @callback_data: data for @callback
 * @user_data: (closure): the data given to aex_pending_new_for_gio()
 *
 * Starts an operation of GIO: calls its foo_async() with @cancellable, @callback
 * and @callback_data as they are, once. Called once, inside
 * aex_pending_new_for_gio().
 *
 * Since: 1.0
 */
typedef void     (*AexGioStart)  (gpointer source, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer callback_data, gpointer user_data);

/**
 * AexGioFinish: (skip)
 * @source: (nullable): the object that the operation belongs to
 * @result: what the operation gave
 * @value: where the value goes: not initialised; left so, there is no value
 * @user_data: (closure): the data given to aex_pending_new_for_gio()
 * @error: return location for an error
 *
 * Ends an operation of GIO: calls its foo_finish(), and puts what that gives
 * into @value. Called once, in the dispatch in which GIO calls back, with the
 * context variables of the thread that started the operation.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexGioFinish) (gpointer source, GAsyncResult *result, GValue *value, gpointer user_data, GError **error);

AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_for_gio          (gpointer source, AexGioStart start, AexGioFinish finish, gpointer user_data, GDestroyNotify destroy);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_begin_gio            (GType type, GCallback finish, GCancellable **cancellable, gpointer *call);
AEX_AVAILABLE_IN_1_0 void          aex_gio_ready                    (GObject *source, GAsyncResult *result, gpointer call);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_for_task         (GTask *task);
AEX_AVAILABLE_IN_1_0 AexPending   *aex_pending_new_for_task_typed   (GTask *task, GType type);
AEX_AVAILABLE_IN_1_0 void          aex_pending_to_task              (AexPending *self, GTask *task);

#ifndef __cplusplus

#ifndef __GI_SCANNER__

/* What a finish function of the plain form returns. */
#define AEX_GIO_TYPE_OF_(finish) \
  _Generic (finish (NULL, NULL, NULL), \
            int: G_TYPE_BOOLEAN, \
            long: G_TYPE_INT64, long long: G_TYPE_INT64, \
            char *: G_TYPE_STRING, \
            char **: G_TYPE_STRV, \
            GBytes *: G_TYPE_BYTES, \
            GVariant *: G_TYPE_VARIANT, \
            default: G_TYPE_OBJECT)

#define AEX_GIO_HAS_TYPE_(finish) \
  _Generic (finish (NULL, NULL, NULL), \
            GList *: 0, GSList *: 0, void *: 0, \
            unsigned int: 0, unsigned long: 0, unsigned long long: 0, double: 0, \
            default: 1)

#endif

/**
 * AEX_PENDING_FOR_GIO_PAIR:
 * @start: the function that starts the operation
 * @finish: the function that ends it: (source, result, error)
 * @...: the arguments of @start, the source first, up to the cancellable
 *
 * A pending for a pair of functions whose names do not end with `_async` and
 * `_finish`, see AEX_PENDING_FOR_GIO().
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
#define AEX_PENDING_FOR_GIO_PAIR(start, finish, ...) \
  (G_GNUC_EXTENSION ({ \
    _Static_assert (AEX_GIO_HAS_TYPE_ (finish), "what " #finish "() returns is only known to you: use aex_pending_new_for_gio()"); \
    GCancellable *aex_cancellable_ = NULL; \
    gpointer aex_call_ = NULL; \
    AexPending *aex_pending_ = aex_pending_begin_gio (AEX_GIO_TYPE_OF_ (finish), G_CALLBACK (finish), &aex_cancellable_, &aex_call_); \
    if (aex_call_ != NULL) \
      start (__VA_ARGS__, aex_cancellable_, aex_gio_ready, aex_call_); \
    aex_pending_; \
  }))

/**
 * AEX_PENDING_FOR_GIO:
 * @name: the name of the pair: `g_file_read` for g_file_read_async() and
 *   g_file_read_finish()
 * @...: the arguments of the first of the two, the source first, up to the
 *   cancellable
 *
 * A pending for a pair of functions of the plain form, in one expression:
 *
 * |[<!-- language="C" -->
 * AexPending *info = AEX_PENDING_FOR_GIO (g_file_query_info, file, "standard::*", G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT);
 * ]|
 *
 * The plain form ends with (cancellable, callback, user_data), and is ended by
 * (source, result, error) with a boolean, #gssize, string, string array,
 * #GBytes, #GVariant or #GObject, which becomes the value of the pending; so
 * that a %NULL or %FALSE without an error is a value too. Everything else that
 * holds for aex_pending_new_for_gio() holds here. For C, not for C++.
 *
 * Returns: (transfer full): a new pending
 *
 * Since: 1.0
 */
#define AEX_PENDING_FOR_GIO(name, ...) AEX_PENDING_FOR_GIO_PAIR (name##_async, name##_finish, __VA_ARGS__)

#endif

G_END_DECLS
