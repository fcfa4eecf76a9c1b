// SPDX-License-Identifier: LGPL-2.1-or-later

// Run by a test: a GTK application's loop runs the jobs.

imports.gi.versions.AsyncExec = '1';
imports.gi.versions.Gtk = '4.0';
const {AsyncExec, Gio, Gtk} = imports.gi;

const application = new Gtk.Application({application_id: 'org.example.AsyncExec', flags: Gio.ApplicationFlags.NON_UNIQUE});

async function activate() {
    const caller = AsyncExec.Caller.getCurrent();
    const window = new Gtk.ApplicationWindow({application});
    const bar = new Gtk.ProgressBar();
    window.set_child(bar);
    window.present();
    const job = caller.submit(async running => {
        // What is not known yet is shown as 0.
        const shown = new Promise(resolve => bar.connect('notify::fraction', () => bar.fraction > 0 && resolve()));
        running.bindProgress(bar);
        running.setProgress(0.5);
        await shown;
        return bar.fraction;
    });
    print(`fraction ${await job}`);
    window.close();
}

application.connect('activate', () => {
    activate().catch(logError).finally(() => application.quit());
});
application.run([]);
