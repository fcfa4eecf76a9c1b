# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trackers, managers and groups: who knows which pendings, and a block of code that ends with all the work it started."""

import asyncio
import contextvars
import functools

from gi.repository import GLib

from . import context as contexts
from . import each, errors, executor, options, raw, scopes, table, waiting
from .hosting import ensure_running as hosted

Raw = raw.module.PendingGroup
Mode = raw.module.GroupMode
_is_done = raw.Pending.is_done


def _raising(function, *args):
    try:
        return function(*args)
    except GLib.Error as error:
        raise errors.from_error(error) from None


def _mismatch(message):
    return GLib.Error.new_literal(raw.Error.quark(), message, raw.Error.MISMATCH)


class PendingTracker(raw.module.PendingTracker):
    """Knows the pendings that are made while it is active; forgets them when they are done."""

    __module__ = "gi.overrides.AsyncExec"

    @classmethod
    def current(cls):
        """The tracker of exactly this class that is active here, or None."""
        return scopes.inside(raw.module.PendingTracker.ref_current, cls.__gtype__)

    @classmethod
    def active_id(cls):
        """The number of the tracker of this class that is active here, or None."""
        return scopes.inside(raw.module.PendingTracker.get_active_id, cls.__gtype__) or None

    @property
    def id(self):
        """A number that no other tracker of the process has."""
        return raw.module.PendingTracker.get_id(self)

    @property
    def pendings(self):
        """What it knows and is not done, as a list."""
        return raw.module.PendingTracker.dup_pendings(self)

    @property
    def model(self):
        """The same as a Gio.ListModel, to be shown by the thread that made the tracker."""
        return raw.module.PendingTracker.get_model(self)

    def add(self, pending):
        """Makes a pending known to it.  Returns whether that was to be done."""
        if not isinstance(pending, raw.Pending):
            raise TypeError(f"a pending is needed, not {type(pending).__name__}")
        return raw.module.PendingTracker.add(self, pending)

    def __contains__(self, pending):
        return any(pending is known for known in self.pendings)

    def __len__(self):
        return raw.module.PendingTracker.get_n_pendings(self)

    def __bool__(self):
        return True


class _Token:
    """What activate() gives."""

    __slots__ = ("manager_class", "token")

    def __init__(self, manager_class, token):
        self.manager_class = manager_class
        self.token = token


class PendingManager(raw.module.PendingManager, PendingTracker):
    """A tracker that only looks on: ``with manager:``, what is submitted inside, and by that, is known to it.

    The newest one hides those of its own class.
    """

    __module__ = "gi.overrides.AsyncExec"

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    @staticmethod
    def new():
        """Makes a manager."""
        return PendingManager()

    def activate(self):
        """Makes it the active one of its class, here.  Returns what deactivate() needs."""
        others = tuple(manager for manager in scopes.managers.get() if type(manager) is not type(self))
        return _Token(type(self), scopes.managers.set((*others, self)))

    def deactivate(self, token):
        """Makes that one active again which was before; raises for a token of another class, or one that was used."""
        if token.manager_class is not type(self):
            message = errors.translate(errors.N_("This token belongs to %s: give each to a manager of its class"))
            raise _mismatch(message % token.manager_class.__name__)
        try:
            scopes.managers.reset(token.token)
        except (RuntimeError, ValueError) as error:
            message = errors.N_("This token was used before, or in another context: give each token once, "
                                "where it was made")
            raise _mismatch(errors.translate(message)) from error

    def remove(self, pending):
        """Forgets a pending; raises when it does not know it."""
        _raising(raw.module.PendingManager.remove, self, pending)

    def __enter__(self):
        self._tokens = (*getattr(self, "_tokens", ()), self.activate())
        return self

    def __exit__(self, kind, exception, traceback):
        *rest, token = self._tokens
        self._tokens = rest
        self.deactivate(token)


class _GroupScope(scopes.CancelScope):
    """The scope of a group; it is over when the group is, not when the block is left."""

    _is_group = True

    def __init__(self, shield):
        super().__init__(None, shield)
        self._given = None

    def _make(self):
        return self._given

    def _leave(self):
        pass

    def _over(self, joined):
        self._left = True


