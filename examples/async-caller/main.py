# SPDX-License-Identifier: LGPL-2.1-or-later
"""Coroutines without asyncio: main() runs on the caller of this thread, GLib's main loop, where
timers, D-Bus and widgets live too; what computes runs on threads."""

import sys

import gi

gi.require_version("AsyncExec", "1")
from gi.repository import AsyncExec, Gio, GLib


async def tick(seconds):
    """Something that goes on meanwhile."""
    while True:
        print("tick", flush=True)
        await AsyncExec.sleep(seconds)


def collatz(n):
    """On a thread: how many steps from n to 1."""
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
        if steps % 100 == 0:
            AsyncExec.check_cancelled()
    return steps


async def main():
    ticking = AsyncExec.spawn(tick, 0.01)
    try:
        # A method of GIO, awaited; the file is read by GIO's own threads.
        file = Gio.File.new_for_path(__file__)
        info = await AsyncExec.Pending.from_gio(
            file.query_info_async, "standard::size", Gio.FileQueryInfoFlags.NONE, GLib.PRIORITY_DEFAULT)
        print(f"this file has {info.get_size()} bytes", flush=True)

        numbers = range(1, 2000)
        longest, best = 0, None
        async for n, steps in AsyncExec.Executor.get_default().map(lambda n: (n, collatz(n)), numbers):
            if steps > longest:
                longest, best = steps, n
        print(f"{best} needs {longest} steps", flush=True)
    finally:
        ticking.cancel()


try:
    AsyncExec.run(main)
except KeyboardInterrupt:
    sys.exit(130)
