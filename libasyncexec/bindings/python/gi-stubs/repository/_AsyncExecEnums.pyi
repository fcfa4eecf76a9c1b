# SPDX-License-Identifier: LGPL-2.1-or-later
from gi.repository import GObject

class Error(GObject.GEnum):
    FAILED: Error
    NOT_DONE: Error
    WOULD_DEADLOCK: Error
    CLOSED: Error
    BUSY: Error
    WORKER_DIED: Error
    GROUP: Error
    ABANDONED: Error
    NO_CONTEXT: Error
    MISMATCH: Error
    EXISTS: Error
    REENTERED: Error
    STOPPED_EARLY: Error
    NOT_FOUND: Error
    NOT_SUPPORTED: Error
    PROTOCOL: Error
    EXCEPTION: Error
    FORKED: Error
    INVALID_ARGUMENT: Error
    @staticmethod
    def quark() -> int: ...

class PendingState(GObject.GEnum):
    QUEUED: PendingState
    RUNNING: PendingState
    RESOLVED: PendingState
    REJECTED: PendingState
    CANCELLED: PendingState

class ExecutorState(GObject.GEnum):
    INITIAL: ExecutorState
    RUNNING: ExecutorState
    STOPPING: ExecutorState
    STOPPED: ExecutorState

class ReturnWhen(GObject.GEnum):
    FIRST_COMPLETED: ReturnWhen
    FIRST_ERROR: ReturnWhen
    ALL_COMPLETED: ReturnWhen

class Priority(GObject.GEnum):
    BACKGROUND: Priority
    DEFAULT: Priority
    HIGH: Priority
