// SPDX-License-Identifier: LGPL-2.1-or-later

// With AEX_DEBUG=names jobs are called after their functions.
imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GLib} = imports.gi;

const loop = GLib.MainLoop.new(null, false);
const caller = AsyncExec.Caller.getCurrent();

function work() {}

print(caller.submit(work).name);
print(caller.submit(async () => null).name);
print(caller.options({name: 'given'}).submit(work).name);
print(caller.options({}).submit(work).name);
print(caller.callLater(0, work).name);
caller.callLater(0.001, () => loop.quit());
loop.run();
