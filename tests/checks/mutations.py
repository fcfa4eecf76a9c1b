#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every line that tests/mutations would break is there, once; there are many, several of each class, and several that
break each of the rules that hold everywhere.

usage: mutations.py SOURCE_ROOT
"""

import collections
import os
import sys
import tomllib

import checklib

TABLE = "tests/mutations/mutations.toml"

MANY = 60
SEVERAL = 2
RULES = {
    1: "a pending is done exactly once",
    2: "nothing is called inside the call that attaches or completes",
    3: "what was given is released by its owner, and outside of every lock",
    4: "signals and notifications come on the owner's context",
    5: "a cancellation is decisive",
    6: "a wait that cannot end is refused, one in a job is guarded",
    7: "no error is lost",
    8: "the context goes along",
    9: "first in, first out",
    10: "work of the library's own always goes through",
    11: "time does not depend on loops of users",
    12: "what runs out is an error",
    13: "nobody polls, and nothing wakes who has nothing to do",
}


def problems(material):
    """material: ([{name, file, original}], {file: text})"""
    mutations, texts = material
    found = []
    for mutation in mutations:
        text = texts.get(mutation["file"])
        if text is None:
            found.append(f"{mutation['name']}: {mutation['file']} is not there")
        elif text.count(mutation["original"]) != 1:
            found.append(f"{mutation['name']}: {mutation['file']} has {text.count(mutation['original'])} times: "
                         f"{mutation['original']}")
    return found + few(mutations)


def few(mutations):
    found = [f"there are only {len(mutations)}"] if len(mutations) < MANY else []
    classes = collections.Counter(mutation["class"] for mutation in mutations)
    rules = collections.Counter(mutation["rule"] for mutation in mutations if "rule" in mutation)
    found += [f"only {number} of class {name}" for name, number in classes.items() if number < SEVERAL]
    found += [f"only {rules[rule]} of rule {rule}: {text}" for rule, text in RULES.items() if rules[rule] < SEVERAL]
    return found + [f"there is no rule {rule}" for rule in rules if rule not in RULES]


def sample(number=MANY, rules=len(RULES), **first):
    mutations = [{"name": f"a{i}", "class": "c", "file": "a.c", "original": "x", "rule": 1 + i % rules} for i in range(number)]
    return [{**mutations[0], **first}, *mutations[1:]], {"a.c": "x y"}


BAD = (sample()[0], {"a.c": "x x"})
GOOD = sample()


def main():
    root = sys.argv[1]
    for bad in sample(number=MANY - 1), sample(rules=len(RULES) - 1), sample(**{"class": "d"}), sample(rule=len(RULES) + 1):
        assert len(problems(bad)) == 1, problems(bad)
    with open(os.path.join(root, TABLE), "rb") as file:
        mutations = tomllib.load(file)["mutation"]
    texts = checklib.read_files(root, lambda name: name.startswith("libasyncexec/"))
    return checklib.run("mutations", problems, (mutations, texts), BAD, GOOD)


if __name__ == "__main__":
    sys.exit(main())
