# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limiters and their permits, pools of callers, and the default executor that is replaced."""

import asyncio
import contextvars
import threading
import unittest

from gi.repository import AsyncExec

import aextest

AsyncExec.Executor.get_default()      # once made, it stays

who = contextvars.ContextVar("who", default="nobody")


class Limiters(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(4)
        self.addCleanup(lambda: self.pool.shutdown().result())

    def limiter(self, max_concurrent=1, **options):
        return AsyncExec.Limiter(self.pool, max_concurrent, **options)

    def test_E1_over_anything(self):
        with AsyncExec.Limiter(AsyncExec.Limiter(self.pool, 2), 1, name="outer") as limiter:
            self.assertEqual(limiter.submit(max, 1, 2).result(), 2)
            self.assertEqual(limiter.name, "outer")
        self.assertEqual(self.pool.submit(max, 3, 4).result(), 4)

    def test_E1_not_an_executor(self):
        for wrapped in (None, 3, "pool"):
            with self.assertRaises(TypeError):
                AsyncExec.Limiter(wrapped, 1)
        for count, kind in ((0, ValueError), (-1, ValueError), ("1", TypeError), (None, TypeError)):
            with self.assertRaises(kind):
                AsyncExec.Limiter(self.pool, count)

    def test_E2_context(self):
        def change():
            seen = who.get()
            who.set("job")
            return seen

        gate = aextest.Gate()
        with self.limiter() as limiter:
            limiter.submit(gate.hold)
            token = who.set("first")
            first = limiter.submit(change)
            who.set("second")
            second = limiter.submit(change)
            gate.open()
            self.assertEqual((first.result(), second.result()), ("first", "second"))
            self.assertEqual(who.get(), "second")
            who.reset(token)

    def test_E3_run(self):
        with self.limiter() as limiter:
            self.assertEqual(limiter.run(pow, 2, 5), 32)
            error = KeyError("x")

            def fail():
                raise error

            with self.assertRaises(KeyError) as caught:
                limiter.run(fail)
            self.assertIs(caught.exception, error)
        with self.assertRaises(AsyncExec.Closed):
            limiter.run(len, "")

    def test_E4_map(self):
        running, most, lock = [0], [0], threading.Lock()

        def work(a, b):
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            with lock:
                running[0] -= 1
            return a + b

        with self.limiter(2) as limiter:
            self.assertEqual(list(limiter.map(work, range(50), range(50))), [2 * i for i in range(50)])
            self.assertEqual(list(limiter.map(work, iter(range(9)), range(9))), [2 * i for i in range(9)])
            tasks = [lambda i=i: work(i, 1) for i in range(10)]
            self.assertEqual(sorted(limiter.run_multiple(tasks)), [(i + 1, None) for i in range(10)])
        self.assertLessEqual(most[0], 2)

    def test_E5_E6_shutdown(self):
        gate = aextest.Gate()
        limiter = self.limiter()
        held, queued = limiter.submit(gate.hold, 1), limiter.submit(len, "")
        gate.wait()
        stopped = limiter.shutdown(cancel_pending=True)
        with self.assertRaises(AsyncExec.Closed):
            queued.result()
        gate.open()
        self.assertIsNone(stopped.result())
        self.assertEqual(held.result(), 1)
        with self.assertRaises(AsyncExec.Closed):
            limiter.submit(len, "").result()

    def test_E7_context_manager(self):
        async def main():
            async with self.limiter() as limiter:
                jobs = [limiter.submit(len, "x" * i) for i in range(5)]
            return [job.peek() for job in jobs]

        self.assertEqual(AsyncExec.run(main), list(range(5)))
        self.assertEqual(asyncio.run(main()), list(range(5)))

    def test_E8_wrapped(self):
        limiter = self.limiter(3)
        self.assertIs(limiter.wrapped, self.pool)
        self.assertEqual((limiter.max_concurrent, limiter.max_workers), (3, 3))
        with self.assertRaises(AttributeError):
            limiter.wrapped = None
        limiter.shutdown().result()
        self.assertIs(limiter.wrapped, self.pool)

    def test_names_max_concurrent(self):
        gates = [aextest.Gate() for _ in range(3)]
        with self.limiter(1) as limiter:
            jobs = [limiter.submit(gate.hold, i) for i, gate in enumerate(gates)]
            gates[0].wait()
            limiter.max_concurrent = 3
            for gate in gates:
                gate.wait()
            with self.assertRaises(ValueError):
                limiter.max_concurrent = 0
            for gate in gates:
                gate.open()
            self.assertEqual([job.result() for job in jobs], [0, 1, 2])

    def test_serial(self):
        seen = []
        with self.limiter() as limiter:
            for i in range(200):
                limiter.submit(seen.append, i)
        self.assertEqual(seen, list(range(200)))

    def test_coroutines_hold_their_slot(self):
        running, most = [0], [0]

        async def work():
            running[0] += 1
            most[0] = max(most[0], running[0])
            await AsyncExec.sleep(0)
            running[0] -= 1

        with self.limiter(1) as limiter:
            for job in [limiter.submit(work) for _ in range(20)]:
                job.result()
        self.assertEqual(most[0], 1)

    def test_permits(self):
        async def main():
            async with limiter.acquire() as permit:
                self.assertIsInstance(permit, AsyncExec.Permit)
                waiting = limiter.submit(len, "")
                self.assertFalse(waiting.done())
            self.assertEqual(await waiting, 0)
            with await limiter.acquire():
                waiting = limiter.acquire()
                self.assertFalse(waiting.done())
            (await waiting).release()
            async with limiter.acquire():
                pass

        with self.limiter() as limiter:
            AsyncExec.run(main)
            asyncio.run(main())
            with limiter.acquire().result():
                self.assertEqual(limiter.n_pending, 0)

    def test_permit_comes_back(self):
        with self.limiter() as limiter:
            limiter.acquire()                      # never looked at
            permit = limiter.acquire().result()
            cancelled = limiter.acquire()
            self.assertTrue(cancelled.cancel())
            last = limiter.acquire()
            self.assertFalse(last.done())
            permit.release()
            permit.release()
            last.result().release()

    def test_cancelled_task_gives_its_permit_back(self):
        async def main():
            async def wait():
                async with limiter.acquire():
                    self.fail("it was cancelled")

            async with limiter.acquire():
                task = asyncio.ensure_future(wait())
                await asyncio.sleep(0)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
            async with limiter.acquire():
                pass

        with self.limiter() as limiter:
            asyncio.run(main())

    def test_async_with_needs_a_context_manager(self):
        async def main():
            async with AsyncExec.Pending.resolved(3):
                pass

        with self.assertRaises(TypeError):
            AsyncExec.run(main)

    def test_unhandled_error_of_the_limiter(self):
        seen = []
        with self.limiter() as limiter:
            limiter.connect("unhandled-error", lambda *args: bool(seen.append(args[0])) or True)
            limiter.submit(int, "x")
            aextest.iterate_until(lambda: seen)
        self.assertEqual(seen, [limiter])

    def test_options(self):
        order, gate = [], aextest.Gate()
        with self.limiter() as limiter:
            limiter.submit(gate.hold)
            limiter.submit(order.append, "b")
            limiter.options(priority=AsyncExec.Priority.HIGH, name="first").submit(order.append, "a")
            limiter.post(order.append, "c")
            gate.open()
        self.assertEqual(order, ["a", "b", "c"])

    def test_would_deadlock(self):
        with self.limiter() as limiter:
            with self.assertRaises(AsyncExec.WouldDeadlock):
                limiter.submit(lambda: limiter.run(len, "")).result()

    def test_over_a_subclass(self):
        class Later(AsyncExec.Executor):
            def do_dispatch(self, job):
                AsyncExec.Caller.get_main().post(job.run)

        limiter = AsyncExec.Limiter(Later(), 1)
        jobs = [limiter.submit(lambda i=i: i) for i in range(5)]
        self.assertEqual([job.run_until_done() or job.peek() for job in jobs], list(range(5)))
        limiter.shutdown().run_until_done()
        limiter.wrapped.shutdown().run_until_done()


class CallerPools(unittest.TestCase):
    def test_S14_threads(self):
        with AsyncExec.CallerPool(3, name="callers") as pool:
            self.assertEqual((pool.n_callers, len(pool.callers), pool.name), (3, 3, "callers"))
            self.assertEqual(len({caller.submit(threading.get_ident).result() for caller in pool.callers}), 3)
        for count, kind in ((0, ValueError), (-1, ValueError), ("1", TypeError)):
            with self.assertRaises(kind):
                AsyncExec.CallerPool(count)
            with self.assertRaises(kind):
                AsyncExec.CallerPool.new(count)
        AsyncExec.CallerPool.new(1).shutdown().result()

    def test_S15_pick(self):
        with AsyncExec.CallerPool(2) as pool:
            self.assertEqual([pool.pick() for _ in range(5)], [0] * 5)
            self.assertEqual(pool.loads, [0, 0])
        self.assertEqual(pool.pick(), -1)

    def test_S16_loads(self):
        gates = [aextest.Gate() for _ in range(4)]
        with AsyncExec.CallerPool(2) as pool:
            jobs = [pool.submit(gate.hold, i) for i, gate in enumerate(gates)]
            self.assertEqual(pool.loads, [2, 2])
            failing = pool.submit(int, "x")
            self.assertEqual(pool.loads, [3, 2])
            for gate in gates:
                gate.open()
            self.assertEqual([job.result() for job in jobs], list(range(4)))
            self.assertIsInstance(failing.exception(), ValueError)
            self.assertEqual(pool.loads, [0, 0])

    def test_S16_coroutines_stay(self):
        async def work():
            seen = []
            for _ in range(3):
                await AsyncExec.sleep(0)
                seen.append(threading.get_ident())
            return seen

        with AsyncExec.CallerPool(2) as pool:
            for job in [pool.submit(work) for _ in range(6)]:
                self.assertEqual(len(set(job.result())), 1)
            self.assertEqual(pool.loads, [0, 0])
            self.assertEqual(list(pool.map(abs, range(-5, 0))), [5, 4, 3, 2, 1])

    def test_S17_shutdown(self):
        gate = aextest.Gate()
        pool = AsyncExec.CallerPool(1)
        held, queued = pool.submit(gate.hold, 1), pool.submit(len, "")
        gate.wait()
        stopped = pool.shutdown(cancel_pending=True)
        gate.open()
        self.assertIsNone(stopped.result())
        self.assertIsNone(pool.shutdown().result())
        self.assertEqual(held.result(), 1)
        with self.assertRaises(AsyncExec.Closed):
            queued.result()
        with self.assertRaises(AsyncExec.Closed):
            pool.submit(len, "").result()


class Default(unittest.TestCase):
    def test_S18_swap(self):
        n_jobs, done = aextest.scale(2000), []
        before = AsyncExec.Executor.get_default()

        def use():
            for _ in range(n_jobs):
                AsyncExec.Executor.get_default().submit(done.append, 1).result()

        threads = [threading.Thread(target=use) for _ in range(8)]
        pools = [AsyncExec.ThreadPool(1) for _ in range(2)]
        limiter = AsyncExec.Limiter(pools[0], 1)
        AsyncExec.Executor.set_default(limiter)
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for executor in (*pools, limiter):
                AsyncExec.Executor.set_default(executor)
        for thread in threads:
            thread.join()
        AsyncExec.Executor.set_default(before)
        self.assertEqual(len(done), 8 * n_jobs)
        for executor in (limiter, *pools):
            executor.shutdown().result()


if __name__ == "__main__":
    unittest.main()
