# SPDX-License-Identifier: LGPL-2.1-or-later
"""The namespace as introspection gives it, before any override."""

import numbers
import warnings

from gi.module import get_introspection_module

module = get_introspection_module("AsyncExec")

# A thread that makes a strong reference must not have to wait for another that has Python's lock.
if not module.python_protect_references():
    warnings.warn("AsyncExec: the lock of this Python was not found: threads may wait for each other for ever",
                  RuntimeWarning)

Pending = module.Pending
PendingResult = module.PendingResult
PendingStream = module.PendingStream
PendingInfo = module.PendingInfo
Executor = module.Executor
ThreadPool = module.ThreadPool
Caller = module.Caller
CallerPool = module.CallerPool
CallerOptions = module.CallerOptions
CallQueue = module.CallQueue
Limiter = module.Limiter
Permit = module.Permit
SubmitOptions = module.SubmitOptions
Error = module.Error
WaitFlags = module.WaitFlags
ThenFlags = module.ThenFlags
ReturnWhen = module.ReturnWhen
MapFlags = module.MapFlags
ShutdownFlags = module.ShutdownFlags
StopFlags = module.StopFlags
PendingFlags = module.PendingFlags
PendingState = module.PendingState
Priority = module.Priority

USEC = 1_000_000
MAX_USEC = 2**63 - 1


def microseconds(seconds):
    """What C takes for a duration; None is no limit."""
    if seconds is None:
        return -1
    if not isinstance(seconds, numbers.Real):
        raise TypeError(f"a duration is a number of seconds, or None for no limit, not {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"a duration is not negative, as {seconds} is; None means no limit")
    return round(min(seconds * USEC, MAX_USEC))


def seconds(us):
    """What Python shows for a duration of C; None is no limit."""
    return None if us < 0 else us / USEC
