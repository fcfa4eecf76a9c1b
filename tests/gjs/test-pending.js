// SPDX-License-Identifier: LGPL-2.1-or-later

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib, GObject} = imports.gi;
const System = imports.system;
const {isTrue, run, runProgram, same, sameItems, test, throwsCode, throwsSame, turn, watchCollection} = imports.tap;
const {Pending, PendingState} = AsyncExec;

const boom = new RangeError('boom');

// ---- awaiting

test('names await value', async () => {
    const pending = new Pending();
    GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
        pending.resolve('later');
        return GLib.SOURCE_REMOVE;
    });
    same(await pending, 'later');
    same(await pending, 'later');
});

test('names then catch finally give promises', async () => {
    const done = Pending.resolved(3);
    for (const promise of [done.then(), done.catch(() => null), done.finally(() => null)])
        isTrue(promise instanceof Promise);
    same(await done.then(value => value * 2), 6);
    same(await Pending.rejected(boom).catch(error => error), boom);
    same(await Pending.rejected(boom).then(undefined, error => error), boom);
    let n = 0;
    await done.finally(() => n++);
    await Pending.rejected(boom).finally(() => n++).catch(() => null);
    same(n, 2);
});

test('K56 never inline', async () => {
    const seen = [];
    const done = Pending.resolved(1);
    done.then(() => seen.push('then'));
    done.addDoneCallback(() => seen.push('callback'));
    sameItems(seen, []);
    await turn();
    sameItems(seen.sort(), ['callback', 'then']);
});

test('K56 callbacks in order, removed ones never', async () => {
    const seen = [];
    const pending = new Pending();
    pending.addDoneCallback(done => seen.push(done === pending));
    const id = pending.addDoneCallback(() => seen.push('removed'));
    pending.addDoneCallback(() => seen.push('second'));
    isTrue(pending.removeDoneCallback(id));
    same(pending.removeDoneCallback(id), false);
    pending.resolve(null);
    await turn();
    sameItems(seen, [true, 'second']);
});

test('fact1 a pending is a value of a pending only in a box', async () => {
    // Promises flatten what has a then(); result() hands on what is there.
    const inner = Pending.resolved('inner');
    const outer = Pending.resolved(inner);
    same(outer.result(), inner);
    same(await outer, 'inner');
});

