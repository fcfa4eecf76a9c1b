#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Says at the end what failed, and what the program last said.

usage: failures.py LOG...    copies of meson's testlog.json

Where a log is cut, its end is what is kept.
"""

import json
import os
import sys

import testlog

LINES = 30


def last(text):
    return [f"    {line}" for line in (text or "").splitlines() if line.strip()][-LINES:]


def main():
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8", errors="replace") as log:
            records = [json.loads(line) for line in log]
        for record in records:
            failed = [outcome.name for outcome in testlog.subtests(record) if outcome.result == "failed"]
            if failed:
                label = os.path.basename(path).removesuffix(".json")
                print("\n".join([f"  {label}: {record['name'].rsplit(' / ', 1)[-1]}: {', '.join(failed)}",
                                 *last(record.get("stdout")), *last(record.get("stderr"))]))


if __name__ == "__main__":
    main()
