# SPDX-License-Identifier: LGPL-2.1-or-later
"""The names that Python has for what C offers: one test for each row of the table, and the rules behind them."""

import inspect
import unittest

from gi.repository import AsyncExec, Gio, GLib, GObject

import aextest

Pending = AsyncExec.Pending


class Pendings(unittest.TestCase):
    def test_names_pending_new(self):
        self.assertEqual(Pending().state, AsyncExec.PendingState.RUNNING)

    def test_names_pending_resolve(self):
        pending = Pending()
        self.assertIs(pending.resolve(), True)
        self.assertIs(pending.resolve(2), False)
        self.assertIsNone(pending.result())

    def test_names_pending_reject(self):
        pending = Pending()
        self.assertIs(pending.reject(KeyError("x")), True)
        self.assertIs(pending.reject(KeyError), False)

    def test_names_pending_follow_and_cancel(self):
        pending, other = Pending(), Pending()
        self.assertIs(pending.follow(other), True)
        self.assertIs(other.cancel("why"), True)
        self.assertIs(pending.cancel(), True)
        self.assertIs(Pending.resolved(1).cancel(), False)

    def test_names_pending_is_done_and_is_cancelled(self):
        pending = Pending()
        self.assertEqual((pending.done(), pending.cancelled()), (False, False))
        pending.cancel()
        self.assertEqual((pending.done(), pending.cancelled()), (True, True))

    def test_names_pending_dup_value(self):
        self.assertEqual(Pending.resolved("x").peek(), "x")
        with self.assertRaises(AsyncExec.NotDone):
            Pending().peek()

    def test_names_pending_wait(self):
        self.assertEqual(Pending.resolved(1).result(), 1)
        self.assertEqual(Pending.resolved(1).result(timeout=0), 1)

    def test_names_pending_dup_error(self):
        self.assertIsNone(Pending.resolved(1).exception(timeout=0))
        self.assertIsNone(Pending.resolved(1).peek_exception())

    def test_names_pending_wait_async(self):
        async def main():
            return await Pending.resolved(1), await Pending.resolved(2).wait(timeout=1)

        self.assertEqual(AsyncExec.run(main), (1, 2))

    def test_names_pending_run_until_done(self):
        self.assertIsNone(Pending.sleep(0.001).run_until_done(timeout=60))

    def test_names_pending_add_and_remove_done_callback(self):
        pending, seen = Pending(), []
        pending.add_done_callback(lambda pending, *more: seen.append(more), 1, 2)
        number = pending.add_done_callback(seen.append)
        self.assertEqual(pending.remove_done_callback(number), 1)
        pending.add_done_callback(seen.append)
        pending.add_done_callback(seen.append)
        self.assertEqual(pending.remove_done_callback(seen.append), 2)
        pending.resolve()
        aextest.iterate_until(lambda: seen)
        self.assertEqual(seen, [(1, 2)])

    def test_names_pending_then_catch_finally(self):
        seen = []
        self.assertEqual(Pending.resolved(1).then(lambda value: value + 1).result(), 2)
        self.assertEqual(Pending.rejected(KeyError("x")).catch(lambda error: error.args).result(), ("x",))
        self.assertEqual(Pending.resolved(3).finally_(lambda: seen.append(1)).result(), 3)
        self.assertEqual(seen, [1])
        self.assertEqual(Pending.resolved(1).then(lambda value: Pending.resolved("followed")).result(), "followed")

    def test_names_pending_combinators(self):
        pendings = [Pending.resolved(1), Pending.resolved(2)]
        self.assertEqual(Pending.all(pendings).result(), [1, 2])
        self.assertEqual(Pending.all_settled(pendings).result(), pendings)
        self.assertEqual(Pending.any(pendings).result(), 1)
        self.assertEqual(Pending.first(pendings).result(), 1)
        self.assertEqual(Pending.all([]).result(), [])

    def test_names_pending_with_timeout(self):
        pending = Pending()
        with self.assertRaises(AsyncExec.Timeout):
            pending.with_timeout(0.001).result()

    def test_names_pending_progress_and_messages(self):
        def work():
            AsyncExec.report_progress(0.5, "half")
            return AsyncExec.publish({"a": [1, 2.5, "x", None]})

        seen = []
        with AsyncExec.ThreadPool(1) as pool:
            gate = aextest.Gate()
            pool.submit(gate.hold)
            pending = pool.submit(work)
            pending.subscribe(seen.append)
            gate.open()
            self.assertIs(pending.result(), True)
            aextest.iterate_until(lambda: seen)
        self.assertEqual(seen, [{"a": [1, 2.5, "x", None]}])

    def test_names_pending_get_current(self):
        self.assertIsNone(AsyncExec.current_pending())
        with AsyncExec.ThreadPool(1) as pool:
            seen = []
            pending = pool.submit(lambda: seen.append(AsyncExec.current_pending()))
            pending.result()
            self.assertEqual(seen, [pending])
            seen.clear()

    def test_names_pending_new_for_gio(self):
        self.assertTrue(Pending.from_gio(Gio.File.new_for_path("/").query_info_async, "standard::name", 0, 0).result())

    def test_names_pending_sleep(self):
        self.assertIsNone(AsyncExec.sleep(0.001).result())
        self.assertIsNone(Pending.sleep(0).result())

    def test_names_pending_as_completed(self):
        pendings = [Pending.resolved(1), Pending.resolved(2)]
        self.assertEqual([p.peek() for p in AsyncExec.as_completed(pendings, timeout=60)], [1, 2])


