// SPDX-License-Identifier: LGPL-2.1-or-later
// Services and lazy values, as Vala sees them.
using AsyncExec;

class Clock : Service {
    public Clock (Caller caller) {
        Object (caller: caller, name: "clock");
    }

    public override Pending? run () throws GLib.Error {
        ready ();
        return get_stopping ().then (done => {
            var result = new Pending ();
            result.resolve_string ("tick");
            return result;
        });
    }
}

static void test_service () {
    try {
        var caller = new Caller.thread ("services");
        var service = new Service (caller, "plain", self => {
            self.ready ();
            return self.get_stopping ().shield ();
        });
        service.start ().wait ();
        assert (service.name == "plain");
        assert (service.caller == caller);
        service.stop ().wait ();
        var clock = new Clock (caller);
        clock.start ().wait ();
        clock.stop ().wait ();
        assert (clock.stopped.dup_string () == "tick");
        try {
            clock.set_func (self => null);
            assert_not_reached ();
        } catch (AsyncExec.Error.EXISTS e) {
        }
        caller.stop (StopFlags.FORCE).wait ();
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_lazy () {
    try {
        int n = 0;
        var lazy = new Lazy (null, (job, cancellable) => {
            job.resolve_int64 (++n);
            return true;
        });
        assert (!lazy.is_made ());
        assert (lazy.get ().get_int64 () == 1);
        assert (lazy.get ().get_int64 () == 1);
        assert (lazy.dup_value ().get_int64 () == 1);
    } catch (GLib.Error e) {
        assert_not_reached ();
    }
}

static void test_requested () {
    var pending = new Pending.full (PendingFlags.PROTECTED, null);
    pending.with_timeout (-1).cancel ();
    assert (!pending.is_cancelled ());
    assert (pending.was_cancel_requested ());
}

int main (string[] args) {
    unowned string[] arguments = args;
    AexTest.init (ref arguments);
    AexTest.add ("/vala/services/K43/service", test_service);
    AexTest.add ("/vala/services/K71/lazy", test_lazy);
    AexTest.add ("/vala/services/D18/requested", test_requested);
    return AexTest.run ();
}
