// SPDX-License-Identifier: LGPL-2.1-or-later
// Async methods: yield a pending, and what comes back.

using AsyncExec;

// Runs the main loop until an async method that was begun with the callback has ended.
class Ended {
    private MainLoop loop = new MainLoop ();
    private AsyncResult result;

    public void callback (Object? source, AsyncResult result) {
        this.result = result;
        loop.quit ();
    }

    public AsyncResult wait () {
        loop.run ();
        return (owned) result;
    }
}

static async int64 add (Executor pool, int64 a, int64 b) throws GLib.Error {
    var job = pool.submit (job => job.resolve_int64 (a + b));
    yield job.wait_async ();
    assert (Caller.get_main ().runs_here ());
    return job.get_int64 ();
}

static async string chain (Executor pool) throws GLib.Error {
    int64 sum = 0;

    for (int i = 1; i <= 3; i++)
        sum = yield add (pool, sum, i);
    try {
        yield pool.submit (() => {
            throw new IOError.NO_SPACE ("full");
        }).wait_async ();
    } catch (IOError.NO_SPACE e) {
        return @"$sum $(e.message)";
    }
    assert_not_reached ();
}

static void test_yield () {
    var pool = new AsyncExec.ThreadPool (2);
    var ended = new Ended ();

    chain.begin (pool, ended.callback);
    try {
        assert (chain.end (ended.wait ()) == "6 full");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_yield_what_is_done () {
    var done = new Pending.resolved ("at once");
    var ended = new Ended ();

    done.wait_async.begin (WaitFlags.NONE, -1, null, ended.callback);
    try {
        assert (done.wait_async.end (ended.wait ()));
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_cancel_leaves_it_alone () {
    var pending = new Pending ();
    var cancellable = new Cancellable ();
    var ended = new Ended ();

    pending.wait_async.begin (WaitFlags.NONE, -1, cancellable, ended.callback);
    cancellable.cancel ();
    try {
        pending.wait_async.end (ended.wait ());
        assert_not_reached ();
    } catch (IOError.CANCELLED e) {
        assert (!pending.is_cancelled ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    pending.resolve ();
}

static void test_cancel_on_abandon () {
    var pending = new Pending ();
    var cancellable = new Cancellable ();
    var ended = new Ended ();

    pending.wait_async.begin (WaitFlags.CANCEL_ON_ABANDON, -1, cancellable, ended.callback);
    cancellable.cancel ();
    try {
        pending.wait_async.end (ended.wait ());
        assert_not_reached ();
    } catch (IOError.CANCELLED e) {
        AexTest.run_until_done (pending);
        assert (pending.is_cancelled ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_time_out () {
    AexTest.virtual_time ();
    var pending = new Pending ();
    var ended = new Ended ();

    pending.wait_async.begin (WaitFlags.NONE, TimeSpan.SECOND, null, ended.callback);
    AexTest.advance (TimeSpan.SECOND);
    try {
        pending.wait_async.end (ended.wait ());
        assert_not_reached ();
    } catch (IOError.TIMED_OUT e) {
        assert (!pending.is_done ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    pending.resolve ();
}

static async int nap () throws GLib.Error {
    yield sleep_async (TimeSpan.HOUR);
    return 7;
}

static void test_sleep () {
    AexTest.virtual_time ();
    var ended = new Ended ();

    nap.begin (ended.callback);
    AexTest.advance (TimeSpan.HOUR);
    try {
        assert (nap.end (ended.wait ()) == 7);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_sleep_cancelled () {
    var cancellable = new Cancellable ();
    var ended = new Ended ();

    sleep_async.begin (TimeSpan.DAY, cancellable, ended.callback);
    cancellable.cancel ();
    try {
        sleep_async.end (ended.wait ());
        assert_not_reached ();
    } catch (IOError.CANCELLED e) {
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static async void take_all (Executor pool, StringBuilder text) throws GLib.Error {
    string[] words = { "a", "b", "c", "d" };
    var stream = pool.map (words.length, 2, -1, MapFlags.NONE, (stream, index) => stream.set_string (index, words[index]));

    while (true) {
        var next = stream.next ();
        yield next.wait_async ();
        var result = next.dup_object () as PendingResult;
        if (result == null)
            break;
        text.append (result.dup_value ().get_string ());
    }
}

static void test_stream () {
    var pool = new AsyncExec.ThreadPool (2);
    var text = new StringBuilder ();
    var ended = new Ended ();

    take_all.begin (pool, text, ended.callback);
    try {
        take_all.end (ended.wait ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (text.str == "abcd");
    AexTest.shutdown (pool);
}

// An async method as a job: begin it, hand its pending over.
static void test_async_method_as_job () {
    var pool = new AsyncExec.ThreadPool (1);
    var here = Caller.get_main ();
    var job = here.submit_async (() => {
        var outcome = new Pending ();
        add.begin (pool, 20, 22, (source, result) => {
            try {
                outcome.resolve_int64 (add.end (result));
            } catch (GLib.Error e) {
                outcome.reject ((owned) e);
            }
        });
        return outcome;
    });

    AexTest.run_until_done (job);
    try {
        assert (job.get_int64 () == 42);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/names/pending_wait_async/R15", test_yield);
    AexTest.add ("/vala/async/already-done", test_yield_what_is_done);
    AexTest.add ("/vala/async/K54/cancel-leaves-it-alone", test_cancel_leaves_it_alone);
    AexTest.add ("/vala/async/K54/cancel-on-abandon", test_cancel_on_abandon);
    AexTest.add ("/vala/async/time-out", test_time_out);
    AexTest.add ("/vala/names/pending_sleep/yield", test_sleep);
    AexTest.add ("/vala/names/pending_sleep/cancelled", test_sleep_cancelled);
    AexTest.add ("/vala/names/executor_map/yield", test_stream);
    AexTest.add ("/vala/names/executor_submit_async/async-method", test_async_method_as_job);
    return AexTest.run ();
}
