# SPDX-License-Identifier: LGPL-2.1-or-later
"""AsyncExec.testing: for tests of programs that use the library."""

import inspect

from gi.repository import GLib

from . import context as contexts
from . import raw
from .run import run as _run

__all__ = ["advance", "run"]

_next = raw.module.testing_get_next
_advance = raw.module.testing_advance
_set_virtual = raw.module.testing_set_virtual_time


class _Jumper(GLib.Source):
    """Lets time jump to the next deadline when its context has had nothing to do for a while of real time."""

    def __init__(self, patience):
        super().__init__()
        self.patience_us = round(patience * raw.USEC)
        self.n_looks = 0
        self.set_priority(GLib.PRIORITY_LOW)

    def rest(self):
        """From now on."""
        self.n_looks = 0
        self.set_ready_time(GLib.get_monotonic_time() + self.patience_us)

    def prepare(self):
        self.n_looks += 1
        return False, -1

    def check(self):
        return False

    def dispatch(self, callback, args):
        # Woken by its own time alone, the context looked twice: before it slept, and now.
        quiet = self.n_looks <= 2
        left = _next()
        if quiet and left >= 0:
            _advance(left)
        self.rest()
        return GLib.SOURCE_CONTINUE


def advance(seconds):
    """Moves virtual time on, and wakes what waited for that."""
    if seconds is None:
        raise TypeError("time moves on by a number of seconds, not by None")
    _advance(raw.microseconds(seconds))


def run(fn, *args, patience=0.01, **kwargs):
    """Runs fn like ``AsyncExec.run()``, in virtual time: an hour of sleep takes no time.

    Timeouts, sleeps and ``call_later()`` wait for virtual time.  When nothing
    has happened in this thread for ``patience`` seconds of real time, it jumps
    to the next deadline; with ``patience=None`` it moves only by ``advance()``.
    Give more patience to a test whose jobs compute for longer.  Clocks of
    Python, of asyncio and of GLib are not touched.
    """
    jumper = _Jumper(patience) if patience is not None else None

    def begin():
        if jumper is not None:
            jumper.rest()
            jumper.attach(contexts.own_context())
        return fn(*args, **kwargs)

    async def begin_coroutine():
        return await begin()

    _set_virtual(True)
    try:
        return _run(begin_coroutine if inspect.iscoroutinefunction(fn) else begin)
    finally:
        if jumper is not None:
            jumper.destroy()
        _set_virtual(False)
