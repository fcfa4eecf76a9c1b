# SPDX-License-Identifier: LGPL-2.1-or-later
"""Promises: what they hold, who waits for them, and what is raised."""

import asyncio
import concurrent.futures
import threading
import unittest

from gi.repository import AsyncExec, Gio, GLib, GObject

import aextest


class Own:
    """Something that C knows nothing of."""


class Values(unittest.TestCase):
    def test_K48_value(self):
        own = Own()
        for value in (None, True, 0, -1, 2**31, 2**63 - 1, 2**63, -2**70, 1.5, "", "text", "nul\0in it", "\ud800",
                      b"bytes", [1], {"a": 1}, (1, 2), own, Own, len, ValueError("as a value")):
            pending = AsyncExec.Pending()
            self.assertTrue(pending.resolve(value))
            self.assertEqual(pending.result(), value)
            self.assertIs(type(pending.peek()), type(value))
        self.assertIs(AsyncExec.Pending.resolved(own).result(), own)

    def test_R4_objects_of_glib(self):
        store = Gio.ListStore()
        self.assertIs(AsyncExec.Pending.resolved(store).result(), store)
        variant = GLib.Variant("(si)", ("a", 1))
        self.assertEqual(AsyncExec.Pending.resolved(variant).result().unpack(), ("a", 1))

    def test_K47_set_already(self):
        pending = AsyncExec.Pending.resolved(1)
        self.assertFalse(pending.resolve(Own()))
        self.assertFalse(pending.reject(KeyError("late")))
        self.assertFalse(pending.cancel())
        self.assertEqual(pending.result(), 1)

    def test_fact7_value_is_let_go_with_its_pending(self):
        seen = []

        class Watched:
            def __del__(self):
                seen.append(threading.current_thread())

        pending = AsyncExec.Pending.resolved(Watched())
        derived = pending.shield()
        del pending
        self.assertEqual(seen, [])
        del derived
        self.assertEqual(seen, [threading.current_thread()])

    def test_follow_carries_objects(self):
        own, pending, other = Own(), AsyncExec.Pending(), AsyncExec.Pending()
        pending.follow(other)
        other.resolve(own)
        self.assertIs(pending.result(), own)

    def test_K44_weakref_and_attributes(self):
        pending = AsyncExec.Pending()
        ref = pending.weak_ref()
        self.assertIs(ref(), pending)
        self.assertTrue(pending)


class Failures(unittest.TestCase):
    def test_K32_raises_same_object(self):
        exception = KeyError("mine")
        pending = AsyncExec.Pending.rejected(exception)
        for read in (pending.result, pending.peek, pending.shield().result):
            with self.assertRaises(KeyError) as caught:
                read()
            self.assertIs(caught.exception, exception)
        self.assertIs(pending.exception(), exception)

    def test_own_glib_error_is_itself(self):
        error = GLib.Error.new_literal(Gio.io_error_quark(), "no", Gio.IOErrorEnum.NOT_FOUND)
        with self.assertRaises(GLib.Error) as caught:
            AsyncExec.Pending.rejected(error).result()
        self.assertIs(caught.exception, error)

    def test_reject_class_and_nonsense(self):
        self.assertIsInstance(AsyncExec.Pending.rejected(KeyError).exception(), KeyError)
        with self.assertRaises(TypeError):
            AsyncExec.Pending().reject("text")

    def test_K48_not_done(self):
        pending = AsyncExec.Pending()
        with self.assertRaises(AsyncExec.NotDone) as caught:
            pending.peek()
        self.assertIsInstance(caught.exception, asyncio.InvalidStateError)
        self.assertIsInstance(caught.exception, GLib.Error)
        with self.assertRaises(AsyncExec.NotDone):
            pending.peek_exception()

    def test_K51_cancel(self):
        pending = AsyncExec.Pending()
        self.assertTrue(pending.cancel("why"))
        self.assertTrue(pending.cancelled() and pending.done())
        with self.assertRaises(AsyncExec.Cancelled) as caught:
            pending.result()
        self.assertEqual(str(caught.exception), "why")
        self.assertIsInstance(caught.exception, concurrent.futures.CancelledError)
        self.assertNotIsInstance(caught.exception, asyncio.CancelledError)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        with self.assertRaises(AsyncExec.Cancelled):
            pending.exception()

    def test_timeout_of_result_cancels_nothing(self):
        pending = AsyncExec.Pending()
        for wait in (lambda: pending.result(0.001), lambda: aextest.in_thread(pending.result, 0.001)):
            with self.assertRaises(AsyncExec.Timeout) as caught:
                wait()
            self.assertIsInstance(caught.exception, TimeoutError)
        self.assertFalse(pending.cancelled())

    def test_with_timeout(self):
        pending = AsyncExec.Pending()
        with self.assertRaises(AsyncExec.Timeout):
            pending.with_timeout(0.001).result()
        self.assertTrue(pending.cancelled())

    def test_negative_duration(self):
        with self.assertRaises(ValueError):
            AsyncExec.sleep(-1)


