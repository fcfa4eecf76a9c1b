#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""C files have up to 600 lines, functions up to 60.

usage: sizes.py SOURCE_ROOT
"""

import sys

import checklib

FILE_LINES = 600
FUNCTION_LINES = 60


def problems(files):
    found = []
    for path, text in files.items():
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            found.append(f"{path}: {len(lines)} lines")
        start = None
        for number, line in enumerate(lines, 1):
            if line.startswith("{"):
                start = number
            elif line.startswith("}") and start is not None:
                if number - start > FUNCTION_LINES:
                    found.append(f"{path}:{start}: a function of {number - start} lines")
                start = None
    return found


def function(n_lines):
    return "void\nf (void)\n{\n" + "  g ();\n" * n_lines + "}\n"


def is_c(name):
    return name.endswith((".c", ".h")) and name.startswith(("libasyncexec/", "examples/", "tests/"))


def main():
    files = checklib.read_files(sys.argv[1], is_c)
    assert problems({"long.c": "\n" * (FILE_LINES + 1)})
    return checklib.run("sizes", problems, files,
                        {"bad.c": function(FUNCTION_LINES)},
                        {"good.c": function(FUNCTION_LINES - 1)})


if __name__ == "__main__":
    sys.exit(main())
