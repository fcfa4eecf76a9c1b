# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is raised when: the conditions of the table of exceptions, one after the other."""

import asyncio
import concurrent.futures
import queue
import unittest

from gi.repository import AsyncExec, Gio, GLib

import aextest

Pending = AsyncExec.Pending


class Exceptions(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=1)
        self.addCleanup(lambda: self.pool.shutdown().result())

    def assert_error(self, error, kind, domain, code):
        """Both forms of `except` see it."""
        self.assertIsInstance(error, kind)
        self.assertIsInstance(error, GLib.Error)
        self.assertTrue(error.matches(domain, code), (error.domain, error.code))

    def test_exceptions_task_cancelled(self):
        async def main():
            task = asyncio.ensure_future(Pending().as_coroutine())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError) as caught:
                await task
            self.assertNotIsInstance(caught.exception, GLib.Error)

        asyncio.run(main())

    def test_exceptions_pending_cancelled(self):
        pending = Pending()
        pending.cancel("why")
        with self.assertRaises(AsyncExec.Cancelled) as caught:
            pending.result()
        self.assert_error(caught.exception, concurrent.futures.CancelledError,
                          Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)
        self.assertIsInstance(caught.exception, Exception)
        self.assertNotIsInstance(caught.exception, asyncio.CancelledError)
        self.assertIn("why", str(caught.exception))

    def test_exceptions_time_out(self):
        with self.assertRaises(TimeoutError) as caught:
            pending = Pending()
            pending.with_timeout(0.001).result()
        self.assert_error(caught.exception, AsyncExec.Timeout, Gio.io_error_quark(), Gio.IOErrorEnum.TIMED_OUT)
        with self.assertRaises(AsyncExec.Timeout):
            Pending().result(timeout=0.001)

    def test_exceptions_group(self):
        members = [Pending.rejected(KeyError("a")), Pending.rejected(ValueError("b"))]
        with self.assertRaises(AsyncExec.GroupError) as caught:
            Pending.any(members).result()
        error = caught.exception
        self.assertIsInstance(error, ExceptionGroup)
        self.assert_error(error, AsyncExec.GroupError, AsyncExec.Error.quark(), AsyncExec.Error.GROUP)
        seen = []
        try:
            raise error
        except* KeyError as part:
            seen.append(part)
        except* ValueError as part:
            seen.append(part)
        self.assertEqual([type(part) for part in seen], [AsyncExec.GroupError, AsyncExec.GroupError])
        self.assertEqual([type(e) for part in seen for e in part.exceptions], [KeyError, ValueError])

    def test_exceptions_not_done(self):
        for ask in (Pending().peek, Pending().peek_exception):
            with self.assertRaises(asyncio.InvalidStateError) as caught:
                ask()
            self.assert_error(caught.exception, AsyncExec.NotDone, AsyncExec.Error.quark(), AsyncExec.Error.NOT_DONE)

    def test_exceptions_would_deadlock(self):
        async def main():
            with self.assertRaises(AsyncExec.WouldDeadlock) as caught:
                Pending().result()
            self.assert_error(caught.exception, AsyncExec.WouldDeadlock,
                              AsyncExec.Error.quark(), AsyncExec.Error.WOULD_DEADLOCK)

        asyncio.run(main())
        AsyncExec.run(main)

    def test_exceptions_would_deadlock_in_a_job(self):
        own = self.pool.submit(lambda: AsyncExec.current_pending().result())
        self.assertIsInstance(own.exception(), AsyncExec.WouldDeadlock)

    def test_exceptions_closed(self):
        pool = AsyncExec.ThreadPool(1)
        pool.shutdown().result()
        # submit() never raises it, waiting does.
        pending = pool.submit(int)
        with self.assertRaises(AsyncExec.Closed) as caught:
            pending.result()
        self.assert_error(caught.exception, AsyncExec.Closed, AsyncExec.Error.quark(), AsyncExec.Error.CLOSED)
        self.assertTrue(pending.cancelled())

    def test_exceptions_busy(self):
        gate = aextest.Gate()
        self.pool.submit(gate.hold)
        gate.wait()
        self.pool.max_pending = 1
        self.pool.submit(int)
        with self.assertRaises(queue.Full) as caught:
            self.pool.submit(int).result()
        gate.open()
        self.assert_error(caught.exception, AsyncExec.Busy, AsyncExec.Error.quark(), AsyncExec.Error.BUSY)

    def test_exceptions_worker_died(self):
        error = AsyncExec.WorkerDied("worker 1")
        self.assert_error(error, concurrent.futures.BrokenExecutor,
                          AsyncExec.Error.quark(), AsyncExec.Error.WORKER_DIED)
        self.assertEqual((error.exit_status, error.signal), (None, None))

    def test_exceptions_user_exception(self):
        raised = []

        def fail():
            raised.append(LookupError("x"))
            raise raised[0]

        with self.assertRaises(LookupError) as caught:
            self.pool.submit(fail).result()
        self.assertIs(caught.exception, raised[0])
        raised.clear()

    def test_exceptions_that_end_programs(self):
        for kind in (KeyboardInterrupt, SystemExit):
            def leave(kind=kind):
                raise kind("x")

            with self.assertRaises(kind):
                self.pool.submit(leave).result()
            with self.assertRaises(kind):
                AsyncExec.run(leave)

    def test_exceptions_stop_iteration(self):
        def fail():
            raise StopIteration(7)

        error = self.pool.submit(fail).exception()
        self.assertIsInstance(error, RuntimeError)
        self.assertIsInstance(error.__cause__, StopIteration)

    def test_exceptions_enum_is_the_enum(self):
        self.assertEqual(AsyncExec.Error.CLOSED.value_nick, "closed")
        self.assertEqual(AsyncExec.Error(AsyncExec.Closed().code), AsyncExec.Error.CLOSED)


if __name__ == "__main__":
    unittest.main()
