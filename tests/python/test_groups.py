# SPDX-License-Identifier: LGPL-2.1-or-later
"""PendingGroup, PendingManager and who tracks what: in plain code, in coroutines of ours and in asyncio."""

import asyncio
import threading
import time
import unittest

from gi.repository import AsyncExec, GLib

import aextest

Pending, Group, Manager = AsyncExec.Pending, AsyncExec.PendingGroup, AsyncExec.PendingManager
Mode = AsyncExec.GroupMode


def fail(message="boom"):
    raise ValueError(message)


class WithPool(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(max_workers=2)
        self.addCleanup(lambda: self.pool.shutdown().result())

    def both(self, main):
        """Runs a coroutine function in asyncio and as one of ours."""
        with self.subTest("asyncio"):
            asyncio.run(main())
        with self.subTest("ours"):
            AsyncExec.run(main)


class Trackers(WithPool):
    def test_K58_current(self):
        manager = Manager()
        self.assertIsNone(Manager.current())
        with manager:
            self.assertIs(Manager.current(), manager)
            self.assertEqual(Manager.active_id(), manager.id)
        self.assertIsNone(Manager.active_id())

    def test_K59_tokens(self):
        class Other(Manager):
            pass

        manager, other = Manager(), Other()
        token, other_token = manager.activate(), other.activate()
        self.assertIs(Manager.current(), manager)
        self.assertIs(Other.current(), other)
        with self.assertRaises(GLib.Error) as caught:
            manager.deactivate(other_token)
        self.assertTrue(caught.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.MISMATCH))
        other.deactivate(other_token)
        manager.deactivate(token)
        with self.assertRaises(GLib.Error):
            manager.deactivate(token)

    def test_K58_K59_knows(self):
        manager, gate = Manager(), aextest.Gate()
        with manager:
            outer = self.pool.submit(lambda: self.pool.submit(gate.hold))
            inner = outer.result()
            gate.wait()
            self.assertIn(inner, manager)
            self.assertEqual(manager.pendings, [inner])
            manager.remove(inner)
            self.assertEqual(len(manager), 0)
            with self.assertRaises(GLib.Error):
                manager.remove(inner)
            gate.open()
            inner.result()
            with self.assertRaises(ValueError):
                self.pool.submit(fail).result()
        self.assertTrue(manager)

    def test_K45_chosen(self):
        manager = Manager()
        with manager, Group() as group:
            for trackers, by_manager, by_group in (((AsyncExec.PendingTracker,), True, True), ((Manager,), True, False),
                                                   ((Group,), False, True), ((), False, False)):
                pending = Pending(trackers=trackers)
                self.assertEqual((pending in manager, pending in group), (by_manager, by_group))
                pending.resolve()
        with self.assertRaises(TypeError):
            Pending(trackers=(int,))

    def test_K25_P7_untracked(self):
        def look():
            return Manager.current(), Group.current(), self.pool.submit(Group.current).result()

        manager = Manager()
        with manager, Group() as group:
            self.assertEqual(self.pool.submit(look).result(), (manager, group, group))
            self.assertEqual(self.pool.options(trackers=()).submit(look).result(), (None, None, None))
            self.assertEqual(self.pool.options(group=None).submit(look).result(), (manager, None, None))


