// SPDX-License-Identifier: LGPL-2.1-or-later

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib, GObject} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode, throwsSame, turn, watchCollection} = imports.tap;
const {Caller, Executor, Pending, ThreadPool} = AsyncExec;

const boom = new RangeError('boom');
const caller = Caller.getCurrent();

const Later = GObject.registerClass(class Later extends Executor {
    vfunc_dispatch(job) {
        GLib.idle_add(300, () => (job.run(), GLib.SOURCE_REMOVE));
    }
});

// ---- jobs

test('names submit', async () => {
    same(await caller.submit(() => 5), 5);
    same(await caller.submit((a, b) => a + b, 1, 2), 3);
    const job = caller.submit((running, cancellable) => [running, cancellable instanceof Gio.Cancellable]);
    sameItems(await job, [job, true]);
    same(caller.submit, caller.submit_async);
});

test('names submit async functions', async () => {
    const job = caller.submit(async () => {
        await AsyncExec.sleep(0);
        return [1, 2];
    });
    same(job.done, false);
    sameItems(await job, [1, 2]);
    same(await caller.submit(() => Pending.resolved('followed')), 'followed');
    same(await caller.submit(() => Promise.resolve('promised')), 'promised');
});

test('K23 never inline', async () => {
    let ran = false;
    const job = caller.submit(() => {
        ran = true;
    });
    same(ran, false);
    same(await job, undefined);
    isTrue(ran);
});

test('exceptions user exception comes back as itself', async () => {
    const thrown = [boom, 'a string', undefined, null, 42, Symbol('s'), {}, Object.create(null),
        new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND, 'gone')];
    for (const each of thrown) {
        await throwsSame(() => caller.submit(() => {
            throw each;
        }), each);
        await throwsSame(() => caller.submit(async () => {
            await AsyncExec.sleep(0);
            throw each;
        }), each);
        await throwsSame(() => caller.submit(() => Promise.reject(each)).shield().withTimeout(60), each);
        await throwsSame(() => new Later().submit(() => {
            throw each;
        }), each);
    }
    isTrue(boom.stack.length > 0);
});

test('exceptions matches for any thrown value', async () => {
    const error = new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED, 'c');
    isTrue(AsyncExec.isCancelled(error));
    same(AsyncExec.isTimeout(error), false);
    isTrue(AsyncExec.matches(error, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED));
    for (const other of [boom, null, undefined, 'text', 7])
        sameItems([AsyncExec.isCancelled(other), AsyncExec.isTimeout(other),
            AsyncExec.matches(other, Gio.IOErrorEnum, 0)], [false, false, false]);
    same(AsyncExec.is_cancelled, AsyncExec.isCancelled);
});

test('exceptions GROUP is an AggregateError', async () => {
    const failing = [Pending.rejected(boom), Pending.rejected(new GLib.Error(Gio.IOErrorEnum, 1, 'gone'))];
    const error = await throwsCode(() => Pending.any(failing), AsyncExec.Error, AsyncExec.Error.GROUP);
    isTrue(error instanceof AggregateError);
    same(error.errors.length, 2);
    same(error.errors[0], boom);
    isTrue(error.errors[1].matches(Gio.IOErrorEnum, 1));
    same(error.code, AsyncExec.Error.GROUP);
    same(error.domain, AsyncExec.Error.quark());
    same(AsyncExec.matches(error, Gio.IOErrorEnum, AsyncExec.Error.GROUP), false);
    // In a group again.
    const outer = await throwsCode(() => Pending.any([Pending.any(failing)]), AsyncExec.Error, AsyncExec.Error.GROUP);
    same(outer.errors[0].errors[0], boom);
});

test('exceptions time-out', async () => {
    for (const func of [(job, cancellable) => AsyncExec.sleep(1000, cancellable),
        async (job, cancellable) => {
            await AsyncExec.sleep(1000, cancellable);
        }]) {
        const error = await throwsCode(() => caller.options({timeout: 0.001}).submit(func), Gio.IOErrorEnum,
            Gio.IOErrorEnum.TIMED_OUT);
        isTrue(AsyncExec.isTimeout(error));
    }
});

test('exceptions CLOSED and BUSY', async () => {
    const executor = new Later({maxPending: 1});
    const first = executor.submit(() => 1);
    await throwsCode(() => executor.submit(() => 2), AsyncExec.Error, AsyncExec.Error.BUSY);
    executor.shutdownNowait();
    await throwsCode(() => executor.submit(() => 3), AsyncExec.Error, AsyncExec.Error.CLOSED);
    same(await first, 1);
});

