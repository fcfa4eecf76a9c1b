# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stub: type checkers understand it, and it names what there is."""

import ast
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import venv
from types import FunctionType

import asyncexec
from gi.repository import AsyncExec

MODULES = os.path.dirname(os.path.dirname(asyncexec.__file__))
STUB = os.path.join(MODULES, "gi-stubs", "repository", "AsyncExec.pyi")
PARTS = [os.path.join(os.path.dirname(STUB), f"_AsyncExec{part}.pyi") for part in ("Enums", "Services")]

GOOD = """
import asyncio
import asyncexec
from gi.repository import AsyncExec


def parse(text: str, base: int = 10) -> int:
    return int(text, base)


async def fetch(name: str) -> bytes:
    return name.encode()


async def main() -> bytes:
    pool = AsyncExec.ThreadPool(max_workers=2)
    number: AsyncExec.Pending[int] = pool.submit(parse, "12", base=16)
    data: asyncexec.Pending[bytes] = pool.submit(fetch, "x")
    text: AsyncExec.Pending[str] = number.then(str)
    both: list[int] = await AsyncExec.Pending.all([number, number])
    future: asyncio.Future[int] = number.as_future()
    async for item in pool.map(parse, ["1", "2"]):
        both.append(item)
    for pending in AsyncExec.as_completed([number]):
        both.append(pending.peek())
    done, left = await AsyncExec.wait([number], timeout=1, return_when="FIRST_COMPLETED")
    both += [pending.peek() for pending in done | left]
    await pool.options(name="n", timeout=1.5).submit(parse, "1").with_timeout(1)
    await text
    await future
    return await data


value: bytes = AsyncExec.run(main)
again: int = asyncexec.testing.run(parse, "1")
"""

BAD = {
    'AsyncExec.ThreadPool().submit(len, 5)': "arg-type|call-overload",
    'x: str = AsyncExec.ThreadPool().submit(len, "x").result()': "assignment",
    'AsyncExec.ThreadPool(idle_timeout="long")': "arg-type",
    'AsyncExec.no_such_name': "attr-defined",
}


class Checker(unittest.TestCase):
    """Runs mypy on a sample, as a user of the installed modules would."""

    @classmethod
    def setUpClass(cls):
        cls.mypy = shutil.which("mypy")
        if cls.mypy is None:
            raise unittest.SkipTest("mypy is not installed")
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        venv.EnvBuilder(with_pip=False, symlinks=True, system_site_packages=True).create(cls.folder)
        site = os.path.join(cls.folder, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages")
        for name in ("asyncexec", "gi-stubs"):
            os.symlink(os.path.join(MODULES, name), os.path.join(site, name))

    def check(self, text):
        path = os.path.join(self.folder, "sample.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return subprocess.run([self.mypy, "--python-executable", os.path.join(self.folder, "bin", "python"), "--strict",
                               "--show-error-codes", "--cache-dir", os.path.join(self.folder, "cache"), path],
                              env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)

    def test_good_sample(self):
        done = self.check(GOOD)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_bad_sample(self):
        for line, code in BAD.items():
            with self.subTest(line):
                done = self.check(f"from gi.repository import AsyncExec\n{line}\n")
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertRegex(done.stdout, rf"\[({code})\]")


class Names(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = ""
        for path in (STUB, *PARTS):
            with open(path, encoding="utf-8") as file:
                text += file.read()
        cls.tree = ast.parse(text)
        cls.classes = {node.name: node for node in cls.tree.body if isinstance(node, ast.ClassDef)}

    def names_in(self, body):
        """{name: arguments, or None when it is no function}"""
        found = {}
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = node.args
                found[node.name] = [a.arg for a in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
            elif isinstance(node, ast.ClassDef):
                found[node.name] = None
            elif isinstance(node, (ast.AnnAssign, ast.Assign)):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                found[target.id] = None
        return {name: arguments for name, arguments in found.items() if not name.startswith("_")}

    def members(self, name):
        """With those of the stub's base classes."""
        node = self.classes[name]
        found = {}
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in self.classes:
                found.update(self.members(base.id))
        return {**found, **self.names_in(node.body)}

    def test_stub_names_what_is_there(self):
        for name in self.names_in(self.tree.body):
            if name in ("T", "U", "P"):
                continue
            self.assertTrue(hasattr(AsyncExec, name), name)
            for member in self.members(name) if name in self.classes else ():
                self.assertTrue(hasattr(getattr(AsyncExec, name), member) or member in ("domain", "code"),
                                f"{name}.{member}")

    def test_stub_names_all_that_is_ours(self):
        override = sys.modules["gi.overrides.AsyncExec"]
        self.assertEqual(set(override.__all__) - set(self.names_in(self.tree.body)), set())
        for name in ("Pending", "PendingStream", "Executor", "ThreadPool", "Caller"):
            own = {member for member, value in vars(getattr(AsyncExec, name)).items()
                   if not member.startswith("_") and isinstance(value, (staticmethod, property, FunctionType))}
            self.assertEqual(own - set(self.members(name)), set(), name)

    def test_arguments_are_the_same(self):
        for name in ("Pending", "PendingStream", "Executor", "ThreadPool", "Caller"):
            for member, arguments in self.members(name).items():
                value = inspect.getattr_static(getattr(AsyncExec, name), member, None)
                function = value.__func__ if isinstance(value, staticmethod) else value
                if arguments is None or not inspect.isfunction(function):
                    continue
                parameters = inspect.signature(function).parameters.values()
                real = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
                self.assertEqual(arguments, real, f"{name}.{member}")

    def test_generic_at_run_time(self):
        self.assertEqual(AsyncExec.Pending[int].__origin__, AsyncExec.Pending)
        self.assertEqual(AsyncExec.Stream[int].__origin__, AsyncExec.Stream)

    def test_module_has_the_namespace(self):
        self.assertIs(asyncexec.Pending, AsyncExec.Pending)
        self.assertTrue(set(dir(AsyncExec)) <= set(dir(asyncexec)))
        with self.assertRaises(AttributeError):
            asyncexec.no_such_name
        self.assertTrue(os.path.exists(os.path.join(MODULES, "asyncexec", "py.typed")))


if __name__ == "__main__":
    unittest.main()
