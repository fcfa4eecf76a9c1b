// SPDX-License-Identifier: LGPL-2.1-or-later

// What a program gets wrong is told to it: it neither waits for ever, nor loses
// an error, nor is it aborted.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GObject} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode, throwsSame} = imports.tap;
const {Caller, Pending, ThreadPool} = AsyncExec;
const {INVALID_ARGUMENT, NOT_SUPPORTED} = AsyncExec.Error;

const boom = new RangeError('boom');
const caller = Caller.getCurrent();

async function collect(stream) {
    const items = [];
    for await (const item of stream)
        items.push(item);
    return items;
}

const refused = call => throwsCode(call, AsyncExec.Error, INVALID_ARGUMENT);

test('E4 a window that nothing fits in is refused', async () => {
    for (const window of [-1, NaN, 'two', '2', {}]) {
        await refused(() => caller.map(x => x, [1], {maxConcurrent: window}));
        await refused(() => caller.runMultiple([() => 1], {maxWorkers: window}));
        await refused(() => AsyncExec.asCompleted([1], {maxConcurrent: window}));
    }
    sameItems(await collect(caller.runMultiple([() => 1, () => 2], {maxWorkers: null})), [[1, null], [2, null]]);
    same((await collect(AsyncExec.asCompleted([1, 2], {maxConcurrent: null}))).length, 2);
    same((await collect(AsyncExec.asCompleted([1, 2], {maxConcurrent: Infinity}))).length, 2);
});

test('what is not to be iterated over is refused', async () => {
    for (const items of [undefined, null, 5, {}, () => 1]) {
        await refused(() => caller.map(x => x, items));
        await refused(() => caller.runMultiple(items));
        await refused(() => AsyncExec.asCompleted(items));
        for (const name of ['all', 'allSettled', 'any', 'first'])
            await refused(() => Pending[name](items));
    }
});

test('K40 asCompleted tells what its source throws, after what is done', async () => {
    function* source() {
        yield 1;
        yield 2;
        throw boom;
    }
    for (const maxConcurrent of [0, 1]) {
        const completed = AsyncExec.asCompleted(source(), {maxConcurrent});
        const values = [];
        await throwsSame(async () => {
            for await (const pending of completed)
                values.push(pending.result());
        }, boom);
        sameItems(values, [1, 2]);
        isTrue((await completed.next()).done);
    }
    await throwsSame(() => collect(AsyncExec.asCompleted((function* () {
        throw undefined;
    })())), undefined);
});

test('K40 asCompleted closes its source when it is left', async () => {
    let closed = false;
    function* source() {
        try {
            for (;;)
                yield AsyncExec.sleep(0);
        } finally {
            closed = true;
        }
    }
    for await (const pending of AsyncExec.asCompleted(source(), {maxConcurrent: 2})) {
        isTrue(pending.done);
        break;
    }
    isTrue(closed);
    const left = AsyncExec.asCompleted([1, 2]);
    isTrue((await left.next()).value.done);
    await left.return();
    isTrue((await left.next()).done);
});

test('E4 a source that throws when a map is left is no hindrance', async () => {
    const source = {
        next: () => ({value: 1, done: false}),
        return: () => {
            throw boom;
        },
        [Symbol.iterator]() {
            return this;
        },
    };
    const stream = caller.map(x => x, source);
    await stream.next();
    same((await stream.return('left')).value, 'left');
});

test('K48 a value that resists goes through as it is', async () => {
    const resists = {
        get constructor() {
            throw boom;
        },
    };
    same(await caller.submit(() => resists), resists);
    same(await caller.submit(async () => resists), resists);
    same(await caller.callLater(0, async () => resists), resists);
    same(await Pending.fromPromise(Promise.resolve(resists)), resists);
    // What can not even be looked at is an error, not a wait without end.
    const trapped = new Proxy({}, {
        getPrototypeOf() {
            throw boom;
        },
    });
    await throwsSame(() => Pending.fromPromise(Promise.resolve(trapped)), boom);
    await throwsSame(() => caller.submit(async () => trapped), boom);
});

test('R12 final classes can not be derived from', async () => {
    for (const base of [Pending, AsyncExec.PendingStream, ThreadPool, Caller, AsyncExec.Operations, AsyncExec.ContextVar]) {
        await throwsCode(() => GObject.registerClass(class extends base {}), AsyncExec.Error, NOT_SUPPORTED);
        await throwsCode(() => GObject.registerClass({GTypeName: 'Mine'}, class extends base {}), AsyncExec.Error, NOT_SUPPORTED);
    }
});

test('exceptions helpers take anything', () => {
    const group = Object.assign(new AggregateError([], 'group'), {domain: 1, code: 2});
    const things = [undefined, null, 0, '', Symbol('thing'), {}, [], () => 1, Object.create(null), boom, group];
    for (const thing of things) {
        same(AsyncExec.isCancelled(thing), false);
        same(AsyncExec.isTimeout(thing), false);
        same(AsyncExec.matches(thing, undefined, 2), false);
        same(AsyncExec.matches(thing, null, 2), false);
    }
});

test('names nothing to cancel on is nothing', () => {
    const pending = new Pending();
    pending.cancelOn();
    pending.cancelOn(null);
    pending.cancelOn(undefined);
    same(pending.done, false);
    pending.cancelOn(new Gio.Cancellable());
    pending.cancel();
    isTrue(pending.cancelled);
});

test('names nonsense for a priority is refused', async () => {
    for (const priority of ['high', NaN, {}, 1.5])
        await refused(() => caller.options({priority}));
    same(await caller.options({priority: AsyncExec.Priority.HIGH}).submit(() => 1), 1);
    same(await caller.options({priority: null}).submit(() => 2), 2);
});

test('names nonsense for an executor or a flag is refused', async () => {
    for (const nonsense of [undefined, null, 'x', {}, new Pending()])
        await refused(() => AsyncExec.Executor.setDefault(nonsense));
    for (const flags of [0, undefined, null, 'x', NaN])
        await refused(() => Pending.resolved(1).addContinuation(flags, () => 2));
});

run();
