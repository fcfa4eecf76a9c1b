# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coroutines: how pendings are awaited anywhere, and how ours are driven without asyncio."""

import asyncio
import contextvars
import inspect
import threading

from . import context as contexts
from . import errors, raw, scopes, table, values

_current = contextvars.ContextVar("asyncexec.current_pending", default=None)


def set_current(pending):
    """In the context of a coroutine: whose it is."""
    _current.set(pending)


def current():
    """The pending of the coroutine that runs here now, or None."""
    return _current.get()


class Awaiter:
    """What ``await pending`` yields: to asyncio's tasks it is a future of their loop, to our driver one of its own."""

    __slots__ = ("pending", "protect", "callbacks", "cancelled_with", "_asyncio_future_blocking", "loop", "id", "watched",
                 "driver")

    def __init__(self, pending, protect=False):
        self.pending = pending
        self.protect = protect
        self.callbacks = []
        self.cancelled_with = None
        self._asyncio_future_blocking = True
        self.loop = None
        self.id = 0
        self.watched = None     # what tells our driver that the scope is over
        self.driver = None      # ours, while it waits

    def get_loop(self):
        """The loop of the task that awaits."""
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
        return self.loop

    def add_done_callback(self, callback, *, context=None):
        """Tells the task, in its loop, when the pending is done."""
        self.get_loop()
        self.callbacks.append((callback, context))
        if self.id == 0:
            self.id = table.add_done_callback(self.pending, self._done, at_once=True)

    def remove_done_callback(self, callback):
        """Takes callbacks away; how many there were."""
        before = len(self.callbacks)
        self.callbacks = [entry for entry in self.callbacks if entry[0] is not callback]
        return before - len(self.callbacks)

    def _done(self, pending):
        """On the thread that completed it."""
        if asyncio._get_running_loop() is self.loop:
            self._tell()
            return
        try:
            self.loop.call_soon_threadsafe(self._tell)
        except RuntimeError:
            pass      # the loop is closed, and its task gone

    def _tell(self):
        callbacks, self.callbacks = self.callbacks, []
        for callback, context in callbacks:
            self.loop.call_soon(callback, self, context=context)

    def cancel(self, msg=None):
        """The awaiting task was cancelled: so is the pending, and the task goes on at once."""
        if self.cancelled_with is not None or self.pending.done():
            return False
        self.cancelled_with = (msg,) if msg is not None else ()
        if not self.protect:
            self.pending.cancel(str(msg) if msg is not None else None)
        if self.id != 0:
            raw.Pending.remove_done_callback(self.pending, self.id)
            self.id = 0
        if self.loop is not None:
            self._tell()
        return True

    def done(self):
        """Whether there is nothing to wait for."""
        return self.cancelled_with is not None or self.pending.done()

    def cancelled(self):
        """Whether the awaiting task was cancelled."""
        return self.cancelled_with is not None

    def result(self):
        """For the task: raises what has to be thrown into the coroutine.  The pending's own outcome is read there."""
        if self.cancelled_with is not None:
            raise asyncio.CancelledError(*self.cancelled_with)

    def exception(self):
        """As result(), returned."""
        if self.cancelled_with is not None:
            raise asyncio.CancelledError(*self.cancelled_with)

    def ready(self, pending):
        """To our driver: the pending is done."""
        self.driver.ready(self)

    def dropped(self):
        """To our driver, if it waits: nobody will be told any more."""
        if self.driver is not None:
            self.driver.dropped(self)

    def __await__(self):
        self._asyncio_future_blocking = True
        yield self


def wait_for(pending, protect=False):
    """Suspends until pending is done: ``yield from`` of it."""
    if raw.Pending.is_done(pending):
        return
    check_place()
    yield Awaiter(pending, protect)


def check_place():
    """Raises where a pending can not be awaited: what is raised says nothing of the pending, and cancels nothing."""
    if contexts.local.stepping == 0:
        contexts.check_trio()


