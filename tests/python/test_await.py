# SPDX-License-Identifier: LGPL-2.1-or-later
"""Awaiting: under asyncio, and in coroutines that asyncio knows nothing of."""

import asyncio
import contextvars
import threading
import unittest

from gi.repository import AsyncExec, GLib

import aextest

variable = contextvars.ContextVar("variable", default="unset")


class Asyncio(unittest.TestCase):
    def run_async(self, coroutine):
        return asyncio.run(coroutine, debug=True)

    def test_fact5_await(self):
        async def main():
            async with AsyncExec.ThreadPool(1) as pool:
                return await pool.submit(lambda: [1])

        self.assertEqual(self.run_async(main()), [1])

    def test_fact5_exception_is_itself(self):
        failure = KeyError("x")

        async def main():
            pending = AsyncExec.Pending()
            asyncio.get_running_loop().call_soon(pending.reject, failure)
            await pending

        with self.assertRaises(KeyError) as caught:
            self.run_async(main())
        self.assertIs(caught.exception, failure)

    def test_done_does_not_suspend(self):
        async def main():
            seen = []
            asyncio.get_running_loop().call_soon(seen.append, 1)
            await AsyncExec.Pending.resolved()
            return list(seen)

        self.assertEqual(self.run_async(main()), [])

    def test_gather_of_many_waiters(self):
        async def main():
            pending = AsyncExec.Pending()

            async def wait():
                return await pending

            tasks = [asyncio.create_task(wait()) for _ in range(5)]
            asyncio.get_running_loop().call_soon(pending.resolve, 3)
            return await asyncio.gather(*tasks)

        self.assertEqual(self.run_async(main()), [3] * 5)

    def test_exceptions_task_cancelled(self):
        async def main():
            pending = AsyncExec.Pending()

            async def wait():
                await pending

            task = asyncio.create_task(wait())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return pending.cancelled()

        self.assertTrue(self.run_async(main()))

    def test_pending_cancelled_under_a_task(self):
        async def main():
            pending = AsyncExec.Pending()
            asyncio.get_running_loop().call_soon(pending.cancel, "why")
            with self.assertRaises(AsyncExec.Cancelled):
                await pending

        self.run_async(main())

    def test_K54_protect(self):
        async def main():
            pending = AsyncExec.Pending()
            with self.assertRaises(AsyncExec.Timeout):
                await pending.wait(0.001, protect=True)
            self.assertFalse(pending.cancelled())
            task = asyncio.create_task(pending.wait(protect=True))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertFalse(pending.cancelled())
            with self.assertRaises(AsyncExec.Timeout):
                await pending.wait(0.001)
            self.assertTrue(pending.cancelled())

        self.run_async(main())

    def test_K54_shield(self):
        async def main():
            pending, order = AsyncExec.Pending(), []
            task = asyncio.create_task(pending.wait(shield=True))
            task.add_done_callback(lambda t: order.append("task"))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            order.append("resolve")
            pending.resolve(1)
            with self.assertRaises(asyncio.CancelledError):
                await task
            return order

        self.assertEqual(self.run_async(main()), ["resolve", "task"])

    def test_K54_no_result(self):
        async def main():
            self.assertIsNone(await AsyncExec.Pending.rejected(KeyError("x")).wait(result=False))

        self.run_async(main())

    def test_result_would_deadlock(self):
        async def main():
            with self.assertRaises(AsyncExec.WouldDeadlock):
                AsyncExec.Pending().result()
            self.assertEqual(AsyncExec.Pending.resolved(1).result(), 1)

        self.run_async(main())

    def test_fact4_callbacks_without_a_glib_loop(self):
        async def main():
            called = asyncio.Event()
            pending = AsyncExec.Pending()
            pending.add_done_callback(lambda done: called.set())
            pending.resolve()
            await called.wait()
            value = await pending.then(lambda v: threading.current_thread())
            self.assertIs(value, threading.current_thread())

        self.run_async(main())
        aextest.in_thread(self.run_async, main())

    def test_caller_of_a_second_loop(self):
        async def main():
            caller = AsyncExec.Caller.current()
            self.assertIs(caller, AsyncExec.Caller.current())
            first = await caller.submit(threading.get_ident)
            return first == threading.get_ident() == await caller.call_later(0.001, threading.get_ident)

        self.assertTrue(aextest.in_thread(self.run_async, main()))

    def test_two_loops_after_each_other(self):
        async def main():
            seen = asyncio.Event()
            AsyncExec.Caller.current().call_soon(seen.set)
            await seen.wait()

        self.run_async(main())
        self.run_async(main())


