# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other loops in the thread of a caller: the class of guests, and asyncio as one."""

import asyncio
import heapq
import selectors
import threading
import weakref

from . import context as contexts
from . import driver, errors, hosting, raw, subclass, values

Raw = raw.module.Guest
NEVER_US, NOW_US = -1, 0


class Guest(Raw):
    """A loop that is a guest in the thread of a caller: for backends other than glib and asyncio.

    A subclass implements ``do_dispatch(self, job)``, which arranges that
    ``job.run()`` is called inside the loop; ``do_iterate(self)``, one turn of
    the loop without waiting; and ``do_end(self)``, which returns a pending.
    Caller.register_backend() gives it a name.
    """

    __module__ = "gi.overrides.AsyncExec"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        subclass.wrap(cls)

    @property
    def caller(self):
        """The caller in whose thread it is; None when it has ended."""
        return Raw.ref_caller(self)

    def set_fd(self, fd):
        """Says what wakes the loop: do_iterate() is called when fd, a number or something that has one, is readable; None
        is nothing."""
        Raw.set_fd(self, -1 if fd is None else fd if isinstance(fd, int) else fd.fileno())

    def set_ready_time(self, seconds):
        """Says when do_iterate() is to be called next, in seconds of time.monotonic(); 0 is at once, None is never."""
        Raw.set_ready_time(self, raw.microseconds(seconds))


class _Selector(selectors.EpollSelector):
    """It knows whether the last turn has found something."""

    has_found = False

    def select(self, timeout=None):
        """As in selectors."""
        ready = super().select(timeout)
        self.has_found = bool(ready)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """asyncio's loop, of which somebody else runs single turns; it says when there is something for one to do."""

    def __init__(self, guest):
        self.guest = weakref.ref(guest)
        self.wanted = False        # something is ready to be called
        self.in_turn = False
        self.timers = []           # a heap of (when, number, handle)
        self.n_timers = 0          # so far: they tell timers of the same time apart
        self.n_kept = 64           # with more timers than that, those that were cancelled are taken out
        self.epoll = _Selector()
        super().__init__(self.epoll)

    def call_soon(self, callback, *args, context=None):
        """As in asyncio."""
        handle = super().call_soon(callback, *args, context=context)
        self.wanted = True
        self.tell()
        return handle

    def call_at(self, when, callback, *args, context=None):
        """As in asyncio."""
        handle = super().call_at(when, callback, *args, context=context)
        self.n_timers += 1
        heapq.heappush(self.timers, (when, self.n_timers, handle))
        if self.timers[0][2] is handle:
            self.tell()
        if len(self.timers) > self.n_kept:
            self.timers = [timer for timer in self.timers if not timer[2].cancelled()]
            heapq.heapify(self.timers)
            self.n_kept = max(64, 2 * len(self.timers))
        return handle

    def tell(self):
        """Has the guest come when there is something to do."""
        guest = self.guest()
        if guest is not None and not self.in_turn and not self.is_closed():
            Raw.set_ready_time(guest, self.ready_us())

    def ready_us(self):
        """When there is something to do, unless a file is readable before."""
        if self.wanted:
            return NOW_US
        timers = self.timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
        return int(timers[0][0] * raw.USEC) + 1 if timers else NEVER_US

    def turn(self):
        """One turn: what is ready is called, nothing is waited for.  That is what run_forever() does after stop()."""
        now = self.time()
        while self.timers and self.timers[0][0] <= now:
            heapq.heappop(self.timers)
        self.wanted = False
        self.in_turn = True
        # Where another loop runs this thread, it is out of sight meanwhile.
        outer = asyncio._get_running_loop()
        if outer is not None:
            asyncio._set_running_loop(None)
        try:
            self.stop()
            self.run_forever()
        finally:
            # What wakes the loop may have been read when more had been put in than this turn has called.
            self.wanted = self.wanted or self.epoll.has_found
            self.in_turn = False
            if outer is not None:
                asyncio._set_running_loop(outer)


class _Task:
    """The coroutine of a job, as a task of asyncio."""

    def __init__(self, loop, job, context, coroutine, kept):
        self.loop = loop
        self.job = job
        self.context = context
        self.coroutine = coroutine
        self.kept = kept
        self.promise = raw.Pending.new()
        self.task = None

    def begin(self):
        """Starts it; returns the promise."""
        self.context.run(driver.set_current, self.job)
        self.task = self.context.run(self.loop.create_task, self.coroutine)
        self.coroutine = self.context = None
        _tasks[self.task] = self
        self.task.add_done_callback(self._done)
        raw.Pending.set_canceller(self.promise, _canceller(weakref.ref(self)))
        return self.promise

    def cancel(self):
        """Throws CancelledError into it, where it awaits."""
        error = raw.Pending.dup_error(self.job) if raw.Pending.is_cancelled(self.job) else None
        self.task.cancel(error.message if error is not None else None)

    def _done(self, task):
        promise, self.promise = self.promise, None
        del _tasks[task]
        self.loop = self.job = self.task = None
        if task.cancelled():
            driver.fail(promise, asyncio.CancelledError())
        elif task.exception() is not None:
            driver.fail(promise, task.exception())
        else:
            values.resolve(promise, task.result())
        self.kept = None


