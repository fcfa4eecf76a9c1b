// SPDX-License-Identifier: LGPL-2.1-or-later
// Each condition as a Vala program catches it.

using AsyncExec;

// What a caller of wait () gets to see.
static GLib.Error error_of (Pending pending) {
    try {
        pending.wait ();
    } catch (GLib.Error e) {
        return e;
    }
    assert_not_reached ();
}

static void test_cancelled () {
    var pending = new Pending ();

    pending.cancel ("changed my mind");
    try {
        pending.wait ();
        assert_not_reached ();
    } catch (IOError.CANCELLED e) {
        assert (e.message == "changed my mind");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_timed_out () {
    AexTest.virtual_time ();
    var pending = new Pending ();
    var in_time = pending.with_timeout (TimeSpan.SECOND);

    AexTest.advance (TimeSpan.SECOND);
    AexTest.run_until_done (in_time);
    try {
        in_time.wait ();
        assert_not_reached ();
    } catch (IOError.TIMED_OUT e) {
        assert (e.message != "");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_group () {
    Pending[] pendings = {
        new Pending.rejected (new IOError.NOT_FOUND ("one")),
        new Pending.rejected (new IOError.BUSY ("two"))
    };
    try {
        Pending.any (pendings).wait ();
        assert_not_reached ();
    } catch (AsyncExec.Error.GROUP e) {
        var members = AsyncExec.Error.get_members (e);
        assert (members.length == 2);
        assert (members[0] is IOError.NOT_FOUND && members[0].message == "one");
        assert (members[1] is IOError.BUSY && members[1].message == "two");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (AsyncExec.Error.get_members (new IOError.FAILED ("no group")) == null);
}

static void test_not_done () {
    var pending = new Pending ();
    try {
        pending.dup_value ();
        assert_not_reached ();
    } catch (AsyncExec.Error.NOT_DONE e) {
        pending.resolve ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_would_deadlock () {
    var job = Caller.get_main ().submit (() => true);

    assert (error_of (job) is AsyncExec.Error.WOULD_DEADLOCK);
    AexTest.run_until_done (job);
}

static void test_closed () {
    var pool = new AsyncExec.ThreadPool (1);

    AexTest.run_until_done (pool.shutdown ());
    // The submission is not what throws.
    var job = pool.submit (() => true);
    assert (job.state == PendingState.CANCELLED);
    assert (error_of (job) is AsyncExec.Error.CLOSED);
}

static void test_busy () {
    var pool = new AsyncExec.ThreadPool (1);
    var started = AexTest.Gate ();
    var release = AexTest.Gate ();

    pool.max_pending = 1;
    var running = pool.submit (() => {
        started.open ();
        release.wait ();
        return true;
    });
    started.wait ();
    pool.submit (() => true);
    var refused = pool.submit (() => true);
    assert (refused.state == PendingState.REJECTED);
    assert (refused.dup_error () is AsyncExec.Error.BUSY);
    release.open ();
    AexTest.run_until_done (running);
    AexTest.shutdown (pool);
}

static void test_user_error () {
    var pool = new AsyncExec.ThreadPool (1);
    try {
        pool.run (() => {
            throw new FileError.ACCES ("hands off");
        });
        assert_not_reached ();
    } catch (FileError.ACCES e) {
        assert (e.message == "hands off");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

// What another language could not put into a GError: an exception with a payload.
static void test_exception () {
    var pending = new Pending ();

    pending.reject_with_payload (new AsyncExec.Error.EXCEPTION ("ValueError: no"), "the exception");
    try {
        pending.wait ();
        assert_not_reached ();
    } catch (AsyncExec.Error.EXCEPTION e) {
        assert (e.message == "ValueError: no");
        assert (pending.dup_payload ().get_string () == "the exception");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_false_without_error () {
    var pool = new AsyncExec.ThreadPool (1);
    try {
        pool.run (() => false);
        assert_not_reached ();
    } catch (AsyncExec.Error.FAILED e) {
        assert (e.message != "");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_unhandled () {
    var pool = new AsyncExec.ThreadPool (1);
    string? message = null;

    pool.unhandled_error.connect ((pending, error) => {
        assert (pending != null);
        message = error.message;
        return true;
    });
    var pending = pool.submit (() => {
        throw new IOError.FAILED ("nobody looks");
    });
    // Waits without reading the outcome.
    try {
        pending.wait (WaitFlags.NO_RESULT);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    pending = null;
    AexTest.shutdown (pool);
    while (message == null)
        MainContext.default ().iteration (true);
    assert (message == "nobody looks");
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/exceptions/cancelled", test_cancelled);
    AexTest.add ("/vala/exceptions/time-out", test_timed_out);
    AexTest.add ("/vala/exceptions/GROUP", test_group);
    AexTest.add ("/vala/exceptions/NOT_DONE", test_not_done);
    AexTest.add ("/vala/exceptions/R16/WOULD_DEADLOCK", test_would_deadlock);
    AexTest.add ("/vala/exceptions/CLOSED", test_closed);
    AexTest.add ("/vala/exceptions/BUSY", test_busy);
    AexTest.add ("/vala/exceptions/user-exception", test_user_error);
    AexTest.add ("/vala/exceptions/user-exception-of-another-language", test_exception);
    AexTest.add ("/vala/exceptions/R2/false-without-error", test_false_without_error);
    AexTest.add ("/vala/exceptions/unhandled-error", test_unhandled);
    return AexTest.run ();
}
