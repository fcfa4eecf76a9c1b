// SPDX-License-Identifier: LGPL-2.1-or-later
// Scopes: around plain code, and in async methods.

using AsyncExec;

static bool until_cancelled (Pending job, Cancellable? cancellable) throws GLib.Error {
    return new Pending ().wait ();
}

static void test_plain () {
    var scope = Scope.enter (1000);

    try {
        new Pending ().wait ();
        assert_not_reached ();
    } catch (IOError.TIMED_OUT e) {
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    try {
        check_cancelled ();
        assert_not_reached ();
    } catch (GLib.Error e) {
    }
    assert (scope.is_cancelled ());
    assert (scope.leave ());
    try {
        check_cancelled ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static async bool limited (Executor pool, int64 timeout_us) throws GLib.Error {
    var scope = new Scope (timeout_us);
    Pending? job = null;

    scope.run (() => {
        job = pool.submit (until_cancelled);
    });
    try {
        yield scope.wait_async (job);
    } finally {
        assert (scope.leave ());
    }
    return true;
}

static void test_yield () {
    var pool = new AsyncExec.ThreadPool (1);
    var loop = new MainLoop ();

    limited.begin (pool, 1000, (source, result) => {
        try {
            limited.end (result);
            assert_not_reached ();
        } catch (IOError.TIMED_OUT e) {
        } catch (GLib.Error e) {
            assert_not_reached ();
        }
        loop.quit ();
    });
    loop.run ();
    AexTest.shutdown (pool);
}

static void test_cancel () {
    var pool = new AsyncExec.ThreadPool (1);
    var outer = Scope.enter (-1);
    var shield = Scope.enter (-1, ScopeFlags.SHIELD);
    var job = pool.submit (until_cancelled);
    var added = new Pending ();

    shield.add (added);
    outer.cancel ();
    assert (!job.is_cancelled ());
    shield.cancel ();
    assert (job.is_cancelled () && added.is_cancelled ());
    assert (shield.get_cancellable ().is_cancelled ());
    assert (shield.get_deadline_us () == -1);
    assert (shield.leave ());
    assert (outer.leave ());
    AexTest.shutdown (pool);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/scopes/N1/plain", test_plain);
    AexTest.add ("/vala/scopes/N8/yield", test_yield);
    AexTest.add ("/vala/scopes/N4-N6/cancel", test_cancel);
    return AexTest.run ();
}
