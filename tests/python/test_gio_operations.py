# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operations of GIO through Pending.from_gio(): files, streams, names, sockets, programs, D-Bus."""

import os
import socket
import tempfile
import unittest

from gi.repository import AsyncExec, Gio, GLib

from_gio = AsyncExec.Pending.from_gio
LOW = GLib.PRIORITY_DEFAULT
ECHO = """<node><interface name='test.Echo'><method name='Echo'>
<arg type='s' direction='in'/><arg type='s' direction='out'/></method></interface></node>"""


def io_error(code):
    return lambda error: error.matches(Gio.io_error_quark(), code)


async def connect(end, flags, guid):
    stream = Gio.Socket.new_from_fd(end.detach()).connection_factory_create_connection()
    return await from_gio(Gio.DBusConnection.new, stream, guid, flags, None)


def answer(_connection, _sender, _path, _interface, _method, parameters, invocation):
    invocation.return_value(parameters)


async def echo():
    """Two ends of a socket; one asks the other."""
    ends = socket.socketpair()
    serving = AsyncExec.spawn(connect, ends[0], Gio.DBusConnectionFlags.AUTHENTICATION_SERVER, Gio.dbus_generate_guid())
    client = await connect(ends[1], Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT, None)
    server = await serving
    interface = Gio.DBusNodeInfo.new_for_xml(ECHO).interfaces[0]
    number = server.register_object("/test", interface, answer, None, None)
    call = await from_gio(client.call, None, "/test", "test.Echo", "Echo", GLib.Variant("(s)", ("text",)), None,
                          Gio.DBusCallFlags.NONE, -1)
    server.unregister_object(number)
    await from_gio(client.close)
    # This end only sees that the other is gone, and keeps its socket as long as it lives.
    server.get_stream().close(None)
    return call.unpack()


# GDBus keeps a thread for the life of the process: it is there before the census.
AsyncExec.run(echo)


