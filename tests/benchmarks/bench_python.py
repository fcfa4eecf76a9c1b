#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Python pays, beside what it pays for its own: rows P1 and P2, the costs of single calls, and asyncio in row B9.

usage: bench_python.py [--quick] [--json] [--reps=N] [ROW ...]

Peers run in turns within each repetition, so that whatever else the machine
does happens to both.  A line per row and peer, like bench.c's.
"""

import argparse
import asyncio
import gc
import json
import resource
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import gi

gi.require_version("AsyncExec", "1")
from gi.repository import AsyncExec  # noqa: E402

WORKERS = 2


def nothing():
    return None


def number():
    return 7


def strings():
    return ["a", "list"]


class Ours:
    """The pool of this library."""

    name = "asyncexec"

    def __init__(self):
        self.pool = AsyncExec.ThreadPool(WORKERS)

    def submit_all(self, fn, n):
        return [pending.result() for pending in [self.pool.submit(fn) for _ in range(n)]]

    def round_trips(self, fn, n):
        submit = self.pool.submit
        return [submit(fn).result() for _ in range(n)]

    def posts(self, fn, n):
        done = []
        pool = AsyncExec.ThreadPool(WORKERS)
        for _ in range(n):
            pool.post(done.append, None)
        pool.shutdown().result()
        return done

    async def awaits(self, fn, n):
        submit = self.pool.submit
        return [await submit(fn) for _ in range(n)]

    async def gathers(self, fn, n):
        return await asyncio.gather(*[self.pool.submit(fn) for _ in range(n)])

    def close(self):
        self.pool.shutdown().result()


class Theirs:
    """concurrent.futures and asyncio."""

    name = "ThreadPoolExecutor"

    def __init__(self):
        self.pool = ThreadPoolExecutor(WORKERS)

    def submit_all(self, fn, n):
        return [future.result() for future in [self.pool.submit(fn) for _ in range(n)]]

    def round_trips(self, fn, n):
        submit = self.pool.submit
        return [submit(fn).result() for _ in range(n)]

    def posts(self, fn, n):
        done = []
        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in range(n):
                pool.submit(done.append, None)
        return done

    async def awaits(self, fn, n):
        loop = asyncio.get_running_loop()
        return [await loop.run_in_executor(self.pool, fn) for _ in range(n)]

    async def gathers(self, fn, n):
        loop = asyncio.get_running_loop()
        return await asyncio.gather(*[loop.run_in_executor(self.pool, fn) for _ in range(n)])

    def close(self):
        self.pool.shutdown()


class SingleCalls:
    """Costs of one call, without a peer."""

    name = "asyncexec"

    def __init__(self):
        self.pool = AsyncExec.ThreadPool(1)

    def wrapper(self, n):
        new = AsyncExec.Pending
        for _ in range(n):
            new()

    def resolve_read(self, n):
        new = AsyncExec.Pending
        for _ in range(n):
            pending = new()
            pending.resolve(5)
            pending.peek()

    def map_item(self, n):
        """Everything for one item of a map: Python called from a worker, its value given to C, read by the stream."""
        list(self.pool.map(nothing_of, range(n)))


def nothing_of(item):
    return None


class Tasks:
    """asyncio: operations that are cancelled together."""

    name = "asyncio"

    async def cancel(self, n):
        """Nanoseconds of wall and CPU time for all, and of wall time for the call to cancel of each."""
        cpu, wall = time.process_time_ns(), time.perf_counter_ns()
        tasks = [asyncio.create_task(wait_forever()) for _ in range(n)]
        await asyncio.sleep(0)
        cancel = time.perf_counter_ns()
        for task in tasks:
            task.cancel()
        cancel = time.perf_counter_ns() - cancel
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        if not all(isinstance(end, asyncio.CancelledError) for end in ended):
            raise SystemExit("B9 asyncio: not all were cancelled")
        return wall, cpu, cancel


async def wait_forever():
    await asyncio.get_running_loop().create_future()


def measured(run, *arguments):
    """(nanoseconds of wall time, of CPU time, what it returned) of a call."""
    gc.collect()
    cpu = time.process_time_ns()
    wall = time.perf_counter_ns()
    result = run(*arguments)
    if asyncio.iscoroutine(result):
        result = asyncio.run(result)
    wall = time.perf_counter_ns() - wall
    return wall, time.process_time_ns() - cpu, result


def checked(row, peer, expected, run, *arguments):
    """The same, of a call that must give these results: what loses work would be fast."""
    wall, cpu, results = measured(run, *arguments)
    if results != expected:
        raise SystemExit(f"{row} {peer}: {len(results)} results, {len(expected)} expected, or wrong ones")
    return wall, cpu


ROWS = [
    ("P1", "submit_all", number, 20_000),
    ("P1-none", "submit_all", nothing, 20_000),
    ("P1-list", "submit_all", strings, 20_000),
    ("P1-post", "posts", nothing, 20_000),
    ("P2", "round_trips", number, 3_000),
    ("P2-await", "awaits", number, 3_000),
    ("P2-gather", "gathers", number, 10_000),
]

SINGLE = [("wrapper", "wrapper", 50_000), ("resolve-read", "resolve_read", 50_000), ("map-item", "map_item", 50_000)]


def report(row, peer, n, samples, as_json, **extras):
    walls = [wall / n for wall, _ in samples]
    fields = {"row": row, "peer": peer, "n": n, "reps": len(samples),
              "median_ns": round(statistics.median(walls), 1), "min_ns": round(min(walls), 1),
              "max_ns": round(max(walls), 1),
              "cpu_ns": round(statistics.median(cpu / n for _, cpu in samples), 1),
              "rss_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, **extras}
    print(json.dumps(fields) if as_json else " ".join(f"{key}={value}" for key, value in fields.items()), flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("rows", nargs="*")
    options = parser.parse_args()
    share, reps = 10 if options.quick else 1, options.reps
    peers = [Ours(), Theirs()]
    for row, method, fn, n in ROWS:
        if options.rows and row not in options.rows:
            continue
        n //= share
        samples = {peer.name: [] for peer in peers}
        for peer in peers:
            checked(row, peer.name, [fn()] * (n // 10), getattr(peer, method), fn, n // 10)
        for rep in range(reps):
            for peer in peers if rep % 2 == 0 else reversed(peers):
                samples[peer.name].append(checked(row, peer.name, [fn()] * n, getattr(peer, method), fn, n))
        for name, taken in samples.items():
            report(row, name, n, taken, options.json)
    if not options.rows or "B9" in options.rows:
        n = 100_000 // share
        samples = [asyncio.run(Tasks().cancel(n)) for _ in range(reps)]
        report("B9", Tasks.name, n, [sample[:2] for sample in samples], options.json,
               cancel_ns=round(statistics.median(sample[2] / n for sample in samples), 1))
    single = SingleCalls()
    for row, method, n in SINGLE:
        if options.rows and row not in options.rows:
            continue
        n //= share
        report(row, single.name, n, [measured(getattr(single, method), n)[:2] for _ in range(reps)], options.json)
    for peer in peers:
        peer.close()


if __name__ == "__main__":
    main()
