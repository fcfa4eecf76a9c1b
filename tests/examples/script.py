#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program without a main loop prints what sha256sum prints.

usage: script.py NAME PROGRAM [ARGUMENT...]
"""

import hashlib
import os
import subprocess
import sys
import tempfile


def run(program, *arguments):
    return subprocess.run([*program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=50, check=False)


def make_files(folder):
    """{path: its checksum}"""
    sums = {}
    for i in range(20):
        content = bytes([i]) * (i * 10_000 + 1)
        path = os.path.join(folder, f"file {i}")
        with open(path, "wb") as file:
            file.write(content)
        sums[path] = hashlib.sha256(content).hexdigest()
    return sums


def outcomes(program, folder):
    sums = make_files(folder)
    done = run(program, *sums)
    yield "every-file", (done.returncode, done.stderr, sorted(done.stdout.splitlines())) == \
        (0, "", sorted(f"{checksum}  {path}" for path, checksum in sums.items())), done
    missing = os.path.join(folder, "missing")
    first = next(iter(sums))
    done = run(program, missing, first)
    yield "goes-on-after-an-error", done.returncode == 1 and done.stdout == f"{sums[first]}  {first}\n" \
        and "missing" in done.stderr and len(done.stderr.splitlines()) == 1, done
    done = run(program)
    yield "nothing", (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


def main():
    name, program = sys.argv[1], sys.argv[2:]
    failed, number = False, 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (what, passed, done) in enumerate(outcomes(program, folder), 1):
            failed |= not passed
            if not passed:
                print(f"# {done!r}")
            print(f"{'ok' if passed else 'not ok'} {number} /script/{name}/{what}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
