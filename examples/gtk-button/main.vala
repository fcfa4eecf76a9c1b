// SPDX-License-Identifier: LGPL-2.1-or-later
// A button that starts a job on a thread, and cancels it; a bar that shows how far it is.

class Window : Gtk.ApplicationWindow {
    Gtk.Button button = new Gtk.Button.with_label ("Start");
    Gtk.ProgressBar bar = new Gtk.ProgressBar ();
    AsyncExec.Pending? job = null;

    public Window (Gtk.Application app) {
        Object (application: app, title: "gtk-button", default_width: 320, default_height: 100);
        var box = new Gtk.Box (Gtk.Orientation.VERTICAL, 12);
        box.append (button);
        box.append (bar);
        child = box;
        button.clicked.connect (() => {
            if (job != null)
                job.cancel ("Cancelled. Again?");
            else
                run.begin ();
        });
    }

    // On a thread.
    static bool hash_zeros (AsyncExec.Pending job) throws Error {
        var sum = new Checksum (ChecksumType.SHA256);
        var block = new uchar[1 << 20];

        for (uint i = 0; i < 1000 && AsyncExec.check_cancelled (); i++) {
            sum.update (block, block.length);
            job.set_progress ((i + 1) / 1000.0);
        }
        return job.resolve_string (sum.get_string ());
    }

    // On the main thread.
    async void run () {
        button.label = "Cancel";
        job = AsyncExec.Executor.get_default ().submit (hash_zeros);
        job.cancel_with (button);
        job.bind_property ("progress", bar, "fraction", BindingFlags.SYNC_CREATE);
        try {
            yield job.wait_async ();
            button.label = "Done. Again?";
        } catch (Error e) {
            button.label = e.message;
        }
        job = null;
    }
}

static int main (string[] args) {
    var app = new Gtk.Application (null, ApplicationFlags.FLAGS_NONE);
    app.activate.connect (() => new Window (app).present ());
    return app.run (args);
}
