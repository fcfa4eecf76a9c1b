// SPDX-License-Identifier: LGPL-2.1-or-later
// Which thread runs a closure, which one frees it, and that it is freed once.

using AsyncExec;

// Captured by a closure, it tells when and where the closure dies.
class Token : Object {
    public static int n_freed;
    public static unowned Thread<void*>? freed_on;

    public static void expect (int n, Thread<void*>? thread) {
        while (AtomicInt.get (ref n_freed) < n)
            MainContext.default ().iteration (true);
        assert (n_freed == n);
        assert (thread == null || freed_on == thread);
        n_freed = 0;
    }

    public void use () {
        assert (ref_count > 0);
    }

    ~Token () {
        freed_on = Thread.self<void*> ();
        AtomicInt.inc (ref n_freed);
        MainContext.default ().wakeup ();
    }
}

static void test_callback () {
    var pool = new AsyncExec.ThreadPool (1);
    unowned Thread<void*> here = Thread.self<void*> ();
    bool called = false;
    {
        var token = new Token ();
        pool.submit (() => true).add_done_callback (() => {
            assert (Thread.self<void*> () == here);
            token.use ();
            called = true;
        });
    }
    while (!called)
        MainContext.default ().iteration (true);
    Token.expect (1, here);
    AexTest.shutdown (pool);
}

static void test_removed_callback () {
    var pending = new Pending ();
    {
        var token = new Token ();
        ulong id = pending.add_done_callback (() => {
            token.use ();
            assert_not_reached ();
        });
        pending.remove_done_callback (id);
    }
    Token.expect (1, Thread.self<void*> ());
    pending.resolve ();
}

static void test_abandoned () {
    {
        var token = new Token ();
        new Pending ().add_done_callback (() => {
            token.use ();
            assert_not_reached ();
        });
    }
    Token.expect (1, Thread.self<void*> ());
}

static void test_callback_of_object () {
    var pending = new Pending ();
    {
        var token = new Token ();
        var window = new Object ();
        pending.add_done_callback_object (window, () => {
            token.use ();
            assert_not_reached ();
        });
        pending.then_object (window, () => {
            token.use ();
            assert_not_reached ();
        });
    }
    Token.expect (1, null);
    pending.resolve ();
    AexTest.run_until_done (pending);
}

static void test_job () {
    var pool = new AsyncExec.ThreadPool (1);
    unowned Thread<void*> worker = null;
    Pending job;
    {
        var token = new Token ();
        job = pool.submit (() => {
            token.use ();
            worker = Thread.self<void*> ();
            return true;
        });
    }
    AexTest.run_until_done (job);
    // Before the pending was done.
    assert (Token.n_freed == 1);
    Token.expect (1, worker);
    AexTest.shutdown (pool);
}

static void test_job_released_on_owner () {
    var pool = new AsyncExec.ThreadPool (1);
    var options = new SubmitOptions ();
    Pending job;

    options.set_release_on_owner (true);
    {
        var token = new Token ();
        job = pool.submit_full (options, () => {
            token.use ();
            return true;
        });
    }
    AexTest.run_until_done (job);
    Token.expect (1, Thread.self<void*> ());
    AexTest.shutdown (pool);
}

static void test_cancelled_job_never_starts () {
    var pool = new AsyncExec.ThreadPool (1);
    var started = AexTest.Gate ();
    var release = AexTest.Gate ();
    Pending queued;

    pool.submit (() => {
        started.open ();
        release.wait ();
        return true;
    });
    started.wait ();
    {
        var token = new Token ();
        queued = pool.submit (() => {
            token.use ();
            assert_not_reached ();
        });
    }
    assert (queued.cancel ());
    assert (queued.is_done ());
    release.open ();
    AexTest.shutdown (pool);
    Token.expect (1, null);
}

static void test_cancel_a_running_job () {
    var pool = new AsyncExec.ThreadPool (1);
    var started = AexTest.Gate ();
    var job = pool.submit (job => {
        var told = AexTest.Gate ();
        job.get_cancellable ().connect (() => told.open ());
        started.open ();
        told.wait ();
        return check_cancelled ();
    });

    started.wait ();
    assert (job.cancel ());
    assert (job.is_cancelled ());
    AexTest.run_until_done (job);
    assert (job.state == PendingState.CANCELLED);
    AexTest.shutdown (pool);
}

static void test_every_kind_of_closure () {
    var pool = new AsyncExec.ThreadPool (1);
    var here = Caller.get_main ();
    var promise = new Pending ();
    Pending[] all = {};
    {
        var token = new Token ();
        all += here.submit_async (() => { token.use (); return null; });
        all += here.call_later (0, () => { token.use (); return true; });
        all += new Pending.resolved ().then (() => { token.use (); return null; });
        all += new Pending.resolved ().@finally (() => { token.use (); return null; });
        all += new Pending.resolved ().add_continuation (ThenFlags.ALWAYS, () => { token.use (); return null; });
        here.call_direct (() => { token.use (); return true; });
        pool.post (() => { token.use (); return true; });
        pool.map (2, 0, -1, MapFlags.NONE, () => { token.use (); return true; });
        promise.set_canceller (() => token.use ());
        promise.cancel ();
    }
    AexTest.run_until_done (Pending.all (all));
    AexTest.shutdown (pool);
    Token.expect (1, null);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/delivery/R5-R6/callback", test_callback);
    AexTest.add ("/vala/delivery/R6/removed-callback", test_removed_callback);
    AexTest.add ("/vala/delivery/R17/abandoned", test_abandoned);
    AexTest.add ("/vala/delivery/callback-of-a-disposed-object", test_callback_of_object);
    AexTest.add ("/vala/delivery/R6/job", test_job);
    AexTest.add ("/vala/delivery/R6/job-released-on-owner", test_job_released_on_owner);
    AexTest.add ("/vala/delivery/cancelled-job-never-starts", test_cancelled_job_never_starts);
    AexTest.add ("/vala/delivery/K31/cancel-a-running-job", test_cancel_a_running_job);
    AexTest.add ("/vala/delivery/every-kind-of-closure", test_every_kind_of_closure);
    return AexTest.run ();
}
