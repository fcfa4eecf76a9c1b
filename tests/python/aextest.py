# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the Python tests share.  No test sleeps or polls: it waits for an event."""

import contextlib
import os
import subprocess
import sys
import textwrap
import threading

from gi.repository import GLib


def group_of(path):
    """test_pending.py: "pending"."""
    return os.path.splitext(os.path.basename(path))[0].removeprefix("test_")


def time_factor():
    """How much longer than on a quick machine something may take."""
    return float(os.environ.get("AEX_TEST_TIME_FACTOR", "2"))


def scale(n):
    """The full count n, reduced for quick runs."""
    full = os.environ.get("AEX_TEST_TIER") in ("full", "nightly")
    factor = float(os.environ.get("AEX_TEST_SCALE") or (1.0 if full else 0.1))
    return max(1, int(n * factor))


class Gate:
    """A job that waits here runs until somebody opens it: pool.submit(gate.hold)."""

    def __init__(self):
        self.started, self.release = threading.Event(), threading.Event()

    def hold(self, value=None):
        self.started.set()
        self.release.wait()
        return value

    def wait(self):
        """Until somebody holds."""
        self.started.wait()

    def open(self):
        self.release.set()


def iterate_until(condition, context=None):
    """Runs the main context, the default one unless told, until condition() is true."""
    context = context or GLib.MainContext.default()
    while not condition():
        context.iteration(True)


def in_thread(function, *args):
    """Runs it to its end on a thread that has nothing of its own; gives what it
    returned, raises what it raised."""
    outcome = []

    def body():
        try:
            outcome.extend((function(*args), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    value, error = outcome
    if error is not None:
        raise error
    return value


def with_own_context(function, *args):
    """Like in_thread(), with a main context of its own, pushed as thread-default."""
    def body():
        context = GLib.MainContext.new()
        context.push_thread_default()
        try:
            return function(*args)
        finally:
            context.pop_thread_default()

    return in_thread(body)


@contextlib.contextmanager
def strays():
    """Exceptions that reach only sys.excepthook and the like: they are in the list,
    not printed, and do not fail the test."""
    seen = []
    before = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, value, trace: seen.append(value)
    sys.unraisablehook = lambda args: seen.append(args.exc_value)
    try:
        yield seen
    finally:
        sys.excepthook, sys.unraisablehook = before


def run_script(text, *args, env=None, override=True, **options):
    """Runs a program of its own: gives it, ended, with stdout and stderr.  It
    starts with the import of AsyncExec; without override=True it has only the typelib."""
    environment = {**os.environ, **(env or {})}
    if not override:
        environment.pop("PYTHONPATH", None)
    head = "import gi\ngi.require_version('AsyncExec', '1')\nfrom gi.repository import AsyncExec, GLib, Gio, GObject\n"
    return subprocess.run([sys.executable, "-X", "faulthandler", "-c", head + textwrap.dedent(text), *args],
                          env=environment, stdin=subprocess.DEVNULL, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=30 * time_factor(), **options)
