#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The README and the pages of doc/ keep their word.

The code block of the README is examples/hello/hello.c, which the build
compiles; links between pages lead somewhere; no page names a function that is
not there; pages stay short.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
HELLO = ROOT / "examples" / "hello" / "hello.c"

# The rows are a list, not a page to read.
LONG = {"behaviour.md"}
MAX_WORDS = 1500

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
SYMBOL = re.compile(r"\b(?:aex_[a-z0-9_]+[a-z0-9]|Aex[A-Z]\w+|AEX_[A-Z0-9_]+[A-Z0-9])\b")
FENCE = re.compile(r"^```.*?^```\n?", re.M | re.S)


def code_block_is_hello():
    blocks = re.findall(r"^```c\n(.*?)^```$", README.read_text(), re.M | re.S)
    if not blocks:
        return ["README.md has no block of C"]
    if blocks[0] != HELLO.read_text():
        return ["the C in README.md and examples/hello/hello.c differ"]
    return []


def links_lead_somewhere():
    wrong = []
    for page in [README, *sorted((ROOT / "doc").glob("*.md"))]:
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            if "://" in target or target.startswith("mailto:"):
                continue
            # gi-docgen turns page.md into page.html
            path = page.parent / re.sub(r"\.html$", ".md", target)
            if not path.exists():
                wrong.append(f"{page.relative_to(ROOT)} links to {target}")
    return wrong


def symbols_exist():
    headers = (ROOT / "libasyncexec").rglob("aex-*.h")
    known = set()
    for header in headers:
        if not header.name.endswith("-private.h"):
            known.update(SYMBOL.findall(header.read_text()))
    # G_DECLARE_FINAL_TYPE() and its kin declare these.
    for name in [name for name in known if name.startswith("AEX_TYPE_")]:
        known.add(name.replace("_TYPE_", "_", 1))
        known.add(name.replace("_TYPE_", "_IS_", 1))
    wrong = []
    for page in [README, *sorted((ROOT / "doc").glob("*.md"))]:
        for line in page.read_text().splitlines():
            if line.endswith("(later)"):
                continue
            for symbol in SYMBOL.findall(line):
                if symbol not in known:
                    wrong.append(f"{page.relative_to(ROOT)} names {symbol}")
    return wrong


def pages_are_short():
    wrong = []
    for page in sorted((ROOT / "doc").glob("*.md")):
        words = len(page.read_text().split())
        if page.name not in LONG and words > MAX_WORDS:
            wrong.append(f"doc/{page.name} has {words} words, more than {MAX_WORDS}")
    return wrong


def main():
    checks = [
        ("/checks/readme/code-block-is-hello", code_block_is_hello),
        ("/checks/readme/links-lead-somewhere", links_lead_somewhere),
        ("/checks/readme/symbols-exist", symbols_exist),
        ("/checks/readme/pages-are-short", pages_are_short),
    ]
    failed = 0
    print(f"1..{len(checks)}")
    for number, (name, check) in enumerate(checks, 1):
        wrong = check()
        print(f"{'not ok' if wrong else 'ok'} {number} {name}")
        for line in wrong:
            print(f"# {line}")
        failed += bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
