#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a source of the library with one of the races of bugs.toml in it.

usage: break.py BUGS NAME SOURCE OUTPUT
"""

import sys
import tomllib
from pathlib import Path


def main():
    bugs, name, source, output = sys.argv[1:]
    bug = tomllib.loads(Path(bugs).read_text(encoding="utf-8"))[name]
    text = Path(source).read_text(encoding="utf-8")
    if text.count(bug["original"]) != 1:
        sys.exit(f"{name}: its original stands {text.count(bug['original'])} times in {source}: "
                 f"change {bugs} with the source")
    Path(output).write_text(text.replace(bug["original"], bug["replacement"]), encoding="utf-8")


if __name__ == "__main__":
    main()
