# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bridges to the futures of asyncio and of concurrent.futures, both ways."""

import asyncio
import concurrent.futures
import threading

from . import context as contexts
from . import errors, gio, raw, values

_add_inline = raw.Pending.add_done_callback_inline
_FINAL = (asyncio.InvalidStateError, concurrent.futures.InvalidStateError)


def _copy_outcome(pending, future):
    """A future gets what became of a pending; a future that is done already keeps its own."""
    error = raw.Pending.dup_error(pending)
    try:
        if error is None:
            future.set_result(values.read(pending))
        else:
            # Not raised here: the exception would know this frame, and with it the pending that owns it.
            future.set_exception(errors.outcome_error(pending, error))
    except _FINAL:
        pass


class PendingFuture(concurrent.futures.Future):
    """The ``concurrent.futures.Future`` of a pending; cancelling one cancels the other."""

    def __init__(self, pending):
        super().__init__()
        self._pending = pending
        _add_inline(pending, self._settle)

    def _settle(self, pending, *user_data):
        if pending.cancelled():
            self._end_cancelled()
        else:
            _copy_outcome(pending, self)

    def _end_cancelled(self):
        # Whoever comes first tells those who wait.
        with self._condition:
            first = self._state == "PENDING"
            cancelled = super().cancel()
        if first and cancelled:
            self.set_running_or_notify_cancel()
        return cancelled

    def cancel(self):
        """Cancels the pending, also one that runs.  False when it is done already."""
        if self.done():
            return self.cancelled()
        return self._pending.cancel() and self._end_cancelled()

    def running(self):
        """Whether the function of the job runs."""
        return not self.done() and self._pending.state == raw.PendingState.RUNNING


class ConcurrentExecutor(concurrent.futures.ThreadPoolExecutor):
    """An executor of ours where one of ``concurrent.futures`` is wanted: ``loop.run_in_executor()``,
    ``loop.set_default_executor()``, ``concurrent.futures.wait()``.

    It is a view: ``shutdown()`` ends what was submitted through it, and leaves
    the executor behind it open for others.
    """

    def __init__(self, executor):
        """executor: where the work runs."""
        super().__init__(max_workers=1)
        self._executor = executor
        self._lock = threading.Lock()
        self._unfinished = set()   # guarded by _lock
        self._closed = False       # guarded by _lock

    def submit(self, fn, /, *args, **kwargs):
        """Runs fn(*args, **kwargs) on the executor; returns a concurrent.futures.Future."""
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
        pending = self._executor.submit(fn, *args, **kwargs)
        if pending.done() and pending.cancelled():
            raise RuntimeError("cannot schedule new futures after shutdown") from errors.outcome_error(pending)
        future = PendingFuture(pending)
        with self._lock:
            self._unfinished.add(future)
        future.add_done_callback(self._forget)
        return future

    def _forget(self, future):
        with self._lock:
            self._unfinished.discard(future)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Takes no more work; with cancel_futures what has not started is cancelled; with wait it waits for the rest."""
        with self._lock:
            self._closed = True
            left = list(self._unfinished)
        if cancel_futures:
            for future in left:
                raw.Pending.cancel_queued(future._pending)
        if wait:
            concurrent.futures.wait(left)


def pending_as_concurrent(self):
    """A ``concurrent.futures.Future`` with the same outcome; cancelling it cancels this pending."""
    return PendingFuture(self)


def pending_as_future(self):
    """An ``asyncio.Future`` of the running loop with the same outcome; cancelling it cancels this pending.

    A pending that somebody else cancelled makes it raise Cancelled.
    """
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def settle(pending, *user_data):
        try:
            loop.call_soon_threadsafe(_copy_outcome, pending, future)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    def cancelled(future):
        if future.cancelled():
            self.cancel()

    _add_inline(self, settle)
    future.add_done_callback(cancelled)
    return future


async def pending_as_coroutine(self):
    """A coroutine that awaits this pending, for ``TaskGroup.create_task()`` and whatever wants one."""
    return await self


def executor_as_concurrent(self):
    """This executor as a ``concurrent.futures.ThreadPoolExecutor``, see ConcurrentExecutor."""
    return ConcurrentExecutor(self)


def pending_from_future(future):
    """A pending with the outcome of a future of asyncio or of concurrent.futures.

    Cancelling the pending cancels the future, cancelling the future cancels
    the pending.  May be called in any thread.
    """
    if isinstance(future, concurrent.futures.Future):
        return _from_concurrent(future)
    if asyncio.isfuture(future):
        return _from_asyncio(future)
    raise TypeError(f"a future of asyncio or concurrent.futures is needed, not {type(future).__name__}: "
                    "give a coroutine to an executor, or to asyncio.ensure_future() first")


def _take_outcome(pending, future):
    """A promise gets what became of a future."""
    if future.cancelled():
        # The producer completes it: the outcome is the cancellation.
        raw.Pending.cancel(pending, None)
        values.resolve(pending, None)
    elif (exception := future.exception()) is not None:
        errors.reject(pending, errors.as_exception(exception))
    else:
        values.resolve(pending, future.result())


def _from_concurrent(future):
    pending = raw.Pending.new()

    # Nobody need iterate a context: whoever cancels the pending cancels the future.
    def done(pending, *user_data):
        if pending.cancelled():
            future.cancel()

    def settle(future):
        pending._withdraw = None
        _take_outcome(pending, future)

    _add_inline(pending, done)
    pending._withdraw = future.cancel
    future.add_done_callback(settle)
    return pending


def _from_asyncio(future):
    pending = raw.Pending.new()
    loop = future.get_loop()
    here = contexts.running_loop() is loop

    def cancel(pending, *user_data):
        if pending.cancelled():
            try:
                loop.call_soon_threadsafe(future.cancel)
            except RuntimeError:
                pass  # the loop is closed: the future can not be cancelled any more

    def attach():
        future.add_done_callback(lambda future: _take_outcome(pending, future))

    if here:
        # The task may clean up: the pending is done when it has.
        pending.set_canceller(cancel)
        attach()
    else:
        _add_inline(pending, cancel)
        loop.call_soon_threadsafe(attach)
    return pending


def install(pending_class, executor_class):
    """Makes them methods."""
    for cls, name, function in ((pending_class, "as_concurrent", pending_as_concurrent),
                                (pending_class, "as_future", pending_as_future),
                                (pending_class, "as_coroutine", pending_as_coroutine),
                                (pending_class, "from_future", pending_from_future),
                                (pending_class, "from_gio", gio.from_gio),
                                (executor_class, "as_concurrent", executor_as_concurrent)):
        function.__name__ = name
        function.__qualname__ = f"{cls.__name__}.{name}"
        setattr(cls, name, staticmethod(function) if name.startswith("from_") else function)
