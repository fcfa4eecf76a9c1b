# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plain asyncio, in any thread, without a GLib loop; and asyncio on top of GLib."""

import asyncio
import threading
import unittest

from gi.repository import AsyncExec, GLib

import aextest

Pending = AsyncExec.Pending


class WithPool(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=2)
        self.addCleanup(lambda: self.pool.shutdown().result())


class Await(WithPool):
    def test_fact5_gather(self):
        async def main():
            return await asyncio.gather(self.pool.submit(pow, 2, 3), self.pool.submit(pow, 2, 4))

        self.assertEqual(asyncio.run(main()), [8, 16])

    def test_fact5_gather_returns_exceptions(self):
        async def main():
            return await asyncio.gather(self.pool.submit(int, "x"), self.pool.submit(int, "1"), return_exceptions=True)

        error, value = asyncio.run(main())
        self.assertIsInstance(error, ValueError)
        self.assertEqual(value, 1)

    def test_fact5_task_group_cancels_the_others(self):
        gate = aextest.Gate()
        pendings = []

        async def wait():
            pendings.append(self.pool.submit(gate.hold))
            await pendings[0]

        async def fail():
            await asyncio.to_thread(gate.wait)
            raise LookupError("x")

        async def main():
            with self.assertRaises(ExceptionGroup) as caught:
                async with asyncio.TaskGroup() as group:
                    group.create_task(wait())
                    group.create_task(fail())
            self.assertIsInstance(caught.exception.exceptions[0], LookupError)
            self.assertTrue(pendings[0].cancelled())

        asyncio.run(main())
        gate.open()

    def test_fact5_timeout(self):
        pending = Pending()

        async def main():
            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await pending

        asyncio.run(main())
        self.assertTrue(pending.cancelled())

    def test_fact5_wait_for(self):
        pending = Pending()

        async def main():
            with self.assertRaises(TimeoutError):
                await asyncio.wait_for(pending.as_coroutine(), 0.001)

        asyncio.run(main())
        self.assertTrue(pending.cancelled())

    def test_fact5_cancel_of_the_task(self):
        gate = aextest.Gate()
        pending = self.pool.submit(gate.hold)
        gate.wait()

        async def main():
            task = asyncio.ensure_future(pending.as_coroutine())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        # The task went on at once, the job is still there.
        self.assertTrue(pending.cancelled())
        self.assertFalse(pending.done())
        gate.open()

    def test_fact5_cancel_of_the_pending(self):
        async def main():
            pending = Pending()
            task = asyncio.ensure_future(pending.as_coroutine())
            await asyncio.sleep(0)
            pending.cancel("no more")
            with self.assertRaisesRegex(AsyncExec.Cancelled, "no more"):
                await task
            self.assertFalse(task.cancelled())

        asyncio.run(main())

    def test_K54_protect(self):
        pending = Pending()

        async def main():
            task = asyncio.ensure_future(pending.wait(protect=True))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        self.assertFalse(pending.cancelled())

    def test_debug_mode(self):
        async def main():
            self.assertTrue(asyncio.get_running_loop().get_debug())
            pending = self.pool.submit(pow, 2, 3)
            called = []
            pending.add_done_callback(called.append)
            return await pending, await asyncio.gather(*(self.pool.submit(abs, -n) for n in range(5)))

        self.assertEqual(asyncio.run(main(), debug=True), (8, [0, 1, 2, 3, 4]))

    def test_loop_in_a_second_thread(self):
        async def main():
            called = asyncio.get_running_loop().create_future()
            pending = self.pool.submit(pow, 2, 3)
            pending.add_done_callback(lambda pending: called.set_result(threading.get_ident()))
            return await pending, await called == threading.get_ident()

        self.assertEqual(aextest.in_thread(asyncio.run, main()), (8, True))

    def test_two_loops_wait_for_one_pending(self):
        pending = Pending()
        started = threading.Barrier(3)

        async def main():
            asyncio.get_running_loop().call_soon(started.wait)
            return await pending

        results = []
        threads = [threading.Thread(target=lambda: results.append(asyncio.run(main()))) for _ in range(2)]
        for thread in threads:
            thread.start()
        started.wait()
        pending.resolve("both")
        for thread in threads:
            thread.join()
        self.assertEqual(results, ["both", "both"])


