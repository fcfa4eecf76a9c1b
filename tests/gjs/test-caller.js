// SPDX-License-Identifier: LGPL-2.1-or-later

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GLib, GObject} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode} = imports.tap;
const {Caller} = AsyncExec;
const {Error} = AsyncExec;

const caller = Caller.getCurrent();

test('K5 K6 one per context, and asked for by name', async () => {
    same(Caller.forContext(), caller);
    same(Caller.forContext(null), caller);
    await throwsCode(() => Caller.newForContext(null, 'second'), Error, Error.EXISTS);
    await throwsCode(() => Caller.forContext(null, 'model'), Error, Error.MISMATCH);
});

test('K8 held and released', async () => {
    const thread = Caller.newThread('held');
    thread.hold();
    thread.hold();
    isTrue(thread.protected);
    thread.stop();
    const stopped = thread.release();
    isTrue(!stopped.done);
    same(thread.release({drain: true}), stopped);
    await stopped;
    await throwsCode(() => thread.hold(), Error, Error.CLOSED);
    const other = Caller.newThread();
    other.protected = true;
    isTrue(!other.stop().done);
    await other.stop({force: true});
});

test('K10 K11 K20 found, listed, described', async () => {
    const thread = Caller.newThread('found');
    await thread.started;
    same(Caller.lookup(thread.id), thread);
    same(Caller.lookup(), caller);
    isTrue(Caller.list().includes(thread));
    isTrue(thread.describe().includes('"found": running'));
    await thread.stop();
    same(Caller.lookup(thread.id), null);
    isTrue(!Caller.list().includes(thread));
    isTrue(Caller.list(false).includes(thread));
    isTrue(thread.describe().includes('stopped'));
});

test('K12 K13 K29 P15 D7 children', async () => {
    const parent = Caller.newThread('parent', {niceness: 1});
    const first = parent.child('first');
    same(parent.child('first'), first);
    isTrue(parent.child() !== parent.child());
    const {children} = parent;
    same(children.length, 3);
    same(first.parent, parent);
    same(parent.parent, null);
    same(first.niceness, 1);
    same(first.contextFlags, 0);
    await throwsCode(() => parent.child('first', {niceness: 2}), Error, Error.MISMATCH);
    await throwsCode(() => parent.child('other', {niceness: 20}), Error, Error.INVALID_ARGUMENT);
    await throwsCode(() => Caller.newThread(null, {nice: 1}), Error, Error.INVALID_ARGUMENT);
    await first.stop();
    same(children.length, 3);
    same(parent.children.length, 2);
    const stopped = parent.stop();
    await throwsCode(() => parent.child('late'), Error, Error.CLOSED);
    await stopped;
    isTrue(children.every(child => child.stopped.done));
});

test('K6 K27 K29 P15 JavaScript runs in the loop of GLib', async () => {
    same(caller.backend, 'glib');
    same(await caller.callUsingBackend('glib', (a, b) => a + b, 1, 2), 3);
    same(await caller.scheduleCall(() => 5, [], {backend: 'glib'}), 5);
    const unknown = caller.callUsingBackend('asyncio', () => 5);
    isTrue(unknown.done);
    await throwsCode(() => unknown, Error, Error.NOT_FOUND);
    await throwsCode(() => caller.scheduleCall(() => 5, [], {backend: 'trio'}), Error, Error.NOT_FOUND);
    await throwsCode(() => caller.callUsingBackend(5, () => 5), Error, Error.INVALID_ARGUMENT);
    await throwsCode(() => caller.child('backend', {backend: 'asyncio'}), Error, Error.NOT_FOUND);
    await throwsCode(() => Caller.newThread(null, {backend: 'asyncio'}), Error, Error.NOT_FOUND);
    await throwsCode(() => Caller.registerBackend(), Error, Error.NOT_SUPPORTED);
    same(Caller.forContext(null, null, {backend: 'glib'}), caller);
    const thread = Caller.newThread('glib', {backend: 'glib'});
    same(thread.backend, 'glib');
    await throwsCode(() => thread.callUsingBackend('glib', () => 5), Error, Error.NOT_SUPPORTED);
    await thread.stop();
});

