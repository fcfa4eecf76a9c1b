# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running: a whole program, a coroutine, a signal handler."""

import contextlib
import functools
import signal

from gi.repository import GLib

from . import context as contexts
from . import jobs, raw, waiting
from .caller import Caller
from .pending import Pending


@contextlib.contextmanager
def _thread_context():
    """The main context of this thread, acquired; one for the meantime if it has none."""
    context = contexts.own_context()
    made = context is None
    if made:
        context = GLib.MainContext.new()
        context.push_thread_default()
    try:
        if not context.acquire():
            raise RuntimeError("another thread runs the main context of this one")
        try:
            yield context
        finally:
            context.release()
    finally:
        if made:
            context.pop_thread_default()


@contextlib.contextmanager
def _interrupted_by_sigint(pending):
    """The first Ctrl-C cancels pending, and is raised when that is done; the second is raised at once."""
    if not contexts.is_main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    interrupted = False

    def handle(number, frame):
        nonlocal interrupted
        if interrupted:
            raise KeyboardInterrupt
        interrupted = True
        pending.cancel("interrupted")

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        # A handler that was installed meanwhile stays.
        if signal.getsignal(signal.SIGINT) is handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if interrupted:
            raise KeyboardInterrupt


def run(fn, /, *args, **kwargs):
    """Runs a function or coroutine function on this thread's caller until it is done; returns its result.

    Ctrl-C cancels it, and then raises KeyboardInterrupt.
    """
    if contexts.local.running or contexts.local.stepping or contexts.running_loop() is not None:
        raise RuntimeError("AsyncExec.run() can not be nested, nor called inside a running loop: use await")
    with _thread_context() as context:
        contexts.local.running = True
        try:
            pending = jobs.submit(raw.Caller.ref_current(), fn, args, kwargs)
            with _interrupted_by_sigint(pending):
                waiting.iterate(context, pending)
            return pending.peek()
        finally:
            contexts.local.running = False


def spawn(fn, /, *args, **kwargs):
    """Starts a function or coroutine function on the caller of this thread; returns its Pending."""
    return Caller.current().submit(fn, *args, **kwargs)


def handler(fn):
    """Makes a coroutine function, or method, a signal handler: each emission starts one; exceptions are reported."""
    @functools.wraps(fn)
    def start(*args, **kwargs):
        spawn(fn, *args, **kwargs)

    return start


def sleep(seconds):
    """A pending that resolves after so many seconds."""
    return Pending.sleep(seconds)
