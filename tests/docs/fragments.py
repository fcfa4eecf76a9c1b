# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fragments of C as something that a compiler reads.

A fragment that includes something is a file of its own.  Any other one follows
what the page showed before: its definitions come after theirs, its statements
stand where their variables are known, and may have one of the same name.
"""

import re
import textwrap

import blocks

INCLUDES = re.compile(r"^#include\b", re.M)
OUTSIDE = re.compile(r"(static|extern|typedef|struct|enum)\b|#")


def is_file(text):
    return INCLUDES.search(text) is not None


def chunks(text):
    """(line number, lines) of what empty lines separate, if no brace in the first column is open."""
    chunk, inside = [], False
    for number, line in enumerate(text.splitlines(), 1):
        inside = line.startswith("{") or inside and not line.startswith("}")
        chunk.append(line)
        if not inside and (not line or line.startswith("}")):
            yield number - len(chunk) + 1, chunk
            chunk = []
    if chunk:
        yield number - len(chunk) + 1, chunk


def split(block, page):
    """(definitions, statements), each with its place in the page."""
    parts = "", ""
    for number, lines in chunks(block.text):
        outside = OUTSIDE.match(lines[0]) or any(line.startswith("{") for line in lines)
        place = f'#line {block.line + number - 1} "{page}"\n'
        text = place + "".join(line + "\n" for line in lines)
        parts = (parts[0] + text, parts[1]) if outside else (parts[0], parts[1] + text)
    return parts


def given(text, language="c"):
    """What a page takes for granted, as if it had shown it."""
    block = blocks.Block(language, 1, "")
    block.text = textwrap.dedent(text)
    return block


def unit(block, before, page):
    """A file that is correct if the fragment is, after those before it, which were."""
    shown = [split(other, page) for other in [*before, block]]
    return "\n".join(["#include <asyncexec.h>", *(outside for outside, _ in shown),
                      "static gboolean", "fragment (void)",
                      *("{\n" + inside for _, inside in shown),
                      "return TRUE;", "}" * len(shown), ""])
