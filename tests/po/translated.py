#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong in a program is said in the language of its user: a program
that provokes errors prints in each language what the catalogue says, and without
one what the source says.

usage: translated.py SOURCE_ROOT LOCALEDIR GROUP COMMAND...
"""

import os
import subprocess
import sys
import tempfile

import catalogues

# What a program prints: the message, and what is put into it.  One with a plural: its number comes first.
EXPECTED = {
    "not-done": ("The pending is not done yet: wait for it, or attach a callback",),
    "not-in-time": ("The pending was not done in time",),
    "wait-cancelled": ("The wait was cancelled",),
    "over": ("The time allowed for the operation is over",),
    "cancelled": ("The operation was cancelled",),
    "mismatch": ("The value is of type %s, not %s: read it with the function for its type, or with aex_pending_dup_value()",
                 "gchararray", "gint64"),
    "no-value": ("The value is of type %s, not %s: read it with the function for its type, or with aex_pending_dup_value()",
                 ("none",), "gint64"),
    "status-waiting": ("Waiting",),
    "status-running": ("Running",),
    "status-done": ("Done",),
    "status-failed": ("Failed",),
    "status-cancelled": ("Cancelled",),
    "group-1": ("%u operation failed: %s", 1, "a"),
    "group-2": ("%u operation failed: %s", 2, "a; b"),
    "any-of-none": ("None of no pendings succeeded: give at least one",),
    "first-of-none": ("The first of no pendings will never come: give at least one",),
    "ring": ("The pendings would wait for each other in a ring: let none follow what depends on it",),
    "abandoned": ("The pending was dropped before anybody completed it",),
    "busy-1": ("%u job is queued, which is the limit: try again when it has run", 1),
    "busy-2": ("%u job is queued, which is the limit: try again when it has run", 2),
    "deadlock": ("This wait could never end, for what it waits for needs this thread or waits for this job: use a callback, or "
                 "aex_pending_run_until_done() on the thread of a main loop",),
    "no-error": ("The job failed without setting an error: set one, or return TRUE",),
    "no-operation": ("There is no operation named “%s” in the set that the executor uses: add it there, or load the module that has it",
                     "fly"),
    "no-algorithm": ("There is no algorithm “%s”; known are: %s", "rot13", "md5, sha1, sha256, sha384, sha512"),
    "closed": ("The executor is closed or was stopped before this could run: submit work before it is shut down",),
    "no-worker": ("A worker died",),
    "no-slot": ("A number of slots or of threads is 1 or more",),
    "no-thread": ("A JavaScript function can not leave its thread, and this executor runs on others: use Caller.getCurrent(), or a "
                  "named operation with call()",),
    "scope-over": ("The time of the scope is over",),
    "scope-cancelled": ("The scope was cancelled",),
}


def expand(catalogue, message, *values):
    """The message as the catalogue has it; a value in a tuple is a message itself."""
    filled = tuple(expand(catalogue, *value) if isinstance(value, tuple) else value for value in values)
    if (message, 0) in catalogue:
        text = catalogue[(message, 0 if filled[0] == 1 else 1)]
    else:
        text = catalogue[message]
    return text % filled if filled else text


def run(command, env):
    """{name: text} as the program prints them."""
    done = subprocess.run(command, env=env, text=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise ValueError(f"it ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def compare(said, catalogue):
    found = [f"{name}: nobody knows it" for name in said if name not in EXPECTED]
    for name, text in said.items():
        wanted = expand(catalogue, *EXPECTED[name]) if name in EXPECTED else text
        if text != wanted:
            found.append(f"{name}: {text!r}, not {wanted!r}")
    return found


def outcome(command, env, catalogue):
    if env is None:
        return ["no locale in which messages are translated"]
    try:
        said = run(command, env)
    except ValueError as error:
        return [str(error)]
    return compare(said, catalogue) if len(said) >= 5 else [f"only {sorted(said)}"]


def main():
    root, localedir, group, *command = sys.argv[1:]
    os.environ["AEX_TEST_LOCALEDIR"] = localedir
    languages = catalogues.languages(root)
    print(f"1..{len(languages) + 1}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, language in enumerate(["untranslated", *languages], 1):
            if language == "untranslated":
                env, catalogue = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": ""}, catalogues.messages(root)
            else:
                env, catalogue = catalogues.environment(localedir, language, folder), catalogues.catalogue(localedir, language)
            problems = outcome(command, env, catalogue)
            failed += bool(problems)
            for problem in problems:
                print(f"# {problem}".replace("\n", "\n# "))
                print(problem, file=sys.stderr)
            print(f"{'not ok' if problems else 'ok'} {number} /po/{group}/{language}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
