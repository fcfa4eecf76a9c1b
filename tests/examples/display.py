#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The display of a test is there also when its last client has just gone.

usage: display.py      on an X display of its own (xvfb-run)

Two clients at a time come and go.  A server that starts again when it has no client cuts off
whoever connects meanwhile, which is one in twenty here.  Prints TAP.
"""

import concurrent.futures
import subprocess
import sys

CLIENTS = 400


def look(_number):
    return subprocess.run(["xdotool", "getmouselocation"], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode


def main():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        refused = sum(status != 0 for status in pool.map(look, range(CLIENTS)))
    print(f"# {refused} of {CLIENTS} clients were cut off")
    print(f"{'not ok' if refused else 'ok'} 1 /display/outlives-its-last-client\n1..1")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
