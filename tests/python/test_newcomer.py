# SPDX-License-Identifier: LGPL-2.1-or-later
"""What somebody who knows only the documentation stumbles over: nonsense, early ends, Ctrl-C."""

import asyncio
import gc
import traceback
import types
import unittest
import weakref

from gi.repository import AsyncExec, Gio

import aextest


class Nonsense(unittest.TestCase):
    def test_negative_window_loses_no_items(self):
        """It gave an empty list."""
        with AsyncExec.ThreadPool(1) as pool:
            for start in (lambda: pool.map(abs, iter([1]), max_concurrent=-1),
                          lambda: pool.run_multiple([int], max_workers=-1),
                          lambda: pool.map(abs, iter([1]), max_concurrent=float("nan")),
                          lambda: AsyncExec.as_completed(iter([AsyncExec.Pending.resolved()]), max_concurrent=-1)):
                with self.assertRaisesRegex(ValueError, "0 means all at once|greater than 0"):
                    start()

    def test_duration_that_is_no_number_is_named(self):
        for wrong, kind, message in (("1", TypeError, "number of seconds.*not str"), (-1, ValueError, "-1 is"),
                                     (float("nan"), ValueError, "nan is")):
            for use in (AsyncExec.sleep, AsyncExec.Pending.resolved().with_timeout,
                        lambda wrong: AsyncExec.ThreadPool(1, idle_timeout=wrong)):
                with self.assertRaisesRegex(kind, message):
                    use(wrong)

    def test_infinite_duration_is_no_limit(self):
        with AsyncExec.ThreadPool(1, idle_timeout=float("inf")) as pool:
            self.assertEqual(pool.options(timeout=float("inf")).submit(int).result(), 0)

    def test_continuation_that_is_not_callable_is_refused_where_it_is_given(self):
        pending = AsyncExec.Pending.resolved()
        for attach in (pending.then, pending.catch, pending.finally_, AsyncExec.Caller.get_main().set_wake_func):
            with self.assertRaisesRegex(TypeError, "a callable is needed, not str"):
                attach("fn")

    def test_follow_of_what_is_no_pending(self):
        pending = AsyncExec.Pending()
        with self.assertRaisesRegex(TypeError, "pendings are needed, not NoneType"):
            pending.follow(None)
        pending.cancel()

    def test_advance_by_none(self):
        with self.assertRaisesRegex(TypeError, "number of seconds"):
            AsyncExec.testing.advance(None)


class EarlyEnd(unittest.TestCase):
    def test_iterator_that_fails_after_items_loses_none(self):
        """What it gave before had been started, and was dropped."""
        def source():
            yield 1
            yield 2
            raise OSError("the source broke")

        with AsyncExec.ThreadPool(2) as pool:
            taken = []
            with self.assertRaisesRegex(OSError, "the source broke"):
                for value in pool.map(abs, source()):
                    taken.append(value)
        self.assertEqual(taken, [1, 2])


class Leaks(unittest.TestCase):
    def test_coroutine_that_raised_is_forgotten(self):
        """The table of jobs knew its context, that its pending, that the exception, and that the entry of the table."""
        class Local:
            pass

        local = []

        def body():
            kept = Local()
            local.append(weakref.ref(kept))
            raise ValueError

        async def coroutine():
            body()

        @types.coroutine
        def suspended():
            yield from AsyncExec.sleep(0).__await__()

        async def later():
            await suspended()
            body()

        class Early:
            """Like a functools.partial, it fails before there is a coroutine."""

            func = staticmethod(coroutine)

            def __call__(self):
                body()

        early = Early()
        with AsyncExec.ThreadPool(1) as pool:
            for run in (AsyncExec.run, pool.run, lambda fn: AsyncExec.spawn(fn).result()):
                for fn in (coroutine, later, early):
                    # assertRaises() would clear the frames.
                    try:
                        run(fn)
                    except ValueError as error:
                        self.assertEqual(error.__traceback__.tb_frame.f_code.co_name,
                                         "test_coroutine_that_raised_is_forgotten")
        AsyncExec.run(int)      # what is due to this thread is released
        gc.collect()
        self.assertEqual([ref() for ref in local], [None] * len(local))
        self.assertGreaterEqual(len(local), 9)

    def test_traceback_of_a_coroutine_shows_no_driver(self):
        async def coroutine():
            raise ValueError

        exception = AsyncExec.spawn(coroutine).exception()
        self.assertEqual([entry.name for entry in traceback.extract_tb(exception.__traceback__)], ["coroutine"])


