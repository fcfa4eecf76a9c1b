# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for a pending: by blocking, by iterating the main context, and in a coroutine."""

from gi.repository import GLib

from . import context as contexts
from . import driver, errors, raw, release, scopes, table, values

NO_RESULT = raw.WaitFlags.NO_RESULT
# The main thread looks for signals this often where it can neither be woken nor iterate: inside a callback.
SIGNAL_SLICE_US = 100_000
# What is done this soon needs no main context to be iterated, whose preparation costs more: a blocking round trip through
# a thread pool takes 39 us of wall instead of 53.
SHORT_US = 100

_is_done = raw.Pending.is_done
_raw_wait = raw.Pending.wait
_values = table.values_trampoline
_wait_quietly = table.Trampoline.wait


def _ignore(pending):
    pass


def block(pending, timeout=None, *, what="result()", instead="await"):
    """Blocks until pending is done; a time-out cancels nothing.  what the caller did, and what it should do inside a loop."""
    if _is_done(pending):
        return
    if contexts.local.stepping or contexts.running_loop() is not None:
        raise errors.would_block(what, instead)
    release.collect()
    context = contexts.own_context()
    if context is None or GLib.main_depth() > 0 or raw.Pending.get_current() is not None:
        _block_only(pending, raw.microseconds(timeout))
    elif context.acquire():
        try:
            if timeout is not None or not _is_done_within(pending, SHORT_US):
                iterate(context, pending, timeout, scopes.current())
        finally:
            context.release()
    else:
        _block_only(pending, raw.microseconds(timeout))


def block_only(pending):
    """Blocks until pending is done, and runs nothing of a main context meanwhile."""
    _block_only(pending, -1)


def _scope_is_over():
    scope = scopes.current()
    return scope is not None and scopes.error_of(scope) is not None


def _wait_in_c(pending, timeout_us):
    try:
        scopes.inside(_raw_wait, pending, NO_RESULT, timeout_us, None)
    except GLib.Error as error:
        raise errors.from_error(error) from None


def _is_done_within(pending, timeout_us):
    """Without an exception: PyGObject loses a Ctrl-C that comes while it makes one of a GError."""
    return scopes.inside(_wait_quietly, _values, pending, timeout_us) != table.NOT_DONE


def _block_only(pending, timeout_us):
    """Without running anything of a main context."""
    if not contexts.is_main_thread():
        _wait_in_c(pending, timeout_us)
        return
    now = GLib.get_monotonic_time()
    deadline = None if timeout_us < 0 else now + timeout_us
    while True:
        until = now + SIGNAL_SLICE_US if deadline is None else min(now + SIGNAL_SLICE_US, deadline)
        if _is_done_within(pending, until - now):
            return
        now = GLib.get_monotonic_time()
        is_over = deadline is not None and now >= deadline or _scope_is_over()
        if is_over or now < until:
            # It has the error for that.
            try:
                _wait_in_c(pending, 0 if is_over else until - now)
            except errors.Timeout:
                if is_over:
                    raise


class _Expiry:
    """A time-out in a context."""

    def __init__(self, context, seconds):
        self.passed = False
        self.source = GLib.timeout_source_new(max(round(seconds * 1000), 0))
        self.source.set_callback(self._pass)
        self.source.attach(context)

    def _pass(self, *user_data):
        self.passed = True
        return GLib.SOURCE_REMOVE


def iterate(context, pending, timeout=None, scope=None):
    """Runs the main context, which this thread has acquired, until pending is done or scope over."""
    if _is_done(pending):
        return
    watched = scopes.watch(scope, _ignore) if scope is not None else None
    expiry = _Expiry(context, timeout) if timeout is not None else None
    wake = table.add_done_callback(pending, _ignore)
    try:
        with contexts.interruptible(context) as check:
            while not _is_done(pending):
                if expiry is not None and expiry.passed:
                    raise errors.Timeout()
                if scope is not None:
                    scopes.check(scope)
                context.iteration(True)
                check()
    finally:
        if watched is not None:
            scopes.unwatch(watched)
        raw.Pending.remove_done_callback(pending, wake)
        if expiry is not None:
            expiry.source.destroy()


def _with_timeout(pending, timeout, protect):
    source = raw.Pending.shield(pending) if protect else pending
    derived = raw.Pending.with_timeout(source, raw.microseconds(timeout))
    if pending._convert is not None:
        derived._convert = pending._convert
    return derived


class Suspended:
    """Awaits that pending is done, not its outcome; what is raised was thrown by whoever drives the coroutine."""

    __slots__ = ("pending", "protect")

    def __init__(self, pending, protect):
        self.pending = pending
        self.protect = protect

    def __await__(self):
        return driver.wait_for(self.pending, self.protect)


async def _until_done(pending, thrown=None):
    """Also through cancellations of the task that waits; gives the last of them."""
    while not _is_done(pending):
        try:
            if thrown is None:
                await Suspended(pending, True)
            else:
                # A scope that is over would end each wait at once.
                with scopes.CancelScope(shield=True):
                    await Suspended(pending, True)
        except BaseException as exception:
            if isinstance(exception, (GeneratorExit, KeyboardInterrupt)):
                raise
            thrown = exception
    return thrown


def _timed_out(target, pending):
    if target is pending or not _is_done(target):
        return False
    error = raw.Pending.dup_error(target)
    return error is not None and error.matches(*errors.TIMED_OUT) and (not _is_done(pending) or pending.cancelled())


def _withdraw(pending):
    """Cancels it if it has not begun.  Returns whether it had not."""
    return pending._withdraw() if pending._withdraw is not None else raw.Pending.cancel_queued(pending)


async def _wait_queued_only(pending, target):
    """Takes a job with it that has not begun; waits for one that has, whatever comes."""
    try:
        await Suspended(target, True)
    except BaseException as thrown:
        if isinstance(thrown, (GeneratorExit, KeyboardInterrupt)) or _withdraw(pending):
            raise
        await _until_done(target, thrown)


async def wait(pending, timeout, protect, shield, result, until_done, queued_only=False):
    """What Pending.wait() awaits."""
    if not _is_done(pending):
        driver.check_place()
    target = pending if timeout is None else _with_timeout(pending, timeout, protect or queued_only)
    try:
        if queued_only:
            await _wait_queued_only(pending, target)
        else:
            await Suspended(target, protect or shield)
    except BaseException as thrown:
        if isinstance(thrown, (GeneratorExit, KeyboardInterrupt)):
            raise
        if not (protect or shield or queued_only):
            raw.Pending.cancel(pending, None)
        if shield:
            await _until_done(target, thrown)
        if until_done:
            await _until_done(pending, thrown)
        raise
    if until_done and not _is_done(pending):
        thrown = await _until_done(pending)
        if thrown is not None:
            raise thrown
    if result:
        return values.read(target)
    if _timed_out(target, pending):
        raise errors.Timeout()
    return None
