# SPDX-License-Identifier: LGPL-2.1-or-later
"""Progress and messages of jobs."""

import asyncio
import unittest

from gi.repository import AsyncExec, GObject

import aextest


class Bar(GObject.Object):
    """What a progress bar is, without a display."""

    fraction = GObject.Property(type=float, minimum=0, maximum=1)


class Messages(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(1)

    def tearDown(self):
        pool, self.pool = self.pool, None
        pool.shutdown().result()

    def test_report_progress(self):
        def job():
            AsyncExec.report_progress(0.5, "half")

        pending = self.pool.submit(job)
        pending.result()
        self.assertEqual((pending.progress, pending.progress_message), (0.5, "half"))

    def test_report_progress_unknown(self):
        pending = self.pool.submit(AsyncExec.report_progress, None, "who knows")
        pending.result()
        self.assertIsNone(pending.progress)
        self.assertEqual(pending.progress_message, "who knows")

    def test_report_progress_outside(self):
        AsyncExec.report_progress(0.5)
        self.assertFalse(AsyncExec.publish(1))

    def test_report_progress_in_coroutine(self):
        async def job():
            AsyncExec.report_progress(0.25)
            await AsyncExec.sleep(0)
            AsyncExec.report_progress(0.75)

        pending = self.pool.submit(job)
        pending.result()
        self.assertEqual(pending.progress, 0.75)

    def test_set_progress_of_a_promise(self):
        promise = AsyncExec.Pending()
        self.assertIsNone(promise.progress)
        promise.set_progress(0.1, "begins")
        self.assertEqual((promise.progress, promise.status_text), (0.1, "begins"))
        promise.resolve()

    def test_bind_progress(self):
        bar = Bar()
        pending = self.pool.submit(AsyncExec.report_progress, 0.5)
        pending.bind_progress(bar)
        seen = []
        bar.connect("notify::fraction", lambda bar, pspec: seen.append(bar.fraction))
        aextest.iterate_until(lambda: seen or bar.fraction == 0.5)
        self.assertEqual(bar.fraction, 0.5)

    def test_bind_progress_under_asyncio(self):
        async def main():
            bar, told = Bar(), asyncio.Event()
            # What is not known yet is shown as 0.
            bar.connect("notify::fraction", lambda bar, pspec: bar.fraction > 0 and told.set())
            gate = aextest.Gate()

            def job():
                AsyncExec.report_progress(0.5)
                gate.hold()

            pending = self.pool.submit(job)
            pending.bind_progress(bar)
            await told.wait()
            gate.open()
            await pending
            return bar.fraction

        self.assertEqual(asyncio.run(main()), 0.5)

    def test_publish_and_subscribe(self):
        values = [None, True, 3, 2.5, "text", b"bytes\0", [1, "two"], {"key": [3]}]

        def job():
            return [AsyncExec.publish(value) for value in values]

        seen = []
        pending = self.pool.submit(job)
        pending.subscribe(lambda message, more: seen.append(message), "more")
        self.assertEqual(pending.run_until_done(), [True] * len(values))
        aextest.iterate_until(lambda: len(seen) == len(values))
        self.assertEqual(seen, values)

    def test_publish_what_does_not_pack(self):
        with self.assertRaisesRegex(TypeError, "set"):
            AsyncExec.Pending().publish({1})
        with self.assertRaises(TypeError):
            AsyncExec.publish(object())

    def test_subscribe_under_asyncio(self):
        async def main():
            seen = []
            pending = self.pool.submit(AsyncExec.publish, "hello")
            pending.subscribe(seen.append)
            done = asyncio.Event()
            pending.add_done_callback(lambda pending: done.set())
            await done.wait()
            return seen

        self.assertEqual(asyncio.run(main()), ["hello"])

    def test_unsubscribe(self):
        promise, seen = AsyncExec.Pending(), []
        number = promise.subscribe(seen.append)
        self.assertTrue(promise.unsubscribe(number))
        promise.publish("unheard")
        promise.resolve()
        promise.run_until_done()
        self.assertEqual(seen, [])

    def test_subscriber_that_fails_is_logged(self):
        promise, seen = AsyncExec.Pending(), []

        def fail(message):
            raise ValueError(message)

        promise.subscribe(fail)
        promise.subscribe(seen.append)
        with self.assertLogs("asyncexec", "ERROR") as logged:
            promise.publish("hello")
            aextest.iterate_until(lambda: seen)
        self.assertIn("ValueError: hello", logged.output[0])
        promise.resolve()


if __name__ == "__main__":
    unittest.main()
