// SPDX-License-Identifier: LGPL-2.1-or-later
// Groups and managers: around plain code, and in async methods.

using AsyncExec;

static bool fail (Pending job, Cancellable? cancellable) throws GLib.Error {
    throw new IOError.INVALID_DATA ("boom");
}

static void test_plain () {
    var pool = new AsyncExec.ThreadPool (2);
    var group = new PendingGroup ();
    int n = 0;

    try {
        group.enter ();
        assert (PendingGroup.get_current () == group);
        for (int i = 0; i < 10; i++) {
            pool.submit (() => {
                AtomicInt.inc (ref n);
                return true;
            });
        }
        group.end ().wait ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (n == 10);
    assert (group.is_over ());
    assert (PendingGroup.get_current () == null);
    AexTest.shutdown (pool);
}

static async void fail_in_group (Executor pool, Pending member) throws GLib.Error {
    var group = new PendingGroup (GroupMode.QUIET);

    group.begin ();
    group.add (member);
    group.submit (pool, fail);
    yield group.end ().wait_async ();
}

static void test_yield () {
    var pool = new AsyncExec.ThreadPool (1);
    var loop = new MainLoop ();
    var member = new Pending ();

    fail_in_group.begin (pool, member, (source, result) => {
        try {
            fail_in_group.end (result);
            assert_not_reached ();
        } catch (AsyncExec.Error.GROUP e) {
            assert (AsyncExec.Error.get_members (e).length == 1);
            assert (AsyncExec.Error.get_members (e)[0].message == "boom");
        } catch (GLib.Error e) {
            assert_not_reached ();
        }
        loop.quit ();
    });
    loop.run ();
    assert (member.is_cancelled ());
    AexTest.shutdown (pool);
}

static void test_reenter_and_cancel () {
    var group = new PendingGroup (GroupMode.RAISE);
    var member = new Pending ();

    group.shield = true;
    group.timeout_us = 60 * TimeSpan.SECOND;
    try {
        group.begin ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    try {
        group.enter ();
        assert_not_reached ();
    } catch (AsyncExec.Error.REENTERED e) {
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (group.add (member));
    assert (group.get_n_pendings () == 1 && group.dup_pendings ()[0] == member);
    assert (group.cancel ("why"));
    assert (member.is_cancelled () && group.get_cancellable ().is_cancelled ());
    try {
        group.end ().wait ();
        assert_not_reached ();
    } catch (IOError.CANCELLED e) {
        assert (e.message == "why");
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_for_each () {
    var pool = new AsyncExec.ThreadPool (2);
    var group = new PendingGroup ();
    int sum = 0;

    try {
        group.for_each (pool, 100, (index, cancellable) => {
            assert (!cancellable.is_cancelled ());
            AtomicInt.add (ref sum, (int) index);
            return true;
        });
        group.join ().wait ();
        assert (AtomicInt.get (ref sum) == 4950);
        group = new PendingGroup ();
        group.for_each (pool, 100, (index, cancellable) => {
            throw new IOError.INVALID_DATA ("item %u", index);
        });
        group.join ().wait ();
        assert_not_reached ();
    } catch (AsyncExec.Error.GROUP e) {
        assert (AsyncExec.Error.get_members (e).length > 0);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

static void test_trackers () {
    var pool = new AsyncExec.ThreadPool (1);
    var manager = new PendingManager ();
    var token = manager.push ();
    var options = new SubmitOptions ();
    Type[] kinds = { typeof (PendingManager) };
    bool seen = true;

    assert (PendingTracker.get_current (typeof (PendingManager)) == manager);
    var promise = new Pending.tracked (kinds);
    assert (manager.get_n_pendings () == 1);
    promise.resolve ();
    options.set_trackers ({});
    try {
        pool.submit_full (options, () => {
            seen = PendingTracker.get_current (typeof (PendingManager)) != null;
            return true;
        }).wait ();
        manager.pop (token);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    assert (!seen);
    try {
        manager.pop (token);
        assert_not_reached ();
    } catch (AsyncExec.Error.MISMATCH e) {
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (pool);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/groups/K60-K61/plain", test_plain);
    AexTest.add ("/vala/groups/K62-P8/yield", test_yield);
    AexTest.add ("/vala/groups/K60-K62/for-each", test_for_each);
    AexTest.add ("/vala/groups/K64-K67/reenter-and-cancel", test_reenter_and_cancel);
    AexTest.add ("/vala/groups/K45-K58-K59/trackers", test_trackers);
    return AexTest.run ();
}