def _contains(group, exception):
    """Whether all that an exception stands for is among those of a group."""
    if isinstance(exception, errors.GroupError):
        return all(_contains(group, inner) for inner in exception.exceptions)
    return any(inner is exception or isinstance(inner, errors.GroupError) and _contains(inner, exception)
               for inner in group.exceptions)


class PendingGroup(Raw, PendingTracker):
    """A block of code and all the work that is started in it: it ends when that has ended, with all the errors.

    ``async with PendingGroup() as group:``, or a plain ``with``, which blocks
    at its end.  What is submitted inside, to whatever executor, is a member,
    and so is what members submit.  A member that fails cancels the others and
    the block, and the end raises GroupError with all that went wrong.
    """

    __module__ = "gi.overrides.AsyncExec"

    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, mode=Mode.IGNORE, *, shield=False, timeout=None, cancellation_timeout=10):
        """Makes a group.

        mode: what a cancellation means, a GroupMode or its number.  shield: the
        scopes and the job around it do not cancel it.  timeout: seconds until it
        is cancelled.  cancellation_timeout: how many seconds it then waits for
        members that do not listen; None is without limit.
        """
        super().__init__(mode=Mode(mode), shield=bool(shield), timeout_us=raw.microseconds(timeout),
                         cancellation_timeout_us=raw.microseconds(cancellation_timeout))
        self._scope = None
        self._exited = False

    @staticmethod
    def new(mode=Mode.IGNORE):
        """Makes a group."""
        return PendingGroup(mode)

    @property
    def mode(self):
        """What a cancellation means, a GroupMode."""
        return Raw.get_mode(self)

    @property
    def shield(self):
        """Whether cancellation from outside does not reach it."""
        return Raw.get_shield(self)

    @property
    def timeout(self):
        """After how many seconds it is cancelled; None is never."""
        return raw.seconds(Raw.get_timeout(self))

    @property
    def cancellation_timeout(self):
        """How many seconds its end waits for members once it was cancelled; None is without limit."""
        return raw.seconds(Raw.get_cancellation_timeout(self))

    @property
    def cancellable(self):
        """A Gio.Cancellable that is cancelled with it."""
        self._use()
        return Raw.get_cancellable(self)

    def _use(self):
        """Its scope, which stands where the group is first used."""
        if self._scope is None:
            scope = _GroupScope(self.shield)
            scope._outer = scopes.current()
            scope._raw = scope._given = scopes.inside(Raw.get_scope, self)
            self._scope = scope
        return self._scope

    def add(self, pending):
        """Makes a pending a member.  Returns whether that was to be done; no when the group is over."""
        self._use()
        return PendingTracker.add(self, pending)

    def on(self, where):
        """An executor, for what is to be a member wherever it is submitted: a view, as of options()."""
        return executor.Executor.options(where, group=self)

    def spawn(self, fn, /, *args, **kwargs):
        """Starts a function or coroutine function on the caller of this thread, as a member; returns its Pending."""
        from .caller import Caller

        return self.on(Caller.current()).submit(fn, *args, **kwargs)

    def for_each(self, where, fn, /, *iterables):
        """Calls fn(*items) for the items of the iterables on an executor, as members, and gives nothing back.

        There is no Pending for an item: as many jobs as the executor runs at the
        same time call fn, one item after the other.  An item that fails cancels
        the group, and with it what has not started; one that is cancelled is, for
        the mode of the group, a member that was.  fn may be a coroutine function.
        """
        each.Each(self, where, fn, iterables)

    def cancel(self, msg=None):
        """Cancels it: its members and the block.  Returns whether it is cancelled."""
        return Raw.cancel(self, msg)

    def cancelled(self):
        """Whether it was cancelled, by whatever."""
        return Raw.is_cancelled(self)

    def over(self):
        """Whether it has ended, so that nothing can join it any more."""
        return Raw.is_over(self)

    def join(self):
        """A pending for its end, without a block: done when it has no members left."""
        hosted()
        self._use()
        return self._watched(Raw.join(self))

    def _watched(self, joined):
        table.add_done_callback(joined, self._scope._over, at_once=True)
        return joined

    # --- the block

    def _begin(self):
        scope = _GroupScope(self.shield)
        if self._scope is not None:
            scope = self._scope
        _raising(scopes.inside, Raw.begin, self)
        scope._raw, scope._given = None, Raw.get_scope(self)
        self._scope = scope
        scope.__enter__()
        return self

    def _end(self, kind, exception, traceback):
        """Leaves the block: whether its exception was the group's own cancellation."""
        job = self._scope._job
        swallowed = self._scope.__exit__(kind, exception, traceback)
        if swallowed and not self.shield and job is not None and job.cancelled():
            swallowed = False
        if exception is not None:
            Raw.cancel(self, None)
        return swallowed, self._watched(Raw.end(self))

    def _conclude(self, joined, exception, swallowed, thrown):
        own = None if swallowed else exception
        error = raw.Pending.dup_error(joined)
        try:
            if error is not None and error.matches(raw.Error.quark(), raw.Error.GROUP):
                self._raise_all(errors.outcome_error(joined, error), own)
            if own is not None:
                return False
            if thrown is not None:
                raise thrown
            if error is not None:
                raise errors.from_error(error)
            return True
        finally:
            del own, exception, thrown, error

    def _raise_all(self, failed, own):
        try:
            if own is None or isinstance(own, (asyncio.CancelledError, errors.Cancelled)) or _contains(failed, own):
                raise failed
            if not isinstance(own, Exception):
                # It goes on, and nobody else is there to be told.
                errors.report(repr(self), failed)
                return
            raise errors.GroupError(failed.message, [own, *failed.exceptions])
        finally:
            del failed, own

    async def __aenter__(self):
        return self._begin()

    async def __aexit__(self, kind, exception, traceback):
        swallowed, joined = self._end(kind, exception, traceback)
        thrown = None
        try:
            while not _is_done(joined):
                try:
                    await waiting.Suspended(joined, True)
                except (GeneratorExit, KeyboardInterrupt):
                    raise
                except BaseException as raised:
                    thrown = raised
                    if not self.shield:
                        Raw.cancel(self, None)
            return self._conclude(joined, exception, swallowed, thrown)
        finally:
            del exception, traceback, thrown

    def __enter__(self):
        if contexts.local.stepping or contexts.running_loop() is not None:
            raise errors.would_block("with", "async with")
        return self._begin()

    def __exit__(self, kind, exception, traceback):
        swallowed, joined = self._end(kind, exception, traceback)
        thrown = None
        try:
            while not _is_done(joined):
                try:
                    _block(joined)
                except KeyboardInterrupt as raised:
                    if thrown is not None:
                        raise
                    thrown = raised
                    Raw.cancel(self, None)
            return self._conclude(joined, exception, swallowed, thrown)
        finally:
            del exception, traceback, thrown

    def __repr__(self):
        state = "over" if self.over() else f"{len(self)} members" + (", cancelled" if self.cancelled() else "")
        return f"<PendingGroup {state} at {id(self):#x}>"


def _block(joined):
    """Blocks until the group has ended, whatever happens around it: that cancels the group."""
    context = contextvars.copy_context()
    context.run(scopes.forget)
    try:
        context.run(functools.partial(waiting.block, joined, what="the end of a group", instead="async with"))
    except (errors.Cancelled, errors.Timeout):
        raw.Pending.wait(joined, raw.WaitFlags.NO_RESULT | raw.WaitFlags.SHIELD, -1, None)


def types_of(trackers):
    """The GTypes of classes of trackers."""
    found = []
    for tracker in trackers:
        if not (isinstance(tracker, type) and issubclass(tracker, raw.module.PendingTracker)):
            raise TypeError("trackers are classes of PendingTracker")
        found.append(tracker.__gtype__)
    return found


def chosen(trackers):
    """The scope and the managers that count for what chooses its trackers."""
    classes = tuple(trackers)
    active = tuple(manager for manager in scopes.managers.get() if isinstance(manager, classes))
    in_group = any(issubclass(Raw, kind) for kind in classes) or any(issubclass(kind, Raw) for kind in classes)
    return scopes.innermost() if in_group else scopes.around_groups(), active
