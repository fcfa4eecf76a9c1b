# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random programs from several threads against the invariants I1 to I10, as far as Python shows them.

A program is a list of threads, each a list of steps.  One that violates something is run again with less and less in
it, as long as it still does; what is left is shown.  tests/property does more of the same in C.
"""

import contextvars
import random
import re
import threading
import unittest

from gi.repository import AsyncExec, GLib

import aextest

N_SLOTS = 6
REPEAT = 15
EXECUTORS = ("pool", "caller", "limiter")
JOBS = ("plain", "plain", "fail", "nest", "own", "look")
STEPS = ("submit", "submit", "submit", "submit", "cancel", "cancel_queued", "then", "read", "drop", "hold", "release", "stop")

seen = contextvars.ContextVar("seen", default=None)


class ItemError(Exception):
    """What a job fails with: the text says which."""


class Item:
    """One job, and what happened to it."""

    def __init__(self, executor, job, owner):
        self.executor, self.job, self.owner = executor, job, owner
        self.submitter = threading.get_ident()
        self.runs, self.calls, self.reports = [], [], []
        self.order = self.state = None
        self.looked = self.passed_on = self.cancelled_queued = False


class Run:
    """Runs a program once; problems has what was violated."""

    def __init__(self, program):
        self.main = threading.get_ident()
        self.lock = threading.Lock()
        self.items, self.problems = [], []
        self.slots = [None] * N_SLOTS
        self.holds = 0
        pool = AsyncExec.ThreadPool(2)
        caller = AsyncExec.Caller.new_thread()
        self.executors = {"pool": pool, "caller": caller, "limiter": AsyncExec.Limiter(pool, 1)}
        for executor in self.executors.values():
            executor.connect("unhandled-error", self.on_unhandled)
        threads = [threading.Thread(target=self.steps, args=(steps,)) for steps in program]
        for thread in threads:
            thread.start()
        aextest.iterate_until(lambda: self.over(threads))
        self.end()
        self.check()
        self.executors = self.slots = None

    def over(self, threads):
        GLib.timeout_add(1, lambda: GLib.SOURCE_REMOVE)
        return not any(thread.is_alive() for thread in threads)

    def violate(self, invariant, text):
        self.problems.append(f"{invariant}: {text}")

    # ---- what the library calls

    def on_unhandled(self, executor, pending, error):
        found = re.search(r"item (\d+)\b", error.message)
        if found:
            self.items[int(found[1])].reports.append(error)
        return True

    def run_job(self, number):
        item = self.items[number]
        item.runs.append(threading.get_ident())
        if seen.get() != number:
            self.violate("I10", f"job {number} sees {seen.get()}")
        seen.set(-1)
        if AsyncExec.Pending.get_current().done() or item.calls:
            self.violate("I3", f"job {number} runs when it is done")
        if item.order is None:
            with self.lock:
                item.order = self.clock = getattr(self, "clock", 0) + 1
        if item.job == "fail":
            raise ItemError(f"item {number}")
        if item.job == "nest":
            self.submit(item.executor, "plain", 0)
        if item.job == "own" and item.executor == "caller":
            self.wait_for_own(number)
        if item.job == "look":
            for _ in range(20):
                AsyncExec.check_cancelled()
        return number

    def wait_for_own(self, number):
        """I6: a job that only this thread can run."""
        pending = self.submit("caller", "plain", None)
        try:
            pending.result()
        except (AsyncExec.WouldDeadlock, AsyncExec.Cancelled, AsyncExec.Closed):
            return
        self.violate("I6", f"job {number} waited for its own thread")

    def on_done(self, pending, number):
        item = self.items[number]
        item.calls.append(threading.get_ident())
        item.state = pending.state
        if not pending.done():
            self.violate("I1", f"the callback of job {number} came before its end")
        if item.owner is not None and threading.get_ident() != item.owner:
            self.violate("I4", f"the callback of job {number} came on a foreign thread")

    # ---- what threads do

    def submit(self, executor, job, slot):
        # Inside a pool's job a callback is another job of that pool.
        running = AsyncExec.Pending.get_current() is not None
        item = Item(executor, job, None if running else self.main)
        with self.lock:
            number = len(self.items)
            self.items.append(item)
        seen.set(number)
        pending = self.executors[executor].submit(self.run_job, number)
        pending.add_done_callback(self.on_done, number)
        if slot is not None:
            self.slots[slot] = (pending, item)
        return pending

    def steps(self, steps):
        for name, executor, job, slot in steps:
            held = self.slots[slot]
            if name == "submit":
                self.submit(executor, job, slot)
            elif name in ("hold", "release", "stop"):
                getattr(self, f"step_{name}")(self.executors["caller"])
            elif held is not None:
                getattr(self, f"step_{name}")(*held, slot)

    def step_cancel(self, pending, item, slot):
        pending.cancel()

    def step_cancel_queued(self, pending, item, slot):
        if pending.cancel_queued():
            item.cancelled_queued = True

    def step_then(self, pending, item, slot):
        item.passed_on = True
        pending.then(lambda value: value).catch(lambda error: None)

    def step_read(self, pending, item, slot):
        item.looked = True
        try:
            pending.result(0.001)
        except (ItemError, GLib.Error):
            pass

    def step_drop(self, pending, item, slot):
        self.slots[slot] = None

    def step_hold(self, caller):
        try:
            caller.hold()
        except AsyncExec.Closed:
            return
        with self.lock:
            self.holds += 1

    def step_release(self, caller):
        with self.lock:
            if self.holds == 0:
                return
            self.holds -= 1
        caller.release()

    def step_stop(self, caller):
        caller.stop()

    # ---- the end

    def end(self):
        # Callbacks on the threads of executors have run, or never will, when those have ended.
        expected = [item for item in self.items if item.owner == self.main]
        aextest.iterate_until(lambda: all(item.calls for item in expected))
        for held in filter(None, self.slots):
            self.again(*held)
        # While there is somebody who can be told.
        held = None
        self.slots[:] = [None] * N_SLOTS
        while GLib.MainContext.default().iteration(False):
            pass
        for _ in range(self.holds):
            self.executors["caller"].release()
        ends = [self.executors["caller"].stop(force=True), self.executors["caller"].stop(force=True)]
        ends += [self.executors[name].shutdown() for name in ("limiter", "pool")]
        for pending in ends:
            pending.run_until_done()
        while GLib.MainContext.default().iteration(False):
            pass

    def again(self, pending, item):
        """I7: whatever it is asked now, it stays as it is."""
        if not pending.done():
            return
        state = pending.state
        if pending.cancel() != pending.cancelled() or pending.cancel() != pending.cancelled() or pending.state != state:
            self.violate("I7", "what is done was cancelled")
        if pending.resolve(1):
            self.violate("I1", "what is done was resolved")

    def check(self):
        for number, item in enumerate(self.items):
            if len(item.calls) != 1 and item.owner == self.main:
                self.violate("I1", f"job {number} was done {len(item.calls)} times")
            if len(item.runs) > 1 or item.runs and item.cancelled_queued:
                self.violate("I3", f"job {number} ran {len(item.runs)} times")
            # When the last reference goes is the collector's affair: that it is told at all is proved in C.
            if len(item.reports) > (1 + item.passed_on if item.job == "fail" else 0):
                self.violate("I8", f"the error of job {number} was reported {len(item.reports)} times")
        self.check_order()
        if any(caller.id == self.executors["caller"].id for caller in AsyncExec.Caller.list()):
            self.violate("I5", "the caller has stopped and is listed")

    def check_order(self):
        last = {}
        for number, item in enumerate(self.items):
            if item.executor != "caller" or item.order is None:
                continue
            if item.order < last.get(item.submitter, 0):
                self.violate("I2", f"job {number} ran too early")
            last[item.submitter] = item.order


def make_program(seed):
    chooser = random.Random(seed)
    return [[(chooser.choice(STEPS), chooser.choice(EXECUTORS), chooser.choice(JOBS), chooser.randrange(N_SLOTS))
             for _ in range(chooser.randint(1, 20))] for _ in range(chooser.randint(1, 4))]


def fails(program, run=Run):
    for _ in range(REPEAT):
        problems = run(program).problems
        if problems:
            return problems
    return None


def smaller(program):
    """Programs with one thread, or one step, less."""
    for at in range(len(program)):
        yield program[:at] + program[at + 1:]
    for at, steps in enumerate(program):
        for step in range(len(steps)):
            yield program[:at] + [steps[:step] + steps[step + 1:]] + program[at + 1:]


def shrink(program, run=Run):
    """(program, problems), or None when it does not fail again."""
    problems = fails(program, run)
    if problems is None:
        return None
    found = True
    while found:
        for candidate in smaller(program):
            found = fails(candidate, run)
            if found:
                program, problems = candidate, found
                break
    return program, problems


class Planted:
    """Fails when a job that fails was submitted, and a later step cancels."""

    def __init__(self, program):
        names = [(name, job) for steps in program for name, _, job, _ in steps]
        at = names.index(("submit", "fail")) if ("submit", "fail") in names else len(names)
        self.problems = ["planted"] if "cancel" in [name for name, _ in names[at:]] else []


class Properties(unittest.TestCase):
    def test_I1_I2_I3_I4_I5_I6_I7_I8_I10_random_programs(self):
        n_programs = aextest.scale(300)
        n_steps = 0
        for _ in range(n_programs):
            seed = random.getrandbits(32)
            program = make_program(seed)
            n_steps += sum(map(len, program))
            problems = Run(program).problems
            if problems:
                text = "\n".join(map(repr, (shrink(program) or (program, problems))[0]))
                self.fail(f"program {seed}: {problems}\nsmallest:\n{text}")
        print(f"# figure: python-property programs={n_programs} steps={n_steps}", flush=True)

    def test_shrinks(self):
        seed = next(seed for seed in range(1000) if Planted(make_program(seed)).problems)
        program, problems = shrink(make_program(seed), Planted)
        self.assertEqual(problems, ["planted"])
        self.assertEqual(sum(map(len, program)), 2)
