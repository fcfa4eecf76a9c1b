# SPDX-License-Identifier: LGPL-2.1-or-later
"""fail_after(), move_on_after() and CancelScope: in plain code, in coroutines of ours and in asyncio."""

import asyncio
import threading
import unittest

from gi.repository import AsyncExec

import aextest

Pending = AsyncExec.Pending
CancelScope, fail_after, move_on_after = AsyncExec.CancelScope, AsyncExec.fail_after, AsyncExec.move_on_after


class WithPool(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=2)
        self.addCleanup(lambda: self.pool.shutdown().result())


class Plain(WithPool):
    def test_N1_fail_after(self):
        with self.assertRaises(AsyncExec.Timeout):
            with fail_after(0.01) as scope:
                Pending().result()
        self.assertTrue(scope.cancelled_caught)

    def test_N1_move_on_after(self):
        with move_on_after(0.01) as scope:
            Pending().result()
            self.fail("not reached")
        self.assertTrue(scope.cancelled_caught)
        self.assertTrue(scope.cancel_called)
        AsyncExec.check_cancelled()

    def test_N1_in_time(self):
        with fail_after(60) as scope:
            self.assertEqual(self.pool.submit(pow, 2, 3).result(), 8)
            self.assertGreater(scope.deadline, 0)
        self.assertFalse(scope.cancelled_caught)

    def test_N1_other_exceptions_pass(self):
        with self.assertRaises(KeyError):
            with move_on_after(0):
                raise KeyError("x")
        with self.assertRaises(AsyncExec.Timeout):
            with move_on_after(60) as scope:
                raise AsyncExec.Timeout()
        self.assertFalse(scope.cancelled_caught)

    def test_N2_cancel_from_a_thread(self):
        def body():
            with CancelScope() as scope:
                threading.Thread(target=scope.cancel).start()
                Pending().result()
            return scope.cancelled_caught

        self.assertTrue(body())
        self.assertTrue(aextest.in_thread(body))

    def test_N2_streams_and_run_until_done(self):
        with move_on_after(0.01) as scope:
            for _ in AsyncExec.PendingStream(1):
                self.fail("an item")
        self.assertTrue(scope.cancelled_caught)
        with move_on_after(0.01) as scope:
            Pending().run_until_done()
        self.assertTrue(scope.cancelled_caught)

    def test_N3_nested(self):
        with move_on_after(0.01) as outer:
            with move_on_after(60) as inner:
                self.assertEqual(inner.deadline, outer.deadline)
                Pending().result()
        self.assertFalse(inner.cancelled_caught)
        self.assertTrue(outer.cancelled_caught)

    def test_N4_shield(self):
        with move_on_after(0) as outer:
            with CancelScope(shield=True):
                AsyncExec.check_cancelled()
                self.assertEqual(self.pool.submit(pow, 2, 3).result(), 8)
            AsyncExec.check_cancelled()
            self.fail("not reached")
        self.assertTrue(outer.cancelled_caught)

    def test_N4_shield_in_a_job(self):
        gate = aextest.Gate()

        def job():
            gate.hold()
            with CancelScope(shield=True):
                AsyncExec.check_cancelled()
            AsyncExec.check_cancelled()
            return "not reached"

        pending = self.pool.submit(job)
        gate.wait()
        pending.cancel()
        gate.open()
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()

    def test_N5_entered_once(self):
        scope = CancelScope()
        with scope:
            with self.assertRaises(RuntimeError):
                scope.__enter__()

    def test_N5_cancelled_before(self):
        scope = CancelScope()
        scope.cancel()
        with scope:
            AsyncExec.check_cancelled()
        self.assertTrue(scope.cancelled_caught)

    def test_N6_jobs_end_with_it(self):
        def job():
            while True:
                AsyncExec.check_cancelled()

        with CancelScope() as scope:
            running = self.pool.submit(job)
            stream = self.pool.map(lambda item: Pending().result(), [1])
            scope.cancel()
        self.assertTrue(running.cancelled())
        with self.assertRaises(AsyncExec.Cancelled):
            running.result()
        with self.assertRaises(AsyncExec.Cancelled):
            list(stream)
        with move_on_after(0):
            late = self.pool.submit(job)
        with self.assertRaises(AsyncExec.Timeout):
            late.result()

    def test_N7_left(self):
        gate = aextest.Gate()
        with CancelScope() as scope:
            pending = self.pool.submit(gate.hold, 1)
        scope.cancel()
        gate.open()
        self.assertEqual(pending.result(), 1)


