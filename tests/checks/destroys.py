#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public function that takes a destroy notify is in tests/test-destroy.c.

usage: destroys.py SOURCE_ROOT
"""

import re
import sys

import checklib

DECLARATION = re.compile(r"\b(aex_\w+) *\([^;()]*\bGDestroyNotify\b[^;]*;")
TEST = "tests/test-destroy.c"


def problems(files):
    tested = files.get(TEST, "")
    return [f"{path}: {name} is not in {TEST}"
            for path, text in files.items() if path.endswith(".h") and not path.endswith("-private.h")
            for name in DECLARATION.findall(checklib.without_comments(text))
            if f'/X4/{name}"' not in tested]


def wanted(name):
    return name == TEST or (name.startswith("libasyncexec/") and name.endswith(".h"))


def main():
    header = "void aex_f (int a,\n  GDestroyNotify destroy);\n"
    return checklib.run("destroys/X4", problems, checklib.read_files(sys.argv[1], wanted),
                        {"libasyncexec/a.h": header, TEST: ""},
                        {"libasyncexec/a.h": header, TEST: '"/destroy/X4/aex_f"'})


if __name__ == "__main__":
    sys.exit(main())
