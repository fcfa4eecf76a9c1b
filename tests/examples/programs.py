#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the small programs of examples/ print.

usage: programs.py EXAMPLES PYTHON [GJS]
"""

import hashlib
import os
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))


def run(*command):
    """Its lines, when it ended well and without complaints; else what there was."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=50, check=False)
    return done.stdout.splitlines() if (done.returncode, done.stderr) == (0, "") else done


def async_call(program):
    return run(*program) == ["42", "error: invalid literal for int() with base 10: 'many'"]


def async_caller(program):
    lines = [line for line in run(*program) if line != "tick"]
    return lines == [f"this file has {os.path.getsize(program[-1])} bytes", "1161 needs 181 steps"]


def asyncio_service(program):
    """Two files and something missing, from two clients; then the server is told to stop."""
    with tempfile.TemporaryDirectory() as folder:
        place, path = os.path.join(folder, "socket"), os.path.join(folder, "file")
        with open(path, "wb") as file:
            file.write(b"content")
        with subprocess.Popen([*program, place], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            ready = process.stdout.readline() == "ready\n"
            answers = []
            for asked in ((path, os.path.join(folder, "missing")), (path,)):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(place)
                    client.sendall("".join(line + "\n" for line in asked).encode())
                    with client.makefile() as lines:
                        answers += [lines.readline() for _ in asked]
            process.send_signal(2)
            complaints = process.communicate()[1]
    checksum = hashlib.sha256(b"content").hexdigest() + "\n"
    return ready and answers == [checksum, "error: No such file or directory\n", checksum] and \
        (process.returncode, complaints) == (130, "")


def extension(gjs, examples):
    """Each moment, and whether it told what it should."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(300):
            with open(os.path.join(folder, str(number)), "w", encoding="utf-8"):
                pass
        for moment, right in (("end", lambda lines: lines[-2:] == ["300 files", "disabled"]),
                              ("told", lambda lines: len(lines) == 2 and lines[1] == "disabled"),
                              ("at-once", lambda lines: lines == ["disabled"])):
            lines = run(gjs, os.path.join(HERE, "extension.js"), os.path.join(examples, "extension"), folder, moment)
            yield f"extension/js/{moment}", isinstance(lines, list) and right(lines), lines


def outcomes(examples, python, gjs=None):
    for name, check in (("async-call", async_call), ("async-caller", async_caller),
                        ("asyncio-service", asyncio_service)):
        program = [python, os.path.join(examples, name, "main.py")]
        yield f"{name}/python", check(program), None
    if gjs is not None:
        yield from extension(gjs, examples)


def main():
    failed, number = False, 0
    for number, (name, passed, seen) in enumerate(outcomes(*sys.argv[1:]), 1):
        failed |= not passed
        if not passed:
            print(f"# {seen!r}")
        print(f"{'ok' if passed else 'not ok'} {number} /examples/{name}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
