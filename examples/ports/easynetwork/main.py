# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program of EasyNetwork, ported: blocking functions on a thread, from asyncio.

usage: main.py FOLDER      with files 1 to 5 in it

What it was is in original.py.txt.  Lines of code: 47 there, 46 here.
"""

import asyncio
import contextvars
import sys
import threading
from pathlib import Path

from asyncexec import Closed, ThreadPool

user = contextvars.ContextVar("user", default="nobody")


def size(name):
    """Blocks."""
    return len(Path(sys.argv[1], name).read_bytes())


def hold(started, gate):
    """Blocks, and cannot be told to stop."""
    started.set()
    gate.wait()
    return "held"


async def main():
    async with ThreadPool(1) as executor:
        # One call, and what it raises.
        print("run:", await executor.submit(size, "1"))
        try:
            await executor.submit(size, "missing")
        except FileNotFoundError:
            print("run: no such file")

        # The function sees the context variables of its caller.
        user.set("ann")
        print("user:", await executor.submit(user.get))

        # All at once, results in the order of the arguments.
        print("map:", *[result async for result in executor.map(size, "12345")])

        # A future for whoever wants one.
        future = executor.as_concurrent().submit(size, "2")
        print("future:", await asyncio.wrap_future(future))

        # One that runs is waited for although its waiter is cancelled, one that is queued is dropped with its
        # waiter, and one by the shutdown.
        started, gate = threading.Event(), threading.Event()
        running = asyncio.create_task(executor.submit(hold, started, gate).wait(queued_only=True))
        queued = asyncio.create_task(executor.submit(size, "3").wait(queued_only=True))
        dropped = executor.submit(size, "4")
        await asyncio.to_thread(started.wait)
        running.cancel()
        queued.cancel()
        await asyncio.wait([queued])
        print("queued:", "cancelled" if queued.cancelled() else "done")
        executor.shutdown(cancel_pending=True)
        gate.set()
        print("running:", await running)
        try:
            await dropped
        except Closed:
            print("dropped: cancelled")

    # After the end.
    try:
        await executor.submit(size, "5")
    except Closed:
        print("closed")


asyncio.run(main())
