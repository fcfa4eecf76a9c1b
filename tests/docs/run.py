#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the programs that a page of the documentation shows, and compares what
they print with what the page says (see blocks.py for the marks).

usage: run.py SOURCE_ROOT PAGE [NAME...]

A program has to end with 0 and to write nothing to standard error.  With NAMEs
only blocks with one of them in their name are run.
"""

import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap

import blocks
import fragments
from given import GIVEN

SECONDS = 60
MISSING = "NOT RUN: no %s"


class Missing(Exception):
    """What a block needs is not here."""


def need(name, variable=None):
    found = shutil.which(os.environ.get(variable or "", "") or name)
    if found is None:
        raise Missing(name)
    return found


def flags(*what):
    done = subprocess.run([need("pkg-config"), *what, "asyncexec-1"], text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout.split()


def build(folder, command):
    """What a compiler that is not content says."""
    done = subprocess.run(command, cwd=folder, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout if done.returncode != 0 else None


class Python:
    """A program for the interpreter that runs this."""

    ending = ".py"

    def prepare(self, folder, path):
        return None

    def command(self, folder, path):
        return [sys.executable, "-X", "dev", "-W", "ignore::ImportWarning", path]

    def check_fragment(self, block, before, page):
        try:
            compile(block.text, "fragment", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError as error:
            return str(error)
        return None


class JavaScript:
    """A module for gjs."""

    ending = ".js"

    def prepare(self, folder, path):
        return None

    def command(self, folder, path):
        return [need("gjs"), "-m", path]

    def check_fragment(self, block, before, page):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "fragment.js")
            write(path, "async function fragment() {\n" + block.text + "\n}\n")
            return build(folder, [need("gjs"), "-m", path])


class C:
    """A program for the compiler, strictly."""

    ending = ".c"
    strictly = ("-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror")
    # A fragment need not use what it shows.
    part = ("-Wno-unused-variable", "-Wno-unused-but-set-variable", "-Wno-unused-function")

    def prepare(self, folder, path):
        return build(folder, [need("cc", "CC"), *self.strictly, path, "-o", "program", *flags("--cflags", "--libs")])

    def command(self, folder, path):
        return [os.path.join(folder, "program")]

    def check_fragment(self, block, before, page):
        alone = fragments.is_file(block.text)
        with tempfile.TemporaryDirectory() as folder:
            write(os.path.join(folder, "fragment.c"), block.text if alone else fragments.unit(block, before, page))
            return build(folder, [need("cc", "CC"), *self.strictly, *(() if alone else self.part), "-fsyntax-only",
                                  "fragment.c", *flags("--cflags")])


class Vala(C):
    """A program for valac."""

    ending = ".vala"

    def valac(self, folder, *arguments):
        library = os.path.join(os.environ.get("AEX_BUILD_DIR", "."), "libasyncexec")
        return build(folder, [need("valac", "VALAC"), "--vapidir", library, "--pkg", "gio-2.0", "--pkg", "asyncexec-1",
                              *arguments])

    def prepare(self, folder, path):
        options = [option for flag in flags("--cflags", "--libs") for option in ("-X", flag)]
        return self.valac(folder, "-o", "program", *options, path)

    def check_fragment(self, block, before, page):
        """Statements, or what stands outside of functions."""
        texts = {"inside.vala": f"using AsyncExec;\nasync void fragment () throws Error {{\n{block.text}\n}}\n",
                 "outside.vala": "using AsyncExec;\n" + block.text}
        problems = []
        with tempfile.TemporaryDirectory() as folder:
            for name, text in texts.items():
                write(os.path.join(folder, name), text)
                problems.append(self.valac(folder, "-C", name))
        return "".join(problems) if all(problems) else None


LANGUAGES = {"python": Python(), "javascript": JavaScript(), "c": C(), "vala": Vala()}


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def contains(text, part):
    """Whether these lines are in a text, however far they are indented."""
    wanted = textwrap.dedent(part).splitlines()
    lines = text.splitlines()
    return any(textwrap.dedent("\n".join(lines[start:start + len(wanted)])).splitlines() == wanted
               for start in range(len(lines) - len(wanted) + 1))


def check_quotation(root, block):
    try:
        with open(os.path.join(root, block.source), encoding="utf-8") as file:
            found = contains(file.read(), block.text)
    except OSError as error:
        return str(error)
    return None if found else f"these lines are not in {block.source}"


def execute(command, folder):
    """What is wrong with how it ended, and what it printed."""
    seconds = SECONDS * float(os.environ.get("AEX_TEST_TIME_FACTOR", "1"))
    process = subprocess.Popen(command, cwd=folder, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        printed, complained = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # Python and C show where they are.
        process.send_signal(signal.SIGABRT)
        printed, complained = process.communicate()
        return f"it did not end\n{complained}", printed
    if process.returncode != 0:
        return f"it ended with {process.returncode}\n{complained}", printed
    return complained and f"it complained\n{complained}", printed


def run_program(block):
    language = LANGUAGES[block.language]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "example" + language.ending)
        # The programs of a page may look around where they are.
        here = os.path.join(folder, "here")
        os.mkdir(here)
        # Lines keep their numbers: what a traceback says is true of the page.
        write(path, "\n" * (block.line - 1) + block.text)
        problem = language.prepare(folder, path)
        if problem is not None:
            return problem
        problem, printed = execute(language.command(folder, path), here)
    if problem:
        return problem
    if block.output is not None and printed != block.output:
        return f"it printed\n{printed}and the page says\n{block.output}"
    return None


def shown_before(found, block, title):
    """The fragments that a fragment may refer to."""
    earlier = [other for other in found[:found.index(block)] if other.kind == "fragment"
               and other.language == block.language and not fragments.is_file(other.text)]
    return [fragments.given(GIVEN[title])] + earlier if title in GIVEN else earlier


def examine(root, page, block, before):
    """What is wrong with a block, or None."""
    if block.kind == "quotation":
        return check_quotation(root, block)
    if block.kind == "fragment":
        return LANGUAGES[block.language].check_fragment(block, before, page)
    return run_program(block)


def say(number, name, problem, missing=None):
    for line in (problem or "").splitlines():
        print(f"# {line}")
        print(line, file=sys.stderr)
    directive = " # SKIP " + MISSING % missing if missing else ""
    print(f"{'not ok' if problem else 'ok'} {number} /docs/{name}{directive}", flush=True)


def main():
    root, page, *names = sys.argv[1:]
    with open(os.path.join(root, page), encoding="utf-8") as file:
        found = blocks.read(file.read())
    title = os.path.splitext(os.path.basename(page))[0]
    wanted = [block for block in found if not names or any(name in block.name for name in names)]
    print("TAP version 13")
    print(f"1..{len(wanted)}", flush=True)
    failed = 0
    for number, block in enumerate(wanted, 1):
        try:
            problem, missing = examine(root, page, block, shown_before(found, block, title)), None
        except Missing as error:
            problem, missing = None, error
        failed += problem is not None
        say(number, f"{title}/{block.name}", problem and f"{page}:{block.line}: {problem}", missing)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
