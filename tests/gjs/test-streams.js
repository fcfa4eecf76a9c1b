// SPDX-License-Identifier: LGPL-2.1-or-later

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode, throwsSame, turn, watchCollection} = imports.tap;
const {Caller, Pending, PendingStream} = AsyncExec;

const boom = new RangeError('boom');
const caller = Caller.getCurrent();

async function collect(stream) {
    const items = [];
    for await (const item of stream)
        items.push(item);
    return items;
}

// Each waits at a gate of its own, until that is opened.
class Gates {
    constructor() {
        this._gates = new Map();
    }

    _gate(name) {
        if (!this._gates.has(name)) {
            let open = null;
            const opened = new Promise(resolve => {
                open = resolve;
            });
            this._gates.set(name, {open, opened});
        }
        return this._gates.get(name);
    }

    wait(name) {
        return this._gate(name).opened;
    }

    // What waited at one goes on before the next is opened.
    async openInOrder(...names) {
        for (const name of names) {
            this._gate(name).open();
            await turn();
        }
    }
}

function* count(n, pulled = []) {
    for (let i = 0; i < n; i++) {
        pulled.push(i);
        yield i;
    }
}

// ---- pushed streams

test('names next gives promises of value and done', async () => {
    const stream = new PendingStream();
    const first = stream.next();
    isTrue(first instanceof Promise);
    stream.push([1]);
    stream.end();
    const {value, done} = await first;
    sameItems([value, done], [[1], false]);
    const last = await stream.next();
    sameItems([last.value, last.done], [undefined, true]);
    same(AsyncExec.Stream, PendingStream);
});

test('fact9 pendings are kept by the iterator', async () => {
    const stream = PendingStream.new();
    const pending = new Pending();
    stream.push(pending);
    stream.end();
    sameItems(await collect(stream), [pending]);
});

test('names push waits for room', async () => {
    const stream = PendingStream.new(1);
    await stream.push('a');
    const second = stream.push('b');
    await turn();
    same(second.done, false);
    same((await stream.next()).value, 'a');
    await second;
    stream.end(boom);
    same((await stream.next()).value, 'b');
    await throwsSame(() => stream.next(), boom);
    isTrue((await stream.next()).done);
});

test('names stream getters', () => {
    const stream = PendingStream.new();
    stream.push(boom);
    sameItems([stream.nDone, stream.nTotal], [1, null]);
    const {model} = stream;
    isTrue(model instanceof Gio.ListModel || typeof model.get_n_items === 'function');
});

test('names results in the model', async () => {
    const stream = PendingStream.new();
    const {model} = stream;
    stream.push([7]);
    await turn();
    await turn();
    const item = model.get_item(0);
    sameItems([item.index, item.success, item.value, item.error, item.pending], [0, true, [7], null, null]);
});

test('a request is answered though nobody holds the stream', async () => {
    const ask = () => {
        const stream = PendingStream.new();
        turn().then(() => stream.push('kept'));
        return stream.next();
    };
    const request = ask();
    imports.system.gc();
    same((await request).value, 'kept');
});

// ---- map

test('E4 names map in order', async () => {
    const ended = [], gates = new Gates();
    const stream = caller.map(async x => {
        await gates.wait(x);
        ended.push(x);
        return x * x;
    }, [1, 2, 3]);
    isTrue(stream instanceof PendingStream);
    await gates.openInOrder(3, 2, 1);
    sameItems(await collect(stream), [1, 4, 9]);
    sameItems(ended, [3, 2, 1]);
});

test('names map unordered', async () => {
    const gates = new Gates();
    const stream = caller.map(x => gates.wait(x).then(() => x), [3, 1, 2], {ordered: false});
    await gates.openInOrder(1, 2, 3);
    sameItems(await collect(stream), [1, 2, 3]);
});

test('E4 sized items start at the call, iterators in a window', async () => {
    const started = [];
    const note = x => {
        started.push(x);
        return x;
    };
    const all = caller.map(note, [0, 1, 2, 3, 4]);
    await turn();
    same(started.length, 5);
    const pulled = [];
    const some = caller.map(note, count(5, pulled));
    same(pulled.length, 2);
    await turn();
    same(pulled.length, 2);
    same((await some.next()).value, 0);
    same(pulled.length, 3);
    sameItems(await collect(some), [1, 2, 3, 4]);
    sameItems(await collect(all), [0, 1, 2, 3, 4]);
    const at_once = [];
    await collect(caller.map(note, count(9, at_once), {maxConcurrent: 0}));
    same(at_once.length, 9);
});

test('map never runs more than its window', async () => {
    let running = 0, most = 0;
    await collect(caller.map(async () => {
        running++;
        most = Math.max(most, running);
        await AsyncExec.sleep(0.001);
        running--;
    }, count(20), {maxConcurrent: 3}));
    same(most, 3);
});

