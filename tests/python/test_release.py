# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a callback or a job was given is let go of in time, on its owner's thread, without the garbage collector."""

import asyncio
import gc
import threading
import unittest
import weakref

import aextest
from gi.repository import AsyncExec


class Thing:
    """Something that tells where it went."""

    def __init__(self, gone):
        self.gone = gone

    def __del__(self):
        self.gone.append(threading.current_thread())


class Release(unittest.TestCase):
    def setUp(self):
        gc.disable()
        self.addCleanup(gc.enable)
        self.pool = AsyncExec.ThreadPool(2)
        self.addCleanup(self.shut_down)

    def shut_down(self):
        self.pool.shutdown().result()
        self.pool = None

    def test_R6_done_callback(self):
        gone, called = [], []
        pending = AsyncExec.Pending()
        pending.add_done_callback(lambda pending, thing: called.append(type(thing)), Thing(gone))
        pending.resolve(1)
        aextest.iterate_until(lambda: gone)
        self.assertEqual(called, [Thing])
        self.assertEqual(gone, [threading.main_thread()])
        self.assertEqual(pending.result(), 1)

    def test_R6_removed_done_callback(self):
        gone = []
        thing = Thing(gone)
        pending = AsyncExec.Pending()

        def callback(pending, thing=thing):
            self.fail("removed")

        first = pending.add_done_callback(callback)
        pending.add_done_callback(callback)
        self.assertEqual(pending.remove_done_callback(first), 1)
        self.assertEqual(pending.remove_done_callback(first), 0)
        self.assertEqual(pending.remove_done_callback(callback), 1)
        self.assertEqual(pending.remove_done_callback(callback), 0)
        del callback, thing
        aextest.iterate_until(lambda: gone)
        pending.cancel()

    def test_R6_abandoned_pending(self):
        gone = []
        pending = AsyncExec.Pending()
        pending.add_done_callback(lambda pending, thing: self.fail("never done"), Thing(gone))
        del pending
        gc.collect()
        aextest.iterate_until(lambda: gone)
        self.assertEqual(gone, [threading.main_thread()])

    def test_R6_asyncio_callback(self):
        gone = []

        async def main():
            released = asyncio.Event()
            pending = self.pool.submit(pow, 2, 2)
            thing = Thing(gone)
            weakref.finalize(thing, released.set)
            pending.add_done_callback(lambda pending, thing: None, thing)
            del thing
            self.assertEqual(await pending, 4)
            await released.wait()
            return pending

        self.assertEqual(asyncio.run(main()).result(), 4)
        self.assertEqual(gone, [threading.main_thread()])

    def test_fact7_arguments_die_on_the_owner(self):
        gone = []
        pending = self.pool.submit(lambda thing: type(thing), Thing(gone))
        self.assertIs(pending.result(), Thing)
        aextest.iterate_until(lambda: gone)
        self.assertEqual(gone, [threading.main_thread()])

    def test_fact7_arguments_of_a_job_that_never_ran(self):
        gone = []
        gate = aextest.Gate()
        holders = [self.pool.submit(gate.hold) for _ in range(2)]
        pending = self.pool.submit(lambda thing: None, Thing(gone))
        pending.cancel()
        gate.open()
        for holder in holders:
            holder.result()
        aextest.iterate_until(lambda: gone)
        self.assertEqual(gone, [threading.main_thread()])


class Asyncio(unittest.TestCase):
    def test_fact4_main_context_works_after_the_loop(self):
        pool = AsyncExec.ThreadPool(1)

        async def main():
            return await pool.submit(pow, 2, 3)

        for _ in range(2):
            self.assertEqual(asyncio.run(main()), 8)
            self.assertEqual(pool.submit(pow, 3, 3).result(), 27)
            called = []
            pool.submit(pow, 3, 2).add_done_callback(lambda pending: called.append(pending.peek()))
            aextest.iterate_until(lambda called=called: called)
            self.assertEqual(called, [9])
        pool.shutdown().result()

    def test_exit_after_iterating_is_silent(self):
        done = aextest.run_script("""
            print(AsyncExec.ThreadPool(1).submit(pow, 2, 3).result())
        """)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "8\n", ""))
