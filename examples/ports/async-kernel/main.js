// SPDX-License-Identifier: LGPL-2.1-or-later
// A program of async-kernel, ported: reads files on threads.
// usage: gjs -m main.js FOLDER      with files 1 to 5 in it, and one, endless, that takes long
//
// What it was is in original.py.txt.  JavaScript stays on its own thread: what runs on others are named operations,
// here one that loads a file; coroutines, call queues and groups are as they were.
//
// Lines of code: 53 there, 60 here.

import AsyncExec from 'gi://AsyncExec?version=1';
import GLib from 'gi://GLib';

const {Caller, Pending, PendingGroup, asCompleted, isCancelled, sleep} = AsyncExec;

// Blocks, and so is for a thread.
function load(executor, name) {
    return executor.call('file-load', {path: GLib.build_filenamev([ARGV[0], name])});
}

// Busy until it is told to stop.
async function watch() {
    await sleep(3600);
}

// Never two of them at the same time, although it awaits.
async function save(number, saved) {
    print('saving', number);
    await sleep(0.001);
    saved.resolve(number);
}

const caller = Caller.getCurrent();
caller.hold();
const [reader, writer] = ['reader', 'writer'].map(name => caller.child(name));
print('children:', ...caller.children.map(child => child.name).sort());
print('on a child:', (await load(reader, '1')).get_size());

// As they complete, at most two at the same time.
function* jobs() {
    for (const name of '12345')
        yield load(caller.workers, name);
}
let total = 0;
for await (const job of asCompleted(jobs(), {maxConcurrent: 2}))
    total += job.result().get_size();
print('total:', total);

// Strictly one after the other.
const saved = [0, 1, 2].map(() => new Pending());
saved.forEach((pending, number) => caller.queueCall(save, number, pending));
const [done, unfinished] = await AsyncExec.wait(saved);
caller.queueClose(save);
print('saved:', done.length, 'of', done.length + unfinished.length, caller.queueGet(save) ? 'open' : 'closed');

// A member that fails ends the others, and the block.
try {
    await PendingGroup.run({}, async group => {
        load(caller.workers, 'missing');
        await group.wait(sleep(3600));
    });
} catch (failed) {
    print('failed:', failed.errors.length);
}

// A member that is cancelled: ends the innermost group quietly, makes the middle one say so; the outermost ignores it.
const [outermost, middle, innermost] = [0, 1, 2].map(mode => new PendingGroup({mode}));
const last = await PendingGroup.run(outermost, async () => {
    try {
        await PendingGroup.run(middle, () => PendingGroup.run(innermost, async () => {
            caller.callSoon(watch).cancel('changed my mind');
            await innermost.wait(sleep(3600));
        }));
    } catch (error) {
        print('middle:', isCancelled(error) ? 'says so' : error);
    }
    return await load(outermost.on(caller.workers), '5');
});
const groups = [outermost, middle, innermost];
print('groups:', last.get_size(), ...groups.map(group => group.cancelled ? 'cancelled' : 'ended'));

// Stopped while it is busy: what runs is cancelled, what comes later is refused.
const busy = writer.call('file-checksum', {path: GLib.build_filenamev([ARGV[0], 'endless'])});
await writer.stop();
const late = load(writer, '1');
print('cancelled:', [busy, late].filter(job => job.cancelled).length, 'of 2');

await caller.release();
print('stopped:', [reader, writer, caller].filter(each => each.stopped.done).length, 'of 3');
