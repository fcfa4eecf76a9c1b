#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""po/POTFILES.in names every file with a translated message, and no other.

usage: potfiles.py SOURCE_ROOT
"""

import re
import sys

import checklib

POTFILES = "po/POTFILES.in"
TRANSLATED = re.compile(r'(?<!\w)(?:_|N_|C_|NC_|Q_|g_dngettext|ngettext|aex_ngettext)\s*\(\s*(?:GETTEXT_PACKAGE,\s*)?["\']')


def problems(files):
    listed = [line for line in files[POTFILES].splitlines() if line and not line.startswith("#")]
    using = {path for path, text in files.items()
             if path != POTFILES and TRANSLATED.search(checklib.without_comments(text))}
    found = [f"{POTFILES} does not name {path}" for path in sorted(using - set(listed))]
    found += [f"{POTFILES} names {path}, which translates nothing"
              for path in sorted(set(listed) - using)]
    if listed != sorted(listed):
        found.append(f"{POTFILES} is not sorted")
    return found


def wanted(name):
    return name == POTFILES or (name.endswith((".c", ".js", ".py")) and name.startswith(("libasyncexec/", "examples/")))


def main():
    call = 'x = g_error_new (AEX_ERROR, 0, _("Full"));\n'
    assert problems({POTFILES: "gone.c\n"})
    return checklib.run("potfiles", problems, checklib.read_files(sys.argv[1], wanted),
                        {POTFILES: "", "a.c": call},
                        {POTFILES: "# names\na.c\n", "a.c": call, "b.c": 'my_ ("x");\n'})


if __name__ == "__main__":
    sys.exit(main())
