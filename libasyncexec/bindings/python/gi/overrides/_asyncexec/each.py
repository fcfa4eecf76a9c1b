# SPDX-License-Identifier: LGPL-2.1-or-later
"""PendingGroup.for_each(): one function for many items, without a pending for each.

A few jobs share an iterator.  In C the function would be called through a
closure, which costs more than a job that calls many.
"""

import asyncio
import contextvars
import os
import time

from . import errors, jobs, raw, streams

# So many seconds a runner goes on while others wait for its thread.
TURN = 0.001

_IGNORE = (raw.module.GroupMode.IGNORE, raw.module.GroupMode.RAISE_AT_END)


class Each:
    """What the runners share."""

    def __init__(self, group, where, fn, iterables):
        if not callable(fn):
            raise TypeError(f"a callable is needed, not {type(fn).__name__}")
        if not iterables:
            raise TypeError("for_each() needs at least one iterable")
        items = list(zip(*iterables))
        self._items = iter(items)    # next() is one step for all threads
        self._fn = fn
        self._view = group.on(where)
        self._where = where
        self._goes_on = group.mode in _IGNORE
        self._workers = streams.width(where, os.cpu_count() or 1)
        self._runner = self._steps if jobs.is_coroutine_function(fn) else self._run
        self._start(group, min(len(items), self._workers))

    def _start(self, group, workers):
        if workers == 0 and group.over():
            raise errors.Closed()
        for _ in range(workers):
            job = self._view.submit(self._runner)
            if group.over() and job.cancelled():
                raise errors.from_error(raw.Pending.dup_error(job))

    def _others_wait(self):
        return self._workers == 1 or raw.Executor.get_n_pending(self._where) > 0

    # What an item raises knows the frame of its runner, which must not know the group in turn.

    def _run(self):
        job, cancelled = jobs.current_pending(), None
        try:
            end = time.monotonic() + TURN
            for items in self._items:
                if job.cancelled():
                    return
                try:
                    contextvars.copy_context().run(self._fn, *items)
                except (errors.Cancelled, errors.Closed, asyncio.CancelledError) as exception:
                    if not self._goes_on:
                        raise
                    cancelled = exception
                if time.monotonic() >= end:
                    if self._others_wait():
                        self._view.submit(self._run)
                        break
                    end = time.monotonic() + TURN
            if cancelled is not None:
                raise cancelled
        finally:
            del self, job, cancelled

    async def _steps(self):
        from .run import sleep

        job, cancelled = jobs.current_pending(), None
        try:
            end = time.monotonic() + TURN
            for items in self._items:
                if job.cancelled():
                    return
                try:
                    await self._fn(*items)
                except errors.Cancelled as exception:
                    if job.cancelled() or not self._goes_on:
                        raise
                    cancelled = exception
                if time.monotonic() >= end:
                    await sleep(0)
                    end = time.monotonic() + TURN
            if cancelled is not None:
                raise cancelled
        finally:
            del self, job, cancelled
