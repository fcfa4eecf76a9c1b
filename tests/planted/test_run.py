#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What counts as found, and what as a silent twin, on programs of which that is known.  TAP on standard output."""

import os
import subprocess
import sys

FOLDER = os.path.dirname(os.path.realpath(__file__))
LEAK = "==1==ERROR: LeakSanitizer: detected memory leaks"
OVERFLOW = "a.c:1:1: runtime error: signed integer overflow"

# Name: what the program with the defect says, how it ends, the same of its twin; whether that is found and silent.
PROGRAMS = {
    "awake": ((LEAK, 23, "", 0), (True, True)),
    "asleep": (("", 0, "", 0), (False, True)),
    "report-that-fails-nothing": ((LEAK, 0, "", 0), (False, True)),
    "other-report": ((OVERFLOW, 1, "", 0), (False, True)),
    "crash-instead-of-a-report": (("", -9, "", 0), (False, True)),
    "twin-with-a-report": ((LEAK, 23, LEAK, 23), (True, False)),
    "twin-with-another-report": ((LEAK, 23, OVERFLOW, 0), (True, False)),
    "twin-that-fails": ((LEAK, 23, "", 3), (True, False)),
    "twin-that-crashes": ((LEAK, 23, "", -9), (True, False)),
}

PROGRAM = """
import os, sys
said, code = sys.argv[3:5] if "--fixed" in sys.argv else sys.argv[1:3]
print(said, file=sys.stderr, flush=True)
if int(code) < 0:
    os.kill(os.getpid(), -int(code))
sys.exit(int(code))
"""


def outcome(how):
    done = subprocess.run([sys.executable, os.path.join(FOLDER, "run.py"), "sample", sys.executable, "leaked", "--",
                           "-S", "-c", PROGRAM, *map(str, how)], stdout=subprocess.PIPE, text=True, timeout=60)
    lines = done.stdout.splitlines()
    seen = tuple(any(line.startswith("ok ") and line.endswith(end) for line in lines)
                 for end in ("/found", "/twin-is-silent"))
    return seen if done.returncode == (0 if all(seen) else 1) else done.returncode


def main():
    print(f"1..{len(PROGRAMS)}")
    failed = 0
    for number, (name, (how, wanted)) in enumerate(PROGRAMS.items(), 1):
        seen = outcome(how)
        failed += seen != wanted
        if seen != wanted:
            print(f"{name}: {seen}, not {wanted}", file=sys.stderr)
        print(f"{'ok' if seen == wanted else 'not ok'} {number} /planted/runner/{name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
