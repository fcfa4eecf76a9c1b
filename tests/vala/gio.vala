// SPDX-License-Identifier: LGPL-2.1-or-later
// Asynchronous methods of GIO and ours, in one method: both are yielded.

using AsyncExec;

static async int64 count (Executor pool, File file, Cancellable? cancellable) throws GLib.Error {
    var info = yield file.query_info_async ("standard::size", FileQueryInfoFlags.NONE, GLib.Priority.DEFAULT, cancellable);
    var job = pool.submit (job => job.resolve_int64 (info.get_size () * 10));

    yield job.wait_async (WaitFlags.CANCEL_ON_ABANDON, -1, cancellable);
    uint8[] contents;
    yield file.load_contents_async (cancellable, out contents, null);
    assert (Caller.get_main ().runs_here ());
    return job.get_int64 () + contents.length;
}

// A method of GIO as a pending: the coroutine of a caller.
static Pending begin_count (Executor pool, File file) {
    var cancellable = new Cancellable ();
    var outcome = new Pending ();

    outcome.set_canceller (() => cancellable.cancel ());
    count.begin (pool, file, cancellable, (source, result) => {
        try {
            outcome.resolve_int64 (count.end (result));
        } catch (GLib.Error e) {
            outcome.reject ((owned) e);
        }
    });
    return outcome;
}

static File make_file (string text) {
    FileIOStream stream;

    try {
        var file = File.new_tmp ("asyncexec-XXXXXX", out stream);
        file.replace_contents (text.data, null, false, FileCreateFlags.NONE, null);
        return file;
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void remove_file (File file) {
    try {
        file.delete ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_yield () {
    var pool = new AsyncExec.ThreadPool (1);
    var file = make_file ("text");
    var pending = begin_count (pool, file);

    AexTest.run_until_done (pending);
    try {
        assert (pending.get_int64 () == 44);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    remove_file (file);
    AexTest.shutdown (pool);
}

static void test_error () {
    var pool = new AsyncExec.ThreadPool (1);
    var file = make_file ("text");

    remove_file (file);
    var pending = begin_count (pool, file);
    AexTest.run_until_done (pending);
    try {
        pending.get_int64 ();
        assert_not_reached ();
    } catch (IOError.NOT_FOUND e) {
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_cancel () {
    var pool = new AsyncExec.ThreadPool (1);
    var file = make_file ("text");
    var pending = begin_count (pool, file);

    pending.cancel ();
    assert (!pending.is_done ());
    AexTest.run_until_done (pending);
    assert (pending.state == PendingState.CANCELLED);
    remove_file (file);
    AexTest.shutdown (pool);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/gio/Y10/yield", test_yield);
    AexTest.add ("/vala/gio/Y10/error", test_error);
    AexTest.add ("/vala/gio/Y10/cancel", test_cancel);
    return AexTest.run ();
}
