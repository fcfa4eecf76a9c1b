#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of dupes, as a user and at its worst moments, in whatever language it is written.

usage: test_dupes.py [--name NAME] [--peer PATH] [--same-as C] [--watched WATCHED] PROGRAM [ARGUMENT...]

PROGRAM with its first arguments is what is tested, WATCHED the same with watch.c linked in (what
needs it is left out without), C the one in C, whose report must be the same.  What must be found is
computed here in the plain way, and compared with jdupes; nothing is compared with a stored result.
With --peer only that, on PATH, a real tree.  Prints TAP.
"""

import argparse
import collections
import ctypes
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import made_tree
from dupes_tools import (TIMEOUT, Opens, Programs, Skip, as_inodes, check, check_equal, check_report, compared,
                         expected, jdupes, reported, run, run_json, walk, watched)

BLOCK = 65536
BEGINNING = 4096


# On the made tree

def test_finds_what_is_there(tree):
    for jobs in ("1", "2", "9"):
        check_report(run_json("--jobs", jobs, tree), [tree])


def test_every_algorithm(tree):
    for algorithm in ("md5", "sha1", "sha256", "sha384", "sha512"):
        roots = [tree + b"/names", tree + b"/sizes/4097", tree + b"/many"]
        check_report(run_json("--algorithm", algorithm, *roots), roots, algorithm=algorithm)


def test_min_size(tree):
    roots = [tree + b"/empty", tree + b"/plain", tree + b"/sizes"]
    for size in (0, 2, 4096, 4097, 1 << 40):
        check_report(run_json("--min-size", str(size), *roots), roots, min_size=size)


def test_as_jdupes(tree):
    check_equal(as_inodes(g[2] for g in reported(run_json(tree).report)),
                as_inodes(jdupes(tree)))
    check_equal(as_inodes(g[2] for g in reported(run_json("--min-size=0", tree).report)),
                as_inodes(jdupes("-z", tree)))


def check_same_as_c(*arguments):
    """To the letter, but for the time that it took."""
    reports = []
    for program in (Programs.dupes, Programs.reference):
        result = run("--json", "--no-progress", *arguments, program=program)
        check(result.code in (0, 1), result.code, result.stderr)
        reports.append((result.code, re.sub(rb'"seconds": [0-9.]+}', b"", result.stdout)))
    if reports[0] != reports[1]:
        ours, theirs = (report[1].split(b"\n") for report in reports)
        raise AssertionError(f"not the report of the program in C, {reports[0][0]} and {reports[1][0]}: "
                             f"{[lines for lines in zip(ours, theirs) if lines[0] != lines[1]][:2]}")


@compared
def test_same_json_as_c(tree):
    for arguments in ([], ["--follow"], ["--min-size=0"], ["--algorithm=md5", "--jobs=1"]):
        check_same_as_c(*arguments, tree)
    check_same_as_c(tree + b"/missing", tree + b"/plain")


def test_follow(tree):
    first = run_json("--follow", tree)
    groups, n_files, n_bytes = expected([tree], follow=True)
    check_equal((first.code, first.stderr, first.report["unreadable"]), (0, b"", []))
    check_equal((first.report["files"], first.report["bytes"]), (n_files, n_bytes))
    check_equal(as_inodes(g[2] for g in reported(first.report)), as_inodes(g[2] for g in groups))
    check_equal(as_inodes(g[2] for g in reported(first.report)), as_inodes(jdupes("-s", tree)))
    check(any(b"/links/outside" in p for g in reported(first.report) for p in g[2]))
    for jobs in ("1", "2", "7"):
        again = run_json("--follow", "--jobs", jobs, tree)
        check_equal(reported(again.report), reported(first.report), "the same in every run")


def test_several_roots(tree):
    plain, sizes = tree + b"/plain", tree + b"/sizes"
    check_report(run_json(plain, sizes), [plain, sizes])
    # Overlapping, given twice, with slashes, and a file.
    check_report(run_json(tree, plain + b"//", tree, plain + b"/a"),
                 [tree, plain, tree, plain + b"/a"])
    check_report(run_json(plain + b"/a", plain + b"/sub/b", plain + b"/other"),
                 [plain + b"/a", plain + b"/sub/b", plain + b"/other"])
    check_report(run_json(tree + b"/links/to-folder"), [tree + b"/links/to-folder"])
    check_report(run_json(tree + b"/special/fifo"), [])


def test_relative_roots(tree):
    here = os.getcwd()
    os.chdir(tree + b"/names")
    try:
        for roots in ([b"."], [b"1", b"./1"], [b"--", b"1"], [b"..//names/", b"2"]):
            check_report(run_json(*roots), [r for r in roots if r != b"--"])
    finally:
        os.chdir(here)


def test_names_round_trip(tree):
    found = {p for g in reported(run_json(tree + b"/names").report) for p in g[2]}
    for name in made_tree.ODD_NAMES:
        for folder in (b"1", b"2"):
            check(b"%s/names/%s/%s" % (tree, folder, name) in found, name)


def test_table(tree):
    result = run("--no-progress", tree + b"/names")
    groups, n_files, _ = expected([tree + b"/names"])
    lines = result.stdout.decode().split("\n")
    n_paths = sum(len(paths) for _, _, paths in groups)
    check_equal((result.code, result.stderr), (0, b""))
    check_equal(len(lines), 1 + n_paths + 1 + 1 + 1, "lines")   # head, paths, blank, sum, end
    check(lines[-2].startswith(f"Looked at {n_files} files, "), lines[-2])
    check(f" {len(groups)} groups " in lines[-2], lines[-2])
    check(not any(ord(c) < 32 or ord(c) == 127 for line in lines for c in line), "control")
    check(any(line.endswith(r"/names/1/new\x0aline") for line in lines))
    check(any(line.endswith(r"/names/1/back\\slash") for line in lines))
    check(any(line.endswith(r"/names/1/caf\xe9") for line in lines))


def test_nothing_found(tree):
    check_report(run_json(tree + b"/hard-only", tree + b"/no-files"),
                 [tree + b"/hard-only", tree + b"/no-files"])
    result = run(tree + b"/no-files")
    check_equal((result.code, result.stdout.count(b"\n")), (0, 1))


def test_progress(tree):
    shown = run("--progress", "--json", tree)
    hidden = run("--progress", "--no-progress", "--json", tree)
    for stage in (b"Walking", b"Comparing", b"Hashing"):
        check(stage in shown.stderr, stage)
    check(shown.stderr.endswith(b"\r") and b"\n" not in shown.stderr, shown.stderr[-80:])
    check_equal(hidden.stderr, b"")
    check_equal(reported(json.loads(shown.stdout)), reported(json.loads(hidden.stdout)))


def test_progress_on_a_terminal(tree):
    ours, theirs = pty.openpty()
    done = subprocess.run([*Programs.dupes, tree + b"/names"], stdout=subprocess.DEVNULL,
                          stderr=theirs, timeout=TIMEOUT, check=False)
    os.close(theirs)
    text = os.read(ours, 65536)
    os.close(ours)
    check_equal(done.returncode, 0)
    check(b"Walking" in text, text)


def test_usage(tree):
    for arguments in ([], ["--json"], ["--unknown", tree], ["--jobs", "0", tree],
                      ["--jobs", "many", tree], ["--min-size=-1", tree], ["--min-size", "1k", tree],
                      ["--algorithm", "crc32", tree], ["--jobs"]):
        result = run(*arguments)
        check_equal((result.code, result.stdout), (2, b""), arguments)
        check(result.stderr.startswith(b"dupes: "), result.stderr)
    result = run("-h")
    check_equal((result.code, result.stderr), (0, b""))
    for option in (b"--jobs", b"--min-size", b"--algorithm", b"--json", b"--progress",
                   b"--no-progress", b"--follow"):
        check(option in result.stdout, option)


def test_full_output(tree):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*Programs.dupes, "--json", tree + b"/names"], stdout=full,
                              stderr=subprocess.PIPE, timeout=TIMEOUT, check=False)
    check_equal(done.returncode, 1)
    check(b"cannot write the report" in done.stderr, done.stderr)


# What cannot be read

def small_tree(folder, *odd):
    """Two equal files of 200 000 bytes, and one for each odd name that would be equal too."""
    content = made_tree.pattern(200_000)
    for name in (b"a", b"b", *odd):
        made_tree.write(folder + b"/" + name, content)
    return folder


def check_problems(result, problems, folder):
    check_equal({os.fsencode(p["path"]): p["error"] for p in result.report["unreadable"]},
                {folder + b"/" + name: error for name, error in problems.items()}, "unreadable")
    check_equal(sorted(result.stderr.decode().splitlines()),
                sorted(f"dupes: {os.fsdecode(folder + b'/' + name)}: {error}"
                       for name, error in problems.items()), "one line each")
    check_equal(result.code, 1)


def obey_permissions():
    """In a child, before exec: even root may then not read what its mode forbids."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (1, 2):   # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        if libc.prctl(24, capability, 0, 0, 0) < 0:     # PR_CAPBSET_DROP
            raise OSError(ctypes.get_errno(), "prctl")