class Members(WithPool):
    def test_K60_basic(self):
        async def main():
            gate = aextest.Gate()
            async with Group() as group:
                self.assertIs(Group.current(), group)
                job = self.pool.submit(gate.hold, 5)
                self.assertIn(job, group)
                gate.open()
            self.assertEqual(job.peek(), 5)
            self.assertTrue(group.over())
            self.assertIsNone(Group.current())
            self.assertFalse(group.add(Pending()))

        self.both(main)

    def test_K60_coroutines(self):
        async def member(done):
            await AsyncExec.sleep(0.01)
            done.append(self.pool.submit(pow, 2, 2))

        async def main():
            done = []
            async with Group() as group:
                group.spawn(member, done)
                self.pool.submit(member, done)
            self.assertEqual([pending.peek() for pending in done], [4, 4])

        self.both(main)

    def test_K61_late_members(self):
        async def main():
            gate = aextest.Gate()
            async with Group():
                first = self.pool.submit(lambda: self.pool.submit(gate.hold, 7))
                first.add_done_callback(lambda done: gate.open())
            self.assertEqual(first.peek().peek(), 7)

        self.both(main)

    def test_K60_plain_with(self):
        with Group() as group:
            job = self.pool.submit(pow, 2, 3)
        self.assertEqual(job.peek(), 8)
        self.assertTrue(group.over())

        async def main():
            with self.assertRaises(AsyncExec.WouldDeadlock):
                with Group():
                    pass

        self.both(main)

    def test_K42_explicit(self):
        group = Group(Mode.QUIET, timeout=60, shield=True, cancellation_timeout=None)
        self.assertEqual((group.mode, group.timeout, group.shield, group.cancellation_timeout), (Mode.QUIET, 60, True, None))
        promise = Pending()
        self.assertTrue(group.add(promise))
        job = group.on(self.pool).submit(pow, 3, 2)
        ended = group.join()
        self.assertFalse(ended.done())
        promise.resolve()
        self.assertIsNone(ended.result())
        self.assertEqual(job.peek(), 9)
        with self.assertRaises(AsyncExec.Closed):
            group.on(self.pool).submit(pow, 3, 2).result()
        with self.assertRaises(TypeError):
            group.add(5)

    def test_K67_reenter(self):
        async def main():
            async with Group() as group:
                with self.assertRaises(GLib.Error) as caught:
                    await group.__aenter__()
                self.assertTrue(caught.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.REENTERED))

        self.both(main)

    def test_K69_opt_out(self):
        async def main():
            gate = aextest.Gate()
            async with Group() as group:
                job = self.pool.options(trackers=()).submit(lambda: self.pool.submit(gate.hold))
                grandchild = await job
                self.assertNotIn(grandchild, group)
                group.cancel()
            self.assertFalse(grandchild.cancelled())
            gate.open()
            await grandchild

        self.both(main)


class Errors(WithPool):
    def test_K62_error(self):
        async def main():
            with self.assertRaises(AsyncExec.GroupError) as caught:
                async with Group() as group:
                    slow = Pending()
                    group.add(slow)
                    self.pool.submit(fail)
                    await AsyncExec.sleep(3600)
                    self.fail("not reached")
            self.assertEqual([repr(error) for error in caught.exception.exceptions], ["ValueError('boom')"])
            self.assertTrue(slow.cancelled())

        self.both(main)

    def test_K62_P8_all_errors_as_themselves(self):
        async def main():
            first = KeyError("one")
            with self.assertRaises(AsyncExec.GroupError) as caught:
                async with Group() as group:
                    failing, rejected = Pending(), threading.Event()
                    group.add(failing)
                    # Were it the first to fail, it would cancel the other.
                    group.on(self.pool).submit(lambda: rejected.wait() and fail())
                    failing.reject(first)
                    rejected.set()
            self.assertIn(first, caught.exception.exceptions)
            self.assertLessEqual(len(caught.exception.exceptions), 2)

        self.both(main)

    def test_K64_own_exception(self):
        async def main():
            with self.assertRaisesRegex(KeyError, "mine"):
                async with Group() as group:
                    slow = Pending()
                    group.add(slow)
                    raise KeyError("mine")
            self.assertTrue(slow.cancelled())

        self.both(main)

    def test_P8_own_and_others(self):
        async def main():
            with self.assertRaises(AsyncExec.GroupError) as caught:
                async with Group() as group:
                    group.on(self.pool).submit(fail)
                    try:
                        await Pending()
                    finally:
                        raise KeyError("mine")
            self.assertEqual(sorted(type(error).__name__ for error in caught.exception.exceptions), ["KeyError", "ValueError"])

        self.both(main)

    def test_K68_nested(self):
        async def main():
            with self.assertRaises(AsyncExec.GroupError) as caught:
                async with Group() as outer:
                    other = Pending()
                    outer.add(other)
                    async with Group():
                        self.pool.submit(fail, "inner")
            self.assertEqual([str(error) for error in caught.exception.exceptions], ["inner"])
            self.assertTrue(other.cancelled())

        self.both(main)


