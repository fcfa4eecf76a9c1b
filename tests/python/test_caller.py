# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers among each other: children, holds, threads for work, queues, and what they say of themselves."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading
import unittest

from gi.repository import AsyncExec, GLib, GObject

import aextest


who = contextvars.ContextVar("who", default="nobody")
Manager = AsyncExec.PendingManager


class Family(unittest.TestCase):
    def thread(self, name=None, **options):
        caller = AsyncExec.Caller.new_thread(name, **options)
        self.addCleanup(lambda: caller.stop(force=True).result())
        return caller

    def test_K5_manual_exists(self):
        context = GLib.MainContext.new()
        caller = AsyncExec.Caller.new_for_context(context, "manual")
        self.assertEqual(caller.name, "manual")
        self.assertEqual(caller.state, AsyncExec.ExecutorState.INITIAL)
        with self.assertRaises(GLib.Error) as raised:
            AsyncExec.Caller.new_for_context(context)
        self.assertTrue(raised.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.EXISTS))

    def test_K6_name_and_options_mismatch(self):
        context = GLib.MainContext.new()
        caller = AsyncExec.Caller.for_context(context, "view")
        self.assertIs(AsyncExec.Caller.for_context(context), caller)
        parent = self.thread()
        child = parent.child("child", niceness=3)
        self.assertIs(parent.child("child"), child)
        for ask in (lambda: AsyncExec.Caller.for_context(context, "model"), lambda: parent.child("child", niceness=4)):
            with self.assertRaises(GLib.Error) as raised:
                ask()
            self.assertTrue(raised.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.MISMATCH))

    def test_K8_multi_entry(self):
        seen = []
        with AsyncExec.Caller.new_thread("held") as caller:
            self.assertTrue(caller.protected)
            with caller:
                seen.append(caller.submit(max, 1, 2))
            caller.stop()
            seen.append(caller.submit(max, 3, 4))
        self.assertEqual([pending.result() for pending in seen], [2, 4])
        self.assertTrue(caller.stopped.done())
        with self.assertRaises(AsyncExec.Closed):
            caller.hold()

    def test_K8_first_waits_for_the_others(self):
        caller = AsyncExec.Caller.new_thread()
        inside, leave, seen = threading.Event(), threading.Event(), []

        def other():
            with caller:
                inside.set()
                leave.wait()

        thread = threading.Thread(target=other)
        with caller:
            thread.start()
            inside.wait()
            leaving = threading.Thread(target=lambda: (seen.append(caller.stopped.done()), leave.set()))
            leaving.start()
        thread.join()
        leaving.join()
        self.assertEqual(seen, [False])
        self.assertTrue(caller.stopped.done())

    def test_K8_autostop(self):
        caller = AsyncExec.Caller.new_thread()
        inside = threading.Event()
        first_is_in = threading.Event()

        def first():
            with caller:
                first_is_in.set()
                inside.wait()

        def other():
            first_is_in.wait()
            with caller:
                inside.set()
                AsyncExec.Pending().result()

        with AsyncExec.ThreadPool(2) as pool:
            jobs = [pool.submit(first), pool.submit(other)]
            jobs[0].result()
            # The first has waited for the end, and so for the other.
            self.assertTrue(caller.stopped.done())
            with self.assertRaises(AsyncExec.Cancelled):
                jobs[1].result()

    def test_K8_second_job_ends_nobody(self):
        caller = AsyncExec.Caller.new_thread()
        inside, leave, second_is_out = threading.Event(), threading.Event(), threading.Event()

        def first():
            with caller:
                inside.set()
                second_is_out.wait()
                AsyncExec.check_cancelled()

        def second():
            inside.wait()
            with caller:
                leave.set()
            second_is_out.set()

        with AsyncExec.ThreadPool(2) as pool:
            for job in [pool.submit(first), pool.submit(second)]:
                job.result()
        self.assertTrue(leave.is_set() and caller.stopped.done())

    def test_K8_async_with(self):
        async def main():
            async with AsyncExec.Caller.new_thread() as caller:
                async with caller:
                    value = await caller.submit(lambda: 5)
            return value, caller.stopped.done()

        self.assertEqual(asyncio.run(main()), (5, True))

    def test_K8_exception_cancels(self):
        def until_cancelled():
            AsyncExec.Pending().result()

        with self.assertRaises(KeyError):
            with AsyncExec.Caller.new_thread() as caller:
                running = caller.submit(until_cancelled)
                raise KeyError
        self.assertTrue(running.cancelled())

    def test_K8_hold_and_release(self):
        caller = AsyncExec.Caller.new_thread()
        caller.hold()
        caller.hold()
        stopped = caller.release()
        self.assertFalse(stopped.done())
        self.assertIs(caller.release(drain=True), stopped)
        stopped.result()
        caller = self.thread()
        caller.protected = True
        self.assertFalse(caller.stop().done())
        self.assertTrue(caller.protected)
        caller.protected = False
        caller.stop().result()

    def test_K10_K11_lookup_and_list(self):
        caller = AsyncExec.Caller.new_thread("found")
        caller.started.result()
        self.assertIs(AsyncExec.Caller.lookup(caller.id), caller)
        self.assertEqual(caller.submit(lambda: AsyncExec.Caller.lookup().id).result(), caller.id)
        self.assertIn(caller, AsyncExec.Caller.list())
        caller.stop().result()
        self.assertIsNone(AsyncExec.Caller.lookup(caller.id))
        self.assertNotIn(caller, AsyncExec.Caller.list())
        self.assertIn(caller, AsyncExec.Caller.list(running_only=False))
        thread = threading.Thread(target=lambda: self.assertIsNone(AsyncExec.Caller.lookup()))
        thread.start()
        thread.join()

    def test_K12_K13_D7_children(self):
        parent = self.thread("parent")
        first = parent.child("first")
        self.assertIs(parent.child("first"), first)
        self.assertIsNot(parent.child(), parent.child())
        children = parent.children
        self.assertEqual(len(children), 3)
        self.assertIs(first.parent, parent)
        self.assertIsNone(parent.parent)
        first.stop().result()
        self.assertEqual(len(children), 3)
        self.assertEqual(len(parent.children), 2)
        parent.stop()
        with self.assertRaises(AsyncExec.Closed):
            parent.child("late")
        parent.stopped.result()
        self.assertTrue(all(child.stopped.done() for child in children))

    def test_K17_failures_are_told(self):
        caller = self.thread("database")
        told = []
        caller.connect("unhandled-error", lambda executor, pending, error: bool(told.append((pending, error))) or True)
        caller.queue("writes").push(int, "x")
        caller.queue("writes").push(caller.stop)
        caller.stopped.result()
        self.assertEqual([pending.name for pending, _ in told], ["writes"])

    def test_K20_describe(self):
        caller = self.thread("told")
        caller.started.result()
        self.assertIn(f"caller {caller.id} \"told\": running", caller.describe())
        self.assertIn("told", repr(caller))
        caller.stop().result()
        self.assertIn("stopped", caller.describe())

    def test_K25_schedule_call(self):
        caller = self.thread()
        context = contextvars.copy_context()
        context.run(who.set, "given")

        def look(*args, **kwargs):
            metadata = AsyncExec.current_pending().dup_metadata("view").unpack()
            seen = who.get(), args, kwargs, metadata
            who.set("changed")
            return seen

        async def look_async(*args, **kwargs):
            await AsyncExec.sleep(0)
            return who.get(), args, kwargs

        expected = ("given", (1,), {"two": 2}, "list")
        for _ in range(2):
            self.assertEqual(caller.schedule_call(look, (1,), {"two": 2}, context, view="list").result(), expected)
        self.assertEqual(caller.schedule_call(look_async, (1,), {"two": 2}, context).result(), expected[:3])
        self.assertEqual(caller.schedule_call(lambda: who.get()).result(), "nobody")
        with self.assertRaises(ValueError):
            caller.schedule_call(look, (), {}, None, (), "trio")

    def test_K25_P7_trackers(self):
        """Also in a context that was copied where they were active."""
        def look():
            return Manager.current(), AsyncExec.PendingGroup.current()

        async def look_async():
            return look()

        caller, gate, manager = self.thread(), aextest.Gate(), Manager()
        with manager, AsyncExec.PendingGroup() as group:
            context = contextvars.copy_context()
            seen = caller.schedule_call(gate.hold)
            hidden = caller.schedule_call(max, (1, 2), {}, None, ())
            self.assertEqual((seen in manager, hidden in manager, seen in group, hidden in group), (True, False, True, False))
            gate.open()
            for given in (None, context):
                for fn in (look, look_async):
                    for trackers, expected in (((), (None, None)), ((Manager,), (manager, None)),
                                               ((AsyncExec.PendingTracker,), (manager, group))):
                        self.assertEqual(caller.schedule_call(fn, (), {}, given, trackers).result(), expected)

    def test_K29_P15_options(self):
        caller = self.thread(context_flags=GLib.MainContextFlags.OWNERLESS_POLLING, niceness=1)
        self.assertEqual(caller.context_flags, GLib.MainContextFlags.OWNERLESS_POLLING)
        self.assertEqual(caller.child().niceness, 1)
        for wrong, kind in ((20, ValueError), (-1, ValueError), ("1", TypeError)):
            with self.assertRaises(kind):
                AsyncExec.Caller.new_thread(niceness=wrong)

    def test_P10_ends_by_itself(self):
        """A program that stops nothing by hand ends."""
        program = (
            "import asyncexec as a\n"
            "c = a.Caller.new_thread('left')\n"
            "print(c.to_thread(max, 1, 2).result(), c.child('x').submit(max, 3, 4).result())\n"
            "c.queue_call(print, 'queued')\n"
            "c.submit(int).result()\n"
        )
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True)
        self.assertEqual((ended.stdout, ended.stderr), ("2 4\nqueued\n", ""))


