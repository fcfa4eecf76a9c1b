#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runner of the documentation's programs notices what it is there for."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))

C = "```c\n%s\n```\n"
VALA = "```vala\n%s\n```\n"

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
    "other-languages": ("```sh\nfalse\n```\n```text\nfragment\n```\n", 0, 0),
    "c-statements": (C % "g_autoptr (AexPending) p = aex_pending_new ();\n\naex_pending_is_done (p);", 1, 0),
    "c-definition": (C % "static int\nf (void)\n{\n  int a = 1;\n\n  return a;\n}\n\ng_print (\"%d\", f ());", 1, 0),
    "c-after-another": (C % "int a = 1;" + C % "a++;\n\nint a = 2;" + C % "g_print (\"%d\", a);", 3, 0),
    "c-file": (C % "#include <stdio.h>\n\nint f (void);" + C % "int printf = 1;", 2, 0),
    "c-syntax": (C % "g_print (\"\"", 0, 1),
    "c-unknown-function": (C % "aex_pending_nothing (NULL);", 0, 1),
    "c-unknown-variable": (C % "aex_pending_is_done (p);", 0, 1),
    "c-wrong-type": (C % "aex_pending_is_done (\"p\");", 0, 1),
    "c-bad-definition": (C % "static int\nf (void)\n{\n  return g ();\n}", 0, 1),
    "c-file-that-includes-too-little": (C % "#include <stddef.h>\n\nextern AexPending *p;", 0, 1),
    "c-program-that-is-not-run": ("<!-- fragment -->\n" + C % "int\nmain (void)\n{\n  return 3;\n}", 1, 0),
    "vala-statements": (VALA % "var p = new Pending ();\np.cancel (null);", 1, 0),
    "vala-definition": (VALA % "using AsyncExec;\n\npublic class Abc : Object { public Pending? p; }", 1, 0),
    "vala-unknown-method": (VALA % "new Pending ().nothing ();", 0, 1),
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
