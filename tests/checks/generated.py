#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The introspection data is generated with every warning fatal, the vapi from it.

usage: generated.py SOURCE_ROOT
"""

import re
import sys

import checklib

BUILD = "libasyncexec/meson.build"
NEEDED = (("generate_gir", r"'--warn-all'", "not every warning is on"),
          ("generate_gir", r"fatal_warnings: true\b", "warnings are not fatal"),
          ("generate_vapi", r"sources: \[?asyncexec_gir\[0\]", "the vapi comes from something else"))


def problems(files):
    found = []
    for call, pattern, complaint in NEEDED:
        body = re.search(rf"gnome\.{call}\((.*?)^ *\)$", files.get(BUILD, ""), re.M | re.S)
        if body is None:
            found.append(f"{BUILD}: no {call}")
        elif not re.search(pattern, body.group(1)):
            found.append(f"{BUILD}: {call}: {complaint}")
    return found


def main():
    good = ("a = gnome.generate_gir(x,\n  extra_args: ['--warn-all'],\n  fatal_warnings: true,\n)\n"
            "b = gnome.generate_vapi(x,\n  sources: asyncexec_gir[0],\n)\n")
    for word in ("'--warn-all'", "true", "[0]"):
        assert problems({BUILD: good.replace(word, "")})
    return checklib.run("generated/R18", problems, checklib.read_files(sys.argv[1], lambda n: n == BUILD),
                        {BUILD: ""}, {BUILD: good})


if __name__ == "__main__":
    sys.exit(main())
