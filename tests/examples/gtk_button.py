#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A window with a button and a bar, as a person sees and uses it.

usage: gtk_button.py NAME PROGRAM [ARGUMENT...]      on an X display of its own (xvfb-run)

Presses the button, looks at pictures of the window until the bar has grown, presses it
again, waits until the window has come to rest, and ends it.  The argument "{zeros}" is a
file with a lot of them.  Prints TAP.
"""

import os
import subprocess
import sys
import tempfile

# The end of the bar, in a picture of what is below the button.
END = "[12x40+300+0]"
BUTTON = ("160", "16")
# Pixels of the bar that must have another colour than before.
GROWN = 40


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Screen:
    """Pictures of one window, without the button."""

    def __init__(self, folder, window):
        self.folder, self.window, self.number = folder, window, 0

    def take(self):
        self.number += 1
        path = os.path.join(self.folder, f"{self.number}.png")
        output("import", "-window", self.window, "-crop", "+0+36", "+repage", path)
        return path

    @staticmethod
    def differing(a, b):
        done = subprocess.run(["compare", "-metric", "AE", a, b, "null:"], stderr=subprocess.PIPE, text=True,
                              check=False)
        if done.returncode > 1:
            raise RuntimeError(done.stderr)
        return float(done.stderr.split()[0])

    def wait_until(self, reached):
        """Another process draws: there is nothing to wait for but the picture.  A hang is the test's time limit."""
        while not reached():
            pass


def press():
    output("xdotool", "mousemove", *BUTTON, "click", "1")


def use(program, folder):
    """(name, passed) of what is seen, in this order."""
    with subprocess.Popen(program, stdin=subprocess.DEVNULL) as process:
        try:
            window = output("xdotool", "search", "--sync", "--onlyvisible", "--name", "^gtk-button$").split()[0]
            screen = Screen(folder, window)
            empty = screen.take()
            yield "the-bar-is-empty", screen.differing(empty, screen.take()) == 0

            press()
            screen.wait_until(lambda: screen.differing(empty, screen.take()) > GROWN)
            some = screen.take()
            screen.wait_until(lambda: screen.differing(some, screen.take()) > GROWN)
            yield "the-bar-grows", True

            press()
            screen.wait_until(lambda: screen.differing(screen.take(), screen.take()) == 0)
            rest = screen.take()
            yield "cancel-stops-it", screen.differing(empty + END, rest + END) == 0

            press()
            screen.wait_until(lambda: screen.differing(rest, screen.take()) > GROWN)
            yield "it-starts-again", True
        finally:
            # Not by taking its window away, which GDK asserts not to happen.
            process.terminate()
            process.wait()


def main():
    name, program = sys.argv[1], sys.argv[2:]
    failed, number = False, 0
    os.environ.update(GDK_BACKEND="x11", GSK_RENDERER="cairo", GTK_A11Y="none", LIBGL_ALWAYS_SOFTWARE="1")
    with tempfile.TemporaryDirectory() as folder:
        zeros = os.path.join(folder, "zeros")
        with open(zeros, "wb") as file:
            file.truncate(3 << 30)
        program = [argument.replace("{zeros}", zeros) for argument in program]
        for what, passed in use(program, folder):
            number += 1
            failed |= not passed
            print(f"{'ok' if passed else 'not ok'} {number} /gtk-button/{name}/{what}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
