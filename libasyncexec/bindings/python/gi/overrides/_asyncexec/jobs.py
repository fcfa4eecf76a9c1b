# SPDX-License-Identifier: LGPL-2.1-or-later
"""Jobs: how a Python function runs inside one of C's, and what it can ask about itself."""

import contextvars
import inspect
import types

from gi.repository import GLib

from . import driver, errors, hosting, naming, raw, release, scopes, table, values

_get_current = raw.Pending.get_current
_is_done = raw.Pending.is_done
_submit = table.Trampoline.submit
_call_later = table.Trampoline.call_later
_copy_context = contextvars.copy_context
_entries = table.entries
_next_token = table.next_token
_inside = scopes.inside

OPTIONS = raw.SubmitOptions.new()


def is_coroutine_function(fn):
    """Whether calling fn gives a coroutine."""
    kind = type(fn)
    if kind is types.MethodType:
        fn = fn.__func__
        kind = type(fn)
    if kind is types.FunctionType:
        return bool(fn.__code__.co_flags & inspect.CO_COROUTINE)
    if kind is types.BuiltinFunctionType or kind is type:
        return False
    return inspect.iscoroutinefunction(getattr(fn, "func", fn)) or \
        inspect.iscoroutinefunction(getattr(fn, "__call__", None))


class _Kept:
    """What a coroutine was given: its owner lets go of it when nobody steps the coroutine any more."""

    __slots__ = ("graveyard", "token")

    def __init__(self, graveyard, token):
        self.graveyard = graveyard
        self.token = token

    def __del__(self):
        self.graveyard.bury(self.token)


def _settle(job, token, kept=None):
    """Calls the function of an entry, and makes what it returns or raises the outcome of job.  When it returns a
    coroutine, gives what steps that."""
    fn, args, kwargs, context, graveyard, _ = _entries[token]
    try:
        value = context.run(fn, *args, **kwargs)
    except BaseException as exception:
        # From where the user's code begins.
        exception.__traceback__ = exception.__traceback__.tb_next
        driver.fail(job, exception)
        # The traceback knows this frame by the user's: what it holds would be kept by the outcome of job.
        del job, fn, args, kwargs, context
        return None
    if type(value) is not types.CoroutineType:
        values.resolve(job, value)
        return None
    return driver.Driver(job, context, value, kept or _Kept(graveyard, token))


_UNSEEN = raw.SubmitOptions.new()
_UNSEEN.set_trackers([])


def _here(executor):
    """Whose threads this one is one of: a caller, or the pool behind an executor; else None."""
    caller = raw.Caller.lookup_current()
    if caller is not None:
        return caller
    while isinstance(executor, raw.Limiter):
        executor = raw.Limiter.get_wrapped(executor)
    return executor if isinstance(executor, raw.ThreadPool) else None


def _go_on(job, executor, stepper):
    """The coroutine that a plain function returned becomes a job of its own, so that where it runs does not end before
    it.  Returns whether that was possible."""
    here = _here(executor)
    if here is None:
        return False
    kept = [stepper]

    def start(inner, cancellable, *user_data):
        return kept.pop().begin()

    followed = raw.Executor.submit_async_full(here, _UNSEEN, start)
    if _is_done(followed):
        return False      # it has been closed since, and goes on with what it had accepted
    raw.Pending.follow(job, followed)
    return True


def _run(job, token, *user_data):
    """Every job of Python that is no coroutine, on whatever thread."""
    if job is None:
        del _entries[token]
        return True
    graveyard, executor = _entries[token][4:]
    stepper = _settle(job, token)
    if stepper is not None:
        if _go_on(job, executor, stepper):
            return True
        raw.Pending.follow(job, stepper.promise)
        # What the coroutine raises knows this frame.
        del job
        stepper.begin()
        return True
    del job
    # Only the table has it now: the owner drops the last reference.
    graveyard.bury(token)
    return True


def _coroutine(kept):
    """The C function of a job that is a coroutine: the job follows the promise of that."""
    kept = [kept]

    def start(job, cancellable, *user_data):
        # Taken out: what the coroutine raises knows this frame, and lives as long as the table knows the job.
        stepper = driver.prepare(job, kept.pop())
        del job
        return stepper.begin() if stepper is not None else None

    return start


def _plain(kept):
    """The C function of a job that is no coroutine, in coroutine form."""
    kept = [kept]

    def start(job, cancellable, *user_data):
        own = kept.pop()
        stepper = _settle(job, own.token, own)
        # What a coroutine raises knows this frame.
        del job, own
        return stepper.begin() if stepper is not None else None

    return start


_jobs = table.Trampoline.new(_run)


def _enter(executor, fn, args, kwargs, stand=None):
    """The token for a submission by this thread."""
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")
    hosting.ensure_running()
    graveyard = release.current()
    if graveyard.tokens:
        release.collect()
    token = _next_token()
    context = _copy_context()
    if stand is not None:
        context.run(scopes.stand, *stand)
    # The executor as well: it is to be found at exit while it has work.
    _entries[token] = (fn, args, kwargs, context, graveyard, executor)
    return token


