# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program without a main loop: hashes the files that it is given, all at the same time, and
prints each when it is done."""

import hashlib
import sys

import asyncexec


def hash_file(path):
    """On a thread, once for each file."""
    with open(path, "rb") as file:
        return path, hashlib.file_digest(file, "sha256").hexdigest()


def main():
    status = 0
    pool = asyncexec.Executor.get_default()
    # Blocks until the next one is there.  An exception is an item like others.
    for result in pool.map(hash_file, sys.argv[1:], ordered=False, return_exceptions=True):
        if isinstance(result, Exception):
            print(result, file=sys.stderr)
            status = 1
        else:
            path, checksum = result
            print(f"{checksum}  {path}")
    return status


try:
    sys.exit(main())
except KeyboardInterrupt:
    sys.exit(130)
