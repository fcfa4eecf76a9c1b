#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of some suites need, for ninja.

usage: targets.py BUILD SUITE...
"""

import json
import os
import subprocess
import sys


def introspect(build, what):
    return json.loads(subprocess.check_output(["meson", "introspect", build, f"--{what}"], text=True))


def main():
    build, *suites = sys.argv[1:]
    # Meson says "project:suite".
    needed = {target for test in introspect(build, "tests") for target in test["depends"]
              if not {suite.partition(":")[2] for suite in test["suite"]}.isdisjoint(suites)}
    files = {os.path.relpath(name, os.path.realpath(build)) for target in introspect(build, "targets") if target["id"] in needed
             for name in target["filename"]}
    if not files:
        sys.exit(f"{build}: no tests of {', '.join(suites)}")
    print(*sorted(files), sep="\n")


if __name__ == "__main__":
    main()
