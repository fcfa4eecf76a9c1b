#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the unittest classes of one file, and says how it went in TAP.

usage: run.py [--seed=SEED] FILE [NAME...]

FILE is tests/python/test_something.py; its tests are called
/python/something/test_name.  NAME: only tests whose name contains one of these.
The seed is printed, and decides every use of the module random.

Each test runs under a watchdog that shows where all threads are, and must leave
as many objects of the library behind as it found; the whole file as many
threads and file descriptors as well.  An exception that reaches no caller, but
only sys.excepthook and the like, fails the test in which it does so.
"""

import argparse
import faulthandler
import importlib.util
import os
import random
import signal
import sys
import unittest
import warnings

HERE = os.path.dirname(os.path.realpath(__file__))
WATCHDOG_SECONDS = 60


def skip_all(reason):
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)


def load(path):
    """The module of a test file, by its own name."""
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


class StrayExceptions:
    """Collects the exceptions that nobody could catch."""

    def __init__(self):
        self.seen = []
        sys.excepthook = self.on_exception
        sys.unraisablehook = self.on_unraisable
        import threading
        threading.excepthook = lambda args: self.seen.append(args.exc_value)

    def on_exception(self, kind, value, trace):
        self.seen.append(value)
        sys.__excepthook__(kind, value, trace)

    def on_unraisable(self, args):
        self.seen.append(args.exc_value)
        sys.__unraisablehook__(args)

    def take(self):
        seen, self.seen = self.seen, []
        return seen


class Tap(unittest.TestResult):
    """Prints a line for each test that ended."""

    def __init__(self, group, seed, time_factor):
        super().__init__()
        self.group, self.seed = group, seed
        self.seconds = WATCHDOG_SECONDS * time_factor
        self.number, self.n_bad, self.bad, self.reason = 0, 0, [], None
        self.strays = StrayExceptions()
        self.census = None

    def startTest(self, test):
        import aexcensus
        super().startTest(test)
        self.bad, self.reason = [], None
        random.seed(self.seed)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        self.census = aexcensus.Census()

    def stopTest(self, test):
        super().stopTest(test)
        name = test._testMethodName
        vars(test).clear()
        left = self.census.settle(with_process=False)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.bad += [f"census: {line}" for line in left]
        self.bad += [f"exception that reached nobody: {value!r}" for value in self.strays.take()]
        self.say(name, self.bad, self.reason)

    def say(self, name, problems, reason=None):
        self.number += 1
        self.n_bad += bool(problems)
        for problem in problems:
            for line in problem.splitlines():
                print(f"# {line}")
                print(line, file=sys.stderr)
        directive = f" # SKIP {reason}" if reason and not problems else ""
        print(f"{'not ok' if problems else 'ok'} {self.number} /python/{self.group}/{name}{directive}",
              flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.bad.append(self.errors.pop()[1])

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.bad.append(self.failures.pop()[1])

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.bad.append(f"{subtest}: {self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):
        self.reason = reason

    def addUnexpectedSuccess(self, test):
        self.bad.append("was expected to fail")


def select(module, names):
    found = list(flatten(unittest.defaultTestLoader.loadTestsFromModule(module)))
    called = [test._testMethodName for test in found]
    twice = {name for name in called if called.count(name) > 1}
    if twice:
        sys.exit(f"two tests are called {', '.join(sorted(twice))}")
    return [test for test, name in zip(found, called) if not names or any(n in name for n in names)]


def parse():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("--seed", default=os.environ.get("AEX_TEST_SEED"))
    parser.add_argument("file")
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def main():
    options = parse()
    faulthandler.enable()
    # The watchdog: shows all threads, then the signal ends the program.  meson sends the other one.
    faulthandler.register(signal.SIGALRM, chain=True)
    faulthandler.register(signal.SIGTERM, chain=True)
    try:
        import gi._gi
    except ImportError:
        skip_all("NOT RUN: no python3 that has PyGObject")
    gi.require_version("AsyncExec", "1")
    sys.path.insert(0, HERE)
    import aexcensus
    import aextest
    seed = options.seed or str(random.SystemRandom().getrandbits(32))
    print("TAP version 13")
    print(f"# random seed: {seed}")
    # A coroutine that nobody awaited, a file that nobody closed.
    for kind in (ResourceWarning, RuntimeWarning):
        warnings.simplefilter("error", kind)
    tests = select(load(options.file), options.names)
    result = Tap(aextest.group_of(options.file), seed, aextest.time_factor())
    print(f"1..{len(tests) + 1}", flush=True)
    before = aexcensus.at_start()
    unittest.TestSuite(tests).run(result)
    signal.setitimer(signal.ITIMER_REAL, result.seconds)
    left = before.settle(with_process=True)
    signal.setitimer(signal.ITIMER_REAL, 0)
    result.say("test_X7_census", left)
    return 1 if result.n_bad else 0


if __name__ == "__main__":
    sys.exit(main())
