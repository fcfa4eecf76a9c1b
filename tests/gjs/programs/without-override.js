// SPDX-License-Identifier: LGPL-2.1-or-later

// Run by a test with the typelib only: a pending is no thenable then, and
// awaiting it gives the pending itself.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GLib} = imports.gi;

const loop = new GLib.MainLoop(null, false);

async function main() {
    const pending = AsyncExec.Pending.new_resolved(5);
    const caller = AsyncExec.Caller.ref_main();
    const job = caller.submit(running => running.resolve(6));
    if (await pending !== pending || await job !== job)
        throw new Error('awaited something else');
    await new Promise(resolve => job.add_done_callback(resolve));
    print(`a plain value ${pending.dup_value()} ${job.dup_value()}`);
}

main().catch(logError).finally(() => loop.quit());
loop.run();
