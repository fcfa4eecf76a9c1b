// SPDX-License-Identifier: LGPL-2.1-or-later

// dupes: finds files with the same content.
//
// The same program as examples/dupes, in Vala.  The main thread is a chain of
// async methods that yield what the threads do; start reading in scan.vala, and
// see crew.vala for how work gets on the threads.
namespace Dupes {
    enum Status {
        OK = 0,
        UNREADABLE = 1,                         // something could not be read, or the report not be written
        USAGE = 2,
        INTERRUPTED = 130
    }

    static int write_report (Options options, Findings found) {
        stdout.puts (options.json ? Report.json (found) : Report.table (found));
        if (stdout.flush () != 0 || stdout.error () != 0) {
            stderr.printf ("dupes: cannot write the report: %s\n", strerror (errno));
            return Status.UNREADABLE;
        }
        if (found.interrupted)
            return Status.INTERRUPTED;
        return found.problems.length > 0 ? Status.UNREADABLE : Status.OK;
    }

    static int run (Options options) throws Error {
        var scan = new Scan (options);
        var loop = new MainLoop ();
        AsyncResult? ended = null;

        Interrupt.install (scan.stop);
        scan.run.begin ((source, result) => {
            ended = result;
            loop.quit ();
        });
        loop.run ();
        return write_report (options, scan.run.end (ended));
    }

    static int main (string[] args) {
        try {
            return run (new Options (args));
        } catch (OptionError e) {
            stderr.printf ("dupes: %s\nTry 'dupes -h'.\n", e.message);
            return Status.USAGE;
        } catch (Error e) {
            stderr.printf ("dupes: %s\n", e.message);
            return Status.UNREADABLE;
        }
    }
}
