# SPDX-License-Identifier: LGPL-2.1-or-later
"""K43: services."""

import asyncio
import contextvars
import gc
import unittest
import weakref

from gi.repository import AsyncExec, GLib

import aextest

Service = AsyncExec.Service


async def serve(service, value="ok"):
    service.ready()
    await service.stopping
    return value


class Life(unittest.TestCase):
    def test_K43_sync(self):
        caller = AsyncExec.Caller.new_thread("services")
        resume = AsyncExec.Pending()

        async def fn(service):
            service.ready()
            await service.stopping
            await resume
            return "ok"

        service = Service(fn, caller=caller, name="test")
        started = service.start()
        self.assertIs(started, service.start())
        started.result()
        self.assertFalse(service.ready())
        self.assertIn("test running", repr(service))
        caller.stop(force=True)
        self.assertTrue(service.stopping.done())
        self.assertFalse(service.stopped.done())
        resume.resolve()
        self.assertEqual(service.stopped.result(), "ok")
        caller.stopped.result()

    def test_K43_reports_are_protected(self):
        service = Service(serve)
        for pending in (service.started, service.stopping, service.stopped):
            self.assertFalse(pending.cancel())
        service.stop()

    def test_K43_stop_before_start(self):
        service = Service(serve)
        for pending in (service.stop(), service.start(), service.stopped):
            with self.assertRaisesRegex(AsyncExec.Cancelled, "before it had started"):
                pending.result()

    def test_K43_await(self):
        async def main():
            service = Service(serve, 5)
            with self.assertRaisesRegex(RuntimeError, "not started"):
                await service
            await service.start()
            service.stop()
            self.assertEqual(await service, 5)
            return await service

        self.assertEqual(AsyncExec.run(main), 5)
        self.assertEqual(asyncio.run(main()), 5)

    def test_K43_function_once(self):
        service = Service()
        with self.assertRaises(GLib.Error) as caught:
            service.start().result()
        self.assertTrue(caught.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.NOT_FOUND))
        service.set_func(serve)
        with self.assertRaisesRegex(RuntimeError, "once"):
            service.set_func(serve)
        with self.assertRaises(TypeError):
            Service(5)
        service.start().result()
        service.stop().result()

    def test_K43_plain_function(self):
        service = Service(lambda service: service.ready() and service.stopping.then(lambda value: 7))
        service.start().result()
        self.assertEqual(service.stop().result(), 7)

    def test_K43_subclass(self):
        class Counter(Service):
            count = 0

            async def do_run(self):
                self.count += 1
                self.ready()
                while not self.stopping.done():
                    self.count += 1
                    await AsyncExec.sleep(0.001)
                return self.count

        service = Counter(name="counter")
        service.start().result()
        self.assertEqual(service.stop().result(), service.count)
        self.assertGreater(service.count, 0)

        class Failing(Service):
            def do_run(self):
                raise KeyError("x")

        service = Failing()
        with self.assertRaises(KeyError):
            service.start().result()

    def test_K43_sees_the_context_of_the_start(self):
        async def main():
            async def fn(service):
                self.assertEqual(variable.get(), 2)
                return await serve(service)

            variable = contextvars.ContextVar("variable")
            variable.set(1)
            service = Service(fn)
            variable.set(2)
            service.start()
            variable.set(3)
            await service.started
            await service.stop()

        AsyncExec.run(main)


