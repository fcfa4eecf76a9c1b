# SPDX-License-Identifier: LGPL-2.1-or-later
"""Services: what runs for a while, says when it has started, and is told when to stop."""

import contextvars
import functools
import inspect

from gi.repository import GLib

from . import context as contexts
from . import driver, errors, hosting, raw, scopes, subclass, table, waiting
from .caller import Caller
from .pending import Pending

Raw = raw.module.Service


def _begin(context, fn, *args, **kwargs):
    """Calls what a service does: a coroutine is driven on its caller; gives the pending of the end."""
    try:
        value = context.run(fn, *args, **kwargs)
    except BaseException as exception:
        return Pending.rejected(exception)
    if inspect.iscoroutine(value):
        return driver.Driver(None, context, value).begin()
    return value if isinstance(value, raw.Pending) else Pending.resolved(value)


def _call(service, *user_data):
    """The C function of every service that was given one."""
    fn, args, kwargs = service._call
    service._call = None
    return _begin(service._take_context(), fn, service, *args, **kwargs)


def _wrap_run(method):
    @functools.wraps(method)
    def do_run(self):
        return _begin(self._take_context(), method, self)

    do_run.wrapped_by_asyncexec = True
    return do_run


def _checked(function, *args):
    """What is refused is a mistake of the program."""
    try:
        return function(*args)
    except GLib.Error as error:
        raise RuntimeError(error.message) from None


class Service(Raw):
    """Something that runs on a caller for a while, says when it has started, and is told when to stop.

    ``fn(service, *args, **kwargs)``, a coroutine function as a rule, calls
    ``service.ready()`` when it serves, and ends after ``service.stopping`` is
    done; a subclass has ``async def do_run(self)`` instead.  Ending before is
    StoppedEarly.  ``await service`` waits for the end and gives what fn
    returned; in ``async with service:``, or ``with service:``, it runs, and
    has ended behind the block.  For all that it has to be started.
    """

    __module__ = "gi.overrides.AsyncExec"

    _begun = False
    _call = None         # what it does: fn, args, kwargs
    _context = None      # the contextvars of start()
    _scope = None        # of the block
    _watch = 0

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        subclass.wrap_with(cls, "do_run", _wrap_run)

    def __init__(self, fn=None, /, *args, caller=None, name=None, **kwargs):
        """Makes a service on caller, by default that of this thread; it does nothing until it is started."""
        super().__init__(caller=Caller.current() if caller is None else caller, name=name)
        if fn is not None:
            self.set_func(fn, *args, **kwargs)

    @staticmethod
    def new(caller=None, name=None, fn=None, /, *args, **kwargs):
        """Makes a service."""
        return Service(fn, *args, caller=caller, name=name, **kwargs)

    def set_func(self, fn, /, *args, **kwargs):
        """Says what it does, once, and before it is started."""
        if not callable(fn):
            raise TypeError(f"a callable is needed, not {type(fn).__name__}")
        _checked(Raw.set_func, self, _call)
        self._call = (fn, args, kwargs)

    def _take_context(self):
        context, self._context = self._context, None
        return contextvars.copy_context() if context is None else context

    def start(self):
        """Begins what it does, once.  Returns the Pending ``started``."""
        hosting.ensure_running()
        if not self._begun:
            self._context = contextvars.copy_context()
        started = scopes.inside(Raw.start, self)
        if started is self.started:
            self._begun = True
        return started

    def stop(self):
        """Tells it to stop.  Returns the Pending ``stopped``."""
        return Raw.stop(self)

    def ready(self):
        """By what it does: it has started.  Returns whether that was news."""
        return Raw.ready(self)

    @property
    def started(self):
        """A pending that resolves when it has started."""
        return Raw.get_started(self)

    @property
    def stopping(self):
        """A pending that resolves when it is told to stop."""
        return Raw.get_stopping(self)

    @property
    def stopped(self):
        """A pending that is done when it has ended, with what its function returned or raised."""
        return Raw.get_stopped(self)

    @property
    def caller(self):
        """The caller that runs it."""
        return Raw.get_caller(self)

    @property
    def name(self):
        """Its name, or None."""
        return Raw.get_name(self)

    def __await__(self):
        if not self._begun and not self.stopping.done():
            raise RuntimeError(errors.translate(errors.N_("The service was not started: call start() before")))
        return self.stopped.__await__()

    # --- the block

    def _enter(self):
        _checked(Raw.enter, self)
        return self.started

    def _begin_block(self):
        scope = self._scope = scopes.CancelScope()
        scope.__enter__()
        self._watch = table.add_done_callback(self.stopped, lambda stopped: scope.cancel(), at_once=True)
        return self

    def _end_block(self, kind, exception, traceback):
        """Whether the exception of the block is only that the service has ended."""
        scope, self._scope = self._scope, None
        raw.Pending.remove_done_callback(self.stopped, self._watch)
        return scope.__exit__(kind, exception, traceback)

    async def __aenter__(self):
        started = self._enter()
        try:
            await started
        except BaseException:
            await self.stop().wait(shield=True, result=False)
            raise
        return self._begin_block()

    async def __aexit__(self, kind, exception, traceback):
        swallowed = self._end_block(kind, exception, traceback)
        await self.stop().wait(shield=True, result=exception is None or swallowed)
        return swallowed

    def __enter__(self):
        if contexts.local.stepping or contexts.running_loop() is not None:
            raise errors.would_block("with", "async with")
        started = self._enter()
        try:
            started.result()
        except BaseException:
            _block(self.stop())
            raise
        return self._begin_block()

    def __exit__(self, kind, exception, traceback):
        swallowed = self._end_block(kind, exception, traceback)
        stopped = self.stop()
        _block(stopped)
        if exception is None or swallowed:
            stopped.result()
        return swallowed

    def __bool__(self):
        return True

    def __repr__(self):
        state = "stopped" if self.stopped.done() else "stopping" if self.stopping.done() else \
            "running" if self.started.done() else "starting" if self._begun else "new"
        return f"<{type(self).__name__} {self.name + ' ' if self.name else ''}{state} at {id(self):#x}>"


def _block(stopped):
    """Blocks until it has ended, whatever the scope around says."""
    context = contextvars.copy_context()
    context.run(scopes.forget)
    context.run(functools.partial(waiting.block, stopped, what="the end of a service", instead="async with"))
