#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The row report: which promises of doc/behaviour.md were executed.

usage: rows.py [--all] BEHAVIOUR LOG...

BEHAVIOUR has a line "- **K44** text" for each promise; one that ends with
"(later)" is not built yet.  A test proves the rows that its name carries, as in
/pending/K44/exactly-once or /caller/K23-K24/order.  Only subtests that were
executed and passed count.  The report informs; with --all it fails when a row
is missing.
"""

import argparse
import re
import sys

import testlog

ROW = re.compile(r"^[-*] \*\*([KECSWMPDRIXOYN]\d+)\*\*(.*)$")
ID = re.compile(r"(?<![A-Za-z0-9])([KECSWMPDRIXOYN]\d+)(?![A-Za-z0-9])")


def natural(row):
    return ("KECSWMPDRIXOYN".index(row[0]), int(row[1:]))


def read_rows(path):
    """The ids of what is promised now, and of what comes later."""
    now, later, current = set(), set(), None
    with open(path, encoding="utf-8") as page:
        for line in page:
            match = ROW.match(line)
            if match:
                current = match.group(1)
                now.add(current)
            elif not line.startswith(" "):
                current = None
            if current and line.rstrip().endswith("(later)"):
                now.discard(current)
                later.add(current)
    return now, later


def show(title, rows):
    rows = sorted(rows, key=natural)
    print(f"  {title} ({len(rows)}): {' '.join(rows) or 'none'}")


def report(now, later, passed, failed):
    proved = passed - failed
    print(f"Rows of doc/behaviour.md: {len(now & proved)} of {len(now)} executed")
    show("executed", now & proved)
    show("failed", failed)
    show("missing", now - passed - failed)
    show("not yet built", later - proved)
    show("executed though marked (later)", later & proved)
    show("executed but not in doc/behaviour.md", proved - now - later)
    return now <= proved


def main():
    parser = argparse.ArgumentParser(description="Which promises of doc/behaviour.md were executed.")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("behaviour")
    parser.add_argument("logs", nargs="*", metavar="LOG")
    args = parser.parse_args()
    now, later = read_rows(args.behaviour)
    passed, failed = set(), set()
    for log in args.logs:
        for outcome in testlog.read(log):
            ids = set(ID.findall(outcome.name)) if "/" in outcome.name else set()
            if outcome.result == "passed":
                passed |= ids
            elif outcome.result == "failed":
                failed |= ids
    return 0 if report(now, later, passed, failed) or not args.all else 1


if __name__ == "__main__":
    sys.exit(main())
