// SPDX-License-Identifier: LGPL-2.1-or-later
// A program of async_executors, ported: several asynchronous functions, and who gets their results.
// usage: gjs -m main.js FOLDER      with files 1 to 5 in it
//
// What it was is in original.py.txt.  A function of JavaScript stays on its own thread, whose caller is the executor;
// what runs on other threads are named operations, here one that loads a file.  Nothing blocks.
//
// Lines of code: 45 there, 56 here.

import AsyncExec from 'gi://AsyncExec?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

const {Caller, CallerPool, Executor, Pending, matches, sleep} = AsyncExec;

async function load(executor, name) {
    return (await executor.call('file-load', {path: GLib.build_filenamev([ARGV[0], name])})).get_size();
}

// Waits for a while, and tells how long a file is.
async function size(name) {
    await sleep(0.001);
    return load(Executor.getDefault(), name);
}

// One after the other.
async function* sizes(names) {
    for (const name of names)
        yield await size(name);
}

// Takes too long, and listens when it is told to stop.
async function watch(job, cancellable) {
    await sleep(3600, cancellable);
}

async function show(executor) {
    // One function, and what it throws.
    print('run:', await executor.submit(size, '1'));
    try {
        await executor.submit(size, 'missing');
    } catch (error) {
        if (matches(error, Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND))
            print('run: no such file');
    }

    // Several of them, each with a result to ask for.
    const pendings = [...'12345'].map(name => executor.submit(size, name));
    print('submit:', ...await Pending.all(pendings));

    // At most two at the same time, as they complete, each in its time.
    const tasks = [() => size('1'), () => size('missing'), watch, () => size('4')];
    const values = [];
    let nErrors = 0;
    for await (const [value, error] of executor.runMultiple(tasks, {maxWorkers: 2, timeout: 0.5})) {
        if (error)
            nErrors++;
        else
            values.push(value);
    }
    print('values:', ...values.sort());
    print('errors:', nErrors);

    // An asynchronous iterator.
    const iterated = [];
    for await (const each of executor.map(value => value, sizes('345')))
        iterated.push(each);
    print('iterator:', ...iterated);
}

// The thread that runs this has a loop.
await show(Caller.getCurrent());

// Three others, each with its own.
const pool = CallerPool.new(3);
print('pool:', pool.nCallers);
print('await:', await load(pool, '2'));
let total = 0;
for (const value of await Pending.all([...'12345'].map(name => load(pool, name))))
    total += value;
print('total:', total);

// The one that everybody uses, and another in its place.
print('default:', await load(Executor.getDefault(), '3'));
Executor.setDefault(pool);
print('default:', await load(Executor.getDefault(), '4'));
await pool.shutdown();
