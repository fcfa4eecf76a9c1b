# SPDX-License-Identifier: LGPL-2.1-or-later
"""The end of the interpreter, whatever is going on."""

import unittest

import aextest


class Exit(unittest.TestCase):
    def assert_ends(self, text, stdout="", code=0, errors=()):
        done = aextest.run_script(text)
        self.assertEqual((done.stdout, done.returncode), (stdout, code), done.stderr)
        for error in errors:
            self.assertIn(error, done.stderr)
        if not errors:
            self.assertEqual(done.stderr, "")

    def test_idle_threads(self):
        self.assert_ends("pool = AsyncExec.ThreadPool(2)\nprint(pool.submit(int).result())", "0\n")

    def test_R10_no_thread_of_a_pool_comes_back(self):
        self.assert_ends("""
            import atexit
            from gi.overrides._asyncexec import exit as exits
            # Called after the hook has waited; the one that has ended has none any more.
            atexit.register(lambda: print(len(exits._entries)))
            pools = [AsyncExec.ThreadPool(2) for _ in range(3)]
            pools[0].shutdown().result()
            print(pools[1].submit(int).result(), len(exits._entries))
            pools[2].submit(int)
            """, "0 2\n0\n")

    def test_queued_is_dropped_and_running_waited_for(self):
        self.assert_ends("""
            import threading
            started, ending = threading.Event(), threading.Event()
            def work():
                started.set()
                ending.wait()
                print("ran")
            pool = AsyncExec.ThreadPool(1)
            # Told where nobody runs before the pool has been closed.
            pool.connect("notify::state", lambda *arguments: ending.set())
            pool.submit(work)
            started.wait()
            pendings = [pool.submit(print, "queued") for _ in range(100)]
            """, "ran\n")

    def test_pool_that_nobody_has(self):
        self.assert_ends("""
            def work():
                print("ran")
            pending = AsyncExec.ThreadPool(1).submit(work)
            pending.result()
            """, "ran\n")

    def test_blocked_job_is_interrupted_by_nothing_but_the_hook(self):
        self.assert_ends("""
            import threading
            pending = AsyncExec.Pending()
            started = threading.Event()
            def work():
                started.set()
                try:
                    pending.result()
                except AsyncExec.Cancelled:
                    print("cancelled")
            job = AsyncExec.ThreadPool(1).submit(work)
            started.wait()
            job.cancel()
            """, "cancelled\n")

    def test_thread_caller(self):
        self.assert_ends("caller = AsyncExec.Caller.new_thread()\nprint(caller.submit(int).result())\n"
                         "caller.call_later(60, print)", "0\n")

    def test_values_and_callbacks_left(self):
        self.assert_ends("""
            kept = [AsyncExec.Pending.resolved([i]) for i in range(100)]
            open = [AsyncExec.Pending() for i in range(100)]
            for pending in open:
                pending.add_done_callback(print)
            pool = AsyncExec.ThreadPool(1)
            kept += [pool.submit(list) for _ in range(100)]
            """)

    def test_coroutine_left(self):
        self.assert_ends("""
            async def main():
                await AsyncExec.Pending()
            pool = AsyncExec.ThreadPool(1)
            pool.submit(int).result()
            pending = AsyncExec.spawn(main)
            """)

    def test_unseen_error_is_told(self):
        self.assert_ends("""
            import threading
            started = threading.Event()
            def bad():
                started.set()
                raise KeyError("nobody looked")
            AsyncExec.ThreadPool(1).submit(bad)
            started.wait()
            """, errors=["nobody looked"])

    def test_exception_in_main(self):
        self.assert_ends("pool = AsyncExec.ThreadPool(1)\npool.submit(int)\nraise SystemExit(3)", code=3)

    def test_second_interrupt_gives_up(self):
        self.assert_ends("""
            import os, signal, threading
            started = threading.Event()
            def work():
                started.set()
                threading.Event().wait()
            AsyncExec.ThreadPool(1).submit(work)
            started.wait()
            caller = AsyncExec.Caller.new_thread()
            def interrupt():
                caller.stopping.result()
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=interrupt, daemon=True).start()
            print("end")
            """, "end\n")

    def test_R10_interrupt_when_the_hook_begins(self):
        self.assert_ends("""
            import _thread, functools, threading
            pool = AsyncExec.ThreadPool(1)
            print(pool.submit(int).result())
            def registered(hook):
                # A newer Python puts a function of its own around it.
                if not hasattr(hook, "__closure__"):
                    return hook
                cells = dict(zip(hook.__code__.co_freevars, [cell.cell_contents for cell in hook.__closure__]))
                return functools.partial(cells["func"], *cells["arg"], **cells["kwargs"])
            hooks = [(hook, registered(hook)) for hook in threading._threading_atexits]
            (hook, call), = [pair for pair in hooks if "generator" in repr(pair[1]) or "close" in repr(pair[1])]
            threading._threading_atexits.remove(hook)
            # No instruction of Python is between the two.
            list(map(functools.partial.__call__, [functools.partial(_thread.interrupt_main), call]))
            print(pool.submit(int).cancelled())
            """, "0\nTrue\n")

    def test_R10_interrupt_while_the_source_is_closed(self):
        self.assert_ends("""
            from gi.overrides._asyncexec import context
            print(AsyncExec.ThreadPool(1).submit(int).result())
            class Writer:
                \"\"\"Whose close() an interrupt comes into.\"\"\"
                def __init__(self, writer):
                    self.writer, self.interrupts = writer, [KeyboardInterrupt]
                def close(self):
                    if self.interrupts:
                        raise self.interrupts.pop()
                    self.writer.close()
                    print("closed")
            source, _ = context._signal_source(GLib.MainContext.default())
            source.writer = Writer(source.writer)
            """, "0\nclosed\n")

    def test_asyncio_with_a_pool(self):
        self.assert_ends("""
            import asyncio
            pool = AsyncExec.ThreadPool(1)
            async def main():
                AsyncExec.Caller.current().call_later(60, print)
                print(await pool.submit(int))
            asyncio.run(main())
            """, "0\n")


if __name__ == "__main__":
    unittest.main()
