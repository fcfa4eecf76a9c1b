#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proves that a tool of valgrind is awake: every planted defect is found, every
repaired twin is left alone.  TAP on standard output.

usage: planted.py VALGRIND memcheck|helgrind PROGRAM MODE...
"""

import sys

import valgrind


def main():
    path, tool, program, modes = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    reason = valgrind.why_not(tool)
    print(f"1..{2 * len(modes)}")
    failed = number = n_found = 0
    for mode in modes:
        for args, wanted, name in (([mode], valgrind.REPORTED, "found"),
                                   ([mode, "--fixed"], 0, "twin-is-silent")):
            number += 1
            name = f"/planted/X20/{tool}/{mode}/{name}"
            if reason:
                print(f"ok {number} {name} # SKIP {reason}")
                continue
            code, _, errors = valgrind.run(path, tool, program, *args, timeout=60)
            good = code == wanted
            failed += not good
            n_found += good and wanted != 0
            if not good:
                print(f"{args}: exit code {code}, not {wanted}\n{errors[-3000:]}", file=sys.stderr)
            print(f"{'ok' if good else 'not ok'} {number} {name}", flush=True)
    if not reason:
        print(f"# figure: planted-{tool} defects={len(modes)} found={n_found}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
