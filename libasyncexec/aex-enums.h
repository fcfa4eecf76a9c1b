/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "aex-types.h"

G_BEGIN_DECLS

/**
 * AexPendingState:
 * @AEX_PENDING_STATE_QUEUED: a job that waits for its executor
 * @AEX_PENDING_STATE_RUNNING: a job that runs, or a promise; it may already be cancelled
 * @AEX_PENDING_STATE_RESOLVED: done, with a value or none
 * @AEX_PENDING_STATE_REJECTED: done, with an error
 * @AEX_PENDING_STATE_CANCELLED: done, and the outcome is the cancellation
 *
 * Where a pending is in its life. It only moves downwards.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_PENDING_STATE_QUEUED,
  AEX_PENDING_STATE_RUNNING,
  AEX_PENDING_STATE_RESOLVED,
  AEX_PENDING_STATE_REJECTED,
  AEX_PENDING_STATE_CANCELLED,
} AexPendingState;

/**
 * AexPendingFlags:
 * @AEX_PENDING_FLAGS_NONE: no flags
 * @AEX_PENDING_FLAGS_PROTECTED: implied cancellations (of a waiter, of a
 *   derived pending) never reach it, only [method@Pending.cancel] does
 *
 * How a pending behaves.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_PENDING_FLAGS_NONE      = 0,
  AEX_PENDING_FLAGS_PROTECTED = 1 << 0,
} AexPendingFlags;

/**
 * AexWaitFlags:
 * @AEX_WAIT_FLAGS_NONE: no flags: an abandoned wait leaves the pending alone
 * @AEX_WAIT_FLAGS_CANCEL_ON_ABANDON: when the wait times out (except with a
 *   timeout of 0) or is cancelled, the pending is cancelled too, for everybody
 * @AEX_WAIT_FLAGS_SHIELD: the wait ignores cancellation from outside: that of
 *   the job or scope it stands in, and the cancellable
 * @AEX_WAIT_FLAGS_NO_RESULT: the wait reports success when the pending is
 *   done, whatever its outcome, and does not count as having observed it
 * @AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY: a cancelled wait cancels a job that has
 *   not started; a job that runs is waited for and its result returned
 *
 * How to wait for a pending.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_WAIT_FLAGS_NONE               = 0,
  AEX_WAIT_FLAGS_CANCEL_ON_ABANDON  = 1 << 0,
  AEX_WAIT_FLAGS_SHIELD             = 1 << 1,
  AEX_WAIT_FLAGS_NO_RESULT          = 1 << 2,
  AEX_WAIT_FLAGS_CANCEL_QUEUED_ONLY = 1 << 3,
} AexWaitFlags;

/**
 * AexScopeFlags:
 * @AEX_SCOPE_FLAGS_NONE: no flags
 * @AEX_SCOPE_FLAGS_SHIELD: what stands outside is not observed inside: neither
 *   the scopes around this one nor the cancellation of the running job
 *
 * How an [struct@Scope] behaves.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_SCOPE_FLAGS_NONE   = 0,
  AEX_SCOPE_FLAGS_SHIELD = 1 << 0,
} AexScopeFlags;

/**
 * AexShutdownFlags:
 * @AEX_SHUTDOWN_FLAGS_NONE: drain: everything accepted so far still runs
 * @AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED: drop jobs that have not started
 * @AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING: cancel jobs that run
 *
 * What becomes of the work of an executor that shuts down.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_SHUTDOWN_FLAGS_NONE           = 0,
  AEX_SHUTDOWN_FLAGS_CANCEL_QUEUED  = 1 << 0,
  AEX_SHUTDOWN_FLAGS_CANCEL_RUNNING = 1 << 1,
} AexShutdownFlags;

/**
 * AexMapFlags:
 * @AEX_MAP_FLAGS_NONE: results in order; the first error ends the stream
 * @AEX_MAP_FLAGS_UNORDERED: results in the order of completion
 * @AEX_MAP_FLAGS_CONTINUE_ON_ERROR: an error is a result like others
 *
 * How [method@Executor.map] gives its results.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_MAP_FLAGS_NONE              = 0,
  AEX_MAP_FLAGS_UNORDERED         = 1 << 0,
  AEX_MAP_FLAGS_CONTINUE_ON_ERROR = 1 << 1,
} AexMapFlags;

/**
 * AexPriority:
 * @AEX_PRIORITY_BACKGROUND: after everything else, but never starved
 * @AEX_PRIORITY_DEFAULT: the default
 * @AEX_PRIORITY_HIGH: before everything else
 *
 * Order of the jobs of one executor. Jobs of equal priority start in FIFO order.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_PRIORITY_BACKGROUND = -1,
  AEX_PRIORITY_DEFAULT    = 0,
  AEX_PRIORITY_HIGH       = 1,
} AexPriority;

/**
 * AexExecutorState:
 * @AEX_EXECUTOR_STATE_INITIAL: accepts work, has run nothing yet
 * @AEX_EXECUTOR_STATE_RUNNING: accepts work and runs it
 * @AEX_EXECUTOR_STATE_STOPPING: accepts no new work, ends what it has
 * @AEX_EXECUTOR_STATE_STOPPED: nothing runs any more and nothing will
 *
 * Where an executor is in its life. It only moves downwards.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_EXECUTOR_STATE_INITIAL,
  AEX_EXECUTOR_STATE_RUNNING,
  AEX_EXECUTOR_STATE_STOPPING,
  AEX_EXECUTOR_STATE_STOPPED,
} AexExecutorState;

/**
 * AexThenFlags:
 * @AEX_THEN_FLAGS_ON_SUCCESS: call the function when the source was resolved
 * @AEX_THEN_FLAGS_ON_ERROR: call the function when the source was rejected or cancelled
 * @AEX_THEN_FLAGS_ALWAYS: call the function exactly once when the source is
 *   done, even if the derived pending was cancelled
 *
 * When a continuation is called. See [method@Pending.add_continuation].
 *
 * Since: 1.0
 */
