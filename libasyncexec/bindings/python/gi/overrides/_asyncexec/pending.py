# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pending: a result that will be there later."""

import types

from . import context as contexts
from . import driver, errors, jobs, raw, scopes, table, values, waiting
from .hosting import ensure_running as hosted

Raw = raw.Pending
_peek = table.Trampoline.peek
_values = table.values_trampoline
_entries = table.entries


def _check(items):
    found = list(items)
    for item in found:
        if not isinstance(item, Raw):
            raise TypeError(f"pendings are needed, not {type(item).__name__}")
    return found


class Pending(Raw):
    """A result that will be there later: a job's, or a promise that somebody resolves.

    ``await`` it, in asyncio or in a coroutine of ours; block for its
    ``result()``; or attach callbacks.  All methods may be called in any thread.
    """

    __module__ = "gi.overrides.AsyncExec"

    _convert = None    # how the value of a combination is shown
    _withdraw = None     # of a foreign future: cancels it if it has not begun
    _dispatch_exception = None   # what a Python executor raised instead of taking the job
    _watchers = None   # done callbacks that were not called yet: a token of its own -> [id, function]

    __class_getitem__ = classmethod(types.GenericAlias)

    def __new__(cls, trackers=()):
        if not trackers:
            return Raw.new()
        from . import groups

        return scopes.inside(Raw.new_tracked, groups.types_of(trackers))

    def __init__(self, trackers=()):
        """Makes a promise: it is done when resolve(), reject() or cancel() is called.

        trackers: the classes of trackers that get to know of it, if they are active; by default none.
        """

    # --- the producer's side

    def resolve(self, value=None):
        """Sets the outcome: success with any object.  Returns whether this became the outcome."""
        return values.resolve(self, value)

    def reject(self, exception):
        """Sets the outcome: failure with this exception, which is raised as itself.  Returns whether it became the outcome."""
        return errors.reject(self, errors.as_exception(exception))

    def follow(self, other):
        """Takes over the outcome of another pending when that is done.  Returns whether this became the outcome."""
        _check((other,))
        if other._convert is not None:
            self._convert = other._convert
        return Raw.follow(self, other)

    def set_canceller(self, fn, *args):
        """Says what stops the work behind a promise: fn(pending, *args), called like a done callback."""
        hosted()
        return Raw.set_canceller(self, _callback(fn, args))

    # --- the consumer's side

    def cancel(self, msg=None):
        """Cancels it for everybody; msg says why.  Returns whether it is cancelled."""
        return Raw.cancel(self, msg)

    def done(self):
        """Whether the outcome is final."""
        return Raw.is_done(self)

    def cancelled(self):
        """Whether the outcome is, or is going to be, the cancellation."""
        return Raw.is_cancelled(self)

    def was_cancel_requested(self):
        """Whether somebody wanted to cancel it before it was done, also if that was refused."""
        return Raw.was_cancel_requested(self)

    @property
    def state(self):
        """Where it is in its life, a PendingState."""
        return Raw.get_state(self)

    @property
    def name(self):
        """Its name, or None."""
        return Raw.dup_name(self)

    @name.setter
    def name(self, name):
        Raw.set_name(self, name)

    def result(self, timeout=None):
        """Blocks until it is done and returns its value, or raises its exception.

        On a thread whose main context nobody runs, that context is iterated
        meanwhile.  timeout is in seconds; when it is over, Timeout is raised
        and nothing is cancelled.  Inside a running asyncio loop, or a
        coroutine, a pending that is not done raises WouldDeadlock: await it.
        """
        found = _peek(_values, self)
        if found > table.VALUE:
            return _entries[found]
        if found == table.NOT_DONE:
            waiting.block(self, timeout)
        return values.read(self)

    def exception(self, timeout=None):
        """Blocks like result() and returns the exception, or None.  Raises Cancelled when it was cancelled."""
        waiting.block(self, timeout)
        return self.peek_exception()

    def peek(self):
        """The value, without waiting: raises NotDone when it is not there yet."""
        return values.read(self)

    def peek_exception(self):
        """The exception or None, without waiting: raises NotDone when it is not done, Cancelled when it was cancelled."""
        if self.cancelled():
            raise errors.outcome_error(self)
        if not self.done():
            raise errors.NotDone()
        error = Raw.dup_error(self)
        return None if error is None else errors.outcome_error(self, error)

    def __await__(self):
        yield from driver.wait_for(self)
        return values.read(self)

    async def __aenter__(self):
        entered = await self
        if not hasattr(entered, "__exit__"):
            raise TypeError(f"async with needs a pending of a context manager, not of {type(entered).__name__}")
        self._entered = entered
        return entered.__enter__()

    async def __aexit__(self, kind, exception, traceback):
        entered, self._entered = self._entered, None
        return entered.__exit__(kind, exception, traceback)

    def wait(self, timeout=None, *, protect=False, shield=False, result=True, until_done=False, queued_only=False):
        """Awaits it: ``await p.wait(...)``.

        timeout: seconds, then Timeout is raised and the pending cancelled.
        protect: neither a time-out nor a cancelled task cancels it.
        shield: a cancelled task goes on waiting first.
        result=False: returns None and raises none of its errors.
        until_done: also after a time-out or cancellation it is waited for.
        queued_only: a cancelled task cancels it when it has not begun, else
        goes on waiting, and returns its value as if nothing had happened; a
        time-out cancels nothing.
        """
        return waiting.wait(self, timeout, protect, shield, result, until_done, queued_only)

    async def cancel_wait(self, msg=None, *, timeout=None, shield=False):
        """Cancels it and waits until it is done."""
        self.cancel(msg)
        await waiting.wait(self, timeout, True, shield, False, False)

    def run_until_done(self, timeout=None):
        """Iterates the main context of this thread until it is done; returns its value or raises its exception."""
        if contexts.local.stepping or contexts.running_loop() is not None:
            raise errors.would_block("run_until_done()", "await")
        context = contexts.own_context()
        if context is None or not context.acquire():
            raise errors.no_context(errors.translate(errors.N_("This thread runs no main context: use result()")))
        try:
            waiting.iterate(context, self, timeout, scopes.current())
        finally:
            context.release()
        return values.read(self)

    # --- callbacks

    def add_done_callback(self, fn, *args):
        """Calls fn(pending, *args) once when it is done, in this thread's loop.  Returns an identifier."""
        hosted()
        token = object()
        call = _callback(fn, args, token)
        if self._watchers is None:
            self._watchers = {}
        entry = self._watchers[token] = [0, fn]
        entry[0] = table.add_done_callback(self, call)
        return entry[0]

    def remove_done_callback(self, id_or_fn):
        """Removes callbacks by identifier or function.  Returns how many will not be called."""
        removed = 0
        for token, (watcher, watching) in list((self._watchers or {}).items()):
            if id_or_fn in (watcher, watching):
                self._watchers.pop(token, None)
                removed += Raw.remove_done_callback(self, watcher)
        return removed

    def then(self, fn):
        """A pending for fn(value), called when this one succeeded.  A pending that fn returns is followed."""
        _check_callable(fn)
        return _derive(self, raw.ThenFlags.ON_SUCCESS, lambda done: fn(values.read(done)))

    def catch(self, fn):
        """A pending for fn(exception), called when this one failed or was cancelled."""
        _check_callable(fn)
        return _derive(self, raw.ThenFlags.ON_ERROR, lambda done: fn(errors.outcome_error(done)))

    def finally_(self, fn):
        """A pending with the same outcome, after fn() was called; what fn raises becomes the outcome."""
        _check_callable(fn)
        return _derive(self, raw.ThenFlags.ALWAYS, lambda done: fn(), keep=True)

    # --- derived

    def with_timeout(self, timeout):
        """A pending with the same outcome that fails with Timeout, and cancels this one, after so many seconds."""
        return _same(self, Raw.with_timeout(self, raw.microseconds(timeout)))

    def shield(self):
        """A pending with the same outcome, whose cancellation does not reach this one."""
        return _same(self, Raw.shield(self))

    @staticmethod
    def sleep(seconds):
        """A pending that resolves after so many seconds."""
        return Raw.sleep(raw.microseconds(seconds))

    @staticmethod
    def resolved(value=None):
        """A pending that is done, with a value."""
        pending = Raw.new()
        values.resolve(pending, value)
        return pending

    @staticmethod
    def rejected(exception):
        """A pending that failed, with an exception."""
        pending = Raw.new()
        errors.reject(pending, errors.as_exception(exception))
        return pending

    @staticmethod
    def all(items):
        """A pending for the list of the values; the first failure is its outcome."""
        return _shown(Raw.all(_check(items)), values.values_of)

    @staticmethod
    def all_settled(items):
        """A pending for the list of the pendings, when all are done."""
        return _shown(Raw.all_settled(_check(items)), values.members_of)

    @staticmethod
    def any(items):
        """A pending for the first value; GroupError when all failed."""
        return Raw.any(_check(items))

    @staticmethod
    def first(items):
        """A pending with the outcome of the first that is done."""
        return Raw.first(_check(items))

    @staticmethod
    def get_current():
        """The pending whose function runs here now, or None outside of a job."""
        return jobs.current_pending()

    def __bool__(self):
        return True

    def __repr__(self):
        name = self.name
        state = self.state.value_nick + (", cancelled" if self.cancelled() and not self.done() else "")
        return f"<Pending {name + ' ' if name else ''}{state} at {id(self):#x}>"


def _check_callable(fn):
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")


def _callback(fn, args, token=None):
    """A C callback that tells the log about exceptions, and forgets fn when it was called."""
    _check_callable(fn)
    context = jobs.contextvars.copy_context()

    def call(pending, *user_data):
        if token is not None:
            pending._watchers.pop(token, None)
        try:
            context.run(fn, pending, *args)
        except BaseException as exception:
            errors.report_callback(fn, exception)

    return call


def _derive(pending, flags, fn, keep=False):
    """A continuation: what fn returns is the new value, or the pending to follow."""
    hosted()
    context = jobs.contextvars.copy_context()

    def call(done, *user_data):
        try:
            value = context.run(fn, done)
        except BaseException as exception:
            return Pending.rejected(exception)
        if keep:
            return None
        if isinstance(value, Raw):
            return value
        if jobs.inspect.iscoroutine(value):
            return driver.drive(value)
        return Pending.resolved(value)

    derived = Raw.add_continuation(pending, flags, call)
    return _same(pending, derived) if keep else derived


def _same(pending, derived):
    if pending._convert is not None:
        derived._convert = pending._convert
    return derived


def _shown(pending, convert):
    pending._convert = convert
    return pending
