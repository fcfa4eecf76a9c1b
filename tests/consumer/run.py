#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds and runs a program against the library, as its users do.

usage: run.py subproject|installed SOURCE_ROOT

subproject: the tree lies in subprojects/ of the program.
installed: the library is installed below a prefix of its own and found with
pkg-config, GI_TYPELIB_PATH, XDG_DATA_DIRS and --vapidir; and what packagers rely on.
"""

import os
import shutil
import subprocess
import sys
import tempfile

import packaging

HERE = os.path.dirname(os.path.realpath(__file__))
PYTHON = "/usr/bin/python3"  # the one that Debian's PyGObject is for
INSTALLED = ("include/asyncexec-1/asyncexec.h", "include/asyncexec-1/aex-version.h",
             "include/asyncexec-1/aex-enum-types.h", "lib/libasyncexec-1.so.0",
             "lib/pkgconfig/asyncexec-1.pc", "lib/girepository-1.0/AsyncExec-1.typelib",
             "share/gir-1.0/AsyncExec-1.gir", "share/vala/vapi/asyncexec-1.vapi")


class Steps:
    """Runs commands one after the other, each a subtest."""

    def __init__(self, group, env):
        self.group, self.env, self.number, self.failed = group, env, 0, False

    def result(self, name, good, output=""):
        self.number += 1
        self.failed |= not good
        if not good:
            print("\n".join(output.splitlines()[-25:]), file=sys.stderr)
        print(f"{'ok' if good else 'not ok'} {self.number} /consumer/{self.group}/{name}", flush=True)
        return good

    def run(self, name, *command, cwd=None):
        done = subprocess.run(command, env=self.env, cwd=cwd, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self.result(name, done.returncode == 0, done.stdout)

    def skip(self, name, reason):
        self.number += 1
        print(f"ok {self.number} /consumer/{self.group}/{name} # SKIP {reason}", flush=True)

    def end(self):
        print(f"1..{self.number}")
        return 1 if self.failed else 0


def build_consumer(steps, work):
    build = os.path.join(work, "build")
    return steps.run("configures", "meson", "setup", build, work) and \
        steps.run("builds", "ninja", "-C", build) and \
        steps.run("runs", os.path.join(build, "consumer"))


def subproject(steps, source, work):
    os.mkdir(os.path.join(work, "subprojects"))
    os.symlink(source, os.path.join(work, "subprojects", "libasyncexec"))
    # Whatever is installed on this machine, the subproject is meant.
    steps.env["PKG_CONFIG_PATH"] = ""
    build_consumer(steps, work)


def installed(steps, source, work):
    build, prefix = os.path.join(work, "library"), os.path.join(work, "prefix")
    # As a distribution: what is said twice is said the same.
    options = ["--prefix", prefix, "--libdir=lib", "--buildtype=release", "-Dtests=disabled", "-Ddocs=disabled",
               "-Dexamples=disabled", "-Dintrospection=enabled", "-Dvapi=enabled", "-Dpython=auto"]
    if not steps.run("library-configures", "meson", "setup", build, source, *options) or \
            not steps.run("library-installs", "meson", "install", "-C", build):
        return
    lost = [name for name in INSTALLED if not os.path.exists(os.path.join(prefix, name))]
    steps.result("everything-is-there", not lost, " ".join(lost))
    lib = os.path.join(prefix, "lib")
    steps.env.update(PKG_CONFIG_PATH=os.path.join(lib, "pkgconfig"), LD_LIBRARY_PATH=lib,
                     GI_TYPELIB_PATH=os.path.join(lib, "girepository-1.0"))
    build_consumer(steps, work)
    compiled(steps, work)
    python(steps, source, prefix, work)
    gjs(steps, prefix, work)
    ports(steps, source, work)
    vala(steps, prefix, work)
    packaging.headers(steps, prefix, work)
    packaging.soname(steps, prefix)
    packaging.pkg_config_file(steps, source, prefix)
    packaging.relocated(steps, prefix, work, os.path.join(HERE, "consumer.c"))
    packaging.reproducible(steps, source, prefix, work, options)
    packaging.uninstalled(steps, build, prefix)
    # Last: what is uninstalled is what was installed last.
    staged(steps, build, work)


def compiled(steps, work):
    """Without a build system: a compiler and pkg-config."""
    flags = packaging.pkg_config(steps, "--cflags", "--libs").split()
    for name, compiler in (("consumer.c", "cc"), ("consumer.cc", "c++")):
        program = os.path.join(work, name + ".program")
        if not shutil.which(compiler):
            steps.skip(f"{name}-builds", f"there is no {compiler}")
        elif steps.run(f"{name}-builds", compiler, "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror",
                       name, "-o", program, *flags, cwd=work):
            steps.run(f"{name}-runs", program)


def python(steps, source, prefix, work):
    try:
        subprocess.run([PYTHON, "-c", "import gi"], check=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        steps.skip("python-sees-it", "PyGObject is not installed")
        return
    # Without the override: whoever has only the typelib.
    steps.run("python-sees-it", PYTHON, "-c",
              "import gi; gi.require_version('AsyncExec', '1')\n"
              "from gi.repository import AsyncExec\n"
              "assert AsyncExec.PendingState.QUEUED.value_nick == 'queued'\n"
              "assert AsyncExec.Executor.ref_default().get_n_pending() == 0\n")
    folder = subprocess.run([PYTHON, os.path.join(source, "build-aux", "python-dir.py"), prefix],
                            check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    # Files that a run of the sources left beside them are not installed.
    wanted = {name for name in tree_files(os.path.join(source, "libasyncexec/bindings/python"))
              if name.endswith((".py", ".pyi", "py.typed"))}
    there = tree_files(folder)
    steps.result("python-modules-are-there", wanted == there, " ".join(sorted(wanted ^ there)))
    steps.env["PYTHONPATH"] = folder
    steps.run("python-runs", PYTHON, "consumer.py", folder, cwd=work)


def gjs(steps, prefix, work):
    if not shutil.which("gjs"):
        steps.skip("gjs-runs", "gjs is not installed")
        return
    steps.env["XDG_DATA_DIRS"] = os.path.join(prefix, "share") + ":/usr/local/share:/usr/share"
    steps.run("gjs-runs", "gjs", "consumer.js", cwd=work)


def ports(steps, source, work):
    """Programs of the examples that do the same in each language."""
    folder, given = os.path.join(source, "examples", "ports"), []
    flags = packaging.pkg_config(steps, "--cflags", "--libs").split()
    for name in sorted(os.listdir(folder)):
        code, program = os.path.join(folder, name, "main.c"), os.path.join(work, name)
        if os.path.exists(code) and steps.run(f"{name}-builds", "cc", "-Wall", "-Wextra", "-Wno-unused-parameter",
                                              "-Werror", code, "-o", program, *flags):
            given.append(f"{name}={program}")
    if "PYTHONPATH" in steps.env:
        given.append(f"python={PYTHON}")
    if "XDG_DATA_DIRS" in steps.env and shutil.which("gjs"):
        given.append("js=gjs")
    steps.run("ports-run", sys.executable, os.path.join(source, "tests", "examples", "ports.py"), folder, *given)


def tree_files(top):
    return {os.path.relpath(os.path.join(folder, name), top)
            for folder, _, names in os.walk(top) for name in names if "__pycache__" not in folder}


def staged(steps, build, work):
    """A packager's installation: everything below a folder that is not the prefix."""
    stage = os.path.join(work, "stage")
    if steps.run("library-is-staged", "meson", "install", "-C", build, "--no-rebuild", "--destdir", stage):
        steps.result("nothing-beside-the-prefix", os.listdir(stage) == [work.split("/")[1]],
                     " ".join(os.listdir(stage)))


def vala(steps, prefix, work):
    if not shutil.which("valac"):
        steps.skip("vala-builds", "valac is not installed")
        return
    program = os.path.join(work, "consumer-vala")
    if steps.run("vala-builds", "valac", "--vapidir", os.path.join(prefix, "share/vala/vapi"),
                 "--girdir", os.path.join(prefix, "share/gir-1.0"), "--pkg", "asyncexec-1",
                 "-X", "-w", "-o", program, "consumer.vala", cwd=work):
        steps.run("vala-runs", program)


def main():
    mode, source = sys.argv[1], os.path.realpath(sys.argv[2])
    # What the library's own build was told is not for this one.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "G_", "MESON"))}
    # What a run leaves beside the modules was not installed.
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    steps = Steps(mode, env)
    with tempfile.TemporaryDirectory() as work:
        # Outside of the tree: nothing of it is found by chance.
        for name in ("meson.build", *(f"consumer.{ending}" for ending in ("c", "cc", "vala", "py", "js"))):
            shutil.copy(os.path.join(HERE, name), work)
        (subproject if mode == "subproject" else installed)(steps, source, work)
    return steps.end()


if __name__ == "__main__":
    sys.exit(main())
