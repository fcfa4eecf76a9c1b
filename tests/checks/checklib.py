# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the checks share: reading the tree, and TAP.

A check is a function that takes its material and gives a list of problems.
Beside it stands a bad sample in which it has to find something, so that a check
that went blind is a failure too.
"""

import os
import re
import subprocess
import sys


def tree_files(root):
    """Names of the project's files, relative to the root."""
    try:
        listed = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        names = listed.decode("utf-8", "surrogateescape").split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, files in os.walk(root):
            folders[:] = [f for f in folders if f not in (".git", "_build", "build", "__pycache__")]
            names += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted({n for n in names if n and os.path.isfile(os.path.join(root, n))})


def read_files(root, wanted):
    """{name: text} of those files for which wanted (name) is true."""
    texts = {}
    for name in tree_files(root):
        if wanted(name):
            with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
                texts[name] = file.read()
    return texts


def without_comments(text):
    """C text whose comments became blank, with the lines where they were."""
    return re.sub(r"/\*.*?\*/|//[^\n]*",
                  lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def run(group, check, material, bad, good):
    """Reports one check and its self-test; gives the exit code."""
    outcomes = [(f"/checks/{group}", check(material)),
                (f"/checks/{group}/finds-bad-sample",
                 [] if check(bad) else [f"nothing found in {bad!r}"]),
                (f"/checks/{group}/accepts-good-sample", check(good))]
    return report(outcomes)


def report(outcomes):
    print(f"1..{len(outcomes)}")
    for number, (name, problems) in enumerate(outcomes, 1):
        for problem in problems:
            print(f"# {problem}")
            print(problem, file=sys.stderr)
        print(f"{'not ok' if problems else 'ok'} {number} {name}", flush=True)
    return 1 if any(problems for _, problems in outcomes) else 0
