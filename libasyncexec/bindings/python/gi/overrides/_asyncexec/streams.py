# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams of results: of map(), run_multiple(), as_completed(), and of producers."""

import itertools
import time
import types
import weakref

from . import errors, jobs, raw, scopes, several, values, waiting
from .window import AsCompleted, AsyncWindow, Window

Raw = raw.PendingStream
CONTINUE = raw.MapFlags.CONTINUE_ON_ERROR
UNORDERED = raw.MapFlags.UNORDERED
UNKNOWN_TOTAL = 0xffffffff


def value_of(stream, result):
    """The item of most streams: the value; an error is raised and ends the stream."""
    exception = stream.exception_of(result)
    if exception is None:
        return result.peek_value()
    stream.close()
    raise exception


def value_or_exception(stream, result):
    """The item of map() with return_exceptions."""
    exception = stream.exception_of(result)
    return result.peek_value() if exception is None else exception


class PendingStream(Raw):
    """Results that come one after the other: ``for item in stream`` or ``async for``.  One consumer."""

    __module__ = "gi.overrides.AsyncExec"

    _item = staticmethod(value_of)
    _exceptions = None      # by index: what functions of Python raised
    _end_exception = None
    _source = None

    __class_getitem__ = classmethod(types.GenericAlias)

    def __new__(cls, *args, **kwargs):
        return Raw.new(kwargs.get("max_buffered", args[0] if args else 0))

    def __init__(self, max_buffered=0):
        """Makes a stream for a producer: push() resolves when there is room for that many."""

    def push(self, value):
        """Adds an item; the returned pending resolves when it is in the buffer."""
        return Raw.push(self, values.to_gvalue(value))

    def transfer(self, value):
        """Adds an item for who has to know what becomes of it.

        The returned pending resolves when the consumer has taken it, and is
        cancelled, with Closed, when nobody will.  It can not be cancelled.
        """
        return Raw.transfer(self, values.to_gvalue(value))

    def end(self, exception=None):
        """Says that nothing more comes; with an exception, that is raised after the last item."""
        if exception is None:
            Raw.complete(self)
            return
        self._end_exception = errors.as_exception(exception)
        Raw.end(self, errors.to_error(self._end_exception))

    def exception_of(self, result):
        """The exception of a result, or None."""
        if result.get_success():
            return None
        index = result.get_index()
        if self._exceptions is not None and index in self._exceptions:
            return self._exceptions.pop(index)
        return errors.from_error(result.dup_error())

    def next_sync(self, timeout=None, cancellable=None):
        """Blocks for the next PendingResult, None at the end; timeout in seconds."""
        following = Raw.next(self)
        if cancellable is not None:
            raw.Pending.cancel_on(following, cancellable)
        try:
            waiting.block(following, timeout, what="next_sync()", instead="async for")
        except errors.Timeout:
            if following.cancel():
                raise
        finally:
            following.cancel()      # interrupted: it eats nothing
        return self._take(following)

    def close(self):
        """Cancels what is left; the returned pending is done when nothing runs any more."""
        closed = Raw.close(self)
        if self._source is None:
            return closed
        raw.Pending.cancel(self._source, None)
        return raw.Pending.all_settled([closed, self._source])

    def _ended_with(self, error):
        return self._end_exception if self._end_exception is not None else errors.from_error(error)

    def _take(self, following):
        try:
            result = raw.Pending.peek_value(following)
        except errors.GLib.Error as error:
            raise self._ended_with(error) from None
        return result

    def __iter__(self):
        return self

    def __next__(self):
        following = Raw.next(self)
        try:
            waiting.block(following, what="for", instead="async for")
        finally:
            following.cancel()      # interrupted: it eats nothing
        result = self._take(following)
        if result is None:
            raise StopIteration
        return self._item(self, result)

    def __aiter__(self):
        return self

    async def __anext__(self):
        following = Raw.next(self)
        await following.wait(result=False)
        result = self._take(following)
        if result is None:
            raise StopAsyncIteration
        return self._item(self, result)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def __bool__(self):
        return True

    @property
    def n_done(self):
        """How many items are done."""
        return Raw.get_n_done(self)

    @property
    def n_total(self):
        """How many items there will be, None when nobody knows."""
        total = Raw.get_n_total(self)
        return None if total == UNKNOWN_TOTAL else total

    @property
    def model(self):
        """A Gio.ListModel of the PendingResult that come from now on, changed in the loop of the thread that made it."""
        return Raw.get_model(self)


def _map_trampoline(fn, items, exceptions):
    context = jobs.contextvars.copy_context()

    def trampoline(stream, index, cancellable, *user_data):
        try:
            value = context.copy().run(fn, *items[index])
            if value is not None:
                Raw.set_value(stream, index, values.to_gvalue(value))
        except BaseException as exception:
            exceptions[index] = errors.as_exception(exception)
            raise errors.to_error(exception) from exception
        return True

    return trampoline


def _is_sized(iterable):
    return hasattr(iterable, "__len__")


def map_items(executor, fn, iterables, ordered, max_concurrent, timeout, return_exceptions):
    """Executor.map(): in C where the items are known, else one job for each as it is pulled."""
    if not iterables:
        raise TypeError("map() needs at least one iterable")
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")
    if jobs.is_coroutine_function(fn) or not (all(map(_is_sized, iterables)) or max_concurrent == 0):
        return map_jobs(executor.submit, fn, iterables, ordered, max_concurrent, timeout, return_exceptions,
                        workers_of(executor))
    items = list(zip(*iterables))
    exceptions = {}
    flags = CONTINUE if ordered else CONTINUE | UNORDERED
    stream = scopes.inside(raw.Executor.map, executor, len(items), max_concurrent or 0, raw.microseconds(timeout), flags,
                           _map_trampoline(fn, items, exceptions))
    stream._exceptions = exceptions
    if return_exceptions:
        stream._item = value_or_exception
    return stream


