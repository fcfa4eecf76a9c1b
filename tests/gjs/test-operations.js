// SPDX-License-Identifier: LGPL-2.1-or-later

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib, GObject} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode, turn} = imports.tap;
const {Caller, Pending, ThreadPool} = AsyncExec;
const {INVALID_ARGUMENT, NOT_FOUND, NOT_SUPPORTED} = AsyncExec.Error;
const Variants = imports.overrides._asyncexec.variants;

const caller = Caller.getCurrent();
const pool = new ThreadPool();
const text = value => JSON.stringify(value);
const folder = Gio.File.new_for_path(GLib.dir_make_tmp('asyncexec-XXXXXX'));
const file = folder.get_child('file');

// ---- packing

test('names operation parameters are packed by their declared types', () => {
    const cases = [
        ['b', true], ['y', 255], ['n', -32768], ['q', 65535], ['i', -5], ['u', 2 ** 32 - 1], ['x', -(2 ** 40)],
        ['t', 2 ** 40], ['d', 5], ['s', 'text'], ['o', '/a'], ['g', 'ii'], ['as', ['a', 'b']], ['ai', []],
        ['a{sv}', {a: 1, b: 'two', c: [true]}], ['a{is}', {1: 'one'}], ['(sib)', ['a', 1, false]], ['ms', null],
        ['mi', 5], ['v', 'any'], ['aas', [['a'], []]], ['()', []], ['a(st)', [['a', 1]]],
    ];
    for (const [type, value] of cases) {
        const packed = Variants.packAs(new GLib.VariantType(type), value);
        same(packed.get_type_string(), type);
        same(text(Variants.unpack(packed)), text(value));
    }
    for (const bytes of ['ab', new Uint8Array([97, 98]), new GLib.Bytes('ab'), [97, 98]]) {
        const packed = Variants.packAs(new GLib.VariantType('ay'), bytes);
        sameItems([...Variants.unpack(packed).toArray()], [97, 98]);
    }
    same(Variants.packAs(new GLib.VariantType('t'), 2n ** 63n).print(false), '9223372036854775808');
    const variant = new GLib.Variant('s', 'as it is');
    same(Variants.packAs(new GLib.VariantType('s'), variant), variant);
});

test('names operation parameters that do not fit are refused', async () => {
    const cases = [
        ['b', 1], ['y', 256], ['y', -1], ['i', 1.5], ['u', -1], ['x', 2 ** 63 + 2 ** 20], ['t', -1], ['s', 5], ['o', 'a'], ['g', '('],
        ['as', 'text'], ['as', 5], ['as', [1]], ['a{sv}', null], ['(si)', ['a']], ['(si)', ['a', 1, 2]], ['ay', 5],
        ['s', null], ['i', undefined], ['i', 'x'], ['v', Symbol('s')], ['v', () => 1], ['s', new GLib.Variant('i', 1)],
        ['d', 'x'], ['t', NaN],
    ];
    for (const [type, value] of cases)
        await throwsCode(() => Variants.packAs(new GLib.VariantType(type), value), AsyncExec.Error, INVALID_ARGUMENT);
});

test('names messages pack and unpack', () => {
    for (const value of [null, true, 1, -1.5, 'text', [1, 'a', null], {a: {b: [1]}}, {}, []])
        same(text(Variants.unpack(Variants.pack(value))), text(value));
    isTrue(Variants.unpack(Variants.pack(new Uint8Array([1]))) instanceof GLib.Bytes);
    // No number is rounded.
    const safe = BigInt(Number.MAX_SAFE_INTEGER);
    for (const [type, value] of [['t', 2n ** 64n - 1n], ['x', 2n ** 62n + 1n], ['x', -(2n ** 63n)], ['t', safe + 2n]])
        same(Variants.unpack(Variants.packAs(new GLib.VariantType(type), value)), value);
    for (const value of [safe, -safe])
        same(Variants.unpack(Variants.packAs(new GLib.VariantType('x'), value)), Number(value));
});

// ---- calling

test('names call packs and unpacks', async () => {
    same(await pool.call('file-save', {path: file, data: new TextEncoder().encode('hello')}), 5);
    const bytes = await pool.call('file-load', {path: file.get_path()});
    isTrue(bytes instanceof GLib.Bytes);
    same(new TextDecoder().decode(bytes.toArray()), 'hello');
    same(await pool.call('file-checksum', {path: file, algorithm: 'sha1', length: undefined}),
        'aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d');
    const variant = new GLib.Variant('a{sv}', {path: Variants.packAs(new GLib.VariantType('ay'), file)});
    same((await pool.call('file-load', variant)).get_size(), 5);
});

test('names call results are unpacked in whatever comes of them', async () => {
    const load = () => pool.call('file-checksum', {path: file, algorithm: 'md5'});
    const expected = '5d41402abc4b2a76b9719d911017c592';
    const promise = new Pending();
    promise.follow(load());
    const found = [await load().withTimeout(60), await load().shield(), await caller.submit(load), await promise,
        await caller.submit(async () => load()), ...await Pending.all([load()]), await Pending.any([load()]),
        await Pending.first([load()]), await Pending.resolved(1).addContinuation(AsyncExec.ThenFlags.ALWAYS, load),
        await pool.options({name: 'named', timeout: 60}).call('file-checksum', {path: file, algorithm: 'md5'}),
        await load().waitAsync(), (await load().finally(() => null))];
    for (const each of found)
        same(each, expected);
    for await (const done of AsyncExec.asCompleted([load()]))
        same(done.result(), expected);
    for await (const [value, error] of caller.runMultiple([load])) {
        same(value, expected);
        same(error, null);
    }
    for await (const value of caller.map(() => load(), [1]))
        same(value, expected);
});