class Operations(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Gio.File.new_for_path(folder.name)
        self.file = self.folder.get_child("file")
        self.file.replace_contents(b"text", None, False, Gio.FileCreateFlags.NONE, None)

    def fails(self, pending, code):
        with self.assertRaises(GLib.Error) as caught:
            pending.result()
        self.assertTrue(io_error(code)(caught.exception), caught.exception)

    def pipe(self):
        reader, writer = os.pipe()
        return Gio.UnixInputStream.new(reader, True), Gio.UnixOutputStream.new(writer, True)


class Files(Operations):
    def test_Y1_replace_and_load(self):
        from_gio(self.file.replace_contents_bytes_async, GLib.Bytes.new(b"new"), None, False,
                 Gio.FileCreateFlags.NONE).result()
        self.assertEqual(from_gio(self.file.load_bytes_async).result()[0].get_data(), b"new")

    def test_Y1_enumerate(self):
        files = from_gio(self.folder.enumerate_children_async, "standard::name", Gio.FileQueryInfoFlags.NONE, LOW).result()
        names = [info.get_name() for info in from_gio(files.next_files_async, 10, LOW).result()]
        self.assertEqual(names, ["file"])
        self.assertEqual(from_gio(files.next_files_async, 10, LOW).result(), [])
        self.assertTrue(from_gio(files.close_async, LOW).result())

    def test_Y1_folders(self):
        child = self.folder.get_child("child")
        self.assertTrue(from_gio(child.make_directory_async, LOW).result())
        self.fails(from_gio(child.make_directory_async, LOW), Gio.IOErrorEnum.EXISTS)
        self.assertTrue(from_gio(child.delete_async, LOW).result())
        self.fails(from_gio(child.delete_async, LOW), Gio.IOErrorEnum.NOT_FOUND)

    def test_Y1_many_at_once(self):
        pendings = [from_gio(self.file.query_info_async, "standard::size", Gio.FileQueryInfoFlags.NONE, LOW)
                    for _ in range(50)]
        sizes = [info.get_size() for info in AsyncExec.Pending.all(pendings).result()]
        self.assertEqual(sizes, [4] * 50)


class Streams(Operations):
    def test_Y1_write_and_read(self):
        source, sink = self.pipe()
        self.assertEqual(from_gio(sink.write_bytes_async, GLib.Bytes.new(b"text"), LOW).result(), 4)
        self.assertEqual(from_gio(source.read_bytes_async, 10, LOW).result().get_data(), b"text")
        self.assertTrue(from_gio(sink.close_async, LOW).result())
        self.assertEqual(from_gio(source.skip_async, 10, LOW).result(), 0)
        self.assertTrue(from_gio(source.close_async, LOW).result())

    def test_Y1_splice_through_a_converter(self):
        packed = Gio.MemoryOutputStream.new_resizable()
        packer = Gio.ConverterOutputStream.new(packed, Gio.ZlibCompressor.new(Gio.ZlibCompressorFormat.GZIP, -1))
        flags = Gio.OutputStreamSpliceFlags.CLOSE_SOURCE | Gio.OutputStreamSpliceFlags.CLOSE_TARGET
        from_gio(packer.splice_async, Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(b"text")), flags, LOW).result()
        unpacker = Gio.ConverterInputStream.new(
            Gio.MemoryInputStream.new_from_bytes(packed.steal_as_bytes()),
            Gio.ZlibDecompressor.new(Gio.ZlibCompressorFormat.GZIP))
        self.assertEqual(from_gio(unpacker.read_bytes_async, 10, LOW).result().get_data(), b"text")

    def test_Y3_cancelled_under_way(self):
        source, sink = self.pipe()
        pending = from_gio(source.read_bytes_async, 10, LOW)
        self.fails(from_gio(source.read_bytes_async, 10, LOW), Gio.IOErrorEnum.PENDING)
        self.assertFalse(pending.done())
        pending.cancel("enough")
        self.assertFalse(pending.done())
        with self.assertRaisesRegex(AsyncExec.Cancelled, "enough"):
            pending.result()
        source.close(None)
        sink.close(None)

    def test_Y3_with_timeout(self):
        source, sink = self.pipe()
        pending = from_gio(source.read_bytes_async, 10, LOW)
        with self.assertRaises(AsyncExec.Timeout):
            pending.with_timeout(0.001).result()
        pending.cancel()
        with self.assertRaises(AsyncExec.Cancelled):
            pending.result()
        source.close(None)
        sink.close(None)


class Others(Operations):
    def test_Y1_names(self):
        addresses = from_gio(Gio.Resolver.get_default().lookup_by_name_async, "localhost").result()
        self.assertTrue(all(address.get_is_loopback() for address in addresses))

    def test_Y1_programs(self):
        pipes = Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE
        cat = Gio.Subprocess.new(["cat"], pipes)
        self.assertEqual(from_gio(cat.communicate_utf8_async, "text").result(), (True, "text", None))
        bad = Gio.Subprocess.new(["sh", "-c", "exit 3"], Gio.SubprocessFlags.NONE)
        with self.assertRaises(GLib.Error) as caught:
            from_gio(bad.wait_check_async).result()
        self.assertEqual((caught.exception.domain, caught.exception.code), ("g-spawn-exit-error-quark", 3))

    def test_Y1_sockets(self):
        async def main():
            listener = Gio.SocketListener.new()
            port = listener.add_any_inet_port(None)
            accepting = from_gio(listener.accept_async)
            here = await from_gio(Gio.SocketClient.new().connect_to_host_async, "127.0.0.1", port)
            there, _source = await accepting
            await from_gio(here.get_output_stream().write_bytes_async, GLib.Bytes.new(b"text"), LOW)
            data = await from_gio(there.get_input_stream().read_bytes_async, 10, LOW)
            await from_gio(here.close_async, LOW)
            await from_gio(there.close_async, LOW)
            listener.close()
            return data.get_data()

        self.assertEqual(AsyncExec.run(main), b"text")

    def test_Y1_dbus(self):
        self.assertEqual(AsyncExec.run(echo), ("text",))


if __name__ == "__main__":
    unittest.main()
