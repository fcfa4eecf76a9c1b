#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""clang-tidy or cppcheck over the library, and over a file with planted defects.

usage: run.py clang-tidy|cppcheck PROGRAM SOURCE_ROOT BUILD_ROOT PLANTED

Which checks, and why not others: .clang-tidy at the top, cppcheck.supp here.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

FOLDER = os.path.dirname(os.path.realpath(__file__))
FINDING = re.compile(r"^[^\s:]+:\d+:\d+: (?:error|warning|performance|portability): ", re.M)

# What gtk.cfg does not know, and how the library is compiled.
CPPCHECK_MACROS = ("__linux__", "__GNUC__=12", "ASYNCEXEC_COMPILATION", "_AEX_EXTERN=extern",
                   "G_GNUC_FORMAT(i)=", "G_GNUC_PRINTF(i,j)=",
                   "G_DEFINE_QUARK(q,f)=", "G_DEFINE_EXTENDED_ERROR(t,f)=")

MUST_FIND = {
    "clang-tidy": ("clang-analyzer-core.NullDereference", "clang-analyzer-core.uninitialized.UndefReturn",
                   "bugprone-suspicious-string-compare", "cert-env33-c"),
    "cppcheck": ("resourceLeak", "arrayIndexOutOfBounds", "deallocuse", "pointerSize"),
}


def entries(build_root):
    """One entry of the compilation database for each source of the library."""
    with open(os.path.join(build_root, "compile_commands.json"), encoding="utf-8") as file:
        found = {}
        for entry in json.load(file):
            path = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
            # Each is compiled twice; generated sources are somebody else's style.
            if "/libasyncexec/" in path and not path.startswith(os.path.realpath(build_root) + "/") \
                    and "asyncexec-private" in entry["output"]:
                found[path] = entry
    return [found[path] for path in sorted(found)]


def output_of(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode, done.stdout


def run_clang_tidy(program, root, database, files, fixed=None):
    """{file: (exit code, output)}"""
    command = [program, "--quiet", f"--config-file={root}/.clang-tidy"]
    tail = ["--", "-std=gnu11", *fixed] if fixed is not None else []
    # Warnings of the compiler fail the builds themselves, see tests/run.
    options = ["-p", database, "--extra-arg=-w"] if fixed is None else []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda file: output_of([*command, *options, file, *tail]), files)
        return dict(zip(files, outcomes))


def run_cppcheck(program, root, database, files, fixed=None):
    """Without the system's headers, whose every #ifdef it would try: gtk.cfg knows GLib."""
    command = [program, "--quiet", "--error-exitcode=1", "--std=c11", "--library=gtk", "--max-configs=1",
               "--enable=warning,performance,portability", f"-j{os.cpu_count()}",
               f"--suppressions-list={FOLDER}/cppcheck.supp", *(f"-D{macro}" for macro in CPPCHECK_MACROS),
               "--template={file}:{line}:{column}: {severity}: {message} [{id}]"]
    if fixed is None:
        folders = sorted({os.path.dirname(file) for file in files} | {f"{root}/libasyncexec"})
        command += [f"-I{folder}" for folder in folders]
    return {"the library": output_of([*command, *(fixed or []), *files])}


RUNNERS = {"clang-tidy": run_clang_tidy, "cppcheck": run_cppcheck}


def found_in(outcomes):
    """Findings as text, and what a tool said that could not do its work."""
    return "".join(output for code, output in outcomes.values() if code != 0 or FINDING.search(output))


def check_planted(tool, program, root, planted, report):
    found = found_in(RUNNERS[tool](program, root, None, [planted], []))
    seen = {name: re.search(rf"[\[,]{re.escape(name)}[\],]", found) for name in MUST_FIND[tool]}
    for name, match in seen.items():
        report(f"/lint/X20/{tool}/{name}", match, found)
    found = found_in(RUNNERS[tool](program, root, None, [planted], ["-DFIXED"]))
    report(f"/lint/X20/{tool}/twin-is-silent", not found, found)
    print(f"# figure: planted-{tool} defects={len(seen)} found={sum(map(bool, seen.values()))}")


def main():
    tool, program, root, build_root, planted = sys.argv[1:]
    failed = number = 0

    def report(name, good, output):
        nonlocal failed, number
        number += 1
        failed += not good
        if not good:
            print(output, file=sys.stderr)
        print(f"{'ok' if good else 'not ok'} {number} {name}", flush=True)

    print(f"1..{len(MUST_FIND[tool]) + 2}")
    check_planted(tool, program, root, planted, report)
    database = entries(build_root)
    files = [os.path.realpath(os.path.join(entry["directory"], entry["file"])) for entry in database]
    with tempfile.TemporaryDirectory(prefix="aex-lint-") as folder:
        with open(os.path.join(folder, "compile_commands.json"), "w", encoding="utf-8") as file:
            json.dump(database, file)
        found = found_in(RUNNERS[tool](program, root, folder, files))
    report(f"/lint/{tool}/library", bool(files) and not found, found or "no source was found")
    print(f"# figure: {tool} files={len(files)} findings={len(FINDING.findall(found))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
