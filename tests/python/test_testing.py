# SPDX-License-Identifier: LGPL-2.1-or-later
"""AsyncExec.testing: virtual time."""

import time
import unittest

import asyncexec
import asyncexec.testing
from gi.repository import AsyncExec


class Testing(unittest.TestCase):
    def test_hours_take_no_time(self):
        async def main():
            await AsyncExec.sleep(3600)
            await AsyncExec.sleep(3600)
            return "done"

        before = time.monotonic()
        self.assertEqual(AsyncExec.testing.run(main), "done")
        self.assertLess(time.monotonic() - before, 3600)

    def test_order_of_deadlines(self):
        order = []

        async def main():
            caller = AsyncExec.Caller.current()
            pendings = [caller.call_later(delay, order.append, delay) for delay in (300, 100, 200)]
            await AsyncExec.Pending.all(pendings)

        AsyncExec.testing.run(main)
        self.assertEqual(order, [100, 200, 300])

    def test_timeout(self):
        async def main():
            with self.assertRaises(AsyncExec.Timeout):
                await AsyncExec.Pending().wait(timeout=1000)

        AsyncExec.testing.run(main)

    def test_advance_alone(self):
        async def main():
            sleeping = AsyncExec.sleep(60)
            AsyncExec.testing.advance(59)
            self.assertFalse(sleeping.done())
            AsyncExec.testing.advance(1)
            await sleeping

        AsyncExec.testing.run(main, patience=None)

    def test_plain_function_with_arguments(self):
        self.assertEqual(AsyncExec.testing.run(pow, 2, 5), 32)

    def test_exception_gets_out_and_time_goes_on(self):
        def fail():
            raise KeyError("x")

        with self.assertRaises(KeyError):
            AsyncExec.testing.run(fail)
        AsyncExec.sleep(0.001).result()

    def test_one_module_two_names(self):
        self.assertIs(asyncexec.testing.run, AsyncExec.testing.run)
        self.assertIs(asyncexec.testing.advance, AsyncExec.testing.advance)


if __name__ == "__main__":
    unittest.main()
