#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The row report: which promises of doc/behaviour.md were executed.

usage: rows.py BEHAVIOUR LOG...

BEHAVIOUR has a line "- **K44** text" for each promise; one that ends with
"(later)" is not built yet.  A test proves the rows that its name carries, as in
/pending/K44/exactly-once or /caller/K23-K24/order.  Only subtests that were
executed and passed count.  The report informs: it does not fail.
"""

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


def main():
    now, later = read_rows(sys.argv[1])
    passed, failed = set(), set()
    for log in sys.argv[2:]:
        for outcome in testlog.read(log):
            ids = set(ID.findall(outcome.name)) if "/" in outcome.name else set()
            if outcome.result == "passed":
                passed |= ids
            elif outcome.result == "failed":
                failed |= ids
    report(now, later, passed, failed)


if __name__ == "__main__":
    main()