typedef enum {
  AEX_THEN_FLAGS_ON_SUCCESS = 1 << 0,
  AEX_THEN_FLAGS_ON_ERROR   = 1 << 1,
  AEX_THEN_FLAGS_ALWAYS     = 1 << 2,
} AexThenFlags;

/**
 * AexGroupMode:
 * @AEX_GROUP_MODE_IGNORE: a cancelled member is ignored, and the group ends
 *   quietly even if it was cancelled itself
 * @AEX_GROUP_MODE_RAISE: a cancelled member cancels the group, which ends with
 *   the cancellation
 * @AEX_GROUP_MODE_QUIET: a cancelled member cancels the group, which ends
 *   quietly
 * @AEX_GROUP_MODE_RAISE_AT_END: a cancelled member is left alone until all are
 *   done; the group ends with the cancellation if it, or a member, was cancelled
 *
 * What a cancellation means for an [class@PendingGroup]. An error of a member
 * cancels the group and is told at its end in every mode.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_GROUP_MODE_IGNORE,
  AEX_GROUP_MODE_RAISE,
  AEX_GROUP_MODE_QUIET,
  AEX_GROUP_MODE_RAISE_AT_END,
} AexGroupMode;

/**
 * AexReturnWhen:
 * @AEX_RETURN_WHEN_FIRST_COMPLETED: when one is done
 * @AEX_RETURN_WHEN_FIRST_ERROR: when one has failed or was cancelled, or all are done
 * @AEX_RETURN_WHEN_ALL_COMPLETED: when all are done
 *
 * When [func@Pending.wait_set] has waited for enough of its members.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_RETURN_WHEN_FIRST_COMPLETED,
  AEX_RETURN_WHEN_FIRST_ERROR,
  AEX_RETURN_WHEN_ALL_COMPLETED,
} AexReturnWhen;

/**
 * AexStopFlags:
 * @AEX_STOP_FLAGS_NONE: no flags
 * @AEX_STOP_FLAGS_FORCE: stop also when it is protected, see
 *   [property@Caller:protected]
 *
 * How to stop an [class@Caller].
 *
 * Since: 1.0
 */
typedef enum {
  AEX_STOP_FLAGS_NONE  = 0,
  AEX_STOP_FLAGS_FORCE = 1 << 0,
} AexStopFlags;

/**
 * AexTrampolineOutcome:
 * @AEX_TRAMPOLINE_OUTCOME_NONE: the pending is not done
 * @AEX_TRAMPOLINE_OUTCOME_FAILED: it was rejected or cancelled
 * @AEX_TRAMPOLINE_OUTCOME_VALUE: it has a value, or none, that C knows
 * @AEX_TRAMPOLINE_OUTCOME_TOKEN: this, and every number above, is a token
 *
 * What [method@Trampoline.peek] returns.
 *
 * Since: 1.0
 */
typedef enum {
  AEX_TRAMPOLINE_OUTCOME_NONE,
  AEX_TRAMPOLINE_OUTCOME_FAILED,
  AEX_TRAMPOLINE_OUTCOME_VALUE,
  AEX_TRAMPOLINE_OUTCOME_TOKEN,
} AexTrampolineOutcome;

G_END_DECLS
