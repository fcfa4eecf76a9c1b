# SPDX-License-Identifier: LGPL-2.1-or-later
"""Executors, waits and several callers as one, row by row, where the other files have no test of a row."""

import asyncio
import concurrent.futures
import contextvars
import os
import threading
import time
import unittest

from gi.repository import AsyncExec, Gio, GLib

import aextest

Caller = AsyncExec.Caller


class Work(unittest.TestCase):
    def thread(self):
        caller = Caller.new_thread()
        self.addCleanup(lambda: caller.stop(force=True).result())
        return caller

    def test_S1_info(self):
        pool = AsyncExec.ThreadPool(1, name="workers", record_times=True)
        job = pool.options(name="job").submit(threading.get_ident)
        job.result()
        info = job.dup_info()
        self.assertEqual((info.get_name(), info.get_executor_name(), info.get_state()),
                         ("job", "workers", AsyncExec.PendingState.RESOLVED))

    def test_S2_result_of_an_item(self):
        pool = AsyncExec.ThreadPool(1)
        stream = pool.map(int, ["1", "x"], return_exceptions=True)
        first, second = stream.next_sync(), stream.next_sync()
        self.assertEqual((first.get_index(), first.get_success(), first.peek_value()), (0, True, 1))
        self.assertEqual((second.get_index(), second.get_success()), (1, False))
        self.assertIsInstance(stream.exception_of(second), ValueError)
        self.assertIsNone(stream.next_sync())

    def test_S3_what_is_awaited_is_a_pending(self):
        async def main():
            file = Gio.File.new_for_path(__file__)
            info = await AsyncExec.Pending.from_gio(file.query_info_async, "standard::size", Gio.FileQueryInfoFlags.NONE, 0)
            done, _ = await AsyncExec.wait([AsyncExec.sleep(0).as_coroutine(), AsyncExec.Pending.resolved(1)])
            return info.get_size() > 0, all(isinstance(each, AsyncExec.Pending) for each in done)

        self.assertEqual(AsyncExec.run(main), (True, True))

    def test_S5_S12_run(self):
        async def add(a, b):
            await AsyncExec.sleep(0.001)
            return a + b

        async def fail():
            raise ValueError("Test exception")

        pool = AsyncExec.CallerPool(2)
        for executor in self.thread(), pool:
            self.assertEqual(executor.run(add, 5, 7), 12)
            with self.assertRaisesRegex(ValueError, "Test exception"):
                executor.run(fail)
            self.assertEqual(aextest.with_own_context(executor.run, add, 1, 1), 2)
        pool.shutdown().result()

    def test_S5_parallel(self):
        barrier = threading.Barrier(5)
        pool = AsyncExec.ThreadPool(5)
        jobs = [pool.submit(barrier.wait) for _ in range(5)]
        # None would end without the others.
        self.assertEqual(sorted(job.result() for job in jobs), [0, 1, 2, 3, 4])

    def test_S5_P24_nested_own_loop(self):
        caller = self.thread()

        def nested():
            return caller.run(int)

        with self.assertRaises(AsyncExec.WouldDeadlock):
            caller.submit(nested).result()

    def test_S6_runs_where_it_was_given(self):
        async def where():
            return threading.get_ident()

        async def main(executor):
            return await executor.submit(where)

        caller = self.thread()
        thread = caller.submit(threading.get_ident).result()
        self.assertEqual(asyncio.run(main(caller)), thread)
        self.assertNotEqual(thread, threading.get_ident())

    def test_S7_wait_blocks_nothing(self):
        gate = aextest.Gate()
        pool = AsyncExec.ThreadPool(1)

        async def main():
            job = pool.submit(gate.hold, 5)
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0)
            self.assertFalse(waiting.done())
            gate.open()
            return await waiting

        self.assertEqual(asyncio.run(main()), 5)

    def test_S11_shutdown_of_nothing(self):
        class Inline(AsyncExec.Executor):
            def do_dispatch(self, job):
                job.run()

        executor = Inline()
        executor.shutdown().result()
        executor.shutdown().result()
        self.assertTrue(executor.submit(int).cancelled())

    def test_S13_P24_stopping_completes_everything(self):
        async def for_ever():
            running.set()
            await AsyncExec.sleep(3600)

        running = threading.Event()
        caller = Caller.new_thread()
        busy, queued = caller.submit(for_ever), None
        running.wait()
        gate = aextest.Gate()
        caller.submit(gate.hold)
        gate.wait()
        queued = caller.submit(int)
        stopped = caller.stop()
        self.assertIs(caller.stop(), stopped)
        self.assertFalse(stopped.done())
        gate.open()
        stopped.result()
        self.assertEqual((busy.cancelled(), queued.cancelled(), caller.submit(int).cancelled()), (True, True, True))
        with self.assertRaises(AsyncExec.Closed):
            queued.result()

    def test_S13_P9_from_its_own_thread(self):
        caller = Caller.new_thread()
        job = caller.submit(lambda: caller.stop().done())
        caller.stopped.result()
        self.assertTrue(job.cancelled())

    def test_P23_own_thread_is_not_joined(self):
        pool = AsyncExec.CallerPool(1)
        self.assertFalse(pool.submit(lambda: pool.shutdown().done()).result())
        pool.shutdown().result()

    def test_P24_one_cancelled_item(self):
        def item(number):
            if number == 1:
                raise AsyncExec.Cancelled("one of them")
            return number

        pool = AsyncExec.CallerPool(2)
        results = pool.map(item, range(4), return_exceptions=True)
        self.assertEqual([each for each in results if not isinstance(each, Exception)], [0, 2, 3])
        pool.shutdown().result()
        self.assertEqual(pool.loads, [0, 0])