_tasks = {}      # task -> _Task; single operations on a dict need no lock


def _canceller(found):
    """What C calls: it must not keep the task."""
    def cancel(promise, *user_data):
        task = found()
        if task is not None and task.task is not None:
            task.cancel()

    return cancel


def stepper(job, context, coroutine, kept):
    """What runs the coroutine of a job: a task, where a guest runs the job; else our driver."""
    given = contexts.local.guest
    if given is not None and given[1] == job:
        return _Task(given[0], job, context, coroutine, kept)
    return driver.Driver(job, context, coroutine, kept)


driver.stepper = stepper


class AsyncioGuest(Guest):
    """asyncio in the thread of a caller: the backend “asyncio”.  Where asyncio runs that thread already, it is that loop."""

    # PyGObject makes no new type of a class that says it is of an override.
    __module__ = "asyncexec"
    __gtype_name__ = "AexPythonAsyncioGuest"

    loop = None       # of its own
    _ended = None     # the promise of do_end()
    _is_over = False
    _abandoner = None # of the loop, when the guest is dropped before its end

    def do_dispatch(self, job):
        """Has the job run inside the loop."""
        loop = contexts.running_loop()
        if loop is None:
            loop = self._ensure_loop()
        loop.call_soon(self._run, loop, job)

    def _ensure_loop(self):
        if self.loop is None or self.loop.is_closed():
            self.loop = loop = _Loop(self)
            hosting.is_served(loop)
            Raw.set_fd(self, loop.epoll.fileno())
            self._abandoner = weakref.finalize(self, _abandon, loop)
            self._abandoner.atexit = False
            # Not contexts.is_main_thread(), for which threading would remember this thread.
            if threading.get_ident() == threading.main_thread().ident:
                _of_main_thread.add(self)
        return self.loop

    @staticmethod
    def _run(loop, job):
        local = contexts.local
        outer, local.guest = local.guest, (loop, job)
        try:
            raw.Pending.run(job)
        finally:
            local.guest = outer

    def do_iterate(self):
        """One turn of the loop."""
        loop = self.loop
        if loop is None or loop.is_closed():
            return
        try:
            loop.turn()
        except BaseException as exception:
            self._raised(exception)
        if self._is_over:
            self._close()
        else:
            Raw.set_ready_time(self, loop.ready_us())

    def _raised(self, exception):
        """asyncio lets what is to end the program through, also when it is the outcome of a task."""
        for task in list(_tasks):
            if task.done() and not task.cancelled() and task.exception() is exception:
                return
        errors.report_callback(self.loop, exception)

    def do_end(self):
        """Cancels what is left in the loop, and closes it when that has ended."""
        if self._ended is None and self.loop is not None and not self.loop.is_closed():
            self._ended = raw.Pending.new()
            self.loop.create_task(self._wind_down())
        return self._ended

    async def _wind_down(self):
        """What asyncio.run() does at its end."""
        loop = self.loop
        try:
            left = asyncio.all_tasks() - {asyncio.current_task()}
            own = {task for task in left if task not in _tasks}
            for task in left:
                # Once is enough: it may clean up already.
                if not (hasattr(task, "cancelling") and task.cancelling()):
                    task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
            for task in own:
                if not task.cancelled() and task.exception() is not None:
                    loop.call_exception_handler({"message": "unhandled exception while a guest of a caller ended",
                                                 "exception": task.exception(), "task": task})
            await loop.shutdown_asyncgens()
            await loop.shutdown_default_executor()
        finally:
            self._is_over = True

    def _close(self):
        loop, self.loop = self.loop, None
        # It would keep the loop, and what the user has put there: a task that failed knows from where it was called.
        self._abandoner.detach()
        _of_main_thread.discard(self)
        ended, self._ended, self._is_over = self._ended, None, False
        Raw.set_fd(self, -1)
        loop.close()
        raw.Pending.resolve(ended, None)


_of_main_thread = weakref.WeakSet()    # only the main thread touches it


def _abandon(loop):
    """The context is gone, and nobody runs the loop any more: what does not wait for anything may end."""
    if loop.is_closed() or loop.is_running():
        return
    for task in asyncio.all_tasks(loop):
        task.cancel()
    while loop.wanted:
        loop.turn()
    loop.close()


def end_those_of_main_thread():
    """At exit, on the main thread: guests whose caller nobody has stopped."""
    from . import waiting

    for guest in list(_of_main_thread):
        context = guest.caller.context if guest.caller is not None else None
        ended = guest.do_end()
        if context is None or ended is None or not context.acquire():
            continue
        try:
            waiting.iterate(context, ended)
        finally:
            context.release()


def install():
    """Makes asyncio known to C."""
    raw.Caller.register_backend("asyncio", AsyncioGuest)
