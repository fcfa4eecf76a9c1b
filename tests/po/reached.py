#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each message reaches a user in translation: programs that provoke all of them
run in German, and every message of the catalogue was asked for and found.

usage: reached.py SOURCE_ROOT BUILD_ROOT SPY

SPY is message-spy.c, which writes down what a program asks for, and gives it the
English text nevertheless.  How each program is run is what meson knows of the
test with its name.  Whether the program is content with its own result is not
judged here, but in that test; how it ended is shown.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

import catalogues

LANGUAGE = "de"
WORKERS = 2
SECONDS = 120
# As few as reach everything, the slowest first: those of tests/po, which are heard in each language, and tests.
PROGRAMS = (
    "translated-c", "translated-javascript", "translated-python",
    "gjs-test-executor", "gjs-test-groups", "gjs-test-nonsense", "gjs-test-operations", "gjs-test-pending",
    "gjs-test-scopes", "gjs-test-services", "gjs-test-streams", "gjs-test-caller",
    "test-file-operations", "test-file-save", "test-gio-rules", "test-gtask", "test-map-places", "test-caller",
    "test-caller-family", "test-group-each", "test-gtask-return", "test-guest-options", "test-guests", "test-map",
    "test-modules", "test-operations", "test-publish-wait", "test-scripted-ends", "test-service",
    "test-thread-pool-waits",
)
# What no program provokes, and why.
UNREACHED = {
    "JavaScript runs in the loop of GLib, and in no other":
        "needs a backend that C registers in a program of JavaScript, which none of ours does",
    "The context of the caller is gone":
        "a guard: a job is given to its guest by the context of the caller, which therefore is there",
}


def read(path):
    """What the spy wrote: (key as in a catalogue, translation)."""
    with open(path, encoding="utf-8") as file:
        fields = file.read().split("\0")[:-1]
    return {(message if number == "" else (message, int(number) - 1), translation)
            for message, number, translation in zip(*[iter(fields)] * 3)}


def commands(build_root):
    """{name: (command, environment)} of the tests."""
    with open(os.path.join(build_root, "meson-info", "intro-tests.json"), encoding="utf-8") as file:
        tests = json.load(file)
    found = {}
    for test in tests:
        if any(suite.endswith(":fast") for suite in test["suite"]):
            command = test["cmd"]
            # What translated.py runs: behind its own three arguments.
            found[test["name"]] = (command[4:] if test["name"].startswith("translated-") else command, test["env"])
    return found


def run(name, command, env, folders):
    """What the program asked for."""
    path = os.path.join(folders[1], name)
    try:
        done = subprocess.run(command, cwd=folders[0], env={**env, "AEX_TEST_MESSAGES": path}, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS)
        ended, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        ended, output = "SIGKILL, after too long", error.stdout or b""
    if ended != 0:
        # By itself no failure: what it reached before counts, and what it did not will be missed.
        said = [line for line in output.decode("utf-8", "replace").splitlines() if not line.startswith("ok ")]
        print("\n".join(f"# {line}" for line in (f"{name} ended with {ended}", *said[-20:])), flush=True)
    return read(path) if os.path.exists(path) else set()


def run_all(build_root, localedir, spy, env, folder):
    """({name: what it asked for}, problems)."""
    known = commands(build_root)
    found = [f"there is no test {name}" for name in PROGRAMS if name not in known]
    own = {"LC_ALL": env["LC_ALL"], "LANGUAGE": LANGUAGE, "LD_PRELOAD": spy, "AEX_TEST_LOCALEDIR": localedir,
           "AEX_TEST_TIER": "push"}

    def one(name):
        command, more = known[name]
        return name, run(name, command, {**env, **more, **own}, (build_root, folder))

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        asked = dict(pool.map(one, [name for name in PROGRAMS if name in known]))
    return asked, found + [f"{name} asked for no message" for name, records in asked.items() if not records]


def problems(wanted, translated, records, unreached):
    """What is wrong with what was asked for; wanted and translated as in a catalogue."""
    asked = {key for key, _ in records}
    found = [f"no program provokes it: {key!r}" for key in wanted if key not in asked and key not in unreached]
    found += [f"listed as not reached, and was: {key!r}" for key in unreached if key in asked]
    found += [f"listed as not reached, and is no message: {key!r}" for key in unreached if key not in wanted]
    for key, text in sorted(records, key=str):
        if key not in wanted:
            found.append(f"asked for, and not in the catalogue: {key!r}")
        elif text == wanted[key] or text != translated.get(key):
            found.append(f"not in translation: {text!r} for {key!r}")
    return found


WANTED = {"a": "a", ("b", 0): "b", ("b", 1): "bs", "c": "c"}
TRANSLATED = {"a": "x", ("b", 0): "y", ("b", 1): "ys", "c": "z"}
GOOD = {("a", "x"), (("b", 0), "y"), (("b", 1), "ys")}


def check_bad():
    bad = ((GOOD - {("a", "x")}, {"c": ""}), (GOOD - {(("b", 1), "ys")}, {"c": ""}), (GOOD, {}),
           (GOOD | {("a", "a")}, {"c": ""}), (GOOD | {("a", "y")}, {"c": ""}), (GOOD | {("c", "z")}, {"c": ""}),
           (GOOD | {("d", "d")}, {"c": ""}), (GOOD, {"c": "", "d": ""}))
    return [f"nothing is found in {sample}" for sample in bad if not problems(WANTED, TRANSLATED, *sample)]


def main():
    root, build_root, spy = sys.argv[1:]
    localedir = os.path.join(build_root, "po")
    if not any(name == "translated-javascript" for name in commands(build_root)):
        print("1..0 # SKIP there is no gjs in this build")
        return 0
    wanted, translated = catalogues.messages(root), catalogues.catalogue(localedir, LANGUAGE)
    outcomes = [("finds-bad-sample", check_bad()),
                ("accepts-good-sample", problems(WANTED, TRANSLATED, GOOD, {"c": ""}))]
    with tempfile.TemporaryDirectory() as folder:
        env = catalogues.environment(localedir, LANGUAGE, folder)
        if env is None:
            outcomes.append(("messages", ["no locale in which messages are translated"]))
        else:
            asked, wrong = run_all(build_root, localedir, spy, env, folder)
            records = set().union(*asked.values())
            total = {catalogues.singular(key) for key in wanted}
            reached = {catalogues.singular(key) for key, _ in records}
            print(f"# {len(total)} messages, {len(reached)} reached, {len(UNREACHED)} listed")
            outcomes += [("programs", wrong), ("messages", problems(wanted, translated, records, UNREACHED))]
    return catalogues.report("po/reached", outcomes)


if __name__ == "__main__":
    sys.exit(main())
