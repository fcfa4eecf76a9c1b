# SPDX-License-Identifier: LGPL-2.1-or-later
"""Caller: an executor that is one main context."""

from gi.repository import GLib

from . import context as contexts
from . import errors, exit as exits
from . import hosting, jobs, raw, several
from .executor import Executor

Raw = raw.Caller


class Caller(Raw, Executor):
    """An executor that is one main context: jobs run in its thread, one after the other."""

    __module__ = "gi.overrides.AsyncExec"

    def __new__(cls, *args, **kwargs):
        raise TypeError("callers are not constructed: use Caller.current(), get_main(), for_context() or new_thread()")

    @staticmethod
    def current():
        """The caller of this thread; in a thread that asyncio runs, hosted by its loop."""
        loop = contexts.running_loop()
        if loop is not None:
            hosting.ensure(loop)
        if contexts.local.stepping and contexts.own_context() is None:
            raise errors.no_context("This coroutine runs on a pool, whose threads have no main context: use submit()")
        try:
            caller = Raw.ref_current()
        except GLib.Error as error:
            raise errors.from_error(error) from None
        return caller

    @staticmethod
    def get_current():
        """The same as current()."""
        return Caller.current()

    @staticmethod
    def get_main():
        """The caller of the default main context."""
        caller = Raw.ref_main()
        return caller

    @staticmethod
    def for_context(context):
        """The caller of a GLib.MainContext."""
        return Raw.ref_for_context(context)

    @staticmethod
    def new_thread(name=None):
        """Starts a thread with a main context of its own; returns its caller."""
        try:
            caller = Raw.new_thread(name)
        except GLib.Error as error:
            raise errors.from_error(error) from None
        exits.register(caller)
        return caller

    def call_soon(self, fn, /, *args, **kwargs):
        """The same as submit()."""
        return self.submit(fn, *args, **kwargs)

    def call_later(self, delay, fn, /, *args, **kwargs):
        """Runs fn(*args, **kwargs) here when delay seconds are over; returns its Pending."""
        return jobs.submit_later(self, delay, fn, args, kwargs)

    def call_direct(self, fn, /, *args, **kwargs):
        """The same as post(): the cheapest way, for short functions."""
        self.post(fn, *args, **kwargs)

    @staticmethod
    async def wait(items, timeout=None, return_when="ALL_COMPLETED", shield=False):
        """The same as AsyncExec.wait()."""
        return await several.wait(items, timeout, return_when, shield)

    def stop(self, force=False):
        """Drops what is queued, cancels what runs, and takes no more; returns the pending of the end."""
        return Raw.stop(self, raw.StopFlags.FORCE if force else raw.StopFlags.NONE)

    def dispatch(self, budget=None):
        """Runs what is ready, for budget seconds at most: for a foreign loop that hosts it.  True: there is more."""
        return Raw.dispatch(self, raw.microseconds(budget))

    def get_ready_time(self):
        """When dispatch() has something to do next, in seconds of time.monotonic(); None is never."""
        return raw.seconds(Raw.get_ready_time(self))

    def set_wake_func(self, fn, *args):
        """Has fn(caller, *args) called, in any thread, when there is work for dispatch(); None for no more."""
        if fn is None:
            Raw.set_wake_func(self, None)
        elif not callable(fn):
            raise TypeError(f"a callable is needed, not {type(fn).__name__}")
        else:
            Raw.set_wake_func(self, lambda caller, *user_data: fn(caller, *args))

    @property
    def id(self):
        """A number that no other caller of the process has, or had."""
        return Raw.get_id(self)

    @property
    def context(self):
        """The GLib.MainContext, or None when it was destroyed."""
        return Raw.get_context(self)

    @property
    def started(self):
        """A pending that resolves when the context has been run for the first time."""
        return Raw.get_started(self)

    @property
    def stopping(self):
        """A pending that resolves when it begins to stop."""
        return Raw.get_stopping(self)

    @property
    def stopped(self):
        """A pending that resolves when it has stopped."""
        return Raw.get_stopped(self)
