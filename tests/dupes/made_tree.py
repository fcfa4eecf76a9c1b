#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tree with every odd case that dupes has to get right.

usage: made_tree.py FOLDER      FOLDER/tree and FOLDER/outside are made

Every name is bytes.
"""

import os
import socket
import sys

# More files of one size than dupes keeps the beginnings of.
MANY = 1100

# The largest file that dupes compares in memory.
LOADED = 4 << 20

ODD_NAMES = [
    b"\xff\xfe", b"caf\xe9", b"\xf0\x9f\x92", b"\xed\xa0\x80", b"\xed\xb3\xbf", b"a\x80b\xc3\xa4c\xc3",
    "b\u00e4r \U0001f4be".encode(), b"new\nline", b"tab\tcr\r", b"\x1b[31mred", b"\x7f", b" space ",
    b'"quotes"', b"back\\slash", b"\\udcff", b"-n", b"*", "\u2028\ufffe".encode(), b"x" * 255,
]


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def write_sparse(path, size, tail=b""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.truncate(size)
        if tail:
            file.seek(size - len(tail))
            file.write(tail)


def pattern(size, seed=0):
    line = b"".join(b"%08d" % (i * 7 + seed) for i in range(512))
    return (line * (size // len(line) + 1))[:size]


def changed(content, position):
    return content[:position] + b"!" + content[position + 1:]


def make_sizes(root):
    """Around the beginning, the block and what is loaded whole: equal ones, and one byte off."""
    for size in (1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 131073):
        content = pattern(size, size)
        for name in (b"same-1", b"same-2", b"same-3"):
            write(b"%s/sizes/%d/%s" % (root, size, name), content)
        for position in {0, min(size, 4096) - 1, min(size - 1, 4096), size // 2, size - 1}:
            for copy in (b"", b"-again"):
                write(b"%s/sizes/%d/off-%d%s" % (root, size, position, copy),
                      changed(content, position))
        write(b"%s/sizes/%d/alone" % (root, size), b"?" * size)
    for size in (LOADED, LOADED + 1):
        content = pattern(size)
        for name in (b"same-1", b"same-2"):
            write(b"%s/sizes/large-%d/%s" % (root, size, name), content)
        write(b"%s/sizes/large-%d/off" % (root, size), changed(content, size - 1))


def make_links(root, outside):
    content = b"has hard links\n" * 10
    write(root + b"/hard/b", content)
    os.link(root + b"/hard/b", root + b"/hard/a")
    os.link(root + b"/hard/b", root + b"/hard/c")
    write(root + b"/hard/other", content)
    os.link(root + b"/hard/other", root + b"/hard/0")
    write(root + b"/hard-only/x", b"the same file twice is no duplicate")
    os.link(root + b"/hard-only/x", root + b"/hard-only/y")

    write(outside + b"/file", content)
    write(outside + b"/folder/plain-copy", b"plain\n")
    write(outside + b"/folder/deep/copy", b"reached only by a link\n")
    write(outside + b"/folder/deep/again", b"reached only by a link\n")
    links = {
        b"to-file": b"../hard/b", b"to-outside-file": outside + b"/file", b"to-folder": b"../plain",
        b"up": b"..", b"here": b".", b"self": b"self", b"ping": b"pong", b"pong": b"ping",
        b"nowhere": b"does/not/exist", b"through-file": b"../plain/a/x",
        b"outside": outside + b"/folder", b"outside-deep": outside + b"/folder/deep",
        b"outside-again": outside + b"/folder",
    }
    os.makedirs(root + b"/links")
    for name, target in links.items():
        os.symlink(target, root + b"/links/" + name)
    os.symlink(root, outside + b"/folder/deep/back")


def make_odd(root):
    for name in ODD_NAMES:
        for copy in (b"1", b"2"):
            write(root + b"/names/" + copy + b"/" + name, b"odd name " + name)
    write(root + b"/names/\xfe\n/file", b"odd folder")
    write(root + b"/names/\xfe\n/copy", b"odd folder")

    for name in (b"e1", b"e2", b"e3"):
        write(root + b"/empty/" + name, b"")

    for name in (b"hole-1", b"hole-2"):
        write_sparse(root + b"/sparse/" + name, 5 << 20)
    write_sparse(root + b"/sparse/tail", 5 << 20, b"tail")
    write(root + b"/sparse/zeros", b"\0" * (5 << 20))

    os.makedirs(root + b"/special")
    os.mkfifo(root + b"/special/fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        here = os.open(root + b"/special", os.O_RDONLY)
        sock.bind(b"/proc/self/fd/%d/socket" % here)
        os.close(here)

    deep = root + b"/deep" + b"/d" * 60
    write(deep + b"/bottom", b"plain\n")
    os.makedirs(root + b"/no-files/at/all")


def make_many(root):
    for i in range(MANY):
        folder = root + b"/many/%d" % (i % 7)
        write(folder + b"/short-%d" % i, b"%0100d" % (i // 2 if i < 20 else i))
        # Three that begin alike, of which two are equal; and many that are alone.
        beginning, tail = (i // 3, i % 3 == 2) if i < 30 else (i, False)
        write(folder + b"/long-%d" % i, b"%04096d%0904d" % (beginning, tail))


def make(folder):
    root, outside = folder + b"/tree", folder + b"/outside"
    for name in (b"a", b"sub/b", b"sub/sub/c"):
        write(root + b"/plain/" + name, b"plain\n")
    write(root + b"/plain/other", b"PLAIN\n")
    make_sizes(root)
    make_links(root, outside)
    make_odd(root)
    make_many(root)
    return root


if __name__ == "__main__":
    make(os.fsencode(os.path.abspath(sys.argv[1])))
