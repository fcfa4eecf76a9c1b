# SPDX-License-Identifier: LGPL-2.1-or-later
"""Executors: pools, callers, and those that Python makes."""

import gc
import threading
import unittest

from gi.repository import AsyncExec, Gio, GLib

import aextest


class Watched:
    """Says on which thread it ended."""

    def __init__(self, seen):
        self.seen = seen

    def __del__(self):
        self.seen.append(threading.current_thread())

    def method(self):
        return 1


AsyncExec.Executor.get_default()      # once made, it stays


class Pools(unittest.TestCase):
    def test_names_submit(self):
        with AsyncExec.ThreadPool(2, name="pool") as pool:
            self.assertEqual(pool.submit(dict, a=1).result(), {"a": 1})
            self.assertEqual(pool.run(max, 1, 2), 2)
            self.assertEqual((pool.name, pool.max_workers), ("pool", 2))
            with self.assertRaises(TypeError):
                pool.submit(1)

    def test_fact7_arguments_end_at_home(self):
        seen = []
        with AsyncExec.ThreadPool(1) as pool:
            pool.submit(Watched(seen).method).result()
            pool.submit(len, [Watched(seen)]).result()
        aextest.iterate_until(lambda: len(seen) == 2)
        self.assertEqual(set(seen), {threading.current_thread()})

    def test_R6_never_started(self):
        seen, gate = [], aextest.Gate()
        with AsyncExec.ThreadPool(1) as pool:
            pool.submit(gate.hold)
            gate.wait()
            pool.submit(Watched(seen).method).cancel()
            gate.open()
        aextest.iterate_until(lambda: seen)
        self.assertEqual(seen, [threading.current_thread()])

    def test_R10_thread_enters_python_once(self):
        local = threading.local()

        def count():
            local.n = getattr(local, "n", 0) + 1
            return local.n

        with AsyncExec.ThreadPool(1) as pool:
            self.assertEqual([pool.submit(count).result() for _ in range(3)], [1, 2, 3])

    def test_K23_closed(self):
        pool = AsyncExec.ThreadPool(1)
        pool.shutdown().result()
        pending = pool.submit(int)
        self.assertTrue(pending.done() and pending.cancelled())
        with self.assertRaises(AsyncExec.Closed):
            pending.result()

    def test_exceptions_busy(self):
        gate = aextest.Gate()
        with AsyncExec.ThreadPool(1) as pool:
            pool.submit(gate.hold)
            gate.wait()
            pool.max_pending = 1
            pool.submit(int)
            self.assertIsInstance(pool.submit(int).exception(), AsyncExec.Busy)
            gate.open()

    def test_exceptions_system_exit(self):
        with AsyncExec.ThreadPool(1) as pool:
            for kind in (SystemExit, KeyboardInterrupt, GeneratorExit):
                def leave(kind=kind):
                    raise kind(3)
                with self.assertRaises(kind):
                    pool.submit(leave).result()

    def test_check_cancelled(self):
        started, cancelled = threading.Event(), threading.Event()

        def work():
            started.set()
            cancelled.wait()
            AsyncExec.check_cancelled()

        with AsyncExec.ThreadPool(1) as pool:
            pending = pool.submit(work)
            started.wait()
            pending.cancel("enough")
            cancelled.set()
            with self.assertRaisesRegex(AsyncExec.Cancelled, "enough"):
                pending.result()

    def test_options(self):
        gate = aextest.Gate()
        with AsyncExec.ThreadPool(1) as pool:
            pool.submit(gate.hold)
            gate.wait()
            cancellable = Gio.Cancellable()
            named = pool.options(name="n", metadata={"k": 1}).submit(int)
            late = pool.options(timeout=0.001).submit(int)
            gone = pool.options(cancellable=cancellable).submit(int)
            cancellable.cancel()
            self.assertEqual((named.name, named.dup_metadata("k").unpack()), ("n", 1))
            with self.assertRaises(AsyncExec.Timeout):
                late.result()
            with self.assertRaises(AsyncExec.Cancelled):
                gone.result()
            gate.open()
            self.assertEqual(named.result(), 0)

    def test_with_cancels_on_exception(self):
        gate = aextest.Gate()
        with self.assertRaises(ZeroDivisionError):
            with AsyncExec.ThreadPool(1) as pool:
                pool.submit(gate.hold)
                gate.wait()
                queued = pool.submit(int)
                gate.open()
                1 / 0
        self.assertTrue(queued.done())

    def test_K17_unhandled_error_is_logged(self):
        def bad():
            raise KeyError("nobody sees")

        with self.assertLogs("asyncexec", "ERROR") as logged:
            with AsyncExec.ThreadPool(1) as pool:
                pool.submit(bad)
            context = GLib.MainContext.default()
            while context.iteration(False):
                pass
        self.assertIn("nobody sees", "".join(logged.output))

    def test_K17_handled_error_is_not_logged(self):
        seen = []
        with self.assertNoLogs("asyncexec"):
            with AsyncExec.ThreadPool(1) as pool:
                pool.connect("unhandled-error", lambda executor, pending, error: seen.append(error.message) or True)
                pool.submit(lambda: [].pop())
            aextest.iterate_until(lambda: seen)
        self.assertIn("IndexError", seen[0])

    def test_K17_unhandled_error_is_said_once(self):
        done = aextest.run_script("""
            with AsyncExec.ThreadPool(1) as pool:
                pool.submit(lambda: [].pop())
        """)
        self.assertEqual(done.stderr.count("IndexError"), 1, done.stderr)
        self.assertIn("Traceback", done.stderr)

    def test_post(self):
        with AsyncExec.ThreadPool(1) as pool:
            done = threading.Event()
            pool.post(done.set)
            done.wait()

    def test_nested_wait_in_a_job(self):
        with AsyncExec.ThreadPool(1) as pool:
            self.assertEqual(pool.submit(lambda: pool.submit(int).result()).result(), 0)

    def test_default(self):
        self.assertIs(AsyncExec.Executor.get_default(), AsyncExec.Executor.get_default())