test('names done cancelled state', async () => {
    const pending = new Pending();
    sameItems([pending.done, pending.cancelled, pending.state], [false, false, PendingState.RUNNING]);
    isTrue(pending.cancel('enough'));
    sameItems([pending.done, pending.cancelled, pending.state], [true, true, PendingState.CANCELLED]);
    const error = await throwsCode(() => pending, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    same(error.message, 'enough');
});

test('names result never blocks', async () => {
    await throwsCode(() => new Pending().result(), AsyncExec.Error, AsyncExec.Error.NOT_DONE);
    same(Pending.resolved(4).result(), 4);
});

test('names error', () => {
    same(new Pending().error, null);
    same(Pending.resolved(1).error, null);
    same(Pending.rejected(boom).error, boom);
});

test('K44 the first outcome wins', async () => {
    const pending = new Pending();
    isTrue(pending.resolve(1));
    same(pending.resolve(2), false);
    same(pending.reject(boom), false);
    same(pending.cancel(), false);
    same(await pending, 1);
});

test('names follow', async () => {
    const first = new Pending(), second = new Pending();
    isTrue(first.follow(second));
    second.reject(boom);
    await throwsSame(() => first, boom);
});

test('I1 abandoned pendings reject who awaits them', async () => {
    const wait = () => new Pending().then(() => null, error => error);
    const promise = wait();
    System.gc();
    await turn();
    System.gc();
    isTrue(AsyncExec.matches(await promise, AsyncExec.Error, AsyncExec.Error.ABANDONED));
});

test('R17 callbacks keep no pending alive', async () => {
    await watchCollection(token => {
        new Pending().addDoneCallback(() => token);
    }).gone();
});

// ---- values

test('K48 value', () => {
    for (const value of [true, 5, -1, 2 ** 40, 0.5, -0, NaN, 'text', '', null])
        same(Pending.resolved(value).result(), value);
});

test('R4 values that GJS can not guess', () => {
    const values = [undefined, [1, [2]], () => 1, {a: 1}, 2n ** 70n, Symbol('s'), new Map(), boom, 'a\0b', '\ud800',
        Promise.resolve(1), new Date(0), class A {}];
    for (const value of values)
        same(Pending.resolved(value).result(), value);
});

test('R7 values survive the collector', () => {
    // GJS 1.74 loses what a GValue of its own type holds.
    const pendings = Array.from({length: 500}, (_none, i) => Pending.resolved({i}));
    const failed = Array.from({length: 100}, (_none, i) => Pending.rejected({i}));
    System.gc();
    isTrue(pendings.every((pending, i) => pending.result().i === i));
    isTrue(failed.every((pending, i) => pending.error.i === i));
});

test('R4 typed values go as themselves', () => {
    const file = Gio.File.new_for_path('/');
    same(Pending.resolved(file).result(), file);
    const variant = new GLib.Variant('(si)', ['a', 1]);
    isTrue(Pending.resolved(variant).result().equal(variant));
    isTrue(Pending.resolved(variant).dupVariant().equal(variant));
    same(Pending.resolved('text').dupString(), 'text');
    same(Pending.resolved(5).getInt64(), 5);
    same(Pending.resolved(GLib.DateTime.new_from_unix_utc(7)).result().to_unix(), 7);
});

test('names Uint8Array goes in and GLib.Bytes come out', () => {
    const bytes = Pending.resolved(new Uint8Array([1, 2, 3])).result();
    isTrue(bytes instanceof GLib.Bytes);
    sameItems([...bytes.toArray()], [1, 2, 3]);
});

test('K48 values of another type are refused as themselves', async () => {
    await throwsCode(() => Pending.resolved('text').getInt64(), AsyncExec.Error, AsyncExec.Error.MISMATCH);
    await throwsSame(() => Pending.rejected(boom).getInt64(), boom);
});

// ---- fromPromise

test('names fromPromise', async () => {
    same(await Pending.fromPromise(Promise.resolve(1)), 1);
    await throwsSame(() => Pending.fromPromise(Promise.reject(boom)), boom);
});

test('K52 cancelling fromPromise cancels the cancellable and waits for the promise', async () => {
    const cancellable = new Gio.Cancellable();
    let finish = null;
    const pending = Pending.fromPromise(new Promise(resolve => {
        finish = resolve;
    }), cancellable);
    isTrue(pending.cancel());
    await turn();
    isTrue(cancellable.is_cancelled());
    same(pending.done, false);
    isTrue(pending.cancelled);
    finish('too late');
    await throwsCode(() => pending, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
});

test('K52 a canceller that throws is logged', async () => {
    const pending = new Pending();
    isTrue(pending.setCanceller(cancelled => cancelled.resolve('ignored')));
    pending.cancel();
    await throwsCode(() => pending, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
});

// ---- combining

test('names all', async () => {
    sameItems(await Pending.all([Pending.resolved(1), Promise.resolve(2), 3]), [1, 2, 3]);
    sameItems(await Pending.all([]), []);
    sameItems(await Pending.all(new Set([1])).withTimeout(60), [1]);
    await throwsSame(() => Pending.all([new Pending(), Pending.rejected(boom)]), boom);
});

test('names allSettled any first race', async () => {
    const failing = Pending.rejected(boom);
    const settled = await Pending.allSettled([1, failing]);
    sameItems(settled.map(pending => pending.state), [PendingState.RESOLVED, PendingState.REJECTED]);
    same(settled[1], failing);
    same(await Pending.any([failing, 2]), 2);
    same(await Pending.first([new Pending(), 3]), 3);
    same(Pending.race, Pending.first);
});

test('K40 asCompleted gives the pendings themselves', async () => {
    const pendings = [new Pending(), Pending.resolved('at once'), Pending.rejected(boom)];
    const seen = [];
    for await (const pending of AsyncExec.asCompleted(pendings)) {
        isTrue(pending instanceof Pending);
        seen.push(pendings.indexOf(pending));
        if (seen.length === 2)
            pendings[0].resolve('last');
    }
    sameItems(seen, [1, 2, 0]);
    same(pendings[2].error, boom);
});

test('D4 asCompleted cancels the rest on every exit', async () => {
    const rest = new Pending(), kept = new Pending();
    for await (const pending of AsyncExec.asCompleted([Pending.resolved(1), rest])) {
        same(pending.result(), 1);
        break;
    }
    isTrue(rest.cancelled);
    for await (const pending of AsyncExec.asCompleted([1, kept], {cancelUnfinished: false})) {
        same(pending.result(), 1);
        break;
    }
    same(kept.cancelled, false);
});

test('K40 asCompleted of nothing, with a window, and in time', async () => {
    same((await AsyncExec.asCompleted([]).next()).done, true);
    let n = 0;
    function* pull() {
        for (; n < 5; n++)
            yield Pending.resolved(n);
    }
    const windowed = AsyncExec.asCompleted(pull(), {maxConcurrent: 2});
    await turn();
    isTrue(n < 4);
    for await (const pending of windowed)
        pending.result();
    same(n, 5);
    const late = new Pending();
    await throwsCode(() => AsyncExec.asCompleted([late], {timeout: 0.001}).next(), Gio.IOErrorEnum,
        Gio.IOErrorEnum.TIMED_OUT);
    isTrue(late.cancelled);
});

// ---- time and cancelling

test('names withTimeout sleep', async () => {
    await throwsCode(() => AsyncExec.sleep(1000).withTimeout(0.001), Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);
    same(await AsyncExec.sleep(0), null);
    same(await Pending.sleep(0.001), null);
    const cancellable = new Gio.Cancellable();
    const sleeping = AsyncExec.sleep(1000, cancellable);
    cancellable.cancel();
    await throwsCode(() => sleeping, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
});

test('fact11 errors of GLib are told by domain and code, and trailing arguments may be left out', async () => {
    const thrown = new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT, 'late');
    isTrue(!(thrown instanceof Error));
    isTrue(AsyncExec.isTimeout(thrown) && AsyncExec.matches(thrown, Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT));
    isTrue(!AsyncExec.isCancelled(thrown) && !AsyncExec.isTimeout(new TypeError('late')) && !AsyncExec.isTimeout(null));
    await throwsSame(() => Pending.rejected(thrown), thrown);
    const pending = new Pending();
    isTrue(pending.setProgress(0.5) === undefined && pending.progressMessage === null);
    isTrue(pending.cancel());
    const {error} = pending;
    isTrue(AsyncExec.isCancelled(error) && !AsyncExec.isTimeout(error));
    isTrue(new Pending().resolve());
});

test('fact12 no spelling takes microseconds', async () => {
    await throwsCode(() => AsyncExec.sleep(-1), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await throwsCode(() => AsyncExec.sleep('1'), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    const pool = new AsyncExec.ThreadPool({idleTimeout: 5.5});
    for (const name of ['idleTimeout', 'idle_timeout', 'idleTimeoutUs', 'idle_timeout_us', 'idle-timeout-us'])
        same(pool[name], 5.5);
    pool.idleTimeout = 2;
    same(pool.getIdleTimeout(), 2);
    pool.setIdleTimeout(null);
    same(pool.idle_timeout, null);
    await throwsCode(() => new AsyncExec.ThreadPool({idleTimeoutUs: 5}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
});

test('names shield', async () => {
    const pending = new Pending();
    isTrue(pending.shield().cancel());
    same(pending.cancelled, false);
    pending.resolve(1);
});

test('names cancelOn cancelWith cancelQueued', async () => {
    const cancellable = new Gio.Cancellable();
    const first = new Pending(), second = new Pending();
    first.cancelOn(cancellable);
    cancellable.cancel();
    isTrue(first.cancelled);
    second.cancelWith(new Gio.SimpleAction({name: 'gone'}));
    System.gc();
    await turn();
    System.gc();
    await throwsCode(() => second, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    same(new Pending().cancelQueued(), false);
});

// ---- waiting

test('names waitAsync', async () => {
    const pending = new Pending();
    await throwsCode(() => pending.waitAsync({timeout: 0.001, protect: true}), Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);
    same(pending.cancelled, false);
    const waiting = pending.waitAsync();
    pending.resolve(1);
    same(await waiting, 1);
    same(await Pending.rejected(boom).waitAsync({result: false}), undefined);
    await throwsSame(() => Pending.rejected(boom).waitAsync(), boom);
});

test('K54 a wait that gives up cancels unless it protects', async () => {
    const pending = new Pending();
    await throwsCode(() => pending.waitAsync({timeout: 0.001}), Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);
    isTrue(pending.cancelled);
    const cancellable = new Gio.Cancellable(), other = new Pending();
    const waiting = other.waitAsync({cancellable});
    cancellable.cancel();
    await throwsCode(() => waiting, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    isTrue(other.cancelled);
});

test('R16 what blocks is refused', async () => {
    const {NOT_SUPPORTED} = AsyncExec.Error;
    const pending = Pending.resolved(1);
    const stream = AsyncExec.PendingStream.new();
    const caller = AsyncExec.Caller.getCurrent();
    const blocking = [() => pending.wait(), () => pending.runUntilDone(), () => pending.run_until_done(),
        () => stream.nextSync(), () => stream.next_sync(), () => caller.run(() => 1), () => Pending.getCurrent()];
    for (const call of blocking)
        await throwsCode(call, AsyncExec.Error, NOT_SUPPORTED);
});

// ---- description

test('names name metadata info', async () => {
    const pending = new Pending();
    same(pending.name, null);
    pending.name = 'mine';
    same(pending.dupName(), 'mine');
    pending.setMetadata('key', {a: 1});
    same(JSON.stringify(pending.getMetadata('key')), '{"a":1}');
    same(pending.getMetadata('none'), null);
    pending.setMetadata('key', null);
    same(pending.getMetadata('key'), null);
    same(pending.info.name, 'mine');
    same(pending.info.state, PendingState.RUNNING);
});

test('names unknown options are refused', async () => {
    const error = await throwsCode(() => new Pending().waitAsync({timeOut: 1}), AsyncExec.Error,
        AsyncExec.Error.INVALID_ARGUMENT);
    isTrue(error.message.includes('timeOut'));
    await throwsCode(() => new Pending().addDoneCallback(null), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
});

test('fact1 without the override await is no freeze', async () => {
    const file = imports.tap.folder.resolve_relative_path('programs/without-override.js').get_path();
    const {status, stdout} = await runProgram(['gjs', file], {GJS_PATH: null});
    same(status, 0);
    isTrue(stdout.includes('a plain value'));
});

run();
