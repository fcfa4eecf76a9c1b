#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much of the core the tests that ran in this build have executed.

usage: run.py GCOVR SOURCE_ROOT PLANTED OBJECTS...

OBJECTS are the folders of the library's objects in a build with
-Db_coverage=true: of the shared library, which modules need, and of the one that
tests link.  TAP: for each room, whether enough lines and branches were executed;
what was not is listed.  Before that the program PLANTED, built like the library,
proves that what is not executed is seen.
"""

import glob
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from typing import NamedTuple

ROOMS = ("base", "pending", "executor")
PLANTED = "tests/coverage/planted.c"
BARS = {"lines": 95.0, "branches": 85.0}

# Branches that are not decisions of ours.
EXCLUDED_BRANCHES = (
    # A programmer's error: what follows is a critical warning, which ends the test.
    r"\bg_return_(val_)?if_(fail|reached)\b",
    r"\bg_assert(_\w+)?\b",
    # The expansion registers a type: once, whoever comes first.
    r"\bG_(DEFINE|DECLARE)_\w+",
    # GLib's way to let go of something that may be NULL.
    r"\bg_clear_\w+ \(",
)
# Lines that only a programmer's error reaches.
EXCLUDED_LINES = (
    r"\bG_OBJECT_WARN_INVALID_PROPERTY_ID\b",
    r"\bg_assert_not_reached\b",
)


class Share(NamedTuple):
    hit: int
    total: int

    @property
    def percent(self):
        return 100.0 * self.hit / self.total if self.total else 0.0


def measure(gcovr, root, folder, objects):
    """gcovr's JSON: files of that folder of the sources with lines with branches."""
    command = [gcovr, "--root", root, "--filter", f"{re.escape(root)}/{folder}/",
               "--exclude-branches-by-pattern", f".*({'|'.join(EXCLUDED_BRANCHES)}).*",
               "--exclude-lines-by-pattern", f".*({'|'.join(EXCLUDED_LINES)}).*",
               "--json", "-", "-j", "2", *objects]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=100)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}")
    return json.loads(done.stdout)["files"]


def room_of(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "libasyncexec" and parts[1] in ROOMS else None


def count(files, room_of=room_of):
    """{room: {"lines": Share, "branches": Share}} and {file: what was not executed}"""
    hits = defaultdict(lambda: {"lines": [0, 0], "branches": [0, 0]})
    missing = defaultdict(list)
    for file in files:
        room = room_of(file["file"])
        for line in file["lines"]:
            if room is None or line["gcovr/noncode"]:
                continue
            taken = [branch["count"] > 0 for branch in line["branches"]]
            for kind, outcomes in (("lines", [line["count"] > 0]), ("branches", taken)):
                hits[room][kind][0] += sum(outcomes)
                hits[room][kind][1] += len(outcomes)
            if line["count"] == 0:
                missing[file["file"]].append(f"{line['line_number']}")
            elif not all(taken):
                missing[file["file"]].append(f"{line['line_number']}?{len(taken) - sum(taken)}")
    shares = {room: {kind: Share(*pair) for kind, pair in kinds.items()}
              for room, kinds in hits.items()}
    return shares, missing


def sees_what_is_missing():
    """The count of a sample: one line of two, one branch of two."""
    sample = [{"file": "libasyncexec/base/a.c", "lines": [
        {"line_number": 1, "gcovr/noncode": False, "count": 0, "branches": []},
        {"line_number": 2, "gcovr/noncode": False, "count": 3, "branches": [{"count": 3}, {"count": 0}]},
        {"line_number": 3, "gcovr/noncode": True, "count": 0, "branches": []}]}]
    shares, missing = count(sample)
    return shares == {"base": {"lines": Share(1, 2), "branches": Share(1, 2)}} and \
        missing == {"libasyncexec/base/a.c": ["1", "2?1"]}


def marked(root):
    """What one run of planted.c leaves out: a branch of the line marked "half", and the line marked "none"."""
    with open(os.path.join(root, PLANTED), encoding="utf-8") as file:
        lines = file.read().splitlines()
    half, none = (next(number for number, line in enumerate(lines, 1) if line.endswith(f" /* {mark} */"))
                  for mark in ("half", "none"))
    return [f"{half}?1", f"{none}"]


def planted(gcovr, root, program):
    """[what is missing after one run, and after a second one that takes the other branch]"""
    for counters in glob.glob(f"{program}.p/*.gcda"):
        os.unlink(counters)
    found = []
    for arguments in [], ["more"]:
        subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, check=True, timeout=10)
        shares, missing = count(measure(gcovr, root, os.path.dirname(PLANTED), [f"{program}.p"]), lambda path: path)
        found.append(missing.get(PLANTED, []) if PLANTED in shares else ["not measured"])
    return found


def check_planted(gcovr, root, program):
    """Prints the proof that the detector is awake: (how many tests, how many failed)."""
    wanted = marked(root)
    seen, twin = planted(gcovr, root, program)
    outcomes = {"counts-what-is-missing": sees_what_is_missing(), "planted/found": seen == wanted,
                "planted/twin-is-silent": twin == []}
    for number, (name, good) in enumerate(outcomes.items(), 1):
        print(f"{'ok' if good else 'not ok'} {number} /coverage/X20/{name}")
    if not all(outcomes.values()):
        print(f"planted: {seen}, not {wanted}; its twin: {twin}", file=sys.stderr)
    print(f"# figure: planted-coverage defects={len(wanted)} found={len(set(wanted) & set(seen))}")
    return len(outcomes), sum(not good for good in outcomes.values())


def main():
    gcovr, root, program, objects = sys.argv[1], os.path.realpath(sys.argv[2]), sys.argv[3], sys.argv[4:]
    print(f"1..{len(ROOMS) * len(BARS) + 3}")
    number, failed = check_planted(gcovr, root, os.path.abspath(program))
    shares, missing = count(measure(gcovr, root, "libasyncexec", objects))
    for room in ROOMS:
        for kind, bar in BARS.items():
            share = shares.get(room, {}).get(kind, Share(0, 0))
            good = share.percent >= bar
            number += 1
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} /coverage/X19/{room}/{kind}")
            if not good:
                print(f"{room}: {share.percent:.2f} % of the {kind}, {bar} are wanted", file=sys.stderr)
    for room in ROOMS:
        kinds = " ".join(f"{kind}={share.percent:.2f}" for kind, share in shares.get(room, {}).items())
        print(f"# figure: coverage room={room} {kinds}")
    # "12" was not executed; "12?1" was, and one of its branches never taken.
    for path, lines in sorted(missing.items()):
        print(f"# {path}: {' '.join(lines)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
