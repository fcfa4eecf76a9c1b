# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pendings that are started as others are taken, so that a source of any length has few in flight."""

import time

from . import raw, values, waiting

_is_done = raw.Pending.is_done


class Window:
    """A stream over pendings that an iterator starts, at most so many at a time; 0 is all at once."""

    def __init__(self, started, size, ordered, item):
        if not size >= 0:
            raise ValueError(f"how many may run at the same time is not negative, as {size} is; 0 means all at once")
        self._started = started
        self._size = size
        self._ordered = ordered
        self._item = item
        self._flying = []
        self._ready = []
        self._stream = None
        self._closing = None     # the pending of close()
        self._failure = None     # of the iterator: raised when what it gave before has been taken
        if size == 0 and not ordered:
            flying = list(started)
            self._started = iter(())
            self._stream = raw.Pending.as_completed(flying)
            self._flying = flying
        else:
            self._fill()

    def _fill(self):
        while self._started is not None and (self._size == 0 or len(self._flying) < self._size):
            try:
                self._flying.append(next(self._started))
            except StopIteration:
                self._started = None
            except Exception as exception:
                self._started = None
                self._failure = exception

    def _end(self):
        """Nothing is in flight, nothing more comes: so ended the iterator."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _next_done(self):
        """One that is done, or None."""
        candidates = self._flying[:1] if self._ordered else self._flying
        for pending in candidates:
            if _is_done(pending):
                self._flying.remove(pending)
                return pending
        return None

    def _awaited(self):
        """What to wait for, before _next_done() finds something; None at the end."""
        if not self._flying:
            return None
        if self._ordered or len(self._flying) == 1:
            return self._flying[0]
        return raw.Pending.first(self._flying)

    def _take(self, pending):
        try:
            return self._item(pending)
        except BaseException:
            self.close()
            raise

    def take(self, deadline=None):
        """The next pending that is done, None at the end; blocks."""
        if self._stream is not None:
            return self._result(self._following(), deadline)
        self._fill()
        while (pending := self._next_done()) is None:
            awaited = self._awaited()
            if awaited is None:
                return self._end()
            waiting.block(awaited, left(deadline), what="for", instead="async for")
            raw.Pending.dup_error(awaited)     # seen: the item's own is what counts
        return pending

    def _following(self):
        return raw.PendingStream.next(self._stream)

    def _result(self, following, deadline):
        try:
            waiting.block(following, left(deadline), what="for", instead="async for")
        finally:
            raw.Pending.cancel(following, None)
        return self._pending_of(following)

    def _pending_of(self, following):
        result = raw.Pending.peek_value(following)
        if result is None:
            return None
        pending = result.get_pending()
        self._flying.remove(pending)
        return pending

    async def take_async(self, deadline=None):
        """The next pending that is done, None at the end; awaits."""
        if self._stream is not None:
            following = self._following()
            try:
                await waiting.wait(following, left(deadline), False, False, False, False)
            finally:
                raw.Pending.cancel(following, None)
            return self._pending_of(following)
        self._fill()
        while (pending := self._next_done()) is None:
            awaited = self._awaited()
            if awaited is None:
                return self._end()
            await waiting.wait(awaited, left(deadline), True, False, False, False)
            raw.Pending.dup_error(awaited)
            self._fill()
        return pending

    def _cancel(self):
        """Pulls nothing more; returns what was in flight."""
        self._started = self._failure = None
        flying, self._flying = self._flying, []
        for pending in flying:
            raw.Pending.cancel(pending, None)
        return flying

    def close(self):
        """Cancels what is in flight and pulls nothing more; the returned pending is done when all of that is."""
        if self._closing is None:
            self._closing = raw.Pending.all_settled(self._cancel())
        return self._closing

    def __iter__(self):
        return self

    def __next__(self):
        pending = self.take()
        if pending is None:
            raise StopIteration
        return self._take(pending)

    def __aiter__(self):
        return self

    async def __anext__(self):
        pending = await self.take_async()
        if pending is None:
            raise StopAsyncIteration
        return self._take(pending)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()


class AsyncWindow(Window):
    """The same over an asynchronous iterator, for ``async for``: start(item) makes a pending of what that gives.

    drive(fn, *args) gives the pending of a coroutine function.
    """

    def __init__(self, source, start, drive, size, ordered, item):
        self._source = source
        self._start = start
        self._drive = drive
        self._pulling = None
        super().__init__(iter(()), size or float("inf"), ordered, item)

    async def _pull(self):
        async for item in self._source:
            return (item,)
        return ()

    def _pulled(self):
        pulling, self._pulling = self._pulling, None
        try:
            for item in values.read(pulling):
                pending = self._start(item)
                if pending is not None:
                    self._flying.append(pending)
                    return
        except Exception as exception:
            self._failure = exception
        self._started = None

    def _fill(self):
        if self._pulling is not None and _is_done(self._pulling):
            self._pulled()
        if self._started is not None and self._pulling is None and len(self._flying) < self._size:
            self._pulling = self._drive(self._pull)

    def _awaited(self):
        awaited = super()._awaited()
        if self._pulling is None:
            return awaited
        return self._pulling if awaited is None else raw.Pending.first([awaited, self._pulling])

    def take(self, deadline=None):
        """Only ``async for`` gets what an asynchronous iterator gives."""
        raise TypeError("an asynchronous iterator is awaited: use async for")

    def _cancel(self):
        """The same, and closes the iterator."""
        open_ = self._started is not None
        if self._pulling is not None:
            self._flying.append(self._pulling)
            self._pulling = None
        flying = super()._cancel()
        if open_ and hasattr(self._source, "aclose"):
            flying.append(self._drive(_close_after, self._source, raw.Pending.all_settled(flying)))
        return flying


async def _close_after(source, settled):
    """An iterator that is being pulled can not be closed."""
    await settled
    await source.aclose()


def left(deadline):
    """Seconds until a deadline; None is no limit."""
    return None if deadline is None else max(deadline - time.monotonic(), 0)


class AsCompleted:
    """What as_completed() gives: iterate it once.  ``with`` closes it at the end."""

    def __init__(self, window, deadline, cancel_unfinished):
        self._window = window
        self._deadline = deadline
        self._cancel = cancel_unfinished

    def close(self):
        """Cancels what is not done, and returns a pending that resolves when all of that is done."""
        return self._window.close()

    def _leave(self):
        if self._cancel:
            self._window.close()

    def __iter__(self):
        try:
            while (pending := self._window.take(self._deadline)) is not None:
                yield pending
        finally:
            self._leave()

    async def __aiter__(self):
        try:
            while (pending := await self._window.take_async(self._deadline)) is not None:
                yield pending
        finally:
            self._leave()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._leave()
