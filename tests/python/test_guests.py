# SPDX-License-Identifier: LGPL-2.1-or-later
"""asyncio, and loops of others, as guests in the thread of a caller."""

import asyncio
import contextvars
import os
import sys
import textwrap
import threading
import unittest

from gi.repository import AsyncExec, GLib

import aextest

Pending = AsyncExec.Pending
variable = contextvars.ContextVar("variable", default=None)


def open_files():
    return len(os.listdir("/proc/self/fd"))


class WithThread(unittest.TestCase):
    def setUp(self):
        self.caller = AsyncExec.Caller.new_thread("host")
        self.addCleanup(lambda: self.caller.stop(force=True).result())

    def call(self, fn, *args, **kwargs):
        return self.caller.call_using_backend("asyncio", fn, *args, **kwargs)


class Work(WithThread):
    def test_K27_opposite(self):
        gate = Pending()

        async def work(a, b):
            await gate
            return a + b, threading.get_ident(), AsyncExec.Caller.current()

        with AsyncExec.PendingManager() as manager:
            pending = self.call(work, 2, b=3)
            self.assertIn(pending, manager)
            gate.resolve()
        total, thread, caller = pending.result()
        self.assertEqual((total, thread), (5, self.caller.submit(threading.get_ident).result()))
        self.assertIs(caller, self.caller)

    def test_K27_exception_is_itself(self):
        error = LookupError("x")

        async def fail():
            await asyncio.sleep(0)
            raise error

        pending = self.call(fail)
        self.assertIs(pending.exception(), error)

    def test_K27_current_pending_and_contextvars(self):
        async def work():
            await asyncio.sleep(0)
            before = variable.get()
            variable.set("changed")
            return hash(AsyncExec.current_pending()), before

        variable.set("given")
        pending = self.call(work)
        current, value = pending.result()
        self.assertEqual((current, value, variable.get()), (hash(pending), "given", "given"))
        variable.set(None)

    def test_K27_plain_function_in_the_loop(self):
        async def later():
            await asyncio.sleep(0)
            return "later"

        def work():
            return asyncio.get_running_loop().create_task(later())

        async def wait():
            return await task

        task = self.call(work).result()
        self.assertEqual(self.call(wait).result(), "later")

    def test_K27_everything_of_asyncio(self):
        async def answer(reader, writer):
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def streams():
            server = await asyncio.start_server(answer, "127.0.0.1", 0)
            async with server:
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"hello\n")
                line = await reader.readline()
                writer.close()
                await writer.wait_closed()
            return line

        async def process():
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input() * 2)",
                                                         stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            out, _ = await child.communicate(b"ab\n")
            return out, child.returncode

        async def names():
            loop = asyncio.get_running_loop()
            return (await loop.getaddrinfo("127.0.0.1", 80))[0][4], await loop.run_in_executor(None, pow, 2, 5)

        async def timeouts():
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            except TimeoutError:
                return "timeout"

        async def main():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work()) for work in (streams, process, names, timeouts)]
            return [task.result() for task in tasks]

        self.assertEqual(self.call(main).result(), [b"HELLO\n", (b"abab\n", 0), (("127.0.0.1", 80), 32), "timeout"])

    def test_K27_awaits_our_pendings(self):
        pool = AsyncExec.ThreadPool(2)
        self.addCleanup(lambda: pool.shutdown().result())

        async def main():
            inner = await AsyncExec.Caller.current().submit(threading.get_ident)
            return await pool.submit(pow, 2, 3), await asyncio.gather(pool.submit(abs, -1), Pending.sleep(0.001)), \
                inner == threading.get_ident()

        self.assertEqual(self.call(main).result(), (8, [1, None], True))

    def test_K27_blocking_in_the_loop_is_refused(self):
        async def main():
            with self.assertRaises(AsyncExec.WouldDeadlock):
                Pending().result()
            with self.assertRaises(RuntimeError):
                AsyncExec.run(int)

        self.call(main).result()

    def test_K27_our_coroutines_beside(self):
        """What a caller runs in its own way still can not await asyncio's futures, and is told what can."""
        async def ours(future):
            await future

        async def theirs():
            return await self.caller.submit(ours, asyncio.get_running_loop().create_future())

        with self.assertRaisesRegex(RuntimeError, "call_using_backend"):
            self.call(theirs).result()

    def test_K27_many_timers(self):
        """Those that were cancelled do not stay."""
        async def main():
            loop = asyncio.get_running_loop()
            for _ in range(2000):
                loop.call_later(3600, print).cancel()
            return len(loop.timers)

        self.assertLess(self.call(main).result(), 200)

    def test_K27_same_backend(self):
        """Of a caller whose backend it is, asyncio runs all jobs, and those of its children."""
        caller = AsyncExec.Caller.new_thread(backend="asyncio")
        self.addCleanup(lambda: caller.stop(force=True).result())

        async def sleep():
            await asyncio.sleep(0)
            return asyncio.get_running_loop()

        loop = caller.submit(sleep).result()
        self.assertIs(caller.submit(asyncio.get_running_loop).result(), loop)
        self.assertIs(caller.call_later(0.001, sleep).result(), loop)
        self.assertIs(caller.schedule_call(sleep).result(), loop)
        self.assertIs(caller.call_using_backend("asyncio", sleep).result(), loop)
        self.assertIsNot(caller.to_thread(sleep).result(), loop)
        with self.assertRaises(RuntimeError):
            caller.call_using_backend("glib", asyncio.get_running_loop).result()

    def test_K27_hosted_by_asyncio(self):
        """Where asyncio runs the thread, it is that loop, and there is no guest."""
        async def loop():
            await asyncio.sleep(0)
            return asyncio.get_running_loop()

        async def main():
            caller = AsyncExec.Caller.current()
            return await caller.call_using_backend("asyncio", loop) is asyncio.get_running_loop()

        self.assertTrue(asyncio.run(main()))

    def test_K27_adopted_context(self):
        """Of a thread that Python has made."""
        async def main():
            await asyncio.sleep(0.001)
            return threading.get_ident(), AsyncExec.Caller.current()

        def body():
            caller = AsyncExec.Caller.current()
            seen = caller.call_using_backend("asyncio", main).result()
            caller.stop(force=True).result()
            return seen == (threading.get_ident(), caller)

        self.assertTrue(aextest.with_own_context(body))

    def test_K27_nested_iteration(self):
        """A callback that runs the main context does not enter the loop once more."""
        async def second(seen):
            seen.append("second")

        async def first(seen, inner):
            inner.append(AsyncExec.Caller.current().call_using_backend("asyncio", second, seen))
            asyncio.get_running_loop().call_soon(seen.append, "soon")
            fired = []
            source = GLib.timeout_source_new(1)
            source.set_callback(lambda *data: fired.append(1) or len(fired) < 5)
            source.attach(GLib.MainContext.get_thread_default())
            aextest.iterate_until(lambda: len(fired) == 5, GLib.MainContext.get_thread_default())
            seen.append("first")

        def body():
            seen, inner = [], []
            caller = AsyncExec.Caller.current()
            caller.call_using_backend("asyncio", first, seen, inner).result()
            inner.pop().result()
            caller.stop(force=True).result()
            return seen

        self.assertEqual(aextest.with_own_context(body), ["first", "soon", "second"])


