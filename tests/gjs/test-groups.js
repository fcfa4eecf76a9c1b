// SPDX-License-Identifier: LGPL-2.1-or-later

// AsyncExec.PendingGroup and the trackers: who is a member, and how it ends.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio} = imports.gi;
const {isTrue, run, same, sameItems, test, throwsCode} = imports.tap;
const {Caller, GroupMode, Pending, PendingGroup, PendingManager, PendingTracker} = AsyncExec;

async function thrownBy(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    return null;
}

test('K58 and K59 manager', () => {
    const manager = new PendingManager();
    const caller = Caller.getCurrent();
    let job = null;
    manager.run(() => {
        isTrue(PendingTracker.getCurrent(PendingManager.$gtype) === manager);
        job = caller.submit(() => 3);
    });
    same(PendingTracker.getCurrent(PendingManager.$gtype), null);
    same(manager.nPendings, 1);
    isTrue(manager.pendings[0] === job);
    return job.then(() => same(manager.nPendings, 0));
});

test('K59 tokens', async () => {
    const manager = new PendingManager();
    const token = manager.push();
    manager.pop(token);
    await throwsCode(() => manager.pop(token), AsyncExec.Error, AsyncExec.Error.MISMATCH);
    await throwsCode(() => manager.remove(new Pending()), AsyncExec.Error, AsyncExec.Error.NOT_FOUND);
});

test('K60 and K61 members', async () => {
    const caller = Caller.getCurrent();
    const seen = [];
    const value = await PendingGroup.run({}, async group => {
        isTrue(PendingGroup.getCurrent() === group);
        caller.submit(() => group.spawn(() => seen.push('late')));
        group.spawn(async () => {
            await AsyncExec.sleep(0.001);
            seen.push('spawned');
        });
        group.add(AsyncExec.sleep(0.002).then(() => seen.push('added')));
        await group.wait(AsyncExec.sleep(0.0001));
        return 7;
    });
    same(value, 7);
    sameItems(seen.sort(), ['added', 'late', 'spawned']);
    same(PendingGroup.getCurrent(), null);
});

test('K42 explicit', async () => {
    const group = new PendingGroup({mode: GroupMode.QUIET, timeout: 60, shield: true, cancellationTimeout: null});
    same(group.mode, GroupMode.QUIET);
    same(group.timeout, 60);
    same(group.cancellationTimeout, null);
    isTrue(group.shield);
    const promise = group.add(new Pending());
    const job = group.submit(Caller.getCurrent(), () => 4);
    const end = group.join();
    same(await job, 4);
    isTrue(!end.done);
    promise.resolve(null);
    await end;
    isTrue(group.over);
    const late = await thrownBy(group.spawn(() => 4));
    isTrue(AsyncExec.matches(late, AsyncExec.Error, AsyncExec.Error.CLOSED));
    await throwsCode(() => new PendingGroup({mode: 17}), AsyncExec.Error, AsyncExec.Error.INVALID_ARGUMENT);
});

test('K62 and P8 errors', async () => {
    const mine = new TypeError('mine');
    let slow = null;
    const thrown = await thrownBy(PendingGroup.run({mode: GroupMode.QUIET}, async group => {
        slow = group.add(new Pending());
        group.spawn(() => {
            throw mine;
        });
        await group.wait(new Pending());
    }));
    isTrue(thrown instanceof AggregateError);
    isTrue(AsyncExec.matches(thrown, AsyncExec.Error, AsyncExec.Error.GROUP));
    same(thrown.errors.length, 1);
    isTrue(thrown.errors[0] === mine);
    isTrue(slow.cancelled);
});

test('K64 own error', async () => {
    const mine = new RangeError('mine');
    let slow = null;
    const thrown = await thrownBy(PendingGroup.run({}, group => {
        slow = group.add(new Pending());
        throw mine;
    }));
    isTrue(thrown === mine);
    isTrue(slow.cancelled);
});

test('P8 own error and others', async () => {
    const mine = new RangeError('mine');
    const other = new RangeError('other');
    const thrown = await thrownBy(PendingGroup.run({}, async group => {
        group.add(new Pending()).reject(other);
        throw mine;
    }));
    sameItems(thrown.errors.map(error => error.message), ['mine', 'other']);
});

test('K63, K64, D2 and D3 modes', async () => {
    const expected = [[GroupMode.IGNORE, false, false, false], [GroupMode.RAISE, true, true, true],
        [GroupMode.QUIET, true, false, false], [GroupMode.RAISE_AT_END, false, true, true]];
    for (const [mode, cancels, memberRaises, raises] of expected) {
        const member = await thrownBy(PendingGroup.run({mode}, group => {
            const [first, second] = [group.add(new Pending()), group.add(new Pending())];
            first.cancel();
            same(group.cancelled, cancels);
            second.resolve(null);
        }));
        same(AsyncExec.isCancelled(member), memberRaises);
        const group = await thrownBy(PendingGroup.run({mode}, async inside => {
            inside.cancel('why');
            await inside.wait(new Pending());
        }));
        same(group?.message ?? null, raises ? 'why' : null);
    }
});

test('K64 timeout', async () => {
    isTrue(AsyncExec.isTimeout(await thrownBy(PendingGroup.run({mode: GroupMode.RAISE, timeout: 0.001},
        group => group.wait(new Pending())))));
    same(await thrownBy(PendingGroup.run({timeout: 0.001}, group => group.wait(new Pending()))), null);
});

test('K67 reenter', async () => {
    await PendingGroup.run({}, async group => {
        const again = await thrownBy(PendingGroup.run(group, () => null));
        isTrue(AsyncExec.matches(again, AsyncExec.Error, AsyncExec.Error.REENTERED));
    });
    await throwsCode(() => new PendingGroup().enter(), AsyncExec.Error, AsyncExec.Error.NOT_SUPPORTED);
});

test('K68 nested', async () => {
    const thrown = await thrownBy(PendingGroup.run({}, async outer => {
        const other = outer.add(new Pending());
        const inner = outer.scope.run(() => PendingGroup.run({}, group => {
            group.add(new Pending()).reject(new Error('inner'));
        }));
        const error = await thrownBy(inner);
        same(error.errors[0].message, 'inner');
        isTrue(other.cancelled);
    }));
    sameItems(thrown.errors.map(error => error.message), ['inner']);
});

test('K69, K25 and P7 opting out', async () => {
    const caller = Caller.getCurrent();
    const free = [];
    await PendingGroup.run({}, group => {
        group.scope.run(() => {
            for (const options of [{trackers: []}, {group: null}]) {
                free.push(caller.options(options).submit(() => PendingGroup.getCurrent()));
                same(group.nPendings, 0);
            }
            free.push(caller.submit(() => PendingGroup.getCurrent() === group));
            same(group.nPendings, 1);
        });
    });
    sameItems(await Promise.all(free), [null, null, true]);
});

test('K65 cancellable', async () => {
    const group = new PendingGroup();
    isTrue(group.cancellable instanceof Gio.Cancellable);
    group.cancel();
    isTrue(group.cancellable.is_cancelled());
    await group.join();
});

run();
