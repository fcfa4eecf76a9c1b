# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of dupes stand on: running it, finding duplicates in the plain way, jdupes."""

import collections
import ctypes
import functools
import hashlib
import json
import os
import shutil
import stat
import struct
import subprocess

TIMEOUT = 120

Result = collections.namedtuple("Result", "code report stdout stderr")


class Skip(Exception):
    """The reason why a test cannot run here."""


class Programs:
    """Each the beginning of a command line, or None."""
    dupes = None
    watched = None
    reference = None


def watched(test):
    """A test for which the program must be watched from inside."""
    test.needs_watched = True
    return test


def compared(test):
    """A test that compares with the program in C."""
    test.needs_reference = True
    return test


def run(*arguments, program=None, cwd=None, env=None, **options):
    done = subprocess.run([*(program or Programs.dupes), *arguments], cwd=cwd, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(env or {})}, check=False, **options)
    return Result(done.returncode, None, done.stdout, done.stderr)


def run_json(*arguments, **options):
    done = run("--json", "--no-progress", *arguments, **options)
    return done._replace(report=json.loads(done.stdout))


def check(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(w) for w in what) or "not as expected")


def check_equal(got, wanted, what=""):
    if got != wanted:
        if isinstance(got, set) and isinstance(wanted, set):
            raise AssertionError(f"{what}: too much {got - wanted}, missing {wanted - got}")
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


# What must be found, in the plain way

def walk(root, follow, seen):
    """The regular files below root: (path, stat)."""
    status = os.stat(root)
    if stat.S_ISREG(status.st_mode):
        yield root, status
        return
    if follow:
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
    for entry in os.scandir(root):
        try:
            if entry.is_dir(follow_symlinks=follow):
                yield from walk(entry.path, follow, seen)
            elif entry.is_file(follow_symlinks=follow):
                yield entry.path, entry.stat(follow_symlinks=follow)
        except OSError:
            pass    # a link in a circle


@functools.lru_cache(maxsize=None)
def digest(path, _mtime, algorithm):
    with open(path, "rb") as file:
        return hashlib.new(algorithm, file.read()).hexdigest()


def expected(roots, min_size=1, algorithm="sha256", follow=False):
    """(groups as dupes has to report them, number of files, their bytes)."""
    paths = {}
    sizes = {}
    seen = set()
    for root in roots:
        for path, status in walk(root, follow, seen):
            inode = status.st_dev, status.st_ino
            if status.st_size >= min_size:
                sizes[inode] = status.st_size
                paths[inode] = min(path, paths.get(inode, path))

    found = collections.defaultdict(list)
    for inode, path in paths.items():
        found[sizes[inode], digest(path, os.stat(path).st_mtime_ns, algorithm)].append(path)
    groups = [(size, checksum, sorted(group))
              for (size, checksum), group in found.items() if len(group) > 1]
    groups.sort(key=lambda g: (-g[0] * (len(g[2]) - 1), g[2][0]))
    return groups, len(paths), sum(sizes.values())


def reported(report):
    return [(g["size"], g["checksum"], [os.fsencode(p) for p in g["paths"]])
            for g in report["groups"]]


def as_inodes(groups):
    """Groups as sets of files, whatever the paths."""
    def inode(path):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return {frozenset(inode(path) for path in group) for group in groups}


def jdupes(*arguments):
    if not shutil.which("jdupes"):
        raise Skip("jdupes is not installed")
    out = subprocess.run(["jdupes", "-rq0", *arguments], stdin=subprocess.DEVNULL, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    groups = [group.strip(b"\0").split(b"\0") for group in out.split(b"\0\0")]
    return [group for group in groups if group != [b""]]


def check_report(result, roots, **wanted):
    groups, n_files, n_bytes = expected(roots, **wanted)
    report = result.report
    check_equal(list(report), ["groups", "files", "bytes", "wasted", "unreadable", "interrupted",
                               "seconds"], "members")
    check_equal(reported(report), groups, "groups")
    check_equal((report["files"], report["bytes"]), (n_files, n_bytes), "files and bytes")
    check_equal(report["wasted"], sum(size * (len(paths) - 1) for size, _, paths in groups),
                "wasted")
    check_equal((report["unreadable"], report["interrupted"]), ([], False))
    check(isinstance(report["seconds"], float) and report["seconds"] >= 0)
    check_equal((result.code, result.stderr), (0, b""), "code and standard error")


# From outside

class Opens:
    """The names of the files in a folder that are opened, from now on."""

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, folder, 0x20) < 0:    # IN_OPEN
            raise Skip("there is no inotify")
        self.names = []

    def read(self, wait=True):
        """FALSE when there is nothing to read."""
        os.set_blocking(self.fd, wait)
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return False
        while data:
            _, _, _, length = struct.unpack_from("iIII", data)
            name = data[16:16 + length].rstrip(b"\0")
            if name:
                self.names.append(name)
            data = data[16 + length:]
        return True

    def close(self):
        os.close(self.fd)
