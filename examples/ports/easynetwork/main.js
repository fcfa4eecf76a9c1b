// SPDX-License-Identifier: LGPL-2.1-or-later
// A program of EasyNetwork, ported: functions one at a time, and who waits for them.
// usage: gjs -m main.js FOLDER      with files 1 to 5 in it
//
// What it was is in original.py.txt.  A function of JavaScript stays on its own thread and is an asynchronous one
// instead of one that blocks; a limiter of one is the executor.  What computes is a named operation on a pool.
//
// Lines of code: 47 there, 57 here.

import AsyncExec from 'gi://AsyncExec?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

const {Caller, ContextVar, Executor, Limiter, Pending, isCancelled, matches} = AsyncExec;
const user = ContextVar.new('user');

function file(name) {
    return Gio.File.new_for_path(GLib.build_filenamev([ARGV[0], name]));
}

async function size(name) {
    return (await Executor.getDefault().call('file-load', {path: file(name)})).get_size();
}

// Does not listen when it is told to stop.
async function hold(started, gate) {
    started.resolve();
    await gate.shield();
    return 'held';
}

// How a wait ended that takes its job with it only while that is queued.
async function outcome(job, cancellable) {
    try {
        return await job.waitAsync({queuedOnly: true, cancellable});
    } catch (error) {
        return isCancelled(error) ? 'cancelled' : error;
    }
}

const executor = new Limiter({wrapped: Caller.getCurrent(), maxConcurrent: 1});

// One call, and what it throws.
print('run:', await executor.submit(size, '1'));
try {
    await executor.submit(size, 'missing');
} catch (error) {
    if (matches(error, Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND))
        print('run: no such file');
}

// The function sees the context variables of its caller.
user.set('ann');
print('user:', await executor.submit(() => user.value));

// All at once, results in the order of the arguments.
const sizes = [];
for await (const each of executor.map(size, '12345'))
    sizes.push(each);
print('map:', ...sizes);

// A promise for whoever wants one.
print('future:', await executor.submit(size, '2').then(value => value));

// One that runs is waited for although its waiter is cancelled, one that is queued is dropped with its waiter, and
// one by the shutdown.
const cancellable = new Gio.Cancellable();
const [started, gate] = [new Pending(), new Pending()];
const running = outcome(executor.submit(hold, started, gate), cancellable);
const queued = outcome(executor.submit(size, '3'), cancellable);
const dropped = executor.submit(size, '4');
await started;
cancellable.cancel();
print('queued:', await queued);
executor.shutdownNowait({cancelPending: true});
gate.resolve();
print('running:', await running);
if (dropped.cancelled)
    print('dropped: cancelled');

// After the end.
try {
    await executor.submit(size, '5');
} catch (error) {
    if (matches(error, AsyncExec.Error, AsyncExec.Error.CLOSED))
        print('closed');
}
