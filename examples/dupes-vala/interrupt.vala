// SPDX-License-Identifier: LGPL-2.1-or-later

// Ctrl-C.  Unix.signal_add() would do for most programs, but it only tells the
// main loop, and until the loop's turn comes the workers would go on opening
// files.  So the handler itself raises a flag that every worker reads before
// each file and each block, and wakes the loop through a pipe, which then
// cancels what is queued.
//
// SA_RESETHAND: the second Ctrl-C finds the default action and kills.  When the
// search is over the first one does nothing, so that the report is not cut off.
namespace Dupes.Interrupt {
    static int flag;
    static int wake_fds[2];

    static void on_signal (int signum) {
        int saved_errno = errno;

        AtomicInt.set (ref flag, 1);
        while (Posix.write (wake_fds[1], "", 1) < 0 && errno == Posix.EINTR) {
        }
        errno = saved_errno;
    }

    delegate void Func ();

    // func is called once, on the main loop, after the first SIGINT or SIGTERM.
    static void install (owned Func func) throws Error {
        int[] fds = { -1, -1 };
        Unix.open_pipe (fds, Posix.FD_CLOEXEC);
        wake_fds[0] = fds[0];
        wake_fds[1] = fds[1];
        var woken = new IOChannel.unix_new (fds[0]).create_watch (IOCondition.IN);
        woken.set_callback (() => {
            func ();
            return Source.REMOVE;
        });
        woken.attach ();

        var action = Posix.sigaction_t ();
        action.sa_handler = on_signal;
        action.sa_flags = Posix.SA_RESTART | Posix.SA_RESETHAND;
        Posix.sigemptyset (out action.sa_mask);
        Posix.sigaction (Posix.Signal.INT, action, null);
        Posix.sigaction (Posix.Signal.TERM, action, null);
    }

    // Any thread.
    static bool happened () {
        return AtomicInt.get (ref flag) != 0;
    }
}