def submit(executor, fn, args, kwargs, options=None, stand=None):
    """Gives fn to an executor; coroutine functions in coroutine form.  stand: scope and managers, if not those of here."""
    token = _enter(executor, fn, args, kwargs, stand)
    if options is None and naming.wanted:
        options = naming.options(fn)
    if is_coroutine_function(fn):
        start = _coroutine(_Kept(_entries[token][4], token))
        return _inside(raw.Executor.submit_async_full, executor, options, start)
    return _inside(_submit, _jobs, executor, options, token)


def _delay(seconds):
    """In microseconds; what is over already is no delay."""
    if seconds is None:
        raise TypeError("a delay is a number of seconds, not None")
    return raw.microseconds(max(seconds, 0) if isinstance(seconds, (int, float)) else seconds)


def submit_later(caller, delay, fn, args, kwargs):
    """Gives fn to a caller, for when delay seconds are over."""
    delay_us = _delay(delay)
    name = naming.name(fn) if naming.wanted else None
    if is_coroutine_function(fn):
        fn, args, kwargs = _submit_and_follow, (caller, fn, args, kwargs), {}
    job = _inside(_call_later, _jobs, caller, delay_us, _enter(caller, fn, args, kwargs))
    if name is not None:
        job.set_name(name)
    return job


def _submit_and_follow(caller, fn, args, kwargs):
    """The delay of a coroutine function is over."""
    job = _get_current()
    started = submit(caller, fn, args, kwargs)
    if not raw.Pending.follow(job, started):
        raw.Pending.cancel(started, None)


def push(queue, fn, args, kwargs):
    """Gives fn to a call queue; False: it is closed."""
    token = _enter(queue.caller, fn, args, kwargs)
    fn, args, kwargs, context, graveyard, caller = _entries[token]
    if queue._context is None:
        queue._context = context
    _entries[token] = (fn, args, kwargs, queue._context.copy(), graveyard, caller)
    kept = _Kept(graveyard, token)
    start = _coroutine(kept) if is_coroutine_function(fn) else _plain(kept)
    del kept
    return _inside(raw.CallQueue.push_async, queue, start)


def submit_to_backend(caller, backend, fn, args, kwargs, options=None, stand=None):
    """Gives fn to a caller, which runs it in another loop of its thread."""
    token = _enter(caller, fn, args, kwargs, stand)
    if options is None and naming.wanted:
        options = naming.options(fn)
    kept = _Kept(_entries[token][4], token)
    start = _coroutine(kept) if is_coroutine_function(fn) else _plain(kept)
    del kept
    return _inside(raw.Caller.call_using_backend_full, caller, backend, options, start)


def schedule(view, fn, args, kwargs, context, backend=None):
    """Gives fn to an executor with options, in a copy of context, contextvars or None for those of now."""
    stand = view._stand()
    made = view._options_for(fn)
    if context is not None:
        context = context.copy()
        if stand is not None:
            context.run(scopes.stand, *stand)
        fn = _in_context(fn, context)
    if backend is not None:
        return submit_to_backend(view._executor, backend, fn, args, kwargs, made, stand)
    return submit(view._executor, fn, args, kwargs, made, stand)


def _in_context(fn, context):
    if not is_coroutine_function(fn):
        return lambda *args, **kwargs: context.run(fn, *args, **kwargs)

    async def steps(*args, **kwargs):
        return await _Stepped(fn(*args, **kwargs), context)

    return steps


class _Stepped:
    """A coroutine each step of which runs in a context of its own."""

    __slots__ = ("coroutine", "context")

    def __init__(self, coroutine, context):
        self.coroutine = coroutine
        self.context = context

    def __await__(self):
        step, given = self.coroutine.send, (None,)
        while True:
            try:
                waited = self.context.run(step, *given)
            except StopIteration as end:
                return end.value
            try:
                step, given = self.coroutine.send, ((yield waited),)
            except GeneratorExit:
                self.coroutine.close()
                raise
            except BaseException as exception:
                step, given = self.coroutine.throw, (exception,)


def post(executor, fn, args, kwargs):
    """Gives fn to an executor, fire and forget: no pending, no contextvars."""
    if not callable(fn):
        raise TypeError(f"a callable is needed, not {type(fn).__name__}")

    def trampoline(*user_data):
        try:
            value = fn(*args, **kwargs)
        except Exception as exception:
            errors.report(f"posted {fn!r}", exception)
            raise errors.to_error(exception) from exception
        if type(value) is types.CoroutineType:
            driver.drive(value)
        return True

    raw.Executor.post(executor, trampoline)


def current_pending():
    """The pending whose function runs here now, or None outside of a job."""
    return _get_current() or driver.current()


def check_cancelled():
    """Raises Cancelled (Timeout) if the job or scope that this runs in was cancelled (is out of time).  For loops that
    compute."""
    try:
        _inside(raw.module.check_cancelled)
    except GLib.Error as error:
        raise errors.from_error(error) from None
    job = driver.current()
    if job is not None and job.cancelled() and not scopes.shielded(scopes.current(), job):
        raise errors.from_error(raw.Pending.dup_error(job))
