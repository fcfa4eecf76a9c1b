# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which main context a thread has, and how Python waits in one so that Ctrl-C gets through."""

import asyncio
import atexit
import contextlib
import signal
import socket
import sys
import threading

from gi.repository import GLib

_get_thread_default = GLib.MainContext.get_thread_default


class _Local(threading.local):
    """What a thread of Python knows about itself."""

    stepping = 0      # how many coroutines of ours are inside a step
    running = False   # inside AsyncExec.run()
    guest = None      # the loop that runs a job of a backend here, and that job; see guests.py


local = _Local()


def is_main_thread():
    """Whether this is the thread that gets signals."""
    return threading.current_thread() is threading.main_thread()


def own_context():
    """The main context of this thread, or None when it has none."""
    context = _get_thread_default()
    if context is None and is_main_thread():
        context = GLib.MainContext.default()
    return context


def running_loop():
    """The asyncio loop that runs in this thread, or None."""
    return asyncio._get_running_loop()


class _SignalSource(GLib.Source):
    """Wakes a context when a signal arrived, so that Python gets to run its handler."""

    def __init__(self):
        super().__init__()
        self.reader, self.writer = socket.socketpair()
        self.reader.setblocking(False)
        self.writer.setblocking(False)
        self.tag = self.add_unix_fd(self.reader.fileno(), GLib.IOCondition.IN)

    def prepare(self):
        return False, -1

    def check(self):
        return bool(self.query_unix_fd(self.tag) & GLib.IOCondition.IN)

    def dispatch(self, callback, args):
        try:
            while self.reader.recv(4096):
                pass
        except BlockingIOError:
            pass
        return GLib.SOURCE_CONTINUE

    def close(self):
        """Ends it."""
        self.destroy()
        self.reader.close()
        self.writer.close()


_default_source = None   # of the default context: made once, only the main thread uses it


def _signal_source(context):
    """The source for a context, and whether it is to be destroyed after use."""
    global _default_source
    if context != GLib.MainContext.default():
        source = _SignalSource()
        source.attach(context)
        return source, True
    if _default_source is None:
        _default_source = _SignalSource()
        _default_source.attach(context)
        # PyGObject complains of sources that the end of the interpreter frees.
        atexit.register(_close_default_source)
    return _default_source, False


def _close_default_source():
    global _default_source
    source, _default_source = _default_source, None
    try:
        source.close()
    except KeyboardInterrupt:
        # Nobody is left to hear of it but Python's complaint.
        source.close()


class _Interrupt:
    """The handler of SIGINT while a context is iterated.  Python runs handlers anywhere, also in a function that C
    called, where an exception is printed and gone: what the program's own handler raises is kept for whoever iterates."""

    def __init__(self):
        self.raised = None
        self.before = signal.getsignal(signal.SIGINT)
        if callable(self.before):
            signal.signal(signal.SIGINT, self)

    def __call__(self, number, frame):
        try:
            self.before(number, frame)
        except BaseException as exception:
            # The second time it is what runs here that is to end: at once.
            if self.raised is not None:
                raise
            self.raised = exception

    def check(self):
        """Raises what the program's handler has raised."""
        raised, self.raised = self.raised, None
        if raised is not None:
            raise raised

    def restore(self):
        """The program's handler is back, unless it has set another one meanwhile."""
        if signal.getsignal(signal.SIGINT) is self:
            signal.signal(signal.SIGINT, self.before)


@contextlib.contextmanager
def interruptible(context):
    """While it is entered, on the main thread, a signal ends a sleep in context.  Gives a function to call after each
    iteration: it raises KeyboardInterrupt."""
    if not is_main_thread():
        yield lambda: None
        return
    source, temporary = _signal_source(context)
    old = signal.set_wakeup_fd(source.writer.fileno(), warn_on_full_buffer=False)
    interrupt = _Interrupt()
    try:
        yield interrupt.check
    finally:
        interrupt.restore()
        signal.set_wakeup_fd(old)
        if temporary:
            source.close()
    interrupt.check()


def check_trio():
    """A pending can not be awaited in trio: says what to do there."""
    trio = sys.modules.get("trio")
    if trio is None:
        return
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return
    raise RuntimeError("trio can not await an AsyncExec.Pending: "
                       "use await trio.to_thread.run_sync(pending.result)")
