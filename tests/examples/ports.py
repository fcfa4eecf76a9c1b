#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of other libraries and their ports do the same, and the ports are as short as they say.

usage: ports.py PORTS [python=INTERPRETER] [js=INTERPRETER] [NAME=PROGRAM]...

PORTS is examples/ports; NAME one of its folders, and PROGRAM what was made of main.c there.
Everything prints what the original did (output.txt).  A port in Python has at most as many
lines of code as the original, one in C three times as many, and says so in its head.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
import tokenize

# What each shows, by the rows of doc/behaviour.md.
PORTS = {"async-kernel": "K2-K8-K12-K13-K23-K33-K34-K36-K37-K38-K40-K41-K54-K60-K62-K63-K68",
         "async-executors": "S5-S6-S8-S9-S10-S12-S14-S17-S18",
         "easynetwork": "E2-E3-E4-E6-E10"}
LENGTHS = re.compile(r"Lines of code: (\d+) there, (\d+) here\.")
TIMES = {"python": 1, "c": 3, "js": 2}
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def lines_of_python(text):
    """Without blank lines, comments and strings that stand alone."""
    lines, begins = set(), True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            begins = True
        elif token.type not in NO_CODE and not (begins and token.type == tokenize.STRING):
            lines.update(range(token.start[0], token.end[0] + 1))
            begins = False
    return len(lines)


def lines_of_c(text):
    """Without blank lines and comments, which stand on lines of their own; also those of JavaScript."""
    text = re.sub(r"^ */\*.*?\*/ *$|^ *//[^\n]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return sum(1 for line in text.splitlines() if line.strip())


def read(*names):
    with open(os.path.join(*names), encoding="utf-8") as file:
        return file.read()


def check_length(folder, language):
    """What is wrong, or None."""
    original = read(folder, "original.py.txt")
    compile(original, "original.py.txt", "exec")
    there = lines_of_python(original)
    port = read(folder, {"python": "main.py", "c": "main.c", "js": "main.js"}[language])
    here = (lines_of_python if language == "python" else lines_of_c)(port)
    told = LENGTHS.search(port)
    if told is None or (int(told[1]), int(told[2])) != (there, here):
        return f"the head has to say: Lines of code: {there} there, {here} here."
    return None if here <= TIMES[language] * there else f"{here} lines, of {TIMES[language] * there} at most"


def make_files(folder):
    for name in range(1, 6):
        with open(os.path.join(folder, str(name)), "wb") as file:
            file.write(bytes(name * 1000))
    with open(os.path.join(folder, "endless"), "wb") as file:
        file.truncate(1 << 40)


def check_output(folder, command):
    wanted = [line for line in read(folder, "output.txt").splitlines() if not line.startswith("#")]
    with tempfile.TemporaryDirectory() as files:
        make_files(files)
        try:
            done = subprocess.run([*command, files], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=30, check=False)
        except subprocess.TimeoutExpired as error:
            return f"it does not end: {error.output!r}"
    return None if (done.returncode, done.stderr, done.stdout.splitlines()) == (0, "", wanted) else repr(done)


def outcomes(ports, given):
    for name, rows in PORTS.items():
        folder = os.path.join(ports, name)
        commands = {"python": [given.get("python"), os.path.join(folder, "main.py")],
                    "js": [given.get("js"), "-m", os.path.join(folder, "main.js")], "c": [given.get(name)]}
        for language, command in commands.items():
            yield f"{name}/length/{language}", check_length(folder, language)
            if command[0] is not None:
                yield f"{name}/{rows}/{language}", check_output(folder, command)


def main():
    ports, *given = sys.argv[1:]
    failed, number = False, 0
    for number, (name, problem) in enumerate(outcomes(ports, dict(each.split("=", 1) for each in given)), 1):
        failed |= problem is not None
        if problem is not None:
            print(f"# {problem}")
        print(f"{'ok' if problem is None else 'not ok'} {number} /ports/{name}", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
