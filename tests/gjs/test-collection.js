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
let next = 0;

// Work for the collector, and for nobody else.
function litter() {
    heap[next++ % LIVE] = Array.from({length: PER_CALL}, (_none, i) => ({i, text: `more ${i}`})).length;
}

// Does something until the collector was met, or, where GJS needs no help,
// a hundred times.
async function untilCollected(once) {
    const enough = AsyncExec.gjsGetNFinished() + 1;
    let n = 0;
    while (System.version < 18190 ? AsyncExec.gjsGetNFinished() < enough : n < 100) {
        await once(n);
        n++;
    }
    isTrue(n > 0);
}

test('fact11 jobs, delayed ones and what is only posted while garbage is collected', () => untilCollected(async n => {
    same(await caller.submit(() => (litter(), n)), n);
    same(await caller.callLater(0, () => (litter(), n)), n);
    await new Promise(resolve => caller.post(() => (litter(), resolve())));
    await new Promise(resolve => caller.callDirect(() => (litter(), resolve())));
}));

test('fact11 async functions, derived pendings and waits while garbage is collected', () => untilCollected(async n => {
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
}));

function cancelledSoon() {
    const cancellable = new Gio.Cancellable();
    caller.post(() => cancellable.cancel());
    return cancellable;
}

test('fact11 messages, progress and done callbacks while garbage is collected', () => untilCollected(async n => {
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
}));

test('fact11 what threads answer while garbage is collected', async () => {
    const pool = new ThreadPool({maxWorkers: 2});
    const [, loaded] = GLib.file_get_contents(System.programPath ?? System.programInvocationName);
    const expected = GLib.compute_checksum_for_bytes(GLib.ChecksumType.SHA256, new GLib.Bytes(loaded));
    await untilCollected(async () => {
        const sums = Array.from({length: 24}, async () => {
            const sum = await pool.call('file-checksum', {path: System.programPath ?? System.programInvocationName});
            litter();
            return sum;
        });
        sameItems(await Promise.all(sums), Array(24).fill(expected));
    });
    await pool.shutdown();
});

test('fact11 streams, and a function that C calls at once, while garbage is collected', () => untilCollected(async () => {
    const squares = [];
    for await (const square of caller.map(n => (litter(), n * n), [1, 2, 3])) {
        litter();
        Context.getCurrent().run(() => squares.push(square));
    }
    sameItems(squares, [1, 4, 9]);
}));

run();
