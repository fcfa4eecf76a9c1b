// SPDX-License-Identifier: LGPL-2.1-or-later

// Run by a test: an engine that has Symbol.asyncDispose.

Symbol.asyncDispose ??= Symbol('Symbol.asyncDispose');
imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GLib} = imports.gi;
const loop = new GLib.MainLoop(null, false);

async function main() {
    const pool = new AsyncExec.ThreadPool();
    const stream = AsyncExec.PendingStream.new();
    await pool[Symbol.asyncDispose]();
    await stream[Symbol.asyncDispose]();
    const {done} = await stream.next();
    print(`${pool.state === AsyncExec.ExecutorState.STOPPED} ${done}`);
}

main().catch(logError).finally(() => loop.quit());
loop.run();
