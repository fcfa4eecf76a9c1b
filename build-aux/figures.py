#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests measured, on which machine, and how a page gets it.

A test program says a figure in a comment of its TAP:

    # figure: storm jobs=1000000 ran=800000

a name of one word or more, then keys with values.  Run as a program, prints a
description of this machine: no names, nothing that says whose it is.

usage: figures.py
"""

import json
import os
import platform
import re
import subprocess
import sys
from typing import NamedTuple

FIGURE = re.compile(r"^\s*# figure: ([^=]+?)((?: [^ =]+=\S+)+)\s*$")


class Figure(NamedTuple):
    name: str
    values: dict     # text by key


def parse(line):
    match = FIGURE.match(line)
    if not match:
        return None
    return Figure(match.group(1), dict(pair.split("=", 1) for pair in match.group(2).split()))


def read(path):
    """The figures of one testlog.json; a program that failed has measured nothing."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as log:
        for record in map(json.loads, log):
            if record["result"] == "OK":
                found += filter(None, map(parse, (record.get("stdout") or "").splitlines()))
    return found


def group(number):
    """1234567 -> 1 234 567."""
    return f"{number:,}".replace(",", "\u00a0") if isinstance(number, int) else f"{number:g}"


def first_line(*command):
    try:
        done = subprocess.run(command, text=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0] if done.stdout else None


def system():
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            names = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
        return names.get("PRETTY_NAME", "Linux").strip('"')
    except OSError:
        return "Linux"


def machine():
    """One line."""
    found = [system(), f"Linux {platform.release()}", f"{len(os.sched_getaffinity(0))} processors, {platform.machine()}",
             first_line(os.environ.get("CC", "gcc"), "--version")]
    glib = first_line("pkg-config", "--modversion", "glib-2.0")
    found.append(glib and f"GLib {glib}")
    return "; ".join(filter(None, found))


def replace(page, name, text):
    """The page with text between its marks "<!-- NAME: begin -->" and "<!-- NAME: end -->"."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"the page has no marks of {name}")
    return page[:page.index(begin) + len(begin)] + "\n" + text + "\n" + page[page.index(end):]


def rewrite(path, name, text):
    with open(path, encoding="utf-8") as file:
        page = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(replace(page, name, text))


if __name__ == "__main__":
    if len(sys.argv) != 1:
        sys.exit(__doc__)
    print(machine())
