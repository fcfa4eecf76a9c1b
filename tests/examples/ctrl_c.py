#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ctrl-C ends the small programs cleanly, whenever it comes.

usage: ctrl_c.py [--seed N] [--window] EXAMPLES PYTHON [GJS]

Each is interrupted at twenty moments: when it was started, has said so much, or shows its
window, and a little later.  The moments come from the seed.  A program has to end, by the
signal, with 130, or as it always does, and to complain of nothing but a KeyboardInterrupt.
One that Python says it ignored in its own importlib, while modules were loaded, is none of
ours; the next one has to end the program.
"""

import argparse
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TIMES = 20
SECONDS = 60
# What Python says of a KeyboardInterrupt that comes when it ends itself; in code of ours it is none of that.
BEGINS = re.compile("^Fatal Python error: init_|Failed to import the site module", re.MULTILINE)
# So end 5 of 1500 programs that hold nothing but a sleep.
NOT_BEGUN = re.compile(r"\AKeyboardInterrupt\s*\Z|\Apython: failed to set __main__\.__loader__\n(?s:.*)\nKeyboardInterrupt")
# What is said after that: by Python 3.13, of the KeyboardInterrupt itself; by GLib, where PyGObject's handler has quit
# an application that was about to run.
AFTER = re.compile(r"(?:^|\n)(?:Error calling __set_name__ on .*"
                   r"|<sys>:0: RuntimeWarning: coroutine 'BaseEventLoop\.\w+' was never awaited"
                   r"|\(.*\): GLib-GIO-CRITICAL \*\*: .* g_application_run: assertion '!application->priv->must_quit_now' "
                   r"failed)$")
NOWHERE, OURS = "Exception ignored", "_asyncexec"


class Program:
    """An example, and how long it runs: `lines` of output at most are waited for."""

    def __init__(self, name, command, lines=0, then=None):
        self.name, self.command, self.lines, self.then = name, command, lines, then


def connect(folder):
    """A client of the service, with a question that takes long."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(os.path.join(folder, "socket"))
    client.sendall(os.fsencode(os.path.join(folder, "zeros0")) + b"\n")
    return client


def click(folder):
    del folder
    subprocess.run(["xdotool", "search", "--sync", "--onlyvisible", "--name", "^gtk-button$", "mousemove", "160", "16",
                    "click", "1"], check=True, stdout=subprocess.DEVNULL)


def programs(options, folder):
    zeros = [os.path.join(folder, f"zeros{i}") for i in range(4)]
    languages = {"python": ([options.python], "py"), "js": ([options.gjs, "-m"], "js")}
    if options.gjs is None:
        del languages["js"]

    def main(name, language):
        command, ending = languages[language]
        return [*command, os.path.join(options.examples, name, f"main.{ending}")]

    for language in languages:
        if options.window:
            yield Program(f"gtk-button/{language}", [*main("gtk-button", language), zeros[0]], then=click)
        else:
            yield Program(f"script/{language}", [*main("script", language), *zeros], lines=3)
    if options.window:
        yield Program("asyncio-guest/python", [*main("asyncio-guest", "python"), os.path.join(folder, "socket")],
                      lines=1, then=connect)
    if not options.window:
        yield Program("async-call/python", main("async-call", "python"), lines=1)
        yield Program("async-caller/python", main("async-caller", "python"), lines=3)
        yield Program("ports/async-kernel/python", [*main("ports/async-kernel", "python"), folder], lines=4)
        yield Program("asyncio-service/python", [*main("asyncio-service", "python"), os.path.join(folder, "socket")],
                      lines=1, then=connect)
        if options.gjs is not None:
            yield Program("extension/js", [options.gjs, os.path.join(HERE, "extension.js"),
                                           os.path.join(options.examples, "extension"), "/usr"], lines=3)


