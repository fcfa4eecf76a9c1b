# SPDX-License-Identifier: LGPL-2.1-or-later
"""A storm of jobs under forced garbage collection: nothing is lost, and all is released on its owner."""

import asyncio
import gc
import random
import threading
import unittest

import aextest
from gi.repository import AsyncExec

BATCH = 250
COLLECT_EVERY = 100


class Token:
    """Given to every job and callback: counts where it ends."""

    def __init__(self, storm):
        self.storm = storm

    def __del__(self):
        self.storm.released(threading.get_ident())


class Oops(Exception):
    """What jobs raise: knows whose it is."""


class Storm:
    """Jobs of every kind, and what became of them."""

    def __init__(self, pool):
        self.pool = pool
        self.owner = threading.get_ident()
        self.n_tokens = self.n_released = self.n_strangers = 0
        self.ran = [0] * aextest.scale(100_000)
        self.lost = []
        self.on_start = None

    def released(self, thread):
        self.n_released += 1
        if thread != self.owner:
            self.n_strangers += 1

    def token(self):
        self.n_tokens += 1
        return Token(self)

    def job(self, number, token):
        """Fails at every third; some make garbage that only the collector finds."""
        # Not kept by the traceback of what is raised.
        del token
        self.ran[number] += 1
        if number % 7 == 0:
            cycle = []
            cycle.append(cycle)
        if number % 3 == 0:
            raise Oops(number)
        return [number]

    def check(self, number, pending):
        """The outcome of a pending that is done."""
        try:
            value = pending.peek()
        except Oops as error:
            good = number % 3 == 0 and error.args == (number,) and error.__traceback__ is not None
        except AsyncExec.Cancelled:
            good = number % 5 == 0
        else:
            good = number % 3 != 0 and value == [number]
        if not good:
            self.lost.append(number)

    def start(self, number, watch):
        """One job: dropped, cancelled, or kept and checked."""
        if self.on_start is not None:
            self.on_start(number)
        pending = self.pool.submit(self.job, number, self.token())
        if number % 5 == 0:
            pending.cancel()
        if number % 11 == 0:
            pending.catch(lambda error: None)
            return None
        watch(number, pending)
        return pending


class Collector:
    """Collects garbage on a thread of its own, while the storm goes on: what is in a cycle is released there.

    Once for every so many jobs, not as often as it can: how much else the storm gets to do would depend on the machine.
    """

    def __init__(self, storm):
        self.storm = storm
        self.due = threading.Semaphore(0)
        self.stopping = False
        self.thread = threading.Thread(target=self.collect)

    def __enter__(self):
        self.storm.on_start = self.count
        self.thread.start()

    def count(self, number):
        if number % COLLECT_EVERY == 0:
            self.due.release()

    def collect(self):
        while self.due.acquire() and not self.stopping:
            gc.collect()

    def __exit__(self, *exc_info):
        self.storm.on_start = None
        self.stopping = True
        self.due.release()
        self.thread.join()


def batches(n):
    """Ranges of BATCH; garbage is collected by the owner after each."""
    for first in range(0, n, BATCH):
        yield range(first, min(first + BATCH, n))
        gc.collect()


def say_figure(storm):
    """Both storms are of the same size."""
    print(f"# figure: python-storm jobs={2 * len(storm.ran)} lost={len(storm.lost)}", flush=True)


class Storms(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(4)
        self.storm = Storm(self.pool)
        self.cancels = False    # tasks, which cancel jobs
        self.addCleanup(self.shut_down)

    def shut_down(self):
        self.pool.shutdown().result()
        self.pool = self.storm = None

    def assert_calm(self, with_collector):
        storm = self.storm
        gc.collect()
        aextest.iterate_until(lambda: storm.n_released == storm.n_tokens)
        self.assertEqual(storm.lost, [])
        self.assertTrue(all(n <= 1 for n in storm.ran))
        if not self.cancels:
            self.assertTrue(all(n == 1 for number, n in enumerate(storm.ran) if number % 5))
        if not with_collector:
            self.assertEqual(storm.n_strangers, 0)

    def run_both(self, storm_once):
        """With garbage collected by the owner alone, then by another thread all the time."""
        storm_once()
        self.assert_calm(False)
        self.storm = Storm(self.pool)
        with Collector(self.storm):
            storm_once()
        self.assert_calm(True)

    def callbacks(self):
        storm, done, watched = self.storm, [], []

        def finished(pending, number, token):
            storm.check(number, pending)
            done.append(number)

        def watch(number, pending):
            watched.append(number)
            pending.add_done_callback(finished, number, storm.token())

        for batch in batches(len(storm.ran)):
            for number in batch:
                storm.start(number, watch)
            aextest.iterate_until(lambda: len(done) + BATCH >= len(watched))
        aextest.iterate_until(lambda: len(done) == len(watched))
        self.assertEqual(sorted(done), watched)

    def test_X16_R6_R7_callbacks(self):
        """Done callbacks on the main context, which is iterated now and then."""
        self.run_both(self.callbacks)
        say_figure(self.storm)

    def tasks(self):
        storm = self.storm

        async def follow(number, pending):
            try:
                await pending
            except (Oops, AsyncExec.Cancelled):
                pass
            except asyncio.CancelledError:
                await pending.wait(result=False, protect=True)
                number = 0 if pending.cancelled() else number
            storm.check(number, pending)

        async def main():
            for batch in batches(len(storm.ran)):
                tasks = []
                for number in batch:
                    storm.start(number, lambda number, pending: tasks.append(asyncio.ensure_future(follow(number, pending))))
                await asyncio.sleep(0)
                for task in random.sample(tasks, len(tasks) // 10):
                    task.cancel()
                await asyncio.gather(*tasks)

        asyncio.run(main())

    def test_X16_R10_asyncio(self):
        """Awaited by tasks of asyncio, some of which are cancelled."""
        self.cancels = True
        self.run_both(self.tasks)
        say_figure(self.storm)

    def coroutines(self):
        storm = self.storm

        async def follow(number):
            pending = storm.start(number, lambda number, pending: None)
            if pending is None:
                return
            try:
                await pending
            except (Oops, AsyncExec.Cancelled):
                pass
            storm.check(number, pending)

        async def main():
            for batch in batches(len(storm.ran)):
                await AsyncExec.Pending.all([AsyncExec.spawn(follow, number) for number in batch])

        AsyncExec.run(main)

    def test_X16_R8_coroutines(self):
        """Coroutines of ours, on the caller of this thread, that wait for jobs of the pool."""
        self.run_both(self.coroutines)
        say_figure(self.storm)
