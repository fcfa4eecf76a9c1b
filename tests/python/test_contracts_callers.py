# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers and pendings, row by row, where the other files have no test of a row."""

import asyncio
import contextvars
import gc
import threading
import unittest
import weakref

from gi.repository import AsyncExec, GLib

import aextest

Caller = AsyncExec.Caller
State = AsyncExec.ExecutorState
who = contextvars.ContextVar("who", default="nobody")


class Callers(unittest.TestCase):
    def thread(self, name=None):
        caller = Caller.new_thread(name)
        self.addCleanup(lambda: caller.stop(force=True).result())
        return caller

    def test_K3_main_from_worker(self):
        main = Caller.get_main()
        self.assertIs(AsyncExec.ThreadPool(1).run(Caller.get_main), main)
        self.assertIs(aextest.in_thread(Caller.get_main), main)
        self.assertIs(Caller.for_context(GLib.MainContext.default()), main)

    def test_K7_P11_nobody_starts_it_twice(self):
        context = GLib.MainContext.new()
        caller = Caller.new_for_context(context)
        first = AsyncExec.Pending()
        job = caller.submit(lambda: first)
        self.assertEqual((caller.state, job.done()), (State.INITIAL, False))
        aextest.iterate_until(job.done, context)
        # A result that is a pending is handed on as it is.
        self.assertIs(job.result(), first)
        self.assertFalse(first.done())
        self.assertFalse(hasattr(caller, "start"))

    def test_K9_P11_id_stable(self):
        ids = set()
        for _ in range(3):
            caller = Caller.new_thread()
            before = caller.id
            caller.stop().result()
            self.assertEqual(caller.id, before)
            ids.add(before)
        # The system gives the number of a thread again.
        self.assertEqual(len(ids), 3)

    def test_K14_K15_running_and_states(self):
        gate = aextest.Gate()
        caller = Caller.new_thread()
        caller.started.result()
        states = [caller.state]
        job = caller.submit(gate.hold)
        gate.wait()
        caller.protected = True
        self.assertFalse(caller.stop().done())
        self.assertFalse(caller.stopping.done())
        caller.protected = False
        stopped = caller.stop()
        states.append(caller.state)
        self.assertTrue(caller.stopping.done())
        gate.open()
        stopped.result()
        states.append(caller.state)
        self.assertEqual(states, [State.RUNNING, State.STOPPING, State.STOPPED])
        self.assertTrue(job.cancelled())
        caller.stop(force=True).result()
        self.assertEqual(caller.state, State.STOPPED)

    def test_K16_K57_P3_await_stopped(self):
        caller = Caller.new_thread()

        async def main():
            with self.assertRaises(TimeoutError):
                await caller.stopped.wait(timeout=0.001)
            impatient = asyncio.create_task(caller.stopped.wait())
            await asyncio.sleep(0)
            impatient.cancel()
            await asyncio.gather(impatient, return_exceptions=True)
            self.assertFalse(caller.stopped.cancelled())
            self.assertFalse(caller.stopped.cancel())
            caller.stop()
            await caller.stopped

        asyncio.run(main())
        self.assertEqual((caller.started.done(), caller.stopping.done(), caller.stopped.done()), (True, True, True))

    def test_K18_output_belongs_to_its_job(self):
        seen = []
        gate = threading.Event()

        def job(name):
            gate.wait()
            AsyncExec.publish(name)

        pool = AsyncExec.ThreadPool(2)
        watched, other = pool.submit(job, "watched"), pool.submit(job, "other")
        watched.subscribe(seen.append)
        gate.set()
        AsyncExec.Pending.all([watched, other]).result()
        told = []
        watched.add_done_callback(told.append)
        aextest.iterate_until(lambda: told)
        self.assertEqual(seen, ["watched"])

    def test_K22_balanced(self):
        seen = []
        caller = self.thread()
        gate = aextest.Gate()
        caller.submit(gate.hold)
        gate.wait()

        async def coroutine(number):
            seen.append(number)

        n = aextest.scale(1000)
        last = None
        for number in range(n):
            caller.call_direct(seen.append, 3 * number)
            caller.submit(seen.append, 3 * number + 1)
            last = caller.submit(coroutine, 3 * number + 2)
        gate.open()
        last.result()
        self.assertEqual(seen, list(range(3 * n)))

    def test_K22_I9_no_starvation(self):
        caller = self.thread()
        fired = threading.Event()

        def again():
            if not fired.is_set():
                caller.submit(again)

        again()
        caller.call_later(0.01, fired.set).result()
        self.assertTrue(fired.is_set())

    def test_K23_P6_coroutine_of_a_plain_function(self):
        async def add(a, b):
            await AsyncExec.sleep(0.001)
            return a + b

        async def fail():
            raise KeyError("lost")

        caller, pool = self.thread(), AsyncExec.ThreadPool(1)
        for executor in caller, pool, caller.options(name="named"):
            self.assertEqual(executor.submit(lambda: add(1, 2)).result(), 3)
            with self.assertRaises(KeyError):
                executor.submit(lambda: fail()).result()
        self.assertEqual(caller.call_later(0.001, lambda: add(2, 2)).result(), 4)
        self.assertEqual(AsyncExec.run(lambda: add(2, 3)), 5)

    def test_K23_coroutine_of_a_plain_function_is_cancelled(self):
        entered = threading.Event()

        async def for_ever():
            entered.set()
            await AsyncExec.sleep(3600)

        for executor in self.thread(), AsyncExec.ThreadPool(1):
            entered.clear()
            job = executor.submit(lambda: for_ever())
            entered.wait()
            job.cancel()
            with self.assertRaises(AsyncExec.Cancelled):
                job.result()
            AsyncExec.run(job.wait, result=False)
            self.assertEqual((job.cancelled(), job.done()), (True, True))

    def test_K26_direct_coroutine(self):
        seen = AsyncExec.Pending()

        async def resolve():
            await AsyncExec.sleep(0.001)
            seen.resolve("reached")

        self.thread().call_direct(resolve)
        self.assertEqual(seen.result(), "reached")

    def test_K34_P6_queue_of_a_plain_function(self):
        seen = []
        caller = self.thread()

        async def steps(number):
            seen.append(("begins", number))
            await AsyncExec.sleep(0.001)
            seen.append(("ends", number))

        queue = caller.queue("of a lambda")
        end = AsyncExec.Pending()
        for number in range(3):
            queue.push(lambda number: steps(number), number)
        queue.push(end.resolve)
        end.result()
        self.assertEqual(seen, [(what, number) for number in range(3) for what in ("begins", "ends")])

    def test_K28_adopted(self):
        context = GLib.MainContext.default()
        caller = Caller.get_main()
        loop = GLib.MainLoop.new(context, False)
        seen = []
        job = caller.submit(seen.append, "ran")
        self.assertEqual(seen, [])
        GLib.idle_add(lambda: seen.append("of GLib"))
        caller.submit(loop.quit)
        loop.run()
        self.assertIn("ran", seen)
        self.assertTrue(job.done())
        self.assertEqual(caller.state, State.RUNNING)

    def test_K38_after_stop_table(self):
        caller = Caller.new_thread()
        queue = caller.queue("q")
        caller.stop().result()
        for submit in caller.submit, caller.call_soon, caller.to_thread, lambda fn: caller.call_later(0, fn), \
                lambda fn: caller.schedule_call(fn):
            job = submit(print)
            self.assertEqual((job.done(), job.cancelled()), (True, True))
            with self.assertRaises(AsyncExec.Closed):
                job.result()
        caller.call_direct(print)
        caller.post(print)
        self.assertFalse(queue.push(print))
        with self.assertRaises(AsyncExec.Closed):
            caller.child()
        caller.queue_close(print)

    def test_K37_K8_P9_block_in_an_own_job(self):
        async def block():
            async with Caller.current() as caller:
                return caller, await caller.submit(lambda: 5)

        def run():
            caller, value = AsyncExec.run(block)
            aextest.iterate_until(caller.stopped.done, caller.context)
            return value

        # It does not wait for the job in which it stands.
        self.assertEqual(aextest.with_own_context(run), 5)

        def plain(caller):
            with caller:
                return True

        caller = Caller.new_thread()
        self.assertTrue(caller.submit(plain, caller).result())
        caller.stopped.result()

    def test_K39_P10_unref_running(self):
        caller = Caller.new_thread()
        stopped, reference = caller.stopped, weakref.ref(caller)
        caller.submit(int).result()
        del caller
        # The thread refers to it until it has let go of the job.
        stopped.result()
        while reference() is not None:
            GLib.MainContext.default().iteration(False)
            gc.collect()