class Driver:
    """Steps one coroutine: each step is a callback of what it awaited, on the executor that it runs on."""

    def __init__(self, job, context, coroutine, kept=None):
        self.job = job
        self.context = context
        self.coroutine = coroutine
        self.kept = kept
        self.promise = raw.Pending.new()
        self.lock = threading.Lock()      # guards the next three
        self.stepping = True
        self.awaiting = None
        self.cancel_wanted = False
        context.run(_current.set, job if job is not None else self.promise)
        raw.Pending.set_canceller(self.promise, self._cancelled)

    def begin(self):
        """The first step; returns the promise, which is all that is left when the coroutine ended with it."""
        promise = [self.promise]
        self.step()
        return promise.pop()

    def _cancelled(self, promise, *user_data):
        with self.lock:
            self.cancel_wanted = True
            if self.stepping or self.awaiting is None or self._is_shielded():
                return
            awaiting, self.awaiting = self.awaiting, None
            self.stepping = True
        self._leave(awaiting)
        self.step(self._cancellation())

    def _cancellation(self):
        with self.lock:
            self.cancel_wanted = False
        # The job knows the reason; its promise only that it is not wanted any more.
        cancelled = self.job if self.job is not None and raw.Pending.is_cancelled(self.job) else self.promise
        return errors.from_error(raw.Pending.dup_error(cancelled))

    def _is_shielded(self):
        return scopes.shielded(scopes.current(self.context), self.context.get(_current))

    def _leave(self, awaiter):
        raw.Pending.remove_done_callback(awaiter.pending, awaiter.id)
        self._unwatch(awaiter)
        awaiter.cancel()

    def _unwatch(self, awaiter):
        watched, awaiter.watched = awaiter.watched, None
        if watched is not None:
            scopes.unwatch(watched)

    def _watch(self, awaiter, scope):
        """The scope in which it awaits may end the wait."""
        def over(promise):
            with self.lock:
                if self.awaiting is not awaiter:
                    return
                self.awaiting = None
                self.stepping = True
            error = scopes.error_of(scope) or errors.Cancelled()
            self._leave(awaiter)
            self.step(error)

        watched = scopes.watch(scope, over)
        with self.lock:
            if self.awaiting is awaiter:
                awaiter.watched, watched = watched, None
        if watched is not None:
            scopes.unwatch(watched)

    def _take(self, awaiter):
        with self.lock:
            if self.awaiting is not awaiter:
                return False
            self.awaiting = None
            self.stepping = True
        awaiter.driver = None
        self._unwatch(awaiter)
        return True

    def ready(self, awaiter):
        """What it awaits is done: goes on."""
        if self._take(awaiter):
            self.step()

    def dropped(self, awaiter):
        """The place where it went on is gone: it can only be closed, by whoever noticed."""
        if not self._take(awaiter):
            return
        outcome = errors.Closed()
        contexts.local.stepping += 1
        try:
            self.context.run(self.coroutine.close)
        except BaseException as raised:
            outcome = raised
        finally:
            contexts.local.stepping -= 1
        self._finish(fail, outcome)

    def step(self, exception=None):
        """Runs the coroutine until it awaits something that is not done."""
        while True:
            try:
                awaiter = self._advance(exception)
            except StopIteration as stop:
                self._finish(values.resolve, stop.value)
                return
            except BaseException as raised:
                # From where the user's code begins.
                raised.__traceback__ = raised.__traceback__.tb_next.tb_next
                self._finish(fail, raised)
                return
            exception = self._suspend(awaiter)
            if exception is None:
                return

    def _advance(self, exception):
        local = contexts.local
        local.stepping += 1
        try:
            if exception is None:
                return self.context.run(self.coroutine.send, None)
            return self.context.run(self.coroutine.throw, exception)
        finally:
            local.stepping -= 1

    def _suspend(self, awaiter):
        """Waits for what was awaited; returns what is to be thrown instead."""
        if not isinstance(awaiter, Awaiter):
            return foreign(awaiter)
        scope = scopes.current(self.context)
        with self.lock:
            suspended = not self.cancel_wanted or self._is_shielded()
            if suspended:
                self.awaiting = awaiter
                self.stepping = False
        if not suspended:
            awaiter.cancel()
            return self._cancellation()
        awaiter.driver = self
        awaiter.id = table.add_done_callback(awaiter.pending, awaiter.ready)
        if scope is not None:
            self._watch(awaiter, scope)
        return None

    def _finish(self, how, outcome):
        """The frames of the coroutine know this object; it must not know what keeps its outcome."""
        promise = [self.promise]
        self.promise = self.job = self.coroutine = self.context = None
        how(promise.pop(), outcome)
        self.kept = None


def drive(coroutine):
    """Starts a coroutine here; its steps are callbacks of this thread.  Returns its pending."""
    return Driver(None, contextvars.copy_context(), coroutine).begin()


def fail(pending, exception):
    """What a job or coroutine raised becomes its outcome; a cancellation is one."""
    if isinstance(exception, (errors.Cancelled, asyncio.CancelledError)):
        # What the driver threw, or check_cancelled() raised, has been said already.
        if not raw.Pending.is_cancelled(pending):
            raw.Pending.cancel(pending, str(exception) or None)
        # The outcome is the cancellation; a promise is only told that its coroutine has ended.
        raw.Pending.resolve(pending, None)
        if raw.Pending.is_cancelled(pending):
            return
    errors.reject(pending, errors.as_exception(exception))
    del pending


def foreign(awaitable):
    """Something that only another framework can wait for."""
    what = "asyncio's" if awaitable is None or hasattr(awaitable, "_asyncio_future_blocking") else repr(awaitable)
    return RuntimeError(f"this coroutine runs on an AsyncExec executor and can not await {what} futures: use "
                        'call_using_backend("asyncio", ...), or Pending.from_future() on the thread of that loop')


# What steps the coroutine of a job: guests.py knows more.
stepper = Driver


def _call(token):
    """What the function of a job returns.  Holds nothing of the entry afterwards."""
    fn, args, kwargs, context, _, _ = table.entries[token]
    return context.run(fn, *args, **kwargs)


def prepare(job, kept):
    """Calls a coroutine function for a job; returns what steps it, None when the outcome is set already."""
    try:
        coroutine = _call(kept.token)
    except BaseException as exception:
        fail(job, exception)
        del job, kept
        return None
    if not inspect.iscoroutine(coroutine):
        values.resolve(job, coroutine)
        return None
    return stepper(job, table.entries[kept.token][3], coroutine, kept)