class Callbacks(WithPool):
    def test_fact4_done_callback_in_the_thread_of_the_loop(self):
        async def main():
            seen = asyncio.get_running_loop().create_future()
            pending = self.pool.submit(pow, 2, 3)
            pending.add_done_callback(lambda pending, more: seen.set_result((threading.get_ident(), pending.peek(), more)),
                                      "more")
            return await seen

        self.assertEqual(asyncio.run(main()), (threading.get_ident(), 8, "more"))

    def test_fact4_messages_come_before_the_done_callback(self):
        def work():
            AsyncExec.report_progress(0.5, "half")
            AsyncExec.publish({"n": 1})
            AsyncExec.publish([2, "two"])

        async def main():
            order = []
            done = asyncio.get_running_loop().create_future()
            gate = aextest.Gate()
            self.pool.submit(gate.hold)
            self.pool.submit(gate.hold)
            pending = self.pool.submit(work)
            pending.subscribe(order.append)
            pending.add_done_callback(lambda pending: done.set_result(None))
            gate.open()
            await done
            self.assertEqual(pending.progress, 0.5)
            self.assertEqual(pending.progress_message, "half")
            return order

        self.assertEqual(asyncio.run(main()), [{"n": 1}, [2, "two"]])

    def test_fact4_notify_of_progress(self):
        async def main():
            told = asyncio.get_running_loop().create_future()
            pending = Pending()
            pending.connect("notify::progress", lambda pending, spec: told.set_result(threading.get_ident()))
            # The caller of this thread is what notifications come through.
            AsyncExec.Caller.current()
            await asyncio.to_thread(pending.set_progress, 0.25)
            return await told

        self.assertEqual(asyncio.run(main()), threading.get_ident())

    def test_fact4_call_later(self):
        async def main():
            return await AsyncExec.Caller.current().call_later(0.001, threading.get_ident)

        self.assertEqual(asyncio.run(main()), threading.get_ident())

    def test_then(self):
        async def main():
            return await self.pool.submit(pow, 2, 3).then(lambda value: value + 1)

        self.assertEqual(asyncio.run(main()), 9)

    def test_streams(self):
        async def main():
            return [value async for value in self.pool.map(abs, [-1, -2, -3])]

        self.assertEqual(asyncio.run(main()), [1, 2, 3])


def new_glib_loop(context):
    """asyncio on the main context: PyGObject's own loop where it has one, else that of gbulb, which such a PyGObject
    does not run any more."""
    try:
        from gi.events import GLibEventLoop
        return GLibEventLoop(context)
    except ImportError:
        from gbulb import GLibEventLoop
        return GLibEventLoop(context=context)


class OnGlib(WithPool):
    def setUp(self):
        super().setUp()
        try:
            self.loop = new_glib_loop(GLib.MainContext.default())
        except ImportError:
            self.skipTest("gbulb is not installed")
        self.addCleanup(self.loop.close)

    def run_in(self, main):
        async def begin():
            return await main()

        return self.loop.run_until_complete(begin())

    def test_await_and_callbacks(self):
        async def main():
            called = self.loop.create_future()
            pending = self.pool.submit(pow, 2, 3)
            pending.add_done_callback(lambda pending: called.set_result(pending.peek()))
            return await pending, await called, await asyncio.gather(self.pool.submit(abs, -1), Pending.sleep(0.001))

        self.assertEqual(self.run_in(main), (8, 8, [1, None]))

    def test_cancel_of_the_task(self):
        pending = Pending()

        async def main():
            task = self.loop.create_task(pending.as_coroutine())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        self.run_in(main)
        self.assertTrue(pending.cancelled())


if __name__ == "__main__":
    unittest.main()
