# SPDX-License-Identifier: LGPL-2.1-or-later
"""What surprised somebody on the first day, each under the name of the surprise."""

import asyncio
import threading
import unittest

from gi.repository import AsyncExec

import aextest


class FirstDay(unittest.TestCase):
    def test_script_that_waited_ends_in_silence(self):
        done = aextest.run_script("AsyncExec.Executor.get_default().submit(print, 1).result()")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("1\n", "", 0))

    def test_reason_of_cancel_is_given_once(self):
        started, cancelled = threading.Event(), threading.Event()

        def job():
            started.set()
            cancelled.wait()
            AsyncExec.check_cancelled()

        with AsyncExec.ThreadPool(1) as pool:
            pending = pool.submit(job)
            started.wait()
            pending.cancel("why")
            cancelled.set()
            with self.assertRaises(AsyncExec.Cancelled) as caught:
                pending.result()
        self.assertEqual(str(caught.exception), "why")

    def test_reason_of_cancel_is_given_once_by_coroutines(self):
        waited_for = AsyncExec.Pending()
        caught = []

        async def task():
            started.resolve()
            try:
                await waited_for
            except AsyncExec.Cancelled as error:
                caught.append(str(error))
                raise

        async def main():
            pending = AsyncExec.spawn(task)
            await started
            pending.cancel("why")
            try:
                await pending
            except AsyncExec.Cancelled as error:
                caught.append(str(error))

        started = AsyncExec.Pending()
        AsyncExec.run(main)
        self.assertEqual(caught, ["why", "why"])

    def test_asyncio_loop_that_ended_leaves_no_caller(self):
        async def main():
            AsyncExec.Caller.current().call_later(0.01, int)
            return await AsyncExec.sleep(0.001)

        # The census after this test counts.  The callback is due when the loop has ended.
        asyncio.run(main())
        aextest.in_thread(asyncio.run, main())


if __name__ == "__main__":
    unittest.main()
