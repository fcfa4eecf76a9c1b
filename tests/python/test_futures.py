# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bridges to concurrent.futures and to the futures of asyncio, both ways (fact 6)."""

import asyncio
import concurrent.futures
import contextvars
import threading
import unittest

from gi.repository import AsyncExec

import aextest

Pending = AsyncExec.Pending


class WithPool(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=2)
        self.addCleanup(lambda: self.pool.shutdown().result())


class PendingToConcurrent(WithPool):
    def test_value_without_a_loop(self):
        future = self.pool.submit(pow, 2, 5).as_concurrent()
        self.assertIsInstance(future, concurrent.futures.Future)
        self.assertEqual(future.result(), 32)
        self.assertFalse(future.running())

    def test_exception_is_the_same_object(self):
        error = KeyError("x")

        def fail():
            raise error

        self.assertIs(self.pool.submit(fail).as_concurrent().exception(), error)

    def test_done_already(self):
        self.assertEqual(Pending.resolved([1]).as_concurrent().result(0), [1])
        self.assertTrue(Pending.resolved(1).as_concurrent().done())

    def test_cancel_of_the_future_cancels_the_pending(self):
        pending = Pending()
        future = pending.as_concurrent()
        called = []
        future.add_done_callback(called.append)
        self.assertTrue(future.cancel())
        self.assertTrue(pending.cancelled())
        self.assertTrue(future.cancelled())
        self.assertEqual(called, [future])
        self.assertTrue(future.cancel())
        with self.assertRaises(concurrent.futures.CancelledError):
            future.result()

    def test_cancel_of_the_pending_cancels_the_future(self):
        pending = Pending()
        future = pending.as_concurrent()
        pending.cancel()
        self.assertTrue(future.cancelled())
        self.assertEqual(concurrent.futures.wait([future]).done, {future})

    def test_cancel_of_a_running_job_is_told_at_once(self):
        gate = aextest.Gate()
        pending = self.pool.submit(gate.hold)
        future = pending.as_concurrent()
        gate.wait()
        self.assertTrue(future.running())
        self.assertTrue(future.cancel())
        self.assertTrue(future.cancelled())
        self.assertFalse(pending.done())
        gate.open()

    def test_cancel_comes_too_late(self):
        future = Pending.resolved(1).as_concurrent()
        self.assertFalse(future.cancel())
        self.assertEqual(future.result(), 1)

    def test_wait_and_as_completed(self):
        gate = aextest.Gate()
        slow, quick = self.pool.submit(gate.hold, "slow"), self.pool.submit(str, "quick")
        futures = [slow.as_concurrent(), quick.as_concurrent()]
        done, left = concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_COMPLETED)
        self.assertEqual((done, left), ({futures[1]}, {futures[0]}))
        gate.open()
        self.assertEqual(sorted(f.result() for f in concurrent.futures.as_completed(futures)), ["quick", "slow"])


class ExecutorToConcurrent(WithPool):
    def test_fact6_is_what_asyncio_demands(self):
        executor = self.pool.as_concurrent()
        self.assertIsInstance(executor, concurrent.futures.ThreadPoolExecutor)
        self.assertIsInstance(executor.submit(int), concurrent.futures.Future)

    def test_fact6_run_in_executor(self):
        async def main():
            loop = asyncio.get_running_loop()
            with self.assertRaises(ZeroDivisionError):
                await loop.run_in_executor(self.pool.as_concurrent(), divmod, 1, 0)
            return await loop.run_in_executor(self.pool.as_concurrent(), threading.get_ident)

        self.assertNotEqual(asyncio.run(main()), threading.get_ident())

    def test_fact6_default_executor_of_a_loop(self):
        variable = contextvars.ContextVar("variable")
        executor = self.pool.as_concurrent()

        async def main():
            asyncio.get_running_loop().set_default_executor(executor)
            variable.set("seen")
            return await asyncio.to_thread(variable.get)

        self.assertEqual(asyncio.run(main()), "seen")
        # asyncio.run() shut the view down, not the pool.
        with self.assertRaisesRegex(RuntimeError, "after shutdown"):
            executor.submit(int)
        self.assertEqual(self.pool.submit(int).result(), 0)

    def test_cancelled_task_cancels_the_job(self):
        gate = aextest.Gate()
        seen = []

        def job():
            seen.append(AsyncExec.current_pending())
            gate.hold()

        async def main():
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self.pool.as_concurrent(), job)
            await asyncio.to_thread(gate.wait)
            future.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await future
            # It hears of it through call_soon().
            await asyncio.sleep(0)
            self.assertTrue(seen[0].cancelled())
            gate.open()

        asyncio.run(main())
        seen.clear()

    def test_map(self):
        self.assertEqual(list(self.pool.as_concurrent().map(pow, [2, 3], [3, 2])), [8, 9])

    def test_shutdown_waits(self):
        gate = aextest.Gate()
        executor = self.pool.as_concurrent()
        future = executor.submit(gate.hold, 7)
        gate.wait()
        executor.shutdown(wait=False)
        self.assertFalse(future.done())
        gate.open()
        executor.shutdown()
        self.assertTrue(future.done())

    def test_shutdown_cancels_what_has_not_started(self):
        gates = [aextest.Gate(), aextest.Gate()]
        with self.pool.as_concurrent() as executor:
            running = [executor.submit(gate.hold) for gate in gates]
            for gate in gates:
                gate.wait()
            queued = executor.submit(int)
            executor.shutdown(wait=False, cancel_futures=True)
            self.assertTrue(queued.cancelled())
            self.assertFalse(any(future.cancelled() for future in running))
            for gate in gates:
                gate.open()

    def test_closed_pool_refuses(self):
        pool = AsyncExec.ThreadPool(max_workers=1)
        pool.shutdown().result()
        with self.assertRaisesRegex(RuntimeError, "after shutdown") as caught:
            pool.as_concurrent().submit(int)
        self.assertIsInstance(caught.exception.__cause__, AsyncExec.Closed)


