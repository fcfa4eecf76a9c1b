// SPDX-License-Identifier: LGPL-2.1-or-later

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GLib} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode} = imports.tap;
const {Caller, CallerPool, Limiter, Permit, ThreadPool} = AsyncExec;

const caller = Caller.getCurrent();

test('E1 over anything, and nothing else', async () => {
    const limiter = new Limiter({wrapped: Limiter.new(caller, 2), maxConcurrent: 1});
    same(await limiter.submit(() => 5), 5);
    for (const wrapped of [3, 'pool', null])
        await throwsCode(() => new Limiter({wrapped, maxConcurrent: 1}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    for (const maxConcurrent of [0, -1, 1.5, 'one'])
        await throwsCode(() => Limiter.new(caller, maxConcurrent), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await limiter.shutdown();
});

test('E8 wrapped', async () => {
    const limiter = new Limiter({wrapped: caller, maxConcurrent: 3});
    same(limiter.wrapped, caller);
    same(limiter.getWrapped(), caller);
    same(limiter.maxConcurrent, 3);
    limiter.maxConcurrent = 2;
    same(limiter.getMaxConcurrent(), 2);
    limiter.setMaxConcurrent(1);
    same(limiter.max_concurrent, 1);
    await throwsCode(() => limiter.setMaxConcurrent(0), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await limiter.shutdown();
});

test('E5 E6 serial, and drained', async () => {
    const limiter = Limiter.new(caller);
    const seen = [];
    let running = 0;
    const jobs = Array.from({length: 20}, (_none, i) => limiter.submit(async () => {
        same(++running, 1);
        await AsyncExec.sleep(0);
        seen.push(i);
        running--;
    }));
    const stopped = limiter.shutdown();
    await throwsCode(() => limiter.submit(() => 1), AsyncExec.Error, AsyncExec.Error.CLOSED);
    await stopped;
    isTrue(jobs.every(job => job.done));
    sameItems(seen, Array.from({length: 20}, (_none, i) => i));
});

test('E4 map and runMultiple', async () => {
    const limiter = Limiter.new(caller, 2);
    let running = 0, most = 0;
    const work = async item => {
        most = Math.max(most, ++running);
        await AsyncExec.sleep(0);
        running--;
        return item * 2;
    };
    const seen = [];
    for await (const value of limiter.map(work, [1, 2, 3, 4, 5, 6]))
        seen.push(value);
    sameItems(seen, [2, 4, 6, 8, 10, 12]);
    same(most, 2);
    await limiter.shutdown();
});

test('permits', async () => {
    const limiter = Limiter.new(caller, 1);
    const permit = await limiter.acquire();
    isTrue(permit instanceof Permit);
    const job = limiter.submit(() => 'after');
    const cancelled = limiter.acquire();
    isTrue(cancelled.cancel());
    await AsyncExec.sleep(0);
    same(job.done, false);
    permit.release();
    permit.release();
    same(await job, 'after');
    const other = await limiter.acquire();
    if (Symbol.dispose)
        other[Symbol.dispose]();
    else
        other.release();
    await limiter.shutdown();
});

test('R14 a function that could not run there is refused at once', async () => {
    const pool = new ThreadPool({maxWorkers: 1});
    const callers = new CallerPool({nCallers: 2});
    const others = [Limiter.new(pool, 1), callers, Limiter.new(callers, 1)];
    for (const executor of others) {
        for (const give of [() => executor.submit(() => 1), () => executor.post(() => 1),
            () => executor.options({name: 'x'}).submit(() => 1), () => executor.map(() => 1, [1])])
            await throwsCode(give, AsyncExec.Error, AsyncExec.Error.NOT_SUPPORTED);
    }
    // Operations are no functions of JavaScript.
    const path = GLib.build_filenamev([GLib.get_tmp_dir(), `aex-limiter-${GLib.uuid_string_random()}`]);
    GLib.file_set_contents(path, 'checksum me');
    for (const executor of others)
        isTrue(/^[0-9a-f]{64}$/.test(await executor.call('file-checksum', {path})));
    GLib.unlink(path);
    for (const executor of [others[0], others[2], callers, pool])
        await executor.shutdown();
});

test('S14 S15 S16 S17 a pool of callers', async () => {
    const callers = CallerPool.new(3);
    same(callers.nCallers, 3);
    same(callers.listCallers().length, 3);
    isTrue(callers.listCallers().every(each => each instanceof Caller));
    sameItems([callers.pick(), callers.pick()], [0, 0]);
    sameItems(callers.dupLoads(), [0, 0, 0]);
    await throwsCode(() => CallerPool.new(0), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await throwsCode(() => new CallerPool({nCallers: 0}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await callers.shutdown({cancelPending: true, cancelRunning: true});
    await callers.shutdown();
    same(callers.pick(), -1);
    await throwsCode(() => callers.call('file-checksum', {path: '/'}), AsyncExec.Error, AsyncExec.Error.CLOSED);
});

run();
