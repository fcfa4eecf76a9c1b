#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls a library with a race, or without (--fixed), in an interpreter that was not built for the detector.

usage: preloaded.py LIBTSAN LIBRARY [--fixed]

The detector, LIBTSAN, is loaded before everything else, as in the storms.
"""

import ctypes
import os
import sys


def main():
    detector, library, fixed = sys.argv[1], sys.argv[2], "--fixed" in sys.argv
    if os.environ.get("LD_PRELOAD") != detector:
        options = os.environ.get("TSAN_OPTIONS", "") + ":ignore_noninstrumented_modules=1"
        os.execve(sys.executable, [sys.executable, *sys.argv],
                  {**os.environ, "LD_PRELOAD": detector, "TSAN_OPTIONS": options})
    ctypes.CDLL(library).count(int(fixed))


if __name__ == "__main__":
    main()
