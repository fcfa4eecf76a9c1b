#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A room of the library includes only lower rooms and itself.

usage: rooms.py SOURCE_ROOT
"""

import os
import re
import sys

import checklib

LEVELS = {"base": 0, "pending": 1, "executor": 2, "process": 3, "structure": 3, "state": 3,
          "bindings": 4}
TOP = ""  # libasyncexec/aex-*.h: types, enumerations, errors, version: for all
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
UMBRELLA = "asyncexec.h"


def room_of(path):
    return path.split("/")[0] if "/" in path else TOP


def problems(files):
    """files: {path below libasyncexec/: text}"""
    found = []
    homes = {os.path.basename(path): room_of(path) for path in files}
    for path, text in files.items():
        room = room_of(path)
        if room != TOP and room not in LEVELS:
            found.append(f"{path}: {room} is not a room")
            continue
        if path == UMBRELLA:
            continue
        for name in INCLUDE.findall(checklib.without_comments(text)):
            if name == UMBRELLA:
                found.append(f"{path}: includes everything ({UMBRELLA})")
                continue
            # A generated header is not in the tree and belongs to the top.
            other = room_of(name) if "/" in name else homes.get(name, TOP)
            if other in (room, TOP):
                continue
            if other not in LEVELS:
                found.append(f"{path}: {name} is in no room")
            elif LEVELS[other] >= LEVELS.get(room, 1):
                found.append(f"{path}: {room or 'the top level'} may not include {name} ({other})")
    return found


BAD = {"base/a.c": '#include "pending/b.h"\n', "pending/b.h": ""}
GOOD = {"pending/b.c": '#include "pending/b.h"\n#include "base/a.h"\n#include "aex-types.h"\n',
        "pending/b.h": "", "base/a.h": ""}


def main():
    root = os.path.join(sys.argv[1], "libasyncexec")
    files = checklib.read_files(root, lambda name: name.endswith((".c", ".h")))
    # Equal numbers are strangers to each other.
    assert problems({"state/a.c": '#include "structure/b.h"\n', "structure/b.h": ""})
    return checklib.run("rooms", problems, files, BAD, GOOD)


if __name__ == "__main__":
    sys.exit(main())
