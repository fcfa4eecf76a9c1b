# SPDX-License-Identifier: LGPL-2.1-or-later
"""The override of AsyncExec: what Python adds to, and hides of, the introspected namespace."""

from gi.overrides import override

from ._asyncexec import (caller, executor, exit as exits, futures, groups, guests, jobs, lazy, limiter, messages, pending,
                         queues, run as running, scopes, services, several, streams, testing)
from ._asyncexec.hidden import finalize, hide
from ._asyncexec.errors import Busy, Cancelled, Closed, GroupError, NotDone, StoppedEarly, Timeout, WorkerDied, WouldDeadlock

Pending = override(pending.Pending)
Executor = override(executor.Executor)
ThreadPool = override(executor.ThreadPool)
Caller = override(caller.Caller)
CallQueue = override(queues.CallQueue)
Guest = override(guests.Guest)
Permit = override(limiter.Permit)
Limiter = override(limiter.Limiter)
CallerPool = override(limiter.CallerPool)
PendingStream = override(streams.PendingStream)
Stream = PendingStream
PendingTracker = override(groups.PendingTracker)
PendingManager = override(groups.PendingManager)
PendingGroup = override(groups.PendingGroup)
Group = PendingGroup
Service = override(services.Service)
Lazy = override(lazy.Lazy)
lazy_property = lazy.lazy_property

run = running.run
run_hosted = running.run_hosted
spawn = running.spawn
handler = running.handler
sleep = running.sleep
as_completed = streams.as_completed
wait = several.wait
current_pending = jobs.current_pending
check_cancelled = jobs.check_cancelled
CancelScope = scopes.CancelScope
fail_after = scopes.fail_after
move_on_after = scopes.move_on_after
report_progress = messages.report_progress
publish = messages.publish

futures.install(Pending, Executor)
messages.install(Pending)
hide(Pending, {
    "add_continuation": "then(), catch() or finally_()", "add_done_callback_inline": "add_done_callback()",
    "dup_error": "peek_exception()", "dup_payload": "peek_exception()", "dup_value": "peek()",
    "is_cancelled": "cancelled()", "is_done": "done()", "new_full": "Pending()", "new_rejected": "Pending.rejected()",
    "new_resolved": "Pending.resolved()", "new_tracked": "Pending(trackers=...)", "reject_with_payload": "reject()", "wait_async": "wait()",
    "wait_finish": "wait()", "wait_set": "AsyncExec.wait()",
})
hide(Executor, {
    "map_full": "map()", "ref_default": "Executor.get_default()", "submit_async": "submit()",
    "set_unhandled_func": "connect('unhandled-error', ...)", "submit_async_full": "options().submit()",
    "submit_full": "options().submit()", "call_full": "options().call()",
})
hide(ThreadPool, {"run_worker": "nothing", "set_thread_main": "nothing"})
hide(Caller, {
    "ref_current": "Caller.current()", "ref_for_context": "Caller.for_context()", "ref_main": "Caller.get_main()",
    "ref_for_context_named": "Caller.for_context()", "ref_for_context_full": "Caller.for_context()",
    "call_using_backend_full": "schedule_call()", "new_thread_full": "Caller.new_thread()", "ref_child": "child()",
    "ref_child_full": "child()", "lookup_current": "Caller.lookup()", "list_children": "children", "ref_parent": "parent",
    "dup_options": "context_flags and niceness", "release_full": "release()", "ref_workers": "workers",
    "ensure_queue": "queue()", "lookup_queue": "queue_get()", "close_queue": "queue_close()",
})
hide(Guest, {"ref_caller": "caller"})
hide(CallQueue, {"push_async": "push()", "ref_caller": "caller"})
hide(Service, {"enter": "async with"})
hide(Lazy, {"dup_value": "peek()", "get_executor": "executor", "is_made": "made", "new_async": "Lazy()"})
hide(PendingTracker, {
    "dup_pendings": "pendings", "get_active_id": "active_id()", "get_n_pendings": "len()", "ref_current": "current()",
})
hide(PendingManager, {"pop": "deactivate()", "push": "activate()"})
hide(PendingGroup, {
    "begin": "async with", "end": "async with", "enter": "async with", "get_scope": "async with", "leave": "async with",
    "get_cancellation_timeout": "cancellation_timeout", "get_timeout": "timeout", "is_cancelled": "cancelled()",
    "is_over": "over()", "ref_current": "PendingGroup.current()", "set_cancellation_timeout": "PendingGroup()",
    "set_shield": "PendingGroup()", "set_timeout": "PendingGroup()", "submit": "on()",
})
hide(scopes.Scope, {"enter": "fail_after() or move_on_after()", "new": "CancelScope()"})

finalize(Pending, ThreadPool, Caller, Limiter, CallerPool, PendingStream, Lazy)

exits.install()
guests.install()

__all__ = ["Busy", "CallQueue", "Caller", "CallerPool", "CancelScope", "Cancelled", "Closed", "Executor", "Group",
           "GroupError", "Guest", "Lazy", "Limiter", "NotDone", "Pending", "PendingGroup", "PendingManager",
           "PendingStream", "PendingTracker", "Permit", "Service", "StoppedEarly", "Stream", "ThreadPool", "Timeout",
           "WorkerDied", "WouldDeadlock", "as_completed", "check_cancelled", "current_pending", "fail_after",
           "handler", "lazy_property", "move_on_after", "publish", "report_progress", "run", "run_hosted", "sleep",
           "spawn", "testing", "wait"]
