# SPDX-License-Identifier: LGPL-2.1-or-later
"""Exceptions: what they are called, and how they travel through C and back."""

import _thread
import asyncio
import concurrent.futures
import functools
import logging
import queue
import sys
import traceback
import weakref

from gi.repository import Gio, GLib, GObject

from . import raw

MODULE = "gi.repository.AsyncExec"
DOMAIN = GLib.quark_to_string(raw.Error.quark())
IO_DOMAIN = GLib.quark_to_string(Gio.io_error_quark())

TIMED_OUT = (Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT)

logger = logging.getLogger("asyncexec")


@functools.cache
def _bind_catalogues():
    """With its first message the library says where its catalogues are."""
    raw.Pending.new_resolved(None).dup_status_text()


def translate(text):
    """A message of the library in the language of the user."""
    _bind_catalogues()
    return GLib.dgettext("asyncexec-1", text)


def N_(text):
    """Marks a message that is translated when it is used."""
    return text


class _FromError(GLib.Error):
    """A GError of one kind.  ``message``, ``domain`` and ``code`` are set; it can be raised with a message alone."""

    default = (DOMAIN, int(raw.Error.FAILED), N_("Failed"))

    def __init__(self, message=None, domain=None, code=None):
        own_domain, own_code, own_message = self.default
        super().__init__(translate(own_message) if message is None else message,
                         own_domain if domain is None else domain,
                         own_code if code is None else code)

    def __str__(self):
        return self.message

    def __repr__(self):
        return f"{type(self).__name__}({self.message!r})"


class Cancelled(_FromError, concurrent.futures.CancelledError):
    """A pending was cancelled by somebody.  An Exception; never asyncio's, which is for the task that awaits."""

    __module__ = MODULE
    default = (IO_DOMAIN, int(Gio.IOErrorEnum.CANCELLED), N_("The operation was cancelled"))


class Timeout(_FromError, TimeoutError):
    """A wait, or a job, was not done in time."""

    __module__ = MODULE
    default = (IO_DOMAIN, int(Gio.IOErrorEnum.TIMED_OUT), N_("The pending was not done in time"))


class NotDone(_FromError, asyncio.InvalidStateError):
    """The outcome was asked for before it was there."""

    __module__ = MODULE
    default = (DOMAIN, int(raw.Error.NOT_DONE), N_("The pending is not done"))


class WouldDeadlock(_FromError):
    """A wait that could never end."""

    __module__ = MODULE
    default = (DOMAIN, int(raw.Error.WOULD_DEADLOCK), N_("The wait could never end"))


class Closed(_FromError):
    """The executor takes no work any more, or was stopped before the job started."""

    __module__ = MODULE
    default = (DOMAIN, int(raw.Error.CLOSED), N_("The executor is closed"))


class Busy(_FromError, queue.Full):
    """Too many jobs are queued."""

    __module__ = MODULE
    default = (DOMAIN, int(raw.Error.BUSY), N_("Too many jobs are queued"))


class WorkerDied(_FromError, concurrent.futures.BrokenExecutor):
    """A worker process died during a call: ``exit_status`` or ``signal`` says how."""

    __module__ = MODULE
    default = (DOMAIN, int(raw.Error.WORKER_DIED), N_("A worker died"))
    exit_status = None
    signal = None


class StoppedEarly(_FromError, RuntimeError):
    """A service ended before it was told to stop."""

    __module__ = MODULE
    default = (DOMAIN, int(raw.Error.STOPPED_EARLY), N_("The service ended before it was told to stop"))


def _fill_group(self, message, domain, code):
    self.message = message
    self.domain = domain
    self.code = code


if sys.version_info >= (3, 11):
    class GroupError(ExceptionGroup, GLib.Error):
        """Several pendings failed: ``exceptions`` are theirs; ``except*`` sorts them."""

        __module__ = MODULE

        # ExceptionGroup.message is read-only and GLib.Error.__init__ writes it: only the rest is set.
        def __new__(cls, message, exceptions, domain=DOMAIN, code=int(raw.Error.GROUP)):
            self = super().__new__(cls, message, exceptions)
            self.domain = domain
            self.code = code
            return self

        def __init__(self, *args, **kwargs):
            pass

        def derive(self, excs):
            """A group of the same kind with other exceptions, as ``except*`` needs it."""
            return GroupError(self.message, excs, self.domain, self.code)

        def __str__(self):
            return ExceptionGroup.__str__(self)
else:
    class GroupError(GLib.Error):
        """Several pendings failed: ``exceptions`` are theirs."""

        __module__ = MODULE

        def __init__(self, message, exceptions, domain=DOMAIN, code=int(raw.Error.GROUP)):
            super().__init__(message, domain, code)
            self.exceptions = tuple(exceptions)

        def derive(self, excs):
            """A group of the same kind with other exceptions."""
            return GroupError(self.message, excs, self.domain, self.code)


_BY_CODE = {kind.default[:2]: kind for kind in (Cancelled, Timeout, NotDone, WouldDeadlock, Closed, Busy, WorkerDied,
                                                  StoppedEarly)}


