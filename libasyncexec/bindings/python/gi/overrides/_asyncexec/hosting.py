# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thread that asyncio runs has no GLib loop: its caller is pumped by asyncio's."""

import asyncio
import threading
import weakref

from gi.repository import GLib

from . import context as contexts
from . import raw

SLICE_US = 2000

_get_running_loop = asyncio._get_running_loop
_lock = threading.Lock()
_hosts = weakref.WeakKeyDictionary()   # guarded by _lock: loop -> Host


class Host:
    """One asyncio loop that dispatches the caller of its thread; it goes with the loop."""

    def __init__(self, loop, caller):
        self.loop = weakref.ref(loop)
        self.caller = caller
        self.timer = None      # weakly: it refers to the loop
        caller._host = weakref.ref(self)
        raw.Caller.set_wake_func(caller, _waker(weakref.ref(self)))
        weakref.finalize(loop, _leave, weakref.ref(self), caller).atexit = False
        self._pump()

    def wake(self):
        """There is work: any thread says so."""
        loop = self.loop()
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._pump)
        except RuntimeError:
            # The loop is closed: whoever runs the context next finds the work in its queue.
            _leave(weakref.ref(self), self.caller)

    def _pump(self):
        loop = self.loop()
        if loop is None or loop.is_closed():
            return
        timer = self.timer and self.timer()
        if timer is not None:
            timer.cancel()
        self.timer = None
        if raw.Caller.dispatch(self.caller, SLICE_US):
            loop.call_soon(self._pump)
            return
        ready = raw.Caller.get_ready_time(self.caller)
        if ready >= 0:
            delay = (ready - GLib.get_monotonic_time()) / raw.USEC
            self.timer = weakref.ref(loop.call_later(max(delay, 0), self._pump))


def _waker(host):
    """What the caller calls: it must not keep the host, which keeps the caller."""
    def wake(caller, *user_data):
        found = host()
        if found is not None:
            found.wake()

    return wake


def _leave(host, caller):
    """The loop is gone, or closed: the caller is nobody's guest, unless another loop hosts it already."""
    if caller._host() in (None, host()):
        raw.Caller.set_wake_func(caller, None)


def iterates(loop, context):
    """Whether the loop runs that main context itself: gbulb's does, and PyGObject's own."""
    own = getattr(loop, "_context", None)
    return isinstance(own, GLib.MainContext) and own == context


class _Local(threading.local):
    loop = staticmethod(lambda: None)      # weak: the last that was seen to host this thread


_local = _Local()


def ensure_running():
    """What is delivered to this thread is to arrive: asyncio, if it runs here, serves it."""
    loop = _get_running_loop()
    if loop is not None and _local.loop() is not loop:
        ensure(loop)
        _local.loop = weakref.ref(loop)


def is_served(loop):
    """loop is a guest of the caller of its thread, which others serve."""
    with _lock:
        _hosts[loop] = None


def ensure(loop):
    """The thread of the running loop gets a context, and its caller is served; called on that thread."""
    if loop in _hosts:
        return
    context = contexts.own_context()
    if context is None:
        context = GLib.MainContext.new()
        context.push_thread_default()
    with _lock:
        _hosts[loop] = None
    if iterates(loop, context):
        return
    host = Host(loop, raw.Caller.ref_current())
    with _lock:
        _hosts[loop] = host