test('E4 the first error in order ends a map', async () => {
    const cancelled = [], gates = new Gates();
    const stream = caller.map(async (x, job, cancellable) => {
        if (x === 1) {
            gates.openInOrder(0);
            throw boom;
        }
        if (x === 0)
            await gates.wait(x);
        else
            await AsyncExec.sleep(1000, cancellable).catch(() => cancelled.push(x));
        return x;
    }, [0, 1, 2, 3]);
    same((await stream.next()).value, 0);
    await throwsSame(() => stream.next(), boom);
    isTrue((await stream.next()).done);
    await stream.close();
    sameItems(cancelled, [2, 3]);
});

test('names map returnExceptions', async () => {
    const items = await collect(caller.map(x => {
        if (x === 1)
            throw boom;
        return x;
    }, [0, 1, 2], {returnExceptions: true}));
    sameItems(items, [0, boom, 2]);
});

test('names map timeout counts from the slot', async () => {
    const stream = caller.map((x, job, cancellable) => AsyncExec.sleep(x, cancellable), [0, 1000],
        {timeout: 0.25, maxConcurrent: 1});
    same((await stream.next()).value, null);
    await throwsCode(() => stream.next(), Gio.IOErrorEnum, Gio.IOErrorEnum.TIMED_OUT);
});

test('leaving a map closes it', async () => {
    const pulled = [];
    let finished = false;
    function* source() {
        try {
            yield* count(100, pulled);
        } finally {
            finished = true;
        }
    }
    for await (const value of caller.map(x => x, source())) {
        if (value === 2)
            break;
    }
    isTrue(finished);
    isTrue(pulled.length < 10);
});

test('S10 map over an asynchronous iterator', async () => {
    async function* source() {
        for (let i = 0; i < 4; i++) {
            await AsyncExec.sleep(0);
            yield i;
        }
    }
    sameItems(await collect(caller.map(x => x * 2, source())), [0, 2, 4, 6]);
});

