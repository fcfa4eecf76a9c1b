# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams: of map(), run_multiple(), as_completed(), and of producers."""

import asyncio
import contextvars
import functools
import threading
import unittest

from gi.repository import AsyncExec

import aextest


def inverse(value):
    return 1 // value


class Streams(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(2)

    def tearDown(self):
        self.pool.shutdown().result()
        del self.pool

    def test_map(self):
        for source in ([1, 2, 3], iter([1, 2, 3]), range(1, 4)):
            self.assertEqual(list(self.pool.map(lambda v: v * v, source)), [1, 4, 9])
        self.assertEqual(list(self.pool.map(pow, [2, 3], [3, 2, 9])), [8, 9])
        self.assertEqual(list(self.pool.map(str, [])), [])
        self.assertEqual(list(self.pool.map(lambda v: v, [None, [1], "text"])), [None, [1], "text"])

    def test_map_error_at_its_place(self):
        for source in ([1, 0, 2], iter([1, 0, 2])):
            stream = self.pool.map(inverse, source)
            self.assertEqual(next(stream), 1)
            with self.assertRaises(ZeroDivisionError):
                next(stream)

    def test_map_return_exceptions(self):
        for source in ([1, 0, 2], iter([1, 0, 2])):
            first, second, third = self.pool.map(inverse, source, return_exceptions=True)
            self.assertEqual((first, third), (1, 0))
            self.assertIsInstance(second, ZeroDivisionError)

    def test_map_unordered(self):
        gate = aextest.Gate()
        stream = self.pool.map(lambda fn: fn(), [lambda: gate.hold("late"), lambda: "early"], ordered=False)
        self.assertEqual(next(stream), "early")
        gate.open()
        self.assertEqual(list(stream), ["late"])

    def test_map_pulls_in_a_window(self):
        pulled = []

        def source():
            for i in range(100):
                pulled.append(i)
                yield i

        stream = self.pool.map(int, source())
        self.assertEqual(len(pulled), 4)
        self.assertEqual(list(stream), list(range(100)))

    def test_map_async(self):
        async def main():
            return [item async for item in self.pool.map(str, range(3))]

        self.assertEqual(asyncio.run(main()), ["0", "1", "2"])
        self.assertEqual(AsyncExec.run(main), ["0", "1", "2"])

    def test_run_multiple(self):
        async def coroutine():
            return "coroutine"

        tasks = [lambda: 1, lambda: inverse(0), coroutine, coroutine()]
        found = sorted(self.pool.run_multiple(tasks), key=str)
        self.assertEqual([value for value, error in found if error is None], ["coroutine", "coroutine", 1])
        self.assertEqual([type(error) for _, error in found if error is not None], [ZeroDivisionError])

    def test_K40_as_completed(self):
        pendings = [AsyncExec.Pending() for _ in range(3)]
        for i in (2, 0, 1):
            pendings[i].resolve(i)
        self.assertEqual(sorted(p.result() for p in AsyncExec.as_completed(pendings)), [0, 1, 2])
        self.assertEqual(list(AsyncExec.as_completed([])), [])

    def test_K40_restricted(self):
        flying, most = set(), []

        def source():
            for _ in range(20):
                pending = self.pool.submit(int)
                flying.add(pending)
                most.append(len(flying))
                yield pending

        for pending in AsyncExec.as_completed(source(), max_concurrent=2):
            flying.discard(pending)
        self.assertEqual((len(most), max(most) <= 3), (20, True))

    def test_K40_timeout_and_early_exit(self):
        pendings = [AsyncExec.Pending(), AsyncExec.Pending.resolved(1)]
        with self.assertRaises(AsyncExec.Timeout):
            for _ in AsyncExec.as_completed(pendings, timeout=0.01):
                pass
        self.assertTrue(pendings[0].cancelled())
        pendings = [AsyncExec.Pending.resolved(1), AsyncExec.Pending()]
        for _ in AsyncExec.as_completed(pendings, cancel_unfinished=False):
            break
        self.assertFalse(pendings[1].cancelled())

    def test_K40_async(self):
        async def main():
            return sorted([p.peek() async for p in AsyncExec.as_completed([self.pool.submit(int, i) for i in range(5)])])

        self.assertEqual(asyncio.run(main()), list(range(5)))

    def test_producer(self):
        stream = AsyncExec.Stream(10)
        for item in (1, "two", [3], None):
            stream.push(item)
        failure = KeyError("end")
        stream.end(failure)
        self.assertEqual([next(stream) for _ in range(4)], [1, "two", [3], None])
        with self.assertRaises(KeyError) as caught:
            next(stream)
        self.assertIs(caught.exception, failure)

    def test_K70_transfer_tells_what_becomes_of_an_item(self):
        stream = AsyncExec.Stream()
        taken, left = stream.transfer(object), stream.transfer("left")
        self.assertIs(next(stream), object)
        self.assertIsNone(taken.result())
        self.assertFalse(left.cancel())
        stream.close().result()
        for pending in (left, stream.transfer("late")):
            with self.assertRaises(AsyncExec.Closed):
                pending.result()

    def test_K70_from_every_thread(self):
        stream = AsyncExec.Stream()
        with AsyncExec.ThreadPool(8) as pool:
            def push(number):
                return [stream.transfer((number, i)) for i in range(200)]

            jobs = [pool.submit(push, number) for number in range(8)]
            items = [next(stream) for _ in range(1600)]
            for number in range(8):
                self.assertEqual([i for n, i in items if n == number], list(range(200)))
            for job in jobs:
                for transfer in job.result():
                    transfer.result()

    def test_fact8_always_true(self):
        stream = AsyncExec.Stream(1)
        self.assertTrue(stream)
        stream.end()
        self.assertEqual(list(stream), [])

    def test_S10_wrap_async_iterable(self):
        async def source():
            for i in range(5):
                await AsyncExec.sleep(0)
                yield i
            raise KeyError("end")

        stream = self.pool.wrap_async_iterable(source())
        self.assertEqual([next(stream) for _ in range(5)], list(range(5)))
        with self.assertRaises(KeyError):
            next(stream)

    def test_S10_close_runs_the_cleanup_on_the_executor(self):
        seen, never = [], AsyncExec.Pending()

        async def source():
            try:
                yield 1
                await never
            finally:
                seen.append(AsyncExec.current_pending() is not None and threading.current_thread() is not threading.main_thread())

        stream = self.pool.wrap_async_iterable(source())
        self.assertEqual(next(stream), 1)
        stream.close().result()
        self.assertEqual(seen, [True])
        never.cancel()

    def test_S10_dropped_stream_ends_the_source(self):
        closed = AsyncExec.Pending()

        async def source():
            try:
                while True:
                    yield None
            finally:
                closed.resolve()

        stream = self.pool.wrap_async_iterable(source())
        next(stream)
        del stream
        closed.result()

    # --- run_multiple

    def test_S8_max_workers(self):
        for count in (0, -1):
            with self.assertRaisesRegex(ValueError, "max_workers must be greater than 0"):
                self.pool.run_multiple([int], max_workers=count)
        self.assertEqual(list(self.pool.run_multiple([])), [])

    def test_S8_never_more_than_max_workers(self):
        flying, most = set(), []

        def task(number):
            flying.add(number)
            most.append(len(flying))
            flying.discard(number)

        tasks = [functools.partial(task, number) for number in range(30)]
        with AsyncExec.ThreadPool(8) as pool:
            self.assertEqual(len(list(pool.run_multiple(tasks, max_workers=3))), 30)
        self.assertLessEqual(max(most), 3)

    def test_S8_timeout(self):
        never = AsyncExec.Pending()

        async def forever():
            await never.wait(protect=True)

        found = list(self.pool.run_multiple([forever] * 5, timeout=0.01))
        self.assertEqual([value for value, _ in found], [None] * 5)
        for _, error in found:
            self.assertIsInstance(error, AsyncExec.Timeout)
            self.assertIn("0.01 seconds", str(error))
        never.cancel()

    def test_S8_slot_timing(self):
        """Four that take longer than a quarter of the limit, for one thread: each has its own time."""
        gate = threading.Event()
        with AsyncExec.ThreadPool(1) as pool:
            blocking = pool.submit(gate.wait)
            stream = pool.run_multiple([lambda: 1] * 4, timeout=0.25)
            following = AsyncExec.sleep(0.3)
            following.result()
            gate.set()
            self.assertEqual([(1, None)] * 4, list(stream))
            blocking.result()

    def test_P24_one_cancelled_does_not_end_the_others(self):
        def cancelled():
            AsyncExec.current_pending().cancel()
            AsyncExec.check_cancelled()

        found = list(self.pool.run_multiple([cancelled, lambda: 1, lambda: 2], max_workers=1))
        self.assertIsInstance(found[0][1], AsyncExec.Cancelled)
        self.assertEqual(found[1:], [(1, None), (2, None)])
        self.assertEqual((self.pool.n_pending, self.pool.n_running), (0, 0))

    def test_P24_close_cancels_the_rest(self):
        started, pulled = [], []

        def wait():
            started.append(AsyncExec.current_pending())
            AsyncExec.Pending().result()

        def tasks():
            for i in range(100):
                pulled.append(i)
                yield wait if i else int

        with self.pool.run_multiple(tasks(), max_workers=2) as stream:
            self.assertEqual(next(stream), (0, None))
            stream.close().result()
        self.assertLess(len(pulled), 5)
        self.assertTrue(all(job.cancelled() for job in started))

    def test_S9_progressive(self):
        """By blocking, in a thread without a loop: each is there as it ends."""
        def consume():
            gate = threading.Event()
            stream = self.pool.run_multiple([lambda: gate.wait() and "late", lambda: "early"])
            self.assertEqual(next(stream), ("early", None))
            gate.set()
            self.assertEqual(list(stream), [("late", None)])
            return True

        thread = aextest.in_thread(consume)
        self.assertTrue(thread)

    def test_S8_async(self):
        async def main():
            stream = self.pool.run_multiple_async([lambda: 1, lambda: inverse(0)], max_workers=1)
            return [(value, type(error)) async for value, error in stream]

        for run in (asyncio.run, AsyncExec.run):
            self.assertEqual(run(main()) if run is asyncio.run else run(main), [(1, type(None)), (None, ZeroDivisionError)])

    # --- map

    def test_E4_early_schedule(self):
        done = []
        self.pool.map(done.append, [1, 2, 3])
        self.pool.shutdown().result()
        self.assertEqual(sorted(done), [1, 2, 3])

    def test_E4_own_context(self):
        variable = contextvars.ContextVar("variable", default=0)

        def change(value):
            before = variable.get()
            variable.set(value)
            return before

        variable.set(7)
        for items in ([1, 2, 3], iter([1, 2, 3])):
            self.assertEqual(list(self.pool.map(change, items)), [7, 7, 7])

    def test_E4_error_cancels_the_rest(self):
        with AsyncExec.ThreadPool(1) as pool:
            ran = []
            stream = pool.map(lambda item: ran.append(item) or inverse(item), iter([0, 1, 2, 3, 4, 5]), max_concurrent=2)
            with self.assertRaises(ZeroDivisionError):
                next(stream)
            stream.close().result()
            self.assertLessEqual(len(ran), 2)

    def test_options_map_timeout(self):
        never = AsyncExec.Pending()
        stream = self.pool.options(name="limited").map(lambda _: never.result(), iter([1]), timeout=0.01)
        with self.assertRaises(AsyncExec.Timeout):
            next(stream)
        never.cancel()

    def test_lazy_memory(self):
        """A long lazy map never has more than its window."""
        pulled, count = [0], aextest.scale(20000)

        def source():
            for i in range(count):
                pulled[0] = i
                yield i

        for taken, item in enumerate(self.pool.map(int, source(), max_concurrent=64)):
            self.assertEqual(item, taken)
            self.assertLessEqual(pulled[0] - taken, 64)
        self.assertEqual(pulled[0], count - 1)

    # --- as_completed

    def test_K40_none_ends(self):
        pendings = [AsyncExec.Pending.resolved(1), None, AsyncExec.Pending.resolved(2)]
        self.assertEqual([p.peek() for p in AsyncExec.as_completed(iter(pendings))], [1])

    def test_K40_deadlock(self):
        def waits_for_itself(lazy):
            items = [AsyncExec.current_pending()]
            for _ in AsyncExec.as_completed(iter(items) if lazy else items):
                pass

        for lazy in (False, True):
            with self.assertRaisesRegex(RuntimeError, "deadlock!"):
                self.pool.submit(waits_for_itself, lazy).result()

    def test_K40_awaitables(self):
        async def value(number):
            await AsyncExec.sleep(0)
            return number

        async def main():
            items = [value(1), self.pool.submit(int, "2")]
            if AsyncExec.current_pending() is None:
                items.append(asyncio.ensure_future(asyncio.sleep(0, 3)))
            return sorted([p.peek() async for p in AsyncExec.as_completed(items)])

        self.assertEqual(asyncio.run(main()), [1, 2, 3])
        self.assertEqual(AsyncExec.run(main), [1, 2])
        with self.assertRaises(TypeError):
            AsyncExec.as_completed([5])

    def test_K40_async_generator(self):
        closed = []

        async def source(count):
            try:
                for i in range(count):
                    await AsyncExec.sleep(0)
                    yield self.pool.submit(int, i)
            finally:
                closed.append(True)

        async def main():
            found = [p.peek() async for p in AsyncExec.as_completed(source(20), max_concurrent=3)]
            left = AsyncExec.as_completed(source(1000))
            async for _ in left:
                break
            await left.close()
            return sorted(found)

        for run in (lambda: asyncio.run(main()), lambda: AsyncExec.run(main)):
            self.assertEqual(run(), list(range(20)))
        self.assertEqual(len(closed), 4)
        with self.assertRaises(TypeError):
            next(iter(AsyncExec.as_completed(source(1))))

    def test_K40_source_raises_last(self):
        def source():
            yield self.pool.submit(int, 1)
            raise KeyError("source")

        found = []
        with self.assertRaises(KeyError):
            for pending in AsyncExec.as_completed(source()):
                found.append(pending.result())
        self.assertEqual(found, [1])

    def test_D4_leaving_early_offers_to_wait(self):
        gate = threading.Event()
        ended = []

        def work():
            gate.wait()
            ended.append(1)

        completed = AsyncExec.as_completed([AsyncExec.Pending.resolved(1), self.pool.submit(work)])
        with completed:
            for _ in completed:
                break
        jobs = [self.pool.submit(gate.wait)]
        completed = AsyncExec.as_completed(jobs)
        closed = completed.close()
        self.assertTrue(jobs[0].cancelled())
        gate.set()
        closed.result()
        self.assertTrue(jobs[0].done())

    # --- wait

    def run_both(self, main):
        asyncio.run(main())
        AsyncExec.run(main)

    def test_K41_modes(self):
        async def main():
            for before in (True, False):
                pendings = a, b, c = [AsyncExec.Pending() for _ in range(3)]
                steps = [lambda: c.resolve(), lambda: b.reject(KeyError()), lambda: a.resolve()]
                expected = [("FIRST_COMPLETED", {c}), ("FIRST_EXCEPTION", {b, c}), ("ALL_COMPLETED", {a, b, c})]
                for step, (mode, done) in zip(steps, expected):
                    if before:
                        step()
                        found = await AsyncExec.wait(pendings, return_when=mode)
                    else:
                        job = self.pool.submit(step)
                        found = await AsyncExec.Caller.wait(pendings, return_when=mode)
                        await job
                    self.assertEqual(found, (done, set(pendings) - done))
                self.assertIsInstance(b.peek_exception(), KeyError)

        self.run_both(main)

    def test_K41_timeout_keeps_pending(self):
        async def main():
            pending = AsyncExec.Pending()
            self.assertEqual(await AsyncExec.wait([pending], timeout=0.001), (set(), {pending}))
            self.assertEqual(await AsyncExec.wait([pending], timeout=0), (set(), {pending}))
            self.assertFalse(pending.cancelled())
            self.assertEqual(await AsyncExec.wait([]), (set(), set()))
            with self.assertRaisesRegex(ValueError, "FIRST_EXCEPTION"):
                await AsyncExec.wait([], return_when="SOME")

        self.run_both(main)

    def test_K41_awaitable(self):
        async def value():
            return 5

        async def main():
            done, left = await AsyncExec.wait([value(), value()])
            self.assertEqual(([p.peek() for p in done], left), ([5, 5], set()))

        self.run_both(main)

    def test_K41_cancelled_wait_cancels_no_item(self):
        async def main():
            pending = AsyncExec.Pending()
            task = asyncio.create_task(AsyncExec.wait([pending]))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertFalse(pending.cancelled())
            task = asyncio.create_task(AsyncExec.wait([pending], shield=True))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            self.assertFalse(task.done())
            pending.resolve()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
