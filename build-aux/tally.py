#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the subtests in one testlog.json.

usage: tally.py LOG

Prints a line for each one that failed or was skipped and for each figure that
was measured, to standard error, and "PASSED FAILED SKIPPED UNEXPECTED" to standard
output: unexpected are those of SKIPPED that MAY_BE_SKIPPED does not excuse.
"""

import sys

import testlog

# What cannot run somewhere, and why.
MAY_BE_SKIPPED = {
    "/file-load/O9/too-large": "a sanitizer refuses the memory for such a file",
    "/checks/licences/reuse": "Debian 13 has no reuse here, and sources without their history are no checkout",
}


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    unexpected = 0
    for outcome in testlog.read(sys.argv[1]):
        counts[outcome.result] += 1
        where = f"{outcome.program} {outcome.name}".rstrip()
        if outcome.result == "failed":
            print(f"  FAILED {where}", file=sys.stderr)
        elif outcome.result == "skipped":
            unexpected += outcome.name not in MAY_BE_SKIPPED
            print(f"  NOT RUN {where} ({outcome.reason or 'skipped'})", file=sys.stderr)
    for figure in testlog.figures(sys.argv[1]):
        print(f"  {figure}", file=sys.stderr)
    print(counts["passed"], counts["failed"], counts["skipped"], unexpected)


if __name__ == "__main__":
    main()
