# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running programs: run(), spawn(), handlers, Ctrl-C."""

import asyncio
import os
import signal
import threading
import unittest

from gi.repository import AsyncExec, GLib, GObject

import aextest


class Run(unittest.TestCase):
    def test_names_run(self):
        self.assertEqual(AsyncExec.run(max, 1, 2), 2)

        async def main():
            return await AsyncExec.spawn(threading.get_ident)

        self.assertEqual(AsyncExec.run(main), threading.get_ident())

    def test_plain_thread_gets_a_context(self):
        async def main():
            await AsyncExec.sleep(0.001)
            return AsyncExec.Caller.current() is not AsyncExec.Caller.get_main()

        self.assertTrue(aextest.in_thread(AsyncExec.run, main))

    def test_nested(self):
        with self.assertRaises(RuntimeError):
            AsyncExec.run(AsyncExec.run, int)

        async def main():
            AsyncExec.run(int)

        with self.assertRaises(RuntimeError):
            asyncio.run(main())

    def test_exceptions_keyboard_interrupt(self):
        async def main():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await AsyncExec.Pending()
            except AsyncExec.Cancelled:
                seen.append("cancelled")
                raise

        seen = []
        with self.assertRaises(KeyboardInterrupt):
            AsyncExec.run(main)
        self.assertEqual(seen, ["cancelled"])
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_exceptions_system_exit(self):
        async def main():
            raise SystemExit(4)

        with self.assertRaises(SystemExit):
            AsyncExec.run(main)

    def test_R16_result_is_interrupted(self):
        pending = AsyncExec.Pending()
        main = threading.main_thread().ident
        GLib.idle_add(lambda: signal.pthread_kill(main, signal.SIGINT) and False)
        with self.assertRaises(KeyboardInterrupt):
            pending.result()

    def test_R16_interrupt_inside_a_callback_is_not_lost(self):
        # PyGObject runs Python to make an exception of a GError: what came meanwhile was printed and forgotten.
        done = aextest.run_script("""
            import os, signal, threading
            seen = []
            def callback():
                for _ in range(5):
                    thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT))
                    try:
                        thread.start()
                        AsyncExec.Pending().result()
                    except KeyboardInterrupt:
                        seen.append("interrupted")
                    thread.join()
                return False
            from gi.repository import GLib
            GLib.idle_add(callback)
            while len(seen) < 5:
                GLib.MainContext.default().iteration(True)
            print(len(seen))
            """)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("5\n", "", 0))

    def test_R16_second_interrupt_ends_what_runs(self):
        seen = []

        def callback():
            signal.raise_signal(signal.SIGINT)
            seen.append("goes on")
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                seen.append("ended")
            return GLib.SOURCE_REMOVE

        GLib.idle_add(callback)
        with self.assertRaises(KeyboardInterrupt):
            AsyncExec.Pending().result()
        self.assertEqual(seen, ["goes on", "ended"])

    def test_result_runs_the_context(self):
        pending = AsyncExec.Pending()
        GLib.idle_add(lambda: pending.resolve(1) and False)
        self.assertEqual(pending.result(), 1)

    def test_result_on_a_plain_thread_takes_no_context(self):
        pending, seen = AsyncExec.Pending(), []
        GLib.idle_add(lambda: seen.append(threading.current_thread()) and False)
        with self.assertRaises(AsyncExec.Timeout):
            aextest.in_thread(pending.result, 0.001)
        self.assertEqual(seen, [])
        aextest.iterate_until(lambda: seen)

    def test_K55_from_own_thread_would_deadlock(self):
        seen = []

        def callback():
            try:
                AsyncExec.Caller.current().submit(int).result()
            except AsyncExec.WouldDeadlock as error:
                seen.append(error)
            return GLib.SOURCE_REMOVE

        GLib.idle_add(callback)
        aextest.iterate_until(lambda: seen)

    def test_handler(self):
        class Source(GObject.Object):
            __gsignals__ = {"rang": (GObject.SignalFlags.RUN_FIRST, None, (int,))}

        seen = AsyncExec.Pending()

        class Watcher:
            @AsyncExec.handler
            async def on_rang(self, source, number):
                await AsyncExec.sleep(0.001)
                seen.resolve(number)

        source = Source()
        source.connect("rang", Watcher().on_rang)
        source.emit("rang", 7)
        self.assertEqual(seen.result(), 7)

    def test_main_loop(self):
        loop = GLib.MainLoop()

        async def main():
            await AsyncExec.sleep(0.001)
            loop.quit()

        pending = AsyncExec.spawn(main)
        loop.run()
        self.assertIsNone(pending.result())


if __name__ == "__main__":
    unittest.main()
