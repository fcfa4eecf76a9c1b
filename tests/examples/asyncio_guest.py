#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A window whose program is an asyncio server as well, as a client and a person see it.

usage: asyncio_guest.py PROGRAM [ARGUMENT...]      on an X display of its own (xvfb-run)

Says something, looks for it in the title of the window, and ends it with Ctrl-C.  Prints TAP.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile


def say(path, *lines):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall("".join(line + "\n" for line in lines).encode())
        with client.makefile() as answers:
            return [answers.readline() for _ in lines]


def has_title(title):
    return subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--name", f"^{title}$"], check=False,
                          stdout=subprocess.DEVNULL).returncode == 0


def use(program, path):
    """(name, passed), in this order."""
    # A shell that runs this in the background has its children ignore Ctrl-C.
    with subprocess.Popen([*program, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)) as process:
        yield "ready", process.stdout.readline() == "ready\n"
        yield "answers", say(path, "one", "two") == ["0\n", "1\n"]
        yield "shows-it", has_title("two")
        yield "another-client", say(path, "three") == ["2\n"] and has_title("three")
        process.send_signal(signal.SIGINT)
        complaints = process.communicate()[1]
        yield "ctrl-c", (process.returncode, complaints) == (130, "")
        if complaints:
            print("".join(f"# {line}\n" for line in complaints.splitlines()), end="")


def main():
    failed, number = False, 0
    os.environ.update(GDK_BACKEND="x11", GSK_RENDERER="cairo", GTK_A11Y="none", LIBGL_ALWAYS_SOFTWARE="1",
                      GSETTINGS_BACKEND="memory")
    with tempfile.TemporaryDirectory() as folder:
        for number, (what, passed) in enumerate(use(sys.argv[1:], os.path.join(folder, "socket")), 1):
            failed |= not passed
            print(f"{'ok' if passed else 'not ok'} {number} /asyncio-guest/python/{what}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
