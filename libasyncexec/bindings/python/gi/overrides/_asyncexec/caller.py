# SPDX-License-Identifier: LGPL-2.1-or-later
"""Caller: an executor that is one main context."""

import asyncio
import contextvars
import threading

from gi.repository import GLib

from . import context as contexts
from . import errors, exit as exits
from . import driver, hosting, jobs, options, queues, raw, several
from .executor import Executor, shutdown_flags

Raw = raw.Caller

MAX_NICENESS = 19


def _thread_options(name, context_flags, niceness, backend):
    """The options of a caller; what makes no sense is refused here."""
    made = raw.CallerOptions.new()
    made.set_name(name)
    if backend is not None:
        made.set_backend(_checked_backend(backend))
    if context_flags is not None:
        made.set_context_flags(context_flags)
    if niceness is not None:
        if not isinstance(niceness, int):
            raise TypeError(f"a niceness is an int, not {type(niceness).__name__}")
        if not 0 <= niceness <= MAX_NICENESS:
            raise ValueError(f"a niceness is from 0 to {MAX_NICENESS}, which {niceness} is not")
        made.set_niceness(niceness)
    return made


def _checked_backend(backend):
    if not isinstance(backend, str):
        raise TypeError(f"a backend is the name of one, not {type(backend).__name__}")
    return backend


def _checked(function, *args):
    try:
        return function(*args)
    except GLib.Error as error:
        raise errors.from_error(error) from None


