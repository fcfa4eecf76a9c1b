# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running: a whole program, a coroutine, a signal handler."""

import contextlib
import functools
import signal

from gi.repository import Gio, GLib

from . import context as contexts
from . import jobs, raw, table, waiting
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


@contextlib.contextmanager
def _quits(host, pending):
    """A host ends when pending is done; one that would end by itself without a window does not before."""
    held = isinstance(host, Gio.Application)
    if held:
        host.hold()

    def end(pending):
        nonlocal held
        if held:
            held = False
            host.release()
        host.quit()

    watch = table.add_done_callback(pending, end)
    try:
        yield
    finally:
        raw.Pending.remove_done_callback(pending, watch)
        if held:
            host.release()


def _context_of_host(host):
    if isinstance(host, type) or not (callable(getattr(host, "run", None)) and callable(getattr(host, "quit", None))):
        raise TypeError("a host is a GLib.MainLoop, a Gio.Application, or what has run() and quit() as they have, not "
                        f"{type(host).__name__}")
    get_context = getattr(host, "get_context", None)
    return get_context() if callable(get_context) else GLib.MainContext.default()


@contextlib.contextmanager
def _default_for_thread(context):
    """context is that of this thread."""
    pushed = contexts.own_context() != context
    if pushed:
        context.push_thread_default()
    try:
        yield
    finally:
        if pushed:
            context.pop_thread_default()


def _cancel_here(context, pending):
    """Nobody runs the context any more: we do, until what is cancelled has ended."""
    pending.cancel("the host has ended")
    if context.acquire():
        try:
            waiting.iterate(context, pending)
        finally:
            context.release()


def run_hosted(host, fn, /, *args, **kwargs):
    """Runs a function or coroutine function while host runs this thread; returns its result, and ends host.

    host: a GLib.MainLoop, a Gio.Application or Gtk.Application, or what has
    run(), quit() and perhaps get_context() as these have.  It is adopted: only
    it runs its loop.  When it ends before fn has, fn is cancelled and that is a
    RuntimeError.  Ctrl-C cancels fn, and then raises KeyboardInterrupt.
    """
    context = _context_of_host(host)
    if contexts.local.running or contexts.local.stepping or contexts.running_loop() is not None:
        raise RuntimeError("this thread has a host already, or a loop that runs: use await")
    with _default_for_thread(context):
        contexts.local.running = True
        try:
            pending = jobs.submit(raw.Caller.ref_for_context(context), fn, args, kwargs)
            with _interrupted_by_sigint(pending):
                try:
                    with _quits(host, pending):
                        host.run()
                finally:
                    ended_early = not pending.done()
                    if ended_early:
                        _cancel_here(context, pending)
            if ended_early:
                raise RuntimeError("the host ended before the function that it was to run: quit it when that is done")
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