def from_error(error):
    """The exception for an error that C reported: of the class for its code, or the GLib.Error as it is."""
    kind = _BY_CODE.get((error.domain, error.code))
    if kind is not None:
        return error if isinstance(error, kind) else kind(error.message, error.domain, error.code)
    return error


def to_error(exception):
    """The GLib.Error that stands for an exception in C."""
    if isinstance(exception, GLib.Error):
        return GLib.Error(exception.message, exception.domain, exception.code)
    name = type(exception).__name__
    text = str(exception)
    message = f"{name}: {text}" if text else name
    return GLib.Error.new_literal(raw.Error.quark(), clean(message), raw.Error.EXCEPTION)


def clean(text):
    """Text that fits into a C string."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _clear_frames(exception):
    """What has run by now keeps nothing; frames that still run stay as they are.  Those of what it was raised from, or
    while that was handled, are cleared as well: they know the same callers.

    From Python 3.13 on the frame of a coroutine that raised knows who stepped it, and that one its callers: among them
    who waited for the pending.  Earlier, to clear a frame that is suspended would close its generator."""
    known, chain = {id(exception)}, [exception]
    for one in chain:
        traceback.clear_frames(one.__traceback__)
        for other in (one.__cause__, one.__context__):
            if other is not None and id(other) not in known:
                known.add(id(other))
                chain.append(other)
    if sys.version_info < (3, 13):
        return
    seen = set()
    for frame in (frame for one in chain for frame, _ in traceback.walk_tb(one.__traceback__)):
        while frame is not None and frame not in seen:
            seen.add(frame)
            try:
                frame.clear()
            except RuntimeError:
                pass
            frame = frame.f_back


class _Raised:
    """The exception of an outcome.  C owns this, the pending that was read first owns the exception: the garbage
    collector does not see through C, and an exception knows the frames in which the pending is a variable."""

    __slots__ = ("exception", "origin", "reader")

    def __init__(self, exception, origin):
        self.exception = exception
        self.origin = hash(origin)
        self.reader = None

    def take(self, pending):
        """The exception, for pending: what reads it first keeps it."""
        reader = self.reader() if self.reader is not None else None
        if reader is not None:
            return reader._raised.exception
        exception, self.exception = self.exception, None
        pending._raised = (_Keeper if hash(pending) == self.origin else _Borrower)(exception, self)
        self.reader = weakref.ref(pending)
        return exception


class _Keeper:
    """Keeps the exception for the pending that was rejected with it: whatever was derived from it has gone before."""

    __slots__ = ("exception", "raised")

    def __init__(self, exception, raised):
        self.exception = exception
        self.raised = raised


class _Borrower(_Keeper):
    """Keeps it for a pending that was derived, and gives it back when that goes."""

    __slots__ = ()

    def __del__(self):
        _clear_frames(self.exception)
        self.raised.reader = None
        self.raised.exception = self.exception


def reject(pending, exception):
    """Sets the outcome of pending: failure with this very exception."""
    payload = GObject.Value(GObject.TYPE_PYOBJECT, _Raised(exception, pending))
    return raw.Pending.reject_with_payload(pending, to_error(exception), payload)


def as_exception(value):
    """What may be given to reject(): an exception, or a class of exceptions."""
    if isinstance(value, type) and issubclass(value, BaseException):
        value = value()
    if not isinstance(value, BaseException):
        raise TypeError(f"an exception is needed, not {type(value).__name__}")
    if isinstance(value, StopIteration):
        return stop_iteration(value)
    return value


def stop_iteration(exception):
    """StopIteration must not escape into generators: RuntimeError from it."""
    error = RuntimeError("job raised StopIteration")
    error.__cause__ = exception
    return error


def outcome_error(pending, error=None):
    """The exception of a pending that failed: the very object if it was one of Python's."""
    if error is None:
        error = raw.Pending.dup_error(pending)
    if error.domain == IO_DOMAIN and error.code == Cancelled.default[1] and raw.Pending.is_cancelled(pending):
        return from_error(error)
    payload = raw.Pending.peek_payload(pending)
    if pending._dispatch_exception is not None:
        return pending._dispatch_exception
    if isinstance(payload, _Raised):
        return payload.take(pending)
    if error.domain == DOMAIN and error.code == int(raw.Error.GROUP) and payload is not None and len(payload):
        return GroupError(error.message, [outcome_error(member) for member in payload], error.domain, error.code)
    return from_error(error)


def report(what, exception):
    """Nobody is there to be told: the log is."""
    logger.error("Unhandled exception in %s", what, exc_info=(type(exception), exception, exception.__traceback__))


def report_callback(fn, exception):
    """A callback failed.  What is to end the program does so in the main thread; the rest is logged."""
    if isinstance(exception, KeyboardInterrupt):
        _thread.interrupt_main()
        return
    report(f"callback {fn!r}", exception)


def would_block(call, instead):
    """The error of a call that would block the loop of its own thread."""
    # Named, so that a translation may turn them round.
    return WouldDeadlock(translate(N_("%(call)s would block the loop of this thread: use %(instead)s"))
                         % {"call": call, "instead": instead})


def no_context(message):
    """The error of a thread that has no main context."""
    return GLib.Error.new_literal(raw.Error.quark(), message, raw.Error.NO_CONTEXT)
