/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

/**
 * AEX_ERROR:
 *
 * The error domain of the library. Its codes are those of [error@Error].
 *
 * Since: 1.0
 */
#define AEX_ERROR (aex_error_quark ())

/**
 * AexError:
 * @AEX_ERROR_FAILED: something failed without saying more
 * @AEX_ERROR_NOT_DONE: the pending is not done yet
 * @AEX_ERROR_WOULD_DEADLOCK: the wait could never end
 * @AEX_ERROR_CLOSED: the executor, group or stream takes no more work
 * @AEX_ERROR_BUSY: a limit is reached, try again later
 * @AEX_ERROR_WORKER_DIED: the worker process that ran the job is gone
 * @AEX_ERROR_GROUP: several errors, see [func@Error.get_members]
 * @AEX_ERROR_ABANDONED: the pending was dropped before anybody completed it
 * @AEX_ERROR_NO_CONTEXT: the calling thread has no main context
 * @AEX_ERROR_MISMATCH: the value or token has another type or owner than asked for
 * @AEX_ERROR_EXISTS: something of that name is there already
 * @AEX_ERROR_REENTERED: the object is already in use
 * @AEX_ERROR_STOPPED_EARLY: the service ended before it was told to
 * @AEX_ERROR_NOT_FOUND: there is no such thing
 * @AEX_ERROR_NOT_SUPPORTED: this executor or language can not do that
 * @AEX_ERROR_PROTOCOL: a peer sent what it should not have
 * @AEX_ERROR_EXCEPTION: an exception of a language binding
 * @AEX_ERROR_FORKED: the library can not be used after fork() without exec()
 * @AEX_ERROR_INVALID_ARGUMENT: an argument makes no sense
 *
 * Errors of the library. A cancellation is %G_IO_ERROR_CANCELLED and a
 * time-out %G_IO_ERROR_TIMED_OUT, as in GIO.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_ERROR_FAILED,
  AEX_ERROR_NOT_DONE,
  AEX_ERROR_WOULD_DEADLOCK,
  AEX_ERROR_CLOSED,
  AEX_ERROR_BUSY,
  AEX_ERROR_WORKER_DIED,
  AEX_ERROR_GROUP,
  AEX_ERROR_ABANDONED,
  AEX_ERROR_NO_CONTEXT,
  AEX_ERROR_MISMATCH,
  AEX_ERROR_EXISTS,
  AEX_ERROR_REENTERED,
  AEX_ERROR_STOPPED_EARLY,
  AEX_ERROR_NOT_FOUND,
  AEX_ERROR_NOT_SUPPORTED,
  AEX_ERROR_PROTOCOL,
  AEX_ERROR_EXCEPTION,
  AEX_ERROR_FORKED,
  AEX_ERROR_INVALID_ARGUMENT,
} AexError;

AEX_AVAILABLE_IN_1_0 GQuark     aex_error_quark       (void);
AEX_AVAILABLE_IN_1_0 GPtrArray *aex_error_get_members (const GError *error);
AEX_AVAILABLE_IN_1_0 GError    *aex_error_new_exception (const char *message, const GValue *payload);
AEX_AVAILABLE_IN_1_0 GValue    *aex_error_dup_payload (const GError *error);

G_END_DECLS
