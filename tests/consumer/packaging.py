# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a packager of the installed library relies on; each function is some steps of run.py."""

import os
import re
import shutil
import subprocess

# As strict as a user's own build may be.
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
LANGUAGES = {"c": ("cc", "c", "-std=c11"), "c-plus-plus": ("c++", "c++", "-std=c++11")}
FILES = {"libasyncexec-1.so": "libasyncexec-1.so.0", "libasyncexec-1.so.0": "libasyncexec-1.so.0.0.0"}


def output(steps, *command):
    return subprocess.run(command, env=steps.env, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def pkg_config(steps, *arguments):
    return output(steps, "pkg-config", *arguments, "asyncexec-1")


def contents(top):
    """{name: bytes, or where a link leads} of all below a folder."""
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                found[os.path.relpath(path, top)] = os.readlink(path)
            else:
                with open(path, "rb") as file:
                    found[os.path.relpath(path, top)] = file.read()
    return found


def headers(steps, prefix, work):
    """Every header but the umbrella refuses to be included, and each stands on its own for the umbrella."""
    flags = pkg_config(steps, "--cflags").split()
    names = sorted(os.listdir(os.path.join(prefix, "include", "asyncexec-1")))
    probe = os.path.join(work, "probe")
    for language, (compiler, kind, standard) in LANGUAGES.items():
        if not shutil.which(compiler):
            steps.skip(f"headers/{language}", f"there is no {compiler}")
            continue
        alone, wrong = [], []
        for name in names:
            with open(probe, "w", encoding="utf-8") as file:
                file.write(f"#include <{name}>\nextern int not_empty;\n")
            command = [compiler, "-fsyntax-only", "-x", kind, standard, *STRICT, *flags, probe]
            done = subprocess.run(command, env=steps.env, stderr=subprocess.DEVNULL)
            if (done.returncode == 0) != (name == "asyncexec.h"):
                wrong.append(name)
            if name == "asyncexec.h":
                continue
            command.insert(1, "-DASYNCEXEC_INSIDE")
            done = subprocess.run(command, env=steps.env, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                alone.append(f"{name}: {done.stderr.strip()}")
        steps.result(f"headers/{language}/only-the-umbrella-can-be-included", not wrong, " ".join(wrong))
        steps.result(f"headers/{language}/each-stands-alone", not alone, "\n".join(alone))


def soname(steps, prefix):
    lib = os.path.join(prefix, "lib")
    links = {name: os.readlink(os.path.join(lib, name)) for name in FILES}
    steps.result("library-is-versioned", links == FILES, str(links))
    dynamic = output(steps, "readelf", "-d", os.path.join(lib, "libasyncexec-1.so"))
    found = re.findall(r"\((SONAME|RPATH|RUNPATH)\).*\[(.*)\]", dynamic)
    steps.result("soname", found == [("SONAME", "libasyncexec-1.so.0")], str(found))


def pkg_config_file(steps, source, prefix):
    with open(os.path.join(source, "meson.build"), encoding="utf-8") as file:
        version = re.search(r"version: '([\d.]+)'", file.read()).group(1)
    expected = {"--modversion": version, "--variable=prefix": prefix, "--variable=libdir": prefix + "/lib",
                "--variable=includedir": prefix + "/include",
                "--print-requires": "\n".join(f"{name}-2.0" for name in ("glib", "gobject", "gio"))}
    found = {option: pkg_config(steps, option) for option in expected}
    steps.result("pkg-config-file", found == expected, str(found))


def relocated(steps, prefix, work, program):
    """The prefix may be moved as a whole: nothing of what a build needs says where it was."""
    moved = os.path.join(work, "moved")
    shutil.copytree(prefix, moved, symlinks=True)
    old = steps.env["PKG_CONFIG_PATH"]
    steps.env["PKG_CONFIG_PATH"] = os.path.join(moved, "lib", "pkgconfig")
    include, lib = (pkg_config(steps, "--define-prefix", f"--variable={name}") for name in ("includedir", "libdir"))
    steps.env["PKG_CONFIG_PATH"] = old
    steps.result("moved-folders", (include, lib) == (moved + "/include", moved + "/lib"), f"{include} {lib}")
    # The option moves every package, also those that stayed: their flags are asked for without it.
    flags = [f"-I{include}/asyncexec-1", f"-L{lib}", "-lasyncexec-1",
             *output(steps, "pkg-config", "--cflags", "--libs", "gio-2.0").split()]
    binary = os.path.join(work, "moved-consumer")
    if steps.run("moved-builds", "cc", "-Wall", "-Werror", program, "-o", binary, *flags):
        steps.run("moved-runs", "env", "LD_LIBRARY_PATH=" + lib, binary)


def reproducible(steps, source, prefix, work, options):
    """A second build, elsewhere, installs the same bytes, and none of them names the folders of the build."""
    first, stage = contents(prefix), os.path.join(work, "again-stage")
    build = os.path.join(work, "again", "build-of-another-name")
    os.mkdir(os.path.dirname(build))
    if not steps.run("second-build-configures", "meson", "setup", build, source, *options) or \
            not steps.run("second-build-installs", "meson", "install", "-C", build, "--destdir", stage):
        return
    second = contents(stage + prefix)
    differs = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    steps.result("reproducible", not differs, " ".join(differs))
    told = sorted(name for name, data in first.items() if isinstance(data, bytes) and
                  any(path.encode() in data for path in (source + "/", os.path.join(work, "library"))))
    steps.result("nothing-names-the-build", not told, " ".join(told))


def uninstalled(steps, build, prefix):
    if steps.run("library-is-uninstalled", "ninja", "-C", build, "uninstall"):
        left = [os.path.join(folder, name) for folder, folders, names in os.walk(prefix) for name in folders + names]
        steps.result("uninstall-leaves-nothing", not left, "\n".join(left))
