#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves that a sanitizer is awake: every planted defect is found and ends the
program with an error, every repaired twin is left alone and ends well.  TAP on
standard output.

usage: run.py DETECTOR PROGRAM MODE... [-- ARGUMENT...]

DETECTOR is what the figure is called.  What follows "--" is given to each run.
"""

import os
import re
import subprocess
import sys

# A race on a busy machine hides in many runs, so it has twenty.
TRIES = 20
# A twin has to be silent in each of three.
SILENT_TRIES = 3

ANY_REPORT = re.compile(r"WARNING: ThreadSanitizer|ERROR: (Address|Leak)Sanitizer|: runtime error: ")
RACE = "WARNING: ThreadSanitizer: "
# The other modes are races.  These have to be found for what they are.
REPORTS = {
    "freed": "ERROR: AddressSanitizer: heap-use-after-free ",
    "returned": "ERROR: AddressSanitizer: stack-use-after-return ",
    "leaked": "ERROR: LeakSanitizer: detected memory leaks",
    "overflow": "runtime error: signed integer overflow",
    "misaligned": "runtime error: load of misaligned address",
}


def execute(program, *args):
    """(exit code, what the detector and the program said)"""
    run = subprocess.run([*program, *args], stderr=subprocess.PIPE, text=True, errors="replace", timeout=60,
                         env={**os.environ, "G_DEBUG": "", "MALLOC_PERTURB_": "0"})
    return run.returncode, run.stderr


def is_found(mode, code, said):
    """A report that does not end the program with an error would leave a test green."""
    return REPORTS.get(mode, RACE) in said and code != 0


def is_silent(code, said):
    return code == 0 and not ANY_REPORT.search(said)


def expected(wanted, args, code, said):
    if not wanted:
        print(f"# {args}: exit code {code}: {said[:300]!r}")
    return wanted


def check(program, mode):
    """Whether the defect is found, and whether the twin is silent."""
    runs = (execute(program, mode) for _ in range(TRIES))
    found = any(expected(is_found(mode, *run), [mode], *run) for run in runs)
    twins = (execute(program, mode, "--fixed") for _ in range(SILENT_TRIES))
    return found, all(expected(is_silent(*run), [mode, "--fixed"], *run) for run in twins)


def main():
    detector, arguments = sys.argv[1], sys.argv[3:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    program, modes = [sys.argv[2], *arguments[end + 1:]], arguments[:end]
    print(f"1..{2 * len(modes)}")
    failed = n_found = number = 0
    for mode in modes:
        found, silent = check(program, mode)
        n_found += found
        for good, name in ((found, "found"), (silent, "twin-is-silent")):
            number += 1
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} /planted/X20/{detector}/{mode}/{name}", flush=True)
    print(f"# figure: planted-{detector} defects={len(modes)} found={n_found}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
