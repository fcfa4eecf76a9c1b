#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public function that takes a destroy notify has a test X4: in tests/test-destroy.c, or beside those of its type.

usage: destroys.py SOURCE_ROOT
"""

import re
import sys

import checklib

DECLARATION = re.compile(r"\b(aex_\w+) *\([^;()]*\bGDestroyNotify\b[^;]*;")
TEST = re.compile(r"tests/test-[\w-]+\.c")


def functions(files):
    """(header, name) of each."""
    return [(path, name) for path, text in files.items() if path.endswith(".h") and not path.endswith("-private.h")
            for name in DECLARATION.findall(checklib.without_comments(text))]


def problems(files):
    tested = "".join(text for path, text in files.items() if TEST.fullmatch(path))
    return [f"{path}: {name} has no test X4" for path, name in functions(files) if f'/X4/{name}"' not in tested]


def wanted(name):
    return TEST.fullmatch(name) or (name.startswith("libasyncexec/") and name.endswith(".h"))


def main():
    header = "void aex_f (int a,\n  GDestroyNotify destroy);\n"
    files = checklib.read_files(sys.argv[1], wanted)
    print(f"# figure: destroy functions={len(functions(files))} tested={len(functions(files)) - len(problems(files))}")
    return checklib.run("destroys/X4", problems, files,
                        {"libasyncexec/a.h": header, "tests/test-destroy.c": ""},
                        {"libasyncexec/a.h": header, "tests/test-destroy.c": '"/destroy/X4/aex_f"'})


if __name__ == "__main__":
    sys.exit(main())
