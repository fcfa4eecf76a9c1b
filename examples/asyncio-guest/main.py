# SPDX-License-Identifier: LGPL-2.1-or-later
"""A GTK window and an asyncio server in one thread: shows what clients say, and answers with the number of
what was said before.  Ctrl-C ends both.

usage: main.py SOCKET          try it: echo hello | nc -U SOCKET
"""

import asyncio
import sys

import gi

gi.require_version("AsyncExec", "1")
gi.require_version("Gtk", "4.0")
from gi.repository import AsyncExec, Gtk


class Window(Gtk.ApplicationWindow):
    def __init__(self, app, path):
        super().__init__(application=app, title="asyncio-guest", default_width=320)
        self.count = 0
        self.label = Gtk.Label(label=f"Nobody has said anything on {path}")
        self.set_child(self.label)
        # GTK runs this thread: asyncio is its guest, from here on until the program ends.
        self.server = AsyncExec.Caller.get_main().call_using_backend("asyncio", self.serve, path)
        self.server.cancel_with(self)

    async def serve(self, path):
        async with await asyncio.start_unix_server(self.answer, path):
            print("ready", flush=True)
            await asyncio.Event().wait()

    async def answer(self, reader, writer):
        """One client, each in a task: what they touch in the window is touched by this thread alone."""
        try:
            while line := await reader.readline():
                text = line.decode(errors="replace").strip()
                self.label.set_label(text)
                self.set_title(text)
                writer.write(f"{self.count}\n".encode())
                self.count += 1
                await writer.drain()
        finally:
            writer.close()


application = Gtk.Application()
application.connect("activate", lambda app: Window(app, sys.argv[1]).present())
try:
    sys.exit(application.run())
except KeyboardInterrupt:
    sys.exit(130)
