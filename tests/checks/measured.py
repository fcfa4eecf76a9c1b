#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pages with figures have a place for them and every row, and what writes
them says what a log says: no more, and nothing of a test that failed.

usage: measured.py SOURCE_ROOT
"""

import json
import os
import re
import socket
import sys
import tempfile

import checklib

ROOT = os.path.realpath(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "build-aux"))

import figures       # noqa: E402
import performance   # noqa: E402
import reliability   # noqa: E402

RECORDS = [
    {"name": "libasyncexec:stress / storm", "result": "OK",
     "stdout": "ok 1 /stress/X1-X3/one\n# figure: storm jobs=1000 max_ms=4\n# figure: storm jobs=200 max_ms=9\n"
               "# figure: coverage room=base lines=96.5\n# figure: coverage room=pending lines=97\n"},
    {"name": "libasyncexec:stress / models", "result": "OK",
     "stdout": "# figure: interleave stop-and-go schedules=12345\n# figure: interleave go schedules=5\nok 1 /model/X2/all\n"
               "# figure: novelty found=3\n"},
    {"name": "libasyncexec:planted / planted", "result": "OK",
     "stdout": "".join(f"# figure: planted-{name} defects=3 found=3\n" for name in reliability.DETECTORS[1:])},
    {"name": f"libasyncexec:planted / planted-{reliability.DETECTORS[0]}", "result": "FAIL",
     "stdout": f"not ok 1 /planted/X20/one\n# figure: planted-{reliability.DETECTORS[0]} defects=3 found=2\n"},
    {"name": "libasyncexec:fast / broken", "result": "FAIL",
     "stdout": "not ok 1 /flood/X15/one\n# figure: flood jobs=7\n"},
]

BENCH = """{"row":"B1h","peer":"asyncexec","n":10,"reps":3,"median_ns":200.0,"min_ns":99.5,"max_ns":1300.0,"cpu_ns":1,"rss_kb":9}
{"row":"B1h","peer":"GTask","n":10,"reps":3,"median_ns":1000.0,"min_ns":900.0,"max_ns":1100.0,"cpu_ns":1,"rss_kb":9}
{"bar":"B1h","peer":"GTask","figure":"ns","ours":200.0,"theirs":1000.0,"limit":0.167,"met":false}
{"bar":"B1h","peer":"","figure":"ns","ours":200.0,"theirs":0.0,"limit":280.000,"met":true}
"""

TEXT = """warning: something
B1h asyncexec n=10 reps=3 median_ns=200.0 min_ns=99.5 max_ns=1300.0 cpu_ns=1 rss_kb=9
B1h GTask n=10 reps=3 median_ns=1000.0 min_ns=900.0 max_ns=1100.0 cpu_ns=1 rss_kb=9

B1h              200.0 ns      GTask                           1000.0   0.200  bar <=   0.167  MISSED
B1h              200.0 ns      -                                    -       -  bar <=     280  met
"""


def missing(text, wanted):
    return [f"{part!r} is not in\n{text}" for part in wanted if part not in text]


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def check_reliability(folder):
    write(folder, "release.json", "".join(json.dumps(record) + "\n" for record in RECORDS))
    write(folder, "thread.json", json.dumps(RECORDS[0]) + "\n")
    write(folder, "machine", "a machine\n")
    text = reliability.table(reliability.Results(folder))
    rows = dict(re.findall(r"^\| (\d+) \| (.*)$", text, re.M))
    found = missing(text, ["a machine", "Passes: release, thread."]) + \
        missing(rows["1"], ["`storm`: 1 test, passed in release, thread", "storm: jobs 1\u00a0200, max ms 9"]) + \
        missing(rows["2"], ["`models`", "interleave: 2 scenarios, schedules 12\u00a0350"]) + \
        missing(rows["5"], ["thread: tests 1, red 0"]) + \
        missing(rows["15"], ["**FAILED:** broken", "| not measured |"]) + \
        missing(rows["8"], ["not measured | not measured"]) + \
        missing(rows["19"], ["coverage: base: lines 96.5; pending: lines 97"]) + \
        missing(text, ["- novelty: found 3"]) + \
        missing(rows["20"], [f"planted-{name}: defects 3, found 3;" for name in reliability.DETECTORS[1:]]) + \
        missing(rows["20"], [f"**not measured:** planted-{reliability.DETECTORS[0]} |"])
    if len(rows) != len(reliability.PROMISES):
        found.append(f"{len(rows)} rows")
    return found


def check_performance(folder):
    found = []
    for name, log in (("json", BENCH), ("text", TEXT)):
        rows, bars = performance.read(write(folder, name, log))
        text = performance.table(rows, bars, "2000-01-01", "a machine")
        found += missing(text, ["2000-01-01: a machine", "the median of 3 repetitions", "1 of 2 bars met",
                                "| 200 (99.5–1\u00a0300) | GTask 1\u00a0000 (900–1\u00a0100) |",
                                "| times GTask (ns) | 0.200 | ≤ 0.167 | **missed** |", "| ns | 200 | ≤ 280 | met |"])
    return found


def check_machine():
    said = figures.machine()
    return [f"it says {secret!r}" for secret in (socket.gethostname(), ROOT) if len(secret) > 3 and secret in said]


def check_replace():
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    new = figures.replace(page, "x", "new\n")
    found = [] if figures.replace(new, "x", "new\n") == new and "old" not in new else [new]
    for bad in ("", page + page, page.replace("end", "ende")):
        try:
            figures.replace(bad, "x", "new\n")
            found.append(f"a page without marks was taken: {bad!r}")
        except ValueError:
            pass
    return found


def page_problems(files):
    """Pages have their marks, between them a table of a run, and each row of it."""
    found = []
    for name, rows in (("reliability", [f"| {number} | {promise[0]} |" for number, promise in reliability.PROMISES.items()]),
                       ("performance", [f"| {row} | {work} |" for row, work in performance.WORK.items()] + ["bars met."])):
        path = f"doc/{name}.md"
        text = files.get(path, "")
        try:
            figures.replace(text, name, "")
        except ValueError as error:
            found.append(f"{path}: {error}")
        found += [f"{path}: no {row}" for row in rows + ["Run of "] if row not in text]
    return found


def main():
    files = checklib.read_files(ROOT, lambda name: name in ("doc/reliability.md", "doc/performance.md"))
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [("/checks/measured/pages", page_problems(files)),
                    ("/checks/measured/finds-bad-pages", [] if page_problems({}) else ["nothing found"]),
                    ("/checks/measured/reliability", check_reliability(folder)),
                    ("/checks/measured/performance", check_performance(folder)),
                    ("/checks/measured/machine-has-no-names", check_machine()),
                    ("/checks/measured/replaces", check_replace())]
    return checklib.report(outcomes)


if __name__ == "__main__":
    sys.exit(main())