class PendingToAsyncio(WithPool):
    def test_value_and_exception(self):
        async def main():
            future = self.pool.submit(pow, 2, 5).as_future()
            self.assertIsInstance(future, asyncio.Future)
            self.assertEqual(await future, 32)
            with self.assertRaises(ValueError):
                await self.pool.submit(int, "x").as_future()

        asyncio.run(main())

    def test_cancel_of_the_asyncio_future_cancels_the_pending(self):
        async def main():
            pending = Pending()
            future = pending.as_future()
            future.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await future
            # It was told through call_soon(), before this.
            await asyncio.sleep(0)
            self.assertTrue(pending.cancelled())

        asyncio.run(main())

    def test_cancel_of_the_pending_is_ours(self):
        async def main():
            pending = Pending()
            future = pending.as_future()
            pending.cancel("no more")
            with self.assertRaisesRegex(AsyncExec.Cancelled, "no more"):
                await future

        asyncio.run(main())

    def test_loop_is_closed_meanwhile(self):
        pending = Pending()

        async def main():
            pending.as_future()

        asyncio.run(main())
        self.assertTrue(pending.resolve(1))

    def test_needs_a_loop(self):
        with self.assertRaises(RuntimeError):
            Pending.resolved(1).as_future()

    def test_fact6_task_group(self):
        async def main():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.pool.submit(pow, 2, n).as_coroutine()) for n in range(3)]
            return [task.result() for task in tasks]

        self.assertEqual(asyncio.run(main()), [1, 2, 4])


class FromFuture(WithPool):
    def test_concurrent(self):
        with concurrent.futures.ThreadPoolExecutor() as executor:
            self.assertEqual(Pending.from_future(executor.submit(pow, 2, 5)).result(), 32)
            self.assertIsInstance(Pending.from_future(executor.submit(int, "x")).exception(), ValueError)

    def test_concurrent_cancel_both_ways(self):
        future = concurrent.futures.Future()
        pending = Pending.from_future(future)
        pending.cancel()
        self.assertTrue(future.cancelled())
        future = concurrent.futures.Future()
        pending = Pending.from_future(future)
        future.cancel()
        self.assertTrue(pending.done() and pending.cancelled())

    def test_round_trip_keeps_the_exception(self):
        error = KeyError("x")
        self.assertIs(Pending.from_future(Pending.rejected(error).as_concurrent()).exception(), error)

    def test_asyncio(self):
        async def answer():
            await asyncio.sleep(0)
            return 42

        async def fail():
            raise LookupError("x")

        async def main():
            self.assertEqual(await Pending.from_future(asyncio.ensure_future(answer())), 42)
            with self.assertRaises(LookupError):
                await Pending.from_future(asyncio.ensure_future(fail()))

        asyncio.run(main())

    def test_asyncio_cancel_of_the_pending(self):
        cleaned = []

        async def endless():
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await asyncio.sleep(0)
                cleaned.append(True)

        async def main():
            task = asyncio.ensure_future(endless())
            pending = Pending.from_future(task)
            await asyncio.sleep(0)
            pending.cancel()
            self.assertTrue(pending.cancelled())
            self.assertFalse(pending.done())
            with self.assertRaises(AsyncExec.Cancelled):
                await pending
            # It is done when the task has cleaned up.
            self.assertEqual(cleaned, [True])
            self.assertTrue(task.cancelled())

        asyncio.run(main())

    def test_asyncio_cancel_of_the_task(self):
        async def main():
            future = asyncio.get_running_loop().create_future()
            pending = Pending.from_future(future)
            future.cancel()
            with self.assertRaises(AsyncExec.Cancelled):
                await pending

        asyncio.run(main())

    def test_asyncio_from_another_thread(self):
        async def main():
            future = asyncio.get_running_loop().create_future()
            pending = await asyncio.to_thread(Pending.from_future, future)
            future.set_result("there")
            self.assertEqual(await asyncio.to_thread(pending.result), "there")
            future = asyncio.get_running_loop().create_future()
            pending = await asyncio.to_thread(Pending.from_future, future)
            await asyncio.to_thread(pending.cancel)
            with self.assertRaises(asyncio.CancelledError):
                await future

        asyncio.run(main())

    def test_of_something_else(self):
        with self.assertRaisesRegex(TypeError, "not int"):
            Pending.from_future(1)


if __name__ == "__main__":
    unittest.main()
