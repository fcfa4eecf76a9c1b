// SPDX-License-Identifier: LGPL-2.1-or-later

// Provokes errors in JavaScript, and prints what they say: see messages.c.

import AsyncExec from 'gi://AsyncExec?version=1';
import GLib from 'gi://GLib';
import Gettext from 'gettext';

const {Caller, Executor, Pending} = AsyncExec;

async function say(name, promise) {
    try {
        await promise;
    } catch (error) {
        print(`${name}\t${error.message}`);
        return;
    }
    throw new Error(`${name}: no error`);
}

function sayThrown(name, func) {
    try {
        func();
    } catch (error) {
        print(`${name}\t${error.message}`);
        return;
    }
    throw new Error(`${name}: nothing was thrown`);
}

// With its first message, which need not be one of C, the library says where catalogues are.
const promise = new Pending();
try {
    AsyncExec.Limiter.new(Executor.getDefault(), 0);
} catch (error) {
    // The message is looked at below.
}
Gettext.bindtextdomain('asyncexec-1', GLib.getenv('AEX_TEST_LOCALEDIR'));

sayThrown('no-slot', () => AsyncExec.Limiter.new(Executor.getDefault(), 0));
sayThrown('no-thread', () => Executor.getDefault().submit(() => 1));
print(`status-running\t${promise.dup_status_text()}`);
await say('over', promise.withTimeout(0.001));
promise.cancel();
await say('cancelled', promise);
print(`status-cancelled\t${promise.dup_status_text()}`);

const pool = Executor.getDefault();
await say('no-operation', pool.call('fly'));
await say('no-algorithm', pool.call('file-checksum', {path: '/etc/passwd', algorithm: 'rot13'}));
await say('first-of-none', Pending.first([]));
sayThrown('of-c', () => AsyncExec.Scope.prototype.waitFinish());
sayThrown('any-thread', () => promise.addDoneCallbackInline());
sayThrown('of-a-map', () => AsyncExec.PendingStream.prototype.setValue());

const caller = Caller.getCurrent();
caller.max_pending = 1;
const job = caller.submit(() => 1);
await say('busy-1', caller.submit(() => 2));
await job;
