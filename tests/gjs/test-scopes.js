// SPDX-License-Identifier: LGPL-2.1-or-later

// AsyncExec.Scope: what is said to stand in it ends with it.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio} = imports.gi;
const {isTrue, run, same, test, throwsCode} = imports.tap;
const {Caller, Pending, Scope} = AsyncExec;

async function thrownBy(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('nothing was thrown');
}

test('N1 wait ends in time', async () => {
    const scope = new Scope({timeout: 0.001});
    const pending = new Pending();
    isTrue(scope.deadline > 0);
    isTrue(AsyncExec.isTimeout(await thrownBy(scope.wait(pending))));
    isTrue(pending.cancelled);
    isTrue(scope.cancelled);
    isTrue(scope.leave());
    isTrue(scope.leave());
});

test('N1 in time', async () => {
    const scope = new Scope({timeout: 60});
    same(await scope.wait(Pending.resolved(3)), 3);
    same(await scope.wait(Promise.resolve(4)), 4);
    same(scope.leave(), false);
    same(new Scope().deadline, null);
});

test('N2 cancel', async () => {
    const scope = new Scope();
    const waits = [scope.wait(new Pending()), scope.wait(new Promise(() => null))];
    scope.cancel();
    for (const wait of waits)
        isTrue(AsyncExec.isCancelled(await thrownBy(wait)));
    await throwsCode(() => scope.check(), Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    isTrue(scope.leave());
});

test('N2 cancellable', async () => {
    const cancellable = new Gio.Cancellable();
    const scope = new Scope({cancellable});
    const wait = scope.wait(new Pending());
    cancellable.cancel();
    isTrue(AsyncExec.isCancelled(await thrownBy(wait)));
    isTrue(scope.leave());
    const quiet = new Scope({cancellable: new Gio.Cancellable()});
    same(quiet.leave(), false);
});

test('N3 nested and N4 shielded', async () => {
    const outer = new Scope();
    const [inner, shield] = outer.run(() => [new Scope(), new Scope({shield: true})]);
    outer.cancel();
    await throwsCode(() => inner.check(), Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    isTrue(shield.check());
    same(inner.leave(), false);
    same(shield.leave(), false);
    isTrue(outer.leave());
});

test('N6 what run submits ends with it', async () => {
    const scope = new Scope();
    const here = Caller.getCurrent();
    const jobs = scope.run((a, b) => [here.submit(() => a), here.callLater(60, () => b)], 1, 2);
    const outside = here.submit(() => 3);
    scope.cancel();
    for (const job of jobs)
        isTrue(job.cancelled);
    same(await outside, 3);
    isTrue(scope.leave());
});

test('N6 add', async () => {
    const scope = new Scope({timeout: 0.001});
    const pending = scope.add(new Pending());
    isTrue(AsyncExec.isTimeout(await thrownBy(pending)));
    isTrue(scope.cancellable.is_cancelled());
    scope.leave();
});

test('N6 runs inside runs', () => {
    const nested = (object, depth) => object.run(() => depth > 0 ? nested(object, depth - 1) + 1 : 0);
    same(nested(new Scope(), 5), 5);
    same(nested(AsyncExec.Context.new(), 5), 5);
});

test('N7 left', async () => {
    const scope = new Scope();
    const job = scope.run(() => Caller.getCurrent().submit(() => 1));
    same(scope.leave(), false);
    scope.cancel();
    same(scope.cancelled, false);
    same(await job, 1);
});

test('N8 Scope.run', async () => {
    same(await Scope.run({timeout: 60}, async scope => await scope.wait(Pending.resolved(5))), 5);
    isTrue(AsyncExec.isTimeout(await thrownBy(Scope.run({timeout: 0.001}, () => new Pending()))));
    const boom = new Error('boom');
    same(await thrownBy(Scope.run({}, () => {
        throw boom;
    })), boom);
    isTrue(AsyncExec.isCancelled(await thrownBy(Scope.run({}, scope => {
        scope.cancel();
        return AsyncExec.sleep(60);
    }))));
});

test('N8 mistakes', async () => {
    await throwsCode(() => Scope.enter(), AsyncExec.Error, AsyncExec.Error.NOT_SUPPORTED);
    await throwsCode(() => new Scope({timeuot: 1}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await throwsCode(() => new Scope().run(null), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
    await throwsCode(() => new Scope().add(null), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
});

run();