class Executors(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=2)
        self.addCleanup(lambda: self.pool.shutdown().result())

    def test_names_executor_submit(self):
        self.assertEqual(self.pool.submit(int, "11", base=2).result(), 3)
        # A parameter may have the name of one of ours.
        self.assertEqual(self.pool.submit(dict, fn=1, self=2).result(), {"fn": 1, "self": 2})

    def test_names_executor_submit_async(self):
        async def double(n):
            await AsyncExec.sleep(0.001)
            return 2 * n

        self.assertEqual(self.pool.submit(double, 4).result(), 8)

    def test_names_executor_submit_full(self):
        view = self.pool.options(name="named", priority=AsyncExec.Priority.HIGH, timeout=60,
                                 cancellable=Gio.Cancellable(), metadata={"k": "v"})
        pending = view.submit(int)
        self.assertEqual(pending.name, "named")
        self.assertEqual(pending.result(), 0)
        self.assertEqual(list(view.map(abs, [-1, -2])), [1, 2])

    def test_names_executor_post(self):
        gate = aextest.Gate()
        self.pool.post(gate.hold)
        gate.wait()
        gate.open()

    def test_names_executor_call(self):
        value = self.pool.call("file-load", path="/proc/self/comm").result()
        with open("/proc/self/comm", "rb") as file:
            self.assertEqual(bytes(value), file.read())
        limited = self.pool.options(timeout=60).call("file-checksum", path="/proc/self/comm", length=1)
        self.assertTrue(limited.result())
        for name, parameters in (("file-load", {"pth": "/"}), ("file-load", {"path": 5}), ("no-such-operation", {})):
            with self.subTest(name, **parameters), self.assertRaises((GLib.Error, TypeError)):
                self.pool.call(name, **parameters).result()

    def test_names_executor_run(self):
        self.assertEqual(self.pool.run(pow, 2, 3), 8)

    def test_names_executor_map(self):
        self.assertEqual(list(self.pool.map(pow, [2, 3], [3, 2])), [8, 9])
        items = list(self.pool.map(int, ["1", "x"], return_exceptions=True, ordered=True, max_concurrent=1, timeout=60))
        self.assertEqual(items[0], 1)
        self.assertIsInstance(items[1], ValueError)

    def test_names_executor_run_multiple(self):
        done = dict(self.pool.run_multiple([lambda: 1, lambda: 2], max_workers=2, timeout=60))
        self.assertEqual(done, {1: None, 2: None})

    def test_names_executor_shutdown(self):
        pool = AsyncExec.ThreadPool(1)
        self.assertIsNone(pool.shutdown(cancel_pending=True, cancel_running=True).result())
        self.assertEqual(pool.state, AsyncExec.ExecutorState.STOPPED)

    def test_names_executor_default(self):
        done = aextest.run_script("""
            pool = AsyncExec.ThreadPool(1)
            before = AsyncExec.Executor.get_default()
            AsyncExec.Executor.set_default(pool)
            print(AsyncExec.Executor.get_default() is pool)
            AsyncExec.Executor.set_default(None)
            print(AsyncExec.Executor.get_default() in (pool, before), AsyncExec.Executor.get_default().run(pow, 2, 3))
            """)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("True\nFalse 8\n", "", 0))

    def test_names_caller(self):
        seen = []
        caller = AsyncExec.Caller.current()
        self.assertIs(caller, AsyncExec.Caller.get_main())
        caller.call_soon(seen.append, 1)
        caller.call_later(0.001, seen.append, 2)
        aextest.iterate_until(lambda: len(seen) == 2)
        self.assertEqual(seen, [1, 2])

    def test_names_caller_run(self):
        self.assertEqual(AsyncExec.run(pow, 2, 3), 8)


