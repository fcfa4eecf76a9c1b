#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/run, in a copy of the tree: every language, the one in C built first.

usage: examples_run.py SOURCE_ROOT
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), os.pardir, "checks"))
import checklib  # noqa: E402
from run import Steps  # noqa: E402

PROGRAMS = {"c": "examples/dupes/main.c", "vala": "examples/dupes-vala/main.vala",
            "python": "examples/dupes-python/dupes.py", "js": "examples/dupes-js/dupes.js"}


def copy_tree(source, folder):
    for name in checklib.tree_files(source):
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(source, name), target)


def run(env, folder, *arguments):
    return subprocess.run([os.path.join(folder, "examples/run"), "--no-install", *arguments], env=env, cwd="/",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finds(steps, folder, pair, lang):
    done = run(steps.env, folder, "--lang", lang, "--json", pair)
    try:
        found = [group["paths"] for group in json.loads(done.stdout)["groups"]]
    except ValueError:
        found = None
    steps.result(f"{lang}/finds", done.returncode == 0 and found == [[f"{pair}/a", f"{pair}/b"]],
                 done.stdout + done.stderr)
    done = run(steps.env, folder, f"--lang={lang}", "--json", os.path.join(pair, "missing"))
    steps.result(f"{lang}/status-passes-through", done.returncode == 1 and "missing" in done.stdout,
                 done.stdout + done.stderr)


def ctrl_c(steps, folder, lang):
    """The signal that reaches the script reaches the program: nothing stands between them."""
    with tempfile.TemporaryDirectory() as many:
        for i in range(8):
            with open(os.path.join(many, str(i)), "wb") as file:
                file.truncate(512 << 20)
        with subprocess.Popen([os.path.join(folder, "examples/run"), "--no-install", "--lang", lang, "--json",
                               "--progress", many], env=steps.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            seen = b""
            while b"Hashing" not in seen:
                more = os.read(process.stderr.fileno(), 4096)
                if not more:
                    break
                seen += more
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
    steps.result(f"{lang}/ctrl-c", process.returncode == 130 and json.loads(out)["interrupted"],
                 (seen + err + out).decode(errors="replace"))


def main():
    source = os.path.realpath(sys.argv[1])
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "G_", "MESON"))}
    steps = Steps("examples-run", env)
    with tempfile.TemporaryDirectory() as work:
        folder, pair = os.path.join(work, "tree"), os.path.join(work, "pair")
        copy_tree(source, folder)
        os.mkdir(pair)
        for name, text in {"a": "same", "b": "same", "c": "else"}.items():
            with open(os.path.join(pair, name), "w", encoding="utf-8") as file:
                file.write(text)
        for arguments in (["--lang", "cobol"], ["--lang"], ["--jobs"]):
            done = run(env, folder, *arguments)
            steps.result("usage/" + "-".join(arguments).strip("-"), done.returncode == 2 and done.stderr != "",
                         done.stderr)
        for lang, program in PROGRAMS.items():
            if os.path.exists(os.path.join(folder, program)):
                finds(steps, folder, pair, lang)
                ctrl_c(steps, folder, lang)
            else:
                done = run(env, folder, "--lang", lang, pair)
                steps.result(f"{lang}/not-there-yet", done.returncode == 2 and "yet" in done.stderr, done.stderr)
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