class Waits(unittest.TestCase):
    def setUp(self):
        self.gate = aextest.Gate()
        self.pool = AsyncExec.ThreadPool(1)
        self.running = self.pool.submit(self.gate.hold, "held")
        self.gate.wait()
        self.addCleanup(self.gate.open)

    def test_E9_who_runs_this(self):
        caller = Caller.new_thread()
        self.assertEqual((caller.runs_here(), caller.submit(caller.runs_here).result()), (False, True))
        self.assertTrue(Caller.get_main().runs_here())
        caller.stop().result()

    def test_E10_P18_P20_running_prevails(self):
        async def main():
            waiter = asyncio.create_task(self.running.wait(queued_only=True))
            await asyncio.sleep(0)
            for _ in range(3):
                waiter.cancel()
                await asyncio.sleep(0)
            self.assertFalse(waiter.done())
            self.gate.open()
            return await waiter

        self.assertEqual(asyncio.run(main()), "held")
        self.assertFalse(self.running.cancelled())

    def test_E10_P18_queued_is_cancelled(self):
        async def main(queued):
            waiter = asyncio.create_task(queued.wait(queued_only=True))
            await asyncio.sleep(0)
            waiter.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiter

        queued = self.pool.submit(int)
        asyncio.run(main(queued))
        self.assertEqual((queued.done(), queued.cancelled()), (True, True))

    def test_E10_in_a_scope(self):
        async def main(gate, running):
            scope = AsyncExec.move_on_after(0.001)

            def open_when_over():
                if scope.cancel_called:
                    gate.open()
                else:
                    Caller.current().call_later(0.001, open_when_over)

            open_when_over()
            with scope:
                value = await running.wait(queued_only=True)
            return value, scope.cancelled_caught

        for run in AsyncExec.run, lambda fn: asyncio.run(fn()):
            with AsyncExec.ThreadPool(1) as pool:
                gate = aextest.Gate()
                running = pool.submit(gate.hold, "held")
                gate.wait()
                self.assertEqual(run(lambda gate=gate, running=running: main(gate, running)), ("held", False))

    def test_E10_done_failed_and_timed_out(self):
        async def main():
            with self.assertRaises(TimeoutError):
                await self.running.wait(0.001, queued_only=True)
            queued = self.pool.submit(int, "x")
            with self.assertRaises(TimeoutError):
                await queued.wait(0.001, queued_only=True)
            # A time-out cancels nothing.
            self.assertFalse(queued.cancelled())
            self.gate.open()
            with self.assertRaises(ValueError):
                await queued.wait(queued_only=True)
            return await self.running.wait(queued_only=True), await self.running.wait(queued_only=True, result=False)

        self.assertEqual(asyncio.run(main()), ("held", None))

    def test_E10_P20_future_of_another_executor(self):
        async def main(future):
            waiter = asyncio.create_task(AsyncExec.Pending.from_future(future).wait(queued_only=True))
            await asyncio.sleep(0)
            waiter.cancel()
            await asyncio.sleep(0)
            gate.open()
            return (await asyncio.gather(waiter, return_exceptions=True))[0]

        gate = aextest.Gate()
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            running = executor.submit(gate.hold, "held")
            gate.wait()
            queued = executor.submit(int)
            blocked, gate = gate, aextest.Gate()
            self.assertIsInstance(asyncio.run(main(queued)), asyncio.CancelledError)
            self.assertTrue(queued.cancelled())
            gate = blocked
            self.assertEqual(asyncio.run(main(running)), "held")

    def test_E10_cancelled_by_others(self):
        async def main(queued):
            waiter = asyncio.create_task(queued.wait(queued_only=True))
            await asyncio.sleep(0)
            self.pool.shutdown(cancel_pending=True)
            with self.assertRaises(AsyncExec.Closed):
                await waiter

        asyncio.run(main(self.pool.submit(int)))

    def test_E11_from_threads(self):
        def ask(caller):
            return caller.run(threading.get_ident)

        async def main():
            caller = Caller.current()
            return await asyncio.to_thread(ask, caller)

        self.assertEqual(asyncio.run(main()), threading.get_ident())
        caller = Caller.new_thread()
        with self.assertRaises(AsyncExec.WouldDeadlock):
            caller.submit(ask, caller).result()
        caller.stop().result()

    def test_E12_P20_giving_up_leaves_it_running(self):
        with self.assertRaises(TimeoutError):
            self.running.result(timeout=0.001)

        async def main():
            waiter = asyncio.create_task(self.running.wait(protect=True))
            await asyncio.sleep(0)
            waiter.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiter

        asyncio.run(main())
        self.assertFalse(self.running.cancelled())
        self.gate.open()
        self.assertEqual(self.running.result(), "held")

    def test_E2_P20_a_worker_has_no_loop(self):
        """What finds the running loop finds none on a thread, whatever the submitter had."""
        variable = contextvars.ContextVar("variable", default=0)

        def look():
            variable.set(2)
            try:
                return asyncio.get_running_loop()
            except RuntimeError:
                return None

        async def main():
            variable.set(1)
            found = await self.pool.submit(look)
            return found, variable.get()

        self.gate.open()
        self.assertEqual(asyncio.run(main()), (None, 1))

    def test_E1_P20_foreign_future(self):
        future = asyncio.run(self.wrapped())
        self.assertEqual(future, 5)

    async def wrapped(self):
        future = asyncio.get_running_loop().create_future()
        pending = AsyncExec.Pending.from_future(future)
        waiter = asyncio.create_task(pending.wait(protect=True))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        self.assertFalse(future.cancelled())
        future.set_result(5)
        return await pending


class Cost(unittest.TestCase):
    def test_P14_no_descriptors(self):
        before = len(os.listdir("/proc/self/fd"))
        pendings = [AsyncExec.Pending() for _ in range(100)]
        callbacks = [pending.add_done_callback(print) for pending in pendings]
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        for pending, callback in zip(pendings, callbacks):
            pending.remove_done_callback(callback)

    def test_P23_nothing_polls(self):
        """A wait costs no processor time."""
        gate = AsyncExec.Pending()
        timer = threading.Timer(0.2, gate.resolve)
        timer.start()
        begin = time.thread_time()
        gate.result()
        self.assertLess(time.thread_time() - begin, 0.1)
        timer.join()


if __name__ == "__main__":
    unittest.main()
