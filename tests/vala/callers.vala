// SPDX-License-Identifier: LGPL-2.1-or-later
// Callers among each other, as Vala sees them.
using AsyncExec;

static void test_family () {
    try {
        var options = new CallerOptions ();
        options.set_name ("parent");
        options.set_niceness (1);
        var parent = new Caller.thread_full (options);
        var child = parent.get_child ("child");
        assert (parent.get_child ("child") == child);
        assert (child.parent == parent);
        assert (parent.parent == null);
        assert (child.dup_options ().get_niceness () == 1);
        assert (parent.list_children ().length == 1);
        assert (Caller.lookup (child.id) == child);
        assert (Caller.list (false).length >= 2);
        assert ("child of" in child.describe ());
        parent.stop ().wait ();
        assert (child.get_stopped ().is_done ());
        assert (Caller.lookup (child.id) == null);
        try {
            parent.get_child ("late");
            assert_not_reached ();
        } catch (AsyncExec.Error.CLOSED e) {
        }
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_context () {
    var context = new MainContext ();
    try {
        var made = new Caller.for_context (context, "view");
        assert (Caller.get_for_context_named (context, "view") == made);
        try {
            Caller.get_for_context_named (context, "model");
            assert_not_reached ();
        } catch (AsyncExec.Error.MISMATCH e) {
        }
        new Caller.for_context (context);
        assert_not_reached ();
    } catch (AsyncExec.Error.EXISTS e) {
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_hold () {
    try {
        var caller = new Caller.thread ("held");
        assert (caller.hold ());
        assert (caller.protected);
        caller.stop ();
        assert (!caller.get_stopping ().is_done ());
        caller.release ().wait ();
        assert (!caller.hold ());
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_workers () {
    try {
        var caller = new Caller.thread ("boss");
        caller.max_workers = 2;
        caller.max_idle_workers = 1;
        caller.idle_worker_timeout_us = -1;
        var job = caller.to_thread ((job) => job.resolve_int64 (42));
        job.wait ();
        assert (job.get_int64 () == 42);
        assert (caller.get_workers ().n_pending == 0);
        assert (caller.list_children ().length == 1);
        caller.stop ().wait ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_queue () {
    var caller = Caller.get_main ();
    var owner = new Object ();
    var seen = "";
    var queue = caller.get_queue (owner, "q");
    assert (caller.lookup_queue (owner, "q") == queue);
    assert (caller.lookup_queue (null, "q") == null);
    queue.push ((job) => { seen += "1"; return true; });
    queue.push_async ((job) => { seen += "2"; return Pending.sleep (0); });
    queue.push ((job) => { seen += "3"; return true; });
    assert (queue.get_n_items () == 3);
    assert (queue.key == "q");
    assert (queue.get_caller () == caller);
    while (queue.get_n_items () > 0)
        MainContext.default ().iteration (true);
    assert (seen == "123");
    owner = null;
    assert (queue.pending.is_cancelled ());
    assert (!queue.push ((job) => true));
    caller.close_queue (null, "unknown");
    // What was refused is released in a dispatch.
    while (MainContext.default ().iteration (false));
}

// A loop that is a queue.
class QueueGuest : Guest {
    public static int n_turns = 0;
    public static bool ended = false;
    private Queue<Pending> jobs = new Queue<Pending> ();

    public override void dispatch (Pending job) throws GLib.Error {
        jobs.push_tail (job);
        set_ready_time (0);
    }

    public override void iterate () {
        var job = jobs.pop_head ();
        n_turns++;
        if (job != null)
            job.run ();
    }

    public override Pending? end () {
        assert (get_caller () != null);
        ended = true;
        return null;
    }
}

static void test_backend () {
    try {
        assert (Caller.register_backend ("queue", typeof (QueueGuest)));
        var options = new CallerOptions ();
        options.set_backend ("queue");
        var caller = new Caller.thread_full (options);
        assert (caller.backend == "queue");
        var job = caller.call_using_backend ("queue", (job) => { job.resolve_int64 (5); return null; });
        job.wait ();
        assert (job.get_int64 () == 5 && QueueGuest.n_turns == 1);
        caller.call_using_backend ("glib", (job) => null).wait ();
        assert (QueueGuest.n_turns == 1);
        caller.stop ().wait ();
        assert (QueueGuest.ended);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    try {
        Caller.get_main ().call_using_backend ("none", (job) => null).wait ();
        assert_not_reached ();
    } catch (AsyncExec.Error.NOT_FOUND e) {
        assert (e.message.contains ("glib, queue"));
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    try {
        var options = new CallerOptions ();
        options.set_backend ("queue");
        Caller.get_for_context_full (null, options);
        assert_not_reached ();
    } catch (GLib.Error e) {
        assert (e is AsyncExec.Error.MISMATCH);
    }
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/callers/K12-K13-K10-K20-K29/family", test_family);
    AexTest.add ("/vala/callers/K5-K6/context", test_context);
    AexTest.add ("/vala/callers/K6-K27-K29/backend", test_backend);
    AexTest.add ("/vala/callers/K8/hold", test_hold);
    AexTest.add ("/vala/callers/K21-K33/workers", test_workers);
    AexTest.add ("/vala/callers/K34-K35-K36/queue", test_queue);
    return AexTest.run ();
}
