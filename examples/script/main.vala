// SPDX-License-Identifier: LGPL-2.1-or-later
// A program without a main loop: hashes the files that it is given, all at the
// same time, and prints each when it is done.

using AsyncExec;

static int main (string[] args) {
    var flags = MapFlags.UNORDERED | MapFlags.CONTINUE_ON_ERROR;
    int status = 0;

    // The function runs on a thread, once for each file.
    var sums = Executor.get_default ().map (args.length - 1, 0, -1, flags, (stream, index) => {
        var file = new MappedFile (args[1 + index], false);
        return stream.set_string (index, Checksum.compute_for_bytes (ChecksumType.SHA256, file.get_bytes ()));
    });

    while (true) {
        try {
            // Blocks until the next one is there; null at the end.
            var result = sums.next_sync ();
            if (result == null)
                return status;
            stdout.printf ("%s  %s\n", result.dup_value ().get_string (), args[1 + result.get_index ()]);
        } catch (GLib.Error e) {
            stderr.printf ("%s\n", e.message);
            status = 1;
        }
    }
}
