// SPDX-License-Identifier: LGPL-2.1-or-later

// What an editor has to accept.

/// <reference path="gi.d.ts" />
/// <reference path="../../../libasyncexec/bindings/gjs/asyncexec-1.d.ts" />

import AsyncExec from 'gi://AsyncExec?version=1';
import Gio from 'gi://Gio?version=2.0';

const {Caller, ContextVar, Pending, ThreadPool} = AsyncExec;

async function double(n: number): Promise<number> {
    await AsyncExec.sleep(0.5);
    return 2 * n;
}

export async function main(bar: import('gi://GObject?version=2.0').default.Object): Promise<string> {
    const caller = Caller.getCurrent();
    const n: number = await caller.submit(double, 4);
    const text: string = await caller.submit((word: string) => word + n, 'x');
    const cancellable = new Gio.Cancellable();
    const pool = new ThreadPool({maxWorkers: 2, idleTimeout: 1.5});
    const job = pool.options({name: 'sum', timeout: 5, cancellable}).call('file-checksum', {path: '/etc/hostname'});
    job.bindProgress(bar);
    job.subscribe((message, pending) => pending.cancel(String(message)));
    await job;

    for await (const square of caller.map((x: number) => x * x, [1, 2, 3], {maxConcurrent: 2}))
        square.toFixed();
    for await (const [value, error] of caller.runMultiple([async () => 1, () => 2]))
        (value ?? 0).toFixed(error === null ? 1 : 2);
    for await (const done of AsyncExec.asCompleted([job, Pending.resolved(3)], {timeout: 3}))
        done.result();

    const promise = new Pending<number>();
    promise.addDoneCallback(done => done.result().toFixed());
    promise.resolve(4);
    const all: number[] = await Pending.all([promise, 5]);
    const variable = ContextVar.new('who', 'nobody');
    const token = variable.set(text);
    variable.reset(token);
    try {
        await promise.withTimeout(1).waitAsync({timeout: 3, protect: true});
    } catch (error) {
        if (!AsyncExec.isTimeout(error) && !AsyncExec.matches(error, AsyncExec.Error, AsyncExec.Error.CLOSED))
            throw error;
    }
    await pool.shutdown({cancelRunning: true});
    return all.join();
}
