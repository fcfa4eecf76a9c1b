#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every source file says its licence in its first lines, and the tree complies
with REUSE: the text of the licence is where its tools look, and .reuse/dep5
speaks for what has no comments.

usage: licences.py SOURCE_ROOT
"""

import os
import shutil
import subprocess
import sys

import checklib

NAME = "LGPL-2.1-or-later"
# In two parts, so that this file does not say it of itself.
LICENCE = "SPDX-License-" + "Identifier: " + NAME
ENDINGS = (".c", ".h", ".in", ".py", ".pyi", ".sh", ".js", ".vala", ".build", ".ui", ".css", ".metadata",
           ".supp", ".toml", ".yml", ".po", ".doap")
NAMES = ("meson_options.txt", "LINGUAS", ".editorconfig", ".clang-format", ".gitignore")
TEXT = f"LICENSES/{NAME}.txt"
# Speaks for every file: nothing can be left out of it.
EVERYTHING = "Files: *\n"


def problems(files):
    found = []
    for path, text in files.items():
        is_source = path.endswith(ENDINGS) or os.path.basename(path) in NAMES or \
            text.startswith("#!")
        if is_source and LICENCE not in "\n".join(text.splitlines()[:4]):
            found.append(f"{path}: no {LICENCE}")
    if "COPYING" in files and files.get(TEXT) != files["COPYING"]:
        found.append(f"{TEXT}: not the text of COPYING")
    if "COPYING" in files and EVERYTHING not in files.get(".reuse/dep5", ""):
        found.append(".reuse/dep5: does not speak for every file")
    return found


def reuse(root):
    """What the tool of REUSE finds; None without it."""
    # It asks git which files are ignored.
    if shutil.which("reuse") is None or shutil.which("git") is None or \
            subprocess.run(["git", "-C", root, "rev-parse"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        return None
    done = subprocess.run(["reuse", "--root", root, "lint"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    complaints = [line for line in done.stdout.splitlines() if " - ERROR - " in line]
    return complaints if done.returncode == 0 else done.stdout.splitlines()


def main():
    root = sys.argv[1]
    files = checklib.read_files(root, lambda name: True)
    good = {"a.c": f"/* {LICENCE} */\n", "README.md": "Hello\n", "COPYING": "Text\n", TEXT: "Text\n",
            ".reuse/dep5": EVERYTHING}
    assert all(len(problems(good | bad)) == 1 for bad in ({TEXT: "Other\n"}, {".reuse/dep5": "Files: a\n"}))
    outcomes = [("/checks/licences", problems(files)),
                ("/checks/licences/finds-bad-sample",
                 [] if problems({"run": "#!/bin/sh\nexit 0\n"}) else ["nothing found"]),
                ("/checks/licences/accepts-good-sample", problems(good))]
    complaints = reuse(root)
    skipped = "# SKIP reuse or git is not installed, or this is no checkout"
    outcomes.append(("/checks/licences/reuse" + ("" if complaints is not None else " " + skipped), complaints or []))
    return checklib.report(outcomes)


if __name__ == "__main__":
    sys.exit(main())
