#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program that hangs in doc/debugging.md does, and gdb shows of it what the
page says.

usage: hang.py SOURCE_ROOT BUILDTYPE

In a build for release only those functions are looked for that the compiler has
to leave.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import blocks
import run

PAGE = "doc/debugging.md"
# A thread may be on its way yet.
TRIES = 10
STAY = ("update", "main", "aex_pending_wait", "aex_pool_thread_main")
FRAME = re.compile(r"^#\d+ +(\w+) \(\)", re.M)


def parts(page):
    """The program, and what gdb says of it."""
    program = next(block.text for block in blocks.read(page) if block.kind == "fragment" and "g_mutex_lock" in block.text)
    stack = next("\n".join(lines) for language, _, lines, _, _ in blocks.fences(page)
                 if language == "text" and any(line.startswith("#0") for line in lines))
    return program, stack


def missing(stack, said):
    """What the page shows and gdb does not."""
    shown = FRAME.findall(stack)
    if sys.argv[2] == "release":
        shown = [name for name in shown if name in STAY]
    wanted = shown + ['"aex-disk"', "hang.c"]
    return [name for name in wanted if not re.search(rf"\b{name}\b" if name.isidentifier() else re.escape(name), said)]


def look(program):
    return subprocess.run(["gdb", "-batch", "-nx", "-p", str(program.pid), "-ex", "thread apply all backtrace"], text=True,
                          check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def examine(root, folder):
    with open(os.path.join(root, PAGE), encoding="utf-8") as file:
        text, stack = parts(file.read())
    run.write(os.path.join(folder, "hang.c"), text)
    problem = run.build(folder, [run.need("cc", "CC"), "-g", "hang.c", "-o", "hang", *run.flags("--cflags", "--libs")])
    if problem:
        return [problem]
    with subprocess.Popen([os.path.join(folder, "hang")]) as program:
        try:
            for _ in range(TRIES):
                said = look(program)
                if "ptrace" in said or program.poll() is not None:
                    break
                if not missing(stack, said):
                    return []
        finally:
            program.kill()
    if "ptrace" in said:
        raise run.Missing("permission to look at a process")
    return [f"not there: {missing(stack, said)}", said]


def main():
    name, problems = "/docs/debugging/hang", []
    print("1..1")
    try:
        if shutil.which("gdb") is None:
            raise run.Missing("gdb")
        with tempfile.TemporaryDirectory() as folder:
            problems = examine(sys.argv[1], folder)
    except run.Missing as what:
        name += f" # SKIP {run.MISSING % what}"
    for problem in problems:
        print("# " + problem.rstrip().replace("\n", "\n# "))
        print(problem, file=sys.stderr)
    print(f"{'not ok' if problems else 'ok'} 1 {name}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
