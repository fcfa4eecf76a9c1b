# SPDX-License-Identifier: LGPL-2.1-or-later
"""What surprised somebody on the first day, each under the name of the surprise."""

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


if __name__ == "__main__":
    unittest.main()