class Workers(unittest.TestCase):
    def setUp(self):
        self.caller = AsyncExec.Caller.new_thread("boss")
        self.addCleanup(lambda: self.caller.stop(force=True).result())

    def test_K33_worker_reused(self):
        threads = {self.caller.to_thread(threading.get_ident).result() for _ in range(5)}
        self.assertEqual(len(threads), 1)
        self.assertNotIn(threading.get_ident(), threads)
        self.assertEqual(len(self.caller.children), 1)

    def test_K33_coroutines_errors_and_map(self):
        async def later(value):
            await AsyncExec.sleep(0)
            return value

        self.assertEqual(self.caller.to_thread(later, 5).result(), 5)
        with self.assertRaises(ZeroDivisionError):
            self.caller.to_thread(lambda: 1 / 0).result()
        self.assertEqual(list(self.caller.workers.map(abs, range(-3, 0), max_concurrent=2)), [3, 2, 1])
        named = self.caller.workers.options(name="named").submit(lambda: AsyncExec.current_pending().name)
        self.assertEqual(named.result(), "named")

    def test_E2_K33_context(self):
        who.set("submitter")
        self.assertEqual(self.caller.to_thread(who.get).result(), "submitter")

    def test_K21_K33_limits(self):
        self.assertEqual((self.caller.max_idle_workers, self.caller.max_workers, self.caller.idle_worker_timeout), (10, 0, 60))
        self.caller.max_workers = 1
        self.caller.idle_worker_timeout = None
        self.assertIsNone(self.caller.get_idle_worker_timeout())
        inside, leave = threading.Event(), threading.Event()
        first = self.caller.to_thread(lambda: (inside.set(), leave.wait()))
        inside.wait()
        second = self.caller.to_thread(max, 1, 2)
        self.assertEqual(self.caller.workers.n_pending, 1)
        leave.set()
        self.assertEqual(second.result(), 2)
        first.result()
        children = self.caller.children
        self.caller.max_idle_workers = 0
        for child in children:
            child.stopped.result()
        self.assertEqual(self.caller.children, [])
        self.caller.set_idle_worker_timeout(1)
        self.assertEqual(self.caller.idle_worker_timeout, 1)

    def test_K33_after_stop(self):
        self.caller.stop().result()
        with self.assertRaises(AsyncExec.Closed):
            self.caller.to_thread(int).result()

    def test_K33_map_of_an_iterator(self):
        """What max_workers says is not about the caller itself."""
        self.assertEqual(list(self.caller.map(abs, iter([-1, -2, -3]))), [1, 2, 3])
        self.assertEqual(list(AsyncExec.Limiter(self.caller, 2).map(abs, iter([-1, -2, -3]))), [1, 2, 3])