def width(executor, otherwise):
    """How many jobs an executor runs at once; max_workers of a caller are those of its to_thread()."""
    return 1 if isinstance(executor, raw.Caller) else getattr(executor, "max_workers", otherwise)


def workers_of(executor):
    """How many jobs an executor runs at the same time."""
    return width(executor, 1)


class Limit:
    """So many seconds for each job, counted from its start: the wait for a thread does not count."""

    def __init__(self, seconds):
        self._seconds = seconds
        self._us = raw.microseconds(seconds)
        self._limits = {}     # by job: a pending that ends with it, or when its time is over and it is cancelled

    def wrap(self, fn):
        """fn, with the limit."""
        if self._us < 0:
            return fn
        if jobs.is_coroutine_function(fn):
            async def limited(*args):
                self._start()
                return await fn(*args)
        else:
            def limited(*args):
                self._start()
                return fn(*args)
        return limited

    def _start(self):
        job = jobs.current_pending()
        limit = self._limits[job] = raw.Pending.with_timeout(job, self._us)
        # What it ends with is said by the job.
        raw.Pending.add_done_callback_inline(limit, _see)

    def exception(self, job):
        """The exception of a job that is done, or None."""
        limit = self._limits.pop(job, None)
        error = raw.Pending.dup_error(job)
        if error is None:
            return None
        if limit is not None and raw.Pending.is_done(limit) and job.cancelled():
            ended = raw.Pending.dup_error(limit)
            if ended is not None and ended.matches(*errors.TIMED_OUT):
                return errors.Timeout(errors.translate(errors.N_("Task timed out after %s seconds.")) % self._seconds)
        return errors.outcome_error(job, error)


def _see(pending, *user_data):
    raw.Pending.dup_error(pending)


def map_jobs(submit, fn, iterables, ordered, max_concurrent, timeout, return_exceptions, workers=1):
    """map() by one job for each item."""
    limit = Limit(timeout)

    def item(pending):
        exception = limit.exception(pending)
        if exception is None:
            return values.read(pending)
        if not return_exceptions:
            raise exception
        return exception

    window = 2 * workers if max_concurrent is None else max_concurrent
    if max_concurrent is None and all(map(_is_sized, iterables)):
        window = 0
    limited = limit.wrap(fn)
    started = (submit(limited, *items) for items in zip(*iterables))
    return Window(started, window, ordered, item)


def run_multiple(executor, tasks, max_workers, timeout):
    """Executor.run_multiple(): (value, exception) as they end."""
    if not max_workers > 0:
        raise ValueError(f"max_workers must be greater than 0, which {max_workers} is not")
    limit = Limit(timeout)

    def start(task):
        if callable(task):
            return executor.submit(limit.wrap(task))
        return executor.submit(limit.wrap(several.await_it), task)

    def item(pending):
        exception = limit.exception(pending)
        return (values.read(pending), None) if exception is None else (None, exception)

    return Window(map(start, tasks), max_workers, False, item)


def wrap_async_iterable(executor, iterable):
    """A stream that a coroutine of executor fills, as long as somebody has the stream."""
    stream = PendingStream(1)
    target = weakref.ref(stream)

    def push(item):
        found = target()
        return None if found is None else found.push(item)

    def end(exception=None):
        found = target()
        if found is not None:
            found.end(exception)

    async def pump():
        iterator = aiter(iterable)
        try:
            async for item in iterator:
                pushed = push(item)
                if pushed is None:
                    break
                await pushed
        except BaseException as exception:
            end(exception)
            if not isinstance(exception, Exception):
                raise
        else:
            end()
        finally:
            await _close_quietly(iterator)

    stream._source = executor.submit(pump)
    return stream


async def _close_quietly(iterator):
    """Nobody is there any more to be told what closing raised."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        try:
            await close()
        except Exception as exception:
            errors.report_callback(close, exception)


def as_completed(items, *, max_concurrent=None, timeout=None, cancel_unfinished=True):
    """The pendings of items as they are done, in that order, whatever their outcome: ``for`` or ``async for``.

    Other awaitables become pendings here.  Items of an iterator are pulled as
    others are done, max_concurrent at a time (10; 0 is all at once); an
    asynchronous one only with ``async for``.  None ends them.  Timeout is
    raised when timeout seconds are over.  Every exit cancels what is not done,
    unless told otherwise, and waits for none of it: close() gives a pending to
    wait for.
    """
    window = 10 if max_concurrent is None else max_concurrent
    current = jobs.current_pending()
    deadline = None if timeout is None else time.monotonic() + timeout

    def member(item):
        if item is None:
            return None
        pending = several.as_pending(item)
        if pending is current:
            message = errors.translate(errors.N_("a job among the items can not wait for itself: deadlock!"))
            raise errors.WouldDeadlock(message)
        return pending

    if hasattr(items, "__aiter__"):
        found = AsyncWindow(aiter(items), member, several.drive, window, False, _itself)
    else:
        members = itertools.takewhile(_is_there, map(member, items))
        found = Window(members, 0 if _is_sized(items) else window, False, _itself)
    return AsCompleted(found, deadline, cancel_unfinished)


def _is_there(pending):
    return pending is not None


def _itself(pending):
    return pending
