#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the table of doc/reliability.md: each promise, the tests that prove it,
and what they measured.

usage: reliability.py RESULTS [--page=FILE]

RESULTS is what tests/run left: a log of meson for each pass, and "machine".  A
test proves the promise N whose name carries XN, as in /stress/X15/caller.  What
is in no log is written as "not measured".
"""

import argparse
import glob
import os
import re
import sys
import time

import figures
import testlog

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PAGE = os.path.join(TOP, "doc", "reliability.md")
ID = re.compile(r"(?<![A-Za-z0-9])X(\d+)(?![A-Za-z0-9])")
NOTHING = "not measured"

# Each says under a name of its own what it has found of what was planted.
DETECTORS = ("tsan", "preloaded", "lock-order", "address", "memcheck", "helgrind", "clang-tidy", "cppcheck",
             "coverage", "abi")

# Number: the promise, and the names of figures that belong to it.
PROMISES = {
    1: ("A callback comes exactly once, on its own context, never inside another call",
        ("storm", "messages", "property", "python-property", "javascript-property")),
    2: ("No wake-up is lost", ("ping-pong", "wake-up", "parker", "timer-service", "interleave")),
    3: ("A cancellation is decisive: no effect, or the whole", ("sweep", "effects", "pending", "claim", "promise")),
    4: ("What was given is released once, on its owner's thread", ("destroy",)),
    5: ("No data race", ("thread", "thread-clang")),
    6: ("No two locks are taken in both orders", ("lock-order", "helgrind")),
    7: ("Nothing leaks", ("memcheck",)),
    8: ("Memory stays bounded",
        ("memory", *(f"bounded-{what}" for what in ("thread-pool", "caller", "caller-pool", "limiter", "map",
                                                    "map-unordered", "push", "publish")))),
    9: ("Calls of the system that fail are errors", ("faults", "limits")),
    10: ("A worker process that dies fails only its call", ("workers",)),
    11: ("No bytes of a peer crash the protocol", ("fuzz",)),
    12: ("After a fork: an error, never a hang", ("limits",)),
    13: ("A step of the wall clock changes no delay", ("clock",)),
    14: ("Every executor that is shut down ends", ("lives", "many-executors", "callers", "accept")),
    15: ("A flood starves nobody", ("flood",)),
    16: ("The same from Python and JavaScript", ("python-storm", "javascript-storm")),
    17: ("Every error that nobody looked at is reported", ("unobserved",)),
    18: ("The binary interface stays", ("abi",)),
    19: ("The tests cover the code", ("coverage",)),
    20: ("The detectors are awake: what was planted is found", tuple(f"planted-{detector}" for detector in DETECTORS)),
}

# Where a figure is taken from, if several passes have it.
PREFERRED = ("release", "stress")


class Results:
    """What a run of tests/run left behind."""

    def __init__(self, folder):
        self.outcomes = {}      # number: [(pass, program, name, result)]
        self.figures = {}       # first word: [Figure], of one pass
        self.passes = []
        paths = sorted(glob.glob(os.path.join(folder, "*.json")),
                       key=lambda path: (label(path) not in PREFERRED, label(path)))
        for path in paths:
            self.add(path)
        self.date = time.strftime("%Y-%m-%d", time.gmtime(max(map(os.path.getmtime, paths)))) if paths else None
        try:
            with open(os.path.join(folder, "machine"), encoding="utf-8") as file:
                self.machine = file.read().strip()
        except OSError:
            self.machine = "a machine that was not described"

    def add(self, path):
        self.passes.append(label(path))
        for outcome in testlog.read(path):
            for number in set(map(int, ID.findall(outcome.name))):
                self.outcomes.setdefault(number, []).append((label(path), *outcome[:3]))
        if label(path) in ("thread", "thread-clang", "lock-order"):
            # A report of the detector ends the program that it is about, and so one of its tests.
            found = testlog.read(path)
            values = {"tests": sum(outcome.result == "passed" for outcome in found),
                      "red": sum(outcome.result == "failed" for outcome in found),
                      "exceptions": exceptions_of_the_detector()}
            self.figures[label(path)] = [figures.Figure(label(path), {key: str(value) for key, value in values.items()})]
        here = {}
        for figure in figures.read(path):
            here.setdefault(figure.name.split()[0], []).append(figure)
        for name, found in here.items():
            self.figures.setdefault(name, found)


def exceptions_of_the_detector():
    with open(os.path.join(TOP, "tests", "tsan.supp"), encoding="utf-8") as file:
        return sum(bool(line.strip()) and not line.startswith("#") for line in file)


def label(path):
    return os.path.splitext(os.path.basename(path))[0]


def number_of(text):
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def combined(key, values):
    numbers = [number_of(value) for value in values]
    if None in numbers:
        return ", ".join(sorted(set(values)))
    how = max if key.startswith("max") else min if key.startswith("min") else sum
    return figures.group(how(numbers))


def summary(name, found):
    """Figures of one name in one line.  Those that say of what they are, with a word, stand alone."""
    named = {}
    for figure in found:
        words = [value for value in figure.values.values() if number_of(value) is None]
        named.setdefault(" ".join(words), []).append(figure)
    parts = []
    for words, some in named.items():
        keys = [key for key in some[0].values if number_of(some[0].values[key]) is not None]
        said = ", ".join(f"{key.replace('_', ' ')} {combined(key, [f.values[key] for f in some if key in f.values])}"
                         for key in keys)
        scenarios = {figure.name for figure in some}
        count = f"{len(scenarios)} scenarios, " if len(scenarios) > 1 else ""
        parts.append(f"{words}{': ' if words else ''}{count}{said}")
    return f"{name}: " + "; ".join(parts)


def tests_of(outcomes):
    """Which programs, how many tests, in which passes."""
    failed = sorted({f"{program} {name}" for _, program, name, result in outcomes if result == "failed"})
    if failed:
        return "**FAILED:** " + ", ".join(failed)
    done = [outcome for outcome in outcomes if outcome[3] == "passed"]
    if not done:
        return NOTHING
    programs = sorted({program for _, program, _, _ in done})
    shown = ", ".join(f"`{program}`" for program in programs[:3])
    more = f" and {len(programs) - 3} more" if len(programs) > 3 else ""
    passes = ", ".join(dict.fromkeys(done_in for done_in, *_ in done))
    tests = len({(program, name) for _, program, name, _ in done})
    return f"{shown}{more}: {tests} {'test' if tests == 1 else 'tests'}, passed in {passes}"


def row(number, results):
    promise, names = PROMISES[number]
    measured = [summary(name, results.figures[name]) for name in names if name in results.figures]
    absent = [name for name in names if name not in results.figures]
    # A part must not look like the whole.
    if measured and absent:
        measured.append(f"**{NOTHING}:** {', '.join(absent)}")
    return f"| {number} | {promise} | {tests_of(results.outcomes.get(number, []))} | {'; '.join(measured) or NOTHING} |"


def table(results):
    lines = [f"Run of {results.date or 'no day'}: {results.machine}.",
             f"Passes: {', '.join(results.passes) or 'none'}.", "",
             "| | promise | tests | figures |", "|---|---|---|---|"]
    lines += [row(number, results) for number in PROMISES]
    known = {name for _, names in PROMISES.values() for name in names}
    others = [summary(name, found) for name, found in sorted(results.figures.items()) if name not in known]
    if others:
        lines += ["", "Measured besides:", ""] + [f"- {other}" for other in others]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Writes the table of doc/reliability.md.")
    parser.add_argument("results")
    parser.add_argument("--page", default=PAGE)
    args = parser.parse_args()
    if not glob.glob(os.path.join(args.results, "*.json")):
        sys.exit(f"{args.results}: no logs; run tests/run first")
    figures.rewrite(args.page, "reliability", table(Results(args.results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
