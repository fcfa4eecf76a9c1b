#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a stranger looks for at the top of a project is there, and the DOAP file
says what its vocabulary allows.

usage: project.py SOURCE_ROOT
"""

import os
import sys
import xml.etree.ElementTree as ET

import checklib

FILES = ("AUTHORS", "CONTRIBUTING.md", "COPYING", "NEWS", "README.md", "SECURITY.md")
DOAP = "libasyncexec.doap"
NAMESPACE = "{http://usefulinc.com/ns/doap#}"
ALLOWED = {"name", "shortdesc", "description", "homepage", "license", "programming-language", "os", "vendor", "maintainer",
           "developer", "repository", "bug-database", "download-page", "mailing-list", "category", "created", "platform",
           "security-contact", "security-policy"}
NEEDED = {"name", "shortdesc", "description", "license", "programming-language"}


def doap_problems(text):
    try:
        top = ET.fromstring(text)
    except ET.ParseError as error:
        return [f"{DOAP}: {error}"]
    names = {child.tag.removeprefix(NAMESPACE) for child in top}
    found = [f"{DOAP}: no property {name} in the vocabulary" for name in sorted(names - ALLOWED)]
    found += [f"{DOAP}: no {name}" for name in sorted(NEEDED - names)]
    if top.tag != NAMESPACE + "Project":
        found.append(f"{DOAP}: {top.tag} is no project")
    return found


def problems(files):
    found = [f"{name}: not there" for name in FILES if not files.get(name, "").strip()]
    return found + doap_problems(files.get(DOAP, ""))


def main():
    doap = '<Project xmlns="http://usefulinc.com/ns/doap#">' + "".join(f"<{name}/>" for name in NEEDED) + "</Project>"
    good = {name: "Text\n" for name in FILES} | {DOAP: doap}
    assert all(problems(good | bad) for bad in ({"NEWS": ""}, {DOAP: "<a>"}, {DOAP: doap.replace("<name/>", "<names/>")}))
    material = checklib.read_files(sys.argv[1], lambda name: os.path.dirname(name) == "")
    return checklib.run("project", problems, material, {}, good)


if __name__ == "__main__":
    sys.exit(main())
