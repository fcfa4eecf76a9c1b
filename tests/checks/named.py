#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every C source is named in a meson.build: what is not built is not tested.  The
same for the Python modules, which are not installed otherwise, and their tests.

usage: named.py SOURCE_ROOT
"""

import os
import re
import sys

import checklib

PUBLIC_HEADER = re.compile(r"libasyncexec/(?:\w+/)?(?:aex-[\w-]+|asyncexec)\.h")

PYTHON = re.compile(r"libasyncexec/bindings/python/.*\.pyi?|tests/python/test_\w+\.py")


def names_for(path):
    """How a meson.build in the file's folder, or in one above, calls it."""
    folder, rest = os.path.split(path)
    while True:
        stem = os.path.splitext(rest)[0]
        yield os.path.join(folder, "meson.build"), (f"'{rest}'", f"'{stem}'")
        if not folder:
            return
        folder, last = os.path.split(folder)
        rest = f"{last}/{rest}"


def problems(files):
    found = []
    for path in files:
        public = PUBLIC_HEADER.fullmatch(path) and not path.endswith("-private.h")
        if not path.endswith(".c") and not public and not PYTHON.fullmatch(path):
            continue
        if not any(name in files.get(where, "")
                   for where, spellings in names_for(path) for name in spellings):
            found.append(f"{path} is named in no meson.build")
    return found


def wanted(name):
    return name.endswith((".c", ".h", ".py", ".pyi")) or os.path.basename(name) == "meson.build"


def main():
    return checklib.run("named", problems, checklib.read_files(sys.argv[1], wanted),
                        {"tests/meson.build": "", "tests/test-a.c": "", "tests/python/test_a.py": ""},
                        {"tests/meson.build": "'test-a': ['fast', 30], 'stress/b': []",
                         "tests/test-a.c": "", "tests/stress/b.c": ""})


if __name__ == "__main__":
    sys.exit(main())
