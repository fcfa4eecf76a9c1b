#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runner of the documentation's programs notices what it is there for."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))

# Name: a page, and how many of its blocks are right and wrong.
PAGES = {
    "output": ("```python\nprint(1)\n```\n\nprints\n\n```text\n1\n```\n", 1, 0),
    "other-output": ("```python\nprint(1)\n```\n```text\n2\n```\n", 0, 1),
    "output-of-another-section": ("```python\nprint(1)\n```\n## B\n```text\n2\n```\n", 1, 0),
    "failure": ("```python\nraise SystemExit(3)\n```\n", 0, 1),
    "complaint": ("```python\nimport sys\nprint('x', file=sys.stderr)\n```\n", 0, 1),
    "never-awaited": ("```python\nasync def f(): pass\nf()\n```\n", 0, 1),
    "continued": ("```python\nx = 4\n```\n```text\n```\n\n<!-- continues -->\n```python\nprint(x)\n```\n```text\n4\n```\n", 1, 0),
    "fragment": ("<!-- fragment -->\n```python\nawait unknown\n```\n", 1, 0),
    "bad-fragment": ("<!-- fragment -->\n```python\nawait await\n```\n", 0, 1),
    "quotation": ("<!-- from source.py -->\n```python\nif x:\n    y()\n```\n", 1, 0),
    "bad-quotation": ("<!-- from source.py -->\n```python\nif x:\n    z()\n```\n", 0, 1),
    "quotation-of-nothing": ("<!-- from nothing.py -->\n```python\nif x:\n```\n", 0, 1),
    "two": ("## A b\n```python\n```\n```python\nraise KeyError\n```\n", 1, 1),
    "other-languages": ("```sh\nfalse\n```\n```c\nfragment\n```\n", 1, 0),
}


def outcome(folder, name, page):
    with open(os.path.join(folder, name + ".md"), "w", encoding="utf-8") as file:
        file.write(page)
    done = subprocess.run([sys.executable, os.path.join(HERE, "run.py"), folder, name + ".md"], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = done.stdout.splitlines()
    return (sum(line.startswith("ok ") for line in lines), sum(line.startswith("not ok ") for line in lines),
            done.returncode)


def main():
    print("TAP version 13")
    print(f"1..{len(PAGES)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "source.py"), "w", encoding="utf-8") as file:
            file.write("def f():\n    if x:\n        y()\n")
        for number, (name, (page, right, wrong)) in enumerate(PAGES.items(), 1):
            seen = outcome(folder, name, page)
            good = seen == (right, wrong, 1 if wrong else 0)
            failed += not good
            if not good:
                print(f"# right, wrong, status: {seen}")
            print(f"{'ok' if good else 'not ok'} {number} /docs/runner/{name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
