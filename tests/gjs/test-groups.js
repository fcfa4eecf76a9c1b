// SPDX-License-Identifier: LGPL-2.1-or-later

// AsyncExec.PendingGroup and the trackers: who is a member, and how it ends.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, Gio, GLib} = imports.gi;
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

test('K60, K61 and I3 for each', async () => {
    const caller = Caller.getCurrent();
    const seen = [];
    await PendingGroup.run({}, group => {
        group.forEach(caller, item => seen.push(item), [1, 2, Promise.resolve(3)]);
        group.forEach(caller, async item => {
            await null;
            seen.push(item);
        }, new Set(['a', 'b']));
        same(group.nPendings, 2);
        sameItems(seen, []);
    });
    sameItems(seen.filter(item => typeof item === 'number'), [1, 2, 3]);
    sameItems(seen.filter(item => typeof item === 'string'), ['a', 'b']);
    const group = new PendingGroup();
    await group.join();
    await throwsCode(() => group.forEach(caller, () => 1, [1]), AsyncExec.Error, AsyncExec.Error.CLOSED);
});

test('K60 for each takes turns', async () => {
    const caller = Caller.getCurrent();
    const order = [];
    await PendingGroup.run({}, group => {
        group.forEach(caller, item => {
            const end = GLib.get_monotonic_time() + 2000;
            while (GLib.get_monotonic_time() < end);
            order.push(item);
            if (item === 0)
                caller.submit(() => order.push('between'));
        }, [0, 1, 2]);
    });
    isTrue(order.indexOf('between') < order.indexOf(2));
    same(order.length, 4);
});

test('K62 for each fails', async () => {
    const caller = Caller.getCurrent();
    const seen = [];
    const thrown = await thrownBy(PendingGroup.run({}, group => {
        group.forEach(caller, item => {
            seen.push(item);
            if (item === 2)
                throw new RangeError('two');
        }, [0, 1, 2, 3, 4]);
    }));
    sameItems(thrown.errors.map(error => error.message), ['two']);
    sameItems(seen, [0, 1, 2]);
});

test('K63 and K64 for each cancelled', async () => {
    const caller = Caller.getCurrent();
    for (const [mode, goesOn, raises] of [[GroupMode.IGNORE, true, false], [GroupMode.RAISE, false, true],
        [GroupMode.QUIET, false, false], [GroupMode.RAISE_AT_END, true, true]]) {
        const seen = [];
        const thrown = await thrownBy(PendingGroup.run({mode}, group => {
            group.forEach(caller, item => {
                seen.push(item);
                if (item === 0)
                    return Pending.rejected(new GLib.Error(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED, 'as it were'));
                return null;
            }, [0, 1, 2]);
        }));
        same(seen.length, goesOn ? 3 : 1);
        same(thrown !== null, raises);
    }
    const seen = [];
    await PendingGroup.run({}, group => {
        group.forEach(caller, item => {
            seen.push(item);
            group.cancel();
        }, [0, 1, 2]);
    });
    sameItems(seen, [0]);
});

test('K65 cancellable', async () => {
    const group = new PendingGroup();
    isTrue(group.cancellable instanceof Gio.Cancellable);
    group.cancel();
    isTrue(group.cancellable.is_cancelled());
    await group.join();
});

run();
