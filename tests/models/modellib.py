# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads what a model says about itself in its first comment.

    source: FILE: FUNCTION, FUNCTION...      what of the library it is a model of
    correct: ROW NAME [WORD...]              a search that has to find nothing
    bug: ROW NAME KIND [WORD...]             one that has to find an error

A line that is indented further goes on.  KIND is "assert" (an assertion fails), "stuck" (threads that wait for ever) or
"cycle" (threads that go round for ever).  A WORD is a macro, NAME or NAME=VALUE, or "cycles": look for cycles without
progress.
"""

import re
from typing import NamedTuple

FIELD = re.compile(r"^ \* (source|correct|bug): (.*(?:\n \* {3,}\S.*)*)", re.M)
BUG = re.compile(r"\bBUG_\w+")


class Search(NamedTuple):
    row: str
    name: str
    kind: str        # "" for a correct one
    cycles: bool
    macros: tuple


class Model(NamedTuple):
    sources: tuple   # (file, functions)
    searches: tuple


class Malformed(Exception):
    """The comment can not be read."""


def _search(field, words):
    kind = words.pop(2) if field == "bug" and len(words) > 2 else ""
    if len(words) < 2 or (field == "bug") != (kind in ("assert", "stuck", "cycle")):
        raise Malformed(f"{field}: {' '.join(words)}")
    macros = tuple(word for word in words[2:] if word != "cycles")
    return Search(words[0], words[1], kind, "cycles" in words[2:], macros)


def read(text):
    """The Model of what is written in a .pml file."""
    sources, searches = [], []
    for field, value in FIELD.findall(text[:text.index("*/")]):
        value = re.sub(r"\n \*", " ", value)
        if field == "source":
            file, _, functions = value.partition(": ")
            sources.append((file, tuple(re.findall(r"\w+", functions))))
        else:
            searches.append(_search(field, value.split()))
    return Model(tuple(sources), tuple(searches))


def bugs_without_search(text):
    """Macros BUG_... that the model looks at, or that it is searched with, but not both."""
    end = text.index("*/")
    return sorted(set(BUG.findall(text[:end])) ^ set(BUG.findall(text[end:])))
