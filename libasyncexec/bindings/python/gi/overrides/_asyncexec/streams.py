# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams of results: of map(), run_multiple(), as_completed(), and of producers."""

import inspect
import time
import types

from . import errors, jobs, raw, scopes, values, waiting
from .window import AsCompleted, Window

Raw = raw.PendingStream
CONTINUE = raw.MapFlags.CONTINUE_ON_ERROR
UNORDERED = raw.MapFlags.UNORDERED


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
        return Raw.close(self)

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
        """How many items there will be, 0 when nobody knows."""
        return Raw.get_n_total(self)

    @property
    def model(self):
        """A Gio.ListModel of what was taken."""
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
        submit = executor.options(timeout=timeout).submit if timeout is not None else executor.submit
        return map_jobs(submit, fn, iterables, ordered, max_concurrent, None, return_exceptions, workers_of(executor))
    items = list(zip(*iterables))
    exceptions = {}
    flags = CONTINUE if ordered else CONTINUE | UNORDERED
    stream = scopes.inside(raw.Executor.map, executor, len(items), max_concurrent or 0, raw.microseconds(timeout), flags,
                           _map_trampoline(fn, items, exceptions))
    stream._exceptions = exceptions
    if return_exceptions:
        stream._item = value_or_exception
    return stream


def workers_of(executor):
    """How many jobs an executor runs at the same time."""
    return getattr(executor, "max_workers", 1)


def map_jobs(submit, fn, iterables, ordered, max_concurrent, timeout, return_exceptions, workers=1):
    """map() by one job for each item."""
    def item(pending):
        if not return_exceptions:
            return values.read(pending)
        error = raw.Pending.dup_error(pending)
        return values.read(pending) if error is None else errors.outcome_error(pending, error)

    window = 2 * workers if max_concurrent is None else max_concurrent
    if max_concurrent is None and all(map(_is_sized, iterables)):
        window = 0
    started = (submit(fn, *items) for items in zip(*iterables))
    return Window(started, window, ordered, item)


async def _await(awaitable):
    return await awaitable


def run_multiple(executor, tasks, max_workers, timeout):
    """Executor.run_multiple(): (value, exception) as they end."""
    submit = executor.options(timeout=timeout).submit if timeout is not None else executor.submit

    def start(task):
        return submit(task) if callable(task) else submit(_await, task)

    def item(pending):
        error = raw.Pending.dup_error(pending)
        return (values.read(pending), None) if error is None else (None, errors.outcome_error(pending, error))

    return Window(map(start, tasks), max_workers, False, item)


def wrap_async_iterable(executor, iterable):
    """A stream that a coroutine of executor fills."""
    stream = PendingStream(1)

    async def pump():
        try:
            async for item in iterable:
                await stream.push(item)
        except BaseException as exception:
            stream.end(exception)
            if inspect.isasyncgen(iterable):
                await iterable.aclose()
            if not isinstance(exception, Exception):
                raise
        else:
            stream.end()

    stream._source = executor.submit(pump)
    return stream


def as_completed(items, *, max_concurrent=None, timeout=None, cancel_unfinished=True):
    """The pendings of items as they are done, in that order, whatever their outcome: ``for`` or ``async for``.

    Items of an iterator are pulled as others are done, max_concurrent at a
    time (10; 0 is all at once).  Timeout is raised when timeout seconds are
    over; every exit cancels what is not done, unless told otherwise.
    """
    window = 10 if max_concurrent is None else max_concurrent
    if _is_sized(items):
        items, window = list(items), 0
    for item in items if window == 0 and _is_sized(items) else ():
        if not isinstance(item, raw.Pending):
            raise TypeError(f"pendings are needed, not {type(item).__name__}")
    current = jobs.current_pending()
    if _is_sized(items) and current is not None and any(item is current for item in items):
        raise errors.WouldDeadlock("a job can not wait for itself")
    deadline = None if timeout is None else time.monotonic() + timeout
    return AsCompleted(Window(iter(items), window, False, lambda pending: pending), deadline, cancel_unfinished)
