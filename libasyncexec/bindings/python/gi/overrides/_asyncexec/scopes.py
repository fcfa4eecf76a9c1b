# SPDX-License-Identifier: LGPL-2.1-or-later
"""Scopes: a time limit and a way to cancel, for a stretch of code."""

import asyncio
import contextvars

from gi.repository import GLib

from . import context as contexts
from . import errors, raw, table
from .hosting import ensure_running as hosted

Scope = raw.module.Scope
Flags = raw.module.ScopeFlags
_new = Scope.new

# A scope belongs to the code that entered it, be that a task, a coroutine of ours or a thread: C knows it only while
# something is called there.
_innermost = contextvars.ContextVar("asyncexec.scope", default=None)


def active(scope):
    """scope, or the one outside that has not been left."""
    while scope is not None and scope._left:
        scope = scope._observed()
    return scope


def current(context=None):
    """The innermost scope that counts, here or in a contextvars.Context; or None."""
    return active(_innermost.get() if context is None else context.get(_innermost))


# The managers that are active here, see groups.py: like scopes, C knows of them only while something is called.
managers = contextvars.ContextVar("asyncexec.managers", default=())


def _with_managers(function, active_managers, args):
    tokens = [(manager, raw.module.PendingManager.push(manager)) for manager in active_managers]
    try:
        return function(*args)
    finally:
        for manager, token in reversed(tokens):
            raw.module.PendingManager.pop(manager, token)


def inside(function, *args):
    """Calls a function of C inside the current scope, with the active managers."""
    scope = current()
    active_managers = managers.get()
    if active_managers:
        function, args = _with_managers, (function, active_managers, args)
    if scope is None:
        return function(*args)
    outcome = []

    def call(*user_data):
        try:
            outcome.extend((function(*args), None))
        except BaseException as exception:
            outcome.extend((None, exception))

    Scope.run(scope._raw, call)
    value, exception = outcome
    if exception is not None:
        try:
            raise exception
        finally:
            del exception, outcome
    return value


def forget():
    """In a context of its own: no scope is observed there."""
    _innermost.set(None)


def stand(scope, active_managers):
    """In the context of a job: where it stands, and who knows of what it starts."""
    _innermost.set(scope)
    managers.set(active_managers)


def innermost():
    """The innermost scope, which may have been left."""
    return _innermost.get()


def around_groups():
    """The scope in which what opts out of every group stands; or None."""
    scope = result = _innermost.get()
    while scope is not None:
        if scope._is_group:
            result = scope._outer
        scope = scope._outer
    return result


def error_of(scope):
    """The exception of a scope that is over, or within one that is; else None."""
    try:
        Scope.check(scope._raw)
    except GLib.Error as error:
        return errors.from_error(error)
    return None


def check(scope):
    """Raises when it is over."""
    error = error_of(scope)
    if error is not None:
        raise error


def shielded(scope, job):
    """Whether the cancellation of the coroutine of job is not to be seen in scope."""
    while scope is not None and scope._job is job:
        if scope.shield:
            return True
        scope = scope._outer
    return False


def watch(scope, fn):
    """Has fn(promise) called in this thread's loop when scope, or one that it observes, is over.  Gives the promise."""
    promise = raw.Pending.new()
    Scope.add(scope._raw, promise)
    table.add_done_callback(promise, fn)
    return promise


def unwatch(promise):
    """Nobody wants to know any more."""
    raw.Pending.resolve(promise, None)


class _Ended:
    """The callback of a watch: of a scope in a task of asyncio; it must not keep the scope."""

    def __init__(self, scope):
        self.scope = scope

    def __call__(self, promise):
        scope = self.scope
        if scope is not None:
            scope._fired()


