#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What valac has to refuse, and why it says so.

usage: refused.py VALAC VAPIDIR
"""

import subprocess
import sys
import tempfile

PROGRAM = "static int main () {\n    var p = new AsyncExec.Pending.resolved ();\n    %s\n    return 0;\n}\n"

# name: (declarations, statement, what valac says; None if it has to be content)
CASES = {
    "nothing-wrong": ("", "p.cancel ();", None),
    "R12/executor-without-dispatch": ("class Idle : AsyncExec.Executor {\n}\n", "new Idle ();", "dispatch"),
    "R12/executor-is-abstract": ("", "new AsyncExec.Executor ();", "Executor"),
    "R12/pending-is-final": ("class Mine : AsyncExec.Pending {\n}\n", "", "sealed"),
    "inline-callbacks-are-not-offered": ("", "p.add_done_callback_inline (() => {});", "add_done_callback_inline"),
    "references-are-not-counted-by-hand": ("", "AsyncExec.Context.get_current ().unref ();", "unref"),
}


def complaints(valac, vapidir, source):
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/program.vala", "w", encoding="utf-8") as file:
            file.write(source)
        done = subprocess.run([valac, "-C", "--pkg", "gio-2.0", "--vapidir", vapidir, "--pkg", "asyncexec-1",
                               "program.vala"], cwd=folder, text=True, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout if done.returncode != 0 else None


def main():
    failed = False
    print(f"1..{len(CASES)}")
    for number, (name, (declarations, statement, words)) in enumerate(CASES.items(), 1):
        said = complaints(*sys.argv[1:], declarations + PROGRAM % statement)
        passed = said is None if words is None else said is not None and words in said
        failed |= not passed
        for line in (said or "").splitlines() if not passed else ():
            print(f"# {line}")
        print(f"{'ok' if passed else 'not ok'} {number} /vala/refused/{name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
