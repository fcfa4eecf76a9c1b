// SPDX-License-Identifier: LGPL-2.1-or-later

// Operations of GIO as pendings: their promises, with a cancellable.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode} = imports.tap;
const {Pending} = AsyncExec;
const {IOErrorEnum} = Gio;
const LOW = GLib.PRIORITY_DEFAULT;

for (const [type, ...starts] of [
    [Gio._LocalFilePrototype, 'load_contents_async', 'query_info_async', 'enumerate_children_async'],
    [Gio.FileEnumerator.prototype, 'next_files_async'],
    [Gio.InputStream.prototype, 'read_bytes_async'],
    [Gio.OutputStream.prototype, 'write_bytes_async'],
    [Gio.Subprocess.prototype, 'communicate_utf8_async', 'wait_check_async'],
    [Gio.Resolver.prototype, 'lookup_by_name_async'],
    [Gio.SocketListener.prototype, 'accept_async'],
    [Gio.SocketClient.prototype, 'connect_to_host_async'],
]) {
    for (const name of starts)
        Gio._promisify(type, name, name.replace(/_async$/, '_finish'));
}
Gio._promisify(Gio._LocalFilePrototype, 'replace_contents_bytes_async', 'replace_contents_finish');

const folder = Gio.File.new_for_path(GLib.dir_make_tmp('asyncexec-XXXXXX'));
const file = folder.get_child('file');
const decode = bytes => new TextDecoder().decode(bytes);

// The pending of an operation that is started with a cancellable of its own.
function start(operation) {
    const cancellable = new Gio.Cancellable();
    return Pending.fromPromise(operation(cancellable), cancellable);
}

test('Y10 files', async () => {
    await start(c => file.replace_contents_bytes_async(new GLib.Bytes('text'), null, false, Gio.FileCreateFlags.NONE, c));
    const [contents] = await start(c => file.load_contents_async(c));
    same(decode(contents), 'text');
    const info = await start(c => file.query_info_async('standard::size', Gio.FileQueryInfoFlags.NONE, LOW, c));
    same(info.get_size(), 4);
    const files = await start(c => folder.enumerate_children_async('standard::name', Gio.FileQueryInfoFlags.NONE, LOW, c));
    const found = await start(c => files.next_files_async(10, LOW, c));
    sameItems(found.map(one => one.get_name()), ['file']);
    files.close(null);
});

test('Y10 errors keep their domain and code', async () => {
    const missing = folder.get_child('missing');
    await throwsCode(() => start(c => missing.load_contents_async(c)), IOErrorEnum, IOErrorEnum.NOT_FOUND);
});

test('Y10 streams, and cancelling what is under way', async () => {
    const cat = Gio.Subprocess.new(['cat'], Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE);
    const [sink, source] = [cat.get_stdin_pipe(), cat.get_stdout_pipe()];
    same(await start(c => sink.write_bytes_async(new GLib.Bytes('text'), LOW, c)), 4);
    same(decode((await start(c => source.read_bytes_async(10, LOW, c))).toArray()), 'text');
    const never = start(c => source.read_bytes_async(10, LOW, c));
    isTrue(never.cancel('enough'));
    same(never.done, false);
    await throwsCode(() => never, IOErrorEnum, IOErrorEnum.CANCELLED);
    same(source.has_pending(), false);
    sink.close(null);
    await start(c => cat.wait_check_async(c));
    source.close(null);
});

test('Y10 programs', async () => {
    const cat = Gio.Subprocess.new(['cat'], Gio.SubprocessFlags.STDIN_PIPE | Gio.SubprocessFlags.STDOUT_PIPE);
    const [output] = await start(c => cat.communicate_utf8_async('text', c));
    same(output, 'text');
    const bad = Gio.Subprocess.new(['sh', '-c', 'exit 3'], Gio.SubprocessFlags.NONE);
    await throwsCode(() => start(c => bad.wait_check_async(c)), GLib.spawn_exit_error_quark(), 3);
});

test('Y10 names', async () => {
    const addresses = await start(c => Gio.Resolver.get_default().lookup_by_name_async('localhost', c));
    isTrue(addresses.every(address => address.get_is_loopback()));
});

test('Y10 sockets', async () => {
    const listener = new Gio.SocketListener();
    const port = listener.add_any_inet_port(null);
    const accepting = start(c => listener.accept_async(c));
    const here = await start(c => new Gio.SocketClient().connect_to_host_async('127.0.0.1', port, c));
    const [there] = await accepting;
    await start(c => here.get_output_stream().write_bytes_async(new GLib.Bytes('text'), LOW, c));
    same(decode((await start(c => there.get_input_stream().read_bytes_async(10, LOW, c))).toArray()), 'text');
    const nobody = start(c => listener.accept_async(c));
    nobody.cancel();
    await throwsCode(() => nobody, IOErrorEnum, IOErrorEnum.CANCELLED);
    for (const end of [here, there])
        end.close(null);
    listener.close();
});

test('Y10 many at once', async () => {
    const infos = await Pending.all(Array.from({length: 50}, () =>
        start(c => file.query_info_async('standard::size', Gio.FileQueryInfoFlags.NONE, LOW, c))));
    isTrue(infos.every(info => info.get_size() === 4));
    file.delete(null);
    folder.delete(null);
});

run();