class Coroutine(WithPool):
    def test_N8_await_in_coroutine(self):
        async def main():
            with move_on_after(0.01) as scope:
                await Pending()
            self.assertTrue(scope.cancelled_caught)
            with self.assertRaises(AsyncExec.Timeout):
                with fail_after(0.01):
                    await AsyncExec.sleep(60)
            return await self.pool.submit(pow, 2, 3)

        self.assertEqual(AsyncExec.run(main), 8)
        self.assertEqual(self.pool.submit(main).result(), 8)

    def test_N1_virtual_time(self):
        async def main():
            with move_on_after(3600) as scope:
                await Pending()
            return scope.cancelled_caught

        self.assertTrue(AsyncExec.testing.run(main))

    def test_N8_belongs_to_its_coroutine(self):
        async def patient(other):
            with CancelScope() as scope:
                other.append(scope)
                await AsyncExec.sleep(0.02)
            return scope.cancelled_caught

        async def hurried():
            with move_on_after(0.001) as scope:
                await Pending()
            return scope.cancelled_caught

        async def main():
            return await Pending.all([AsyncExec.spawn(patient, []), AsyncExec.spawn(hurried)])

        self.assertEqual(AsyncExec.run(main), [False, True])

    def test_N2_cancel_in_coroutine(self):
        async def main():
            with CancelScope() as scope:
                AsyncExec.Caller.current().call_soon(scope.cancel)
                await Pending()
            return scope.cancelled_caught

        self.assertTrue(AsyncExec.run(main))

    def test_N4_shield_in_coroutine(self):
        promise, started = Pending(), Pending()

        async def work():
            with CancelScope(shield=True):
                started.resolve()
                value = await promise
            try:
                await Pending()
            except AsyncExec.Cancelled:
                return value

        async def main():
            job = AsyncExec.spawn(work)
            await started
            job.cancel()
            await AsyncExec.sleep(0.001)
            self.assertFalse(job.done())
            promise.resolve(1)
            with self.assertRaises(AsyncExec.Cancelled):
                await job
            return job.done()

        self.assertTrue(AsyncExec.run(main))


class Asyncio(WithPool):
    def test_N8_await_in_asyncio(self):
        async def main():
            pending = Pending()
            with move_on_after(0.01) as scope:
                await pending
            self.assertTrue(scope.cancelled_caught)
            self.assertTrue(pending.cancelled())
            with self.assertRaises(AsyncExec.Timeout):
                with fail_after(0.01):
                    await asyncio.sleep(60)
            self.assertEqual(getattr(asyncio.current_task(), "cancelling", lambda: 0)(), 0)
            with fail_after(60):
                return await self.pool.submit(pow, 2, 3)

        self.assertEqual(asyncio.run(main()), 8)

    def test_N2_cancel_in_asyncio(self):
        async def main():
            with CancelScope() as scope:
                threading.Thread(target=scope.cancel).start()
                await asyncio.Event().wait()
            return scope.cancelled_caught

        self.assertTrue(asyncio.run(main()))

    def test_N8_a_cancelled_task_is_cancelled(self):
        async def wait(scopes):
            with move_on_after(60) as scope:
                scopes.append(scope)
                await asyncio.Event().wait()

        async def main():
            scopes = []
            task = asyncio.create_task(wait(scopes))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertFalse(scopes[0].cancelled_caught)
            # Both at the same time: the task's own counts.
            task = asyncio.create_task(wait(scopes))
            await asyncio.sleep(0)
            scopes[1]._cancel_task()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())

    def test_N3_nested_in_asyncio(self):
        async def main():
            with move_on_after(0.01) as outer:
                with move_on_after(60) as inner:
                    await asyncio.sleep(60)
            return outer.cancelled_caught, inner.cancelled_caught

        self.assertEqual(asyncio.run(main()), (True, False))

    def test_N4_shield_in_asyncio(self):
        async def main():
            reached = False
            with move_on_after(0) as outer:
                with CancelScope(shield=True):
                    await asyncio.sleep(0.01)
                    reached = True
                await asyncio.sleep(60)
            return outer.cancelled_caught, reached

        self.assertEqual(asyncio.run(main()), (True, True))

    def test_N8_belongs_to_its_task(self):
        async def hurried(ended):
            with move_on_after(0.001) as scope:
                await asyncio.Event().wait()
            ended.set()
            return scope.cancelled_caught

        async def patient(ended):
            with move_on_after(60) as scope:
                await ended.wait()
            return scope.cancelled_caught

        async def main():
            ended = asyncio.Event()
            return await asyncio.gather(hurried(ended), patient(ended))

        self.assertEqual(asyncio.run(main()), [True, False])
