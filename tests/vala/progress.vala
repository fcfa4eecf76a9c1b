// SPDX-License-Identifier: LGPL-2.1-or-later
// Progress, messages, and the properties that notify of them.

using AsyncExec;

static void test_progress () {
    var pool = new AsyncExec.ThreadPool (1);
    var release = AexTest.Gate ();
    var loop = new MainLoop ();
    var job = pool.submit (job => {
        job.set_progress (0.5, "half way");
        release.wait ();
        job.set_progress (1.0);
        return true;
    });

    assert (job.state <= PendingState.RUNNING);
    // Not the variable: a pending whose handler holds it would never go.
    job.notify["progress"].connect ((notifier, spec) => {
        if (((Pending) notifier).progress == 0.5)
            loop.quit ();
    });
    if (job.progress != 0.5)
        loop.run ();
    assert (job.get_progress () == 0.5);
    assert (job.progress_message == "half way" && job.dup_progress_message () == "half way");
    assert (job.status_text == "half way");
    release.open ();
    AexTest.run_until_done (job);
    assert (job.progress == 1.0 && job.state == PendingState.RESOLVED);
    AexTest.shutdown (pool);
}

static void test_bind () {
    var bar = new Bar ();
    var job = new Pending ();

    job.bind_property ("progress", bar, "fraction", BindingFlags.SYNC_CREATE);
    job.set_progress (0.25);
    while (bar.fraction != 0.25)
        MainContext.default ().iteration (true);
    job.resolve ();
}

class Bar : Object {
    public double fraction { get; set; }
}

static void test_messages () {
    var pool = new AsyncExec.ThreadPool (1);
    string text = "";
    var job = pool.submit (job => {
        assert (job.publish (new Variant.string ("one")));
        assert (job.publish (new Variant ("(is)", 2, "two")));
        return true;
    });

    job.subscribe ((job, message) => {
        assert (Caller.get_main ().runs_here ());
        text += message.print (false);
    });
    ulong id = job.subscribe (() => assert_not_reached ());
    assert (job.unsubscribe (id) && !job.unsubscribe (id));
    job.add_done_callback (() => text += ".");
    AexTest.run_until_done (job);
    while (!text.has_suffix ("."))
        MainContext.default ().iteration (true);
    assert (text == "'one'(2, 'two').");
    assert (!job.publish (new Variant.string ("too late")));
    AexTest.shutdown (pool);
}

static void test_publish_wait () {
    var pool = new AsyncExec.ThreadPool (1);
    int n = 0;
    var options = new SubmitOptions ();
    options.set_subscriber ((job, message) => {
        assert (message.get_int32 () == n);
        n++;
    });
    var job = pool.submit_full (options, job => {
        for (int i = 0; i < 3000; i++)
            job.publish_wait (new Variant.int32 (i));
        return true;
    });
    AexTest.run_until_done (job);
    assert (job.state == PendingState.RESOLVED && n == 3000);
    AexTest.shutdown (pool);
}

static void test_call () {
    var pool = new AsyncExec.ThreadPool (1);
    string path = Environment.get_variable ("G_TEST_SRCDIR") + "/meson.build";
    var parameters = new VariantDict ();
    string content;

    parameters.insert_value ("path", new Variant.bytestring (path));
    var job = pool.call ("file-checksum", parameters.end ());
    AexTest.run_until_done (job);
    try {
        FileUtils.get_contents (path, out content);
        assert (job.dup_variant ().get_string () == Checksum.compute_for_string (ChecksumType.SHA256, content));
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    job = pool.call ("no-such-operation");
    AexTest.run_until_done (job);
    assert (job.dup_error () is AsyncExec.Error.NOT_FOUND);
    AexTest.shutdown (pool);
}

static void test_operations () {
    var operations = new Operations ();
    var pool = (AsyncExec.ThreadPool) Object.new (typeof (AsyncExec.ThreadPool), operations: operations);
    try {
        operations.add ("double", VariantType.INT32, VariantType.INT32, (job, parameters) => {
            return job.resolve_variant (new Variant.int32 (2 * parameters.get_int32 ()));
        });
        assert (operations.list ().length == 1);
        var job = pool.call ("double", new Variant.int32 (21));
        AexTest.run_until_done (job);
        assert (job.dup_variant ().get_int32 () == 42);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (operations.remove ("double"));
    AexTest.shutdown (pool);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    // The shipped operations are made once, and stay.
    Operations.get_default ();
    AexTest.add ("/vala/names/pending_set_progress", test_progress);
    AexTest.add ("/vala/names/pending_set_progress/bind", test_bind);
    AexTest.add ("/vala/names/pending_publish-pending_subscribe", test_messages);
    AexTest.add ("/vala/names/pending_publish_wait", test_publish_wait);
    AexTest.add ("/vala/names/executor_call", test_call);
    AexTest.add ("/vala/names/operations", test_operations);
    return AexTest.run ();
}
