# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other frameworks for coroutines: anyio over asyncio works, trio is told what to do instead."""

import importlib.util
import unittest

import aextest


def needs(module):
    return unittest.skipUnless(importlib.util.find_spec(module), f"NOT RUN: there is no module {module}")


class Bridges(unittest.TestCase):
    def run_main(self, text):
        done = aextest.run_script(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    @needs("trio")
    def test_trio_is_told_the_bridge(self):
        """And nothing is cancelled by that: wait() took the refusal for a cancellation of the task."""
        out = self.run_main("""
            import trio

            async def main():
                pending = AsyncExec.Pending()
                for how in (lambda: pending, pending.wait, lambda: pending.wait(1, protect=True)):
                    try:
                        await how()
                    except RuntimeError as error:
                        print(error)
                print(pending.done(), await AsyncExec.Pending.resolved("a value that is there"))

            trio.run(main)
            """)
        message = "trio can not await an AsyncExec.Pending: use await trio.to_thread.run_sync(pending.result)\n"
        self.assertEqual(out, message * 3 + "False a value that is there\n")

    @needs("trio")
    def test_trio_bridge_works(self):
        out = self.run_main("""
            import trio

            async def main():
                with AsyncExec.ThreadPool(1) as pool:
                    print(await trio.to_thread.run_sync(pool.submit(sum, [1, 2]).result))
                    try:
                        await trio.to_thread.run_sync(pool.submit(int, "x").result)
                    except ValueError as error:
                        print(type(error).__name__)

            trio.run(main)
            """)
        self.assertEqual(out, "3\nValueError\n")

    @needs("trio")
    def test_trio_in_another_thread_is_no_obstacle(self):
        """Only a task of trio is refused, not every coroutine of a program that has imported it."""
        out = self.run_main("""
            import asyncio
            import trio

            async def ours(pool):
                return await pool.submit(sum, [1, 2])

            with AsyncExec.ThreadPool(1) as pool:
                print(asyncio.run(ours(pool)), AsyncExec.run(ours, pool))
            """)
        self.assertEqual(out, "3 3\n")

    @needs("anyio")
    def test_anyio_over_asyncio(self):
        out = self.run_main("""
            import anyio

            async def add(pool, results, number):
                results.append(await pool.submit(pow, number, 2))

            async def main():
                results = []
                with AsyncExec.ThreadPool(2) as pool:
                    async with anyio.create_task_group() as group:
                        for number in range(5):
                            group.start_soon(add, pool, results, number)
                print(sorted(results))

            anyio.run(main)
            """)
        self.assertEqual(out, "[0, 1, 4, 9, 16]\n")

    @needs("anyio")
    def test_anyio_scope_cancels_the_pending(self):
        out = self.run_main("""
            import anyio

            async def wait(pending, group):
                group.cancel_scope.cancel()
                await pending

            async def main():
                pending = AsyncExec.Pending()
                async with anyio.create_task_group() as group:
                    group.start_soon(wait, pending, group)
                kept = AsyncExec.Pending()
                with anyio.move_on_after(0) as scope:
                    await kept.wait(protect=True)
                print(pending.cancelled(), kept.cancelled(), scope.cancel_called)

            anyio.run(main)
            """)
        self.assertEqual(out, "True False True\n")

    @needs("anyio")
    @needs("trio")
    def test_anyio_over_trio_is_told_the_bridge(self):
        out = self.run_main("""
            import warnings

            import anyio

            warnings.simplefilter("ignore")      # anyio's own, of what trio has deprecated

            async def main():
                try:
                    await AsyncExec.Pending()
                except RuntimeError as error:
                    print(error)

            anyio.run(main, backend="trio")
            """)
        self.assertIn("trio.to_thread.run_sync(pending.result)", out)


if __name__ == "__main__":
    unittest.main()
