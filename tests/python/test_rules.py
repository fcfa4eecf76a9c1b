# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rules for bindings, R1 to R18, as far as they are Python's and no other file shows them."""

import gc
import math
import threading
import unittest

from gi.overrides._asyncexec import exit as exits
from gi.repository import AsyncExec, Gio, GLib

import aextest

Pending = AsyncExec.Pending


class Thing:
    """Tells on which thread it died."""

    def __init__(self, gone):
        self.gone = gone

    def __del__(self):
        self.gone.append(threading.get_ident())


class Rules(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=1)
        self.addCleanup(lambda: self.pool.shutdown().result())

    def test_R10_reference_made_while_another_is_dropped(self):
        """A wrapper that has attributes wants Python's lock when C makes a reference, and GLib its own when one goes."""
        done = aextest.run_script("""
            over, told = False, []
            def drop():
                n = 0
                while not over:
                    pending = AsyncExec.Pending()
                    pending.mark = n
                    AsyncExec.Pending.all([pending]).cancel()
                    del pending
                    n += 1
                return n
            pool = AsyncExec.ThreadPool(1)
            job = pool.submit(drop)
            for n in range(2000):
                limiter = AsyncExec.Limiter(pool, 1)
                limiter.mark = n
                limiter.connect("notify::state", lambda *arguments: told.append(None))
                limiter.shutdown()
                while len(told) < n:
                    GLib.MainContext.default().iteration(True)
            over = True
            print(job.result() > 0)
            """)
        self.assertEqual((done.stdout, done.returncode), ("True\n", 0), done.stderr)

    def test_R10_lock_that_is_not_found(self):
        """A Python whose lock C does not find is told so, and works."""
        done = aextest.run_script("""
            import importlib, warnings
            from gi.overrides._asyncexec import raw
            raw.module.python_protect_references = lambda: False
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                importlib.reload(raw)
            print([warning.category.__name__ for warning in seen if "lock of this Python" in str(warning.message)])
            print(AsyncExec.ThreadPool(1).submit(int).result())
            """)
        self.assertEqual((done.stdout, done.returncode), ("['RuntimeWarning']\n0\n", 0), done.stderr)

    def test_R3_values_travel_as_they_are(self):
        plain = [None, True, False, 0, -1, 2**31, 2**63 - 1, -2**63, 1.5, math.inf, "", "täxt", "nul\0inside", "\ud800"]
        for value in plain:
            back = self.pool.submit(lambda value=value: value).result()
            self.assertEqual((type(back), back), (type(value), value))
        objects = [2**63, -2**70, [1, [2]], {"a": None}, (1,), {1}, b"bytes", object(), print, Thing, lambda: 0,
                   KeyError("as a value"), Gio.ListStore()]
        for value in objects:
            self.assertIs(self.pool.submit(lambda value=value: value).result(), value)
        self.assertEqual(self.pool.submit(GLib.Variant, "s", "x").result(), GLib.Variant("s", "x"))
        self.assertTrue(math.isnan(self.pool.submit(float, "nan").result()))

    def test_R3_exceptions_travel_as_they_are(self):
        class Own(BaseException):
            pass

        for error in (KeyError("x"), Own(1, 2), OSError(2, "no"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
                      GLib.Error("own", "own-domain", 7)):
            pending = Pending.rejected(error)
            self.assertIs(pending.exception(), error)

    def test_R5_signals_come_on_the_owner(self):
        seen = []
        pending = Pending()
        pending.connect("notify::progress", lambda *args: seen.append(threading.get_ident()))
        aextest.in_thread(pending.set_progress, 0.5)
        self.assertEqual(seen, [])
        aextest.iterate_until(lambda: seen)
        self.assertEqual(seen, [threading.get_ident()])

    def test_R5_callbacks_come_on_the_owner(self):
        seen = []
        pending = Pending()
        pending.add_done_callback(lambda pending: seen.append(threading.get_ident()))
        pending.then(lambda value: seen.append(threading.get_ident()))
        aextest.in_thread(pending.resolve, 1)
        self.assertEqual(seen, [])
        aextest.iterate_until(lambda: len(seen) == 2)
        self.assertEqual(set(seen), {threading.get_ident()})

    def test_R6_what_a_job_was_given_is_released_on_the_owner(self):
        gone = []
        pending = self.pool.submit(lambda thing: None, Thing(gone))
        pending.result()
        aextest.iterate_until(lambda: gone)
        self.assertEqual(gone, [threading.get_ident()])

    def test_R6_also_when_it_never_started(self):
        gone, gate = [], aextest.Gate()
        self.pool.submit(gate.hold)
        gate.wait()
        pending = self.pool.submit(lambda thing: None, Thing(gone))
        pending.cancel()
        gate.open()
        aextest.iterate_until(lambda: gone)
        self.assertEqual(gone, [threading.get_ident()])

    def test_R7_a_value_is_let_go_on_the_owner(self):
        # Where nobody runs the owner's context it would go at once.
        gone = []
        box = [Pending.resolved(Thing(gone))]
        loop = GLib.MainLoop()
        thread = threading.Thread(target=box.clear)
        GLib.idle_add(thread.start)
        GLib.idle_add(lambda: loop.quit() if gone else True)
        loop.run()
        thread.join()
        self.assertEqual(gone, [threading.get_ident()])

    def test_R8_setters_while_workers_drop_objects(self):
        for n in range(aextest.scale(5000)):
            self.pool.submit(lambda: Pending.resolved(object()) and None)
            self.pool.max_pending = 0
            self.pool.idle_timeout = 1 + n % 3

    def test_R10_a_worker_enters_python_once(self):
        local = threading.local()

        def count():
            local.n = getattr(local, "n", 0) + 1
            return local.n, threading.get_ident()

        seen = [self.pool.submit(count).result() for _ in range(5)]
        self.assertEqual([n for n, _ in seen], [1, 2, 3, 4, 5])
        self.assertEqual(len({thread for _, thread in seen}), 1)

    def test_R10_no_thread_stays_known(self):
        before, entries = threading.enumerate(), len(exits._entries)
        with AsyncExec.ThreadPool(1) as pool:
            pool.submit(threading.current_thread).result()
        # The pool has stopped when its jobs are done; a thread leaves a little later, and tells the exit hook.
        exits.wait_for_threads(entries)
        self.assertEqual(threading.enumerate(), before)

    def test_R16_waiting_runs_the_loop_of_this_thread(self):
        pending = Pending()
        GLib.idle_add(lambda: not pending.resolve("idle"))
        self.assertEqual(pending.result(), "idle")

    def test_R16_control_c_gets_through(self):
        done = aextest.run_script("""
            import os, signal, threading
            pool = AsyncExec.ThreadPool(1)
            gate, waiting = threading.Event(), threading.Event()
            # Runs when result() iterates the context.
            GLib.idle_add(waiting.set)

            def job():
                waiting.wait()
                os.kill(os.getpid(), signal.SIGINT)
                gate.wait()

            pending = pool.submit(job)
            try:
                pending.result()
            except KeyboardInterrupt:
                print("interrupted", pending.done())
            gate.set()
            """)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("interrupted False\n", "", 0))

    def test_R16_on_a_thread_without_a_context_it_blocks(self):
        pending = self.pool.submit(pow, 2, 3)
        self.assertEqual(aextest.in_thread(pending.result), 8)

    def test_R17_a_callback_keeps_nothing_alive(self):
        gone, called = [], []
        thing = Thing(gone)
        pending = Pending()
        pending.add_done_callback(lambda pending, thing: called.append(1), thing)
        derived = pending.then(lambda value, thing=thing: called.append(2))
        del thing, pending
        self.assertEqual(getattr(derived.exception(), "code", None), int(AsyncExec.Error.ABANDONED))
        gc.collect()
        aextest.iterate_until(lambda: gone)
        self.assertEqual((gone, called), ([threading.get_ident()], []))


class Exit(unittest.TestCase):
    """The interpreter ends with work in every state."""

    def ends(self, body, stdout="end\n"):
        done = aextest.run_script(body)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (stdout, "", 0))

    def test_queued_and_running(self):
        self.ends("""
            import time
            pool = AsyncExec.ThreadPool(2)
            for _ in range(1000):
                pool.submit(time.sleep, 0.001)
            print("end")
            """)

    def test_default_pool_and_callers(self):
        self.ends("""
            executor = AsyncExec.Executor.get_default()
            executor.submit(int)
            thread = AsyncExec.Caller.new_thread("t")
            thread.submit(int)
            AsyncExec.Caller.get_main().call_later(3600, int)
            AsyncExec.sleep(3600)
            print("end")
            """)

    def test_futures_in_flight(self):
        self.ends("""
            import time
            pool = AsyncExec.ThreadPool(1)
            futures = [pool.submit(time.sleep, 0.01).as_concurrent() for _ in range(3)]
            executor = pool.as_concurrent()
            executor.submit(time.sleep, 0.01)
            print("end")
            """)


if __name__ == "__main__":
    unittest.main()