test('K31 cancelling an async job', async () => {
    let seen = null;
    const job = caller.submit(async (running, cancellable) => {
        try {
            await AsyncExec.sleep(1000, cancellable);
        } catch (error) {
            seen = error;
        }
        return 'too late';
    });
    await turn();
    isTrue(job.cancel());
    await throwsCode(() => job, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    isTrue(AsyncExec.isCancelled(seen));
});

test('R5 handlers of a cancellable stay on the thread of JavaScript', async () => {
    for (const executor of [caller, new Later()]) {
        let cancelled = 0;
        const job = executor.submit((running, cancellable) => new Promise(resolve => {
            cancellable.connect(() => {
                cancelled++;
                resolve();
            });
            // Fires on another thread.
            running.withTimeout(0.001).catch(() => null);
        }));
        await throwsCode(() => job, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
        same(cancelled, 1);
    }
});

test('rule1 an outcome set by the job itself', async () => {
    same(await caller.submit(job => {
        job.resolve('mine');
        return 'not mine';
    }), 'mine');
});

// ---- where JavaScript may run

test('K19 R14 other executors refuse functions at once', async () => {
    const elsewhere = [new ThreadPool(), Executor.getDefault(), Caller.newThread('other')];
    for (const executor of elsewhere) {
        const calls = [() => executor.submit(() => 1), () => executor.submit(async () => 1), () => executor.post(() => 1),
            () => executor.map(x => x, [1]), () => executor.runMultiple([]), () => executor.submit_full(null, () => 1),
            () => executor.submit_async_full(null, () => 1), () => executor.options({name: 'a'}).submit(() => 1),
            () => executor.options({}).post(() => 1), () => executor.options({}).map(x => x, [])];
        if (executor instanceof Caller)
            calls.push(() => executor.callSoon(() => 1), () => executor.callLater(0, () => 1), () => executor.callDirect(() => 1));
        for (const call of calls) {
            let error = null;
            try {
                call();
            } catch (thrown) {
                error = thrown;
            }
            isTrue(AsyncExec.matches(error, AsyncExec.Error, AsyncExec.Error.NOT_SUPPORTED), String(call));
            isTrue(error.message.includes('Caller.getCurrent()') && error.message.includes('call()'));
        }
        same(executor.nPending, 0);
    }
    await elsewhere[2].stop();
    await elsewhere[0].shutdown();
});

test('R10 what is for many threads is refused', async () => {
    const pool = new ThreadPool();
    const calls = [() => pool.setThreadMain(() => 1), () => pool.run_worker(), () => caller.setWakeFunc(() => 1),
        () => caller.dispatch(1), () => caller.get_ready_time(), () => new Later({dispatchAnywhere: true})];
    for (const call of calls)
        await throwsCode(call, AsyncExec.Error, AsyncExec.Error.NOT_SUPPORTED);
});

test('names runsHere', () => {
    isTrue(caller.runsHere());
    isTrue(new Later().runsHere());
    same(new ThreadPool().runsHere(), false);
});

// ---- fire and forget

test('names post', async () => {
    const seen = [];
    caller.post((...args) => seen.push(...args), 1, 2);
    sameItems(seen, []);
    await turn();
    sameItems(seen, [1, 2]);
});

test('I8 what nobody waits for is reported', async () => {
    const executor = new Later();
    const seen = [];
    executor.connect('unhandled-error', (from, pending, error) => {
        seen.push([from === executor, pending, error === boom]);
        return true;
    });
    executor.post(() => {
        throw boom;
    });
    executor.post(async () => {
        await AsyncExec.sleep(0);
        throw boom;
    });
    executor.options({name: 'third'}).post(() => Promise.reject(boom));
    while (seen.length < 3)
        await turn();
    sameItems(seen, [[true, null, true], [true, null, true], [true, null, true]]);
});

// ---- options

test('names options', async () => {
    const view = caller.options({name: 'mine', metadata: {key: 'value'}, priority: AsyncExec.Priority.HIGH});
    const job = view.submit((x, running) => [x, running.name, running.getMetadata('key')], 7);
    sameItems(await job, [7, 'mine', 'value']);
    await throwsCode(() => caller.options({tiemout: 1}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await throwsCode(() => caller.options({timeout: -1}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    await throwsCode(() => caller.options({cancellable}).submit(() => 1), Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
});

test('names options priority', async () => {
    const seen = [];
    const jobs = [AsyncExec.Priority.BACKGROUND, AsyncExec.Priority.DEFAULT, AsyncExec.Priority.HIGH]
        .map(priority => caller.options({priority}).submit(() => seen.push(priority)));
    await Pending.all(jobs);
    sameItems(seen, [1, 0, -1]);
});

// ---- callers

test('K1 names getCurrent getMain', () => {
    same(Caller.getCurrent(), caller);
    same(Caller.getMain(), caller);
    same(Caller.get_current, Caller.getCurrent);
    same(Caller.forContext(GLib.MainContext.default()), caller);
});

test('K24 names callSoon callLater', async () => {
    same(await caller.callSoon((a, b) => a * b, 2, 3), 6);
    const start = GLib.get_monotonic_time();
    same(await caller.callLater(0.02, x => x, 'arg'), 'arg');
    isTrue(GLib.get_monotonic_time() - start >= 20000);
    same(await caller.callLater(0, async () => {
        await AsyncExec.sleep(0);
        return 'async';
    }), 'async');
    await throwsSame(() => caller.callLater(0, () => {
        throw boom;
    }), boom);
    const later = caller.callLater(1000, () => 1);
    later.cancel();
    await throwsCode(() => later, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
});

test('K26 names callDirect', async () => {
    const seen = [];
    const id = caller.connect('unhandled-error', (_caller, pending, error) => {
        seen.push(pending, error);
        return true;
    });
    caller.callDirect(value => seen.push(value), 'direct');
    caller.callDirect(() => {
        throw boom;
    });
    while (seen.length < 3)
        await turn();
    caller.disconnect(id);
    sameItems(seen, ['direct', null, boom]);
});

test('K16 K37 names stop started stopped', async () => {
    const other = Caller.newThread('other');
    await other.started;
    same(other.stopped.done, false);
    await other.stop({force: true});
    isTrue(other.stopped.done);
    same(other.state, AsyncExec.ExecutorState.STOPPED);
});

// ---- shutting down

test('E5 E6 names shutdown', async () => {
    const executor = new Later();
    const job = executor.submit(() => 'ran');
    const over = executor.shutdown();
    isTrue(over instanceof Pending);
    await over;
    same(job.result(), 'ran');
    await executor.shutdown();
});

test('names shutdown drops and cancels', async () => {
    const executor = new Later();
    const running = executor.submit((job, cancellable) => AsyncExec.sleep(1000, cancellable));
    while (executor.nRunning === 0)
        await turn();
    const queued = executor.submit(() => 1);
    await executor.shutdown({cancelPending: true, cancelRunning: true});
    await throwsCode(() => queued, AsyncExec.Error, AsyncExec.Error.CLOSED);
    isTrue(AsyncExec.isCancelled(running.error));
    await throwsCode(() => executor.shutdown({cancel: true}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
});

test('S18 names getDefault setDefault', async () => {
    const old = Executor.getDefault();
    isTrue(old instanceof ThreadPool);
    const mine = new Later();
    Executor.setDefault(mine);
    same(Executor.get_default(), mine);
    same(await Executor.getDefault().submit(() => 1), 1);
    Executor.setDefault(old);
    same(Executor.getDefault(), old);
});

// ---- subclasses

test('R11 R12 S4 names subclass', async () => {
    const executor = new Later({name: 'mine'});
    same(executor.name, 'mine');
    same(await executor.submit(async x => x, 4), 4);
    same(executor.nPending + executor.nRunning, 0);
});

test('fact10 a dispatch that throws rejects the job', async () => {
    const Broken = GObject.registerClass(class Broken extends Executor {
        vfunc_dispatch() {
            throw boom;
        }
    });
    await throwsSame(() => new Broken().submit(() => 1), boom);
    const Empty = GObject.registerClass(class Empty extends Executor {});
    await throwsCode(() => new Empty().submit(() => 1), AsyncExec.Error, AsyncExec.Error.NOT_SUPPORTED);
});

test('I1 a dropped job is rejected', async () => {
    const Forgetful = GObject.registerClass(class Forgetful extends Executor {
        vfunc_dispatch() {}
    });
    const executor = new Forgetful();
    const job = executor.submit(() => 1);
    await turn();
    await executor.shutdown({cancelPending: true});
    await throwsCode(() => job, AsyncExec.Error, AsyncExec.Error.CLOSED);
});

// ---- owners

test('K51 a cancellation that is implied reaches a job', async () => {
    const jobs = [caller, new Later()].map(executor =>
        executor.submit((job, cancellable) => AsyncExec.sleep(1000, cancellable)));
    const all = Pending.all(jobs);
    all.cancel();
    for (const job of jobs)
        await throwsCode(() => job, Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
});

// GJS ties a callback to the JavaScript half of the object whose method took it.
test('R6 callbacks outlive the JavaScript halves of pendings and executors', async () => {
    let n = 0;
    const start = i => {
        new Later().submit(async () => {
            await AsyncExec.sleep(0.001);
            n++;
        }).addDoneCallback(() => n++);
        Pending.all([Pending.resolved([i]), AsyncExec.sleep(0.001)]).then(() => n++);
        Caller.getMain().submit(() => n++);
    };
    for (let i = 0; i < 50; i++)
        start(i);
    imports.system.gc();
    for (let i = 0; n < 200; i++) {
        await turn();
        if (i % 50 === 0)
            imports.system.gc();
    }
    same(n, 200);
});

test('R6 closures are let go of', async () => {
    const executor = new Later();
    const watched = watchCollection(token => {
        caller.submit(() => token);
        executor.submit(() => token).addDoneCallback(() => token);
        caller.post(() => token);
        caller.callDirect(() => token);
        executor.submit(() => token).cancel();
        caller.callLater(1000, () => token).cancel();
    });
    await executor.shutdown();
    await watched.gone();
});

test('K46 a kept pending keeps nothing of its job', async () => {
    const watched = watchCollection(token => caller.submit(() => String(token)));
    await Pending.all(watched.held);
    await watched.gone();
    isTrue(watched.held.every(job => job.done));
});

run();
