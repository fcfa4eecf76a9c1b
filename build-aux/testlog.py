# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads meson's testlog.json: what was executed, and how it ended."""

import json
import re
from typing import NamedTuple

TAP_LINE = re.compile(r"^(not )?ok\b *(\d+)?(?: *-)? *([^#]*?) *(?:# *(SKIP|TODO)\b *(.*))?$", re.I)
FINE = ("OK", "SKIP", "EXPECTEDFAIL")


class Outcome(NamedTuple):
    program: str
    name: str
    result: str  # "passed", "failed" or "skipped"
    reason: str = ""


def subtests(record):
    """One outcome for each subtest that ended, and one for a program that
    failed without saying which subtest did: a crash, a hang, a leak."""
    program = record["name"].rsplit(" / ", 1)[-1]
    found = []
    for line in (record.get("stdout") or "").splitlines():
        match = TAP_LINE.match(line.strip())
        if not match:
            continue
        bad, _, name, directive, reason = match.groups()
        directive = (directive or "").upper()
        if directive == "SKIP":
            result = "skipped"
        elif bad and directive != "TODO":
            result = "failed"
        else:
            result = "passed"
        found.append(Outcome(program, name, result, reason or ""))
    fine = record["result"] in FINE
    if not fine and not any(o.result == "failed" for o in found):
        found.append(Outcome(program, record["result"], "failed"))
    elif not found:
        result = "skipped" if record["result"] == "SKIP" else "passed"
        found.append(Outcome(program, "", result))
    return found


def figures(path):
    """What the tests measured: their lines "# figure: ..."."""
    with open(path, encoding="utf-8", errors="replace") as log:
        return [line[2:] for record in map(json.loads, log)
                for line in (record.get("stdout") or "").splitlines() if line.startswith("# figure: ")]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as log:
        return [outcome for line in log for outcome in subtests(json.loads(line))]
