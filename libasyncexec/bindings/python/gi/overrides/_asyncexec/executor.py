# SPDX-License-Identifier: LGPL-2.1-or-later
"""Executors: where jobs run."""

import threading

from . import exit as exits
from . import jobs, operations, options, raw, streams, subclass
from .hosting import ensure_running as hosted

Raw = raw.Executor


def shutdown_flags(cancel_pending, cancel_running):
    """The flags of shutdown() for its arguments."""
    flags = raw.ShutdownFlags.NONE
    if cancel_pending:
        flags |= raw.ShutdownFlags.CANCEL_QUEUED
    if cancel_running:
        flags |= raw.ShutdownFlags.CANCEL_RUNNING
    return flags


class Executor(Raw):
    """Where jobs run: threads, a main context, or what a subclass makes of it.

    A subclass implements ``do_dispatch(self, job)``, which arranges that
    ``job.run()`` is called; what it raises rejects the job.
    """

    __module__ = "gi.overrides.AsyncExec"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        subclass.wrap(cls)

    @staticmethod
    def get_default():
        """The pool for everybody, with a thread per CPU; made at first use."""
        executor = Raw.ref_default()
        if isinstance(executor, raw.ThreadPool):
            prepare_pool(executor)
        return executor

    @staticmethod
    def set_default(executor):
        """Makes executor what get_default() gives; None for a new pool of the library."""
        # For introspection it is a method, whose object can not be None.
        Raw.set_default(ThreadPool() if executor is None else executor)

    def submit(self, fn, /, *args, **kwargs):
        """Runs fn(*args, **kwargs) here, later; returns its Pending.

        A coroutine function runs as a coroutine of ours.  The job sees the
        contextvars of now; what it was given is released in this thread's
        loop.  When the executor is closed the pending is cancelled (Closed),
        when it is full it fails (Busy).
        """
        return jobs.submit(self, fn, args, kwargs)

    def post(self, fn, /, *args, **kwargs):
        """Runs fn(*args, **kwargs) here, later: fire and forget.  Exceptions go to the log."""
        hosted()
        jobs.post(self, fn, args, kwargs)

    def run(self, fn, /, *args, **kwargs):
        """Submits a job and blocks for its result."""
        pending = self.submit(fn, *args, **kwargs)
        try:
            return pending.result()
        finally:
            # Abandoned: by Ctrl-C, or refused because it would never end.
            if not pending.done():
                pending.cancel()

    def call(self, operation, /, *args, **params):
        """Runs an operation by its name; returns the Pending of its result.

        The parameters are packed by the types that the operation declares;
        the result is unpacked, and bytes for a byte string.
        """
        return operations.call(self, operation, args, params)

    def map(self, fn, /, *iterables, ordered=True, max_concurrent=None, timeout=None, return_exceptions=False):
        """A stream of fn(*items) for the items of the iterables, like the built-in map().

        timeout: seconds for each item.  max_concurrent: how many are started
        and not yet taken; by default sized iterables are started at once and
        others pulled in a window of twice the workers; 0 is at once.
        An exception is raised at its place, and ends the stream; with
        return_exceptions it is an item.
        """
        hosted()
        return streams.map_items(self, fn, iterables, ordered, max_concurrent, timeout, return_exceptions)

    def run_multiple(self, tasks, max_workers=10, timeout=10):
        """A stream of (value, exception) for callables and coroutines, in the order in which they end.

        timeout: seconds for each from its start.  close() cancels the rest,
        and so does ``with`` at its end.
        """
        hosted()
        return streams.run_multiple(self, tasks, max_workers, timeout)

    async def run_multiple_async(self, tasks, max_workers=10, timeout=10):
        """Like run_multiple(), as an async generator."""
        stream = self.run_multiple(tasks, max_workers, timeout)
        try:
            async for item in stream:
                yield item
        finally:
            stream.close()

    def wrap_async_iterable(self, iterable):
        """A stream of the items of an async iterable, which is pulled here; close() closes that as well."""
        hosted()
        return streams.wrap_async_iterable(self, iterable)

    def options(self, *, name=None, priority=None, timeout=None, cancellable=None, context=None, metadata=None,
                subscriber=None, trackers=options.UNSET, group=options.UNSET):
        """This executor with options: a view with submit, call, post, map and run.

        name: of the pendings.  priority: a Priority.  timeout: seconds from
        submission.  cancellable: a Gio.Cancellable.  context: an
        AsyncExec.Context.  metadata: a dictionary of GLib.Variant or of what
        packs into one.  subscriber: a function that gets what the job
        publishes.  trackers: the classes of trackers that get to know of the
        job; none is outside of every group.  group: a PendingGroup that it is a
        member of; None is none.
        """
        return options.View(self, name, priority, timeout, cancellable, context, metadata, subscriber, trackers, group)

    def shutdown(self, cancel_pending=False, cancel_running=False):
        """Takes no more work; the returned pending is done when nothing runs any more."""
        hosted()
        return Raw.shutdown(self, shutdown_flags(cancel_pending, cancel_running))

    @property
    def state(self):
        """Where it is in its life, an ExecutorState."""
        return Raw.get_state(self)

    @property
    def name(self):
        """Its name, or None."""
        return Raw.get_name(self)

    @property
    def n_pending(self):
        """How many jobs are queued."""
        return Raw.get_n_pending(self)

    @property
    def n_running(self):
        """How many jobs run."""
        return Raw.get_n_running(self)

    @property
    def max_pending(self):
        """How many jobs may be queued; 0 is any number."""
        return Raw.get_max_pending(self)

    @max_pending.setter
    def max_pending(self, max_pending):
        Raw.set_max_pending(self, max_pending)

    def __enter__(self):
        return self

    def __exit__(self, kind, exception, traceback):
        stopped = self.shutdown(cancel_pending=kind is not None, cancel_running=kind is not None)
        stopped.result()

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, exception, traceback):
        await self.shutdown(cancel_pending=kind is not None, cancel_running=kind is not None).wait(shield=True)

    def __bool__(self):
        return True


