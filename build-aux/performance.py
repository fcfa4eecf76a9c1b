#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the tables of doc/performance.md: what the benchmark measured, and which
of its bars were met.

usage: performance.py LOG [--page=FILE] [--machine=FILE]

LOG is what "bench --json" printed, or "bench" or "tests/run --benchmarks"
without it.  FILE has the line that build-aux/figures.py printed on the machine of
the run; without it, this machine is meant.
"""

import argparse
import json
import os
import re
import sys
import time

import figures

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PAGE = os.path.join(TOP, "doc", "performance.md")
OURS = "asyncexec"

WORK = {
    "B1h": "a job with a pending, two workers",
    "B1n": "a job that nobody hears of again",
    "B2": "submit one, wait for it, again",
    "B2-noclaim": "the same, the waiter may not run it",
    "B2-nospin": "the same, threads sleep at once",
    "B3": "a loop submits, hears of it, submits the next",
    "B3-nospin": "the same, threads sleep at once",
    "B4": "a thread calls a function on a loop",
    "B4p": "the same with a pending",
    "B4p-dropped": "the same, let go of at once",
    "B5": "a loop calls a function on itself",
    "B5c": "the same, each from the one before",
    "B6-100k": "make one of 100 000 timers",
    "B6-1M": "make one of a million timers",
    "B7": "a job with a pending, of a group that is waited for",
    "B7-each": "a function for each of many items, likewise",
    "B8": "make and keep a pending",
    "B9": "an operation that is begun, cancelled with all others, let go of",
    "B13": "an item of 1 µs of a map",
    "B13-grain1": "the same, one by one",
    "F1": "30 redraws beside work that never ends",
    "P1": "Python: a job and its result",
    "P1-none": "Python: a job without a value",
    "P1-list": "Python: a job that gives a list",
    "P1-post": "Python: a job that nobody hears of again",
    "P2": "Python: submit one, wait for it, again",
    "P2-await": "Python: await one after the other",
    "P2-gather": "Python: await many",
}

RESULT = re.compile(r"^(\S+) (\S+) (n=\d+ .*)$")
BAR = re.compile(r"^(\S+) +([\d.]+) (ns|cpu ns|bytes|ms late|ms|frames|cancel ns) +(\S+) +([\d.]+|-) +([\d.]+|-) +bar [<>]= +([\d.]+) +(met|MISSED)$")


def read_line(line):
    """A result, a bar, or None."""
    if line.startswith("{"):
        return json.loads(line)
    if match := RESULT.match(line):
        values = {key: float(value) for key, value in (pair.split("=") for pair in match.group(3).split())}
        return {"row": match.group(1), "peer": match.group(2), **values}
    if match := BAR.match(line):
        row, ours, figure, peer, theirs, _, limit, met = match.groups()
        return {"bar": row, "peer": "" if peer == "-" else peer, "figure": figure, "ours": float(ours),
                "theirs": 0.0 if theirs == "-" else float(theirs), "limit": float(limit), "met": met == "met"}
    return None


def read(path):
    """Results by row, in order, and bars.  Of several runs in one log the last one that ended counts."""
    runs, rows, bars = [], {}, []
    with open(path, encoding="utf-8") as file:
        for found in filter(None, map(read_line, file)):
            if "row" in found and bars:
                runs.append((rows, bars))
                rows, bars = {}, []
            if "row" in found:
                rows.setdefault(found["row"], []).append(found)
            else:
                bars.append(found)
    if bars or not runs:
        runs.append((rows, bars))
    return runs[-1]


def nanoseconds(value):
    return figures.group(round(value)) if value >= 100 else f"{value:.1f}"


def show(result):
    spread = f"{nanoseconds(result['min_ns'])}–{nanoseconds(result['max_ns'])}"
    more = "".join(f", {name} {result[key]:g}" for key, name in
                   (("bytes", "bytes"), ("late_p99_ms", "ms late"), ("fired_ms", "ms in all"), ("frames", "frames"),
                    ("cancel_ns", "ns to cancel")) if result.get(key))
    return f"{nanoseconds(result['median_ns'])} ({spread}{more})"


def result_row(name, results):
    ours = [show(result) for result in results if result["peer"] == OURS]
    theirs = [f"{result['peer']} {show(result)}" for result in results if result["peer"] != OURS]
    return f"| {name} | {WORK.get(name, '')} | {'; '.join(ours) or 'not measured'} | {'; '.join(theirs) or 'none'} |"


def bar_row(bar):
    sign = "≥" if bar["figure"] == "frames" else "≤"
    if bar["peer"]:
        ratio = bar["ours"] / bar["theirs"] if bar["theirs"] else 0
        what, got, limit = f"times {bar['peer']} ({bar['figure']})", f"{ratio:.3f}", f"{sign} {bar['limit']:.3f}"
    else:
        what, got, limit = bar["figure"], figures.group(round(bar["ours"])), f"{sign} {bar['limit']:g}"
    return f"| {bar['bar']} | {what} | {got} | {limit} | {'met' if bar['met'] else '**missed**'} |"


def table(rows, bars, date, machine):
    met = sum(bar["met"] for bar in bars)
    repetitions = int(max((result["reps"] for results in rows.values() for result in results), default=0))
    lines = [f"Run of {date}: {machine}.", "",
             f"Nanoseconds for one operation: the median of {repetitions} repetitions, the least and the most.", "",
             "| row | one operation | libasyncexec | others |", "|---|---|---|---|"]
    lines += [result_row(name, results) for name, results in rows.items()]
    lines += ["", f"{met} of {len(bars)} bars met.", "", "| row | bar on | measured | bar | |", "|---|---|---|---|---|"]
    lines += [bar_row(bar) for bar in bars]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Writes the tables of doc/performance.md.")
    parser.add_argument("log")
    parser.add_argument("--page", default=PAGE)
    parser.add_argument("--machine")
    args = parser.parse_args()
    rows, bars = read(args.log)
    if not rows:
        sys.exit(f"{args.log}: no results of the benchmark")
    machine = figures.machine()
    if args.machine:
        with open(args.machine, encoding="utf-8") as file:
            machine = file.read().strip()
    date = time.strftime("%Y-%m-%d", time.gmtime(os.path.getmtime(args.log)))
    figures.rewrite(args.page, "performance", table(rows, bars, date, machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
