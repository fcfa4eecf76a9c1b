#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files have up to 600 lines; functions up to 60, in C and in Python.

usage: sizes.py SOURCE_ROOT
"""

import ast
import os
import sys

import checklib

FILE_LINES = 600
FUNCTION_LINES = 60


def c_functions(text):
    """(first line, how many lines) of each function."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def no_functions(text):
    """Of the other languages only the files are measured."""
    return ()


FUNCTIONS = {".c": c_functions, ".h": c_functions, ".py": python_functions, ".pyi": python_functions}


def problems(files):
    found = []
    for path, text in files.items():
        n_lines = len(text.splitlines())
        if n_lines > FILE_LINES:
            found.append(f"{path}: {n_lines} lines")
        functions = FUNCTIONS.get(os.path.splitext(path)[1], no_functions)
        found += [f"{path}:{start}: a function of {length} lines"
                  for start, length in functions(text) if length > FUNCTION_LINES]
    return found


def function(n_lines):
    return "void\nf (void)\n{\n" + "  g ();\n" * n_lines + "}\n"


def python_function(n_lines):
    return "def f():\n" + "    g()\n" * (n_lines - 1)


def wanted(name):
    # The declarations of a namespace are one file, as long as what it declares.
    return name.endswith((*FUNCTIONS, ".js", ".ts", ".vala")) and not name.endswith(".d.ts") and \
        name.startswith(("libasyncexec/", "examples/", "tests/", "build-aux/"))


def main():
    files = checklib.read_files(sys.argv[1], wanted)
    assert problems({"long.c": "\n" * (FILE_LINES + 1)})
    assert problems({"long.js": "\n" * (FILE_LINES + 1)})
    assert problems({"bad.py": python_function(FUNCTION_LINES + 1)})
    return checklib.run("sizes", problems, files,
                        {"bad.c": function(FUNCTION_LINES)},
                        {"good.c": function(FUNCTION_LINES - 1),
                         "good.py": python_function(FUNCTION_LINES)})


if __name__ == "__main__":
    sys.exit(main())