class Callers(unittest.TestCase):
    def test_K1_same_object(self):
        self.assertIs(AsyncExec.Caller.current(), AsyncExec.Caller.get_main())
        self.assertEqual(AsyncExec.Caller.get_current().context, AsyncExec.Caller.get_main().context)

    def test_K2_no_context(self):
        with self.assertRaises(GLib.Error) as caught:
            aextest.in_thread(AsyncExec.Caller.current)
        self.assertTrue(caught.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.NO_CONTEXT))

    def test_K4_new_thread(self):
        with AsyncExec.Caller.new_thread("worker") as caller:
            self.assertIsNot(caller.submit(threading.get_ident).result(), threading.get_ident())
            self.assertEqual(caller.call_later(0.001, int).result(), 0)
            # Held here: a plain stop would leave it alone.
            caller.stop(force=True)
            self.assertTrue(caller.stopped.result() is None)

    def test_call_later_with_a_coroutine(self):
        async def main(value):
            await AsyncExec.sleep(0.001)
            return value

        self.assertEqual(AsyncExec.Caller.current().call_later(0.001, main, 4).result(), 4)

    def test_not_constructed(self):
        with self.assertRaises(TypeError):
            AsyncExec.Caller()


class Later(AsyncExec.Executor):
    """Runs jobs in idle callbacks."""

    def do_dispatch(self, job):
        GLib.idle_add(lambda: (job.run(), GLib.SOURCE_REMOVE)[1])


class Refusing(AsyncExec.Executor):
    def __init__(self, failure):
        super().__init__()
        self.failure = failure

    def do_dispatch(self, job):
        raise self.failure


class Subclasses(unittest.TestCase):
    def test_R11_dispatch(self):
        executor = Later()
        self.assertEqual(executor.submit(lambda: 5).result(), 5)
        executor.shutdown().result()

    def test_fact10_exception_rejects_the_job(self):
        for failure in (KeyError("x"), GLib.Error("m", "d", 1)):
            executor = Refusing(failure)
            with self.assertRaises(type(failure)) as caught:
                executor.submit(int).result()
            self.assertIs(caught.exception, failure)
            executor.shutdown().result()
            del executor
        gc.collect()

    def test_R12_final(self):
        with self.assertRaises((TypeError, RuntimeError)):
            type("Mine", (AsyncExec.Pending,), {})()


if __name__ == "__main__":
    unittest.main()