class Ends(WithThread):
    def test_K27_cancel(self):
        started = threading.Event()
        seen = []

        async def work():
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                seen.append(str(error))
                await asyncio.sleep(0)
                seen.append("cleaned up")
                raise

        pending = self.call(work)
        started.wait()
        pending.cancel("no more")
        with self.assertRaisesRegex(AsyncExec.Cancelled, "no more"):
            pending.result()
        self.assertEqual(seen, ["no more", "cleaned up"])

    def test_K27_cancelled_and_ends_normally(self):
        """It is cancelled all the same, and done when the task is."""
        started, release = threading.Event(), Pending()

        async def work():
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await release
            return 5

        pending = self.call(work)
        started.wait()
        pending.cancel()
        self.caller.submit(int).result()
        self.assertFalse(pending.done())
        release.resolve()
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()

    def test_K27_cancelled_by_itself(self):
        async def work():
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

        with self.assertRaises(AsyncExec.Cancelled):
            self.call(work).result()

    def test_K27_in_a_group(self):
        async def wait():
            await asyncio.Event().wait()

        async def fail():
            await asyncio.sleep(0)
            raise LookupError("x")

        async def main():
            async with AsyncExec.Group():
                waiting.append(self.call(wait))
                self.call(fail)

        waiting = []
        with self.assertRaises(Exception) as raised:
            AsyncExec.run(main)
        self.assertIn("LookupError", repr(raised.exception))
        self.assertTrue(waiting[0].cancelled())

    def test_K27_stop(self):
        """What is queued never runs, what runs is cancelled, and so is what it has left in the loop."""
        started, blocked = threading.Event(), threading.Event()
        seen = []

        async def generate():
            try:
                yield 1
            finally:
                seen.append("generator")

        async def left():
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                seen.append("left")

        async def work():
            kept.append(asyncio.create_task(left()))
            kept.append(generate())
            await anext(kept[1])
            await asyncio.get_running_loop().run_in_executor(None, int)
            self.call(never)
            started.set()
            blocked.wait()
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("job")

        async def never():
            seen.append("never")

        kept = []
        self.caller.submit(int).result()
        files = open_files()
        pending = self.call(work)
        started.wait()
        stopped = self.caller.stop(force=True)
        blocked.set()
        stopped.result()
        self.assertTrue(pending.cancelled())
        self.assertEqual(seen, ["job", "left", "generator"])
        # Its context is gone, with the eventfd of that and of its caller.
        self.assertLess(open_files(), files)
        self.assertEqual([thread.name for thread in threading.enumerate() if thread.name.startswith("asyncio")], [])

    def test_K27_drain(self):
        """A shutdown that cancels nothing lets it run to its end."""
        gate = Pending()

        async def work():
            return await gate

        pending = self.call(work)
        self.caller.submit(int).result()
        stopped = self.caller.shutdown()
        gate.resolve(5)
        stopped.result()
        self.assertEqual(pending.result(), 5)

    def test_K27_stop_of_an_adopted_context(self):
        """The loop goes, the context stays, and gets another one when it is asked again."""
        context = GLib.MainContext.new()
        files = open_files()

        async def loop():
            await asyncio.sleep(0)
            return asyncio.get_running_loop()

        def body():
            context.push_thread_default()
            try:
                loops = []
                for _ in range(2):
                    caller = AsyncExec.Caller.for_context(context)
                    loops.append(caller.call_using_backend("asyncio", loop).result())
                    caller.stop(force=True).result()
                return loops[0] is loops[1], [loop.is_closed() for loop in loops]
            finally:
                context.pop_thread_default()

        self.assertEqual(aextest.in_thread(body), (False, [True, True]))
        del context
        self.assertLessEqual(open_files(), files)

    def test_K27_context_dies(self):
        seen = []

        async def wait():
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("ended")

        def body():
            context = GLib.MainContext.new()
            context.push_thread_default()
            caller = AsyncExec.Caller.current()
            caller.call_using_backend("asyncio", wait)
            aextest.iterate_until(lambda: caller.n_running, context)
            while context.iteration(False):
                pass
            context.pop_thread_default()

        aextest.in_thread(body)
        self.assertEqual(seen, ["ended"])

    def test_K27_unhandled_exception_of_a_task_that_was_left(self):
        told = []

        async def left():
            try:
                await asyncio.Event().wait()
            finally:
                raise LookupError("x")

        async def work():
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: told.append(repr(context["exception"])))
            loop.left = loop.create_task(left())
            await asyncio.sleep(0)

        self.call(work).result()
        self.caller.stop(force=True).result()
        self.assertEqual(told, ["LookupError('x')"])

    def test_K27_system_exit_is_the_outcome(self):
        async def work():
            await asyncio.sleep(0)
            raise SystemExit(3)

        with self.assertRaises(SystemExit):
            self.call(work).result()
        self.assertEqual(self.call(abs, -1).result(), 1)


