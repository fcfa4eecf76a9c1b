# SPDX-License-Identifier: LGPL-2.1-or-later
"""An exception knows the frames it went through, and with them pendings: the census of each test tells whether that
makes rings that nobody collects; and everybody who reads an outcome gets the same exception."""

import gc
import sys
import traceback
import unittest

from gi.repository import AsyncExec


class Failure(ValueError):
    pass


def fail():
    raise Failure("x")


class Rings(unittest.TestCase):
    def setUp(self):
        self.pool = AsyncExec.ThreadPool(1)
        self.addCleanup(lambda: self.pool.shutdown().result())

    def test_result_with_the_pending_in_a_variable(self):
        def read():
            pending = self.pool.submit(fail)
            try:
                pending.result()
            except Failure:
                pass

        for _ in range(5):
            read()

    def test_result_of_a_temporary(self):
        for _ in range(5):
            try:
                self.pool.submit(fail).result()
            except Failure:
                pass

    def test_await(self):
        async def read():
            pending = self.pool.submit(fail)
            try:
                await pending
            except Failure:
                pass

        for _ in range(5):
            AsyncExec.run(read)

    def test_exception_is_only_asked_for(self):
        for _ in range(5):
            pending = self.pool.submit(fail)
            self.assertIsInstance(pending.exception(), Failure)

    def test_value_is_freed_with_the_pending(self):
        value = [1]
        before = sys.getrefcount(value)
        pending = AsyncExec.Pending.resolved(value)
        for _ in range(5):
            pending.peek()
        self.assertEqual(sys.getrefcount(value), before + 1)
        del pending
        self.assertEqual(sys.getrefcount(value), before)

    def test_members_of_a_combination(self):
        pendings = [AsyncExec.Pending.resolved(n) for n in range(3)]
        self.assertEqual(AsyncExec.Pending.all(pendings).result(), [0, 1, 2])
        self.assertEqual(AsyncExec.Pending.all_settled(pendings).result(), pendings)


class SameException(unittest.TestCase):
    def test_K47_each_reader(self):
        pending = AsyncExec.Pending.rejected(error := Failure("x"))
        self.assertIs(pending.exception(), error)
        self.assertIs(pending.peek_exception(), error)
        with self.assertRaises(Failure) as caught:
            pending.result()
        self.assertIs(caught.exception, error)

    def test_derived_and_source_in_any_order(self):
        for first in (0, 1):
            error = Failure("x")
            source = AsyncExec.Pending.rejected(error)
            both = [source, source.shield()]
            self.assertIs(both[first].exception(), error)
            self.assertIs(both[1 - first].exception(), error)

    def test_first_reader_is_gone(self):
        source = AsyncExec.Pending.rejected(error := Failure("x"))
        derived = source.shield()
        self.assertIs(derived.exception(), error)
        del derived
        gc.collect()
        self.assertIs(source.exception(), error)

    def test_first_reader_is_gone_in_a_ring(self):
        source = AsyncExec.Pending()

        def read():
            derived = source.shield()
            source.reject(Failure("x"))
            try:
                derived.result()
            except Failure:
                pass

        read()
        gc.collect()
        self.assertIsInstance(source.exception(), Failure)

    def test_traceback_shows_the_function(self):
        with AsyncExec.ThreadPool(1) as pool:
            error = pool.submit(fail).exception()
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        self.assertEqual(names, ["fail"])

    def test_in_a_group_error(self):
        errors = [Failure("a"), Failure("b")]
        members = [AsyncExec.Pending.rejected(error) for error in errors]
        group = AsyncExec.Pending.any(members).exception()
        self.assertIsInstance(group, AsyncExec.GroupError)
        self.assertEqual([*map(id, group.exceptions)], [*map(id, errors)])
        self.assertIs(members[0].exception(), errors[0])


if __name__ == "__main__":
    unittest.main()