test('names call parameters may be camelCase', async () => {
    const [files] = await pool.call('file-walk', {path: folder, minSize: 5});
    same(files, 1);
    sameItems(await pool.call('file-walk', {path: folder, 'min-size': 6}), [0, 0, 0]);
});

test('exceptions of operations', async () => {
    await throwsCode(() => pool.call('nothing'), AsyncExec.Error, NOT_FOUND);
    for (const parameters of [{path: 5}, {pth: 'a'}, {path: file, algorithm: 1}, {}, null])
        await throwsCode(() => pool.call('file-checksum', parameters), AsyncExec.Error, INVALID_ARGUMENT);
    await throwsCode(() => pool.call('file-load', {path: '/does/not/exist'}), Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND);
    const load = pool.options({cancellable: Gio.Cancellable.new()});
    isTrue(await load.call('file-load', {path: file}) instanceof GLib.Bytes);
    const group = await throwsCode(() => Pending.any([pool.call('file-load', {path: '/none'})]), AsyncExec.Error,
        AsyncExec.Error.GROUP);
    isTrue(AsyncExec.matches(group.errors[0], Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND));
});

test('R14 operations are no functions of JavaScript', async () => {
    const operations = AsyncExec.Operations.getDefault();
    await throwsCode(() => operations.add('mine', null, null, () => true), AsyncExec.Error, NOT_SUPPORTED);
    await throwsCode(() => operations.add_with_keys('mine'), AsyncExec.Error, NOT_SUPPORTED);
    isTrue(operations.list().includes('file-walk'));
    same(pool.operations, operations);
});

// ---- progress and messages

// So many that they take longer than the caller's turn.
test('names options subscriber comes before what is done already', async () => {
    let count = 0;
    const work = () => {
        GLib.compute_checksum_for_string(GLib.ChecksumType.SHA256, 'x'.repeat(10000), -1);
        count++;
    };
    const job = caller.options({subscriber: work}).submit(self => {
        for (let i = 0; i < 1000; i++)
            self.publish(i);
    });
    // Runs after the job, and before its messages are delivered.
    await caller.submit(async () => {
        sameItems([job.done, count], [true, 0]);
        await job;
        same(count, 1000);
    });
});

// The last messages are on their way when the walk is over.
test('names options subscriber gets every message before await goes on', async () => {
    const many = Gio.File.new_for_path(GLib.dir_make_tmp('asyncexec-XXXXXX'));
    for (let i = 0; i < 200; i++)
        many.get_child(String(i)).create(Gio.FileCreateFlags.NONE, null).close(null);
    let count = 0;
    const walk = pool.options({subscriber: ([found], from) => {
        count += found.length;
        same(from, walk);
    }}).call('file-walk', {path: many});
    await walk;
    same(count, 200);
    await throwsCode(() => pool.options({subscriber: 5}), AsyncExec.Error, INVALID_ARGUMENT);
    for (let i = 0; i < 200; i++)
        many.get_child(String(i)).delete(null);
    many.delete(null);
});

test('names subscribe publish', async () => {
    const pending = new Pending();
    const seen = [];
    pending.publish('kept');
    const id = pending.subscribe((message, from) => seen.push(text(message), from === pending));
    isTrue(pending.publish({a: [1, null]}));
    pending.resolve(null);
    await pending;
    await turn();
    sameItems(seen, ['"kept"', true, '{"a":[1,null]}', true]);
    same(pending.unsubscribe(id), false);
    await throwsCode(() => pending.publish(() => 1), AsyncExec.Error, INVALID_ARGUMENT);
    await throwsCode(() => pending.publishWait('blocks'), AsyncExec.Error, NOT_SUPPORTED);
});

test('names messages of an operation', async () => {
    const walk = pool.call('file-walk', {path: folder});
    const entries = [];
    // Also when it is over before anybody looked.
    await walk.waitAsync({result: false});
    walk.subscribe(([found]) => entries.push(...found));
    await walk;
    same(entries.length, 1);
    const [path, size] = entries[0];
    same(new TextDecoder().decode(path.toArray()).replace(/\0$/, ''), file.get_path());
    same(size, 5);
});

test('names setProgress bindProgress', async () => {
    const Bar = GObject.registerClass({
        Properties: {fraction: GObject.ParamSpec.double('fraction', '', '', GObject.ParamFlags.READWRITE, 0, 1, 0)},
    }, class Bar extends GObject.Object {});
    const bar = new Bar({fraction: 0});
    const pending = new Pending();
    pending.bindProgress(bar);
    const notified = new Promise(resolve => pending.connect('notify::progress', () => resolve()));
    pending.setProgress(0.5, 'half');
    await notified;
    sameItems([pending.progress, pending.progressMessage, bar.fraction], [0.5, 'half', 0.5]);
    same(await caller.submit(job => {
        job.setProgress(0.25);
        return job.progress;
    }), 0.25);
});

test('cleaning up', async () => {
    file.delete(null);
    folder.delete(null);
    await pool.shutdown();
});

run();