def test_no_permission(folder):
    tree = small_tree(folder + b"/tree", b"secret", b"locked/inside", b"open/inside")
    os.chmod(tree + b"/secret", 0)
    os.chmod(tree + b"/locked", 0)
    options = {}
    if os.geteuid() == 0:
        options = {"preexec_fn": obey_permissions}
        try:
            run("-h", **options)
        except subprocess.SubprocessError:
            raise Skip("root cannot give up its privileges here") from None
    try:
        result = run_json(tree, **options)
        check_problems(result, {b"secret": "Permission denied", b"locked": "Permission denied"},
                       tree)
        check_equal(len(reported(result.report)[0][2]), 3)
        # Met on two ways, said once.
        check_equal(run_json(tree, tree, **options).stderr, result.stderr)
    finally:
        os.chmod(tree + b"/locked", 0o755)


def test_missing_root(folder):
    tree = small_tree(folder + b"/tree")
    result = run_json(tree, tree + b"/missing", tree + b"/a/below-a-file")
    check_problems(result, {b"missing": "No such file or directory",
                            b"a/below-a-file": "Not a directory"}, tree)
    check_equal(len(result.report["groups"]), 1)


def watch(folder, tree, *arguments, **env):
    """Runs the watched program; gives its result and what it did: (event, argument) and so on."""
    log = folder + b"/log"
    result = run_json(*arguments, tree, program=Programs.watched,
                      env={"DUPES_WATCH_LOG": os.fsdecode(log), **env})
    with open(log, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        lines = file.read().split("\n")
    events = [line.replace("\f", "\n").partition(" ")[::2] for line in lines if line]
    os.unlink(log)
    return result, events


@watched
def test_changes_while_reading(folder):
    changed = "Changed while it was being read"
    problems = {
        b"x.vanishes": "No such file or directory", b"x.denied": "Permission denied",
        b"x.broken": "Input/output error", b"x.replaced": changed, b"x.shrinks": changed,
        b"x.grows": changed, b"x.touched": changed, b"x.touched-later": changed,
    }
    for jobs in ("1", "2"):
        tree = small_tree(folder + b"/tree-" + jobs.encode(), *problems)
        made_tree.write(folder + b"/spare", made_tree.pattern(200_000))
        result, _ = watch(folder, tree, "--jobs", jobs,
                          DUPES_WATCH_SPARE=os.fsdecode(folder + b"/spare"))
        check_problems(result, problems, tree)
        check_equal([g[2] for g in reported(result.report)], [[tree + b"/a", tree + b"/b"]])


# What it costs

@watched
def test_reads_and_hashes_no_more_than_it_must(tree, folder):
    for jobs in (1, 2, 5):
        result, events = watch(folder, tree, "--jobs", str(jobs))
        check_equal(reported(result.report), expected([tree])[0], "groups")
        n_read = collections.Counter()
        n_hashed = 0
        for event, argument in events:
            if event == "read":
                size, _, path = argument.partition(" ")
                n_read[path] += int(size)
                check(int(size) <= BLOCK, "block of", size)
            elif event == "hash":
                n_hashed += int(argument)
        most_open = int(dict(events)["most-open"])
        check(most_open <= jobs, most_open, "files open with", jobs, "jobs")

        files = {os.fsdecode(path): status for path, status in walk(tree, False, set())}
        sizes = collections.Counter()
        for inode, size in {(s.st_ino, s.st_size) for s in files.values()}:
            sizes[size] += 1
        for path, status in files.items():
            limit = status.st_size + (BEGINNING if status.st_size > BEGINNING else 0)
            check(n_read[path] <= limit, path, n_read[path], "bytes read, not", limit)
            check(n_read[path] == 0 or sizes[status.st_size] > 1, path, "has a size of its own")
            if "/many/" in path and "/long-" in path and int(path.rpartition("-")[2]) >= 30:
                check_equal(n_read[path], BEGINNING, path)
        check(n_hashed <= sum(n_read.values()) - sum(
            BEGINNING for path, n in n_read.items() if n > files[path].st_size),
            n_hashed, "bytes hashed")


@watched
def test_no_byte_is_hashed_twice(folder):
    """Few files of a size, and more than the beginnings are kept of."""
    for n_files in (3, made_tree.MANY):
        tree = folder + b"/tree-%d" % n_files
        for i in range(n_files):
            made_tree.write(tree + b"/%d" % i, b"%05000d" % (i % 2 + (i > 7) * i))
        result, events = watch(folder, tree)
        n_hashed = sum(int(argument) for event, argument in events if event == "hash")
        n_read = sum(int(argument.split()[0]) for event, argument in events if event == "read")
        check_equal(reported(result.report), expected([tree])[0], "groups")
        check(n_hashed <= n_files * 5000, n_hashed)
        check(n_read <= n_files * (5000 + BEGINNING), n_read)


# Ctrl-C

def after_signal(events):
    at = [event for event, _ in events].index("signal")
    return events[at + 1:]


def check_interrupted(result, groups):
    check_equal((result.code, result.stderr), (130, b""))
    check_equal(result.report["interrupted"], True)
    check_equal(reported(result.report), groups, "found so far")


def long_tree(tree):
    """Five equal files that are read block by block, and a pair that is found before."""
    made_tree.write(tree + b"/small-1", b"small")
    made_tree.write(tree + b"/small-2", b"small")
    for i in range(5):
        made_tree.write_sparse(tree + b"/%d.long" % i, 8 << 20)
    return expected([tree])[0][1:]


@watched
def test_interrupt_while_hashing(folder):
    found = long_tree(folder + b"/tree")
    check_equal(len(found), 1)
    for jobs in (1, 2, 3):
        result, events = watch(folder, folder + b"/tree", "--jobs", str(jobs),
                               DUPES_WATCH_INTERRUPT=f"read .long {jobs}")
        check_interrupted(result, found)
        later = after_signal(events)
        check_equal([path for event, path in later if event == "open"], [], "opened after it")
        reads = collections.Counter(a.partition(" ")[2] for e, a in later if e == "read")
        check(len(reads) <= jobs and all(n == 1 for n in reads.values()), reads)


@watched
def test_interrupt_while_comparing(folder):
    """No other file of the unit is opened, and equal ones that were read are reported."""
    tree = folder + b"/tree"
    for i in range(50):
        made_tree.write(tree + b"/%02d" % i, b"equal")
        made_tree.write(tree + b"/larger-%02d" % i, b"larger")
    made_tree.write(tree + b"/xx.short", b"equal")
    larger = expected([tree])[0][0]
    result, events = watch(folder, tree, "--jobs", "1", DUPES_WATCH_INTERRUPT="open .short 1")
    check_equal(result.code, 130)
    later = [path for event, path in after_signal(events) if event == "open"]
    check_equal(later, [os.fsdecode(tree + b"/xx.short")], "opened after it")
    groups = reported(result.report)
    check(larger in groups, "a group that was complete is missing")
    check(len(groups) == 2 and set(groups[1][2]) <= set(expected([tree])[0][1][2]), groups)


@watched
def test_interrupt_while_walking(folder):
    tree = folder + b"/tree"
    for i in range(20):
        made_tree.write(tree + b"/%02d.folder/below/file" % i, b"equal")
    result, events = watch(folder, tree, "--jobs", "1", DUPES_WATCH_INTERRUPT="open .folder 1")
    check_interrupted(result, [])
    check_equal(len([path for event, path in after_signal(events) if event == "open"]), 1)


@watched
def test_second_interrupt_kills(folder):
    long_tree(folder + b"/tree")
    result = run("--jobs", "2", folder + b"/tree", program=Programs.watched,
                 env={"DUPES_WATCH_INTERRUPT": "read .long 2", "DUPES_WATCH_TWICE": "1"})
    check_equal(result.code, -signal.SIGINT)


def test_terminate(folder):
    """SIGTERM from outside, at any moment: a report that says whether it is complete."""
    tree = small_tree(folder + b"/tree")
    with subprocess.Popen([*Programs.dupes, "--json", "--progress", tree], stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        # The handler is installed before the first progress line.
        os.read(process.stderr.fileno(), 1)
        process.terminate()
        out, _ = process.communicate(timeout=TIMEOUT)
    check(process.returncode in (0, 130), process.returncode)
    check_equal(json.loads(out)["interrupted"], process.returncode == 130)


def test_interrupt_from_outside(folder):
    """Any moment of the last stage: what was found is printed, and no other file is opened.

    A file takes so long that the program has heard of the signal before it needs another one; the
    limit leaves each job one that it was about to open.
    """
    n_files, n_jobs = 40, 2
    for i in range(n_files):
        made_tree.write_sparse(folder + b"/tree/%02d" % i, 96 << 20)
    made_tree.write(folder + b"/tree/small-1", b"small")
    made_tree.write(folder + b"/tree/small-2", b"small")
    opens = Opens(folder + b"/tree")
    with subprocess.Popen([*Programs.dupes, "--json", "--no-progress", "--jobs", str(n_jobs), folder + b"/tree"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while len(opens.names) < n_files + 2 + 3:   # all their beginnings, and three whole ones
            opens.read()
        n_before = len(opens.names)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT)
    while opens.read(wait=False):
        pass
    opens.close()
    check_equal((process.returncode, err), (130, b""))
    report = json.loads(out)
    check_equal((report["interrupted"], report["unreadable"]), (True, []))
    check_equal((report["files"], report["groups"][-1]["size"]), (n_files + 2, 5))
    check(len(opens.names) - n_before <= 2 * n_jobs, len(opens.names) - n_before, "files opened after the signal")


def test_interrupt_at_any_moment(folder):
    """Twenty moments, each when so many files have been opened: a report, and it says whether it is all."""
    n_files = 60
    for i in range(n_files):
        made_tree.write_sparse(folder + b"/tree/%02d" % i, 1 << 20)
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}", flush=True)
    moments = random.Random(seed).sample(range(1, 2 * n_files), 20)
    for moment in moments:
        opens = Opens(folder + b"/tree")
        with subprocess.Popen([*Programs.dupes, "--json", "--no-progress", folder + b"/tree"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while len(opens.names) < moment:
                opens.read()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
        opens.close()
        check(process.returncode in (0, 130) and err == b"", moment, process.returncode, err)
        report = json.loads(out)
        check_equal((report["interrupted"], report["unreadable"]), (process.returncode == 130, []), moment)
        check(len(report["groups"]) <= 1, report["groups"])


def test_interrupt_while_reporting(folder):
    """More than a pipe holds: the program still writes when the signal comes."""
    for i in range(600):
        made_tree.write(folder + b"/tree/%0200d" % i, b"equal")
    with subprocess.Popen([*Programs.dupes, "--json", folder + b"/tree"],
                          stdout=subprocess.PIPE) as process:
        start = os.read(process.stdout.fileno(), 1)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=TIMEOUT)
    check_equal(process.returncode, 0)
    check_equal(reported(json.loads(start + rest)), expected([folder + b"/tree"])[0])


def test_peer(path):
    for jobs in ("1", "2"):
        result = run_json("--jobs", jobs, path)
        check(result.code in (0, 1), result.code)
        check_equal(as_inodes(g[2] for g in reported(result.report)), as_inodes(jdupes(path)))
    if Programs.reference:
        check_same_as_c(path)


# The programme

def in_folder(test):
    with tempfile.TemporaryDirectory(prefix="dupes-") as folder:
        test(os.fsencode(folder))


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="dupes")
    parser.add_argument("--peer", type=os.fsencode)
    parser.add_argument("--same-as")
    parser.add_argument("--watched")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    # A path to a file of the program stays right wherever a test goes.
    Programs.dupes = [os.path.abspath(a) if os.path.exists(a) else a for a in arguments.program]
    Programs.watched = arguments.watched and [os.path.abspath(arguments.watched)]
    Programs.reference = arguments.same_as and [os.path.abspath(arguments.same_as)]
    return arguments


def choose_tests(peer):
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (name == "test_peer") != (peer is not None):
            continue
        if (Programs.watched or not hasattr(test, "needs_watched")) and \
                (Programs.reference or not hasattr(test, "needs_reference")):
            yield name[5:].replace("_", "-"), test


def main():
    arguments = parse_arguments()
    peer = arguments.peer
    # ThreadSanitizer lets every program wait a second before it ends.
    os.environ["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "") + ":atexit_sleep_ms=0"

    tests = list(choose_tests(peer))
    n_failed = 0
    print(f"1..{len(tests)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="dupes-") as made:
        tree = None if peer else made_tree.make(os.fsencode(made))
        for number, (name, test) in enumerate(tests, 1):
            start = time.monotonic()
            wanted = test.__code__.co_varnames[:test.__code__.co_argcount]
            try:
                if "folder" not in wanted:
                    test(peer or tree)
                elif "tree" in wanted:
                    in_folder(lambda folder, test=test: test(tree, folder))
                else:
                    in_folder(test)
                print(f"ok {number} /{arguments.name}/{name}", flush=True)
            except Skip as reason:
                print(f"ok {number} /{arguments.name}/{name} # SKIP {reason}", flush=True)
            except Exception:    # pylint: disable=broad-except
                n_failed += 1
                for line in traceback.format_exc().splitlines():
                    print(f"# {line.encode('ascii', 'backslashreplace').decode()[:2000]}")
                print(f"not ok {number} /{arguments.name}/{name}", flush=True)
            print(f"# {time.monotonic() - start:.1f} s", flush=True)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
