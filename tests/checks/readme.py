#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README and the pages of doc/ keep their word.

The README shows examples/hello/hello.c, which the build compiles, and the page
about operations a module; links lead somewhere; no page names a function that is
not there; pages stay short.

usage: readme.py SOURCE_ROOT
"""

import os
import re
import sys

import checklib

HELLO = "examples/hello/hello.c"
# Pages that show a whole program, which the build compiles.
PROGRAMS = {"README.md": HELLO, "doc/operations.md": "examples/word-count/word-count.c"}
# The rows are a list, not a page to read, and so are tables that programs write.
LONG = {"doc/behaviour.md", "doc/performance.md", "doc/reliability.md"}
MAX_WORDS = 1500
# Shows a stack, with functions that are nobody's business else.
INNER = "doc/debugging.md"

CODE = re.compile(r"^```c\n(.*?)^```$", re.M | re.S)
FENCE = re.compile(r"^```.*?^```\n?", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Of the environment, and fields of the log.
VARIABLE = re.compile(r'getenv \("(AEX_[A-Z0-9_]+)"\)|^ +"(AEX_[A-Z0-9_]+)", ', re.M)
DEFINITION = re.compile(r"^(aex_\w+) \(", re.M)
SYMBOL = re.compile(r"\b(?:aex_[a-z0-9_]+[a-z0-9]|Aex[A-Z]\w+|AEX_[A-Z0-9_]+[A-Z0-9])\b")


def is_page(name):
    return name == "README.md" or (name.startswith("doc/") and name.endswith(".md"))


def wanted(name):
    return is_page(name) or name in PROGRAMS.values() or name == "CONTRIBUTING.md" or \
        (name.startswith("libasyncexec/") and name.endswith((".h", ".c")))


def code_differs(files):
    return [f"{page}: does not show {program}" for page, program in PROGRAMS.items()
            if page in files and files.get(program) not in CODE.findall(files[page])]


def links_to_nowhere(files, exists):
    found = []
    for page in filter(is_page, files):
        for target in LINK.findall(FENCE.sub("", files[page])):
            # gi-docgen turns page.md into page.html.
            path = os.path.normpath(os.path.join(os.path.dirname(page), re.sub(r"\.html$", ".md", target)))
            if "://" not in target and path not in files and not exists(path):
                found.append(f"{page}: a link to {target}")
    return found


def declared(files):
    known = set()
    for name, text in files.items():
        if name.endswith(".h") and not name.endswith("-private.h"):
            known.update(SYMBOL.findall(text))
        if name.startswith("libasyncexec/"):
            known.update(name for names in VARIABLE.findall(text) for name in names)
    # G_DECLARE_FINAL_TYPE() and its kin declare these.
    for name in [name for name in known if name.startswith("AEX_TYPE_")]:
        known.add(name.replace("_TYPE_", "_", 1))
        known.add(name.replace("_TYPE_", "_IS_", 1))
        known.add(name.replace("_TYPE_", "_", 1) + "_CLASS")
    return known


def unknown_symbols(files):
    known = declared(files)
    inner = {name for path, text in files.items() if path.endswith(".c") for name in DEFINITION.findall(text)}
    return [f"{page}: no {symbol}"
            for page in filter(is_page, files)
            for line in files[page].splitlines() if not line.endswith("(later)")
            for symbol in SYMBOL.findall(line) if symbol not in known and not (page == INNER and symbol in inner)]


def long_pages(files):
    return [f"{page}: {len(text.split())} words"
            for page, text in files.items()
            if page.startswith("doc/") and page not in LONG and len(text.split()) > MAX_WORDS]


def problems(material):
    """material: ({path: text}, exists (path))"""
    files, exists = material
    return code_differs(files) + links_to_nowhere(files, exists) + unknown_symbols(files) + long_pages(files)


def main():
    root = sys.argv[1]
    good = {"README.md": "[x](doc/a.md)\n```c\nint i;\n```\n", HELLO: "int i;\n", "doc/a.md": "AexPending\n",
            "libasyncexec/aex-pending.h": "AexPending\n"}
    bad = [good | {HELLO: "int j;\n"}, good | {"doc/operations.md": "no C"}, good | {"doc/b.md": "[x](c.html)"},
           good | {"doc/b.md": "call aex_pending_fly()"}, good | {"doc/b.md": "word " * (MAX_WORDS + 1)}]
    assert all(len(problems((sample, lambda path: False))) == 1 for sample in bad)
    return checklib.run("readme", problems,
                        (checklib.read_files(root, wanted), lambda path: os.path.exists(os.path.join(root, path))),
                        (bad[0], lambda path: False), (good, lambda path: False))


if __name__ == "__main__":
    sys.exit(main())
