#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves that the race detector is awake: every planted defect is found,
every repaired twin is left alone.  TAP on standard output.

usage: run.py PROGRAM MODE... [-- ARGUMENT...]

A defect is a race: on a busy machine it hides in many runs, so it has twenty.
A twin has to be silent in each of three.
"""

import os
import subprocess
import sys

TRIES = 20
SILENT_TRIES = 3
REPORT = "WARNING: ThreadSanitizer"


def reported(program, *args):
    """Whether a run of it ends with a report; what follows "--" is given to each."""
    run = subprocess.run([*program, *args], stderr=subprocess.PIPE, text=True, timeout=60,
                         env={**os.environ, "G_DEBUG": "", "MALLOC_PERTURB_": "0"})
    if REPORT in run.stderr:
        return True
    if run.returncode != 0:
        print(f"# {args}: exit code {run.returncode}: {run.stderr[-300:]!r}")
    return False


def main():
    arguments = sys.argv[2:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    program, modes = [sys.argv[1], *arguments[end + 1:]], arguments[:end]
    print(f"1..{2 * len(modes)}")
    failed = n_found = 0
    number = 0
    for mode in modes:
        found = any(reported(program, mode) for _ in range(TRIES))
        quiet = not any(reported(program, mode, "--fixed") for _ in range(SILENT_TRIES))
        n_found += found
        for good, name in ((found, f"/planted/X20/{mode}/found"),
                           (quiet, f"/planted/X20/{mode}/twin-is-silent")):
            number += 1
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} {name}", flush=True)
    print(f"# figure: planted defects={len(modes)} found={n_found}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
