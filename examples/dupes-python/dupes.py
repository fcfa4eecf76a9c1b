#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""dupes: finds files with the same content.

A program with much to read and to compute: the work runs on a pool of threads, results and errors
come back to the main thread as they happen, a progress bar is drawn meanwhile, and Ctrl-C stops at
once and keeps what is there.  Start reading in search.py.
"""

import argparse
import re
import signal
import sys

import gi

gi.require_version("AsyncExec", "1")
from gi.repository import AsyncExec, GLib

import report
from search import Search

STATUS_OK = 0
STATUS_UNREADABLE = 1       # something could not be read, or the report not be written
STATUS_USAGE = 2
STATUS_INTERRUPTED = 130

ALGORITHMS = ("md5", "sha1", "sha256", "sha384", "sha512")
EXIT_STATUS = """\
Exit status: 0; 1 if something could not be read; 2 if the command line is wrong;
130 if interrupted (what was found until then is printed)."""


class Parser(argparse.ArgumentParser):
    """Complains as all of dupes does."""

    def error(self, message):
        message = re.sub("^argument (-./)?", "", message)
        sys.stderr.write(f"dupes: {message}\nTry 'dupes -h'.\n")
        sys.exit(STATUS_USAGE)


def number(minimum, maximum):
    """What makes no sense is refused here and not deep inside the program."""
    def parse(text):
        if not (text.isascii() and text.isdigit()):
            raise argparse.ArgumentTypeError(f"“{text}” is not an unsigned number")
        if not minimum <= int(text) <= maximum:
            raise argparse.ArgumentTypeError(
                f"Number “{text}” is out of bounds [{minimum}, {maximum}]")
        return int(text)
    return parse


def algorithm(text):
    """The name of a checksum."""
    if text not in ALGORITHMS:
        raise argparse.ArgumentTypeError(
            f"unknown algorithm '{text}'; there are {', '.join(ALGORITHMS)}")
    return text


def parse_options(arguments):
    """What the command line asks for."""
    parser = Parser(prog="dupes", usage="dupes [OPTION...] PATH...", allow_abbrev=False,
                    description="Finds files with the same content.", epilog=EXIT_STATUS,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-j", "--jobs", metavar="N", type=number(1, 512), default=0,
                        help="Files to read at the same time (default: one per CPU)")
    parser.add_argument("--min-size", metavar="BYTES", type=number(0, GLib.MAXINT64), default=1,
                        help="Ignore smaller files (default: 1)")
    parser.add_argument("--algorithm", metavar="NAME", type=algorithm, default="sha256",
                        help="Checksum: md5, sha1, sha256 (default), sha384, sha512")
    parser.add_argument("--json", action="store_true",
                        help="Write one JSON object instead of a table")
    parser.add_argument("--progress", action="store_true", default=sys.stderr.isatty(),
                        help="Show a progress bar (default: when standard error is a terminal)")
    parser.add_argument("--no-progress", action="store_false", dest="progress",
                        help="Show no progress bar")
    parser.add_argument("--follow", action="store_true", help="Follow symbolic links")
    parser.add_argument("roots", metavar="PATH", nargs="*", help=argparse.SUPPRESS)
    # Options may stand between paths, but not after "--".
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_intermixed_args(arguments[:end])
    options.roots += arguments[end + 1:]
    if not options.roots:
        parser.error("no file or folder was given")
    return options


async def search_until_interrupted(search):
    """Runs the search; the first Ctrl-C cancels it, the second one kills."""
    job = AsyncExec.current_pending()

    def on_signal(number, _frame):
        signal.signal(number, signal.SIG_DFL)
        job.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    await search.run()


def write_report(findings, json):
    """Writes to standard output; FALSE if that failed."""
    text = report.as_json(findings) if json else report.as_table(findings)
    try:
        with open(sys.stdout.fileno(), "wb", closefd=False) as output:
            output.write(text.encode())
    except OSError as error:
        sys.stderr.write(f"dupes: cannot write the report: {error.strerror}\n")
        return False
    return True


def main():
    """The program; returns its exit status."""
    options = parse_options(sys.argv[1:])
    search = Search(options)
    interrupted = False
    try:
        AsyncExec.run(search_until_interrupted, search)
    except AsyncExec.Cancelled:
        interrupted = True
    except GLib.Error as error:
        sys.stderr.write(f"dupes: {error.message}\n")
        return 1

    findings = search.summarize(interrupted)
    if not write_report(findings, options.json):
        return STATUS_UNREADABLE
    if interrupted:
        return STATUS_INTERRUPTED
    return STATUS_UNREADABLE if findings.problems else STATUS_OK


if __name__ == "__main__":
    sys.exit(main())
