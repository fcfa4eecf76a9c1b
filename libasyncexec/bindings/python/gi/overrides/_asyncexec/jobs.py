# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs: how a Python function runs inside one of C's, and what it can ask about itself."""

import asyncio
import contextvars
import inspect

from . import context as contexts
from . import driver, errors, hosting, raw, values

_get_current = raw.Pending.get_current

OPTIONS = raw.SubmitOptions.new()
OPTIONS.set_release_on_owner(True)


def is_coroutine_function(fn):
    """Whether calling fn gives a coroutine."""
    return inspect.iscoroutinefunction(getattr(fn, "func", fn)) or \
        inspect.iscoroutinefunction(getattr(fn, "__call__", None))


def settle(job, fn, args, kwargs):
    """Calls fn, and makes what it returns or raises the outcome of job."""
    try:
        value = fn(*args, **kwargs)
    except BaseException as exception:
        fail(job, exception)
    else:
        values.resolve(job, value)


def fail(job, exception):
    """What a job raised becomes its outcome."""
    if isinstance(exception, (errors.Cancelled, asyncio.CancelledError)):
        # What check_cancelled() raised has been said already.
        if not raw.Pending.is_cancelled(job):
            raw.Pending.cancel(job, str(exception) or None)
    else:
        errors.reject(job, errors.as_exception(exception))


def make_trampoline(fn, args, kwargs):
    """The C job function that runs fn in a copy of the current contextvars."""
    context = contextvars.copy_context()

    def trampoline(job, cancellable, *user_data):
        context.run(settle, job, fn, args, kwargs)
        return True

    return trampoline


def make_async_trampoline(fn, args, kwargs):
    """The same for a coroutine function: the job follows the coroutine."""
    context = contextvars.copy_context()

    def trampoline(job, cancellable, *user_data):
        return driver.start(job, context, fn, args, kwargs)

    return trampoline


def _trampoline(fn, args, kwargs):
    """The C function for fn, and whether it is in coroutine form."""
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")
    if is_coroutine_function(fn):
        return make_async_trampoline(fn, args, kwargs), True
    return make_trampoline(fn, args, kwargs), False


def submit(executor, fn, args, kwargs, options=OPTIONS):
    """Gives fn to an executor; coroutine functions in coroutine form."""
    trampoline, coroutine = _trampoline(fn, args, kwargs)
    if coroutine:
        return raw.Executor.submit_async_full(executor, options, trampoline)
    return raw.Executor.submit_full(executor, options, trampoline)


def submit_here(executor, fn, args, kwargs, options):
    """submit(), from a thread that asyncio may run."""
    loop = contexts.running_loop()
    if loop is not None:
        hosting.ensure(loop)
    return submit(executor, fn, args, kwargs, options)


def submit_later(caller, delay, fn, args, kwargs):
    """Gives fn to a caller, for when delay seconds are over."""
    loop = contexts.running_loop()
    if loop is not None:
        hosting.ensure(loop)
    trampoline, coroutine = _trampoline(fn, args, kwargs)
    if coroutine:
        context = contextvars.copy_context()

        def trampoline(job, cancellable, *user_data):
            promise = driver.start(job, context, fn, args, kwargs)
            if promise is not None:
                raw.Pending.follow(job, promise)
            return True

    return raw.Caller.call_later(caller, raw.microseconds(max(delay, 0)), trampoline)


def post(executor, fn, args, kwargs):
    """Gives fn to an executor, fire and forget: no pending, no contextvars."""
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")

    def trampoline(*user_data):
        try:
            fn(*args, **kwargs)
        except Exception as exception:
            errors.report(f"posted {fn!r}", exception)
            raise errors.to_error(exception) from exception
        return True

    raw.Executor.post(executor, trampoline)


def current_pending():
    """The pending whose function runs here now, or None outside of a job."""
    return _get_current() or driver.current()


def check_cancelled():
    """Raises Cancelled (Timeout) if the job that runs here was cancelled (is out of time).  For loops that compute."""
    try:
        raw.module.check_cancelled()
    except errors.GLib.Error as error:
        raise errors.from_error(error) from None
    job = driver.current()
    if job is not None and job.is_cancelled():
        raise errors.from_error(raw.Pending.dup_error(job))
