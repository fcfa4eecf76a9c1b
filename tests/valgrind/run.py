#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A test program under memcheck or helgrind.  TAP on standard output.

usage: run.py VALGRIND memcheck|helgrind PROGRAM SECONDS
"""

import os
import sys

import valgrind

ROWS = {"memcheck": "X7", "helgrind": "X6"}


def main():
    path, tool, program, seconds = sys.argv[1:]
    name = f"/{tool}/{ROWS[tool]}/{os.path.basename(program)}"
    reason = valgrind.why_not(tool)
    print("1..1")
    if reason:
        print(f"ok 1 {name} # SKIP {reason}")
        return 0
    code, output, errors = valgrind.run(path, tool, program, "--tap", timeout=float(seconds))
    n_tests = sum(line.startswith("ok ") for line in output.splitlines())
    good = code == 0 and n_tests > 0
    if not good:
        failed = [line for line in output.splitlines() if line.startswith(("not ok", "Bail out"))]
        print("\n".join([f"exit code {code}", *failed, errors[-20000:]]), file=sys.stderr)
    print(f"{'ok' if good else 'not ok'} 1 {name}")
    print(f"# figure: {tool} program={os.path.basename(program)} tests={n_tests} reports={int(not good)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
