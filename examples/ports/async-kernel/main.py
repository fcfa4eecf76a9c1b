# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program of async-kernel, ported: reads files on threads.

usage: main.py FOLDER      with files 1 to 5 in it

What it was is in original.py.txt.  Lines of code: 53 there, 52 here.
"""

import asyncio
import sys
from pathlib import Path

from asyncexec import Cancelled, Caller, GroupError, Pending, PendingGroup, as_completed, sleep


def size(name):
    """Blocks, and so is for a thread."""
    return len(Path(sys.argv[1], name).read_bytes())


async def save(number, saved):
    """Never two of them at the same time, although it awaits."""
    print("saving", number)
    await sleep(0.001)
    saved.resolve(number)


async def watch():
    """Busy until it is told to stop."""
    await sleep(3600)


async def main():
    async with Caller.current() as caller:
        reader, writer = caller.child("reader"), caller.child("writer")
        print("children:", *sorted(child.name for child in caller.children))
        print("on a child:", await reader.call_soon(size, "1"))

        # As they complete, at most two at the same time.
        jobs = (caller.to_thread(size, name) for name in "12345")
        total = 0
        async for job in as_completed(jobs, max_concurrent=2):
            total += job.result()
        print("total:", total)

        # Strictly one after the other.
        saved = [Pending() for _ in range(3)]
        for number, pending in enumerate(saved):
            caller.queue_call(save, number, pending)
        done, unfinished = await caller.wait(saved)
        caller.queue_close(save)
        print("saved:", len(done), "of", len(done | unfinished), "open" if caller.queue_get(save) else "closed")

        # A member that fails ends the others, and the block.
        try:
            async with PendingGroup():
                caller.to_thread(size, "missing")
                await sleep(3600)
        except GroupError as failed:
            print("failed:", len(failed.exceptions))

        # A member that is cancelled: ends the innermost group quietly, makes the middle one say so; the outermost ignores it.
        async with PendingGroup(mode=0) as outermost:
            try:
                async with PendingGroup(mode=1) as middle:
                    async with PendingGroup(mode=2) as innermost:
                        caller.call_soon(watch).cancel("changed my mind")
                        await sleep(3600)
            except Cancelled:
                print("middle: says so")
            last = caller.to_thread(size, "5")
        groups = (outermost, middle, innermost)
        print("groups:", last.result(), *("cancelled" if group.cancelled() else "ended" for group in groups))

        # Stopped while it is busy: what runs is cancelled, what comes later is refused.
        busy = writer.call_soon(watch)
        writer.stop()
        await writer.stopped
        late = writer.call_soon(watch)
        print("cancelled:", sum(job.cancelled() for job in (busy, late)), "of 2")
    print("stopped:", sum(each.stopped.done() for each in (reader, writer, caller)), "of 3")


asyncio.run(main())