class _Entries:
    """Who is inside of ``with caller``: whoever came first waits for the others, and a job that did ends them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.inside = {}     # guarded by lock: who -> [how often, the job or None]
        self.first = None    # likewise

    @staticmethod
    def who():
        loop = contexts.running_loop()
        task = asyncio.current_task() if loop is not None else None
        job = driver.current() or raw.Pending.get_current()
        return (threading.get_ident(), id(task or job)), job

    def enter(self):
        who, job = self.who()
        with self.lock:
            self.inside.setdefault(who, [0, job])[0] += 1
            if self.first is None:
                self.first = who

    def leave(self):
        """Whether to wait for the end."""
        who, job = self.who()
        with self.lock:
            self.inside[who][0] -= 1
            if self.inside[who][0] > 0:
                return False
            del self.inside[who]
            first = who == self.first
            others = [other for _, other in self.inside.values()] if first and job is not None else []
        for other in others:
            if other is not None:
                other.cancel("The job that entered the caller first has left it")
        return first


class Caller(Raw, Executor):
    """An executor that is one main context: jobs run in its thread, one after the other."""

    __module__ = "gi.overrides.AsyncExec"

    _entries = None

    def __new__(cls, *args, **kwargs):
        raise TypeError("callers are not constructed: use Caller.current(), get_main(), for_context() or new_thread()")

    @staticmethod
    def current():
        """The caller of this thread; in a thread that asyncio runs, hosted by its loop."""
        loop = contexts.running_loop()
        if loop is not None:
            hosting.ensure(loop)
        if contexts.local.stepping and contexts.own_context() is None:
            message = errors.N_("This coroutine runs on a pool, whose threads have no main context: use submit()")
            raise errors.no_context(errors.translate(message))
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
    def for_context(context=None, name=None, *, backend=None):
        """The caller of a GLib.MainContext, None for the default one.  With a name or a backend: it has it, or gets it."""
        if name is None and backend is None:
            return Raw.ref_for_context(context)
        return _checked(Raw.ref_for_context_full, context, _thread_options(name, None, None, backend))

    @staticmethod
    def new_for_context(context=None, name=None):
        """Makes the caller of a GLib.MainContext that has none; it runs when somebody runs the context."""
        return _checked(Raw.new_for_context, context, name)

    @staticmethod
    def new_thread(name=None, *, context_flags=None, niceness=None, backend=None):
        """Starts a thread with a main context of its own; returns its caller.

        context_flags: GLib.MainContextFlags.  niceness: 0 to 19, by how much
        the thread is nicer to others than the process is.  backend: in which
        loop its jobs run, "glib" or "asyncio".
        """
        caller = _checked(Raw.new_thread_full, _thread_options(name, context_flags, niceness, backend))
        exits.register(caller)
        return caller

    @staticmethod
    def lookup(id=None):
        """The caller with that id, or that of this thread; None when there is none, or it has stopped.  Never makes one."""
        return Raw.lookup_current() if id is None else Raw.lookup(id)

    @staticmethod
    def list(running_only=True):
        """The callers of the process, as a list that does not change."""
        return Raw.list(running_only)

    def child(self, name=None, *, context_flags=None, niceness=None, backend=None):
        """The child of that name, found or made; without a name a new one.

        A child has a thread, and the options of its parent where nothing else
        is said; it stops when it is told to, and before its parent does.
        """
        child = _checked(Raw.ref_child_full, self, _thread_options(name, context_flags, niceness, backend))
        exits.register(child)
        return child

    def hold(self):
        """Keeps it until release(): stop() does nothing meanwhile.  Raises Closed when it is stopping."""
        if not Raw.hold(self):
            message = errors.translate(errors.N_("The caller is stopping: nobody can hold it any more"))
            raise errors.from_error(GLib.Error.new_literal(raw.Error.quark(), message, raw.Error.CLOSED))

    def release(self, drain=False):
        """Lets go of what hold() took; the last one stops it, and with drain lets it run what it has.

        Returns the pending of the end, for which whoever held it first waits.
        """
        return Raw.release_full(self, shutdown_flags(not drain, not drain))

    def __enter__(self):
        self.hold()
        self.__dict__.setdefault("_entries", _Entries()).enter()
        return self

    def __exit__(self, kind, exception, traceback):
        first = self._entries.leave()
        stopped = self.release(drain=kind is None)
        if first and not self._runs_this_job():
            stopped.result()

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, kind, exception, traceback):
        first = self._entries.leave()
        stopped = self.release(drain=kind is None)
        if first and not self._runs_this_job():
            await stopped.wait(shield=True)

    def _runs_this_job(self):
        """Whether it can not end before what is running here does."""
        return Raw.runs_here(self) and (driver.current() or raw.Pending.get_current()) is not None

    def describe(self):
        """What it is and does, in one line."""
        return Raw.describe(self)

    def __repr__(self):
        return f"<{Raw.describe(self)}>"

    def schedule_call(self, fn, args=(), kwargs=None, context=None, trackers=options.UNSET, backend=None, /,
                      **metadata):
        """submit() with everything said: context is a contextvars.Context, of which the job gets a copy, or an
        AsyncExec.Context; trackers are the classes of those that get to know of it, none is outside of every group; backend
        as in call_using_backend(); the rest is metadata of the pending."""
        if backend is not None:
            _checked_backend(backend)
        python = context if isinstance(context, contextvars.Context) else None
        view = options.View(self, None, None, None, None, context if python is None else None, metadata, trackers=trackers)
        return jobs.schedule(view, fn, args, kwargs or {}, python, backend)

    def call_using_backend(self, backend, fn, /, *args, **kwargs):
        """submit(), in another loop of the thread: with "asyncio" fn may await what asyncio has, and call what needs its
        loop.  Cancelling the pending cancels the task."""
        return jobs.submit_to_backend(self, _checked_backend(backend), fn, args, kwargs)

    @staticmethod
    def register_backend(name, guest_class):
        """Makes a subclass of AsyncExec.Guest known under a name, for call_using_backend() and backend=."""
        if not (isinstance(guest_class, type) and issubclass(guest_class, raw.module.Guest)):
            raise TypeError(f"a subclass of AsyncExec.Guest is needed, not {guest_class!r}")
        _checked(Raw.register_backend, name, guest_class)

    @property
    def backend(self):
        """In which loop its jobs run when nothing else is said."""
        return Raw.get_backend(self)

    def to_thread(self, fn, /, *args, **kwargs):
        """Runs fn(*args, **kwargs) on a thread of its own, a child that is idle or a new one; returns its Pending."""
        try:
            executor = self.workers
        except errors.Closed:
            executor = self      # which refuses it
        return executor.submit(fn, *args, **kwargs)

    @property
    def workers(self):
        """The executor behind to_thread(), for map() and options()."""
        executor = _checked(Raw.ref_workers, self)
        exits.register(executor)
        return executor

    def queue(self, key, owner=None):
        """The CallQueue of that name, found or made; with a GObject as owner it ends with that."""
        return Raw.ensure_queue(self, owner, key)

    def queue_call(self, fn, /, *args, **kwargs):
        """Runs fn(*args, **kwargs) here when the calls of fn before are over; exceptions go to unhandled-error.

        The queue ends with the function, or the object whose method it is.
        """
        queues.of_function(self, fn).push(fn, *args, **kwargs)

    def queue_get(self, fn):
        """The pending in which the queue of fn runs, or None."""
        queue = queues.find(self, fn)
        return queue.pending if queue is not None else None

    def queue_close(self, fn):
        """Closes the queue of fn, if there is one."""
        queue = queues.find(self, fn)
        if queue is not None:
            queue.close()

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
        """Drops what is queued, cancels what runs, and takes no more; returns the pending of the end.

        While it is protected, or held, only force does that.
        """
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

    @property
    def parent(self):
        """The caller that it is a child of, or None."""
        return Raw.ref_parent(self)

    @property
    def children(self):
        """Its children that are not stopping, as a list that does not change."""
        return Raw.list_children(self)

    @property
    def context_flags(self):
        """How its context was made."""
        return Raw.dup_options(self).get_context_flags()

    @property
    def niceness(self):
        """By how much its thread is nicer to others than the process is."""
        return Raw.dup_options(self).get_niceness()

    @property
    def protected(self):
        """Whether stop() without force leaves it alone: because it was set, or somebody holds it."""
        return Raw.get_protected(self)

    @protected.setter
    def protected(self, protected):
        Raw.set_protected(self, protected)

    @property
    def max_idle_workers(self):
        """How many threads of to_thread() are kept when they have nothing to do."""
        return Raw.get_max_idle_workers(self)

    @max_idle_workers.setter
    def max_idle_workers(self, max_idle_workers):
        Raw.set_max_idle_workers(self, max_idle_workers)

    @property
    def max_workers(self):
        """How many threads of to_thread() there are at most; 0 is any number."""
        return Raw.get_max_workers(self)

    @max_workers.setter
    def max_workers(self, max_workers):
        Raw.set_max_workers(self, max_workers or 0)

    @property
    def idle_worker_timeout(self):
        """After how many seconds with nothing to do a thread of to_thread() ends; None is never."""
        return raw.seconds(Raw.get_idle_worker_timeout(self))

    @idle_worker_timeout.setter
    def idle_worker_timeout(self, seconds):
        Raw.set_idle_worker_timeout(self, raw.microseconds(seconds))

    def get_idle_worker_timeout(self):
        """After how many seconds with nothing to do a thread of to_thread() ends; None is never."""
        return self.idle_worker_timeout

    def set_idle_worker_timeout(self, seconds):
        """Sets after how many seconds with nothing to do a thread of to_thread() ends; None is never."""
        self.idle_worker_timeout = seconds