class Pendings(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        # The thread remembers the executors that it has used last, and with a caller its context.
        for _ in range(8):
            AsyncExec.ThreadPool(1).submit(int).result()

    def test_K49_exception(self):
        error = KeyError("x")
        done, failed, cancelled = AsyncExec.Pending.resolved(1), AsyncExec.Pending.rejected(error), AsyncExec.Pending()
        cancelled.cancel()
        self.assertIsNone(done.exception())
        self.assertIs(failed.exception(), error)
        with self.assertRaises(AsyncExec.Cancelled):
            cancelled.exception()
        with self.assertRaises(AsyncExec.NotDone):
            AsyncExec.Pending().peek_exception()

    def test_K53_cancel_wait_done(self):
        gate = aextest.Gate()
        pool = AsyncExec.ThreadPool(1)
        job = pool.submit(gate.hold)
        gate.wait()

        async def main():
            with self.assertRaises(TimeoutError):
                await job.cancel_wait("stop", timeout=0.001)
            self.assertEqual((job.cancelled(), job.done()), (True, False))
            gate.open()
            await job.cancel_wait()
            self.assertTrue(job.done())

        asyncio.run(main())

    def test_K54_P23_shielded_wait_does_not_spin(self):
        """In a scope that is over each wait would end at once."""
        async def main():
            gate = AsyncExec.Pending()
            n_steps = 0

            class Counted:
                def __await__(self):
                    nonlocal n_steps
                    for awaiter in gate.wait(shield=True).__await__():
                        n_steps += 1
                        yield awaiter

            def cancel():
                scope.cancel()
                caller.call_later(0.02, gate.resolve)

            caller = Caller.current()
            with AsyncExec.CancelScope() as scope:
                caller.call_soon(cancel)
                await Counted()
            return n_steps, scope.cancelled_caught

        n_steps, caught = AsyncExec.run(main)
        self.assertLess(n_steps, 10)
        self.assertTrue(caught)
        self.assertTrue(asyncio.run(main())[1])

    def test_P1_completion_races(self):
        barrier = threading.Barrier(3)
        pendings = [AsyncExec.Pending() for _ in range(aextest.scale(1000))]
        wins = []

        def race(complete):
            won = 0
            for pending in pendings:
                if pending is pendings[0]:
                    barrier.wait()
                won += bool(complete(pending))
            wins.append(won)

        told = []
        for pending in pendings:
            pending.add_done_callback(told.append)
        threads = [threading.Thread(target=race, args=(complete,)) for complete in
                   (lambda p: p.resolve(1), lambda p: p.reject(KeyError()), lambda p: p.cancel() and p.done())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(all(pending.done() for pending in pendings))
        aextest.iterate_until(lambda: len(told) == len(pendings))
        self.assertEqual(len(set(map(id, told))), len(pendings))
        for pending in pendings:
            if not pending.cancelled():
                pending.exception()

    def test_P2_cancelled_reads_as_cancelled(self):
        pending = AsyncExec.Pending()
        self.assertTrue(pending.cancel("why"))
        for read in pending.result, pending.peek, pending.exception:
            with self.assertRaisesRegex(AsyncExec.Cancelled, "why"):
                read()

    def test_P4_completion_order_loses_nothing(self):
        async def main():
            done, late = AsyncExec.Pending.resolved(1), AsyncExec.Pending()
            seen = []
            async for pending in AsyncExec.as_completed([done, late]):
                seen.append(pending)
                late.resolve(2)
            empty = [pending async for pending in AsyncExec.as_completed([])]
            return seen == [done, late], empty, (await AsyncExec.wait([done, late]))[1]

        self.assertEqual(AsyncExec.run(main), (True, [], set()))

    def test_P5_K24_delays(self):
        caller = Caller.get_main()
        begin = GLib.get_monotonic_time()
        job = caller.call_later(0.02, GLib.get_monotonic_time)
        order = []
        first = caller.call_later(0, order.append, 0)
        caller.submit(order.append, 1).result()
        self.assertEqual((order, first.done()), ([0, 1], True))
        self.assertGreaterEqual(job.result() - begin, 20_000)
        with self.assertRaises(TypeError):
            caller.call_later(None, print)

    def test_P12_lists_are_snapshots(self):
        parent = Caller.new_thread()
        for _ in range(3):
            parent.child()
        for child in parent.children:
            child.stop().result()
        self.assertEqual(parent.children, [])
        for caller in Caller.list(running_only=False):
            if caller is parent:
                parent.stop().result()

    def test_P13_K46_done_pending_keeps_nothing(self):
        class Thing:
            def method(self):
                return 1

        pool = AsyncExec.ThreadPool(1)
        thing = Thing()
        reference = weakref.ref(thing)
        job = pool.submit(thing.method)
        del thing
        job.result()
        Caller.get_main().submit(int).result()
        gc.collect()
        self.assertIsNone(reference())

    def test_P17_for_ever_is_no_long_sleep(self):
        clock = AsyncExec.testing

        def main():
            job = AsyncExec.Pending()
            job.add_done_callback(print)
            return job

        self.assertIsInstance(clock.run(main), AsyncExec.Pending)

    def test_P19_callbacks_do_not_block(self):
        """Cancelling and stopping in a callback of the thread that is to end."""
        caller = Caller.new_thread()
        seen = AsyncExec.Pending()

        def job():
            promise = AsyncExec.Pending()
            promise.set_canceller(lambda p: p.resolve(None))
            promise.add_done_callback(lambda p: seen.resolve(caller.stop().done()))
            promise.cancel()

        caller.submit(job)
        self.assertFalse(seen.result())
        caller.stopped.result()


if __name__ == "__main__":
    unittest.main()
