#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every message of the library has a translation in every language, a correct
one, and the C library finds it.

usage: catalogues.py SOURCE_ROOT LOCALEDIR

LOCALEDIR is po/ of the build, with the compiled catalogues.  Imported by
translated.py.
"""

import gettext
import json
import os
import re
import subprocess
import sys
import tempfile

DOMAIN = "asyncexec-1"
LOCALES = ("C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8")
# xgettext's, as in po/meson.build.
KEYWORDS = ("--from-code=UTF-8", "--keyword=_", "--keyword=N_", "--keyword=g_dngettext:2,3", "--keyword=aex_ngettext:1,2")
# What is the same in a language, and why.
SAME = {}
DIRECTIVE = re.compile(r"%(?:\(\w+\)|\d+\$)?[-+ #0]*\d*(?:\.\d+)?(?:ll|l|z|h)?[a-zA-Z]")
# Dictionaries of one's own typography: a message must not have the other's.
FOREIGN = {"de": "“%s”", "fr": "“", "es": "“"}

LOOK_UP = """
import json, locale, sys
locale.setlocale(locale.LC_ALL, "")
locale.bindtextdomain(sys.argv[1], sys.argv[2])
json.dump([locale.dgettext(sys.argv[1], text) for text in json.load(sys.stdin)], sys.stdout)
"""


def languages(root):
    with open(os.path.join(root, "po", "LINGUAS"), encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def messages(root):
    """What xgettext finds in the sources now: {key: text}, as in a catalogue."""
    with open(os.path.join(root, "po", "POTFILES.in"), encoding="utf-8") as file:
        names = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    with tempfile.TemporaryDirectory() as folder:
        pot, english, compiled = (os.path.join(folder, name) for name in ("a.pot", "en.po", "en.mo"))
        subprocess.run(["xgettext", *KEYWORDS, "-o", pot, *names], cwd=root, check=True)
        with open(pot, encoding="utf-8") as file:
            text = file.read()
        with open(pot, "w", encoding="utf-8") as file:
            file.write(text.replace("nplurals=INTEGER; plural=EXPRESSION", "nplurals=2; plural=n != 1"))
        subprocess.run(["msgen", "-o", english, pot], check=True)
        subprocess.run(["msgfmt", "-o", compiled, english], check=True)
        return load(compiled)


def load(path):
    with open(path, "rb") as file:
        found = gettext.GNUTranslations(file)._catalog
    return {key: text for key, text in found.items() if key != ""}


def catalogue(localedir, language):
    return load(os.path.join(localedir, language, "LC_MESSAGES", DOMAIN + ".mo"))


def singular(key):
    return key[0] if isinstance(key, tuple) else key


def problems(language, wanted, translated):
    """What is wrong with one catalogue."""
    found = [f"{language}: no translation of {key!r}" for key in wanted if not translated.get(key, "").strip()]
    for key, text in translated.items():
        if key not in wanted:
            # A translator may be ahead, or behind; nobody sees it.
            print(f"# {language}: not in the sources: {singular(key)}")
        elif text == wanted[key] and (language, singular(key)) not in SAME:
            found.append(f"{language}: the translation is the message: {key!r}")
        elif sorted(DIRECTIVE.findall(text)) != sorted(DIRECTIVE.findall(wanted[key])):
            found.append(f"{language}: other directives: {text!r}")
        elif text[-1:].isspace() != wanted[key][-1:].isspace():
            found.append(f"{language}: another end: {text!r}")
        elif FOREIGN[language] in text or "..." in text:
            found.append(f"{language}: the typography of another language: {text!r}")
    return found


def source_problems(root, language):
    """msgfmt is content, and nothing is fuzzy or left over."""
    path = os.path.join(root, "po", language + ".po")
    done = subprocess.run(["msgfmt", "--check", "--statistics", "-o", os.devnull, path], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "LC_ALL": "C", "LANGUAGE": ""})
    found = [] if re.fullmatch(r"\d+ translated messages\.\n", done.stdout) and done.returncode == 0 else [done.stdout]
    with open(path, encoding="utf-8") as file:
        return found + [f"{path}: {line.rstrip()}" for line in file if line.startswith(("#~", "#, fuzzy"))]


def environment(localedir, language, folder):
    """In which a program speaks the language, or None: LANGUAGE counts only in a locale that is not C."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LC_")}
    env["LANGUAGE"] = language
    for name in LOCALES:
        env["LC_ALL"] = name
        if look_up(localedir, env, ["Running"]) not in (None, ["Running"]):
            return env
    made = os.path.join(folder, "en_US.UTF-8")
    if not os.path.isdir(made):
        subprocess.run(["localedef", "-i", "en_US", "-f", "UTF-8", made], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    env.update(LOCPATH=folder, LC_ALL="en_US.UTF-8")
    return env if look_up(localedir, env, ["Running"]) not in (None, ["Running"]) else None


def look_up(localedir, env, texts):
    """What dgettext() of the C library gives in another process."""
    done = subprocess.run([sys.executable, "-c", LOOK_UP, DOMAIN, localedir], input=json.dumps(texts), text=True, check=False,
                          env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout) if done.returncode == 0 else None


def found_by_libc(localedir, language, wanted, folder):
    env = environment(localedir, language, folder)
    if env is None:
        return [f"{language}: no locale in which messages are translated"]
    keys = [key for key in wanted if singular(key) == key]
    translated = catalogue(localedir, language)
    return [f"{language}: {text!r} for {key!r}" for key, text in zip(keys, look_up(localedir, env, keys))
            if text != translated.get(key)]


def check_problems():
    """The check sees what it is there for."""
    wanted = {"a %s": "a %s", ("b", 0): "b", "c: ": "c: ", "d %(e)s": "d %(e)s"}
    good = {"a %s": "x %s", ("b", 0): "y", "c: ": "z: ", "d %(e)s": "w %(e)s"}
    bad = ({"a %s": ""}, {"a %s": "a %s"}, {"a %s": "x %d"}, {"c: ": "z:"}, {"a %s": "“%s”"}, {"d %(e)s": "w %(f)s"})
    found = [f"nothing is found in {sample}" for sample in bad if not problems("de", wanted, {**good, **sample})]
    return found + problems("de", wanted, good)


def report(group, outcomes):
    """Prints TAP for (name, problems); gives the exit code."""
    print(f"1..{len(outcomes)}")
    for number, (name, wrong) in enumerate(outcomes, 1):
        for problem in wrong:
            print(f"# {problem}".rstrip().replace("\n", "\n# "))
            print(problem, file=sys.stderr)
        print(f"{'not ok' if wrong else 'ok'} {number} /{group}/{name}", flush=True)
    return 1 if any(wrong for _, wrong in outcomes) else 0


def main():
    root, localedir = sys.argv[1:]
    wanted = messages(root)
    outcomes = [("finds-bad-sample", check_problems()), ("some", [] if len(wanted) > 50 else [f"only {len(wanted)} messages"])]
    with tempfile.TemporaryDirectory() as folder:
        for language in languages(root):
            outcomes += [(f"{language}/source", source_problems(root, language)),
                         (f"{language}/complete", problems(language, wanted, catalogue(localedir, language))),
                         (f"{language}/found", found_by_libc(localedir, language, wanted, folder))]
    return report("po", outcomes)


if __name__ == "__main__":
    sys.exit(main())
