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