_prepared_lock = threading.Lock()


def prepare_pool(pool):
    """Makes a pool ready for Python, once."""
    with _prepared_lock:
        if getattr(pool, "_prepared", False):
            return
        pool._prepared = True
    raw.ThreadPool.set_thread_main(pool, exits.thread_main())
    exits.register(pool)


class ThreadPool(raw.ThreadPool, Executor):
    """An executor of threads, for work that computes or blocks."""

    __module__ = "gi.overrides.AsyncExec"

    _prepared = False

    def __init__(self, max_workers=0, *, name=None, idle_timeout=60, help_waiting=False, **properties):
        """Makes a pool.

        max_workers: threads at the same time; 0 or None is one per CPU.
        idle_timeout: seconds after which an idle thread leaves, None is never.
        """
        reject_microseconds(properties)
        super().__init__(max_workers=max_workers or 0, name=name, help_waiting=help_waiting,
                         idle_timeout_us=raw.microseconds(idle_timeout), **properties)
        prepare_pool(self)

    @staticmethod
    def new(max_workers=0):
        """Makes a pool."""
        return ThreadPool(max_workers)

    @property
    def max_workers(self):
        """How many threads may run jobs at the same time."""
        return raw.ThreadPool.get_max_workers(self)

    @max_workers.setter
    def max_workers(self, max_workers):
        raw.ThreadPool.set_max_workers(self, max_workers or 0)

    @property
    def n_workers(self):
        """How many threads there are now."""
        return raw.ThreadPool.get_n_workers(self)

    @property
    def idle_timeout(self):
        """After how many seconds an idle thread leaves; None is never."""
        return raw.seconds(raw.ThreadPool.get_idle_timeout(self))

    @idle_timeout.setter
    def idle_timeout(self, seconds):
        raw.ThreadPool.set_idle_timeout(self, raw.microseconds(seconds))

    def get_idle_timeout(self):
        """After how many seconds an idle thread leaves; None is never."""
        return self.idle_timeout

    def set_idle_timeout(self, seconds):
        """Sets after how many seconds an idle thread leaves; None is never."""
        self.idle_timeout = seconds

    @property
    def help_waiting(self):
        """Whether waiting threads may run jobs."""
        return raw.ThreadPool.get_help_waiting(self)

    @help_waiting.setter
    def help_waiting(self, help_waiting):
        raw.ThreadPool.set_help_waiting(self, help_waiting)


def reject_microseconds(properties):
    """No spelling of ours takes microseconds."""
    for name in properties:
        if name.endswith(("_us", "-us")):
            raise TypeError(f"{name}: give {name[:-3]} in seconds")
