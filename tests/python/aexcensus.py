# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts what is there, and compares: objects, threads, file descriptors."""

import ctypes
import gc
import os
import signal
import time

from gi.repository import AsyncExec, Gio, GLib

import aextest

# How long something may be on its way out.  Reaching the limit is a failure,
# so that its length costs nothing.
SETTLE_SECONDS = 5

# In the tests' own build of the library, see meson.build.
_library = ctypes.CDLL("libasyncexec-1.so.0")
_counts = hasattr(_library, "aex_test_live_get")
if _counts:
    _library.aex_test_live_get_name.restype = ctypes.c_char_p


def live_objects():
    """{kind: how many} inside the library; without its counters, of Python's
    wrappers only."""
    if not _counts:
        kinds = (AsyncExec.Pending, AsyncExec.PendingStream, AsyncExec.PendingResult)
        n = sum(isinstance(o, kinds) for o in gc.get_objects())
        return {"wrappers": n}
    return {_library.aex_test_live_get_name(kind).decode(): _library.aex_test_live_get(kind)
            for kind in range(_library.aex_test_live_n_kinds())}


def threads():
    names = []
    for entry in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{entry}/comm", encoding="utf-8") as file:
                names.append(file.read().strip())
        except OSError:
            pass  # gone meanwhile
    return names


def fds():
    targets = []
    for entry in os.listdir("/proc/self/fd"):
        try:
            targets.append(f"{entry} {os.readlink(f'/proc/self/fd/{entry}')}")
        except OSError:
            pass  # the folder itself
    return targets


class Census:
    """What is there now."""

    def __init__(self):
        gc.collect()
        self.objects, self.threads, self.fds = live_objects(), threads(), fds()

    def more(self, now, with_process):
        """What `now` has more than this one, in words."""
        found = [f"{self.objects[kind]} {kind}, now {n}" for kind, n in now.objects.items()
                 if n > self.objects[kind]]
        if with_process:
            found += [f"{len(old)} {what}, now {new}" for what, old, new in
                      (("threads", self.threads, now.threads), ("fds", self.fds, now.fds))
                      if len(new) > len(old)]
        return found

    def settle(self, with_process):
        """Waits for what is on its way out; gives what is left.

        This is the only place that looks again and again: the exit of a thread
        and the last unref by it tell nobody.  Nothing is synchronised by it."""
        deadline = time.monotonic() + SETTLE_SECONDS * aextest.time_factor()
        while True:
            drain()
            left = self.more(Census(), with_process)
            if not left or time.monotonic() >= deadline:
                return left
            os.sched_yield()


def drain():
    """Runs what is ready on the default context."""
    context = GLib.MainContext.default()
    while context.iteration(False):
        pass


def at_start():
    """The first census, after that was made what stays for the life of the process."""
    GLib.ThreadPool.set_max_unused_threads(0)
    # A sanitizer starts a thread of its own together with the first other one.
    aextest.in_thread(int)
    # GLib's worker thread; the caller of the default context, and what wakes a blocked main thread for signals.
    GLib.source_remove(GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR2, int))
    AsyncExec.run(int)
    # The thread from which GLib starts those of its pools.
    loop = GLib.MainLoop()
    Gio.File.new_for_path("/").query_info_async("standard::name", 0, 0, None, lambda *args: loop.quit())
    loop.run()
    with AsyncExec.ThreadPool(max_workers=1) as pool:
        pool.submit(int).result()
    del pool
    before = Census()
    before.settle(with_process=True)
    return Census()
