# SPDX-License-Identifier: LGPL-2.1-or-later
"""A button that starts a job on a thread, and cancels it; a bar that shows how far it is."""

import hashlib
import sys

import gi

gi.require_version("AsyncExec", "1")
gi.require_version("Gtk", "4.0")
from gi.repository import AsyncExec, Gtk


def hash_zeros():
    """On a thread."""
    digest, block = hashlib.sha256(), bytes(1 << 20)
    for i in range(1000):
        AsyncExec.check_cancelled()
        digest.update(block)
        AsyncExec.report_progress((i + 1) / 1000)
    return digest.hexdigest()


class Window(Gtk.ApplicationWindow):    # on the main thread
    def __init__(self, app):
        super().__init__(application=app, title="gtk-button", default_width=320)
        self.job = None
        self.button = Gtk.Button(label="Start")
        self.bar = Gtk.ProgressBar()
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=12)
        for widget in (self.button, self.bar):
            box.append(widget)
        self.set_child(box)
        self.button.connect("clicked", self.on_clicked)

    @AsyncExec.handler
    async def on_clicked(self, button):
        if self.job is not None:
            self.job.cancel("Cancelled. Again?")
            return
        button.set_label("Cancel")
        self.job = AsyncExec.Executor.get_default().submit(hash_zeros)
        self.job.cancel_with(button)
        self.job.bind_progress(self.bar)
        try:
            await self.job
            button.set_label("Done. Again?")
        except AsyncExec.Cancelled as error:
            button.set_label(str(error))
        finally:
            self.job = None


application = Gtk.Application()
application.connect("activate", lambda app: Window(app).present())
try:
    sys.exit(application.run())
except KeyboardInterrupt:
    sys.exit(130)