class Cancellation(WithPool):
    def test_K63_modes(self):
        async def main():
            for mode, cancels, raises in ((Mode.IGNORE, False, False), (Mode.RAISE, True, True), (Mode.QUIET, True, False),
                                          (Mode.RAISE_AT_END, False, True)):
                raised = False
                try:
                    async with Group(mode) as group:
                        pendings = Pending(), Pending()
                        for pending in pendings:
                            group.add(pending)
                        pendings[0].cancel()
                        self.assertEqual((group.cancelled(), pendings[1].cancelled()), (cancels, cancels))
                        pendings[1].resolve()
                except AsyncExec.Cancelled:
                    raised = True
                self.assertEqual(raised, raises, mode)

        self.both(main)

    def test_K64_D2_D3_cancel(self):
        async def main():
            for mode, raises in ((Mode.IGNORE, False), (Mode.RAISE, True), (Mode.QUIET, False), (Mode.RAISE_AT_END, True)):
                raised = None
                try:
                    async with Group(mode) as group:
                        group.cancel("why")
                        await Pending()
                        self.fail("not reached")
                except AsyncExec.Cancelled as error:
                    raised = str(error)
                self.assertEqual(raised, "why" if raises else None)

        self.both(main)

    def test_K60_I3_for_each(self):
        async def main():
            seen = []
            async with Group() as group:
                group.for_each(self.pool, lambda a, b: seen.append((a, b)), range(1000), range(1, 2000))
                self.assertLessEqual(len(group), 2)
            self.assertEqual(sorted(seen), [(i, i + 1) for i in range(1000)])
            async with Group() as group:
                group.for_each(self.pool, fail, [])
            group = Group()
            await group.join()
            with self.assertRaises(AsyncExec.Closed):
                group.for_each(self.pool, fail, [1])

        self.both(main)

    def test_K60_for_each_coroutines(self):
        async def main():
            seen = []

            async def note(item):
                await asyncexec_sleep(0)
                seen.append((item, Group.current() is group))

            async with Group() as group:
                group.for_each(AsyncExec.Caller.current(), note, "abc")
            self.assertEqual(seen, [("a", True), ("b", True), ("c", True)])

        asyncexec_sleep = AsyncExec.sleep
        self.both(main)

    def test_K60_for_each_takes_turns(self):
        caller = AsyncExec.Caller.new_thread("each")
        order = []

        def slow(item):
            end = time.monotonic() + 0.002
            while time.monotonic() < end:
                pass
            order.append(item)
            if item == 0:
                caller.submit(order.append, "between")

        with Group() as group:
            group.for_each(caller, slow, range(3))
        self.assertEqual(order, [0, "between", 1, 2])
        caller.shutdown().result()

    def test_K62_for_each_fails(self):
        async def main():
            seen = []

            def work(item):
                seen.append(item)
                if item == 3:
                    raise KeyError("third")

            other = Pending()
            with self.assertRaises(AsyncExec.GroupError) as caught:
                async with Group() as group:
                    group.add(other)
                    group.for_each(one, work, range(100))
                    await Pending()
            self.assertEqual([repr(error) for error in caught.exception.exceptions], ["KeyError('third')"])
            self.assertEqual(seen, [0, 1, 2, 3])
            self.assertTrue(other.cancelled())

        one = AsyncExec.ThreadPool(max_workers=1)
        self.both(main)
        one.shutdown().result()

    def test_K63_for_each_cancelled_item(self):
        async def main():
            for mode, goes_on, raises in ((Mode.IGNORE, True, False), (Mode.RAISE, False, True),
                                          (Mode.QUIET, False, False), (Mode.RAISE_AT_END, True, True)):
                seen = []

                def work(item):
                    seen.append(item)
                    if item == 1:
                        raise AsyncExec.Cancelled()

                raised = False
                try:
                    async with Group(mode) as group:
                        group.for_each(one, work, range(10))
                except AsyncExec.Cancelled:
                    raised = True
                self.assertEqual((len(seen), raised), (10 if goes_on else 2, raises), mode)

        one = AsyncExec.ThreadPool(max_workers=1)
        self.both(main)
        one.shutdown().result()

    def test_K64_for_each_cancelled(self):
        started, gate, seen = threading.Event(), threading.Event(), []

        def work(item):
            seen.append(item)
            started.set()
            gate.wait()

        pool = AsyncExec.ThreadPool(max_workers=1)
        with Group() as group:
            group.for_each(pool, work, range(100))
            started.wait()
            group.cancel()
            gate.set()
        self.assertEqual(seen, [0])
        pool.shutdown().result()

    def test_K64_timeout(self):
        async def main():
            async with Group(timeout=0.01) as group:
                await Pending()
            self.assertTrue(group.cancelled())
            with self.assertRaises(AsyncExec.Timeout):
                async with Group(Mode.RAISE, timeout=0.01):
                    await Pending()

        self.both(main)

    def assert_cancelled_in_asyncio(self, body):
        async def main():
            member = Pending()
            task = asyncio.ensure_future(body(member))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(member.cancelled())

        asyncio.run(main())

    def test_K64_external_in_asyncio(self):
        async def body(member):
            async with Group() as group:
                group.add(member)
                await Pending()

        self.assert_cancelled_in_asyncio(body)

    def test_K64_external_at_the_end(self):
        async def body(member):
            async with Group() as group:
                group.add(member)

        self.assert_cancelled_in_asyncio(body)

    def test_K64_P8_external_in_ours(self):
        async def body(member, gate):
            async with Group() as group:
                group.add(member)
                gate.resolve()
                await Pending()

        async def main():
            member, gate = Pending(), Pending()
            job = AsyncExec.spawn(body, member, gate)
            await gate
            job.cancel()
            with self.assertRaises(AsyncExec.Cancelled):
                await job
            self.assertTrue(member.cancelled())

        AsyncExec.run(main)

    def test_K64_P8_scope_outside(self):
        async def main():
            member = Pending()
            with AsyncExec.move_on_after(0.01) as scope:
                async with Group() as group:
                    group.add(member)
                    await Pending()
            self.assertTrue(scope.cancelled_caught or scope.cancel_called)
            self.assertTrue(member.cancelled())

        self.both(main)

    def test_K63_scope_inside(self):
        async def main():
            gate = aextest.Gate()
            async with Group() as group:
                with AsyncExec.move_on_after(0.01):
                    job = self.pool.submit(gate.hold)
                    await job
                self.assertFalse(group.cancelled())
                gate.open()
            with self.assertRaises(AsyncExec.Timeout):
                job.peek()

        self.both(main)

    def test_K65_shield(self):
        async def main():
            with AsyncExec.CancelScope() as scope:
                async with Group(shield=True):
                    scope.cancel()
                    self.assertEqual(await self.pool.submit(pow, 2, 2), 4)
                await Pending()
                self.fail("not reached")
            self.assertTrue(scope.cancelled_caught)

        self.both(main)

    def test_K66_stuck(self):
        async def main():
            gate = aextest.Gate()
            async with Group(cancellation_timeout=0.01) as group:
                stuck = self.pool.options(name="deaf").submit(gate.hold)
                gate.wait()
                group.cancel()
            self.assertFalse(stuck.done())
            gate.open()
            await stuck.wait(result=False)

        self.both(main)


if __name__ == "__main__":
    unittest.main()
