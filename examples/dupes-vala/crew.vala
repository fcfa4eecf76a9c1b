// SPDX-License-Identifier: LGPL-2.1-or-later

// The threads, and the one way in which this program gives them work: a number
// of items of which a bounded number is under way, taken as they end.
class Dupes.Crew {
    // The window keeps the workers busy while the main loop takes the results.
    const uint WINDOW_PER_JOB = 8;

    public delegate void Item (uint index);

    public Progress progress;

    AsyncExec.ThreadPool pool;
    AsyncExec.PendingStream? stream = null;     // of what runs now

    public Crew (uint n_jobs, Progress progress) {
        pool = new AsyncExec.ThreadPool (n_jobs);
        this.progress = progress;
    }

    // Calls item on a worker for each index, and taken on the main loop when it has
    // returned.  Ends when nothing runs any more; after stop() some items were not called.
    public async void work (uint n_items, Item item, Item? taken = null) throws Error {
        var flags = AsyncExec.MapFlags.UNORDERED | AsyncExec.MapFlags.CONTINUE_ON_ERROR;
        Error? failure = null;

        stream = pool.map (n_items, pool.max_workers * WINDOW_PER_JOB, -1, flags, (stream, index) => {
            item (index);
            return true;
        });
        try {
            yield take_all (taken);
        } catch (Error e) {
            // Closed by stop(), or an item that could not be run.
            failure = Interrupt.happened () ? null : e;
        }
        yield stream.close ().wait_async (AsyncExec.WaitFlags.NO_RESULT);
        stream = null;
        if (failure != null)
            throw failure;
    }

    async void take_all (Item? taken) throws Error {
        while (true) {
            var next = stream.next ();
            yield next.wait_async ();
            var result = (AsyncExec.PendingResult?) next.dup_object ();
            if (result == null)
                break;
            // The library could not run it: no memory for a thread, perhaps.
            if (!result.get_success ())
                throw result.dup_error ();
            if (taken != null)
                taken (result.get_index ());
        }
    }

    // No item starts any more; the running ones look at Interrupt.happened() themselves.
    public void stop () {
        if (stream != null)
            stream.close ();
    }
}
