#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every line that tests/mutations would break is there, once.

usage: mutations.py SOURCE_ROOT
"""

import os
import sys
import tomllib

import checklib

TABLE = "tests/mutations/mutations.toml"


def problems(material):
    """material: ([{name, file, original}], {file: text})"""
    mutations, texts = material
    found = []
    for mutation in mutations:
        text = texts.get(mutation["file"])
        if text is None:
            found.append(f"{mutation['name']}: {mutation['file']} is not there")
        elif text.count(mutation["original"]) != 1:
            found.append(f"{mutation['name']}: {mutation['file']} has {text.count(mutation['original'])} times: "
                         f"{mutation['original']}")
    return found


BAD = ([{"name": "a", "file": "a.c", "original": "x"}], {"a.c": "x x"})
GOOD = ([{"name": "a", "file": "a.c", "original": "x"}], {"a.c": "x y"})


def main():
    root = sys.argv[1]
    with open(os.path.join(root, TABLE), "rb") as file:
        mutations = tomllib.load(file)["mutation"]
    texts = checklib.read_files(root, lambda name: name.startswith("libasyncexec/"))
    return checklib.run("mutations", problems, (mutations, texts), BAD, GOOD)


if __name__ == "__main__":
    sys.exit(main())
