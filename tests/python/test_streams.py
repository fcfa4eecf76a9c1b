# SPDX-License-Identifier: LGPL-2.1-or-later
"""Streams: of map(), run_multiple(), as_completed(), and of producers."""

import asyncio
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

    def test_fact8_always_true(self):
        stream = AsyncExec.Stream(1)
        self.assertTrue(stream)
        stream.end()
        self.assertEqual(list(stream), [])

    def test_wrap_async_iterable(self):
        async def source():
            for i in range(5):
                await AsyncExec.sleep(0)
                yield i

        self.assertEqual(list(self.pool.wrap_async_iterable(source())), list(range(5)))


if __name__ == "__main__":
    unittest.main()
