#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every source file says its licence in its first lines.

usage: licences.py SOURCE_ROOT
"""

import os
import sys

import checklib

LICENCE = "SPDX-License-Identifier: LGPL-2.1-or-later"
ENDINGS = (".c", ".h", ".in", ".py", ".pyi", ".sh", ".js", ".vala", ".build", ".ui", ".css", ".metadata",
           ".supp", ".toml", ".yml")
NAMES = ("meson_options.txt", "LINGUAS", ".editorconfig", ".clang-format", ".gitignore")


def problems(files):
    found = []
    for path, text in files.items():
        is_source = path.endswith(ENDINGS) or os.path.basename(path) in NAMES or \
            text.startswith("#!")
        if is_source and LICENCE not in "\n".join(text.splitlines()[:4]):
            found.append(f"{path}: no {LICENCE}")
    return found


def main():
    files = checklib.read_files(sys.argv[1], lambda name: True)
    return checklib.run("licences", problems, files,
                        {"run": "#!/bin/sh\nexit 0\n"},
                        {"a.c": f"/* {LICENCE} */\n", "README.md": "Hello\n"})


if __name__ == "__main__":
    sys.exit(main())