class Program(unittest.TestCase):
    def run_main(self, text):
        return aextest.run_script(textwrap.dedent("import asyncio, os, signal, sys, threading\n") + textwrap.dedent(text))

    def test_K27_exit(self):
        """Nobody stops the caller of the main context: the end of the interpreter does."""
        done = self.run_main("""
            async def work():
                try:
                    await asyncio.Event().wait()
                finally:
                    await asyncio.sleep(0.001)
                    print("ended", flush=True)

            caller = AsyncExec.Caller.get_main()
            caller.call_using_backend("asyncio", work)
            caller.call_using_backend("asyncio", asyncio.sleep, 0).result()
            """)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ended\n", ""))

    def test_K27_ctrl_c(self):
        """In a loop that PyGObject runs, and in AsyncExec.run(): the task is cancelled, and ends its process."""
        for run in ("GLib.MainLoop().run()", "AsyncExec.run(wait)"):
            with self.subTest(run):
                done = self.run_main(f"""
                    signal.signal(signal.SIGINT, signal.default_int_handler)

                    async def work():
                        child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import sys; sys.stdin.read()",
                                                                     stdin=asyncio.subprocess.PIPE)
                        os.kill(os.getpid(), signal.SIGINT)
                        try:
                            await child.wait()
                        finally:
                            child.stdin.close()
                            print("process", await child.wait(), flush=True)

                    async def wait():
                        await job

                    job = AsyncExec.Caller.get_main().call_using_backend("asyncio", work)
                    try:
                        {run}
                    except KeyboardInterrupt:
                        print("interrupted", flush=True)
                    """)
                self.assertEqual((done.returncode, sorted(done.stdout.split()), done.stderr),
                                 (0, ["0", "interrupted", "process"], ""))


