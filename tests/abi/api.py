# SPDX-License-Identifier: LGPL-2.1-or-later
"""What language bindings see, as lines of text: one for each thing with a name.

Documentation, positions in files and versions of introduction are left out, and
the lines are sorted, so that a line that went away is a thing that went away or
changed, and one that came is a thing that was added.
"""

import re
import xml.etree.ElementTree as ElementTree

CORE = "{http://www.gtk.org/introspection/core/1.0}"
PREFIXES = ((CORE, ""),
            ("{http://www.gtk.org/introspection/c/1.0}", "c:"),
            ("{http://www.gtk.org/introspection/glib/1.0}", "glib:"))

# Text, and what may be said later about a thing that stays as it is.
SKIPPED_ELEMENTS = ("doc", "doc-version", "doc-deprecated", "doc-stability", "source-position",
                    "attribute")
SKIPPED_ATTRIBUTES = ("name", "version", "deprecated", "deprecated-version", "stability")
OWNERS = ("class", "interface", "record", "union", "enumeration", "bitfield")
# They are different in each release.
VERSIONS = ("MAJOR_VERSION", "MINOR_VERSION", "MICRO_VERSION", "VERSION_S")


def short(name):
    for prefix, replacement in PREFIXES:
        if name.startswith(prefix):
            return replacement + name[len(prefix):]
    return name


def children(element):
    return [child for child in element if short(child.tag) not in SKIPPED_ELEMENTS]


def head(element, path):
    attributes = sorted((short(key), value) for key, value in element.attrib.items()
                        if short(key) not in SKIPPED_ATTRIBUTES)
    if path in VERSIONS:
        attributes = [(key, value) for key, value in attributes if key != "value"]
    words = [short(element.tag), path] + [f"{key}={value}" for key, value in attributes]
    return " ".join(word for word in words if word)


def inside(element):
    """What belongs to the line of its owner: parameters, types, results."""
    return "".join(f" ({head(child, child.get('name', ''))}{inside(child)})"
                   for child in children(element))


def things(element, owner=""):
    n_fields = 0
    for child in children(element):
        if child.get("moved-to"):
            continue
        path = f"{owner}.{child.get('name', '')}" if owner else child.get("name", "")
        # The order of fields is that in memory.
        if short(child.tag) == "field":
            n_fields += 1
            path += f" #{n_fields}"
        if short(child.tag) in OWNERS:
            yield head(child, path)
            yield from things(child, path)
        else:
            yield head(child, path) + inside(child)


def lines_of(gir_text):
    """The sorted lines of a GIR document."""
    repository = ElementTree.fromstring(gir_text)
    namespace = repository.find(CORE + "namespace")
    lines = {re.sub(r"\s+", " ", line) for line in things(namespace)}
    lines.add(head(namespace, namespace.get("name")) + f" version={namespace.get('version')}")
    return sorted(lines)


def compare(baseline, now):
    """(lines that are gone, lines that are new)"""
    return sorted(set(baseline) - set(now)), sorted(set(now) - set(baseline))
