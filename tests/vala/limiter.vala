// SPDX-License-Identifier: LGPL-2.1-or-later
// Limiters, permits, and pools of callers.

using AsyncExec;

static void test_wrapped () {
    var pool = new AsyncExec.ThreadPool (2);
    var limiter = new Limiter (pool);

    assert (limiter.wrapped == pool && limiter.max_concurrent == 1);
    limiter.max_concurrent = 2;
    assert (limiter.get_max_concurrent () == 2);
    AexTest.shutdown (limiter);
    AexTest.shutdown (pool);
}

static void test_permits () {
    var pool = new AsyncExec.ThreadPool (2);
    var limiter = new Limiter (pool, 1);
    var acquired = limiter.acquire ();

    try {
        Value held = acquired.dup_value ();
        unowned Permit permit = (Permit) held.get_boxed ();
        var job = limiter.submit (job => job.resolve_int64 (3));

        assert (job.state == PendingState.QUEUED);
        permit.release ();
        AexTest.run_until_done (job);
        assert (job.get_int64 () == 3);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (limiter);
    AexTest.shutdown (pool);
}

static void test_callers () {
    try {
        var callers = new CallerPool (2);
        var job = callers.submit (job => job.resolve_string ("there"));

        AexTest.run_until_done (job);
        assert (job.dup_string () == "there");
        assert (callers.n_callers == 2 && callers.list_callers ().length == 2);
        assert (callers.dup_loads ().length == 2 && callers.dup_loads ()[0] == 0);
        assert (callers.pick () == 0);
        AexTest.shutdown (callers);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static int main (string[] args) {
    AexTest.init (ref args);
    AexTest.add ("/vala/E8/wrapped", test_wrapped);
    AexTest.add ("/vala/limiter/permits", test_permits);
    AexTest.add ("/vala/S14/S15/S16/callers", test_callers);
    return AexTest.run ();
}
