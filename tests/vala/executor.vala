// SPDX-License-Identifier: LGPL-2.1-or-later
// An executor that is written in Vala.

using AsyncExec;

// Runs jobs from an idle source.
class IdleExecutor : Executor {
    public int n_dispatched;

    public override void dispatch (Pending job) throws GLib.Error {
        n_dispatched++;
        Idle.add (() => {
            job.run ();
            return Source.REMOVE;
        });
    }
}

class FullExecutor : Executor {
    public override void dispatch (Pending job) throws GLib.Error {
        throw new IOError.NO_SPACE ("no room");
    }
}

// Runs nothing.
class LosingExecutor : Executor {
    public override void dispatch (Pending job) throws GLib.Error {
    }
}

class CountingExecutor : IdleExecutor {
    public ShutdownFlags asked;

    public override Pending shutdown (ShutdownFlags flags = ShutdownFlags.NONE) {
        asked = flags;
        return base.shutdown (flags);
    }
}

static void test_dispatch () {
    var executor = new IdleExecutor ();
    bool ran = false;
    var job = executor.submit (job => {
        ran = true;
        assert (Pending.get_current () == job);
        return job.resolve_string ("idle");
    });

    assert (!ran);
    AexTest.run_until_done (job);
    try {
        assert (ran && job.dup_string () == "idle" && executor.n_dispatched == 1);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
    AexTest.shutdown (executor);
}

static void test_dispatch_throws () {
    var executor = new FullExecutor ();
    var job = executor.submit (() => { assert_not_reached (); });

    AexTest.run_until_done (job);
    assert (job.dup_error () is IOError.NO_SPACE);
    AexTest.shutdown (executor);
}

static void test_job_dropped () {
    var executor = new LosingExecutor ();
    var after = executor.submit (() => { assert_not_reached (); }).then (() => null);

    executor = null;
    AexTest.run_until_done (after);
    assert (after.dup_error () is AsyncExec.Error.ABANDONED || after.dup_error () is AsyncExec.Error.CLOSED);
}

static void test_shutdown () {
    var executor = new CountingExecutor ();
    bool ran = false;

    executor.submit (() => ran = true);
    var over = executor.shutdown (ShutdownFlags.CANCEL_RUNNING);
    AexTest.run_until_done (over);
    assert (ran && executor.asked == ShutdownFlags.CANCEL_RUNNING);
    assert (executor.state == ExecutorState.STOPPED);
    assert (executor.submit (() => true).dup_error () is AsyncExec.Error.CLOSED);
}

static void test_properties () {
    var pool = (AsyncExec.ThreadPool) Object.new (typeof (AsyncExec.ThreadPool), name: "decoder", max_workers: 3);

    assert (pool.name == "decoder" && pool.max_workers == 3);
    pool.max_workers = 1;
    pool.idle_timeout_us = 5 * TimeSpan.SECOND;
    assert (pool.get_idle_timeout () == 5 * TimeSpan.SECOND);
    assert (pool.state == ExecutorState.INITIAL);
    AexTest.shutdown (pool);
}

static void test_thread_main () {
    var pool = new AsyncExec.ThreadPool (1);
    int n_entered = 0;

    pool.set_thread_main (pool => {
        AtomicInt.inc (ref n_entered);
        pool.run_worker ();
    });
    for (int i = 0; i < 3; i++)
        AexTest.run_until_done (pool.submit (() => true));
    AexTest.shutdown (pool);
    assert (n_entered == 1);
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/executor/R11-R12/dispatch", test_dispatch);
    AexTest.add ("/vala/executor/R11/dispatch-throws", test_dispatch_throws);
    AexTest.add ("/vala/executor/R11/job-dropped", test_job_dropped);
    AexTest.add ("/vala/executor/R11/shutdown", test_shutdown);
    AexTest.add ("/vala/executor/properties", test_properties);
    AexTest.add ("/vala/executor/R10/thread-main", test_thread_main);
    return AexTest.run ();
}
