# SPDX-License-Identifier: LGPL-2.1-or-later
"""K71: values that are made when somebody asks, and once."""

import asyncio
import gc
import threading
import unittest
import weakref

from gi.repository import AsyncExec

import aextest

Lazy = AsyncExec.Lazy


class Making:
    """A function that counts its calls."""

    def __init__(self):
        self.n = 0
        self.threads = []

    def __call__(self):
        self.n += 1
        self.threads.append(threading.get_ident())
        return {"n": self.n}


class Lazies(unittest.TestCase):
    def test_K71_once(self):
        making = Making()
        lazy = Lazy(making)
        with self.assertRaises(AsyncExec.NotDone):
            lazy.peek()
        self.assertFalse(lazy.made)
        value = lazy.get().result()
        self.assertIs(lazy.get().result(), value)
        self.assertIs(lazy.peek(), value)
        self.assertTrue(lazy.made)
        self.assertEqual((making.n, making.threads), (1, [threading.get_ident()]))
        with self.assertRaises(TypeError):
            Lazy(5)

    def test_K71_on_an_executor(self):
        making = Making()
        with AsyncExec.ThreadPool(1) as pool:
            lazy = Lazy(making, executor=pool)
            self.assertIs(lazy.executor, pool)
            self.assertEqual(lazy.get().result(), {"n": 1})
            self.assertNotEqual(making.threads, [threading.get_ident()])

    def test_K71_coroutine(self):
        async def main():
            async def fetch(value):
                nonlocal n
                n += 1
                await AsyncExec.sleep(0.001)
                return value

            n = 0
            lazy = Lazy(fetch, 5)
            first, second = lazy.get(), lazy.get()
            self.assertEqual((await first, await second, await lazy), (5, 5, 5))
            self.assertEqual(n, 1)

        AsyncExec.run(main)
        asyncio.run(main())

    def test_K71_double_access(self):
        gate, making = aextest.Gate(), Making()

        def make():
            gate.hold()
            return making()

        lazy = Lazy(make)
        values = []
        threads = [threading.Thread(target=lambda: values.append(lazy.get().result())) for _ in range(2)]
        threads[0].start()
        gate.wait()
        threads[1].start()
        asked = lazy.get()
        self.assertFalse(asked.done())
        gate.open()
        for thread in threads:
            thread.join()
        self.assertIs(values[0], values[1])
        self.assertIs(values[0], asked.result())
        self.assertEqual(making.n, 1)

    def test_K71_race(self):
        for _ in range(aextest.scale(100)):
            making, barrier, values = Making(), threading.Barrier(4), []
            lazy = Lazy(making)

            def ask(lazy=lazy, barrier=barrier, values=values):
                barrier.wait()
                values.append(lazy.get().result())

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual((making.n, len(values)), (1, 4))
            self.assertTrue(all(value is values[0] for value in values))

    def test_K71_failure(self):
        failures = [KeyError("first")]

        def make():
            if failures:
                raise failures.pop()
            return 5

        lazy = Lazy(make)
        with self.assertRaises(KeyError):
            lazy.get().result()
        self.assertFalse(lazy.made)
        self.assertEqual(lazy.get().result(), 5)

    def test_K71_cancelled_asker(self):
        gate = aextest.Gate()
        with AsyncExec.ThreadPool(1) as pool:
            lazy = Lazy(gate.hold, 5, executor=pool)
            first, second = lazy.get(), lazy.get()
            gate.wait()
            self.assertTrue(first.cancel())
            gate.open()
            self.assertEqual(second.result(), 5)

    def test_K71_self_reference(self):
        lazy = Lazy(lambda: lazy.get().result())
        with self.assertRaises(AsyncExec.WouldDeadlock):
            lazy.get().result()

        async def ask():
            await AsyncExec.sleep(0.001)
            return await slow

        slow = Lazy(ask)
        with self.assertRaises(AsyncExec.WouldDeadlock):
            slow.get().result()
        del lazy, slow


class Properties(unittest.TestCase):
    def test_K71_property(self):
        class Thing:
            n = 0

            @AsyncExec.lazy_property
            def value(self):
                """What it is."""
                self.n += 1
                return [self.n]

        thing = Thing()
        value = thing.value
        self.assertIs(thing.value, value)
        self.assertEqual((value, Thing().value), ([1], [1]))
        self.assertEqual(Thing.value.__doc__, "What it is.")
        with self.assertRaises(AttributeError):
            thing.value = 5
        with self.assertRaises(AttributeError):
            del thing.value
        self.assertIs(thing.value, value)
        weak = weakref.ref(thing)
        del thing
        gc.collect()
        self.assertIsNone(weak())

    def test_K71_property_of_many_threads(self):
        gate = aextest.Gate()

        class Thing:
            n = 0

            @AsyncExec.lazy_property
            def value(self):
                self.n += 1
                gate.hold()
                return [self.n]

        thing, values = Thing(), []
        threads = [threading.Thread(target=lambda: values.append(thing.value)) for _ in range(4)]
        threads[0].start()
        gate.wait()
        for thread in threads[1:]:
            thread.start()
        gate.open()
        for thread in threads:
            thread.join()
        self.assertEqual((thing.n, len(values)), (1, 4))
        self.assertTrue(all(value is values[0] for value in values))

    def test_K71_property_fails_and_is_tried_again(self):
        class Thing:
            n = 0

            @AsyncExec.lazy_property
            def value(self):
                self.n += 1
                if self.n == 1:
                    raise KeyError("x")
                return self.n

        thing = Thing()
        with self.assertRaises(KeyError):
            thing.value
        self.assertEqual(thing.value, 2)

    def test_K71_property_that_needs_itself(self):
        class Thing:
            @AsyncExec.lazy_property
            def value(self):
                return self.value

        with self.assertRaises(AsyncExec.WouldDeadlock):
            Thing().value

    def test_K71_property_of_a_coroutine(self):
        class Thing:
            n = 0

            @AsyncExec.lazy_property
            async def value(self):
                self.n += 1
                await AsyncExec.sleep(0.001)
                return self.n

        async def main():
            thing = Thing()
            self.assertEqual((await thing.value, await thing.value), (1, 1))

        AsyncExec.run(main)


if __name__ == "__main__":
    unittest.main()