class Combined(unittest.TestCase):
    def test_all(self):
        self.assertEqual(AsyncExec.Pending.all(map(AsyncExec.Pending.resolved, (1, "b", [3]))).result(), [1, "b", [3]])
        self.assertEqual(AsyncExec.Pending.all([]).result(), [])

    def test_all_through_others(self):
        whole = AsyncExec.Pending.all([AsyncExec.Pending.resolved(1)])
        follower = AsyncExec.Pending()
        follower.follow(whole)
        for pending in (follower, whole.shield(), whole.with_timeout(60)):
            self.assertEqual(pending.result(), [1])

    def test_all_settled(self):
        members = [AsyncExec.Pending.resolved(1), AsyncExec.Pending.rejected(KeyError("x"))]
        self.assertEqual(AsyncExec.Pending.all_settled(members).result(), members)
        self.assertIsInstance(members[1].exception(), KeyError)

    def test_first(self):
        self.assertEqual(AsyncExec.Pending.first([AsyncExec.Pending(), AsyncExec.Pending.resolved(2)]).result(), 2)

    def test_exceptions_group(self):
        failures = [KeyError("a"), ValueError("b")]
        pending = AsyncExec.Pending.any(map(AsyncExec.Pending.rejected, failures))
        with self.assertRaises(AsyncExec.GroupError) as caught:
            pending.result()
        group = caught.exception
        self.assertIsInstance(group, GLib.Error)
        self.assertTrue(group.matches(AsyncExec.Error.quark(), AsyncExec.Error.GROUP))
        for found, expected in zip(group.exceptions, failures):
            self.assertIs(found, expected)
        try:
            pending.result()
        except* KeyError as matched:
            self.assertIs(matched.exceptions[0], failures[0])
            self.assertIsInstance(matched, AsyncExec.GroupError)
        except* ValueError:
            pass

    def test_not_pendings(self):
        with self.assertRaises(TypeError):
            AsyncExec.Pending.all([1])


class Callbacks(unittest.TestCase):
    def test_K56_fifo_never_inline(self):
        pending, seen = AsyncExec.Pending(), []
        pending.add_done_callback(lambda done, *args: seen.append(args), 1)
        pending.add_done_callback(lambda done, *args: seen.append(args), 2)
        pending.resolve()
        self.assertEqual(seen, [])
        aextest.iterate_until(lambda: len(seen) == 2)
        self.assertEqual(seen, [(1,), (2,)])

    def test_K56_remove(self):
        pending, seen = AsyncExec.Pending(), []
        first = pending.add_done_callback(seen.append)
        pending.add_done_callback(seen.append)
        self.assertEqual(pending.remove_done_callback(first), 1)
        self.assertEqual(pending.remove_done_callback(seen.append), 1)
        self.assertEqual(pending.remove_done_callback(seen.append), 0)

    def test_K56_exception_is_logged(self):
        pending, seen = AsyncExec.Pending(), []

        def bad(done):
            raise KeyError("in a callback")

        with self.assertLogs("asyncexec", "ERROR") as logged:
            pending.add_done_callback(bad)
            pending.add_done_callback(seen.append)
            pending.resolve()
            aextest.iterate_until(lambda: seen)
        self.assertIn("in a callback", logged.output[0])

    def test_then_catch_finally(self):
        seen = []
        chain = AsyncExec.Pending.resolved(2).then(lambda v: v + 1).then(lambda v: AsyncExec.Pending.resolved(v * 2))
        self.assertEqual(chain.finally_(lambda: seen.append("end")).result(), 6)
        self.assertEqual(seen, ["end"])
        failure = KeyError("x")
        caught = AsyncExec.Pending.rejected(failure).then(seen.append).catch(lambda e: e)
        self.assertIs(caught.result(), failure)
        with self.assertRaises(ZeroDivisionError):
            AsyncExec.Pending.resolved().finally_(lambda: 1 / 0).result()

    def test_catch_gets_cancellations(self):
        pending = AsyncExec.Pending()
        caught = pending.catch(type)
        pending.cancel()
        self.assertIs(caught.result(), AsyncExec.Cancelled)

    def test_K52_canceller(self):
        pending, seen = AsyncExec.Pending(), []
        pending.set_canceller(lambda p: (seen.append(1), p.resolve("late")))
        pending.cancel()
        self.assertFalse(pending.done())
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()
        self.assertEqual(seen, [1])


class Names(unittest.TestCase):
    def test_fact12_no_microseconds(self):
        pool = AsyncExec.ThreadPool(1, idle_timeout=5.5)
        self.assertEqual(pool.idle_timeout, 5.5)
        pool.idle_timeout = None
        self.assertIsNone(pool.get_idle_timeout())
        with self.assertRaises(TypeError):
            AsyncExec.ThreadPool(1, idle_timeout_us=5)
        pool.shutdown().result()

    def test_hidden(self):
        for name in ("dup_value", "wait_async", "add_continuation"):
            self.assertFalse(hasattr(AsyncExec.Pending, name))
        self.assertFalse(hasattr(AsyncExec.Caller, "ref_current"))

    def test_help(self):
        self.assertIn("Blocks until it is done", AsyncExec.Pending.result.__doc__)
        self.assertEqual(repr(AsyncExec.Pending[int]).rpartition(".")[2], "Pending[int]")

    def test_K50_repr(self):
        pending = AsyncExec.Pending()
        pending.name = "work"
        self.assertIn("work running", repr(pending))
        self.assertIsInstance(pending, GObject.Object)


if __name__ == "__main__":
    unittest.main()