test('K21 K33 R14 threads for work run operations', async () => {
    const thread = Caller.newThread('boss');
    same(thread.maxIdleWorkers, 10);
    same(thread.maxWorkers, 0);
    same(thread.idleWorkerTimeout, 60);
    thread.idleWorkerTimeout = null;
    same(thread.getIdleWorkerTimeout(), null);
    thread.maxWorkers = 2;
    same(thread.getMaxWorkers(), 2);
    const [path] = GLib.filename_from_uri(GLib.filename_to_uri(imports.system.programPath ?? '/proc/self/exe', null));
    const sums = new Set();
    for (let i = 0; i < 3; i++)
        sums.add(await thread.workers.call('file-checksum', {path}));
    same(sums.size, 1);
    await throwsCode(() => thread.toThread(() => 1), Error, Error.NOT_SUPPORTED);
    await throwsCode(() => thread.workers.submit(() => 1), Error, Error.NOT_SUPPORTED);
    await thread.stop();
    await throwsCode(() => thread.workers, Error, Error.CLOSED);
    // A thread remembers for its next job where its last ones went, until an executor of its own has stopped.
    await new AsyncExec.ThreadPool().shutdown();
});

test('K25 scheduled with metadata', async () => {
    const job = caller.scheduleCall((a, b) => a + b, [1, 2], {metadata: {view: 'list'}});
    same(job.dupMetadata('view'), 'list');
    same(await job, 3);
});

test('K25 P7 scheduled with trackers', async () => {
    const group = new AsyncExec.PendingGroup();
    group.begin();
    const inside = () => AsyncExec.PendingGroup.getCurrent();
    const seen = [];
    group.scope.run(() => {
        for (const options of [{trackers: []}, {group: null}, {}, {group}])
            seen.push(caller.scheduleCall(inside, [], options));
    });
    sameItems(await Promise.all(seen), [null, null, group, group]);
    await group.end();
});

test('K34 one after the other', async () => {
    const seen = [];
    let open;
    const gate = new Promise(resolve => {
        open = resolve;
    });
    const queue = caller.queue('q');
    isTrue(queue.push(async () => {
        seen.push('begin');
        await gate;
        seen.push('end');
    }));
    for (let i = 0; i < 3; i++)
        queue.push(value => seen.push(value), i);
    await caller.submit(() => seen.push('else'));
    sameItems(seen, ['begin', 'else']);
    same(queue.nItems, 4);
    same(queue.key, 'q');
    same(queue.caller, caller);
    open();
    await new Promise(resolve => queue.push(resolve));
    sameItems(seen, ['begin', 'else', 'end', 0, 1, 2]);
    queue.close();
    isTrue(queue.pending.cancelled);
    isTrue(!queue.push(() => seen.push('late')));
});

test('K17 K34 an error is told and does not end it', async () => {
    const told = [];
    const id = caller.connect('unhandled-error', (_executor, pending, error) => {
        told.push([pending.name, error.message]);
        return true;
    });
    const queue = caller.queue('failing');
    queue.push(() => {
        throw new TypeError('told');
    });
    await new Promise(resolve => queue.push(resolve));
    while (told.length === 0)
        await AsyncExec.sleep(0);
    sameItems(told.flat(), ['failing', 'told']);
    queue.close();
    GObject.signal_handler_disconnect(caller, id);
});

test('K34 K35 K36 D6 by function', async () => {
    const seen = [];
    const note = value => seen.push(value);
    same(caller.queueGet(note), null);
    caller.queueClose(note);
    caller.queueCall(note, 1);
    caller.queueCall(note, 2);
    const pending = caller.queueGet(note);
    await caller.submit(() => null);
    sameItems(seen, [1, 2]);
    caller.queueClose(note);
    isTrue(pending.cancelled);
    same(caller.queueGet(note), null);
    await throwsCode(() => caller.queueCall(3), Error, Error.INVALID_ARGUMENT);
});

test('K34 ends with its owner', async () => {
    const owner = new GObject.Object();
    const queue = caller.queue('owned', owner);
    isTrue(queue !== caller.queue('owned'));
    owner.run_dispose();
    isTrue(queue.pending.cancelled);
    isTrue(!queue.push(() => null));
    caller.queue('owned').close();
});

test('R14 not on the threads of others', async () => {
    const thread = Caller.newThread();
    await throwsCode(() => thread.queue('q').push(() => null), Error, Error.NOT_SUPPORTED);
    await throwsCode(() => thread.queueCall(() => null), Error, Error.NOT_SUPPORTED);
    await thread.stop();
});

run();
