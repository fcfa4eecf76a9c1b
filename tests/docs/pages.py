#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The pages whose blocks are tested are there, and are all that have any.

usage: pages.py SOURCE_ROOT PAGE...
"""

import os
import re
import sys

import blocks

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "checks"))

import checklib   # noqa: E402

# Of others than blocks.LANGUAGES nothing is tested.
UNTESTED = ("meson", "sh", "text")
# What blocks.py does not see: indented, of other characters, with more than one word, in capitals.
FENCE = re.compile(r"^\s*(?:```|~~~)(.*)$")


def problems_of(name, text, listed):
    found = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        match = FENCE.match(line)
        if not match:
            continue
        language = match.group(1)
        if not line.startswith("```") or inside and language:
            found.append(f"{name}:{number}: not a fence that is tested: {line!r}")
        elif not inside and language not in blocks.LANGUAGES + UNTESTED:
            found.append(f"{name}:{number}: an unknown language {language!r}")
        inside = not inside
    try:
        has_blocks = bool(blocks.read(text))
    except ValueError as error:
        return [*found, f"{name}: {error}"]
    if has_blocks != listed:
        found.append(f"{name}: it has " + ("blocks, and is not listed" if has_blocks else "no blocks, and is listed"))
    return found


def problems(material):
    pages, listed = material
    found = [f"{name}: it is listed, and not there" for name in listed if name not in pages]
    for name, text in pages.items():
        found += problems_of(name, text, name in listed)
    return found


GOOD = ({"a.md": "```c\nx ();\n```\n```text\n```\n", "b.md": "```sh\nls\n```\n", "c.md": "words\n"}, ["a.md"])
BAD = {
    "renamed": ({}, ["a.md"]),
    "not-listed": (GOOD[0], []),
    "nothing-to-test": (GOOD[0], ["a.md", "b.md"]),
    "unknown-language": ({"a.md": GOOD[0]["a.md"] + "```C\n```\n"}, ["a.md"]),
    "indented": ({"a.md": GOOD[0]["a.md"] + "- a\n  ```c\n  x ();\n  ```\n"}, ["a.md"]),
    "without-an-end": ({"a.md": "```c\nx ();\n"}, ["a.md"]),
}


def main():
    root, listed = sys.argv[1], sys.argv[2:]
    pages = checklib.read_files(root, lambda name: name.endswith(".md"))
    outcomes = [("/docs/pages", problems((pages, listed))), ("/docs/pages/accepts-good-sample", problems(GOOD))]
    outcomes += [(f"/docs/pages/finds-{name}", [] if problems(bad) else ["nothing found"]) for name, bad in BAD.items()]
    return checklib.report(outcomes)


if __name__ == "__main__":
    sys.exit(main())
