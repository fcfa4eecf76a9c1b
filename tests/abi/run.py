#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library and its introspection data against the baselines beside this file.

usage: run.py LIBRARY GIR PLANTED HEADER...

PLANTED is a library whose siblings PLANTED-removed.so, -layout, -signature and
-added are the same one with that change.  Additions are reported and allowed.
What was removed or changed is a failure, until tests/abi/renew has written new
baselines (with AEX_ABI_RENEW=1 in the environment this program does that).
"""

import os
import re
import sys
import tempfile

import abi
import api

FOLDER = os.path.dirname(os.path.realpath(__file__))
ABI_BASELINE = os.path.join(FOLDER, "asyncexec-1.abi")
API_BASELINE = os.path.join(FOLDER, "asyncexec-1.api")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Report:
    """TAP; a diagnostic line is for whoever reads the log."""

    def __init__(self):
        self.number = 0
        self.failed = 0
        self.planted = []       # whether each change that is not allowed was found

    def add(self, name, good, notes=()):
        for note in notes:
            print(f"# {note}")
            if not good:
                print(note, file=sys.stderr)
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} {name}", flush=True)


def check_planted_abi(report, planted, headers, folder):
    stem = re.sub(r"\.so$", "", planted)
    dumps = {}
    for name in ("", "-removed", "-layout", "-signature", "-added"):
        dumps[name] = os.path.join(folder, f"planted{name}.abi")
        abi.dump(f"{stem}{name}.so", headers, dumps[name])
    for name in ("-removed", "-layout", "-signature"):
        bad, _ = abi.compare(dumps[""], dumps[name])
        report.planted.append(bool(bad))
        report.add(f"/abi/X18-X20/planted/library{name}-is-found", bool(bad))
    bad, everything = abi.compare(dumps[""], dumps["-added"])
    report.add("/abi/X18-X20/planted/library-added-is-allowed", not bad and bool(everything), bad)


def changed(text, pattern, replacement):
    """The text with one place changed; there must be such a place."""
    new, n_changed = re.subn(pattern, replacement, text, count=1, flags=re.S)
    assert n_changed == 1, pattern
    return new


def check_planted_api(report, gir):
    baseline = api.lines_of(gir)
    method = r'<method name="is_done".*?</method>'
    for name, pattern, replacement, is_bad in (
            ("removed", method, "", True),
            ("signature", r'(<method name="is_done".*?<type name=)"gboolean"', r'\1"gint"', True),
            ("value", r'(<member name="not_done"\s+value=)"\d+"', r'\1"999"', True),
            ("property", r'(<property name="name".*?<type name=)"utf8"', r'\1"filename"', True),
            ("added", method, lambda m: m[0] + m[0].replace("is_done", "is_planted"), False),
            ("documentation", r"<doc [^>]*>[^<]*</doc>", "", False)):
        bad, new = api.compare(baseline, api.lines_of(changed(gir, pattern, replacement)))
        good = bool(bad) if is_bad else not bad and bool(new) == (name == "added")
        if is_bad:
            report.planted.append(good)
        report.add(f"/abi/X18-X20/planted/api-{name}-is-{'found' if is_bad else 'allowed'}", good, bad)


def check_baselines(report, dump, lines):
    bad, everything = abi.compare(ABI_BASELINE, dump)
    report.add("/abi/X18/library", not bad, bad or everything)
    gone, new = api.compare(read(API_BASELINE).splitlines(), lines)
    report.add("/abi/X18/api", not gone,
               [f"gone: {line}" for line in gone] + [f"new: {line}" for line in new])
    if report.failed:
        print("Meant? Then run tests/abi/renew and commit what it writes.", file=sys.stderr)
    symbols = read(dump).count("<elf-symbol ")
    print(f"# figure: abi symbols={symbols} things={len(lines)} changes={len(bad) + len(gone)}")


def main():
    library, gir_path, planted, headers = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    gir = read(gir_path)
    lines = api.lines_of(gir)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="aex-abi-") as folder:
        dump = os.path.join(folder, "library.abi")
        abi.dump(library, headers, dump)
        if os.environ.get("AEX_ABI_RENEW"):
            write(ABI_BASELINE, read(dump))
            write(API_BASELINE, "\n".join(lines) + "\n")
        print("1..12")
        check_planted_abi(report, planted, headers, folder)
        check_planted_api(report, gir)
        print(f"# figure: planted-abi defects={len(report.planted)} found={sum(report.planted)}")
        check_baselines(report, dump, lines)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
