# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program of async_executors, ported: coroutines for code that is not asynchronous.

usage: main.py FOLDER      with files 1 to 5 in it

What it was is in original.py.txt.  Lines of code: 45 there, 42 here.
"""

import sys
from pathlib import Path

from asyncexec import Caller, CallerPool, Executor, run, sleep


async def size(name):
    """Waits for a while, and tells how long a file is."""
    await sleep(0.001)
    return len(Path(sys.argv[1], name).read_bytes())


async def sizes(names):
    """One after the other."""
    for name in names:
        yield await size(name)


async def watch():
    """Takes too long."""
    await sleep(3600)


def show(executor):
    # One coroutine, and what it raises.
    print("run:", executor.run(size, "1"))
    try:
        executor.run(size, "missing")
    except FileNotFoundError:
        print("run: no such file")

    # Several of them, each with a result to ask for.
    pendings = [executor.submit(size, name) for name in "12345"]
    print("submit:", *(pending.result() for pending in pendings))

    # At most two at the same time, as they complete, each in its time.
    tasks = [size("1"), size("missing"), watch(), size("4")]
    results = list(executor.run_multiple(tasks, max_workers=2, timeout=0.5))
    print("values:", *sorted(value for value, error in results if error is None))
    print("errors:", sum(error is not None for value, error in results))

    # An asynchronous iterator in a loop that is not.
    print("iterator:", *executor.wrap_async_iterable(sizes("345")))


async def wait(executor):
    """The same for code that is asynchronous."""
    print("await:", await executor.submit(size, "2"))
    total = 0
    async for value, error in executor.run_multiple([size(name) for name in "12345"]):
        total += value
    print("total:", total)


def main():
    # A thread with a loop.
    with Caller.new_thread() as executor:
        show(executor)

    # Three of them.
    with CallerPool(3) as pool:
        print("pool:", pool.n_callers)
        run(wait, pool)

    # The one that everybody uses, and others in its place.
    print("default:", Executor.get_default().run(size, "3"))
    with CallerPool(3) as pool:
        Executor.set_default(pool)
        print("default:", Executor.get_default().run(size, "4"))
        Executor.set_default(None)


main()
