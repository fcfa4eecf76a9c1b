// SPDX-License-Identifier: LGPL-2.1-or-later

// Run by a test: an extension of the desktop, switched on and off.  Whatever is
// going on, disable () only has to shut its pool down.

imports.gi.versions.AsyncExec = '1';
const {AsyncExec, GLib} = imports.gi;

class Extension {
    enable() {
        this._pool = new AsyncExec.ThreadPool({name: 'extension', maxWorkers: 1});
        this._walks = Array.from({length: 5}, () => this._pool.call('file-walk', {path: '/usr'}));
        for (const walk of this._walks)
            walk.subscribe(() => null);
        return Promise.allSettled(this._walks);
    }

    disable() {
        this._pool.shutdownNowait({cancelPending: true, cancelRunning: true});
        this._pool = null;
        this._walks = null;
    }
}

const loop = new GLib.MainLoop(null, false);

async function main() {
    const extension = new Extension();
    for (let i = 0; i < 3; i++) {
        const ended = extension.enable();
        await AsyncExec.sleep(0);
        extension.disable();
        const fine = (await ended).every(({status, reason}) => status === 'fulfilled' || AsyncExec.isCancelled(reason) ||
            AsyncExec.matches(reason, AsyncExec.Error, AsyncExec.Error.CLOSED));
        print(`off ${fine}`);
    }
}

main().catch(logError).finally(() => loop.quit());
loop.run();
