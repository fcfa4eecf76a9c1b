# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of the interpreter: no thread of ours enters Python after it."""

import atexit
import functools
import os
import queue
import threading
import weakref

from . import raw, release, unhandled

_lock = threading.Lock()
_executors = weakref.WeakSet()   # guarded by _lock
_entries = set()                 # references to what lets the threads of a pool into Python
_gone = queue.SimpleQueue()      # told of each that goes while somebody waits for it
_is_waited_for = False
_is_forked = False               # this process was forked: what its parent had is not there


def register(executor):
    """Has executor closed at exit."""
    with _lock:
        _executors.add(executor)


def thread_main():
    """What the threads of one pool live in: each enters Python once, and not once per job.

    C has the only reference.  It lets go of it when the pool has ended and every thread has left: none enters Python
    after that, and close() waits for it.  The last to leave may still be in C when its function has returned, and comes
    back to release this.  A partial, for the frames of what it calls, which an exception may keep, do not know it."""
    entry = functools.partial(_thread_main)
    _entries.add(weakref.ref(entry, _forget_entry))
    return entry


def _thread_main(pool, *user_data):
    release.enter_pool(pool)
    try:
        raw.ThreadPool.run_worker(pool)
    finally:
        release.leave_pool()
        _forget_dummy()


def _forget_entry(entry):
    # Without a lock: the garbage collector may come here at any moment, also when this thread holds one.
    _entries.discard(entry)
    if _is_waited_for:
        _gone.put(None)


def wait_for_threads(n=0):
    """Until only n pools can have threads in Python."""
    global _is_waited_for
    _is_waited_for = True
    while len(_entries) > n:
        _gone.get()
    _is_waited_for = False


def _forget_dummy():
    """What threading.current_thread() made for this thread, which threading would keep for ever."""
    active = getattr(threading, "_active", None)
    current = active.get(threading.get_ident()) if active is not None else None
    if isinstance(current, getattr(threading, "_DummyThread", ())):
        active.pop(threading.get_ident(), None)


def close():
    """Ends guests, closes every executor, drops what is queued and waits for what runs."""
    from . import guests

    if not _is_forked:
        guests.end_those_of_main_thread()
    with _lock:
        executors = list(_executors)
    if _is_forked and not executors:
        return
    stopped = [raw.Executor.shutdown(executor, raw.ShutdownFlags.CANCEL_QUEUED) for executor in executors]
    for pending in stopped:
        if pending.exception() is not None:
            return      # in a forked child of a process that had used the library
    wait_for_threads()
    # What nobody runs any more: reports of errors that nobody saw, and releases.
    raw.Caller.dispatch(raw.Caller.ref_main(), -1)


def _closer():
    """close() for who calls next(); Ctrl-C gives up.  A function is called outside of its own try, and an interrupt at its
    first instruction would leave everything open; this one waits within."""
    try:
        try:
            yield
        except KeyboardInterrupt:
            pass      # nothing has been closed yet
        close()
    except KeyboardInterrupt:
        pass
    yield


def _in_forked_child():
    """The threads are the parent's, and so may be whoever holds the lock: there is nothing to wait for."""
    global _lock, _executors, _entries, _gone, _is_waited_for, _is_forked
    _lock = threading.Lock()
    _executors = weakref.WeakSet()
    _entries = set()
    _gone = queue.SimpleQueue()
    _is_waited_for = False
    _is_forked = True


def install():
    """Has close() called before threading waits for its threads."""
    unhandled.install()
    os.register_at_fork(after_in_child=_in_forked_child)
    register_early = getattr(threading, "_register_atexit", atexit.register)
    closer = _closer()
    next(closer)
    register_early(closer.__next__)