class OwnGuest(unittest.TestCase):
    def test_K27_a_backend_in_python(self):
        """The loop of a GLib.MainContext, in the thread of another one."""
        class Nested(AsyncExec.Guest):
            context = None

            def do_dispatch(self, job):
                if self.context is None:
                    self.context = GLib.MainContext.new()
                if job.name == "refused":
                    raise LookupError("x")
                source = GLib.idle_source_new()
                source.set_callback(lambda *data: job.run())
                source.attach(self.context)
                self.set_ready_time(0)

            def do_iterate(self):
                self.context.iteration(False)
                self.set_ready_time(0 if self.context.pending() else None)

            def do_end(self):
                seen.append(self.caller.name)
                self.set_fd(None)
                return Pending.resolved(None)

        def work():
            return GLib.main_current_source().get_context()

        seen = []
        AsyncExec.Caller.register_backend("nested", Nested)
        AsyncExec.Caller.register_backend("nested", Nested)
        with self.assertRaises(GLib.Error):
            AsyncExec.Caller.register_backend("asyncio", Nested)
        with self.assertRaises(TypeError):
            AsyncExec.Caller.register_backend("other", int)
        caller = AsyncExec.Caller.new_thread("outer")
        self.assertNotEqual(caller.call_using_backend("nested", work).result(), caller.context)
        self.assertEqual(caller.call_using_backend("glib", work).result(), caller.context)
        caller.stop(force=True).result()
        self.assertEqual(seen, ["outer"])


if __name__ == "__main__":
    unittest.main()