class CancelScope:
    """Inside, waits end when the scope is cancelled or its time is over, and what is submitted ends with it.

    A plain ``with``, also around ``await``: in asyncio it belongs to the task
    that enters it.  The exception that ends the block for its sake is
    swallowed, and ``cancelled_caught`` tells so.  shield: neither the scopes
    outside nor the cancellation of the job are observed inside.
    """

    __module__ = "gi.overrides.AsyncExec"

    shield = False
    cancelled_caught = False
    _raises = False     # Timeout, instead of swallowing
    _is_group = False

    def __init__(self, timeout=None, shield=False):
        self.shield = bool(shield)
        self._timeout_us = raw.microseconds(timeout)
        self._raw = None
        self._left = False
        self._cancel_wanted = False
        self._outer = self._job = None
        # In asyncio: the task, and what it was like before.
        self._task = self._watched = self._callback = None
        self._n_cancelling = self._n_shields = 0
        self._task_cancelled = self._deferred = False

    def _observed(self):
        return None if self.shield else self._outer

    def cancel(self):
        """Ends it, from any thread; before it is entered, as soon as it is."""
        self._cancel_wanted = True
        if self._raw is not None:
            Scope.cancel(self._raw)

    @property
    def cancel_called(self):
        """Whether it was cancelled, or its own time is over."""
        return self._cancel_wanted if self._raw is None else Scope.is_cancelled(self._raw)

    @property
    def deadline(self):
        """When it is over, in seconds of time.monotonic(), or None; that of a scope outside if it is earlier."""
        return None if self._raw is None else raw.seconds(Scope.get_deadline_us(self._raw))

    def __enter__(self):
        from . import jobs

        if self._raw is not None:
            raise RuntimeError("a scope is entered once: make another one")
        self._outer = current()
        self._job = jobs.current_pending()
        made = self._raw = self._make()
        if self._cancel_wanted:
            Scope.cancel(made)
        if contexts.running_loop() is not None and contexts.local.stepping == 0:
            self._enter_task(asyncio.current_task())
        _innermost.set(self)
        return self

    def _make(self):
        return inside(_new, self._timeout_us, Flags.SHIELD if self.shield else Flags.NONE)

    def _leave(self):
        self._left = True
        Scope.leave(self._raw)

    def __exit__(self, kind, exception, traceback):
        _innermost.set(self._outer)
        own = self._leave_task() if self._task is not None else False
        over = Scope.is_cancelled(self._raw)
        self._leave()
        if isinstance(exception, asyncio.CancelledError):
            caught = own
        else:
            caught = over and isinstance(exception, (errors.Cancelled, errors.Timeout))
        if not caught:
            return False
        self.cancelled_caught = True
        if not self._raises:
            return True
        if isinstance(exception, errors.Timeout):
            return False
        raise errors.Timeout(errors.translate(errors.N_("The time of the scope is over"))) from exception

    # --- in a task of asyncio, which ends it by cancelling the task, as asyncio.timeout() does

    def _enter_task(self, task):
        if task is None:
            return
        hosted()
        self._task = task
        self._n_cancelling = task.cancelling() if hasattr(task, "cancelling") else 0
        for scope in self._outer_scopes() if self.shield else ():
            scope._n_shields += 1
        self._callback = _Ended(self)
        self._watched = watch(self, self._callback)

    def _outer_scopes(self):
        scope = self._outer
        while scope is not None:
            if scope._task is self._task:
                yield scope
            scope = scope._outer

    def _fired(self):
        """In the loop: this scope, or one outside, which is told as well, is over."""
        if self._left or not Scope.is_cancelled(self._raw):
            return
        if self._n_shields:
            self._deferred = True
        else:
            self._cancel_task()

    def _cancel_task(self):
        self._deferred = False
        self._task_cancelled = True
        self._task.cancel()

    def _leave_task(self):
        """Whether a cancellation of the task was this scope's, and no other's."""
        self._callback.scope = None
        unwatch(self._watched)
        for scope in self._outer_scopes() if self.shield else ():
            scope._n_shields -= 1
            if scope._deferred and not scope._n_shields:
                scope._cancel_task()
        if not self._task_cancelled:
            return False
        return not hasattr(self._task, "uncancel") or self._task.uncancel() <= self._n_cancelling

    def __repr__(self):
        state = "new" if self._raw is None else "left" if self._left else "over" if self.cancel_called else "entered"
        return f"<{type(self).__name__} {state}>"


class _FailScope(CancelScope):
    """What fail_after() gives."""

    __module__ = "gi.overrides.AsyncExec"
    _raises = True


def move_on_after(seconds, *, shield=False):
    """``with move_on_after(5) as scope:`` gives up after so many seconds and goes on behind the block."""
    return CancelScope(seconds, shield)


def fail_after(seconds, *, shield=False):
    """``with fail_after(5):`` gives up after so many seconds and raises Timeout."""
    return _FailScope(seconds, shield)
