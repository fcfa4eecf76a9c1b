#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The declarations for JavaScript: TypeScript's compiler accepts them, what uses them, and refuses nonsense.

usage: run.py TSC
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
OPTIONS = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "node"]

HEAD = f"""/// <reference path="{HERE}/gi.d.ts" />
/// <reference path="{HERE}/../../../libasyncexec/bindings/gjs/asyncexec-1.d.ts" />
import AsyncExec from 'gi://AsyncExec?version=1';
const caller = AsyncExec.Caller.getCurrent();
"""

BAD = {
    "a-value-of-another-type": "new AsyncExec.Pending<number>().resolve('text');",
    "an-argument-of-another-type": "caller.submit((n: number) => n, 'text');",
    "an-option-that-is-none": "caller.options({timeoutSeconds: 3});",
    "a-result-of-another-type": "export const text: Promise<string> = caller.submit(() => 5).then(value => value);",
    "a-name-that-is-none": "AsyncExec.noSuchName();",
}


def compile_all(tsc, paths):
    """{path: errors}"""
    done = subprocess.run([tsc, *OPTIONS, *paths], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    found = {}
    for line in done.stdout.splitlines():
        if "error TS" in line:
            found.setdefault(os.path.basename(line.split("(")[0]), []).append(line)
    return found


def report(number, name, ok, errors):
    print(f"{'ok' if ok else 'not ok'} {number} /js/typing/{name}")
    if not ok:
        print("".join(f"# {line}\n" for line in errors), end="")
    return ok


def main():
    tsc = sys.argv[1]
    line = HEAD.count("\n") + 1
    print(f"1..{len(BAD) + 1}")
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in BAD.items():
            paths.append(os.path.join(folder, f"{name}.ts"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(f"{HEAD}{text}\nexport {{}};\n")
        found = compile_all(tsc, [os.path.join(HERE, "good.ts"), *paths])
    known = {"good.ts", *(f"{name}.ts" for name in BAD)}
    strange = [error for path, errors in found.items() if path not in known for error in errors]
    passed = report(1, "good", not found.get("good.ts") and not strange, found.get("good.ts", []) + strange)
    for number, name in enumerate(BAD, 2):
        errors = found.get(f"{name}.ts", [])
        # Refused because of that line and of nothing else.
        refused = bool(errors) and all(f"({line}," in error for error in errors)
        passed &= report(number, name, refused, errors or ["it was accepted"])
    return not passed


if __name__ == "__main__":
    sys.exit(main())
