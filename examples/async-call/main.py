# SPDX-License-Identifier: LGPL-2.1-or-later
"""The helper that many programs write, as Lutris did: call a function on a thread, and a callback
with (result, error) on the main thread.  Before:

    class AsyncCall(threading.Thread):
        def __init__(self, func, callback, *args, **kwargs):
            self.callback_func = callback
            super().__init__(target=self.target, args=args, kwargs=kwargs)
            self.function = func
            self.daemon = True
            self.start()

        def target(self, *args, **kwargs):
            result = error = None
            try:
                result = self.function(*args, **kwargs)
            except Exception as ex:
                error = ex
            GLib.idle_add(self.callback_func, result, error)

After: async_call() below, with the same arguments.  It can be cancelled and waited for, uses few
threads, ends with the program, and what is raised in the callback or by nobody's job is logged.
"""

import sys

import gi

gi.require_version("AsyncExec", "1")
from gi.repository import AsyncExec, GLib


def async_call(func, callback, *args, **kwargs):
    """Runs func(*args, **kwargs) on a thread, then callback(result, error) here."""
    def done(job):
        error = job.peek_exception() if not job.cancelled() else AsyncExec.Cancelled()
        callback(None if error else job.peek(), error)

    job = AsyncExec.Executor.get_default().submit(func, *args, **kwargs)
    job.add_done_callback(done)
    return job


def main():
    loop = GLib.MainLoop()

    def show(result, error):
        print(result if error is None else f"error: {error}", flush=True)
        if error is not None:
            loop.quit()

    async_call(int, show, "42").add_done_callback(lambda job: async_call(int, show, "many"))
    loop.run()


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
