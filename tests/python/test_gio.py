# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pending.from_gio(): the pairs of GIO as pendings."""

import asyncio
import os
import tempfile
import unittest

from gi.repository import AsyncExec, Gio, GLib

import aextest

from_gio = AsyncExec.Pending.from_gio


class FromGio(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "file")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("text")
        self.file = Gio.File.new_for_path(self.path)

    def test_R15_method(self):
        ok, contents, _etag = from_gio(self.file.load_contents_async).result()
        self.assertTrue(ok)
        self.assertEqual(contents, b"text")

    def test_arguments_before_the_cancellable(self):
        info = from_gio(self.file.query_info_async, "standard::size", Gio.FileQueryInfoFlags.NONE, 0).result()
        self.assertEqual(info.get_size(), 4)

    def test_arguments_after_the_cancellable(self):
        copy = Gio.File.new_for_path(self.path + ".copy")
        seen = []
        done = from_gio(self.file.copy_async, copy, Gio.FileCopyFlags.NONE, 0,
                        lambda now, total, *user_data: seen.append((now, total))).result()
        self.assertTrue(done)
        self.assertEqual(copy.load_contents()[1], b"text")
        self.assertIn((4, 4), seen)

    def test_arguments_by_name(self):
        info = from_gio(self.file.query_info_async, "standard::size", io_priority=0,
                        flags=Gio.FileQueryInfoFlags.NONE).result()
        self.assertEqual(info.get_size(), 4)

    def test_one_value(self):
        stream = from_gio(self.file.read_async, 0).result()
        data = from_gio(stream.read_bytes_async, 10, 0).result()
        self.assertEqual(data.get_data(), b"text")
        stream.close(None)

    def test_static_function(self):
        address = f"unix:path={self.path}.socket"
        with self.assertRaises(GLib.Error) as caught:
            from_gio(Gio.DBusConnection.new_for_address, address,
                     Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None).result()
        self.assertEqual(caught.exception.domain, "g-io-error-quark")

    def test_function_of_a_namespace(self):
        with self.assertRaises(GLib.Error) as caught:
            from_gio(Gio.bus_get, Gio.BusType.SYSTEM).result()
        self.assertIn("g-", caught.exception.domain)

    def test_errors_keep_their_domain(self):
        missing = Gio.File.new_for_path(self.path + ".missing")
        pending = from_gio(missing.load_contents_async)
        with self.assertRaises(GLib.Error) as caught:
            pending.result()
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))
        self.assertIs(pending.exception(), caught.exception)

    def test_cancel_stops_the_operation(self):
        # Nobody ever writes into the pipe.
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        stream = Gio.UnixInputStream.new(reader, True)
        pending = from_gio(stream.read_bytes_async, 10, 0)
        pending.cancel()
        self.assertTrue(pending.cancelled())
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()
        self.assertFalse(stream.has_pending())
        stream.close(None)

    def test_cancellable_of_the_user(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        stream = Gio.UnixInputStream.new(reader, True)
        cancellable = Gio.Cancellable()
        pending = from_gio(stream.read_bytes_async, 10, 0, cancellable=cancellable)
        cancellable.cancel()
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()
        stream.close(None)

    def test_in_a_coroutine_of_ours(self):
        async def main():
            return (await from_gio(self.file.load_contents_async))[1]

        self.assertEqual(AsyncExec.run(main), b"text")

    def test_in_a_thread_with_a_context(self):
        result = aextest.with_own_context(lambda: from_gio(self.file.load_contents_async).result())
        self.assertEqual(result[1], b"text")

    def test_plain_asyncio_is_told(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, "main context"):
                from_gio(self.file.load_contents_async)

        asyncio.run(main())

    def test_wrong_arguments(self):
        for arguments in ((), ("a", 0, 0, 1), ("a", 0)):
            with self.assertRaises(TypeError):
                from_gio(self.file.query_info_async, *arguments)
        with self.assertRaisesRegex(TypeError, "nonsense"):
            from_gio(self.file.load_contents_async, nonsense=1)

    def test_no_start(self):
        with self.assertRaisesRegex(TypeError, "AsyncReadyCallback"):
            from_gio(self.file.get_path)
        with self.assertRaisesRegex(TypeError, "introspected"):
            from_gio(print)


if __name__ == "__main__":
    unittest.main()