class Queues(unittest.TestCase):
    def setUp(self):
        self.caller = AsyncExec.Caller.new_thread("queues")
        self.addCleanup(lambda: self.caller.stop(force=True).result())
        self.seen = []

    def wait(self, queue):
        done = threading.Event()
        queue.push(done.set)
        done.wait()

    def note(self, value):
        self.seen.append(value)

    async def note_later(self, value):
        await AsyncExec.sleep(0)
        self.seen.append(value)

    def test_K34_execution_queue(self):
        gate = AsyncExec.Pending()
        queue = self.caller.queue("q")

        async def wait_for_gate():
            self.seen.append("begin")
            await gate

        self.assertTrue(queue.push(self.note, 0))
        queue.push(wait_for_gate)
        for i in range(2, 6):
            queue.push(self.note_later if i % 2 else self.note, i)
        while len(self.seen) < 2:
            self.caller.submit(int).result()
        self.assertEqual(self.seen, [0, "begin"])
        self.assertEqual(queue.n_items, 5)
        gate.resolve()
        self.wait(queue)
        self.assertEqual(self.seen, [0, "begin", 2, 3, 4, 5])
        self.assertIs(queue.caller, self.caller)
        self.assertEqual(queue.key, "q")

    def test_K34_first_context(self):
        queue = self.caller.queue("context")
        for name in "abc":
            who.set(name)
            queue.push(lambda: self.seen.append(who.get()))
        self.wait(queue)
        self.assertEqual(self.seen, ["a", "a", "a"])

    def test_K34_by_function(self):
        caller = self.caller
        for i in range(10):
            caller.queue_call(self.note_later if i % 3 == 0 else self.note, i)
        self.assertIsNot(caller.queue_get(self.note), None)
        self.wait(caller.queue("other"))
        done = threading.Event()
        self.seen.clear()
        caller.queue_call(self.note, 1)
        caller.queue_call(self.note, 2)
        caller.queue_close(self.note_later)
        caller.queue_close(self.note_later)
        caller.submit(done.set)
        done.wait()
        self.assertEqual(self.seen[-2:], [1, 2])

    def test_K34_queue_gc(self):
        class Target:
            def method(self):
                pass

        target = Target()
        self.caller.queue_call(target.method)
        pending = self.caller.queue_get(target.method)
        self.caller.submit(int).result()
        del target
        for _ in range(3):
            AsyncExec.Caller.get_main().dispatch()
            gc.collect()
        self.assertTrue(pending.cancelled())

    def test_K34_owner(self):
        owner = GObject.Object()
        queue = self.caller.queue("of owner", owner)
        self.assertTrue(queue.push(int))
        del owner
        gc.collect()
        self.assertTrue(queue.pending.cancelled())
        self.assertFalse(queue.push(int))

    def test_K34_survives_errors(self):
        told = []
        self.caller.connect("unhandled-error", lambda executor, pending, error: bool(told.append(error)) or True)
        queue = self.caller.queue("failing")

        def cancel():
            AsyncExec.current_pending().cancel()
            AsyncExec.check_cancelled()

        queue.push(int, "x")
        queue.push(cancel)
        queue.push(self.note, "after")
        self.wait(queue)
        self.wait(queue)
        self.assertEqual(self.seen, ["after"])
        self.assertEqual(len(told), 1)

    def test_K35_K36_D6_get_and_close(self):
        self.assertIsNone(self.caller.queue_get(self.note))
        self.caller.queue_close(self.note)
        self.caller.queue_call(self.note, 1)
        pending = self.caller.queue_get(self.note)
        self.assertIs(pending.state, AsyncExec.PendingState.RUNNING)
        pending.cancel()
        self.assertIsNone(self.caller.queue_get(self.note))
        self.caller.stop().result()
        self.caller.queue_call(self.note, 2)      # dropped
        self.assertFalse(self.caller.queue("late").push(int))

    def test_P6_from_threads(self):
        inside = []

        def item():
            inside.append(1)
            assert len(inside) == 1
            inside.pop()
            self.seen.append(1)

        def push():
            for _ in range(50):
                self.caller.queue_call(item)

        threads = [threading.Thread(target=push) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        done = threading.Event()
        self.caller.queue_call(item)
        while len(self.seen) < 401:
            self.caller.submit(done.set).result()
        self.assertEqual(len(self.seen), 401)


if __name__ == "__main__":
    unittest.main()