class Fork(unittest.TestCase):
    def test_forked_child_ends_in_silence(self):
        """It waited at exit for the threads of its parent, and complained."""
        out = aextest.run_script("""
            import os, signal, sys, warnings
            # That such a child is in danger is Python's own opinion, since 3.12.
            warnings.simplefilter("ignore", DeprecationWarning)
            pool = AsyncExec.ThreadPool(1)
            pool.submit(int).result()
            for made in ([], [1]):
                child = os.fork()
                if child == 0:
                    signal.alarm(20)
                    kept = [AsyncExec.ThreadPool(n) for n in made]
                    sys.exit(0)
                print(os.waitpid(child, 0)[1], flush=True)
            """)
        self.assertEqual((out.stdout, out.stderr, out.returncode), ("0\n0\n", "", 0))

    def test_child_forked_before_first_use_waits_for_its_own_threads(self):
        out = aextest.run_script("""
            import os, signal, sys
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                pool = AsyncExec.ThreadPool(1)
                print(pool.submit(int).result())
                sys.exit(0)
            sys.exit(os.waitpid(child, 0)[1])
            """)
        self.assertEqual((out.stdout, out.stderr, out.returncode), ("0\n", "", 0))


class Unhandled(unittest.TestCase):
    def test_traceback_is_shown_also_without_a_pool(self):
        out = aextest.run_script("""
            async def broken():
                raise KeyError("k")

            loop = GLib.MainLoop()
            AsyncExec.spawn(broken)
            # After all that is due.
            GLib.idle_add(loop.quit, priority=GLib.PRIORITY_LOW)
            loop.run()
            """)
        self.assertIn("in broken", out.stderr)


class NextSync(unittest.TestCase):
    def test_next_sync_lets_ctrl_c_through(self):
        out = aextest.run_script("""
            import os, signal, threading
            stream = AsyncExec.PendingStream(1)
            main = AsyncExec.Caller.get_main()
            # The main thread iterates its context while it waits: the signal comes from there, in the wait.
            main.post(os.kill, os.getpid(), signal.SIGINT)
            try:
                stream.next_sync(20)
            except KeyboardInterrupt:
                print("interrupted")
            stream.push(1)
            print(stream.next_sync().peek_value())
            """)
        self.assertEqual((out.stdout, out.stderr), ("interrupted\n1\n", ""))

    def test_next_sync_timeout_eats_nothing(self):
        stream = AsyncExec.PendingStream(1)
        with self.assertRaises(AsyncExec.Timeout):
            stream.next_sync(0)
        stream.push("a")
        self.assertEqual(stream.next_sync(0).peek_value(), "a")
        stream.end()
        self.assertIsNone(stream.next_sync())

    def test_a_plain_for_in_a_coroutine_names_async_for(self):
        gate = aextest.Gate()

        async def main(stream):
            for _ in stream:
                self.fail("nothing is done yet")

        with AsyncExec.ThreadPool(1) as pool:
            for stream in (pool.map(gate.hold, [1]), AsyncExec.as_completed([pool.submit(gate.hold)])):
                with self.assertRaisesRegex(AsyncExec.WouldDeadlock, "use async for"):
                    asyncio.run(main(stream))
            gate.open()

    def test_options_that_are_none(self):
        with AsyncExec.ThreadPool(1) as pool:
            self.assertRaisesRegex(TypeError, "Priority", pool.options, priority="high")
            self.assertRaisesRegex(TypeError, "Priority", pool.options, priority=1e300)
            self.assertRaisesRegex(ValueError, "Priority", pool.options, priority=7)
            self.assertRaises(ValueError, pool.options, metadata="x")
            self.assertEqual(pool.options(priority=AsyncExec.Priority.HIGH, metadata={"a": 1}).submit(int).result(), 0)
        caller = AsyncExec.Caller.get_main()
        self.assertRaisesRegex(TypeError, "seconds", caller.call_later, None, int)
        self.assertRaisesRegex(TypeError, "seconds", caller.call_later, "soon", int)
        self.assertEqual(caller.call_later(-1, int).result(), 0)

    def test_next_sync_cancellable(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with self.assertRaises(AsyncExec.Cancelled):
            AsyncExec.PendingStream(1).next_sync(None, cancellable)


if __name__ == "__main__":
    unittest.main()