def interrupt(program, folder):
    """Starts it, waits for a moment, interrupts it; what is wrong with how it ended, or None."""
    lines = random.randint(0, program.lines)
    further = program.then is not None and lines == program.lines and random.random() < 0.7
    seconds = random.choice((0, random.uniform(0, 0.02), random.uniform(0, 0.3)))
    process = subprocess.Popen(program.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    kept = None
    try:
        for _ in range(lines):
            process.stdout.readline()
        if further:
            kept = program.then(folder)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        complaints = process.communicate(timeout=SECONDS)[1]
    except subprocess.TimeoutExpired:
        complaints = end(process)
        if was_lost_in_import(process.returncode, complaints):
            return None
        return f"after {lines} lines and {seconds:.3f} s: it did not end\n{complaints}"
    finally:
        if kept is not None:
            kept.close()
    problem = judge(process.returncode, complaints)
    return problem and f"after {lines} lines and {seconds:.3f} s: {problem}\n{complaints}"


def end(process):
    """Interrupts it once more, and ends it if that does not; what it complained of."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=SECONDS)[1]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        return process.communicate()[1]


def was_lost_in_import(status, complaints):
    """The first interrupt came in a callback of importlib, which Python said; the second has ended the program."""
    return status in (130, -signal.SIGINT) and OURS not in complaints and complaints.startswith(NOWHERE) and \
        'File "<frozen importlib._bootstrap>"' in complaints and "KeyboardInterrupt" in complaints


def is_pythons_own(complaints):
    """What Python's own modules do not survive while it ends: logging gives back a lock whose taking was interrupted,
    and a connection of asyncio that nobody was told of misses its server (Python 3.13)."""
    return OURS not in complaints and any(
        complaints.startswith(f"{NOWHERE} {begin}") and complaints.rstrip().endswith(last) for begin, last in (
            ("in atexit callback: <function shutdown", "cannot release un-acquired lock"),
            ("in: <function _SelectorTransport.__del__", "TypeError: 'NoneType' object is not iterable")))


def judge(status, complaints):
    # Python itself does not survive it while it begins.
    if status == 1 and (BEGINS.search(complaints) and "\nKeyboardInterrupt\n" in complaints
                        or NOT_BEGUN.search(complaints)):
        return None
    if is_pythons_own(complaints):
        return None if status in (0, 1, 130, -signal.SIGINT) else f"it ended with {status}"
    if status not in (0, 130, -signal.SIGINT):
        return f"it ended with {status}"
    last = AFTER.sub("", complaints.rstrip()).rpartition("\n")[2].rstrip(": ")
    return "it complained" if last not in ("", "KeyboardInterrupt") or NOWHERE in complaints and OURS in complaints \
        else None


def parse():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--seed", default=os.environ.get("AEX_TEST_SEED") or str(random.SystemRandom().getrandbits(32)))
    parser.add_argument("--window", action="store_true")
    parser.add_argument("examples")
    parser.add_argument("python")
    parser.add_argument("gjs", nargs="?")
    return parser.parse_args()


def main():
    options = parse()
    random.seed(options.seed)
    os.environ.update(GDK_BACKEND="x11", GSK_RENDERER="cairo", GTK_A11Y="none", LIBGL_ALWAYS_SOFTWARE="1",
                      PYTHONFAULTHANDLER="1")
    print(f"# random seed: {options.seed}")
    failed, number = False, 0
    # A shell that runs this in the background has it ignored, also by whoever is started from here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        for name in range(4):
            with open(os.path.join(folder, f"zeros{name}"), "wb") as file:
                file.truncate((name + 1) << 26)
        for name in range(1, 6):
            with open(os.path.join(folder, str(name)), "wb") as file:
                file.truncate(name * 1000)
        for number, program in enumerate(programs(options, folder), 1):
            problems = [problem for _ in range(TIMES) if (problem := interrupt(program, folder))]
            for line in "\n".join(problems).splitlines():
                print(f"# {line}")
            failed |= bool(problems)
            print(f"{'not ok' if problems else 'ok'} {number} /examples/ctrl-c/{program.name}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
