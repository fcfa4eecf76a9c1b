# SPDX-License-Identifier: LGPL-2.1-or-later
"""What compiled programs see of a library: symbols, layouts, signatures.

abidw (Debian: abigail-tools) reads the debug information of a library into a
dump; abidiff compares two dumps.
"""

import re
import shutil
import subprocess
import tempfile

# Nothing of the machine where the dump was made; of the types, those in public headers.  A struct is one of them if it
# has a name of its own; what no function takes, the structs of classes, is in the baseline of the bindings.
DUMP = ["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed",
        "--no-parameter-names", "--drop-private-types", "--exported-interfaces-only"]

ABI_CHANGE = 4
ADDITIONS_ALLOWED = ["--no-added-syms"]


class Unusable(Exception):
    """A tool could not do its work: nothing was compared."""


def run(command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=120)


def dump(library, headers, out):
    # Of several --header-file only one counts.
    with tempfile.TemporaryDirectory(prefix="aex-abi-headers-") as folder:
        for header in headers:
            shutil.copy(header, folder)
        done = run(["abidw", *DUMP, "--headers-dir", folder, "--out-file", out, library])
    if done.returncode != 0:
        raise Unusable(f"abidw {library}: {done.stdout}")
    with open(out, encoding="utf-8") as file:
        text = file.read()
    if "<function-decl" not in text:
        raise Unusable(f"{library} has no debug information")
    with open(out, "w", encoding="utf-8") as file:
        file.write(re.sub(r" path='(?:[^']*/)?([^/']*)'", r" path='\1'", text))


def differences(baseline, now, options):
    done = run(["abidiff", *options, baseline, now])
    if done.returncode & ~(ABI_CHANGE | 8):
        raise Unusable(f"abidiff {baseline} {now}: {done.stdout}")
    return done.stdout.splitlines() if done.returncode else []


def compare(baseline, now):
    """(what was removed or changed, everything that is different)"""
    return differences(baseline, now, ADDITIONS_ALLOWED), differences(baseline, now, [])
