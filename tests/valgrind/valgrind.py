# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a program under a tool of valgrind and tells what the tool reported."""

import os
import subprocess

FOLDER = os.path.dirname(os.path.realpath(__file__))
REPORTED = 77

TOOLS = {
    # A block that nobody points to is a leak; GLib and the dynamic linker keep
    # some until the end of the process, and point to them.
    "memcheck": ["--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
                 "--suppressions=/usr/share/glib-2.0/valgrind/glib.supp"],
    # Lock order and wrong use of locks; helgrind.supp says why not races.
    "helgrind": ["--track-lockorders=yes", "--history-level=none"],
}


def command(valgrind, tool):
    # Without fair scheduling a thread that yields until another one comes may wait for ever.
    return [valgrind, "--quiet", f"--tool={tool}", f"--error-exitcode={REPORTED}",
            "--num-callers=30", "--fair-sched=yes", "--child-silent-after-fork=yes",
            f"--suppressions={FOLDER}/{tool}.supp", *TOOLS[tool]]


def environment(tool):
    changes = {
        "G_SLICE": "always-malloc",
        "G_DEBUG": "gc-friendly",
        # Fifty times slower: fewer rounds, more patience.
        "AEX_TEST_SCALE": "0.01",
        "AEX_TEST_TIME_FACTOR": "50",
        # valgrind has an allocator of its own.
        "MALLOC_CHECK_": "0",
        "MALLOC_PERTURB_": "0",
    }
    if tool == "helgrind":
        changes["LD_LIBRARY_PATH"] = os.environ["AEX_NOFUTEX_GLIB"]
    return os.environ | changes


def why_not(tool):
    """Why the tool cannot be used here, or None."""
    if tool == "helgrind" and not os.environ.get("AEX_NOFUTEX_GLIB"):
        return "AEX_NOFUTEX_GLIB is not the folder that build-aux/glib-tsan.sh --for-valgrind prints"
    return None


def run(valgrind, tool, program, *args, timeout):
    """(exit code, output, errors); the code is REPORTED when the program ended well and the tool did not."""
    done = subprocess.run([*command(valgrind, tool), program, *args], env=environment(tool),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace", timeout=timeout)
    return done.returncode, done.stdout, done.stderr
