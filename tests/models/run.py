#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Searches a model of the library's concurrency with spin.  TAP on standard output.

usage: run.py MODEL [SPIN COMPILER...]

The correct model must be clean, and searched to the end; each planted bug must be found, and be of the kind that is
expected.  Without SPIN everything is skipped.  modellib.py says how a model names its searches.

One search alone, with the way to what it finds: run.py MODEL --only=NAME SPIN COMPILER
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import modellib

MEGABYTES = 900
DEPTH = 2000000
SECONDS = 300
MAIN = "search.pml"

FOUND = {
    "assert": "assertion violated",
    "stuck": "invalid end state",
    "cycle": "non-progress cycle",
}

# Each of them means that something was not looked at.
CUT_SHORT = ("max search depth too small", "Search not completed", "out of memory", "hash factor", "aborting")


class Broken(Exception):
    """A tool failed: neither clean nor found."""


def call(command, folder, timeout=SECONDS):
    try:
        run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, errors="replace", timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise Broken(f"{command[0]}: more than {timeout} seconds") from error
    return run.returncode, run.stdout


def build(path, search, spin, compiler, folder):
    for source in (path, os.path.join(os.path.dirname(path), "common.pml")):
        shutil.copy(source, folder)
    # Not -D: spin hands that to a shell.
    with open(os.path.join(folder, MAIN), "w", encoding="utf-8") as file:
        file.writelines(f"#define {macro.replace('=', ' ', 1)}\n" for macro in search.macros)
        file.write(f'#include "{os.path.basename(path)}"\n')
    code, output = call([spin, "-a", MAIN], folder)
    if code != 0 or not os.path.exists(os.path.join(folder, "pan.c")):
        raise Broken(f"{spin} -a: {output[-1000:]}")
    kind = ["-DNP"] if search.cycles else ["-DSAFETY", "-DNOCLAIM"]
    # A bug is found at once: there the compiler takes longer than the search.
    code, output = call([*compiler, "-O0" if search.kind else "-O1", "-w", *kind, "-DCOLLAPSE", f"-DMEMLIM={MEGABYTES}", "-o", "pan", "pan.c"], folder)
    if code != 0:
        raise Broken(f"{compiler[0]}: {output[-1000:]}")


def number(pattern, output):
    match = re.search(pattern, output)
    if match is None:
        raise Broken(f"pan: {output[-1000:]}")
    return int(float(match.group(1)))


class Result:
    """What one search has found."""

    def __init__(self, output, name):
        self.errors = number(r"errors: (\d+)", output)
        self.states = number(r"([\d.e+]+) states, stored", output)
        self.depth = number(r"depth reached (\d+)", output)
        self.cut_short = [text for text in CUT_SHORT if text in output]
        self.kinds = [kind for kind, text in FOUND.items() if f"pan:1: {text}" in output]
        self.first = next((line for line in output.splitlines() if line.startswith("pan:1:")), "")


def search_model(path, search, spin, compiler, folder):
    build(path, search, spin, compiler, folder)
    options = [f"-m{DEPTH}", "-w20"] + (["-l"] if search.cycles else [])
    _, output = call(["./pan", *options], folder)
    return Result(output, os.path.basename(path))


def way(spin, folder):
    """The steps that lead to the error."""
    _, output = call([spin, "-t", "-p", "-g", "-B", MAIN], folder)
    return output.splitlines()


def judge(search, result):
    """Why the search is not as it has to be; "": it is."""
    if search.kind:
        if result.errors == 0:
            return "the bug was not found"
        return "" if search.kind in result.kinds else f"not what was expected: {result.first}"
    if result.errors > 0:
        return result.first
    return f"not searched to the end: {', '.join(result.cut_short)}" if result.cut_short else ""


class Report:
    """Lines of TAP."""

    def __init__(self, n_tests):
        print(f"1..{n_tests}", flush=True)
        self.n_done = 0
        self.n_failed = 0

    def say(self, name, why=""):
        self.n_done += 1
        self.n_failed += bool(why)
        if why:
            print(f"# {name}: {why}")
            print(f"{name}: {why}", file=sys.stderr)
        print(f"{'not ok' if why else 'ok'} {self.n_done} {name}", flush=True)


def test_name(name, search):
    return f"/model/{search.row}/{name}/{'found/' if search.kind else ''}{search.name}"


def run_search(path, name, search, tools, report):
    title = test_name(name, search)
    with tempfile.TemporaryDirectory(prefix="aex-model-") as folder:
        try:
            result = search_model(path, search, *tools, folder)
        except Broken as error:
            report.say(title, str(error))
            return
        print(f"# figure: {name} {search.name} states={result.states} max_depth={result.depth}")
        if search.kind and result.first:
            print(f"# found: {result.first}")
        why = judge(search, result)
        if why and result.errors > 0:
            for line in way(tools[0], folder)[-120:]:
                print(f"# {line}")
        report.say(title, why)


def run_all(path, name, searches, tools):
    report = Report(len(searches))
    for search in searches:
        run_search(path, name, search, tools, report)
    return 1 if report.n_failed else 0


def show_one(path, name, tools):
    with tempfile.TemporaryDirectory(prefix="aex-model-") as folder:
        searches = [search for search in read_searches(path) if search.name == name]
        if not searches:
            raise SystemExit(f"{path} has no search {name}")
        result = search_model(path, searches[0], *tools, folder)
        print(f"states={result.states} depth={result.depth} errors={result.errors} {result.first}")
        if result.cut_short:
            print("not searched to the end")
        if result.errors > 0:
            print("\n".join(way(tools[0], folder)))


def read_searches(path):
    with open(path, encoding="utf-8") as file:
        return modellib.read(file.read()).searches


def skip_all(name, searches):
    print(f"1..{len(searches)}")
    for i, search in enumerate(searches, 1):
        print(f"ok {i} {test_name(name, search)} # SKIP spin is not installed")


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--only=")]
    only = [a.partition("=")[2] for a in sys.argv[1:] if a.startswith("--only=")]
    path = os.path.abspath(arguments[0])
    name = os.path.splitext(os.path.basename(path))[0]
    if len(arguments) < 3:
        skip_all(name, read_searches(path))
        return 0
    tools = (arguments[1], arguments[2:])
    if only:
        show_one(path, only[0], tools)
        return 0
    return run_all(path, name, read_searches(path), tools)


if __name__ == "__main__":
    sys.exit(main())
