# SPDX-License-Identifier: LGPL-2.1-or-later
"""The fenced blocks of a page, and what the page says about them.

A block of Python or JavaScript is a whole program, and so is one of C or Vala
that has a main(); others of C or Vala are fragments, which are compiled only, see
fragments.py.  A block of ```text that
comes next, in the same section, is what the program prints.  A comment in the
line before a block says that it is something else:

    <!-- fragment -->     it is not run (of Python and JavaScript only the syntax is looked at)
    <!-- continues -->    the end of the program that the block before began
    <!-- from PATH -->    lines of that file, which is tested by itself
"""

import re

LANGUAGES = ("python", "javascript", "c", "vala")

FENCE = re.compile(r"^```(\w*)\s*$")
HEADING = re.compile(r"^#+ (.*)$")
COMMENT = re.compile(r"^<!-- (fragment|continues|from (\S+)) -->$")
MAIN = re.compile(r"\bmain *\(")


class Block:
    """One program, fragment or quotation of a page."""

    def __init__(self, language, line, section):
        self.language = language
        self.line = line            # of its first line, in the page
        self.section = section
        self.name = ""
        self.kind = "program"       # or fragment, quotation
        self.source = None          # of a quotation
        self.text = ""
        self.output = None          # what it prints, if the page says so


def slug(heading):
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


def fences(page):
    """(language, number of the first line, lines, comment, heading) of each fenced block."""
    heading, comment, inside = "", None, None
    for number, line in enumerate(page.splitlines(), 1):
        if inside is not None:
            if line == "```":
                yield inside
                inside, comment = None, None
            else:
                inside[2].append(line)
        elif match := FENCE.match(line):
            inside = (match.group(1), number + 1, [], comment, heading)
        elif match := HEADING.match(line):
            heading = match.group(1)
        elif line:
            comment = COMMENT.match(line)
    if inside is not None:
        raise ValueError(f"line {inside[1]}: the block has no end")


def make_block(language, number, lines, comment, heading):
    block = Block(language, number, heading)
    block.text = "".join(line + "\n" for line in lines)
    if comment is None:
        if language in ("c", "vala") and not MAIN.search(block.text):
            block.kind = "fragment"
    elif comment.group(2):
        block.kind, block.source = "quotation", comment.group(2)
    else:
        block.kind = "fragment"
    return block


def read(page):
    """The blocks of a page, in order."""
    found, current = [], None
    for language, number, lines, comment, heading in fences(page):
        if language == "text":
            if current is not None and current.kind == "program" and current.section == heading:
                current.output = (current.output or "") + "".join(line + "\n" for line in lines)
        elif language in LANGUAGES:
            if comment and comment.group(1) == "continues":
                if current is None or current.language != language:
                    raise ValueError(f"line {number}: there is no block to continue")
                current.text += "\n" * (number - current.line - current.text.count("\n"))
                current.text += "".join(line + "\n" for line in lines)
                current.section = heading
                continue
            current = make_block(language, number, lines, comment, heading)
            found.append(current)
            continue
        current = current if language in ("text", "") else None
    return name(found)


def name(found):
    seen = {}
    for block in found:
        base = slug(block.section)
        seen[base] = seen.get(base, 0) + 1
        block.name = base if seen[base] == 1 else f"{base}-{seen[base]}"
    return found
