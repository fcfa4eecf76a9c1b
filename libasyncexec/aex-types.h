/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "aex-version-macros.h"

G_BEGIN_DECLS

typedef struct _AexPending       AexPending;
typedef struct _AexPendingGroup  AexPendingGroup;
typedef struct _AexPendingInfo   AexPendingInfo;
typedef struct _AexPendingResult AexPendingResult;
typedef struct _AexPendingStream AexPendingStream;
typedef struct _AexContext       AexContext;
typedef struct _AexContextToken  AexContextToken;
typedef struct _AexContextVar    AexContextVar;
typedef struct _AexScope         AexScope;
typedef struct _AexSubmitOptions AexSubmitOptions;
typedef struct _AexOperations    AexOperations;
typedef struct _AexExecutor      AexExecutor;
typedef struct _AexThreadPool    AexThreadPool;
typedef struct _AexCaller        AexCaller;
typedef struct _AexCallerOptions AexCallerOptions;
typedef struct _AexCallQueue     AexCallQueue;
typedef struct _AexPermit        AexPermit;

/**
 * AexJobFunc:
 * @job: the pending that this function completes
 * @cancellable: cancelled when @job is cancelled or its timeout passes; valid
 *   while the function runs, take a reference to keep it longer
 * @user_data: (closure): the data given at submission
 * @error: return location for an error
 *
 * A job: the function that a pending runs on its executor.
 *
 * Set the outcome on @job (for example with [method@Pending.resolve_string])
 * and return %TRUE. %TRUE with nothing set resolves @job with no value. %FALSE
 * with @error set rejects it. %FALSE with no error and nothing set rejects it
 * with %AEX_ERROR_FAILED.
 *
 * The function runs exactly once or never, on a thread of the executor, with
 * the [struct@Context] of the submission. It may call anything. What it
 * connects to @cancellable it disconnects before it returns, or it keeps a
 * reference: without one, @cancellable serves the next job of the thread.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexJobFunc) (AexPending *job, GCancellable *cancellable, gpointer user_data, GError **error);

/**
 * AexAsyncFunc:
 * @job: the pending that will follow the returned one
 * @cancellable: cancelled when @job is cancelled
 * @user_data: (closure): the data given at submission
 * @error: return location for an error
 *
 * A job in coroutine form: it starts work and returns the pending to follow.
 *
 * It runs like an [callback@JobFunc]; @job is done when the returned pending
 * is. Returning %NULL without an error completes @job like an [callback@JobFunc] that
 * returned %TRUE.
 *
 * Returns: (transfer full) (nullable): the pending to follow, or %NULL
 *
 * Since: 1.0
 */
typedef AexPending *(*AexAsyncFunc) (AexPending *job, GCancellable *cancellable, gpointer user_data, GError **error);

/**
 * AexMapFunc:
 * @stream: the stream that gets the value, see [method@PendingStream.set_value]
 * @index: which item
 * @cancellable: cancelled when the stream is closed or the time of this item is over
 * @user_data: (closure): the data given to [method@Executor.map]
 * @error: return location for an error
 *
 * The function of a map, called once for each index, on the executor, from
 * several threads at the same time.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexMapFunc) (AexPendingStream *stream, guint index, GCancellable *cancellable, gpointer user_data, GError **error);

/**
 * AexEachFunc:
 * @index: which item
 * @cancellable: cancelled with the group
 * @user_data: (closure): the data given to [method@PendingGroup.for_each]
 * @error: return location for an error
 *
 * Called once for each index, on the executor, from several threads at the same
 * time.
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexEachFunc) (guint index, GCancellable *cancellable, gpointer user_data, GError **error);

/**
 * AexPostFunc:
 * @user_data: (closure): the data given to [method@Executor.post]
 * @error: return location for an error
 *
 * Fire and forget work. An error goes to [signal@Executor::unhandled-error].
 *
 * Returns: %TRUE on success, %FALSE if @error is set
 *
 * Since: 1.0
 */
typedef gboolean (*AexPostFunc) (gpointer user_data, GError **error);

/**
 * AexPendingFunc:
 * @pending: the pending
 * @user_data: (closure): the data given when attached
 *
 * Called once when something happened to @pending, on the delivery target of
 * the thread that attached it.
 *
 * Since: 1.0
 */
typedef void (*AexPendingFunc) (AexPending *pending, gpointer user_data);

/**
 * AexMessageFunc:
 * @pending: the pending that was subscribed to
 * @message: what the job published; take a reference to keep it
 * @user_data: (closure): the data given when subscribed
 *
 * Called for every message that a pending publishes, in order, on the delivery
 * target of the thread that subscribed, before the done callbacks there. It may
 * unsubscribe itself and call anything else.
 *
 * Since: 1.0
 */
typedef void (*AexMessageFunc) (AexPending *pending, GVariant *message, gpointer user_data);

/**
 * AexThenFunc:
 * @done: the pending that is done
 * @user_data: (closure): the data given when attached
 * @error: return location for an error
 *
 * A continuation, called once on the delivery target of the thread that
 * attached it.
 *
 * Returns: (transfer full) (nullable): a pending to follow, or %NULL to pass
 *   the outcome of @done on
 *
 * Since: 1.0
 */
typedef AexPending *(*AexThenFunc) (AexPending *done, gpointer user_data, GError **error);

/**
 * AexWakeFunc:
 * @caller: the caller that has work
 * @user_data: (closure): the data given to [method@Caller.set_wake_func]
 *
 * Called when a caller that is hosted by a foreign loop gets work and nobody
 * was told yet: on the thread that posts, with no lock held. It must arrange
 * that [method@Caller.dispatch] is called soon on the caller's thread.
 *
 * Since: 1.0
 */
typedef void (*AexWakeFunc) (AexCaller *caller, gpointer user_data);

/**
 * AexUnhandledFunc:
 * @executor: the executor
 * @pending: (nullable): the job, %NULL for a function without a pending
 * @error: what nobody has seen
 * @user_data: (closure): the data given to [func@Executor.set_unhandled_func]
 *
 * Called in the owner context of @executor, with no lock held, when no handler
 * of [signal@Executor::unhandled-error] took care of @error.
 *
 * Since: 1.0
 */
typedef void (*AexUnhandledFunc) (AexExecutor *executor, AexPending *pending, const GError *error, gpointer user_data);

/**
 * AexContextFunc:
 * @user_data: (closure): the data given to [method@Context.run]
 *
 * Plain code that runs inside a context, at once and on the calling thread.
 *
 * Since: 1.0
 */
typedef void (*AexContextFunc) (gpointer user_data);

G_END_DECLS
