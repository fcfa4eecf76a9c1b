#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No file names the machine it was written on, nor where packages come from.

usage: machine.py SOURCE_ROOT
"""

import os
import re
import sys

import checklib

ELSEWHERE = re.compile(r"(?<![\w.}])(/home/[a-z]\w*|/root/\w|/Users/\w)|"
                       r"https?://(?:[\w-]+\.)*(?:deb|ftp|mirrors?|registry|pypi|proxy|security)\.")


def problems(material):
    """material: (absolute source root, {path: text})"""
    root, files = material
    # A root such as /src would be found everywhere.
    own = root if root.count("/") > 1 else None
    found = []
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if ELSEWHERE.search(line) or (own and re.search(re.escape(own) + r"(?!\w)", line)):
                found.append(f"{path}:{number}: {line.strip()[:100]}")
    return found


def main():
    root = os.path.realpath(sys.argv[1])
    files = checklib.read_files(root, lambda name: name != "COPYING")
    assert problems(("/a/b", {"x": "cd /a/b && make"}))
    # The samples are put together so that this file passes.
    bad = "/".join(["cd ", "home", "someone", "src"])
    return checklib.run("machine", problems, (root, files),
                        ("/a/b", {"x": bad}), ("/a/b", {"x": "cd $HOME/src; ls /usr/share"}))


if __name__ == "__main__":
    sys.exit(main())
