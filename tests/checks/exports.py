#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library exports what its public headers declare, and nothing else.

usage: exports.py LIBRARY HEADER...
"""

import re
import subprocess
import sys

import checklib

DECLARE = re.compile(r"G_DECLARE_\w+\s*\(\s*\w+\s*,\s*(\w+)")
NAME = re.compile(r"\b(aex_\w+)\s*\(")


def statements(text):
    """The declarations of a header, without preprocessor lines and bodies."""
    text = checklib.without_comments(text).replace("\\\n", " ")
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    text = re.sub(r"^\s*G_(BEGIN|END)_DECLS", "", text, flags=re.M)
    # Innermost first: unions in structs in typedefs, bodies of inlines.
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", ";", text)
    # G_DECLARE and autoptr macros may stand without a semicolon.
    text = re.sub(r"^(AEX_AVAILABLE|G_DECLARE|G_DEFINE)", r";\1", text, flags=re.M)
    return [" ".join(s.split()) for s in text.split(";") if s.strip()]


def declared(text):
    """(exported names, names that are declared without being marked)"""
    marked, unmarked = set(), set()
    availability = False
    for statement in statements(text):
        is_marked = statement.startswith("AEX_AVAILABLE") or availability
        # The mark may stand alone on the line before a G_DECLARE macro.
        availability = bool(re.fullmatch(r"AEX_AVAILABLE_IN_\w+", statement))
        if statement.startswith(("typedef", "static")):
            continue
        macro = DECLARE.search(statement)
        if macro:
            names = [macro.group(1) + "_get_type"]
        elif "G_DEFINE_AUTOPTR" in statement:
            continue
        else:
            names = NAME.findall(statement)[:1]
        (marked if is_marked else unmarked).update(names)
    return marked, unmarked


def problems(material):
    """material: ([text of a header], set of exported names)"""
    headers, exported = material
    marked, unmarked = set(), set()
    for text in headers:
        more_marked, more_unmarked = declared(text)
        marked |= more_marked
        unmarked |= more_unmarked
    found = [f"{name} is declared without AEX_AVAILABLE_IN_..." for name in sorted(unmarked)]
    found += [f"{name} is declared and not exported" for name in sorted(marked - exported)]
    found += [f"{name} is exported and not declared" for name in sorted(exported - marked)]
    return found


def exported_by(library):
    listed = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in listed.splitlines()
            if line.split()[-2] not in "wA"}


HEADER = """
typedef struct { void (*run) (int a); } AexClass;
AEX_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (AexThing, aex_thing, AEX, THING, GObject)
AEX_AVAILABLE_IN_1_0 int   aex_thing_count (AexThing *self,
                                            int       limit);
#define AEX_ERROR (aex_error_quark ())
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AexRecord, aex_record_unref)
"""


def main():
    headers = []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            headers.append(file.read())
    names = {"aex_thing_get_type", "aex_thing_count"}
    assert problems(([HEADER], names | {"aex_leaked"}))
    assert problems((["int aex_unmarked (void);\n"], set()))
    return checklib.run("exports", problems, (headers, exported_by(sys.argv[1])),
                        ([HEADER], {"aex_thing_get_type"}), ([HEADER], names))


if __name__ == "__main__":
    sys.exit(main())
