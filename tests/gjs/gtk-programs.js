// SPDX-License-Identifier: LGPL-2.1-or-later

// Run by test-gtk.js, each in a process of its own: what an application does
// between activation and its end.

imports.gi.versions.AsyncExec = '1';
imports.gi.versions.Gtk = '4.0';
const {AsyncExec, Gio, GLib, GObject, Gtk} = imports.gi;
const System = imports.system;

// From 2.80 on GLib has them in a namespace of their own, and says so if they are used elsewhere.
function addSignal(...rest) {
    try {
        return (imports.gi.GLibUnix.signal_add ?? imports.gi.GLibUnix.signal_add_full)(...rest);
    } catch {
        return GLib.unix_signal_add(...rest);
    }
}

const programs = {
    async awaits(app, window) {
        const label = new Gtk.Label();
        window.set_child(label);
        const bytes = await new AsyncExec.ThreadPool().call('file-load', {path: '/proc/self/comm'});
        label.set_text(`${bytes.get_size() > 0}`);
        print(`awaited ${label.get_text()}`);
        app.quit();
    },

    doneCallback(app, window) {
        const label = new Gtk.Label();
        window.set_child(label);
        AsyncExec.Caller.getCurrent().submit(() => 'five').addDoneCallback(pending => {
            label.set_text(pending.result());
            print(`done ${label.get_text()}`);
            app.quit();
        });
    },

    bindProgress(app, window) {
        const bar = new Gtk.ProgressBar();
        window.set_child(bar);
        const pending = new AsyncExec.Pending();
        bar.connect('notify::fraction', () => {
            if (bar.get_fraction() > 0) {
                print(`fraction ${bar.get_fraction()}`);
                app.quit();
            }
        });
        pending.bindProgress(bar);
        pending.setProgress(0.5);
    },

    quitUnderWay(app) {
        const pool = new AsyncExec.ThreadPool();
        for (let i = 0; i < 20; i++)
            pool.call('file-walk', {path: '/usr/share/doc'}).catch(() => null);
        AsyncExec.Caller.getCurrent().submit(() => new Promise(() => {}));
        app.quit();
    },

    controlC(app) {
        const pool = new AsyncExec.ThreadPool();
        const walk = pool.call('file-walk', {path: '/usr'});
        addSignal(GLib.PRIORITY_DEFAULT, 2, () => {
            walk.cancel('interrupted');
            return GLib.SOURCE_REMOVE;
        });
        walk.catch(error => {
            print(`cancelled ${AsyncExec.isCancelled(error)}`);
            app.quit();
        });
        Gio.Subprocess.new(['kill', '-INT', new Gio.Credentials().get_unix_pid().toString()], 0);
    },
};

const app = new Gtk.Application({flags: Gio.ApplicationFlags.NON_UNIQUE});
app.connect('activate', () => {
    const window = new Gtk.ApplicationWindow({application: app});
    window.present();
    const ended = programs[ARGV[0]](app, window);
    ended?.catch(error => {
        logError(error);
        System.exit(1);
    });
});
print(`ended with ${app.run([])}`);
