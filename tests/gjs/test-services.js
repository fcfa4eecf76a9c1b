// SPDX-License-Identifier: LGPL-2.1-or-later

// Services, lazy values, and cancellations that were refused.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GObject} = imports.gi;
const {system} = imports;
const {isTrue, run, same, sameItems, test, throwsCode, throwsSame} = imports.tap;
const {Caller, Error, Lazy, Pending, Service} = AsyncExec;

async function serve(service) {
    service.ready();
    await service.stopping;
    return 'ok';
}

test('K43 sync', async () => {
    const service = new Service(serve, {name: 'test'});
    same(service.name, 'test');
    same(service.caller, Caller.getCurrent());
    const started = service.start();
    same(service.start(), started);
    same(started, service.started);
    await started;
    same(service.ready(), false);
    same(service.stopping.done, false);
    same(service.stopped.cancel(), false);
    const stopped = service.stop();
    same(stopped, service.stopped);
    same(await stopped, 'ok');
    isTrue(service.stopping.done);
});

test('K43 stopped before it has started', async () => {
    const service = Service.new(null, null, serve);
    isTrue(AsyncExec.isCancelled(service.stop().error));
    isTrue(AsyncExec.isCancelled(service.start().error));
});

test('K43 function once', async () => {
    const service = new Service();
    await throwsCode(() => service.start(), Error, Error.NOT_FOUND);
    service.setFunc(serve);
    await throwsCode(() => service.setFunc(serve), Error, Error.EXISTS);
    await service.start();
    await service.stop();
});

test('K43 stop_early', async () => {
    const service = new Service(async self => {
        self.ready();
    });
    service.start();
    await throwsCode(() => service.stopped, Error, Error.STOPPED_EARLY);
});

test('K43 task_error', async () => {
    const failure = new RangeError('This failed');
    const service = new Service(() => {
        throw failure;
    });
    await throwsSame(() => service.start(), failure);
    await throwsSame(() => service.stopped, failure);
    const later = new Service(async () => {
        await AsyncExec.sleep(0);
        throw failure;
    });
    await throwsSame(() => later.start(), failure);
    await throwsSame(() => later.stopped, failure);
});

test('K43 context', async () => {
    const service = new Service(serve);
    await throwsCode(() => service.use(() => 1), Error, Error.FAILED);
    service.start();
    same(await service.use((self, factor) => {
        same(self, service);
        isTrue(service.started.done);
        return 2 * factor;
    }, 21), 42);
    same(service.stopped.result(), 'ok');
    await throwsCode(() => service.use(() => 1), Error, Error.REENTERED);
    await throwsCode(() => service.enter(), Error, Error.NOT_SUPPORTED);
});

test('K43 context that fails, and one whose service ends', async () => {
    const failure = new RangeError('inside');
    const service = new Service(serve);
    service.start();
    await throwsSame(() => service.use(() => {
        throw failure;
    }), failure);
    isTrue(service.stopped.done);
    const short = new Service(self => {
        self.ready();
    });
    short.start();
    await throwsCode(() => short.use(() => 1), Error, Error.STOPPED_EARLY);
});

test('K43 subclass', async () => {
    const Counter = GObject.registerClass(class TestCounter extends Service {
        async vfunc_run() {
            this.ready();
            await this.stopping;
            return this.name;
        }
    });
    const service = new Counter({name: 'counter'});
    await service.start();
    same(await service.stop(), 'counter');
});

test('K43 gc', async () => {
    let stop;
    const ended = [];
    (() => {
        const service = new Service(async self => {
            self.ready();
            stop = () => self.stop();
            await self.stopping;
            ended.push('ended');
        });
        service.start();
    })();
    await AsyncExec.sleep(0.001);
    system.gc();
    await AsyncExec.sleep(0.001);
    system.gc();
    await stop();
    sameItems(ended, ['ended']);
    stop = null;
});

test('K19 R14 a service of another thread', async () => {
    const thread = Caller.newThread('other');
    await throwsCode(() => new Service(serve, {caller: thread}), Error, Error.NOT_SUPPORTED);
    await throwsCode(() => new Lazy(() => 1, {executor: thread}), Error, Error.NOT_SUPPORTED);
    await thread.stop();
});

test('K71 once', async () => {
    let n = 0;
    const lazy = new Lazy(() => [++n]);
    isTrue(lazy instanceof Lazy);
    same(lazy.made, false);
    await throwsCode(() => lazy.peek(), Error, Error.NOT_DONE);
    const value = await lazy.get();
    same(await lazy.get(), value);
    same(lazy.peek(), value);
    isTrue(lazy.isMade());
    same(n, 1);
    same(lazy.executor, null);
});

test('K71 async', async () => {
    let n = 0;
    for (const executor of [null, Caller.getCurrent()]) {
        const lazy = Lazy.new(executor, async () => {
            await AsyncExec.sleep(0);
            return ++n;
        });
        const values = await Promise.all([lazy.get(), lazy.get(), lazy.get()]);
        same(new Set(values).size, 1);
    }
    same(n, 2);
});

test('K71 failure', async () => {
    const failures = [new RangeError('first')];
    const [failure] = failures;
    const lazy = new Lazy(() => {
        if (failures.length > 0)
            throw failures.pop();
        return 5;
    });
    await throwsSame(() => lazy.get(), failure);
    same(await lazy.get(), 5);
});

test('K71 cancelled asker, and self-reference', async () => {
    const lazy = new Lazy(async () => {
        await AsyncExec.sleep(0.001);
        return 5;
    });
    const first = lazy.get();
    const second = lazy.get();
    isTrue(first.cancel());
    same(await second, 5);
    const own = new Lazy(() => own.get());
    await throwsCode(() => own.get(), Error, Error.WOULD_DEADLOCK);
});

test('D18 requested', async () => {
    const promise = Pending.newFull(AsyncExec.PendingFlags.PROTECTED);
    const derived = promise.withTimeout(60);
    same(promise.wasCancelRequested(), false);
    isTrue(derived.cancel());
    same(promise.cancelled, false);
    isTrue(promise.wasCancelRequested());
    promise.resolve(3);
    same(await promise, 3);
    isTrue(promise.was_cancel_requested());
});

run();
