# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which backends and hosts there are, and who has which."""

import asyncio
import contextvars
import unittest

from gi.repository import AsyncExec, Gio, GLib

import aextest

Pending = AsyncExec.Pending
variable = contextvars.ContextVar("variable", default=None)


class Options(unittest.TestCase):
    def setUp(self):
        self.caller = AsyncExec.Caller.new_thread("host")
        self.addCleanup(lambda: self.caller.stop(force=True).result())

    def assert_code(self, code, function, *args, **kwargs):
        with self.assertRaises(GLib.Error) as raised:
            function(*args, **kwargs)
        self.assertTrue(raised.exception.matches(AsyncExec.Error.quark(), code), raised.exception)

    def test_K27_P15_unknown(self):
        pending = self.caller.call_using_backend("trio", int)
        self.assertTrue(pending.done())
        self.assert_code(AsyncExec.Error.NOT_FOUND, pending.result)
        self.assertRegex(str(pending.exception()), "trio.*glib.*asyncio")
        self.assert_code(AsyncExec.Error.NOT_FOUND, self.caller.child, backend="trio")
        self.assert_code(AsyncExec.Error.NOT_FOUND, AsyncExec.Caller.new_thread, backend="trio")
        with self.assertRaises(TypeError):
            self.caller.call_using_backend(asyncio, int)
        with self.assertRaises(TypeError):
            self.caller.call_using_backend("asyncio", 5)

    def test_K6_backend_mismatch(self):
        child = self.caller.child("child", backend="asyncio")
        self.assertIs(self.caller.child("child"), child)
        self.assertIs(self.caller.child("child", backend="asyncio"), child)
        self.assert_code(AsyncExec.Error.MISMATCH, self.caller.child, "child", backend="glib")
        context = GLib.MainContext.new()
        caller = AsyncExec.Caller.for_context(context, backend="asyncio")
        self.assertEqual(caller.backend, "asyncio")
        self.assertIs(AsyncExec.Caller.for_context(context), caller)
        self.assert_code(AsyncExec.Error.MISMATCH, AsyncExec.Caller.for_context, context, backend="glib")

    def test_K6_name_mismatch(self):
        context = GLib.MainContext.new()
        caller = AsyncExec.Caller.for_context(context, "view", backend="asyncio")
        self.assertEqual(caller.name, "view")
        self.assert_code(AsyncExec.Error.MISMATCH, AsyncExec.Caller.for_context, context, "model", backend="asyncio")

    def test_K29_options_passed(self):
        child = self.caller.child(backend="asyncio", niceness=3)
        self.assertEqual((child.backend, child.niceness), ("asyncio", 3))
        grandchild = child.child()
        self.assertEqual((grandchild.backend, grandchild.niceness), ("asyncio", 3))
        self.assertEqual(child.child(backend="glib").backend, "glib")
        self.assertEqual(self.caller.backend, "glib")

    def test_K25_schedule_call(self):
        async def work():
            await asyncio.sleep(0)
            return variable.get()

        context = contextvars.copy_context()
        context.run(variable.set, "other")
        pending = self.caller.schedule_call(work, (), None, context, (), "asyncio")
        self.assertEqual(pending.result(), "other")


class Hosts(unittest.TestCase):
    """K28: a loop that owns the thread is adopted; whoever brings it has it run."""

    def test_K28_main_loop(self):
        def run(context):
            host = GLib.MainLoop.new(context, False)

            async def work(a, b):
                await AsyncExec.sleep(0.001)
                self.assertTrue(host.is_running())
                return a + b, AsyncExec.Caller.current().context == host.get_context()

            self.assertEqual(AsyncExec.run_hosted(host, work, 2, b=3), (5, True))
            self.assertFalse(host.is_running())

        run(None)
        aextest.in_thread(run, GLib.MainContext.new())

    def test_K28_application(self):
        app = Gio.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
        app.connect("activate", lambda app: seen.append("activated"))
        seen = []

        async def work():
            await AsyncExec.sleep(0.001)
            return seen

        self.assertEqual(AsyncExec.run_hosted(app, work), ["activated"])

    def test_K28_exception(self):
        error = LookupError("x")

        def fail():
            raise error

        with self.assertRaises(LookupError) as raised:
            AsyncExec.run_hosted(GLib.MainLoop(), fail)
        self.assertIs(raised.exception, error)
        error.__traceback__ = None

    def test_K28_host_ends_before(self):
        host = GLib.MainLoop()
        seen = []

        async def work():
            GLib.idle_add(host.quit)
            try:
                await Pending()
            finally:
                seen.append("ended")

        with self.assertRaisesRegex(RuntimeError, "ended before"):
            AsyncExec.run_hosted(host, work)
        self.assertEqual(seen, ["ended"])

    def test_K28_second_host(self):
        def work():
            with self.assertRaisesRegex(RuntimeError, "a host already"):
                AsyncExec.run_hosted(GLib.MainLoop(), int)
            return "refused"

        self.assertEqual(AsyncExec.run_hosted(GLib.MainLoop(), work), "refused")
        self.assertEqual(AsyncExec.run(work), "refused")

    def test_K28_not_a_host(self):
        for host in (5, GLib.MainLoop, object()):
            with self.assertRaisesRegex(TypeError, "a host is"):
                AsyncExec.run_hosted(host, int)

    def test_K28_host_of_the_program(self):
        """Whatever runs and quits."""
        class Host:
            def __init__(self):
                self.over = False

            def run(self):
                aextest.iterate_until(lambda: self.over)

            def quit(self):
                self.over = True

        self.assertEqual(AsyncExec.run_hosted(Host(), abs, -1), 1)

    def test_K28_ctrl_c(self):
        done = aextest.run_script("""
            import os
            import signal

            signal.signal(signal.SIGINT, signal.default_int_handler)

            async def work():
                os.kill(os.getpid(), signal.SIGINT)
                try:
                    await AsyncExec.Pending()
                except AsyncExec.Cancelled as error:
                    print(error, flush=True)
                    raise

            try:
                AsyncExec.run_hosted(GLib.MainLoop(), work)
            except KeyboardInterrupt:
                print("interrupt")
            """)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "interrupted\ninterrupt\n", ""))


if __name__ == "__main__":
    unittest.main()