class Ends(unittest.TestCase):
    def test_K43_stop_early(self):
        async def fn(service):
            service.ready()
            return 5

        service = Service(fn)
        service.start()
        with self.assertRaises(AsyncExec.StoppedEarly) as caught:
            service.stopped.result()
        self.assertIsInstance(caught.exception, RuntimeError)
        self.assertTrue(caught.exception.matches(AsyncExec.Error.quark(), AsyncExec.Error.STOPPED_EARLY))

    def test_K43_task_error(self):
        failure = RuntimeError("This failed")

        async def fn(service):
            raise failure

        service = Service(fn)
        with self.assertRaises(RuntimeError) as caught:
            service.start().result()
        self.assertIs(caught.exception, failure)
        with self.assertRaises(RuntimeError) as caught:
            service.stopped.result()
        self.assertIs(caught.exception, failure)

    def test_K43_task_cancelled(self):
        async def fn(service):
            AsyncExec.current_pending().cancel("enough")
            await AsyncExec.Pending()

        service = Service(fn)
        with self.assertRaises(AsyncExec.Cancelled):
            service.start().result()
        with self.assertRaises(AsyncExec.Cancelled):
            service.stopped.result()

    def test_K43_unobserved(self):
        caller = AsyncExec.Caller.new_thread("services")
        seen = []

        def handle(caller, pending, error):
            seen.append((pending.name, error.code))
            return True

        async def fn(service):
            service.ready()

        caller.connect("unhandled-error", handle)
        service = Service(fn, caller=caller, name="short")
        service.start()
        stopping = service.stopping
        stopping.result()
        caller.submit(int).result()
        del service
        gc.collect()
        caller.submit(int).result()
        caller.submit(int).result()
        self.assertEqual(seen, [("short", int(AsyncExec.Error.STOPPED_EARLY))])
        caller.stop(force=True).result()

    def test_K43_seen_in_started(self):
        with self.assertNoLogs("asyncexec"):
            service = Service(lambda service: 1 / 0)
            started = service.start()
            service.stopping.result()
            del service
            gc.collect()
            with self.assertRaises(ZeroDivisionError):
                started.result()
            del started
            gc.collect()
            AsyncExec.Caller.current().submit(int).result()

    def test_K43_gc(self):
        class Owner:
            async def serve(self, service):
                await serve(service)

        async def main():
            owner = Owner()
            service = Service(owner.serve)
            weak = [weakref.ref(owner), service.weak_ref()]
            service.start()
            async with service:
                pass
            return weak

        weak = AsyncExec.run(main)
        AsyncExec.Caller.current().submit(int).result()
        gc.collect()
        self.assertEqual([ref() for ref in weak], [None, None])

    def test_K43_gc_while_it_runs(self):
        stopped = []

        def begin():
            service = Service(serve, "end")
            service.start().result()
            return service.weak_ref()

        weak = begin()
        gc.collect()
        service = weak()
        self.assertIsNotNone(service)
        stopped.append(service.stop())
        del service
        self.assertEqual(stopped.pop().result(), "end")


class Blocks(unittest.TestCase):
    def test_K43_context(self):
        async def main():
            service = Service(serve, 3)
            with self.assertRaisesRegex(RuntimeError, "not started"):
                async with service:
                    self.fail("entered")
            service.start()
            async with service as entered:
                self.assertIs(entered, service)
                self.assertTrue(service.started.done())
                self.assertFalse(service.stopping.done())
            self.assertEqual(service.stopped.peek(), 3)
            with self.assertRaisesRegex(RuntimeError, "once"):
                async with service:
                    self.fail("entered")

        AsyncExec.run(main)
        asyncio.run(main())

    def test_K43_context_plain(self):
        service = Service(serve, 3)
        service.start()
        with service:
            self.assertTrue(service.started.done())
        self.assertEqual(service.stopped.peek(), 3)

    def test_K43_context_stop_early(self):
        async def main():
            async def fn(service):
                service.ready()
                await end

            end = AsyncExec.Pending()
            service = Service(fn)
            service.start()
            with self.assertRaises(AsyncExec.StoppedEarly):
                async with service:
                    end.resolve()
                    await AsyncExec.Pending()

        AsyncExec.run(main)
        asyncio.run(main())

    def test_K43_context_fails_to_start(self):
        async def main():
            service = Service(lambda service: 1 / 0)
            service.start()
            with self.assertRaises(ZeroDivisionError):
                async with service:
                    self.fail("entered")

        AsyncExec.run(main)

    def test_K43_context_of_an_exception(self):
        async def main():
            service = Service(serve)
            service.start()
            with self.assertRaises(KeyError):
                async with service:
                    raise KeyError("x")
            self.assertTrue(service.stopped.done())

        AsyncExec.run(main)

    def test_K43_context_stopped_by_others(self):
        async def main():
            service = Service(serve)
            service.start()
            async with service:
                service.stop()
                await AsyncExec.Pending()
            return service.stopped.peek()

        self.assertEqual(AsyncExec.run(main), "ok")

    def test_K43_context_elsewhere(self):
        caller = AsyncExec.Caller.new_thread("services")
        service = Service(serve, caller=caller)
        service.start().result()

        async def main():
            async with service:
                self.fail("entered")

        with self.assertRaisesRegex(RuntimeError, "thread of its caller"):
            AsyncExec.run(main)
        service.stop().result()
        caller.stop(force=True).result()

    def test_K43_context_would_block(self):
        async def main():
            service = Service(serve)
            service.start()
            with self.assertRaises(AsyncExec.WouldDeadlock):
                with service:
                    self.fail("entered")
            await service.started
            await service.stop()

        AsyncExec.run(main)


class Requested(unittest.TestCase):
    def test_D18_requested(self):
        gate = aextest.Gate()
        with AsyncExec.ThreadPool(1) as pool:
            job = pool.submit(gate.hold, 3)
            gate.wait()
            self.assertFalse(job.was_cancel_requested())
            self.assertFalse(job.cancel_queued())
            self.assertTrue(job.was_cancel_requested())
            gate.open()
            self.assertEqual(job.result(), 3)
            self.assertTrue(job.was_cancel_requested())
        done = AsyncExec.Pending.resolved(1)
        done.cancel()
        self.assertFalse(done.was_cancel_requested())


if __name__ == "__main__":
    unittest.main()
