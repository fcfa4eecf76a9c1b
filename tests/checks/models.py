#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The models of tests/models are of the library as it is: the functions that they name are defined in the files that they
name, and are what they were when somebody looked.  Each bug that one knows is searched for, each has one, and each is run.

usage: models.py SOURCE_ROOT [--update]

--update: the models were looked at, and say what the functions do now.
"""

import hashlib
import os
import re
import sys

import checklib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models"))
import modellib  # noqa: E402

FOLDER = "tests/models/"
COMMON = FOLDER + "common.pml"
SEEN = FOLDER + "seen.txt"


def text_of(source, function):
    """The function in C source, or None: its name begins a line, its body follows."""
    match = re.search(rf"^{function} \([^;{{]*\)\n\{{.*?^\}}", source, re.M | re.S)
    return match and match.group()


def mark_of(file, function, text):
    """How SEEN says what a function was: neither its comments nor how it is laid out."""
    digest = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]
    return f"{file} {function} {digest}"


def source_problems(path, model, files):
    seen = files.get(SEEN, "").splitlines()
    for file, functions in model.sources:
        if file not in files:
            yield f"{path}: there is no {file}"
            continue
        source = checklib.without_comments(files[file])
        for function in functions:
            text = text_of(source, function)
            if text is None:
                yield f"{path}: {file} does not define {function} () any more: look whether the model still says what it does"
            elif mark_of(file, function, text) not in seen:
                yield f"{path}: {function} () of {file} has changed: look whether the model still says what it does; " \
                      "then run models.py with --update"


def model_problems(path, files):
    try:
        model = modellib.read(files[path])
    except (modellib.Malformed, ValueError) as error:
        yield f"{path}: {error}"
        return
    yield from source_problems(path, model, files)
    for bug in modellib.bugs_without_search(files[path]):
        yield f"{path}: {bug} is not both in the model and in a search"
    if not model.sources or not any(search.kind for search in model.searches) or all(s.kind for s in model.searches):
        yield f"{path}: no source, no correct search, or no bug"
    name = os.path.splitext(os.path.basename(path))[0]
    if f"'{name}'" not in files.get(FOLDER + "meson.build", ""):
        yield f"{path} is named in no meson.build"


def problems(files):
    return [problem for path in files if path.startswith(FOLDER) and path.endswith(".pml") and path != COMMON
            for problem in model_problems(path, files)]


def update(root, files):
    marks = set()
    for path in files:
        if path.startswith(FOLDER) and path.endswith(".pml") and path != COMMON:
            for file, functions in modellib.read(files[path]).sources:
                source = checklib.without_comments(files[file])
                marks |= {mark_of(file, function, text_of(source, function)) for function in functions}
    with open(os.path.join(root, SEEN), "w", encoding="utf-8") as file:
        file.write("# What the functions that the models name were when somebody looked.  Written by tests/checks/models.py.\n")
        file.writelines(f"{mark}\n" for mark in sorted(marks))


def wanted(name):
    return name == SEEN or name.startswith((FOLDER, "libasyncexec/")) and name.endswith((".pml", ".c", ".h", "meson.build"))


def sample(functions):
    return {"tests/models/meson.build": "'a'",
            "tests/models/a.pml": f"/* A\n *\n * source: libasyncexec/a.c: {functions}\n *\n * correct: X2 correct\n"
                                  " * bug: X2 it-is-lost stuck BUG_LOST\n */\n#ifdef BUG_LOST\n",
            "libasyncexec/a.c": "static void\nf (int x,\n   int y)\n{\n  x++;\n}\nvoid g (void);\n",
            SEEN: mark_of("libasyncexec/a.c", "f", "f (int x,\n   int y)\n{\n  x++;\n}") + "\n"}


def main():
    files = checklib.read_files(sys.argv[1], wanted)
    if sys.argv[2:] == ["--update"]:
        update(sys.argv[1], files)
        return 0
    assert problems({**sample("f"), "tests/models/meson.build": ""})
    assert problems({**sample("f"), "tests/models/a.pml": sample("f")["tests/models/a.pml"] + "#ifdef BUG_OTHER\n"})
    assert problems({**sample("f"), "libasyncexec/a.c": sample("f")["libasyncexec/a.c"].replace("x++", "y++")})
    assert not problems({**sample("f"), "libasyncexec/a.c": sample("f")["libasyncexec/a.c"].replace("x++;", "x++;\n\n/* */")})
    assert any(path.endswith(".pml") for path in files)
    return checklib.run("models", problems, files, sample("f, g"), sample("f"))


if __name__ == "__main__":
    sys.exit(main())
