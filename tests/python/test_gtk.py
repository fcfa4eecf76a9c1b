# SPDX-License-Identifier: LGPL-2.1-or-later
"""Inside Gtk.Application, on a display: each test is a program that a person could have written."""

import os
import textwrap
import unittest

import aextest

# It runs activate(app, window), which the test defines, and prints how it ended.
HEAD = """
import os
import signal
import threading

gi.require_version("Gtk", "4.0")
from gi.repository import Gtk

main_thread = threading.get_ident()
pool = AsyncExec.ThreadPool(2)


def run(activate):
    def on_activate(app):
        window = Gtk.ApplicationWindow(application=app)
        window.present()
        activate(app, window)

    app = Gtk.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
    app.connect("activate", on_activate)
    print("ended with", app.run([]), flush=True)

"""

ENVIRONMENT = {
    "GDK_BACKEND": "x11",
    "GSK_RENDERER": "cairo",
    "GTK_A11Y": "none",
    "GSETTINGS_BACKEND": "memory",
    "LIBGL_ALWAYS_SOFTWARE": "1",
}


@unittest.skipUnless(os.environ.get("DISPLAY"), "NOT RUN: there is no display")
class Application(unittest.TestCase):
    def run_main(self, text, status=0):
        done = aextest.run_script(HEAD + textwrap.dedent(text), env=ENVIRONMENT)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("CRITICAL", done.stderr)
        return done

    def end_of(self, text):
        done = self.run_main(text)
        self.assertNotIn("Traceback", done.stderr)
        return done.stdout

    def test_handler_awaits(self):
        out = self.end_of("""
            class Page:
                def __init__(self, app, window):
                    self.app = app
                    self.label = Gtk.Label()
                    window.set_child(self.label)
                    self.button = Gtk.Button()
                    self.button.connect("clicked", self.on_clicked)
                    self.button.emit("clicked")
                    print("emitted", repr(self.label.get_text()))

                @AsyncExec.handler
                async def on_clicked(self, button):
                    self.label.set_text(await pool.submit(str, 5))
                    print(self.label.get_text(), threading.get_ident() == main_thread)
                    self.app.quit()

            run(Page)
            """)
        self.assertEqual(out, "emitted ''\n5 True\nended with 0\n")

    def test_handler_that_raises_is_reported(self):
        done = self.run_main("""
            def activate(app, window):
                @AsyncExec.handler
                async def on_clicked(button):
                    try:
                        raise KeyError(await pool.submit(str, 5))
                    finally:
                        AsyncExec.Caller.current().call_later(0, app.quit)

                button = Gtk.Button()
                button.connect("clicked", on_clicked)
                button.emit("clicked")

            run(activate)
            """)
        self.assertIn("KeyError: '5'", done.stderr)
        self.assertEqual(done.stdout, "ended with 0\n")

    def test_done_callback_touches_a_widget(self):
        out = self.end_of("""
            def activate(app, window):
                label = Gtk.Label()
                window.set_child(label)

                def show(pending):
                    label.set_text(pending.peek())
                    print(label.get_text(), threading.get_ident() == main_thread)
                    app.quit()

                pool.submit(str, 5).add_done_callback(show)

            run(activate)
            """)
        self.assertEqual(out, "5 True\nended with 0\n")

    def test_bind_progress(self):
        out = self.end_of("""
            gate = threading.Event()

            def work():
                AsyncExec.report_progress(0.5)
                gate.wait()

            def activate(app, window):
                bar = Gtk.ProgressBar()
                window.set_child(bar)
                pending = pool.submit(work)

                def moved(bar, pspec):
                    if bar.get_fraction() == 0:
                        return
                    print(bar.get_fraction(), threading.get_ident() == main_thread)
                    bar.disconnect(watch)
                    gate.set()

                watch = bar.connect("notify::fraction", moved)
                pending.bind_progress(bar)
                pending.add_done_callback(lambda pending: app.quit())

            run(activate)
            """)
        self.assertEqual(out, "0.5 True\nended with 0\n")

    def test_R16_result_inside_a_handler(self):
        """Where a loop runs below, a handler only blocks: nothing of the window runs meanwhile.  What this very thread
        would have to run is refused, and so is blocking in a coroutine."""
        out = self.end_of("""
            def blocks(app):
                caller = AsyncExec.Caller.current()
                caller.call_soon(print, "later")
                print(pool.submit(str, 5).result())
                try:
                    caller.submit(int).result(10)
                except AsyncExec.WouldDeadlock:
                    print("refused")

                @AsyncExec.handler
                async def start():
                    try:
                        AsyncExec.Pending().result()
                    except AsyncExec.WouldDeadlock:
                        print("refused")
                    app.quit()

                start()

            run(lambda app, window: GLib.idle_add(blocks, app))
            """)
        self.assertEqual(out, "5\nrefused\nlater\nrefused\nended with 0\n")

    def test_control_c(self):
        """PyGObject ends the application, and raises; what still runs is cancelled and waited for."""
        done = self.run_main("""
            def work():
                started.set()
                cancelled.wait()
                AsyncExec.check_cancelled()

            started, cancelled = threading.Event(), threading.Event()

            def activate(app, window):
                async def interrupt():
                    await pool.submit(started.wait)
                    os.kill(os.getpid(), signal.SIGINT)

                job = pool.submit(work)
                AsyncExec.spawn(interrupt)

            try:
                run(activate)
            except KeyboardInterrupt:
                print("interrupted")
            cancelled.set()
            """)
        self.assertEqual(done.stdout, "interrupted\n", done.stderr)

    # What the next ones have in common: a window that is drawn anew all the time.
    GUESTS = """
        import asyncio
        import sys

        class Drawn(Gtk.Widget):
            def __init__(self, window):
                super().__init__()
                self.count = 0
                self.set_size_request(50, 50)
                self.add_tick_callback(lambda *args: self.queue_draw() or True)
                window.set_child(self)

            def do_snapshot(self, snapshot):
                self.count += 1

        async def echo(reader, writer):
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def use_streams(is_over):
            server = await asyncio.start_server(echo, "127.0.0.1", 0)
            async with server:
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                try:
                    count = 0
                    while not is_over():
                        writer.write(b"%d\\n" % count)
                        assert await reader.readline() == b"%d\\n" % count
                        count += 1
                finally:
                    writer.close()
                    await writer.wait_closed()
            return count

        async def use_process(is_over):
            child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            try:
                count = 0
                while not is_over():
                    child.stdin.write(b"line\\n")
                    assert await child.stdout.readline() == b"line\\n"
                    count += 1
            finally:
                child.stdin.close()
                assert await child.wait() == 0
            return count

        async def keep_busy(is_over):
            count = 0
            while not is_over():
                await asyncio.sleep(0)
                count += 1
            return count

    """

    def test_K27_K28_asyncio_as_a_guest(self):
        """A server and its client, a process, and a task that never rests, while the window is drawn."""
        out = self.end_of(textwrap.dedent(self.GUESTS) + textwrap.dedent("""
            async def main(drawn):
                start = drawn.count
                def is_over():
                    return drawn.count >= start + 50
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(work(is_over)) for work in (use_streams, use_process, keep_busy)]
                return [task.result() > 10 for task in tasks], threading.get_ident() == main_thread

            def activate(app, window):
                def show(pending):
                    print(pending.peek(), flush=True)
                    app.quit()

                app.drawn = Drawn(window)
                AsyncExec.Caller.get_main().call_using_backend("asyncio", main, app.drawn).add_done_callback(show)

            run(activate)
            """))
        self.assertEqual(out, "([True, True, True], True)\nended with 0\n")

    def test_K27_control_c_ends_guests(self):
        done = self.run_main(textwrap.dedent(self.GUESTS) + textwrap.dedent("""
            signal.signal(signal.SIGINT, signal.default_int_handler)

            async def main(drawn):
                def is_over():
                    if drawn.count >= 10 and not interrupted:
                        interrupted.append(True)
                        os.kill(os.getpid(), signal.SIGINT)
                    return False

                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(use_streams(is_over))
                        group.create_task(use_process(is_over))
                finally:
                    print("ended", flush=True)

            interrupted = []

            def activate(app, window):
                app.drawn = Drawn(window)
                AsyncExec.Caller.get_main().call_using_backend("asyncio", main, app.drawn)

            try:
                run(activate)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            """))
        self.assertEqual((done.stdout, done.stderr), ("interrupted\nended\n", ""))

    def test_K28_run_hosted(self):
        """main() is the program, and the application its host."""
        out = self.end_of(textwrap.dedent(self.GUESTS) + textwrap.dedent("""
            app = Gtk.Application(flags=Gio.ApplicationFlags.NON_UNIQUE)
            app.connect("activate", lambda app: Gtk.ApplicationWindow(application=app).present())

            async def main():
                caller = AsyncExec.Caller.current()
                await caller.call_using_backend("asyncio", asyncio.sleep, 0.001)
                return len(app.get_windows()), threading.get_ident() == main_thread

            print(AsyncExec.run_hosted(app, main))
            """))
        self.assertEqual(out, "(1, True)\n")

    def test_quit_with_jobs_under_way(self):
        """Queued, running, and awaited by a handler: the program ends, and says nothing."""
        done = self.run_main("""
            started, ended = threading.Event(), threading.Event()

            def work():
                started.set()
                ended.wait()

            def activate(app, window):
                @AsyncExec.handler
                async def start():
                    await pool.submit(work)

                start()
                for number in range(20):
                    pool.submit(work)
                started.wait()
                app.quit()

            run(activate)
            ended.set()
            """)
        self.assertEqual((done.stdout, done.stderr), ("ended with 0\n", ""))


if __name__ == "__main__":
    unittest.main()