test('a source that throws ends the map', async () => {
    function* source() {
        yield 1;
        throw boom;
    }
    const stream = caller.map(x => x, source());
    await throwsSame(async () => {
        while (!(await stream.next()).done)
            ;
    }, boom);
    await throwsCode(() => caller.map(x => x, 5), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    sameItems(await collect(caller.map(x => x, [])), []);
});

test('map with options', async () => {
    const names = await collect(caller.options({name: 'item'}).map((x, job) => job.name, [1, 2]));
    sameItems(names, ['item', 'item']);
});

// ---- runMultiple

test('S8 names runMultiple', async () => {
    const gates = new Gates(), last = new Pending(), seen = [];
    const stream = caller.runMultiple([
        () => 1,
        async () => {
            await gates.wait('throw');
            throw boom;
        },
        last,
        Promise.resolve('p'),
    ]);
    for (const next of [() => null, () => null, () => gates.openInOrder('throw'), () => last.resolve(null)]) {
        await next();
        seen.push((await stream.next()).value);
    }
    isTrue((await stream.next()).done);
    sameItems(seen.find(([value]) => value === 1), [1, null]);
    sameItems(seen.find(([value]) => value === 'p'), ['p', null]);
    sameItems(seen[2], [null, boom]);
    sameItems(seen[3], [null, null]);
});

test('S8 runMultiple has a window and a limit of time', async () => {
    const two = new Pending();
    let running = 0, most = 0;
    await collect(caller.runMultiple(Array(4).fill(async () => {
        most = Math.max(most, ++running);
        if (running === 2)
            two.resolve(null);
        await two;
        running--;
    }), {maxWorkers: 2}));
    same(most, 2);
    const task = (job, cancellable) => AsyncExec.sleep(1000, cancellable);
    const seen = await collect(caller.runMultiple([task, task, task], {maxWorkers: 2, timeout: 0.005}));
    same(seen.length, 3);
    for (const [value, error] of seen) {
        same(value, null);
        isTrue(AsyncExec.isTimeout(error));
    }
});

test('S8 maxWorkers is greater than 0', async () => {
    for (const maxWorkers of [0, -1, NaN])
        await throwsCode(() => caller.runMultiple([() => 1], {maxWorkers}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    sameItems(await collect(caller.runMultiple([], {maxWorkers: 1})), []);
});

test('P24 one cancelled task does not end the others', async () => {
    const cancelled = new Pending();
    cancelled.cancel();
    const seen = await collect(caller.runMultiple([cancelled, () => 1, () => 2], {maxWorkers: 1}));
    isTrue(AsyncExec.isCancelled(seen[0][1]));
    sameItems(seen.slice(1).map(([value]) => value), [1, 2]);
});

test('P24 closing cancels the rest', async () => {
    const started = [];
    const stream = caller.runMultiple([1, 2, 3, 4].map(() => (job, cancellable) => {
        started.push(job);
        return AsyncExec.sleep(1000, cancellable);
    }), {maxWorkers: 2, timeout: null});
    await turn();
    await stream.close();
    same(started.length, 2);
    isTrue(started.every(job => job.cancelled && job.done));
});

test('a long lazy map has only its window in flight', async () => {
    const pulled = [];
    let n = 0;
    for await (const value of caller.map(x => x, count(2000, pulled), {maxConcurrent: 8})) {
        same(value, n++);
        isTrue(pulled.length - n <= 8);
    }
    same(n, 2000);
});

// ---- several pendings

test('K40 an asynchronous generator is pulled as others are done', async () => {
    let open = 0, most = 0;
    const closed = [new Pending(), new Pending()];
    async function* source(n, end) {
        try {
            for (let i = 0; i < n; i++) {
                await AsyncExec.sleep(0);
                most = Math.max(most, ++open);
                yield AsyncExec.sleep(0.001).then(() => i);
            }
        } finally {
            end.resolve();
        }
    }
    const found = [];
    for await (const pending of AsyncExec.asCompleted(source(20, closed[0]), {maxConcurrent: 3})) {
        open--;
        found.push(pending.result());
    }
    sameItems(found.sort((a, b) => a - b), [...Array(20).keys()]);
    isTrue(most <= 4);
    for await (const _pending of AsyncExec.asCompleted(source(1000, closed[1])))
        break;
    await Promise.all(closed);
});

test('K40 null ends it, and a source that throws ends it last', async () => {
    const results = async items => {
        const found = [];
        for await (const pending of AsyncExec.asCompleted(items))
            found.push(pending.result());
        return found;
    };
    sameItems(await results([Pending.resolved(1), null, Pending.resolved(2)]), [1]);
    await throwsSame(() => results((function* () {
        yield Pending.resolved(1);
        throw boom;
    })()), boom);
});

test('D4 leaving early cancels, and offers to wait', async () => {
    const gates = new Gates();
    const job = caller.submit(() => gates.wait('end'));
    const completed = AsyncExec.asCompleted([job, Pending.resolved(1)]);
    await completed.next();
    const closed = completed.close();
    isTrue(job.cancelled);
    isTrue(!job.done);
    gates.openInOrder('end');
    sameItems(await closed, [job]);
    isTrue(job.done);
    isTrue((await completed.next()).done);
});

test('K41 names wait', async () => {
    const {FIRST_COMPLETED, FIRST_ERROR, ALL_COMPLETED} = AsyncExec.ReturnWhen;
    for (const before of [true, false]) {
        const pendings = [new Pending(), new Pending(), new Pending()];
        const [a, b, c] = pendings;
        const steps = [
            [FIRST_COMPLETED, () => c.resolve(), [c]],
            [FIRST_ERROR, () => b.reject(boom), [b, c]],
            [ALL_COMPLETED, () => a.resolve(), [a, b, c]],
        ];
        for (const [returnWhen, step, expected] of steps) {
            if (before)
                step();
            const waited = AsyncExec.wait(pendings, {returnWhen});
            if (!before)
                step();
            const [done, left] = await waited;
            sameItems(done, expected);
            sameItems(left, pendings.filter(pending => !expected.includes(pending)));
        }
        same(b.error, boom);
    }
});

test('K41 the time being over is an answer and cancels nothing', async () => {
    const pending = new Pending();
    sameItems(await AsyncExec.wait([pending], {timeout: 0.001}), [[], [pending]]);
    sameItems(await AsyncExec.wait([pending], {timeout: 0}), [[], [pending]]);
    sameItems(await AsyncExec.wait([]), [[], []]);
    const cancellable = new Gio.Cancellable();
    const waited = AsyncExec.wait([pending], {cancellable});
    cancellable.cancel();
    await throwsCode(() => waited, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    isTrue(!pending.cancelled);
    sameItems(await AsyncExec.wait([Promise.resolve(1)]).then(([done]) => done.map(p => p.result())), [1]);
    pending.resolve();
});

test('K70 transfer tells what becomes of an item', async () => {
    const stream = new PendingStream();
    const taken = stream.transfer(boom), left = stream.transfer('left');
    same((await stream.next()).value, boom);
    same(await taken, null);
    isTrue(!left.cancel());
    await stream.close();
    await throwsCode(() => left, AsyncExec.Error, AsyncExec.Error.CLOSED);
    await throwsCode(() => stream.transfer('late'), AsyncExec.Error, AsyncExec.Error.CLOSED);
});

test('R6 maps let go of their functions', async () => {
    const watched = watchCollection(token => {
        caller.map(() => token, [1, 2, 3]).close();
        return collect(caller.map(() => String(token), [1]));
    });
    await Promise.all(watched.held);
    await watched.gone();
});

run();
