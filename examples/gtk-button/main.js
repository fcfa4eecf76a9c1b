// SPDX-License-Identifier: LGPL-2.1-or-later
// A button that starts a job on a thread, and cancels it; a bar that shows how far it is.
// JavaScript itself stays on its thread: the job is an operation of the library.
// usage: gjs -m main.js FILE

import AsyncExec from 'gi://AsyncExec?version=1';
import GObject from 'gi://GObject';
import Gtk from 'gi://Gtk?version=4.0';

const Window = GObject.registerClass(class Window extends Gtk.ApplicationWindow {
    _init(application, path) {
        super._init({application, title: 'gtk-button', default_width: 320});
        this._path = path;
        this._job = null;
        this._button = new Gtk.Button({label: 'Start'});
        this._bar = new Gtk.ProgressBar();
        const box = new Gtk.Box({orientation: Gtk.Orientation.VERTICAL, spacing: 12});
        box.append(this._button);
        box.append(this._bar);
        this.set_child(box);
        this._button.connect('clicked', () => this._onClicked().catch(logError));
    }

    async _onClicked() {
        if (this._job) {
            this._job.cancel('Cancelled. Again?');
            return;
        }
        this._button.label = 'Cancel';
        this._job = AsyncExec.Executor.getDefault().call('file-checksum', {path: this._path});
        this._job.cancelWith(this._button);
        this._job.bindProgress(this._bar);
        try {
            await this._job;
            this._button.label = 'Done. Again?';
        } catch (error) {
            this._button.label = error.message;
        } finally {
            this._job = null;
        }
    }
});

const application = new Gtk.Application();
application.connect('activate', () => new Window(application, ARGV[0]).present());
application.run([]);