class Rules(unittest.TestCase):
    CLASSES = ("Pending", "Executor", "ThreadPool", "Caller", "PendingStream")

    def test_fact3_no_name_is_a_keyword(self):
        import keyword
        for name in self.CLASSES:
            self.assertFalse([n for n in dir(getattr(AsyncExec, name)) if keyword.iskeyword(n)])
        self.assertTrue(hasattr(Pending, "finally_"))

    def test_fact12_durations_are_seconds(self):
        with AsyncExec.ThreadPool(1, idle_timeout=5.5) as pool:
            self.assertEqual(pool.idle_timeout, 5.5)
            self.assertEqual(pool.get_idle_timeout(), 5.5)
            pool.idle_timeout = None
            self.assertIsNone(pool.idle_timeout)
            with self.assertRaises(TypeError):
                AsyncExec.ThreadPool(1, idle_timeout_us=5)

    def test_fact8_never_false(self):
        self.assertTrue(Pending())
        with AsyncExec.ThreadPool(1) as pool:
            self.assertTrue(pool)
            self.assertTrue(pool.map(int, []))

    def test_R12_final_types_say_so(self):
        with self.assertRaises((TypeError, RuntimeError)):
            type("Sub", (Pending,), {})

    def test_R12_executors_are_derivable(self):
        class Here(AsyncExec.Executor):
            __gtype_name__ = "TestNamesHere"

            def do_dispatch(self, job):
                job.run()

        executor = Here()
        self.assertEqual(executor.submit(pow, 2, 3).result(), 8)
        executor.shutdown().result()

    def test_R13_everything_is_an_object(self):
        for name in self.CLASSES:
            self.assertTrue(issubclass(getattr(AsyncExec, name), GObject.Object))

    def test_R9_constructors_do_not_wait(self):
        gate = aextest.Gate()
        with AsyncExec.ThreadPool(1) as pool:
            pool.submit(gate.hold)
            gate.wait()
            # A worker is busy, the interpreter is not.
            pools = [AsyncExec.ThreadPool(1) for _ in range(10)]
            gate.open()
        for other in pools:
            other.shutdown().result()

    def test_methods_have_signatures_and_words(self):
        """help() works: what is ours is Python."""
        for name in self.CLASSES:
            cls = getattr(AsyncExec, name)
            for attribute, value in vars(cls).items():
                if attribute.startswith("_") or not (inspect.isfunction(value) or isinstance(value, (staticmethod, property))):
                    continue
                self.assertTrue(inspect.getdoc(value), f"{name}.{attribute} has no words")
        self.assertIn("timeout", inspect.signature(Pending.result).parameters)
        for name in ("run", "spawn", "handler", "sleep", "as_completed", "current_pending", "check_cancelled"):
            self.assertTrue(inspect.getdoc(getattr(AsyncExec, name)), name)

    def test_no_constructor_crashes(self):
        done = aextest.run_script("""
            for name in dir(AsyncExec):
                kind = getattr(AsyncExec, name)
                if isinstance(kind, type) and issubclass(kind, GObject.Object):
                    try:
                        kind()
                    except Exception as error:
                        print(name, type(error).__name__)
            print("end")
            """)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.endswith("end\n"), done.stdout)


class WithoutOverride(unittest.TestCase):
    """Who has only the typelib: R3, fact 1."""

    def test_R3_await_is_an_error(self):
        done = aextest.run_script("""
            import asyncio

            async def main():
                pending = AsyncExec.Pending.new()
                pending.resolve(1)
                await pending

            try:
                asyncio.run(main())
            except TypeError as error:
                print(error)
            """, override=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("can't be used in 'await'", done.stdout)

    def test_R2_exception_of_a_raw_job_is_a_failure(self):
        done = aextest.run_script("""
            import sys
            sys.excepthook = lambda *args: None

            def fail(*args):
                raise KeyError("x")

            pool = AsyncExec.ThreadPool.new(1)
            pending = pool.submit(fail, None)
            try:
                pending.wait(AsyncExec.WaitFlags.NONE, -1, None)
            except GLib.Error as error:
                print(error.domain, error.code, error.message)
            """, override=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("job failed without setting an error", done.stdout)

    def test_R1_raw_job_sets_its_outcome(self):
        done = aextest.run_script("""
            def job(pending, cancellable, *user_data):
                pending.resolve([1, "two"])
                return True

            pool = AsyncExec.ThreadPool.new(1)
            pending = pool.submit(job, None)
            pending.wait(AsyncExec.WaitFlags.NONE, -1, None)
            print(pending.dup_value())
            """, override=False)
        self.assertEqual((done.returncode, done.stdout), (0, "[1, 'two']\n"), done.stderr)

    def test_R17_abandoned_promise_at_exit(self):
        done = aextest.run_script("""
            pending = AsyncExec.Pending()
            pending.add_done_callback(print)
            kept = [AsyncExec.Pending() for _ in range(3)]
            """, override=False)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
