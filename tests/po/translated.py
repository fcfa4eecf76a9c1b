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
    "other-thread": ("Another thread runs the main context: wait with aex_pending_wait() here",),
    "blocks": ("%(call)s would block the loop of this thread: use %(instead)s",
               {"call": "result()", "instead": "await"}),
    "runs-nothing": ("This thread runs no main context: use result()",),
    "on-a-pool": ("This coroutine runs on a pool, whose threads have no main context: use submit()",),
    "own-item": ("a job among the items can not wait for itself: deadlock!",),
    "task-time": ("Task timed out after %s seconds.", 0.001),
    "other-manager": ("This token belongs to %s: give each to a manager of its class", "PendingManager"),
    "used-token": ("This token was used before, or in another context: give each token once, where it was made",),
    "no-end": ("The wait could never end",),
    "too-many": ("Too many jobs are queued",),
    "not-done-alone": ("The pending is not done",),
    "closed-alone": ("The executor is closed",),
    "of-c": ("%s() is of C: use wait()", "waitFinish"),
    "any-thread": ("%s() calls back on any thread: use addDoneCallback()", "addDoneCallbackInline"),
    "of-a-map": ("%s() is for the function of a map in C: return the value instead", "setValue"),
}

# What each program says, all of it: one that a program leaves out is as wrong as one that it says wrongly.
SAID = {
    "c": ("abandoned any-of-none busy-1 busy-2 cancelled closed deadlock first-of-none group-1 group-2 "
          "mismatch no-algorithm no-error no-operation no-value not-done not-in-time other-thread over ring "
          "scope-cancelled scope-over status-cancelled status-done status-failed status-running "
          "status-waiting wait-cancelled").split(),
    "python": ("blocks cancelled closed closed-alone group-1 group-2 no-end no-operation no-worker not-done "
               "not-done-alone not-in-time on-a-pool other-manager over own-item runs-nothing status-cancelled "
               "status-running task-time too-many used-token").split(),
    "javascript": ("any-thread busy-1 cancelled first-of-none no-algorithm no-operation no-slot no-thread of-a-map "
                   "of-c over status-cancelled status-running").split(),
}


def expand(catalogue, message, *values):
    """The message as the catalogue has it; a value in a tuple is a message itself, a dictionary has values by name."""
    if values and isinstance(values[0], dict):
        return catalogue[message] % values[0]
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


def compare(said, wanted_names, catalogue):
    found = [f"{name}: nobody knows it" for name in said if name not in EXPECTED or name not in wanted_names]
    found += [f"{name}: it was not said" for name in wanted_names if name not in said]
    for name, text in said.items():
        wanted = expand(catalogue, *EXPECTED[name]) if name in EXPECTED else text
        if text != wanted:
            found.append(f"{name}: {text!r}, not {wanted!r}")
    return found


def check_compare():
    """The comparison sees what it is there for, and every expected message is said by a program."""
    known = {"Done": "Fertig"}
    good = {"status-done": "Fertig"}
    bad = ({}, {"status-done": "Done"}, {**good, "status-failed": "x"}, {**good, "new": "x"})
    found = [f"nothing is found in {sample}" for sample in bad
             if not compare(sample, ["status-done"], {**known, "Failed": "x"})]
    found += compare(good, ["status-done"], known)
    everybody = {name for names in SAID.values() for name in names}
    return found + [f"{name}: no program is to say it" for name in EXPECTED if name not in everybody]


def outcome(command, env, catalogue, group):
    if env is None:
        return ["no locale in which messages are translated"]
    try:
        said = run(command, env)
    except ValueError as error:
        return [str(error)]
    return compare(said, SAID[group], catalogue)


def main():
    root, localedir, group, *command = sys.argv[1:]
    os.environ["AEX_TEST_LOCALEDIR"] = localedir
    languages = catalogues.languages(root)
    outcomes = [("finds-bad-sample", check_compare())]
    with tempfile.TemporaryDirectory() as folder:
        for language in ["untranslated", *languages]:
            if language == "untranslated":
                env, catalogue = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": ""}, catalogues.messages(root)
            else:
                env = catalogues.environment(localedir, language, folder)
                catalogue = catalogues.catalogue(localedir, language)
            outcomes.append((language, outcome(command, env, catalogue, group)))
    return catalogues.report(f"po/{group}", outcomes)


if __name__ == "__main__":
    sys.exit(main())
