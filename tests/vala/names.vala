// SPDX-License-Identifier: LGPL-2.1-or-later
// Each name as Vala spells it: a test that compiles is half of the proof.

using AsyncExec;

static bool forty_two (Pending job, Cancellable? cancellable) throws GLib.Error {
    job.resolve_int64 (42);
    return true;
}

static void test_new_and_resolve () {
    var pending = new Pending ();

    assert (pending.state == PendingState.RUNNING);
    assert (!pending.is_done () && !pending.is_cancelled ());
    assert (pending.resolve_string ("first"));
    assert (!pending.resolve_string ("second"));
    assert (pending.is_done () && pending.state == PendingState.RESOLVED);
    try {
        assert (pending.dup_string () == "first");
        assert (pending.dup_value ().get_string () == "first");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (pending.dup_error () == null);
}

static void test_resolve_every_type () {
    var object = new Object ();
    try {
        assert (new Pending.resolved ().dup_value ().holds (Type.POINTER));
        var value = GLib.Value (typeof (string));
        value.set_string ("boxed");
        assert (new Pending.resolved (value).dup_string () == "boxed");

        var pending = new Pending ();
        assert (pending.resolve ());
        assert (pending.dup_object () == null);
        pending = new Pending ();
        assert (pending.resolve_boolean (true) && pending.get_boolean ());
        pending = new Pending ();
        assert (pending.resolve_int64 (int64.MIN) && pending.get_int64 () == int64.MIN);
        pending = new Pending ();
        assert (pending.resolve_double (0.5) && pending.get_double () == 0.5);
        pending = new Pending ();
        assert (pending.resolve_object (object) && pending.dup_object () == object);
        pending = new Pending ();
        assert (pending.resolve_variant (new Variant ("(is)", 7, "x")));
        assert (pending.dup_variant ().print (false) == "(7, 'x')");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_reject () {
    var pending = new Pending ();
    GLib.Error error = new IOError.NOT_FOUND ("no such thing");

    assert (pending.reject ((owned) error));
    assert (pending.state == PendingState.REJECTED);
    assert (pending.dup_error ().matches (IOError.quark (), IOError.NOT_FOUND));
    assert (new Pending.rejected (new IOError.BUSY ("")).dup_error () is IOError.BUSY);

    pending = new Pending ();
    assert (pending.reject_with_payload (new IOError.FAILED ("with something"), "payload"));
    assert (pending.dup_error ().message == "with something");
    assert (pending.dup_payload ().get_string () == "payload");
}

static void test_follow () {
    var pending = new Pending ();
    var other = new Pending ();

    assert (pending.follow (other));
    other.resolve_int64 (3);
    try {
        pending.wait ();
        assert (pending.get_int64 () == 3);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_cancel () {
    var pending = new Pending ();

    assert (pending.cancel ());
    assert (pending.is_cancelled () && pending.state == PendingState.CANCELLED);
    pending = new Pending ();
    assert (pending.cancel ("not wanted any more"));
    assert (pending.dup_error ().message == "not wanted any more");
    assert (!new Pending.resolved ().cancel ());
}

static void test_wait () {
    var pool = new AsyncExec.ThreadPool (2);
    try {
        assert (pool.submit (forty_two).wait ());
        var job = pool.submit (forty_two);
        assert (job.wait (WaitFlags.NO_RESULT, 60 * TimeSpan.SECOND, new Cancellable ()));
        assert (job.get_int64 () == 42);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_run_until_done () {
    try {
        var job = Caller.get_main ().submit (forty_two);
        assert (job.run_until_done ());
        assert (job.get_int64 () == 42);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_done_callbacks () {
    var pending = new Pending ();
    int n_called = 0;

    ulong id = pending.add_done_callback (() => n_called += 100);
    pending.add_done_callback (done => {
        assert (done.is_done ());
        n_called++;
    });
    assert (pending.remove_done_callback (id));
    assert (!pending.remove_done_callback (id));
    pending.resolve ();
    assert (n_called == 0);
    AexTest.run_until_done (pending);
    assert (n_called == 1);
}

static void test_then () {
    var job = Caller.get_main ().submit (forty_two);
    bool cleaned = false;
    var chain = job.then (done => {
        var next = new Pending ();
        next.resolve_int64 (done.get_int64 () + 1);
        return next;
    }).then (done => {
        throw new IOError.BROKEN_PIPE (@"broke at $(done.get_int64 ())");
    }).@catch (failed => {
        var next = new Pending ();
        next.resolve_string (failed.dup_error ().message);
        return next;
    }).@finally (() => {
        cleaned = true;
        return null;
    });

    AexTest.run_until_done (chain);
    assert (cleaned);
    try {
        assert (chain.dup_string () == "broke at 43");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_combinators () {
    var first = new Pending.resolved (1);
    var second = new Pending.resolved (2);
    var never = new Pending ();
    Pending[] both = { first, second };
    Pending[] race = { never, second };
    Pending[] none = {};
    try {
        var list = (ListModel) Pending.all (both).dup_object ();
        assert (list.get_n_items () == 2 && list.get_item (1) == second);
        assert (((ListModel) Pending.all (none).dup_object ()).get_n_items () == 0);
        assert (((ListModel) Pending.all_settled (both).dup_object ()).get_n_items () == 2);
        assert ((int) Pending.any (race).dup_value () == 2);
        assert ((int) Pending.first (race).dup_value () == 2);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (Pending.first (none).dup_error () is AsyncExec.Error.INVALID_ARGUMENT);
}

static void test_as_completed () {
    var late = new Pending ();
    var early = new Pending ();
    Pending[] both = { late, early };
    var stream = Pending.as_completed (both);

    early.resolve ();
    late.resolve ();
    try {
        assert (stream.next_sync ().get_pending () == early);
        var result = stream.next_sync (60 * TimeSpan.SECOND);
        assert (result.get_pending () == late && result.get_index () == 0);
        assert (stream.next_sync () == null);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_wait_set () {
    var late = new Pending ();
    var early = new Pending ();
    Pending[] both = { late, early };

    early.resolve ();
    try {
        var done = (ListModel) Pending.wait_set (both, ReturnWhen.FIRST_COMPLETED).dup_object ();
        assert (done.get_n_items () == 1 && done.get_item (0) == early);
        done = (ListModel) Pending.wait_set (both, ReturnWhen.ALL_COMPLETED, 0).dup_object ();
        assert (done.get_n_items () == 1 && !late.is_cancelled ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    late.resolve ();
}

static void test_transfer () {
    var stream = new PendingStream ();
    var taken = stream.transfer (1);
    var left = stream.transfer ();

    try {
        stream.next_sync ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (taken.get_state () == PendingState.RESOLVED);
    stream.close ();
    assert (left.dup_error () is AsyncExec.Error.CLOSED);
}

static void test_with_timeout () {
    AexTest.virtual_time ();
    var never = new Pending ();
    var in_time = never.with_timeout (5 * TimeSpan.SECOND);

    AexTest.advance (5 * TimeSpan.SECOND);
    AexTest.run_until_done (in_time);
    assert (in_time.dup_error () is IOError.TIMED_OUT);
    AexTest.run_until_done (never);
    assert (never.is_cancelled ());
}

static void test_shield () {
    var job = new Pending ();

    assert (job.shield ().cancel ());
    assert (!job.is_cancelled ());
    job.resolve ();
}

static void test_get_current () {
    assert (Pending.get_current () == null);
    var pool = new AsyncExec.ThreadPool (1);
    var job = pool.submit (job => {
        assert (Pending.get_current () == job);
        return check_cancelled ();
    });
    try {
        job.wait ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_submit () {
    var pool = new AsyncExec.ThreadPool (2);
    var options = new SubmitOptions ();
    options.set_name ("named");
    options.set_priority (AsyncExec.Priority.HIGH);
    options.set_timeout (60 * TimeSpan.SECOND);
    options.set_cancellable (new Cancellable ());
    try {
        var job = pool.submit_full (options, forty_two);
        assert (job.wait () && job.get_int64 () == 42 && job.dup_name () == "named");
        job = pool.submit_async (() => new Pending.resolved ("followed"));
        assert (job.wait () && job.dup_string () == "followed");
        job = pool.submit_async_full (options, () => null);
        assert (job.wait () && job.dup_value ().holds (Type.POINTER));
        assert (pool.run (forty_two).get_int64 () == 42);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_post () {
    var pool = new AsyncExec.ThreadPool (1);
    var gate = AexTest.Gate ();

    pool.post (() => {
        gate.open ();
        return true;
    });
    gate.wait ();
    AexTest.shutdown (pool);
}

static void test_map () {
    string[] words = { "a", "bb", "ccc" };
    var pool = new AsyncExec.ThreadPool (2);
    var stream = pool.map (words.length, 2, -1, MapFlags.NONE, (stream, index) => {
        stream.set_value (index, words[index].length);
        return true;
    });
    try {
        for (int i = 0; i < words.length; i++) {
            var result = stream.next_sync ();
            assert (result.get_success () && result.get_index () == i);
            assert ((int) result.dup_value () == i + 1);
        }
        assert (stream.next_sync () == null);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_stream () {
    var stream = new PendingStream ();

    stream.push ("one");
    stream.end ();
    try {
        assert (stream.next_sync ().dup_value ().get_string () == "one");
        assert (stream.next_sync () == null);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_shutdown () {
    var pool = new AsyncExec.ThreadPool (1);

    pool.shutdown (ShutdownFlags.CANCEL_QUEUED);
    try {
        pool.shutdown ().wait ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (pool.state == ExecutorState.STOPPED);
    assert (pool.n_pending == 0 && pool.n_running == 0);
}

static void test_set_default () {
    var pool = new AsyncExec.ThreadPool (1);

    Executor.set_default (pool);
    assert (Executor.get_default () == pool);
    Executor.set_default (null);
    assert (Executor.get_default () != pool);
    AexTest.shutdown (pool);
    AexTest.shutdown (Executor.get_default ());
    Executor.set_default (null);
}

static void test_callers () {
    try {
        var here = Caller.get_current ();
        assert (here == Caller.get_main ());
        assert (here == Caller.get_for_context (null));
        assert (here.runs_here ());

        var later = here.call_later (0, forty_two);
        AexTest.run_until_done (later);
        assert (later.get_int64 () == 42);

        var there = new Caller.thread ("database");
        assert (there.run (job => job.resolve_boolean (there.runs_here ())).get_boolean ());
        there.stop ().wait ();
        assert (there.get_stopped ().is_done ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_context () {
    var locale = new ContextVar ("locale", "C");

    assert (locale.dup_value ().get_string () == "C");
    var token = locale.@set ("de");
    var context = AsyncExec.Context.get_current ();
    try {
        assert (locale.reset (token));
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (locale.dup_value ().get_string () == "C");
    context.run (() => assert (locale.dup_value ().get_string () == "de"));
}

static void test_sleep () {
    AexTest.virtual_time ();
    var sleep = Pending.sleep (TimeSpan.HOUR);
    AexTest.advance (TimeSpan.HOUR);
    AexTest.run_until_done (sleep);
    assert (sleep.state == PendingState.RESOLVED);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/names/pending_new-pending_resolve-pending_get_state", test_new_and_resolve);
    AexTest.add ("/vala/names/R4/pending_resolve-pending_dup_value", test_resolve_every_type);
    AexTest.add ("/vala/names/pending_reject-pending_dup_error", test_reject);
    AexTest.add ("/vala/names/pending_follow", test_follow);
    AexTest.add ("/vala/names/pending_cancel", test_cancel);
    AexTest.add ("/vala/names/pending_wait", test_wait);
    AexTest.add ("/vala/names/pending_run_until_done", test_run_until_done);
    AexTest.add ("/vala/names/pending_add_done_callback-pending_remove_done_callback", test_done_callbacks);
    AexTest.add ("/vala/names/pending_then-pending_catch-pending_finally", test_then);
    AexTest.add ("/vala/names/pending_all-pending_all_settled-pending_any-pending_first", test_combinators);
    AexTest.add ("/vala/names/pending_as_completed", test_as_completed);
    AexTest.add ("/vala/names/K41/pending_wait_set", test_wait_set);
    AexTest.add ("/vala/names/K70/pending_stream_transfer", test_transfer);
    AexTest.add ("/vala/names/pending_with_timeout", test_with_timeout);
    AexTest.add ("/vala/names/pending_shield", test_shield);
    AexTest.add ("/vala/names/pending_get_current", test_get_current);
    AexTest.add ("/vala/names/R1/executor_submit-executor_submit_async-executor_submit_full-executor_run", test_submit);
    AexTest.add ("/vala/names/executor_post", test_post);
    AexTest.add ("/vala/names/executor_map", test_map);
    AexTest.add ("/vala/names/pending_stream", test_stream);
    AexTest.add ("/vala/names/executor_shutdown", test_shutdown);
    AexTest.add ("/vala/names/executor_set_default", test_set_default);
    AexTest.add ("/vala/names/caller_ref_current-caller_call_later-caller_run", test_callers);
    AexTest.add ("/vala/names/context", test_context);
    AexTest.add ("/vala/names/pending_sleep", test_sleep);
    return AexTest.run ();
}
