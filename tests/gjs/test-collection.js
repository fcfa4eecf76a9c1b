// SPDX-License-Identifier: LGPL-2.1-or-later

// The collector works by slices while callbacks come: with a heap as large as
// this one, GJS before 1.82 would lose the first that comes between two slices
// of a sweep, say so as a critical, and call nothing any more.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib} = imports.gi;
const System = imports.system;
const {isTrue, run, same, sameItems, test} = imports.tap;
const {Caller, Context, Pending, ThenFlags, ThreadPool} = AsyncExec;

const LIVE = 300000;
const PER_CALL = 4000;

const caller = Caller.getCurrent();
const heap = Array.from({length: LIVE}, (_none, i) => ({i, text: `text ${i}`}));
const kinds = [];
let next = 0;

// Work for the collector, and for nobody else.
function litter() {
    heap[next++ % LIVE] = Array.from({length: PER_CALL}, (_none, i) => ({i, text: `more ${i}`})).length;
}

// Jobs, delayed ones and what is only posted.
kinds.push(async n => {
    same(await caller.submit(() => (litter(), n)), n);
    same(await caller.callLater(0, () => (litter(), n)), n);
    await new Promise(resolve => caller.post(() => (litter(), resolve())));
    await new Promise(resolve => caller.callDirect(() => (litter(), resolve())));
});

// Async functions, derived pendings and waits.
kinds.push(async n => {
    const job = caller.submit(async () => {
        litter();
        await AsyncExec.sleep(0);
        litter();
        return n;
    });
    const derived = job.addContinuation(ThenFlags.ON_SUCCESS, done => (litter(), Pending.resolved(done.result() + 1)));
    same(await derived.waitAsync({timeout: 1000}), n + 1);
    sameItems(await Pending.all([job, derived]), [n, n + 1]);
    await derived.waitAsync({cancellable: cancelledSoon()}).then(() => litter(), () => litter());
});

function cancelledSoon() {
    const cancellable = new Gio.Cancellable();
    caller.post(() => cancellable.cancel());
    return cancellable;
}

// Messages, progress and done callbacks.
kinds.push(async n => {
    const promise = new Pending();
    const got = [];
    let fraction = -1;
    promise.subscribe(message => (litter(), got.push(message)));
    promise.connect('notify::progress', () => {
        litter();
        ({progress: fraction} = promise);
    });
    promise.connect('notify::state', litter);
    const done = new Promise(resolve => promise.addDoneCallback(() => (litter(), resolve([...got, fraction]))));
    for (let i = 0; i < 4; i++)
        isTrue(promise.publish(i));
    promise.setProgress(0.5, 'half');
    promise.resolve(n);
    sameItems(await done, [0, 1, 2, 3, 0.5]);
});

// What threads answer.
const path = System.programPath ?? System.programInvocationName;
const pool = new ThreadPool({maxWorkers: 2});
const [, contents] = GLib.file_get_contents(path);
const checksum = GLib.compute_checksum_for_bytes(GLib.ChecksumType.SHA256, new GLib.Bytes(contents));

kinds.push(async () => {
    const sums = Array.from({length: 6}, async () => {
        const sum = await pool.call('file-checksum', {path});
        litter();
        return sum;
    });
    sameItems(await Promise.all(sums), Array(6).fill(checksum));
});

// Streams, and a function that C calls at once.
kinds.push(async () => {
    const squares = [];
    for await (const square of caller.map(n => (litter(), n * n), [1, 2, 3])) {
        litter();
        Context.getCurrent().run(() => squares.push(square));
    }
    sameItems(squares, [1, 4, 9]);
});

// Until the collector was met twice, or, where GJS needs no help, a hundred times.
test('fact11 nothing is lost while garbage is collected by slices', async () => {
    const needsHelp = System.version < 18190;
    for (let n = 0; needsHelp ? AsyncExec.gjsGetNFinished() < 2 : n < 100; n++) {
        for (const kind of kinds)
            await kind(n);
    }
    await pool.shutdown();
});

run();