class Driven(unittest.TestCase):
    """By ourselves, with no loop of asyncio."""

    def test_run(self):
        async def main(value, more=0):
            await AsyncExec.sleep(0.001)
            return value + more

        self.assertEqual(AsyncExec.run(main, 1, more=2), 3)

    def test_on_a_pool(self):
        async def main():
            first = threading.current_thread()
            await AsyncExec.sleep(0.001)
            return first is not threading.main_thread() is not threading.current_thread()

        with AsyncExec.ThreadPool(2) as pool:
            self.assertTrue(pool.submit(main).result())

    def test_pool_is_free_while_it_waits(self):
        gate = AsyncExec.Pending()

        async def main():
            return await gate

        with AsyncExec.ThreadPool(1) as pool:
            waiting = pool.submit(main)
            self.assertEqual(pool.submit(lambda: 1).result(), 1)
            gate.resolve(2)
            self.assertEqual(waiting.result(), 2)

    def test_K30_current_pending(self):
        async def main():
            inside = id(AsyncExec.current_pending())
            await AsyncExec.sleep(0.001)
            return inside, id(AsyncExec.current_pending())

        with AsyncExec.ThreadPool(1) as pool:
            pending = pool.submit(main)
            self.assertEqual(pending.result(), (id(pending), id(pending)))
            pending = pool.submit(lambda: id(AsyncExec.current_pending()))
            self.assertEqual(pending.result(), id(pending))
        self.assertIsNone(AsyncExec.current_pending())

    def test_K31_cancel(self):
        started, seen = threading.Event(), []

        async def main():
            started.set()
            try:
                await AsyncExec.Pending()
            except AsyncExec.Cancelled as cancelled:
                seen.append(str(cancelled))
                await AsyncExec.sleep(0.001)
                seen.append("cleaned up")
            return "swallowed"

        with AsyncExec.ThreadPool(1) as pool:
            pending = pool.submit(main)
            started.wait()
            pending.cancel("why")
            with self.assertRaises(AsyncExec.Cancelled):
                pending.result()
        self.assertEqual(seen, ["why", "cleaned up"])

    def test_cancel_reaches_what_is_awaited(self):
        inner = AsyncExec.Pending()

        async def main():
            await inner

        pending = AsyncExec.spawn(main)
        AsyncExec.run(lambda: None)
        pending.cancel()
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()
        self.assertTrue(inner.cancelled())

    def test_K23_context_copied(self):
        async def main():
            before = variable.get()
            variable.set("inside")
            await AsyncExec.sleep(0.001)
            return before, variable.get()

        variable.set("outside")
        with AsyncExec.ThreadPool(1) as pool:
            pendings = [pool.submit(main), pool.submit(variable.get)]
            variable.set("later")
            self.assertEqual(pendings[0].result(), ("outside", "inside"))
            self.assertEqual(pendings[1].result(), "outside")
        self.assertEqual(variable.get(), "later")

    def test_foreign_awaitable(self):
        async def main():
            await asyncio.sleep(0)

        with self.assertRaisesRegex(RuntimeError, "from_future"):
            AsyncExec.run(main)

    def test_result_inside_would_deadlock(self):
        async def main():
            with self.assertRaises(AsyncExec.WouldDeadlock):
                AsyncExec.Pending().result()

        AsyncExec.run(main)

    def test_exceptions_stop_iteration(self):
        def stop():
            raise StopIteration(1)

        with AsyncExec.ThreadPool(1) as pool:
            with self.assertRaises(RuntimeError) as caught:
                pool.submit(stop).result()
        self.assertIsInstance(caught.exception.__cause__, StopIteration)

    def test_spawn_on_a_pool_has_no_context(self):
        async def main():
            AsyncExec.spawn(print)

        with AsyncExec.ThreadPool(1) as pool:
            with self.assertRaises(GLib.Error) as caught:
                pool.submit(main).result()
        self.assertTrue(caught.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.NO_CONTEXT))

    def test_executor_stopped_under_a_coroutine(self):
        seen, awaited = [], AsyncExec.Pending()

        async def main():
            seen.append("entered")
            try:
                await awaited
            finally:
                seen.append("left")

        def body(iterate):
            pending = AsyncExec.Caller.current().submit(main)
            if iterate:
                aextest.iterate_until(lambda: seen, GLib.MainContext.get_thread_default())
            return pending

        with self.assertRaises(AsyncExec.Closed):
            aextest.with_own_context(body, False).result()
        self.assertEqual(seen, [])
        begun = aextest.with_own_context(body, True)
        awaited.resolve(None)
        with self.assertRaises(AsyncExec.Closed):
            begun.result()
        self.assertEqual(seen, ["entered", "left"])


if __name__ == "__main__":
    unittest.main()
