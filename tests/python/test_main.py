# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole programs: how they end, and whose signal handlers they keep."""

import unittest

import aextest


class Main(unittest.TestCase):
    def run_main(self, text):
        done = aextest.run_script(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_nothing_is_said_at_exit(self):
        """A GLib.Source of ours that outlived the modules complained."""
        self.run_main("""
            async def main():
                await AsyncExec.sleep(0)

            AsyncExec.run(main)
            AsyncExec.ThreadPool(1).submit(int).result()
            """)

    def test_handler_installed_inside_run_stays(self):
        out = self.run_main("""
            import signal

            async def main():
                signal.signal(signal.SIGINT, lambda number, frame: print("mine"))
                signal.raise_signal(signal.SIGINT)

            AsyncExec.run(main)
            signal.raise_signal(signal.SIGINT)
            """)
        self.assertEqual(out, "mine\nmine\n")

    def test_sigint_handler_of_python_is_back_after_run(self):
        self.run_main("""
            import signal

            AsyncExec.run(int)
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
            """)
