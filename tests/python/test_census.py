# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runner and its census notice what they are there for."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

import aextest

HERE = os.path.dirname(os.path.realpath(__file__))


def run(body, *arguments):
    """The TAP lines of a file with these tests."""
    head = "import os, threading, unittest\nfrom gi.repository import AsyncExec, GLib\nkept = []\n\n\nclass T(unittest.TestCase):\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "test_sample.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(head + textwrap.indent(textwrap.dedent(body), "    "))
        done = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), *arguments, path],
                              env={**os.environ, "AEX_TEST_TIME_FACTOR": "0.02"},
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.stdout.splitlines(), done


class Census(unittest.TestCase):
    def assert_fails(self, name, body):
        lines, done = run(body)
        self.assertTrue(any(line.startswith("not ok") and line.endswith(name) for line in lines), lines)
        self.assertNotEqual(done.returncode, 0)

    def test_good_and_skipped(self):
        lines, done = run("""
            def test_K1_a(self):
                pass

            def test_b(self):
                self.skipTest("no display")
            """)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ok 1 /python/sample/test_K1_a", lines)
        self.assertIn("ok 2 /python/sample/test_b # SKIP no display", lines)
        self.assertIn("1..3", lines)

    def test_failure_and_error(self):
        self.assert_fails("/test_a", "def test_a(self): self.assertEqual(1, 2)\n")
        self.assert_fails("/test_a", "def test_a(self): raise KeyError('x')\n")

    def test_object_left(self):
        self.assert_fails("/test_a", "def test_a(self): kept.append(AsyncExec.Pending())\n")

    def test_fd_left(self):
        self.assert_fails("/test_X7_census", "def test_a(self): os.open('/', os.O_RDONLY)\n")

    def test_thread_left(self):
        self.assert_fails("/test_X7_census",
                          "def test_a(self): threading.Thread(target=threading.Event().wait, daemon=True).start()\n")

    def test_exception_that_reached_nobody(self):
        self.assert_fails("/test_a", """
            def test_a(self):
                GLib.idle_add(lambda: 1 / 0)
                GLib.MainContext.default().iteration(False)
            """)

    def test_coroutine_never_awaited(self):
        self.assert_fails("/test_a", """
            def test_a(self):
                async def nothing():
                    pass
                nothing()
            """)

    def test_hang_is_shown(self):
        lines, done = run("def test_a(self): threading.Event().wait()\n")
        self.assertEqual(done.returncode, -signal.SIGALRM)
        self.assertIn("test_a", done.stderr)

    def test_seed_decides(self):
        body = "def test_a(self):\n    import random\n    print('#', random.random())\n"
        lines, _ = run(body, "--seed=7")
        self.assertIn("# random seed: 7", lines)
        again, _ = run(body, "--seed=7")
        other, _ = run(body, "--seed=8")
        self.assertEqual(lines[3], again[3])
        self.assertNotEqual(lines[3], other[3])

    def test_scale(self):
        self.assertGreaterEqual(aextest.scale(5), 1)


if __name__ == "__main__":
    unittest.main()
